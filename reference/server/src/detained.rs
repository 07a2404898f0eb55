//! Memory for the rest of replies whose dataset has to be closed before their client has read them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What all such replies may take together, in bytes. A client that wants more than is left, and has not read for the whole
/// of a drain timeout, is hung up on.
const BYTES_MAX: usize = 64 << 20;

/// The room for all connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    used: Arc<AtomicUsize>,
}

/// What one connection has of it. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Detained {
    room: Room,
    bytes: usize,
}

impl Room {
    pub(crate) fn nothing(&self) -> Detained {
        Detained {
            room: self.clone(),
            bytes: 0,
        }
    }
}

impl Detained {
    /// Takes as much room as `bytes` need in all, if there is so much.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let fits = |used: usize| used.checked_add(more).filter(|&sum| sum <= BYTES_MAX);
        let taken = self.room.used.fetch_update(Relaxed, Relaxed, fits).is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Gives all of it back.
    pub(crate) fn give_back(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.room.used.fetch_sub(bytes, Relaxed);
        }
    }
}

impl Drop for Detained {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_for_all_and_is_given_back() {
        let room = Room::default();
        let mut first = room.nothing();
        let mut second = room.nothing();
        assert!(first.take(BYTES_MAX - 10));
        assert!(first.take(5), "what it has suffices");
        assert!(second.take(10));
        assert!(!second.take(11));
        assert!(!first.take(BYTES_MAX));
        drop(second);
        assert!(first.take(BYTES_MAX));
        first.give_back();
        assert_eq!(room.used.load(Relaxed), 0);
    }
}
