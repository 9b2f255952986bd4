//! Lists: first element, length, buffer. The buffer is a cell that knows where its last element ends and how far there is room (`abi::layout`).
//!
//! An op that changes a list consumes it. Growing is in place where the list ends with its buffer, because nobody sees what lies behind; where the new element
//! may hold a list of this type, only while the buffer has one holder (`looked::may_hold_its_list`): values have no cycles. An element is
//! changed in place where the buffer has one holder, and that is this list. Anywhere else the elements are copied into a buffer of their own: whatever they hold
//! has one holder more, and the share of the old buffer is given up.

use abi::layout::MemEvent;
use abi::{PanicKind, RuntimeCall, layout};
use hir::TypeKind;
use ir::Stop;
use ir::ssa::{Inst, NewInst, Value};

use super::Builder;
use super::counts::Act;
use super::glue::{self, Purpose};
use super::looked::may_hold_its_list;
use super::shape::ShapeId;
use crate::ir::Type;
use crate::ops::{Cond, Op};

/// The leaves of a list.
#[derive(Clone, Copy)]
struct List {
    elements: Value,
    length: Value,
    buffer: Value,
}

impl List {
    const fn leaves(self) -> [Value; 3] {
        [self.elements, self.length, self.buffer]
    }
}

impl Builder<'_> {
    /// The shape of the elements of a list; that of nothing in broken MIR.
    fn element_of(&mut self, list: Option<Value>) -> Result<ShapeId, Stop> {
        match list.and_then(|list| self.mir.values.get(list)).map(|row| row.ty.kind()) {
            Some(TypeKind::List(element)) => self.shapes.of(element),
            _ => Ok(ShapeId::NOTHING),
        }
    }

    fn list_at(&self, value: Option<&Value>) -> List {
        List { elements: self.leaf_at(value, 0), length: self.leaf_at(value, 1), buffer: self.leaf_at(value, 2) }
    }

    fn define_list(&mut self, inst: Inst, list: List) {
        self.define_leaves(inst, &[list.elements, list.length, list.buffer]);
    }

    fn result_of(&self, inst: Inst) -> Option<Value> {
        let row = self.mir.insts[inst];
        (row.results > 0).then_some(row.first_result)
    }

    /// Bytes of the elements in front of this one.
    fn scaled(&mut self, index: Value, stride: u32) -> Value {
        if stride.is_power_of_two() {
            let shift = self.constant(Type::I64, i64::from(stride.trailing_zeros()));
            self.pure(Op::Shl, &[index, shift], Type::I64)
        } else {
            let scale = self.constant(Type::I64, i64::from(stride));
            self.pure(Op::Mul, &[index, scale], Type::I64)
        }
    }

    /// The address of an element.
    fn element_address(&mut self, elements: Value, index: Value, stride: u32) -> Value {
        let offset = self.scaled(index, stride);
        self.pure(Op::Add, &[elements, offset], Type::Ptr)
    }

    fn behind(&mut self, address: Value, bytes: u64) -> Value {
        let bytes = self.constant(Type::I64, bytes as i64);
        self.pure(Op::Add, &[address, bytes], Type::Ptr)
    }

    fn store_element(&mut self, address: Value, offset: u32, shape: ShapeId, element: Value) -> Result<(), Stop> {
        let leaves = self.flat(&[element])?;
        for (index, &leaf) in leaves.iter().enumerate() {
            if let Some(at) = self.shapes.leaves(shape).get(index).map(|leaf| leaf.offset) {
                self.store(address, offset + at, leaf);
            }
        }
        self.operands = leaves;
        Ok(())
    }

    fn runtime_buffer(&mut self, call: RuntimeCall, operands: &[Value]) -> Value {
        if let (RuntimeCall::ListGrow, Some(&old)) = (call, operands.get(2)) {
            self.note(MemEvent::Release, old);
        }
        let made = self.out.append(self.block, NewInst { args: operands, imm: call as u64, ..NewInst::new(Op::Runtime) }, &[Type::Ptr]);
        let buffer = self.out.insts[made].first_result;
        self.note(MemEvent::Given, buffer);
        buffer
    }

    /// A list of these elements: a buffer that is just as large.
    pub(super) fn list(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let shape = self.element_of(self.result_of(inst))?;
        let stride = self.shapes.size(shape);
        let length = self.constant(Type::I64, args.len() as i64);
        if args.is_empty() || stride == 0 {
            let (elements, buffer) = (self.constant(Type::Ptr, layout::LIST_EMPTY), self.constant(Type::Ptr, 0));
            self.define_list(inst, List { elements, length, buffer });
            return Ok(());
        }
        let bytes = u64::from(layout::BUFFER_ELEMENTS) + args.len() as u64 * u64::from(stride);
        let tag = self.tag_of(self.result_of(inst));
        let buffer = self.take_cell(bytes as usize, tag);
        let end = self.behind(buffer, bytes);
        self.store(buffer, layout::BUFFER_END, end);
        self.store(buffer, layout::BUFFER_LIMIT, end);
        for (&element, offset) in args.iter().zip((layout::BUFFER_ELEMENTS..).step_by(stride as usize)) {
            self.store_element(buffer, offset, shape, element)?;
        }
        let elements = self.behind(buffer, u64::from(layout::BUFFER_ELEMENTS));
        self.define_list(inst, List { elements, length, buffer });
        Ok(())
    }

    /// Bounds check where there is need of one, address, one load a leaf.
    pub(super) fn list_get(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let (list, index) = (self.list_at(args.first()), self.leaf(args, 1));
        if mir.op(inst) == mir::Op::ListGet {
            self.check(Cond::Ult, PanicKind::IndexOutOfBounds, index, list.length, &[index, list.length]);
        }
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        let first = self.leaves.len() as u32;
        let is_empty = self.out.def_inst(list.elements).is_some_and(|made| self.out.op(made) == Op::Iconst);
        let address = match self.literal(args.get(1)) {
            _ if is_empty => list.elements,
            Some(0) => list.elements,
            Some(_) | None => self.element_address(list.elements, index, stride),
        };
        for position in 0..self.shapes.leaves(shape).len() {
            let leaf = self.shapes.leaves(shape)[position];
            let value = match leaf.ty {
                // The list has no elements: control never gets past the check, and there is nothing to load.
                Type::F64 if is_empty => self.plain(Op::Fconst, &[], 0, Type::F64),
                ty if is_empty => self.constant(ty, 0),
                ty => self.load(address, leaf.offset, ty),
            };
            self.leaves.push(value);
        }
        self.set_first(inst, first);
        Ok(())
    }

    /// By what the leak report knows the type of a list.
    fn tag_of(&self, list: Option<Value>) -> u32 {
        list.and_then(|list| self.mir.values.get(list)).map_or(0, |row| glue::tag(row.ty))
    }

    /// The elements of `old` have been copied to `new`: what they hold has one holder more, and the old buffer one fewer; or they have moved.
    fn copied(&mut self, ty: Option<hir::Type>, old: List, new: List) -> Result<(), Stop> {
        let Some(TypeKind::List(element)) = ty.map(hir::Type::kind) else { return Ok(()) };
        let ty = hir::Type::list(element);
        if self.counted_leaves(element)? == 0 {
            return self.count(ty, &old.leaves(), Act::Drop, false);
        }
        // A buffer that nobody else holds, and that has these elements and no others, has given them away: nothing is counted.
        let (held, sole, shared, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let known = self.constants.len();
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, old.buffer, null);
        self.branch(is_held, (held, &[]), (shared, &[]));
        self.block = held;
        let is_only = self.is_sole(old.buffer);
        let first = self.behind(old.buffer, u64::from(layout::BUFFER_ELEMENTS));
        let is_first = self.icmp(Cond::Eq, old.elements, first);
        let shape = self.shapes.of(element)?;
        let stride = self.shapes.size(shape);
        let behind = self.element_address(old.elements, old.length, stride);
        let end = self.load(old.buffer, layout::BUFFER_END, Type::Ptr);
        let is_last = self.icmp(Cond::Eq, behind, end);
        let is_all = self.pure(Op::And, &[is_first, is_last], Type::I8);
        let is_sole = self.pure(Op::And, &[is_only, is_all], Type::I8);
        self.branch(is_sole, (sole, &[]), (shared, &[]));
        self.block = sole;
        self.effect(Op::Runtime, &[old.buffer], RuntimeCall::Free as u64);
        self.jump(join, &[]);
        self.constants.truncate(known);
        self.block = shared;
        self.call_glue(Purpose::Share, ty, &new.leaves())?;
        self.count(ty, &old.leaves(), Act::Drop, false)?;
        self.jump(join, &[]);
        self.constants.truncate(known);
        self.block = join;
        Ok(())
    }

    /// Does a list of this type grow in place only while nobody else holds its buffer?
    fn must_be_sole(&mut self, list: Option<hir::Type>) -> Result<bool, Stop> {
        match list.map(hir::Type::kind) {
            Some(TypeKind::List(element)) => may_hold_its_list(element, &mut self.shapes, self.cx),
            Some(_) | None => Ok(false),
        }
    }

    /// The buffer when it has one holder, else null.
    fn sole_or_null(&mut self, buffer: Value) -> Value {
        let (held, join) = (self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, buffer, null);
        let known = self.constants.len();
        self.branch(is_held, (held, &[]), (join, &[null]));
        self.block = held;
        let is_only = self.is_sole(buffer);
        let sole = self.pure(Op::Select, &[is_only, buffer, null], Type::Ptr);
        self.jump(join, &[sole]);
        self.constants.truncate(known);
        self.block = join;
        self.out.add_param(join, Type::Ptr)
    }

    /// The list at the end of a buffer with room for more.
    fn reserved(&mut self, value: Option<&Value>, more: Value, stride: u32) -> Result<List, Stop> {
        let old = self.list_at(value);
        let ty = value.and_then(|&value| self.mir.values.get(value)).map(|row| row.ty);
        let is_plain = match ty.map(hir::Type::kind) {
            Some(TypeKind::List(element)) => self.counted_leaves(element)? == 0,
            Some(_) | None => false,
        };
        let (stride, tag) = (self.constant(Type::I64, i64::from(stride)), self.constant(Type::I64, i64::from(self.tag_of(value.copied()))));
        // What holds nothing counted the runtime copies, or moves, and gives the share of the old buffer up itself.
        let call = if is_plain { RuntimeCall::ListGrow } else { RuntimeCall::ListReserve };
        // Where elements are copied whatever room there is, the buffer is not told.
        let known = if self.must_be_sole(ty)? { self.sole_or_null(old.buffer) } else { old.buffer };
        let buffer = self.runtime_buffer(call, &[old.elements, old.length, known, more, stride, tag]);
        let start = self.behind(buffer, u64::from(layout::BUFFER_ELEMENTS));
        let has_moved = self.icmp(Cond::Ne, buffer, old.buffer);
        let elements = self.pure(Op::Select, &[has_moved, start, old.elements], Type::Ptr);
        let new = List { elements, buffer, ..old };
        if !is_plain {
            self.when(has_moved, |builder| builder.copied(ty, old, new))?;
        }
        Ok(new)
    }

    /// The list at the end of a buffer with room for one more: mostly it stands there already.
    fn with_room(&mut self, value: Option<&Value>, one: Value, stride: u32) -> Result<List, Stop> {
        let old = self.list_at(value);
        let (held, grow, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, old.buffer, null);
        let known = self.constants.len();
        self.branch(is_held, (held, &[]), (grow, &[]));
        self.block = held;
        let place = self.element_address(old.elements, old.length, stride);
        let behind = self.behind(place, u64::from(stride));
        let end = self.load(old.buffer, layout::BUFFER_END, Type::Ptr);
        let limit = self.load(old.buffer, layout::BUFFER_LIMIT, Type::Ptr);
        let is_last = self.icmp(Cond::Eq, place, end);
        let has_room = self.icmp(Cond::Ule, behind, limit);
        let mut fits = self.pure(Op::And, &[is_last, has_room], Type::I8);
        let ty = value.and_then(|&value| self.mir.values.get(value)).map(|row| row.ty);
        if self.must_be_sole(ty)? {
            let is_only = self.is_sole(old.buffer);
            fits = self.pure(Op::And, &[fits, is_only], Type::I8);
        }
        self.branch(fits, (join, &[old.elements, old.buffer]), (grow, &[]));
        self.constants.truncate(known);
        self.block = grow;
        let new = self.reserved(value, one, stride)?;
        self.jump(join, &[new.elements, new.buffer]);
        self.constants.truncate(known);
        self.block = join;
        let (elements, buffer) = (self.out.add_param(join, Type::Ptr), self.out.add_param(join, Type::Ptr));
        Ok(List { elements, buffer, ..old })
    }

    /// The list in a buffer that nobody else holds.
    fn unshared(&mut self, value: Option<&Value>, stride: u32) -> Result<List, Stop> {
        let old = self.list_at(value);
        let (held, copy, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, old.buffer, null);
        let known = self.constants.len();
        self.branch(is_held, (held, &[]), (copy, &[]));
        self.block = held;
        let is_only = self.is_sole(old.buffer);
        let stays = [old.elements, old.buffer];
        self.branch(is_only, (join, &stays), (copy, &[]));
        self.constants.truncate(known);
        self.block = copy;
        let new = self.copy_of(value, old, stride)?;
        self.jump(join, &[new.elements, new.buffer]);
        self.constants.truncate(known);
        self.block = join;
        let (elements, buffer) = (self.out.add_param(join, Type::Ptr), self.out.add_param(join, Type::Ptr));
        Ok(List { elements, buffer, ..old })
    }

    /// The elements of a list that is given up in a buffer of their own. `value` has its type.
    fn copy_of(&mut self, value: Option<&Value>, old: List, stride: u32) -> Result<List, Stop> {
        let ty = value.and_then(|&value| self.mir.values.get(value)).map(|row| row.ty);
        let tag = self.tag_of(value.copied());
        let (size, tag) = (self.constant(Type::I64, i64::from(stride)), self.constant(Type::I64, i64::from(tag)));
        let buffer = self.runtime_buffer(RuntimeCall::ListUnshare, &[old.elements, old.length, size, tag]);
        let new = List { elements: self.behind(buffer, u64::from(layout::BUFFER_ELEMENTS)), buffer, ..old };
        self.copied(ty, old, new)?;
        Ok(new)
    }

    /// The list that an op changes: looked at unless it is marked as nobody else's.
    fn alone(&mut self, inst: Inst, stride: u32) -> Result<List, Stop> {
        let list = self.mir.args(inst).first();
        match self.mir.insts[inst].flags & mir::ops::SOLE != 0 {
            true => Ok(self.list_at(list)),
            false => self.unshared(list, stride),
        }
    }

    /// The list in a buffer that nobody else holds.
    pub(super) fn list_own(&mut self, inst: Inst) -> Result<(), Stop> {
        let shape = self.element_of(self.mir.args(inst).first().copied())?;
        let list = match self.shapes.size(shape) {
            0 => self.list_at(self.mir.args(inst).first()),
            stride => self.alone(inst, stride)?,
        };
        self.define_list(inst, list);
        Ok(())
    }

    /// Room, the element, and the new end.
    pub(super) fn list_push(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let mut list = self.list_at(args.first());
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        let one = self.constant(Type::I64, 1);
        let length = self.pure(Op::Add, &[list.length, one], Type::I64);
        if stride > 0 {
            list = self.with_room(args.first(), one, stride)?;
            let place = self.element_address(list.elements, list.length, stride);
            if let Some(&element) = args.get(1) {
                self.store_element(place, 0, shape, element)?;
            }
            let end = self.behind(place, u64::from(stride));
            self.store(list.buffer, layout::BUFFER_END, end);
        }
        self.define_list(inst, List { length, ..list });
        Ok(())
    }

    /// A buffer of its own, and the element; what stood there is given up, or a result.
    pub(super) fn list_set(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let (mut list, index) = (self.list_at(args.first()), self.leaf(args, 1));
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        let is_swap = mir.op(inst) == mir::Op::ListSwap;
        let mut before = Vec::new();
        if stride > 0 {
            list = self.alone(inst, stride)?;
            let place = self.element_address(list.elements, index, stride);
            let Some(&element) = args.get(2) else { return Ok(()) };
            let ty = self.mir.values.get(element).map_or(hir::Type::ERROR, |row| row.ty);
            if is_swap || self.counted_leaves(ty)? > 0 {
                for position in 0..self.shapes.leaves(shape).len() {
                    let leaf = self.shapes.leaves(shape)[position];
                    before.push(self.load(place, leaf.offset, leaf.ty));
                }
            }
            self.store_element(place, 0, shape, element)?;
            if !is_swap && !before.is_empty() {
                self.count(ty, &before, Act::Drop, false)?;
            }
        }
        self.define_list(inst, list);
        if let Some(slot) = mir.results(inst).nth(1).and_then(|old| self.first_leaf.get_mut(old.index())) {
            *slot = self.leaves.len() as u32;
            self.leaves.extend(before);
        }
        Ok(())
    }

    /// The smaller or the larger of two.
    fn extreme(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        let first = self.icmp(cond, a, b);
        self.pure(Op::Select, &[first, a, b], Type::I64)
    }

    /// Both ends into bounds; the elements stay where they are. Those behind the end go where nobody else holds the buffer: the list may grow in place again.
    pub(super) fn list_slice(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let list = self.list_at(args.first());
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        let (from, to) = (self.leaf(args, 1), self.leaf(args, 2));
        let zero = self.constant(Type::I64, 0);
        let from = self.extreme(Cond::Sgt, from, zero);
        let from = self.extreme(Cond::Slt, from, list.length);
        let to = self.extreme(Cond::Slt, to, list.length);
        let to = self.extreme(Cond::Sgt, to, from);
        let length = self.pure(Op::Sub, &[to, from], Type::I64);
        let elements = if stride == 0 { list.elements } else { self.element_address(list.elements, from, stride) };
        if stride > 0 && mir::ops::cuts(mir, inst) {
            let end = self.element_address(list.elements, to, stride);
            self.truncated(args.first(), list, end)?;
        }
        let view = List { elements, length, ..list };
        let view = if stride > 0 { self.own_of_large(args.first(), view, stride)? } else { view };
        self.define_list(inst, view);
        Ok(())
    }

    /// A view shorter than an eighth of a large buffer stands in one of its own (language/13 §13.4), so that it does not keep the large one.
    fn own_of_large(&mut self, value: Option<&Value>, view: List, stride: u32) -> Result<List, Stop> {
        let (held, copy, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, view.buffer, null);
        let stays = [view.elements, view.buffer];
        let known = self.constants.len();
        self.branch(is_held, (held, &[]), (join, &stays));
        self.block = held;
        let limit = self.load(view.buffer, layout::BUFFER_LIMIT, Type::Ptr);
        let large = self.behind(view.buffer, layout::LARGE_BLOCK);
        let is_large = self.icmp(Cond::Ult, large, limit);
        let eight = self.constant(Type::I64, 8);
        let share = self.pure(Op::Mul, &[view.length, eight], Type::I64);
        let share = self.element_address(view.buffer, share, stride);
        let is_short = self.icmp(Cond::Ult, share, limit);
        let is_small = self.pure(Op::And, &[is_large, is_short], Type::I8);
        self.branch(is_small, (copy, &[]), (join, &stays));
        self.constants.truncate(known);
        self.block = copy;
        let new = self.copy_of(value, view, stride)?;
        self.jump(join, &[new.elements, new.buffer]);
        self.constants.truncate(known);
        self.block = join;
        let (elements, buffer) = (self.out.add_param(join, Type::Ptr), self.out.add_param(join, Type::Ptr));
        Ok(List { elements, buffer, ..view })
    }

    /// The buffer of a list ends here, when nobody else holds it.
    fn truncated(&mut self, value: Option<&Value>, list: List, end: Value) -> Result<(), Stop> {
        let Some(ty) = value.and_then(|&value| self.mir.values.get(value)).map(|row| row.ty) else { return Ok(()) };
        let TypeKind::List(element) = ty.kind() else { return Ok(()) };
        let is_counted = self.counted_leaves(element)? > 0;
        let null = self.constant(Type::Ptr, 0);
        let is_held = self.icmp(Cond::Ne, list.buffer, null);
        self.when(is_held, |builder| {
            let last = builder.load(list.buffer, layout::BUFFER_END, Type::Ptr);
            let is_longer = builder.icmp(Cond::Ult, end, last);
            builder.when(is_longer, |builder| {
                let is_only = builder.is_sole(list.buffer);
                builder.when(is_only, |builder| {
                    if is_counted {
                        return builder.call_glue(Purpose::Cut, ty, &[end, list.length, list.buffer]);
                    }
                    builder.store(list.buffer, layout::BUFFER_END, end);
                    Ok(())
                })
            })
        })
    }

    /// The same list, with room for more.
    pub(super) fn list_reserve(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let mut list = self.list_at(args.first());
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        if stride > 0 {
            let zero = self.constant(Type::I64, 0);
            let more = self.extreme(Cond::Sgt, self.leaf(args, 1), zero);
            list = self.reserved(args.first(), more, stride)?;
        }
        self.define_list(inst, list);
        Ok(())
    }

    /// The slots of a table in a buffer that is twice as long.
    pub(super) fn table_double(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let old = self.list_at(args.first());
        let tag = self.constant(Type::I64, i64::from(self.tag_of(args.first().copied())));
        let buffer = self.runtime_buffer(RuntimeCall::TableDouble, &[old.elements, old.length, tag]);
        let elements = self.behind(buffer, u64::from(layout::BUFFER_ELEMENTS));
        let double = self.pure(Op::Add, &[old.length, old.length], Type::I64);
        let least = self.constant(Type::I64, pure::table::LEAST as i64);
        let length = self.extreme(Cond::Sgt, double, least);
        self.count(hir::Type::list(hir::Type::INT), &old.leaves(), Act::Drop, false)?;
        self.define_list(inst, List { elements, length, buffer });
        Ok(())
    }
}
