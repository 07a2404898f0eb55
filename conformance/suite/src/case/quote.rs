//! Checks that quotes stand in the text that they cite.

use std::fmt;

use super::{Case, Quote, Source, Topic};

/// A quote that does not stand where its source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteError {
    /// The case's id.
    pub case: String,
    /// The words that were looked for.
    pub quote: String,
    /// Where they were looked for.
    pub source: Source,
    /// Where the words do stand, if anywhere in the text.
    pub found_at: Option<Source>,
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: \"{}\" does not stand at {}", self.case, self.quote, self.source)?;
        match &self.found_at {
            Some(place) => write!(f, "; it stands at {place}"),
            None => write!(f, ", nor anywhere else in the text"),
        }
    }
}

/// Compares the quotes of `topic` with a text; quotes of other files than `file_name` are left alone.
pub fn check_quotes(topic: &Topic, file_name: &str, text: &str) -> Vec<QuoteError> {
    let text = Text::new(text);
    let quotes = topic
        .cases
        .iter()
        .flat_map(|case| case.quotes.iter().map(move |quote| (case, quote)));
    quotes
        .filter_map(|(case, quote)| check(topic, case, quote, file_name, &text))
        .collect()
}

fn check(topic: &Topic, case: &Case, quote: &Quote, file_name: &str, text: &Text) -> Option<QuoteError> {
    let source = quote.source.as_ref().or(topic.source.as_ref())?;
    let words = fold(&quote.text);
    if source.file != file_name || text.holds(source, &words) {
        return None;
    }
    Some(QuoteError {
        case: format!("{}/{}", topic.section, case.name),
        quote: quote.text.clone(),
        source: source.clone(),
        found_at: text.find(file_name, &words),
    })
}

/// A text with its blanks folded, and where each of its lines begins.
struct Text {
    folded: String,
    /// Offset of each line in `folded`, and the end.
    starts: Vec<usize>,
}

impl Text {
    fn new(text: &str) -> Self {
        let mut folded = String::new();
        let mut starts = Vec::new();
        for line in text.lines() {
            starts.push(folded.len());
            let words = fold(line);
            folded.push_str(&words);
            if !words.is_empty() {
                folded.push(' ');
            }
        }
        starts.push(folded.len());
        Self { folded, starts }
    }

    fn holds(&self, source: &Source, words: &str) -> bool {
        let start = self.starts.get(source.first as usize - 1);
        let end = self.starts.get(source.last as usize);
        start
            .zip(end)
            .is_some_and(|(&start, &end)| self.folded[start..end].contains(words))
    }

    fn find(&self, file: &str, words: &str) -> Option<Source> {
        let at = self.folded.find(words)?;
        let line = |offset: usize| u32::try_from(self.starts.partition_point(|&start| start <= offset)).ok();
        Some(Source {
            file: file.to_owned(),
            first: line(at)?,
            last: line(at + words.len() - 1)?,
        })
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "section a/b\nsource p.txt:2-3\n\ncase c MUST\n  quote \"two   three four\"\n  > x\n";

    #[test]
    fn blanks_and_line_ends_fold() {
        let topic = super::super::parse("f", CASE).unwrap();
        assert_eq!(check_quotes(&topic, "p.txt", "one\n two\n   three  four\n"), []);
        assert_eq!(check_quotes(&topic, "other.txt", ""), []);
    }

    #[test]
    fn a_quote_on_other_lines_is_an_error_that_says_where_it_is() {
        let topic = super::super::parse("f", CASE).unwrap();
        let errors = check_quotes(&topic, "p.txt", "two\nthree\n\nfour\n");
        assert_eq!(
            errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["a/b/c: \"two   three four\" does not stand at p.txt:2-3; it stands at p.txt:1-4"]
        );
        assert_eq!(check_quotes(&topic, "p.txt", "nothing")[0].found_at, None);
    }
}
