//! `mcspec list`.

use std::collections::BTreeSet;
use std::io::Write as _;

use mcspec_suite::case::{Action, Case, Library, Topic};
use serde::Serialize;

use super::select::{library, selected};
use crate::args::{List, ListFormat};
use crate::exit::{Exit, Failure};

#[derive(Serialize)]
struct Entry {
    id: String,
    section: String,
    level: &'static str,
    quotes: Vec<Quoted>,
    /// The releases that were seen to behave as the case says, for a DEFACTO case.
    releases: Vec<String>,
    needs: Vec<String>,
    rests_on: Vec<String>,
    exclusive: bool,
    waits_ms: u128,
}

#[derive(Serialize)]
struct Quoted {
    text: String,
    source: Option<String>,
}

pub(crate) fn list(args: &List) -> Result<Exit, Failure> {
    let library = library(args.select.cases.as_deref())?;
    let ids = selected(&library, &args.select)?;
    let text = match args.format {
        ListFormat::Plain => ids.iter().map(|id| format!("{id}\n")).collect(),
        ListFormat::Json => json(&library, &ids)?,
    };
    // A reader that has seen enough (`mcspec list | head`) closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(Exit::Conforms)
}

fn json(library: &Library, ids: &BTreeSet<String>) -> Result<String, Failure> {
    let entries: Vec<Entry> = library
        .cases()
        .filter(|(id, ..)| ids.contains(id))
        .map(|(id, topic, case)| entry(id, topic, case))
        .collect();
    let text = serde_json::to_string_pretty(&entries).map_err(|error| Failure::unreachable(error.to_string()))?;
    Ok(text + "\n")
}

fn entry(id: String, topic: &Topic, case: &Case) -> Entry {
    let quotes = case.quotes.iter().map(|quote| Quoted {
        text: quote.text.clone(),
        source: quote.source.as_ref().or(topic.source.as_ref()).map(ToString::to_string),
    });
    let mut releases: Vec<String> = case.observed.iter().map(ToString::to_string).collect();
    for step in &case.steps {
        if let Action::ReceiveAny(alternatives) = &step.action {
            releases.extend(alternatives.iter().map(|alternative| alternative.releases.to_string()));
        }
    }
    releases.dedup();
    Entry {
        id,
        section: topic.section.clone(),
        level: case.level.as_str(),
        quotes: quotes.collect(),
        releases,
        needs: case.needs.clone(),
        rests_on: case.rests_on.clone(),
        exclusive: case.exclusive,
        waits_ms: case.waits().as_millis(),
    }
}
