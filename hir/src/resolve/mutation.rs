//! Which methods change their `self` (language/04 §4.7).
//!
//! A method does when its receiver says so, when its body assigns to a place rooted in `self`, or when it calls such a method on such a place. What a
//! body does with its `self` is read off the syntax alone, so bodies can be checked in any order, and methods that call each other need no fixed point:
//! one changes its `self` exactly if a method that is reached over those calls does so by itself.

use std::sync::Arc;

use hashbrown::HashSet;
use ir::{ItemId, Stop, Symbol};
use syntax::tree::{Expr, ExprId, Item, ItemKind, Tree};

use super::prelude::Known;
use crate::program::{Context, Entity, Given, Receiver, Signature};
use crate::{Type, TypeKind};

/// A step from `self` inwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Step {
    /// A field.
    Field(Symbol),
    /// An element of a tuple.
    Element(u32),
    /// What stands at an index.
    Index,
}

/// What a method does with its `self`, by the syntax of its body.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct SelfUses {
    /// It assigns to `self` or a part of it.
    pub assigns: bool,
    /// Methods that it calls on `self` or a part of it, without repetition.
    pub calls: Vec<(Vec<Step>, Symbol)>,
    /// Methods that it calls on them through a trait, `m.Trait.f(self.part)`: the part, the path of the trait, the method.
    pub through: Vec<(Vec<Step>, Vec<Symbol>, Symbol)>,
}

/// What a method does with its `self`.
pub fn self_uses(item: &Item) -> SelfUses {
    let mut uses = SelfUses::default();
    let ItemKind::Function(_) = item.kind else { return uses };
    let tree = &item.tree;
    for id in tree.exprs.ids() {
        match tree.exprs[id] {
            Expr::Assign { place, .. } => uses.assigns |= path(tree, place).is_some(),
            Expr::MethodCall { receiver, name, args } => {
                if let Some(interface) = names(tree, receiver)
                    && let Some(first) = tree.args[tree.list(args)].first().filter(|first| first.name.is_none())
                    && let Some(path) = path(tree, first.value)
                    && !uses.through.iter().any(|(p, i, n)| *n == name && *p == path && *i == interface)
                {
                    uses.through.push((path, interface, name));
                }
                if let Some(path) = path(tree, receiver)
                    && !uses.calls.iter().any(|(p, n)| *n == name && *p == path)
                {
                    uses.calls.push((path, name));
                }
            }
            _ => {}
        }
    }
    uses
}

/// `Name` or `alias.Name`, as what stands before a dot.
fn names(tree: &Tree, at: ExprId) -> Option<Vec<Symbol>> {
    match tree.exprs[at] {
        Expr::Name(name) => Some(vec![name]),
        Expr::Field(root, name) => match tree.exprs[root] {
            Expr::Name(alias) => Some(vec![alias, name]),
            _ => None,
        },
        _ => None,
    }
}

/// The steps of a place that is rooted in `self`; `None` for any other expression.
fn path(tree: &Tree, place: ExprId) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = place;
    loop {
        match tree.exprs[at] {
            Expr::SelfValue => {
                steps.reverse();
                return Some(steps);
            }
            Expr::Field(base, name) => {
                steps.push(Step::Field(name));
                at = base;
            }
            Expr::TupleField(base, index) => {
                steps.push(Step::Element(index));
                at = base;
            }
            Expr::Index(base, _) => {
                steps.push(Step::Index);
                at = base;
            }
            _ => return None,
        }
    }
}

/// Does the method change its `self`, as its callers see it? A member of a trait and its implementations do exactly if the trait says `mut self`.
/// `uses` is what [`self_uses`] says of a method.
pub fn mutates(method: ItemId, cx: &dyn Context, uses: &dyn Fn(ItemId) -> Result<Arc<SelfUses>, Stop>) -> Result<bool, Stop> {
    let method = method.declared();
    let Some(signature) = cx.signature(method)? else { return Ok(false) };
    match declared(&signature, cx)? {
        Some(declared) => Ok(declared == Receiver::Mut),
        None => changes_self(method, cx, uses),
    }
}

/// The receiver as the trait declares it, of a method of a trait or its impl.
fn declared(signature: &Signature, cx: &dyn Context) -> Result<Option<Receiver>, Stop> {
    let Some(owner) = signature.owner else { return Ok(None) };
    if cx.trait_definition(owner)?.is_some() {
        return Ok(Some(signature.receiver));
    }
    let Some(found) = cx.implementation(owner)? else { return Ok(None) };
    let Some(interface) = found.interface else { return Ok(None) };
    for above in super::solve::ancestors(interface, found.ty, cx)? {
        let Some(definition) = cx.trait_definition(above.item())? else { continue };
        if let Some(member) = super::solve::member(&definition, signature.item.short_name()) {
            return Ok(cx.signature(member)?.map(|declared| declared.receiver));
        }
    }
    Ok(None)
}

/// Does the body of the method change its `self`?
pub fn changes_self(method: ItemId, cx: &dyn Context, uses: &dyn Fn(ItemId) -> Result<Arc<SelfUses>, Stop>) -> Result<bool, Stop> {
    let mut seen = vec![method];
    let mut next = 0;
    while let Some(&method) = seen.get(next) {
        next += 1;
        let Some(signature) = cx.signature(method)? else { continue };
        match signature.receiver {
            Receiver::None => continue,
            Receiver::Mut => return Ok(true),
            Receiver::Plain => {}
        }
        let uses = uses(method)?;
        if uses.assigns {
            return Ok(true);
        }
        for (path, interface, name) in &uses.through {
            if let Some(this) = signature.params.first()
                && changes_through(interface, *name, &signature, cx)?
                && !parts(this.ty, path, &signature.given, cx)?.is_empty()
            {
                return Ok(true);
            }
        }
        for (path, name) in &uses.calls {
            let Some(this) = signature.params.first() else { continue };
            for ty in parts(this.ty, path, &signature.given, cx)? {
                let mut is_inherent = false;
                if let TypeKind::Struct(head, _) = ty.kind() {
                    for row in cx.inherent_impls(head)?.iter() {
                        for &(other, item) in &row.methods {
                            is_inherent |= other == *name;
                            if other == *name && !seen.contains(&item) {
                                seen.push(item);
                            }
                        }
                    }
                }
                if !is_inherent && of_a_trait(ty, *name, &signature, cx)? {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Does a path in a method name a trait, and has the trait this method with `mut self`?
fn changes_through(path: &[Symbol], name: Symbol, caller: &Signature, cx: &dyn Context) -> Result<bool, Stop> {
    let scope = cx.scope(caller.item.module())?;
    let found = match *path {
        [one] => scope.type_name(one),
        [alias, name] => match scope.value(alias) {
            Some(Entity::Module(module)) => cx.scope(module)?.exported(name).find(|entity| matches!(entity, Entity::Trait(_))),
            _ => None,
        },
        _ => None,
    };
    let Some(Entity::Trait(interface)) = found else { return Ok(false) };
    let Some(definition) = cx.trait_definition(interface)? else { return Ok(false) };
    let Some(member) = super::solve::member(&definition, name) else { return Ok(false) };
    Ok(cx.signature(member)?.is_some_and(|signature| signature.receiver == Receiver::Mut))
}

/// Is this a method with `mut self` of a trait that the type has by a bound or, as far as the scope of the caller shows, by an impl?
fn of_a_trait(ty: Type, name: Symbol, caller: &Signature, cx: &dyn Context) -> Result<bool, Stop> {
    let mut traits = Vec::new();
    for bound in super::solve::bounds_of(ty, &caller.given, cx)? {
        traits.extend(super::solve::ancestors(bound, ty, cx)?.into_iter().map(|above| above.item()));
    }
    if !matches!(ty.kind(), TypeKind::Parameter(..)) {
        traits.extend(&cx.scope(caller.item.module())?.traits);
    }
    for interface in traits {
        let Some(definition) = cx.trait_definition(interface)? else { continue };
        let Some(member) = super::solve::member(&definition, name) else { continue };
        if cx.signature(member)?.is_some_and(|s| s.receiver == Receiver::Mut)
            && !super::solve::candidates(ty, interface, &caller.given, cx, &mut || Type::ERROR)?.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The types that a part may have; none where there is no such part, which the body reports.
///
/// A type with several indices does not say by its syntax which of them is meant. All of them count: one alone can be changed, that which `updated` takes.
fn parts(ty: Type, path: &[Step], given: &Given, cx: &dyn Context) -> Result<Vec<Type>, Stop> {
    let mut types = vec![ty];
    for step in path {
        let mut inner: Vec<Type> = Vec::new();
        for ty in types {
            let found = match (*step, ty.kind()) {
                (Step::Index, TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Associated(..)) => {
                    let found = super::solve::candidates(ty, Known::Index.item(), given, cx, &mut || Type::ERROR)?;
                    inner.extend(found.iter().filter_map(|found| found.args().last()));
                    None
                }
                (Step::Field(name), TypeKind::Struct(item, args)) => {
                    let Some(definition) = super::instances::instance_of(item, args, given, cx)? else { continue };
                    definition.field_named(name).map(|index| definition.fields[index].1)
                }
                (Step::Index, TypeKind::List(element)) => Some(element),
                (Step::Element(index), TypeKind::Tuple(elements)) => elements.get(index as usize).copied(),
                _ => None,
            };
            inner.extend(found);
        }
        // Several indices that lead to one type, at each of many steps, would make ever more of the same.
        let mut seen: HashSet<Type> = HashSet::with_capacity(inner.len());
        inner.retain(|&ty| seen.insert(ty));
        types = inner;
    }
    Ok(types)
}
