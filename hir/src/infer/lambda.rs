//! Function values: lambdas, names of functions and constructors as values, and calls of values (language/04 §4.3, 05 §5.6, §5.8).
//!
//! A constructor or a function of the prelude is no item, so as a value it is a lambda that calls it.

use ir::{ItemId, List, Symbol};
use syntax::tree::{self, Argument, Expr as Ast, LambdaParam};
use syntax::{DiagnosticCode as Code, Severity, Span};

use super::draft::Lambda;
use super::paths::Before;
use super::propagate::Target;
use super::traits::Offered;
use super::why::{Expect, Mode, Why};
use super::{Binding, Checker, Kind, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::TypeDefinition;
use crate::resolve::show;
use crate::types::{instance, parameters};
use crate::{Type, TypeKind};

/// The parameters of a function of the prelude or a standard module that takes no other types.
fn own_parameters(name: &str) -> Option<&'static [Type]> {
    Some(match name {
        "print" | "panic" => &[Type::STR],
        "assert" => &[Type::BOOL],
        "hash_combine" | "wrapping_add" | "wrapping_sub" | "wrapping_mul" => &[Type::INT, Type::INT],
        "wrapping_neg" => &[Type::INT],
        "pow" | "atan2" | "hypot" => &[Type::FLOAT, Type::FLOAT],
        "sqrt" | "abs" | "floor" | "ceil" | "round" | "trunc" | "cbrt" | "exp" | "ln" | "log2" | "log10" | "sin" | "cos" | "tan"
        | "asin" | "acos" | "atan" | "sinh" | "cosh" | "tanh" => &[Type::FLOAT],
        _ => return None,
    })
}

/// What is put aside while the body of a lambda is checked.
pub(super) struct Outside<'a> {
    number: usize,
    item: ItemId,
    bindings: usize,
    frames: Vec<super::Frame<'a>>,
    indexed: Vec<super::Indexed>,
    first_local: usize,
}

/// A lambda in the text: parameters, result type, body.
pub(super) type Written<'a> = (&'a [LambdaParam], Option<tree::TypeId>, tree::ExprId);

impl Outside<'_> {
    /// The function that the lambda becomes.
    pub(super) fn item(&self) -> ItemId {
        self.item
    }
}

impl<'a> Checker<'a> {
    /// `x -> e`, with what is known of its parameters by now.
    pub(super) fn lambda_now(&mut self, (params, result, body): Written<'a>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let wanted = match self.resolved(expect.ty).kind() {
            TypeKind::Function(params, result) if expect.mode != Mode::None => Some((params, result)),
            _ => None,
        };
        // Something was reported that would have said what is expected.
        let is_silent = expect.mode != Mode::None && expect.ty == Type::ERROR;
        let mut types = Vec::with_capacity(params.len());
        for (i, param) in params.iter().enumerate() {
            let expected = wanted.filter(|(wanted, _)| wanted.len() == params.len()).map(|(wanted, _)| self.resolved(wanted[i]));
            types.push(match (param.ty, expected) {
                (Some(ty), expected) => {
                    let ty = self.read_type(ty)?;
                    // What does not fit is said of the whole.
                    expected.into_iter().for_each(|expected| _ = self.unify(ty, expected));
                    ty
                }
                (None, Some(expected)) => expected,
                (None, None) if is_silent => Type::ERROR,
                (None, None) => self.fresh(),
            });
        }
        if let (Some((wanted, _)), Some((expected, why))) = (wanted, expect.checked())
            && wanted.len() != params.len()
        {
            // Of another number of parameters nothing can be learned about these.
            let result = self.fresh();
            let found = Type::function(&types, result);
            self.mismatch(span, expected, found, why, None);
            return Ok(self.error(span));
        }
        let declared = match result {
            Some(ty) => Some((self.read_type(ty)?, Why::Annotation(self.tree.type_span(ty)))),
            None => wanted.map(|(_, result)| (self.resolved(result), Why::None)),
        };
        let outside = self.enter_lambda();
        let mut locals = Vec::with_capacity(params.len());
        let mut names = Vec::with_capacity(params.len());
        for (param, &ty) in params.iter().zip(&types) {
            let name = param.name.unwrap_or(self.blank);
            if param.name.is_some() && names.contains(&name) {
                self.report(Code::E0603, param.span, [name.into()]);
            }
            let local = self.local(name, ty, false);
            if param.name.is_some() {
                self.draft.bindings.push(Binding { name, local, kind: Kind::Parameter, span: param.span });
            }
            names.push(name);
            locals.push(local);
        }
        let mark = self.draft.scratch.len();
        // A `?` leaves the lambda, not what is around it.
        let left = declared.map_or_else(|| self.fresh(), |(ty, _)| ty);
        self.targets.push(Target { ty: left, block: None, this: None, is_left: false });
        let postponed = self.postponed.len();
        let value = match declared {
            Some((ty, why)) if self.resolved(ty) == Type::VOID && self.is_empty_braces(body) => {
                self.branch(body, &Expect::check(Type::VOID, why))?
            }
            Some((ty, why)) => self.check(body, self.resolved(ty), why)?,
            None => self.infer(body)?,
        };
        self.end_statement(postponed)?;
        let is_left = self.targets.pop().is_some_and(|target| target.is_left);
        let value = match declared {
            None if is_left => self.fit(value, self.resolved(left), Why::None)?,
            _ => value,
        };
        let value = self.with_statements(mark, value, span);
        let found = self.ty(value);
        let result = match declared {
            None if is_left => self.resolved(left),
            // What never ends gives any type; without another reason for one, none.
            Some((ty, _)) => match self.resolved(ty).kind() {
                TypeKind::Variable(_) if found == Type::NEVER => {
                    self.unify(ty, Type::NEVER);
                    Type::NEVER
                }
                _ => self.resolved(ty),
            },
            None => found,
        };
        Ok(self.leave_lambda(outside, names, locals, value, result, span))
    }

    /// Begins a lambda: what is declared from now on is its own.
    pub(super) fn enter_lambda(&mut self) -> Outside<'a> {
        let number = self.draft.lambdas.len();
        let (base, _) = self.draft.body.owner.generic();
        let item = match self.around.parameters.is_empty() {
            true => base.lambda(number),
            false => instance(base.lambda(number), &parameters(&self.around.parameters)),
        };
        let first_local = self.draft.body.locals.len();
        let nothing = ExprId::new(u32::MAX as usize);
        self.draft.lambdas.push(Lambda { item, names: Vec::new(), params: Vec::new(), first_local, root: nothing, closure: nothing });
        self.around_lambdas.push(first_local);
        Outside {
            number,
            item,
            bindings: self.draft.bindings.len(),
            frames: std::mem::take(&mut self.frames),
            indexed: std::mem::take(&mut self.indexed),
            first_local,
        }
    }

    /// Ends a lambda: the value that it is.
    pub(super) fn leave_lambda(
        &mut self,
        outside: Outside<'a>,
        names: Vec<Symbol>,
        params: Vec<LocalId>,
        root: ExprId,
        result: Type,
        span: Span,
    ) -> ExprId {
        self.around_lambdas.pop();
        self.frames = outside.frames;
        self.indexed = outside.indexed;
        self.draft.bindings.truncate(outside.bindings);
        let types: Vec<Type> = params.iter().map(|&param| self.resolved(self.draft.body.locals[param].ty)).collect();
        let ty = Type::function(&types, result);
        let operand = self.draft.body.lists.add([root]);
        let closure = self.push(Expr::Closure(outside.item, operand), ty, span);
        self.poisoned |= types.contains(&Type::ERROR) || result == Type::ERROR;
        let first_local = outside.first_local;
        self.draft.lambdas[outside.number] = Lambda { item: outside.item, names, params, first_local, root, closure };
        closure
    }

    /// Does a lambda around here capture the variable?
    pub(super) fn is_captured(&self, local: LocalId) -> bool {
        self.around_lambdas.last().is_some_and(|&first| local.index() < first)
    }

    /// A function as a value. `owner_args` are the type arguments of the block that it stands in.
    pub(super) fn function_value(&mut self, item: ItemId, owner_args: Vec<Type>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let Some(signature) = self.cx.signature(item)? else {
            self.poisoned = true;
            return Ok(self.error(span));
        };
        if signature.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
            self.poisoned = true;
            return Ok(self.error(span));
        }
        let own = signature.generics.len() - owner_args.len();
        let mut args = owner_args;
        args.extend(self.open_arguments(own));
        let mut params = Vec::with_capacity(signature.params.len());
        for param in &signature.params {
            params.push(self.instantiated(param.ty, &args, span)?);
        }
        let result = self.instantiated(signature.result, &args, span)?;
        let ty = Type::function(&params, result);
        if !args.is_empty()
            && let Some((wanted, _)) = expect.checked()
        {
            // What does not fit is reported where the value goes.
            self.unify(ty, wanted);
        }
        if !signature.given.bounds.is_empty() {
            self.require(&signature.given, &args, span)?;
        }
        let ty = self.resolved(ty);
        let value = self.push(Expr::Closure(item, List::EMPTY), ty, span);
        if !args.is_empty() {
            self.instantiate(value, item, &args, span)?;
        }
        Ok(value)
    }

    /// A variant with payload, or a newtype, as the function that makes it. Whoever takes it is told what its type asks of its arguments as whoever calls it.
    pub(super) fn constructor_value(
        &mut self,
        definition: &TypeDefinition,
        ty: Type,
        payload: &[(Symbol, Type)],
        number: Option<usize>,
        span: Span,
    ) -> Result<ExprId> {
        let args = super::variants::arguments(ty);
        if !definition.given.bounds.is_empty() || !definition.given.equalities.is_empty() {
            self.require(&definition.given, args, span)?;
        }
        let outside = self.enter_lambda();
        let (mut params, mut names) = (Vec::new(), Vec::new());
        for &(name, part) in payload {
            // What is positional has its number as its name, which is none of a variable.
            let name = if name.as_str().starts_with(|c: char| c.is_ascii_digit()) { self.blank } else { name };
            let part = self.instantiated(part, args, span)?;
            params.push(self.local(name, part, false));
            names.push(name);
        }
        let values: Vec<ExprId> = params.iter().map(|&param| self.read(param, span)).collect();
        let list = self.draft.body.lists.add(values);
        let expr = match (definition.choices(), number) {
            (Some(_), Some(number)) => Expr::Variant(number as u32, list),
            (Some(_) | None, _) => Expr::Aggregate(list),
        };
        let root = self.push(expr, ty, span);
        Ok(self.leave_lambda(outside, names, params, root, ty, span))
    }

    /// A function of the prelude or a standard module as a value: its parameters have the types that are expected.
    pub(super) fn builtin_value(&mut self, module: Option<Symbol>, name: Symbol, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let wanted = match self.resolved(expect.ty).kind() {
            TypeKind::Function(params, result) if expect.mode != Mode::None => Some((params, result)),
            _ => None,
        };
        let own = |types: &'static [Type]| (types, self.fresh());
        let Some((types, result)) =
            wanted.filter(|(params, _)| !params.iter().any(|ty| ty.has_variable())).or_else(|| own_parameters(name.as_str()).map(own))
        else {
            self.cannot_infer(span, name.as_str());
            return Ok(self.error(span));
        };
        let outside = self.enter_lambda();
        let params: Vec<LocalId> = types.iter().map(|&ty| self.local(self.blank, ty, false)).collect();
        let mark = self.draft.scratch.len();
        let values = params.iter().map(|&param| self.read(param, span)).collect();
        self.operands = Some(values);
        let root = match module {
            Some(module) => self.call_std(module, name, span, List::EMPTY, span)?,
            None => self.call_builtin(name, List::EMPTY, span, &Expect::NONE)?,
        };
        self.operands = None;
        let root = match self.ty(root) {
            Type::NEVER => root,
            _ => self.fit(root, self.resolved(result), Why::None)?,
        };
        let root = self.with_statements(mark, root, span);
        if self.ty(root) == Type::ERROR {
            self.leave_lambda(outside, Vec::new(), params, root, Type::ERROR, span);
            return Ok(self.error(span));
        }
        let result = if self.ty(root) == Type::NEVER { self.resolved(result) } else { self.ty(root) };
        let result = if matches!(result.kind(), TypeKind::Variable(_)) { Type::NEVER } else { result };
        Ok(self.leave_lambda(outside, Vec::new(), params, root, result, span))
    }

    /// `T.f` without a call; `None` when the type has no associated function of this name.
    pub(super) fn associated_value(&mut self, base: tree::ExprId, name: Symbol, span: Span, expect: &Expect<'a>) -> Result<Option<ExprId>> {
        let ty = match (self.type_path(base)?, &self.tree.exprs[base]) {
            (Some(item), _) => {
                let count = self.cx.type_definition(item)?.map_or(0, |definition| definition.generics.len());
                self.open_struct(item, count)
            }
            (None, &Ast::Name(root)) if self.lookup(root).is_none() => match self.around.parameter(root) {
                Some(ty) => ty,
                None => return Ok(None),
            },
            (None, _) => match self.path_before(base)? {
                Some(Before::Type(Type::ERROR)) => return Ok(Some(self.error(span))),
                Some(Before::Type(ty)) => ty,
                Some(Before::Trait(_)) | None => return Ok(None),
            },
        };
        let at = self.last_segment(span, name);
        if let Some((item, owner_args)) = self.inherent(ty, name, false, at)? {
            return self.function_value(item, owner_args, span, expect).map(Some);
        }
        Ok(match self.of_traits(ty, name, false, at, expect)? {
            Offered::Nothing if self.inherent(ty, name, true, at)?.is_some() => {
                self.report(Code::E0309, at, [name.into()]).helps.push("a method is called on a value".into());
                Some(self.error(span))
            }
            Offered::Nothing => None,
            Offered::Method(item, owner_args) => Some(self.function_value(item, owner_args, span, expect)?),
            Offered::Ambiguous => Some(self.error(span)),
        })
    }

    /// `value.f(...)` where `f` is no method but a field; `None` when it is neither.
    pub(super) fn field_call(&mut self, value: ExprId, name: Symbol, args: List<Argument>, span: Span) -> Result<Option<ExprId>> {
        let TypeKind::Struct(item, type_args) = self.ty(value).kind() else { return Ok(None) };
        let Some(definition) = self.cx.type_definition(item)? else { return Ok(None) };
        let index = definition.field_named(name).filter(|_| definition.has_members() && self.sees_fields(item));
        let Some(index) = index else { return Ok(None) };
        let ty = self.instantiated(definition.fields[index].1, type_args, span)?;
        let at = Span::new(self.span_at(value).start, span.end);
        let callee = self.push(Expr::Field(value, index as u32), ty, at);
        self.call_value(callee, name.as_str(), args, span).map(Some)
    }

    /// A call of a value: positional, or by the names of the parameters of the lambda that a variable was declared with.
    pub(super) fn call_value(&mut self, callee: ExprId, shown: &str, args: List<Argument>, span: Span) -> Result<ExprId> {
        if !self.head_is_known(callee)? {
            return self.silent(args, span);
        }
        let ty = self.ty(callee);
        let at = self.span_at(callee);
        let TypeKind::Function(params, result) = ty.kind() else {
            if ty == Type::NEVER {
                let tree = self.tree;
                for argument in &tree.args[args] {
                    self.infer(argument.value)?;
                }
                return Ok(callee);
            }
            if !ty.fits_anywhere() {
                self.report(Code::E0305, at, [show(ty).into()]);
            }
            return self.silent(args, span);
        };
        let names = match self.expr_at(callee) {
            Expr::Local(local) => {
                let known = self.draft.named_lambdas.iter().rev().find(|(named, _)| *named == local);
                known.map(|&(_, number)| self.draft.lambdas[number].names.clone())
            }
            _ => None,
        };
        if names.is_none()
            && let Some((name, at)) = self.tree.args.get(args).iter().find_map(|a| Some((a.name?, a.span)))
        {
            let help = "a function value takes its arguments by position";
            self.report(Code::E0306, at, [shown.into(), name.into()]).helps.push(help.into());
            return self.silent(args, span);
        }
        let none = Symbol::new("");
        let name_of = |i: usize| names.as_ref().and_then(|names| names.get(i)).copied().unwrap_or(none);
        let list = self.tree.args.get(args);
        if list.len() < params.len() && list.iter().all(|argument| argument.name.is_none() && !argument.spread) {
            self.report(Code::E2004, at, [shown.into(), params.len().to_string().into(), list.len().to_string().into()]);
            return self.silent(args, span);
        }
        let Some(slots) = self.bind(shown, params.len(), name_of, false, args, at)? else { return self.silent(args, span) };
        if let Some(missing) = (0..params.len()).find(|slot| !slots.contains(slot)) {
            self.report(Code::E2004, at, [name_of(missing).into(), shown.into()]).wording = 1;
            return self.silent(args, span);
        }
        let in_order = slots.iter().enumerate().all(|(i, &slot)| i == slot);
        let mark = self.draft.scratch.len();
        let callee = if in_order { callee } else { self.settled(callee) };
        let checked = self.arguments(args, |checker, i| Ok((checker.resolved(params[slots[i]]), Why::None)))?;
        let mut values = vec![ExprId::new(u32::MAX as usize); params.len()];
        for (&value, &slot) in checked.iter().zip(&slots) {
            values[slot] = if in_order { value } else { self.settled(value) };
        }
        if values.iter().any(|&value| self.ty(value) == Type::ERROR) {
            self.poisoned = true;
        }
        let list = self.draft.body.lists.add(values);
        let call = self.push(Expr::CallValue(callee, list), self.resolved(result), span);
        Ok(self.with_statements(mark, call, span))
    }

    /// Checks arguments against their types: lambdas whose parameters have no types last, since the others may tell them (language/03 §3.16). The values
    /// come in textual order.
    pub(super) fn arguments(
        &mut self,
        args: List<Argument>,
        mut wanted: impl FnMut(&mut Self, usize) -> Result<(Type, Why<'a>)>,
    ) -> Result<Vec<ExprId>> {
        let list = self.tree.args.get(args);
        let mut values = vec![ExprId::new(u32::MAX as usize); list.len()];
        let mut late = Vec::new();
        for (i, argument) in list.iter().enumerate() {
            if self.is_open_lambda(argument.value) {
                late.push(i);
                continue;
            }
            let (ty, why) = wanted(self, i)?;
            values[i] = self.check(argument.value, ty, why)?;
        }
        for i in late {
            let (ty, why) = wanted(self, i)?;
            values[i] = self.check(list[i].value, ty, why)?;
        }
        Ok(values)
    }

    /// A lambda with a parameter without type?
    fn is_open_lambda(&self, mut id: tree::ExprId) -> bool {
        while let Ast::Paren(inner) = self.tree.exprs[id] {
            id = inner;
        }
        match self.tree.exprs[id] {
            Ast::Lambda { params, .. } => self.tree.lambda_params[self.tree.list(params)].iter().any(|param| param.ty.is_none()),
            _ => false,
        }
    }
}
