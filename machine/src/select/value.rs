//! Values to registers: what is deferred, what is cheap, constants, addresses.

use crate::ir::StaticData;
use ir::ssa::{Inst, InstRow, Value};
use ir::{Id, Symbol};
use lir::{Op as L, Type};

use super::{Limit, Selector, class_of};
use crate::ops::Op;
use crate::regs::{Class, FIRST_VIRTUAL, NONE, Reg};

/// The operand of a load or store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Address {
    /// Base, index, scale, displacement.
    Regs(Reg, Reg, u32, i32),
    /// Slot and displacement.
    Slot(u32, i32),
}

impl Selector<'_> {
    /// The defining instruction of a value.
    pub(super) fn def(&self, value: Value) -> Option<(Inst, &InstRow<L>)> {
        let inst = self.graph.values.get(value).and_then(|_| self.graph.def_inst(value))?;
        Some((inst, &self.graph.insts[inst]))
    }

    /// The instruction behind a deferred value, to be absorbed by its user.
    pub(super) fn deferred(&self, value: Value) -> Option<(Inst, &InstRow<L>)> {
        if self.columns.values.get(value.index()).is_some_and(|row| row.is_deferred) { self.def(value) } else { None }
    }

    /// The register of a value; emits what was deferred and defines what is cheap.
    pub(super) fn reg(&mut self, value: Value) -> Reg {
        let Some(&row) = self.columns.values.get(value.index()) else {
            self.failed = Some(Limit::Malformed);
            return FIRST_VIRTUAL;
        };
        if row.reg != NONE && (row.stamp == 0 || row.stamp == self.stamp) {
            return row.reg;
        }
        let Some((inst, def)) = self.def(value) else {
            self.failed = Some(Limit::Malformed);
            return FIRST_VIRTUAL;
        };
        let def = *def;
        if row.is_deferred {
            self.columns.values[value.index()].is_deferred = false;
            self.emit(inst);
            return self.columns.values[value.index()].reg;
        }
        let reg = self.new_reg(class_of(self.graph.ty(value)));
        match def.op {
            L::Iconst => {
                let imm = self.int_of(value).unwrap_or(0);
                self.push(Op::MovImm, [reg, NONE, NONE], imm as i32, (imm >> 32) as u32);
            }
            L::Fconst if def.imm == 0 => self.push(Op::ZeroF, [reg, NONE, NONE], 0, 0),
            L::Fconst => {
                let constant = self.constant([def.imm, 0]);
                self.push(Op::LoadConst, [reg, NONE, NONE], 0, constant);
            }
            L::Data | L::Static => {
                let data = self.data(def.op, def.imm);
                self.push(Op::LeaData, [reg, NONE, NONE], 0, data);
            }
            L::Slot => {
                let slot = self.local_slot(inst);
                self.push(Op::LeaSlot, [reg, NONE, NONE], 0, slot);
            }
            // A use before the definition: broken LIR.
            _ => self.failed = Some(Limit::Malformed),
        }
        let row = &mut self.columns.values[value.index()];
        (row.reg, row.stamp) = (reg, self.stamp);
        reg
    }

    /// Gives the result of an instruction a fresh register.
    pub(super) fn define(&mut self, inst: Inst) -> Reg {
        let row = self.graph.insts[inst];
        if row.results == 0 {
            self.failed = Some(Limit::Malformed);
            return FIRST_VIRTUAL;
        }
        let reg = self.new_reg(class_of(self.graph.ty(row.first_result)));
        self.columns.values[row.first_result.index()].reg = reg;
        reg
    }

    /// The result of an instruction is the same as this register.
    pub(super) fn alias(&mut self, inst: Inst, reg: Reg) {
        let row = &mut self.columns.values[self.graph.insts[inst].first_result.index()];
        row.reg = reg;
    }

    /// Is the only use in this block?
    pub(super) fn is_single(&self, value: Value) -> bool {
        let row = &self.columns.values[value.index()];
        row.uses == 1 && row.block == self.lir_block
    }

    /// The only user of a value, when it stands in this block.
    pub(super) fn single_user(&self, value: Value) -> Option<(Inst, &InstRow<L>)> {
        if !self.is_single(value) {
            return None;
        }
        let inst = Id::new(self.columns.values[value.index()].user as usize);
        Some((inst, &self.graph.insts[inst]))
    }

    /// The integer behind a constant value, zero-extended as registers hold it.
    pub(super) fn int_of(&self, value: Value) -> Option<i64> {
        let (_, def) = self.def(value)?;
        if def.op != L::Iconst {
            return None;
        }
        Some(match self.graph.ty(value) {
            Type::I8 => (def.imm & 0xff) as i64,
            Type::I32 => (def.imm & 0xffff_ffff) as i64,
            Type::I64 | Type::Ptr | Type::F64 => def.imm as i64,
        })
    }

    /// The constant as a sign-extended 32-bit immediate.
    pub(super) fn imm_of(&self, value: Value) -> Option<i32> {
        i32::try_from(self.int_of(value)?).ok()
    }

    /// The bits of a float constant.
    pub(super) fn float_of(&self, value: Value) -> Option<u64> {
        let (_, def) = self.def(value)?;
        (def.op == L::Fconst).then_some(def.imm)
    }

    /// Row of the constant table with this value. Few constants are alive in one function, so the last ones are looked at.
    pub(super) fn constant(&mut self, value: [u64; 2]) -> u32 {
        let first = self.out.constants.len().saturating_sub(32);
        if let Some(at) = self.out.constants[first..].iter().position(|c| *c == value) {
            return (first + at) as u32;
        }
        self.out.constants.push(value);
        self.out.constants.len() as u32 - 1
    }

    /// Row of the data table with this text, or these sections.
    pub(super) fn data(&mut self, op: L, imm: u64) -> u32 {
        let symbol = Symbol::from_raw(imm as u32);
        let data = if op == L::Static { StaticData::Sections(symbol) } else { StaticData::Text(symbol) };
        let first = self.out.data.len().saturating_sub(32);
        if let Some(at) = self.out.data[first..].iter().position(|d| *d == data) {
            return (first + at) as u32;
        }
        self.out.data.push(data);
        self.out.data.len() as u32 - 1
    }

    /// Slot of a `slot` instruction.
    pub(super) fn local_slot(&mut self, inst: Inst) -> u32 {
        if self.columns.slots[inst.index()] == u32::MAX {
            let size = u32::try_from(self.graph.insts[inst].imm).unwrap_or(u32::MAX / 2).max(1).div_ceil(8) * 8;
            self.columns.slots[inst.index()] = self.new_slot(size, crate::ir::SlotKind::Local);
        }
        self.columns.slots[inst.index()]
    }

    /// The row of a function whose address is taken.
    pub(super) fn function(&mut self, imm: u64) -> u32 {
        let function = ir::ItemId::from_raw(imm as u32);
        let known = self.out.functions.iter().position(|&known| known == function);
        known.unwrap_or_else(|| {
            self.out.functions.push(function);
            self.out.functions.len() - 1
        }) as u32
    }

    /// The slot for the address of a function that is called by it: one for all calls, written just before each.
    pub(super) fn callee_slot(&mut self) -> u32 {
        match self.callee {
            Some(slot) => slot,
            None => {
                let slot = self.new_slot(8, crate::ir::SlotKind::Local);
                self.callee = Some(slot);
                slot
            }
        }
    }

    /// The address `value + offset`, with as much folded into it as fits.
    pub(super) fn address(&mut self, value: Value, offset: i64) -> Address {
        let mut value = value;
        let Ok(mut disp) = i32::try_from(offset) else {
            // No object is that large; correct all the same.
            let base = self.reg(value);
            let (far, sum) = (self.new_reg(Class::Gp), self.new_reg(Class::Gp));
            self.push(Op::MovImm, [far, NONE, NONE], offset as i32, (offset >> 32) as u32);
            self.push(Op::Lea, [sum, base, far], 0, 1);
            return Address::Regs(sum, NONE, 1, 0);
        };
        let mut index = None;
        loop {
            if let Some((inst, def)) = self.def(value)
                && def.op == L::Slot
                && index.is_none()
            {
                return Address::Slot(self.local_slot(inst), disp);
            }
            let Some((_, def)) = self.deferred(value) else { break };
            if def.op != L::Add {
                break;
            }
            let (left, right) = (self.graph.args[def.args][0], self.graph.args[def.args][1]);
            if let Some(imm) = self.int_of(right)
                && let Ok(sum) = i32::try_from(i64::from(disp).saturating_add(imm))
            {
                self.columns.values[value.index()].is_deferred = false;
                (disp, value) = (sum, left);
                continue;
            }
            if index.is_some() {
                break;
            }
            self.columns.values[value.index()].is_deferred = false;
            index = Some(right);
            value = left;
        }
        match index {
            None => Address::Regs(self.reg(value), NONE, 1, disp),
            Some(index) => {
                let (index, scale) = self.scaled(index);
                Address::Regs(self.reg(value), index, scale, disp)
            }
        }
    }

    /// `value` as a register times 1, 2, 4 or 8.
    pub(super) fn scaled(&mut self, value: Value) -> (Reg, u32) {
        if let Some((_, def)) = self.deferred(value)
            && let Some(scale) = self.scale_of(def)
        {
            let arg = self.graph.args[def.args][0];
            self.columns.values[value.index()].is_deferred = false;
            return (self.reg(arg), scale);
        }
        (self.reg(value), 1)
    }

    /// Is it a multiplication by 2, 4 or 8 (as `mul` or `shl`)?
    pub(super) fn scale_of(&self, def: &InstRow<L>) -> Option<u32> {
        let args = &self.graph.args[def.args];
        let imm = self.int_of(*args.get(1)?)?;
        match (def.op, imm) {
            (L::Shl, 1) | (L::Mul, 2) => Some(2),
            (L::Shl, 2) | (L::Mul, 4) => Some(4),
            (L::Shl, 3) | (L::Mul, 8) => Some(8),
            _ => None,
        }
    }
}
