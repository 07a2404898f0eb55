//! The report as JUnit XML, which every CI service reads.

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::pretty::{Style, failure};
use super::{Outcome, Report};
use crate::case::Library;
use crate::verdict::{CaseResult, Verdict};

/// The report as XML: a suite for each topic, a test for each case and delivery.
///
/// A deviation that is declared, and a case that needs what the server does not offer, are skipped tests with the reason; a
/// case that passed only when it was played again is a flaky test; a declaration that is not true is a failed test of the
/// suite `expectations`.
///
/// # Errors
/// None that a report can cause; the serializer's own.
pub fn to_junit(report: &Report, library: &Library) -> Result<String, quick_junit::SerializeError> {
    let mut xml = Xml::new(format!("mcspec: {}", report.target_name));
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for result in &report.results {
        let topic = result
            .id
            .rsplit_once('/')
            .map_or(result.id.as_str(), |(topic, _)| topic);
        if suites.last().is_none_or(|(last, _)| *last != topic) {
            suites.push((topic, TestSuite::new(topic)));
        }
        if let Some((_, suite)) = suites.last_mut() {
            suite.add_test_case(test(report, library, result));
        }
    }
    xml.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    if !report.faults.is_empty() {
        let mut suite = TestSuite::new("expectations");
        for fault in &report.faults {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(fault.to_string()).set_type("wrong-declaration");
            suite.add_test_case(TestCase::new(format!("{}:{}", fault.file, fault.line), status));
        }
        xml.add_test_suite(suite);
    }
    xml.to_string()
}

fn test(report: &Report, library: &Library, result: &CaseResult) -> TestCase {
    let (topic, name) = result.id.rsplit_once('/').unwrap_or(("", &result.id));
    let reason = result.reason.clone().unwrap_or_default();
    let message = match &result.failure {
        Some(failure) if reason.is_empty() => failure.problem.to_string(),
        _ => reason,
    };
    let text = || failure(report, library, result, Style::Plain);
    let bad = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_message(&message)
            .set_type(result.verdict.as_str())
            .set_description(text());
        status
    };
    let status = match report.outcome(result) {
        Outcome::Failed => bad(NonSuccessKind::Failure),
        Outcome::Broken => bad(NonSuccessKind::Error),
        Outcome::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{}: {message}", result.verdict));
            status
        }
        Outcome::Passed if result.verdict == Verdict::Flaky => {
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_message(&message).set_type("flaky").set_description(text());
            let mut status = TestCaseStatus::success();
            status.add_rerun(rerun);
            status
        }
        Outcome::Passed => TestCaseStatus::success(),
    };
    let mut test = TestCase::new(format!("{name} ({})", result.delivery), status);
    test.set_classname(topic.replace('/', ".")).set_time(result.duration);
    if result.verdict.is_remarkable() {
        test.set_system_out(text());
    }
    test
}
