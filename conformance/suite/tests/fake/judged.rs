//! A run of cases on a fake server, with what a target file declares of it.

use std::collections::BTreeSet;
use std::time::Duration;

use mcspec_suite::case::Library;
use mcspec_suite::profile::Profile;
use mcspec_suite::report::Report;
use mcspec_suite::run::{Options, run};
use mcspec_suite::target::probe;

use super::Fake;

/// Cases of the file `s/t.case`.
pub(crate) fn library(cases: &str) -> Library {
    Library::from_files(vec![("s/t.case".to_owned(), cases.to_owned())]).unwrap()
}

/// The report of all cases of a library. What is wrong with the declarations is among its faults.
pub(crate) async fn judge(library: &Library, server: &Fake, profile: &Profile, options: Options) -> Report {
    let ids: BTreeSet<String> = library.cases().map(|(id, ..)| id).collect();
    let mut target = probe(server.address(), Duration::from_secs(20)).await.unwrap();
    let mut faults = profile.expectations.declare(&mut target);
    let options = Options {
        expectations: profile.expectations.clone(),
        ..options
    };
    let results = run(library, &ids, &target, &options, &mut |_| {}).await;
    faults.extend(profile.expectations.faults(library, &target, &results));
    let mut report = Report::new(
        target,
        "odd <server>".to_owned(),
        "mcspec run --target odd".to_owned(),
        results,
    );
    report.faults = faults;
    report
}
