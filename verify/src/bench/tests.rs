//! What tests cost: all verdicts known, one function edited, everything run; on a package of a thousand functions with a test each.

use std::path::Path;
use std::time::Duration;

use super::edits::line;
use super::timing::Timed;
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
    Ok(())
}

/// Writes what is different.
fn write(home: &Path, package: &Package) -> Result<(), String> {
    for (path, text) in package.tree() {
        let file = home.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|before| before == text) {
            continue;
        }
        let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, text));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}
