//! What tests cost: all verdicts known, one function edited, everything run; on a package of a thousand functions with a test each.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::edits::line;
use super::timing::{Sample, Timed};
use super::{Ratios, folder};
use crate::evidence::{Evidence, Table};
use crate::gates::test_graph::package::Package;

const MODULES: usize = 50;
const WIDTH: usize = 20;
const RUNS: usize = 20;

/// Fills the table and judges the medians.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("tests", &["what", "wall ms", "cpu ms", "limit ms", "runs"]);
    if let Err(why) = fill(oric, &mut table, ratios) {
        evidence.fail(format!("tests: {why}"));
    }
    evidence.table(table);
}

fn fill(oric: &str, table: &mut Table, ratios: &mut Ratios) -> Result<(), String> {
    let home = folder().join("tests");
    let _ = std::fs::remove_dir_all(&home);
    let mut package = Package::new(MODULES, WIDTH, 1);
    package.let_all_pass();
    write(&home, &package)?;
    let check = Timed::new("check", &home, &[oric, "check", ".", "--quiet"]);
    let all = Timed::new("all", &home, &[oric, "test", ".", "--all", "--quiet"]);
    line("1,000 tests, nothing known", vec![check.once()?], "", table);
    let samples = (0..RUNS).map(|_| check.once()).collect::<Result<Vec<_>, _>>()?;
    let unchanged = line("1,000 tests, nothing changed", samples, "10", table);
    ratios.at_most("1,000 unchanged tests, wall ms", Some(unchanged), 10.0);
    let samples = (0..RUNS).map(|_| all.once()).collect::<Result<Vec<_>, _>>()?;
    line("1,000 tests run again (--all)", samples, "", table);
    let mut samples = Vec::new();
    for _ in 0..RUNS {
        package.edit_leaf();
        write(&home, &package)?;
        // A person does not save and check within one tick of the file system's clock.
        std::thread::sleep(Duration::from_millis(20));
        samples.push(check.once()?);
    }
    let leaf = line("a leaf function edited, to verdict", samples, "30", table);
    ratios.at_most("a leaf function edited, to verdict, wall ms", Some(leaf), 30.0);
    let samples = watched(oric, &home, &mut package)?;
    let saved = line("a leaf function saved, to verdict (--watch)", samples, "40", table);
    ratios.at_most("a leaf function saved, to verdict, wall ms", Some(saved), 40.0);
    Ok(())
}

/// From a save to the end of what `oric check --watch` says of it.
fn watched(oric: &str, home: &Path, package: &mut Package) -> Result<Vec<Sample>, String> {
    let mut command = Command::new(oric);
    command.args(["check", ".", "--watch"]).current_dir(home).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut said = child.stderr.take().map(|said| BufReader::new(said).lines().map_while(Result::ok)).ok_or("no output")?;
    let mut round = || said.by_ref().find(|line| line.starts_with("check: ")).ok_or_else(|| "oric check --watch ended".to_owned());
    let measured = (|| {
        round()?;
        let mut samples = Vec::new();
        for _ in 0..RUNS {
            package.edit_leaf();
            // Nor twice within what it takes to remember.
            std::thread::sleep(Duration::from_millis(100));
            let files = news(home, package);
            let started = Instant::now();
            put(&files)?;
            let told = round()?;
            if !told.contains("no errors") || told.contains("failed") {
                return Err(format!("a save was told so: {told}"));
            }
            samples.push(Sample { wall: started.elapsed(), ..Sample::default() });
        }
        Ok(samples)
    })();
    let _ = child.kill();
    let _ = child.wait();
    measured
}

/// Writes what is different.
fn write(home: &Path, package: &Package) -> Result<(), String> {
    put(&news(home, package))
}

/// Files that are different.
fn news(home: &Path, package: &Package) -> Vec<(PathBuf, String)> {
    let files = package.tree().into_iter().map(|(path, text)| (home.join(path), text));
    files.filter(|(file, text)| !std::fs::read_to_string(file).is_ok_and(|before| before == *text)).collect()
}

fn put(files: &[(PathBuf, String)]) -> Result<(), String> {
    for (file, text) in files {
        let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}
