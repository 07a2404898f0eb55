//! `me`: what is known of an item, for people.

use refcached_protocol::base64;
use refcached_protocol::meta::MetaRequest;
use refcached_protocol::meta_reply::{MetaCode, MetaWriter};

use crate::engine::Engine;
use crate::engine::statistics::CLASS;
use crate::item::{Item, Marks};
use crate::store::{Access, Store};
use crate::time::Timestamp;

impl<S: Store> Engine<S> {
    pub(super) fn meta_debug(
        &self,
        request: &MetaRequest<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        self.read(request.key.bytes, now, |current| {
            match current {
                None => MetaWriter::code(out, MetaCode::Miss).finish(),
                Some(item) => write(&item, now, out),
            }
            (Access::Ignore, ())
        })
    }
}

fn write(item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ME ");
    let attributes = &item.attributes;
    if item.has_base64_key() {
        base64::encode(item.key, out);
    } else {
        out.extend_from_slice(item.key);
    }
    let exp = match attributes.expiry.remaining_s(now) {
        None => String::from("-1"),
        Some(seconds) => seconds.to_string(),
    };
    let fetch = if attributes.marks.has(Marks::FETCHED) {
        "yes"
    } else {
        "no"
    };
    let line = format!(
        " exp={exp} la={} cas={} fetch={fetch} cls={CLASS} size={}\r\n",
        attributes.idle_s(now),
        attributes.cas,
        item.bytes(),
    );
    out.extend_from_slice(line.as_bytes());
}
