//! Lengths of the instructions that the encoder writes, read from the bytes by a table of opcodes that shares nothing with the encoder's.

/// What an instruction is, as far as the verifier asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Shape {
    /// Straight on.
    Plain,
    /// `call rel32`
    Call,
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
    has_modrm: bool,
    /// Bytes of immediate.
    immediate: u8,
    /// Twice as many with 64-bit operands.
    is_wide: bool,
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
        _ => return Form { exists: false, has_modrm: false, immediate: 0, is_wide: false, shape: Shape::Plain },
    };
    Form { exists: true, has_modrm, immediate, is_wide: matches!(opcode, 0xb8..=0xbf), shape }
}

/// Reads one instruction.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let mut at = 0;
    let next = |at: &mut usize| {
        let byte = bytes.get(*at).copied();
        *at += 1;
        byte
    };
    let mut byte = next(&mut at)?;
    if matches!(byte, 0x66 | 0xf2) {
        byte = next(&mut at)?;
    }
    let mut is_wide = false;
    if byte & 0xf0 == 0x40 {
        is_wide = byte & 8 != 0;
        byte = next(&mut at)?;
    }
    let mut opcode = usize::from(byte);
    if byte == 0x0f {
        opcode = 0x100 | usize::from(next(&mut at)?);
    }
    let form = FORMS[opcode];
    if !form.exists {
        return None;
    }
    let shape = form.shape;
    let mut immediate = usize::from(form.immediate) << u8::from(is_wide & form.is_wide);
    let mut is_rip = false;
    if form.has_modrm {
        let modrm = next(&mut at)?;
        let (mode, rm) = (modrm >> 6, modrm & 7);
        // `test` is the only one of its group with an immediate.
        if byte == 0xf7 && modrm >> 3 & 7 == 0 {
            immediate = 4;
        }
        if mode != 3 {
            let base = if rm == 4 { next(&mut at)? & 7 } else { rm };
            is_rip = mode == 0 && rm == 5;
            at += match mode {
                1 => 1,
                2 => 4,
                _ if base == 5 => 4,
                _ => 0,
            };
        }
    }
    let operand = bytes.get(at..at + immediate)?;
    let distance = match (shape, operand) {
        (Shape::Plain, _) => 0,
        (_, &[byte]) => i64::from(byte as i8),
        (_, &[a, b, c, d]) => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => return None,
    };
    Some(Decoded { len: at + immediate, shape, distance, is_rip })
}
