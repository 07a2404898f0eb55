//! Whatever can be written is read back as it was, in any number of pieces.

mod generate;

use generate::{requests, responses};
use proptest::prelude::*;
use refcached_protocol::{Limits, Parser, ReplyLimits, ReplyParser, ReplyStep, Step};

/// The pieces into which `cuts` cut `stream`; a cut is taken modulo the length.
fn pieces<'s>(stream: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| &stream[std::mem::replace(&mut start, end)..end])
        .collect()
}

/// Every step that is not `Incomplete`, written down.
fn steps(limits: Limits, pieces: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::new(limits);
    let mut pending: Vec<u8> = Vec::new();
    let mut steps = Vec::new();
    for piece in pieces {
        pending.extend_from_slice(piece);
        loop {
            let (consumed, more) = match parser.next(&pending) {
                Step::Incomplete { consumed, wanted } => {
                    assert!(wanted > pending.len() - consumed, "wants what it has");
                    (consumed, false)
                }
                Step::Request { request, consumed } => {
                    steps.push(format!("{request:?}"));
                    (consumed, true)
                }
                Step::Refused { refusal, consumed } => {
                    steps.push(format!("{refusal:?}"));
                    if refusal.closes() {
                        return steps;
                    }
                    (consumed, true)
                }
            };
            assert!(consumed <= pending.len(), "consumed {consumed} of {}", pending.len());
            assert!(consumed > 0 || !more, "a step without progress");
            pending.drain(..consumed);
            if !more {
                break;
            }
        }
    }
    steps
}

/// Bytes that often make commands, whole and broken.
fn command_like_bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("get".into()),
        Just("set".into()),
        Just("cas".into()),
        Just("gat".into()),
        Just("mg".into()),
        Just("ms".into()),
        Just("ma".into()),
        Just("md".into()),
        Just("me".into()),
        Just("mn".into()),
        Just("delete".into()),
        Just("incr".into()),
        Just("flush_all".into()),
        Just("noreply".into()),
        Just("\r\n".into()),
        Just("\n".into()),
        Just(" ".into()),
        Just(" 0 0 3\r\n".into()),
        Just(" 0 0 1048577\r\n".into()),
        Just(" 3 b\r\n".into()),
        Just("abc\r\n".into()),
        "[ -~]{0,6}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words: Vec<Vec<u8>>| words.concat())
}

proptest! {
    // Cheap, and the rarest combination of flags counts.
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_request_that_was_written_is_read_back_as_it_was(owned in requests()) {
        let request = owned.borrow();
        let mut wire = Vec::new();
        request.encode(&mut wire);
        let mut parser = Parser::new(Limits::default());
        let expected = Step::Request { request, consumed: wire.len() };
        prop_assert_eq!(parser.next(&wire), expected, "{}", wire.escape_ascii());
    }

    #[test]
    fn a_request_one_byte_short_is_incomplete(owned in requests()) {
        let mut wire = Vec::new();
        owned.borrow().encode(&mut wire);
        let mut parser = Parser::new(Limits::default());
        match parser.next(&wire[..wire.len() - 1]) {
            Step::Incomplete { consumed: 0, wanted } => prop_assert_eq!(wanted, wire.len()),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn a_response_that_was_written_is_read_back_as_it_was(owned in responses()) {
        let response = owned.borrow();
        let mut wire = Vec::new();
        response.encode(&mut wire);
        let mut parser = ReplyParser::new(ReplyLimits::default());
        let short = parser.next(&wire[..wire.len() - 1]);
        prop_assert!(matches!(short, ReplyStep::Incomplete { wanted } if wanted == wire.len()), "{:?}", short);
        let expected = ReplyStep::Reply { response, consumed: wire.len() };
        prop_assert_eq!(parser.next(&wire), expected, "{}", wire.escape_ascii());
    }

}

proptest! {
    #[test]
    fn any_split_of_requests_gives_the_same_requests(
        owned in prop::collection::vec(requests(), 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut stream = Vec::new();
        owned.iter().for_each(|request| request.borrow().encode(&mut stream));
        let whole = steps(Limits::default(), &[&stream]);
        let written: Vec<String> = owned.iter().map(|request| format!("{:?}", request.borrow())).collect();
        prop_assert_eq!(whole.len(), written.len());
        prop_assert_eq!(&steps(Limits::default(), &pieces(&stream, &cuts)), &whole);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&steps(Limits::default(), &bytes), &whole);
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same_steps(
        stream in command_like_bytes(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
        item_bytes_max in 60u64..70,
    ) {
        // Items so small that blocks of three bytes are swallowed now and then.
        let limits = Limits { item_bytes_max, ..Limits::default() };
        let whole = steps(limits, &[&stream]);
        prop_assert_eq!(&steps(limits, &pieces(&stream, &cuts)), &whole);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&steps(limits, &bytes), &whole);
    }

    #[test]
    fn arbitrary_bytes_and_limits_never_panic(
        stream in prop::collection::vec(any::<u8>(), 0..300),
        commands in command_like_bytes(),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        key_bytes_max in 0usize..400,
        line_bytes_max in 0usize..64,
        multiget_line_bytes_max in 0usize..128,
        item_bytes_max in 0u64..100,
    ) {
        let limits = Limits { key_bytes_max, line_bytes_max, multiget_line_bytes_max, item_bytes_max };
        steps(limits, &pieces(&stream, &cuts));
        steps(limits, &pieces(&commands, &cuts));
        let limits = ReplyLimits { line_bytes_max, value_bytes_max: key_bytes_max };
        for input in [&stream, &commands] {
            if let ReplyStep::Reply { consumed, .. } = ReplyParser::new(limits).next(input) {
                prop_assert!(0 < consumed && consumed <= input.len());
            }
        }
    }

    #[test]
    fn any_split_of_responses_gives_the_same_responses(
        owned in prop::collection::vec(responses(), 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut stream = Vec::new();
        owned.iter().for_each(|response| response.borrow().encode(&mut stream));
        let mut parser = ReplyParser::new(ReplyLimits::default());
        let mut pending: Vec<u8> = Vec::new();
        let mut again = Vec::new();
        let mut read = 0;
        for piece in pieces(&stream, &cuts) {
            pending.extend_from_slice(piece);
            loop {
                let consumed = match parser.next(&pending) {
                    ReplyStep::Incomplete { .. } => break,
                    ReplyStep::Reply { response, consumed } => {
                        response.encode(&mut again);
                        consumed
                    }
                    ReplyStep::Malformed(fault) => return Err(TestCaseError::fail(fault.to_string())),
                };
                read += 1;
                pending.drain(..consumed);
            }
        }
        prop_assert_eq!(read, owned.len());
        prop_assert_eq!(again, stream);
    }
}

/// The generators are no use if they leave a kind out.
#[test]
fn the_generators_write_every_command_and_every_reply() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;

    let first_word = |wire: &[u8]| -> String {
        let word: String = wire
            .iter()
            .take_while(|&&byte| byte > b' ')
            .map(|&byte| char::from(byte))
            .collect();
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            "a number".to_string()
        } else {
            word
        }
    };
    let mut runner = TestRunner::deterministic();
    let (mut commands, mut replies) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4000 {
        let mut wire = Vec::new();
        requests()
            .new_tree(&mut runner)
            .expect("a request")
            .current()
            .borrow()
            .encode(&mut wire);
        commands.insert(first_word(&wire));
        wire.clear();
        responses()
            .new_tree(&mut runner)
            .expect("a response")
            .current()
            .borrow()
            .encode(&mut wire);
        replies.insert(first_word(&wire));
    }
    let all = |words: &str| words.split(' ').map(str::to_string).collect::<BTreeSet<_>>();
    assert_eq!(
        commands,
        all(
            "set add replace append prepend cas get gets gat gats delete incr decr touch mg ms md ma me mn flush_all \
             version verbosity stats quit shutdown cache_memlimit slabs lru lru_crawler watch"
        )
    );
    let mut expected = all(
        "STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK END RESET ERROR CLIENT_ERROR SERVER_ERROR VERSION VALUE \
         STAT HD VA EN NF NS EX ME MN BUSY BADCLASS NOSPARE SAME MEMLIMIT_TOO_SMALL SERVER_ERROR:",
    );
    expected.insert("a number".to_string());
    assert_eq!(replies, expected);
}
