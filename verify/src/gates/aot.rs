//! `aot-tests-check`: many small programs, each an executable of its own, and nothing but what it should do comes of any.
//!
//! One compiler stays, a session a worker: every program is the next text of the same file, so what the library is made of is computed once. A program is
//! checked, made code of, linked in memory, run from a memory file with leaks looked for, and compared: those of `fixtures/run` with what they say, generated ones with
//! the interpreter, which sees them in sessions of their own before the clock runs. `ORI_TEST_TIMING=1` shows where the time went.

mod batch;
mod linkers;

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fixtures::programs::{Expectation, Outcome};
use oric::project::{Project, SourceFile, source_file};
use oric::queries::{self, Options};
use oric::session::{Session, WORKER_STACK};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags};
use syntax::Severity;

use crate::evidence::{Evidence, Table};
use crate::gates::heap;
use crate::program::{self, Program, guarded};
use crate::{child, typed, workers};

const NAME: &str = "aot-tests-check";

/// Programs of the gate, those of the fixtures among them.
const USUAL: usize = 500;
/// What the issue asks for.
pub const FULL: usize = 2000;
/// A program that runs longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Instructions of a generated program in the interpreter at most.
const STEPS: u64 = 50_000_000;
/// A session that has seen so many programs is replaced: what it knows of items that are gone is worth nothing.
const TURNS: usize = 64;

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    check(&mut evidence, USUAL);
    negatives(&mut evidence);
    evidence.close()
}

/// A program and what must come of it.
struct Case {
    name: String,
    text: String,
    /// Its file, when it imports others.
    file: Option<PathBuf>,
    wanted: Wanted,
}

enum Wanted {
    /// What the program says.
    Said(Expectation),
    /// What the interpreter did.
    Done(Outcome),
}

/// Where the time of a program went.
#[derive(Clone, Copy, Default)]
struct Split {
    /// Programs that were looked at.
    programs: usize,
    front: Duration,
    code: Duration,
    link: Duration,
    run: Duration,
}

/// So many programs, compared and timed.
pub fn check(evidence: &mut Evidence, count: usize) {
    let (cases, from_fixtures) = match cases(count, evidence) {
        Ok(cases) => cases,
        Err(why) => return evidence.fail(why),
    };
    let started = Instant::now();
    let (split, failures) = all(&cases);
    let wall = started.elapsed();
    failures.into_iter().for_each(|failure| evidence.fail(failure));
    if cases.len() < count {
        evidence.fail(format!("{} programs instead of {count}", cases.len()));
    }
    let mut table = Table::new("programs", &["what", "count"]);
    table.row(["programs of the fixtures".to_owned(), from_fixtures.to_string()]);
    table.row(["generated programs".to_owned(), (cases.len() - from_fixtures).to_string()]);
    table.row(["their lines".to_owned(), cases.iter().map(|case| case.text.lines().count()).sum::<usize>().to_string()]);
    evidence.table(table);
    if std::env::var_os("ORI_TEST_TIMING").is_some_and(|value| value == "1") {
        let mut table = Table::new("time", &["phase", "ms", "ms a program"]);
        let mut row = |phase: &str, time: Duration| {
            let ms = time.as_secs_f64() * 1000.0;
            table.row([phase.to_owned(), format!("{ms:.0}"), format!("{:.3}", ms / cases.len() as f64)]);
        };
        row("front end", split.front);
        row("code", split.code);
        row("link", split.link);
        row("start, run, end", split.run);
        row(&format!("wall, {} workers", workers::count()), wall);
        evidence.table(table);
    }
    modes(evidence, &cases);
}

/// Programs and what they took.
pub struct Timed {
    /// Programs.
    pub programs: usize,
    /// Their lines.
    pub lines: usize,
    /// From the first text to the end of the last run.
    pub wall: Duration,
    /// Front end, code, link, and the runs, added up over the workers.
    pub phases: [Duration; 4],
    /// What is wrong.
    pub failures: Vec<String>,
}

fn timed(cases: &[Case]) -> Timed {
    let started = Instant::now();
    let (split, failures) = all(cases);
    let lines = cases.iter().map(|case| case.text.lines().count()).sum();
    Timed { programs: cases.len(), lines, wall: started.elapsed(), phases: [split.front, split.code, split.link, split.run], failures }
}

/// So many programs of the gate, for a benchmark.
pub fn timed_corpus(count: usize) -> Result<Timed, String> {
    let mut evidence = Evidence::new("aot-corpus");
    let (cases, _) = cases(count, &mut evidence)?;
    Ok(timed(&cases))
}

/// Programs with what they print, where that is known.
pub fn timed_programs(programs: Vec<(String, Option<String>)>) -> Result<Timed, String> {
    let case = |(at, (text, printed)): (usize, (String, Option<String>))| -> Result<Case, String> {
        let stdout = match printed {
            Some(printed) => printed,
            None => interpreted(&text)?.ok_or("a program is not for the interpreter")?.stdout,
        };
        let wanted = Wanted::Done(Outcome { stdout, stderr: String::new(), status: 0 });
        Ok(Case { name: format!("program {at}"), text, file: None, wanted })
    };
    let cases: Vec<Case> = programs.into_iter().enumerate().map(case).collect::<Result<_, String>>()?;
    Ok(timed(&cases))
}

/// The same programs in other ways: many in one image, and through other linkers.
fn modes(evidence: &mut Evidence, cases: &[Case]) {
    let mut table = Table::new("modes", &["mode", "programs", "images", "alone", "ms a program"]);
    let batched = batch::run(cases);
    let ms = |time: Duration, programs: usize| format!("{:.3}", time.as_secs_f64() * 1000.0 / programs.max(1) as f64);
    table.row([
        "many in one image",
        &batched.programs.to_string(),
        &batched.images.to_string(),
        &batched.alone.to_string(),
        &ms(batched.time, batched.programs),
    ]);
    if batched.programs * 2 < cases.len() {
        evidence.fail(format!("{} of {} programs ran with others in an image", batched.programs, cases.len()));
    }
    batched.failures.into_iter().for_each(|failure| evidence.fail(failure));
    for linker in linkers::run(cases) {
        let shown = match linker.missing {
            Some(why) => [linker.name, why, String::new(), String::new(), String::new()],
            None => {
                let (programs, time) = (linker.programs.to_string(), ms(linker.time, linker.programs));
                [format!("ORI_LINKER={}", linker.name), programs.clone(), programs, String::new(), time]
            }
        };
        table.row(shown);
        linker.failures.into_iter().for_each(|failure| evidence.fail(failure));
    }
    evidence.table(table);
}

/// The programs of `fixtures/run` that stand in the corpus, and generated ones up to this number.
fn cases(count: usize, evidence: &mut Evidence) -> Result<(Vec<Case>, usize), String> {
    let mut cases = Vec::new();
    for file in fixtures::programs::programs() {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let said = Expectation::read(&text, &file)?;
        // How deep a stack is, is no matter of the program.
        if said.is_exhaustion() {
            continue;
        }
        let imports = text.lines().any(|line| line.trim_start().starts_with("use \"") || line.trim_start().starts_with("pub use \""));
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        cases.push(Case { name, text, file: imports.then_some(file), wanted: Wanted::Said(said) });
    }
    let from_fixtures = cases.len();
    // A few generated programs run too long for the interpreter.
    let seeds: Vec<u64> = (1..=(count.saturating_sub(from_fixtures) as u64) * 21 / 20 + 1).collect();
    let generated = workers::each(&seeds, |&seed| {
        let text = typed::Program::new(seed).source();
        interpreted(&text).map(|outcome| outcome.map(|outcome| (text, outcome)))
    });
    for (seed, generated) in seeds.iter().zip(generated) {
        match generated.and_then(|generated| generated) {
            Ok(Some((text, outcome))) if cases.len() < count => {
                cases.push(Case { name: format!("generated {seed}"), text, file: None, wanted: Wanted::Done(outcome) });
            }
            Ok(_) => {}
            Err(why) => evidence.fail(format!("generated {seed} (verify generate --typed {seed}): {why}")),
        }
    }
    Ok((cases, from_fixtures))
}

/// What the interpreter makes of a program; nothing when that says nothing of machine code.
fn interpreted(text: &str) -> Result<Option<Outcome>, String> {
    let program = Program::of_text(text, Options::default()).map_err(|why| why.to_string())?;
    let ran = program.interpret(&[], program::bounded(STEPS))?;
    use mir::interp::Outcome as End;
    Ok(match ran.outcome {
        End::Exit(_) | End::Panicked { .. } => Some(outcome(&ran.ending)),
        End::Broken(why) => return Err(format!("the interpreter: {why}")),
        End::LimitExceeded(_) | End::StackOverflow { .. } | End::OutputClosed => None,
    })
}

fn outcome(ending: &child::Ending) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = ending.status.unwrap_or_else(|| 128 + ending.signal.unwrap_or(0));
    Outcome { stdout: text(&ending.stdout), stderr: text(&ending.stderr), status }
}

/// Compiles and runs all, on all workers.
fn all(cases: &[Case]) -> (Split, Vec<String>) {
    let next = AtomicUsize::new(0);
    let done: Mutex<(Split, Vec<(usize, String)>)> = Mutex::default();
    let work = || {
        let (mut split, mut failures) = (Split::default(), Vec::new());
        let mut compiler = Compiler::default();
        while let Some((at, case)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?))) {
            split.programs += 1;
            let wrong = match guarded(|| compiler.compile(case, &mut split)).and_then(|image| image) {
                Ok(image) => {
                    let started = Instant::now();
                    let ran = execute(&image, arguments(case), PATIENCE);
                    split.run += started.elapsed();
                    judge(&case.wanted, ran)
                }
                Err(why) => {
                    // Its engine was stopped somewhere.
                    compiler = Compiler::default();
                    vec![why]
                }
            };
            failures.extend(wrong.into_iter().map(|what| (at, format!("{}: {what}", case.name))));
        }
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.0.programs += split.programs;
        done.0.front += split.front;
        done.0.code += split.code;
        done.0.link += split.link;
        done.0.run += split.run;
        done.1.extend(failures);
    };
    std::thread::scope(|scope| {
        for _ in 0..workers::count() {
            // Without threads nothing is looked at, which the count shows.
            let _ = std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, work);
        }
    });
    let (split, mut failures) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if split.programs != cases.len() {
        failures.push((cases.len(), format!("{} of {} programs were looked at", split.programs, cases.len())));
    }
    failures.sort();
    (split, failures.into_iter().map(|(_, failure)| failure).collect())
}

fn arguments(case: &Case) -> &[String] {
    match &case.wanted {
        Wanted::Said(said) => &said.args,
        Wanted::Done(_) => &[],
    }
}

/// The compiler that stays.
#[derive(Default)]
struct Compiler {
    session: Option<Session>,
    turns: usize,
}

impl Compiler {
    /// The executable of a program.
    fn compile(&mut self, case: &Case, split: &mut Split) -> Result<Vec<u8>, String> {
        let mut link = Duration::ZERO;
        let image = self.asked(case, split, |session, main| {
            let started = Instant::now();
            let linked = session.engine.get::<queries::Linked>(&main).map_err(|interrupt| format!("{interrupt:?}"))?;
            let image = (**linked).as_ref().map(|linked| linked.image.clone()).map_err(|why| format!("{why:?}"));
            link = started.elapsed();
            image
        });
        split.link += link;
        image
    }

    /// Checks a program, makes its code, and goes on with that.
    fn asked<T>(
        &mut self,
        case: &Case,
        split: &mut Split,
        link: impl FnOnce(&Session, ir::ItemId) -> Result<T, String>,
    ) -> Result<T, String> {
        let started = Instant::now();
        let alone;
        let session = match &case.file {
            Some(file) => {
                let project = Project::of_file(file).map_err(|error| format!("{error:?}"))?;
                alone = Session::load(project, Options::default(), 1).map_err(|error| format!("{error:?}"))?;
                &alone
            }
            None => self.with(case)?,
        };
        let found = session.diagnostics().map_err(|interrupt| format!("{interrupt:?}"))?;
        let refused = found.iter().find(|found| found.severity() == Severity::Error);
        if let Some(error) = refused {
            return Err(format!("refused: {}", syntax::diagnostic::message(error)));
        }
        split.front += started.elapsed();
        let started = Instant::now();
        let main = session.main_item();
        session.engine.get::<queries::Reachable>(&main).map_err(|interrupt| format!("{interrupt:?}"))?;
        split.code += started.elapsed();
        link(session, main)
    }

    /// The session, with this text in its file.
    fn with(&mut self, case: &Case) -> Result<&Session, String> {
        self.turns += 1;
        if self.turns.is_multiple_of(TURNS) {
            self.session = None;
        }
        let made;
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                // Any file will do: a project has a place on disk, and this one is never read.
                made = Project::of_file(&crate::corpus::root().join("examples/hello.ori")).map_err(|error| format!("{error:?}"))?;
                none.insert(Session::in_memory(made, Options::default(), text_of("")))
            }
        };
        let path = match &case.wanted {
            // Reports of panics name the file.
            Wanted::Said(_) => case.name.clone(),
            Wanted::Done(_) => "main.ori".to_owned(),
        };
        let (main, source) = (session.project.main, SourceFile { path, ..text_of(&case.text) });
        session.engine.edit(|engine| engine.set::<queries::Source>(&main, source)).map_err(|interrupt| format!("{interrupt:?}"))?;
        Ok(session)
    }
}

fn text_of(text: &str) -> SourceFile {
    source_file(ir::Symbol::new("hello"), "main.ori".to_owned(), text.as_bytes().to_vec(), None)
}

/// Runs an image from memory, leaks looked for; nothing when it was killed because it did not end.
fn execute(image: &[u8], args: &[String], patience: Duration) -> Result<Option<Outcome>, String> {
    let failed = |error: std::io::Error| format!("cannot be run: {error}");
    let memory = |name: &str| memfd_create(name, MemfdFlags::CLOEXEC).map(File::from).map_err(|error| failed(error.into()));
    let program = child::Program::new(image).map_err(failed)?;
    let (mut stdout, mut stderr) = (memory("stdout")?, memory("stderr")?);
    let mut command = Command::new(program.path());
    command.args(args).env_clear().env("ORI_CHECK_LEAKS", "1").stdin(Stdio::null());
    command.stdout(stdout.try_clone().map_err(failed)?).stderr(stderr.try_clone().map_err(failed)?);
    let mut process = command.spawn().map_err(failed)?;
    let ended = Pid::from_raw(process.id().cast_signed())
        .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok())
        .is_none_or(|end| {
            let time = Timespec { tv_sec: patience.as_secs().cast_signed(), tv_nsec: i64::from(patience.subsec_nanos()) };
            rustix::event::poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&time)).is_ok_and(|ready| ready > 0)
        });
    if !ended {
        let _ = process.kill();
    }
    let status = process.wait().map_err(failed)?;
    let text = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map(|_| String::from_utf8_lossy(&bytes).into_owned()).map_err(failed)
    };
    let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(ended.then_some(Outcome { stdout: text(&mut stdout)?, stderr: text(&mut stderr)?, status }))
}

/// What does not hold of a run.
fn judge(wanted: &Wanted, ran: Result<Option<Outcome>, String>) -> Vec<String> {
    let ran = match ran {
        Ok(Some(ran)) => ran,
        Ok(None) => return vec!["it does not end".to_owned()],
        Err(why) => return vec![why],
    };
    match wanted {
        Wanted::Said(said) => said.failures("the executable", &ran),
        Wanted::Done(done) if *done == ran => Vec::new(),
        Wanted::Done(done) => vec![format!("the interpreter {done:?}, the executable {ran:?}")],
    }
}

/// Shows what must be refused.
fn negatives(evidence: &mut Evidence) {
    let said = |text: &str| Expectation::read(text, std::path::Path::new("x.ori")).map(Wanted::Said);
    let good = "@main () -> void = print(msg: \"a\");\n// prints:\n// a\n";
    let mut table = Table::new("negatives", &["planted", "found"]);
    // Each is refused for its own reason: that it cannot be compiled is another one.
    let mut plant = |what: &str, reason: &str, found: Result<Vec<String>, String>| {
        let found = found.unwrap_or_else(|why| vec![why]);
        if !found.iter().any(|found| found.contains(reason)) {
            evidence.fail(format!("planted {what}: `{reason}` is not among what was found: {found:?}"));
        }
        table.row([what.to_owned(), found.join("; ")]);
    };
    let of = |text: &str, said_by: &str, patience: Duration| -> Result<Vec<String>, String> {
        let case = Case { name: "planted".to_owned(), text: text.to_owned(), file: None, wanted: said(said_by)? };
        let image = Compiler::default().compile(&case, &mut Split::default())?;
        Ok(judge(&case.wanted, execute(&image, &[], patience)))
    };
    plant("another output", "prints Some(\"b\")", of("@main () -> void = print(msg: \"b\");\n", good, PATIENCE));
    plant("a program that does not end", "it does not end", of("@main () -> void = loop { };\n", "", Duration::from_millis(200)));
    plant("an error", "refused: ", of("@main () -> void = print(msg: 3);\n", good, PATIENCE));
    plant("a panic", "exits with 1,", of("@main () -> void = panic(msg: \"no\");\n", "// prints:\n", PATIENCE));
    plant("a leak", "leak: ", leaking());
    plant("a crash", "exits with 132,", crashing(good).and_then(|image| Ok(judge(&said(good)?, execute(&image, &[], PATIENCE)))));
    plant("a file that is no program", "cannot be run: ", said(good).map(|wanted| judge(&wanted, execute(b"no program", &[], PATIENCE))));
    let together = |text: &str| -> Result<Vec<String>, String> {
        let case = |name: &str, text: &str| {
            Ok::<_, String>(Case { name: name.to_owned(), text: text.to_owned(), file: None, wanted: said(good)? })
        };
        Ok(batch::run(&[case("first", good)?, case("second", text)?, case("third", good)?]).failures)
    };
    plant(
        "another output, with others",
        "second, with others: the executable prints Some(\"b\")",
        together("@main () -> void = print(msg: \"b\");\n"),
    );
    plant("an error, with others", "second, alone: refused: ", together("@main () -> void = print(msg: 3);\n"));
    plant(
        "a stack that is exhausted, with others",
        "second, alone: ",
        together("@main () -> void = print(msg: str(deep(n: 1)));\n@deep (n: int) -> int = 1 + deep(n: n + 1);\n"),
    );
    if together(good) != Ok(Vec::new()) {
        evidence.fail(format!("what is right is refused with others: {:?}", together(good)));
    }
    let right = of(good, good, PATIENCE);
    if right != Ok(Vec::new()) {
        evidence.fail(format!("what is right is refused: {right:?}"));
    }
    evidence.table(table);
}

/// What is said of the program in which one op that gives something up is taken out of the code.
fn leaking() -> Result<Vec<String>, String> {
    let (honest, leaky) = heap::with_leaks()?;
    let ran = execute(&honest, &[], PATIENCE)?.ok_or("the honest program does not end")?;
    if (ran.status, ran.stderr.as_str()) != (0, "") {
        return Err(format!("the honest program: {ran:?}"));
    }
    let wanted = Wanted::Done(ran);
    Ok(leaky.into_iter().flat_map(|(_, image)| judge(&wanted, execute(&image, &[], PATIENCE))).collect())
}

/// The executable of a program with an instruction at its entry that none is (SIGILL).
fn crashing(text: &str) -> Result<Vec<u8>, String> {
    let case = Case { name: "planted".to_owned(), text: text.to_owned(), file: None, wanted: Wanted::Said(Expectation::default()) };
    let mut image = Compiler::default().compile(&case, &mut Split::default())?;
    let entry = entry(&image).ok_or("the executable has no entry")?;
    image.get_mut(entry..entry + 2).ok_or("the entry is outside of the executable")?.copy_from_slice(&[0x0f, 0x0b]);
    Ok(image)
}

/// Where in the file of an executable its entry is.
fn entry(image: &[u8]) -> Option<usize> {
    let number = |at: usize, length: usize| {
        let bytes = image.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | *byte as usize))
    };
    let (entry, headers, size, count) = (number(24, 8)?, number(32, 8)?, number(54, 2)?, number(56, 2)?);
    (0..count).find_map(|header| {
        let at = headers + header * size;
        let (offset, address, length) = (number(at + 8, 8)?, number(at + 16, 8)?, number(at + 32, 8)?);
        (number(at, 4)? == 1 && (address..address + length).contains(&entry)).then(|| entry - address + offset)
    })
}
