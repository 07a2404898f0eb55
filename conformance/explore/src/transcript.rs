//! A shrunk history as a case file: ready to read, to replay and to commit.

use std::collections::BTreeMap;

use mcspec_suite::case::{Action, CaptureRef, Case, Conn, Level, Pattern, Piece, Release, ReleaseRange, Topic, print};
use mcspec_suite::case::{Step as CaseStep, parse};
use mcspec_suite::escape::escape;

use crate::command::{Command, History, Key, Step};
use crate::generate::BAD;
use crate::judge::{Answered, Difference};
use crate::part::{Cas, Names, Part, filler, request, suffix_text};
use crate::scan::{Seen, scan};
use crate::trial::{Fault, Servers};

/// What a transcript says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Heading<'h> {
    /// The topic's name.
    pub(crate) name: String,
    /// What the expected replies are: of the model, or of the left server.
    pub(crate) release: Option<&'h Release>,
    /// Comment lines before the case.
    pub(crate) comments: Vec<String>,
}

/// The first part of the section of every case that is found; whoever commits one gives it a better place.
const SECTION: &str = "found";

/// Writes the case file.
pub(crate) fn transcript(history: &History, fault: &Fault, heading: Heading<'_>) -> String {
    let mut writer = Writer {
        names: BTreeMap::new(),
        steps: Vec::new(),
    };
    let mut comments = heading.comments;
    match fault {
        Fault::Model(difference) => {
            writer.model(history, difference);
            comments.push(received(&difference.received, difference.end));
        }
        Fault::Servers(servers) => {
            writer.servers(history, servers);
            if let Some(last) = servers.right.last() {
                let end = if last.end.is_ok() {
                    ""
                } else {
                    "and then the connection ended"
                };
                comments.push(received(&last.reply, end));
            }
        }
    }
    let flushes = |step: &Step| {
        matches!(
            step,
            Step::Send {
                command: Command::Flush { .. },
                ..
            }
        )
    };
    let release = heading.release.cloned();
    let case = Case {
        comments,
        name: "differs".to_owned(),
        level: Level::Defacto,
        quotes: Vec::new(),
        observed: vec![ReleaseRange {
            first: release.clone(),
            last: release.clone(),
        }],
        because: None,
        needs: if history.iter().any(uses_meta) {
            vec!["meta".to_owned()]
        } else {
            Vec::new()
        },
        rests_on: Vec::new(),
        exclusive: history.iter().any(flushes),
        steps: writer.steps,
        line: 0,
    };
    let topic = Topic {
        comments: Vec::new(),
        section: format!("{SECTION}/{}", heading.name),
        source: None,
        cases: vec![case],
        trailing_comments: Vec::new(),
    };
    let text = print(&topic);
    debug_assert!(parse("found.case", &text).is_ok(), "{text}");
    text
}

fn uses_meta(step: &Step) -> bool {
    match step {
        Step::Send { command, .. } => match command {
            Command::Meta(_) | Command::Debug { .. } => true,
            Command::Bad { line, .. } => BAD[*line].is_meta,
            _ => false,
        },
        Step::Wait(_) => false,
    }
}

/// The longest reply that is shown whole.
const SHOWN_MAX: usize = 400;

fn received(bytes: &[u8], end: &str) -> String {
    let shown = escape(&bytes[..bytes.len().min(SHOWN_MAX)]);
    let rest = if bytes.len() > SHOWN_MAX { " and more" } else { "" };
    match (shown.is_empty(), end.is_empty()) {
        (true, true) => "came instead: nothing before the next command's reply".to_owned(),
        (true, false) => format!("came instead: nothing, {end}"),
        (false, true) => format!("came instead: {shown}{rest}"),
        (false, false) => format!("came instead: {shown}{rest}, {end}"),
    }
}

struct Writer {
    /// The names of CAS values.
    names: BTreeMap<u64, String>,
    steps: Vec<CaseStep>,
}

impl Writer {
    fn model(&mut self, history: &History, difference: &Difference) {
        let mut answers = difference.before.iter().peekable();
        let empty = Vec::new();
        for (place, step) in history.iter().enumerate() {
            let conn = match step {
                Step::Wait(time) => {
                    self.push(0, Action::Wait(std::time::Duration::from_millis(*time)));
                    continue;
                }
                Step::Send { conn, .. } => *conn,
            };
            if place == difference.step {
                let expected = difference.expected.first().unwrap_or(&empty);
                self.send(conn, &difference.command);
                self.answered(conn, &difference.command, expected, &[]);
            } else if let Some(Answered {
                command,
                expected,
                reply,
                ..
            }) = answers.next_if(|next| next.step == place)
            {
                self.send(conn, command);
                self.learn(reply);
                self.answered(conn, command, expected, &shown(reply));
            }
        }
    }

    /// Expects the answer to a command: parts, silence, or the end of the connection.
    fn answered(&mut self, conn: u8, command: &Command, expected: &[Part], shown: &[u64]) {
        match command {
            Command::Quit => self.push(conn, Action::Closed),
            _ => self.receive(conn, expected, shown),
        }
    }

    fn servers(&mut self, history: &History, servers: &Servers) {
        let mut at = 0;
        for segment in &servers.left {
            let Some((first, _)) = segment.commands.first() else {
                continue;
            };
            for step in &history[at..*first] {
                if let Step::Wait(time) = step {
                    self.push(0, Action::Wait(std::time::Duration::from_millis(*time)));
                }
            }
            at = segment.commands.last().map_or(at, |(last, _)| last + 1);
            let sent: Vec<Part> = segment
                .commands
                .iter()
                .flat_map(|(_, command)| request(command))
                .collect();
            let pieces = self.pieces(&sent, &[]);
            self.push(
                segment.conn,
                Action::Send(Pattern {
                    pieces,
                    captures: false,
                }),
            );
            self.learn(&segment.reply);
            let keys: Vec<Key> = segment
                .commands
                .iter()
                .flat_map(|(_, command)| command.keys())
                .collect();
            let parts = scanned(&segment.reply, &keys, &servers.names);
            let quits = matches!(segment.commands.last(), Some((_, Command::Quit)));
            if !parts.is_empty() || !quits {
                self.receive(segment.conn, &parts, &[]);
            }
            if segment.end == Err(crate::link::Broken::Closed) || (quits && segment.end.is_ok()) {
                self.push(segment.conn, Action::Closed);
            }
        }
    }

    fn push(&mut self, conn: u8, action: Action) {
        let conn = Conn(char::from(b'A' + conn));
        self.steps.push(CaseStep {
            comments: Vec::new(),
            conn,
            action,
            line: 0,
        });
    }

    fn send(&mut self, conn: u8, command: &Command) {
        let pieces = self.pieces(&request(command), &[]);
        self.push(
            conn,
            Action::Send(Pattern {
                pieces,
                captures: false,
            }),
        );
    }

    /// Gives names to the CAS values of a reply that the server made.
    fn learn(&mut self, reply: &[u8]) {
        for number in shown(reply) {
            let next = self.names.len() + 1;
            if number != 0 && number < CHOSEN {
                self.names.entry(number).or_insert_with(|| format!("c{next}"));
            }
        }
    }

    /// Expects parts; `shown` are the CAS values that came in their places.
    fn receive(&mut self, conn: u8, parts: &[Part], shown: &[u64]) {
        if parts.is_empty() {
            return self.push(conn, Action::Silent);
        }
        let pieces = self.pieces(parts, shown);
        let captures = pieces.iter().any(|piece| matches!(piece, Piece::Capture(_)));
        self.push(conn, Action::Receive(Pattern { pieces, captures }));
    }

    fn pieces(&mut self, parts: &[Part], shown: &[u64]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut shown = shown.iter().copied();
        for part in parts {
            let after_c = matches!(pieces.last(), Some(Piece::Literal(bytes)) if bytes.ends_with(b" c"));
            let piece = match part {
                Part::Bytes(bytes) => Piece::Literal(bytes.to_vec()),
                Part::Key(Key::Plain(number)) => Piece::Key(*number),
                Part::Key(Key::Sized(bytes)) => Piece::SizedKey(*bytes),
                Part::Key(Key::Suffixed(number, suffix)) => {
                    pieces.push(Piece::Key(*number));
                    Piece::Literal(suffix_text(*suffix).as_bytes().to_vec())
                }
                Part::Base64(Key::Plain(number)) => Piece::Base64Key(*number),
                Part::Base64(Key::Sized(_) | Key::Suffixed(..)) => Piece::Text,
                Part::Data(data) => block(data),
                Part::Filler(bytes) => Piece::Filler(*bytes),
                Part::Unix(offset) => Piece::Unix(*offset),
                Part::Cas(cas) => self.cas(*cas, shown.next()),
                Part::Number(low, high) => Piece::NumberIn(*low, *high),
                Part::AnyNumber => {
                    if after_c {
                        shown.next();
                    }
                    Piece::Number
                }
                Part::Rest => Piece::Text,
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(bytes)) => before.extend(bytes),
                (_, piece) => pieces.push(piece),
            }
        }
        pieces
    }

    fn cas(&mut self, cas: Cas, shown: Option<u64>) -> Piece {
        let number = match (cas, shown) {
            (Cas::Known(number), _) | (Cas::Fresh(_), Some(number)) => number,
            (Cas::Fresh(version), None) => {
                let name = format!("new{version}");
                return Piece::Capture(CaptureRef { name, offset: 0 });
            }
        };
        for offset in [0, 1, -1] {
            if let Some(name) = self.names.get(&number.wrapping_add_signed(-offset)) {
                return Piece::Capture(CaptureRef {
                    name: name.clone(),
                    offset,
                });
            }
        }
        Piece::Literal(number.to_string().into_bytes())
    }
}

/// From here on CAS values are those that a client chose.
const CHOSEN: u64 = 1 << 60;

/// The CAS values of a reply, in order.
fn shown(reply: &[u8]) -> Vec<u64> {
    let cas = |seen| match seen {
        Seen::Cas(number) => Some(number),
        _ => None,
    };
    scan(reply).into_iter().filter_map(cas).collect()
}

/// A data block: filler by its length.
fn block(data: &[u8]) -> Piece {
    if data.len() >= 24 && filler(data.len()).eq(data.iter().copied()) {
        Piece::Filler(data.len())
    } else {
        Piece::Literal(data.to_vec())
    }
}

/// A reply of which no model knows the parts: keys by their names, times with a margin.
fn scanned(reply: &[u8], keys: &[Key], names: &Names) -> Vec<Part> {
    let mut parts = Vec::new();
    for seen in scan(reply) {
        match seen {
            Seen::Bytes(bytes) => named(&bytes, keys, names, &mut parts),
            Seen::Cas(number) => parts.push(Part::Cas(Cas::Known(number))),
            Seen::Remaining(seconds) if seconds <= i64::MAX as u64 / 2 && seconds < u64::from(u32::MAX / 2) => {
                parts.push(Part::Number((seconds as i64 - 2).max(0), seconds as i64 + 2));
            }
            Seen::Remaining(_) => parts.push(Part::AnyNumber),
            // After `me` stands text, after `l` a number.
            Seen::Age if matches!(parts.last(), Some(Part::Bytes(before)) if before.ends_with(b" l")) => {
                parts.push(Part::AnyNumber);
            }
            Seen::Age => parts.extend([Part::Bytes(b" "[..].into()), Part::Rest]),
        }
    }
    parts
}

/// Bytes in which the names of keys are told apart.
fn named(bytes: &[u8], keys: &[Key], names: &Names, parts: &mut Vec<Part>) {
    let mut literal = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let known = keys
            .iter()
            .flat_map(|key| [Part::Key(*key), Part::Base64(*key)])
            .find_map(|part| {
                let mut name = Vec::new();
                names.write(&part, &mut name);
                rest.starts_with(&name).then_some((part, name.len()))
            });
        if let Some((part, length)) = known {
            parts.push(Part::Bytes(std::mem::take(&mut literal).into()));
            parts.push(part);
            rest = &rest[length..];
        } else {
            literal.push(*first);
            rest = after;
        }
    }
    parts.push(Part::Bytes(literal.into()));
}
