//! Which leaves of a value counting looks at. The functions that count take those only: of a sum with 20 leaves they are a tag and a few addresses.

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
        Purpose::Drop | Purpose::Env | Purpose::Dup | Purpose::GiveUp => looked_at(ty, shapes, cx),
    }
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
        TypeKind::Cell(_) => leaves.push(0),
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
        hir::base_kinds!() | TypeKind::Hole(_) | TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Variable(_) => {}
    }
    leaves.sort_unstable();
    leaves.dedup();
    let leaves: Rc<[u32]> = leaves.into();
    shapes.looked.insert(ty, leaves.clone());
    Ok(leaves)
}
