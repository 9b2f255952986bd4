//! Times beside other compilers, all measured in this run. Absolute times are printed for people; only ratios are judged. A peer that is not installed is
//! *unmeasured*, and so is its ratio: never passed.
//!
//! | room        | holds                                                          |
//! |-------------|----------------------------------------------------------------|
//! | [`timing`]  | commands timed in turns, medians                               |
//! | [`compile`] | lines a second of check and build, cold                        |
//! | [`edits`]   | what an edit costs in a fresh process                          |
//! | [`tests`]   | verdicts that are known, a function edited, everything run     |
//! | [`aot`]     | small programs as executables of their own, beside C            |
//! | [`backend`] | LIR to bytes alone, against clang's code generation            |
//! | [`kernels`] | run time of programs                                           |
//! | [`project`] | release builds of a large project                              |
//! | [`maps`]    | maps with int and str keys beside `hashbrown`                  |
//! | [`hello`]   | start and end of the smallest program                          |

pub mod aot;
pub mod backend;
pub mod compile;
pub mod edits;
pub mod hello;
pub mod kernels;
pub mod maps;
pub mod peers;
pub mod project;
pub mod scaling;
pub mod tests;
pub mod timing;

use std::path::PathBuf;

use crate::corpus;
use crate::evidence::{Evidence, Table};

/// Folder for what benchmarks build.
fn folder() -> PathBuf {
    corpus::root().join("target/evidence/bench")
}

/// The compiler as a user has it.
fn oric() -> Option<String> {
    let path = corpus::root().join("target/release/oric");
    let path = std::fs::canonicalize(path).ok()?;
    Some(path.to_string_lossy().into_owned())
}

/// Judged ratios.
pub struct Ratios {
    table: Table,
}

impl Ratios {
    fn new() -> Ratios {
        Ratios { table: Table::new("ratios", &["ratio", "value", "limit", "verdict"]) }
    }

    /// A ratio that must be at most `limit`; `None` when it could not be measured.
    fn at_most(&mut self, name: &str, value: Option<f64>, limit: f64) {
        self.judge(name, value, &format!("at most {limit}"), |value| value <= limit);
    }

    /// A ratio that must be at least `limit`.
    fn at_least(&mut self, name: &str, value: Option<f64>, limit: f64) {
        self.judge(name, value, &format!("at least {limit}"), |value| value >= limit);
    }

    fn judge(&mut self, name: &str, value: Option<f64>, limit: &str, holds: impl Fn(f64) -> bool) {
        let (shown, verdict) = match value {
            None => ("".to_owned(), "unmeasured"),
            Some(value) => (format!("{value:.2}"), if holds(value) { "ok" } else { "MISSED" }),
        };
        self.table.row([name, &shown, limit, verdict]);
    }
}

/// What can be measured, by the names on the command line.
pub const PARTS: [&str; 12] =
    ["hello", "edits", "tests", "aot", "kernels", "heap", "release", "release-project", "maps", "backend", "scaling", "compile"];

/// Measures everything, or only the parts with these names: see [`PARTS`].
pub fn run(parts: &[String]) -> bool {
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    let mut evidence = Evidence::new("bench");
    if let Err(error) = std::fs::create_dir_all(folder()) {
        evidence.fail(format!("{}: {error}", folder().display()));
        return evidence.close();
    }
    let Some(oric) = oric() else {
        evidence.fail("target/release/oric is not built: make build");
        return evidence.close();
    };
    let mut ratios = Ratios::new();
    if wanted("hello") {
        hello::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("edits") {
        edits::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("tests") {
        tests::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("aot") {
        aot::measure(&mut evidence, &mut ratios);
    }
    if wanted("kernels") {
        kernels::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("heap") {
        kernels::measure_heap(&oric, &mut evidence, &mut ratios);
    }
    if wanted("release") {
        kernels::measure_release(&oric, &mut evidence, &mut ratios);
        kernels::measure_release_heap(&oric, &mut evidence, &mut ratios);
    }
    if wanted("release-project") {
        project::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("maps") {
        maps::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("backend") {
        backend::measure(&mut evidence, &mut ratios);
    }
    if wanted("scaling") {
        scaling::measure(&oric, &mut evidence, &mut ratios);
    }
    if wanted("compile") {
        compile::measure(&oric, &mut evidence, &mut ratios);
    }
    for row in ratios.table.rows().iter().filter(|row| row.last().is_some_and(|verdict| verdict == "MISSED")) {
        evidence.fail(format!("{}: {} ({})", row[0], row[1], row[2]));
    }
    evidence.table(ratios.table);
    evidence.close()
}
