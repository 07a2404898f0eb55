//! The way to a container that spares the engine's forwarder.
//!
//! What is published on a port of this machine goes through a process of the engine that copies every byte: half of the
//! processor time of a whole suite. Where the engine runs on this machine, the container's own address is reached without.

use std::time::Duration;

use mcspec_suite::play::Address;

use super::super::ask::ask;

/// How long each answer may take. Where the engine runs in a virtual machine, nothing answers at all.
const PATIENCE: Duration = Duration::from_millis(250);

/// The container's own address, if the server that listens at `published` is reached there: an address that is free here may
/// be somebody else's in the network beyond. So an item that carries the container's id is stored here and looked for there.
/// Servers that do not store it are reached as published.
pub(super) async fn way(published: &Address, ip: &str, port: u16, id: &str) -> Option<Address> {
    let direct: Address = format!("{ip}:{port}").parse().ok()?;
    let key = format!("mcspec.{}", id.get(..32).unwrap_or(id));
    let stored = is_answered(published, &format!("set {key} 0 60 2\r\nhi\r\n"), "STORED\r\n").await;
    if !stored {
        return None;
    }
    let found = format!("VALUE {key} 0 2\r\nhi\r\nEND\r\n");
    let is_same = is_answered(&direct, &format!("get {key}\r\n"), &found).await;
    is_answered(published, &format!("delete {key}\r\n"), "DELETED\r\n").await;
    is_same.then_some(direct)
}

/// Whether `request` is answered so, in time.
async fn is_answered(address: &Address, request: &str, expected: &str) -> bool {
    ask(address, request, expected.len(), PATIENCE).await == expected.as_bytes()
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

        let get = format!("get mcspec.{}\r\n", &ID[..32]);
        assert!(is_answered(&one.address, &get, "END\r\n").await, "it is taken away");
    }
}
