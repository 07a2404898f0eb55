//! Real memcached, release by release, and the containers that it runs in.

mod harness;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use harness::{Harness, Outcome};
use libtest_mimic::{Arguments, Trial};
use mcspec_containers::engine::{IMAGE, OWNER_LABEL};
use mcspec_containers::owner::Owner;
use mcspec_containers::{Engine, Memcached, releases};
use mcspec_suite::case::{Case, Library, Release};
use mcspec_suite::export::to_json;
use mcspec_suite::known::KnownBugs;
use mcspec_suite::play::{Address, Delivery};
use mcspec_suite::report::{Report, Style, pretty_failure, pretty_summary};
use mcspec_suite::run::{Options, run};
use mcspec_suite::target::probe;
use mcspec_suite::verdict::Verdict;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};
use tokio::net::TcpStream;

fn main() -> Outcome {
    let arguments = Arguments::from_args();
    let harness = Harness::new()?;
    let mut trials = container_trials(&harness);
    for release in harness.releases.clone() {
        trials.extend(release_trials(&harness, &release));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn release_trials(harness: &Harness, release: &Release) -> Vec<Trial> {
    let tested = release.clone();
    let mut trials = vec![harness.trial(
        "release",
        format!("memcached_{release}_is_the_release_of_its_tag"),
        |_| async move {
            let server = Memcached::start(&tested, &[]).await?;
            assert_eq!(Release::from_version_line(server.version()), Some(tested));
            Ok(server.stop().await?)
        },
    )];
    let played = release.clone();
    trials.push(harness.trial(
        "release",
        format!("memcached_{release}_passes_what_a_runner_without_a_parser_plays"),
        |_| other_language(played),
    ));
    for delivery in Delivery::ALL {
        let dialects = [("", None), ("_in_its_own_dialect", Some(release.clone()))];
        trials.extend(dialects.map(|(suffix, dialect)| {
            let name = format!("memcached_{release}_passes_every_case_delivered_{delivery}{suffix}");
            let release = release.clone();
            harness.trial("release", name, move |_| conforms(release, delivery, dialect))
        }));
    }
    trials
}

/// The Python runner beside the cases plays the export.
async fn other_language(release: Release) -> Outcome {
    let delivery = Delivery::Whole;
    let library = Library::built_in()?;
    let ids: BTreeSet<String> = library.cases().map(|(id, ..)| id).collect();
    let directory = tempfile::tempdir()?;
    let cases = directory.path().join("cases.json");
    std::fs::write(
        &cases,
        to_json(&library, &ids, &[delivery], &KnownBugs::of_memcached()?)?,
    )?;
    let server = Memcached::start(&release, &[]).await?;
    let runner = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/runner.py");
    let mut python = Command::new("python3");
    python
        .arg(runner)
        .arg(&cases)
        .arg(server.address().to_string())
        .arg(delivery.as_str());
    let output = tokio::task::spawn_blocking(move || python.output()).await??;
    server.stop().await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{release} ({delivery}): {said}");
    let played: usize = said.split(' ').next().unwrap_or_default().parse()?;
    // 1.6.9 speaks another dialect of the meta commands, and offers none of what their cases need.
    assert!(played > 1_000, "{said}");
    Ok(())
}

/// Runs every case against the release, which must pass: a case that real memcached does not pass is a wrong case.
async fn conforms(release: Release, delivery: Delivery, dialect: Option<Release>) -> Outcome {
    let library = Library::built_in()?;
    let ids: BTreeSet<String> = library.cases().map(|(id, ..)| id).collect();
    assert!(!ids.is_empty(), "a suite without cases proves nothing");
    let options = Options {
        deliveries: vec![delivery],
        dialect,
        known_bugs: KnownBugs::of_memcached()?,
        ..Options::default()
    };
    let server = Memcached::start(&release, &[]).await?;
    let mut target = probe(&Address::Tcp(server.address().to_string()), options.timeout).await?;
    target.own();
    let results = run(&library, &ids, &target, &options, &mut |_| {}).await;
    server.stop().await?;
    let concerned = |case: &Case| options.dialect.as_ref().is_none_or(|release| case.concerns(release));
    let expected = library.cases().filter(|(_, _, case)| concerned(case)).count();
    assert_eq!(results.len(), expected, "every case has one result");
    let report = Report::new(
        target,
        format!("memcached {release}"),
        format!("mcspec run --image {IMAGE}:{release}"),
        results,
    );
    if report.conforms() {
        no_stale_bug(&options.known_bugs, &report, &release);
        recognised(&report, &release);
        return Ok(());
    }
    let failed = report.results.iter().filter(|result| !result.verdict.conforms());
    let mut text: String = failed
        .map(|result| pretty_failure(&report, &library, result, Style::Plain))
        .collect();
    text.push_str(&pretty_summary(&report, Style::Plain));
    Err(text.into())
}

/// A recorded bug that the release no longer shows is an entry to take out of `targets/memcached.toml`.
fn no_stale_bug(known: &KnownBugs, report: &Report, release: &Release) {
    for result in &report.results {
        let recorded = known
            .iter()
            .any(|bug| bug.concerns(&result.id, result.delivery, release));
        let shown = result.verdict == Verdict::UpstreamBug;
        assert_eq!(recorded, shown, "{} ({}) on {release}", result.id, result.delivery);
    }
}

/// The answers of a release are those of its era, and of no other.
fn recognised(report: &Report, release: &Release) {
    let likeness = report
        .likeness
        .as_ref()
        .expect("the suite has cases that tell releases apart");
    assert!(
        likeness.differs_in.is_empty(),
        "{release} differs from itself in {:?}",
        likeness.differs_in
    );
    // A release that is newer than all observed ones is like the newest of them.
    let observed = mcspec_suite::case::observed()
        .filter(|observed| observed <= release)
        .last();
    let expected = observed.map(|observed| observed.to_string()).unwrap_or_default();
    assert!(
        likeness.releases.contains(&expected),
        "{release} behaves like {:?}",
        likeness.releases
    );
}

fn container_trials(harness: &Harness) -> Vec<Trial> {
    macro_rules! trials {
        ($($claim:ident)*) => {
            vec![$(harness.trial("containers", stringify!($claim).to_owned(), $claim)),*]
        };
    }
    trials![
        every_wanted_release_has_its_image
        a_container_is_gone_when_it_is_stopped
        a_container_is_gone_when_its_test_panics
        a_container_whose_owner_was_killed_is_swept_and_no_other
        a_missing_image_is_an_error_that_says_what_makes_it
    ]
}

/// Any release that is there: these trials are about the container, not about what runs in it.
async fn any_release(engine: &Engine) -> Result<Release, Box<dyn std::error::Error>> {
    let releases = engine.releases().await?;
    Ok(releases
        .last()
        .ok_or("no image memcached:<release>; run `ci/images`")?
        .clone())
}

async fn every_wanted_release_has_its_image(engine: Engine) -> Outcome {
    let there = engine.releases().await?;
    let wanted = releases::present(&there);
    let missing: Vec<_> = wanted.iter().filter(|release| !there.contains(release)).collect();
    assert!(missing.is_empty(), "no image of {missing:?}; run `ci/images`");
    Ok(())
}

async fn a_container_is_gone_when_it_is_stopped(engine: Engine) -> Outcome {
    let server = Memcached::start(&any_release(&engine).await?, &["-m", "16"]).await?;
    let id = server.container_id().to_owned();
    TcpStream::connect(server.address()).await?;
    assert!(exists(&id).await?);
    server.stop().await?;
    assert!(!exists(&id).await?);
    Ok(())
}

async fn a_container_is_gone_when_its_test_panics(engine: Engine) -> Outcome {
    let server = Memcached::start(&any_release(&engine).await?, &[]).await?;
    let id = server.container_id().to_owned();
    let panicked = tokio::spawn(async move {
        let _held = server;
        // What a panic does, without the report that would look like a failure of this test.
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(panicked.await.is_err());
    assert!(!exists(&id).await?);
    Ok(())
}

async fn a_container_whose_owner_was_killed_is_swept_and_no_other(engine: Engine) -> Outcome {
    let release = any_release(&engine).await?;
    let mut owner = Command::new("sleep").arg("600").stdout(Stdio::null()).spawn()?;
    let label = Owner::of(owner.id()).ok_or("the process that was just started is not in /proc")?;
    let leftover = GenericImage::new(IMAGE, &release.to_string())
        .with_label(OWNER_LABEL, label.to_string())
        .start()
        .await?;
    let mine = Memcached::start(&release, &[]).await?;

    engine.sweep().await?;
    assert!(exists(leftover.id()).await?, "its owner runs");
    owner.kill()?;
    owner.wait()?;
    engine.sweep().await?;
    assert!(!exists(leftover.id()).await?, "its owner is gone");
    assert!(exists(mine.container_id()).await?, "this test runs");
    Ok(mine.stop().await?)
}

async fn a_missing_image_is_an_error_that_says_what_makes_it(_: Engine) -> Outcome {
    let Err(error) = Memcached::start(&"1.6.0.0.1".parse()?, &[]).await else {
        return Err("a container of an image that does not exist was started".into());
    };
    let error = error.to_string();
    assert!(error.contains("memcached:1.6.0.0.1"), "{error}");
    assert!(error.contains("ci/images"), "{error}");
    Ok(())
}

async fn exists(id: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let docker = docker_client_instance().await?;
    match docker.inspect_container(id, None).await {
        Ok(_) => Ok(true),
        Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}
