//! `swap`: an element is changed in place, not in a copy.
//!
//! `a[i][j] = v` reads the element, makes a changed one and puts it back. What is read is a part of the list, so with the list at hand it has two holders when it is changed,
//! and is copied. Where the list is only waiting to get it back, the element is taken out instead, and something that nobody counts is left in its place: an empty text or
//! list, a variant without content. Elements of types without such a value stay.
//!
//! Where the element is needed only behind the change, as in `let t = a[i]; a[i] = v; f(t)`, the two change places, and nothing is counted.

mod blank;

use hashbrown::{HashMap, HashSet};
use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, Graph, Inst, NewInst, Value};
use ir::{Fuel, Stop};

use self::blank::Blank;
use super::kinds::{Kind, Kinds};
use crate::between::{Between, uses};
use crate::ir::{Context, Contract, Mir};
use crate::ops::Op;

/// Types inside types that are looked into for a value without counted content.
const DEPTH: u32 = 8;
/// What is taken out of a list is looked into in the next round, so deep.
const ROUNDS: usize = 4;

/// Takes elements out that are put back; true when there was something.
pub(super) fn run(graph: &mut Graph<Mir>, order: &Order, contract: Contract, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    let has_sets = graph.blocks.rows().iter().flat_map(|row| &row.insts).any(|&inst| graph.op(inst) == Op::ListSet);
    if !has_sets {
        return Ok(false);
    }
    let dominators = Dominators::of(order);
    let mut any = false;
    for _ in 0..ROUNDS {
        let kinds = Kinds::of(graph, order, contract, cx)?;
        let looks = looks(graph, order);
        let mut changed = false;
        for &block in &order.blocks {
            for inst in graph.blocks[block].insts.clone() {
                if graph.op(inst) != Op::ListSet {
                    continue;
                }
                let (list, element) = (graph.args(inst)[0], graph.ty(graph.args(inst)[2]));
                // What this round has made is looked at in the next one.
                let is_own = kinds.knows(list) && matches!(kinds.get(list), Kind::Owned(_));
                if !is_own || !cx.is_counted(element)? {
                    continue;
                }
                let set = Set { graph, order, dominators: &dominators, kinds: &kinds, looks: &looks, block, inst };
                let Some(found) = set.find() else { continue };
                let blank = if found.when == When::Exchanged { None } else { Blank::of(element, DEPTH, cx)? };
                if (blank.is_some() || found.when == When::Exchanged) && fuel.spend() {
                    apply(graph, (block, inst), &found, blank.as_ref());
                    changed = true;
                }
            }
        }
        any |= changed;
        if !changed {
            break;
        }
    }
    Ok(any)
}

/// What looks at an element of a list, by the list and the index. What is read for its check alone is no look.
type Looks = HashMap<(Value, Value), Vec<(Block, Inst)>>;

fn looks(graph: &Graph<Mir>, order: &Order) -> Looks {
    let mut looks = Looks::new();
    let mut is_used = vec![false; graph.values.len()];
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
            graph.args(inst).iter().chain(passed).for_each(|arg| is_used[arg.index()] = true);
            if let (Op::ListGet | Op::ListAt, &[list, index]) = (graph.op(inst), graph.args(inst)) {
                looks.entry((list, index)).or_default().push((block, inst));
            }
        }
    }
    for looks in looks.values_mut() {
        looks.retain(|&(_, inst)| is_used[graph.result(inst).index()]);
    }
    looks
}

/// An element that is put back changed, or that gives its place to another one.
struct Found {
    /// What looks at it, and where.
    look: (Block, Inst),
    element: Value,
    when: When,
}

/// When the element is taken out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// When it is looked at.
    Seen,
    /// In front of this instruction, which is of the block of the `list_set`.
    Before(Inst),
    /// When the other one is put there.
    Exchanged,
}

/// A `list_set` whose list is owned.
struct Set<'a> {
    graph: &'a Graph<Mir>,
    order: &'a Order,
    dominators: &'a Dominators,
    kinds: &'a Kinds,
    looks: &'a Looks,
    block: Block,
    inst: Inst,
}

impl Set<'_> {
    /// Looks for the element that was at the place: read once on the way here, as a part of the same list.
    fn find(&self) -> Option<Found> {
        let &[list, index, new] = self.graph.args(self.inst) else { return None };
        let look = self.look(list, index)?;
        let element = self.graph.result(look.1);
        if !self.kinds.knows(element) || self.kinds.get(element) == Kind::Free || new == list {
            return None;
        }
        // At once, when nobody looks at the list between the two, nor at the element behind them.
        let misses = |inst: Inst, is_behind: bool| uses(self.graph, inst, list) || is_behind && uses(self.graph, inst, element);
        let when = if (Between { look, back: (self.block, self.inst) }).is_private(self.graph, self.order, list, misses) {
            When::Seen
        } else if self.is_exchanged(element) {
            When::Exchanged
        } else {
            When::Before(self.first_change(look, element)?)
        };
        Some(Found { look, element, when })
    }

    /// The one look at the element that every way here has made.
    fn look(&self, list: Value, index: Value) -> Option<(Block, Inst)> {
        let is_before = |&&(block, look): &&(Block, Inst)| match block == self.block {
            true => self.graph.blocks[block].insts.iter().take_while(|&&inst| inst != self.inst).any(|&inst| inst == look),
            false => self.dominators.dominates(block, self.block),
        };
        let mut looks = self.looks.get(&(list, index))?.iter().filter(is_before);
        looks.next().copied().filter(|_| looks.next().is_none())
    }

    /// Is the element needed behind the `list_set`, and only there?
    fn is_exchanged(&self, element: Value) -> bool {
        let insts = &self.graph.blocks[self.block].insts;
        let Some(end) = insts.iter().position(|&inst| inst == self.inst) else { return false };
        // Where panics lead to that come before.
        let pads = insts[..end].iter().filter_map(|&inst| self.graph.edges[inst].unwind);
        let mut cold: HashSet<Block> = pads.collect();
        let mut open: Vec<Block> = cold.iter().copied().collect();
        while let Some(pad) = open.pop() {
            open.extend(self.order.succs(pad).iter().copied().filter(|&next| cold.insert(next)));
        }
        let is_behind = |block: Block, at: usize| match block == self.block {
            true => at > end,
            false => self.dominators.dominates(self.block, block) && !cold.contains(&block),
        };
        let mut any = false;
        for &block in &self.order.blocks {
            for (at, _) in self.graph.blocks[block].insts.iter().enumerate().filter(|&(_, &inst)| uses(self.graph, inst, element)) {
                if !is_behind(block, at) {
                    return false;
                }
                any = true;
            }
        }
        any
    }

    /// The first op of the block that takes some of the element, while the list is not looked at any more.
    fn first_change(&self, look: (Block, Inst), element: Value) -> Option<Inst> {
        let (graph, kinds) = (self.graph, self.kinds);
        let list = graph.args(self.inst)[0];
        let insts = &graph.blocks[self.block].insts;
        let end = insts.iter().position(|&inst| inst == self.inst)?;
        // From the last look at the list on, the element may be gone.
        let start = insts[..end].iter().rposition(|&inst| graph.args(inst).contains(&list)).map_or(0, |last| last + 1);
        // It must have been seen, in this block, or in one before that only looked at it to decide.
        if !insts[..end].contains(&look.1) && !self.is_looked_at(element) {
            return None;
        }
        // Whatever belongs to the element, and who takes some of it.
        let mut parts = vec![element];
        let mut first = None;
        for (number, &inst) in insts.iter().enumerate().take(end) {
            if !graph.args(inst).iter().any(|arg| parts.contains(arg)) {
                continue;
            }
            match graph.op(inst) {
                Op::Field => parts.push(graph.result(inst)),
                // What was found out about the element is not known of what is taken out.
                Op::Payload | Op::Part | Op::Is | Op::Tag => return None,
                // What is borrowed in other ways stays behind.
                // So does what is needed longer: `early` holds it for itself.
                Op::ListGet | Op::ListAt => {}
                Op::Select if kinds.knows(graph.result(inst)) && kinds.get(graph.result(inst)) == Kind::Free => {}
                Op::Select => return None,
                _ if number < start => {}
                op if first.is_none() && is_change(op) => first = Some(inst),
                _ => {}
            }
        }
        // Nobody needs the list or its element as they were.
        let is_last = |value: Value| {
            !insts[end + 1..].iter().any(|&inst| uses(graph, inst, value))
                && self
                    .behind(self.block, self.home(value))
                    .iter()
                    .all(|&other| !graph.blocks[other].insts.iter().any(|&inst| uses(graph, inst, value)))
        };
        first.filter(|_| parts.iter().chain([&list]).all(|&value| is_last(value)))
    }

    /// Is the element read on the way here, its elements and its length, and nothing else done with it? What other ways do is their business.
    fn is_looked_at(&self, element: Value) -> bool {
        let home = self.home(element);
        self.order.blocks.iter().filter(|&&block| block != self.block).all(|&block| {
            let looks = |op: Op| matches!(op, Op::ListGet | Op::ListAt | Op::ListLen);
            let insts = &self.graph.blocks[block].insts;
            insts.iter().all(|&inst| !uses(self.graph, inst, element) || looks(self.graph.op(inst)))
                || block != home && !self.behind(block, home).contains(&self.block)
        })
    }

    /// The block that a value comes from.
    fn home(&self, value: Value) -> Block {
        match self.graph.values[value].def {
            Def::Param(block, _) => block,
            Def::Result(inst, _) => {
                let has = |block: &&Block| self.graph.blocks[**block].insts.contains(&inst);
                self.order.blocks.iter().find(has).copied().unwrap_or(self.block)
            }
        }
    }

    /// The blocks that are reached from this one before `home`, where what is meant is made anew.
    fn behind(&self, block: Block, home: Block) -> HashSet<Block> {
        let mut seen = HashSet::new();
        let mut open = vec![block];
        while let Some(block) = open.pop() {
            self.graph.each_successor(block, |next| {
                if next != home && seen.insert(next) {
                    open.push(next);
                }
            });
        }
        seen
    }
}

/// Does an op change what it takes, where nobody else holds it?
fn is_change(op: Op) -> bool {
    matches!(
        op,
        Op::ListPush
            | Op::ListSet
            | Op::ListSlice
            | Op::ListReserve
            | Op::ListOwn
            | Op::TableDouble
            | Op::Call
            | Op::CallValue
            | Op::ChangeMethod
            | Op::Runtime
            | Op::New
            | Op::Aggregate
            | Op::Variant
    )
}

/// Takes the element out.
fn apply(graph: &mut Graph<Mir>, (block, set): (Block, Inst), found: &Found, blank: Option<&Blank>) {
    let (list, index, new) = (graph.args(set)[0], graph.args(set)[1], graph.args(set)[2]);
    let element = found.element;
    let mut made = Vec::new();
    let left = blank.map_or(new, |blank| blank.make(graph, &mut made));
    let types = [graph.ty(list), graph.ty(element)];
    let place = graph.edges[set].place;
    let swap = graph.make(NewInst { args: &[list, index, left], place, ..NewInst::new(Op::ListSwap) }, &types);
    made.push(swap);
    let mut results = graph.results(swap);
    let (Some(rest), Some(taken)) = (results.next(), results.next()) else { return };
    match found.when {
        When::Seen => {
            // The swap stands in no block yet, so it keeps its operands.
            graph.rename(|value| if value == element { taken } else { value });
            let args = graph.insts[set].args;
            graph.args.get_mut(args)[0] = rest;
            let insts = &mut graph.blocks[found.look.0].insts;
            let behind = insts.iter().position(|&inst| inst == found.look.1).map_or(0, |at| at + 1);
            insts.splice(behind..behind, made);
        }
        When::Exchanged => {
            let changed = graph.result(set);
            graph.rename(|value| match value {
                value if value == element => taken,
                value if value == changed => rest,
                value => value,
            });
            let insts = &mut graph.blocks[block].insts;
            insts.iter_mut().filter(|inst| **inst == set).for_each(|inst| *inst = swap);
        }
        When::Before(at) => take_before(graph, block, at, made, HashMap::from([(list, rest), (element, taken)])),
    }
}

/// Behind what takes the element out, it is the one that was taken, and its parts are read from that.
fn take_before(graph: &mut Graph<Mir>, block: Block, first: Inst, mut made: Vec<Inst>, mut renamed: HashMap<Value, Value>) {
    let list = graph.args(made[made.len() - 1])[0];
    let insts = std::mem::take(&mut graph.blocks[block].insts);
    let mut out: Vec<Inst> = Vec::with_capacity(insts.len() + made.len());
    let mut is_behind = false;
    let before: Vec<Inst> = insts.iter().copied().take_while(|&inst| inst != first).collect();
    for inst in insts {
        if inst == first {
            is_behind = true;
            out.append(&mut made);
            for &read in &before {
                let of_element = graph.op(read) == Op::Field && renamed.contains_key(&graph.args(read)[0]);
                if of_element && graph.args(read)[0] != list {
                    let (row, from) = (graph.insts[read], renamed[&graph.args(read)[0]]);
                    let ty = graph.ty(graph.result(read));
                    let again = graph.make(NewInst { args: &[from], imm: row.imm, ..NewInst::new(row.op) }, &[ty]);
                    out.push(again);
                    let (old, new) = (graph.result(read), graph.result(again));
                    renamed.insert(old, new);
                }
            }
        }
        if is_behind && graph.args(inst).iter().any(|arg| renamed.contains_key(arg)) {
            let args: Vec<Value> = graph.args(inst).iter().map(|arg| renamed.get(arg).copied().unwrap_or(*arg)).collect();
            graph.insts[inst].args = graph.args.add(args);
        }
        out.push(inst);
    }
    graph.blocks[block].insts = out;
}
