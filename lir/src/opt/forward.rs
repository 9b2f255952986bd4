//! Loads from slots of what the same block stored or loaded there.
//!
//! Only slots whose address goes nowhere but into loads, stores and calls: nothing else can change them, and a call changes only the slots it is given.

use ir::Fuel;
use ir::ssa::{Block, Graph, Value};

use crate::ir::{Lir, Type};
use crate::ops::Op;

pub(super) fn run(graph: &mut Graph<Lir>, fuel: &mut Fuel) {
    let Some(slots) = private_slots(graph) else { return };
    let mut same: Vec<Value> = Vec::new();
    let mut known: Vec<Known> = Vec::new();
    for block in graph.blocks.ids() {
        known.clear();
        if !walk(graph, block, &slots, &mut known, &mut same, fuel) {
            break;
        }
    }
    if !same.is_empty() {
        // A forwarded load may have been what a later one was forwarded from.
        graph.rename(|mut value| {
            while let Some(&next) = same.get(value.index())
                && next != value
            {
                value = next;
            }
            value
        });
    }
}

#[derive(Clone, Copy)]
struct Known {
    slot: Value,
    offset: u64,
    ty: Type,
    value: Value,
}

/// The slots that nothing but loads, stores and calls sees, as marks on values; `None` when there is no load from a slot.
fn private_slots(graph: &Graph<Lir>) -> Option<Vec<bool>> {
    let is_slot = |value: Value| graph.def_inst(value).is_some_and(|inst| graph.op(inst) == Op::Slot);
    let loads = graph.insts.iter().any(|(inst, row)| row.op == Op::Load && graph.args(inst).first().is_some_and(|&base| is_slot(base)));
    if !loads {
        return None;
    }
    let mut private = vec![true; graph.values.len()];
    for row in graph.blocks.rows() {
        for &inst in &row.insts {
            let args = graph.args(inst);
            let escaping = match graph.op(inst) {
                Op::Load | Op::Store => args.get(1..).unwrap_or(&[]),
                Op::Call | Op::CallPtr | Op::Runtime => &[],
                _ => args,
            };
            for &value in escaping.iter().chain(graph.targets(inst).iter().flat_map(|&t| graph.target_args(t))) {
                private[value.index()] = false;
            }
        }
    }
    for value in graph.values.ids() {
        private[value.index()] &= is_slot(value);
    }
    Some(private)
}

fn walk(graph: &Graph<Lir>, block: Block, private: &[bool], known: &mut Vec<Known>, same: &mut Vec<Value>, fuel: &mut Fuel) -> bool {
    for &inst in &graph.blocks[block].insts {
        let row = &graph.insts[inst];
        let args = graph.args(inst);
        match (row.op, args) {
            (Op::Store, &[slot, value]) if private[slot.index()] => {
                let (start, ty) = (row.imm, graph.ty(value));
                known.retain(|k| k.slot != slot || k.offset + u64::from(k.ty.size()) <= start || start + u64::from(ty.size()) <= k.offset);
                known.push(Known { slot, offset: start, ty, value });
            }
            (Op::Load, &[slot]) if private[slot.index()] => {
                let (value, ty) = (row.first_result, graph.ty(row.first_result));
                match known.iter().find(|k| k.slot == slot && k.offset == row.imm && k.ty == ty) {
                    Some(found) => {
                        if !fuel.spend() {
                            return false;
                        }
                        if same.is_empty() {
                            same.extend(graph.values.ids());
                        }
                        same[value.index()] = found.value;
                    }
                    None => known.push(Known { slot, offset: row.imm, ty, value }),
                }
            }
            (Op::Call | Op::CallPtr | Op::Runtime, args) => known.retain(|k| !args.contains(&k.slot)),
            _ => {}
        }
        // Long blocks must stay linear.
        if known.len() > 64 {
            known.clear();
        }
    }
    true
}
