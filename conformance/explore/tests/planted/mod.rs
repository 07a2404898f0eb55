//! A server with one fault: refcached behind a proxy that sees each request and makes the reply.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use refcached::{Config, Endpoint, Listen, ListenAddress, Server};

/// Makes the reply to a request; `ask` puts a request to the sound server.
pub(crate) type Fault = fn(request: &[u8], ask: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<u8>;

/// Starts a sound server; it lives until the test's process ends.
pub(crate) fn sound() -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listen = Listen::Tcp(vec![ListenAddress::parse("127.0.0.1:0", 0).unwrap()]);
            let server = Server::bind(Config {
                listen,
                ..Config::default()
            })
            .await
            .unwrap();
            let Some(Endpoint::Tcp(address)) = server.local_addrs().into_iter().next() else {
                panic!("no address")
            };
            sender.send(address).unwrap();
            server.serve(std::future::pending()).await;
        });
    });
    receiver.recv().unwrap()
}

/// Starts a proxy before a sound server.
pub(crate) fn faulty(sound: SocketAddr, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || serve(client, TcpStream::connect(sound).unwrap(), fault));
        }
    });
    address
}

/// Never part of a reply to anything else.
const FENCE: (&[u8], &[u8]) = (b"mg planted-fence Ofence\r\n", b"EN Ofence\r\n");

fn serve(mut client: TcpStream, mut server: TcpStream, fault: Fault) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let mut unread = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let mut replies = Vec::new();
        while let Some(length) = request_length(&unread) {
            let request: Vec<u8> = unread.drain(..length).collect();
            if request.ends_with(b"quit\r\n") {
                // What was answered before it must still be sent; a bad data block takes what follows with it.
                server.write_all(&request).unwrap();
                server.read_to_end(&mut replies).unwrap();
                let _ = client.write_all(&replies);
                return;
            }
            replies.extend(fault(&request, &mut |request| ask(&mut server, request)));
        }
        if client.write_all(&replies).is_err() {
            return;
        }
        match client.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(length) => unread.extend_from_slice(&chunk[..length]),
        }
    }
}

fn ask(server: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    server.write_all(request).unwrap();
    server.write_all(FENCE.0).unwrap();
    let mut reply = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while !reply.ends_with(FENCE.1) {
        let length = server.read(&mut chunk).unwrap();
        assert!(
            length > 0,
            "the sound server closed after {:?}",
            String::from_utf8_lossy(request)
        );
        reply.extend_from_slice(&chunk[..length]);
    }
    reply.truncate(reply.len() - FENCE.1.len());
    reply
}

/// How long the first request is, if all of it is there. One whose data block does not end where it should is taken
/// together with all that follows it.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let text = String::from_utf8_lossy(&bytes[..line]).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let size = match words.first().copied() {
        Some("set" | "add" | "replace" | "append" | "prepend" | "cas") => words.get(4),
        Some("ms") => words.get(2),
        _ => return Some(line),
    };
    let Some(size) = size.and_then(|size| size.parse::<usize>().ok()) else {
        return Some(bytes.len());
    };
    let all = line + size + 2;
    // Whoever sends a block that is too short sends the fence after it: what is there is all that comes.
    if bytes.len() < all {
        return (bytes.ends_with(b"mn\r\n") && size < 16).then_some(bytes.len());
    }
    Some(if &bytes[all - 2..all] == b"\r\n" {
        all
    } else {
        bytes.len()
    })
}
