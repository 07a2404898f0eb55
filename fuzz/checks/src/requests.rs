//! The parser of requests: no panic, nothing beyond the input, and the same requests whatever the split.

use fuzz_judge as judge;
use refcached_protocol::{Limits, Parser, RefusalKind, Step};

use crate::cuts::{Cuts, Plan};

/// Parses the stream of `input` as a whole and in pieces, side by side, and judges every step.
///
/// # Panics
/// When the two differ, a step breaks the parser's promises, or it says what the bytes do not.
pub fn check(input: &[u8]) {
    let Some((plan, stream)) = Plan::split(input) else {
        return;
    };
    let mut sides = Sides {
        limits: plan.limits,
        whole: Parser::new(plan.limits),
        done: 0,
        pieces: Pieces::new(&plan, stream),
        stream,
    };
    while sides.step() {}
}

/// A parser that sees all of the stream, and one that sees it piece by piece.
struct Sides<'s> {
    limits: Limits,
    whole: Parser,
    /// What the first one is done with.
    done: usize,
    pieces: Pieces<'s>,
    stream: &'s [u8],
}

impl Sides<'_> {
    /// Takes the next step on both sides; `false` if it was the last.
    #[inline]
    fn step(&mut self) -> bool {
        let rest = &self.stream[self.done..];
        let owed = self.whole.swallowing();
        let step = self.whole.next(rest);
        let (Step::Incomplete { consumed, .. } | Step::Request { consumed, .. } | Step::Refused { consumed, .. }) =
            step;
        assert!(consumed <= rest.len(), "consumed {consumed} of {} bytes", rest.len());
        let end = self.done + consumed;
        if let Step::Incomplete { wanted, .. } = step {
            assert_wanted(wanted, rest.len() - consumed);
            self.pieces.show_rest(end);
            return false;
        }
        assert!(consumed > 0, "a step without progress");
        let swallowed = usize::try_from(owed).map_or(consumed, |owed| owed.min(consumed));
        let command = &rest[swallowed..consumed];
        if closes_at_once(&step) {
            judge_closing(&step, command, end - command.len(), &self.limits);
            self.pieces.show_until_closed(&step);
            return false;
        }
        let Some(wanted_until) = self.pieces.show_until(end) else {
            return false;
        };
        assert!(
            wanted_until <= end,
            "wanted bytes up to {wanted_until} of a command that ends at {end}"
        );
        let expected = end - self.pieces.done;
        judge::same_step(&step, &self.pieces.next(), expected);
        self.pieces.done = end;
        self.done = end;
        match &step {
            Step::Request { request, .. } => {
                judge::request(request, command, &self.limits);
                assert_eq!(self.whole.swallowing(), 0, "a request is followed by what is swallowed");
            }
            Step::Refused { refusal, .. } => {
                let closes = refusal.closes();
                let block = judge::refusal(refusal, command, &self.limits);
                assert_eq!(self.whole.swallowing(), block, "what is swallowed after a refusal");
                return !closes;
            }
            Step::Incomplete { .. } => {}
        }
        true
    }
}

/// A parser that is shown its stream piece by piece.
struct Pieces<'s> {
    parser: Parser,
    cuts: Cuts,
    stream: &'s [u8],
    line_bytes_max: usize,
    done: usize,
    /// The end of what it has been shown.
    shown: usize,
}

impl<'s> Pieces<'s> {
    fn new(plan: &Plan, stream: &'s [u8]) -> Self {
        Pieces {
            parser: Parser::new(plan.limits),
            cuts: plan.cuts,
            stream,
            line_bytes_max: plan.limits.line_bytes_max,
            done: 0,
            shown: 0,
        }
    }

    #[inline]
    fn next(&mut self) -> Step<'_> {
        self.parser.next(&self.stream[self.done..self.shown])
    }

    /// Shows pieces until the one in which the command ends whose end is `end`, and answers up to where the parser wanted to
    /// see before. `None` if it has closed, as it may for a line that is longer than the limit and came without its end.
    #[inline]
    fn show_until(&mut self, end: usize) -> Option<usize> {
        let mut wanted_until = 0;
        while self.shown < end {
            let has = self.shown - self.done;
            match self.next() {
                Step::Incomplete { consumed, wanted } => {
                    assert!(consumed <= has, "consumed {consumed} of {has} bytes");
                    assert_wanted(wanted, has - consumed);
                    self.done += consumed;
                    wanted_until = self.done + wanted;
                }
                Step::Refused { refusal, .. } if refusal.kind == RefusalKind::LineTooLong => {
                    assert!(has > self.line_bytes_max, "closed after {has} bytes");
                    return None;
                }
                early => judge::no_such_step(&early, "before the end of the command"),
            }
            self.shown = self.cuts.next_end(self.shown, self.stream.len());
        }
        Some(wanted_until)
    }

    /// Shows all that is left, in which there is no whole command.
    fn show_rest(&mut self, end: usize) {
        let total = self.stream.len();
        if self.show_until(total).is_none() {
            return;
        }
        match self.next() {
            Step::Incomplete { consumed, .. } => assert_eq!(self.done + consumed, end, "done with more when cut"),
            other => judge::no_such_step(&other, "from a stream that holds no whole command"),
        }
    }

    /// Shows pieces until the parser closes, as the other one did by `expected`.
    fn show_until_closed(&mut self, expected: &Step<'_>) {
        loop {
            let more = self.shown < self.stream.len();
            match self.next() {
                Step::Incomplete { consumed, .. } if more => self.done += consumed,
                step if closes_at_once(&step) => return,
                other => judge::steps_differ(expected, &other),
            }
            self.shown = self.cuts.next_end(self.shown, self.stream.len());
        }
    }
}

/// The refusals that take all the bytes there are.
#[inline]
fn closes_at_once(step: &Step<'_>) -> bool {
    matches!(step, Step::Refused { refusal, .. }
        if matches!(refusal.kind, RefusalKind::LineTooLong | RefusalKind::BinaryProtocol))
}

fn judge_closing(step: &Step<'_>, command: &[u8], at: usize, limits: &Limits) {
    match step {
        Step::Refused { refusal, .. } if refusal.kind == RefusalKind::BinaryProtocol => {
            assert!(
                at == 0 && command.first() == Some(&0x80),
                "binary in the middle of a stream"
            );
        }
        _ => {
            let bytes = command.len();
            assert!(bytes > limits.line_bytes_max, "closed after {bytes} bytes");
            assert!(!command.contains(&b'\n'), "closed though the line has an end");
        }
    }
}

#[inline]
fn assert_wanted(wanted: usize, has: usize) {
    assert!(wanted > has, "wants {wanted} bytes and has {has}");
}
