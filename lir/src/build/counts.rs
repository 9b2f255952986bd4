//! `dup` and `drop`: the counts of what a value holds, one leaf after another, of sums by variant.
//!
//! | holds          | its count stands in front of                                  | is dropped for good by                         |
//! |----------------|-----------------------------------------------------------------|------------------------------------------------|
//! | a text         | the block that its third word names, when that is above 0       | the runtime                                    |
//! | a list         | the buffer, its third word, when that is not null               | the runtime, or `drop<[T]>` when elements count |
//! | a cell         | the cell                                                        | `drop<cell<...>>`, or in place                 |
//! | an object      | the cell                                                        | the function that the cell names, `drop<cell<...>>` |
//! | a function     | the cell with what it captures, a word further in                | the function that the cell names, `env<...>`    |
//!
//! What has many such leaves is counted by functions of its own, `dup<T>` and `give_up<T>`, so that the code of a body does not grow with its types. Behind a
//! landing, until a way without a panic comes along, all that takes a test is: there only the size of the code matters.

use abi::layout::MemEvent;
use abi::{RuntimeCall, layout};
use hir::TypeKind;
use ir::ssa::{Block, Inst, NewInst, Value};
use ir::{Place, PlaceId, Stop};

use super::glue::{self, Purpose};
use super::shape::{ShapeId, Tag};
use super::{Builder, looked};
use crate::ir::Type;
use crate::ops::{Cond, NOUNWIND, Op};

/// What happens to the counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// One holder more.
    Dup,
    /// One holder fewer; what has none left is freed.
    Drop,
}

/// Counted leaves that a body counts in place; beyond it calls a function.
const IN_PLACE: u32 = 4;

impl Builder<'_> {
    /// The operand once more.
    pub(super) fn dup(&mut self, inst: Inst) -> Result<(), Stop> {
        let value = self.mir.args(inst).first().copied();
        self.count_value(value, Act::Dup)?;
        self.alias(inst, value, 0);
        Ok(())
    }

    /// The operand is given up.
    pub(super) fn drop_value(&mut self, inst: Inst) -> Result<(), Stop> {
        let value = self.mir.args(inst).first().copied();
        self.count_value(value, Act::Drop)
    }

    /// What stood in a field that gets another value.
    pub(super) fn drop_field(&mut self, args: &[Value], index: u64, from: u32, count: u32) -> Result<(), Stop> {
        let Some(row) = args.first().and_then(|&v| self.mir.values.get(v)) else { return Ok(()) };
        let Some(&field) = self.cx.fields(row.ty)?.as_deref().and_then(|fields| fields.get(index as usize)) else { return Ok(()) };
        if self.counted_leaves(field)? == 0 {
            return Ok(());
        }
        let leaves: Vec<Value> = (from..from + count).map(|leaf| self.leaf_at(args.first(), leaf)).collect();
        self.count(field, &leaves, Act::Drop, false)
    }

    fn count_value(&mut self, value: Option<Value>, act: Act) -> Result<(), Stop> {
        let Some(value) = value else { return Ok(()) };
        let Some(row) = self.mir.values.get(value) else { return Ok(()) };
        let ty = row.ty;
        if matches!(ty.kind(), TypeKind::Hole(_)) {
            return self.drop_hole(act);
        }
        let leaves = self.flat(&[value])?;
        self.count(ty, &leaves, act, false)?;
        self.operands = leaves;
        Ok(())
    }

    /// Counts what a value of this type with these leaves holds; `is_whole` when this is the function that does so for the type.
    pub(super) fn count(&mut self, ty: hir::Type, leaves: &[Value], act: Act, is_whole: bool) -> Result<(), Stop> {
        if self.is_landing && act == Act::Drop && !is_whole && self.counted_leaves(ty)? > 0 && !self.is_one_call(ty)? {
            return self.call_glue(Purpose::GiveUp, ty, leaves);
        }
        match ty.kind() {
            TypeKind::Str => self.count_text(leaves, act),
            TypeKind::List(element) => self.count_list(ty, element, leaves, act),
            TypeKind::Cell(_) => self.count_cell(ty, leaves, act),
            TypeKind::Function(..) => self.count_function(leaves, act),
            TypeKind::Tuple(_) | TypeKind::Struct(..) => {
                if !is_whole && self.glue.is_none() && self.counted_leaves(ty)? > IN_PLACE {
                    let purpose = if act == Act::Dup { Purpose::Dup } else { Purpose::GiveUp };
                    return self.call_glue(purpose, ty, leaves);
                }
                match self.cx.fields(ty)? {
                    Some(fields) => {
                        let shape = self.shapes.of(ty)?;
                        for (index, &field) in fields.iter().enumerate() {
                            let (first, count) = self.shapes.field(shape, index as u64).unwrap_or((0, 0));
                            let part = leaves.get(first as usize..(first + count) as usize).unwrap_or(&[]);
                            self.count(field, part, act, false)?;
                        }
                        Ok(())
                    }
                    None => self.count_sum(ty, leaves, act),
                }
            }
            TypeKind::Object(_) => self.count_object(leaves, act),
            hir::base_kinds!()
            | TypeKind::Hole(_)
            | TypeKind::Methods(..)
            | TypeKind::Parameter(..)
            | TypeKind::Associated(..)
            | TypeKind::Opaque(..)
            | TypeKind::Variable(_) => Ok(()),
        }
    }

    /// Is it given up by one call of the runtime, which looks whether there is anything to give up?
    fn is_one_call(&mut self, ty: hir::Type) -> Result<bool, Stop> {
        match ty.kind() {
            TypeKind::Str => Ok(true),
            TypeKind::List(element) => Ok(self.counted_leaves(element)? == 0),
            _ => Ok(false),
        }
    }

    fn count_text(&mut self, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let &[_, _, owner] = leaves else { return Ok(()) };
        if self.is_landing && act == Act::Drop {
            self.effect(Op::Runtime, &[owner], RuntimeCall::TextDrop as u64);
            return Ok(());
        }
        let zero = self.constant(Type::I64, 0);
        let is_owned = self.icmp(Cond::Sgt, owner, zero);
        self.when(is_owned, |builder| {
            match act {
                Act::Dup => {
                    builder.note_text(MemEvent::Dup, owner);
                    builder.effect(Op::CountUp, &[owner], 0);
                }
                Act::Drop => builder.effect(Op::Runtime, &[owner], RuntimeCall::TextDrop as u64),
            }
            Ok(())
        })
    }

    fn count_list(&mut self, ty: hir::Type, element: hir::Type, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let &[_, _, buffer] = leaves else { return Ok(()) };
        if act == Act::Drop && self.counted_leaves(element)? == 0 {
            self.effect(Op::Runtime, &[buffer], RuntimeCall::BufferDrop as u64);
            return Ok(());
        }
        let null = self.constant(Type::Ptr, 0);
        let is_owned = self.icmp(Cond::Ne, buffer, null);
        self.when(is_owned, |builder| {
            if act == Act::Dup {
                builder.note(MemEvent::Dup, buffer);
                builder.effect(Op::CountUp, &[buffer], 0);
            } else {
                builder.note(MemEvent::Drop, buffer);
                let is_last = builder.pure(Op::CountDown, &[buffer], Type::I8);
                builder.when(is_last, |builder| builder.bury(ty, buffer, leaves))?;
            }
            Ok(())
        })
    }

    fn count_cell(&mut self, ty: hir::Type, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let &[cell] = leaves else { return Ok(()) };
        if act == Act::Dup {
            self.note(MemEvent::Dup, cell);
            self.effect(Op::CountUp, &[cell], 0);
            return Ok(());
        }
        self.note(MemEvent::Drop, cell);
        let class = glue::cell_class(&mut self.shapes, ty)?;
        let holds_counted = match ty.kind() {
            TypeKind::Cell(parts) => self.any_counted(parts)?,
            _ => false,
        };
        let is_last = self.pure(Op::CountDown, &[cell], Type::I8);
        self.when(is_last, |builder| {
            if holds_counted {
                return builder.bury(ty, cell, leaves);
            }
            builder.effect(Op::CountUp, &[cell], 0);
            builder.effect(Op::Free, &[cell], class);
            Ok(())
        })
    }

    /// In front of what a function captures stands the address of the function that drops it, and before that the header.
    fn count_function(&mut self, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let &[_, cell] = leaves else { return Ok(()) };
        let null = self.constant(Type::Ptr, 0);
        let has_cell = self.icmp(Cond::Ne, cell, null);
        self.when(has_cell, |builder| {
            let back = builder.constant(Type::I64, -glue::ENV_PARTS);
            let block = builder.pure(Op::Add, &[cell, back], Type::Ptr);
            if act == Act::Dup {
                builder.note(MemEvent::Dup, block);
                builder.effect(Op::CountUp, &[block], 0);
                return Ok(());
            }
            builder.note(MemEvent::Drop, block);
            let is_last = builder.pure(Op::CountDown, &[block], Type::I8);
            builder.when(is_last, |builder| {
                let drop = builder.load(block, 0, Type::Ptr);
                let place = builder.some_place();
                let new = NewInst { args: &[drop, cell], flags: NOUNWIND, place, ..NewInst::new(Op::CallPtr) };
                builder.out.append(builder.block, new, &[]);
                Ok(())
            })
        })
    }

    /// What lies in the cell of an object nobody knows here: its first word is the address of the function that drops it.
    fn count_object(&mut self, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let &[cell] = leaves else { return Ok(()) };
        if act == Act::Dup {
            self.note(MemEvent::Dup, cell);
            self.effect(Op::CountUp, &[cell], 0);
            return Ok(());
        }
        self.note(MemEvent::Drop, cell);
        let is_last = self.pure(Op::CountDown, &[cell], Type::I8);
        self.when(is_last, |builder| {
            let drop = builder.load(cell, 0, Type::Ptr);
            let place = builder.some_place();
            let new = NewInst { args: &[drop, cell], flags: NOUNWIND, place, ..NewInst::new(Op::CallPtr) };
            builder.out.append(builder.block, new, &[]);
            Ok(())
        })
    }

    /// The variants with counted content, one test each.
    fn count_sum(&mut self, ty: hir::Type, leaves: &[Value], act: Act) -> Result<(), Stop> {
        let shape = self.shapes.of(ty)?;
        let (Some(sum), Some(variants)) = (self.shapes.of_sum(shape), self.cx.variants(ty)?) else { return Ok(()) };
        let types: Vec<Type> = self.shapes.leaves(shape).iter().map(|leaf| leaf.ty).collect();
        if types.len() != leaves.len() {
            return Ok(());
        }
        for (number, (payload, laid)) in variants.iter().zip(&sum.variants).enumerate() {
            if !self.any_counted(payload)? {
                continue;
            }
            let (leaf, cond, wanted) = match sum.tag {
                Tag::Null { leaf, .. } => (leaf, Cond::Ne, 0),
                Tag::Leaf(leaf) => (leaf, Cond::Eq, number as i64),
                Tag::Niche { leaf, first, .. } => (leaf, Cond::Ult, i64::from(first)),
            };
            let wanted = self.constant(types[leaf as usize], wanted);
            let is_it = self.icmp(cond, leaves[leaf as usize], wanted);
            self.when(is_it, |builder| {
                let mut values = Vec::with_capacity(laid.leaves.len());
                for &(slot, ty) in &laid.leaves {
                    values.push(builder.narrowed(leaves[slot as usize], types[slot as usize], ty));
                }
                for (&part, &(first, count)) in payload.iter().zip(&laid.parts) {
                    let values = values.get(first as usize..(first + count) as usize).unwrap_or(&[]);
                    builder.count(part, values, act, false)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// How many counted leaves a value of this type may have; of a sum, those of all variants.
    pub(super) fn counted_leaves(&mut self, ty: hir::Type) -> Result<u32, Stop> {
        if let Some(&known) = self.counted.get(&ty) {
            return Ok(known);
        }
        let cx = self.cx;
        let count = match ty.kind() {
            TypeKind::Str | TypeKind::List(_) | TypeKind::Cell(_) | TypeKind::Function(..) | TypeKind::Object(_) => 1,
            TypeKind::Tuple(_) | TypeKind::Struct(..) => match (cx.fields(ty)?, cx.variants(ty)?) {
                (Some(fields), _) => self.sum_of_counted(&fields)?,
                (None, Some(variants)) => {
                    let mut all = 0u32;
                    for payload in variants.iter() {
                        all = all.saturating_add(self.sum_of_counted(payload)?);
                    }
                    all
                }
                (None, None) => 0,
            },
            hir::base_kinds!()
            | TypeKind::Hole(_)
            | TypeKind::Methods(..)
            | TypeKind::Parameter(..)
            | TypeKind::Associated(..)
            | TypeKind::Opaque(..)
            | TypeKind::Variable(_) => 0,
        };
        self.counted.insert(ty, count);
        Ok(count)
    }

    fn sum_of_counted(&mut self, types: &[hir::Type]) -> Result<u32, Stop> {
        let mut all = 0u32;
        for &ty in types {
            all = all.saturating_add(self.counted_leaves(ty)?);
        }
        Ok(all)
    }

    pub(super) fn any_counted(&mut self, types: &[hir::Type]) -> Result<bool, Stop> {
        Ok(self.sum_of_counted(types)? > 0)
    }

    // What these are made of.

    /// Code that runs when a condition holds, and then what follows.
    pub(super) fn when(&mut self, condition: Value, body: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        let (yes, join) = (self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let open = self.pending_values();
        self.branch(condition, (yes, &[]), (join, &open));
        let known = self.constants.len();
        self.block = yes;
        body(self)?;
        let open = self.pending_values();
        self.jump(join, &open);
        self.constants.truncate(known);
        self.block = join;
        self.rejoin(join);
        Ok(())
    }

    /// Goes on in that block.
    pub(super) fn jump(&mut self, to: Block, args: &[Value]) {
        self.out.append(self.block, NewInst { targets: &[(to, args)], ..NewInst::new(Op::Jump) }, &[]);
    }

    /// Goes on in the first block when a condition holds, else in the second.
    pub(super) fn branch(&mut self, condition: Value, yes: (Block, &[Value]), no: (Block, &[Value])) {
        self.out.append(self.block, NewInst { args: &[condition], targets: &[yes, no], ..NewInst::new(Op::Branch) }, &[]);
    }

    /// Where the header of a cell stands.
    pub(super) fn header(&mut self, cell: Value) -> Value {
        let back = self.constant(Type::I64, layout::CELL_COUNT);
        self.pure(Op::Add, &[cell, back], Type::Ptr)
    }

    /// Has a cell one holder?
    pub(super) fn is_sole(&mut self, cell: Value) -> Value {
        self.note(MemEvent::Test, cell);
        let header = self.header(cell);
        let others = self.load(header, 0, Type::I32);
        let none = self.constant(Type::I32, 0);
        self.icmp(Cond::Eq, others, none)
    }

    /// A part of what lies at an address with this shape.
    pub(super) fn part_at(&mut self, address: Value, shape: ShapeId, part: usize) -> Vec<Value> {
        let (first, count) = self.shapes.field(shape, part as u64).unwrap_or((0, 0));
        let mut leaves = Vec::with_capacity(count as usize);
        for leaf in first..first + count {
            let leaf = self.shapes.leaves(shape)[leaf as usize];
            leaves.push(self.load(address, leaf.offset, leaf.ty));
        }
        leaves
    }

    /// An instruction without result.
    pub(super) fn effect(&mut self, op: Op, args: &[Value], imm: u64) {
        match (op, RuntimeCall::from_number(imm)) {
            (Op::Free, _) | (Op::Runtime, Some(RuntimeCall::Free)) => self.note(MemEvent::Free, args[0]),
            (Op::Runtime, Some(RuntimeCall::BufferDrop)) => self.note(MemEvent::Release, args[0]),
            (Op::Runtime, Some(RuntimeCall::TextDrop)) => self.note_text(MemEvent::Release, args[0]),
            _ => {}
        }
        self.out.append(self.block, NewInst { args, imm, ..NewInst::new(op) }, &[]);
    }

    /// A call of a function that counts, with the leaves that it takes: it never panics.
    pub(super) fn call_glue(&mut self, purpose: Purpose, ty: hir::Type, leaves: &[Value]) -> Result<(), Stop> {
        let taken = looked::taken(purpose, ty, &mut self.shapes, self.cx)?;
        let args: Vec<Value> = taken.iter().filter_map(|&leaf| leaves.get(leaf as usize).copied()).collect();
        let place = self.some_place();
        let new = NewInst { args: &args, imm: u64::from(purpose.item(ty).raw()), flags: NOUNWIND, place, ..NewInst::new(Op::Call) };
        self.out.append(self.block, new, &[]);
        Ok(())
    }

    /// The place of the instruction, or the body's own first line.
    fn some_place(&mut self) -> PlaceId {
        if self.place.is_some() {
            return self.place;
        }
        if let Some(latest) = self.watched.filter(|latest| latest.is_some()) {
            return latest;
        }
        let item = self.mir.name;
        self.out.places.add(Place { item, line: 1, column: 1, inlined_at: PlaceId::NONE })
    }
}

const _: () = assert!(layout::CELL_COUNT == -(layout::CELL_HEADER as i64));
