//! Trials until the time is over or something is found.

use std::io;
use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use crate::case::write;
use crate::play::{Bystander, Fault, Setting, play};
use crate::process::resident_bytes;
use crate::shrink::shrink;
use crate::trial::{Kind, Trial};

/// Memory is compared with what it was after this many trials, when buffers and pages of the server have been made.
const WARM_UP_TRIALS: u64 = 300;

/// Memory is looked at every so many trials.
const LOOK_TRIALS: u64 = 50;

/// A finding is looked for again so many times: what does not come back is told, but cannot be shrunk.
const REPEATS: usize = 3;

/// Shrinking takes no longer than this.
const SHRINK_TIME: Duration = Duration::from_secs(60);

/// What to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The server. It must be the caller's: keys beginning with `fz` are stored in it, and it may break.
    pub address: Address,
    /// Where trials come from: the same seed, the same trials.
    pub seed: u64,
    /// For how long.
    pub time: Duration,
    /// How long the server may take for anything.
    pub timeout: Duration,
    /// The server's process, if it is on this machine.
    pub pid: Option<u32>,
    /// How many bytes it may grow by.
    pub growth_bytes: u64,
}

/// What came of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Trials played, the one with the finding included.
    pub trials: u64,
    /// Bytes in the server's memory after the first trials, and at the end.
    pub memory: Option<(u64, u64)>,
    /// What was found.
    pub finding: Option<Finding>,
}

/// A trial after which the server was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the trial.
    pub trial: u64,
    /// What was wrong, after shrinking.
    pub fault: Fault,
    /// The smallest trial that shows it, as the text of a case file; none if one trial alone does not show it.
    pub case: Option<String>,
}

/// How far a campaign has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Trials so far.
    pub trials: u64,
    /// Since the beginning.
    pub elapsed: Duration,
}

/// Why there was no campaign.
#[derive(Debug, thiserror::Error)]
pub enum Impossible {
    /// The server is not there.
    #[error("{address} cannot be reached: {cause}; start the server, or check the address")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// It answers neither fence.
    #[error("{0} answers neither `mn` nor `version`: it speaks no text protocol of memcached")]
    NotMemcached(String),
    /// There is no such process.
    #[error("there is no process {0}, or this system does not tell how much memory it has; leave --pid out")]
    NoProcess(u32),
}

impl Campaign {
    /// Plays trials. `progress` is called now and then.
    ///
    /// # Errors
    /// When there is no server to begin with.
    pub async fn run(&self, mut progress: impl FnMut(Progress)) -> Result<Outcome, Impossible> {
        let setting = self.setting().await?;
        let kind = Kind {
            seed: self.seed,
            meta: setting.fence.1 == "MN",
        };
        let started = Instant::now();
        let mut bystander = Bystander::connect(&setting)
            .await
            .map_err(|cause| self.unreachable(cause))?;
        let mut warm = self.memory()?;
        let mut number = 0;
        while started.elapsed() < self.time {
            let trial = Trial::new(kind, number);
            let mut played = play(&trial, &setting).await;
            if played.is_ok() {
                played = bystander.is_served().await;
            }
            number += 1;
            if number == WARM_UP_TRIALS {
                warm = self.memory()?;
            }
            if played.is_ok() && number > WARM_UP_TRIALS && number.is_multiple_of(LOOK_TRIALS) {
                played = self.has_room(warm);
            }
            if let Err(fault) = played {
                let finding = self.finding(trial, fault, &setting, number - 1).await;
                return Ok(self.outcome(number, warm, Some(finding)));
            }
            progress(Progress {
                trials: number,
                elapsed: started.elapsed(),
            });
        }
        Ok(self.outcome(number, warm, None))
    }

    fn outcome(&self, trials: u64, warm: Option<u64>, finding: Option<Finding>) -> Outcome {
        let now = self.pid.and_then(resident_bytes);
        Outcome {
            trials,
            memory: warm.zip(now),
            finding,
        }
    }

    fn unreachable(&self, cause: io::Error) -> Impossible {
        Impossible::Unreachable {
            address: self.address.to_string(),
            cause,
        }
    }

    fn memory(&self) -> Result<Option<u64>, Impossible> {
        let Some(pid) = self.pid else {
            return Ok(None);
        };
        resident_bytes(pid).map(Some).ok_or(Impossible::NoProcess(pid))
    }

    fn has_room(&self, warm: Option<u64>) -> Result<(), Fault> {
        let Some((pid, from)) = self.pid.zip(warm) else {
            return Ok(());
        };
        match resident_bytes(pid) {
            None => Err(Fault::Gone(format!("there is no process {pid} any more"))),
            Some(to) if to > from + self.growth_bytes => Err(Fault::Grew { to, from }),
            Some(_) => Ok(()),
        }
    }

    /// Finds out which fence the server knows.
    async fn setting(&self) -> Result<Setting, Impossible> {
        for fence in [
            (&b"mn\r\n"[..], "MN\r\n", "MN"),
            (b"version\r\n", "VERSION ", "VERSION"),
        ] {
            let mut stream = self.address.connect().await.map_err(|cause| self.unreachable(cause))?;
            let mut answer = Vec::new();
            let asking = async {
                stream.write_all(fence.0).await?;
                while !answer.contains(&b'\n') && stream.read_buf(&mut answer).await? > 0 {}
                io::Result::Ok(())
            };
            // No answer is an answer, too: it is not this fence.
            let _ = timeout(self.timeout, asking).await;
            if answer.starts_with(fence.1.as_bytes()) {
                return Ok(Setting {
                    address: self.address.clone(),
                    fence: (fence.0, fence.2),
                    timeout: self.timeout,
                });
            }
        }
        Err(Impossible::NotMemcached(self.address.to_string()))
    }

    /// Shrinks what was found, if one trial alone shows it.
    async fn finding(&self, trial: Trial, fault: Fault, setting: &Setting, number: u64) -> Finding {
        let mut again = None;
        for _ in 0..REPEATS {
            if let Err(seen) = play(&trial, setting).await
                && seen.is_like(&fault)
            {
                again = Some(seen);
                break;
            }
        }
        let Some(seen) = again else {
            return Finding {
                trial: number,
                fault,
                case: None,
            };
        };
        let end = Instant::now() + SHRINK_TIME;
        // What needs a timeout to be seen would take the whole time for a few steps.
        let quick = Setting {
            timeout: setting.timeout.min(Duration::from_millis(500)),
            ..setting.clone()
        };
        let (smallest, fault) = shrink(trial, seen, &quick, end).await;
        Finding {
            trial: number,
            case: Some(write(&smallest, &fault, setting, self.seed, number)),
            fault,
        }
    }
}
