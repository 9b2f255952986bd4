//! Copies a short block that decides where to go on into the edges that know the decision.
//!
//! A callee that gives an `Option` and a caller that asks which it is meet, after inlining, in one block: the ways that made `Some` and `None` come
//! together in a parameter, and part again at once. For an edge that knows the answer the deciding block is copied, and the copy goes straight to its
//! target (jump threading by tail duplication). What was defined in the block has two definitions then; a walk backwards from its users finds where
//! they meet, and gives those blocks parameters. So a chain of iterators becomes the loop that one would write by hand.
//!
//! A question that is asked again further on (`is`, `tag`, what compares them) is asked there anew: as a parameter, which may be true of either copy, its
//! answer would say nothing any more of the sum that stands beside it, and M0233 could not be shown.
//!
//! A loop keeps its one way in. Its head is copied for edges that come back to it alone, and of those that go on in the loop only where the head has one
//! target there, which becomes the head. Blocks that a panic leads to are left alone. The walks of one body may together look at a number of blocks in
//! proportion to it.

use hashbrown::HashMap;
use ir::ops::Imm;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, NewInst, Value};
use ir::{Fuel, Stop};

use super::Desk;
use super::edges::{Edge, Incoming, set_target_args};
use crate::Op;
use crate::ir::{Context, Mir};
use crate::verify::proof::int_literal;

/// Instructions of a block that is copied, but for its end.
const MOST_INSTS: usize = 4;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    let order = desk.flow.order(graph);
    if !order.blocks.iter().any(|&block| is_short(graph, block)) {
        return Ok(());
    }
    let incoming = desk.flow.incoming(graph);
    let mut tails = Tails::new(graph, &order, &incoming);
    let mut work: Vec<Block> = order.blocks.iter().rev().copied().collect();
    let mut changed = false;
    while let Some(block) = work.pop() {
        if !is_short(tails.graph, block) || tails.is_pad(block) || block == ENTRY {
            continue;
        }
        let (mut at, mut is_head) = (0, tails.is_head(block));
        while let Some(&edge) = tails.incoming[block.index()].get(at) {
            at += 1;
            let Some(choice) = tails.choice(edge, block, is_head, cx)? else { continue };
            let Some(plan) = tails.plan(block, choice, is_head) else { continue };
            if !fuel.spend() {
                if changed {
                    desk.flow.changed();
                }
                return Ok(());
            }
            changed = true;
            at -= 1;
            work.push(plan.next);
            tails.copy(edge, block, plan, is_head);
            is_head = is_head && tails.is_head(block);
        }
    }
    if changed {
        desk.flow.changed();
    }
    Ok(())
}

/// Does the block decide where to go on, after next to nothing, by something that is known when it is entered?
fn is_short(graph: &Graph<Mir>, block: Block) -> bool {
    let row = &graph.blocks[block];
    let Some((&last, before)) = row.insts.split_last() else { return false };
    !row.params.is_empty()
        && before.len() <= MOST_INSTS
        && matches!(graph.op(last), Op::Branch | Op::Switch)
        && before.iter().all(|&inst| is_copied(graph.op(inst)))
}

/// May an instruction of this op be done twice, on either way?
fn is_copied(op: Op) -> bool {
    matches!(
        op,
        Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Str | Op::Unit | Op::Is | Op::Tag | Op::Payload | Op::Variant | Op::Not
    ) || matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Field | Op::Aggregate)
}

/// Does an op say something of the variant of a sum?
fn is_question(op: Op) -> bool {
    matches!(op, Op::Is | Op::Tag | Op::Not | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge)
}

/// What copying a block for an edge takes.
struct Plan {
    /// The target that is chosen.
    next: Block,
    choice: usize,
    /// What the block defines and others use.
    values: Vec<Value>,
    /// The blocks that must learn which definition they see, from the users backwards.
    region: Vec<Block>,
}

/// Where a value comes from at the start of a block.
#[derive(Clone, Copy)]
enum Origin {
    /// Its own parameter.
    Own(Value),
    /// The one block before, at whose end it is looked for.
    Before(Block),
}

struct Tails<'a> {
    graph: &'a mut Graph<Mir>,
    /// Edges into each block, kept current.
    incoming: Vec<Vec<Edge>>,
    /// Places in reverse postorder; a copy stands where the edge that it is for comes from.
    position: Vec<u32>,
    pads: &'a Incoming,
    /// How many blocks there were.
    count: usize,
    /// Blocks that use each value; some may no longer.
    users: Vec<Vec<Block>>,
    /// Copies of heads of loops.
    copies: HashMap<Block, Vec<Block>>,
    /// How many blocks may still be looked at.
    room: usize,
}

impl<'a> Tails<'a> {
    fn new(graph: &'a mut Graph<Mir>, order: &Order, pads: &'a Incoming) -> Tails<'a> {
        let count = graph.blocks.len();
        let mut incoming = vec![Vec::new(); count];
        let mut users: Vec<Vec<Block>> = vec![Vec::new(); graph.values.len()];
        for &block in &order.blocks {
            incoming[block.index()] = pads.of_block(block).to_vec();
            for &inst in &graph.blocks[block].insts {
                let targets = graph.targets(inst).iter().flat_map(|target| graph.target_args(*target));
                for value in graph.args(inst).iter().chain(targets) {
                    note(&mut users[value.index()], block);
                }
            }
        }
        let position = order.position.clone();
        Tails { graph, incoming, position, pads, count, users, copies: HashMap::new(), room: 256 + 16 * count }
    }

    fn is_pad(&self, block: Block) -> bool {
        block.index() < self.count && self.pads.is_unwind(block)
    }

    /// Does an edge come back to its target?
    fn comes_back(&self, from: Block, to: Block) -> bool {
        self.position[to.index()] <= self.position[from.index()]
    }

    /// Which target of a deciding block an edge into it leads to, when it knows.
    fn choice(&self, edge: Edge, block: Block, is_head: bool, cx: &dyn Context) -> Result<Option<usize>, Stop> {
        if edge.from == block || is_head && !self.comes_back(edge.from, block) {
            return Ok(None);
        }
        let Some(last) = self.graph.terminator(block) else { return Ok(None) };
        let Some(known) = self.known(edge, block, self.graph.args(last)[0], cx)? else { return Ok(None) };
        Ok(Some(match self.graph.op(last) {
            Op::Branch => usize::from(known == 0),
            _ => {
                let cases = self.graph.cases(last);
                cases.iter().position(|&case| case == known).unwrap_or(cases.len())
            }
        }))
    }

    fn is_head(&self, block: Block) -> bool {
        self.incoming[block.index()].iter().any(|edge| self.comes_back(edge.from, block))
    }

    /// Does the loop of a head keep one way in when an edge that comes back goes to this target of it?
    fn keeps_one_way_in(&mut self, head: Block, next: Block) -> bool {
        let Some(last) = self.graph.terminator(head) else { return false };
        let back = self.incoming[head.index()].iter().map(|edge| edge.from).filter(|&from| self.comes_back(from, head));
        let mut open: Vec<Block> = back.chain(self.copies.get(&head).into_iter().flatten().copied()).collect();
        let mut inside: HashMap<Block, ()> = HashMap::new();
        while let Some(at) = open.pop() {
            if at != head && inside.insert(at, ()).is_none() {
                open.extend(self.incoming[at.index()].iter().map(|edge| edge.from));
            }
            if inside.len() > self.room {
                return false;
            }
        }
        self.room -= inside.len();
        !inside.contains_key(&next)
            || self.graph.targets(last).iter().all(|target| target.block == next || !inside.contains_key(&target.block))
    }

    /// What an edge gives for a value of a block.
    fn given(&self, edge: Edge, block: Block, value: Value) -> Value {
        let at = self.graph.blocks[block].params.iter().position(|&param| param == value);
        let target = self.graph.targets(edge.inst)[edge.index as usize];
        at.map_or(value, |at| self.graph.target_args(target)[at])
    }

    /// The number that a value of a block is when it is entered by an edge.
    fn known(&self, edge: Edge, block: Block, value: Value, cx: &dyn Context) -> Result<Option<i64>, Stop> {
        let graph = &*self.graph;
        let made = graph.def_inst(value).filter(|made| graph.blocks[block].insts.contains(made));
        let Some(made) = made else {
            let given = self.given(edge, block, value);
            // The block before may have asked the same.
            let asked = graph.op(edge.inst) == Op::Branch && graph.args(edge.inst)[0] == given;
            return Ok(int_literal(graph, given).or(asked.then_some(i64::from(edge.index == 0))));
        };
        let args = graph.args(made);
        Ok(match graph.op(made) {
            Op::Is => {
                let wanted = graph.insts[made].imm;
                self.variant(edge, self.given(edge, block, args[0]), wanted, cx)?.map(i64::from)
            }
            Op::Tag => {
                let sum = self.given(edge, block, args[0]);
                graph.def_inst(sum).filter(|&made| graph.op(made) == Op::Variant).map(|made| graph.insts[made].imm as i64)
            }
            Op::Not => self.known(edge, block, args[0], cx)?.map(|known| 1 - known),
            op => {
                let (&[left, right], Some(compare)) = (args, crate::verify::variants::comparison(op)) else {
                    return Ok(int_literal(graph, value));
                };
                match (self.known(edge, block, left, cx)?, self.known(edge, block, right, cx)?) {
                    (Some(left), Some(right)) => Some(i64::from(compare(&left, &right))),
                    _ => None,
                }
            }
        })
    }

    /// Is a sum this variant, where the edge has left its block?
    fn variant(&self, edge: Edge, sum: Value, wanted: u64, cx: &dyn Context) -> Result<Option<bool>, Stop> {
        let graph = &*self.graph;
        if let Some(made) = graph.def_inst(sum).filter(|&made| graph.op(made) == Op::Variant) {
            return Ok(Some(graph.insts[made].imm == wanted));
        }
        if graph.op(edge.inst) != Op::Branch {
            return Ok(None);
        }
        let Some(asked) = graph.def_inst(graph.args(edge.inst)[0]).filter(|&asked| graph.op(asked) == Op::Is) else { return Ok(None) };
        if graph.args(asked)[0] != sum {
            return Ok(None);
        }
        let (is_same, holds) = (graph.insts[asked].imm == wanted, edge.index == 0);
        if is_same {
            return Ok(Some(holds));
        }
        if holds {
            return Ok(Some(false));
        }
        // Of two variants it is the other one.
        let count = cx.variants(graph.ty(sum))?.map_or(0, |variants| variants.len());
        Ok((count == 2).then_some(true))
    }

    /// Says what a copy takes; `None` when that is too much.
    fn plan(&mut self, block: Block, choice: usize, is_head: bool) -> Option<Plan> {
        let last = self.graph.terminator(block)?;
        let next = self.graph.targets(last)[choice].block;
        if next == block || self.is_pad(next) || is_head && !self.keeps_one_way_in(block, next) {
            return None;
        }
        let defined = self.graph.blocks[block].insts.iter().flat_map(|&inst| self.graph.results(inst));
        let defined: Vec<Value> = self.graph.blocks[block].params.iter().copied().chain(defined).collect();
        let mut values = Vec::new();
        let mut open: Vec<Block> = Vec::new();
        for value in defined {
            let before = open.len();
            let users = self.users[value.index()].iter().copied().filter(|&user| user != block);
            open.extend(users.filter(|&user| self.uses(user, value)));
            if open.len() > before {
                values.push(value);
            }
        }
        let mut region: Vec<Block> = Vec::new();
        let mut seen: HashMap<Block, ()> = HashMap::new();
        while let Some(at) = open.pop() {
            if seen.insert(at, ()).is_some() {
                continue;
            }
            if self.is_pad(at) || at == ENTRY || self.incoming[at.index()].is_empty() || region.len() * values.len() >= self.room {
                self.room = self.room.saturating_sub(region.len());
                return None;
            }
            region.push(at);
            open.extend(self.incoming[at.index()].iter().map(|edge| edge.from).filter(|&from| from != block));
        }
        // Each copy costs something, so that a circle of decisions comes to an end.
        self.room = self.room.checked_sub(8 + region.len() * values.len())?;
        Some(Plan { next, choice, values, region })
    }

    fn uses(&self, block: Block, value: Value) -> bool {
        let graph = &*self.graph;
        graph.blocks[block].insts.iter().any(|&inst| {
            graph.args(inst).contains(&value) || graph.targets(inst).iter().any(|target| graph.target_args(*target).contains(&value))
        })
    }

    /// Asks the questions of a block anew in the other blocks that use their answers; what others use of the block then.
    fn ask_again(&mut self, block: Block, mut values: Vec<Value>) -> Vec<Value> {
        let insts = self.graph.blocks[block].insts.clone();
        // Backwards: what a question asks about may be the answer of one before.
        for &inst in insts.iter().rev() {
            let row = self.graph.insts[inst];
            if !is_question(row.op) || !values.contains(&row.first_result) {
                continue;
            }
            values.retain(|&value| value != row.first_result);
            let args = self.graph.args(inst).to_vec();
            let ty = self.graph.ty(row.first_result);
            let defined = self.graph.blocks[block].params.iter().copied().chain(insts.iter().flat_map(|&inst| self.graph.results(inst)));
            let defined: Vec<Value> = defined.collect();
            for &arg in &args {
                if defined.contains(&arg) && !values.contains(&arg) {
                    values.push(arg);
                }
            }
            let mut users = self.users[row.first_result.index()].clone();
            users.retain(|&user| user != block && self.uses(user, row.first_result));
            users.sort_unstable();
            users.dedup();
            for user in users {
                let place = self.graph.edges[inst].place;
                let again = self.graph.make(NewInst { args: &args, imm: row.imm, flags: row.flags, place, ..NewInst::new(row.op) }, &[ty]);
                self.rename(user, row.first_result, self.graph.result(again));
                self.graph.blocks[user].insts.insert(0, again);
                args.iter().for_each(|arg| note(&mut self.users[arg.index()], user));
            }
        }
        values
    }

    /// Copies the block for the edge.
    fn copy(&mut self, edge: Edge, block: Block, mut plan: Plan, is_head: bool) {
        plan.values = self.ask_again(block, std::mem::take(&mut plan.values));
        let mut names: HashMap<Value, Value> = HashMap::new();
        let target = self.graph.targets(edge.inst)[edge.index as usize];
        let given = self.graph.target_args(target).to_vec();
        names.extend(self.graph.blocks[block].params.iter().copied().zip(given));
        let named = |names: &HashMap<Value, Value>, value: Value| names.get(&value).copied().unwrap_or(value);
        let new = self.graph.add_block();
        self.position.push(self.position[edge.from.index()]);
        self.incoming.push(vec![edge]);
        if is_head {
            self.copies.entry(block).or_default().push(new);
        }
        let insts = self.graph.blocks[block].insts.clone();
        let Some((&last, before)) = insts.split_last() else { return };
        let chosen = self.graph.targets(last)[plan.choice];
        // The decision itself is not needed any more, nor what only led to it.
        let mut needed: Vec<Value> = self.graph.target_args(chosen).iter().chain(&plan.values).copied().collect();
        let mut kept = Vec::with_capacity(before.len());
        for &inst in before.iter().rev() {
            if self.graph.results(inst).any(|value| needed.contains(&value)) {
                needed.extend(self.graph.args(inst));
                kept.push(inst);
            }
        }
        for inst in kept.into_iter().rev() {
            let row = self.graph.insts[inst];
            debug_assert!(!matches!(row.op.info().imm, Imm::Cases));
            let args: Vec<Value> = self.graph.args(inst).iter().map(|&arg| named(&names, arg)).collect();
            let types: Vec<hir::Type> = self.graph.results(inst).map(|value| self.graph.ty(value)).collect();
            let place = self.graph.edges[inst].place;
            let made = NewInst { args: &args, imm: row.imm, flags: row.flags, place, ..NewInst::new(row.op) };
            let copy = self.graph.append(new, made, &types);
            names.extend(self.graph.results(inst).zip(self.graph.results(copy)));
            self.see((block, inst), copy, &names);
        }
        let args: Vec<Value> = self.graph.target_args(chosen).iter().map(|&arg| named(&names, arg)).collect();
        let jump = self.graph.append(new, NewInst { targets: &[(plan.next, &args)], ..NewInst::new(Op::Jump) }, &[]);
        self.see((block, last), jump, &names);
        // The edge goes to the copy now.
        let list = self.graph.edges[edge.inst].targets;
        let target = &mut self.graph.targets.get_mut(list)[edge.index as usize];
        (target.block, target.args) = (new, ir::List::EMPTY);
        self.incoming[block.index()].retain(|other| *other != edge);
        self.incoming[plan.next.index()].push(Edge { inst: jump, from: new, index: 0 });
        self.forget(block);
        self.forget_elsewhere((block, new), &plan);
        for value in &plan.values {
            self.meet(*value, named(&names, *value), (block, new), &plan.region);
        }
        self.users.resize(self.graph.values.len(), Vec::new());
        for at in 0..self.graph.blocks[new].insts.len() {
            let inst = self.graph.blocks[new].insts[at];
            let targets = self.graph.targets(inst).iter().flat_map(|target| self.graph.target_args(*target));
            for value in self.graph.args(inst).iter().chain(targets) {
                note(&mut self.users[value.index()], new);
            }
        }
    }

    /// The copy of an instruction sees what the instruction saw; what its block defines and the copy does not make is not known there.
    fn see(&mut self, (block, inst): (Block, Inst), copy: Inst, made: &HashMap<Value, Value>) {
        if self.graph.names.is_none() {
            return;
        }
        let defined = self.defined(block);
        if let Some(names) = &mut self.graph.names {
            let name = names.of(inst);
            names.set(copy, name);
        }
        self.graph.rename_seen([copy], |value| match made.get(&value) {
            Some(&given) => Some(given),
            None => (!defined.contains(&value)).then_some(value),
        });
    }

    fn defined(&self, block: Block) -> Vec<Value> {
        let results = self.graph.blocks[block].insts.iter().flat_map(|&inst| self.graph.results(inst));
        self.graph.blocks[block].params.iter().copied().chain(results).collect()
    }

    /// Where a block and its copy are not told apart, a local that is what the block defines may be what it was when that block was last come by.
    fn forget_elsewhere(&mut self, (block, new): (Block, Block), plan: &Plan) {
        if self.graph.names.is_none() {
            return;
        }
        let defined = self.defined(block);
        let in_region: HashMap<Block, ()> = plan.region.iter().map(|&block| (block, ())).collect();
        let (mut there, mut elsewhere) = (Vec::new(), Vec::new());
        for (at, row) in self.graph.blocks.iter().filter(|(at, _)| *at != block && *at != new) {
            if in_region.contains_key(&at) { &mut there } else { &mut elsewhere }.extend_from_slice(&row.insts);
        }
        self.graph.rename_seen(elsewhere, |value| (!defined.contains(&value)).then_some(value));
        self.graph.rename_seen(there, |value| (!defined.contains(&value) || plan.values.contains(&value)).then_some(value));
    }

    /// Takes away the edges of a block that nothing leads to any more.
    fn forget(&mut self, block: Block) {
        let mut open = vec![block];
        while let Some(block) = open.pop() {
            if block == ENTRY || self.is_pad(block) || !self.incoming[block.index()].is_empty() {
                continue;
            }
            let Some(last) = self.graph.terminator(block) else { continue };
            for target in self.graph.targets(last) {
                let edges = &mut self.incoming[target.block.index()];
                let before = edges.len();
                edges.retain(|edge| edge.inst != last);
                if edges.len() < before {
                    open.push(target.block);
                }
            }
        }
    }

    /// Tells the users of a value of a block and of its copy apart.
    fn meet(&mut self, old: Value, copied: Value, (block, new): (Block, Block), region: &[Block]) {
        let ty = self.graph.ty(old);
        let mut origins: HashMap<Block, Origin> = HashMap::with_capacity(region.len());
        for &at in region {
            let origin = match self.incoming[at.index()][..] {
                [one] => Origin::Before(one.from),
                _ => Origin::Own(self.graph.add_param(at, ty)),
            };
            origins.insert(at, origin);
        }
        let at_end_of = |mut from: Block| {
            // A longer way than the region goes round in a loop that nothing leads to any more: a copy took over its one way in.
            for _ in 0..=region.len() {
                if from == block {
                    return old;
                }
                if from == new {
                    return copied;
                }
                match origins.get(&from) {
                    Some(Origin::Own(value)) => return *value,
                    Some(Origin::Before(before)) => from = *before,
                    // No way leads here but from one of the two.
                    None => return old,
                }
            }
            old
        };
        for &at in region {
            let here = match origins[&at] {
                Origin::Own(value) => value,
                Origin::Before(before) => at_end_of(before),
            };
            self.rename(at, old, here);
        }
        for &at in region {
            if let Origin::Own(_) = origins[&at] {
                for edge in self.incoming[at.index()].clone() {
                    let value = at_end_of(edge.from);
                    let target = self.graph.targets(edge.inst)[edge.index as usize];
                    let mut args = self.graph.target_args(target).to_vec();
                    args.push(value);
                    set_target_args(self.graph, edge, &args);
                    self.users.resize(self.graph.values.len(), Vec::new());
                    note(&mut self.users[value.index()], edge.from);
                }
            }
        }
    }

    /// Puts another value in the place of one in a block.
    fn rename(&mut self, block: Block, old: Value, new: Value) {
        if old == new {
            return;
        }
        let mut found = false;
        for at in 0..self.graph.blocks[block].insts.len() {
            let inst = self.graph.blocks[block].insts[at];
            let lists = [self.graph.insts[inst].args];
            let targets: Vec<_> = self.graph.targets(inst).iter().map(|target| target.args).collect();
            for list in lists.into_iter().chain(targets) {
                for arg in self.graph.args.get_mut(list) {
                    if *arg == old {
                        (*arg, found) = (new, true);
                    }
                }
            }
        }
        if self.graph.names.is_some() {
            let insts = self.graph.blocks[block].insts.clone();
            self.graph.rename_seen(insts, |value| Some(if value == old { new } else { value }));
        }
        if found {
            self.users.resize(self.graph.values.len(), Vec::new());
            note(&mut self.users[new.index()], block);
        }
    }
}

fn note(users: &mut Vec<Block>, block: Block) {
    if users.last() != Some(&block) {
        users.push(block);
    }
}
