//! What values can do by traits of the prelude: equality, order, text and hash. On scalars it is an intrinsic; everything else is a call of the
//! trait's method ([`Checker::through`]), whose code is an impl of the program or made by the compiler ([`super::derive`]).

use ir::{List, Symbol};
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::TraitRef;
use crate::resolve::prelude::{EQUAL, GREATER, Known, LESS, ordering_type};
use crate::resolve::show;
use crate::resolve::solve::{Answer, solve};
use crate::{Intrinsic as I, Type, TypeKind};

impl<'a> Checker<'a> {
    /// A local that holds the value: the local itself when it cannot change, else a temporary.
    pub(super) fn held(&mut self, value: ExprId) -> LocalId {
        match self.expr_at(value) {
            Expr::Local(local) if !self.draft.body.locals[local].mutable => local,
            _ => self.temporary(value),
        }
    }

    /// Does the type have a trait of the prelude? `None` after a report.
    pub(super) fn has(&mut self, ty: Type, known: Known, span: Span) -> Result<Option<bool>> {
        Ok(match solve(ty, known.plain(), &self.given, self.cx)? {
            Answer::Proven(_) => Some(true),
            Answer::Refuted => Some(false),
            Answer::Unsupported => {
                self.refuse(span, format!("`{}` of `{}`", known.name(), show(ty)));
                None
            }
            Answer::Endless => {
                self.report(Code::E0440, span, [show(ty).into(), known.name().into()]);
                None
            }
        })
    }

    /// A call of the method of a trait of the prelude, which `ty` was found to have.
    pub(super) fn through(&mut self, known: Known, ty: Type, args: &[ExprId], span: Span) -> Result<ExprId> {
        let result = match known {
            Known::Eq | Known::IsEmpty => Type::BOOL,
            Known::Comparable => ordering_type(),
            Known::Hashable | Known::Len => Type::INT,
            Known::Printable | Known::Debug => Type::STR,
            _ => ty,
        };
        self.through_with(known, &[ty], args, result, span)
    }

    /// The same of a trait with type arguments, which follow the type.
    pub(super) fn through_with(&mut self, known: Known, parts: &[Type], args: &[ExprId], result: Type, span: Span) -> Result<ExprId> {
        let list = self.draft.body.lists.add(args.iter().copied());
        let call = self.push(Expr::Call(known.method(), list), result, span);
        self.instantiate(call, known.method(), parts, span)?;
        Ok(call)
    }

    /// An operator that the left operand has by a trait, with its `Output`; `None` when it has not.
    pub(super) fn overloaded(&mut self, known: Known, operands: &[ExprId], span: Span) -> Result<Option<ExprId>> {
        let parts: Vec<Type> = operands.iter().map(|&operand| self.ty(operand)).collect();
        let Some((&this, args)) = parts.split_first() else { return Ok(None) };
        if parts.iter().any(|ty| ty.has_variable()) {
            return Ok(None);
        }
        match solve(this, TraitRef::new(known.item(), args), &self.given, self.cx)? {
            Answer::Proven(_) => {}
            Answer::Refuted | Answer::Unsupported => return Ok(None),
            Answer::Endless => {
                self.report(Code::E0440, span, [show(this).into(), known.name().into()]);
                return Ok(Some(self.error(span)));
            }
        }
        let output = self.projected(Type::associated(&parts, known.item(), Symbol::new("Output")), span)?;
        self.through_with(known, &parts, operands, output, span).map(Some)
    }

    // ---- equality ----

    /// `a == b` for operands of one type that has it.
    pub(super) fn equal_values(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(a);
        match scalar_equality(ty) {
            Some(op) => Ok(self.intrinsic(op, &[a, b], Type::BOOL, span)),
            None => self.through(Known::Eq, ty, &[a, b], span),
        }
    }

    // ---- order ----

    /// -1, 0 or 1: the order of two values of one type that has it.
    pub(super) fn compare_values(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(a);
        match ty {
            Type::STR => return Ok(self.intrinsic(I::StrCompare, &[a, b], Type::INT, span)),
            Type::FLOAT => return Ok(self.intrinsic(I::FloatCompare, &[a, b], Type::INT, span)),
            Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => {
                let mark = self.draft.scratch.len();
                let (left, right) = (self.held(a), self.held(b));
                let (a, b) = (self.read(left, span), self.read(right, span));
                let less = self.intrinsic(I::Lt, &[a, b], Type::BOOL, span);
                let (a, b) = (self.read(left, span), self.read(right, span));
                let greater = self.intrinsic(I::Gt, &[a, b], Type::BOOL, span);
                let (minus, one, zero) = (self.int(-1, span), self.int(1, span), self.int(0, span));
                let rest = self.choose(greater, one, zero, span);
                let order = self.choose(less, minus, rest, span);
                return Ok(self.with_statements(mark, order, span));
            }
            _ => {}
        }
        let ordering = self.through(Known::Comparable, ty, &[a, b], span)?;
        // `Less` is variant 0, `Equal` 1, `Greater` 2.
        let number = self.intrinsic(I::VariantNumber, &[ordering], Type::INT, span);
        let minus = self.int(-i64::from(EQUAL), span);
        Ok(self.intrinsic(I::WrappingAdd, &[number, minus], Type::INT, span))
    }

    /// `a < b` and the like for operands of one type that has an order: what `compare` says is looked at as the operator wants.
    pub(super) fn ordered(&mut self, op: I, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(a);
        let (value, number) = match ty {
            Type::STR | Type::FLOAT => (self.compare_values(a, b, span)?, 0),
            _ => {
                let ordering = self.through(Known::Comparable, ty, &[a, b], span)?;
                (self.intrinsic(I::VariantNumber, &[ordering], Type::INT, span), EQUAL)
            }
        };
        let number = self.int(i64::from(number), span);
        Ok(self.intrinsic(op, &[value, number], Type::BOOL, span))
    }

    fn ordering(&mut self, number: u32, span: Span) -> ExprId {
        self.push(Expr::Variant(number, List::EMPTY), ordering_type(), span)
    }

    /// The `Ordering` that -1, 0 or 1 stands for.
    pub(super) fn ordering_of(&mut self, order: ExprId, span: Span) -> ExprId {
        let mark = self.draft.scratch.len();
        let held = self.held(order);
        let (a, zero) = (self.read(held, span), self.int(0, span));
        let is_less = self.intrinsic(I::Lt, &[a, zero], Type::BOOL, span);
        let (b, zero) = (self.read(held, span), self.int(0, span));
        let is_equal = self.intrinsic(I::Eq, &[b, zero], Type::BOOL, span);
        let (less, equal, greater) = (self.ordering(LESS, span), self.ordering(EQUAL, span), self.ordering(GREATER, span));
        let rest = self.choose(is_equal, equal, greater, span);
        let ordering = self.choose(is_less, less, rest, span);
        self.with_statements(mark, ordering, span)
    }

    /// `a.compare(other: b)` for operands of one type that has an order.
    pub(super) fn compared(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(a);
        match ty {
            Type::STR | Type::FLOAT | Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => {
                let order = self.compare_values(a, b, span)?;
                Ok(self.ordering_of(order, span))
            }
            _ => self.through(Known::Comparable, ty, &[a, b], span),
        }
    }

    pub(super) fn choose(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId, span: Span) -> ExprId {
        let ty = self.ty(then);
        self.push(Expr::If { condition, then, otherwise: Some(otherwise) }, ty, span)
    }

    // ---- text ----

    /// `to_str()` of a value; E2038 when its type has none.
    pub(super) fn printed(&mut self, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            return Ok(value);
        }
        if ty.has_variable() {
            // What it is will be known at the end of the body, and then whether it has a text.
            self.owe(ty, Known::Printable.item(), span);
            return self.through(Known::Printable, ty, &[value], span);
        }
        if let Some(text) = self.scalar_text(value, false, span) {
            return Ok(text);
        }
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        match self.has(ty, Known::Printable, span)? {
            Some(true) => self.through(Known::Printable, ty, &[value], span),
            Some(false) if !self.lacks_silently(ty)? => {
                let blamed = self.blamed(ty, Known::Printable.plain())?;
                let is_own = self.may_implement(blamed, Known::Printable.plain());
                let lacking = show(blamed);
                let error = self.report(Code::E2038, span, [show(ty).into()]);
                if blamed != ty {
                    error.notes.push(format!("`{lacking}` does not implement Printable"));
                }
                match blamed.kind() {
                    TypeKind::Struct(item, _) if is_own => {
                        error.helps.push(format!("`#derive(Printable)` before the declaration of `{}` defines it", item.name()));
                    }
                    TypeKind::Parameter(..) => error.helps.push(format!("bound it: `{lacking}: Printable`")),
                    _ => {}
                }
                Ok(self.error(span))
            }
            Some(false) | None => Ok(self.error(span)),
        }
    }

    /// `debug()` of a value; `None` when its type has none, and then nothing is reported.
    pub(super) fn debugged(&mut self, value: ExprId, span: Span) -> Result<Option<ExprId>> {
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            return Ok(Some(value));
        }
        if ty.has_variable() {
            self.owe(ty, Known::Debug.item(), span);
            return self.through(Known::Debug, ty, &[value], span).map(Some);
        }
        if let Some(text) = self.scalar_text(value, true, span) {
            return Ok(Some(text));
        }
        match self.has(ty, Known::Debug, span)? {
            Some(true) => self.through(Known::Debug, ty, &[value], span).map(Some),
            Some(false) => Ok(None),
            None => Ok(Some(self.error(span))),
        }
    }

    pub(super) fn scalar_text(&mut self, value: ExprId, debug: bool, span: Span) -> Option<ExprId> {
        let op = match self.ty(value) {
            Type::INT => I::IntToStr,
            Type::FLOAT => I::FloatToStr,
            Type::BOOL => I::BoolToStr,
            Type::CHAR if debug => I::CharDebug,
            Type::CHAR => I::CharToStr,
            Type::STR if debug => I::StrDebug,
            Type::STR => return Some(value),
            Type::BYTE => {
                let number = self.intrinsic(I::DiscreteToInt, &[value], Type::INT, span);
                return Some(self.intrinsic(I::IntToStr, &[number], Type::STR, span));
            }
            Type::VOID => {
                let text = self.push(Expr::Str(Symbol::new("()")), Type::STR, span);
                let statements = self.draft.body.lists.add([value, text]);
                return Some(self.push(Expr::Block { statements, tail: true }, Type::STR, span));
            }
            _ => return None,
        };
        Some(self.intrinsic(op, &[value], Type::STR, span))
    }

    // ---- hash ----

    /// `hash()` by the normative rules of language/08 §8.4.
    pub(super) fn hashed(&mut self, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(value);
        match ty {
            Type::INT => return Ok(value),
            Type::BYTE | Type::CHAR | Type::BOOL => return Ok(self.intrinsic(I::DiscreteToInt, &[value], Type::INT, span)),
            Type::STR => return Ok(self.intrinsic(I::StrHash, &[value], Type::INT, span)),
            Type::FLOAT => {}
            _ => return self.through(Known::Hashable, ty, &[value], span),
        }
        // -0.0 hashes as 0.0 and every NaN as one.
        let mark = self.draft.scratch.len();
        let local = self.held(value);
        let value = self.read(local, span);
        let is_nan = self.intrinsic(I::FloatIsNan, &[value], Type::BOOL, span);
        let nan = self.int(0x7ff8_0000_0000_0000, span);
        let (value, zero) = (self.read(local, span), self.push(Expr::Float(0), Type::FLOAT, span));
        let is_zero = self.intrinsic(I::FloatEq, &[value, zero], Type::BOOL, span);
        let (zero, value) = (self.int(0, span), self.read(local, span));
        let bits = self.intrinsic(I::FloatToBits, &[value], Type::INT, span);
        let rest = self.choose(is_zero, zero, bits, span);
        let hash = self.choose(is_nan, nan, rest, span);
        Ok(self.with_statements(mark, hash, span))
    }

    /// `s xor (v + 0x9e3779b9 + (s << 6) + (s >>> 2))`, wrapping.
    pub(super) fn hash_combine(&mut self, seed: ExprId, value: ExprId, span: Span) -> ExprId {
        let mark = self.draft.scratch.len();
        let hash = self.hash_step(seed, value, span);
        self.with_statements(mark, hash, span)
    }

    /// The same, with its temporaries left on the scratch stack.
    pub(super) fn hash_step(&mut self, seed: ExprId, value: ExprId, span: Span) -> ExprId {
        let seed = self.held(seed);
        let value = self.held(value);
        let (v, golden) = (self.read(value, span), self.int(0x9e37_79b9, span));
        let sum = self.intrinsic(I::WrappingAdd, &[v, golden], Type::INT, span);
        let (s, sixty_four) = (self.read(seed, span), self.int(64, span));
        let left = self.intrinsic(I::WrappingMul, &[s, sixty_four], Type::INT, span);
        let sum = self.intrinsic(I::WrappingAdd, &[sum, left], Type::INT, span);
        let (s, two) = (self.read(seed, span), self.int(2, span));
        let right = self.intrinsic(I::IntShr, &[s, two], Type::INT, span);
        let mask = self.int(0x3fff_ffff_ffff_ffff, span);
        let right = self.intrinsic(I::BitAnd, &[right, mask], Type::INT, span);
        let sum = self.intrinsic(I::WrappingAdd, &[sum, right], Type::INT, span);
        let s = self.read(seed, span);
        self.intrinsic(I::BitXor, &[s, sum], Type::INT, span)
    }
}

impl Checker<'_> {
    /// `a == b` for scalars.
    pub(super) fn scalar_equal(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let op = scalar_equality(self.ty(a));
        Ok(match op {
            Some(op) => self.intrinsic(op, &[a, b], Type::BOOL, span),
            None => self.error(span),
        })
    }
}

fn scalar_equality(ty: Type) -> Option<I> {
    match ty {
        Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => Some(I::Eq),
        Type::FLOAT => Some(I::FloatEq),
        Type::STR => Some(I::StrEq),
        _ => None,
    }
}
