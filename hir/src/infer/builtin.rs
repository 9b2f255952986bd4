//! Functions of the prelude and of the standard modules, and the way their arguments are taken.

use ir::{List, Symbol};
use syntax::tree::{Argument, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Checker, Result, Which};
use crate::ir::{Expr, ExprId};
use crate::ops::Shape;
use crate::resolve::prelude::Known;
use crate::resolve::show;
use crate::{Intrinsic as I, Type, TypeKind};

/// Functions of the prelude.
pub(super) const FUNCTIONS: &[&str] = &[
    "print",
    "panic",
    "todo",
    "unreachable",
    "dbg",
    "len",
    "is_empty",
    "is_some",
    "is_none",
    "is_ok",
    "is_err",
    "assert",
    "assert_eq",
    "assert_ne",
    "assert_some",
    "assert_none",
    "assert_ok",
    "assert_err",
    "assert_panics",
    "assert_panics_with",
    "compare",
    "min",
    "max",
    "hash_combine",
    "repeat",
    "int",
    "float",
    "str",
    "byte",
];
const LATER: &[&str] = &[
    "is_cancelled",
    "drop_early",
    "compile_error",
    "fields_of",
    "variants_of",
    "name_of",
    "is_struct",
    "is_enum",
    "is_primitive",
    "is_collection",
    "is_option",
    "is_result",
    "is_tuple",
];

/// Is this a function of the prelude?
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || LATER.contains(&name)
}

/// Functions of the library alone, which it is written with: name, parameters, intrinsic, result. Positions are byte offsets.
const OF_LIBRARY: &[(&str, Params, I, Type)] = &[
    ("str_is_int", &[("text", STR)], I::StrIsInt, Type::BOOL),
    ("str_is_float", &[("text", STR)], I::StrIsFloat, Type::BOOL),
    ("str_char_at", &[("text", STR), ("at", INT)], I::StrCharAt, Type::CHAR),
    ("str_char_before", &[("text", STR), ("end", INT)], I::StrCharBefore, Type::CHAR),
    ("str_byte_at", &[("text", STR), ("at", INT)], I::StrByteAt, Type::BYTE),
    ("str_count", &[("text", STR)], I::StrCount, Type::INT),
    ("str_offset", &[("text", STR), ("index", INT)], I::StrOffset, Type::INT),
    ("str_is_boundary", &[("text", STR), ("at", INT)], I::StrIsBoundary, Type::BOOL),
    ("str_find", &[("text", STR), ("part", STR), ("from", INT)], I::StrFind, Type::INT),
    ("str_has_at", &[("text", STR), ("part", STR), ("at", INT)], I::StrHasAt, Type::BOOL),
    ("str_view", &[("text", STR), ("start", INT), ("end", INT)], I::StrView, Type::STR),
    ("str_replace", &[("text", STR), ("old", STR), ("new", STR)], I::StrReplace, Type::STR),
    ("str_repeat", &[("text", STR), ("count", INT)], I::StrRepeat, Type::STR),
    ("str_keyed_hash", &[("text", STR), ("seed", INT)], I::StrKeyedHash, Type::INT),
    ("map_seed", &[], I::MapSeed, Type::INT),
    ("str_upper", &[("text", STR)], I::StrUpper, Type::STR),
    ("str_lower", &[("text", STR)], I::StrLower, Type::STR),
    ("char_is_alphabetic", &[("letter", CHAR)], I::CharIsAlphabetic, Type::BOOL),
    ("char_is_digit", &[("letter", CHAR)], I::CharIsDigit, Type::BOOL),
    ("char_is_upper", &[("letter", CHAR)], I::CharIsUpper, Type::BOOL),
    ("char_is_lower", &[("letter", CHAR)], I::CharIsLower, Type::BOOL),
    ("char_upper", &[("letter", CHAR)], I::CharUpper, Type::STR),
    ("char_lower", &[("letter", CHAR)], I::CharLower, Type::STR),
];

/// Type of a parameter of something built in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Param {
    /// Exactly this type.
    Of(Type),
    /// Any type; all such parameters of one call have the same.
    Any,
}
const STR: Param = Param::Of(Type::STR);
const INT: Param = Param::Of(Type::INT);
const FLOAT: Param = Param::Of(Type::FLOAT);
const BOOL: Param = Param::Of(Type::BOOL);
const CHAR: Param = Param::Of(Type::CHAR);
const PAIR: Params = &[("left", Param::Any), ("right", Param::Any)];

/// A list of parameters, the last `optional` of which may be left out.
pub(super) type Params = &'static [(&'static str, Param)];

impl<'a> Checker<'a> {
    /// The arguments in parameter order; `None` after a report. A receiver was evaluated before them and is the type that `Any` stands for.
    pub(super) fn take(
        &mut self,
        function: &'static str,
        params: Params,
        optional: usize,
        receiver: Option<&mut ExprId>,
        args: List<Argument>,
        span: Span,
    ) -> Result<Option<Vec<ExprId>>> {
        self.take_as((function, params, optional), receiver, None, args, span)
    }

    /// The arguments of what is declared as `@f<T: Known> (a: T, ..)`, with `T`, which may be open: then the bound is owed. `result` is what
    /// is expected where `T` is the result as well. `Err` is what stands for the call when it has no value or, after a report, not the trait.
    fn take_generic(
        &mut self,
        (function, known): (&'static str, Known),
        params: Params,
        optional: usize,
        args: List<Argument>,
        span: Span,
        result: Option<&Expect<'a>>,
    ) -> Result<std::result::Result<(Type, Vec<ExprId>), ExprId>> {
        let any = self.fresh();
        if let Some((wanted, _)) = result.and_then(Expect::checked) {
            // What does not fit is reported where the value goes.
            self.unify(any, wanted);
        }
        let Some(values) = self.take_as((function, params, optional), None, Some(any), args, span)? else {
            return Ok(Err(self.error(span)));
        };
        // What ends has no type.
        if self.ty(values[0]) == Type::NEVER {
            return Ok(Err(values[0]));
        }
        let ty = self.resolved(any);
        if ty.has_variable() {
            self.owe(ty, known.item(), span);
        } else if !self.needs(ty, known, span)? {
            return Ok(Err(self.error(span)));
        }
        Ok(Ok((ty, values)))
    }

    /// `any` is the type that `Any` stands for, where it is known or asked for.
    fn take_as(
        &mut self,
        (function, params, optional): (&'static str, Params, usize),
        receiver: Option<&mut ExprId>,
        mut any: Option<Type>,
        args: List<Argument>,
        span: Span,
    ) -> Result<Option<Vec<ExprId>>> {
        if let Some(values) = self.operands.take() {
            return self.given_operands(function, params, optional, any, values, span);
        }
        let Some(slots) = self.bind(function, params.len(), |i| Symbol::new(params[i].0), false, args, span)? else {
            self.silent(args, span)?;
            return Ok(None);
        };
        for (i, (name, _)) in params.iter().enumerate().take(params.len() - optional) {
            if !slots.contains(&i) {
                self.missing_builtin(function, name, span);
                self.silent(args, span)?;
                return Ok(None);
            }
        }
        let in_order = slots.iter().enumerate().all(|(i, &slot)| i == slot);
        if let Some(receiver) = receiver {
            any = Some(self.ty(*receiver));
            if !in_order {
                *receiver = self.settled(*receiver);
            }
        }
        let mut values = vec![ExprId::new(0); slots.len()];
        let mut failed = false;
        for (argument, &slot) in self.tree.args.get(args).iter().zip(&slots) {
            let (name, param) = params[slot];
            let why = Why::Builtin(function, name);
            let value = match (param, any) {
                (Param::Of(ty), _) => self.check(argument.value, ty, why)?,
                (Param::Any, Some(ty)) => self.check(argument.value, self.resolved(ty), why)?,
                (Param::Any, None) => {
                    let value = self.infer(argument.value)?;
                    any = Some(self.ty(value)).filter(|ty| *ty != Type::NEVER);
                    value
                }
            };
            failed |= self.ty(value) == Type::ERROR;
            values[slot] = if in_order { value } else { self.settled(value) };
        }
        Ok((!failed).then_some(values))
    }

    /// Operands that are there already, of types that somebody expects.
    fn given_operands(
        &mut self,
        function: &'static str,
        params: Params,
        optional: usize,
        mut any: Option<Type>,
        values: Vec<ExprId>,
        span: Span,
    ) -> Result<Option<Vec<ExprId>>> {
        if !(params.len() - optional..=params.len()).contains(&values.len()) {
            let args = [function.into(), params.len().to_string().into(), values.len().to_string().into()];
            self.report(Code::E2004, span, args);
            return Ok(None);
        }
        let mut fitted = Vec::with_capacity(values.len());
        for (value, &(name, param)) in values.into_iter().zip(params) {
            let wanted = match param {
                Param::Of(ty) => ty,
                Param::Any => *any.get_or_insert(self.ty(value)),
            };
            fitted.push(self.fit(value, wanted, Why::Builtin(function, name))?);
        }
        Ok((!fitted.iter().any(|&value| self.ty(value) == Type::ERROR)).then_some(fitted))
    }

    pub(super) fn call_builtin(&mut self, name: Symbol, args: List<Argument>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let mark = self.draft.scratch.len();
        let value = match name.as_str() {
            "print" => self.output("print", I::Print, args, span)?,
            "panic" => self.simple("panic", &[("msg", STR)], I::Panic, Type::NEVER, args, span)?,
            "todo" => self.with_reason("todo", I::Todo, I::TodoFor, args, span)?,
            "unreachable" => self.with_reason("unreachable", I::Unreachable, I::UnreachableFor, args, span)?,
            "len" => match self.take("len", &[("collection", Param::Any)], 0, None, args, span)?.as_deref() {
                Some(&[value]) => {
                    if self.ty(value) == Type::STR {
                        self.byte_lengths.push(span);
                    }
                    self.length_of(value, "Len", span)?
                }
                _ => self.error(span),
            },
            "is_empty" => match self.take("is_empty", &[("collection", Param::Any)], 0, None, args, span)?.as_deref() {
                Some(&[value]) => {
                    let length = self.length_of(value, "IsEmpty", span)?;
                    self.is_zero(length, span)
                }
                _ => self.error(span),
            },
            "assert" => match self.take("assert", &[("condition", BOOL)], 0, None, args, span)?.as_deref() {
                Some(&[condition]) => {
                    let failed = self.intrinsic(I::AssertFailed, &[], Type::NEVER, span);
                    self.unless(condition, failed, span)
                }
                _ => self.error(span),
            },
            "assert_eq" => self.assert_equal("assert_eq", "expected", args, span)?,
            "assert_ne" => self.assert_equal("assert_ne", "unexpected", args, span)?,
            "min" => self.extreme("min", I::Le, args, span, expect)?,
            "max" => self.extreme("max", I::Ge, args, span, expect)?,
            "hash_combine" => match self.take("hash_combine", &[("seed", INT), ("value", INT)], 0, None, args, span)?.as_deref() {
                Some(&[seed, value]) => {
                    // Both are evaluated before anything is computed of them.
                    let seed = self.settled(seed);
                    let value = self.settled(value);
                    self.hash_combine(seed, value, span)
                }
                _ => self.error(span),
            },
            "int" | "float" | "str" | "byte" => self.conversion(name, args, span)?,
            "compare" => self.compare_call(args, span)?,
            "dbg" => self.traced(args, span, expect)?,
            other => self.refuse(span, format!("function `{other}`")),
        };
        Ok(self.with_statements(mark, value, span))
    }

    /// Functions that the library alone knows; `None` when it is none of them.
    pub(super) fn call_of_library(&mut self, name: Symbol, args: List<Argument>, span: Span) -> Result<Option<ExprId>> {
        let mark = self.draft.scratch.len();
        let value = match name.as_str() {
            "list_push" => self.changed_list(I::ListPush, args, span)?,
            "list_set" => self.changed_list(I::ListSet, args, span)?,
            "list_slice" => self.changed_list(I::ListSlice, args, span)?,
            "list_reserve" => self.changed_list(I::ListReserve, args, span)?,
            "table_double" => self.changed_list(I::TableDouble, args, span)?,
            other => match OF_LIBRARY.iter().find(|row| row.0 == other) {
                Some(&(function, params, op, ty)) => self.simple(function, params, op, ty, args, span)?,
                None => return Ok(None),
            },
        };
        Ok(Some(self.with_statements(mark, value, span)))
    }

    /// An operation on a list, which is the first argument; all are positional.
    fn changed_list(&mut self, op: I, args: List<Argument>, span: Span) -> Result<ExprId> {
        let tree = self.tree;
        let mut values = Vec::with_capacity(args.len());
        let mut ty = Type::ERROR;
        for (argument, &shape) in tree.args.get(args).iter().zip(op.args()) {
            values.push(match (shape, ty.kind()) {
                (Shape::Of(wanted), _) => self.check(argument.value, wanted, Why::None)?,
                (Shape::Element, TypeKind::List(element)) => self.check(argument.value, element, Why::ElementOf(element))?,
                _ if op == I::TableDouble => self.check(argument.value, Type::list(Type::INT), Why::None)?,
                _ => self.infer(argument.value)?,
            });
            if values.len() == 1 {
                ty = self.ty(values[0]);
            }
        }
        Ok(self.intrinsic(op, &values, ty, span))
    }

    fn simple(&mut self, function: &'static str, params: Params, op: I, ty: Type, args: List<Argument>, span: Span) -> Result<ExprId> {
        Ok(match self.take(function, params, 0, None, args, span)? {
            Some(values) => self.intrinsic(op, &values, ty, span),
            None => self.error(span),
        })
    }

    fn output(&mut self, function: &'static str, op: I, args: List<Argument>, span: Span) -> Result<ExprId> {
        if self.which == Which::Constant {
            self.report(Code::E0706, span, [function.into()]);
        }
        self.simple(function, &[("msg", STR)], op, Type::VOID, args, span)
    }

    /// `dbg(value:)`, `dbg(value:, label:)`: a line on standard error, and the value. The op knows the place of the call.
    fn traced(&mut self, args: List<Argument>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        if self.which == Which::Constant {
            self.report(Code::E0706, span, ["dbg".into()]);
        }
        let params: Params = &[("value", Param::Any), ("label", STR)];
        let (ty, values) = match self.take_generic(("dbg", Known::Debug), params, 1, args, span, Some(expect))? {
            Ok(taken) => taken,
            Err(done) => return Ok(done),
        };
        let value = self.temporary(values[0]);
        let label = values.get(1).map(|&label| self.temporary(label));
        let shown = self.read(value, span);
        let Some(mut line) = self.debugged(shown, span)? else { return Ok(self.error(span)) };
        let before = |checker: &mut Self, text: &str, line: ExprId| {
            let text = checker.push(Expr::Str(Symbol::new(text)), Type::STR, span);
            checker.intrinsic(I::StrConcat, &[text, line], Type::STR, span)
        };
        line = before(self, " = ", line);
        if let Some(label) = label {
            let label = self.read(label, span);
            line = self.intrinsic(I::StrConcat, &[label, line], Type::STR, span);
            line = before(self, " ", line);
        }
        let written = self.intrinsic(I::DebugPrint, &[line], Type::VOID, span);
        let value = self.read(value, span);
        let statements = self.draft.body.lists.add([written, value]);
        Ok(self.push(Expr::Block { statements, tail: true }, ty, span))
    }

    /// An operation of the capability `Print`, which goes to standard output; `None` when it is a later one.
    pub(super) fn print_operation(&mut self, name: Symbol, args: List<Argument>, span: Span) -> Result<Option<ExprId>> {
        let mark = self.draft.scratch.len();
        let value = match name.as_str() {
            "print" => self.output("Print.print", I::Write, args, span)?,
            "println" => self.output("Print.println", I::Print, args, span)?,
            _ => return Ok(None),
        };
        Ok(Some(self.with_statements(mark, value, span)))
    }

    fn with_reason(&mut self, function: &'static str, plain: I, reason: I, args: List<Argument>, span: Span) -> Result<ExprId> {
        Ok(match self.take(function, &[("reason", STR)], 1, None, args, span)? {
            Some(values) if values.is_empty() => self.intrinsic(plain, &[], Type::NEVER, span),
            Some(values) => self.intrinsic(reason, &values, Type::NEVER, span),
            None => self.error(span),
        })
    }

    /// `if condition then () else failed`
    fn unless(&mut self, condition: ExprId, failed: ExprId, span: Span) -> ExprId {
        let unit = self.unit(span);
        self.push(Expr::If { condition, then: unit, otherwise: Some(failed) }, Type::VOID, span)
    }

    pub(super) fn is_zero(&mut self, length: ExprId, span: Span) -> ExprId {
        // An error, or the answer of the type's own `is_empty`.
        if self.ty(length) != Type::INT {
            return length;
        }
        let zero = self.int(0, span);
        self.intrinsic(I::Eq, &[length, zero], Type::BOOL, span)
    }

    /// Number of elements of a list, of bytes of a text.
    pub(super) fn length_of(&mut self, value: ExprId, what: &str, span: Span) -> Result<ExprId> {
        let ty = self.ty(value);
        Ok(match ty.kind() {
            TypeKind::Str => self.intrinsic(I::StrLen, &[value], Type::INT, span),
            TypeKind::List(_) => self.intrinsic(I::ListLen, &[value], Type::INT, span),
            TypeKind::Never => value,
            TypeKind::Tuple(elements) if what == "Len" => {
                let count = self.int(elements.len() as i64, span);
                let statements = self.draft.body.lists.add([value, count]);
                self.push(Expr::Block { statements, tail: true }, Type::INT, span)
            }
            _ => {
                let known = if what == "Len" { Known::Len } else { Known::IsEmpty };
                match self.has(ty, known, span)? {
                    Some(true) => self.through(known, ty, &[value], span)?,
                    Some(false) if !self.lacks_silently(ty)? => {
                        let at = self.span_at(value);
                        self.report(Code::E2009, at, [show(ty).into(), what.into()]);
                        self.error(span)
                    }
                    Some(false) | None => self.error(span),
                }
            }
        })
    }

    fn extreme(&mut self, function: &'static str, op: I, args: List<Argument>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let (ty, values) = match self.take_generic((function, Known::Comparable), PAIR, 0, args, span, Some(expect))? {
            Ok(taken) => taken,
            Err(done) => return Ok(done),
        };
        let left = self.temporary(values[0]);
        let right = self.temporary(values[1]);
        let (a, b) = (self.read(left, span), self.read(right, span));
        let condition = match ty {
            Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => self.intrinsic(op, &[a, b], Type::BOOL, span),
            _ => self.ordered(op, a, b, span)?,
        };
        let (a, b) = (self.read(left, span), self.read(right, span));
        Ok(self.choose(condition, a, b, span))
    }

    /// Does the type have a trait of the prelude? Reports when it has not.
    fn needs(&mut self, ty: Type, known: Known, span: Span) -> Result<bool> {
        let has = self.has(ty, known, span)?;
        if has == Some(false) && !self.lacks_silently(ty)? {
            self.report(Code::E2009, span, [show(ty).into(), known.name().into()]);
        }
        Ok(has == Some(true))
    }

    fn compare_call(&mut self, args: List<Argument>, span: Span) -> Result<ExprId> {
        match self.take_generic(("compare", Known::Comparable), PAIR, 0, args, span, None)? {
            Ok((_, values)) => self.compared(values[0], values[1], span),
            Err(done) => Ok(done),
        }
    }

    fn assert_equal(&mut self, function: &'static str, second: &'static str, args: List<Argument>, span: Span) -> Result<ExprId> {
        let params: Params = if second == "expected" {
            &[("actual", Param::Any), ("expected", Param::Any)]
        } else {
            &[("actual", Param::Any), ("unexpected", Param::Any)]
        };
        let Some(values) = self.take(function, params, 0, None, args, span)? else { return Ok(self.error(span)) };
        let ty = self.closed(values[0]);
        if ty == Type::NEVER {
            return Ok(values[0]);
        }
        for needed in [Known::Eq, Known::Debug] {
            if !self.needs(ty, needed, span)? {
                return Ok(self.error(span));
            }
        }
        let left = self.temporary(values[0]);
        let right = self.temporary(values[1]);
        let (a, b) = (self.read(left, span), self.read(right, span));
        let mark = self.draft.scratch.len();
        let equal = self.equal_values(a, b, span)?;
        let equal = self.with_statements(mark, equal, span);
        let a = self.read(left, span);
        let a = self.debugged(a, span)?;
        let b = self.read(right, span);
        let b = self.debugged(b, span)?;
        let (Some(a), Some(b)) = (a, b) else { return Ok(self.error(span)) };
        Ok(if second == "expected" {
            let failed = self.intrinsic(I::AssertNotEqual, &[a, b], Type::NEVER, span);
            self.unless(equal, failed, span)
        } else {
            let failed = self.intrinsic(I::AssertEqual, &[a], Type::NEVER, span);
            let unit = self.unit(span);
            self.push(Expr::If { condition: equal, then: failed, otherwise: Some(unit) }, Type::VOID, span)
        })
    }

    /// `int(x)`, `float(x)`, `str(x)`, `byte(x)`: exactly one positional argument.
    fn conversion(&mut self, name: Symbol, args: List<Argument>, span: Span) -> Result<ExprId> {
        let list = self.tree.args.get(args);
        let [argument] = list else {
            self.report(Code::E2004, span, [name.into(), "1".into(), list.len().to_string().into()]);
            return self.silent(args, span);
        };
        if let Some(named) = argument.name {
            self.report(Code::E0306, argument.span, [name.into(), named.into()])
                .helps
                .push("conversions take one positional argument".into());
            return self.silent(args, span);
        }
        if argument.spread {
            self.report(Code::E0112, argument.span, []);
            return self.silent(args, span);
        }
        let value = self.infer(argument.value)?;
        let from = self.ty(value);
        if from.fits_anywhere() {
            return Ok(value);
        }
        let (op, to) = match (name.as_str(), from) {
            ("str", _) => return self.printed(value, span),
            ("int", Type::INT) | ("float", Type::FLOAT) | ("byte", Type::BYTE) => return Ok(value),
            ("int", Type::BYTE | Type::CHAR | Type::BOOL) => (I::DiscreteToInt, Type::INT),
            ("int", Type::FLOAT) => (I::FloatTruncInt, Type::INT),
            ("int", Type::STR) => (I::StrToInt, Type::INT),
            ("float", Type::INT) => (I::IntToFloat, Type::FLOAT),
            ("float", Type::BYTE) => {
                let number = self.intrinsic(I::DiscreteToInt, &[value], Type::INT, span);
                return Ok(self.intrinsic(I::IntToFloat, &[number], Type::FLOAT, span));
            }
            ("float", Type::STR) => (I::StrToFloat, Type::FLOAT),
            ("byte", Type::INT) => (I::IntToByte, Type::BYTE),
            ("byte", Type::CHAR) => (I::CharToByte, Type::BYTE),
            _ => {
                if !self.lacks_silently(from)? {
                    let at = self.span_at(value);
                    let args = [show(from).into(), name.into(), "as".into()];
                    self.report(Code::E0310, at, args).notes.push(format!("`{name}(...)` does not take a `{}`", show(from)));
                }
                return Ok(self.error(span));
            }
        };
        Ok(self.intrinsic(op, &[value], to, span))
    }

    // ---- standard modules ----

    pub(super) fn call_std(&mut self, module: Symbol, name: Symbol, at: Span, args: List<Argument>, span: Span) -> Result<ExprId> {
        if module.as_str() == "std.testing" {
            return self.call_builtin(name, args, span, &Expect::NONE);
        }
        let (function, params, op): (&'static str, Params, I) = match name.as_str() {
            "sqrt" => ("sqrt", &[("x", FLOAT)], I::FloatSqrt),
            "abs" => ("abs", &[("value", FLOAT)], I::FloatAbs),
            "floor" => ("floor", &[("x", FLOAT)], I::FloatFloor),
            "ceil" => ("ceil", &[("x", FLOAT)], I::FloatCeil),
            "round" => ("round", &[("x", FLOAT)], I::FloatRound),
            "pow" => ("pow", &[("base", FLOAT), ("exponent", FLOAT)], I::FloatPow),
            "trunc" => ("trunc", &[("x", FLOAT)], I::FloatTrunc),
            "cbrt" => ("cbrt", &[("x", FLOAT)], I::FloatCbrt),
            "exp" => ("exp", &[("x", FLOAT)], I::FloatExp),
            "ln" => ("ln", &[("x", FLOAT)], I::FloatLn),
            "log2" => ("log2", &[("x", FLOAT)], I::FloatLog2),
            "log10" => ("log10", &[("x", FLOAT)], I::FloatLog10),
            "sin" => ("sin", &[("x", FLOAT)], I::FloatSin),
            "cos" => ("cos", &[("x", FLOAT)], I::FloatCos),
            "tan" => ("tan", &[("x", FLOAT)], I::FloatTan),
            "asin" => ("asin", &[("x", FLOAT)], I::FloatAsin),
            "acos" => ("acos", &[("x", FLOAT)], I::FloatAcos),
            "atan" => ("atan", &[("x", FLOAT)], I::FloatAtan),
            "sinh" => ("sinh", &[("x", FLOAT)], I::FloatSinh),
            "cosh" => ("cosh", &[("x", FLOAT)], I::FloatCosh),
            "tanh" => ("tanh", &[("x", FLOAT)], I::FloatTanh),
            "atan2" => ("atan2", &[("y", FLOAT), ("x", FLOAT)], I::FloatAtan2),
            "hypot" => ("hypot", &[("x", FLOAT), ("y", FLOAT)], I::FloatHypot),
            "wrapping_add" => ("wrapping_add", &[("left", INT), ("right", INT)], I::WrappingAdd),
            "wrapping_sub" => ("wrapping_sub", &[("left", INT), ("right", INT)], I::WrappingSub),
            "wrapping_mul" => ("wrapping_mul", &[("left", INT), ("right", INT)], I::WrappingMul),
            "wrapping_neg" => ("wrapping_neg", &[("value", INT)], I::WrappingNeg),
            "PI" | "TAU" | "E" => {
                self.report(Code::E0305, at, ["float".into()]);
                return self.silent(args, span);
            }
            other => return Ok(self.refuse(span, format!("function `{module}.{other}`"))),
        };
        let ty = if params[0].1 == FLOAT { Type::FLOAT } else { Type::INT };
        let mark = self.draft.scratch.len();
        let value = self.simple(function, params, op, ty, args, span)?;
        Ok(self.with_statements(mark, value, span))
    }

    /// Is the callee of a method call a plain name that no local hides?
    pub(super) fn plain_root(&self, receiver: syntax::tree::ExprId) -> Option<Symbol> {
        match self.tree.exprs[receiver] {
            Ast::Name(name) if self.lookup(name).is_none() => Some(name),
            _ => None,
        }
    }
}
