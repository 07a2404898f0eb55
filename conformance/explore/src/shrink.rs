//! Makes a history that shows a fault as short and as plain as it can be while it still shows one.

use std::time::{Duration, Instant};

use crate::command::{CasRef, Command, Exptime, Flag, History, Key, Meta, Step, Store, Value};
use crate::trial::{Bench, Fault, Outcome};

/// How long shrinking may take, and how many histories it may play.
const TIME_MAX: Duration = Duration::from_secs(40);
const TRIALS_MAX: usize = 2_000;

/// A history that shows a fault, every time.
#[derive(Debug, Clone)]
pub(crate) struct Shrunk {
    pub(crate) history: History,
    pub(crate) fault: Fault,
}

/// Plays the history again, and shrinks it if it shows its fault again; `None` if it does not.
///
/// # Errors
/// When a server cannot be reached.
pub(crate) async fn shrink(bench: &mut Bench, history: &History) -> std::io::Result<Option<Shrunk>> {
    // Most faults need no time to pass, and without it all else is a thousand times faster.
    let is_send = |step: &&Step| matches!(step, Step::Send { .. });
    let quick: History = history.iter().filter(is_send).cloned().collect();
    let start = match shown(bench, &quick, QUICK_TIMES).await? {
        None if quick.len() < history.len() => shown(bench, history, 1).await?,
        start => start,
    };
    let Some(best) = start else { return Ok(None) };
    let mut shrinker = Shrinker {
        bench,
        best,
        end: Instant::now() + TIME_MAX,
        trials: 0,
    };
    shrinker.cut_end();
    loop {
        let before = shrinker.best.history.clone();
        shrinker.drop_steps().await?;
        shrinker.simplify().await?;
        shrinker.rename_keys().await?;
        if shrinker.best.history == before || shrinker.is_over() {
            return Ok(Some(shrinker.best));
        }
    }
}

/// How often a history must show its fault to count as steady: one that comes and goes would shrink to whatever went
/// wrong last.
const QUICK_TIMES: usize = 3;

/// The fault that a history shows, if it shows one so many times out of as many.
async fn shown(bench: &mut Bench, history: &History, times: usize) -> std::io::Result<Option<Shrunk>> {
    let mut shown = None;
    for _ in 0..times {
        let Outcome::Wrong(fault) = bench.judge(history).await? else {
            return Ok(None);
        };
        shown = Some(Shrunk {
            history: history.clone(),
            fault: *fault,
        });
    }
    Ok(shown)
}

struct Shrinker<'b> {
    bench: &'b mut Bench,
    best: Shrunk,
    end: Instant,
    trials: usize,
}

impl Shrinker<'_> {
    fn is_over(&self) -> bool {
        self.trials >= TRIALS_MAX || Instant::now() >= self.end
    }

    /// Takes a candidate for the best if it still shows a fault.
    async fn accepts(&mut self, candidate: History) -> std::io::Result<bool> {
        if self.is_over() || speaks_after_quit(&candidate) {
            return Ok(false);
        }
        self.trials += 1;
        let Outcome::Wrong(fault) = self.bench.judge(&candidate).await? else {
            return Ok(false);
        };
        self.best = Shrunk {
            history: candidate,
            fault: *fault,
        };
        self.cut_end();
        Ok(true)
    }

    /// Leaves out what comes after the fault.
    fn cut_end(&mut self) {
        self.best.history.truncate(self.best.fault.last_step() + 1);
    }

    /// Leaves out steps: many at once first, then fewer.
    async fn drop_steps(&mut self) -> std::io::Result<()> {
        let mut size = self.best.history.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < self.best.history.len() && !self.is_over() {
                let mut candidate = self.best.history.clone();
                candidate.drain(start..(start + size).min(candidate.len()));
                if candidate.is_empty() || !self.accepts(candidate).await? {
                    start += size;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        Ok(())
    }

    async fn simplify(&mut self) -> std::io::Result<()> {
        let mut at = 0;
        while at < self.best.history.len() {
            let mut tried = 0;
            // After each success the simpler step has simpler forms of its own.
            while let Some(simpler) = self
                .best
                .history
                .get(at)
                .and_then(|step| simpler(step).into_iter().nth(tried))
            {
                let mut candidate = self.best.history.clone();
                candidate[at] = simpler;
                if self.accepts(candidate).await? {
                    tried = 0;
                } else if self.is_over() {
                    return Ok(());
                } else {
                    tried += 1;
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// One key in place of two, and plain keys in place of long ones.
    async fn rename_keys(&mut self) -> std::io::Result<()> {
        let keys: Vec<Key> = crate::play::keys(&self.best.history).collect();
        for from in keys {
            for to in [Key::Plain(1), Key::Plain(2), Key::Plain(3)] {
                if to < from {
                    let candidate = self.best.history.iter().map(|step| renamed(step, from, to)).collect();
                    if self.accepts(candidate).await? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether something is sent on a connection that has quit: a case file has no name for the one that would be opened.
fn speaks_after_quit(history: &History) -> bool {
    let mut ended = Vec::new();
    for step in history {
        if let Step::Send { conn, command, .. } = step {
            if ended.contains(conn) {
                return true;
            }
            if *command == Command::Quit {
                ended.push(*conn);
            }
        }
    }
    false
}

fn renamed(step: &Step, from: Key, to: Key) -> Step {
    let mut step = step.clone();
    let rename = |key: &mut Key| {
        if *key == from {
            *key = to;
        }
    };
    if let Step::Send { command, .. } = &mut step {
        for cas in command.cas_refs() {
            if let CasRef::Seen(key, _) = cas {
                rename(key);
            }
        }
        match command {
            Command::Get { keys, .. } => keys.iter_mut().for_each(rename),
            Command::Store { key, .. }
            | Command::Delete { key, .. }
            | Command::Count { key, .. }
            | Command::Touch { key, .. }
            | Command::Debug { key }
            | Command::Bad { key, .. }
            | Command::Meta(Meta { key, .. }) => rename(key),
            Command::Flush { .. } | Command::Quit => {}
        }
    }
    step
}

/// Simpler forms of a step, the simplest first.
fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::Wait(time) => [1100, 2600]
            .into_iter()
            .filter(|less| less < time)
            .map(Step::Wait)
            .collect(),
        Step::Send { conn, apart, command } => {
            let mut steps = Vec::new();
            if *conn > 0 {
                steps.push(Step::Send {
                    conn: 0,
                    apart: *apart,
                    command: command.clone(),
                });
            }
            if !apart {
                steps.push(Step::Send {
                    conn: *conn,
                    apart: true,
                    command: command.clone(),
                });
            }
            let send = |command| Step::Send {
                conn: *conn,
                apart: *apart,
                command,
            };
            steps.extend(simpler_commands(command).into_iter().map(send));
            steps
        }
    }
}

fn simpler_commands(command: &Command) -> Vec<Command> {
    let mut simpler = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Command)| {
        let mut candidate = command.clone();
        change(&mut candidate);
        if candidate != *command {
            simpler.push(candidate);
        }
    };
    offer(&|command| {
        if let Command::Store { verb, .. } = command {
            *verb = Store::Set;
        }
    });
    offer(&answer);
    offer(&|command| {
        if let Command::Store { flags, .. } = command {
            *flags = 0;
        }
    });
    offer(&|command| match command {
        Command::Store { exptime, .. } | Command::Touch { exptime, .. } => *exptime = Exptime::Relative(0),
        Command::Get { touch, .. } => *touch = None,
        _ => {}
    });
    offer(&|command| match command {
        Command::Get { cas, .. } => *cas = false,
        Command::Count { delta, .. } => *delta = 1,
        _ => {}
    });
    if let Command::Get { keys, .. } = command {
        for at in 0..keys.len().min(if keys.len() > 1 { 3 } else { 0 }) {
            offer(&|command| {
                if let Command::Get { keys, .. } = command {
                    keys.remove(at);
                }
            });
        }
    }
    for value in [&b""[..], b"1", b"a"] {
        offer(&|command| {
            if let Command::Store { value: old, .. } | Command::Meta(Meta { value: old, .. }) = command
                && simpler_value(old, value)
            {
                *old = Value::Literal(value.to_vec());
            }
        });
    }
    if let Command::Meta(meta) = command {
        for at in 0..meta.flags.len() {
            offer(&|command| {
                if let Command::Meta(meta) = command {
                    meta.flags.remove(at);
                }
            });
            offer(&|command| {
                if let Command::Meta(meta) = command {
                    simplify_flag(&mut meta.flags[at]);
                }
            });
        }
    }
    simpler
}

/// Lets a command be answered.
fn answer(command: &mut Command) {
    match command {
        Command::Store { noreply, .. }
        | Command::Delete { noreply, .. }
        | Command::Count { noreply, .. }
        | Command::Touch { noreply, .. }
        | Command::Flush { noreply, .. } => *noreply = false,
        _ => {}
    }
}

fn simpler_value(old: &Value, new: &[u8]) -> bool {
    match old {
        Value::Literal(old) => (new.len(), new) < (old.len(), old),
        Value::Filler(_) => true,
    }
}

fn simplify_flag(flag: &mut Flag) {
    match flag {
        Flag::Word(_, word) => *word = "1",
        Flag::Number(_, number) => *number = (*number).min(1),
        Flag::Time(b'T' | b'N', time) => *time = Exptime::Relative(0),
        Flag::Mode(mode @ (b'+' | b'i')) => *mode = b'I',
        Flag::Mode(mode @ b'-') => *mode = b'D',
        Flag::Mode(mode @ b'P') => *mode = b'A',
        _ => {}
    }
}
