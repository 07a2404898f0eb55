//! The cell on the standard library's primitives: what it promises, one thread after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Instant;

use refcached_swap::{Policy, Reader, SwapCell};

fn served<D: Copy>(reader: &mut Reader<D>) -> (u64, D) {
    let dataset = reader.dataset();
    (dataset.generation().number(), **dataset)
}

#[test]
fn a_reader_moves_at_its_next_command() {
    let cell = SwapCell::new(Policy::Command, 'a');
    let mut reader = cell.reader();
    assert_eq!(served(&mut reader), (1, 'a'));
    let drain = cell.publish('b');
    assert_eq!((drain.generation().number(), drain.successor().number()), (1, 2));
    assert_eq!(drain.leases(), 1, "the reader has not moved yet");
    assert_eq!(served(&mut reader), (2, 'b'));
    assert_eq!(drain.wait(), 'a');
}

#[test]
fn a_drain_gives_nothing_back_while_a_reader_is_in_a_command() {
    let cell = SwapCell::new(Policy::Command, 'a');
    let mut reader = cell.reader();
    let command = reader.dataset();
    let drain = cell.publish('b');
    let drain = drain.close().expect_err("a command is being answered");
    let drain = drain
        .wait_until(Instant::now())
        .expect_err("a command is being answered");
    assert!(!drain.is_drained());
    assert_eq!((command.generation().number(), **command), (1, 'a'));
    reader.park();
    assert!(drain.is_drained());
    assert_eq!(drain.close().ok(), Some('a'));
}

#[test]
fn a_parked_reader_does_not_keep_a_dataset_and_a_new_one_takes_none() {
    let cell = SwapCell::new(Policy::Command, 'a');
    let mut parked = cell.reader();
    assert_eq!(served(&mut parked), (1, 'a'));
    parked.park();
    parked.park();
    let _silent = cell.reader();
    assert_eq!(cell.publish('b').close().ok(), Some('a'));
    assert_eq!(served(&mut parked), (2, 'b'));
}

#[test]
fn a_parked_reader_finds_its_lease_again_when_nothing_changed() {
    let cell = SwapCell::new(Policy::Connection, 'a');
    let mut reader = cell.reader();
    reader.dataset();
    reader.park();
    let drain = cell.publish('b');
    assert_eq!(drain.leases(), 1);
    assert_eq!(
        served(&mut reader),
        (1, 'a'),
        "bound by its first command, parked or not"
    );
    drop(reader);
    assert_eq!(drain.close().ok(), Some('a'));
}

#[test]
fn a_bound_reader_is_moved_by_the_deadline_of_its_drain() {
    let cell = SwapCell::new(Policy::Connection, 'a');
    let [mut first, mut second, mut parked] = [cell.reader(), cell.reader(), cell.reader()];
    first.dataset();
    parked.dataset();
    parked.park();
    let old = cell.publish('b');
    assert_eq!(served(&mut second), (2, 'b'));
    let young = cell.publish('c');
    old.move_readers();
    assert_eq!(
        old.leases(),
        1,
        "the parked lease was taken, the other moves at its next command"
    );
    assert_eq!(served(&mut first), (3, 'c'));
    assert_eq!(served(&mut parked), (3, 'c'));
    assert_eq!(
        served(&mut second),
        (2, 'b'),
        "the deadline of the other drain has not come"
    );
    assert_eq!(old.close().ok(), Some('a'));
    young.move_readers();
    assert_eq!(served(&mut second), (3, 'c'));
    assert_eq!(young.close().ok(), Some('b'));
}

#[test]
fn the_drain_of_a_newer_dataset_moves_the_readers_of_all_older_ones() {
    let cell = SwapCell::new(Policy::Connection, 'a');
    let mut reader = cell.reader();
    reader.dataset();
    let drains = [cell.publish('b'), cell.publish('c')];
    drains[1].move_readers();
    drains[0].move_readers();
    assert_eq!(served(&mut reader), (3, 'c'));
    assert_eq!(drains.map(|drain| drain.close().ok()), [Some('a'), Some('b')]);
}

#[test]
fn a_dataset_is_dropped_by_who_drains_and_else_by_the_last_lease() {
    struct Data(Arc<AtomicUsize>);
    impl Drop for Data {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let data = || Data(Arc::clone(&dropped));
    let cell = SwapCell::new(Policy::Command, data());
    let mut reader = cell.reader();
    reader.dataset();

    let drain = cell.publish(data());
    reader.dataset();
    assert_eq!(dropped.load(SeqCst), 0, "the reader has moved, the drain has it");
    drop(drain.wait());
    assert_eq!(dropped.load(SeqCst), 1);

    drop(cell.publish(data()));
    assert_eq!(dropped.load(SeqCst), 1, "the drain is gone, the reader has it");
    reader.park();
    assert_eq!(dropped.load(SeqCst), 2);
    drop((reader, cell));
    assert_eq!(dropped.load(SeqCst), 3);
}

#[test]
fn a_task_is_woken_once_by_the_last_lease() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let cell = SwapCell::new(Policy::Command, 'a');
    let mut readers = [cell.reader(), cell.reader()];
    readers.iter_mut().for_each(|reader| _ = reader.dataset());
    let drain = cell.publish('b');
    assert_eq!(drain.poll_drained(&mut cx), Poll::Pending);
    assert_eq!(drain.poll_drained(&mut cx), Poll::Pending);
    readers[0].park();
    assert_eq!(count.0.load(SeqCst), 0);
    readers[1].park();
    assert_eq!(count.0.load(SeqCst), 1);
    assert_eq!(drain.poll_drained(&mut cx), Poll::Ready(()));
}

#[test]
fn a_blocked_drain_goes_on_when_a_reader_on_another_thread_ends() {
    let cell = SwapCell::new(Policy::Connection, 'a');
    let mut reader = cell.reader();
    reader.dataset();
    let drain = cell.publish('b');
    let waiting = thread::spawn(move || drain.wait());
    drop(reader);
    assert_eq!(waiting.join().unwrap(), 'a');
}

#[test]
fn readers_can_go_to_other_threads_with_their_connection() {
    fn sends<T: Send>(_: &T) {}
    let cell = SwapCell::new(Policy::Command, 'a');
    sends(&cell);
    sends(&cell.reader());
    sends(&cell.publish('b'));
}
