//! What a server can be told.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use refcached_swap::Policy;

/// The port of memcached.
pub const DEFAULT_PORT: u16 = 11211;

/// What a server can be told. [`Config::default`] is memcached's own default, on port 11211 of every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// Connections that the kernel keeps waiting for each listener.
    pub backlog: u32,
    /// Memory for items, in bytes.
    pub memory_bytes: u64,
    /// The largest item, in bytes, counted as [`refcached_protocol::Limits::item_bytes_max`] counts.
    pub item_bytes_max: u64,
    /// Connections at a time; one more is told so and closed.
    pub connections_max: usize,
    /// Worker threads. The runtime belongs to the caller: this number is reported in `stats`, nothing else.
    pub threads: usize,
    /// A connection on which nothing moved for this long is closed. `None`: never.
    pub idle_timeout: Option<Duration>,
    /// How long connections have, once the server stops, to finish the command in hand.
    pub stop_grace: Duration,
    /// Whether the `shutdown` command stops the server.
    pub shutdown_command: bool,
    /// Whether the command `watch` is obeyed.
    pub watch_command: bool,
    /// The name of the backend, one of [`crate::BACKENDS`].
    pub backend: String,
    /// Where datasets lie; none can be switched to without it.
    pub data_dir: Option<PathBuf>,
    /// The dataset that is served first, a path relative to `data_dir`.
    pub data: Option<String>,
    /// When a change is acknowledged.
    pub durability: Durability,
    /// Memory for pages of an open dataset file, in bytes. During a switch two files are open.
    pub cache_bytes: usize,
    /// When open connections move to a dataset that replaces theirs.
    pub swap_policy: Policy,
    /// How long a dataset that was replaced is kept for commands that read it, and under [`Policy::Connection`] for
    /// connections. Then they are moved.
    pub drain_timeout: Duration,
    /// Whether changes are refused.
    pub read_only: bool,
    /// Whether `switchdb`, `range` and `dbstats` are offered.
    pub extensions: bool,
}

/// When a change is acknowledged, by a backend that keeps files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: it survives a crash of the machine.
    #[default]
    Immediate,
    /// At once. It is on the disk when the server has stopped in good order; a crash may lose any of it, newest first.
    None,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: Listen::Tcp(ListenAddress::everywhere(DEFAULT_PORT)),
            backlog: 1024,
            memory_bytes: 64 << 20,
            item_bytes_max: 1 << 20,
            connections_max: 1024,
            threads: 4,
            idle_timeout: None,
            stop_grace: Duration::from_secs(5),
            shutdown_command: false,
            watch_command: true,
            backend: "memory".to_owned(),
            data_dir: None,
            data: None,
            durability: Durability::Immediate,
            cache_bytes: 256 << 20,
            swap_policy: Policy::Command,
            drain_timeout: Duration::from_secs(10),
            read_only: false,
            extensions: false,
        }
    }
}

/// Where a server listens: TCP or a Unix socket, not both, as in memcached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On each of these addresses.
    Tcp(Vec<ListenAddress>),
    /// On a Unix socket.
    Unix {
        /// Where the socket is made. What a dead server left there is replaced.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// What it names.
    pub host: Host,
    /// The port; 0 lets the kernel choose one.
    pub port: u16,
}

/// The part of a [`ListenAddress`] before the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A numeric address.
    Address(IpAddr),
    /// Like [`Host::Address`], but it is no error if the machine does not have this family of addresses.
    IfAvailable(IpAddr),
    /// A name to resolve; all its addresses are used.
    Name(String),
}

impl ListenAddress {
    /// All addresses of the machine: IPv4, and IPv6 where the machine has it.
    pub fn everywhere(port: u16) -> Vec<ListenAddress> {
        let ipv4 = Host::Address(IpAddr::from([0; 4]));
        let ipv6 = Host::IfAvailable(IpAddr::from([0; 16]));
        [ipv4, ipv6].map(|host| ListenAddress { host, port }).to_vec()
    }

    /// Reads `HOST`, `HOST:PORT`, `IPV6` or `[IPV6]:PORT`, with `default_port` where none is given.
    ///
    /// # Errors
    /// Says what is wrong with `text`.
    pub fn parse(text: &str, default_port: u16) -> Result<ListenAddress, BadListenAddress> {
        let fault = |reason| BadListenAddress {
            text: text.to_owned(),
            reason,
        };
        if let Ok(address) = SocketAddr::from_str(text) {
            return Ok(ListenAddress {
                host: Host::Address(address.ip()),
                port: address.port(),
            });
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = IpAddr::from_str(bare.unwrap_or(text)) {
            return Ok(ListenAddress {
                host: Host::Address(address),
                port: default_port,
            });
        }
        let (name, port) = match text.rsplit_once(':') {
            None => (text, default_port),
            Some((name, port)) => match port.parse() {
                Ok(port) => (name, port),
                Err(_) => return Err(fault("the port is not a number from 0 to 65535")),
            },
        };
        if name.is_empty() {
            return Err(fault("there is no address in it"));
        }
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        {
            return Err(fault("it is neither an IP address nor a host name"));
        }
        Ok(ListenAddress {
            host: Host::Name(name.to_owned()),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(ip) | Host::IfAvailable(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// Text that names no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen on {text:?}: {reason}; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT")]
pub struct BadListenAddress {
    text: String,
    reason: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        ListenAddress::parse(text, 11211).unwrap().to_string()
    }

    #[test]
    fn an_address_may_stand_with_and_without_a_port() {
        assert_eq!(shown("127.0.0.1"), "127.0.0.1:11211");
        assert_eq!(shown("127.0.0.1:1"), "127.0.0.1:1");
        assert_eq!(shown("::1"), "[::1]:11211");
        assert_eq!(shown("[::1]"), "[::1]:11211");
        assert_eq!(shown("[::1]:2"), "[::1]:2");
        assert_eq!(shown("localhost"), "localhost:11211");
        assert_eq!(shown("cache-1.example:0"), "cache-1.example:0");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "there is no address"),
            (":11211", "there is no address"),
            ("127.0.0.1:65536", "the port is not a number"),
            ("127.0.0.1:", "the port is not a number"),
            ("[::1", "neither an IP address nor a host name"),
            ("[::1]:x", "the port is not a number"),
            ("a b", "neither an IP address nor a host name"),
        ] {
            let fault = ListenAddress::parse(text, 1).unwrap_err().to_string();
            assert!(fault.contains(reason), "{text:?}: {fault}");
        }
    }
}
