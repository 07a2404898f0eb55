//! Reads the file: its keys are options, its values what stands behind them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Args as _};
use mcspec_suite::profile::names_a_file;
use toml::{Spanned, Value};

use super::TARGETS;
use crate::args::Run;
use crate::exit::Failure;

/// The options that a project may set. What concerns one run alone is not among them.
const KEYS: [&str; 19] = [
    "baseline",
    "capability",
    "cases",
    "delivery",
    "dialect",
    "exclude",
    "expect",
    "format",
    "image",
    "jobs",
    "level",
    "report",
    "require",
    "retries",
    "server",
    "spawn",
    "target",
    "timeout",
    "unix",
];

/// Keys whose values are paths.
const PATHS: [&str; 4] = ["baseline", "cases", "expect", "unix"];

/// How much alike a key and what it is taken for must be, from 0 to 1.
const ALIKE: f64 = 0.7;

/// A file that has been read.
pub(super) struct File {
    path: PathBuf,
    text: String,
    table: BTreeMap<Spanned<String>, Spanned<Value>>,
}

impl File {
    /// Reads the file, and refuses keys that are none.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
        let mut file = Self {
            path: path.to_owned(),
            text,
            table: BTreeMap::new(),
        };
        file.table = toml::from_str(&file.text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            file.error(at, error.message().lines().next().unwrap_or_default())
        })?;
        match file.table.keys().find(|key| !KEYS.contains(&key.get_ref().as_str())) {
            Some(key) => Err(file.error(key.span(), &unknown(key.get_ref()))),
            None => file.without_contradictions(),
        }
    }

    fn without_contradictions(self) -> Result<Self, Failure> {
        let named: Vec<&Spanned<String>> = self
            .table
            .keys()
            .filter(|key| TARGETS.contains(&key.get_ref().as_str()))
            .collect();
        if let [first, second, ..] = named[..] {
            let problem = format!(
                "`{}` and `{}` both name the server; keep one",
                first.get_ref(),
                second.get_ref()
            );
            return Err(self.error(second.span(), &problem));
        }
        match (self.key("target"), self.key("expect")) {
            (Some(_), Some(at)) => {
                Err(self.error(at, "`target` says what is expected, and so does `expect`; keep one"))
            }
            _ => Ok(self),
        }
    }

    /// Where the key stands, if it does.
    pub(super) fn key(&self, name: &str) -> Option<Range<usize>> {
        self.table.keys().find(|key| key.get_ref() == name).map(Spanned::span)
    }

    /// A message with line and column, both from 1.
    pub(super) fn error(&self, at: Range<usize>, problem: &str) -> Failure {
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Failure::usage(format!("{}:{line}:{column}: {problem}", self.path.display()))
    }

    /// Each key with the words that say the same on a command line; every value has passed the parser of its option.
    pub(super) fn options(&self) -> Result<Vec<(&str, Vec<OsString>)>, Failure> {
        let command = Run::augment_args(clap::Command::new("run").no_binary_name(true));
        let mut options = Vec::new();
        for (key, value) in &self.table {
            let key = key.get_ref().as_str();
            let wrong = |problem: &str| self.error(value.span(), &format!("`{key}`: {problem}"));
            let option = command.get_arguments().find(|option| option.get_long() == Some(key));
            let option = option.ok_or_else(|| wrong("this mcspec has no such option"))?;
            let words = self.words(option, key, value.get_ref()).map_err(wrong)?;
            let parsed = command.clone().try_get_matches_from(&words);
            parsed.map_err(|error| wrong(&cause(&error)))?;
            options.push((key, words));
        }
        Ok(options)
    }

    fn words(&self, option: &Arg, key: &str, value: &Value) -> Result<Vec<OsString>, &'static str> {
        let mut values = values(value)?;
        if !matches!(option.get_action(), ArgAction::Append) && matches!(value, Value::Array(_)) {
            if key != "delivery" {
                return Err("takes one value");
            }
            values = vec![values.join(",")];
        }
        let word = |value: &String| {
            let mut word = OsString::from(format!("--{key}="));
            word.push(self.placed(key, value));
            word
        };
        Ok(values.iter().map(word).collect())
    }

    /// A value with its path made one from the working directory.
    fn placed(&self, key: &str, value: &str) -> OsString {
        let beside = |path: &str| match self.path.parent() {
            Some(directory) => directory.join(path).into_os_string(),
            None => path.into(),
        };
        match (key, value.split_once('=')) {
            ("report", Some((format, file))) if !file.is_empty() => {
                let mut word = OsString::from(format!("{format}="));
                word.push(beside(file));
                word
            }
            ("target", _) if names_a_file(value) => beside(value),
            _ if PATHS.contains(&key) => beside(value),
            _ => value.into(),
        }
    }
}

/// What a value is on a command line; `{ junit = "FILE" }` is `junit=FILE`.
fn values(value: &Value) -> Result<Vec<String>, &'static str> {
    match value {
        Value::Array(values) if values.is_empty() => Err("the list is empty; leave the key out"),
        Value::Array(values) => values.iter().map(scalar).collect(),
        Value::Table(table) => {
            let pair = |(key, value)| Ok(format!("{key}={}", scalar(value)?));
            table.iter().map(pair).collect()
        }
        value => Ok(vec![scalar(value)?]),
    }
}

fn scalar(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        _ => Err("expected a text, a number or a list of them"),
    }
}

/// What is wrong with a key that a project cannot set, and which one may be meant.
fn unknown(key: &str) -> String {
    let command = Run::augment_args(clap::Command::new("run"));
    if command.get_arguments().any(|option| option.get_long() == Some(key)) {
        return format!("`{key}` is for one run: give it on the command line, as --{key}");
    }
    let likeness = |known: &str| strsim::jaro_winkler(key, known);
    let nearest = KEYS
        .into_iter()
        .filter(|known| likeness(known) >= ALIKE)
        .max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
    match nearest {
        Some(known) => format!("there is no key `{key}`; is `{known}` meant?"),
        None => format!("there is no key `{key}`; there are {}", KEYS.join(", ")),
    }
}

/// What the parser of the command line has against its words, in one line.
pub(super) fn cause(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let said: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .collect();
    let said = said.join(" ");
    said.strip_prefix("error: ").unwrap_or(&said).to_owned()
}
