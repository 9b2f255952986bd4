//! Demanding answers: fetch, verify, execute, cut off; setting inputs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::node::{Answer, Color, Identity, NodeId, Nodes, Revision};
use crate::waits::{Waits, Worker};

/// Number of a query kind: its row in the table of queries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u16);

/// A key: small, comparable, hashable. `Debug` is its name in logs, so it must not show interner numbers.
pub trait Key: Clone + Eq + Hash + Debug + Send + Sync + 'static {}
impl<T: Clone + Eq + Hash + Debug + Send + Sync + 'static> Key for T {}

/// A pure function that the engine remembers.
pub trait Query: 'static {
    /// Row in the table of queries.
    const KIND: Kind;
    /// Name in logs and reports.
    const NAME: &'static str;
    /// What it is asked with.
    type Key: Key;
    /// What it answers. Equality decides early cutoff.
    type Value: Eq + Send + Sync + 'static;
    /// Computes the answer. Everything it reads, it reads through `cx`.
    fn run(cx: &Ctx<'_>, key: &Self::Key) -> Result<Self::Value, Interrupt>;
    /// The answer of a node that depends on itself; `None` passes the interrupt on to whoever asked.
    fn on_cycle(_key: &Self::Key, _cycle: &Cycle) -> Option<Self::Value> {
        None
    }
}

/// A value from outside, set before it is asked for.
pub trait Input: 'static {
    /// Row in the table of queries.
    const KIND: Kind;
    /// Name in logs and reports.
    const NAME: &'static str;
    /// What it is asked with.
    type Key: Key;
    /// What was set.
    type Value: Eq + Send + Sync + 'static;
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Interrupt {
    /// The node depends on itself.
    Cycle(Arc<Cycle>),
    /// The session was cancelled.
    Cancelled,
}

impl PartialEq for Interrupt {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Interrupt::Cycle(a), Interrupt::Cycle(b)) => a.members == b.members,
            (Interrupt::Cancelled, Interrupt::Cancelled) => true,
            (Interrupt::Cycle(_) | Interrupt::Cancelled, _) => false,
        }
    }
}

/// A cycle of nodes, rotated so that the least name comes first: the same from whichever node it was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// `query(key)` of each member, in order of asking.
    pub members: Vec<String>,
}

impl Cycle {
    fn of(mut names: Vec<String>) -> Cycle {
        let least = names.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(i, _)| i);
        names.rotate_left(least);
        Cycle { members: names }
    }
}

const SHARDS: usize = 16;

struct Table<K> {
    shards: [Mutex<HashMap<K, NodeId>>; SHARDS],
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Table { shards: Default::default() }
    }
}

/// What the engine must do with a node whose types it does not know.
trait Erased: Send + Sync {
    fn execute(&self, cx: &Ctx<'_>, key: &dyn Any) -> Answer;
    fn on_cycle(&self, key: &dyn Any, cycle: &Cycle) -> Option<Arc<dyn Any + Send + Sync>>;
    fn same(&self, a: &dyn Any, b: &dyn Any) -> bool;
    fn key_text(&self, key: &dyn Any) -> String;
    fn name(&self) -> &'static str;
    fn table(&self) -> &dyn Any;
}

struct QueryRow<Q: Query>(Table<Q::Key>, PhantomData<fn() -> Q>);
struct InputRow<I: Input>(Table<I::Key>, PhantomData<fn() -> I>);

impl<Q: Query> Erased for QueryRow<Q> {
    fn execute(&self, cx: &Ctx<'_>, key: &dyn Any) -> Answer {
        let key = key.downcast_ref::<Q::Key>().expect("a node's key has the type of its kind");
        Ok(Arc::new(Q::run(cx, key)?))
    }

    fn on_cycle(&self, key: &dyn Any, cycle: &Cycle) -> Option<Arc<dyn Any + Send + Sync>> {
        let value = Q::on_cycle(key.downcast_ref::<Q::Key>()?, cycle)?;
        Some(Arc::new(value))
    }

    fn same(&self, a: &dyn Any, b: &dyn Any) -> bool {
        match (a.downcast_ref::<Q::Value>(), b.downcast_ref::<Q::Value>()) {
            (Some(a), Some(b)) => a == b,
            (None, _) | (_, None) => false,
        }
    }

    fn key_text(&self, key: &dyn Any) -> String {
        key.downcast_ref::<Q::Key>().map_or_else(String::new, |key| format!("{key:?}"))
    }

    fn name(&self) -> &'static str {
        Q::NAME
    }

    fn table(&self) -> &dyn Any {
        &self.0
    }
}

impl<I: Input> Erased for InputRow<I> {
    fn execute(&self, _cx: &Ctx<'_>, _key: &dyn Any) -> Answer {
        // An input is green as long as it exists; nothing executes it.
        Err(Interrupt::Cancelled)
    }

    fn on_cycle(&self, _key: &dyn Any, _cycle: &Cycle) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    fn same(&self, a: &dyn Any, b: &dyn Any) -> bool {
        match (a.downcast_ref::<I::Value>(), b.downcast_ref::<I::Value>()) {
            (Some(a), Some(b)) => a == b,
            (None, _) | (_, None) => false,
        }
    }

    fn key_text(&self, key: &dyn Any) -> String {
        key.downcast_ref::<I::Key>().map_or_else(String::new, |key| format!("{key:?}"))
    }

    fn name(&self) -> &'static str {
        I::NAME
    }

    fn table(&self) -> &dyn Any {
        &self.0
    }
}

/// The engine: a graph of answers.
pub struct Engine {
    rows: Vec<Option<Box<dyn Erased>>>,
    nodes: Nodes,
    hasher: DefaultHashBuilder,
    revision: Revision,
    waits: Waits,
    workers: AtomicU32,
    cancelled: AtomicBool,
    /// Nodes executed since the log was last taken, when logging is on.
    log: Option<Mutex<Vec<NodeId>>>,
}

impl Default for Engine {
    fn default() -> Self {
        Engine {
            rows: Vec::new(),
            nodes: Nodes::default(),
            hasher: DefaultHashBuilder::default(),
            revision: 1,
            waits: Waits::default(),
            workers: AtomicU32::new(0),
            cancelled: AtomicBool::new(false),
            log: None,
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
    deps: RefCell<SmallVec<[NodeId; 6]>>,
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
        }
        assert!(self.rows[index].is_none(), "kind {index} is registered twice");
        self.rows[index] = Some(row);
    }

    fn row(&self, kind: Kind) -> &dyn Erased {
        self.rows[kind.0 as usize].as_deref().expect("every kind is registered before it is asked for")
    }

    /// `query(key)`
    pub fn node_name(&self, node: NodeId) -> String {
        let identity = self.nodes.identity(node);
        let row = self.row(identity.kind);
        format!("{}({})", row.name(), row.key_text(&*identity.key))
    }

    /// Number of nodes in the graph.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn intern<K: Key>(&self, kind: Kind, key: &K) -> NodeId {
        let table: &Table<K> = self.row(kind).table().downcast_ref().expect("a kind has one key type");
        let hash = self.hasher.hash_one(key);
        let mut shard = table.shards[(hash >> 57) as usize % SHARDS].lock();
        match shard.get(key) {
            Some(&node) => node,
            None => {
                let node = self.nodes.push(Identity { kind, key: Box::new(key.clone()) });
                shard.insert(key.clone(), node);
                node
            }
        }
    }

    /// Sets an input. An equal value is no change. Returns whether it changed.
    pub fn set<I: Input>(&mut self, key: &I::Key, value: I::Value) -> bool {
        let node = self.intern(I::KIND, key);
        let state = &mut *self.nodes.get(node).state.lock();
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        if let Some(Ok(old)) = &state.answer
            && self.row(I::KIND).same(&**old, &*value)
        {
            return false;
        }
        let first = state.answer.is_none();
        state.answer = Some(Ok(value));
        state.color = Color::Green;
        if first && state.dependents.is_empty() {
            // Nobody has asked for it, so nothing can be out of date.
            state.changed_at = self.revision;
            state.verified_at = self.revision;
            return true;
        }
        self.revision += 1;
        state.changed_at = self.revision;
        state.verified_at = self.revision;
        let dependents = state.dependents.clone();
        self.mark_yellow(dependents);
        true
    }

    /// Takes an input away: who asks for it now gets `None`.
    pub fn remove<I: Input>(&mut self, key: &I::Key) {
        let node = self.intern(I::KIND, key);
        let state = &mut *self.nodes.get(node).state.lock();
        if state.answer.take().is_some() {
            self.revision += 1;
            state.changed_at = self.revision;
            state.verified_at = self.revision;
            state.color = Color::Green;
            let dependents = state.dependents.clone();
            self.mark_yellow(dependents);
        }
    }

    /// Everything that may have read what `from` stand for becomes yellow.
    fn mark_yellow(&self, from: Vec<NodeId>) {
        let mut stack = from;
        while let Some(node) = stack.pop() {
            let state = &mut *self.nodes.get(node).state.lock();
            match state.color {
                Color::Green => {
                    state.color = Color::Yellow;
                    stack.extend_from_slice(&state.dependents);
                }
                Color::New | Color::Yellow => {}
                Color::Running(_) => debug_assert!(false, "inputs are set while nothing runs"),
            }
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
        let node = self.intern(Q::KIND, key);
        downcast(self.demand(node)?)
    }

    /// The worker that this thread is.
    fn worker(&self) -> Worker {
        WORKER.with(|worker| match worker.get() {
            Some(worker) => worker,
            None => {
                // Numbers are unique in the process, not in the engine: a thread may serve several engines.
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let new = Worker(NEXT.fetch_add(1, Ordering::Relaxed));
                self.workers.fetch_add(1, Ordering::Relaxed);
                worker.set(Some(new));
                new
            }
        })
    }

    /// Brings a node up to date and returns its answer.
    fn demand(&self, id: NodeId) -> Answer {
        let me = self.worker();
        let node = self.nodes.get(id);
        let mut state = node.state.lock();
        loop {
            match state.color {
                Color::Green => return state.answer.clone().unwrap_or(Err(Interrupt::Cancelled)),
                Color::New => {
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(Interrupt::Cancelled);
                    }
                    state.color = Color::Running(me);
                    state.cycle = None;
                    drop(state);
                    return self.execute(id, None);
                }
                Color::Yellow => {
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(Interrupt::Cancelled);
                    }
                    state.color = Color::Running(me);
                    state.cycle = None;
                    let deps = state.deps.clone();
                    let verified_at = state.verified_at;
                    drop(state);
                    return self.verify(id, deps, verified_at);
                }
                Color::Running(owner) if owner == me => {
                    drop(state);
                    let members = STACK.with_borrow(|stack| {
                        let from = stack.iter().position(|&n| n == id).unwrap_or(0);
                        stack[from..].to_vec()
                    });
                    return Err(self.close_cycle(members));
                }
                Color::Running(owner) => {
                    if let Err(members) = STACK.with_borrow(|stack| self.waits.start(me, stack, id, owner)) {
                        drop(state);
                        return Err(self.close_cycle(members));
                    }
                    node.done.wait(&mut state);
                }
            }
        }
    }

    /// These running nodes ask for each other in a ring: marks them, so that each answers for the cycle.
    fn close_cycle(&self, members: Vec<NodeId>) -> Interrupt {
        let cycle = Arc::new(Cycle::of(members.iter().map(|&n| self.node_name(n)).collect()));
        for member in members {
            self.nodes.get(member).state.lock().cycle = Some(cycle.clone());
        }
        Interrupt::Cycle(cycle)
    }

    /// A yellow node, now running: green when no dependency changed since it was verified, else it executes.
    fn verify(&self, id: NodeId, deps: SmallVec<[NodeId; 6]>, verified_at: Revision) -> Answer {
        STACK.with(|stack| stack.borrow_mut().push(id));
        let mut changed = deps.is_empty();
        // In recorded order: a dependency is brought up to date only when those before it did not change, so nothing is
        // evaluated that the query itself would not ask for.
        for &dep in &deps {
            let answer = self.demand(dep);
            if matches!(answer, Err(Interrupt::Cancelled)) && self.cancelled.load(Ordering::Relaxed) {
                STACK.with(|stack| stack.borrow_mut().pop());
                self.settle(id, |state| state.color = Color::Yellow);
                return Err(Interrupt::Cancelled);
            }
            // A dependency that is running was asked for by this very node: a cycle, which only running can answer for.
            let state = self.nodes.get(dep).state.lock();
            if state.changed_at > verified_at || matches!(state.color, Color::Running(_)) {
                changed = true;
                break;
            }
        }
        STACK.with(|stack| stack.borrow_mut().pop());
        // Another worker may have found this node on a cycle meanwhile, up to the moment in which it turns green.
        let green = (!changed).then(|| {
            self.settle(id, |state| {
                if state.cycle.is_some() {
                    return None;
                }
                state.color = Color::Green;
                state.verified_at = self.revision;
                state.answer.clone()
            })
        });
        match green.flatten() {
            Some(answer) => answer,
            None => self.execute(id, Some(deps)),
        }
    }

    fn execute(&self, id: NodeId, old_deps: Option<SmallVec<[NodeId; 6]>>) -> Answer {
        let identity = self.nodes.identity(id);
        let row = self.row(identity.kind);
        if let Some(log) = &self.log {
            log.lock().push(id);
        }
        let cx = Ctx { engine: self, deps: RefCell::new(SmallVec::new()) };
        STACK.with(|stack| stack.borrow_mut().push(id));
        let mut answer = row.execute(&cx, &*identity.key);
        STACK.with(|stack| stack.borrow_mut().pop());
        let deps = cx.deps.into_inner();
        if matches!(answer, Err(Interrupt::Cancelled)) {
            self.settle(id, |state| state.color = if state.answer.is_some() { Color::Yellow } else { Color::New });
            return answer;
        }
        let old_deps = old_deps.unwrap_or_default();
        for &dep in &deps {
            if !old_deps.contains(&dep) {
                self.nodes.get(dep).state.lock().dependents.push(id);
            }
        }
        self.settle(id, |state| {
            // A member of a cycle answers for the cycle, whatever it computed: so the answer does not depend on where the cycle was entered.
            let cycle = state.cycle.take().or_else(|| match &answer {
                Err(Interrupt::Cycle(cycle)) => Some(cycle.clone()),
                Ok(_) | Err(Interrupt::Cancelled) => None,
            });
            if let Some(cycle) = cycle {
                answer = row.on_cycle(&*identity.key, &cycle).ok_or(Interrupt::Cycle(cycle));
            }
            let same = match (&state.answer, &answer) {
                (Some(Ok(old)), Ok(new)) => row.same(&**old, &**new),
                (Some(Err(old)), Err(new)) => old == new,
                (None | Some(_), _) => false,
            };
            if !same {
                state.changed_at = self.revision;
                state.answer = Some(answer);
            }
            state.verified_at = self.revision;
            state.deps = deps;
            state.color = Color::Green;
            state.answer.clone().unwrap_or(Err(Interrupt::Cancelled))
        })
    }

    /// Changes the state of a node that this worker ran, and wakes whoever waits for it.
    fn settle<R>(&self, id: NodeId, change: impl FnOnce(&mut crate::node::State) -> R) -> R {
        let node = self.nodes.get(id);
        let result = change(&mut node.state.lock());
        self.waits.finished(id);
        node.done.notify_all();
        result
    }

    /// An input as it is now, from outside any query.
    pub fn input_value<I: Input>(&self, key: &I::Key) -> Option<Arc<I::Value>> {
        self.input::<I>(key).1
    }

    fn input<I: Input>(&self, key: &I::Key) -> (NodeId, Option<Arc<I::Value>>) {
        let node = self.intern(I::KIND, key);
        let state = &mut *self.nodes.get(node).state.lock();
        if state.color == Color::New {
            // Asked for before it was set: an absent input is a value like any other.
            state.color = Color::Green;
            state.changed_at = self.revision;
            state.verified_at = self.revision;
        }
        let value = match &state.answer {
            Some(Ok(value)) => value.clone().downcast::<I::Value>().ok(),
            Some(Err(_)) | None => None,
        };
        (node, value)
    }
}

fn downcast<V: Send + Sync + 'static>(value: Arc<dyn Any + Send + Sync>) -> Result<Arc<V>, Interrupt> {
    Ok(value.downcast::<V>().expect("a kind has one value type"))
}

impl<'e> Ctx<'e> {
    /// The answer to a query.
    pub fn get<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Interrupt> {
        let node = self.engine.intern(Q::KIND, key);
        self.record(node);
        downcast(self.engine.demand(node)?)
    }

    /// An input, `None` when it is not set.
    pub fn input<I: Input>(&self, key: &I::Key) -> Option<Arc<I::Value>> {
        let (node, value) = self.engine.input::<I>(key);
        self.record(node);
        value
    }

    fn record(&self, node: NodeId) {
        let mut deps = self.deps.borrow_mut();
        // Most queries ask few things, and repeat the last ones; a repeated entry further back costs one more look when verifying.
        let from = deps.len().saturating_sub(16);
        if !deps[from..].contains(&node) {
            deps.push(node);
        }
    }

    /// The engine, for what is no question: running queries in parallel.
    pub fn engine(&self) -> &'e Engine {
        self.engine
    }
}
