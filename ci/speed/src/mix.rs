//! What is asked of a server.

/// A kind of load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix {
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
    /// Requests that are sent in one write and answered before the next.
    pub(crate) pipeline: usize,
    pub(crate) connections: usize,
    /// How many keys there are, all stored before.
    pub(crate) keys: usize,
    pub(crate) value_bytes: usize,
    pub(crate) popularity: Popularity,
    /// How many times memcached's operations per CPU second refcached is to do at least.
    pub(crate) goal: f64,
}

/// What the requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// `get` of one key.
    Get,
    /// `get` of so many keys; counted as one operation for each.
    MultiGet(usize),
    /// `get` of a key that is not there.
    Miss,
    /// `mg` with flag `v`.
    MetaGet,
    /// `set`.
    Set,
    /// `set` one time out of ten, else `get`.
    NineGetsOneSet,
}

/// Which keys are asked for how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Popularity {
    /// All alike.
    Uniform,
    /// The n-th as often as `1 / n^s`.
    Zipf(f64),
}

/// What the mixes have in common.
pub(crate) const GET: Mix = Mix {
    name: "get",
    ask: Ask::Get,
    pipeline: 1,
    connections: 50,
    keys: 100_000,
    value_bytes: 100,
    popularity: Popularity::Uniform,
    goal: NEVER_BEHIND,
};

/// The goal where nothing more was asked for.
const NEVER_BEHIND: f64 = 1.0;

/// Keys enough to compare what they take.
pub(crate) const MILLION: usize = 1_000_000;

/// All mixes, in the order of the table.
pub(crate) fn all() -> Vec<Mix> {
    [small_gets(), mixed(), others()].concat()
}

fn small_gets() -> Vec<Mix> {
    let named = |name, pipeline, connections, goal| Mix {
        name,
        pipeline,
        connections,
        goal,
        ..GET
    };
    vec![
        named("get", 1, 50, 1.3),
        named("get, 1 connection", 1, 1, NEVER_BEHIND),
        named("get, 1000 connections", 1, 1000, NEVER_BEHIND),
        named("get, pipelines of 8", 8, 50, 1.7),
        named("get, pipelines of 64", 64, 50, 2.7),
        named("get, pipelines of 64, 1 connection", 64, 1, NEVER_BEHIND),
    ]
}

fn mixed() -> Vec<Mix> {
    let named = |name, popularity| Mix {
        name,
        ask: Ask::NineGetsOneSet,
        pipeline: 8,
        keys: MILLION,
        popularity,
        ..GET
    };
    vec![
        named("90/10, 1M keys, uniform", Popularity::Uniform),
        named("90/10, 1M keys, Zipf 0.99", Popularity::Zipf(0.99)),
    ]
}

fn others() -> Vec<Mix> {
    let named = |name, ask, pipeline, goal| Mix {
        name,
        ask,
        pipeline,
        goal,
        ..GET
    };
    let large = |name, ask, value_bytes, keys| Mix {
        name,
        ask,
        value_bytes,
        keys,
        ..GET
    };
    vec![
        named("set", Ask::Set, 1, NEVER_BEHIND),
        named("set, pipelines of 8", Ask::Set, 8, 2.6),
        named("get of 50 keys", Ask::MultiGet(50), 1, NEVER_BEHIND),
        named("get of what is not there, of 8", Ask::Miss, 8, NEVER_BEHIND),
        named("meta get, pipelines of 8", Ask::MetaGet, 8, NEVER_BEHIND),
        large("get of 10 KB", Ask::Get, 10_000, 10_000),
        large("get of 500 KB", Ask::Get, 500_000, 200),
        large("set of 10 KB", Ask::Set, 10_000, 10_000),
    ]
}

impl Mix {
    /// The operations of one pipeline: each key counts.
    pub(crate) fn operations(&self) -> usize {
        match self.ask {
            Ask::MultiGet(keys) => keys * self.pipeline,
            _ => self.pipeline,
        }
    }
}
