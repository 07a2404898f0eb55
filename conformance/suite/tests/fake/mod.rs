//! Servers in a thread each, with answers as a test asks for them.

pub(crate) mod judged;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use mcspec_suite::play::Address;

/// What a fake server does on a line.
pub(crate) enum Reply {
    Bytes(Vec<u8>),
    Nothing,
    Close,
}

impl Reply {
    pub(crate) fn line(text: &str) -> Self {
        Self::Bytes(format!("{text}\r\n").into_bytes())
    }
}

/// A server that listens until the test's process ends.
pub(crate) struct Fake {
    address: Address,
}

impl Fake {
    /// Answers `version` and `mn` as memcached does, and every other line as the test says.
    pub(crate) fn new(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_version("1.6.45", answer)
    }

    pub(crate) fn with_version(version: &'static str, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::lines(move |line| match line {
            "version" => Reply::line(&format!("VERSION {version}")),
            "mn" => Reply::line("MN"),
            line if is_probe(line) => Reply::line("ERROR"),
            line => answer(line),
        })
    }

    pub(crate) fn without_mn() -> Self {
        Self::lines(|line| Reply::line(if line == "version" { "VERSION 1.4.39" } else { "ERROR" }))
    }

    /// Says nothing on other lines before the line `end`, then `got LINE` for each.
    pub(crate) fn batching() -> Self {
        Self::serve(|stream| {
            let mut pending = Vec::new();
            let mut writer = stream.try_clone().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let answer = match line.as_str() {
                    "version" => "VERSION 1.6.45\r\n".to_owned(),
                    "mn" => "MN\r\n".to_owned(),
                    line if is_probe(line) || line == "x" => "ERROR\r\n".to_owned(),
                    line => {
                        pending.push(format!("got {line}\r\n"));
                        if line == "end" {
                            std::mem::take(&mut pending).concat()
                        } else {
                            String::new()
                        }
                    }
                };
                if writer.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        })
    }

    /// Answers the first bytes of each connection with these, whatever they are; keeps the connection open.
    pub(crate) fn raw(answer: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::serve(move |mut stream| {
            let mut buffer = [0; 1024];
            while matches!(stream.read(&mut buffer), Ok(1..)) {
                if stream.write_all(&answer()).is_err() {
                    return;
                }
            }
        })
    }

    pub(crate) fn raw_close() -> Self {
        Self::serve(drop)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    fn lines(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(move |stream| {
            let mut writer = stream.try_clone().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                match answer(&line) {
                    Reply::Bytes(bytes) if writer.write_all(&bytes).is_ok() => {}
                    Reply::Nothing => {}
                    Reply::Bytes(_) | Reply::Close => return,
                }
            }
        })
    }

    fn serve(connection: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let connection = Arc::new(connection);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = Arc::clone(&connection);
                std::thread::spawn(move || connection(stream));
            }
        });
        Self { address }
    }
}

/// Whether a line comes from the probe of a capability, not from a test.
fn is_probe(line: &str) -> bool {
    line.contains("mcspec-probe") || matches!(line, "stats" | "verbosity 0")
}
