//! The target file of a server: how it starts, what it offers, what it is known to do otherwise.
//!
//! `conformance/targets/README.md` is the reference of the format.

mod file;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::expect::Expectations;
use crate::play::Address;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../targets");

/// What is known of one server.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What reports call it.
    pub name: String,
    /// The file, as a message names it.
    pub file: String,
    /// The file's text; `bless` edits it.
    pub text: String,
    /// How it starts; a file of expectations alone says nothing of that.
    pub start: Option<Start>,
    /// How many cases may run on it at once, if there is a limit.
    pub jobs: Option<u16>,
    /// Whether two instances of it cannot run at the same time.
    pub one_instance: bool,
    /// What it is expected to do otherwise.
    pub expectations: Expectations,
}

/// How a server starts, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It runs there.
    Server(Address),
    /// It is the reference server that `mcspec` holds.
    BuiltIn,
    /// A container of this image; `{tag}` in its name stands for the tag that the user asks for, or for `tag`.
    Image {
        /// The image.
        image: String,
        /// What stands for `{tag}`.
        tag: Option<String>,
    },
    /// Processes of a directory of their own, started in this order.
    Processes {
        /// Written before the first process starts.
        files: Vec<StartFile>,
        /// The command lines; the last one is the server.
        commands: Vec<String>,
        /// How one comes by the programs, for the message that one is missing.
        obtain: Option<String>,
    },
}

/// A file that a server needs to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFile {
    /// Its name within the directory `{dir}`.
    pub name: String,
    /// Its text, with placeholders.
    pub text: String,
}

/// A target file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There is neither a known target nor a file of this name.
    #[error("there is no target `{name}`; known are {known}; a file is named with its `.toml`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The known ones.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read the target file {file}: {cause}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// The file does not follow the format.
    #[error("{file}:{line}: {cause}")]
    Format {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
}

impl Profile {
    /// The target of this name: a known one, with `:TAG` behind it if its image has tags, or the path of a file.
    ///
    /// # Errors
    /// There is none, or it does not follow the format.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        if names_a_file(name) {
            return Self::from_file(Path::new(name));
        }
        let (base, tag) = match name.split_once(':') {
            Some((base, tag)) => (base, Some(tag)),
            None => (name, None),
        };
        let unknown = || ProfileError::Unknown {
            name: name.to_owned(),
            known: Self::built_in_names().collect::<Vec<_>>().join(", "),
        };
        let text = BUILT_IN
            .get_file(format!("{base}.toml"))
            .and_then(|file| file.contents_utf8());
        let mut profile = Self::from_toml(&format!("conformance/targets/{base}.toml"), text.ok_or_else(unknown)?)?;
        if let Some(asked) = tag {
            match &mut profile.start {
                Some(Start::Image { tag: Some(tag), .. }) => asked.clone_into(tag),
                _ => return Err(unknown()),
            }
            profile.name = name.to_owned();
        }
        Ok(profile)
    }

    /// Reads a target file.
    ///
    /// # Errors
    /// It cannot be read, or does not follow the format.
    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|cause| ProfileError::Read {
            file: file.clone(),
            cause: cause.to_string(),
        })?;
        Self::from_toml(&file, &text)
    }

    /// Reads the text of a target file; its name is what stands before `.toml` unless it gives one.
    ///
    /// # Errors
    /// What does not follow the format, and on which line.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ProfileError> {
        file::read(file, text)
    }

    /// The names of the known targets, in order.
    pub fn built_in_names() -> impl Iterator<Item = String> {
        let mut names: Vec<String> = BUILT_IN
            .files()
            .filter(|file| file.path().extension().is_some_and(|extension| extension == "toml"))
            .filter_map(|file| file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        names.into_iter()
    }
}

/// Whether a target's name is meant as the path of a file.
pub fn names_a_file(name: &str) -> bool {
    name.contains('/')
        || PathBuf::from(name)
            .extension()
            .is_some_and(|extension| extension == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_target_can_be_read_and_says_how_it_starts() {
        let names: Vec<String> = Profile::built_in_names().collect();
        assert!(names.contains(&"memcached".to_owned()), "{names:?}");
        for name in names {
            let profile = Profile::named(&name).unwrap();
            assert_eq!(profile.name, name);
            assert!(profile.start.is_some(), "{name} does not say how it starts");
            for deviation in &profile.expectations.deviations {
                assert!(
                    deviation.reason.is_some(),
                    "{}:{}: no reason",
                    profile.file,
                    deviation.line
                );
            }
        }
    }

    #[test]
    fn a_tag_stands_for_the_release_of_an_image() {
        let started = |name: &str| Profile::named(name).map(|profile| (profile.name, profile.start));
        let (name, start) = started("memcached:1.6.9").unwrap();
        assert_eq!(name, "memcached:1.6.9");
        let Some(Start::Image { image, tag }) = start else {
            panic!("{start:?}")
        };
        assert_eq!((image.as_str(), tag.as_deref()), ("memcached:{tag}", Some("1.6.9")));
        assert!(matches!(started("refcached:1"), Err(ProfileError::Unknown { .. })));
        assert!(matches!(started("none"), Err(ProfileError::Unknown { .. })));
        assert!(matches!(started("./none.toml"), Err(ProfileError::Read { .. })));
    }
}
