//! Which paragraphs of the protocol text the cases cite.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::case::{Library, Source, check_quotes};

static EXEMPTIONS: &str = include_str!("../../cases/uncited.toml");

/// A paragraph of the text, or one item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// Its lines, from 1.
    pub lines: RangeInclusive<u32>,
    /// The heading that it stands under.
    pub heading: String,
    /// Its words, on one line.
    pub text: String,
    /// The cases that quote it.
    pub cited_by: Vec<String>,
    /// Why no case cites it.
    pub exempt: Option<String>,
}

/// What the cases cite, and what is wrong with that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The text, paragraph by paragraph.
    pub paragraphs: Vec<Paragraph>,
    /// Quotes that do not stand where they should, exemptions that are stale: each a line to read.
    pub problems: Vec<String>,
}

/// A list of exemptions that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("conformance/cases/uncited.toml: {0}")]
pub struct ExemptionsError(String);

/// Paragraphs that no case can cite, and why.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemptions {
    #[serde(default)]
    uncited: Vec<Exemption>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exemption {
    /// `FIRST-LAST` or one line.
    lines: String,
    reason: String,
}

impl Exemptions {
    /// The list that belongs to the built-in cases.
    ///
    /// # Errors
    /// A mistake in the file: possible only between an edit and its test.
    pub fn built_in() -> Result<Self, ExemptionsError> {
        Self::from_toml(EXEMPTIONS)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, ExemptionsError> {
        toml::from_str(text).map_err(|error| ExemptionsError(error.to_string()))
    }
}

impl Coverage {
    /// Compares a text with the quotes of all cases; `file_name` is what their sources call it.
    pub fn of(library: &Library, file_name: &str, text: &str, exemptions: &Exemptions) -> Self {
        let mut coverage = Self {
            paragraphs: paragraphs(text),
            problems: Vec::new(),
        };
        for topic in library.topics() {
            let errors = check_quotes(topic, file_name, text);
            coverage.problems.extend(errors.iter().map(ToString::to_string));
        }
        for (id, topic, case) in library.cases() {
            for quote in &case.quotes {
                if let Some(source) = quote
                    .source
                    .as_ref()
                    .or(topic.source.as_ref())
                    .filter(|s| s.file == file_name)
                {
                    coverage.cite(&id, &quote.text, source);
                }
            }
        }
        for exemption in &exemptions.uncited {
            coverage.exempt(exemption);
        }
        coverage
    }

    /// Paragraphs that are neither cited nor exempt.
    pub fn uncited(&self) -> impl Iterator<Item = &Paragraph> {
        self.paragraphs
            .iter()
            .filter(|paragraph| paragraph.cited_by.is_empty() && paragraph.exempt.is_none())
    }

    /// Marks the paragraphs in which words of the quote stand.
    fn cite(&mut self, id: &str, quote: &str, source: &Source) {
        let quote = fold(quote);
        for paragraph in &mut self.paragraphs {
            let apart = *paragraph.lines.end() < source.first || source.last < *paragraph.lines.start();
            if !apart && overlap(&paragraph.text, &quote) && paragraph.cited_by.last().is_none_or(|last| last != id) {
                paragraph.cited_by.push(id.to_owned());
            }
        }
    }

    fn exempt(&mut self, exemption: &Exemption) {
        let Exemption { lines, reason } = exemption;
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else {
            return self.problems.push(format!("uncited.toml: `{lines}` is not FIRST-LAST"));
        };
        let (mut covered, mut problems) = (0, Vec::new());
        for paragraph in &mut self.paragraphs {
            let (start, end) = (*paragraph.lines.start(), *paragraph.lines.end());
            if end < first || last < start {
                continue;
            }
            covered += 1;
            if start < first || last < end {
                problems.push(format!(
                    "uncited.toml: lines {lines} cut the paragraph {start}-{end} in two"
                ));
            } else if let Some(id) = paragraph.cited_by.first() {
                problems.push(format!(
                    "uncited.toml: lines {lines} are stale: {id} cites lines {start}-{end}"
                ));
            } else if paragraph.exempt.replace(reason.clone()).is_some() {
                problems.push(format!("uncited.toml: lines {start}-{end} are listed twice"));
            }
        }
        if covered == 0 {
            problems.push(format!("uncited.toml: lines {lines} hold no paragraph"));
        }
        self.problems.append(&mut problems);
    }
}

/// Whether the words of a quote stand in a paragraph, begin at its end or end at its beginning.
fn overlap(paragraph: &str, quote: &str) -> bool {
    if paragraph.contains(quote) {
        return true;
    }
    let ends = |a: &str, b: &str| {
        b.match_indices(' ')
            .map(|(at, _)| &b[..at])
            .any(|head| a.ends_with(head) && head.len() > 2)
    };
    ends(paragraph, quote) || quote.split(' ').count() > 1 && quote.contains(paragraph) || {
        quote
            .match_indices(' ')
            .map(|(at, _)| &quote[at + 1..])
            .any(|tail| paragraph.starts_with(tail) && tail.len() > 2)
    }
}

/// Cuts a text at empty lines and before items of lists; a line above a row of dashes is a heading.
fn paragraphs(text: &str) -> Vec<Paragraph> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<Paragraph> = Vec::new();
    let mut heading = String::new();
    let mut open = false;
    for (i, line) in lines.iter().enumerate() {
        let next = lines.get(i + 1).copied().unwrap_or_default();
        if is_rule(line) {
            open = false;
        } else if is_rule(next) && !line.trim().is_empty() {
            heading = line.trim().to_owned();
            open = false;
        } else if line.trim().is_empty() {
            open = false;
        } else {
            let number = u32::try_from(i + 1).unwrap_or(u32::MAX);
            let words = fold(line);
            match found.last_mut().filter(|_| open && !is_item(line)) {
                Some(paragraph) => {
                    paragraph.lines = *paragraph.lines.start()..=number;
                    paragraph.text.push(' ');
                    paragraph.text.push_str(&words);
                }
                None => found.push(Paragraph {
                    lines: number..=number,
                    heading: heading.clone(),
                    text: words,
                    cited_by: Vec::new(),
                    exempt: None,
                }),
            }
            open = true;
        }
    }
    found
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.bytes().all(|b| matches!(b, b'-' | b'='))
}

fn is_item(line: &str) -> bool {
    line.trim_start().starts_with("- ")
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Title\n-----\n\nOne two three\nfour.\n\n- a: first\n  item\n- b: second\n\nLast words.\n";

    fn coverage(quote: &str, lines: &str, exemptions: &str) -> Coverage {
        let case = format!("section s/t\n\ncase c MUST\n  quote \"{quote}\"\n  source p.txt:{lines}\n  > x\n");
        let library = Library::from_files(vec![("s/t.case".to_owned(), case)]).unwrap();
        Coverage::of(&library, "p.txt", TEXT, &Exemptions::from_toml(exemptions).unwrap())
    }

    fn uncited(coverage: &Coverage) -> Vec<RangeInclusive<u32>> {
        coverage.uncited().map(|paragraph| paragraph.lines.clone()).collect()
    }

    #[test]
    fn paragraphs_are_cut_at_empty_lines_and_items_and_know_their_heading() {
        let all = coverage("One two", "4", "");
        let lines: Vec<_> = all
            .paragraphs
            .iter()
            .map(|p| (p.lines.clone(), p.heading.as_str()))
            .collect();
        assert_eq!(
            lines,
            [(4..=5, "Title"), (7..=8, "Title"), (9..=9, "Title"), (11..=11, "Title")]
        );
        assert_eq!(all.paragraphs[1].text, "- a: first item");
    }

    #[test]
    fn a_quote_cites_the_paragraph_its_words_stand_in_not_all_of_its_lines() {
        assert_eq!(uncited(&coverage("b: second", "7-9", "")), [4..=5, 7..=8, 11..=11]);
        assert_eq!(uncited(&coverage("four. - a: first", "4-8", "")), [9..=9, 11..=11]);
        assert_eq!(coverage("elsewhere", "4", "").problems.len(), 1);
    }

    #[test]
    fn an_exemption_that_is_not_needed_is_a_problem() {
        let with = |lines: &str| coverage("One", "4", &format!("[[uncited]]\nlines = '{lines}'\nreason = 'r'\n"));
        assert_eq!((uncited(&with("7-11")), with("7-11").problems.len()), (vec![], 0));
        for stale in ["4-5", "8-9", "1-2", "x"] {
            assert_eq!(with(stale).problems.len(), 1, "{stale}");
        }
    }
}
