//! Functions that hide the type of their result (`-> impl Tr`, language/03 §3.13): the body tells it, and it must be what the signature promises.

use ir::Stop;
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result};
use crate::ir::Body;
use crate::program::{Context, Receiver, Signature};
use crate::resolve::show;
use crate::resolve::solve::{Answer, normalised, solve};
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
        if self.holds_own_result(found, signature) {
            let name = signature.item.short_name();
            let error = self.report(Code::E2005, at, [format!("{name}(...)").into()]);
            error.notes.push(format!("what `{name}` gives is made of what `{name}` gives: no way of it ends with a type of its own"));
            return Ok(());
        }
        let concrete = |ty: Type| ty.replaced(&mut |part| (part == signature.result).then_some(found));
        for bound in promised.bounds.iter().filter(|bound| bound.ty == signature.result) {
            let interface = bound.interface.mapped(concrete);
            if !matches!(solve(found, interface, &self.given, self.cx)?, Answer::Proven(_)) {
                self.breaks_promise(found, signature, format!("`{}` does not implement {}", show(found), interface.show()), at);
                return Ok(());
            }
        }
        for equality in &promised.equalities {
            let associated = concrete(equality.associated);
            let (is, wanted) = (normalised(associated, &self.given, self.cx)?, normalised(equality.ty, &self.given, self.cx)?);
            let TypeKind::Associated(_, interface, name) = associated.kind() else { continue };
            if is != wanted && !is.has_error() {
                let why = format!("`{name}` of its `{}` is `{}`, and `{}` is promised", interface.name(), show(is), show(wanted));
                self.breaks_promise(found, signature, why, at);
                return Ok(());
            }
        }
        Ok(())
    }

    fn breaks_promise(&mut self, found: Type, signature: &Signature, why: String, at: Span) {
        let promised = promise_text(signature);
        let error = self.report(Code::E0812, at, [show(found).into(), promised.into()]);
        error.notes.push(why);
    }

    /// Does it hold the hidden result of the function itself?
    fn holds_own_result(&self, ty: Type, signature: &Signature) -> bool {
        let mut holds = false;
        ty.replaced(&mut |part| {
            holds |= matches!(part.kind(), TypeKind::Opaque(function, _) if function == signature.item);
            (!part.has_parameter()).then_some(part)
        });
        holds
    }
}

/// What a signature promises, as it is written.
fn promise_text(signature: &Signature) -> String {
    let Some(promised) = &signature.promised else { return String::new() };
    let traits: Vec<String> =
        promised.bounds.iter().filter(|bound| bound.ty == signature.result).map(|bound| bound.interface.show()).collect();
    let equals: Vec<String> = promised
        .equalities
        .iter()
        .filter_map(|equality| match equality.associated.kind() {
            TypeKind::Associated(_, _, name) => Some(format!("{name} == {}", show(equality.ty))),
            _ => None,
        })
        .collect();
    let clause = if equals.is_empty() { String::new() } else { format!(" where {}", equals.join(", ")) };
    format!("{}{clause}", traits.join(" + "))
}
