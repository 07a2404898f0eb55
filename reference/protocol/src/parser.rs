//! Bytes to requests.

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::request::Request;

/// What [`Parser::next`] found at the beginning of the input. The caller drops `consumed` bytes, whatever the step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Not a whole command yet.
    Incomplete {
        /// Bytes that are done with: the data block of a refused command is swallowed as it comes.
        consumed: usize,
        /// How many bytes the input must hold, after `consumed` has been dropped, before it is worth asking again. More than
        /// the whole command is never asked for, so reserving this much once is right for a large value.
        wanted: usize,
    },
    /// A command to execute.
    Request {
        /// The command.
        request: Request<'a>,
        /// Its length, data block included.
        consumed: usize,
    },
    /// A command to refuse.
    Refused {
        /// What to answer.
        refusal: Refusal<'a>,
        /// The bytes that were judged. A data block that must be swallowed follows in later steps.
        consumed: usize,
    },
}

/// Finds the commands in a stream of bytes. One parser per connection.
///
/// The caller keeps one growing buffer, calls [`Parser::next`] with all bytes that are not consumed yet, drops the
/// `consumed` bytes after each step, and reads more when the step is [`Step::Incomplete`].
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// Where a base64 key is decoded to.
    scratch: [u8; Limits::KEY_BYTES_CEILING],
    /// Bytes of a refused data block, its CR LF included, that are still to come.
    swallow: u64,
    /// Bytes at the beginning of the input that are known to hold no end of line.
    scanned: usize,
    /// Nothing has been consumed yet.
    fresh: bool,
}

impl Parser {
    /// A parser for one new connection.
    pub fn new(limits: Limits) -> Self {
        Parser {
            limits,
            scratch: [0; Limits::KEY_BYTES_CEILING],
            swallow: 0,
            scanned: 0,
            fresh: true,
        }
    }

    /// Judges the beginning of `input`, which must begin with the bytes that the last step did not consume.
    pub fn next<'a>(&'a mut self, input: &'a [u8]) -> Step<'a> {
        let _ = (
            &self.limits,
            &self.scratch,
            self.swallow,
            self.scanned,
            self.fresh,
        );
        Step::Incomplete {
            consumed: 0,
            wanted: input.len() + 1,
        }
    }
}
