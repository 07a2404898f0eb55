//! What memcached 1.6.45 was seen to make of numbers and flags that only it would read so.

use refcached_protocol::meta::{MetaCommand, MetaSetMode};
use refcached_protocol::request::{Direction, Exptime, StoreVerb};
use refcached_protocol::{Limits, Parser, Request, Step};

/// Looks at the one request in `stream`.
fn with_request<T>(stream: &str, look: impl FnOnce(&Request<'_>) -> T) -> T {
    let mut parser = Parser::new(Limits::default());
    match parser.next(stream.as_bytes()) {
        Step::Request { request, consumed } if consumed == stream.len() => look(&request),
        other => panic!("{stream:?} is {other:?}"),
    }
}

#[test]
fn the_numbers_of_a_storage_command_are_read_as_c_reads_them() {
    for (flags, exptime, client_flags, seconds) in [
        ("4294967296", "+5", 0, 5),
        ("+5", "5\tx", 5, 5),
        ("\t7", "2147483648", 7, i32::MIN),
        ("18446744073709551615", "-2147483649", u32::MAX, i32::MAX),
    ] {
        with_request(&format!("set k {flags} {exptime} 1\r\nx\r\n"), |request| {
            let Request::Store(store) = request else {
                panic!("{request:?}")
            };
            assert_eq!(
                (store.client_flags, store.exptime),
                (client_flags, Exptime(seconds)),
                "{flags} {exptime}"
            );
        });
    }
}

#[test]
fn a_cas_value_is_read_strictly() {
    with_request("cas k 0 0 1 18446744073709551615 noreply\r\nx\r\n", |request| {
        let Request::Store(store) = request else {
            panic!("{request:?}")
        };
        assert_eq!((store.verb, store.noreply), (StoreVerb::Cas { unique: u64::MAX }, true));
    });
    for unique in ["+64", "64\t", "64x", "-64", "00000000000000000000064"] {
        let stream = format!("cas k 0 0 1 {unique}\r\nx\r\n");
        let mut parser = Parser::new(Limits::default());
        let step = parser.next(stream.as_bytes());
        assert!(matches!(step, Step::Refused { .. }), "{unique}: {step:?}");
    }
}

#[test]
fn every_mode_of_ma_has_its_direction() {
    for (mode, expected) in [
        ("", Direction::Increment),
        ("MI", Direction::Increment),
        ("M+", Direction::Increment),
        ("MIncr", Direction::Increment),
        ("MD", Direction::Decrement),
        ("M-", Direction::Decrement),
        ("MDecr", Direction::Decrement),
    ] {
        with_request(&format!("ma k {mode}\r\n"), |request| {
            let Request::Meta(meta) = request else {
                panic!("{request:?}")
            };
            assert_eq!(meta.command, MetaCommand::Arithmetic { direction: expected }, "{mode}");
        });
    }
}

#[test]
fn every_mode_of_ms_has_its_meaning() {
    for (mode, expected) in [
        ("", MetaSetMode::Set),
        ("MS", MetaSetMode::Set),
        ("ME", MetaSetMode::Add),
        ("MA", MetaSetMode::Append),
        ("MAppend", MetaSetMode::Append),
        ("MP", MetaSetMode::Prepend),
        ("MR", MetaSetMode::Replace),
    ] {
        with_request(&format!("ms k 1 {mode}\r\nx\r\n"), |request| {
            let Request::Meta(meta) = request else {
                panic!("{request:?}")
            };
            assert_eq!(
                meta.command,
                MetaCommand::Set {
                    value: b"x",
                    mode: expected
                },
                "{mode}"
            );
        });
    }
}

#[test]
fn flags_keep_the_order_of_the_request() {
    with_request("mg k t  Oab f N30 k\r\n", |request| {
        let Request::Meta(meta) = request else {
            panic!("{request:?}")
        };
        let flags: Vec<(u8, &[u8])> = meta.flags.iter().map(|flag| (flag.code, flag.token)).collect();
        assert_eq!(
            flags,
            [(b't', &b""[..]), (b'O', b"ab"), (b'f', b""), (b'N', b"30"), (b'k', b"")]
        );
    });
}

#[test]
fn flush_all_takes_a_negative_delay_there_and_back() {
    with_request("flush_all -5 noreply\r\n", |request| {
        let mut wire = Vec::new();
        request.encode(&mut wire);
        assert_eq!(wire, b"flush_all -5 noreply\r\n");
    });
}

#[test]
fn a_command_that_waits_for_its_data_behind_a_swallowed_block_wants_no_more_than_its_own_length() {
    let mut parser = Parser::new(Limits {
        item_bytes_max: 100,
        ..Limits::default()
    });
    let step = parser.next(b"set k 0 0 200\r\n");
    assert!(matches!(step, Step::Refused { consumed: 15, .. }), "{step:?}");
    let mut stream = vec![b'x'; 200];
    stream.extend_from_slice(b"\r\nset k 0 0 5\r\nab");
    assert_eq!(
        parser.next(&stream),
        Step::Incomplete {
            consumed: 202,
            wanted: 13 + 7
        }
    );
    let step = parser.next(b"set k 0 0 5\r\nabcde\r\n");
    assert!(matches!(step, Step::Request { consumed: 20, .. }), "{step:?}");
}
