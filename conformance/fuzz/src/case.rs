//! A trial as a conformance case.

use mcspec_suite::case::{Action, Case, Conn, Level, Pattern, Piece, Step, Topic, print};

use crate::command::Answer;
use crate::play::{Fault, Setting, resync};
use crate::trial::{Content, Trial};

/// The section of the cases that are written; their file is `<section>.case` in a directory of cases.
pub(crate) const SECTION: &str = "fuzz/found";

/// Writes `trial` as a case that fails where the trial has: by an answer that does not come, or by a byte too many.
pub(crate) fn write(trial: &Trial, fault: &Fault, setting: &Setting, seed: u64, number: u64) -> String {
    let mut steps = Vec::new();
    match &trial.content {
        Content::Orderly(commands) => {
            for command in commands {
                let sent = [&command.bytes[..], setting.fence.0].concat();
                steps.push(send(cut(&sent, trial.piece_bytes)));
                steps.push(receive(before_fence(command.answer), setting.fence.1));
            }
        }
        Content::Wild(stream) => {
            let mut pieces = cut(stream, trial.piece_bytes);
            pieces.push(Piece::Boundary);
            pieces.push(Piece::Literal([&resync(stream)[..], setting.fence.0].concat()));
            steps.push(send(pieces));
            steps.push(receive(&[Piece::Lines], setting.fence.1));
        }
    }
    let case = Case {
        comments: Vec::new(),
        name: format!("seed_{seed}_trial_{number}"),
        level: Level::Defacto,
        quotes: Vec::new(),
        observed: "1.6.45".parse().map_or_else(|_| Vec::new(), |release| vec![release]),
        because: Some(fault.to_string().replace(|letter: char| letter.is_control(), " ")),
        needs: Vec::new(),
        rests_on: Vec::new(),
        exclusive: false,
        steps,
        line: 0,
    };
    print(&Topic {
        comments: vec![
            "Written by `mcspec fuzz`. What memcached answers may be put in the place of {lines}.".to_owned(),
        ],
        section: SECTION.to_owned(),
        source: None,
        cases: vec![case],
        trailing_comments: Vec::new(),
    })
}

fn cut(bytes: &[u8], piece_bytes: usize) -> Vec<Piece> {
    let size = if piece_bytes == 0 {
        bytes.len().max(1)
    } else {
        piece_bytes
    };
    let mut pieces = Vec::new();
    for chunk in bytes.chunks(size) {
        if !pieces.is_empty() {
            pieces.push(Piece::Boundary);
        }
        pieces.push(Piece::Literal(chunk.to_vec()));
    }
    pieces
}

fn send(pieces: Vec<Piece>) -> Step {
    step(Action::Send(Pattern {
        pieces,
        captures: false,
    }))
}

/// What stands before the answer of the fence.
fn before_fence(answer: Answer) -> &'static [Piece] {
    match answer {
        Answer::Nothing => &[],
        Answer::Number => &[Piece::Text, Piece::Boundary],
        Answer::Words(words) if !words.contains(&"VA") => &[Piece::Text, Piece::Boundary],
        // Values have lines of their own.
        Answer::Words(_) | Answer::Perhaps(_) | Answer::Values => &[Piece::Lines],
    }
}

/// An answer and that of the fence; the runner sees to it that nothing follows.
fn receive(answer: &[Piece], fence: &str) -> Step {
    // A boundary has no place in an answer: here it stands for the end of a line.
    let mut pieces: Vec<Piece> = answer
        .iter()
        .map(|piece| match piece {
            Piece::Boundary => Piece::Literal(b"\r\n".to_vec()),
            other => other.clone(),
        })
        .collect();
    pieces.push(Piece::Literal(fence.as_bytes().to_vec()));
    if fence != "MN" {
        pieces.extend([Piece::Literal(b" ".to_vec()), Piece::Text]);
    }
    pieces.push(Piece::Literal(b"\r\n".to_vec()));
    // Neighbouring literals are one.
    let pieces = pieces.into_iter().fold(Vec::new(), |mut joined: Vec<Piece>, piece| {
        match (joined.last_mut(), piece) {
            (Some(Piece::Literal(last)), Piece::Literal(more)) => last.extend(more),
            (_, piece) => joined.push(piece),
        }
        joined
    });
    step(Action::Receive(Pattern {
        pieces,
        captures: false,
    }))
}

fn step(action: Action) -> Step {
    Step {
        comments: Vec::new(),
        conn: Conn::DEFAULT,
        action,
        line: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Kind;
    use std::time::Duration;

    #[test]
    fn every_trial_becomes_a_case_that_can_be_read() {
        for (fence, meta) in [
            ((&b"mn\r\n"[..], "MN"), true),
            ((&b"version\r\n"[..], "VERSION"), false),
        ] {
            let setting = Setting {
                address: "127.0.0.1:1".parse().unwrap(),
                fence,
                timeout: Duration::from_secs(1),
            };
            for number in 0..300 {
                let trial = Trial::new(Kind { seed: 5, meta }, number);
                let fault = Fault::Closed {
                    sent: b"a\"b\r\n".to_vec(),
                };
                let text = write(&trial, &fault, &setting, 5, number);
                let topic = mcspec_suite::case::parse("fuzz/found.case", &text);
                let topic = topic.unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(print(&topic), text);
            }
        }
    }
}
