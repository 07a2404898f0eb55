//! A smaller trial that shows the same fault.

use tokio::time::Instant;

use crate::play::{Fault, Setting, play};
use crate::trial::{Content, Trial};

/// Makes `trial` smaller as long as the same kind of fault is seen, until `end`.
pub(crate) async fn shrink(trial: Trial, fault: Fault, setting: &Setting, end: Instant) -> (Trial, Fault) {
    let mut best = (trial, fault);
    loop {
        let mut smaller = false;
        let mut size = length(&best.0).div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < length(&best.0) {
                if Instant::now() >= end {
                    return best;
                }
                let candidate = without(&best.0, from, size);
                match play(&candidate, setting).await {
                    Err(fault) if fault.is_like(&best.1) => {
                        best = (candidate, fault);
                        smaller = true;
                    }
                    _ => from += size,
                }
            }
            size /= 2;
        }
        let whole = Trial {
            piece_bytes: 0,
            ..best.0.clone()
        };
        if best.0.piece_bytes != 0
            && let Err(fault) = play(&whole, setting).await
            && fault.is_like(&best.1)
        {
            best = (whole, fault);
        }
        if !smaller {
            return best;
        }
    }
}

/// Of what can be left out, how many there are: commands, or bytes.
fn length(trial: &Trial) -> usize {
    match &trial.content {
        Content::Orderly(commands) => commands.len(),
        Content::Wild(stream) => stream.len(),
    }
}

fn without(trial: &Trial, from: usize, size: usize) -> Trial {
    let end = (from + size).min(length(trial));
    let mut smaller = trial.clone();
    match &mut smaller.content {
        Content::Orderly(commands) => drop(commands.drain(from..end)),
        Content::Wild(stream) => drop(stream.drain(from..end)),
    }
    smaller
}
