//! What memcached 1.6.45 was seen to answer, held against the engine.

mod support;

use support::{OnDisk, Server, Session, notation};

/// Dialogues, and how one of them is to be read: see the file.
const DIALOGUES: &str = include_str!("data/memcached-1.6.45-dialogues.txt");
/// Single requests.
const REPLIES: &str = include_str!("data/memcached-1.6.45-replies.tsv");

/// The items that are there before each request or dialogue.
const BEFORE: &[u8] = b"flush_all\r\nset k 5 0 3\r\nabc\r\nset n 0 0 2\r\n10\r\n";

/// A reply in which this server is not like memcached, on purpose. Each must occur, and must differ.
struct Deviation {
    /// What precedes it in the same dialogue; nothing for a single request.
    after: &'static str,
    sent: &'static str,
    here: &'static str,
    because: &'static str,
}

const SINGLE: &[Deviation] = &[
    Deviation {
        after: "",
        sent: "get x{251}\\r\\n",
        here: "CLIENT_ERROR bad command line format",
        because: "from 1.6.40 on memcached sends one CR LF too many",
    },
    Deviation {
        after: "",
        sent: "get k x{251}\\r\\n",
        here: "CLIENT_ERROR bad command line format",
        because: "from 1.6.40 on memcached sends one CR LF too many",
    },
    Deviation {
        after: "",
        sent: "set x{3000} 0 0 1\\r\\n",
        here: "CLIENT_ERROR bad command line format",
        because: "memcached closes if the line's end has not arrived with its first 2048 bytes; here it has",
    },
];

/// A dataset on a disk has no limit that could be set.
const SINGLE_ON_DISK: &[Deviation] = &[Deviation {
    after: "",
    sent: "cache_memlimit 100\\r\\n",
    here: "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust",
    because: "what is on a disk is not bounded by memory",
}];

const IN_DIALOGUE_ON_DISK: &[Deviation] = &[Deviation {
    after: "> cache_memlimit\n< ERROR\n> cache_memlimit abc\n< ERROR\n",
    sent: "cache_memlimit 64",
    here: "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust",
    because: "what is on a disk is not bounded by memory",
}];

const IN_DIALOGUE: &[Deviation] = &[
    Deviation {
        after: "> ma n T40 D9000 t v\n< VA 4 t40 | 9011\n",
        sent: "mg n t v",
        here: "VA 4 t40 | 9011",
        because: "memcached answers with the TTL that T sets and loses it when the number grows",
    },
    Deviation {
        after: "> mg k l\n< HD l2\n",
        sent: "mg k l",
        here: "HD l0",
        because: "memcached notes an access once in 60 seconds; the protocol text knows nothing of that",
    },
    Deviation {
        after: "> mg k l\n< HD l2\n",
        sent: "mg k l h",
        here: "HD l0 h1",
        because: "the same",
    },
    Deviation {
        after: "> mg k l\n< HD l2\n",
        sent: "mg k h l",
        here: "HD h1 l0",
        because: "the same",
    },
    Deviation {
        after: "> mg k l h\n< HD l2 h1\n",
        sent: "mg k l",
        here: "HD l0",
        because: "the same",
    },
];

/// A server like the one that the replies were recorded on: its CAS values were not near those that the requests guess.
fn prepared<S: Server>() -> S {
    let server = S::fresh();
    server.environment().raise_cas(100_000);
    server.execute_bytes(BEFORE);
    server
}

#[test]
fn every_recorded_reply_is_answered_alike_from_memory() {
    every_recorded_reply_is_answered_alike::<Session>(&[]);
}

#[test]
fn every_recorded_reply_is_answered_alike_from_a_disk() {
    every_recorded_reply_is_answered_alike::<OnDisk>(SINGLE_ON_DISK);
}

fn every_recorded_reply_is_answered_alike<S: Server>(own: &'static [Deviation]) {
    let mut judge = Judge::new([SINGLE, own]);
    for row in REPLIES.lines().filter(|line| !line.starts_with('#')) {
        let (sent, expected) = row.split_once('\t').expect("a row is two columns");
        let session = prepared::<S>();
        let received = session.execute_bytes(&bytes(sent));
        let version = &session.environment().options().version;
        let expected = notation(&bytes(&expected.replace("$v", version)));
        judge.judge("", sent, &expected, &notation(&received));
    }
    judge.finish(190);
}

#[test]
fn every_recorded_dialogue_is_answered_alike_from_memory() {
    every_recorded_dialogue_is_answered_alike::<Session>(&[]);
}

#[test]
fn every_recorded_dialogue_is_answered_alike_from_a_disk() {
    every_recorded_dialogue_is_answered_alike::<OnDisk>(IN_DIALOGUE_ON_DISK);
}

fn every_recorded_dialogue_is_answered_alike<S: Server>(own: &'static [Deviation]) {
    let mut judge = Judge::new([IN_DIALOGUE, own]);
    for dialogue in DIALOGUES.split("\n\n").skip(1) {
        let mut session = prepared::<S>();
        let mut sent = "";
        let mut read = 0;
        let mut sent_at = 0;
        for line in dialogue.lines() {
            if let Some(ms) = line.strip_prefix("wait ") {
                session.wait_ms(ms.parse().expect("a wait is a number of milliseconds"));
            } else if let Some(request) = line.strip_prefix('>') {
                sent = request.trim_start();
                sent_at = read;
            } else if let Some(expected) = line.strip_prefix('<') {
                let received = session.execute_bytes(&[&bytes(&open_ended(sent))[..], b"\r\n"].concat());
                let received = notation(&received);
                judge.judge(&dialogue[..sent_at], sent, expected.trim_start(), received.trim_end());
            } else {
                panic!("a line is a wait, a request or a reply, not {line:?}");
            }
            read += line.len() + 1;
        }
    }
    judge.finish(700);
}

/// Collects what differs.
struct Judge {
    deviations: Vec<&'static Deviation>,
    met: Vec<bool>,
    count: usize,
    failures: Vec<String>,
}

impl Judge {
    fn new(deviations: [&'static [Deviation]; 2]) -> Self {
        let deviations: Vec<_> = deviations.into_iter().flatten().collect();
        Judge {
            met: vec![false; deviations.len()],
            deviations,
            count: 0,
            failures: Vec::new(),
        }
    }

    fn judge(&mut self, before: &str, sent: &str, expected: &str, received: &str) {
        self.count += 1;
        if matches(expected, received) {
            return;
        }
        let known = self.deviations.iter().position(|deviation| {
            deviation.sent == sent && deviation.here == received && before.ends_with(deviation.after)
        });
        match known {
            Some(known) => self.met[known] = true,
            None => self.failures.push(format!(
                "after {before:?}\n  sent   {sent}\n  real   {expected}\n  here   {received}"
            )),
        }
    }

    fn finish(mut self, count_min: usize) {
        for (deviation, met) in self.deviations.iter().zip(&self.met) {
            if !met {
                let text = format!("stale: {:?}, {}", deviation.sent, deviation.because);
                self.failures.push(text);
            }
        }
        assert!(self.count >= count_min, "only {} replies were read", self.count);
        let count = self.failures.len();
        assert!(count == 0, "{count} of {}:\n{}", self.count, self.failures.join("\n"));
    }
}

/// Whether `received` is `expected`, in which `{#}` stands for any unsigned number.
fn matches(expected: &str, received: &str) -> bool {
    let mut rest = received;
    let mut parts = expected.split("{#}");
    let Some(after) = parts.next().and_then(|first| rest.strip_prefix(first)) else {
        return false;
    };
    rest = after;
    for part in parts {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match rest[digits..].strip_prefix(part) {
            Some(after) if digits > 0 => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// A line of the dialogues with the blank at its end that was trimmed off.
fn open_ended(sent: &str) -> String {
    let blank = if sent.ends_with(" |") { " " } else { "" };
    format!("{sent}{blank}")
}

/// The bytes that a text of the data files stands for.
fn bytes(text: &str) -> Vec<u8> {
    let text = text.replace(" | ", "\\r\\n");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let (byte, used) = match (first, after) {
            (b'\\', [b'r', ..]) => (b'\r', 1),
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [b'0', ..]) => (0, 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', high, low, ..]) => {
                let hex = |digit: &u8| (*digit as char).to_digit(16).expect("a hex digit") as u8;
                (hex(high) * 16 + hex(low), 3)
            }
            (b'x', [b'{', count @ ..]) => {
                let end = count.iter().position(|&byte| byte == b'}').expect("a closing brace");
                let times = String::from_utf8_lossy(&count[..end]);
                let times: usize = times.parse().expect("a number of times");
                bytes.resize(bytes.len() + times - 1, b'x');
                (b'x', end + 2)
            }
            (&byte, _) => (byte, 0),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}
