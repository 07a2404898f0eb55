//! The throw-away copy of the tree that holds the mutants, and what cargo makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::mutant::Mutant;
use crate::plant::{self, Numbered, Planted};

/// The crates that hold mutants, and the file of each that takes what all mutants of a crate need.
const CRATES: [&str; 2] = ["reference/protocol/src/lib.rs", "reference/store/src/lib.rs"];

/// A copy of the tree.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// What cargo builds there. A directory of its own: cargo would take its crates for those of the tree that was copied.
    target: PathBuf,
    /// The files that are changed, as they were.
    sources: BTreeMap<String, String>,
}

/// A program with mutants in it.
#[derive(Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Mutants of a function, each named by the first of them.
    pub functions: BTreeMap<usize, Vec<usize>>,
    /// Mutants that do not compile.
    pub unviable: BTreeSet<usize>,
}

/// What cargo came to.
enum Built {
    Program(PathBuf),
    Errors(Vec<Diagnostic>),
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Said { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Made { executable: Option<PathBuf> },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    spans: Vec<DiagnosticSpan>,
    #[serde(default)]
    children: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct DiagnosticSpan {
    file_name: String,
    line_start: usize,
    is_primary: bool,
}

impl Tree {
    /// The copy at `root`, for these mutants; what is built of it goes to `target`.
    ///
    /// # Errors
    /// When a file that they change is not there.
    pub fn new(root: &Path, target: &Path, mutants: &[Numbered<'_>]) -> anyhow::Result<Self> {
        let files = mutants.iter().map(|(_, mutant)| mutant.file.as_str()).chain(CRATES);
        let mut sources = BTreeMap::new();
        for file in files.collect::<BTreeSet<_>>() {
            let path = root.join(file);
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            sources.insert(file.to_owned(), text);
        }
        Ok(Tree {
            root: root.to_owned(),
            target: std::path::absolute(target)?,
            sources,
        })
    }

    /// Which of these mutants have to be built one at a time.
    ///
    /// # Errors
    /// When a file is no Rust, or is not what the mutants were made of.
    pub fn alone(&self, mutants: &[Numbered<'_>]) -> anyhow::Result<BTreeSet<usize>> {
        let mut alone = BTreeSet::new();
        for (file, source) in &self.sources {
            alone.extend(plant::alone(source, &of_file(mutants, file)).context(file.clone())?);
        }
        Ok(alone)
    }

    /// Builds one program that holds all these mutants but those that do not compile, which it finds by leaving out what
    /// the compiler complains of until it no longer does.
    ///
    /// # Errors
    /// When something does not compile that is no mutant's, or files cannot be written.
    pub fn build_all(&self, mutants: &[Numbered<'_>]) -> anyhow::Result<Program> {
        let mut unviable = BTreeSet::new();
        loop {
            let viable: Vec<_> = mutants
                .iter()
                .copied()
                .filter(|(number, _)| !unviable.contains(number))
                .collect();
            let planted = self.write_planted(&viable)?;
            let errors = match self.build()? {
                Built::Errors(errors) => errors,
                Built::Program(path) => {
                    let functions = planted.into_values().flat_map(|planted| planted.functions).collect();
                    return Ok(Program {
                        path,
                        functions,
                        unviable,
                    });
                }
            };
            let before = unviable.len();
            unviable.extend(errors.iter().flat_map(|error| error.culprits(&planted)));
            let found = unviable.len() - before;
            if found == 0 {
                bail!(
                    "the tree does not compile, and no mutant is to blame; where a constant needs a function, see `plant`, \
                     which takes `const` from functions:\n{}",
                    rendered(&errors)
                );
            }
            eprintln!("{found} mutants do not compile, {} so far", unviable.len());
        }
    }

    /// Builds a program with this mutant alone; none if it does not compile.
    ///
    /// # Errors
    /// When files cannot be written or cargo does not run.
    pub fn build_one(&self, mutant: &Mutant) -> anyhow::Result<Option<PathBuf>> {
        for (file, source) in &self.sources {
            if *file == mutant.file {
                self.write(file, &plant::changed(source, mutant)?)?;
            } else {
                self.write(file, source)?;
            }
        }
        match self.build()? {
            Built::Program(path) => Ok(Some(path)),
            Built::Errors(_) => Ok(None),
        }
    }

    /// Writes all files with these mutants in them.
    fn write_planted(&self, mutants: &[Numbered<'_>]) -> anyhow::Result<BTreeMap<&str, Planted>> {
        let chooser = plant::chooser(mutants.iter().map(|(number, _)| *number).max().unwrap_or(0));
        let mut all = BTreeMap::new();
        for (file, source) in &self.sources {
            let mut planted = plant::plant(source, &of_file(mutants, file)).context(file.clone())?;
            if CRATES.contains(&file.as_str()) {
                planted.text.push_str(&chooser);
            }
            self.write(file, &planted.text)?;
            all.insert(file.as_str(), planted);
        }
        Ok(all)
    }

    /// Writes a file, unless it says the same already: then cargo need not build it again.
    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.root.join(file);
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return Ok(());
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn build(&self) -> anyhow::Result<Built> {
        let output = Command::new("cargo")
            .args(["build", "--profile", "mutants", "--message-format", "json", "--quiet"])
            .args(["--package", "mcspec-mutation", "--bin", "judged"])
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        let mut errors = Vec::new();
        let mut program = None;
        for line in output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            match serde_json::from_slice(line).context("cargo wrote what is no message of its own")? {
                Message::Said { message } if message.level == "error" => errors.push(message),
                Message::Made { executable } => program = executable.or(program),
                Message::Said { .. } | Message::Other => {}
            }
        }
        if !errors.is_empty() {
            return Ok(Built::Errors(errors));
        }
        ensure!(output.status.success(), "cargo build ended with {}", output.status);
        program.map(Built::Program).context("cargo built no program")
    }
}

impl Diagnostic {
    /// The mutants that it speaks of: those of the place that it points to first, else those of any place it mentions.
    fn culprits(&self, planted: &BTreeMap<&str, Planted>) -> BTreeSet<usize> {
        let of = |span: &DiagnosticSpan| {
            let arms = planted
                .get(span.file_name.as_str())
                .map_or(&[][..], |planted| &planted.arms);
            let holds = |(lines, _): &&(std::ops::Range<usize>, usize)| lines.contains(&span.line_start);
            arms.iter().find(holds).map(|(_, number)| *number)
        };
        let primary: BTreeSet<usize> = self
            .spans
            .iter()
            .filter(|span| span.is_primary)
            .filter_map(of)
            .collect();
        if !primary.is_empty() {
            return primary;
        }
        let below = self.children.iter().flat_map(|child| child.culprits(planted));
        self.spans.iter().filter_map(of).chain(below).collect()
    }
}

fn rendered(errors: &[Diagnostic]) -> String {
    errors.iter().filter_map(|error| error.rendered.as_deref()).collect()
}

fn of_file<'m>(mutants: &[Numbered<'m>], file: &str) -> Vec<Numbered<'m>> {
    mutants
        .iter()
        .copied()
        .filter(|(_, mutant)| mutant.file == file)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn span(line_start: usize, is_primary: bool) -> DiagnosticSpan {
        DiagnosticSpan {
            file_name: "a.rs".to_owned(),
            line_start,
            is_primary,
        }
    }

    fn error(spans: Vec<DiagnosticSpan>, children: Vec<Diagnostic>) -> Diagnostic {
        Diagnostic {
            level: "error".to_owned(),
            rendered: None,
            spans,
            children,
        }
    }

    #[test]
    fn the_mutant_is_to_blame_in_whose_arm_the_error_is() {
        let arms: Vec<(Range<usize>, usize)> = vec![(10..20, 1), (20..30, 2)];
        let planted = Planted {
            arms,
            ..Planted::default()
        };
        let planted = BTreeMap::from([("a.rs", planted)]);
        let culprits = |error: Diagnostic| error.culprits(&planted).into_iter().collect::<Vec<_>>();
        assert_eq!(culprits(error(vec![span(25, true), span(11, false)], vec![])), [2]);
        assert_eq!(culprits(error(vec![span(5, true), span(11, false)], vec![])), [1]);
        let note = error(vec![span(20, true)], vec![]);
        assert_eq!(culprits(error(vec![span(5, true)], vec![note])), [2]);
        assert_eq!(culprits(error(vec![span(30, true)], vec![])), Vec::<usize>::new());
    }

    #[test]
    fn what_cargo_says_is_understood() {
        let said = r#"{"reason":"compiler-message","package_id":"x","message":{"level":"error","message":"m","rendered":"r",
            "spans":[{"file_name":"a.rs","line_start":3,"line_end":4,"is_primary":true}],"children":[]}}"#;
        assert!(matches!(serde_json::from_str(said).unwrap(), Message::Said { message } if message.level == "error"));
        let made = r#"{"reason":"compiler-artifact","executable":"/x/judged","fresh":true}"#;
        assert!(matches!(
            serde_json::from_str(made).unwrap(),
            Message::Made { executable: Some(_) }
        ));
        let other = r#"{"reason":"build-finished","success":true}"#;
        assert!(matches!(serde_json::from_str(other).unwrap(), Message::Other));
    }
}
