//! Built-in operations: which ops an intrinsic is.

use abi::{PanicKind, RuntimeCall};
use hir::ir::{Expr, ExprId};
use hir::{Intrinsic, Type, TypeKind};
use ir::ssa::Value;
use ir::{Stop, Symbol};

use super::{Builder, Lower};
use crate::ir::ConstValue;
use crate::ops::Op;

/// What an intrinsic is in ops.
#[derive(Clone, Copy)]
enum Form {
    /// One op that cannot panic.
    Sure(Op),
    /// One op that may panic.
    Risky(Op),
    Runtime(RuntimeCall),
    Panic(PanicKind),
    Signum,
    WrappingNeg,
    /// The absolute value compared with infinity.
    Size(Op),
    IsNan,
    Widen,
    CharToByte,
    /// The element is looked at, which panics where there is none; then it is replaced.
    SetElement,
    Rounded(RuntimeCall),
    Clamp {
        less: Op,
        greater: Op,
    },
}

fn form(which: Intrinsic) -> Form {
    use Form::{Panic, Risky, Rounded, Runtime, Size, Sure};
    use Intrinsic as I;
    match which {
        I::IntAdd => Risky(Op::Add),
        I::IntSub => Risky(Op::Sub),
        I::IntMul => Risky(Op::Mul),
        I::IntDiv => Risky(Op::Div),
        I::IntRem => Risky(Op::Rem),
        I::IntFloorDiv => Risky(Op::FloorDiv),
        I::IntPow => Runtime(RuntimeCall::IntPow),
        I::IntNeg => Risky(Op::Neg),
        I::IntShl => Risky(Op::Shl),
        I::IntShr => Risky(Op::Shr),
        I::IntAbs => Risky(Op::Abs),
        I::IntSignum => Form::Signum,
        I::IntClamp => Form::Clamp { less: Op::Lt, greater: Op::Gt },
        I::WrappingAdd => Sure(Op::WrapAdd),
        I::WrappingSub => Sure(Op::WrapSub),
        I::WrappingMul => Sure(Op::WrapMul),
        I::WrappingNeg => Form::WrappingNeg,
        I::ByteShl => Risky(Op::ByteShl),
        I::ByteShr => Risky(Op::ByteShr),
        I::BitAnd => Sure(Op::And),
        I::BitOr => Sure(Op::Or),
        I::BitXor => Sure(Op::Xor),
        I::BitNot => Sure(Op::BitNot),
        I::BoolNot => Sure(Op::Not),
        I::Eq => Sure(Op::Eq),
        I::Ne => Sure(Op::Ne),
        I::Lt => Sure(Op::Lt),
        I::Le => Sure(Op::Le),
        I::Gt => Sure(Op::Gt),
        I::Ge => Sure(Op::Ge),
        I::FloatAdd => Sure(Op::FAdd),
        I::FloatSub => Sure(Op::FSub),
        I::FloatMul => Sure(Op::FMul),
        I::FloatDiv => Sure(Op::FDiv),
        I::FloatPow => Runtime(RuntimeCall::FloatPow),
        I::FloatNeg => Sure(Op::FNeg),
        I::FloatAbs => Sure(Op::FAbs),
        I::FloatSqrt => Sure(Op::FSqrt),
        I::FloatEq => Sure(Op::FEq),
        I::FloatNe => Sure(Op::FNe),
        I::FloatLt => Sure(Op::FLt),
        I::FloatLe => Sure(Op::FLe),
        I::FloatGt => Sure(Op::FGt),
        I::FloatGe => Sure(Op::FGe),
        I::FloatCompare => Runtime(RuntimeCall::FloatCompare),
        I::FloatClamp => Form::Clamp { less: Op::FLt, greater: Op::FGt },
        I::FloatFloorInt => Rounded(RuntimeCall::FloatFloor),
        I::FloatCeilInt => Rounded(RuntimeCall::FloatCeil),
        I::FloatRoundInt => Rounded(RuntimeCall::FloatRound),
        I::FloatTruncInt => Risky(Op::FloatToInt),
        I::FloatFloor => Runtime(RuntimeCall::FloatFloor),
        I::FloatCeil => Runtime(RuntimeCall::FloatCeil),
        I::FloatRound => Runtime(RuntimeCall::FloatRound),
        I::FloatTrunc => Runtime(RuntimeCall::FloatTrunc),
        I::FloatCbrt => Runtime(RuntimeCall::FloatCbrt),
        I::FloatExp => Runtime(RuntimeCall::FloatExp),
        I::FloatLn => Runtime(RuntimeCall::FloatLn),
        I::FloatLog2 => Runtime(RuntimeCall::FloatLog2),
        I::FloatLog10 => Runtime(RuntimeCall::FloatLog10),
        I::FloatSin => Runtime(RuntimeCall::FloatSin),
        I::FloatCos => Runtime(RuntimeCall::FloatCos),
        I::FloatTan => Runtime(RuntimeCall::FloatTan),
        I::FloatAsin => Runtime(RuntimeCall::FloatAsin),
        I::FloatAcos => Runtime(RuntimeCall::FloatAcos),
        I::FloatAtan => Runtime(RuntimeCall::FloatAtan),
        I::FloatSinh => Runtime(RuntimeCall::FloatSinh),
        I::FloatCosh => Runtime(RuntimeCall::FloatCosh),
        I::FloatTanh => Runtime(RuntimeCall::FloatTanh),
        I::FloatAtan2 => Runtime(RuntimeCall::FloatAtan2),
        I::FloatHypot => Runtime(RuntimeCall::FloatHypot),
        I::FloatIsNan => Form::IsNan,
        I::FloatIsInfinite => Size(Op::FEq),
        I::FloatIsFinite => Size(Op::FLt),
        I::FloatToBits => Sure(Op::FloatBits),
        I::FloatFromBits => Sure(Op::FloatOfBits),
        I::IntToFloat => Sure(Op::IntToFloat),
        I::IntToByte => Risky(Op::IntToByte),
        I::IntToChar => Risky(Op::IntToChar),
        I::DiscreteToInt => Form::Widen,
        I::ByteToChar => Sure(Op::ByteToChar),
        I::CharToByte => Form::CharToByte,
        I::StrToInt => Runtime(RuntimeCall::IntOfStr),
        I::StrIsInt => Runtime(RuntimeCall::IsIntText),
        I::StrIsFloat => Runtime(RuntimeCall::IsFloatText),
        I::StrToFloat => Runtime(RuntimeCall::FloatOfStr),
        I::IntToStr => Runtime(RuntimeCall::StrOfInt),
        I::FloatToStr => Runtime(RuntimeCall::StrOfFloat),
        I::FloatToFixed => Runtime(RuntimeCall::StrOfFixed),
        I::BoolToStr => Runtime(RuntimeCall::StrOfBool),
        I::CharToStr => Runtime(RuntimeCall::StrOfChar),
        I::CharDebug => Runtime(RuntimeCall::CharDebug),
        I::StrLen => Sure(Op::StrLen),
        I::StrConcat => Runtime(RuntimeCall::StrConcat),
        I::StrEq => Runtime(RuntimeCall::StrEqual),
        I::StrCompare => Runtime(RuntimeCall::StrCompare),
        I::StrHash => Runtime(RuntimeCall::StrHash),
        I::StrCharAt => Runtime(RuntimeCall::StrCharAt),
        I::StrCharBefore => Runtime(RuntimeCall::StrCharBefore),
        I::StrByteAt => Runtime(RuntimeCall::StrByteAt),
        I::StrCount => Runtime(RuntimeCall::StrCount),
        I::StrOffset => Runtime(RuntimeCall::StrOffset),
        I::StrIsBoundary => Runtime(RuntimeCall::StrIsBoundary),
        I::StrFind => Runtime(RuntimeCall::StrFind),
        I::StrHasAt => Runtime(RuntimeCall::StrHasAt),
        I::StrView => Runtime(RuntimeCall::StrView),
        I::StrReplace => Runtime(RuntimeCall::StrReplace),
        I::StrRepeat => Runtime(RuntimeCall::StrRepeat),
        I::StrKeyedHash => Runtime(RuntimeCall::StrKeyedHash),
        I::MapSeed => Runtime(RuntimeCall::MapSeed),
        I::StrUpper => Runtime(RuntimeCall::StrUpper),
        I::StrLower => Runtime(RuntimeCall::StrLower),
        I::CharIsAlphabetic => Runtime(RuntimeCall::CharIsAlphabetic),
        I::CharIsDigit => Runtime(RuntimeCall::CharIsDigit),
        I::CharIsUpper => Runtime(RuntimeCall::CharIsUpper),
        I::CharIsLower => Runtime(RuntimeCall::CharIsLower),
        I::CharUpper => Runtime(RuntimeCall::CharUpper),
        I::CharLower => Runtime(RuntimeCall::CharLower),
        I::StrDebug => Runtime(RuntimeCall::StrDebug),
        I::VariantNumber => Sure(Op::Tag),
        I::ListLen => Sure(Op::ListLen),
        I::ListGet => Risky(Op::ListGet),
        I::ListPush => Sure(Op::ListPush),
        I::ListSet => Form::SetElement,
        I::ListSlice => Sure(Op::ListSlice),
        I::ListReserve => Sure(Op::ListReserve),
        I::TableDouble => Sure(Op::TableDouble),
        I::Print => Runtime(RuntimeCall::Print),
        I::Write => Runtime(RuntimeCall::Write),
        I::DebugPrint => Runtime(RuntimeCall::DebugPrint),
        I::Panic => Panic(PanicKind::Custom),
        I::Todo => Panic(PanicKind::NotImplemented),
        I::TodoFor => Panic(PanicKind::NotImplementedFor),
        I::Unreachable => Panic(PanicKind::Unreachable),
        I::UnreachableFor => Panic(PanicKind::UnreachableFor),
        I::AssertFailed => Panic(PanicKind::AssertFailed),
        I::AssertNotEqual => Panic(PanicKind::AssertNotEqual),
        I::AssertEqual => Panic(PanicKind::AssertEqual),
        I::StepZero => Panic(PanicKind::StepZero),
    }
}

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
        // No intrinsic has more than three operands; HIR checks their number (H02).
        let mut operands = [Value::new(0); 3];
        let count = args.len().min(operands.len());
        for (index, (&arg, slot)) in args.iter().zip(&mut operands).enumerate() {
            *slot = match first.flatten() {
                Some(value) if index == 0 => value,
                Some(_) | None => self.value(arg)?,
            };
        }
        self.apply(at, form(which), &operands[..count])
    }

    fn apply(&mut self, at: ExprId, form: Form, operands: &[Value]) -> Lower<Option<Value>> {
        let (int, float, bool) = (Type::INT, Type::FLOAT, Type::BOOL);
        let ty = self.ty(at);
        let result = match (form, operands) {
            (Form::Sure(op), _) if crate::ops::may_make(op) => self.making(op, operands, 0, ty, at),
            (Form::Sure(op), _) => self.op(op, operands, ty),
            (Form::Risky(op), _) => self.risky(op, operands, 0, ty, at),
            (Form::Runtime(call), _) => return Ok(self.runtime(call, operands, at)),
            (Form::Panic(kind), _) => return Err(self.panic(kind, operands, at)),
            (Form::Signum, &[a]) => {
                let zero = self.int(0);
                let above = self.op(Op::Gt, &[a, zero], bool);
                let below = self.op(Op::Lt, &[a, zero], bool);
                let (above, below) = (self.op(Op::Widen, &[above], int), self.op(Op::Widen, &[below], int));
                self.op(Op::WrapSub, &[above, below], int)
            }
            (Form::WrappingNeg, &[a]) => {
                let zero = self.int(0);
                self.op(Op::WrapSub, &[zero, a], int)
            }
            (Form::Size(op), &[a]) => {
                let size = self.op(Op::FAbs, &[a], float);
                let infinity = self.op_with(Op::Float, &[], f64::INFINITY.to_bits(), float);
                self.op(op, &[size, infinity], bool)
            }
            // Only NaN differs from itself.
            (Form::IsNan, &[a]) => self.op(Op::FNe, &[a, a], bool),
            (Form::Widen, &[a]) if self.graph.ty(a) == int => a,
            (Form::Widen, &[a]) => self.op(Op::Widen, &[a], int),
            (Form::CharToByte, &[a]) => {
                let code = self.op(Op::Widen, &[a], int);
                let limit = self.int(127);
                let bad = self.op(Op::Gt, &[code, limit], bool);
                self.panic_if(bad, PanicKind::ByteOutOfRange, &[code], at);
                // The mask changes nothing; it makes the claim evident without looking at the branch.
                let code = self.op(Op::And, &[code, limit], int);
                self.sure(Op::IntToByte, &[code], Type::BYTE)
            }
            (Form::SetElement, &[list, index, _]) => {
                let element = match ty.kind() {
                    TypeKind::List(element) => element,
                    _ => Type::ERROR,
                };
                self.risky(Op::ListGet, &[list, index], 0, element, at);
                self.making(Op::ListSet, operands, 0, ty, at)
            }
            // Rounded by the runtime, then converted: the first step is exact, the second is exact or panics.
            (Form::Rounded(call), &[a]) => {
                let whole = self.runtime(call, &[a], at).unwrap_or(a);
                self.risky(Op::FloatToInt, &[whole], 0, int, at)
            }
            (Form::Clamp { less, greater }, &[value, low, high]) => {
                let reversed = self.op(greater, &[low, high], bool);
                self.panic_if(reversed, PanicKind::ClampReversed, &[], at);
                let above = self.op(greater, &[value, high], bool);
                let bounded = self.op(Op::Select, &[above, high, value], ty);
                let below = self.op(less, &[value, low], bool);
                self.op(Op::Select, &[below, low, bounded], ty)
            }
            // The number of operands does not fit.
            (
                Form::Signum
                | Form::WrappingNeg
                | Form::Size(_)
                | Form::IsNan
                | Form::Widen
                | Form::CharToByte
                | Form::SetElement
                | Form::Rounded(_)
                | Form::Clamp { .. },
                _,
            ) => return Err(self.unreachable()),
        };
        Ok(Some(result))
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
        if let Expr::Str(text) = self.body.exprs[e] {
            return Ok(Some(text));
        }
        if let Expr::Constant(item) = self.body.exprs[e]
            && let Some(ConstValue::Str(text)) = self.cx.constant(item)?.as_deref()
        {
            return Ok(Some(*text));
        }
        Ok(None)
    }
}
