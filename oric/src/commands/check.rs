//! `oric check`: what there is to say about a program, and the verdicts of the tests that are attached to what changed.

use std::time::{Duration, Instant};

use syntax::{Diagnostic, Severity};

use super::{elapsed, plural, test};
use crate::cli::{FAILED, Output, TestFlags};
use crate::coverage;
use crate::session::Session;

/// Goes on with the tests when no error was `found` but functions without a test; the exit status.
pub fn check(session: &mut Session, found: &[Diagnostic], timeout: Option<Duration>, started: Instant, output: &Output) -> i32 {
    let errors = found.iter().filter(|found| found.severity() == Severity::Error).count();
    if found.iter().any(|found| found.severity() == Severity::Error && !coverage::is_about(found)) {
        failed(found, errors, None, started, output);
        return FAILED;
    }
    match test::affected(session, &TestFlags::of_check(timeout), output) {
        Ok(totals) if errors > 0 => {
            failed(found, errors, totals, started, output);
            FAILED
        }
        Ok(totals) => {
            if let Some(summary) = coverage::summary(session) {
                output.summary(&summary);
            }
            succeeded(session, totals, started, output)
        }
        Err(status) => status,
    }
}

/// Says what was found, without a look at tests; the exit status.
pub fn types(session: &Session, found: &[Diagnostic], started: Instant, output: &Output) -> i32 {
    let errors = found.iter().filter(|found| found.severity() == Severity::Error).count();
    if errors == 0 {
        return succeeded(session, None, started, output);
    }
    failed(found, errors, None, started, output);
    FAILED
}

/// Says that there is no error, and what came of the tests; the exit status.
pub fn succeeded(session: &Session, totals: Option<test::Totals>, started: Instant, output: &Output) -> i32 {
    let count = session.modules.len();
    let (tests, bad) = of_tests(totals, started, output);
    output.summary(&format!("check: no errors in {count} file{}{tests} in {}", plural(count), elapsed(started)));
    if bad { FAILED } else { 0 }
}

/// What came of the tests, as a part of the summary, and whether one failed.
fn of_tests(totals: Option<test::Totals>, started: Instant, output: &Output) -> (String, bool) {
    totals.map_or((String::new(), false), |totals| {
        totals.event(started, output);
        (format!(" · tests: {}", totals.text()), totals.is_bad())
    })
}

/// Says how many errors there are.
pub fn failed(found: &[Diagnostic], errors: usize, totals: Option<test::Totals>, started: Instant, output: &Output) {
    let (tests, _) = of_tests(totals, started, output);
    let warnings = found.len() - errors;
    let code = found.iter().find(|found| found.severity() == Severity::Error).map_or("", |found| found.code.as_str());
    output.summary(&format!(
        "check: {errors} error{}, {warnings} warning{}{tests} in {} · oric explain {code}",
        plural(errors),
        plural(warnings),
        elapsed(started)
    ));
}
