//! Plays the steps of a case and judges the answers.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::Delivery;
use super::fill::{Bindings, Segment};
use super::group::groups;
use super::matcher::Token;
use super::pace::Pace;
use super::places::Place;
use super::transport::Address;
use super::wire::{Deadline, Fault, Wire};
use crate::case::{Action, Alternative, Answer, Case, Conn, Release, ReleaseRange, Step, need_fence};
use crate::target::Fence;

/// A case as a whole may take so many times the timeout: a server that trickles must not hold up the run.
const CASE_TIMEOUTS_MAX: u32 = 10;

/// What a run of a case needs to know beside the case.
#[derive(Debug, Clone)]
pub(crate) struct Setting<'s> {
    pub(crate) address: &'s Address,
    pub(crate) fence: Fence,
    pub(crate) delivery: Delivery,
    /// The one release that is demanded, if any.
    pub(crate) dialect: Option<&'s Release>,
    /// How long the server may do nothing; and ten times that for all of a case, its own waits not counted.
    pub(crate) timeout: Duration,
    /// What makes the keys of this run unique.
    pub(crate) unique: String,
}

/// A case that ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The releases that answer as this server did.
    pub releases: ReleaseRange,
}

/// A case that the server did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line of the case file whose expectation was not met.
    pub line: u32,
    /// What was wrong.
    pub problem: Problem,
    /// What would have been right, one entry for each alternative.
    pub expected: Vec<String>,
    /// What came instead and had not been read yet.
    pub received: Vec<u8>,
    /// Offset of the first byte of `received` that is wrong.
    pub first_difference: usize,
    /// All that went over the wire until then.
    pub exchanges: Vec<Exchange>,
}

/// Bytes that went over one connection in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The connection.
    pub conn: Conn,
    /// Whether the client sent them.
    pub sent: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How a server failed a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Other bytes came.
    Differs,
    /// Not all of the answer came in time.
    TimedOut(Duration),
    /// The server closed the connection instead.
    Closed,
    /// Bytes were left over, or the server still waited for some, when the case had ended.
    OutOfStep,
    /// The alternatives that fit belong to releases that have nothing in common.
    Inconsistent(ReleaseRange),
    /// No connection could be made; the harness, not an answer, failed.
    Unreachable(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs => f.write_str("the answer differs"),
            Self::TimedOut(time) => write!(f, "the answer was not complete after {time:?}"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::OutOfStep => f.write_str("the connection is out of step after the case"),
            Self::Inconsistent(so_far) => {
                write!(
                    f,
                    "this is the answer of other releases than the answers before it ({so_far})"
                )
            }
            Self::Unreachable(cause) => write!(f, "no connection: {cause}"),
        }
    }
}

/// Plays a case once.
///
/// # Errors
/// The first expectation that was not met.
pub(crate) async fn play(case: &Case, setting: &Setting<'_>, place: Option<Place<'_>>) -> Result<Played, Box<Failure>> {
    let mut player = Player {
        setting,
        place,
        bindings: Bindings::new(setting.unique.clone()),
        wires: BTreeMap::new(),
        releases: ReleaseRange::ALL,
        exchanges: Vec::new(),
        pace: Pace::new(),
        end: Instant::now() + setting.timeout * CASE_TIMEOUTS_MAX + case.waits(),
    };
    for range in groups(&case.steps, setting.delivery) {
        player.group(&case.steps[range]).await?;
    }
    player
        .in_step(case.steps.last().map_or(case.line, |step| step.line))
        .await?;
    Ok(Played {
        releases: player.releases,
    })
}

struct Player<'s> {
    setting: &'s Setting<'s>,
    /// Given back at the first wait.
    place: Option<Place<'s>>,
    bindings: Bindings,
    wires: BTreeMap<Conn, Line>,
    releases: ReleaseRange,
    exchanges: Vec<Exchange>,
    pace: Pace,
    /// When the case must have ended, whatever still moves.
    end: Instant,
}

struct Line {
    wire: Wire,
    half_closed: bool,
}

impl Player<'_> {
    /// When a server that does nothing from now on has had its time.
    fn deadline(&self) -> Deadline {
        Deadline {
            quiet: self.setting.timeout,
            end: self.end,
        }
    }

    /// Sends all that the steps send, then reads what they expect.
    async fn group(&mut self, steps: &[Step]) -> Result<(), Box<Failure>> {
        let mut segments = Vec::new();
        for step in steps {
            match &step.action {
                Action::Send(pattern) => segments.extend(self.bindings.segments(pattern)),
                Action::Silent => segments.push(Segment::Bytes(self.setting.fence.request().to_vec())),
                Action::ReceiveAny(alternatives) if need_fence(alternatives) => {
                    segments.push(Segment::Bytes(self.setting.fence.request().to_vec()));
                }
                _ => {}
            }
        }
        if let (Some(step), false) = (steps.first(), segments.is_empty()) {
            self.send(step, &segments).await?;
        }
        for step in steps {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn send(&mut self, step: &Step, segments: &[Segment]) -> Result<(), Box<Failure>> {
        let writes = self.setting.delivery.writes(segments);
        let deadline = self.deadline();
        self.exchanges.push(Exchange {
            conn: step.conn,
            sent: true,
            bytes: writes.concat(),
        });
        let waits = self.pace.waits(writes.len());
        self.line(step).await?.wire.send(&writes, waits, deadline).await;
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), Box<Failure>> {
        let deadline = self.deadline();
        match &step.action {
            Action::Send(_) => Ok(()),
            Action::Receive(pattern) => {
                let tokens = self.bindings.tokens(pattern);
                self.receive(step, &tokens, Problem::Differs).await
            }
            Action::ReceiveAny(alternatives) => self.receive_any(step, alternatives).await,
            Action::Silent => self.receive(step, &self.setting.fence.answer(), Problem::Differs).await,
            Action::Closed => {
                let fault = self.line(step).await?.wire.closed(deadline).await;
                fault.map_err(|fault| {
                    self.failure(step, step.line, &fault, vec!["(closed)".to_owned()], Problem::Differs)
                })
            }
            Action::Close => {
                self.line(step).await?;
                self.wires.remove(&step.conn);
                Ok(())
            }
            Action::HalfClose => {
                let line = self.line(step).await?;
                line.wire.half_close().await;
                line.half_closed = true;
                Ok(())
            }
            Action::Wait(time) => {
                self.place = None;
                tokio::time::sleep(*time).await;
                Ok(())
            }
        }
    }

    async fn receive(&mut self, step: &Step, tokens: &[Token], differs: Problem) -> Result<(), Box<Failure>> {
        let deadline = self.deadline();
        match self.line(step).await?.wire.receive(tokens, deadline).await {
            Ok((bytes, captured)) => {
                self.exchanges.push(Exchange {
                    conn: step.conn,
                    sent: false,
                    bytes,
                });
                self.bindings.capture(captured);
                Ok(())
            }
            Err(fault) => Err(self.failure(step, step.line, &fault, vec![describe(tokens)], differs)),
        }
    }

    async fn receive_any(&mut self, step: &Step, alternatives: &[Alternative]) -> Result<(), Box<Failure>> {
        let fence = need_fence(alternatives).then(|| self.setting.fence.answer());
        let demanded = |a: &&Alternative| self.setting.dialect.is_none_or(|release| a.releases.contains(release));
        let (mut chosen, mut answers) = (Vec::new(), Vec::new());
        let mut closed = None;
        for alternative in alternatives.iter().filter(demanded) {
            let mut tokens = match &alternative.answer {
                Answer::Bytes(pattern) => self.bindings.tokens(pattern),
                Answer::Silent => Vec::new(),
                Answer::Closed => {
                    closed = Some(alternative);
                    continue;
                }
            };
            tokens.extend(fence.iter().flatten().cloned());
            chosen.push(alternative);
            answers.push(tokens);
        }
        let mut expected: Vec<String> = chosen
            .iter()
            .zip(&answers)
            .map(|(a, tokens)| format!("{:<16} {}", a.releases.to_string(), describe(tokens)))
            .collect();
        expected.extend(closed.map(|a| format!("{:<16} (closed)", a.releases.to_string())));
        let deadline = self.deadline();
        match self
            .line(step)
            .await?
            .wire
            .receive_any(&answers, closed.is_some(), deadline)
            .await
        {
            Ok((found, bytes, captured)) => {
                self.bindings.capture(captured);
                let fits = found
                    .map(|first| &chosen[first])
                    .or(closed.as_ref())
                    .map(|a| &a.releases);
                let so_far = self.releases.clone();
                let common = fits.and_then(|releases| so_far.intersect(releases));
                self.exchanges.push(Exchange {
                    conn: step.conn,
                    sent: false,
                    bytes,
                });
                match common {
                    Some(releases) => {
                        self.releases = releases;
                        Ok(())
                    }
                    None => Err(self.failure(
                        step,
                        step.line,
                        &Fault::Differs(0),
                        expected,
                        Problem::Inconsistent(so_far),
                    )),
                }
            }
            Err(fault) => Err(self.failure(step, step.line, &fault, expected, Problem::Differs)),
        }
    }

    /// Makes sure that no connection has a byte left over or waits for one.
    async fn in_step(&mut self, line: u32) -> Result<(), Box<Failure>> {
        let conns: Vec<Conn> = self.wires.keys().copied().collect();
        for conn in conns {
            let deadline = self.deadline();
            let Some(open) = self.wires.get_mut(&conn) else {
                continue;
            };
            if open.wire.ended() && open.wire.unread().is_empty() {
                continue;
            }
            let half_closed = open.half_closed;
            let end = Step {
                comments: Vec::new(),
                conn,
                action: Action::Silent,
                line,
            };
            if half_closed {
                let fault = open.wire.closed(deadline).await;
                let expected = vec!["(closed)".to_owned()];
                fault.map_err(|fault| self.failure(&end, line, &fault, expected, Problem::OutOfStep))?;
            } else {
                let request = self.setting.fence.request().to_vec();
                open.wire.send(std::slice::from_ref(&request), 0, deadline).await;
                self.exchanges.push(Exchange {
                    conn,
                    sent: true,
                    bytes: request,
                });
                let fence = self.setting.fence.answer();
                self.receive(&end, &fence, Problem::OutOfStep).await?;
                let surplus = self.wires.get(&conn).is_some_and(|open| !open.wire.unread().is_empty());
                if surplus {
                    return Err(self.failure(&end, line, &Fault::Differs(0), Vec::new(), Problem::OutOfStep));
                }
            }
        }
        Ok(())
    }

    /// The connection of a step; opened when a step first names it.
    async fn line(&mut self, step: &Step) -> Result<&mut Line, Box<Failure>> {
        if !self.wires.contains_key(&step.conn) {
            let connect = tokio::time::timeout_at(self.deadline().at(), self.setting.address.connect()).await;
            let stream = connect
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map_err(|error| {
                    let problem = Problem::Unreachable(error.to_string());
                    self.failure(step, step.line, &Fault::Differs(0), Vec::new(), problem)
                })?;
            self.wires.insert(
                step.conn,
                Line {
                    wire: Wire::new(stream),
                    half_closed: false,
                },
            );
        }
        // Inserted above if it was not there.
        Ok(self
            .wires
            .get_mut(&step.conn)
            .unwrap_or_else(|| unreachable!("the connection was just opened")))
    }

    fn failure(&self, step: &Step, line: u32, fault: &Fault, expected: Vec<String>, differs: Problem) -> Box<Failure> {
        let received = self
            .wires
            .get(&step.conn)
            .map(|line| line.wire.unread().to_vec())
            .unwrap_or_default();
        let (problem, first_difference) = match fault {
            Fault::Differs(at) => (differs, *at),
            Fault::TimedOut => (Problem::TimedOut(self.setting.timeout), received.len()),
            Fault::Closed => (Problem::Closed, received.len()),
        };
        Box::new(Failure {
            line,
            problem,
            expected,
            received,
            first_difference,
            exchanges: self.exchanges.clone(),
        })
    }
}

/// What was expected, as the report shows it: escaped, with the placeholders that stayed open.
fn describe(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Bytes(bytes) => crate::escape::escape(bytes),
            Token::Number {
                capture: Some(name), ..
            } => format!("{{{name}}}"),
            Token::Number { low: 0, high, .. } if *high == i128::from(u64::MAX) => "{#}".to_owned(),
            Token::Number { low, high, .. } => format!("{{#{low}..{high}}}"),
            Token::Text => "{*}".to_owned(),
            Token::Lines => "{lines}".to_owned(),
            Token::Log => "{log}".to_owned(),
        })
        .collect()
}
