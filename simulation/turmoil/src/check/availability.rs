//! Promise 6: no connection is closed and no command fails because of a swap, and nobody waits for one.

use std::time::Duration;

use super::Findings;
use crate::account::{Account, Conversation};
use crate::command::Reply;
use crate::history::{Ending, Event, What};
use crate::plan::{Plan, Trouble};

/// For the steps of the world.
const SLACK: Duration = Duration::from_millis(30);

/// Pieces of work that may wait for the disk before a command, one after the other.
const DISK_TURNS: u32 = 20;

pub(super) fn check(plan: &Plan, events: &[Event], account: &Account, findings: &mut Findings) {
    for (place, event) in events.iter().enumerate() {
        match &event.what {
            What::Panicked(message) => findings.add(6, place, message.clone()),
            What::NotStarted(cause) if !plan.has_failing_disks() => findings.add(6, place, cause.clone()),
            What::Answered {
                number,
                reply: Reply::ServerError(text),
            } if !plan.has_failing_disks() => findings.add(6, place, format!("#{number} failed: {text}")),
            What::Ended { connection, how } => check_ending(plan, account, *connection, how, place, findings),
            _ => {}
        }
    }
    if plan.is_calm() {
        for conversation in account.conversations.values() {
            check_waits(plan, conversation, findings);
        }
    }
}

fn check_ending(plan: &Plan, account: &Account, connection: u32, how: &Ending, place: usize, findings: &mut Findings) {
    let is_wrong = match how {
        Ending::ByClient => false,
        Ending::Nonsense(_) => true,
        Ending::ByServer | Ending::Broken(_) | Ending::TimedOut => {
            let conversation = account.conversations.get(&connection);
            !conversation.map_or(!plan.is_calm(), |one| is_excused(plan, account, one, place))
        }
    };
    if is_wrong {
        findings.add(6, place, format!("connection {connection} ended: {how:?}"));
    }
}

/// Whether something happened to the network or the server while a connection lasted, or just before it began, that may have
/// cut it.
fn is_excused(plan: &Plan, account: &Account, conversation: &Conversation, place: usize) -> bool {
    let life = &account.lives[conversation.life];
    if life.crashed && life.ended.is_some_and(|ended| ended < place) {
        return true;
    }
    let host = plan.clients[conversation.client as usize].host;
    // What the disk refuses is answered, but it may take a while.
    plan.has_failing_disks()
        || plan
            .troubles
            .iter()
            .any(|(_, trouble)| matches!(trouble, Trouble::Partition(one) | Trouble::Hold(one) if *one == host))
}

/// Who does not dawdle is answered at once, whatever is being drained.
fn check_waits(plan: &Plan, conversation: &Conversation, findings: &mut Findings) {
    if plan.clients[conversation.client as usize].dawdles.is_some() {
        return;
    }
    let most = 2 * plan.latency_max + DISK_TURNS * plan.disk_pause + 10 * plan.tick + SLACK;
    for asked in &conversation.asked {
        if let Some((place, at, _)) = &asked.answered {
            let waited = at.saturating_sub(asked.sent_at);
            if waited > most {
                let what = format!("#{} was answered after {waited:?}, not within {most:?}", asked.number);
                findings.add(6, *place, what);
            }
        }
    }
}
