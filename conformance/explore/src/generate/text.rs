//! Commands of the text protocol.

use super::{Generator, Theme, added};
use crate::command::{Command, Key, Store};

#[derive(Clone, Copy)]
enum Kind {
    Store,
    Get,
    Gets,
    Delete,
    Count,
    Touch,
}

impl Generator {
    pub(super) fn text(&mut self) -> Command {
        let kind = match self.theme {
            Theme::Versions => self.random.weighted(&[
                (45, Kind::Store),
                (8, Kind::Get),
                (30, Kind::Gets),
                (5, Kind::Delete),
                (8, Kind::Count),
                (4, Kind::Touch),
            ]),
            Theme::Numbers => self.random.weighted(&[
                (25, Kind::Store),
                (20, Kind::Get),
                (5, Kind::Gets),
                (4, Kind::Delete),
                (44, Kind::Count),
                (2, Kind::Touch),
            ]),
            Theme::Burst => self.random.weighted(&[
                (10, Kind::Store),
                (45, Kind::Get),
                (10, Kind::Gets),
                (2, Kind::Delete),
                (30, Kind::Count),
                (3, Kind::Touch),
            ]),
            Theme::Sizes => {
                self.random
                    .weighted(&[(50, Kind::Store), (38, Kind::Get), (4, Kind::Gets), (8, Kind::Delete)])
            }
            Theme::Mixed | Theme::Staleness | Theme::Expiry => self.random.weighted(&[
                (40, Kind::Store),
                (22, Kind::Get),
                (12, Kind::Gets),
                (8, Kind::Delete),
                (10, Kind::Count),
                (8, Kind::Touch),
            ]),
        };
        let key = self.key();
        match kind {
            Kind::Store => self.store(key),
            Kind::Get => self.get(false),
            Kind::Gets => self.get(true),
            Kind::Delete => Command::Delete {
                key,
                noreply: self.is_silent(),
            },
            Kind::Count => Command::Count {
                up: self.random.percent(55),
                key,
                delta: self.random.pick(&[0, 1, 1, 5, 10, 91, u64::MAX]),
                noreply: self.is_silent(),
            },
            Kind::Touch => Command::Touch {
                key,
                exptime: self.exptime(),
                noreply: self.is_silent(),
            },
        }
    }

    fn store(&mut self, key: Key) -> Command {
        let cas = Store::Cas(self.cas(key));
        let often = match self.theme {
            Theme::Versions => 45,
            // Who waits for a CAS value sends no burst.
            Theme::Burst => 0,
            _ => 12,
        };
        let verb = self.random.weighted(&[
            (if self.theme == Theme::Sizes { 30 } else { 45 }, Store::Set),
            (12, Store::Add),
            (12, Store::Replace),
            (12, Store::Append),
            (10, Store::Prepend),
            (often, cas),
        ]);
        self.store_of_key(verb, key)
    }

    pub(super) fn store_of(&mut self, verb: Store) -> Command {
        let key = self.key();
        self.store_of_key(verb, key)
    }

    pub(super) fn get_of(key: Key) -> Command {
        Command::Get {
            cas: false,
            touch: None,
            keys: vec![key],
        }
    }

    pub(super) fn store_of_key(&mut self, verb: Store, key: Key) -> Command {
        let value = match verb {
            Store::Append | Store::Prepend => added(self.value()),
            _ => self.value(),
        };
        Command::Store {
            verb,
            key,
            flags: self.random.pick(&[0, 0, 1, 7, 65_535, u32::MAX]),
            exptime: self.exptime(),
            value,
            noreply: self.is_silent(),
        }
    }

    pub(super) fn get(&mut self, cas: bool) -> Command {
        // Twenty-four are what memcached takes in hand at once; 130 make a line of more than 2 KiB.
        if self.random.below(100 * if self.theme == Theme::Burst { 1 } else { 2 }) < 3 {
            let keys = (0..self.random.pick(&[25, 64, 130])).map(|_| self.key()).collect();
            return Command::Get { cas, touch: None, keys };
        }
        let count = self.random.pick(&[1, 1, 1, 2, 3]);
        let touch = self.random.percent(20).then(|| self.exptime());
        let keys = (0..count).map(|_| self.key()).collect();
        Command::Get { cas, touch, keys }
    }
}
