//! Slots of the program whose lives do not meet become one row of the frame.
//!
//! A slot is fresh where its instruction stands, so it is needed from there to the last use of its address. Only addresses that are read, written and
//! handed to calls are followed; one that goes elsewhere (into a block parameter, a sum, memory) keeps a row of its own.

use ir::ssa::{Block, Graph, Inst};
use lir::{Lir, Op};

use super::Columns;
use crate::ir::{SlotKind, SlotRow};
use crate::lives::{Lives, SMALL};

/// Does the instruction take this operand as an address that it is done with when it is done?
fn is_followed(op: Op, operand: usize) -> bool {
    match op {
        Op::Load | Op::Store => operand == 0,
        Op::Runtime | Op::Call | Op::CallPtr | Op::Panic => true,
        _ => false,
    }
}

/// Gives the `slot` instructions their rows; those that are left get theirs when they are met.
pub(super) fn share(graph: &Graph<Lir>, blocks: &[Block], columns: &mut Columns, lives: &mut Lives, rows: &mut Vec<SlotRow>) {
    // Row of each instruction in `slots`, for now: its number among them.
    let mut slots: Vec<Inst> = Vec::new();
    let mut bytes = 0u64;
    for &block in blocks {
        for &inst in &graph.blocks[block].insts {
            let row = &graph.insts[inst];
            if row.op == Op::Slot && columns.values.get(row.first_result.index()).is_some_and(|value| value.uses > 0) {
                columns.slots[inst.index()] = slots.len() as u32;
                slots.push(inst);
                bytes = bytes.saturating_add(row.imm);
            }
        }
    }
    if bytes <= u64::from(SMALL) {
        slots.iter().for_each(|slot| columns.slots[slot.index()] = u32::MAX);
        return;
    }
    let number = |value: ir::ssa::Value, columns: &Columns| -> Option<u32> {
        let inst = graph.def_inst(value)?;
        // One that no block in the order defines has no number.
        (graph.op(inst) == Op::Slot).then(|| columns.slots[inst.index()]).filter(|&number| number != u32::MAX)
    };
    let mut is_followed_all = vec![true; slots.len()];
    columns.blocks.clear();
    columns.blocks.resize(graph.blocks.len(), u32::MAX);
    for (at, &block) in blocks.iter().enumerate() {
        columns.blocks[block.index()] = at as u32;
    }
    lives.clear();
    let mut position = 0;
    for &block in blocks {
        lives.block(position);
        for &inst in &graph.blocks[block].insts {
            let op = graph.op(inst);
            if op == Op::Slot && columns.slots[inst.index()] != u32::MAX {
                lives.access(columns.slots[inst.index()], position, true);
            }
            for (operand, &value) in graph.args(inst).iter().enumerate() {
                if let Some(slot) = number(value, columns) {
                    is_followed_all[slot as usize] &= is_followed(op, operand);
                    lives.access(slot, position, false);
                }
            }
            let edges = &graph.edges[inst];
            for target in &graph.targets[edges.targets] {
                graph.args[target.args]
                    .iter()
                    .filter_map(|&value| number(value, columns))
                    .for_each(|slot| is_followed_all[slot as usize] = false);
                lives.edge(columns.blocks[target.block.index()], position);
            }
            if let Some(pad) = edges.unwind {
                lives.edge(columns.blocks[pad.index()], position);
            }
            position += 1;
        }
    }
    columns.blocks.fill(u32::MAX);
    let size = |slot: u32| {
        let bytes = u32::try_from(graph.insts[slots[slot as usize]].imm).unwrap_or(u32::MAX / 2);
        is_followed_all[slot as usize].then_some(bytes.max(1).div_ceil(8) * 8)
    };
    let first = rows.len() as u32;
    let (places, sizes) = lives.share(position, slots.len(), size);
    for (&slot, place) in slots.iter().zip(places) {
        columns.slots[slot.index()] = place.map_or(u32::MAX, |place| first + place);
    }
    rows.extend(sizes.into_iter().map(|size| SlotRow { size, kind: SlotKind::Local, offset: 0 }));
}
