//! L03, first half: what an address is known to name, and whether accesses stay inside.
//!
//! Known are the addresses that stand for themselves: stack slots, static text, the function's own result area. Any other address is a list's or came
//! from a caller, and was checked where it was made.

use abi::layout;
use ir::ssa::{Block, Def, ENTRY, Inst, InstRow, Value};
use ir::{Symbol, Where};

use super::contents::Spot;
use super::types::Checker;
use super::{LirFault, here};
use crate::ir::{Phase, Type};
use crate::ops::{Cond, INVARIANT, Op, check_parts};

/// An instruction: its block, and its position therein.
pub(super) type At = (Block, u32);

/// Slots from here on would not fit behind the guard of any stack.
const MAX_SLOT: i64 = 16 << 20;

enum Memory {
    /// A slot or result area of so many bytes, 8-aligned.
    Owned(u64),
    /// Static text of so many bytes, aligned to nothing.
    Text(u64),
    /// Static data. A constant index behind its list reads beyond it, behind the check that fails: so where it ends is not judged.
    Static,
    /// An integer constant, or what was added to one.
    Constant,
    Unknown,
}

/// What a call does with the memory that it is given.
#[derive(Clone, Copy)]
pub(super) enum Use<'a> {
    /// Writes values of these types at these offsets.
    Writes(&'a [(u32, Type)]),
    /// Reads a text.
    ReadsText,
}

/// The words of a text.
pub(super) const TEXT: [(u32, Type); 3] =
    [(layout::STR_POINTER as u32, Type::Ptr), (layout::STR_LENGTH as u32, Type::I64), (layout::STR_OWNER as u32, Type::I64)];

/// Sums of addresses that are looked through. A list element's address is one; definitions that go in a circle must end.
const SUMS: usize = 8;

impl<P: Phase> Checker<'_, P> {
    /// What an access here reaches by the address. An arm of a match that cannot run takes the payload of one variant out of the leaves of another,
    /// where a text or a number may stand, and what is behind the failed check of an index in an empty list has no address: so texts and numbers are judged
    /// where every run comes along.
    fn memory_in(&mut self, address: Value, place: At) -> Memory {
        match self.memory(address) {
            Memory::Text(_) | Memory::Static | Memory::Constant if !self.is_certain(place) => Memory::Unknown,
            memory => memory,
        }
    }

    /// Does every run that panics nowhere come here, if there is one? Behind a check that fails whatever runs there is none.
    fn is_certain(&mut self, (block, at): At) -> bool {
        let body = self.body;
        if self.certain.is_none() {
            let mut certain = vec![0; body.blocks.len()];
            let mut next = Some(ENTRY);
            while let Some(block) = next.filter(|block| certain.get(block.index()) == Some(&0)) {
                let insts = &body.blocks[block].insts;
                if let Some(fails) = insts.iter().position(|&inst| self.fails(inst)) {
                    certain[block.index()] = fails as u32;
                    break;
                }
                certain[block.index()] = u32::MAX;
                let last = insts.last().filter(|last| body.edges.get(**last).is_some());
                next = match last.map(|&last| &body.targets[body.edges[last].targets]) {
                    Some([only]) => Some(only.block),
                    _ => None,
                };
            }
            self.certain = Some(certain);
        }
        self.certain.as_ref().and_then(|certain| certain.get(block.index())).is_some_and(|&limit| at < limit)
    }

    /// Is it a check that cannot hold: of two constants, or of an index in nothing?
    fn fails(&self, inst: Inst) -> bool {
        let row = &self.body.insts[inst];
        let (Op::Check, Some((cond, _)), &[a, b, ..]) = (row.op, check_parts(row.imm), self.body.args(inst)) else { return false };
        let literal = |value| self.definition(value).filter(|row| row.op == Op::Iconst).map(|row| row.imm as i64);
        match (literal(a), literal(b)) {
            (Some(a), Some(b)) => !cond.holds(a, b),
            (None, Some(0)) => cond == Cond::Ult,
            (None, _) | (_, None) => false,
        }
    }

    fn memory(&self, address: Value) -> Memory {
        if let Some((area, bytes)) = self.area
            && area == address
        {
            return Memory::Owned(u64::from(bytes));
        }
        let Some(row) = self.definition(address) else { return Memory::Unknown };
        if row.op == Op::Slot {
            Memory::Owned(row.imm)
        } else if row.op == Op::Static {
            Memory::Static
        } else if row.op == Op::Data {
            Memory::Text(Symbol::from_raw(row.imm as u32).as_str().len() as u64)
        } else if self.is_constant(row) {
            Memory::Constant
        } else {
            Memory::Unknown
        }
    }

    fn definition(&self, value: Value) -> Option<&InstRow<Op>> {
        match self.body.values.get(value)?.def {
            Def::Result(inst, _) => self.body.insts.get(inst),
            Def::Param(..) => None,
        }
    }

    /// Does the instruction give an integer constant, or an address made from one?
    fn is_constant<'a>(&'a self, mut row: &'a InstRow<Op>) -> bool {
        for _ in 0..SUMS {
            if row.op != Op::Add {
                break;
            }
            let Some(inner) = self.body.args[row.args].first().and_then(|&base| self.definition(base)) else { return false };
            row = inner;
        }
        row.op == Op::Iconst
    }

    pub(super) fn slot(&mut self, bytes: i64, at: Where) {
        if bytes <= 0 || bytes % 8 != 0 || bytes >= MAX_SLOT {
            self.faults.push(LirFault::SlotSize { at, bytes });
        }
    }

    /// A load or store.
    pub(super) fn access(&mut self, inst: Inst, place: At) {
        let at = here(place.0.raw(), place.1);
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
        match self.memory_in(address, place) {
            Memory::Owned(size) => {
                let is_aligned = offset % i64::from(bytes) == 0;
                if end > size {
                    self.faults.push(LirFault::OutOfBounds { at, offset, bytes, size });
                }
                if !is_aligned {
                    self.faults.push(LirFault::Misaligned { at, offset, bytes });
                }
                if end <= size && is_aligned {
                    let spot = Spot { memory: address, offset: offset as u32, ty };
                    if is_store { self.contents.write(spot, place) } else { self.contents.read(spot, place, false) }
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
            Memory::Static if is_store => self.faults.push(LirFault::StoreToData { at, value: address.raw() }),
            Memory::Static => {}
            Memory::Constant => self.faults.push(LirFault::ConstantAddress { at, value: address.raw() }),
            Memory::Unknown => {
                if invariant {
                    self.faults.push(LirFault::NotInvariant { at, value: address.raw() });
                }
            }
        }
    }

    /// A cell is taken, counted or given back.
    pub(super) fn cell(&mut self, inst: Inst, place: At) {
        let at = here(place.0.raw(), place.1);
        let row = &self.body.insts[inst];
        let class = row.imm & 0xff;
        if matches!(row.op, Op::Alloc | Op::Free) && !(1..layout::CELL_CLASSES as u64).contains(&class) {
            self.faults.push(LirFault::SizeClass { at, class });
        }
        let Some(&cell) = self.body.args(inst).first() else { return };
        match self.memory_in(cell, place) {
            Memory::Owned(_) | Memory::Text(_) | Memory::Static | Memory::Constant => {
                self.faults.push(LirFault::NotACell { at, op: row.op.info().name, value: cell.raw() });
            }
            Memory::Unknown => {}
        }
    }

    /// A call reads, or writes, so many bytes at this address; what it writes is there behind instruction `written`.
    pub(super) fn needs(&mut self, address: Value, needed: u32, what: Use<'_>, place: At, written: u32) {
        let at = here(place.0.raw(), place.1);
        let value = address.raw();
        match (self.memory_in(address, place), what) {
            (Memory::Owned(size) | Memory::Text(size), _) if size < u64::from(needed) => {
                self.faults.push(LirFault::AreaTooSmall { at, value, needed, size });
            }
            (Memory::Text(_) | Memory::Static, Use::Writes(_)) => self.faults.push(LirFault::StoreToData { at, value }),
            (Memory::Text(_) | Memory::Static, Use::ReadsText) => self.faults.push(LirFault::NotAText { at, value }),
            (Memory::Owned(_), Use::Writes(fields)) => {
                for &(offset, ty) in fields {
                    self.contents.write(Spot { memory: address, offset, ty }, (place.0, written));
                }
            }
            (Memory::Owned(_), Use::ReadsText) => {
                for (offset, ty) in TEXT {
                    self.contents.read(Spot { memory: address, offset, ty }, place, true);
                }
            }
            (Memory::Constant, _) => self.faults.push(LirFault::ConstantAddress { at, value }),
            (Memory::Unknown, _) => {}
        }
    }
}
