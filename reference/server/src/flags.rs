//! The command line: memcached's flags, read into a [`Config`].
//!
//! # Layout
//! - `control`: the flags of the control API.

mod control;
mod datasets;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use refcached::{BadListenAddress, Config, Listen, ListenAddress};

use self::control::ControlFlags;
pub(crate) use self::control::ControlSettings;
use self::datasets::DatasetFlags;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Order {
    /// Serve.
    Serve(Box<Settings>),
    /// Print this to stdout and be done.
    Print(String),
}

/// All that the binary has to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// How many times `-v` was given.
    pub(crate) verbosity: u8,
    /// `-u`.
    pub(crate) user: Option<String>,
    /// The control API; none if there is to be none.
    pub(crate) control: Option<ControlSettings>,
}

/// A command line that cannot be understood, as one line for stderr.
#[derive(Debug, thiserror::Error)]
#[error("{message}; see refcached --help")]
pub(crate) struct BadFlags {
    message: String,
}

/// What stands below the flags in the help.
const SUBCOMMANDS: &str =
    "refcached load and refcached dump turn text into datasets and back: see refcached load --help";

/// The reference memcached server.
#[derive(Debug, Parser)]
#[command(name = "refcached", version, disable_version_flag = true, after_help = SUBCOMMANDS)]
struct Flags {
    /// TCP port to listen on; 0 lets the kernel choose one
    #[arg(short, long, value_name = "NUM", default_value_t = refcached::DEFAULT_PORT)]
    port: u16,

    /// UDP is not offered: 0 is the only number accepted
    #[arg(short = 'U', long, value_name = "NUM", value_parser = clap::value_parser!(u16).range(0..=0), default_value_t = 0, hide_default_value = true)]
    udp_port: u16,

    /// Addresses to listen on: ADDRESS, HOST, ADDRESS:PORT or [IPV6]:PORT [default: all of the machine]
    #[arg(short, long, value_name = "ADDR[,ADDR]", value_delimiter = ',', action = ArgAction::Append)]
    listen: Vec<String>,

    /// Listen on this Unix socket, and not on TCP
    #[arg(short = 's', long, value_name = "FILE", conflicts_with = "listen")]
    unix_socket: Option<PathBuf>,

    /// Permissions of the Unix socket, in octal
    #[arg(short = 'a', long, value_name = "MASK", default_value = "700", value_parser = octal_mode)]
    unix_mask: u32,

    /// Enable the shutdown command
    #[arg(short = 'A', long)]
    enable_shutdown: bool,

    /// Refuse the watch command
    #[arg(short = 'W', long)]
    disable_watch: bool,

    /// When run as root, become this user before listening
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,

    /// Memory for items, in megabytes
    #[arg(short, long, value_name = "NUM", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=MEMORY_MB_MAX))]
    memory_limit: u64,

    /// Largest item, in bytes, or with k or m behind it; 1k to 1024m, and at most half of the memory
    #[arg(short = 'I', long, value_name = "SIZE", default_value = "1m", value_parser = item_size)]
    max_item_size: u64,

    /// Connections at a time
    #[arg(short, long, value_name = "NUM", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    conn_limit: u32,

    /// Worker threads
    #[arg(short, long, value_name = "NUM", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// Connections that the kernel keeps waiting
    #[arg(short = 'b', long, value_name = "NUM", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    listen_backlog: u32,

    /// Close connections on which nothing moved for this many seconds [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=SECONDS_MAX))]
    idle_timeout: Option<u64>,

    /// When stopped, wait this many seconds for commands in hand
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=SECONDS_MAX))]
    stop_grace: u64,

    /// memcached's extended options; known are idle_timeout=SECONDS and those that change nothing here: maxconns_fast, modern, no_modern
    #[arg(short = 'o', long, value_name = "OPTION[,OPTION]", value_delimiter = ',', action = ArgAction::Append, value_parser = extended)]
    extended: Vec<Extended>,

    #[command(flatten)]
    datasets: DatasetFlags,

    #[command(flatten)]
    control: ControlFlags,

    /// Log more; give it twice for more still. RUST_LOG, when set, decides alone
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

const MEMORY_MB_MAX: u64 = 1 << 40;
const SECONDS_MAX: u64 = 1 << 32;

impl Order {
    /// Reads a command line, program name included.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Order, BadFlags> {
        let matches = match Flags::command().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Ok(Order::Print(error.to_string()));
            }
            Err(error) => return Err(BadFlags::from(error)),
        };
        let flags = Flags::from_arg_matches(&matches)?;
        Ok(Order::Serve(Box::new(flags.settings()?)))
    }
}

impl Flags {
    fn settings(self) -> Result<Settings, BadFlags> {
        let memory_bytes = self.memory_limit << 20;
        if self.max_item_size > memory_bytes / 2 {
            return Err(BadFlags::new(
                "-I may be at most half of the memory given with -m: lower -I or raise -m",
            ));
        }
        let listen = self.listen_on()?;
        let control = self.control.settings(self.datasets.has_data_directory())?;
        let extended_idle_s = self.extended.iter().rev().find_map(|option| match option {
            Extended::IdleTimeout(seconds) => Some(*seconds),
            Extended::Ineffective => None,
        });
        let idle_s = self.idle_timeout.or(extended_idle_s).unwrap_or(0);
        Ok(Settings {
            config: Config {
                listen,
                backlog: self.listen_backlog,
                memory_bytes,
                item_bytes_max: self.max_item_size,
                connections_max: self.conn_limit as usize,
                threads: usize::from(self.threads),
                idle_timeout: (idle_s > 0).then(|| Duration::from_secs(idle_s)),
                stop_grace: Duration::from_secs(self.stop_grace),
                shutdown_command: self.enable_shutdown,
                watch_command: !self.disable_watch,
                ..self.datasets.config()
            },
            verbosity: self.verbose,
            user: self.user,
            control,
        })
    }

    fn listen_on(&self) -> Result<Listen, BadFlags> {
        if let Some(path) = &self.unix_socket {
            return Ok(Listen::Unix {
                path: path.clone(),
                mode: self.unix_mask,
            });
        }
        if self.listen.is_empty() {
            return Ok(Listen::Tcp(ListenAddress::everywhere(self.port)));
        }
        let parse = |text: &String| ListenAddress::parse(text, self.port);
        let addresses: Result<_, BadListenAddress> = self.listen.iter().map(parse).collect();
        addresses
            .map(Listen::Tcp)
            .map_err(|error| BadFlags::new(error.to_string()))
    }
}

/// One of `-o`'s options.
#[derive(Clone, Copy, Debug)]
enum Extended {
    IdleTimeout(u64),
    /// Says what is so anyway, or tunes what only memcached has.
    Ineffective,
}

fn extended(text: &str) -> Result<Extended, String> {
    match text.split_once('=').unwrap_or((text, "")) {
        ("idle_timeout", seconds) => match seconds.parse() {
            Ok(seconds) if seconds <= SECONDS_MAX => Ok(Extended::IdleTimeout(seconds)),
            _ => Err("idle_timeout takes a number of seconds".to_owned()),
        },
        ("maxconns_fast" | "modern" | "no_modern", "") => Ok(Extended::Ineffective),
        _ => Err("no such option here".to_owned()),
    }
}

fn octal_mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err("not an octal number from 0 to 777".to_owned()),
    }
}

/// Reads a number of bytes with `k`, `m` or `g` behind it, or nothing.
fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn item_size(text: &str) -> Result<u64, String> {
    match size(text) {
        Some(bytes) if (1 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("not a size from 1k to 1024m".to_owned()),
    }
}

impl BadFlags {
    fn new(message: impl Into<String>) -> Self {
        BadFlags {
            message: message.into(),
        }
    }
}

/// Clap explains in paragraphs; a line in a log has room for the fault and the one thing that was meant, most likely.
impl From<clap::Error> for BadFlags {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let fault = text.lines().next().unwrap_or_default();
        let fault = fault.strip_prefix("error: ").unwrap_or(fault).trim_end();
        let meant = match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(meant)) => format!(" (did you mean {meant}?)"),
            _ => String::new(),
        };
        let possible = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(possible)) => format!(": choose one of {}", possible.join(", ")),
            _ => String::new(),
        };
        BadFlags::new(format!("{fault}{meant}{possible}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Order, BadFlags> {
        Order::parse(
            ["refcached"]
                .into_iter()
                .chain(line.split_whitespace())
                .map(OsString::from),
        )
    }

    fn settings(line: &str) -> Settings {
        match parse(line) {
            Ok(Order::Serve(settings)) => *settings,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn fault(line: &str) -> String {
        parse(line).expect_err(line).to_string()
    }

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn no_flags_are_the_defaults_of_the_library() {
        let settings = settings("");
        assert_eq!(settings.config, Config::default());
        assert_eq!((settings.verbosity, settings.user), (0, None));
    }

    #[test]
    fn short_and_long_flags_of_memcached_mean_the_same() {
        let short = settings("-p 1 -l ::1,127.0.0.1:2 -m 100 -I 2m -c 5 -t 3 -b 7 -A -vv -U 0 -u me");
        let long = settings(
            "--port 1 --listen=::1 --listen 127.0.0.1:2 --memory-limit=100 --max-item-size 2048k --conn-limit=5 \
             --threads 3 --listen-backlog 7 --enable-shutdown --verbose --verbose --udp-port=0 --user me",
        );
        assert_eq!(short.config, long.config);
        assert_eq!((short.verbosity, short.user), (long.verbosity, long.user));
        assert_eq!(short.config.memory_bytes, 100 << 20);
        assert_eq!(short.config.item_bytes_max, 2 << 20);
        assert_eq!(short.config.connections_max, 5);
        let Listen::Tcp(addresses) = short.config.listen else {
            panic!("not TCP");
        };
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["[::1]:1", "127.0.0.1:2"]);
    }

    #[test]
    fn a_unix_socket_turns_tcp_off() {
        let config = settings("-s /run/x.sock -a 0770 -p 1").config;
        let path = PathBuf::from("/run/x.sock");
        assert_eq!(config.listen, Listen::Unix { path, mode: 0o770 });
    }

    #[test]
    fn the_idle_timeout_has_a_flag_and_memcacheds_option() {
        let seven = Some(Duration::from_secs(7));
        assert_eq!(settings("--idle-timeout 7").config.idle_timeout, seven);
        assert_eq!(settings("-o modern,idle_timeout=7").config.idle_timeout, seven);
        assert_eq!(settings("-o idle_timeout=0").config.idle_timeout, None);
        assert_eq!(
            settings("-o idle_timeout=9 --idle-timeout 7").config.idle_timeout,
            seven
        );
    }

    #[test]
    fn every_fault_is_one_line_that_names_the_flag() {
        for (line, words) in [
            ("-Q", "'-Q'"),
            ("--prot 1", "did you mean --port?"),
            ("-p", "--port"),
            ("-p 65536", "65536"),
            ("-p x", "--port"),
            ("-U 11211", "--udp-port"),
            ("-l nonsense:x", "\"nonsense:x\""),
            ("-l 1.2.3.4,", "no address"),
            ("-m 0", "--memory-limit"),
            ("-I 10", "1k to 1024m"),
            ("-I 2000m -m 9999", "1k to 1024m"),
            ("-I 2m -m 3", "half of the memory"),
            ("-t 0", "--threads"),
            ("-c 0", "--conn-limit"),
            ("-a 888", "octal"),
            ("-o nothing", "'nothing'"),
            ("-o idle_timeout=x", "seconds"),
            ("-s a -l 127.0.0.1", "--unix-socket"),
            ("--backend paper", "choose one of memory, redb"),
            ("--durability some", "immediate or none"),
            ("--swap-policy never", "command or connection"),
            ("--cache-size 10k", "1m at least"),
            ("word", "'word'"),
        ] {
            let fault = fault(line);
            assert!(fault.contains(words), "{line}: {fault}");
            assert!(fault.ends_with("; see refcached --help"), "{line}: {fault}");
            assert_eq!(fault.lines().count(), 1, "{line}: {fault}");
        }
    }

    #[test]
    fn help_and_version_are_printed() {
        for (line, words) in [("--help", "--max-item-size"), ("-h", "-I"), ("-V", "refcached ")] {
            let Ok(Order::Print(text)) = parse(line) else {
                panic!("{line}");
            };
            assert!(text.contains(words), "{line}: {text}");
        }
    }
}
