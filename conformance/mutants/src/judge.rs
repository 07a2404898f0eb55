//! The suite on a mutant.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mcspec_suite::case::Library;
use mcspec_suite::play::{Address, Delivery};
use mcspec_suite::run::{Options, run};
use mcspec_suite::target::{ProbeError, Target, probe};
use mcspec_suite::verdict::{CaseResult, Verdict};

use crate::fault::Fault;
use crate::server::{StartError, start};

/// What mutants are judged with.
#[derive(Debug)]
pub struct Judge {
    /// The cases.
    pub library: Library,
    /// What the server without a fault offers. A mutant must offer the same: what a probe misses is no excuse.
    target: Target,
    timeout: Duration,
    retries: u32,
}

/// Why nothing can be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A server does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server without a fault is not known for one.
    #[error("the server without a fault cannot be probed: {0}")]
    Probe(#[from] ProbeError),
}

/// Whether a case with this verdict has found a fault: it failed, or noted that a SHOULD or a MAY is done otherwise.
pub fn has_found(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Nonstrict | Verdict::Informational)
}

/// An address of this machine on a port that the kernel chooses.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Judge {
    /// A judge with the cases of `library`; a server may do nothing for `timeout` while an answer is due.
    ///
    /// # Errors
    /// When the server without a fault does not start or cannot be probed.
    pub async fn new(library: Library, timeout: Duration) -> Result<Self, JudgeError> {
        let sound = start(None, ANY_PORT).await?;
        let target = probe(
            &Address::Tcp(sound.address.to_string()),
            timeout.max(Duration::from_secs(5)),
        )
        .await;
        sound.stop().await;
        let mut target = target?;
        target.own();
        Ok(Judge {
            library,
            target,
            timeout,
            retries: 0,
        })
    }

    /// A judge to whom a case fails only that fails `retries` times more: on a busy machine a case that waits for an expiry
    /// may come too late for its own claim.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Every case.
    pub fn everything(&self) -> BTreeSet<String> {
        self.library.cases().map(|(id, ..)| id).collect()
    }

    /// The case of this id and all that it rests on.
    pub fn with_foundations(&self, id: &str) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        let mut open = vec![id.to_owned()];
        while let Some(id) = open.pop() {
            if let Some((_, case)) = self.library.case(&id) {
                open.extend(case.rests_on.iter().cloned());
            }
            ids.insert(id);
        }
        ids
    }

    /// Runs the cases `ids` on a fresh server with `fault`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn run(
        &self,
        fault: Option<&Fault>,
        ids: &BTreeSet<String>,
        deliveries: &[Delivery],
        on_result: &mut dyn FnMut(&CaseResult),
    ) -> Result<Vec<CaseResult>, StartError> {
        let mutant = start(fault, ANY_PORT).await?;
        let target = Target {
            address: Address::Tcp(mutant.address.to_string()),
            ..self.target.clone()
        };
        let options = Options {
            deliveries: deliveries.to_vec(),
            timeout: self.timeout,
            retries: self.retries,
            dialect: fault
                .and_then(|fault| fault.dialect)
                .and_then(|release| release.parse().ok()),
            ..Options::default()
        };
        let results = run(&self.library, ids, &target, &options, on_result).await;
        mutant.stop().await;
        Ok(results)
    }

    /// What the case that `fault` names says in the delivery that it names. A case that is blocked has not found the fault.
    ///
    /// # Errors
    /// When the mutant does not start.
    pub async fn verdict_of_killer(&self, fault: &Fault) -> Result<Option<Verdict>, StartError> {
        let ids = self.with_foundations(fault.killer);
        let results = self.run(Some(fault), &ids, &[fault.delivery], &mut |_| {}).await?;
        let verdict = results.iter().find(|result| result.id == fault.killer);
        Ok(verdict.map(|result| result.verdict))
    }
}
