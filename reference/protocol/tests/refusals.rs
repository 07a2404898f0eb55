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
fn the_binary_protocol_is_refused_by_closing() {
    assert_eq!(
        whole(b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        "<closed>"
    );
    assert_eq!(whole(b"mn\r\n\x80\r\n"), "MN|CLIENT_ERROR bad command line format|");
}
