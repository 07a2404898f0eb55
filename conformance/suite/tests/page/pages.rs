//! A report and a matrix with every kind of verdict that a reader has to tell apart.

use mcspec_suite::case::Library;
use mcspec_suite::matrix::{Matrix, Source};
use mcspec_suite::profile::Profile;
use mcspec_suite::report::{Report, to_html, to_json};
use mcspec_suite::run::Options;

use crate::fake::{Fake, Reply, judged};

const CASES: &str = "section s/t
source protocol.txt:1

case good MUST
  quote \"words of the protocol text that rule the case, long enough to need a second line on a telephone\"
  > good
  < OK

case bad MUST
  quote \"after sending the command line, the client awaits the reply\"
  because \"clients tell replies apart by their first word\"
  > bad
  < OK

case known DEFACTO
  observed 1.6.9
  > bad
  < YES

case should SHOULD
  quote \"x\"
  > bad
  < OK

case lacking DEFACTO
  observed 1.6.9
  needs cas
  > good
  < OK

case above DEFACTO
  observed 1.6.9
  rests on s/t/bad
  > bad
  < OK
";

const TARGET: &str = "[[deviation]]\ncases = 's/t/known'\nreason = 'it says otherwise, and has said so for years'\n";

/// The whole report of a server that answers `bad` with a long line without a blank.
fn judged() -> (Report, Library) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Fake::new(|line| {
            Reply::line(if line == "good" {
                "OK"
            } else {
                "NO_SUCH_THING_AS_A_LINE_THAT_IS_TOO_LONG_FOR_A_TELEPHONE_\u{7f}_WHEN_IT_HAS_NO_BLANK_TO_BE_BROKEN_AT"
            })
        });
        let library = judged::library(CASES);
        let profile = Profile::from_toml("odd.toml", TARGET).unwrap();
        let report = judged::judge(&library, &server, &profile, Options::default()).await;
        (report, library)
    })
}

pub(crate) fn report() -> String {
    let (report, library) = judged();
    to_html(&report, &library)
}

/// The same server eight times, of which all but the first pass what it fails.
pub(crate) fn matrix() -> String {
    let (report, library) = judged();
    let text = to_json(&report, &library).unwrap();
    let source = |i: usize| Source {
        name: Some(format!("memcached 1.6.{i}")),
        file: format!("{i}.json"),
        text: if i == 0 {
            text.clone()
        } else {
            text.replace("\"verdict\": \"fail\"", "\"verdict\": \"pass\"")
        },
    };
    let sources: Vec<Source> = (0..8).map(source).collect();
    mcspec_suite::matrix::to_html(&Matrix::from_reports(&sources).unwrap())
}
