//! LIR `legal` to `select`: instructions with virtual registers.
//!
//! One forward walk over the blocks in the order of [`order`]. A pure instruction whose only use stands later in its block, in an instruction that can
//! absorb it, is *deferred*: nothing is emitted for it, and its user matches on it (compare and branch, address forms, `test`, `lea`). When the match
//! fails after all, it is emitted at its use. Constants and addresses are *cheap*: each block that needs one in a register defines it anew, and
//! allocation rematerialises it instead of spilling it.
//!
//! Flags never live long: a comparison is emitted directly before the record that reads it, after all operands of both are in registers.
//!
//! | room      | holds                                                        |
//! |-----------|--------------------------------------------------------------|
//! | here      | [`select`], the state of the walk                            |
//! | [`order`] | the order of blocks, loops, cold blocks                      |
//! | `locals`  | slots that become one row of the frame                       |
//! | `value`   | values to registers, constants, addresses                    |
//! | `inst`    | instructions in the middle of a block                        |
//! | `compare` | comparisons and who reads them                               |
//! | `flow`    | calls, terminators, edges                                    |
//!
//! Not here yet: jump tables; a `switch` becomes comparisons in a balanced tree.

mod compare;
mod flow;
mod inst;
mod locals;
pub mod order;
mod value;

#[cfg(test)]
mod tests;

use ir::ssa::{Graph, Value};
use ir::{Id, List};
use lir::{Legal, Lir, Type};

use crate::ir::{Block, BlockRow, Edge, Function, Record, Select, SlotKind, SlotRow};
use crate::ops::Op;
use crate::regs::{ArgPlace, ArgWalk, Class, FIRST_VIRTUAL, MAX_VIRTUAL, NONE, Reg};
use crate::scratch::Scratch;

/// Why a body cannot be compiled here. The text of each is shown to the user with the function's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// More values than virtual registers.
    Registers,
    /// A loop with two entries: no structured program has one.
    Irreducible,
    /// A tail call with more stack arguments than its caller has.
    TailArguments,
    /// More results than the convention has registers for.
    Results,
    /// The body is not legal LIR; its verifier says why.
    Malformed,
}

impl Limit {
    /// One sentence for the user.
    pub const fn message(self) -> &'static str {
        match self {
            Limit::Registers => "the function has more than 65,000 values",
            Limit::Irreducible => "a loop of the function has two entries",
            Limit::TailArguments => "a tail call passes more arguments on the stack than its caller received",
            Limit::Results => "the function has more results than the convention has registers for",
            Limit::Malformed => "the function is not legal LIR",
        }
    }
}

/// What selection knows of each LIR value.
#[derive(Clone, Copy, Debug)]
struct ValueRow {
    /// Its register; [`NONE`] when it has none yet.
    reg: Reg,
    /// Emitted by its user.
    is_deferred: bool,
    /// The block, by walk, in which `reg` is valid; only cheap values look at it.
    stamp: u32,
    /// Number of uses.
    uses: u32,
    /// Block of the last use.
    block: u32,
    /// Instruction of the last use.
    user: u32,
}

const NEW: ValueRow = ValueRow { reg: NONE, is_deferred: false, stamp: 0, uses: 0, block: u32::MAX, user: u32::MAX };

/// Columns that are used again.
#[derive(Default, Debug)]
pub struct Columns {
    values: Vec<ValueRow>,
    /// Block of the function for each block of the graph.
    blocks: Vec<u32>,
    /// Row of the slot table for each `slot` instruction.
    slots: Vec<u32>,
    regs: Vec<Reg>,
    cases: Vec<(i64, u32)>,
    is_pad: Vec<bool>,
}

/// Set in `Edge::to` while walking: the number is one of the function's, not of the graph's.
const RESOLVED: u32 = 1 << 31;

struct Selector<'a> {
    graph: &'a Graph<Lir>,
    out: Function<Select>,
    columns: &'a mut Columns,
    /// Number of the LIR block being walked, as a stamp; grows with every block that is started.
    stamp: u32,
    /// LIR block being walked.
    lir_block: u32,
    depth: u16,
    failed: Option<Limit>,
    incoming: u32,
    outgoing: Vec<u32>,
    incoming_slots: Vec<u32>,
    /// The slot for the addresses of called functions.
    callee: Option<u32>,
}

/// Class of the register of a value of this type.
pub const fn class_of(ty: Type) -> Class {
    match ty {
        Type::I8 | Type::I32 | Type::I64 | Type::Ptr => Class::Gp,
        Type::F64 => Class::Xmm,
    }
}

/// Selects instructions for a body.
pub fn select(body: &lir::Body<Legal>, scratch: &mut Scratch) -> Result<Function<Select>, Limit> {
    let graph: &Graph<Lir> = body;
    scratch.order.compute(graph)?;
    let mut out = scratch.spare.take().map_or_else(|| Function::new(graph.name), |spare| spare.renew(graph.name));
    out.result_classes.extend(graph.results.iter().map(|&ty| class_of(ty)));
    out.places = graph.places.clone();
    let columns = &mut scratch.select;
    columns.values.clear();
    columns.values.resize(graph.values.len(), NEW);
    columns.blocks.clear();
    columns.blocks.resize(graph.blocks.len(), u32::MAX);
    columns.slots.clear();
    columns.slots.resize(graph.insts.len(), u32::MAX);
    columns.is_pad.clear();
    columns.is_pad.resize(graph.blocks.len(), false);
    let mut selector = Selector {
        graph,
        out,
        columns,
        stamp: 0,
        lir_block: 0,
        depth: 0,
        failed: None,
        incoming: 0,
        outgoing: Vec::new(),
        incoming_slots: Vec::new(),
        callee: None,
    };
    selector.count_uses(&scratch.order.blocks);
    if let Some(limit) = selector.failed {
        return Err(limit);
    }
    locals::share(graph, &scratch.order.blocks, selector.columns, &mut scratch.lives, &mut selector.out.slots);
    selector.entry(scratch.order.entry_is_target());
    for (at, &block) in scratch.order.blocks.iter().enumerate() {
        selector.block(block, scratch.order.depth[block.index()], at == 0);
    }
    selector.finish()
}

impl Selector<'_> {
    /// Uses of each value; pads.
    fn count_uses(&mut self, blocks: &[ir::ssa::Block]) {
        let graph = self.graph;
        let (mut is_broken, mut has_other_count) = (false, false);
        for &block in blocks {
            for &inst in &graph.blocks[block].insts {
                let row = &graph.insts[inst];
                let mut count = |value: Value| {
                    if let Some(row) = self.columns.values.get_mut(value.index()) {
                        row.uses += 1;
                        row.block = block.raw();
                        row.user = inst.raw();
                    } else {
                        is_broken = true;
                    }
                };
                graph.args[row.args].iter().for_each(|&value| count(value));
                let edges = &graph.edges[inst];
                for target in &graph.targets[edges.targets] {
                    graph.args[target.args].iter().for_each(|&value| count(value));
                    has_other_count |= target.args.len() != graph.blocks[target.block].params.len();
                }
                if let Some(pad) = edges.unwind {
                    self.columns.is_pad[pad.index()] = true;
                    is_broken |= !graph.blocks[pad].params.is_empty();
                }
            }
        }
        if is_broken || has_other_count {
            self.failed = Some(Limit::Malformed);
        }
    }

    fn stack_arguments(&self, args: &[Value]) -> u32 {
        let mut walk = ArgWalk::default();
        for &arg in args {
            if let Some(row) = self.graph.values.get(arg) {
                walk.next(class_of(row.ty));
            }
        }
        walk.stack()
    }

    /// Parameters. When the entry is the target of an edge it gets a block before it, because its parameters then come from two sides.
    fn entry(&mut self, is_target: bool) {
        let graph = self.graph;
        let Some(entry) = graph.blocks.rows().first() else {
            self.failed = Some(Limit::Malformed);
            return;
        };
        self.start_block(0, List::EMPTY);
        let mut walk = ArgWalk::default();
        self.columns.regs.clear();
        for &param in &entry.params {
            let class = class_of(graph.ty(param));
            let reg = self.new_reg(class);
            match walk.next(class) {
                ArgPlace::Reg(_) => {
                    self.out.params.push(reg);
                    self.out.param_classes.push(class);
                }
                ArgPlace::Stack(index) => {
                    let slot = self.incoming_slot(index);
                    let op = if class == Class::Gp { Op::LoadSlot } else { Op::LoadSlotF };
                    self.push(op, [reg, NONE, NONE], 0, slot);
                }
            }
            if is_target {
                self.columns.regs.push(reg);
            } else {
                self.columns.values[param.index()].reg = reg;
            }
        }
        self.incoming = walk.stack();
        if is_target {
            let args = self.out.regs.add(self.columns.regs.iter().copied());
            let edge = self.edge_to(ir::ssa::ENTRY.raw(), args);
            self.push(Op::Jump, [NONE; 3], 0, edge);
        } else {
            self.columns.blocks[0] = 0;
        }
    }

    fn block(&mut self, block: ir::ssa::Block, depth: u16, is_first: bool) {
        let graph = self.graph;
        let row = &graph.blocks[block];
        self.depth = depth;
        self.lir_block = block.raw();
        if !is_first || self.columns.blocks[0] == u32::MAX {
            let mut regs = std::mem::take(&mut self.columns.regs);
            regs.clear();
            for &param in &row.params {
                let reg = self.new_reg(class_of(graph.ty(param)));
                self.columns.values[param.index()].reg = reg;
                regs.push(reg);
            }
            let params = self.out.regs.add(regs.iter().copied());
            self.columns.regs = regs;
            let number = self.start_block(depth, params);
            self.columns.blocks[block.index()] = number.raw();
            self.out.blocks[number].is_pad = self.columns.is_pad[block.index()];
        }
        for &inst in &row.insts {
            self.inst(inst);
        }
        if graph.terminator(block).is_none() {
            self.failed = Some(Limit::Malformed);
        }
    }

    fn finish(mut self) -> Result<Function<Select>, Limit> {
        self.end_block();
        if let Some(limit) = self.failed {
            return Err(limit);
        }
        let map = |to: Block, blocks: &[u32]| -> Block {
            if to.raw() & RESOLVED != 0 { Id::new((to.raw() & !RESOLVED) as usize) } else { Id::new(blocks[to.index()] as usize) }
        };
        for edge in &mut self.out.edges {
            edge.to = map(edge.to, &self.columns.blocks);
        }
        for pad in self.out.calls.iter_mut().map(|c| &mut c.pad).chain(self.out.stubs.iter_mut().map(|s| &mut s.pad)) {
            *pad = pad.map(|pad| map(pad, &self.columns.blocks));
        }
        Ok(self.out)
    }

    fn end_block(&mut self) {
        let end = self.out.records.len() as u32;
        if let Some(last) = self.out.blocks.rows_mut().last_mut() {
            last.end = end;
        }
    }

    /// Ends the block before and starts a new one.
    fn start_block(&mut self, depth: u16, params: List<Reg>) -> Block {
        self.end_block();
        self.stamp += 1;
        let start = self.out.records.len() as u32;
        self.out.blocks.push(BlockRow { start, end: start, params, depth, is_pad: false })
    }

    fn new_reg(&mut self, class: Class) -> Reg {
        if self.out.classes.len() >= MAX_VIRTUAL {
            self.failed = Some(Limit::Registers);
            return FIRST_VIRTUAL;
        }
        self.out.classes.push(class);
        FIRST_VIRTUAL + (self.out.classes.len() - 1) as Reg
    }

    fn push(&mut self, op: Op, regs: [Reg; 3], imm: i32, aux: u32) {
        self.out.records.push(Record { op, a: regs[0], b: regs[1], c: regs[2], imm, aux });
    }

    fn new_slot(&mut self, size: u32, kind: SlotKind) -> u32 {
        self.out.slots.push(SlotRow { size, kind, offset: 0 });
        self.out.slots.len() as u32 - 1
    }

    fn incoming_slot(&mut self, index: u32) -> u32 {
        while self.incoming_slots.len() <= index as usize {
            let next = self.incoming_slots.len() as u32;
            let slot = self.new_slot(8, SlotKind::Incoming(next));
            self.out.slots[slot as usize].offset = 16 + 8 * next as i32;
            self.incoming_slots.push(slot);
        }
        self.incoming_slots[index as usize]
    }

    fn outgoing_slot(&mut self, index: u32) -> u32 {
        while self.outgoing.len() <= index as usize {
            let next = self.outgoing.len() as u32;
            let slot = self.new_slot(8, SlotKind::Outgoing(next));
            self.outgoing.push(slot);
        }
        self.outgoing[index as usize]
    }

    /// An edge to a block of the graph.
    fn edge_to(&mut self, block: u32, args: List<Reg>) -> u32 {
        self.out.edges.push(Edge { to: Id::new(block as usize), args });
        self.out.edges.len() as u32 - 1
    }

    /// An edge to a block of the function.
    fn edge_inside(&mut self, block: u32, args: List<Reg>) -> u32 {
        self.edge_to(block | RESOLVED, args)
    }
}
