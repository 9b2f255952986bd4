//! The inventory of surfaces: what there is has an owner, and what has an owner is there.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::Negative;
use crate::child::{self, Limits};
use crate::evidence::{Evidence, Table};
use crate::fuzz::cases::Target;
use crate::gates::GATES;
use crate::levels::STAGES;
use crate::{bench, corpus};

/// Names by kind.
type Surfaces = BTreeMap<String, BTreeSet<String>>;

/// What there is, looked at now.
fn reality() -> Result<Surfaces, String> {
    let mut all = Surfaces::new();
    let mut add = |kind: &str, names: Vec<String>| drop(all.insert(kind.to_owned(), names.into_iter().collect()));
    add("crate", crates()?);
    add("gate", GATES.iter().map(|gate| gate.name.to_owned()).collect());
    add("benchmark", bench::PARTS.iter().map(|part| (*part).to_owned()).collect());
    add("fuzz target", Target::all().into_iter().map(Target::name).collect());
    add("level", STAGES.iter().map(|stage| stage.level.to_owned()).collect());
    add("command", commands()?);
    Ok(all)
}

/// Members of the workspace, and what is beside it.
fn crates() -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(corpus::root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for key in ["members", "exclude"] {
        let list = text.split_once(&format!("\n{key} = [")).and_then(|(_, rest)| rest.split_once(']')).map(|(list, _)| list);
        let list = list.ok_or_else(|| format!("Cargo.toml has no {key}"))?;
        names.extend(list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()));
    }
    match names.iter().find(|name| !corpus::root().join(name).join("Cargo.toml").is_file()) {
        Some(name) => Err(format!("the crate {name} has no Cargo.toml")),
        None => Ok(names),
    }
}

/// What the compiler says that it can do.
fn commands() -> Result<Vec<String>, String> {
    let oric = super::metrics::compiler()?;
    let limits = Limits { memory: u64::MAX, ..Limits::default() };
    let ending = child::run(Command::new(oric).arg("--help").env_clear(), limits).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&ending.stdout).into_owned();
    let list = text.split_once("Commands:\n").map_or("", |(_, rest)| rest).lines().take_while(|line| !line.is_empty());
    // The name of a command stands two columns in; what follows it may go on in the lines below.
    let names: Vec<String> = list
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    if names.is_empty() { Err(format!("`oric --help` lists no commands: {}", ending.line())) } else { Ok(names) }
}

/// Differences between what is listed and what there is.
fn judge(rows: &[Vec<String>], reality: &Surfaces) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut listed = Surfaces::new();
    for row in rows {
        let [kind, name, owner] = row.as_slice() else {
            wrong.push(format!("not three cells: {}", row.join(" | ")));
            continue;
        };
        if !corpus::root().join(owner).is_dir() {
            wrong.push(format!("{kind} {name}: there is no room {owner}"));
        }
        if !reality.contains_key(kind) {
            wrong.push(format!("{kind} {name}: no kind of surface"));
        }
        if !listed.entry(kind.clone()).or_default().insert(name.clone()) {
            wrong.push(format!("{kind} {name}: stands there twice"));
        }
    }
    for (kind, names) in reality {
        let known = listed.remove(kind).unwrap_or_default();
        wrong.extend(names.difference(&known).map(|name| format!("{kind} {name} is missing from the inventory")));
        wrong.extend(known.difference(names).map(|name| format!("{kind} {name} is listed and does not exist")));
    }
    wrong
}

/// The check, and its negatives.
pub fn check(evidence: &mut Evidence) -> Result<Vec<Negative>, String> {
    let rows = super::rows("inventory.tsv")?;
    let reality = reality()?;
    for wrong in judge(&rows, &reality) {
        evidence.fail(format!("inventory.tsv: {wrong}"));
    }
    let mut table = Table::new("inventory", &["kind", "there are"]);
    for (kind, names) in &reality {
        table.row([kind.as_str(), &names.len().to_string()]);
    }
    evidence.table(table);
    let without = |kind: &str| {
        let at = rows.iter().position(|row| row[0] == kind).unwrap_or(0);
        let left: Vec<Vec<String>> = rows.iter().enumerate().filter(|(number, _)| *number != at).map(|(_, row)| row.clone()).collect();
        judge(&left, &reality)
    };
    let row = |cells: [&str; 3]| vec![cells.map(str::to_owned).to_vec()];
    let with = |cells: [&str; 3]| judge(&[rows.clone(), row(cells)].concat(), &reality);
    Ok(vec![
        ("a crate that nobody listed", "crate ir is missing from the inventory", without("crate")),
        ("a gate that nobody listed", "is missing from the inventory", without("gate")),
        ("a command that nobody listed", "is missing from the inventory", without("command")),
        ("a command that is not there", "command dance is listed and does not exist", with(["command", "dance", "oric"])),
        ("a surface of no room", "there is no room attic", with(["crate", "attic", "attic"])),
    ])
}
