//! Payloads that lie in cells: those of variants that hold values of their own sum (which, says [`Context::variants`]).
//!
//! A body with closed types is built with `new` and `part` around `variant` and `payload`. Where a type has type parameters nobody knows yet, so the
//! instance gets them when its types are closed.

use hir::{Type, TypeKind};
use ir::Stop;
use ir::ssa::{Graph, Inst, NewInst, Value};

use crate::ir::{Context, Mir};
use crate::ops::{Op, payload_imm, payload_parts};

/// The type of the cell that the payload of a variant lies in; `None` where it lies in the sum.
pub(super) fn cell_of(cx: &dyn Context, sum: Type, variant: u32) -> Result<Option<Type>, Stop> {
    let variants = cx.variants(sum)?;
    let payload = variants.as_ref().and_then(|variants| variants.get(variant as usize));
    Ok(match payload.map(|payload| &payload[..]) {
        Some(&[only]) if matches!(only.kind(), TypeKind::Cell(_)) => Some(only),
        _ => None,
    })
}

/// A part of a cell.
pub(super) fn part_type(cell: Type, index: u32) -> Type {
    match cell.kind() {
        TypeKind::Cell(parts) => parts.get(index as usize).copied().unwrap_or(Type::ERROR),
        _ => Type::ERROR,
    }
}

/// Sums that were open get the cells that the closed ones have. `was_open` tells of a value whether its type was.
pub(super) fn close(graph: &mut Graph<Mir>, was_open: impl Fn(Value) -> bool, cx: &dyn Context) -> Result<(), Stop> {
    for block in graph.blocks.ids() {
        let mut at = 0;
        while let Some(&inst) = graph.blocks[block].insts.get(at) {
            if let Some(before) = closed(graph, inst, &was_open, cx)? {
                graph.blocks[block].insts.insert(at, before);
                at += 1;
            }
            at += 1;
        }
    }
    Ok(())
}

/// Rewrites one instruction; what must stand before it, if anything.
fn closed(graph: &mut Graph<Mir>, inst: Inst, was_open: &impl Fn(Value) -> bool, cx: &dyn Context) -> Result<Option<Inst>, Stop> {
    match graph.op(inst) {
        Op::Variant => {
            let sum = graph.result(inst);
            if !was_open(sum) {
                return Ok(None);
            }
            let number = graph.insts[inst].imm as u32;
            let Some(cell) = cell_of(cx, graph.ty(sum), number)? else { return Ok(None) };
            let parts: Vec<Value> = graph.args(inst).to_vec();
            let place = graph.edges[inst].place;
            let new = graph.make(NewInst { args: &parts, place, ..NewInst::new(Op::New) }, &[cell]);
            let made = graph.result(new);
            graph.insts[inst].args = graph.args.add([made]);
            Ok(Some(new))
        }
        Op::Payload => {
            let Some(&sum) = graph.args(inst).first() else { return Ok(None) };
            if !was_open(sum) {
                return Ok(None);
            }
            let (variant, part) = payload_parts(graph.insts[inst].imm);
            let Some(cell) = cell_of(cx, graph.ty(sum), variant)? else { return Ok(None) };
            let read = graph.make(NewInst { args: &[sum], imm: payload_imm(variant, 0), ..NewInst::new(Op::Payload) }, &[cell]);
            let whole = graph.result(read);
            let args = graph.args.add([whole]);
            let row = &mut graph.insts[inst];
            (row.op, row.args, row.imm) = (Op::Part, args, u64::from(part));
            Ok(Some(read))
        }
        _ => Ok(None),
    }
}
