//! The list of survivors that nobody can find, each with its reason, held against what a campaign has found.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::Deserialize;

use crate::campaign::{Outcomes, Record};
use crate::trial::Outcome;

static SURVIVORS: &str = include_str!("../survivors.toml");

/// The list, `survivors.toml`: why no client can tell a mutant from the server, by the mutant's name without line and column,
/// which move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survivors(BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Entry>,
}

/// Mutants that survive for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    mutants: Vec<String>,
    reason: String,
}

impl Survivors {
    /// The list of this tree.
    ///
    /// # Errors
    /// A mistake in the file.
    pub fn listed() -> anyhow::Result<Self> {
        Self::parse(SURVIVORS).context("conformance/mutation/survivors.toml")
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        let mut survivors = BTreeMap::new();
        for entry in file.survivor {
            for mutant in entry.mutants {
                if let Some(first) = survivors.insert(mutant.clone(), entry.reason.clone()) {
                    anyhow::bail!("{mutant} is listed twice, first because of: {first}");
                }
            }
        }
        Ok(Survivors(survivors))
    }

    /// Why nobody can find this mutant, if that is known.
    pub fn reason(&self, mutant: &str) -> Option<&str> {
        self.0.get(mutant).map(String::as_str)
    }

    /// What is wrong with the list, given the names of all mutants that there are: survivors without a reason, and reasons
    /// without a survivor.
    pub fn faults(&self, outcomes: &Outcomes, all: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        for record in outcomes.mutants.iter().filter(|record| record.survives()) {
            if self.reason(&record.mutant).is_none() {
                let how = match record.outcome {
                    Outcome::NotReached => "is never reached",
                    _ => "survives",
                };
                faults.push(format!(
                    "{how}, and survivors.toml does not say why: {} (line {})",
                    record.mutant, record.line
                ));
            }
        }
        let came_to: BTreeMap<&str, &Record> = outcomes
            .mutants
            .iter()
            .map(|record| (&*record.mutant, record))
            .collect();
        for name in self.0.keys() {
            if !all.contains(name) {
                faults.push(format!("survivors.toml names a mutant that there is not: {name}"));
            } else if came_to.get(&**name).is_some_and(|record| !record.survives()) {
                faults.push(format!("survivors.toml names a mutant that is no survivor: {name}"));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(mutant: &str, outcome: Outcome) -> Record {
        Record {
            mutant: mutant.to_owned(),
            line: 1,
            outcome,
            seconds: 0.0,
        }
    }

    #[test]
    fn the_list_must_name_the_survivors_and_nothing_else() {
        let outcomes = Outcomes {
            mutants: vec![
                record("a", Outcome::Survives),
                record("b", Outcome::NotReached),
                record("c", Outcome::Caught("x".to_owned())),
                record("d", Outcome::Unviable),
            ],
            ..Outcomes::default()
        };
        let all: BTreeSet<String> = ["a", "b", "c", "d", "not run"].map(str::to_owned).into();
        let list = |mutants: &str| {
            Survivors::parse(&format!("[[survivor]]\nmutants = {mutants}\nreason = \"because\"")).unwrap()
        };
        assert_eq!(
            list(r#"["a", "b", "not run"]"#).faults(&outcomes, &all),
            Vec::<String>::new()
        );
        assert_eq!(
            list(r#"["c", "d", "gone"]"#).faults(&outcomes, &all),
            [
                "survives, and survivors.toml does not say why: a (line 1)",
                "is never reached, and survivors.toml does not say why: b (line 1)",
                "survivors.toml names a mutant that is no survivor: c",
                "survivors.toml names a mutant that is no survivor: d",
                "survivors.toml names a mutant that there is not: gone",
            ]
        );
        let twice = "[[survivor]]\nmutants = [\"a\", \"a\"]\nreason = \"because\"";
        assert!(Survivors::parse(twice).is_err());
    }

    #[test]
    fn the_list_can_be_read() {
        Survivors::listed().unwrap();
    }
}
