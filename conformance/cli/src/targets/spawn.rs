//! A server started by commands: one process, or several of which the last is the server.

mod plan;
mod process;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mcspec_suite::play::Address;
use mcspec_suite::profile::StartFile;
use tempfile::TempDir;

use super::{Running, Started, until_reachable};
use crate::exit::Failure;
use plan::Places;
use process::Process;

/// Processes of ours; they are killed when this is dropped.
pub(crate) struct Spawned {
    processes: Vec<Process>,
    /// Removed with it.
    _directory: Option<TempDir>,
}

/// What to start.
pub(crate) struct Plan<'p> {
    /// How errors name it: the flag with which it was asked for.
    pub(crate) asked: String,
    /// Files to write first.
    pub(crate) files: &'p [StartFile],
    /// The commands, the server last.
    pub(crate) commands: &'p [String],
    /// How one comes by the programs.
    pub(crate) obtain: Option<&'p str>,
    /// Where the commands are started; without it in the working directory.
    pub(crate) root: Option<&'p Path>,
}

/// Runs the command with a free port and waits until the server accepts connections.
pub(super) async fn start_command(command: &str, root: Option<&Path>, timeout: Duration) -> Result<Started, Failure> {
    if !command.contains("{port}") && !command.contains(SOCKET) {
        return Err(Failure::usage(format!(
            "--spawn '{command}' does not say where the port goes; write {{port}}, for example 'memcached -p {{port}}', or \
             {SOCKET} where the path of a Unix socket goes"
        )));
    }
    let plan = Plan {
        asked: format!("--spawn '{command}'"),
        files: &[],
        commands: &[command.to_owned()],
        obtain: None,
        root,
    };
    let (address, spawned) = start(&plan, timeout).await?;
    let flag = shlex::try_quote(command).map_or_else(|_| command.to_owned(), std::borrow::Cow::into_owned);
    Ok(Started {
        address,
        name: format!("`{command}`"),
        flag: format!("--spawn {flag}"),
        running: Running::Spawned(Box::new(spawned)),
    })
}

/// Where the path of the server's Unix socket goes, if that is where it listens.
const SOCKET: &str = "{socket}";

/// Writes the files, starts the commands one after another and waits until each accepts connections.
pub(super) async fn start(plan: &Plan<'_>, timeout: Duration) -> Result<(Address, Spawned), Failure> {
    let asked = &plan.asked;
    let unreachable = |cause: String| Failure::unreachable(format!("{asked}: {cause}"));
    let mut places = Places::new().map_err(unreachable)?;
    for file in plan.files {
        let text = places.fill(&file.text).map_err(unreachable)?;
        let directory = places.directory().map_err(unreachable)?;
        std::fs::write(directory.join(&file.name), text)
            .map_err(|error| unreachable(format!("{} cannot be written: {error}", file.name)))?;
    }
    let mut spawned = Spawned {
        processes: Vec::new(),
        _directory: None,
    };
    let local = |port: u16| Address::Tcp(format!("127.0.0.1:{port}"));
    let server = match plan.commands.last() {
        Some(command) if command.contains(SOCKET) => Address::Unix(places.socket().map_err(unreachable)?),
        // Its place may be a file.
        _ => local(places.port("").map_err(unreachable)?),
    };
    for (i, command) in plan.commands.iter().enumerate() {
        let filled = places.fill(command).map_err(unreachable)?;
        let words = shlex::split(&filled).filter(|words| !words.is_empty()).ok_or_else(|| {
            Failure::usage(format!(
                "{asked}: `{command}` cannot be split into words; is a quote not closed?"
            ))
        })?;
        let process = Process::start(&words, plan.root).map_err(|cause| {
            let hint = plan
                .obtain
                .map(|obtain| format!("; to get it: {obtain}"))
                .unwrap_or_default();
            unreachable(format!("{cause}{hint}"))
        })?;
        spawned.processes.push(process);
        let addresses = match i + 1 == plan.commands.len() {
            true => vec![server.clone()],
            false => places.ports_in(command).into_iter().map(local).collect(),
        };
        for address in addresses {
            let reached = until_reachable(&address, timeout, || spawned.is_alive()).await;
            if let Err(cause) = reached {
                let words = spawned.last_words().await;
                spawned.stop().await;
                return Err(unreachable(format!("{cause}{words}")));
            }
        }
    }
    spawned._directory = places.into_directory();
    Ok((server, spawned))
}

impl Spawned {
    fn is_alive(&mut self) -> bool {
        self.processes.iter_mut().all(Process::is_alive)
    }

    /// The last line that one of them wrote, the server's if it wrote any.
    pub(super) async fn last_words(&self) -> String {
        for process in self.processes.iter().rev() {
            if let Some(line) = process.last_words().await {
                return format!("; its last words: {line}");
            }
        }
        String::new()
    }

    /// The programs that run.
    pub(crate) fn programs(&self) -> Vec<PathBuf> {
        self.processes.iter().filter_map(Process::program).collect()
    }

    /// Asks all to end, the server first, and ends those that do not.
    pub(super) async fn stop(mut self) {
        while let Some(process) = self.processes.pop() {
            process.stop().await;
        }
    }
}
