//! Headers of impls, the rows by which method calls look for methods, and what only the whole program can say of an impl.

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{self, File, Item, ItemKind, Member};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity};

use super::signature::reader;
use super::types::show;
use super::{Generics, Modules};
use crate::program::{Context, Entity, Given, ImplRow, Implementation, Scope, TraitRef};
use crate::{Type, TypeKind};

/// The header of an impl; `None` when the item is none of the slice or has syntax errors.
pub fn implementation(item: &Item, cx: &dyn Context) -> Result<Option<Implementation>, Stop> {
    let ItemKind::Impl { generics, ty, bound, constraints, members } = &item.kind else { return Ok(None) };
    if item.has_errors || super::refused_form(item).is_some() {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    let anchor = reader.anchor;
    let type_span = item.tree.type_span(*ty);
    let generics = Generics { list: generics, constraints, defaults: false };
    let mut found = Implementation {
        item: item.id,
        generics: generics.names().collect(),
        ty: Type::ERROR,
        interface: None,
        given: Given::default(),
        associated: Vec::new(),
        type_span,
        diagnostics: Vec::new(),
    };
    if let Some((span, what)) = generics.refused() {
        found.diagnostics.push(Diagnostic::new(Code::E2040, anchor, span, [what.into()]));
        return Ok(Some(found));
    }
    generics.declare(&mut reader.around, anchor, &mut reader.diagnostics);
    found.ty = reader.read(*ty)?;
    if let TypeKind::Object(_) = found.ty.kind() {
        // What it does is what the type in it does, by its traits.
        reader.diagnostics.push(Diagnostic::new(Code::E2040, anchor, type_span, ["impls for trait objects".into()]));
        found.ty = Type::ERROR;
    }
    if found.generics.is_empty() {
        help_to_parameters(item, *ty, &mut reader.diagnostics);
    }
    reader.around.this = Some(found.ty);
    reader.bounds(&generics)?;
    found.given = reader.around.given.clone();
    if let Some(bound) = bound {
        found.interface = reader.interface(bound, found.ty)?;
        if found.interface.is_none() && reader.diagnostics.is_empty() {
            return Ok(None);
        }
    }
    for member in members {
        if let Member::Type { name, ty: Some(ty), .. } = member {
            let ty = reader.read(*ty)?;
            // The first one counts; a second is reported where the impl is judged.
            if !found.associated.iter().any(|(n, _)| n == name) {
                found.associated.push((*name, ty));
            }
        }
    }
    found.diagnostics = reader.diagnostics;
    Ok(Some(found))
}

/// `impl Stack<T>`: a type parameter is declared behind `impl`.
fn help_to_parameters(item: &Item, ty: tree::TypeId, diagnostics: &mut [Diagnostic]) {
    let tree::Type::Named { args, .. } = item.tree.types[ty] else { return };
    for &arg in &item.tree.type_lists[args] {
        let span = item.tree.type_span(arg);
        for error in diagnostics.iter_mut().filter(|error| error.code == Code::E2002 && error.span == span) {
            if let Some(syntax::Arg::Text(name)) = error.args.first() {
                error.helps.push(format!("a type parameter is declared behind `impl`: `impl<{name}> ...`"));
            }
        }
    }
}

/// The impls of a file, as method calls look for them.
pub fn module_impls(file: &File, modules: &dyn Modules) -> Result<Vec<ImplRow>, Stop> {
    let mut rows = Vec::new();
    let mut scope = None;
    for entry in &file.items {
        let ItemKind::Impl { generics, ty, bound, members, .. } = &entry.item.kind else { continue };
        if super::refused_form(&entry.item).is_some() {
            continue;
        }
        let scope = match &scope {
            Some(scope) => scope,
            None => scope.insert(modules.scope(file.module)?),
        };
        let names = Names { tree: &entry.item.tree, own: generics, scope, modules };
        let head = match names.head(*ty)? {
            Head::Known(head) => Some(head),
            Head::Parameter => None,
            Head::Unknown => continue,
        };
        let mut of_type = Vec::new();
        if let tree::Type::Named { args, .. } = entry.item.tree.types[*ty] {
            of_type = names.heads(&entry.item.tree.type_lists[args])?;
        }
        let (mut interface, mut of_trait) = (None, Vec::new());
        if let Some(bound) = bound {
            let Some(Entity::Trait(item)) = head_of(&bound.path, scope, modules)? else { continue };
            interface = Some(item);
            of_trait = names.heads(&bound.args)?;
        }
        let methods = members.iter().filter_map(|member| match member {
            Member::Function { id, name, .. } => Some((*name, *id)),
            Member::Type { .. } => None,
        });
        rows.push(ImplRow { item: entry.id, head, interface, of_type, of_trait, methods: methods.collect() });
    }
    Ok(rows)
}

/// What the text of a type in the header of an impl says of its head.
enum Head {
    Known(ItemId),
    /// A type parameter of the impl.
    Parameter,
    /// Nothing, here.
    Unknown,
}

/// What the types in the header of an impl are read with.
struct Names<'a> {
    tree: &'a tree::Tree,
    own: &'a [tree::Generic],
    scope: &'a Scope,
    modules: &'a dyn Modules,
}

impl Names<'_> {
    fn head(&self, ty: tree::TypeId) -> Result<Head, Stop> {
        let built_in = |name| Head::Known(super::prelude::built_in_head(name));
        Ok(match self.tree.types[ty] {
            tree::Type::Named { path, .. } => match &self.tree.paths[path] {
                [name] if self.own.iter().any(|generic| generic.name == *name) => Head::Parameter,
                path => match (head_of(path, self.scope, self.modules)?, path) {
                    (Some(Entity::Type(item)), _) => Head::Known(item),
                    (Some(_), _) => Head::Unknown,
                    (None, [name]) => {
                        let head = match super::prelude::predeclared(name.as_str()) {
                            Some((item, _)) => Some(item),
                            None => super::prelude_type(name.as_str()).and_then(super::prelude::head),
                        };
                        // As a head of an impl what nothing else has is taken for every type.
                        head.map_or(Head::Parameter, Head::Known)
                    }
                    (None, _) => Head::Unknown,
                },
            },
            tree::Type::Void | tree::Type::Unit => built_in("void"),
            tree::Type::Tuple(_) => built_in("tuple"),
            tree::Type::List(_) => built_in("list"),
            tree::Type::Function { .. } => built_in("function"),
            tree::Type::Map(..) => Head::Known(super::prelude::map()),
            tree::Type::FixedList(..)
            | tree::Type::Impl { .. }
            | tree::Type::Object(_)
            | tree::Type::Const(_)
            | tree::Type::Blank
            | tree::Type::Error => Head::Unknown,
        })
    }

    fn heads(&self, types: &[tree::TypeId]) -> Result<Vec<Option<ItemId>>, Stop> {
        let head = |&ty: &tree::TypeId| {
            Ok(match self.head(ty)? {
                // `(T)` is `T`.
                Head::Known(_) if matches!(self.tree.types[ty], tree::Type::Tuple(list) if self.tree.type_lists[list].len() < 2) => None,
                Head::Known(head) => Some(head),
                Head::Parameter | Head::Unknown => None,
            })
        };
        types.iter().map(head).collect()
    }
}

/// The impls of a trait for types with this head and for type parameters, of rows with that head or none. Where no impl of the head names the trait,
/// those of its subtraits do which give a method of it (language/04 §4.7).
pub fn impls_of<'r>(
    interface: ItemId,
    head: Option<ItemId>,
    rows: impl Iterator<Item = &'r ImplRow>,
    cx: &dyn Context,
) -> Result<Vec<ImplRow>, Stop> {
    let rows: Vec<&ImplRow> = rows.filter(|row| row.interface.is_some() && (row.head.is_none() || row.head == head)).collect();
    let mut found: Vec<ImplRow> = rows.iter().filter(|row| row.interface == Some(interface)).map(|&row| row.clone()).collect();
    if head.is_some() && found.iter().any(|row| row.head == head) {
        return Ok(found);
    }
    for row in rows {
        let Some(other) = row.interface.filter(|&other| other != interface && !row.methods.is_empty()) else { continue };
        let Some(of_other) = cx.trait_definition(other)? else { continue };
        if of_other.supertraits.is_empty() || row.methods.iter().all(|&(name, _)| super::solve::member(&of_other, name).is_some()) {
            continue;
        }
        let Some(definition) = cx.trait_definition(interface)? else { break };
        let gives = row.methods.iter().any(|&(name, _)| super::solve::member(&definition, name).is_some());
        let this = crate::types::parameters(&[Symbol::new("Self")])[0];
        if gives && super::solve::ancestors(TraitRef::new(other, &[]), this, cx)?.iter().any(|above| above.item() == interface) {
            found.push(row.clone());
        }
    }
    Ok(found)
}

/// What a path names in the space of types.
fn head_of(path: &[Symbol], scope: &Scope, modules: &dyn Modules) -> Result<Option<Entity>, Stop> {
    Ok(match *path {
        [name] => {
            let predeclared = || super::prelude::trait_named(name.as_str()).map(Entity::Trait);
            scope.type_name(name).or_else(predeclared)
        }
        [alias, name] => match scope.value(alias) {
            Some(Entity::Module(module)) => modules.scope(module)?.exported(name).find(|e| crate::program::is_type(*e)),
            _ => None,
        },
        _ => None,
    })
}

/// What is wrong with an impl: its header (E2010 for a type of somebody else), methods that the type has already (E2006).
pub fn check_impl(item: &Item, cx: &dyn Context, changes: &dyn Fn(ItemId) -> Result<bool, Stop>) -> Result<Vec<Diagnostic>, Stop> {
    let ItemKind::Impl { members, .. } = &item.kind else { return Ok(Vec::new()) };
    let Some(found) = cx.implementation(item.id)? else { return Ok(Vec::new()) };
    let mut diagnostics = found.diagnostics.clone();
    let anchor = Anchor::Item(item.id);
    for member in members {
        if let (Member::Type { span, .. }, None) = (member, found.interface) {
            let error = Diagnostic::new(Code::E1001, anchor, *span, ["type".into(), "method or '}'".into()]);
            diagnostics.push(error.note("only impls of traits have associated types"));
        }
    }
    if found.ty == Type::ERROR {
        return Ok(diagnostics);
    }
    if let Some(interface) = found.interface {
        if !diagnostics.iter().any(|d| d.severity() == Severity::Error) {
            diagnostics.extend(super::members::check_members(item, &found, interface, cx, changes)?);
            diagnostics.extend(endless_types(item, &found, interface, cx)?);
        }
        return Ok(diagnostics);
    }
    // A type of the library is somebody else's.
    let is_own = |head: &ItemId| match super::prelude::home(*head) {
        Some(_) => super::prelude::is_library(item.id.module()),
        None => super::package_of(head.module()) == super::package_of(item.id.module()),
    };
    let head = super::prelude::library_head(found.ty).filter(is_own);
    let Some(head) = head else {
        let mut error = Diagnostic::new(Code::E2010, anchor, found.type_span, [show(found.ty).into()]);
        error.wording = 1;
        diagnostics.push(error);
        return Ok(diagnostics);
    };
    if diagnostics.iter().any(|d| d.severity() == Severity::Error) {
        return Ok(diagnostics);
    }
    let rows = cx.inherent_impls(head)?;
    for member in members {
        let Member::Function { id, name, .. } = *member else { continue };
        let Some(earlier) = earlier_method(&rows, id, name, &found, cx)? else { continue };
        let (Some(own), Some(first)) = (cx.signature(id)?, cx.signature(earlier)?) else { continue };
        let error = Diagnostic::new(Code::E2006, Anchor::Item(id), own.name_span, [name.into()]).label("defined again here");
        diagnostics.push(error.because(Anchor::Item(earlier), first.name_span, "first defined here"));
    }
    Ok(diagnostics)
}

/// E2008 for associated types whose values would hold themselves, by way of what the impl says that associated types are.
fn endless_types(item: &Item, found: &Implementation, interface: TraitRef, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let ItemKind::Impl { members, .. } = &item.kind else { return Ok(Vec::new()) };
    let mut types = found.associated.clone();
    if let Some(definition) = cx.trait_definition(interface.item())? {
        let parts = interface.parts(found.ty);
        let defaults = definition.associated.iter().filter(|row| types.iter().all(|&(name, _)| name != row.name));
        let defaults: Vec<_> = defaults.filter_map(|row| Some((row.name, row.default?.substituted(&parts)))).collect();
        types.extend(defaults);
    }
    let anchor = Anchor::Item(item.id);
    let mut diagnostics = Vec::new();
    for (name, ty) in types {
        let ty = super::solve::normalised(ty, &found.given, cx)?;
        let Some((why, part)) = super::recursion::endless_instance(ty, cx)? else { continue };
        let span = members.iter().find_map(|member| match member {
            Member::Type { name: other, span, .. } if *other == name => Some(*span),
            _ => None,
        });
        let span = span.unwrap_or(found.type_span);
        diagnostics.push(match why {
            super::recursion::Endless::NoValue => {
                let error = Diagnostic::new(Code::E2008, anchor, span, [show(part).into()]);
                error.note(format!("a value of it holds another one, because `{name}` of `{}` is `{}`", show(found.ty), show(ty)))
            }
            super::recursion::Endless::Growing => {
                Diagnostic::new(Code::E2040, anchor, span, ["types that hold ever larger instances of themselves".into()])
            }
        });
    }
    Ok(diagnostics)
}

/// A method of the same name before this one whose impl is for the same type, or for one that some instance is the same as.
fn earlier_method(rows: &[ImplRow], method: ItemId, name: Symbol, own: &Implementation, cx: &dyn Context) -> Result<Option<ItemId>, Stop> {
    for row in rows {
        for &(other_name, other) in &row.methods {
            if other == method {
                return Ok(None);
            }
            if other_name == name
                && let Some(found) = cx.implementation(row.item)?
                && super::overlap::overlap((&found, &[]), (own, &[]), cx)?
            {
                return Ok(Some(other));
            }
        }
    }
    Ok(None)
}
