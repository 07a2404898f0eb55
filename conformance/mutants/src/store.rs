//! The decorator of a store, and the dataset and backend that bring it into the service.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;

use refcached::backend::{Backend, Dataset, Found, Opening};
use refcached::{Batch, Blocking, FileAccess, Next, Outcome, RangeWalk, SwitchError, Threads, Unfinished};
use refcached_protocol::Request;
use refcached_protocol::meta::MetaCommand;
use refcached_protocol::request::{Direction, StoreVerb};
use refcached_store::environment::Sink;
use refcached_store::item::Item;
use refcached_store::store::{ScanPosition, StoreStatistics};
use refcached_store::{Access, Change, Engine, MemoryOptions, MemoryStore, Store, Timestamp};

use crate::fault::{Act, Planted};

type Items = MemoryStore<foldhash::fast::FixedState>;

/// Datasets in memory with a fault in their store, or none.
pub(crate) struct Faulty {
    pub(crate) planted: Option<Planted>,
    pub(crate) memory_bytes: u64,
}

impl Backend for Faulty {
    type Dataset = FaultyDataset;
    type Source = Infallible;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn blocking(&self) -> Arc<dyn Blocking> {
        Arc::new(Threads)
    }

    fn empty(&self, opening: &Opening) -> Option<FaultyDataset> {
        let options = MemoryOptions {
            limit_bytes: self.memory_bytes,
            ..MemoryOptions::default()
        };
        let items = MemoryStore::new(options, foldhash::fast::FixedState::default());
        let items = items.watched(opening.environment.watchers());
        Some(FaultyDataset {
            engine: Engine::new(items, Arc::clone(&opening.environment)),
            planted: self.planted,
        })
    }

    fn find(&self, _: &str, _: FileAccess) -> Result<Found<Infallible>, SwitchError> {
        Err(SwitchError::NoDataDirectory)
    }

    fn open(&self, _: &str, source: Infallible, _: &Opening) -> Result<FaultyDataset, SwitchError> {
        match source {}
    }
}

/// Items in memory behind a faulty store.
pub(crate) struct FaultyDataset {
    engine: Engine<Items>,
    planted: Option<Planted>,
}

impl Dataset for FaultyDataset {
    fn answer<'a>(&'a self, batch: &'a mut Batch) -> impl Future<Output = Result<Outcome, Unfinished>> + Send + 'a {
        let verb = Cell::new("get");
        let engine = self.engine.on(FaultyStore {
            items: self.engine.store(),
            planted: self.planted,
            verb: &verb,
        });
        let outcome = batch.run_while(&engine, |next| {
            verb.set(name(next));
            true
        });
        // Everything is admitted, so there is an outcome.
        ready(Ok(outcome.unwrap_or(Outcome::Full)))
    }

    fn range<'a>(
        &'a self,
        _: &'a mut RangeWalk,
        _: Timestamp,
        _: &'a mut Vec<u8>,
    ) -> impl Future<Output = Result<bool, Unfinished>> + Send + 'a {
        // Mutants do not offer the extensions, so nobody asks.
        ready(Err(Unfinished))
    }

    fn statistics(&self) -> StoreStatistics {
        self.engine.store().statistics()
    }

    fn close(self) -> Result<(), String> {
        Ok(())
    }
}

/// The command's name on the wire; `refused` for what is not executed.
fn name(next: Next<'_>) -> &'static str {
    let Next::Request(request) = next else {
        return "refused";
    };
    match request {
        Request::Store(store) => match store.verb {
            StoreVerb::Set => "set",
            StoreVerb::Add => "add",
            StoreVerb::Replace => "replace",
            StoreVerb::Append => "append",
            StoreVerb::Prepend => "prepend",
            StoreVerb::Cas { .. } => "cas",
        },
        Request::Retrieve(retrieve) => match (retrieve.touch, retrieve.with_cas) {
            (None, false) => "get",
            (None, true) => "gets",
            (Some(_), false) => "gat",
            (Some(_), true) => "gats",
        },
        Request::Delete(_) => "delete",
        Request::Arithmetic(arithmetic) => match arithmetic.direction {
            Direction::Increment => "incr",
            Direction::Decrement => "decr",
        },
        Request::Touch(_) => "touch",
        Request::Meta(meta) => match meta.command {
            MetaCommand::Get => "mg",
            MetaCommand::Set { .. } => "ms",
            MetaCommand::Delete => "md",
            MetaCommand::Arithmetic { .. } => "ma",
            MetaCommand::Debug => "me",
        },
        _ => "other",
    }
}

struct FaultyStore<'s> {
    items: &'s Items,
    planted: Option<Planted>,
    verb: &'s Cell<&'static str>,
}

impl FaultyStore<'_> {
    fn kept_as(&self, key: &[u8]) -> Vec<u8> {
        match self.planted {
            Some(Planted::Key(map)) => map(key),
            _ => key.to_vec(),
        }
    }

    /// The item as the command is shown it: under the key that it asked for.
    fn shown<'i>(&self, act: &Act<'_>, mut item: Option<Item<'i>>, key: &'i [u8]) -> Option<Item<'i>> {
        if let Some(item) = &mut item {
            item.key = key;
        }
        if let Some(Planted::Shown(edit)) = self.planted {
            edit(act, &mut item);
        }
        item
    }
}

impl Store for FaultyStore<'_> {
    type Error = <Items as Store>::Error;

    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, Self::Error> {
        let verb = self.verb.get();
        let act = Act { verb, key, now };
        self.items
            .read(&self.kept_as(key), now, |item| look(self.shown(&act, item, key)))
    }

    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, Self::Error> {
        let verb = self.verb.get();
        let act = Act { verb, key, now };
        self.items.update(&self.kept_as(key), now, |item| {
            let (mut change, result) = decide(self.shown(&act, item, key));
            if let Some(Planted::Change(edit)) = self.planted {
                edit(&act, item, &mut change);
            }
            (change, result)
        })
    }

    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), Self::Error> {
        let at = match self.planted {
            Some(Planted::Flush(edit)) => edit(at, now),
            _ => Some(at),
        };
        at.map_or(Ok(()), |at| self.items.flush(at, now))
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, Self::Error> {
        self.items.scan(from, now, visit)
    }

    fn statistics(&self) -> StoreStatistics {
        self.items.statistics()
    }

    fn details(&self, sink: &mut Sink<'_>) {
        self.items.details(sink);
    }

    fn set_limit(&self, limit_bytes: u64, now: Timestamp) -> bool {
        self.items.set_limit(limit_bytes, now)
    }

    fn reset_statistics(&self) {
        self.items.reset_statistics();
    }
}
