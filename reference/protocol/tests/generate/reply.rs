//! Random responses.

use proptest::prelude::*;
use refcached_protocol::Response;
use refcached_protocol::meta_reply::{MetaCode, MetaDebug, MetaReply};
use refcached_protocol::response::Value;
use refcached_protocol::tokens::Tokens;

use super::{keys, values, words};

/// A [`Response`] that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) enum OwnedResponse {
    Word(Response<'static>),
    ClientError(Vec<u8>),
    ServerError(Vec<u8>),
    Version(Vec<u8>),
    Number(u64),
    Value {
        key: Vec<u8>,
        client_flags: u32,
        data: Vec<u8>,
        cas: Option<u64>,
    },
    Stat {
        name: Vec<u8>,
        value: Vec<u8>,
    },
    Meta {
        code: MetaCode,
        flags: Vec<u8>,
        data: Option<Vec<u8>>,
    },
    MetaDebug {
        key: Vec<u8>,
        fields: Vec<u8>,
    },
    Notice(Vec<u8>),
}

impl OwnedResponse {
    pub(crate) fn borrow(&self) -> Response<'_> {
        match *self {
            OwnedResponse::Word(response) => response,
            OwnedResponse::ClientError(ref text) => Response::ClientError(text),
            OwnedResponse::ServerError(ref text) => Response::ServerError(text),
            OwnedResponse::Version(ref text) => Response::Version(text),
            OwnedResponse::Number(number) => Response::Number(number),
            OwnedResponse::Value {
                ref key,
                client_flags,
                ref data,
                cas,
            } => Response::Value(Value {
                key,
                client_flags,
                data,
                cas,
            }),
            OwnedResponse::Stat { ref name, ref value } => Response::Stat { name, value },
            OwnedResponse::Meta {
                code,
                ref flags,
                ref data,
            } => Response::Meta(MetaReply {
                code,
                flags: Tokens::new(flags),
                data: data.as_deref(),
            }),
            OwnedResponse::MetaDebug { ref key, ref fields } => Response::MetaDebug(MetaDebug {
                key,
                fields: Tokens::new(fields),
            }),
            OwnedResponse::Notice(ref text) => Response::Notice(text),
        }
    }
}

/// Any response.
pub(crate) fn responses() -> impl Strategy<Value = OwnedResponse> {
    let single = prop::sample::select(vec![
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
    ]);
    prop_oneof![
        5 => single.prop_map(OwnedResponse::Word),
        1 => texts().prop_map(OwnedResponse::ClientError),
        1 => texts().prop_map(OwnedResponse::ServerError),
        1 => texts().prop_map(OwnedResponse::Version),
        1 => any::<u64>().prop_map(OwnedResponse::Number),
        4 => (keys(), any::<u32>(), values(), any::<Option<u64>>()).prop_map(|(key, client_flags, data, cas)| {
            OwnedResponse::Value { key, client_flags, data, cas }
        }),
        1 => (words(20), texts()).prop_map(|(name, value)| OwnedResponse::Stat { name, value }),
        4 => metas(),
        1 => (keys(), flag_words()).prop_map(|(key, fields)| OwnedResponse::MetaDebug { key, fields }),
        1 => notices(),
    ]
}

fn metas() -> impl Strategy<Value = OwnedResponse> {
    let codes = prop::sample::select(vec![
        MetaCode::Done,
        MetaCode::Miss,
        MetaCode::NotFound,
        MetaCode::NotStored,
        MetaCode::Exists,
    ]);
    prop_oneof![
        (codes, flag_words()).prop_map(|(code, flags)| OwnedResponse::Meta {
            code,
            flags,
            data: None
        }),
        (flag_words(), values()).prop_map(|(flags, data)| OwnedResponse::Meta {
            code: MetaCode::Value,
            flags,
            data: Some(data)
        }),
    ]
}

fn notices() -> impl Strategy<Value = OwnedResponse> {
    let words = prop::sample::select(vec![
        "BUSY",
        "BADCLASS",
        "NOSPARE",
        "SAME",
        "MEMLIMIT_TOO_SMALL",
        "SERVER_ERROR:",
    ]);
    (words, texts()).prop_map(|(word, text)| OwnedResponse::Notice([word.as_bytes(), b" ", &text].concat()))
}

fn flag_words() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(words(40), 0..5).prop_map(|words| words.join(&b' '))
}

/// What may stand in a line up to its end.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(
            any::<u8>().prop_filter("a line's end", |byte| !matches!(byte, b'\r' | b'\n')),
            0..40
        ),
    ]
}
