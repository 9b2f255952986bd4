//! M0234, M0235: what runs while a panic unwinds, and what only then.
//!
//! A block is reached normally, while a panic unwinds, or both. An unwind edge leads from the one to the other, `caught` leads back. There is one panic at
//! a time: a second one has no place to go, and a return would take the first along unseen.

use abi::RuntimeCall;
use ir::Where;
use ir::ssa::{Block, ENTRY, Graph, Inst};

use super::MirFault;
use crate::Op;
use crate::ir::Mir;

const NORMAL: u8 = 1;
const UNWINDING: u8 = 2;

/// Judges a body whose structure is right.
pub(super) fn check(graph: &Graph<Mir>, faults: &mut Vec<MirFault>) {
    let mut reached = vec![0u8; graph.blocks.len()];
    let mut open = Vec::new();
    enter(ENTRY, NORMAL, &mut reached, &mut open);
    while let Some(block) = open.pop() {
        let mut now = reached[block.index()];
        for &inst in &graph.blocks[block].insts {
            if let Some(landing) = graph.edges[inst].unwind {
                enter(landing, UNWINDING, &mut reached, &mut open);
            }
            if is_caught(graph, inst) {
                now = NORMAL;
            }
            graph.targets(inst).iter().for_each(|target| enter(target.block, now, &mut reached, &mut open));
        }
    }
    for block in graph.blocks.ids() {
        let mut now = reached[block.index()];
        for (index, &inst) in graph.blocks[block].insts.iter().enumerate() {
            let op = graph.op(inst);
            let at = Where::Inst { block: block.raw(), index: index as u32 };
            let may_panic = graph.edges[inst].unwind.is_some();
            if now & UNWINDING != 0 && (may_panic || matches!(op, Op::Return | Op::Tail)) {
                faults.push(MirFault::DuringUnwinding { at, op: op.info().name });
            }
            let is_end = is_caught(graph, inst);
            if now & NORMAL != 0 && (is_end || op == Op::Resume) {
                faults.push(MirFault::NothingUnwinds { at });
            }
            if is_end {
                now = NORMAL;
            }
        }
    }
}

fn enter(block: Block, how: u8, reached: &mut [u8], open: &mut Vec<Block>) {
    let known = &mut reached[block.index()];
    if *known | how != *known {
        *known |= how;
        open.push(block);
    }
}

/// Does the instruction end the unwinding?
fn is_caught(graph: &Graph<Mir>, inst: Inst) -> bool {
    graph.op(inst) == Op::Runtime && graph.insts[inst].imm == RuntimeCall::Caught as u64
}
