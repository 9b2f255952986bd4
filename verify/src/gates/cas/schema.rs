//! A store that another compiler wrote: the same rows, some of them under another schema. What the change touches runs again, nothing else does, and
//! artifacts are their content, whoever made them.

use std::path::Path;

use query::Fp;
use query::store::{Batch, Delta, Published, Row, Section, Store, StoreOptions};

use super::stage::{Form, Stage, judge};
use super::{Found, Negative};
use crate::gates::query::{oracle, scene::Way};

type Schema = Vec<(u16, Fp)>;

/// The schema of a compiler whose code for these kinds is another.
fn other_schema(kinds: &[&str]) -> Schema {
    let engine = oric::queries::engine();
    let is_other = |kind: u16| kinds.contains(&engine.kind_name(query::Kind(kind)));
    engine.schema().into_iter().map(|(kind, fp)| (kind, if is_other(kind) { Fp(!fp.0, fp.1) } else { fp })).collect()
}

/// Writes the graph of a store again, as a compiler with that schema would have.
fn rewrite(graph: &Path, schema: &Schema) -> Result<(), String> {
    let ours = oric::queries::engine().schema();
    let store = Store::open(graph, &ours, &StoreOptions { verify: true }).store;
    let damaged = |_| "the store is damaged".to_owned();
    let (mut rows, mut yellow) = (Batch::default(), Vec::new());
    for id in 0..store.node_count() {
        let row = store.row(id).map_err(damaged)?;
        if row == Row::EMPTY {
            continue;
        }
        let mut deps: Vec<u32> = Vec::new();
        store.deps(id, &mut deps).map_err(damaged)?;
        if row.flags & query::store::flags::YELLOW != 0 {
            yellow.push(id);
        }
        deps.into_iter().for_each(|dep| rows.dep(dep));
        if let Some(key) = store.blob(row.key_at) {
            rows.key(|out| out.extend_from_slice(key));
        }
        if let Some(value) = store.blob(row.value_at) {
            rows.value(|out| out.extend_from_slice(value));
        }
        rows.row(id, row);
    }
    let sections = Section::ALL.into_iter().filter_map(|name| Some((name, store.section(name)?.to_vec()))).collect();
    let generation = store.generation();
    let aside = graph.with_extension("other");
    let _ = std::fs::remove_dir_all(&aside);
    let mut other = Store::open(&aside, schema, &StoreOptions::default()).store;
    match other.publish(Delta { generation, rows: vec![rows], yellow, sections }) {
        Published::Done => {}
        not => return Err(format!("the store of another schema cannot be written: {not:?}")),
    }
    drop((store, other));
    std::fs::remove_dir_all(graph).and_then(|()| std::fs::rename(&aside, graph)).map_err(|error| error.to_string())
}

/// Kinds that another compiler has other code for, and which then run again: those, and whoever they need that is not stored.
/// The artifacts are bound to the linker of this compiler by [`oric::outputs::Stamp`], which no schema of a stored row can change.
const CASES: [(&str, &[&str], &str); 4] = [
    ("nothing", &[], ""),
    ("what code names", &["mentions"], "mentions"),
    ("positions", &["position"], "parse position"),
    ("the linker", &["linked", "object"], ""),
];

/// Builds a package whose store has another schema for these kinds; what ran, and what does not hold.
fn migrate(kinds: &[&str], expected: Option<&str>) -> Result<Vec<String>, String> {
    let stage = Stage::new("schema")?;
    let clean = stage.clean(Form::Executable)?;
    stage.build()?;
    let artifacts = stage.addresses();
    rewrite(&stage.scene.store().join("q"), &other_schema(kinds))?;
    let built = stage.scene.build(Way::PLAIN)?;
    let mut wrong = Vec::new();
    let ran = oracle::kinds(&built.ran).join(" ");
    if let Some(expected) = expected
        && ran != expected
    {
        wrong.push(format!("ran: {ran}; expected: {expected}"));
    }
    if !built.warnings.is_empty() {
        wrong.push(format!("warns: {}", built.warnings.join("; ")));
    }
    if built.image.as_ref() != Some(&clean) {
        wrong.push("the output differs from a clean build".to_owned());
    }
    if stage.addresses() != artifacts {
        wrong.push(format!("{} artifacts became {}", artifacts.len(), stage.addresses().len()));
    }
    stage.lose_program();
    wrong.extend(judge("the output after a change of schema", &stage.build()?, &["restored"], &clean, 0));
    Ok(wrong)
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    for (what, kinds, expected) in CASES {
        found.wrong.extend(migrate(kinds, Some(expected))?.into_iter().map(|wrong| format!("{what} changed: {wrong}")));
    }
    let all: Vec<&str> = oric::queries::TABLE.iter().map(|row| row.name).collect();
    found.wrong.extend(migrate(&all, None)?.into_iter().map(|wrong| format!("everything changed: {wrong}")));
    found.did("schemas of other compilers", CASES.len() + 1);
    Ok(found)
}

/// A compiler that believes rows of another schema, and one that drops everything.
pub fn negatives() -> Vec<Negative> {
    let all: Vec<&str> = oric::queries::TABLE.iter().map(|row| row.name).collect();
    vec![
        Negative { what: "rows of another schema are believed", words: "expected: mentions", said: migrate(&[], Some("mentions")) },
        Negative { what: "one other kind drops everything", words: "expected: mentions", said: migrate(&all, Some("mentions")) },
    ]
}
