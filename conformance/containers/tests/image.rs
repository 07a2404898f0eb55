//! The image of mcspec, which `ci/mcspec-image` makes: it judges a memcached that it reaches by a name of Docker's network.

#[allow(dead_code, reason = "what it knows of releases is for the tests of releases")]
mod harness;

use std::process::{Command, Output};

use harness::{Harness, Outcome};
use libtest_mimic::{Arguments, Trial};
use mcspec_containers::{Engine, Memcached};

/// What `ci/mcspec-image` makes unless it is told otherwise.
const MCSPEC: &str = "mcspec:local";

/// The image is the program and nothing else: more bytes than this were something else.
const IMAGE_BYTES_MAX: u64 = 32 * 1024 * 1024;

fn main() -> Outcome {
    let arguments = Arguments::from_args();
    let harness = Harness::new()?;
    macro_rules! trials {
        ($($claim:ident)*) => {
            vec![$(harness.trial("image", stringify!($claim).to_owned(), $claim)),*]
        };
    }
    let trials: Vec<Trial> = trials![
        it_judges_a_memcached_on_its_network
        a_name_that_nobody_bears_is_told_and_ends_with_3
        it_is_small_and_not_root
        it_writes_a_report_where_its_user_may
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The newest memcached that is there, on a network of its own whose name it shares.
struct Neighbour {
    memcached: Memcached,
    name: String,
}

impl Neighbour {
    async fn start(engine: &Engine, name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let releases = engine.releases().await?;
        let release = releases.last().ok_or("no image memcached:<release>; run `ci/images`")?;
        // Runs side by side must not meet in a name.
        let name = format!("{name}-{}", std::process::id());
        let memcached = Memcached::start_on(&name, &name, release).await?;
        Ok(Self { memcached, name })
    }

    /// What a user types, on this network.
    fn judged(&self, server: &str, of_docker: &[&str], of_mcspec: &[&str]) -> std::io::Result<Output> {
        let server = format!("{server}:11211");
        Command::new("docker")
            .args(["run", "--rm", "--network", &self.name])
            .args(of_docker)
            .args([MCSPEC, "run", "--server", &server])
            .args(of_mcspec)
            .output()
    }
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

async fn it_judges_a_memcached_on_its_network(engine: Engine) -> Outcome {
    let neighbour = Neighbour::start(&engine, "mcspec-judges").await?;
    let cases = ["storage/*", "retrieval/*", "--format", "junit"];
    let output = neighbour.judged(&neighbour.name, &[], &cases)?;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let junit = String::from_utf8(output.stdout)?;
    assert!(junit.contains("failures=\"0\""), "{junit}");
    assert!(junit.matches("<testcase").count() > 100, "{junit}");
    Ok(neighbour.memcached.stop().await?)
}

async fn a_name_that_nobody_bears_is_told_and_ends_with_3(engine: Engine) -> Outcome {
    let neighbour = Neighbour::start(&engine, "mcspec-misses").await?;
    let output = neighbour.judged("nobody", &[], &[])?;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("nobody:11211"), "{}", told(&output));
    Ok(neighbour.memcached.stop().await?)
}

async fn it_is_small_and_not_root(_: Engine) -> Outcome {
    let format = "{{.Size}} {{.Config.User}} {{len .RootFS.Layers}}";
    let output = Command::new("docker")
        .args(["image", "inspect", "--format", format, MCSPEC])
        .output()?;
    let said = told(&output);
    let mut words = said.split_whitespace();
    let size: u64 = words
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|_| format!("{said}; run `ci/mcspec-image`"))?;
    assert!(size <= IMAGE_BYTES_MAX, "{size}");
    assert_eq!((words.next(), words.next()), (Some("65534:65534"), Some("1")), "{said}");
    Ok(())
}

async fn it_writes_a_report_where_its_user_may(engine: Engine) -> Outcome {
    let neighbour = Neighbour::start(&engine, "mcspec-reports").await?;
    let directory = tempfile::tempdir()?;
    let volume = format!("{}:/reports", directory.path().display());
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(directory.path())?).to_string();
    let output = neighbour.judged(
        &neighbour.name,
        &["--user", &owner, "--volume", &volume],
        &["storage/set", "--report", "html=/reports/mcspec.html"],
    )?;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(std::fs::read_to_string(directory.path().join("mcspec.html"))?.contains("</html>"));
    Ok(neighbour.memcached.stop().await?)
}
