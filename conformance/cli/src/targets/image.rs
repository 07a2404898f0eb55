//! A server in a container, by the `docker` command.
//!
//! The command rather than a client library: it knows the user's contexts and credentials, and whoever runs the suite
//! against an address needs neither. `MCSPEC_DOCKER` names another command that takes the same words.

mod direct;

use std::process::Stdio;
use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::process::Command;

use super::{Running, Started, until_reachable};
use crate::exit::Failure;

/// The port on which a server listens within its container.
const PORT: u16 = 11211;

/// Where an engine tells a container's own address; podman's command takes the same words.
const IP: &str = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";

/// Marks containers of ours, so that those of a killed run can be found.
const LABEL: &str = "mcspec.run";

/// A container of ours.
pub(crate) struct Container {
    id: String,
    /// Cleared once it has been removed.
    present: bool,
}

/// Runs the image and waits until the server accepts connections.
pub(super) async fn start(image: &str, timeout: Duration) -> Result<Started, Failure> {
    let failed = |cause: String| Failure::unreachable(format!("--image {image}: {cause}"));
    if docker(&["image", "inspect", "--format", "{{.Id}}", image])
        .await
        .is_err()
    {
        docker(&["pull", "--quiet", image]).await.map_err(|cause| {
            let hint = if image.starts_with("memcached:") {
                "; `ci/images` makes it from Debian's package"
            } else {
                ""
            };
            failed(format!(
                "there is no such image here, and it cannot be pulled: {cause}{hint}"
            ))
        })?;
    }
    let id = docker(&[
        "run",
        "--detach",
        "--label",
        LABEL,
        "--publish",
        &format!("127.0.0.1::{PORT}"),
        image,
    ])
    .await
    .map_err(failed)?;
    let container = Container { id, present: true };
    let started = async {
        let published = docker(&["port", &container.id, &format!("{PORT}/tcp")]).await?;
        let socket = published.lines().next().unwrap_or_default().trim().to_owned();
        let address: Address = socket
            .parse()
            .map_err(|_| format!("port {PORT} is not published: `{socket}`"))?;
        until_reachable(&address, timeout.max(Duration::from_secs(10)), || true).await?;
        // Without an address of its own it is on no network of the engine's, or one of another kind.
        let ip = docker(&["inspect", "--format", IP, &container.id])
            .await
            .unwrap_or_default();
        let direct = direct::way(&address, &ip, PORT, &container.id).await;
        Ok::<Address, String>(direct.unwrap_or(address))
    };
    match started.await {
        Ok(address) => Ok(Started {
            address,
            name: image.to_owned(),
            flag: format!("--image {image}"),
            running: Running::Container(container),
        }),
        Err(cause) => {
            let words = container.last_words().await;
            container.stop().await;
            Err(failed(format!("{cause}{words}")))
        }
    }
}

impl Container {
    /// The last line that the container wrote.
    pub(super) async fn last_words(&self) -> String {
        let output = Command::new(command())
            .args(["logs", "--tail", "1", &self.id])
            .stdin(Stdio::null())
            .output()
            .await;
        let Ok(output) = output else { return String::new() };
        let line = String::from_utf8_lossy(if output.stderr.is_empty() {
            &output.stdout
        } else {
            &output.stderr
        })
        .into_owned();
        if line.trim().is_empty() {
            String::new()
        } else {
            format!("; its last words: {}", line.trim())
        }
    }

    /// Removes the container.
    pub(super) async fn stop(mut self) {
        self.present = docker(&["rm", "--force", "--volumes", &self.id]).await.is_err();
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.present {
            // Only after an interruption; there is no runtime to wait on any more.
            let _ = std::process::Command::new(command())
                .args(["rm", "--force", "--volumes", &self.id])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

fn command() -> String {
    std::env::var("MCSPEC_DOCKER").unwrap_or_else(|_| "docker".to_owned())
}

/// Runs the docker command; gives what it printed, or why it failed in one line.
async fn docker(words: &[&str]) -> Result<String, String> {
    let name = command();
    let output = Command::new(&name)
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("`{name}` cannot be started: {error}; is Docker installed?"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text
        .lines()
        .rfind(|line| !line.trim().is_empty() && !line.starts_with("See '"))
        .unwrap_or("no reason given");
    Err(format!("`{name} {}` said: {}", words[0], line.trim()))
}
