//! Encode, parse, equal: for every request and every reply that the grammar allows.

mod meta;
mod reply;
mod request;

use arbitrary::{Arbitrary, Unstructured};
use refcached_protocol::{Limits, Parser, ReplyLimits, ReplyParser, ReplyStep, Request, Response, Step};

/// Makes a request or a reply of `input`, writes it, and reads it back; with its last byte missing it is not there yet.
///
/// # Panics
/// When something else is read, or it is read too early.
pub fn check(input: &[u8]) {
    let mut source = Unstructured::new(input);
    // Whatever the input, something can be made of it; what it lacks is zeros.
    match Sample::arbitrary(&mut source) {
        Ok(Sample::Request(request)) => request.with(|request| check_request(&request)),
        Ok(Sample::Reply(reply)) => reply.with(|response| check_reply(&response)),
        Err(_) => {}
    }
}

#[derive(Debug, Arbitrary)]
enum Sample {
    Request(request::Owned),
    Reply(reply::Owned),
}

fn check_request(request: &Request<'_>) {
    let mut wire = Vec::new();
    request.encode(&mut wire);
    let mut parser = Parser::new(Limits::default());
    match parser.next(&wire[..wire.len() - 1]) {
        Step::Incomplete { consumed: 0, wanted } => assert_eq!(wanted, wire.len(), "{request:?}"),
        other => panic!("{other:?} from {request:?} without its last byte"),
    }
    match parser.next(&wire) {
        Step::Request {
            request: read,
            consumed,
        } => {
            assert_eq!(read, *request, "read from {}", wire.escape_ascii());
            assert_eq!(consumed, wire.len(), "consumed of {}", wire.escape_ascii());
        }
        other => panic!("{other:?} from {}", wire.escape_ascii()),
    }
}

fn check_reply(response: &Response<'_>) {
    let mut wire = Vec::new();
    response.encode(&mut wire);
    let mut parser = ReplyParser::new(ReplyLimits::default());
    match parser.next(&wire[..wire.len() - 1]) {
        ReplyStep::Incomplete { wanted } => assert_eq!(wanted, wire.len(), "{response:?}"),
        other => panic!("{other:?} from {response:?} without its last byte"),
    }
    match parser.next(&wire) {
        ReplyStep::Reply {
            response: read,
            consumed,
        } => {
            assert_eq!(read, *response, "read from {}", wire.escape_ascii());
            assert_eq!(consumed, wire.len(), "consumed of {}", wire.escape_ascii());
        }
        other => panic!("{other:?} from {}", wire.escape_ascii()),
    }
}

/// A number: one of those at the edges as often as not, for chance alone never gets there.
#[derive(Clone, Copy, Debug)]
struct Edgy<N>(N);

impl<'a> Arbitrary<'a> for Edgy<i32> {
    fn arbitrary(source: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let edges = [i32::MIN, i32::MAX, 0, -1];
        let choice = usize::from(u8::arbitrary(source)?) % 8;
        edges
            .get(choice)
            .map_or_else(|| i32::arbitrary(source), |&edge| Ok(edge))
            .map(Edgy)
    }
}

impl<'a> Arbitrary<'a> for Edgy<u64> {
    fn arbitrary(source: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let edges = [u64::MAX, 0, 1 << 63, u64::from(u32::MAX)];
        let choice = usize::from(u8::arbitrary(source)?) % 8;
        edges
            .get(choice)
            .map_or_else(|| u64::arbitrary(source), |&edge| Ok(edge))
            .map(Edgy)
    }
}

/// A word of a line: one byte or more, no blank, no line feed.
#[derive(Debug)]
struct Word(Vec<u8>);

/// The longest word that is made; keys may not be longer.
const WORD_BYTES_MAX: usize = 250;

impl Word {
    /// `bytes` with what a word may not hold replaced; `noreply`, which would mean something, is no word either.
    fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(WORD_BYTES_MAX)];
        let mut word: Vec<u8> = bytes
            .iter()
            .map(|&byte| if b" \n".contains(&byte) { b'_' } else { byte })
            .collect();
        if word.is_empty() || word == b"noreply" {
            word.push(b'x');
        }
        Word(word)
    }
}

impl<'a> Arbitrary<'a> for Word {
    fn arbitrary(source: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Word::of(<&[u8]>::arbitrary(source)?))
    }
}
