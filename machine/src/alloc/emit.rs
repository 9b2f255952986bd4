//! The forward pass: each record gets its registers from the map as it stands.

use super::copies::{Move, Spot};
use super::shape::{Kind, Shape, operands};
use super::{ABSENT, Allocator, OutBlock, row};
use crate::ir::{EDGE, Edge, Location, Record, SlotKind};
use crate::ops::{Flags, Op};
use crate::regs::{ALLOCATABLE, ArgPlace, ArgWalk, CALLEE_SAVED, Class, NONE, Reg, RegSet, ResultWalk, bit};

/// Set in `Edge::to` when it is the number of a block of the result.
pub(super) const RESOLVED: u32 = 1 << 31;

impl Allocator<'_> {
    pub(super) fn emit(&mut self) {
        self.c.out.clear();
        self.c.virtuals.clear();
        self.c.out_blocks.clear();
        let mut walk = ArgWalk::default();
        for at in 0..self.f.params.len() {
            let param = self.f.params[at];
            if let ArgPlace::Reg(reg) = walk.next(self.class(param)) {
                self.c.entry[0][reg as usize] = param;
                self.c.blocks[0].entry |= bit(reg);
                self.c.values[row(param)].def_reg = reg;
                self.f.params[at] = reg;
            }
        }
        self.c.blocks[0].is_set = true;
        for block in 0..self.f.blocks.len() as u32 {
            self.block(block);
        }
    }

    fn block(&mut self, block: u32) {
        let info = self.f.blocks.rows()[block as usize];
        (self.block, self.block_end, self.position) = (block, info.end, info.start);
        let out = self.c.out_blocks.len() as u32;
        self.c.blocks[block as usize].out = out;
        let start = self.c.out.len() as u32;
        // The map at entry.
        let mut left = self.occupied;
        while left != 0 {
            self.vacate(left.trailing_zeros() as Reg);
            left &= left - 1;
        }
        let mut left = self.c.blocks[block as usize].entry;
        while left != 0 {
            let reg = left.trailing_zeros() as Reg;
            left &= left - 1;
            let value = self.c.entry[block as usize][reg as usize];
            self.occupy(reg, value);
            let entry = &mut self.c.values[row(value)];
            if entry.def_reg == reg && entry.def_block == block {
                entry.def_at = start;
            }
        }
        self.compute_live_out(block);
        if block == 0 {
            // A parameter that nobody reads leaves its register at once.
            for reg in 0..32 {
                let value = self.regs[reg as usize];
                if value != NONE && !self.is_used(value) {
                    self.vacate(reg);
                }
            }
        }
        let mut moves = std::mem::take(&mut self.c.moves);
        let mut edge_moves = std::mem::take(&mut self.c.edge_moves);
        moves.clear();
        edge_moves.clear();
        let mut split = ABSENT;
        let mut split_last = ABSENT;
        for position in info.start..info.end {
            self.position = position;
            let record = self.input[position as usize];
            let shape = Shape::of(record.op);
            if shape.kind == Kind::General {
                self.general(record, shape);
                continue;
            }
            match shape.kind {
                Kind::Call => self.call(record),
                Kind::Leave => self.leave(record, &mut moves),
                Kind::Stub => self.stub(record),
                Kind::JumpIf => {
                    self.edge(record.aux, &mut moves);
                    if moves.is_empty() {
                        self.emit_record(record, [NONE; 3]);
                    } else {
                        split = self.split_edge(record.aux);
                        self.emit_record(Record { aux: split, ..record }, [NONE; 3]);
                    }
                }
                Kind::Jump => {
                    self.edge(record.aux, &mut edge_moves);
                    let is_alone = position == info.start || !Self::is_jump(self.input[position as usize - 1].op);
                    if is_alone {
                        self.copy_all(&mut edge_moves);
                    }
                    if edge_moves.is_empty() {
                        self.emit_record(record, [NONE; 3]);
                    } else {
                        split_last = self.split_edge(record.aux);
                        self.emit_record(Record { aux: split_last, ..record }, [NONE; 3]);
                    }
                }
                Kind::Remat => {}
                Kind::SlotLoad if self.c.values[row(record.a)].slot == record.aux && self.is_incoming(record.aux) => {}
                Kind::SlotLoad | Kind::General => self.general(record, shape),
            }
        }
        let end = self.c.out.len() as u32;
        self.c.out_blocks.push(OutBlock { start, end, origin: block, depth: info.depth, is_pad: info.is_pad });
        // The last edge's block comes directly behind, where it falls through.
        if split_last != ABSENT {
            self.edge_block(split_last, &mut edge_moves, info.depth);
        }
        if split != ABSENT {
            self.edge_block(split, &mut moves, info.depth);
        }
        self.c.moves = moves;
        self.c.edge_moves = edge_moves;
    }

    fn is_incoming(&self, slot: u32) -> bool {
        matches!(self.f.slots[slot as usize].kind, SlotKind::Incoming(_))
    }

    /// A new edge row for the branch to the block of an edge; the old row becomes that block's jump.
    fn split_edge(&mut self, edge: u32) -> u32 {
        self.f.edges.push(self.f.edges[edge as usize]);
        self.f.edges.len() as u32 - 1
    }

    /// The block of an edge: its copies, and a jump along the copied row.
    fn edge_block(&mut self, edge: u32, moves: &mut Vec<Move>, depth: u16) {
        let out = self.c.out_blocks.len() as u32;
        let start = self.c.out.len() as u32;
        let target = self.f.edges[edge as usize];
        self.f.edges.push(target);
        let jump = self.f.edges.len() as u32 - 1;
        self.f.edges[edge as usize] = Edge { to: ir::Id::new((out | RESOLVED) as usize), args: ir::List::EMPTY };
        self.copy_all(moves);
        self.emit_record(Record { op: Op::Jump, a: NONE, b: NONE, c: NONE, imm: 0, aux: jump }, [NONE; 3]);
        let end = self.c.out.len() as u32;
        self.c.out_blocks.push(OutBlock { start, end, origin: EDGE, depth, is_pad: false });
    }

    /// Gives back the registers of values that nobody needs after this record.
    #[inline]
    fn release(&mut self, value: Reg) {
        let reg = self.c.values[row(value)].reg;
        if reg != NONE && !self.is_live_after(value) {
            self.vacate(reg);
        }
    }

    /// A value is defined in a register; the record that does it has just been emitted.
    #[inline]
    fn define(&mut self, value: Reg, reg: Reg) {
        let at = self.c.out.len() as u32;
        self.touched |= bit(reg);
        let entry = &mut self.c.values[row(value)];
        (entry.def_reg, entry.def_at) = (reg, at);
        // Most are read later in this block and go nowhere else.
        let (toward, end) = (entry.toward, entry.end);
        if end != ABSENT && end > self.position && toward == NONE {
            entry.reg = reg;
            self.regs[reg as usize] = value;
            self.occupied |= bit(reg);
            return;
        }
        self.occupy(reg, value);
        if toward != NONE {
            let param_block = self.c.values[row(toward)].def_block;
            let may_share = param_block <= self.block && !self.is_live_after(toward);
            self.c.values[row(value)].may_share = may_share;
        }
        if !self.is_live_after(value) {
            self.vacate(reg);
        }
    }

    /// Moves a value out of a register that is about to be destroyed.
    fn relocate(&mut self, reg: Reg, forbidden: RegSet) {
        let value = self.regs[reg as usize];
        let free = super::state::of_class(self.class(value)) & !self.occupied & !forbidden;
        match self.choose(free, value) {
            Some(new) => {
                self.load_into(new, value);
                self.vacate(reg);
                self.occupy(new, value);
            }
            None => self.evict(reg),
        }
    }

    /// A record with ordinary operands. Nearly always all of them are in registers and no register is demanded: then it is one straight walk, which
    /// chooses as [`Self::demanding`] does.
    #[inline]
    fn general(&mut self, mut record: Record, shape: &Shape) {
        let position = self.position;
        let values = &self.c.values[..];
        // What is not read is the row behind all others, in a register that is never allocated.
        let none = values.len() - 1;
        let (reads_a, reads_b, reads_c) = (shape.reads & 1 != 0, shape.reads & 2 != 0, shape.reads & 4 != 0 && record.c != NONE);
        let a = &values[if reads_a { row(record.a) } else { none }];
        let b = &values[if reads_b { row(record.b) } else { none }];
        let c = &values[if reads_c { row(record.c) } else { none }];
        if (a.reg == NONE) | (b.reg == NONE) | (c.reg == NONE) | (shape.reserved != 0) {
            return self.demanding(record, shape);
        }
        let (in_a, mut in_b, mut in_c) = (a.reg, b.reg, c.reg);
        let (mut a_dies, mut b_dies, mut c_dies) = (a.end <= position, b.end <= position, c.end <= position);
        if (a.end == ABSENT) | (b.end == ABSENT) | (c.end == ABSENT) {
            // Some cross blocks.
            a_dies = !reads_a || !self.is_live_after(record.a);
            b_dies = !reads_b || !self.is_live_after(record.b);
            c_dies = !reads_c || !self.is_live_after(record.c);
        }
        let mut virtuals = [record.a, record.b, record.c];
        // Which operand of a commutative op is destroyed?
        if shape.is_commutative && c_dies && record.b != record.c {
            let swaps = !b_dies || {
                let wish = self.wish(record.a);
                wish == in_c && wish != in_b
            };
            if swaps {
                virtuals.swap(1, 2);
                (in_b, in_c) = (in_c, in_b);
                (b_dies, c_dies) = (c_dies, b_dies);
            }
        }
        (record.b, record.c) = (if reads_b { in_b } else { NONE }, if reads_c { in_c } else { NONE });
        let mut result = if reads_a { in_a } else { NONE };
        if shape.is_tied {
            if b_dies & (CALLEE_SAVED & bit(in_b) == 0) {
                result = in_b;
            } else {
                let pinned = bit(in_b) | if reads_c { bit(in_c) } else { 0 };
                let mut physical = [NONE, record.b, record.c];
                self.tied(&mut record, &mut physical, virtuals, Operand { reg: in_b, dies: b_dies, is_reserved: false }, pinned);
                [result, record.b, record.c] = physical;
            }
        }
        if reads_a & a_dies {
            self.vacate(in_a);
        }
        if reads_b & b_dies {
            self.vacate(in_b);
        }
        if reads_c & c_dies {
            self.vacate(in_c);
        }
        if shape.defines && result == NONE {
            result = self.take(virtuals[0], 0);
        }
        record.a = result;
        self.put(record, virtuals);
        if shape.defines {
            self.vacate(result);
            self.define(virtuals[0], result);
        }
    }

    /// Emits a record with its registers.
    #[inline]
    fn put(&mut self, record: Record, virtuals: [Reg; 3]) {
        self.c.out.push(record);
        if self.options.checking {
            let mut shown = virtuals;
            for (shown, reg) in shown.iter_mut().zip([record.a, record.b, record.c]) {
                if reg == NONE {
                    *shown = NONE;
                }
            }
            self.c.virtuals.push(shown);
        }
    }

    /// The operand that the result takes the register of: in place when it dies, else copied.
    #[inline]
    fn tied(&mut self, record: &mut Record, physical: &mut [Reg; 3], virtuals: [Reg; 3], operand: Operand, pinned: RegSet) {
        let (value, result) = (virtuals[1], virtuals[0]);
        let Operand { reg, dies, is_reserved } = operand;
        // A register that callees keep is worth more than a copy that has to come anyway.
        let leaves = dies && CALLEE_SAVED & bit(reg) != 0 && {
            let wish = self.c.values[row(result)].hint;
            wish != NONE && bit(wish) & (self.occupied | CALLEE_SAVED | pinned) == 0 && !self.crosses_call(result)
        };
        let own = if reg == NONE || is_reserved { 0 } else { bit(reg) };
        let is_taken = if dies { !leaves } else { self.gives_way(value, result, pinned & !own) };
        if is_taken {
            physical[1] = reg;
        } else {
            if reg != NONE && self.as_lea(record, physical, virtuals, reg, pinned) {
                return;
            }
            let new = self.take(result, pinned | if reg == NONE { 0 } else { bit(reg) });
            self.load_into(new, value);
            physical[1] = new;
        }
        // The result takes the register over, whoever is in it.
        physical[0] = physical[1];
    }

    /// A record with ordinary operands, of which some are elsewhere or have to be.
    #[inline(never)]
    fn demanding(&mut self, mut record: Record, shape: &Shape) {
        let mut virtuals = [record.a, record.b, record.c];
        // Only an index may be absent.
        let reads = if record.c == NONE { shape.reads & 3 } else { shape.reads };
        // Fixed registers and clobbers are cleared first.
        let reserved = shape.reserved;
        let mut physical = [NONE; 3];
        if reserved != 0 {
            self.fixed_operands(shape, virtuals, &mut physical);
        }
        // Which operand of a commutative op is destroyed?
        if shape.is_commutative && virtuals[1] != virtuals[2] {
            let register = |this: &Self, at: usize| this.c.values[row(virtuals[at])].reg;
            let (left, right) = (register(self, 1), register(self, 2));
            let (left_lives, right_lives) = (self.is_live_after(virtuals[1]), self.is_live_after(virtuals[2]));
            let swaps = if left == NONE || right == NONE {
                right != NONE
            } else if left_lives || right_lives {
                left_lives && !right_lives
            } else {
                let wish = self.wish(virtuals[0]);
                wish == right && wish != left
            };
            if swaps {
                virtuals.swap(1, 2);
            }
        }
        // Reads. Mostly each is in a register, and any will do.
        let mut pinned: RegSet = 0;
        let mut found = [NONE; 3];
        let mut is_complete = reserved == 0;
        for at in operands(reads) {
            let reg = self.c.values[row(virtuals[at])].reg;
            found[at] = reg;
            is_complete &= reg != NONE;
            pinned |= if reg == NONE { 0 } else { bit(reg) };
        }
        let mut folded = None;
        if is_complete {
            physical = found;
        } else {
            folded = self.reads(reads, shape, virtuals, &mut pinned, &mut physical);
        }
        if let Some((form, slot)) = folded {
            (record.op, record.aux) = (form, slot);
            if shape.folds_displacement {
                record.imm = 0;
            }
            physical[usize::from(shape.fold_at)] = NONE;
        }
        if shape.is_tied {
            let reg = self.c.values[row(virtuals[1])].reg;
            let dies = reg != NONE && bit(reg) & reserved == 0 && !self.is_live_after(virtuals[1]);
            let is_reserved = reg != NONE && bit(reg) & reserved != 0;
            self.tied(&mut record, &mut physical, virtuals, Operand { reg, dies, is_reserved }, pinned | reserved);
        }
        self.finish_record(record, virtuals, reads, shape, physical);
    }

    /// Operands that are not all in registers. What is only in memory may be read from there: then the slot form and the slot.
    fn reads(&mut self, reads: u8, shape: &Shape, virtuals: [Reg; 3], pinned: &mut RegSet, physical: &mut [Reg; 3]) -> Option<(Op, u32)> {
        let mut folded = None;
        for at in operands(reads & shape.plain) {
            let value = virtuals[at];
            if at == usize::from(shape.fold_at)
                && let Some(form) = shape.slot_form
                && self.c.values[row(value)].reg == NONE
                && !virtuals[..at].contains(&value)
                && self.reads_memory(value)
            {
                folded = Some((form, self.c.values[row(value)].slot));
                continue;
            }
            let reg = self.ensure(value, shape.reserved, *pinned);
            *pinned |= bit(reg);
            physical[at] = reg;
        }
        folded
    }

    /// An operand that lives on past a call leaves its register to the result, and goes where the call does not reach: one copy instead of two.
    fn gives_way(&mut self, value: Reg, result: Reg, forbidden: RegSet) -> bool {
        let reg = self.c.values[row(value)].reg;
        if reg == NONE || bit(reg) & (forbidden | CALLEE_SAVED) != 0 || self.options.chaos {
            return false;
        }
        let free = super::state::of_class(self.class(value)) & CALLEE_SAVED & !self.occupied & !forbidden;
        if free == 0 || !self.crosses_call(value) || self.crosses_call(result) || self.c.values[row(value)].slot != ABSENT {
            return false;
        }
        let used = free & self.touched;
        let new = (if used != 0 { used } else { free }).trailing_zeros() as Reg;
        self.load_into(new, value);
        self.vacate(reg);
        self.occupy(new, value);
        true
    }

    /// Operands in fixed registers are brought there; whoever else is in a reserved register leaves it.
    fn fixed_operands(&mut self, shape: &Shape, virtuals: [Reg; 3], physical: &mut [Reg; 3]) {
        let (reserved, kill) = (shape.reserved, shape.kill);
        let fixed_at = usize::from(shape.fixed_at);
        let mut is_there = false;
        let mut left = reserved & self.occupied;
        // Registers that operands of this record stand in are no place to move others to, but they may be moved from.
        while left != 0 {
            let reg = left.trailing_zeros() as Reg;
            left &= left - 1;
            let value = self.regs[reg as usize];
            if shape.fixed_in == reg && virtuals[fixed_at] == value {
                is_there = true;
                let is_read_elsewhere = operands(shape.reads).any(|at| at != fixed_at && virtuals[at] == value);
                if is_read_elsewhere || bit(reg) & kill != 0 && self.is_live_after(value) {
                    self.relocate(reg, reserved);
                }
                continue;
            }
            self.relocate(reg, reserved);
        }
        if shape.fixed_in != NONE {
            if !is_there {
                self.load_into(shape.fixed_in, virtuals[fixed_at]);
            }
            physical[fixed_at] = shape.fixed_in;
        }
    }

    /// Is it better to read a value from its slot than to load it?
    fn reads_memory(&mut self, value: Reg) -> bool {
        let entry = self.c.values[row(value)];
        if entry.reg != NONE || entry.remat != ABSENT || entry.slot == ABSENT {
            return false;
        }
        let free = super::state::of_class(self.class(value)) & !self.occupied;
        free == 0 || self.next_use(value) > self.position + 12
    }

    /// `a = b + c` without destroying `b`, when nobody reads the flags.
    fn as_lea(&mut self, record: &mut Record, physical: &mut [Reg; 3], virtuals: [Reg; 3], base: Reg, forbidden: RegSet) -> bool {
        let (imm, index) = match record.op {
            Op::Add => (0, physical[2]),
            Op::AddImm => (record.imm, NONE),
            Op::SubImm if record.imm != i32::MIN => (-record.imm, NONE),
            _ => return false,
        };
        // It sets no flags: is the next that has to do with them a reader?
        let behind = self.input.get(self.position as usize + 1..self.block_end as usize).unwrap_or(&[]);
        if behind.iter().map(|next| next.op.info().flags).find(|&flags| flags != Flags::Keeps) == Some(Flags::Reads) {
            return false;
        }
        if bit(base) & forbidden & !self.occupied != 0 {
            return false;
        }
        let new = self.take(virtuals[0], forbidden | bit(base));
        *record = Record { op: Op::Lea, a: NONE, b: NONE, c: NONE, imm, aux: 1 };
        *physical = [new, base, index];
        true
    }

    /// The last steps of a record: dying operands leave, the result gets its register, the record is emitted.
    fn finish_record(&mut self, mut record: Record, virtuals: [Reg; 3], reads: u8, shape: &Shape, mut physical: [Reg; 3]) {
        for at in operands(reads) {
            self.release(virtuals[at]);
        }
        if shape.result_in != NONE {
            physical[0] = shape.result_in;
        } else if shape.defines && physical[0] == NONE {
            physical[0] = self.take(virtuals[0], shape.reserved);
        }
        (record.a, record.b, record.c) = (physical[0], physical[1], physical[2]);
        if physical[0] != NONE {
            self.touched |= bit(physical[0]);
        }
        self.touched |= shape.reserved;
        self.put(record, virtuals);
        if shape.defines {
            // A dying operand has left; a tied one that lives on was copied.
            self.vacate(physical[0]);
            self.define(virtuals[0], physical[0]);
        }
    }

    fn call(&mut self, record: Record) {
        let call = self.f.calls[record.aux as usize];
        while self.c.calls.get(self.next_call).is_some_and(|&at| at <= self.position) {
            self.next_call += 1;
        }
        let clobbers = call.clobbers & ALLOCATABLE;
        // What lives on goes to a register that the callee keeps, or has a slot.
        let mut left = self.occupied & clobbers;
        while left != 0 {
            let reg = left.trailing_zeros() as Reg;
            left &= left - 1;
            let value = self.regs[reg as usize];
            if !self.is_live_after(value) {
                continue;
            }
            let entry = self.c.values[row(value)];
            let free = super::state::of_class(self.class(value)) & !clobbers & !self.occupied;
            if free != 0 && entry.slot == ABSENT && entry.remat == ABSENT {
                let used = free & self.touched;
                let new = (if used != 0 { used } else { free }).trailing_zeros() as Reg;
                self.load_into(new, value);
                self.vacate(reg);
                self.occupy(new, value);
            } else {
                self.spill(value);
            }
        }
        let mut moves = std::mem::take(&mut self.c.call_moves);
        self.arguments(call.args, false, &mut moves);
        self.copy_all(&mut moves);
        self.c.call_moves = moves;
        self.emit_record(record, [NONE; 3]);
        for at in 0..call.args.len() {
            let arg = self.f.regs[call.args][at];
            self.release(arg);
        }
        let mut left = self.occupied & clobbers;
        while left != 0 {
            let reg = left.trailing_zeros() as Reg;
            left &= left - 1;
            self.vacate(reg);
        }
        self.touched |= clobbers;
        let mut walk = ResultWalk::default();
        for at in 0..call.results.len() {
            let result = self.f.regs[call.results][at];
            if let Some(reg) = walk.next(self.class(result)) {
                self.f.regs[call.results][at] = reg;
                self.define(result, reg);
            }
        }
        self.place_args(call.args, false);
    }

    /// The copies that bring operands to their registers.
    fn arguments(&mut self, args: ir::List<Reg>, are_results: bool, moves: &mut Vec<Move>) {
        moves.clear();
        let mut places = Places::new(are_results);
        for at in 0..args.len() {
            let arg = self.f.regs[args][at];
            if let Some(reg) = places.next(self.class(arg)) {
                let from = self.spot(arg);
                if from != Spot::Reg(reg) {
                    moves.push(Move { to: Spot::Reg(reg), from, to_value: arg, from_value: arg });
                }
            }
        }
    }

    /// Writes the registers of operands into their list.
    fn place_args(&mut self, args: ir::List<Reg>, are_results: bool) {
        let mut places = Places::new(are_results);
        for at in 0..args.len() {
            let arg = self.f.regs[args][at];
            if let Some(reg) = places.next(self.class(arg)) {
                self.f.regs[args][at] = reg;
            }
        }
    }

    fn leave(&mut self, record: Record, moves: &mut Vec<Move>) {
        let call = self.f.calls[record.aux as usize];
        let are_results = record.op == Op::Return;
        self.arguments(call.args, are_results, moves);
        self.copy_all(moves);
        self.emit_record(record, [NONE; 3]);
        self.place_args(call.args, are_results);
    }

    fn stub(&mut self, record: Record) {
        let stub = self.f.stubs[record.aux as usize];
        let mut used = [NONE; 2];
        for at in 0..stub.args.len() {
            let Location::Reg(value) = self.f.locations[stub.args][at] else { continue };
            let place = match self.spot(value) {
                Spot::Reg(reg) => Location::Reg(reg),
                Spot::Slot(slot) => Location::Slot(slot),
                Spot::Remat(at) => {
                    let made = self.input[at as usize];
                    match made.op {
                        Op::MovImm => Location::Const(i64::from(made.imm as u32) | i64::from(made.aux) << 32),
                        Op::LeaData => Location::Data(made.aux),
                        Op::LeaSlot if made.imm == 0 => Location::SlotAddress(made.aux),
                        _ => Location::Reg(self.ensure(value, 0, 0)),
                    }
                }
            };
            self.f.locations[stub.args][at] = place;
            if let Some(one) = used.get_mut(at) {
                *one = value;
            }
        }
        self.emit_record(record, [NONE; 3]);
        for value in used {
            if value != NONE {
                self.release(value);
            }
        }
    }
}

/// The operand whose register the result takes.
#[derive(Clone, Copy)]
struct Operand {
    /// Where it is; [`NONE`] for nowhere.
    reg: Reg,
    /// Nobody reads it after this record.
    dies: bool,
    /// It is in a register that the record demands.
    is_reserved: bool,
}

/// Registers of operands by position.
struct Places {
    args: ArgWalk,
    results: ResultWalk,
    are_results: bool,
}

impl Places {
    fn new(are_results: bool) -> Self {
        Places { args: ArgWalk::default(), results: ResultWalk::default(), are_results }
    }

    fn next(&mut self, class: Class) -> Option<Reg> {
        if self.are_results {
            return self.results.next(class);
        }
        match self.args.next(class) {
            ArgPlace::Reg(reg) => Some(reg),
            ArgPlace::Stack(_) => None,
        }
    }
}

/// Registers to save: those that callees must preserve and this function writes.
pub(super) const fn saved(touched: RegSet) -> RegSet {
    touched & CALLEE_SAVED
}
