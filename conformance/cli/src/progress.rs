//! The progress bar: on standard error, and only on a terminal.

use std::io::IsTerminal as _;

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
        if !result.verdict.conforms() {
            self.failed += 1;
            self.bar.set_message(format!("{} failed", self.failed));
        }
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether the user asked for no colour (<https://no-color.org>).
pub(crate) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
