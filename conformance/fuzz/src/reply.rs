//! What may come back.

use crate::command::Answer;

/// What the beginning of the bytes received is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The answer and the fence behind it, in so many bytes.
    Whole(usize),
    /// More has to come.
    Partly,
    /// Something else.
    Wrong,
}

/// A line, or a line and its data block.
enum Unit<'b> {
    Line(&'b [u8]),
    Value,
}

/// Reads the answer to one command and the fence behind it. `fence` is what its answer begins with.
pub(crate) fn read(answer: Answer, fence: &str, received: &[u8]) -> Read {
    let mut done = 0;
    let mut lines = 0;
    loop {
        let (unit, bytes) = match unit(&received[done..]) {
            Some(Ok(unit)) => unit,
            Some(Err(())) => return Read::Wrong,
            None => return Read::Partly,
        };
        done += bytes;
        match unit {
            Unit::Value if answer == Answer::Values && lines == 0 => {}
            Unit::Value if lines == 0 && permits(answer, b"VA") => lines = 1,
            Unit::Value => return Read::Wrong,
            Unit::Line(line) if is_fence(line, fence) && (lines > 0 || may_be_silent(answer)) => {
                return Read::Whole(done);
            }
            Unit::Line(line) if lines == 0 && permits(answer, line) => lines = 1,
            Unit::Line(_) => return Read::Wrong,
        }
    }
}

fn is_fence(line: &[u8], fence: &str) -> bool {
    line.starts_with(fence.as_bytes())
}

fn may_be_silent(answer: Answer) -> bool {
    matches!(answer, Answer::Nothing | Answer::Perhaps(_))
}

/// Whether a command may be answered by this line. Any may be refused, unless it asked for silence.
fn permits(answer: Answer, line: &[u8]) -> bool {
    let first = line.split(|&byte| byte == b' ').next().unwrap_or_default();
    let refused = matches!(first, b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR");
    match answer {
        Answer::Words(words) | Answer::Perhaps(words) => refused || words.iter().any(|word| word.as_bytes() == first),
        Answer::Values => refused || line == b"END",
        Answer::Number => refused || line == b"NOT_FOUND" || (!line.is_empty() && line.iter().all(u8::is_ascii_digit)),
        Answer::Nothing => false,
    }
}

/// The first line with its data block; an error if they do not fit each other.
fn unit(received: &[u8]) -> Option<Result<(Unit<'_>, usize), ()>> {
    let end = received.iter().position(|&byte| byte == b'\n')?;
    let Some(line) = received[..end].strip_suffix(b"\r") else {
        return Some(Err(()));
    };
    let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let length = match words[..] {
        [b"VALUE", _, _, length] | [b"VALUE", _, _, length, _] | [b"VA", length, ..] => length,
        _ => return Some(Ok((Unit::Line(line), end + 1))),
    };
    let Some(length) = std::str::from_utf8(length)
        .ok()
        .and_then(|length| length.parse::<usize>().ok())
    else {
        return Some(Err(()));
    };
    let block = received.get(end + 1..end + 1 + length + 2)?;
    Some(if block.ends_with(b"\r\n") {
        Ok((Unit::Value, end + 1 + length + 2))
    } else {
        Err(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Answer = Answer::Words(&["STORED", "VA"]);

    #[test]
    fn an_answer_ends_with_its_fence() {
        let cases: [(Answer, &str, Read); 13] = [
            (WORDS, "STORED\r\nMN\r\n", Read::Whole(12)),
            (WORDS, "SERVER_ERROR out\r\nMN\r\n", Read::Whole(22)),
            (WORDS, "VA 4 c1\r\na\r\nb\r\nMN\r\n", Read::Whole(19)),
            (WORDS, "STORED\r\nM", Read::Partly),
            (WORDS, "MN\r\n", Read::Wrong),
            (WORDS, "STORED\r\nSTORED\r\nMN\r\n", Read::Wrong),
            (WORDS, "STORED\nMN\r\n", Read::Wrong),
            (Answer::Values, "VALUE a 0 4\r\nEND\r\n\r\nEND\r\nMN\r\n", Read::Wrong),
            (
                Answer::Values,
                "VALUE a 0 5\r\nEND\r\n\r\nEND\r\nMN\r\n",
                Read::Whole(29),
            ),
            (Answer::Values, "MN\r\n", Read::Wrong),
            (Answer::Number, "18\r\nMN\r\n", Read::Whole(8)),
            (Answer::Nothing, "MN\r\n", Read::Whole(4)),
            (Answer::Nothing, "ERROR\r\nMN\r\n", Read::Wrong),
        ];
        for (answer, received, expected) in cases {
            assert_eq!(read(answer, "MN", received.as_bytes()), expected, "{received:?}");
        }
    }
}
