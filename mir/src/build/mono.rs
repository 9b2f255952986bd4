//! `built` to `mono`: type arguments take the place of type parameters.
//!
//! A generic body is built once; an instance is a copy of it with closed types, calls of closed instances, cells where closed sums have them, and places
//! of its own. Nothing else of a body depends on a type: operations whose code does are calls of instances themselves.

use hir::Type;
use hir::types::{instance as instance_with, instance_of};
use ir::{ItemId, Place, Stop};

use crate::ir::{Body, Built, Context, Mono};
use crate::ops::Op;

/// A body without type parameters closes nothing.
pub fn mono(body: Body<Built>) -> Body<Mono> {
    Body::new(body.into_graph())
}

/// The instance `id` of a generic body.
pub fn instance(body: &Body<Built>, id: ItemId, cx: &dyn Context) -> Result<Body<Mono>, Stop> {
    let mut graph = body.clone().into_graph();
    let (_, args) = instance_of(id);
    let generic = std::mem::replace(&mut graph.name, id);
    for ty in &mut graph.results {
        *ty = closed(*ty, args, cx)?;
    }
    let mut was_open = Vec::new();
    for (at, value) in graph.values.rows_mut().iter_mut().enumerate() {
        if value.ty.has_parameter() {
            was_open.resize(at + 1, false);
            was_open[at] = true;
            value.ty = closed(value.ty, args, cx)?;
        }
    }
    for inst in graph.insts.rows_mut() {
        if matches!(inst.op, Op::Call | Op::Tail | Op::Closure | Op::CallMethod | Op::ChangeMethod) {
            inst.imm = u64::from(callee(ItemId::from_raw(inst.imm as u32), args, cx)?.raw());
        }
    }
    super::cells::close(&mut graph, |value| was_open.get(value.index()).copied().unwrap_or(false), cx)?;
    graph.places.rename(|place| if place.item == generic { Place { item: id, ..place } } else { place });
    Ok(Body::new(graph))
}

/// What a call in an instance calls.
fn callee(item: ItemId, args: &[Type], cx: &dyn Context) -> Result<ItemId, Stop> {
    let (base, of) = instance_of(item);
    if !of.iter().any(|ty| ty.has_parameter()) {
        return Ok(item);
    }
    let of = of.iter().map(|&ty| closed(ty, args, cx)).collect::<Result<Vec<Type>, Stop>>()?;
    cx.callee(instance_with(base, &of))
}

/// A type with type arguments in place of type parameters, and with what its associated types are for these.
fn closed(ty: Type, args: &[Type], cx: &dyn Context) -> Result<Type, Stop> {
    let ty = ty.substituted(args);
    if ty.has_associated() { cx.normal(ty) } else { Ok(ty) }
}
