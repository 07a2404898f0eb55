//! The checker of linearizability: known histories, and random ones against trying every order.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mcspec_explore::linear::{Call, Item, Operation, Reply, Sequential, check};
use proptest::prelude::*;

type Op = Operation<Call, Reply>;

fn op(client: usize, invoked: u64, returned: u64, call: Call, reply: Reply) -> Op {
    Operation {
        client,
        call,
        invoked,
        returned: Some((returned, reply)),
    }
}

fn lost(client: usize, invoked: u64, call: Call) -> Op {
    Operation {
        client,
        call,
        invoked,
        returned: None,
    }
}

fn set(value: &str) -> Call {
    Call::Set(value.as_bytes().to_vec())
}

fn saw(value: &str) -> Reply {
    Reply::Value(value.as_bytes().to_vec(), None)
}

fn seen(value: &str, version: u64) -> Reply {
    Reply::Value(value.as_bytes().to_vec(), Some(version))
}

fn is_linearizable(history: &[Op]) -> bool {
    check(&Item, history).is_ok()
}

#[test]
fn what_overlaps_may_come_in_either_order() {
    for value in ["a", "b"] {
        let history = [
            op(0, 0, 10, set("a"), Reply::Stored),
            op(1, 5, 15, set("b"), Reply::Stored),
            op(2, 20, 30, Call::Get, saw(value)),
        ];
        assert!(is_linearizable(&history), "{value}");
    }
}

#[test]
fn what_is_over_cannot_be_undone() {
    let history = [
        op(0, 0, 10, set("a"), Reply::Stored),
        op(0, 11, 15, set("b"), Reply::Stored),
        op(1, 20, 30, Call::Get, saw("a")),
    ];
    assert!(!is_linearizable(&history));
}

#[test]
fn two_readers_must_agree_on_the_order_of_writers() {
    let history = |second: &str| {
        [
            op(0, 0, 100, set("a"), Reply::Stored),
            op(1, 0, 100, set("b"), Reply::Stored),
            op(2, 10, 20, Call::Get, saw("a")),
            op(3, 30, 40, Call::Get, saw("b")),
            op(2, 50, 60, Call::Get, saw(second)),
        ]
    };
    assert!(is_linearizable(&history("b")));
    assert!(!is_linearizable(&history("a")));
}

#[test]
fn no_count_is_lost() {
    let history = |second: u64| {
        [
            op(0, 0, 5, set("1"), Reply::Stored),
            op(0, 10, 20, Call::Incr(1), Reply::Number(2)),
            op(1, 10, 20, Call::Incr(1), Reply::Number(second)),
        ]
    };
    assert!(is_linearizable(&history(3)));
    assert!(!is_linearizable(&history(2)));
}

#[test]
fn one_cas_of_a_version_succeeds() {
    let history = |second| {
        [
            op(0, 0, 5, set("a"), Reply::Stored),
            op(0, 6, 9, Call::Get, seen("a", 7)),
            op(0, 10, 20, Call::Cas(7, b"b".to_vec()), Reply::Stored),
            op(1, 10, 20, Call::Cas(7, b"c".to_vec()), second),
        ]
    };
    assert!(is_linearizable(&history(Reply::Exists)));
    assert!(!is_linearizable(&history(Reply::Stored)));
}

#[test]
fn a_version_belongs_to_one_value() {
    let history = |version| {
        [
            op(0, 0, 5, set("a"), Reply::Stored),
            op(0, 6, 9, Call::Get, seen("a", 7)),
            op(0, 10, 20, set("a"), Reply::Stored),
            op(0, 21, 30, Call::Get, seen("a", version)),
        ]
    };
    assert!(is_linearizable(&history(8)));
    assert!(!is_linearizable(&history(7)));
}

#[test]
fn what_never_returned_may_have_happened_or_not_but_not_both() {
    let reads = |first, second| {
        [
            op(0, 0, 5, set("a"), Reply::Stored),
            lost(1, 6, set("b")),
            op(0, 10, 20, Call::Get, saw(first)),
            op(0, 21, 30, Call::Get, saw(second)),
        ]
    };
    assert!(is_linearizable(&reads("a", "a")));
    assert!(is_linearizable(&reads("a", "b")));
    assert!(is_linearizable(&reads("b", "b")));
    assert!(!is_linearizable(&reads("b", "a")));
    assert!(!is_linearizable(&reads("a", "c")));
}

#[test]
fn a_violation_is_told_by_its_shortest_beginning() {
    let mut history = vec![op(0, 0, 5, set("a"), Reply::Stored), op(1, 10, 20, Call::Get, saw("b"))];
    history.extend((0..50).map(|i| op(2, 30 + 10 * i, 35 + 10 * i, Call::Delete, Reply::NotFound)));
    let violation = check(&Item, &history).unwrap_err();
    assert_eq!(violation.operations.len(), 2);
    assert!(violation.to_string().contains("Get -> Value"), "{violation}");
}

#[test]
fn a_long_history_of_many_clients_is_judged() {
    let mut history = vec![op(0, 0, 1, set("0"), Reply::Stored)];
    for round in 0..200_u64 {
        for client in 0..4 {
            let number = round * 4 + client + 1;
            history.push(op(
                client as usize,
                10 + round * 10,
                18 + round * 10,
                Call::Incr(1),
                Reply::Number(number),
            ));
        }
    }
    assert!(is_linearizable(&history));
    let Some((_, reply)) = &mut history[700].returned else {
        panic!()
    };
    *reply = Reply::Number(5);
    assert!(!is_linearizable(&history));
}

/// Tries every order that real time allows.
fn by_every_order(history: &[Op]) -> bool {
    fn go(history: &[Op], done: &mut Vec<usize>, state: &<Item as Sequential>::State) -> bool {
        let left: Vec<usize> = (0..history.len()).filter(|at| !done.contains(at)).collect();
        if left.iter().all(|at| history[*at].returned.is_none()) {
            return true;
        }
        left.iter().any(|at| {
            let next = &history[*at];
            let is_late = left
                .iter()
                .any(|other| history[*other].returned.as_ref().is_some_and(|r| r.0 < next.invoked));
            let reply = next.returned.as_ref().map(|(_, reply)| reply);
            !is_late
                && Item.after(state, &next.call, reply).iter().any(|state| {
                    done.push(*at);
                    let found = go(history, done, state);
                    done.pop();
                    found
                })
        })
    }
    go(history, &mut Vec::new(), &Item.start())
}

fn calls() -> impl Strategy<Value = (Call, Reply)> {
    let value = prop_oneof![Just(b"1".to_vec()), Just(b"2".to_vec())];
    let version = 1..3_u64;
    prop_oneof![
        (value.clone(), version.clone()).prop_map(|(value, version)| (Call::Get, Reply::Value(value, Some(version)))),
        value.clone().prop_map(|value| (Call::Get, Reply::Value(value, None))),
        Just((Call::Get, Reply::Nothing)),
        value.clone().prop_map(|value| (Call::Set(value), Reply::Stored)),
        (value.clone(), any::<bool>())
            .prop_map(|(value, ok)| (Call::Add(value), if ok { Reply::Stored } else { Reply::NotStored })),
        (version, value, 0..3).prop_map(|(version, value, told)| {
            let told = [Reply::Stored, Reply::Exists, Reply::NotFound][told as usize].clone();
            (Call::Cas(version, value), told)
        }),
        (2..4_u64).prop_map(|number| (Call::Incr(1), Reply::Number(number))),
        any::<bool>().prop_map(|hit| (Call::Delete, if hit { Reply::Deleted } else { Reply::NotFound })),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Op>> {
    let one = (calls(), 0..3_usize, 0..20_u64, 1..12_u64, 0..8_u8);
    proptest::collection::vec(one, 1..7).prop_map(|drawn| {
        let mut free = [0_u64; 3];
        let mut history = Vec::new();
        for ((call, reply), client, pause, length, luck) in drawn {
            // A client asks one thing at a time.
            let invoked = free[client] + pause;
            free[client] = invoked + length + 1;
            let returned = (luck > 0).then_some((invoked + length, reply));
            history.push(Operation {
                client,
                call,
                invoked,
                returned,
            });
        }
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_checker_agrees_with_trying_every_order(history in histories()) {
        prop_assert_eq!(is_linearizable(&history), by_every_order(&history));
    }
}
