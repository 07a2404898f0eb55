//! What is logged, and how it looks.

use std::io::IsTerminal;

use anyhow::Context;
use tokio::sync::watch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

/// Changes the level of a log that has been started.
pub(crate) struct Handle {
    filter: reload::Handle<EnvFilter, Registry>,
    /// The operator has chosen by RUST_LOG: clients do not change that.
    fixed: bool,
    /// `-v` flags given: clients raise the level from there, never below it.
    verbosity: u8,
}

/// Starts logging to stderr: `info` and above, with one `-v` `debug`, with two `trace`; RUST_LOG, when set, decides alone.
/// Coloured on a terminal, unless NO_COLOR says otherwise.
pub(crate) fn start(verbosity: u8) -> anyhow::Result<Handle> {
    let chosen = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let filter = match &chosen {
        Some(text) => EnvFilter::try_new(text)
            .with_context(|| format!("cannot read RUST_LOG={text:?}; write a level, such as debug"))?,
        None => EnvFilter::new(level(u32::from(verbosity))),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && !no_color);
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .context("cannot start the log: another one has been started")?;
    Ok(Handle {
        filter: handle,
        fixed: chosen.is_some(),
        verbosity,
    })
}

impl Handle {
    /// Sets the level that clients ask for with the `verbosity` command, until the server is gone.
    pub(crate) async fn follow(self, mut asked: watch::Receiver<u32>) {
        while asked.changed().await.is_ok() {
            let verbosity = (*asked.borrow_and_update()).max(u32::from(self.verbosity));
            if self.fixed {
                continue;
            }
            if let Err(error) = self.filter.reload(EnvFilter::new(level(verbosity))) {
                tracing::warn!(%error, "cannot change the level of the log");
            }
        }
    }
}

fn level(verbosity: u32) -> &'static str {
    match verbosity {
        0 => "info",
        1 => "debug",
        _ => "trace",
    }
}
