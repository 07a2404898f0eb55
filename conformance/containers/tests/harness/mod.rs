//! What the test programs share: the engine is asked once, before anything is listed, and every trial that needs it
//! runs, is ignored or fails by that answer.

use std::error::Error;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use mcspec_containers::{Engine, EngineError, Policy, releases};
use mcspec_suite::case::Release;
use tokio::runtime::Runtime;

/// The engine's answer and what follows from it.
pub(crate) struct Harness {
    /// Runs what the trials do.
    pub(crate) runtime: Arc<Runtime>,
    engine: Option<Engine>,
    /// Whether trials that need the engine run.
    pub(crate) policy: Policy,
    /// The releases to make trials for.
    pub(crate) releases: Vec<Release>,
}

/// What a trial ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

impl Harness {
    /// Asks the engine, and sweeps what killed runs left in it.
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let asked = runtime.block_on(async {
            let engine = Engine::connect().await?;
            engine.sweep().await?;
            let images = engine.releases().await?;
            Ok::<_, EngineError>((engine, images))
        });
        let policy = Policy::decide(&asked, Policy::required_here());
        let (engine, images) = asked.map(|(engine, images)| (Some(engine), images)).unwrap_or_default();
        Ok(Self {
            runtime: Arc::new(runtime),
            engine,
            policy,
            releases: releases::present(&images),
        })
    }

    /// A trial that needs the engine.
    pub(crate) fn trial<F, R>(&self, kind: &str, name: String, run: R) -> Trial
    where
        R: FnOnce(Engine) -> F + Send + 'static,
        F: Future<Output = Outcome>,
    {
        let (policy, engine, runtime) = (self.policy.clone(), self.engine.clone(), self.runtime.clone());
        let run = move || {
            policy.demand()?;
            let engine = engine.ok_or("no engine, although one answered")?;
            runtime.block_on(run(engine)).map_err(Failed::from)
        };
        Trial::test(name, run)
            .with_kind(self.policy.kind(kind))
            .with_ignored_flag(self.policy.ignores())
    }
}
