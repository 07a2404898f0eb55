//! Bytes to requests: lines are found, judged and joined with their data blocks here; what stands in a line is read by
//! [`crate::classic`] and [`crate::meta`].

use memchr::memchr;

use crate::classic;
use crate::limits::Limits;
use crate::meta_line;
use crate::refusal::{Refusal, RefusalKind};
use crate::request::Request;

/// The first byte of a request of the binary protocol.
const BINARY_MAGIC: u8 = 0x80;

/// Lines shorter than this, their end included, are refused unread: `mn` with a bare LF is one.
const LINE_BYTES_MIN: usize = 4;

/// The longest name that is looked for before the first blank, `replace` or `version`, plus one.
const VERB_BYTES_MAX: usize = 8;

/// So many blanks may stand before the `get` of a multi-get longer than [`Limits::line_bytes_max`].
const MULTIGET_BLANKS_MAX: usize = 100;

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
        /// Its length, data block included, and what was swallowed before it.
        consumed: usize,
    },
    /// A command to refuse.
    Refused {
        /// What to answer.
        refusal: Refusal<'a>,
        /// The bytes that were judged. A data block that must be swallowed is consumed in later steps.
        consumed: usize,
    },
}

/// Finds the commands in a stream of bytes. One parser per connection.
///
/// The caller keeps one growing buffer, calls [`Parser::next`] with all bytes that are not consumed yet, drops the
/// `consumed` bytes after each step, and reads more when the step is [`Step::Incomplete`]. After a refusal that
/// [closes](Refusal::closes) it does not call again.
///
/// A refusal comes as soon as the line is there. Memcached holds its answer back until the data block has been swallowed, if
/// there is one; a client that waits for the answer before it sends the block sees the difference, others do not.
///
/// How the stream is cut makes no difference, with one exception that memcached shares: a line longer than
/// [`Limits::line_bytes_max`] is read if its end is already there, and closes the connection if it is not.
///
/// A clone is a mark in the stream: a caller that keeps one beside its position can judge the same bytes again.
#[derive(Clone, Debug)]
pub struct Parser {
    limits: Limits,
    /// Where a base64 key is decoded to.
    scratch: [u8; Limits::KEY_BYTES_CEILING],
    /// Bytes of a refused data block, its CR LF included, that are still to come.
    swallow: u64,
    /// Bytes at the beginning of the input that are known to hold no end of line.
    scanned: usize,
    /// No byte has been seen yet.
    fresh: bool,
}

impl Parser {
    /// A parser for one new connection.
    pub fn new(mut limits: Limits) -> Self {
        limits.key_bytes_max = limits.key_bytes_max.min(Limits::KEY_BYTES_CEILING);
        Parser {
            limits,
            scratch: [0; Limits::KEY_BYTES_CEILING],
            swallow: 0,
            scanned: 0,
            fresh: true,
        }
    }

    /// How many bytes at the beginning of the input belong to a data block that was refused, if so many are there: the next
    /// step counts them among its `consumed` bytes, before those of a command.
    #[inline]
    pub fn swallowing(&self) -> u64 {
        self.swallow
    }

    /// Judges the beginning of `input`, which must begin with the bytes that the last step did not consume.
    #[inline]
    pub fn next<'a>(&'a mut self, input: &'a [u8]) -> Step<'a> {
        let skipped = self.skip(input);
        let input = &input[skipped..];
        if self.fresh && !input.is_empty() {
            self.fresh = false;
            if input[0] == BINARY_MAGIC {
                return refused(RefusalKind::BinaryProtocol, input.len());
            }
        }
        let Some(line_end) = self.line_end(input) else {
            return self.without_line_end(input, skipped);
        };
        if line_end + 1 < LINE_BYTES_MIN {
            return refused(RefusalKind::BadFormat, skipped + line_end + 1);
        }
        let command = Command::split(input, line_end, skipped);
        let step = match command.verb {
            [b'm', letter @ (b'g' | b's' | b'd' | b'a' | b'e' | b'n')] => {
                meta_line::read(*letter, &command, &self.limits, &mut self.scratch)
            }
            _ => classic::read(&command, &self.limits),
        };
        if let Step::Refused { refusal, .. } = &step {
            self.swallow = refusal.swallow;
        }
        step
    }

    /// Swallows what is left of a refused data block, and returns how many bytes that was.
    #[inline]
    fn skip(&mut self, input: &[u8]) -> usize {
        if self.swallow == 0 {
            return 0;
        }
        let skipped = usize::try_from(self.swallow).map_or(input.len(), |left| left.min(input.len()));
        self.swallow -= skipped as u64;
        skipped
    }

    /// Where the LF is that ends the first line.
    #[inline]
    fn line_end(&mut self, input: &[u8]) -> Option<usize> {
        let known = std::mem::take(&mut self.scanned).min(input.len());
        memchr(b'\n', &input[known..]).map(|offset| known + offset)
    }

    /// Waits for the end of the line, or gives up on it.
    #[cold]
    fn without_line_end<'a>(&mut self, input: &[u8], skipped: usize) -> Step<'a> {
        let is_long = input.len() > self.limits.line_bytes_max;
        if is_long && (input.len() > self.limits.multiget_line_bytes_max || !begins_multiget(input)) {
            return refused(RefusalKind::LineTooLong, skipped + input.len());
        }
        self.scanned = input.len();
        Step::Incomplete {
            consumed: skipped,
            wanted: input.len() + 1,
        }
    }
}

/// One command line, cut at its first blank, and the bytes after it.
pub(crate) struct Command<'a> {
    /// What stands before the first blank, but no more than eight bytes. Empty if the line begins with a blank.
    pub(crate) verb: &'a [u8],
    /// The rest of the line, without its end.
    pub(crate) arguments: &'a [u8],
    /// The whole line without its end.
    pub(crate) line: &'a [u8],
    /// What follows the line in the input: the data block, or its beginning.
    pub(crate) after: &'a [u8],
    /// The line's length with its end, and what was swallowed before it.
    pub(crate) consumed: usize,
    /// How much of `consumed` was swallowed before the line.
    skipped: usize,
}

impl<'a> Command<'a> {
    #[inline]
    fn split(input: &'a [u8], line_end: usize, skipped: usize) -> Self {
        let (line, after) = (&input[..line_end], &input[line_end + 1..]);
        let consumed = skipped + line_end + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let blank = line
            .iter()
            .take(VERB_BYTES_MAX)
            .position(|&byte| byte == b' ')
            .unwrap_or(line.len().min(VERB_BYTES_MAX));
        let (verb, arguments) = line.split_at(blank);
        Command {
            verb,
            arguments,
            line,
            after,
            consumed,
            skipped,
        }
    }

    /// The step of a command that is its line and nothing more.
    #[inline]
    pub(crate) fn step(&self, request: Request<'a>) -> Step<'a> {
        Step::Request {
            request,
            consumed: self.consumed,
        }
    }

    /// The step of a line that is refused.
    #[cold]
    pub(crate) fn refuse(&self, refusal: Refusal<'a>) -> Step<'a> {
        Step::Refused {
            refusal,
            consumed: self.consumed,
        }
    }

    /// The step of a command with a data block of `length` bytes, made of the block by `request` once it is there.
    /// `silent` says whether a block that does not end in CR LF is answered.
    #[inline]
    pub(crate) fn step_with_data(
        &self,
        length: usize,
        silent: bool,
        request: impl FnOnce(&'a [u8]) -> Request<'a>,
    ) -> Step<'a> {
        let block = length + 2;
        let Some(data) = self.after.get(..block) else {
            let wanted = self.consumed - self.skipped + block;
            return Step::Incomplete {
                consumed: self.skipped,
                wanted,
            };
        };
        let consumed = self.consumed + block;
        match data.strip_suffix(b"\r\n") {
            Some(value) => Step::Request {
                request: request(value),
                consumed,
            },
            None => Step::Refused {
                refusal: Refusal::new(RefusalKind::BadDataChunk).silent_if(silent),
                consumed,
            },
        }
    }
}

#[cold]
fn refused<'a>(kind: RefusalKind, consumed: usize) -> Step<'a> {
    Step::Refused {
        refusal: Refusal::new(kind),
        consumed,
    }
}

/// Whether a line without an end may grow beyond [`Limits::line_bytes_max`].
fn begins_multiget(input: &[u8]) -> bool {
    let blanks = input.iter().take_while(|&&byte| byte == b' ').count();
    let word = &input[blanks..];
    blanks <= MULTIGET_BLANKS_MAX && (word.starts_with(b"get ") || word.starts_with(b"gets "))
}
