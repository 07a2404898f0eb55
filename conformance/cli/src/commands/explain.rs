//! `mcspec explain`.

use std::io::Write as _;

use mcspec_suite::case::{Case, Library, Topic, print};

use super::select::library;
use crate::args::Explain;
use crate::exit::{Exit, Failure};

pub(crate) fn explain(args: &Explain) -> Result<Exit, Failure> {
    let library = library(args.cases.as_deref())?;
    let Some((topic, case)) = library.case(&args.id) else {
        return Err(Failure::nothing_selected(unknown(&library, &args.id)));
    };
    // A reader that has seen enough closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(text(&args.id, topic, case).as_bytes());
    Ok(Exit::Conforms)
}

fn text(id: &str, topic: &Topic, case: &Case) -> String {
    let alone = Topic {
        comments: Vec::new(),
        section: topic.section.clone(),
        source: topic.source.clone(),
        cases: vec![case.clone()],
        trailing_comments: Vec::new(),
    };
    let mut out = format!(
        "{id}  {}  ({}.case, line {})\n\n{}\n",
        case.level,
        topic.section,
        case.line,
        print(&alone)
    );
    out.push_str("  |  stands for CR LF, as does the end of a line; {k} is a key of the run's own\n");
    out.push_str(
        "  after the last step each connection must be in step: a fence is answered, and no byte is left over\n",
    );
    if !case.rests_on.is_empty() {
        out.push_str("  if a case that it rests on does not pass, this one is blocked\n");
    }
    out.push_str("\nrun it:  mcspec run ");
    out.push_str(id);
    out.push_str(" --delivery all --server HOST:PORT\n");
    out
}

/// Names the cases that the user may have meant.
fn unknown(library: &Library, id: &str) -> String {
    let last = id.rsplit('/').next().unwrap_or(id);
    let near: Vec<String> = library
        .cases()
        .map(|(id, ..)| id)
        .filter(|known| known.contains(id) || known.ends_with(last))
        .take(5)
        .collect();
    if near.is_empty() {
        format!("there is no case `{id}`; `mcspec list` shows what there is")
    } else {
        format!("there is no case `{id}`; there is {}", near.join(", "))
    }
}
