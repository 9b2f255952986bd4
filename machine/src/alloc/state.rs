//! Where values are: the register map, slots, what comes next.

use super::{ABSENT, Allocator, UNALLOCATED, row};
use crate::ir::{Record, SlotKind, SlotRow};
use crate::ops::Op;
use crate::regs::{ALLOCATABLE, CALLEE_SAVED, Class, NONE, R11, Reg, RegSet, bit};

/// Registers of a class.
pub(super) const fn of_class(class: Class) -> RegSet {
    match class {
        Class::Gp => 0xffff & ALLOCATABLE,
        Class::Xmm => 0xffff_0000 & ALLOCATABLE,
    }
}

impl Allocator<'_> {
    /// Position of the next use after the current record; [`ABSENT`] when there is none.
    pub(super) fn next_use(&mut self, value: Reg) -> u32 {
        let entry = &mut self.c.values[row(value)];
        while let Some(one) = self.c.uses.get(entry.cursor as usize) {
            if one.position > self.position {
                return one.position;
            }
            entry.cursor = one.next;
        }
        ABSENT
    }

    /// Is the value needed after the current record?
    #[inline]
    pub(super) fn is_live_after(&mut self, value: Reg) -> bool {
        let entry = &self.c.values[row(value)];
        // Most values are used in their own block only.
        if entry.end != ABSENT { entry.end > self.position } else { self.is_global_live_after(value) }
    }

    fn is_global_live_after(&mut self, value: Reg) -> bool {
        if self.next_use(value) < self.block_end {
            return true;
        }
        let global = self.c.values[row(value)].global;
        self.c.live_out[global as usize / 64] >> (global % 64) & 1 == 1
    }

    /// Is the value read anywhere?
    pub(super) fn is_used(&self, value: Reg) -> bool {
        self.c.values[row(value)].tail != ABSENT
    }

    #[inline]
    pub(super) fn emit_record(&mut self, record: Record, virtuals: [Reg; 3]) {
        self.c.out.push(record);
        if self.options.checking {
            self.c.virtuals.push(virtuals);
        }
    }

    /// Puts a value into the map.
    #[inline]
    pub(super) fn occupy(&mut self, reg: Reg, value: Reg) {
        self.regs[reg as usize] = value;
        self.c.values[row(value)].reg = reg;
        self.occupied |= bit(reg);
        self.touched |= bit(reg);
    }

    /// Takes a register's value out of the map.
    #[inline]
    pub(super) fn vacate(&mut self, reg: Reg) {
        let value = self.regs[reg as usize];
        if value != NONE {
            self.c.values[row(value)].reg = NONE;
            self.regs[reg as usize] = NONE;
            self.occupied &= !bit(reg);
        }
    }

    /// Makes sure that the value can be found outside of registers.
    pub(super) fn spill(&mut self, value: Reg) {
        let entry = self.c.values[row(value)];
        if entry.slot != ABSENT || entry.remat != ABSENT {
            return;
        }
        // A value on its way to a parameter that lives in a slot goes there directly, when nothing else is there meanwhile.
        if entry.may_share && entry.toward != NONE {
            let param = &mut self.c.values[row(entry.toward)];
            if param.slot != ABSENT && !param.is_shared && param.def_block != ABSENT {
                param.is_shared = true;
                let slot = param.slot;
                self.c.values[row(value)].slot = slot;
                return;
            }
        }
        let slot = self.new_slot();
        self.c.values[row(value)].slot = slot;
    }

    /// A slot for a parameter: that of its argument, when the argument ends at this edge.
    pub(super) fn spill_param(&mut self, param: Reg, to: u32) {
        let arg = self.c.values[row(param)].arg;
        let entry = self.c.values[row(arg)];
        let ends = entry.global == ABSENT || !self.is_live_in(to, entry.global);
        let is_spilled = self.f.slots.get(entry.slot as usize).is_some_and(|slot| slot.kind == SlotKind::Spill);
        if is_spilled && !entry.is_shared && ends {
            self.c.values[row(arg)].is_shared = true;
            self.c.values[row(param)].slot = entry.slot;
            return;
        }
        self.spill(param);
    }

    pub(super) fn new_slot(&mut self) -> u32 {
        self.f.slots.push(SlotRow { size: 8, kind: SlotKind::Spill, offset: 0 });
        self.f.slots.len() as u32 - 1
    }

    /// Frees a register whose value is needed later.
    pub(super) fn evict(&mut self, reg: Reg) {
        let value = self.regs[reg as usize];
        if value != NONE {
            self.spill(value);
            self.vacate(reg);
        }
    }

    /// Does a call stand before the last use? Only a guess by position: choices depend on it, never correctness.
    pub(super) fn crosses_call(&self, value: Reg) -> bool {
        let Some(&call) = self.c.calls.get(self.next_call) else { return false };
        self.c.values[row(value)].last > call
    }

    /// The register that would save a copy later.
    pub(super) fn wish(&self, value: Reg) -> Reg {
        let entry = &self.c.values[row(value)];
        if entry.hint != NONE || entry.toward == NONE {
            return entry.hint;
        }
        let is_same = self.f.classes[row(value)] == self.f.classes[row(entry.toward)];
        if is_same { self.c.values[row(entry.toward)].def_reg } else { NONE }
    }

    /// The register to take among these for a value, if any.
    pub(super) fn choose(&mut self, free: RegSet, value: Reg) -> Option<Reg> {
        if free == 0 {
            return None;
        }
        if self.options.chaos {
            return Some(31 - free.leading_zeros() as Reg);
        }
        let wants_saved = self.crosses_call(value);
        if !wants_saved {
            let wish = self.wish(value);
            if wish != NONE && free & bit(wish) != 0 {
                return Some(wish);
            }
        }
        let saved = free & CALLEE_SAVED;
        let used_saved = saved & self.touched;
        let rest = free & !CALLEE_SAVED;
        let pick = if wants_saved {
            [used_saved, saved, rest]
        } else {
            // The registers with fixed roles last.
            [rest & !0b111, rest, used_saved]
        };
        let set = pick.into_iter().find(|&set| set != 0).unwrap_or(free);
        Some(set.trailing_zeros() as Reg)
    }

    /// How little it costs to evict a value.
    fn cheapness(&self, value: Reg, reg: Reg) -> u32 {
        let entry = &self.c.values[row(value)];
        let toward = if entry.toward == NONE { None } else { Some(&self.c.values[row(entry.toward)]) };
        match toward {
            // It would have to come back to the same place.
            Some(param) if param.def_reg == reg => 0,
            _ if entry.slot != ABSENT || entry.remat != ABSENT => 3,
            // It has to go to that slot anyway.
            Some(param) if entry.may_share && param.slot != ABSENT && !param.is_shared => 2,
            Some(_) | None => 1,
        }
    }

    /// A register for a value, outside of `forbidden`; evicts when none is free.
    pub(super) fn take(&mut self, value: Reg, forbidden: RegSet) -> Reg {
        let allowed = of_class(self.class(value)) & !forbidden;
        if let Some(reg) = self.choose(allowed & !self.occupied, value) {
            return reg;
        }
        let mut best = NONE;
        let mut best_score = (0, 0);
        let mut left = allowed & self.occupied;
        while left != 0 {
            let reg = left.trailing_zeros() as Reg;
            left &= left - 1;
            let held = self.regs[reg as usize];
            let mut next = self.next_use(held);
            if self.options.chaos {
                next = ABSENT - next;
            }
            let score = (next, self.cheapness(held, reg));
            if best == NONE || score > best_score {
                (best, best_score) = (reg, score);
            }
        }
        if best == NONE {
            // No op demands so many; if one did, the verifier would find the scratch register.
            return if self.class(value) == Class::Gp { R11 } else { UNALLOCATED };
        }
        self.evict(best);
        best
    }

    /// Emits whatever brings a value into a register, from wherever it is. Does not change the map.
    pub(super) fn load_into(&mut self, reg: Reg, value: Reg) {
        self.touched |= bit(reg);
        let entry = self.c.values[row(value)];
        let is_gp = self.class(value) == Class::Gp;
        let record = if entry.reg != NONE {
            if entry.reg == reg {
                return;
            }
            Record { op: if is_gp { Op::Mov } else { Op::MovF }, a: reg, b: entry.reg, c: NONE, imm: 0, aux: 0 }
        } else if entry.remat != ABSENT {
            Record { a: reg, ..self.input[entry.remat as usize] }
        } else {
            Record { op: if is_gp { Op::LoadSlot } else { Op::LoadSlotF }, a: reg, b: NONE, c: NONE, imm: 0, aux: entry.slot }
        };
        self.emit_record(record, [value, if record.b == NONE { NONE } else { value }, NONE]);
    }

    /// The register of a value, loaded when it is in none. Never one of `forbidden`; nothing in `kept` makes room.
    #[inline]
    pub(super) fn ensure(&mut self, value: Reg, forbidden: RegSet, kept: RegSet) -> Reg {
        let reg = self.c.values[row(value)].reg;
        if reg != NONE && bit(reg) & forbidden == 0 {
            return reg;
        }
        self.bring(value, reg, forbidden | kept)
    }

    fn bring(&mut self, value: Reg, reg: Reg, forbidden: RegSet) -> Reg {
        let new = self.take(value, forbidden);
        self.load_into(new, value);
        if reg != NONE {
            self.vacate(reg);
        }
        self.occupy(new, value);
        new
    }
}
