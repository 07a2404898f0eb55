//! Bytes to commands that make sense: eight bytes choose one, so that a mutation of a byte changes one thing about it.

use fuzz_judge::base64;

/// The bytes of one operation.
pub const BYTES: usize = 8;

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    Store(&'static str),
    /// `get`, `gets`.
    Get(&'static str),
    /// `gat`, `gats`.
    GetAndTouch(&'static str),
    /// `delete`.
    Delete,
    /// `incr`, `decr`.
    Count(&'static str),
    /// `touch`.
    Touch,
    /// `flush_all`.
    Flush,
    /// `mg`, `ms`, `md`, `ma`: the second letter.
    Meta(u8),
    /// `mn`.
    Noop,
    /// One that is wrong.
    Bad(Fault),
}

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `set` with a data block one byte longer than announced.
    BlockTooLong,
    /// `set` or `ms` of an item that is too large.
    TooLarge,
    /// `set` with a key that is too long.
    LongKey,
    /// No such command.
    Unknown,
    /// `incr` with a delta that is none.
    NoDelta,
}

/// The order decides what a byte means: new ones go to the end.
pub const VERBS: [Verb; 25] = [
    Verb::Store("set"),
    Verb::Store("add"),
    Verb::Store("replace"),
    Verb::Store("append"),
    Verb::Store("prepend"),
    Verb::Store("cas"),
    Verb::Get("get"),
    Verb::Get("gets"),
    Verb::GetAndTouch("gat"),
    Verb::GetAndTouch("gats"),
    Verb::Delete,
    Verb::Count("incr"),
    Verb::Count("decr"),
    Verb::Touch,
    Verb::Flush,
    Verb::Meta(b'g'),
    Verb::Meta(b's'),
    Verb::Meta(b'd'),
    Verb::Meta(b'a'),
    Verb::Noop,
    Verb::Bad(Fault::BlockTooLong),
    Verb::Bad(Fault::TooLarge),
    Verb::Bad(Fault::LongKey),
    Verb::Bad(Fault::Unknown),
    Verb::Bad(Fault::NoDelta),
];

const KEYS: [&[u8]; 3] = [b"a", b"key:b", b"c\xff"];

/// Cannot be sent but in base64.
const BLANK_KEY: &[u8] = b"d e\r\n";

const VALUES: [&[u8]; 12] = [
    b"",
    b"10",
    b"99",
    b"007",
    b" 5 ",
    b"18446744073709551615",
    b"18446744073709551616",
    b"abc",
    b"get a\r\n",
    b"1\x002",
    b"+7",
    b"0123456789012345678901234567890123456789012345678901234567890123456789",
];

/// Larger than the engine's limit for items.
pub const TOO_LARGE_BYTES: usize = 200;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it is.
    pub verb: Verb,
    /// The key, not in base64.
    pub key: &'static [u8],
    /// The data block.
    pub value: &'static [u8],
    /// The client flags.
    pub client_flags: u32,
    /// As sent.
    pub exptime: i32,
    /// The CAS value of `cas`; the delta of `incr` and `decr`.
    pub number: u64,
    /// `noreply` at the end of the line.
    pub noreply: bool,
    /// Of meta commands: letters and tokens.
    pub flags: Vec<(u8, String)>,
}

/// The letters that a meta command is given, by the bit that asks for them.
fn letters(command: u8) -> &'static [u8; 16] {
    match command {
        b'g' => b"kbvtTcfshlqORNuE",
        b's' => b"kbcsFTICEMqON...",
        b'd' => b"kbqIxTCEFO......",
        _ => b"kbvctTNJDECMqO..",
    }
}

impl Operation {
    /// The operation that `bytes` choose at the Unix time `now_s`. `cas` is the CAS value that some of them speak of.
    pub fn decode(bytes: [u8; BYTES], now_s: u64, cas: impl FnOnce(&[u8]) -> u64) -> Self {
        let [verb, key, value, exptime, low, high, number, rest] = bytes;
        let verb = VERBS[usize::from(verb) % VERBS.len()];
        let is_meta = matches!(verb, Verb::Meta(_));
        let key = match KEYS.get(usize::from(key) % 4) {
            Some(key) => key,
            None if is_meta => BLANK_KEY,
            None => KEYS[0],
        };
        let mut operation = Operation {
            verb,
            key,
            value: VALUES[usize::from(value) % VALUES.len()],
            client_flags: [0, 1, 4_294_967_295, 77][usize::from(value) / 64],
            exptime: exptime_of(exptime, now_s),
            number: number_of(number, cas(key)),
            noreply: rest & 1 != 0,
            flags: Vec::new(),
        };
        if let Verb::Meta(command) = verb {
            operation.flags = operation.chosen(command, u16::from_le_bytes([low, high]), rest);
        }
        operation
    }

    fn chosen(&self, command: u8, bits: u16, rest: u8) -> Vec<(u8, String)> {
        let letters = letters(command).iter().enumerate();
        let mut flags: Vec<(u8, String)> = letters
            .filter(|&(bit, &letter)| letter != b'.' && bits & 1 << bit != 0)
            .map(|(_, &letter)| (letter, self.token(letter, rest)))
            .collect();
        if self.key == BLANK_KEY && flags.iter().all(|(letter, _)| *letter != b'b') {
            flags.push((b'b', String::new()));
        }
        // Flags take effect one after the other: both orders of each pair are of interest.
        if rest & 2 != 0 {
            flags.reverse();
        }
        flags
    }

    fn token(&self, letter: u8, rest: u8) -> String {
        let choice = usize::from(rest >> 4);
        match letter {
            b'T' | b'N' => self.exptime.to_string(),
            b'R' => ["30", "0", "-1", "100000"][choice % 4].to_owned(),
            b'C' | b'E' | b'D' | b'J' => self.number.to_string(),
            b'F' => self.client_flags.to_string(),
            b'O' => "opaque".to_owned(),
            b'M' if self.verb == Verb::Meta(b's') => ["S", "E", "A", "P", "R"][choice % 5].to_owned(),
            b'M' => ["I", "D", "+", "-"][choice % 4].to_owned(),
            _ => String::new(),
        }
    }

    /// Whether a flag was given.
    pub fn has(&self, letter: u8) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == letter)
    }

    /// Milliseconds that pass before the operation chosen by `bytes`.
    pub fn pause_ms(bytes: [u8; BYTES]) -> u64 {
        [0, 0, 1, 1000][usize::from(bytes[7] >> 2 & 3)]
    }

    /// The key as it stands on the wire.
    pub fn wire_key(&self) -> Vec<u8> {
        if self.has(b'b') {
            base64::encode(self.key)
        } else {
            self.key.to_vec()
        }
    }

    /// Appends the command to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let key = self.wire_key();
        let mut line: Vec<Vec<u8>> = Vec::new();
        let mut block = None;
        let number = |number: i64| number.to_string().into_bytes();
        match self.verb {
            Verb::Store(name) => {
                line.extend([
                    name.into(),
                    key,
                    number(self.client_flags.into()),
                    number(self.exptime.into()),
                ]);
                line.push(number(self.value.len() as i64));
                line.extend((name == "cas").then(|| self.number.to_string().into_bytes()));
                block = Some(self.value);
            }
            Verb::Get(name) => line.extend([name.into(), key.clone(), b"miss".to_vec(), key]),
            Verb::GetAndTouch(name) => line.extend([name.into(), number(self.exptime.into()), key]),
            Verb::Delete => line.extend([b"delete".to_vec(), key]),
            Verb::Count(name) => line.extend([name.into(), key, self.number.to_string().into_bytes()]),
            Verb::Touch => line.extend([b"touch".to_vec(), key, number(self.exptime.into())]),
            Verb::Flush => line.extend([b"flush_all".to_vec(), number(self.exptime.into())]),
            Verb::Noop => line.push(b"mn".to_vec()),
            Verb::Meta(command) => {
                line.extend([vec![b'm', command], key]);
                if command == b's' {
                    line.push(number(self.value.len() as i64));
                    block = Some(self.value);
                }
                line.extend(
                    self.flags
                        .iter()
                        .map(|(letter, token)| [&[*letter], token.as_bytes()].concat()),
                );
            }
            Verb::Bad(fault) => return self.encode_fault(fault, out),
        }
        let can_be_silent = !matches!(
            self.verb,
            Verb::Get(_) | Verb::GetAndTouch(_) | Verb::Noop | Verb::Meta(_)
        );
        line.extend((self.noreply && can_be_silent).then(|| b"noreply".to_vec()));
        out.extend(line.join(&b' '));
        out.extend(b"\r\n");
        if let Some(block) = block {
            out.extend(block);
            out.extend(b"\r\n");
        }
    }

    fn encode_fault(&self, fault: Fault, out: &mut Vec<u8>) {
        let end = if self.noreply { " noreply\r\n" } else { "\r\n" };
        let key = self.key.escape_ascii().to_string();
        let length = self.value.len();
        match fault {
            Fault::BlockTooLong => {
                out.extend(format!("set {key} 0 0 {length}{end}").into_bytes());
                out.extend(self.value);
                out.extend(b"x\r\n");
            }
            Fault::TooLarge => {
                out.extend(b"set ");
                out.extend(self.key);
                out.extend(format!(" 0 0 {TOO_LARGE_BYTES}{end}").into_bytes());
                // What must be swallowed looks like commands.
                out.extend(b"get a \r\n".repeat(TOO_LARGE_BYTES / 8));
                out.extend(b"\r\n");
            }
            Fault::LongKey => {
                out.extend(format!("set {} 0 0 {length}{end}", "k".repeat(251)).into_bytes());
                out.extend(self.value);
                out.extend(b"\r\n");
            }
            Fault::Unknown => out.extend(format!("unknown{end}").into_bytes()),
            Fault::NoDelta => out.extend(format!("incr {key} 1x{end}").into_bytes()),
        }
    }
}

fn exptime_of(choice: u8, now_s: u64) -> i32 {
    let unix = |seconds: u64| i32::try_from(seconds).unwrap_or(i32::MAX);
    match choice % 9 {
        0 | 1 => 0,
        2 => -1,
        3 => 1,
        4 => 100,
        5 => 2_592_000,
        6 => 2_592_001,
        7 => unix(now_s + 1),
        _ => i32::MAX,
    }
}

fn number_of(choice: u8, cas: u64) -> u64 {
    match choice % 8 {
        0 => 1,
        1 => cas,
        2 => cas.wrapping_sub(1),
        3 => cas.wrapping_add(1),
        4 => 0,
        5 => 10,
        6 => u64::MAX,
        _ => 1 << 63,
    }
}

/// The operation that comes nearest to the command whose words these are; for seeds. `None` if there is none like it.
pub fn bytes_like(words: &[&str]) -> Option<[u8; BYTES]> {
    let (first, rest) = words.split_first()?;
    let named = |verb: &Verb| match verb {
        Verb::Store(name) | Verb::Get(name) | Verb::GetAndTouch(name) | Verb::Count(name) => first == name,
        Verb::Delete => *first == "delete",
        Verb::Touch => *first == "touch",
        Verb::Flush => *first == "flush_all",
        Verb::Noop => *first == "mn",
        Verb::Meta(letter) => first.as_bytes() == [b'm', *letter],
        Verb::Bad(_) => false,
    };
    let verb = VERBS.iter().position(named)?;
    let mut bits = 0_u16;
    if let Verb::Meta(command) = VERBS[verb] {
        for (bit, letter) in letters(command).iter().enumerate() {
            let given = rest.iter().skip(1).any(|word| word.as_bytes().first() == Some(letter));
            bits |= u16::from(given) << bit;
        }
    }
    // What the words hold beyond that is only to make seeds differ.
    let sum = rest.iter().flat_map(|word| word.bytes()).fold(0_u8, u8::wrapping_add);
    let [low, high] = bits.to_le_bytes();
    let silent = u8::from(rest.last() == Some(&"noreply"));
    Some([verb as u8, sum % 3, sum, sum / 3, low, high, sum / 5, silent | sum << 1])
}
