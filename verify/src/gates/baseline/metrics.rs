//! Sizes and ratios, measured now on the generated project of 10,000 lines, against expectation and budget.
//!
//! Peak memory is what the compiler's process says of itself at its end (`VmHWM`): this program under the compiler's name notes it, because the system
//! tells nobody afterwards. One worker, so that the figure does not hang on the scheduler. The project for it has 40,000 lines: what a process has resident
//! of its own image (about 12 MB, and another megabyte from run to run, by what the page cache holds) would be most of the figure on a small one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use query::store::cas::Cas;
use query::store::{Store, StoreOptions};

use super::Negative;
use crate::child::{self, Limits};
use crate::corpus;
use crate::evidence::{Evidence, Table};

/// Tells the program under the compiler's name where to note its peak memory.
pub const PEAK: &str = "VERIFY_PEAK";

const LINES: u32 = 10_000;

/// Lines of the project that peak memory is measured on.
const PEAK_LINES: u32 = 40_000;

/// Queries whose values are code, which has no budget of its own.
const CODE: [&str; 2] = ["machine", "entry_code"];

/// The compiler as a user has it.
pub fn compiler() -> Result<PathBuf, String> {
    let path = corpus::root().join("target/release/oric");
    std::fs::canonicalize(&path).map_err(|_| "target/release/oric is not built: make build".to_owned())
}

/// Notes the peak memory of this process; called at its end.
pub fn note_peak() {
    if let Some(path) = std::env::var_os(PEAK) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
        let _ = std::fs::write(path, (kilobytes.unwrap_or(0) * 1024).to_string());
    }
}

/// A folder that goes when this goes.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One command on the project: its peak memory.
fn peak(folder: &Path, cache: &str, args: &[&str]) -> Result<f64, String> {
    let compiler = folder.join(crate::gates::query::faults::COMPILER);
    if !compiler.exists() {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink(this, &compiler).map_err(|error| error.to_string())?;
    }
    let note = folder.join("peak");
    let _ = std::fs::remove_file(&note);
    let mut command = Command::new(&compiler);
    command.args(args).env_clear().env("ORI_CACHE_DIR", folder.join(cache)).env(PEAK, &note);
    let limits = Limits { memory: u64::MAX, output: u64::MAX, ..Limits::default() };
    let ending = child::run(&mut command, limits).map_err(|error| error.to_string())?;
    if ending.status != Some(0) {
        return Err(format!("oric {}: {}", args.join(" "), ending.line()));
    }
    let bytes = std::fs::read_to_string(&note).ok().and_then(|text| text.parse::<f64>().ok()).filter(|bytes| *bytes > 0.0);
    bytes.ok_or_else(|| format!("oric {}: its peak memory is unknown", args.join(" ")))
}

fn size(path: &Path) -> Result<f64, String> {
    std::fs::metadata(path).map(|meta| meta.len() as f64).map_err(|error| format!("{}: {error}", path.display()))
}

/// The generated project of that many lines and its first file.
fn generated(lines: u32) -> Result<(PathBuf, PathBuf), String> {
    let project = corpus::project("ori", lines).ok_or("unmeasured: ../shared/bench/gen_project.py or python3 is not here")?;
    let main = corpus::project_main(&project).ok_or("the generated project has no main")?;
    Ok((project, main))
}

/// Peak memory of the three commands, in bytes per byte of the sources.
fn peaks(folder: &Path, found: &mut BTreeMap<&'static str, f64>) -> Result<(), String> {
    let (project, main) = generated(PEAK_LINES)?;
    let sources: f64 =
        corpus::files_below(&project, "ori").iter().filter_map(|file| std::fs::metadata(file).ok()).map(|meta| meta.len() as f64).sum();
    let (main, out) = (main.to_string_lossy().into_owned(), folder.join("peak-out").to_string_lossy().into_owned());
    found.insert("peak memory of check", peak(folder, "peak-check", &["check", &main, "--jobs", "1"])? / sources);
    let build = ["build", &main, "-o", &out, "--jobs", "1"];
    found.insert("peak memory of build", peak(folder, "peak-build", &build)? / sources);
    found.insert("peak memory of no change", peak(folder, "peak-build", &build)? / sources);
    Ok(())
}

/// Everything that is measured, by name.
fn measure() -> Result<BTreeMap<&'static str, f64>, String> {
    let folder = Folder(std::env::temp_dir().join(format!("oric-baseline-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).map_err(|error| error.to_string())?;
    let (project, main) = generated(LINES)?;
    let lines = corpus::count_lines(&project, "ori") as f64;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (main, out, hello) = (text(&main), folder.0.join("out"), folder.0.join("hello"));
    let mut found = BTreeMap::new();
    let example = text(&corpus::root().join("examples/hello.ori"));
    peak(&folder.0, "hello-cache", &["build", &example, "-o", &text(&hello)])?;
    found.insert("hello", size(&hello)?);
    found.insert("compiler", size(&compiler()?)?);
    peaks(&folder.0, &mut found)?;
    peak(&folder.0, "cache", &["build", &main, "-o", &text(&out), "--jobs", "1"])?;
    let image = size(&out)?;
    found.insert("image a line", image / lines);
    let artifacts = Cas::open(&folder.0.join("cache/shared")).stat().map_err(|error| error.to_string())?;
    found.insert("artifacts of an image", artifacts.bytes as f64 / image);
    let root = std::fs::read_dir(folder.0.join("cache/p")).ok().and_then(|mut entries| entries.next()?.ok());
    let root = root.ok_or("the build left no store")?.path();
    let (graph, values, code) = stored(&root.join("q"))?;
    found.insert("graph a line", graph / lines);
    found.insert("values a line, without code", values / lines);
    found.insert("code a line, stored", code / lines);
    Ok(found)
}

/// Bytes of the graph, of values that are no code, and of code. What the file of values has besides them (keys, headers) counts as values.
fn stored(graph: &Path) -> Result<(f64, f64, f64), String> {
    let engine = oric::queries::engine();
    let store = Store::open(graph, &engine.schema(), &StoreOptions::default()).store;
    let mut code = 0;
    for id in 0..store.node_count() {
        let row = store.row(id).map_err(|_| "the store is damaged")?;
        if row.kind != u16::MAX && CODE.contains(&engine.kind_name(query::Kind(row.kind))) {
            code += store.blob(row.value_at).map_or(0, <[u8]>::len) as u64;
        }
    }
    let stat = store.stat();
    if stat.nodes == 0 || code == 0 {
        return Err("the build stored nothing".to_owned());
    }
    Ok((stat.graph_bytes as f64, stat.blob_bytes.saturating_sub(code) as f64, code as f64))
}

/// Everything that does not hold of the rows, given what was measured.
fn judge(rows: &[Vec<String>], measured: &BTreeMap<&'static str, f64>) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let [metric, unit, command, owner, expected, budget] = row.as_slice() else {
            wrong.push(format!("not six cells: {}", row.join(" | ")));
            continue;
        };
        if !corpus::root().join(owner).is_dir() {
            wrong.push(format!("{metric}: there is no room {owner}"));
        }
        let (Ok(expected), Ok(budget)) = (expected.parse::<f64>(), budget.parse::<f64>()) else {
            wrong.push(format!("{metric}: expectation and budget must be numbers"));
            continue;
        };
        if expected > budget || expected <= 0.0 {
            wrong.push(format!("{metric}: what is expected is not within the budget"));
        }
        match measured.get(metric.as_str()) {
            None => wrong.push(format!("{metric}: nobody measures it")),
            Some(value) if *value > budget => {
                wrong.push(format!("{metric}: {value:.2} {unit} is above the budget of {budget} ({command})"))
            }
            Some(_) => {}
        }
    }
    let is_listed = |name: &str| rows.iter().any(|row| row.first().is_some_and(|metric| metric == name));
    wrong.extend(measured.keys().filter(|name| !is_listed(name)).map(|name| format!("{name}: is measured and has no budget")));
    wrong
}

/// The check, and its negatives.
pub fn check(evidence: &mut Evidence) -> Result<Vec<Negative>, String> {
    let rows = super::rows("baseline.tsv")?;
    let measured = measure()?;
    for wrong in judge(&rows, &measured) {
        evidence.fail(format!("baseline.tsv: {wrong}"));
    }
    let mut table = Table::new("baseline", &["metric", "unit", "measured", "expected", "of expected", "budget", "owner", "command"]);
    for row in &rows {
        let Some(value) = measured.get(row[0].as_str()) else { continue };
        let share = row[4].parse::<f64>().ok().filter(|expected| *expected > 0.0).map_or(0.0, |expected| value / expected);
        let (value, share) = (format!("{value:.2}"), format!("{share:.2}"));
        table.row([&row[0], &row[1], &value, &row[4], &share, &row[5], &row[3], &row[2]]);
    }
    evidence.table(table);
    let with = |at: usize, cell: &str| {
        let mut rows = rows.clone();
        rows[0][at] = cell.to_owned();
        judge(&rows, &measured)
    };
    let mut doubled = measured.clone();
    doubled.values_mut().for_each(|value| *value *= 100.0);
    Ok(vec![
        ("a metric above its budget", "is above the budget of 1 ", with(5, "1")),
        ("a store that grew a hundredfold", "bytes/line is above the budget of 120", judge(&rows, &doubled)),
        ("a metric that nobody measures", "nobody measures it", with(0, "luck")),
        ("a figure without a budget", "is measured and has no budget", judge(&rows[1..], &measured)),
        ("a budget that is no number", "must be numbers", with(5, "much")),
    ])
}
