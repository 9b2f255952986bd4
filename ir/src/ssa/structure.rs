//! The structural rules that every SSA level shares, as faults without codes: a level maps each kind to a code of its own.
//!
//! One pass over the instructions notes where each value is defined, checks each instruction against its row of the op table, and settles
//! most uses on the spot: those behind the definition in its own block, and those of what the entry defines before it can be left. The
//! other uses wait for the end, when all definitions are known.
//!
//! Unwind edges leave from the middle of a block, which matters on the *panic side* only, the blocks that can be reached from an unwind
//! block. A path to any other block leaves every block at its end, so dominance there is a question to the graph of targets. Where a use
//! or its definition is on the panic side, it is asked of *segments*: a block is cut behind each instruction that unwinds to a pad for
//! the first time in this block. A later edge of the block to the same pad cannot make anything more visible there, since the segments of
//! a block dominate one another in order. The results of the unwinding instruction belong to the next segment: on the edge they do not
//! exist.

use std::cell::Cell;

use super::dominance::Dominators;
use super::order::Order;
use super::text::fixed_operands;
use super::{Block, BlockRow, Def, ENTRY, Graph, Inst, Level, Value, ValueRow};
use crate::ops::{CASES, Effect, Imm, OpInfo, OpTable};
use crate::{Id, Place, PlaceId, Where};

mod names;
mod paths;
#[cfg(test)]
mod tests;

/// Defines the kinds with their sentences, so that documentation and [`StructureKind::meaning`] are one text.
macro_rules! kinds {
    ($($kind:ident: $meaning:literal,)+) => {
        /// Which structural rule is broken.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum StructureKind {
            $(#[doc = $meaning] $kind,)+
        }

        impl StructureKind {
            /// All kinds.
            pub const ALL: &'static [StructureKind] = &[$(StructureKind::$kind),+];

            /// The rule, as one sentence for the reference page.
            pub const fn meaning(self) -> &'static str {
                match self { $(StructureKind::$kind => $meaning,)+ }
            }

            /// The name in this source.
            pub const fn name(self) -> &'static str {
                match self { $(StructureKind::$kind => stringify!($kind),)+ }
            }
        }
    };
}

kinds! {
    NoEntry: "A function has an entry block.",
    EntryIsTarget: "No edge goes to the entry block.",
    NoTerminator: "A block ends in a terminator.",
    TerminatorInside: "No terminator stands before the end of its block.",
    UnknownValue: "Every value that is used is defined somewhere.",
    UnknownBlock: "Every block that is a target or an unwind block exists.",
    NotDominated: "A value is used only where its definition has run on every path, and on an unwind edge the results of the instruction that panicked do not exist.",
    DefinedTwice: "A value is defined once.",
    OperandCount: "An instruction has as many operands as its op says.",
    ResultCount: "An instruction has as many results as its op says.",
    TargetCount: "A terminator has as many targets as its op says, and other instructions have none.",
    TargetArgs: "A target gets one argument for each parameter of its block.",
    UnwindParams: "An unwind block has no parameters.",
    UnwindMissing: "An op that may panic has an unwind edge or is marked `nounwind`.",
    UnwindExtra: "An instruction that cannot panic has no unwind edge.",
    PlaceMissing: "An op that may panic has a place.",
    PlaceUnknown: "A place exists: its line counts from 1, and the calls it was inlined through form a chain that ends.",
    CaseCount: "A switch has one case fewer than targets.",
    CaseTwice: "The cases of a switch differ.",
    UnknownFlag: "Every flag is one that the level names.",
    NameMissing: "What a local is said to be at an instruction is a value whose definition has run there, or unknown.",
}

/// One broken rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StructureFault {
    /// The rule.
    pub kind: StructureKind,
    /// Where it is broken.
    pub at: Where,
    /// The value concerned.
    pub value: Option<Value>,
    /// The block concerned: a target, an unwind block.
    pub block: Option<Block>,
    /// The count that the rule wants, where the rule is about counts.
    pub expected: u32,
    /// The count, flags or case number found.
    pub found: u64,
}

impl StructureFault {
    /// One sentence that names the ids involved.
    pub fn message(&self) -> String {
        let value = self.value.map_or_else(String::new, |v| format!("%{}", v.raw()));
        let block = self.block.map_or_else(String::new, |b| format!("b{}", b.raw()));
        let StructureFault { expected, found, .. } = self;
        match self.kind {
            StructureKind::NoEntry => "the function has no blocks".to_owned(),
            StructureKind::EntryIsTarget => "an edge goes to the entry block".to_owned(),
            StructureKind::NoTerminator => "the block does not end in a terminator".to_owned(),
            StructureKind::TerminatorInside => "a terminator before the end of its block".to_owned(),
            StructureKind::UnknownValue => format!("{value} is defined nowhere"),
            StructureKind::UnknownBlock => format!("{block} does not exist"),
            StructureKind::NotDominated => format!("{value} is not defined on every path to this use"),
            StructureKind::DefinedTwice => format!("{value} is defined a second time"),
            StructureKind::OperandCount => format!("{found} operands where the op has {expected}"),
            StructureKind::ResultCount => format!("{found} results where the op has {expected}"),
            StructureKind::TargetCount => format!("{found} targets where the op has {expected}"),
            StructureKind::TargetArgs => format!("{found} arguments for {block}, which has {expected} parameters"),
            StructureKind::UnwindParams => format!("unwind block {block} has parameters"),
            StructureKind::UnwindMissing => "the op may panic but has neither an unwind edge nor `nounwind`".to_owned(),
            StructureKind::UnwindExtra => format!("the instruction cannot panic but unwinds to {block}"),
            StructureKind::PlaceMissing => "the op may panic but has no place".to_owned(),
            StructureKind::PlaceUnknown => "the place does not exist".to_owned(),
            StructureKind::CaseCount => format!("{found} cases where the targets want {expected}"),
            StructureKind::CaseTwice => format!("case {} occurs twice", *found as i64),
            StructureKind::UnknownFlag => format!("flag bits {found:#x} have no name"),
            StructureKind::NameMissing if self.value.is_none() => format!("row {found} of the names is not there, or names no local"),
            StructureKind::NameMissing => format!("a local is said to be {value}, which is not defined on every path to here"),
        }
    }
}

thread_local! {
    /// Working memory of the last check on this thread, for the next one.
    static SPARE: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Working memory of a check.
#[derive(Default)]
struct Scratch {
    sites: Vec<Site>,
    later: Vec<Later>,
    pads: Vec<Block>,
    cold: Vec<bool>,
    sorted: Vec<i64>,
    segments: paths::Segments,
    order: Order,
    tree: Dominators,
}

/// Checks every rule and reports every fault: block by block, then uses whose definition stands elsewhere.
pub fn check<L: Level>(graph: &Graph<L>, report: &mut impl FnMut(StructureFault)) {
    if graph.blocks.is_empty() {
        report(fault(StructureKind::NoEntry, Where::Function));
        return;
    }
    let mut scratch = SPARE.take().unwrap_or_default();
    let Scratch { sites, later, pads, cold, sorted, .. } = &mut *scratch;
    sites.clear();
    sites.resize(graph.values.len(), NOWHERE);
    later.clear();
    pads.clear();
    cold.clear();
    cold.resize(graph.blocks.len(), false);
    let mut checker = Checker {
        graph,
        report,
        later,
        pads,
        cold,
        good_pad: None,
        first_cut: first_cut(graph),
        nounwind: L::FLAGS.iter().position(|name| *name == "nounwind").map_or(0, |bit| 1 << bit),
        unnamed: !((1u32 << L::FLAGS.len().min(16)) - 1) as u16,
        good_places: good_places(graph),
        sorted,
    };
    for block in graph.blocks.ids() {
        checker.block(block, sites);
    }
    if !scratch.later.is_empty() {
        paths::settle(graph, &mut scratch, report);
    }
    SPARE.set(Some(scratch));
    if graph.names.is_some() {
        names::check(graph, report);
    }
}

pub(crate) use names::each_missing_name;

/// How many instructions of the entry have run when it can be left for the first time, by unwinding or at its end.
fn first_cut<L: Level>(graph: &Graph<L>) -> u32 {
    let insts = &graph.blocks[ENTRY].insts;
    insts.iter().position(|&inst| graph.edges[inst].unwind.is_some()).unwrap_or(insts.len()) as u32
}

/// How many places, from the first, are good: all, unless something is wrong.
fn good_places<L: Level>(graph: &Graph<L>) -> u32 {
    let rows = graph.places.rows();
    // A chain that goes down through good places ends.
    let is_good = |(at, place): (usize, &Place)| place.line != 0 && (!place.inlined_at.is_some() || (place.inlined_at.0 as usize) < at);
    rows.iter().enumerate().position(|row| !is_good(row)).unwrap_or(rows.len()) as u32
}

const fn fault(kind: StructureKind, at: Where) -> StructureFault {
    StructureFault { kind, at, value: None, block: None, expected: 0, found: 0 }
}

/// Where a value is defined: the block in the upper half, and the number of instructions of the block that have run when it exists (0 for
/// parameters) in the lower.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Site(u64);

const NOWHERE: Site = Site(u64::MAX);

impl Site {
    const fn new(block: u32, position: u32) -> Site {
        Site((block as u64) << 32 | position as u64)
    }

    const fn block(self) -> u32 {
        (self.0 >> 32) as u32
    }

    const fn position(self) -> u32 {
        self.0 as u32
    }
}

/// A use that was not settled on the spot.
struct Later {
    value: Value,
    block: u32,
    index: u32,
}

struct Checker<'a, L: Level, F> {
    graph: &'a Graph<L>,
    report: &'a mut F,
    later: &'a mut Vec<Later>,
    /// Blocks that something unwinds to, each once, and which they are.
    pads: &'a mut Vec<Block>,
    cold: &'a mut [bool],
    /// The last pad that was found to be right.
    good_pad: Option<Block>,
    /// Position up to which definitions of the entry are visible on every edge out of it: they dominate every other block.
    first_cut: u32,
    nounwind: u16,
    /// Flag bits without a name.
    unnamed: u16,
    good_places: u32,
    sorted: &'a mut Vec<i64>,
}

impl<L: Level, F: FnMut(StructureFault)> Checker<'_, L, F> {
    fn block(&mut self, block: Block, sites: &mut [Site]) {
        let graph = self.graph;
        let row = &graph.blocks[block];
        for (index, &param) in row.params.iter().enumerate() {
            if defines(graph.values.rows(), sites, param, Def::Param(block, index as u32)) {
                sites[param.index()] = Site::new(block.raw(), 0);
            } else {
                let at = if block == ENTRY { Where::Function } else { Where::Block(block.raw()) };
                (self.report)(StructureFault { value: Some(param), ..fault(StructureKind::DefinedTwice, at) });
            }
        }
        self.insts(&row.insts, block.raw(), sites);
        if row.insts.is_empty() {
            (self.report)(fault(StructureKind::NoTerminator, Where::Block(block.raw())));
        }
    }

    /// Checks the instructions of a block. The loop that counts: columns are held as slices, and whatever is seldom stands elsewhere.
    fn insts(&mut self, list: &[Inst], block: u32, sites: &mut [Site]) {
        let graph = self.graph;
        let (values, rows, edge_rows) = (graph.values.rows(), graph.insts.rows(), graph.edges.rows());
        let (unnamed, nounwind, good_places, first_cut) = (self.unnamed, self.nounwind, self.good_places, u64::from(self.first_cut));
        let start = Site::new(block, 0).0;
        let last = list.len().wrapping_sub(1);
        for (index, &inst) in list.iter().enumerate() {
            let at = Where::Inst { block, index: index as u32 };
            let (row, edges) = (&rows[inst.index()], &edge_rows[inst.index()]);
            let info = row.op.info();
            let args = &graph.args[row.args];
            for &value in args {
                let site = sites.get(value.index()).map_or(NOWHERE.0, |site| site.0);
                // In the same block and not behind the use; or in the entry, before it can be left.
                if site.wrapping_sub(start) > index as u64 && site > first_cut {
                    self.later.push(Later { value, block, index: index as u32 });
                }
            }
            if args.len() != info.operands.len() {
                self.operand_count(info, args.len(), at);
            }
            if usize::from(row.results) != info.results.len() {
                self.result_count(info, row.results, at);
            }
            if row.flags & unnamed != 0 {
                let found = u64::from(row.flags & unnamed);
                (self.report)(StructureFault { found, ..fault(StructureKind::UnknownFlag, at) });
            }
            if !edges.targets.is_empty() || info.targets != 0 {
                self.targets(inst, info.targets, info.imm, at, sites);
            }
            let panics = L::may_panic(row.op) && row.flags & nounwind == 0;
            match edges.unwind {
                Some(pad) => {
                    if edges.unwind != self.good_pad {
                        self.pad(pad, at);
                    }
                    if !panics {
                        (self.report)(StructureFault { block: Some(pad), ..fault(StructureKind::UnwindExtra, at) });
                    }
                }
                None if panics => (self.report)(fault(StructureKind::UnwindMissing, at)),
                None => {}
            }
            if edges.place.0 >= good_places {
                self.place(edges.place, panics, at);
            }
            // Behind the operands, so that none of them can be the instruction's own result.
            for number in 0..row.results {
                let value: Value = Id::new(row.first_result.index() + number as usize);
                if defines(values, sites, value, Def::Result(inst, u32::from(number))) {
                    sites[value.index()] = Site(start + index as u64 + 1);
                } else {
                    (self.report)(StructureFault { value: Some(value), ..fault(StructureKind::DefinedTwice, at) });
                }
            }
            if (info.effect == Effect::Ends) != (index == last) {
                let (kind, at) = match index == last {
                    true => (StructureKind::NoTerminator, Where::Block(block)),
                    false => (StructureKind::TerminatorInside, at),
                };
                (self.report)(fault(kind, at));
            }
        }
    }

    /// The counts differ; a variadic class takes any number.
    fn operand_count(&mut self, info: &OpInfo<<L::Op as OpTable>::Class>, found: usize, at: Where) {
        let fixed = fixed_operands::<L>(info);
        if found < fixed || fixed == info.operands.len() {
            self.count(StructureKind::OperandCount, at, fixed, found);
        }
    }

    fn result_count(&mut self, info: &OpInfo<<L::Op as OpTable>::Class>, found: u8, at: Where) {
        let (least, open) = match info.results.last() {
            Some(&last) if L::is_variadic(last) => (info.results.len() - 1, true),
            Some(_) | None => (info.results.len(), false),
        };
        if usize::from(found) < least || !open {
            self.count(StructureKind::ResultCount, at, least, usize::from(found));
        }
    }

    fn targets(&mut self, inst: Inst, wanted: u8, imm: Imm, at: Where, sites: &[Site]) {
        let graph = self.graph;
        let targets = graph.targets(inst);
        if wanted == CASES {
            if targets.is_empty() {
                self.count(StructureKind::TargetCount, at, 1, 0);
            } else if imm == Imm::Cases {
                let cases = graph.cases(inst);
                if cases.len() + 1 != targets.len() {
                    self.count(StructureKind::CaseCount, at, targets.len() - 1, cases.len());
                }
                // They are in order as a rule.
                let mut cases = cases;
                if !cases.windows(2).all(|pair| pair[0] < pair[1]) {
                    self.sorted.clear();
                    self.sorted.extend_from_slice(cases);
                    self.sorted.sort_unstable();
                    cases = self.sorted;
                }
                if let Some(twice) = cases.windows(2).find(|pair| pair[0] == pair[1]) {
                    let found = twice[0] as u64;
                    (self.report)(StructureFault { found, ..fault(StructureKind::CaseTwice, at) });
                }
            }
        } else if targets.len() != wanted as usize {
            self.count(StructureKind::TargetCount, at, wanted as usize, targets.len());
        }
        for target in targets {
            if let Some(row) = self.edge(target.block, at) {
                let params = row.params.len();
                if params != target.args.len() {
                    let found = target.args.len() as u64;
                    let block = Some(target.block);
                    (self.report)(StructureFault { block, expected: params as u32, found, ..fault(StructureKind::TargetArgs, at) });
                }
            }
            for &value in graph.target_args(*target) {
                self.usage(value, at, sites);
            }
        }
    }

    /// Judges the block an edge goes to, and gives it when it exists.
    #[inline]
    fn edge(&mut self, to: Block, at: Where) -> Option<&BlockRow> {
        let row = self.graph.blocks.get(to);
        if row.is_none() {
            (self.report)(StructureFault { block: Some(to), ..fault(StructureKind::UnknownBlock, at) });
        } else if to == ENTRY {
            (self.report)(StructureFault { block: Some(to), ..fault(StructureKind::EntryIsTarget, at) });
        }
        row
    }

    /// Judges the block that a panic goes to.
    fn pad(&mut self, pad: Block, at: Where) {
        let is_good = match self.edge(pad, at) {
            Some(row) if !row.params.is_empty() => {
                (self.report)(StructureFault { block: Some(pad), ..fault(StructureKind::UnwindParams, at) });
                false
            }
            Some(_) => pad != ENTRY,
            None => false,
        };
        if is_good {
            self.good_pad = Some(pad);
        }
        if let Some(cold @ false) = self.cold.get_mut(pad.index()) {
            *cold = true;
            self.pads.push(pad);
        }
    }

    /// Judges a place that is none, or not one of the first good ones.
    fn place(&mut self, place: PlaceId, panics: bool, at: Where) {
        if !place.is_some() {
            if panics {
                (self.report)(fault(StructureKind::PlaceMissing, at));
            }
        } else if !self.place_exists(place) {
            (self.report)(fault(StructureKind::PlaceUnknown, at));
        }
    }

    fn place_exists(&self, mut id: PlaceId) -> bool {
        while let Some(place) = self.graph.places.get(id) {
            if place.line == 0 {
                return false;
            }
            if !place.inlined_at.is_some() {
                return true;
            }
            if place.inlined_at >= id {
                return false;
            }
            id = place.inlined_at;
        }
        false
    }

    /// Settles what is given to a target at once, or keeps it for later.
    fn usage(&mut self, value: Value, at: Where, sites: &[Site]) {
        let Where::Inst { block, index } = at else { return };
        let site = sites.get(value.index()).map_or(NOWHERE.0, |site| site.0);
        if site.wrapping_sub(Site::new(block, 0).0) > u64::from(index) && site > u64::from(self.first_cut) {
            self.later.push(Later { value, block, index });
        }
    }

    #[cold]
    fn count(&mut self, kind: StructureKind, at: Where, expected: usize, found: usize) {
        (self.report)(StructureFault { expected: expected as u32, found: found as u64, ..fault(kind, at) });
    }
}

/// Is this the one definition of the value?
#[inline]
fn defines<T>(values: &[ValueRow<T>], sites: &[Site], value: Value, def: Def) -> bool {
    values.get(value.index()).is_some_and(|row| row.def == def) && sites.get(value.index()) == Some(&NOWHERE)
}
