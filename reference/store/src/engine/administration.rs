//! The commands by which memcached's allocator and its LRUs are tuned. Nothing here has slab classes or several LRUs: what is
//! asked is judged as memcached 1.6.45 judges it, what is set is kept, and what needs a page of memory finds none to spare.

use refcached_protocol::Response;
use refcached_protocol::request::{Arguments, CacheMemlimit};

use super::Engine;
use super::statistics::CLASS;
use crate::store::Store;
use crate::time::Timestamp;
use crate::tuning::Segments;

/// The smallest limit that `cache_memlimit` takes, in MiB.
const MEMORY_LIMIT_MIN_MB: u32 = 8;

/// The highest level of `slabs automove`.
const AUTOMOVE_MAX: u32 = 2;

/// What HOT and WARM may have between them, in per cent.
const HOT_AND_WARM_MAX_PCT: u32 = 80;

const BAD_FORMAT: Response<'static> = Response::ClientError(b"bad command line format");

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

    /// `slabs reassign` and `slabs automove`.
    pub(super) fn slabs(&self, arguments: &Arguments<'_>) -> Response<'static> {
        let mut words = words(arguments);
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(b"reassign"), Some(from), Some(to), None) => match (parse(from), parse(to)) {
                (Some(from), Some(to)) => reassign(from, to),
                _ => BAD_FORMAT,
            },
            (Some(b"automove"), Some(level), ..) => match parse(level) {
                Some(level @ 0..=AUTOMOVE_MAX) => {
                    self.environment.tuning().automove = level;
                    Response::Ok
                }
                Some(_) => Response::Error,
                None => BAD_FORMAT,
            },
            _ => Response::Error,
        }
    }

    /// `lru mode`, `lru tune` and `lru temp_ttl`.
    pub(super) fn lru(&self, arguments: &Arguments<'_>) -> Response<'static> {
        let mut words = words(arguments);
        let mut tuning = self.environment.tuning();
        match (words.next(), words.next()) {
            (Some(b"mode"), Some(mode @ (b"flat" | b"segmented"))) => tuning.segmented = mode == b"segmented",
            (Some(b"tune"), Some(hot)) => match segments([Some(hot), words.next(), words.next(), words.next()]) {
                Ok(segments) => tuning.segments = segments,
                Err(refused) => return refused,
            },
            (Some(b"temp_ttl"), Some(ttl)) => match parse::<i32>(ttl) {
                None => return Response::Error,
                Some(ttl) => {
                    tuning.temp_lru = ttl >= 0;
                    tuning.temp_ttl_s = u32::try_from(ttl).unwrap_or(tuning.temp_ttl_s);
                }
            },
            _ => return Response::Error,
        }
        Response::Ok
    }
}

/// The words of a command without the `noreply` at its end.
pub(super) fn words<'a>(arguments: &Arguments<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let count = arguments.words.count() - usize::from(arguments.noreply);
    arguments.words.take(count)
}

/// Moves a page of memory between two classes. Memory does not come in pages here, so no class has one to spare; 0 is
/// memcached's pool of pages without a class, -1 any class.
fn reassign(from: i32, to: i32) -> Response<'static> {
    let class_max = CLASS.cast_signed();
    if from == to {
        Response::Notice(b"SAME src and dst class are identical")
    } else if !(-1..=class_max).contains(&from) || !(0..=class_max).contains(&to) {
        Response::Notice(b"BADCLASS invalid src or dst class id")
    } else {
        Response::Notice(b"NOSPARE source class has no spare pages")
    }
}

/// Reads the numbers of `lru tune`.
fn segments(words: [Option<&[u8]>; 4]) -> Result<Segments, Response<'static>> {
    let [
        Some(hot_pct),
        Some(warm_pct),
        Some(hot_age_factor),
        Some(warm_age_factor),
    ] = words
    else {
        return Err(Response::Error);
    };
    let (Some(hot_pct), Some(warm_pct), Some(hot_age_factor), Some(warm_age_factor)) = (
        parse::<u32>(hot_pct),
        parse::<u32>(warm_pct),
        parse::<f64>(hot_age_factor),
        parse::<f64>(warm_age_factor),
    ) else {
        return Err(Response::Error);
    };
    if hot_pct.saturating_add(warm_pct) > HOT_AND_WARM_MAX_PCT {
        return Err(Response::Notice(b"ERROR hot and warm pcts must not exceed 80"));
    }
    // Not a number is not greater either; memcached takes it.
    let greater_than_0 = |factor: f64| factor > 0.0;
    if !greater_than_0(hot_age_factor) || !greater_than_0(warm_age_factor) {
        return Err(Response::Notice(b"ERROR hot/warm age factors must be greater than 0"));
    }
    Ok(Segments {
        hot_pct,
        warm_pct,
        hot_age_factor,
        warm_age_factor,
    })
}

pub(super) fn parse<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
