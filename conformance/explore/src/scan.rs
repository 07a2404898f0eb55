//! Reads replies without knowing what they should be: finds CAS values, and makes replies of two servers comparable.

use std::collections::BTreeMap;

/// What differs from server to server in the same reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A CAS value, and the key it belongs to if the reply names one.
    Cas(u64),
    /// Seconds that remain.
    Remaining(u64),
    /// A number that means nothing to a client.
    Age,
}

/// A reply, cut up.
pub(crate) fn scan(reply: &[u8]) -> Vec<Seen> {
    let mut scanner = Scanner {
        seen: Vec::new(),
        cas: Vec::new(),
    };
    scanner.lines(reply);
    scanner.seen
}

/// The CAS values of a reply, with the names of the keys that they belong to.
pub(crate) fn cas_values(reply: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let mut scanner = Scanner {
        seen: Vec::new(),
        cas: Vec::new(),
    };
    scanner.lines(reply);
    scanner.cas
}

struct Scanner {
    seen: Vec<Seen>,
    cas: Vec<(Vec<u8>, u64)>,
}

impl Scanner {
    fn lines(&mut self, mut reply: &[u8]) {
        while !reply.is_empty() {
            let end = reply
                .windows(2)
                .position(|pair| pair == b"\r\n")
                .map_or(reply.len(), |at| at + 2);
            let (line, rest) = reply.split_at(end);
            let block = self
                .line(line.strip_suffix(b"\r\n").unwrap_or(line))
                .unwrap_or(0)
                .min(rest.len());
            self.bytes(b"\r\n");
            self.bytes(&rest[..block]);
            reply = &rest[block..];
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        match self.seen.last_mut() {
            Some(Seen::Bytes(before)) => before.extend_from_slice(bytes),
            _ => self.seen.push(Seen::Bytes(bytes.to_vec())),
        }
    }

    /// Reads a line; gives the size of the data block that follows it, with its end.
    fn line(&mut self, line: &[u8]) -> Option<usize> {
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let size = |at: usize| number(words.get(at)?).map(|size| size as usize + 2);
        match words[0] {
            b"VALUE" if words.len() == 5 => {
                self.bytes(&[&words[..4].join(&b' ')[..], b" "].concat());
                match number(words[4]) {
                    Some(cas) => {
                        self.seen.push(Seen::Cas(cas));
                        self.cas.push((words[1].to_vec(), cas));
                    }
                    None => self.bytes(words[4]),
                }
                size(3)
            }
            b"VALUE" => {
                self.bytes(line);
                size(3)
            }
            b"VA" => {
                self.flags(&words);
                size(1)
            }
            b"HD" | b"EX" | b"NS" | b"NF" | b"EN" => {
                self.flags(&words);
                None
            }
            b"ME" => {
                self.bytes(&words[..words.len().min(2)].join(&b' '));
                self.seen.push(Seen::Age);
                None
            }
            _ => {
                self.bytes(line);
                None
            }
        }
    }

    fn flags(&mut self, words: &[&[u8]]) {
        let mut cas = None;
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                self.bytes(b" ");
            }
            let value = word.get(1..).and_then(number).filter(|_| i > 0);
            match (word.first(), value) {
                (Some(b'c'), Some(number)) => {
                    cas = Some(number);
                    self.bytes(b"c");
                    self.seen.push(Seen::Cas(number));
                }
                (Some(b't'), Some(number)) => {
                    self.bytes(b"t");
                    self.seen.push(Seen::Remaining(number));
                }
                (Some(b'l'), Some(_)) => {
                    self.bytes(b"l");
                    self.seen.push(Seen::Age);
                }
                _ => self.bytes(word),
            }
        }
        let key = words.iter().skip(1).find(|word| word.first() == Some(&b'k'));
        if let (Some(cas), Some(key)) = (cas, key) {
            self.cas.push((key[1..].to_vec(), cas));
        }
    }
}

fn number(word: impl AsRef<[u8]>) -> Option<u64> {
    std::str::from_utf8(word.as_ref()).ok()?.parse().ok()
}

/// Pairs the CAS values of two servers: what is the same value on one must be the same on the other.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    right_of: BTreeMap<u64, u64>,
    left_of: BTreeMap<u64, u64>,
}

impl Pairs {
    /// Whether two replies say the same.
    pub(crate) fn agree(&mut self, left: &[u8], right: &[u8]) -> bool {
        if left == right && !left.windows(2).any(|pair| matches!(pair, b" c" | b"VA")) {
            return true;
        }
        let (left, right) = (scan(left), scan(right));
        left.len() == right.len() && left.iter().zip(&right).all(|pair| self.same(pair))
    }

    fn same(&mut self, pair: (&Seen, &Seen)) -> bool {
        match pair {
            (Seen::Cas(left), Seen::Cas(right)) => {
                // 0 stands for no value.
                (*left == 0) == (*right == 0)
                    && self.right_of.entry(*left).or_insert(*right) == right
                    && self.left_of.entry(*right).or_insert(*left) == left
            }
            (Seen::Remaining(left), Seen::Remaining(right)) => {
                let is_over = |seconds: u64| seconds > u64::from(u32::MAX / 2);
                left.abs_diff(*right) <= 2 || (is_over(*left) && is_over(*right))
            }
            (left, right) => left == right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cas_values_are_found_where_a_key_is_named() {
        let reply = b"VALUE a 0 1 7\r\nx\r\nVALUE b 0 5 8\r\nHD c9\r\nEND\r\nHD c3 ka\r\nHD c4\r\n";
        let expected = [(b"a".to_vec(), 7), (b"b".to_vec(), 8), (b"a".to_vec(), 3)];
        assert_eq!(cas_values(reply), expected);
    }

    #[test]
    fn versions_are_compared_by_where_they_are_the_same() {
        let mut pairs = Pairs::default();
        assert!(pairs.agree(b"HD c1\r\n", b"HD c101\r\n"));
        assert!(pairs.agree(b"VALUE a 0 1 1\r\nx\r\nEND\r\n", b"VALUE a 0 1 101\r\nx\r\nEND\r\n"));
        assert!(!pairs.agree(b"HD c2\r\n", b"HD c101\r\n"));
        assert!(!pairs.agree(b"HD c0\r\n", b"HD c5\r\n"));
    }

    #[test]
    fn times_may_be_two_seconds_apart_and_data_not_at_all() {
        let mut pairs = Pairs::default();
        assert!(pairs.agree(b"HD t30 l1\r\n", b"HD t29 l5\r\n"));
        assert!(pairs.agree(b"HD t4294966485\r\n", b"HD t4294900000\r\n"));
        assert!(!pairs.agree(b"HD t30\r\n", b"HD t-1\r\n"));
        assert!(!pairs.agree(b"VA 3\r\nt30\r\n", b"VA 3\r\nt29\r\n"));
    }
}
