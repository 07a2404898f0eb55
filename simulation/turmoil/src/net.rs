//! The seams of the server, filled by the world: its network, its time, and where it does work that blocks.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use refcached_store::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

use crate::product::{Blocking, Clock, Endpoint, Listener, Work};
use crate::random::Random;

/// The time of the simulated host.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock;

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        // A task that is dropped with its host asks for the time no more, or does not mind.
        let elapsed = turmoil::since_epoch().unwrap_or_default();
        Timestamp::from_unix_ms(elapsed.as_millis() as u64)
    }
}

/// Does work that blocks on the host's one thread, after a time that the disk needs.
#[derive(Debug)]
pub struct SlowDisk {
    random: Mutex<Random>,
    most: Duration,
}

impl SlowDisk {
    /// Each piece of work takes up to `most`.
    pub fn new(random: Random, most: Duration) -> SlowDisk {
        SlowDisk {
            random: Mutex::new(random),
            most,
        }
    }
}

impl Blocking for SlowDisk {
    fn spawn(&self, work: Work) {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = Duration::from_millis(random.within(0, self.most.as_millis() as u64));
        drop(random);
        tokio::spawn(async move {
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            work();
        });
    }
}

/// How much of a stream moves at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bites {
    /// Bytes that one read brings at most.
    pub read_max: u64,
    /// Bytes that one write takes at most.
    pub write_max: u64,
}

/// A listener of the simulated network, whose streams arrive in bites.
pub struct WorldListener {
    listener: TcpListener,
    address: SocketAddr,
    bites: Bites,
    random: Mutex<Random>,
}

impl WorldListener {
    /// Listens on a port of the host.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(port: u16, bites: Bites, random: Random) -> io::Result<WorldListener> {
        let listener = TcpListener::bind(("0.0.0.0", port)).await?;
        Ok(WorldListener {
            address: listener.local_addr()?,
            listener,
            bites,
            random: Mutex::new(random),
        })
    }
}

impl Listener for WorldListener {
    type Stream = Chopped<TcpStream>;

    async fn accept(&self) -> io::Result<(Self::Stream, Endpoint)> {
        let (stream, peer) = self.listener.accept().await?;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let random = Random::new(random.draw());
        Ok((Chopped::new(stream, self.bites, random), Endpoint::Tcp(peer)))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp(self.address)
    }
}

/// A stream of which each read and each write moves as much as chance has it. The simulated network itself neither cuts
/// nor joins what is written.
pub struct Chopped<S> {
    stream: S,
    bites: Bites,
    random: Random,
}

impl<S> Chopped<S> {
    /// Chops a stream.
    pub fn new(stream: S, bites: Bites, random: Random) -> Chopped<S> {
        Chopped { stream, bites, random }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Chopped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = self.bites.read_max;
        let room = self.random.within(1, most).min(out.remaining() as u64) as usize;
        let mut bite = ReadBuf::new(out.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut bite))?;
        let filled = bite.filled().len();
        out.advance(filled);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Chopped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = self.bites.write_max;
        let length = self.random.within(1, most).min(bytes.len() as u64) as usize;
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..length])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
