//! Checked integer and float ops: what MIR says in one op becomes checks and plain arithmetic.
//!
//! Checks whose answer a literal operand gives are not made. The others are cheap by form: one comparison and one branch that is never taken.

use abi::PanicKind;
use ir::ssa::{Inst, Value};

use super::Builder;
use crate::ir::Type;
use crate::ops::{Cond, FloatCond, NOUNWIND, Op};

/// Which result of a division is wanted.
#[derive(Clone, Copy)]
pub(super) enum Division {
    Quotient,
    Remainder,
    Floor,
}

impl Builder<'_> {
    pub(super) fn shl(&mut self, args: &[Value]) -> Value {
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        self.check_count(args, 64);
        let value = self.pure(Op::Shl, &[a, b], Type::I64);
        if self.must_check() && self.literal(args.get(1)) != Some(0) {
            let back = self.pure(Op::Sar, &[value, b], Type::I64);
            self.check(Cond::Eq, PanicKind::ShiftOverflow, back, a, &[]);
        }
        value
    }

    pub(super) fn shr(&mut self, args: &[Value]) -> Value {
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        self.check_count(args, 64);
        self.pure(Op::Sar, &[a, b], Type::I64)
    }

    pub(super) fn byte_shl(&mut self, args: &[Value]) -> Value {
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        self.check_count(args, 8);
        let wide = self.pure(Op::Zext, &[a], Type::I64);
        let value = self.pure(Op::Shl, &[wide, b], Type::I64);
        if self.must_check() {
            let limit = self.constant(Type::I64, 0xff);
            self.check(Cond::Ule, PanicKind::ShiftOverflow, value, limit, &[]);
        }
        self.pure(Op::Trunc, &[value], Type::I8)
    }

    pub(super) fn byte_shr(&mut self, args: &[Value]) -> Value {
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        self.check_count(args, 8);
        let wide = self.pure(Op::Zext, &[a], Type::I64);
        let value = self.pure(Op::Shr, &[wide, b], Type::I64);
        self.pure(Op::Trunc, &[value], Type::I8)
    }

    pub(super) fn int_to_byte(&mut self, args: &[Value]) -> Value {
        let a = self.leaf(args, 0);
        if self.must_check() {
            let limit = self.constant(Type::I64, 0xff);
            self.check(Cond::Ule, PanicKind::ByteOutOfRange, a, limit, &[a]);
        }
        self.pure(Op::Trunc, &[a], Type::I8)
    }

    pub(super) fn int_to_char(&mut self, args: &[Value]) -> Value {
        let a = self.leaf(args, 0);
        if self.must_check() {
            let limit = self.constant(Type::I64, 0x10_ffff);
            self.check(Cond::Ule, PanicKind::InvalidCodepoint, a, limit, &[a]);
            // Not a surrogate: 0xd800 to 0xdfff, one unsigned comparison.
            let base = self.constant(Type::I64, 0xd800);
            let above = self.pure(Op::Sub, &[a, base], Type::I64);
            let span = self.constant(Type::I64, 0x7ff);
            self.check(Cond::Ugt, PanicKind::InvalidCodepoint, above, span, &[a]);
        }
        self.pure(Op::Trunc, &[a], Type::I32)
    }

    /// Does the op still need its checks? MIR may have proved that it cannot panic.
    fn must_check(&self) -> bool {
        self.flags & NOUNWIND == 0
    }

    pub(super) fn abs(&mut self, args: &[Value]) -> Value {
        let a = self.leaf(args, 0);
        if self.must_check() {
            let min = self.constant(Type::I64, i64::MIN);
            self.check(Cond::Ne, PanicKind::AbsOverflow, a, min, &[]);
        }
        let width = self.constant(Type::I64, 63);
        let sign = self.pure(Op::Sar, &[a, width], Type::I64);
        let flipped = self.pure(Op::Xor, &[a, sign], Type::I64);
        self.pure(Op::Sub, &[flipped, sign], Type::I64)
    }

    /// A shift count is in `0..width`; two checks, because the two mistakes have names of their own.
    fn check_count(&mut self, args: &[Value], width: i64) {
        if !self.must_check() || self.literal(args.get(1)).is_some_and(|n| (0..width).contains(&n)) {
            return;
        }
        let count = self.leaf(args, 1);
        let zero = self.constant(Type::I64, 0);
        self.check(Cond::Sge, PanicKind::NegativeShift, count, zero, &[]);
        let limit = self.constant(Type::I64, width);
        self.check(Cond::Slt, PanicKind::ShiftTooLarge, count, limit, &[]);
    }

    /// Division keeps its checks even when MIR has proved them away, because the verifier wants the proof in this body; a literal is one.
    pub(super) fn divide(&mut self, inst: Inst, by_zero: PanicKind, overflow: PanicKind, form: Division) {
        let mir = self.mir;
        let value = self.quotient(mir.args(inst), by_zero, overflow, form);
        self.define(inst, value);
    }

    fn quotient(&mut self, args: &[Value], by_zero: PanicKind, overflow: PanicKind, form: Division) -> Value {
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        let literal = self.literal(args.get(1));
        match literal {
            Some(0) => {
                let zero = self.constant(Type::I64, 0);
                self.check(Cond::Ne, by_zero, b, zero, &[]);
                return zero;
            }
            Some(-1) => match form {
                Division::Quotient | Division::Floor => return self.checked(Op::NegCheck, Op::Neg, overflow, &[a]),
                Division::Remainder => {
                    let min = self.constant(Type::I64, i64::MIN);
                    self.check(Cond::Ne, overflow, a, min, &[]);
                    return self.constant(Type::I64, 0);
                }
            },
            Some(_) => {}
            None => {
                let zero = self.constant(Type::I64, 0);
                self.check(Cond::Ne, by_zero, b, zero, &[]);
                if self.literal(args.first()).is_none_or(|a| a == i64::MIN) {
                    // Zero exactly for min / -1.
                    let min = self.constant(Type::I64, i64::MIN);
                    let ones = self.constant(Type::I64, -1);
                    let x = self.pure(Op::Xor, &[a, min], Type::I64);
                    let y = self.pure(Op::Xor, &[b, ones], Type::I64);
                    let either = self.pure(Op::Or, &[x, y], Type::I64);
                    self.check(Cond::Ne, overflow, either, zero, &[]);
                }
            }
        }
        match form {
            Division::Quotient => self.pure(Op::Sdiv, &[a, b], Type::I64),
            Division::Remainder => self.pure(Op::Srem, &[a, b], Type::I64),
            Division::Floor => self.floor_divide(a, b, literal),
        }
    }

    /// The quotient toward zero, less one when the remainder and the divisor have different signs.
    fn floor_divide(&mut self, a: Value, b: Value, literal: Option<i64>) -> Value {
        if let Some(divisor) = literal
            && divisor > 0
            && divisor & (divisor - 1) == 0
        {
            let shift = self.constant(Type::I64, i64::from(divisor.trailing_zeros()));
            return self.pure(Op::Sar, &[a, shift], Type::I64);
        }
        let quotient = self.pure(Op::Sdiv, &[a, b], Type::I64);
        let product = self.pure(Op::Mul, &[quotient, b], Type::I64);
        let rest = self.pure(Op::Sub, &[a, product], Type::I64);
        let zero = self.constant(Type::I64, 0);
        let width = self.constant(Type::I64, 63);
        match literal {
            Some(divisor) if divisor > 0 => {
                let adjust = self.pure(Op::Sar, &[rest, width], Type::I64);
                self.pure(Op::Add, &[quotient, adjust], Type::I64)
            }
            Some(_) => {
                let above = self.icmp(Cond::Sgt, rest, zero);
                let adjust = self.pure(Op::Zext, &[above], Type::I64);
                self.pure(Op::Sub, &[quotient, adjust], Type::I64)
            }
            None => {
                let differ = self.pure(Op::Xor, &[rest, b], Type::I64);
                let sign = self.icmp(Cond::Slt, differ, zero);
                let uneven = self.icmp(Cond::Ne, rest, zero);
                let both = self.pure(Op::And, &[sign, uneven], Type::I8);
                let adjust = self.pure(Op::Zext, &[both], Type::I64);
                self.pure(Op::Sub, &[quotient, adjust], Type::I64)
            }
        }
    }

    /// In range when -2^63 <= x < 2^63; NaN fails the first comparison.
    pub(super) fn float_to_int(&mut self, args: &[Value]) -> Value {
        let a = self.leaf(args, 0);
        let zero = self.constant(Type::I8, 0);
        for (cond, bound) in [(FloatCond::Ge, -(2f64.powi(63))), (FloatCond::Lt, 2f64.powi(63))] {
            let bound = self.plain(Op::Fconst, &[], bound.to_bits(), Type::F64);
            let within = self.fcmp(cond, a, bound);
            self.check(Cond::Ne, PanicKind::FloatOutOfRange, within, zero, &[]);
        }
        self.pure(Op::IntOfFloat, &[a], Type::I64)
    }
}
