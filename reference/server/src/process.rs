//! What `stats` tells about the process, beside what the engine counts.

use std::sync::Arc;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use refcached_store::environment::Sink;
use refcached_store::{Host, Timestamp};
use tokio::sync::watch;

use crate::config::{Config, Listen};
use crate::connections::Connections;
use crate::counters::Counters;
use crate::listener::Endpoint;
use crate::swap_figures::SwapFigures;

/// The process as the engine sees it.
pub(crate) struct Process {
    pub(crate) config: Config,
    /// Where the server listens.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) started: Timestamp,
    pub(crate) counters: Arc<Counters>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) swaps: Arc<SwapFigures>,
    pub(crate) verbosity: watch::Sender<u32>,
}

/// Names and meanings are memcached's (protocol.txt, "General-purpose statistics"); `server` and `swap_*` are ours.
impl Host for Process {
    fn statistics(&self, sink: &mut Sink<'_>) {
        sink("server", concat!("refcached/", env!("CARGO_PKG_VERSION")));
        if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
            sink("rusage_user", &seconds(usage.user_time()));
            sink("rusage_system", &seconds(usage.system_time()));
        }
        let connections = &self.connections;
        sink("max_connections", &connections.max.to_string());
        sink("curr_connections", &connections.current().to_string());
        sink("total_connections", &connections.total().to_string());
        sink("rejected_connections", &connections.rejected().to_string());
        let structures = connections.current() + self.endpoints.len();
        sink("connection_structures", &structures.to_string());
        let traffic = self.counters.traffic_total();
        sink("bytes_read", &traffic.bytes_read.to_string());
        sink("bytes_written", &traffic.bytes_written.to_string());
        let pauses = &self.counters.pauses;
        sink("accepting_conns", if pauses.none_now() { "1" } else { "0" });
        sink("listen_disabled_num", &pauses.count().to_string());
        sink("time_in_listen_disabled_us", &pauses.total_us().to_string());
        sink("threads", &self.config.threads.to_string());
        sink("conn_yields", &traffic.yields.to_string());
        self.swaps.list(sink);
    }

    fn settings(&self, sink: &mut Sink<'_>) {
        let config = &self.config;
        sink("maxconns", &config.connections_max.to_string());
        let tcp = self.endpoints.iter().find_map(|endpoint| match endpoint {
            Endpoint::Tcp(address) => Some(address),
            Endpoint::Unix(_) => None,
        });
        sink("tcpport", &tcp.map_or(0, std::net::SocketAddr::port).to_string());
        sink("udpport", "0");
        match tcp {
            Some(address) => sink("inter", &address.ip().to_string()),
            None => sink("inter", "NULL"),
        }
        sink("verbosity", &self.verbosity.borrow().to_string());
        match &config.listen {
            Listen::Unix { path, mode } => {
                sink("domain_socket", &path.display().to_string());
                sink("umask", &format!("{mode:o}"));
            }
            Listen::Tcp(_) => {
                sink("domain_socket", "NULL");
                sink("umask", "700");
            }
        }
        sink("shutdown_command", if config.shutdown_command { "yes" } else { "no" });
        sink("num_threads", &config.threads.to_string());
        sink("tcp_backlog", &config.backlog.to_string());
        sink("maxconns_fast", "yes");
        let idle_s = config.idle_timeout.map_or(0, |timeout| timeout.as_secs());
        sink("idle_timeout", &idle_s.to_string());
    }

    /// Listeners first, then connections. Each has a number in place of memcached's file descriptor: not every network that
    /// this can be put on has descriptors.
    fn connections(&self, now: Timestamp, sink: &mut Sink<'_>) {
        let up_s = now.unix_s().saturating_sub(self.started.unix_s());
        for (number, endpoint) in (1..).zip(&self.endpoints) {
            sink(&format!("{number}:addr"), &endpoint.to_string());
            sink(&format!("{number}:state"), "conn_listening");
            sink(&format!("{number}:secs_since_last_cmd"), &up_s.to_string());
        }
        self.connections.visit(|number, presence| {
            let ends = &presence.ends;
            sink(&format!("{number}:addr"), &ends.peer.to_string());
            if let Some(listener) = &ends.listener {
                sink(&format!("{number}:listen_addr"), &listener.to_string());
            }
            let executing = presence.is_executing();
            let state = if executing { "conn_parse_cmd" } else { "conn_read" };
            sink(&format!("{number}:state"), state);
            let idle_s = presence.idle_s(now).to_string();
            sink(&format!("{number}:secs_since_last_cmd"), &idle_s);
        });
    }

    fn reset_statistics(&self) {
        self.connections.reset();
        self.counters.reset();
    }

    fn set_verbosity(&self, level: u32) {
        tracing::debug!(level, "a client sets the verbosity");
        self.verbosity.send_replace(level);
    }
}

/// Seconds and microseconds, as memcached writes them.
fn seconds(time: TimeVal) -> String {
    format!("{}.{:06}", time.tv_sec(), time.tv_usec())
}
