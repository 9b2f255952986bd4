//! Hidden results (`-> impl Tr`, language/03 §3.13): is what a function gives what its signature promises?

use ir::{ItemId, Stop};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use super::show;
use super::solve::{Answer, normalised, solve};
use crate::program::{Context, Given};
use crate::{Type, TypeKind};

/// E0812 where `found` lacks a trait, or has another associated type, than is promised of `hidden`.
pub(crate) fn broken_promise(
    (hidden, promised): (Type, &Given),
    found: Type,
    given: &Given,
    (anchor, span): (Anchor, Span),
    cx: &dyn Context,
) -> Result<Option<Diagnostic>, Stop> {
    let concrete = |ty: Type| ty.replaced(&mut |part| (part == hidden).then_some(found));
    let error = |why: String| Diagnostic::new(Code::E0812, anchor, span, [show(found).into(), text(hidden, promised).into()]).note(why);
    for bound in promised.bounds.iter().filter(|bound| bound.ty == hidden) {
        let interface = bound.interface.mapped(concrete);
        if !matches!(solve(found, interface, given, cx)?, Answer::Proven(_)) {
            return Ok(Some(error(format!("`{}` does not implement {}", show(found), interface.show()))));
        }
    }
    for equality in &promised.equalities {
        let associated = concrete(equality.associated);
        let (is, wanted) = (normalised(associated, given, cx)?, normalised(concrete(equality.ty), given, cx)?);
        let TypeKind::Associated(_, interface, name) = associated.kind() else { continue };
        if is != wanted && !is.has_error() {
            let why = format!("`{name}` of its `{}` is `{}`, and `{}` is promised", interface.name(), show(is), show(wanted));
            return Ok(Some(error(why)));
        }
    }
    Ok(None)
}

/// A promise as it is written.
fn text(hidden: Type, promised: &Given) -> String {
    let traits: Vec<String> = promised.bounds.iter().filter(|bound| bound.ty == hidden).map(|bound| bound.interface.show()).collect();
    let clause = |associated: Type, ty: Type| match associated.kind() {
        TypeKind::Associated(_, _, name) => Some(format!("{name} == {}", show(ty))),
        _ => None,
    };
    let equals: Vec<String> = promised.equalities.iter().filter_map(|equality| clause(equality.associated, equality.ty)).collect();
    let end = if equals.is_empty() { String::new() } else { format!(" where {}", equals.join(", ")) };
    format!("{}{end}", traits.join(" + "))
}

/// The functions whose hidden results are in a type.
pub fn functions_in(ty: Type) -> Vec<ItemId> {
    let mut found = Vec::new();
    ty.replaced(&mut |part| {
        if let TypeKind::Opaque(function, _) = part.kind() {
            found.push(function);
        }
        (!part.has_associated()).then_some(part)
    });
    found
}

/// E2005: what a function gives is made of nothing but what it, or functions that hide their results behind each other, give.
pub fn endless_result(function: ItemId, span: Span) -> Diagnostic {
    let name = function.short_name();
    let error = Diagnostic::new(Code::E2005, Anchor::Item(function), span, [format!("{name}(...)").into()]);
    error.note(format!("what `{name}` gives is made of what `{name}` gives: no way of it ends with a type of its own"))
}
