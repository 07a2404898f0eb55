//! The API in front of real datasets: what each file is answered with, and that the dataset stays the one it was.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, run};

/// A data directory with datasets, files that are none, and ways out of it.
fn data() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    fs::create_dir_all(data.join("sub")).unwrap();
    for (name, entries) in [("a", 1), ("b", 2), ("sub/c", 3), ("../outside", 4), ("large", 3000)] {
        let text = root.path().join("text.ndjson");
        let line = |number: usize| format!("{{\"key\":\"{number:04}\",\"value\":\"{}\"}}\n", "v".repeat(300));
        fs::write(&text, (0..entries).map(line).collect::<String>()).unwrap();
        let to = data.join(format!("{name}.redb"));
        run(&["load", "--from", text.to_str().unwrap(), "--to", to.to_str().unwrap()]);
    }
    fs::write(data.join("empty.redb"), "").unwrap();
    fs::write(data.join("text.redb"), "this is a text\n".repeat(1000)).unwrap();
    let large = fs::read(data.join("large.redb")).unwrap();
    fs::write(data.join("cut.redb"), &large[..large.len() / 2]).unwrap();
    fs::write(data.join("flipped.redb"), &large).unwrap();
    flip(&data.join("flipped.redb"), b"vvvvvvvv");
    symlink("b.redb", data.join("link-within.redb")).unwrap();
    symlink("a.redb", data.join("link-to-served.redb")).unwrap();
    symlink("../outside.redb", data.join("link-out.redb")).unwrap();
    symlink(root.path(), data.join("link-up")).unwrap();
    symlink("nowhere.redb", data.join("link-dangling.redb")).unwrap();
    root
}

/// Changes one byte of the first place in a file that has these bytes.
fn flip(path: &Path, bytes: &[u8]) {
    let content = fs::read(path).unwrap();
    let at = content.windows(bytes.len()).position(|window| window == bytes).unwrap();
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"x", at as u64).unwrap();
}

/// The end of a problem's type, or `ok`.
fn outcome((status, answer): &(u16, Value)) -> (u16, &str) {
    let kind = answer["type"].as_str().unwrap_or("ok");
    (*status, kind.trim_start_matches("/problems/"))
}

/// What is answered to each name, whatever the backend; the dataset stays the one it was.
fn refuses(backend: &str) {
    let root = data();
    let data = root.path().join("data");
    let process = Process::start(&data, &["--backend", backend, "--data", "a.redb"]);
    let before = fs::read(data.join("flipped.redb")).unwrap();
    let outside = root.path().join("outside.redb");
    for (name, expected) in [
        ("missing.redb", (404, "dataset-not-found")),
        ("sub/missing.redb", (404, "dataset-not-found")),
        ("link-dangling.redb", (404, "dataset-not-found")),
        ("a.redb/x", (404, "dataset-not-found")),
        ("a.redb", (409, "dataset-served")),
        ("./a.redb", (409, "dataset-served")),
        // Where `..` leads is nobody's to guess, wherever it is.
        ("sub/../b.redb", (403, "outside-data-directory")),
        ("link-to-served.redb", (409, "dataset-served")),
        ("../outside.redb", (403, "outside-data-directory")),
        ("sub/../../outside.redb", (403, "outside-data-directory")),
        (outside.to_str().unwrap(), (403, "outside-data-directory")),
        ("link-out.redb", (403, "outside-data-directory")),
        ("link-up/outside.redb", (403, "outside-data-directory")),
        ("empty.redb", (422, "not-a-dataset")),
        ("text.redb", (422, "not-a-dataset")),
        ("cut.redb", (422, "dataset-damaged")),
        ("flipped.redb", (422, "dataset-damaged")),
        ("sub", (400, "invalid-field")),
        (".", (400, "invalid-field")),
        ("%00", (400, "invalid-field")),
    ] {
        let answer = process.switch(name);
        assert_eq!(outcome(&answer), expected, "{backend} {name}: {}", answer.1);
        let detail = answer.1["detail"].as_str().unwrap();
        assert!(detail.lines().count() == 1 && detail.contains("; "), "{detail}");
    }
    let status = process.status();
    assert_eq!(
        (&status["generation"], &status["filename"]),
        (&1.into(), &"a.redb".into())
    );
    assert_eq!(
        fs::read(data.join("flipped.redb")).unwrap(),
        before,
        "a file that is refused is not touched"
    );
}

#[test]
fn files_that_cannot_be_served_are_refused_by_redb() {
    refuses("redb");
}

#[test]
fn files_that_cannot_be_served_are_refused_by_memory() {
    refuses("memory");
}

/// Every way to name a file within the directory.
fn serves(backend: &str) {
    let root = data();
    let process = Process::start(&root.path().join("data"), &["--backend", backend, "--data", "a.redb"]);
    for (generation, (name, keys)) in (2..).zip([
        ("b.redb", 2),
        ("sub/c.redb", 3),
        ("link-within.redb", 2),
        ("./a.redb", 1),
        ("sub%2Fc.redb", 3),
        ("large.redb", 3000),
    ]) {
        let answer = process.switch(name);
        assert_eq!(outcome(&answer), (200, "ok"), "{name}: {}", answer.1);
        let told = (&answer.1["generation"], &answer.1["keys"], &answer.1["drained"]);
        assert_eq!(told, (&generation.into(), &keys.into(), &true.into()), "{name}");
        let status = process.status();
        assert_eq!(
            (&status["generation"], &status["keys"]),
            (&generation.into(), &keys.into())
        );
    }
}

#[test]
fn files_within_the_directory_are_served_by_redb() {
    serves("redb");
}

#[test]
fn files_within_the_directory_are_served_by_memory() {
    serves("memory");
}

#[test]
fn a_file_that_another_process_serves_is_locked() {
    let root = data();
    let data = root.path().join("data");
    let first = Process::start(&data, &["--backend", "redb", "--data", "a.redb"]);
    let second = Process::start(&data, &["--backend", "redb", "--data", "b.redb"]);
    assert_eq!(outcome(&second.switch("a.redb")), (409, "dataset-locked"));
    assert_eq!(outcome(&first.switch("sub/c.redb")), (200, "ok"));
    assert_eq!(outcome(&second.switch("a.redb")), (200, "ok"));
}

#[test]
fn switches_that_race_are_served_one_after_another() {
    let root = data();
    let process = Process::start(&root.path().join("data"), &["--backend", "redb", "--data", "a.redb"]);
    let files = ["b.redb", "sub/c.redb", "large.redb", "a.redb"];
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let asking: Vec<_> = (0..12)
            .map(|number| {
                let process = &process;
                scope.spawn(move || process.switch(files[number % files.len()]))
            })
            .collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let mut generations = Vec::new();
    for answer in &answers {
        match outcome(answer) {
            (200, "ok") => generations.push(answer.1["generation"].as_u64().unwrap()),
            // It had its turn while it was served already.
            refused => assert_eq!(refused, (409, "dataset-served")),
        }
    }
    generations.sort_unstable();
    assert!(generations.len() >= files.len() - 1, "{answers:?}");
    let expected: Vec<u64> = (2..).take(generations.len()).collect();
    assert_eq!(generations, expected, "each has a generation of its own");
    let last = answers.iter().max_by_key(|answer| answer.1["generation"].as_u64());
    let status = process.status();
    assert_eq!(status["filename"], last.unwrap().1["filename"]);
    assert_eq!((&status["switching"], &status["draining"]), (&0.into(), &0.into()));
}

#[test]
fn a_server_that_is_only_read_switches_too() {
    let root = data();
    let data = root.path().join("data");
    let process = Process::start(&data, &["--backend", "redb", "--data", "a.redb", "--readonly"]);
    assert_eq!(outcome(&process.switch("b.redb")), (200, "ok"));
    assert_eq!(process.status()["read_only"], true);
}
