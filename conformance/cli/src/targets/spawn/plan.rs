//! Fills in ports and the directory.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Ports that no system gives out by itself: those of connections are from 32768 up (Linux) or 49152 (others). One of
/// theirs could be taken by anybody between being chosen here and being bound by the server.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// What each process looks at first is so far from what the next one does.
const STRIDE: u32 = 97;

/// Counts what this process has looked at.
static LOOKED_AT: AtomicU32 = AtomicU32::new(0);

/// A free port, held.
fn free() -> std::io::Result<TcpListener> {
    let count = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id().wrapping_mul(STRIDE);
    for _ in 0..count {
        let offset = first.wrapping_add(LOOKED_AT.fetch_add(1, Ordering::Relaxed)) % count;
        // Below the count of ports, which are 16 bits wide.
        let port = PORTS.start + offset as u16;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener);
        }
    }
    TcpListener::bind("127.0.0.1:0")
}

/// What the placeholders of one start stand for: `{port}`, `{port NAME}`, `{socket}` and `{dir}`.
pub(super) struct Places {
    ports: BTreeMap<String, u16>,
    /// Keeps the ports apart from each other while they are chosen.
    held: Vec<TcpListener>,
    directory: Option<TempDir>,
}

impl Places {
    pub(super) fn new() -> Result<Self, String> {
        let mut places = Self {
            ports: BTreeMap::new(),
            held: Vec::new(),
            directory: None,
        };
        places.port("")?;
        Ok(places)
    }

    /// The port of this name, a free one of the loopback interface; the server's own has none.
    pub(super) fn port(&mut self, name: &str) -> Result<u16, String> {
        if let Some(port) = self.ports.get(name) {
            return Ok(*port);
        }
        let failed = |error: std::io::Error| format!("no free port: {error}");
        let listener = free().map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        self.held.push(listener);
        self.ports.insert(name.to_owned(), port);
        Ok(port)
    }

    /// The directory of this run, made when it is first asked for.
    pub(super) fn directory(&mut self) -> Result<&Path, String> {
        if self.directory.is_none() {
            let made = tempfile::Builder::new().prefix("mcspec-").tempdir();
            self.directory = Some(made.map_err(|error| format!("no directory for its files: {error}"))?);
        }
        Ok(self.directory.as_ref().map_or(Path::new(""), TempDir::path))
    }

    /// The path of the server's Unix socket.
    pub(super) fn socket(&mut self) -> Result<PathBuf, String> {
        Ok(self.directory()?.join("socket"))
    }

    /// The text with its placeholders filled in; other braces stand for themselves. The ports are free from now on.
    pub(super) fn fill(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            out.push_str(&rest[..start]);
            let inner = rest[start + 1..].split('}').next().unwrap_or_default();
            let filled = match inner.split_once(' ') {
                _ if rest[start + 1..].len() == inner.len() => None,
                None if inner == "port" => Some(self.port("")?.to_string()),
                Some(("port", name)) => Some(self.port(name)?.to_string()),
                None if inner == "socket" => Some(self.socket()?.display().to_string()),
                None if inner == "dir" => Some(self.directory()?.display().to_string()),
                _ => None,
            };
            match filled {
                Some(filled) => {
                    out.push_str(&filled);
                    rest = &rest[start + inner.len() + 2..];
                }
                None => {
                    out.push('{');
                    rest = &rest[start + 1..];
                }
            }
        }
        out.push_str(rest);
        self.held.clear();
        Ok(out)
    }

    /// The ports that a text names.
    pub(super) fn ports_in(&self, text: &str) -> Vec<u16> {
        let named = |name: &String| match name.as_str() {
            "" => text.contains("{port}"),
            name => text.contains(&format!("{{port {name}}}")),
        };
        self.ports
            .iter()
            .filter(|(name, _)| named(name))
            .map(|(_, port)| *port)
            .collect()
    }

    pub(super) fn into_directory(self) -> Option<TempDir> {
        self.directory
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_name_stands_for_one_port_and_other_braces_for_themselves() {
        let mut places = Places::new().unwrap();
        let text = "a: {port}, b: {port b}, again: {port b}, {x} {dir} {socket} { {port";
        let filled = places.fill(text).unwrap();
        let (own, other) = (places.port("").unwrap(), places.port("b").unwrap());
        assert_ne!(own, other);
        let directory = places.directory().unwrap().display().to_string();
        assert_eq!(
            filled,
            format!("a: {own}, b: {other}, again: {other}, {{x}} {directory} {directory}/socket {{ {{port")
        );
        assert_eq!(places.ports_in("x {port b}"), [other]);
        assert!(std::path::Path::new(&directory).is_dir());
    }
}
