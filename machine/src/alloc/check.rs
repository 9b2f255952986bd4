//! The allocation checker: an independent, symbolic judge of `alloc` against `select` (the idea of regalloc2's `checker.rs`).
//!
//! For every place, register or slot, it keeps the set of values that the place holds for certain, by data flow over the blocks with intersection where
//! edges meet. Records of `alloc` are either *copies* (moves, spills, reloads, remade constants), which move sets around, or they stand for the records
//! of `select` one by one, and then each operand must be in a place that holds its virtual register. It shares the tables of ops and registers with the
//! allocator and nothing else; in particular it does not believe the `virtuals` column.

use std::collections::BTreeMap;

use ir::{Code, Fault, Where};

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
        made: BTreeMap::new(),
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

/// A value for certain: a virtual register, or one of the things that can be made from nothing.
type Symbol = u32;
const MADE: Symbol = 1 << 16;
const INCOMING: Symbol = 1 << 24;

/// What each place holds: registers, then slots.
type State = Vec<Vec<Symbol>>;

struct Checker<'a> {
    select: &'a Function<Select>,
    alloc: &'a Function<Alloc>,
    /// What a virtual register stands for.
    symbols: Vec<Symbol>,
    /// What each thing that can be made from nothing is.
    made: BTreeMap<(Op2, i32, u32), Symbol>,
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
    }

    /// The slot of a load from a stack argument that nobody overwrites.
    fn incoming_load(&self, record: &Record) -> Option<u32> {
        let is_load = matches!(record.op, Op::LoadSlot | Op::LoadSlotF);
        (is_load && !self_incoming(self.select, record)).then_some(record.aux)
    }

    fn made_symbol(&self, record: &Record) -> Option<Symbol> {
        self.made.get(&key(record)).copied()
    }

    fn symbol(&self, reg: Reg) -> Symbol {
        self.symbols.get(usize::from(reg.wrapping_sub(FIRST_VIRTUAL))).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        let count = self.alloc.blocks.len();
        let mut entry: Vec<Option<State>> = vec![None; count];
        let mut first: State = vec![Vec::new(); 32 + self.alloc.slots.len()];
        let mut walk = ArgWalk::default();
        for (&param, &class) in self.select.params.iter().zip(&self.select.param_classes) {
            if let ArgPlace::Reg(reg) = walk.next(class) {
                first[usize::from(reg)] = vec![self.symbol(param)];
            }
        }
        for (at, slot) in self.alloc.slots.iter().enumerate() {
            if let SlotKind::Incoming(_) = slot.kind {
                first[32 + at] = vec![INCOMING + at as Symbol];
            }
        }
        entry[0] = Some(first);
        let mut work = vec![0usize];
        let mut queued = vec![false; count];
        while let Some(block) = work.pop() {
            queued[block] = false;
            let Some(state) = entry[block].clone() else { continue };
            self.faults.clear();
            for (to, state) in self.block(block, state) {
                let changed = match &mut entry[to] {
                    Some(old) => {
                        let mut changed = false;
                        for (old, new) in old.iter_mut().zip(&state) {
                            let before = old.len();
                            old.retain(|symbol| new.contains(symbol));
                            changed |= old.len() != before;
                        }
                        changed
                    }
                    none @ None => {
                        *none = Some(state);
                        true
                    }
                };
                if changed && !queued[to] {
                    queued[to] = true;
                    work.push(to);
                }
            }
        }
        self.faults.clear();
        for (block, entry) in entry.iter().enumerate() {
            if let Some(state) = entry {
                self.block(block, state.clone());
            }
        }
    }

    /// Walks one block; gives the states of its successors.
    fn block(&mut self, block: usize, mut state: State) -> Vec<(usize, State)> {
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
        let skipped = |record: &&Record| !is_made(record.op) && self_incoming(select, record);
        let mut wanted_records = wanted.iter().enumerate().filter(|(_, record)| skipped(record));
        self.at = (block as u32, 0);
        if origin != EDGE && alloc.blocks.rows()[block].is_pad != select.blocks.rows()[origin as usize].is_pad {
            self.fault(AllocFaultKind::Shape);
        }
        for (index, record) in alloc.records[rows.start as usize..rows.end as usize].iter().enumerate() {
            self.at = (block as u32, index as u32);
            if self.copy(record, &mut state) {
                continue;
            }
            if origin == EDGE {
                let edge = self.edges[block];
                match (record.op, edge) {
                    (Op::Jump, Some(edge)) => {
                        let to = alloc.edges[record.aux as usize].to.index();
                        self.follow(edge, to, &state, &mut out);
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
            self.record(*want, *record, reads_flags, &mut state, &mut out);
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
            Op::Mov | Op::MovF => self.read(record.b, class_of_op(record.op), state),
            Op::LoadSlot | Op::LoadSlotF if slot_kind() == Some(SlotKind::Spill) && record.imm == 0 => {
                state[32 + record.aux as usize].clone()
            }
            Op::LoadSlot | Op::LoadSlotF if matches!(slot_kind(), Some(SlotKind::Incoming(_))) && !self_incoming(self.select, record) => {
                state[32 + record.aux as usize].clone()
            }
            Op::StoreSlot | Op::StoreSlotF if slot_kind() == Some(SlotKind::Spill) => {
                if record.imm != 0 {
                    self.fault(AllocFaultKind::Immediate);
                }
                let set = self.read(record.a, class_of_op(record.op), state);
                state[32 + record.aux as usize] = set;
                return true;
            }
            op if is_made(op) => self.made_symbol(record).into_iter().collect(),
            _ => return false,
        };
        self.write(record.a, class_of_op(record.op), state, set);
        true
    }

    /// Reads a physical register.
    fn read(&mut self, reg: Reg, class: Class, state: &State) -> Vec<Symbol> {
        if reg >= 32 || class_of(reg) != class || reg == RSP || reg == RBP {
            self.fault(AllocFaultKind::Register);
            return Vec::new();
        }
        state[usize::from(reg)].clone()
    }

    fn write(&mut self, reg: Reg, class: Class, state: &mut State, set: Vec<Symbol>) {
        if reg >= 32 || class_of(reg) != class || reg == RSP || reg == RBP {
            self.fault(AllocFaultKind::Register);
            return;
        }
        if CALLEE_SAVED & !self.alloc.saved & 1 << reg != 0 {
            self.fault(AllocFaultKind::Saved);
        }
        state[usize::from(reg)] = set;
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
        state.get(usize::from(reg)).is_some_and(|set| reg < 32 && set.contains(&self.symbol(value)))
    }

    /// A new value: no other place holds it any more, because what was there is from an earlier turn of a loop.
    fn define(&mut self, reg: Reg, value: Reg, state: &mut State) {
        let symbol = self.symbol(value);
        for set in state.iter_mut() {
            set.retain(|&held| held != symbol);
        }
        let class = self.select.classes[usize::from(value - FIRST_VIRTUAL)];
        self.write(reg, class, state, vec![symbol]);
    }

    /// A record that stands for one of `select`.
    fn record(&mut self, want: Record, got: Record, reads_flags: bool, state: &mut State, out: &mut Vec<(usize, State)>) {
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
                    out.push((to, state.clone()));
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
    fn follow(&mut self, edge: u32, to: usize, state: &State, out: &mut Vec<(usize, State)>) {
        let edge = self.select.edges[edge as usize];
        if self.alloc.origins[to] != edge.to.raw() {
            self.fault(AllocFaultKind::Edge);
            return;
        }
        let params = &self.select.regs[self.select.blocks[edge.to].params];
        let args = &self.select.regs[edge.args];
        let mut next = state.clone();
        for (old, set) in state.iter().zip(&mut next) {
            set.retain(|symbol| !params.iter().any(|&param| self.symbol(param) == *symbol));
            for (&param, &arg) in params.iter().zip(args) {
                if old.contains(&self.symbol(arg)) {
                    set.push(self.symbol(param));
                }
            }
        }
        out.push((to, next));
    }

    /// Unwinding reaches a landing pad: slots only.
    fn unwind(&mut self, want: Option<crate::ir::Block>, got: Option<crate::ir::Block>, state: &State, out: &mut Vec<(usize, State)>) {
        match (want, got) {
            (None, None) => {}
            (Some(want), Some(got)) if self.alloc.origins.get(got.index()) == Some(&want.raw()) => {
                let mut next = state.clone();
                next[..32].iter_mut().for_each(Vec::clear);
                out.push((got.index(), next));
            }
            (Some(_) | None, Some(_) | None) => self.fault(AllocFaultKind::Edge),
        }
    }

    fn call(&mut self, want: Record, got: Record, state: &mut State, out: &mut Vec<(usize, State)>) {
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
        for (reg, set) in state[..32].iter_mut().enumerate() {
            if want.clobbers >> reg & 1 == 1 {
                set.clear();
            }
        }
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

    fn stub(&mut self, want: Record, got: Record, state: &State, out: &mut Vec<(usize, State)>) {
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
                Location::Slot(slot) => state.get(32 + slot as usize).cloned().unwrap_or_default(),
                Location::Const(imm) => made(Op::MovImm, imm as i32, (imm >> 32) as u32).into_iter().collect(),
                Location::SlotAddress(slot) => made(Op::LeaSlot, 0, slot).into_iter().collect(),
                Location::Data(data) => made(Op::LeaData, 0, data).into_iter().collect(),
            };
            if !held.contains(&self.symbol(value)) {
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
                Some(_) => state[32 + got.aux as usize].contains(&self.symbol(value)),
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
                if !state[32 + got.aux as usize].contains(&self.symbol(value)) {
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
        for (reg, set) in state[..32].iter_mut().enumerate() {
            if info.clobbers >> reg & 1 == 1 {
                set.clear();
            }
        }
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

/// Must a record of `select` have one of `alloc` that stands for it? Loads of stack arguments need none.
fn self_incoming(select: &Function<Select>, record: &Record) -> bool {
    let is_incoming = |record: &Record| matches!(select.slots.get(record.aux as usize).map(|slot| slot.kind), Some(SlotKind::Incoming(_)));
    if !matches!(record.op, Op::LoadSlot | Op::LoadSlotF) || !is_incoming(record) {
        return true;
    }
    select.records.iter().any(|r| matches!(r.op, Op::StoreSlot | Op::StoreSlotF) && is_incoming(r))
}

/// Class of the register that a copy reads or writes.
fn class_of_op(op: Op) -> Class {
    match op {
        Op::MovF | Op::LoadConst | Op::ZeroF | Op::LoadSlotF | Op::StoreSlotF => Class::Xmm,
        _ => Class::Gp,
    }
}
