//! The binary protocol, which `memcache::Client` speaks unless told otherwise. Only real memcached is asked: the
//! protocol text calls it deprecated, and the suite's claims are about text.

use std::net::SocketAddr;

use memcache::{Client, CommandError, MemcacheError};

use crate::harness::Outcome;
use crate::{Dialect, claims};

pub(crate) const DIALECT: Dialect = Dialect {
    name: "binary",
    releases: "1.4..",
    claims: claims![
        set_then_get_returns_the_value
        stores_that_are_refused_are_errors
        a_counter_that_is_missing_starts_at_zero
        both_protocols_see_the_same_items
        stats_are_seen
    ],
};

fn client(address: SocketAddr) -> Result<Client, MemcacheError> {
    Client::connect(format!("memcache://{address}?timeout=10"))
}

fn set_then_get_returns_the_value(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", 0)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("value"));
    assert_eq!(client.get::<String>("missing")?, None);
    Ok(())
}

fn stores_that_are_refused_are_errors(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("there", "first", 0)?;
    let added = client.add("there", "second", 0);
    assert!(
        matches!(added, Err(MemcacheError::CommandError(CommandError::KeyExists))),
        "{added:?}"
    );
    let replaced = client.replace("missing", "value", 0);
    assert!(
        matches!(replaced, Err(MemcacheError::CommandError(CommandError::KeyNotFound))),
        "{replaced:?}"
    );
    assert!(client.append("missing", "value").is_err());
    assert_eq!(client.get::<String>("there")?.as_deref(), Some("first"));
    Ok(())
}

fn a_counter_that_is_missing_starts_at_zero(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    assert_eq!(client.increment("counter", 7)?, 0);
    assert_eq!(client.increment("counter", 7)?, 7);
    Ok(())
}

fn both_protocols_see_the_same_items(address: SocketAddr) -> Outcome {
    let binary = client(address)?;
    let ascii = Client::connect(format!("memcache://{address}?protocol=ascii&timeout=10"))?;
    binary.set("key", "value", 0)?;
    assert_eq!(ascii.get::<String>("key")?.as_deref(), Some("value"));
    ascii.append("key", "s")?;
    assert_eq!(binary.get::<String>("key")?.as_deref(), Some("values"));
    Ok(())
}

fn stats_are_seen(address: SocketAddr) -> Outcome {
    let stats = client(address)?.stats()?;
    assert!(stats[0].1.contains_key("curr_items"), "{stats:?}");
    Ok(())
}
