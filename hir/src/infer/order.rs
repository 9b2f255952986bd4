//! `Ordering`: how it is made of a comparison.

use ir::List;
use syntax::Span;

use super::{Checker, Result};
use crate::Type;
use crate::ir::{Arm, Expr, ExprId, Pattern};
use crate::resolve::prelude::{EQUAL, GREATER, LESS, ordering_type};

impl<'a> Checker<'a> {
    fn ordering(&mut self, number: u32, span: Span) -> ExprId {
        self.push(Expr::Variant(number, List::EMPTY), ordering_type(), span)
    }

    /// A match on a value: one arm a pattern, each with a variant of `Ordering`; the last one takes what is left.
    fn ordering_by(&mut self, value: ExprId, arms: [(Pattern, u32); 3], span: Span) -> ExprId {
        let arms = arms.map(|(pattern, number)| {
            let pattern = self.push_pattern(pattern, span);
            Arm { pattern, guard: None, body: self.ordering(number, span) }
        });
        let arms = self.draft.body.arms.add(arms);
        self.push(Expr::Match { scrutinee: value, arms }, ordering_type(), span)
    }

    /// `a.compare(other: b)` for operands of one type that has an order.
    pub(super) fn compared(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let order = self.compare_values(a, b, span)?;
        if self.ty(order) == Type::ERROR {
            return Ok(order);
        }
        Ok(self.ordering_by(order, [(Pattern::Range(-1, -1), LESS), (Pattern::Range(0, 0), EQUAL), (Pattern::Any, GREATER)], span))
    }
}
