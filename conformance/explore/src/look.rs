//! Faults by their kind: what a maintainer would call the same.

use crate::command::{Command, Flag, MetaVerb, Step};
use crate::generate::BAD;
use crate::part::Part;
use crate::play::Segment;
use crate::trial::Fault;

/// The form of a step, without its numbers.
pub(crate) fn shape(step: &Step) -> String {
    let Step::Send { command, .. } = step else {
        return "wait".to_owned();
    };
    let quiet = |name: &str, noreply: bool| {
        if noreply {
            format!("{name} noreply")
        } else {
            name.to_owned()
        }
    };
    match command {
        Command::Store { verb, noreply, .. } => {
            let name = format!("{verb:?}").to_ascii_lowercase();
            quiet(name.split('(').next().unwrap_or_default(), *noreply)
        }
        Command::Get { cas, touch, .. } => {
            format!(
                "{}{}",
                if touch.is_some() { "gat" } else { "get" },
                if *cas { "s" } else { "" }
            )
        }
        Command::Delete { noreply, .. } => quiet("delete", *noreply),
        Command::Count { up, noreply, .. } => quiet(if *up { "incr" } else { "decr" }, *noreply),
        Command::Touch { noreply, .. } => quiet("touch", *noreply),
        Command::Meta(meta) => {
            let mut flags: Vec<String> = meta.flags.iter().map(flag_shape).collect();
            flags.sort();
            let verb = match meta.verb {
                MetaVerb::Get => "mg",
                MetaVerb::Set => "ms",
                MetaVerb::Delete => "md",
                MetaVerb::Arithmetic => "ma",
            };
            format!("{verb} {}", flags.join("")).trim_end().to_owned()
        }
        Command::Debug { .. } => "me".to_owned(),
        Command::Bad { line, .. } => format!("`{}`", BAD[*line].request),
        Command::Quit => "quit".to_owned(),
        Command::Flush { noreply, .. } => quiet("flush_all", *noreply),
    }
}

fn flag_shape(flag: &Flag) -> String {
    match flag {
        Flag::Mode(mode) => format!("M{}", char::from(*mode)),
        flag => char::from(flag.letter()).to_string(),
    }
}

/// What a fault looks like at first: the command, and the first words expected and received.
pub(crate) fn look(fault: &Fault) -> String {
    let first = |bytes: &[u8]| {
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        String::from_utf8_lossy(word)
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    let command = fault.command().cloned();
    let command = command.map_or_else(String::new, |command| {
        shape(&Step::Send {
            conn: 0,
            apart: false,
            command,
        })
    });
    let (expected, received) = match fault {
        Fault::Model(difference) => {
            let expected = difference.expected.first().and_then(|parts| match parts.first() {
                Some(Part::Bytes(bytes)) => Some(first(bytes)),
                _ => None,
            });
            (expected.unwrap_or_default(), first(&difference.received))
        }
        Fault::Servers(servers) => {
            let reply = |segments: &[Segment]| segments.last().map_or(String::new(), |s| first(&s.reply));
            (reply(&servers.left), reply(&servers.right))
        }
    };
    format!("{command}: `{expected}` expected, `{received}` came")
}
