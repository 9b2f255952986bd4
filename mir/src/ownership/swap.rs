//! `swap`: an element is changed in place, not in a copy.
//!
//! `a[i][j] = v` reads the element, makes a changed one and puts it back. What is read is a part of the list, so with the list at hand it has two holders when it is changed,
//! and is copied. Where the list is only waiting to get it back, the element is taken out instead, and something that nobody counts is left in its place: an empty text or
//! list, a variant without content. Elements of types without such a value stay.

use hashbrown::HashMap;
use hir::{Type, TypeKind};
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst, NewInst, Value};
use ir::{Fuel, Stop, Symbol};

use super::kinds::{Kind, Kinds};
use crate::ir::{Context, Contract, Mir};
use crate::ops::Op;

/// Types inside types that are looked into for a value without counted content.
const DEPTH: u32 = 8;

/// Takes elements out that are put back; true when there was something.
pub(super) fn run(graph: &mut Graph<Mir>, order: &Order, contract: Contract, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    let has_sets = graph.blocks.rows().iter().flat_map(|row| &row.insts).any(|&inst| graph.op(inst) == Op::ListSet);
    if !has_sets {
        return Ok(false);
    }
    let kinds = Kinds::of(graph, order, contract, cx)?;
    let mut any = false;
    for &block in &order.blocks {
        for inst in graph.blocks[block].insts.clone() {
            if graph.op(inst) == Op::ListSet
                && let Some(found) = find(graph, order, &kinds, block, inst)
                && let Some(blank) = Blank::of(graph.ty(graph.args(inst)[2]), DEPTH, cx)?
                && fuel.spend()
            {
                apply(graph, block, inst, &found, &blank);
                any = true;
            }
        }
    }
    Ok(any)
}

/// An element that is put back changed.
struct Found {
    /// What reads it.
    element: Value,
    /// Where it is taken out: in front of this instruction, which is of the block.
    at: Inst,
}

/// Looks back from a `list_set` for the element that was at its place: read as a part of the same list, and taken in this block by somebody in front of the
/// `list_set`, while the list was not looked at any more.
fn find(graph: &Graph<Mir>, order: &Order, kinds: &Kinds, block: Block, set: Inst) -> Option<Found> {
    let &[list, index, _] = graph.args(set) else { return None };
    if !matches!(kinds.get(list), Kind::Owned(_)) {
        return None;
    }
    let insts = &graph.blocks[block].insts;
    let end = insts.iter().position(|&inst| inst == set)?;
    // From the last look at the list on, the element may be gone.
    let start = insts[..end].iter().rposition(|&inst| graph.args(inst).contains(&list)).map_or(0, |last| last + 1);
    let is_element = |inst: Inst| matches!(graph.op(inst), Op::ListGet | Op::ListAt) && graph.args(inst) == [list, index];
    let mut reads = order.blocks.iter().flat_map(|&block| &graph.blocks[block].insts).copied().filter(|&inst| is_element(inst));
    let read = reads.next()?;
    let element = graph.result(read);
    // It must have run, in this block.
    let is_here = insts[..end].contains(&read);
    if reads.next().is_some() || !is_here || kinds.get(element) == Kind::Free {
        return None;
    }
    // Whatever belongs to the element, and who takes some of it.
    let mut parts = vec![element];
    let mut at = None;
    for (number, &inst) in insts.iter().enumerate().take(end) {
        let args = graph.args(inst);
        if args.is_empty() || !parts.contains(&args[0]) && !args.iter().any(|arg| parts.contains(arg)) {
            continue;
        }
        match graph.op(inst) {
            Op::Field => parts.push(graph.result(inst)),
            // What was found out about the element is not known of what is taken out.
            Op::Payload | Op::Part | Op::Is | Op::Tag => return None,
            // What is borrowed in other ways stays behind.
            // So does what is needed longer: `early` holds it for itself.
            Op::ListGet | Op::ListAt => {}
            Op::Select if kinds.get(graph.result(inst)) == Kind::Free => {}
            Op::Select => return None,
            _ if number < start => {}
            op if at.is_none() && is_change(op) => at = Some(inst),
            _ => {}
        }
    }
    // Nobody needs the list or its element as they were.
    let is_last = |value: Value| {
        order.blocks.iter().all(|&other| {
            graph.blocks[other].insts.iter().enumerate().all(|(number, &inst)| {
                let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
                let uses = graph.args(inst).iter().chain(passed).any(|&arg| arg == value);
                !uses || other == block && number <= end
            })
        })
    };
    let at = at?;
    (parts.iter().chain([&list]).all(|&value| is_last(value))).then_some(Found { element, at })
}

/// Does an op change what it takes, where nobody else holds it?
fn is_change(op: Op) -> bool {
    matches!(
        op,
        Op::ListPush
            | Op::ListSet
            | Op::ListSlice
            | Op::ListReserve
            | Op::ListOwn
            | Op::TableDouble
            | Op::Call
            | Op::CallValue
            | Op::Runtime
            | Op::New
            | Op::Aggregate
            | Op::Variant
    )
}

/// How a value without counted content is made.
enum Blank {
    Literal(Op, Type, u64),
    Whole(Op, Type, u64, Vec<Blank>),
}

impl Blank {
    fn of(ty: Type, depth: u32, cx: &dyn Context) -> Result<Option<Blank>, Stop> {
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

    fn make(&self, graph: &mut Graph<Mir>, out: &mut Vec<Inst>) -> Value {
        let (op, ty, imm, parts) = match self {
            Blank::Literal(op, ty, imm) => (*op, *ty, *imm, Vec::new()),
            Blank::Whole(op, ty, imm, parts) => (*op, *ty, *imm, parts.iter().map(|part| part.make(graph, out)).collect()),
        };
        let inst = graph.make(NewInst { args: &parts, imm, ..NewInst::new(op) }, &[ty]);
        out.push(inst);
        graph.result(inst)
    }
}

fn apply(graph: &mut Graph<Mir>, block: Block, set: Inst, found: &Found, blank: &Blank) {
    let (list, index) = (graph.args(set)[0], graph.args(set)[1]);
    let mut made = Vec::new();
    let left = blank.make(graph, &mut made);
    let types = [graph.ty(list), graph.ty(found.element)];
    let place = graph.edges[set].place;
    let swap = graph.make(NewInst { args: &[list, index, left], place, ..NewInst::new(Op::ListSwap) }, &types);
    made.push(swap);
    let mut results = graph.results(swap);
    let (Some(rest), Some(taken)) = (results.next(), results.next()) else { return };
    // Behind it the element is the one that was taken, and its parts are read from that.
    let mut renamed: HashMap<Value, Value> = HashMap::from([(list, rest), (found.element, taken)]);
    let insts = std::mem::take(&mut graph.blocks[block].insts);
    let mut out: Vec<Inst> = Vec::with_capacity(insts.len() + made.len());
    let mut is_behind = false;
    let before: Vec<Inst> = insts.iter().copied().take_while(|&inst| inst != found.at).collect();
    for inst in insts {
        if inst == found.at {
            is_behind = true;
            out.append(&mut made);
            for &read in &before {
                let of_element = graph.op(read) == Op::Field && renamed.contains_key(&graph.args(read)[0]);
                if of_element && graph.args(read)[0] != list {
                    let (row, from) = (graph.insts[read], renamed[&graph.args(read)[0]]);
                    let ty = graph.ty(graph.result(read));
                    let again = graph.make(NewInst { args: &[from], imm: row.imm, ..NewInst::new(row.op) }, &[ty]);
                    out.push(again);
                    let (old, new) = (graph.result(read), graph.result(again));
                    renamed.insert(old, new);
                }
            }
        }
        if is_behind && graph.args(inst).iter().any(|arg| renamed.contains_key(arg)) {
            let args: Vec<Value> = graph.args(inst).iter().map(|arg| renamed.get(arg).copied().unwrap_or(*arg)).collect();
            graph.insts[inst].args = graph.args.add(args);
        }
        out.push(inst);
    }
    graph.blocks[block].insts = out;
}
