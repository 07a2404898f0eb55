//! What the workers of a dataset do, and what is done without them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use refcached_protocol::Request;
use refcached_protocol::meta::MetaCommand;
use refcached_store::environment::Sink;
use refcached_store::item::Marks;
use refcached_store::redb::ReadBatch;
use refcached_store::store::StoreStatistics;
use refcached_store::{Access, Engine, Environment, RedbStore, Store, Timestamp};
use tokio::sync::oneshot;

use super::keeper::{Cause, Keeper};
use super::lane::Lane;
use super::routing::{self, Need};
use crate::backend::Opening;
use crate::batch::{Batch, Mark, Next, Outcome};
use crate::blocking::{Blocking, Unfinished};
use crate::extensions::{self, Listed, RangeWalk};
use crate::files::DataFile;
use crate::guard::{Broken, Guarded, ReadOnly};

/// Batches that go into one transaction: no more than this many bytes of requests, or one batch.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// How often the writer lets other threads go first while fewer batches have come than the last transaction had: those who
/// were just answered ask again, and one transaction for all of them takes one sync in place of two.
const GATHERING_YIELDS_MAX: usize = 64;

/// Records that are looked at in one go for whether they have expired.
const RECLAIM_RECORDS: usize = 10_000;

pub(super) struct Executor<F> {
    keeper: Keeper<F>,
    environment: Arc<Environment>,
    read_only: bool,
    blocking: Arc<dyn Blocking>,
    readers: Lane<Reading>,
    writer: Lane<Writing>,
    /// How many batches the last transaction had.
    group_before: AtomicUsize,
}

/// What readers do.
#[allow(clippy::large_enum_variant, reason = "nearly all are batches")]
enum Reading {
    /// A batch. Its answer is an outcome, or nothing if the next command may change something.
    Batch(Batch, oneshot::Sender<(Batch, Option<Outcome>)>),
    /// A piece of a `range`.
    Range(Listing, oneshot::Sender<(Listing, bool)>),
}

/// A `range`, and where it is written to.
struct Listing {
    walk: RangeWalk,
    now: Timestamp,
    out: Vec<u8>,
}

/// What the writer does.
#[allow(clippy::large_enum_variant, reason = "nearly all are batches")]
enum Writing {
    Batch(Job),
    Reclaim(Timestamp, oneshot::Sender<()>),
}

/// A batch to be executed in a write transaction.
struct Job {
    batch: Batch,
    answer: oneshot::Sender<(Batch, Outcome)>,
}

impl<F: DataFile> Executor<F> {
    pub(super) fn new(keeper: Keeper<F>, opening: &Opening, readers: usize, blocking: Arc<dyn Blocking>) -> Self {
        let environment = Arc::clone(&opening.environment);
        keeper.try_read(|store| environment.raise_cas(store.cas_ceiling()));
        Executor {
            keeper,
            environment,
            read_only: opening.read_only,
            blocking,
            readers: Lane::new(readers),
            writer: Lane::new(1),
            group_before: AtomicUsize::new(0),
        }
    }

    /// Executes commands of `batch` wherever they belong.
    pub(super) async fn answer(self: &Arc<Self>, batch: &mut Batch) -> Result<Outcome, Unfinished> {
        let mut need = Need::Read;
        // While the file is opened anew, a reader waits for that.
        let answered = self.keeper.try_read(|store| self.in_place(store, batch, &mut need));
        if let Some(Some(outcome)) = answered {
            return Ok(outcome);
        }
        if (need != Need::Write || self.read_only)
            && let Some(outcome) = self.read(batch).await?
        {
            return Ok(outcome);
        }
        self.write(batch).await
    }

    /// Executes what takes no look into the file. Where there is more, `need` says what that takes.
    fn in_place(&self, store: &RedbStore, batch: &mut Batch, need: &mut Need) -> Option<Outcome> {
        let answered = store.read(|snapshot| {
            let engine = self.reader(snapshot);
            batch.run_while(&engine, |next| {
                *need = routing::need(next, store);
                *need == Need::Nothing
            })
        });
        answered.ok().flatten()
    }

    async fn read(self: &Arc<Self>, batch: &mut Batch) -> Result<Option<Outcome>, Unfinished> {
        let (answer, answered) = oneshot::channel();
        self.push_reading(Reading::Batch(batch.take(), answer));
        let (done, outcome) = answered.await.map_err(|_| Unfinished)?;
        *batch = done;
        Ok(outcome)
    }

    async fn write(self: &Arc<Self>, batch: &mut Batch) -> Result<Outcome, Unfinished> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            batch: batch.take(),
            answer,
        };
        self.push_writing(Writing::Batch(job));
        let (done, outcome) = answered.await.map_err(|_| Unfinished)?;
        *batch = done;
        Ok(outcome)
    }

    /// Goes on with a `range`.
    pub(super) async fn range(
        self: &Arc<Self>,
        walk: &mut RangeWalk,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unfinished> {
        let (answer, answered) = oneshot::channel();
        let listing = Listing {
            walk: walk.clone(),
            now,
            out: std::mem::take(out),
        };
        self.push_reading(Reading::Range(listing, answer));
        let (listing, more) = answered.await.map_err(|_| Unfinished)?;
        *walk = listing.walk;
        *out = listing.out;
        Ok(more)
    }

    /// Drops some of what has expired.
    pub(super) async fn reclaim(self: &Arc<Self>, now: Timestamp) {
        if self.read_only {
            return;
        }
        let (done, is_done) = oneshot::channel();
        self.push_writing(Writing::Reclaim(now, done));
        // It may have failed: then it is tried again the next time.
        let _ = is_done.await;
    }

    fn push_reading(self: &Arc<Self>, reading: Reading) {
        if self.readers.push(reading) {
            let executor = Arc::clone(self);
            self.blocking.spawn(Box::new(move || executor.work_as_reader()));
        }
    }

    fn push_writing(self: &Arc<Self>, writing: Writing) {
        if self.writer.push(writing) {
            let executor = Arc::clone(self);
            self.blocking.spawn(Box::new(move || executor.work_as_writer()));
        }
    }

    fn work_as_reader(&self) {
        while let Some(jobs) = self.readers.pop(|_| false) {
            for job in jobs {
                unwound(|| self.read_one(job));
            }
        }
    }

    fn read_one(&self, job: Reading) {
        // The connection that asked may have gone, here and there.
        match job {
            Reading::Batch(mut batch, answer) => {
                let outcome = self.read_for(&mut batch);
                let _ = answer.send((batch, outcome));
            }
            Reading::Range(mut listing, answer) => {
                let more = self.list(&mut listing);
                let _ = answer.send((listing, more));
            }
        }
    }

    fn list(&self, listing: &mut Listing) -> bool {
        let Listing { walk, now, out } = listing;
        let piece = self.keeper.read(*now, |store| {
            let store = store.map_err(Clone::clone)?;
            let mut listed = Listed::Yes;
            let (prefix, after) = (walk.prefix().to_vec(), walk.after().map(<[u8]>::to_vec));
            let walked = store.read(|snapshot| {
                snapshot.range(&prefix, after.as_deref(), *now, |item| {
                    listed = walk.list(&item, out);
                    listed == Listed::Yes
                })
            });
            let walked = walked.and_then(|walked| walked);
            walked
                .map(|()| listed != Listed::Full)
                .map_err(|error| Cause::new(&error))
        });
        extensions::close_piece(piece, out)
    }

    fn read_for(&self, batch: &mut Batch) -> Option<Outcome> {
        self.keeper.read(batch.now(), |store| {
            let store = match store {
                Ok(store) => store,
                Err(cause) => {
                    let engine = Engine::new(Broken::new(cause.clone()), Arc::clone(&self.environment));
                    return Some(batch.run(&engine));
                }
            };
            let now = batch.now();
            let outcome = store.read(|snapshot| {
                let engine = self.reader(snapshot);
                batch.run_while(&engine, |next| {
                    self.read_only || (routing::need(next, store) != Need::Write && !wins(next, snapshot, now))
                })
            });
            outcome.ok().flatten()
        })
    }

    fn work_as_writer(&self) {
        let mut room = GROUP_BYTES_MAX;
        let fits = |room: &mut usize, writing: &Writing| {
            let bytes = match writing {
                Writing::Batch(job) => job.batch.input.len(),
                Writing::Reclaim(..) => 0,
            };
            let fits = *room >= bytes;
            *room = room.saturating_sub(bytes);
            fits
        };
        while let Some(mut group) = self.writer.pop(|writing| fits(&mut room, writing)) {
            let before = self.group_before.load(Relaxed);
            for _ in 0..GATHERING_YIELDS_MAX {
                if group.len() >= before {
                    break;
                }
                thread::yield_now();
                self.writer.pop_more(&mut group, |writing| fits(&mut room, writing));
            }
            self.group_before.store(group.len(), Relaxed);
            room = GROUP_BYTES_MAX;
            unwound(|| self.write_group(group));
        }
    }

    /// Executes a group of batches in one transaction, and answers them after its commit.
    fn write_group(&self, group: Vec<Writing>) {
        let mut jobs = Vec::with_capacity(group.len());
        let mut reclaims = Vec::new();
        for writing in group {
            match writing {
                Writing::Batch(job) => jobs.push(job),
                Writing::Reclaim(now, done) => reclaims.push((now, done)),
            }
        }
        if !jobs.is_empty() {
            self.commit(jobs);
        }
        for (now, done) in reclaims {
            // What was not reclaimed is there the next time, and the keeper has logged why.
            let _ = self.keeper.write(now, |store| store.reclaim(now, RECLAIM_RECORDS));
            let _ = done.send(());
        }
    }

    fn commit(&self, mut jobs: Vec<Job>) {
        let now = jobs.iter().map(|job| job.batch.now()).max();
        let now = now.unwrap_or(Timestamp::from_unix_ms(0));
        let marks: Vec<Mark> = jobs.iter().map(|job| job.batch.mark()).collect();
        let written = self.keeper.write(now, |store| {
            store.write(|transaction| {
                let engine = Engine::new(transaction, Arc::clone(&self.environment));
                let outcomes = jobs.iter_mut().map(|job| job.batch.run(&engine));
                outcomes.collect::<Vec<Outcome>>()
            })
        });
        let outcomes = written.unwrap_or_else(|cause| {
            let jobs = jobs.iter_mut().zip(marks);
            let refused = jobs.map(|(job, mark)| {
                job.batch.rewind(mark);
                self.refuse(&mut job.batch, &cause)
            });
            refused.collect()
        });
        for (Job { batch, answer }, outcome) in jobs.into_iter().zip(outcomes) {
            // The connection may have gone; the change stays.
            let _ = answer.send((batch, outcome));
        }
    }

    /// Executes a batch whose changes were not written: each is answered with the cause, and what only reads is read.
    fn refuse(&self, batch: &mut Batch, cause: &Cause) -> Outcome {
        self.keeper.read(batch.now(), |store| match store {
            Ok(store) => {
                let run = |snapshot: &ReadBatch<'_>| {
                    let store = Guarded::after_failure(snapshot, cause.clone());
                    batch.run(&Engine::new(store, Arc::clone(&self.environment)))
                };
                // Reading a snapshot does not fail; what fails is answered within.
                store.read(run).unwrap_or(Outcome::Full)
            }
            Err(_) => {
                let store = Broken::new(cause.clone());
                batch.run(&Engine::new(store, Arc::clone(&self.environment)))
            }
        })
    }

    fn reader<'a, 's>(&self, snapshot: &'a ReadBatch<'s>) -> Engine<Guarded<&'a ReadBatch<'s>, ReadOnly>> {
        let store = Guarded::new(snapshot, self.read_only.then_some(ReadOnly));
        Engine::new(store, Arc::clone(&self.environment))
    }

    pub(super) fn statistics(&self) -> StoreStatistics {
        self.keeper.try_read(RedbStore::statistics).unwrap_or_default()
    }

    pub(super) fn figures(&self, sink: &mut Sink<'_>) {
        self.keeper.try_read(|store| store.details().list(sink));
    }

    pub(super) fn close(&self) -> Result<(), Cause> {
        self.keeper.close()
    }
}

/// Whether an `mg` is about to be told to recache a stale item, which has to be noted.
fn wins(next: Next<'_>, snapshot: &ReadBatch<'_>, now: Timestamp) -> bool {
    let Next::Request(Request::Meta(meta)) = next else {
        return false;
    };
    if meta.command != MetaCommand::Get {
        return false;
    }
    let is_to_win = snapshot.read(meta.key.bytes, now, |item| {
        let marks = item.map(|item| item.attributes.marks);
        let stale = marks.is_some_and(|marks| marks.has(Marks::STALE) && !marks.has(Marks::WON));
        (Access::Ignore, stale)
    });
    // What cannot be read is answered by the command itself.
    is_to_win.unwrap_or(false)
}

/// Keeps a worker going when what it did has panicked. Nobody gets an answer then, and the connections are closed.
fn unwound<R>(work: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(work))
        .inspect_err(|_| tracing::error!("a worker of a dataset panicked; its connections are closed"))
        .ok()
}
