//! One connection: bytes out, and what comes back until the fence is answered.

use std::time::Duration;

use mcspec_suite::play::{Address, Stream};
use mcspec_suite::target::Fence;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

/// Requests up to this size fit into the buffers of the system: the server cannot be kept from reading them by a reply
/// that nobody reads.
const SMALL_BYTES: usize = 8 * 1024;

/// Why a connection can no longer be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The server closed it.
    Closed,
    /// The fence was not answered in time.
    Silent,
}

/// A connection to a server.
pub(crate) struct Link {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    fence: Fence,
    patience: Duration,
}

impl Link {
    /// Opens a connection.
    pub(crate) async fn open(address: &Address, fence: Fence, patience: Duration) -> std::io::Result<Self> {
        let stream = match timeout(patience, address.connect()).await {
            Ok(stream) => stream?,
            Err(_) => return Err(std::io::ErrorKind::TimedOut.into()),
        };
        let (reader, writer) = tokio::io::split(stream);
        Ok(Self {
            reader,
            writer,
            fence,
            patience,
        })
    }

    /// Sends requests and the fence; gives what came before the fence's answer, and whether that came.
    pub(crate) async fn exchange(&mut self, mut requests: Vec<u8>) -> (Vec<u8>, Result<(), Broken>) {
        requests.extend_from_slice(self.fence.request());
        let mut reply = Vec::with_capacity(1024);
        let (reader, writer) = (&mut self.reader, &mut self.writer);
        // What a server that has closed does not take is seen when reading.
        let all = async {
            if requests.len() <= SMALL_BYTES {
                let _ = writer.write_all(&requests).await;
                read(reader, self.fence, &mut reply).await
            } else {
                tokio::join!(writer.write_all(&requests), read(reader, self.fence, &mut reply)).1
            }
        };
        let end = timeout(self.patience, all).await.unwrap_or(Err(Broken::Silent));
        if end.is_ok() {
            reply.truncate(before_fence(self.fence, &reply).unwrap_or(reply.len()));
        }
        (reply, end)
    }

    /// Sends requests of which the last ends the connection; gives what came before the end, and whether that came.
    pub(crate) async fn last_words(&mut self, requests: Vec<u8>) -> (Vec<u8>, Result<(), Broken>) {
        let mut reply = Vec::with_capacity(1024);
        let (reader, writer) = (&mut self.reader, &mut self.writer);
        let all = async { tokio::join!(writer.write_all(&requests), read_to_end(reader, &mut reply)).1 };
        let end = timeout(self.patience, all).await.unwrap_or(Err(Broken::Silent));
        (reply, end)
    }
}

async fn read(reader: &mut ReadHalf<Box<dyn Stream>>, fence: Fence, reply: &mut Vec<u8>) -> Result<(), Broken> {
    loop {
        match reader.read_buf(reply).await {
            Ok(0) | Err(_) => return Err(Broken::Closed),
            Ok(_) if before_fence(fence, reply).is_some() => return Ok(()),
            Ok(_) => {}
        }
    }
}

async fn read_to_end(reader: &mut ReadHalf<Box<dyn Stream>>, reply: &mut Vec<u8>) -> Result<(), Broken> {
    // A server that resets the connection has ended it, too.
    while let Ok(1..) = reader.read_buf(reply).await {}
    Ok(())
}

/// Where the fence's answer begins, if it is the last line of the reply.
fn before_fence(fence: Fence, reply: &[u8]) -> Option<usize> {
    let body = reply.strip_suffix(b"\r\n")?;
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = &body[start..];
    let answered = match fence {
        Fence::Mn => line == b"MN",
        Fence::Version => line.starts_with(b"VERSION "),
    };
    answered.then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fence_is_the_last_line() {
        assert_eq!(before_fence(Fence::Mn, b"MN\r\n"), Some(0));
        assert_eq!(before_fence(Fence::Mn, b"STORED\r\nMN\r\n"), Some(8));
        assert_eq!(before_fence(Fence::Version, b"END\r\nVERSION 1\r\n"), Some(5));
        for unfinished in [&b"MN"[..], b"xMN\r\n", b"MN\r\nSTORED\r\n", b""] {
            assert_eq!(before_fence(Fence::Mn, unfinished), None);
        }
    }
}
