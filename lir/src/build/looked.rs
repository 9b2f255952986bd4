//! Which leaves of a value counting looks at. The functions that count take those only: of a sum with 20 leaves they are a tag and a few addresses.

use std::collections::HashSet;
use std::rc::Rc;

use hir::TypeKind;
use ir::Stop;

use super::glue::Purpose;
use super::shape::{Shapes, Tag};
use crate::ir::Context;

/// The leaves that a function of this purpose takes, rising; none of a type that is too wide.
pub(super) fn taken(purpose: Purpose, ty: hir::Type, shapes: &mut Shapes<'_>, cx: &dyn Context) -> Result<Rc<[u32]>, Stop> {
    match purpose {
        Purpose::Share => Ok([0, 1].into()),
        Purpose::Cut => Ok([0, 2].into()),
        Purpose::Drop | Purpose::Env | Purpose::Dup | Purpose::GiveUp => looked_at(ty, shapes, cx),
    }
}

/// More types than this are not looked through.
const MOST_TYPES: usize = 4096;

/// May an element of a list hold a list of this type itself, however deep? What a function has captured nobody knows.
///
/// A list that ends with its buffer grows in place although others hold the buffer. When the new element holds one of them, the buffer would hold itself, and
/// nobody would ever give it up.
pub(super) fn may_hold_its_list(element: hir::Type, shapes: &mut Shapes<'_>, cx: &dyn Context) -> Result<bool, Stop> {
    if let Some(&known) = shapes.holds_its_list.get(&element) {
        return Ok(known);
    }
    let mut seen = HashSet::from([element]);
    let mut open = vec![element];
    let mut found = false;
    while let Some(ty) = open.pop() {
        let parts: Vec<hir::Type> = match ty.kind() {
            TypeKind::Function(..) | TypeKind::Object(_) => {
                found = true;
                break;
            }
            TypeKind::List(part) => vec![part],
            TypeKind::Cell(parts) | TypeKind::Tuple(parts) => parts.to_vec(),
            TypeKind::Struct(..) => match (cx.variants(ty)?, cx.fields(ty)?) {
                (Some(variants), _) => variants.iter().flat_map(|payload| payload.iter().copied()).collect(),
                (None, Some(fields)) => fields.to_vec(),
                (None, None) => Vec::new(),
            },
            hir::base_kinds!()
            | TypeKind::Str
            | TypeKind::Methods(..)
            | TypeKind::Hole(_)
            | TypeKind::Parameter(..)
            | TypeKind::Associated(..)
            | TypeKind::Opaque(..)
            | TypeKind::Variable(_) => Vec::new(),
        };
        if matches!(ty.kind(), TypeKind::List(part) if part == element) || seen.len() > MOST_TYPES {
            found = true;
            break;
        }
        open.extend(parts.into_iter().filter(|part| seen.insert(*part)));
    }
    shapes.holds_its_list.insert(element, found);
    Ok(found)
}

/// Of a text the word that names its owner, of a list its buffer, of a function what it captured; of a sum what tells the variant, too. Each type is
/// looked into once: a type may be in another on many ways.
fn looked_at(ty: hir::Type, shapes: &mut Shapes<'_>, cx: &dyn Context) -> Result<Rc<[u32]>, Stop> {
    if let Some(known) = shapes.looked.get(&ty) {
        return Ok(known.clone());
    }
    let mut leaves = Vec::new();
    match ty.kind() {
        TypeKind::Str | TypeKind::List(_) => leaves.push(2),
        TypeKind::Cell(_) | TypeKind::Object(_) => leaves.push(0),
        TypeKind::Function(..) => leaves.push(1),
        TypeKind::Tuple(_) | TypeKind::Struct(..) => {
            let shape = shapes.of(ty)?;
            if shapes.refused() {
                return Ok([].into());
            }
            match (cx.fields(ty)?, cx.variants(ty)?, shapes.of_sum(shape)) {
                (Some(fields), ..) => {
                    for (index, &field) in fields.iter().enumerate() {
                        let first = shapes.field(shape, index as u64).map_or(0, |field| field.0);
                        leaves.extend(looked_at(field, shapes, cx)?.iter().map(|leaf| first + leaf));
                    }
                }
                (None, Some(variants), Some(sum)) => {
                    for (payload, laid) in variants.iter().zip(&sum.variants) {
                        for (&part, &(first, _)) in payload.iter().zip(&laid.parts) {
                            let slot = |leaf: &u32| laid.leaves.get((first + leaf) as usize).map(|row| row.0);
                            leaves.extend(looked_at(part, shapes, cx)?.iter().filter_map(slot));
                        }
                    }
                    let (Tag::Leaf(tag) | Tag::Niche { leaf: tag, .. } | Tag::Null { leaf: tag, .. }) = sum.tag;
                    if !leaves.is_empty() {
                        leaves.push(tag);
                    }
                }
                (None, ..) => {}
            }
        }
        hir::base_kinds!() | TypeKind::Hole(_) | TypeKind::Methods(..) => {}
        TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Variable(_) => {}
    }
    leaves.sort_unstable();
    leaves.dedup();
    let leaves: Rc<[u32]> = leaves.into();
    shapes.looked.insert(ty, leaves.clone());
    Ok(leaves)
}
