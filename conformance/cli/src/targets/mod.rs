//! How a target is reached, and how one that was started is stopped.

mod ask;
mod embedded;
mod image;
mod more;
mod spawn;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::args::Target;
use crate::exit::Failure;
use mcspec_suite::profile::{Profile, Start};

pub(crate) use more::More;

/// A target that can be connected to.
pub(crate) struct Started {
    /// Where it listens.
    pub(crate) address: Address,
    /// What a report calls it.
    pub(crate) name: String,
    /// The flag that names it again.
    pub(crate) flag: String,
    /// What must be stopped in the end.
    pub(crate) running: Running,
}

/// What runs for the time of the judgement.
pub(crate) enum Running {
    /// Somebody else's server.
    Elsewhere,
    /// The reference server in this process.
    Embedded(embedded::Embedded),
    /// A process of ours.
    Spawned(Box<spawn::Spawned>),
    /// A container of ours.
    Container(image::Container),
}

impl Running {
    /// How many more of it may run for exclusive cases. One in this process is an allocator's affair; of one that takes much
    /// memory or is slow to start, a few must do.
    pub(crate) fn more_max(&self) -> usize {
        match self {
            Self::Elsewhere => 0,
            Self::Embedded(_) => 16,
            Self::Spawned(_) => 16,
            Self::Container(_) => 4,
        }
    }

    /// What it said before it failed, as an addition to an error; empty if nothing is known.
    pub(crate) async fn last_words(&self) -> String {
        match self {
            Self::Elsewhere | Self::Embedded(_) => String::new(),
            Self::Spawned(spawned) => spawned.last_words().await,
            Self::Container(container) => container.last_words().await,
        }
    }

    /// The program files that run.
    pub(crate) fn programs(&self) -> Vec<PathBuf> {
        match self {
            Self::Spawned(spawned) => spawned.programs(),
            Self::Elsewhere | Self::Embedded(_) | Self::Container(_) => Vec::new(),
        }
    }

    /// Stops what was started.
    pub(crate) async fn stop(self) {
        match self {
            Self::Elsewhere => {}
            Self::Embedded(embedded) => embedded.stop().await,
            Self::Spawned(spawned) => spawned.stop().await,
            Self::Container(container) => container.stop().await,
        }
    }
}

/// Starts the target that the command line or its profile asks for, if it has to be started.
pub(crate) async fn start(target: &Target, profile: Option<&Profile>, timeout: Duration) -> Result<Started, Failure> {
    if let Some(profile) = profile {
        let name = target.target.as_deref().unwrap_or(&profile.file);
        return start_profile(profile, name, target.root.as_deref(), timeout).await;
    }
    if let Some(address) = &target.server {
        Ok(elsewhere(address.clone(), format!("--server {address}")))
    } else if let Some(path) = &target.unix {
        Ok(elsewhere(
            Address::Unix(path.clone()),
            format!("--unix {}", path.display()),
        ))
    } else if let Some(command) = &target.spawn {
        spawn::start_command(command, target.root.as_deref(), timeout).await
    } else if let Some(image) = &target.image {
        image::start(image, timeout).await
    } else {
        embedded::start().await
    }
}

fn elsewhere(address: Address, flag: String) -> Started {
    Started {
        name: address.to_string(),
        address,
        flag,
        running: Running::Elsewhere,
    }
}

/// Starts a target as its file says.
async fn start_profile(
    profile: &Profile,
    name: &str,
    root: Option<&Path>,
    timeout: Duration,
) -> Result<Started, Failure> {
    let Some(start) = &profile.start else {
        return Err(Failure::usage(format!(
            "--target {name}: {} does not say how the server starts; give it a [start], or name it with --expect",
            profile.file
        )));
    };
    let flag = format!("--target {name}");
    let mut started = match start {
        Start::Server(address) => elsewhere(address.clone(), String::new()),
        Start::BuiltIn => embedded::start().await?,
        Start::Image { image, tag } => {
            let image = image.replace("{tag}", tag.as_deref().unwrap_or_default());
            image::start(&image, timeout).await?
        }
        Start::Processes {
            files,
            commands,
            obtain,
        } => {
            let plan = spawn::Plan {
                asked: flag.clone(),
                files,
                commands,
                obtain: obtain.as_deref(),
                root,
            };
            let (address, spawned) = spawn::start(&plan, timeout).await?;
            Started {
                running: Running::Spawned(Box::new(spawned)),
                ..elsewhere(address, String::new())
            }
        }
    };
    started.name.clone_from(&profile.name);
    started.flag = flag;
    Ok(started)
}

/// Between two attempts to connect to a server that is starting.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// How long a server may say nothing to the first request of a connection and still count as one that is there.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// Waits until a server keeps a connection; `alive` tells whether it still can.
///
/// Accepting one is not enough: what forwards a container's port accepts before the server within listens, and closes.
async fn until_reachable(address: &Address, patience: Duration, mut alive: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    loop {
        let cause = match timeout_at(deadline, is_kept(address)).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => "it closes each one at once".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if !alive() {
            return Err("it ended".to_owned());
        }
        if Instant::now() >= deadline {
            let seconds = patience.as_secs_f64();
            return Err(format!(
                "it keeps no connection at {address} within {seconds:.1} s: {cause}"
            ));
        }
        sleep(BETWEEN_ATTEMPTS).await;
    }
}

/// Whether the server answers a first request, or at least does not hang up on it.
async fn is_kept(address: &Address) -> std::io::Result<bool> {
    let mut stream = address.connect().await?;
    let mut answer = [0];
    let exchange = async {
        stream.write_all(b"version\r\n").await?;
        stream.read(&mut answer).await
    };
    match timeout(FIRST_ANSWER, exchange).await {
        Ok(Ok(bytes)) => Ok(bytes > 0),
        Ok(Err(_)) => Ok(false),
        Err(_) => Ok(true),
    }
}
