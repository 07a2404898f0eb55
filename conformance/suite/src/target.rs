//! What the suite learns about a server before it judges it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::case::Release;
use crate::escape::escape;
use crate::play::{Address, Deadline, Fault, Token, Wire};

/// How the suite makes sure that a connection is in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fence {
    /// The meta no-op `mn`, answered by `MN`.
    Mn,
    /// The command `version`, for servers without `mn`.
    Version,
}

impl Fence {
    /// What is sent.
    pub fn request(self) -> &'static [u8] {
        match self {
            Self::Mn => b"mn\r\n",
            Self::Version => b"version\r\n",
        }
    }

    pub(crate) fn answer(self) -> Vec<Token> {
        match self {
            Self::Mn => vec![Token::Bytes(b"MN\r\n".to_vec())],
            Self::Version => version_answer(),
        }
    }
}

fn version_answer() -> Vec<Token> {
    vec![
        Token::Bytes(b"VERSION ".to_vec()),
        Token::Text,
        Token::Bytes(b"\r\n".to_vec()),
    ]
}

/// A server that speaks memcached, as far as a probe can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: Address,
    /// What stood after `VERSION `, if it answers that.
    pub version: Option<String>,
    /// How to make sure that a connection is in step.
    pub fence: Fence,
    /// The capabilities that it has.
    pub capabilities: BTreeSet<String>,
}

impl Target {
    /// Declares that the server was started for this run alone: what would harm a server in use may be tried on it.
    pub fn own(&mut self) {
        self.capabilities.extend(OWNED.iter().map(|name| (*name).to_owned()));
    }

    /// The release that the server says it is.
    pub fn release(&self) -> Option<Release> {
        self.version.as_deref().and_then(Release::from_version_line)
    }
}

/// Why a server cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ProbeError {
    /// Where it was looked for.
    pub address: String,
    /// What was done.
    pub tried: &'static str,
    /// What happened.
    pub problem: ProbeProblem,
    /// For how long.
    pub after: Duration,
}

/// What happened when a server was probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeProblem {
    /// No connection.
    NoConnection(String),
    /// A connection, but no answer.
    Silent,
    /// The server closed the connection.
    Closed,
    /// An answer that no memcached server gives.
    Foreign(Vec<u8>),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            tried,
            problem,
            after,
        } = self;
        let seconds = after.as_secs_f64();
        match problem {
            ProbeProblem::NoConnection(cause) => {
                write!(
                    f,
                    "{address}: no connection after {seconds:.1} s: {cause}; is the server running there?"
                )
            }
            ProbeProblem::Silent => write!(
                f,
                "{address}: connected, but no answer to {tried} within {seconds:.1} s; \
                 is it a memcached server? --timeout allows more time"
            ),
            ProbeProblem::Closed => write!(
                f,
                "{address}: the server closed the connection {seconds:.1} s after {tried} was sent; \
                 is it a memcached server, and does it accept this client?"
            ),
            ProbeProblem::Foreign(bytes) => {
                let shown = escape(&bytes[..bytes.len().min(60)]);
                write!(
                    f,
                    "{address}: answered `{shown}` to {tried} after {seconds:.1} s; that is no memcached server"
                )
            }
        }
    }
}

/// Finds out whether a memcached server listens at `address`, and what it offers.
///
/// # Errors
/// What was tried and what happened instead, at the latest when `timeout` is over.
pub async fn probe(address: &Address, timeout: Duration) -> Result<Target, ProbeError> {
    let prober = Prober {
        address,
        start: Instant::now(),
        deadline: Instant::now() + timeout,
    };
    let (version, fence) = prober.fence().await?;
    let mut capabilities: BTreeSet<String> = ASSUMED.iter().map(|name| (*name).to_owned()).collect();
    // Side by side: a server that keeps silent where it should refuse takes the time of one capability, not of all.
    let offered = join_all(CAPABILITIES.iter().map(|capability| prober.offers(capability))).await;
    for (capability, offered) in CAPABILITIES.iter().zip(offered) {
        if offered? {
            capabilities.insert(capability.name.to_owned());
        }
    }
    Ok(Target {
        address: address.clone(),
        version,
        fence,
        capabilities,
    })
}

/// A request whose answer shows whether a server offers a capability; it changes no data of others.
struct Capability {
    name: &'static str,
    request: &'static str,
    /// How an answer begins that shows the capability; any of these.
    shown_by: &'static [&'static str],
}

/// The key is one that no user is likely to have; what is stored under it expires at once.
const CAPABILITIES: &[Capability] = &[
    Capability {
        name: "cas",
        // Not stored: there is no item of that number under the key. A negative time would be refused by some.
        request: "cas mcspec-probe 0 1 1 1\r\nx\r\n",
        shown_by: &["NOT_FOUND", "EXISTS"],
    },
    Capability {
        name: "touch",
        request: "touch mcspec-probe 0\r\n",
        shown_by: &["NOT_FOUND", "TOUCHED"],
    },
    Capability {
        name: "gat",
        request: "gat 0 mcspec-probe\r\n",
        shown_by: &["END", "VALUE"],
    },
    Capability {
        name: "verbosity",
        request: "verbosity 0\r\n",
        shown_by: &["OK"],
    },
    Capability {
        name: "stats",
        request: "stats\r\n",
        shown_by: &["STAT "],
    },
    Capability {
        name: "meta",
        request: "ms mcspec-probe 1 T-1\r\nx\r\n",
        shown_by: &["HD"],
    },
    Capability {
        name: "slabs",
        request: "slabs reassign 1 1\r\n",
        shown_by: &["SAME ", "BADCLASS ", "OK"],
    },
    Capability {
        name: "lru-crawler",
        request: "lru_crawler crawl 999\r\n",
        shown_by: &["BADCLASS "],
    },
    Capability {
        name: "mgdump",
        request: "lru_crawler mgdump 999\r\n",
        shown_by: &["BADCLASS "],
    },
    // The connection of a probe ends with it, and so does its watching.
    Capability {
        name: "watch",
        request: "watch evictions\r\n",
        shown_by: &["OK"],
    },
    Capability {
        name: "watch-connections",
        request: "watch connevents\r\n",
        shown_by: &["OK"],
    },
    Capability {
        name: "watch-deletions",
        request: "watch deletions\r\n",
        shown_by: &["OK"],
    },
    Capability {
        name: "meta-old",
        request: "ms mcspec-probe S1 T-1\r\nx\r\n",
        shown_by: &["OK"],
    },
];

/// Capabilities that no probe can find out without destroying what others stored; a server has them unless its target
/// file says otherwise.
const ASSUMED: &[&str] = &["flush", "flush-delay"];

/// Capabilities that only a server of our own is asked for: to find them out is to use them, and they stop a server or
/// change how it keeps its items, or list them all.
const OWNED: &[&str] = &["dump", "lru", "memlimit", "shutdown"];

/// The longest that the probe of one capability may take; a server that says nothing does not offer it.
const CAPABILITY_TIMEOUT: Duration = Duration::from_secs(1);

/// Every capability that a case may need.
pub fn capability_names() -> impl Iterator<Item = &'static str> {
    CAPABILITIES
        .iter()
        .map(|capability| capability.name)
        .chain(ASSUMED.iter().chain(OWNED).copied())
}

/// Every capability with how it is found out, and for one that is probed the request and how an answer begins that shows it.
pub(crate) fn capabilities() -> impl Iterator<Item = (&'static str, &'static str, Option<Probe>)> {
    let probed = CAPABILITIES.iter();
    let probed = probed.map(|one| (one.name, "probed", Some((one.request, one.shown_by))));
    let assumed = ASSUMED.iter().map(|name| (*name, "assumed", None));
    let owned = OWNED.iter().map(|name| (*name, "owned", None));
    probed.chain(assumed).chain(owned)
}

/// A request, and how the first line of an answer begins that shows the capability; any of these.
pub(crate) type Probe = (&'static str, &'static [&'static str]);

/// Whether a probe finds this capability out, rather than its being assumed.
pub(crate) fn is_probed(name: &str) -> bool {
    CAPABILITIES.iter().any(|capability| capability.name == name)
}

/// The capabilities that a probe finds out.
pub(crate) fn probed_names() -> impl Iterator<Item = &'static str> {
    CAPABILITIES.iter().map(|capability| capability.name)
}

/// Whether only a server of our own is asked for this capability.
pub(crate) fn is_tried_on_own_servers_only(name: &str) -> bool {
    OWNED.contains(&name)
}

struct Prober<'a> {
    address: &'a Address,
    start: Instant,
    deadline: Instant,
}

impl Prober<'_> {
    async fn fence(&self) -> Result<(Option<String>, Fence), ProbeError> {
        let answer = self.first_line("`version`", "version\r\n", None).await?;
        let version = answer
            .strip_prefix(b"VERSION ")
            .map(|rest| String::from_utf8_lossy(rest).into_owned());
        if version.is_none() && !is_refusal(&answer) {
            return Err(self.error("`version`", ProbeProblem::Foreign(answer)));
        }
        let answer = match self.first_line("`mn`", "mn\r\n", None).await {
            Ok(answer) => answer,
            // Some proxies hang up on a command that they do not know.
            Err(ProbeError {
                problem: ProbeProblem::Closed,
                ..
            }) if version.is_some() => b"ERROR".to_vec(),
            Err(error) => return Err(error),
        };
        match (answer == b"MN", &version) {
            (true, _) => Ok((version, Fence::Mn)),
            (false, Some(_)) => Ok((version, Fence::Version)),
            (false, None) => Err(self.error("`version` and `mn`", ProbeProblem::Foreign(answer))),
        }
    }

    async fn offers(&self, capability: &Capability) -> Result<bool, ProbeError> {
        let patience = Some(CAPABILITY_TIMEOUT);
        match self.first_line(capability.name, capability.request, patience).await {
            Ok(answer) => Ok(capability
                .shown_by
                .iter()
                .any(|begin| answer.starts_with(begin.as_bytes()))),
            Err(
                error @ ProbeError {
                    problem: ProbeProblem::NoConnection(_),
                    ..
                },
            ) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Sends a request on a connection of its own and reads one line, without its end. `patience` is for the answer alone: a
    /// server that is too busy to accept offers no less.
    async fn first_line(
        &self,
        tried: &'static str,
        request: &str,
        patience: Option<Duration>,
    ) -> Result<Vec<u8>, ProbeError> {
        let no_connection = |cause: io::Error| self.error(tried, ProbeProblem::NoConnection(cause.to_string()));
        let connect = timeout_at(self.deadline, self.address.connect()).await;
        let stream = connect
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(no_connection)?;
        let mut wire = Wire::new(stream);
        let deadline = patience.map_or(self.deadline, |patience| self.deadline.min(Instant::now() + patience));
        let deadline = Deadline::fixed(deadline);
        wire.send(&[request.as_bytes().to_vec()], 0, deadline).await;
        match wire.line(deadline).await {
            Ok(line) => Ok(line),
            Err(_) if !wire.unread().is_empty() => {
                Err(self.error(tried, ProbeProblem::Foreign(wire.unread().to_vec())))
            }
            Err(Fault::TimedOut) => Err(self.error(tried, ProbeProblem::Silent)),
            Err(_) => Err(self.error(tried, ProbeProblem::Closed)),
        }
    }

    fn error(&self, tried: &'static str, problem: ProbeProblem) -> ProbeError {
        ProbeError {
            address: self.address.to_string(),
            tried,
            problem,
            after: self.start.elapsed(),
        }
    }
}

fn is_refusal(line: &[u8]) -> bool {
    line == b"ERROR" || line.starts_with(b"CLIENT_ERROR ") || line.starts_with(b"SERVER_ERROR ")
}
