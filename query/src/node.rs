//! Nodes of the graph, stored and new, and what this session knows of them.
//!
//! Numbers below `stored` are nodes of the store; behind them come those that the session meets first. A stored node that nothing has touched costs one
//! byte: zero means *green, as stored*. Only when it is verified, run or loaded does it get a [`Slot`].

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

use crate::fingerprint::Fp;
use crate::interrupt::{Cycle, Interrupt};
use crate::kind::Kind;
use crate::row::{AnyKey, Value};
use crate::store::{BlobAt, Trace};
use crate::waits::Worker;

/// A node of the graph: (kind, key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(crate) u32);

/// A revision of the inputs, from 1; it goes on from session to session.
pub(crate) type Revision = u32;

/// What a node asked, in order of first asking.
pub(crate) type Deps = SmallVec<[NodeId; 6]>;

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

/// What the store has of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Saved {
    /// All of it.
    Yes,
    /// Something else, or nothing.
    No,
    /// The same, but what it is now waits for the publish ([`crate::Engine::gather_ahead`]).
    Waits,
}

/// The answer as far as it is in memory.
#[derive(Clone)]
pub(crate) enum Held {
    /// Not in memory: on disk, or to be computed again, or never computed.
    Nothing,
    Value(Value),
    Failed(Interrupt),
}

/// The changing part of a node.
pub(crate) struct State {
    pub color: Color,
    /// It has been computed, now or in an earlier session: `fp` means something.
    pub known: bool,
    /// It must run, whatever its dependencies say: its row is stale, or failed.
    pub forced: bool,
    /// What the store has of it.
    pub saved: Saved,
    /// Binary logarithm of its last running time in microseconds.
    pub cost: u8,
    /// Kinds (as a mask over the release rule of its own kind) that have read its value.
    pub consumed: u8,
    /// When the value was last different from before.
    pub changed_at: Revision,
    /// When the value was last known to be right.
    pub verified_at: Revision,
    /// Fingerprint of the answer.
    pub fp: Fp,
    /// The fingerprint before, and since when it was that one.
    pub before: Option<Box<(Fp, Revision)>>,
    pub held: Held,
    /// Where the value is on disk, or `BlobAt::NONE`.
    pub stored: BlobAt,
    /// `None`: as the store has them.
    pub deps: Option<Deps>,
    /// Who asked for it in this session: a superset, in order of arrival. Those of earlier sessions are in the store.
    pub dependents: SmallVec<[NodeId; 4]>,
    /// A state that the session replaced, to be remembered.
    pub superseded: Option<Box<Trace>>,
    /// Set while it runs, when it turns out to be on a cycle.
    pub cycle: Option<std::sync::Arc<Cycle>>,
}

impl State {
    pub fn new() -> State {
        State {
            color: Color::New,
            known: false,
            forced: false,
            saved: Saved::Yes,
            cost: 0,
            consumed: 0,
            changed_at: 0,
            verified_at: 0,
            fp: Fp::NONE,
            before: None,
            held: Held::Nothing,
            stored: BlobAt::NONE,
            deps: None,
            dependents: SmallVec::new(),
            superseded: None,
            cycle: None,
        }
    }
}

/// What the session knows of a node.
pub(crate) struct Slot {
    pub kind: Kind,
    /// Set at once for a new node, for a stored one when it is first needed.
    pub key: OnceLock<AnyKey>,
    pub state: Mutex<State>,
    pub done: Condvar,
}

impl Slot {
    pub fn new(kind: Kind, state: State) -> Slot {
        Slot { kind, key: OnceLock::new(), state: Mutex::new(state), done: Condvar::new() }
    }
}

/// The node may be out of date.
pub(crate) const YELLOW: u8 = 1;
/// It must run, whatever its dependencies say.
pub(crate) const FORCED: u8 = 2;
/// It has a slot, which knows better.
pub(crate) const TOUCHED: u8 = 4;
/// Somebody is looking whether it is still green.
pub(crate) const BUSY: u8 = 8;

const fn is_yellow(marks: u8) -> bool {
    marks & (YELLOW | TOUCHED) == YELLOW
}

// What an edit touches is strewn over all numbers: a large chunk would be written for a single slot.
const CHUNK_BITS: u32 = 6;
const CHUNK: usize = 1 << CHUNK_BITS;
const GROUP_BITS: u32 = 9;
const GROUP: usize = 1 << GROUP_BITS;
const GROUPS: usize = 1 << 9;
/// Stored nodes whose marks are made together.
const MARKED: usize = 1 << 10;

type Chunk = Box<[OnceLock<Box<Slot>>]>;
/// Chunks with neighbouring numbers: with all places of all nodes in one list, each session would first write a list of sixteen thousand.
type Group = Box<[OnceLock<Chunk>]>;

/// All nodes.
pub(crate) struct Nodes {
    /// One byte a stored node, in lists that are made when the first of their nodes is marked.
    status: Box<[OnceLock<Box<[AtomicU8]>>]>,
    /// Number of stored nodes.
    stored: u32,
    /// Stored nodes that are marked yellow and have no slot.
    yellow: AtomicU32,
    groups: Box<[OnceLock<Group>]>,
    len: AtomicU32,
}

impl Nodes {
    /// The nodes of a store with this many.
    pub fn new(stored: u32) -> Nodes {
        let status = empty((stored as usize).div_ceil(MARKED));
        Nodes { status, stored, yellow: AtomicU32::new(0), groups: empty(GROUPS), len: AtomicU32::new(stored) }
    }

    /// Is it a stored node that nothing has touched and that is not out of date?
    pub fn is_green_as_stored(&self, id: NodeId) -> bool {
        self.is_stored(id) && self.marks(id) == 0
    }

    /// The marks of a stored node; none for a new one.
    pub fn marks(&self, id: NodeId) -> u8 {
        let list = self.status.get(id.0 as usize / MARKED).and_then(OnceLock::get);
        list.map_or(0, |list| list[id.0 as usize % MARKED].load(Ordering::Acquire))
    }

    /// Adds marks to a stored node; those it had.
    pub fn mark(&self, id: NodeId, marks: u8) -> u8 {
        if !self.is_stored(id) {
            return 0;
        }
        let list = self.status[id.0 as usize / MARKED].get_or_init(|| (0..MARKED).map(|_| AtomicU8::new(0)).collect());
        let before = list[id.0 as usize % MARKED].fetch_or(marks, Ordering::AcqRel);
        self.count(before, before | marks);
        before
    }

    /// Takes marks from a stored node.
    pub fn unmark(&self, id: NodeId, marks: u8) {
        if let Some(list) = self.status.get(id.0 as usize / MARKED).and_then(OnceLock::get) {
            let before = list[id.0 as usize % MARKED].fetch_and(!marks, Ordering::AcqRel);
            self.count(before, before & !marks);
        }
    }

    fn count(&self, before: u8, after: u8) {
        match (is_yellow(before), is_yellow(after)) {
            (false, true) => self.yellow.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.yellow.fetch_sub(1, Ordering::Relaxed),
            (false, false) | (true, true) => 0,
        };
    }

    /// Number of [`Nodes::yellow`].
    pub fn yellow_count(&self) -> usize {
        self.yellow.load(Ordering::Relaxed) as usize
    }

    /// Stored nodes that are out of date and have no slot, which would know better.
    pub fn yellow(&self) -> impl Iterator<Item = NodeId> {
        let lists = self.status.iter().enumerate().filter_map(|(at, list)| Some((at, list.get()?)));
        lists.flat_map(|(at, list)| {
            let marked = list.iter().enumerate().filter(|(_, status)| is_yellow(status.load(Ordering::Acquire)));
            marked.map(move |(id, _)| NodeId((at * MARKED + id) as u32))
        })
    }

    /// Is it a node of the store?
    pub fn is_stored(&self, id: NodeId) -> bool {
        id.0 < self.stored()
    }

    /// Number of nodes that the store had when the session began.
    pub fn stored(&self) -> u32 {
        self.stored
    }

    /// Number of all nodes.
    pub fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    fn place(&self, id: NodeId) -> Option<&OnceLock<Box<Slot>>> {
        let group = self.groups.get((id.0 >> (CHUNK_BITS + GROUP_BITS)) as usize)?.get_or_init(|| empty(GROUP));
        let chunk = group.get((id.0 >> CHUNK_BITS) as usize % GROUP)?.get_or_init(|| empty(CHUNK));
        chunk.get(id.0 as usize % CHUNK)
    }

    /// Makes a new node.
    pub fn push(&self, kind: Kind, key: AnyKey) -> NodeId {
        let id = NodeId(self.len.fetch_add(1, Ordering::AcqRel));
        let slot = Slot::new(kind, State::new());
        let _ = slot.key.set(key);
        let place = self.place(id).expect("a graph has at most 16 million nodes");
        let fresh = place.set(Box::new(slot)).is_ok();
        debug_assert!(fresh, "node numbers are given once");
        id
    }

    /// The slot of a node, when it has one.
    pub fn slot(&self, id: NodeId) -> Option<&Slot> {
        let group = self.groups.get((id.0 >> (CHUNK_BITS + GROUP_BITS)) as usize)?.get()?;
        let chunk = group.get((id.0 >> CHUNK_BITS) as usize % GROUP)?.get()?;
        chunk.get(id.0 as usize % CHUNK)?.get().map(|slot| &**slot)
    }

    /// Gives a stored node its slot; when two workers do it at once, the first one's stays.
    pub fn touch(&self, id: NodeId, slot: Slot) -> &Slot {
        let place = self.place(id).expect("a stored node's number is below the limit");
        let slot = place.get_or_init(|| Box::new(slot));
        self.mark(id, TOUCHED);
        slot
    }

    /// Every node with a number in this range that has a slot, in order of numbers.
    pub fn touched(&self, ids: Range<u32>) -> impl Iterator<Item = (NodeId, &Slot)> {
        let ids = ids.start..ids.end.min(self.len());
        let first = |size: usize| ids.start as usize / size;
        let groups = self.groups.iter().enumerate().skip(first(CHUNK * GROUP)).take_while({
            let end = ids.end as usize;
            move |(g, _)| g * GROUP * CHUNK < end
        });
        let chunks = groups
            .filter_map(|(g, group)| Some((g, group.get()?)))
            .flat_map(|(g, group)| group.iter().enumerate().filter_map(move |(c, chunk)| Some((g * GROUP + c, chunk.get()?))));
        let slots = chunks.flat_map(|(c, chunk)| {
            chunk.iter().enumerate().filter_map(move |(i, slot)| Some((NodeId((c * CHUNK + i) as u32), &**slot.get()?)))
        });
        slots.filter(move |(id, _)| ids.contains(&id.0))
    }
}

fn empty<T>(places: usize) -> Box<[OnceLock<T>]> {
    (0..places).map(|_| OnceLock::new()).collect()
}
