//! One row an op, beside its row in [`crate::ops`]: opcode bytes, width, where the operands go, immediates.

use crate::ir::Record;
use crate::ops::Op;

/// How the record is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// By the row alone.
    Plain,
    /// By the row, and its address is a relocation.
    Rip,
    /// By code of its own.
    Rare(Rare),
}

/// What is encoded by code of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Rare {
    MovImm,
    LeaIndex,
    Divide,
    Set,
    SetFEq,
    SetFNe,
    FloatOfInt,
    Trap,
    /// Control flow, which [`crate::finish`] writes.
    Flow,
}

/// How the immediate of the record follows the address, if it does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Imm {
    /// One byte.
    Byte,
    /// Four bytes.
    Long,
    /// One byte, and bit 1 of the opcode set, when it fits; else four.
    Fitting,
}

/// The row of an op.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(super) kind: Kind,
    /// `0x66`, `0xf2`, or 0 for none.
    pub(super) prefix: u8,
    /// Its length in bits.
    pub(super) prefix_len: u8,
    /// 8 for 64-bit operands.
    pub(super) rex: u8,
    /// One opcode byte, or `0x0f` and the second one above it.
    pub(super) opcode: u16,
    /// Its length in bits.
    pub(super) opcode_len: u8,
    /// Bit position, in the record's registers, of the operand in ModRM.reg; [`ABSENT`] for none.
    pub(super) reg: u8,
    /// Opcode digit in ModRM.reg, shifted.
    pub(super) digit: u8,
    /// Bit position of the operand in ModRM.rm, a register or the base of an address.
    pub(super) rm: u8,
    /// ORed to that operand: `rbp` for slots.
    pub(super) rm_fixed: u8,
    /// 1 for an address, 0 for a register in ModRM.rm.
    pub(super) is_memory: bool,
    /// `c` is an index, unless it is absent.
    pub(super) has_index: bool,
    /// All ones when the immediate is a displacement.
    pub(super) disp_mask: i32,
    /// All ones when `aux` names a slot.
    pub(super) slot_mask: u32,
    /// Bytes of the immediate, 4 for one that may fit into one byte.
    pub(super) imm_len: u8,
    /// One byte, and bit 1 of the opcode set, when the immediate fits.
    pub(super) is_fitting: bool,
    /// 15 when the immediate is a condition code, part of the second opcode byte.
    pub(super) cc_mask: u16,
    /// All bytes but the registers, when the row is 64-bit with all operands in registers: REX, opcode, ModRM.
    pub(super) template: u64,
    /// Bit position of ModRM in it; 0 when there is none.
    pub(super) modrm_at: u8,
    /// ModRM.reg is an 8-bit register: numbers 4 to 7 need a REX prefix.
    pub(super) byte_reg: bool,
    /// ModRM.rm is an 8-bit register.
    pub(super) byte_rm: bool,
}

/// Bit position in the record's registers at which there is nothing.
const ABSENT: u8 = 0;
const A: u8 = 16;
const B: u8 = 32;
const C: u8 = 48;

const BASE: Row = Row {
    kind: Kind::Rare(Rare::Flow),
    prefix: 0,
    prefix_len: 0,
    rex: 0,
    opcode: 0,
    opcode_len: 8,
    reg: ABSENT,
    digit: 0,
    rm: ABSENT,
    rm_fixed: 0,
    is_memory: false,
    has_index: false,
    disp_mask: 0,
    slot_mask: 0,
    imm_len: 0,
    is_fitting: false,
    cc_mask: 0,
    template: 0,
    modrm_at: 0,
    byte_reg: false,
    byte_rm: false,
};

const fn rare(kind: Rare) -> Row {
    Row { kind: Kind::Rare(kind), ..BASE }
}

/// A one-byte opcode with 64-bit operands.
const fn wide(opcode: u8) -> Row {
    Row { rex: 8, opcode: opcode as u16, ..BASE }
}

/// A one-byte opcode with smaller operands.
const fn narrow(opcode: u8) -> Row {
    Row { opcode: opcode as u16, ..BASE }
}

/// `0f` and a second byte, after a prefix (0 for none).
const fn two(prefix: u8, rex: u8, opcode: u8) -> Row {
    Row { prefix, prefix_len: 8 * (prefix != 0) as u8, rex, opcode: 0x0f | (opcode as u16) << 8, opcode_len: 16, ..BASE }
}

impl Row {
    /// How it is encoded.
    #[inline]
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Both operands in registers.
    const fn registers(self, reg: u8, rm: u8) -> Row {
        Row { kind: Kind::Plain, reg, rm, ..self }
    }

    /// One operand in a register and an opcode digit.
    const fn digit(self, digit: u8, rm: u8) -> Row {
        Row { kind: Kind::Plain, digit: digit << 3, rm, ..self }
    }

    /// A register and the address `[b + c * aux + imm]`.
    const fn memory(self, reg: u8) -> Row {
        Row { kind: Kind::Plain, reg, rm: B, is_memory: true, has_index: true, disp_mask: -1, ..self }
    }

    /// A register and the slot `aux`, at displacement `imm`.
    const fn slot(self, reg: u8) -> Row {
        Row { kind: Kind::Plain, reg, rm_fixed: 5, is_memory: true, disp_mask: -1, slot_mask: u32::MAX, ..self }
    }

    /// A slot whose displacement is 0, because the immediate is an operand or a condition.
    const fn whole_slot(self, reg: u8, digit: u8) -> Row {
        Row { disp_mask: 0, digit: digit << 3, ..self.slot(reg) }
    }

    /// A register and a relocated address.
    const fn constant(self, reg: u8) -> Row {
        Row { kind: Kind::Rip, reg, ..self }
    }

    const fn imm(self, imm: Imm) -> Row {
        let (imm_len, is_fitting) = match imm {
            Imm::Byte => (1, false),
            Imm::Long => (4, false),
            Imm::Fitting => (4, true),
        };
        Row { imm_len, is_fitting, ..self }
    }

    /// The operands in ModRM.reg and ModRM.rm.
    #[inline]
    pub(super) fn operands(&self, record: &Record) -> (u32, u32) {
        // The first word of the record as it lies in memory; of the op, which is where absent operands are, nothing is kept.
        let regs = u64::from(record.a) << A | u64::from(record.b) << B | u64::from(record.c) << C;
        let (reg, rm) = (regs >> (self.reg & 63) & 15, regs >> (self.rm & 63) & 15);
        (reg as u32, rm as u32 | u32::from(self.rm_fixed))
    }

    const fn condition(self) -> Row {
        Row { cc_mask: 15, ..self }
    }
}

const fn row(op: Op) -> Row {
    match op {
        Op::Mov => wide(0x8b).registers(A, B),
        Op::MovF => two(0, 0, 0x28).registers(A, B),
        Op::LoadConst => two(0xf2, 0, 0x10).constant(A),
        Op::ZeroF => two(0, 0, 0x57).registers(A, A),
        Op::LeaData | Op::LeaFunction => wide(0x8d).constant(A),
        Op::LeaSlot => wide(0x8d).slot(A),
        Op::LoadSlot => wide(0x8b).slot(A),
        Op::LoadSlotF => two(0xf2, 0, 0x10).slot(A),
        Op::StoreSlot => wide(0x89).slot(A),
        Op::StoreSlotF => two(0xf2, 0, 0x11).slot(A),
        Op::StoreSlotImm => wide(0xc7).whole_slot(ABSENT, 0).imm(Imm::Long),
        Op::Load => wide(0x8b).memory(A),
        Op::Load32 => narrow(0x8b).memory(A),
        Op::Load8 => two(0, 0, 0xb6).memory(A),
        Op::LoadF => two(0xf2, 0, 0x10).memory(A),
        Op::Store => wide(0x89).memory(A),
        Op::Store32 => narrow(0x89).memory(A),
        Op::Store8 => Row { byte_reg: true, ..narrow(0x88).memory(A) },
        Op::StoreF => two(0xf2, 0, 0x11).memory(A),
        Op::Lea => wide(0x8d).memory(A),
        Op::Add => wide(0x03).registers(A, C),
        Op::AddImm => wide(0x81).digit(0, A).imm(Imm::Fitting),
        Op::AddSlot => wide(0x03).slot(A),
        Op::Sub => wide(0x2b).registers(A, C),
        Op::SubImm => wide(0x81).digit(5, A).imm(Imm::Fitting),
        Op::SubSlot => wide(0x2b).slot(A),
        Op::And => wide(0x23).registers(A, C),
        Op::AndImm => wide(0x81).digit(4, A).imm(Imm::Fitting),
        Op::AndSlot => wide(0x23).slot(A),
        Op::Or => wide(0x0b).registers(A, C),
        Op::OrImm => wide(0x81).digit(1, A).imm(Imm::Fitting),
        Op::OrSlot => wide(0x0b).slot(A),
        Op::Xor => wide(0x33).registers(A, C),
        Op::XorImm => wide(0x81).digit(6, A).imm(Imm::Fitting),
        Op::XorSlot => wide(0x33).slot(A),
        Op::Imul => two(0, 8, 0xaf).registers(A, C),
        Op::ImulImm => wide(0x69).registers(A, B).imm(Imm::Fitting),
        Op::ImulSlot => two(0, 8, 0xaf).slot(A),
        Op::ImulImmSlot => wide(0x69).whole_slot(A, 0).imm(Imm::Fitting),
        Op::Neg => wide(0xf7).digit(3, A),
        Op::Not => wide(0xf7).digit(2, A),
        Op::ShlImm => wide(0xc1).digit(4, A).imm(Imm::Byte),
        Op::ShrImm => wide(0xc1).digit(5, A).imm(Imm::Byte),
        Op::SarImm => wide(0xc1).digit(7, A).imm(Imm::Byte),
        Op::Shl => wide(0xd3).digit(4, A),
        Op::Shr => wide(0xd3).digit(5, A),
        Op::Sar => wide(0xd3).digit(7, A),
        Op::MulHigh => wide(0xf7).digit(5, C),
        Op::Trunc32 => narrow(0x8b).registers(A, B),
        Op::Trunc8 => Row { byte_rm: true, ..two(0, 0, 0xb6).registers(A, B) },
        Op::Cmp => wide(0x3b).registers(B, C),
        Op::CmpImm => wide(0x81).digit(7, B).imm(Imm::Fitting),
        Op::CmpSlot => wide(0x3b).slot(B),
        Op::CmpImmSlot => wide(0x81).whole_slot(ABSENT, 7).imm(Imm::Fitting),
        Op::Test => wide(0x85).registers(C, B),
        Op::TestImm => wide(0xf7).digit(0, B).imm(Imm::Long),
        Op::Ucomi => two(0x66, 0, 0x2e).registers(B, C),
        Op::UcomiSlot => two(0x66, 0, 0x2e).slot(B),
        Op::UcomiConst => two(0x66, 0, 0x2e).constant(B),
        Op::Cmov => two(0, 8, 0x40).registers(A, C).condition(),
        Op::CmovSlot => two(0, 8, 0x40).whole_slot(A, 0).condition(),
        Op::AddF => two(0xf2, 0, 0x58).registers(A, C),
        Op::AddFSlot => two(0xf2, 0, 0x58).slot(A),
        Op::AddFConst => two(0xf2, 0, 0x58).constant(A),
        Op::SubF => two(0xf2, 0, 0x5c).registers(A, C),
        Op::SubFSlot => two(0xf2, 0, 0x5c).slot(A),
        Op::SubFConst => two(0xf2, 0, 0x5c).constant(A),
        Op::MulF => two(0xf2, 0, 0x59).registers(A, C),
        Op::MulFSlot => two(0xf2, 0, 0x59).slot(A),
        Op::MulFConst => two(0xf2, 0, 0x59).constant(A),
        Op::DivF => two(0xf2, 0, 0x5e).registers(A, C),
        Op::DivFSlot => two(0xf2, 0, 0x5e).slot(A),
        Op::DivFConst => two(0xf2, 0, 0x5e).constant(A),
        Op::SqrtF => two(0xf2, 0, 0x51).registers(A, B),
        Op::XorFConst => two(0, 0, 0x57).constant(A),
        Op::AndFConst => two(0, 0, 0x54).constant(A),
        Op::IntOfFloat => two(0xf2, 8, 0x2c).registers(A, B),
        Op::BitsOfFloat => two(0x66, 8, 0x7e).registers(B, A),
        Op::FloatOfBits => two(0x66, 8, 0x6e).registers(A, B),
        Op::Increment => narrow(0xff).memory(ABSENT),
        Op::Decrement => Row { digit: 1 << 3, ..narrow(0xff).memory(ABSENT) },
        Op::MovImm => rare(Rare::MovImm),
        Op::LeaIndex => rare(Rare::LeaIndex),
        Op::Div | Op::Rem => rare(Rare::Divide),
        Op::Set => rare(Rare::Set),
        Op::SetFEq => rare(Rare::SetFEq),
        Op::SetFNe => rare(Rare::SetFNe),
        Op::FloatOfInt => rare(Rare::FloatOfInt),
        Op::Trap => rare(Rare::Trap),
        Op::Alloc | Op::Free | Op::Stub | Op::Panic | Op::Call | Op::JumpIf | Op::Jump | Op::Return | Op::TailCall | Op::Resume => {
            rare(Rare::Flow)
        }
    }
}

/// The rows in table order.
pub(crate) static ROWS: [Row; Op::ALL.len()] = {
    let mut rows = [BASE; Op::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = with_template(row(Op::ALL[at]));
        at += 1;
    }
    rows
};

const fn with_template(row: Row) -> Row {
    let is_simple = matches!(row.kind, Kind::Plain) && !row.is_memory && row.rex == 8 && row.prefix_len == 0 && row.cc_mask == 0;
    if !is_simple {
        return row;
    }
    let modrm_at = 8 + row.opcode_len;
    let template = 0x48 | (row.opcode as u64) << 8 | (0xc0 | row.digit as u64) << modrm_at;
    Row { template, modrm_at, ..row }
}
