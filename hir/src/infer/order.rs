//! The methods of `Ordering` (language/09 §9.13).

use ir::{List, Symbol};
use syntax::Span;
use syntax::tree::Argument;

use super::builtin::{Param, Params};
use super::{Checker, Result};
use crate::ir::ExprId;
use crate::resolve::prelude::{EQUAL, GREATER, LESS};
use crate::{Intrinsic as I, Type};

impl<'a> Checker<'a> {
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
                // Equal minus what is more or less.
                let number = self.intrinsic(I::VariantNumber, &[value], Type::INT, span);
                let equal = self.int(i64::from(EQUAL), span);
                let order = self.intrinsic(I::WrappingSub, &[equal, number], Type::INT, span);
                return Ok(Some(self.ordering_of(order, span)));
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
