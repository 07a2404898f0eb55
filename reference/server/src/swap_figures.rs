//! What is counted of switches, for `stats` and for whoever runs the server.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use refcached_store::environment::Sink;

use crate::administration::{Statistic, Switched};

/// Counted since the server started; `stats reset` leaves it as it is.
#[derive(Debug, Default)]
pub(crate) struct SwapFigures {
    /// The dataset that is served.
    pub(crate) generation: AtomicU64,
    /// Switches that were asked for and changed nothing.
    pub(crate) failures: AtomicU64,
    /// Datasets that were replaced and are not closed yet.
    pub(crate) draining: AtomicU64,
    /// Drains at whose deadline somebody still had the old dataset.
    pub(crate) deadlines: AtomicU64,
    /// Clients that were hung up on because there was no room for the rest of their reply.
    pub(crate) hung_up: AtomicU64,
    swaps: AtomicU64,
    load_us: AtomicU64,
    publish_us: AtomicU64,
    drain_us: AtomicU64,
}

impl SwapFigures {
    /// Counts a switch.
    pub(crate) fn note(&self, switched: &Switched) {
        self.swaps.fetch_add(1, Relaxed);
        for (figure, time) in [
            (&self.load_us, switched.load),
            (&self.publish_us, switched.publish),
            (&self.drain_us, switched.drain),
        ] {
            figure.store(microseconds(time), Relaxed);
        }
    }

    /// Lines for `stats`. No name of memcached begins with `swap_`.
    pub(crate) fn list(&self, sink: &mut Sink<'_>) {
        for (name, figure) in [
            ("swap_generation", &self.generation),
            ("swap_count", &self.swaps),
            ("swap_failures", &self.failures),
            ("swap_draining", &self.draining),
            ("swap_deadlines", &self.deadlines),
            ("swap_hung_up", &self.hung_up),
            ("swap_last_load_us", &self.load_us),
            ("swap_last_publish_us", &self.publish_us),
            ("swap_last_drain_us", &self.drain_us),
        ] {
            sink(name, &figure.load(Relaxed).to_string());
        }
    }

    /// The same for the control API.
    pub(crate) fn statistics(&self) -> Vec<Statistic> {
        let count = |figure: &AtomicU64| figure.load(Relaxed);
        let seconds = |figure: &AtomicU64| Duration::from_micros(count(figure)).as_secs_f64();
        vec![
            Statistic::gauge(
                "generation",
                "Number of the dataset that is served.",
                count(&self.generation),
            ),
            Statistic::counter("swaps", "Datasets that have replaced another.", count(&self.swaps)),
            Statistic::counter(
                "swap_failures",
                "Switches that were asked for and changed nothing.",
                count(&self.failures),
            ),
            Statistic::gauge(
                "datasets_draining",
                "Datasets that were replaced and are not closed yet.",
                count(&self.draining),
            ),
            Statistic::counter(
                "swap_deadlines",
                "Drains at whose deadline somebody still read the old dataset.",
                count(&self.deadlines),
            ),
            Statistic::counter(
                "swap_hung_up",
                "Clients hung up on because there was no room for the rest of a reply from an old dataset.",
                count(&self.hung_up),
            ),
            Statistic::measure(
                "swap_last_load_seconds",
                "How long the last dataset took to open and check.",
                seconds(&self.load_us),
            ),
            Statistic::measure(
                "swap_last_publish_seconds",
                "How long the last dataset took to be put in place.",
                seconds(&self.publish_us),
            ),
            Statistic::measure(
                "swap_last_drain_seconds",
                "How long the last dataset that was replaced took to be closed.",
                seconds(&self.drain_us),
            ),
        ]
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
