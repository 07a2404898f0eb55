//! One process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a process has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(3);

/// How long what a process wrote before it ended may take to be read; one that goes on, or whose children do, never
/// comes to an end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// It is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    program: PathBuf,
    /// The last line of its standard error; closed when that has ended.
    last_line: watch::Receiver<String>,
}

impl Process {
    /// Starts the words as a command, in `root` if that is given; there is at least one.
    pub(super) fn start(words: &[String], root: Option<&Path>) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("`{}` cannot be started: {error}", words[0]);
        let program = program(&words[0], root).map_err(failed)?;
        let mut command = Command::new(&program);
        if let Some(root) = root {
            command.current_dir(root);
        }
        let mut child = command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (read, last_line) = watch::channel(String::new());
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    read.send_replace(line);
                }
            });
        }
        Ok(Self {
            child,
            program,
            last_line,
        })
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last line that it wrote to its standard error. That it has ended can be known before its words are read.
    pub(super) async fn last_words(&self) -> Option<String> {
        let mut last_line = self.last_line.clone();
        let to_the_end = async { while last_line.changed().await.is_ok() {} };
        // What was read by then counts.
        let _ = timeout(LAST_WORDS, to_the_end).await;
        let line = self.last_line.borrow().clone();
        (!line.is_empty()).then_some(line)
    }

    /// The file that was started: as it was named, or found in `PATH`.
    pub(super) fn program(&self) -> Option<PathBuf> {
        let named = &self.program;
        if named.components().count() > 1 {
            return Some(named.clone());
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|directory| directory.join(named))
            .find(|file| file.is_file())
    }

    /// Asks it to end, and ends it if it does not.
    pub(super) async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            // There is no safe call for SIGTERM in the standard library; `kill` is on every system that has signals.
            let asked = Command::new("kill")
                .arg(id.to_string())
                .stderr(Stdio::null())
                .status()
                .await;
            if asked.is_ok() && timeout(GRACE, self.child.wait()).await.is_ok() {
                return;
            }
        }
        // It may have ended by itself meanwhile.
        let _ = self.child.kill().await;
    }
}

/// The program to start. Whether a relative path would be one from the directory in which it starts, or from ours, differs
/// between systems: it is made absolute.
fn program(word: &str, root: Option<&Path>) -> std::io::Result<PathBuf> {
    let word = Path::new(word);
    match root {
        Some(root) if word.components().count() > 1 => std::path::absolute(root.join(word)),
        _ => Ok(word.to_owned()),
    }
}
