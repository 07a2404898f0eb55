//! The suite on the refcached within this process: `judged BACKEND [CASE DELIVERY]`. Ends with 0 if it passes, and with 1 and a
//! word of what was wrong first: the case, the delivery, what it says, each on a line.
//! Which mutant the server is, if any, its crates read from the environment.

use std::process::exit;

use mcspec_mutation::verdict::{Backend, Selection, WRONG_CALL, verdict};
use mcspec_suite::case::Library;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, selection) = match words[..] {
        [name] => (name, Some(Selection::All)),
        [name, case, delivery] => {
            let delivery = delivery.parse().ok();
            (
                name,
                delivery.map(|delivery| Selection::Case(case.to_owned(), delivery)),
            )
        }
        _ => ("", None),
    };
    let backend = Backend::ALL.into_iter().find(|backend| backend.name() == name);
    let (Some(backend), Some(selection)) = (backend, selection) else {
        eprintln!(
            "`{}` is not `memory` or `redb`, and perhaps a case and a delivery",
            words.join(" ")
        );
        exit(WRONG_CALL);
    };
    let library = match Library::built_in() {
        Ok(library) => library,
        Err(error) => {
            eprintln!("{error}");
            exit(WRONG_CALL);
        }
    };
    // Ends the process whatever else runs in it: a mutant may never stop in good order.
    match verdict(&library, backend, &selection) {
        Ok(()) => exit(0),
        Err(wrong) => {
            if let Some((case, delivery)) = wrong.case {
                println!("{case}\n{delivery}");
            }
            println!("{}", wrong.what);
            exit(1);
        }
    }
}
