//! Which lane a command belongs to.

use refcached_protocol::Request;
use refcached_protocol::meta::{MetaCommand, MetaRequest};
use refcached_protocol::request::{Arguments, StoreVerb};
use refcached_store::RedbStore;

use crate::batch::Next;

/// What a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing of the file.
    Nothing,
    /// To read in it.
    Read,
    /// To change it, perhaps.
    Write,
}

/// What `next` needs, of a dataset in which `store` knows some keys to be absent.
pub(super) fn need(next: Next<'_>, store: &RedbStore) -> Need {
    match next {
        Next::Request(request) => need_of(request, store),
        Next::Refusal(refusal) => match refusal.invalidate {
            Some(key) => unless_absent(key, store, Need::Write),
            None => Need::Nothing,
        },
    }
}

fn need_of(request: &Request<'_>, store: &RedbStore) -> Need {
    match request {
        Request::Retrieve(retrieve) => {
            if !retrieve.keys.into_iter().any(|key| store.may_contain(key)) {
                Need::Nothing
            } else if retrieve.touch.is_some() {
                Need::Write
            } else {
                Need::Read
            }
        }
        Request::Store(request) => match request.verb {
            StoreVerb::Set | StoreVerb::Add => Need::Write,
            // There has to be an item.
            StoreVerb::Replace | StoreVerb::Append | StoreVerb::Prepend | StoreVerb::Cas { .. } => {
                unless_absent(request.key, store, Need::Write)
            }
        },
        Request::Delete(delete) => unless_absent(delete.key, store, Need::Write),
        Request::Arithmetic(arithmetic) => unless_absent(arithmetic.key, store, Need::Write),
        Request::Touch(touch) => unless_absent(touch.key, store, Need::Write),
        Request::Meta(meta) => need_of_meta(meta, store),
        Request::FlushAll(_) => Need::Write,
        Request::Stats(_) => Need::Read,
        Request::LruCrawler(arguments) if drops_items(arguments) => Need::Write,
        Request::LruCrawler(_) => Need::Read,
        Request::MetaNoop
        | Request::Version
        | Request::Verbosity(_)
        | Request::Quit
        | Request::Shutdown(_)
        | Request::CacheMemlimit(_)
        | Request::Slabs(_)
        | Request::Lru(_)
        | Request::Watch(_) => Need::Nothing,
    }
}

fn need_of_meta(meta: &MetaRequest<'_>, store: &RedbStore) -> Need {
    let key = meta.key.bytes;
    let flags = &meta.flags;
    match meta.command {
        MetaCommand::Set { .. } => Need::Write,
        // It is made if it is not there.
        _ if flags.vivify.is_some() => Need::Write,
        MetaCommand::Get if flags.exptime.is_none() && flags.recache.is_none() => unless_absent(key, store, Need::Read),
        MetaCommand::Debug => unless_absent(key, store, Need::Read),
        MetaCommand::Get | MetaCommand::Delete | MetaCommand::Arithmetic { .. } => {
            unless_absent(key, store, Need::Write)
        }
    }
}

fn unless_absent(key: &[u8], store: &RedbStore, need: Need) -> Need {
    if store.may_contain(key) { need } else { Need::Nothing }
}

/// `lru_crawler crawl` drops what has expired; what else it does is to list.
fn drops_items(arguments: &Arguments<'_>) -> bool {
    arguments.words.into_iter().next() == Some(b"crawl")
}
