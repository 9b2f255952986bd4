//! Sums: how a variant is put into the leaves of its sum, told apart and read out again. Which leaf means what is decided in [`super::shape`].

use std::sync::Arc;

use ir::Stop;
use ir::ssa::{Inst, Value};
use mir::ops::payload_parts;

use super::shape::{Sum, Tag};
use super::{Builder, NONE};
use crate::ir::Type;
use crate::ops::{Cond, Op};

/// The layout of a sum, with the machine types of its leaves.
type Laid = (Arc<Sum>, Vec<Type>);

impl Builder<'_> {
    /// The layout of a MIR value that is a sum, with the machine types of its leaves; nothing in broken MIR.
    fn sum_of(&mut self, value: Option<Value>) -> Result<Option<Laid>, Stop> {
        let shape = self.shape_of(value)?;
        let Some(sum) = self.shapes.of_sum(shape) else { return Ok(None) };
        Ok(Some((sum, self.shapes.leaves(shape).iter().map(|leaf| leaf.ty).collect())))
    }

    /// The payload in its slots; slots of other variants are zero, so that equal values have equal leaves.
    pub(super) fn variant(&mut self, inst: Inst, number: u64) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let Some((sum, types)) = self.sum_of((row.results > 0).then_some(row.first_result))? else { return Ok(()) };
        let payload = self.flat(self.mir.args(inst))?;
        let placed = sum.variants.get(number as usize).map_or(&[][..], |variant| &variant.leaves);
        let mut leaves: Vec<Option<Value>> = vec![None; types.len()];
        for (&(slot, ty), &value) in placed.iter().zip(&payload) {
            if let Some(wide) = types.get(slot as usize) {
                leaves[slot as usize] = Some(self.widened(value, ty, *wide));
            }
        }
        self.operands = payload;
        if let Some((leaf, value)) = sum.tag_of(number) {
            leaves[leaf as usize] = Some(self.constant(types[leaf as usize], value));
        }
        let mut values = Vec::with_capacity(leaves.len());
        for (leaf, &ty) in leaves.into_iter().zip(&types) {
            values.push(match leaf {
                Some(value) => value,
                None if ty == Type::F64 => self.plain(Op::Fconst, &[], 0, ty),
                None => self.constant(ty, 0),
            });
        }
        self.define_leaves(inst, &values);
        Ok(())
    }

    /// The number of the variant as an `i64`.
    pub(super) fn tag(&mut self, inst: Inst) -> Result<(), Stop> {
        let value = self.mir.args(inst).first().copied();
        let Some((sum, _)) = self.sum_of(value)? else { return Ok(()) };
        let number = match sum.tag {
            Tag::Leaf(leaf) => {
                let leaf = self.leaf_at(value.as_ref(), leaf);
                self.pure(Op::Zext, &[leaf], Type::I64)
            }
            Tag::Niche { leaf, variant, first } => {
                let leaf = self.leaf_at(value.as_ref(), leaf);
                let wide = self.pure(Op::Zext, &[leaf], Type::I64);
                let start = self.constant(Type::I64, i64::from(first));
                let payload = self.constant(Type::I64, i64::from(variant));
                let position = self.pure(Op::Sub, &[wide, start], Type::I64);
                // The numbers of the others skip that of the variant with a payload.
                let number = if variant as usize + 1 == sum.variants.len() {
                    position
                } else {
                    let one = self.constant(Type::I64, 1);
                    let behind = self.pure(Op::Add, &[position, one], Type::I64);
                    if variant == 0 {
                        behind
                    } else {
                        let is_before = self.icmp(Cond::Ult, position, payload);
                        self.pure(Op::Select, &[is_before, position, behind], Type::I64)
                    }
                };
                let has_payload = self.icmp(Cond::Ult, wide, start);
                self.pure(Op::Select, &[has_payload, payload, number], Type::I64)
            }
            Tag::Null { leaf, variant } => {
                // There are two variants, so the comparison is a number already.
                let leaf = self.leaf_at(value.as_ref(), leaf);
                let is_second = self.is_null(leaf, if variant == 0 { Cond::Eq } else { Cond::Ne });
                self.pure(Op::Zext, &[is_second], Type::I64)
            }
        };
        self.define(inst, number);
        Ok(())
    }

    /// Is an address null, or is it not?
    fn is_null(&mut self, address: Value, cond: Cond) -> Value {
        let null = self.constant(Type::Ptr, 0);
        self.icmp(cond, address, null)
    }

    /// Is it this variant?
    pub(super) fn is(&mut self, inst: Inst, number: u64) -> Result<(), Stop> {
        let value = self.mir.args(inst).first().copied();
        let Some((sum, types)) = self.sum_of(value)? else { return Ok(()) };
        let (leaf, cond, wanted) = match sum.tag {
            Tag::Null { leaf, variant } => (leaf, if number == u64::from(variant) { Cond::Ne } else { Cond::Eq }, 0),
            Tag::Leaf(leaf) => (leaf, Cond::Eq, number as i64),
            Tag::Niche { leaf, variant, first } if number == u64::from(variant) => (leaf, Cond::Ult, i64::from(first)),
            Tag::Niche { leaf, variant, first } => {
                let position = if number < u64::from(variant) { number } else { number.wrapping_sub(1) };
                (leaf, Cond::Eq, i64::from(first).wrapping_add(position as i64))
            }
        };
        let wanted = self.constant(types[leaf as usize], wanted);
        let leaf = self.leaf_at(value.as_ref(), leaf);
        let is = self.icmp(cond, leaf, wanted);
        self.define(inst, is);
        Ok(())
    }

    /// A part of the payload, out of its slots.
    pub(super) fn payload(&mut self, inst: Inst, imm: u64) -> Result<(), Stop> {
        let (variant, part) = payload_parts(imm);
        let Some(&value) = self.mir.args(inst).first() else { return Ok(()) };
        let values = self.payload_leaves(value, variant, part)?;
        self.define_leaves(inst, &values);
        Ok(())
    }

    /// The leaves of a part of the payload.
    pub(super) fn payload_leaves(&mut self, sum: Value, variant: u32, part: u32) -> Result<Vec<Value>, Stop> {
        let value = Some(sum);
        let Some((sum, types)) = self.sum_of(value)? else { return Ok(Vec::new()) };
        let Some(shape) = sum.variants.get(variant as usize) else { return Ok(Vec::new()) };
        let (first, count) = shape.parts.get(part as usize).copied().unwrap_or((0, 0));
        let mut values = Vec::with_capacity(count as usize);
        for &(slot, ty) in shape.leaves.iter().skip(first as usize).take(count as usize) {
            let leaf = self.leaf_at(value.as_ref(), slot);
            let wide = types.get(slot as usize).copied().unwrap_or(ty);
            values.push(self.narrowed(leaf, wide, ty));
        }
        Ok(values)
    }

    fn widened(&mut self, value: Value, ty: Type, slot: Type) -> Value {
        match ty {
            _ if ty == slot || value.index() == NONE as usize => value,
            Type::F64 => self.pure(Op::BitsOfFloat, &[value], Type::I64),
            Type::I8 | Type::I32 => self.pure(Op::Zext, &[value], Type::I64),
            Type::I64 | Type::Ptr => value,
        }
    }

    pub(super) fn narrowed(&mut self, value: Value, slot: Type, ty: Type) -> Value {
        match ty {
            _ if ty == slot || value.index() == NONE as usize => value,
            Type::F64 => self.pure(Op::FloatOfBits, &[value], Type::F64),
            Type::I8 | Type::I32 => self.pure(Op::Trunc, &[value], ty),
            Type::I64 | Type::Ptr => value,
        }
    }
}
