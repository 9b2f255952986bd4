//! Which impl makes a type implement a trait (language/08 §8.1).
//!
//! A type parameter implements what its bounds say and the supertraits of that. Any other type implements a trait by an impl whose header is the type for
//! some type arguments, and whose own bounds hold for these. Solving looks at all impls of the program and never at their order.

use std::sync::Arc;

use ir::{ItemId, Stop, Symbol};

use super::prelude::Known;
use crate::program::{Bound, Context, TraitDefinition};
use crate::types::{instance, instance_of};
use crate::{Type, TypeKind};

/// Deepest chain of bounds that hold because of others.
const DEEPEST: u32 = 128;

/// Why a type implements a trait.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// A bound says so; which impl it is depends on the instance.
    Bound,
    /// An impl, with the arguments of its type parameters.
    Impl(ItemId, Vec<Type>),
    /// A trait of the prelude that the type has by itself or by `#derive`: its methods are instances of those of the trait.
    Made,
}

/// The answer to a question about a bound.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// The trait is implemented.
    Proven(Evidence),
    /// It is not.
    Refuted,
    /// It would be, but the compiler cannot make its methods yet.
    Unsupported,
    /// The search did not come to an end (E0440).
    Endless,
}

/// Does a type implement a trait, where these bounds hold?
pub fn solve(ty: Type, interface: ItemId, bounds: &[Bound], cx: &dyn Context) -> Result<Answer, Stop> {
    search(ty, interface, bounds, 0, cx)
}

fn search(ty: Type, interface: ItemId, bounds: &[Bound], depth: u32, cx: &dyn Context) -> Result<Answer, Stop> {
    if depth > DEEPEST {
        return Ok(Answer::Endless);
    }
    for bound in bounds.iter().filter(|bound| bound.ty == ty) {
        if inherits(bound.interface, interface, cx)? {
            return Ok(Answer::Proven(Evidence::Bound));
        }
    }
    if let TypeKind::Parameter(..) = ty.kind() {
        return Ok(Answer::Refuted);
    }
    if let Some(known) = Known::of(interface)
        && let Some(answer) = made(ty, known, bounds, depth, cx)?
    {
        return Ok(answer);
    }
    let mut answer = Answer::Refuted;
    for row in cx.trait_impls(interface)?.iter() {
        let Some(found) = cx.implementation(row.item)? else { continue };
        let Some(args) = matched(found.ty, ty, found.generics.len()) else { continue };
        let mut holds = true;
        for bound in &found.bounds {
            match search(bound.ty.substituted(&args), bound.interface, bounds, depth + 1, cx)? {
                Answer::Proven(_) => {}
                Answer::Refuted => {
                    holds = false;
                    break;
                }
                Answer::Unsupported => return Ok(Answer::Unsupported),
                Answer::Endless => return Ok(Answer::Endless),
            }
        }
        if holds {
            // Overlap is an error of the impls; the first of them stands in for all.
            answer = Answer::Proven(Evidence::Impl(row.item, args));
            break;
        }
    }
    Ok(answer)
}

/// The built-in implementations (language/08 §8.4) and the derived ones; `None` when impls decide.
fn made(ty: Type, known: Known, bounds: &[Bound], depth: u32, cx: &dyn Context) -> Result<Option<Answer>, Stop> {
    let all = |parts: &[Type]| -> Result<Option<Answer>, Stop> {
        for &part in parts {
            match search(part, known.item(), bounds, depth + 1, cx)? {
                Answer::Proven(_) => {}
                other => return Ok(Some(other)),
            }
        }
        Ok(Some(Answer::Proven(Evidence::Made)))
    };
    let has = match (ty.kind(), known) {
        (TypeKind::Error, _) => true,
        (TypeKind::Never, known) => known != Known::Default,
        (TypeKind::Str, Known::Len | Known::IsEmpty) => true,
        (TypeKind::Char, Known::Default) => false,
        (
            TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Char | TypeKind::Byte | TypeKind::Str | TypeKind::Void,
            Known::Eq | Known::Comparable | Known::Hashable | Known::Clone | Known::Default | Known::Printable | Known::Debug,
        ) => true,
        (
            TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Char | TypeKind::Byte | TypeKind::Void,
            Known::Len | Known::IsEmpty,
        ) => false,
        (TypeKind::Range, known) => matches!(known, Known::Eq | Known::Hashable | Known::Clone | Known::Printable | Known::Debug),
        (TypeKind::Tuple(_), Known::Len) => true,
        (TypeKind::Tuple(_), Known::IsEmpty) => false,
        (TypeKind::Tuple(parts), _) => return all(parts),
        (TypeKind::List(_), Known::Len | Known::IsEmpty | Known::Clone) => true,
        (TypeKind::List(_), _) => return Ok(Some(Answer::Unsupported)),
        (TypeKind::Function(..), known) => known == Known::Clone,
        (TypeKind::Struct(item, args), known) => {
            let name = Symbol::new(known.name());
            match cx.type_definition(item)? {
                // A derived impl of a generic type bounds each type parameter by the trait.
                Some(definition) if definition.derives.contains(&name) => return all(args),
                Some(_) => return Ok(None),
                // The declaration has errors or is refused; nothing about it is worth another report.
                None => true,
            }
        }
        (TypeKind::Cell(_), _) => false,
        (TypeKind::Parameter(..) | TypeKind::Variable(_), _) => return Ok(None),
    };
    Ok(Some(if has { Answer::Proven(Evidence::Made) } else { Answer::Refuted }))
}

/// The type arguments for which `pattern` is `ty`; `None` when there are none.
pub fn matched(pattern: Type, ty: Type, count: usize) -> Option<Vec<Type>> {
    let mut args = vec![None; count];
    if !fill(pattern, ty, &mut args) {
        return None;
    }
    args.into_iter().collect()
}

fn fill(pattern: Type, ty: Type, args: &mut [Option<Type>]) -> bool {
    match (pattern.kind(), ty.kind()) {
        (TypeKind::Parameter(index, _), _) => match args.get_mut(index as usize) {
            Some(Some(known)) => *known == ty,
            Some(slot) => {
                *slot = Some(ty);
                true
            }
            None => false,
        },
        (TypeKind::Struct(a, of_a), TypeKind::Struct(b, of_b)) => a == b && fill_all(of_a, of_b, args),
        (TypeKind::Tuple(a), TypeKind::Tuple(b)) => fill_all(a, b, args),
        (TypeKind::List(a), TypeKind::List(b)) => fill(a, b, args),
        (TypeKind::Function(a, result_a), TypeKind::Function(b, result_b)) => fill_all(a, b, args) && fill(result_a, result_b, args),
        _ => pattern == ty,
    }
}

fn fill_all(patterns: &[Type], types: &[Type], args: &mut [Option<Type>]) -> bool {
    patterns.len() == types.len() && patterns.iter().zip(types).all(|(&pattern, &ty)| fill(pattern, ty, args))
}

/// Is `wanted` the trait or one of its supertraits?
pub fn inherits(interface: ItemId, wanted: ItemId, cx: &dyn Context) -> Result<bool, Stop> {
    Ok(ancestors(interface, cx)?.contains(&wanted))
}

/// A trait and its supertraits, each once, nearest first.
pub fn ancestors(interface: ItemId, cx: &dyn Context) -> Result<Vec<ItemId>, Stop> {
    let mut found = vec![interface];
    let mut next = 0;
    while let Some(&interface) = found.get(next) {
        next += 1;
        if let Some(definition) = cx.trait_definition(interface)? {
            for parent in &definition.supertraits {
                if !found.contains(parent) {
                    found.push(*parent);
                }
            }
        }
    }
    Ok(found)
}

/// The member of a trait with this name.
pub fn member(definition: &TraitDefinition, name: Symbol) -> Option<ItemId> {
    definition.methods.iter().find(|method| method.name == name).map(|method| method.item)
}

/// What an instance of a trait's method really calls: the method of the impl that its type has, or the instance itself where that impl leaves the
/// method to the trait. Any other item calls itself, and so does a method whose impl only a bound tells.
pub fn dispatch(item: ItemId, bounds: &[Bound], cx: &dyn Context) -> Result<ItemId, Stop> {
    let (method, args) = instance_of(item);
    let Some(&this) = args.first() else { return Ok(item) };
    let Some(signature) = cx.signature(method)? else { return Ok(item) };
    let Some(owner) = signature.owner else { return Ok(item) };
    let Some(definition) = cx.trait_definition(owner)? else { return Ok(item) };
    let Answer::Proven(Evidence::Impl(found, mut impl_args)) = solve(this, owner, bounds, cx)? else { return Ok(item) };
    let Some(name) = definition.methods.iter().find(|m| m.item == method).map(|m| m.name) else { return Ok(item) };
    let rows: Arc<Vec<crate::program::ImplRow>> = cx.trait_impls(owner)?;
    let own = rows.iter().find(|row| row.item == found).and_then(|row| row.methods.iter().find(|(n, _)| *n == name));
    Ok(match own {
        Some(&(_, own)) => {
            impl_args.extend(&args[1..]);
            instance(own, &impl_args)
        }
        None => item,
    })
}
