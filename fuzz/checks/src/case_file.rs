//! The parser and the printer of conformance cases.

use mcspec_suite::case::{Topic, parse, print};

/// Parses `input` as a case file; what can be read must be printed so that it is read as the same, and printed the same again.
///
/// # Panics
/// When it is not.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(topic) = parse("fuzz.case", text) else {
        return;
    };
    let printed = print(&topic);
    let again = match parse("fuzz.case", &printed) {
        Ok(again) => again,
        Err(error) => panic!("printed, and not read back: {error}\n{printed}"),
    };
    assert_eq!(print(&again), printed, "printed differently the second time");
    assert_eq!(without_lines(again), without_lines(topic), "printed:\n{printed}");
}

/// The topic with all line numbers zero: a printer puts things on lines of its own choice.
fn without_lines(mut topic: Topic) -> Topic {
    use mcspec_suite::case::Action;
    for case in &mut topic.cases {
        case.line = 0;
        for step in &mut case.steps {
            step.line = 0;
            if let Action::ReceiveAny(alternatives) = &mut step.action {
                for alternative in alternatives {
                    alternative.line = 0;
                }
            }
        }
    }
    topic
}
