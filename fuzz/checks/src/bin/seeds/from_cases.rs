//! What the conformance cases hold for a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use fuzz_checks::cuts::HEADER_BYTES;
use fuzz_checks::operation;
use fuzz_judge::base64;
use mcspec_suite::case::{Action, Answer, Case, Conn, Library, Pattern, Piece};

/// Filler and keys are made no longer than this, so that seeds stay short; what is announced stays as it is.
const FILLER_BYTES_MAX: usize = 300;

/// The longest and the shortest word of the dictionary.
const WORD_BYTES: std::ops::RangeInclusive<usize> = 2..=24;

/// A word must stand in this many cases to be in the dictionary: libFuzzer does worse with long ones.
const WORD_CASES_MIN: usize = 3;

/// The material.
pub(crate) struct Material {
    /// The files of the cases.
    files: Vec<String>,
    library: Library,
}

pub(crate) fn read(cases: &Path) -> anyhow::Result<Material> {
    let library = Library::from_directory(cases)?;
    let files = library.topics().iter().map(|topic| {
        let file = cases.join(format!("{}.case", topic.section));
        fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))
    });
    Ok(Material {
        files: files.collect::<anyhow::Result<_>>()?,
        library,
    })
}

impl Material {
    /// The seeds of a target.
    pub(crate) fn seeds(&self, target: &str) -> anyhow::Result<BTreeSet<Vec<u8>>> {
        let cases = || self.library.cases().map(|(_, _, case)| case);
        let streams =
            |direction: fn(&Case) -> Vec<Vec<u8>>| cases().flat_map(direction).filter(|bytes| !bytes.is_empty());
        Ok(match target {
            "parse_request" => streams(sent).map(|stream| with_header(HEADER_BYTES, &stream)).collect(),
            "parse_reply" => streams(received)
                .map(|stream| with_header(HEADER_BYTES, &stream))
                .collect(),
            "connection" => streams(sent)
                .map(|stream| with_header(HEADER_BYTES + 1, &stream))
                .collect(),
            // What is made of these bytes has nothing to do with their meaning; they are as varied as the cases.
            "round_trip" => streams(sent).collect(),
            "engine" => streams(sent)
                .map(|stream| operations(&stream))
                .filter(|bytes| !bytes.is_empty())
                .collect(),
            "case_file" => self.case_files(),
            other => anyhow::bail!("no seeds are made for the target {other}"),
        })
    }

    /// Each case as a file of its own.
    fn case_files(&self) -> BTreeSet<Vec<u8>> {
        let blocks = self
            .files
            .iter()
            .flat_map(|file| file.split("\n\n").filter(|block| block.contains("case ")));
        blocks
            .map(|block| format!("section a/b\n\n{block}\n").into_bytes())
            .collect()
    }

    /// The words of the protocol, as a dictionary of libFuzzer.
    pub(crate) fn dictionary(&self) -> String {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for (_, _, case) in self.library.cases() {
            let bytes = [sent(case), received(case)].concat().concat();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let words: BTreeSet<&str> = text.split([' ', '\r', '\n']).collect();
            for word in words {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
        let is_word = |word: &str| WORD_BYTES.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
        let words = counts
            .into_iter()
            .filter(|(word, count)| *count >= WORD_CASES_MIN && is_word(word));
        let mut text = String::from(
            "# Made from the conformance cases by `ci/fuzz --seeds`.\n\"\\x0d\\x0a\"\n\" noreply\\x0d\\x0a\"\n",
        );
        for (word, _) in words {
            text += &format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""));
        }
        text
    }
}

/// A header that cuts the stream at places of its own.
fn with_header(bytes: usize, stream: &[u8]) -> Vec<u8> {
    let sum = stream
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    // Every fourth one byte by byte; limits are the default ones, which the cases are written for.
    let cuts = if sum % 4 == 0 { 0 } else { sum };
    let mut input = vec![0; bytes];
    input[bytes - 1] = cuts;
    input.extend(stream);
    input
}

/// What a case sends on each of its connections.
fn sent(case: &Case) -> Vec<Vec<u8>> {
    streams(case, |action| match action {
        Action::Send(pattern) => vec![pattern],
        _ => Vec::new(),
    })
}

/// What a case receives; of alternatives all.
fn received(case: &Case) -> Vec<Vec<u8>> {
    streams(case, |action| match action {
        Action::Receive(pattern) => vec![pattern],
        Action::ReceiveAny(alternatives) => {
            let patterns = alternatives.iter().filter_map(|alternative| match &alternative.answer {
                Answer::Bytes(pattern) => Some(pattern),
                _ => None,
            });
            patterns.collect()
        }
        _ => Vec::new(),
    })
}

fn streams(case: &Case, patterns: impl Fn(&Action) -> Vec<&Pattern>) -> Vec<Vec<u8>> {
    let connections: BTreeSet<Conn> = case.steps.iter().map(|step| step.conn).collect();
    let stream = |connection: &Conn| {
        let steps = case.steps.iter().filter(|step| step.conn == *connection);
        steps.flat_map(|step| patterns(&step.action)).flat_map(filled).collect()
    };
    connections.iter().map(stream).collect()
}

/// A pattern with something plain in every place that is filled when a case runs.
fn filled(pattern: &Pattern) -> Vec<u8> {
    let filler = |bytes: usize| {
        b"abcdefghijklmnopqrstuvwxyz"
            .iter()
            .cycle()
            .take(bytes.min(FILLER_BYTES_MAX))
            .copied()
            .collect()
    };
    let piece = |piece: &Piece| -> Vec<u8> {
        match piece {
            Piece::Literal(bytes) => bytes.clone(),
            Piece::Key(number) => format!("k{number}").into_bytes(),
            Piece::SizedKey(bytes) | Piece::Filler(bytes) => filler(*bytes),
            Piece::Base64Key(number) => base64::encode(format!("k{number}").as_bytes()),
            Piece::Unix(offset) => (1_800_000_000 + offset).to_string().into_bytes(),
            Piece::NumberIn(least, _) => least.to_string().into_bytes(),
            Piece::Capture(_) | Piece::Number => b"7".to_vec(),
            Piece::Text => b"text".to_vec(),
            Piece::Boundary => Vec::new(),
            _ => b"STAT name 1\r\n".to_vec(),
        }
    };
    pattern.pieces.iter().flat_map(piece).collect()
}

/// The operations that come nearest to the commands of a stream.
fn operations(stream: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stream);
    let lines = text
        .split("\r\n")
        .map(|line| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>());
    lines
        .filter_map(|words| operation::bytes_like(&words))
        .flatten()
        .collect()
}
