//! How a dataset is opened.

/// How a dataset is opened and kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RedbOptions {
    /// Pages of the file that redb holds in memory, in bytes. While one dataset takes the place of another, both are open.
    pub cache_bytes: usize,
    /// When a commit is acknowledged.
    pub durability: Durability,
    /// Whether a file that is not there is made, and an empty database is taken.
    pub create: bool,
    /// Whether the file is only read. Several stores can have it open then, in several processes. What redb has to repair
    /// after a crash is repaired in memory.
    pub read_only: bool,
    /// Of the looks for keys that are not there, the share that may cost a look into the file: above 0, below 1.
    pub false_positive_rate: f64,
    /// How many items can be remembered as fetched, 8 bytes each, rounded up to a power of two. Of others `h`, `l` and
    /// `la` say what was so when they were stored.
    pub access_slots: usize,
    /// Seeds the hash of the keys. In production a random number: clients choose the keys. In simulations a fixed one.
    pub hash_seed: u64,
}

/// When a commit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// When it is on the disk: it survives a crash of the machine.
    #[default]
    Immediate,
    /// At once: it is lost when the process ends in any other way than by [`super::RedbStore::close`]. The file is whole
    /// all the same, with what was written up to some earlier commit; every
    /// [`Durability::UNSYNCED_BYTES_MAX`] bytes or [`Durability::UNSYNCED_COMMITS_MAX`] commits there is one on the disk.
    None,
}

impl Durability {
    /// With [`Durability::None`]: the bytes after which a commit goes to the disk all the same, so that redb can use the pages
    /// again that were freed since the last.
    pub const UNSYNCED_BYTES_MAX: u64 = 32 << 20;

    /// The same, in commits.
    pub const UNSYNCED_COMMITS_MAX: u64 = 4096;
}

impl RedbOptions {
    /// An existing file, 64 MiB of cache, durable, one wrong answer in a hundred, 65536 items remembered as fetched, seed 0.
    pub const DEFAULT: RedbOptions = RedbOptions {
        cache_bytes: 64 << 20,
        durability: Durability::Immediate,
        create: false,
        read_only: false,
        false_positive_rate: 0.01,
        access_slots: 1 << 16,
        hash_seed: 0,
    };
}

impl Default for RedbOptions {
    /// [`RedbOptions::DEFAULT`].
    fn default() -> Self {
        RedbOptions::DEFAULT
    }
}

/// How far opening a dataset has come. The check goes first, then the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenProgress {
    /// Every page is read and held against its checksum.
    Checking {
        /// Bytes of the file read so far; an estimate, as some may be read twice.
        read_bytes: u64,
        /// Bytes of the file.
        of_bytes: u64,
    },
    /// Every record is read, its key counted and put into the bloom filter.
    Counting {
        /// Records read so far.
        records: u64,
        /// Records in the file.
        of_records: u64,
    },
}
