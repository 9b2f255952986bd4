//! Most records are right, and one look at masks says so.
//!
//! The rules of a record stand in [`super::records`], one after another, each with its fault. Walking them costs a hundred instructions a record at each
//! of three boundaries. So they are digested into a row an op, when this crate is built, by asking which operands and words could pass; a record that the
//! row accepts breaks no rule, and any other is judged in full. A test asks both about random records: they must agree.

use super::{DEFINED, GP, NOTHING, USED, XMM};
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
    Resume,
}

/// The rules of an op as masks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where each operand may be after allocation: bit 0 for nowhere, bit n + 1 for register n.
    places: [u64; 3],
    /// All ones when `b` must be where `a` is.
    tied: u64,
    /// All ones when `a` is written.
    defines: RegSet,
    /// Registers destroyed besides.
    clobbers: RegSet,
    /// What each operand may not be before allocation, in the bits of the column of virtual registers.
    barred: [u8; 3],
    /// What each operand does to its register's row there.
    marks: [u8; 3],
    /// Bits of the immediate that must be zero, and those of them that a laid branch may have.
    imm: i32,
    near: i32,
    /// Index into [`Limits`].
    pub(super) aux: u8,
    /// Flags: is a 1 demanded before, is what was there kept, is it set.
    pub(super) reads_flags: bool,
    pub(super) keeps_flags: bool,
    pub(super) sets_flags: bool,
    pub(super) ends: bool,
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
    }
}

/// The limits of a function with tables of these sizes.
pub(super) fn limits(slots: usize, constants: usize, data: usize, edges: usize, stubs: usize, calls: usize) -> Limits {
    let any = 1 << 32;
    let (slots, constants, data) = (slots as u64, constants as u64, data as u64);
    let (edges, stubs, calls) = (edges as u64, stubs as u64, calls as u64);
    [1, any, any, slots, constants, data, edges, stubs, calls, 0, 0, 0, 0, 0, 0, 0]
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
        barred: [GP | XMM; 3],
        marks: [0; 3],
        imm: 0,
        near: 0,
        aux: aux_number(info.aux),
        reads_flags: matches!(info.flags, Flags::Reads),
        keeps_flags: matches!(info.flags, Flags::Keeps | Flags::Reads),
        sets_flags: matches!(info.flags, Flags::Sets),
        ends: info.ends,
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
                Class::Gp => XMM | NOTHING,
                Class::Xmm => GP | NOTHING,
            };
            row.marks[at] = USED;
        }
        match role {
            Role::Def(_) | Role::DefIn(_) => {
                row.marks[at] = DEFINED;
                row.barred[at] |= DEFINED;
                row.defines = RegSet::MAX;
            }
            // An address without an index has a base.
            Role::Index if !matches!(info.roles[1], Role::No) => {
                row.places[at] |= place(NONE);
                row.barred[at] &= !NOTHING;
            }
            Role::Tied(_) => row.tied = u64::MAX,
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
        AuxKind::No | AuxKind::Value | AuxKind::Constant | AuxKind::Data | AuxKind::Edge => More::Nothing,
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
        let (a, b, c) = (place(record.a), place(record.b), place(record.c));
        let wrong = a & !self.places[0] | b & !self.places[1] | c & !self.places[2] | (a ^ b) & self.tied;
        (wrong == 0).then_some(self.clobbers | (a >> 1) as RegSet & self.defines)
    }

    /// Are the operands of a selected record accepted? Then they are noted in the column of virtual registers. Row 0 of it is that of no register.
    #[inline]
    pub(super) fn virtuals(&self, record: &Record, column: &mut [u8]) -> bool {
        let regs = [record.a, record.b, record.c];
        let mut wrong = 0;
        let mut rows = [0; 3];
        for at in 0..3 {
            let index = usize::from(regs[at].wrapping_sub(crate::regs::FIRST_VIRTUAL - 1));
            let known = match column.get(index) {
                Some(&known) if index != 0 => known,
                // `NONE`, or what is no register at all.
                _ if regs[at] == NONE => NOTHING,
                _ => u8::MAX,
            };
            wrong |= known & self.barred[at];
            rows[at] = index;
        }
        if wrong != 0 {
            return false;
        }
        for (index, mark) in rows.into_iter().zip(self.marks) {
            if let Some(known) = column.get_mut(index) {
                *known |= mark;
            }
        }
        true
    }

    /// Are immediate and auxiliary word accepted? `near` is the bit that a laid branch may have.
    #[inline]
    pub(super) fn words(&self, record: &Record, limits: &Limits, near: i32) -> bool {
        let bits = self.imm & !(self.near & near);
        record.imm & bits == 0 && u64::from(record.aux) < limits[usize::from(self.aux & 15)]
    }
}

/// The bit of a register in a set, as the masks have it.
const _: () = assert!(place(3) >> 1 == bit(3) as u64);
