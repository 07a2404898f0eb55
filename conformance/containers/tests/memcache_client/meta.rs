//! The meta protocol through `memcache::exp`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use memcache::exp::{Memcache, Ttl};

use crate::harness::Outcome;
use crate::{Dialect, claims};

pub(crate) const DIALECT: Dialect = Dialect {
    name: "meta",
    // What the client sends is answered from this release on; before it a miss was `EN` for every command.
    releases: "1.6.12..",
    claims: claims![
        set_then_get_returns_the_value
        add_and_replace_say_whether_they_stored
        get_many_returns_the_keys_that_are_there
        counters_start_at_the_first_delta_and_stop_at_zero
        update_changes_a_value_under_its_unique_number
        take_reads_and_deletes
        a_stale_item_is_served_until_one_reader_renews_it
        inspect_tells_size_and_time_to_live
        a_noop_is_answered
    ],
};

/// `ms` that appends and may create (`N`) was seen to create on 1.6.38 and 1.6.45, and to answer `NS` on 1.6.18.
pub(crate) const APPEND_CREATES: Dialect = Dialect {
    name: "meta",
    releases: "1.6.38..",
    claims: claims![append_and_prepend_create_what_is_missing],
};

/// See [`APPEND_CREATES`].
pub(crate) const APPEND_REFUSES: Dialect = Dialect {
    name: "meta",
    releases: "1.6.12..1.6.18",
    claims: claims![append_to_a_missing_key_is_an_error],
};

const AN_HOUR: Ttl = Ttl::secs(3600);

fn client(address: SocketAddr) -> Result<Memcache, memcache::exp::Error> {
    Memcache::builder().timeout(Duration::from_secs(10)).connect([address])
}

fn set_then_get_returns_the_value(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", AN_HOUR)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("value"));
    assert_eq!(client.get::<String>("missing")?, None);
    client.delete("key")?;
    client.delete("missing")?;
    assert_eq!(client.get::<String>("key")?, None);
    Ok(())
}

fn add_and_replace_say_whether_they_stored(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    assert!(!client.replace("key", "first", AN_HOUR)?);
    assert!(client.add("key", "second", AN_HOUR)?);
    assert!(!client.add("key", "third", AN_HOUR)?);
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("second"));
    assert!(client.replace("key", "fourth", AN_HOUR)?);
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("fourth"));
    Ok(())
}

fn get_many_returns_the_keys_that_are_there(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set_many([("one", "1"), ("three", "3")], AN_HOUR)?;
    let found: HashMap<&str, String> = client.get_many(["one", "two", "three"])?;
    assert_eq!(found, HashMap::from([("one", "1".into()), ("three", "3".into())]));
    Ok(())
}

fn counters_start_at_the_first_delta_and_stop_at_zero(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    assert_eq!(client.incr("counter", 5, AN_HOUR)?, 5);
    assert_eq!(client.incr("counter", 5, AN_HOUR)?, 10);
    assert_eq!(client.decr("counter", 3, AN_HOUR)?, 7);
    assert_eq!(client.decr("counter", 100, AN_HOUR)?, 0);
    Ok(())
}

fn append_and_prepend_create_what_is_missing(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.append("key", b"b", AN_HOUR)?;
    client.append("key", b"c", AN_HOUR)?;
    client.prepend("key", b"a", AN_HOUR)?;
    assert_eq!(client.get::<Vec<u8>>("key")?.as_deref(), Some(b"abc".as_slice()));
    Ok(())
}

fn append_to_a_missing_key_is_an_error(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    let refused = client.append("key", b"b", AN_HOUR);
    assert!(matches!(refused, Err(memcache::exp::Error::Protocol(_))), "{refused:?}");
    assert_eq!(client.get::<Vec<u8>>("key")?, None);
    client.set("key", "b", AN_HOUR)?;
    client.append("key", b"c", AN_HOUR)?;
    assert_eq!(client.get::<Vec<u8>>("key")?.as_deref(), Some(b"bc".as_slice()));
    Ok(())
}

fn update_changes_a_value_under_its_unique_number(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    let mut calls = 0;
    let stored = client.update("key", AN_HOUR, |current: Option<String>| {
        calls += 1;
        if calls == 1 {
            // Another client changes the key between this one's read and its write, once.
            assert!(matches!(client.add("key", "other", AN_HOUR), Ok(true)));
        }
        format!("{}+1", current.unwrap_or_default())
    })?;
    assert_eq!((stored.as_str(), calls), ("other+1", 2));
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("other+1"));
    Ok(())
}

fn take_reads_and_deletes(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", AN_HOUR)?;
    assert_eq!(client.take::<String>("key")?.as_deref(), Some("value"));
    assert_eq!(client.take::<String>("key")?, None);
    Ok(())
}

fn a_stale_item_is_served_until_one_reader_renews_it(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "old", AN_HOUR)?;
    client.invalidate("key", Duration::from_secs(60))?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("old"));
    let renewed = client.fetch("key", AN_HOUR, || Ok::<_, std::io::Error>("new".to_owned()))?;
    assert_eq!(renewed, "new");
    let kept = client.fetch("key", AN_HOUR, || Err::<String, _>(std::io::Error::other("not asked")))?;
    assert_eq!(kept, "new");
    Ok(())
}

fn inspect_tells_size_and_time_to_live(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    assert_eq!(client.inspect("key")?, None);
    client.set("key", "value", AN_HOUR)?;
    let item = client.inspect("key")?.ok_or("the key was just set")?;
    assert_eq!((item.size, item.hit_before), (5, false));
    let left = item.ttl.ok_or("it was set to expire")?;
    assert!((3590..=3600).contains(&left.as_secs()), "{left:?}");
    client.get::<String>("key")?;
    assert!(client.inspect("key")?.ok_or("nothing has deleted it")?.hit_before);
    client.touch("key", Ttl::NEVER)?;
    assert_eq!(client.inspect("key")?.and_then(|item| item.ttl), None);
    Ok(())
}

fn a_noop_is_answered(address: SocketAddr) -> Outcome {
    Ok(client(address)?.meta().noop()?)
}
