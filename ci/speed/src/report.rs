//! The table.

use std::fmt::Write as _;

use crate::measure::{Compared, Results};

/// A share of p99.9 that is noise: between two runs of one server it differs by as much.
const P999_NOISE: f64 = 1.1;

/// A table of all mixes, Markdown that a terminal shows well too.
pub(crate) fn table(results: &Results) -> String {
    if results.mixes.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    let cores = if results.apart {
        "a processor of its own"
    } else {
        "the same processors"
    };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        out,
        "{} thread(s) each; the generator has {cores}; medians of {} measurements of {} s in turn; seed {}",
        results.threads, results.rounds, results.seconds, results.seed
    );
    let _ = writeln!(
        out,
        "thousands of operations a second, and per second of the server's processors; ratio of the latter\n"
    );
    let _ = writeln!(
        out,
        "| {:<35} | {:<9} | {:>7} | {:>9} | {:>8} | {:>8} | {:>9} | {:>6} | {:>5} | {:>4} |",
        "mix", "server", "kops/s", "kops/CPU s", "p50 us", "p99 us", "p99.9 us", "MiB", "ratio", "goal"
    );
    let _ = writeln!(
        out,
        "|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|",
        "-".repeat(37),
        "-".repeat(11),
        right(9),
        right(12),
        right(10),
        right(10),
        right(11),
        right(8),
        right(7),
        right(6)
    );
    for compared in &results.mixes {
        for (i, measured) in compared.servers.iter().enumerate() {
            let (mix, ratio, goal) = match i {
                0 => (compared.mix, String::new(), String::new()),
                _ => ("", format!("{:.2}", compared.ratio), format!("{:.1}", compared.goal)),
            };
            let _ = writeln!(
                out,
                "| {mix:<35} | {:<9} | {:>7.0} | {:>10.0} | {:>8.0} | {:>8.0} | {:>9.0} | {:>6} | {ratio:>5} | {goal:>4} |",
                measured.server,
                measured.rate / 1e3,
                measured.rate_per_cpu / 1e3,
                measured.p50_us,
                measured.p99_us,
                measured.p999_us,
                measured.resident_bytes >> 20,
            );
        }
    }
    out.push('\n');
    out.push_str(&missed(&results.mixes));
    out
}

/// Every goal that was missed, and by how much.
fn missed(mixes: &[Compared]) -> String {
    let mut lines = Vec::new();
    for compared in mixes {
        let (mix, [first, second]) = (compared.mix, &compared.servers);
        if compared.ratio < compared.goal {
            let short = 100.0 * (1.0 - compared.ratio / compared.goal);
            lines.push(format!(
                "{mix}: {:.2} of {:.1} times {}, {short:.0} % short",
                compared.ratio, compared.goal, first.server
            ));
        }
        if second.p999_us > P999_NOISE * first.p999_us {
            lines.push(format!(
                "{mix}: p99.9 is {:.1} times that of {}",
                second.p999_us / first.p999_us,
                first.server
            ));
        }
        if compared.resident_bytes_matter && second.resident_bytes > first.resident_bytes {
            let more = second.resident_bytes - first.resident_bytes;
            lines.push(format!(
                "{mix}: {} MiB more than {}",
                more.div_ceil(1 << 20),
                first.server
            ));
        }
    }
    if lines.is_empty() {
        return "No goal is missed.\n".to_owned();
    }
    format!("Missed:\n- {}\n", lines.join("\n- "))
}

/// A line of a table of figures that are not beside another server's.
pub(crate) struct Line {
    what: String,
    figure: String,
    /// The goal, and by how much it is missed.
    goal: String,
}

impl Line {
    /// A figure without a goal.
    pub(crate) fn told(what: impl Into<String>, figure: String) -> Line {
        Line {
            what: what.into(),
            figure,
            goal: String::new(),
        }
    }

    /// The same with a goal, in the words of `goal`, that `value` must reach.
    pub(crate) fn at_least(self, value: f64, least: f64, goal: &str) -> Line {
        self.judged(value >= least, goal, 1.0 - value / least, "short")
    }

    /// The same with a goal that `value` must not exceed.
    pub(crate) fn at_most(self, value: f64, most: f64, goal: &str) -> Line {
        self.judged(value <= most, goal, value / most - 1.0, "over")
    }

    fn judged(self, is_met: bool, goal: &str, share: f64, side: &str) -> Line {
        let goal = if is_met {
            goal.to_owned()
        } else {
            format!("{goal}, missed: {:.0} % {side}", (100.0 * share).ceil())
        };
        Line { goal, ..self }
    }
}

/// A table of such lines, under this heading.
pub(crate) fn figures(heading: &str, lines: &[Line]) -> String {
    let mut out = format!("| {heading} | figure | goal |\n|---|---:|---:|\n");
    for Line { what, figure, goal } in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {what} | {figure} | {goal} |");
    }
    out
}

/// The rule below a column of numbers.
fn right(width: usize) -> String {
    format!("{}:", "-".repeat(width - 1))
}
