//! `lru_crawler`: dropping what has expired, and listing what has not.

use refcached_protocol::request::Arguments;
use refcached_protocol::{Response, base64};

use super::administration::{parse, words};
use super::statistics::{CLASS, CLASS_MAX};
use super::{Cursor, Engine, Progress};
use crate::item::{Item, Marks};
use crate::store::{ScanPosition, Store};
use crate::time::{Expiry, Timestamp};
use crate::watch::uri_encode;

/// The longest that a crawler may sleep between two items, in microseconds.
const SLEEP_MAX_US: u32 = 1_000_000;

const NO_SUCH_CLASS: Response<'static> = Response::Notice(b"BADCLASS invalid class id");

/// A walk over the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// `crawl`: drops what has expired.
    Crawl,
    /// `metadump`: the same, and lists what is left.
    Metadump,
    /// `mgdump`: lists it as `mg` commands.
    Mgdump,
}

impl<S: Store> Engine<S> {
    /// `lru_crawler` and its topics. There is no thread that crawls: `crawl` is done when it is answered, so that it is never
    /// `BUSY`, and so are the dumps. All three pause after each part of the store; a dump puts one part more into the
    /// output than [`crate::Options::reply_bytes_max`] says.
    pub(super) fn lru_crawler(&self, arguments: &Arguments<'_>, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        let enabled = self.environment.tuning().crawler;
        let answer = match (walk(arguments), enabled) {
            (None, _) => self.tune_crawler(arguments),
            (Some(_), false) => Response::ClientError(b"lru crawler disabled"),
            (Some(walk), true) => match visits_items(arguments, walk) {
                None => NO_SUCH_CLASS,
                // Nobody would read the list.
                Some(_) if arguments.noreply && walk != Walk::Crawl => return Progress::Done,
                Some(visits) => {
                    if walk != Walk::Crawl {
                        Response::Ok.encode(out);
                    }
                    if visits {
                        return self.resume_crawl(arguments, Cursor(0), now, out);
                    }
                    walk.end()
                }
            },
        };
        if !arguments.noreply {
            answer.encode(out);
        }
        Progress::Done
    }

    /// Goes on with a walk, by one part of the store.
    pub(super) fn resume_crawl(
        &self,
        arguments: &Arguments<'_>,
        from: Cursor,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Progress {
        let Some(walk) = walk(arguments) else {
            return Progress::Done;
        };
        let before = out.len();
        match self.store.scan(ScanPosition(from.0), now, |item| walk.list(&item, out)) {
            Ok(Some(next)) => return Progress::More(Cursor(next.0)),
            Ok(None) => walk.end().encode(out),
            Err(error) => self.failure(&error, out),
        }
        if arguments.noreply {
            out.truncate(before);
        }
        Progress::Done
    }

    /// The topics that set something.
    fn tune_crawler(&self, arguments: &Arguments<'_>) -> Response<'static> {
        let mut words = words(arguments);
        let mut tuning = self.environment.tuning();
        match (words.next(), words.next(), words.next()) {
            (Some(b"enable"), None, _) if tuning.crawler => {
                Response::Notice(b"ERROR failed to start lru crawler thread")
            }
            (Some(name @ (b"enable" | b"disable")), None, _) => {
                tuning.crawler = name == b"enable";
                Response::Ok
            }
            (Some(name @ (b"sleep" | b"tocrawl")), Some(number), None) => match (name, parse::<u32>(number)) {
                (_, None) => Response::ClientError(b"bad command line format"),
                (b"sleep", Some(number)) if number > SLEEP_MAX_US => {
                    Response::ClientError(b"sleep must be one second or less")
                }
                (b"sleep", Some(number)) => {
                    tuning.crawler_sleep_us = number;
                    Response::Ok
                }
                (_, Some(number)) => {
                    tuning.crawler_tocrawl = number;
                    Response::Ok
                }
            },
            _ => Response::Error,
        }
    }
}

/// Which walk is asked for, if it is one.
fn walk(arguments: &Arguments<'_>) -> Option<Walk> {
    let mut words = words(arguments);
    match (words.next(), words.next(), words.next()) {
        (Some(b"crawl"), Some(_), None) => Some(Walk::Crawl),
        (Some(b"metadump"), Some(_), None) => Some(Walk::Metadump),
        (Some(b"mgdump"), Some(_), None) => Some(Walk::Mgdump),
        _ => None,
    }
}

/// Whether the class that all items are in is among those asked for; `None` if there is one that cannot be.
fn visits_items(arguments: &Arguments<'_>, walk: Walk) -> Option<bool> {
    let classes = words(arguments).nth(1)?;
    if classes == b"all" || (classes == b"hash" && walk != Walk::Crawl) {
        return Some(true);
    }
    let mut visits = false;
    for class in classes.split(|&byte| byte == b',').filter(|class| !class.is_empty()) {
        let class = parse::<u32>(class).filter(|class| (1..=CLASS_MAX).contains(class))?;
        visits |= class == CLASS;
    }
    Some(visits)
}

impl Walk {
    /// The last line of the answer.
    fn end(self) -> Response<'static> {
        match self {
            Walk::Crawl => Response::Ok,
            Walk::Metadump => Response::End,
            Walk::Mgdump => Response::Notice(b"EN"),
        }
    }

    /// Appends the line of an item.
    fn list(self, item: &Item<'_>, out: &mut Vec<u8>) {
        match self {
            Walk::Crawl => {}
            Walk::Metadump => write_metadump(item, out),
            Walk::Mgdump => {
                out.extend_from_slice(b"mg ");
                if item.has_base64_key() {
                    base64::encode(item.key, out);
                    out.extend_from_slice(b" b");
                } else {
                    out.extend_from_slice(item.key);
                }
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// One line of `metadump`, down to memcached's blank before a line end of LF alone.
fn write_metadump(item: &Item<'_>, out: &mut Vec<u8>) {
    let attributes = &item.attributes;
    let exp = match attributes.expiry {
        Expiry::NEVER => String::from("-1"),
        expiry => expiry.timestamp().map_or(0, Timestamp::unix_s).to_string(),
    };
    let fetch = if attributes.marks.has(Marks::FETCHED) {
        "yes"
    } else {
        "no"
    };
    let mut line = String::from("key=");
    uri_encode(item.key, &mut line);
    out.extend_from_slice(line.as_bytes());
    let rest = format!(
        " exp={exp} la={} cas={} fetch={fetch} cls={CLASS} size={} flags={} \n",
        attributes.accessed_unix_s,
        attributes.cas,
        item.bytes(),
        attributes.client_flags,
    );
    out.extend_from_slice(rest.as_bytes());
}
