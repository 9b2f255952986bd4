//! `oric test`: one image that holds all tests, a process for each of them, so that a failure, a crash or an exit is that of one test alone.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use syntax::{Anchor, Severity};

use super::{build, elapsed, run};
use crate::cli::{FAILED, Format, NOTHING, Output, REFUSED, TestFlags};
use crate::link;
use crate::queries::{self, How, TestRow};
use crate::report::find;
use crate::session::Session;

/// The program of a request, and which of its tests are meant. An argument that is a folder or a source file is the program.
pub fn program_and_filters(what: &[String]) -> (PathBuf, Vec<String>) {
    let is_program = |text: &String| text.ends_with(".ori") || text.contains('/') || Path::new(text).is_dir();
    let at = what.iter().position(is_program);
    let program = at.map_or_else(|| PathBuf::from("."), |at| PathBuf::from(&what[at]));
    let filters = what.iter().enumerate().filter(|(i, _)| Some(*i) != at).map(|(_, text)| text.clone()).collect();
    (program, filters)
}

/// `500ms`, `60s`, `2m` (language/11 §11.9).
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = (text[..digits].parse::<u64>().ok()?, &text[digits..]);
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(ms).map(Duration::from_millis)
}

/// A test with its place.
struct Test {
    row: TestRow,
    name: String,
    file: String,
    line: usize,
}

/// What came of a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    Skip,
    Error,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
            Verdict::Error => "error",
        }
    }
}

/// A verdict with what led to it.
struct Outcome {
    verdict: Verdict,
    message: String,
    /// `file:line:column` of the panic.
    location: Option<String>,
    /// Lines of the stack trace.
    trace: String,
    stdout: String,
    stderr: String,
    took: Option<Duration>,
}

impl Outcome {
    fn new(verdict: Verdict, message: String) -> Outcome {
        Outcome { verdict, message, location: None, trace: String::new(), stdout: String::new(), stderr: String::new(), took: None }
    }
}

/// How a process of a test ended.
struct Ended {
    /// `None`: it was killed because it took too long.
    status: Option<ExitStatus>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    took: Duration,
}

/// Runs what is selected; `errors` says how many errors the check found. Returns the exit status.
pub fn test(session: &mut Session, flags: &TestFlags, filters: &[String], errors: usize, started: Instant, output: &Output) -> i32 {
    let mut tests = all(session);
    tests.sort_by(|a, b| (&a.file, a.line, &a.name).cmp(&(&b.file, b.line, &b.name)));
    if tests.is_empty() {
        output.summary(&format!("test: no tests found in {}", elapsed(started)));
        totals(output, &[], started);
        return if errors > 0 { FAILED } else { 0 };
    }
    let total = tests.len();
    let names: Vec<String> = tests.iter().map(|test| test.name.clone()).collect();
    tests.retain(|test| is_selected(test, filters, flags.exact));
    if tests.is_empty() {
        output.failure(&nothing_selected(filters, &names, total));
        return NOTHING;
    }
    if flags.list {
        list(&tests, output);
        return 0;
    }
    let needs_image = !flags.interp && tests.iter().any(|test| matches!(test.row.how, How::Run(_)));
    let image = match needs_image.then(|| Image::make(session, output)).transpose() {
        Ok(image) => image,
        Err(status) => return status,
    };
    super::publish(session, output);
    let runner = Runner { session, flags, image: image.as_ref(), output };
    let verdicts = runner.all(&tests);
    drop(image);
    totals(output, &verdicts, started);
    let failed = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fail | Verdict::Error));
    if failed || errors > 0 { FAILED } else { 0 }
}

/// The tests of the program, with their places.
fn all(session: &mut Session) -> Vec<Test> {
    let rows = session.ask(|session| session.engine.get::<queries::Tests>(&()));
    let mut tests = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let item = session.ask(|session| session.engine.get::<queries::Item>(&row.item));
        let span = item.as_ref().as_ref().map(|item| item.name_span).unwrap_or_default();
        let Some(found) = find(session, Anchor::Item(row.item), span) else { continue };
        let line = found.line_column().0;
        tests.push(Test { row: row.clone(), name: format!("@{}", row.item.name()), file: found.path, line });
    }
    tests
}

/// A filter is a part of the name, or of `file::name`; with `--exact` it is one of the two.
fn is_selected(test: &Test, filters: &[String], exact: bool) -> bool {
    let bare = test.name.trim_start_matches('@');
    let full = format!("{}::{bare}", test.file);
    filters.is_empty()
        || filters.iter().any(|filter| {
            let filter = filter.trim_start_matches('@');
            if exact { filter == bare || filter == full } else { full.contains(filter) }
        })
}

fn nothing_selected(filters: &[String], names: &[String], total: usize) -> String {
    let asked = filters.iter().map(|filter| format!("`{filter}`")).collect::<Vec<_>>().join(" or ");
    let near = filters.first().and_then(|filter| {
        let filter = filter.trim_start_matches('@');
        hir::resolve::nearest(filter, names.iter().map(|name| name.trim_start_matches('@')))
    });
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("no test matches {asked}, of {total}{near}")
}

fn list(tests: &[Test], output: &Output) {
    for test in tests {
        if output.is_json() {
            let kind = kind(test);
            output.event(
                &json!({ "reason": "test", "name": test.name, "file": test.file, "line": test.line, "kind": kind, "result": "listed" }),
            );
        } else {
            output.result(&format!("{}::{}\n", test.file, test.name.trim_start_matches('@')));
        }
    }
}

const fn kind(test: &Test) -> &'static str {
    if test.row.floating { "floating" } else { "attached" }
}

/// The line at the end.
fn totals(output: &Output, verdicts: &[Verdict], started: Instant) {
    let count = |wanted: Verdict| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let (passed, failed, skipped, broken) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Skip), count(Verdict::Error));
    output.event(&json!({
        "reason": "tests", "passed": passed, "failed": failed, "skipped": skipped, "errors": broken, "ms": started.elapsed().as_secs_f64() * 1000.0,
    }));
    if verdicts.is_empty() {
        return;
    }
    let mut text = format!("test: {passed} passed");
    for (count, word) in [(failed, "failed"), (skipped, "skipped"), (broken, "not run")] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    output.summary(&format!("{text} in {}", elapsed(started)));
}

/// The image of tests on disk.
struct Image {
    path: PathBuf,
    temporary: bool,
}

impl Image {
    fn make(session: &mut Session, output: &Output) -> Result<Image, i32> {
        let name = session.project.manifest.name.clone().unwrap_or_else(|| session.project.main.as_str().to_owned());
        let (path, temporary) = run::place(session, &format!("{name}.tests")).map_err(|error| {
            output.failure(&format!("cannot store the tests: {error}"));
            REFUSED
        })?;
        let image = Image { path, temporary };
        match link::executable(session, queries::tests_item(), &image.path, false) {
            Ok(_) => Ok(image),
            Err(failure) => Err(build::failed(&failure, &image.path, output)),
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

struct Runner<'a> {
    session: &'a Session,
    flags: &'a TestFlags,
    image: Option<&'a Image>,
    output: &'a Output,
}

/// Outcomes that wait for those of earlier tests.
struct Waiting {
    outcomes: Vec<Option<Outcome>>,
    shown: usize,
}

impl Runner<'_> {
    /// Runs the tests, several at a time; shows what came of them in their order, each as soon as those before it are done.
    fn all(&self, tests: &[Test]) -> Vec<Verdict> {
        let next = AtomicUsize::new(0);
        let waiting = Mutex::new(Waiting { outcomes: tests.iter().map(|_| None).collect(), shown: 0 });
        let work = || {
            while let Some((index, test)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| Some((index, tests.get(index)?))) {
                let outcome = self.one(test);
                let mut waiting = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                waiting.outcomes[index] = Some(outcome);
                while let Some(Some(outcome)) = waiting.outcomes.get(waiting.shown) {
                    self.show(&tests[waiting.shown], outcome);
                    waiting.shown += 1;
                }
            }
        };
        // Output that is not captured would mix, and the interpreter wants a stack that only the main thread is known to have.
        let workers = if self.flags.no_capture || self.flags.interp { 1 } else { self.session.setup.workers().min(tests.len()) };
        std::thread::scope(|scope| {
            for _ in 1..workers {
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        let waiting = waiting.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        waiting.outcomes.into_iter().flatten().map(|outcome| outcome.verdict).collect()
    }

    fn one(&self, test: &Test) -> Outcome {
        match test.row.how {
            How::Skip => Outcome::new(Verdict::Skip, test.row.text.clone().unwrap_or_default()),
            How::Broken => Outcome::new(Verdict::Error, "what it reaches does not compile".to_owned()),
            How::Compare => self.compare(test),
            How::Run(number) => match self.process(number) {
                Ok(ended) => judge(test, &ended, self.flags.timeout),
                Err(error) => Outcome::new(Verdict::Error, format!("cannot be started: {error}")),
            },
        }
    }

    /// Judges a test that must not compile by the errors of its item (language/11 §11.4).
    fn compare(&self, test: &Test) -> Outcome {
        let report = match self.session.engine.get::<queries::TestReport>(&test.row.item) {
            Ok(report) => report,
            Err(interrupt) => panic!("the session was interrupted: {interrupt:?}"),
        };
        let errors = report.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
        let lines: Vec<String> =
            errors.map(|error| format!("error[{}]: {}", error.code.as_str(), syntax::diagnostic::message(error))).collect();
        let text = test.row.text.as_deref().unwrap_or_default();
        match lines.first() {
            None => Outcome::new(Verdict::Fail, format!("expected a compile error containing \"{text}\", but the test compiles")),
            Some(_) if lines.iter().any(|line| line.contains(text)) => Outcome::new(Verdict::Pass, String::new()),
            Some(first) => Outcome::new(Verdict::Fail, format!("expected \"{text}\", got: {first}")),
        }
    }

    /// Runs the test with this number in a process of its own, or in the interpreter.
    fn process(&self, number: u32) -> std::io::Result<Ended> {
        let started = Instant::now();
        let Some(image) = self.image else {
            let mut streams = Captured::default();
            let status = run::interpret_to(self.session, queries::tests_item(), &[number.to_string()], &mut streams, true);
            let status = Some(ExitStatus::from_raw(status << 8));
            return Ok(Ended { status, stdout: streams.out, stderr: streams.error, took: started.elapsed() });
        };
        let mut command = Command::new(&image.path);
        command.arg(number.to_string()).stdin(Stdio::null()).stderr(Stdio::piped());
        command.stdout(match (self.flags.no_capture, self.output.is_json()) {
            (false, _) => Stdio::piped(),
            (true, false) => Stdio::inherit(),
            (true, true) => Stdio::from(std::io::stderr()),
        });
        let mut child = command.spawn()?;
        // Both pipes are read to their ends, so that a test that prints much is not stopped by a full one. Their ends are that of the process.
        let (sender, ends) = mpsc::channel();
        let echo = self.flags.no_capture;
        let (out, error) = (child.stdout.take(), child.stderr.take());
        std::thread::scope(|scope| {
            let read = |pipe: Option<Box<dyn Read + Send>>, echo: bool| {
                let sender = sender.clone();
                scope.spawn(move || {
                    let bytes = pipe.map(|pipe| drain(pipe, echo)).unwrap_or_default();
                    let _ = sender.send(());
                    bytes
                })
            };
            let stdout = read(out.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), false);
            let stderr = read(error.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), echo);
            let is_late = !wait_for_ends(&ends, started, self.flags.timeout);
            let status = finish(&mut child, is_late)?;
            let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
            Ok(Ended { status: (!is_late).then_some(status), stdout, stderr, took: started.elapsed() })
        })
    }

    fn show(&self, test: &Test, outcome: &Outcome) {
        let output = self.output;
        let ms = outcome.took.map(|took| took.as_secs_f64() * 1000.0);
        output.event(&json!({
            "reason": "test", "name": test.name, "file": test.file, "line": test.line, "kind": kind(test), "result": outcome.verdict.word(),
            "message": outcome.message, "location": outcome.location, "ms": ms, "stdout": outcome.stdout, "stderr": outcome.stderr,
        }));
        let is_bad = matches!(outcome.verdict, Verdict::Fail | Verdict::Error);
        if output.is_json() || !(is_bad || self.flags.verbose) {
            return;
        }
        let word = outcome.verdict.word().to_uppercase();
        if output.format() == Format::Short {
            let message = outcome.message.lines().next().map_or_else(String::new, |message| format!(": {message}"));
            let place = outcome.location.clone().unwrap_or_else(|| format!("{}:{}", test.file, test.line));
            output.result(&format!("{place}: {word} {}{message}\n", test.name));
            return;
        }
        let mut text = format!("  {word} {} ({}:{})", test.name, test.file, test.line);
        if let Some(took) = outcome.took.filter(|_| self.flags.verbose) {
            text.push_str(&format!(" in {:.1} ms", took.as_secs_f64() * 1000.0));
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
        if let Some(location) = &outcome.location {
            part("", &format!("at {location}"));
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

/// Output of a test in the interpreter.
#[derive(Default)]
struct Captured {
    out: Vec<u8>,
    error: Vec<u8>,
}

impl mir::interp::Output for Captured {
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32> {
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn write_error(&mut self, bytes: &[u8]) {
        self.error.extend_from_slice(bytes);
    }
}

/// Everything that comes out of a pipe; on our standard error too when it is not captured.
fn drain(mut pipe: impl Read, echo: bool) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 1 << 13]);
    loop {
        match pipe.read(&mut part) {
            Ok(0) => return all,
            Ok(length) => {
                all.extend_from_slice(&part[..length]);
                if echo {
                    let _ = std::io::stderr().write_all(&part[..length]);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return all,
        }
    }
}

/// Waits until both pipes end; false when that takes too long.
fn wait_for_ends(ends: &mpsc::Receiver<()>, started: Instant, timeout: Duration) -> bool {
    (0..2).all(|_| {
        let left = timeout.saturating_sub(started.elapsed());
        !matches!(ends.recv_timeout(left), Err(mpsc::RecvTimeoutError::Timeout))
    })
}

fn finish(child: &mut Child, kill: bool) -> std::io::Result<ExitStatus> {
    if kill {
        child.kill()?;
    }
    child.wait()
}

/// The verdict on a test that ran.
fn judge(test: &Test, ended: &Ended, timeout: Duration) -> Outcome {
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    let report = Report::of(&stderr);
    let mut outcome = Outcome::new(Verdict::Fail, String::new());
    outcome.took = Some(ended.took);
    outcome.stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    outcome.stderr = report.as_ref().map_or(stderr.as_str(), |report| report.before).to_owned();
    let wanted = test.row.text.as_deref();
    let code = ended.status.and_then(|status| status.code());
    (outcome.verdict, outcome.message) = match (ended.status, code, &report, wanted) {
        (None, ..) => (Verdict::Fail, format!("took longer than {timeout:?}")),
        (_, Some(0), _, None) => (Verdict::Pass, String::new()),
        (_, Some(0), _, Some(text)) => (Verdict::Fail, format!("expected a panic containing \"{text}\", but the test returned")),
        (_, Some(1), Some(report), None) => (Verdict::Fail, report.message.to_owned()),
        (_, Some(1), Some(report), Some(text)) if report.message.contains(text) => (Verdict::Pass, String::new()),
        (_, Some(1), Some(report), Some(text)) => {
            (Verdict::Fail, format!("expected a panic containing \"{text}\", got \"{}\"", report.message))
        }
        // Fatal failures (language/10 §10.8), exits, signals.
        (Some(status), code, ..) => {
            let fatal = stderr.lines().rev().find(|line| line.starts_with("fatal: ") || line.starts_with("abort: "));
            let end = match code {
                Some(code) => format!("ended with exit status {code}"),
                None => format!("ended by signal {}", status.signal().unwrap_or(0)),
            };
            (Verdict::Fail, fatal.map_or(end, str::to_owned))
        }
    };
    if outcome.verdict == Verdict::Fail
        && let Some(report) = report
    {
        outcome.location = Some(report.location.to_owned());
        outcome.trace = report.trace.to_owned();
    }
    outcome
}

/// The report of a panic on standard error (language/10 §10.4). Nothing else that a program writes there begins a line with `panic: `, because texts that
/// `dbg` shows have no raw newlines; and nothing comes after it.
struct Report<'a> {
    before: &'a str,
    message: &'a str,
    location: &'a str,
    trace: &'a str,
}

impl<'a> Report<'a> {
    fn of(stderr: &'a str) -> Option<Report<'a>> {
        const START: &str = "panic: ";
        let start = if stderr.starts_with(START) { 0 } else { stderr.find("\npanic: ")? + 1 };
        let (before, rest) = (&stderr[..start], &stderr[start + START.len()..]);
        let (head, trace) = rest.rsplit_once("\n  stack trace (most recent first):\n").unwrap_or((rest.trim_end_matches('\n'), ""));
        let (message, location) = head.rsplit_once(" at ")?;
        Some(Report { before, message, location, trace })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Report, duration};

    #[test]
    fn a_report_has_a_message_of_any_shape() {
        let text =
            "[a.ori:1:2] x = \"\\npanic: \"\npanic: look at\nthis at a.ori:3:4\n  stack trace (most recent first):\n    @t at a.ori:3:4\n";
        let report = Report::of(text).expect("a report");
        assert_eq!((report.message, report.location), ("look at\nthis", "a.ori:3:4"));
        assert_eq!(report.trace, "    @t at a.ori:3:4\n");
        assert_eq!(report.before, "[a.ori:1:2] x = \"\\npanic: \"\n");
        assert!(Report::of("nothing\n").is_none());
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!((duration("5"), duration("s"), duration("1h")), (None, None, None));
    }
}
