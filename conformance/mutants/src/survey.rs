//! The suite and its peer on all mutants, in figures.

use std::time::{Duration, Instant};

use mcspec_suite::play::Delivery;
use mcspec_suite::verdict::CaseResult;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::judge::{Judge, has_found};
use crate::peer::{self, PeerError};
use crate::server::StartError;

/// What came of one fault. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The fault.
    pub fault: String,
    /// Its section.
    pub section: String,
    /// Whether it is modelled on a real one.
    pub real: bool,
    /// Whether a run must demand the answers of the newest release to find it.
    pub demanding: bool,
    /// What found it; none if nothing did.
    pub found: Option<First>,
    /// Tests of the peer that failed and pass on the server without a fault.
    pub peer_failed: usize,
    /// How long the peer took.
    pub peer_ms: u64,
}

/// The first failure of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// The case.
    pub case: String,
    /// Whether the plain delivery sufficed.
    pub plain: bool,
    /// From the start of the run of the suite to the failure.
    pub after_ms: u64,
}

/// All records, and what they were made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// How many cases the suite has.
    pub cases: usize,
    /// How long the suite took on the server without a fault, in all deliveries.
    pub sound_ms: u64,
    /// Tests that the peer fails on the server without a fault; those kill nothing.
    pub peer_fails_sound: Vec<String>,
    /// One for each fault, in their order.
    pub records: Vec<Record>,
}

/// Why a survey could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A mutant does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The peer does not run.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The suite fails on the server without a fault: what it says of the others is worth nothing.
    #[error("the server without a fault fails {0}: mend that first")]
    Unsound(String),
}

/// What the server without a fault came to.
#[derive(Debug)]
pub struct Sound {
    /// How long the suite took, in all deliveries.
    pub whole: Duration,
    /// What the peer says of it.
    pub peer: peer::Found,
}

/// Checks that the server without a fault passes the suite, and notes what the peer says of it.
///
/// # Errors
/// When it does not pass, or something does not start.
pub async fn sound(judge: &Judge) -> Result<Sound, SurveyError> {
    let began = Instant::now();
    if let Some((failed, _)) = first_failure(judge, None, &Delivery::ALL).await? {
        return Err(SurveyError::Unsound(format!("{} ({})", failed.id, failed.delivery)));
    }
    let whole = began.elapsed();
    Ok(Sound {
        whole,
        peer: peer::run(None).await?,
    })
}

/// Runs the whole suite on a fault up to the first failure, in the plain delivery first and in all where that finds nothing;
/// and the peer.
///
/// # Errors
/// When something does not start.
pub async fn record(judge: &Judge, sound: &Sound, section: &str, fault: &Fault) -> Result<Record, SurveyError> {
    let plain = first_failure(judge, Some(fault), &[Delivery::Whole]).await?;
    let found = match plain {
        Some(failure) => Some((failure, true)),
        None => first_failure(judge, Some(fault), &Delivery::ALL)
            .await?
            .map(|failure| (failure, false)),
    };
    let peer = peer::run(Some(fault)).await?;
    Ok(Record {
        fault: fault.name.to_owned(),
        section: section.to_owned(),
        real: fault.after.is_some(),
        demanding: fault.dialect.is_some(),
        found: found.map(|((failure, after), plain)| First {
            case: failure.id,
            plain,
            after_ms: after.as_millis() as u64,
        }),
        peer_failed: peer.failed.difference(&sound.peer.failed).count(),
        peer_ms: peer.whole.as_millis() as u64,
    })
}

/// The first failure of the whole suite, and when it came. The run ends there.
async fn first_failure(
    judge: &Judge,
    fault: Option<&Fault>,
    deliveries: &[Delivery],
) -> Result<Option<(CaseResult, Duration)>, StartError> {
    let ids = judge.everything();
    let began = Instant::now();
    let (found, failure) = oneshot::channel();
    let mut found = Some(found);
    let mut on_result = |result: &CaseResult| {
        if has_found(result.verdict)
            && let Some(found) = found.take()
        {
            // Whoever waits for it is this function.
            let _ = found.send(result.clone());
        }
    };
    let running = judge.run(fault, &ids, deliveries, &mut on_result);
    tokio::select! {
        biased;
        Ok(failed) = failure => Ok(Some((failed, began.elapsed()))),
        results = running => {
            let results = results?;
            let failed = results.into_iter().find(|result| has_found(result.verdict));
            Ok(failed.map(|failed| (failed, began.elapsed())))
        }
    }
}
