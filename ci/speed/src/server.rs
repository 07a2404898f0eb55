//! A server's process: its start, its place, what it has used.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Memory that a server may fill with items, in MiB: none of the mixes comes near it.
const MEMORY_MB: &str = "2048";

/// How long a server may take to answer: it may have a dataset to read before.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A server's program.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    program: PathBuf,
    flags: Vec<String>,
}

impl Contender {
    pub(crate) fn new(name: &'static str, program: PathBuf, flags: &[&str]) -> Self {
        Contender {
            name,
            program,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        }
    }
}

/// A server that runs; it is killed when this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it on a free port and waits until it answers. With `processors` it is kept on the first so many of them.
    pub(crate) fn start(contender: &Contender, threads: usize, processors: Option<usize>) -> anyhow::Result<Server> {
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .context("no free port")?;
        let mut command = match processors {
            // So that all of its threads are born there.
            Some(count) => {
                let mut command = Command::new("taskset");
                command
                    .args(["-c", &format!("0-{}", count - 1)])
                    .arg(&contender.program);
                command
            }
            None => Command::new(&contender.program),
        };
        command
            .args(["-l", "127.0.0.1", "-p", &address.port().to_string()])
            .args(["-t", &threads.to_string(), "-m", MEMORY_MB, "-c", "4096"])
            .args(&contender.flags)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if nix::unistd::geteuid().is_root() && contender.name == "memcached" {
            // Memcached refuses to serve as root.
            command.args(["-u", "root"]);
        }
        let process = command.spawn().with_context(|| {
            format!(
                "{} cannot be started; --{} names it",
                contender.program.display(),
                contender.name
            )
        })?;
        let mut server = Server { process, address };
        server.wait_until_it_answers(contender)?;
        Ok(server)
    }

    /// It may listen long before it answers, while it reads its dataset.
    fn wait_until_it_answers(&mut self, contender: &Contender) -> anyhow::Result<()> {
        let start = Instant::now();
        while ask_version(self.address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "{} ended with {status} instead of listening",
                    contender.program.display()
                );
            }
            if start.elapsed() > START_TIMEOUT {
                bail!(
                    "{} did not answer on {} in {START_TIMEOUT:?}",
                    contender.program.display(),
                    self.address
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The time that processors have spent on all of its threads, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let path = thread?.path().join("schedstat");
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let spent = text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
            sum += spent.with_context(|| format!("{}: `{text}` does not begin with a number", path.display()))?;
        }
        Ok(sum)
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = fs::read_to_string(&path)?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.with_context(|| format!("{path} has no VmRSS"))? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks for the version, and waits for the answer.
fn ask_version(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(b"version\r\n")?;
    stream.read_exact(&mut [0; b"VERSION ".len()])
}

/// Keeps this thread off the first `count` processors, if there are others.
pub(crate) fn stay_off(count: usize) -> anyhow::Result<bool> {
    let there_are = thread::available_parallelism()?.get();
    if there_are <= count {
        return Ok(false);
    }
    let mut rest = CpuSet::new();
    for processor in count..there_are {
        rest.set(processor)?;
    }
    sched_setaffinity(Pid::from_raw(0), &rest).context("this thread cannot be kept on a processor of its own")?;
    Ok(true)
}
