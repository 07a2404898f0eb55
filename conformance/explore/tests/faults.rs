//! The explorer finds faults: each planted one within 10,000 commands, shrunk to a few lines.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod planted;

use std::time::Duration;

use mcspec_explore::explore::{Options, Summary, explore};
use mcspec_explore::generate::Offer;
use mcspec_explore::{Oracle, Site};
use mcspec_suite::case::{Library, Release};
use mcspec_suite::run::{Options as RunOptions, run};
use mcspec_suite::target::{Fence, probe};
use mcspec_suite::verdict::Verdict;
use planted::{Fault, faulty, sound};

const SEED: u64 = 1;
const COMMANDS: u64 = 10_000;
/// What the last history that was begun adds when the bound is reached.
const UNDER_WAY: u64 = 250;

fn site(address: std::net::SocketAddr) -> Site {
    Site {
        address: address.to_string().parse().unwrap(),
        fence: Fence::Mn,
        patience: Duration::from_secs(2),
    }
}

fn options(address: std::net::SocketAddr, findings: usize) -> Options {
    let release: Release = "1.6.45".parse().unwrap();
    Options {
        site: site(address),
        oracle: Oracle::Model(release.clone()),
        release: Some(release),
        offer: Offer {
            meta: true,
            flush: false,
            comparable: false,
        },
        seed: SEED,
        first: 0,
        commands: Some(COMMANDS),
        time: None,
        findings,
        lanes: 8,
        shrinks: true,
    }
}

async fn explored(fault: Fault) -> Summary {
    explore(&options(faulty(sound(), fault), 1), &mut |_| {}).await.unwrap()
}

fn text(request: &[u8]) -> String {
    String::from_utf8_lossy(request).into_owned()
}

fn word(request: &[u8], at: usize) -> String {
    text(request).split_whitespace().nth(at).unwrap_or_default().to_owned()
}

/// The request with its first words changed.
fn reworded(request: &[u8], from: &str, to: &str) -> Vec<u8> {
    match request.strip_prefix(from.as_bytes()) {
        Some(rest) => [to.as_bytes(), rest].concat(),
        None => request.to_vec(),
    }
}

/// The request with one word of its first line changed.
fn with_word(request: &[u8], at: usize, change: impl Fn(&str) -> String) -> Vec<u8> {
    let end = request
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .unwrap_or(request.len());
    let line = text(&request[..end]);
    let words = line.split(' ').enumerate();
    let words: Vec<String> = words
        .map(|(i, word)| if i == at { change(word) } else { word.to_owned() })
        .collect();
    [words.join(" ").as_bytes(), &request[end..]].concat()
}

fn replaced(reply: &[u8], from: &str, to: &str) -> Vec<u8> {
    match String::from_utf8(reply.to_vec()) {
        Ok(text) => text.replace(from, to).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

type Ask<'a> = &'a mut dyn FnMut(&[u8]) -> Vec<u8>;

/// Each fault, and the most steps that its transcript may have.
const FAULTS: [(&str, usize, Fault); 24] = [
    ("add overwrites", 3, |request: &[u8], ask: Ask<'_>| {
        ask(&reworded(request, "add ", "set "))
    }),
    ("replace stores what is missing", 2, |request, ask| {
        ask(&reworded(request, "replace ", "set "))
    }),
    ("prepend appends", 3, |request, ask| {
        ask(&reworded(request, "prepend ", "append "))
    }),
    ("cas compares nothing", 4, |request, ask| {
        if request.starts_with(b"cas ") && word(request, 4).parse::<usize>().is_ok_and(|size| size < 1000) {
            let line = text(request);
            let line = line.split("\r\n").next().unwrap_or_default();
            let words: Vec<&str> = line.split(' ').collect();
            if words.len() >= 6 && words[5].parse::<u64>().is_ok() {
                let quiet = if words.len() > 6 { " noreply" } else { "" };
                let head = format!("set {}{quiet}", words[1..5].join(" "));
                return ask(&[head.as_bytes(), &request[line.len()..]].concat());
            }
        }
        ask(request)
    }),
    ("gets shows one cas value for all", 5, |request, ask| {
        let reply = ask(request);
        if !request.starts_with(b"gets ") || !reply.starts_with(b"VALUE") {
            return reply;
        }
        let end = reply.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let line = text(&reply[..end]);
        let (head, _) = line.rsplit_once(' ').unwrap();
        [format!("{head} 1").as_bytes(), &reply[end..]].concat()
    }),
    ("delete finds what is missing", 2, |request, ask| {
        let reply = ask(request);
        if request.starts_with(b"delete ") {
            replaced(&reply, "NOT_FOUND", "DELETED")
        } else {
            reply
        }
    }),
    ("delete deletes nothing", 3, |request, ask| {
        if request.starts_with(b"delete ") && !text(request).contains("noreply") {
            let found = ask(format!("mg {} u\r\n", word(request, 1)).as_bytes());
            return if found.starts_with(b"HD") {
                b"DELETED\r\n".to_vec()
            } else {
                b"NOT_FOUND\r\n".to_vec()
            };
        }
        ask(request)
    }),
    ("decr goes below zero", 3, |request, ask| {
        let reply = ask(request);
        if request.starts_with(b"decr ") && reply == b"0\r\n" {
            b"18446744073709551615\r\n".to_vec()
        } else {
            reply
        }
    }),
    ("incr answers though told not to", 3, |request, ask| {
        if request.starts_with(b"incr ") {
            ask(&replaced(request, " noreply", ""))
        } else {
            ask(request)
        }
    }),
    ("set answers though told not to", 2, |request, ask| {
        if request.starts_with(b"set ") {
            ask(&replaced(request, " noreply", ""))
        } else {
            ask(request)
        }
    }),
    ("touch keeps the old expiry", 4, |request, ask| {
        if request.starts_with(b"touch ") && word(request, 2) == "-1" {
            return ask(&with_word(request, 2, |_| "0".to_owned()));
        }
        ask(request)
    }),
    ("gat does not touch", 4, |request, ask| {
        let plain = request.starts_with(b"gat ") && word(request, 1).parse::<i64>().is_ok();
        if plain && text(request).split_whitespace().count() > 2 {
            let keys = text(request);
            let keys: Vec<&str> = keys.split_whitespace().skip(2).collect();
            return ask(format!("get {}\r\n", keys.join(" ")).as_bytes());
        }
        ask(request)
    }),
    ("a negative expiry time is none", 3, |request, ask| {
        if request.starts_with(b"set ") {
            ask(&with_word(request, 3, |word| word.replace("-1", "0")))
        } else {
            ask(request)
        }
    }),
    ("flags have 16 bits", 3, |request, ask| {
        if request.starts_with(b"set ") && word(request, 2) == "4294967295" {
            return ask(&with_word(request, 2, |_| "65535".to_owned()));
        }
        ask(request)
    }),
    ("mg shows a miss though told not to", 2, |request, ask| {
        if request.starts_with(b"mg ") {
            ask(&replaced(request, " q", ""))
        } else {
            ask(request)
        }
    }),
    ("two clients win", 5, |request, ask| {
        let reply = ask(request);
        if request.starts_with(b"mg ") {
            replaced(&reply, " Z", " W")
        } else {
            reply
        }
    }),
    // Five where an older CAS value made it stale: the value has to be read, and to grow older.
    ("nobody is told that an item is stale", 5, |request, ask| {
        let reply = ask(request);
        if request.starts_with(b"mg ") {
            replaced(&reply, " X", "")
        } else {
            reply
        }
    }),
    ("md I deletes", 4, |request, ask| {
        if request.starts_with(b"md ") {
            ask(&replaced(request, " I", ""))
        } else {
            ask(request)
        }
    }),
    ("ms ignores its mode", 3, |request, ask| {
        if request.starts_with(b"ms ") {
            ask(&replaced(request, " ME", " MS"))
        } else {
            ask(request)
        }
    }),
    ("ma counts by one", 3, |request, ask| {
        if request.starts_with(b"ma ") {
            ask(&replaced(request, " D5", " D1"))
        } else {
            ask(request)
        }
    }),
    ("an opaque is lost on a miss", 2, |request, ask| {
        let reply = ask(request);
        if reply.starts_with(b"EN ") {
            replaced(&reply, " O1", "")
        } else {
            reply
        }
    }),
    ("a refusal ends in an empty line too many", 2, |request, ask| {
        let mut reply = ask(request);
        if request.starts_with(b"touch ") && reply.starts_with(b"CLIENT_ERROR") {
            reply.extend_from_slice(b"\r\n");
        }
        reply
    }),
    ("a value ends at its first line end", 3, |request, ask| {
        replaced(&ask(request), "x\r\ny", "x\r\n ")
    }),
    ("short times never end", 4, |request, ask| {
        let is_short = |word: &str| matches!(word, "1" | "2" | "3" | "4" | "6");
        if request.starts_with(b"set ") && is_short(&word(request, 3)) {
            return ask(&with_word(request, 3, |_| "0".to_owned()));
        }
        ask(request)
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_server_is_found_sound() {
    // It answers everything, so only a machine that has stopped makes it silent for so long.
    let mut options = options(faulty(sound(), |request, ask| ask(request)), 1);
    options.site.patience = Duration::from_secs(60);
    let summary = explore(&options, &mut |_| {}).await.unwrap();
    let findings: Vec<_> = summary.findings.iter().map(|finding| &finding.transcript).collect();
    assert!(
        findings.is_empty() && summary.unsteady.is_empty(),
        "{findings:#?} {:#?}",
        summary.unsteady
    );
    assert!(summary.commands >= COMMANDS, "{}", summary.commands);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_fault_is_found_and_shrunk() {
    let mut missed = Vec::new();
    for (name, steps, fault) in FAULTS {
        let summary = explored(fault).await;
        match summary.findings.first() {
            None => missed.push(format!("{name}: not found in {} commands", summary.commands)),
            Some(finding) if finding.steps > steps || finding.commands_before > COMMANDS + UNDER_WAY => {
                missed.push(format!(
                    "{name}: after {}\n{}",
                    finding.commands_before, finding.transcript
                ));
            }
            Some(finding) => println!(
                "{name}: after {} commands, {} steps",
                finding.commands_before, finding.steps
            ),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcript_is_a_case_that_the_faulty_server_fails_and_the_sound_one_passes() {
    for name in [
        "add overwrites",
        "cas compares nothing",
        "two clients win",
        "nobody is told that an item is stale",
    ] {
        let fault = FAULTS.iter().find(|(known, ..)| *known == name).unwrap().2;
        let sound = sound();
        let faulty = faulty(sound, fault);
        let summary = explore(&options(faulty, 1), &mut |_| {}).await.unwrap();
        let finding = &summary.findings[0];
        let directory = std::env::temp_dir().join(format!("mcspec-explore-{}-{}", std::process::id(), finding.name));
        std::fs::create_dir_all(directory.join("found")).unwrap();
        std::fs::write(
            directory.join("found").join(format!("{}.case", finding.name)),
            &finding.transcript,
        )
        .unwrap();
        let library = Library::from_directory(&directory);
        std::fs::remove_dir_all(&directory).unwrap();
        let library = library.unwrap_or_else(|error| panic!("{error}\n{}", finding.transcript));
        for (seed, address, expected) in [(1, faulty, Verdict::Fail), (2, sound, Verdict::Pass)] {
            let target = probe(&site(address).address, Duration::from_secs(5)).await.unwrap();
            let selected = library.cases().map(|(id, ..)| id.clone()).collect();
            // Both reach the same server behind the proxy: the seed keeps their keys apart.
            let options = RunOptions {
                seed,
                ..RunOptions::default()
            };
            let results = run(&library, &selected, &target, &options, &mut |_| {}).await;
            assert_eq!(
                results[0].verdict, expected,
                "{name}\n{}\n{:?}",
                finding.transcript, results[0].failure
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_are_compared_and_what_differs_is_listed_by_kind() {
    let sound = sound();
    let other = faulty(sound, |request, ask| {
        let reply = ask(request);
        match request {
            _ if request.starts_with(b"touch ") => replaced(&reply, "TOUCHED", "OK"),
            _ if request.starts_with(b"delete ") => replaced(&reply, "NOT_FOUND", "DELETED"),
            _ => reply,
        }
    });
    // Each side has a server of its own: the same keys go to both.
    let left = planted::sound();
    let compared = |right| Options {
        oracle: Oracle::Server(site(right)),
        offer: Offer {
            meta: true,
            flush: false,
            comparable: true,
        },
        ..options(left, 100)
    };
    let summary = explore(&compared(other), &mut |_| {}).await.unwrap();
    let kinds: Vec<&str> = summary.findings.iter().map(|finding| finding.kind.as_str()).collect();
    assert!(
        kinds.iter().any(|kind| kind.contains("`TOUCHED` expected, `OK` came")),
        "{kinds:?}"
    );
    assert!(
        kinds
            .iter()
            .any(|kind| kind.contains("`NOT_FOUND` expected, `DELETED` came")),
        "{kinds:?}"
    );
    assert!(kinds.len() <= 8, "one fault is listed once: {kinds:#?}");
    let summary = explore(&compared(planted::sound()), &mut |_| {}).await.unwrap();
    let kinds: Vec<&str> = summary.findings.iter().map(|finding| finding.kind.as_str()).collect();
    assert!(kinds.is_empty(), "{kinds:#?}");
}

#[test]
fn the_same_seed_makes_the_same_histories() {
    use mcspec_explore::generate::{Pace, history};
    let offer = Offer {
        meta: true,
        flush: false,
        comparable: false,
    };
    for number in 0..200 {
        for pace in [Pace::Quick, Pace::Waiting, Pace::Alone] {
            assert_eq!(history(7, number, pace, offer), history(7, number, pace, offer));
        }
        assert_ne!(
            history(7, number, Pace::Quick, offer),
            history(8, number, Pace::Quick, offer)
        );
    }
}
