//! A copy of the store while it is in use.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use ::redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction};

use super::check::check;
use super::disk::{remove_if_there, sync_directory_of, with_suffix};
use super::fault::Fault;
use super::tables::{EachTable, each_table};
use super::{Store, builder};
use crate::error::{Error, StorageFailure};
use crate::service::Census;

/// Makes the copy beside its place and checks it before it gets its name.
pub(super) fn backup(store: &Store, to: &Path) -> Result<Census, Error> {
    let what = format!("writing the backup {}", to.display());
    if fs::symlink_metadata(to).is_ok() {
        return Err(StorageFailure::new(what, "there is a file already", "name a new one").into());
    }
    let unfinished = with_suffix(to, ".partial");
    let finished = copy(store, &what, &unfinished).and_then(|()| {
        let census = check(&unfinished)?;
        put_in_place(&unfinished, to).map_err(|error| Fault::from(error).into_error(&what))?;
        Ok(census)
    });
    if finished.is_err() {
        // What is left of a failed copy is of no use; if it stays, the next backup replaces it.
        let _ = remove_if_there(&unfinished);
    }
    finished
}

fn copy(store: &Store, what: &str, to: &Path) -> Result<(), Error> {
    store.read(what, |source| {
        remove_if_there(to)?;
        let database = builder().create(to)?;
        let transaction = database.begin_write()?;
        each_table(&mut Copy {
            source,
            target: &transaction,
        })?;
        transaction.commit()?;
        database.close()?;
        Ok(())
    })
}

/// Links the file to its name, which fails if another has come to be there.
fn put_in_place(unfinished: &Path, to: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::hard_link(unfinished, to)?;
    fs::remove_file(unfinished)?;
    sync_directory_of(to)
}

/// Copies a table row by row.
struct Copy<'t> {
    source: &'t ReadTransaction,
    target: &'t WriteTransaction,
}

impl EachTable for Copy<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), Fault> {
        let mut target = self.target.open_table(definition)?;
        for row in self.source.open_table(definition)?.iter()? {
            let (key, value) = row?;
            target.insert(key.value(), value.value())?;
        }
        Ok(())
    }
}
