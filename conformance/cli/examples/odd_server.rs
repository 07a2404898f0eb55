//! A server that is odd in one way, for the tests of mcspec's command line: `odd_server PORT MODE [DIRECTORY]`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a server that wavers has answered wrongly, one that lags not at all, or one that tires rightly.
static WAVERED: AtomicBool = AtomicBool::new(false);

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_default();
    let mode = arguments.next().unwrap_or_default();
    let directory = PathBuf::from(arguments.next().unwrap_or_default());
    if mode == "dies" {
        eprintln!("no room for a cache today");
        std::process::exit(7);
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    // The test that started it without a port of its own reads this line.
    println!("{}", listener.local_addr()?.port());
    for stream in listener.incoming().map_while(Result::ok) {
        let (mode, directory) = (mode.clone(), directory.clone());
        std::thread::spawn(move || serve(&stream, &mode, &directory));
    }
    Ok(())
}

fn serve(mut stream: &TcpStream, mode: &str, directory: &Path) {
    let mut key = None;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let answer: &[u8] = match (mode, line.as_str()) {
            ("hangs", _) => continue,
            ("closes", _) => return,
            ("http", _) => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            ("garbage", _) => b"\x00\x01\xff\xfe",
            ("lags", line) if line.starts_with("gets ") && !WAVERED.swap(true, Ordering::Relaxed) => continue,
            ("hangs-later", line) if line.starts_with("get ") => continue,
            (_, "version") => b"VERSION 1.6.45\r\n",
            (_, "mn") => b"MN\r\n",
            ("wavers", line) if line.starts_with("gets ") && !WAVERED.swap(true, Ordering::Relaxed) => b"ERROR\r\n",
            ("tires", line) if line.starts_with("gets ") && WAVERED.swap(true, Ordering::Relaxed) => b"ERROR\r\n",
            ("empty" | "wavers" | "lags" | "tires", line) if line.starts_with("get ") => b"END\r\n",
            ("wavers" | "lags" | "tires", line) if line.starts_with("gets ") => b"END\r\n",
            ("stores", line) => &store(directory, &mut key, line),
            _ => b"ERROR\r\n",
        };
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

/// Keeps values of one byte in files; `awaited` is the key whose value the next line is.
fn store(directory: &Path, awaited: &mut Option<String>, line: &str) -> Vec<u8> {
    if let Some(key) = awaited.take() {
        let stored = std::fs::write(directory.join(key), line);
        return stored.map_or(b"SERVER_ERROR\r\n".to_vec(), |()| b"STORED\r\n".to_vec());
    }
    let (verb, key) = line.split_once(' ').unwrap_or((line, ""));
    let key = key.split(' ').next().unwrap_or_default();
    match verb {
        "set" => {
            *awaited = Some(key.to_owned());
            Vec::new()
        }
        "get" => {
            let value = std::fs::read_to_string(directory.join(key));
            let found = |value| format!("VALUE {key} 0 1\r\n{value}\r\nEND\r\n");
            value.map_or("END\r\n".to_owned(), found).into_bytes()
        }
        "delete" if std::fs::remove_file(directory.join(key)).is_ok() => b"DELETED\r\n".to_vec(),
        "flush_all" => {
            for file in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                // One that is gone is what was wanted.
                let _ = std::fs::remove_file(file.path());
            }
            b"OK\r\n".to_vec()
        }
        _ => b"ERROR\r\n".to_vec(),
    }
}
