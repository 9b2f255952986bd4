//! Values with a hole: the address of the hole, and a slot of the frame for the value around it, which is in that slot as soon as anything has been plugged.
//!
//! What stands in the hole until it is filled is a value without holders, so the slot can be given up at any time.

use ir::Stop;
use ir::ssa::{Inst, Value};

use super::Builder;
use super::counts::Act;
use crate::ir::Type;
use crate::ops::Op;

impl Builder<'_> {
    /// The slot itself is the hole.
    pub(super) fn hole(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let Some(&[stand_in]) = mir.args(inst).first_chunk() else { return Ok(()) };
        let ty = mir.ty(stand_in);
        let shape = self.shapes.of(ty)?;
        let slot = self.slot(self.shapes.size(shape).next_multiple_of(8).max(8));
        self.hole = Some((slot, ty));
        self.write(slot, stand_in)?;
        self.define(inst, slot);
        Ok(())
    }

    /// The variant goes where the hole is; the new hole is in its cell.
    pub(super) fn plug(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let (&[hole, value], part) = (mir.args(inst), mir.insts[inst].imm) else { return Ok(()) };
        let address = self.leaf_at(Some(&hole), 0);
        self.write(address, value)?;
        let cell = mir.def_inst(value).and_then(|variant| mir.args(variant).first().copied());
        let content = self.content_of(cell)?;
        let base = self.leaf_at(cell.as_ref(), 0);
        let first = self.shapes.field(content, part).map_or(0, |field| field.0);
        let offset = self.shapes.leaves(content).get(first as usize).map_or(0, |leaf| leaf.offset);
        let offset = self.constant(Type::I64, i64::from(offset));
        let next = self.pure(Op::Add, &[base, offset], Type::Ptr);
        self.define(inst, next);
        Ok(())
    }

    /// The value goes where the hole is; the one around it is whole.
    pub(super) fn fill_hole(&mut self, inst: Inst) -> Result<(), Stop> {
        let &[hole, value] = self.mir.args(inst) else { return Ok(()) };
        let address = self.leaf_at(Some(&hole), 0);
        self.write(address, value)?;
        let leaves = self.around_hole()?;
        self.define_leaves(inst, &leaves);
        Ok(())
    }

    /// Gives up the value around a hole.
    pub(super) fn drop_hole(&mut self, act: Act) -> Result<(), Stop> {
        let Some((_, ty)) = self.hole else { return Ok(()) };
        let leaves = self.around_hole()?;
        self.count(ty, &leaves, act, false)
    }

    fn around_hole(&mut self) -> Result<Vec<Value>, Stop> {
        let Some((slot, ty)) = self.hole else { return Ok(Vec::new()) };
        let shape = self.shapes.of(ty)?;
        let mut leaves = Vec::new();
        for index in 0..self.shapes.leaves(shape).len() {
            let leaf = self.shapes.leaves(shape)[index];
            leaves.push(self.load(slot, leaf.offset, leaf.ty));
        }
        Ok(leaves)
    }

    /// Stores a value at an address.
    fn write(&mut self, address: Value, value: Value) -> Result<(), Stop> {
        let shape = self.shape_of(Some(value))?;
        let leaves = self.flat(&[value])?;
        for (index, &leaf) in leaves.iter().enumerate() {
            let offset = self.shapes.leaves(shape)[index].offset;
            self.store(address, offset, leaf);
        }
        self.operands = leaves;
        Ok(())
    }
}
