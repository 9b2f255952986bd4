//! `oric report`, and the form that all reports have.

mod executable;
mod mono;
mod size;
mod timings;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use query::store::{Damaged, Store};
use query::{Kind, NodeId};
use serde_json::{Value, json};

use crate::cli::{Output, REFUSED};
use crate::session::Session;

pub use mono::{functions, mono};
pub use size::size;
pub use timings::timings;

/// Prints a report to standard output: as text, or as one JSON line that holds the text and the same as data. A closed reader is not an error.
pub fn show(output: &Output, reason: &str, text: &str, mut data: Value) {
    if output.is_json() {
        data["reason"] = json!(reason);
        data["text"] = json!(text);
        output.event(&data);
    } else {
        output.result(text);
    }
}

/// Queries of one kind.
#[derive(Default)]
struct Tally {
    nodes: usize,
    ran: usize,
    cut_off: usize,
    yellow: usize,
    /// Most queries that asked the same one, and which.
    fan_out: (u32, u32),
}

/// Prints what the last session that changed something ran, and what it did not have to; the exit status.
pub fn cache(session: &Session, output: &Output) -> i32 {
    let Some(store) = session.engine.store() else { return REFUSED };
    let Ok(tallies) = tally(store) else {
        output.failure("the stored graph is damaged; the next build makes it again");
        return REFUSED;
    };
    let mut text = format!("revision {} of {} queries\n", store.generation(), store.node_count());
    let width = tallies.keys().map(|kind| session.engine.kind_name(Kind(*kind)).len()).max().unwrap_or(0).max(5);
    let _ = writeln!(text, "{:width$}  {:>8} {:>8} {:>8} {:>8} {:>6}  most asked", "query", "nodes", "ran", "cut off", "yellow", "hits");
    let mut rows = Vec::new();
    let mut sum = Tally::default();
    let line = |text: &mut String, name: &str, tally: &Tally, most: &str| {
        let hits = if tally.nodes == 0 { 100.0 } else { 100.0 * (tally.nodes - tally.ran) as f64 / tally.nodes as f64 };
        let _ = writeln!(
            text,
            "{name:width$}  {:>8} {:>8} {:>8} {:>8} {hits:>5.1}%  {most}",
            tally.nodes, tally.ran, tally.cut_off, tally.yellow
        );
    };
    for (kind, tally) in &tallies {
        let name = session.engine.kind_name(Kind(*kind));
        let asked = session.engine.node_name(NodeId::from_raw(tally.fan_out.1));
        let most = if tally.fan_out.0 == 0 { String::new() } else { format!("{asked} by {}", tally.fan_out.0) };
        line(&mut text, name, tally, &most);
        rows.push(json!({
            "query": name, "nodes": tally.nodes, "ran": tally.ran, "cut_off": tally.cut_off, "yellow": tally.yellow,
            "fan_out": tally.fan_out.0, "most_asked": asked,
        }));
        sum.nodes += tally.nodes;
        sum.ran += tally.ran;
        sum.cut_off += tally.cut_off;
        sum.yellow += tally.yellow;
    }
    line(&mut text, "all", &sum, "");
    show(output, "report", &text, json!({ "revision": store.generation(), "queries": store.node_count(), "rows": rows }));
    0
}

/// Counts by kind, in the order of the table.
fn tally(store: &Store) -> Result<BTreeMap<u16, Tally>, Damaged> {
    let last = store.generation();
    let mut is_first = true;
    let mut ran: HashSet<u32> = HashSet::new();
    let mut cut_off: HashSet<u32> = HashSet::new();
    for record in store.why() {
        is_first = false;
        if record.generation != last {
            continue;
        }
        ran.insert(record.node);
        if record.old == record.new && record.reason == 1 {
            cut_off.insert(record.node);
        }
    }
    let yellow: HashSet<u32> = store.yellow()?.into_iter().collect();
    let mut asked = vec![0_u32; store.node_count() as usize];
    let mut deps: Vec<u32> = Vec::new();
    let mut tallies: BTreeMap<u16, Tally> = BTreeMap::new();
    for id in 0..store.node_count() {
        let row = store.row(id)?;
        if row.kind == u16::MAX {
            continue;
        }
        deps.clear();
        store.deps(id, &mut deps)?;
        for dep in &deps {
            if let Some(count) = asked.get_mut(*dep as usize) {
                *count += 1;
            }
        }
        let tally = tallies.entry(row.kind).or_default();
        tally.nodes += 1;
        // A first build does not write down what it runs: everything but the inputs. Later, an answer that changed may have been remembered from before.
        let ran_first = is_first && row.changed_at == last && !crate::queries::is_input(row.kind);
        tally.ran += usize::from(ran_first || ran.contains(&id));
        tally.cut_off += usize::from(cut_off.contains(&id));
        tally.yellow += usize::from(yellow.contains(&id));
    }
    for id in 0..store.node_count() {
        let row = store.row(id)?;
        if let Some(tally) = tallies.get_mut(&row.kind) {
            let count = asked.get(id as usize).copied().unwrap_or(0);
            if count > tally.fan_out.0 {
                tally.fan_out = (count, id);
            }
        }
    }
    Ok(tallies)
}
