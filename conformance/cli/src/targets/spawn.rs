//! A server started by a command.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{Running, Started, until_reachable};
use crate::exit::Failure;

/// How long a server has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(3);

/// A process of ours; it is killed when this is dropped.
pub(crate) struct Spawned {
    child: Child,
    last_line: Arc<Mutex<String>>,
}

/// Runs the command with a free port and waits until the server accepts connections.
pub(super) async fn start(command: &str, timeout: Duration) -> Result<Started, Failure> {
    if !command.contains("{port}") {
        return Err(Failure::usage(format!(
            "--spawn '{command}' does not say where the port goes; write {{port}}, for example 'memcached -p {{port}}'"
        )));
    }
    let port = free_port().map_err(|error| Failure::unreachable(format!("no free port for --spawn: {error}")))?;
    let words = shlex::split(&command.replace("{port}", &port.to_string())).filter(|words| !words.is_empty());
    let Some(words) = words else {
        return Err(Failure::usage(format!(
            "--spawn '{command}' cannot be split into words; a quote is not closed"
        )));
    };
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::unreachable(format!("--spawn: `{}` cannot be started: {error}", words[0])))?;
    let last_line = Arc::new(Mutex::new(String::new()));
    if let Some(stderr) = child.stderr.take() {
        let last_line = Arc::clone(&last_line);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(mut last) = last_line.lock() {
                    *last = line;
                }
            }
        });
    }
    let address = Address::Tcp(format!("127.0.0.1:{port}"));
    let mut spawned = Spawned { child, last_line };
    let reached = until_reachable(&address, timeout, || matches!(spawned.child.try_wait(), Ok(None))).await;
    if let Err(cause) = reached {
        let words = spawned.last_words();
        spawned.stop().await;
        return Err(Failure::unreachable(format!("--spawn '{command}': {cause}{words}")));
    }
    let flag = shlex::try_quote(command).map_or_else(|_| command.to_owned(), std::borrow::Cow::into_owned);
    Ok(Started {
        address,
        name: format!("`{command}`"),
        flag: format!("--spawn {flag}"),
        running: Running::Spawned(Box::new(spawned)),
    })
}

/// A port of the loopback interface that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()
        .map(|address| address.port())
}

impl Spawned {
    /// The last line that the server wrote to its standard error.
    pub(super) fn last_words(&self) -> String {
        match self.last_line.lock() {
            Ok(line) if !line.is_empty() => format!("; its last words: {line}"),
            _ => String::new(),
        }
    }

    /// Asks the server to end, and ends it if it does not.
    pub(super) async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            // There is no safe call for SIGTERM in the standard library; `kill` is on every system that has signals.
            let asked = Command::new("kill")
                .arg(id.to_string())
                .stderr(Stdio::null())
                .status()
                .await;
            if asked.is_ok() && tokio::time::timeout(GRACE, self.child.wait()).await.is_ok() {
                return;
            }
        }
        // It may have ended by itself meanwhile.
        let _ = self.child.kill().await;
    }
}
