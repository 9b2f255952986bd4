//! `?`, `try` and `??`: matches that leave what is around them (language/05 §5.5, 06 §6.6 and §6.7).
//!
//! `e?` is `match e { Some(v) -> v, None -> leave }`. What it leaves is the innermost `try` block, which is a loop that is left with a value, or the
//! whole body.

use ir::List;
use syntax::tree::{self, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::variants::arguments;
use super::why::{Expect, Mode, Why};
use super::{Checker, Result, Which};
use crate::ir::{Arm, Expr, ExprId, LocalId, LoopId, Pattern};
use crate::program::returned;
use crate::resolve::prelude::{self, ERR, NONE, OK, SOME, Sum};
use crate::resolve::show;
use crate::{Type, TypeKind};

/// What a `?` may leave.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The type of what is left: it is `Option` or `Result`, or else `?` is an error. It may be open.
    pub ty: Type,
    /// The loop that a `try` block is; `None` for the body.
    pub block: Option<LoopId>,
    /// In a method that changes its `self`, the variable that holds it.
    pub this: Option<LocalId>,
    /// Has a `?` left it?
    pub is_left: bool,
}

/// One of the two types that have a value to go on with and something else.
#[derive(Clone, Copy)]
struct Carrier {
    sum: Sum,
    args: &'static [Type],
}

impl Carrier {
    /// The type of the value to go on with.
    fn value(self) -> Type {
        self.args[0]
    }

    /// The numbers of the variants: with the value, and without.
    fn variants(self) -> (u32, u32) {
        if self.sum == Sum::Option { (SOME, NONE) } else { (OK, ERR) }
    }
}

fn carrier(ty: Type) -> Option<Carrier> {
    let TypeKind::Struct(item, args) = ty.kind() else { return None };
    let sum = prelude::sum(item)?;
    (sum != Sum::Ordering).then_some(Carrier { sum, args })
}

impl<'a> Checker<'a> {
    /// An arm for a variant with one value in its payload, or none; `body` makes its value of it.
    fn arm_for(
        &mut self,
        number: u32,
        payload: Option<Type>,
        span: Span,
        body: impl FnOnce(&mut Self, Option<LocalId>) -> Result<ExprId>,
    ) -> Result<Arm> {
        let local = payload.map(|ty| self.local(self.blank, ty, false));
        let mut parts = Vec::new();
        if let Some(local) = local {
            let any = self.push_pattern(Pattern::Any, span);
            parts.push(self.push_pattern(Pattern::Bind(local, any), span));
        }
        let parts = self.draft.body.parts.add(parts);
        let pattern = self.push_pattern(Pattern::Variant(number, parts), span);
        Ok(Arm { pattern, guard: None, body: body(self, local)? })
    }

    /// Both arms of a carrier: the value as it is, and something for the other variant.
    fn choice(
        &mut self,
        scrutinee: ExprId,
        of: Carrier,
        ty: Type,
        span: Span,
        other: impl FnOnce(&mut Self, Option<LocalId>) -> Result<ExprId>,
    ) -> Result<ExprId> {
        let (with, without) = of.variants();
        let good = self.arm_for(with, Some(of.value()), span, |checker, value| match value {
            Some(value) => Ok(checker.read(value, span)),
            None => Ok(checker.error(span)),
        })?;
        let bad = self.arm_for(without, of.args.get(1).copied(), span, other)?;
        // A variant without values is not matched.
        let empty = |ty: Option<&Type>| ty == Some(&Type::NEVER);
        let (no_good, no_bad) = (empty(of.args.first()), empty(of.args.get(1)));
        let arms: Vec<Arm> = [(good, no_good), (bad, no_bad)].into_iter().filter(|(_, is_empty)| !is_empty).map(|(arm, _)| arm).collect();
        let arms = self.draft.body.arms.add(arms);
        let ty = if no_good { Type::NEVER } else { ty };
        Ok(self.match_on(scrutinee, arms, ty, span))
    }

    fn match_on(&mut self, scrutinee: ExprId, arms: List<Arm>, ty: Type, span: Span) -> ExprId {
        let done = self.push(Expr::Match { scrutinee, arms }, ty, span);
        if self.ty(scrutinee).has_variable() {
            self.open_matches.push(done);
        }
        done
    }

    // ---- `?` ----

    pub(super) fn question(&mut self, operand: tree::ExprId, span: Span) -> Result<ExprId> {
        let value = self.infer(operand)?;
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            return Ok(value);
        }
        let Some(of) = carrier(ty) else {
            if !self.lacks_silently(ty)? {
                self.report(Code::E2020, span, ["?".into(), show(ty).into()]).wording = 1;
            }
            return Ok(self.error(span));
        };
        let Some(target) = self.left(of, ty, span)? else { return Ok(self.error(span)) };
        self.choice(value, of, of.value(), span, |checker, error| {
            let result = checker.resolved(target.ty);
            let (_, without) = of.variants();
            let parts: Vec<ExprId> = error.into_iter().map(|error| checker.read(error, span)).collect();
            let parts = checker.draft.body.lists.add(parts);
            let last = checker.push(Expr::Variant(without, parts), result, span);
            Ok(checker.leave(target, last, span))
        })
    }

    /// What a `?` on this type leaves; `None` after a report.
    fn left(&mut self, of: Carrier, ty: Type, span: Span) -> Result<Option<Target>> {
        let Some(mut target) = self.targets.last().copied() else {
            let found = match self.which {
                Which::Constant => "a constant",
                Which::Default(_) => "a default",
                Which::Function | Which::Test => "no result",
            };
            self.report(Code::E0804, span, [found.into()]);
            return Ok(None);
        };
        if let Some(last) = self.targets.last_mut() {
            last.is_left = true;
        }
        let mut result = self.resolved(target.ty);
        if let TypeKind::Variable(_) = result.kind() {
            // The first `?` says which of the two it is; the error is the one of its operand.
            let TypeKind::Struct(item, _) = ty.kind() else { return Ok(None) };
            let open = self.open_struct(item, of.args.len());
            self.unify(result, open);
            result = self.resolved(open);
            target.ty = result;
        }
        if result == Type::ERROR {
            self.poisoned = true;
            return Ok(None);
        }
        let Some(wanted) = carrier(result) else {
            self.report(Code::E0804, span, [show(result).into()]);
            return Ok(None);
        };
        let fits = wanted.sum == of.sum && (of.sum == Sum::Option || self.unify(wanted.args[1], of.args[1]));
        if !fits {
            let result = self.resolved(result);
            let help = match (of.sum, wanted.sum) {
                (Sum::Result, Sum::Result) => {
                    format!("convert the error with `.map_err(...)` to `{}`", show(self.resolved(wanted.args[1])))
                }
                (Sum::Option, _) => "`.ok_or(err: ...)` makes a `Result` of it".into(),
                _ => "`.ok()` makes an `Option` of it".into(),
            };
            self.report(Code::E0805, span, [show(ty).into(), show(result).into()]).helps.push(help);
            return Ok(None);
        }
        Ok(Some(target))
    }

    /// Leaves a target with a value of its type.
    fn leave(&mut self, target: Target, value: ExprId, span: Span) -> ExprId {
        if let Some(block) = target.block {
            return self.push(Expr::Break(block, Some(value)), Type::NEVER, span);
        }
        let value = match target.this {
            Some(this) => {
                let ty = returned(self.ty(value), self.draft.body.locals[this].ty);
                let this = self.read(this, span);
                let parts = self.draft.body.lists.add([value, this]);
                self.push(Expr::Aggregate(parts), ty, span)
            }
            None => value,
        };
        self.push(Expr::Return(value), Type::NEVER, span)
    }

    // ---- `try` ----

    pub(super) fn try_block(&mut self, body: tree::ExprId, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let expected = expect.checked().and_then(|(wanted, _)| carrier(self.resolved(wanted)));
        let sum = expected.map_or(Sum::Result, |wanted| wanted.sum);
        let open = if sum == Sum::Option { self.open_lenient(prelude::option(), 1) } else { self.open_lenient(prelude::result(), 2) };
        if let Some((wanted, _)) = expect.checked() {
            self.unify(open, wanted);
        }
        let id = self.draft.body.loops.push(None);
        self.targets.push(Target { ty: open, block: Some(id), this: None, is_left: false });
        let hint = self.resolved(arguments(open)[0]);
        let inner = self.expr(body, &Expect { ty: hint, mode: Mode::Hint, why: Why::None });
        let target = self.targets.pop();
        let mut value = inner?;
        let found = self.ty(value);
        if found == Type::ERROR {
            return Ok(self.error(span));
        }
        // A tail of the type of the block is the value as it is.
        let is_whole = found != Type::NEVER && carrier(found).is_some_and(|found| found.sum == sum) && self.unify(found, open);
        if found != Type::NEVER && !is_whole {
            let at = self.span_at(value);
            let wanted = self.resolved(arguments(open)[0]);
            let why = expect.checked().map_or(Why::None, |(_, why)| why);
            value = self.fit(value, wanted, why)?;
            if self.ty(value) == Type::ERROR {
                return Ok(self.error(span));
            }
            let parts = self.draft.body.lists.add([value]);
            let ty = self.resolved(open);
            value = self.push(Expr::Variant(if sum == Sum::Option { SOME } else { OK }, parts), ty, at);
        }
        let is_left = target.is_some_and(|target| target.is_left) || found != Type::NEVER;
        let value = if found == Type::NEVER { value } else { self.push(Expr::Break(id, Some(value)), Type::NEVER, span) };
        let ty = if is_left { self.resolved(open) } else { Type::NEVER };
        Ok(self.push(Expr::Loop { id, body: value }, ty, span))
    }

    // ---- `??` ----

    pub(super) fn coalesce(&mut self, left: tree::ExprId, right: tree::ExprId, span: Span) -> Result<ExprId> {
        let before = self.diagnostics.len();
        let value = self.infer(left)?;
        self.explain_coalesce(left, right, before);
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(value);
        if ty == Type::NEVER {
            return Ok(value);
        }
        let Some(of) = carrier(ty) else {
            let other = self.infer(right)?;
            let other = self.ty(other);
            if ty != Type::ERROR && other != Type::ERROR && !self.lacks_silently(ty)? {
                self.report(Code::E2020, span, ["??".into(), show(ty).into(), show(other).into()]);
            }
            return Ok(self.error(span));
        };
        let hint = self.resolved(of.value());
        let other = self.expr(right, &Expect { ty: hint, mode: Mode::Hint, why: Why::None })?;
        let found = self.ty(other);
        if found == Type::ERROR {
            return Ok(self.error(span));
        }
        if found == Type::NEVER || self.unify(found, hint) {
            let result = self.resolved(hint);
            return self.choice(value, of, result, span, |_, _| Ok(other));
        }
        if !self.unify(found, ty) {
            let at = self.span_at(other);
            let (want, have) = (show(self.resolved(hint)), show(found));
            let error = self.report(Code::E2001, at, [want.as_str().into(), have.as_str().into()]);
            error.label = format!("this is `{have}`");
            error.notes.push(format!("expected `{want}`, or `{}` again, because that is on the left of `??`", show(ty)));
            return Ok(self.error(span));
        }
        // The left side as it is, if it has a value.
        let mark = self.draft.scratch.len();
        let whole = self.held(value);
        let (with, without) = of.variants();
        let scrutinee = self.read(whole, span);
        let good = self.arm_for(with, Some(of.value()), span, |checker, _| Ok(checker.read(whole, span)))?;
        let bad = self.arm_for(without, of.args.get(1).copied(), span, |_, _| Ok(other))?;
        let arms = self.draft.body.arms.add([good, bad]);
        let result = self.resolved(ty);
        let chosen = self.match_on(scrutinee, arms, result, span);
        Ok(self.with_statements(mark, chosen, span))
    }

    /// `a > m[k] ?? 0` means `(a > m[k]) ?? 0`. Where the operator does not take what `??` was meant for, E2020 says so.
    fn explain_coalesce(&mut self, left: tree::ExprId, right: tree::ExprId, before: usize) {
        let Ast::Binary(op, _, operand) = self.tree.exprs[left] else { return };
        let (whole, operand, end) = (self.span(left), self.span(operand), self.span(right).end);
        let anchor = self.anchor;
        // `m[k] ?? 0 && c` may be meant as `(m[k] ?? 0) && c` or as `m[k] ?? (0 && c)`: only the author can say.
        let is_one = self.is_one_operand(right);
        let Some((place, found)) = self.no_operator.filter(|_| self.diagnostics.len() > before) else { return };
        let Some(error) = self.diagnostics.last_mut().filter(|error| error.code == Code::E2020) else { return };
        if place != whole || carrier(found).is_none() {
            return;
        }
        error.helps.clear();
        error.helps.push(format!("`??` binds weaker than `{}`; put its operands in parentheses", super::operators::text(op)));
        if !is_one {
            return;
        }
        for (at, text) in [(operand.start, "("), (end, ")")] {
            error.edits.push(syntax::Edit { anchor, span: Span::new(at, at), text: text.into(), machine_applicable: true });
        }
    }

    /// Is this an operand that no operator, and no form without an end, is part of?
    fn is_one_operand(&self, mut at: tree::ExprId) -> bool {
        if let Ast::Unary(_, operand) = self.tree.exprs[at] {
            at = operand;
        }
        matches!(
            self.tree.exprs[at],
            Ast::Literal(_)
                | Ast::Template(_)
                | Ast::Name(_)
                | Ast::Dollar(_)
                | Ast::SelfValue
                | Ast::Unit
                | Ast::Tuple(_)
                | Ast::List(_)
                | Ast::Map(_)
                | Ast::Struct { .. }
                | Ast::Field(..)
                | Ast::TupleField(..)
                | Ast::MethodCall { .. }
                | Ast::Call { .. }
                | Ast::Index(..)
                | Ast::Paren(_)
        )
    }

    /// Is a `Result` thrown away here? Only where it is a statement.
    pub(super) fn warn_unused(&mut self, statement: tree::ExprId, value: ExprId) {
        if carrier(self.ty(value)).is_some_and(|of| of.sum == Sum::Result)
            && !matches!(self.tree.exprs[statement], Ast::Let { .. } | Ast::Assign { .. })
        {
            let at = self.span_at(value);
            self.report(Code::W0301, at, []).helps.push("handle it with `match`, pass it on with `?`, or say `let _ = ...`".into());
        }
    }
}
