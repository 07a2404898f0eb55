//! Users in the store, known by the hashes of their tokens.

use std::fmt::Write;
use std::path::Path;

use ::redb::ReadableTable;
use sha2::{Digest, Sha256};

use super::Store;
use super::backup::backup;
use super::fault::Fault;
use super::tables::{TOKENS, TokenHash, USER_IDS, USER_NAMES, USERS, next_id};
use crate::codec::{Kept, decode_user, encode_user};
use crate::dial::Name;
use crate::error::{Error, StorageFailure};
use crate::service::{Administration, Authenticator, Census};
use crate::user::{Token, User, UserId};

/// What a token begins with, so that one that has got about is recognised for what it is.
const TOKEN_PREFIX: &str = "wtfdial_";

/// Random bytes in a token. There is nothing to guess, so that a plain hash of it is as good as a slow one.
const TOKEN_RANDOM_BYTES: usize = 32;

impl Administration for Store {
    fn add_user(&self, name: &Name) -> Result<(User, Token), Error> {
        let token = random_token()?;
        let user = self.write("adding a user", |transaction| {
            let mut names = transaction.open_table(USER_NAMES)?;
            if names.get(name.as_str())?.is_some() {
                return Err(Error::UserExists(name.clone()).into());
            }
            let user = User {
                id: UserId(next_id(transaction, USER_IDS)?),
                name: name.clone(),
            };
            let key = user.id.0.to_be_bytes();
            names.insert(name.as_str(), key)?;
            transaction.open_table(TOKENS)?.insert(hash(&token), key)?;
            let record = Kept::from(user);
            transaction
                .open_table(USERS)?
                .insert(key, encode_user(&record).as_slice())?;
            Ok(record.value)
        })?;
        Ok((user, token))
    }

    fn backup(&self, to: &Path) -> Result<Census, Error> {
        backup(self, to)
    }
}

impl Authenticator for Store {
    fn authenticate(&self, token: &Token) -> Result<User, Error> {
        self.read("reading a user", |transaction| {
            let tokens = transaction.open_table(TOKENS)?;
            let Some(key) = tokens.get(hash(token))? else {
                return Err(Error::Unauthenticated.into());
            };
            let id = UserId(u64::from_be_bytes(key.value()));
            match transaction.open_table(USERS)?.get(key.value())? {
                Some(record) => stored_user(id, record.value()),
                None => Err(Fault::Damaged(format!(
                    "there is a token of user {id}, and no such user"
                ))),
            }
        })
    }
}

/// The user of a record that was found under an id.
pub(super) fn stored_user(id: UserId, record: &[u8]) -> Result<User, Fault> {
    let user = decode_user(record)
        .map_err(|error| Fault::Damaged(format!("user {id}: {error}")))?
        .value;
    if user.id != id {
        return Err(Fault::Damaged(format!("user {id}: its record is of user {}", user.id)));
    }
    Ok(user)
}

fn hash(token: &Token) -> TokenHash {
    Sha256::digest(token.reveal()).into()
}

fn random_token() -> Result<Token, Error> {
    let no_token = |cause: String| StorageFailure::new("making a token", cause, "try again");
    let mut random = [0; TOKEN_RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| no_token(error.to_string()))?;
    let mut text = TOKEN_PREFIX.to_owned();
    for byte in random {
        write!(text, "{byte:02x}").map_err(|error| no_token(error.to_string()))?;
    }
    Ok(Token::new(text).map_err(|error| no_token(error.to_string()))?)
}
