//! Judges what came against the model.
//!
//! The judge follows every state that the server may be in. A reply rules out the states that cannot give it; when none
//! is left, the server differs from the model.

use crate::command::Command;
use crate::model::{Model, Outcomes, State};
use crate::part::{Cas, Names, Part};
use crate::play::Segment;

/// More states than this at once are not followed: the history is put aside.
const STATES_MAX: usize = 256;

/// What came of a history.
#[derive(Debug, Clone)]
pub(crate) enum Judgement {
    /// The server does what the model does.
    Agrees,
    /// It does not.
    Differs(Difference),
    /// Too many states were possible.
    PutAside,
}

/// A step and its reply.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// Its place in the history.
    pub(crate) step: usize,
    /// The command that was sent.
    pub(crate) command: Command,
    /// What the model expected; it fitted.
    pub(crate) expected: Vec<Part>,
    /// What came.
    pub(crate) reply: Vec<u8>,
}

/// Where server and model part.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// The steps before.
    pub(crate) before: Vec<Answered>,
    /// The step.
    pub(crate) step: usize,
    /// The command.
    pub(crate) command: Command,
    /// The replies that the model allows.
    pub(crate) expected: Vec<Vec<Part>>,
    /// What came in their place, with all that came after it in the same write.
    pub(crate) received: Vec<u8>,
    /// Whether the server closed or said nothing more.
    pub(crate) end: &'static str,
}

/// One state that the server may be in.
#[derive(Debug, Clone)]
struct Hypothesis {
    state: State,
    /// How much of the segment's reply it has explained.
    at: usize,
    /// What it has explained so far.
    trail: Vec<Answered>,
}

/// Judges a history that was played.
pub(crate) fn judge(model: &Model, names: &Names, segments: &[Segment]) -> Judgement {
    let mut judge = Judge::new(model, names, true);
    for segment in segments {
        if let Some(judgement) = judge.segment(segment) {
            return judgement;
        }
    }
    Judgement::Agrees
}

/// Whether a server did what the model does: `Some(true)` if so, `None` if it cannot be told.
pub(crate) fn agrees(model: &Model, names: &Names, segments: &[Segment]) -> Option<bool> {
    let mut judge = Judge::new(model, names, false);
    for segment in segments {
        match judge.segment(segment) {
            None => {}
            Some(Judgement::PutAside) => return None,
            Some(_) => return Some(false),
        }
    }
    Some(true)
}

struct Judge<'j> {
    model: &'j Model,
    names: &'j Names,
    hypotheses: Vec<Hypothesis>,
    /// Whether to remember what fitted.
    keep: bool,
}

impl<'j> Judge<'j> {
    /// A judge of a server that has nothing stored.
    fn new(model: &'j Model, names: &'j Names, keep: bool) -> Self {
        let start = Hypothesis {
            state: State::default(),
            at: 0,
            trail: Vec::new(),
        };
        Judge {
            model,
            names,
            hypotheses: vec![start],
            keep,
        }
    }

    fn segment(&mut self, segment: &Segment) -> Option<Judgement> {
        for hypothesis in &mut self.hypotheses {
            hypothesis.at = 0;
        }
        for (step, command) in &segment.commands {
            if let Some(judgement) = self.command(segment, *step, command) {
                return Some(judgement);
            }
        }
        // Nothing may be left over, and the fence must have been answered.
        let (step, command) = segment.commands.last()?;
        let explained = |hypothesis: &Hypothesis| hypothesis.at == segment.reply.len() && segment.end.is_ok();
        if self.hypotheses.iter().any(explained) {
            self.hypotheses.retain(explained);
            return None;
        }
        let hypothesis = self.hypotheses.pop()?;
        let received = segment.reply[hypothesis.at..].to_vec();
        Some(self.differs(segment, (*step, command), hypothesis.trail, vec![Vec::new()], received))
    }

    fn command(&mut self, segment: &Segment, step: usize, command: &Command) -> Option<Judgement> {
        let mut next: Vec<Hypothesis> = Vec::new();
        let mut expected: Vec<(usize, Vec<Part>)> = Vec::new();
        let mut trails = Vec::new();
        for hypothesis in std::mem::take(&mut self.hypotheses) {
            let Hypothesis { state, at, trail } = hypothesis;
            let outcomes: Outcomes = self.model.outcomes(state, command, segment.at);
            for (parts, mut state) in outcomes {
                let Some((length, revealed)) = matches(&parts, &segment.reply[at..], self.names, &state) else {
                    expected.push((at, parts));
                    continue;
                };
                for (version, number) in revealed {
                    state.reveal(version, number);
                }
                let at = at + length;
                if next.iter().any(|other| other.at == at && other.state == state) {
                    continue;
                }
                let mut trail = trail.clone();
                if self.keep {
                    let reply = segment.reply[at - length..at].to_vec();
                    trail.push(Answered {
                        step,
                        command: command.clone(),
                        expected: parts,
                        reply,
                    });
                }
                next.push(Hypothesis { state, at, trail });
            }
            trails.push((at, trail));
        }
        if next.len() > STATES_MAX {
            return Some(Judgement::PutAside);
        }
        self.hypotheses = next;
        if !self.hypotheses.is_empty() {
            return None;
        }
        // The hypothesis that explained most is the one to tell about.
        let (at, trail) = trails.into_iter().max_by_key(|(at, _)| *at)?;
        let expected = expected
            .into_iter()
            .filter(|(place, _)| *place == at)
            .map(|(_, parts)| parts)
            .collect();
        Some(self.differs(segment, (step, command), trail, expected, segment.reply[at..].to_vec()))
    }

    fn differs(
        &self,
        segment: &Segment,
        (step, command): (usize, &Command),
        before: Vec<Answered>,
        expected: Vec<Vec<Part>>,
        received: Vec<u8>,
    ) -> Judgement {
        let end = match &segment.end {
            Ok(()) => "",
            Err(crate::link::Broken::Closed) => "then the server closed the connection",
            Err(crate::link::Broken::Silent) => "then the server said nothing more",
        };
        Judgement::Differs(Difference {
            before,
            step,
            command: command.clone(),
            expected,
            received,
            end,
        })
    }
}

/// Whether a reply begins with what is expected: how long that is, and the CAS values that it shows.
fn matches(parts: &[Part], reply: &[u8], names: &Names, state: &State) -> Option<(usize, Vec<(Cas, u64)>)> {
    let mut at = 0;
    let mut revealed: Vec<(Cas, u64)> = Vec::new();
    let mut fixed = Vec::new();
    for part in parts {
        let rest = &reply[at..];
        at += match part {
            Part::Bytes(bytes) => rest.starts_with(bytes).then_some(bytes.len())?,
            Part::Data(data) => rest.starts_with(data).then_some(data.len())?,
            Part::Rest => rest
                .windows(2)
                .position(|pair| pair == b"\r\n")
                .filter(|length| *length > 0)?,
            Part::AnyNumber => number(rest)?.1,
            Part::Number(low, high) => {
                let (number, length) = number(rest)?;
                (i128::from(*low)..=i128::from(*high))
                    .contains(&number)
                    .then_some(length)?
            }
            Part::Cas(version @ Cas::Fresh(_)) => {
                let (number, length) = number(rest)?;
                let number = u64::try_from(number).ok().filter(|number| *number != 0)?;
                match revealed.iter().find(|(known, _)| known == version) {
                    Some((_, known)) if *known != number => return None,
                    Some(_) => {}
                    None if state.seen.contains(&number) => return None,
                    None => revealed.push((*version, number)),
                }
                length
            }
            part => {
                fixed.clear();
                names.write(part, &mut fixed).then_some(())?;
                let length = rest.starts_with(&fixed).then_some(fixed.len())?;
                let is_number = matches!(part, Part::Cas(_));
                (!is_number || !rest.get(length).is_some_and(u8::is_ascii_digit)).then_some(length)?
            }
        };
    }
    Some((at, revealed))
}

/// A decimal number as a server writes it: no plus, no zero in front.
fn number(text: &[u8]) -> Option<(i128, usize)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let digits = text[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 20 || (digits > 1 && text[sign] == b'0') {
        return None;
    }
    let length = sign + digits;
    Some((std::str::from_utf8(&text[..length]).ok()?.parse().ok()?, length))
}
