//! What one writer has changed, what was acknowledged of it, and what may therefore be found.

use std::collections::VecDeque;

use crate::Random;

/// Keys of each writer; nobody else changes them.
const KEYS: usize = 6;

/// The items of one writer.
pub(crate) struct Ledger {
    writer: usize,
    items: Vec<Item>,
    changes: u64,
}

/// What may be there under a key: the state that was acknowledged last, then those of the changes that were sent after it, in
/// their order.
struct Item {
    key: String,
    states: VecDeque<Option<String>>,
}

/// A change that is to be sent.
pub(crate) struct Change {
    item: usize,
    pub(crate) request: String,
    /// What has to be answered to it.
    pub(crate) reply: String,
}

impl Ledger {
    pub(crate) fn new(writer: usize) -> Ledger {
        let item = |number: usize| Item {
            key: format!("writer{writer}.{number}"),
            states: VecDeque::from([None]),
        };
        Ledger {
            writer,
            items: (0..KEYS).map(item).collect(),
            changes: 0,
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.items.iter().map(|item| item.key.clone()).collect()
    }

    /// Changes that may have happened or not.
    pub(crate) fn undecided(&self) -> usize {
        self.items.iter().map(|item| item.states.len() - 1).sum()
    }

    /// A change of a random key, which is taken for sent.
    pub(crate) fn choose(&mut self, random: &mut Random) -> Change {
        self.changes += 1;
        let mark = format!("{}.{};", self.writer, self.changes);
        let number = random.below(KEYS as u64) as usize;
        let item = &mut self.items[number];
        let key = &item.key;
        let before = item.states.back().cloned().flatten();
        let length = mark.len();
        let (request, reply, after) = match (random.below(4), before) {
            (0, Some(_)) => (format!("delete {key}\r\n"), "DELETED\r\n", None),
            (0, None) => (format!("delete {key}\r\n"), "NOT_FOUND\r\n", None),
            // A value does not grow for ever.
            (1, Some(before)) if before.len() < 4000 => {
                let request = format!("append {key} 0 0 {length}\r\n{mark}\r\n");
                (request, "STORED\r\n", Some(before + &mark))
            }
            (1, None) => (
                format!("append {key} 0 0 {length}\r\n{mark}\r\n"),
                "NOT_STORED\r\n",
                None,
            ),
            _ => (
                format!("set {key} 0 0 {length}\r\n{mark}\r\n"),
                "STORED\r\n",
                Some(mark),
            ),
        };
        item.states.push_back(after);
        Change {
            item: number,
            request,
            reply: reply.to_owned(),
        }
    }

    /// It was answered: what was there before it can be there no more.
    pub(crate) fn acknowledge(&mut self, change: &Change) {
        self.items[change.item].states.pop_front();
    }

    /// Holds what was found against what may be there; from now on it is known.
    pub(crate) fn settle(&mut self, key: &str, found: Option<String>) -> Result<(), String> {
        let item = self.items.iter_mut().find(|item| item.key == key).unwrap();
        if !item.states.contains(&found) {
            let (acknowledged, sent) = (&item.states[0], item.states.len() - 1);
            return Err(format!(
                "{key} is {found:?}; what was acknowledged last made it {acknowledged:?}, and {sent} changes were under way: {:?}",
                item.states
            ));
        }
        item.states = VecDeque::from([found]);
        Ok(())
    }
}
