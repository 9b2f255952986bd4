//! `open`: a value is taken apart. Aggregates and sums are so already; a cell is looked at once. Where it has one holder its parts stay as they are, those that are
//! not asked for are given up, and its room is free; where it has more, what is asked for gets one holder more, and the cell one fewer.

use abi::layout::MemEvent;
use hir::TypeKind;
use ir::Stop;
use ir::ssa::{Inst, Value};
use mir::ownership::{Opened, Part, opened};

use super::Builder;
use super::counts::Act;
use super::glue;
use crate::ir::Type;
use crate::ops::{Cond, Op};

impl Builder<'_> {
    /// Takes a value apart; its parts, which have been read, are the results, and the room of cells.
    pub(super) fn open(&mut self, inst: Inst) -> Result<(), Stop> {
        let mir = self.mir;
        let Some(whole) = opened(mir, inst) else { return Ok(()) };
        let mut rooms: Vec<Option<Value>> = vec![None; mir.args(inst).len()];
        self.open_value(inst, &whole, &mut rooms)?;
        for (index, result) in mir.results(inst).enumerate() {
            let first = match rooms.get(index).copied().flatten() {
                Some(room) => {
                    self.leaves.push(room);
                    self.leaves.len() as u32 - 1
                }
                None => mir.args(inst).get(index + 1).and_then(|part| self.first_leaf.get(part.index())).copied().unwrap_or(super::NONE),
            };
            if let Some(slot) = self.first_leaf.get_mut(result.index()) {
                *slot = first;
            }
        }
        Ok(())
    }

    /// Gives the room of a token back, if it has any.
    pub(super) fn free_token(&mut self, token: Value, class: u64) -> Result<(), Stop> {
        let null = self.constant(Type::Ptr, 0);
        let has_room = self.icmp(Cond::Ne, token, null);
        self.when(has_room, |builder| {
            builder.effect(Op::Free, &[token], class);
            Ok(())
        })
    }

    fn open_value(&mut self, inst: Inst, open: &Opened, rooms: &mut Vec<Option<Value>>) -> Result<(), Stop> {
        let Some(ty) = self.mir.values.get(open.value).map(|row| row.ty) else { return Ok(()) };
        if open.parts.is_empty() && open.token.is_none() {
            let leaves = self.flat(&[open.value])?;
            self.count(ty, &leaves, Act::Drop, false)?;
            self.operands = leaves;
            return Ok(());
        }
        match ty.kind() {
            TypeKind::Cell(parts) => self.open_cell(inst, open, ty, parts, rooms),
            TypeKind::Tuple(_) | TypeKind::Struct(..) => {
                let shape = self.shapes.of(ty)?;
                if let Some(fields) = self.cx.fields(ty)? {
                    for (index, &field) in fields.iter().enumerate() {
                        match part_of(open, index) {
                            Some(Part::Moved(_)) => {}
                            Some(Part::Opened(inner)) => self.open_value(inst, inner, rooms)?,
                            None => {
                                let (first, count) = self.shapes.field(shape, index as u64).unwrap_or((0, 0));
                                let leaves: Vec<Value> = (first..first + count).map(|leaf| self.leaf_at(Some(&open.value), leaf)).collect();
                                self.count(field, &leaves, Act::Drop, false)?;
                            }
                        }
                    }
                    return Ok(());
                }
                let (Some(variants), Some(variant)) = (self.cx.variants(ty)?, open.variant) else { return Ok(()) };
                let Some(payload) = variants.get(variant as usize) else { return Ok(()) };
                for (index, &part) in payload.iter().enumerate() {
                    match part_of(open, index) {
                        Some(Part::Moved(_)) => {}
                        Some(Part::Opened(inner)) => self.open_value(inst, inner, rooms)?,
                        None if self.counted_leaves(part)? > 0 => {
                            let leaves = self.payload_leaves(open.value, variant, index as u32)?;
                            self.count(part, &leaves, Act::Drop, false)?;
                        }
                        None => {}
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open_cell(
        &mut self,
        inst: Inst,
        open: &Opened,
        ty: hir::Type,
        parts: &'static [hir::Type],
        rooms: &mut Vec<Option<Value>>,
    ) -> Result<(), Stop> {
        let cell = self.leaf_at(Some(&open.value), 0);
        let mut tokens = Vec::new();
        tokens_in(open, &mut tokens);
        let (sole, shared, join) = (self.out.add_block(), self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let is_sole = self.is_sole(cell);
        let known = self.constants.len();
        self.branch(is_sole, (sole, &[]), (shared, &[]));
        self.block = sole;
        let content = self.shapes.content(parts)?;
        for (index, &part) in parts.iter().enumerate() {
            match part_of(open, index) {
                Some(Part::Moved(_)) => {}
                Some(Part::Opened(inner)) => self.open_value(inst, inner, rooms)?,
                None if self.counted_leaves(part)? > 0 => {
                    let leaves = self.part_at(cell, content, index);
                    self.count(part, &leaves, Act::Drop, false)?;
                }
                None => {}
            }
        }
        match open.token {
            Some(token) => rooms[token] = Some(cell),
            None => {
                let class = glue::cell_class(&mut self.shapes, ty)?;
                self.effect(Op::Free, &[cell], class);
            }
        }
        let given: Vec<Value> = tokens.iter().map(|&token| rooms[token].unwrap_or(cell)).collect();
        self.jump(join, &given);
        self.constants.truncate(known);
        self.block = shared;
        let mut moved = Vec::new();
        moved_in(open, &mut moved);
        moved.sort_unstable();
        for part in moved {
            let Some(&part) = self.mir.args(inst).get(part + 1) else { continue };
            let leaves = self.flat(&[part])?;
            self.count(self.mir.ty(part), &leaves, Act::Dup, false)?;
            self.operands = leaves;
        }
        self.note(MemEvent::Drop, cell);
        self.pure(Op::CountDown, &[cell], Type::I8);
        let null = self.constant(Type::Ptr, 0);
        let nothing = vec![null; tokens.len()];
        self.jump(join, &nothing);
        self.constants.truncate(known);
        self.block = join;
        for token in tokens {
            rooms[token] = Some(self.out.add_param(join, Type::Ptr));
        }
        Ok(())
    }
}

fn part_of(open: &Opened, number: usize) -> Option<&Part> {
    open.parts.iter().find(|(known, _)| *known as usize == number).map(|(_, part)| part)
}

/// The results that are the room of a cell in it.
fn tokens_in(open: &Opened, tokens: &mut Vec<usize>) {
    tokens.extend(open.token);
    for (_, part) in &open.parts {
        if let Part::Opened(inner) = part {
            tokens_in(inner, tokens);
        }
    }
}

/// The results that are parts of it. A part may have been read by another way than the values that stand here say: what counts is its place.
fn moved_in(open: &Opened, moved: &mut Vec<usize>) {
    for (_, part) in &open.parts {
        match part {
            Part::Moved(result) => moved.push(*result),
            Part::Opened(inner) => moved_in(inner, moved),
        }
    }
}
