//! Bytes that are no reply of memcached are told from those that are.

use refcached_protocol::reply::ReplyFault;
use refcached_protocol::{ReplyLimits, ReplyParser, ReplyStep, Response};

fn first(input: &[u8]) -> ReplyStep<'_> {
    ReplyParser::new(ReplyLimits {
        line_bytes_max: 40,
        value_bytes_max: 10,
    })
    .next(input)
}

#[test]
fn what_is_no_reply_is_malformed() {
    for (input, fault) in [
        ("OK\n", ReplyFault::BareLineFeed),
        ("\r\n", ReplyFault::UnknownLine),
        ("hello\r\n", ReplyFault::UnknownLine),
        ("-1\r\n", ReplyFault::UnknownLine),
        ("18446744073709551616\r\n", ReplyFault::UnknownLine),
        ("<html>\r\n", ReplyFault::UnknownLine),
        ("VALUE\r\n", ReplyFault::BadLine),
        ("VALUE k 0\r\n", ReplyFault::BadLine),
        ("VALUE k 0 x\r\n", ReplyFault::BadLine),
        ("VALUE k 0 -1\r\n", ReplyFault::BadLine),
        ("VALUE k 0 1 x\r\n", ReplyFault::BadLine),
        ("VALUE k 0 1 2 3\r\n", ReplyFault::BadLine),
        ("VA\r\n", ReplyFault::BadLine),
        ("VA x\r\n", ReplyFault::BadLine),
        ("STAT\r\n", ReplyFault::BadLine),
        ("STAT pid\r\n", ReplyFault::BadLine),
        ("STAT  1\r\n", ReplyFault::BadLine),
        ("ME\r\n", ReplyFault::BadLine),
        ("VALUE k 0 1\r\nab\r\n", ReplyFault::BadDataBlock),
        ("VA 1\r\na\n\n", ReplyFault::BadDataBlock),
        ("VALUE k 0 11\r\n", ReplyFault::ValueTooLarge),
        ("VA 11\r\n", ReplyFault::ValueTooLarge),
    ] {
        assert_eq!(first(input.as_bytes()), ReplyStep::Malformed(fault), "{input:?}");
    }
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    let line = |bytes: usize| format!("{}\r\n", "A".repeat(bytes - 2));
    let fits = line(40);
    let notice = Response::Notice(&fits.as_bytes()[..38]);
    assert_eq!(
        first(fits.as_bytes()),
        ReplyStep::Reply {
            response: notice,
            consumed: 40
        }
    );
    assert_eq!(
        first(line(41).as_bytes()),
        ReplyStep::Malformed(ReplyFault::LineTooLong)
    );
    assert_eq!(first(&[b'A'; 39]), ReplyStep::Incomplete { wanted: 40 });
    assert_eq!(first(&[b'A'; 40]), ReplyStep::Malformed(ReplyFault::LineTooLong));
}

#[test]
fn a_value_may_be_as_long_as_the_limit() {
    let step = first(b"VALUE k 0 10\r\n0123456789\r\n");
    assert!(matches!(step, ReplyStep::Reply { consumed: 26, .. }), "{step:?}");
}
