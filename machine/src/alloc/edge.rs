//! Edges: the register map at a block's entry is fixed by the first edge that reaches it; each edge copies what stands elsewhere.

use super::copies::{Move, Spot};
use super::state::of_class;
use super::{ABSENT, Allocator, row};
use crate::ops::Op;
use crate::regs::{CALLEE_SAVED, Class, NONE, Reg, RegSet, bit};

impl Allocator<'_> {
    /// The copies that an edge makes from the current state.
    pub(super) fn edge(&mut self, edge: u32, moves: &mut Vec<Move>) {
        let edge = self.f.edges[edge as usize];
        let to = edge.to.index();
        let params = self.f.blocks[edge.to].params;
        for at in 0..params.len() {
            let (param, arg) = (self.f.regs[params][at], self.f.regs[edge.args][at]);
            self.c.values[row(param)].arg = arg;
        }
        if !self.c.blocks[to].is_set {
            self.c.blocks[to].is_set = true;
            if self.f.blocks.rows()[to].is_pad {
                // Unwinding comes there too, and keeps no register. What lives there has been spilled.
                self.place_params(edge.to.raw(), &mut [NONE; 32], 0, [0; 2]);
            } else if self.c.blocks[to].loop_end == ABSENT {
                self.fix_entry(edge.to.raw());
            } else {
                self.fix_header(edge.to.raw());
            }
        }
        moves.clear();
        let mut left = self.c.blocks[to].entry;
        while left != 0 {
            let reg = left.trailing_zeros();
            left &= left - 1;
            let value = self.c.entry[to][reg as usize];
            let arg = self.c.values[row(value)].arg;
            let source = if arg == NONE { value } else { arg };
            let from = self.spot(source);
            if from != Spot::Reg(reg as Reg) {
                moves.push(Move { to: Spot::Reg(reg as Reg), from, to_value: value, from_value: source });
            }
        }
        for at in 0..params.len() {
            let param = self.f.regs[params][at];
            let entry = self.c.values[row(param)];
            if entry.def_reg == NONE && entry.slot != ABSENT {
                // A value that has a slot was stored there by its definition.
                if self.c.values[row(entry.arg)].slot != entry.slot {
                    let from = self.spot(entry.arg);
                    moves.push(Move { to: Spot::Slot(entry.slot), from, to_value: param, from_value: entry.arg });
                }
            }
        }
        for at in 0..params.len() {
            let param = self.f.regs[params][at];
            self.c.values[row(param)].arg = NONE;
        }
    }

    /// The map of a block that heads no loop: what is in registers stays there.
    fn fix_entry(&mut self, to: u32) {
        let mut map = [NONE; 32];
        let mut taken: RegSet = 0;
        let is_merge = self.c.blocks[to as usize].preds > 1;
        let mut left = self.occupied;
        while left != 0 {
            let reg = left.trailing_zeros();
            left &= left - 1;
            let value = self.regs[reg as usize];
            let entry = &self.c.values[row(value)];
            // Where edges meet, what can be made again is not worth copies.
            let is_kept = entry.global != ABSENT && self.is_live_in(to, entry.global) && !(is_merge && entry.remat != ABSENT);
            if is_kept {
                map[reg as usize] = value;
                taken |= bit(reg as Reg);
            }
        }
        self.place_params(to, &mut map, taken, [ABSENT_SET; 2]);
    }

    /// Parameters: in the register of their argument when it is free, else in a free one, else in a slot.
    fn place_params(&mut self, to: u32, map: &mut [Reg; 32], mut taken: RegSet, allowed: [RegSet; 2]) {
        let params = self.f.blocks.rows()[to as usize].params;
        let allowed_for = |class: Class| of_class(class) & allowed[class as usize];
        for at in 0..params.len() {
            let param = self.f.regs[params][at];
            if !self.is_used(param) || self.c.values[row(param)].slot != ABSENT {
                continue;
            }
            let reg = self.c.values[row(self.c.values[row(param)].arg)].reg;
            if reg != NONE && !self.options.chaos && bit(reg) & allowed_for(self.class(param)) & !taken != 0 {
                map[reg as usize] = param;
                taken |= bit(reg);
                self.c.values[row(param)].def_reg = reg;
            }
        }
        for at in 0..params.len() {
            let param = self.f.regs[params][at];
            let entry = self.c.values[row(param)];
            if !self.is_used(param) || entry.def_reg != NONE || entry.slot != ABSENT {
                continue;
            }
            match self.choose(allowed_for(self.class(param)) & !taken, param) {
                Some(reg) => {
                    map[reg as usize] = param;
                    taken |= bit(reg);
                    self.c.values[row(param)].def_reg = reg;
                }
                None => self.spill_param(param, to),
            }
        }
        self.c.entry[to as usize] = *map;
        self.c.blocks[to as usize].entry = taken;
    }

    /// The map of a loop header: the values that the loop uses most, in registers that it does not destroy.
    fn fix_header(&mut self, to: u32) {
        let info = self.c.blocks[to as usize];
        let blocks = self.f.blocks.rows();
        let range = (blocks[to as usize].start, blocks[info.loop_end as usize].end);
        let depth = blocks[to as usize].depth;
        let params = blocks[to as usize].params;
        let has_call = info.clobbers & !CALLEE_SAVED & 0xffff == !CALLEE_SAVED & of_class(Class::Gp);
        let mut map = [NONE; 32];
        let mut taken: RegSet = 0;
        let mut allowed = [0; 2];
        for class in [Class::Gp, Class::Xmm] {
            let registers = of_class(class) & !info.clobbers;
            allowed[class as usize] = registers;
            // Some stay free for what the loop computes; registers that it destroys now and then serve for that too.
            let reserve = 3u32.saturating_sub((of_class(class) & info.clobbers).count_ones());
            let mut keep = (registers.count_ones().saturating_sub(reserve)) as usize;
            if self.options.chaos {
                keep /= 3;
            }
            let mut candidates = std::mem::take(&mut self.c.candidates);
            candidates.clear();
            for word in 0..self.c.words {
                let mut bits = self.c.live_in[to as usize * self.c.words + word];
                while bits != 0 {
                    let value = self.c.globals[word * 64 + bits.trailing_zeros() as usize];
                    bits &= bits - 1;
                    if self.class(value) == class && self.c.values[row(value)].remat == ABSENT {
                        candidates.push((self.weight(value, range, depth), value));
                    }
                }
            }
            for at in 0..params.len() {
                let param = self.f.regs[params][at];
                if self.class(param) == class && self.is_used(param) {
                    candidates.push((self.weight(param, range, depth) + 1, param));
                }
            }
            if candidates.len() > keep {
                candidates.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
                for &(_, value) in &candidates[keep..] {
                    if self.c.values[row(value)].arg == NONE { self.spill(value) } else { self.spill_param(value, to) }
                }
                candidates.truncate(keep);
            }
            // First what may stay where it is, then the rest. Parameters come after values that live on, which have no choice of place.
            for pass in 0..2 {
                for &(_, value) in &candidates {
                    if self.c.values[row(value)].arg != NONE {
                        continue;
                    }
                    let reg = self.c.values[row(value)].reg;
                    if pass == 0 {
                        if reg != NONE && bit(reg) & registers != 0 {
                            map[reg as usize] = value;
                            taken |= bit(reg);
                        }
                    } else if reg == NONE || map[reg as usize] != value {
                        let free = registers & !taken;
                        let pick = if has_call { free } else { prefer(free & !CALLEE_SAVED, free) };
                        if pick != 0 {
                            let reg = pick.trailing_zeros();
                            map[reg as usize] = value;
                            taken |= 1 << reg;
                        } else {
                            self.spill(value);
                        }
                    }
                }
            }
            self.c.candidates = candidates;
        }
        self.place_params(to, &mut map, taken, allowed);
    }

    /// How often a loop uses a value: 8 for each level of nesting deeper.
    fn weight(&self, value: Reg, range: (u32, u32), depth: u16) -> u64 {
        let mut sum = 0u64;
        let mut at = self.c.values[row(value)].cursor;
        while let Some(one) = self.c.uses.get(at as usize) {
            if one.position >= range.1 {
                break;
            }
            if one.position >= range.0 {
                sum += 8 << (3 * u32::from(one.depth.saturating_sub(depth).min(6)));
            }
            at = one.next;
        }
        sum
    }

    /// The op of a record that goes along an edge.
    pub(super) fn is_jump(op: Op) -> bool {
        matches!(op, Op::Jump | Op::JumpIf)
    }
}

const ABSENT_SET: RegSet = RegSet::MAX;

fn prefer(first: RegSet, all: RegSet) -> RegSet {
    if first != 0 { first } else { all }
}
