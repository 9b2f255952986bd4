//! `Ordering`: how it is made of a comparison, and its methods (language/09 §9.13).

use ir::{List, Symbol};
use syntax::Span;
use syntax::tree::Argument;

use super::builtin::{Param, Params};
use super::{Checker, Result};
use crate::ir::{Arm, Expr, ExprId, Pattern};
use crate::resolve::prelude::{EQUAL, GREATER, LESS, ordering_type};
use crate::{Intrinsic as I, Type};

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

    /// A method of `Ordering`; `None` when it has none of this name.
    pub(super) fn ordering_method(&mut self, mut value: ExprId, name: Symbol, args: List<Argument>, span: Span) -> Result<Option<ExprId>> {
        let (method, op, number) = match name.as_str() {
            "is_less" => ("is_less", I::Eq, LESS),
            "is_equal" => ("is_equal", I::Eq, EQUAL),
            "is_greater" => ("is_greater", I::Eq, GREATER),
            "is_less_or_equal" => ("is_less_or_equal", I::Le, EQUAL),
            "is_greater_or_equal" => ("is_greater_or_equal", I::Ge, EQUAL),
            "reverse" => {
                if self.take("reverse", &[], 0, Some(&mut value), args, span)?.is_none() {
                    return Ok(Some(self.error(span)));
                }
                let unit = |number| Pattern::Variant(number, List::EMPTY);
                let arms = [(unit(LESS), GREATER), (unit(EQUAL), EQUAL), (unit(GREATER), LESS)];
                return Ok(Some(self.ordering_by(value, arms, span)));
            }
            "then" => {
                // The argument is evaluated in any case; the receiver was before it.
                let first = self.held(value);
                let mut receiver = self.read(first, span);
                let params: Params = &[("other", Param::Any)];
                let Some(values) = self.take("then", params, 0, Some(&mut receiver), args, span)? else {
                    return Ok(Some(self.error(span)));
                };
                let [second] = values[..] else { return Ok(Some(self.error(span))) };
                let second = self.held(second);
                let read = self.read(first, span);
                let position = self.intrinsic(I::VariantNumber, &[read], Type::INT, span);
                let equal = self.int(i64::from(EQUAL), span);
                let is_equal = self.intrinsic(I::Eq, &[position, equal], Type::BOOL, span);
                let (then, otherwise) = (self.read(second, span), self.read(first, span));
                return Ok(Some(self.choose(is_equal, then, otherwise, span)));
            }
            "then_with" => return Ok(Some(self.refuse(span, "method `then_with` of Ordering"))),
            _ => return Ok(None),
        };
        if self.take(method, &[], 0, Some(&mut value), args, span)?.is_none() {
            return Ok(Some(self.error(span)));
        }
        let position = self.intrinsic(I::VariantNumber, &[value], Type::INT, span);
        let number = self.int(i64::from(number), span);
        Ok(Some(self.intrinsic(op, &[position, number], Type::BOOL, span)))
    }
}
