//! Ops that are no single instruction, or whose form depends on more than the row can say.

use super::Buffer;
use super::table::Rare;
use crate::ir::Record;
use crate::ops::cc;
use crate::regs::{R11, RAX, RDX, Reg};

/// REX with its bits: 64-bit, ModRM.reg, index, ModRM.rm.
const fn rex(wide: bool, reg: Reg, index: Reg, rm: Reg) -> u64 {
    (0x40 | (wide as u16) << 3 | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | rm >> 3 & 1) as u64
}

/// ModRM of two registers.
const fn modrm(reg: Reg, rm: Reg) -> u64 {
    (0xc0 | (reg & 7) << 3 | rm & 7) as u64
}

impl Buffer {
    /// Encodes a rare record; `false` when it is control flow.
    pub(super) fn rare(&mut self, rare: Rare, record: &Record) -> bool {
        let &Record { a, b, c, imm, aux, .. } = record;
        match rare {
            Rare::MovImm => self.mov_imm(a, i64::from(aux) << 32 | i64::from(imm as u32)),
            Rare::LeaIndex => {
                let sib = u64::from(aux.trailing_zeros() << 6 & 0xc0) | u64::from((c & 7) << 3) | 5;
                let head = rex(true, a, c, 0) | 0x8d << 8 | u64::from((a & 7) << 3 | 4) << 16 | sib << 24;
                self.word_imm(head, 4, imm);
            }
            Rare::Divide => self.divide(c),
            Rare::Set => {
                self.set(imm, a);
                self.zero_extend(a);
            }
            // Equal means ZF and not PF. Only `cmov` and `set` read flags without writing them, and the op promises to keep the flags.
            Rare::SetFEq => self.set_float(a, cc::NP, 0),
            Rare::SetFNe => self.set_float(a, cc::P, 1),
            Rare::FloatOfInt => {
                // `cvtsi2sd` keeps the upper half, which would make it wait for whoever wrote the register before.
                self.sse(0, false, 0x57, a, a);
                self.sse(0xf2, true, 0x2a, a, b);
            }
            Rare::Trap => self.word(0x0b0f, 2),
            Rare::Flow => return false,
        }
        true
    }

    /// A constant in its shortest form; flags stay as they are, so never `xor`.
    pub(crate) fn mov_imm(&mut self, a: Reg, value: i64) {
        if let Ok(low) = u32::try_from(value) {
            let short = u64::from(0xb8 | a & 7);
            if a >= 8 { self.word_imm(0x41 | short << 8, 2, low as i32) } else { self.word_imm(short, 1, low as i32) }
        } else if let Ok(low) = i32::try_from(value) {
            self.word_imm(rex(true, 0, 0, a) | 0xc7 << 8 | modrm(0, a) << 16, 3, low);
        } else {
            self.put(rex(true, 0, 0, a) | u64::from(0xb8 | a & 7) << 8, 2, value as i32, 4, (value >> 32) as i32, 4);
        }
    }

    /// `rax` divided by `c`: quotient to `rax`, remainder to `rdx`. The 64-bit divider is several times slower than the 32-bit one on many processors, and
    /// most operands fit.
    fn divide(&mut self, c: Reg) {
        // mov r11, rax; or r11, c; shr r11, 32; jne wide
        self.mov(R11, RAX);
        self.word(rex(true, R11, 0, c) | 0x0b << 8 | modrm(R11, c) << 16, 3);
        self.word(rex(true, 0, 0, R11) | 0xc1 << 8 | modrm(5, R11) << 16 | 32 << 24, 4);
        let (short, short_len) = if c >= 8 { (0x41 | 0xf7 << 8 | modrm(6, c) << 16, 3) } else { (0xf7 | modrm(6, c) << 8, 2) };
        self.word(0x75 | (2 + short_len + 2) << 8, 2);
        // xor edx, edx; div c32; jmp done
        self.word(0x31 | modrm(RDX, RDX) << 8, 2);
        self.word(short, short_len as usize);
        self.word(0xeb | 5 << 8, 2);
        // wide: cqo; idiv c; done:
        self.word(0x9948, 2);
        self.word(rex(true, 0, 0, c) | 0xf7 << 8 | modrm(7, c) << 16, 3);
    }

    /// `setcc a8`
    fn set(&mut self, code: i32, a: Reg) {
        let byte = 0x0f | (0x90 | (code & 15) as u64) << 8 | modrm(0, a) << 16;
        if a >= 4 { self.word(rex(false, 0, 0, a) | byte << 8, 4) } else { self.word(byte, 3) }
    }

    /// `movzx a32, a8`
    fn zero_extend(&mut self, a: Reg) {
        let byte = 0x0f | 0xb6 << 8 | modrm(a, a) << 16;
        if a >= 4 { self.word(rex(false, a, 0, a) | byte << 8, 4) } else { self.word(byte, 3) }
    }

    /// `a` = when equal: does the code hold; else `otherwise`.
    fn set_float(&mut self, a: Reg, code: i32, otherwise: i64) {
        self.set(code, R11);
        self.zero_extend(R11);
        self.mov_imm(a, otherwise);
        self.word(rex(false, a, 0, R11) | 0x0f << 8 | (0x40 | cc::E as u64) << 16 | modrm(a, R11) << 24, 4);
    }

    /// An SSE instruction on two registers.
    fn sse(&mut self, prefix: u64, wide: bool, opcode: u64, reg: Reg, rm: Reg) {
        let (reg, rm) = (reg & 15, rm & 15);
        let mut head = prefix;
        let mut len = usize::from(prefix != 0);
        let rex = rex(wide, reg, 0, rm);
        if rex != 0x40 {
            head |= rex << (len * 8);
            len += 1;
        }
        head |= (0x0f | opcode << 8 | modrm(reg, rm) << 16) << (len * 8);
        self.word(head, len + 3);
    }
}
