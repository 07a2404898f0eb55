//! The ways in which a case's bytes are cut into writes.

use std::fmt;
use std::str::FromStr;

use super::fill::Segment;

/// A way to deliver what a case sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Every send is one write.
    Whole,
    /// One byte a write.
    Bytes,
    /// A write boundary wherever a parser can trip.
    Cuts,
    /// All requests in one write, then all replies.
    Pipelined,
}

/// A run of filler longer than this is cut up only at its ends.
const FILLER_BYTES_CUT_MAX: usize = 64;

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Bytes, Self::Cuts, Self::Pipelined];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Bytes => "bytes",
            Self::Cuts => "cuts",
            Self::Pipelined => "pipelined",
        }
    }

    /// Cuts what is sent into writes.
    pub(crate) fn writes(self, segments: &[Segment]) -> Vec<Vec<u8>> {
        let mut writes = vec![Vec::new()];
        for segment in segments {
            match (self, segment) {
                (_, Segment::Boundary) => writes.push(Vec::new()),
                (Self::Bytes, Segment::Bytes(bytes)) => writes.extend(bytes.iter().map(|byte| vec![*byte])),
                (Self::Bytes, Segment::Filler(bytes)) => cut_filler(bytes, &mut writes),
                (_, Segment::Bytes(bytes) | Segment::Filler(bytes)) => {
                    if let Some(last) = writes.last_mut() {
                        last.extend_from_slice(bytes);
                    }
                }
            }
        }
        if self == Self::Cuts {
            writes = writes.iter().flat_map(|write| cut_at_trips(write)).collect();
        }
        writes.retain(|write| !write.is_empty());
        writes
    }
}

fn cut_filler(bytes: &[u8], writes: &mut Vec<Vec<u8>>) {
    let end = if bytes.len() > FILLER_BYTES_CUT_MAX {
        FILLER_BYTES_CUT_MAX / 2
    } else {
        bytes.len()
    };
    let tail = bytes.len() - (bytes.len() - end).min(end);
    writes.extend(bytes[..end].iter().map(|byte| vec![*byte]));
    writes.push(bytes[end..tail].to_vec());
    writes.extend(bytes[tail..].iter().map(|byte| vec![*byte]));
    writes.push(Vec::new());
}

/// Cuts in the middle of each word, on both sides of each blank, between CR and LF and after them.
fn cut_at_trips(write: &[u8]) -> Vec<Vec<u8>> {
    let apart = |byte: u8| matches!(byte, b' ' | b'\r' | b'\n');
    let mut cuts = vec![0];
    let mut at = 0;
    while at < write.len() {
        if apart(write[at]) {
            at += 1;
        } else {
            let length = write[at..].iter().take_while(|byte| !apart(**byte)).count();
            if length > 1 {
                cuts.push(at + length / 2);
            }
            at += length;
        }
        cuts.push(at);
    }
    cuts.windows(2).map(|ends| write[ends[0]..ends[1]].to_vec()).collect()
}

impl FromStr for Delivery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|delivery| delivery.as_str() == text);
        found.ok_or_else(|| format!("whole, bytes, cuts or pipelined, not `{text}`"))
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(delivery: Delivery, segments: &[Segment]) -> Vec<String> {
        delivery
            .writes(segments)
            .iter()
            .map(|write| String::from_utf8_lossy(write).into_owned())
            .collect()
    }

    #[test]
    fn every_delivery_sends_the_same_bytes() {
        let segments = [
            Segment::Bytes(b"set k 0 0 600\r\n".to_vec()),
            Segment::Boundary,
            Segment::Filler(vec![b'x'; 600]),
            Segment::Filler(vec![b'y'; 200]),
            Segment::Bytes(b"\r\n".to_vec()),
        ];
        let whole = Delivery::Whole.writes(&segments).concat();
        assert_eq!(whole.len(), 15 + 600 + 200 + 2);
        for delivery in Delivery::ALL {
            assert_eq!(delivery.writes(&segments).concat(), whole, "{delivery}");
        }
        assert_eq!(Delivery::Whole.writes(&segments).len(), 2);
        assert_eq!(Delivery::Bytes.writes(&segments).len(), 15 + 64 + 1 + 64 + 1 + 2);
    }

    #[test]
    fn cuts_fall_inside_words_beside_blanks_and_inside_crlf() {
        let segments = [Segment::Bytes(b"get ab\r\n".to_vec())];
        assert_eq!(texts(Delivery::Cuts, &segments), ["g", "et", " ", "a", "b", "\r", "\n"]);
    }
}
