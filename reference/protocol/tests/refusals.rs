//! What memcached 1.6.45 was seen to answer to malformed lines, byte for byte, and where the stream goes on after each.
//!
//! In the expectations `|` is CR LF. A refusal is what is answered; a request that came through is `get(key,)`,
//! `set(key=value)`, `delete(key)`, `mg(key)` or the name of its variant; `-key` is an item that the refusal drops.

mod support;

use refcached_protocol::Limits;

/// Every `mn` at the end shows that the stream is in step.
const ROWS: &[(&str, &str)] = &[
    // Lines that are no command.
    ("\r\n", "CLIENT_ERROR bad command line format|"),
    ("\n", "CLIENT_ERROR bad command line format|"),
    (" \r\n", "CLIENT_ERROR bad command line format|"),
    ("m\r\n", "CLIENT_ERROR bad command line format|"),
    ("ab\n", "CLIENT_ERROR bad command line format|"),
    ("mn\n", "CLIENT_ERROR bad command line format|"),
    ("abc\n", "ERROR|"),
    ("  \r\n", "ERROR|"),
    ("   \r\n", "ERROR|"),
    ("bogus\r\n", "ERROR|"),
    ("GET k\r\n", "ERROR|"),
    (" get k\r\n", "ERROR|"),
    (" quit\r\n", "ERROR|"),
    ("get\tk\r\n", "ERROR|"),
    ("get\0k\r\n", "ERROR|"),
    ("\r\r\r\n", "ERROR|"),
    ("mn\r\r\n", "ERROR|"),
    ("mx k\r\n", "ERROR|"),
    ("mgx k\r\n", "ERROR|"),
    ("sets\r\n", "ERROR|"),
    ("x\u{80}\r\n", "ERROR|"),
    ("bogus noreply\r\nmn\r\n", "MN|"),
    ("noreply\r\nmn\r\n", "MN|"),
    ("bogus  noreply  \r\nmn\r\n", "MN|"),
    // Command lines that come through in spite of what they look like.
    ("mn x\r\n", "MN|"),
    ("get k\n", "get(k,)|"),
    ("get k \r\n", "get(k,)|"),
    ("get  k\r\n", "get(k,)|"),
    ("get k\rx\r\n", "get(k\rx,)|"),
    ("get k\0x\r\n", "get(k\0x,)|"),
    ("get noreply\r\n", "get(noreply,)|"),
    ("get / HTTP/1.1\r\n", "get(/,HTTP/1.1,)|"),
    ("delete noreply\r\n", "delete(noreply)|"),
    ("delete k 5\r\n", "delete(k)|"),
    ("delete k noreply x\r\n", "delete(k)|"),
    ("flush_all 0 noreply x\r\n", "FlushAll|"),
    (" flush_all\r\n", "FlushAll|"),
    ("flush_all -\r\n", "FlushAll|"),
    ("version x\r\n", "Version|"),
    ("verbosity 1 2 3\r\n", "Verbosity|"),
    (" shutdown\r\n", "Shutdown|"),
    ("lru mode flat\r\n", "Lru|"),
    // Too few words.
    ("get\r\n", "CLIENT_ERROR bad command line format|"),
    ("get   \r\n", "CLIENT_ERROR bad command line format|"),
    ("gets\r\n", "CLIENT_ERROR bad command line format|"),
    ("gat\r\n", "CLIENT_ERROR bad command line format|"),
    ("gat 0\r\n", "CLIENT_ERROR bad command line format|"),
    ("gats 0 \r\n", "CLIENT_ERROR bad command line format|"),
    ("set k\r\n", "CLIENT_ERROR bad command line format|"),
    ("add\r\n", "CLIENT_ERROR bad command line format|"),
    ("replace\r\n", "CLIENT_ERROR bad command line format|"),
    ("append\r\n", "CLIENT_ERROR bad command line format|"),
    ("prepend\r\n", "CLIENT_ERROR bad command line format|"),
    ("cas\r\n", "CLIENT_ERROR bad command line format|"),
    ("delete\r\n", "CLIENT_ERROR bad command line format|"),
    ("incr\r\n", "CLIENT_ERROR bad command line format|"),
    ("decr k\r\n", "CLIENT_ERROR bad command line format|"),
    ("touch\r\n", "CLIENT_ERROR bad command line format|"),
    ("touch noreply\r\n", "CLIENT_ERROR bad command line format|"),
    ("verbosity\r\n", "CLIENT_ERROR bad command line format|"),
    ("cache_memlimit\r\n", "ERROR|"),
    ("mg\r\n", "CLIENT_ERROR bad command line format|"),
    ("mg \r\n", "CLIENT_ERROR bad command line format|"),
    ("ms\r\n", "CLIENT_ERROR bad command line format|"),
    ("ms k\r\nmn\r\n", "CLIENT_ERROR bad command line format|MN|"),
    ("md\r\n", "CLIENT_ERROR bad command line format|"),
    ("ma\r\n", "CLIENT_ERROR bad command line format|"),
    ("me\r\n", "CLIENT_ERROR bad command line format|"),
    // Arguments of commands without a data block.
    ("incr n -1\r\n", "CLIENT_ERROR invalid numeric delta argument|"),
    ("incr n abc\r\n", "CLIENT_ERROR invalid numeric delta argument|"),
    ("incr n +5\r\n", "CLIENT_ERROR invalid numeric delta argument|"),
    (
        "incr n 18446744073709551616\r\n",
        "CLIENT_ERROR invalid numeric delta argument|",
    ),
    ("incr n 1 extra\r\n", "Arithmetic|"),
    ("incr n noreply\r\nmn\r\n", "MN|"),
    ("incr n a noreply\r\nmn\r\n", "MN|"),
    ("touch k abc\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("touch k +5\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("touch k 2147483648\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("touch k abc noreply\r\nmn\r\n", "MN|"),
    ("gat abc k\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("gat a k noreply\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("flush_all abc\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("flush_all noreply x\r\n", "CLIENT_ERROR invalid exptime argument|"),
    ("flush_all x noreply\r\nmn\r\n", "MN|"),
    ("verbosity abc\r\n", "CLIENT_ERROR bad command line format|"),
    ("verbosity -1\r\n", "CLIENT_ERROR bad command line format|"),
    ("verbosity noreply\r\nmn\r\n", "MN|"),
    ("cache_memlimit abc\r\n", "ERROR|"),
    // Storage commands whose length cannot be read: the data block is taken for commands.
    (
        "set k 0 0 -1\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 0 abc\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 0 -1 noreply\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 0 2147483646\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    ("set k 0 0\r\nmn\r\n", "CLIENT_ERROR bad command line format|MN|"),
    (
        "set k 0 0 noreply\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    // Storage commands that swallow their data block.
    (
        "set k -1 0 1\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k abc 0 1\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 abc 1\r\nx\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    ("set k a 0 1 noreply\r\nx\r\nmn\r\n", "MN|"),
    ("cas k 0 0 1\r\nd\r\nmn\r\n", "CLIENT_ERROR bad command line format|MN|"),
    (
        "cas k 0 0 1 abc\r\nd\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    ("cas k 0 0 1 noreply\r\nd\r\nmn\r\n", "MN|"),
    // Data blocks.
    ("set k 0 0 1 extra\r\nx\r\nmn\r\n", "set(k=x)|MN|"),
    ("set k 0 0 -0\r\n\r\nmn\r\n", "set(k=)|MN|"),
    ("set k 0 0 4\r\na\r\nb\r\nmn\r\n", "set(k=a|b)|MN|"),
    (
        "set k 0 0 1\r\nxyz\r\nmn\r\n",
        "CLIENT_ERROR bad data chunk|CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 0 5\r\nab\r\nmn\r\nmn\r\n",
        "CLIENT_ERROR bad data chunk|CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "set k 0 0 1 noreply\r\nxyz\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    (
        "ms k 2 q\r\nhello\r\nmn\r\n",
        "CLIENT_ERROR bad data chunk|CLIENT_ERROR bad command line format|MN|",
    ),
    // Meta flags.
    ("mg k !\r\n", "CLIENT_ERROR bad command line format|"),
    ("mg k {\r\n", "CLIENT_ERROR bad command line format|"),
    ("mg k [ !\r\n", "CLIENT_ERROR bad command line format|"),
    ("mg k zz\r\n", "CLIENT_ERROR invalid flag|"),
    ("mg k S1\r\n", "CLIENT_ERROR invalid flag|"),
    ("mg k 5\r\n", "CLIENT_ERROR invalid flag|"),
    ("mg k v v\r\n", "CLIENT_ERROR duplicate flag|"),
    ("mg k Tx v v\r\n", "CLIENT_ERROR duplicate flag|"),
    ("mg k Tx [\r\n", "CLIENT_ERROR invalid flag|"),
    ("mg k T\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg k Rx\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg k Nx\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg k C-1\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg k Ex\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg k Fx\r\n", "CLIENT_ERROR bad command line format|"),
    ("mg k Jx\r\n", "CLIENT_ERROR invalid numeric initial value|"),
    ("mg k Dx\r\n", "CLIENT_ERROR invalid numeric delta value|"),
    ("mg k Jx Fx\r\n", "CLIENT_ERROR invalid numeric initial value|"),
    ("mg k Fx Jx\r\n", "CLIENT_ERROR invalid numeric initial value|"),
    ("mg k Jx Tx\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg !!! b v\r\n", "CLIENT_ERROR error decoding key|"),
    ("mg !!! b Tx\r\n", "CLIENT_ERROR bad token in command line format|"),
    ("mg !!! Tx b\r\n", "CLIENT_ERROR error decoding key|"),
    ("md k z\r\n", "CLIENT_ERROR invalid flag|"),
    ("ma n Dabc\r\n", "CLIENT_ERROR invalid or duplicate flag|"),
    ("ma n v v\r\n", "CLIENT_ERROR invalid or duplicate flag|"),
    ("ma !!! b\r\n", "CLIENT_ERROR invalid or duplicate flag|"),
    ("ma n !\r\n", "CLIENT_ERROR bad command line format|"),
    ("ma n MX\r\n", "CLIENT_ERROR invalid mode for ma M token|"),
    ("ma n Mincr\r\n", "CLIENT_ERROR invalid mode for ma M token|"),
    ("ma n MX v v\r\n", "CLIENT_ERROR invalid or duplicate flag|"),
    ("me !!! b v\r\n", "CLIENT_ERROR bad command line format|"),
    ("me aw== b v\r\n", "me(k)|"),
    ("me aw== b\r\n", "me(aw==)|"),
    ("me k v v\r\n", "me(k)|"),
    ("mg a!w== b\r\n", "mg(k)|"),
    // Meta stores: some faults swallow the data block, some do not.
    (
        "ms k S2\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|ERROR|MN|",
    ),
    (
        "ms k -2\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|ERROR|MN|",
    ),
    (
        "ms k abc\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|ERROR|MN|",
    ),
    (
        "ms k 2 !\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|ERROR|MN|",
    ),
    ("ms k 2 [\r\nhi\r\nmn\r\n", "CLIENT_ERROR invalid flag|MN|"),
    ("ms k 2 c c\r\nhi\r\nmn\r\n", "CLIENT_ERROR duplicate flag|MN|"),
    (
        "ms k 2 MX\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR invalid mode for ms M token|MN|",
    ),
    (
        "ms k 2 M\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR invalid mode for ms M token|MN|",
    ),
    (
        "ms k 2 MX Tx\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad token in command line format|MN|",
    ),
    (
        "ms k 2 Cabc\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad token in command line format|MN|",
    ),
    (
        "ms k 2 Fabc\r\nhi\r\nmn\r\n",
        "CLIENT_ERROR bad command line format|MN|",
    ),
    ("ms k 2 MAppend\r\nhi\r\nmn\r\n", "ms(k)|MN|"),
    ("ms !!! 2 b\r\nhi\r\nmn\r\n", "CLIENT_ERROR error decoding key|MN|"),
    // Closing.
    ("quit x\r\n", "<closed>"),
    ("GET / HTTP/1.1\r\nmn\r\n", "<closed>"),
    ("x HTTP/\r\n", "<closed>"),
    (" x HTTP/1.1\r\n", "<closed>"),
    ("HTTP/1.1\r\nmn\r\n", "ERROR|MN|"),
    ("x xHTTP/\r\n", "ERROR|"),
];

fn whole(stream: &[u8]) -> String {
    support::transcript(Limits::default(), [stream])
}

#[test]
fn every_malformed_line_is_answered_as_memcached_answers_it() {
    for (sent, expected) in ROWS {
        assert_eq!(whole(sent.as_bytes()), *expected, "{sent:?}");
    }
}

#[test]
fn every_malformed_line_is_answered_the_same_one_byte_at_a_time() {
    for (sent, expected) in ROWS {
        let bytes = support::transcript(Limits::default(), sent.as_bytes().chunks(1));
        assert_eq!(bytes, *expected, "{sent:?}");
    }
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
    let mut parser = refcached_protocol::Parser::new(Limits::default());
    let line = b"set k 0 0 2147483645\r\n";
    let step = parser.next(line);
    assert!(
        matches!(step, refcached_protocol::Step::Refused { consumed: 22, .. }),
        "{step:?}"
    );
    let piece = vec![b'x'; 1 << 20];
    let mut left: u64 = 2_147_483_645 + 2;
    while left > 0 {
        let piece = &piece[..piece.len().min(usize::try_from(left).expect("64 bits"))];
        let step = parser.next(piece);
        let swallowed = refcached_protocol::Step::Incomplete {
            consumed: piece.len(),
            wanted: 1,
        };
        assert_eq!(step, swallowed);
        left -= piece.len() as u64;
    }
    let step = parser.next(b"mn\r\n");
    assert!(
        matches!(step, refcached_protocol::Step::Request { consumed: 4, .. }),
        "{step:?}"
    );
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
    let mut parser = refcached_protocol::Parser::new(Limits::default());
    match parser.next(sent.as_bytes()) {
        refcached_protocol::Step::Request { request, .. } => Some(request.noreply()),
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

#[test]
fn the_binary_protocol_is_refused_by_closing() {
    assert_eq!(
        whole(b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        "<closed>"
    );
    assert_eq!(whole(b"mn\r\n\x80\r\n"), "MN|CLIENT_ERROR bad command line format|");
}
