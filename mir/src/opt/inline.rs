//! Copies small callees into their callers.
//!
//! The block of the call is cut behind it. The copy of the callee stands between the halves: returns jump to the second half with the result,
//! unwinding goes where the call's panic went, a tail call becomes a call followed by the return. Places keep the callee's position and learn
//! through which call they came (decision 9). A call in a copied body is looked at again, a few levels deep.

use hir::Type;
use ir::ops::Imm;
use ir::ssa::compact::renumbered;
use ir::ssa::{Block, ENTRY, EdgeRow, Graph, Inst, InstRow, NewInst, Target, Value, ValueRow};
use ir::{About, Fuel, ItemId, PlaceId, Stop};

use super::lookups::is_lookup;
use super::remarks::place;
use super::{Desk, names};
use crate::Op;
use crate::ir::{Body, Context, Mir, Mono};

/// Instructions of a callee that is copied anywhere.
const SMALL: usize = 30;
/// Instructions that all copies together may add to a caller, at least.
const LEAST_GROWTH: usize = 400;
/// Instructions beyond which no copy makes a caller. What is behind takes longer than linearly for some of its work, and code of one function has a limit
/// (E0039), which what is written as calls must not reach.
const LARGEST: usize = 6_000;
/// How deep copies are made in copies.
const DEPTH: u8 = 3;
/// Instructions of a function that is copied into itself, and how deep. It calls itself from two places at least: such a recursion has most of its calls at its
/// ends, where it does little else. It is about numbers alone: what counted values gain by being taken apart where they came is more than a call.
const SELF: usize = 16;
const SELF_DEPTH: u8 = 2;
/// Instructions of a callee that is hardly more than a call of it, and how deep its copies may stand.
const TINY: usize = 12;
const TINY_DEPTH: u8 = 6;

/// Small enough to be copied into callers, not calling itself, and without a hole, of which a body has one: what [`Context::inlinable`] answers about a body.
pub fn is_inlinable(body: &Body<Mono>) -> bool {
    cost(body) <= SMALL && own_calls(body).next().is_none() && !has_hole(body)
}

/// Why [`is_inlinable`] says no; nothing where it says yes.
pub fn why_not_inlinable(body: &Body<Mono>) -> Option<String> {
    let cost = cost(body);
    if own_calls(body).next().is_some() {
        Some("it calls itself".to_owned())
    } else if cost > SMALL {
        Some(format!("it has {cost} instructions, and at most {SMALL} are copied"))
    } else {
        has_hole(body).then(|| "it fills a hole".to_owned())
    }
}

fn own_calls(graph: &Graph<Mir>) -> impl Iterator<Item = &InstRow<Op>> {
    graph.insts.rows().iter().filter(|row| matches!(row.op, Op::Call | Op::Tail) && ItemId::from_raw(row.imm as u32) == graph.name)
}

fn is_of_numbers(graph: &Graph<Mir>) -> bool {
    let is_number = |ty: Type| matches!(ty, Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE);
    graph.values.rows().iter().all(|row| is_number(row.ty)) && graph.results.iter().all(|&ty| is_number(ty))
}

fn has_hole(graph: &Graph<Mir>) -> bool {
    graph.insts.rows().iter().any(|row| row.op == Op::Hole)
}

/// What a copy adds, about: literals fold into their users, aggregates come apart, and resuming is the caller's.
fn cost(graph: &Graph<Mir>) -> usize {
    let is_free = |op: Op| {
        matches!(
            op,
            Op::Int
                | Op::Float
                | Op::Bool
                | Op::Char
                | Op::Byte
                | Op::Unit
                | Op::Aggregate
                | Op::Field
                | Op::WithField
                | Op::Variant
                | Op::Payload
        ) || matches!(op, Op::Jump | Op::Resume | Op::Return)
    };
    graph.blocks.rows().iter().flat_map(|row| &row.insts).filter(|&&inst| !is_free(graph.op(inst))).count()
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    if !graph.insts.rows().iter().any(|row| row.op == Op::Call) {
        return Ok(());
    }
    let Desk { flow, copies, .. } = desk;
    let order = flow.order(graph);
    let size = cost(graph);
    let mut room = size.max(LEAST_GROWTH).min(LARGEST.saturating_sub(size));
    // What is copied into the function itself is its body as it is now.
    let own = (cost(graph) <= SELF && own_calls(graph).nth(1).is_some() && is_of_numbers(graph)).then(|| renumbered(graph, &order));
    // Blocks still to be searched, and how many copies deep they stand. Last in, first out; the order is fixed by the text. What follows a copy is moved into its
    // block when that is searched: a block of many calls is gone through once.
    let mut work: Vec<(Block, u8, Option<Rest>)> = order.blocks.iter().rev().map(|&block| (block, 0, None)).collect();
    while let Some((block, depth, rest)) = work.pop() {
        let is_call = |inst: &Inst| graph.op(*inst) == Op::Call;
        if rest.is_none() && (depth >= TINY_DEPTH || !graph.blocks[block].insts.iter().any(is_call)) {
            continue;
        }
        let mut rest = rest.unwrap_or_else(|| std::mem::take(&mut graph.blocks[block].insts).into_iter());
        while let Some(inst) = rest.next() {
            graph.blocks[block].insts.push(inst);
            let row = &graph.insts[inst];
            if row.op != Op::Call || depth >= TINY_DEPTH {
                continue;
            }
            let callee = ItemId::from_raw(row.imm as u32);
            // `Lookups` comes first.
            if desk.keeps_lookups && is_lookup(callee) {
                desk.new_calls = true;
                continue;
            }
            let other;
            let body: &Graph<Mir> = match &own {
                _ if callee != graph.name => {
                    let Some(body) = cx.inlinable(callee)? else {
                        if fuel.is_listening() {
                            let why = cx.why_not_inlinable(callee)?;
                            fuel.left(About::Call, place(graph, inst), || format!("@{callee} is not copied: {why}"));
                        }
                        continue;
                    };
                    other = body;
                    &other
                }
                Some(own) if depth < SELF_DEPTH => own,
                _ => {
                    fuel.left(About::Call, place(graph, inst), || format!("@{callee} is not copied: it is the function itself"));
                    continue;
                }
            };
            let size = cost(body);
            if depth >= DEPTH && size > TINY {
                fuel.left(About::Call, place(graph, inst), || format!("@{callee} is not copied: the call stands {depth} copies deep"));
                continue;
            }
            let fits = body.blocks.get(ENTRY).is_some_and(|entry| entry.params.len() == row.args.len());
            let Some(unwind) = graph.edges[inst].unwind else { continue };
            if size > room {
                let why = || format!("@{callee} is not copied: it has {size} instructions, and the function may grow by {room} more");
                fuel.left(About::Call, place(graph, inst), why);
            }
            if size > room || !fits || !fuel.spend() {
                continue;
            }
            fuel.did(About::Call, place(graph, inst), || {
                format!("@{callee} is copied here: {size} instruction{}", if size == 1 { "" } else { "s" })
            });
            room -= size;
            flow.changed();
            graph.blocks[block].insts.pop();
            let copied = copy(graph, body, (block, inst), unwind, copies);
            // The copy first, then what follows the call.
            work.push((copied.after, depth, Some(rest)));
            work.extend((copied.first..copied.end).rev().map(|n| (Block::new(n), depth + 1, None)));
            break;
        }
    }
    Ok(())
}

/// Instructions of a block that are not in it yet.
type Rest = std::vec::IntoIter<Inst>;

/// Blocks that a copy made: those of the callee, and the second half of the caller's block.
struct Copied {
    first: usize,
    end: usize,
    after: Block,
}

/// What became of the values and places of the callee. It keeps its memory for the next copy.
#[derive(Default)]
pub(super) struct Copies {
    values: Vec<Value>,
    places: Vec<PlaceId>,
}

/// Puts the body at the end of the block instead of the call that stood there. What follows is to come into the block `after`.
fn copy(graph: &mut Graph<Mir>, callee: &Graph<Mir>, (block, call): (Block, Inst), unwind: Block, copies: &mut Copies) -> Copied {
    let Copies { values, places } = copies;
    let (call_args, call_place) = (graph.insts[call].args, graph.edges[call].place);
    let after = graph.add_block();
    // The result of the call is the parameter of the second half.
    let result = graph.insts[call].first_result;
    graph.values[result].def = ir::ssa::Def::Param(after, 0);
    graph.blocks[after].params.push(result);

    let first = graph.blocks.len();
    let mut copied: Vec<(Inst, Inst)> = Vec::new();
    for row in callee.blocks.rows() {
        let new = graph.add_block();
        graph.blocks[new].insts.reserve_exact(row.insts.len());
    }
    let new_block = |old: Block| Block::new(first + old.index());
    // Parameters and results before any operand is copied: loops use values that come later. The copies of instructions follow one another.
    values.clear();
    values.resize(callee.values.len(), Value::new(u32::MAX as usize));
    let mut inst = graph.insts.len();
    for (old, row) in callee.blocks.iter() {
        for (index, &param) in row.params.iter().enumerate() {
            values[param.index()] =
                if old == ENTRY { graph.args[call_args][index] } else { graph.add_param(new_block(old), callee.ty(param)) };
        }
        for &old in &row.insts {
            for (index, value) in callee.results(old).enumerate() {
                let def = ir::ssa::Def::Result(Inst::new(inst), index as u32);
                values[value.index()] = graph.values.push(ValueRow { ty: callee.ty(value), def });
            }
            inst += 1;
        }
    }
    let mut tail_calls: Vec<(Block, Inst)> = Vec::new();
    places.clear();
    places.resize(callee.places.rows().len(), PlaceId::NONE);
    for (old_block, row) in callee.blocks.iter() {
        let block = new_block(old_block);
        for &inst in &row.insts {
            let old = callee.insts[inst];
            let edges = callee.edges[inst];
            let args = graph.args.add(callee.args[old.args].iter().map(|v| values[v.index()]));
            let pool = &mut graph.args;
            let target = |target: &Target| {
                let args = pool.add(callee.args[target.args].iter().map(|v| values[v.index()]));
                Target { block: new_block(target.block), args }
            };
            let targets = graph.targets.add(callee.targets[edges.targets].iter().map(target));
            let imm = match old.op.info().imm {
                Imm::Cases => graph.add_cases(callee.cases(inst).iter().copied()),
                Imm::None | Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => old.imm,
            };
            let place = match edges.place.is_some() {
                false => PlaceId::NONE,
                true => {
                    let slot = &mut places[edges.place.0 as usize];
                    if !slot.is_some() {
                        *slot = graph.places.import(&callee.places, edges.place, call_place);
                    }
                    *slot
                }
            };
            let first_result = match old.results {
                0 => graph.values.next_id(),
                _ => values[old.first_result.index()],
            };
            let new = graph.insts.push(InstRow { args, imm, first_result, ..old });
            graph.edges.push(EdgeRow { targets, unwind: edges.unwind.map(new_block), place });
            graph.blocks[block].insts.push(new);
            if graph.names.is_some() {
                copied.push((inst, new));
            }
            match old.op {
                Op::Return => leave(graph, new, after, args),
                Op::Resume => {
                    let targets = graph.targets.add([Target { block: unwind, args: ir::List::EMPTY }]);
                    let row = &mut graph.insts[new];
                    (row.op, row.imm) = (Op::Jump, 0);
                    graph.edges[new].targets = targets;
                }
                Op::Tail => tail_calls.push((block, new)),
                _ => {}
            }
        }
    }
    names::import(graph, callee, call, &copied, values);
    for (block, inst) in tail_calls {
        // The frame below is the caller's own, so a call is as deep as the call that is replaced here would have been.
        let ty = graph.ty(result);
        let (row, place) = (graph.insts[inst], graph.edges[inst].place);
        let place = if place.is_some() { place } else { call_place };
        let args: Vec<Value> = graph.args[row.args].to_vec();
        graph.blocks[block].insts.pop();
        let new = NewInst { op: Op::Call, args: &args, imm: row.imm, flags: 0, targets: &[], unwind: Some(unwind), place };
        let value = graph.append1(block, new, ty);
        graph.append(block, NewInst { targets: &[(after, &[value])], ..NewInst::new(Op::Jump) }, &[]);
    }
    graph.append(block, NewInst { targets: &[(new_block(ENTRY), &[])], ..NewInst::new(Op::Jump) }, &[]);
    Copied { first, end: first + callee.blocks.len(), after }
}

/// Turns a copied return into a jump behind the call.
fn leave(graph: &mut Graph<Mir>, inst: Inst, after: Block, args: ir::List<Value>) {
    let targets = graph.targets.add([Target { block: after, args }]);
    let row = &mut graph.insts[inst];
    (row.op, row.args, row.imm) = (Op::Jump, ir::List::EMPTY, 0);
    graph.edges[inst].targets = targets;
}
