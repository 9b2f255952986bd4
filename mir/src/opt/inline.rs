//! Copies small callees into their callers.
//!
//! The block of the call is cut behind it. The copy of the callee stands between the halves: returns jump to the second half with the result,
//! unwinding goes where the call's panic went, a tail call becomes a call followed by the return. Places keep the callee's position and learn
//! through which call they came (decision 9). A call in a copied body is looked at again, a few levels deep.

use ir::ops::Imm;
use ir::ssa::{Block, ENTRY, Graph, Inst, NewInst, Target, Value};
use ir::{Fuel, ItemId, PlaceId, Stop};

use super::flow::Flow;
use crate::Op;
use crate::ir::{Body, Context, Mir, Mono};

/// Instructions of a callee that is copied anywhere.
const SMALL: usize = 30;
/// Instructions that all copies together may add to a caller, at least.
const LEAST_GROWTH: usize = 400;
/// How deep copies are made in copies.
const DEPTH: u8 = 3;

/// Small enough to be copied into callers, and not calling itself: what [`Context::inlinable`] answers about a body.
pub fn is_inlinable(body: &Body<Mono>) -> bool {
    let calls_itself = |row: &ir::ssa::InstRow<Op>| matches!(row.op, Op::Call | Op::Tail) && ItemId::from_raw(row.imm as u32) == body.name;
    cost(body) <= SMALL && !body.insts.rows().iter().any(calls_itself)
}

/// What a copy adds, about: literals fold into their users, aggregates come apart, and resuming is the caller's.
fn cost(graph: &Graph<Mir>) -> usize {
    let is_free = |op: Op| {
        matches!(op, Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Unit | Op::Aggregate | Op::Field | Op::WithField)
            || matches!(op, Op::Jump | Op::Resume | Op::Return)
    };
    graph.blocks.rows().iter().flat_map(|row| &row.insts).filter(|&&inst| !is_free(graph.op(inst))).count()
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    let order = flow.order(graph);
    let mut room = cost(graph).max(LEAST_GROWTH);
    // Blocks still to be searched, and how many copies deep they stand. Last in, first out; the order is fixed by the text.
    let mut work: Vec<(Block, u8)> = order.blocks.iter().rev().map(|&block| (block, 0)).collect();
    while let Some((block, depth)) = work.pop() {
        let mut at = 0;
        while let Some(&inst) = graph.blocks[block].insts.get(at) {
            at += 1;
            let row = &graph.insts[inst];
            if row.op != Op::Call || depth >= DEPTH {
                continue;
            }
            let callee = ItemId::from_raw(row.imm as u32);
            if callee == graph.name {
                continue;
            }
            let Some(body) = cx.inlinable(callee)? else { continue };
            let size = cost(&body);
            let fits = body.blocks.get(ENTRY).is_some_and(|entry| entry.params.len() == row.args.len());
            let Some(unwind) = graph.edges[inst].unwind else { continue };
            if size > room || !fits || !fuel.spend() {
                continue;
            }
            room -= size;
            flow.changed();
            let rest = copy(graph, &body, block, at - 1, unwind);
            // The copy first, then what follows the call.
            work.push((rest.after, depth));
            work.extend((rest.first..rest.end).rev().map(|n| (Block::new(n), depth + 1)));
            break;
        }
    }
    Ok(())
}

/// Blocks that a copy made: those of the callee, and the second half of the caller's block.
struct Copied {
    first: usize,
    end: usize,
    after: Block,
}

/// Replaces the call at position `at` of a block by the body.
fn copy(graph: &mut Graph<Mir>, callee: &Graph<Mir>, block: Block, at: usize, unwind: Block) -> Copied {
    let call = graph.blocks[block].insts[at];
    let call_place = graph.edges[call].place;
    let after = graph.add_block();
    let tail = graph.blocks[block].insts.split_off(at + 1);
    graph.blocks[after].insts = tail;
    graph.blocks[block].insts.pop();
    // The result of the call is the parameter of the second half.
    let result = graph.insts[call].first_result;
    graph.values[result].def = ir::ssa::Def::Param(after, 0);
    graph.blocks[after].params.push(result);

    let first = graph.blocks.len();
    for _ in 0..callee.blocks.len() {
        graph.add_block();
    }
    let new_block = |old: Block| Block::new(first + old.index());
    // Parameters, then results, all before any operand is copied: loops use values that come later.
    let mut values: Vec<Value> = vec![Value::new(u32::MAX as usize); callee.values.len()];
    let args: Vec<Value> = graph.args(call).to_vec();
    for (old, row) in callee.blocks.iter() {
        for (index, &param) in row.params.iter().enumerate() {
            values[param.index()] = if old == ENTRY { args[index] } else { graph.add_param(new_block(old), callee.ty(param)) };
        }
    }
    let mut copies: Vec<(Inst, Inst)> = Vec::with_capacity(callee.insts.len());
    for (old, row) in callee.blocks.iter() {
        for &inst in &row.insts {
            let types: Vec<hir::Type> = callee.results(inst).map(|value| callee.ty(value)).collect();
            let new = graph.append(new_block(old), NewInst::new(callee.op(inst)), &types);
            for (old, new) in callee.results(inst).zip(graph.results(new)) {
                values[old.index()] = new;
            }
            copies.push((inst, new));
        }
    }
    let mut places: Vec<PlaceId> = vec![PlaceId::NONE; callee.places.rows().len()];
    for (inst, new) in copies {
        let old = &callee.insts[inst];
        let edges = &callee.edges[inst];
        let args = graph.args.add(callee.args(inst).iter().map(|v| values[v.index()]));
        let mut targets = Vec::with_capacity(edges.targets.len());
        for target in callee.targets(inst) {
            let args = graph.args.add(callee.target_args(*target).iter().map(|v| values[v.index()]));
            targets.push(Target { block: new_block(target.block), args });
        }
        let targets = graph.targets.add(targets);
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
        let row = &mut graph.insts[new];
        (row.args, row.imm, row.flags) = (args, imm, old.flags);
        graph.edges[new] = ir::ssa::EdgeRow { targets, unwind: edges.unwind.map(new_block), place };
        match old.op {
            Op::Return => leave(graph, new, after, args),
            Op::Resume => {
                let targets = graph.targets.add([Target { block: unwind, args: ir::List::EMPTY }]);
                let row = &mut graph.insts[new];
                (row.op, row.imm) = (Op::Jump, 0);
                graph.edges[new].targets = targets;
            }
            Op::Tail => {
                // The frame below is the caller's own, so a call is as deep as the call that is replaced here would have been.
                let ty = graph.ty(result);
                let block = new_block(block_of(callee, inst));
                let (imm, place) = (graph.insts[new].imm, if place.is_some() { place } else { call_place });
                let args: Vec<Value> = graph.args[args].to_vec();
                graph.blocks[block].insts.pop();
                let value = graph.append1(
                    block,
                    NewInst { op: Op::Call, args: &args, imm, flags: 0, targets: &[], unwind: Some(unwind), place },
                    ty,
                );
                graph.append(block, NewInst { targets: &[(after, &[value])], ..NewInst::new(Op::Jump) }, &[]);
            }
            _ => {}
        }
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

/// The block that a terminator ends.
fn block_of(graph: &Graph<Mir>, inst: Inst) -> Block {
    graph.blocks.iter().find(|(_, row)| row.insts.last() == Some(&inst)).map_or(ENTRY, |(block, _)| block)
}
