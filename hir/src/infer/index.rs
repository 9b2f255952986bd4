//! Indexing of declared types: `value[key]` by `Index`, `place[key] = value` by a method `updated` (language/05 §5.4, §5.7, 08 §8.6).

use ir::{ItemId, Symbol};
use syntax::tree;
use syntax::{DiagnosticCode as Code, Span};

use super::traits::Offered;
use super::why::Expect;
use super::{Checker, Result};
use crate::ir::{Expr, ExprId};
use crate::program::{TraitRef, returned};
use crate::resolve::prelude::Known;
use crate::resolve::show;
use crate::{Type, TypeKind};

/// The method that stands behind an assignment to an index.
#[derive(Clone)]
pub(super) struct Updated {
    pub item: ItemId,
    pub args: Vec<Type>,
    pub key: Type,
    pub value: Type,
    /// Does it change its `self`, so that a call gives that too?
    pub mutates: bool,
}

impl<'a> Checker<'a> {
    /// `receiver[key]` for a receiver of a declared type or a type parameter.
    pub(super) fn at_user_index(&mut self, receiver: ExprId, base: Span, index: tree::ExprId, span: Span) -> Result<ExprId> {
        let ty = self.closed(receiver);
        let found = self.having(ty, Known::Index.item(), base)?;
        if found.is_empty() {
            if !self.lacks_silently(ty)? {
                self.report(Code::E2025, base, [show(ty).into()]);
            }
            return Ok(self.error(span));
        }
        let wanted: Vec<Type> = found.iter().filter_map(|found| found.args().first().copied()).collect();
        let Some((key, chosen)) = self.user_key(index, ty, &wanted)? else { return Ok(self.error(span)) };
        self.index_call(ty, found[chosen], receiver, key, span)
    }

    /// What a type has at keys of this type, if it is one thing.
    pub(super) fn index_of(&mut self, ty: Type, key: Type, at: Span) -> Result<Option<TraitRef>> {
        let mut found = self.having(ty, Known::Index.item(), at)?;
        found.retain(|found| found.args().first().is_some_and(|&of| of == key || of.has_variable() && self.may_be(of, key)));
        let [only] = found[..] else { return Ok(None) };
        if let Some(&of) = only.args().first() {
            self.unify(of, key);
        }
        Ok(Some(only))
    }

    pub(super) fn index_call(&mut self, ty: Type, found: TraitRef, receiver: ExprId, key: ExprId, span: Span) -> Result<ExprId> {
        let mut parts = vec![ty];
        parts.extend(found.args().iter().map(|&arg| self.resolved(arg)));
        let value = parts.last().copied().unwrap_or(Type::ERROR);
        self.through_with(Known::Index, &parts, &[receiver, key], value, span)
    }

    /// The key in the brackets, and which of the wanted types it has; `None` after a report.
    pub(super) fn user_key(&mut self, index: tree::ExprId, owner: Type, wanted: &[Type]) -> Result<Option<(ExprId, usize)>> {
        // `#` counts the positions of lists and texts alone.
        let indexed = std::mem::take(&mut self.indexed);
        let key = match wanted {
            &[only] => self.expr(index, &Expect { ty: only, mode: super::Mode::Hint, why: super::Why::None }),
            _ => self.infer(index),
        };
        self.indexed = indexed;
        let key = key?;
        let found = self.ty(key);
        if found == Type::ERROR {
            return Ok(None);
        }
        let before = self.variables.clone();
        let mut fitting = Vec::new();
        for (at, &ty) in wanted.iter().enumerate() {
            if found == Type::NEVER || self.unify(found, ty) {
                fitting.push(at);
            }
            self.variables.clone_from(&before);
        }
        let at = self.span_at(key);
        match fitting[..] {
            [chosen] => {
                self.unify(found, wanted[chosen]);
                Ok(Some((key, chosen)))
            }
            [] => {
                let list: Vec<String> = wanted.iter().map(|&ty| show(ty)).collect();
                self.report(Code::E2026, at, [show(owner).into(), list.join(" or ").into(), show(found).into()]);
                Ok(None)
            }
            _ => {
                let list: Vec<String> = fitting.iter().map(|&at| format!("`{}`", show(wanted[at]))).collect();
                self.report(Code::E2027, at, []).notes.push(format!("`{}` has an index for {}", show(owner), list.join(" and ")));
                Ok(None)
            }
        }
    }

    /// The method `updated(key:, value:)` of a type; `None` when it has none that gives the type itself.
    pub(super) fn updated_of(&mut self, ty: Type, at: Span) -> Result<Option<Updated>> {
        if !matches!(ty.kind(), TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..)) {
            return Ok(None);
        }
        let name = Symbol::new("updated");
        let found = match self.inherent(ty, name, true, at)? {
            Some(found) => Some(found),
            None => match self.of_traits(ty, name, true, at, &Expect::NONE)? {
                Offered::Method(item, args) => Some((item, args)),
                Offered::Nothing | Offered::Ambiguous => None,
            },
        };
        let Some((item, mut args)) = found else { return Ok(None) };
        let Some(signature) = self.cx.signature(item)? else { return Ok(None) };
        // They are passed by name, and in this order.
        let [_, key, value] = &signature.params[..] else { return Ok(None) };
        if (key.name, value.name) != (Symbol::new("key"), Symbol::new("value")) {
            return Ok(None);
        }
        let mutates = self.cx.mutates(item)?;
        args.extend(self.open_arguments(signature.generics.len() - args.len()));
        let result = self.instantiated(signature.result, &args, at)?;
        if !self.unify(result, ty) {
            return Ok(None);
        }
        // Its declaration has the report.
        self.poisoned |= [signature.result, key.ty, value.ty].contains(&Type::ERROR);
        self.require(&signature.given, &args, at)?;
        let (key, value) = (self.instantiated(key.ty, &args, at)?, self.instantiated(value.ty, &args, at)?);
        Ok(Some(Updated { item, args, key, value, mutates }))
    }

    /// `owner.updated(key:, value:)`
    pub(super) fn with_updated(&mut self, update: &Updated, owner: ExprId, key: ExprId, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(owner);
        let args = self.draft.body.lists.add([owner, key, value]);
        let result = if update.mutates { returned(ty, ty) } else { ty };
        let call = self.push(Expr::Call(update.item, args), result, span);
        if !update.args.is_empty() {
            self.instantiate(call, update.item, &update.args, span)?;
        }
        // A `self` that the method has changed is the one that the assignment replaces.
        Ok(if update.mutates { self.push(Expr::Field(call, 0), ty, span) } else { call })
    }
}
