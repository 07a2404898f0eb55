//! Numbers in items.

use super::{Item, Model, NEVER};

pub(super) const NO_NUMBER: &[u8] = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";

/// What to add.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) down: bool,
    pub(super) delta: u64,
    pub(super) compare: Option<u64>,
    pub(super) new_cas: Option<u64>,
    pub(super) ends_ms: Option<u64>,
    /// The number to begin with where there is none, and its end.
    pub(super) create: Option<(u64, u64)>,
}

pub(super) enum Added {
    Now {
        number: u64,
        cas: u64,
        /// Before it was changed.
        ended_ms: u64,
        created: bool,
    },
    NotFound,
    Exists,
    NoNumber,
}

impl Model {
    pub(super) fn add(&mut self, key: &[u8], sum: &Sum) -> Added {
        let used_s = self.now_ms / 1000;
        let Some(mut item) = self.items.get(key).cloned() else {
            return self.create(key, sum, used_s);
        };
        if item.data.is_empty() {
            return Added::NoNumber;
        }
        if sum.compare.is_some_and(|cas| cas != item.cas) {
            return Added::Exists;
        }
        let Some(before) = read(&item.data) else {
            return Added::NoNumber;
        };
        let number = match sum.down {
            true => before.saturating_sub(sum.delta),
            false => before.wrapping_add(sum.delta),
        };
        let cas = sum.new_cas.unwrap_or_else(|| self.next_cas());
        let ended_ms = item.ends_ms;
        let digits = number.to_string();
        if digits.len() > item.data.len() {
            (item.fetched, item.stale, item.won, item.in_base64) = (false, false, false, false);
        }
        // A number is written over the old one, and does not become shorter.
        let width = item.data.len();
        item = Item {
            data: format!("{digits:<width$}").into_bytes(),
            cas,
            used_s,
            ends_ms: sum.ends_ms.unwrap_or(ended_ms),
            ..item
        };
        self.insert(key, item);
        Added::Now {
            number,
            cas,
            ended_ms,
            created: false,
        }
    }

    fn create(&mut self, key: &[u8], sum: &Sum, used_s: u64) -> Added {
        let Some((number, ends_ms)) = sum.create else {
            return Added::NotFound;
        };
        let cas = sum.new_cas.unwrap_or_else(|| self.next_cas());
        let item = Item {
            data: number.to_string().into_bytes(),
            client_flags: 0,
            ends_ms,
            cas,
            used_s,
            fetched: false,
            stale: false,
            won: false,
            in_base64: false,
        };
        self.insert(key, item);
        Added::Now {
            number,
            cas,
            ended_ms: NEVER,
            created: true,
        }
    }
}

/// A number as C's `strtoull` reads it: blanks, a plus, digits; what follows a blank or a NUL does not count.
fn read(data: &[u8]) -> Option<u64> {
    let text = data.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let follows_well = text
        .get(end)
        .is_none_or(|byte| *byte == 0 || byte.is_ascii_whitespace());
    if !follows_well {
        return None;
    }
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}
