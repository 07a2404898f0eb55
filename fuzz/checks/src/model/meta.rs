//! The meta commands.

use super::{Item, Model, NEVER, Stored, Wish, number};
use crate::operation::Operation;
use fuzz_judge::base64;

/// An answer as it is written: words, then perhaps a data block.
struct Reply {
    line: Vec<u8>,
    block: Option<Vec<u8>>,
}

impl Reply {
    fn code(code: &str) -> Self {
        Reply {
            line: code.into(),
            block: None,
        }
    }

    fn value(data: &[u8]) -> Self {
        Reply {
            line: format!("VA {}", data.len()).into_bytes(),
            block: Some(data.to_vec()),
        }
    }

    fn word(&mut self, word: impl AsRef<[u8]>) {
        self.line.push(b' ');
        self.line.extend(word.as_ref());
    }

    fn key(&mut self, key: &[u8], in_base64: bool) {
        if in_base64 {
            self.word([b"k", &base64::encode(key)[..], b" b"].concat());
        } else {
            self.word([b"k", key].concat());
        }
    }

    fn written(mut self) -> Vec<u8> {
        self.line.extend(b"\r\n");
        if let Some(block) = self.block {
            self.line.extend(block);
            self.line.extend(b"\r\n");
        }
        self.line
    }
}

impl Model {
    pub(super) fn meta(&mut self, command: u8, operation: &Operation) -> Vec<u8> {
        match command {
            b'g' => self.meta_get(operation),
            b's' => self.meta_set(operation),
            b'd' => self.meta_delete(operation),
            _ => self.meta_count(operation),
        }
    }

    fn meta_get(&mut self, operation: &Operation) -> Vec<u8> {
        let used_s = self.now_ms / 1000;
        let (mut item, created) = match self.items.get(operation.key).cloned() {
            Some(item) => (item, false),
            None if operation.has(b'N') => {
                let cas = token(operation, b'E').unwrap_or_else(|| self.next_cas());
                let item = Item {
                    data: Vec::new(),
                    client_flags: 0,
                    ends_ms: NEVER,
                    cas,
                    used_s,
                    fetched: false,
                    stale: false,
                    won: false,
                    in_base64: operation.has(b'b'),
                };
                (item, true)
            }
            None if operation.has(b'q') => return Vec::new(),
            None => return bare("EN", operation),
        };
        let reply = self.show(operation, &mut item, created);
        if !operation.has(b'u') {
            item.fetched = true;
            item.used_s = used_s;
        }
        self.insert(operation.key, item);
        reply
    }

    /// Writes an item, flag after flag, and does to it what they ask for.
    fn show(&self, operation: &Operation, item: &mut Item, created: bool) -> Vec<u8> {
        let mut reply = if operation.has(b'v') {
            Reply::value(&item.data)
        } else {
            Reply::code("HD")
        };
        let mut wins = created || (item.stale && !item.won);
        for (letter, text) in &operation.flags {
            match letter {
                b'O' => reply.word(format!("O{text}")),
                b'k' => {
                    let unprintable = operation.key.iter().any(|byte| *byte <= b' ');
                    reply.key(operation.key, item.in_base64 || unprintable);
                }
                b'c' => reply.word(format!("c{}", item.cas)),
                b'f' => reply.word(format!("f{}", item.client_flags)),
                b'h' => reply.word(if item.fetched { "h1" } else { "h0" }),
                b'l' => reply.word(format!("l{}", self.now_ms / 1000 - item.used_s)),
                b's' => reply.word(format!("s{}", item.data.len())),
                b't' => reply.word(self.time_left(item.ends_ms)),
                b'T' => item.ends_ms = self.ends_ms(operation.exptime),
                b'N' if created => item.ends_ms = self.ends_ms(operation.exptime),
                b'R' => {
                    let limit_s: i64 = text.parse().expect("a number");
                    let left_s = (item.ends_ms.saturating_sub(self.now_ms)).div_ceil(1000) as i64;
                    wins |= !item.won && item.ends_ms != NEVER && left_s < limit_s;
                }
                _ => {}
            }
        }
        for (word, shown) in [("Z", item.won), ("X", item.stale), ("W", wins)] {
            if shown {
                reply.word(word);
            }
        }
        item.won |= wins;
        reply.written()
    }

    fn time_left(&self, ends_ms: u64) -> String {
        match ends_ms {
            NEVER => "t-1".to_owned(),
            _ => format!("t{}", ends_ms.saturating_sub(self.now_ms).div_ceil(1000)),
        }
    }

    fn meta_set(&mut self, operation: &Operation) -> Vec<u8> {
        let mode = operation.flags.iter().find(|(letter, _)| *letter == b'M');
        let wish = Wish {
            how: match mode.map(|(_, token)| &token[..]) {
                Some("E") => "add",
                Some("A") => "append",
                Some("P") => "prepend",
                Some("R") => "replace",
                _ => "set",
            },
            value: operation.value,
            client_flags: if operation.has(b'F') { operation.client_flags } else { 0 },
            ends_ms: if operation.has(b'T') {
                self.ends_ms(operation.exptime)
            } else {
                NEVER
            },
            compare: token(operation, b'C'),
            older: operation.has(b'I'),
            new_cas: token(operation, b'E').filter(|cas| *cas != 0),
            create_ends_ms: operation.has(b'N').then(|| self.ends_ms(operation.exptime)),
            in_base64: operation.has(b'b'),
        };
        if 59 + operation.key.len() + wish.value.len() + if wish.client_flags == 0 { 0 } else { 4 } > 200 {
            unreachable!("no value is so large");
        }
        let sent = operation.value.len();
        let (code, cas, bytes) = match self.store(operation.key, &wish) {
            Stored::Yes { .. } if operation.has(b'q') => return Vec::new(),
            Stored::Yes { cas, bytes } => ("HD", cas, bytes),
            Stored::No => ("NS", 0, sent),
            Stored::Exists => ("EX", 0, sent),
            Stored::NotFound => ("NF", 0, sent),
        };
        let mut reply = Reply::code(code);
        for (letter, text) in &operation.flags {
            match letter {
                b'O' => reply.word(format!("O{text}")),
                b'k' => reply.key(operation.key, operation.has(b'b')),
                b'c' => reply.word(format!("c{cas}")),
                b's' => reply.word(format!("s{bytes}")),
                _ => {}
            }
        }
        reply.written()
    }

    fn meta_delete(&mut self, operation: &Operation) -> Vec<u8> {
        let Some(item) = self.items.get(operation.key).cloned() else {
            return bare("NF", operation);
        };
        if token(operation, b'C').is_some_and(|cas| cas != item.cas) {
            return bare("EX", operation);
        }
        let (marks, empties) = (operation.has(b'I'), operation.has(b'x'));
        if marks || empties {
            let cas = match token(operation, b'E') {
                Some(cas) => cas,
                None if marks => self.next_cas(),
                None => item.cas,
            };
            let ends_ms = operation.has(b'T').then(|| self.ends_ms(operation.exptime));
            let changed = if empties {
                Item {
                    data: Vec::new(),
                    client_flags: if operation.has(b'F') { operation.client_flags } else { 0 },
                    ends_ms: ends_ms.unwrap_or(NEVER),
                    cas,
                    used_s: self.now_ms / 1000,
                    fetched: false,
                    stale: marks,
                    won: false,
                    in_base64: false,
                }
            } else {
                Item {
                    ends_ms: ends_ms.unwrap_or(item.ends_ms),
                    cas,
                    stale: true,
                    won: false,
                    ..item
                }
            };
            self.insert(operation.key, changed);
        } else {
            self.items.remove(operation.key);
        }
        if operation.has(b'q') {
            Vec::new()
        } else {
            bare("HD", operation)
        }
    }

    fn meta_count(&mut self, operation: &Operation) -> Vec<u8> {
        let ends_ms = self.ends_ms(operation.exptime);
        let mode = operation.flags.iter().find(|(letter, _)| *letter == b'M');
        let sum = number::Sum {
            down: mode.is_some_and(|(_, token)| token == "D" || token == "-"),
            delta: token(operation, b'D').unwrap_or(1),
            compare: token(operation, b'C').filter(|cas| *cas != 0),
            new_cas: token(operation, b'E').filter(|cas| *cas != 0),
            ends_ms: operation.has(b'T').then_some(ends_ms),
            create: operation
                .has(b'N')
                .then(|| (token(operation, b'J').unwrap_or(0), ends_ms)),
        };
        let (number, cas, mut ends_ms, created) = match self.add(operation.key, &sum) {
            number::Added::NoNumber => return number::NO_NUMBER.to_vec(),
            number::Added::NotFound => return bare("NF", operation),
            number::Added::Exists => return bare("EX", operation),
            number::Added::Now { .. } if operation.has(b'q') => return Vec::new(),
            number::Added::Now {
                number,
                cas,
                ended_ms,
                created,
            } => (number, cas, ended_ms, created),
        };
        let digits = number.to_string();
        let mut reply = if operation.has(b'v') {
            Reply::value(digits.as_bytes())
        } else {
            Reply::code("HD")
        };
        for (letter, text) in &operation.flags {
            match letter {
                b'O' => reply.word(format!("O{text}")),
                b'k' => reply.key(operation.key, operation.has(b'b')),
                b'c' => reply.word(format!("c{cas}")),
                b't' => reply.word(self.time_left(ends_ms)),
                b'T' => ends_ms = self.ends_ms(operation.exptime),
                b'N' if created => ends_ms = self.ends_ms(operation.exptime),
                _ => {}
            }
        }
        reply.written()
    }
}

/// An answer with nothing of an item.
fn bare(code: &str, operation: &Operation) -> Vec<u8> {
    let mut reply = Reply::code(code);
    for (letter, text) in &operation.flags {
        match letter {
            b'O' => reply.word(format!("O{text}")),
            b'k' => reply.key(operation.key, operation.has(b'b')),
            _ => {}
        }
    }
    reply.written()
}

/// The number behind a letter.
fn token(operation: &Operation, letter: u8) -> Option<u64> {
    let (_, token) = operation.flags.iter().find(|(flag, _)| *flag == letter)?;
    token.parse().ok()
}
