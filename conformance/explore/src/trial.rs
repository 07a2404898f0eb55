//! One history, played and judged: against the model, or on two servers at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::{Command, History};
use crate::judge::{Difference, Judgement, agrees, judge};
use crate::model::{Model, Rules};
use crate::part::Names;
use crate::play::{Player, Segment, Site};
use crate::random::Random;
use crate::scan::Pairs;

/// What histories are judged by.
#[derive(Debug, Clone)]
pub enum Oracle {
    /// The model of a release.
    Model(mcspec_suite::case::Release),
    /// Another server.
    Server(Site),
}

/// What is wrong, as a history shows it.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The server differs from the model.
    Model(Difference),
    /// Two servers differ.
    Servers(Servers),
}

/// What two servers answered to the same; the last pair of segments differs.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    pub(crate) names: Names,
    pub(crate) left: Vec<Segment>,
    pub(crate) right: Vec<Segment>,
}

impl Fault {
    /// The place in the history after which nothing matters.
    pub(crate) fn last_step(&self) -> usize {
        match self {
            Self::Model(difference) => difference.step,
            Self::Servers(Servers { left, right, .. }) => {
                let last =
                    |segments: &[Segment]| segments.last().and_then(|segment| segment.commands.last().map(|c| c.0));
                last(left).max(last(right)).unwrap_or(0)
            }
        }
    }

    /// The command that shows it.
    pub(crate) fn command(&self) -> Option<&Command> {
        match self {
            Self::Model(difference) => Some(&difference.command),
            Self::Servers(Servers { left, .. }) => left.last()?.commands.last().map(|(_, command)| command),
        }
    }
}

/// What came of one history.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Nothing is wrong.
    Fine,
    /// It could not be judged.
    PutAside,
    /// Something is wrong.
    Wrong(Box<Fault>),
}

/// Plays histories and judges them.
pub(crate) struct Bench {
    left: Player,
    judged_by: JudgedBy,
    /// Makes the names of the keys unique.
    prefix: String,
    trials: u64,
}

enum JudgedBy {
    Model(Model),
    Server(Box<Player>),
}

impl Bench {
    /// A bench of its own connections.
    pub(crate) fn new(site: &Site, oracle: &Oracle) -> Self {
        let judged_by = match oracle {
            Oracle::Model(release) => JudgedBy::Model(Model {
                rules: Rules::new(release.clone()),
            }),
            Oracle::Server(site) => JudgedBy::Server(Box::new(Player::new(site.clone()))),
        };
        let prefix = format!("ex{}", base36(unique(), 9));
        Self {
            left: Player::new(site.clone()),
            judged_by,
            prefix,
            trials: 0,
        }
    }

    /// Plays a history under fresh names.
    ///
    /// # Errors
    /// When a server cannot be reached.
    pub(crate) async fn judge(&mut self, history: &History) -> std::io::Result<Outcome> {
        let names = self.names();
        let left = self.left.play(history, &names);
        let outcome = match &mut self.judged_by {
            JudgedBy::Model(model) => {
                let segments = left.await?;
                match agrees(model, &names, &segments) {
                    Some(true) => Outcome::Fine,
                    None => Outcome::PutAside,
                    Some(false) => match judge(model, &names, &segments) {
                        Judgement::Differs(difference) => Outcome::Wrong(Box::new(Fault::Model(difference))),
                        Judgement::Agrees => Outcome::Fine,
                        Judgement::PutAside => Outcome::PutAside,
                    },
                }
            }
            JudgedBy::Server(player) => {
                let (left, right) = tokio::join!(left, player.play(history, &names));
                compare(names, left?, right?)
            }
        };
        if !matches!(outcome, Outcome::Fine) {
            self.hang_up();
        }
        Ok(outcome)
    }

    fn names(&mut self) -> Names {
        self.trials += 1;
        Names::new(format!("{}{}", self.prefix, base36(self.trials, 5)))
    }

    /// Forgets its connections, so that the next history begins on fresh ones.
    pub(crate) fn hang_up(&mut self) {
        self.left.hang_up();
        if let JudgedBy::Server(player) = &mut self.judged_by {
            player.hang_up();
        }
    }
}

/// The segments of two servers up to the first that differs.
fn compare(names: Names, mut left: Vec<Segment>, mut right: Vec<Segment>) -> Outcome {
    let mut pairs = Pairs::default();
    let both = left.iter().zip(&right);
    let same = |(left, right): (&Segment, &Segment)| left.end == right.end && pairs.agree(&left.reply, &right.reply);
    let agreed = both.map(same).take_while(|same| *same).count();
    if agreed == left.len() && agreed == right.len() {
        return Outcome::Fine;
    }
    left.truncate(agreed + 1);
    right.truncate(agreed + 1);
    Outcome::Wrong(Box::new(Fault::Servers(Servers { names, left, right })))
}

/// A number that no other bench has, in this process or in another on the same server.
fn unique() -> u64 {
    static BENCHES: AtomicU64 = AtomicU64::new(0);
    let age = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = age.map_or(0, |age| age.as_nanos() as u64);
    let bench = BENCHES.fetch_add(1, Ordering::Relaxed);
    Random::new(nanoseconds, u64::from(std::process::id()) << 32 | bench).next()
}

/// The last digits of a number.
fn base36(mut number: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
    }
    text.into_iter().map(char::from).collect()
}
