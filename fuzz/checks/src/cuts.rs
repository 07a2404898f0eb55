//! How an input says where its stream is cut, and how narrow the limits are.

use refcached_protocol::Limits;

/// The bytes at the beginning of an input that are not part of the stream.
pub const HEADER_BYTES: usize = 2;

/// Where a stream is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cuts {
    /// 0 cuts everywhere.
    state: u32,
}

impl Cuts {
    /// The end of the piece that begins at `from`, at most `total`; always more than `from` unless that is `total`.
    #[inline]
    pub fn next_end(&mut self, from: usize, total: usize) -> usize {
        let length = if self.state == 0 {
            1
        } else {
            // xorshift32: the same cuts for the same input, on every machine.
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            1 + (self.state >> 8) as usize % 24
        };
        (from + length).min(total)
    }
}

/// What the first two bytes of an input choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The limits.
    pub limits: Limits,
    /// The cuts.
    pub cuts: Cuts,
}

impl Plan {
    /// The plan and the stream of an input; `None` if the input is too short to have both.
    #[inline]
    pub fn split(input: &[u8]) -> Option<(Plan, &[u8])> {
        let (&[limits, cuts], stream) = input.split_first_chunk::<HEADER_BYTES>()?;
        let plan = Plan {
            limits: narrowed(limits),
            cuts: Cuts {
                state: u32::from(cuts).wrapping_mul(0x9e37_79b9),
            },
        };
        Some((plan, stream))
    }
}

/// The default limits, or some so narrow that short streams reach them.
fn narrowed(choice: u8) -> Limits {
    let limits = Limits::default();
    match choice % 4 {
        1 => Limits {
            key_bytes_max: 10,
            item_bytes_max: 70,
            ..limits
        },
        2 => Limits {
            line_bytes_max: 24,
            multiget_line_bytes_max: 48,
            item_bytes_max: 66,
            ..limits
        },
        _ => limits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_whole_and_none_is_empty() {
        for cuts in 0..=255 {
            let input = [0, cuts, 1, 2, 3, 4, 5, 6, 7, 8];
            let (mut plan, stream) = Plan::split(&input).unwrap();
            let (mut end, mut pieces) = (0, 0);
            while end < stream.len() {
                let next = plan.cuts.next_end(end, stream.len());
                assert!(end < next && next <= stream.len());
                (end, pieces) = (next, pieces + 1);
            }
            assert!(cuts != 0 || pieces == stream.len());
        }
    }

    #[test]
    fn an_input_without_a_plan_has_no_stream() {
        assert_eq!(Plan::split(&[1]), None);
        assert_eq!(Plan::split(&[1, 2]).map(|(_, stream)| stream), Some(&b""[..]));
    }
}
