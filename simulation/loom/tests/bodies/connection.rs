//! The policy `connection`: an open connection stays until it ends or is moved.

use std::sync::Arc;

use loom::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use loom::thread;

use super::super::cell::Policy;
use super::scene::{Scene, answer, close, joined, next_answer};

/// A bound reader keeps its dataset through two publishes until the deadline moves it; from then on it is answered by what
/// was published, and both drains end.
pub fn a_bound_reader_stays_until_the_deadline_moves_it() {
    let scene = Scene::new(Policy::Connection);
    let mut reader = scene.cell.reader();
    assert_eq!(answer(&mut reader), 1);
    let publisher = {
        let scene = scene.clone();
        thread::spawn(move || [scene.publish(2), scene.publish(3)])
    };
    assert_eq!(answer(&mut reader), 1, "a bound reader moved before its deadline");
    reader.park();
    let [first, second] = joined(publisher);
    assert_eq!(answer(&mut reader), 1, "a bound reader moved before its deadline");

    let passed = Arc::new(AtomicBool::new(false));
    let deadline = {
        let passed = Arc::clone(&passed);
        thread::spawn(move || {
            second.move_readers();
            passed.store(true, Release);
            close(first);
            close(second);
        })
    };
    let due = if passed.load(Acquire) { 3 } else { 1 };
    let last = next_answer(&mut reader, due);
    reader.park();
    joined(deadline);
    assert_eq!(
        next_answer(&mut reader, last),
        3,
        "promise 3: the deadline has moved all"
    );
    drop(reader);
    scene.ends(3);
}

/// Two swaps whose deadlines race: whichever comes last, no reader is left behind the newer one.
pub fn two_deadlines_that_race() {
    let scene = Scene::new(Policy::Connection);
    let mut readers = [scene.cell.reader(), scene.cell.reader()];
    assert_eq!(answer(&mut readers[0]), 1);
    let first = scene.publish(2);
    assert_eq!(
        answer(&mut readers[1]),
        2,
        "a new connection is bound to the current dataset"
    );
    let second = scene.publish(3);
    let movers = [first, second].map(|drain| {
        thread::spawn(move || {
            drain.move_readers();
            drain
        })
    });
    let drains = movers.map(joined);
    for mut reader in readers {
        assert_eq!(answer(&mut reader), 3, "promise 3: both deadlines have passed");
    }
    drains.into_iter().for_each(close);
    scene.ends(3);
}

/// Connections that end give their dataset back without any deadline, whether they waited or not.
pub fn bound_readers_that_end_are_not_waited_for() {
    let scene = Scene::new(Policy::Connection);
    let readers = [false, true].map(|parks| {
        let mut reader = scene.cell.reader();
        thread::spawn(move || {
            let last = answer(&mut reader);
            if parks {
                reader.park();
            }
            drop(reader);
            last
        })
    });
    let drains = [scene.publish(2), scene.publish(3)];
    drains.into_iter().for_each(close);
    for reader in readers {
        assert!(joined(reader) <= 3);
    }
    scene.ends(3);
}
