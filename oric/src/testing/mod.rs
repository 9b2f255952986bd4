//! Tests and their verdicts: which tests there are, running those that need it, judging how they ended.
//!
//! | room       | holds                                                                                        |
//! |------------|----------------------------------------------------------------------------------------------|
//! | [`server`] | a process that forks one for each test                                                       |
//! | [`runs`]   | how tests ended in this session: the input behind the query of verdicts                      |
//! | [`work`]   | which verdicts are known and which tests must run; running them; giving the engine the ends  |
//! | [`judge`]  | from how a process ended to a verdict                                                        |
//! | [`changes`] | what changed, and how tests reach it                                                        |
//! | [`related`] | which tests reach some files                                                                |
//!
//! A verdict is an answer of the engine like another (`queries::TestVerdict`): it depends on the code of everything that the test reaches. Running a
//! program is no work for a query, so how a test ends is an *input*, which is made when somebody asks for it: the query stops, [`work`] runs the test, and
//! the question is asked again.

pub mod changes;
pub mod judge;
pub mod related;
pub mod runs;
pub mod server;
pub mod work;

use std::time::Duration;

use ir::ItemId;
use syntax::{Anchor, Span};

use crate::queries::{self, Run, TestRow};
use crate::report::find;
use crate::session::Session;

pub use runs::Runs;

/// A test with the file that it stands in.
pub struct Test {
    /// What the program says of it.
    pub row: TestRow,
    /// `@name`
    pub name: String,
    /// Path of its file.
    pub file: String,
}

impl Test {
    /// Where its name stands in its item.
    pub fn name_span(&self, session: &Session) -> Span {
        let item = session.engine.get::<queries::Item>(&self.row.item).ok();
        item.as_deref().and_then(Option::as_ref).map(|item| item.name_span).unwrap_or_default()
    }

    /// The line of its name.
    pub fn line(&self, session: &Session) -> usize {
        find(session, Anchor::Item(self.row.item), self.name_span(session)).map_or(1, |found| found.line_column().0)
    }

    /// `attached` or `floating`.
    pub const fn kind(&self) -> &'static str {
        if self.row.floating { "floating" } else { "attached" }
    }

    /// A filter is a part of the name, or of `file::name`; an exact one is one of the two.
    pub fn is_meant(&self, filters: &[String], exact: bool) -> bool {
        let bare = self.name.trim_start_matches('@');
        let full = format!("{}::{bare}", self.file);
        filters.is_empty()
            || filters.iter().any(|filter| {
                let filter = filter.trim_start_matches('@');
                if exact { filter == bare || filter == full } else { full.contains(filter) }
            })
    }
}

/// The tests of the program, by file and place.
pub fn all(session: &mut Session) -> Vec<Test> {
    let rows = session.ask(|session| session.engine.get::<queries::Tests>(&()));
    let mut tests = Vec::with_capacity(rows.len());
    let mut last: Option<(ir::Symbol, String)> = None;
    for row in rows.iter() {
        let module = row.item.module();
        let file = match &last {
            Some((of, file)) if *of == module => file.clone(),
            Some(_) | None => {
                let name = session.ask(|session| session.engine.get::<queries::ModuleFile>(&module));
                let file = (*name).as_ref().map(|name| session.project.shown(&name.path)).unwrap_or_default();
                last = Some((module, file.clone()));
                file
            }
        };
        tests.push(Test { row: row.clone(), name: format!("@{}", row.item.name()), file });
    }
    // Rows of a file come in the order of their places.
    tests.sort_by(|a, b| a.file.cmp(&b.file));
    tests
}

/// What came of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It did what it should.
    Pass,
    /// It did not.
    Fail,
    /// `#skip`
    Skip,
    /// It could not run.
    Error,
}

impl Verdict {
    /// As reports have it.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
            Verdict::Error => "error",
        }
    }

    /// Does it fail the run?
    pub const fn is_bad(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Error)
    }
}

/// A verdict with what led to it.
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is no pass.
    pub message: String,
    /// `file:line:column` of the panic.
    pub location: Option<String>,
    /// Lines of the stack trace.
    pub trace: String,
    /// What it printed.
    pub stdout: String,
    /// What else it wrote, without the report of the panic.
    pub stderr: String,
    /// How long it ran; `None`: it did not run now.
    pub took: Option<Duration>,
    /// How often it ran now.
    pub attempts: u32,
}

impl Outcome {
    /// Did it pass, but not the first time?
    pub fn is_flaky(&self) -> bool {
        self.verdict == Verdict::Pass && self.attempts > 1
    }

    /// A verdict and its reason.
    pub fn new(verdict: Verdict, message: String) -> Outcome {
        Outcome {
            verdict,
            message,
            location: None,
            trace: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            took: None,
            attempts: 0,
        }
    }
}

/// How a run of a test ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its end.
    pub run: Run,
    /// Was it killed because it took too long? Another time it may be quicker, so this is never remembered.
    pub is_late: bool,
    /// How long it took; `None`: it ran in an earlier session.
    pub took: Option<Duration>,
}

/// How a test ended that an earlier session ran, when nothing changed that it reaches.
pub fn known(session: &mut Session, test: ItemId) -> Option<std::sync::Arc<Run>> {
    session.ask(|session| match session.engine.get::<queries::TestVerdict>(&test) {
        Err(query::Interrupt::Unserved) => Ok(None),
        answer => answer.map(|run| Some((*run).clone())),
    })
}
