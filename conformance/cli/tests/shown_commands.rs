//! The commands of the pages that a newcomer reads, run as they stand there: on a server of this test, in a directory of its own.
//!
//! Each line of the shell blocks is in [`COMMANDS`]: run, with the exit code that it must end with, or with the reason why not.
//! That every other command at least parses is checked beside the command line, in `src/args/pages.rs`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::{CASES, example, text};

const PAGES: [&str; 4] = [
    "README.md",
    "conformance/README.md",
    "conformance/cases/README.md",
    "ci/WAYS-IN.md",
];

/// What becomes of a command here.
enum Fate {
    /// It is run.
    Runs,
    /// It is run with this behind it, so that it is done soon.
    RunsWith(&'static str),
    /// It is not, for this reason.
    IsNotRun(&'static str),
}
use Fate::{IsNotRun, Runs, RunsWith};

const A_BUILD: Fate = IsNotRun("it builds for minutes");
const AN_IMAGE: Fate = IsNotRun("it needs Docker and an image; ci/containers plays every case to these");
const THE_IMAGE: Fate = IsNotRun("it needs Docker; ci/docker builds the image and does this");

/// The pages' commands, in their order; one that is shown twice stands here once.
const COMMANDS: [(&str, Fate); 27] = [
    ("cargo run --release", A_BUILD),
    ("ci/test", IsNotRun("this test is a part of it")),
    ("cargo install --locked --path conformance/cli", A_BUILD),
    ("mcspec run --server 127.0.0.1:11211", RunsWith("storage/add")),
    (
        "mcspec run --unix /run/memcached.sock",
        IsNotRun("the socket is outside of the test's directory; ci/targets judges refcached on one"),
    ),
    ("mcspec run --spawn 'memcached -p {port}'", RunsWith("storage/add")),
    ("mcspec run --image memcached:1.6.38", AN_IMAGE),
    (
        "mcspec run --target yrmcds",
        IsNotRun("it needs Debian's package; ci/targets does this"),
    ),
    (
        "mcspec run storage 'meta/ms_*' --delivery all --server 127.0.0.1:11211",
        Runs,
    ),
    ("mcspec explain storage/append/keeps_the_flags_of_the_item", Runs),
    ("mcspec explore --server 127.0.0.1:11211 --for 60s", Runs),
    (
        "mcspec diff --image memcached:1.6.38 --image memcached:1.6.45",
        AN_IMAGE,
    ),
    ("mcspec fuzz --server 127.0.0.1:11211 --for 60s", Runs),
    (
        "mcspec coverage --text target/protocol.txt",
        IsNotRun("the text is fetched from memcached's sources; ci/protocol-text does both"),
    ),
    ("mcspec matrix a.json b.json --format html --output m.html", Runs),
    ("mcspec export --expand all", RunsWith("storage/add")),
    (
        "mcspec run --spawn './my-cache --port {port}' --delivery all --require cas,touch,gat --report html=r.html,junit=r.xml",
        RunsWith("storage/add"),
    ),
    ("cd ../my-cache", IsNotRun("the test is there")),
    ("mcspec run --spawn './my-cache --port {port}'", RunsWith("storage/add")),
    (
        "mcspec init --spawn './my-cache --port {port}' --delivery all --output mcspec-target.toml",
        RunsWith("--cases few"),
    ),
    (
        "mcspec run --target ./mcspec-target.toml --delivery all",
        RunsWith("--cases few"),
    ),
    ("mcspec export --expand all > cases.json", RunsWith("storage/add")),
    (
        "python3 conformance/cases/runner.py cases.json 127.0.0.1:11211 pipelined",
        IsNotRun("it plays the whole suite, one case after the other; conformance/containers does"),
    ),
    ("docker build -f ci/Dockerfile -t mcspec .", A_BUILD),
    ("ci/mcspec-image mcspec", A_BUILD),
    (
        "docker run --rm --network my-network mcspec run --server my-cache:11211",
        THE_IMAGE,
    ),
    (
        "docker run --rm --user \"$(id -u)\" -v \"$PWD:/reports\" mcspec run --server my-cache:11211 --report junit=/reports/mcspec.xml",
        THE_IMAGE,
    ),
];

/// The lines of the shell blocks of a page, without what is said of them.
fn shown(page: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = fs::read_to_string(file).unwrap().replace("\\\n", " ");
    let blocks = text.split("\n```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("\n```").next().unwrap_or_default().lines());
    let bare = lines.map(|line| line.split(" # ").next().unwrap_or_default().trim().to_owned());
    bare.filter(|line| !line.is_empty()).collect()
}

#[test]
fn every_command_is_run_or_it_is_said_why_not() {
    let shown: Vec<String> = PAGES.into_iter().flat_map(shown).collect();
    let unknown: Vec<&String> = shown
        .iter()
        .filter(|line| !COMMANDS.iter().any(|(known, _)| known == line))
        .collect();
    assert!(unknown.is_empty(), "shown, and not in COMMANDS: {unknown:#?}");
    let stale = COMMANDS
        .iter()
        .filter(|(known, _)| !shown.iter().any(|line| line == known));
    let stale: Vec<&str> = stale.map(|(known, _)| *known).collect();
    assert!(stale.is_empty(), "in COMMANDS, and shown nowhere: {stale:#?}");
    let reasons = COMMANDS.iter().filter_map(|(_, fate)| match fate {
        IsNotRun(reason) => Some(reason),
        Runs | RunsWith(_) => None,
    });
    assert!(reasons.clone().all(|reason| reason.len() > 10), "a reason is missing");
    assert!(reasons.count() * 2 <= COMMANDS.len() + 8, "most are not run");
}

/// The directory of somebody who has a server, and one that runs.
struct World {
    directory: tempfile::TempDir,
    server: Child,
    address: String,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        fs::create_dir(here.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_mcspec"), here.join("bin/mcspec")).unwrap();
        // `memcached -p PORT` and `./my-cache --port PORT`.
        for program in ["bin/memcached", "my-cache"] {
            let file = here.join(program);
            let script = format!("#!/bin/sh\nexec '{}' \"$2\"\n", example("faulty_server").display());
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let few = here.join("few/s");
        fs::create_dir_all(&few).unwrap();
        fs::write(few.join("t.case"), CASES.split("case wrong").next().unwrap()).unwrap();
        let (server, address) = started();
        let world = Self {
            directory,
            server,
            address,
        };
        world.done("mcspec run storage/add --report json=a.json");
        world.done("mcspec run storage/add --server 127.0.0.1:11211 --report json=b.json");
        world
    }

    /// Runs the line in bash; it must end with 0.
    fn done(&self, line: &str) {
        let line = line
            .replace("127.0.0.1:11211", &self.address)
            .replace("--for 60s", "--for 2s");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-euc", &line])
            .current_dir(&self.directory)
            .env("PATH", path)
            .output()
            .unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        let end = said.len().saturating_sub(3000);
        let end = (end..).find(|end| said.is_char_boundary(*end)).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{line}: {}", &said[end..]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A server without a fault, on a port that it chose.
fn started() -> (Child, String) {
    let mut server = Command::new(example("faulty_server"))
        .arg("0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    (server, format!("127.0.0.1:{}", port.trim()))
}

#[test]
fn what_can_be_run_here_does_what_the_pages_say() {
    let world = World::new();
    for (line, fate) in &COMMANDS {
        match fate {
            Runs => world.done(line),
            RunsWith(more) => world.done(&format!("{line} {more}")),
            IsNotRun(_) => {}
        }
    }
    for file in ["m.html", "r.html", "r.xml", "mcspec-target.toml", "cases.json"] {
        assert_ne!(fs::metadata(world.path(file)).unwrap().len(), 0, "{file}");
    }
}
