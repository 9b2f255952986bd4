//! Which verdicts are known and which tests must run; running them; giving the engine their ends.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use query::Interrupt;
use rustix::process::Signal;
use syntax::Severity;

use super::judge::judge;
use super::server::{Mode, Server};
use super::{Ended, Outcome, Test, Verdict, known};
use crate::held::Held;
use crate::queries::{self, CodeKey, How, Run, RunKey};
use crate::session::Session;

/// What is known of a test before any of them runs.
pub enum Standing {
    /// Its verdict, which no run is needed for.
    Settled(Outcome),
    /// The verdict of an earlier session: nothing changed that the test reaches.
    Cached(Outcome),
    /// It must run: its number in the image, and how it ended before, when it runs again for another reason than a change.
    Runs(u32, Option<Arc<Run>>),
}

/// How tests are run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Longest time that a test may take.
    pub timeout: Duration,
    /// How often a test that fails is run again.
    pub retries: u32,
    /// In the interpreter, one after the other.
    pub interp: bool,
    /// What the servers are started with.
    pub mode: Mode,
}

/// What is known of each test. `again` tells for a cached verdict whether the test is to run nevertheless.
pub fn standings(session: &mut Session, tests: &[Test], manner: &Manner, again: impl Fn(&Outcome) -> bool) -> Vec<Standing> {
    // Code is made on all workers before the questions, which come one by one.
    if !manner.interp && session.setup.release.is_none() && tests.iter().any(|test| matches!(test.row.how, How::Run(_))) {
        session.generate(queries::tests_item());
    }
    let mut standings = Vec::with_capacity(tests.len());
    for test in tests {
        standings.push(match test.row.how {
            How::Skip => Standing::Settled(Outcome::new(Verdict::Skip, test.row.text.clone().unwrap_or_default())),
            How::Broken => Standing::Settled(Outcome::new(Verdict::Error, "what it reaches does not compile".to_owned())),
            How::Compare => Standing::Settled(compare(session, test)),
            // What a floating test finds may depend on more than its code (language/11 §11.6).
            How::Run(number) if manner.interp || test.row.floating => Standing::Runs(number, None),
            How::Run(number) => match known(session, test.row.item) {
                None => Standing::Runs(number, None),
                Some(run) => {
                    let outcome = judge(test, &Ended { run: (*run).clone(), is_late: false, took: None }, manner.timeout);
                    if again(&outcome) { Standing::Runs(number, Some(run)) } else { Standing::Cached(outcome) }
                }
            },
        });
    }
    standings
}

/// Judges a test that must not compile by the errors of its item (language/11 §11.4).
fn compare(session: &mut Session, test: &Test) -> Outcome {
    let report = session.ask(|session| session.engine.get::<queries::TestReport>(&test.row.item));
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

/// Outcomes that wait for those of earlier tests.
struct Waiting<'a, S> {
    outcomes: Vec<Option<(Outcome, bool)>>,
    shown: usize,
    show: S,
    tests: &'a [Test],
}

impl<S: FnMut(&Session, &Test, &Outcome, bool)> Waiting<'_, S> {
    /// Shows what nothing earlier is missing for.
    fn go_on(&mut self, session: &Session) {
        while let Some(Some((outcome, cached))) = self.outcomes.get(self.shown) {
            (self.show)(session, &self.tests[self.shown], outcome, *cached);
            self.shown += 1;
        }
    }
}

/// Runs what must run, several at a time, and shows what came of each test (and whether it was known before) in their order, as soon as those before it are
/// done. `image` is there when a test must run as machine code.
pub fn work(
    session: &mut Session,
    tests: &[Test],
    standings: Vec<Standing>,
    image: Option<&Held>,
    manner: &Manner,
    show: impl FnMut(&Session, &Test, &Outcome, bool) + Send,
) -> Vec<(Verdict, bool)> {
    let (mut runs, mut outcomes) = (Vec::new(), Vec::with_capacity(tests.len()));
    for (index, standing) in standings.into_iter().enumerate() {
        outcomes.push(match standing {
            Standing::Settled(outcome) => Some((outcome, false)),
            Standing::Cached(outcome) => Some((outcome, true)),
            Standing::Runs(number, before) => {
                runs.push((index, number, before));
                None
            }
        });
    }
    let waiting = Mutex::new(Waiting { outcomes, shown: 0, show, tests });
    let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let here = &*session;
    lock().go_on(here);
    let next = AtomicUsize::new(0);
    let ends: Mutex<Vec<(usize, Run)>> = Mutex::default();
    let runner = || {
        let mut server = None;
        while let Some((index, number, _)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (outcome, run) = attempt(manner.retries, || {
                let ended = match image {
                    Some(image) => native(&mut server, image, *number, manner),
                    None => Ok(interpreted(here, *number)),
                };
                match ended {
                    Ok(ended) => (judge(&tests[*index], &ended, manner.timeout), Some(ended).filter(is_repeatable)),
                    Err(error) => (Outcome::new(Verdict::Error, format!("cannot be run: {error}")), None),
                }
            });
            // One that ends now in this way and now in another has no verdict to be remembered.
            if let Some(ended) = run.filter(|_| !outcome.is_flaky()) {
                ends.lock().unwrap_or_else(PoisonError::into_inner).push((*index, ended.run));
            }
            let mut waiting = lock();
            waiting.outcomes[*index] = Some((outcome, false));
            waiting.go_on(here);
        }
    };
    // Output that is not captured would mix, and the interpreter wants a stack that only the main thread is known to have.
    let one_by_one = manner.interp || manner.mode.shows.is_some();
    let workers = if one_by_one || runs.len() < 2 { 1 } else { here.setup.workers().min(runs.len()) };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            let _ = std::thread::Builder::new().spawn_scoped(scope, runner);
        }
        runner();
    });
    let outcomes = waiting.into_inner().unwrap_or_else(PoisonError::into_inner).outcomes;
    if !manner.interp && manner.mode.is_whole() {
        let before = |index: usize| runs.iter().find(|(at, ..)| *at == index).and_then(|(.., before)| before.clone());
        let mut ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        ends.sort_by_key(|(index, _)| *index);
        for (index, run) in ends.into_iter().filter(|(index, _)| !tests[*index].row.floating) {
            remember(session, &tests[index], run, before(index).as_deref());
        }
    }
    outcomes.into_iter().flatten().map(|(outcome, cached)| (outcome.verdict, cached)).collect()
}

/// Runs a test until it does not fail, at most so many times more; what came of the last time.
fn attempt<T>(retries: u32, mut run: impl FnMut() -> (Outcome, T)) -> (Outcome, T) {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (outcome, rest) = run();
        if !outcome.verdict.is_bad() || attempts > retries {
            return (Outcome { attempts, ..outcome }, rest);
        }
    }
}

/// Would it end in the same way another time? Not when somebody else ended it, or when there was too little of something.
fn is_repeatable(ended: &Ended) -> bool {
    let by_others = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::XCPU, Signal::PIPE, Signal::ALARM];
    let signal = ExitStatus::from_raw(ended.run.status).signal();
    let starves = |line: &[u8]| line.starts_with(b"fatal: out of memory");
    !ended.is_late
        && !signal.is_some_and(|signal| by_others.iter().any(|other| other.as_raw() == signal))
        && !ended.run.stderr.split(|byte| *byte == b'\n').any(starves)
}

/// Runs a test in a process of its own, forked from the server of this worker.
fn native(server: &mut Option<Server>, image: &Held, number: u32, manner: &Manner) -> io::Result<Ended> {
    let mut serving = match server.take() {
        Some(serving) => serving,
        None => Server::start(image, manner.mode)?,
    };
    let ended = serving.run(number, manner.timeout)?;
    if !ended.is_late {
        *server = Some(serving);
    }
    Ok(ended)
}

/// Runs a test in the interpreter.
fn interpreted(session: &Session, number: u32) -> Ended {
    let started = Instant::now();
    let mut streams = Captured::default();
    let (status, _) = session.interpret(queries::tests_item(), &[number.to_string()], &mut streams, true);
    let run = Run { status: status << 8, stdout: streams.out, stderr: streams.error };
    Ended { run, is_late: false, took: Some(started.elapsed()) }
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

/// Gives the engine the end of a test.
fn remember(session: &mut Session, test: &Test, run: Run, before: Option<&Run>) {
    let item = test.row.item;
    if before == Some(&run) {
        return;
    }
    let of = CodeKey { test: item, code: *session.ask(|session| session.engine.get::<queries::TestCode>(&item)) };
    if before.is_some() {
        // The same code ended in another way: what the engine believed is no longer so.
        let places = run.shows_places().then(|| *session.ask(|session| session.engine.get::<queries::TestPlaces>(&item)));
        let changed = session.engine.edit(|engine| {
            engine.set::<queries::TestShows>(&of, run.shows_places())?;
            engine.set::<queries::TestRun>(&RunKey { of, places }, run.clone())
        });
        if matches!(changed, Err(Interrupt::Damaged)) {
            return;
        }
    }
    session.inputs.runs.add(of, run);
    known(session, item);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Ended, Outcome, Run, Verdict, attempt, is_repeatable, remember};
    use crate::project::Project;
    use crate::session::{Session, Setup};
    use crate::testing::{all, known};

    fn ended(status: i32, stderr: &str) -> Run {
        Run { status, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() }
    }

    #[test]
    fn a_test_that_fails_gets_another_chance_but_not_more_than_were_given() {
        let count = |passes_at: u32, retries: u32| {
            let mut number = 0;
            let (outcome, ()) = attempt(retries, || {
                number += 1;
                (Outcome::new(if number >= passes_at { Verdict::Pass } else { Verdict::Fail }, String::new()), ())
            });
            (outcome.verdict, outcome.attempts, outcome.is_flaky())
        };
        assert_eq!(count(1, 3), (Verdict::Pass, 1, false));
        assert_eq!(count(3, 3), (Verdict::Pass, 3, true));
        assert_eq!(count(3, 1), (Verdict::Fail, 2, false));
        assert_eq!(count(2, 0), (Verdict::Fail, 1, false));
    }

    #[test]
    fn what_others_did_to_a_test_is_not_remembered() {
        let end = |status, stderr: &str| Ended { run: ended(status, stderr), is_late: false, took: None };
        assert!(is_repeatable(&end(0, "")) && is_repeatable(&end(1 << 8, "panic: no at a.ori:1:1\n")) && is_repeatable(&end(11, "")));
        assert!(!is_repeatable(&end(9, "")) && !is_repeatable(&end(15, "")));
        assert!(!is_repeatable(&end(1 << 8, "note\nfatal: out of memory at a.ori:1:1\n")));
        assert!(!is_repeatable(&Ended { is_late: true, ..end(0, "") }));
    }

    /// The same code that ends in another way than was remembered: the new end is what is known from then on, whether it shows places or not.
    #[test]
    fn another_end_of_the_same_code_takes_the_place_of_the_first() {
        let folder = std::env::temp_dir().join(format!("oric-remember-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let file = folder.join("t.ori");
        std::fs::write(&file, "@f () -> int = 1;\n@test_f tests @f () -> void = assert_eq(actual: f(), expected: 1);\n")
            .expect("a file can be written");
        let project = Project::of_file(Path::new(&file)).expect("it is there");
        let work = move || {
            let mut session = Session::open(project, Setup { tests: true, ..Setup::default() }).expect("it loads");
            let tests = all(&mut session);
            let [test] = &tests[..] else { panic!("one test") };
            assert!(known(&mut session, test.row.item).is_none());
            let ends = [ended(0, ""), ended(1 << 8, "panic: 1 at t.ori:2:1\n"), ended(1 << 8, "panic: 2 at t.ori:2:1\n"), ended(0, "")];
            let mut before: Option<Run> = None;
            for end in ends {
                remember(&mut session, test, end.clone(), before.as_ref());
                assert_eq!(known(&mut session, test.row.item).as_deref(), Some(&end));
                before = Some(end);
            }
        };
        let worker = std::thread::Builder::new().stack_size(crate::session::WORKER_STACK).spawn(work).expect("a thread can be started");
        let done = worker.join();
        let _ = std::fs::remove_dir_all(&folder);
        assert!(done.is_ok());
    }
}
