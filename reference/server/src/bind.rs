//! Sockets: from a [`Config`](crate::Config) to listeners that are ready to accept.

use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UnixListener, lookup_host};

use crate::config::{Host, ListenAddress};
use crate::listener::{Tcp, Unix};

/// Why a server could not begin to listen. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// No address at all was given.
    #[error("nothing to listen on: name at least one address")]
    Nothing,
    /// Somebody else has the port.
    #[error("cannot listen on {address}: the port is in use; stop the other server or choose another port with -p")]
    PortInUse {
        /// What was tried.
        address: SocketAddr,
    },
    /// The address is none of this machine's.
    #[error("cannot listen on {address}: no such address on this machine; give one of its own with -l")]
    NotLocal {
        /// What was tried.
        address: SocketAddr,
    },
    /// The port is below 1024 and the user is not root, most often.
    #[error("cannot listen on {address}: permission denied; choose a port above 1023 with -p")]
    PortDenied {
        /// What was tried.
        address: SocketAddr,
    },
    /// Any other failure.
    #[error("cannot listen on {address}: {source}; check the address given with -l")]
    Tcp {
        /// What was tried.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A host name that does not resolve.
    #[error("cannot listen on {address}: the name does not resolve ({source}); give an IP address with -l")]
    Resolve {
        /// What was tried.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// A server answers on this Unix socket.
    #[error("cannot listen on {}: another server is listening there; stop it or choose another path with -s", path.display())]
    SocketInUse {
        /// What was tried.
        path: PathBuf,
    },
    /// There is a file that is no socket.
    #[error("cannot listen on {}: a file that is no socket stands there; remove it or choose another path with -s", path.display())]
    NotASocket {
        /// What was tried.
        path: PathBuf,
    },
    /// Any other failure.
    #[error("cannot listen on {}: {source}; choose a path with -s whose directory exists and is writable", path.display())]
    Unix {
        /// What was tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Binds every address. An address that is only wanted where available may be missing, as long as another one is there.
pub(crate) async fn tcp(addresses: &[ListenAddress], backlog: u32) -> Result<Vec<Tcp>, BindError> {
    let mut bound = Vec::new();
    for address in addresses {
        match &address.host {
            Host::Address(ip) => bound.push(tcp_one(*ip, address.port, backlog)?),
            Host::IfAvailable(ip) => match tcp_one(*ip, address.port, backlog) {
                Ok(tcp) => bound.push(tcp),
                Err(error) if is_family_missing(&error) => {
                    tracing::debug!(%address, %error, "not listening there");
                }
                Err(error) => return Err(error),
            },
            Host::Name(name) => {
                for ip in resolve(name, address.port).await? {
                    bound.push(tcp_one(ip, address.port, backlog)?);
                }
            }
        }
    }
    if bound.is_empty() {
        return Err(BindError::Nothing);
    }
    Ok(bound)
}

fn tcp_one(ip: IpAddr, port: u16, backlog: u32) -> Result<Tcp, BindError> {
    let address = SocketAddr::new(ip, port);
    let fault = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::PortInUse { address },
        io::ErrorKind::AddrNotAvailable => BindError::NotLocal { address },
        io::ErrorKind::PermissionDenied => BindError::PortDenied { address },
        _ => BindError::Tcp { address, source },
    };
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A server that was just stopped leaves connections in TIME_WAIT; they must not keep the next one from its port.
        socket.set_reuse_address(true)?;
        if ip.is_ipv6() {
            // The same port of IPv4 has a socket of its own.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog.try_into().unwrap_or(i32::MAX))?;
        let listener = TcpListener::from_std(socket.into())?;
        let address = listener.local_addr()?;
        Ok(Tcp { listener, address })
    };
    listen().map_err(fault)
}

fn is_family_missing(error: &BindError) -> bool {
    match error {
        BindError::NotLocal { .. } => true,
        BindError::Tcp { source, .. } => source.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32),
        _ => false,
    }
}

/// The addresses of a name, each once, in the resolver's order.
async fn resolve(name: &str, port: u16) -> Result<Vec<IpAddr>, BindError> {
    let found = lookup_host((name, port)).await.map_err(|source| BindError::Resolve {
        address: format!("{name}:{port}"),
        source,
    })?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    Ok(addresses)
}

/// Binds a Unix socket with these permission bits, replacing what a dead server left there.
pub(crate) fn unix(path: &Path, mode: u32, backlog: u32) -> Result<(Unix, SocketFile), BindError> {
    let fault = |source| BindError::Unix {
        path: path.to_owned(),
        source,
    };
    remove_stale(path)?;
    let listen = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile::of(path)?;
        // Before the socket listens nobody can connect: there is no moment at which the permissions are too wide.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(backlog.try_into().unwrap_or(i32::MAX))?;
        let listener = UnixListener::from_std(socket.into())?;
        let path = path.to_owned();
        Ok((Unix { listener, path }, file))
    };
    listen().map_err(fault)
}

/// Removes the socket of a server that is dead. Anything else that stands at `path` is an error.
fn remove_stale(path: &Path) -> Result<(), BindError> {
    let fault = |source| BindError::Unix {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fault(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(BindError::NotASocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match knock(path).map_err(|error| (error.kind(), error)) {
        Err((io::ErrorKind::ConnectionRefused, _)) => {
            tracing::debug!(path = %path.display(), "replacing the socket of a dead server");
            fs::remove_file(path).map_err(fault)
        }
        // A full backlog: somebody listens, only too slowly.
        Ok(()) | Err((io::ErrorKind::WouldBlock, _)) => Err(BindError::SocketInUse { path: path.to_owned() }),
        Err((_, error)) => Err(fault(error)),
    }
}

/// Connects to a Unix socket without waiting.
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

/// The file of a Unix socket; removed when dropped, unless another server has put its own in its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<SocketFile> {
        Ok(SocketFile {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).ok() != Some(self.identity) {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket; remove it by hand");
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
