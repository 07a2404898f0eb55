//! What clients ask for.

use std::collections::BTreeMap;

use crate::command::{Change, Command, MARKER, Style};
use crate::plan::ClientPlan;
use crate::random::Random;
use crate::shelf::{BIG_KEYS, COUNTERS, PLAIN_KEYS};

/// Makes the batches of one client.
pub struct Workload {
    client: u32,
    pipeline_max: u64,
    dawdles: bool,
    /// Whether it may ask not to be answered.
    silent: bool,
    random: Random,
    /// Values so far: no two in a world are the same.
    values: u64,
}

impl Workload {
    /// What the client of a number asks for.
    pub fn new(client: u32, plan: &ClientPlan, silent: bool, random: Random) -> Workload {
        Workload {
            client,
            pipeline_max: plan.pipeline_max,
            dawdles: plan.dawdles.is_some(),
            silent,
            random,
            values: 0,
        }
    }

    /// The next batch. The last command of it is answered, and tells which dataset answered; most often the first does, too.
    pub fn batch(&mut self, uniques: &BTreeMap<String, u64>) -> Vec<Command> {
        if self.dawdles {
            return vec![self.everything(), self.everything()];
        }
        let mut batch = Vec::new();
        if self.random.percent(80) {
            batch.push(Command::get([MARKER]));
        }
        for _ in 0..self.random.within(1, self.pipeline_max) {
            let command = if self.random.percent(45) {
                self.look()
            } else {
                self.change(uniques)
            };
            batch.push(command);
        }
        batch.push(Command::get([MARKER]));
        batch
    }

    /// More than the server and the network hold back for a client that does not read.
    fn everything(&self) -> Command {
        Command::get([MARKER].into_iter().chain(BIG_KEYS).chain([MARKER]))
    }

    fn look(&mut self) -> Command {
        if self.random.percent(25) {
            return Command::MetaGet { key: self.key() };
        }
        let keys = (0..self.random.within(1, 3)).map(|_| self.key()).collect::<Vec<_>>();
        let whole = self.random.percent(80);
        let marker = || whole.then(|| MARKER.to_owned());
        Command::Get {
            keys: marker().into_iter().chain(keys).chain(marker()).collect(),
            uniques: self.random.percent(40),
        }
    }

    fn key(&mut self) -> String {
        let keys: &[&str] = if self.random.percent(75) {
            &PLAIN_KEYS
        } else {
            &COUNTERS
        };
        (*self.random.pick(keys)).to_owned()
    }

    fn change(&mut self, uniques: &BTreeMap<String, u64>) -> Command {
        let style = match self.random.below(10) {
            0..2 if self.silent => Style::Silent,
            2..5 => Style::Meta,
            _ => Style::Classic,
        };
        let key = self.key();
        let change = if COUNTERS.contains(&key.as_str()) {
            self.count()
        } else {
            self.store(uniques.get(&key).copied())
        };
        Command::Change { key, change, style }
    }

    fn count(&mut self) -> Change {
        match self.random.below(10) {
            0 => Change::Delete,
            1 | 2 => Change::Add(self.random.below(200).to_string()),
            3..7 => Change::Increase(self.random.within(1, 30)),
            _ => Change::Decrease(self.random.within(1, 30)),
        }
    }

    fn store(&mut self, unique: Option<u64>) -> Change {
        self.values += 1;
        let mut value = format!("c{}.{}", self.client, self.values);
        match self.random.below(12) {
            0 => Change::Delete,
            1 => Change::Add(value),
            2 => Change::Replace(value),
            3 => Change::Append(format!("+{value}")),
            4 => Change::Prepend(format!("{value}+")),
            5 | 6 if unique.is_some() => Change::Cas(value, unique.unwrap_or_default()),
            _ => {
                if self.random.percent(10) {
                    value += &".".repeat(self.random.below(200) as usize);
                }
                Change::Set(value)
            }
        }
    }
}
