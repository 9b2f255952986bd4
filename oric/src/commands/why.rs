//! `oric why`: the chain of reasons from an edit to what was computed again.

use std::collections::HashMap;
use std::fmt::Write as _;

use ir::ItemId;
use query::engine::Difference;
use query::store::WhyRecord;
use query::{Engine, NodeId};

use crate::cli::{Output, REFUSED};
use crate::queries;
use crate::session::Session;

/// Longest chain that is printed; the graph has no longer one without a cycle.
const DEEPEST: usize = 64;

/// Prints why the last session that changed something computed `what` again; the exit status.
pub fn why(session: &Session, what: &str, output: &Output) -> i32 {
    let engine = &session.engine;
    let Some(store) = engine.store() else { return nothing(what, output) };
    let records: Vec<WhyRecord> = store.why().collect();
    let Some(last) = records.iter().map(|record| record.generation).max() else { return nothing(what, output) };
    let ran: HashMap<u32, &WhyRecord> =
        records.iter().filter(|record| record.generation == last).map(|record| (record.node, record)).collect();
    let mut named: Vec<(&WhyRecord, String)> = Vec::new();
    for record in ran.values() {
        let name = engine.node_name(NodeId::from_raw(record.node));
        if is_meant(session, what, &name) {
            named.push((record, name));
        }
    }
    named.sort_by(|a, b| a.1.cmp(&b.1));
    let Some((first, name)) = named.iter().max_by_key(|(record, name)| (depth(record, &ran), std::cmp::Reverse(name.clone()))) else {
        return nothing(what, output);
    };
    let mut text = format!("{name} ran{}\n", cost(first));
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
            break;
        }
        let cause = NodeId::from_raw(at.first_red_dep);
        let _ = write!(text, "{indent}\u{2514} {} changed", described(session, cause));
        match ran.get(&cause.raw()) {
            Some(next) => {
                let _ = writeln!(text, " ({:.8} \u{2192} {:.8}){}", next.old.to_string(), next.new.to_string(), cost(next));
                at = next;
            }
            None => {
                text.push('\n');
                break;
            }
        }
    }
    let cut_off = ran.values().filter(|record| record.old == record.new && record.reason == 1).count();
    let _ = writeln!(text, "{} of {} queries recomputed; {cut_off} cut off early (same fingerprint)", ran.len(), engine.node_count());
    print!("{text}");
    0
}

fn nothing(what: &str, output: &Output) -> i32 {
    output.failure(&format!("nothing that '{what}' names was computed again by the last build or check that changed anything"));
    REFUSED
}

/// Length of the chain behind an execution: the deepest query is the one that a user means by an item.
fn depth(record: &WhyRecord, ran: &HashMap<u32, &WhyRecord>) -> usize {
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
    let bare = what.trim_start_matches('@');
    if let Some(file) = bare.strip_suffix(".ori") {
        let below = file.strip_prefix(session.project.prefix.as_str()).unwrap_or(file);
        let module = below.strip_prefix("src/").unwrap_or(below).replace('/', ".");
        return key == module || key.trim_start_matches('@').trim_start_matches(['$', '#']).starts_with(&format!("{module}."));
    }
    let key = key.trim_start_matches('@');
    key == bare || key.rsplit('.').next() == Some(bare)
}

/// A node in words: text of the program with its place, the rest as `query(key)`.
fn described(session: &Session, node: NodeId) -> String {
    let name = session.engine.node_name(node);
    if let Some(item) = name.strip_prefix("item(@").and_then(|rest| rest.strip_suffix(')'))
        && let Some(item) = ItemId::parse(item)
        && let Ok(position) = session.engine.get::<queries::Position>(&item)
        && let Some(position) = &*position
        && let Ok(file) = session.engine.get::<queries::Parse>(&item.module())
        && let Some(entry) = file.items.iter().find(|entry| entry.id == item)
    {
        let path = format!("{}{}", session.project.prefix, position.file);
        return format!("the text of @{item} at {path}:{} (bytes {}..{})", entry.line, entry.start, entry.end);
    }
    name
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
