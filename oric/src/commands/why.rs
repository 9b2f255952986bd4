//! `oric why`: the chain of reasons from an edit to what was computed again.

use std::collections::HashMap;
use std::fmt::Write as _;

use ir::ItemId;
use query::engine::Difference;
use query::store::{Store, WhyRecord};
use query::{Engine, NodeId};
use serde_json::{Value, json};

use super::report::show;
use crate::cli::{Output, REFUSED};
use crate::queries;
use crate::session::Session;

/// Longest chain that is printed; the graph has no longer one without a cycle.
const DEEPEST: usize = 64;

/// What one session computed again, by node.
type Ran<'a> = HashMap<u32, &'a WhyRecord>;

/// Prints why the last session that computed something computed `what` again, or when that was last done; the exit status.
pub fn why(session: &Session, what: &str, output: &Output) -> i32 {
    let engine = &session.engine;
    let Some(store) = engine.store() else { return unknown(session, what, output) };
    let records: Vec<WhyRecord> = store.why().collect();
    let mut sessions: Vec<u32> = records.iter().map(|record| record.generation).collect();
    sessions.sort_unstable();
    sessions.dedup();
    // That a value was fetched once more is a reason only for what has no better one.
    let fetched = |record: &WhyRecord| record.reason == 3;
    let passes =
        [false, true].into_iter().flat_map(|all| sessions.iter().rev().enumerate().map(move |(at, generation)| (all, at, generation)));
    for (all, at, &generation) in passes {
        let ran: Ran<'_> = records.iter().filter(|record| record.generation == generation).map(|record| (record.node, record)).collect();
        let mut named: Vec<(&WhyRecord, String)> = Vec::new();
        for record in ran.values().filter(|record| all || !fetched(record)) {
            let name = engine.node_name(NodeId::from_raw(record.node));
            if is_meant(session, what, &name) {
                named.push((record, name));
            }
        }
        // The deepest query with another answer is the one that a user means by an item: code, when code was made.
        let is_changed = |record: &WhyRecord| record.old != record.new;
        let deepest =
            named.into_iter().max_by_key(|(record, name)| (is_changed(record), depth(record, &ran), std::cmp::Reverse(name.clone())));
        if let Some((first, name)) = deepest {
            return tell(session, &name, first, &ran, at, output);
        }
    }
    match first_computed(session, store, what) {
        Some((name, generation)) => {
            let text = format!(
                "{name} was computed in revision {generation}, for the first time, and has not run since: nothing that it asked for changed\n\
                 edit the program and build or check it, then ask again; `oric graph --focus {}` shows what it asks for\n",
                what.trim_start_matches('@')
            );
            show(output, "why", &text, json!({ "what": name, "revision": generation, "ran": false }));
            0
        }
        None => unknown(session, what, output),
    }
}

/// Prints the chain behind an execution. `ago`: how many sessions that computed something came after it.
fn tell(session: &Session, name: &str, first: &WhyRecord, ran: &Ran<'_>, ago: usize, output: &Output) -> i32 {
    let mut text = String::new();
    let generation = first.generation;
    if ago > 0 {
        let builds = if ago == 1 { "the last build or check" } else { "the last builds and checks" };
        let _ =
            writeln!(text, "{name} did not run in {builds}: nothing that it asked for changed; the time before, in revision {generation}:");
    }
    let _ = writeln!(text, "{name} ran{}", cost(first));
    let mut chain: Vec<Value> = vec![json!({ "node": name, "nanos": first.nanos })];
    let mut at: &WhyRecord = first;
    for step in 0..DEEPEST {
        let indent = "  ".repeat(step);
        if at.first_red_dep == WhyRecord::NONE {
            let reason = match at.reason {
                0 => "it was never computed before",
                2 => "the compiler changed, or the run before failed",
                3 => "its value was wanted, and only its fingerprint is stored",
                _ => "it had to",
            };
            let _ = writeln!(text, "{indent}\u{2514} {reason}");
            chain.push(json!({ "reason": reason }));
            break;
        }
        let cause = NodeId::from_raw(at.first_red_dep);
        let next = ran.get(&cause.raw());
        let node = session.engine.node_name(cause);
        let edit = edited(session, &node);
        let _ = write!(text, "{indent}\u{2514} {} changed", edit.as_deref().unwrap_or(&node));
        let mut row = json!({ "node": node });
        if let Some(edit) = &edit {
            row["edit"] = json!(edit);
        }
        if let Some(next) = next {
            let [old, new] = [next.old, next.new].map(|fp| format!("{fp:.8}").chars().take(8).collect::<String>());
            let _ = write!(text, " ({old} \u{2192} {new}){}", cost(next));
            row["nanos"] = json!(next.nanos);
            row["old"] = json!(next.old.to_string());
            row["new"] = json!(next.new.to_string());
        }
        text.push('\n');
        chain.push(row);
        match next {
            Some(next) if edit.is_none() => at = next,
            Some(_) | None => break,
        }
    }
    let cut_off = ran.values().filter(|record| record.old == record.new && record.reason == 1).count();
    let queries = session.engine.node_count();
    let _ = writeln!(text, "{} of {queries} queries recomputed; {cut_off} cut off early (same fingerprint)", ran.len());
    let data = json!({ "what": name, "revision": generation, "ran": ago == 0, "chain": chain, "recomputed": ran.len(), "queries": queries, "cut_off": cut_off });
    show(output, "why", &text, data);
    0
}

/// A query that is meant and that no session on record ran again, with the session of its answer.
fn first_computed(session: &Session, store: &Store, what: &str) -> Option<(String, u32)> {
    let mut best: Option<(u16, String, u32)> = None;
    for id in 0..store.node_count() {
        let name = session.engine.node_name(NodeId::from_raw(id));
        if !is_meant(session, what, &name) {
            continue;
        }
        // The later its row in the table of queries, the nearer to the code.
        let Ok(row) = store.row(id) else { continue };
        if best.as_ref().is_none_or(|(kind, ..)| *kind < row.kind) {
            best = Some((row.kind, name, row.changed_at));
        }
    }
    best.map(|(_, name, generation)| (name, generation))
}

fn unknown(session: &Session, what: &str, output: &Output) -> i32 {
    let count = session.engine.node_count() as u32;
    let mut names: Vec<String> = (0..count).filter_map(|id| item_of(&session.engine.node_name(NodeId::from_raw(id)))).collect();
    names.sort_unstable();
    names.dedup();
    let bare = what.trim_start_matches('@');
    let near = hir::resolve::nearest(bare, names.iter().map(String::as_str));
    let hint = near.map_or_else(
        || "; `oric graph` lists every query".to_owned(),
        |near| format!("; did you mean {}{near}?", if what.starts_with('@') { "@" } else { "" }),
    );
    output.failure(&format!("no query in the store is about '{what}'{hint}"));
    REFUSED
}

/// The name of the item that a query is about, without its module.
fn item_of(node: &str) -> Option<String> {
    let (_, key) = node.strip_suffix(')')?.split_once("(@")?;
    key.rsplit('.').next().map(str::to_owned)
}

/// Length of the chain behind an execution.
fn depth(record: &WhyRecord, ran: &Ran<'_>) -> usize {
    let mut at = record;
    for steps in 0..DEEPEST {
        match ran.get(&at.first_red_dep) {
            Some(next) => at = next,
            None => return steps,
        }
    }
    DEEPEST
}

fn cost(record: &WhyRecord) -> String {
    match record.nanos {
        0 => String::new(),
        nanos => format!(" in {:.2} ms", f64::from(nanos) / 1e6),
    }
}

/// Does the user mean this node? `f` and `@f` mean every query of a function of that name, a file every query of its module.
fn is_meant(session: &Session, what: &str, name: &str) -> bool {
    if name == what {
        return true;
    }
    let Some((_, key)) = name.strip_suffix(')').and_then(|name| name.split_once('(')) else { return false };
    if what.contains('(') {
        return false;
    }
    let key = key.trim_matches('"');
    if let Some(file) = what.strip_suffix(".ori") {
        let below = file.strip_prefix("./").unwrap_or(file);
        let below = below.strip_prefix(session.project.prefix.as_str()).unwrap_or(below);
        let below = below.strip_prefix("src/").unwrap_or(below);
        let module = below.strip_suffix("/mod").unwrap_or(below).replace('/', ".");
        let item = key.trim_start_matches('@').trim_start_matches(['$', '#']);
        // Of `net.probe.run` and the module `net`, the rest must be one name: the item is not in `net.probe`.
        return key == module || item.strip_prefix(&module).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| !rest.contains('.'));
    }
    let (key, bare) = (key.trim_start_matches('@'), what.trim_start_matches('@'));
    key == bare || key.rsplit('.').next() == Some(bare)
}

/// What a user did, when the node is that: text of the program with its place, or options.
fn edited(session: &Session, name: &str) -> Option<String> {
    match name {
        "settings(())" => return Some("an option that changes code (--no-pass, ORI_FUEL, ori.toml)".to_owned()),
        "link_settings(())" => return Some("an option of the linker (--strip)".to_owned()),
        _ => {}
    }
    if let Some(module) = name.strip_prefix("source(\"").and_then(|rest| rest.strip_suffix("\")")) {
        let path = session.engine.get::<queries::ModuleFile>(&ir::Symbol::new(module)).ok()?;
        return Some(match &*path {
            Some(file) => format!("the text of {}", session.project.shown(&file.path)),
            None => format!("the file of module {module}, which is not there now,"),
        });
    }
    let item = ItemId::parse(name.strip_prefix("item(@")?.strip_suffix(')')?)?;
    let position = session.engine.get::<queries::Position>(&item).ok()?;
    let Some(position) = &*position else { return Some(format!("@{item}, which is not there now,")) };
    let path = session.project.shown(&position.file);
    let file = session.engine.get::<queries::Parse>(&item.module()).ok()?;
    // The tree is made from the file as it is now; an edit after the build makes the place unknown, not wrong.
    let entry = file.items.iter().find(|entry| entry.id == item).filter(|entry| entry.line == position.line)?;
    let text = session.engine.input_value::<queries::Source>(&item.module());
    let text = text.as_ref().and_then(|source| source.text.get(entry.start as usize..entry.end as usize)).unwrap_or_default();
    let last = entry.line as usize + text.trim_end().matches('\n').count();
    let lines = if last > entry.line as usize { format!("{}-{last}", entry.line) } else { entry.line.to_string() };
    Some(format!("the text of @{item} at {path}:{lines} (bytes {}..{})", entry.start, entry.end))
}

/// A query that gave two answers, as a report of our own bug.
pub fn difference(engine: &Engine, difference: &Difference, count: usize) -> String {
    let mut text = format!(
        "{} is not a function of what it asked: {} on record, {} when run again",
        engine.node_name(difference.node),
        difference.recorded,
        difference.now
    );
    if let Some(question) = difference.question {
        let _ = write!(text, "; only one of the runs asked {}", engine.node_name(question));
    }
    if let [Some(before), Some(after)] = &difference.values {
        let at = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        let _ = write!(text, "; the values ({} and {} bytes) differ from byte {at}", before.len(), after.len());
    }
    if count > 1 {
        let _ = write!(text, " ({} more)", count - 1);
    }
    text
}
