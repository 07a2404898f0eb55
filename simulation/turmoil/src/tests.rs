//! The command line, and what is written elsewhere that uses it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use super::*;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

#[test]
fn seeds_are_a_range_with_or_without_its_end_or_a_single_one() {
    for (text, range) in [("0..500", 0..500), ("000..=999", 0..1000), ("7..=7", 7..8), ("7", 7..8)] {
        assert_eq!(seeds(text), Ok(range), "{text}");
    }
    for wrong in [
        "",
        "..",
        "5..5",
        "6..=5",
        "a..b",
        "1..-2",
        "1..==2",
        "18446744073709551615",
    ] {
        assert!(seeds(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_kubernetes_job_gives_every_seed_to_one_index() {
    let job: serde_json::Value = serde_saphyr::from_str(&read("ci/k8s/simulation.yaml")).unwrap();
    let job = &job["spec"];
    assert_eq!(job["completionMode"], "Indexed");
    let container = &job["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().unwrap();
    assert_eq!(
        container["command"],
        serde_json::Value::Null,
        "the image's entry point is hotswap-sim"
    );
    let mut next = 0;
    for index in 0..job["completions"].as_u64().unwrap() {
        let words = arguments.iter().map(|word| {
            let word = word.as_str().unwrap();
            word.replace("$(JOB_COMPLETION_INDEX)", &index.to_string())
        });
        let parsed = Arguments::try_parse_from(std::iter::once("hotswap-sim".to_owned()).chain(words)).unwrap();
        assert_eq!((parsed.seeds.start, parsed.trace), (next, false), "index {index}");
        next = parsed.seeds.end;
    }
    assert_eq!(next, 10_000);
    // A world that broke a promise fails its index, a wrong command line all of them.
    let codes = |rule: usize| job["podFailurePolicy"]["rules"][rule]["onExitCodes"]["values"][0].clone();
    assert_eq!((codes(0), codes(1)), (1.into(), 2.into()));
}

#[test]
fn the_pages_show_commands_that_there_are() {
    let start = "cargo run --release -p hotswap-sim -- ";
    let mut found = 0;
    for page in [
        "simulation/README.md",
        "simulation/turmoil/README.md",
        "ci/README.md",
        "README.md",
    ] {
        for line in read(page).lines() {
            let line = line.trim().replace("cargo run -p", "cargo run --release -p");
            let Some(rest) = line.strip_prefix(start) else { continue };
            let words = rest.split_whitespace().take_while(|word| !word.starts_with('#'));
            let parsed = Arguments::try_parse_from(std::iter::once("hotswap-sim").chain(words));
            assert!(parsed.is_ok(), "{page}: {line}: {}", parsed.unwrap_err());
            found += 1;
        }
    }
    assert!(found >= 2, "{found}");
}
