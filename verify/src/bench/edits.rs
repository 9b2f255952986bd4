//! What an edit costs in a fresh process: nothing changed, a comment, one body, on the generated project of 100,000 lines, beside the empty process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::timing::{Timed, median, ms};
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

const EDITS: [Edit; 3] = [
    Edit { name: "no change", make: |_, _| Ok(()), limit: 5.0 },
    Edit { name: "comment", make: comment, limit: 8.0 },
    Edit { name: "one body, to a runnable program", make: body, limit: 25.0 },
];

/// A comment line at the top of a module in the middle: everything in it moves.
fn comment(module: &Path, run: usize) -> std::io::Result<()> {
    let text = std::fs::read_to_string(module)?;
    std::fs::write(module, format!("// {run}\n{text}"))
}

/// Another literal in the first function that has one.
fn body(module: &Path, run: usize) -> std::io::Result<()> {
    let text = std::fs::read_to_string(module)?;
    // The generator writes `% 1000` and the like in every body; the number grows by a digit's worth at most.
    let at = text.find(" % ").map(|at| at + 3).ok_or_else(|| std::io::Error::other("no body to edit"))?;
    let end = at + text[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    std::fs::write(module, format!("{}{}{}", &text[..at], 1009 + run, &text[end..]))
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
    // A copy: the project itself stays as it was generated.
    let copy = folder().join("edits");
    let _ = std::fs::remove_dir_all(&copy);
    std::fs::create_dir_all(&copy).map_err(|error| error.to_string())?;
    for file in corpus::files(&project, "ori") {
        if let Some(name) = file.file_name() {
            std::fs::copy(&file, copy.join(name)).map_err(|error| error.to_string())?;
        }
    }
    let main = corpus::project_main(&copy).ok_or("the generated project has no main")?.to_string_lossy().into_owned();
    let out = copy.join("program").to_string_lossy().into_owned();
    let build = Timed::new("build", &copy, &[oric, "build", &main, "-o", &out]);
    let empty = Timed::new("empty", &copy, &[oric, "--version"]);
    let module: PathBuf = copy.join("m125.ori");
    build.once()?;
    let line = |name: &str, walls: Vec<Duration>, cpus: Vec<Duration>, limit: &str, table: &mut Table| {
        let wall = median(walls);
        table.row([name, &format!("{:.2}", ms(wall)), &format!("{:.1}", ms(median(cpus))), limit, &RUNS.to_string()]);
        ms(wall)
    };
    let mut runs = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let sample = empty.once()?;
        runs.0.push(sample.wall);
        runs.1.push(sample.cpu);
    }
    line("empty process (oric --version)", runs.0, runs.1, "", table);
    for edit in &EDITS {
        let mut runs = (Vec::new(), Vec::new());
        for run in 0..RUNS {
            (edit.make)(&module, run).map_err(|error| error.to_string())?;
            // A person does not save and build within one tick of the file system's clock.
            std::thread::sleep(Duration::from_millis(20));
            let sample = build.once()?;
            runs.0.push(sample.wall);
            runs.1.push(sample.cpu);
        }
        let wall = line(edit.name, runs.0, runs.1, &edit.limit.to_string(), table);
        ratios.at_most(&format!("{}, wall ms", edit.name), Some(wall), edit.limit);
    }
    Ok(())
}
