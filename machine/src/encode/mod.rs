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

    /// The bytes written so far, and the room behind them.
    pub(crate) fn with_room(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written, and keeps the room.
    pub fn clear(&mut self) {
        self.at = 0;
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

    /// As [`Self::put`], without a displacement.
    #[inline]
    fn put_imm(&mut self, head: u64, head_len: usize, imm: i32, imm_len: usize) {
        loop {
            if let Some(chunk) = self.bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<CHUNK>()) {
                chunk[..8].copy_from_slice(&head.to_le_bytes());
                let at = head_len & 15;
                chunk[at..at + 4].copy_from_slice(&imm.to_le_bytes());
                self.at += head_len + imm_len;
                return;
            }
            self.grow();
        }
    }

    /// Stores up to eight bytes, the lowest first.
    #[inline]
    pub fn word(&mut self, bytes: u64, len: usize) {
        self.put_imm(bytes, len, 0, 0);
    }

    /// Stores opcode bytes and a 32-bit operand after them.
    #[inline]
    pub fn word_imm(&mut self, bytes: u64, len: usize, imm: i32) {
        self.put_imm(bytes, len, imm, 4);
    }

    /// Encodes a record whose row is not rare; the address of a [`Kind::Rip`] row is left 0 and ends the instruction.
    #[inline]
    pub(crate) fn plain(&mut self, row: &Row, record: &Record, slots: &[SlotRow]) {
        if row.is_memory || row.kind == Kind::Rip { self.addressed(row, record, slots) } else { self.direct(row, record) }
    }

    /// All operands in registers.
    #[inline]
    fn direct(&mut self, row: &Row, record: &Record) {
        let (reg, rm) = row.operands(record);
        if row.modrm_at != 0 {
            let is_small = u64::from(row.is_fitting && record.imm as i8 as i32 == record.imm);
            let (high, low) = (u64::from(reg >> 3 << 2 | rm >> 3), u64::from((reg & 7) << 3 | rm & 7));
            let head = row.template | high | low << (row.modrm_at & 63) | is_small << 9;
            self.put_imm(head, usize::from(row.modrm_at / 8 + 1), record.imm, usize::from(row.imm_len) - 3 * is_small as usize);
            return;
        }
        let modrm = 0xc0 | (reg & 7) << 3 | u32::from(row.digit) | rm & 7;
        let rex = 0x40 | u32::from(row.rex) | reg >> 3 << 2 | rm >> 3;
        let needs_rex = u32::from(rex != 0x40 || row.byte_rm && rm >= 4);
        let is_small = u32::from(row.is_fitting && record.imm as i8 as i32 == record.imm);
        let imm_len = usize::from(row.imm_len) - 3 * is_small as usize;
        let opcode = u32::from(row.opcode) | is_small << 1 | (record.imm as u32 & u32::from(row.cc_mask)) << 8;

        let mut head = u64::from(row.prefix);
        let mut at = u32::from(row.prefix_len);
        head |= u64::from(rex & needs_rex.wrapping_neg()) << at;
        at += needs_rex * 8;
        head |= u64::from(opcode | modrm << row.opcode_len) << at;
        at += u32::from(row.opcode_len) + 8;
        self.put_imm(head, (at / 8) as usize, record.imm, imm_len);
    }

    /// One operand in memory.
    fn addressed(&mut self, row: &Row, record: &Record, slots: &[SlotRow]) {
        let (reg, rm) = row.operands(record);
        let is_memory = u32::from(row.is_memory);
        let is_rip = 1 - is_memory;

        let offset = slots.get((record.aux & row.slot_mask) as usize).map_or(0, |slot| slot.offset) & row.slot_mask as i32;
        let disp = (record.imm & row.disp_mask).wrapping_add(offset);
        let is_short = u32::from(disp as i8 as i32 == disp);
        let is_zero = u32::from(disp == 0 && rm & 7 != 5);
        // 0: no displacement; 1: one byte; 2: four bytes. An address relative to `rip` has four, and says 0.
        let mode = (2 - is_short) & is_zero.wrapping_sub(1) & is_rip.wrapping_sub(1);
        let disp_len = (mode * mode) | is_rip << 2;

        let has_index = row.has_index && record.c != NONE;
        let index = if has_index { u32::from(record.c & 15) } else { 4 };
        let has_sib = is_memory & (u32::from(has_index) | u32::from(rm & 7 == 4));
        let rm_field = if has_sib != 0 { 4 } else { (rm & 7) | (is_rip * 5) };
        let modrm = mode << 6 | (reg & 7) << 3 | u32::from(row.digit) | rm_field;
        let sib = record.aux.trailing_zeros() << 6 | (index & 7) << 3 | rm & 7;

        let rex = 0x40 | u32::from(row.rex) | reg >> 3 << 2 | index >> 3 << 1 | rm >> 3;
        let needs_rex = u32::from(rex != 0x40 || row.byte_reg && reg >= 4);

        let is_small = u32::from(row.is_fitting && record.imm as i8 as i32 == record.imm);
        let imm_len = usize::from(row.imm_len) - 3 * is_small as usize;
        let opcode = u32::from(row.opcode) | is_small << 1 | (record.imm as u32 & u32::from(row.cc_mask)) << 8;

        let mut head = u64::from(row.prefix);
        let mut at = u32::from(row.prefix_len);
        head |= u64::from(rex & needs_rex.wrapping_neg()) << at;
        at += needs_rex * 8;
        head |= u64::from(opcode | modrm << row.opcode_len) << at;
        at += u32::from(row.opcode_len) + 8;
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
