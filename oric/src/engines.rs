//! One program on two engines: as the interpreter runs its MIR without any rewrite, which is what the program means, and as machine code behind all passes.
//!
//! What they do must be the same: output, status, panic text and place, the order of drops, and nothing left behind. A difference is a bug of ours. What
//! says nothing (a stack that is used up, a run that takes too long) is told apart, so that nobody takes it for equality.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use mir::interp;
use syntax::Severity;

use crate::child::{self, Ending, Limits};
use crate::cli::pass_names;
use crate::project::{Project, SourceFile, source_file};
use crate::queries::{self, NotLinked, Options, ReportPositions, World};
use crate::session::Session;

/// How long runs may become.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Instructions of the interpreter.
    pub steps: u64,
    /// Wall time of the executable.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { steps: 20_000_000, time: Duration::from_secs(10) }
    }
}

/// What the two engines make of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Diagnostics with these codes: it is not run.
    Refused(Vec<&'static str>),
    /// Both do the same, and nothing is left.
    Same,
    /// They do not do the same: first the interpreter.
    Differ(Box<(Ending, Ending)>),
    /// The same, but for what the executable says is still allocated.
    Leaks(Box<(Ending, Ending)>),
    /// The compiler or the interpreter stops with this.
    Broken(String),
    /// Nothing can be said: why.
    Unclear(String),
}

impl Verdict {
    /// One word for a kind of finding; nothing when nothing is wrong.
    pub fn finding(&self) -> Option<&'static str> {
        match self {
            Verdict::Refused(_) | Verdict::Same | Verdict::Unclear(_) => None,
            Verdict::Differ(_) => Some("mismatch"),
            Verdict::Leaks(_) => Some("leak"),
            Verdict::Broken(_) => Some("crash"),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Refused(codes) => write!(f, "refused with {}", codes.join(" ")),
            Verdict::Same => f.write_str("the interpreter and the executable do the same"),
            Verdict::Differ(endings) => write!(f, "the interpreter: {}; the executable: {}", endings.0.line(), endings.1.line()),
            Verdict::Leaks(endings) => write!(f, "the executable leaves something behind: {}", endings.1.line()),
            Verdict::Broken(why) => write!(f, "the compiler stops: {why}"),
            Verdict::Unclear(why) => f.write_str(why),
        }
    }
}

/// A program of one file at a time on both engines, the compilers kept from one text to the next.
pub struct Engines {
    project: Project,
    plain: Option<Session>,
    full: Option<Session>,
    /// Options of the executable.
    options: Options,
    bounds: Bounds,
    turns: usize,
}

/// After so many texts the compilers begin anew: what they remember of old ones is not worth its memory.
const TURNS: usize = 256;

/// What reports call the file of a text.
const FILE: &str = "main.ori";

/// No rewrite at all.
pub fn plain_options() -> Options {
    Options { fuel: 0, passes_off: pass_names().into_iter().map(str::to_owned).collect(), ..Options::default() }
}

impl Engines {
    /// For texts that stand in the place of the project's main file; `options` are those of the executable.
    pub fn new(project: Project, options: Options, bounds: Bounds) -> Engines {
        Engines { project, plain: None, full: None, options, bounds, turns: 0 }
    }

    /// Other options of the executable from here on.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
        self.full = None;
    }

    /// What both make of a text.
    pub fn compare(&mut self, text: &str) -> Verdict {
        self.compared(text).0
    }

    /// What both make of a text, and what it does when they agree.
    pub fn compared(&mut self, text: &str) -> (Verdict, Option<Ending>) {
        self.turns += 1;
        if self.turns.is_multiple_of(TURNS) {
            (self.plain, self.full) = (None, None);
        }
        let (verdict, reference) = guarded(|| self.both(text)).unwrap_or_else(|why| (Verdict::Broken(why), None));
        if matches!(verdict, Verdict::Broken(_)) {
            // Their engines were stopped somewhere.
            (self.plain, self.full) = (None, None);
        }
        (verdict, reference)
    }

    /// What the interpreter makes of a text, without any rewrite.
    pub fn reference(&mut self, text: &str) -> Result<Ending, Verdict> {
        let plain = with(&mut self.plain, &self.project, plain_options, text)?;
        let codes = errors(plain)?;
        if !codes.is_empty() {
            return Err(Verdict::Refused(codes));
        }
        interpreted(plain, self.bounds.steps)
    }

    /// What the executable of a text does, leaks looked for.
    pub fn native(&mut self, text: &str) -> Result<Ending, Verdict> {
        let full = with(&mut self.full, &self.project, || self.options.clone(), text)?;
        executed(full, self.bounds.time)
    }

    fn both(&mut self, text: &str) -> (Verdict, Option<Ending>) {
        let reference = match self.reference(text) {
            Ok(reference) => reference,
            Err(verdict) => return (verdict, None),
        };
        match self.native(text) {
            Ok(native) => (judged(reference.clone(), native), Some(reference)),
            Err(verdict) => (verdict, None),
        }
    }
}

/// The session with this text in its file, which is made when there is none.
fn with<'s>(
    session: &'s mut Option<Session>,
    project: &Project,
    options: impl FnOnce() -> Options,
    text: &str,
) -> Result<&'s Session, Verdict> {
    let source = |text: &str| -> SourceFile { source_file(project.main, FILE.to_owned(), text.as_bytes().to_vec(), None) };
    let kept = session.get_or_insert_with(|| Session::in_memory(project.clone(), options(), source("")));
    let main = project.main;
    let set = kept.engine.edit(|engine| engine.set::<queries::Source>(&main, source(text)));
    set.map_err(|interrupt| Verdict::Unclear(format!("interrupted: {interrupt:?}")))?;
    Ok(kept)
}

/// Codes of the errors of a program.
pub fn errors(session: &Session) -> Result<Vec<&'static str>, Verdict> {
    let interrupted = |interrupt| Verdict::Unclear(format!("interrupted: {interrupt:?}"));
    let mut found = session.diagnostics().map_err(interrupted)?;
    found.retain(|found| found.severity() == Severity::Error);
    if found.is_empty() {
        let signature = session.engine.get::<queries::Signature>(&session.main_item()).map_err(interrupted)?;
        found.extend(hir::resolve::check_main((*signature).as_deref(), session.project.main));
    }
    Ok(found.iter().map(|found| found.code.as_str()).collect())
}

/// Runs a program in the interpreter; the error says why that tells nothing.
pub fn interpreted(session: &Session, steps: u64) -> Result<Ending, Verdict> {
    let limits = interp::Limits { steps, depth: u64::MAX, bytes: 512 << 20, stack: 8 << 20, panic_at: 0 };
    let mut streams = Streams::default();
    let positions = ReportPositions::new(&session.engine, true);
    let ran = interp::run(session.main_item(), &[], &World::new(&session.engine), &positions, &mut streams, limits);
    match ran {
        Err(_) => Err(Verdict::Unclear("the interpreter was interrupted".to_owned())),
        Ok((interp::Outcome::Broken(why), _)) => Err(Verdict::Broken(format!("the interpreter: {why}"))),
        Ok((outcome @ (interp::Outcome::Exit(_) | interp::Outcome::Panicked { .. }), _)) => {
            Ok(Ending { status: Some(i32::from(outcome.status())), stdout: streams.out, stderr: streams.err, ..Ending::default() })
        }
        Ok((interp::Outcome::StackOverflow { .. } | interp::Outcome::LimitExceeded(_) | interp::Outcome::OutputClosed, _)) => {
            Err(Verdict::Unclear("the program takes too long or too much, which engines need not agree on".to_owned()))
        }
    }
}

/// Runs the executable of a program, leaks looked for.
pub fn executed(session: &Session, time: Duration) -> Result<Ending, Verdict> {
    let main = session.main_item();
    session.generate(main);
    let linked = match session.engine.get::<queries::Linked>(&main) {
        Ok(linked) => linked,
        Err(interrupt) => return Err(Verdict::Unclear(format!("interrupted: {interrupt:?}"))),
    };
    let image = match &**linked {
        Ok(linked) => &linked.image,
        Err(NotLinked::Limit(item, limit)) => return Err(Verdict::Unclear(format!("@{item}: {limit}"))),
        Err(NotLinked::Broken(why)) => return Err(Verdict::Broken(why.clone())),
    };
    let started = child::Program::new(image).and_then(|program| {
        let mut command = Command::new(program.path());
        command.env_clear().env("ORI_CHECK_LEAKS", "1");
        child::run(&mut command, Limits { time, ..Limits::default() })
    });
    started.map_err(|error| Verdict::Unclear(format!("the executable cannot be started: {error}")))
}

/// Exit status of a program that leaves something behind.
const LEAK: i32 = 3;

/// What two runs say, when the executable was asked for leaks.
pub fn judged(reference: Ending, native: Ending) -> Verdict {
    let plain = |ending: &Ending| Ending { stderr: without_repetitions(&ending.stderr), ..ending.clone() };
    if reference == native || !native.stderr.is_empty() && plain(&reference) == plain(&native) {
        return Verdict::Same;
    }
    // The report of leaks is the last thing that a program writes.
    let is_leak = native.status == Some(LEAK) && native.stdout == reference.stdout;
    let only_leaks = is_leak && native.stderr.starts_with(&reference.stderr) && native.stderr.len() > reference.stderr.len();
    let endings = Box::new((reference, native));
    if only_leaks { Verdict::Leaks(endings) } else { Verdict::Differ(endings) }
}

/// A report of a panic without the frames of a function that stand behind another one of it: recursion that became a loop (ADR 0016) has one frame for all.
fn without_repetitions(report: &[u8]) -> Vec<u8> {
    // `    @f at main.ori:3:5`
    let frame = |line: &[u8]| {
        let name = line.strip_prefix(b"    @")?;
        Some(name[..name.iter().position(|byte| *byte == b' ')?].to_vec())
    };
    let (mut kept, mut before) = (Vec::with_capacity(report.len()), None);
    for line in report.split_inclusive(|byte| *byte == b'\n') {
        // What is left out of a long trace is as long as there were frames.
        if before.is_some() && line.starts_with(b"    ... ") {
            continue;
        }
        let name = frame(line);
        if name.is_none() || name != before {
            kept.extend_from_slice(line);
        }
        before = name;
    }
    kept
}

/// The result, or what the panic said.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "a panic".to_owned())
    })
}

/// Collects what a program writes; one that writes without end is stopped like one whose reader went away.
#[derive(Default)]
struct Streams {
    out: Vec<u8>,
    err: Vec<u8>,
}

/// Most bytes that are collected.
const MAX_OUTPUT: usize = 16 << 20;

impl interp::Output for Streams {
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32> {
        const CLOSED: i32 = 32;
        if self.out.len() > MAX_OUTPUT {
            return Err(CLOSED);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn write_error(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, Verdict, judged};

    fn ending(stderr: &str) -> Ending {
        Ending { status: Some(1), stderr: stderr.as_bytes().to_vec(), ..Ending::default() }
    }

    #[track_caller]
    fn is_same(reference: &str, native: &str) -> bool {
        matches!(judged(ending(reference), ending(native)), Verdict::Same)
    }

    #[test]
    fn recursion_that_became_a_loop_has_one_frame() {
        let trace = |frames: &[&str]| {
            let frames: String = frames.iter().map(|frame| format!("    {frame}\n")).collect();
            format!("panic: bottom at main.ori:2:20\n  stack trace (most recent first):\n{frames}")
        };
        let whole = trace(&["@build at main.ori:2:20", "@build at main.ori:3:18", "@build at main.ori:3:18", "@main at main.ori:5:9"]);
        assert!(is_same(&whole, &trace(&["@build at main.ori:2:20", "@main at main.ori:5:9"])));
        // A long trace leaves frames out, which says nothing of how many there are.
        let long = trace(&[
            "@build at main.ori:2:20",
            "@build at main.ori:3:18",
            "... 40 frames omitted",
            "@build at main.ori:3:18",
            "@main at main.ori:5:9",
        ]);
        assert!(is_same(&long, &trace(&["@build at main.ori:2:20", "@main at main.ori:5:9"])));
        for wrong in [
            trace(&["@build at main.ori:3:18", "@main at main.ori:5:9"]),
            trace(&["@build at main.ori:2:20"]),
            trace(&["@build at main.ori:2:20", "@other at main.ori:5:9"]),
            trace(&["@main at main.ori:5:9"]),
            "panic: top at main.ori:2:20\n".to_owned(),
        ] {
            assert!(!is_same(&whole, &wrong), "{wrong}");
        }
    }
}
