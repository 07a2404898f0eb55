//! Promise 5: a load that fails leaves the old dataset serving and answers with the cause; what is published was checked.

use super::Findings;
use crate::account::{Account, Ordering};
use crate::history::Answer;
use crate::plan::{Plan, Trouble};
use crate::shelf::{SOUND, UNSOUND, contents, resolved, stem};

/// Each status that can be told of a failing disk.
const DISK_FAILED: [u16; 3] = [500, 422, 409];

pub(super) fn check(plan: &Plan, account: &Account, findings: &mut Findings) {
    for (number, order) in &account.orders {
        if let Some((life, place, answer)) = &order.answered {
            let fault = match answer {
                Answer::Switched { generation, keys, .. } => accepted(plan, account, order, *life, *generation, *keys),
                Answer::Refused { status, explained } => refused(plan, account, order, *place, *status, *explained),
                Answer::Nothing(_) => None,
            };
            if let Some(fault) = fault {
                findings.add(5, *place, format!("order {number} ({:?}) {fault}", order.filename));
            }
        }
    }
    for dataset in &account.datasets {
        if !SOUND.contains(&dataset.filename.as_str()) {
            let what = format!("{} was opened, which is not sound", dataset.filename);
            findings.add(5, dataset.opened, what);
        }
    }
}

/// What is wrong with an order that was obeyed.
fn accepted(
    plan: &Plan,
    account: &Account,
    order: &Ordering,
    life: usize,
    generation: u64,
    keys: u64,
) -> Option<String> {
    if UNSOUND.iter().any(|(name, _)| *name == stem(&order.filename)) {
        return Some("was obeyed".to_owned());
    }
    let dataset = account.of_life(life).find(|dataset| dataset.generation == generation)?;
    if dataset.keys != keys {
        return Some(format!("was told of {keys} keys, not {}", dataset.keys));
    }
    let at_first = contents(&dataset.filename, plan.is_big()).len() as u64 + 1;
    // Files change; what is made anew does not.
    let is_fresh = plan.backend == crate::plan::Backend::Memory;
    (is_fresh && keys != at_first).then(|| format!("was told of {keys} keys, not {at_first}"))
}

/// What is wrong with an order that was refused.
fn refused(
    plan: &Plan,
    account: &Account,
    order: &Ordering,
    place: usize,
    status: u16,
    explained: bool,
) -> Option<String> {
    if !explained {
        return Some(format!("was refused with {status} and without a cause"));
    }
    if let Some((_, expected)) = UNSOUND.iter().find(|(name, _)| *name == stem(&order.filename)) {
        return (status != *expected).then(|| format!("was refused with {status}, not {expected}"));
    }
    let filename = resolved(&order.filename);
    let is_open = account.datasets.iter().any(|dataset| {
        let ends_later = dataset.end.as_ref().is_none_or(|end| end.place > order.ordered);
        dataset.filename == filename && dataset.opened < place && ends_later
    });
    let fails = plan.troubles.iter().any(
        |(_, trouble)| matches!(trouble, Trouble::FailingDisk(file, _) | Trouble::FullDisk(file) if *file == filename),
    );
    let is_due = (status == 409 && is_open) || (fails && DISK_FAILED.contains(&status));
    (!is_due).then(|| format!("was refused with {status}, and nothing was wrong with it"))
}
