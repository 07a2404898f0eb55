//! The Indexed Job of `ci/k8s/explore.yaml`: what its container runs, with an index put in as Kubernetes does it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn job() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/k8s/explore.yaml");
    let job: Value = serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    job["spec"].clone()
}

/// The arguments of the container with this index.
fn arguments(job: &Value, index: u64) -> Vec<String> {
    let container = &job["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], Value::Null, "the image's entry point is mcspec");
    let words = container["args"].as_array().unwrap().iter();
    words
        .map(|word| {
            word.as_str()
                .unwrap()
                .replace("$(JOB_COMPLETION_INDEX)", &index.to_string())
        })
        .collect()
}

/// Where the value of an option stands.
fn value<'a>(arguments: &'a mut [String], option: &str) -> &'a mut String {
    let at = arguments.iter().position(|word| word == option).unwrap();
    &mut arguments[at + 1]
}

fn run(arguments: &[String]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn each_index_explores_histories_of_its_own() {
    let job = job();
    assert_eq!(job["completionMode"], "Indexed");
    for index in [0, job["completions"].as_u64().unwrap() - 1] {
        let mut arguments = arguments(&job, index);
        "1s".clone_into(value(&mut arguments, "--for"));
        // The built-in server stands for the one beside mcspec.
        let server = arguments.iter().position(|word| word == "--server").unwrap();
        arguments.drain(server..server + 2);
        let (code, said) = run(&arguments);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("seed {index}\n")), "{said}");
    }
}

#[test]
fn the_exit_codes_of_mcspec_are_those_that_the_job_acts_on() {
    let job = job();
    let rules = job["podFailurePolicy"]["rules"].as_array().unwrap();
    let action = |code: i32| {
        let of_code = |rule: &&Value| rule["onExitCodes"]["values"].as_array().unwrap().contains(&code.into());
        let rule = rules.iter().find(of_code)?;
        assert_eq!(
            rule["onExitCodes"]["containerName"],
            job["template"]["spec"]["containers"][0]["name"]
        );
        rule["action"].as_str()
    };
    // A server that is not there is tried again: no rule.
    let mut arguments = arguments(&job, 3);
    "127.0.0.1:1".clone_into(value(&mut arguments, "--server"));
    let (code, said) = run(&arguments);
    assert_eq!(action(code.unwrap()), None, "{said}");
    arguments.push("--no-such-option".to_owned());
    let (code, said) = run(&arguments);
    assert_eq!(action(code.unwrap()), Some("FailJob"), "{said}");
    assert_eq!(action(1), Some("FailIndex"));
}
