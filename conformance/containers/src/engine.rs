//! The Docker engine: whether one answers, which releases it holds, what killed runs left in it.

use std::collections::HashMap;
use std::time::Duration;

use mcspec_suite::case::Release;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::{ClientError, docker_client_instance};

use crate::owner::{Life, Owner};

/// The label of every container that this crate starts; its value is the [`Owner`].
pub const OWNER_LABEL: &str = "mcspec.owner";

/// The image's name, without the release that is its tag.
pub const IMAGE: &str = "memcached";

/// How long an engine may take to say that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What went wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no way to an engine.
    #[error("no Docker engine answers ({0}); run `ci/docker start`, or start Docker")]
    Absent(#[from] ClientError),
    /// Something is there but does not answer.
    #[error("no Docker engine answers within {seconds} s; run `ci/docker start`, or restart Docker")]
    Silent {
        /// How long was waited.
        seconds: u64,
    },
    /// The engine answers, but not what was asked.
    #[error("the Docker engine refused to {what}: {cause}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        cause: DockerError,
    },
}

/// A Docker engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` or the usual sockets lead to, and hears it answer.
    ///
    /// # Errors
    /// No engine, or one that does not answer within 5 s.
    pub async fn connect() -> Result<Self, EngineError> {
        let silent = |_| EngineError::Silent {
            seconds: ANSWERS_WITHIN.as_secs(),
        };
        let docker = async {
            let docker = docker_client_instance().await?;
            docker
                .ping()
                .await
                .map_err(|cause| EngineError::Absent(ClientError::Init(cause)))?;
            Ok(Self { docker })
        };
        tokio::time::timeout(ANSWERS_WITHIN, docker).await.map_err(silent)?
    }

    /// The releases whose images `memcached:<release>` the engine holds, oldest first. Tags that are no plain release
    /// (`latest`, `1.6-alpine`) do not count.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn releases(&self) -> Result<Vec<Release>, EngineError> {
        let named = HashMap::from([("reference", vec![IMAGE])]);
        let options = ListImagesOptionsBuilder::new().filters(&named).build();
        let images = self
            .docker
            .list_images(Some(options))
            .await
            .map_err(|cause| EngineError::Refused {
                what: "list its images",
                cause,
            })?;
        let tags = images.iter().flat_map(|image| &image.repo_tags);
        let mut releases: Vec<Release> = tags
            .filter_map(|tag| tag.strip_prefix(IMAGE)?.strip_prefix(':')?.parse().ok())
            .collect();
        releases.sort();
        releases.dedup();
        Ok(releases)
    }

    /// Removes the containers of runs that were killed before they could: those whose owner is gone. Returns how many.
    ///
    /// # Errors
    /// What the engine says. A container that someone else removes at the same time is no error.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        let ours = HashMap::from([("label", vec![OWNER_LABEL])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&ours).build();
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|cause| EngineError::Refused {
                what: "list its containers",
                cause,
            })?;
        let mut swept = 0;
        for container in containers {
            let owner = container.labels.as_ref().and_then(|labels| labels.get(OWNER_LABEL));
            let owner = owner.and_then(|text| text.parse::<Owner>().ok());
            let gone = owner.is_some_and(|owner| owner.life() == Life::Gone);
            if let (true, Some(id)) = (gone, container.id) {
                swept += usize::from(self.remove(&id).await?);
            }
        }
        Ok(swept)
    }

    /// Removes a container, running or not; says whether it was still there.
    async fn remove(&self, id: &str) -> Result<bool, EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) => Ok(true),
            // 404: it is gone. 409: another run is removing it.
            Err(DockerError::DockerResponseServerError {
                status_code: 404 | 409, ..
            }) => Ok(false),
            Err(cause) => Err(EngineError::Refused {
                what: "remove a container that a killed run had left",
                cause,
            }),
        }
    }
}
