//! The classic text protocol through `memcache::Client`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use memcache::{Client, CommandError, MemcacheError};

use crate::harness::Outcome;
use crate::{Dialect, claims};

pub(crate) const DIALECT: Dialect = Dialect {
    name: "ascii",
    releases: "1.4..",
    claims: claims![
        version_is_answered
        set_then_get_returns_the_value_and_its_flags
        get_of_a_missing_key_is_none
        a_value_may_hold_any_byte
        an_empty_value_is_a_value
        gets_returns_the_keys_that_are_there
        append_and_prepend_extend_the_value
        add_and_replace_store_when_their_condition_holds
        stores_that_are_refused_are_reported_as_stored
        cas_stores_once_per_unique_number
        delete_says_whether_there_was_a_key
        touch_says_whether_there_was_a_key
        counters_count_and_stop_at_zero
        a_counter_that_is_missing_is_an_error
        a_value_over_the_limit_is_an_error_and_the_next_call_works
        flush_empties_the_server
        stats_are_never_seen_and_the_next_call_works
        every_call_asks_for_the_version_first
    ],
};

fn client(address: SocketAddr) -> Result<Client, MemcacheError> {
    Client::connect(format!("memcache://{address}?protocol=ascii&timeout=10"))
}

fn version_is_answered(address: SocketAddr) -> Outcome {
    let versions = client(address)?.version()?;
    assert_eq!(versions.len(), 1);
    assert!(versions[0].1.starts_with(|c: char| c.is_ascii_digit()), "{versions:?}");
    Ok(())
}

fn set_then_get_returns_the_value_and_its_flags(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("text", "value", 0)?;
    assert_eq!(client.get::<String>("text")?.as_deref(), Some("value"));
    // The client tells its own types apart by the flags 0 and 1: bytes, and text.
    client.set("bytes", b"value".as_slice(), 0)?;
    let stored: HashMap<String, (Vec<u8>, u32, Option<u64>)> = client.gets(&["text", "bytes"])?;
    assert_eq!(stored["text"].0, stored["bytes"].0);
    assert_eq!((stored["text"].1, stored["bytes"].1), (0, 0));
    assert_ne!(
        stored["text"].2, stored["bytes"].2,
        "each change has a number of its own"
    );
    Ok(())
}

fn get_of_a_missing_key_is_none(address: SocketAddr) -> Outcome {
    assert_eq!(client(address)?.get::<String>("missing")?, None);
    Ok(())
}

fn a_value_may_hold_any_byte(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    let value: Vec<u8> = (0..=255).chain(*b"\r\nEND\r\nSTORED\r\n").collect();
    client.set("bytes", value.as_slice(), 0)?;
    assert_eq!(client.get::<Vec<u8>>("bytes")?, Some(value));
    Ok(())
}

fn an_empty_value_is_a_value(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("empty", "", 0)?;
    assert_eq!(client.get::<String>("empty")?.as_deref(), Some(""));
    Ok(())
}

fn gets_returns_the_keys_that_are_there(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("one", "1", 0)?;
    client.set("three", "3", 0)?;
    let found: HashMap<String, String> = client.gets(&["one", "two", "three"])?;
    assert_eq!(
        found,
        HashMap::from([("one".into(), "1".into()), ("three".into(), "3".into())])
    );
    Ok(())
}

fn append_and_prepend_extend_the_value(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "b", 0)?;
    client.append("key", "c")?;
    client.prepend("key", "a")?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("abc"));
    Ok(())
}

fn add_and_replace_store_when_their_condition_holds(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.add("key", "added", 0)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("added"));
    client.replace("key", "replaced", 0)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("replaced"));
    Ok(())
}

/// A quirk of the client: it drops `NOT_STORED`. What the server did shows in the next `get`.
fn stores_that_are_refused_are_reported_as_stored(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("there", "first", 0)?;
    client.add("there", "second", 0)?;
    assert_eq!(client.get::<String>("there")?.as_deref(), Some("first"));
    client.replace("missing", "value", 0)?;
    client.append("missing", "value")?;
    client.prepend("missing", "value")?;
    assert_eq!(client.get::<String>("missing")?, None);
    Ok(())
}

fn cas_stores_once_per_unique_number(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "first", 0)?;
    let (_, _, unique): (Vec<u8>, u32, Option<u64>) = client.get("key")?.ok_or("the key was just set")?;
    let unique = unique.ok_or("`gets` names a unique number")?;
    assert!(client.cas("key", "second", 0, unique)?);
    assert!(!client.cas("key", "third", 0, unique)?);
    assert!(!client.cas("missing", "value", 0, unique)?);
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("second"));
    Ok(())
}

fn delete_says_whether_there_was_a_key(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", 0)?;
    assert!(client.delete("key")?);
    assert!(!client.delete("key")?);
    assert_eq!(client.get::<String>("key")?, None);
    Ok(())
}

fn touch_says_whether_there_was_a_key(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", 0)?;
    assert!(client.touch("key", 1000)?);
    assert!(!client.touch("missing", 1000)?);
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("value"));
    Ok(())
}

fn counters_count_and_stop_at_zero(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("counter", "10", 0)?;
    assert_eq!(client.increment("counter", 5)?, 15);
    assert_eq!(client.decrement("counter", 6)?, 9);
    assert_eq!(client.decrement("counter", 100)?, 0);
    client.set("counter", u64::MAX.to_string(), 0)?;
    assert_eq!(client.increment("counter", 2)?, 1, "it wraps at 2^64");
    Ok(())
}

fn a_counter_that_is_missing_is_an_error(address: SocketAddr) -> Outcome {
    let refused = client(address)?.increment("missing", 1);
    assert!(
        matches!(refused, Err(MemcacheError::CommandError(CommandError::KeyNotFound))),
        "{refused:?}"
    );
    Ok(())
}

fn a_value_over_the_limit_is_an_error_and_the_next_call_works(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    let refused = client.set("key", vec![b'x'; 1024 * 1024 + 1].as_slice(), 0);
    assert!(matches!(refused, Err(MemcacheError::ServerError(_))), "{refused:?}");
    client.set("key", "small", 0)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("small"));
    Ok(())
}

fn flush_empties_the_server(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    client.set("key", "value", 0)?;
    client.flush()?;
    assert_eq!(client.get::<String>("key")?, None);
    Ok(())
}

/// A quirk of the client: it stops at the first line of the answer. The rest makes its connection useless, which the
/// pool notices and mends.
fn stats_are_never_seen_and_the_next_call_works(address: SocketAddr) -> Outcome {
    let client = client(address)?;
    let stats = client.stats()?;
    assert_eq!(stats.len(), 1);
    assert!(stats[0].1.is_empty(), "{stats:?}");
    client.set("key", "value", 0)?;
    assert_eq!(client.get::<String>("key")?.as_deref(), Some("value"));
    Ok(())
}

/// A quirk of the client: its pool checks a connection before each use.
fn every_call_asks_for_the_version_first(address: SocketAddr) -> Outcome {
    let (proxy, sent) = recorder(address)?;
    let client = client(proxy)?;
    client.set("key", "value", 0)?;
    client.delete("key")?;
    drop(client);
    let sent = sent.join().map_err(|_| "the recorder panicked")??;
    let sent = String::from_utf8(sent)?;
    // Twice while it sets itself up (the timeouts to read and to write), then once per call.
    let set_up = sent.strip_prefix("version\r\nversion\r\n");
    assert_eq!(
        set_up,
        Some("version\r\nset key 0 0 5\r\nvalue\r\nversion\r\ndelete key\r\n"),
        "{sent:?}"
    );
    Ok(())
}

/// A proxy for one connection that keeps what the client sends.
fn recorder(server: SocketAddr) -> std::io::Result<(SocketAddr, JoinHandle<std::io::Result<Vec<u8>>>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let recording = thread::spawn(move || {
        let (mut client, _) = listener.accept()?;
        let mut server = TcpStream::connect(server)?;
        let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
        let answering = thread::spawn(move || std::io::copy(&mut answers, &mut back));
        let (mut sent, mut chunk) = (Vec::new(), [0; 1024]);
        loop {
            let n = client.read(&mut chunk)?;
            if n == 0 {
                break;
            }
            sent.extend_from_slice(&chunk[..n]);
            server.write_all(&chunk[..n])?;
        }
        server.shutdown(Shutdown::Both)?;
        answering
            .join()
            .map_err(|_| std::io::Error::other("the answering half panicked"))??;
        Ok(sent)
    });
    Ok((address, recording))
}
