//! Makes histories that are likely to get a server into trouble.
//!
//! Few keys that all connections share; values at the sizes at which servers change their ways; CAS values that were
//! right a moment ago; expiry times near now; silent commands between others; refusals between good commands; many
//! commands in one write.

mod bad;
mod meta;
mod text;

pub use bad::{BAD, Bad};

use crate::command::{CasRef, Command, Exptime, FAR_SECONDS, History, Key, SUFFIXES, Step, Store, Value};
use crate::model::TOO_LARGE;
use crate::random::Random;

/// What may be in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Meta commands, in the dialect of 1.6.12 and later.
    pub meta: bool,
    /// `flush_all`: only on a server of our own, with nothing else going on.
    pub flush: bool,
    /// Nothing that depends on when a clock ticks or on what others do: two servers tick at different moments, and the
    /// CAS value after the last may be taken by another key on one of them.
    pub comparable: bool,
}

/// Histories of one pace are played side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// They never wait.
    Quick,
    /// They let time pass.
    Waiting,
    /// They change the items of others, and are played alone.
    Alone,
}

impl Pace {
    /// The pace as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Waiting => "waiting",
            Self::Alone => "alone",
        }
    }
}

/// What a history is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    /// Everything, a little.
    Mixed,
    /// Versions and their comparison.
    Versions,
    /// Numbers.
    Numbers,
    /// Stale items and who recaches them.
    Staleness,
    /// Expiry; such a history waits.
    Expiry,
    /// Large data blocks.
    Sizes,
    /// More commands at once than a server expects.
    Burst,
}

/// The history of this number; each pace has its own.
pub fn history(seed: u64, number: u64, pace: Pace, offer: Offer) -> History {
    let mut random = Random::new(seed, number * 3 + pace as u64);
    let theme = match pace {
        Pace::Waiting => Theme::Expiry,
        Pace::Quick | Pace::Alone => random.weighted(&[
            (400, Theme::Mixed),
            (180, Theme::Versions),
            (160, Theme::Numbers),
            (160, Theme::Staleness),
            (40, Theme::Sizes),
            (12, Theme::Burst),
        ]),
    };
    let commands = match theme {
        Theme::Sizes => 8 + random.below(12),
        Theme::Burst => 110 + random.below(100),
        Theme::Expiry => 12 + random.below(24),
        _ => 16 + random.below(48),
    };
    let conns = if theme == Theme::Burst {
        1
    } else {
        random.pick(&[1, 2, 2, 3])
    };
    let offer = Offer {
        flush: pace == Pace::Alone,
        ..offer
    };
    let mut generator = Generator::new(random, theme, offer);
    let mut history = History::new();
    if theme == Theme::Burst {
        let command = generator.get(false);
        history.push(Step::Send {
            conn: 0,
            apart: true,
            command,
        });
    }
    let mut conn = 0;
    // Connections below this one have quit.
    let mut first_conn = 0;
    let mut waits = 0;
    for _ in 0..commands {
        if generator.random.percent(8) {
            conn = (first_conn + generator.random.below(conns - first_conn)) as u8;
        }
        if conns > 1 && first_conn == 0 && conn == 0 && generator.random.percent(1) {
            generator.quit(&mut history);
            (first_conn, conn) = (1, 1);
        }
        if theme == Theme::Expiry && waits < 2 && generator.random.percent(8) {
            waits += 1;
            history.push(Step::Wait(generator.wait()));
        }
        if theme == Theme::Sizes && generator.random.percent(8) {
            generator.too_large(conn, &mut history);
        }
        let apart = theme != Theme::Burst && generator.random.percent(6);
        let command = generator.command();
        history.push(Step::Send { conn, apart, command });
    }
    history
}

struct Generator {
    random: Random,
    theme: Theme,
    offer: Offer,
    keys: Vec<Key>,
    /// Whether there was a flush that takes effect at once.
    flushed: bool,
}

impl Generator {
    fn new(mut random: Random, theme: Theme, offer: Offer) -> Self {
        let mut keys: Vec<Key> = (1..=random.pick(&[1, 2, 2, 3])).map(Key::Plain).collect();
        if random.percent(20) {
            keys.push(Key::Sized(random.pick(&[24, 249, 250, 250])));
        }
        if random.percent(15) {
            let suffix = random.below(SUFFIXES.len()) as u8;
            keys.push(Key::Suffixed(1, suffix));
            // The two that differ in case go together.
            if suffix < 2 {
                keys.push(Key::Suffixed(1, 1 - suffix));
            }
        }
        Self {
            random,
            theme,
            offer,
            keys,
            flushed: false,
        }
    }

    /// With a delay only before any without: real memcached may bring back what the one took with the other.
    fn flush(&mut self) -> Command {
        let delay = self.random.pick(&[None, None, Some(0), Some(-1), Some(FAR_SECONDS)]);
        let delay = delay.filter(|delay| !self.flushed || *delay < FAR_SECONDS);
        self.flushed |= delay != Some(FAR_SECONDS);
        Command::Flush {
            delay,
            noreply: self.random.percent(25),
        }
    }

    fn command(&mut self) -> Command {
        if self.offer.flush && self.random.percent(8) {
            return self.flush();
        }
        if self.theme != Theme::Burst && self.random.percent(6) {
            return self.bad();
        }
        let meta = match self.theme {
            _ if !self.offer.meta => 0,
            Theme::Staleness => 85,
            Theme::Mixed | Theme::Versions | Theme::Numbers | Theme::Expiry => 50,
            Theme::Sizes => 30,
            Theme::Burst => 0,
        };
        if self.random.percent(meta) {
            self.meta()
        } else {
            self.text()
        }
    }

    fn bad(&mut self) -> Command {
        loop {
            let line = self.random.below(BAD.len());
            if self.offer.meta || !BAD[line].is_meta {
                // A plain key: some lines put more behind it.
                return Command::Bad {
                    line,
                    key: self.keys[0],
                };
            }
        }
    }

    /// Ends the first connection, sometimes right behind a silent command.
    fn quit(&mut self, history: &mut History) {
        let send = |command| Step::Send {
            conn: 0,
            apart: false,
            command,
        };
        if self.random.percent(40) {
            let mut command = self.store_of(Store::Set);
            if let Command::Store { noreply, .. } = &mut command {
                *noreply = true;
            }
            history.push(send(command));
        }
        history.push(send(Command::Quit));
    }

    fn key(&mut self) -> Key {
        self.random.pick(&self.keys.clone())
    }

    /// What becomes of an item when more is stored under its key than any may have.
    fn too_large(&mut self, conn: u8, history: &mut History) {
        let key = self.key();
        let before = self.store_of_key(Store::Set, key);
        let verb = self
            .random
            .pick(&[Store::Set, Store::Add, Store::Replace, Store::Append, Store::Prepend]);
        let mut refused = self.store_of_key(verb, key);
        if let Command::Store { value, .. } = &mut refused {
            *value = Value::Filler(TOO_LARGE);
        }
        let after = Self::get_of(key);
        history.extend([before, refused, after].map(|command| Step::Send {
            conn,
            apart: false,
            command,
        }));
    }

    fn value(&mut self) -> Value {
        let numbers = [
            "0",
            "1",
            "9",
            "10",
            "99",
            "100",
            "007",
            "18446744073709551615",
            "184467440737095516150",
        ];
        let words: [&[u8]; 12] = [
            b"",
            b"a",
            b"abc",
            b"-1",
            b"1 2",
            b"x\r\ny",
            b"END",
            b"\0\x01",
            b" a ",
            b"a\tb",
            "\u{e9}".as_bytes(),
            b"\xff\x80",
        ];
        let literal = |text: &[u8]| Value::Literal(text.to_vec());
        let numeric = if self.theme == Theme::Numbers { 85 } else { 40 };
        if self.theme == Theme::Sizes && self.random.percent(60) {
            let sizes = [1024, 2048, 2049, 8191, 8192, 16_384, 16_385, 65_537, 300_000, 600_000];
            return Value::Filler(self.random.pick(&sizes));
        }
        match self.random.below(100) {
            n if n < numeric => literal(self.random.pick(&numbers).as_bytes()),
            n if n < 96 => literal(self.random.pick(&words)),
            _ => Value::Filler(self.random.pick(&[24, 64, 100, 500, 2_049, 4_097, 8_192, 16_385])),
        }
    }

    fn exptime(&mut self) -> Exptime {
        let near = self.theme == Theme::Expiry;
        match self.random.below(100) {
            // 4.2 seconds later the first is over on every server, and the second on none.
            n if near && n < 60 && self.offer.comparable => Exptime::Relative(self.random.pick(&[2, 7])),
            n if near && n < 60 => Exptime::Relative(self.random.pick(&[1, 2, 3, 4, 6])),
            n if n < 55 => Exptime::Relative(0),
            n if n < 75 => Exptime::Relative(self.random.pick(&[30, 100, 1000, 2_592_000])),
            n if n < 85 => Exptime::Relative(-1),
            n if n < 90 => Exptime::Relative(2_592_001),
            n if n < 96 => Exptime::Unix(self.random.pick(&[60, 1000])),
            _ => Exptime::Unix(-10),
        }
    }

    fn wait(&mut self) -> u64 {
        if self.offer.comparable {
            4_200
        } else {
            self.random.pick(&[1100, 2600, 3600, 5200])
        }
    }

    /// A CAS value: most often the last that was seen.
    fn cas(&mut self, key: Key) -> CasRef {
        match self.random.below(100) {
            n if n < 70 => CasRef::Seen(key, 0),
            n if n < 80 => CasRef::Seen(key, -1),
            n if n < 88 && !self.offer.comparable => CasRef::Seen(key, 1),
            n if n < 92 => CasRef::Seen(self.key(), 0),
            n if n < 95 => CasRef::Number(0),
            _ => CasRef::Number(self.random.pick(&[1, chosen(1), chosen(2), u64::MAX])),
        }
    }

    fn is_silent(&mut self) -> bool {
        self.random.percent(12)
    }
}

/// What is added to a value: never so much that the sum comes near the largest item, for where that ends depends on what a
/// server keeps with it.
fn added(value: Value) -> Value {
    match value {
        Value::Filler(16_386..) => Value::Filler(16_385),
        value => value,
    }
}

/// CAS values that a client chooses: far above what a server counts to; every other one takes 64 bits.
fn chosen(number: u64) -> u64 {
    (1 << 60 | (number & 1) << 63) + number
}
