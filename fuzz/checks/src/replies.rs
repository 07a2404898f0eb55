//! The parser of replies: no panic, nothing beyond the input, the same replies whatever the split, and a reply that was read
//! is written to the same bytes.

use refcached_protocol::{ReplyLimits, ReplyParser, ReplyStep};

use crate::cuts::{Cuts, Plan};

/// Parses the stream of `input` as a whole and in pieces, side by side.
///
/// # Panics
/// When the two differ, or a step breaks the parser's promises.
pub fn check(input: &[u8]) {
    let Some((mut plan, stream)) = Plan::split(input) else {
        return;
    };
    let limits = if plan.limits.line_bytes_max < 1000 {
        ReplyLimits {
            line_bytes_max: plan.limits.line_bytes_max,
            value_bytes_max: 40,
        }
    } else {
        ReplyLimits::default()
    };
    let mut whole = ReplyParser::new(limits);
    let mut pieces = ReplyParser::new(limits);
    let (mut done, mut shown) = (0, 0);
    let mut written = Vec::new();
    loop {
        let rest = &stream[done..];
        let step = whole.next(rest);
        let end = match &step {
            ReplyStep::Incomplete { wanted } => {
                assert!(*wanted > rest.len(), "wants {wanted} bytes and has {}", rest.len());
                stream.len() + 1
            }
            ReplyStep::Reply { response, consumed } => {
                assert!((1..=rest.len()).contains(consumed), "consumed {consumed}");
                written.clear();
                response.encode(&mut written);
                assert_reads_back(&written, &rest[..*consumed]);
                done + consumed
            }
            ReplyStep::Malformed(_) => stream.len() + 1,
        };
        let again = in_pieces(&mut pieces, &mut plan.cuts, stream, done, &mut shown, end);
        match (&step, &again) {
            // What is wrong may be seen before all of it is there, and as what it looks like by then.
            (ReplyStep::Malformed(_), ReplyStep::Malformed(_)) => return,
            (ReplyStep::Incomplete { .. }, ReplyStep::Incomplete { .. }) => return,
            _ => assert_eq!(step, again, "another reply when cut"),
        }
        done = end;
    }
}

/// Shows pieces of the stream from `done` on until the one in which `end` is, or until the parser has had enough.
fn in_pieces<'s>(
    parser: &mut ReplyParser,
    cuts: &mut Cuts,
    stream: &'s [u8],
    done: usize,
    shown: &mut usize,
    end: usize,
) -> ReplyStep<'s> {
    let mut wanted_until = 0;
    loop {
        let input = &stream[done..(*shown).max(done)];
        let step = parser.next(input);
        match &step {
            ReplyStep::Incomplete { wanted } => {
                assert!(*wanted > input.len(), "wants {wanted} bytes and has {}", input.len());
                wanted_until = done + wanted;
                if *shown >= stream.len() {
                    return step;
                }
                *shown = cuts.next_end(*shown, stream.len());
            }
            ReplyStep::Reply { consumed, .. } => {
                assert_eq!(done + consumed, end, "another end of {step:?} when cut");
                assert!(
                    wanted_until <= end,
                    "wanted bytes up to {wanted_until}, and it ends at {end}"
                );
                return step;
            }
            ReplyStep::Malformed(_) => return step,
        }
    }
}

/// A reply is written as it came, but for leading zeros of numbers and blanks between words.
fn assert_reads_back(written: &[u8], read: &[u8]) {
    if written == read {
        return;
    }
    let mut parser = ReplyParser::new(ReplyLimits::default());
    let mut again = Vec::new();
    match parser.next(written) {
        ReplyStep::Reply { response, consumed } if consumed == written.len() => response.encode(&mut again),
        other => panic!("{other:?} from {}", written.escape_ascii()),
    }
    assert_eq!(again, written, "written differently the second time");
    let canonical = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().filter(|byte| !b" 0".contains(byte)).collect() };
    assert_eq!(
        canonical(written),
        canonical(read),
        "written: {}",
        written.escape_ascii()
    );
}
