//! Which cases a command is about.

use std::collections::BTreeSet;
use std::path::Path;

use mcspec_suite::case::{Case, Library};
use mcspec_suite::selection::Part;
use mcspec_suite::target::capability_names;

use crate::args::Select;
use crate::exit::Failure;

/// The built-in cases, or those of a directory.
pub(crate) fn library(directory: Option<&Path>) -> Result<Library, Failure> {
    let library = match directory {
        None => Library::built_in(),
        Some(directory) => Library::from_directory(directory),
    };
    library.map_err(|error| Failure::usage(error.to_string()))
}

/// The ids of the selected cases.
pub(crate) fn selected(library: &Library, select: &Select) -> Result<BTreeSet<String>, Failure> {
    known_capabilities(&select.capability)?;
    for pattern in &select.patterns {
        if !library.cases().any(|(id, ..)| pattern.matches(&id)) {
            return Err(Failure::nothing_selected(format!(
                "no case fits `{pattern}`; `mcspec list` shows what there is"
            )));
        }
    }
    let ids: BTreeSet<String> = library
        .cases()
        .filter(|(id, _, case)| is_selected(id, case, select))
        .map(|(id, ..)| id)
        .collect();
    if ids.is_empty() {
        return Err(Failure::nothing_selected(
            "the selection holds no case; `mcspec list` shows what there is",
        ));
    }
    Ok(ids)
}

/// How many of the cases are of the part.
pub(crate) fn count_of_part(ids: &BTreeSet<String>, partition: Option<Part>) -> Result<usize, Failure> {
    let Some(part) = partition else { return Ok(ids.len()) };
    match ids.iter().filter(|id| part.holds(id)).count() {
        0 => Err(Failure::nothing_selected(format!(
            "part {part} of the selection holds no case; take fewer parts"
        ))),
        count => Ok(count),
    }
}

/// Refuses the name of a capability that no case could need.
pub(crate) fn known_capabilities(names: &[String]) -> Result<(), Failure> {
    let known: Vec<&str> = std::iter::once("text").chain(capability_names()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let known = known.join(", ");
            Err(Failure::usage(format!(
                "there is no capability `{name}`; there are {known}"
            )))
        }
    }
}

fn is_selected(id: &str, case: &Case, select: &Select) -> bool {
    let Select {
        patterns,
        exclude,
        level,
        capability,
        ..
    } = select;
    (patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(id)))
        && !exclude.iter().any(|pattern| pattern.matches(id))
        && (level.is_empty() || level.contains(&case.level))
        && (capability.is_empty() || case.needs.iter().any(|need| capability.contains(need)))
}
