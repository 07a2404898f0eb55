//! What must hold of two steps, and what is said when it does not.

use refcached_protocol::Step;

/// Both steps are the same command; `expected` is what the second one should have consumed.
///
/// # Panics
/// When they are not.
pub fn same_step(step: &Step<'_>, again: &Step<'_>, expected: usize) {
    let consumed = match (step, again) {
        (
            Step::Request { request, .. },
            Step::Request {
                request: other,
                consumed,
            },
        ) if request == other => consumed,
        (
            Step::Refused { refusal, .. },
            Step::Refused {
                refusal: other,
                consumed,
            },
        ) if refusal == other => consumed,
        _ => steps_differ(step, again),
    };
    assert_eq!(*consumed, expected, "another end of {step:?} when cut");
}

/// Says that cutting made a difference.
///
/// # Panics
/// Always.
#[cold]
pub fn steps_differ(whole: &Step<'_>, pieces: &Step<'_>) -> ! {
    panic!("whole: {whole:?}\nin pieces: {pieces:?}")
}

/// Says that a step came where it may not.
///
/// # Panics
/// Always.
#[cold]
pub fn no_such_step(step: &Step<'_>, place: &str) -> ! {
    panic!("{step:?} {place}")
}
