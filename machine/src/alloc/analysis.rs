//! Uses, liveness, loops: what emission asks about the future.

use super::shape::{Kind, Shape};
use super::{ABSENT, Allocator, NEW, NEW_BLOCK, UNALLOCATED, Use, Value, row};
use crate::ir::{Location, SlotKind};
use crate::ops::Op;
use crate::regs::{ALLOCATABLE, ArgPlace, ArgWalk, Class, NONE, Reg, ResultWalk};

/// Does the op make a value from nothing, so that it can be made again?
pub(super) const fn is_remat(op: Op) -> bool {
    matches!(op, Op::MovImm | Op::LoadConst | Op::ZeroF | Op::LeaData | Op::LeaSlot)
}

impl Allocator<'_> {
    pub(super) fn analyse(&mut self) {
        let blocks = self.f.blocks.len();
        let c = &mut *self.c;
        c.values.clear();
        c.values.resize(self.f.classes.len(), NEW);
        // The operand that is not there: see `general`.
        c.values.push(Value { reg: UNALLOCATED, ..NEW });
        c.blocks.clear();
        c.blocks.resize(blocks, NEW_BLOCK);
        c.entry.clear();
        c.entry.resize(blocks, [NONE; 32]);
        c.uses.clear();
        c.tied.clear();
        c.calls.clear();
        c.pads.clear();
        c.pad_start.clear();
        c.globals.clear();
        c.exposed.clear();
        c.last_exposed.clear();
        self.scan();
        self.pass_hints();
        self.loops();
        self.liveness();
        // What a landing pad reads is in slots whenever something unwinds to it.
        for pad in 0..blocks {
            if !self.f.blocks.rows()[pad].is_pad {
                continue;
            }
            for word in 0..self.c.words {
                let mut bits = self.c.live_in[pad * self.c.words + word];
                while bits != 0 {
                    let value = self.c.globals[word * 64 + bits.trailing_zeros() as usize];
                    bits &= bits - 1;
                    self.spill(value);
                }
            }
        }
    }

    /// One walk over the records.
    fn scan(&mut self) {
        for &param in &self.f.params {
            self.c.values[row(param)].def_block = 0;
        }
        let input = std::mem::take(&mut self.input);
        let has_incoming = self.f.slots.iter().any(|slot| matches!(slot.kind, SlotKind::Incoming(_)));
        let has_incoming_stores = has_incoming
            && input.iter().any(|r| {
                matches!(r.op, Op::StoreSlot | Op::StoreSlotF) && matches!(self.f.slots[r.aux as usize].kind, SlotKind::Incoming(_))
            });
        for block in 0..self.f.blocks.len() as u32 {
            let info = self.f.blocks.rows()[block as usize];
            for at in 0..info.params.len() {
                let param = self.f.regs[info.params][at];
                self.c.values[row(param)].def_block = block;
            }
            self.c.pad_start.push(self.c.pads.len() as u32);
            let mut clobbers = 0;
            for position in info.start..info.end {
                let record = input[position as usize];
                let shape = Shape::of(record.op);
                clobbers |= shape.reserved;
                if shape.defines {
                    self.c.values[row(record.a)].def_block = block;
                }
                if shape.reads & 1 != 0 {
                    self.note_use(record.a, position, block, info.depth);
                }
                if shape.reads & 2 != 0 {
                    self.note_use(record.b, position, block, info.depth);
                }
                if shape.reads & 4 != 0 && record.c != NONE {
                    self.note_use(record.c, position, block, info.depth);
                }
                if shape.kind == Kind::General && shape.is_plain() {
                    continue;
                }
                if shape.is_tied {
                    self.c.tied.push((record.a, record.b));
                }
                if shape.fixed_in != NONE {
                    self.hint([record.a, record.b, record.c][usize::from(shape.fixed_at)], shape.fixed_in);
                }
                match shape.kind {
                    Kind::General => {}
                    Kind::Remat => self.c.values[row(record.a)].remat = position,
                    Kind::SlotLoad => {
                        if !has_incoming_stores && matches!(self.f.slots[record.aux as usize].kind, SlotKind::Incoming(_)) {
                            // It is in a slot already.
                            self.c.values[row(record.a)].slot = record.aux;
                        }
                    }
                    Kind::Call | Kind::Leave => {
                        self.note_call(record.op, record.aux, position, block, info.depth);
                        clobbers |= self.f.calls[record.aux as usize].clobbers;
                        if record.op == Op::Call {
                            self.c.calls.push(position);
                        }
                    }
                    Kind::Stub => {
                        let stub = self.f.stubs[record.aux as usize];
                        for at in 0..stub.args.len() {
                            if let Location::Reg(reg) = self.f.locations[stub.args][at] {
                                self.note_use(reg, position, block, info.depth);
                            }
                        }
                        self.note_pad(block, stub.pad);
                    }
                    Kind::Jump | Kind::JumpIf => {
                        let edge = self.f.edges[record.aux as usize];
                        let to = edge.to.index();
                        let params = self.f.blocks[edge.to].params;
                        for at in 0..edge.args.len() {
                            let (arg, param) = (self.f.regs[edge.args][at], self.f.regs[params][at]);
                            self.note_use(arg, position, block, info.depth);
                            let value = &mut self.c.values[row(arg)];
                            if value.toward == NONE {
                                value.toward = param;
                            }
                        }
                        self.c.blocks[to].preds += 1;
                        if to as u32 <= block {
                            self.c.blocks[to].loop_end = block;
                        }
                    }
                }
            }
            self.c.blocks[block as usize].clobbers = clobbers & ALLOCATABLE;
        }
        self.c.pad_start.push(self.c.pads.len() as u32);
        self.input = input;
    }

    #[inline]
    fn note_use(&mut self, reg: Reg, position: u32, block: u32, depth: u16) {
        let c = &mut *self.c;
        let value = &mut c.values[row(reg)];
        let at = c.uses.len() as u32;
        let before = std::mem::replace(&mut value.tail, at);
        c.uses.push(Use { position, next: ABSENT, depth });
        match c.uses.get_mut(before as usize) {
            Some(last) => last.next = at,
            None => value.cursor = at,
        }
        value.last = position;
        if value.def_block == block && value.end != ABSENT {
            value.end = position;
        } else {
            self.note_far(reg, block);
        }
    }

    /// A use in another block than the definition's, or of a value that has one.
    fn note_far(&mut self, reg: Reg, block: u32) {
        let c = &mut *self.c;
        let value = &mut c.values[row(reg)];
        if value.def_block == block {
            return;
        }
        if value.global == ABSENT {
            value.global = c.globals.len() as u32;
            value.end = ABSENT;
            c.globals.push(reg);
            c.last_exposed.push(ABSENT);
        }
        let last = &mut c.last_exposed[value.global as usize];
        if *last != block {
            *last = block;
            c.exposed.push((block, value.global));
        }
    }

    fn hint(&mut self, reg: Reg, fixed: Reg) {
        let value = &mut self.c.values[row(reg)];
        if value.hint == NONE {
            value.hint = fixed;
        }
    }

    fn note_pad(&mut self, block: u32, pad: Option<crate::ir::Block>) {
        if let Some(pad) = pad
            && self.c.pads.last() != Some(&(block, pad.raw()))
        {
            self.c.pads.push((block, pad.raw()));
        }
    }

    fn note_call(&mut self, op: Op, call: u32, position: u32, block: u32, depth: u16) {
        let call = self.f.calls[call as usize];
        let mut args = ArgWalk::default();
        let mut results = ResultWalk::default();
        for at in 0..call.args.len() {
            let arg = self.f.regs[call.args][at];
            self.note_use(arg, position, block, depth);
            let class = self.f.classes[row(arg)];
            let fixed = if op == Op::Return {
                results.next(class).unwrap_or(NONE)
            } else {
                match args.next(class) {
                    ArgPlace::Reg(reg) => reg,
                    ArgPlace::Stack(_) => NONE,
                }
            };
            self.hint(arg, fixed);
        }
        for at in 0..call.results.len() {
            let result = self.f.regs[call.results][at];
            self.c.values[row(result)].def_block = block;
        }
        self.note_pad(block, call.pad);
    }

    /// What a two-address result would like, its operand would like too.
    fn pass_hints(&mut self) {
        let c = &mut *self.c;
        for &(result, operand) in c.tied.iter().rev() {
            let (hint, toward) = (c.values[row(result)].hint, c.values[row(result)].toward);
            let value = &mut c.values[row(operand)];
            if value.hint == NONE {
                value.hint = hint;
            }
            if value.toward == NONE {
                value.toward = toward;
            }
        }
    }

    /// The innermost loop of each block, and the clobbers of loops. Loops are contiguous.
    fn loops(&mut self) {
        let blocks = &mut self.c.blocks;
        let mut header = ABSENT;
        for at in 0..blocks.len() {
            // The loops that ended before this block.
            while header != ABSENT && blocks[header as usize].loop_end < at as u32 {
                header = blocks[header as usize].loop_header;
            }
            blocks[at].loop_header = header;
            if blocks[at].loop_end != ABSENT {
                header = at as u32;
            }
        }
        // Inner loops come later, so going backwards they are complete before they count for the outer one.
        for at in (0..blocks.len()).rev() {
            let (clobbers, outer) = (blocks[at].clobbers, blocks[at].loop_header);
            if outer != ABSENT {
                blocks[outer as usize].clobbers |= clobbers;
            }
        }
    }

    pub(super) fn is_live_in(&self, block: u32, global: u32) -> bool {
        self.c.live_in[block as usize * self.c.words + global as usize / 64] >> (global % 64) & 1 == 1
    }

    /// The values that are live at the end of a block or at one of its landing pads.
    pub(super) fn compute_live_out(&mut self, block: u32) {
        let words = self.c.words;
        let mut out = std::mem::take(&mut self.c.live_out);
        out.clear();
        out.resize(words, 0);
        let mut join = |to: usize| {
            for (into, from) in out.iter_mut().zip(&self.c.live_in[to * words..(to + 1) * words]) {
                *into |= from;
            }
        };
        for at in self.c.pad_start[block as usize]..self.c.pad_start[block as usize + 1] {
            join(self.c.pads[at as usize].1 as usize);
        }
        let info = &self.f.blocks.rows()[block as usize];
        for record in self.input[info.start as usize..info.end as usize].iter().rev() {
            match record.op {
                Op::Jump | Op::JumpIf => join(self.f.edges[record.aux as usize].to.index()),
                _ => break,
            }
        }
        self.c.live_out = out;
    }

    /// Backwards once, then what is live at a header is live in the whole loop: exact for graphs whose loops have one entry.
    fn liveness(&mut self) {
        let blocks = self.f.blocks.len();
        let c = &mut *self.c;
        let words = c.globals.len().div_ceil(64);
        c.words = words;
        c.live_in.clear();
        c.live_in.resize(words * blocks, 0);
        c.first_killed.clear();
        c.first_killed.resize(blocks, ABSENT);
        c.next_killed.clear();
        c.next_killed.resize(c.globals.len(), ABSENT);
        for global in 0..c.globals.len() {
            let block = c.values[row(c.globals[global])].def_block;
            if block != ABSENT {
                c.next_killed[global] = c.first_killed[block as usize];
                c.first_killed[block as usize] = global as u32;
            }
        }
        let mut exposed = c.exposed.len();
        for block in (0..blocks).rev() {
            self.compute_live_out(block as u32);
            let c = &mut *self.c;
            let bits = &mut c.live_in[block * words..(block + 1) * words];
            bits.copy_from_slice(&c.live_out);
            let mut global = c.first_killed[block];
            while global != ABSENT {
                bits[global as usize / 64] &= !(1 << (global % 64));
                global = c.next_killed[global as usize];
            }
            while exposed > 0 && c.exposed[exposed - 1].0 == block as u32 {
                exposed -= 1;
                let global = c.exposed[exposed].1;
                bits[global as usize / 64] |= 1 << (global % 64);
            }
        }
        let c = &mut *self.c;
        for header in 0..blocks {
            let end = c.blocks[header].loop_end;
            if end == ABSENT || words == 0 {
                continue;
            }
            let (before, after) = c.live_in.split_at_mut((header + 1) * words);
            let bits = &before[header * words..];
            for block in after[..(end as usize - header) * words].chunks_mut(words) {
                for (into, from) in block.iter_mut().zip(bits) {
                    *into |= from;
                }
            }
        }
    }

    pub(super) fn class(&self, reg: Reg) -> Class {
        self.f.classes[row(reg)]
    }
}
