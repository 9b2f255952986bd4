//! Which checks of a loop go, and what must hold then.

use hir::Type;
use ir::ssa::{Graph, Inst, Value};

use super::Loop;
use crate::Op;
use crate::ir::Mir;
use crate::opt::indices::{self, Lengths, is_list};
use crate::verify::proof::{self, Range};

/// Bits that what comes from outside may have, so that sums and products of it are in range: more bits suit more programs, fewer bits more checks.
const BITS: [u32; 4] = [40, 31, 30, 24];
/// How deep the operands of an operand are looked at.
const DEPTH: u32 = 6;

/// What the copy of a loop may leave out.
pub(super) struct Plan {
    /// Bits that the values of `small` may have.
    pub(super) bits: u32,
    /// Values from outside that must not be negative, and have no more than these bits.
    pub(super) small: Vec<Value>,
    /// Sums, differences and products that fit then.
    pub(super) sums: Vec<Inst>,
    /// Elements that are there if these indices are.
    pub(super) gets: Vec<Get>,
}

/// A `list_get` whose index grows with the counter.
pub(super) struct Get {
    pub(super) inst: Inst,
    /// A list of that length: from outside, or a parameter of the header.
    pub(super) list: Value,
    pub(super) index: Value,
    /// May the index be negative in the first round?
    pub(super) may_be_negative: bool,
}

impl Plan {
    /// The plan that leaves most checks out, if any goes.
    pub(super) fn of(graph: &Graph<Mir>, found: &Loop, lengths: &Lengths) -> Option<Plan> {
        let insts = || found.blocks.iter().flat_map(|&block| &graph.blocks[block].insts).copied();
        let checks = insts().filter(|&inst| matches!(graph.op(inst), Op::Add | Op::Sub | Op::Mul | Op::ListGet)).count();
        let mut best: Option<Plan> = None;
        for bits in BITS {
            let plan = Question { graph, found, bits, asked: Vec::new() }.plan(insts(), lengths);
            if plan.gone() > best.as_ref().map_or(0, Plan::gone) {
                best = Some(plan);
            }
            if best.as_ref().map_or(0, Plan::gone) == checks {
                break;
            }
        }
        best
    }

    fn gone(&self) -> usize {
        self.sums.len() + self.gets.len()
    }
}

/// What holds in the loop where all that comes from outside has so many bits and no sign.
struct Question<'a> {
    graph: &'a Graph<Mir>,
    found: &'a Loop,
    bits: u32,
    /// Values from outside that the answer to the last question rests on.
    asked: Vec<Value>,
}

impl Question<'_> {
    fn plan(mut self, insts: impl Iterator<Item = Inst>, lengths: &Lengths) -> Plan {
        let counter = &self.found.counter;
        let mut plan = Plan { bits: self.bits, small: Vec::new(), sums: Vec::new(), gets: Vec::new() };
        // A step of zero or less does not count up, and with one that is too large the counter does not stay in range.
        if !self.is_step(counter.step) {
            return plan;
        }
        // The range of the counter rests on this. What comes from outside is asked to be small; a literal is what it is.
        if !self.range(counter.bound, DEPTH).within(Range::new(0, (1 << self.bits) - 1)) {
            return plan;
        }
        let always = std::mem::take(&mut self.asked);
        for inst in insts {
            self.asked.clear();
            let goes = match (self.graph.op(inst), self.graph.args(inst)) {
                (op @ (Op::Add | Op::Sub | Op::Mul), &[a, b]) if self.fits(op, a, b) => {
                    plan.sums.push(inst);
                    true
                }
                (Op::ListGet, &[list, index]) => match self.get(inst, list, index, lengths) {
                    Some(get) => {
                        plan.gets.push(get);
                        true
                    }
                    None => false,
                },
                _ => false,
            };
            if goes {
                plan.small.append(&mut self.asked);
            }
        }
        plan.small.extend(always);
        plan.small.sort_unstable();
        plan.small.dedup();
        plan
    }

    fn is_step(&mut self, step: Value) -> bool {
        match proof::int_literal(self.graph, step) {
            Some(step) => (1..1 << 20).contains(&step),
            // That it is more than zero is a test of its own.
            None => self.range(step, DEPTH).low >= 0,
        }
    }

    /// The values of an int in the loop.
    fn range(&mut self, value: Value, depth: u32) -> Range {
        let graph = self.graph;
        if let Some(literal) = proof::int_literal(graph, value) {
            return Range::one(literal);
        }
        if value == self.found.counter.param {
            // Below the bound, or the bound and a step.
            return Range::new(0, 2 << self.bits);
        }
        let ty = graph.ty(value);
        let small = Range::new(0, (1 << self.bits) - 1);
        if !self.found.values.contains(&value) {
            let certain = proof::range(graph, value);
            if ty != Type::INT || certain.within(small) {
                return certain;
            }
            self.asked.push(value);
            return small;
        }
        let Some(inst) = graph.def_inst(value).filter(|_| depth > 0) else { return Range::of_type(ty) };
        let row = &graph.insts[inst];
        match (row.op, graph.args(inst)) {
            (Op::ListLen, &[list]) => Range::new(0, indices::indices(graph.ty(list)).high + 1),
            (op, &[a, b]) if is_arithmetic(op) => {
                let (a, b) = (self.range(a, depth - 1), self.range(b, depth - 1));
                proof::transfer(op, ty, row.imm, a, b).meet(Range::of_type(ty))
            }
            (Op::Widen, &[a]) => self.range(a, depth - 1),
            _ => Range::of_type(ty),
        }
    }

    /// Is the sum, difference or product of these an int in every round?
    fn fits(&mut self, op: Op, a: Value, b: Value) -> bool {
        let (a, b) = (self.range(a, DEPTH), self.range(b, DEPTH));
        match op {
            Op::Add | Op::WrapAdd => a.sums(b).is_some(),
            Op::Sub | Op::WrapSub => a.differences(b).is_some(),
            _ => a.products(b).is_some(),
        }
    }

    /// Can one look at the first and the last round tell that the list has the index in all?
    fn get(&mut self, inst: Inst, list: Value, index: Value, lengths: &Lengths) -> Option<Get> {
        let is_inside = self.found.values.contains(&list);
        let list = if is_inside { self.first_of(list, lengths)? } else { list };
        if !self.rises(index, DEPTH) {
            return None;
        }
        let may_be_negative = self.range(index, DEPTH).low < 0;
        Some(Get { inst, list, index, may_be_negative })
    }

    /// The parameter of the header that has the length of this list of the loop in every round: what it is given first tells the length.
    ///
    /// A class says that lists have the same length in one round. In all rounds they have that of the first where a list from outside is in the
    /// class, or where what comes back is in the class of what it comes back to.
    fn first_of(&self, list: Value, lengths: &Lengths) -> Option<Value> {
        let graph = self.graph;
        let class = lengths.of(list);
        let back = self.found.back;
        let target = *graph.targets(back.inst).get(back.index as usize)?;
        let mut params = graph.blocks[self.found.header].params.iter().copied().zip(graph.target_args(target).iter().copied());
        let stays = |param: Value, next: Value| !self.found.values.contains(&class) || param == class && lengths.of(next) == class;
        let found = params.find(|&(param, next)| is_list(graph.ty(param)) && lengths.of(param) == class && stays(param, next));
        found.map(|(param, _)| param)
    }

    /// Is the value never less than in the round before, and nothing that it is computed from out of range?
    fn rises(&mut self, value: Value, depth: u32) -> bool {
        let graph = self.graph;
        if value == self.found.counter.param || self.found.is_fixed(graph, value) {
            // What is fixed and used for an index is asked to be small, too.
            self.range(value, DEPTH);
            return true;
        }
        let Some(inst) = graph.def_inst(value).filter(|_| depth > 0) else { return false };
        let (op, &[a, b]) = (graph.op(inst), graph.args(inst)) else { return false };
        match op {
            Op::Add | Op::WrapAdd => self.fits(op, a, b) && self.rises(a, depth - 1) && self.rises(b, depth - 1),
            Op::Sub | Op::WrapSub => self.fits(op, a, b) && self.rises(a, depth - 1) && self.found.is_fixed(graph, b),
            Op::Mul | Op::WrapMul => {
                let signs = self.range(a, DEPTH).low >= 0 && self.range(b, DEPTH).low >= 0;
                signs && self.fits(op, a, b) && self.rises(a, depth - 1) && self.rises(b, depth - 1)
            }
            _ => false,
        }
    }
}

fn is_arithmetic(op: Op) -> bool {
    matches!(op, Op::Add | Op::Sub | Op::Mul | Op::WrapAdd | Op::WrapSub | Op::WrapMul | Op::Div | Op::Rem | Op::FloorDiv)
        || matches!(op, Op::And | Op::Or | Op::Xor | Op::Shr)
}
