//! Built-in operations: which ops an intrinsic is.

use abi::{PanicKind, RuntimeCall};
use hir::ir::{Expr, ExprId};
use hir::{Intrinsic, Type};
use ir::ssa::Value;
use ir::{Stop, Symbol};

use super::{Builder, Lower};
use crate::ir::ConstValue;
use crate::ops::Op;

/// A piece of a concatenation.
enum Piece {
    Literal(Symbol),
    Value(ExprId),
}

impl Builder<'_> {
    /// Lowers an intrinsic. `a + b + c + ..` nests to the left as deep as it is long, so the left operands are followed without recursion.
    pub(super) fn intrinsic(&mut self, e: ExprId) -> Lower<Option<Value>> {
        let body = self.body;
        let base = self.spine.len();
        let mut next = e;
        while let Expr::Intrinsic(which, args) = body.exprs[next] {
            self.spine.push(next);
            match body.lists[args].first() {
                Some(&first) if which != Intrinsic::StrConcat => next = first,
                _ => break,
            }
        }
        let mut result: Option<Option<Value>> = None;
        while self.spine.len() > base {
            let Some(at) = self.spine.pop() else { break };
            let Expr::Intrinsic(which, args) = body.exprs[at] else { continue };
            let done = if which == Intrinsic::StrConcat {
                self.concatenation(at).map(Some)
            } else {
                self.operation(at, which, &body.lists[args], result)
            };
            match done {
                Ok(value) => result = Some(value),
                Err(leave) => {
                    self.spine.truncate(base);
                    return Err(leave);
                }
            }
        }
        Ok(result.flatten())
    }

    /// One operation; `first` is its first operand, if that was lowered already.
    fn operation(&mut self, at: ExprId, which: Intrinsic, args: &[ExprId], first: Option<Option<Value>>) -> Lower<Option<Value>> {
        let mut operands = [None; 3];
        for (index, (&arg, slot)) in args.iter().zip(&mut operands).enumerate() {
            *slot = match first {
                Some(Some(value)) if index == 0 => Some(value),
                _ => Some(self.value(arg)?),
            };
        }
        // HIR checks the number of operands (H02).
        match operands {
            [None, ..] => self.nullary(at, which),
            [Some(a), None, _] => self.unary(at, which, a),
            [Some(a), Some(b), None] => self.binary(at, which, a, b),
            [Some(a), Some(b), Some(c)] => self.ternary(at, which, a, b, c),
        }
    }

    fn nullary(&mut self, at: ExprId, which: Intrinsic) -> Lower<Option<Value>> {
        Err(match which {
            Intrinsic::Todo => self.panic(PanicKind::NotImplemented, &[], at),
            Intrinsic::Unreachable => self.panic(PanicKind::Unreachable, &[], at),
            Intrinsic::AssertFailed => self.panic(PanicKind::AssertFailed, &[], at),
            Intrinsic::StepZero => self.panic(PanicKind::StepZero, &[], at),
            _ => self.unreachable(),
        })
    }

    fn unary(&mut self, at: ExprId, which: Intrinsic, a: Value) -> Lower<Option<Value>> {
        use Intrinsic as I;
        let (int, float, bool) = (Type::INT, Type::FLOAT, Type::BOOL);
        Ok(Some(match which {
            I::IntNeg => self.risky(Op::Neg, &[a], 0, int, at),
            I::IntAbs => self.risky(Op::Abs, &[a], 0, int, at),
            I::IntSignum => {
                let zero = self.int(0);
                let above = self.op(Op::Gt, &[a, zero], bool);
                let below = self.op(Op::Lt, &[a, zero], bool);
                let (above, below) = (self.op(Op::Widen, &[above], int), self.op(Op::Widen, &[below], int));
                self.op(Op::WrapSub, &[above, below], int)
            }
            I::WrappingNeg => {
                let zero = self.int(0);
                self.op(Op::WrapSub, &[zero, a], int)
            }
            I::BitNot => self.op(Op::BitNot, &[a], self.graph.ty(a)),
            I::BoolNot => self.op(Op::Not, &[a], bool),
            I::FloatNeg => self.op(Op::FNeg, &[a], float),
            I::FloatAbs => self.op(Op::FAbs, &[a], float),
            I::FloatSqrt => self.op(Op::FSqrt, &[a], float),
            I::FloatFloorInt => return self.rounded(RuntimeCall::FloatFloor, a, at),
            I::FloatCeilInt => return self.rounded(RuntimeCall::FloatCeil, a, at),
            I::FloatRoundInt => return self.rounded(RuntimeCall::FloatRound, a, at),
            I::FloatTruncInt => self.risky(Op::FloatToInt, &[a], 0, int, at),
            I::FloatFloor => return Ok(self.runtime(RuntimeCall::FloatFloor, &[a], at)),
            I::FloatCeil => return Ok(self.runtime(RuntimeCall::FloatCeil, &[a], at)),
            I::FloatRound => return Ok(self.runtime(RuntimeCall::FloatRound, &[a], at)),
            I::FloatTrunc => return Ok(self.runtime(RuntimeCall::FloatTrunc, &[a], at)),
            I::FloatIsNan => self.op(Op::FNe, &[a, a], bool),
            I::FloatIsInfinite | I::FloatIsFinite => {
                let size = self.op(Op::FAbs, &[a], float);
                let infinity = self.op_with(Op::Float, &[], f64::INFINITY.to_bits(), float);
                self.op(if which == I::FloatIsFinite { Op::FLt } else { Op::FEq }, &[size, infinity], bool)
            }
            I::FloatToBits => self.op(Op::FloatBits, &[a], int),
            I::FloatFromBits => self.op(Op::FloatOfBits, &[a], float),
            I::IntToFloat => self.op(Op::IntToFloat, &[a], float),
            I::IntToByte => self.risky(Op::IntToByte, &[a], 0, Type::BYTE, at),
            I::IntToChar => self.risky(Op::IntToChar, &[a], 0, Type::CHAR, at),
            I::DiscreteToInt if self.graph.ty(a) == int => a,
            I::DiscreteToInt => self.op(Op::Widen, &[a], int),
            I::ByteToChar => self.op(Op::ByteToChar, &[a], Type::CHAR),
            I::CharToByte => {
                let code = self.op(Op::Widen, &[a], int);
                let limit = self.int(127);
                let bad = self.op(Op::Gt, &[code, limit], bool);
                self.panic_if(bad, PanicKind::ByteOutOfRange, &[code], at);
                // The mask changes nothing; it makes the claim evident without looking at the branch.
                let code = self.op(Op::And, &[code, limit], int);
                self.sure(Op::IntToByte, &[code], Type::BYTE)
            }
            I::StrToInt => return Ok(self.runtime(RuntimeCall::IntOfStr, &[a], at)),
            I::StrToFloat => return Ok(self.runtime(RuntimeCall::FloatOfStr, &[a], at)),
            I::IntToStr => return Ok(self.runtime(RuntimeCall::StrOfInt, &[a], at)),
            I::FloatToStr => return Ok(self.runtime(RuntimeCall::StrOfFloat, &[a], at)),
            I::BoolToStr => return Ok(self.runtime(RuntimeCall::StrOfBool, &[a], at)),
            I::CharToStr => return Ok(self.runtime(RuntimeCall::StrOfChar, &[a], at)),
            I::CharDebug => return Ok(self.runtime(RuntimeCall::CharDebug, &[a], at)),
            I::StrLen => self.op(Op::StrLen, &[a], int),
            I::StrHash => return Ok(self.runtime(RuntimeCall::StrHash, &[a], at)),
            I::StrDebug => return Ok(self.runtime(RuntimeCall::StrDebug, &[a], at)),
            I::ListLen => self.op(Op::ListLen, &[a], int),
            I::Print => return Ok(self.runtime(RuntimeCall::Print, &[a], at)),
            I::DebugPrint => return Ok(self.runtime(RuntimeCall::DebugPrint, &[a], at)),
            I::Panic => return Err(self.panic(PanicKind::Custom, &[a], at)),
            I::TodoFor => return Err(self.panic(PanicKind::NotImplementedFor, &[a], at)),
            I::UnreachableFor => return Err(self.panic(PanicKind::UnreachableFor, &[a], at)),
            I::AssertEqual => return Err(self.panic(PanicKind::AssertEqual, &[a], at)),
            _ => return Err(self.unreachable()),
        }))
    }

    fn binary(&mut self, at: ExprId, which: Intrinsic, a: Value, b: Value) -> Lower<Option<Value>> {
        use Intrinsic as I;
        let (int, float, bool) = (Type::INT, Type::FLOAT, Type::BOOL);
        Ok(Some(match which {
            I::IntAdd => self.risky(Op::Add, &[a, b], 0, int, at),
            I::IntSub => self.risky(Op::Sub, &[a, b], 0, int, at),
            I::IntMul => self.risky(Op::Mul, &[a, b], 0, int, at),
            I::IntDiv => self.risky(Op::Div, &[a, b], 0, int, at),
            I::IntRem => self.risky(Op::Rem, &[a, b], 0, int, at),
            I::IntFloorDiv => self.risky(Op::FloorDiv, &[a, b], 0, int, at),
            I::IntPow => return Ok(self.runtime(RuntimeCall::IntPow, &[a, b], at)),
            I::IntShl => self.risky(Op::Shl, &[a, b], 0, int, at),
            I::IntShr => self.risky(Op::Shr, &[a, b], 0, int, at),
            I::WrappingAdd => self.op(Op::WrapAdd, &[a, b], int),
            I::WrappingSub => self.op(Op::WrapSub, &[a, b], int),
            I::WrappingMul => self.op(Op::WrapMul, &[a, b], int),
            I::ByteShl => self.risky(Op::ByteShl, &[a, b], 0, Type::BYTE, at),
            I::ByteShr => self.risky(Op::ByteShr, &[a, b], 0, Type::BYTE, at),
            I::BitAnd => self.op(Op::And, &[a, b], self.graph.ty(a)),
            I::BitOr => self.op(Op::Or, &[a, b], self.graph.ty(a)),
            I::BitXor => self.op(Op::Xor, &[a, b], self.graph.ty(a)),
            I::Eq => self.op(Op::Eq, &[a, b], bool),
            I::Ne => self.op(Op::Ne, &[a, b], bool),
            I::Lt => self.op(Op::Lt, &[a, b], bool),
            I::Le => self.op(Op::Le, &[a, b], bool),
            I::Gt => self.op(Op::Gt, &[a, b], bool),
            I::Ge => self.op(Op::Ge, &[a, b], bool),
            I::FloatAdd => self.op(Op::FAdd, &[a, b], float),
            I::FloatSub => self.op(Op::FSub, &[a, b], float),
            I::FloatMul => self.op(Op::FMul, &[a, b], float),
            I::FloatDiv => self.op(Op::FDiv, &[a, b], float),
            I::FloatPow => return Ok(self.runtime(RuntimeCall::FloatPow, &[a, b], at)),
            I::FloatEq => self.op(Op::FEq, &[a, b], bool),
            I::FloatNe => self.op(Op::FNe, &[a, b], bool),
            I::FloatLt => self.op(Op::FLt, &[a, b], bool),
            I::FloatLe => self.op(Op::FLe, &[a, b], bool),
            I::FloatGt => self.op(Op::FGt, &[a, b], bool),
            I::FloatGe => self.op(Op::FGe, &[a, b], bool),
            I::FloatCompare => return Ok(self.runtime(RuntimeCall::FloatCompare, &[a, b], at)),
            I::FloatToFixed => return Ok(self.runtime(RuntimeCall::StrOfFixed, &[a, b], at)),
            I::StrEq => return Ok(self.runtime(RuntimeCall::StrEqual, &[a, b], at)),
            I::StrCompare => return Ok(self.runtime(RuntimeCall::StrCompare, &[a, b], at)),
            I::StrConcat => return Ok(self.runtime(RuntimeCall::StrConcat, &[a, b], at)),
            I::ListGet => self.risky(Op::ListGet, &[a, b], 0, self.ty(at), at),
            I::AssertNotEqual => return Err(self.panic(PanicKind::AssertNotEqual, &[a, b], at)),
            _ => return Err(self.unreachable()),
        }))
    }

    fn ternary(&mut self, at: ExprId, which: Intrinsic, value: Value, low: Value, high: Value) -> Lower<Option<Value>> {
        let (less, greater, ty) = match which {
            Intrinsic::IntClamp => (Op::Lt, Op::Gt, Type::INT),
            Intrinsic::FloatClamp => (Op::FLt, Op::FGt, Type::FLOAT),
            _ => return Err(self.unreachable()),
        };
        let reversed = self.op(greater, &[low, high], Type::BOOL);
        self.panic_if(reversed, PanicKind::ClampReversed, &[], at);
        let above = self.op(greater, &[value, high], Type::BOOL);
        let bounded = self.op(Op::Select, &[above, high, value], ty);
        let below = self.op(less, &[value, low], Type::BOOL);
        Ok(Some(self.op(Op::Select, &[below, low, bounded], ty)))
    }

    /// Rounded by the runtime, then converted: both steps are exact or panic.
    fn rounded(&mut self, call: RuntimeCall, a: Value, at: ExprId) -> Lower<Option<Value>> {
        let whole = self.runtime(call, &[a], at).unwrap_or(a);
        Ok(Some(self.risky(Op::FloatToInt, &[whole], 0, Type::INT, at)))
    }

    /// A tree of concatenations as one chain of its leaves; neighbouring literals are merged, empty ones dropped.
    fn concatenation(&mut self, e: ExprId) -> Lower<Value> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut stack = vec![e];
        while let Some(e) = stack.pop() {
            if let Expr::Intrinsic(Intrinsic::StrConcat, args) = self.body.exprs[e] {
                stack.extend(self.body.lists[args].iter().rev());
                continue;
            }
            let Some(text) = self.literal_text(e)? else {
                pieces.push(Piece::Value(e));
                continue;
            };
            match pieces.last_mut() {
                Some(Piece::Literal(before)) if before.as_str().is_empty() => *before = text,
                Some(Piece::Literal(before)) => *before = Symbol::new(&format!("{before}{text}")),
                Some(Piece::Value(_)) | None => pieces.push(Piece::Literal(text)),
            }
        }
        let mut whole = None;
        for piece in pieces {
            let value = match piece {
                Piece::Literal(text) if text.as_str().is_empty() => continue,
                Piece::Literal(text) => self.str(text),
                Piece::Value(e) => self.value(e)?,
            };
            whole = match whole {
                None => Some(value),
                Some(before) => self.runtime(RuntimeCall::StrConcat, &[before, value], e),
            };
        }
        Ok(match whole {
            Some(whole) => whole,
            None => self.str(Symbol::new("")),
        })
    }

    fn literal_text(&self, e: ExprId) -> Result<Option<Symbol>, Stop> {
        match self.body.exprs[e] {
            Expr::Str(text) => Ok(Some(text)),
            Expr::Constant(item) => Ok(match self.cx.constant(item)?.as_deref() {
                Some(ConstValue::Str(text)) => Some(*text),
                _ => None,
            }),
            _ => Ok(None),
        }
    }
}
