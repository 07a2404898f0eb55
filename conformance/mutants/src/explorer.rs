//! The explorer on a mutant: random histories against the model, up to a number of commands.

use std::time::Duration;

use mcspec_explore::explore::{ExploreError, Finding, Options, explore};
use mcspec_explore::generate::Offer;
use mcspec_explore::{Oracle, Site};
use mcspec_suite::case::Release;
use mcspec_suite::play::Address;
use mcspec_suite::target::Fence;
use refcached::DIALECT;
use serde::{Deserialize, Serialize};

use crate::beyond;
use crate::fault::Fault;
use crate::judge::ANY_PORT;
use crate::server::{StartError, start};

/// What the histories are made from: the same for all mutants, and on every run.
pub const SEED: u64 = 1;
/// Within so many commands a fault must be found that the model can express; what the last history of them has beyond, and
/// those with `flush_all`, which are played last, come on top: some four hundred commands.
pub const COMMANDS: u64 = 10_000;
/// How long a mutant may do nothing while an answer is due.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the server without a fault may: it answers everything, so only a machine that has stopped lasts so long.
const SOUND_PATIENCE: Duration = Duration::from_secs(60);

/// What the explorer came to on one fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// The fault.
    pub fault: String,
    /// Its section.
    pub section: String,
    /// How many commands had been sent when it was found; none if it was not.
    pub commands: Option<u64>,
}

impl Explored {
    /// What is wrong with it: a fault that the model can express was missed, or one that is said to be beyond it was found.
    pub fn error(&self) -> Option<String> {
        let Explored { fault, commands, .. } = self;
        match (beyond::reason(fault), commands) {
            (None, None) => Some(format!("{fault}: not found within {COMMANDS} commands")),
            (Some(_), Some(commands)) => Some(format!(
                "{fault}: found after {commands} commands; take it out of src/beyond.rs"
            )),
            _ => None,
        }
    }
}

/// Runs the explorer on one fault.
///
/// # Errors
/// When the mutant does not start, or takes no connections.
pub async fn explored(section: &str, fault: &Fault) -> Result<Explored, ExplorerError> {
    let finding = first_finding(Some(fault), COMMANDS).await?;
    Ok(Explored {
        fault: fault.name.to_owned(),
        section: section.to_owned(),
        commands: finding.map(|finding| finding.commands_before),
    })
}

/// Why a mutant was not explored.
#[derive(Debug, thiserror::Error)]
pub enum ExplorerError {
    /// It does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The release that it speaks as is no release.
    #[error("`{0}` is no release of memcached: mend refcached's DIALECT")]
    Release(&'static str),
    /// It takes no connections any more.
    #[error(transparent)]
    Explore(#[from] ExploreError),
}

/// The first history that differs from the model, and differs again when it is repeated; none if there is none in
/// `commands` commands. It is not shrunk: this counts what is found.
///
/// # Errors
/// When the mutant does not start, or takes no connections.
pub async fn first_finding(fault: Option<&Fault>, commands: u64) -> Result<Option<Finding>, ExplorerError> {
    let release: Release = DIALECT.parse().map_err(|_| ExplorerError::Release(DIALECT))?;
    let mutant = start(fault, ANY_PORT).await?;
    let options = Options {
        site: Site {
            address: Address::Tcp(mutant.address.to_string()),
            fence: Fence::Mn,
            patience: fault.map_or(SOUND_PATIENCE, |_| PATIENCE),
        },
        oracle: Oracle::Model(release.clone()),
        release: Some(release),
        offer: Offer {
            meta: true,
            flush: true,
            comparable: false,
        },
        seed: SEED,
        first: 0,
        commands: Some(commands),
        time: None,
        findings: 1,
        lanes: 2,
        shrinks: false,
    };
    let summary = explore(&options, &mut |_| {}).await;
    mutant.stop().await;
    Ok(summary?.findings.into_iter().next())
}
