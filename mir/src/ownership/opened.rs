//! What `open` takes apart: its operand, and on the ways to the parts that it takes out, the cells, sums and aggregates that end with it.

use ir::ssa::{Graph, Inst, Value};

use crate::Op;
use crate::ir::Mir;
use crate::ops::payload_parts;

/// A value that is taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The value.
    pub value: Value,
    /// Of a sum: the variant that it is.
    pub variant: Option<u32>,
    /// What is not given up with it, by the number of its field or part.
    pub parts: Vec<(u32, Part)>,
    /// Of a cell: the number of the result that has its room.
    pub token: Option<usize>,
}

/// A part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// It is the result with this number.
    Moved(usize),
    /// It is taken apart itself.
    Opened(Opened),
}

/// One step from a value to a part of it: the value, of a sum its variant, and the number of the part.
pub fn step(graph: &Graph<Mir>, part: Value) -> Option<(Value, Option<u32>, u32)> {
    let row = &graph.insts[graph.def_inst(part)?];
    let (variant, index) = match row.op {
        Op::Field | Op::Part => (None, row.imm as u32),
        Op::Payload => {
            let (variant, part) = payload_parts(row.imm);
            (Some(variant), part)
        }
        _ => return None,
    };
    Some((*graph.args(graph.def_inst(part)?).first()?, variant, index))
}

/// Is it the type of a token: a cell without parts?
pub fn is_token(ty: hir::Type) -> bool {
    matches!(ty.kind(), hir::TypeKind::Cell([]))
}

/// What an `open` takes apart. `None` when a part is not one of the operand, or stands inside another one.
pub fn opened(graph: &Graph<Mir>, inst: Inst) -> Option<Opened> {
    let (&whole, parts) = graph.args(inst).split_first()?;
    let mut all = Opened { value: whole, variant: None, parts: Vec::new(), token: None };
    let results: Vec<Value> = graph.results(inst).collect();
    if results.len() != parts.len() {
        return None;
    }
    for (index, (&part, &result)) in parts.iter().zip(&results).enumerate() {
        let is_token = is_token(graph.ty(result));
        let mut way = Vec::new();
        let mut at = part;
        while at != whole {
            let (above, variant, number) = step(graph, at)?;
            way.push((at, variant, number));
            at = above;
        }
        way.reverse();
        let mut open = &mut all;
        let count = way.len();
        if count == 0 && !is_token {
            return None;
        }
        for (depth, (value, variant, number)) in way.into_iter().enumerate() {
            if open.variant.is_some() && open.variant != variant {
                return None;
            }
            open.variant = variant;
            let is_last = depth + 1 == count;
            let found = open.parts.iter().position(|(known, _)| *known == number);
            if is_last && !is_token {
                match found {
                    Some(_) => return None,
                    None => open.parts.push((number, Part::Moved(index))),
                }
                break;
            }
            let found = found.unwrap_or_else(|| {
                open.parts.push((number, Part::Opened(Opened { value, variant: None, parts: Vec::new(), token: None })));
                open.parts.len() - 1
            });
            match &mut open.parts[found].1 {
                Part::Moved(_) => return None,
                Part::Opened(next) => open = next,
            }
        }
        if is_token && open.token.replace(index).is_some() {
            return None;
        }
    }
    Some(all)
}
