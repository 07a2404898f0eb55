//! Where the file is.

use std::fmt::{Debug, Display, Formatter, Result as FmtResult};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ::redb::{Builder, Database, DatabaseError};

use super::fault::Fault;
use super::tables;

/// Where a store's file is: how redb opens it, again and again. `Display` names it in messages.
///
/// A file system in production; in a test whatever fails the way the test wants, over a
/// [`::redb::StorageBackend`].
pub trait Disk: Debug + Display + Send + Sync + 'static {
    /// Opens the database, which is made if there is none. The database that was opened before is closed by then.
    ///
    /// # Errors
    /// Whatever the disk reports.
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError>;
}

/// A file.
#[derive(Debug)]
pub(super) struct FileDisk {
    path: PathBuf,
}

impl FileDisk {
    pub(super) fn new(path: &Path) -> FileDisk {
        FileDisk { path: path.to_owned() }
    }
}

impl Display for FileDisk {
    fn fmt(&self, f: &mut Formatter<'_>) -> FmtResult {
        Display::fmt(&self.path.display(), f)
    }
}

impl Disk for FileDisk {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        if !self.path.try_exists()? {
            create(&self.path, builder)?;
        }
        builder.open(&self.path)
    }
}

/// Creates the file beside its place and links it there when it is whole: a crash on the way leaves nothing in its place.
/// Of two processes that do this at once one is refused, or finds the other's.
fn create(path: &Path, builder: &Builder) -> Result<(), DatabaseError> {
    let unfinished = with_suffix(path, ".new");
    let database = match builder.create(&unfinished) {
        Err(DatabaseError::Storage(_)) if unfinished.exists() => {
            // Nobody has it open: a crash left it before it was a database.
            fs::remove_file(&unfinished)?;
            builder.create(&unfinished)?
        }
        created => created?,
    };
    tables::admit(&database).map_err(|fault| match fault {
        Fault::Redb(::redb::Error::Io(error)) => DatabaseError::from(error),
        other => io::Error::other(other.into_failure("making the tables")).into(),
    })?;
    database.close()?;
    let linked = fs::hard_link(&unfinished, path);
    if !path.exists() {
        linked?;
    }
    remove_if_there(&unfinished)?;
    sync_directory_of(path)?;
    Ok(())
}

/// A path beside `path`: its name with a suffix.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a file's entry in its directory durable.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
