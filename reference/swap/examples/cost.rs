//! What the cell costs a connection, for the table in the README: `cargo run --release -p refcached-swap --example cost`.
//!
//! Each figure is the best of nine runs, on one thread and on two at once; the machine should have nothing else to do.

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use refcached_swap::{Policy, SwapCell};

const RUNS: usize = 9;
const IDLE_READERS: usize = 10_000;

fn main() {
    for threads in [1, 2] {
        cost("a cached Arc, unchecked", threads, 20_000_000, |_, times| {
            let cached = black_box(Arc::new(7));
            for _ in 0..times {
                black_box(*cached);
            }
        });
        cost("dataset()", threads, 20_000_000, |cell, times| {
            let mut reader = cell.reader();
            for _ in 0..times {
                black_box(**reader.dataset());
            }
        });
        cost("park(), dataset()", threads, 2_000_000, |cell, times| {
            let mut reader = cell.reader();
            for _ in 0..times {
                black_box(**reader.dataset());
                reader.park();
            }
        });
        cost("reader(), dataset(), drop", threads, 500_000, |cell, times| {
            for _ in 0..times {
                black_box(**cell.reader().dataset());
            }
        });
    }
    swap_beside_idle_readers();
}

/// Prints the nanoseconds that `work` takes for each of its times.
fn cost(name: &str, threads: usize, times: u32, work: impl Fn(&SwapCell<u64>, u32) + Sync) {
    let cell = SwapCell::new(Policy::Command, 7);
    let run = || {
        let started = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(&cell, times));
            }
        });
        started.elapsed().as_nanos() as f64 / f64::from(times)
    };
    let least = (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min);
    println!("{name}, {threads} threads: {least:.1} ns");
}

/// Prints how long a swap takes that has many leases to take back.
fn swap_beside_idle_readers() {
    let cell = SwapCell::new(Policy::Command, 0);
    let mut readers: Vec<_> = (0..IDLE_READERS).map(|_| cell.reader()).collect();
    let mut swap = |data| {
        for reader in &mut readers {
            reader.dataset();
            reader.park();
        }
        let started = Instant::now();
        let closed = cell.publish(data).close();
        assert!(closed.is_ok(), "all readers are parked");
        started.elapsed()
    };
    let least = (1..=RUNS as u64).map(&mut swap).min().unwrap_or_default();
    println!(
        "publish and drain beside {IDLE_READERS} idle readers: {} us",
        least.as_micros()
    );
}
