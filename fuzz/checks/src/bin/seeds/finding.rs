//! A finding as the beginning of a conformance case.

use anyhow::bail;
use fuzz_checks::cuts::HEADER_BYTES;
use mcspec_suite::case::{Action, Case, Conn, Level, Pattern, Piece, Step, Topic, print};

/// The stream of `input` as a case that sends it, to be completed by what must come back.
pub(crate) fn as_case(target: &str, input: &[u8]) -> anyhow::Result<String> {
    let header = match target {
        "parse_request" => HEADER_BYTES,
        "connection" => HEADER_BYTES + 1,
        _ => bail!("an input of {target} is no stream of requests: only parse_request and connection make cases"),
    };
    let stream = input.get(header..).unwrap_or_default();
    let mut steps: Vec<Step> = stream.split_inclusive(|&byte| byte == b'\n').map(step).collect();
    if let Some(first) = steps.first_mut() {
        first.comments = vec!["what must come back is for you to write; the keys are for {k}".to_owned()];
    }
    let case = Case {
        comments: Vec::new(),
        name: "found_by_fuzzing".to_owned(),
        level: Level::Defacto,
        quotes: Vec::new(),
        observed: vec!["1.6.45".parse().map_err(anyhow::Error::msg)?],
        because: None,
        needs: Vec::new(),
        rests_on: Vec::new(),
        exclusive: false,
        steps,
        line: 0,
    };
    let topic = Topic {
        comments: Vec::new(),
        section: "framing/found".to_owned(),
        source: None,
        cases: vec![case],
        trailing_comments: Vec::new(),
    };
    Ok(print(&topic))
}

fn step(line: &[u8]) -> Step {
    let pattern = Pattern {
        pieces: vec![Piece::Literal(line.to_vec())],
        captures: false,
    };
    Step {
        comments: Vec::new(),
        conn: Conn::DEFAULT,
        action: Action::Send(pattern),
        line: 0,
    }
}
