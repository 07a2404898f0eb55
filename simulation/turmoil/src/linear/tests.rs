use super::*;

fn found(value: &str) -> Found {
    Found {
        value: value.to_owned(),
        unique: None,
    }
}

/// A step that began and ended at these moments.
fn step(began: usize, ended: impl Into<Option<usize>>, action: Action, seen: impl Into<Option<Seen>>) -> Step {
    Step {
        command: began as u64,
        began,
        ended: ended.into(),
        action,
        seen: seen.into(),
        elsewhere: false,
    }
}

fn set(began: usize, ended: usize, value: &str) -> Step {
    let action = Action::Change(Change::Set(value.to_owned()));
    step(began, ended, action, Seen::Outcome(Reply::Stored))
}

/// A `set` whose connection broke.
fn lost(began: usize, value: &str) -> Step {
    step(began, None, Action::Change(Change::Set(value.to_owned())), None)
}

fn look(began: usize, ended: usize, value: impl Into<Option<&'static str>>) -> Step {
    let item = value.into().map(found);
    step(began, ended, Action::Look, Seen::Item(item))
}

#[track_caller]
fn holds(sessions: &[Vec<Step>]) {
    explain(Some(found("0")), sessions).unwrap();
}

#[track_caller]
fn is_found(sessions: &[Vec<Step>]) {
    explain(Some(found("0")), sessions).unwrap_err();
}

#[test]
fn commands_at_the_same_time_come_in_either_order() {
    let changes = [vec![set(0, 10, "a")], vec![set(1, 9, "b")]];
    for last in ["a", "b"] {
        holds(&[changes[0].clone(), changes[1].clone(), vec![look(11, 12, last)]]);
    }
    is_found(&[changes[0].clone(), changes[1].clone(), vec![look(11, 12, "0")]]);
}

#[test]
fn what_was_acknowledged_is_seen_by_all_who_ask_later() {
    holds(&[vec![set(0, 1, "a")], vec![look(2, 3, "a")]]);
    is_found(&[vec![set(0, 1, "a")], vec![look(2, 3, "0")]]);
    is_found(&[vec![set(0, 1, "a")], vec![look(2, 3, None)]]);
}

#[test]
fn what_was_seen_once_does_not_go_back() {
    let change = vec![set(0, 9, "a")];
    holds(&[change.clone(), vec![look(1, 2, "0"), look(3, 4, "a")]]);
    is_found(&[change.clone(), vec![look(1, 2, "a"), look(3, 4, "0")]]);
    is_found(&[change, vec![look(1, 2, "a")], vec![look(3, 4, "0")]]);
}

#[test]
fn a_connection_executes_in_the_order_in_which_it_was_sent_to() {
    // All of it was sent before anything was answered.
    holds(&[vec![set(0, 10, "a"), set(1, 11, "b"), look(2, 12, "b")]]);
    is_found(&[vec![set(0, 10, "a"), set(1, 11, "b"), look(2, 12, "a")]]);
}

#[test]
fn a_lost_command_may_be_done_late_or_never_but_not_twice() {
    holds(&[vec![lost(0, "a")], vec![look(5, 6, "0"), look(7, 8, "0")]]);
    holds(&[vec![lost(0, "a")], vec![look(5, 6, "0"), look(7, 8, "a")]]);
    is_found(&[vec![lost(0, "a")], vec![look(5, 6, "a"), look(7, 8, "0")]]);
    is_found(&[
        vec![lost(0, "a")],
        vec![look(5, 6, "a"), set(7, 8, "b"), look(9, 10, "a")],
    ]);
}

#[test]
fn of_lost_commands_the_first_few_may_be_done() {
    let lost = vec![lost(0, "a"), lost(1, "b")];
    holds(&[lost.clone(), vec![look(5, 6, "a")]]);
    holds(&[lost.clone(), vec![look(5, 6, "b")]]);
    holds(&[lost.clone(), vec![look(5, 6, "a"), look(7, 8, "b")]]);
    is_found(&[lost, vec![look(5, 6, "b"), look(7, 8, "a")]]);
}

#[test]
fn a_command_that_was_perhaps_executed_elsewhere_need_not_show() {
    let mut change = set(0, 1, "a");
    change.elsewhere = true;
    for value in ["0", "a"] {
        holds(&[vec![change.clone()], vec![look(2, 3, value)]]);
    }
    // Not later than it was answered, though.
    is_found(&[vec![change], vec![look(2, 3, "0"), look(4, 5, "a")]]);
}

#[test]
fn a_unique_stands_for_one_state_of_the_key() {
    let saw = |began, value: &str, unique| {
        let item = Found {
            value: value.to_owned(),
            unique: Some(unique),
        };
        step(began, began + 1, Action::Look, Seen::Item(Some(item)))
    };
    let cas = |began, unique, reply| {
        let action = Action::Change(Change::Cas("new".to_owned(), unique));
        step(began, began + 1, action, Seen::Outcome(reply))
    };
    holds(&[vec![saw(0, "0", 5), cas(2, 5, Reply::Stored), look(4, 5, "new")]]);
    holds(&[vec![saw(0, "0", 5), cas(2, 4, Reply::Exists), look(4, 5, "0")]]);
    is_found(&[vec![saw(0, "0", 5), cas(2, 5, Reply::Exists)]]);
    is_found(&[vec![saw(0, "0", 5), cas(2, 4, Reply::Stored)]]);
    is_found(&[vec![saw(0, "0", 5), saw(2, "0", 6)]]);
    is_found(&[
        vec![saw(0, "0", 5), set(2, 3, "a"), cas(4, 5, Reply::Stored)],
        vec![saw(6, "a", 9)],
    ]);
}

#[test]
fn every_change_does_what_memcached_does() {
    let told = |change, reply| (Action::Change(change), reply);
    let script = [
        told(Change::Add("x".into()), Reply::NotStored),
        told(Change::Increase(10), Reply::Number(10)),
        told(Change::Decrease(1), Reply::Number(9)),
        told(Change::Append("z".into()), Reply::Stored),
        told(Change::Prepend("a".into()), Reply::Stored),
    ];
    let mut steps: Vec<Step> = (0..)
        .zip(script)
        .map(|(at, (action, reply))| step(2 * at, 2 * at + 1, action, Seen::Outcome(reply)))
        .collect();
    steps.push(look(20, 21, "a9 z"));
    steps.push(step(
        22,
        23,
        Action::Change(Change::Delete),
        Seen::Outcome(Reply::Deleted),
    ));
    let missing = Action::Change(Change::Replace("r".into()));
    steps.push(step(24, 25, missing, Seen::Outcome(Reply::NotStored)));
    steps.push(look(26, 27, None));
    holds(&[steps.clone()]);
    for position in 0..steps.len() {
        let mut wrong = steps.clone();
        wrong[position].seen = Some(match wrong[position].action {
            Action::Look => Seen::Item(Some(found("else"))),
            Action::Change(_) => Seen::Outcome(Reply::Exists),
        });
        is_found(&[wrong]);
    }
}

#[test]
fn what_cannot_be_explained_is_told() {
    let told = explain(Some(found("0")), &[vec![set(0, 1, "a"), look(2, 3, "0")]]).unwrap_err();
    assert_eq!(
        told,
        Unexplained {
            explained: 1,
            state: Some(found("a")),
            stuck: vec![2],
            exhausted: true,
        }
    );
}
