//! Requests as bytes, made before anything is measured, each with the exact answer that it must get.

use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Zipf};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::mix::{Ask, Mix, Popularity};

/// So many requests are made at least: more than a processor's caches hold of the keys.
const REQUESTS_MIN: usize = 200_000;

/// Pipelines made at least, so that connections do not walk in step.
const PIPELINES_MIN: usize = 512;

/// What is sent in one write, and what comes back.
pub(crate) struct Pipeline {
    pub(crate) sent: Vec<u8>,
    pub(crate) answer: Answer,
}

/// An answer, known beforehand. Large ones are compared by length and end.
pub(crate) struct Answer {
    pub(crate) bytes: usize,
    pub(crate) whole: Option<Vec<u8>>,
}

/// Answers up to this size are kept to be compared byte by byte.
const WHOLE_BYTES_MAX: usize = 16 << 10;

/// Sets of all keys, some at a time.
pub(crate) fn filling(mix: &Mix) -> impl Iterator<Item = Pipeline> + use<> {
    let (keys, value) = (mix.keys, value(mix));
    let at_once = (1 << 20) / (value.len() + 60) + 1;
    (0..keys).step_by(at_once).map(move |from| {
        let mut pipeline = Writer::default();
        for key in from..(from + at_once).min(keys) {
            pipeline.set(key, &value);
        }
        pipeline.finish()
    })
}

/// The pipelines of a mix; the same for the same seed.
pub(crate) fn pipelines(mix: &Mix, seed: u64) -> Vec<Pipeline> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let zipf = match mix.popularity {
        Popularity::Uniform => None,
        // The number of keys is positive and so is the exponent.
        Popularity::Zipf(exponent) => Zipf::new(mix.keys as f64, exponent).ok(),
    };
    let key = |random: &mut Xoshiro256PlusPlus| match &zipf {
        None => random.random_range(0..mix.keys),
        // Neighbours in rank are not neighbours in the order of storing.
        Some(zipf) => (zipf.sample(random) as usize).wrapping_mul(7_368_787) % mix.keys,
    };
    let value = value(mix);
    let requests = REQUESTS_MIN.min((64 << 20) / if mix.ask == Ask::Set { value.len() } else { 64 });
    let count = (requests / mix.operations()).max(PIPELINES_MIN.min(requests));
    (0..count)
        .map(|_| {
            let mut pipeline = Writer::default();
            for _ in 0..mix.pipeline {
                match mix.ask {
                    Ask::Get => pipeline.get([key(&mut random)], &value),
                    Ask::MultiGet(keys) => pipeline.get((0..keys).map(|_| key(&mut random)), &value),
                    Ask::Miss => pipeline.miss(mix.keys + key(&mut random)),
                    Ask::MetaGet => pipeline.meta_get(key(&mut random), &value),
                    Ask::Set => pipeline.set(key(&mut random), &value),
                    Ask::NineGetsOneSet if random.random_range(0..10) == 0 => pipeline.set(key(&mut random), &value),
                    Ask::NineGetsOneSet => pipeline.get([key(&mut random)], &value),
                }
            }
            pipeline.finish()
        })
        .collect()
}

pub(crate) fn value(mix: &Mix) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(mix.value_bytes).collect()
}

#[derive(Default)]
struct Writer {
    sent: Vec<u8>,
    answer: Vec<u8>,
}

impl Writer {
    fn get(&mut self, keys: impl IntoIterator<Item = usize>, value: &[u8]) {
        self.sent.extend_from_slice(b"get");
        for key in keys {
            let key = name(key);
            self.sent.extend_from_slice(format!(" {key}").as_bytes());
            self.answer
                .extend_from_slice(format!("VALUE {key} 0 {}\r\n", value.len()).as_bytes());
            self.answer.extend_from_slice(value);
            self.answer.extend_from_slice(b"\r\n");
        }
        self.sent.extend_from_slice(b"\r\n");
        self.answer.extend_from_slice(b"END\r\n");
    }

    fn miss(&mut self, key: usize) {
        self.sent.extend_from_slice(format!("get {}\r\n", name(key)).as_bytes());
        self.answer.extend_from_slice(b"END\r\n");
    }

    fn meta_get(&mut self, key: usize, value: &[u8]) {
        self.sent
            .extend_from_slice(format!("mg {} v\r\n", name(key)).as_bytes());
        self.answer
            .extend_from_slice(format!("VA {}\r\n", value.len()).as_bytes());
        self.answer.extend_from_slice(value);
        self.answer.extend_from_slice(b"\r\n");
    }

    fn set(&mut self, key: usize, value: &[u8]) {
        self.sent
            .extend_from_slice(format!("set {} 0 0 {}\r\n", name(key), value.len()).as_bytes());
        self.sent.extend_from_slice(value);
        self.sent.extend_from_slice(b"\r\n");
        self.answer.extend_from_slice(b"STORED\r\n");
    }

    fn finish(self) -> Pipeline {
        Pipeline {
            sent: self.sent,
            answer: Answer {
                bytes: self.answer.len(),
                whole: (self.answer.len() <= WHOLE_BYTES_MAX).then_some(self.answer),
            },
        }
    }
}

/// 16 bytes for each key, so that answers to all are of the same length.
pub(crate) fn name(key: usize) -> String {
    format!("key-{key:012}")
}
