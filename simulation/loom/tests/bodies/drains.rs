//! Drains: a dataset is closed after its last lease, and it is closed.

use std::future::poll_fn;

use loom::future::block_on;
use loom::thread;

use super::super::cell::Policy;
use super::scene::{Scene, answer, close, joined, next_answer};

/// Two readers go on while a dataset is drained: their late leases are on the new one, and they never hold the drain up.
pub fn a_drain_against_late_leases() {
    let scene = Scene::new(Policy::Command);
    let readers = [(); 2].map(|()| {
        let mut reader = scene.cell.reader();
        thread::spawn(move || {
            let last = answer(&mut reader);
            next_answer(&mut reader, last);
            reader.park();
            reader
        })
    });
    let drains = [scene.publish(2), scene.publish(3)];
    drains.into_iter().for_each(close);
    drop(readers.map(joined));
    scene.ends(3);
}

/// A reader that waits for its client for ever does not keep its dataset open.
pub fn an_idle_reader_does_not_hold_up_a_drain() {
    let scene = Scene::new(Policy::Command);
    let mut reader = scene.cell.reader();
    let idle = thread::spawn(move || {
        let last = answer(&mut reader);
        reader.park();
        (reader, last)
    });
    close(scene.publish(2));
    close(scene.publish(3));
    let (mut reader, last) = joined(idle);
    assert_eq!(
        next_answer(&mut reader, last),
        3,
        "promise 3: the publisher has returned"
    );
    drop(reader);
    scene.ends(3);
}

/// Connections end and the last handle goes while datasets are swapped and drained.
pub fn readers_and_the_cell_are_dropped_during_a_swap() {
    let scene = Scene::new(Policy::Command);
    let mut parked = scene.cell.reader();
    let last = answer(&mut parked);
    parked.park();
    let mut busy = scene.cell.reader();
    let busy = thread::spawn(move || {
        next_answer(&mut busy, last);
    });
    let ending = thread::spawn(move || drop(parked));
    let drains = [scene.publish(2), scene.publish(3)];
    // The readers and the drains keep alive what they need of the cell.
    let witness = scene.without_the_cell();
    drains.into_iter().for_each(close);
    joined(busy);
    joined(ending);
    witness.all_closed(3);
}

/// A task that polls a drain is woken by the last lease.
pub fn a_task_that_polls_a_drain_is_woken() {
    let scene = Scene::new(Policy::Command);
    let mut reader = scene.cell.reader();
    let reader = thread::spawn(move || {
        let last = answer(&mut reader);
        next_answer(&mut reader, last);
    });
    for label in [2, 3] {
        let drain = scene.publish(label);
        block_on(poll_fn(|cx| drain.poll_drained(cx)));
        assert_eq!(drain.leases(), 0, "promise 4: ready before the last lease has gone");
        drop(drain.close().expect("polled to its end"));
    }
    joined(reader);
    scene.ends(3);
}

/// Drains that nobody waits for: the last lease closes, once.
pub fn a_drain_that_is_dropped_leaves_the_closing_to_the_last_lease() {
    let scene = Scene::new(Policy::Command);
    let mut reader = scene.cell.reader();
    let reader = thread::spawn(move || {
        let last = answer(&mut reader);
        next_answer(&mut reader, last);
        reader.park();
        reader
    });
    drop(scene.publish(2));
    drop(scene.publish(3));
    drop(joined(reader));
    scene.ends(3);
}
