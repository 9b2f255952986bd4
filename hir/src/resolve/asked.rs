//! What the declarations of the types and traits that a header names ask of their arguments (E2009, language/03 §3.9).
//!
//! The types of fields and payloads are judged with their declaration, and those of parameters and results with the body of their function. What is left
//! are bounds, supertraits, headers of impls, associated types, and methods that a trait declares without a body.

use ir::{Stop, Symbol};
use syntax::tree::{self, Constraint, Generic, Item, ItemKind, Member};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::prelude;
use super::signature::{reader, surroundings};
use super::solve::{Answer, normalised, solve};
use super::types::show;
use super::{Generics, TypeReader};
use crate::program::{Bound, Context, Equality, Given, TraitRef};
use crate::{Type, TypeKind};

/// What the declarations of the types within a type ask of their arguments.
pub(crate) fn bounds_within(ty: Type, cx: &dyn Context) -> Result<Given, Stop> {
    let mut declared = Vec::new();
    ty.replaced(&mut |part| {
        if let TypeKind::Struct(item, args @ [_, ..]) = part.kind()
            && !prelude::is_predeclared(item)
        {
            declared.push((item, args));
        }
        None
    });
    let mut found = Given::default();
    for (item, args) in declared {
        if let Some(definition) = cx.type_definition(item)? {
            found.extend(&definition.given.substituted(args));
        }
    }
    Ok(found)
}

/// What of this does not hold, as E2009.
pub(super) fn unmet(asked: &Given, given: &Given, anchor: Anchor, span: Span, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let mut found = Vec::new();
    for bound in &asked.bounds {
        let (ty, wanted) = (normalised(bound.ty, given, cx)?, bound.interface);
        if ty != Type::ERROR && solve(ty, wanted, given, cx)? == Answer::Refuted && !is_silent(ty, cx)? {
            found.push(Diagnostic::new(Code::E2009, anchor, span, [show(ty).into(), wanted.show().into()]));
        }
    }
    for equality in &asked.equalities {
        if let Some((this, interface, why)) = unequal(equality, given, cx)? {
            found.push(Diagnostic::new(Code::E2009, anchor, span, [show(this).into(), interface.show().into()]).note(why));
        }
    }
    Ok(found)
}

/// The type whose associated type is another one than a clause says, the trait, and both in words. A type that lacks the trait is no matter of this.
pub(crate) fn unequal(equality: &Equality, given: &Given, cx: &dyn Context) -> Result<Option<(Type, TraitRef, String)>, Stop> {
    let TypeKind::Associated(parts, interface, name) = equality.associated.kind() else { return Ok(None) };
    let Some((&this, args)) = parts.split_first() else { return Ok(None) };
    let (found, wanted) = (normalised(equality.associated, given, cx)?, normalised(equality.ty, given, cx)?);
    let this = normalised(this, given, cx)?;
    let interface = TraitRef::new(interface, args);
    if found == wanted || [found, wanted, this].contains(&Type::ERROR) || !matches!(solve(this, interface, given, cx)?, Answer::Proven(_)) {
        return Ok(None);
    }
    let why = format!("`{name}` of its `{}` is `{}`, and `{}` is wanted", interface.show(), show(found), show(wanted));
    Ok(Some((this, interface, why)))
}

/// Was what the type comes from refused?
fn is_silent(ty: Type, cx: &dyn Context) -> Result<bool, Stop> {
    match ty.kind() {
        TypeKind::Struct(item, _) => Ok(cx.scope(item.module())?.refuses_impls),
        _ => Ok(false),
    }
}

fn has_arguments(generics: &[Generic], constraints: &[Constraint]) -> bool {
    let of = |bounds: &[tree::Bound]| bounds.iter().any(|bound| !bound.args.is_empty());
    generics.iter().any(|generic| of(&generic.bounds))
        || constraints.iter().any(|constraint| match constraint {
            Constraint::Bounds(_, bounds, _) => of(bounds),
            Constraint::Equal(..) => true,
            Constraint::Const(..) => false,
        })
}

/// What of the header of an item does not hold. Asks for the definitions of whatever it names, so it must not be part of answering for one.
pub fn check_header(item: &Item, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let nothing = Ok(Vec::new());
    if item.has_errors
        || prelude::is_library(item.id.module())
        || super::refused_form(item).is_some()
        || cx.scope(item.id.module())?.refuses_impls
    {
        return nothing;
    }
    let anchor = Anchor::Item(item.id);
    let mut reader = reader(item, cx)?;
    let mut types: Vec<(Type, Span)> = Vec::new();
    let (generics, constraints) = match &item.kind {
        ItemKind::Function(function) | ItemKind::Test { function, .. } => {
            let has_no_body = function.body.is_none();
            if !has_no_body && !has_arguments(&function.generics, &function.constraints) {
                return nothing;
            }
            let Some(signature) = cx.signature(item.id)? else { return nothing };
            if signature.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
                return nothing;
            }
            if has_no_body {
                types.extend(signature.params.iter().skip_while(|p| p.name.as_str() == "self").map(|p| (p.ty, p.span)));
                types.push((signature.result, signature.result_span));
            }
            match surroundings(item, cx)? {
                Some(around) => reader.around = around,
                None => return nothing,
            }
            (&function.generics, &function.constraints)
        }
        ItemKind::Type { generics, constraints, .. } => {
            if !has_arguments(generics, constraints) {
                return nothing;
            }
            reader.around.parameters.extend(generics.iter().map(|generic| generic.name));
            (generics, constraints)
        }
        ItemKind::Trait { generics, constraints, .. } => {
            reader.around.parameters.push(Symbol::new("Self"));
            reader.around.parameters.extend(generics.iter().map(|generic| generic.name));
            let own = crate::types::parameters(&reader.around.parameters);
            reader.around.this = Some(own[0]);
            reader.around.given.bounds.push(Bound { ty: own[0], interface: TraitRef::new(item.id, &own[1..]) });
            (generics, constraints)
        }
        ItemKind::Impl { generics, constraints, .. } => {
            let Some(found) = cx.implementation(item.id)? else { return nothing };
            if found.ty == Type::ERROR || found.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
                return nothing;
            }
            reader.around.parameters.extend(generics.iter().map(|generic| generic.name));
            reader.around.this = Some(found.ty);
            types.push((found.ty, found.type_span));
            types.extend(found.interface.iter().flat_map(|interface| interface.args()).map(|&arg| (arg, found.type_span)));
            (generics, constraints)
        }
        _ => return nothing,
    };
    if generics.iter().any(|generic| generic.is_const) {
        return nothing;
    }
    reader.asked.clear();
    reader.bounds(&Generics { list: generics, constraints, defaults: true })?;
    members(item, &mut reader, &mut types)?;
    let given = std::mem::take(&mut reader.around.given);
    let mut found = Vec::new();
    for (ty, span) in types {
        found.extend(unmet(&bounds_within(ty, cx)?, &given, anchor, span, cx)?);
        found.extend(super::objects::check_objects(ty, anchor, span, cx)?);
    }
    for (this, interface, span) in std::mem::take(&mut reader.asked) {
        let mut asked = Given::default();
        if let Some(definition) = cx.trait_definition(interface.item())? {
            asked.extend(&definition.given.substituted(&interface.parts(this)));
        }
        for &arg in interface.args() {
            asked.extend(&bounds_within(arg, cx)?);
        }
        found.extend(unmet(&asked, &given, anchor, span, cx)?);
    }
    Ok(found)
}

/// Supertraits, and associated types with their bounds.
fn members(item: &Item, reader: &mut TypeReader<'_>, types: &mut Vec<(Type, Span)>) -> Result<(), Stop> {
    let (of_block, supertraits) = match &item.kind {
        ItemKind::Trait { members, supertraits, .. } => (members, &supertraits[..]),
        ItemKind::Impl { members, .. } => (members, &[][..]),
        _ => return Ok(()),
    };
    let Some(this) = reader.around.this else { return Ok(()) };
    for bound in supertraits {
        reader.interface(bound, this)?;
    }
    let own = crate::types::parameters(&reader.around.parameters);
    for member in of_block {
        let Member::Type { name, bounds, ty, span } = member else { continue };
        for bound in bounds {
            reader.interface(bound, Type::associated(&own, item.id, *name))?;
        }
        if let Some(ty) = ty {
            types.push((reader.read(*ty)?, *span));
        }
    }
    Ok(())
}
