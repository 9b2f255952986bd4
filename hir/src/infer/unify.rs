//! Open types: variables of inference and what is known of them.
//!
//! Variables come from calls of generic functions and literals of generic structs, so most bodies have none, and then nothing here runs. A type that
//! is looked at is resolved first; columns may hold variables until the body is finished.

use hashbrown::HashMap;
use ir::{ItemId, Symbol};
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result};
use crate::ir::{Expr, ExprId};
use crate::program::CodeType;
use crate::resolve::LARGEST;
use crate::resolve::prelude;
use crate::resolve::solve::dispatch;
use crate::types::{instance, shared};
use crate::{Type, TypeKind};

/// What a message calls a value without a name.
pub(super) const UNNAMED: &str = "this value";

/// A call of a generic function whose type arguments were not all known when it was checked.
pub(super) struct Pending {
    pub call: ExprId,
    pub item: ItemId,
    pub args: Vec<Type>,
    pub span: Span,
}

impl Checker<'_> {
    /// A type of which nothing is known.
    pub(super) fn fresh(&mut self) -> Type {
        self.variables.push(None);
        Type::new(TypeKind::Variable(self.variables.len() as u32 - 1))
    }

    /// A type of which nothing is known, and which becomes `Never` when it stays so (language/03 §3.16, 5).
    pub(super) fn fresh_lenient(&mut self) -> Type {
        self.lenient.push(self.variables.len() as u32);
        self.fresh()
    }

    /// The type with everything that is known of its variables.
    #[inline]
    pub(super) fn resolved(&self, ty: Type) -> Type {
        if self.variables.is_empty() || !ty.has_variable() { ty } else { self.resolve(ty) }
    }

    fn resolve(&self, ty: Type) -> Type {
        self.resolve_with(ty, &mut HashMap::new())
    }

    /// A variable that stands in a type twice is resolved once: of variables that each hold the next one twice, a walk without `known` has twice as
    /// many ways with each. What was found is not written into the variables, since a fix that fails takes back what it learned.
    fn resolve_with(&self, ty: Type, known: &mut HashMap<u32, Type>) -> Type {
        let resolved = ty.replaced(&mut |part| match part.kind() {
            _ if !part.has_variable() => Some(part),
            TypeKind::Variable(first) => Some(match known.get(&first) {
                Some(&known) => known,
                None => {
                    let found = self.followed(part);
                    let found = if matches!(found.kind(), TypeKind::Variable(_)) { found } else { self.resolve_with(found, known) };
                    known.insert(first, found);
                    found
                }
            }),
            _ => None,
        });
        let is_too_large = resolved.size() > LARGEST;
        if is_too_large {
            // Reported with the expression that is being checked.
            self.is_too_large.set(true);
        }
        if is_too_large { Type::ERROR } else { resolved }
    }

    /// Through variables that are other variables to the last one, or to the type that is known of it.
    fn followed(&self, mut ty: Type) -> Type {
        while let TypeKind::Variable(n) = ty.kind()
            && let Some(Some(next)) = self.variables.get(n as usize)
        {
            ty = *next;
        }
        ty
    }

    /// Makes two types equal by fixing variables; false when they cannot be, and then nothing is fixed.
    pub(super) fn unify(&mut self, a: Type, b: Type) -> bool {
        if a == b {
            return true;
        }
        let mut fixed = Vec::new();
        let done = self.unify_parts(a, b, &mut fixed);
        if !done {
            for n in fixed {
                self.variables[n] = None;
            }
        }
        done
    }

    fn unify_parts(&mut self, a: Type, b: Type, fixed: &mut Vec<usize>) -> bool {
        let (a, b) = (self.resolved(a), self.resolved(b));
        if a == b || a == Type::ERROR || b == Type::ERROR {
            return true;
        }
        match (a.kind(), b.kind()) {
            // Of two open types the one that may stay open stays.
            (TypeKind::Variable(n), TypeKind::Variable(m)) if self.lenient.contains(&n) && !self.lenient.contains(&m) => {
                self.fix(m, b, a, fixed)
            }
            (TypeKind::Variable(n), _) => self.fix(n, a, b, fixed),
            (_, TypeKind::Variable(n)) => self.fix(n, b, a, fixed),
            (TypeKind::Struct(a, of_a), TypeKind::Struct(b, of_b)) => a == b && self.unify_all(of_a, of_b, fixed),
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) => self.unify_all(a, b, fixed),
            (TypeKind::List(a), TypeKind::List(b)) => self.unify_parts(a, b, fixed),
            (TypeKind::Associated(a, of_a, name_a), TypeKind::Associated(b, of_b, name_b)) => {
                of_a == of_b && name_a == name_b && self.unify_all(a, b, fixed)
            }
            (TypeKind::Opaque(a, of_a), TypeKind::Opaque(b, of_b)) => a == b && self.unify_all(of_a, of_b, fixed),
            (TypeKind::Object(a), TypeKind::Object(b)) => self.unify_all(a, b, fixed),
            (TypeKind::Function(a, result_a), TypeKind::Function(b, result_b)) => {
                self.unify_all(a, b, fixed) && self.unify_parts(result_a, result_b, fixed)
            }
            _ => false,
        }
    }

    fn unify_all(&mut self, a: &[Type], b: &[Type], fixed: &mut Vec<usize>) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| self.unify_parts(a, b, fixed))
    }

    fn fix(&mut self, n: u32, variable: Type, ty: Type, fixed: &mut Vec<usize>) -> bool {
        let mut occurs = false;
        ty.replaced(&mut |part| {
            occurs |= part == variable;
            (!part.has_variable()).then_some(part)
        });
        if occurs {
            return false;
        }
        // Reported with the expression that is being checked.
        if ty.size() > LARGEST {
            self.is_too_large.set(true);
        }
        let ty = if ty.size() > LARGEST { Type::ERROR } else { ty };
        self.variables[n as usize] = Some(ty);
        self.fixes += 1;
        fixed.push(n as usize);
        true
    }

    /// A declared type with open arguments that become `Never` when nothing else is known of them (language/03 §3.16, 5).
    pub(super) fn open_lenient(&mut self, item: ItemId, count: usize) -> Type {
        let first = self.variables.len() as u32;
        let ty = self.open_struct(item, count);
        self.lenient.extend(first..self.variables.len() as u32);
        ty
    }

    /// The type arguments of a call or type: those that are written, else fresh ones. `_` is inferred.
    pub(super) fn open_arguments(&mut self, count: usize) -> Vec<Type> {
        (0..count).map(|_| self.fresh()).collect()
    }

    /// E2005 for a value of which nothing is known where its type is needed; false after the report.
    pub(super) fn head_is_known(&mut self, value: ExprId) -> Result<bool> {
        if !matches!(self.ty(value).kind(), TypeKind::Variable(_)) {
            return Ok(true);
        }
        self.settle_projections()?;
        if !matches!(self.ty(value).kind(), TypeKind::Variable(_)) {
            return Ok(true);
        }
        let (span, what) = (self.span_at(value), self.described(value));
        self.cannot_infer(span, &what);
        // Once told, it says nothing more at the next place that needs it.
        if self.attempts == 0 {
            self.give_up(self.ty(value));
            if let (Expr::Local(_), Some(error)) = (self.expr_at(value), self.diagnostics.last_mut())
                && error.code == Code::E2005
                && error.span == span
            {
                error.helps.push(format!("say its type where it is declared: `let {what}: T = ..`, `({what}: T) -> ..`"));
            }
        }
        Ok(false)
    }

    /// A value as a message names it, where it has a name.
    fn described(&self, value: ExprId) -> String {
        match self.expr_at(value) {
            Expr::Local(local) if self.draft.body.locals[local].name != self.blank => self.draft.body.locals[local].name.to_string(),
            Expr::Call(item, _) => format!("{}(...)", item.short_name()),
            _ => UNNAMED.to_owned(),
        }
    }

    pub(super) fn cannot_infer(&mut self, span: Span, what: &str) {
        // What is only tried is looked at again at the end of the statement.
        if self.attempts > 0 {
            self.stuck = true;
            self.poisoned = true;
            return;
        }
        // One open type is reported where it is first needed.
        // A lambda that refers to itself has no type that could be known.
        if !self.diagnostics.iter().any(|d| d.code == Code::E2005 && d.span == span || d.code == Code::E2007) {
            self.report(Code::E2005, span, [what.into()]);
        }
    }

    /// A call of a generic item, now if its type arguments are known, else when the body is finished.
    pub(super) fn instantiate(&mut self, call: ExprId, item: ItemId, args: &[Type], span: Span) -> Result<()> {
        let args: Vec<Type> = args.iter().map(|&arg| self.resolved(arg)).collect();
        if args.iter().any(|arg| arg.has_variable()) {
            self.pending.push(Pending { call, item, args, span });
        } else {
            self.close_call(call, item, &args)?;
        }
        Ok(())
    }

    /// The callee of a call whose type arguments are known: of a method of a trait what the impl says, as far as that is known.
    fn close_call(&mut self, call: ExprId, item: ItemId, args: &[Type]) -> Result<()> {
        let declared = item.declared();
        let mut closed = dispatch(instance(declared, args), &self.given, self.cx)?;
        // The body that the trait gives is meant in the method that replaces it, and nowhere else.
        if declared != item && closed.generic().0 == self.item.id {
            closed = instance(item, args);
        }
        if ![declared, item].contains(&closed.generic().0) && !self.fits_call(call, closed)? {
            // The method of the impl is not what its trait says, which is reported there (E0403), or says nothing that is known.
            self.poisoned = true;
        }
        if let Expr::Call(callee, _) | Expr::Closure(callee, _) = &mut self.draft.rows[call.index()].expr {
            *callee = closed;
        }
        Ok(())
    }

    /// The type for what looks at all of it at once: of what may stay open nothing more is learned.
    pub(super) fn closed(&mut self, value: ExprId) -> Type {
        let ty = self.ty(value);
        if !ty.has_variable() {
            return ty;
        }
        let (lenient, variables) = (&self.lenient, &mut self.variables);
        ty.replaced(&mut |part| {
            if let TypeKind::Variable(n) = part.kind()
                && lenient.contains(&n)
            {
                variables[n as usize] = Some(Type::NEVER);
            }
            (!part.has_variable()).then_some(part)
        });
        self.ty(value)
    }

    /// Does a method take and give what a call of its trait's method does?
    fn fits_call(&mut self, call: ExprId, method: ItemId) -> Result<bool> {
        let Some(code) = CodeType::of(method, &self.given, self.cx)? else { return Ok(true) };
        let Expr::Call(_, list) = self.draft.rows[call.index()].expr else { return Ok(true) };
        let args: Vec<ExprId> = self.draft.body.lists[list].to_vec();
        if code.count() != args.len() {
            return Ok(false);
        }
        let is_same = |wanted: Type, found: Type| {
            let is_known = wanted != Type::ERROR;
            is_known
                && (wanted == found || wanted.fits_anywhere() || found.fits_anywhere() || found.has_variable() || wanted.has_variable())
        };
        for (i, &arg) in args.iter().enumerate() {
            let found = self.ty(arg);
            if !is_same(code.param(i), self.resolved(found)) {
                return Ok(false);
            }
        }
        let given = self.ty(call);
        Ok(is_same(code.result(), self.resolved(given)))
    }

    /// At the end of the body: every type is what is known of it, and what is still open is E2005.
    pub(super) fn close_types(&mut self) -> Result<()> {
        if self.variables.is_empty() {
            return Ok(());
        }
        let silent = self.poisoned;
        self.close_lenient();
        for Pending { call, item, args, span } in std::mem::take(&mut self.pending) {
            let args: Vec<Type> = args.iter().map(|&arg| self.resolved(arg)).collect();
            if args.iter().any(|arg| arg.has_variable()) {
                if !silent {
                    let name = item.short_name();
                    match item == prelude::new_map() {
                        true => self.cannot_infer(span, UNNAMED),
                        false => self.cannot_infer(span, &format!("{name}(...)")),
                    }
                }
                // Everything else that hangs on them says nothing more.
                for arg in args {
                    self.give_up(arg);
                }
            } else if args.iter().any(|&arg| arg.has_error()) {
                self.poisoned = true;
            } else {
                self.close_call(call, item, &args)?;
            }
        }
        let mut open = None;
        for index in 0..self.draft.rows.len() {
            let mut ty = self.resolved(self.draft.rows[index].ty);
            if self.is_too_large.get() {
                ty = self.too_large(self.draft.rows[index].span);
            }
            self.draft.rows[index].ty = ty;
            if ty.has_variable() {
                open = open.or(Some(ExprId::new(index)));
            }
        }
        for index in 0..self.draft.body.locals.len() {
            let local = crate::ir::LocalId::new(index);
            let ty = self.resolved(self.draft.body.locals[local].ty);
            self.draft.body.locals[local].ty = ty;
        }
        if self.variables.contains(&Some(Type::NEVER)) {
            self.settle_never();
        }
        if let Some(value) = open
            && !self.poisoned
        {
            let what = self.described(value);
            self.cannot_infer(self.span_at(value), &what);
        }
        if !self.poisoned && !self.open_matches.is_empty() {
            self.judge_again()?;
        }
        Ok(())
    }

    /// Open types that were reported are errors from then on.
    fn give_up(&mut self, ty: Type) {
        let variables = &mut self.variables;
        ty.replaced(&mut |part| {
            if let TypeKind::Variable(n) = part.kind() {
                variables[n as usize] = Some(Type::ERROR);
            }
            (!part.has_variable()).then_some(part)
        });
    }

    /// What has become `Never` by now ends the blocks around it. Parts stand before what they are part of.
    fn settle_never(&mut self) {
        for index in 0..self.draft.rows.len() {
            let ty = |expr: ExprId| self.draft.rows[expr.index()].ty;
            let ends = match self.draft.rows[index].expr {
                Expr::Block { statements, .. } => self.draft.body.lists[statements].iter().any(|&statement| {
                    ty(statement) == Type::NEVER
                        || matches!(self.draft.rows[statement.index()].expr, Expr::Let(_, value) | Expr::Assign { value, .. } if ty(value) == Type::NEVER)
                }),
                Expr::If { then, otherwise: Some(otherwise), .. } => ty(then) == Type::NEVER && ty(otherwise) == Type::NEVER,
                Expr::Match { arms, .. } => self.draft.body.arms[arms].iter().all(|arm| ty(arm.body) == Type::NEVER),
                _ => false,
            };
            if ends {
                self.draft.rows[index].ty = Type::NEVER;
            }
        }
    }

    /// Nothing more will be learned of what may stay open.
    pub(super) fn close_lenient(&mut self) {
        for n in std::mem::take(&mut self.lenient) {
            if let Some(open @ None) = self.variables.get_mut(n as usize) {
                *open = Some(Type::NEVER);
            }
        }
    }

    /// A declared type with open arguments.
    pub(super) fn open_struct(&mut self, item: ItemId, count: usize) -> Type {
        let args = self.open_arguments(count);
        Type::new(TypeKind::Struct(item, shared(&args)))
    }

    /// The name of the variable that `self` is bound under.
    pub(super) fn self_name(&self) -> Symbol {
        Symbol::new("self")
    }
}
