//! M03: ownership. Independent of the pass that spells it out; they share the table of ops and nothing else.

use ir::ssa::Graph;
use ir::{Stop, Where};

use super::faults::MirFault;
use crate::Op;
use crate::ir::{Context, Mir};

/// Judges a body; `is_owned` says whether it is in the phase that has ownership.
pub(super) fn check(graph: &Graph<Mir>, is_owned: bool, cx: &dyn Context, faults: &mut Vec<MirFault>) -> Result<(), Stop> {
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            let op = graph.op(inst);
            if !matches!(op, Op::Dup | Op::Drop) {
                continue;
            }
            let at = Where::Inst { block: block.raw(), index: index as u32 };
            if !is_owned {
                faults.push(MirFault::EarlyOwnership { at, op: op.info().name });
            } else if let [value] = *graph.args(inst)
                && let Some(row) = graph.values.get(value)
                && !cx.is_counted(row.ty)?
            {
                let found = row.ty.to_string();
                faults.push(MirFault::NotCounted { at, op: op.info().name, value: value.raw(), found });
            }
        }
    }
    Ok(())
}
