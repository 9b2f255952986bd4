//! Parallel copies: many values change places at once, through at most one scratch register of each class.
//!
//! A copy whose destination no other copy reads can be done. When none is left but copies remain, they are cycles: the content of one destination
//! goes to the scratch register, and its readers read from there. Memory to memory goes through the scratch register of the other class, so that
//! both needs never meet; remade constants never stand in a cycle.

use super::Allocator;
use crate::ir::Record;
use crate::ops::Op;
use crate::regs::{Class, NONE, R11, Reg};

const XMM15: Reg = 31;

/// A place of a value during copies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Spot {
    /// A register.
    Reg(Reg),
    /// A slot.
    Slot(u32),
    /// Made again by this record.
    Remat(u32),
}

/// One copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub to: Spot,
    pub from: Spot,
    pub to_value: Reg,
    pub from_value: Reg,
}

/// How many pending copies read a place. All zero between calls.
#[derive(Default, Debug)]
pub(super) struct Readers {
    regs: [u32; 32],
    slots: Vec<u32>,
    /// Nobody asks for it.
    remade: u32,
}

impl Readers {
    fn of(&mut self, spot: Spot) -> &mut u32 {
        match spot {
            Spot::Reg(reg) => &mut self.regs[usize::from(reg)],
            // A value that is nowhere is a mistake, which the record that reads it from no slot tells the verifier.
            Spot::Slot(slot) => self.slots.get_mut(slot as usize).unwrap_or(&mut self.remade),
            Spot::Remat(_) => &mut self.remade,
        }
    }
}

impl Allocator<'_> {
    /// Where a value is now.
    pub(super) fn spot(&self, value: Reg) -> Spot {
        let entry = &self.c.values[super::row(value)];
        if entry.reg != NONE {
            Spot::Reg(entry.reg)
        } else if entry.remat != super::ABSENT {
            Spot::Remat(entry.remat)
        } else {
            Spot::Slot(entry.slot)
        }
    }

    /// Emits the copies; the list is empty afterwards.
    pub(super) fn copy_all(&mut self, moves: &mut Vec<Move>) {
        moves.retain(|m| m.to != m.from);
        if moves.is_empty() {
            return;
        }
        let mut readers = std::mem::take(&mut self.c.readers);
        readers.slots.resize(self.f.slots.len(), 0);
        for one in moves.iter() {
            *readers.of(one.from) += 1;
        }
        for class in [Class::Gp, Class::Xmm] {
            let scratch = if class == Class::Gp { R11 } else { XMM15 };
            loop {
                let mut is_stuck = true;
                let mut at = 0;
                let mut first = None;
                while at < moves.len() {
                    let one = moves[at];
                    if self.class(one.to_value) != class {
                        at += 1;
                        continue;
                    }
                    if *readers.of(one.to) != 0 {
                        first = first.or(Some(at));
                        at += 1;
                        continue;
                    }
                    self.copy(one, class);
                    *readers.of(one.from) -= 1;
                    moves.swap_remove(at);
                    is_stuck = false;
                }
                let Some(first) = first else { break };
                if is_stuck {
                    let place = moves[first].to;
                    if let Some(reader) = moves.iter().find(|other| other.from == place) {
                        let value = reader.from_value;
                        self.copy(Move { to: Spot::Reg(scratch), from: place, to_value: value, from_value: value }, class);
                    }
                    for other in moves.iter_mut().filter(|other| other.from == place) {
                        other.from = Spot::Reg(scratch);
                    }
                    *readers.of(Spot::Reg(scratch)) = std::mem::take(readers.of(place));
                }
            }
        }
        self.c.readers = readers;
    }

    fn copy(&mut self, one: Move, class: Class) {
        let is_gp = class == Class::Gp;
        let (mov, load, store, scratch) =
            if is_gp { (Op::Mov, Op::LoadSlot, Op::StoreSlot, R11) } else { (Op::MovF, Op::LoadSlotF, Op::StoreSlotF, XMM15) };
        let plain = |op, a, b, aux| Record { op, a, b, c: NONE, imm: 0, aux };
        let (to_value, from_value) = (one.to_value, one.from_value);
        match (one.to, one.from) {
            (Spot::Reg(to), Spot::Reg(from)) => self.emit_move(plain(mov, to, from, 0), [to_value, from_value, NONE]),
            (Spot::Reg(to), Spot::Slot(slot)) => self.emit_move(plain(load, to, NONE, slot), [to_value, NONE, NONE]),
            (Spot::Reg(to), Spot::Remat(record)) => {
                self.emit_move(Record { a: to, ..self.input[record as usize] }, [to_value, NONE, NONE]);
            }
            (Spot::Slot(slot), Spot::Reg(from)) => self.emit_record(plain(store, from, NONE, slot), [from_value, NONE, NONE]),
            (Spot::Slot(to), Spot::Slot(from)) => {
                let (load, store, scratch) =
                    if is_gp { (Op::LoadSlotF, Op::StoreSlotF, XMM15) } else { (Op::LoadSlot, Op::StoreSlot, R11) };
                self.emit_record(plain(load, scratch, NONE, from), [from_value, NONE, NONE]);
                self.emit_record(plain(store, scratch, NONE, to), [from_value, NONE, NONE]);
            }
            (Spot::Slot(slot), Spot::Remat(record)) => {
                self.emit_record(Record { a: scratch, ..self.input[record as usize] }, [from_value, NONE, NONE]);
                self.emit_record(plain(store, scratch, NONE, slot), [from_value, NONE, NONE]);
            }
            (Spot::Remat(_), _) => {}
        }
    }

    fn emit_move(&mut self, record: Record, virtuals: [Reg; 3]) {
        self.touched |= 1 << record.a;
        self.emit_record(record, virtuals);
    }
}
