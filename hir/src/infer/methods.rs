//! Methods of the built-in types.

use std::sync::Arc;

use ir::{ItemId, List, Symbol};
use syntax::tree::{self, Argument, TypeId};
use syntax::{DiagnosticCode as Code, Span};

use super::builtin::{Param, Params};
use super::call::Callee;
use super::paths::Before;
use super::traits::{Offered, arguments_tell};
use super::why::Expect;
use super::{Checker, Result};
use crate::ir::ExprId;
use crate::program::{Entity, Receiver, TypeDefinition, TypeForm};
use crate::resolve::prelude::{self, Known, Sum, library_head, predeclared};
use crate::resolve::solve;
use crate::resolve::{is_later_type, nearest, prelude_type, show};
use crate::{Intrinsic as I, Type, TypeKind};

const INT: Param = Param::Of(Type::INT);
const FLOAT: Param = Param::Of(Type::FLOAT);

/// Methods that are one intrinsic: type, name, parameters after the receiver, intrinsic, result.
const DIRECT: &[(Type, &str, Params, I, Type)] = &[
    (Type::INT, "abs", &[], I::IntAbs, Type::INT),
    (Type::INT, "signum", &[], I::IntSignum, Type::INT),
    (Type::INT, "pow", &[("exponent", INT)], I::IntPow, Type::INT),
    (Type::INT, "clamp", &[("low", INT), ("high", INT)], I::IntClamp, Type::INT),
    (Type::FLOAT, "floor", &[], I::FloatFloorInt, Type::INT),
    (Type::FLOAT, "ceil", &[], I::FloatCeilInt, Type::INT),
    (Type::FLOAT, "round", &[], I::FloatRoundInt, Type::INT),
    (Type::FLOAT, "truncate", &[], I::FloatTruncInt, Type::INT),
    (Type::FLOAT, "abs", &[], I::FloatAbs, Type::FLOAT),
    (Type::FLOAT, "clamp", &[("low", FLOAT), ("high", FLOAT)], I::FloatClamp, Type::FLOAT),
    (Type::FLOAT, "is_nan", &[], I::FloatIsNan, Type::BOOL),
    (Type::FLOAT, "is_infinite", &[], I::FloatIsInfinite, Type::BOOL),
    (Type::FLOAT, "is_finite", &[], I::FloatIsFinite, Type::BOOL),
    (Type::FLOAT, "to_bits", &[], I::FloatToBits, Type::INT),
    (Type::STR, "len", &[], I::StrLen, Type::INT),
    (Type::STR, "byte_len", &[], I::StrLen, Type::INT),
];

/// Methods of the traits that every value may have.
const OF_TRAITS: &[(&str, Known)] = &[
    ("equals", Known::Eq),
    ("hash", Known::Hashable),
    ("clone", Known::Clone),
    ("to_str", Known::Printable),
    ("debug", Known::Debug),
    ("compare", Known::Comparable),
];

const LATER_LIST: &[&str] = &["to_fixed", "try_to_fixed"];

/// Those of results that give traces.
const LATER_RESULT: &[&str] = &["context", "trace", "trace_entries", "has_trace"];

/// Methods of a built-in type that the slice lacks.
fn later(ty: Type) -> &'static [&'static str] {
    match ty.kind() {
        TypeKind::Struct(item, _) => match prelude::sum(item) {
            Some(Sum::Result) => LATER_RESULT,
            Some(Sum::Option | Sum::Ordering) | None => &[],
        },
        TypeKind::List(_) => LATER_LIST,
        _ => &[],
    }
}

impl<'a> Checker<'a> {
    /// Has the type a method of this name, now or later?
    pub(super) fn has_method(&self, ty: Type, name: &str) -> bool {
        DIRECT.iter().any(|row| row.0 == ty && row.1 == name)
            || later(ty).contains(&name)
            || OF_TRAITS.iter().any(|(method, _)| *method == name)
            || (matches!(name, "len" | "is_empty") && matches!(ty.kind(), TypeKind::Str | TypeKind::List(_)))
    }

    pub(super) fn method_call(
        &mut self,
        (receiver, name, types): (tree::ExprId, Symbol, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let at = self.name_after(receiver, name, span);
        if let Some((item, of)) = self.type_before(receiver)?
            && let Some(value) = self.qualified(item, of, name, Some(args), span, expect)?
        {
            return Ok(value);
        }
        if let Some(root) = self.plain_root(receiver) {
            match self.scope.value(root) {
                Some(alias @ (Entity::Module(_) | Entity::Std(_, _))) if self.is_alias(alias) => {
                    let at = Span::new(span.start, self.span(receiver).end + 1 + name.as_str().len() as u32);
                    if let Entity::Module(module) = alias {
                        let named = self.module_variant(module, name, expect, at)?;
                        if let Some(value) = self.named_value(named, at, Some(args), span, expect)? {
                            return Ok(value);
                        }
                    }
                    return match self.member_of(alias, root, name, at)? {
                        Some(entity) => self.call_entity(entity, name, (at, types), args, span, expect),
                        None => self.silent(args, span),
                    };
                }
                Some(Entity::Unsupported(..)) => return self.silent(args, span),
                Some(_) => {}
                None => {
                    if let Some(done) = self.associated_call(root, (name, types), args, span, expect)? {
                        return Ok(done);
                    }
                }
            }
        }
        if let (tree::Expr::SelfType, None) = (&self.tree.exprs[receiver], self.around.this) {
            let at = self.span(receiver);
            self.report(Code::E0314, at, []);
            return self.silent(args, span);
        }
        match self.path_before(receiver)? {
            Some(Before::Type(Type::ERROR)) => return self.silent(args, span),
            Some(Before::Type(ty)) => {
                if let (tree::Expr::TypeArgs(..), TypeKind::Struct(item, _)) = (&self.tree.exprs[receiver], ty.kind())
                    && let Some(value) = self.qualified(item, Some(ty), name, Some(args), span, expect)?
                {
                    return Ok(value);
                }
                return self.call_associated(ty, (name, types), args, span, expect);
            }
            Some(Before::Trait(item)) => return self.call_through(item, (name, types), args, span, expect),
            None => {}
        }
        let value = self.infer(receiver)?;
        if !self.head_is_known(value)? {
            return self.silent(args, span);
        }
        let ty = self.ty(value);
        if let Some((item, owner_args)) = self.inherent(ty, name, true, at)? {
            return self.call_method(Callee { item, owner_args, receiver: Some((value, receiver)) }, (at, types), args, span, expect);
        }
        // The methods of built-in types are inherent.
        if !ty.fits_anywhere()
            && (matches!(
                ty.kind(),
                TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Object(_)
            ) || !self.has_method(ty, name.as_str()))
        {
            match self.of_traits(ty, name, true, at, expect)? {
                Offered::Nothing if name.as_str() == "into" && types.is_empty() && args.is_empty() => {
                    if let Some((wanted, _)) = expect.checked() {
                        let wanted = self.resolved(wanted);
                        if !self.lacks_silently(ty)? {
                            self.report(Code::E2036, at, [show(ty).into(), show(wanted).into()]);
                        }
                        return Ok(self.error(span));
                    }
                }
                Offered::Nothing => {}
                Offered::Method(item, owner_args) => {
                    if prelude::consumes_all(item) && self.is_endless(receiver) {
                        self.report(Code::W2001, at, []).helps.push("take some of it first: `take(count: ...)`".into());
                    }
                    return self.call_method(
                        Callee { item, owner_args, receiver: Some((value, receiver)) },
                        (at, types),
                        args,
                        span,
                        expect,
                    );
                }
                Offered::Ambiguous => return self.silent(args, span),
            }
        }
        if !types.is_empty() && !ty.fits_anywhere() && !later(ty).contains(&name.as_str()) {
            self.report(Code::E2017, at, [name.into()]);
            return self.silent(args, span);
        }
        let mark = self.draft.scratch.len();
        let result = self.method(value, receiver, name, args, span)?;
        Ok(self.with_statements(mark, result, span))
    }

    /// Does an expression say itself that it gives items for ever?
    fn is_endless(&self, mut at: tree::ExprId) -> bool {
        loop {
            match self.tree.exprs[at] {
                tree::Expr::Paren(inner) => at = inner,
                tree::Expr::MethodCall { receiver, name, .. } => match name.as_str() {
                    "cycle" => return true,
                    // With another iterator beside it, it ends with that.
                    "take" | "take_while" | "find" | "zip" => return false,
                    _ => at = receiver,
                },
                tree::Expr::Call { callee, .. } => {
                    let tree::Expr::Name(name) = self.tree.exprs[callee] else { return false };
                    return name.as_str() == "repeat" && self.scope.value(name).is_none();
                }
                _ => return false,
            }
        }
    }

    /// The name behind the dot; between them there may be a line break, which is then part of the place.
    fn name_after(&self, receiver: tree::ExprId, name: Symbol, span: Span) -> Span {
        let end = self.span(receiver).end;
        Span::new((end + 1).min(span.end), (end + 1 + name.as_str().len() as u32).min(span.end))
    }

    fn is_alias(&self, entity: Entity) -> bool {
        match entity {
            Entity::Module(_) => true,
            Entity::Std(_, member) => member.as_str() == crate::resolve::WHOLE_MODULE,
            Entity::Function(_) | Entity::Constant(_) | Entity::Type(_) | Entity::Trait(_) | Entity::Unsupported(..) => false,
        }
    }

    /// `T.f(...)`; `None` when the root is no type.
    fn associated_call(
        &mut self,
        root: Symbol,
        (name, types): (Symbol, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<Option<ExprId>> {
        let text = root.as_str();
        if let Some(what) = super::names::later_name(text) {
            if text == "Print"
                && let Some(done) = self.print_operation(name, args, span)?
            {
                return Ok(Some(done));
            }
            return Ok(Some(self.refuse(span, what)));
        }
        match self.scope.type_name(root) {
            Some(Entity::Unsupported(..)) => return self.silent(args, span).map(Some),
            Some(Entity::Trait(item)) => return self.call_through(item, (name, types), args, span, expect).map(Some),
            Some(Entity::Type(item)) => {
                let ty = self.open_struct(item, self.scope.arity(item));
                return self.call_associated(ty, (name, types), args, span, expect).map(Some);
            }
            _ => {}
        }
        if let Some(ty) = self.around.parameter(root) {
            return self.call_associated(ty, (name, types), args, span, expect).map(Some);
        }
        if let Some((item, arity)) = predeclared(text) {
            let ty = self.open_struct(item, arity);
            return self.call_associated(ty, (name, types), args, span, expect).map(Some);
        }
        let Some(ty) = prelude_type(text) else {
            if let Some(item) = prelude::trait_named(text) {
                return self.call_through(item, (name, types), args, span, expect).map(Some);
            }
            if is_later_type(text) {
                return Ok(Some(self.refuse(span, format!("`{text}`"))));
            }
            return Ok(None);
        };
        let value = match (ty, name.as_str()) {
            (Type::FLOAT, "from_bits") => {
                let mark = self.draft.scratch.len();
                match self.take("float.from_bits", &[("bits", INT)], 0, None, args, span)? {
                    Some(values) => {
                        let value = self.intrinsic(I::FloatFromBits, &values, Type::FLOAT, span);
                        self.with_statements(mark, value, span)
                    }
                    None => self.error(span),
                }
            }
            (Type::STR, "from_utf8_unchecked") => self.refuse(span, format!("`{text}.{name}`")),
            (ty, "default") if self.has(ty, Known::Default, span)? == Some(true) => {
                if self.take("default", &[], 0, None, args, span)?.is_none() {
                    return Ok(Some(self.error(span)));
                }
                self.default_of(ty, span)?
            }
            _ => self.call_associated(ty, (name, types), args, span, expect)?,
        };
        Ok(Some(value))
    }

    /// `Trait.method(value, ...)`: the receiver is the first argument, without a name; the others are those of the method.
    fn call_through(
        &mut self,
        interface: ItemId,
        (name, types): (Symbol, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let Some(definition) = self.cx.trait_definition(interface)? else { return self.silent(args, span) };
        let method = solve::member(&definition, name);
        let signature = match method {
            Some(method) => self.cx.signature(method)?,
            None => None,
        };
        let (Some(method), Some(signature)) = (method, signature) else {
            self.report(Code::E0308, span, [name.into(), interface.name().into()]);
            return self.silent(args, span);
        };
        if signature.receiver == Receiver::None {
            self.cannot_infer(span, &format!("{}.{name}(...)", interface.name()));
            return self.silent(args, span);
        }
        let tree = self.tree;
        let Some(first) = tree.args.get(args).first().filter(|first| first.name.is_none() && !first.spread) else {
            let error = self.report(Code::E2004, span, ["self".into(), name.into()]);
            error.wording = 1;
            error.helps.push(format!("the value comes first, without a name: `{}.{name}(value)`", interface.name()));
            return self.silent(args, span);
        };
        let value = self.infer(first.value)?;
        let others = List::new(args.start() as u32 + 1, args.len() as u32 - 1);
        if !self.head_is_known(value)? {
            return self.silent(others, span);
        }
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            return self.silent(others, span);
        }
        let at = self.span_at(value);
        let found = self.having(ty, interface, at)?;
        // Of `self`, in the method of an impl, this means the body that the trait gives it, if it gives one.
        let mut own = None;
        if self.is_self(first.value) && self.item.id != method && definition.methods.iter().any(|row| row.item == method && row.has_body) {
            for &one in &found {
                if self.provided(ty, one, method, name)?.0 == self.item.id {
                    own = Some(one);
                    break;
                }
            }
        }
        let (item, owner_args) = match found[..] {
            [one] if own.is_some() => (method.as_replaced(), one.parts(ty)),
            [found] => self.provided(ty, found, method, name)?,
            [] => {
                if !self.lacks_silently(ty)? {
                    self.report(Code::E2009, at, [show(ty).into(), interface.name().into()]);
                }
                return self.silent(others, span);
            }
            // Of several the arguments choose, and whether the type has that one is asked when they are known.
            [first, ..] if arguments_tell(&signature, first) => {
                let mut parts = vec![ty];
                parts.extend(self.open_arguments(definition.generics.len()));
                // `close_call` asks whether they chose the one in whose method this stands.
                (if own.is_some() { method.as_replaced() } else { method }, parts)
            }
            [..] if let Some(own) = own => (method.as_replaced(), own.parts(ty)),
            [..] => {
                let list: Vec<String> = found.iter().map(|found| format!("{}.{name}", found.show())).collect();
                let error = self.report(Code::E2023, span, [name.into(), list.join(", ").into()]);
                error
                    .helps
                    .push(format!("no argument tells which is meant; in a generic function the bound does: `T: {}`", found[0].show()));
                return self.silent(others, span);
            }
        };
        self.call_method(Callee { item, owner_args, receiver: Some((value, first.value)) }, (span, types), others, span, expect)
    }

    /// Is `self` written here, with or without parentheses?
    fn is_self(&self, mut at: tree::ExprId) -> bool {
        while let tree::Expr::Paren(inner) = self.tree.exprs[at] {
            at = inner;
        }
        matches!(self.tree.exprs[at], tree::Expr::SelfValue)
    }

    fn method(&mut self, mut value: ExprId, receiver: tree::ExprId, name: Symbol, args: List<Argument>, span: Span) -> Result<ExprId> {
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            if ty == Type::NEVER {
                // The receiver does not return, so neither does the call; its arguments are looked at all the same.
                let tree = self.tree;
                for argument in &tree.args[args] {
                    self.infer(argument.value)?;
                }
                return Ok(value);
            }
            return self.silent(args, span);
        }
        let text = name.as_str();
        if let Some(&(_, method, params, op, result)) = DIRECT.iter().find(|row| row.0 == ty && row.1 == text) {
            let Some(mut values) = self.take(method, params, 0, Some(&mut value), args, span)? else { return Ok(self.error(span)) };
            values.insert(0, value);
            if op == I::StrLen {
                self.byte_lengths.push(self.name_after(receiver, name, span));
            }
            return Ok(self.intrinsic(op, &values, result, span));
        }
        let is_counted = match ty.kind() {
            TypeKind::Str | TypeKind::List(_) => matches!(text, "len" | "is_empty"),
            TypeKind::Tuple(_) => text == "len",
            _ => false,
        };
        if is_counted {
            let method = if text == "len" { "len" } else { "is_empty" };
            if self.take(method, &[], 0, Some(&mut value), args, span)?.is_none() {
                return Ok(self.error(span));
            }
            let length = self.length_of(value, "Len", span)?;
            return Ok(if text == "len" { length } else { self.is_zero(length, span) });
        }
        if later(ty).contains(&text) {
            return Ok(self.refuse(
                span,
                format!("method `{text}` of {}", if matches!(ty.kind(), TypeKind::List(_)) { "lists".into() } else { show(ty) }),
            ));
        }
        let Some(&(method, of)) = OF_TRAITS.iter().find(|(method, _)| *method == text) else {
            if let Some(done) = self.field_call(value, name, args, span)? {
                return Ok(done);
            }
            return self.no_method_at(ty, name, args, receiver, span);
        };
        let ty = self.closed(value);
        match self.has(ty, of, span)? {
            Some(true) => {}
            Some(false) => {
                if let Some(done) = self.field_call(value, name, args, span)? {
                    return Ok(done);
                }
                return self.no_method_at(ty, name, args, receiver, span);
            }
            None => return self.silent(args, span),
        }
        let params: Params = if matches!(method, "equals" | "compare") { &[("other", Param::Any)] } else { &[] };
        let Some(values) = self.take(method, params, 0, Some(&mut value), args, span)? else { return Ok(self.error(span)) };
        match (method, &values[..]) {
            ("equals", &[other]) => self.equal_values(value, other, span),
            ("compare", &[other]) => self.compared(value, other, span),
            ("hash", _) => self.hashed(value, span),
            ("to_str", _) => self.printed(value, span),
            ("debug", _) => Ok(match self.debugged(value, span)? {
                Some(text) => text,
                None => self.error(span),
            }),
            _ => self.cloned(value, span),
        }
    }

    fn no_method_at(&mut self, ty: Type, name: Symbol, args: List<Argument>, receiver: tree::ExprId, span: Span) -> Result<ExprId> {
        let at = self.name_after(receiver, name, span);
        self.report_no_method(ty, name, at)?;
        self.silent(args, span)
    }

    pub(super) fn no_method(&mut self, ty: Type, name: Symbol, args: List<Argument>, span: Span) -> Result<ExprId> {
        self.report_no_method(ty, name, span)?;
        self.silent(args, span)
    }

    /// Is the type a newtype, and has the type in it a method of this name? A newtype has none of them (language/04 §4.7).
    fn inner_has(&mut self, ty: Type, name: Symbol, at: Span) -> Result<bool> {
        let Some(definition) = self.definition_of(ty, at)?.filter(|d| d.form == TypeForm::Newtype) else { return Ok(false) };
        let [(_, inner)] = definition.fields[..] else { return Ok(false) };
        self.has_own(inner, name)
    }

    /// Does the value in an `Option` or `Result` have a method of this name?
    fn payload_has(&self, ty: Type, name: Symbol) -> Result<bool> {
        match ty.kind() {
            TypeKind::Struct(item, &[value, ..]) if matches!(prelude::sum(item), Some(Sum::Option | Sum::Result)) => {
                self.has_own(self.resolved(value), name)
            }
            _ => Ok(false),
        }
    }

    /// Does a type have a method of this name without a trait?
    fn has_own(&self, inner: Type, name: Symbol) -> Result<bool> {
        let text = name.as_str();
        let is_direct = DIRECT.iter().any(|row| row.0 == inner && row.1 == text)
            || matches!(text, "len" | "is_empty") && matches!(inner.kind(), TypeKind::Str | TypeKind::List(_));
        let Some(head) = library_head(inner) else { return Ok(is_direct) };
        Ok(is_direct || self.cx.inherent_impls(head)?.iter().flat_map(|row| &row.methods).any(|(method, _)| *method == name))
    }

    pub(super) fn report_no_method(&mut self, ty: Type, name: Symbol, at: Span) -> Result<()> {
        // `Never` has no methods in this slice; being silent about it would leave a body without code and without a reason.
        if ty != Type::NEVER && self.lacks_silently(ty)? {
            return Ok(());
        }
        // A block for a type of the language is refused where it stands (E2010), so nothing more is said of what it has.
        if self.scope.refused_methods.contains(&name) && prelude::head(ty).is_some_and(prelude::is_predeclared) {
            self.poisoned = true;
            return Ok(());
        }
        let is_field = match ty.kind() {
            TypeKind::Struct(item, _) => {
                let is_member = |d: Arc<TypeDefinition>| d.has_members() && d.fields.iter().any(|(f, _)| *f == name);
                self.sees_fields(item) && self.cx.type_definition(item)?.is_some_and(is_member)
            }
            _ => false,
        };
        let inherent = match library_head(ty) {
            Some(head) => self.cx.inherent_impls(head)?,
            None => Arc::default(),
        };
        let inherent = || inherent.iter().flat_map(|row| &row.methods).map(|(method, _)| *method);
        // A method that is there but called in the wrong way is not a slip of the pen.
        let near = if inherent().any(|method| method == name) {
            None
        } else {
            let direct = DIRECT.iter().filter(|row| row.0 == ty).map(|row| row.1);
            let of_traits = OF_TRAITS.iter().map(|(method, _)| *method);
            let of_type = direct.chain(inherent().map(Symbol::as_str));
            nearest(name.as_str(), of_type.chain(of_traits).chain(later(ty).iter().copied()))
        };
        let of_iterators = matches!(solve::solve(ty, Known::Iterable.plain(), &self.given, self.cx)?, solve::Answer::Proven(_))
            && self.cx.trait_definition(Known::Iterator.item())?.is_some_and(|iterator| solve::member(&iterator, name).is_some());
        let of_inner = if near.is_none() && !of_iterators { self.inner_has(ty, name, at)? } else { false };
        let of_payload = self.payload_has(ty, name)?;
        let habit = super::elsewhere::meant(ty, name.as_str());
        let error = self.report(Code::E0308, at, [name.into(), show(ty).into()]);
        if is_field {
            error.helps.push(format!("`{name}` is a field: write it without parentheses"));
        } else if let Some(habit) = habit {
            error.helps.push(habit);
        } else if of_payload {
            error.helps.push(format!("there may be no value: say what to take then, `(value ?? other).{name}(...)`, or ask with `match`"));
        } else if of_iterators {
            error.helps.push(format!("an iterator over it has it: `.iter().{name}(...)`"));
        } else if let Some(near) = near {
            error.helps.push(format!("a method with a similar name exists: `{near}`"));
        } else if of_inner {
            error.helps.push(format!("the value in it has it: `.inner.{name}(...)`"));
        }
        Ok(())
    }
}
