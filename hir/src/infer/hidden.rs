//! Functions that hide the type of their result (`-> impl Tr`, language/03 §3.13): the body tells it, and it must be what the signature promises.

use ir::Stop;

use super::{Checker, Result};
use crate::ir::Body;
use crate::program::{Context, Receiver, Signature};
use crate::resolve::hidden::{broken_promise, endless_result, functions_in};
use crate::{Type, TypeKind};

/// What a checked body of such a function gives, without a `self` that it changes.
pub fn hidden_result(body: &Body, cx: &dyn Context) -> std::result::Result<Option<Type>, Stop> {
    let (function, _) = crate::types::instance_of(body.owner);
    let Some(signature) = cx.signature(function)? else { return Ok(None) };
    if signature.receiver == Receiver::None || !cx.mutates(function)? {
        return Ok(Some(body.result));
    }
    Ok(Some(match body.result.kind() {
        TypeKind::Tuple(&[result, _]) => result,
        TypeKind::Never => Type::NEVER,
        _ => Type::VOID,
    }))
}

impl Checker<'_> {
    /// Has what the body gives the traits and associated types that the signature promises? E0812.
    pub(super) fn keeps_promise(&mut self, signature: &Signature, open: Type) -> Result<()> {
        let (found, at) = (self.resolved(open), signature.result_span);
        let Some(promised) = &signature.promised else { return Ok(()) };
        if found.has_error() || found.has_variable() {
            return Ok(());
        }
        let mut error = broken_promise((signature.result, promised), found, &self.given, (self.anchor, at), self.cx)?;
        if functions_in(found).contains(&signature.item) {
            error = Some(endless_result(signature.item, at));
        }
        self.poisoned |= error.is_some();
        self.diagnostics.extend(error);
        Ok(())
    }
}
