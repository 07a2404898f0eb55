//! Which process a container belongs to.
//!
//! A test that is killed cannot remove its container, so the next run does. Other runs may be under way beside it,
//! on the same engine: a container is a leftover only when the very process that started it is known to be gone.

use std::fmt;
use std::fs;
use std::str::FromStr;

/// A process, told apart from any other that ever had its number: by the boot and the process namespace in which the
/// number means something, and by the time it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Boot and process namespace; numbers of another one say nothing here.
    place: String,
    pid: u32,
    /// Start of the process in clock ticks since the boot, field 22 of `/proc/PID/stat`.
    started: u64,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Runs,
    /// It has ended.
    Gone,
    /// It belongs to another machine, boot or namespace, or this system has no `/proc` to ask.
    Unknown,
}

impl Owner {
    /// This process, if the system has a `/proc`.
    pub fn this_process() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// The process of this number, if it runs.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self {
            place: place()?,
            pid,
            started: started(pid)?,
        })
    }

    /// Whether the process still runs.
    pub fn life(&self) -> Life {
        if place().as_ref() != Some(&self.place) {
            Life::Unknown
        } else if started(self.pid) == Some(self.started) {
            Life::Runs
        } else {
            Life::Gone
        }
    }
}

fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}:{}", boot.trim(), namespace.display()))
}

fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything, so fields are counted from its end.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.place, self.pid, self.started)
    }
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.rsplitn(3, '/');
            let started = parts.next()?.parse().ok()?;
            let pid = parts.next()?.parse().ok()?;
            let place = parts.next()?.to_owned();
            Some(Self { place, pid, started })
        };
        parse().ok_or_else(|| format!("expected boot:namespace/pid/start, found `{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn this_process_runs_and_reads_back_as_itself() {
        let owner = Owner::this_process().unwrap();
        assert_eq!(owner.life(), Life::Runs);
        assert_eq!(owner.to_string().parse(), Ok(owner));
        assert!("1/2".parse::<Owner>().is_err());
    }

    #[test]
    fn a_process_that_has_ended_is_gone() {
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let owner = Owner::of(child.id()).unwrap();
        assert_eq!(owner.life(), Life::Runs);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(owner.life(), Life::Gone);
    }

    #[test]
    fn another_process_of_the_same_number_is_not_the_owner() {
        let mut owner = Owner::this_process().unwrap();
        owner.started += 1;
        assert_eq!(owner.life(), Life::Gone);
    }

    #[test]
    fn of_a_process_elsewhere_nothing_is_known() {
        let mut owner = Owner::this_process().unwrap();
        owner.place = "another boot".to_owned();
        assert_eq!(owner.life(), Life::Unknown);
    }
}
