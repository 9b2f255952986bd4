//! Rules of single records.

use ir::Where;

use super::accept::{self, Limits, More};
use super::{Judge, Rule, Stage, is_none, row_of};
use crate::finish::NEAR;
use crate::ir::{BlockRow, Phase, Record};
use crate::ops::{AuxKind, Flags, ImmKind, Op, OpInfo, Role};
use crate::regs::{CALLEE_SAVED, CALLER_SAVED, Class, NONE, R11, RAX, RBP, RDX, RSP, Reg, RegSet, bit};

impl<P: Phase> Judge<'_, P> {
    /// All records, block after block.
    pub(super) fn records(&mut self) {
        let function = self.function;
        let limits = accept::limits([
            function.slots.len(),
            function.constants.len(),
            function.data.len(),
            function.edges.len(),
            function.stubs.len(),
            function.calls.len(),
            function.functions.len(),
        ]);
        if self.stage == Stage::Select {
            self.selected(&limits);
        } else {
            self.allocated(&limits);
        }
    }

    /// All records of a selected function.
    fn selected(&mut self, limits: &Limits) {
        let function = self.function;
        for (id, block) in function.blocks.iter() {
            self.stand(self.memory.flow.start(id.raw()));
            let records = &function.records[block.start as usize..block.end as usize];
            let mut place = 0;
            let mut index = 0;
            while index < records.len() {
                // As far as masks say all there is to say.
                let column = &mut self.memory.virtuals[..];
                let here = self.here;
                let mut stop = None;
                let first = index;
                for record in &records[first..] {
                    let row = &accept::ROWS[record.op as usize];
                    let at = place | if index + 1 == records.len() { accept::ENDS } else { 0 };
                    place = row.flags_behind(place);
                    index += 1;
                    let (wrong, away) = row.virtuals(record, column, here);
                    if (wrong == 0) & row.stands(at) & row.words(record, limits, 0) & !block.is_pad {
                        let is_all = (away == 0) & (row.more == More::Nothing);
                        if row.defines() && is_all {
                            column[row_of(record.a)] |= here;
                        }
                        if is_all {
                            continue;
                        }
                        stop = Some((record, row, away, true, at));
                    } else {
                        stop = Some((record, row, away, false, at));
                    }
                    break;
                }
                let Some((record, row, away, is_accepted, had)) = stop else { break };
                let at = Where::Inst { block: id.raw(), index: index as u32 - 1 };
                if !is_accepted {
                    self.in_full(record, block, at, had & accept::READS != 0, &mut 0);
                    continue;
                }
                if away != 0 {
                    self.away(row, record, at);
                }
                if row.defines() {
                    self.memory.virtuals[row_of(record.a)] |= here;
                }
                self.more(row, record, at);
            }
        }
        if !self.memory.early.is_empty() {
            self.judge_early();
        }
    }

    /// Operands that were not all defined in the node they are read in.
    pub(super) fn away(&mut self, row: &accept::Row, record: &Record, at: Where) {
        for (index, reg) in [record.a, record.b, record.c].into_iter().enumerate() {
            if row.reads(index) {
                self.read(reg, at);
            }
        }
    }

    /// All records of an allocated or finished function.
    fn allocated(&mut self, limits: &Limits) {
        let function = self.function;
        let near = if self.stage == Stage::Final { NEAR } else { 0 };
        let mut written: RegSet = 0;
        for (id, block) in function.blocks.iter() {
            let mut place = 0;
            // What the block itself has written: all that a landing pad may read.
            let mut own: RegSet = 0;
            let records = &function.records[block.start as usize..block.end as usize];
            for (index, record) in records.iter().enumerate() {
                let row = &accept::ROWS[record.op as usize];
                let had = place | if index + 1 == records.len() { accept::ENDS } else { 0 };
                place = row.flags_behind(place);
                if row.stands(had) & row.words(record, limits, near) & !block.is_pad
                    && let Some(more) = row.physical(record)
                {
                    own |= more;
                    if !matches!(row.more, More::Nothing | More::Edge) {
                        self.more(row, record, Where::Inst { block: id.raw(), index: index as u32 });
                    }
                    continue;
                }
                self.in_full(record, block, Where::Inst { block: id.raw(), index: index as u32 }, had & accept::READS != 0, &mut own);
            }
            written |= own;
        }
        if crate::catch::catches(function) {
            written |= CALLEE_SAVED;
        }
        let lost = written & CALLEE_SAVED & !function.saved;
        if lost != 0 {
            self.fault(Rule::UnsavedRegister, Where::Function, [i64::from(lost.trailing_zeros()), 0]);
        }
        // Finishing may empty blocks that nothing reaches, and with them the last write.
        let idle = function.saved & CALLEE_SAVED & !written;
        if idle != 0 && self.stage == Stage::Alloc {
            self.fault(Rule::SavedUnwritten, Where::Function, [i64::from(idle.trailing_zeros()), 0]);
        }
    }

    /// What masks cannot say of an accepted record.
    pub(super) fn more(&mut self, row: &accept::Row, record: &Record, at: Where) {
        match row.more {
            More::Nothing => {}
            More::Scale => {
                if !matches!(record.aux, 1 | 2 | 4 | 8) {
                    self.fault(Rule::Scale, at, [i64::from(record.aux), 0]);
                }
            }
            More::Slot => {
                let disp = if row.has_displacement { i64::from(record.imm) } else { 0 };
                self.slot_access(record.aux, disp, disp + i64::from(row.slot_bytes), at);
            }
            More::Stub => self.stub(record.aux, at),
            More::Call => self.call(record.op, record.aux, at),
            More::Edge => self.edge(record.aux, at),
            More::Resume => self.resume(at),
        }
    }

    fn slot_access(&mut self, slot: u32, start: i64, end: i64, at: Where) {
        if start < 0 || end > i64::from(self.function.slots[slot as usize].size) {
            self.fault(Rule::SlotAccess, at, [i64::from(slot), start]);
        }
    }

    /// A record by every rule.
    pub(super) fn in_full(&mut self, record: &Record, block: &BlockRow, at: Where, flags_are_set: bool, own: &mut RegSet) {
        let Where::Inst { index, .. } = at else { return };
        let info = record.op.info();
        if info.ends && index + 1 < block.end - block.start && !self.may_be_followed(record, index + 1 + block.start) {
            self.fault(Rule::MiddleTerminator, at, [0; 2]);
        }
        if info.flags == Flags::Reads && !flags_are_set {
            self.fault(Rule::FlagsUnset, at, [0; 2]);
        }
        let regs = [record.a, record.b, record.c];
        if self.stage == Stage::Select {
            self.virtual_operands(info, regs, at);
        } else {
            let is_pad = block.is_pad && record.op != Op::Call;
            *own |= self.physical_operands(record, info, if is_pad { Some(*own) } else { None }, at);
            if record.op == Op::Call {
                *own |= CALLER_SAVED;
            }
        }
        self.words(record, info, at);
        if record.op == Op::Resume {
            self.resume(at);
        }
    }

    /// A conditional branch may be followed by a jump.
    fn may_be_followed(&self, record: &Record, next: u32) -> bool {
        record.op == Op::JumpIf && self.function.records.get(next as usize).is_some_and(|next| next.op == Op::Jump)
    }

    fn virtual_operands(&mut self, info: &OpInfo, regs: [Reg; 3], at: Where) {
        // No record reads what it defines itself.
        let mut defined = NONE;
        for (index, (&role, reg)) in info.roles.iter().zip(regs).enumerate() {
            let number = index as i64;
            let class = match role {
                Role::No => {
                    if !is_none(reg) {
                        self.fault(Rule::ExtraOperand, at, [number, 0]);
                    }
                    continue;
                }
                Role::Index if is_none(reg) => {
                    if info.roles[1] == Role::No {
                        self.fault(Rule::MissingOperand, at, [number, 0]);
                    }
                    continue;
                }
                Role::Def(class) | Role::Use(class) | Role::Tied(class) => class,
                Role::DefIn(_) | Role::UseIn(_) | Role::Base | Role::Index => Class::Gp,
            };
            if is_none(reg) {
                self.fault(Rule::MissingOperand, at, [number, 0]);
                continue;
            }
            match self.class(reg) {
                None => self.fault(Rule::OperandKind, at, [number, i64::from(reg)]),
                Some(found) if found != class => self.fault(Rule::OperandClass, at, [number, 0]),
                Some(_) => {}
            }
            if matches!(role, Role::Def(_) | Role::DefIn(_)) {
                defined = reg;
            } else {
                self.read(reg, at);
            }
        }
        self.define(defined, at);
    }

    /// Judges the operands and gives the registers that the record writes. `readable`: for landing pads, what may be read.
    fn physical_operands(&mut self, record: &Record, info: &OpInfo, readable: Option<RegSet>, at: Where) -> RegSet {
        let regs = [record.a, record.b, record.c];
        let mut written = info.clobbers;
        // Copies go through the scratch registers, and nothing else does.
        let is_copy = accept::is_copy(record.op);
        for (index, (&role, reg)) in info.roles.iter().zip(regs).enumerate() {
            let number = index as i64;
            let mut fixed = None;
            let class = match role {
                Role::No => {
                    if !is_none(reg) {
                        self.fault(Rule::ExtraOperand, at, [number, 0]);
                    }
                    continue;
                }
                Role::Index if is_none(reg) => {
                    if info.roles[1] == Role::No {
                        self.fault(Rule::MissingOperand, at, [number, 0]);
                    }
                    continue;
                }
                Role::Def(class) | Role::Use(class) | Role::Tied(class) => class,
                Role::DefIn(reg) | Role::UseIn(reg) => {
                    fixed = Some(reg);
                    Class::Gp
                }
                Role::Base | Role::Index => Class::Gp,
            };
            if is_none(reg) {
                self.fault(Rule::MissingOperand, at, [number, 0]);
                continue;
            }
            match self.class(reg) {
                None => {
                    self.fault(Rule::OperandKind, at, [number, i64::from(reg)]);
                    continue;
                }
                Some(found) if found != class => self.fault(Rule::OperandClass, at, [number, 0]),
                Some(_) => {}
            }
            if let Some(want) = fixed
                && want != reg
            {
                self.fault(Rule::FixedOperand, at, [number, i64::from(want)]);
            }
            if matches!(role, Role::Tied(_)) && reg != regs[0] {
                self.fault(Rule::TiedOperand, at, [number, 0]);
            }
            if matches!(reg, RSP | RBP) || !is_copy && matches!(reg, R11 | 31) {
                self.fault(Rule::ReservedRegister, at, [number, 0]);
            }
            if matches!(role, Role::Def(_) | Role::DefIn(_)) {
                written |= bit(reg);
            } else if let Some(readable) = readable
                && readable & bit(reg) == 0
            {
                self.fault(Rule::PadReads, at, [number, i64::from(reg)]);
            }
        }
        if matches!(record.op, Op::Div | Op::Rem) && matches!(record.c, RAX | RDX | R11) {
            self.fault(Rule::DivisorRegister, at, [0; 2]);
        }
        written
    }

    /// Immediate and auxiliary word.
    fn words(&mut self, record: &Record, info: &OpInfo, at: Where) {
        let function = self.function;
        let imm = i64::from(record.imm);
        let near = if self.stage == Stage::Final { NEAR } else { 0 };
        match info.imm {
            ImmKind::No => {
                let allowed = if record.op == Op::Jump { near } else { 0 };
                if record.imm & !allowed != 0 {
                    self.fault(Rule::UnusedWord, at, [0; 2]);
                }
            }
            ImmKind::Condition => {
                let allowed = if matches!(record.op, Op::JumpIf | Op::Stub) { near } else { 0 };
                if !(0..16).contains(&(record.imm & !allowed)) {
                    self.fault(Rule::ImmediateRange, at, [imm, 0]);
                }
            }
            ImmKind::Value => {
                if matches!(record.op, Op::ShlImm | Op::ShrImm | Op::SarImm) && !(0..64).contains(&record.imm) {
                    self.fault(Rule::ImmediateRange, at, [imm, 0]);
                }
            }
            ImmKind::Displacement | ImmKind::Wide => {}
        }
        let index = record.aux as usize;
        let rows = match info.aux {
            AuxKind::No => {
                if info.imm != ImmKind::Wide && record.aux != 0 {
                    self.fault(Rule::UnusedWord, at, [0; 2]);
                }
                return;
            }
            AuxKind::Scale => {
                if !matches!(record.aux, 1 | 2 | 4 | 8) {
                    self.fault(Rule::Scale, at, [i64::from(record.aux), 0]);
                }
                return;
            }
            AuxKind::Value => return,
            AuxKind::Slot => function.slots.len(),
            AuxKind::Constant => function.constants.len(),
            AuxKind::Data => function.data.len(),
            AuxKind::Function => function.functions.len(),
            AuxKind::Edge => function.edges.len(),
            AuxKind::Stub => function.stubs.len(),
            AuxKind::Call => function.calls.len(),
        };
        if index >= rows {
            self.fault(Rule::TableRow, at, [index as i64, 0]);
            return;
        }
        match info.aux {
            AuxKind::Slot => {
                let disp = if info.imm == ImmKind::Displacement { imm } else { 0 };
                let end = if record.op == Op::LeaSlot { disp } else { disp + 8 };
                self.slot_access(record.aux, disp, end, at);
            }
            AuxKind::Stub => self.stub(record.aux, at),
            AuxKind::Call => self.call(record.op, record.aux, at),
            AuxKind::Edge => self.edge(record.aux, at),
            AuxKind::No | AuxKind::Scale | AuxKind::Value | AuxKind::Constant | AuxKind::Data | AuxKind::Function => {}
        }
    }

    fn resume(&mut self, at: Where) {
        if let Where::Inst { block, .. } = at
            && self.memory.is_reached[block as usize]
        {
            self.fault(Rule::ResumeOutside, at, [0; 2]);
        }
    }
}
