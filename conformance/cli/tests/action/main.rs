//! The GitHub Action of `ci/action.yml`: its steps as a runner would run them, against servers that conform and that do not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod runner;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use runner::{Action, Job};

fn odd_server() -> String {
    format!("{} {{port}} empty", support::example("odd_server").display())
}

/// A job that has mcspec already.
fn job() -> Job {
    Job::new(&[("install", env!("CARGO_BIN_EXE_mcspec"))])
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

#[test]
fn a_server_that_conforms_passes_with_summary_and_junit() {
    let mut job = job();
    job.with(&[
        ("target", "refcached"),
        ("cases", "storage/append storage/set\nmeta/base64_keys"),
        ("exclude", "storage/set/*_flags storage/set/nul_*"),
        ("require", "cas,meta"),
        ("delivery", "whole,bytes"),
        ("level", "must,should"),
        ("reports", "out/of the job"),
    ]);
    let done = job.run();
    assert_eq!(done.status, 0, "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "0");
    assert!(done.summary.starts_with("## \u{2705} mcspec: "), "{}", done.summary);
    let junit = done.file("junit");
    assert!(
        junit.starts_with("<?xml") && junit.contains("failures=\"0\""),
        "{junit}"
    );
    assert!(
        junit.contains("storage/append") && !junit.contains("retrieval"),
        "{junit}"
    );
    assert!(!junit.contains("overwrites_the_flags"), "excluded: {junit}");
    let report: serde_json::Value = serde_json::from_str(&done.file("json")).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().any(|case| case["delivery"] == "bytes"), "{report}");
    assert!(done.file("html").contains("</html>"));
}

#[test]
fn a_server_that_does_not_conform_fails_the_job_and_the_summary_says_why() {
    let mut job = job();
    job.with(&[("spawn", &odd_server()), ("cases", "storage/set")]);
    let done = job.run();
    assert_eq!(done.status, 1, "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "1");
    assert!(done.summary.contains("\u{274c} mcspec: "), "{}", done.summary);
    assert!(done.summary.contains("replay"), "{}", done.summary);
    let junit = done.file("junit");
    assert!(count(&junit, "<failure") > 0, "{junit}");

    // What was known before does not fail again.
    let json = done.outputs["json"].clone();
    fs::rename(job.path(&json), job.path("before.json")).unwrap();
    job.with(&[("baseline", "before.json")]);
    assert_eq!(job.run().status, 0);
}

#[test]
fn parts_of_the_cases_are_judged_by_jobs_of_their_own() {
    let judged = |part: &str| {
        let mut job = job();
        job.with(&[("target", "refcached"), ("cases", "storage/*"), ("partition", part)]);
        let done = job.run();
        assert_eq!(done.status, 0, "{}", done.log);
        count(&done.file("junit"), "<testcase")
    };
    let (one, two, all) = (judged("1/2"), judged("2/2"), judged("1/1"));
    assert!(one > 0 && two > 0);
    assert_eq!(one + two, all);
}

#[test]
fn what_is_wrong_is_told_and_no_old_report_is_left() {
    let mut job = job();
    let done = job.run();
    assert_eq!(done.status, 2);
    assert!(done.log.contains("::error::mcspec: name the server"), "{}", done.log);

    let report = job.path("mcspec-report/mcspec.xml");
    fs::create_dir_all(report.parent().unwrap()).unwrap();
    fs::write(&report, "of yesterday").unwrap();
    // A word that a shell would take for its own stays a word.
    job.with(&[("server", "127.0.0.1:1"), ("expect", "$(touch made)")]);
    let done = job.run();
    assert_eq!(done.status, 2, "{}", done.log);
    assert!(done.log.contains("$(touch made)"), "{}", done.log);
    assert!(!report.exists() && !job.path("made").exists());
    assert!(done.summary.contains("exit code 2"), "{}", done.summary);

    job.with(&[("expect", "")]);
    let done = job.run();
    assert_eq!((done.status, done.outputs["exit-code"].as_str()), (3, "3"));
}

#[test]
fn a_build_is_that_of_the_lock_file_from_the_actions_own_tree() {
    let mut job = Job::new(&[]);
    job.with(&[("target", "refcached"), ("cases", "storage/set")]);
    // Stands for cargo, and does what it is to do with what was built for this test.
    job.program(
        "cargo",
        &format!(
            r#"[ "$*" = "install --quiet --locked --path conformance/cli --root $RUNNER_TEMP/mcspec" ] || exit 9
            [ -f rust-toolchain.toml ] && [ -f conformance/cli/Cargo.toml ] || exit 8
            mkdir -p "$RUNNER_TEMP/mcspec/bin" && cp '{}' "$RUNNER_TEMP/mcspec/bin/""#,
            env!("CARGO_BIN_EXE_mcspec")
        ),
    );
    let done = job.run();
    assert_eq!(done.status, 0, "{}", done.log);
}

#[test]
fn a_release_is_fetched_and_refused_when_it_is_not_what_was_signed_off() {
    let mut job = Job::new(&[("install", "release")]);
    job.with(&[("target", "refcached"), ("cases", "storage/set")]);
    let files = job.path("hub/OWNER/mcspec/releases/download/v0.1.0");
    fs::create_dir_all(&files).unwrap();
    let archive = format!("mcspec-{}-linux.tar.gz", std::env::consts::ARCH);
    let program = Path::new(env!("CARGO_BIN_EXE_mcspec"));
    pack(&files, &archive, program);
    job.env("GITHUB_SERVER_URL", &format!("file://{}", job.path("hub").display()));
    let done = job.run();
    assert_eq!(done.status, 0, "{}", done.log);

    fs::write(
        files.join(format!("{archive}.sha256")),
        format!("{:064}  {archive}\n", 0),
    )
    .unwrap();
    let done = job.run();
    assert_eq!(done.status, 1, "{}", done.log);
    assert!(done.log.contains("FAILED"), "{}", done.log);
    assert!(done.outputs.is_empty(), "nothing was judged");
}

/// As `ci/release-files` does it.
fn pack(files: &Path, archive: &str, program: &Path) {
    let script = r#"tar -C "$(dirname "$2")" -czf "$1" "$(basename "$2")" && sha256sum "$1" > "$1.sha256""#;
    let packed = Command::new("bash")
        .args(["-euc", script, "pack", archive])
        .arg(program)
        .current_dir(files)
        .status()
        .unwrap();
    assert!(packed.success());
}

#[test]
fn workflows_give_the_action_what_it_takes_and_name_files_that_there_are() {
    let action = Action::read();
    let root = runner::root();
    let mut uses = 0;
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(".github/workflows")).unwrap() {
        let file = entry.unwrap().path();
        names.push(file.file_name().unwrap().to_owned());
        let workflow: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            for step in job["steps"].as_array().unwrap() {
                if step["uses"] == "./.mcspec/ci" {
                    uses += 1;
                    for input in step["with"].as_object().unwrap().keys() {
                        assert!(action.inputs.contains_key(input), "{}: {input}", file.display());
                    }
                }
                let Some(script) = step["run"].as_str() else { continue };
                assert!(
                    !script.contains("${{"),
                    "{}: {name}: pass it by the environment",
                    file.display()
                );
                for word in script
                    .split_whitespace()
                    .filter(|word| word.starts_with("ci/") || word.starts_with(".ci/"))
                {
                    assert!(root.join(word).exists(), "{}: {word}", file.display());
                }
            }
        }
    }
    assert!(uses > 0 && names.len() >= 3, "{names:?}");
}

#[test]
fn the_workflow_joins_the_parts_and_misses_none() {
    let root = runner::root();
    let text = fs::read_to_string(root.join(".github/workflows/gate.yml")).unwrap();
    let workflow: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let steps = workflow["jobs"]["join"]["steps"].as_array().unwrap();
    let join = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("parts/mcspec-program")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_mcspec"), path("parts/mcspec-program/mcspec")).unwrap();
    // An artifact has lost what may be executed.
    fs::set_permissions(path("parts/mcspec-program/mcspec"), fs::Permissions::from_mode(0o644)).unwrap();
    for (i, part) in ["1/2", "2/2"].into_iter().enumerate() {
        let mut job = job();
        job.with(&[("spawn", &odd_server()), ("cases", "storage/set"), ("partition", part)]);
        let done = job.run();
        assert_eq!(done.status, 1, "{}", done.log);
        assert!(Path::new(&done.outputs["program"]).ends_with("mcspec"));
        fs::create_dir(path(&format!("parts/mcspec-{i}"))).unwrap();
        fs::write(path(&format!("parts/mcspec-{i}/mcspec.json")), done.file("json")).unwrap();
    }
    let joined = || {
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", join])
            .current_dir(&directory)
            .env("GITHUB_STEP_SUMMARY", path("summary"));
        bash.output().unwrap()
    };
    let output = joined();
    assert_eq!(output.status.code(), Some(0), "{}", support::text(&output.stderr));
    let summary = fs::read_to_string(path("summary")).unwrap();
    assert!(
        summary.contains("| storage |") && summary.contains("\u{2717}"),
        "{summary}"
    );
    assert!(fs::read_to_string(path("mcspec.html")).unwrap().contains("</html>"));

    fs::remove_dir_all(path("parts/mcspec-1")).unwrap();
    let output = joined();
    assert_eq!(output.status.code(), Some(2));
    assert!(support::text(&output.stderr).contains("the parts 2/2 are missing"));
}

#[test]
fn the_toolchain_of_the_image_and_of_hosted_ci_is_that_of_the_tree() {
    let root = runner::root();
    let toolchain: toml::Table = fs::read_to_string(root.join("rust-toolchain.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let release = toolchain["toolchain"]["channel"].as_str().unwrap();
    for file in ["ci/Dockerfile", ".github/workflows/ci.yml"] {
        let file: PathBuf = root.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("rust:{release}-")), "{}", file.display());
    }
}
