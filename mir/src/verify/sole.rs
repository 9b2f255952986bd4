//! M0317: lists that nobody else holds.
//!
//! An op that changes a list looks whether its buffer has one holder, and copies it otherwise. What it gives has one for certain, and stays so until somebody else
//! may hold it: `dup`, `select`, and whoever is lent the list. A parameter of a block is such a list where all edges bring one, around loops too: that is
//! assumed of all and taken back where it is wrong (a greatest fixed point). The flag `sole` says so of the list that an op changes, and nobody
//! looks again.

use ir::Where;
use ir::ssa::{ENTRY, Graph, Inst, Value};

use super::MirFault;
use crate::Op;
use crate::ir::Mir;
use crate::ops::SOLE;

/// Rounds after which what is still in doubt counts as shared.
const ROUNDS: u32 = 16;

/// The ops that the flag is for: each changes or takes over its first operand.
pub(crate) const fn may_be_marked(op: Op) -> bool {
    matches!(op, Op::ListSet | Op::ListSwap | Op::ListOwn)
}

/// By value of an owned body: is it a list that nobody else holds when it is taken?
pub(crate) struct Soles(Vec<bool>);

impl Soles {
    pub(crate) fn of(graph: &Graph<Mir>) -> Soles {
        let mut soles = Soles(vec![false; graph.values.len()]);
        soles.assume(graph);
        for _ in 0..ROUNDS {
            if !soles.round(graph) {
                return soles;
            }
        }
        Soles(vec![false; graph.values.len()])
    }

    pub(crate) fn has(&self, value: Value) -> bool {
        self.0.get(value.index()).copied().unwrap_or(false)
    }

    /// Every list that is made here or brought to a block, and that nobody is shown who could keep it.
    fn assume(&mut self, graph: &Graph<Mir>) {
        for (block, row) in graph.blocks.iter() {
            if block != ENTRY {
                row.params.iter().for_each(|param| self.0[param.index()] = true);
            }
            for &inst in &row.insts {
                if let (Op::List | Op::ListOwn | Op::ListSet | Op::ListSwap | Op::ListPush | Op::ListReserve, Some(list)) =
                    (graph.op(inst), graph.results(inst).next())
                {
                    self.0[list.index()] = true;
                }
            }
        }
        for inst in graph.blocks.rows().iter().flat_map(|row| &row.insts).copied().filter(|&inst| may_keep(graph.op(inst))) {
            graph.args(inst).iter().for_each(|arg| self.0[arg.index()] = false);
        }
    }

    /// Takes back what is wrong; true when something was.
    fn round(&mut self, graph: &Graph<Mir>) -> bool {
        let mut changed = false;
        for row in graph.blocks.rows() {
            for &inst in &row.insts {
                if let (Op::ListPush | Op::ListReserve, &[list, _]) = (graph.op(inst), graph.args(inst)) {
                    changed |= self.follows(graph.result(inst), list);
                }
                for &target in graph.targets(inst) {
                    let Some(block) = graph.blocks.get(target.block) else { continue };
                    for (&param, &arg) in block.params.iter().zip(graph.target_args(target)) {
                        changed |= self.follows(param, arg);
                    }
                }
            }
        }
        changed
    }

    /// `value` has one holder only if `other` has; true when that was not known.
    fn follows(&mut self, value: Value, other: Value) -> bool {
        let changes = self.0[value.index()] && !self.0[other.index()];
        self.0[value.index()] &= !changes;
        changes
    }
}

/// Could somebody else hold an operand of this op afterwards, and the operand still be there?
fn may_keep(op: Op) -> bool {
    matches!(op, Op::Dup | Op::Select | Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod | Op::Tail | Op::Runtime | Op::Closure)
}

/// Judges the claims of an owned body.
pub(super) fn check(graph: &Graph<Mir>, is_owned: bool, faults: &mut Vec<MirFault>) {
    let is_marked = |inst: Inst| graph.insts[inst].flags & SOLE != 0;
    if !graph.blocks.rows().iter().flat_map(|row| &row.insts).any(|&inst| is_marked(inst)) {
        return;
    }
    let soles = Soles::of(graph);
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate().filter(|(_, inst)| is_marked(**inst)) {
            let op = graph.op(inst);
            let is_proved = graph.args(inst).first().is_some_and(|&list| soles.has(list));
            if !is_owned || !may_be_marked(op) || !is_proved {
                let at = Where::Inst { block: block.raw(), index: index as u32 };
                faults.push(MirFault::UnprovedSole { at, op: ir::ops::OpTable::info(op).name });
            }
        }
    }
}
