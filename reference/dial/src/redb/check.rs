//! Whether a file is sound: every page by its checksum, every record by its rules, every table against the others.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;

use ::redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::builder;
use super::dials::stored_dial;
use super::fault::Fault;
use super::overlay::Overlay;
use super::tables::{self, DIAL_IDS, DIALS, LAST_IDS, TOKENS, USER_IDS, USER_NAMES, USERS};
use super::users::stored_user;
use crate::dial::DialId;
use crate::error::StorageFailure;
use crate::service::Census;
use crate::user::UserId;

/// The name of the thread that a check runs on. redb may panic over a damaged page; the check reports that as damage, and
/// a program's panic hook can keep quiet about this thread.
pub const CHECK_THREAD: &str = "wtfdial-check";

/// Checks a file that no process has open, and counts what is in it. The file is only read: if it was not closed in good
/// order, what redb would repair is repaired in memory, which takes as much of that as there is to repair.
///
/// # Errors
/// The file is damaged, is not this program's, is open in another process, or cannot be read.
pub fn check(path: impl AsRef<Path>) -> Result<Census, StorageFailure> {
    let path = path.as_ref();
    let outcome = thread::scope(|scope| {
        let checker = thread::Builder::new().name(CHECK_THREAD.to_owned());
        let checking = checker.spawn_scoped(scope, || check_file(path))?;
        let panicked = |_| Fault::Damaged("a page of it makes no sense".to_owned());
        checking.join().map_err(panicked)?
    });
    outcome.map_err(|fault| fault.into_failure(&format!("checking {}", path.display())))
}

fn check_file(path: &Path) -> Result<Census, Fault> {
    let file = File::open(path)?;
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(::redb::Error::DatabaseAlreadyOpen.into()),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    if file.metadata()?.len() == 0 {
        return Err(Fault::Damaged("it is empty, and a store never is".to_owned()));
    }
    let overlay = Overlay::new(file)?;
    let database = builder()
        .set_check_integrity_on_open(true)
        .create_with_backend(overlay)?;
    take_census(&database)
}

fn take_census(database: &Database) -> Result<Census, Fault> {
    let transaction = database.begin_read()?;
    tables::recognise(&transaction)?;
    let mut findings = Findings::default();
    let users = check_users(&transaction, &mut findings)?;
    check_dials(&transaction, &users, &mut findings)?;
    findings.into_result()?;
    Ok(Census {
        users: transaction.open_table(USERS)?.len()?,
        dials: transaction.open_table(DIALS)?.len()?,
    })
}

/// Checks the three tables of users against one another.
fn check_users(transaction: &ReadTransaction, findings: &mut Findings) -> Result<BTreeSet<UserId>, Fault> {
    let names = transaction.open_table(USER_NAMES)?;
    let last = last_id(transaction, USER_IDS)?;
    let mut users = BTreeSet::new();
    for row in transaction.open_table(USERS)?.iter()? {
        let (key, record) = row?;
        let id = UserId(u64::from_be_bytes(key.value()));
        users.insert(id);
        if id.0 > last {
            findings.add(format!("user {id}: no id above {last} has been given out"));
        }
        let Some(user) = findings.note(stored_user(id, record.value()))? else {
            continue;
        };
        if names.get(user.name.as_str())?.map(|id| id.value()) != Some(key.value()) {
            findings.add(format!("user {id}: not found by its name"));
        }
    }
    if names.len()? != users.len() as u64 {
        findings.add(format!(
            "there are {} names of users and {} users",
            names.len()?,
            users.len()
        ));
    }
    for row in transaction.open_table(TOKENS)?.iter()? {
        let id = UserId(u64::from_be_bytes(row?.1.value()));
        if !users.contains(&id) {
            findings.add(format!("there is a token of user {id}, and no such user"));
        }
    }
    Ok(users)
}

fn check_dials(transaction: &ReadTransaction, users: &BTreeSet<UserId>, findings: &mut Findings) -> Result<(), Fault> {
    let last = last_id(transaction, DIAL_IDS)?;
    for row in transaction.open_table(DIALS)?.iter()? {
        let (key, record) = row?;
        let id = DialId(u64::from_be_bytes(key.value()));
        if id.0 > last {
            findings.add(format!("dial {id}: no id above {last} has been given out"));
        }
        let Some(dial) = findings.note(stored_dial(id, record.value()))? else {
            continue;
        };
        if !users.contains(&dial.value.user_id) {
            findings.add(format!("dial {id}: there is no user {}", dial.value.user_id));
        }
    }
    Ok(())
}

fn last_id(transaction: &ReadTransaction, of: &'static str) -> Result<u64, Fault> {
    Ok(transaction
        .open_table(LAST_IDS)?
        .get(of)?
        .map_or(0, |last| last.value()))
}

/// What is wrong with a file. The first is told in full, the others are counted.
#[derive(Default)]
struct Findings {
    first: Option<String>,
    others: usize,
}

impl Findings {
    fn add(&mut self, finding: String) {
        match self.first {
            None => self.first = Some(finding),
            Some(_) => self.others += 1,
        }
    }

    /// Adds a damage; passes on what else keeps from reading.
    fn note<T>(&mut self, outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Damaged(finding)) => {
                self.add(finding);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn into_result(self) -> Result<(), Fault> {
        match self.first {
            None => Ok(()),
            Some(first) if self.others == 0 => Err(Fault::Damaged(first)),
            Some(first) => Err(Fault::Damaged(format!(
                "{first} (and {} more such findings)",
                self.others
            ))),
        }
    }
}
