//! A run: many histories at once, the faults that they find, collected by kind.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mcspec_suite::case::Release;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::collect::{Collector, Suspect};
use crate::command::{History, Step};
use crate::generate::{Offer, Pace, history};
use crate::play::Site;
use crate::trial::{Bench, Oracle, Outcome};

/// How to explore.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub site: Site,
    /// What it is judged by.
    pub oracle: Oracle,
    /// The release that transcripts are written for: the model's, or the left server's.
    pub release: Option<Release>,
    /// What histories may hold.
    pub offer: Offer,
    /// What histories are made from.
    pub seed: u64,
    /// The number of the first history.
    pub first: u64,
    /// Stop after so many commands.
    pub commands: Option<u64>,
    /// Stop after so long.
    pub time: Option<Duration>,
    /// Stop after so many findings.
    pub findings: usize,
    /// How many histories are played at once.
    pub lanes: usize,
    /// Whether what is found is shrunk. Otherwise a history that shows its fault twice is kept as it is.
    pub shrinks: bool,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The number of the history that found it.
    pub history: u64,
    /// The pace of that history.
    pub pace: Pace,
    /// How many commands had been sent by then, in all.
    pub commands_before: u64,
    /// The name of its case file: `found/<name>.case`.
    pub name: String,
    /// What it is: commands, what was expected and what came, in one line.
    pub kind: String,
    /// The case file.
    pub transcript: String,
    /// How many steps it has.
    pub steps: usize,
    /// How many histories found the same.
    pub times: u64,
}

/// A history that showed a fault once, and not again.
#[derive(Debug, Clone)]
pub struct Unsteady {
    /// Its number.
    pub history: u64,
    /// The name of its case file.
    pub name: String,
    /// The case file of what was seen, not shrunk.
    pub transcript: String,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Commands that were sent and judged.
    pub commands: u64,
    /// Histories.
    pub histories: u64,
    /// Histories in which too much was possible to judge.
    pub put_aside: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What was found, in the order of finding.
    pub findings: Vec<Finding>,
    /// What was seen once and not again.
    pub unsteady: Vec<Unsteady>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Commands so far.
    pub commands: u64,
    /// Findings so far.
    pub findings: usize,
    /// Time so far.
    pub elapsed: Duration,
}

/// Why a run ended before its time.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {cause} after {commands} commands; is the server still running?")]
pub struct ExploreError {
    /// The server.
    pub address: String,
    /// What the system said.
    pub cause: std::io::Error,
    /// How many commands had been sent.
    pub commands: u64,
}

/// Histories that wait are played so many at once; each is idle nearly all the time.
const WAITING_LANES: usize = 200;
/// One history that waits for so many commands of others.
const COMMANDS_PER_WAITING: u64 = 500;
/// Histories that wait in one run: each takes some seconds, whatever the server's speed.
const WAITING_MAX: u64 = 400;

/// One history of so many begins on fresh connections: a server may treat one that is new in another way, and which histories
/// share a connection otherwise is the lanes' to settle.
const FRESH_EVERY: u64 = 4;

/// One history with `flush_all` for so many others.
const FLUSHES_PER: u64 = 25;

/// Explores until a bound is reached.
///
/// # Errors
/// When the server cannot be reached.
pub async fn explore(options: &Options, on_progress: &mut dyn FnMut(Progress)) -> Result<Summary, ExploreError> {
    let shared = Arc::new(Shared::new(options));
    let (sender, mut suspects) = mpsc::channel(64);
    let mut lanes = JoinSet::new();
    for lane in 0..options.lanes.max(1) + WAITING_LANES {
        let pace = if lane < options.lanes.max(1) {
            Pace::Quick
        } else {
            Pace::Waiting
        };
        lanes.spawn(run_lane(Arc::clone(&shared), sender.clone(), pace));
    }
    drop(sender);
    let mut collector = Collector::new(options);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let mut failed = None;
    loop {
        tokio::select! {
            suspect = suspects.recv() => match suspect {
                Some(suspect) => {
                    if let Err(cause) = collector.take(suspect, &shared).await {
                        failed = Some(cause);
                        break;
                    }
                }
                None => break,
            },
            ended = lanes.join_next(), if !lanes.is_empty() => {
                if let Some(Ok(Err(cause))) = ended {
                    failed = Some(cause);
                    break;
                }
            }
            _ = tick.tick() => on_progress(shared.progress(collector.findings.len())),
        }
        if collector.findings.len() >= options.findings {
            break;
        }
    }
    shared.stop.store(true, Ordering::Relaxed);
    lanes.abort_all();
    if let Some(cause) = failed {
        return Err(shared.error(cause));
    }
    if options.offer.flush && collector.findings.len() < options.findings {
        flushes(&shared, &mut collector)
            .await
            .map_err(|cause| shared.error(cause))?;
    }
    Ok(collector.summary(&shared))
}

/// Plays one history of a run again.
///
/// # Errors
/// When the server cannot be reached.
pub async fn explore_one(options: &Options, pace: Pace, number: u64) -> Result<Summary, ExploreError> {
    let shared = Shared::new(options);
    let mut collector = Collector::new(options);
    let judged = async {
        let history = shared.history(number, pace);
        if let Some(suspect) = shared.judge(&mut shared.bench(), number, pace, history).await? {
            collector.take(suspect, &shared).await?;
        }
        Ok(())
    };
    judged.await.map_err(|cause| shared.error(cause))?;
    Ok(collector.summary(&shared))
}

/// Histories that do not wait, as far as they have been dealt out.
#[derive(Debug, Default)]
struct Dealt {
    histories: u64,
    commands: u64,
}

/// How many commands a history has.
fn sends(history: &History) -> u64 {
    history.iter().filter(|step| matches!(step, Step::Send { .. })).count() as u64
}

/// What the lanes share.
pub(crate) struct Shared {
    options: Options,
    quick: Mutex<Dealt>,
    /// So many commands are in histories that do not wait, if commands are the bound: as many as the others leave.
    quick_commands: Option<u64>,
    waiting: AtomicU64,
    waiting_max: u64,
    pub(crate) commands: AtomicU64,
    pub(crate) histories: AtomicU64,
    pub(crate) put_aside: AtomicU64,
    stop: AtomicBool,
    pub(crate) start: Instant,
}

impl Shared {
    fn new(options: &Options) -> Self {
        let &Options {
            seed,
            first,
            commands,
            offer,
            ..
        } = options;
        let waiting_max = (commands.unwrap_or(u64::MAX) / COMMANDS_PER_WAITING).clamp(4, WAITING_MAX);
        let waiting = |dealt| sends(&history(seed, first + dealt, Pace::Waiting, offer));
        Self {
            options: options.clone(),
            quick: Mutex::default(),
            quick_commands: commands.map(|all| all.saturating_sub((0..waiting_max).map(waiting).sum())),
            waiting: AtomicU64::new(0),
            waiting_max,
            commands: AtomicU64::new(0),
            histories: AtomicU64::new(0),
            put_aside: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            start: Instant::now(),
        }
    }

    fn error(&self, cause: std::io::Error) -> ExploreError {
        let address = self.options.site.address.to_string();
        let commands = self.commands.load(Ordering::Relaxed);
        ExploreError {
            address,
            cause,
            commands,
        }
    }

    /// The next history of this pace and its number, unless a bound is reached. Where commands are the bound, which histories
    /// are played does not depend on how fast the server or the machine is.
    fn next(&self, pace: Pace) -> Option<(u64, History)> {
        let is_late = self.options.time.is_some_and(|time| self.start.elapsed() >= time);
        if is_late || self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let first = self.options.first;
        if pace == Pace::Waiting {
            let dealt = self.waiting.fetch_add(1, Ordering::Relaxed);
            return (dealt < self.waiting_max).then(|| (first + dealt, self.history(first + dealt, pace)));
        }
        // What a lane that panicked has left is a number and a sum that fit each other.
        let mut dealt = self.quick.lock().unwrap_or_else(PoisonError::into_inner);
        if self.quick_commands.is_some_and(|commands| dealt.commands >= commands) {
            return None;
        }
        let number = first + dealt.histories;
        let history = self.history(number, pace);
        dealt.histories += 1;
        dealt.commands += sends(&history);
        Some((number, history))
    }

    fn history(&self, number: u64, pace: Pace) -> History {
        history(self.options.seed, number, pace, self.options.offer)
    }

    fn count(&self, history: &History) {
        self.commands.fetch_add(sends(history), Ordering::Relaxed);
        self.histories.fetch_add(1, Ordering::Relaxed);
    }

    fn progress(&self, findings: usize) -> Progress {
        Progress {
            commands: self.commands.load(Ordering::Relaxed),
            findings,
            elapsed: self.start.elapsed(),
        }
    }

    pub(crate) fn bench(&self) -> Bench {
        Bench::new(&self.options.site, &self.options.oracle)
    }

    /// Plays the history of this number, and counts it; what the server did wrong, if it did.
    async fn judge(
        &self,
        bench: &mut Bench,
        number: u64,
        pace: Pace,
        history: History,
    ) -> std::io::Result<Option<Suspect>> {
        if number.is_multiple_of(FRESH_EVERY) {
            bench.hang_up();
        }
        let outcome = bench.judge(&history).await?;
        self.count(&history);
        match outcome {
            Outcome::Fine => Ok(None),
            Outcome::PutAside => {
                self.put_aside.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Outcome::Wrong(fault) => Ok(Some(Suspect {
                commands: self.commands.load(Ordering::Relaxed),
                number,
                pace,
                history,
                fault: *fault,
            })),
        }
    }
}

async fn run_lane(shared: Arc<Shared>, sender: mpsc::Sender<Suspect>, pace: Pace) -> std::io::Result<()> {
    let mut bench = shared.bench();
    while let Some((number, history)) = shared.next(pace) {
        if let Some(suspect) = shared.judge(&mut bench, number, pace, history).await?
            && sender.send(suspect).await.is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Histories with `flush_all`, one after another: it reaches the keys of all.
async fn flushes(shared: &Shared, collector: &mut Collector) -> std::io::Result<()> {
    let mut bench = shared.bench();
    let histories = shared.histories.load(Ordering::Relaxed) / FLUSHES_PER + 1;
    for number in shared.options.first..shared.options.first + histories {
        let history = shared.history(number, Pace::Alone);
        if let Some(suspect) = shared.judge(&mut bench, number, Pace::Alone, history).await? {
            collector.take(suspect, shared).await?;
            if collector.findings.len() >= shared.options.findings {
                break;
            }
        }
    }
    Ok(())
}
