//! The flags of the control API.

use std::path::PathBuf;

use clap::Args;
use refcached::ListenAddress;
use refcached::control::{DEFAULT_PORT, Token, TokenError};

use super::BadFlags;

/// The part of the help on these flags.
const HEADING: &str = "Control API";

/// Where the control API is, and who may ask.
#[derive(Debug, Args)]
pub(super) struct ControlFlags {
    /// Serve the control API there, ADDRESS, ADDRESS:PORT or :PORT of 127.0.0.1, or not at all: off [default: 127.0.0.1:8080 with --data-dir, else off]
    #[arg(long, value_name = "ADDR", help_heading = HEADING)]
    control: Option<String>,

    /// Answer only who brings the token in this file; the variable REFCACHED_CONTROL_TOKEN may hold the token itself
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    control_token_file: Option<PathBuf>,
}

/// A control API that is wanted.
#[derive(Debug)]
pub(crate) struct ControlSettings {
    pub(crate) address: ListenAddress,
    pub(crate) token: Option<Token>,
}

impl ControlFlags {
    /// What is wanted; nothing, if there is to be no control API.
    ///
    /// Without a word about it there is one where there are datasets to switch between. A cache without a data directory has
    /// nothing to switch; for it to take a port that half of all machines use already, and to fail where that is so, would be
    /// of no use to anybody. Where it is on and its port is taken the server does not start: a switch that is sent to another
    /// program's port twice a day is worse.
    pub(super) fn settings(&self, has_data_directory: bool) -> Result<Option<ControlSettings>, BadFlags> {
        let local = |port: u16| format!("127.0.0.1:{port}");
        let text = match self.control.as_deref() {
            Some("off") => return Ok(None),
            None if !has_data_directory => return Ok(None),
            None => local(DEFAULT_PORT),
            Some(text) => match text.strip_prefix(':').map(str::parse) {
                Some(Ok(port)) => local(port),
                _ => text.to_owned(),
            },
        };
        let address = ListenAddress::parse(&text, DEFAULT_PORT)
            .map_err(|error| BadFlags::new(format!("--control: {error}, or off")))?;
        let token = self.token().map_err(|error| BadFlags::new(error.to_string()))?;
        Ok(Some(ControlSettings { address, token }))
    }

    /// The file goes before the variable: what stands on the command line was meant for this server.
    fn token(&self) -> Result<Option<Token>, TokenError> {
        match &self.control_token_file {
            Some(path) => Token::from_file(path).map(Some),
            None => Token::from_environment(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(control: Option<&str>, has_data_directory: bool) -> Result<Option<String>, String> {
        let flags = ControlFlags {
            control: control.map(str::to_owned),
            control_token_file: None,
        };
        match flags.settings(has_data_directory) {
            Ok(settings) => Ok(settings.map(|settings| settings.address.to_string())),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_api_is_there_when_it_is_asked_for_or_has_something_to_switch() {
        assert_eq!(address(None, false), Ok(None));
        assert_eq!(address(None, true), Ok(Some("127.0.0.1:8080".to_owned())));
        for with_data in [false, true] {
            assert_eq!(address(Some("off"), with_data), Ok(None));
            for (given, expected) in [
                (":0", "127.0.0.1:0"),
                ("::1", "[::1]:8080"),
                ("0.0.0.0", "0.0.0.0:8080"),
                ("localhost:9", "localhost:9"),
            ] {
                assert_eq!(address(Some(given), with_data), Ok(Some(expected.to_owned())));
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in ["", ":x", "127.0.0.1:99999", "a b"] {
            let fault = address(Some(given), false).unwrap_err();
            assert!(fault.starts_with("--control: cannot listen on"), "{fault}");
        }
    }
}
