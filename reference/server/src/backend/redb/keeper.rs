//! The open file, and how it is opened anew after its disk has failed.
//!
//! redb refuses everything after a failure of the disk but what it has in memory. So the file is opened anew at once, only to
//! be read: what was acknowledged is there, and is read as before. Changes are refused, with the cause, until a pause is
//! over; then the file is opened for writing again. If that fails, or the first change does, the next pause is twice as long.

use std::io;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use refcached_store::redb::{OpenError, OpenProgress, RedbError};
use refcached_store::{RedbOptions, RedbStore, Timestamp};

use crate::administration::SwitchError;
use crate::files::DataFile;

/// The first pause after a failure, in milliseconds.
const PAUSE_MIN_MS: u64 = 1_000;
/// Pauses double up to this.
const PAUSE_MAX_MS: u64 = 32_000;

/// Why a batch was not written, or not read. One line: clients get it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Cause(Arc<str>);

impl Cause {
    pub(super) fn new(error: &(impl ToString + ?Sized)) -> Self {
        Cause(error.to_string().into())
    }
}

/// A file of a dataset, open as far as its disk allows.
pub(super) struct Keeper<F> {
    file: F,
    options: RedbOptions,
    state: RwLock<State>,
}

struct State {
    store: Result<RedbStore, Cause>,
    trouble: Option<Trouble>,
    /// It is not opened again.
    closed: bool,
}

/// The disk has failed, and no change has been made since.
#[derive(Clone)]
struct Trouble {
    cause: Cause,
    /// Changes are refused until then.
    until: Timestamp,
    pause_ms: u64,
    /// The pause is over and the file is open for writing: the next change decides.
    on_probation: bool,
}

impl<F: DataFile> Keeper<F> {
    pub(super) fn open(
        file: F,
        options: RedbOptions,
        now: Timestamp,
        progress: impl Fn(OpenProgress) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let store = RedbStore::open_on(file.storage()?, &options, now, progress)?;
        Ok(Keeper {
            file,
            options,
            state: RwLock::new(State {
                store: Ok(store),
                trouble: None,
                closed: false,
            }),
        })
    }

    /// Lends the store to `work` unless somebody is about to replace it, and never blocks. It may be one that only reads.
    pub(super) fn try_read<R>(&self, work: impl FnOnce(&RedbStore) -> R) -> Option<R> {
        let state = match self.state.try_read() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        state.store.as_ref().ok().map(work)
    }

    /// Lends the store to `work`, which is to read, or the reason why there is none.
    pub(super) fn read<R>(&self, now: Timestamp, work: impl FnOnce(Result<&RedbStore, &Cause>) -> R) -> R {
        let is_due = |state: &State| state.store.is_err() && !state.is_pausing(now) && !state.closed;
        if is_due(&self.shared()) {
            let mut state = self.exclusive();
            if is_due(&state) {
                self.reopen(&mut state, true, now);
            }
        }
        work(self.shared().store.as_ref())
    }

    /// Has `work` write to the store. The only writer calls this.
    ///
    /// # Errors
    /// Why nothing was written; the file has been opened anew then, if that could help.
    pub(super) fn write<R>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&RedbStore) -> Result<R, RedbError>,
    ) -> Result<R, Cause> {
        self.end_pause(now)?;
        let written = {
            let state = self.shared();
            let store = state.store.as_ref().map_err(Clone::clone)?;
            work(store)
        };
        match written {
            Ok(result) => {
                if self.shared().trouble.is_some() {
                    tracing::info!("the dataset's file can be written again");
                    self.exclusive().trouble = None;
                }
                Ok(result)
            }
            Err(error) => {
                let mut cause = Cause::new(&error);
                tracing::error!(%error, "a batch of changes was not written");
                if is_lasting(&error) {
                    let mut state = self.exclusive();
                    // That it failed earlier says less than how.
                    if let (RedbError::FailedEarlier, Some(trouble)) = (&error, &state.trouble) {
                        cause = trouble.cause.clone();
                    }
                    state.note(cause.clone(), now);
                    self.reopen(&mut state, true, now);
                }
                Err(cause)
            }
        }
    }

    /// Makes everything durable and lets go of the file.
    pub(super) fn close(&self) -> Result<(), Cause> {
        let mut state = self.exclusive();
        state.closed = true;
        let closed = Err(Cause::new("the dataset is closed"));
        let store = std::mem::replace(&mut state.store, closed)?;
        store.close().map_err(|error| Cause::new(&error))
    }

    /// After a failure: goes on pausing, or opens the file for writing.
    fn end_pause(&self, now: Timestamp) -> Result<(), Cause> {
        let refused = |state: &State| match &state.trouble {
            Some(trouble) if now < trouble.until => Some(trouble.cause.clone()),
            _ => None,
        };
        let probation = |state: &State| state.trouble.as_ref().is_none_or(|trouble| trouble.on_probation);
        let state = self.shared();
        if let Some(cause) = refused(&state) {
            return Err(cause);
        }
        if probation(&state) || state.closed {
            return Ok(());
        }
        drop(state);
        let mut state = self.exclusive();
        self.reopen(&mut state, false, now);
        if let Err(cause) = &state.store {
            let cause = cause.clone();
            state.note(cause.clone(), now);
            self.reopen(&mut state, true, now);
            return Err(cause);
        }
        if let Some(trouble) = &mut state.trouble {
            trouble.on_probation = true;
        }
        Ok(())
    }

    /// Opens the file anew. The old store goes first: it has the file locked.
    fn reopen(&self, state: &mut State, read_only: bool, now: Timestamp) {
        state.store = Err(Cause::new("the dataset is being opened again"));
        let options = RedbOptions {
            read_only: read_only || self.options.read_only,
            ..self.options
        };
        let opened = self.file.storage().map_err(OpenError::from);
        let opened = opened.and_then(|storage| RedbStore::open_on(storage, &options, now, |_| {}));
        state.store = opened.map_err(|error| {
            tracing::error!(%error, "the dataset's file cannot be opened again");
            Cause::new(&error)
        });
        if state.store.is_err() && state.trouble.is_none() {
            state.note(Cause::new("the dataset's file cannot be opened"), now);
        }
    }

    /// A panic leaves the state as whole as it was: it is replaced by assignments.
    fn shared(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn is_pausing(&self, now: Timestamp) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| now < trouble.until)
    }

    /// Begins a pause, twice as long as the last one if nothing was written since.
    fn note(&mut self, cause: Cause, now: Timestamp) {
        let last = self.trouble.as_ref().map(|trouble| trouble.pause_ms);
        let pause_ms = last.map_or(PAUSE_MIN_MS, |last| (2 * last).min(PAUSE_MAX_MS));
        self.trouble = Some(Trouble {
            cause,
            until: now.plus_ms(pause_ms),
            pause_ms,
            on_probation: false,
        });
    }
}

/// Whether the store will refuse everything from now on.
fn is_lasting(error: &RedbError) -> bool {
    !matches!(error, RedbError::TooLarge | RedbError::ReadOnly | RedbError::ScanLost)
}

/// Says why the file `name` could not be opened.
pub(in crate::backend) fn explained(error: OpenError, name: &str) -> SwitchError {
    let name = name.to_owned();
    match error {
        OpenError::NotFound => SwitchError::NotFound { name },
        OpenError::NotAFile => SwitchError::BadName {
            name,
            reason: "it is not a file",
        },
        OpenError::Locked => SwitchError::Locked { name },
        OpenError::NotADatabase => SwitchError::NotADatabase {
            name,
            cause: "redb did not write it".to_owned(),
        },
        OpenError::Foreign(cause) => SwitchError::NotADatabase { name, cause },
        OpenError::Damaged(cause) => SwitchError::Damaged { name, cause },
        OpenError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => SwitchError::Forbidden {
            name,
            cause: error.to_string(),
        },
        OpenError::Io(error) => SwitchError::Io {
            name,
            cause: error.to_string(),
        },
        other => SwitchError::Io {
            name,
            cause: other.to_string(),
        },
    }
}
