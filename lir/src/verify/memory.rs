//! L03: what an address is known to name, and whether accesses stay inside.
//!
//! Known are the addresses that stand for themselves: stack slots, static text, the function's own result area. Any other address is a list's or came
//! from a caller, and was checked where it was made.

use ir::ssa::{Def, Inst, Value};
use ir::{Symbol, Where};

use super::LirFault;
use super::types::Checker;
use crate::ir::Phase;
use crate::ops::{INVARIANT, Op};

/// Slots from here on would not fit behind the guard of any stack.
const MAX_SLOT: i64 = 16 << 20;

enum Memory {
    /// A slot or result area of so many bytes, 8-aligned.
    Owned(u64),
    /// Static text of so many bytes, aligned to nothing.
    Text(u64),
    Unknown,
}

impl<P: Phase> Checker<'_, P> {
    fn memory(&self, address: Value) -> Memory {
        if let Some((area, bytes)) = self.area
            && area == address
        {
            return Memory::Owned(u64::from(bytes));
        }
        let Some(Def::Result(inst, _)) = self.body.values.get(address).map(|row| row.def) else { return Memory::Unknown };
        let Some(row) = self.body.insts.get(inst) else { return Memory::Unknown };
        if row.op == Op::Slot {
            Memory::Owned(row.imm)
        } else if row.op == Op::Data {
            Memory::Text(Symbol::from_raw(row.imm as u32).as_str().len() as u64)
        } else {
            Memory::Unknown
        }
    }

    pub(super) fn slot(&mut self, bytes: i64, at: Where) {
        if bytes <= 0 || bytes % 8 != 0 || bytes >= MAX_SLOT {
            self.faults.push(LirFault::SlotSize { at, bytes });
        }
    }

    /// A load or store.
    pub(super) fn access(&mut self, inst: Inst, at: Where) {
        let row = &self.body.insts[inst];
        let is_store = row.op == Op::Store;
        let args = self.body.args(inst);
        let Some(&address) = args.first() else { return };
        let accessed = if is_store { args.get(1).copied() } else { self.body.results(inst).next() };
        let Some(ty) = accessed.and_then(|v| self.ty(v)) else { return };
        let (offset, bytes) = (row.imm as i64, ty.size());
        if i32::try_from(offset).is_err() || offset < 0 {
            self.faults.push(LirFault::Offset { at, offset });
            return;
        }
        let end = offset as u64 + u64::from(bytes);
        let invariant = row.flags & INVARIANT != 0;
        match self.memory(address) {
            Memory::Owned(size) => {
                if end > size {
                    self.faults.push(LirFault::OutOfBounds { at, offset, bytes, size });
                }
                if offset % i64::from(bytes) != 0 {
                    self.faults.push(LirFault::Misaligned { at, offset, bytes });
                }
                if invariant {
                    self.faults.push(LirFault::NotInvariant { at, value: address.raw() });
                }
            }
            Memory::Text(size) => {
                if end > size {
                    self.faults.push(LirFault::OutOfBounds { at, offset, bytes, size });
                }
                if is_store {
                    self.faults.push(LirFault::StoreToData { at, value: address.raw() });
                }
            }
            Memory::Unknown => {
                if invariant {
                    self.faults.push(LirFault::NotInvariant { at, value: address.raw() });
                }
            }
        }
    }

    /// A call reads, or writes, so many bytes at this address.
    pub(super) fn needs(&mut self, address: Value, needed: u32, writes: bool, at: Where) {
        match self.memory(address) {
            Memory::Owned(size) | Memory::Text(size) if size < u64::from(needed) => {
                self.faults.push(LirFault::AreaTooSmall { at, value: address.raw(), needed, size });
            }
            Memory::Text(_) if writes => self.faults.push(LirFault::StoreToData { at, value: address.raw() }),
            Memory::Owned(_) | Memory::Text(_) | Memory::Unknown => {}
        }
    }
}
