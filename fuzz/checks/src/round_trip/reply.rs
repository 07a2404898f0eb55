//! Replies that own what they are made of.

use arbitrary::Arbitrary;
use refcached_protocol::Response;
use refcached_protocol::meta_reply::{MetaCode, MetaDebug, MetaReply};
use refcached_protocol::response::Value;
use refcached_protocol::tokens::Tokens;

use super::Word;

/// A reply.
#[derive(Debug, Arbitrary)]
pub(super) enum Owned {
    Word(u8),
    ClientError(Text),
    ServerError(Text),
    Version(Text),
    Number(u64),
    Value {
        key: Word,
        client_flags: u32,
        cas: Option<u64>,
        data: Vec<u8>,
    },
    Stat {
        name: Word,
        value: Text,
    },
    Meta {
        code: u8,
        flags: Vec<Word>,
        data: Option<Vec<u8>>,
    },
    Debug {
        key: Word,
        fields: Vec<Word>,
    },
    Notice(u8),
}

/// The rest of a line: anything but its end.
#[derive(Debug, Arbitrary)]
pub(super) struct Text(Vec<u8>);

impl Text {
    fn bytes(&self) -> Vec<u8> {
        let bytes = self.0.iter().take(300);
        bytes.map(|&byte| if byte == b'\n' { b'_' } else { byte }).collect()
    }
}

const WORDS: [Response<'static>; 11] = [
    Response::Stored,
    Response::NotStored,
    Response::Exists,
    Response::NotFound,
    Response::Deleted,
    Response::Touched,
    Response::Ok,
    Response::End,
    Response::Reset,
    Response::Error,
    Response::MetaNoop,
];

const NOTICES: [&[u8]; 5] = [
    b"BUSY currently processing crawler request",
    b"BADCLASS invalid class id",
    b"MEMLIMIT_TOO_SMALL cannot set maxbytes to less than cachesize",
    b"SERVER_ERROR: shutdown not enabled",
    b"ERROR Too many open connections",
];

impl Owned {
    /// Calls `then` with the reply, borrowed as the crate's own type.
    pub(super) fn with(&self, then: impl FnOnce(Response<'_>)) {
        match self {
            Owned::Word(which) => then(WORDS[usize::from(*which) % WORDS.len()]),
            Owned::ClientError(text) => then(Response::ClientError(&text.bytes())),
            Owned::ServerError(text) => then(Response::ServerError(&text.bytes())),
            Owned::Version(text) => then(Response::Version(&text.bytes())),
            Owned::Number(number) => then(Response::Number(*number)),
            Owned::Value {
                key,
                client_flags,
                cas,
                data,
            } => then(Response::Value(Value {
                key: &key.0,
                client_flags: *client_flags,
                data,
                cas: *cas,
            })),
            Owned::Stat { name, value } => then(Response::Stat {
                name: &name.0,
                value: &value.bytes(),
            }),
            Owned::Meta { code, flags, data } => {
                let codes = [
                    MetaCode::Done,
                    MetaCode::Miss,
                    MetaCode::NotFound,
                    MetaCode::NotStored,
                    MetaCode::Exists,
                ];
                let words = joined(flags);
                then(Response::Meta(MetaReply {
                    code: match data {
                        Some(_) => MetaCode::Value,
                        None => codes[usize::from(*code) % codes.len()],
                    },
                    flags: Tokens::new(&words),
                    data: data.as_deref(),
                }));
            }
            Owned::Debug { key, fields } => then(Response::MetaDebug(MetaDebug {
                key: &key.0,
                fields: Tokens::new(&joined(fields)),
            })),
            Owned::Notice(which) => then(Response::Notice(NOTICES[usize::from(*which) % NOTICES.len()])),
        }
    }
}

/// The words in a line, no more of them than a line may be long.
fn joined(words: &[Word]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().take(20).map(|word| &word.0[..]).collect();
    words.join(&b' ')
}
