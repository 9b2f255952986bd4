//! A tail call of the function itself is a loop: the entry hands its parameters to a header that holds the body, and the call jumps there.

use ir::ssa::{Block, Def, ENTRY, Graph, NewInst, Value};
use ir::{About, Fuel, ItemId, List};

use super::flow::Flow;
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel) {
    let calls_itself = |graph: &Graph<Mir>, block: Block| {
        let inst = graph.terminator(block)?;
        let row = &graph.insts[inst];
        (row.op == Op::Tail && ItemId::from_raw(row.imm as u32) == graph.name).then_some(inst)
    };
    if !graph.blocks.ids().any(|block| calls_itself(graph, block).is_some()) {
        return;
    }
    let order = flow.order(graph);
    let mut header = None;
    for &block in &order.blocks {
        let Some(inst) = calls_itself(graph, block) else { continue };
        let row = &graph.insts[inst];
        if row.args.len() != graph.blocks[ENTRY].params.len() || !fuel.spend() {
            continue;
        }
        fuel.did(About::Call, place(graph, inst), || "the tail call of the function itself is a loop".to_owned());
        flow.changed();
        let header = *header.get_or_insert_with(|| make_header(graph));
        // The list of operands becomes the list of arguments.
        let args = graph.insts[inst].args;
        let targets = graph.targets.add([ir::ssa::Target { block: header, args }]);
        let row = &mut graph.insts[inst];
        (row.op, row.args, row.imm, row.flags) = (Op::Jump, List::EMPTY, 0, 0);
        graph.edges[inst].targets = targets;
        graph.lose_place(inst);
    }
}

/// Moves the body of the entry into a block that can be jumped to. What was a parameter of the function is one of that block from now on.
pub(super) fn make_header(graph: &mut Graph<Mir>) -> Block {
    let header = graph.add_block();
    let params = std::mem::take(&mut graph.blocks[ENTRY].params);
    for (index, &param) in params.iter().enumerate() {
        graph.values[param].def = Def::Param(header, index as u32);
    }
    let insts = std::mem::take(&mut graph.blocks[ENTRY].insts);
    graph.blocks[header].insts = insts;
    let fresh: Vec<Value> = params.iter().map(|&param| graph.add_param(ENTRY, graph.ty(param))).collect();
    graph.blocks[header].params = params.clone();
    let jump = graph.append(ENTRY, NewInst { targets: &[(header, &fresh)], ..NewInst::new(Op::Jump) }, &[]);
    // What is seen on the way in is what is seen behind it, of what there is by then.
    let first = graph.blocks[header].insts.first().copied();
    if let Some(names) = &mut graph.names {
        let name = first.and_then(|first| names.of(first));
        names.set(jump, name);
        graph.rename_seen([jump], |value| params.iter().position(|&param| param == value).map(|at| fresh[at]));
    }
    header
}
