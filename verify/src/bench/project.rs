//! Release builds of the generated project of 100,000 lines: from nothing, after an edit of one function, without a change, beside `clang -O2` on the same
//! program in C.

use std::time::{Duration, Instant};

use super::edits::{self, line};
use super::timing::{Sample, Timed, ms, ratio};
use super::{Ratios, folder};
use crate::evidence::{Evidence, Table};
use crate::{child, corpus};

const LINES: u32 = 100_000;
const RUNS: usize = 5;
/// From nothing / `clang -O2` in one process after the other; units are optimised by as many processes as there are processors.
const COLD_LIMIT: f64 = 2.5;
/// After an edit / from nothing. The function that is edited is small: units that call it have copies, and are made again (measured: 0.026).
const EDIT_LIMIT: f64 = 0.05;

/// Fills the table and the ratios.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("release builds of a project", &["build", "wall ms", "cpu ms", "limit ms", "runs"]);
    let mut times = (None, None, None);
    if let Err(why) = fill(oric, &mut table, &mut times) {
        evidence.fail(format!("release-project: {why}"));
    }
    evidence.table(table);
    let (cold, edit, clang) = times;
    ratios.at_most(&format!("release build of {LINES} lines / clang -O2, wall time"), ratio(cold, clang), COLD_LIMIT);
    ratios.at_most(&format!("release build of {LINES} lines after an edit of one function / from nothing"), ratio(edit, cold), EDIT_LIMIT);
}

/// From nothing, after an edit, and C.
type Times = (Option<Duration>, Option<Duration>, Option<Duration>);

fn fill(oric: &str, table: &mut Table, times: &mut Times) -> Result<(), String> {
    let Some(project) = corpus::project("ori", LINES) else { return Ok(()) };
    let copy = folder().join("release-project");
    edits::copy(&project, &copy)?;
    let main = corpus::project_main(&copy).ok_or("the generated project has no main")?.to_string_lossy().into_owned();
    let out = copy.join("program").to_string_lossy().into_owned();
    let args = ["build", "--release", &main, "-o", &out];
    let build = Timed::new("build", &copy, &[&[oric], &args[..]].concat());
    let started = Instant::now();
    let peak = child::peak(oric, &args).map_err(|error| error.to_string())?;
    let cold = started.elapsed();
    if !copy.join("program").is_file() {
        return Err("nothing was built from nothing".to_owned());
    }
    let name = format!("from nothing (oric itself: {:.0} MB at most)", peak as f64 / 1024.0);
    table.row([&name, &format!("{:.1}", ms(cold)), "", "", "1"]);
    times.0 = Some(cold);
    let module = copy.join("m125.ori");
    let mut samples = Vec::new();
    for run in 0..RUNS {
        edits::body(&module, run).map_err(|error| error.to_string())?;
        std::thread::sleep(Duration::from_millis(20));
        samples.push(build.once()?);
    }
    times.1 = Some(Duration::from_secs_f64(line("one body", samples, "", table) / 1000.0));
    let unchanged = (0..RUNS).map(|_| build.once()).collect::<Result<Vec<Sample>, _>>()?;
    line("no change", unchanged, "", table);
    let (Some(c), Some(_)) = (corpus::project("c", LINES), child::find("clang-22")) else {
        table.row(["clang -O2", "", "", "", "unmeasured: not installed"]);
        return Ok(());
    };
    let files: Vec<String> = corpus::files_below(&c, "c").iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let out = copy.join("program-c").to_string_lossy().into_owned();
    let mut words = vec!["clang-22", "-O2", "-w", "-o", out.as_str()];
    words.extend(files.iter().map(String::as_str));
    let sample = Timed::new("clang", &c, &words).once()?;
    times.2 = Some(sample.wall);
    line("clang -O2", vec![sample], "", table);
    let said = |program: &str| child::succeed(&copy, &copy.join(program).to_string_lossy(), &[]);
    build_original(&project, &copy, &build)?;
    if said("program")? != said("program-c")? {
        return Err("the two programs print different sums".to_owned());
    }
    Ok(())
}

/// The project as it was generated: what it prints is what C prints.
fn build_original(project: &std::path::Path, copy: &std::path::Path, build: &Timed) -> Result<(), String> {
    std::fs::copy(project.join("m125.ori"), copy.join("m125.ori")).map_err(|error| error.to_string())?;
    build.once().map(|_| ())
}
