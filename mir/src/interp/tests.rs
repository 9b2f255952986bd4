//! Programs from source text through every step to what they print and how they end.

pub(crate) mod world;

mod broken;
mod constants;
mod control;
mod operations;
mod panics;

use super::{Limits, Outcome};
use world::{Printed, World};

/// The program prints this and ends with status 0.
#[track_caller]
fn check(source: &str, expect: &str) {
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&[], &mut printed, Limits::default());
    assert_eq!((printed.output.as_str(), printed.error.as_str(), outcome), (expect, "", Outcome::Exit(0)));
}

/// A program whose `@main` prints these expressions, one a line.
#[track_caller]
fn check_values(rows: &[(&str, &str)]) {
    let body: String = rows.iter().map(|(expression, _)| format!("print(msg: `{{{expression}}}`); ")).collect();
    let expect: String = rows.iter().map(|(_, text)| format!("{text}\n")).collect();
    check(&format!("@main () -> void = {{ {body} }}"), &expect);
}

/// The program panics with this report after printing `output`.
#[track_caller]
fn check_panic(source: &str, output: &str, report: &str) {
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&[], &mut printed, Limits::default());
    assert!(matches!(outcome, Outcome::Panicked { .. }), "{outcome:?}");
    assert_eq!(outcome.status(), 1);
    assert_eq!((printed.output.as_str(), printed.error.as_str()), (output, report));
}
