//! Where dataset files lie: the seam between the backends and a disk.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use nix::fcntl::OFlag;
use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::administration::SwitchError;
use crate::backend::FileIdentity;

/// A directory of dataset files. Everything it does may block.
pub trait Files: Send + Sync + 'static {
    /// One of them.
    type File: DataFile;

    /// Opens the file `name`, a path relative to the directory.
    ///
    /// # Errors
    /// When `name` is bad or leads out of the directory, when there is no such file, or when it may not be opened so.
    fn find(&self, name: &str, access: FileAccess) -> Result<Self::File, SwitchError>;
}

/// A file that is open. What becomes of its name does not matter any more.
pub trait DataFile: Send + Sync + 'static {
    /// Its bytes.
    type Storage: StorageBackend;

    /// Which file it is.
    fn identity(&self) -> FileIdentity;

    /// Its bytes. Asked for again only after what it gave before has been dropped.
    ///
    /// # Errors
    /// When the system has no room for another open file.
    fn storage(&self) -> io::Result<Self::Storage>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// To be read.
    Read,
    /// To be read and written.
    Write,
    /// The same; it is made if it is not there.
    Create,
}

/// A directory on a disk of this machine, none of whose files is reached by a way that leads out of it: no step of a name is
/// looked up but within the directory, whatever is renamed or linked meanwhile.
#[derive(Debug)]
pub struct DiskFiles {
    directory: Dir,
}

impl DiskFiles {
    /// Holds on to the directory `path`.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> io::Result<DiskFiles> {
        let directory = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(DiskFiles { directory })
    }
}

impl Files for DiskFiles {
    type File = DiskFile;

    fn find(&self, name: &str, access: FileAccess) -> Result<DiskFile, SwitchError> {
        let path = relative(name)?;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(access != FileAccess::Read)
            .create(access == FileAccess::Create)
            // A pipe without a writer would be waited for.
            .custom_flags(OFlag::O_NONBLOCK.bits());
        let open = || {
            let file = self.directory.open_with(&path, &options)?.into_std();
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|error| explained(&error, name))?;
        if !metadata.is_file() {
            return Err(bad(name, "it is a directory, a device or the like"));
        }
        let identity = FileIdentity {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        Ok(DiskFile { file, identity })
    }
}

/// `name` as a path without a way out.
fn relative(name: &str) -> Result<PathBuf, SwitchError> {
    if name.is_empty() {
        return Err(bad(name, "it is empty"));
    }
    if name.contains('\0') {
        return Err(bad(name, "there is a NUL in it"));
    }
    let path = Path::new(name);
    for component in path.components() {
        match component {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(SwitchError::Outside { name: name.to_owned() });
            }
        }
    }
    Ok(path.to_owned())
}

fn bad(name: &str, reason: &'static str) -> SwitchError {
    SwitchError::BadName {
        name: name.to_owned(),
        reason,
    }
}

fn explained(error: &io::Error, name: &str) -> SwitchError {
    let name = name.to_owned();
    let cause = error.to_string();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SwitchError::NotFound { name },
        io::ErrorKind::IsADirectory => bad(&name, "it is a directory"),
        io::ErrorKind::InvalidFilename => bad(&name, "it is too long"),
        // The system did not say so: the way led out of the directory.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => SwitchError::Outside { name },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => SwitchError::Forbidden { name, cause },
        _ => SwitchError::Io { name, cause },
    }
}

/// A file on a disk of this machine.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    identity: FileIdentity,
}

impl DataFile for DiskFile {
    type Storage = FileBackend;

    fn identity(&self) -> FileIdentity {
        self.identity
    }

    fn storage(&self) -> io::Result<FileBackend> {
        // The same open file, so that its locks are those of whoever has it now.
        let file = File::from(self.file.as_fd().try_clone_to_owned()?);
        FileBackend::new(file).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(files: &DiskFiles, name: &str) -> String {
        match files.find(name, FileAccess::Read) {
            Ok(file) => format!("file of {} bytes", file.storage().unwrap().len().unwrap()),
            Err(SwitchError::Outside { .. }) => "outside".to_owned(),
            Err(SwitchError::NotFound { .. }) => "not found".to_owned(),
            Err(SwitchError::BadName { reason, .. }) => reason.to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_name_leads_to_a_file_within_the_directory_or_nowhere() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "12345").unwrap();
        let inside = tempfile::tempdir().unwrap();
        let root = inside.path();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "123").unwrap();
        symlink("sub/file", root.join("link-within")).unwrap();
        symlink(outside.path().join("secret"), root.join("link-out")).unwrap();
        symlink(outside.path(), root.join("dir-out")).unwrap();
        symlink(root.join("sub/file"), root.join("absolute-link-within")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let climbing = format!("../{}/secret", outside.path().file_name().unwrap().display());
        symlink(&climbing, root.join("climbing-link")).unwrap();
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();

        let files = DiskFiles::open(root).unwrap();
        let secret = outside.path().join("secret");
        for (name, expected) in [
            ("sub/file", "file of 3 bytes"),
            ("./sub//file", "file of 3 bytes"),
            ("link-within", "file of 3 bytes"),
            ("link-out", "outside"),
            ("dir-out/secret", "outside"),
            ("climbing-link", "outside"),
            ("absolute-link-within", "outside"),
            (&climbing, "outside"),
            ("sub/../sub/file", "outside"),
            ("..", "outside"),
            (secret.to_str().unwrap(), "outside"),
            ("missing", "not found"),
            ("sub/file/x", "not found"),
            ("", "it is empty"),
            ("sub\0/file", "there is a NUL in it"),
            ("sub", "it is a directory, a device or the like"),
            ("pipe", "it is a directory, a device or the like"),
        ] {
            assert_eq!(found(&files, name), expected, "{name:?}");
        }
        assert!(found(&files, "loop").contains("cannot be loaded"));
        assert_eq!(found(&files, &"x".repeat(300)), "it is too long");
    }

    #[test]
    fn two_names_of_one_file_have_one_identity() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), "").unwrap();
        fs::hard_link(directory.path().join("a"), directory.path().join("b")).unwrap();
        fs::write(directory.path().join("c"), "").unwrap();
        let files = DiskFiles::open(directory.path()).unwrap();
        let identity = |name| files.find(name, FileAccess::Read).unwrap().identity();
        assert_eq!(identity("a"), identity("b"));
        assert_ne!(identity("a"), identity("c"));
    }
}
