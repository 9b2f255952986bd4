//! Slots of spilled values whose lives do not meet become one. The checker of the allocation judges the result, for it follows what is in each slot.

use crate::ir::{Alloc, Callee, Function, Location, SlotKind, SlotRow};
use crate::lives::{Lives, SMALL};
use crate::ops::{AuxKind, Op};

/// Shares the slots of spilled values.
pub(super) fn share(f: &mut Function<Alloc>, lives: &mut Lives) {
    let first = f.slots.iter().take_while(|slot| slot.kind != SlotKind::Spill).count();
    if 8 * (f.slots.len() - first) <= SMALL as usize {
        return;
    }
    lives.clear();
    for block in f.blocks.rows() {
        lives.block(block.start);
        for at in block.start..block.end {
            let record = &f.records[at as usize];
            match record.op {
                Op::Jump | Op::JumpIf => lives.edge(f.edges[record.aux as usize].to.raw(), at),
                Op::Call | Op::Return | Op::TailCall => {
                    let call = &f.calls[record.aux as usize];
                    if let Some(Callee::Slot(slot)) = call.callee {
                        lives.access(slot, at, false);
                    }
                    if let Some(pad) = call.pad {
                        lives.edge(pad.raw(), at);
                    }
                }
                Op::Stub | Op::Panic => {
                    let stub = &f.stubs[record.aux as usize];
                    for &place in &f.locations[stub.args] {
                        if let Location::Slot(slot) | Location::SlotAddress(slot) = place {
                            lives.access(slot, at, false);
                        }
                    }
                    if let Some(pad) = stub.pad {
                        lives.edge(pad.raw(), at);
                    }
                }
                op if op.info().aux == AuxKind::Slot => {
                    lives.access(record.aux, at, matches!(op, Op::StoreSlot | Op::StoreSlotF | Op::StoreSlotImm));
                }
                _ => {}
            }
        }
    }
    let is_spill = |slot: u32| f.slots[slot as usize].kind == SlotKind::Spill;
    let (rows, sizes) = lives.share(f.records.len() as u32, f.slots.len(), |slot| is_spill(slot).then_some(f.slots[slot as usize].size));
    let place = |slot: u32| rows[slot as usize].map_or(slot, |row| first as u32 + row);
    for record in f.records.iter_mut().filter(|record| record.op.info().aux == AuxKind::Slot) {
        record.aux = place(record.aux);
    }
    for call in &mut f.calls {
        if let Some(Callee::Slot(slot)) = &mut call.callee {
            *slot = place(*slot);
        }
    }
    for stub in &f.stubs {
        for at in &mut f.locations[stub.args] {
            if let Location::Slot(slot) | Location::SlotAddress(slot) = at {
                *slot = place(*slot);
            }
        }
    }
    f.slots.truncate(first);
    f.slots.extend(sizes.into_iter().map(|size| SlotRow { size, kind: SlotKind::Spill, offset: 0 }));
}
