//! The progress bar: on standard error, and only on a terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mcspec_suite::verdict::CaseResult;

/// Shows how many results have come and how many of them do not conform.
pub(crate) struct Progress {
    bar: ProgressBar,
    failed: usize,
}

impl Progress {
    pub(crate) fn new(results: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
                failed: 0,
            };
        }
        let bar = ProgressBar::new(results as u64);
        let colour = if no_colour() { "" } else { ".green" };
        let template = format!("{{bar:40{colour}}} {{pos}}/{{len}} {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar, failed: 0 }
    }

    pub(crate) fn add(&mut self, result: &CaseResult) {
        if !result.verdict.is_expected() {
            self.failed += 1;
            self.bar.set_message(format!("{} failed", self.failed));
        }
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows how far a run is that has a bound in commands or in time.
pub(crate) struct Meter {
    bar: ProgressBar,
    commands: Option<u64>,
}

impl Meter {
    pub(crate) fn new(commands: Option<u64>, time: Option<Duration>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
                commands,
            };
        }
        let seconds = time.map_or(0, |time| time.as_secs());
        let bar = ProgressBar::new(commands.unwrap_or(seconds));
        let colour = if no_colour() { "" } else { ".green" };
        let unit = if commands.is_some() { "commands" } else { "s" };
        let template = format!("{{bar:40{colour}}} {{pos}}/{{len}} {unit} {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar, commands }
    }

    pub(crate) fn show(&self, commands: u64, elapsed: Duration, findings: usize) {
        self.bar.set_position(if self.commands.is_some() {
            commands
        } else {
            elapsed.as_secs()
        });
        self.bar.set_message(format!("{commands} commands, {findings} found"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether the user asked for no colour (<https://no-color.org>).
pub(crate) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
