//! Each checker on histories that were made up: a good one, and what breaks it.

use std::time::Duration;

use super::*;
use crate::command::{Change, Command, Found, MARKER, Reply, Style};
use crate::history::{Answer, Ending, What};
use crate::plan::{Backend, Trouble};
use crate::product::Policy;
use crate::shelf::{PLAIN_KEYS, contents};

/// A calm world of files, of which no test lets a dataset drain for longer than 50 ms.
fn plan() -> Plan {
    let calm = |plan: &Plan| plan.is_calm() && !plan.is_big() && plan.backend == Backend::Redb;
    let mut plan = (0..).map(Plan::new).find(calm).expect("some seed is calm");
    plan.policy = Policy::Command;
    plan.drain_timeout = Duration::from_millis(50);
    plan.disk_pause = Duration::ZERO;
    plan
}

/// A history of one event in a millisecond.
fn history(whats: &[What]) -> Vec<Event> {
    let at = |place: usize| Duration::from_millis(place as u64);
    let event = |(place, what): (usize, &What)| Event {
        at: at(place),
        what: what.clone(),
    };
    whats.iter().enumerate().map(event).collect()
}

fn promises(plan: &Plan, whats: &[What]) -> Vec<u8> {
    let mut promises: Vec<u8> = judge(plan, &history(whats))
        .into_iter()
        .map(|one| one.promise)
        .collect();
    promises.dedup();
    promises
}

#[track_caller]
fn holds(whats: &[What]) {
    let violations = judge(&plan(), &history(whats));
    assert!(violations.is_empty(), "{violations:#?}");
}

#[track_caller]
fn breaks(promise: u8, whats: &[What]) {
    let broken = promises(&plan(), whats);
    assert!(broken.contains(&promise), "{broken:?}");
}

fn sent(number: u64, connection: u32, command: Command) -> What {
    What::Sent {
        connection,
        number,
        command,
    }
}

fn set(number: u64, connection: u32, value: &str) -> What {
    let change = Change::Set(value.to_owned());
    let key = "key2".to_owned();
    let style = Style::Classic;
    sent(number, connection, Command::Change { key, change, style })
}

fn stored(number: u64) -> What {
    What::Answered {
        number,
        reply: Reply::Stored,
    }
}

fn look(number: u64, connection: u32) -> What {
    sent(number, connection, Command::get([MARKER, "key2", MARKER]))
}

fn told(number: u64, items: &[(&str, &str)]) -> What {
    let item = |(key, value): &(&str, &str)| {
        let value = (*value).to_owned();
        ((*key).to_owned(), Found { value, unique: None })
    };
    What::Answered {
        number,
        reply: Reply::Items(items.iter().map(item).collect()),
    }
}

/// The answer to a look.
fn saw(number: u64, file: &str, value: &str) -> What {
    told(number, &[(MARKER, file), ("key2", value), (MARKER, file)])
}

fn connected(connection: u32) -> What {
    What::Connected { connection, client: 0 }
}

fn ended(connection: u32) -> What {
    let how = Ending::ByClient;
    What::Ended { connection, how }
}

fn opened(dataset: u32, stem: &str) -> What {
    What::Opened {
        dataset,
        filename: format!("{stem}.redb"),
        keys: contents(stem, false).len() as u64 + 1,
    }
}

fn sought(stem: &str) -> What {
    let filename = format!("{stem}.redb");
    What::Sought { filename }
}

fn closed(dataset: u32) -> What {
    What::Closed { dataset, fault: None }
}

fn ordered(order: u32, stem: &str) -> What {
    let filename = format!("{stem}.redb");
    What::Ordered { order, filename }
}

fn switched(order: u32, stem: &str, generation: u64) -> What {
    let answer = Answer::Switched {
        generation,
        filename: format!("{stem}.redb"),
        keys: contents(stem, false).len() as u64 + 1,
        drained: true,
    };
    What::Obeyed { order, answer }
}

fn refused(order: u32, status: u16) -> What {
    let explained = true;
    let answer = Answer::Refused { status, explained };
    What::Obeyed { order, answer }
}

fn left(stem: &str, value: &str) -> What {
    What::Left {
        filename: stem.to_owned(),
        key: "key2".to_owned(),
        value: Some(value.to_owned()),
    }
}

/// A connection over one switch, all as it should be.
fn good() -> Vec<What> {
    vec![
        What::Started,
        sought("alpha"),
        opened(0, "alpha"),
        connected(0),
        look(0, 0),
        saw(0, "alpha", "alpha/key2"),
        set(1, 0, "new"),
        look(2, 0),
        stored(1),
        saw(2, "alpha", "new"),
        ordered(0, "beta"),
        sought("beta"),
        opened(1, "beta"),
        look(3, 0),
        closed(0),
        switched(0, "beta", 2),
        saw(3, "beta", "beta/key2"),
        look(4, 0),
        saw(4, "beta", "beta/key2"),
        ended(0),
        What::Stopping,
        closed(1),
        What::Stopped,
        left("alpha", "new"),
        left("beta", "beta/key2"),
    ]
}

/// The same with one event replaced by others.
fn with(old: &What, new: &[What]) -> Vec<What> {
    let whats = good();
    assert_eq!(whats.iter().filter(|what| *what == old).count(), 1, "{old:?}");
    let replaced = |what: What| if what == *old { new.to_vec() } else { vec![what] };
    whats.into_iter().flat_map(replaced).collect()
}

#[test]
fn a_good_history_holds() {
    holds(&good());
}

#[test]
fn promise_1_a_reply_of_two_datasets_is_found() {
    let answer = saw(3, "beta", "beta/key2");
    let mixed = [(MARKER, "alpha"), ("key2", "beta/key2"), (MARKER, "beta")];
    breaks(1, &with(&answer, &[told(3, &mixed)]));
    breaks(
        1,
        &with(
            &answer,
            &[told(3, &[(MARKER, "beta"), ("key2", "alpha/key2"), (MARKER, "beta")])],
        ),
    );
    breaks(1, &with(&answer, &[told(3, &[(MARKER, "beta")])]));
    breaks(1, &with(&answer, &[saw(3, "gamma", "gamma/key2")]));
}

#[test]
fn promise_2_a_connection_that_goes_back_is_found() {
    breaks(2, &with(&saw(4, "beta", "beta/key2"), &[saw(4, "alpha", "new")]));
    let mut bound = plan();
    bound.policy = Policy::Connection;
    assert_eq!(promises(&bound, &good()), [2], "it moved before the deadline");
}

#[test]
fn promise_3_an_answer_of_the_old_dataset_after_the_announcement_is_found() {
    let late = [connected(1), look(5, 1), saw(5, "alpha", "new"), ended(1), ended(0)];
    breaks(3, &with(&ended(0), &late));
    // Of another connection that asked before, too.
    let early = [connected(1), look(5, 1), ordered(0, "beta")];
    let mut whats = with(&ordered(0, "beta"), &early);
    whats.insert(14, saw(5, "alpha", "new"));
    holds(&whats);
}

#[test]
fn promise_4_a_dataset_that_is_not_closed_in_time_is_found() {
    breaks(4, &with(&closed(0), &[]));
    breaks(4, &with(&closed(0), &[What::Dropped { dataset: 0 }]));
    breaks(4, &with(&closed(1), &[]));
    breaks(4, &with(&What::Stopped, &[]));
    breaks(4, &with(&switched(0, "beta", 2), &[switched(0, "beta", 2), closed(1)]));
    let mut events = history(&good());
    for event in &mut events[14..] {
        event.at += Duration::from_secs(1);
    }
    let late = judge(&plan(), &events);
    assert!(late.iter().any(|violation| violation.promise == 4), "{late:?}");
}

#[test]
fn promise_5_a_load_that_should_have_failed_or_not_is_found() {
    let order = |stem: &str, answer: What| [ended(0), ordered(1, stem), answer];
    holds(&with(&ended(0), &order("missing", refused(1, 404))));
    holds(&with(&ended(0), &order("beta", refused(1, 409))));
    breaks(5, &with(&ended(0), &order("missing", refused(1, 422))));
    breaks(5, &with(&ended(0), &order("gamma", refused(1, 409))));
    breaks(5, &with(&ended(0), &order("damaged", switched(1, "alpha", 3))));
    let explained = false;
    let answer = Answer::Refused { status: 404, explained };
    breaks(
        5,
        &with(&ended(0), &order("missing", What::Obeyed { order: 1, answer })),
    );
    breaks(5, &with(&opened(1, "beta"), &[opened(1, "damaged")]));
}

#[test]
fn promise_6_who_is_cut_off_or_has_to_wait_is_found() {
    for how in [Ending::ByServer, Ending::TimedOut, Ending::Nonsense("x".to_owned())] {
        breaks(6, &with(&ended(0), &[What::Ended { connection: 0, how }]));
    }
    let failed = What::Answered {
        number: 1,
        reply: Reply::ServerError("SERVER_ERROR no".to_owned()),
    };
    breaks(6, &with(&stored(1), &[failed]));
    breaks(6, &with(&ended(0), &[ended(0), What::Panicked("somewhere".to_owned())]));
    let mut events = history(&good());
    for event in &mut events[16..] {
        event.at += Duration::from_millis(150);
    }
    let slow = judge(&plan(), &events);
    assert!(slow.iter().any(|violation| violation.promise == 6), "{slow:?}");
}

#[test]
fn promise_6_excuses_who_was_on_a_network_that_broke() {
    let whats = with(
        &ended(0),
        &[What::Ended {
            connection: 0,
            how: Ending::TimedOut,
        }],
    );
    let mut troubled = plan();
    let host = troubled.clients[0].host;
    troubled.troubles = vec![(Duration::ZERO, Trouble::Partition(host))];
    assert_eq!(promises(&troubled, &whats), [0_u8; 0]);
    let other = if host == "near" { "far" } else { "near" };
    troubled.troubles = vec![(Duration::ZERO, Trouble::Partition(other))];
    assert_eq!(promises(&troubled, &whats), [6]);
}

#[test]
fn promise_7_an_acknowledged_write_that_is_lost_is_found() {
    breaks(7, &with(&left("alpha", "new"), &[left("alpha", "alpha/key2")]));
    breaks(7, &with(&left("beta", "beta/key2"), &[left("beta", "new")]));
    breaks(
        7,
        &with(&left("beta", "beta/key2"), &[left("beta", "unreadable: it is damaged")]),
    );
    breaks(7, &with(&saw(2, "alpha", "new"), &[saw(2, "alpha", "alpha/key2")]));
    // Not acknowledged, it may be there or not.
    let lost = with(&stored(1), &[]);
    let lost: Vec<What> = lost
        .into_iter()
        .filter(|what| *what != look(2, 0) && *what != saw(2, "alpha", "new"))
        .collect();
    holds(&lost);
}

#[test]
fn promise_7_lets_a_failing_disk_show_what_a_crash_takes_away() {
    let fails = What::DiskFails {
        stem: "alpha".to_owned(),
        after: 0,
    };
    let failed = What::Answered {
        number: 1,
        reply: Reply::ServerError("SERVER_ERROR the disk".to_owned()),
    };
    let mut whats = vec![
        What::Started,
        opened(0, "alpha"),
        connected(0),
        fails,
        set(1, 0, "new"),
        failed,
    ];
    whats.extend([
        look(2, 0),
        saw(2, "alpha", "new"),
        What::Crashed,
        What::Dropped { dataset: 0 },
    ]);
    whats.extend([What::Started, opened(1, "alpha"), connected(1), look(3, 1)]);
    let mut failing = plan();
    failing.troubles = vec![(Duration::ZERO, Trouble::FailingDisk("alpha", 0))];
    let end = [What::Stopping, closed(1), What::Stopped];
    let seen = |first: &str, then: &str| {
        let mut whats = whats.clone();
        whats[7] = saw(2, "alpha", first);
        whats.push(saw(3, "alpha", then));
        whats.extend(end.clone());
        promises(&failing, &whats)
    };
    assert_eq!(seen("new", "alpha/key2"), [0_u8; 0]);
    assert_eq!(seen("new", "new"), [0_u8; 0]);
    assert_eq!(seen("alpha/key2", "new"), [0_u8; 0]);
    assert_eq!(seen("alpha/key2", "else"), [7]);
    assert_eq!(seen("else", "new"), [7]);
}

#[test]
fn promise_8_switches_out_of_turn_and_wrong_numbers_are_found() {
    breaks(8, &with(&switched(0, "beta", 2), &[switched(0, "beta", 1)]));
    breaks(8, &with(&switched(0, "beta", 2), &[switched(0, "gamma", 2)]));
    let status = |generation| What::Status {
        asked: 18,
        generation,
        filename: "beta.redb".to_owned(),
    };
    holds(&with(&ended(0), &[ended(0), status(2)]));
    breaks(8, &with(&ended(0), &[ended(0), status(1)]));
    // The third is looked for while the first drains.
    let hasty = [opened(1, "beta"), sought("gamma"), opened(2, "gamma")];
    breaks(8, &with(&opened(1, "beta"), &hasty));
    breaks(8, &with(&opened(0, "alpha"), &[opened(0, "beta")]));
}

#[test]
fn promise_8_knows_an_answer_that_was_on_its_way_during_a_crash() {
    let mut whats: Vec<What> = good()
        .into_iter()
        .take_while(|what| *what != switched(0, "beta", 2))
        .collect();
    whats.retain(|what| *what != look(3, 0));
    whats.extend([What::Crashed, What::Started, opened(2, "alpha"), switched(0, "beta", 2)]);
    whats.extend([connected(1), look(5, 1), saw(5, "alpha", "new"), ended(1)]);
    whats.extend([What::Stopping, closed(2), What::Stopped]);
    holds(&whats);
}

#[test]
fn the_keys_of_the_histories_are_those_of_the_worlds() {
    assert!(PLAIN_KEYS.contains(&"key2"));
}
