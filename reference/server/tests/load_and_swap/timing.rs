//! Latencies with and without a swap, and how soon a swap is seen.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    /// When each question was asked, and when it had been answered.
    questions: Vec<(Instant, Instant)>,
    /// By generation.
    swaps: BTreeMap<u64, Swap>,
}

#[derive(Debug, Default)]
struct Swap {
    /// When it was asked for, how long the new dataset took to load, when it had answered.
    asked: Option<(Instant, Duration, Instant)>,
    /// Connections that were answered by the new dataset, and when the last of them was for the first time.
    seen_by: usize,
    seen_by_last: Option<Instant>,
    /// The last question that was asked and answered by the old dataset.
    last_answer_of_old: Option<Instant>,
}

impl Timing {
    pub(crate) fn answered(&mut self, sent: Instant) {
        self.questions.push((sent, Instant::now()));
    }

    /// A connection was answered by this generation for the first time.
    pub(crate) fn seen(&mut self, generation: u64) {
        let swap = self.swaps.entry(generation).or_default();
        swap.seen_by += 1;
        swap.seen_by_last = Some(Instant::now());
    }

    /// A question that was sent then was answered by a generation before this one, no doubt about it.
    pub(crate) fn not_seen(&mut self, generation: u64, sent: Instant) {
        let last = &mut self.swaps.entry(generation).or_default().last_answer_of_old;
        *last = (*last).max(Some(sent));
    }

    /// A swap has answered.
    pub(crate) fn swapped(&mut self, generation: u64, asked: Instant, load: Duration) {
        self.swaps.entry(generation).or_default().asked = Some((asked, load, Instant::now()));
    }

    pub(crate) fn seen_by(&self, generation: u64) -> usize {
        self.swaps.get(&generation).map_or(0, |swap| swap.seen_by)
    }

    /// For how long after the new dataset had been loaded a question could be sent that the old one answered: the median of
    /// the swaps.
    ///
    /// Counted from the moment at which the swap was asked for plus the time that the server took to load, so it is too
    /// much by what the request and the server's threads waited for, and never too little. It is the questions' times of sending that
    /// count: how often the connections ask, and how long an answer takes to be read on a busy machine, change nothing. What
    /// remains of the machine's mood is in single swaps; a server that is slow to show its dataset is so in all.
    pub(crate) fn seen_after(&self) -> Duration {
        let mut delays: Vec<Duration> = self.swaps.values().filter_map(Swap::delay).collect();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied().unwrap_or_default()
    }
}

impl Swap {
    /// When the new dataset had been loaded, at the earliest.
    fn loaded(&self) -> Option<Instant> {
        self.asked.map(|(asked, load, _)| asked + load)
    }

    fn delay(&self) -> Option<Duration> {
        let loaded = self.loaded()?;
        let delay = self
            .last_answer_of_old
            .map(|last| last.saturating_duration_since(loaded));
        Some(delay.unwrap_or_default())
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spans: Vec<_> = self.swaps.values().filter_map(|swap| swap.asked).collect();
        let (during, without): (Vec<_>, Vec<_>) = self.questions.iter().partition(|(sent, answered)| {
            let mut spans = spans.iter();
            spans.any(|(begun, _, ended)| sent <= ended && begun <= answered)
        });
        writeln!(
            f,
            "{:<14} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "latency, ms", "questions", "p50", "p99", "p99.9", "worst"
        )?;
        for (name, questions) in [("without a swap", without), ("during a swap", during)] {
            let mut latencies: Vec<Duration> = questions.iter().map(|(sent, answered)| *answered - *sent).collect();
            latencies.sort_unstable();
            write!(f, "{name:<14} {:>9}", latencies.len())?;
            for per_mille in [500, 990, 999, 1000] {
                let rank = (latencies.len() * per_mille).div_ceil(1000).max(1) - 1;
                write!(f, " {:>9.2}", milliseconds(latencies.get(rank).copied()))?;
            }
            writeln!(f)?;
        }
        let delays = self.swaps.values().filter_map(Swap::delay);
        writeln!(
            f,
            "a loaded dataset is seen by all after {:.2} ms (median of {} swaps; worst {:.2} ms), every connection has had an \
             answer from it after {:.2} ms (worst)",
            milliseconds(Some(self.seen_after())),
            spans.len(),
            milliseconds(delays.max()),
            milliseconds(
                self.swaps
                    .values()
                    .filter_map(|swap| Some(swap.seen_by_last? - swap.loaded()?))
                    .max()
            ),
        )?;
        write!(
            f,
            "swaps take {:.0} ms (worst), of which loading and checking is {:.0} ms",
            milliseconds(spans.iter().map(|(begun, _, ended)| *ended - *begun).max()),
            milliseconds(spans.iter().map(|(_, load, _)| *load).max()),
        )
    }
}

fn milliseconds(duration: Option<Duration>) -> f64 {
    duration.unwrap_or_default().as_secs_f64() * 1e3
}
