//! `compiler-memory-optimization-baseline-check`: what is claimed for speed and memory exists, every surface has an owner, sizes stay within their budgets.
//!
//! | room          | claims                                                                                     |
//! |---------------|--------------------------------------------------------------------------------------------|
//! | [`ledger`]    | `verify/ledger.tsv`: each technique has its files and a gate; each gate backs a technique     |
//! | [`inventory`] | `verify/inventory.tsv`: crates, gates, benchmarks, fuzz targets, levels, commands, both ways |
//! | [`metrics`]   | `verify/baseline.tsv`: sizes and ratios measured now, against expectation and budget         |
//!
//! What is checked in is expectation; what is measured goes to the evidence. Ratios and sizes only: wall times of a shared machine prove nothing.

pub mod inventory;
pub mod ledger;
pub mod metrics;

use crate::corpus;
use crate::evidence::{Evidence, Table};

const NAME: &str = "compiler-memory-optimization-baseline-check";

/// Something broken, the words that must name it, and what the judge said.
pub(super) type Negative = (&'static str, &'static str, Vec<String>);

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    let mut negatives: Vec<Negative> = Vec::new();
    let room = |name: &str, result: Result<Vec<Negative>, String>, evidence: &mut Evidence| match result {
        Ok(found) if found.is_empty() => {
            evidence.fail(format!("{name} has no negative: nobody knows whether it can fail"));
            found
        }
        Ok(found) => found,
        Err(why) => {
            evidence.fail(format!("{name}: {why}"));
            Vec::new()
        }
    };
    let found = ledger::check(&mut evidence);
    negatives.extend(room("ledger", found, &mut evidence));
    let found = inventory::check(&mut evidence);
    negatives.extend(room("inventory", found, &mut evidence));
    let found = metrics::check(&mut evidence);
    negatives.extend(room("metrics", found, &mut evidence));
    let mut table = Table::new("negatives", &["what is broken", "named as"]);
    for (what, words, said) in negatives {
        let named = said.iter().find(|said| said.contains(words));
        if named.is_none() {
            evidence.fail(format!("negative '{what}': `{words}` is not said: {}", said.join("; ")));
        }
        table.row([what, named.map_or("", String::as_str)]);
    }
    evidence.table(table);
    evidence.close()
}

/// Rows of a checked-in table, as many cells in each as its header has.
pub(super) fn rows(file: &str) -> Result<Vec<Vec<String>>, String> {
    let path = corpus::root().join("verify").join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(file, &text)
}

fn parse(file: &str, text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let width = lines.next().map_or(0, |header| header.split('\t').count());
    let rows: Vec<Vec<String>> = lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    match rows.iter().find(|row| row.len() != width || row.iter().any(|cell| cell.trim() != cell || cell.is_empty())) {
        Some(row) => Err(format!("{file}: not {width} cells: {}", row.join(" | "))),
        None if rows.is_empty() => Err(format!("{file} has no rows")),
        None => Ok(rows),
    }
}
