//! Traits as declared, the bounds that name them, and whether an impl is what its trait asks for (language/04 §4.7).

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{self, Item, ItemKind, Member};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::prelude::{self, Known};
use super::solve::{Answer, ancestors, member, solve};
use super::types::{is_later_type, show};
use super::{TypeReader, signature::reader};
use crate::program::{Bound, Context, Entity, Implementation, Receiver, Signature, TraitDefinition, TraitMethod};
use crate::{Type, TypeKind};

/// A trait's header and the names of its members; `None` when the item is no trait of the slice or has syntax errors.
pub fn trait_definition(item: &Item, cx: &dyn Context) -> Result<Option<TraitDefinition>, Stop> {
    let ItemKind::Trait { generics, supertraits, constraints, members } = &item.kind else { return Ok(None) };
    if item.has_errors || !generics.is_empty() || !constraints.is_empty() {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    let mut definition = TraitDefinition { item: item.id, supertraits: Vec::new(), methods: Vec::new(), diagnostics: Vec::new() };
    for bound in supertraits {
        definition.supertraits.extend(reader.interface(bound)?);
    }
    for member in members {
        match *member {
            Member::Function { id, name, has_body } => definition.methods.push(TraitMethod { name, item: id, has_body }),
            Member::Type { .. } => return Ok(None),
        }
    }
    definition.diagnostics = reader.diagnostics;
    Ok(Some(definition))
}

impl TypeReader<'_> {
    /// The trait that a bound names; `None` after a report, or where the trait itself is refused.
    pub(crate) fn interface(&mut self, bound: &tree::Bound) -> Result<Option<ItemId>, Stop> {
        let entity = match bound.path[..] {
            [name] => match self.around.parameter(name) {
                Some(_) => None,
                None => self.scope.type_name(name).or_else(|| prelude::trait_named(name.as_str()).map(Entity::Trait)),
            },
            [alias, name] => match self.scope.value(alias) {
                Some(Entity::Module(module)) => self.cx.scope(module)?.exported(name).find(|e| crate::program::is_type(*e)),
                _ => None,
            },
            _ => None,
        };
        let Some(&name) = bound.path.last() else { return Ok(None) };
        match entity {
            Some(Entity::Trait(item)) if bound.args.is_empty() => return Ok(Some(item)),
            Some(Entity::Trait(_)) => {
                self.diagnostics.push(Diagnostic::new(Code::E2017, self.anchor, bound.span, [name.into()]));
            }
            Some(Entity::Unsupported(..)) => {
                // Its declaration has the report; whoever depends on the bound is refused with it.
                self.diagnostics.push(Diagnostic::new(Code::E2040, self.anchor, bound.span, [format!("`{name}`").into()]));
            }
            None if is_later_type(name.as_str()) => {
                self.diagnostics.push(Diagnostic::new(Code::E2040, self.anchor, bound.span, [format!("`{name}`").into()]));
            }
            Some(Entity::Function(_) | Entity::Constant(_) | Entity::Type(_) | Entity::Module(_) | Entity::Std(..)) | None => {
                self.diagnostics.push(Diagnostic::new(Code::E0442, self.anchor, bound.span, [name.into()]));
            }
        }
        Ok(None)
    }

    /// The bounds of type parameters and `where` clauses of a header, whose names are declared.
    pub(crate) fn bounds(&mut self, generics: &super::Generics<'_>) -> Result<Vec<Bound>, Stop> {
        let mut found = Vec::new();
        for generic in generics.list {
            let Some(ty) = self.around.parameter(generic.name) else { continue };
            for bound in &generic.bounds {
                if let Some(interface) = self.interface(bound)? {
                    found.push(Bound { ty, interface });
                }
            }
        }
        for constraint in generics.constraints {
            let tree::Constraint::Bounds(path, bounds, span) = constraint else { continue };
            let ty = match path[..] {
                [name] if name.as_str() == "Self" => self.around.this,
                [name] => self.around.parameter(name),
                _ => None,
            };
            let Some(ty) = ty else {
                let name = path.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".");
                self.diagnostics.push(Diagnostic::new(Code::E2002, self.anchor, *span, [name.into()]));
                continue;
            };
            for bound in bounds {
                if let Some(interface) = self.interface(bound)? {
                    found.push(Bound { ty, interface });
                }
            }
        }
        Ok(found)
    }
}

/// What is wrong with a trait: one that is its own supertrait (E0443), members of one name (E2006), defaults that assign to a plain `self` (E0446).
pub fn check_trait(item: &Item, cx: &dyn Context, changes: &dyn Fn(ItemId) -> Result<bool, Stop>) -> Result<Vec<Diagnostic>, Stop> {
    let Some(definition) = cx.trait_definition(item.id)? else { return Ok(Vec::new()) };
    let mut diagnostics = definition.diagnostics.clone();
    let mut above = Vec::new();
    for &parent in &definition.supertraits {
        above.extend(ancestors(parent, cx)?);
    }
    if above.contains(&item.id) {
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
    interface: ItemId,
    cx: &dyn Context,
    changes: &dyn Fn(ItemId) -> Result<bool, Stop>,
) -> Result<Vec<Diagnostic>, Stop> {
    let ItemKind::Impl { members, .. } = &item.kind else { return Ok(Vec::new()) };
    let Some(definition) = cx.trait_definition(interface)? else { return Ok(Vec::new()) };
    let (anchor, shown, name) = (Anchor::Item(item.id), show(found.ty), interface.name());
    let mut diagnostics = Vec::new();
    // There is one package, so only what is built in is foreign.
    let is_foreign = |ty: Type| !matches!(ty.kind(), TypeKind::Struct(head, _) if !prelude::is_predeclared(head));
    if prelude::is_predeclared(interface) && is_foreign(found.ty) {
        diagnostics.push(Diagnostic::new(Code::E2010, anchor, found.type_span, [name.into(), shown.as_str().into()]));
        return Ok(diagnostics);
    }
    if let TypeKind::Struct(head, _) = found.ty.kind()
        && let Some(known) = Known::of(interface)
        && let Some(definition) = cx.type_definition(head)?
    {
        let derives = |known: Known| definition.derives.iter().any(|name| name.as_str() == known.name());
        if derives(known) {
            let error = Diagnostic::new(Code::E0411, anchor, found.type_span, [name.into(), shown.as_str().into()]);
            diagnostics.push(error.note(format!("`{}` derives it", head.name())));
        }
        let other = match known {
            Known::Comparable => derives(Known::Eq).then_some("Comparable"),
            Known::Hashable => derives(Known::Eq).then_some("Hashable"),
            Known::Eq if derives(Known::Comparable) => Some("Comparable"),
            Known::Eq if derives(Known::Hashable) => Some("Hashable"),
            _ => None,
        };
        if let Some(other) = other {
            let pair = format!("Eq and {other}");
            diagnostics.push(Diagnostic::new(Code::W0442, anchor, found.type_span, [pair.into(), shown.as_str().into()]));
        }
    }
    let rows = cx.trait_impls(interface)?;
    for row in rows.iter().take_while(|row| row.item != item.id) {
        let Some(other) = cx.implementation(row.item)? else { continue };
        if !super::impls::overlap(other.ty, found.ty) {
            continue;
        }
        let same = super::solve::matched(other.ty, found.ty, other.generics.len()).is_some()
            && super::solve::matched(found.ty, other.ty, found.generics.len()).is_some();
        let code = if same { Code::E0411 } else { Code::E2021 };
        let error = Diagnostic::new(code, anchor, found.type_span, [name.into(), shown.as_str().into()]);
        diagnostics.push(error.because(Anchor::Item(row.item), other.type_span, "first implemented here"));
        break;
    }
    for &parent in &definition.supertraits {
        if solve(found.ty, parent, &found.bounds, cx)? == Answer::Refuted {
            diagnostics.push(Diagnostic::new(Code::E0413, anchor, found.type_span, [shown.as_str().into(), parent.name().into()]));
        }
    }
    let mut given: Vec<(Symbol, ItemId)> = Vec::new();
    for member_of in members {
        let Member::Function { id, name: method, .. } = *member_of else { continue };
        let Some(own) = cx.signature(id)? else { continue };
        let place = Anchor::Item(id);
        if let Some(&(_, first)) = given.iter().find(|(n, _)| *n == method) {
            let mut error = Diagnostic::new(Code::E2006, place, own.name_span, [method.into()]).label("defined again here");
            if let Some(earlier) = cx.signature(first)? {
                error = error.because(Anchor::Item(first), earlier.name_span, "first defined here");
            }
            diagnostics.push(error);
            continue;
        }
        given.push((method, id));
        let Some(declared) = member(&definition, method) else {
            diagnostics.push(not_a_member(interface, method, place, own.name_span, cx)?);
            continue;
        };
        let Some(declared) = cx.signature(declared)? else { continue };
        if own.diagnostics.iter().chain(&declared.diagnostics).any(|d| d.severity() == Severity::Error) {
            continue;
        }
        if let Some((span, why)) = differs(&own, &declared, found) {
            let error = Diagnostic::new(Code::E0403, place, span, [method.into(), name.into()]).note(why);
            diagnostics.push(error.because(Anchor::Item(declared.item), declared.name_span, "declared here"));
        } else if declared.receiver == Receiver::Plain && changes(id)? {
            diagnostics.push(assigns_to_self(&own, method));
        }
    }
    for method in definition.methods.iter().filter(|m| !m.has_body && !given.iter().any(|(n, _)| *n == m.name)) {
        let error = Diagnostic::new(Code::E0401, anchor, found.type_span, [name.into(), shown.as_str().into(), method.name.into()]);
        diagnostics.push(match cx.signature(method.item)? {
            Some(signature) => error.because(Anchor::Item(method.item), signature.name_span, "declared here, without a body"),
            None => error,
        });
    }
    Ok(diagnostics)
}

/// E0402; a method of a supertrait may stand in the impl, but not in this compiler.
fn not_a_member(interface: ItemId, method: Symbol, anchor: Anchor, span: Span, cx: &dyn Context) -> Result<Diagnostic, Stop> {
    for above in ancestors(interface, cx)? {
        if let Some(definition) = cx.trait_definition(above)?
            && member(&definition, method).is_some()
        {
            return Ok(Diagnostic::new(Code::E2040, anchor, span, ["methods of a supertrait in the impl of its subtrait".into()]));
        }
    }
    Ok(Diagnostic::new(Code::E0402, anchor, span, [method.into(), interface.name().into()]))
}

/// Where and how a method differs from its declaration in the trait.
fn differs(own: &Signature, declared: &Signature, found: &Implementation) -> Option<(Span, String)> {
    let (own_generics, declared_generics) = (own.generics.len() - found.generics.len(), declared.generics.len() - 1);
    if own_generics != declared_generics {
        return Some((own.name_span, format!("the trait gives it {declared_generics} type parameters, the impl {own_generics}")));
    }
    // `Self` is the type of the impl; the method's own type parameters follow those of the impl.
    let mut args = vec![found.ty];
    args.extend((found.generics.len()..own.generics.len()).map(|i| Type::new(TypeKind::Parameter(i as u32, own.generics[i]))));
    match (own.receiver, declared.receiver) {
        (Receiver::None, Receiver::Plain | Receiver::Mut) => return Some((own.name_span, "the trait declares it with `self`".into())),
        (Receiver::Plain | Receiver::Mut, Receiver::None) => return Some((own.name_span, "the trait declares it without `self`".into())),
        (Receiver::Mut, Receiver::Plain) => return Some((own.name_span, "the trait declares it with `self`, not `mut self`".into())),
        (Receiver::None, Receiver::None) | (Receiver::Plain, _) | (Receiver::Mut, Receiver::Mut) => {}
    }
    if own.params.len() != declared.params.len() {
        let counts = (declared.params.len(), own.params.len());
        return Some((own.name_span, format!("the trait gives it {} parameters, the impl {}", counts.0, counts.1)));
    }
    for (mine, theirs) in own.params.iter().zip(&declared.params) {
        let wanted = theirs.ty.substituted(&args);
        if mine.ty != wanted {
            return Some((mine.span, format!("parameter `{}` is `{}`, the trait wants `{}`", mine.name, show(mine.ty), show(wanted))));
        }
    }
    let wanted = declared.result.substituted(&args);
    let is_bound = |bound: &Bound| own.bounds.contains(&Bound { ty: bound.ty.substituted(&args), ..*bound });
    if own.result != wanted {
        return Some((own.result_span, format!("the result is `{}`, the trait wants `{}`", show(own.result), show(wanted))));
    }
    let more = own.bounds.len() > found.bounds.len() + declared.bounds.len().saturating_sub(1);
    let lacking = declared.bounds.iter().skip(1).any(|bound| !is_bound(bound));
    (more || lacking).then(|| (own.name_span, "its bounds are others than in the trait".into()))
}
