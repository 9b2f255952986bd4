//! Nodes and their arena.
//!
//! The arena grows by chunks of doubling size and never moves a node, so that a node is found without a lock.

use std::any::Any;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

use crate::engine::{Cycle, Interrupt, Kind};
use crate::waits::Worker;

/// A node of the graph: (kind, key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(crate) u32);

/// A revision of the inputs, from 1.
pub(crate) type Revision = u32;

/// What a node's value is right now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Color {
    /// Never computed.
    New,
    /// A worker is computing or verifying it.
    Running(Worker),
    /// Possibly out of date: something it depends on may have changed.
    Yellow,
    /// Up to date.
    Green,
}

pub(crate) type Answer = Result<Arc<dyn Any + Send + Sync>, Interrupt>;

/// The changing part of a node.
pub(crate) struct State {
    pub color: Color,
    /// When the value was last different from before.
    pub changed_at: Revision,
    /// When the value was last known to be right.
    pub verified_at: Revision,
    /// The answer; `None` before the first run.
    pub answer: Option<Answer>,
    /// What it asked, in order of first asking.
    pub deps: SmallVec<[NodeId; 6]>,
    /// Who asked for it: a superset, kept in order of arrival.
    pub dependents: Vec<NodeId>,
    /// Set while it runs, when it turns out to be on a cycle.
    pub cycle: Option<Arc<Cycle>>,
}

/// What never changes of a node.
pub(crate) struct Identity {
    pub kind: Kind,
    pub key: Box<dyn Any + Send + Sync>,
}

/// One node.
pub(crate) struct Node {
    pub identity: OnceLock<Identity>,
    pub state: Mutex<State>,
    pub done: Condvar,
}

impl Default for Node {
    fn default() -> Self {
        Node {
            identity: OnceLock::new(),
            state: Mutex::new(State {
                color: Color::New,
                changed_at: 0,
                verified_at: 0,
                answer: None,
                deps: SmallVec::new(),
                dependents: Vec::new(),
                cycle: None,
            }),
            done: Condvar::new(),
        }
    }
}

const FIRST_CHUNK_BITS: u32 = 10;
const CHUNKS: usize = 22;

/// All nodes ever made.
pub(crate) struct Nodes {
    chunks: [OnceLock<Box<[Node]>>; CHUNKS],
    len: AtomicU32,
}

impl Default for Nodes {
    fn default() -> Self {
        Nodes { chunks: Default::default(), len: AtomicU32::new(0) }
    }
}

impl Nodes {
    fn position(id: u32) -> (usize, usize) {
        let shifted = id + (1 << FIRST_CHUNK_BITS);
        let bits = 31 - shifted.leading_zeros();
        ((bits - FIRST_CHUNK_BITS) as usize, (shifted - (1 << bits)) as usize)
    }

    /// Makes a node with this identity.
    pub fn push(&self, identity: Identity) -> NodeId {
        let id = self.len.fetch_add(1, Ordering::Relaxed);
        let (chunk, index) = Self::position(id);
        let nodes =
            self.chunks[chunk].get_or_init(|| (0..1usize << (FIRST_CHUNK_BITS as usize + chunk)).map(|_| Node::default()).collect());
        let fresh = nodes[index].identity.set(identity).is_ok();
        debug_assert!(fresh, "node numbers are given once");
        NodeId(id)
    }

    /// The node; it exists, for ids come from `push` alone.
    pub fn get(&self, id: NodeId) -> &Node {
        let (chunk, index) = Self::position(id.0);
        &self.chunks[chunk].get().expect("a node's chunk exists before its id does")[index]
    }

    /// What it is.
    pub fn identity(&self, id: NodeId) -> &Identity {
        self.get(id).identity.get().expect("a node's identity is set before its id is given out")
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }
}
