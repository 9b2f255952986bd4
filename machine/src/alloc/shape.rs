//! The op table as allocation reads it: roles as masks, one row an op, made when this crate is built.

use super::analysis::is_remat;
use crate::ops::{ImmKind, Op, Role};
use crate::regs::{ALLOCATABLE, NONE, Reg, RegSet, bit};

/// What the walks do with a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    /// Ordinary operands.
    General,
    /// Made again where it is needed.
    Remat,
    /// A load from a slot, maybe of an argument that stays there.
    SlotLoad,
    Call,
    /// A return or tail call.
    Leave,
    /// A stub, or a panic.
    Stub,
    JumpIf,
    Jump,
}

/// The row of an op.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bit n: operand n is read.
    pub reads: u8,
    /// Those of them that may be in any register of their own.
    pub plain: u8,
    /// `a` is written.
    pub defines: bool,
    /// `b` is where `a` is.
    pub is_tied: bool,
    /// Operands `b` and `c` may change places.
    pub is_commutative: bool,
    pub kind: Kind,
    /// The register that the result comes in, and the one that an operand, `fixed_at`, is demanded in.
    pub result_in: Reg,
    pub fixed_in: Reg,
    pub fixed_at: u8,
    /// Registers destroyed, and those with the demanded ones.
    pub kill: RegSet,
    pub reserved: RegSet,
    /// The operand that the slot form reads from memory.
    pub fold_at: u8,
    pub slot_form: Option<Op>,
    /// The slot form has a displacement where this one has no immediate.
    pub folds_displacement: bool,
}

const fn kind(op: Op) -> Kind {
    match op {
        op if is_remat(op) => Kind::Remat,
        Op::LoadSlot | Op::LoadSlotF => Kind::SlotLoad,
        Op::Call => Kind::Call,
        Op::Return | Op::TailCall => Kind::Leave,
        Op::Stub | Op::Panic => Kind::Stub,
        Op::JumpIf => Kind::JumpIf,
        Op::Jump => Kind::Jump,
        _ => Kind::General,
    }
}

const fn shape(op: Op) -> Shape {
    let info = op.info();
    let mut shape = Shape {
        reads: 0,
        plain: 0,
        defines: false,
        is_tied: false,
        is_commutative: matches!(op, Op::Add | Op::And | Op::Or | Op::Xor | Op::Imul | Op::AddF | Op::MulF),
        kind: kind(op),
        result_in: NONE,
        fixed_in: NONE,
        fixed_at: 0,
        kill: info.clobbers,
        reserved: 0,
        fold_at: if matches!(info.roles[2], Role::No) { 1 } else { 2 },
        slot_form: info.slot_form,
        folds_displacement: match info.slot_form {
            Some(form) => matches!(form.info().imm, ImmKind::Displacement),
            None => false,
        },
    };
    let mut at = 0;
    while at < 3 {
        match info.roles[at] {
            Role::No => {}
            Role::Def(_) => shape.defines = true,
            Role::DefIn(reg) => {
                shape.defines = true;
                shape.result_in = reg;
                shape.kill |= bit(reg);
            }
            Role::Use(_) | Role::Base | Role::Index => {
                shape.reads |= 1 << at;
                shape.plain |= 1 << at;
            }
            Role::Tied(_) => {
                shape.reads |= 1 << at;
                shape.is_tied = true;
            }
            Role::UseIn(reg) => {
                shape.reads |= 1 << at;
                (shape.fixed_in, shape.fixed_at) = (reg, at as u8);
                shape.reserved |= bit(reg);
            }
        }
        at += 1;
    }
    shape.kill &= ALLOCATABLE;
    shape.reserved |= shape.kill;
    shape
}

/// The rows in table order.
static SHAPES: [Shape; Op::ALL.len()] = {
    let mut rows = [shape(Op::Mov); Op::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = shape(Op::ALL[at]);
        at += 1;
    }
    rows
};

impl Shape {
    /// Does it neither tie nor demand anything?
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        !self.is_tied && self.fixed_in == NONE
    }

    /// The row of an op.
    #[inline]
    pub(super) fn of(op: Op) -> &'static Shape {
        &SHAPES[op as usize]
    }
}

/// The operands in a mask, from the last to the first.
#[inline]
pub(super) fn operands(mut mask: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.checked_ilog2()? as usize;
        mask ^= 1 << at;
        // Said so that indexing needs no check.
        Some(at.min(2))
    })
}

const _: () = assert!(Op::ALL.len() < 256);
