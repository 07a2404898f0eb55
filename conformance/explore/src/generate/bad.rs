//! Lines that a server refuses, or takes in a way of its own; none of them changes an item.

/// A line and what it gets. `@` stands for a key, `#` for one of 251 bytes, `|` for a line's end. `@_` is a key that nothing
/// ever stores, `@!` one that nothing ever reads.
#[derive(Debug, Clone, Copy)]
pub struct Bad {
    /// What is sent, with the data block if the line seems to ask for one.
    pub request: &'static str,
    until_1_6_39: &'static str,
    since_1_6_40: &'static str,
    /// Whether it is a meta command.
    pub is_meta: bool,
}

impl Bad {
    /// What comes, from a release with the parser of before 1.6.40 or a newer one.
    pub(crate) fn reply(&self, is_old_parser: bool) -> &'static str {
        if is_old_parser {
            self.until_1_6_39
        } else {
            self.since_1_6_40
        }
    }
}

const ERROR: &str = "ERROR|";
const FORMAT: &str = "CLIENT_ERROR bad command line format|";
const FORMAT_ERROR: &str = "CLIENT_ERROR bad command line format|ERROR|";
const FORMAT_FORMAT: &str = "CLIENT_ERROR bad command line format|CLIENT_ERROR bad command line format|";
const CHUNK_ERROR: &str = "CLIENT_ERROR bad data chunk|ERROR|";
const CHUNK_FORMAT: &str = "CLIENT_ERROR bad data chunk|CLIENT_ERROR bad command line format|";
const TOKEN: &str = "CLIENT_ERROR bad token in command line format|";
const UNKNOWN: &str = "CLIENT_ERROR invalid flag|";
const USAGE: &str = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]|";
const MISS: &str = "END|";
const NOT_FOUND: &str = "NOT_FOUND|";
const DUPLICATE: &str = "CLIENT_ERROR duplicate flag|";
const INVALID_OR_DUPLICATE: &str = "CLIENT_ERROR invalid or duplicate flag|";
const EXPTIME: &str = "CLIENT_ERROR invalid exptime argument|";
const DELTA: &str = "CLIENT_ERROR invalid numeric delta argument|";
/// With `u`: without it memcached counts this refusal as a fetch.
const OPAQUE: &str = "mg @ u Oxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|";

const fn text(request: &'static str, until_1_6_39: &'static str, since_1_6_40: &'static str) -> Bad {
    Bad {
        request,
        until_1_6_39,
        since_1_6_40,
        is_meta: false,
    }
}

const fn meta(request: &'static str, until_1_6_39: &'static str, since_1_6_40: &'static str) -> Bad {
    Bad {
        request,
        until_1_6_39,
        since_1_6_40,
        is_meta: true,
    }
}

/// The lines.
pub const BAD: [Bad; 86] = [
    text("get|", ERROR, FORMAT),
    text("gets|", ERROR, FORMAT),
    text("gat|", ERROR, FORMAT),
    text("gat 0|", "END|", FORMAT),
    text("gat abc @|", EXPTIME, EXPTIME),
    text("set @|", ERROR, FORMAT),
    text("set @ 0 0|", ERROR, FORMAT),
    text("set @ abc 0 1|x|", FORMAT_ERROR, FORMAT),
    text("set @ 0 abc 1|x|", FORMAT_ERROR, FORMAT),
    text("set @ -1 0 1|x|", FORMAT_ERROR, FORMAT),
    text("set @ 0 0 abc|x|", FORMAT_ERROR, FORMAT_FORMAT),
    text("set @ 0 0 -1|x|", FORMAT_ERROR, FORMAT_FORMAT),
    text("set @ 0 0 1|xyz|", CHUNK_ERROR, CHUNK_FORMAT),
    text("add @ 0 0 5|ab|mn|", CHUNK_ERROR, CHUNK_FORMAT),
    text("append @ 0 0 1|xyz|", CHUNK_ERROR, CHUNK_FORMAT),
    text("set @ 0 0 1 noreply|xyz|", ERROR, FORMAT),
    text("cas @ 0 0 1 abc|x|", FORMAT_ERROR, FORMAT),
    text("cas @ 0 0 1|x|", "ERROR|ERROR|", FORMAT),
    text("delete|", ERROR, FORMAT),
    text("incr @|", ERROR, FORMAT),
    text("incr @ abc|", DELTA, DELTA),
    text("incr @ -1|", DELTA, DELTA),
    text("decr @ 18446744073709551616|", DELTA, DELTA),
    text("touch @|", ERROR, FORMAT),
    text("touch @ abc|", EXPTIME, EXPTIME),
    text("flush_all abc|", EXPTIME, EXPTIME),
    text("verbosity|", ERROR, FORMAT),
    text("bogus @|", ERROR, ERROR),
    text("GET @|", ERROR, ERROR),
    text("|", ERROR, FORMAT),
    text("delete @_ 0|", NOT_FOUND, NOT_FOUND),
    text("delete @_ 5|", USAGE, NOT_FOUND),
    text("delete @_ abc|", USAGE, NOT_FOUND),
    text("incr @_ 1x|", DELTA, DELTA),
    text("incr @_ 0x10|", DELTA, DELTA),
    text("incr @_ 0.2|", DELTA, DELTA),
    text("incr @_ 1 2|", NOT_FOUND, NOT_FOUND),
    text("incr @_ 1 norep|", NOT_FOUND, NOT_FOUND),
    text("decr @_ 1 NOREPLY|", NOT_FOUND, NOT_FOUND),
    text("append @_ 0 0 1 1|x|", "NOT_STORED|", "NOT_STORED|"),
    text("touch @_ 1x|", EXPTIME, EXPTIME),
    text("touch @_ 0.2|", EXPTIME, EXPTIME),
    text("flush_all 0.5|", EXPTIME, EXPTIME),
    text("set @ 1x 0 1|x|", FORMAT_ERROR, FORMAT),
    text("set @ 0 0 1x|x|", FORMAT_ERROR, FORMAT_FORMAT),
    text("set @! 0 8000000000 1|x|", "STORED|", "STORED|"),
    text("bogus|", ERROR, ERROR),
    text("bogus noreply|", ERROR, ""),
    text("set @ 1x 0 1 noreply|x|", ERROR, ""),
    text("touch @_ abc noreply|", "", ""),
    text("get noreply|", MISS, MISS),
    text("get @,c|", MISS, MISS),
    text("get  @_|", MISS, MISS),
    text("get @_ |", MISS, MISS),
    text(" get @_|", MISS, ERROR),
    text("getx @_|", ERROR, ERROR),
    text("del @_|", ERROR, ERROR),
    text("get @\tx|", MISS, MISS),
    text("get @\rx|", MISS, MISS),
    text("touch @\0 60|", ERROR, "NOT_FOUND|"),
    text("delete #|", FORMAT, FORMAT),
    text("set # 0 0 1|x|", FORMAT_ERROR, FORMAT),
    text("touch # 0|", FORMAT, FORMAT),
    text("incr # 1|", FORMAT, FORMAT),
    meta("mg # v|", FORMAT, FORMAT),
    meta("ms # 1|x|", FORMAT_ERROR, FORMAT),
    meta("md #|", FORMAT, FORMAT),
    meta("mg @_ z|", UNKNOWN, UNKNOWN),
    meta("mg @_ q z|", UNKNOWN, UNKNOWN),
    meta("mg|", ERROR, FORMAT),
    meta("mg @ v v|", DUPLICATE, DUPLICATE),
    meta("mg @ Tabc|", TOKEN, TOKEN),
    meta("mg @ N|", TOKEN, TOKEN),
    meta(
        OPAQUE,
        "CLIENT_ERROR opaque token too long|",
        "CLIENT_ERROR opaque token too long|",
    ),
    meta(
        "mg !!! b v|",
        "CLIENT_ERROR error decoding key|",
        "CLIENT_ERROR error decoding key|",
    ),
    meta("ms @ abc|x|", FORMAT_ERROR, FORMAT_FORMAT),
    meta("ms @ -1|x|", FORMAT_ERROR, FORMAT_FORMAT),
    meta("ms @ 2|hello|", CHUNK_ERROR, CHUNK_FORMAT),
    meta("ms @ 2 c c|hi|", DUPLICATE, DUPLICATE),
    meta("ms @ 2 Tabc|hi|", TOKEN, TOKEN),
    meta("ms @ 2 Cabc|hi|", TOKEN, TOKEN),
    meta(
        "ms @ 2 MX|hi|",
        "CLIENT_ERROR invalid mode for ms M token|",
        "CLIENT_ERROR invalid mode for ms M token|",
    ),
    meta("md @ q q|", INVALID_OR_DUPLICATE, DUPLICATE),
    meta("md @ Cx|", INVALID_OR_DUPLICATE, TOKEN),
    meta("ma @ Dabc|", INVALID_OR_DUPLICATE, INVALID_OR_DUPLICATE),
    meta(
        "ma @ MX|",
        "CLIENT_ERROR invalid mode for ma M token|",
        "CLIENT_ERROR invalid mode for ma M token|",
    ),
];
