//! More instances of a server of ours, for the cases that bear no other beside them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use mcspec_suite::play::Address;
use mcspec_suite::profile::Profile;

use super::ask::ask;
use super::{Running, Started, start};
use crate::args::Target;

/// How more instances are started, and what must be stopped in the end.
pub(crate) struct More<'t> {
    target: &'t Target,
    profile: Option<&'t Profile>,
    /// What one start and each answer may take.
    timeout: Duration,
    /// Makes the keys of the trial its own.
    seed: u64,
    /// How many were asked for.
    asked: Cell<u32>,
    /// Those that run.
    running: RefCell<Vec<Running>>,
    /// Why there are fewer than were asked for.
    causes: RefCell<BTreeSet<String>>,
}

impl<'t> More<'t> {
    pub(crate) fn new(target: &'t Target, profile: Option<&'t Profile>, timeout: Duration, seed: u64) -> Self {
        Self {
            target,
            profile,
            timeout,
            seed,
            asked: Cell::new(0),
            running: RefCell::new(Vec::new()),
            causes: RefCell::new(BTreeSet::new()),
        }
    }

    /// Starts one and gives its address, unless that fails or it holds what `first` holds.
    pub(crate) async fn start(&self, first: &Address) -> Option<Address> {
        if !self.causes.borrow().is_empty() {
            // What went wrong once would go wrong again, and might take its time.
            return None;
        }
        self.asked.set(self.asked.get() + 1);
        let key = format!("mcspec-more-{}-{}", self.seed, self.asked.get());
        let apart = match start(self.target, self.profile, self.timeout).await {
            Ok(started) => {
                let Started {
                    address, running: it, ..
                } = started;
                self.running.borrow_mut().push(it);
                self.are_apart(first, &address, &key).await.map(|()| address)
            }
            Err(failure) => Err(failure.message),
        };
        apart.map_err(|cause| self.causes.borrow_mut().insert(cause)).ok()
    }

    /// Stops them; says on standard error why there were fewer than were asked for.
    pub(crate) async fn stop(self) {
        for cause in self.causes.into_inner() {
            eprintln!("mcspec: no instance of their own for exclusive cases, which follow the others instead: {cause}");
        }
        // Side by side: memcached ends when its clock next ticks.
        join_all(self.running.into_inner().into_iter().map(Running::stop)).await;
    }

    /// Makes sure that what one holds is not what the other holds: two proxies may have one server behind them, and a
    /// server that is given a file in a fixed place may share it.
    async fn are_apart(&self, first: &Address, other: &Address, key: &str) -> Result<(), String> {
        let (set, get) = (format!("set {key} 0 60 1\r\nx\r\n"), format!("get {key}\r\n"));
        let stored = format!("VALUE {key} 0 1\r\nx\r\nEND\r\n");
        let delete = format!("delete {key}\r\n");
        let trial = [
            (first, &set, "STORED\r\n"),
            (other, &get, "END\r\n"),
            // After the other was asked, so that it was there meanwhile.
            (first, &get, &stored),
            (first, &delete, "DELETED\r\n"),
        ];
        for (address, request, expected) in trial {
            let answer = ask(address, request, expected.len(), self.timeout).await;
            if answer == expected.as_bytes() {
                continue;
            }
            if address == other && answer.starts_with(b"VALUE ") {
                return Err("what is stored on the first instance is found on the second, too".to_owned());
            }
            let (verb, shown) = (&request[..3], mcspec_suite::escape::escape(&answer));
            return Err(format!(
                "the trial whether two instances are apart got `{shown}` for `{verb}`"
            ));
        }
        Ok(())
    }
}
