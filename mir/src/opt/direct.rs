//! Calls of function values that are known: `call_value` of what a `closure` made becomes a `call` of its function, with what was captured as further
//! arguments.
//!
//! So a lambda that is called where it is known captures into registers, and needs no cell; and the call may be inlined like any other. What is known
//! grows as callees are copied into their callers, so the pass runs before and behind `inline`, and once more behind `aggregates`, which reads
//! functions out of structs.

use ir::ssa::{Graph, Value};
use ir::{About, Fuel, ItemId};

use super::Desk;
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    if !graph.insts.rows().iter().any(|row| row.op == Op::CallValue) {
        return;
    }
    let order = desk.flow.order(graph);
    for &block in &order.blocks {
        for at in 0..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            if graph.op(inst) != Op::CallValue {
                continue;
            }
            let Some((&callee, args)) = graph.args(inst).split_first() else { continue };
            let Some(made) = graph.def_inst(callee).filter(|&made| graph.op(made) == Op::Closure) else {
                fuel.left(About::Value, place(graph, inst), || "which function is called is not known".to_owned());
                continue;
            };
            if !fuel.spend() {
                return;
            }
            let known = ItemId::from_raw(graph.insts[made].imm as u32);
            fuel.did(About::Value, place(graph, inst), || format!("the function value is known: @{known} is called"));
            let all: Vec<Value> = args.iter().chain(graph.args(made)).copied().collect();
            let (args, imm) = (graph.args.add(all), graph.insts[made].imm);
            let row = &mut graph.insts[inst];
            (row.op, row.args, row.imm) = (Op::Call, args, imm);
            desk.new_calls = true;
        }
    }
}
