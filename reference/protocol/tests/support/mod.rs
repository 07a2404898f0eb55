//! Drives a parser over a stream, as a server does.

use refcached_protocol::meta::MetaCommand;
use refcached_protocol::{Limits, Parser, Request, Response, Step};

/// What a stream of bytes comes to, in words: refusals as they are answered, `mn` as it is answered, other requests by name.
/// `chunks` are the pieces in which the stream arrives.
pub(crate) fn transcript<'c>(limits: Limits, chunks: impl IntoIterator<Item = &'c [u8]>) -> String {
    let mut parser = Parser::new(limits);
    let mut pending: Vec<u8> = Vec::new();
    let mut answers = Vec::new();
    for chunk in chunks {
        pending.extend_from_slice(chunk);
        if !drain(&mut parser, &mut pending, &mut answers) {
            answers.extend_from_slice(b"<closed>");
            break;
        }
    }
    String::from_utf8_lossy(&answers).replace("\r\n", "|")
}

/// Takes all whole commands out of `pending`; false when the connection is to be closed.
fn drain(parser: &mut Parser, pending: &mut Vec<u8>, answers: &mut Vec<u8>) -> bool {
    loop {
        match parser.next(pending) {
            Step::Incomplete { consumed, wanted } => {
                assert!(consumed <= pending.len(), "consumed more than there is");
                assert!(wanted > pending.len() - consumed, "wants what it has");
                pending.drain(..consumed);
                return true;
            }
            Step::Request { request, consumed } => {
                assert!(0 < consumed && consumed <= pending.len());
                if request == Request::Quit {
                    return false;
                }
                describe(&request, answers);
                pending.drain(..consumed);
            }
            Step::Refused { refusal, consumed } => {
                assert!(0 < consumed && consumed <= pending.len());
                refusal.encode(answers);
                if let Some(key) = refusal.invalidate {
                    answers.extend_from_slice(b"-");
                    answers.extend_from_slice(key);
                    answers.extend_from_slice(b"\r\n");
                }
                if refusal.closes() {
                    return false;
                }
                pending.drain(..consumed);
            }
        }
    }
}

fn describe(request: &Request<'_>, answers: &mut Vec<u8>) {
    match request {
        Request::MetaNoop => Response::MetaNoop.encode(answers),
        Request::Store(store) => {
            answers.extend_from_slice(format!("{}(", store.verb.name()).as_bytes());
            answers.extend_from_slice(store.key);
            answers.extend_from_slice(b"=");
            answers.extend_from_slice(store.value);
            answers.extend_from_slice(b")\r\n");
        }
        Request::Retrieve(retrieve) => {
            answers.extend_from_slice(b"get(");
            for key in retrieve.keys {
                answers.extend_from_slice(key);
                answers.extend_from_slice(b",");
            }
            answers.extend_from_slice(b")\r\n");
        }
        Request::Meta(meta) => {
            let name = match meta.command {
                MetaCommand::Get => "mg",
                MetaCommand::Set { .. } => "ms",
                MetaCommand::Delete => "md",
                MetaCommand::Arithmetic { .. } => "ma",
                MetaCommand::Debug => "me",
            };
            answers.extend_from_slice(name.as_bytes());
            answers.extend_from_slice(b"(");
            answers.extend_from_slice(meta.key.bytes);
            answers.extend_from_slice(b")\r\n");
        }
        Request::Delete(delete) => {
            answers.extend_from_slice(b"delete(");
            answers.extend_from_slice(delete.key);
            answers.extend_from_slice(b")\r\n");
        }
        other => {
            let debug = format!("{other:?}");
            let name = debug.split(['(', ' ', '{']).next().unwrap_or_default();
            answers.extend_from_slice(format!("{name}\r\n").as_bytes());
        }
    }
}
