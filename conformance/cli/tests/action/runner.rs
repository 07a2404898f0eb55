//! As much of a runner of GitHub's as the action needs: inputs, steps in bash, outputs, the summary.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// `ci/action.yml`. What this runner does not know is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "author")]
    _author: String,
    #[serde(rename = "branding")]
    _branding: BTreeMap<String, String>,
    pub(crate) inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    description: String,
    default: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    description: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    id: String,
    shell: String,
    env: BTreeMap<String, String>,
    run: String,
}

impl Action {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(root().join("ci/action.yml")).unwrap();
        let action: Self = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(action.runs.using, "composite");
        let described = action.inputs.values().map(|input| &input.description);
        let described = described.chain(action.outputs.values().map(|output| &output.description));
        assert!(described.clone().count() > 10 && described.into_iter().all(|text| text.len() > 10));
        action
    }
}

/// A job that uses the action, in a workspace of its own.
pub(crate) struct Job {
    directory: tempfile::TempDir,
    inputs: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

/// What a job came to.
pub(crate) struct Done {
    /// The exit code of the step that failed, or 0.
    pub(crate) status: i32,
    /// The outputs of the action.
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
    /// What the steps wrote.
    pub(crate) log: String,
    workspace: PathBuf,
}

impl Done {
    /// The text of the file that an output names.
    pub(crate) fn file(&self, output: &str) -> String {
        let path = self.workspace.join(&self.outputs[output]);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), self.log))
    }
}

impl Job {
    pub(crate) fn new(inputs: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["work", "temp", "bin"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let mut job = Self {
            directory,
            inputs: BTreeMap::new(),
            environment: BTreeMap::new(),
        };
        job.with(inputs);
        job.env("GITHUB_SERVER_URL", "https://github.invalid");
        job
    }

    /// Sets inputs, beside those that are set.
    pub(crate) fn with(&mut self, inputs: &[(&str, &str)]) {
        let inputs = inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.inputs.extend(inputs);
    }

    pub(crate) fn env(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Puts a script in front of the programs of this machine.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.directory.path().join("bin").join(name);
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A path in the workspace.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    /// Runs the steps; the first that fails ends the job.
    pub(crate) fn run(&self) -> Done {
        let action = Action::read();
        for name in self.inputs.keys() {
            assert!(action.inputs.contains_key(name), "the action has no input {name}");
        }
        let defaults = action.inputs.iter().map(|(name, input)| (name, &input.default));
        let given = self.inputs.iter();
        let inputs = defaults
            .chain(given)
            .map(|(name, value)| (format!("inputs.{name}"), value.clone()));
        let mut context: BTreeMap<String, String> = inputs.collect();
        context.insert("github.action_path".into(), root().join("ci").display().to_string());
        context.insert("github.action_repository".into(), "OWNER/mcspec".into());
        context.insert("github.action_ref".into(), "v0.1.0".into());
        let mut done = Done {
            status: 0,
            outputs: BTreeMap::new(),
            summary: String::new(),
            log: String::new(),
            workspace: self.path(""),
        };
        for step in &action.runs.steps {
            self.step(step, &mut context, &mut done);
            if done.status != 0 {
                break;
            }
        }
        // Outputs of a step that wrote them before it failed count.
        for (name, output) in &action.outputs {
            let value = evaluated(&output.value, &context);
            done.outputs.extend(value.map(|value| (name.clone(), value)));
        }
        done
    }

    fn step(&self, step: &Step, context: &mut BTreeMap<String, String>, done: &mut Done) {
        assert_eq!(step.shell, "bash");
        assert!(
            !step.run.contains("${{"),
            "{}: an input in a script is a way in",
            step.name
        );
        let file = |name: &str| self.directory.path().join(name);
        fs::write(file("step.sh"), &step.run).unwrap();
        for name in ["output", "summary"] {
            fs::write(file(name), "").unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(file("step.sh"))
            .current_dir(self.path(""))
            .env("PATH", format!("{}:{path}", file("bin").display()))
            .env("RUNNER_TEMP", file("temp"))
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_STEP_SUMMARY", file("summary"))
            .envs(&self.environment);
        for (name, value) in &step.env {
            let value = evaluated(value, context);
            command.env(
                name,
                value.unwrap_or_else(|| panic!("{}: {name} is of nothing", step.name)),
            );
        }
        let output = command.output().unwrap();
        for stream in [&output.stdout, &output.stderr] {
            done.log.push_str(&String::from_utf8_lossy(stream));
        }
        done.summary.push_str(&fs::read_to_string(file("summary")).unwrap());
        for line in fs::read_to_string(file("output")).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            context.insert(format!("steps.{}.outputs.{name}", step.id), value.to_owned());
        }
        done.status = output.status.code().unwrap();
    }
}

/// The text with what its `${{ }}` stand for; `None` if one stands for nothing.
fn evaluated(text: &str, context: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = text.split("${{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").unwrap();
        out += context.get(expression.trim())?;
        out += rest;
    }
    Some(out)
}
