//! Traits as declared, the bounds that name them, and whether an impl is what its trait asks for (language/04 §4.7).

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{self, Item, ItemKind, Member};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::prelude::{self, Known};
use super::solve::{Answer, DEEPEST, Evidence, ancestors, bounds_of, inherits, matched, member, normalised, rank, solve};
use super::types::{is_later_type, show};
use super::{TypeReader, signature::reader};
use crate::program::{
    Asked, AssociatedType, Bound, Context, Entity, Equality, Given, ImplRow, Implementation, Receiver, Signature, TraitDefinition,
    TraitMethod, TraitOutline, TraitRef,
};
use crate::{Type, TypeKind};

/// A trait's header and the names of its members; `None` when the item is no trait of the slice or has syntax errors.
pub fn trait_definition(item: &Item, cx: &dyn Context) -> Result<Option<TraitDefinition>, Stop> {
    let ItemKind::Trait { generics, supertraits, constraints, members } = &item.kind else { return Ok(None) };
    if item.has_errors {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    let anchor = reader.anchor;
    let generics = super::Generics { list: generics, constraints, defaults: true };
    let mut definition = TraitDefinition {
        item: item.id,
        generics: generics.names().collect(),
        given: Given::default(),
        supertraits: Vec::new(),
        associated: Vec::new(),
        methods: Vec::new(),
        diagnostics: Vec::new(),
    };
    if let Some((span, what)) = generics.refused() {
        definition.diagnostics.push(Diagnostic::new(Code::E2040, anchor, span, [what.into()]));
        return Ok(Some(definition));
    }
    let is_told = |constraint: &&tree::Constraint| matches!(constraint, tree::Constraint::Bounds(path, ..) if path.len() < 3);
    if let Some(tree::Constraint::Equal(_, _, span) | tree::Constraint::Bounds(_, _, span) | tree::Constraint::Const(_, span)) =
        constraints.iter().find(|constraint| !is_told(constraint))
    {
        let what = "`where` clauses of traits about associated types of other traits";
        reader.diagnostics.push(Diagnostic::new(Code::E2040, anchor, *span, [what.into()]));
    }
    reader.around.parameters.push(Symbol::new("Self"));
    generics.declare(&mut reader.around, anchor, &mut reader.diagnostics);
    let this = crate::types::parameters(&reader.around.parameters[..1])[0];
    reader.around.this = Some(this);
    generics.defaults(&mut reader)?;
    for bound in supertraits {
        definition.supertraits.extend(reader.interface(bound, this)?);
    }
    for generic in generics.list {
        if let Some(ty) = reader.around.parameter(generic.name) {
            reader.bounds_for(ty, &generic.bounds)?;
        }
    }
    for constraint in constraints {
        match constraint {
            tree::Constraint::Bounds(path, bounds, _) if path[..] == [Symbol::new("Self")] => {
                for bound in bounds {
                    definition.supertraits.extend(reader.interface(bound, this)?);
                }
            }
            tree::Constraint::Bounds(path, bounds, span) if path.len() == 1 => {
                let ty = reader.associated(path, *span)?;
                reader.bounds_for(ty, bounds)?;
            }
            tree::Constraint::Bounds(..) | tree::Constraint::Equal(..) | tree::Constraint::Const(..) => {}
        }
    }
    definition.given.clone_from(&reader.around.given);
    for member in members {
        match member {
            Member::Function { id, name, has_body } => {
                definition.methods.push(TraitMethod { name: *name, item: *id, has_body: *has_body });
            }
            Member::Type { name, bounds, ty, span } => {
                if definition.associated.iter().any(|known| known.name == *name) {
                    reader.diagnostics.push(Diagnostic::new(Code::E2006, anchor, *span, [(*name).into()]).label("defined again here"));
                    continue;
                }
                let own: Vec<Type> = crate::types::parameters(&reader.around.parameters);
                let mut row = AssociatedType { name: *name, bounds: Vec::new(), default: None };
                for bound in bounds {
                    row.bounds.extend(reader.interface(bound, Type::associated(&own, item.id, *name))?);
                }
                if let Some(ty) = ty {
                    row.default = Some(reader.read(*ty)?);
                }
                definition.associated.push(row);
            }
        }
    }
    for constraint in constraints {
        let tree::Constraint::Bounds(path, bounds, span) = constraint else { continue };
        let &[first, name] = &path[..] else { continue };
        let own: Vec<Type> = crate::types::parameters(&reader.around.parameters);
        match definition.associated.iter_mut().find(|row| first.as_str() == "Self" && row.name == name) {
            Some(row) => {
                for bound in bounds {
                    row.bounds.extend(reader.interface(bound, Type::associated(&own, item.id, name))?);
                }
            }
            None => {
                // Of a supertrait, or of what a type parameter implements.
                let ty = reader.associated_of_header(first, name, *span, &definition.supertraits)?;
                for bound in bounds.iter().filter(|_| ty != Type::ERROR) {
                    definition.given.bounds.extend(reader.interface(bound, ty)?.map(|interface| Bound { ty, interface }));
                }
            }
        }
    }
    definition.diagnostics = reader.diagnostics;
    Ok(Some(definition))
}

/// What a trait's header says of its supertraits and associated types; `None` as for [`trait_definition`], which has the errors.
pub fn trait_outline(item: &Item, cx: &dyn Context) -> Result<Option<TraitOutline>, Stop> {
    let ItemKind::Trait { generics, supertraits, constraints, members } = &item.kind else { return Ok(None) };
    if item.has_errors {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    let anchor = reader.anchor;
    reader.around.parameters.push(Symbol::new("Self"));
    super::Generics { list: generics, constraints, defaults: true }.declare(&mut reader.around, anchor, &mut Vec::new());
    let this = crate::types::parameters(&reader.around.parameters[..1])[0];
    reader.around.this = Some(this);
    let mut outline = TraitOutline { supertraits: Vec::new(), associated: Vec::new() };
    let of_clauses = constraints.iter().filter_map(|constraint| match constraint {
        tree::Constraint::Bounds(path, bounds, _) if path[..] == [Symbol::new("Self")] => Some(bounds),
        tree::Constraint::Bounds(..) | tree::Constraint::Equal(..) | tree::Constraint::Const(..) => None,
    });
    for bound in supertraits.iter().chain(of_clauses.flatten()) {
        outline.supertraits.extend(reader.interface(bound, this)?);
    }
    for member in members {
        if let Member::Type { name, .. } = member {
            outline.associated.push(*name);
        }
    }
    Ok(Some(outline))
}

impl TypeReader<'_> {
    /// `Self.Item` or `T.Item` in the header of a trait, of which no more is known than its supertraits and bounds; [`Type::ERROR`] after a report.
    /// Other traits are asked for their outlines alone: clauses of traits may name each other.
    fn associated_of_header(&mut self, first: Symbol, name: Symbol, span: Span, supertraits: &[TraitRef]) -> Result<Type, Stop> {
        let is_this = first.as_str() == "Self";
        let base = if is_this { self.around.this } else { self.around.parameter(first) };
        let Some(ty) = base else {
            self.diagnostics.push(Diagnostic::new(Code::E2002, self.anchor, span, [first.into()]));
            return Ok(Type::ERROR);
        };
        let mut above: Vec<TraitRef> =
            self.around.given.bounds.iter().filter(|bound| bound.ty == ty).map(|bound| bound.interface).collect();
        if is_this {
            above.extend(supertraits);
        }
        let (mut found, mut next) = (Vec::new(), 0);
        while let Some(&interface) = above.get(next) {
            next += 1;
            let Some(outline) = self.cx.trait_outline(interface.item())? else { continue };
            let parts = interface.parts(ty);
            if outline.associated.contains(&name) {
                found.push((Type::associated(&parts, interface.item(), name), interface));
            }
            for parent in &outline.supertraits {
                let parent = parent.substituted(&parts);
                if !above.contains(&parent) && above.len() < DEEPEST {
                    above.push(parent);
                }
            }
        }
        match found[..] {
            [(one, _)] => return Ok(one),
            [] => self.diagnostics.push(Diagnostic::new(Code::E0444, self.anchor, span, [first.into(), name.into()])),
            [(_, interface), ..] => {
                let args = [name.into(), first.into(), interface.item().name().into()];
                self.diagnostics.push(Diagnostic::new(Code::E0445, self.anchor, span, args));
            }
        }
        Ok(Type::ERROR)
    }

    /// The trait that a bound of `this` names; `None` after a report, or where the trait itself is refused.
    pub(crate) fn interface(&mut self, bound: &tree::Bound, this: Type) -> Result<Option<TraitRef>, Stop> {
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
            Some(Entity::Trait(item)) => return self.interface_with(item, bound, this),
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

    /// A trait with the arguments of a bound; those that are not written are the defaults.
    fn interface_with(&mut self, item: ItemId, bound: &tree::Bound, this: Type) -> Result<Option<TraitRef>, Stop> {
        let mut args = Vec::with_capacity(bound.args.len());
        for &arg in &bound.args {
            args.push(self.read(arg)?);
        }
        let is_plain = match Known::of(item) {
            Some(known) => known.arity() == 0,
            None => bound.path.len() == 1 && self.scope.arity(item) == 0,
        };
        if is_plain && args.is_empty() {
            return Ok(Some(TraitRef::new(item, &[])));
        }
        let defaults = self.cx.defaults(item)?;
        let wanted = defaults.len();
        if args.len() > wanted {
            self.diagnostics.push(Diagnostic::new(Code::E2017, self.anchor, bound.span, [item.name().into()]));
            return Ok(None);
        }
        while args.len() < wanted {
            let Some(&Some(default)) = defaults.get(args.len()) else {
                let counts = [item.name().into(), wanted.to_string().into(), bound.args.len().to_string().into()];
                self.diagnostics.push(Diagnostic::new(Code::E2016, self.anchor, bound.span, counts));
                return Ok(None);
            };
            let before: Vec<Type> = [this].iter().chain(&args).copied().collect();
            args.push(default.substituted(&before));
        }
        if args.contains(&Type::ERROR) {
            return Ok(None);
        }
        let interface = TraitRef::new(item, &args);
        self.asked.push((this, interface, bound.span));
        Ok(Some(interface))
    }

    /// The type that a path of `Self` or a type parameter, then associated types names; [`Type::ERROR`] after a report.
    pub(crate) fn associated(&mut self, path: &[Symbol], span: Span) -> Result<Type, Stop> {
        let Some((&first, names)) = path.split_first() else { return Ok(Type::ERROR) };
        let base = if first.as_str() == "Self" { self.around.this } else { self.around.parameter(first) };
        let Some(mut ty) = base else {
            self.diagnostics.push(Diagnostic::new(Code::E2002, self.anchor, span, [first.into()]));
            return Ok(Type::ERROR);
        };
        let mut names = names.iter().copied().peekable();
        while let Some(name) = names.next() {
            if Some(ty) == self.around.this
                && let Some(&(_, own)) = self.around.associated.iter().find(|(n, _)| *n == name)
            {
                ty = own;
                continue;
            }
            let mut name = name;
            let mut found = self.associated_of(ty, name, None)?;
            // `T::Trait::Item` names the trait whose associated type is meant.
            if let (true, Some(interface), Some(&of)) = (found.is_empty(), self.trait_named(name), names.peek()) {
                names.next();
                name = of;
                found = self.associated_of(ty, name, Some(interface))?;
            }
            let code = match found[..] {
                [one] => {
                    ty = normalised(one, &self.around.given, self.cx)?;
                    continue;
                }
                [] => Code::E0444,
                [first, ..] => {
                    let interface = if let TypeKind::Associated(_, item, _) = first.kind() { item.name() } else { name };
                    let args = [name.into(), show(ty).into(), interface.into()];
                    self.diagnostics.push(Diagnostic::new(Code::E0445, self.anchor, span, args));
                    return Ok(Type::ERROR);
                }
            };
            self.diagnostics.push(Diagnostic::new(code, self.anchor, span, [show(ty).into(), name.into()]));
            return Ok(Type::ERROR);
        }
        Ok(ty)
    }

    /// The trait that a name alone stands for.
    fn trait_named(&self, name: Symbol) -> Option<ItemId> {
        if self.around.parameter(name).is_some() {
            return None;
        }
        match self.scope.type_name(name).or_else(|| prelude::trait_named(name.as_str()).map(Entity::Trait)) {
            Some(Entity::Trait(item)) => Some(item),
            _ => None,
        }
    }

    /// The associated types of this name that a type has by its bounds; only those of one trait where that is said.
    fn associated_of(&self, ty: Type, name: Symbol, only: Option<ItemId>) -> Result<Vec<Type>, Stop> {
        let mut found: Vec<Type> = Vec::new();
        for bound in bounds_of(ty, &self.around.given, self.cx)? {
            for above in ancestors(bound, ty, self.cx)? {
                if only.is_some_and(|only| only != above.item()) {
                    continue;
                }
                let Some(definition) = self.cx.trait_definition(above.item())? else { continue };
                let associated = Type::associated(&above.parts(ty), above.item(), name);
                if definition.associated.iter().any(|row| row.name == name) && !found.contains(&associated) {
                    found.push(associated);
                }
            }
        }
        Ok(found)
    }

    /// Does a path name an associated type of a type parameter itself, and none of an associated type?
    fn is_direct(&self, path: &[Symbol]) -> bool {
        path.len() <= 2 || path.len() == 3 && self.trait_named(path[1]).is_some()
    }

    /// Adds the bounds of type parameters and the `where` clauses of a header, whose names are declared, to what is known around.
    pub(crate) fn bounds(&mut self, generics: &super::Generics<'_>) -> Result<(), Stop> {
        let first = self.around.given.bounds.len();
        for generic in generics.list {
            let Some(ty) = self.around.parameter(generic.name) else { continue };
            self.bounds_for(ty, &generic.bounds)?;
        }
        // What associated types are is known before it is asked what they implement.
        for constraint in generics.constraints {
            let tree::Constraint::Bounds(path, bounds, span) = constraint else { continue };
            if path.len() == 1 {
                let ty = self.associated(path, *span)?;
                self.bounds_for(ty, bounds)?;
            }
        }
        for constraint in generics.constraints {
            if let tree::Constraint::Equal(path, ty, span) = constraint
                && self.is_direct(path)
            {
                self.equality(path, *ty, *span)?;
            }
        }
        self.default_equalities(first)?;
        for constraint in generics.constraints {
            let tree::Constraint::Bounds(path, bounds, span) = constraint else { continue };
            if path.len() > 1 {
                let before = self.around.given.bounds.len();
                let ty = self.associated(path, *span)?;
                self.bounds_for(ty, bounds)?;
                self.default_equalities(before)?;
            }
        }
        // Those of associated types need what these implement.
        for constraint in generics.constraints {
            if let tree::Constraint::Equal(path, ty, span) = constraint
                && !self.is_direct(path)
            {
                self.equality(path, *ty, *span)?;
            }
        }
        Ok(())
    }

    /// `where path == ty`
    fn equality(&mut self, path: &[Symbol], ty: tree::TypeId, span: Span) -> Result<(), Stop> {
        let (associated, ty) = (self.associated(path, span)?, self.read(ty)?);
        if let TypeKind::Associated(parts, interface, _) = associated.kind()
            && ty != Type::ERROR
        {
            let mut is_part = false;
            ty.replaced(&mut |part| {
                is_part |= part == associated;
                None
            });
            if is_part && ty != associated {
                let this = parts.first().map_or_else(String::new, |&this| show(this));
                let args = [this.as_str().into(), interface.name().into()];
                let error = Diagnostic::new(Code::E0440, self.anchor, span, args);
                self.diagnostics.push(error.note(format!("`{}` would be a part of itself", show(associated))));
            }
            if !is_part {
                self.around.given.equalities.push(Equality { associated, ty, is_default: false });
            }
        } else if associated != ty && associated != Type::ERROR && ty != Type::ERROR {
            let args = [show(ty).into(), show(associated).into()];
            self.diagnostics.push(Diagnostic::new(Code::E2001, self.anchor, span, args));
        }
        Ok(())
    }

    fn bounds_for(&mut self, ty: Type, bounds: &[tree::Bound]) -> Result<(), Stop> {
        if ty == Type::ERROR {
            return Ok(());
        }
        for bound in bounds {
            if let Some(interface) = self.interface(bound, ty)? {
                self.around.given.bounds.push(Bound { ty, interface });
            }
        }
        Ok(())
    }

    /// A bound that says nothing about an associated type with a default fixes it to that (language/03 §3.9).
    fn default_equalities(&mut self, first: usize) -> Result<(), Stop> {
        for index in first..self.around.given.bounds.len() {
            let Bound { ty, interface } = self.around.given.bounds[index];
            for above in ancestors(interface, ty, self.cx)? {
                let Some(definition) = self.cx.trait_definition(above.item())? else { continue };
                for row in &definition.associated {
                    let Some(default) = row.default else { continue };
                    let parts = above.parts(ty);
                    let associated = Type::associated(&parts, above.item(), row.name);
                    if !self.around.given.equalities.iter().any(|known| known.associated == associated) {
                        let equality = Equality { associated, ty: default.substituted(&parts), is_default: true };
                        self.around.given.equalities.push(equality);
                    }
                }
            }
        }
        Ok(())
    }
}

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
    // There is one package, so only what is built in is foreign.
    let is_own = match found.ty.kind() {
        TypeKind::Struct(head, _) => !prelude::is_predeclared(head),
        TypeKind::Parameter(..) => {
            let of_it = found.given.bounds.iter().filter(|bound| bound.ty == found.ty);
            of_it.into_iter().any(|bound| !prelude::is_predeclared(bound.interface.item()))
        }
        _ => false,
    };
    if prelude::is_predeclared(interface.item()) && !is_own && !prelude::is_library(item.id.module()) {
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
