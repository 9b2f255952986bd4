//! `mono` to `owned`: `dup` where a value is given away that is still needed, or is not ours to give; `drop` where a value is needed no more.
//!
//! Placement is by last use ("Perceus", Reinking, Xie, de Moura and Leijen 2021, on blocks): a value is given up as early as it can be. So an op that consumes it
//! for the last time just takes it, and what dies by a look at it is dropped right behind. What dies on one way out of a block only is dropped on that edge,
//! in a block of its own unless the edge is the only way into its target. What is held when an op panics is dropped in a landing block.
//!
//! A body without counted values is left as it is.

use ir::ssa::compact::compact;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, NewInst, Target, Value};
use ir::{Fuel, ItemId, List, Place, PlaceId, Stop};

use super::kinds::{Held, Kind, Kinds};
use super::landing::Landings;
use super::live::{Live, Set};
use super::open::Classes;
use super::roles::{self, Takes};
use super::{EARLY, OPEN, REUSE, SWAP};
use crate::ir::{Body, Context, Contract, Mir, Mono, Owned};
use crate::ops::{Op, SOLE};
use crate::verify::sole::{self, Soles};

/// Lists in parts of elements of lists are looked into, so deep.
const ROUNDS: usize = 6;

/// Spells out the ownership of a body.
pub fn own(body: &Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<Body<Owned>, Stop> {
    let contract = own_contract(body, cx)?;
    let untailed;
    let mut graph: &Graph<Mir> = body;
    let mut order = Order::of(graph);
    let mut kinds = Kinds::of(graph, &order, contract, cx)?;
    if let Some(new) = without_lending_tails(graph, &order, &kinds, cx)? {
        untailed = new;
        graph = &untailed;
        order = Order::of(graph);
        kinds = Kinds::of(graph, &order, contract, cx)?;
    }
    if !kinds.any {
        let mut graph = graph.clone();
        point_to_owners(&mut graph, cx)?;
        return Ok(Body::new(graph));
    }
    let (opened, mut classes);
    classes = Classes::new();
    if fuel.allows(OPEN) && has_parts(graph, &kinds) {
        let mut new = graph.clone();
        let tokens = fuel.allows(REUSE);
        spread(&mut new, &order, cx)?;
        fuel.enter(OPEN);
        super::open::run(&mut new, &order, contract, tokens, &mut classes, fuel, cx)?;
        // What is taken out, or held for itself, comes apart, and elements of its parts are taken out in their turn. `early` is for what `open` and `swap` have no
        // use for.
        let mut held = !fuel.allows(EARLY);
        for _ in 0..ROUNDS {
            fuel.enter(SWAP);
            if !fuel.allows(SWAP) || !super::swap::run(&mut new, &order, contract, fuel, cx)? {
                if held {
                    break;
                }
                held = true;
                fuel.enter(EARLY);
                if !super::early::run(&mut new, &order, contract, fuel, cx)? {
                    break;
                }
            }
            fuel.enter(OPEN);
            super::open::run(&mut new, &order, contract, tokens, &mut classes, fuel, cx)?;
        }
        if tokens {
            fuel.enter(REUSE);
            super::reuse::run(&mut new, &order, &mut classes, fuel, cx)?;
        }
        opened = new;
        graph = &opened;
        order = Order::of(graph);
        kinds = Kinds::of(graph, &order, contract, cx)?;
    }
    let live = Live::of(graph, &order, &kinds);
    let mut edges_into = vec![0u32; graph.blocks.len()];
    for &block in &order.blocks {
        order.succs(block).iter().for_each(|succ| edges_into[succ.index()] += 1);
    }
    let mut inserter = Inserter {
        graph: graph.clone(),
        kinds: &kinds,
        live: &live,
        classes: &classes,
        landings: Landings::default(),
        edges_into,
        heads: Vec::new(),
        cx,
    };
    for &block in &order.blocks {
        inserter.block(block)?;
    }
    for (block, drops) in std::mem::take(&mut inserter.heads) {
        inserter.graph.blocks[block].insts.splice(0..0, drops);
    }
    point_to_owners(&mut inserter.graph, cx)?;
    let mut graph = compact(&inserter.graph);
    super::names::end(&mut graph, contract, cx)?;
    mark_soles(&mut graph);
    Ok(Body::new(graph))
}

/// Ops that change a list which nobody else holds for certain need not look.
fn mark_soles(graph: &mut Graph<Mir>) {
    if !graph.insts.rows().iter().any(|row| sole::may_be_marked(row.op)) {
        return;
    }
    let soles = Soles::of(graph);
    for inst in graph.insts.ids() {
        if sole::may_be_marked(graph.op(inst)) && soles.has(graph.args(inst)[0]) {
            graph.insts[inst].flags |= SOLE;
        }
    }
}

/// An aggregate with another field is made of the fields of the old one, so that those can be taken out.
fn spread(graph: &mut Graph<Mir>, order: &Order, cx: &dyn Context) -> Result<(), Stop> {
    /// More fields than this stay together.
    const MOST: usize = 32;
    for &block in &order.blocks {
        if !graph.blocks[block].insts.iter().any(|&inst| graph.op(inst) == Op::WithField) {
            continue;
        }
        let mut out = Vec::new();
        for inst in std::mem::take(&mut graph.blocks[block].insts) {
            if graph.op(inst) == Op::WithField {
                let (whole, new, index) = (graph.args(inst)[0], graph.args(inst)[1], graph.insts[inst].imm as usize);
                let ty = graph.ty(whole);
                if let Some(fields) = cx.fields(ty)?.filter(|fields| fields.len() <= MOST && index < fields.len())
                    && cx.is_counted(ty)?
                {
                    let mut parts = Vec::with_capacity(fields.len());
                    for (number, &field) in fields.iter().enumerate() {
                        if number == index {
                            parts.push(new);
                            continue;
                        }
                        let read = graph.make(NewInst { args: &[whole], imm: number as u64, ..NewInst::new(Op::Field) }, &[field]);
                        out.push(read);
                        parts.push(graph.result(read));
                    }
                    graph.insts[inst].args = graph.args.add(parts);
                    graph.insts[inst].imm = 0;
                    graph.insts[inst].op = Op::Aggregate;
                }
            }
            out.push(inst);
        }
        graph.blocks[block].insts = out;
    }
    Ok(())
}

/// Is a part of a counted value read that is counted itself?
fn has_parts(graph: &Graph<Mir>, kinds: &Kinds) -> bool {
    let insts = graph.blocks.rows().iter().flat_map(|block| &block.insts);
    insts
        .filter(|&&inst| matches!(graph.op(inst), Op::Field | Op::Payload | Op::Part | Op::ListGet | Op::ListAt | Op::WithField))
        .any(|&inst| kinds.get(graph.result(inst)) != Kind::Free)
}

/// Gives a value up: a token is freed, anything else dropped.
pub(super) fn give_up(graph: &mut Graph<Mir>, classes: &Classes, value: Value) -> Inst {
    match classes.get(&value) {
        Some(&class) => graph.make(NewInst { args: &[value], imm: u64::from(class), ..NewInst::new(Op::Free) }, &[]),
        None => graph.make(NewInst { args: &[value], ..NewInst::new(Op::Drop) }, &[]),
    }
}

/// The contract of a body itself; not asked for where there is nothing to borrow.
fn own_contract(graph: &Graph<Mir>, cx: &dyn Context) -> Result<Contract, Stop> {
    for &param in &graph.blocks[ENTRY].params {
        if cx.is_counted(graph.ty(param))? {
            return cx.contract(graph.name);
        }
    }
    Ok(Contract::OWNED)
}

/// Nothing can be dropped behind a tail call, so one that lends what the function holds becomes a call that keeps its frame. Contracts see to it that functions which
/// call each other in a circle need none; what is left are instances of such functions that are on no circle themselves.
fn without_lending_tails(graph: &Graph<Mir>, order: &Order, kinds: &Kinds, cx: &dyn Context) -> Result<Option<Graph<Mir>>, Stop> {
    let mut new: Option<Graph<Mir>> = None;
    for &block in &order.blocks {
        let Some(inst) = graph.terminator(block).filter(|&inst| graph.op(inst) == Op::Tail) else { continue };
        let (args, imm) = (graph.args(inst), graph.insts[inst].imm);
        if args.iter().all(|&arg| kinds.keepers(arg).next().is_none()) {
            continue;
        }
        let contract = cx.contract(ItemId::from_raw(imm as u32))?;
        let lends = |(index, &arg): (usize, &Value)| contract.borrows(index) && kinds.keepers(arg).next().is_some();
        if !args.iter().enumerate().any(lends) {
            continue;
        }
        let new = new.get_or_insert_with(|| graph.clone());
        let pad = new.add_block();
        new.append(pad, NewInst::new(Op::Resume), &[]);
        let place = new.places.add(Place { item: graph.name, line: 1, column: 1, inlined_at: PlaceId::NONE });
        new.blocks[block].insts.pop();
        let results = graph.results.clone();
        let call = new.append(block, NewInst { args, imm, unwind: Some(pad), place, ..NewInst::new(Op::Call) }, &results);
        let given: Vec<Value> = new.results(call).collect();
        new.append(block, NewInst { args: &given, ..NewInst::new(Op::Return) }, &[]);
    }
    Ok(new)
}

/// Function values own what they are called with: one of a function that borrows points to the one that owns and calls it.
fn point_to_owners(graph: &mut Graph<Mir>, cx: &dyn Context) -> Result<(), Stop> {
    for inst in graph.insts.ids() {
        let row = graph.insts[inst];
        let function = ItemId::from_raw(row.imm as u32);
        if row.op == Op::Closure && row.args.is_empty() && function.unpacked().is_none() && cx.contract(function)? != Contract::OWNED {
            graph.insts[inst].imm = u64::from(function.unpacking(0).raw());
        }
    }
    Ok(())
}

struct Inserter<'a> {
    graph: Graph<Mir>,
    kinds: &'a Kinds,
    live: &'a Live,
    classes: &'a Classes,
    landings: Landings,
    /// Number of edges into each block of the body as it was.
    edges_into: Vec<u32>,
    /// What is dropped at the start of blocks.
    heads: Vec<(Block, Vec<Inst>)>,
    cx: &'a dyn Context,
}

impl Inserter<'_> {
    fn block(&mut self, block: Block) -> Result<(), Stop> {
        let insts = std::mem::take(&mut self.graph.blocks[block].insts);
        // What is live behind each instruction, but the terminator, behind which nothing is.
        let mut after = Vec::with_capacity(insts.len());
        let mut set = Set::with_room(self.kinds.held.len());
        for &inst in insts.iter().rev() {
            after.push(set.clone());
            self.live.before(&self.graph, self.kinds, inst, &mut set);
        }
        let unused: Vec<Value> = self.graph.blocks[block].params.iter().copied().filter(|&p| self.is_unused(p, &set)).collect();
        let mut out = Vec::with_capacity(insts.len() + unused.len());
        for value in unused {
            out.push(self.drop(value));
        }
        for inst in insts {
            if let Some(after) = after.pop() {
                self.inst(inst, &after, &mut out)?;
            }
        }
        self.graph.blocks[block].insts = out;
        Ok(())
    }

    /// Is it an owned value that nobody needs?
    fn is_unused(&self, value: Value, live: &Set) -> bool {
        matches!(self.kinds.get(value), Kind::Owned(held) if !live.has(held))
    }

    /// One instruction with what its operands need before it, and what ends with it behind.
    fn inst(&mut self, inst: Inst, after: &Set, out: &mut Vec<Inst>) -> Result<(), Stop> {
        if !self.graph.targets(inst).is_empty() {
            self.transfer(inst, out);
            return Ok(());
        }
        let mut needed = after.clone();
        for result in self.graph.results(inst) {
            if let Kind::Owned(held) = self.kinds.get(result) {
                needed.remove(held);
            }
        }
        let mut needed_when_unwinding = Set::with_room(self.kinds.held.len());
        if let Some(pad) = self.graph.edges[inst].unwind {
            needed_when_unwinding.add_all(self.live.at_start(pad));
        }
        // What is held before it: what its operands are, and what comes after needs.
        let mut held = needed.clone();
        held.add_all(&needed_when_unwinding);
        let mut kept = held.clone();
        let row = self.graph.insts[inst];
        let takes = roles::of(row.op).0;
        let contract = match takes {
            Takes::Contract if self.graph.args(inst).iter().all(|&arg| self.kinds.get(arg) == Kind::Free) => Contract::OWNED,
            Takes::Contract => self.cx.contract(ItemId::from_raw(row.imm as u32))?,
            Takes::Borrows | Takes::Consumes | Takes::First | Takes::Rest | Takes::Runtime => Contract::OWNED,
        };
        let mut args = self.graph.args(inst).to_vec();
        for (index, &arg) in args.iter().enumerate() {
            let is_consumed = roles::consumes(takes, index, row.imm, contract);
            for keeper in self.kinds.keepers(arg) {
                held.insert(keeper);
                // What is taken out of a value does not keep it.
                if !is_consumed && takes != Takes::First {
                    kept.insert(keeper);
                }
            }
        }
        for (index, arg) in args.iter_mut().enumerate() {
            if roles::consumes(takes, index, row.imm, contract) {
                self.give(arg, &mut held, &mut kept, out);
            }
        }
        if args != self.graph.args(inst) {
            self.graph.insts[inst].args = self.graph.args.add(args);
        }
        if let Some(pad) = self.graph.edges[inst].unwind {
            let mut dying = held.clone();
            dying.remove_all(&needed_when_unwinding);
            let landing = self.landings.landing(&mut self.graph, self.kinds, self.classes, pad, &dying);
            self.graph.edges[inst].unwind = Some(landing);
        }
        let mut dying = held;
        dying.remove_all(&needed);
        let dying: Vec<Held> = dying.iter().collect();
        match row.op {
            // These leave the function: what is dropped is dropped before. A panic goes on in its landing block.
            Op::Return | Op::Tail | Op::Resume | Op::Unreachable => {
                self.drops(&dying, out);
                out.push(inst);
            }
            Op::Panic => out.push(inst),
            _ => {
                out.push(inst);
                self.drops(&dying, out);
                for result in self.graph.results(inst) {
                    if self.is_unused(result, after) {
                        let drop = self.drop(result);
                        out.push(drop);
                    }
                }
            }
        }
        Ok(())
    }

    /// A consumed operand: the value itself when nobody else needs it, otherwise a `dup` of it. `held` is what we hold, `kept` what others need.
    fn give(&mut self, arg: &mut Value, held: &mut Set, kept: &mut Set, out: &mut Vec<Inst>) {
        match self.kinds.get(*arg) {
            Kind::Free => return,
            Kind::Owned(own) if !kept.has(own) => {
                held.remove(own);
                // Another operand that is the same value needs one of its own.
                kept.insert(own);
                return;
            }
            Kind::Owned(_) | Kind::Borrowed(_) => {}
        }
        let ty = self.graph.ty(*arg);
        let dup = self.graph.make(NewInst { args: &[*arg], ..NewInst::new(Op::Dup) }, &[ty]);
        out.push(dup);
        *arg = self.graph.result(dup);
    }

    /// A terminator with targets: each edge gets what its target holds, and drops what it does not.
    fn transfer(&mut self, inst: Inst, out: &mut Vec<Inst>) {
        let targets: Vec<Target> = self.graph.targets(inst).to_vec();
        let mut all = Set::with_room(self.kinds.held.len());
        self.live.before(&self.graph, self.kinds, inst, &mut all);
        let mut new_targets: Vec<Target> = Vec::with_capacity(targets.len());
        for (number, &target) in targets.iter().enumerate() {
            // A switch may go to one block with equal arguments from several cases.
            let same = |other: &Target| other.block == target.block && self.graph.target_args(*other) == self.graph.target_args(target);
            if let Some(before) = targets[..number].iter().position(same) {
                new_targets.push(new_targets[before]);
                continue;
            }
            let mut held = all.clone();
            let mut kept = self.live.at_start(target.block).clone();
            let needed = kept.clone();
            let mut args = self.graph.target_args(target).to_vec();
            let mut edge = Vec::new();
            for arg in &mut args {
                self.give(arg, &mut held, &mut kept, &mut edge);
            }
            held.remove_all(&needed);
            let dying: Vec<Held> = held.iter().collect();
            let given = if args == self.graph.target_args(target) { target.args } else { self.graph.args.add(args) };
            new_targets.push(if edge.is_empty() && dying.is_empty() {
                target
            } else if targets.len() == 1 {
                out.append(&mut edge);
                self.drops(&dying, out);
                Target { block: target.block, args: given }
            } else if edge.is_empty() && self.edges_into[target.block.index()] == 1 {
                let mut drops = Vec::with_capacity(dying.len());
                self.drops(&dying, &mut drops);
                self.heads.push((target.block, drops));
                target
            } else {
                self.drops(&dying, &mut edge);
                let between = self.graph.add_block();
                let targets = self.graph.targets.add([Target { block: target.block, args: given }]);
                let jump = self.graph.make(NewInst::new(Op::Jump), &[]);
                self.graph.edges[jump].targets = targets;
                edge.push(jump);
                self.graph.blocks[between].insts = edge;
                Target { block: between, args: List::EMPTY }
            });
        }
        if new_targets != targets {
            self.graph.edges[inst].targets = self.graph.targets.add(new_targets);
        }
        out.push(inst);
    }

    /// Drops, youngest first.
    fn drops(&mut self, dying: &[Held], out: &mut Vec<Inst>) {
        for &held in dying.iter().rev() {
            let drop = self.drop(self.kinds.held[held]);
            out.push(drop);
        }
    }

    fn drop(&mut self, value: Value) -> Inst {
        give_up(&mut self.graph, self.classes, value)
    }
}
