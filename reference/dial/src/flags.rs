//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wtfdial::Name;

/// Dials that show how things are going, each turned by its owner alone.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = false)]
pub(crate) struct Flags {
    /// The directory of the dials; made if it is not there
    #[arg(
        long,
        env = "WTFDIAL_DATA",
        value_name = "DIRECTORY",
        default_value = "wtfdial-data",
        global = true
    )]
    pub(crate) data: PathBuf,

    #[command(flatten)]
    pub(crate) serve: ServeFlags,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the dials over HTTP, with a page at /; also what is done without a command
    Serve(ServeFlags),
    /// Add users
    #[command(subcommand)]
    User(UserCommand),
    /// Write a copy of everything to a new file, while the service goes on
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Check a file that no process has open, without writing to it
    Check {
        /// The file: a backup, or the one in the data directory
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user and print the token, once
    Add {
        /// 1 to 100 characters, and nobody else's
        name: Name,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeFlags {
    /// Where to listen; port 0 for any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,

    /// Seconds that busy connections have when the service is told to stop
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    pub(crate) stop_grace: u64,
}
