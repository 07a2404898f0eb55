//! `watch`: what commands do, line by line, for clients that look on.
//!
//! Names and order of the `key=value` pairs are those of memcached 1.6.45. Two are missing: of `cfd`, the file descriptor of a
//! connection, an engine knows nothing, and `clsid` is [`CLASS`] for all items, as everywhere here.

mod kinds;
mod queue;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::engine::CLASS;
use crate::item::{Item, Marks};
use crate::time::{Expiry, Timestamp};
pub use kinds::Kinds;
use queue::Queue;

/// Who looks on, and what they want to know. While nobody does, an event costs one look at a flag.
#[derive(Default)]
pub struct Watchers {
    /// All kinds that somebody wants.
    wanted: AtomicU8,
    /// The number of the last line.
    last_line: AtomicU64,
    queues: Mutex<Vec<Arc<Queue>>>,
}

impl Watchers {
    /// Begins to watch: lines of all `kinds` are kept for the watcher from now on, until it is dropped.
    pub fn watch(self: &Arc<Self>, kinds: Kinds) -> Watcher {
        let queue = Arc::new(Queue::new(kinds));
        self.lock().push(Arc::clone(&queue));
        self.wanted.fetch_or(kinds.bits(), Ordering::Relaxed);
        Watcher {
            queue,
            watchers: Arc::clone(self),
        }
    }

    /// Writes a line for all who want `kinds`; `rest` appends what stands behind the time and the number, from `type=` on.
    #[inline]
    pub fn tell(&self, kinds: Kinds, now: Timestamp, rest: impl FnOnce(&mut String)) {
        if self.wants(kinds) {
            self.tell_wanted(kinds, now, rest);
        }
    }

    /// Whether anybody wants to know of `kinds`.
    #[inline]
    pub(crate) fn wants(&self, kinds: Kinds) -> bool {
        self.wanted.load(Ordering::Relaxed) & kinds.bits() != 0
    }

    #[cold]
    fn tell_wanted(&self, kinds: Kinds, now: Timestamp, rest: impl FnOnce(&mut String)) {
        let queues = self.lock();
        // Counted with the list locked, so that lines are queued in the order of their numbers.
        let number = self.last_line.fetch_add(1, Ordering::Relaxed) + 1;
        let mut line = format!("ts={}.{:06} gid={number} ", now.unix_s(), now.unix_ms() % 1000 * 1000);
        rest(&mut line);
        line.push('\n');
        for queue in queues.iter().filter(|queue| queue.kinds.overlap(kinds)) {
            queue.push(&line);
        }
    }

    /// A key was looked up; `data_bytes` is how long its data are, if there is an item.
    #[cold]
    pub(crate) fn fetched(&self, key: &[u8], data_bytes: Option<usize>, now: Timestamp) {
        self.tell(Kinds::FETCHERS, now, |line| {
            let (status, class) = data_bytes.map_or(("not_found", 0), |_| ("found", CLASS));
            let size = data_bytes.unwrap_or(0);
            append(line, "item_get", key);
            // Writing to a string cannot fail, here and below.
            let _ = write!(line, " status={status} clsid={class} size={size}");
        });
    }

    /// Something was stored, or was not.
    #[inline]
    pub(crate) fn stored(&self, key: &[u8], mutation: &Mutation<'_>, now: Timestamp) {
        self.tell(Kinds::MUTATIONS, now, |line| {
            let Mutation {
                status,
                command,
                expiry,
                data_bytes,
            } = mutation;
            let ttl = expiry.remaining_s(now).unwrap_or(0);
            append(line, "item_store", key);
            let _ = write!(
                line,
                " status={status} cmd={command} ttl={ttl} clsid={CLASS} size={data_bytes}"
            );
        });
    }

    /// An item was deleted by `command`.
    #[inline]
    pub(crate) fn deleted(&self, key: &[u8], command: &str, data_bytes: usize, now: Timestamp) {
        self.tell(Kinds::DELETIONS, now, |line| {
            append(line, "deleted", key);
            let _ = write!(line, " cmd={command} clsid={CLASS} size={data_bytes}");
        });
    }

    /// A live item makes room for another.
    #[inline]
    pub(crate) fn evicted(&self, item: &Item<'_>, now: Timestamp) {
        self.tell(Kinds::EVICTIONS, now, |line| {
            let attributes = &item.attributes;
            let fetch = match attributes.marks.has(Marks::FETCHED) {
                true => "yes",
                false => "no",
            };
            append(line, "eviction", item.key);
            let _ = match attributes.expiry.remaining_s(now) {
                Some(ttl) => write!(line, " fetch={fetch} ttl={ttl}"),
                None => write!(line, " fetch={fetch} ttl=-1"),
            };
            let (idle_s, size) = (attributes.idle_s(now), item.data.len());
            let _ = write!(line, " la={idle_s} clsid={CLASS} size={size}");
        });
    }

    fn end(&self, queue: &Arc<Queue>) {
        let mut queues = self.lock();
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        let wanted = queues.iter().fold(0, |wanted, queue| wanted | queue.kinds.bits());
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Poisoned or not: the list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a mutation came to, in memcached's words.
pub(crate) struct Mutation<'m> {
    pub(crate) status: &'m str,
    pub(crate) command: &'m str,
    pub(crate) expiry: Expiry,
    pub(crate) data_bytes: usize,
}

/// One who looks on, until dropped.
pub struct Watcher {
    queue: Arc<Queue>,
    watchers: Arc<Watchers>,
}

impl Watcher {
    /// Appends the lines that have come to `out`; pending while there are none. Lines that found no room, because the
    /// watcher read too slowly, are counted in a line `skipped=<number>`.
    pub fn poll_lines(&self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        self.queue.poll(cx, out)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watchers.end(&self.queue);
    }
}

fn append(line: &mut String, kind: &str, key: &[u8]) {
    let _ = write!(line, "type={kind} key=");
    uri_encode(key, line);
}

/// All but the unreserved characters of RFC 3986 becomes `%XX`, so that a line is ASCII and has no blank that does not
/// separate.
pub(crate) fn uri_encode(key: &[u8], line: &mut String) {
    for &byte in key {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            line.push(char::from(byte));
        } else {
            let _ = write!(line, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
