//! Reads a case file.

use std::collections::HashSet;
use std::time::Duration;

use super::bytes::Pattern;
use super::line::{Cursor, ParseError};
use super::{Action, Alternative, Answer, Case, Conn, Level, Quote, ReleaseRange, Source, Step, Topic};

/// Reads one file of cases; `file` is its name for error messages.
///
/// # Errors
/// The first line that does not follow the format, with its line, column and what was expected.
pub fn parse(file: &str, text: &str) -> Result<Topic, ParseError> {
    Reader::new(file, text).topic()
}

/// What may stand on a line of a case.
const STEP: &str = "a step: `>`, `<`, `<?`, `silent`, `closed`, `close`, `half-close` or `wait`, perhaps after a \
                    connection's capital letter";
const HEADER: &str = "`quote`, `source`, `observed`, `because`, `needs`, `rests on`, `exclusive`, or a step";

struct Reader<'t> {
    file: &'t str,
    /// Lines that are neither blank nor comments, with their indentation, read from the end.
    lines: Vec<Line<'t>>,
    trailing_comments: Vec<String>,
    last_line: u32,
}

struct Line<'t> {
    comments: Vec<String>,
    indent: usize,
    cursor: Cursor<'t>,
}

impl<'t> Reader<'t> {
    fn new(file: &'t str, text: &'t str) -> Self {
        let mut lines = Vec::new();
        let mut comments = Vec::new();
        let mut last_line = 1;
        for (number, text) in (1..).zip(text.split('\n')) {
            let text = text.strip_suffix('\r').unwrap_or(text);
            let mut cursor = Cursor::new(file, number, text);
            let indent = cursor.blanks().len();
            last_line = number;
            if let Some(comment) = cursor.rest().strip_prefix('#') {
                comments.push(comment.trim().to_owned());
            } else if !cursor.rest().is_empty() {
                lines.push(Line {
                    comments: std::mem::take(&mut comments),
                    indent,
                    cursor,
                });
            }
        }
        lines.reverse();
        Self {
            file,
            lines,
            trailing_comments: comments,
            last_line,
        }
    }

    fn next(&mut self) -> Option<Line<'t>> {
        self.lines.pop()
    }

    /// The next line if it is indented by at least so much.
    fn next_indented(&mut self, indent: usize) -> Option<Line<'t>> {
        self.lines.pop_if(|line| line.indent >= indent)
    }

    /// Makes sure that the carriage returns of a file are parts of its line ends: one at the end of a word would be lost when
    /// the word comes to stand last in its line.
    fn without_returns(&self) -> Result<(), ParseError> {
        for line in self.lines.iter().rev() {
            if let Some(at) = line.cursor.rest().find('\r') {
                let mut cursor = line.cursor.clone();
                cursor.take(at);
                return Err(cursor.error("the end of the line after a carriage return; in bytes it is written `\\r`"));
            }
        }
        Ok(())
    }

    fn topic(mut self) -> Result<Topic, ParseError> {
        self.without_returns()?;
        let Some(mut line) = self.next() else {
            return Err(Cursor::new(self.file, self.last_line, "").error("`section PATH`"));
        };
        let start = line.cursor.clone();
        if line.indent != 0 || line.cursor.word() != "section" {
            return Err(start.error("`section PATH` as the first line"));
        }
        let section = line.cursor.parse_word(section)?;
        line.cursor.end()?;
        let mut topic = Topic {
            comments: line.comments,
            section,
            source: None,
            cases: Vec::new(),
            trailing_comments: Vec::new(),
        };
        let mut names = HashSet::new();
        while let Some(mut line) = self.next() {
            let start = line.cursor.clone();
            match line.cursor.word() {
                "source" if line.indent == 0 && topic.source.is_none() && topic.cases.is_empty() => {
                    topic.source = Some(line.cursor.parse_word(source)?);
                    line.cursor.end()?;
                    topic.comments.append(&mut line.comments);
                }
                "case" if line.indent == 0 => {
                    let name = line.cursor.clone();
                    let case = self.case(line, topic.source.is_some())?;
                    if !names.insert(case.name.clone()) {
                        return Err(name.error("a name that no other case of the file has"));
                    }
                    topic.cases.push(case);
                }
                _ => return Err(start.error("`case NAME LEVEL` at the start of the line")),
            }
        }
        topic.trailing_comments = self.trailing_comments;
        Ok(topic)
    }

    fn case(&mut self, mut head: Line<'t>, source_known: bool) -> Result<Case, ParseError> {
        let place = head.cursor.clone();
        let mut case = Case {
            comments: head.comments,
            name: head.cursor.parse_word(name)?,
            level: head.cursor.parse_word(level)?,
            quotes: Vec::new(),
            observed: Vec::new(),
            because: None,
            needs: Vec::new(),
            rests_on: Vec::new(),
            exclusive: false,
            steps: Vec::new(),
            line: head.cursor.number(),
        };
        head.cursor.end()?;
        while let Some(mut line) = self.next_indented(1) {
            if case.steps.is_empty() && header(&mut case, &mut line)? {
                case.comments.append(&mut line.comments);
            } else {
                let step = self.step(line, case.steps.is_empty())?;
                case.steps.push(step);
            }
        }
        check(&case, source_known).map_err(|expected| place.error(expected))?;
        bind_names(&case).map_err(|(line, name)| {
            let text = format!("a captured number; `{{{name}}}` is not captured by an earlier `<?`");
            ParseError {
                line,
                column: 1,
                expected: text,
                text: String::new(),
                file: self.file.to_owned(),
            }
        })?;
        Ok(case)
    }

    fn step(&mut self, line: Line<'t>, header_allowed: bool) -> Result<Step, ParseError> {
        let Line {
            comments,
            indent,
            mut cursor,
        } = line;
        let number = cursor.number();
        let conn = connection(&mut cursor);
        let start = cursor.clone();
        let action = match cursor.word() {
            ">" => Action::Send(Pattern::parse(&mut cursor, true)?),
            sign @ ("<" | "<?") => self.receive(&mut cursor, indent, sign == "<?")?,
            "silent" => Action::Silent,
            "closed" => Action::Closed,
            "close" => Action::Close,
            "half-close" => Action::HalfClose,
            "wait" => Action::Wait(cursor.parse_word(duration)?),
            _ => return Err(start.error(if header_allowed { HEADER } else { STEP })),
        };
        cursor.end()?;
        Ok(Step {
            comments,
            conn,
            action,
            line: number,
        })
    }

    fn receive(&mut self, cursor: &mut Cursor<'t>, indent: usize, captures: bool) -> Result<Action, ParseError> {
        if cursor.rest().trim_end() != "any" {
            return Ok(Action::Receive(Pattern {
                captures,
                ..Pattern::parse(cursor, false)?
            }));
        }
        cursor.word();
        let mut alternatives = Vec::new();
        while let Some(mut line) = self.next_indented(indent + 1) {
            let cursor = &mut line.cursor;
            let number = cursor.number();
            let releases = cursor.parse_word(str::parse::<ReleaseRange>)?;
            let answer = match cursor.rest().trim_end() {
                "(silent)" => Answer::Silent,
                "(closed)" => Answer::Closed,
                _ => Answer::Bytes(Pattern {
                    captures,
                    ..Pattern::parse(cursor, false)?
                }),
            };
            if !matches!(answer, Answer::Bytes(_)) {
                cursor.word();
            }
            cursor.end()?;
            alternatives.push(Alternative {
                releases,
                answer,
                line: number,
            });
        }
        if alternatives.is_empty() {
            return Err(cursor.error("at least one indented line `RANGE  BYTES` after `any`"));
        }
        Ok(Action::ReceiveAny(alternatives))
    }
}

/// Reads a header line into the case; `false` if it is none.
fn header(case: &mut Case, line: &mut Line<'_>) -> Result<bool, ParseError> {
    let cursor = &mut line.cursor;
    let start = cursor.clone();
    match cursor.word() {
        "quote" => case.quotes.push(Quote {
            text: string(cursor)?,
            source: None,
        }),
        "source" => match case.quotes.last_mut() {
            Some(quote) if quote.source.is_none() => quote.source = Some(cursor.parse_word(source)?),
            _ => return Err(start.error("a `quote` before its `source`")),
        },
        "observed" => words(cursor, &mut case.observed, str::parse)?,
        "because" if case.because.is_none() => case.because = Some(string(cursor)?),
        "needs" => words(cursor, &mut case.needs, |word| Ok(word.to_owned()))?,
        "rests" if cursor.rest().starts_with("on ") => {
            cursor.word();
            words(cursor, &mut case.rests_on, |word| Ok(word.to_owned()))?;
        }
        "exclusive" => case.exclusive = true,
        _ => {
            *cursor = start;
            return Ok(false);
        }
    }
    cursor.end()?;
    Ok(true)
}

fn words<T>(
    cursor: &mut Cursor<'_>,
    into: &mut Vec<T>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<(), ParseError> {
    if cursor.rest().is_empty() {
        return Err(cursor.error("at least one word"));
    }
    while !cursor.rest().is_empty() {
        into.push(cursor.parse_word(&read)?);
    }
    Ok(())
}

/// What a case must have as a whole; the error says what was expected.
fn check(case: &Case, source_known: bool) -> Result<(), String> {
    let alternatives = case
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::ReceiveAny(_)));
    if case.steps.is_empty() {
        return Err(format!("a step in case `{}`", case.name));
    }
    match case.level {
        Level::Defacto if case.observed.is_empty() && !alternatives => {
            Err("`observed RANGE` or alternatives: a DEFACTO claim names the releases it was seen on".to_owned())
        }
        Level::Must | Level::Should | Level::May if case.quotes.is_empty() => {
            Err(format!("a `quote`: a {} claim cites the protocol text", case.level))
        }
        _ if !source_known && case.quotes.iter().any(|quote| quote.source.is_none()) => {
            Err("a `source` for each quote, or one for the whole file".to_owned())
        }
        _ => Ok(()),
    }
}

/// Checks that each captured number is captured before it is used; the error has the line and the name.
fn bind_names(case: &Case) -> Result<(), (u32, String)> {
    let mut bound = HashSet::new();
    let mut visit = |pattern: &Pattern, line: u32| {
        for capture in pattern.names() {
            let new = !bound.contains(&capture.name);
            if new && !(pattern.captures && capture.offset == 0) {
                return Err((line, capture.name.clone()));
            }
            bound.insert(capture.name.clone());
        }
        Ok(())
    };
    for step in &case.steps {
        match &step.action {
            Action::Send(pattern) | Action::Receive(pattern) => visit(pattern, step.line)?,
            Action::ReceiveAny(alternatives) => {
                for alternative in alternatives {
                    if let Answer::Bytes(pattern) = &alternative.answer {
                        visit(pattern, alternative.line)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn connection(cursor: &mut Cursor<'_>) -> Conn {
    let mut characters = cursor.rest().chars();
    match (characters.next(), characters.next()) {
        (Some(letter @ 'A'..='Z'), Some(' ' | '>' | '<')) => {
            cursor.take(1);
            cursor.skip_blanks();
            Conn(letter)
        }
        _ => Conn::DEFAULT,
    }
}

fn string(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let start = cursor.clone();
    let mut text = String::new();
    let mut characters = cursor.rest().char_indices();
    if characters.next().is_none_or(|(_, c)| c != '"') {
        return Err(start.error("words in double quotes"));
    }
    while let Some((at, c)) = characters.next() {
        match c {
            '"' if !text.trim().is_empty() => {
                cursor.take(at + 1);
                return Ok(text);
            }
            // The protocol text itself is full of `\r\n`: a backslash before anything else stands for itself.
            '\\' if cursor.rest()[at + 1..].starts_with(['"', '\\']) => text.extend(characters.next().map(|(_, c)| c)),
            c => text.push(c),
        }
    }
    Err(start.error("words in double quotes, closed on the same line"))
}

fn section(word: &str) -> Result<String, String> {
    let part = |part: &str| name(part).is_ok();
    match word.split_once('/') {
        Some((directory, topic)) if part(directory) && part(topic) => Ok(word.to_owned()),
        _ => Err("`<section>/<topic>` of small letters, digits and `_`".to_owned()),
    }
}

fn name(word: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !word.is_empty() && word.bytes().all(fits) {
        Ok(word.to_owned())
    } else {
        Err("a name of small letters, digits and `_`".to_owned())
    }
}

fn level(word: &str) -> Result<Level, String> {
    let found = Level::ALL.into_iter().find(|level| level.as_str() == word);
    found.ok_or_else(|| "MUST, SHOULD, MAY or DEFACTO".to_owned())
}

fn source(word: &str) -> Result<Source, String> {
    let read = || {
        let (file, lines) = word.rsplit_once(':')?;
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let source = Source {
            file: file.to_owned(),
            first: first.parse().ok()?,
            last: last.parse().ok()?,
        };
        (source.first >= 1 && source.first <= source.last && !file.is_empty()).then_some(source)
    };
    read().ok_or_else(|| "FILE:LINE or FILE:FIRST-LAST".to_owned())
}

fn duration(word: &str) -> Result<Duration, String> {
    let read = || match word.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => word.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    };
    read().ok_or_else(|| "a time such as 1100ms or 2s".to_owned())
}
