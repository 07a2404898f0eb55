//! A server that is odd in one way, for the tests of mcspec's command line: `odd_server PORT MODE`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_default();
    let mode = arguments.next().unwrap_or_default();
    if mode == "dies" {
        eprintln!("no room for a cache today");
        std::process::exit(7);
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    // The test that started it without a port of its own reads this line.
    println!("{}", listener.local_addr()?.port());
    for stream in listener.incoming().map_while(Result::ok) {
        let mode = mode.clone();
        std::thread::spawn(move || serve(&stream, &mode));
    }
    Ok(())
}

fn serve(mut stream: &TcpStream, mode: &str) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let answer: &[u8] = match (mode, line.as_str()) {
            ("hangs", _) => continue,
            ("closes", _) => return,
            ("http", _) => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            ("garbage", _) => b"\x00\x01\xff\xfe",
            ("hangs-later", line) if line.starts_with("get ") => continue,
            (_, "version") => b"VERSION 1.6.45\r\n",
            (_, "mn") => b"MN\r\n",
            ("empty", line) if line.starts_with("get ") => b"END\r\n",
            _ => b"ERROR\r\n",
        };
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
