//! Who may ask: whoever has the token, if there is one, and no page of a browser.

use std::env::{self, VarError};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::App;
use super::problem::{Kind, Problem};

/// The variable of the environment that may hold the token.
pub const TOKEN_VARIABLE: &str = "REFCACHED_CONTROL_TOKEN";

/// The longest token, in bytes: with the rest of a request's head it must fit what is read of one.
const BYTES_MAX: usize = 1024;

/// The secret that a client of the control API has to bring. It is not shown, and is wiped from memory when dropped.
#[derive(Debug)]
pub struct Token(SecretString);

/// Why there is no token where one was asked for. The token itself is in none of the texts.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the control token from {}: {source}; name a file that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was read cannot stand in a header.
    #[error("the control token in {place} {reason}; write 1 to 1024 printable ASCII characters without spaces")]
    Invalid {
        /// The file or the variable.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Token {
    /// A token of 1 to 1024 visible ASCII characters. `place` is where it comes from, for the error.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters.
    pub fn new(text: &str, place: &str) -> Result<Token, TokenError> {
        let fault = |reason| {
            let place = place.to_owned();
            Err(TokenError::Invalid { place, reason })
        };
        if text.is_empty() {
            return fault("is empty");
        }
        if text.len() > BYTES_MAX {
            return fault("is too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return fault("has characters that a header cannot carry");
        }
        Ok(Token(SecretString::from(text)))
    }

    /// Reads the token from a file; white space around it does not count.
    ///
    /// # Errors
    /// The file cannot be read, or what is in it is no token.
    pub fn from_file(path: &Path) -> Result<Token, TokenError> {
        let text = fs::read_to_string(path).map_err(|source| TokenError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = Zeroizing::new(text);
        Token::new(text.trim_ascii(), &path.display().to_string())
    }

    /// Reads the token from [`TOKEN_VARIABLE`]; none if it is not set.
    ///
    /// # Errors
    /// It is set and is no token. An empty one is refused as well: it would leave the API open to all, unnoticed.
    pub fn from_environment() -> Result<Option<Token>, TokenError> {
        match env::var(TOKEN_VARIABLE) {
            Ok(text) => Token::new(&Zeroizing::new(text), TOKEN_VARIABLE).map(Some),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(TokenError::Invalid {
                place: TOKEN_VARIABLE.to_owned(),
                reason: "has characters that a header cannot carry",
            }),
        }
    }

    /// Compares in a time that tells nothing about the token but its length.
    fn matches(&self, brought: &[u8]) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(brought).into()
    }
}

/// Lets through what may be asked.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn admit(app: &App, request: &Request) -> Result<(), Problem> {
    // A browser lets any page send a form to this machine, and says so in this header. No page has business here.
    if request.headers().contains_key(ORIGIN) {
        return Err(Problem::new(
            Kind::FromAPage,
            "send the request with a program other than a browser, without the header `Origin`",
        ));
    }
    let path = request.uri().path();
    match &app.token {
        // Probes have no token, and learn nothing but whether the server serves.
        Some(token) if path != "/healthz" && !path.starts_with("/problems/") => authenticate(token, request.headers()),
        _ => Ok(()),
    }
}

fn authenticate(token: &Token, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::new(Kind::Unauthenticated, detail));
    let Some(credentials) = headers.get(AUTHORIZATION) else {
        return refused("send `Authorization: Bearer TOKEN` with the token that the server was started with");
    };
    // RFC 9110, section 11.4: the name of the scheme in any case, spaces, the credentials.
    let credentials = credentials.as_bytes();
    let scheme_end = credentials.iter().position(|&byte| byte == b' ');
    let (scheme, rest) = credentials.split_at(scheme_end.unwrap_or(credentials.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return refused("only the scheme `Bearer` is known");
    }
    if !token.matches(rest.trim_ascii()) {
        return refused("this is not the token that the server was started with");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_without_what_is_around_it_and_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), " s3cret\n").unwrap();
        let token = Token::from_file(file.path()).unwrap();
        assert!(token.matches(b"s3cret"));
        for other in [&b"s3cre"[..], b"s3crets", b"S3cret", b"s3creT", b""] {
            assert!(!token.matches(other));
        }
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_told() {
        for (text, reason) in [
            ("", "is empty"),
            ("two words", "characters"),
            ("t\u{f6}ken", "characters"),
            (&"x".repeat(1025), "too long"),
        ] {
            let fault = Token::new(text, "FILE").unwrap_err().to_string();
            assert!(fault.contains(reason) && fault.contains("FILE"), "{fault}");
            assert!(text.is_empty() || !fault.contains(text), "{fault}");
        }
        assert!(Token::new(&"x".repeat(1024), "FILE").is_ok());
        let fault = Token::from_file(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(
            fault.contains("/nowhere/token") && fault.contains("No such file"),
            "{fault}"
        );
    }
}
