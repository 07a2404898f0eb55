//! The service as whoever runs the server sees it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use refcached_swap::Policy;

use crate::administration::{Administration, Statistic, Status, Switching};
use crate::backend::Backend;
use crate::service::Service;

impl<B: Backend> Administration for Service<B> {
    fn switch(self: Arc<Self>, filename: String) -> Switching {
        self.datasets().switch(filename)
    }

    fn status(&self) -> Status {
        let datasets = self.datasets();
        let (filename, generation) = datasets.served();
        Status {
            backend: datasets.backend().name().to_owned(),
            policy: policy_name(datasets.policy()).to_owned(),
            filename,
            generation,
            keys: datasets.statistics().curr_items,
            connections: self.connections().current() as u64,
            uptime: Duration::from_millis(self.now().unix_ms().saturating_sub(self.started().unix_ms())),
            read_only: datasets.read_only(),
            switching: datasets.switching(),
            draining: datasets.figures.draining.load(Relaxed),
            stopping: self.stop_signal().is_given(),
        }
    }

    fn statistics(&self) -> Vec<Statistic> {
        let store = self.datasets().statistics();
        let traffic = self.counters().traffic_total();
        let connections = self.connections();
        let mut statistics = vec![
            Statistic::gauge(
                "keys",
                "Records held; expired ones count until they are reclaimed.",
                store.curr_items,
            ),
            Statistic::gauge("items_bytes", "Bytes that the records take.", store.bytes),
            Statistic::counter("items_stored", "Records stored.", store.total_items),
            Statistic::counter("evictions", "Live records dropped to make room.", store.evictions),
            Statistic::counter("reclaimed", "Expired records dropped.", store.reclaimed),
            Statistic::gauge(
                "connections",
                "Connections that are open.",
                connections.current() as u64,
            ),
            Statistic::counter("connections_opened", "Connections accepted.", connections.total()),
            Statistic::counter(
                "connections_rejected",
                "Connections refused because there were as many as allowed.",
                connections.rejected(),
            ),
            Statistic::counter("received_bytes", "Bytes received from clients.", traffic.bytes_read),
            Statistic::counter("sent_bytes", "Bytes sent to clients.", traffic.bytes_written),
        ];
        statistics.extend(self.datasets().figures.statistics());
        let counted = self.datasets().environment().counted();
        statistics.extend(counted.map(|(name, count)| Statistic::counter(name, "As `stats` counts it.", count)));
        self.datasets().figures_of_backend(&mut |name, value| {
            statistics.extend(of_backend(name, value));
        });
        statistics
    }
}

/// A figure of the backend, whose names and kinds are its own; none if it is a text.
fn of_backend(name: &str, value: &str) -> Option<Statistic> {
    let help = "What `stats` tells of the backend, by its name there.";
    let statistic = match value.parse() {
        Ok(count) => Statistic::gauge("backend", help, count),
        Err(_) => Statistic::measure("backend", help, value.parse().ok()?),
    };
    Some(statistic.with_label("figure", name))
}

/// As `--swap-policy` takes it.
pub(crate) fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Command => "command",
        Policy::Connection => "connection",
    }
}
