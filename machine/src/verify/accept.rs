//! Most records are right, and one look at masks says so.
//!
//! The rules of a record stand in [`super::records`], one after another, each with its fault. Walking them costs a hundred instructions a record at each
//! of three boundaries. So they are digested into a row an op, when this crate is built, by asking which operands and words could pass; a record that the
//! row accepts breaks no rule, and any other is judged in full. A test asks both about random records: they must agree.

use super::{DEFINED, GP, NODE, NOTHING, XMM, row_of};
use crate::finish::NEAR;
use crate::ir::Record;
use crate::ops::{AuxKind, Flags, ImmKind, Op, Role};
use crate::regs::{CALLER_SAVED, Class, NONE, R11, RAX, RBP, RDX, RSP, Reg, RegSet, bit, class_of};

/// What is left to ask when operands and words are accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum More {
    Nothing,
    /// A scale of an index.
    Scale,
    /// An access to a slot, of so many bytes at the displacement.
    Slot,
    /// The row of a stub.
    Stub,
    /// The row of a call.
    Call,
    /// The row of an edge.
    Edge,
    Resume,
}

/// Reads flags; and, of the place of a record: flags are set.
pub(super) const READS: u8 = 1;
/// Ends a block; and, of the place of a record: it is the last one.
pub(super) const ENDS: u8 = 2;

/// The rules of an op as masks.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Row {
    /// Where each operand may be after allocation: bit 0 for nowhere, bit n + 1 for register n.
    places: [u64; 3],
    /// All ones when `b` must be where `a` is.
    tied: u16,
    /// All ones when `a` is written.
    defines: RegSet,
    /// Registers destroyed besides.
    clobbers: RegSet,
    /// What each operand may not be before allocation, in the bits of the column of virtual registers.
    barred: [u8; 3],
    /// All ones for the operands that are read.
    reads: [u32; 3],
    /// Bits of the immediate that must be zero, and those of them that a laid branch may have.
    imm: i32,
    near: i32,
    /// Index into [`Limits`].
    pub(super) aux: u8,
    /// What may bar the record from its place: [`READS`] unless flags are set, [`ENDS`] unless it is the last one. Of those that stand before it, what
    /// is kept, and what is set.
    flags: u8,
    keeps_flags: u8,
    sets_flags: u8,
    pub(super) more: More,
    /// Bytes of the slot that are touched, and whether the immediate is where.
    pub(super) slot_bytes: u8,
    pub(super) has_displacement: bool,
}

/// Rows of the table that `aux` names, by [`Row::aux`]; one more than the largest `aux` otherwise.
pub(super) type Limits = [u64; 16];

const fn aux_number(kind: AuxKind) -> u8 {
    match kind {
        AuxKind::No => 0,
        AuxKind::Scale => 1,
        AuxKind::Value => 2,
        AuxKind::Slot => 3,
        AuxKind::Constant => 4,
        AuxKind::Data => 5,
        AuxKind::Edge => 6,
        AuxKind::Stub => 7,
        AuxKind::Call => 8,
        AuxKind::Function => 9,
    }
}

/// The limits of a function with tables of these sizes.
pub(super) fn limits([slots, constants, data, edges, stubs, calls, functions]: [usize; 7]) -> Limits {
    let any = 1 << 32;
    let (slots, constants, data) = (slots as u64, constants as u64, data as u64);
    let (edges, stubs, calls, functions) = (edges as u64, stubs as u64, calls as u64, functions as u64);
    [1, any, any, slots, constants, data, edges, stubs, calls, functions, 0, 0, 0, 0, 0, 0]
}

/// A place as a bit: none, a register, or something that is no place at all.
#[inline]
const fn place(reg: Reg) -> u64 {
    let number = reg.wrapping_add(1);
    1 << if number < 63 { number } else { 63 }
}

/// Copies go through the scratch registers, and nothing else does.
pub(super) const fn is_copy(op: Op) -> bool {
    matches!(
        op,
        Op::Mov
            | Op::MovF
            | Op::MovImm
            | Op::LoadConst
            | Op::ZeroF
            | Op::LeaData
            | Op::LeaSlot
            | Op::LoadSlot
            | Op::LoadSlotF
            | Op::StoreSlot
            | Op::StoreSlotF
    )
}

const fn places_of_class(op: Op, class: Class) -> u64 {
    let mut set = 0;
    let mut reg: Reg = 0;
    while reg < 32 {
        let is_right = matches!((class_of(reg), class), (Class::Gp, Class::Gp) | (Class::Xmm, Class::Xmm));
        let is_reserved = reg == RSP || reg == RBP || !is_copy(op) && (reg == R11 || reg == 31);
        if is_right && !is_reserved {
            set |= place(reg);
        }
        reg += 1;
    }
    set
}

const fn row(op: Op) -> Row {
    let info = op.info();
    let mut row = Row {
        places: [place(NONE); 3],
        tied: 0,
        defines: 0,
        clobbers: info.clobbers,
        barred: [(GP | XMM) as u8; 3],
        reads: [0; 3],
        imm: 0,
        near: 0,
        aux: aux_number(info.aux),
        flags: if matches!(info.flags, Flags::Reads) { READS } else { 0 } | if info.ends { ENDS } else { 0 },
        keeps_flags: if matches!(info.flags, Flags::Keeps | Flags::Reads) { READS } else { 0 },
        sets_flags: if matches!(info.flags, Flags::Sets) { READS } else { 0 },
        more: More::Nothing,
        slot_bytes: 8,
        has_displacement: matches!(info.imm, ImmKind::Displacement),
    };
    let mut at = 0;
    while at < 3 {
        let role = info.roles[at];
        let class = match role {
            Role::Def(class) | Role::Use(class) | Role::Tied(class) => class,
            Role::No | Role::DefIn(_) | Role::UseIn(_) | Role::Base | Role::Index => Class::Gp,
        };
        if !matches!(role, Role::No) {
            row.places[at] = match role {
                Role::DefIn(reg) | Role::UseIn(reg) => places_of_class(op, class) & place(reg),
                Role::No | Role::Def(_) | Role::Use(_) | Role::Tied(_) | Role::Base | Role::Index => places_of_class(op, class),
            };
            row.barred[at] = match class {
                Class::Gp => (XMM | NOTHING) as u8,
                Class::Xmm => (GP | NOTHING) as u8,
            };
            row.reads[at] = u32::MAX << NODE | DEFINED;
        }
        match role {
            Role::Def(_) | Role::DefIn(_) => {
                row.reads[at] = 0;
                row.barred[at] |= DEFINED as u8;
                row.defines = RegSet::MAX;
            }
            // An address without an index has a base.
            Role::Index if !matches!(info.roles[1], Role::No) => {
                row.places[at] |= place(NONE);
                row.barred[at] &= !(NOTHING as u8);
            }
            Role::Tied(_) => row.tied = u16::MAX,
            Role::No | Role::Use(_) | Role::UseIn(_) | Role::Base | Role::Index => {}
        }
        at += 1;
    }
    if matches!(op, Op::Div | Op::Rem) {
        row.places[2] &= !(place(RAX) | place(RDX) | place(R11));
    }
    row.imm = match info.imm {
        ImmKind::No => -1,
        ImmKind::Condition => !15,
        ImmKind::Value if matches!(op, Op::ShlImm | Op::ShrImm | Op::SarImm) => !63,
        ImmKind::Value | ImmKind::Displacement | ImmKind::Wide => 0,
    };
    if matches!(op, Op::Jump | Op::JumpIf | Op::Stub) {
        row.near = NEAR;
    }
    if matches!(info.imm, ImmKind::Wide) {
        row.aux = aux_number(AuxKind::Value);
    }
    row.more = match info.aux {
        AuxKind::Scale => More::Scale,
        AuxKind::Slot => More::Slot,
        AuxKind::Stub => More::Stub,
        AuxKind::Call => More::Call,
        AuxKind::No if matches!(op, Op::Resume) => More::Resume,
        AuxKind::Edge => More::Edge,
        AuxKind::No | AuxKind::Value | AuxKind::Constant | AuxKind::Data | AuxKind::Function => More::Nothing,
    };
    if matches!(op, Op::LeaSlot) {
        row.slot_bytes = 0;
    }
    if matches!(op, Op::Call) {
        row.clobbers |= CALLER_SAVED;
    }
    row
}

/// The rows in table order.
pub(super) static ROWS: [Row; Op::ALL.len()] = {
    let mut rows = [row(Op::Mov); Op::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = row(Op::ALL[at]);
        at += 1;
    }
    rows
};

impl Row {
    /// The registers that an allocated record writes, when its operands are accepted.
    #[inline]
    pub(super) fn physical(&self, record: &Record) -> Option<RegSet> {
        let (a, b, c) = (record.a.wrapping_add(1), record.b.wrapping_add(1), record.c.wrapping_add(1));
        let is_in = |set: u64, place: Reg| set >> (place & 63) & 1 != 0;
        // What is no place at all has a higher bit.
        let is_right = (a | b | c) < 64
            && is_in(self.places[0], a)
            && is_in(self.places[1], b)
            && is_in(self.places[2], c)
            && (a ^ b) & self.tied == 0;
        is_right.then_some(self.clobbers | 1 << (record.a & 31) & self.defines)
    }

    /// The operands of a selected record by the column of virtual registers: what of them is refused, and what of those that are read was not defined
    /// `here`, so that it has to be asked for.
    #[inline]
    pub(super) fn virtuals(&self, record: &Record, column: &[u32], here: u32) -> (u32, u32) {
        let state = |reg: Reg| column.get(row_of(reg)).copied().unwrap_or(NOTHING | GP | XMM | DEFINED);
        let (a, b, c) = (state(record.a), state(record.b), state(record.c));
        let wrong = a & u32::from(self.barred[0]) | b & u32::from(self.barred[1]) | c & u32::from(self.barred[2]);
        let away = (a ^ here) & self.reads[0] | (b ^ here) & self.reads[1] | (c ^ here) & self.reads[2];
        (wrong, away)
    }

    /// May the record stand where flags are set, or not, and it is the last one, or not?
    #[inline]
    pub(super) fn stands(&self, place: u8) -> bool {
        self.flags & !place == 0
    }

    /// Are flags set behind it?
    #[inline]
    pub(super) fn flags_behind(&self, place: u8) -> u8 {
        place & self.keeps_flags | self.sets_flags
    }

    /// Is `a` written?
    #[inline]
    pub(super) fn defines(&self) -> bool {
        self.defines != 0
    }

    /// Is this operand read?
    #[inline]
    pub(super) fn reads(&self, at: usize) -> bool {
        self.reads[at] != 0
    }

    /// Are immediate and auxiliary word accepted? `near` is the bit that a laid branch may have.
    #[inline]
    pub(super) fn words(&self, record: &Record, limits: &Limits, near: i32) -> bool {
        let bits = self.imm & !(self.near & near);
        (record.imm & bits == 0) & (u64::from(record.aux) < limits[usize::from(self.aux & 15)])
    }
}

/// The bit of a register in a set, as the masks have it.
const _: () = assert!(place(3) >> 1 == bit(3) as u64);
