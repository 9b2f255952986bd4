//! The structural rules that every SSA level shares, as faults without codes: a level maps each kind to a code of its own.
//!
//! Two passes over the instructions. The first notes where each value is defined. The second checks each instruction against its row of
//! the op table and each use against its definition; uses in the block of their definition are settled by position. Only uses across
//! blocks need dominance, and only when there are any is the tree computed.
//!
//! Unwind edges leave from the middle of a block, so dominance is asked of *segments*: a block is cut behind each instruction that unwinds
//! to a pad for the first time in this block. A later edge of the block to the same pad cannot make anything more visible there, since the
//! segments of a block dominate one another in order. The results of the unwinding instruction belong to the next segment: on the edge
//! they do not exist.

use super::dominance::Dominators;
use super::order::Order;
use super::text::fixed_operands;
use super::{Block, Def, ENTRY, Graph, Inst, Level, Value};
use crate::ops::{CASES, Effect, Imm, OpTable};
use crate::{Id, PlaceId, Where};

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
        }
    }
}

/// Checks every rule and reports every fault: the function's, then block by block, then uses across blocks.
pub fn check<L: Level>(graph: &Graph<L>, report: &mut impl FnMut(StructureFault)) {
    if graph.blocks.is_empty() {
        report(fault(StructureKind::NoEntry, Where::Function));
        return;
    }
    let sites = Sites::of(graph, report);
    let mut checker = Checker {
        graph,
        sites: &sites,
        report,
        across: Vec::new(),
        first_cut: first_cut(graph),
        nounwind: L::FLAGS.iter().position(|name| *name == "nounwind").map_or(0, |bit| 1 << bit),
        named_flags: (1u32 << L::FLAGS.len().min(16)) - 1,
        sorted: Vec::new(),
    };
    for block in graph.blocks.ids() {
        checker.block(block);
    }
    let across = std::mem::take(&mut checker.across);
    if !across.is_empty() {
        dominance(graph, &sites, &across, report);
    }
}

/// How many instructions of the entry have run when it can be left for the first time, by unwinding or at its end.
fn first_cut<L: Level>(graph: &Graph<L>) -> u32 {
    let insts = &graph.blocks[ENTRY].insts;
    insts.iter().position(|&inst| graph.edges[inst].unwind.is_some()).unwrap_or(insts.len()) as u32
}

const fn fault(kind: StructureKind, at: Where) -> StructureFault {
    StructureFault { kind, at, value: None, block: None, expected: 0, found: 0 }
}

/// Where a value is defined: block, and the number of instructions of the block that have run when it exists (0 for parameters).
#[derive(Clone, Copy)]
struct Site {
    block: u32,
    position: u32,
}

struct Sites {
    rows: Vec<Site>,
}

const NOWHERE: Site = Site { block: u32::MAX, position: 0 };

impl Sites {
    /// Notes all definitions, and reports values that are defined again.
    fn of<L: Level>(graph: &Graph<L>, report: &mut impl FnMut(StructureFault)) -> Sites {
        let mut rows = vec![NOWHERE; graph.values.len()];
        for (block, row) in graph.blocks.iter() {
            for (index, &param) in row.params.iter().enumerate() {
                let fits = graph.values.get(param).is_some_and(|v| v.def == Def::Param(block, index as u32));
                if !fits || rows[param.index()].block != u32::MAX {
                    let at = if block == ENTRY { Where::Function } else { Where::Block(block.raw()) };
                    report(StructureFault { value: Some(param), ..fault(StructureKind::DefinedTwice, at) });
                    continue;
                }
                rows[param.index()] = Site { block: block.raw(), position: 0 };
            }
            for (index, &inst) in row.insts.iter().enumerate() {
                for (number, value) in graph.results(inst).enumerate() {
                    let fits = graph.values.get(value).is_some_and(|v| v.def == Def::Result(inst, number as u32));
                    if !fits || rows[value.index()].block != u32::MAX {
                        let at = Where::Inst { block: block.raw(), index: index as u32 };
                        report(StructureFault { value: Some(value), ..fault(StructureKind::DefinedTwice, at) });
                        continue;
                    }
                    rows[value.index()] = Site { block: block.raw(), position: index as u32 + 1 };
                }
            }
        }
        Sites { rows }
    }

    fn get(&self, value: Value) -> Site {
        self.rows.get(value.index()).copied().unwrap_or(NOWHERE)
    }
}

/// A use in another block than the definition's.
struct Across {
    value: Value,
    block: u32,
    index: u32,
}

struct Checker<'a, L: Level, F> {
    graph: &'a Graph<L>,
    sites: &'a Sites,
    report: &'a mut F,
    across: Vec<Across>,
    /// Position up to which definitions of the entry are visible on every edge out of it: they dominate every other block.
    first_cut: u32,
    nounwind: u16,
    named_flags: u32,
    sorted: Vec<i64>,
}

impl<L: Level, F: FnMut(StructureFault)> Checker<'_, L, F> {
    fn block(&mut self, block: Block) {
        let graph = self.graph;
        let insts = &graph.blocks[block].insts;
        for (index, &inst) in insts.iter().enumerate() {
            let at = Where::Inst { block: block.raw(), index: index as u32 };
            if index + 1 < insts.len() && graph.op(inst).info().effect == Effect::Ends {
                (self.report)(fault(StructureKind::TerminatorInside, at));
            }
            self.inst(inst, block.raw(), index as u32);
        }
        if graph.terminator(block).is_none() {
            (self.report)(fault(StructureKind::NoTerminator, Where::Block(block.raw())));
        }
    }

    fn inst(&mut self, inst: Inst, block: u32, index: u32) {
        let graph = self.graph;
        let at = Where::Inst { block, index };
        let row = &graph.insts[inst];
        let edges = &graph.edges[inst];
        let info = row.op.info();
        let args = graph.args(inst);
        let fixed = fixed_operands::<L>(info);
        let variadic = fixed < info.operands.len();
        if args.len() < fixed || (args.len() > fixed && !variadic) {
            self.count(StructureKind::OperandCount, at, fixed, args.len());
        }
        let results = row.results as usize;
        let (least, open) = match info.results.last() {
            Some(&last) if L::is_variadic(last) => (info.results.len() - 1, true),
            Some(_) | None => (info.results.len(), false),
        };
        if results < least || (results > least && !open) {
            self.count(StructureKind::ResultCount, at, least, results);
        }
        for &value in args {
            self.usage(value, block, index);
        }
        if u32::from(row.flags) & !self.named_flags != 0 {
            let found = u64::from(u32::from(row.flags) & !self.named_flags);
            (self.report)(StructureFault { found, ..fault(StructureKind::UnknownFlag, at) });
        }
        if !edges.targets.is_empty() || info.targets != 0 {
            self.targets(inst, info.targets, info.imm, block, index);
        }
        self.panic_edge(row.op, row.flags, edges.unwind, edges.place, at);
    }

    fn targets(&mut self, inst: Inst, wanted: u8, imm: Imm, block: u32, index: u32) {
        let graph = self.graph;
        let at = Where::Inst { block, index };
        let targets = graph.targets(inst);
        if wanted == CASES {
            if targets.is_empty() {
                self.count(StructureKind::TargetCount, at, 1, 0);
            } else if imm == Imm::Cases {
                let cases = graph.cases(inst);
                if cases.len() + 1 != targets.len() {
                    self.count(StructureKind::CaseCount, at, targets.len() - 1, cases.len());
                }
                self.sorted.clear();
                self.sorted.extend_from_slice(cases);
                self.sorted.sort_unstable();
                if let Some(twice) = self.sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                    let found = twice[0] as u64;
                    (self.report)(StructureFault { found, ..fault(StructureKind::CaseTwice, at) });
                }
            }
        } else if targets.len() != wanted as usize {
            self.count(StructureKind::TargetCount, at, wanted as usize, targets.len());
        }
        for target in targets {
            if self.edge(target.block, at) {
                let params = graph.blocks[target.block].params.len();
                if params != target.args.len() {
                    let found = target.args.len() as u64;
                    let block = Some(target.block);
                    (self.report)(StructureFault { block, expected: params as u32, found, ..fault(StructureKind::TargetArgs, at) });
                }
            }
            for &value in graph.target_args(*target) {
                self.usage(value, block, index);
            }
        }
    }

    /// Judges the block an edge goes to; true when it exists.
    fn edge(&mut self, to: Block, at: Where) -> bool {
        let exists = to.index() < self.graph.blocks.len();
        if !exists {
            (self.report)(StructureFault { block: Some(to), ..fault(StructureKind::UnknownBlock, at) });
        } else if to == ENTRY {
            (self.report)(StructureFault { block: Some(to), ..fault(StructureKind::EntryIsTarget, at) });
        }
        exists
    }

    fn panic_edge(&mut self, op: L::Op, flags: u16, unwind: Option<Block>, place: PlaceId, at: Where) {
        let panics = L::may_panic(op) && flags & self.nounwind == 0;
        match unwind {
            Some(pad) => {
                if !panics {
                    (self.report)(StructureFault { block: Some(pad), ..fault(StructureKind::UnwindExtra, at) });
                }
                if self.edge(pad, at) && !self.graph.blocks[pad].params.is_empty() {
                    (self.report)(StructureFault { block: Some(pad), ..fault(StructureKind::UnwindParams, at) });
                }
            }
            None if panics => (self.report)(fault(StructureKind::UnwindMissing, at)),
            None => {}
        }
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

    fn usage(&mut self, value: Value, block: u32, index: u32) {
        let site = self.sites.get(value);
        if site.block == block {
            if site.position > index {
                let at = Where::Inst { block, index };
                (self.report)(StructureFault { value: Some(value), ..fault(StructureKind::NotDominated, at) });
            }
        } else if site.block == u32::MAX {
            let at = Where::Inst { block, index };
            (self.report)(StructureFault { value: Some(value), ..fault(StructureKind::UnknownValue, at) });
        } else if site.block != ENTRY.raw() || site.position > self.first_cut {
            self.across.push(Across { value, block, index });
        }
    }

    fn count(&mut self, kind: StructureKind, at: Where, expected: usize, found: usize) {
        (self.report)(StructureFault { expected: expected as u32, found: found as u64, ..fault(kind, at) });
    }
}

/// Checks the uses across blocks on the graph of segments.
fn dominance<L: Level>(graph: &Graph<L>, sites: &Sites, across: &[Across], report: &mut impl FnMut(StructureFault)) {
    let segments = Segments::of(graph);
    let tree = Dominators::of(&segments.order);
    for Across { value, block, index } in across {
        let site = sites.get(*value);
        let definition = segments.node(site.block, site.position);
        let usage = segments.node(*block, *index);
        if !tree.dominates(definition, usage) {
            let at = Where::Inst { block: *block, index: *index };
            report(StructureFault { value: Some(*value), ..fault(StructureKind::NotDominated, at) });
        }
    }
}

/// The blocks, cut behind instructions that unwind to a pad for the first time in their block.
struct Segments {
    /// Cuts of block `b` are `cuts[start[b]..start[b + 1]]`: how many instructions have begun at the end of each segment but the last.
    start: Vec<u32>,
    cuts: Vec<u32>,
    order: Order,
}

impl Segments {
    fn of<L: Level>(graph: &Graph<L>) -> Segments {
        let count = graph.blocks.len();
        let mut start = Vec::with_capacity(count + 1);
        let mut cuts = Vec::new();
        let mut pads: Vec<Block> = Vec::new();
        // The block that was last seen to unwind to each pad.
        let mut seen = vec![u32::MAX; count];
        for (block, row) in graph.blocks.iter() {
            start.push(cuts.len() as u32);
            for (index, &inst) in row.insts.iter().enumerate() {
                if let Some(pad) = graph.edges[inst].unwind
                    && let Some(last) = seen.get_mut(pad.index())
                    && *last != block.raw()
                {
                    *last = block.raw();
                    cuts.push(index as u32 + 1);
                    pads.push(pad);
                }
            }
        }
        start.push(cuts.len() as u32);
        // A block has one segment more than cuts, so its first segment is its number plus all cuts before it.
        let first = |block: Block| -> Block { Id::new(block.index() + start[block.index()] as usize) };
        let mut succ_start = Vec::with_capacity(count + cuts.len() + 1);
        let mut succs = Vec::with_capacity(count * 2 + cuts.len() * 2);
        for (block, row) in graph.blocks.iter() {
            let own = start[block.index()] as usize..start[block.index() + 1] as usize;
            for (at, &pad) in pads[own].iter().enumerate() {
                succ_start.push(succs.len() as u32);
                succs.push(first(pad));
                succs.push(Id::new(first(block).index() + at + 1));
            }
            succ_start.push(succs.len() as u32);
            for &inst in &row.insts {
                succs.extend(graph.targets(inst).iter().filter(|t| t.block.index() < count).map(|t| first(t.block)));
            }
        }
        succ_start.push(succs.len() as u32);
        let order = Order::of_successors(succ_start, succs);
        Segments { start, cuts, order }
    }

    /// The segment of what happens in a block when `position` instructions have run.
    fn node(&self, block: u32, position: u32) -> Block {
        let start = self.start[block as usize];
        let own = &self.cuts[start as usize..self.start[block as usize + 1] as usize];
        Id::new((block + start) as usize + own.partition_point(|&cut| cut <= position))
    }
}
