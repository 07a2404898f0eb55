//! How a target is reached, and how one that was started is stopped.

mod embedded;
mod image;
mod spawn;

use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::time::{Instant, sleep};

use crate::args::Target;
use crate::exit::Failure;

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
    /// What it said before it failed, as an addition to an error; empty if nothing is known.
    pub(crate) async fn last_words(&self) -> String {
        match self {
            Self::Elsewhere | Self::Embedded(_) => String::new(),
            Self::Spawned(spawned) => spawned.last_words(),
            Self::Container(container) => container.last_words().await,
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

/// Starts the target that the command line asks for, if it has to be started.
pub(crate) async fn start(target: &Target, timeout: Duration) -> Result<Started, Failure> {
    let elsewhere = |address: Address, flag: String| Started {
        name: address.to_string(),
        address,
        flag,
        running: Running::Elsewhere,
    };
    if let Some(address) = &target.server {
        Ok(elsewhere(address.clone(), format!("--server {address}")))
    } else if let Some(path) = &target.unix {
        Ok(elsewhere(
            Address::Unix(path.clone()),
            format!("--unix {}", path.display()),
        ))
    } else if let Some(command) = &target.spawn {
        spawn::start(command, timeout).await
    } else if let Some(image) = &target.image {
        image::start(image, timeout).await
    } else {
        embedded::start().await
    }
}

/// Between two attempts to connect to a server that is starting.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// Waits until a server accepts connections; `alive` tells whether it still can.
async fn until_reachable(address: &Address, timeout: Duration, mut alive: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + timeout;
    loop {
        let cause = match tokio::time::timeout_at(deadline, address.connect()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if !alive() {
            return Err("it ended".to_owned());
        }
        if Instant::now() >= deadline {
            let seconds = timeout.as_secs_f64();
            return Err(format!(
                "it accepts no connection at {address} within {seconds:.1} s: {cause}"
            ));
        }
        sleep(BETWEEN_ATTEMPTS).await;
    }
}
