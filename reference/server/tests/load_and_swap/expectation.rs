//! What a connection may be answered, by every dataset that may answer it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::datasets::{Dataset, key};

/// What becomes of a change when its dataset is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It is there again when its file is.
    InTheFile,
    /// It is gone.
    UntilTheNextSwap,
}

/// A command that a connection sends.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// A get of records of the datasets, by their numbers.
    Get(Vec<u64>),
    /// A get of an item that nobody but this connection changes.
    GetOwn(usize),
    /// A change of one.
    SetOwn(usize, String),
}

/// What a connection knows of its own items: under each place and slot, the values that may be there. There is more than one
/// after a change that may have gone to either of two datasets.
#[derive(Debug)]
pub(crate) struct Own {
    number: usize,
    keeping: Keeping,
    values: BTreeMap<(u64, usize), Vec<Option<String>>>,
}

impl Command {
    pub(crate) fn write(&self, own: &Own, out: &mut Vec<u8>) {
        match self {
            Command::Get(numbers) => {
                out.extend_from_slice(b"get");
                for &number in numbers {
                    out.extend_from_slice(b" ");
                    out.extend_from_slice(key(number).as_bytes());
                }
                out.extend_from_slice(b"\r\n");
            }
            Command::GetOwn(slot) => out.extend_from_slice(format!("get {}\r\n", own.key(*slot)).as_bytes()),
            Command::SetOwn(slot, value) => {
                let (key, length) = (own.key(*slot), value.len());
                out.extend_from_slice(format!("set {key} 0 0 {length}\r\n{value}\r\n").as_bytes());
            }
        }
    }

    /// How long the reply is that `received` begins with, once it is there. The reply to a get ends with the line `END`, or
    /// is one line that tells of a fault; no value has such a line in it.
    pub(crate) fn reply_length(&self, received: &[u8]) -> Option<usize> {
        let text = std::str::from_utf8(received).ok()?;
        let first_line = text.find("\r\n")? + 2;
        match self {
            Command::Get(_) | Command::GetOwn(_) if text.starts_with("VALUE ") => Some(text.find("\r\nEND\r\n")? + 7),
            _ => Some(first_line),
        }
    }

    /// Whether this is what the dataset of `generation` answers.
    pub(crate) fn is_answered(&self, reply: &str, dataset: &Dataset, generation: u64, own: &Own) -> bool {
        match self {
            Command::Get(numbers) => {
                let values = numbers.iter().filter_map(|&number| {
                    let value = dataset.value(number)?;
                    Some(format!("VALUE {} 0 {}\r\n{value}\r\n", key(number), value.len()))
                });
                reply == values.collect::<String>() + "END\r\n"
            }
            Command::GetOwn(slot) => {
                let key = own.key(*slot);
                own.may_be(generation, *slot).iter().any(|value| match value {
                    Some(value) => reply == format!("VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", value.len()),
                    None => reply == "END\r\n",
                })
            }
            Command::SetOwn(..) => reply == "STORED\r\n",
        }
    }
}

impl Own {
    pub(crate) fn new(number: usize, keeping: Keeping) -> Own {
        let values = BTreeMap::new();
        Own {
            number,
            keeping,
            values,
        }
    }

    fn key(&self, slot: usize) -> String {
        format!("own:{}:{slot}", self.number)
    }

    /// What may be there in the dataset of `generation`.
    fn may_be(&self, generation: u64, slot: usize) -> &[Option<String>] {
        let place = self.place(generation);
        self.values.get(&(place, slot)).map_or(&[None], Vec::as_slice)
    }

    /// A change was acknowledged by the dataset of one of these generations.
    pub(crate) fn changed(&mut self, slot: usize, value: &str, generations: RangeInclusive<u64>) {
        let certain = generations.start() == generations.end();
        for generation in generations {
            let place = self.place(generation);
            let values = self.values.entry((place, slot)).or_insert_with(|| vec![None]);
            if certain {
                values.clear();
            }
            values.push(Some(value.to_owned()));
        }
    }

    fn place(&self, generation: u64) -> u64 {
        match self.keeping {
            // Two files, in turns.
            Keeping::InTheFile => generation % 2,
            Keeping::UntilTheNextSwap => generation,
        }
    }
}
