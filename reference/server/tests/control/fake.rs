//! An administration that is told what to answer.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use refcached::{Administration, Statistic, Status, SwitchError, Switched, Switching};
use tokio::sync::Notify;

/// Answers a switch by the name of the file: `ok.redb` is served, `slow.redb` when [`Fake::finish`] is called, and any other
/// name is that of the error in [`Fake::errors`].
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) stopping: bool,
    /// Names that a switch was asked for, in their order.
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) switches_done: AtomicU64,
    pub(crate) finish: Notify,
}

impl Fake {
    /// Every reason why a dataset is not replaced, by a name that brings it about.
    pub(crate) fn errors() -> Vec<(&'static str, SwitchError)> {
        let name = String::from("x.redb");
        let cause = |text: &str| text.to_owned();
        vec![
            (
                "bad",
                SwitchError::BadName {
                    name: "a\0b".to_owned(),
                    reason: "it has a zero byte",
                },
            ),
            (
                "outside",
                SwitchError::Outside {
                    name: "../x.redb".to_owned(),
                },
            ),
            ("missing", SwitchError::NotFound { name: name.clone() }),
            ("same", SwitchError::Same { name: name.clone() }),
            ("locked", SwitchError::Locked { name: name.clone() }),
            (
                "forbidden",
                SwitchError::Forbidden {
                    name: name.clone(),
                    cause: cause("Permission denied"),
                },
            ),
            (
                "text",
                SwitchError::NotADatabase {
                    name: name.clone(),
                    cause: cause("it begins like a text"),
                },
            ),
            (
                "damaged",
                SwitchError::Damaged {
                    name: name.clone(),
                    cause: cause("the checksum of a page is wrong"),
                },
            ),
            (
                "large",
                SwitchError::DoesNotFit {
                    name: name.clone(),
                    cause: cause("it has 99 MiB, and there are 64"),
                },
            ),
            ("no-directory", SwitchError::NoDataDirectory),
            ("busy", SwitchError::Busy { waiting: 7 }),
            ("stopping", SwitchError::Stopping),
            (
                "failing",
                SwitchError::Io {
                    name,
                    cause: cause("Input/output error"),
                },
            ),
        ]
    }

    /// Lets one switch to `slow.redb` come to its end.
    pub(crate) fn finish(&self) {
        self.finish.notify_one();
    }
}

impl Administration for Fake {
    fn switch(self: Arc<Self>, filename: String) -> Switching {
        self.asked.lock().unwrap().push(filename.clone());
        Box::pin(async move {
            let mut errors = Fake::errors().into_iter();
            if let Some((_, error)) = errors.find(|(name, _)| *name == filename) {
                return Err(error);
            }
            match filename.as_str() {
                "slow.redb" => self.finish.notified().await,
                "panic" => panic!("a planted panic"),
                _ => {}
            }
            self.switches_done.fetch_add(1, SeqCst);
            Ok(Switched {
                filename,
                generation: 2,
                keys: 1_000_000,
                load: Duration::from_micros(1_234_567),
                publish: Duration::from_nanos(41_400),
                drain: Duration::from_millis(7),
                drained: true,
            })
        })
    }

    fn status(&self) -> Status {
        Status {
            backend: "redb".to_owned(),
            policy: "command".to_owned(),
            filename: Some("morning.redb".to_owned()),
            generation: 1,
            keys: 999_999,
            connections: 64,
            uptime: Duration::from_millis(61_999),
            read_only: false,
            switching: 1,
            draining: 0,
            stopping: self.stopping,
        }
    }

    fn statistics(&self) -> Vec<Statistic> {
        vec![
            Statistic::gauge("connections", "Clients' connections that are open.", 64),
            Statistic::counter("commands", "Commands that were executed.", 10).with_label("command", "get"),
            Statistic::counter("commands", "Commands that were executed.", 3).with_label("command", "se\"t\\\n"),
            Statistic::measure("bloom_false_positive_ratio", "Of reads that found nothing.", 0.0125),
            Statistic::counter("bytes_read", "Bytes from clients.", (1 << 53) - 1),
        ]
    }
}
