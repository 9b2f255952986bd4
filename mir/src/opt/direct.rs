//! Calls of function values that are known: `call_value` of what a `closure` made becomes a `call` of its function, with what was captured as further
//! arguments. And methods of trait objects that are: `call_method` and `change_method` of what an `object` made become a `call` of what it points to.
//!
//! So a lambda that is called where it is known captures into registers, and needs no cell; and the call may be inlined like any other. What is known
//! grows as callees are copied into their callers, so the pass runs before and behind `inline`, and once more behind `aggregates`, which reads
//! functions out of structs.

use hir::TypeKind;
use hir::program::ObjectMethod;
use ir::ssa::{Graph, Inst, Value};
use ir::{About, Fuel, ItemId};

use super::Desk;
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    if !graph.insts.rows().iter().any(|row| is_indirect(row.op)) {
        return;
    }
    let order = desk.flow.order(graph);
    for &block in &order.blocks {
        for at in 0..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            if !is_indirect(graph.op(inst)) {
                continue;
            }
            let Some(Known { callee, args }) = known(graph, inst) else {
                fuel.left(About::Value, place(graph, inst), || match graph.op(inst) {
                    Op::CallValue => "which function is called is not known".to_owned(),
                    _ => "what is in the object is not known".to_owned(),
                });
                continue;
            };
            if !fuel.spend() {
                return;
            }
            fuel.did(About::Value, place(graph, inst), || match graph.op(inst) {
                Op::CallValue => format!("the function value is known: @{callee} is called"),
                _ => format!("what is in the object is known: @{callee} is called"),
            });
            let args = graph.args.add(args);
            let row = &mut graph.insts[inst];
            (row.op, row.args, row.imm) = (Op::Call, args, u64::from(callee.raw()));
            desk.new_calls = true;
        }
    }
}

fn is_indirect(op: Op) -> bool {
    matches!(op, Op::CallValue | Op::CallMethod | Op::ChangeMethod)
}

/// What is called, and with what.
struct Known {
    callee: ItemId,
    args: Vec<Value>,
}

/// What a call of a function value or of the method of an object calls, where that was made in this function.
fn known(graph: &Graph<Mir>, inst: Inst) -> Option<Known> {
    let (&first, args) = graph.args(inst).split_first()?;
    let made = graph.def_inst(first)?;
    let item = ItemId::from_raw(graph.insts[inst].imm as u32);
    match (graph.op(inst), graph.op(made)) {
        (Op::CallValue, Op::Closure) => Some(Known {
            callee: ItemId::from_raw(graph.insts[made].imm as u32),
            args: args.iter().chain(graph.args(made)).copied().collect(),
        }),
        (op @ (Op::CallMethod | Op::ChangeMethod), Op::Object) => {
            // What the object points to takes the cell behind the arguments, and once it is copied here its value is seen.
            let &cell = graph.args(made).first()?;
            let TypeKind::Cell(&[_, of]) = graph.ty(cell).kind() else { return None };
            let callee = ObjectMethod { item, changes: op == Op::ChangeMethod }.for_type(of);
            Some(Known { callee, args: args.iter().copied().chain([cell]).collect() })
        }
        _ => None,
    }
}
