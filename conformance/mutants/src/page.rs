//! The page of figures: `conformance/EFFECTIVENESS.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mcspec_mutation::campaign::Outcomes;
use mcspec_mutation::survivors::Survivors;

use crate::beyond::BEYOND;
use crate::explorer::{COMMANDS, Explored, SEED};
use crate::survey::{Record, Survey};

/// What stands before the part on the explorer is of planted faults.
const EXPLORER: &str = "\n## The explorer\n";

/// What begins the last part.
const MUTATION: &str = "\n## Mutants of cargo-mutants\n";

/// The page `before`, of which each part is written anew whose figures there are.
pub fn page(
    before: &str,
    survey: Option<&Survey>,
    explored: Option<&[Explored]>,
    mutation: Option<(&Outcomes, &Survivors)>,
) -> String {
    let (first, last) = before.split_at(before.find(MUTATION).unwrap_or(before.len()));
    let (first, middle) = first.split_at(first.find(EXPLORER).unwrap_or(first.len()));
    let mut page = survey.map_or_else(|| first.to_owned(), planted_faults);
    match explored {
        Some(explored) => explorer(&mut page, explored),
        None => page.push_str(middle),
    }
    match mutation {
        Some((outcomes, survivors)) => cargo_mutants(&mut page, outcomes, survivors),
        None => page.push_str(last),
    }
    page
}

/// Everything of planted faults.
fn planted_faults(survey: &Survey) -> String {
    let mut page = String::from(
        "# How many bugs does the suite find?\n\n\
         Written by `cargo run -p mcspec-mutants --bin effectiveness -- page` from the runs of `measure`, `explore` and\n\
         `ci/mutation`: no figure here is typed by hand.\n",
    );
    planted(&mut page, survey);
    what_survives(&mut page, survey);
    page
}

fn planted(page: &mut String, survey: &Survey) {
    let records: Vec<&Record> = survey.records.iter().collect();
    let found = count(&records, |record| record.found.is_some());
    let peer = count(&records, |record| record.peer_failed > 0);
    let real = count(&records, |record| record.real);
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n## Planted faults\n\n\
         refcached with one fault each (`conformance/mutants`). The suite of {} cases finds {found} of {}; {real} of these are\n\
         modelled on faults of real servers. memccapable of libmemcached (its 27 tests of the text protocol; it knows no meta\n\
         commands) finds {peer}, not counting what it holds against the server without a fault: {}.\n\n\
         The time is that from the start of the suite to the first failure, on a machine with two cores that did other\n\
         things besides: the median, and the longest.\n\n\
         | section | faults | after real ones | found | median | longest | memccapable |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
        survey.cases,
        records.len(),
        survey.peer_fails_sound.join(", "),
    );
    let mut sections: Vec<&str> = Vec::new();
    for record in &records {
        if !sections.contains(&record.section.as_str()) {
            sections.push(&record.section);
        }
    }
    for section in sections {
        let of_section: Vec<&Record> = records
            .iter()
            .copied()
            .filter(|record| record.section == section)
            .collect();
        row(page, section, &of_section);
    }
    row(page, "all", &records);
    let peer_ms: u64 = records.iter().map(|record| record.peer_ms).sum();
    let _ = write!(
        page,
        "\nOn the server without a fault the suite takes {:.0} s in all four deliveries. memccapable takes {:.1} s on a mutant.\n",
        survey.sound_ms as f64 / 1000.0,
        peer_ms as f64 / 1000.0 / records.len().max(1) as f64,
    );
    let deliveries = count(&records, |record| {
        record.found.as_ref().is_some_and(|found| !found.plain)
    });
    let demanding = count(&records, |record| record.demanding);
    let _ = write!(
        page,
        "{deliveries} faults show only when the same bytes are delivered otherwise than in whole requests, {demanding} only to a\n\
         run that demands the answers of one release (`--dialect`): they are how older releases behave.\n",
    );
}

fn row(page: &mut String, name: &str, records: &[&Record]) {
    let mut times: Vec<u64> = records
        .iter()
        .filter_map(|record| record.found.as_ref())
        .map(|found| found.after_ms)
        .collect();
    times.sort_unstable();
    let seconds = |ms: Option<&u64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.1} s", *ms as f64 / 1000.0));
    let _ = writeln!(
        page,
        "| {name} | {} | {} | {} | {} | {} | {} |",
        records.len(),
        count(records, |record| record.real),
        count(records, |record| record.found.is_some()),
        seconds(times.get(times.len() / 2)),
        seconds(times.last()),
        count(records, |record| record.peer_failed > 0),
    );
}

fn what_survives(page: &mut String, survey: &Survey) {
    let survivors: Vec<&str> = survey
        .records
        .iter()
        .filter(|record| record.found.is_none())
        .map(|record| record.fault.as_str())
        .collect();
    page.push_str("\n## Planted faults that survive\n\n");
    if survivors.is_empty() {
        page.push_str("None.\n");
    }
    for name in survivors {
        let _ = writeln!(page, "- `{name}`");
    }
}

fn explorer(page: &mut String, explored: &[Explored]) {
    let mut commands: Vec<u64> = explored.iter().filter_map(|record| record.commands).collect();
    commands.sort_unstable();
    let within = |bound: u64| commands.iter().filter(|commands| **commands <= bound).count();
    let number = |at: Option<&u64>| at.map_or_else(|| "-".to_owned(), u64::to_string);
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n## The explorer\n\n\
         `mcspec explore` plays random histories against a model and knows no case. With the seed {SEED} and at most {COMMANDS}\n\
         commands for each fault it finds {} of {}: {} within 1,000 commands, half of them within {}, the last after {}.\n\
         What it does not find is beyond its model or its histories, and listed so (`conformance/mutants/src/beyond.rs`):\n\n",
        commands.len(),
        explored.len(),
        within(1_000),
        number(commands.get(commands.len() / 2)),
        number(commands.last()),
    );
    for group in BEYOND {
        let _ = writeln!(page, "- {} faults: {}", group.faults.len(), group.reason);
    }
    let missed = explored.iter().filter_map(Explored::error);
    for error in missed {
        let _ = writeln!(page, "- {error}");
    }
}

fn cargo_mutants(page: &mut String, outcomes: &Outcomes, survivors: &Survivors) {
    let sample = if outcomes.mutants.len() < outcomes.listed {
        " This is a sample, not the whole."
    } else {
        ""
    };
    let _ = write!(
        page,
        "{MUTATION}\n\
         The mutants that cargo-mutants makes of `reference/protocol` and `reference/store`, without what no client reaches, such\n\
         as the store on a disk, and what changes no answer, such as prefetching: `conformance/mutation/mutants.toml` names it.\n\
         The suite is the only test.\n\n\
         {}{sample}\n\n\
         Commit {}, {}. It took {:.0} minutes on a machine with two cores that did other things besides, building included, and\n\
         the suite passed all {} times that it ran on the server without a mutant in between. `ci/mutation --shard K/N` runs one of N parts.\n\n\
         ### Survivors of that run\n\n",
        outcomes.rate(),
        outcomes.commit,
        outcomes.date,
        outcomes.seconds / 60.0,
        outcomes.sound,
    );
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in outcomes.mutants.iter().filter(|record| record.survives()) {
        let reason = survivors.reason(&record.mutant).unwrap_or("not explained");
        by_reason.entry(reason).or_default().push(&record.mutant);
    }
    if by_reason.is_empty() {
        page.push_str("None.\n");
    }
    for (reason, mutants) in by_reason {
        let _ = writeln!(page, "- {reason}:");
        for mutant in mutants {
            let _ = writeln!(page, "  - `{mutant}`");
        }
    }
}

fn count(records: &[&Record], holds: impl Fn(&Record) -> bool) -> usize {
    records.iter().filter(|record| holds(record)).count()
}
