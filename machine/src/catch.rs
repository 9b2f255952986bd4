//! Landing pads that catch: the panic ends there, and the function goes on and returns.
//!
//! Nothing restores the registers of the frames that were left, so the one that catches restores for its caller whatever they may have changed: it saves all
//! registers that belong to the caller, also those that it never writes itself.

use crate::ir::{Function, Phase};
use crate::ops::Op;

/// Does a panic end in this function, and does it return?
pub(crate) fn catches<P: Phase>(function: &Function<P>) -> bool {
    catching_blocks(function).contains(&true) && function.records.iter().any(|record| matches!(record.op, Op::Return | Op::TailCall))
}

/// The landing pads of sites from which no path leads on unwinding; no rows when there is no landing pad.
pub(crate) fn catching_blocks<P: Phase>(function: &Function<P>) -> Vec<bool> {
    let pads = || function.calls.iter().filter_map(|call| call.pad).chain(function.stubs.iter().filter_map(|stub| stub.pad));
    if pads().next().is_none() {
        return Vec::new();
    }
    let count = function.blocks.len();
    let mut resumes = vec![false; count];
    let mut into: Vec<Vec<u32>> = vec![Vec::new(); count];
    let mut open = Vec::new();
    for (id, block) in function.blocks.iter() {
        let records = function.records.get(block.start as usize..block.end as usize).unwrap_or(&[]);
        let mut lead = |to: usize| into.get_mut(to).into_iter().for_each(|from| from.push(id.raw()));
        for record in records {
            match record.op {
                Op::Resume => open.push(id.raw()),
                Op::Jump | Op::JumpIf => function.edges.get(record.aux as usize).into_iter().for_each(|edge| lead(edge.to.index())),
                _ => {}
            }
        }
        // What does not end with a jump goes on in the next block.
        if records.last().is_none_or(|last| !last.op.info().ends || last.op == Op::JumpIf) {
            lead(id.index() + 1);
        }
    }
    while let Some(block) = open.pop() {
        if !std::mem::replace(&mut resumes[block as usize], true) {
            open.extend_from_slice(&into[block as usize]);
        }
    }
    let mut catching = vec![false; count];
    for pad in pads().filter(|pad| resumes.get(pad.index()) == Some(&false)) {
        catching[pad.index()] = true;
    }
    catching
}
