//! `stats` and its topics.

use std::fmt::Display;

use refcached_protocol::Response;
use refcached_protocol::request::Arguments;

use super::Engine;
use super::administration::parse;
use crate::counters::Counter;
use crate::environment::Environment;
use crate::item::Item;
use crate::store::{ScanPosition, Store, StoreStatistics};
use crate::time::{Expiry, Timestamp};

/// The one slab class that `stats items`, `stats slabs`, `stats cachedump` and `me` speak of: there are no slabs, and all
/// items are in it.
pub(crate) const CLASS: u32 = 1;

/// `stats cachedump` stops after this many bytes, as memcached does.
const CACHEDUMP_BYTES_MAX: usize = 2 << 20;

/// How many items `stats items` looks at for their age.
const AGE_ITEMS: usize = 10_000;

/// The unit of memory in `stats slabs`: memcached's page.
const PAGE_BYTES: u64 = 1 << 20;

/// What `stats` says of what the engine counts: the names, in memcached's order.
const COUNTED: [(&str, &[Counter]); 22] = [
    ("cmd_get", &[Counter::GetHits, Counter::GetMisses]),
    ("cmd_set", &[Counter::CmdSet]),
    ("cmd_flush", &[Counter::CmdFlush]),
    ("cmd_touch", &[Counter::TouchHits, Counter::TouchMisses]),
    ("cmd_meta", &[Counter::CmdMeta]),
    ("get_hits", &[Counter::GetHits]),
    ("get_misses", &[Counter::GetMisses]),
    ("delete_misses", &[Counter::DeleteMisses]),
    ("delete_hits", &[Counter::DeleteHits]),
    ("incr_misses", &[Counter::IncrMisses]),
    ("incr_hits", &[Counter::IncrHits]),
    ("decr_misses", &[Counter::DecrMisses]),
    ("decr_hits", &[Counter::DecrHits]),
    ("cas_misses", &[Counter::CasMisses]),
    ("cas_hits", &[Counter::CasHits]),
    ("cas_badval", &[Counter::CasBadval]),
    ("touch_hits", &[Counter::TouchHits]),
    ("touch_misses", &[Counter::TouchMisses]),
    ("store_too_large", &[Counter::StoreTooLarge]),
    ("store_no_memory", &[Counter::StoreNoMemory]),
    ("auth_cmds", &[]),
    ("auth_errors", &[]),
];

impl Environment {
    /// What the engines have counted: memcached's names, in its order. Those of what there is not are 0.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        COUNTED.into_iter().map(|(name, counters)| {
            let sum = counters.iter().map(|&counter| self.counters.sum(counter)).sum();
            (name, sum)
        })
    }
}

/// Appends `STAT <name> <value>`.
fn stat(out: &mut Vec<u8>, name: &str, value: impl Display) {
    let value = value.to_string();
    let line = Response::Stat {
        name: name.as_bytes(),
        value: value.as_bytes(),
    };
    line.encode(out);
}

impl<S: Store> Engine<S> {
    /// Answers `stats` and its topics.
    pub(super) fn stats(&self, arguments: &Arguments<'_>, now: Timestamp, out: &mut Vec<u8>) {
        let mut words = arguments.words;
        let host = &self.environment.host;
        match words.next() {
            None => self.general(now, out),
            Some(b"settings") => self.settings(out),
            Some(b"items") => {
                if let Err(error) = self.items(now, out) {
                    return self.failure(&error, out);
                }
            }
            Some(b"slabs") => self.slab_statistics(out),
            Some(b"sizes") => stat(out, "sizes_status", "disabled"),
            Some(b"conns") => host.connections(now, &mut |name, value| stat(out, name, value)),
            // Neither is there, so there is nothing to say.
            Some(b"proxy" | b"extstore") => {}
            Some(b"cachedump") => return self.cachedump(words.next(), words.next(), now, out),
            Some(b"detail") => return self.detail(words.next(), out),
            Some(b"reset") => {
                self.reset();
                return Response::Reset.encode(out);
            }
            Some(_) => return Response::Error.encode(out),
        }
        Response::End.encode(out);
    }

    fn reset(&self) {
        self.environment.counters.reset();
        self.environment.prefixes.reset();
        self.environment.host.reset_statistics();
        self.store.reset_statistics();
    }

    fn general(&self, now: Timestamp, out: &mut Vec<u8>) {
        let environment = &self.environment;
        let uptime_s = now.unix_s().saturating_sub(environment.started.unix_s());
        stat(out, "pid", std::process::id());
        stat(out, "uptime", uptime_s);
        stat(out, "time", now.unix_s());
        stat(out, "version", &self.options().version);
        stat(out, "pointer_size", usize::BITS);
        environment.host.statistics(&mut |name, value| stat(out, name, value));
        for (name, sum) in environment.counted() {
            stat(out, name, sum);
        }
        self.general_of_store(&self.store.statistics(), out);
        self.store.details(&mut |name, value| stat(out, name, value));
    }

    fn general_of_store(&self, store: &StoreStatistics, out: &mut Vec<u8>) {
        for (name, value) in [
            ("get_expired", store.get_expired),
            ("get_flushed", store.get_flushed),
            ("limit_maxbytes", store.limit_bytes),
            ("bytes", store.bytes),
            ("curr_items", store.curr_items),
            ("total_items", store.total_items),
            ("expired_unfetched", store.expired_unfetched),
            ("evicted_unfetched", store.evicted_unfetched),
            ("evictions", store.evictions),
            ("reclaimed", store.reclaimed),
            ("crawler_reclaimed", store.crawler_reclaimed),
        ] {
            stat(out, name, value);
        }
    }

    fn settings(&self, out: &mut Vec<u8>) {
        let yes_or_no = |yes| if yes { "yes" } else { "no" };
        let options = self.options();
        stat(out, "maxbytes", self.store.statistics().limit_bytes);
        stat(out, "evictions", "on");
        stat(out, "cas_enabled", "yes");
        stat(out, "item_size_max", options.limits.item_bytes_max);
        stat(out, "flush_enabled", yes_or_no(options.flush_enabled));
        // There is one class, so none is larger than another by a factor.
        stat(out, "growth_factor", "1.00");
        stat(out, "stat_key_prefix", char::from(options.prefix_delimiter));
        stat(out, "detail_enabled", yes_or_no(self.environment.prefixes.is_enabled()));
        stat(out, "auth_enabled_sasl", "no");
        stat(out, "dump_enabled", "yes");
        self.tuned_settings(out);
        stat(out, "track_sizes", "no");
        stat(out, "client_flags_size", 4);
        self.environment
            .host
            .settings(&mut |name, value| stat(out, name, value));
    }

    /// What clients may have changed; see [`crate::tuning::Tuning`].
    fn tuned_settings(&self, out: &mut Vec<u8>) {
        let yes_or_no = |yes| if yes { "yes" } else { "no" };
        let tuning = *self.environment.tuning();
        let segments = tuning.segments;
        stat(out, "slab_reassign", "yes");
        stat(out, "slab_automove", tuning.automove);
        stat(out, "lru_crawler", yes_or_no(tuning.crawler));
        stat(out, "lru_crawler_sleep", tuning.crawler_sleep_us);
        stat(out, "lru_crawler_tocrawl", tuning.crawler_tocrawl);
        stat(out, "lru_maintainer_thread", "no");
        stat(out, "lru_segmented", yes_or_no(tuning.segmented));
        stat(out, "hot_lru_pct", segments.hot_pct);
        stat(out, "warm_lru_pct", segments.warm_pct);
        stat(out, "hot_max_factor", format_args!("{:.2}", segments.hot_age_factor));
        stat(out, "warm_max_factor", format_args!("{:.2}", segments.warm_age_factor));
        stat(out, "temp_lru", yes_or_no(tuning.temp_lru));
        stat(out, "temporary_ttl", tuning.temp_ttl_s);
    }

    fn items(&self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), S::Error> {
        let age_s = self.age_s(now)?;
        let store = self.store.statistics();
        if store.curr_items == 0 {
            return Ok(());
        }
        for (name, value) in [
            ("number", store.curr_items),
            ("age", age_s),
            ("mem_requested", store.bytes),
            ("evicted", store.evictions),
            ("evicted_nonzero", store.evicted_nonzero),
            ("outofmemory", store.outofmemory),
            ("reclaimed", store.reclaimed),
            ("expired_unfetched", store.expired_unfetched),
            ("evicted_unfetched", store.evicted_unfetched),
            ("crawler_reclaimed", store.crawler_reclaimed),
        ] {
            stat(out, &format!("items:{CLASS}:{name}"), value);
        }
        Ok(())
    }

    /// Seconds since the item that has gone unused the longest was used. Of a store with more than [`AGE_ITEMS`] items
    /// it is that of a sample, so that a poll costs the same however much there is.
    fn age_s(&self, now: Timestamp) -> Result<u64, S::Error> {
        let (mut age_s, mut seen) = (0, 0);
        let mut position = Some(ScanPosition::default());
        while let Some(from) = position
            && seen < AGE_ITEMS
        {
            position = self.store.scan(from, now, |item| {
                age_s = age_s.max(item.attributes.idle_s(now));
                seen += 1;
            })?;
        }
        Ok(age_s)
    }

    /// `stats slabs`. Each item takes the room that it needs and not that of a chunk, so the size of a chunk is the mean of
    /// what items take, there are as many chunks as items, and pages are the memory in units of 1 MiB: the sums that
    /// tools make of these figures come out right.
    fn slab_statistics(&self, out: &mut Vec<u8>) {
        let store = self.store.statistics();
        let used = store.curr_items != 0;
        if used {
            let sum = |counter| self.environment.counters.sum(counter);
            let chunk_bytes = store.bytes.div_ceil(store.curr_items).max(1);
            for (name, value) in [
                ("chunk_size", chunk_bytes),
                ("chunks_per_page", (PAGE_BYTES / chunk_bytes).max(1)),
                ("total_pages", store.bytes.div_ceil(PAGE_BYTES)),
                ("total_chunks", store.curr_items),
                ("used_chunks", store.curr_items),
                ("free_chunks", 0),
                ("free_chunks_end", 0),
                ("get_hits", sum(Counter::GetHits)),
                ("cmd_set", sum(Counter::CmdSet)),
                ("delete_hits", sum(Counter::DeleteHits)),
                ("incr_hits", sum(Counter::IncrHits)),
                ("decr_hits", sum(Counter::DecrHits)),
                ("cas_hits", sum(Counter::CasHits)),
                ("cas_badval", sum(Counter::CasBadval)),
                ("touch_hits", sum(Counter::TouchHits)),
            ] {
                stat(out, &format!("{CLASS}:{name}"), value);
            }
        }
        stat(out, "active_slabs", u32::from(used));
        stat(out, "total_malloced", store.bytes);
    }

    /// `stats cachedump <class> <limit>`: up to `limit` items (0: as many as fit) with size and expiry.
    fn cachedump(&self, class: Option<&[u8]>, limit: Option<&[u8]>, now: Timestamp, out: &mut Vec<u8>) {
        let (Some(class), Some(limit)) = (class, limit) else {
            return Response::ClientError(b"bad command line").encode(out);
        };
        let (Some(class), Some(limit)) = (parse::<u32>(class), parse::<u32>(limit)) else {
            return Response::ClientError(b"bad command line format").encode(out);
        };
        if class > CLASS_MAX {
            return Response::ClientError(b"Illegal slab id").encode(out);
        }
        if class == CLASS {
            let limit = if limit == 0 { u32::MAX } else { limit };
            if let Err(error) = self.dump_items(limit, now, out) {
                return self.failure(&error, out);
            }
        }
        Response::End.encode(out);
    }

    fn dump_items(&self, limit: u32, now: Timestamp, out: &mut Vec<u8>) -> Result<(), S::Error> {
        let end = out.len() + CACHEDUMP_BYTES_MAX;
        let mut left = limit;
        let mut position = Some(ScanPosition::default());
        while let Some(from) = position
            && left > 0
        {
            position = self.store.scan(from, now, |item| {
                // A key that would break the line is passed over.
                if left > 0 && out.len() < end && !item.has_base64_key() {
                    left -= 1;
                    write_dumped(&item, out);
                }
            })?;
        }
        Ok(())
    }
}

/// The largest slab class that memcached knows.
pub(super) const CLASS_MAX: u32 = 63;

/// `ITEM <key> [<bytes> b; <expiry as Unix time, 0 for never> s]`.
fn write_dumped(item: &Item<'_>, out: &mut Vec<u8>) {
    let expiry_unix_s = match item.attributes.expiry {
        Expiry::NEVER => 0,
        expiry => expiry.timestamp().map_or(0, Timestamp::unix_s),
    };
    out.extend_from_slice(b"ITEM ");
    out.extend_from_slice(item.key);
    let rest = format!(" [{} b; {expiry_unix_s} s]\r\n", item.data.len());
    out.extend_from_slice(rest.as_bytes());
}
