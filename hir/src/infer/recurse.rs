//! `recurse(condition: c, base: b, step: s)`: the body of a function that calls itself in `s` (language/06 §6.9).
//!
//! The whole body becomes a function of its own, as a lambda does, with the parameters of the function and the number of calls that are open. It is a loop:
//! `self(..)` in tail position assigns the parameters and goes around, any other one is a call with one more open. With `memo: true` a map of what is known
//! goes in as one more argument and comes back beside the result.

use ir::{List, Symbol};
use syntax::tree::{self, Argument, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::propagate::Target;
use super::why::{Expect, Why};
use super::{Binding, Checker, Kind, Result};
use crate::ir::{Arm, Expr, ExprId, LocalId, LoopId, Pattern, WHOLE};
use crate::program::Receiver;
use crate::resolve::prelude::{self, Known};
use crate::resolve::show;
use crate::{Intrinsic, Type, TypeKind};

/// How many calls may be open.
const LIMIT: i64 = 1000;

/// The arguments of the form.
#[derive(Clone, Copy)]
struct Parts {
    condition: tree::ExprId,
    base: tree::ExprId,
    step: tree::ExprId,
    memo: bool,
}

/// A function that is made of the body around.
pub(super) struct Recursion {
    /// The form in the text.
    form: tree::ExprId,
    parts: Parts,
    /// The function itself, and its type.
    item: ir::ItemId,
    ty: Type,
    result: Type,
    /// The loop that it is.
    id: LoopId,
    names: Vec<Symbol>,
    /// Its parameters as variables, those of the function in the text first.
    params: Vec<LocalId>,
    has_self: bool,
    /// How many calls are open.
    open: LocalId,
    /// What is known.
    memo: Option<LocalId>,
    /// What `self` is called by in tail position.
    tails: Vec<tree::ExprId>,
    /// How many lambdas are around it.
    lambdas: usize,
    in_step: bool,
}

impl<'a> Checker<'a> {
    /// The body of a function that is `recurse(..)`, or a block that ends with it; `None` when it is neither.
    pub(super) fn recursive_body(&mut self, root: tree::ExprId, result: Type, why: Why<'a>) -> Result<Option<ExprId>> {
        let tree = self.tree;
        let form = match tree.exprs[root] {
            Ast::Block { statements, tail: true } => tree.expr_lists.get(statements).last().copied().unwrap_or(root),
            _ => root,
        };
        let Ast::Special { form: word, args } = tree.exprs[form] else { return Ok(None) };
        let span = self.span(form);
        if word.as_str() != "recurse" || self.draft.body.params.iter().any(|&param| self.draft.body.locals[param].ty == Type::ERROR) {
            return Ok(None);
        }
        let Some(parts) = self.recursion_parts(args, span)? else { return Ok(Some(self.error(span))) };
        let outer = self.draft.body.params.clone();
        let types: Vec<Type> = outer.iter().map(|&param| self.draft.body.locals[param].ty).collect();
        let key = Type::tuple(&types);
        if parts.memo {
            for &ty in &types {
                for known in [Known::Eq, Known::Hashable] {
                    self.wants(ty, known, span)?;
                }
            }
            self.wants(result, Known::Clone, span)?;
        }
        let map = prelude::map_of(key, result);
        let both = if parts.memo { Type::tuple(&[result, map]) } else { result };
        let reads: Vec<ExprId> = outer.iter().map(|&param| self.read(param, span)).collect();
        let nothing = self.int(0, span);
        let empty = if parts.memo { Some(self.empty_map(key, result, span)?) } else { None };
        let mark = self.draft.scratch.len();
        let outside = self.enter_lambda();
        let item = outside.item();
        let (mut names, mut locals, mut params) = (Vec::new(), Vec::new(), Vec::new());
        for &param in &outer {
            let crate::ir::Local { name, ty, .. } = self.draft.body.locals[param];
            names.push(name);
            locals.push(self.local(name, ty, false));
        }
        let open = self.local(self.blank, Type::INT, false);
        let given = parts.memo.then(|| self.local(self.blank, map, false));
        for (at, &param) in locals.iter().enumerate() {
            let variable = self.variable(param, span);
            params.push(variable);
            let known = self.draft.bindings.iter().find(|binding| binding.local == outer[at]).copied();
            if let Some(known) = known {
                self.draft.bindings.push(Binding { local: variable, kind: Kind::Parameter, ..known });
            }
        }
        let memo = given.map(|given| self.variable(given, span));
        let mut arguments = types.clone();
        arguments.push(Type::INT);
        arguments.extend(parts.memo.then_some(map));
        let ty = Type::function(&arguments, both);
        let id = self.draft.body.loops.push(None);
        let has_self = self.cx.signature(self.item.id)?.is_some_and(|signature| signature.receiver != Receiver::None);
        let mut tails = Vec::new();
        self.tails(parts.step, &mut tails);
        let lambdas = self.around_lambdas.len();
        let recursion = Recursion {
            form,
            parts,
            item,
            ty,
            result,
            id,
            names: names.clone(),
            params: params.clone(),
            has_self,
            open,
            memo,
            tails,
            lambdas,
            in_step: false,
        };
        self.recursion = Some(recursion);
        self.targets.push(Target { ty: result, block: None, this: memo, is_left: false });
        let inner = self.draft.scratch.len();
        let key = memo.map(|memo| self.known_result(memo, &params, (key, result, both), id, span)).transpose()?;
        let value = self.check(root, result, why)?;
        self.targets.pop();
        self.recursion = None;
        let round = if self.ty(value) == Type::NEVER {
            self.with_statements(inner, value, span)
        } else {
            let value = match (memo, key) {
                (Some(memo), Some(key)) => {
                    let held = self.temporary(value);
                    let (before, key, value) = (self.read(memo, span), self.read(key, span), self.read(held, span));
                    let more = self.of_map(before, "insert", &[key, value], map, span)?;
                    let value = self.read(held, span);
                    let stored = self.draft.body.lists.add([value, more]);
                    self.push(Expr::Aggregate(stored), both, span)
                }
                _ => value,
            };
            let leave = self.push(Expr::Break(id, Some(value)), Type::NEVER, span);
            self.with_statements(inner, leave, span)
        };
        let rounds = self.push(Expr::Loop { id, body: round }, both, span);
        let whole = self.with_statements(mark, rounds, span);
        let all: Vec<LocalId> = locals.iter().copied().chain([open]).chain(given).collect();
        names.resize(all.len(), self.blank);
        let closure = self.leave_lambda(outside, names, all, whole, both, span);
        let args = self.draft.body.lists.add(reads.into_iter().chain([nothing]).chain(empty));
        let call = self.push(Expr::CallValue(closure, args), both, span);
        Ok(Some(if parts.memo { self.push(Expr::Field(call, 0), result, span) } else { call }))
    }

    /// A variable that starts as a parameter.
    fn variable(&mut self, param: LocalId, span: Span) -> LocalId {
        let crate::ir::Local { name, ty, .. } = self.draft.body.locals[param];
        let local = self.local(name, ty, true);
        let value = self.read(param, span);
        let binding = self.push(Expr::Let(local, value), Type::VOID, span);
        self.draft.scratch.push(binding);
        local
    }

    fn wants(&mut self, ty: Type, known: Known, span: Span) -> Result<()> {
        if self.has(ty, known, span)? == Some(false) && !self.lacks_silently(ty)? {
            self.report(Code::E2009, span, [show(ty).into(), known.name().into()]);
        }
        Ok(())
    }

    /// `match memo.get(key) { Some(found) -> break (found, memo), None -> () }`; the local with the key.
    fn known_result(
        &mut self,
        memo: LocalId,
        params: &[LocalId],
        (key, result, both): (Type, Type, Type),
        id: LoopId,
        span: Span,
    ) -> Result<LocalId> {
        let parts: Vec<ExprId> = params.iter().map(|&param| self.read(param, span)).collect();
        let value = match parts[..] {
            [] => self.unit(span),
            [one] => one,
            _ => {
                let parts = self.draft.body.lists.add(parts);
                self.push(Expr::Aggregate(parts), key, span)
            }
        };
        let key = self.temporary(value);
        let (map, read) = (self.read(memo, span), self.read(key, span));
        let scrutinee = self.of_map(map, "get", &[read], prelude::option_of(result), span)?;
        let found = self.local(self.blank, result, false);
        let parts = [self.read(found, span), self.read(memo, span)];
        let parts = self.draft.body.lists.add(parts);
        let pair = self.push(Expr::Aggregate(parts), both, span);
        let leave = self.push(Expr::Break(id, Some(pair)), Type::NEVER, span);
        let unit = self.unit(span);
        let any = self.push_pattern(Pattern::Any, span);
        let name = self.push_pattern(Pattern::Bind(found, any), span);
        let parts = self.draft.body.parts.add([name]);
        let some = self.push_pattern(Pattern::Variant(prelude::SOME, parts), span);
        let none = self.push_pattern(Pattern::Variant(prelude::NONE, List::EMPTY), span);
        let arms = [Arm { pattern: some, guard: None, body: leave }, Arm { pattern: none, guard: None, body: unit }];
        let arms = self.draft.body.arms.add(arms);
        let asked = self.push(Expr::Match { scrutinee, arms }, Type::VOID, span);
        self.draft.scratch.push(asked);
        Ok(key)
    }

    /// The arguments of the form; `None` after a report.
    fn recursion_parts(&mut self, args: List<Argument>, span: Span) -> Result<Option<Parts>> {
        const NAMES: [&str; 5] = ["condition", "base", "step", "memo", "parallel"];
        let tree = self.tree;
        let mut found: [Option<tree::ExprId>; NAMES.len()] = [None; NAMES.len()];
        let mut is_wrong = false;
        for argument in tree.args.get(args) {
            let Some(name) = argument.name else {
                self.report(Code::E1013, argument.span, ["recurse".into()]);
                is_wrong = true;
                continue;
            };
            match NAMES.iter().position(|known| *known == name.as_str()) {
                None => self.report(Code::E1010, argument.span, ["recurse".into(), name.into()]),
                Some(at) if found[at].is_some() => self.report(Code::E0307, argument.span, [name.into()]),
                Some(at) => {
                    found[at] = Some(argument.value);
                    continue;
                }
            };
            is_wrong = true;
        }
        for (name, _) in NAMES.iter().zip(&found).take(3).filter(|(_, part)| part.is_none()) {
            self.report(Code::E1009, span, ["recurse".into(), (*name).into()]);
            is_wrong = true;
        }
        let memo = self.flag(found[3], "memo");
        let parallel = self.flag(found[4], "parallel");
        if parallel == Some(true) {
            self.refuse(span, "parallel recursion");
            return Ok(None);
        }
        if self.changes_self()? {
            self.refuse(span, "`recurse` in a method that changes its `self`");
            return Ok(None);
        }
        Ok(match (found, memo, parallel) {
            ([Some(condition), Some(base), Some(step), ..], Some(memo), Some(_)) if !is_wrong => {
                Some(Parts { condition, base, step, memo })
            }
            _ => None,
        })
    }

    /// An argument that must be a constant; `None` after a report.
    fn flag(&mut self, argument: Option<tree::ExprId>, name: &str) -> Option<bool> {
        let Some(argument) = argument else { return Some(false) };
        let span = self.span(argument);
        match self.tree.exprs[argument] {
            Ast::Literal(tree::Literal::Bool(value)) => Some(value),
            Ast::Dollar(_) => {
                self.refuse(span, format!("a named constant as `{name}`"));
                None
            }
            _ => {
                self.report(Code::E0701, span, [name.into()]);
                None
            }
        }
    }

    fn changes_self(&self) -> Result<bool> {
        let Some(signature) = self.cx.signature(self.item.id)? else { return Ok(false) };
        Ok(signature.receiver != Receiver::None && self.cx.mutates(self.item.id)?)
    }

    /// The callees of the calls of `self` in tail position.
    fn tails(&self, at: tree::ExprId, found: &mut Vec<tree::ExprId>) {
        let tree = self.tree;
        match tree.exprs[at] {
            Ast::Paren(inner) => self.tails(inner, found),
            Ast::Call { callee, .. } if tree.exprs[callee] == Ast::SelfValue => found.push(callee),
            Ast::If { then, otherwise: Some(otherwise), .. } => {
                self.tails(then, found);
                self.tails(otherwise, found);
            }
            Ast::Block { statements, tail: true } => {
                if let Some(&last) = tree.expr_lists.get(statements).last() {
                    self.tails(last, found);
                }
            }
            Ast::Match { arms, .. } => {
                for arm in tree.arms.get(arms) {
                    self.tails(arm.body, found);
                }
            }
            _ => {}
        }
    }

    /// The form itself: `if condition then base else step`. It stands in one place only (E0808).
    pub(super) fn recurse(&mut self, form: tree::ExprId, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let parts = match &self.recursion {
            Some(recursion) if recursion.form == form && !recursion.in_step => recursion.parts,
            _ => {
                // What `self(..)` means there is nobody's guess.
                self.report(Code::E0808, span, []);
                return Ok(self.error(span));
            }
        };
        let (result, why) = match (expect.checked(), &self.recursion) {
            (Some(wanted), _) => wanted,
            (None, Some(recursion)) => (recursion.result, Why::None),
            (None, None) => return Ok(self.error(span)),
        };
        let condition = self.condition(parts.condition, "the condition of `recurse`")?;
        let base = self.check(parts.base, result, why)?;
        self.step(true);
        let step = self.check(parts.step, result, why);
        self.step(false);
        let step = step?;
        if self.ty(base) == Type::ERROR || self.ty(step) == Type::ERROR {
            return Ok(self.error(span));
        }
        let never = self.ty(base) == Type::NEVER && self.ty(step) == Type::NEVER;
        let ty = if never { Type::NEVER } else { self.resolved(result) };
        Ok(self.push(Expr::If { condition, then: base, otherwise: Some(step) }, ty, span))
    }

    fn step(&mut self, in_step: bool) {
        if let Some(recursion) = &mut self.recursion {
            recursion.in_step = in_step;
        }
    }

    /// `self(..)` in a step.
    pub(super) fn call_again(&mut self, callee: tree::ExprId, args: List<Argument>, span: Span) -> Result<ExprId> {
        let at = self.span(callee);
        let Some(recursion) = self.recursion.as_ref().filter(|recursion| recursion.in_step) else {
            self.report(Code::E0806, at, []);
            return self.silent(args, span);
        };
        let (names, params, has_self) = (recursion.names.clone(), recursion.params.clone(), recursion.has_self);
        let Recursion { open, memo, id, item, ty, result, .. } = *recursion;
        let is_inside = recursion.lambdas == self.around_lambdas.len();
        let is_tail = recursion.tails.contains(&callee) && is_inside;
        if memo.is_some() && !is_inside {
            return Ok(self.refuse(span, "`self(...)` with `memo` in a lambda"));
        }
        let tree = self.tree;
        // The receiver comes first, without a name.
        let first = usize::from(has_self);
        let has_receiver = tree.args.get(args).first().is_some_and(|argument| argument.name.is_none() && !argument.spread);
        if has_self && !has_receiver {
            self.missing_builtin("self", names[0].as_str(), at);
            return self.silent(args, span);
        }
        let rest = List::new(args.start() as u32 + first as u32, args.len() as u32 - first as u32);
        let count = params.len() - first;
        let Some(slots) = self.bind("self", count, |i| names[first + i], false, rest, at)? else { return self.silent(args, span) };
        if let Some(missing) = (0..count).find(|at| !slots.contains(at)) {
            self.missing_builtin("self", names[first + missing].as_str(), at);
            return self.silent(args, span);
        }
        let mark = self.draft.scratch.len();
        let mut values: Vec<Option<ExprId>> = vec![None; params.len()];
        let places = (0..first).chain(slots.iter().map(|slot| first + slot));
        let mut failed = false;
        for (argument, place) in tree.args.get(args).iter().zip(places) {
            let wanted = self.draft.body.locals[params[place]].ty;
            let value = self.check(argument.value, wanted, Why::None)?;
            failed |= self.ty(value) == Type::ERROR;
            let local = self.temporary(value);
            values[place] = Some(self.read(local, span));
        }
        if failed {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        let values = values.into_iter().flatten();
        if is_tail {
            for (&local, value) in params.iter().zip(values) {
                let assigned = self.push(Expr::Assign { local, path: WHOLE, value }, Type::VOID, span);
                self.draft.scratch.push(assigned);
            }
            let again = self.push(Expr::Continue(id), Type::NEVER, span);
            return Ok(self.with_statements(mark, again, span));
        }
        let mut all: Vec<ExprId> = values.collect();
        let (count, limit) = (self.read(open, span), self.int(LIMIT, span));
        let is_deep = self.intrinsic(Intrinsic::Ge, &[count, limit], Type::BOOL, span);
        let text = self.push(Expr::Str(Symbol::new("recursion limit exceeded")), Type::STR, span);
        let panic = self.intrinsic(Intrinsic::Panic, &[text], Type::NEVER, span);
        let unit = self.unit(span);
        let judged = self.push(Expr::If { condition: is_deep, then: panic, otherwise: Some(unit) }, Type::VOID, span);
        self.draft.scratch.push(judged);
        let (count, one) = (self.read(open, span), self.int(1, span));
        all.push(self.intrinsic(Intrinsic::WrappingAdd, &[count, one], Type::INT, span));
        if let Some(memo) = memo {
            all.push(self.read(memo, span));
        }
        let closure = self.push(Expr::Closure(item, List::EMPTY), ty, span);
        let TypeKind::Function(_, both) = ty.kind() else { return Ok(self.error(span)) };
        let all = self.draft.body.lists.add(all);
        let call = self.push(Expr::CallValue(closure, all), both, span);
        let Some(memo) = memo else { return Ok(self.with_statements(mark, call, span)) };
        let pair = self.temporary(call);
        let read = self.read(pair, span);
        let known = self.draft.body.locals[memo].ty;
        let value = self.push(Expr::Field(read, 1), known, span);
        let stored = self.push(Expr::Assign { local: memo, path: WHOLE, value }, Type::VOID, span);
        self.draft.scratch.push(stored);
        let read = self.read(pair, span);
        let value = self.push(Expr::Field(read, 0), result, span);
        Ok(self.with_statements(mark, value, span))
    }
}
