//! What an instruction proves about itself: ranges that follow from definitions alone, and which `nounwind` claims they carry.
//!
//! A claim in a body must be re-derivable by whoever reads the body, so only facts that stand in the operands' definitions count here. Facts
//! that need control flow (a compare that dominates) are used by rewriting to an op that cannot panic at all, see `opt/ranges.rs`.

use abi::RuntimeCall;
use hir::{Type, TypeKind};
use ir::ssa::{Def, Graph, Inst, Value};

use crate::Op;
use crate::ir::Mir;

#[cfg(test)]
mod tests;

/// All values of an interval, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    /// Smallest value.
    pub low: i64,
    /// Largest value.
    pub high: i64,
}

impl Range {
    /// Every int.
    pub const ALL: Range = Range { low: i64::MIN, high: i64::MAX };

    /// One value.
    pub const fn one(value: i64) -> Range {
        Range { low: value, high: value }
    }

    /// From `low` to `high`.
    pub const fn new(low: i64, high: i64) -> Range {
        Range { low, high }
    }

    /// The values of a discrete type.
    pub fn of_type(ty: Type) -> Range {
        match ty {
            Type::BOOL => Range::new(0, 1),
            Type::BYTE => Range::new(0, 255),
            Type::CHAR => Range::new(0, 0x10_FFFF),
            _ => Range::ALL,
        }
    }

    /// Is the value inside?
    pub const fn has(self, value: i64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Is all of it inside `other`?
    pub const fn within(self, other: Range) -> bool {
        other.low <= self.low && self.high <= other.high
    }

    /// The smallest interval with both.
    pub fn union(self, other: Range) -> Range {
        Range::new(self.low.min(other.low), self.high.max(other.high))
    }

    /// The common part; `self` when there is none (a contradiction proves nothing here).
    pub fn meet(self, other: Range) -> Range {
        let both = Range::new(self.low.max(other.low), self.high.min(other.high));
        if both.low <= both.high { both } else { self }
    }

    /// The only value, if there is one.
    pub const fn single(self) -> Option<i64> {
        if self.low == self.high { Some(self.low) } else { None }
    }

    /// Sums, when none overflows.
    pub fn sums(self, other: Range) -> Option<Range> {
        Some(Range::new(self.low.checked_add(other.low)?, self.high.checked_add(other.high)?))
    }

    /// Differences, when none overflows.
    pub fn differences(self, other: Range) -> Option<Range> {
        Some(Range::new(self.low.checked_sub(other.high)?, self.high.checked_sub(other.low)?))
    }

    /// Products, when none overflows.
    pub fn products(self, other: Range) -> Option<Range> {
        let corners = [
            self.low.checked_mul(other.low)?,
            self.low.checked_mul(other.high)?,
            self.high.checked_mul(other.low)?,
            self.high.checked_mul(other.high)?,
        ];
        Some(corners.into_iter().fold(Range::one(corners[0]), |all, c| all.union(Range::one(c))))
    }

    /// Sums that did not overflow: the ends saturate.
    fn add_clamped(self, other: Range) -> Range {
        Range::new(self.low.saturating_add(other.low), self.high.saturating_add(other.high))
    }

    fn sub_clamped(self, other: Range) -> Range {
        Range::new(self.low.saturating_sub(other.high), self.high.saturating_sub(other.low))
    }
}

/// The lengths that a list can have: a buffer of elements that need room lies in an address space of 47 bits.
pub fn lengths(list: Type) -> Range {
    match list.kind() {
        TypeKind::List(element) if has_size(element) => Range::new(0, 1 << 47),
        _ => Range::new(0, i64::MAX),
    }
}

/// Do values of the type need room, as far as the type alone says?
fn has_size(ty: Type) -> bool {
    use TypeKind::*;
    matches!(ty.kind(), Int | Float | Bool | Char | Byte | Str | List(_) | Function(..) | Cell(_))
}

/// The literal behind a value, as its immediate.
#[inline]
pub fn literal(graph: &Graph<Mir>, value: Value) -> Option<(Op, u64)> {
    let Def::Result(inst, _) = graph.values.get(value)?.def else { return None };
    let row = graph.insts.get(inst)?;
    match row.op {
        Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Str | Op::Unit => Some((row.op, row.imm)),
        _ => None,
    }
}

/// The int, bool, char or byte literal behind a value.
#[inline]
pub fn int_literal(graph: &Graph<Mir>, value: Value) -> Option<i64> {
    match literal(graph, value)? {
        (Op::Int | Op::Bool | Op::Char | Op::Byte, imm) => Some(imm as i64),
        _ => None,
    }
}

/// The range of the result of an op when its operands have these ranges and it did not panic. `ranges` has one entry an operand.
pub fn transfer(op: Op, ty: Type, imm: u64, a: Range, b: Range) -> Range {
    let all = Range::of_type(ty);
    match op {
        Op::Int | Op::Bool | Op::Char | Op::Byte => Range::one(imm as i64),
        Op::Add => a.add_clamped(b),
        Op::Sub => a.sub_clamped(b),
        Op::Mul => a.products(b).unwrap_or(all),
        Op::WrapAdd => a.sums(b).unwrap_or(all),
        Op::WrapSub => a.differences(b).unwrap_or(all),
        Op::WrapMul => a.products(b).unwrap_or(all),
        Op::Neg => Range::one(0).sub_clamped(a),
        Op::Abs => {
            let most = a.low.checked_abs().unwrap_or(i64::MAX).max(a.high.checked_abs().unwrap_or(i64::MAX));
            Range::new(if a.has(0) { 0 } else { a.low.saturating_abs().min(a.high.saturating_abs()) }, most)
        }
        Op::Rem => {
            // |a % b| < |b|, |a % b| <= |a|, and the sign is a's.
            let most = b.low.unsigned_abs().max(b.high.unsigned_abs()).saturating_sub(1) as i64;
            Range::new(if a.low >= 0 { 0 } else { (-most).max(a.low) }, if a.high <= 0 { 0 } else { most.min(a.high) })
        }
        Op::Div | Op::FloorDiv => match b.low > 0 {
            // Dividing by a positive number moves towards zero (or to -1), monotonously in the dividend.
            true => {
                let least = if a.low >= 0 { a.low / b.high } else { a.low.div_euclid(b.low) };
                let most = if a.high >= 0 { a.high / b.low } else { 0 };
                Range::new(least.min(most), most)
            }
            false => all,
        },
        Op::And => match (a.low >= 0, b.low >= 0) {
            (true, true) => Range::new(0, a.high.min(b.high)),
            (true, false) => Range::new(0, a.high),
            (false, true) => Range::new(0, b.high),
            (false, false) => all,
        },
        Op::Or | Op::Xor if a.low >= 0 && b.low >= 0 => {
            // No bit above the highest of both.
            let bits = a.high | b.high;
            Range::new(0, ((1u64 << (64 - (bits as u64).leading_zeros()).min(63)) - 1) as i64).meet(all)
        }
        Op::Shr | Op::ByteShr => match (b.single(), a.low >= 0) {
            (Some(n @ 0..=63), _) => Range::new(a.low >> n, a.high >> n),
            (_, true) => Range::new(0, a.high),
            (_, false) => all,
        },
        Op::Widen | Op::IntToByte | Op::IntToChar | Op::ByteToChar => a.meet(all),
        Op::Select => a.union(b),
        Op::StrLen | Op::ListLen => Range::new(0, i64::MAX),
        _ => all,
    }
}

/// What is certain about a discrete value from its definition and, a few steps deep, those of its operands.
pub fn range(graph: &Graph<Mir>, value: Value) -> Range {
    range_within(graph, value, 4)
}

fn range_within(graph: &Graph<Mir>, value: Value, depth: u32) -> Range {
    let Some(row) = graph.values.get(value) else { return Range::ALL };
    let all = Range::of_type(row.ty);
    let Def::Result(inst, _) = row.def else { return all };
    let Some(inst) = graph.insts.get(inst) else { return all };
    if depth == 0 && !matches!(inst.op, Op::Int | Op::Bool | Op::Char | Op::Byte) {
        return all;
    }
    let args = &graph.args[inst.args];
    let operand = |index: usize| args.get(index).map_or(Range::ALL, |&v| range_within(graph, v, depth.saturating_sub(1)));
    match inst.op {
        Op::Select => operand(1).union(operand(2)),
        Op::Int | Op::Bool | Op::Char | Op::Byte | Op::StrLen | Op::ListLen => transfer(inst.op, row.ty, inst.imm, all, all),
        Op::Add | Op::Sub | Op::Mul | Op::WrapAdd | Op::WrapSub | Op::WrapMul => {
            transfer(inst.op, row.ty, inst.imm, operand(0), operand(1)).meet(all)
        }
        Op::Div | Op::Rem | Op::FloorDiv | Op::And | Op::Or | Op::Xor | Op::Shr | Op::ByteShr => {
            transfer(inst.op, row.ty, inst.imm, operand(0), operand(1)).meet(all)
        }
        Op::Widen | Op::IntToByte | Op::IntToChar | Op::ByteToChar | Op::Neg | Op::Abs => {
            transfer(inst.op, row.ty, inst.imm, operand(0), all).meet(all)
        }
        _ => all,
    }
}

/// Do ranges of its operands prove that this op does not panic? Sums, differences and products are not asked: their proof-carrying form is
/// the `wrap_` op.
pub fn ranges_prove(op: Op, a: Range, b: Range) -> bool {
    match op {
        Op::Div | Op::Rem | Op::FloorDiv => !b.has(0) && (!b.has(-1) || !a.has(i64::MIN)),
        Op::Shr => b.within(Range::new(0, 63)),
        Op::ByteShr => b.within(Range::new(0, 7)),
        Op::IntToByte => a.within(Range::new(0, 255)),
        Op::IntToChar => a.within(Range::new(0, 0xD7FF)) || a.within(Range::new(0xE000, 0x10_FFFF)),
        _ => false,
    }
}

/// Can the claim `nounwind` of this instruction be derived from its operands' definitions?
pub fn cannot_panic(graph: &Graph<Mir>, inst: Inst) -> bool {
    let row = &graph.insts[inst];
    match row.op {
        Op::Div | Op::Rem | Op::FloorDiv | Op::Shr | Op::ByteShr | Op::IntToByte | Op::IntToChar => {
            let args = &graph.args[row.args];
            let operand = |index: usize| args.get(index).map_or(Range::ALL, |&v| range(graph, v));
            // The second operand is a literal most of the time, and then says enough.
            let second = match args.get(1).and_then(|&value| int_literal(graph, value)) {
                Some(literal) => Range::one(literal),
                None => operand(1),
            };
            ranges_prove(row.op, Range::ALL, second) || ranges_prove(row.op, operand(0), second)
        }
        Op::Runtime => RuntimeCall::from_number(row.imm).is_some_and(|call| call.statuses().is_empty()),
        // A call may be marked once there is a fact for it; until then every call may unwind.
        _ => false,
    }
}
