//! Names of nodes, reasons for executions, figures: what reports are made of.

use super::Engine;
use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::kind::{Kind, Query};
use crate::node::{Color, NodeId, YELLOW};
use crate::store::WhyRecord;

/// Why a node ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It was never computed.
    New,
    /// Something it asked for changed.
    Dependency,
    /// The compiler changed, or the run before failed.
    Forced,
    /// It was up to date, but its value is not kept.
    ValueWanted,
}

/// One run of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
    /// The node.
    pub node: NodeId,
    /// The first dependency that changed.
    pub because: Option<NodeId>,
    /// Why it ran.
    pub reason: Reason,
    /// The fingerprint before.
    pub old: Option<Fp>,
    /// The fingerprint of the answer.
    pub new: Fp,
    /// Nanoseconds from the start of the session.
    pub started: u64,
    /// Running time in nanoseconds, dependencies included.
    pub nanos: u32,
    /// Which worker ran it.
    pub worker: u32,
}

impl Execution {
    /// As the store keeps it.
    pub(super) fn record(&self, generation: u32) -> WhyRecord {
        WhyRecord {
            generation,
            node: self.node.0,
            first_red_dep: self.because.map_or(WhyRecord::NONE, |dep| dep.0),
            old: self.old.unwrap_or(Fp::NONE),
            new: self.new,
            nanos: self.nanos,
            worker: self.worker as u8,
            reason: match self.reason {
                Reason::New => 0,
                Reason::Dependency => 1,
                Reason::Forced => 2,
                Reason::ValueWanted => 3,
            },
        }
    }
}

/// A dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Who asks.
    pub from: NodeId,
    /// Whom.
    pub to: NodeId,
}

/// A node as reports show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeView {
    /// Its number.
    pub id: NodeId,
    /// Its kind.
    pub kind: Kind,
    /// `query(key)`.
    pub name: String,
    /// Fingerprint of its answer.
    pub value: Fp,
    /// Possibly out of date.
    pub yellow: bool,
    /// Revision in which the answer changed last.
    pub changed_at: u32,
    /// What it asked.
    pub deps: Vec<NodeId>,
}

/// What a session did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Figures {
    /// Nodes in the graph.
    pub nodes: usize,
    /// Nodes that this session looked at.
    pub touched: usize,
    /// Runs of providers that were written down.
    pub executed: usize,
    /// Runs whose answer was the one before.
    pub cut_off: usize,
}

impl NodeId {
    /// Its number, for columns in reports.
    pub fn raw(self) -> u32 {
        self.0
    }

    /// The node with this number.
    pub fn from_raw(raw: u32) -> NodeId {
        NodeId(raw)
    }
}

impl Engine {
    /// `query(key)`
    pub fn node_name(&self, node: NodeId) -> String {
        let named = self.slot(node).and_then(|slot| {
            let row = self.row(slot.kind);
            let key = self.key(node, slot)?;
            Ok(format!("{}({})", row.name(), row.key_text(&**key)))
        });
        named.unwrap_or_else(|_| format!("node {}", node.0))
    }

    /// Name of a kind.
    pub fn kind_name(&self, kind: Kind) -> &'static str {
        self.rows.get(kind.0 as usize).and_then(Option::as_deref).map_or("unknown", |row| row.name())
    }

    /// The kind of a node.
    pub fn kind_of(&self, node: NodeId) -> Result<Kind, Interrupt> {
        match self.nodes.slot(node) {
            Some(slot) => Ok(slot.kind),
            None => Ok(Kind(self.stored_row(node)?.kind)),
        }
    }

    /// What ran, in order of finishing.
    pub fn executions(&self) -> Vec<Execution> {
        self.executions.lock().clone()
    }

    /// What this session did.
    pub fn figures(&self) -> Figures {
        let executions = self.executions.lock();
        Figures {
            nodes: self.node_count(),
            touched: self.nodes.touched(0..u32::MAX).count(),
            executed: executions.len(),
            cut_off: executions.iter().filter(|run| run.old == Some(run.new)).count(),
        }
    }

    /// Are at least so many stored nodes of this kind out of date, as far as nobody has asked for them in this session?
    pub fn are_out_of_date(&self, kind: Kind, count: usize) -> bool {
        let is_it = |id: &NodeId| self.stored_row(*id).is_ok_and(|row| row.kind == kind.0);
        self.nodes.yellow_count() >= count && self.nodes.yellow().filter(is_it).nth(count.saturating_sub(1)).is_some()
    }

    /// All nodes, in order of their numbers.
    pub fn view(&self) -> impl Iterator<Item = Result<NodeView, Interrupt>> + '_ {
        (0..self.nodes.len()).map(|raw| self.view_of(NodeId(raw)))
    }

    /// One node.
    pub fn view_of(&self, id: NodeId) -> Result<NodeView, Interrupt> {
        let slot = self.slot(id)?;
        let state = slot.state.lock();
        let yellow = self.nodes.marks(id) & YELLOW != 0 && state.color != Color::Green || state.color == Color::Yellow;
        let (value, changed_at, deps) = (state.fp, state.changed_at, self.deps(id, &state)?.to_vec());
        drop(state);
        Ok(NodeView { id, kind: slot.kind, name: self.node_name(id), value, yellow, changed_at, deps })
    }

    /// The node of a question, when somebody asked it, now or in an earlier session.
    pub fn node<Q: Query>(&self, key: &Q::Key) -> Result<Option<NodeId>, Interrupt> {
        self.node_of(Q::KIND, key, Q::address)
    }

    /// Nodes that ask for `id`.
    pub fn asked_by(&self, id: NodeId) -> Result<Vec<NodeId>, Interrupt> {
        let mut found: Vec<u32> = Vec::new();
        if let Some(store) = self.store.as_ref().filter(|_| id.0 < self.nodes.stored()) {
            self.broken(store.dependents(id.0, &mut found))?;
        }
        let mut found: Vec<NodeId> = found.into_iter().map(NodeId).collect();
        if let Some(slot) = self.nodes.slot(id) {
            found.extend_from_slice(&slot.state.lock().dependents);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}
