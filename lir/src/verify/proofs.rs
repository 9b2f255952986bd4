//! L04: which checks prove that a division or a conversion has a result.
//!
//! A check that has run proves its comparison for everything after it. The proofs are found from the value they are about: each check is noted in the
//! list of its first operand, and where that operand is itself computed in one of the forms below, in the list of what it was computed from.
//!
//! - `check COND b, LITERAL` proves that `b` is no `x` for which the comparison is false;
//! - `check ne (or (xor a, MIN) (xor b, -1)), 0` proves that `a / b` does not overflow;
//! - `check ne (fcmp COND f, BOUND), 0` proves `f COND BOUND`.
//!
//! A proof counts for later instructions of its block and for blocks that the block dominates, except in landing pads and what follows them: there
//! the check may be the very one that failed. The walk goes in reverse postorder and looks at the nearest proofs of a value first, and at no more
//! than [`NEAREST`]: whoever divides checks right before it, and the verifier stays linear.

use ir::ssa::{Block, Def, Graph, Inst, Value};

use super::flow::Flow;
use super::{LirFault, here};
use crate::ir::Lir;
use crate::ops::{Cond, FloatCond, Op, check_parts};

const NONE: u32 = u32::MAX;

/// Proofs of one value that are looked at.
const NEAREST: usize = 64;

#[derive(Clone, Copy)]
enum Fact {
    /// The value compares so with the literal.
    Compares(Cond, i64),
    /// The quotient of this value by the value does not overflow.
    Divides(Value),
    /// The float compares so with the bound.
    Bounded(FloatCond, f64),
}

#[derive(Clone, Copy)]
struct Proof {
    fact: Fact,
    block: Block,
    index: u32,
    next: u32,
}

/// The proofs met so far, by the value they are about.
struct Proofs {
    /// Latest proof of each value.
    heads: Vec<u32>,
    rows: Vec<Proof>,
    flow: Flow,
}

/// Judges the divisions and conversions of a body.
pub(super) fn check(graph: &Graph<Lir>, faults: &mut Vec<LirFault>) {
    let mut proofs = Proofs { heads: vec![NONE; graph.values.len()], rows: Vec::new(), flow: Flow::of(graph) };
    // Blocks that cannot be reached come last: what they hold is judged too, by their own checks.
    let mut blocks = proofs.flow.order.blocks.clone();
    blocks.extend(graph.blocks.ids().filter(|&block| !proofs.flow.order.is_reachable(block)));
    for block in blocks {
        for (index, &inst) in graph.blocks[block].insts.iter().enumerate() {
            let at = (block, index as u32);
            match graph.op(inst) {
                Op::Check => proofs.note(graph, inst, at),
                Op::Sdiv | Op::Srem => proofs.division(graph, inst, at, faults),
                Op::IntOfFloat => proofs.conversion(graph, inst, at, faults),
                _ => {}
            }
        }
    }
}

/// Does an instruction have no result for some operands, so that a check must have excluded them? A divisor that is a literal other than 0 and -1 is its
/// own proof.
pub(super) fn needs_check(graph: &Graph<Lir>, op: Op, args: &[Value]) -> bool {
    match op {
        Op::Sdiv | Op::Srem => args.get(1).and_then(|&divisor| literal(graph, divisor)).is_none_or(|number| number == 0 || number == -1),
        Op::IntOfFloat => true,
        _ => false,
    }
}

/// The integer constant behind a value.
pub(super) fn literal(graph: &Graph<Lir>, value: Value) -> Option<i64> {
    let (_, row) = definition(graph, value)?;
    (row.op == Op::Iconst).then_some(row.imm as i64)
}

fn definition(graph: &Graph<Lir>, value: Value) -> Option<(Inst, &ir::ssa::InstRow<Op>)> {
    match graph.values.get(value)?.def {
        Def::Result(inst, _) => Some((inst, graph.insts.get(inst)?)),
        Def::Param(..) => None,
    }
}

/// The other operand of `op x, LITERAL`.
fn with_literal(graph: &Graph<Lir>, value: Value, op: Op, wanted: i64) -> Option<Value> {
    let (inst, row) = definition(graph, value)?;
    match *graph.args(inst) {
        [a, b] if row.op == op && literal(graph, b) == Some(wanted) => Some(a),
        [a, b] if row.op == op && literal(graph, a) == Some(wanted) => Some(b),
        _ => None,
    }
}

impl Proofs {
    fn note(&mut self, graph: &Graph<Lir>, inst: Inst, at: (Block, u32)) {
        let &[a, b, ..] = graph.args(inst) else { return };
        let Some((cond, _)) = check_parts(graph.insts[inst].imm) else { return };
        if let Some(number) = literal(graph, b) {
            self.add(a, Fact::Compares(cond, number), at);
            if (cond, number) == (Cond::Ne, 0) {
                self.note_computed(graph, a, at);
            }
        }
        if let Some(number) = literal(graph, a) {
            self.add(b, Fact::Compares(cond.swapped(), number), at);
        }
    }

    /// The value is not zero: what does that say about what it was computed from?
    fn note_computed(&mut self, graph: &Graph<Lir>, value: Value, at: (Block, u32)) {
        let Some((inst, row)) = definition(graph, value) else { return };
        let &[a, b] = graph.args(inst) else { return };
        if row.op == Op::Or {
            for (x, y) in [(a, b), (b, a)] {
                if let (Some(dividend), Some(divisor)) = (with_literal(graph, x, Op::Xor, i64::MIN), with_literal(graph, y, Op::Xor, -1)) {
                    self.add(divisor, Fact::Divides(dividend), at);
                }
                // Half-way through folding: `0 | y` is y.
                if literal(graph, x) == Some(0) && graph.def_inst(y).is_some_and(|inst| graph.op(inst) == Op::Xor) {
                    self.note_computed(graph, y, at);
                }
            }
        } else if row.op == Op::Xor {
            // Folding leaves this of the above when one of the two is a literal: what differs from a literal in some bit is not that literal.
            for (x, y) in [(a, b), (b, a)] {
                if let Some(number) = literal(graph, y) {
                    self.add(x, Fact::Compares(Cond::Ne, number), at);
                }
            }
        } else if row.op == Op::Fcmp
            && let Some((_, bound)) = definition(graph, b)
            && bound.op == Op::Fconst
            && let Some(&cond) = FloatCond::ALL.get(row.imm as usize)
        {
            self.add(a, Fact::Bounded(cond, f64::from_bits(bound.imm)), at);
        }
    }

    fn add(&mut self, value: Value, fact: Fact, (block, index): (Block, u32)) {
        if let Some(head) = self.heads.get_mut(value.index()) {
            self.rows.push(Proof { fact, block, index, next: *head });
            *head = self.rows.len() as u32 - 1;
        }
    }

    /// Does a fact about the value that `proves` accepts hold at this place?
    fn holds(&self, graph: &Graph<Lir>, value: Value, at: (Block, u32), proves: impl Fn(Fact) -> bool) -> bool {
        let mut next = self.heads.get(value.index()).copied().unwrap_or(NONE);
        for _ in 0..NEAREST {
            let Some(&proof) = self.rows.get(next as usize) else { break };
            next = proof.next;
            if proves(proof.fact) && (proof.block == at.0 && proof.index < at.1 || self.flow.end_reaches(graph, proof.block, at.0)) {
                return true;
            }
        }
        false
    }
}

impl Proofs {
    fn division(&self, graph: &Graph<Lir>, inst: Inst, at: (Block, u32), faults: &mut Vec<LirFault>) {
        let op = graph.op(inst).info().name;
        let &[dividend, divisor] = graph.args(inst) else { return };
        let place = here(at.0.raw(), at.1);
        let excludes = |number: i64| move |fact: Fact| matches!(fact, Fact::Compares(cond, literal) if !cond.holds(number, literal));
        let known = literal(graph, divisor);
        if known.is_none_or(|n| n == 0) && !self.holds(graph, divisor, at, excludes(0)) {
            faults.push(LirFault::DivisorMayBeZero { at: place, op, value: divisor.raw() });
        }
        let small = literal(graph, dividend).is_some_and(|n| n != i64::MIN);
        if known.is_none_or(|n| n == -1)
            && !small
            && !self.holds(graph, divisor, at, excludes(-1))
            && !self.holds(graph, divisor, at, |fact| matches!(fact, Fact::Divides(by) if by == dividend))
            && !self.holds(graph, dividend, at, excludes(i64::MIN))
        {
            faults.push(LirFault::QuotientMayOverflow { at: place, op, value: divisor.raw() });
        }
    }

    fn conversion(&self, graph: &Graph<Lir>, inst: Inst, at: (Block, u32), faults: &mut Vec<LirFault>) {
        let &[value] = graph.args(inst) else { return };
        let limit = 2f64.powi(63);
        let above = |fact: Fact| match fact {
            Fact::Bounded(FloatCond::Ge | FloatCond::Gt | FloatCond::Eq, bound) => bound >= -limit,
            Fact::Bounded(FloatCond::Ne | FloatCond::Lt | FloatCond::Le, _) | Fact::Compares(..) | Fact::Divides(_) => false,
        };
        let below = |fact: Fact| match fact {
            Fact::Bounded(FloatCond::Lt, bound) => bound <= limit,
            Fact::Bounded(FloatCond::Le | FloatCond::Eq, bound) => bound < limit,
            Fact::Bounded(FloatCond::Ne | FloatCond::Gt | FloatCond::Ge, _) | Fact::Compares(..) | Fact::Divides(_) => false,
        };
        if !self.holds(graph, value, at, above) || !self.holds(graph, value, at, below) {
            faults.push(LirFault::FloatUnchecked { at: here(at.0.raw(), at.1), value: value.raw() });
        }
    }
}
