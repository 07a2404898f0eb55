//! What all cases share: the fences, and how a runner finds out what a server offers.

use serde::Serialize;

use super::pieces::{Part, literal};
use crate::target::{Fence, capabilities as known};

/// How a connection is shown to be in step.
#[derive(Serialize)]
pub(super) struct FenceInfo {
    name: Fence,
    send: String,
    receive: Vec<Part>,
}

/// How a runner finds out whether a server offers something.
#[derive(Serialize)]
pub(super) struct CapabilityInfo {
    name: &'static str,
    /// `probed`; `assumed` of every server; `owned`: tried only on a server that was started for the run.
    found: &'static str,
    /// What is sent on a connection of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<&'static str>,
    /// How the first line of the answer begins that shows it; any of these.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    shown_by: &'static [&'static str],
}

/// The first that the server answers is the fence of the run.
pub(super) fn fences() -> Vec<FenceInfo> {
    let answer = |fence| match fence {
        Fence::Mn => vec![literal(b"MN\r\n")],
        Fence::Version => vec![
            literal(b"VERSION "),
            Part::whole(super::pieces::Kind::Text),
            literal(b"\r\n"),
        ],
    };
    let fence = |name: Fence| FenceInfo {
        name,
        send: super::pieces::text(name.request()),
        receive: answer(name),
    };
    vec![fence(Fence::Mn), fence(Fence::Version)]
}

pub(super) fn capabilities() -> Vec<CapabilityInfo> {
    known()
        .map(|(name, found, probe)| CapabilityInfo {
            name,
            found,
            probe: probe.map(|(request, _)| request),
            shown_by: probe.map(|(_, shown_by)| shown_by).unwrap_or_default(),
        })
        .collect()
}
