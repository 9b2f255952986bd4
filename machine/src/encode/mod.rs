//! Records to bytes, table-driven.
//!
//! A walk that matches on the op of each record mispredicts once a record, and that costs several times what the encoding does
//! (`design/backend.md` §2). So almost every record is encoded by one straight piece of code from the [`table`] row of its op: the registers are ORed in,
//! eight bytes are stored whatever the length, then four of displacement and four of immediate, and the position advances by the length. The
//! few ops that are no single instruction leave by one branch to [`rare`]; control flow is in [`crate::finish`].

mod rare;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use table::{Kind, ROWS, Row};

use table::Imm;

use crate::ir::{Record, SlotRow};
use crate::ops::Op;
use crate::regs::{NONE, Reg};

/// Bytes being written.
#[derive(Default, Debug)]
pub struct Buffer {
    /// Longer than what is written, so that a store needs no check of its own.
    bytes: Vec<u8>,
    at: usize,
}

/// Room that one store may touch.
const CHUNK: usize = 32;

impl Buffer {
    /// An empty buffer with room.
    pub fn with_capacity(bytes: usize) -> Buffer {
        Buffer { bytes: vec![0; bytes + CHUNK], at: 0 }
    }

    /// Bytes written so far.
    #[inline]
    pub fn at(&self) -> u32 {
        self.at as u32
    }

    /// The bytes written so far.
    pub fn written(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// The bytes, to be kept.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at);
        // The vector lives as long as the code: give the room back.
        self.bytes.shrink_to_fit();
        self.bytes
    }

    #[cold]
    fn grow(&mut self) {
        let len = self.bytes.len();
        self.bytes.resize(len * 2 + CHUNK, 0);
    }

    /// Stores up to 16 bytes: `head`, then the low bytes of `disp`, then those of `imm`.
    #[inline]
    fn put(&mut self, head: u64, head_len: usize, disp: i32, disp_len: usize, imm: i32, imm_len: usize) {
        loop {
            if let Some(chunk) = self.bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<CHUNK>()) {
                chunk[..8].copy_from_slice(&head.to_le_bytes());
                let at = head_len & 15;
                chunk[at..at + 4].copy_from_slice(&disp.to_le_bytes());
                let at = (head_len + disp_len) & 15;
                chunk[at..at + 4].copy_from_slice(&imm.to_le_bytes());
                self.at += head_len + disp_len + imm_len;
                return;
            }
            self.grow();
        }
    }

    /// Stores up to eight bytes, the lowest first.
    #[inline]
    pub fn word(&mut self, bytes: u64, len: usize) {
        self.put(bytes, len, 0, 0, 0, 0);
    }

    /// Stores opcode bytes and a 32-bit operand after them.
    #[inline]
    pub fn word_imm(&mut self, bytes: u64, len: usize, imm: i32) {
        self.put(bytes, len, imm, 4, 0, 0);
    }

    /// Encodes a record whose row is not rare; the address of a [`Kind::Rip`] row is left 0 and ends the instruction.
    #[inline]
    pub(crate) fn plain(&mut self, row: &Row, record: &Record, slots: &[SlotRow]) {
        let regs = u64::from(record.a & 15) | u64::from(record.b & 15) << 16 | u64::from(record.c & 15) << 32;
        let reg = (regs >> row.reg & 15) as u32;
        let rm = (regs >> row.rm & 15) as u32 | u32::from(row.rm_fixed);
        let is_memory = u32::from(row.is_memory);
        let is_rip = u32::from(row.kind == Kind::Rip);

        let offset = slots.get((record.aux & row.slot_mask) as usize).map_or(0, |slot| slot.offset) & row.slot_mask as i32;
        let disp = (record.imm & row.disp_mask).wrapping_add(offset);
        let is_short = u32::from(disp as i8 as i32 == disp);
        let is_zero = u32::from(disp == 0 && rm & 7 != 5);
        // 0: no displacement; 1: one byte; 2: four bytes; 3: a register.
        let memory_mode = (2 - is_short) & is_zero.wrapping_sub(1);
        let mode = (3 - is_memory * (3 - memory_mode)) & is_rip.wrapping_sub(1);
        let disp_len = (0x0004_0100 >> (mode * 8) & 0xff) | is_rip << 2;

        let has_index = row.has_index && record.c != NONE;
        let index = if has_index { u32::from(record.c & 15) } else { 4 };
        let has_sib = is_memory & (u32::from(has_index) | u32::from(rm & 7 == 4));
        let rm_field = if has_sib != 0 { 4 } else { (rm & 7) | (is_rip * 5) };
        let modrm = mode << 6 | (reg & 7) << 3 | u32::from(row.digit) | rm_field;
        let sib = record.aux.trailing_zeros() << 6 | (index & 7) << 3 | rm & 7;

        let rex = 0x40 | u32::from(row.rex) | reg >> 3 << 2 | index >> 3 << 1 | rm >> 3;
        let needs_rex = u32::from(rex != 0x40 || row.byte_reg && reg >= 4 || row.byte_rm && rm >= 4);

        let is_small = row.imm == Imm::Byte || row.imm == Imm::Fitting && record.imm as i8 as i32 == record.imm;
        let imm_len = if row.imm == Imm::No { 0 } else { 4 - 3 * usize::from(is_small) };
        let opcode = row.opcode | u16::from(row.imm == Imm::Fitting && is_small) << 1 | (record.imm as u16 & row.cc_mask) << 8;

        let mut head = u64::from(row.prefix);
        let mut at = u32::from(row.prefix != 0) * 8;
        head |= u64::from(rex & needs_rex.wrapping_neg()) << at;
        at += needs_rex * 8;
        head |= u64::from(opcode) << at;
        at += u32::from(row.opcode_len) * 8;
        head |= u64::from(modrm) << at;
        at += 8;
        head |= u64::from(sib & 0xff & has_sib.wrapping_neg()) << at;
        at += has_sib * 8;
        self.put(head, (at / 8) as usize, disp & is_rip.wrapping_sub(1) as i32, disp_len as usize, record.imm, imm_len);
    }

    /// Encodes one record that is not control flow and not relocated. `false` when it is one of those.
    pub fn record(&mut self, record: &Record, slots: &[SlotRow]) -> bool {
        let row = &ROWS[record.op as usize];
        match row.kind {
            Kind::Plain => {
                self.plain(row, record, slots);
                true
            }
            Kind::Rip => false,
            Kind::Rare(rare) => self.rare(rare, record),
        }
    }

    /// `mov a, b` between general registers.
    pub(crate) fn mov(&mut self, a: Reg, b: Reg) {
        self.record(&Record { op: Op::Mov, a, b, c: NONE, imm: 0, aux: 0 }, &[]);
    }

    /// Patches a byte.
    pub(crate) fn patch_byte(&mut self, at: usize, value: i8) {
        if let Some(byte) = self.bytes.get_mut(at) {
            *byte = value as u8;
        }
    }
}
