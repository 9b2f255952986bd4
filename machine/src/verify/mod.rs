//! Every invariant, one fault enum.
//!
//! | family | judged by       | about                                                                               |
//! |--------|-----------------|-------------------------------------------------------------------------------------|
//! | X01    | [`verify`]      | structure: blocks, operands, tables, edges, flags, landing pads, the convention      |
//! | X02    | [`crate::alloc::check`] | allocation: every operand holds the value that selection meant                |
//! | X03    | [`verify`]      | the frame: slots, saved registers                                                   |
//! | X04    | [`verify_code`] | bytes: branches, calls, relocations, sites, by a decoder of lengths of its own        |
//!
//! What this cannot see: that a fall-through in `final` goes to the block of the edge that was dropped, and what an instruction computes; the decode-back
//! test of [`crate::encode`] and whole programs see that.

mod accept;
mod bytes;
mod calls;
mod fault;
mod flow;
mod length;
mod records;

#[cfg(test)]
mod tests;

use ir::Where;

use crate::finish::{Code, Frame};
use crate::ir::{Block, Final, Function, Location, Phase, SlotKind};
use crate::ops::Op;
use crate::regs::{CALLEE_SAVED, Class, FIRST_VIRTUAL, NONE, Reg, class_of};

pub use fault::{MachFault, Rule};

/// How far the function has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Stage {
    Select,
    Alloc,
    Final,
}

fn stage<P: Phase>() -> Stage {
    match P::NAME {
        "select" => Stage::Select,
        "alloc" => Stage::Alloc,
        _ => Stage::Final,
    }
}

/// All faults of a function. No input makes it panic.
pub fn verify<P: Phase>(function: &Function<P>) -> Vec<MachFault> {
    verify_with(function, &mut Memory::default())
}

/// As [`verify`], with columns that are used again.
pub(crate) fn verify_with<P: Phase>(function: &Function<P>, memory: &mut Memory) -> Vec<MachFault> {
    let stage = stage::<P>();
    let mut judge = Judge::new(function, stage, memory);
    judge.blocks();
    // Everything below walks the blocks.
    if judge.faults.is_empty() {
        if stage == Stage::Select {
            judge.flow();
        }
        judge.tables();
        judge.reach();
        judge.records();
        judge.frame();
    }
    judge.faults
}

/// All faults of the bytes of a function that [`verify`] finds no fault with.
pub fn verify_code(function: &Function<Final>, code: &Code) -> Vec<MachFault> {
    verify_code_with(function, code, &mut Memory::default())
}

/// As [`verify_code`], with columns that are used again.
pub(crate) fn verify_code_with(function: &Function<Final>, code: &Code, memory: &mut Memory) -> Vec<MachFault> {
    bytes::verify_code(function, code, &mut memory.bytes)
}

/// Columns that are used again.
#[derive(Default, Debug)]
pub(crate) struct Memory {
    /// Of each virtual register (`select`) the class, whether it was defined, and in bits 8 and up the node of [`flow`] where; in front [`LOW`] rows of
    /// what is no virtual register, the first of which is that of no register at all.
    virtuals: Vec<u32>,
    /// Registers that were read before they were defined, and where.
    early: Vec<(Reg, Where)>,
    flow: flow::Flow,
    /// Of each block: reached from the entry without unwinding.
    is_reached: Vec<bool>,
    work: Vec<u32>,
    ranges: Vec<(i64, i64, usize)>,
    /// What [`verify_code`] walks by.
    bytes: bytes::Memory,
}

/// Bits of `Memory::virtuals`.
const DEFINED: u32 = 1;
const GP: u32 = 4;
const XMM: u32 = 8;
const NOTHING: u32 = 16;
/// Where the node begins in them.
const NODE: u32 = 8;
/// Rows of `Memory::virtuals` in front of the first virtual register.
const LOW: usize = FIRST_VIRTUAL as usize + 1;

/// Row of a register in `Memory::virtuals`.
#[inline]
const fn row_of(reg: Reg) -> usize {
    reg.wrapping_add(1) as usize
}

struct Judge<'a, P: Phase> {
    function: &'a Function<P>,
    stage: Stage,
    faults: Vec<MachFault>,
    memory: &'a mut Memory,
    /// What the row of a register defined here has besides its class.
    here: u32,
    /// The next rows of the tables of edges, stubs and calls that records may name (`select`).
    next_rows: [u32; 3],
}

impl<'a, P: Phase> Judge<'a, P> {
    fn new(function: &'a Function<P>, stage: Stage, memory: &'a mut Memory) -> Self {
        Judge { function, stage, faults: Vec::new(), memory, here: DEFINED, next_rows: [0; 3] }
    }
}

impl<P: Phase> Judge<'_, P> {
    #[cold]
    fn fault(&mut self, rule: Rule, at: Where, numbers: [i64; 2]) {
        self.faults.push(MachFault { rule, at, numbers });
    }

    /// Blocks tile the records and end as they must.
    fn blocks(&mut self) {
        let function = self.function;
        let mut next = 0;
        for (id, block) in function.blocks.iter() {
            let at = Where::Block(id.raw());
            if block.start != next || block.end < block.start || block.end as usize > function.records.len() {
                self.fault(Rule::BlockRange, at, [0; 2]);
                return;
            }
            next = block.end;
            if self.stage == Stage::Select {
                if block.is_pad && !block.params.is_empty() {
                    self.fault(Rule::PadParameters, at, [0; 2]);
                }
            } else if !block.params.is_empty() {
                self.fault(Rule::BlockParameter, at, [0; 2]);
            }
            let records = &function.records[block.start as usize..block.end as usize];
            let ends_well = records.last().is_some_and(|last| last.op.info().ends && last.op != Op::JumpIf);
            if !ends_well && self.stage != Stage::Final {
                self.fault(Rule::BlockEnd, at, [0; 2]);
            }
        }
        if next as usize != function.records.len() || function.blocks.is_empty() {
            self.fault(Rule::BlockRange, Where::Function, [0; 2]);
        }
        if self.stage == Stage::Final && function.records.last().is_none_or(|last| !last.op.info().ends || last.op == Op::JumpIf) {
            self.fault(Rule::FallsOff, Where::Function, [0; 2]);
        }
        if !function.virtuals.is_empty() && function.virtuals.len() != function.records.len() {
            self.fault(Rule::VirtualColumn, Where::Function, [function.virtuals.len() as i64, function.records.len() as i64]);
        }
    }

    /// Edges, slots, stubs: rows that records name.
    fn tables(&mut self) {
        let function = self.function;
        if self.stage == Stage::Select {
            self.memory.early.clear();
            let column = &mut self.memory.virtuals;
            column.clear();
            column.resize(LOW, NOTHING | GP | XMM);
            column.extend(function.classes.iter().map(|&class| if class == Class::Gp { GP } else { XMM }));
            for (id, block) in function.blocks.iter() {
                if !block.params.is_empty() {
                    self.stand(self.memory.flow.start(id.raw()));
                    for &param in function.regs.slice(block.params.start(), block.params.len()) {
                        self.define(param, Where::Block(id.raw()));
                    }
                }
            }
            self.stand(0);
        }
        self.parameters();
        for edge in &function.edges {
            let to = i64::from(edge.to.raw());
            let Some(block) = function.blocks.get(edge.to) else {
                self.fault(Rule::EdgeTarget, Where::Function, [to, 0]);
                continue;
            };
            if block.params.len() != edge.args.len() {
                self.fault(Rule::EdgeCount, Where::Function, [to, edge.args.len() as i64]);
                continue;
            }
            let params = function.regs.slice(block.params.start(), block.params.len());
            for (index, (&arg, &param)) in function.regs.slice(edge.args.start(), edge.args.len()).iter().zip(params).enumerate() {
                let class = self.class(arg);
                if class.is_none() || class != self.class(param) {
                    self.fault(Rule::EdgeClass, Where::Function, [to, index as i64]);
                }
            }
        }
    }

    /// The class of a register of this phase; `None` when there is no such register.
    fn class(&self, reg: Reg) -> Option<Class> {
        if self.stage == Stage::Select {
            return reg.checked_sub(FIRST_VIRTUAL).and_then(|at| self.function.classes.get(at as usize)).copied();
        }
        (reg < 32).then(|| class_of(reg))
    }

    /// The records that come stand in this node.
    fn stand(&mut self, node: u32) {
        self.here = node << NODE | DEFINED;
        // No register is defined everywhere, which spares a question.
        if let Some(nothing) = self.memory.virtuals.first_mut() {
            *nothing = NOTHING | self.here;
        }
    }

    fn define(&mut self, reg: Reg, at: Where) {
        if self.stage != Stage::Select || reg < FIRST_VIRTUAL {
            return;
        }
        if let Some(state) = self.memory.virtuals.get_mut(row_of(reg))
            && *state & NOTHING == 0
        {
            let was = *state;
            *state |= self.here;
            if was & DEFINED != 0 {
                *state = was;
                self.fault(Rule::DefinedTwice, at, [i64::from(reg - FIRST_VIRTUAL), 0]);
            }
        }
    }

    /// A register is read: its definition has been passed on every path.
    fn read(&mut self, reg: Reg, at: Where) {
        if self.stage != Stage::Select {
            return;
        }
        let Some(&state) = self.memory.virtuals.get(row_of(reg)) else { return };
        if state & NOTHING != 0 {
            return;
        }
        if state & DEFINED == 0 {
            self.memory.early.push((reg, at));
        } else if !self.memory.flow.is_dominated(self.here >> NODE, state >> NODE) {
            self.fault(Rule::NotDominated, at, [i64::from(reg - FIRST_VIRTUAL), 0]);
        }
    }

    /// What was read before it was defined.
    fn judge_early(&mut self) {
        let early = std::mem::take(&mut self.memory.early);
        let mut undefined = Vec::new();
        for &(reg, at) in &early {
            if self.memory.virtuals[row_of(reg)] & DEFINED == 0 {
                undefined.push(reg);
            } else {
                self.fault(Rule::NotDominated, at, [i64::from(reg - FIRST_VIRTUAL), 0]);
            }
        }
        undefined.sort_unstable();
        undefined.dedup();
        for reg in undefined {
            self.fault(Rule::Undefined, Where::Function, [i64::from(reg - FIRST_VIRTUAL), 0]);
        }
        self.memory.early = early;
    }

    /// Records name the rows of a table one after another, each once: allocation writes into them.
    fn names(&mut self, table: usize, row: u32, at: Where) {
        if self.stage != Stage::Select {
            return;
        }
        if row < self.next_rows[table] {
            self.fault(Rule::RowOrder, at, [i64::from(row), 0]);
        }
        self.next_rows[table] = row.saturating_add(1);
    }

    /// A record that unwinds has been passed.
    fn unwinds(&mut self, pad: Option<Block>) {
        if self.stage == Stage::Select && pad.is_some() && self.memory.flow.is_cut {
            self.stand((self.here >> NODE) + 1);
        }
    }

    /// The arguments of an edge.
    fn edge(&mut self, index: u32, at: Where) {
        let function = self.function;
        self.names(0, index, at);
        if let Some(edge) = function.edges.get(index as usize) {
            for &arg in function.regs.slice(edge.args.start(), edge.args.len()) {
                self.read(arg, at);
            }
        }
    }

    /// Blocks reached without unwinding. In `final` a block may fall through.
    fn reach(&mut self) {
        let function = self.function;
        let is_reached = &mut self.memory.is_reached;
        is_reached.clear();
        is_reached.resize(function.blocks.len(), false);
        if function.blocks.rows().first().is_some_and(|entry| entry.is_pad) {
            self.fault(Rule::PadEntered, Where::Block(0), [0; 2]);
        }
        let mut work = std::mem::take(&mut self.memory.work);
        work.clear();
        work.push(0);
        while let Some(at) = work.pop() {
            let at = at as usize;
            if std::mem::replace(&mut self.memory.is_reached[at], true) {
                continue;
            }
            let block = function.blocks.rows()[at];
            let records = &function.records[block.start as usize..block.end as usize];
            for record in &records[records.len().saturating_sub(2)..] {
                if !matches!(record.op, Op::Jump | Op::JumpIf) {
                    continue;
                }
                if let Some(edge) = function.edges.get(record.aux as usize)
                    && edge.to.index() < function.blocks.len()
                {
                    if function.blocks[edge.to].is_pad {
                        self.fault(Rule::PadEntered, Where::Block(at as u32), [i64::from(edge.to.raw()), 0]);
                    }
                    work.push(edge.to.raw());
                }
            }
            let falls = self.stage == Stage::Final && records.last().is_none_or(|last| !last.op.info().ends || last.op == Op::JumpIf);
            if falls && at + 1 < function.blocks.len() {
                work.push(at as u32 + 1);
            }
        }
        self.memory.work = work;
    }

    fn pad(&mut self, pad: Option<Block>, at: Where) {
        if let Some(pad) = pad
            && !self.function.blocks.get(pad).is_some_and(|row| row.is_pad)
        {
            self.fault(Rule::PadTarget, at, [i64::from(pad.raw()), 0]);
        }
    }

    fn place(&mut self, place: ir::PlaceId, at: Where) {
        if place.is_some() && self.function.places.get(place).is_none() {
            self.fault(Rule::PlaceRow, at, [i64::from(place.0), 0]);
        }
    }

    fn stub(&mut self, index: u32, at: Where) {
        let function = self.function;
        let Some(row) = function.stubs.get(index as usize) else { return };
        self.names(1, index, at);
        self.pad(row.pad, at);
        self.place(row.place, at);
        let args = function.locations.slice(row.args.start(), row.args.len());
        let mut wrong = i64::from(args.len() != row.kind.args().len());
        for location in args {
            let is_right = match *location {
                Location::Reg(reg) => {
                    self.read(reg, at);
                    self.class(reg) == Some(Class::Gp)
                }
                Location::Slot(slot) => self.stage != Stage::Select && (slot as usize) < function.slots.len(),
                Location::SlotAddress(slot) => (slot as usize) < function.slots.len(),
                Location::Const(_) => true,
                Location::Data(row) => (row as usize) < function.data.len(),
            };
            wrong += i64::from(!is_right);
        }
        if wrong > 0 {
            self.fault(Rule::StubOperands, at, [wrong, 0]);
        }
        self.unwinds(row.pad);
    }

    /// Slots and saved registers.
    fn frame(&mut self) {
        let function = self.function;
        for (index, slot) in function.slots.iter().enumerate() {
            if slot.size == 0 || slot.size % 8 != 0 {
                self.fault(Rule::SlotSize, Where::Function, [index as i64, i64::from(slot.size)]);
            }
            if let SlotKind::Incoming(at) = slot.kind
                && i64::from(slot.offset) != 16 + 8 * i64::from(at)
            {
                self.fault(Rule::ArgumentSlot, Where::Function, [index as i64, 0]);
            }
        }
        if self.stage == Stage::Select {
            return;
        }
        if function.saved & !CALLEE_SAVED != 0 {
            self.fault(Rule::SavedMask, Where::Function, [0; 2]);
        }
        if self.stage == Stage::Final && self.faults.is_empty() {
            self.slots();
        }
    }

    /// Slots inside the frame, apart from each other.
    fn slots(&mut self) {
        let function = self.function;
        let Some(frame) = Frame::of(function) else {
            self.fault(Rule::SlotOutside, Where::Function, [0; 2]);
            return;
        };
        let low = -i64::from(frame.size);
        let high = -8 * i64::from(function.saved.count_ones());
        let mut ranges = std::mem::take(&mut self.memory.ranges);
        ranges.clear();
        for (index, slot) in function.slots.iter().enumerate() {
            let (start, end) = (i64::from(slot.offset), i64::from(slot.offset) + i64::from(slot.size));
            match slot.kind {
                SlotKind::Incoming(_) => continue,
                SlotKind::Outgoing(at) if start != low + 8 * i64::from(at) => {
                    self.fault(Rule::ArgumentSlot, Where::Function, [index as i64, 0]);
                }
                SlotKind::Local | SlotKind::Spill | SlotKind::Outgoing(_) => {}
            }
            if start < low || end > high {
                self.fault(Rule::SlotOutside, Where::Function, [index as i64, 0]);
            }
            if start % 8 != 0 {
                self.fault(Rule::SlotAlignment, Where::Function, [index as i64, 0]);
            }
            ranges.push((start, end, index));
        }
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            if pair[0].1 > pair[1].0 {
                self.fault(Rule::SlotOverlap, Where::Function, [pair[0].2 as i64, pair[1].2 as i64]);
            }
        }
        self.memory.ranges = ranges;
    }
}

/// No register.
const fn is_none(reg: Reg) -> bool {
    reg == NONE
}
