//! Control flow without detours.
//!
//! In rounds, until one changes nothing (or four are done): edges are threaded through blocks that only decide where to go on, when the edge
//! knows the decision; a branch whose ways meet at once becomes a jump, with a select where they differ in one scalar; a block with one way in
//! joins the block before it; a parameter that is the same value on every edge becomes that value.

use hir::Type;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, NewInst, Target, Value};
use ir::{Fuel, List};

use super::Desk;
use super::edges::{Edge, Incoming, remove_params, set_target_args};
use super::rename::Renames;
use crate::Op;
use crate::ir::Mir;
use crate::verify::proof::{int_literal, literal};

const ROUNDS: usize = 4;
/// How many deciding blocks an edge may skip in one round.
const HOPS: usize = 8;

/// Runs the pass; false when another run might find more.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) -> bool {
    let Desk { flow, renames, uses, .. } = desk;
    for _ in 0..ROUNDS {
        uses.is_known = false;
        let mut round = Round { graph, fuel, uses, renames, changed: false, empty: false };
        let order = flow.order(round.graph);
        round.thread(&order);
        if round.changed {
            flow.changed();
        }
        if !round.empty {
            let (order, incoming) = (flow.order(round.graph), flow.incoming(round.graph));
            round.merge(&order, &incoming);
        }
        if round.changed {
            flow.changed();
        }
        if !round.changed || round.empty {
            return true;
        }
    }
    false
}

/// How often each value is used, counted when somebody asks: only a block with parameters that is skipped gives reason to. It keeps its memory for
/// the next body.
#[derive(Default)]
pub(super) struct Uses {
    counts: Vec<u32>,
    is_known: bool,
    /// Arguments of the edge that is being threaded.
    args: Vec<Value>,
}

impl Uses {
    fn count(&mut self, graph: &Graph<Mir>, order: &Order) {
        self.is_known = true;
        self.counts.clear();
        self.counts.resize(graph.values.len(), 0);
        for &block in &order.blocks {
            for &inst in &graph.blocks[block].insts {
                graph.args(inst).iter().for_each(|arg| self.counts[arg.index()] += 1);
                for target in graph.targets(inst) {
                    graph.target_args(*target).iter().for_each(|arg| self.counts[arg.index()] += 1);
                }
            }
        }
    }
}

struct Round<'a> {
    graph: &'a mut Graph<Mir>,
    fuel: &'a mut Fuel,
    uses: &'a mut Uses,
    renames: &'a mut Renames,
    changed: bool,
    /// The tank is empty.
    empty: bool,
}

impl Round<'_> {
    fn spend(&mut self) -> bool {
        let paid = !self.empty && self.fuel.spend();
        self.changed |= paid;
        self.empty |= !paid;
        paid
    }

    fn thread(&mut self, order: &Order) {
        for &block in &order.blocks {
            let Some(inst) = self.graph.terminator(block) else { continue };
            for index in 0..self.graph.targets(inst).len() {
                for _ in 0..HOPS {
                    if !self.thread_edge(Edge { inst, from: block, index: index as u32 }, order) {
                        break;
                    }
                }
            }
            self.meet(block, inst);
            if self.empty {
                return;
            }
        }
    }

    /// Lets an edge skip the block it goes to, when that only decides and the decision is known.
    fn thread_edge(&mut self, edge: Edge, order: &Order) -> bool {
        let graph = &*self.graph;
        let target = graph.targets(edge.inst)[edge.index as usize];
        let through = &graph.blocks[target.block];
        let [decider] = through.insts[..] else { return false };
        if target.block == edge.from {
            return false;
        }
        let given = graph.target_args(target);
        let value_of = |value: Value| through.params.iter().position(|&p| p == value).map_or(value, |at| given[at]);
        let choice = match graph.op(decider) {
            Op::Jump => 0,
            Op::Branch => {
                let condition = graph.args(decider)[0];
                match int_literal(graph, value_of(condition)) {
                    Some(known) => usize::from(known == 0),
                    None => match self.implied(edge, value_of(condition)) {
                        Some(known) => usize::from(!known),
                        None => return false,
                    },
                }
            }
            Op::Switch => match int_literal(graph, value_of(graph.args(decider)[0])) {
                Some(known) => {
                    let cases = graph.cases(decider);
                    cases.iter().position(|&case| case == known).unwrap_or(cases.len())
                }
                None => return false,
            },
            _ => return false,
        };
        let next = graph.targets(decider)[choice];
        if next.block == target.block {
            return false;
        }
        // The parameters of the skipped block must not be seen behind it.
        if !through.params.is_empty() && !self.uses.is_known {
            self.uses.count(graph, order);
        }
        for &param in &through.params {
            let inside = graph.args(decider).iter().filter(|&&arg| arg == param).count()
                + graph.targets(decider).iter().map(|t| graph.target_args(*t).iter().filter(|&&arg| arg == param).count()).sum::<usize>();
            if self.uses.counts[param.index()] as usize != inside {
                return false;
            }
        }
        self.uses.args.clear();
        self.uses.args.extend(graph.target_args(next).iter().map(|&arg| value_of(arg)));
        if !self.spend() {
            return false;
        }
        let Round { graph, uses, .. } = self;
        // Behind the skipped block they may be what they were when it was last come by.
        if graph.names.is_some() {
            let params = graph.blocks[target.block].params.clone();
            graph.forget(params);
        }
        if uses.is_known {
            graph.target_args(target).iter().for_each(|arg| uses.counts[arg.index()] -= 1);
            uses.args.iter().for_each(|arg| uses.counts[arg.index()] += 1);
        }
        let args = graph.args.add(uses.args.iter().copied());
        let list = graph.edges[edge.inst].targets;
        graph.targets.get_mut(list)[edge.index as usize] = Target { block: next.block, args };
        true
    }

    /// What taking this edge says about a condition: the block before it branches on the same.
    fn implied(&self, edge: Edge, condition: Value) -> Option<bool> {
        let graph = &*self.graph;
        if graph.op(edge.inst) != Op::Branch || graph.args(edge.inst)[0] != condition {
            return None;
        }
        Some(edge.index == 0)
    }

    /// A terminator whose ways all go to one block becomes a jump.
    fn meet(&mut self, block: Block, inst: Inst) {
        let graph = &*self.graph;
        let targets = graph.targets(inst);
        let Some((&first, rest)) = targets.split_first() else { return };
        if rest.is_empty() || rest.iter().any(|t| t.block != first.block) {
            return;
        }
        let args = graph.target_args(first);
        let mut differing = None;
        for target in rest {
            for (at, (a, b)) in args.iter().zip(graph.target_args(*target)).enumerate() {
                if a != b && differing.replace(at).is_some_and(|other| other != at) {
                    return;
                }
            }
        }
        match differing {
            None => {
                if self.spend() {
                    self.become_jump(inst, first);
                }
            }
            Some(at) => {
                let graph = &*self.graph;
                let (yes, ty) = (args[at], graph.ty(args[at]));
                let is_scalar = matches!(ty, Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE);
                let [_, second] = *graph.targets(inst) else { return };
                if graph.op(inst) != Op::Branch || !is_scalar {
                    return;
                }
                let no = graph.target_args(second)[at];
                let condition = graph.args(inst)[0];
                let mut args = args.to_vec();
                if !self.spend() {
                    return;
                }
                let graph = &mut *self.graph;
                let select = graph.make(NewInst { args: &[condition, yes, no], ..NewInst::new(Op::Select) }, &[ty]);
                let insts = &mut graph.blocks[block].insts;
                insts.insert(insts.len() - 1, select);
                args[at] = graph.result(select);
                if self.uses.is_known {
                    self.uses.counts.resize(graph.values.len(), 0);
                    for value in [condition, yes, no, args[at]] {
                        self.uses.counts[value.index()] += 1;
                    }
                }
                self.become_jump(inst, first);
                set_target_args(self.graph, Edge { inst, from: block, index: 0 }, &args);
            }
        }
    }

    fn become_jump(&mut self, inst: Inst, target: Target) {
        // Uses only get fewer here; counting too many refuses a rewrite until the next round.
        let graph = &mut *self.graph;
        let targets = graph.targets.add([target]);
        let row = &mut graph.insts[inst];
        (row.op, row.args, row.imm, row.flags) = (Op::Jump, List::EMPTY, 0, 0);
        graph.edges[inst].targets = targets;
    }

    /// Parameters with one source go, then blocks with one way in join the block before.
    fn merge(&mut self, order: &Order, incoming: &Incoming) {
        self.renames.clear();
        for &block in order.blocks.iter().skip(1) {
            if !self.graph.blocks[block].params.is_empty() {
                self.settle_params(block, incoming);
            }
        }
        for &block in &order.blocks {
            // A block that has joined another is empty by now.
            while let Some(last) = self.graph.terminator(block) {
                if self.graph.op(last) != Op::Jump {
                    break;
                }
                let target = self.graph.targets(last)[0];
                let next = target.block;
                if next == block || next == ENTRY || incoming.is_unwind(next) || incoming.of_block(next).len() != 1 || !self.spend() {
                    break;
                }
                let graph = &mut *self.graph;
                let params = std::mem::take(&mut graph.blocks[next].params);
                for (&param, &arg) in params.iter().zip(&graph.args[target.args]) {
                    self.renames.set(param, arg);
                }
                let insts = std::mem::take(&mut graph.blocks[next].insts);
                let row = &mut graph.blocks[block].insts;
                row.pop();
                row.extend(insts);
            }
        }
        self.renames.apply(self.graph);
    }

    /// Replaces the parameters of a block that are one value on all edges.
    fn settle_params(&mut self, block: Block, incoming: &Incoming) {
        let mut gone: Vec<Value> = Vec::new();
        let edges = incoming.of_block(block);
        for at in 0..self.graph.blocks[block].params.len() {
            let param = self.graph.blocks[block].params[at];
            let mut source: Option<Value> = None;
            let mut is_single = true;
            let mut is_literal = true;
            for edge in edges {
                let target = self.graph.targets(edge.inst)[edge.index as usize];
                let arg = self.renames.get(self.graph.target_args(target)[at]);
                if arg == param {
                    continue;
                }
                match source {
                    None => source = Some(arg),
                    Some(other) if other == arg => {}
                    Some(other) => {
                        is_single = false;
                        is_literal &= literal(self.graph, arg).is_some_and(|found| literal(self.graph, other) == Some(found));
                        if !is_literal {
                            break;
                        }
                    }
                }
            }
            let Some(source) = source else { continue };
            if (!is_single && !is_literal) || !self.spend() {
                continue;
            }
            if is_single {
                self.renames.set(param, source);
            } else if let Some((op, imm)) = literal(self.graph, source) {
                // Equal literals from different blocks: one of its own, at the start.
                let ty = self.graph.ty(source);
                let copy = self.graph.make(NewInst { imm, ..NewInst::new(op) }, &[ty]);
                self.graph.blocks[block].insts.insert(0, copy);
                self.renames.set(param, self.graph.result(copy));
            }
            gone.push(param);
        }
        if !gone.is_empty() {
            remove_params(self.graph, incoming, block, |param| gone.contains(&param));
        }
    }
}
