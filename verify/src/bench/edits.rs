//! What an edit costs in a fresh process: nothing changed, a comment, one body, a signature that ten modules use, on the generated project of 100,000
//! lines, beside the empty process, and beside the incremental builds that people use today.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::timing::{Sample, Timed, median, ms};
use super::{Ratios, folder};
use crate::corpus;
use crate::evidence::{Evidence, Table};

const LINES: u32 = 100_000;
const RUNS: usize = 20;

/// An edit and what it may cost.
struct Edit {
    name: &'static str,
    /// Changes the project, differently in each run.
    make: fn(&Path, usize) -> std::io::Result<()>,
    /// Most milliseconds of wall time, as the issue asks.
    limit: f64,
}

const EDITS: [Edit; 4] = [
    Edit { name: "no change", make: |_, _| Ok(()), limit: 5.0 },
    Edit { name: "comment", make: comment, limit: 8.0 },
    Edit { name: "one body, to a runnable program", make: body, limit: 25.0 },
    Edit { name: "signature used in 10 places, to a runnable program", make: signature, limit: 60.0 },
];

/// Modules that call [`SHARED`].
const USERS: std::ops::Range<usize> = 100..110;
/// The module that has it.
const SHARED: &str = "shared.ori";

/// A comment line at the top of a module in the middle: everything in it moves.
fn comment(module: &Path, run: usize) -> std::io::Result<()> {
    let text = std::fs::read_to_string(module)?;
    std::fs::write(module, format!("// {run}\n{text}"))
}

/// Another literal in the first function that has one.
pub fn body(module: &Path, run: usize) -> std::io::Result<()> {
    let text = std::fs::read_to_string(module)?;
    // The generator writes `% 1000` and the like in every body; the number grows by a digit's worth at most.
    let at = text.find(" % ").map(|at| at + 3).ok_or_else(|| std::io::Error::other("no body to edit"))?;
    let end = at + text[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    std::fs::write(module, format!("{}{}{}", &text[..at], 1009 + run, &text[end..]))
}

/// Another parameter with a default: callers are checked and compiled again.
fn signature(module: &Path, run: usize) -> std::io::Result<()> {
    std::fs::write(module.with_file_name(SHARED), format!("pub @shared (n: int, more{run}: int = 0) -> int = n + more{run};\n"))
}

/// Makes a function that ten modules call in a body of theirs.
fn share(folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join(SHARED), "pub @shared (n: int) -> int = n;\n")?;
    for number in USERS {
        let path = folder.join(format!("m{number}.ori"));
        let text = std::fs::read_to_string(&path)?;
        let at = text.find(" % ").map(|at| at + 3).ok_or_else(|| std::io::Error::other("no body to edit"))?;
        let end = at + text[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        std::fs::write(&path, format!("use \"./shared\" {{ shared }};\n{}shared(n: {}){}", &text[..at], &text[at..end], &text[end..]))?;
    }
    Ok(())
}

/// Puts a fresh copy of a project there: the project itself stays as it was generated.
pub fn copy(project: &Path, to: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(to);
    copy_below(project, to).map_err(|error| format!("{}: {error}", to.display()))
}

fn copy_below(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        // What a compiler keeps beside the sources is not of the project.
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            copy_below(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Fills the table and judges the medians.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("edits", &["edit", "wall ms", "cpu ms", "limit ms", "runs"]);
    if let Err(why) = fill(oric, &mut table, ratios) {
        evidence.fail(format!("edits: {why}"));
    }
    evidence.table(table);
}

fn fill(oric: &str, table: &mut Table, ratios: &mut Ratios) -> Result<(), String> {
    let Some(project) = corpus::project("ori", LINES) else {
        for edit in &EDITS {
            ratios.at_most(&format!("{}, wall ms", edit.name), None, edit.limit);
        }
        return Ok(());
    };
    let copy = folder().join("edits");
    self::copy(&project, &copy)?;
    let main = corpus::project_main(&copy).ok_or("the generated project has no main")?.to_string_lossy().into_owned();
    let out = copy.join("program").to_string_lossy().into_owned();
    let build = Timed::new("build", &copy, &[oric, "build", &main, "-o", &out]);
    let empty = Timed::new("empty", &copy, &[oric, "--version"]);
    let module: PathBuf = copy.join("m125.ori");
    share(&copy).map_err(|error| error.to_string())?;
    build.once()?;
    let samples = (0..RUNS).map(|_| empty.once()).collect::<Result<Vec<_>, _>>()?;
    line("empty process (oric --version)", samples, "", table);
    for edit in &EDITS {
        let mut samples = Vec::new();
        for run in 0..RUNS {
            (edit.make)(&module, run).map_err(|error| error.to_string())?;
            // A person does not save and build within one tick of the file system's clock.
            std::thread::sleep(Duration::from_millis(20));
            samples.push(build.once()?);
        }
        let wall = line(edit.name, samples, &edit.limit.to_string(), table);
        ratios.at_most(&format!("{}, wall ms", edit.name), Some(wall), edit.limit);
    }
    super::peers::measure(LINES, table);
    Ok(())
}

/// Adds the row of these runs; the median of their wall times in milliseconds.
pub fn line(name: &str, samples: Vec<Sample>, limit: &str, table: &mut Table) -> f64 {
    let runs = samples.len().to_string();
    let wall = ms(median(samples.iter().map(|sample| sample.wall).collect()));
    let cpu = ms(median(samples.iter().map(|sample| sample.cpu).collect()));
    table.row([name, &format!("{wall:.2}"), &format!("{cpu:.1}"), limit, &runs]);
    wall
}
