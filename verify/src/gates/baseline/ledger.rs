//! The ledger: technique, owner, files, status, gate. A row that leads nowhere is a claim that nobody checks.

use std::collections::{BTreeMap, BTreeSet};

use super::Negative;
use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::gates::GATES;

/// What a status can be.
const STATUSES: [&str; 3] = ["implemented", "partial", "planned"];

/// Everything that does not hold of the rows, with these gates.
fn judge(rows: &[Vec<String>], gates: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let [technique, owner, files, status, gate] = row.as_slice() else {
            wrong.push(format!("not five cells: {}", row.join(" | ")));
            continue;
        };
        if !seen.insert(technique) {
            wrong.push(format!("{technique}: stands there twice"));
        }
        if !corpus::root().join(owner).is_dir() {
            wrong.push(format!("{technique}: there is no room {owner}"));
        }
        if !STATUSES.contains(&status.as_str()) {
            wrong.push(format!("{technique}: unknown status {status}"));
        }
        let is_planned = status == "planned";
        if (files == "-" || gate == "-") && !is_planned {
            wrong.push(format!("{technique}: is {status}, and names no files or no gate"));
        }
        let missing = files.split(' ').filter(|file| *file != "-" && !corpus::root().join(file).is_file());
        wrong.extend(missing.map(|file| format!("{technique}: there is no file {file}")));
        if gate != "-" && !gates.contains(&gate.as_str()) {
            wrong.push(format!("{technique}: there is no gate {gate}"));
        }
    }
    let named: BTreeSet<&str> = rows.iter().filter_map(|row| row.get(4)).map(String::as_str).collect();
    wrong.extend(gates.iter().filter(|gate| !named.contains(*gate)).map(|gate| format!("the gate {gate} is in no row")));
    wrong
}

/// The check, and its negatives.
pub fn check(evidence: &mut Evidence) -> Result<Vec<Negative>, String> {
    let rows = super::rows("ledger.tsv")?;
    let gates: Vec<&str> = GATES.iter().map(|gate| gate.name).collect();
    for wrong in judge(&rows, &gates) {
        evidence.fail(format!("ledger.tsv: {wrong}"));
    }
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry((&row[1], &row[3])).or_default() += 1;
    }
    let mut table = Table::new("ledger", &["owner", "status", "techniques"]);
    for ((owner, status), count) in counts {
        table.row([owner, status, &count.to_string()]);
    }
    evidence.table(table);
    let with = |at: usize, cell: &str| {
        let mut rows = rows.clone();
        rows[0][at] = cell.to_owned();
        judge(&rows, &gates)
    };
    let more: Vec<&str> = gates.iter().copied().chain(["a-gate-of-nobody"]).collect();
    let twice: Vec<Vec<String>> = rows.iter().chain(rows.first()).cloned().collect();
    Ok(vec![
        ("a file that is not there", "there is no file query/src/gone.rs", with(2, "query/src/gone.rs")),
        ("a status that is none", "unknown status done", with(3, "done")),
        ("a gate that is not there", "there is no gate sleep-check", with(4, "sleep-check")),
        ("an implemented technique without a gate", "names no files or no gate", with(4, "-")),
        ("a room that is not there", "there is no room attic", with(1, "attic")),
        ("a gate that backs nothing", "the gate a-gate-of-nobody is in no row", judge(&rows, &more)),
        ("a technique that is claimed twice", "stands there twice", judge(&twice, &gates)),
    ])
}
