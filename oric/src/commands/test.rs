//! `oric test` and the tests of `oric check`: one image that holds all tests, a process for each of them, so that a failure, a crash or an exit is that of one
//! test alone. What no change can have reached is not run again: its verdict is an answer of the engine.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use syntax::{Anchor, Diagnostic, DiagnosticCode};

use super::{elapsed, junit, run};
use crate::cli::{FAILED, Format, NOTHING, Output, REFUSED, TestFlags};
use crate::coverage;
use crate::manifest;
use crate::queries;
use crate::session::Session;
use crate::testing::changes::Changes;
use crate::testing::related;
use crate::testing::server::{Mode, Shown};
use crate::testing::work::{Manner, Standing, standings, work};
use crate::testing::{self, Outcome, Test, Verdict};

/// The programs of a request, and which of their tests are meant. An argument that is a folder or a source file is a program; one with `::` is the name of a
/// test as `--list` prints it, and of its file when no program is named.
pub fn programs_and_filters(what: &[String]) -> (Vec<PathBuf>, Vec<String>) {
    let is_program = |text: &&String| !text.contains("::") && (text.ends_with(".ori") || text.contains('/') || Path::new(text).is_dir());
    let (programs, filters): (Vec<&String>, Vec<&String>) = what.iter().partition(is_program);
    let mut programs: Vec<PathBuf> = programs.into_iter().map(PathBuf::from).collect();
    if programs.is_empty() {
        let files = filters.iter().map(|filter| filter.split_once("::").map(|(file, _)| Path::new(file)));
        programs = files.map(|file| file.filter(|file| file.is_file()).unwrap_or(Path::new(".")).to_owned()).collect();
        programs.sort();
        programs.dedup();
        // One name that is in no file of its own is looked for in all of them.
        if programs.is_empty() || programs.iter().any(|program| program == Path::new(".")) {
            programs = vec![PathBuf::from(".")];
        }
    }
    (programs, filters.into_iter().cloned().collect())
}

/// Runs what is selected, shows it and its totals; `errors` says how many errors the check found. Returns the exit status.
pub fn test(session: &mut Session, flags: &TestFlags, filters: &[String], errors: bool, started: Instant, output: &Output) -> i32 {
    let mut tests = testing::all(session);
    forget_what_is_gone(session, &tests);
    // An old report is none of this run, whatever comes of it.
    let report = |cases: &[junit::Case], status: i32| match &flags.junit {
        Some(path) if !flags.list => match std::fs::write(path, junit::report(cases)) {
            Ok(()) => status,
            Err(error) => {
                output.failure(&format!("cannot write {}: {error}", path.display()));
                REFUSED
            }
        },
        Some(_) | None => status,
    };
    let status = if errors { FAILED } else { 0 };
    if tests.is_empty() {
        output.summary(&format!("test: no tests found in {}", elapsed(started)));
        Totals::default().event(started, output);
        return report(&[], status);
    }
    let total = tests.len();
    let names: Vec<String> = tests.iter().map(|test| test.name.clone()).collect();
    tests.retain(|test| test.is_meant(filters, flags.exact) && !(flags.only_attached && test.row.floating));
    if tests.is_empty() {
        output.failure(&nothing_selected(filters, &names, total));
        return report(&[], NOTHING);
    }
    if let Err(status) = keep_related(session, &mut tests, flags, output) {
        return status;
    }
    if flags.failed {
        tests.retain(|test| session.outputs.has_failed(test.row.item));
    }
    if let Some(shard) = flags.shard {
        let mut number = 0;
        tests.retain(|_| {
            number += 1;
            (number - 1) % shard.of == shard.number - 1
        });
    }
    if flags.list {
        list(session, &tests, output);
        return status;
    }
    let mut cases = Vec::new();
    let totals = match carry_out(session, tests, flags, output, true, |session, test, outcome, _| {
        if flags.junit.is_some() {
            cases.push(junit::Case::of(session, test, outcome));
        }
    }) {
        Ok(totals) => totals,
        Err(status) => return status,
    };
    totals.event(started, output);
    if let Some(summary) = coverage::summary(session) {
        output.summary(&summary);
    }
    let text = match (totals.is_empty(), flags.failed, &flags.changed) {
        (true, true, _) => "no test failed before".to_owned(),
        (true, _, Some(commit)) => format!("no test reaches what changed since {commit}"),
        (true, ..) if !flags.related.is_empty() => "no test reaches that".to_owned(),
        (true, ..) if flags.shard.is_some() => "no test is in this shard".to_owned(),
        _ => totals.text(),
    };
    output.summary(&format!("test: {text} in {}", elapsed(started)));
    report(&cases, if totals.is_bad() { FAILED } else { status })
}

/// A test that is no more has not failed.
fn forget_what_is_gone(session: &mut Session, tests: &[Test]) {
    let modules = &session.modules;
    session.outputs.keep_failed(|test| !modules.contains(&test.module()) || tests.iter().any(|other| other.row.item == test));
}

/// Leaves out what does not reach the files that the flags mean. `Err` is an exit status.
fn keep_related(session: &mut Session, tests: &mut Vec<Test>, flags: &TestFlags, output: &Output) -> Result<(), i32> {
    let files = match &flags.changed {
        None if flags.related.is_empty() => return Ok(()),
        None => flags.related.clone(),
        Some(commit) => related::changed_since(&session.project.package, commit).map_err(|why| {
            output.failure(&format!("cannot tell what changed since {commit}: {why}"));
            REFUSED
        })?,
    };
    // What the manifest says concerns all code.
    if files.iter().any(|file| file.file_name().is_some_and(|name| name == manifest::NAME)) {
        return Ok(());
    }
    let (modules, others) = related::modules_of(session, &files);
    if let Some(other) = others.first().filter(|_| flags.changed.is_none()) {
        output.failure(&format!("{} is no file of the program that is tested", other.display()));
        return Err(REFUSED);
    }
    let mut is_related = related::related(session, tests, &modules).into_iter();
    tests.retain(|_| is_related.next().unwrap_or_default());
    Ok(())
}

/// Runs the tests that are attached to what changed, shows those that fail; the totals, when there are tests. `Err` is an exit status.
pub fn affected(session: &mut Session, flags: &TestFlags, output: &Output) -> Result<Option<Totals>, i32> {
    let mut tests = testing::all(session);
    tests.retain(|test| !test.row.floating);
    if tests.is_empty() {
        return Ok(None);
    }
    carry_out(session, tests, flags, output, false, |_, _, _, _| ()).map(Some)
}

/// Finds out what came of each test, and shows it. `fails_again`: tests that failed before run again.
fn carry_out(
    session: &mut Session,
    tests: Vec<Test>,
    flags: &TestFlags,
    output: &Output,
    fails_again: bool,
    mut also: impl FnMut(&Session, &Test, &Outcome, bool) + Send,
) -> Result<Totals, i32> {
    let shows = flags.no_capture.then(|| if output.is_json() { Shown::Error } else { Shown::Output });
    let mode = Mode { shows, checks_leaks: !flags.no_leak_check };
    let timeout = flags.timeout.unwrap_or(session.project.manifest.testing.timeout);
    let manner = Manner { timeout, retries: flags.retries, interp: flags.interp, mode };
    let everything = flags.all || flags.no_capture || flags.no_leak_check;
    let standings = standings(session, &tests, &manner, |outcome| everything || fails_again && outcome.verdict.is_bad());
    let runs = standings.iter().filter(|standing| matches!(standing, Standing::Runs(..))).count();
    let image = (runs > 0 && !flags.interp).then(|| run::made(session, queries::tests_item(), ".tests", output)).transpose()?;
    if runs > MANY {
        // Whoever loses patience keeps the code.
        super::publish(session, output);
    }
    let changes = Changes::of(&session.engine);
    announce(&changes.functions(&session.engine), &tests, &standings, output);
    let show = Show { flags, output, changes };
    let mut totals = Totals::default();
    let mut slow = Vec::new();
    let image = image.as_ref().map(|image| &image.held);
    let verdicts = work(session, &tests, standings, image, &manner, |session, test, outcome, cached| {
        show.show(session, test, outcome, cached);
        slow.extend(warn_of_slowness(session, test, outcome, &manner));
        also(session, test, outcome, cached);
    });
    output.diagnostics(&slow, session);
    for (test, (verdict, cached)) in tests.iter().zip(verdicts) {
        session.outputs.ended(test.row.item, verdict.is_bad());
        totals.add(verdict, cached);
    }
    Ok(totals)
}

/// W0511: an attached test that ran for longer than the package wants to wait at every `check`. How long one took that was stopped is not known, and the
/// interpreter says nothing about how fast a test is.
fn warn_of_slowness(session: &Session, test: &Test, outcome: &Outcome, manner: &Manner) -> Option<Diagnostic> {
    let threshold = session.project.manifest.testing.slow;
    let took = outcome.took.filter(|took| *took > threshold && *took < manner.timeout && !manner.interp && !test.row.floating)?;
    let took = format!("{:.0} ms", took.as_secs_f64() * 1000.0);
    let warning = Diagnostic::new(
        DiagnosticCode::W0511,
        Anchor::Item(test.row.item),
        test.name_span(session),
        [test.row.item.name().into(), took.into()],
    );
    let warning = warning.note("`oric check` runs attached tests").help("make it floating: `tests _`");
    Some(warning.note(format!("more than {threshold:?} is slow; `testing.slow_test_threshold` in ori.toml sets another limit")))
}

/// Names that are shown of the functions that changed.
const NAMES: usize = 5;

/// Says why tests run: what changed, how many that reached, how many failed before.
fn announce(changed: &[String], tests: &[Test], standings: &[Standing], output: &Output) {
    let again = standings.iter().filter(|standing| matches!(standing, Standing::Runs(_, Some(_)))).count();
    let attached = tests.iter().zip(standings).filter(|(test, standing)| !test.row.floating && matches!(standing, Standing::Runs(_, None)));
    let affected = attached.count();
    if changed.is_empty() || affected + again == 0 {
        return;
    }
    let mut text = format!("changed: {}", changed.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", "));
    if changed.len() > NAMES {
        text.push_str(&format!(" and {} more", changed.len() - NAMES));
    }
    text.push_str(&format!("   affected: {affected} of {} tests", tests.len()));
    if again > 0 {
        text.push_str(&format!("   previously failing: {again}"));
    }
    output.summary(&text);
}

/// Tests that run while the code that was made for them is not stored yet.
const MANY: usize = 64;

fn nothing_selected(filters: &[String], names: &[String], total: usize) -> String {
    let asked = filters.iter().map(|filter| format!("`{filter}`")).collect::<Vec<_>>().join(" or ");
    let near = filters.first().and_then(|filter| {
        let filter = filter.trim_start_matches('@');
        hir::resolve::nearest(filter, names.iter().map(|name| name.trim_start_matches('@')))
    });
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("no test matches {asked}, of {total}{near}")
}

/// How many tests ended how.
#[derive(Clone, Copy, Default)]
pub struct Totals {
    /// Of those that ran, by [`Verdict`], and of those that are answers of an earlier session.
    counts: [[usize; 4]; 2],
}

impl Totals {
    fn add(&mut self, verdict: Verdict, cached: bool) {
        self.counts[usize::from(cached)][verdict as usize] += 1;
    }

    fn of(&self, verdict: Verdict) -> usize {
        self.counts.iter().map(|counts| counts[verdict as usize]).sum()
    }

    /// Did a test fail, or could it not run?
    pub fn is_bad(&self) -> bool {
        self.of(Verdict::Fail) + self.of(Verdict::Error) > 0
    }

    fn is_empty(&self) -> bool {
        self.counts.iter().flatten().all(|count| *count == 0)
    }

    /// `3 passed, 1 failed, 46 cached (46 passed)`
    pub fn text(&self) -> String {
        let list = |counts: &[usize; 4]| {
            let words = ["passed", "failed", "skipped", "not run"];
            let parts = counts.iter().zip(words).filter(|(count, _)| **count > 0);
            parts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        };
        let [now, before] = &self.counts;
        let cached: usize = before.iter().sum();
        match (list(now), cached) {
            (now, 0) if now.is_empty() => "0 passed".to_owned(),
            (now, 0) => now,
            (now, _) if now.is_empty() => format!("{cached} cached ({})", list(before)),
            (now, _) => format!("{now}, {cached} cached ({})", list(before)),
        }
    }

    /// The last event.
    pub fn event(&self, started: Instant, output: &Output) {
        output.event(&json!({
            "reason": "tests", "passed": self.of(Verdict::Pass), "failed": self.of(Verdict::Fail), "skipped": self.of(Verdict::Skip),
            "errors": self.of(Verdict::Error), "cached": self.counts[1].iter().sum::<usize>(), "ms": started.elapsed().as_secs_f64() * 1000.0,
        }));
    }
}

fn list(session: &Session, tests: &[Test], output: &Output) {
    for test in tests {
        if output.is_json() {
            output.event(&json!({
                "reason": "test", "name": test.name, "file": test.file, "line": test.line(session), "kind": test.kind(), "result": "listed",
            }));
        } else {
            output.result(&format!("{}::{}\n", test.file, test.name.trim_start_matches('@')));
        }
    }
}

/// Tests on screen.
struct Show<'a> {
    flags: &'a TestFlags,
    output: &'a Output,
    changes: Changes,
}

impl Show<'_> {
    fn show(&self, session: &Session, test: &Test, outcome: &Outcome, cached: bool) {
        let output = self.output;
        let is_shown = outcome.verdict.is_bad() || outcome.is_flaky() || self.flags.verbose;
        if !output.is_json() && !is_shown {
            return;
        }
        let line = test.line(session);
        let path = if outcome.verdict.is_bad() && !cached { self.changes.path(&session.engine, test.row.item) } else { Vec::new() };
        let ms = outcome.took.map(|took| took.as_secs_f64() * 1000.0);
        output.event(&json!({
            "reason": "test", "name": test.name, "file": test.file, "line": line, "kind": test.kind(), "result": outcome.verdict.word(),
            "cached": cached, "path": path, "message": outcome.message, "location": outcome.location, "ms": ms, "attempts": outcome.attempts, "stdout": outcome.stdout, "stderr": outcome.stderr,
        }));
        if output.is_json() {
            return;
        }
        let word = if outcome.is_flaky() { "FLAKY".to_owned() } else { outcome.verdict.word().to_uppercase() };
        if output.format() == Format::Short {
            let message = outcome.message.lines().next().map_or_else(String::new, |message| format!(": {message}"));
            let place = outcome.location.clone().unwrap_or_else(|| format!("{}:{}", test.file, line));
            output.result(&format!("{place}: {word} {}{message}\n", test.name));
            return;
        }
        let mut text = format!("  {word} {} ({}:{})", test.name, test.file, line);
        if let Some(took) = outcome.took.filter(|_| self.flags.verbose) {
            text.push_str(&format!(" in {:.1} ms", took.as_secs_f64() * 1000.0));
        }
        if cached {
            text.push_str(" (cached)");
        }
        text.push('\n');
        let mut part = |title: &str, body: &str| {
            if !title.is_empty() && !body.is_empty() {
                text.push_str(&format!("       {title}:\n"));
            }
            let indent = if title.is_empty() { "       " } else { "         " };
            for line in body.lines() {
                // The frames of a trace have an indentation of their own.
                let line = if title == "stack trace" { line.trim_start() } else { line };
                text.push_str(&format!("{indent}{line}\n"));
            }
        };
        part("", &outcome.message);
        if outcome.attempts > 1 {
            let (word, of) = (if outcome.is_flaky() { "passed" } else { "failed" }, self.flags.retries + 1);
            part("", &format!("{word} at attempt {} of {of}", outcome.attempts));
        }
        if let Some(location) = &outcome.location {
            part("", &format!("at {location}"));
        }
        if path.len() > 1 {
            part("", &format!("path: {}", path.join(" \u{2192} ")));
        }
        if self.flags.verbose {
            part("stack trace", &outcome.trace);
        }
        if !self.flags.no_capture {
            part("standard output", &outcome.stdout);
            if outcome.stderr.trim_end() != outcome.message {
                part("standard error", &outcome.stderr);
            }
        }
        output.result(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::{Totals, programs_and_filters};
    use crate::testing::Verdict;

    #[test]
    fn what_is_a_program_and_what_a_filter() {
        let read = |what: &[&str]| {
            let (programs, filters) = programs_and_filters(&what.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
            (programs.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" "), filters.join(" "))
        };
        let is = |programs: &str, filters: &str| (programs.to_owned(), filters.to_owned());
        assert_eq!(read(&[]), is(".", ""));
        assert_eq!(read(&["turn", "a.ori", "b/", "back"]), is("a.ori b/", "turn back"));
        // Unit tests run in the folder of the crate: a file that is there, and one that is not.
        assert_eq!(read(&["src/lib.rs::test_f"]), is("src/lib.rs", "src/lib.rs::test_f"));
        assert_eq!(read(&["src/lib.rs::test_f", "g"]), is(".", "src/lib.rs::test_f g"));
        assert_eq!(read(&["gone.ori::test_f"]), is(".", "gone.ori::test_f"));
        assert_eq!(read(&["x.ori", "src/lib.rs::test_f"]), is("x.ori", "src/lib.rs::test_f"));
    }

    #[test]
    fn totals_tell_what_ran_from_what_was_known() {
        let mut totals = Totals::default();
        assert_eq!(totals.text(), "0 passed");
        totals.add(Verdict::Pass, true);
        assert_eq!(totals.text(), "1 cached (1 passed)");
        totals.add(Verdict::Fail, false);
        totals.add(Verdict::Skip, false);
        assert_eq!(totals.text(), "1 failed, 1 skipped, 1 cached (1 passed)");
        assert!(totals.is_bad());
    }
}
