//! Lists: first element, length, buffer. The buffer is a cell that knows where its last element ends and how far there is room (`abi::layout`).
//!
//! An op that changes a list consumes it. Growing is in place where the list ends with its buffer, because nobody sees what lies behind; a changed
//! element is stored into a copy until counts tell that nobody else holds the buffer.

use abi::{PanicKind, RuntimeCall, layout};
use hir::TypeKind;
use ir::Stop;
use ir::ssa::{Inst, NewInst, Value};

use super::Builder;
use super::shape::ShapeId;
use crate::ir::Type;
use crate::ops::{Cond, NOUNWIND, Op};

/// The leaves of a list.
#[derive(Clone, Copy)]
struct List {
    elements: Value,
    length: Value,
    buffer: Value,
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
        let made = self.out.append(self.block, NewInst { args: operands, imm: call as u64, ..NewInst::new(Op::Runtime) }, &[Type::Ptr]);
        self.out.insts[made].first_result
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
        let buffer = self.allocate(bytes);
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

    /// Bounds check, address, one load a leaf.
    pub(super) fn list_get(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let (list, index) = (self.list_at(args.first()), self.leaf(args, 1));
        if self.flags & NOUNWIND == 0 {
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

    /// Where the elements stand in `fresh`: where they stood, if it is the buffer that they had.
    fn moved(&mut self, list: List, fresh: Value) -> Value {
        let stayed = self.icmp(Cond::Eq, fresh, list.buffer);
        let start = self.behind(fresh, u64::from(layout::BUFFER_ELEMENTS));
        self.pure(Op::Select, &[stayed, list.elements, start], Type::Ptr)
    }

    /// The list at the end of a buffer with room for more.
    fn reserved(&mut self, list: List, more: Value, stride: u32) -> List {
        let stride = self.constant(Type::I64, i64::from(stride));
        let buffer = self.runtime_buffer(RuntimeCall::ListReserve, &[list.elements, list.length, list.buffer, more, stride]);
        List { elements: self.moved(list, buffer), buffer, ..list }
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
            list = self.reserved(list, one, stride);
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

    /// A buffer of its own, and the element.
    pub(super) fn list_set(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let args = mir.args(inst);
        let (mut list, index) = (self.list_at(args.first()), self.leaf(args, 1));
        let shape = self.element_of(args.first().copied())?;
        let stride = self.shapes.size(shape);
        if stride > 0 {
            let size = self.constant(Type::I64, i64::from(stride));
            list.buffer = self.runtime_buffer(RuntimeCall::ListUnshare, &[list.elements, list.length, size]);
            list.elements = self.behind(list.buffer, u64::from(layout::BUFFER_ELEMENTS));
            let place = self.element_address(list.elements, index, stride);
            if let Some(&element) = args.get(2) {
                self.store_element(place, 0, shape, element)?;
            }
        }
        self.define_list(inst, list);
        Ok(())
    }

    /// The smaller or the larger of two.
    fn extreme(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        let first = self.icmp(cond, a, b);
        self.pure(Op::Select, &[first, a, b], Type::I64)
    }

    /// Both ends into bounds; the elements stay where they are.
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
        self.define_list(inst, List { elements, length, ..list });
        Ok(())
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
            list = self.reserved(list, more, stride);
        }
        self.define_list(inst, list);
        Ok(())
    }
}
