//! The frame: what is where below `rbp`, and the code that makes and leaves it.
//!
//! ```text
//! rbp + 16 + 8n   stack argument n
//! rbp + 8         return address
//! rbp             the caller's rbp
//! rbp - 8k        saved registers in ascending register order, then locals and spills
//! rsp + 8n        stack argument n of calls made here
//! ```
//! `rsp` stays where the prologue puts it, a multiple of 16. A function that calls nothing, saves nothing and has no slot has no frame: its return
//! address is on top of the stack, and the runtime's panic entries align the stack themselves.

use crate::encode::Buffer;
use crate::ir::{Function, Phase, SlotKind};
use crate::ops::Op;
use crate::regs::{RSP, RegSet};

/// Bytes that one touch of the stack covers.
pub const PAGE: u32 = 4096;
/// The largest frame; the stack is smaller.
pub const MAX_FRAME: u64 = 1 << 30;
/// Frames up to this many pages touch each of them by an instruction of its own, larger ones in a loop.
const UNROLLED_PAGES: u32 = 8;

/// The frame of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Frame {
    /// It saves `rbp` and sets it up.
    pub exists: bool,
    /// Bytes between the saved `rbp` and the lowest byte of the frame, a multiple of 16.
    pub size: u32,
    /// Callee-saved registers in it.
    pub saved: RegSet,
}

impl Frame {
    /// The frame that a function needs; `None` when it is too large. The same before and after its slots have offsets.
    pub fn of<P: Phase>(function: &Function<P>) -> Option<Frame> {
        let mut size = 8 * u64::from(function.saved.count_ones());
        let mut outgoing = 0;
        for slot in &function.slots {
            match slot.kind {
                SlotKind::Local | SlotKind::Spill => size += u64::from(slot.size.div_ceil(8)) * 8,
                SlotKind::Outgoing(at) => outgoing = outgoing.max(8 * (u64::from(at) + 1)),
                SlotKind::Incoming(_) => {}
            }
        }
        let size = (size + outgoing).next_multiple_of(16);
        if size > MAX_FRAME {
            return None;
        }
        let may_call = function.calls.iter().any(|row| row.callee.is_some());
        let has_call = may_call && function.records.iter().any(|record| record.op == Op::Call);
        // A landing pad needs to know where it is.
        let has_pad = function.stubs.iter().any(|row| row.pad.is_some());
        let exists = size > 0 || !function.slots.is_empty() || has_call || has_pad;
        Some(Frame { exists, size: size as u32, saved: function.saved })
    }

    /// Gives every slot its offset.
    pub fn place_slots<P: Phase>(&self, function: &mut Function<P>) {
        let mut below = 8 * self.saved.count_ones() as i32;
        for slot in &mut function.slots {
            slot.offset = match slot.kind {
                SlotKind::Local | SlotKind::Spill => {
                    below += (slot.size.div_ceil(8) * 8) as i32;
                    -below
                }
                SlotKind::Outgoing(at) => 8 * at as i32 - self.size as i32,
                SlotKind::Incoming(at) => 16 + 8 * at as i32,
            };
        }
    }

    /// `push rbp; mov rbp, rsp`, pushes of the saved registers, `sub rsp, rest`.
    pub(super) fn enter(&self, out: &mut Buffer) {
        if !self.exists {
            return;
        }
        out.word(0x55 | 0xe5_89_48 << 8, 4);
        self.each_saved(|reg, _| if reg >= 8 { out.word(0x41 | (0x50 | reg & 7) << 8, 2) } else { out.word(0x50 | reg, 1) });
        let rest = self.below_saved();
        if rest > PAGE * UNROLLED_PAGES {
            // lea r11, [rsp - pages]; again: sub rsp, PAGE; test [rsp], rsp; cmp rsp, r11; jne again
            let pages = (rest / PAGE * PAGE) as i32;
            out.word_imm(0x24_9c_8d_4c, 4, -pages);
            out.word_imm(0xec_81_48, 3, PAGE as i32);
            out.word(0x24_24_85_48, 4);
            out.word(0xdc_39_4c, 3);
            out.word(0xf0_75, 2);
            if !rest.is_multiple_of(PAGE) {
                self.lower(out, rest % PAGE);
            }
        } else {
            for page in 1..=rest / PAGE {
                // test [rsp - page], rsp
                out.word_imm(0x24_a4_85_48, 4, -((page * PAGE) as i32));
            }
            if rest == 8 {
                // A push among pushes costs less than lowering the pointer beside them; what is pushed is never read.
                out.word(0x50, 1);
            } else if rest > 0 {
                self.lower(out, rest);
            }
        }
    }

    /// Bytes of the frame below the saved registers.
    pub const fn below_saved(&self) -> u32 {
        self.size - 8 * self.saved.count_ones()
    }

    fn lower(&self, out: &mut Buffer, by: u32) {
        if by <= 127 { out.word(0xec_83_48 | u64::from(by) << 24, 4) } else { out.word_imm(0xec_81_48, 3, by as i32) }
    }

    /// Loads of the saved registers, `leave`.
    pub(super) fn leave(&self, out: &mut Buffer) {
        if !self.exists {
            return;
        }
        self.each_saved(|reg, offset| saved_load(out, reg, offset));
        if self.size > 0 { out.word(0xc9, 1) } else { out.word(0x5d, 1) }
    }

    fn each_saved(&self, mut visit: impl FnMut(u64, i8)) {
        let mut offset = 0;
        let mut rest = self.saved & ((1 << 16) - 1);
        while rest != 0 {
            offset -= 8;
            visit(u64::from(rest.trailing_zeros()), offset);
            rest &= rest - 1;
        }
    }
}

/// `mov reg, [rbp + offset]`
fn saved_load(out: &mut Buffer, reg: u64, offset: i8) {
    let rex = 0x48 | reg >> 3 << 2;
    out.word(rex | 0x8b << 8 | (0x45 | (reg & 7) << 3) << 16 | u64::from(offset as u8) << 24, 4);
}

const _: () = assert!(RSP == 4);
