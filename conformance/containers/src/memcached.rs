//! One memcached in one container, ready to be connected to, gone when dropped.

use std::net::SocketAddr;
use std::time::Duration;

use mcspec_suite::case::Release;
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt, TestcontainersError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use crate::engine::{IMAGE, OWNER_LABEL};
use crate::owner::Owner;

/// The port that memcached listens on inside its container.
const PORT: u16 = 11211;

/// How long a container may take to start and answer. Half a second is usual; a loaded machine takes many times that.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The pause between two attempts to connect.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Why there is no memcached.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine did not start a container.
    #[error(
        "cannot start a container of {image}: {cause}; `ci/images` makes the images of the releases that are tested"
    )]
    Start {
        /// The image that was to be started.
        image: String,
        /// What the engine said.
        cause: Box<TestcontainersError>,
    },
    /// The container runs, but nothing in it answers.
    #[error(
        "{image} at {address} did not answer `version` within {seconds} s (the last attempt: {last}); `docker logs` tells more"
    )]
    NotReady {
        /// The image that was started.
        image: String,
        /// Where it was expected.
        address: String,
        /// How long was waited.
        seconds: u64,
        /// What the last attempt ended with.
        last: String,
    },
}

/// A memcached in a container of its own. The container is removed when this is dropped within a runtime of several
/// threads, when a signal ends the process, and by the next run's sweep when the process was killed.
#[derive(Debug)]
pub struct Memcached {
    container: ContainerAsync<GenericImage>,
    address: SocketAddr,
    version: String,
}

impl Memcached {
    /// Starts `memcached:<release>` with flags of memcached's own added, such as `["-m", "64"]`, and returns when it answers.
    ///
    /// # Errors
    /// No such image, no engine, or no answer within 30 s.
    pub async fn start(release: &Release, flags: &[&str]) -> Result<Self, StartError> {
        Self::start_image(IMAGE, &release.to_string(), flags).await
    }

    /// Starts any image whose entry point is a server on port 11211.
    ///
    /// # Errors
    /// No such image, no engine, or no answer within 30 s.
    pub async fn start_image(name: &str, tag: &str, flags: &[&str]) -> Result<Self, StartError> {
        let request = GenericImage::new(name, tag)
            .with_exposed_port(PORT.tcp())
            .with_cmd(flags.iter().copied());
        Self::start_request(format!("{name}:{tag}"), request).await
    }

    /// Starts `memcached:<release>` on a network of the engine, where its name is `name`; the network is made if it is not
    /// there, and goes when the last such container on it has gone.
    ///
    /// # Errors
    /// No such image, no engine, or no answer within 30 s.
    pub async fn start_on(network: &str, name: &str, release: &Release) -> Result<Self, StartError> {
        let request = GenericImage::new(IMAGE, &release.to_string())
            .with_exposed_port(PORT.tcp())
            .with_network(network)
            .with_container_name(name);
        Self::start_request(format!("{IMAGE}:{release}"), request).await
    }

    async fn start_request(image: String, request: ContainerRequest<GenericImage>) -> Result<Self, StartError> {
        let deadline = Instant::now() + READY_WITHIN;
        let failed = |cause: TestcontainersError| StartError::Start {
            image: image.clone(),
            cause: Box::new(cause),
        };
        let mut request = request.with_startup_timeout(READY_WITHIN);
        if let Some(owner) = Owner::this_process() {
            request = request.with_label(OWNER_LABEL, owner.to_string());
        }
        let container = request.start().await.map_err(failed)?;
        let host = container.get_host().await.map_err(failed)?.to_string();
        let port = container.get_host_port_ipv4(PORT).await.map_err(failed)?;
        let (address, version) = ready(&image, &host, port, deadline).await?;
        Ok(Self {
            container,
            address,
            version,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its `version` command answered when it was ready, without `VERSION `.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The container's id, as the engine knows it.
    pub fn container_id(&self) -> &str {
        self.container.id()
    }

    /// Removes the container and waits until it is gone.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn stop(self) -> Result<(), TestcontainersError> {
        self.container.rm().await
    }
}

/// Connects until the server answers. A connection alone shows nothing: the engine's proxy accepts before the server does.
async fn ready(image: &str, host: &str, port: u16, deadline: Instant) -> Result<(SocketAddr, String), StartError> {
    let mut last = "none was made".to_owned();
    loop {
        match timeout_at(deadline, ask_version(host, port)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(cause)) => last = cause.to_string(),
            Err(_) => {
                return Err(StartError::NotReady {
                    image: image.to_owned(),
                    address: format!("{host}:{port}"),
                    seconds: READY_WITHIN.as_secs(),
                    last,
                });
            }
        }
        sleep(RETRY_AFTER).await;
    }
}

async fn ask_version(host: &str, port: u16) -> std::io::Result<(SocketAddr, String)> {
    let mut stream = BufReader::new(TcpStream::connect((host, port)).await?);
    stream.write_all(b"version\r\n").await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.strip_prefix("VERSION ").and_then(|rest| rest.strip_suffix("\r\n")) {
        Some(version) => Ok((stream.get_ref().peer_addr()?, version.to_owned())),
        None => Err(std::io::Error::other(format!("`version` was answered by {line:?}"))),
    }
}
