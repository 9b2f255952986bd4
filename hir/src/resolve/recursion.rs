//! Types whose values hold values of the same type.
//!
//! A value lies in one piece: a struct holds its fields, a sum of several variants the payload of one of them. Where a payload leads back to its own
//! sum, through structs, tuples, newtypes and other sums, the value would have no end; there the whole payload lies in a cell of its own. So the
//! variants with cells are those whose payload is in one strongly connected component with the sum in the graph of types; lists and functions hold
//! their parts elsewhere and end every path. A circle without a sum of several variants has no values at all (E2008), and neither has a sum each of
//! whose variants needs another value of it first.

use std::sync::Arc;

use hashbrown::HashSet;
use ir::{ItemId, Stop};

use crate::program::{Context, Given, TypeDefinition};
use crate::types::parameters;
use crate::{Type, TypeKind};

/// Types that one declaration may lead to; more come only of instances that grow for ever.
const MOST: usize = 4096;

/// Types in the arguments of one instance that may be one of ever larger ones.
pub(crate) const LARGE: u32 = 512;

/// Payload types of each variant of a sum, as its values hold them.
pub type Payloads = Arc<[Box<[Type]>]>;

/// What is wrong with a type that holds itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Endless {
    /// It has no finite value (E2008).
    NoValue,
    /// It holds ever larger instances of itself.
    Growing,
}

fn definition_of(ty: Type, cx: &dyn Context) -> Result<Option<Arc<TypeDefinition>>, Stop> {
    match ty.kind() {
        TypeKind::Struct(item, args) => super::instances::instance_of(item, args, &Given::default(), cx),
        _ => Ok(None),
    }
}

/// The types of what a value of this type holds; of a sum of several variants only if they are looked through.
fn held(ty: Type, through_sums: bool, cx: &dyn Context) -> Result<Vec<Type>, Stop> {
    if let TypeKind::Tuple(elements) = ty.kind() {
        return Ok(elements.to_vec());
    }
    Ok(match definition_of(ty, cx)? {
        Some(definition) => match definition.choices() {
            None => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Some(variants) if through_sums => variants.iter().flat_map(|variant| &variant.payload).map(|&(_, ty)| ty).collect(),
            Some(_) => Vec::new(),
        },
        None => Vec::new(),
    })
}

/// Does a value of one of these types lead to one of `wanted`? True, too, for what never ends otherwise.
fn leads_to(types: impl Iterator<Item = Type>, wanted: Type, cx: &dyn Context) -> Result<bool, Stop> {
    let mut open: Vec<Type> = types.collect();
    let mut seen: HashSet<Type> = HashSet::new();
    while let Some(ty) = open.pop() {
        // An instance that is so large has grown on the way, as only what an associated type makes larger with each step does.
        if ty == wanted || seen.len() > MOST || ty.size() > LARGE {
            return Ok(true);
        }
        if matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..)) && seen.insert(ty) {
            open.extend(held(ty, true, cx)?);
        }
    }
    Ok(false)
}

/// Payload types of the variants of a sum of several, with cells where it holds itself. Of a type with type parameters there are none yet: which
/// payloads lie in cells is known of an instance only.
pub fn payloads(ty: Type, cx: &dyn Context) -> Result<Option<Payloads>, Stop> {
    let Some(definition) = definition_of(ty, cx)? else { return Ok(None) };
    let Some(mut payloads) = definition.variant_types() else { return Ok(None) };
    if ty.has_parameter() {
        return Ok(Some(payloads));
    }
    for (number, variant) in definition.variants.iter().enumerate() {
        // Only what holds something can lead anywhere.
        let is_open = |ty: Type| matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..));
        if variant.payload.iter().any(|&(_, part)| is_open(part)) && leads_to(variant.payload.iter().map(|&(_, part)| part), ty, cx)? {
            let cell = Type::cell(&payloads[number]);
            Arc::make_mut(&mut payloads)[number] = Box::new([cell]);
        }
    }
    Ok(Some(payloads))
}

/// What is wrong with a declared type that holds itself, and which of the types in its declaration leads there.
pub(super) fn endless(definition: &TypeDefinition, parts: &[Type], cx: &dyn Context) -> Result<Option<(Endless, usize)>, Stop> {
    let this = Type::structure(definition.item, &parameters(&definition.generics));
    for (at, &part) in parts.iter().enumerate() {
        if grows(part, definition.item, this, cx)? {
            return Ok(Some((Endless::Growing, at)));
        }
    }
    for (at, &part) in parts.iter().enumerate() {
        // Not through sums: where there is a choice, another variant may end it.
        if definition.choices().is_none() && holds(part, definition.item, cx)? {
            return Ok(Some((Endless::NoValue, at)));
        }
    }
    if definition.choices().is_some() && !is_finite(this, &mut Vec::new(), cx)? {
        return Ok(Some((Endless::NoValue, 0)));
    }
    Ok(None)
}

/// What is wrong with a type that is closed but for the type parameters of an impl, because of what associated types are in it, and the type that it is
/// wrong with. What declarations say by themselves is theirs to report ([`endless`]).
pub(super) fn endless_instance(ty: Type, cx: &dyn Context) -> Result<Option<(Endless, Type)>, Stop> {
    let mut done: HashSet<Type> = HashSet::new();
    // What a value of the type holds on one way inwards, each with what is still to be looked at in it.
    let mut path: Vec<(Type, Vec<Type>)> = vec![(ty, held(ty, false, cx)?)];
    while let Some((whole, open)) = path.last_mut() {
        let Some(part) = open.pop() else {
            done.insert(*whole);
            path.pop();
            continue;
        };
        if !matches!(part.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..)) || done.contains(&part) {
            continue;
        }
        let found = match path.iter().position(|&(above, _)| above == part) {
            Some(at) => Some((Endless::NoValue, at)),
            None => grown(&path, part).map(|at| (Endless::Growing, at)),
        };
        if let Some((why, at)) = found {
            for &(above, _) in &path[at..] {
                if is_declared_endless(above, cx)? {
                    return Ok(None);
                }
            }
            return Ok(Some((why, part)));
        }
        let parts = held(part, false, cx)?;
        path.push((part, parts));
    }
    Ok(None)
}

/// Where the ever larger instances of one declared type begin of which this is the last.
fn grown(path: &[(Type, Vec<Type>)], part: Type) -> Option<usize> {
    const GROWTHS: usize = 16;
    let TypeKind::Struct(item, _) = part.kind() else { return None };
    let (mut least, mut count) = (part.size(), 0);
    for (at, (above, _)) in path.iter().enumerate().rev() {
        if matches!(above.kind(), TypeKind::Struct(found, _) if found == item) && above.size() < least {
            (least, count) = (above.size(), count + 1);
            if count == GROWTHS {
                return Some(at);
            }
        }
    }
    None
}

/// Is something wrong with the declaration of the type, whatever its type arguments are?
fn is_declared_endless(ty: Type, cx: &dyn Context) -> Result<bool, Stop> {
    let TypeKind::Struct(item, _) = ty.kind() else { return Ok(false) };
    let Some(definition) = cx.type_definition(item)? else { return Ok(false) };
    let variants = definition.variants.iter().flat_map(|variant| &variant.payload);
    let parts: Vec<Type> = definition.fields.iter().chain(variants).map(|&(_, ty)| ty).collect();
    Ok(endless(&definition, &parts, cx)?.is_some())
}

/// Does every value of the type hold one of a declared type?
fn holds(ty: Type, item: ItemId, cx: &dyn Context) -> Result<bool, Stop> {
    let mut open = vec![ty];
    let mut seen: HashSet<Type> = HashSet::new();
    while let Some(ty) = open.pop() {
        if matches!(ty.kind(), TypeKind::Struct(found, _) if found == item) {
            return Ok(true);
        }
        if seen.insert(ty) {
            open.extend(held(ty, false, cx)?);
        }
    }
    Ok(false)
}

/// Does the type lead to an instance of a declared type whose arguments are made of its own parameters and more?
fn grows(ty: Type, item: ItemId, this: Type, cx: &dyn Context) -> Result<bool, Stop> {
    let mut open = vec![ty];
    let mut seen: HashSet<Type> = HashSet::new();
    while let Some(ty) = open.pop() {
        if ty == this || !matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..)) {
            continue;
        }
        if let TypeKind::Struct(found, args) = ty.kind()
            && found == item
            && args.iter().any(|arg| arg.has_parameter() && !matches!(arg.kind(), TypeKind::Parameter(..)))
        {
            return Ok(true);
        }
        if seen.len() > MOST {
            return Ok(true);
        }
        if seen.insert(ty) {
            open.extend(held(ty, true, cx)?);
        }
    }
    Ok(false)
}

/// Has the type a value that ends? What is being asked on the way here does not help.
fn is_finite(ty: Type, asked: &mut Vec<Type>, cx: &dyn Context) -> Result<bool, Stop> {
    if asked.contains(&ty) {
        return Ok(false);
    }
    if asked.len() > 64 {
        return Ok(true);
    }
    asked.push(ty);
    let mut all = |parts: &mut dyn Iterator<Item = Type>| -> Result<bool, Stop> {
        for part in parts {
            if !is_finite(part, asked, cx)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let finite = match definition_of(ty, cx)? {
        Some(definition) if definition.choices().is_some() => {
            let mut any = false;
            for variant in &definition.variants {
                any = any || all(&mut variant.payload.iter().map(|&(_, part)| part))?;
            }
            any
        }
        Some(_) | None => all(&mut held(ty, false, cx)?.into_iter())?,
    };
    asked.pop();
    Ok(finite)
}
