//! Lengths, counts and sizes: what memcached 1.6.45 was seen to do at each limit and one past it. The notation is that of
//! `refusals.rs`.

mod support;

use refcached_protocol::{Limits, Parser, Step};

fn whole(stream: &[u8]) -> String {
    support::transcript(Limits::default(), [stream])
}

#[test]
fn a_key_longer_than_the_limit_is_a_bad_format() {
    let long = "x".repeat(251);
    for (before, after) in [
        ("get ", "\r\n"),
        ("get k ", "\r\n"),
        ("get k ", " noreply\r\n"),
        ("gat 0 ", " k\r\n"),
        ("delete ", "\r\n"),
        ("incr ", " 1\r\n"),
        ("touch ", " 1\r\n"),
        ("mg ", " v\r\n"),
        ("ms ", " 1\r\na\r\n"),
        ("me ", "\r\n"),
        ("set ", " 0 0 1\r\na\r\n"),
    ] {
        let sent = format!("{before}{long}{after}mn\r\n");
        let expected = "CLIENT_ERROR bad command line format|MN|";
        assert_eq!(whole(sent.as_bytes()), expected, "{before}...{after}");
        assert_eq!(
            whole(sent.replacen('x', "", 1).as_bytes()).find(expected),
            None,
            "{before}...{after} with 250 bytes"
        );
    }
    for (before, after) in [
        ("set ", " 0 0 1 noreply\r\na\r\n"),
        ("delete ", " noreply\r\n"),
        ("incr ", " 1 noreply\r\n"),
    ] {
        let sent = format!("{before}{long}{after}mn\r\n");
        assert_eq!(whole(sent.as_bytes()), "MN|", "{before}...{after}");
    }
    let sent = format!("ma {long}\r\n");
    assert_eq!(whole(sent.as_bytes()), "CLIENT_ERROR invalid or duplicate flag|");
}

#[test]
fn a_base64_key_is_measured_before_it_is_decoded() {
    let fits = format!("mg {} b\r\n", "eHh4".repeat(62));
    assert_eq!(whole(fits.as_bytes()), format!("mg({})|", "x".repeat(186)));
    let long = format!("mg {} b\r\n", "eHh4".repeat(63));
    assert_eq!(whole(long.as_bytes()), "CLIENT_ERROR bad command line format|");
}

#[test]
fn a_value_that_is_too_large_is_refused_and_swallowed() {
    let refused = "SERVER_ERROR object too large for cache|";
    let block = format!("{}\r\nmn\r\n", "x".repeat(1_048_577));
    for (line, expected) in [
        ("set k 0 0 1048577\r\n", format!("{refused}-k|MN|")),
        ("set k 0 0 1048577 noreply\r\n", "-k|MN|".to_string()),
        ("add k 0 0 1048577\r\n", format!("{refused}MN|")),
        ("replace k 0 0 1048577\r\n", format!("{refused}MN|")),
        ("append k 0 0 1048577\r\n", format!("{refused}MN|")),
        ("prepend k 0 0 1048577\r\n", format!("{refused}MN|")),
        ("cas k 0 0 1048577 64\r\n", format!("{refused}MN|")),
        ("ms k 1048577\r\n", format!("{refused}-k|MN|")),
        ("ms k 1048577 ME q\r\n", format!("{refused}-k|MN|")),
        ("ms aw== 1048577 b\r\n", format!("{refused}-k|MN|")),
        (
            "ms k 1048577 MX\r\n",
            "CLIENT_ERROR invalid mode for ms M token|MN|".to_string(),
        ),
        (
            "set k a 0 1048577\r\n",
            "CLIENT_ERROR bad command line format|MN|".to_string(),
        ),
    ] {
        let sent = format!("{line}{block}");
        assert_eq!(whole(sent.as_bytes()), expected, "{line}");
        let pieces = support::transcript(Limits::default(), sent.as_bytes().chunks(7001));
        assert_eq!(pieces, expected, "{line}");
    }
}

#[test]
fn the_largest_item_is_the_same_as_memcached_s() {
    for (key_bytes, flags, value_bytes_max) in [
        (1, 0, 1_048_516),
        (1, 5, 1_048_512),
        (10, 0, 1_048_507),
        (250, 0, 1_048_267),
        (250, 7, 1_048_263),
    ] {
        let limits = Limits::default();
        assert!(limits.admits(key_bytes, flags, value_bytes_max), "{key_bytes} {flags}");
        assert!(
            !limits.admits(key_bytes, flags, value_bytes_max + 1),
            "{key_bytes} {flags}"
        );
    }
}

#[test]
fn a_refused_data_block_of_two_gigabytes_is_swallowed_in_bounded_memory() {
    let mut parser = Parser::new(Limits::default());
    let line = b"set k 0 0 2147483645\r\n";
    let step = parser.next(line);
    assert!(matches!(step, Step::Refused { consumed: 22, .. }), "{step:?}");
    let piece = vec![b'x'; 1 << 20];
    let mut left: u64 = 2_147_483_645 + 2;
    while left > 0 {
        let piece = &piece[..piece.len().min(usize::try_from(left).expect("64 bits"))];
        let step = parser.next(piece);
        let swallowed = Step::Incomplete {
            consumed: piece.len(),
            wanted: 1,
        };
        assert_eq!(step, swallowed);
        left -= piece.len() as u64;
    }
    let step = parser.next(b"mn\r\n");
    assert!(matches!(step, Step::Request { consumed: 4, .. }), "{step:?}");
}

#[test]
fn words_beyond_the_twenty_third_go_unseen() {
    let words = |count: usize| vec!["a"; count].join(" ");
    let seen = format!("set k 0 0 1 {} noreply\r\nx\r\n", words(17));
    assert_eq!(silent_store(&seen), Some(true));
    let unseen = format!("set k 0 0 1 {} noreply\r\nx\r\n", words(18));
    assert_eq!(silent_store(&unseen), Some(false));
    assert_eq!(whole(format!("x {} HTTP/1\r\n", words(21)).as_bytes()), "<closed>");
    assert_eq!(whole(format!("x {} HTTP/1\r\n", words(22)).as_bytes()), "ERROR|");
    assert_eq!(whole(format!("x {} noreply\r\n", words(21)).as_bytes()), "");
}

fn silent_store(sent: &str) -> Option<bool> {
    let mut parser = Parser::new(Limits::default());
    match parser.next(sent.as_bytes()) {
        Step::Request { request, .. } => Some(request.noreply()),
        _ => None,
    }
}

#[test]
fn more_than_twenty_words_are_too_many_flags() {
    let flags = "b c f h k l O q s t u v E1 N1 R1 T1 I x F1 C1 J1 D1 P L M";
    let first = |count: usize| flags.split(' ').take(count).collect::<Vec<_>>().join(" ");
    assert_eq!(whole(format!("mg aw== {}\r\n", first(18)).as_bytes()), "mg(k)|");
    for count in 19..=25 {
        let sent = format!("mg aw== {}\r\n", first(count));
        assert_eq!(
            whole(sent.as_bytes()),
            "CLIENT_ERROR options flags are too long|",
            "{count}"
        );
    }
    // Found before a flag that stands there twice, whatever its place.
    let sent = format!("mg aw== v v {}\r\n", first(17));
    assert_eq!(whole(sent.as_bytes()), "CLIENT_ERROR options flags are too long|");
    let sent = format!("ma aw== {}\r\n", first(19));
    assert_eq!(whole(sent.as_bytes()), "CLIENT_ERROR invalid or duplicate flag|");
    let sent = format!("ms aw== 1 {}\r\nx\r\nmn\r\n", first(17));
    assert_eq!(whole(sent.as_bytes()), "ms(k)|MN|");
    let sent = format!("ms aw== 1 {}\r\nx\r\nmn\r\n", first(18));
    assert_eq!(whole(sent.as_bytes()), "CLIENT_ERROR options flags are too long|MN|");
}

#[test]
fn an_opaque_of_32_bytes_is_too_long() {
    let (fits, long) = ("O".to_string() + &"x".repeat(31), "O".to_string() + &"x".repeat(32));
    assert_eq!(whole(format!("mg k {fits} v\r\n").as_bytes()), "mg(k)|");
    let refused = "CLIENT_ERROR opaque token too long|";
    for line in ["mg k", "md k", "ma k"] {
        assert_eq!(whole(format!("{line} {long} v\r\n").as_bytes()), refused, "{line}");
    }
    assert_eq!(
        whole(format!("ms k 2 {long}\r\nhi\r\nmn\r\n").as_bytes()),
        format!("{refused}MN|")
    );
    assert_eq!(
        whole(format!("ms k 2 MX {long}\r\nhi\r\n").as_bytes()),
        "CLIENT_ERROR invalid mode for ms M token|"
    );
}

#[test]
fn a_line_without_an_end_closes_after_the_limit() {
    let limits = Limits::default();
    let closes = |stream: &str| support::transcript(limits, [stream.as_bytes(), b"\r\nmn\r\n"]);
    assert_eq!(closes(&"x".repeat(2048)), "ERROR|MN|");
    assert_eq!(closes(&"x".repeat(2049)), "<closed>");
    let keys = "a ".repeat(1500);
    assert_eq!(
        closes(&format!("get {keys}")),
        format!("get({})|MN|", "a,".repeat(1500))
    );
    assert_eq!(
        closes(&format!("gets {keys}")),
        format!("get({})|MN|", "a,".repeat(1500))
    );
    assert_eq!(closes(&format!("gat 0 {keys}")), "<closed>");
    assert_eq!(closes(&format!("mg {keys}")), "<closed>");
    assert_eq!(closes(&format!("{}get {keys}", " ".repeat(100))), "ERROR|MN|");
    assert_eq!(closes(&format!("{}get {keys}", " ".repeat(101))), "<closed>");
    let limits = Limits {
        multiget_line_bytes_max: 2999,
        ..limits
    };
    assert_eq!(
        support::transcript(limits, [format!("get {keys}").as_bytes()]),
        "<closed>"
    );
}

#[test]
fn a_line_that_is_there_with_its_end_may_be_longer() {
    assert_eq!(whole(format!("{}\r\nmn\r\n", "x".repeat(3000)).as_bytes()), "ERROR|MN|");
    let sent = format!("set {} 0 0 1\r\n", "x".repeat(3000));
    assert_eq!(whole(sent.as_bytes()), "CLIENT_ERROR bad command line format|");
}
