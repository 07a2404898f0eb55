//! `stats detail`: what was done, by the prefix of the key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most prefixes that are counted. Clients make them up: without a bound, keys with a prefix each would fill the memory.
const PREFIXES_MAX: usize = 1 << 16;

/// Counters for each prefix, while they are switched on. Switched off they cost a command one look at a flag; switched on, a
/// lock that all threads share, as in memcached.
///
/// As in memcached 1.6.45 the classic commands count, and those that look up nothing but to change it (`incr`, `touch`) do
/// not; nor do the meta commands, nor lines that were refused.
pub(crate) struct Prefixes {
    enabled: AtomicBool,
    /// What ends a prefix. A key without it has none, and is not counted.
    delimiter: u8,
    counts: Mutex<BTreeMap<Box<[u8]>, Counts>>,
}

/// What was done with the keys of a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Keys asked for.
    pub(crate) gets: u64,
    /// Those that were there.
    pub(crate) hits: u64,
    /// Storage commands, whatever came of them.
    pub(crate) sets: u64,
    /// `delete` commands, whatever came of them.
    pub(crate) deletes: u64,
}

/// Something to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Hit,
    Miss,
    Set,
    Delete,
}

impl Event {
    /// A key was asked for.
    #[inline]
    pub(crate) fn get(found: bool) -> Self {
        if found { Event::Hit } else { Event::Miss }
    }
}

impl Counts {
    fn count(&mut self, event: Event) {
        match event {
            Event::Hit => {
                self.gets += 1;
                self.hits += 1;
            }
            Event::Miss => self.gets += 1,
            Event::Set => self.sets += 1,
            Event::Delete => self.deletes += 1,
        }
    }
}

impl Prefixes {
    /// Counts nothing until it is switched on.
    pub(crate) fn new(delimiter: u8) -> Self {
        Prefixes {
            enabled: AtomicBool::new(false),
            delimiter,
            counts: Mutex::new(BTreeMap::new()),
        }
    }

    /// Counts from now on, or no longer. What has been counted stays.
    pub(crate) fn enable(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Counts `event` for the prefix of `key`, if that is switched on.
    #[inline]
    pub(crate) fn count(&self, key: &[u8], event: Event) {
        if self.is_enabled() {
            self.count_enabled(key, event);
        }
    }

    #[cold]
    fn count_enabled(&self, key: &[u8], event: Event) {
        let Some(end) = key.iter().position(|&byte| byte == self.delimiter) else {
            return;
        };
        let prefix = &key[..end];
        let mut counts = self.lock();
        if let Some(counts) = counts.get_mut(prefix) {
            counts.count(event);
        } else if counts.len() < PREFIXES_MAX {
            counts.entry(prefix.into()).or_default().count(event);
        }
    }

    /// Passes every prefix and its counters to `visit`, in the order of the prefixes.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&[u8], &Counts)) {
        for (prefix, counts) in self.lock().iter() {
            visit(prefix, counts);
        }
    }

    /// Forgets what was counted, as `stats reset` asks.
    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    /// Poisoned or not: the counters are whole at any time.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<[u8]>, Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(prefixes: &Prefixes) -> Vec<(Vec<u8>, Counts)> {
        let mut counted = Vec::new();
        prefixes.visit(|prefix, counts| counted.push((prefix.to_vec(), *counts)));
        counted
    }

    #[test]
    fn nothing_is_counted_while_it_is_switched_off() {
        let prefixes = Prefixes::new(b':');
        prefixes.count(b"a:1", Event::Set);
        assert_eq!(counted(&prefixes), []);
        prefixes.enable(true);
        prefixes.count(b"a:1", Event::Hit);
        prefixes.enable(false);
        prefixes.count(b"a:1", Event::Hit);
        let one_hit = Counts {
            gets: 1,
            hits: 1,
            ..Counts::default()
        };
        assert_eq!(counted(&prefixes), [(b"a".to_vec(), one_hit)]);
    }

    #[test]
    fn there_is_a_bound_on_prefixes_and_those_that_are_there_go_on_counting() {
        let prefixes = Prefixes::new(b'-');
        prefixes.enable(true);
        for number in 0..PREFIXES_MAX + 10 {
            prefixes.count(format!("{number}-x").as_bytes(), Event::Delete);
        }
        prefixes.count(b"0-y", Event::Delete);
        let counted = counted(&prefixes);
        assert_eq!(counted.len(), PREFIXES_MAX);
        assert_eq!((&counted[0].0[..], counted[0].1.deletes), (&b"0"[..], 2));
    }
}
