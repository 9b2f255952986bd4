//! Values that become trait objects (language/03 §3.12, §3.13).

use super::traits::Obligation;
use super::{Checker, Result};
use crate::Type;
use crate::ir::{Expr, ExprId};
use crate::resolve::objects::traits_of;
use crate::resolve::solve::{Answer, solve};

impl Checker<'_> {
    /// The value as an object of this type; `None` when its type lacks one of the traits. What is open in its type is looked at when the body is finished.
    pub(super) fn as_object(&mut self, value: ExprId, object: Type, found: Type) -> Result<Option<ExprId>> {
        let span = self.span_at(value);
        for interface in traits_of(object) {
            if found.has_variable() || interface.has_variable() {
                self.obligations.push(Obligation::Bound(found, interface, span));
            } else if !matches!(solve(found, interface, &self.given, self.cx)?, Answer::Proven(_)) {
                return Ok(None);
            }
        }
        Ok(Some(self.push(Expr::Object(value), object, span)))
    }
}
