//! A world: made from its plan, run to its end.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Once};
use std::time::{Duration, UNIX_EPOCH};

use turmoil::Sim;

use crate::client::{Client, Counters};
use crate::disk::Disk;
use crate::history::{Event, History, What};
use crate::host::{Machine, SERVER};
use crate::operator;
use crate::plan::{CLIENT_HOSTS, OPERATOR, Plan, Trouble};
use crate::random::Random;
use crate::shelf::{self, COUNTERS, DiskShelf, PLAIN_KEYS, SOUND};

/// All but the server's.
const HOSTS: [&str; 3] = [CLIENT_HOSTS[0], CLIENT_HOSTS[1], OPERATOR];

/// A world that has not ended by then never will.
const LIFE_MAX: Duration = Duration::from_secs(120);

/// How long a server may take to stop: connections have half a second, and so have drains.
const STOPPING_MAX: Duration = Duration::from_secs(4);

/// Runs the world of a plan and gives its history.
pub fn run(plan: &Plan) -> Vec<Event> {
    let history = History::default();
    note_panics();
    WITNESS.with_borrow_mut(|witness| *witness = Some(history.clone()));
    let lived = panic::catch_unwind(AssertUnwindSafe(|| World::new(plan, &history).live()));
    WITNESS.with_borrow_mut(|witness| *witness = None);
    if let Ok(Err(cause)) = lived {
        history.note(What::Panicked(format!("the world did not end: {cause}")));
    }
    // A panic has been noted where it happened.
    history.take()
}

thread_local! {
    /// Where panics of this thread are noted.
    static WITNESS: RefCell<Option<History>> = const { RefCell::new(None) };
}

/// A panic in a task ends that task and nothing else: it would be missed.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let noted = WITNESS.with_borrow(|witness| {
                let history = witness.as_ref()?;
                let message = info.payload_as_str().unwrap_or("without a message");
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                // What panics while it notes something, cannot be noted.
                history.note(What::Panicked(format!("{message} ({place})")));
                Some(())
            });
            if noted.is_none() {
                before(info);
            }
        }));
    });
}

struct World {
    sim: Sim<'static>,
    machine: Arc<Machine>,
    history: History,
    plan: Plan,
}

impl World {
    fn new(plan: &Plan, history: &History) -> World {
        let mut builder = turmoil::Builder::new();
        builder
            .rng_seed(plan.seed)
            .epoch(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
            .simulation_duration(LIFE_MAX)
            .tick_duration(plan.tick)
            .min_message_latency(Duration::ZERO)
            .max_message_latency(plan.latency_max)
            .tcp_capacity(plan.window);
        let mut sim = builder.build();
        let machine = Machine::new(plan.clone(), history.clone());
        let hosted = Arc::clone(&machine);
        sim.host(SERVER, move || Arc::clone(&hosted).run());
        let mut world = World {
            sim,
            machine,
            history: history.clone(),
            plan: plan.clone(),
        };
        world.settle_clients();
        world.settle_operators();
        world
    }

    fn settle_clients(&mut self) {
        let random = Random::new(self.plan.seed).branch(2);
        let counters = Arc::new(Counters::default());
        let silent = !self.plan.has_failing_disks();
        for host in CLIENT_HOSTS {
            let numbered = (0..).zip(&self.plan.clients).filter(|(_, plan)| plan.host == host);
            let clients: Vec<Client> = numbered
                .map(|(number, plan)| {
                    let random = random.branch(u64::from(number));
                    let history = self.history.clone();
                    let counters = Arc::clone(&counters);
                    Client::new(
                        number,
                        plan.clone(),
                        self.plan.patience(),
                        history,
                        counters,
                        silent,
                        &random,
                    )
                })
                .collect();
            self.sim.client(host, async move {
                let clients: Vec<_> = clients.into_iter().map(|client| tokio::spawn(client.run())).collect();
                for client in clients {
                    client.await?;
                }
                Ok(())
            });
        }
    }

    fn settle_operators(&mut self) {
        let random = Random::new(self.plan.seed).branch(3);
        let patience = 2 * self.plan.patience();
        let mut numbers = 0..;
        let operators: Vec<_> = (0..)
            .zip(&self.plan.operators)
            .map(|(operator, orders)| {
                let orders = (&mut numbers).zip(orders.iter().cloned()).collect();
                operator::work(
                    self.history.clone(),
                    self.plan.backend,
                    orders,
                    random.branch(operator),
                    patience,
                )
            })
            .collect();
        self.sim.client(OPERATOR, async move {
            let operators: Vec<_> = operators.into_iter().map(tokio::spawn).collect();
            for operator in operators {
                operator.await?;
            }
            Ok(())
        });
    }

    fn live(mut self) -> turmoil::Result {
        let mut troubles = self.plan.troubles.clone().into_iter().peekable();
        loop {
            while let Some((_, trouble)) = troubles.next_if(|(at, _)| *at <= self.sim.elapsed()) {
                self.happen(&trouble);
            }
            if self.sim.step()? && troubles.peek().is_none() {
                break;
            }
        }
        self.stop()?;
        self.look_at_files();
        let history = self.history.clone();
        history.silently(|| drop(self));
        Ok(())
    }

    fn happen(&mut self, trouble: &Trouble) {
        let note = |what: String| self.history.note(What::Trouble(what));
        match *trouble {
            Trouble::Partition(host) => {
                note(format!("cuts {host} off"));
                self.sim.partition(SERVER, host);
            }
            Trouble::Repair(host) => {
                note(format!("connects {host} again"));
                self.sim.repair(SERVER, host);
            }
            Trouble::Hold(host) => {
                note(format!("holds what is on its way to and from {host}"));
                self.sim.hold(SERVER, host);
            }
            Trouble::Release(host) => {
                note(format!("lets go on what is on its way to and from {host}"));
                self.sim.release(SERVER, host);
            }
            Trouble::PowerCut => self.cut_power(),
            Trouble::Kill => self.kill(),
            Trouble::Restart => self.sim.bounce(SERVER),
            Trouble::FailingDisk(file, syncs) => {
                self.history.note(What::DiskFails {
                    stem: file.to_owned(),
                    after: syncs,
                });
                self.with_disk(file, |disk| disk.fail_after(Some(syncs)));
            }
            Trouble::FullDisk(file) => {
                note(format!("fills the disk of {file}"));
                self.with_disk(file, |disk| disk.fill(true));
            }
            Trouble::MendedDisk(file) => {
                note(format!("mends the disk of {file}"));
                self.with_disk(file, |disk| {
                    disk.fail_after(None);
                    disk.fill(false);
                });
            }
        }
    }

    fn with_disk(&self, file: &str, act: impl FnOnce(&Disk)) {
        if let Some(disks) = &self.machine.disks {
            act(disks.disk(file));
        }
    }

    /// Nobody is told: what the dying server would send is lost.
    fn cut_power(&mut self) {
        self.history.note(What::Crashed);
        for host in HOSTS {
            self.sim.partition(SERVER, host);
        }
        self.machine.disks.iter().for_each(DiskShelf::lose_power);
        self.history.clone().silently(|| self.sim.crash(SERVER));
        for host in HOSTS {
            self.sim.repair(SERVER, host);
        }
    }

    /// The machine goes on, and tells all clients at once. At once, because the order in which it tells them is not the seed's.
    fn kill(&mut self) {
        self.history.note(What::Crashed);
        for host in HOSTS {
            self.sim.set_link_latency(SERVER, host, Duration::ZERO);
        }
        // Writes that a process has made are the kernel's: only a power cut loses them.
        self.machine.disks.iter().for_each(DiskShelf::disconnect);
        self.history.clone().silently(|| self.sim.crash(SERVER));
        for host in HOSTS {
            self.sim
                .set_link_max_message_latency(SERVER, host, self.plan.latency_max);
        }
    }

    /// Asks the server to stop, and waits until it has.
    fn stop(&mut self) -> turmoil::Result {
        self.history.note(What::Stopping);
        self.machine.stop.cancel();
        let deadline = self.sim.elapsed() + STOPPING_MAX;
        while self.sim.is_host_running(SERVER) && self.sim.elapsed() < deadline {
            // The end of all clients is no end.
            self.sim.step()?;
        }
        Ok(())
    }

    /// What is in the files, now that nobody has them open.
    fn look_at_files(&self) {
        let Some(disks) = &self.machine.disks else { return };
        let keys: Vec<&'static str> = PLAIN_KEYS.into_iter().chain(COUNTERS).collect();
        for filename in SOUND {
            for (key, value) in shelf::left(disks.disk(filename), &keys) {
                self.history.note(What::Left {
                    filename: filename.to_owned(),
                    key: key.to_owned(),
                    value,
                });
            }
        }
    }
}
