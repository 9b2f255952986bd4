//! `oric bisect`: which rewrite makes an answer change.
//!
//! The answer is that of a command, which is run with `ORI_FUEL` set to a cut in the row of all rewrites; without a command it is whether the executable of the
//! program does what the interpreter does without any rewrite.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Asked, elapsed};
use crate::child::{self, Ending, Limits};
use crate::cli::{FAILED, Input, NOTHING, REFUSED};
use crate::engines::{self, Bounds, Verdict};
use crate::project::Project;
use crate::queries::{Options, ReportPositions};
use crate::rewrites::bisect::{Found, NotFound, search, units, work};
use crate::rewrites::{Stage, Unit, Work};
use crate::session::{Session, Setup};

/// What is asked for.
pub struct Request<'a> {
    /// The program, when it was named.
    pub file: Option<&'a Path>,
    /// Passes that are off.
    pub no_pass: &'a [String],
    /// The command whose answer changes; none: interpreter and executable are compared.
    pub command: &'a [OsString],
    /// Does standard error belong to its answer?
    pub stderr: bool,
    /// How long one run may take.
    pub timeout: Duration,
}

/// What a command said.
type Answer = (Option<i32>, Option<i32>, bool, Vec<u8>, Vec<u8>);

/// Finds the rewrite and shows it; returns the exit status.
pub fn bisect(asked: &Asked<'_>, request: &Request<'_>) -> i32 {
    let output = asked.output;
    let started = Instant::now();
    let file = request.file.map_or_else(|| program_of(request.command), Path::to_owned);
    let mut input = Input::of(file);
    input.no_pass = request.no_pass.to_vec();
    let project = match Project::of(&input.file) {
        Ok(project) => project,
        Err(error) => return asked.cannot_open(&error),
    };
    let Some(setup) = asked.setup(&project, &input, true, true) else { return REFUSED };
    if setup.options.cut.is_some() || setup.options.fuel != u64::MAX {
        output.failure("ORI_FUEL is what bisect sets: start it without");
        return REFUSED;
    }
    output.compiling(&project, &[project.main]);
    let options = setup.options.clone();
    let open = |options: Options, tests: bool| {
        // What other compilers stored has nothing to do with it.
        let setup = Setup { options, tests, cache: None, ..setup.clone() };
        Session::open(project.clone(), setup).map_err(|error| super::open_error(&error))
    };
    let failed = |why: String| {
        output.failure(&why);
        REFUSED
    };
    let session = match open(options.clone(), false) {
        Ok(mut session) => {
            let (_, errors) = asked.found(&mut session);
            if errors > 0 {
                return FAILED;
            }
            session
        }
        Err(why) => return failed(why),
    };
    let units = match units(open, &options) {
        Ok(units) => units,
        Err(why) => return failed(why),
    };
    let mut runs = 0usize;
    // The answer without rewrites, or with those before a cut.
    let mut plain: Option<Answer> = None;
    let mut is_plain = |fuel: &str, options: Options| -> Result<bool, String> {
        runs += 1;
        let answer = match request.command {
            [] => compared(&open, options, request.timeout)?,
            [program, args @ ..] => answer(program, args, fuel, request)?,
        };
        let is_plain = plain.get_or_insert_with(|| answer.clone()) == &answer;
        output.summary(&format!("bisect: ORI_FUEL={fuel}: {}", if is_plain { "as without rewrites" } else { "another answer" }));
        Ok(is_plain)
    };
    let with_none = Options { fuel: 0, ..options.clone() };
    let found = is_plain("0", with_none).and_then(|_| {
        let is_plain = |cut: &crate::rewrites::Cut| is_plain(&cut.to_string(), Options { cut: Some(cut.clone()), ..options.clone() });
        search(&units, is_plain, |unit| Ok(work(open, &options, unit, u64::MAX)?.count))
    });
    match found {
        Err(why) => failed(why),
        Ok(Err(NotFound::Nothing)) => failed(format!("{} has no code: it has neither @main nor tests", input.file.display())),
        Ok(Err(NotFound::NoRewrite)) if request.command.is_empty() && plain.as_ref().is_some_and(|plain| *plain != right()) => {
            let said = plain.map(|(.., said)| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
            output.failure(&format!("no rewrite of {} is wrong: without any the executable is no better ({said})", input.file.display()));
            NOTHING
        }
        Ok(Err(NotFound::NoRewrite)) => {
            let what = match request.command {
                [] => "the executable does what the interpreter does",
                _ => "the answer is the same without rewrites and with all",
            };
            output.failure(&format!("{what}: no rewrite of {} changes it", input.file.display()));
            NOTHING
        }
        Ok(Err(NotFound::Unsteady(why))) => failed(format!(
            "{why}: the answers are not those of the rewrites of {}. Does the command compile another program, or with other passes (--no-pass)? Does it answer twice the same?",
            input.file.display()
        )),
        Ok(Ok(Found { unit, number })) => {
            let shown = work(open, &options, &unit, number - 1).and_then(|before| Ok((before, work(open, &options, &unit, number)?)));
            let (before, after) = match shown {
                Ok(shown) => shown,
                Err(why) => return failed(why),
            };
            show(&session, &unit, number, [&before, &after], runs, started, asked);
            0
        }
    }
}

/// The program that a command is about: the first that it names, also in a line for a shell; else the package around us.
fn program_of(command: &[OsString]) -> PathBuf {
    let is_program = |path: &Path| path.extension().is_some_and(|end| end == "ori") && path.is_file() || path.join("ori.toml").is_file();
    let pieces = |word: &OsString| {
        let text = word.to_string_lossy().into_owned();
        std::iter::once(PathBuf::from(word)).chain(text.split_whitespace().map(PathBuf::from).collect::<Vec<_>>())
    };
    command.iter().flat_map(pieces).find(|path| is_program(path)).unwrap_or_else(|| PathBuf::from("."))
}

/// Runs the command with this fuel.
fn answer(program: &OsString, args: &[OsString], fuel: &str, request: &Request<'_>) -> Result<Answer, String> {
    let limits = Limits { time: request.timeout, memory: u64::MAX, output: u64::MAX };
    let ran = child::run(Command::new(program).args(args).env("ORI_FUEL", fuel), limits);
    let Ending { status, signal, timed_out, stdout, stderr } =
        ran.map_err(|error| format!("{} cannot be started: {error}", Path::new(program).display()))?;
    Ok((status, signal, timed_out, stdout, if request.stderr { stderr } else { Vec::new() }))
}

/// The answer of [`compared`] when there is nothing wrong.
const fn right() -> Answer {
    (None, None, false, Vec::new(), Vec::new())
}

/// What the executable does, as far as the interpreter tells that it is wrong: an answer that is the same whenever both do the same.
fn compared(open: &impl Fn(Options, bool) -> Result<Session, String>, options: Options, time: Duration) -> Result<Answer, String> {
    let reference = open(engines::plain_options(), false)?;
    let bounds = Bounds { time, ..Bounds::default() };
    let said = engines::guarded(|| engines::interpreted(&reference, bounds.steps));
    let reference = match said {
        Ok(Ok(reference)) => reference,
        Ok(Err(verdict)) => return Err(format!("the interpreter is no judge of this program: {verdict}; name a command")),
        Err(why) => return Err(format!("the interpreter stops: {why}; name a command")),
    };
    let session = open(options, false)?;
    Ok(match engines::guarded(|| engines::executed(&session, bounds.time)) {
        Err(why) => (None, None, false, Vec::new(), why.into_bytes()),
        Ok(Err(verdict)) => (None, None, false, Vec::new(), verdict.to_string().into_bytes()),
        Ok(Ok(native)) => match engines::judged(reference, native) {
            Verdict::Same => right(),
            wrong => (Some(1), None, false, Vec::new(), wrong.to_string().into_bytes()),
        },
    })
}

/// Names the rewrite, and shows the body before and after it.
fn show(session: &Session, unit: &Unit, number: u64, [before, after]: [&Work; 2], runs: usize, started: Instant, asked: &Asked<'_>) {
    let output = asked.output;
    let pass = after.pass.as_deref().unwrap_or("?");
    let stage = unit.stage.name();
    let name = crate::queries::shown_name(unit.body);
    let place = mir::interp::Positions::position(&ReportPositions::new(&session.engine, false), unit.body).ok();
    let place =
        place.filter(|place| !place.file.is_empty()).map(|place| format!("{}:{}", session.project.shown(&place.file), place.base_line));
    let level = match unit.stage {
        Stage::Mir | Stage::Owned => "MIR",
        Stage::Lir => "LIR",
    };
    let difference = super::fix::difference(&format!("{}:{name}", unit.stage.dump()), &before.text, &after.text);
    output.event(&json!({
        "reason": "bisect", "pass": pass, "body": unit.body.to_string(), "stage": stage, "number": number, "runs": runs, "place": place,
        "before": before.text, "after": after.text,
    }));
    output.result(&format!(
        "rewrite {number} of {name} at {level} ({stage}), by the pass {pass}{}\n{difference}",
        place.map_or_else(String::new, |place| format!(", {place}"))
    ));
    output.summary(&format!(
        "bisect: ORI_FUEL='{number}@{stage}:{}' shows it again; found after {runs} runs in {}",
        unit.body,
        elapsed(started)
    ));
}
