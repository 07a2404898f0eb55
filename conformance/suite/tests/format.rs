//! The case format: what is read, what is refused and where, and that printing loses nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mcspec_suite::case::{
    Action, Alternative, Answer, CaptureRef, Case, Conn, Level, Pattern, Piece, Quote, ReleaseRange, Source, Step,
    Topic, parse, print,
};
use proptest::prelude::*;

fn steps(lines: &str) -> Vec<Step> {
    let text = format!("section a/b\n\ncase c DEFACTO\n  observed 1.6.9..\n{lines}");
    parse("a/b.case", &text).map_or_else(|error| panic!("{error}"), |topic| topic.cases[0].steps.clone())
}

fn sent(line: &str) -> Vec<Piece> {
    match &steps(&format!("  > {line}\n"))[0].action {
        Action::Send(pattern) => pattern.pieces.clone(),
        other => panic!("{other:?}"),
    }
}

fn literal(text: &str) -> Piece {
    Piece::Literal(text.as_bytes().to_vec())
}

#[test]
fn bars_and_line_ends_are_crlf_and_their_blanks_do_not_count() {
    assert_eq!(sent("set a 0 0 1 | a"), [literal("set a 0 0 1\r\na\r\n")]);
    assert_eq!(sent("set a 0 0 0 |"), [literal("set a 0 0 0\r\n\r\n")]);
    assert_eq!(sent("a | | b   "), [literal("a\r\n\r\nb\r\n")]);
    assert_eq!(sent("| a"), [literal("\r\na\r\n")]);
    assert_eq!(sent("get a \\c"), [literal("get a")]);
    assert_eq!(sent("get a\\s\\c"), [literal("get a ")]);
    assert_eq!(sent("get  a"), [literal("get  a\r\n")]);
    assert_eq!(sent(""), [literal("\r\n")]);
}

#[test]
fn placeholders_and_boundaries_are_pieces() {
    let key = CaptureRef {
        name: "id".to_owned(),
        offset: -2,
    };
    assert_eq!(sent("a ~ b"), [literal("a"), Piece::Boundary, literal("b\r\n")]);
    assert_eq!(
        sent("a \\r ~ \\n\\c"),
        [literal("a \r"), Piece::Boundary, literal("\n")]
    );
    assert_eq!(
        sent("{k}{k3} {key 250}\\c"),
        [Piece::Key(0), Piece::Key(3), literal(" "), Piece::SizedKey(250)]
    );
    assert_eq!(
        sent("{b64 k1} {bytes 7} {unix-5}\\c"),
        [
            Piece::Base64Key(1),
            literal(" "),
            Piece::Filler(7),
            literal(" "),
            Piece::Unix(-5)
        ]
    );
    let both = steps("  <? {id} {#} {#-1..9} {*} | {lines} | {log}END\n  > {id-2}\\c\n");
    assert_eq!(
        both[1].action,
        Action::Send(Pattern {
            pieces: vec![Piece::Capture(key)],
            captures: false
        })
    );
}

#[test]
fn an_error_names_line_column_and_what_was_expected() {
    let head = "section a/b\n\ncase c DEFACTO\n  observed 1.6.9\n";
    let errors = [
        "section a\n",
        "\n# nothing\n",
        "case c MUST\n",
        "section a/b\ncase c MUTS\n",
        "section a/b\ncase c MUST\n  > x\n",
        "section a/b\ncase c MUST\n  quote \"x\"\n  > x\n",
        "section a/b\ncase c DEFACTO\n  > x\n",
        "section a/b\ncase c DEFACTO\n  observed 1.6.9\n",
        &format!("{head}  > x\n\ncase c DEFACTO\n  observed 1.6.9\n  > y\n"),
        &format!("{head}  > \\q\n"),
        &format!("{head}  > {{nope\n"),
        &format!("{head}  > {{later}}\n"),
        &format!("{head}  < {{unix+1}}\n"),
        &format!("{head}  > {{key 3}}\n"),
        &format!("{head}  > a|b\n"),
        &format!("{head}  < a ~ b\n"),
        &format!("{head}  wait 5\n"),
        &format!("{head}  < any\n  > x\n"),
        &format!("{head}  < any\n    1.6.9... x\n"),
        &format!("{head}  > x\n  needs cas\n"),
        &format!("{head}  sleep 4\n"),
    ];
    let texts: Vec<String> = errors
        .iter()
        .map(|text| parse("a/b.case", text).map_or_else(|error| error.to_string(), |_| format!("NO ERROR in {text}")))
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn comments_survive_printing() {
    let text = "# about the file\nsection a/b\n\n# about the case\ncase c DEFACTO\n  observed 1.6.9\n  # about a step\n  > x\n\n# the end\n";
    assert_eq!(print(&parse("f", text).unwrap()), text);
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_]{0,6}"
}

fn words() -> impl Strategy<Value = String> {
    // A quote is never empty and never only blanks.
    "[!-~][ -~]{0,20}"
}

fn release_range() -> impl Strategy<Value = ReleaseRange> {
    prop_oneof![
        "1\\.[0-9]\\.[0-9]{1,2}\\.\\.",
        "\\.\\.1\\.[0-9]{1,2}",
        "1\\.6\\.[0-9]",
        Just("1.2.3..1.6.45".to_owned())
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn piece(sending: bool) -> BoxedStrategy<Piece> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..12),
        "[ a|~{}\\\\\r\n\t]{1,8}".prop_map(String::into_bytes),
        Just(b"any".to_vec()),
        Just(b"(silent)\r\n".to_vec()),
        Just(b"any\r\n".to_vec()),
    ];
    let shared = prop_oneof![
        4 => bytes.prop_map(Piece::Literal),
        1 => (0u8..10).prop_map(Piece::Key),
        1 => (24usize..300).prop_map(Piece::SizedKey),
        1 => (0u8..10).prop_map(Piece::Base64Key),
        1 => (0usize..2_000_000).prop_map(Piece::Filler),
    ];
    if sending {
        prop_oneof![6 => shared, 1 => any::<i64>().prop_map(Piece::Unix), 1 => Just(Piece::Boundary)].boxed()
    } else {
        let capture = || "c[a-z]{0,3}".prop_map(|name| Piece::Capture(CaptureRef { name, offset: 0 }));
        let range = (any::<i64>(), any::<i64>()).prop_map(|(a, b)| Piece::NumberIn(a.min(b), a.max(b)));
        prop_oneof![6 => shared, 1 => capture(), 1 => range, 1 => Just(Piece::Number), 1 => Just(Piece::Text), 1 => Just(Piece::Lines)]
            .boxed()
    }
}

fn pattern(sending: bool) -> impl Strategy<Value = Pattern> {
    prop::collection::vec(piece(sending), 0..6).prop_map(move |pieces| {
        let mut merged: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (merged.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(bytes)) => before.extend(bytes),
                (_, piece) => merged.push(piece),
            }
        }
        Pattern {
            pieces: merged,
            captures: !sending,
        }
    })
}

fn action() -> impl Strategy<Value = Action> {
    let alternative = (
        release_range(),
        prop_oneof![
            4 => pattern(false).prop_map(Answer::Bytes),
            1 => Just(Answer::Silent),
            1 => Just(Answer::Closed)
        ],
    )
        .prop_map(|(releases, answer)| Alternative {
            releases,
            answer,
            line: 0,
        });
    prop_oneof![
        4 => pattern(true).prop_map(Action::Send),
        4 => pattern(false).prop_map(Action::Receive),
        1 => prop::collection::vec(alternative, 1..4).prop_map(Action::ReceiveAny),
        1 => prop_oneof![Just(Action::Silent), Just(Action::Closed), Just(Action::Close), Just(Action::HalfClose)],
        1 => (0u64..10_000).prop_map(|ms| Action::Wait(std::time::Duration::from_millis(ms))),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let comment = || prop::collection::vec("[!-~]([ -~]{0,10}[!-~])?", 0..3);
    let step = (comment(), "[A-Z]", action()).prop_map(|(comments, conn, action)| Step {
        comments,
        conn: Conn(conn.chars().next().unwrap()),
        action,
        line: 0,
    });
    let source = (1u32..100, 0u32..9).prop_map(|(first, more)| Source {
        file: "p.txt".into(),
        first,
        last: first + more,
    });
    let quote = (words(), proptest::option::of(source)).prop_map(|(text, source)| Quote { text, source });
    let head = (
        prop::sample::select(Level::ALL.to_vec()),
        prop::collection::vec(quote, 1..3),
        proptest::option::of(words()),
    );
    let lists = (
        prop::collection::vec(release_range(), 1..3),
        prop::collection::vec("[a-z-]{1,9}", 0..3),
    );
    (comment(), head, lists, any::<bool>(), prop::collection::vec(step, 1..8)).prop_map(
        |(comments, (level, quotes, because), (observed, needs), exclusive, steps)| Case {
            comments,
            name: String::new(),
            level,
            quotes,
            observed,
            because,
            rests_on: needs.iter().map(|word| format!("a/b/{word}")).collect(),
            needs,
            exclusive,
            steps,
            line: 0,
        },
    )
}

fn without_lines(mut topic: Topic) -> Topic {
    for case in &mut topic.cases {
        case.line = 0;
        for step in &mut case.steps {
            step.line = 0;
            if let Action::ReceiveAny(alternatives) = &mut step.action {
                for alternative in alternatives.iter_mut() {
                    alternative.line = 0;
                }
            }
        }
    }
    topic
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_the_same(section in (name(), name()), mut cases in prop::collection::vec(case(), 1..4)) {
        for (i, case) in cases.iter_mut().enumerate() {
            case.name = format!("n{i}");
        }
        let topic = Topic {
            comments: vec!["first".to_owned()],
            section: format!("{}/{}", section.0, section.1),
            source: Some(Source { file: "p.txt".to_owned(), first: 1, last: 1 }),
            cases,
            trailing_comments: vec!["last".to_owned()],
        };
        let text = print(&topic);
        let again = parse("f", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(without_lines(again), without_lines(topic), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(section a/b\n)?(case c MUST\n)?( *[ -~\n]{0,80})") {
        if let Err(error) = parse("f", &text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
