//! Writes a case file in the one form that the format page describes.

use std::fmt::Write as _;

use super::bytes::{Pattern, Piece};
use super::{Action, Alternative, Answer, Case, Conn, Quote, Step, Topic};

/// Writes the cases as a file; reading it again gives the same cases, but for their line numbers.
pub fn print(topic: &Topic) -> String {
    let mut out = String::new();
    comments(&mut out, &topic.comments, "");
    line(&mut out, "", format_args!("section {}", topic.section));
    if let Some(source) = &topic.source {
        line(&mut out, "", format_args!("source {source}"));
    }
    for case in &topic.cases {
        out.push('\n');
        print_case(&mut out, case);
    }
    if !topic.trailing_comments.is_empty() {
        out.push('\n');
        comments(&mut out, &topic.trailing_comments, "");
    }
    out
}

fn print_case(out: &mut String, case: &Case) {
    comments(out, &case.comments, "");
    line(out, "", format_args!("case {} {}", case.name, case.level));
    for Quote { text, source } in &case.quotes {
        line(out, "  ", format_args!("quote {}", string(text)));
        if let Some(source) = source {
            line(out, "  ", format_args!("source {source}"));
        }
    }
    if !case.observed.is_empty() {
        let ranges: Vec<String> = case.observed.iter().map(ToString::to_string).collect();
        line(out, "  ", format_args!("observed {}", ranges.join(" ")));
    }
    if let Some(because) = &case.because {
        line(out, "  ", format_args!("because {}", string(because)));
    }
    if !case.needs.is_empty() {
        line(out, "  ", format_args!("needs {}", case.needs.join(" ")));
    }
    if !case.rests_on.is_empty() {
        line(out, "  ", format_args!("rests on {}", case.rests_on.join(" ")));
    }
    if case.exclusive {
        line(out, "  ", format_args!("exclusive"));
    }
    for step in &case.steps {
        print_step(out, step);
    }
}

fn print_step(out: &mut String, step: &Step) {
    comments(out, &step.comments, "  ");
    let letter = if step.conn == Conn::DEFAULT {
        String::new()
    } else {
        step.conn.0.to_string()
    };
    let apart = if letter.is_empty() {
        String::new()
    } else {
        format!("{letter} ")
    };
    match &step.action {
        Action::Send(pattern) => line(out, "  ", format_args!("{letter}> {}", bytes(pattern))),
        Action::Receive(pattern) => {
            let text = unlike_keyword(bytes(pattern), "any");
            line(out, "  ", format_args!("{letter}{} {text}", sign(pattern.captures)));
        }
        Action::ReceiveAny(alternatives) => print_alternatives(out, &letter, alternatives),
        Action::Silent => line(out, "  ", format_args!("{apart}silent")),
        Action::Closed => line(out, "  ", format_args!("{apart}closed")),
        Action::Close => line(out, "  ", format_args!("{apart}close")),
        Action::HalfClose => line(out, "  ", format_args!("{apart}half-close")),
        Action::Wait(time) => line(out, "  ", format_args!("{apart}wait {}ms", time.as_millis())),
    }
}

fn print_alternatives(out: &mut String, letter: &str, alternatives: &[Alternative]) {
    let captures = alternatives
        .iter()
        .any(|a| matches!(&a.answer, Answer::Bytes(pattern) if pattern.captures));
    line(out, "  ", format_args!("{letter}{} any", sign(captures)));
    let width = alternatives
        .iter()
        .map(|a| a.releases.to_string().len())
        .max()
        .unwrap_or(0);
    for Alternative { releases, answer, .. } in alternatives {
        let answer = match answer {
            Answer::Bytes(pattern) => unlike_keyword(unlike_keyword(bytes(pattern), "(silent)"), "(closed)"),
            Answer::Silent => "(silent)".to_owned(),
            Answer::Closed => "(closed)".to_owned(),
        };
        let releases = releases.to_string();
        line(out, "    ", format_args!("{releases:width$}  {answer}"));
    }
}

/// Escapes the first letter of bytes that happen to spell a keyword of the format.
fn unlike_keyword(text: String, keyword: &str) -> String {
    match (text == keyword, text.bytes().next()) {
        (true, Some(first)) => format!("\\x{first:02x}{}", &text[1..]),
        _ => text,
    }
}

fn sign(captures: bool) -> &'static str {
    if captures { "<?" } else { "<" }
}

/// Writes one pattern as it stands after the sign of a step.
pub(crate) fn bytes(pattern: &Pattern) -> String {
    let mut out = String::new();
    let mut ends_line = false;
    for (i, piece) in pattern.pieces.iter().enumerate() {
        match (piece, pattern.pieces.get(i + 1)) {
            (Piece::Literal(literal), None) => {
                let line = literal.strip_suffix(b"\r\n");
                ends_line = line.is_some();
                literal_bytes(&mut out, line.unwrap_or(literal), false);
            }
            (Piece::Literal(literal), Some(next)) => literal_bytes(&mut out, literal, *next != Piece::Boundary),
            (piece, _) => print_piece(&mut out, piece),
        }
    }
    // A separator leaves a blank behind it; at either end that blank says nothing.
    let mut out = out.trim_matches(' ').to_owned();
    if !ends_line {
        out.push_str(if out.is_empty() { "\\c" } else { " \\c" });
    }
    out
}

fn print_piece(out: &mut String, piece: &Piece) {
    // Writing to a string cannot fail.
    let _ = match piece {
        Piece::Literal(_) => Ok(()),
        Piece::Key(number) => write!(out, "{{{}}}", key(*number)),
        Piece::SizedKey(bytes) => write!(out, "{{key {bytes}}}"),
        Piece::Base64Key(number) => write!(out, "{{b64 {}}}", key(*number)),
        Piece::Filler(bytes) => write!(out, "{{bytes {bytes}}}"),
        Piece::Unix(offset) => write!(out, "{{unix{offset:+}}}"),
        Piece::Capture(capture) if capture.offset == 0 => write!(out, "{{{}}}", capture.name),
        Piece::Capture(capture) => write!(out, "{{{}{:+}}}", capture.name, capture.offset),
        Piece::Number => write!(out, "{{#}}"),
        Piece::NumberIn(low, high) => write!(out, "{{#{low}..{high}}}"),
        Piece::Text => write!(out, "{{*}}"),
        Piece::Lines => write!(out, "{{lines}}"),
        Piece::Log => write!(out, "{{log}}"),
        Piece::Boundary => {
            separator(out, '~');
            Ok(())
        }
    };
}

fn key(number: u8) -> String {
    if number == 0 {
        "k".to_owned()
    } else {
        format!("k{number}")
    }
}

fn separator(out: &mut String, sign: char) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out.push(sign);
    out.push(' ');
}

/// Writes literal bytes: CR LF as `|`, blanks beside a separator or an end as `\s`.
fn literal_bytes(out: &mut String, bytes: &[u8], placeholder_follows: bool) {
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\r\n") {
            separator(out, '|');
            rest = after;
            continue;
        }
        // A blank counts only between two other bytes; elsewhere it is escaped.
        let blank_counts = out.ends_with(|c: char| c != ' ')
            && after
                .first()
                .map_or(placeholder_follows, |b| !matches!(b, b' ' | b'\r'));
        match byte {
            b' ' if blank_counts => out.push(' '),
            b' ' => out.push_str("\\s"),
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            0 => out.push_str("\\0"),
            b'\\' => out.push_str("\\\\"),
            b'|' | b'~' | b'{' | b'}' | 1..=31 | 127.. => {
                let _ = write!(out, "\\x{byte:02x}");
            }
            _ => out.push(char::from(byte)),
        }
        rest = after;
    }
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '"' || (c == '\\' && matches!(characters.peek(), None | Some('"' | '\\'))) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn comments(out: &mut String, comments: &[String], indent: &str) {
    for comment in comments {
        line(out, indent, format_args!("{}", format!("# {comment}").trim_end()));
    }
}

fn line(out: &mut String, indent: &str, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{indent}{text}");
}
