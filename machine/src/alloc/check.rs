//! The allocation checker: an independent, symbolic judge of `alloc` against `select` (the idea of regalloc2's `checker.rs`).
//!
//! For every place, register or slot, it keeps the set of values that the place holds for certain, by data flow over the blocks with intersection where
//! edges meet. Records of `alloc` are either *copies* (moves, spills, reloads, remade constants), which move sets around, or they stand for the records
//! of `select` one by one, and then each operand must be in a place that holds its virtual register. It shares the tables of ops and registers with the
//! allocator and nothing else; in particular it does not believe the `virtuals` column.

mod state;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use ir::{Code, Fault, Where};

use self::state::{Entry, INCOMING, MADE, Set, State, Symbol};
use crate::ir::{Alloc, EDGE, Function, Location, Record, Select, SlotKind};
use crate::ops::{Flags, ImmKind, Op, Role};
use crate::regs::{ArgPlace, ArgWalk, CALLEE_SAVED, Class, FIRST_VIRTUAL, NONE, RBP, RSP, Reg, ResultWalk, class_of};

/// What is wrong with an allocation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AllocFault {
    /// The rule that is broken.
    pub kind: AllocFaultKind,
    /// Block of `alloc`.
    pub block: u32,
    /// Record in the block.
    pub index: u32,
}

/// The rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AllocFaultKind {
    /// X0201: blocks, slots or tables do not correspond to those of `select`.
    Shape,
    /// X0202: a record stands for no record of `select`, or one of `select` is missing.
    Record,
    /// X0203: the place of an operand does not hold its virtual register.
    Value,
    /// X0204: a tied operand is not in the register of the result.
    Tied,
    /// X0205: an operand or result is not in the register that the op or the convention fixes.
    Fixed,
    /// X0206: a register is virtual, of the wrong class, or reserved for the frame.
    Register,
    /// X0207: a register that callees must preserve is written and not listed as saved.
    Saved,
    /// X0208: an edge or landing pad goes elsewhere.
    Edge,
    /// X0209: an operand is in a register that the op destroys before it reads.
    Clobbered,
    /// X0210: an immediate or auxiliary word differs from that of `select`.
    Immediate,
}

impl AllocFaultKind {
    /// All rules.
    pub const ALL: [AllocFaultKind; 10] = [
        AllocFaultKind::Shape,
        AllocFaultKind::Record,
        AllocFaultKind::Value,
        AllocFaultKind::Tied,
        AllocFaultKind::Fixed,
        AllocFaultKind::Register,
        AllocFaultKind::Saved,
        AllocFaultKind::Edge,
        AllocFaultKind::Clobbered,
        AllocFaultKind::Immediate,
    ];

    /// The stable code.
    pub const fn code(self) -> Code {
        Code(match self {
            AllocFaultKind::Shape => "X0201",
            AllocFaultKind::Record => "X0202",
            AllocFaultKind::Value => "X0203",
            AllocFaultKind::Tied => "X0204",
            AllocFaultKind::Fixed => "X0205",
            AllocFaultKind::Register => "X0206",
            AllocFaultKind::Saved => "X0207",
            AllocFaultKind::Edge => "X0208",
            AllocFaultKind::Clobbered => "X0209",
            AllocFaultKind::Immediate => "X0210",
        })
    }

    /// What is wrong, in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            AllocFaultKind::Shape => "blocks, slots or tables do not correspond to those of select",
            AllocFaultKind::Record => "the records do not correspond to those of select",
            AllocFaultKind::Value => "the place of an operand does not hold its virtual register",
            AllocFaultKind::Tied => "a tied operand is not in the register of the result",
            AllocFaultKind::Fixed => "an operand or result is not in its fixed register",
            AllocFaultKind::Register => "a register is virtual, of the wrong class or reserved",
            AllocFaultKind::Saved => "a register to be preserved is written and not saved",
            AllocFaultKind::Edge => "an edge or landing pad goes elsewhere",
            AllocFaultKind::Clobbered => "an operand is in a register that the op destroys",
            AllocFaultKind::Immediate => "an immediate or auxiliary word differs from that of select",
        }
    }
}

impl Fault for AllocFault {
    fn code(&self) -> Code {
        self.kind.code()
    }
    fn at(&self) -> Where {
        Where::Inst { block: self.block, index: self.index }
    }
    fn message(&self) -> String {
        self.kind.sentence().to_owned()
    }
}

/// Judges an allocation made with checking on.
pub fn check(select: &Function<Select>, alloc: &Function<Alloc>) -> Vec<AllocFault> {
    let mut checker = Checker {
        select,
        alloc,
        symbols: Vec::new(),
        homes: Vec::new(),
        made: BTreeMap::new(),
        writes_incoming: writes_incoming(select),
        faults: Vec::new(),
        at: (0, 0),
        edges: vec![None; alloc.blocks.len()],
    };
    if !checker.shape() {
        return vec![AllocFault { kind: AllocFaultKind::Shape, block: 0, index: 0 }];
    }
    checker.number_symbols();
    checker.run();
    checker.faults.sort();
    checker.faults.dedup();
    checker.faults
}

/// The home of what no block defines.
const NOWHERE: u32 = u32::MAX;

struct Checker<'a> {
    select: &'a Function<Select>,
    alloc: &'a Function<Alloc>,
    /// What a virtual register stands for.
    symbols: Vec<Symbol>,
    /// The block of `select` that defines a virtual register: where it begins, no place holds one that anybody may read.
    homes: Vec<u32>,
    /// What each thing that can be made from nothing is.
    made: BTreeMap<(Op2, i32, u32), Symbol>,
    /// Is a stack argument overwritten?
    writes_incoming: bool,
    faults: Vec<AllocFault>,
    at: (u32, u32),
    /// The edge of `select` that a block of an edge stands for.
    edges: Vec<Option<u32>>,
}

fn is_made(op: Op) -> bool {
    matches!(op, Op::MovImm | Op::LoadConst | Op::ZeroF | Op::LeaData | Op::LeaSlot)
}

impl Checker<'_> {
    fn fault(&mut self, kind: AllocFaultKind) {
        self.faults.push(AllocFault { kind, block: self.at.0, index: self.at.1 });
    }

    fn shape(&self) -> bool {
        let (select, alloc) = (self.select, self.alloc);
        let mut seen = vec![false; select.blocks.len()];
        let slots = select.slots.len();
        let blocks_fit = alloc.origins.len() == alloc.blocks.len()
            && alloc.origins.iter().all(|&origin| match seen.get_mut(origin as usize) {
                Some(seen) => !std::mem::replace(seen, true),
                None => origin == EDGE,
            })
            && seen.iter().all(|&seen| seen)
            && alloc.origins.first() == Some(&0);
        let in_range = |record: &Record| {
            let aux = record.aux as usize;
            match record.op {
                Op::Jump | Op::JumpIf => alloc.edges.get(aux).is_some_and(|edge| edge.to.index() < alloc.blocks.len()),
                Op::Stub | Op::Panic => alloc.stubs.get(aux).is_some(),
                Op::Call | Op::Return | Op::TailCall => alloc.calls.get(aux).is_some(),
                op => op.info().aux != crate::ops::AuxKind::Slot || aux < alloc.slots.len(),
            }
        };
        blocks_fit
            && alloc.blocks.rows().iter().all(|b| b.start <= b.end && b.end as usize <= alloc.records.len())
            && alloc.slots.get(..slots) == Some(&select.slots[..])
            && alloc.slots[slots..].iter().all(|slot| slot.kind == SlotKind::Spill)
            && alloc.records.iter().all(in_range)
            && (&alloc.constants, &alloc.data, &alloc.functions, alloc.calls.len(), alloc.stubs.len())
                == (&select.constants, &select.data, &select.functions, select.calls.len(), select.stubs.len())
    }

    fn number_symbols(&mut self) {
        self.symbols = (0..self.select.classes.len() as u32).map(|n| n + u32::from(FIRST_VIRTUAL)).collect();
        let mut made: BTreeMap<(Op2, i32, u32), Symbol> = BTreeMap::new();
        for record in &self.select.records {
            if is_made(record.op) {
                let next = MADE + made.len() as Symbol;
                let symbol = *made.entry(key(record)).or_insert(next);
                self.symbols[usize::from(record.a - FIRST_VIRTUAL)] = symbol;
            } else if let Some(slot) = self.incoming_load(record) {
                self.symbols[usize::from(record.a - FIRST_VIRTUAL)] = INCOMING + slot;
            }
        }
        self.made = made;
        self.homes = vec![NOWHERE; self.select.classes.len() + usize::from(FIRST_VIRTUAL)];
        let select = self.select;
        for (number, rows) in select.blocks.rows().iter().enumerate() {
            let mut settle = |reg: Reg| {
                if let Some(home) = self.homes.get_mut(usize::from(reg)) {
                    *home = number as u32;
                }
            };
            select.regs[rows.params].iter().copied().for_each(&mut settle);
            for record in &select.records[rows.start as usize..rows.end as usize] {
                match record.op {
                    Op::Call => select.regs[select.calls[record.aux as usize].results].iter().copied().for_each(&mut settle),
                    op if matches!(op.info().roles[0], Role::Def(_) | Role::DefIn(_)) => settle(record.a),
                    _ => {}
                }
            }
        }
    }

    /// The places hold what a block defines from an earlier turn of a loop at most. To forget that on the way there spares `define` a look at all places.
    fn is_stale(&self, symbol: Symbol, to: u32) -> bool {
        self.homes.get(symbol as usize) == Some(&to)
    }

    /// The slot of a load from a stack argument that nobody overwrites.
    fn incoming_load(&self, record: &Record) -> Option<u32> {
        let is_load = matches!(record.op, Op::LoadSlot | Op::LoadSlotF);
        (is_load && !self.is_wanted(record)).then_some(record.aux)
    }

    fn is_wanted(&self, record: &Record) -> bool {
        is_wanted(self.select, self.writes_incoming, record)
    }

    fn made_symbol(&self, record: &Record) -> Option<Symbol> {
        self.made.get(&key(record)).copied()
    }

    fn symbol(&self, reg: Reg) -> Symbol {
        self.symbols.get(usize::from(reg.wrapping_sub(FIRST_VIRTUAL))).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        let count = self.alloc.blocks.len();
        let mut entries: Vec<Option<Entry>> = vec![None; count];
        let mut first = Vec::new();
        let mut walk = ArgWalk::default();
        for (&param, &class) in self.select.params.iter().zip(&self.select.param_classes) {
            if let ArgPlace::Reg(reg) = walk.next(class) {
                first.push((u32::from(reg), self.symbol(param)));
            }
        }
        for (at, slot) in self.alloc.slots.iter().enumerate() {
            if let SlotKind::Incoming(_) = slot.kind {
                first.push((32 + at as u32, INCOMING + at as Symbol));
            }
        }
        entries[0] = Some(Entry::new(first));
        let mut state = State::new(32 + self.alloc.slots.len(), self.homes.len());
        // Blocks stand near reverse postorder: the first one that waits is the one whose predecessors are done.
        let mut work = BinaryHeap::from([Reverse(0usize)]);
        let mut queued = vec![false; count];
        while let Some(Reverse(block)) = work.pop() {
            queued[block] = false;
            let Some(entry) = &entries[block] else { continue };
            state.enter(entry);
            self.faults.clear();
            for (to, entry) in self.block(block, &mut state) {
                let changed = match &mut entries[to] {
                    Some(old) => old.meet(&entry),
                    none @ None => {
                        *none = Some(entry);
                        true
                    }
                };
                if changed && !queued[to] {
                    queued[to] = true;
                    work.push(Reverse(to));
                }
            }
        }
        self.faults.clear();
        for (block, entry) in entries.iter().enumerate() {
            if let Some(entry) = entry {
                state.enter(entry);
                self.block(block, &mut state);
            }
        }
    }

    /// Walks one block; gives the states of its successors.
    fn block(&mut self, block: usize, state: &mut State) -> Vec<(usize, Entry)> {
        let (select, alloc) = (self.select, self.alloc);
        let rows = alloc.blocks.rows()[block];
        let origin = alloc.origins[block];
        let mut out = Vec::new();
        let wanted: &[Record] = match origin {
            EDGE => &[],
            _ => {
                let rows = select.blocks.rows()[origin as usize];
                &select.records[rows.start as usize..rows.end as usize]
            }
        };
        let writes_incoming = self.writes_incoming;
        let is_wanted = |record: &Record| !is_made(record.op) && is_wanted(select, writes_incoming, record);
        let mut wanted_records = wanted.iter().enumerate().filter(|(_, record)| is_wanted(record));
        self.at = (block as u32, 0);
        if origin != EDGE && alloc.blocks.rows()[block].is_pad != select.blocks.rows()[origin as usize].is_pad {
            self.fault(AllocFaultKind::Shape);
        }
        for (index, record) in alloc.records[rows.start as usize..rows.end as usize].iter().enumerate() {
            self.at = (block as u32, index as u32);
            if self.copy(record, state) {
                continue;
            }
            if origin == EDGE {
                let edge = self.edges[block];
                match (record.op, edge) {
                    (Op::Jump, Some(edge)) => {
                        let to = alloc.edges[record.aux as usize].to.index();
                        self.follow(edge, to, state, &mut out);
                    }
                    _ => self.fault(AllocFaultKind::Record),
                }
                continue;
            }
            let Some((at, want)) = wanted_records.next() else {
                self.fault(AllocFaultKind::Record);
                break;
            };
            let reads_flags = wanted.get(at + 1).is_some_and(|next| next.op.info().flags == Flags::Reads);
            self.record(*want, *record, reads_flags, state, &mut out);
        }
        if wanted_records.next().is_some() {
            self.fault(AllocFaultKind::Record);
        }
        out
    }

    /// A copy: moves a set. False when the record is none.
    fn copy(&mut self, record: &Record, state: &mut State) -> bool {
        let slot_kind = || self.alloc.slots.get(record.aux as usize).map(|slot| slot.kind);
        let set = match record.op {
            Op::Mov | Op::MovF => self.read(record.b, class_of_op(record.op), state).into(),
            Op::LoadSlot | Op::LoadSlotF if slot_kind() == Some(SlotKind::Spill) && record.imm == 0 => {
                state.held(32 + record.aux as usize).into()
            }
            Op::LoadSlot | Op::LoadSlotF if matches!(slot_kind(), Some(SlotKind::Incoming(_))) && !self.is_wanted(record) => {
                state.held(32 + record.aux as usize).into()
            }
            Op::StoreSlot | Op::StoreSlotF if slot_kind() == Some(SlotKind::Spill) => {
                if record.imm != 0 {
                    self.fault(AllocFaultKind::Immediate);
                }
                let set = self.read(record.a, class_of_op(record.op), state).into();
                state.put(32 + record.aux as usize, set);
                return true;
            }
            op if is_made(op) => self.made_symbol(record).into_iter().collect(),
            _ => return false,
        };
        self.write(record.a, class_of_op(record.op), state, set);
        true
    }

    /// Reads a physical register.
    fn read<'s>(&mut self, reg: Reg, class: Class, state: &'s State) -> &'s [Symbol] {
        if reg >= 32 || class_of(reg) != class || reg == RSP || reg == RBP {
            self.fault(AllocFaultKind::Register);
            return &[];
        }
        state.held(usize::from(reg))
    }

    fn write(&mut self, reg: Reg, class: Class, state: &mut State, set: Set) {
        if reg >= 32 || class_of(reg) != class || reg == RSP || reg == RBP {
            self.fault(AllocFaultKind::Register);
            return;
        }
        if CALLEE_SAVED & !self.alloc.saved & 1 << reg != 0 {
            self.fault(AllocFaultKind::Saved);
        }
        state.put(usize::from(reg), set);
    }

    /// An operand that must hold a virtual register.
    fn expect(&mut self, reg: Reg, value: Reg, state: &State) {
        let class = self.select.classes.get(usize::from(value.wrapping_sub(FIRST_VIRTUAL))).copied();
        let Some(class) = class else {
            self.fault(AllocFaultKind::Shape);
            return;
        };
        let before = self.faults.len();
        let set = self.read(reg, class, state);
        if self.faults.len() == before && !set.contains(&self.symbol(value)) {
            self.fault(AllocFaultKind::Value);
        }
    }

    fn holds(&self, reg: Reg, value: Reg, state: &State) -> bool {
        reg < 32 && state.held(usize::from(reg)).contains(&self.symbol(value))
    }

    /// A new value: no other place holds it any more, because what was there is from an earlier turn of a loop.
    fn define(&mut self, reg: Reg, value: Reg, state: &mut State) {
        let symbol = self.symbol(value);
        state.forget(symbol);
        let class = self.select.classes[usize::from(value - FIRST_VIRTUAL)];
        self.write(reg, class, state, [symbol].into_iter().collect());
    }

    /// A record that stands for one of `select`.
    fn record(&mut self, want: Record, got: Record, reads_flags: bool, state: &mut State, out: &mut Vec<(usize, Entry)>) {
        match want.op {
            Op::Jump | Op::JumpIf => {
                if got.op != want.op {
                    self.fault(AllocFaultKind::Record);
                    return;
                }
                if got.imm != want.imm {
                    self.fault(AllocFaultKind::Immediate);
                }
                let to = self.alloc.edges[got.aux as usize].to.index();
                if self.alloc.origins[to] == EDGE {
                    if self.edges[to].is_some_and(|edge| edge != want.aux) {
                        self.fault(AllocFaultKind::Edge);
                    }
                    self.edges[to] = Some(want.aux);
                    out.push((to, Entry::new(state.pairs(0).collect())));
                } else {
                    self.follow(want.aux, to, state, out);
                }
            }
            Op::Call | Op::Return | Op::TailCall => self.call(want, got, state, out),
            Op::Stub | Op::Panic => self.stub(want, got, state, out),
            _ => self.general(want, got, reads_flags, state),
        }
    }

    /// Control goes along an edge of `select` to a block of `alloc`: parameters get the values of arguments.
    fn follow(&mut self, edge: u32, to: usize, state: &State, out: &mut Vec<(usize, Entry)>) {
        let edge = self.select.edges[edge as usize];
        if self.alloc.origins[to] != edge.to.raw() {
            self.fault(AllocFaultKind::Edge);
            return;
        }
        let params = &self.select.regs[self.select.blocks[edge.to].params];
        let args = &self.select.regs[edge.args];
        let mut given: Vec<(Symbol, Symbol)> =
            args.iter().zip(params).map(|(&arg, &param)| (self.symbol(arg), self.symbol(param))).collect();
        given.sort_unstable();
        let mut pairs = Vec::new();
        for (place, symbol) in state.pairs(0) {
            let from = given.partition_point(|&(arg, _)| arg < symbol);
            pairs.extend(given[from..].iter().take_while(|&&(arg, _)| arg == symbol).map(|&(_, param)| (place, param)));
            if !self.is_stale(symbol, edge.to.raw()) {
                pairs.push((place, symbol));
            }
        }
        out.push((to, Entry::new(pairs)));
    }

    /// Unwinding reaches a landing pad: slots only.
    fn unwind(&mut self, want: Option<crate::ir::Block>, got: Option<crate::ir::Block>, state: &State, out: &mut Vec<(usize, Entry)>) {
        match (want, got) {
            (None, None) => {}
            (Some(want), Some(got)) if self.alloc.origins.get(got.index()) == Some(&want.raw()) => {
                let kept = state.pairs(32).filter(|&(_, symbol)| !self.is_stale(symbol, want.raw()));
                out.push((got.index(), Entry::new(kept.collect())));
            }
            (Some(_) | None, Some(_) | None) => self.fault(AllocFaultKind::Edge),
        }
    }

    fn call(&mut self, want: Record, got: Record, state: &mut State, out: &mut Vec<(usize, Entry)>) {
        if got.op != want.op || got.aux != want.aux {
            self.fault(AllocFaultKind::Record);
            return;
        }
        let (select, alloc) = (self.select, self.alloc);
        let (want, got) = (select.calls[want.aux as usize], alloc.calls[got.aux as usize]);
        if (want.callee, want.clobbers, want.place) != (got.callee, got.clobbers, got.place)
            || (want.args.len(), want.results.len()) != (got.args.len(), got.results.len())
        {
            self.fault(AllocFaultKind::Record);
            return;
        }
        let mut args = ArgWalk::default();
        let mut results = ResultWalk::default();
        for (&value, &reg) in select.regs[want.args].iter().zip(&alloc.regs[got.args]) {
            let class = select.classes[usize::from(value - FIRST_VIRTUAL)];
            let fixed = if want.callee.is_none() {
                results.next(class)
            } else {
                match args.next(class) {
                    ArgPlace::Reg(reg) => Some(reg),
                    ArgPlace::Stack(_) => None,
                }
            };
            if fixed != Some(reg) {
                self.fault(AllocFaultKind::Fixed);
            }
            self.expect(reg, value, state);
        }
        destroy(want.clobbers, state);
        self.unwind(want.pad, got.pad, state, out);
        let mut results = ResultWalk::default();
        for (&value, &reg) in select.regs[want.results].iter().zip(&alloc.regs[got.results]) {
            let class = select.classes[usize::from(value - FIRST_VIRTUAL)];
            if results.next(class) != Some(reg) {
                self.fault(AllocFaultKind::Fixed);
            }
            self.define(reg, value, state);
        }
    }

    fn stub(&mut self, want: Record, got: Record, state: &State, out: &mut Vec<(usize, Entry)>) {
        if got.op != want.op || got.aux != want.aux {
            self.fault(AllocFaultKind::Record);
            return;
        }
        if got.imm != want.imm {
            self.fault(AllocFaultKind::Immediate);
        }
        let (select, alloc) = (self.select, self.alloc);
        let (want, got) = (select.stubs[want.aux as usize], alloc.stubs[got.aux as usize]);
        if (want.kind, want.place, want.args.len()) != (got.kind, got.place, got.args.len()) {
            self.fault(AllocFaultKind::Record);
            return;
        }
        for (&value, &place) in select.locations[want.args].iter().zip(&alloc.locations[got.args]) {
            let Location::Reg(value) = value else {
                if value != place {
                    self.fault(AllocFaultKind::Value);
                }
                continue;
            };
            let made = |op, imm, aux| self.made_symbol(&Record { op, a: NONE, b: NONE, c: NONE, imm, aux });
            let held = match place {
                Location::Reg(reg) => {
                    self.expect(reg, value, state);
                    continue;
                }
                Location::Slot(slot) => state.held(32 + slot as usize).contains(&self.symbol(value)),
                Location::Const(imm) => made(Op::MovImm, imm as i32, (imm >> 32) as u32) == Some(self.symbol(value)),
                Location::SlotAddress(slot) => made(Op::LeaSlot, 0, slot) == Some(self.symbol(value)),
                Location::Data(data) => made(Op::LeaData, 0, data) == Some(self.symbol(value)),
            };
            if !held {
                self.fault(AllocFaultKind::Value);
            }
        }
        self.unwind(want.pad, got.pad, state, out);
    }

    fn general(&mut self, want: Record, got: Record, reads_flags: bool, state: &mut State) {
        let info = want.op.info();
        let mut wanted = [want.a, want.b, want.c];
        let mut regs = [got.a, got.b, got.c];
        let mut roles = info.roles;
        let mut folded = None;
        if got.op == want.op {
            if (got.imm, got.aux) != (want.imm, want.aux) {
                self.fault(AllocFaultKind::Immediate);
            }
        } else if info.slot_form == Some(got.op) {
            let at = if roles[2] == Role::No { 1 } else { 2 };
            folded = Some(at);
            let imm = if got.op.info().imm == ImmKind::Displacement { 0 } else { want.imm };
            if got.imm != imm || regs[at] != NONE {
                self.fault(AllocFaultKind::Immediate);
            }
        } else if got.op == Op::Lea {
            // A sum without flags may be an address.
            let imm = match want.op {
                Op::Add => Some(0),
                Op::AddImm => Some(want.imm),
                Op::SubImm => want.imm.checked_neg(),
                _ => None,
            };
            if reads_flags || imm.is_none() {
                self.fault(AllocFaultKind::Record);
                return;
            }
            if Some(got.imm) != imm || got.aux != 1 {
                self.fault(AllocFaultKind::Immediate);
            }
            roles = [Role::Def(Class::Gp), Role::Base, Role::Index];
        } else {
            self.fault(AllocFaultKind::Record);
            return;
        }
        let is_commutative = matches!(want.op, Op::Add | Op::And | Op::Or | Op::Xor | Op::Imul | Op::AddF | Op::MulF);
        if is_commutative {
            let second = |value: Reg| match folded {
                Some(_) => state.held(32 + got.aux as usize).contains(&self.symbol(value)),
                None => self.holds(got.c, value, state),
            };
            let fits = self.holds(got.b, want.b, state) && second(want.c);
            if !fits && self.holds(got.b, want.c, state) && second(want.b) {
                wanted.swap(1, 2);
            }
        }
        let mut destroyed = info.clobbers;
        for role in roles {
            if let Role::DefIn(reg) = role {
                destroyed |= 1 << reg;
            }
        }
        for at in 0..3 {
            let (value, reg) = (wanted[at], regs[at]);
            if folded == Some(at) {
                if !state.held(32 + got.aux as usize).contains(&self.symbol(value)) {
                    self.fault(AllocFaultKind::Value);
                }
                continue;
            }
            match roles[at] {
                Role::Def(_) | Role::DefIn(_) => {}
                Role::No => {
                    if reg != NONE {
                        self.fault(AllocFaultKind::Register);
                    }
                }
                Role::Use(_) | Role::Tied(_) | Role::UseIn(_) | Role::Base | Role::Index => {
                    if value == NONE {
                        if reg != NONE {
                            self.fault(AllocFaultKind::Register);
                        }
                        continue;
                    }
                    self.expect(reg, value, state);
                    match roles[at] {
                        Role::Tied(_) if reg != regs[0] => self.fault(AllocFaultKind::Tied),
                        Role::UseIn(fixed) if reg != fixed => self.fault(AllocFaultKind::Fixed),
                        Role::Use(_) | Role::Base | Role::Index if reg < 32 && destroyed >> reg & 1 == 1 => {
                            self.fault(AllocFaultKind::Clobbered);
                        }
                        _ => {}
                    }
                }
            }
        }
        // A tied result must not be where a fixed operand is read.
        if let (Role::Tied(_), Role::UseIn(fixed)) = (roles[1], roles[2])
            && regs[0] == fixed
        {
            self.fault(AllocFaultKind::Clobbered);
        }
        destroy(info.clobbers, state);
        if CALLEE_SAVED & !self.alloc.saved & info.clobbers != 0 {
            self.fault(AllocFaultKind::Saved);
        }
        match roles[0] {
            Role::DefIn(fixed) => {
                if regs[0] != fixed {
                    self.fault(AllocFaultKind::Fixed);
                    regs[0] = fixed;
                }
                self.define(regs[0], wanted[0], state);
            }
            Role::Def(_) => self.define(regs[0], wanted[0], state),
            Role::No | Role::Use(_) | Role::Tied(_) | Role::UseIn(_) | Role::Base | Role::Index => {}
        }
    }
}

/// Name of an op as a key.
type Op2 = &'static str;

fn key(record: &Record) -> (Op2, i32, u32) {
    (record.op.info().name, record.imm, record.aux)
}

/// What an op destroys is held no more.
fn destroy(clobbers: u32, state: &mut State) {
    (0..32).filter(|reg| clobbers >> reg & 1 == 1).for_each(|reg| state.put(reg, Set::new()));
}

/// Is the slot of a record one of a stack argument?
fn is_incoming(select: &Function<Select>, record: &Record) -> bool {
    matches!(select.slots.get(record.aux as usize).map(|slot| slot.kind), Some(SlotKind::Incoming(_)))
}

/// Is a stack argument overwritten?
fn writes_incoming(select: &Function<Select>) -> bool {
    select.records.iter().any(|record| matches!(record.op, Op::StoreSlot | Op::StoreSlotF) && is_incoming(select, record))
}

/// Must a record of `select` have one of `alloc` that stands for it? Loads of stack arguments that nobody overwrites need none.
fn is_wanted(select: &Function<Select>, writes_incoming: bool, record: &Record) -> bool {
    writes_incoming || !matches!(record.op, Op::LoadSlot | Op::LoadSlotF) || !is_incoming(select, record)
}

/// Class of the register that a copy reads or writes.
fn class_of_op(op: Op) -> Class {
    match op {
        Op::MovF | Op::LoadConst | Op::ZeroF | Op::LoadSlotF | Op::StoreSlotF => Class::Xmm,
        _ => Class::Gp,
    }
}
