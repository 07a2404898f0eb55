//! What `slabs`, `lru` and `lru_crawler` set.

/// What memcached lets clients tune of its allocator, its LRUs and its crawler. There are no slab pages, no LRU segments and no
/// crawler thread here, so these are kept and shown by `stats settings`, and nothing but [`Tuning::crawler`] has an effect.
/// A tool that sets them and reads them back finds what it has set. The defaults are memcached's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tuning {
    /// `slabs automove`: 0, 1 or 2.
    pub(crate) automove: u32,
    /// Whether `lru_crawler` obeys `crawl` and the dumps.
    pub(crate) crawler: bool,
    /// `lru_crawler sleep`: microseconds between two items.
    pub(crate) crawler_sleep_us: u32,
    /// `lru_crawler tocrawl`: items to look at in a crawl, 0 for all.
    pub(crate) crawler_tocrawl: u32,
    /// `lru mode`: whether it is `segmented`.
    pub(crate) segmented: bool,
    /// `lru tune`.
    pub(crate) segments: Segments,
    /// `lru temp_ttl`: whether it is 0 or more.
    pub(crate) temp_lru: bool,
    /// `lru temp_ttl`: the last one of 0 or more, in seconds.
    pub(crate) temp_ttl_s: u32,
}

/// The four numbers of `lru tune`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segments {
    /// Share of the memory for the HOT segment, in per cent.
    pub(crate) hot_pct: u32,
    /// The same of the WARM segment.
    pub(crate) warm_pct: u32,
    /// Age of an item that leaves HOT, as a multiple of the age of COLD.
    pub(crate) hot_age_factor: f64,
    /// The same of WARM.
    pub(crate) warm_age_factor: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            automove: 1,
            crawler: true,
            crawler_sleep_us: 100,
            crawler_tocrawl: 0,
            segmented: true,
            segments: Segments {
                hot_pct: 20,
                warm_pct: 40,
                hot_age_factor: 0.2,
                warm_age_factor: 2.0,
            },
            temp_lru: false,
            temp_ttl_s: 61,
        }
    }
}
