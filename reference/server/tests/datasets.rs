//! `refcached load` and `refcached dump`, as they are called.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn refcached(directory: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_refcached"))
        .args(line.split(' '))
        .current_dir(directory)
        .output()
        .unwrap()
}

#[track_caller]
fn done(directory: &Path, line: &str) -> (String, String) {
    let output = refcached(directory, line);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, said) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{line}: {said}");
    (out, said)
}

#[track_caller]
fn refused(directory: &Path, line: &str) -> String {
    let output = refcached(directory, line);
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert!(output.stdout.is_empty(), "{line}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    said
}

#[test]
fn text_becomes_a_dataset_and_a_dataset_text() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::write(here.join("a.csv"), "key,value,flags\nb,2,7\na,1,0\na,3,0\n").unwrap();
    let (out, said) = done(here, "load --from a.csv --to a.redb");
    assert_eq!(out, "");
    assert_eq!(said, "2 items in a.redb, 1 entries replaced by later ones\n");
    let (out, said) = done(here, "dump --from a.redb");
    let expected = concat!(
        "{\"key\":\"a\",\"value\":\"3\",\"flags\":0,\"exptime\":0}\n",
        "{\"key\":\"b\",\"value\":\"2\",\"flags\":7,\"exptime\":0}\n"
    );
    assert_eq!(
        (out.as_str(), said.as_str()),
        (expected, ""),
        "no bar where there is no terminal"
    );
    done(here, "dump --from a.redb --to b.ndjson");
    assert_eq!(fs::read_to_string(here.join("b.ndjson")).unwrap(), expected);
    let (out, _) = done(here, "dump --from a.redb --to - --format csv");
    assert!(
        out.starts_with("key,value,flags,exptime,key_base64,value_base64\n"),
        "{out}"
    );
    assert_eq!(fs::read_dir(here).unwrap().count(), 3);
}

#[test]
fn what_cannot_be_done_is_one_line_and_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::write(
        here.join("bad.ndjson"),
        "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"a\",\"value\":1}\n",
    )
    .unwrap();
    fs::write(here.join("good.ndjson"), "{\"key\":\"a\",\"value\":\"1\"}\n").unwrap();
    fs::write(here.join("there.redb"), "something").unwrap();
    for (line, words) in [
        (
            "load --from bad.ndjson --to a.redb",
            "bad.ndjson: line 2, column 20: invalid type",
        ),
        ("load --from missing.csv --to a.redb", "cannot read missing.csv"),
        ("load --from a.txt --to a.redb", "a.txt: no such format"),
        ("load --from good.ndjson --to there.redb", "--force"),
        ("load --from good.ndjson --to no/such/place.redb", "no/such/place.redb"),
        ("load --from good.ndjson", "--help"),
        ("dump --from there.redb", "not a redb database"),
        ("dump --from missing.redb", "no such file"),
        ("dump --from there.redb --to x.txt", "x.txt: no such format"),
    ] {
        let said = refused(here, line);
        assert!(said.contains(words), "{line}: {said}");
    }
    assert_eq!(fs::read_dir(here).unwrap().count(), 3);
    assert_eq!(fs::read(here.join("there.redb")).unwrap(), b"something");
}
