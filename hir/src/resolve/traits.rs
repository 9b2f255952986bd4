//! Traits as declared, and the bounds that name them (language/04 §4.7). Whether an impl is what its trait asks for: [`super::members`].

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{self, Item, ItemKind, Member};
use syntax::{Diagnostic, DiagnosticCode as Code, Span};

use super::prelude::{self, Known};
use super::solve::{DEEPEST, ancestors, bounds_of, normalised};
use super::types::{is_later_type, show};
use super::{TypeReader, signature::reader};
use crate::program::{AssociatedType, Bound, Context, Entity, Equality, Given, TraitDefinition, TraitMethod, TraitOutline, TraitRef};
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

    /// Bounds of a hidden result, with the defaults of associated types; false after a report.
    pub(crate) fn promise(&mut self, ty: Type, bounds: &[tree::Bound]) -> Result<bool, Stop> {
        let (first, reported) = (self.around.given.bounds.len(), self.diagnostics.len());
        self.bounds_for(ty, bounds)?;
        self.default_equalities(first)?;
        Ok(self.diagnostics.len() == reported)
    }

    /// `where name == ty` of a hidden result.
    pub(crate) fn equals(&mut self, result: Type, name: Symbol, ty: tree::TypeId, span: Span) -> Result<(), Stop> {
        let wanted = self.read(ty)?;
        match self.associated_of(result, name, None)?[..] {
            [associated] if wanted != Type::ERROR => {
                // What is written takes the place of a default.
                self.around.given.equalities.retain(|known| known.associated != associated);
                self.around.given.equalities.push(Equality { associated, ty: wanted, is_default: false });
            }
            [_] => {}
            [] => self.diagnostics.push(Diagnostic::new(Code::E0444, self.anchor, span, ["impl".into(), name.into()])),
            [first, ..] => {
                let interface = if let TypeKind::Associated(_, item, _) = first.kind() { item.name() } else { name };
                self.diagnostics.push(Diagnostic::new(Code::E0445, self.anchor, span, [name.into(), "impl".into(), interface.into()]));
            }
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
                    let Some(default) = row.default.filter(|&default| default != Type::ERROR) else { continue };
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
