//! Recursion modulo constructor: `Cons(h, f(t))` is made first, with a hole for what the call gives, and then the call is a jump.
//!
//! The function becomes a loop that carries a value with a hole (Minamide 1998; "Tail Recursion Modulo Context", Leijen and Lorenzen 2023). Where the call stood, the variant
//! is plugged into the hole and the part that the call was to give is the new one; what the function gave before fills it. So a list is mapped in constant stack
//! and in one pass, and what is made is made in the same order.
//!
//! It stands last: what is plugged must stay the only use of what was made for it, and passes that find equal values would change that. The verifier judges it (M0316).

use hashbrown::HashMap;
use hir::{Type, TypeKind};
use ir::ops::Effect;
use ir::ssa::{Block, ENTRY, Graph, Inst, NewInst, Target, Value};
use ir::{About, Fuel, ItemId, List, Stop};

use super::flow::Flow;
use super::loops::make_header;
use super::remarks::place;
use crate::ir::{Context, Mir};
use crate::ops::{NOUNWIND, Op};

/// One variant around the call: its cell, the variant, and the part of the cell that the call, or the next variant inwards, gives.
type Layer = (Inst, Inst, usize);

/// A call that can be a jump.
struct Site {
    block: Block,
    call: Inst,
    /// From the inside outwards.
    layers: Vec<Layer>,
}

/// A value that nobody has to hold.
enum Plain {
    Literal(Op),
    Aggregate(Vec<(Type, Plain)>),
    Variant(u32, Vec<(Type, Plain)>),
}

/// So deep is a value that stands in a hole, at most.
const DEPTH: u32 = 4;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    let is_call = |op: Op, imm: u64| op == Op::Call && ItemId::from_raw(imm as u32) == graph.name;
    // A body has one hole, and what it gives by a tail call would not come to it.
    if !graph.insts.rows().iter().any(|row| is_call(row.op, row.imm))
        || graph.insts.rows().iter().any(|row| matches!(row.op, Op::Tail | Op::Hole))
    {
        return Ok(());
    }
    let order = flow.order(graph);
    let users = users(graph, &order.blocks);
    let mut sites: Vec<Site> = order.blocks.iter().filter_map(|&block| site(graph, &users, block)).collect();
    let (Some(_), Some(&ty)) = (sites.first(), graph.results.first()) else { return Ok(()) };
    let Some(plain) = plain(ty, 0, cx)? else { return Ok(()) };
    sites.retain(|site| {
        let is_paid = fuel.spend();
        if is_paid {
            fuel.did(About::Call, place(graph, site.call), || {
                "the call of the function itself is a loop that fills a hole in what it made before".to_owned()
            });
        }
        is_paid
    });
    if sites.is_empty() {
        return Ok(());
    }
    flow.changed();
    // Before the body moves out of the entry.
    let returns: Vec<Block> =
        order.blocks.iter().copied().filter(|&block| graph.terminator(block).is_some_and(|last| graph.op(last) == Op::Return)).collect();
    let header = make_header(graph);
    let jump = graph.blocks[ENTRY].insts.pop();
    let stand_in = make(graph, ENTRY, ty, &plain);
    let hole = graph.append1(ENTRY, NewInst { args: &[stand_in], ..NewInst::new(Op::Hole) }, Type::hole(ty));
    let mut args: Vec<Value> =
        jump.and_then(|jump| graph.targets(jump).first().copied()).map_or(Vec::new(), |target| graph.target_args(target).to_vec());
    args.push(hole);
    graph.append(ENTRY, NewInst { targets: &[(header, &args)], ..NewInst::new(Op::Jump) }, &[]);
    let hole = graph.add_param(header, Type::hole(ty));
    let moved = |block: Block| if block == ENTRY { header } else { block };
    for site in &sites {
        jump_back(graph, moved(site.block), site, header, hole, stand_in);
    }
    for block in returns.into_iter().filter(|&block| !sites.iter().any(|site| site.block == block)) {
        let block = moved(block);
        let Some(&last) = graph.blocks[block].insts.last() else { continue };
        let given = graph.args(last)[0];
        let fill = graph.make(NewInst { args: &[hole, given], ..NewInst::new(Op::Fill) }, &[ty]);
        let filled = graph.result(fill);
        let at = graph.blocks[block].insts.len() - 1;
        graph.blocks[block].insts.insert(at, fill);
        graph.insts[last].args = graph.args.add([filled]);
    }
    Ok(())
}

/// The instruction that uses each value, of those that are used once, by an instruction and not by an edge.
fn users(graph: &Graph<Mir>, blocks: &[Block]) -> HashMap<Value, Option<Inst>> {
    let mut users: HashMap<Value, Option<Inst>> = HashMap::new();
    for &inst in blocks.iter().flat_map(|&block| &graph.blocks[block].insts) {
        for &arg in graph.args(inst) {
            users.entry(arg).and_modify(|user| *user = None).or_insert(Some(inst));
        }
        for &arg in graph.targets(inst).iter().flat_map(|&target| graph.target_args(target)) {
            users.insert(arg, None);
        }
    }
    users
}

/// Does the block end with a call of the function itself, variants made around what it gives, and a return of that?
fn site(graph: &Graph<Mir>, users: &HashMap<Value, Option<Inst>>, block: Block) -> Option<Site> {
    let insts = &graph.blocks[block].insts;
    let (&last, before) = insts.split_last()?;
    if graph.op(last) != Op::Return {
        return None;
    }
    let is_quiet = |inst: Inst| match graph.op(inst).info().effect {
        Effect::Pure => true,
        Effect::Panics => {
            graph.insts[inst].flags & NOUNWIND != 0
                && !matches!(graph.op(inst), Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod | Op::Runtime)
        }
        _ => false,
    };
    let call = before.iter().rev().copied().find(|&inst| !is_quiet(inst))?;
    let row = &graph.insts[call];
    let is_own = row.op == Op::Call && ItemId::from_raw(row.imm as u32) == graph.name && row.args.len() == graph.blocks[ENTRY].params.len();
    // Somebody who catches what the call panics with is still needed.
    let pad = graph.edges[call].unwind.map(|pad| &graph.blocks[pad].insts[..]);
    let is_caught = !matches!(pad, None | Some([]) | Some(&[_])) || matches!(pad, Some(&[only]) if graph.op(only) != Op::Resume);
    if !is_own || is_caught {
        return None;
    }
    let ty = *graph.results.first()?;
    let user = |value: Value| users.get(&value).copied().flatten();
    let mut layers = Vec::new();
    let mut inner = graph.results(call).next()?;
    loop {
        let next = user(inner)?;
        if next == last {
            break;
        }
        if graph.op(next) != Op::New {
            return None;
        }
        let part = graph.args(next).iter().position(|&part| part == inner)?;
        let variant = user(graph.result(next))?;
        if graph.op(variant) != Op::Variant || graph.args(variant).len() != 1 || graph.ty(graph.result(variant)) != ty {
            return None;
        }
        layers.push((next, variant, part));
        inner = graph.result(variant);
    }
    // A call that is given back as it is has been a loop already.
    (!layers.is_empty()).then_some(Site { block, call, layers })
}

/// Plugs the variants, and jumps to the header instead of calling.
fn jump_back(graph: &mut Graph<Mir>, block: Block, site: &Site, header: Block, hole: Value, stand_in: Value) {
    // What is made now has a hole, and nobody waits for the call.
    let made = std::iter::once(site.call).chain(site.layers.iter().flat_map(|&(cell, variant, _)| [cell, variant]));
    let made: Vec<Value> = made.flat_map(|inst| graph.results(inst)).collect();
    graph.forget(made);
    graph.blocks[block].insts.retain(|&inst| inst != site.call);
    let last = graph.blocks[block].insts.pop();
    let mut hole = hole;
    for &(cell, variant, part) in site.layers.iter().rev() {
        let mut parts = graph.args(cell).to_vec();
        parts[part] = stand_in;
        graph.insts[cell].args = graph.args.add(parts);
        let (ty, value) = (graph.ty(hole), graph.result(variant));
        hole = graph.append1(block, NewInst { args: &[hole, value], imm: part as u64, ..NewInst::new(Op::Plug) }, ty);
    }
    let args: Vec<Value> = graph.args(site.call).iter().copied().chain([hole]).collect();
    let args = graph.args.add(args);
    let targets = graph.targets.add([Target { block: header, args }]);
    let Some(last) = last else { return };
    let row = &mut graph.insts[last];
    (row.op, row.args, row.imm, row.flags) = (Op::Jump, List::EMPTY, 0, 0);
    graph.edges[last].targets = targets;
    graph.lose_place(last);
    graph.blocks[block].insts.push(last);
}

/// A value of this type that takes no room; nothing where each has something on the heap.
fn plain(ty: Type, depth: u32, cx: &dyn Context) -> Result<Option<Plain>, Stop> {
    Ok(match ty.kind() {
        TypeKind::Int => Some(Plain::Literal(Op::Int)),
        TypeKind::Float => Some(Plain::Literal(Op::Float)),
        TypeKind::Bool => Some(Plain::Literal(Op::Bool)),
        TypeKind::Char => Some(Plain::Literal(Op::Char)),
        TypeKind::Byte => Some(Plain::Literal(Op::Byte)),
        TypeKind::Void => Some(Plain::Literal(Op::Unit)),
        TypeKind::Tuple(_) | TypeKind::Struct(..) if depth < DEPTH => {
            if let Some(fields) = cx.fields(ty)? {
                return Ok(all_plain(&fields, depth, cx)?.map(Plain::Aggregate));
            }
            let Some(variants) = cx.variants(ty)? else { return Ok(None) };
            for (number, payload) in variants.iter().enumerate() {
                if let Some(parts) = all_plain(payload, depth, cx)? {
                    return Ok(Some(Plain::Variant(number as u32, parts)));
                }
            }
            None
        }
        _ => None,
    })
}

fn all_plain(types: &[Type], depth: u32, cx: &dyn Context) -> Result<Option<Vec<(Type, Plain)>>, Stop> {
    let mut all = Vec::with_capacity(types.len());
    for &ty in types {
        let Some(part) = plain(ty, depth + 1, cx)? else { return Ok(None) };
        all.push((ty, part));
    }
    Ok(Some(all))
}

fn make(graph: &mut Graph<Mir>, block: Block, ty: Type, value: &Plain) -> Value {
    let (op, imm, parts): (Op, u64, &[(Type, Plain)]) = match value {
        Plain::Literal(op) => (*op, 0, &[]),
        Plain::Aggregate(parts) => (Op::Aggregate, 0, parts),
        Plain::Variant(number, parts) => (Op::Variant, u64::from(*number), parts),
    };
    let args: Vec<Value> = parts.iter().map(|(ty, part)| make(graph, block, *ty, part)).collect();
    graph.append1(block, NewInst { args: &args, imm, ..NewInst::new(op) }, ty)
}
