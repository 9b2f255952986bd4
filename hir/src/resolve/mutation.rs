//! Which methods change their `self` (language/04 §4.7).
//!
//! A method does when its receiver says so, when its body assigns to a place rooted in `self`, or when it calls such a method on such a place. What a
//! body does with its `self` is read off the syntax alone, so bodies can be checked in any order, and methods that call each other need no fixed point:
//! one changes its `self` exactly if a method that is reached over those calls does so by itself.
//!
//! Most reach few others, and these are walked for each. A chain of a thousand methods would so be walked a thousand times; behind the first few it is
//! asked which methods of the whole program change their `self` ([`changers`]), which is found for all of them in one walk against the calls.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use ir::{ItemId, Stop, Symbol};
use syntax::tree::{Expr, ExprId, Item, ItemKind, Tree};

use super::prelude::{self, Known};
use crate::program::{Context, Entity, Given, ImplRow, Receiver, Signature};
use crate::{Type, TypeKind};

/// Methods that are walked for one before it is asked for all.
const NEAR: usize = 8;

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

/// The inherent methods of a program that change their `self`, and those of the library that they reach.
#[derive(Clone, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Changers {
    methods: Vec<ItemId>,
    /// The same, made when first needed.
    #[serde(skip)]
    set: OnceLock<HashSet<ItemId>>,
}

impl Changers {
    fn contains(&self, method: ItemId) -> bool {
        self.set.get_or_init(|| self.methods.iter().copied().collect()).contains(&method)
    }
}

impl PartialEq for Changers {
    fn eq(&self, other: &Self) -> bool {
        self.methods == other.methods
    }
}

impl Eq for Changers {}

impl Hash for Changers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.methods.hash(state);
    }
}

/// What is asked about the bodies of methods.
pub struct Bodies<'a> {
    /// What [`self_uses`] says of one.
    pub uses: &'a dyn Fn(ItemId) -> Result<Arc<SelfUses>, Stop>,
    /// What [`changers`] says of the program.
    pub changers: &'a dyn Fn() -> Result<Arc<Changers>, Stop>,
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
            Expr::Paren(inner) => at = inner,
            _ => return None,
        }
    }
}

/// Does the method change its `self`, as its callers see it? A member of a trait and its implementations do exactly if the trait says `mut self`.
pub fn mutates(method: ItemId, cx: &dyn Context, bodies: &Bodies<'_>) -> Result<bool, Stop> {
    let method = method.declared();
    let Some(signature) = cx.signature(method)? else { return Ok(false) };
    match declared(&signature, cx)? {
        Some(declared) => Ok(declared == Receiver::Mut),
        None => changes_self(method, cx, bodies),
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
pub fn changes_self(method: ItemId, cx: &dyn Context, bodies: &Bodies<'_>) -> Result<bool, Stop> {
    let named = &mut |head, name| -> Result<Vec<ItemId>, Stop> {
        let rows = cx.inherent_impls(head)?;
        let methods = rows.iter().flat_map(|row| &row.methods).filter(|(other, _)| *other == name);
        Ok(methods.map(|&(_, item)| item).collect())
    };
    let mut seen = vec![method];
    let mut next = 0;
    while let Some(&method) = seen.get(next) {
        // What the library calls stands in the library.
        if next >= NEAR && !prelude::is_library(method.module()) {
            if (bodies.changers)()?.contains(method) {
                return Ok(true);
            }
            next += 1;
            continue;
        }
        next += 1;
        match body(method, cx, bodies.uses, named)? {
            Own::Changes => return Ok(true),
            Own::Calls(others) => {
                for other in others {
                    if !seen.contains(&other) {
                        seen.push(other);
                    }
                }
            }
        }
    }
    Ok(false)
}

/// The inherent methods that change their `self`, of all that stand in these impls and that these reach.
pub fn changers<'r>(
    rows: impl Iterator<Item = &'r ImplRow>,
    cx: &dyn Context,
    uses: &dyn Fn(ItemId) -> Result<Arc<SelfUses>, Stop>,
) -> Result<Changers, Stop> {
    let mut by_name: HashMap<ItemId, HashMap<Symbol, Vec<ItemId>>> = HashMap::new();
    let named = &mut |head, name| -> Result<Vec<ItemId>, Stop> {
        let of_head = match by_name.entry(head) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(slot) => {
                let mut all: HashMap<Symbol, Vec<ItemId>> = HashMap::new();
                for row in cx.inherent_impls(head)?.iter() {
                    for &(name, item) in &row.methods {
                        all.entry(name).or_default().push(item);
                    }
                }
                slot.insert(all)
            }
        };
        Ok(of_head.get(&name).cloned().unwrap_or_default())
    };
    let inherent = rows.filter(|row| row.interface.is_none()).flat_map(|row| &row.methods);
    let mut methods: Vec<ItemId> = inherent.map(|&(_, item)| item).collect();
    let mut numbers: HashMap<ItemId, usize> = methods.iter().copied().zip(0..).collect();
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); methods.len()];
    let mut changing = Vec::new();
    let mut next = 0;
    while let Some(&method) = methods.get(next) {
        match body(method, cx, uses, named)? {
            Own::Changes => changing.push(next),
            Own::Calls(others) => {
                for other in others {
                    let number = *numbers.entry(other).or_insert_with(|| {
                        methods.push(other);
                        callers.push(Vec::new());
                        methods.len() - 1
                    });
                    callers[number].push(next);
                }
            }
        }
        next += 1;
    }
    let mut changes = vec![false; methods.len()];
    while let Some(method) = changing.pop() {
        if !std::mem::replace(&mut changes[method], true) {
            changing.extend(&callers[method]);
        }
    }
    let methods = methods.into_iter().zip(changes).filter_map(|(method, changes)| changes.then_some(method)).collect();
    Ok(Changers { methods, set: OnceLock::new() })
}

/// What the body of a method says by itself.
enum Own {
    /// It changes its `self`.
    Changes,
    /// It does so if one of these does.
    Calls(Vec<ItemId>),
}

/// `named` finds the inherent methods of a type by its head and their name.
fn body(
    method: ItemId,
    cx: &dyn Context,
    uses: &dyn Fn(ItemId) -> Result<Arc<SelfUses>, Stop>,
    named: &mut dyn FnMut(ItemId, Symbol) -> Result<Vec<ItemId>, Stop>,
) -> Result<Own, Stop> {
    let mut calls = Vec::new();
    let Some(signature) = cx.signature(method)? else { return Ok(Own::Calls(calls)) };
    match signature.receiver {
        Receiver::None => return Ok(Own::Calls(calls)),
        Receiver::Mut => return Ok(Own::Changes),
        Receiver::Plain => {}
    }
    let uses = uses(method)?;
    if uses.assigns {
        return Ok(Own::Changes);
    }
    let Some(this) = signature.params.first() else { return Ok(Own::Calls(calls)) };
    for (path, interface, name) in &uses.through {
        if changes_through(interface, *name, &signature, cx)? && !parts(this.ty, path, &signature.given, cx)?.is_empty() {
            return Ok(Own::Changes);
        }
    }
    for (path, name) in &uses.calls {
        for ty in parts(this.ty, path, &signature.given, cx)? {
            let inherent = match ty.kind() {
                TypeKind::Struct(head, _) => named(head, *name)?,
                _ => Vec::new(),
            };
            if inherent.is_empty() && of_a_trait(ty, *name, &signature, cx)? {
                return Ok(Own::Changes);
            }
            calls.extend(inherent);
        }
    }
    Ok(Own::Calls(calls))
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
                (Step::Index, TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..)) => {
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
