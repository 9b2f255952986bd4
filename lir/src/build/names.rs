//! Which locals have which leaves, where somebody wants to know (`-g`): rows of MIR become rows of LIR, one for each leaf.

use hashbrown::HashSet;
use ir::ops::Effect;
use ir::ssa::names::{LocalRow, Name, Names};
use ir::ssa::{Def, ENTRY, Inst, Value};
use ir::{Column, Stop, Symbol};
use mir::Op as MirOp;

use super::{Builder, MirInst};
use crate::ops::Op;

impl Builder<'_> {
    /// What was made from the `from`th instruction on sees what the instruction of MIR saw, and stands where it stood.
    pub(super) fn see(&mut self, inst: MirInst, from: usize) {
        let (Some(names), Some(of)) = (&mut self.out.names, &self.mir.names) else { return };
        let (seen, place) = (of.of(inst), self.mir.edges[inst].place);
        for new in (from..self.out.insts.len()).map(Inst::new) {
            // Rows of MIR, until all leaves are known.
            names.set(new, seen);
            let is_plain = {
                let op = self.out.insts[new].op;
                matches!(op.info().effect, Effect::Pure | Effect::Reads) || op == Op::Jump
            };
            if is_plain && !self.out.edges[new].place.is_some() {
                self.out.edges[new].place = place;
            }
        }
    }

    /// All leaves are known: makes the rows.
    pub(super) fn names(&mut self) -> Result<(), Stop> {
        let Some(of) = &self.mir.names else { return Ok(()) };
        // Ghosts are made at the end of a block, which forgets them.
        let (ghostly, length) = (self.out.insts.len(), self.out.blocks[ENTRY].insts.len());
        self.block = ENTRY;
        self.constants.clear();
        for &ghost in &of.ghosts {
            match self.mir.op(ghost) {
                // Without the count of the part that goes: nobody had it.
                MirOp::WithField => self.with_other_field(ghost)?,
                _ => self.inst(ghost)?,
            }
        }
        self.out.blocks[ENTRY].insts.truncate(length);
        let mut locals: Column<_, LocalRow> = of.locals.clone();
        let mut parts = vec![0u32; locals.len()];
        for row in of.rows.rows() {
            if let (Some(value), Some(local)) = (row.value.and_then(|value| self.mir.values.get(value)), of.locals.get(row.local)) {
                let shape = self.shapes.of(value.ty)?;
                let ty = Symbol::new(&value.ty.to_string());
                locals[row.local] = LocalRow { ty, ..*local };
                parts[row.local.index()] = self.shapes.leaves(shape).len() as u32;
            }
        }
        let old = self.out.names.take().map_or_else(Vec::new, |names| names.of);
        let mut new = Names { locals, ..Names::default() };
        let mut ghosts: HashSet<Inst> = HashSet::new();
        let mut rows: Vec<Option<Name>> = Vec::with_capacity(of.rows.len());
        for row in of.rows.rows() {
            let mut last = row.before.and_then(|before| rows.get(before.index()).copied().flatten());
            for part in 0..parts.get(row.local.index()).copied().unwrap_or(0) {
                let leaf = row.value.and_then(|value| self.known_leaf(value, part)).filter(|&leaf| match self.out.values[leaf].def {
                    Def::Result(inst, _) if inst.index() >= ghostly => {
                        let is_ghost = matches!(self.out.op(inst), Op::Iconst | Op::Fconst);
                        if is_ghost && ghosts.insert(inst) {
                            new.ghosts.push(inst);
                        }
                        is_ghost
                    }
                    Def::Result(..) | Def::Param(..) => true,
                });
                last = Some(new.add(last, row.local, part, leaf));
            }
            rows.push(last);
        }
        new.of = old.into_iter().map(|name| name.and_then(|name| rows.get(name.index()).copied().flatten())).collect();
        self.out.names = Some(Box::new(new));
        self.out.settle_names();
        Ok(())
    }

    fn known_leaf(&self, value: Value, part: u32) -> Option<Value> {
        let leaf = self.leaf_at(Some(&value), part);
        self.out.values.get(leaf).map(|_| leaf)
    }

    fn with_other_field(&mut self, inst: MirInst) -> Result<(), Stop> {
        let args = self.mir.args(inst);
        let shape = self.shape_of(args.first().copied())?;
        let count = self.shapes.leaves(shape).len() as u32;
        let (from, len) = self.shapes.field(shape, self.mir.insts[inst].imm).unwrap_or((0, 0));
        let leaf = |leaf: u32| match leaf.checked_sub(from) {
            Some(within) if within < len => self.leaf_at(args.get(1), within),
            _ => self.leaf_at(args.first(), leaf),
        };
        let leaves: Vec<Value> = (0..count).map(leaf).collect();
        self.define_leaves(inst, &leaves);
        Ok(())
    }
}
