//! `mcspec fuzz`: random and broken streams for a server that the caller owns.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use mcspec_fuzz::{Campaign, Finding, Impossible, Outcome};

use crate::args::Fuzz;
use crate::exit::{Exit, Failure};
use crate::targets;

/// Fuzzes the target until the time is over or something is found.
pub(crate) fn fuzz(args: &Fuzz) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("no threads to fuzz with: {error}")))?;
    runtime.block_on(fuzz_target(args))
}

async fn fuzz_target(args: &Fuzz) -> Result<Exit, Failure> {
    let seed = args.seed.unwrap_or_else(seed_of_now);
    let started = targets::start(&args.target, None, args.timeout).await?;
    eprintln!("mcspec: fuzzing {} for {:?}, seed {seed}", started.name, args.time);
    let campaign = Campaign {
        address: started.address.clone(),
        seed,
        time: args.time,
        timeout: args.timeout,
        pid: args.pid,
        growth_bytes: u64::from(args.growth) << 20,
    };
    let outcome = campaign.run(|_| {}).await;
    started.running.stop().await;
    let outcome = outcome.map_err(|error| match error {
        Impossible::NoProcess(_) => Failure::usage(error.to_string()),
        Impossible::Unreachable { .. } | Impossible::NotMemcached(_) => Failure::unreachable(error.to_string()),
    })?;
    println!("{} trials, seed {seed}{}", outcome.trials, memory(&outcome));
    match outcome.finding {
        None => {
            println!("nothing found");
            Ok(Exit::Conforms)
        }
        Some(finding) => {
            tell(&finding, seed, &args.out)?;
            Ok(Exit::DoesNotConform)
        }
    }
}

fn memory(outcome: &Outcome) -> String {
    match outcome.memory {
        None => String::new(),
        Some((from, to)) => format!(", memory from {} MiB to {} MiB", from >> 20, to >> 20),
    }
}

/// Says what was found, and writes the case where `mcspec run --cases` finds it.
fn tell(finding: &Finding, seed: u64, out: &Path) -> Result<(), Failure> {
    println!("FOUND in trial {}: {}", finding.trial, finding.fault);
    let Some(case) = &finding.case else {
        println!("that trial alone does not show it: `mcspec fuzz --seed {seed}` plays all before it, too");
        return Ok(());
    };
    let file = out.join("fuzz").join("found.case");
    let written = file
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&file, case));
    written.map_err(|error| Failure::usage(format!("--out: {} cannot be written: {error}", file.display())))?;
    println!(
        "the case is in {}; play it: mcspec run --cases {} --server HOST:PORT",
        file.display(),
        out.display()
    );
    Ok(())
}

/// A seed that nobody has had before; it is printed.
fn seed_of_now() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    // Six digits are enough to differ from the last run, and short enough to be typed.
    since.as_millis() as u64 % 1_000_000
}
