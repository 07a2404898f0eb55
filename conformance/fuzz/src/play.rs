//! Plays a trial to a server.

use std::fmt;
use std::io;
use std::time::Duration;

use mcspec_suite::play::{Address, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout, timeout_at};

use crate::command::{Answer, Command};
use crate::mutation::largest_block;
use crate::reply::{self, Read};
use crate::trial::{Content, Trial};

/// A server that waits for a data block is given so much to end it. Of a stream that may announce more nothing is judged but
/// that others are served.
pub(crate) const BLOCK_BYTES_MAX: u64 = 64 << 10;

/// A command without an answer, to end a data block with; taken as a command it changes nothing.
const PADDING: &[u8] = b"delete fz_padding noreply\r\n";

/// No answer is so long.
const RECEIVED_BYTES_MAX: usize = 8 << 20;

/// What a server did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answered with something else than such a command is answered with.
    OutOfStep {
        /// What was sent, from the command in question on.
        sent: Vec<u8>,
        /// What came, from its answer on.
        received: Vec<u8>,
    },
    /// It did not answer in time.
    Silent {
        /// What was sent last.
        sent: Vec<u8>,
        /// What had come.
        received: Vec<u8>,
        /// How long it had.
        after: Duration,
    },
    /// It closed the connection though nothing was wrong with what was sent.
    Closed {
        /// What was sent last.
        sent: Vec<u8>,
    },
    /// Another connection was not served in the meantime.
    Starved(String),
    /// Its memory has grown, to so many bytes from so many.
    Grew {
        /// Bytes in memory now.
        to: u64,
        /// Bytes in memory after the first trials.
        from: u64,
    },
    /// It cannot be reached any more.
    Gone(String),
}

impl Fault {
    /// Whether another fault is of the same kind: what shrinking must keep.
    pub(crate) fn is_like(&self, other: &Fault) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::OutOfStep { sent, received } => {
                write!(f, "out of step: after `{}` came `{}`", short(sent), short(received))
            }
            Fault::Silent { sent, received, after } => {
                let (sent, received) = (short(sent), short(received));
                write!(f, "no whole answer to `{sent}` within {after:?}; so far `{received}`")
            }
            Fault::Closed { sent } => write!(f, "the connection was closed after `{}`", short(sent)),
            Fault::Starved(cause) => write!(f, "another connection was not served: {cause}"),
            Fault::Grew { to, from } => write!(f, "the process has grown from {from} to {to} bytes"),
            Fault::Gone(cause) => write!(f, "the server cannot be reached any more: {cause}"),
        }
    }
}

/// The beginning of `bytes`, printable.
fn short(bytes: &[u8]) -> String {
    let shown = bytes[..bytes.len().min(120)].escape_ascii();
    if bytes.len() > 120 {
        format!("{shown}...")
    } else {
        shown.to_string()
    }
}

/// How trials are played.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) address: Address,
    /// A command, and what its answer begins with.
    pub(crate) fence: (&'static [u8], &'static str),
    pub(crate) timeout: Duration,
}

/// Plays `trial` over a connection of its own.
pub(crate) async fn play(trial: &Trial, setting: &Setting) -> Result<(), Fault> {
    let opened = timeout(setting.timeout, setting.address.connect()).await;
    let stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Fault::Gone(error.to_string())),
        Err(_) => return Err(Fault::Gone("no connection in time".to_owned())),
    };
    let (reading, writing) = tokio::io::split(stream);
    let mut player = Player {
        reading,
        writing,
        setting,
        received: Vec::new(),
    };
    match &trial.content {
        Content::Orderly(commands) => player.orderly(commands, trial.piece_bytes).await,
        Content::Wild(stream) => player.wild(stream, trial.piece_bytes).await,
    }
}

struct Player<'s> {
    reading: ReadHalf<Box<dyn Stream>>,
    writing: WriteHalf<Box<dyn Stream>>,
    setting: &'s Setting,
    /// Not yet accounted for.
    received: Vec<u8>,
}

impl Player<'_> {
    /// Each command is answered as its kind is, and its fence behind it.
    async fn orderly(&mut self, commands: &[Command], piece_bytes: usize) -> Result<(), Fault> {
        for command in commands {
            let sent = [&command.bytes[..], self.setting.fence.0].concat();
            self.exchange(&sent, command.answer, piece_bytes).await?;
        }
        Ok(())
    }

    /// Sends and reads until the answer is whole. Not one byte more may be there.
    async fn exchange(&mut self, sent: &[u8], answer: Answer, piece_bytes: usize) -> Result<(), Fault> {
        let end = Instant::now() + self.setting.timeout;
        if self.send(sent, piece_bytes, end).await.is_err() {
            return Err(Fault::Closed { sent: sent.to_vec() });
        }
        loop {
            match reply::read(answer, self.setting.fence.1, &self.received) {
                Read::Whole(bytes) if bytes == self.received.len() => {
                    self.received.clear();
                    return Ok(());
                }
                Read::Whole(_) | Read::Wrong => return Err(self.out_of_step(sent)),
                Read::Partly => {}
            }
            match self.receive(end).await {
                Ok(0) => return Err(Fault::Closed { sent: sent.to_vec() }),
                Ok(_) if self.received.len() <= RECEIVED_BYTES_MAX => {}
                Ok(_) => return Err(self.out_of_step(sent)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(self.silent(sent)),
                Err(_) => return Err(Fault::Closed { sent: sent.to_vec() }),
            }
        }
    }

    /// Whatever is sent, afterwards the server has closed, or is in step again once a data block that it may wait for is
    /// there.
    async fn wild(&mut self, stream: &[u8], piece_bytes: usize) -> Result<(), Fault> {
        let end = Instant::now() + self.setting.timeout;
        let block = largest_block(stream);
        if self.send(stream, piece_bytes, end).await.is_err() || block > BLOCK_BYTES_MAX {
            return Ok(());
        }
        let resync = resync(stream);
        if self.send(&resync, 0, end).await.is_err() {
            return Ok(());
        }
        while !ends_with_mark(&self.received) {
            match self.receive(end).await {
                Ok(0) => return Ok(()),
                Ok(_) if self.received.len() <= RECEIVED_BYTES_MAX => {}
                Ok(_) => return Err(self.out_of_step(stream)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(self.silent(stream)),
                // A server may hang up on what it does not understand.
                Err(_) => return Ok(()),
            }
        }
        self.received.clear();
        self.exchange(self.setting.fence.0, Answer::Nothing, 0).await
    }

    /// Sends in pieces, while what comes back meanwhile is taken.
    async fn send(&mut self, bytes: &[u8], piece_bytes: usize, end: Instant) -> io::Result<()> {
        let pieces = bytes.chunks(if piece_bytes == 0 {
            bytes.len().max(1)
        } else {
            piece_bytes
        });
        for piece in pieces {
            let mut rest = piece;
            while !rest.is_empty() {
                let writing = timeout_at(end, self.writing.write(rest));
                tokio::select! {
                    biased;
                    written = writing => rest = &rest[written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??..],
                    read = self.reading.read_buf(&mut self.received) => {
                        if read? == 0 {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn receive(&mut self, end: Instant) -> io::Result<usize> {
        match timeout_at(end, self.reading.read_buf(&mut self.received)).await {
            Ok(read) => read,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn out_of_step(&self, sent: &[u8]) -> Fault {
        Fault::OutOfStep {
            sent: sent.to_vec(),
            received: self.received.clone(),
        }
    }

    fn silent(&self, sent: &[u8]) -> Fault {
        Fault::Silent {
            sent: sent.to_vec(),
            received: self.received.clone(),
            after: self.setting.timeout,
        }
    }
}

/// The value that shows that the server reads commands again.
const MARK: &[u8] = b"\r\n<mark of mcspec fuzz>\r\nEND\r\n";

/// Ends what `stream` may have begun, then stores a value and asks for it.
pub(crate) fn resync(stream: &[u8]) -> Vec<u8> {
    let block = usize::try_from(largest_block(stream).min(BLOCK_BYTES_MAX)).unwrap_or_default();
    let mut bytes = b"\r\n".to_vec();
    bytes.extend(PADDING.repeat(block / PADDING.len() + 2));
    bytes.extend(b"set fz_mark 0 100 21\r\n<mark of mcspec fuzz>\r\nget fz_mark\r\n");
    bytes
}

fn ends_with_mark(received: &[u8]) -> bool {
    received.ends_with(MARK)
}

/// A connection that stays open and must be served all the time.
pub(crate) struct Bystander<'s> {
    player: Player<'s>,
}

impl<'s> Bystander<'s> {
    pub(crate) async fn connect(setting: &'s Setting) -> io::Result<Self> {
        let (reading, writing) = tokio::io::split(setting.address.connect().await?);
        Ok(Bystander {
            player: Player {
                reading,
                writing,
                setting,
                received: Vec::new(),
            },
        })
    }

    /// Asks for a fence, in time.
    pub(crate) async fn is_served(&mut self) -> Result<(), Fault> {
        let fence = self.player.setting.fence.0;
        let served = self.player.exchange(fence, Answer::Nothing, 0).await;
        served.map_err(|fault| Fault::Starved(fault.to_string()))
    }
}
