//! The committed figures, and how what was counted compares with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// A path may get so much worse without a word.
const TOLERANCE: f64 = 0.03;

const HEAD: &str = "\
# What each hot path takes on each kind of machine: instructions of the program itself, and calls of libraries. Written by
# `ci/instructions --write`; more than 3 % worse, or better, fails. The compiler is that of rust-toolchain.toml.
";

/// What playing a path once takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    pub(crate) library_calls: f64,
}

type Machine = BTreeMap<String, Count>;

/// The file.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    machines: BTreeMap<String, Machine>,
}

/// What the comparison says.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) text: String,
    pub(crate) passed: bool,
}

impl Figures {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Figures> {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let machines = toml::from_str(&text).with_context(|| format!("{} is not as it was written", path.display()))?;
        Ok(Figures { machines })
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(&self.machines).context("the figures cannot be written as TOML")?;
        fs::write(path, format!("{HEAD}\n{text}")).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// What was counted is what counts from now on.
    pub(crate) fn replace(&mut self, counted: &[(&str, Count)]) {
        let machine = counted.iter().map(|&(name, count)| (name.to_owned(), count));
        self.machines.insert(kind_of_machine(), machine.collect());
    }

    pub(crate) fn judge(&self, counted: &[(&str, Count)]) -> Judged {
        let kind = kind_of_machine();
        let nothing = Machine::new();
        let committed = self.machines.get(&kind).unwrap_or(&nothing);
        let mut judged = Judged {
            text: format!("per time on {kind}: instructions, calls of libraries, and what was committed\n"),
            passed: true,
        };
        for (name, count) in counted {
            let verdict = committed.get(*name).map_or_else(
                || Err("no figure is committed".to_owned()),
                |before| compare(count, before),
            );
            judged.passed &= verdict.is_ok();
            let verdict = verdict.unwrap_or_else(|fault| format!("FAILED: {fault}"));
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                judged.text,
                "{name:<22} {:>8.1} {:>6.1}   {verdict}",
                count.instructions, count.library_calls
            );
        }
        for name in committed
            .keys()
            .filter(|name| counted.iter().all(|(known, _)| known != name))
        {
            judged.passed = false;
            let _ = writeln!(
                judged.text,
                "{name:<22} FAILED: a figure is committed, and there is no such path"
            );
        }
        if !judged.passed {
            judged.text += "If that is meant, commit what `ci/instructions --write` leaves in ci/paths/figures.toml.\n";
        }
        judged
    }
}

fn compare(count: &Count, before: &Count) -> Result<String, String> {
    let change = count.instructions / before.instructions - 1.0;
    let text = format!(
        "{:.1} {:.1}, {:+.1} %",
        before.instructions,
        before.library_calls,
        100.0 * change
    );
    // A call of a library has no fraction that could be noise.
    if change > TOLERANCE || count.library_calls > before.library_calls + 0.5 {
        return Err(format!("worse than {text}"));
    }
    if change < -TOLERANCE || count.library_calls < before.library_calls - 0.5 {
        return Err(format!("better than {text}: hold on to it"));
    }
    Ok(text)
}

/// Machines of one kind run the same instructions: `memchr` looks for AVX2 when it runs.
fn kind_of_machine() -> String {
    let arch = std::env::consts::ARCH;
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("avx2") {
        return format!("{arch}-without-avx2");
    }
    arch.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(instructions: f64, library_calls: f64) -> Count {
        Count {
            instructions,
            library_calls,
        }
    }

    fn figures() -> Figures {
        let mut figures = Figures::default();
        figures.replace(&[("get", count(200.0, 3.0)), ("set", count(300.0, 4.0))]);
        figures
    }

    #[test]
    fn what_is_more_than_three_percent_worse_fails_by_name() {
        let judged = figures().judge(&[("get", count(207.0, 3.0)), ("set", count(308.0, 4.0))]);
        assert!(!judged.passed);
        let failed: Vec<&str> = judged.text.lines().filter(|line| line.contains("FAILED")).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(failed[0].starts_with("get"));
    }

    #[test]
    fn one_more_call_of_a_library_fails() {
        assert!(
            !figures()
                .judge(&[("get", count(200.0, 4.0)), ("set", count(300.0, 4.0))])
                .passed
        );
    }

    #[test]
    fn a_little_more_or_less_passes() {
        assert!(
            figures()
                .judge(&[("get", count(205.0, 3.0)), ("set", count(292.0, 4.0))])
                .passed
        );
    }

    #[test]
    fn a_gain_is_to_be_committed() {
        let judged = figures().judge(&[("get", count(180.0, 3.0)), ("set", count(300.0, 4.0))]);
        assert!(!judged.passed && judged.text.contains("hold on to it"));
    }

    #[test]
    fn paths_and_figures_must_have_each_other() {
        assert!(!figures().judge(&[("get", count(200.0, 3.0))]).passed);
        let more = [
            ("get", count(200.0, 3.0)),
            ("set", count(300.0, 4.0)),
            ("touch", count(1.0, 0.0)),
        ];
        assert!(!figures().judge(&more).passed);
    }
}
