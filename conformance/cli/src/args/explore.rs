//! The flags of `explore` and `diff`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use mcspec_explore::generate::Pace;
use mcspec_suite::case::Release;
use mcspec_suite::play::Address;

use super::{Target, expected, seconds};

#[derive(Debug, Args)]
pub(crate) struct Explore {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Model this release; by default the one that the server says it is
    #[arg(long, value_name = "RELEASE", value_parser = expected::<Release>)]
    pub(crate) release: Option<Release>,
    /// Stop after so many different findings
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) findings: usize,
    /// Several clients on one key at once, judged by whether any order explains what they saw
    #[arg(long, conflicts_with_all = ["only", "release", "out"])]
    pub(crate) concurrent: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) sides: Sides,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    /// Stop after so many different findings
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) findings: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Bounds {
    /// Explore for so long
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time: Option<Duration>,
    /// Stop after so many commands; without this and without --for, after 30 seconds
    #[arg(long, value_name = "N")]
    pub(crate) commands: Option<u64>,
    /// What histories are made from; a new one each time unless given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Play one history of the seed again, such as quick:42
    #[arg(long, value_name = "PACE:NUMBER", value_parser = one_history)]
    pub(crate) only: Option<(Pace, u64)>,
    /// How many histories are played at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u16).range(1..=512))]
    pub(crate) lanes: u16,
    /// Write each finding into this directory, as found/NAME.case
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Seconds that a server may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

fn one_history(text: &str) -> Result<(Pace, u64), String> {
    let paces = [Pace::Quick, Pace::Waiting, Pace::Alone];
    let parts = text.split_once(':').and_then(|(pace, number)| {
        let pace = paces.into_iter().find(|known| known.word() == pace)?;
        Some((pace, number.parse().ok()?))
    });
    parts.ok_or_else(|| "expected quick:N, waiting:N or alone:N".to_owned())
}

/// The two targets of a comparison, in the order of the command line.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) left: Target,
    pub(crate) right: Target,
}

/// The flags that name a target, and what stands after them.
const KINDS: [(&str, &str, &str); 5] = [
    (
        "server",
        "HOST:PORT",
        "A server that is running; two of these flags name the two sides",
    ),
    ("unix", "PATH", "A server that is running on a Unix socket"),
    (
        "spawn",
        "COMMAND",
        "Start a server with this command; {port} stands for a free port",
    ),
    ("image", "IMAGE", "Start a server from this image"),
    ("target", "NAME|FILE", "A known server, or a target file"),
];

impl Args for Sides {
    fn augment_args(command: Command) -> Command {
        KINDS.into_iter().fold(command, |command, (kind, value, help)| {
            let arg = Arg::new(kind).long(kind).value_name(value).help(help);
            command.arg(arg.action(ArgAction::Append).required(false))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Sides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut sides = Vec::new();
        for (kind, ..) in KINDS {
            let values = matches.get_many::<String>(kind).into_iter().flatten();
            let places = matches.indices_of(kind).into_iter().flatten();
            for (place, value) in places.zip(values) {
                sides.push((place, side(kind, value)?));
            }
        }
        sides.sort_by_key(|(place, _)| *place);
        let mut sides = sides.into_iter().map(|(_, side)| side);
        match (sides.next(), sides.next(), sides.next()) {
            (Some(left), Some(right), None) => Ok(Self { left, right }),
            (Some(left), None, None) => Ok(Self {
                left,
                right: Target::default(),
            }),
            (None, ..) => Err(wrong(
                "name two servers to compare, or one to compare with the built-in reference server: \
                                     --server, --unix, --spawn, --image or --target",
            )),
            _ => Err(wrong("more than two servers are named")),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn side(kind: &str, value: &str) -> Result<Target, clap::Error> {
    let mut target = Target::default();
    match kind {
        "server" => target.server = Some(value.parse::<Address>().map_err(|error| wrong(&error.to_string()))?),
        "unix" => target.unix = Some(PathBuf::from(value)),
        "spawn" => target.spawn = Some(value.to_owned()),
        "image" => target.image = Some(value.to_owned()),
        _ => target.target = Some(value.to_owned()),
    }
    Ok(target)
}

fn wrong(message: &str) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{message}\n"))
}
