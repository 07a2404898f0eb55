//! Random histories, held against a model that shares nothing with the engine but the protocol: a sorted map and a clock.

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use refcached_store::{MemoryOptions, Options};
use support::{OnDisk, START, Server, Session, notation};

#[derive(Clone, Debug)]
enum Op {
    Store {
        verb: &'static str,
        key: u8,
        flags: u32,
        exptime: i64,
        value: String,
        noreply: bool,
    },
    /// `cas` with the item's own CAS value, and so many more.
    Cas {
        key: u8,
        off_by: u64,
        exptime: i64,
        value: String,
    },
    Get {
        with_cas: bool,
        keys: Vec<u8>,
    },
    Gat {
        exptime: i64,
        keys: Vec<u8>,
    },
    Delete {
        key: u8,
    },
    Arithmetic {
        verb: &'static str,
        key: u8,
        delta: u64,
    },
    Touch {
        key: u8,
        exptime: i64,
    },
    Flush {
        delay: i64,
    },
    /// `md ... I`, or `md ... x`, or plain.
    MetaDelete {
        key: u8,
        flag: &'static str,
    },
    /// `mg ... v t f`, with `N<n>` if it is not negative.
    MetaGet {
        key: u8,
        vivify: i64,
    },
    Wait {
        ms: u64,
    },
}

#[derive(Clone, Debug)]
struct Held {
    flags: u32,
    /// Unix milliseconds.
    gone_at: Option<u64>,
    stored_at: u64,
    cas: u64,
    stale: bool,
    won: bool,
    data: Vec<u8>,
}

struct Model {
    items: BTreeMap<u8, Held>,
    now: u64,
    flush_at: Option<u64>,
    cas: u64,
}

impl Model {
    fn new() -> Self {
        Model {
            items: BTreeMap::new(),
            now: START.unix_ms(),
            flush_at: None,
            cas: 0,
        }
    }

    fn deadline(&self, exptime: i64) -> Option<u64> {
        match exptime {
            0 => None,
            seconds if seconds < 0 => Some(0),
            seconds if seconds <= 30 * 24 * 3600 => Some(self.now + seconds as u64 * 1000),
            unix_s => Some(unix_s as u64 * 1000),
        }
    }

    fn advance(&mut self, ms: u64) {
        self.now += ms;
        if let Some(at) = self.flush_at
            && self.now >= at
        {
            self.items.retain(|_, held| held.stored_at >= at);
            self.flush_at = None;
        }
        let now = self.now;
        self.items.retain(|_, held| held.gone_at.is_none_or(|at| now < at));
    }

    fn put(&mut self, key: u8, flags: u32, gone_at: Option<u64>, data: &[u8]) {
        self.cas += 1;
        let held = Held {
            flags,
            gone_at,
            stored_at: self.now,
            cas: self.cas,
            stale: false,
            won: false,
            data: data.to_vec(),
        };
        self.items.insert(key, held);
        self.advance(0);
    }

    fn store(&mut self, verb: &str, key: u8, flags: u32, exptime: i64, value: &str) -> &'static str {
        let gone_at = self.deadline(exptime);
        let held = self.items.get(&key).cloned();
        match (verb, held) {
            ("set", _) | ("add", None) | ("replace", Some(_)) => self.put(key, flags, gone_at, value.as_bytes()),
            ("append", Some(held)) => {
                let data = [&held.data[..], value.as_bytes()].concat();
                self.put(key, held.flags, held.gone_at, &data);
            }
            ("prepend", Some(held)) => {
                let data = [value.as_bytes(), &held.data[..]].concat();
                self.put(key, held.flags, held.gone_at, &data);
            }
            _ => return "NOT_STORED",
        }
        "STORED"
    }

    fn arithmetic(&mut self, verb: &str, key: u8, delta: u64) -> String {
        let Some(held) = self.items.get_mut(&key) else {
            return String::from("NOT_FOUND");
        };
        // What the values of these histories can look like: digits, then perhaps blanks and what was appended behind them; or no
        // number at all.
        let digits = held.data.split(|&byte| byte == b' ').next().unwrap_or_default();
        let Ok(number) = String::from_utf8_lossy(digits).parse::<u64>() else {
            return String::from("CLIENT_ERROR cannot increment or decrement non-numeric value");
        };
        let number = match verb {
            "incr" => number.wrapping_add(delta),
            _ => number.saturating_sub(delta),
        };
        let digits = number.to_string();
        self.cas += 1;
        held.cas = self.cas;
        if digits.len() > held.data.len() {
            held.stale = false;
            held.won = false;
        }
        held.data = format!("{digits:<width$}", width = held.data.len()).into_bytes();
        digits
    }

    fn values(&self, keys: &[u8], with_cas: bool) -> String {
        let mut reply = String::new();
        for key in keys {
            if let Some(held) = self.items.get(key) {
                let cas = if with_cas {
                    format!(" {}", held.cas)
                } else {
                    String::new()
                };
                let data = String::from_utf8_lossy(&held.data);
                let (flags, bytes) = (held.flags, held.data.len());
                reply += &format!("VALUE {} {flags} {bytes}{cas} | {data} | ", name(*key));
            }
        }
        reply + "END"
    }

    fn touch(&mut self, key: u8, exptime: i64) -> bool {
        let gone_at = self.deadline(exptime);
        match self.items.get_mut(&key) {
            None => false,
            Some(held) => {
                held.gone_at = gone_at;
                true
            }
        }
    }

    fn meta_delete(&mut self, key: u8, flag: &str) -> &'static str {
        if !self.items.contains_key(&key) {
            return "NF";
        }
        match flag {
            "I" => {
                self.cas += 1;
                let cas = self.cas;
                let held = self.items.get_mut(&key).expect("it was found");
                (held.cas, held.stale, held.won) = (cas, true, false);
            }
            "x" => {
                let held = self.items.get_mut(&key).expect("it was found");
                held.data.clear();
                (held.flags, held.gone_at, held.stale, held.won) = (0, None, false, false);
            }
            _ => {
                self.items.remove(&key);
            }
        }
        "HD"
    }

    fn meta_get(&mut self, key: u8, vivify: i64) -> String {
        let created = vivify >= 0 && !self.items.contains_key(&key);
        if created {
            let gone_at = self.deadline(vivify);
            self.put(key, 0, gone_at, b"");
        }
        let now = self.now;
        let Some(held) = self.items.get_mut(&key) else {
            return String::from("EN");
        };
        let ttl = held.gone_at.map_or(-1, |at| (at - now).div_ceil(1000) as i64);
        let mut reply = format!("VA {} t{ttl} f{}", held.data.len(), held.flags);
        let wins = created || (held.stale && !held.won);
        for (letter, shown) in [("Z", held.won), ("X", held.stale), ("W", wins)] {
            if shown {
                reply += &format!(" {letter}");
            }
        }
        held.won |= wins;
        format!("{reply} | {}", String::from_utf8_lossy(&held.data))
    }

    /// The request and the reply to it.
    fn apply(&mut self, op: &Op) -> (String, String) {
        match op {
            Op::Store {
                verb,
                key,
                flags,
                exptime,
                value,
                noreply,
            } => {
                let word = if *noreply { " noreply" } else { "" };
                let bytes = value.len();
                let sent = format!("{verb} {} {flags} {exptime} {bytes}{word} | {value}", name(*key));
                let reply = self.store(verb, *key, *flags, *exptime, value);
                (sent, String::from(if *noreply { "" } else { reply }))
            }
            Op::Cas {
                key,
                off_by,
                exptime,
                value,
            } => {
                let held = self.items.get(key);
                let unique = held.map_or(7, |held| held.cas) + off_by;
                let sent = format!("cas {} 3 {exptime} {} {unique} | {value}", name(*key), value.len());
                let reply = match held {
                    None => "NOT_FOUND",
                    Some(_) if *off_by != 0 => "EXISTS",
                    Some(_) => self.store("set", *key, 3, *exptime, value),
                };
                (sent, String::from(reply))
            }
            Op::Get { with_cas, keys } => {
                let verb = if *with_cas { "gets" } else { "get" };
                (format!("{verb}{}", names(keys)), self.values(keys, *with_cas))
            }
            Op::Gat { exptime, keys } => {
                let mut reply = String::new();
                // One key after the other: a key that stands twice is gone the second time if its time is up.
                for &key in keys {
                    let value = self.values(&[key], false);
                    reply += value.strip_suffix("END").expect("it ends so");
                    self.touch(key, *exptime);
                    self.advance(0);
                }
                (format!("gat {exptime}{}", names(keys)), reply + "END")
            }
            Op::Delete { key } => {
                let found = self.items.remove(key).is_some();
                let reply = if found { "DELETED" } else { "NOT_FOUND" };
                (format!("delete {}", name(*key)), String::from(reply))
            }
            Op::Arithmetic { verb, key, delta } => {
                let reply = self.arithmetic(verb, *key, *delta);
                (format!("{verb} {} {delta}", name(*key)), reply)
            }
            Op::Touch { key, exptime } => {
                let reply = if self.touch(*key, *exptime) {
                    "TOUCHED"
                } else {
                    "NOT_FOUND"
                };
                self.advance(0);
                (format!("touch {} {exptime}", name(*key)), String::from(reply))
            }
            Op::Flush { delay } => {
                if *delay <= 0 {
                    self.items.clear();
                    self.flush_at = None;
                } else {
                    self.flush_at = self.deadline(*delay);
                }
                (format!("flush_all {delay}"), String::from("OK"))
            }
            Op::MetaDelete { key, flag } => {
                let reply = self.meta_delete(*key, flag);
                (format!("md {} {flag}", name(*key)), String::from(reply))
            }
            Op::MetaGet { key, vivify } => {
                let flag = if *vivify < 0 {
                    String::new()
                } else {
                    format!("N{vivify} ")
                };
                let reply = self.meta_get(*key, *vivify);
                (format!("mg {} {flag}v t f", name(*key)), reply)
            }
            Op::Wait { ms } => {
                self.advance(*ms);
                (String::new(), String::new())
            }
        }
    }
}

fn name(key: u8) -> String {
    format!("key{key}")
}

fn names(keys: &[u8]) -> String {
    keys.iter().map(|&key| format!(" {}", name(key))).collect()
}

fn key() -> impl Strategy<Value = u8> {
    0..5_u8
}

fn exptime() -> impl Strategy<Value = i64> {
    let unix_s = START.unix_s() as i64;
    prop_oneof![
        4 => Just(0),
        1 => Just(-1),
        3 => 1..4_i64,
        1 => Just(30 * 24 * 3600),
        1 => Just(30 * 24 * 3600 + 1),
        1 => (unix_s - 2)..(unix_s + 4),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z]{1,40}",
        "(0|[1-9][0-9]{0,3})",
        Just(u64::MAX.to_string())
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let store_verb = prop_oneof![
        3 => Just("set"),
        1 => Just("add"),
        1 => Just("replace"),
        1 => Just("append"),
        1 => Just("prepend"),
    ];
    let store = (store_verb, key(), any::<u32>(), exptime(), value(), any::<bool>()).prop_map(
        |(verb, key, flags, exptime, value, noreply)| Op::Store {
            verb,
            key,
            flags,
            exptime,
            value,
            noreply,
        },
    );
    let cas = (key(), 0..2_u64, exptime(), value()).prop_map(|(key, off_by, exptime, value)| Op::Cas {
        key,
        off_by,
        exptime,
        value,
    });
    let keys = || prop::collection::vec(key(), 1..6);
    let arithmetic_verb = prop_oneof![Just("incr"), Just("decr")];
    let delta = prop_oneof![0..2000_u64, Just(u64::MAX)];
    prop_oneof![
        6 => store,
        1 => cas,
        3 => (any::<bool>(), keys()).prop_map(|(with_cas, keys)| Op::Get { with_cas, keys }),
        1 => (exptime(), keys()).prop_map(|(exptime, keys)| Op::Gat { exptime, keys }),
        1 => key().prop_map(|key| Op::Delete { key }),
        2 => (arithmetic_verb, key(), delta).prop_map(|(verb, key, delta)| Op::Arithmetic { verb, key, delta }),
        1 => (key(), exptime()).prop_map(|(key, exptime)| Op::Touch { key, exptime }),
        1 => (-1..4_i64).prop_map(|delay| Op::Flush { delay }),
        1 => (key(), prop_oneof![Just("I"), Just("x"), Just("")]).prop_map(|(key, flag)| Op::MetaDelete { key, flag }),
        1 => (key(), -3..4_i64).prop_map(|(key, vivify)| Op::MetaGet { key, vivify }),
        2 => (0..1600_u64).prop_map(|ms| Op::Wait { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_answered_as_by_the_model(ops in prop::collection::vec(op(), 1..60)) {
        let memory = MemoryOptions { shards: 2, ..MemoryOptions::default() };
        hold_against_model(Session::new(Options::default(), memory), &ops)?;
    }

    #[test]
    fn every_history_is_answered_as_by_the_model_from_a_disk(ops in prop::collection::vec(op(), 1..60)) {
        hold_against_model(OnDisk::fresh(), &ops)?;
    }
}

fn hold_against_model(mut server: impl Server, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut model = Model::new();
    let mut history = String::new();
    for op in ops {
        let (sent, expected) = model.apply(op);
        if let Op::Wait { ms } = op {
            server.wait_ms(*ms);
            history += &format!("(wait {ms})\n");
            continue;
        }
        let received = notation(&server.execute_bytes(support::line(&sent).as_bytes()));
        history += &format!("> {sent}\n< {received}\n");
        prop_assert_eq!(received.trim_end(), expected.trim_end(), "in:\n{}", history);
    }
    Ok(())
}
