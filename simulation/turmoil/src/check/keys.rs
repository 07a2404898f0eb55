//! Promise 7, and what makes it worth something: of each key in each dataset, what clients saw can be explained by one order of
//! their commands, through crashes and swaps, and what was acknowledged is in the file.

use std::collections::BTreeMap;

use super::Findings;
use super::generations::Spans;
use crate::account::{Account, Asked, Conversation, markers};
use crate::command::{Change, Command, Found, Reply};
use crate::history::{Event, What};
use crate::linear::{Action, Seen, State, Step, explain};
use crate::plan::{Backend, Plan};
use crate::shelf::{BIG_KEYS, original};

/// What holds one state of a key over time: a file, or a dataset in memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File(String),
    Memory(u32),
}

/// The sessions that used one key in one place.
type Uses = BTreeMap<(Place, String), Vec<Vec<Step>>>;

pub(super) fn check(plan: &Plan, events: &[Event], account: &Account, spans: &Spans, findings: &mut Findings) {
    let mut uses = Uses::new();
    for conversation in account.conversations.values() {
        let mut sessions: BTreeMap<(Place, String), Vec<Step>> = BTreeMap::new();
        for asked in &conversation.asked {
            collect(plan, account, conversation, asked, spans, &mut sessions, &mut uses);
        }
        for (key, session) in sessions {
            uses.entry(key).or_default().push(session);
        }
    }
    collect_files(events, &mut uses, findings);
    for ((place, key), sessions) in &uses {
        for sessions in readings(events, account, place, sessions) {
            let initial = initial(account, place, key);
            if explain(initial.clone(), &likely(&sessions)).is_ok() {
                continue;
            }
            if let Err(unexplained) = explain(initial, &sessions) {
                let stuck = unexplained.stuck.iter().min().copied().unwrap_or_default();
                let shown = sessions.iter().flatten().find(|step| step.command == stuck);
                let what = format!("what was seen of {key} in {place:?} has no explanation: {unexplained:?}");
                findings.add(7, shown.map_or(events.len(), |step| step.began), what);
            }
        }
    }
}

/// All but those of the changes of unknown outcome that left no trace. That they were never executed is always possible, and
/// most often the explanation; each that is left doubles the search.
fn likely(sessions: &[Vec<Step>]) -> Vec<Vec<Step>> {
    let seen: Vec<&str> = sessions
        .iter()
        .flatten()
        .filter_map(|step| match &step.seen {
            Some(Seen::Item(Some(found))) => Some(found.value.as_str()),
            _ => None,
        })
        .collect();
    let leaves_trace = |step: &Step| match &step.action {
        Action::Change(
            Change::Set(value)
            | Change::Add(value)
            | Change::Replace(value)
            | Change::Append(value)
            | Change::Prepend(value)
            | Change::Cas(value, _),
        ) => seen.iter().any(|seen| seen.contains(value.as_str())),
        Action::Change(Change::Delete | Change::Increase(_) | Change::Decrease(_)) | Action::Look => false,
    };
    let is_likely = |steps: &&Vec<Step>| match steps.as_slice() {
        [step] if step.ended.is_none() => leaves_trace(step),
        _ => true,
    };
    sessions.iter().filter(is_likely).cloned().collect()
}

/// What has to be explained, each for itself: most often all that was seen.
///
/// Between a sync that failed and a crash, what was not acknowledged can be read, and may be gone after the crash. So what was
/// seen up to there must have an explanation, and so must everything without what was only read in between.
fn readings(events: &[Event], account: &Account, place: &Place, sessions: &[Vec<Step>]) -> Vec<Vec<Vec<Step>>> {
    let fails = events.iter().position(|event| match (&event.what, place) {
        (What::DiskFails { stem, .. }, Place::File(file)) => stem == file,
        _ => false,
    });
    let crash = |failed: usize| {
        let crashes = account
            .lives
            .iter()
            .filter(|life| life.crashed)
            .filter_map(|life| life.ended);
        crashes.filter(|crash| *crash > failed).min()
    };
    let Some((failed, crashed)) = fails.and_then(|failed| Some((failed, crash(failed)?))) else {
        return vec![sessions.to_vec()];
    };
    let only = |holds: &dyn Fn(&Step) -> bool| {
        let kept = sessions
            .iter()
            .map(|steps| steps.iter().filter(|step| holds(step)).cloned().collect());
        kept.collect::<Vec<Vec<Step>>>()
    };
    let before = only(&|step| step.began < crashed);
    let lasting = only(&|step| {
        let only_read = match &step.seen {
            Some(Seen::Item(_)) => true,
            Some(Seen::Outcome(reply)) => matches!(reply, Reply::NotFound | Reply::NotStored | Reply::Exists),
            None => false,
        };
        !(only_read && step.ended.is_some_and(|ended| (failed..crashed).contains(&ended)))
    });
    vec![before, lasting]
}

fn initial(account: &Account, place: &Place, key: &str) -> State {
    let filename = match place {
        Place::File(filename) => filename,
        Place::Memory(number) => {
            let dataset = account.datasets.iter().find(|dataset| dataset.number == *number);
            &dataset?.filename
        }
    };
    let value = original(filename, key)?;
    Some(Found { value, unique: None })
}

/// Adds what a command did to each of its keys.
fn collect(
    plan: &Plan,
    account: &Account,
    conversation: &Conversation,
    asked: &Asked,
    spans: &Spans,
    sessions: &mut BTreeMap<(Place, String), Vec<Step>>,
    uses: &mut Uses,
) {
    let places = places(plan, account, conversation, asked, spans);
    for (key, action, seen) in actions(asked) {
        let failed = matches!(asked.answered, Some((_, _, Reply::ServerError(_))));
        for place in &places {
            let step = Step {
                command: asked.number,
                began: asked.sent,
                ended: asked.answered.as_ref().map(|(place, ..)| *place).filter(|_| !failed),
                action: action.clone(),
                seen: seen.clone(),
                elsewhere: places.len() > 1,
            };
            let at = (place.clone(), key.clone());
            if failed {
                // It may show later, but what the connection did next does not wait for that.
                uses.entry(at).or_default().push(vec![step]);
            } else {
                sessions.entry(at).or_default().push(step);
            }
        }
    }
}

/// Where a command may have been executed.
fn places(plan: &Plan, account: &Account, conversation: &Conversation, asked: &Asked, spans: &Spans) -> Vec<Place> {
    let (lowest, highest) = spans.get(&asked.number).copied().unwrap_or((1, u64::MAX));
    let marker = asked
        .answered
        .as_ref()
        .and_then(|(_, _, reply)| markers(reply).first().copied());
    let mut places: Vec<Place> = account
        .of_life(conversation.life)
        .filter(|dataset| (lowest..=highest).contains(&dataset.generation))
        .filter(|dataset| marker.is_none_or(|marker| dataset.is_marked(marker)))
        .map(|dataset| match plan.backend {
            Backend::Memory => Place::Memory(dataset.number),
            Backend::Redb => Place::File(dataset.filename.clone()),
        })
        .collect();
    places.sort();
    places.dedup();
    places
}

/// What a command did to each of its keys, and what was told of it.
fn actions(asked: &Asked) -> Vec<(String, Action, Option<Seen>)> {
    let reply = asked.answered.as_ref().map(|(_, _, reply)| reply);
    let looks = |keys: &[String]| {
        let Some(Reply::Items(items)) = reply else {
            return Vec::new();
        };
        let written = |key: &&String| key.as_str() != crate::command::MARKER && !BIG_KEYS.contains(&key.as_str());
        let mut keys: Vec<&String> = keys.iter().filter(written).collect();
        keys.sort();
        keys.dedup();
        let looked = |key: &String| {
            let found = items.iter().find(|(one, _)| one == key).map(|(_, found)| found.clone());
            (key.clone(), Action::Look, Some(Seen::Item(found)))
        };
        keys.into_iter().map(looked).collect()
    };
    match &asked.command {
        Command::Get { keys, .. } => looks(keys),
        Command::MetaGet { key } => looks(std::slice::from_ref(key)),
        Command::Change { key, change, .. } => {
            let seen = reply.filter(|reply| !matches!(reply, Reply::ServerError(_))).cloned();
            vec![(key.clone(), Action::Change(change.clone()), seen.map(Seen::Outcome))]
        }
    }
}

/// What was in the files at the end, as if somebody had looked.
fn collect_files(events: &[Event], uses: &mut Uses, findings: &mut Findings) {
    for (place, event) in events.iter().enumerate() {
        let What::Left { filename, key, value } = &event.what else {
            continue;
        };
        if let Some(damage) = value.as_ref().filter(|value| value.starts_with("unreadable")) {
            findings.add(7, place, format!("{filename} is {damage}"));
            continue;
        }
        let found = value.as_ref().map(|value| Found {
            value: value.clone(),
            unique: None,
        });
        let step = Step {
            command: u64::MAX,
            began: place,
            ended: Some(place + 1),
            action: Action::Look,
            seen: Some(Seen::Item(found)),
            elsewhere: false,
        };
        let at = (Place::File(filename.clone()), key.clone());
        uses.entry(at).or_default().push(vec![step]);
    }
}
