//! The classic commands.

use super::{Model, Stored, Wish, number};
use crate::operation::Operation;

impl Model {
    pub(super) fn store_classic(&mut self, name: &str, operation: &Operation) -> &'static str {
        let wish = Wish {
            how: if name == "cas" { "set" } else { name },
            value: operation.value,
            client_flags: operation.client_flags,
            ends_ms: self.ends_ms(operation.exptime),
            compare: (name == "cas").then_some(operation.number),
            older: false,
            new_cas: None,
            create_ends_ms: None,
            in_base64: false,
        };
        match self.store(operation.key, &wish) {
            Stored::Yes { .. } => "STORED\r\n",
            Stored::No => "NOT_STORED\r\n",
            Stored::Exists => "EXISTS\r\n",
            Stored::NotFound => "NOT_FOUND\r\n",
        }
    }

    /// The key is asked for twice, with one that is not there between.
    pub(super) fn get(&mut self, name: &str, operation: &Operation) -> Vec<u8> {
        let once = self.value_of(name, operation.key);
        if let Some(item) = self.items.get_mut(operation.key) {
            item.fetched = true;
            item.used_s = self.now_ms / 1000;
        }
        [&once[..], &once, b"END\r\n"].concat()
    }

    pub(super) fn get_and_touch(&mut self, name: &str, operation: &Operation) -> Vec<u8> {
        let mut out = self.value_of(name, operation.key);
        self.touch(operation);
        out.extend(b"END\r\n");
        out
    }

    fn value_of(&self, name: &str, key: &[u8]) -> Vec<u8> {
        let Some(item) = self.items.get(key) else {
            return Vec::new();
        };
        let numbers = match name {
            "gets" | "gats" => format!(" {} {} {}", item.client_flags, item.data.len(), item.cas),
            _ => format!(" {} {}", item.client_flags, item.data.len()),
        };
        [b"VALUE ", key, numbers.as_bytes(), b"\r\n", &item.data, b"\r\n"].concat()
    }

    pub(super) fn touch(&mut self, operation: &Operation) -> &'static str {
        let ends_ms = self.ends_ms(operation.exptime);
        let Some(mut item) = self.items.remove(operation.key) else {
            return "NOT_FOUND\r\n";
        };
        item.fetched = true;
        item.used_s = self.now_ms / 1000;
        item.ends_ms = ends_ms;
        self.insert(operation.key, item);
        "TOUCHED\r\n"
    }

    pub(super) fn count(&mut self, name: &str, operation: &Operation) -> Vec<u8> {
        let sum = number::Sum {
            down: name == "decr",
            delta: operation.number,
            ..number::Sum::default()
        };
        match self.add(operation.key, &sum) {
            number::Added::Now { number, .. } => format!("{number}\r\n").into_bytes(),
            number::Added::NotFound => b"NOT_FOUND\r\n".to_vec(),
            number::Added::Exists => b"EXISTS\r\n".to_vec(),
            number::Added::NoNumber => number::NO_NUMBER.to_vec(),
        }
    }
}
