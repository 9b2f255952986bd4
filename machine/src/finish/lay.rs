//! `alloc` to `final`, the part that changes records: slots get offsets, blocks that only jump are passed over, what nobody reaches is emptied, jumps to
//! the next block go, conditions are inverted so that one of the two edges falls through.

use crate::ir::{Alloc, Block, Final, Function};
use crate::ops::{Flags, Op};

use super::{Frame, Refusal};

/// What is known of a block while its function is laid.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where an edge to it really goes.
    to: u32,
    is_reached: bool,
    /// The next block that is reached.
    next: u32,
}

/// Columns that are used again.
#[derive(Default, Debug)]
pub(super) struct Memory {
    rows: Vec<Row>,
    /// Most sites of a function share a few pads that lie together.
    known: Vec<(Block, bool)>,
    work: Vec<u32>,
}

/// Lays a function.
pub(super) fn lay(mut function: Function<Alloc>, memory: &mut Memory) -> Result<(Function<Final>, Frame), Refusal> {
    let count = function.blocks.len();
    let rows = &mut memory.rows;
    rows.clear();
    rows.extend((0..count as u32).map(|to| Row { to, is_reached: false, next: u32::MAX }));
    drop_trivial_pads(&mut function, &mut memory.known);
    thread(&mut function, rows);
    reach(&function, rows, &mut memory.work);
    simplify(&mut function, rows);
    let frame = Frame::of(&function).ok_or(Refusal::FrameTooLarge)?;
    frame.place_slots(&mut function);
    Ok((function.into_phase(), frame))
}

/// A pad that does nothing but go on unwinding is no pad: the site has none, and the unwinder passes by.
fn drop_trivial_pads(function: &mut Function<Alloc>, known: &mut Vec<(Block, bool)>) {
    known.clear();
    for at in 0..function.calls.len() + function.stubs.len() {
        let stub = at.checked_sub(function.calls.len());
        let pad = stub.map_or_else(|| function.calls[at].pad, |stub| function.stubs[stub].pad);
        let Some(pad) = pad else { continue };
        let is_trivial = match known.iter().rev().take(16).find(|(block, _)| *block == pad) {
            Some(&(_, is_trivial)) => is_trivial,
            None => {
                let is_trivial = only_resumes(function, pad);
                known.push((pad, is_trivial));
                is_trivial
            }
        };
        match stub {
            _ if !is_trivial => {}
            Some(stub) => function.stubs[stub].pad = None,
            None => function.calls[at].pad = None,
        }
    }
}

fn only_resumes(function: &Function<Alloc>, pad: Block) -> bool {
    let mut block = pad;
    for _ in 0..function.blocks.len() {
        let Some(row) = function.blocks.get(block) else { return false };
        let Some((last, before)) = function.records[row.start as usize..row.end as usize].split_last() else { return false };
        let is_silent = |op: Op| match op {
            Op::Store | Op::Store8 | Op::Store32 | Op::StoreF => false,
            op => op.info().flags != Flags::Reads && !op.info().ends && op != Op::Call,
        };
        if !before.iter().all(|record| is_silent(record.op)) {
            return false;
        }
        match last.op {
            Op::Resume => return true,
            Op::Jump => block = function.edges[last.aux as usize].to,
            _ => return false,
        }
    }
    false
}

/// Edges to a block that only jumps go where it jumps.
fn thread(function: &mut Function<Alloc>, rows: &mut [Row]) {
    for (id, block) in function.blocks.iter() {
        if block.end - block.start == 1 {
            let record = function.records[block.start as usize];
            if record.op == Op::Jump {
                rows[id.index()].to = function.edges[record.aux as usize].to.raw();
            }
        }
    }
    for edge in &mut function.edges {
        // A ring of empty blocks has no end: any of them will do.
        let mut to = edge.to.raw();
        for _ in 0..8 {
            let next = rows[to as usize].to;
            if next == to {
                break;
            }
            to = next;
        }
        edge.to = Block::new(to as usize);
    }
}

fn reach(function: &Function<Alloc>, rows: &mut [Row], work: &mut Vec<u32>) {
    let pads = function.calls.iter().map(|row| row.pad).chain(function.stubs.iter().map(|row| row.pad));
    work.clear();
    work.push(0);
    rows[0].is_reached = true;
    for pad in pads.flatten() {
        if !std::mem::replace(&mut rows[pad.index()].is_reached, true) {
            work.push(pad.raw());
        }
    }
    while let Some(at) = work.pop() {
        let block = function.blocks.rows()[at as usize];
        let records = &function.records[block.start as usize..block.end as usize];
        for record in &records[records.len().saturating_sub(2)..] {
            if matches!(record.op, Op::Jump | Op::JumpIf) {
                let to = function.edges[record.aux as usize].to;
                if !std::mem::replace(&mut rows[to.index()].is_reached, true) {
                    work.push(to.raw());
                }
            }
        }
    }
    let mut next = u32::MAX;
    for (at, row) in rows.iter_mut().enumerate().rev() {
        row.next = next;
        if row.is_reached {
            next = at as u32;
        }
    }
}

/// Moves the records of the reached blocks together and drops the jumps that fall through.
fn simplify(function: &mut Function<Alloc>, rows: &[Row]) {
    let has_virtuals = function.virtuals.len() == function.records.len();
    let mut out = 0usize;
    for (at, row) in rows.iter().enumerate() {
        let (start, mut end) = {
            let block = &function.blocks.rows()[at];
            (block.start as usize, block.end as usize)
        };
        let new_start = out;
        if row.is_reached {
            let next = row.next as usize;
            let to = |record: &crate::ir::Record| function.edges[record.aux as usize].to.index();
            if let Some(last) = end.checked_sub(1).filter(|&last| last >= start) {
                let jump = function.records[last];
                if jump.op == Op::Jump {
                    let branch = last.checked_sub(1).filter(|&b| b >= start && function.records[b].op == Op::JumpIf);
                    match branch.map(|b| (b, function.records[b])) {
                        Some((b, branch)) if to(&branch) == to(&jump) => {
                            function.records[b] = jump;
                            end = if to(&jump) == next { b } else { last };
                        }
                        Some((b, branch)) if to(&branch) == next => {
                            function.records[b].imm = branch.imm ^ 1;
                            function.records[b].aux = jump.aux;
                            end = last;
                        }
                        Some(_) | None if to(&jump) == next => end = last,
                        Some(_) | None => {}
                    }
                }
            }
            function.records.copy_within(start..end, out);
            if has_virtuals {
                function.virtuals.copy_within(start..end, out);
            }
            out += end - start;
        }
        let block = &mut function.blocks.rows_mut()[at];
        (block.start, block.end) = (new_start as u32, out as u32);
    }
    function.records.truncate(out);
    if has_virtuals {
        function.virtuals.truncate(out);
    }
}
