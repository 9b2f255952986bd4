//! Lengths of the instructions that the encoder writes, read from the bytes by a table of opcodes that shares nothing with the encoder's.

/// What an instruction is, as far as the verifier asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Shape {
    /// Straight on.
    Plain,
    /// `call rel32`
    Call,
    /// `call [memory]`
    CallMemory,
    /// `jmp rel32`, of which the target may be a relocation.
    JumpNear,
    /// Any other relative branch.
    Branch,
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoded {
    pub(super) len: usize,
    pub(super) shape: Shape,
    /// Displacement of a branch or call.
    pub(super) distance: i64,
    /// The operand is relative to `rip`.
    pub(super) is_rip: bool,
}

/// What follows an opcode.
#[derive(Clone, Copy)]
struct Form {
    exists: bool,
    /// What of the row of its ModRM byte counts: all or nothing.
    modrm: u8,
    /// Bytes of immediate.
    immediate: u8,
    /// Twice as many with 64-bit operands.
    is_wide: bool,
    /// Bytes of immediate of the one of its group that has the opcode digit 0.
    of_digit_0: u8,
    shape: Shape,
}

/// Of each opcode; those after `0f` come last.
static FORMS: [Form; 512] = {
    let mut forms = [form(0); 512];
    let mut at = 0;
    while at < 512 {
        forms[at] = form(if at < 256 { at as u16 } else { 0x0e00 + at as u16 });
        at += 1;
    }
    forms
};

const fn form(opcode: u16) -> Form {
    let (has_modrm, immediate, shape) = match opcode {
        0x50..=0x5f | 0x99 | 0xc3 | 0xc9 | 0x0f0b => (false, 0, Shape::Plain),
        0x03 | 0x0b | 0x23 | 0x2b | 0x31 | 0x33 | 0x39 | 0x3b | 0x85 | 0x87 | 0x88 | 0x89 | 0x8b | 0x8d | 0xd3 => (true, 0, Shape::Plain),
        0x69 | 0x81 | 0xc7 => (true, 4, Shape::Plain),
        0x6b | 0x83 | 0xc1 => (true, 1, Shape::Plain),
        0xf7 => (true, 0, Shape::Plain),
        0xb8..=0xbf => (false, 4, Shape::Plain),
        0x70..=0x7f | 0xeb => (false, 1, Shape::Branch),
        0x0f80..=0x0f8f => (false, 4, Shape::Branch),
        0xe8 => (false, 4, Shape::Call),
        // Digit 2 is a call; digits 0 and 1 count.
        0xff => (true, 0, Shape::CallMemory),
        0xe9 => (false, 4, Shape::JumpNear),
        0x0f10
        | 0x0f11
        | 0x0f28
        | 0x0f2a
        | 0x0f2c
        | 0x0f2e
        | 0x0f40..=0x0f4f
        | 0x0f51
        | 0x0f54
        | 0x0f57..=0x0f59
        | 0x0f5c
        | 0x0f5e
        | 0x0f6e
        | 0x0f7e
        | 0x0f90..=0x0f9f
        | 0x0faf
        | 0x0fb6 => (true, 0, Shape::Plain),
        _ => return Form { exists: false, modrm: 0, immediate: 0, is_wide: false, of_digit_0: 0, shape: Shape::Plain },
    };
    let modrm = if has_modrm { u8::MAX } else { 0 };
    // `test` is the only one of its group with an immediate.
    let of_digit_0 = if opcode == 0xf7 { 4 } else { 0 };
    Form { exists: true, modrm, immediate, is_wide: matches!(opcode, 0xb8..=0xbf), of_digit_0, shape }
}

/// What a ModRM byte says, in one byte.
mod modrm {
    /// Bytes from the ModRM byte on, but for what the SIB byte adds.
    pub const LEN: u8 = 15;
    /// A SIB byte follows whose base, when it is 5, means four bytes of displacement.
    pub const MAYBE_MORE: u8 = 16;
    /// Relative to `rip`.
    pub const RIP: u8 = 32;
    /// The opcode digit is 0; four times what is above [`LEN`] masks.
    pub const DIGIT_0: u8 = 4 << 4;
}

/// Of each ModRM byte.
static MODRM: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mode, digit, rm) = (byte >> 6, byte >> 3 & 7, byte & 7);
        let mut row = 1;
        if mode != 3 {
            row += (rm == 4) as u8;
            row += match (mode, rm) {
                (1, _) => 1,
                (2, _) | (_, 5) => 4,
                _ => 0,
            };
            if mode == 0 && rm == 4 {
                row |= modrm::MAYBE_MORE;
            }
            if mode == 0 && rm == 5 {
                row |= modrm::RIP;
            }
        }
        if digit == 0 {
            row |= modrm::DIGIT_0;
        }
        table[byte] = row;
        byte += 1;
    }
    table
};

/// Reads one instruction.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let mut word = match bytes.first_chunk() {
        Some(&chunk) => u64::from_le_bytes(chunk),
        None => last_bytes(bytes),
    };
    let mut len = 0;
    if matches!(word as u8, 0x64 | 0x66 | 0xf2) {
        word >>= 8;
        len = 1;
    }
    let is_rex = word & 0xf0 == 0x40;
    let is_wide = is_rex & (word & 8 != 0);
    word >>= u32::from(is_rex) * 8;
    let is_two = word & 0xff == 0x0f;
    word >>= u32::from(is_two) * 8;
    len += usize::from(is_rex) + usize::from(is_two) + 1;
    let form = &FORMS[usize::from(word as u8) | usize::from(is_two) << 8];
    let row = MODRM[(word >> 8) as usize & 0xff] & form.modrm;
    len += usize::from(row & modrm::LEN);
    if row & modrm::MAYBE_MORE != 0 && word >> 16 & 7 == 5 {
        len += 4;
    }
    let immediate = usize::from(form.immediate) << u8::from(is_wide & form.is_wide) | usize::from(row >> 4 & form.of_digit_0);
    let end = len + immediate;
    if !form.exists | (end > bytes.len()) {
        return None;
    }
    let (mut shape, is_rip) = (form.shape, row & modrm::RIP != 0);
    if shape == Shape::CallMemory && word >> 11 & 7 != 2 {
        shape = Shape::Plain;
    }
    if matches!(shape, Shape::Plain | Shape::CallMemory) {
        return Some(Decoded { len: end, shape, distance: 0, is_rip });
    }
    let distance = match *bytes.get(len..end)? {
        [byte] => i64::from(byte as i8),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => return None,
    };
    Some(Decoded { len: end, shape, distance, is_rip })
}

/// The bytes at the end of a function, with zeros behind them. What needs more of them than there are is too long.
#[cold]
fn last_bytes(bytes: &[u8]) -> u64 {
    let mut chunk = [0; 8];
    for (to, &from) in chunk.iter_mut().zip(bytes) {
        *to = from;
    }
    u64::from_le_bytes(chunk)
}
