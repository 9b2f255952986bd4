//! Division and remainder by literals without dividing.
//!
//! Granlund and Montgomery, "Division by Invariant Integers using Multiplication" (PLDI 1994), in the signed form of Warren, "Hacker's Delight" §10.
//! A division of 64 bits costs 18 to 40 cycles, the longest sequence here 6. `mul` by a power of two becomes a shift; other products stay, because
//! the machine level knows what its addressing can multiply by.

use ir::ssa::{Block, Graph, Inst, Value};
use ir::{Fuel, List};

use super::literal;
use crate::ir::{Lir, Type, make_plain};
use crate::ops::{Cond, Op};

pub(super) fn run(graph: &mut Graph<Lir>, fuel: &mut Fuel) {
    let mut facts: Option<Facts> = None;
    let mut magics = Magics::default();
    // The block as it will be.
    let mut insts: Vec<Inst> = Vec::new();
    for block in graph.blocks.ids() {
        let candidate = |&inst: &Inst| plan(graph, inst).is_some();
        let Some(first) = graph.blocks[block].insts.iter().position(candidate) else { continue };
        insts.clear();
        insts.extend_from_slice(&graph.blocks[block].insts[..first]);
        for at in first..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            let mut plan = plan(graph, inst);
            if let Some(plan) = plan.as_mut().filter(|plan| plan.can_be_refined()) {
                // Few bodies divide by powers of two: the uses are looked at when the first does.
                *plan = facts.get_or_insert_with(|| Facts::of(graph)).refine(graph, block, inst, *plan);
            }
            if let Some(plan) = plan
                && fuel.spend()
            {
                Rewrite { graph, insts: &mut insts, magics: &mut magics, inst }.apply(plan);
            } else {
                insts.push(inst);
            }
        }
        let row = &mut graph.blocks[block];
        row.insts.clear();
        row.insts.extend_from_slice(&insts);
    }
}

#[derive(Clone, Copy)]
enum Plan {
    Quotient(Value, i64),
    Remainder(Value, i64),
    Shift(Value, u32),
    /// Remainder by a power of two that is only ever compared with 0: the low bits say enough.
    LowBits(Value, u64),
    /// Quotient by a power of two of a value whose low bits are known to be 0.
    Exact(Value, u32),
}

impl Plan {
    /// Is there a better plan for some operands or uses?
    fn can_be_refined(self) -> bool {
        match self {
            Plan::Remainder(_, divisor) => divisor.unsigned_abs().is_power_of_two(),
            Plan::Quotient(_, divisor) => divisor > 1 && (divisor as u64).is_power_of_two(),
            Plan::Shift(..) | Plan::LowBits(..) | Plan::Exact(..) => false,
        }
    }
}

/// What is known of a body besides the instruction at hand.
struct Facts {
    /// Is the value used other than in a comparison for equality with 0?
    counts: Vec<bool>,
    /// The only predecessor of a block.
    only_pred: Vec<Option<Block>>,
}

impl Facts {
    fn of(graph: &Graph<Lir>) -> Facts {
        let mut counts = vec![false; graph.values.len()];
        let mut only_pred = vec![None; graph.blocks.len()];
        let mut preds = vec![0u8; graph.blocks.len()];
        for block in graph.blocks.ids() {
            for &inst in &graph.blocks[block].insts {
                if !is_zero_test(graph, inst) {
                    for arg in graph.args(inst) {
                        counts[arg.index()] = true;
                    }
                }
            }
            for target in graph.terminator(block).map_or(&[][..], |last| graph.targets(last)) {
                for arg in graph.target_args(*target) {
                    counts[arg.index()] = true;
                }
            }
            graph.each_successor(block, |to| {
                preds[to.index()] = preds[to.index()].saturating_add(1);
                only_pred[to.index()] = (preds[to.index()] == 1).then_some(block);
            });
        }
        Facts { counts, only_pred }
    }

    fn refine(&self, graph: &Graph<Lir>, block: Block, inst: Inst, plan: Plan) -> Plan {
        match plan {
            Plan::Remainder(a, divisor) if divisor.unsigned_abs().is_power_of_two() && !self.counts[graph.result(inst).index()] => {
                Plan::LowBits(a, divisor.unsigned_abs() - 1)
            }
            Plan::Quotient(a, divisor) if divisor > 1 && (divisor as u64).is_power_of_two() => {
                let bits = divisor.trailing_zeros();
                if self.is_multiple(graph, block, a, bits) { Plan::Exact(a, bits) } else { plan }
            }
            Plan::Quotient(..) | Plan::Remainder(..) | Plan::Shift(..) | Plan::LowBits(..) | Plan::Exact(..) => plan,
        }
    }

    /// Is the block entered only when the low `bits` of `a` were found to be 0?
    fn is_multiple(&self, graph: &Graph<Lir>, block: Block, a: Value, bits: u32) -> bool {
        let found = || {
            let pred = self.only_pred[block.index()]?;
            let branch = graph.terminator(pred).filter(|&t| graph.op(t) == Op::Branch)?;
            let &[condition] = graph.args(branch) else { return None };
            let test = graph.def_inst(condition).filter(|&t| is_zero_test(graph, t))?;
            let holds = if graph.insts[test].imm == Cond::Eq as u64 { 0 } else { 1 };
            (graph.targets(branch).get(holds)?.block == block).then_some(())?;
            let low = graph.def_inst(*graph.args(test).first()?)?;
            let &[tested, number] = graph.args(low) else { return None };
            let number = literal(graph, number)? as u64;
            let covers = match graph.op(low) {
                Op::And => number.trailing_ones() >= bits,
                Op::Srem => number != 0 && number.trailing_zeros() >= bits,
                _ => false,
            };
            Some(covers && tested == a)
        };
        found().unwrap_or(false)
    }
}

/// Does the instruction compare for equality with 0?
fn is_zero_test(graph: &Graph<Lir>, inst: Inst) -> bool {
    let row = &graph.insts[inst];
    row.op == Op::Icmp
        && (row.imm == Cond::Eq as u64 || row.imm == Cond::Ne as u64)
        && matches!(graph.args(inst), &[_, zero] if literal(graph, zero) == Some(0))
}

/// What can be done about an instruction.
#[inline]
fn plan(graph: &Graph<Lir>, inst: Inst) -> Option<Plan> {
    let op = graph.op(inst);
    if !matches!(op, Op::Sdiv | Op::Srem | Op::Mul) {
        return None;
    }
    let &[a, b] = graph.args(inst) else { return None };
    let (a, number) = match literal(graph, b) {
        Some(number) => (a, number),
        None if op == Op::Mul => (b, literal(graph, a)?),
        None => return None,
    };
    if op == Op::Mul {
        return (number as u64).is_power_of_two().then(|| Plan::Shift(a, number.trailing_zeros()));
    }
    // Division by 0 and -1 stands behind checks that rule it out.
    if number == 0 || number == -1 {
        return None;
    }
    Some(if op == Op::Sdiv { Plan::Quotient(a, number) } else { Plan::Remainder(a, number) })
}

struct Rewrite<'a> {
    graph: &'a mut Graph<Lir>,
    /// The block so far.
    insts: &'a mut Vec<Inst>,
    magics: &'a mut Magics,
    /// The instruction that goes; its result lives on, made by the last op of the sequence.
    inst: Inst,
}

impl Rewrite<'_> {
    fn apply(mut self, plan: Plan) {
        match plan {
            Plan::Shift(a, bits) => {
                let count = self.constant(i64::from(bits));
                self.last(Op::Shl, &[a, count]);
            }
            Plan::LowBits(a, mask) => {
                let mask = self.constant(mask as i64);
                self.last(Op::And, &[a, mask]);
            }
            Plan::Exact(a, bits) => {
                let count = self.constant(i64::from(bits));
                self.last(Op::Sar, &[a, count]);
            }
            Plan::Quotient(a, divisor) => self.quotient(a, divisor),
            Plan::Remainder(a, divisor) => self.remainder(a, divisor),
        }
    }

    fn quotient(&mut self, a: Value, divisor: i64) {
        let size = divisor.unsigned_abs();
        if size == 1 {
            let zero = self.constant(0);
            return self.last(Op::Add, &[a, zero]);
        }
        if size.is_power_of_two() {
            let bits = size.trailing_zeros();
            let round = self.rounding(a, bits);
            let sum = self.op(Op::Add, &[a, round]);
            let count = self.constant(i64::from(bits));
            if divisor < 0 {
                let positive = self.op(Op::Sar, &[sum, count]);
                return self.last(Op::Neg, &[positive]);
            }
            return self.last(Op::Sar, &[sum, count]);
        }
        let quotient = self.by_magic(a, divisor);
        let (quotient, sign) = quotient;
        self.last(Op::Add, &[quotient, sign]);
    }

    fn remainder(&mut self, a: Value, divisor: i64) {
        let size = divisor.unsigned_abs();
        if size == 1 {
            let zero = self.constant(0);
            return self.last(Op::And, &[a, zero]);
        }
        if size.is_power_of_two() {
            let round = self.rounding(a, size.trailing_zeros());
            let sum = self.op(Op::Add, &[a, round]);
            let mask = self.constant((size - 1) as i64);
            let low = self.op(Op::And, &[sum, mask]);
            return self.last(Op::Sub, &[low, round]);
        }
        // The sign of the divisor does not matter to the remainder.
        let divisor = size as i64;
        let (quotient, sign) = self.by_magic(a, divisor);
        let quotient = self.op(Op::Add, &[quotient, sign]);
        let number = self.constant(divisor);
        let product = self.op(Op::Mul, &[quotient, number]);
        self.last(Op::Sub, &[a, product]);
    }

    /// `2^bits - 1` for negative `a`, else 0: added before an arithmetic shift, it rounds toward zero.
    fn rounding(&mut self, a: Value, bits: u32) -> Value {
        let spread = if bits == 1 {
            a
        } else {
            let width = self.constant(63);
            self.op(Op::Sar, &[a, width])
        };
        // The bug of `make planted`: negative numbers are rounded the wrong way.
        let planted = u32::from(cfg!(feature = "plant-wrong-division") && bits > 1);
        let rest = self.constant(i64::from(64 - bits + planted));
        self.op(Op::Shr, &[spread, rest])
    }

    /// The quotient rounded down, and 1 when that is negative: their sum is the quotient toward zero.
    fn by_magic(&mut self, a: Value, divisor: i64) -> (Value, Value) {
        let Magic { factor, shift } = self.magics.of(divisor);
        let number = self.constant(factor);
        let mut high = self.op(Op::MulHigh, &[a, number]);
        if divisor > 0 && factor < 0 {
            high = self.op(Op::Add, &[high, a]);
        } else if divisor < 0 && factor > 0 {
            high = self.op(Op::Sub, &[high, a]);
        }
        if shift > 0 {
            let count = self.constant(i64::from(shift));
            high = self.op(Op::Sar, &[high, count]);
        }
        let width = self.constant(63);
        let sign = self.op(Op::Shr, &[high, width]);
        (high, sign)
    }

    fn constant(&mut self, number: i64) -> Value {
        let (inst, value) = make_plain(self.graph, Op::Iconst, &[], number as u64, Type::I64);
        self.insts.push(inst);
        value
    }

    fn op(&mut self, op: Op, args: &[Value]) -> Value {
        let (inst, value) = make_plain(self.graph, op, args, 0, Type::I64);
        self.insts.push(inst);
        value
    }

    /// The old instruction becomes this one.
    fn last(&mut self, op: Op, args: &[Value]) {
        let args: List<Value> = self.graph.args.add(args.iter().copied());
        let row = &mut self.graph.insts[self.inst];
        row.op = op;
        row.args = args;
        row.imm = 0;
        self.insts.push(self.inst);
    }
}

/// `n / d` is the upper half of `n * factor` (plus or minus `n` when the signs of `d` and `factor` differ), shifted right, rounded up if negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Magic {
    pub(super) factor: i64,
    pub(super) shift: u32,
}

/// The magics of the divisors met lately, by their low bits: a body that divides does so by the same few numbers.
#[derive(Default)]
struct Magics([Option<(i64, Magic)>; 16]);

impl Magics {
    fn of(&mut self, divisor: i64) -> Magic {
        let entry = &mut self.0[(divisor & 15) as usize];
        match entry {
            Some((known, magic)) if *known == divisor => *magic,
            Some(_) | None => entry.insert((divisor, magic(divisor))).1,
        }
    }
}

/// Hacker's Delight, figure 10-1, for 64 bits. Not for divisors -1, 0, 1.
pub(super) fn magic(divisor: i64) -> Magic {
    const TOP: u64 = 1 << 63;
    let size = divisor.unsigned_abs();
    let limit = TOP + u64::from(divisor < 0);
    let most = limit - 1 - limit % size;
    let mut power = 63;
    let (mut q1, mut r1) = (TOP / most, TOP % most);
    let (mut q2, mut r2) = (TOP / size, TOP % size);
    loop {
        power += 1;
        q1 = q1.wrapping_mul(2);
        r1 = r1.wrapping_mul(2);
        if r1 >= most {
            q1 = q1.wrapping_add(1);
            r1 = r1.wrapping_sub(most);
        }
        q2 = q2.wrapping_mul(2);
        r2 = r2.wrapping_mul(2);
        if r2 >= size {
            q2 = q2.wrapping_add(1);
            r2 = r2.wrapping_sub(size);
        }
        let delta = size - r2;
        if !(q1 < delta || (q1 == delta && r1 == 0)) {
            break;
        }
    }
    let factor = q2.wrapping_add(1) as i64;
    Magic { factor: if divisor < 0 { factor.wrapping_neg() } else { factor }, shift: power - 64 }
}
