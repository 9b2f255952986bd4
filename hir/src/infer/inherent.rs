//! Methods and associated functions of declared types: where they are found, and what a call does to its receiver (language/04 §4.7).

use std::sync::Arc;

use ir::{ItemId, List, Symbol};
use syntax::tree::{self, Argument, Expr as Ast, TypeId};
use syntax::{DiagnosticCode as Code, Span};

use super::call::Callee;
use super::draft::Row;
use super::place::Step;
use super::traits::Offered;
use super::why::Expect;
use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::{Implementation, Receiver};
use crate::resolve::prelude::library_head;
use crate::resolve::show;
use crate::{Intrinsic, Type, TypeKind};

/// Where the final `self` of a call goes.
enum Target {
    /// Into a part of a local; its positions are in temporaries.
    Place(LocalId, Vec<(Step, Type, Span)>),
    /// Nowhere: the receiver is a value of its own.
    Dropped,
    /// There is a place, but nothing may be written to it; reported.
    Refused,
}

impl<'a> Checker<'a> {
    /// Has a type an inherent method or associated function of this name?
    pub(super) fn has_inherent(&self, ty: Type, name: Symbol) -> Result<bool> {
        let Some(head) = library_head(ty) else { return Ok(false) };
        Ok(self.cx.inherent_impls(head)?.iter().any(|row| row.methods.iter().any(|(n, _)| *n == name)))
    }

    /// The method (`with_self`) or associated function of a type, and the type arguments of its impl.
    pub(super) fn inherent(&mut self, ty: Type, name: Symbol, with_self: bool, at: Span) -> Result<Option<(ItemId, Vec<Type>)>> {
        let Some(head) = library_head(ty) else { return Ok(None) };
        let rows = self.cx.inherent_impls(head)?;
        let mut found: Option<(ItemId, Arc<Implementation>)> = None;
        let mut candidates: Vec<String> = Vec::new();
        for row in rows.iter() {
            let Some(&(_, item)) = row.methods.iter().find(|(n, _)| *n == name) else { continue };
            if let Some(signature) = self.cx.signature(item)?
                && (signature.receiver != Receiver::None) != with_self
            {
                continue;
            }
            let Some(implementation) = self.cx.implementation(row.item)? else { continue };
            if implementation.generics.is_empty() && implementation.ty == ty {
                return Ok(Some((item, Vec::new())));
            }
            // What one candidate would fix must not decide about the next.
            let before = self.variables.clone();
            let args = self.open_arguments(implementation.generics.len());
            if self.unify(implementation.ty.substituted(&args), ty) {
                candidates.push(format!("{}.{name}", show(implementation.ty)));
                found = found.or(Some((item, implementation)));
            }
            self.variables = before;
        }
        let Some((item, implementation)) = found else { return Ok(None) };
        let args = self.open_arguments(implementation.generics.len());
        self.unify(implementation.ty.substituted(&args), ty);
        // The same method twice is an error of its own; here the type is open, and impls for several of its instances have the method.
        if candidates.len() > 1 && ty.has_variable() {
            let list = candidates.join(", ");
            self.report(Code::E2023, at, [name.into(), list.into()]).helps.push("say what the type is, by an annotation".into());
        }
        Ok(Some((item, args)))
    }

    /// `T.f(...)` for a type that is known.
    pub(super) fn call_associated(
        &mut self,
        ty: Type,
        (name, types): (Symbol, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        if ty == Type::ERROR {
            return self.silent(args, span);
        }
        match self.inherent(ty, name, false, span)? {
            Some((item, owner_args)) => self.call_item(Callee { item, owner_args, receiver: None }, (span, types), args, span, expect),
            None => match self.of_traits(ty, name, false, span, expect)? {
                Offered::Nothing => self.no_method(ty, name, args, span),
                Offered::Method(item, owner_args) => {
                    self.call_item(Callee { item, owner_args, receiver: None }, (span, types), args, span, expect)
                }
                Offered::Ambiguous => self.silent(args, span),
            },
        }
    }

    /// A call with a receiver. When the method changes its `self`, the place of the receiver gets the final one before the result is used.
    pub(super) fn call_method(
        &mut self,
        callee: Callee,
        at: (Span, List<TypeId>),
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let Some((receiver, written)) = callee.receiver else { return self.silent(args, span) };
        let item = callee.item;
        let this = self.ty(receiver);
        if !self.cx.mutates(item)? {
            return self.call_item(callee, at, args, span, expect);
        }
        let mark = self.draft.scratch.len();
        let target = self.target_of(receiver, written)?;
        let call = self.call_item(callee, at, args, span, expect)?;
        if matches!(target, Target::Refused) {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        let result = self.cx.signature(item)?.map_or(Type::ERROR, |signature| signature.result);
        if self.ty(call).fits_anywhere() {
            return Ok(self.with_statements(mark, call, span));
        }
        if result == Type::VOID {
            let done = match target {
                Target::Place(local, steps) => {
                    let call = if steps.iter().any(|(step, ..)| step.is_index()) { self.settled(call) } else { call };
                    self.store_at(local, &steps, call, span)?
                }
                Target::Dropped | Target::Refused => {
                    let statements = self.draft.body.lists.add([call]);
                    self.push(Expr::Block { statements, tail: false }, Type::VOID, span)
                }
            };
            return Ok(self.with_statements(mark, done, span));
        }
        // The result beside the final `self`.
        let both = self.temporary(call);
        let ty = match self.ty(call).kind() {
            TypeKind::Tuple([first, _]) => *first,
            _ => Type::ERROR,
        };
        if let Target::Place(local, steps) = target {
            let pair = self.read(both, span);
            let last = self.push(Expr::Field(pair, 1), this, span);
            let store = self.store_at(local, &steps, last, span)?;
            self.draft.scratch.push(store);
        }
        let pair = self.read(both, span);
        let first = self.push(Expr::Field(pair, 0), ty, span);
        Ok(self.with_statements(mark, first, span))
    }

    /// Where a receiver stands. What is found to be no place is left as it was written: what it evaluates it evaluates in that order.
    fn target_of(&mut self, receiver: ExprId, written: tree::ExprId) -> Result<Target> {
        let mut before = Vec::new();
        let target = self.place_of(receiver, written, &mut before)?;
        if matches!(target, Target::Dropped) {
            for (at, row) in before.into_iter().rev() {
                self.draft.rows[at.index()] = row;
            }
        }
        Ok(target)
    }

    /// The statement that keeps the value of an expression in a local, which is read where that stood. The read has the number of the expression: what
    /// is below another one has a lower number (`lift`).
    fn kept_in(&mut self, local: LocalId, value: ExprId, changed: &mut Vec<(ExprId, Row)>) -> ExprId {
        let row = self.draft.rows[value.index()];
        let moved = self.push(row.expr, row.ty, row.span);
        let binding = self.push(Expr::Let(local, moved), Type::VOID, row.span);
        let nothing = |checker: &Self, at: ExprId| (at, Row { expr: Expr::Unit, ..checker.draft.rows[at.index()] });
        changed.extend([nothing(self, moved), nothing(self, binding), (value, row)]);
        self.draft.rows[value.index()].expr = Expr::Local(local);
        binding
    }

    /// A receiver as a place: it was checked, so a place is a local with fields and indices around it. What the indices are is evaluated once, before
    /// the call. `changed` gets what was there before it changed.
    fn place_of(&mut self, receiver: ExprId, written: tree::ExprId, changed: &mut Vec<(ExprId, Row)>) -> Result<Target> {
        let mut steps = Vec::new();
        // What is evaluated for each index, from the outermost one of the text inwards.
        let mut positions: Vec<Vec<ExprId>> = Vec::new();
        let mut before: Vec<ExprId> = Vec::new();
        let mut at = receiver;
        let mut written = written;
        loop {
            while let Ast::Paren(inner) = self.tree.exprs[written] {
                written = inner;
            }
            let (ty, span) = (self.ty(at), self.span_at(at));
            match self.expr_at(at) {
                Expr::Field(base, index) => {
                    steps.push((Step::Field(index), ty, span));
                    at = base;
                    if let Ast::Field(base, _) | Ast::TupleField(base, _) = self.tree.exprs[written] {
                        written = base;
                    }
                }
                // A receiver that `#` asks for the length of stands in a block of its own.
                Expr::Block { statements, tail: true } if matches!(self.tree.exprs[written], Ast::Index(..)) => {
                    let list = &self.draft.body.lists[statements];
                    let Some((&last, others)) = list.split_last() else { return Ok(Target::Dropped) };
                    before = others.to_vec();
                    changed.push((at, self.draft.rows[at.index()]));
                    self.draft.rows[at.index()] = self.draft.rows[last.index()];
                }
                Expr::Intrinsic(Intrinsic::ListGet, parts) => {
                    let (Ast::Index(base, _), &[list, position]) = (&self.tree.exprs[written], &self.draft.body.lists[parts]) else {
                        return Ok(Target::Dropped);
                    };
                    written = *base;
                    let local = self.local(self.blank, Type::INT, false);
                    let binding = self.kept_in(local, position, changed);
                    // The list that `#` is asked of is read where it was kept; its place is what it was kept from.
                    let kept = before.iter().find_map(|&statement| match (self.expr_at(statement), self.expr_at(list)) {
                        (Expr::Let(kept, value), Expr::Local(read)) if kept == read => Some(value),
                        _ => None,
                    });
                    before.push(binding);
                    positions.push(std::mem::take(&mut before));
                    steps.push((Step::Index(local), ty, span));
                    at = kept.unwrap_or(list);
                }
                // An element of a declared type is a place when `updated` puts there what `index` gives.
                Expr::Call(_, parts) if matches!(self.tree.exprs[written], Ast::Index(..)) => {
                    let (Ast::Index(base, _), &[owner, key]) = (&self.tree.exprs[written], &self.draft.body.lists[parts]) else {
                        return Ok(Target::Dropped);
                    };
                    let (this, wanted) = (self.ty(owner), self.ty(key));
                    let update = match self.updated_of(this, span)? {
                        Some(update) if self.resolved(update.key) == wanted && self.resolved(update.value) == ty => update,
                        Some(_) | None => return Ok(Target::Dropped),
                    };
                    written = *base;
                    let local = self.local(self.blank, wanted, false);
                    let binding = self.kept_in(local, key, changed);
                    before.push(binding);
                    positions.push(std::mem::take(&mut before));
                    self.updates.push(update);
                    steps.push((Step::User(local, self.updates.len() as u32 - 1), ty, span));
                    at = owner;
                }
                Expr::Local(local) => {
                    let Some(binding) = self.draft.bindings.iter().rev().find(|b| b.local == local).copied() else {
                        return Ok(Target::Dropped);
                    };
                    if binding.kind != super::Kind::Mutable || self.is_captured(local) {
                        let span = self.span_at(at);
                        self.judge_root(binding, span);
                        return Ok(Target::Refused);
                    }
                    steps.reverse();
                    // The outermost position comes first.
                    self.draft.scratch.extend(positions.into_iter().rev().flatten());
                    return Ok(Target::Place(local, steps));
                }
                Expr::Constant(item) => {
                    let span = self.span_at(at);
                    self.report(Code::E2039, span, [item.name().into()]).notes.push("items of a module never change".into());
                    return Ok(Target::Refused);
                }
                _ => return Ok(Target::Dropped),
            }
        }
    }
}
