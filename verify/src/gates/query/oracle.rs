//! The naive evaluator: what must run after an edit, and nothing else may.
//!
//! It knows no colours, no reverse edges and no files. It looks at the graph of a build from nothing and remembers, for each node, the states that it was
//! in: its questions with the fingerprints of the answers. A node must run unless no answer changed since it was asked for last, or a remembered state fits.
//! A firewall of the table is brought up to date in each session, asked for or not: those that only the store knows are taken from there.
//! Then, as long as there is one: what a running node reads, and neither runs nor is stored, must run too.
//!
//! One thing is forgotten, because a store that rows are only appended to cannot know it for less than a walk over everything: the state of a node that
//! was not asked for while its answers changed and changed back, as happens to code while the program has errors. How often that costs a run is counted.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use oric::link::How;
use query::Fp;

use super::scene::{Graph, Node, Tree, is_linked};

type State = Vec<(String, Fp)>;

/// States that a store remembers of a node.
const STATES: usize = 8;

/// What is known of a node.
#[derive(Clone, Default, Debug)]
struct Known {
    /// Fingerprint of its answer, and the build in which it was last different from before.
    value: Fp,
    changed: usize,
    /// The answer before, when it changed in the last build, and since when it was that.
    before: Option<(Fp, usize)>,
    /// Its questions, as of the build in which it was last asked for.
    deps: Vec<String>,
    asked: usize,
    /// States it was in before, newest first.
    states: Vec<State>,
    /// All states that it was ever in.
    ever: HashSet<State>,
}

/// Everything that a store could know.
#[derive(Default, Debug)]
pub struct Oracle {
    known: BTreeMap<String, Known>,
    build: usize,
    /// Runs that a perfect memory would have spared.
    pub forgotten: usize,
}

/// Who asks these kinds asks for their fingerprints, not for their values: `link_plan` works from fingerprints alone.
fn reads_value(reader: &str, read: &str) -> bool {
    !(matches!(reader, "link_plan" | "part") && matches!(read, "machine" | "entry_code" | "position" | "reachable" | "part"))
}

/// Does the store keep values of this kind? Inputs are read from where they come from.
fn is_kept(kind: &str) -> bool {
    oric::queries::TABLE.iter().any(|row| row.name == kind && (row.persisted || row.rooms.is_empty()))
}

fn is_firewall(kind: &str) -> bool {
    oric::queries::TABLE.iter().any(|row| row.name == kind && row.firewall)
}

fn is_input(kind: &str) -> bool {
    oric::queries::TABLE.iter().any(|row| row.name == kind && row.rooms.is_empty())
}

/// Inputs count, whether the program needs them now or not: a session notices each change of one that it knows.
fn input(name: &str, tree: &Tree) -> Option<Fp> {
    if name.starts_with("settings(") {
        return Some(Fp::of(&tree.get("ori.toml")));
    }
    let module = name.strip_prefix("source(\"")?.strip_suffix("\")")?;
    Some(Fp::of(&tree.get(&format!("src/{module}.ori"))))
}

impl Oracle {
    /// What must run to get to this state, the executable made in this way, when the store has these nodes then.
    pub fn must_run(&mut self, clean: &Graph, stored: &Graph, tree: &Tree, how: Option<How>) -> Vec<String> {
        self.build += 1;
        let mut now = clean.clone();
        for (name, node) in stored.iter().filter(|(_, node)| is_firewall(&node.kind)) {
            now.entry(name.clone()).or_insert_with(|| node.clone());
        }
        let now = &now;
        self.take_answers(now, tree);
        let mut run: BTreeSet<String> = BTreeSet::new();
        for (name, node) in now.iter().filter(|(_, node)| !is_input(&node.kind)) {
            let stale = self.is_stale(name, node);
            let wanted = match (is_linked(node), how) {
                // The graph does not keep the image: it is linked unless the output can be patched, or was linked before and is among the artifacts.
                (true, how) => how == Some(How::Clean),
                (false, _) => stale,
            };
            if wanted {
                run.insert(name.clone());
            }
        }
        let mut open: Vec<String> = run.iter().cloned().collect();
        while let Some(reader) = open.pop().and_then(|name| now.get(&name)) {
            for dep in &reader.deps {
                let Some(node) = now.get(dep) else { continue };
                if reads_value(&reader.kind, &node.kind) && !is_kept(&node.kind) && run.insert(dep.clone()) {
                    open.push(dep.clone());
                }
            }
        }
        run.into_iter().collect()
    }

    /// Notes which answers changed.
    fn take_answers(&mut self, now: &Graph, tree: &Tree) {
        for known in self.known.values_mut() {
            known.before = None;
        }
        let absent: Vec<String> = self.known.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        let inputs = absent.iter().filter_map(|name| Some((name, input(name, tree)?)));
        let answers = now.iter().map(|(name, node)| (name, input(name, tree).unwrap_or(node.value)));
        for (name, value) in answers.chain(inputs) {
            match self.known.get_mut(name) {
                None => drop(self.known.insert(name.clone(), Known { value, changed: self.build, ..Known::default() })),
                Some(known) if known.value != value => {
                    known.before = Some((known.value, known.changed));
                    known.value = value;
                    known.changed = self.build;
                }
                Some(_) => {}
            }
        }
    }

    /// The answers to these questions in an earlier build, as far as that is known.
    fn state_in(&self, deps: &[String], build: usize) -> Option<State> {
        let answer = |dep: &String| {
            let known = self.known.get(dep)?;
            let now = (known.value, known.changed);
            let (value, _) = [Some(now), known.before].into_iter().flatten().find(|&(_, since)| since <= build)?;
            Some((dep.clone(), value))
        };
        deps.iter().map(answer).collect()
    }

    /// Does nothing that is known answer for this node? It is asked for in this build.
    fn is_stale(&mut self, name: &str, node: &Node) -> bool {
        let Some(mut known) = self.known.get(name).cloned() else { return true };
        let now = self.state_in(&node.deps, self.build).unwrap_or_default();
        let changed = |dep: &String| self.known.get(dep).is_none_or(|dep| dep.changed > known.asked);
        let stale = if known.asked == 0 {
            true
        } else if known.deps == node.deps && !node.deps.is_empty() && !known.deps.iter().any(changed) {
            false
        } else {
            let fits = known.states.contains(&now);
            // The state that it leaves is the newest, whether it was known or not; where an answer changed twice since, nobody knows what it was.
            if let Some(left) = self.state_in(&known.deps, known.asked) {
                known.states.retain(|known| *known != left);
                known.states.insert(0, left);
                known.states.truncate(STATES);
            }
            !fits
        };
        if !known.ever.insert(now) && stale {
            self.forgotten += 1;
        }
        known.deps.clone_from(&node.deps);
        known.asked = self.build;
        self.known.insert(name.to_owned(), known);
        stale
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
