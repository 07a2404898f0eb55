//! The exported cases, played by the Python runner beside them: what it plays passes on the sound server, and finds faults.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use mcspec_mutants::fault::Fault;
use mcspec_mutants::{faults, server};
use mcspec_suite::case::Library;
use mcspec_suite::export::to_json;
use mcspec_suite::known::KnownBugs;
use mcspec_suite::play::Delivery;
use tokio::process::Command;

const RUNNER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/runner.py");

/// Writes the cases that fit one of these sections or ids, or all.
fn export(file: &Path, wanted: &[&str]) {
    let library = Library::built_in().unwrap();
    let fits = |id: &str| wanted.is_empty() || wanted.iter().any(|wanted| id.starts_with(wanted));
    let ids: BTreeSet<String> = library.cases().map(|(id, ..)| id).filter(|id| fits(id)).collect();
    let text = to_json(&library, &ids, &Delivery::ALL, &KnownBugs::default()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Whether the runner finds nothing, and what it says.
async fn play(cases: &Path, fault: Option<&'static Fault>, delivery: Delivery) -> (bool, String) {
    let any_port = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let running = server::start(fault, any_port).await.unwrap();
    let mut runner = Command::new("python3");
    runner
        .arg(RUNNER)
        .arg(cases)
        .arg(running.address.to_string())
        .arg(delivery.as_str());
    let output = runner.output().await.unwrap();
    running.stop().await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runner_passes_the_sound_server() {
    let directory = tempfile::tempdir().unwrap();
    let cases = directory.path().join("cases.json");
    export(&cases, &[]);
    // Byte by byte the runner is slow enough for a busy machine to have items expire that a case still wants.
    for delivery in [Delivery::Whole, Delivery::Cuts] {
        let (passed, said) = play(&cases, None, delivery).await;
        assert!(passed, "{delivery}: {said}");
        let played: usize = said.split(' ').next().unwrap().parse().unwrap();
        assert!(played > 1_800, "{delivery}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runner_finds_a_fault_of_each_section_by_the_case_that_it_names() {
    let directory = tempfile::tempdir().unwrap();
    for (section, of_section) in faults::SECTIONS {
        // The runner demands the answers of no release, and takes what a probe does not find for not offered.
        let is_judged = |fault: &&Fault| fault.dialect.is_none() && fault.name != "touch_is_unknown";
        let fault = of_section.iter().find(is_judged).unwrap();
        let cases = directory.path().join(format!("{section}.json"));
        export(&cases, &[fault.killer]);
        let (passed, said) = play(&cases, Some(fault), fault.delivery).await;
        assert!(!passed && said.contains(fault.killer), "{}: {said}", fault.name);
    }
}
