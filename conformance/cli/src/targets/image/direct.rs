//! The way to a container that spares the engine's forwarder.
//!
//! What is published on a port of this machine goes through a process of the engine that copies every byte: half of the
//! processor time of a whole suite. Where the engine runs on this machine, the container's own address is reached without.

use std::time::Duration;

use mcspec_suite::play::{Address, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// How long the way may take to be found. Where the engine runs in a virtual machine, nothing answers at all.
const PATIENCE: Duration = Duration::from_millis(250);

/// The container's own address, if the server that listens at `published` is reached there: an address that is free here may
/// be somebody else's in the network beyond. So an item that carries the container's id is stored here and looked for there.
/// Servers that do not store it are reached as published.
pub(super) async fn way(published: &Address, ip: &str, port: u16, id: &str) -> Option<Address> {
    let direct: Address = format!("{ip}:{port}").parse().ok()?;
    let is_same = timeout(PATIENCE, is_same(published, &direct, id)).await;
    matches!(is_same, Ok(Ok(true))).then_some(direct)
}

async fn is_same(published: &Address, direct: &Address, id: &str) -> std::io::Result<bool> {
    let mut direct = direct.connect().await?;
    let mut published = published.connect().await?;
    let key = format!("mcspec.{}", id.get(..32).unwrap_or(id));
    let set = format!("set {key} 0 60 2\r\nhi\r\n");
    if exchange(&mut published, &set, "STORED\r\n").await? {
        let found = format!("VALUE {key} 0 2\r\nhi\r\nEND\r\n");
        let is_found = exchange(&mut direct, &format!("get {key}\r\n"), &found).await?;
        exchange(&mut published, &format!("delete {key}\r\n"), "DELETED\r\n").await?;
        return Ok(is_found);
    }
    Ok(false)
}

/// Whether `request` is answered so.
async fn exchange(stream: &mut Box<dyn Stream>, request: &str, expected: &str) -> std::io::Result<bool> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while answer.len() < expected.len() && expected.as_bytes().starts_with(&answer) {
        if stream.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    Ok(answer == expected.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::super::embedded;
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

    #[tokio::test]
    async fn only_a_server_that_holds_the_item_is_the_same() {
        let servers = [(); 2].map(|()| embedded::start());
        let [one, other] = servers.map(|start| async { start.await.map_err(|_| "no server") });
        let (one, other) = (one.await.expect("it starts"), other.await.expect("it starts"));
        let port = |address: &Address| -> u16 {
            let text = address.to_string();
            text.rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok())
                .expect("a port")
        };
        let same = way(&one.address, "127.0.0.1", port(&one.address), ID).await;
        assert_eq!(same.map(|address| address.to_string()), Some(one.address.to_string()));
        assert!(way(&one.address, "127.0.0.1", port(&other.address), ID).await.is_none());
        assert!(way(&one.address, "127.0.0.1", 1, ID).await.is_none());
        assert!(way(&one.address, "", port(&one.address), ID).await.is_none());

        let mut stream = one.address.connect().await.expect("a connection");
        let get = format!("get mcspec.{}\r\n", &ID[..32]);
        let is_taken_away = exchange(&mut stream, &get, "END\r\n").await.expect("an answer");
        assert!(is_taken_away);
    }
}
