//! Adding to numbers: `incr`, `decr` and `ma`.

use refcached_protocol::request::{Arithmetic, Direction};

use super::Engine;
use super::decimal::{self, Digits};
use crate::counters::Counter;
use crate::environment::Environment;
use crate::item::{Attributes, Item, Marks, access_time};
use crate::store::{Change, Data, Store};
use crate::time::{Expiry, Timestamp};
use crate::watch::Mutation;

/// What to add and under which conditions.
pub(super) struct Sum {
    pub(super) direction: Direction,
    pub(super) delta: u64,
    /// Only if the item has this CAS value.
    pub(super) cas_compare: Option<u64>,
    /// The CAS value that the item gets; `None` for a new one.
    pub(super) cas_new: Option<u64>,
    /// The item's new expiry; `None` leaves it.
    pub(super) expiry: Option<Expiry>,
    /// What is created on a miss.
    pub(super) vivify: Option<Vivify>,
}

/// An item that is created where there was none.
pub(super) struct Vivify {
    pub(super) number: u64,
    pub(super) expiry: Expiry,
}

/// What came of it.
pub(super) enum Added {
    /// There is a number now.
    Number(Number),
    NotFound,
    Exists,
    NonNumeric,
}

/// A number that an item now has.
pub(super) struct Number {
    pub(super) number: u64,
    pub(super) cas: u64,
    /// Before it was changed; never, if it was created.
    pub(super) expiry_before: Expiry,
    pub(super) created: bool,
}

impl Sum {
    /// What `incr` and `decr` ask for.
    pub(super) fn of(request: &Arithmetic<'_>) -> Self {
        Sum {
            direction: request.direction,
            delta: request.delta,
            cas_compare: None,
            cas_new: None,
            expiry: None,
            vivify: None,
        }
    }

    fn apply(&self, number: u64) -> u64 {
        match self.direction {
            Direction::Increment => number.wrapping_add(self.delta),
            Direction::Decrement => number.saturating_sub(self.delta),
        }
    }

    fn decide<'d>(
        &self,
        environment: &Environment,
        current: Option<Item<'_>>,
        now: Timestamp,
        digits: &'d mut Digits,
    ) -> (Change<'d>, Added) {
        let Some(item) = current else {
            return self.create(environment, now, digits);
        };
        // Memcached finds that there is nothing to read before it compares, and that what there is is no number after.
        if item.data.is_empty() {
            return (Change::Keep, Added::NonNumeric);
        }
        if self.cas_compare.is_some_and(|cas| cas != item.attributes.cas) {
            return (Change::Keep, Added::Exists);
        }
        let Some(number) = decimal::parse(item.data) else {
            return (Change::Keep, Added::NonNumeric);
        };

        let number = self.apply(number);
        let (data, in_place) = digits.write(number, item.data.len());
        let mut attributes = item.attributes;
        attributes.cas = self.cas_new.unwrap_or_else(|| environment.next_cas());
        let expiry_before = attributes.expiry;
        attributes.expiry = self.expiry.unwrap_or(expiry_before);
        attributes.accessed_unix_s = access_time(now);
        if !in_place {
            // A number that has grown is a new item to memcached: what had happened to the old one is forgotten.
            attributes.marks = Marks::NONE;
        }
        let added = Added::Number(Number {
            number,
            cas: attributes.cas,
            expiry_before,
            created: false,
        });
        (Change::Put(attributes, Data::Bytes(data)), added)
    }

    fn create<'d>(&self, environment: &Environment, now: Timestamp, digits: &'d mut Digits) -> (Change<'d>, Added) {
        let Some(vivify) = &self.vivify else {
            return (Change::Keep, Added::NotFound);
        };
        let (data, _) = digits.write(vivify.number, 0);
        let attributes = Attributes {
            client_flags: 0,
            expiry: vivify.expiry,
            cas: self.cas_new.unwrap_or_else(|| environment.next_cas()),
            accessed_unix_s: access_time(now),
            // Unlike `ms` and `mg`, `ma` does not remember that the key came in base64.
            marks: Marks::NONE,
        };
        let added = Added::Number(Number {
            number: vivify.number,
            cas: attributes.cas,
            expiry_before: Expiry::NEVER,
            created: true,
        });
        (Change::Put(attributes, Data::Bytes(data)), added)
    }
}

impl<S: Store> Engine<S> {
    /// Adds `sum` to the number under `key`.
    pub(super) fn add(&self, key: &[u8], sum: &Sum, now: Timestamp) -> Result<Added, S::Error> {
        let mut digits = Digits::default();
        let digits = &mut digits;
        let added = self.update(key, now, move |current| {
            sum.decide(&self.environment, current, now, digits)
        })?;
        if let Added::Number(Number {
            number, created: true, ..
        }) = &added
        {
            let mutation = Mutation {
                status: "stored",
                command: "add",
                // Memcached logs it without the TTL of `N`.
                expiry: Expiry::NEVER,
                data_bytes: decimal::length(*number),
            };
            self.environment.watchers.stored(key, &mutation, now);
        }
        let hit = match &added {
            Added::Number(number) => !number.created,
            Added::NotFound => false,
            Added::Exists | Added::NonNumeric => return Ok(added),
        };
        self.count(match (sum.direction, hit) {
            (Direction::Increment, true) => Counter::IncrHits,
            (Direction::Increment, false) => Counter::IncrMisses,
            (Direction::Decrement, true) => Counter::DecrHits,
            (Direction::Decrement, false) => Counter::DecrMisses,
        });
        Ok(added)
    }
}
