//! Commands as a client writes them.

use crate::random::Random;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// With its data block and all line ends.
    pub(crate) bytes: Vec<u8>,
    /// What comes back.
    pub(crate) answer: Answer,
}

/// How a command is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// By one of these words, or by an error.
    Words(&'static [&'static str]),
    /// The same, or by nothing.
    Perhaps(&'static [&'static str]),
    /// By values, and a last line.
    Values,
    /// By a number, or that there is none.
    Number,
    /// By nothing.
    Nothing,
}

/// So few keys that commands meet, and that the server does not grow.
const KEYS: usize = 8;

const EXPTIMES: [&str; 6] = ["0", "0", "-1", "100", "2592000", "2592001"];

const NUMBERS: [&str; 6] = ["0", "1", "10", "4294967296", "18446744073709551615", "7"];

/// Makes commands. `run` keeps the keys of one run apart from those of others.
pub(crate) struct Generator<'r> {
    pub(crate) random: &'r mut Random,
    pub(crate) run: u64,
    /// Whether the server knows meta commands.
    pub(crate) meta: bool,
}

impl Generator<'_> {
    pub(crate) fn command(&mut self) -> Command {
        match self.random.below(if self.meta { 14 } else { 9 }) {
            0..=2 => self.store(),
            3 | 4 => self.retrieve(),
            5 => self.count(),
            6 => {
                let key = self.key();
                self.silent(&format!("delete {key}"), &["DELETED", "NOT_FOUND"], b"")
            }
            7 => {
                let line = format!("touch {} {}", self.key(), self.random.pick(&EXPTIMES));
                self.silent(&line, &["TOUCHED", "NOT_FOUND"], b"")
            }
            8 => Command {
                bytes: b"version\r\n".to_vec(),
                answer: Answer::Words(&["VERSION"]),
            },
            9 | 10 => self.meta_set(),
            11 | 12 => self.meta_get(),
            _ => self.meta_other(),
        }
    }

    fn key(&mut self) -> String {
        format!("fz{:04x}_{}", self.run & 0xffff, self.random.below(KEYS))
    }

    fn value(&mut self) -> Vec<u8> {
        let length = self.random.pick(&[0, 1, 2, 5, 20, 31, 100, 2000]);
        let filler: &[u8] = self
            .random
            .pick(&[b"7", b"abc", b"\r\n", b"END\r\n", b"get x\r\n", b"\x00\xff "]);
        filler.iter().cycle().take(length).copied().collect()
    }

    /// A command that one in four times asks for no answer.
    fn silent(&mut self, line: &str, words: &'static [&'static str], block: &[u8]) -> Command {
        let silent = self.random.one_in(4);
        let end = if silent { " noreply\r\n" } else { "\r\n" };
        Command {
            bytes: [line.as_bytes(), end.as_bytes(), block].concat(),
            answer: if silent { Answer::Nothing } else { Answer::Words(words) },
        }
    }

    fn store(&mut self) -> Command {
        let verb = self
            .random
            .pick(&["set", "set", "add", "replace", "append", "prepend", "cas"]);
        let value = self.value();
        let flags = self.random.pick(&["0", "1", "4294967295"]);
        let mut line = format!(
            "{verb} {} {flags} {} {}",
            self.key(),
            self.random.pick(&EXPTIMES),
            value.len()
        );
        if verb == "cas" {
            line += &format!(" {}", self.random.pick(&NUMBERS));
        }
        let block = [&value[..], b"\r\n"].concat();
        self.silent(&line, &["STORED", "NOT_STORED", "EXISTS", "NOT_FOUND"], &block)
    }

    fn retrieve(&mut self) -> Command {
        let verb = self.random.pick(&["get", "get", "gets", "gat", "gats"]);
        let mut line = verb.to_owned();
        if verb.starts_with("gat") {
            line += &format!(" {}", self.random.pick(&EXPTIMES));
        }
        for _ in 0..=self.random.below(4) {
            line += &format!(" {}", self.key());
        }
        Command {
            bytes: (line + "\r\n").into_bytes(),
            answer: Answer::Values,
        }
    }

    fn count(&mut self) -> Command {
        let verb = self.random.pick(&["incr", "decr"]);
        Command {
            bytes: format!("{verb} {} {}\r\n", self.key(), self.random.pick(&NUMBERS)).into_bytes(),
            answer: Answer::Number,
        }
    }

    fn flags(&mut self, from: &[&str], most: usize) -> (String, bool) {
        let mut line = String::new();
        let mut quiet = false;
        let mut taken: Vec<&str> = Vec::new();
        for _ in 0..self.random.below(most + 1) {
            let flag = self.random.pick(from);
            if taken.iter().all(|other| other.as_bytes()[0] != flag.as_bytes()[0]) {
                taken.push(flag);
                line += &format!(" {flag}");
                quiet |= flag == "q";
            }
        }
        (line, quiet)
    }

    fn meta(&mut self, line: &str, quiet: bool, words: &'static [&'static str], block: &[u8]) -> Command {
        Command {
            bytes: [line.as_bytes(), b"\r\n", block].concat(),
            answer: if quiet {
                Answer::Perhaps(words)
            } else {
                Answer::Words(words)
            },
        }
    }

    fn meta_set(&mut self) -> Command {
        let value = self.value();
        let (flags, quiet) = self.flags(
            &["k", "Oa1", "c", "q", "F7", "T100", "T0", "ME", "MA", "MP", "MR", "C1"],
            5,
        );
        let line = format!("ms {} {}{flags}", self.key(), value.len());
        let block = [&value[..], b"\r\n"].concat();
        self.meta(&line, quiet, &["HD", "NS", "EX", "NF"], &block)
    }

    fn meta_get(&mut self) -> Command {
        let known = [
            "v", "v", "k", "Oa1", "q", "c", "f", "h", "l", "s", "t", "T100", "N0", "R30", "u",
        ];
        let (flags, quiet) = self.flags(&known, 8);
        let line = format!("mg {}{flags}", self.key());
        self.meta(&line, quiet, &["HD", "VA", "EN"], b"")
    }

    fn meta_other(&mut self) -> Command {
        let key = self.key();
        if self.random.one_in(2) {
            let (flags, quiet) = self.flags(&["k", "Oa1", "q", "I", "T30", "C1"], 4);
            self.meta(&format!("md {key}{flags}"), quiet, &["HD", "NF", "EX"], b"")
        } else {
            let known = ["v", "k", "Oa1", "q", "c", "t", "N0", "J13", "D5", "MD", "MI", "T30"];
            let (flags, quiet) = self.flags(&known, 6);
            self.meta(&format!("ma {key}{flags}"), quiet, &["HD", "VA", "NF", "EX", "NS"], b"")
        }
    }
}
