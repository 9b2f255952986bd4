//! `oric reduce`: a program made smaller while a command still says what it said, or while what is wrong with it is still wrong.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Asked, elapsed};
use crate::child::{self, Limits};
use crate::cli::{Input, Keep, NOTHING, REFUSED};
use crate::engines::{Bounds, Engines, Verdict};
use crate::project::Project;
use crate::reduce::{lines, reduce};

/// What is asked for.
pub struct Request<'a> {
    /// The program: one file.
    pub file: &'a Path,
    /// What of it is to be kept; none: what is wrong with it.
    pub keep: Option<Keep>,
    /// A word that a crash or a difference must go on to say.
    pub saying: Option<&'a str>,
    /// Where the small program goes.
    pub output: Option<&'a Path>,
    /// After how long it stops with what there is.
    pub limit: Duration,
    /// How long one run may take.
    pub timeout: Duration,
    /// Status 0 of this command keeps a program; none: the engines are asked.
    pub command: &'a [OsString],
}

/// Makes the program smaller; returns the exit status.
pub fn run(asked: &Asked<'_>, request: &Request<'_>) -> i32 {
    let output = asked.output;
    let started = Instant::now();
    let refused = |why: String| {
        output.failure(&why);
        REFUSED
    };
    if request.file.is_dir() {
        return refused(format!("{} is a folder: reduce makes one file smaller", request.file.display()));
    }
    let project = match Project::of_file(request.file) {
        Ok(project) => project,
        Err(error) => return asked.cannot_open(&error),
    };
    let text = match std::fs::read_to_string(request.file) {
        Ok(text) => text,
        Err(error) => return refused(format!("cannot read {}: {error}", request.file.display())),
    };
    let Some(setup) = asked.setup(&project, &Input::of(request.file.to_owned()), true, true) else { return REFUSED };
    let small = request.output.map_or_else(|| request.file.with_extension("reduced.ori"), Path::to_owned);
    let mut progress = |progress: &crate::reduce::Progress| {
        let crate::reduce::Progress { round, lines, bytes, asked, .. } = progress;
        output.summary(&format!("reduce: round {round}: {lines} lines, {bytes} bytes, {asked} programs tried"));
    };
    let end = started.checked_add(request.limit);
    let (kept, (smallest, last)) = if let [program, args @ ..] = request.command {
        if request.keep.is_some() || request.saying.is_some() {
            return refused("--keep and --saying are about the engines: with a command its status decides".to_owned());
        }
        let question = match Question::new(program, args, request) {
            Ok(question) => question,
            Err(why) => return refused(why),
        };
        if let Err(why) = question.holds(&text) {
            output.failure(&format!("{why}: its status must be 0 for the program that is to become smaller"));
            return NOTHING;
        }
        let mut holds = |text: &str| question.holds(text).is_ok();
        ("the command's status 0".to_owned(), reduce(&text, end, &mut holds, &mut progress))
    } else {
        let bounds = Bounds { time: request.timeout, ..Bounds::default() };
        let mut engines = Engines::new(project, setup.options, bounds);
        let first = engines.compare(&text);
        let keep = request.keep.or_else(|| first.finding().and_then(Keep::of));
        let Some(keep) = keep.filter(|keep| keep.fits(&first, request.saying)) else {
            output.failure(&format!("there is nothing to keep: {first}"));
            return NOTHING;
        };
        output.summary(&format!("reduce: {}: {first}", keep.name()));
        let mut holds = |text: &str| keep.fits(&engines.compare(text), request.saying);
        (keep.name().to_owned(), reduce(&text, end, &mut holds, &mut progress))
    };
    if let Err(error) = std::fs::write(&small, &smallest) {
        return refused(format!("cannot write {}: {error}", small.display()));
    }
    output.event(&json!({
        "reason": "reduce", "kept": kept, "path": small.display().to_string(), "lines_before": lines(&text), "lines": last.lines,
        "bytes": last.bytes, "tried": last.asked, "done": last.is_done,
    }));
    output.result(&format!("{}\n", small.display()));
    let why = if last.is_done { "nothing more can go" } else { "the time is up" };
    output.summary(&format!(
        "reduce: {} lines of {} left, {why}; {} programs tried in {}",
        last.lines,
        lines(&text),
        last.asked,
        elapsed(started)
    ));
    0
}

impl Keep {
    /// Is that what a verdict says?
    fn fits(self, verdict: &Verdict, saying: Option<&str>) -> bool {
        verdict.finding() == Some(self.name()) && saying.is_none_or(|word| verdict.to_string().contains(word))
    }
}

/// A command that is asked about a file.
struct Question<'a> {
    program: &'a OsString,
    args: Vec<OsString>,
    file: PathBuf,
    timeout: Duration,
}

impl<'a> Question<'a> {
    /// `{}`, or else each word that is the file's name, is the file that it is asked about.
    fn new(program: &'a OsString, args: &[OsString], request: &Request<'_>) -> Result<Question<'a>, String> {
        let name = request.file.file_name().unwrap_or_default();
        let folder = std::env::temp_dir().join(format!("oric-reduce-{}", std::process::id()));
        let file = folder.join(name);
        let is_hole = |word: &OsString| word.to_string_lossy().contains("{}");
        let has_hole = args.iter().any(is_hole);
        let is_file = |word: &OsString| !has_hole && word.as_os_str() == request.file.as_os_str();
        if !has_hole && !args.iter().any(is_file) {
            return Err(format!("the command must name the file that it is asked about: write {{}} or {} in it", request.file.display()));
        }
        std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let shown = file.to_string_lossy().into_owned();
        let filled = |word: &OsString| match is_file(word) {
            true => file.clone().into_os_string(),
            false if is_hole(word) => word.to_string_lossy().replace("{}", &shown).into(),
            false => word.clone(),
        };
        let args = args.iter().map(filled).collect();
        Ok(Question { program, args, file, timeout: request.timeout })
    }

    fn holds(&self, text: &str) -> Result<(), String> {
        std::fs::write(&self.file, text).map_err(|error| format!("cannot write {}: {error}", self.file.display()))?;
        let limits = Limits { time: self.timeout, memory: u64::MAX, output: u64::MAX };
        let ran = child::run(Command::new(self.program).args(&self.args), limits);
        let ran = ran.map_err(|error| format!("{} cannot be started: {error}", Path::new(self.program).display()))?;
        if ran.status == Some(0) { Ok(()) } else { Err(format!("the command ends with {}", ran.how())) }
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.file.parent() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
