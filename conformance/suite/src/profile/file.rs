//! Reads a target file.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Profile, ProfileError, Start, StartFile};
use crate::expect::{Deviation, Expectations, Lack, UNWRITTEN};
use crate::glob::Glob;
use crate::play::Address;
use crate::target::capability_names;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    /// What the server is; for readers of the file.
    #[allow(dead_code, reason = "documentation")]
    about: Option<String>,
    start: Option<Spanned<StartTable>>,
    jobs: Option<NonZeroU16>,
    #[serde(default)]
    one_instance: bool,
    #[serde(default)]
    offers: Vec<Spanned<String>>,
    #[serde(default)]
    lacks: BTreeMap<Spanned<String>, String>,
    #[serde(default, rename = "deviation")]
    deviations: Vec<Spanned<Entry>>,
    /// Read by [`crate::known`].
    #[serde(default, rename = "upstream-bug")]
    #[allow(dead_code, reason = "another module's part of the file")]
    bugs: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartTable {
    server: Option<String>,
    unix: Option<PathBuf>,
    built_in: Option<bool>,
    image: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    commands: Vec<String>,
    obtain: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    cases: Cases,
    reason: String,
    releases: Option<String>,
    #[serde(default)]
    deliveries: Vec<String>,
    received: Option<String>,
    #[serde(default)]
    intermittent: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cases {
    One(String),
    Several(Vec<String>),
}

struct Reader<'f> {
    file: &'f str,
    text: &'f str,
}

pub(super) fn read(file: &str, text: &str) -> Result<Profile, ProfileError> {
    let reader = Reader { file, text };
    let read: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.error(at, error.message())
    })?;
    let start = match read.start {
        None => None,
        Some(table) => {
            let at = table.span().start;
            Some(start(table.into_inner()).map_err(|cause| reader.error(at, &cause))?)
        }
    };
    let mut expectations = Expectations {
        file: file.to_owned(),
        ..Expectations::default()
    };
    for name in read.offers {
        known_capability(name.get_ref()).map_err(|cause| reader.error(name.span().start, &cause))?;
        expectations.offers.insert(name.into_inner());
    }
    for (name, reason) in read.lacks {
        let at = name.span().start;
        known_capability(name.get_ref()).map_err(|cause| reader.error(at, &cause))?;
        if expectations.offers.contains(name.get_ref()) {
            return Err(reader.error(at, "the same capability stands under `offers`"));
        }
        let line = reader.line(at);
        let reason = written(reason);
        expectations.lacks.insert(name.into_inner(), Lack { reason, line });
    }
    for entry in read.deviations {
        let at = entry.span().start;
        let deviation = deviation(entry.into_inner(), reader.line(at)).map_err(|cause| reader.error(at, &cause))?;
        expectations.deviations.push(deviation);
    }
    let stem = Path::new(file)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    Ok(Profile {
        name: read.name.or(stem).unwrap_or_default(),
        file: file.to_owned(),
        text: text.to_owned(),
        start,
        jobs: read.jobs.map(NonZeroU16::get),
        one_instance: read.one_instance,
        expectations,
    })
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn error(&self, at: usize, cause: &str) -> ProfileError {
        ProfileError::Format {
            file: self.file.to_owned(),
            line: self.line(at),
            cause: cause.lines().next().unwrap_or_default().to_owned(),
        }
    }
}

fn start(table: StartTable) -> Result<Start, String> {
    let StartTable {
        server,
        unix,
        built_in,
        image,
        tag,
        commands,
        obtain,
        files,
    } = table;
    let ways = usize::from(server.is_some())
        + usize::from(unix.is_some())
        + usize::from(built_in.is_some())
        + usize::from(image.is_some())
        + usize::from(!commands.is_empty());
    if ways != 1 {
        return Err("[start] takes exactly one of `server`, `unix`, `image`, `commands` and `built_in`".to_owned());
    }
    if let Some(address) = server {
        return Ok(Start::Server(address.parse().map_err(|error| format!("{error}"))?));
    }
    if let Some(path) = unix {
        return Ok(Start::Server(Address::Unix(path)));
    }
    if let Some(built_in) = built_in {
        let refused = "`built_in` is `true` or not there";
        return if built_in {
            Ok(Start::BuiltIn)
        } else {
            Err(refused.to_owned())
        };
    }
    if let Some(image) = image {
        if image.contains("{tag}") != tag.is_some() {
            return Err("`{tag}` in `image` and a `tag` go together".to_owned());
        }
        return Ok(Start::Image { image, tag });
    }
    let places = commands.iter().chain(files.values());
    if !places
        .into_iter()
        .any(|text| text.contains("{port}") || text.contains("{socket}"))
    {
        return Err("neither `commands` nor `files` says where the server's {port} goes".to_owned());
    }
    let files = files
        .into_iter()
        .map(|(name, text)| StartFile { name, text })
        .collect::<Vec<_>>();
    if let Some(file) = files.iter().find(|file| file.name.contains(['/', '\\'])) {
        return Err(format!(
            "`{}`: a file stands in {{dir}} itself; its name has no slash",
            file.name
        ));
    }
    Ok(Start::Processes {
        files,
        commands,
        obtain,
    })
}

fn deviation(entry: Entry, line: usize) -> Result<Deviation, String> {
    let cases = match entry.cases {
        Cases::One(case) => vec![case],
        Cases::Several(cases) => cases,
    };
    if cases.is_empty() {
        return Err("`cases` names no case".to_owned());
    }
    let expected = |what: String| format!("expected {what}");
    Ok(Deviation {
        line,
        cases: cases.iter().map(|case| Glob::new(case)).collect::<Result<_, _>>()?,
        reason: written(entry.reason),
        releases: entry.releases.map(|text| text.parse()).transpose().map_err(expected)?,
        deliveries: entry
            .deliveries
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(expected)?,
        received: entry.received,
        intermittent: entry.intermittent,
    })
}

/// A reason that a person wrote; the placeholder and blanks are none.
fn written(reason: String) -> Option<String> {
    let blank = reason.chars().all(|c| c.is_whitespace() || UNWRITTEN.contains(c));
    (!blank).then_some(reason)
}

fn known_capability(name: &str) -> Result<(), String> {
    if capability_names().any(|known| known == name) {
        return Ok(());
    }
    let known: Vec<&str> = capability_names().collect();
    Err(format!(
        "there is no capability `{name}`; there are {}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = |text: &str| read("t.toml", text).unwrap_err().to_string();
        for (text, words) in [
            ("bogus = 1\n", "t.toml:1: unknown field `bogus`"),
            ("name = 'x'\n\n[start]\n", "t.toml:3: [start] takes exactly one"),
            (
                "[start]\nimage = 'x:{tag}'\n",
                "t.toml:1: `{tag}` in `image` and a `tag` go together",
            ),
            ("[start]\ncommands = ['x']\n", "says where the server's {port} goes"),
            (
                "[start]\ncommands = ['x {port}']\n[start.files]\n'../x' = ''\n",
                "has no slash",
            ),
            ("[start]\nserver = 'nonsense'\n", "is no HOST:PORT"),
            (
                "offers = [\n  'cas',\n  'teleport',\n]\n",
                "t.toml:3: there is no capability `teleport`",
            ),
            (
                "offers = ['cas']\n[lacks]\ncas = 'none'\n",
                "t.toml:3: the same capability",
            ),
            (
                "\n[[deviation]]\ncases = 'a['\nreason = 'x'\n",
                "t.toml:2: `a[` is no pattern",
            ),
            ("[[deviation]]\ncases = []\nreason = 'x'\n", "names no case"),
            ("[[deviation]]\ncases = 'a'\n", "missing field `reason`"),
            (
                "[[deviation]]\ncases = 'a'\nreason = 'x'\nreleases = 'new'\n",
                "expected a release",
            ),
            (
                "[[deviation]]\ncases = 'a'\nreason = 'x'\ndeliveries = ['slow']\n",
                "expected whole, bytes",
            ),
        ] {
            let error = error(text);
            assert!(error.contains(words) && !error.contains('\n'), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_server_that_runs_has_a_port_or_a_path() {
        let start = |text: &str| read("t.toml", text).map(|profile| profile.start);
        let path = Address::Unix("/run/x.sock".into());
        assert_eq!(start("[start]\nunix = '/run/x.sock'\n"), Ok(Some(Start::Server(path))));
        let tcp = Address::Tcp("a:1".to_owned());
        assert_eq!(start("[start]\nserver = 'a:1'\n"), Ok(Some(Start::Server(tcp))));
        assert!(start("[start]\nserver = 'a:1'\nunix = '/x'\n").is_err());
    }

    #[test]
    fn a_placeholder_is_no_reason() {
        for (reason, is_written) in [("?", false), (" ? ", false), ("", false), ("why?", true)] {
            let text = format!("[[deviation]]\ncases = 'a'\nreason = '{reason}'\n[lacks]\ncas = '{reason}'\n");
            let expectations = read("t.toml", &text).unwrap().expectations;
            assert_eq!(expectations.deviations[0].reason.is_some(), is_written, "{reason:?}");
            assert_eq!(expectations.lacks["cas"].reason.is_some(), is_written, "{reason:?}");
            assert_eq!(
                (expectations.deviations[0].line, expectations.lacks["cas"].line),
                (1, 5)
            );
        }
    }
}
