//! A file that appears whole under its name, or not at all.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::TransferError;

/// A file beside the place that it is made for. Dropped before [`Placed::put`], it is gone; a process that is killed leaves it
/// behind, under a name that ends on `.part`.
pub(super) struct Placed<'p> {
    path: &'p Path,
    replace: bool,
    file: NamedTempFile,
}

impl<'p> Placed<'p> {
    /// Begins a file that is to be at `path`; if there is one, that is an error unless it may be replaced.
    pub(super) fn begin(path: &'p Path, replace: bool) -> Result<Placed<'p>, TransferError> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(TransferError::Exists(path.to_owned()));
        }
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".part")
            // What any new file gets: the umask takes its share.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory_of(path));
        let file = file.map_err(TransferError::io("create a file beside", path))?;
        Ok(Placed { path, replace, file })
    }

    /// Opens the file, for reading and writing.
    pub(super) fn open(&self) -> Result<File, TransferError> {
        self.file.reopen().map_err(TransferError::io("write", self.path))
    }

    /// Brings the file to the disk and gives it its name.
    pub(super) fn put(self) -> Result<(), TransferError> {
        let Placed { path, replace, file } = self;
        file.as_file().sync_all().map_err(TransferError::io("write", path))?;
        let named = if replace {
            file.persist(path)
        } else {
            file.persist_noclobber(path)
        };
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => TransferError::Exists(path.to_owned()),
            _ => TransferError::io("create", path)(error.error),
        })?;
        let synced = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
        synced.map_err(TransferError::io("create", path))
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
