//! Where connections come from: the seam between the server and the network it runs on.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Accepts connections. Implemented here for tokio's TCP and Unix sockets; a simulated network brings its own.
pub trait Listener: Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection. Must be cancel safe: no connection is lost if the future is dropped.
    ///
    /// # Errors
    /// Whatever the network reports. The server goes on to accept, after a pause unless the error was that one
    /// connection's own.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Endpoint)>> + Send;

    /// Where it listens, with the port that the kernel chose.
    fn endpoint(&self) -> Endpoint;
}

/// One end of a connection, or a listener's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A path; clients rarely have one.
    Unix(Option<PathBuf>),
}

/// As memcached writes it in `stats conns`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address @ SocketAddr::V4(_)) => write!(f, "tcp:{address}"),
            Endpoint::Tcp(address @ SocketAddr::V6(_)) => write!(f, "tcp6:{address}"),
            Endpoint::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Endpoint::Unix(None) => f.write_str("unix"),
        }
    }
}

/// A TCP listener and the address it was bound to.
#[derive(Debug)]
pub(crate) struct Tcp {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Listener for Tcp {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Endpoint)> {
        let (stream, peer) = self.listener.accept().await?;
        // An answer is written whole: holding back its last segment could only delay it. It fails on a connection that is
        // already gone, and reading will find that out.
        let _ = stream.set_nodelay(true);
        Ok((stream, Endpoint::Tcp(peer)))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp(self.address)
    }
}

/// A Unix socket and its path.
#[derive(Debug)]
pub(crate) struct Unix {
    pub(crate) listener: UnixListener,
    pub(crate) path: PathBuf,
}

impl Listener for Unix {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Endpoint)> {
        let (stream, peer) = self.listener.accept().await?;
        let path = peer.as_pathname().map(PathBuf::from);
        Ok((stream, Endpoint::Unix(path)))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(Some(self.path.clone()))
    }
}
