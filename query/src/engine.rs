//! The engine: a graph of answers, in memory as far as this session touched it, on disk for the rest.
//!
//! | file        | verb                                                                                     |
//! |-------------|------------------------------------------------------------------------------------------|
//! | [`demand`]  | bring a node up to date, and fetch its value                                             |
//! | [`verify`]  | decide whether a yellow node is green: by its dependencies, else by a remembered state    |
//! | [`execute`] | run a provider, compare its answer with the one before                                   |
//! | [`input`]   | set, remove and load what comes from outside                                             |
//! | [`mark`]    | make everything yellow that an edit can reach                                            |
//! | [`publish`] | write what this session learned to the store                                             |
//! | [`doubt`]   | run green nodes again and compare                                                        |
//! | [`explain`] | names of nodes, reasons for executions, figures                                          |

mod demand;
mod doubt;
mod execute;
mod explain;
mod input;
mod mark;
mod publish;
mod verify;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::kind::{Input, Key, Kind, Query};
use crate::node::{Deps, FORCED, NodeId, Nodes, Revision, Slot, State, YELLOW};
use crate::row::{AnyKey, Erased, InputRow, QueryRow, Table, Value, key_fingerprint};
use crate::store::{Batch, Damaged, Row, Store, flags};
use crate::waits::{Waits, Worker};

pub use doubt::Difference;
pub use explain::{Edge, Execution, Figures, NodeView, Reason};
pub use publish::{Outcome, SHARED};

type Loader = Box<dyn Fn(Kind, &dyn Any) -> Result<Option<Value>, Interrupt> + Send + Sync>;

/// The engine: a graph of answers.
pub struct Engine {
    rows: Vec<Option<Box<dyn Erased>>>,
    /// The rank of each kind that is a firewall, in order of registration, and the number of ranks.
    firewalls: Vec<Option<u8>>,
    ranks: u8,
    nodes: Nodes,
    store: Option<Store>,
    revision: Revision,
    waits: Waits,
    cancelled: AtomicBool,
    damaged: AtomicBool,
    /// What runs now is not to be logged: a sample of what is green.
    unseen: AtomicBool,
    /// Memo tables only: no fingerprints, edges or store. What the cost of the engine is measured against.
    bare: bool,
    loader: Option<Loader>,
    /// For each kind, the kinds after whose reading its values are dropped from memory.
    consumers: Vec<SmallVec<[Kind; 4]>>,
    /// Nodes executed since the log was last taken, when logging is on.
    log: Option<Mutex<Vec<NodeId>>>,
    /// Inputs that changed in the edit that is going on.
    edited: Option<Vec<NodeId>>,
    /// What ran and why, when it is to be written or shown.
    executions: Mutex<Vec<Execution>>,
    recording: Recording,
    /// Nodes whose second run gave another answer: hidden inputs.
    differences: Mutex<Vec<Difference>>,
    /// Rows for the next publish that are gathered already.
    ahead: Mutex<Batch>,
    started: Instant,
}

/// Which executions are written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recording {
    /// Those of nodes that an earlier session knew, or that join a stored graph.
    Changes,
    /// All of them.
    All,
}

impl Default for Engine {
    fn default() -> Self {
        Engine {
            rows: Vec::new(),
            firewalls: Vec::new(),
            ranks: 0,
            nodes: Nodes::new(0),
            store: None,
            revision: 1,
            waits: Waits::default(),
            cancelled: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            unseen: AtomicBool::new(false),
            bare: false,
            loader: None,
            consumers: Vec::new(),
            log: None,
            edited: None,
            executions: Mutex::default(),
            recording: Recording::Changes,
            differences: Mutex::default(),
            ahead: Mutex::default(),
            started: Instant::now(),
        }
    }
}

thread_local! {
    /// The running nodes of this thread, outermost first, and the worker it is.
    static STACK: RefCell<Vec<NodeId>> = const { RefCell::new(Vec::new()) };
    static WORKER: Cell<Option<Worker>> = const { Cell::new(None) };
}

/// What a running query asks through. Every answer it gets is recorded as a dependency.
pub struct Ctx<'e> {
    engine: &'e Engine,
    deps: RefCell<Deps>,
    /// The rank of the firewall that runs.
    rank: Option<u8>,
}

impl Engine {
    /// An engine without queries.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Records which nodes execute, for scenario tests and reports.
    pub fn log_executions(&mut self) {
        self.log = Some(Mutex::new(Vec::new()));
    }

    /// The nodes executed since the last call, as sorted `query(key)` texts.
    pub fn take_log(&mut self) -> Vec<String> {
        let Some(log) = &mut self.log else { return Vec::new() };
        let nodes = std::mem::take(log.get_mut());
        let mut names: Vec<String> = nodes.into_iter().map(|n| self.node_name(n)).collect();
        names.sort();
        names
    }

    /// Nanoseconds from when the engine was made: the clock of [`Execution::started`].
    pub fn at(&self, time: Instant) -> u64 {
        time.saturating_duration_since(self.started).as_nanos() as u64
    }

    /// Which executions are written down for `why` and timings.
    pub fn record(&mut self, recording: Recording) {
        self.recording = recording;
    }

    /// Memo tables only: what the cost of the engine is measured against. Before anything is asked.
    pub fn set_bare(&mut self) {
        self.bare = true;
    }

    /// Values of `kind` leave memory once every one of `consumers` has read them; asked for again, they are computed again.
    pub fn release_after(&mut self, kind: Kind, consumers: &[Kind]) {
        debug_assert!(consumers.len() <= 8, "the mask of consumers has eight bits");
        let index = kind.0 as usize;
        if self.consumers.len() <= index {
            self.consumers.resize_with(index + 1, SmallVec::new);
        }
        self.consumers[index] = consumers.iter().copied().collect();
    }

    /// Adds a row for a query.
    pub fn register<Q: Query>(&mut self) {
        self.place(Q::KIND, Box::new(QueryRow::<Q>(Table::default(), PhantomData)));
    }

    /// Adds a row for an input.
    pub fn register_input<I: Input>(&mut self) {
        self.place(I::KIND, Box::new(InputRow::<I>(Table::default(), PhantomData)));
    }

    fn place(&mut self, kind: Kind, row: Box<dyn Erased>) {
        let index = kind.0 as usize;
        if self.rows.len() <= index {
            self.rows.resize_with(index + 1, || None);
            self.firewalls.resize(index + 1, None);
        }
        if row.is_firewall() {
            self.firewalls[index] = Some(self.ranks);
            self.ranks += 1;
        }
        assert!(self.rows[index].is_none(), "kind {index} is registered twice");
        self.rows[index] = Some(row);
    }

    fn row(&self, kind: Kind) -> &dyn Erased {
        self.rows[kind.0 as usize].as_deref().expect("every kind is registered before it is asked for")
    }

    /// Schema of every kind: what a store must have been written with for its rows to be believed.
    pub fn schema(&self) -> Vec<(u16, Fp)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(kind, row)| Some((kind as u16, row.as_ref()?.schema()))).collect()
    }

    /// Goes on from a stored graph. After the rows are registered and before anything is set or asked.
    pub fn attach(&mut self, store: Store) -> Result<(), Damaged> {
        debug_assert_eq!(self.nodes.len(), 0, "a store is attached to an empty engine");
        self.nodes = Nodes::new(store.node_count());
        self.revision = store.generation() + 1;
        for id in store.yellow()? {
            self.nodes.mark(NodeId(id), YELLOW);
        }
        let stale = store.stale_kinds();
        self.store = Some(store);
        if !stale.is_empty() {
            self.force_kinds(&stale)?;
        }
        Ok(())
    }

    /// The stored graph.
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// Gives the stored graph back, for what is done after the result: folding, garbage collection.
    pub fn store_mut(&mut self) -> Option<&mut Store> {
        self.store.as_mut()
    }

    /// Takes the stored graph away, to start again without it.
    pub fn into_store(self) -> Option<Store> {
        self.store
    }

    /// Number of nodes in the graph.
    pub fn node_count(&self) -> usize {
        self.nodes.len() as usize
    }

    /// Was a damaged column met? Then every answer of this session is to be thrown away.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    fn broken<T>(&self, result: Result<T, Damaged>) -> Result<T, Interrupt> {
        result.map_err(|Damaged| {
            self.damaged.store(true, Ordering::Relaxed);
            Interrupt::Damaged
        })
    }

    fn stored_row(&self, id: NodeId) -> Result<Row, Interrupt> {
        match &self.store {
            Some(store) => self.broken(store.row(id.0)),
            None => Err(Interrupt::Damaged),
        }
    }

    /// The slot of a node; a stored node gets one from its row.
    fn slot(&self, id: NodeId) -> Result<&Slot, Interrupt> {
        if let Some(slot) = self.nodes.slot(id) {
            return Ok(slot);
        }
        let row = self.stored_row(id)?;
        if self.rows.get(row.kind as usize).is_none_or(Option::is_none) {
            // A kind that this compiler does not have; only its own kind may ask for it, so nobody does.
            return Err(Interrupt::Damaged);
        }
        let marks = self.nodes.marks(id);
        let forced = marks & FORCED != 0 || row.flags & (flags::FAILED | flags::STALE) != 0;
        let state = State {
            color: if marks & YELLOW != 0 || forced { crate::node::Color::Yellow } else { crate::node::Color::Green },
            known: row.flags & flags::FAILED == 0,
            forced,
            cost: row.cost,
            changed_at: row.changed_at,
            verified_at: row.verified_at,
            fp: row.value,
            stored: row.value_at,
            ..State::new()
        };
        Ok(self.nodes.touch(id, Slot::new(Kind(row.kind), state)))
    }

    /// The key of a node.
    fn key<'s>(&'s self, id: NodeId, slot: &'s Slot) -> Result<&'s AnyKey, Interrupt> {
        if let Some(key) = slot.key.get() {
            return Ok(key);
        }
        let row = self.stored_row(id)?;
        let bytes = self.store.as_ref().and_then(|store| store.blob(row.key_at));
        match bytes.and_then(|bytes| self.row(slot.kind).key_of(bytes)) {
            Some(key) => Ok(slot.key.get_or_init(|| key)),
            // Without its key a node cannot run: the graph is not usable.
            None => self.broken(Err(Damaged)),
        }
    }

    /// What a node asked, as last recorded.
    fn deps(&self, id: NodeId, state: &State) -> Result<Deps, Interrupt> {
        if let Some(deps) = &state.deps {
            return Ok(deps.clone());
        }
        let mut raw: SmallVec<[u32; 8]> = SmallVec::new();
        if let Some(store) = &self.store
            && id.0 < self.nodes.stored()
        {
            self.broken(store.deps(id.0, &mut raw))?;
        }
        Ok(raw.into_iter().map(NodeId).collect())
    }

    /// The node of a key.
    fn intern<K: Key>(&self, kind: Kind, key: &K, address: fn(&K) -> u64) -> Result<NodeId, Interrupt> {
        let row = self.row(kind);
        let table: &Table<K> = row.table().downcast_ref().expect("a kind has one key type");
        let at = address(key);
        let mut shard = table.shard(at).lock();
        if let Some(&(_, node)) = shard.find(at, |(known, _)| known == key) {
            return Ok(node);
        }
        let node = match self.stored_node(kind, key)? {
            Some(node) => node,
            None => self.nodes.push(kind, Box::new(key.clone())),
        };
        shard.insert_unique(at, (key.clone(), node), |(known, _)| address(known));
        Ok(node)
    }

    /// The node of a key that somebody asked about, in this session or an earlier one.
    fn node_of<K: Key>(&self, kind: Kind, key: &K, address: fn(&K) -> u64) -> Result<Option<NodeId>, Interrupt> {
        let table: &Table<K> = self.row(kind).table().downcast_ref().expect("a kind has one key type");
        let at = address(key);
        let known = table.shard(at).lock().find(at, |(known, _)| known == key).map(|&(_, node)| node);
        match known {
            Some(node) => Ok(Some(node)),
            None => self.stored_node(kind, key),
        }
    }

    fn stored_node<K: Key>(&self, kind: Kind, key: &K) -> Result<Option<NodeId>, Interrupt> {
        match &self.store {
            Some(store) if store.node_count() > 0 => {
                Ok(self.broken(store.find(key_fingerprint(kind, key)))?.filter(|&id| id < self.nodes.stored()).map(NodeId))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Makes every running query stop at its next question.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Allows questions again.
    pub fn resume(&mut self) {
        self.cancelled.store(false, Ordering::Relaxed);
    }

    /// The answer to a query, from outside any query.
    pub fn get<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Interrupt> {
        let node = self.intern(Q::KIND, key, Q::address)?;
        downcast(self.value(node)?)
    }

    /// Brings a query up to date without fetching its value, and tells the fingerprint of its answer.
    pub fn fingerprint<Q: Query>(&self, key: &Q::Key) -> Result<Fp, Interrupt> {
        let node = self.intern(Q::KIND, key, Q::address)?;
        self.fresh_fingerprint(node)
    }

    /// The worker that this thread is.
    fn worker(&self) -> Worker {
        WORKER.with(|worker| match worker.get() {
            Some(worker) => worker,
            None => {
                // Numbers are unique in the process, not in the engine: a thread may serve several engines.
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let new = Worker(NEXT.fetch_add(1, Ordering::Relaxed));
                worker.set(Some(new));
                new
            }
        })
    }
}

fn downcast<V: Send + Sync + 'static>(value: Value) -> Result<Arc<V>, Interrupt> {
    Ok(value.downcast::<V>().expect("a kind has one value type"))
}

impl Ctx<'_> {
    /// The answer to a query.
    pub fn get<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Interrupt> {
        let node = self.engine.intern(Q::KIND, key, Q::address)?;
        self.may_ask::<Q>();
        self.record(node);
        downcast(self.engine.value(node)?)
    }

    /// The fingerprint of the answer to a query, whose value is neither loaded nor, when it is up to date, computed.
    pub fn fingerprint<Q: Query>(&self, key: &Q::Key) -> Result<Fp, Interrupt> {
        let node = self.engine.intern(Q::KIND, key, Q::address)?;
        self.may_ask::<Q>();
        self.record(node);
        self.engine.fresh_fingerprint(node)
    }

    /// While firewalls are brought up to date, what the edit reaches above them is not marked yet: a firewall must not read it.
    fn may_ask<Q: Query>(&self) {
        if let Some(rank) = self.rank {
            let asked = self.engine.firewalls.get(Q::KIND.0 as usize).copied().flatten();
            assert!(asked.is_some_and(|asked| asked <= rank), "a firewall asks for `{}`, which is none or stands behind it", Q::NAME);
        }
    }

    /// An input, `None` when it is not set.
    pub fn input<I: Input>(&self, key: &I::Key) -> Result<Option<Arc<I::Value>>, Interrupt> {
        let (node, value) = self.engine.input::<I>(key)?;
        self.record(node);
        Ok(value)
    }

    fn record(&self, node: NodeId) {
        let mut deps = self.deps.borrow_mut();
        // Most queries ask few things, and repeat the last ones; a repeated entry further back costs one more look when verifying.
        let from = deps.len().saturating_sub(16);
        if !deps[from..].contains(&node) {
            deps.push(node);
        }
    }
}
