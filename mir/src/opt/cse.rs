//! Values that were computed already: one walk down the dominator tree with a scoped table.
//!
//! Pure ops are numbered, and ops that may panic too: if an equal one has run on every path here, it did not panic, so neither would this.
//! Runtime calls that depend on their operands only count as pure. The panic side of a body is left out, because a block's later values may be
//! missing there.

use abi::{RuntimeCall, RuntimeEffect};
use ir::Fuel;
use ir::ops::Effect;
use ir::ssa::{ENTRY, Graph, Inst, InstRow, Value};

use super::Desk;
use super::edges::Step;
use super::fold::commutes;
use crate::Op;
use crate::ir::Mir;

const NONE: u32 = u32::MAX;

/// An available value.
struct Entry {
    hash: u32,
    inst: Inst,
    /// The entry below it in its bucket.
    next: u32,
}

/// A scoped hash table: buckets of chains, and entries that leave in the order in which they came. When all have left, every bucket is empty
/// again, and the next body may have it.
#[derive(Default)]
pub(super) struct Table {
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    /// How many entries stood in the table when each open block was entered.
    marks: Vec<usize>,
}

impl Table {
    fn reserve(&mut self, size: usize) {
        let size = size.next_power_of_two().max(16);
        if self.buckets.len() < size {
            self.buckets.resize(size, NONE);
        }
    }

    fn leave(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        while self.entries.len() > mark {
            let Some(entry) = self.entries.pop() else { return };
            let bucket = entry.hash as usize & (self.buckets.len() - 1);
            self.buckets[bucket] = entry.next;
        }
    }

    /// An instruction that computes the same and is available; else `inst` is, from now on.
    #[inline]
    fn find(&mut self, graph: &Graph<Mir>, inst: Inst, row: &InstRow<Op>, args: &[Value]) -> Option<Inst> {
        let hash = hash(row, args);
        let bucket = hash as usize & (self.buckets.len() - 1);
        let mut at = self.buckets[bucket];
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.hash == hash && is_same(graph, entry.inst, inst) {
                return Some(entry.inst);
            }
            at = entry.next;
        }
        self.entries.push(Entry { hash, inst, next: self.buckets[bucket] });
        self.buckets[bucket] = self.entries.len() as u32 - 1;
        None
    }
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    if graph.blocks.get(ENTRY).is_none() {
        return;
    }
    let Desk { flow, renames, table, .. } = desk;
    let (order, tree) = (flow.order(graph), flow.tree(graph));
    table.reserve(graph.size());
    renames.clear();
    tree.walk(|step| match step {
        Step::Leave => table.leave(),
        Step::Enter(block) => {
            table.marks.push(table.entries.len());
            let mut insts = std::mem::take(&mut graph.blocks[block].insts);
            let mut write = 0;
            for read in 0..insts.len() {
                let inst = insts[read];
                renames.operands(graph, inst);
                let row = &graph.insts[inst];
                if is_numbered(row)
                    && let Some(same) = table.find(graph, inst, row, &graph.args[row.args])
                    && fuel.spend()
                {
                    renames.set(row.first_result, graph.result(same));
                    if let Some(pad) = graph.edges[inst].unwind {
                        flow.unwind_gone(pad);
                    }
                    continue;
                }
                insts[write] = inst;
                write += 1;
            }
            insts.truncate(write);
            graph.blocks[block].insts = insts;
        }
    });
    // The walk has seen the operands of the blocks of the tree; the panic side is left, and what flows along edges.
    for &block in order.blocks.iter().filter(|&&block| tree.is_cold(block)) {
        for at in 0..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            renames.operands(graph, inst);
        }
    }
    renames.target_args(graph, &order.blocks);
}

/// Does the op make the same of the same operands?
#[inline]
pub(super) fn is_numbered(row: &InstRow<Op>) -> bool {
    if row.results != 1 {
        return false;
    }
    match row.op {
        Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod => false,
        // Two equal lists that somebody is about to change must be two: one would have to be copied.
        Op::List | Op::ListPush | Op::ListSet | Op::ListReserve | Op::ListOwn | Op::TableDouble => false,
        Op::Runtime => RuntimeCall::from_number(row.imm).is_some_and(|call| call.effect() == RuntimeEffect::Pure),
        op => match op.info().effect {
            Effect::Pure | Effect::Panics => true,
            Effect::Reads | Effect::Writes | Effect::Ends => false,
        },
    }
}

/// The operands of an op whose order does not matter count in id order.
#[inline]
fn hash(row: &InstRow<Op>, args: &[Value]) -> u32 {
    let mut state = row.op as u64;
    let mut mix = |word: u64| state = (state.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // Literals have nothing but their immediate: it must reach the upper half too.
    mix(if is_planted(row.op) { 0 } else { row.imm });
    match args {
        &[a, b] if commutes(row.op) => {
            mix(u64::from(a.min(b).raw()));
            mix(u64::from(a.max(b).raw()));
        }
        args => args.iter().for_each(|arg| mix(u64::from(arg.raw()))),
    }
    (state >> 32) as u32
}

/// The bug of `make planted`: any two fields of a type are one.
const fn is_planted(op: Op) -> bool {
    cfg!(feature = "plant-wrong-sharing") && matches!(op, Op::Field)
}

fn is_same(graph: &Graph<Mir>, a: Inst, b: Inst) -> bool {
    let (x, y) = (&graph.insts[a], &graph.insts[b]);
    if x.op != y.op || x.imm != y.imm && !is_planted(x.op) || graph.ty(x.first_result) != graph.ty(y.first_result) {
        return false;
    }
    let (x, y) = (graph.args(a), graph.args(b));
    x == y || (x.len() == 2 && commutes(graph.op(a)) && x[0] == y[1] && x[1] == y[0])
}
