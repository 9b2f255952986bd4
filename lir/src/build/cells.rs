//! Cells on the heap, and function values, which hold one: room from the runtime behind a header (`abi::layout`), the parts as they lie in an aggregate. How they are
//! counted and freed stands in [`super::counts`].

use abi::layout::MemEvent;
use abi::{RuntimeCall, layout};
use hir::TypeKind;
use hir::program::ObjectMethod;
use ir::ssa::{Inst, NewInst, Value};
use ir::{ItemId, Stop};

use super::Builder;
use super::glue::{self, Purpose};
use super::shape::ShapeId;
use crate::ir::Type;
use crate::ops::{Cond, Op};

impl Builder<'_> {
    /// The shape of what the cell holds; that of nothing in broken MIR.
    pub(super) fn content_of(&mut self, cell: Option<Value>) -> Result<ShapeId, Stop> {
        match cell.and_then(|cell| self.mir.values.get(cell)).map(|row| row.ty.kind()) {
            Some(TypeKind::Cell(parts)) => self.shapes.content(parts),
            _ => Ok(ShapeId::NOTHING),
        }
    }

    /// A cell with these parts.
    pub(super) fn new_cell(&mut self, inst: Inst) -> Result<(), Stop> {
        let (content, tag) = self.made_by(inst)?;
        let cell = self.take_cell(self.shapes.size(content) as usize, tag);
        self.fill(cell, content, self.mir.args(inst))?;
        self.define(inst, cell);
        Ok(())
    }

    /// What the cell that an instruction makes holds, and the tag of its type.
    fn made_by(&mut self, inst: Inst) -> Result<(ShapeId, u32), Stop> {
        let row = self.mir.insts[inst];
        let result = (row.results > 0).then_some(row.first_result);
        let tag = result.and_then(|value| self.mir.values.get(value)).map_or(0, |row| glue::tag(row.ty));
        Ok((self.content_of(result)?, tag))
    }

    /// A cell with these parts in the room of a token, or in room of its own where the token has none.
    pub(super) fn reuse(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let Some((token, parts)) = mir.args(inst).split_first() else { return Ok(()) };
        let (content, tag) = self.made_by(inst)?;
        let bytes = self.shapes.size(content) as usize;
        let token = self.leaf_at(Some(token), 0);
        let (old, new, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let null = self.constant(Type::Ptr, 0);
        let has_room = self.icmp(Cond::Ne, token, null);
        let known = self.constants.len();
        self.branch(has_room, (old, &[]), (new, &[]));
        self.block = old;
        // The room may have been another type's: the header says which it is now.
        let header = self.header(token);
        let (class, _) = layout::cell_class(bytes);
        let fresh = self.constant(Type::I64, layout::cell_header(layout::class_bytes(class), tag) as i64);
        self.store(header, 0, fresh);
        self.note(MemEvent::Reuse, token);
        self.jump(join, &[token]);
        self.constants.truncate(known);
        self.block = new;
        let cell = self.take_cell(bytes, tag);
        self.jump(join, &[cell]);
        self.constants.truncate(known);
        self.block = join;
        let cell = self.out.add_param(join, Type::Ptr);
        self.fill(cell, content, parts)?;
        self.define(inst, cell);
        Ok(())
    }

    /// A fresh cell with room for so many bytes, of the type with this tag.
    pub(super) fn take_cell(&mut self, bytes: usize, tag: u32) -> Value {
        let (class, _) = layout::cell_class(bytes);
        if class == layout::CELL_LARGE {
            let operands = [self.constant(Type::I64, bytes as i64), self.constant(Type::I64, i64::from(tag))];
            let new = NewInst { args: &operands, imm: RuntimeCall::Allocate as u64, ..NewInst::new(Op::Runtime) };
            let made = self.out.append(self.block, new, &[Type::Ptr]);
            let cell = self.out.insts[made].first_result;
            self.note(MemEvent::Alloc, cell);
            return cell;
        }
        let cell = self.plain(Op::Alloc, &[], u64::from(class) | u64::from(tag) << 8, Type::Ptr);
        self.note(MemEvent::Alloc, cell);
        cell
    }

    /// Stores these values at an address.
    fn fill(&mut self, address: Value, content: ShapeId, parts: &[Value]) -> Result<(), Stop> {
        let parts = self.flat(parts)?;
        for (index, &part) in parts.iter().enumerate() {
            if let Some(offset) = self.shapes.leaves(content).get(index).map(|leaf| leaf.offset) {
                self.store(address, offset, part);
            }
        }
        self.operands = parts;
        Ok(())
    }

    /// Address of the code, and the cell with what is captured: that of a function which takes it out again. What captures nothing is its own code,
    /// and no cell.
    pub(super) fn closure(&mut self, inst: Inst) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let captured = self.mir.args(inst);
        let function = ItemId::from_raw(row.imm as u32);
        if captured.is_empty() {
            let code = self.plain(Op::Code, &[], row.imm, Type::Ptr);
            let nothing = self.constant(Type::Ptr, 0);
            self.define_leaves(inst, &[code, nothing]);
            return Ok(());
        }
        let types: Vec<hir::Type> = captured.iter().filter_map(|&value| self.mir.values.get(value)).map(|row| row.ty).collect();
        let env = hir::Type::cell(&types);
        let hir::TypeKind::Cell(parts) = env.kind() else { return Ok(()) };
        let content = self.shapes.content(parts)?;
        // In front of what is captured: the function that drops it, since the type of the value does not tell what it is.
        let block = self.take_cell(self.shapes.size(content) as usize + glue::ENV_PARTS as usize, glue::tag(env));
        let drop = self.plain(Op::Code, &[], u64::from(Purpose::Env.item(env).raw()), Type::Ptr);
        self.store(block, 0, drop);
        let parts_at = self.constant(Type::I64, glue::ENV_PARTS);
        let cell = self.pure(Op::Add, &[block, parts_at], Type::Ptr);
        self.fill(cell, content, captured)?;
        let code = self.plain(Op::Code, &[], u64::from(function.unpacking(captured.len()).raw()), Type::Ptr);
        self.define_leaves(inst, &[code, cell]);
        Ok(())
    }

    /// The cell goes behind the arguments; a function without one takes no notice.
    pub(super) fn call_value(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let Some((callee, args)) = mir.args(inst).split_first() else { return Ok(()) };
        let (code, cell) = (self.leaf_at(Some(callee), 0), self.leaf_at(Some(callee), 1));
        let new = NewInst { flags: self.flags, unwind: self.unwind, place: self.place, ..NewInst::new(Op::CallPtr) };
        self.call_as(inst, new, Some(code), args, Some(cell))
    }

    /// Addresses of the function that drops the cell of an object, and of one for each method.
    pub(super) fn methods(&mut self, inst: Inst) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let result = (row.results > 0).then_some(row.first_result);
        let Some(ty) = result.and_then(|value| self.mir.values.get(value)).map(|row| row.ty) else { return Ok(()) };
        let TypeKind::Methods(object, of) = ty.kind() else { return Ok(()) };
        let mut functions = vec![Purpose::Drop.item(hir::Type::cell(&[ty, of]))];
        functions.extend(self.cx.methods(object)?.iter().map(|method| method.for_type(of)));
        let codes: Vec<Value> =
            functions.into_iter().map(|function| self.plain(Op::Code, &[], u64::from(function.raw()), Type::Ptr)).collect();
        self.define_leaves(inst, &codes);
        Ok(())
    }

    /// The code of a method stands in the cell, which goes behind the arguments.
    pub(super) fn call_method(&mut self, inst: Inst, changes: bool) -> Result<(), Stop> {
        let mir = self.mir;
        let Some((object, args)) = mir.args(inst).split_first() else { return Ok(()) };
        let ty = mir.values.get(*object).map_or(hir::Type::ERROR, |row| row.ty);
        let method = ObjectMethod { item: ItemId::from_raw(mir.insts[inst].imm as u32), changes };
        // A verified body calls methods that the object has.
        let index = self.cx.methods(ty)?.iter().position(|known| *known == method).unwrap_or(0) as u32;
        let cell = self.leaf_at(Some(object), 0);
        let code = self.load(cell, Type::Ptr.size() * (index + 1), Type::Ptr);
        let new = NewInst { flags: self.flags, unwind: self.unwind, place: self.place, ..NewInst::new(Op::CallPtr) };
        self.call_as(inst, new, Some(code), args, Some(cell))
    }

    /// The leaves of a part, one load each.
    pub(super) fn part(&mut self, inst: Inst, index: u64) -> Result<(), Stop> {
        let cell = self.mir.args(inst).first().copied();
        let content = self.content_of(cell)?;
        let address = self.leaf_at(cell.as_ref(), 0);
        let first = self.leaves.len() as u32;
        let leaves = self.part_at(address, content, index as usize);
        self.leaves.extend(leaves);
        self.set_first(inst, first);
        Ok(())
    }
}
