//! The commands by which memcached's own allocator and LRU are tuned. Nothing here has slab classes, several LRUs or a crawler:
//! the answers are those of a memcached 1.6.45 that was started without them (`-o no_modern`).

use refcached_protocol::Response;
use refcached_protocol::request::{Arguments, CacheMemlimit};

use super::Engine;
use crate::store::Store;
use crate::time::Timestamp;

/// The smallest limit that `cache_memlimit` takes, in MiB.
const MEMORY_LIMIT_MIN_MB: u32 = 8;

impl<S: Store> Engine<S> {
    /// `cache_memlimit`.
    pub(super) fn set_memory_limit(&self, request: CacheMemlimit, now: Timestamp) -> Response<'static> {
        if request.megabytes < MEMORY_LIMIT_MIN_MB {
            return Response::Notice(b"MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m");
        }
        if self.store.set_limit(u64::from(request.megabytes) << 20, now) {
            Response::Ok
        } else {
            Response::Notice(b"MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust")
        }
    }
}

/// `slabs reassign` and `slabs automove`.
pub(super) fn slabs(arguments: &Arguments<'_>) -> Response<'static> {
    let mut words = arguments.words;
    match (words.next(), words.next(), words.next()) {
        (Some(b"reassign"), Some(_), Some(_)) => Response::ClientError(b"slab reassignment disabled"),
        (Some(b"automove"), Some(level), _) => taken_if_integer(level),
        _ => Response::Error,
    }
}

/// `lru tune` with four numbers is taken, as memcached takes it where it has no use for them; `lru mode` and `lru temp_ttl` are
/// not.
pub(super) fn lru(arguments: &Arguments<'_>) -> Response<'static> {
    let mut words = arguments.words;
    let tune = words.next() == Some(b"tune");
    let is_number = |word: &[u8]| std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok());
    if tune && words.count() == 4 && words.all(is_number) {
        Response::Ok
    } else {
        Response::Error
    }
}

/// `lru_crawler enable`, `crawl`, `metadump` and so on.
pub(super) fn lru_crawler(arguments: &Arguments<'_>) -> Response<'static> {
    let mut words = arguments.words;
    match (words.next(), words.next()) {
        (Some(b"crawl" | b"metadump" | b"mgdump"), Some(_)) => Response::ClientError(b"lru crawler disabled"),
        (Some(b"sleep" | b"tocrawl"), Some(number)) => taken_if_integer(number),
        (Some(b"disable"), _) => Response::Ok,
        (Some(b"enable"), _) => Response::Notice(b"ERROR failed to start lru crawler thread"),
        _ => Response::Error,
    }
}

fn taken_if_integer(word: &[u8]) -> Response<'static> {
    match integer(word) {
        Some(_) => Response::Ok,
        None => Response::ClientError(b"bad command line format"),
    }
}

fn integer(word: &[u8]) -> Option<i32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
