//! Calls: what is called, which argument goes where, and in which order all that is evaluated (language/05 §5.1, §5.6).

use ir::{ItemId, List, Namespace, Symbol};
use smallvec::SmallVec;
use syntax::tree::{self, Argument, Expr as Ast, TypeId};
use syntax::{Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::names::later_name;
use super::variants::Named;
use super::why::{Expect, Mode, Why};
use super::{Checker, Result, builtin};
use crate::ir::{Expr, ExprId};
use crate::program::{Entity, Parameter, Receiver, Signature, returned};
use crate::resolve::prelude::{self, Known};
use crate::resolve::{WHOLE_MODULE, is_later_type, not_exported, prelude_type, suggest};
use crate::{Type, TypeKind};

/// What is called.
pub(super) struct Callee {
    pub item: ItemId,
    /// Type arguments of the block that a method stands in.
    pub owner_args: Vec<Type>,
    /// The value before the dot, and what is written there.
    pub receiver: Option<(ExprId, tree::ExprId)>,
}

impl Callee {
    fn function(item: ItemId) -> Callee {
        Callee { item, owner_args: Vec::new(), receiver: None }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn call(
        &mut self,
        callee: tree::ExprId,
        types: List<TypeId>,
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let at = self.span(callee);
        let name = match self.tree.exprs[callee] {
            Ast::Name(name) => name,
            Ast::Dollar(name) => {
                return match self.scope.value(name) {
                    Some(Entity::Unsupported(..)) => self.silent(args, span),
                    _ => Ok(self.refuse(span, "const functions")),
                };
            }
            Ast::SelfValue => return self.call_again(callee, args, span),
            Ast::SelfType if types.is_empty() => return self.own_call(at, args, span),
            _ => {
                let value = self.infer(callee)?;
                return self.call_value(value, "the value", args, span);
            }
        };
        if let Some(binding) = self.lookup(name) {
            let ty = self.resolved(self.draft.body.locals[binding.local].ty);
            // `let len = len(collection: xs)`: a local that is no function does not hide the predeclared one from calls.
            if let Some(item) = prelude::function(name.as_str())
                && !matches!(ty.kind(), TypeKind::Function(..))
            {
                return self.call_item(Callee::function(item), (at, types), args, span, expect);
            }
            if matches!(ty.kind(), TypeKind::Function(..)) || !builtin::is_function(name.as_str()) {
                if !types.is_empty() {
                    self.report(Code::E2017, at, [name.into()]);
                    return self.silent(args, span);
                }
                let value = self.push(Expr::Local(binding.local), ty, at);
                return self.call_value(value, name.as_str(), args, span);
            }
            return self.call_builtin(name, args, span, expect);
        }
        if let Some(error) = self.parameter_in_default(name, at) {
            return Ok(error);
        }
        let other = self.scope.value(name);
        let mut named = self.expected_variant(name, expect)?;
        if let Named::Nothing = named {
            named = self.scope_variant(name, other, at)?;
        }
        if !types.is_empty() && !matches!(named, Named::Nothing) {
            self.report(Code::E2017, at, [name.into()]);
            return self.silent(args, span);
        }
        if let Some(value) = self.named_value(named, at, Some(args), span, expect)? {
            return Ok(value);
        }
        if let Some(entity) = other {
            return self.call_entity(entity, name, (at, types), args, span, expect);
        }
        let text = name.as_str();
        if let Some(item) = prelude::function(text) {
            return self.call_item(Callee::function(item), (at, types), args, span, expect);
        }
        if prelude::is_library(self.item.id.module())
            && let Some(value) = self.call_of_library(name, args, span)?
        {
            return Ok(value);
        }
        if !types.is_empty() && builtin::is_function(text) {
            self.report(Code::E2017, at, [name.into()]);
            return self.silent(args, span);
        }
        if builtin::is_function(text) {
            return self.call_builtin(name, args, span, expect);
        }
        if let Some(what) = later_name(text) {
            return Ok(self.refuse(span, what));
        }
        if let Some(item) = prelude::of_variant(text) {
            let named = self.variant_of(item, name)?;
            if let Some(value) = self.named_value(named, at, Some(args), span, expect)? {
                return Ok(value);
            }
        }
        let predeclared = || prelude::trait_named(text).map(Entity::Trait);
        match self.scope.type_name(name).or_else(predeclared) {
            Some(Entity::Unsupported(..)) => return self.silent(args, span),
            Some(Entity::Type(item)) => return self.newtype_call(item, (name, at), types, args, span, expect),
            Some(_) => {
                self.type_as_value(name, at);
                return Ok(self.error(span));
            }
            None => {}
        }
        if prelude_type(text).is_some() || prelude::predeclared(text).is_some() {
            self.type_as_value(name, at);
            return Ok(self.error(span));
        }
        if is_later_type(text) {
            return Ok(self.refuse(at, format!("`{text}`")));
        }
        self.unknown_name(name, false, at);
        self.silent(args, span)
    }

    /// Calls something that a module offers.
    pub(super) fn call_entity(
        &mut self,
        entity: Entity,
        name: Symbol,
        (at, types): (Span, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        match entity {
            Entity::Function(item) => self.call_item(Callee::function(item), (at, types), args, span, expect),
            Entity::Std(_, member) if member.as_str() == WHOLE_MODULE => {
                self.report(Code::E0305, at, ["a module".into()]);
                self.silent(args, span)
            }
            Entity::Type(item) => self.newtype_call(item, (name, at), types, args, span, expect),
            _ if !types.is_empty() => {
                self.report(Code::E2017, at, [name.into()]);
                self.silent(args, span)
            }
            Entity::Std(module, member) => match prelude::std_function(module, member) {
                Some(item) => self.call_item(Callee::function(item), (at, types), args, span, expect),
                None => self.call_std(module, member, at, args, span),
            },
            Entity::Constant(_) => {
                let value = self.entity(entity, name, false, at, &Expect::NONE)?;
                self.call_value(value, name.as_str(), args, span)
            }
            Entity::Trait(_) => {
                self.type_as_value(name, at);
                Ok(self.error(span))
            }
            Entity::Module(_) => {
                self.report(Code::E0305, at, ["a module".into()]);
                self.silent(args, span)
            }
            Entity::Unsupported(item, _) => {
                if item.path().namespace == Namespace::Test {
                    self.report(Code::E0515, at, []);
                }
                self.silent(args, span)
            }
        }
    }

    /// The arguments for their own errors, then an error without a report.
    pub(super) fn silent(&mut self, args: List<Argument>, span: Span) -> Result<ExprId> {
        self.poisoned = true;
        let tree = self.tree;
        for argument in &tree.args[args] {
            // The parameters of a lambda are what the call would have said.
            self.expr(argument.value, &Expect { ty: Type::ERROR, mode: Mode::Hint, why: Why::None })?;
        }
        Ok(self.error(span))
    }

    /// What a module alias has under a name; reports when it has nothing.
    pub(super) fn member_of(&mut self, alias: Entity, root: Symbol, name: Symbol, span: Span) -> Result<Option<Entity>> {
        let at = self.last_segment(span, name);
        let missing = |module: Symbol| Diagnostic::new(Code::E0203, self.anchor, at, [module.into(), name.into()]);
        let error = match alias {
            Entity::Module(module) => {
                let scope = self.cx.scope(module)?;
                let found = scope.exported(name).find(|e| !crate::program::is_type(*e)).or_else(|| scope.exported(name).next());
                // Variants of a refused type are known there, and their declaration has the report.
                let found = found.or_else(|| scope.value(name).filter(|e| matches!(e, Entity::Unsupported(..))));
                if found.is_some() {
                    return Ok(found);
                }
                not_exported(&scope, module, name, self.anchor, at)
            }
            Entity::Std(module, _) => {
                if crate::resolve::std_member(module, name).is_some() {
                    return Ok(Some(Entity::Std(module, name)));
                }
                missing(module)
            }
            Entity::Function(_) | Entity::Constant(_) | Entity::Type(_) | Entity::Trait(_) | Entity::Unsupported(..) => missing(root),
        };
        self.poisoned = true;
        self.diagnostics.push(error);
        Ok(None)
    }

    /// A declared function or method: receiver, then arguments in textual order, then defaults in parameter order, then the call.
    pub(super) fn call_item(
        &mut self,
        callee: Callee,
        (at, types): (Span, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let Callee { item, owner_args, receiver } = callee;
        let mut receiver = receiver.map(|(value, _)| value);
        let Some(signature) = self.cx.signature(item)? else { return self.silent(args, span) };
        // A header with errors says too little; its own report is enough. A wrong type in it makes that part silent by itself.
        if signature.diagnostics.iter().any(|d| d.severity() == Severity::Error && d.code != Code::E2002) {
            return self.silent(args, span);
        }
        // What takes no `self` is called through its type.
        if let Some(value) = receiver.filter(|_| signature.receiver == Receiver::None) {
            let ty = self.ty(value);
            self.report_no_method(ty, item.short_name(), at)?;
            return self.silent(args, span);
        }
        let Some(type_args) = self.type_arguments(&signature, owner_args, types, at)? else { return self.silent(args, span) };
        let params = &signature.params[usize::from(receiver.is_some())..];
        let name = item.short_name();
        // What the library declares takes its arguments as built-in functions do.
        let names_required = params.len() > 1 && !prelude::is_predeclared(item);
        let variadic = params.last().filter(|parameter| parameter.variadic);
        let (args, rest) = match variadic {
            Some(parameter) => match self.split_variadic(name, parameter.name, args)? {
                Some(parts) => parts,
                None => return self.silent(args, span),
            },
            None => (args, List::EMPTY),
        };
        let fixed = params.len() - usize::from(variadic.is_some());
        let names: SmallVec<[Symbol; 8]> = params.iter().map(|parameter| prelude::argument_name(item, parameter.name)).collect();
        let Some(slots) = self.bind(name.as_str(), fixed, |i| names[i], names_required, args, at)? else {
            return self.silent(args, span);
        };
        for (i, parameter) in params[..fixed].iter().enumerate() {
            if parameter.default.is_none() && !slots.contains(&i) {
                self.missing(name, names[i], Some((item, parameter.span)), at);
                if let (Some(variadic), false) = (variadic, rest.is_empty()) {
                    let text = format!("arguments without a name go to `{}`", variadic.name);
                    let last = self.diagnostics.len() - 1;
                    self.diagnostics[last].notes.push(text);
                }
                self.silent(rest, span)?;
                return self.silent(args, span);
            }
        }
        if !type_args.is_empty()
            && let Some((wanted, _)) = expect.checked()
        {
            // What does not fit is reported where the value goes.
            let result = self.instantiated(signature.result, &type_args, at)?;
            self.unify(result, wanted);
        }
        if item == prelude::collect()
            && let &[this, target] = &type_args[..]
            && let TypeKind::Variable(_) = self.resolved(target).kind()
        {
            // Nothing is expected: a list.
            let element = self.projected(Type::associated(&[this], Known::Iterator.item(), prelude::item_type()), at)?;
            self.unify(target, Type::list(element));
        }
        let mark = self.draft.scratch.len();
        // Explicit arguments stand in parameter order before all defaults: then the written order is the order of the call.
        let in_order = slots.iter().enumerate().all(|(i, &slot)| i == slot) && (rest.is_empty() || slots.len() == fixed);
        let mut values: SmallVec<[ExprId; 8]> = SmallVec::with_capacity(params.len() + 1);
        if !in_order {
            receiver = receiver.map(|value| self.settled(value));
            values.resize(params.len(), ExprId::new(u32::MAX as usize));
        }
        let list = self.tree.args.get(args);
        let checked = self.arguments(args, |checker, i| {
            let parameter = &params[slots[i]];
            let why = Why::Parameter(item, parameter.name, parameter.span);
            if !checker.projections.is_empty() {
                checker.settle_projections()?;
            }
            Ok((checker.instantiated(parameter.ty, &type_args, list[i].span)?, why))
        })?;
        for (value, &slot) in checked.into_iter().zip(&slots) {
            if in_order {
                values.push(value);
            } else {
                values[slot] = self.settled(value);
            }
        }
        let mut failed = params.iter().any(|p| p.ty == Type::ERROR);
        let rest = match variadic {
            Some(parameter) => Some(self.variadic_list(item, parameter, &type_args, rest, at)?),
            None => None,
        };
        // What is written is evaluated before the defaults.
        let rest = rest.map(|list| if in_order { list } else { self.settled(list) });
        failed |= rest.is_some_and(|list| self.ty(list) == Type::ERROR);
        for (i, parameter) in params[..fixed].iter().enumerate() {
            if (in_order && i < slots.len()) || slots.contains(&i) {
                failed |= self.ty(values[i]) == Type::ERROR;
                continue;
            }
            let Some(default) = parameter.default else { continue };
            let ty = self.instantiated(parameter.ty, &type_args, at)?;
            let value = self.push(Expr::Call(default, List::EMPTY), ty, span);
            self.instantiate(value, default, &type_args, span)?;
            if in_order { values.push(value) } else { values[i] = value }
        }
        if let Some(list) = rest {
            if in_order { values.push(list) } else { values[fixed] = list }
        }
        if failed {
            self.poisoned = true;
        }
        if !self.projections.is_empty() {
            self.settle_projections()?;
        }
        if !signature.given.bounds.is_empty() {
            self.require(&signature.given, &type_args, at)?;
        }
        if let Some(receiver) = receiver {
            values.insert(0, receiver);
        }
        let list = self.draft.body.lists.add(values);
        let mut result = self.instantiated(signature.result, &type_args, at)?;
        if signature.receiver != Receiver::None && self.cx.mutates(item)? {
            let this = signature.params.first().map_or(Type::ERROR, |this| this.ty);
            result = returned(result, self.resolved(this.substituted(&type_args)));
        }
        let call = self.push(Expr::Call(item, list), result, span);
        if !type_args.is_empty() {
            self.instantiate(call, item, &type_args, span)?;
        }
        Ok(self.with_statements(mark, call, span))
    }

    /// The arguments for the other parameters, and those behind them for the variadic one; `None` after a report (language/04 §4.2).
    fn split_variadic(
        &mut self,
        function: Symbol,
        variadic: Symbol,
        args: List<Argument>,
    ) -> Result<Option<(List<Argument>, List<Argument>)>> {
        let tree = self.tree;
        let list = tree.args.get(args);
        if let Some(at) = list.iter().position(|argument| argument.name == Some(variadic)) {
            let named = &list[at];
            // What has no name comes after all that has one.
            let is_last = list[at + 1..].iter().all(|argument| argument.name.is_none());
            let (anchor, value) = (self.anchor, self.span(named.value));
            // A literal says whether one value is meant or the elements of a list; of anything else nobody knows it here.
            let text = match tree.exprs[named.value] {
                Ast::List(_) => Some("..."),
                Ast::Literal(_) | Ast::Template(_) => Some(""),
                _ => None,
            };
            let error = self.report(Code::E0318, named.span, []);
            match text.filter(|_| !named.punned && is_last) {
                Some(text) => {
                    let span = Span::new(named.span.start, value.start);
                    error.edits.push(syntax::Edit { anchor, span, text: text.to_owned(), machine_applicable: true });
                }
                None => error.helps.push(format!("write `{function}(..., ...{variadic})` for the elements of a list")),
            }
            return Ok(None);
        }
        let count = list.iter().take_while(|argument| argument.name.is_some()).count();
        if let Some(late) = list[count..].iter().find(|argument| argument.name.is_some()) {
            self.report(Code::E2011, late.span, []).helps.push(format!("arguments for `{variadic}` come after all named ones"));
            return Ok(None);
        }
        if let Some(pattern) = list[count..].iter().find(|argument| argument.pattern.is_some()) {
            self.report(Code::E1002, pattern.span, []);
            return Ok(None);
        }
        let (start, count) = (args.start() as u32, count as u32);
        Ok(Some((List::new(start, count), List::new(start + count, args.len() as u32 - count))))
    }

    /// The list that a variadic parameter gets.
    fn variadic_list(
        &mut self,
        item: ItemId,
        parameter: &Parameter,
        type_args: &[Type],
        rest: List<Argument>,
        span: Span,
    ) -> Result<ExprId> {
        let tree = self.tree;
        let ty = self.instantiated(parameter.ty, type_args, span)?;
        let TypeKind::List(element) = self.resolved(ty).kind() else { return self.silent(rest, span) };
        let parts = tree.args.get(rest).iter().map(|argument| (argument.spread, argument.value));
        self.list_of(parts, Some((element, Why::Parameter(item, parameter.name, parameter.span))), span)
    }

    /// What stands for the type parameters: those of the block around a method are known, those of the function are written or open.
    /// `None` after a report.
    fn type_arguments(&mut self, signature: &Signature, owner_args: Vec<Type>, types: List<TypeId>, at: Span) -> Result<Option<Vec<Type>>> {
        let own = signature.generics.len() - owner_args.len();
        let written = &self.tree.type_lists[types];
        if written.is_empty() {
            let mut all = owner_args;
            if own > 0 {
                all.extend(self.open_arguments(own));
            }
            return Ok(Some(all));
        }
        let name = signature.item.short_name();
        if written.len() > own {
            self.report(Code::E2017, at, [name.into()]);
            return Ok(None);
        }
        if written.len() < own {
            let args = [name.into(), own.to_string().into(), written.len().to_string().into()];
            self.report(Code::E2016, at, args);
            return Ok(None);
        }
        let mut all = owner_args;
        for &ty in written {
            all.push(self.read_type(ty)?);
        }
        Ok((!all.contains(&Type::ERROR)).then_some(all))
    }

    /// A value that may be read later than its neighbours: literals stay, everything else goes to a temporary now.
    pub(super) fn settled(&mut self, value: ExprId) -> ExprId {
        match self.expr_at(value) {
            Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => value,
            _ => {
                let span = self.span_at(value);
                let local = self.temporary(value);
                self.read(local, span)
            }
        }
    }

    fn missing(&mut self, function: Symbol, parameter: Symbol, declared: Option<(ItemId, Span)>, at: Span) {
        let error = self.report(Code::E2004, at, [parameter.into(), function.into()]);
        error.wording = 1;
        if let Some((item, span)) = declared {
            let text = format!("`{parameter}` is declared here, without default");
            error.labels.push(syntax::Label { anchor: syntax::Anchor::Item(item), span, text });
        }
    }

    /// The parameter of each argument, in textual order; `None` after a report. Missing ones are the caller's matter.
    pub(super) fn bind(
        &mut self,
        function: &str,
        count: usize,
        name_of: impl Fn(usize) -> Symbol,
        names_required: bool,
        args: List<Argument>,
        at: Span,
    ) -> Result<Option<SmallVec<[usize; 8]>>> {
        let list = self.tree.args.get(args);
        let mut slots = SmallVec::with_capacity(list.len());
        let named = list.iter().filter(|a| a.name.is_some()).count();
        if let Some(spread) = list.iter().find(|a| a.spread) {
            self.report(Code::E0112, spread.span, []);
            return Ok(None);
        }
        if let Some(pattern) = list.iter().find(|a| a.pattern.is_some()) {
            self.report(Code::E1002, pattern.span, []);
            return Ok(None);
        }
        if named == 0 && list.len() > count {
            let args = [function.into(), count.to_string().into(), list.len().to_string().into()];
            self.report(Code::E2004, list[count].span, args);
            return Ok(None);
        }
        if named > 0 && named < list.len() {
            let first = list.iter().find(|a| a.name.is_none()).map_or(at, |a| a.span);
            self.report(Code::E2011, first, []);
            return Ok(None);
        }
        if named == 0 && names_required && !list.is_empty() {
            let names: Vec<String> = (0..count).map(|i| format!("{}: ...", name_of(i))).collect();
            let at = list[0].span;
            self.report(Code::E1011, at, [function.into()]).helps.push(format!("write `{function}({})`", names.join(", ")));
            return Ok(None);
        }
        for (i, argument) in list.iter().enumerate() {
            let slot = match argument.name {
                None => i,
                // Arguments usually stand in parameter order.
                Some(name) if i < count && name_of(i) == name => i,
                Some(name) => match (0..count).find(|&slot| name_of(slot) == name) {
                    Some(slot) => slot,
                    None => {
                        let near = suggest(name.as_str(), (0..count).map(|slot| name_of(slot).as_str()));
                        let anchor = self.anchor;
                        let known: Vec<&str> = (0..count).map(|slot| name_of(slot).as_str()).collect();
                        let span = self.name_part(argument.span, name);
                        let error = self.report(Code::E0306, argument.span, [function.into(), name.into()]);
                        match near {
                            Some((near, is_sure)) => {
                                error.helps.push(format!("the nearest parameter is `{near}`"));
                                error.edits.push(syntax::Edit { anchor, span, text: near, machine_applicable: is_sure });
                            }
                            None if known.is_empty() => error.helps.push(format!("`{function}` takes no arguments")),
                            None => error.helps.push(format!("its parameters are {}", known.join(", "))),
                        }
                        return Ok(None);
                    }
                },
            };
            if slots.contains(&slot) {
                self.report(Code::E0307, argument.span, [name_of(slot).into()]);
                return Ok(None);
            }
            slots.push(slot);
        }
        Ok(Some(slots))
    }

    /// The name at the start of a span.
    fn name_part(&self, span: Span, name: Symbol) -> Span {
        Span::new(span.start, span.end.min(span.start + name.as_str().len() as u32))
    }

    /// E2004 for a builtin parameter without argument.
    pub(super) fn missing_builtin(&mut self, function: &str, parameter: &str, at: Span) {
        self.missing(Symbol::new(function), Symbol::new(parameter), None, at);
    }
}
