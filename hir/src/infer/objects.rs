//! Values that become trait objects (language/03 §3.12, §3.13).

use super::traits::Obligation;
use super::{Checker, Result};
use crate::Type;
use crate::ir::{Expr, ExprId};
use crate::program::TraitRef;
use crate::resolve::objects::traits_of;
use crate::resolve::show;
use crate::resolve::solve::{Answer, solve};

/// What came of a value where a trait object is wanted.
pub(super) enum Coerced {
    /// The object.
    Object(ExprId),
    /// The type of the value lacks this trait.
    Lacks(TraitRef),
}

impl Checker<'_> {
    /// The value as an object of this type. What is open in its type is looked at when the body is finished.
    pub(super) fn as_object(&mut self, value: ExprId, object: Type, found: Type) -> Result<Coerced> {
        let span = self.span_at(value);
        for interface in traits_of(object) {
            if found.has_variable() || interface.has_variable() {
                self.obligations.push(Obligation::Bound(found, interface, span));
            } else if !matches!(solve(found, interface, &self.given, self.cx)?, Answer::Proven(_)) {
                return Ok(Coerced::Lacks(interface));
            }
        }
        Ok(Coerced::Object(self.push(Expr::Object(value), object, span)))
    }

    /// Says in the last report what the value would need to become an object.
    pub(super) fn explain_lack(&mut self, found: Type, interface: TraitRef) {
        let (lacking, wanted) = (show(found), interface.show());
        let may_implement = self.may_implement(found, interface);
        if let Some(error) = self.diagnostics.last_mut() {
            error.notes.push(format!("`{lacking}` does not implement {wanted}, which its values need to become trait objects"));
            if may_implement {
                error.helps.push(format!("`impl {lacking}: {wanted} {{ ... }}` implements it"));
            }
        }
    }
}
