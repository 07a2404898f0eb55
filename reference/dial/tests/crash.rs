//! Power cuts in a simulated world: nothing acknowledged is lost, and nothing half done is seen.
//!
//! A world is a seed: when the power fails (at which sync of the disk, so in the middle of a commit), which of
//! the unsynced writes are on the disk then, the delays of the network, and what the clients do. A failing seed is
//! printed with the command that replays it.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod support {
    pub(crate) mod powered_disk;
    pub(crate) mod simulated;
}

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use turmoil::Builder;
use wtfdial::redb::Store;
use wtfdial::{Administration, Name};

use crate::support::powered_disk::{PoweredDisk, Random};
use crate::support::simulated::{Answer, call, serve};

/// Worlds that a run goes through, unless `SEED` names one.
const SEEDS: std::ops::Range<u64> = 0..24;

/// Power cuts in a world.
const CUTS: usize = 4;

/// What a client has asked for and, if so, been told was done.
#[derive(Debug, Default)]
struct History {
    /// Names that were asked for, by the dial's id where it was told.
    created: BTreeMap<u64, String>,
    /// For each dial that was told of: the last level that was acknowledged, and those that were asked for since.
    levels: BTreeMap<u64, (f64, Vec<f64>)>,
    /// Names that were asked for, told or not.
    asked: Vec<String>,
    /// Every line of what happened, to compare runs by.
    log: Vec<String>,
}

#[test]
fn power_cuts_lose_nothing_acknowledged_and_show_nothing_half_done() {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("SEED is a number");
            seed..seed + 1
        }
        Err(_) => SEEDS,
    };
    let mut torn = 0;
    for seed in seeds.clone() {
        let outcome = std::panic::catch_unwind(|| run(seed));
        match outcome {
            Ok(world) => torn += world.cut_within_a_commit,
            Err(panic) => {
                eprintln!("SEED={seed} cargo test -p wtfdial --test crash");
                std::panic::resume_unwind(panic);
            }
        }
    }
    // Cuts between commits alone would show little.
    assert!(
        seeds.end - seeds.start == 1 || torn > 20,
        "the power failed within a commit only {torn} times"
    );
}

#[test]
fn one_seed_is_one_history() {
    let (first, second) = (run(7), run(7));
    assert!(first.history.len() > 50, "{:?}", first.history);
    for (first, second) in first.history.iter().zip(&second.history) {
        assert_eq!(first, second);
    }
    assert_eq!(first.history.len(), second.history.len());
}

/// What came of a world.
struct World {
    history: Vec<String>,
    /// How many of the cuts came while unsynced writes were on their way.
    cut_within_a_commit: usize,
}

fn run(seed: u64) -> World {
    let disk = PoweredDisk::new(seed);
    let token = {
        // The directory was set up in peace.
        let store = Store::open_on(disk.clone()).unwrap();
        store
            .add_user(&Name::new("ada").unwrap())
            .unwrap()
            .1
            .reveal()
            .to_owned()
    };
    let mut sim = Builder::new()
        .rng_seed(seed)
        .epoch(std::time::UNIX_EPOCH + Duration::from_secs(1_767_000_000))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(20))
        .simulation_duration(Duration::from_secs(600))
        .build();
    let hosted = disk.clone();
    sim.host("server", move || serve(hosted.clone()));
    let (sender, done) = std::sync::mpsc::channel();
    let mut random = Random::new(seed ^ 0x5eed);
    sim.client("client", async move {
        let history = visit(&token, &mut random).await;
        sender.send(history).expect("the test waits for it");
        Ok(())
    });
    let mut cut_within_a_commit = 0;
    let mut random = Random::new(seed);
    for _ in 0..CUTS {
        disk.fail_after(random.below(20));
        while !disk.has_failed() && !sim.step().expect("no host fails by itself") {}
        if !disk.has_failed() {
            break;
        }
        cut_within_a_commit += usize::from(disk.lose_power());
        sim.crash("server");
        disk.restore_power();
        sim.bounce("server");
    }
    disk.fail_after(u64::MAX);
    sim.run().expect("the client comes to its end");
    let history: History = done.try_recv().expect("the client has ended");
    World {
        history: history.log,
        cut_within_a_commit,
    }
}

/// Creates dials and sets levels, through power cuts, and holds what is read against what was told.
async fn visit(token: &str, random: &mut Random) -> History {
    let mut history = History::default();
    for number in 0..60 {
        if history.levels.is_empty() || random.below(3) == 0 {
            let name = format!("dial {number}");
            history.asked.push(name.clone());
            let answer = call("POST", "/dials", token, Some(&json!({ "name": name, "level": 1 }))).await;
            history.log.push(format!("create {name}: {}", told(&answer)));
            if let Answer::Json(201, dial) = answer {
                let id = dial["id"].as_u64().unwrap();
                assert!(
                    history.created.insert(id, name).is_none(),
                    "id {id} was given out twice"
                );
                history.levels.insert(id, (1.0, Vec::new()));
            }
        } else {
            let at = random.below(history.levels.len() as u64) as usize;
            let (&id, known) = history.levels.iter_mut().nth(at).unwrap();
            let level = random.below(1000) as f64 / 10.0;
            known.1.push(level);
            let answer = call(
                "PUT",
                &format!("/dials/{id}/level"),
                token,
                Some(&json!({ "level": level })),
            )
            .await;
            if let Answer::Json(200, dial) = &answer {
                assert_eq!(dial["level"], level);
                *known = (level, Vec::new());
            }
            history.log.push(format!("set {id} to {level}: {}", told(&answer)));
        }
        if random.below(8) == 0 {
            verify(token, &mut history).await;
        }
    }
    verify(token, &mut history).await;
    history
}

/// An answer without its times: the simulator's timers start somewhere within a millisecond of the machine's clock, so
/// that from run to run something happens a millisecond earlier or later.
fn told(answer: &Answer) -> String {
    let Answer::Json(status, body) = answer else {
        return "nothing".to_owned();
    };
    let dials = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
    let told: Vec<_> = dials
        .iter()
        .map(|dial| (&dial["id"], &dial["name"], &dial["level"], &dial["detail"]))
        .collect();
    format!("{status} {told:?}")
}

/// Reads everything, as soon as the service is back, and holds it against the history.
async fn verify(token: &str, history: &mut History) {
    let mut tries = 0..100;
    let dials = loop {
        tries
            .next()
            .expect("nothing can be read any more: what was acknowledged is lost");
        match call("GET", "/dials?limit=1000", token, None).await {
            Answer::Json(200, list) => break list["dials"].as_array().unwrap().clone(),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    history
        .log
        .push(format!("read {}", told(&Answer::Json(200, json!(dials)))));
    let found: BTreeMap<u64, &Value> = dials.iter().map(|dial| (dial["id"].as_u64().unwrap(), dial)).collect();
    for (id, name) in &history.created {
        let dial = found
            .get(id)
            .unwrap_or_else(|| panic!("dial {id} was acknowledged and is lost"));
        assert_eq!(dial["name"], *name);
    }
    for (id, dial) in found {
        // What was not acknowledged may be there, but whole: a name that was asked for, by the user who asked.
        let name = dial["name"].as_str().unwrap().to_owned();
        assert!(history.asked.contains(&name), "nobody has asked for {dial}");
        assert_eq!(dial["user_id"], 1);
        let level = dial["level"].as_f64().unwrap();
        match history.levels.get_mut(&id) {
            Some((acknowledged, since)) => {
                let possible = level == *acknowledged || since.contains(&level);
                assert!(
                    possible,
                    "dial {id} is at {level}; acknowledged was {acknowledged}, since then {since:?}"
                );
                // Read once, it is as good as acknowledged: nothing goes back.
                *acknowledged = level;
                since.clear();
            }
            None => assert_eq!(level, 1.0),
        }
    }
}

#[test]
fn a_disk_that_forgets_what_was_synced_is_caught() {
    let complaint = (0..20).find_map(|seed| {
        support::powered_disk::FORGETFUL.set(true);
        let outcome = std::panic::catch_unwind(|| run(seed));
        support::powered_disk::FORGETFUL.set(false);
        let panic = outcome.err()?;
        panic
            .downcast_ref::<String>()
            .cloned()
            .or(panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
    });
    let complaint = complaint.expect("no seed noticed that synced writes were lost");
    assert!(complaint.contains("acknowledged"), "{complaint}");
}

#[test]
fn the_store_of_every_cut_is_sound() {
    use wtfdial::redb::check;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.redb");
    for syncs in 0..20 {
        let disk = PoweredDisk::new(syncs);
        let store = Arc::new(Store::open_on(disk.clone()).unwrap());
        store.add_user(&Name::new("ada").unwrap()).unwrap();
        disk.fail_after(syncs);
        let mut acknowledged = 1;
        for number in 0..20 {
            if store.add_user(&Name::new(format!("user {number}")).unwrap()).is_ok() {
                acknowledged += 1;
            }
        }
        disk.lose_power();
        drop(store);
        std::fs::write(&path, disk.image()).unwrap();
        let census = check(&path).unwrap();
        // The one that was on its way may have made it.
        assert!(
            [acknowledged, acknowledged + 1].contains(&census.users),
            "{census}, acknowledged {acknowledged}"
        );
    }
}
