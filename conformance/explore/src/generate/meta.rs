//! Meta commands: flags in any number and order, no letter twice.

use super::{Generator, Theme, added, chosen};
use crate::command::{CasRef, Command, Flag, Key, Meta, MetaVerb, Value};

/// Times at which a client asks for the right to recache.
const RECACHE: [i64; 6] = [0, 1, 30, 60, 200, 2_000];

impl Generator {
    pub(super) fn meta(&mut self) -> Command {
        if self.random.percent(2) {
            return Command::Debug { key: self.key() };
        }
        let verb = match self.theme {
            Theme::Staleness => self.random.weighted(&[
                (45, MetaVerb::Get),
                (25, MetaVerb::Set),
                (25, MetaVerb::Delete),
                (5, MetaVerb::Arithmetic),
            ]),
            Theme::Numbers => self.random.weighted(&[
                (25, MetaVerb::Get),
                (20, MetaVerb::Set),
                (8, MetaVerb::Delete),
                (47, MetaVerb::Arithmetic),
            ]),
            _ => self.random.weighted(&[
                (40, MetaVerb::Get),
                (34, MetaVerb::Set),
                (13, MetaVerb::Delete),
                (13, MetaVerb::Arithmetic),
            ]),
        };
        let key = self.key();
        let value = if verb == MetaVerb::Set {
            self.value()
        } else {
            Value::Literal(Vec::new())
        };
        let flags = self.flags(verb, key);
        let value = match flags.iter().any(|flag| matches!(flag, Flag::Mode(b'A' | b'P'))) {
            true => added(value),
            false => value,
        };
        Command::Meta(Meta {
            verb,
            key,
            flags,
            value,
        })
    }

    fn flags(&mut self, verb: MetaVerb, key: Key) -> Vec<Flag> {
        let mut flags = Vec::new();
        for &(percent, letter) in letters(verb) {
            // A case file has no name for a long key in base64.
            let is_offered = letter != b'b' || matches!(key, Key::Plain(_));
            if self.random.percent(percent) && is_offered {
                flags.push(self.flag(verb, key, letter));
            }
        }
        self.random.shuffle(&mut flags);
        flags
    }

    fn flag(&mut self, verb: MetaVerb, key: Key, letter: u8) -> Flag {
        match letter {
            b'T' | b'N' => Flag::Time(letter, self.exptime()),
            b'R' => Flag::Time(letter, crate::command::Exptime::Relative(self.random.pick(&RECACHE))),
            b'C' => Flag::Cas(letter, self.cas(key)),
            b'E' => Flag::Cas(letter, CasRef::Number(chosen(self.random.below(4) as u64))),
            b'F' => Flag::Number(letter, u64::from(self.random.pick(&[0, 1, 7, 65_535, u32::MAX]))),
            b'J' => Flag::Number(letter, self.random.pick(&[0, 13, 99, u64::MAX])),
            b'D' => Flag::Number(letter, self.random.pick(&[0, 1, 5, 10, 91, u64::MAX])),
            b'M' if verb == MetaVerb::Set => Flag::Mode(self.random.pick(b"SSERAAP")),
            b'M' => Flag::Mode(self.random.pick(b"ID+-")),
            b'O' => Flag::Word(
                letter,
                self.random.pick(&["1", "abc", "0123456789012345678901234567890"]),
            ),
            b'P' | b'L' => Flag::Word(letter, "path/"),
            letter => Flag::Bare(letter),
        }
    }
}

/// The flags of a command, and how many in a hundred have each.
fn letters(verb: MetaVerb) -> &'static [(usize, u8)] {
    match verb {
        MetaVerb::Get => &[
            (60, b'v'),
            (35, b'c'),
            (25, b't'),
            (20, b'f'),
            (20, b'h'),
            (15, b's'),
            (8, b'l'),
            (15, b'k'),
            (12, b'O'),
            (12, b'q'),
            (10, b'u'),
            (12, b'T'),
            (14, b'N'),
            (14, b'R'),
            (8, b'C'),
            (6, b'E'),
            (6, b'b'),
            (3, b'P'),
            (3, b'L'),
        ],
        MetaVerb::Set => &[
            (35, b'c'),
            (12, b'k'),
            (12, b'O'),
            (15, b'q'),
            (25, b'T'),
            (20, b'F'),
            (35, b'M'),
            (22, b'C'),
            (14, b'I'),
            (12, b'E'),
            (15, b's'),
            (12, b'N'),
            (6, b'b'),
            (3, b'P'),
        ],
        MetaVerb::Delete => &[
            (12, b'k'),
            (12, b'O'),
            (15, b'q'),
            (55, b'I'),
            (20, b'T'),
            (18, b'C'),
            (12, b'E'),
            (14, b'x'),
            (6, b'b'),
            (3, b'L'),
        ],
        MetaVerb::Arithmetic => &[
            (60, b'v'),
            (25, b'c'),
            (20, b't'),
            (12, b'k'),
            (12, b'O'),
            (12, b'q'),
            (30, b'N'),
            (25, b'J'),
            (40, b'D'),
            (12, b'T'),
            (35, b'M'),
            (14, b'C'),
            (8, b'E'),
            (6, b'b'),
        ],
    }
}
