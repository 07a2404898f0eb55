//! A run of this program under callgrind, and its result.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Of the program itself.
    pub(crate) instructions: u64,
    /// How often the program called a library: libc, that is.
    pub(crate) library_calls: u64,
}

/// Plays `path` so many times under callgrind.
pub(crate) fn count(path: &str, times: u64) -> anyhow::Result<Taken> {
    let program = env::current_exe().context("this program does not know its own file")?;
    let directory = tempfile::tempdir().context("callgrind has nowhere to write to")?;
    let out = directory.path().join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-pos=no", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(&program)
        .args(["play", path, &times.to_string()])
        .output()
        .context("valgrind cannot be started; install the package of that name")?;
    ensure!(
        output.status.success(),
        "callgrind failed on path `{path}`: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = fs::read_to_string(&out).context("callgrind has written nothing")?;
    read(&text, &program.to_string_lossy()).with_context(|| format!("path `{path}`"))
}

/// Reads callgrind's output format, version 1: lines of cost under the object they belong to, each call being a line that
/// names the other object if it is another one, and then a line with what the call cost.
fn read(text: &str, program: &str) -> anyhow::Result<Taken> {
    let mut taken = Taken {
        instructions: 0,
        library_calls: 0,
    };
    let mut own = false;
    let mut callee_own = None;
    let mut cost_of_a_call = false;
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            own = object == program;
        } else if let Some(object) = line.strip_prefix("cob=") {
            callee_own = Some(object == program);
        } else if let Some(call) = line.strip_prefix("calls=") {
            let times = call.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            let Some(times) = times else {
                bail!("`{line}` in callgrind's output holds no number of calls");
            };
            if own && callee_own.take() == Some(false) {
                taken.library_calls += times;
            }
            callee_own = None;
            cost_of_a_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let instructions = line.split(' ').nth(1).and_then(|number| number.parse::<u64>().ok());
            let Some(instructions) = instructions else {
                bail!("`{line}` in callgrind's output holds no number of instructions");
            };
            if own && !cost_of_a_call {
                taken.instructions += instructions;
            }
            cost_of_a_call = false;
        }
    }
    ensure!(taken.instructions > 0, "callgrind's output holds nothing of {program}");
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "version: 1\npositions: line\nevents: Ir\nsummary: 1000\n\n\
        ob=/lib/libc.so\nfl=???\nfn=start\n0 40\ncob=/bin/program\ncfn=main\ncalls=1 0\n0 960\n\n\
        ob=/bin/program\nfl=???\nfn=main\n3 20\n4 1\ncfn=path\ncalls=7 0\n4 500\n5 2\n\
        cob=/lib/libc.so\ncfn=memcpy\ncalls=9 0\n5 400\n6 3\n\nfn=path\n7 77\n";

    #[test]
    fn what_the_program_does_itself_is_counted_and_what_libraries_do_is_not() {
        let taken = read(OUTPUT, "/bin/program").unwrap();
        let expected = Taken {
            instructions: 20 + 1 + 2 + 3 + 77,
            library_calls: 9,
        };
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_run_of_another_program_is_no_result() {
        assert!(read(OUTPUT, "/bin/other").is_err());
    }
}
