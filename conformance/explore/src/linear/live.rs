//! Concurrent histories on a live server: several clients, one key, all at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Call, Item, Operation, Reply, Violation, check};
use crate::link::Link;
use crate::play::Site;
use crate::random::Random;

/// How to test.
#[derive(Debug, Clone)]
pub struct Concurrent {
    /// The server.
    pub site: Site,
    /// What the operations are made from. The order in which a server gets them is up to the system.
    pub seed: u64,
    /// Stop after so many operations.
    pub commands: Option<u64>,
    /// Stop after so long.
    pub time: Option<Duration>,
}

/// What came of a test.
#[derive(Debug, Clone, Default)]
pub struct Rounds {
    /// Histories; each had a key of its own.
    pub rounds: u64,
    /// Operations in all.
    pub operations: u64,
    /// The first history that no order explains, and its number.
    pub violation: Option<(u64, Violation<Call, Reply>)>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a test ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ConcurrentError {
    /// No connection.
    #[error("{address}: {cause} after {operations} operations; is the server still running?")]
    Unreachable {
        /// The server.
        address: String,
        /// What the system said.
        cause: std::io::Error,
        /// How many operations had been sent.
        operations: u64,
    },
    /// An answer that no such command can have.
    #[error("{call:?} was answered by `{reply}`, which is no answer to it")]
    Foreign {
        /// The command.
        call: Call,
        /// The answer, escaped.
        reply: String,
    },
}

/// Clients of one round, and operations of each: few enough that every order can be tried.
const CLIENTS: usize = 4;
const OPERATIONS: usize = 8;
/// Rounds that run at once.
const ROUNDS: usize = 4;

/// Runs rounds until a bound is reached or a violation is found.
///
/// # Errors
/// When the server cannot be reached, or answers what cannot be understood.
pub async fn concurrent(
    options: &Concurrent,
    on_progress: &mut dyn FnMut(u64, Duration),
) -> Result<Rounds, ConcurrentError> {
    let start = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let run = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |age| age.as_micros());
    let mut lanes = JoinSet::new();
    for _ in 0..ROUNDS {
        lanes.spawn(run_rounds(options.clone(), Arc::clone(&next), run as u64, start));
    }
    let mut rounds = Rounds::default();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            lane = lanes.join_next() => match lane {
                Some(Ok(lane)) => {
                    if let found @ Some(_) = lane? {
                        rounds.violation = found;
                        break;
                    }
                }
                Some(Err(_)) => {}
                None => break,
            },
            _ = tick.tick() => on_progress(operations(&next), start.elapsed()),
        }
    }
    lanes.abort_all();
    rounds.rounds = next.load(Ordering::Relaxed);
    rounds.operations = operations(&next);
    rounds.elapsed = start.elapsed();
    Ok(rounds)
}

fn operations(rounds: &AtomicU64) -> u64 {
    rounds.load(Ordering::Relaxed) * (CLIENTS * OPERATIONS) as u64
}

/// A round that no order explains, with its number.
type Found = Option<(u64, Violation<Call, Reply>)>;

async fn run_rounds(
    options: Concurrent,
    next: Arc<AtomicU64>,
    run: u64,
    start: Instant,
) -> Result<Found, ConcurrentError> {
    let unreachable = |cause| ConcurrentError::Unreachable {
        address: options.site.address.to_string(),
        cause,
        operations: operations(&next),
    };
    let mut links = Vec::new();
    for _ in 0..CLIENTS {
        let Site {
            address,
            fence,
            patience,
        } = &options.site;
        links.push(Link::open(address, *fence, *patience).await.map_err(unreachable)?);
    }
    loop {
        let is_late = options.time.is_some_and(|time| start.elapsed() >= time);
        if is_late || options.commands.is_some_and(|commands| operations(&next) >= commands) {
            return Ok(None);
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        let key = format!("lin{run:x}r{number}");
        let mut clients = JoinSet::new();
        for (client, link) in links.drain(..).enumerate() {
            let random = Random::new(options.seed, number * CLIENTS as u64 + client as u64);
            clients.spawn(run_client(link, client, key.clone(), random, start));
        }
        let mut history = Vec::new();
        while let Some(client) = clients.join_next().await {
            // A client that panicked would have no operations; there is nothing in it that can.
            let Ok(client) = client else { continue };
            let (link, operations) = client?;
            links.push(link);
            history.extend(operations);
        }
        if let Err(violation) = check(&Item, &history) {
            return Ok(Some((number, violation)));
        }
        if history.iter().any(|operation| operation.returned.is_none()) {
            return Ok(None);
        }
    }
}

async fn run_client(
    mut link: Link,
    client: usize,
    key: String,
    mut random: Random,
    start: Instant,
) -> Result<(Link, Vec<Operation<Call, Reply>>), ConcurrentError> {
    let mut operations = Vec::with_capacity(OPERATIONS);
    let mut version = 1;
    for number in 0..OPERATIONS {
        let call = call(&mut random, client * OPERATIONS + number, version);
        let request = request(&key, &call);
        let now = || start.elapsed().as_nanos() as u64;
        let invoked = now();
        let (bytes, end) = link.exchange(request).await;
        let returned = now();
        if end.is_err() {
            operations.push(Operation {
                client,
                call,
                invoked,
                returned: None,
            });
            break;
        }
        let Some(reply) = reply(&bytes) else {
            return Err(ConcurrentError::Foreign {
                call,
                reply: mcspec_suite::escape::escape(&bytes),
            });
        };
        if let Reply::Value(_, Some(seen)) = reply {
            version = seen;
        }
        operations.push(Operation {
            client,
            call,
            invoked,
            returned: Some((returned, reply)),
        });
    }
    Ok((link, operations))
}

/// A call with a value that no other call of the round has.
fn call(random: &mut Random, number: usize, version: u64) -> Call {
    let value = (1000 + number * 7).to_string().into_bytes();
    match random.below(100) {
        n if n < 30 => Call::Get,
        n if n < 42 => Call::Set(value),
        n if n < 50 => Call::Add(value),
        n if n < 58 => Call::Append(vec![b'0' + (number % 10) as u8]),
        n if n < 75 => Call::Cas(version, value),
        n if n < 92 => Call::Incr(1 + number as u64),
        _ => Call::Delete,
    }
}

fn request(key: &str, call: &Call) -> Vec<u8> {
    let store = |verb: &str, value: &[u8], version: &str| {
        let head = format!("{verb} {key} 0 0 {}{version}\r\n", value.len());
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    match call {
        Call::Get => format!("gets {key}\r\n").into_bytes(),
        Call::Set(value) => store("set", value, ""),
        Call::Add(value) => store("add", value, ""),
        Call::Append(value) => store("append", value, ""),
        Call::Cas(version, value) => store("cas", value, &format!(" {version}")),
        Call::Incr(delta) => format!("incr {key} {delta}\r\n").into_bytes(),
        Call::Delete => format!("delete {key}\r\n").into_bytes(),
    }
}

fn reply(bytes: &[u8]) -> Option<Reply> {
    Some(match bytes {
        b"END\r\n" => Reply::Nothing,
        b"STORED\r\n" => Reply::Stored,
        b"NOT_STORED\r\n" => Reply::NotStored,
        b"EXISTS\r\n" => Reply::Exists,
        b"NOT_FOUND\r\n" => Reply::NotFound,
        b"DELETED\r\n" => Reply::Deleted,
        _ if bytes.starts_with(b"CLIENT_ERROR cannot increment") => Reply::NonNumeric,
        _ if bytes.starts_with(b"VALUE ") => {
            let (head, rest) = bytes.split_at(bytes.windows(2).position(|pair| pair == b"\r\n")?);
            let version = std::str::from_utf8(head).ok()?.rsplit(' ').next()?.parse().ok()?;
            Reply::Value(
                rest.strip_prefix(b"\r\n")?.strip_suffix(b"\r\nEND\r\n")?.to_vec(),
                Some(version),
            )
        }
        _ => Reply::Number(std::str::from_utf8(bytes.strip_suffix(b"\r\n")?).ok()?.parse().ok()?),
    })
}
