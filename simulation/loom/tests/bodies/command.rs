//! The policy `command`: who answers which command.

use std::sync::Arc;

use loom::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use loom::thread;

use super::super::cell::Policy;
use super::scene::{Scene, answer, close, joined, next_answer};

/// Two publishers race beside a reader: their generations are consecutive, each knows its own, and the reader ends with the
/// dataset of the later one.
pub fn two_publishers_and_a_reader() {
    let scene = Scene::new(Policy::Command);
    let publishers = [2, 3].map(|label| {
        let scene = scene.clone();
        thread::spawn(move || (scene.publish(label), label, scene))
    });
    let mut reader = scene.cell.reader();
    let last = next_answer(&mut reader, 1);
    let last = next_answer(&mut reader, last);
    let mut drains = publishers.map(joined);
    drains.sort_by_key(|(drain, ..)| drain.successor());
    let successors = drains.each_ref().map(|(drain, ..)| drain.successor().number());
    assert_eq!(successors, [2, 3], "promise 8: each swap has its own generation");
    let last = next_answer(&mut reader, last);
    assert_eq!(last, 3, "promise 3: both publishers have returned");
    assert_eq!(
        reader.dataset().label,
        drains[1].1,
        "promise 8: the later publisher's dataset is served"
    );
    drop(reader);
    drains.into_iter().for_each(|(drain, ..)| close(drain));
    scene.ends(3);
}

/// A reader beside two publishes, each drained before the next: once a publisher has returned, no command is answered by
/// what was before.
pub fn a_reader_and_two_publishes() {
    let scene = Scene::new(Policy::Command);
    let published = Arc::new(AtomicU64::new(1));
    let publisher = {
        let (scene, published) = (scene.clone(), Arc::clone(&published));
        thread::spawn(move || {
            for label in [2, 3] {
                let drain = scene.publish(label);
                published.store(drain.successor().number(), Release);
                close(drain);
            }
            scene
        })
    };
    let mut reader = scene.cell.reader();
    let mut last = 1;
    for _ in 0..2 {
        let due = published.load(Acquire);
        last = next_answer(&mut reader, last);
        assert!(last >= due, "promise 3: {due} was published, {last} answers");
    }
    reader.park();
    drop(joined(publisher));
    assert_eq!(
        next_answer(&mut reader, last),
        3,
        "promise 3: the publisher has returned"
    );
    drop(reader);
    scene.ends(3);
}

/// A load that fails is dropped before it is published: nobody is answered from it, and no number is lost for the one
/// that succeeds.
pub fn a_failed_load_beside_a_reader_and_a_publisher() {
    let scene = Scene::new(Policy::Command);
    let loader = {
        let scene = scene.clone();
        thread::spawn(move || {
            drop(scene.data(4));
            close(scene.publish(2));
            drop(scene.data(5));
            close(scene.publish(3));
            scene
        })
    };
    let mut reader = scene.cell.reader();
    for _ in 0..2 {
        let generation = answer(&mut reader);
        let label = reader.dataset().label as u64;
        assert!(label <= 3, "promise 5: a load that failed is served");
        assert!(generation <= label, "promise 5: a load that failed moved a reader");
    }
    reader.park();
    drop(joined(loader));
    assert_eq!(
        scene.cell.generation().number(),
        3,
        "promise 5: a load that failed took a number"
    );
    assert_eq!(answer(&mut reader), 3);
    drop(reader);
    scene.ends(5);
}
