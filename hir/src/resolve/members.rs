//! Whether traits and impls are what they must be: a trait its own supertrait, members that an impl has to have, has too many of, or declares otherwise than its trait
//! (language/04 §4.7).

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{Item, ItemKind, Member};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::hidden::broken_promise;
use super::prelude::{self, Known};
use super::solve::{Answer, Evidence, ancestors, inherits, matched, member, normalised, rank, solve};
use super::types::show;
use crate::program::{Asked, Bound, Context, Equality, Given, ImplRow, Implementation, Receiver, Signature, TraitDefinition, TraitRef};
use crate::{Type, TypeKind};

/// What is wrong with a trait: one that is its own supertrait (E0443), members of one name (E2006), defaults that assign to a plain `self` (E0446).
pub fn check_trait(item: &Item, cx: &dyn Context, changes: &dyn Fn(ItemId) -> Result<bool, Stop>) -> Result<Vec<Diagnostic>, Stop> {
    let Some(definition) = cx.trait_definition(item.id)? else { return Ok(Vec::new()) };
    let mut diagnostics = definition.diagnostics.clone();
    let this = crate::types::parameters(&[Symbol::new("Self")])[0];
    let mut above = Vec::new();
    for &parent in &definition.supertraits {
        above.extend(ancestors(parent, this, cx)?);
    }
    if above.iter().any(|above| above.item() == item.id) {
        diagnostics.push(Diagnostic::new(Code::E0443, Anchor::Item(item.id), item.name_span, [item.id.name().into()]));
    }
    for (i, method) in definition.methods.iter().enumerate() {
        let Some(signature) = cx.signature(method.item)? else { continue };
        if let Some(first) = definition.methods[..i].iter().find(|m| m.name == method.name)
            && let Some(earlier) = cx.signature(first.item)?
        {
            let error = Diagnostic::new(Code::E2006, Anchor::Item(method.item), signature.name_span, [method.name.into()]);
            diagnostics.push(error.label("defined again here").because(Anchor::Item(first.item), earlier.name_span, "first defined here"));
        }
        if method.has_body && signature.receiver == Receiver::Plain && changes(method.item)? {
            diagnostics.push(assigns_to_self(&signature, method.name));
        }
    }
    Ok(diagnostics)
}

fn assigns_to_self(signature: &Signature, name: Symbol) -> Diagnostic {
    Diagnostic::new(Code::E0446, Anchor::Item(signature.item), signature.name_span, [name.into()])
        .help("declare its receiver as `mut self` in the trait, if callers are to see the change")
}

/// What is wrong with the impl of a trait. `changes` tells what the body of a method does to its `self`, whatever its trait says.
pub(super) fn check_members(
    item: &Item,
    found: &Implementation,
    interface: TraitRef,
    cx: &dyn Context,
    changes: &dyn Fn(ItemId) -> Result<bool, Stop>,
) -> Result<Vec<Diagnostic>, Stop> {
    let ItemKind::Impl { members, .. } = &item.kind else { return Ok(Vec::new()) };
    let Some(definition) = cx.trait_definition(interface.item())? else { return Ok(Vec::new()) };
    let mut diagnostics = Vec::new();
    if !check_coherence(item, found, interface, &mut diagnostics, cx)? {
        return Ok(diagnostics);
    }
    let anchor = Anchor::Item(item.id);
    let shown = show(found.ty);
    // The supertraits that this block implements as well: those without an impl of their own of which it gives a method.
    let mut own: Vec<(TraitRef, std::sync::Arc<TraitDefinition>)> = vec![(interface, definition.clone())];
    let above = ancestors(interface, found.ty, cx)?;
    for &parent in above.iter().skip(1) {
        match solve(found.ty, parent, &found.given, cx)? {
            Answer::Refuted => {
                if definition.supertraits.iter().any(|direct| direct.substituted(&interface.parts(found.ty)) == parent) {
                    let args = [shown.as_str().into(), parent.show().into()];
                    diagnostics.push(Diagnostic::new(Code::E0413, anchor, found.type_span, args));
                }
            }
            Answer::Proven(Evidence::Impl(by, _)) if by == item.id => {
                if let Some(definition) = cx.trait_definition(parent.item())? {
                    own.push((parent, definition));
                }
            }
            Answer::Proven(_) | Answer::Unsupported | Answer::Endless => {}
        }
    }
    for bound in &definition.given.bounds {
        let parts = interface.parts(found.ty);
        let wanted = bound.interface.substituted(&parts);
        let ty = normalised(bound.ty.substituted(&parts), &found.given, cx)?;
        // What lacks the trait of an associated type was or is reported for that.
        if let TypeKind::Associated(of, interface, _) = ty.kind()
            && let Some((&this, args)) = of.split_first()
            && solve(this, TraitRef::new(interface, args), &found.given, cx)? == Answer::Refuted
        {
            continue;
        }
        if solve(ty, wanted, &found.given, cx)? == Answer::Refuted {
            diagnostics.push(Diagnostic::new(Code::E2009, anchor, found.type_span, [show(ty).into(), wanted.show().into()]));
        }
    }
    check_associated(item, found, &own, &mut diagnostics, cx)?;
    let mut given: Vec<(Symbol, ItemId)> = Vec::new();
    for member_of in members {
        let Member::Function { id, name: method, .. } = *member_of else { continue };
        let Some(signature) = cx.signature(id)? else { continue };
        let place = Anchor::Item(id);
        if let Some(&(_, first)) = given.iter().find(|(n, _)| *n == method) {
            let mut error = Diagnostic::new(Code::E2006, place, signature.name_span, [method.into()]).label("defined again here");
            if let Some(earlier) = cx.signature(first)? {
                error = error.because(Anchor::Item(first), earlier.name_span, "first defined here");
            }
            diagnostics.push(error);
            continue;
        }
        given.push((method, id));
        let declared = own.iter().find_map(|(interface, definition)| {
            let found = definition.methods.iter().find(|found| found.name == method)?;
            // What every iterator can do is no part of the trait for those who implement it.
            let is_fixed = found.has_body && Known::of(interface.item()).is_some_and(Known::is_of_iteration);
            (!is_fixed).then_some((*interface, found.item))
        });
        let Some((interface, declared)) = declared else {
            let args = [method.into(), interface.item().name().into()];
            let mut error = Diagnostic::new(Code::E0402, place, signature.name_span, args);
            for parent in above.iter().skip(1) {
                if let Some(definition) = cx.trait_definition(parent.item())?
                    && member(&definition, method).is_some()
                {
                    error = error.note(format!("`{}` has it, which `{shown}` implements elsewhere", parent.show()));
                    break;
                }
            }
            diagnostics.push(error);
            continue;
        };
        let Some(declared) = cx.signature(declared)? else { continue };
        if signature.diagnostics.iter().chain(&declared.diagnostics).any(|d| d.severity() == Severity::Error) {
            continue;
        }
        if let Some((span, why)) = differs(&signature, &declared, found, interface, cx)? {
            let error = Diagnostic::new(Code::E0403, place, span, [method.into(), interface.item().name().into()]).note(why);
            diagnostics.push(error.because(Anchor::Item(declared.item), declared.name_span, "declared here"));
        } else if let Some(error) = breaks_promise(&signature, &declared, found, interface, cx)? {
            diagnostics.push(error);
        } else if declared.receiver == Receiver::Plain && changes(id)? {
            diagnostics.push(assigns_to_self(&signature, method));
        }
    }
    for (interface, definition) in &own {
        for method in definition.methods.iter().filter(|m| !m.has_body && !given.iter().any(|(n, _)| *n == m.name)) {
            let args = [interface.item().name().into(), shown.as_str().into(), method.name.into()];
            let error = Diagnostic::new(Code::E0401, anchor, found.type_span, args);
            diagnostics.push(match cx.signature(method.item)? {
                Some(signature) => error.because(Anchor::Item(method.item), signature.name_span, "declared here, without a body"),
                None => error,
            });
        }
    }
    check_defaults(found, &above, &given, &mut diagnostics, anchor, cx)?;
    if Known::of(interface.item()) == Some(Known::Iterable) && !prelude::is_library(item.id.module()) && diagnostics.is_empty() {
        diagnostics.extend(check_iter(found, &given, cx)?);
    }
    Ok(diagnostics)
}

/// Is what the method of an impl gives what the trait promises of the result that it hides? E0812.
fn breaks_promise(
    own: &Signature,
    declared: &Signature,
    found: &Implementation,
    interface: TraitRef,
    cx: &dyn Context,
) -> Result<Option<Diagnostic>, Stop> {
    let Some(promised) = &declared.promised else { return Ok(None) };
    let mut args = interface.parts(found.ty);
    args.extend((found.generics.len()..own.generics.len()).map(|i| Type::new(TypeKind::Parameter(i as u32, own.generics[i]))));
    let (hidden, result) = (declared.result.substituted(&args), normalised(own.result, &own.given, cx)?);
    if result == Type::ERROR {
        return Ok(None);
    }
    let place = (Anchor::Item(own.item), own.result_span);
    Ok(broken_promise((hidden, &promised.substituted(&args)), result, &own.given, place, cx)?
        .map(|error| error.because(Anchor::Item(declared.item), declared.result_span, "the trait promises it here")))
}

/// What `iter` gives is an iterator over the items of the type.
fn check_iter(found: &Implementation, given: &[(Symbol, ItemId)], cx: &dyn Context) -> Result<Option<Diagnostic>, Stop> {
    let method = given.iter().find(|(name, _)| name.as_str() == Known::Iterable.method_name());
    let Some(&(_, method)) = method else { return Ok(None) };
    let Some(signature) = cx.signature(method)? else { return Ok(None) };
    let part = |ty, known: Known, name| normalised(Type::associated(&[ty], known.item(), name), &found.given, cx);
    let (iterator, item) = (normalised(signature.result, &found.given, cx)?, part(found.ty, Known::Iterable, prelude::item_type())?);
    if iterator == Type::ERROR || item == Type::ERROR {
        return Ok(None);
    }
    let wrong = |why: Option<String>| {
        let args = [show(iterator).into(), Known::Iterator.name().into()];
        let error = Diagnostic::new(Code::E2009, Anchor::Item(method), signature.result_span, args);
        why.into_iter().fold(error, Diagnostic::note)
    };
    if solve(iterator, Known::Iterator.plain(), &found.given, cx)? == Answer::Refuted {
        return Ok(Some(wrong(None)));
    }
    let given = part(iterator, Known::Iterator, prelude::item_type())?;
    if given != item {
        let why = format!("`Item` of its `Iterator` is `{}`, and `{}` is wanted", show(given), show(item));
        return Ok(Some(wrong(Some(why))));
    }
    // Generic code takes an iterator for what can be iterated over as it is.
    let is_iterator = matches!(solve(found.ty, Known::Iterator.plain(), &found.given, cx)?, Answer::Proven(_));
    let what = "another iterator for a type that is one";
    Ok((is_iterator && iterator != found.ty)
        .then(|| Diagnostic::new(Code::E2040, Anchor::Item(method), signature.result_span, [what.into()])))
}

/// Orphans, impls beside others and beside derives. False when there is no use in looking at the members.
fn check_coherence(
    item: &Item,
    found: &Implementation,
    interface: TraitRef,
    diagnostics: &mut Vec<Diagnostic>,
    cx: &dyn Context,
) -> Result<bool, Stop> {
    let anchor = Anchor::Item(item.id);
    let (shown, name) = (show(found.ty), interface.show());
    // What is declared in this package is its own; with what is built in, everything else is foreign.
    let home = super::package_of(item.id.module());
    let is_foreign = |declared: ItemId| prelude::is_predeclared(declared) || super::package_of(declared.module()) != home;
    let is_own = match found.ty.kind() {
        TypeKind::Struct(head, _) => !is_foreign(head),
        TypeKind::Parameter(..) => {
            let of_it = found.given.bounds.iter().filter(|bound| bound.ty == found.ty);
            of_it.into_iter().any(|bound| !is_foreign(bound.interface.item()))
        }
        _ => false,
    };
    if is_foreign(interface.item()) && !is_own && !prelude::is_library(item.id.module()) {
        diagnostics.push(Diagnostic::new(Code::E2010, anchor, found.type_span, [name.into(), shown.into()]));
        return Ok(false);
    }
    if let TypeKind::Struct(head, _) = found.ty.kind()
        && let Some(known) = Known::of(interface.item())
        && let Some(definition) = cx.type_definition(head)?
    {
        let derives = |known: Known| definition.derives.iter().any(|name| name.as_str() == known.name());
        if derives(known) {
            let args = [name.as_str().into(), shown.as_str().into()];
            diagnostics.push(Diagnostic::new(Code::E0411, anchor, found.type_span, args).note(format!("`{}` derives it", head.name())));
        }
        let other = match known {
            Known::Comparable if derives(Known::Eq) => Some("Comparable"),
            Known::Hashable if derives(Known::Eq) => Some("Hashable"),
            Known::Eq if derives(Known::Comparable) => Some("Comparable"),
            Known::Eq if derives(Known::Hashable) => Some("Hashable"),
            _ => None,
        };
        if let Some(other) = other {
            let args = [format!("Eq and {other}").into(), shown.as_str().into()];
            diagnostics.push(Diagnostic::new(Code::W0442, anchor, found.type_span, args));
        }
    }
    let rows = cx.trait_impls(interface.item(), prelude::head(found.ty))?;
    let asked = Asked::of(found.ty, Some(interface));
    let may_meet = |row: &&ImplRow| row.interface == Some(interface.item()) && row.may_be(&asked);
    for row in rows.iter().take_while(|row| row.item != item.id).filter(may_meet) {
        let Some(other) = cx.implementation(row.item)? else { continue };
        let Some(header) = other.interface else { continue };
        if rank(&other) != rank(found) || !super::overlap::overlap((&other, header.args()), (found, interface.args()), cx)? {
            continue;
        }
        let same = matched(other.ty, found.ty, other.generics.len()).is_some()
            && matched(found.ty, other.ty, found.generics.len()).is_some()
            && header == interface
            && (rank(found) == 0 || other.given.bounds == found.given.bounds);
        let code = if same { Code::E0411 } else { Code::E2021 };
        let error = Diagnostic::new(code, anchor, found.type_span, [name.as_str().into(), shown.as_str().into()]);
        diagnostics.push(error.because(Anchor::Item(row.item), other.type_span, "first implemented here"));
        break;
    }
    Ok(true)
}

/// Associated types: each is given once, is one of the trait's, and has what the trait asks of it.
fn check_associated(
    item: &Item,
    found: &Implementation,
    own: &[(TraitRef, std::sync::Arc<TraitDefinition>)],
    diagnostics: &mut Vec<Diagnostic>,
    cx: &dyn Context,
) -> Result<(), Stop> {
    let ItemKind::Impl { members, .. } = &item.kind else { return Ok(()) };
    let (anchor, shown) = (Anchor::Item(item.id), show(found.ty));
    let Some((interface, _)) = own.first() else { return Ok(()) };
    let mut seen: Vec<Symbol> = Vec::new();
    for member in members {
        let Member::Type { name, span, ty, .. } = member else { continue };
        if seen.contains(name) {
            diagnostics.push(Diagnostic::new(Code::E2006, anchor, *span, [(*name).into()]).label("defined again here"));
            continue;
        }
        seen.push(*name);
        let declared =
            own.iter().find_map(|(interface, definition)| Some((*interface, definition.associated.iter().find(|row| row.name == *name)?)));
        let Some((interface, row)) = declared else {
            diagnostics.push(Diagnostic::new(Code::E0402, anchor, *span, [(*name).into(), interface.item().name().into()]));
            continue;
        };
        let Some(&(_, value)) = found.associated.iter().find(|(n, _)| n == name) else {
            if ty.is_none() {
                let args = [interface.item().name().into(), shown.as_str().into(), (*name).into()];
                diagnostics.push(Diagnostic::new(Code::E2018, anchor, *span, args));
            }
            continue;
        };
        for bound in &row.bounds {
            let bound = bound.substituted(&interface.parts(found.ty));
            if value != Type::ERROR && solve(value, bound, &found.given, cx)? == Answer::Refuted {
                diagnostics.push(Diagnostic::new(Code::E2009, anchor, *span, [show(value).into(), bound.show().into()]));
            }
        }
    }
    for (interface, definition) in own {
        // Which iterator a thing has says the result of its `iter`.
        let is_told = |name| Known::of(interface.item()) == Some(Known::Iterable) && name == prelude::iter_type();
        for row in definition.associated.iter().filter(|row| row.default.is_none() && !seen.contains(&row.name) && !is_told(row.name)) {
            let args = [interface.item().name().into(), shown.as_str().into(), row.name.into()];
            diagnostics.push(Diagnostic::new(Code::E2018, anchor, found.type_span, args));
        }
    }
    Ok(())
}

/// E2022: two traits give a method of one name a body, and the impl does not choose.
fn check_defaults(
    found: &Implementation,
    above: &[TraitRef],
    given: &[(Symbol, ItemId)],
    diagnostics: &mut Vec<Diagnostic>,
    anchor: Anchor,
    cx: &dyn Context,
) -> Result<(), Stop> {
    let mut defaults: Vec<(Symbol, TraitRef)> = Vec::new();
    for &interface in above {
        let Some(definition) = cx.trait_definition(interface.item())? else { continue };
        for method in definition.methods.iter().filter(|m| m.has_body && !given.iter().any(|(n, _)| *n == m.name)) {
            match defaults.iter().find(|(name, _)| *name == method.name) {
                // What stands in a trait below goes before what it inherits.
                Some(&(_, first)) if first.item() != interface.item() && !inherits(first, interface, found.ty, cx)? => {
                    let args = [method.name.into(), first.show().into(), interface.show().into()];
                    diagnostics.push(Diagnostic::new(Code::E2022, anchor, found.type_span, args));
                }
                Some(_) => {}
                None => defaults.push((method.name, interface)),
            }
        }
    }
    Ok(())
}

/// Where and how a method differs from its declaration in the trait.
fn differs(
    own: &Signature,
    declared: &Signature,
    found: &Implementation,
    interface: TraitRef,
    cx: &dyn Context,
) -> Result<Option<(Span, String)>, Stop> {
    // `Self` is the type of the impl; the method's own type parameters follow those of the impl.
    let mut args = interface.parts(found.ty);
    let (own_generics, declared_generics) = (own.generics.len() - found.generics.len(), declared.generics.len() - args.len());
    if own_generics != declared_generics {
        return Ok(Some((own.name_span, format!("the trait gives it {declared_generics} type parameters, the impl {own_generics}"))));
    }
    args.extend((found.generics.len()..own.generics.len()).map(|i| Type::new(TypeKind::Parameter(i as u32, own.generics[i]))));
    let why = match (own.receiver, declared.receiver) {
        (Receiver::None, Receiver::Plain | Receiver::Mut) => Some("the trait declares it with `self`"),
        (Receiver::Plain | Receiver::Mut, Receiver::None) => Some("the trait declares it without `self`"),
        (Receiver::Mut, Receiver::Plain) => Some("the trait declares it with `self`, not `mut self`"),
        (Receiver::None, Receiver::None) | (Receiver::Plain, _) | (Receiver::Mut, Receiver::Mut) => None,
    };
    if let Some(why) = why {
        return Ok(Some((own.name_span, why.into())));
    }
    if own.params.len() != declared.params.len() {
        let counts = (declared.params.len(), own.params.len());
        return Ok(Some((own.name_span, format!("the trait gives it {} parameters, the impl {}", counts.0, counts.1))));
    }
    let wanted = |ty: Type| normalised(ty.substituted(&args), &own.given, cx);
    for (mine, theirs) in own.params.iter().zip(&declared.params) {
        if mine.variadic != theirs.variadic {
            let has = if theirs.variadic { "is variadic in the trait" } else { "is not variadic in the trait" };
            return Ok(Some((mine.span, format!("parameter `{}` {has}", theirs.name))));
        }
        let (wanted, ty) = (wanted(theirs.ty)?, normalised(mine.ty, &own.given, cx)?);
        // What is left of an associated type that the impl lacks was reported.
        if ty != wanted && !wanted.has_associated() {
            return Ok(Some((mine.span, format!("parameter `{}` is `{}`, the trait wants `{}`", mine.name, show(ty), show(wanted)))));
        }
    }
    let (result, result_wanted) = (normalised(own.result, &own.given, cx)?, wanted(declared.result)?);
    if result != result_wanted && !result_wanted.has_associated() {
        return Ok(Some((own.result_span, format!("the result is `{}`, the trait wants `{}`", show(result), show(result_wanted)))));
    }
    // What the impl asks for must follow from what the trait lets callers promise, and the other way round.
    // What the header of the trait asks was judged with the impl.
    let mut promised = found.given.clone();
    let of_header = cx.trait_definition(interface.item())?.map_or(0, |definition| definition.given.bounds.len());
    for bound in declared.given.bounds.iter().skip(1 + of_header) {
        promised.bounds.push(Bound { ty: wanted(bound.ty)?, interface: bound.interface.substituted(&args) });
    }
    for equality in &declared.given.equalities {
        let (associated, ty) = (equality.associated.substituted(&args), equality.ty.substituted(&args));
        promised.equalities.push(Equality { associated, ty, ..*equality });
    }
    let lacks = |needed: &Given, known: &Given| -> Result<bool, Stop> {
        for bound in &needed.bounds {
            if solve(bound.ty, bound.interface, known, cx)? == Answer::Refuted {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let differ = lacks(&own.given, &promised)? || lacks(&promised, &own.given)?;
    Ok(differ.then(|| (own.name_span, "its bounds are others than in the trait".into())))
}
