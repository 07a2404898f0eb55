//! The suite's files: those that were built in, or a directory of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use super::line::ParseError;
use super::{Case, Topic, parse};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../cases");

/// All cases, by file and by id.
#[derive(Debug, Clone)]
pub struct Library {
    topics: Vec<Topic>,
    /// Id to the places of topic and case.
    index: BTreeMap<String, (usize, usize)>,
}

/// Why the cases cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A file does not follow the format.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A file or directory cannot be read.
    #[error("cannot read {path}: {cause}; --cases takes a directory of .case files")]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A section line differs from the file's path.
    #[error("{file}:1:9: expected `section {expected}`, the file's own path; found `{found}`")]
    Section {
        /// The file.
        file: String,
        /// What its path asks for.
        expected: String,
        /// What it says.
        found: String,
    },
    /// A case rests on one that does not exist, or on itself.
    #[error("{case}: rests on `{on}`, {problem}")]
    RestsOn {
        /// The case that says so.
        case: String,
        /// What it names.
        on: String,
        /// What is wrong with that.
        problem: &'static str,
    },
}

impl Library {
    /// The cases that were built into this program.
    ///
    /// # Errors
    /// A file that does not follow the format: possible only between an edit and its test.
    pub fn built_in() -> Result<Self, LibraryError> {
        let mut files = Vec::new();
        collect_built_in(&BUILT_IN, &mut files);
        Self::from_files(files)
    }

    /// The cases below a directory.
    ///
    /// # Errors
    /// What cannot be read, and the first file that does not follow the format.
    pub fn from_directory(root: &Path) -> Result<Self, LibraryError> {
        let mut files = Vec::new();
        collect_directory(root, root, &mut files)?;
        Self::from_files(files)
    }

    /// The cases of files given as relative path and text.
    ///
    /// # Errors
    /// The first file that does not follow the format, or whose section is not its path; a case that rests on none.
    pub fn from_files(mut files: Vec<(String, String)>) -> Result<Self, LibraryError> {
        files.sort();
        let mut topics = Vec::new();
        for (file, text) in files {
            let topic = parse(&file, &text)?;
            let expected = file.trim_end_matches(".case").to_owned();
            if topic.section != expected {
                return Err(LibraryError::Section {
                    file,
                    expected,
                    found: topic.section,
                });
            }
            topics.push(topic);
        }
        let mut index = BTreeMap::new();
        for (t, topic) in topics.iter().enumerate() {
            for (c, case) in topic.cases.iter().enumerate() {
                index.insert(format!("{}/{}", topic.section, case.name), (t, c));
            }
        }
        let library = Self { topics, index };
        library.check_rests_on()?;
        Ok(library)
    }

    /// The files in order of their sections.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// All cases with their ids and files, in the order of the files.
    pub fn cases(&self) -> impl Iterator<Item = (String, &Topic, &Case)> {
        self.topics.iter().flat_map(|topic| {
            topic
                .cases
                .iter()
                .map(move |case| (format!("{}/{}", topic.section, case.name), topic, case))
        })
    }

    /// The case of this id.
    pub fn case(&self, id: &str) -> Option<(&Topic, &Case)> {
        let &(topic, case) = self.index.get(id)?;
        Some((&self.topics[topic], &self.topics[topic].cases[case]))
    }

    fn check_rests_on(&self) -> Result<(), LibraryError> {
        for (id, _, case) in self.cases() {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = case.rests_on.iter().collect();
            while let Some(on) = open.pop() {
                let problem = match self.case(on) {
                    None => "which does not exist",
                    Some(_) if *on == id => "which leads back to the case itself",
                    Some((_, below)) => {
                        if seen.insert(on) {
                            open.extend(&below.rests_on);
                        }
                        continue;
                    }
                };
                return Err(LibraryError::RestsOn {
                    case: id,
                    on: on.clone(),
                    problem,
                });
            }
        }
        Ok(())
    }
}

fn collect_built_in(directory: &Dir<'_>, files: &mut Vec<(String, String)>) {
    for entry in directory.entries() {
        match entry {
            DirEntry::Dir(inner) => collect_built_in(inner, files),
            DirEntry::File(file) if file.path().extension().is_some_and(|e| e == "case") => {
                let text = String::from_utf8_lossy(file.contents()).into_owned();
                files.push((file.path().to_string_lossy().into_owned(), text));
            }
            DirEntry::File(_) => {}
        }
    }
}

fn collect_directory(root: &Path, directory: &Path, files: &mut Vec<(String, String)>) -> Result<(), LibraryError> {
    let read = |path: &Path, cause| LibraryError::Read {
        path: path.to_owned(),
        cause,
    };
    for entry in std::fs::read_dir(directory).map_err(|cause| read(directory, cause))? {
        let path = entry.map_err(|cause| read(directory, cause))?.path();
        if path.is_dir() {
            collect_directory(root, &path, files)?;
        } else if path.extension().is_some_and(|e| e == "case") {
            let text = std::fs::read_to_string(&path).map_err(|cause| read(&path, cause))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((name, text));
        }
    }
    Ok(())
}
