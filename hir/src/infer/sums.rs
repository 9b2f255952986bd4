//! Equality, order, text, hash and copies of sums: matches that are spelled out.

use syntax::Span;

use super::derive::{Pair, Part};
use super::{Checker, Result};
use crate::exhaustive::Types;
use crate::ir::{Arm, Expr, ExprId, LocalId, Pattern};
use crate::program::{TypeDefinition, Variant};
use crate::resolve::prelude::{self, Sum};
use crate::{Intrinsic as I, Type};

impl<'a> Checker<'a> {
    /// The variants that values may be, with their numbers.
    pub(super) fn possible<'d>(&self, definition: &'d TypeDefinition) -> Result<Vec<(u32, &'d Variant)>> {
        let mut types = Types::new(&self.given, self.cx);
        let mut possible = Vec::with_capacity(definition.variants.len());
        for (number, variant) in (0..).zip(&definition.variants) {
            if !types.any_empty(variant.payload.iter().map(|&(_, ty)| ty))? {
                possible.push((number, variant));
            }
        }
        Ok(possible)
    }

    /// An arm for a variant whose payload is in new locals; `body` makes its value of them.
    pub(super) fn arm_of(
        &mut self,
        number: u32,
        variant: &Variant,
        span: Span,
        body: impl FnOnce(&mut Self, &[LocalId]) -> Result<ExprId>,
    ) -> Result<Arm> {
        let mut locals = Vec::with_capacity(variant.payload.len());
        let mut parts = Vec::with_capacity(variant.payload.len());
        for &(_, ty) in &variant.payload {
            let local = self.local(self.blank, ty, false);
            let any = self.push_pattern(Pattern::Any, span);
            parts.push(self.push_pattern(Pattern::Bind(local, any), span));
            locals.push(local);
        }
        let parts = self.draft.body.parts.add(parts);
        let pattern = self.push_pattern(Pattern::Variant(number, parts), span);
        let mark = self.draft.scratch.len();
        let value = body(self, &locals)?;
        let body = self.with_statements(mark, value, span);
        Ok(Arm { pattern, guard: None, body })
    }

    /// `match scrutinee { arms, _ -> otherwise }`
    pub(super) fn match_of(&mut self, scrutinee: ExprId, mut arms: Vec<Arm>, otherwise: Option<ExprId>, ty: Type, span: Span) -> ExprId {
        if let Some(body) = otherwise {
            let pattern = self.push_pattern(Pattern::Any, span);
            arms.push(Arm { pattern, guard: None, body });
        }
        let arms = self.draft.body.arms.add(arms);
        self.push(Expr::Match { scrutinee, arms }, ty, span)
    }

    /// A value of two sums of the same variant, from their payloads; `same` for variants without.
    fn of_same_variant(
        &mut self,
        locals: (LocalId, LocalId),
        definition: &TypeDefinition,
        (same, ty): (Expr, Type),
        span: Span,
        mut body: impl FnMut(&mut Self, &[Pair]) -> Result<ExprId>,
    ) -> Result<ExprId> {
        let possible = self.possible(definition)?;
        let mut arms = Vec::new();
        for &(number, variant) in possible.iter().filter(|(_, variant)| !variant.payload.is_empty()) {
            let arm = self.arm_of(number, variant, span, |checker, left| {
                let right = checker.read(locals.1, span);
                let inner = checker.arm_of(number, variant, span, |checker, right| {
                    let pairs = left.iter().zip(right).zip(&variant.payload);
                    let pairs: Vec<Pair> = pairs.map(|((&a, &b), &(_, ty))| ((a, None, ty), (b, None, ty))).collect();
                    body(checker, &pairs)
                })?;
                // The numbers are equal, so this is not reached.
                let other = (possible.len() > 1).then(|| checker.push(same, ty, span));
                Ok(checker.match_of(right, vec![inner], other, ty, span))
            })?;
            arms.push(arm);
        }
        if arms.is_empty() {
            return Ok(self.push(same, ty, span));
        }
        let scrutinee = self.read(locals.0, span);
        let other = if arms.len() < possible.len() { Some(self.push(same, ty, span)) } else { None };
        Ok(self.match_of(scrutinee, arms, other, ty, span))
    }

    fn numbers(&mut self, locals: (LocalId, LocalId), span: Span) -> [ExprId; 2] {
        [locals.0, locals.1].map(|local| {
            let value = self.read(local, span);
            self.intrinsic(I::VariantNumber, &[value], Type::INT, span)
        })
    }

    /// The same variant, and equal payloads.
    pub(super) fn equal_sums(&mut self, locals: (LocalId, LocalId), definition: &TypeDefinition, span: Span) -> Result<ExprId> {
        let numbers = self.numbers(locals, span);
        let same = self.intrinsic(I::Eq, &numbers, Type::BOOL, span);
        let payloads = self
            .of_same_variant(locals, definition, (Expr::Bool(true), Type::BOOL), span, |checker, pairs| checker.all_equal(pairs, span))?;
        Ok(match self.expr_at(payloads) {
            Expr::Bool(true) => same,
            _ => self.push(Expr::And(same, payloads), Type::BOOL, span),
        })
    }

    /// The order of the variants, then that of the payloads, as an `Ordering`.
    pub(super) fn compare_sums(&mut self, locals: (LocalId, LocalId), definition: &TypeDefinition, span: Span) -> Result<ExprId> {
        let [left, right] = self.numbers(locals, span);
        let mark = self.draft.scratch.len();
        let (left, right) = (self.held(left), self.held(right));
        let (a, b) = (self.read(left, span), self.read(right, span));
        let differ = self.intrinsic(I::Ne, &[a, b], Type::BOOL, span);
        let (a, b) = (self.read(left, span), self.read(right, span));
        let numbers = self.intrinsic(I::WrappingSub, &[a, b], Type::INT, span);
        let payloads = self
            .of_same_variant(locals, definition, (Expr::Int(0), Type::INT), span, |checker, pairs| checker.first_difference(pairs, span))?;
        let order = self.choose(differ, numbers, payloads, span);
        let ordering = self.ordering_of(order, span);
        Ok(self.with_statements(mark, ordering, span))
    }

    /// The name of the variant, and its payload in parentheses.
    pub(super) fn text_of_sum(&mut self, local: LocalId, definition: &TypeDefinition, debug: bool, span: Span) -> Result<ExprId> {
        let mut arms = Vec::new();
        for (number, variant) in self.possible(definition)? {
            let arm = self.arm_of(number, variant, span, |checker, locals| {
                if locals.is_empty() {
                    return Ok(checker.push(Expr::Str(variant.name), Type::STR, span));
                }
                // `Option` and `Result` do not show the names of their payloads.
                let label = |name| (debug && variant.is_named && prelude::sum(definition.item).is_none()).then_some(name);
                let parts = locals.iter().zip(&variant.payload).map(|(&local, &(name, ty))| (label(name), (local, None, ty))).collect();
                checker.joined(format!("{}(", variant.name), parts, ")", debug, span)
            })?;
            arms.push(arm);
        }
        let scrutinee = self.read(local, span);
        Ok(self.match_of(scrutinee, arms, None, Type::STR, span))
    }

    /// The payload, folded from the number of the variant.
    pub(super) fn hash_of_sum(&mut self, local: LocalId, definition: &TypeDefinition, span: Span) -> Result<ExprId> {
        let sum = prelude::sum(definition.item);
        if sum == Some(Sum::Ordering) {
            // It hashes as its number.
            let value = self.read(local, span);
            return Ok(self.intrinsic(I::VariantNumber, &[value], Type::INT, span));
        }
        let mut arms = Vec::new();
        for (number, variant) in self.possible(definition)? {
            let arm = self.arm_of(number, variant, span, |checker, locals| {
                let seed = match sum {
                    // `None`, `Some`, `Ok` and `Err` start at 0, 1, 2 and 3.
                    Some(Sum::Option) => checker.int(i64::from(number), span),
                    Some(Sum::Result) => checker.int(2 + i64::from(number), span),
                    Some(Sum::Ordering) | None => {
                        let (zero, number) = (checker.int(0, span), checker.int(i64::from(number), span));
                        checker.hash_step(zero, number, span)
                    }
                };
                let parts: Vec<Part> = locals.iter().zip(&variant.payload).map(|(&local, &(_, ty))| (local, None, ty)).collect();
                checker.hash_fold(seed, &parts, span)
            })?;
            arms.push(arm);
        }
        let scrutinee = self.read(local, span);
        Ok(self.match_of(scrutinee, arms, None, Type::INT, span))
    }

    /// The same variant with a copy of its payload.
    pub(super) fn clone_of_sum(&mut self, local: LocalId, definition: &TypeDefinition, this: Type, span: Span) -> Result<ExprId> {
        let mut arms = Vec::new();
        for (number, variant) in self.possible(definition)? {
            let arm = self.arm_of(number, variant, span, |checker, locals| {
                let parts: Vec<Part> = locals.iter().zip(&variant.payload).map(|(&local, &(_, ty))| (local, None, ty)).collect();
                let copies = checker.clones(&parts, span)?;
                Ok(checker.push(Expr::Variant(number, copies), this, span))
            })?;
            arms.push(arm);
        }
        let scrutinee = self.read(local, span);
        Ok(self.match_of(scrutinee, arms, None, this, span))
    }
}
