//! Answers to meta commands.

use crate::base64;
use crate::meta::MetaFlag;
use crate::response::write_decimal;
use crate::tokens::Tokens;

/// The two-letter codes with which the answer to a meta command begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaCode {
    /// `HD`: done, no value.
    Done,
    /// `VA <size>`: done, and a data block follows.
    Value,
    /// `EN`: `mg` and `me` missed.
    Miss,
    /// `NF`: the other commands missed.
    NotFound,
    /// `NS`: not stored.
    NotStored,
    /// `EX`: the CAS value does not match.
    Exists,
}

impl MetaCode {
    /// The letters.
    pub fn letters(self) -> [u8; 2] {
        match self {
            MetaCode::Done => *b"HD",
            MetaCode::Value => *b"VA",
            MetaCode::Miss => *b"EN",
            MetaCode::NotFound => *b"NF",
            MetaCode::NotStored => *b"NS",
            MetaCode::Exists => *b"EX",
        }
    }
}

/// The answer to a meta command as a client sees it. A server writes it piece by piece, with [`MetaWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaReply<'a> {
    /// The code.
    pub code: MetaCode,
    /// The flags with their tokens, in order.
    pub flags: Tokens<'a>,
    /// The data block, with [`MetaCode::Value`] and only then.
    pub data: Option<&'a [u8]>,
}

impl<'a> MetaReply<'a> {
    /// The flags in order.
    pub fn iter(&self) -> impl Iterator<Item = MetaFlag<'a>> + use<'a> {
        self.flags.filter_map(|word| {
            let (&code, token) = word.split_first()?;
            Some(MetaFlag { code, token })
        })
    }

    /// Appends the answer to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = match self.data {
            Some(data) => MetaWriter::value(out, data.len()),
            None => MetaWriter::code(out, self.code),
        };
        for flag in self.iter() {
            writer.token(flag.code, flag.token);
        }
        match self.data {
            Some(data) => writer.finish_with(data),
            None => writer.finish(),
        }
    }
}

/// Writes the answer to a meta command straight to the output: the code, then flags in the order of the request, then the end.
#[derive(Debug)]
pub struct MetaWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> MetaWriter<'o> {
    /// Begins an answer without a data block.
    pub fn code(out: &'o mut Vec<u8>, code: MetaCode) -> Self {
        out.extend_from_slice(&code.letters());
        MetaWriter { out }
    }

    /// Begins `VA <size>`; [`MetaWriter::finish_with`] must be given exactly `size` bytes.
    pub fn value(out: &'o mut Vec<u8>, size: usize) -> Self {
        out.extend_from_slice(b"VA ");
        write_decimal(out, size as u64);
        MetaWriter { out }
    }

    /// A flag alone, such as ` W`.
    #[inline]
    pub fn flag(&mut self, code: u8) {
        self.out.extend_from_slice(&[b' ', code]);
    }

    /// A flag with a number, such as ` c42`.
    #[inline]
    pub fn number(&mut self, code: u8, number: u64) {
        self.flag(code);
        write_decimal(self.out, number);
    }

    /// A flag with a token, such as ` Oabc`.
    #[inline]
    pub fn token(&mut self, code: u8, token: &[u8]) {
        self.flag(code);
        self.out.extend_from_slice(token);
    }

    /// The key, as the `k` flag returns it: ` k<key>`, or ` k<base64> b` when `binary`.
    #[inline]
    pub fn key(&mut self, key: &[u8], binary: bool) {
        self.flag(b'k');
        if binary {
            base64::encode(key, self.out);
            self.out.extend_from_slice(b" b");
        } else {
            self.out.extend_from_slice(key);
        }
    }

    /// Ends an answer without a data block.
    pub fn finish(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Ends an answer with its data block.
    pub fn finish_with(self, data: &[u8]) {
        self.out.reserve(data.len() + 4);
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(data);
        self.out.extend_from_slice(b"\r\n");
    }
}

/// `ME <key> <k>=<v>*`, the answer to `me` on a hit. The answer to a miss is [`MetaCode::Miss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaDebug<'a> {
    /// As it stands on the wire: in base64 if the item was stored so.
    pub key: &'a [u8],
    /// `name=value` words.
    pub fields: Tokens<'a>,
}

impl MetaDebug<'_> {
    /// Appends the answer to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"ME ");
        out.extend_from_slice(self.key);
        for field in self.fields {
            out.push(b' ');
            out.extend_from_slice(field);
        }
        out.extend_from_slice(b"\r\n");
    }
}
