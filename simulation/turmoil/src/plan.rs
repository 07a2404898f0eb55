//! What a world is like: all of it decided by the seed, before anything happens.

use std::fmt;
use std::time::Duration;

use crate::net::Bites;
use crate::product::Policy;
use crate::random::Random;
use crate::shelf::{ALIAS, SOUND, UNSOUND};

/// The hosts of clients.
pub const CLIENT_HOSTS: [&str; 2] = ["near", "far"];

/// The host from which the server is switched.
pub const OPERATOR: &str = "operator";

/// The plan of a world.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed that it was made from.
    pub seed: u64,
    /// What holds the items.
    pub backend: Backend,
    /// When open connections move.
    pub policy: Policy,
    /// How long a replaced dataset is kept for who reads it.
    pub drain_timeout: Duration,
    /// How long a message travels at most.
    pub latency_max: Duration,
    /// Steps of the world.
    pub tick: Duration,
    /// Segments that a connection takes before its reader must read.
    pub window: usize,
    /// How the server's streams are chopped.
    pub bites: Bites,
    /// How long the disk takes at most.
    pub disk_pause: Duration,
    /// How each client behaves.
    pub clients: Vec<ClientPlan>,
    /// Who switches: each with its orders, one after the other.
    pub operators: Vec<Vec<Order>>,
    /// What goes wrong, in the order of time.
    pub troubles: Vec<(Duration, Trouble)>,
}

/// What holds the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Memory.
    Memory,
    /// Files, durable with each answer.
    Redb,
}

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Its host.
    pub host: &'static str,
    /// Pipelines that it sends.
    pub batches: u64,
    /// Commands in one at most.
    pub pipeline_max: u64,
    /// How long it thinks between two, at most.
    pub pause_max: Duration,
    /// In how many of a hundred cases it closes after a pipeline and comes back.
    pub leaves: u64,
    /// A client that asks for much and then does not read for so long.
    pub dawdles: Option<Duration>,
}

/// A switch to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Before it.
    pub pause: Duration,
    /// The stem of the file.
    pub stem: &'static str,
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing gets through between the server and a host.
    Partition(&'static str),
    /// It does again; what was lost stays lost.
    Repair(&'static str),
    /// What is on its way between the server and a host waits.
    Hold(&'static str),
    /// It goes on.
    Release(&'static str),
    /// The server's machine loses power.
    PowerCut,
    /// The server's process is killed; its machine tells the clients.
    Kill,
    /// It is started again.
    Restart,
    /// The syncs of a file fail after so many more.
    FailingDisk(&'static str, u64),
    /// A file can take no more.
    FullDisk(&'static str),
    /// The disk of a file works again.
    MendedDisk(&'static str),
}

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64) -> Plan {
        let mut random = Random::new(seed);
        let backend = if random.percent(60) {
            Backend::Memory
        } else {
            Backend::Redb
        };
        let dawdler = random
            .percent(20)
            .then(|| Duration::from_millis(random.within(30, 250)));
        let troubled = random.percent(60);
        let mut plan = Plan {
            seed,
            backend,
            policy: if random.percent(60) {
                Policy::Command
            } else {
                Policy::Connection
            },
            drain_timeout: Duration::from_millis(*random.pick(&[5, 20, 50, 120])),
            latency_max: Duration::from_millis(*random.pick(&[1, 3, 6, 10])),
            tick: Duration::from_millis(*random.pick(&[1, 1, 2])),
            window: *random.pick(&[8, 64]),
            bites: Bites {
                read_max: *random.pick(&[4096, 4096, 64, 7]),
                write_max: *random.pick(&[32 << 10, 32 << 10, 900]),
            },
            disk_pause: Duration::from_millis(*random.pick(&[0, 0, 2, 5])),
            clients: clients(&mut random, dawdler),
            operators: operators(&mut random),
            troubles: Vec::new(),
        };
        if dawdler.is_some() {
            // Else a dawdler's replies would travel in thousands of segments.
            plan.bites.write_max = 32 << 10;
            plan.window = 8;
        }
        if troubled {
            plan.troubles = troubles(&mut random, plan.backend);
        }
        plan
    }

    /// Whether nothing goes wrong that could cut a connection, or keep it waiting.
    pub fn is_calm(&self) -> bool {
        self.troubles.is_empty()
    }

    /// Whether some disk fails.
    pub fn has_failing_disks(&self) -> bool {
        let fails = |trouble: &Trouble| matches!(trouble, Trouble::FailingDisk(..) | Trouble::FullDisk(_));
        self.troubles.iter().any(|(_, trouble)| fails(trouble))
    }

    /// Whether there are long values.
    pub fn is_big(&self) -> bool {
        self.clients.iter().any(|client| client.dawdles.is_some())
    }

    /// How long a client waits for a pipeline to be answered before it gives up.
    pub fn patience(&self) -> Duration {
        if self.is_calm() {
            Duration::from_secs(20)
        } else {
            Duration::from_millis(400)
        }
    }
}

fn clients(random: &mut Random, dawdler: Option<Duration>) -> Vec<ClientPlan> {
    let mut clients: Vec<ClientPlan> = (0..random.within(2, 5))
        .map(|_| ClientPlan {
            host: CLIENT_HOSTS[random.below(2) as usize],
            batches: random.within(6, 16),
            pipeline_max: *random.pick(&[1, 3, 6, 12]),
            pause_max: Duration::from_millis(*random.pick(&[0, 2, 10, 30])),
            leaves: *random.pick(&[0, 0, 5, 40]),
            dawdles: None,
        })
        .collect();
    if dawdler.is_some() {
        clients.push(ClientPlan {
            host: CLIENT_HOSTS[0],
            batches: 2,
            pipeline_max: 1,
            pause_max: Duration::from_millis(10),
            leaves: 0,
            dawdles: dawdler,
        });
    }
    clients
}

fn operators(random: &mut Random) -> Vec<Vec<Order>> {
    let operators = *random.pick(&[1, 1, 2, 3]);
    let pause_max = *random.pick(&[0, 5, 25, 60]);
    let orders = |random: &mut Random| {
        let mut orders = Vec::new();
        for _ in 0..random.within(1, 5) {
            let stem = match random.below(20) {
                0 => ALIAS,
                1 | 2 => random.pick(&UNSOUND).0,
                _ => SOUND[random.below(SOUND.len() as u64) as usize],
            };
            let pause = Duration::from_millis(random.within(0, pause_max));
            orders.push(Order { pause, stem });
        }
        orders
    };
    (0..operators).map(|_| orders(random)).collect()
}

fn troubles(random: &mut Random, backend: Backend) -> Vec<(Duration, Trouble)> {
    let mut troubles = Vec::new();
    let ms = Duration::from_millis;
    for host in [CLIENT_HOSTS[0], CLIENT_HOSTS[1], OPERATOR] {
        let begin = random.within(1, 150);
        let end = begin + random.within(1, 120);
        match random.below(6) {
            0 | 1 => {
                troubles.push((ms(begin), Trouble::Hold(host)));
                troubles.push((ms(end), Trouble::Release(host)));
            }
            2 => {
                troubles.push((ms(begin), Trouble::Partition(host)));
                troubles.push((ms(end), Trouble::Repair(host)));
            }
            _ => {}
        }
    }
    let file = *random.pick(&SOUND[..2]);
    if backend == Backend::Redb && random.percent(35) {
        let begin = random.within(1, 120);
        let fails = if random.percent(70) {
            Trouble::FailingDisk(file, random.below(8))
        } else {
            Trouble::FullDisk(file)
        };
        troubles.push((ms(begin), fails));
        troubles.push((ms(begin + random.within(5, 2_500)), Trouble::MendedDisk(file)));
        if random.percent(40) {
            // What a failing disk has forgotten shows when the power is back.
            let cut = begin + random.within(5, 100);
            troubles.push((ms(cut), Trouble::PowerCut));
            troubles.push((ms(cut + random.within(5, 60)), Trouble::Restart));
        }
    } else if random.percent(45) {
        let mut at = 0;
        for _ in 0..random.within(1, 2) {
            at += random.within(10, 150);
            let crash = if random.percent(60) {
                Trouble::PowerCut
            } else {
                Trouble::Kill
            };
            troubles.push((ms(at), crash));
            // Longer than a step: whoever was connected before has noticed nothing yet, and is not taken for somebody new.
            at += random.within(5, 60);
            troubles.push((ms(at), Trouble::Restart));
        }
    }
    troubles.sort_by_key(|(at, _)| *at);
    troubles
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan {
            seed,
            backend,
            policy,
            drain_timeout,
            latency_max,
            tick,
            window,
            bites,
            disk_pause,
            ..
        } = self;
        writeln!(
            f,
            "seed {seed}: {backend:?}, policy {policy:?}, drain timeout {drain_timeout:?}"
        )?;
        writeln!(
            f,
            "latency up to {latency_max:?}, steps of {tick:?}, window {window}, {bites:?}, disk up to {disk_pause:?}"
        )?;
        for (number, client) in self.clients.iter().enumerate() {
            writeln!(f, "client {number}: {client:?}")?;
        }
        for (number, orders) in self.operators.iter().enumerate() {
            writeln!(f, "operator {number}: {orders:?}")?;
        }
        for (at, trouble) in &self.troubles {
            writeln!(f, "at {at:?}: {trouble:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_plan_and_seeds_make_all_kinds() {
        let mut kinds = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let plan = Plan::new(seed);
            assert_eq!(plan.to_string(), Plan::new(seed).to_string());
            assert!(plan.troubles.is_sorted_by_key(|(at, _)| *at));
            let crashes = |(_, trouble): &(Duration, Trouble)| matches!(trouble, Trouble::PowerCut | Trouble::Kill);
            kinds.insert((
                plan.backend == Backend::Redb,
                plan.policy == Policy::Command,
                plan.is_calm(),
                plan.is_big(),
                plan.troubles.iter().any(crashes),
            ));
        }
        // A calm world has no crashes: of 32 combinations 24 are left.
        assert_eq!(kinds.len(), 24);
    }
}
