//! What is left in a list in the place of an element that was taken out.

use hir::{Type, TypeKind};
use ir::ssa::{Graph, Inst, NewInst, Value};
use ir::{Stop, Symbol};

use crate::ir::{Context, Mir};
use crate::ops::Op;

/// How a value without counted content is made.
pub(super) enum Blank {
    Literal(Op, Type, u64),
    Whole(Op, Type, u64, Vec<Blank>),
}

impl Blank {
    /// Of a type, looked into so deep; nothing when all of its values are counted.
    pub(super) fn of(ty: Type, depth: u32, cx: &dyn Context) -> Result<Option<Blank>, Stop> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
        Ok(match ty.kind() {
            TypeKind::Int => Some(Blank::Literal(Op::Int, ty, 0)),
            TypeKind::Float => Some(Blank::Literal(Op::Float, ty, 0)),
            TypeKind::Bool => Some(Blank::Literal(Op::Bool, ty, 0)),
            TypeKind::Char => Some(Blank::Literal(Op::Char, ty, 0)),
            TypeKind::Byte => Some(Blank::Literal(Op::Byte, ty, 0)),
            TypeKind::Void => Some(Blank::Literal(Op::Unit, ty, 0)),
            TypeKind::Str => Some(Blank::Literal(Op::Str, ty, u64::from(Symbol::new("").raw()))),
            TypeKind::List(_) => Some(Blank::Whole(Op::List, ty, 0, Vec::new())),
            TypeKind::Tuple(_) | TypeKind::Struct(..) => {
                if let Some(fields) = cx.fields(ty)? {
                    return Ok(Blank::all(&fields, depth, cx)?.map(|parts| Blank::Whole(Op::Aggregate, ty, 0, parts)));
                }
                let Some(variants) = cx.variants(ty)? else { return Ok(None) };
                for (number, payload) in variants.iter().enumerate() {
                    if let Some(parts) = Blank::all(payload, depth, cx)? {
                        return Ok(Some(Blank::Whole(Op::Variant, ty, number as u64, parts)));
                    }
                }
                None
            }
            _ => None,
        })
    }

    fn all(types: &[Type], depth: u32, cx: &dyn Context) -> Result<Option<Vec<Blank>>, Stop> {
        let mut parts = Vec::with_capacity(types.len());
        for &ty in types {
            match Blank::of(ty, depth, cx)? {
                Some(part) => parts.push(part),
                None => return Ok(None),
            }
        }
        Ok(Some(parts))
    }

    /// Its instructions, and the value.
    pub(super) fn make(&self, graph: &mut Graph<Mir>, out: &mut Vec<Inst>) -> Value {
        let (op, ty, imm, parts) = match self {
            Blank::Literal(op, ty, imm) => (*op, *ty, *imm, Vec::new()),
            Blank::Whole(op, ty, imm, parts) => (*op, *ty, *imm, parts.iter().map(|part| part.make(graph, out)).collect()),
        };
        let inst = graph.make(NewInst { args: &parts, imm, ..NewInst::new(op) }, &[ty]);
        out.push(inst);
        graph.result(inst)
    }
}
