//! What nobody uses: instructions without effect, and block parameters that only feed themselves.
//!
//! Liveness starts at effects and flows from results to operands and from parameters to the arguments for them, so a loop-carried value that
//! nothing reads is dead although it is used. When parameters die, they and all that fed them go as one rewrite; otherwise each instruction is
//! one, users before definitions.

use abi::{RuntimeCall, RuntimeEffect};
use ir::Fuel;
use ir::ops::Effect;
use ir::ssa::order::Order;
use ir::ssa::{Def, ENTRY, Graph, Inst, Value};

use super::edges::{Incoming, remove_params};
use super::flow::Flow;
use crate::Op;
use crate::ir::Mir;
use crate::ops::NOUNWIND;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel) {
    let order = flow.order(graph);
    let incoming = flow.incoming(graph);
    let live = live_values(graph, &order, &incoming);
    let is_live = |value: Value| live[value.index()];
    let dead_params = order.blocks.iter().skip(1).any(|&block| graph.blocks[block].params.iter().any(|&p| !is_live(p)));
    if dead_params {
        if !fuel.spend() {
            return;
        }
        for &block in order.blocks.iter().skip(1) {
            if graph.blocks[block].params.iter().any(|&p| !is_live(p)) {
                remove_params(graph, &incoming, block, |param| !is_live(param));
            }
        }
    }
    for &block in order.blocks.iter().rev() {
        let mut insts = std::mem::take(&mut graph.blocks[block].insts);
        let mut dead = 0;
        for &inst in insts.iter().rev() {
            if is_removable(graph, inst) && !graph.results(inst).any(is_live) {
                if !dead_params && !fuel.spend() {
                    break;
                }
                // Marked by an op that no block may keep in its middle, collected below.
                graph.insts[inst].op = Op::Unreachable;
                dead += 1;
            }
        }
        if dead > 0 {
            let last = insts.last().copied();
            insts.retain(|&inst| Some(inst) == last || graph.op(inst) != Op::Unreachable);
        }
        graph.blocks[block].insts = insts;
    }
}

/// May the instruction go when nothing uses its results?
pub(super) fn is_removable(graph: &Graph<Mir>, inst: Inst) -> bool {
    let row = &graph.insts[inst];
    match row.op.info().effect {
        Effect::Pure | Effect::Reads => true,
        Effect::Panics if row.flags & NOUNWIND == 0 => false,
        Effect::Panics => match row.op {
            Op::Runtime => RuntimeCall::from_number(row.imm).is_some_and(|call| call.effect() == RuntimeEffect::Pure),
            Op::Call => false,
            _ => true,
        },
        Effect::Writes | Effect::Ends => false,
    }
}

fn live_values(graph: &Graph<Mir>, order: &Order, incoming: &Incoming) -> Vec<bool> {
    let mut live = vec![false; graph.values.len()];
    let mut work: Vec<Value> = Vec::new();
    let mark = |live: &mut Vec<bool>, work: &mut Vec<Value>, value: Value| {
        if !live[value.index()] {
            live[value.index()] = true;
            work.push(value);
        }
    };
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            if !is_removable(graph, inst) {
                graph.args(inst).iter().for_each(|&arg| mark(&mut live, &mut work, arg));
            }
        }
    }
    while let Some(value) = work.pop() {
        match graph.values[value].def {
            Def::Result(inst, _) => {
                // The operands of what stays were marked above.
                if is_removable(graph, inst) {
                    graph.args(inst).iter().for_each(|&arg| mark(&mut live, &mut work, arg));
                }
            }
            Def::Param(block, _) if block == ENTRY => {}
            Def::Param(block, index) => {
                for edge in incoming.of_block(block) {
                    let target = graph.targets(edge.inst)[edge.index as usize];
                    mark(&mut live, &mut work, graph.target_args(target)[index as usize]);
                }
            }
        }
    }
    live
}
