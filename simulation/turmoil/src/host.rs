//! The machine of the server: the service and its control API, started as often as the world wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use foldhash::fast::FixedState;
use refcached_store::MemoryOptions;
use refcached_store::redb::Durability;
use tokio_util::sync::CancellationToken;

use crate::history::{History, What};
use crate::net::{SlowDisk, WorldClock, WorldListener};
use crate::plan::{Backend, Plan};
use crate::product::{self, Administration, Config, Memory, Redb, Service, control};
use crate::random::Random;
use crate::shelf::{DiskShelf, Numbers, SOUND, TextShelf, named, redb_options};
use crate::watched::Watched;

/// The name of the machine.
pub const SERVER: &str = "server";

/// Where clients are served.
pub const PORT: u16 = 11211;

/// Where the operators are.
pub const CONTROL_PORT: u16 = 8080;

/// Batches that a file is read for at a time.
const READERS: usize = 2;

/// The server's machine, and what of it survives when it breaks down.
#[derive(Debug)]
pub struct Machine {
    /// What it is to do.
    pub plan: Plan,
    /// What it did.
    pub history: History,
    /// Its disks, if it uses them.
    pub disks: Option<DiskShelf>,
    /// Asks the server to stop.
    pub stop: CancellationToken,
    numbers: Numbers,
    starts: AtomicU64,
}

impl Machine {
    /// A machine that has not been started.
    pub fn new(plan: Plan, history: History) -> Arc<Machine> {
        let random = Random::new(plan.seed).branch(1);
        Arc::new(Machine {
            disks: (plan.backend == Backend::Redb).then(|| DiskShelf::new(plan.is_big(), &random)),
            stop: CancellationToken::new(),
            numbers: Numbers::default(),
            starts: AtomicU64::new(0),
            history,
            plan,
        })
    }

    /// Starts the server and serves until it is asked to stop.
    ///
    /// # Errors
    /// When the simulated network does not let it listen.
    pub async fn run(self: Arc<Machine>) -> turmoil::Result {
        let random = Random::new(self.plan.seed).branch(100 + self.starts.fetch_add(1, Relaxed));
        self.history.note(What::Started);
        let blocking = SlowDisk::new(random.branch(1), self.plan.disk_pause);
        match &self.disks {
            None => {
                let files = TextShelf::new(self.plan.is_big(), self.numbers.clone());
                let options = MemoryOptions {
                    shards: 4,
                    ..MemoryOptions::default()
                };
                let backend = Memory::new(options, FixedState::with_seed(1), blocking).with_files(files);
                self.serve(backend, &random).await
            }
            Some(disks) => {
                let options = redb_options(Durability::Immediate);
                let backend = Redb::new(disks.clone(), options, READERS, blocking);
                self.serve(backend, &random).await
            }
        }
    }

    async fn serve(&self, backend: impl product::Backend, random: &Random) -> turmoil::Result {
        let backend = Watched::new(backend, self.history.clone(), self.numbers.clone());
        let listener = WorldListener::bind(PORT, self.plan.bites, random.branch(2)).await?;
        let api = WorldListener::bind(CONTROL_PORT, self.plan.bites, random.branch(3)).await?;
        let service = match Service::new(&self.config(), backend, WorldClock, Vec::new()) {
            Ok(service) => service,
            Err(error) => {
                self.history.note(What::NotStarted(error.to_string()));
                return Ok(());
            }
        };
        let limits = control::Limits::default();
        let administration: Arc<dyn Administration> = Arc::clone(&service) as Arc<dyn Administration>;
        let routes = control::router(administration, None, limits);
        let api = tokio::spawn(control::serve(api, routes, limits, self.stop.clone()));
        service.serve(vec![listener], self.stop.cancelled()).await;
        // It ends by the same order, after a grace.
        let _ = api.await;
        self.history.note(What::Stopped);
        Ok(())
    }

    fn config(&self) -> Config {
        Config {
            data: Some(named(SOUND[0], self.plan.backend)),
            swap_policy: self.plan.policy,
            drain_timeout: self.plan.drain_timeout,
            stop_grace: Duration::from_millis(500),
            ..Config::default()
        }
    }
}
