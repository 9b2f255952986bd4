//! Deterministic damage to functions: how good the verifiers are, is how many mutants of real functions they refuse (decisions "How a check counts").
//!
//! A mutant differs from its function in one way. It may still be right (two independent records swapped): a gate wants it refused by [`crate::verify`] or
//! by the allocation checker, or run equal.

use ir::{Id, List, PlaceId, Where};

use crate::ir::{Function, Location, Phase, Record};
use crate::ops::{AuxKind, ImmKind, Op, Role};
use crate::regs::{CALLEE_SAVED, Class, FIRST_VIRTUAL, NONE, Reg};

/// What was done to a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mutation {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// Where, in the mutant.
    pub at: Where,
    /// Index of the record to watch: it was executed exactly when the mutation could matter. `None` when the function was changed as a whole.
    pub record: Option<u32>,
}

macro_rules! kinds {
    ($($Kind:ident = $name:literal, $meaning:literal;)+) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        enum Kind { $(#[doc = $meaning] $Kind,)+ }
        const ALL: &[Kind] = &[$(Kind::$Kind),+];
        /// Names of all kinds of mutations.
        pub const KINDS: &[&str] = &[$($name),+];
        /// What each kind does, in the order of [`KINDS`].
        pub const MEANINGS: &[&str] = &[$($meaning),+];
    };
}

kinds! {
    RegisterSame   = "register-same-class",  "an operand becomes another register of its class";
    RegisterOther  = "register-other-class", "an operand becomes a register of the other class";
    RegisterNone   = "register-none",        "an operand goes";
    OperandSwap    = "operand-swap",         "two operands change places";
    Retype         = "retype",               "a virtual register gets the other class";
    ImmStep        = "imm-step",             "an immediate is one more or less";
    ImmBit         = "imm-bit",              "one bit of an immediate flips";
    Condition      = "condition",            "a condition becomes another one";
    Scale          = "scale",                "the scale of an index changes";
    OpSame         = "op-same-shape",        "an op becomes another one of the same shape";
    RecordDrop     = "record-drop",          "a record goes";
    RecordTwice    = "record-twice",         "a record stands twice";
    RecordSwap     = "record-swap",          "two neighbours change places";
    SpillDrop      = "spill-drop",           "a store to a slot goes";
    ReloadDrop     = "reload-drop",          "a reload goes";
    FlagsDrop      = "flags-drop",           "what sets the flags goes";
    TerminatorDrop = "terminator-drop",      "a block loses its last record";
    EdgeTarget     = "edge-target",          "an edge goes to another block";
    EdgeSwap       = "edge-swap",            "two edges change places";
    EdgeArg        = "edge-arg",             "an argument of an edge becomes another register";
    EdgeArgDrop    = "edge-arg-drop",        "an edge loses its last argument";
    SlotIndex      = "slot-index",           "a record names another slot";
    SlotSize       = "slot-size",            "a slot becomes smaller";
    SlotOffset     = "slot-offset",          "a slot moves";
    SavedBit       = "saved-bit",            "a callee-saved register is saved no more, or another one is";
    StubPanic       = "stub-kind",            "a stub panics with another kind";
    StubArg        = "stub-arg",             "an operand of a stub changes";
    StubRow        = "stub-row",             "a check goes to another stub";
    PadRemove      = "pad-remove",           "a landing pad goes";
    PadMark        = "pad-mark",             "a block becomes a landing pad, or one does not stay one";
    PlaceChange    = "place-change",         "a call or stub gets another place";
    CallArg        = "call-arg",             "an argument of a call becomes another register";
    CallArgDrop    = "call-arg-drop",        "a call loses its last argument";
    CallResult     = "call-result",          "a result of a call comes in another register";
    Clobbers       = "clobbers",             "a call destroys one register less";
    Constant       = "constant",             "one bit of a constant flips";
    TableRow       = "table-row",            "a record names a row that does not exist";
}

/// A mutant of a function: which one, depends on `seed` alone. When the kind that is drawn does not apply, the following are tried in order.
pub fn mutate<P: Phase>(function: &Function<P>, seed: u64) -> Option<(Function<P>, Mutation)> {
    let first = Random(seed).below(ALL.len());
    (0..ALL.len()).find_map(|step| mutate_kind(function, (first + step) % ALL.len(), seed))
}

/// A mutant of the kind with this index in [`KINDS`], or `None` when the kind does not apply.
pub fn mutate_kind<P: Phase>(function: &Function<P>, kind: usize, seed: u64) -> Option<(Function<P>, Mutation)> {
    let which = *ALL.get(kind)?;
    for attempt in 0..8u64 {
        let mut mutator = Mutator { out: function.clone(), random: Random(seed ^ attempt << 56 ^ (kind as u64) << 48) };
        let Some(record) = mutator.apply(which) else { continue };
        if mutator.out != *function {
            let at = record.map_or(Where::Function, |record| mutator.place(record));
            return Some((mutator.out, Mutation { kind: KINDS[kind], at, record }));
        }
    }
    None
}

struct Mutator<P: Phase> {
    out: Function<P>,
    random: Random,
}

impl<P: Phase> Mutator<P> {
    fn is_select(&self) -> bool {
        P::NAME == "select"
    }

    /// Block and position of a record.
    fn place(&self, record: u32) -> Where {
        let block = self.out.blocks.rows().iter().rposition(|row| row.start <= record && record < row.end);
        block.map_or(Where::Function, |at| Where::Inst { block: at as u32, index: record - self.out.blocks.rows()[at].start })
    }

    /// A record that `accept` likes.
    fn pick(&mut self, accept: impl Fn(&Record) -> bool) -> Option<usize> {
        let found: Vec<usize> = (0..self.out.records.len()).filter(|&at| accept(&self.out.records[at])).collect();
        self.random.pick(&found)
    }

    /// Changes; `Some` with the record to watch when something was changed.
    fn apply(&mut self, kind: Kind) -> Option<Option<u32>> {
        let watched = |at: usize| Some(Some(at as u32));
        match kind {
            Kind::RegisterSame => {
                let (at, operand) = self.operand()?;
                let class = self.class(reg_of(&self.out.records[at], operand))?;
                let reg = self.other_register(class)?;
                set_reg(&mut self.out.records[at], operand, reg);
                watched(at)
            }
            Kind::RegisterOther => {
                let (at, operand) = self.operand()?;
                let class = match self.class(reg_of(&self.out.records[at], operand))? {
                    Class::Gp => Class::Xmm,
                    Class::Xmm => Class::Gp,
                };
                let reg = self.other_register(class)?;
                set_reg(&mut self.out.records[at], operand, reg);
                watched(at)
            }
            Kind::RegisterNone => {
                let (at, operand) = self.operand()?;
                set_reg(&mut self.out.records[at], operand, NONE);
                watched(at)
            }
            Kind::OperandSwap => {
                let at = self.pick(|record| record.b != NONE && record.c != NONE && record.b != record.c)?;
                let record = &mut self.out.records[at];
                (record.b, record.c) = (record.c, record.b);
                watched(at)
            }
            Kind::Retype => {
                let index = self.random.index(self.out.classes.len())?;
                if !self.is_select() {
                    return None;
                }
                let class = &mut self.out.classes[index];
                *class = if *class == Class::Gp { Class::Xmm } else { Class::Gp };
                Some(None)
            }
            Kind::ImmStep | Kind::ImmBit => {
                let at = self.pick(|record| matches!(record.op.info().imm, ImmKind::Value | ImmKind::Wide | ImmKind::Displacement))?;
                let bit = 1 << self.random.below(32);
                let record = &mut self.out.records[at];
                record.imm = if kind == Kind::ImmStep { record.imm.wrapping_add(1) } else { record.imm ^ bit };
                watched(at)
            }
            Kind::Condition => {
                let at = self.pick(|record| record.op.info().imm == ImmKind::Condition)?;
                let change = 1 + self.random.below(15) as i32;
                self.out.records[at].imm ^= change;
                watched(at)
            }
            Kind::Scale => {
                let at = self.pick(|record| record.op.info().aux == AuxKind::Scale && record.c != NONE)?;
                let record = &mut self.out.records[at];
                record.aux = if record.aux == 8 { 1 } else { record.aux.wrapping_mul(2) };
                watched(at)
            }
            Kind::OpSame => {
                let at = self.pick(|record| !record.op.info().ends)?;
                let info = self.out.records[at].op.info();
                let like = |op: &&Op| {
                    let other = op.info();
                    (other.roles, other.imm, other.aux, other.ends) == (info.roles, info.imm, info.aux, info.ends)
                        && other.name != info.name
                };
                let same: Vec<Op> = Op::ALL.iter().filter(like).copied().collect();
                self.out.records[at].op = self.random.pick(&same)?;
                watched(at)
            }
            Kind::RecordDrop => {
                let at = self.pick(|record| !record.op.info().ends)?;
                self.remove(at);
                Some(None)
            }
            Kind::SpillDrop => {
                let at = self.pick(|record| matches!(record.op, Op::StoreSlot | Op::StoreSlotF | Op::StoreSlotImm))?;
                self.remove(at);
                Some(None)
            }
            Kind::ReloadDrop => {
                let at = self.pick(|record| matches!(record.op, Op::LoadSlot | Op::LoadSlotF))?;
                self.remove(at);
                Some(None)
            }
            Kind::FlagsDrop => {
                let at = self.pick(|record| record.op.info().flags == crate::ops::Flags::Sets)?;
                self.remove(at);
                Some(None)
            }
            Kind::TerminatorDrop => {
                let at = self.pick(|record| record.op.info().ends)?;
                self.remove(at);
                Some(None)
            }
            Kind::RecordTwice => {
                let at = self.pick(|_| true)?;
                let record = self.out.records[at];
                self.insert(at, record);
                watched(at)
            }
            Kind::RecordSwap => {
                let at = self.pick(|_| true)?;
                let is_last = self.out.blocks.rows().iter().any(|block| block.end as usize == at + 1);
                if is_last || at + 1 >= self.out.records.len() {
                    return None;
                }
                self.out.records.swap(at, at + 1);
                if self.out.virtuals.len() == self.out.records.len() {
                    self.out.virtuals.swap(at, at + 1);
                }
                watched(at)
            }
            Kind::EdgeTarget => {
                let at = self.random.index(self.out.edges.len())?;
                self.out.edges[at].to = Id::new(self.random.below(self.out.blocks.len() + 1));
                Some(self.by_aux(AuxKind::Edge, at))
            }
            Kind::EdgeSwap => {
                let (one, two) = (self.random.index(self.out.edges.len())?, self.random.index(self.out.edges.len())?);
                self.out.edges.swap(one, two);
                Some(self.by_aux(AuxKind::Edge, one))
            }
            Kind::EdgeArg => {
                let at = self.random.index(self.out.edges.len())?;
                let list = self.out.edges[at].args;
                self.change_list(list)?;
                Some(self.by_aux(AuxKind::Edge, at))
            }
            Kind::EdgeArgDrop => {
                let at = self.random.index(self.out.edges.len())?;
                let list = self.out.edges[at].args;
                self.out.edges[at].args = self.shorter(list)?;
                Some(self.by_aux(AuxKind::Edge, at))
            }
            Kind::SlotIndex => {
                let at = self.pick(|record| record.op.info().aux == AuxKind::Slot)?;
                self.out.records[at].aux = self.random.below(self.out.slots.len() + 1) as u32;
                watched(at)
            }
            Kind::SlotSize => {
                let at = self.random.index(self.out.slots.len())?;
                self.out.slots[at].size = self.out.slots[at].size.saturating_sub(4);
                Some(None)
            }
            Kind::SlotOffset => {
                let at = self.random.index(self.out.slots.len())?;
                if self.out.slots[at].offset == 0 {
                    return None;
                }
                self.out.slots[at].offset += [8, -8, 4, 16][self.random.below(4)];
                Some(None)
            }
            Kind::SavedBit => {
                if self.is_select() {
                    return None;
                }
                let saved: Vec<u32> = (0..16).filter(|&reg| CALLEE_SAVED & 1 << reg != 0).collect();
                self.out.saved ^= 1 << self.random.pick(&saved)?;
                Some(None)
            }
            Kind::StubPanic => {
                let at = self.random.index(self.out.stubs.len())?;
                self.out.stubs[at].kind = self.random.pick(abi::PanicKind::ALL)?;
                Some(self.by_aux(AuxKind::Stub, at))
            }
            Kind::StubArg => {
                let at = self.random.index(self.out.stubs.len())?;
                let list = self.out.stubs[at].args;
                let operand = self.random.index(list.len())?;
                let class = Class::Gp;
                let new = match self.random.below(3) {
                    0 => Location::Const(self.random.next() as i64),
                    1 => Location::Reg(self.other_register(class)?),
                    _ => Location::Slot(self.random.below(self.out.slots.len() + 1) as u32),
                };
                self.out.locations[list][operand] = new;
                Some(self.by_aux(AuxKind::Stub, at))
            }
            Kind::StubRow => {
                let at = self.pick(|record| record.op.info().aux == AuxKind::Stub)?;
                self.out.records[at].aux = self.random.below(self.out.stubs.len() + 1) as u32;
                watched(at)
            }
            Kind::PadRemove => {
                let at = self.random.index(self.out.calls.len())?;
                self.out.calls[at].pad = None;
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::PadMark => {
                let at = self.random.index(self.out.blocks.len())?;
                let row = &mut self.out.blocks.rows_mut()[at];
                row.is_pad = !row.is_pad;
                Some(None)
            }
            Kind::PlaceChange => {
                let at = self.random.index(self.out.calls.len())?;
                self.out.calls[at].place = PlaceId(self.random.below(self.out.places.rows().len() + 1) as u32);
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::CallArg => {
                let at = self.random.index(self.out.calls.len())?;
                let list = self.out.calls[at].args;
                self.change_list(list)?;
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::CallArgDrop => {
                let at = self.random.index(self.out.calls.len())?;
                let list = self.out.calls[at].args;
                self.out.calls[at].args = self.shorter(list)?;
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::CallResult => {
                let at = self.random.index(self.out.calls.len())?;
                let list = self.out.calls[at].results;
                self.change_list(list)?;
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::Clobbers => {
                let at = self.random.index(self.out.calls.len())?;
                let bit = 1 << self.random.below(32);
                self.out.calls[at].clobbers &= !bit;
                Some(self.by_aux(AuxKind::Call, at))
            }
            Kind::Constant => {
                let at = self.random.index(self.out.constants.len())?;
                self.out.constants[at][0] ^= 1 << self.random.below(64);
                Some(None)
            }
            Kind::TableRow => {
                let at = self.pick(|record| !matches!(record.op.info().aux, AuxKind::No | AuxKind::Scale | AuxKind::Value))?;
                self.out.records[at].aux += 1 << 24;
                watched(at)
            }
        }
    }

    /// A register operand of a record.
    fn operand(&mut self) -> Option<(usize, usize)> {
        let at = self.pick(|record| [record.a, record.b, record.c].iter().any(|&reg| reg != NONE))?;
        let record = self.out.records[at];
        let roles = record.op.info().roles;
        let given: Vec<usize> = (0..3).filter(|&operand| roles[operand] != Role::No && reg_of(&record, operand) != NONE).collect();
        Some((at, self.random.pick(&given)?))
    }

    fn class(&self, reg: Reg) -> Option<Class> {
        if self.is_select() {
            return self.out.classes.get(reg.checked_sub(FIRST_VIRTUAL)? as usize).copied();
        }
        Some(if reg < 16 { Class::Gp } else { Class::Xmm })
    }

    /// A register of this class.
    fn other_register(&mut self, class: Class) -> Option<Reg> {
        if self.is_select() {
            let same: Vec<Reg> =
                (0..self.out.classes.len()).filter(|&at| self.out.classes[at] == class).map(|at| FIRST_VIRTUAL + at as Reg).collect();
            return self.random.pick(&same);
        }
        let first = if class == Class::Gp { 0 } else { 16 };
        Some(first + self.random.below(16) as Reg)
    }

    fn change_list(&mut self, list: List<Reg>) -> Option<()> {
        let at = self.random.index(list.len())?;
        let class = self.class(self.out.regs[list][at])?;
        let new = self.other_register(class)?;
        self.out.regs[list][at] = new;
        Some(())
    }

    fn shorter(&mut self, list: List<Reg>) -> Option<List<Reg>> {
        let (_, rest) = self.out.regs[list].split_last()?;
        let rest = rest.to_vec();
        Some(self.out.regs.add(rest))
    }

    /// The record that names this row.
    fn by_aux(&self, kind: AuxKind, row: usize) -> Option<u32> {
        self.out.records.iter().position(|record| record.op.info().aux == kind && record.aux as usize == row).map(|at| at as u32)
    }

    fn remove(&mut self, at: usize) {
        if self.out.virtuals.len() == self.out.records.len() {
            self.out.virtuals.remove(at);
        }
        self.out.records.remove(at);
        self.shift(at as u32, -1);
    }

    fn insert(&mut self, at: usize, record: Record) {
        if self.out.virtuals.len() == self.out.records.len() {
            let behind = self.out.virtuals[at];
            self.out.virtuals.insert(at, behind);
        }
        self.out.records.insert(at, record);
        self.shift(at as u32, 1);
    }

    /// Moves the bounds of the blocks behind a record.
    fn shift(&mut self, at: u32, by: i32) {
        for block in self.out.blocks.rows_mut() {
            if block.start > at {
                block.start = block.start.wrapping_add_signed(by);
            }
            if block.end > at {
                block.end = block.end.wrapping_add_signed(by);
            }
        }
    }
}

fn reg_of(record: &Record, operand: usize) -> Reg {
    [record.a, record.b, record.c][operand]
}

fn set_reg(record: &mut Record, operand: usize, reg: Reg) {
    match operand {
        0 => record.a = reg,
        1 => record.b = reg,
        _ => record.c = reg,
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn index(&mut self, len: usize) -> Option<usize> {
        if len == 0 { None } else { Some(self.below(len)) }
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        self.index(items.len()).map(|at| items[at])
    }
}

#[cfg(test)]
mod tests;
