//! What nobody uses: instructions without effect, and block parameters that only feed themselves.
//!
//! Liveness starts at effects and flows from results to operands and from parameters to the arguments for them, so a loop-carried value that
//! nothing reads is dead although it is used. When parameters die, they and all that fed them go as one rewrite; otherwise each instruction is
//! one, users before definitions.

use abi::{RuntimeCall, RuntimeEffect};
use ir::Fuel;
use ir::ops::Effect;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Target, Value};

use super::Desk;
use super::edges::{Incoming, remove_params};
use crate::Op;
use crate::ir::Mir;
use crate::ops::NOUNWIND;

/// What is known of the values of a body. It keeps its memory for the next pass.
#[derive(Default)]
pub(super) struct Live {
    values: Vec<bool>,
    /// Values that have come alive and whose sources are still to be told.
    work: Vec<Value>,
    /// Edges that go back in the order of the walk.
    back: Vec<Target>,
    /// Blocks in which something looked dead when the walk came by, in the order of the walk.
    doubtful: Vec<Block>,
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    let Desk { flow, live, .. } = desk;
    let order = flow.order(graph);
    let mut dead_params = walk(graph, &order, live);
    if !live.back.is_empty() || dead_params {
        let incoming = flow.incoming(graph);
        go_round(graph, &incoming, live);
        let is_live = |value: Value| live.values[value.index()];
        dead_params = order.blocks.iter().skip(1).any(|&block| graph.blocks[block].params.iter().any(|&p| !is_live(p)));
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
    }
    for &block in &live.doubtful {
        let mut insts = std::mem::take(&mut graph.blocks[block].insts);
        // From the end, what stays moves down over what goes.
        let mut write = insts.len();
        for read in (0..insts.len()).rev() {
            let inst = insts[read];
            let is_dead = is_removable(graph, inst) && !graph.results(inst).any(|value| live.values[value.index()]);
            if !is_dead || !(dead_params || fuel.spend()) {
                write -= 1;
                insts[write] = inst;
            } else {
                graph.bury(inst);
            }
        }
        insts.drain(..write);
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
            Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod => false,
            _ => true,
        },
        Effect::Writes | Effect::Ends => false,
    }
}

/// One walk against the order: uses come before definitions, but for what flows around loops. True when a parameter looks dead.
fn walk(graph: &Graph<Mir>, order: &Order, live: &mut Live) -> bool {
    let Live { values, work, back, doubtful } = live;
    values.clear();
    values.resize(graph.values.len(), false);
    work.clear();
    back.clear();
    doubtful.clear();
    let mut dead_params = false;
    for (at, &block) in order.blocks.iter().enumerate().rev() {
        let row = &graph.blocks[block];
        if let Some(&last) = row.insts.last() {
            for &target in graph.targets(last) {
                if target.args.is_empty() {
                    continue;
                }
                if order.position[target.block.index()] <= at as u32 {
                    back.push(target);
                    continue;
                }
                for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(target)) {
                    values[arg.index()] |= values[param.index()];
                }
            }
        }
        let mut any_dead = false;
        for &inst in row.insts.iter().rev() {
            let inst_row = &graph.insts[inst];
            let first = inst_row.first_result.index();
            let is_live = match inst_row.results {
                1 => values[first],
                results => values[first.min(values.len())..].iter().take(results as usize).any(|&live| live),
            };
            if is_live || !is_removable(graph, inst) {
                for &arg in &graph.args[inst_row.args] {
                    values[arg.index()] = true;
                }
            } else {
                any_dead = true;
            }
        }
        if any_dead {
            doubtful.push(block);
        }
        dead_params |= at > 0 && row.params.iter().any(|&param| !values[param.index()]);
    }
    dead_params
}

/// Brings life around loops: what a live parameter is given on an edge back is alive, and so on.
fn go_round(graph: &Graph<Mir>, incoming: &Incoming, live: &mut Live) {
    let Live { values, work, back, .. } = live;
    let mark = |values: &mut Vec<bool>, work: &mut Vec<Value>, value: Value| {
        if !values[value.index()] {
            values[value.index()] = true;
            work.push(value);
        }
    };
    for &target in back.iter() {
        for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(target)) {
            if values[param.index()] {
                mark(values, work, arg);
            }
        }
    }
    while let Some(value) = work.pop() {
        match graph.values[value].def {
            Def::Result(inst, _) => {
                // The operands of what stays were marked by the walk.
                if is_removable(graph, inst) {
                    graph.args(inst).iter().for_each(|&arg| mark(values, work, arg));
                }
            }
            Def::Param(block, _) if block == ENTRY => {}
            Def::Param(block, index) => {
                for edge in incoming.of_block(block) {
                    let target = graph.targets(edge.inst)[edge.index as usize];
                    mark(values, work, graph.target_args(target)[index as usize]);
                }
            }
        }
    }
}
