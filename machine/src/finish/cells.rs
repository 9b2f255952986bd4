//! Taking a cell and giving one back: the free lists stand where `fs` points to (`abi::layout`), so both are a few instructions in a row.

use abi::layout::{CELL_META, THREAD_SIZE};

use super::emit::Emitter;
use super::{RelocTarget, Site};
use crate::ir::Record;
use crate::regs::{R11, Reg};

/// REX with 64-bit operands.
const fn rex(reg: Reg, rm: Reg) -> u64 {
    (0x48 | (reg >> 3 & 1) << 2 | rm >> 3 & 1) as u64
}

/// ModRM of a register and an address without displacement, one with a byte of it, or two registers.
const fn modrm(mode: Reg, reg: Reg, rm: Reg) -> u64 {
    (mode << 6 | (reg & 7) << 3 | rm & 7) as u64
}

impl Emitter<'_, '_> {
    /// The next free block, which the runtime provides when there is none; then class and tag into its header. The count is 0 already.
    pub(super) fn alloc(&mut self, record: &Record) {
        let (a, class) = (record.a, record.imm & 0xff);
        self.free_list(0x8b, a, class);
        // test a, a; jne taken
        self.out.word(rex(a, a) | 0x85 << 8 | modrm(3, a, a) << 16, 3);
        self.out.word(0x75 | 14 << 8, 2);
        // mov r11d, class; call refill; mov a, r11
        self.out.word_imm(0x41 | 0xbb << 8, 2, class);
        self.out.word_imm(0xe8, 1, 0);
        self.reloc(RelocTarget::Entry(abi::Entry::Refill));
        self.sites.push(Site { return_offset: self.out.at(), pad_offset: None, place: ir::PlaceId::NONE });
        self.out.mov(a, R11);
        // taken: mov r11, [a]; mov fs:list, r11
        self.pointed(rex(R11, a) | 0x8b << 8, 2, R11, a, 0);
        self.free_list(0x89, R11, class);
        // mov dword [a - 4], meta
        let short = if a >= 8 { (0x41 | 0xc7 << 8, 2) } else { (0xc7, 1) };
        self.pointed(short.0, short.1, 0, a, CELL_META as i8);
        self.out.word(u64::from(record.imm as u32), 4);
    }

    /// Puts a block in front of the others of its class.
    pub(super) fn free(&mut self, record: &Record) {
        let (b, class) = (record.b, record.imm & 0xff);
        self.free_list(0x8b, R11, class);
        self.pointed(rex(R11, b) | 0x89 << 8, 2, R11, b, 0);
        self.free_list(0x89, b, class);
    }

    /// `mov` between a register and the free list of a class: `fs:[disp32]`.
    fn free_list(&mut self, opcode: u64, reg: Reg, class: i32) {
        let head = 0x64 | rex(reg, 0) << 8 | opcode << 16 | modrm(0, reg, 4) << 24 | 0x25 << 32;
        self.out.word_imm(head, 5, class * 8 - THREAD_SIZE as i32);
        self.threads.push(self.out.at() - 4);
    }

    /// An instruction with the address `[base + disp]`, the displacement always a byte: one form for all registers.
    fn pointed(&mut self, head: u64, len: usize, reg: Reg, base: Reg, disp: i8) {
        let at = len * 8;
        let has_sib = base & 7 == 4;
        let tail = modrm(1, reg, base) | if has_sib { 0x24 << 8 | u64::from(disp as u8) << 16 } else { u64::from(disp as u8) << 8 };
        self.out.word(head | tail << at, len + 2 + usize::from(has_sib));
    }
}
