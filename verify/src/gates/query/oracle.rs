//! The naive evaluator: what must run after an edit, and nothing else may.
//!
//! It knows no colours, no reverse edges and no files. It remembers every state that a build was in, as a list of (question, fingerprint of the
//! answer) for each node, and looks at the graph of a build from nothing: a node must run unless one of its remembered states fits every answer of now.
//! Then, as long as there is one: what a running node reads, and neither runs nor is stored, must run too.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use oric::link::How;
use query::Fp;

use super::scene::{Graph, Node, is_linked};

type State = Vec<(String, Fp)>;

/// Everything that a store could know.
#[derive(Default, Debug)]
pub struct Oracle {
    memory: BTreeMap<String, HashSet<State>>,
}

/// Who asks these kinds asks for their fingerprints, not for their values: `link_plan` works from fingerprints alone.
fn reads_value(reader: &str, read: &str) -> bool {
    !(reader == "link_plan" && matches!(read, "machine" | "entry_code" | "position"))
}

/// Does the store keep values of this kind? Inputs are read from where they come from.
fn is_kept(kind: &str) -> bool {
    oric::queries::TABLE.iter().any(|row| row.name == kind && (row.persisted || row.rooms.is_empty()))
}

fn is_input(kind: &str) -> bool {
    oric::queries::TABLE.iter().any(|row| row.name == kind && row.rooms.is_empty())
}

fn state(node: &Node, graph: &Graph) -> State {
    node.deps.iter().map(|dep| (dep.clone(), graph.get(dep).map_or(Fp::NONE, |node| node.value))).collect()
}

impl Oracle {
    /// What must run to get to this state, the executable made in this way.
    pub fn must_run(&self, now: &Graph, how: Option<How>) -> Vec<String> {
        let mut run: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = Vec::new();
        for (name, node) in now.iter().filter(|(_, node)| !is_input(&node.kind)) {
            let wanted = match (is_linked(node), how) {
                // The image is kept nowhere but in the output.
                (true, how) => how == Some(How::Clean),
                (false, Some(How::Patched | How::Clean)) if node.kind == "link_plan" => true,
                (false, _) => !self.memory.get(name).is_some_and(|states| states.contains(&state(node, now))),
            };
            if wanted {
                run.insert(name);
                open.push(name);
            }
        }
        while let Some(name) = open.pop() {
            let Some(reader) = now.get(name) else { continue };
            for dep in &reader.deps {
                let Some((dep, node)) = now.get_key_value(dep) else { continue };
                if reads_value(&reader.kind, &node.kind) && !is_kept(&node.kind) && run.insert(dep) {
                    open.push(dep);
                }
            }
        }
        run.into_iter().map(str::to_owned).collect()
    }

    /// The store knows this state from now on.
    pub fn learn(&mut self, now: &Graph) {
        for (name, node) in now {
            self.memory.entry(name.clone()).or_default().insert(state(node, now));
        }
    }
}

/// What ran and was not to run, and the reverse; `None` when both sets are equal.
pub fn compare(ran: &[String], must: &[String]) -> Option<String> {
    let (ran, must): (BTreeSet<&String>, BTreeSet<&String>) = (ran.iter().collect(), must.iter().collect());
    if ran == must {
        return None;
    }
    let list = |names: Vec<&&String>| {
        let shown: Vec<&str> = names.iter().take(6).map(|name| name.as_str()).collect();
        format!("{} ({})", names.len(), shown.join(", "))
    };
    let (more, less) = (ran.difference(&must).collect(), must.difference(&ran).collect());
    Some(format!("executed keys differ from the naive evaluator's: too many {}, missing {}", list(more), list(less)))
}

/// Kinds of these nodes, sorted, each once.
pub fn kinds(ran: &[String]) -> Vec<String> {
    let kinds: BTreeSet<&str> = ran.iter().filter_map(|name| name.split_once('(')).map(|(kind, _)| kind).collect();
    kinds.into_iter().map(str::to_owned).collect()
}
