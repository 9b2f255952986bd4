//! The last linear pass: stores of spilled values, loops turned to test at the bottom, blocks laid down.

use super::emit::{RESOLVED, saved};
use super::{ABSENT, Allocator};
use crate::catch::catches;
use crate::ir::{Alloc, BlockRow, EDGE, Function, Record, SlotKind};
use crate::ops::Op;
use crate::regs::{CALLEE_SAVED, Class, FIRST_VIRTUAL, NONE, Reg};

impl Allocator<'_> {
    pub(super) fn finish(mut self) -> Function<Alloc> {
        self.late_stores();
        self.order();
        let c = &mut *self.c;
        let f = &mut self.f;
        let checking = self.options.checking;
        let resolve = |to: ir::Id<crate::ir::BlockTag>, c: &super::Columns| -> ir::Id<crate::ir::BlockTag> {
            let out = if to.raw() & RESOLVED != 0 { to.raw() & !RESOLVED } else { c.blocks[to.index()].out };
            ir::Id::new(c.place_of[out as usize] as usize)
        };
        f.blocks.clear();
        f.records.reserve(c.out.len() + c.late.len());
        if checking {
            f.virtuals = Vec::with_capacity(c.out.len() + c.late.len());
        }
        for &out in &c.order {
            let info = c.out_blocks[out as usize];
            let start = f.records.len() as u32;
            let mut late = c.late.partition_point(|one| one.0 < info.start);
            let mut from = info.start;
            while let Some(&(at, record, value)) = c.late.get(late)
                && at < info.end
            {
                f.records.extend_from_slice(&c.out[from as usize..at as usize]);
                f.records.push(record);
                if checking {
                    f.virtuals.extend_from_slice(&c.virtuals[from as usize..at as usize]);
                    f.virtuals.push([value, NONE, NONE]);
                }
                from = at;
                late += 1;
            }
            f.records.extend_from_slice(&c.out[from as usize..info.end as usize]);
            if checking {
                f.virtuals.extend_from_slice(&c.virtuals[from as usize..info.end as usize]);
                f.origins.push(info.origin);
            }
            let end = f.records.len() as u32;
            f.blocks.push(BlockRow { start, end, params: ir::List::EMPTY, depth: info.depth, is_pad: info.is_pad });
        }
        for edge in &mut f.edges {
            edge.to = resolve(edge.to, c);
            edge.args = ir::List::EMPTY;
        }
        for pad in f.calls.iter_mut().map(|call| &mut call.pad).chain(f.stubs.iter_mut().map(|stub| &mut stub.pad)) {
            *pad = pad.map(|pad| resolve(pad, c));
        }
        f.saved = if catches(f) { CALLEE_SAVED } else { saved(self.touched) };
        self.c.spare = self.input;
        self.f.into_phase()
    }

    /// A value with a slot is stored once, where it is defined. Parameters that live in slots are stored by the edges, incoming ones are there.
    fn late_stores(&mut self) {
        self.c.late.clear();
        for at in 0..self.f.classes.len() {
            let value = self.c.values[at];
            if value.slot == ABSENT || value.def_reg == NONE {
                continue;
            }
            debug_assert!(!matches!(self.f.slots[value.slot as usize].kind, SlotKind::Incoming(_)));
            let op = if self.f.classes[at] == Class::Gp { Op::StoreSlot } else { Op::StoreSlotF };
            let record = Record { op, a: value.def_reg, b: NONE, c: NONE, imm: 0, aux: value.slot };
            self.c.late.push((value.def_at, record, FIRST_VIRTUAL + at as Reg));
        }
        self.c.late.sort_unstable_by_key(|&(at, _, value)| (at, value));
    }

    /// Order of the blocks of the result: as they were emitted, but a loop that tests at its top and jumps back at its end has its header moved
    /// behind its last block. Then one taken branch is left in each turn.
    fn order(&mut self) {
        let c = &mut *self.c;
        let count = c.out_blocks.len();
        c.order.clear();
        c.order.extend(0..count as u32);
        for header in (0..c.blocks.len()).rev() {
            let end = c.blocks[header].loop_end;
            if end == ABSENT || header == 0 {
                continue;
            }
            let first = c.blocks[header].out;
            // The blocks of edges behind the last block belong to it.
            let mut last = c.blocks[end as usize].out;
            while c.out_blocks.get(last as usize + 1).is_some_and(|next| next.origin == EDGE) {
                last += 1;
            }
            let range = first as usize..last as usize + 1;
            if range.len() < 2 || c.order[range.start] != first {
                continue;
            }
            // The header branches to the block behind it, or out of the loop; the last block does nothing but go back.
            let target = |record: &Record| -> u32 {
                let to = self.f.edges[record.aux as usize].to.raw();
                if to & RESOLVED != 0 { to & !RESOLVED } else { c.blocks[to as usize].out }
            };
            let tail = |out: u32| {
                let info = c.out_blocks[out as usize];
                c.out[info.start as usize..info.end as usize].split_last_chunk::<2>().map(|(_, two)| two)
            };
            let Some([branch, jump]) = tail(first) else { continue };
            if branch.op != Op::JumpIf || jump.op != Op::Jump {
                continue;
            }
            let (one, other) = (target(branch), target(jump));
            let is_inside = |out: u32| range.contains(&(out as usize));
            if is_inside(one) == is_inside(other) || (one != first + 1 && other != first + 1) {
                continue;
            }
            let last = c.order[last as usize];
            let goes_back = match tail(last) {
                Some([before, jump]) => before.op != Op::JumpIf && jump.op == Op::Jump && target(jump) == first,
                None => {
                    let only = &c.out[c.out_blocks[last as usize].start as usize];
                    only.op == Op::Jump && target(only) == first
                }
            };
            if goes_back {
                c.order[range].rotate_left(1);
            }
        }
        c.place_of.clear();
        c.place_of.resize(count, 0);
        for (at, &out) in c.order.iter().enumerate() {
            c.place_of[out as usize] = at as u32;
        }
    }
}
