//! Buffers that connections borrow while they have something in hand.
//!
//! A connection that waits holds no buffer: thousands of idle ones cost their sockets and their tasks. Each worker thread
//! keeps a few buffers, so that the one that the next connection takes is still warm in the cache.

use std::cell::RefCell;

/// Capacity of a fresh buffer, in bytes: a pipeline of some hundred commands.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;

/// A buffer that has grown past this is given back to the allocator.
const KEPT_BYTES_MAX: usize = 8 * BUFFER_BYTES;

/// Buffers kept by one thread. A thread lends two at a time, unless clients do not read their answers.
const KEPT_BUFFERS: usize = 4;

/// A partial command of up to this many bytes waits for its rest in a buffer of just its size.
const PARKED_BYTES_MAX: usize = 4 << 10;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with a capacity of [`BUFFER_BYTES`] at least.
pub(crate) fn borrow() -> Vec<u8> {
    KEPT.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
}

/// Takes the buffer away from its holder, content and all.
pub(crate) fn give_back(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    if !(BUFFER_BYTES..=KEPT_BYTES_MAX).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    KEPT.with_borrow_mut(|kept| {
        if kept.len() < KEPT_BUFFERS {
            kept.push(buffer);
        }
    });
}

/// Makes room to read into. `wanted` is the number of bytes that `buffer` must hold before the parser can go on.
///
/// A client that announces a value of 1 MiB has not sent it yet: the buffer doubles when it is full, up to `wanted`, so
/// announcing costs nothing and reading costs a constant number of copies of each byte.
pub(crate) fn make_room(buffer: &mut Vec<u8>, wanted: usize) {
    if buffer.capacity() < BUFFER_BYTES {
        let parked = std::mem::replace(buffer, borrow());
        buffer.extend_from_slice(&parked);
    }
    if buffer.len() < buffer.capacity() {
        return;
    }
    // Room for what follows the value, too, so that it takes no read of its own.
    let enough = wanted.saturating_add(PARKED_BYTES_MAX);
    let aim = enough.clamp(buffer.len() + PARKED_BYTES_MAX, 2 * buffer.len());
    buffer.reserve_exact(aim - buffer.len());
}

/// Gives back what a connection that must wait does not need: the whole buffer if it is empty, most of it if only the
/// beginning of a command is in it.
pub(crate) fn park(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        give_back(buffer);
    } else if buffer.len() <= PARKED_BYTES_MAX && buffer.capacity() >= BUFFER_BYTES {
        let mut parked = buffer.as_slice().to_vec();
        std::mem::swap(buffer, &mut parked);
        give_back(&mut parked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_value_takes_no_room_before_it_arrives() {
        let mut buffer = Vec::new();
        make_room(&mut buffer, 1 << 30);
        assert!(buffer.capacity() <= KEPT_BYTES_MAX);
    }

    #[test]
    fn a_large_value_is_read_with_a_constant_number_of_copies() {
        let wanted = 100 << 20;
        let mut buffer = Vec::new();
        let mut moved = 0;
        while buffer.len() < wanted {
            let before = buffer.capacity();
            make_room(&mut buffer, wanted);
            if buffer.capacity() != before {
                moved += buffer.len();
            }
            let arrived = 1448.min(buffer.capacity() - buffer.len());
            assert!(arrived > 0, "no room to read into");
            buffer.resize(buffer.len() + arrived, b'x');
        }
        assert!(moved <= 2 * wanted, "{moved} bytes were moved for {wanted}");
        assert!(buffer.capacity() <= wanted + BUFFER_BYTES);
    }

    #[test]
    fn a_connection_that_waits_holds_no_more_than_its_partial_command() {
        let mut buffer = borrow();
        buffer.extend_from_slice(b"get some");
        park(&mut buffer);
        assert_eq!(buffer, b"get some");
        assert!(buffer.capacity() < 64);
        make_room(&mut buffer, 9);
        assert_eq!(buffer, b"get some");
        assert!(buffer.capacity() >= BUFFER_BYTES);
        buffer.clear();
        park(&mut buffer);
        assert_eq!(buffer.capacity(), 0);
    }

    #[test]
    fn a_buffer_that_has_grown_is_not_kept() {
        let mut grown = Vec::with_capacity(KEPT_BYTES_MAX + 1);
        give_back(&mut grown);
        assert_eq!(grown.capacity(), 0);
        assert!(borrow().capacity() <= KEPT_BYTES_MAX);
    }

    #[test]
    fn a_thread_keeps_a_bounded_number_of_buffers() {
        let mut taken: Vec<Vec<u8>> = (0..3 * KEPT_BUFFERS).map(|_| borrow()).collect();
        taken.iter_mut().for_each(give_back);
        assert_eq!(KEPT.with_borrow(Vec::len), KEPT_BUFFERS);
    }
}
