//! Promises 1 to 3: a command is answered whole from one dataset, a connection never goes back, and who asks after a switch was
//! answered is answered by the new dataset. Under the policy `connection`, a connection keeps its dataset until the deadline.

use std::collections::BTreeMap;

use super::Findings;
use crate::account::{Account, Asked, Conversation, Dataset, markers};
use crate::command::{Command, Found, MARKER, Reply};
use crate::plan::Plan;
use crate::product::Policy;
use crate::shelf::{BIG_KEYS, SOUND, original};

/// The generations that may have executed a command: from, to.
pub(super) type Spans = BTreeMap<u64, (u64, u64)>;

/// Checks, and tells for each command which generations may have executed it.
pub(super) fn check(plan: &Plan, account: &Account, findings: &mut Findings) -> Spans {
    let mut spans = Spans::new();
    for conversation in account.conversations.values() {
        if plan.policy == Policy::Connection {
            check_bound(plan, account, conversation, findings);
        }
        for asked in &conversation.asked {
            check_whole(account, conversation, asked, findings);
        }
        let lowest = forwards(account, conversation, findings);
        let highest = backwards(account, conversation);
        for (asked, span) in conversation.asked.iter().zip(lowest.into_iter().zip(highest)) {
            spans.insert(asked.number, span);
        }
    }
    spans
}

/// All of a reply is of one dataset.
fn check_whole(account: &Account, conversation: &Conversation, asked: &Asked, findings: &mut Findings) {
    let (Some((place, _, reply @ Reply::Items(items))), Command::Get { keys, .. }) = (&asked.answered, &asked.command)
    else {
        return;
    };
    let wanted = keys.iter().filter(|key| *key == MARKER).count();
    let markers = markers(reply);
    if markers.len() != wanted || markers.windows(2).any(|pair| pair[0] != pair[1]) {
        let what = format!("#{} asked for {wanted} markers and was told {markers:?}", asked.number);
        return findings.add(1, *place, what);
    }
    let Some(marker) = markers.first() else { return };
    let of_life: Vec<&Dataset> = account.of_life(conversation.life).collect();
    let Some(dataset) = of_life.iter().find(|dataset| dataset.is_marked(marker)) else {
        let what = format!("#{} was answered by {marker}, which was not there", asked.number);
        return findings.add(1, *place, what);
    };
    for (key, Found { value, .. }) in items {
        let foreign = SOUND
            .iter()
            .any(|file| *file != dataset.filename && value.starts_with(&format!("{file}/")));
        let is_wrong = BIG_KEYS.contains(&key.as_str()) && original(&dataset.filename, key).as_ref() != Some(value);
        if foreign || is_wrong {
            let what = format!("#{} was answered by {marker}, but {key} has {value}", asked.number);
            findings.add(1, *place, what);
        }
    }
    let missing = |key: &&str| keys.iter().any(|one| one == *key) && !items.iter().any(|(one, _)| one == *key);
    if let Some(key) = BIG_KEYS.iter().find(|key| missing(key)) {
        let what = format!("#{} was answered by {marker}, without {key}", asked.number);
        findings.add(1, *place, what);
    }
}

/// A connection that is bound to a dataset keeps it until the drain deadline.
fn check_bound(plan: &Plan, account: &Account, conversation: &Conversation, findings: &mut Findings) {
    let mut bound: Option<&Dataset> = None;
    for asked in &conversation.asked {
        let Some((place, at, reply)) = &asked.answered else {
            continue;
        };
        let Some(marker) = markers(reply).first().copied() else {
            continue;
        };
        let mut marked = account
            .of_life(conversation.life)
            .filter(|dataset| dataset.is_marked(marker));
        let (Some(dataset), None) = (marked.next(), marked.next()) else {
            // A file that was served twice: nobody knows which time this was.
            bound = None;
            continue;
        };
        if let Some(bound) = bound.replace(dataset)
            && bound.generation < dataset.generation
            && let Some(next) = account.of_life(conversation.life).nth(bound.generation as usize)
            && *at + plan.tick < next.opened_at + plan.drain_timeout
        {
            let what = format!(
                "#{} was answered by {marker}, before the deadline of dataset {}",
                asked.number, bound.number
            );
            findings.add(2, *place, what);
        }
    }
}

/// The lowest generation that can have answered each command; one that is too low breaks a promise.
fn forwards(account: &Account, conversation: &Conversation, findings: &mut Findings) -> Vec<u64> {
    let mut lowest = 1;
    let each = |asked: &Asked| {
        let promised = account.promised(conversation.life, asked.sent);
        let Some((place, _, reply)) = &asked.answered else {
            return lowest.max(promised);
        };
        let Some(marker) = markers(reply).first().copied() else {
            return lowest.max(promised);
        };
        let candidates: Vec<u64> = candidates(account, conversation.life, marker, *place).collect();
        let at_least = |floor: u64| candidates.iter().copied().find(|&generation| generation >= floor);
        let number = asked.number;
        if at_least(lowest).is_none() && !candidates.is_empty() {
            let what = format!("#{number} was answered by {marker}, after generation {lowest} on the same connection");
            findings.add(2, *place, what);
        }
        if at_least(promised).is_none() && !candidates.is_empty() {
            let what = format!("#{number} was answered by {marker}, after generation {promised} had been announced");
            findings.add(3, *place, what);
        }
        lowest = at_least(lowest.max(promised)).unwrap_or(lowest);
        lowest
    };
    conversation.asked.iter().map(each).collect()
}

/// The highest generation that can have answered each command.
fn backwards(account: &Account, conversation: &Conversation) -> Vec<u64> {
    let mut highest = account.of_life(conversation.life).count() as u64;
    let mut spans: Vec<u64> = Vec::new();
    for asked in conversation.asked.iter().rev() {
        if let Some((place, _, reply)) = &asked.answered {
            let opened = account
                .of_life(conversation.life)
                .filter(|dataset| dataset.opened < *place);
            highest = highest.min(opened.count() as u64);
            if let Some(marker) = markers(reply).first() {
                let candidates = candidates(account, conversation.life, marker, *place);
                highest = candidates
                    .filter(|&generation| generation <= highest)
                    .last()
                    .unwrap_or(highest);
            }
        }
        spans.push(highest);
    }
    spans.reverse();
    spans
}

/// The generations that a marker can stand for.
fn candidates<'a>(
    account: &'a Account,
    life: usize,
    marker: &'a str,
    answered: usize,
) -> impl Iterator<Item = u64> + 'a {
    let datasets = account.of_life(life);
    let marked = datasets.filter(move |dataset| dataset.opened < answered && dataset.is_marked(marker));
    marked.map(|dataset| dataset.generation)
}
