//! One request to a server, and what comes.

use std::time::Duration;

use mcspec_suite::play::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// What the server answers on a connection of its own, as far as it comes in time: `length` bytes or more, but for an error's
/// line.
pub(super) async fn ask(address: &Address, request: &str, length: usize, patience: Duration) -> Vec<u8> {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = address.connect().await?;
        stream.write_all(request.as_bytes()).await?;
        while answer.len() < length && !answer.ends_with(b"ERROR\r\n") {
            if stream.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // Whatever went wrong shows in what came.
    let _ = timeout(patience, exchange).await;
    answer
}
