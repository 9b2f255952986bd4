//! Values that were computed already: one walk down the dominator tree with a scoped table.
//!
//! Pure ops are numbered, and ops that may panic too: if an equal one has run on every path here, it did not panic, so neither would this.
//! Runtime calls that depend on their operands only count as pure. The panic side of a body is left out, because a block's later values may be
//! missing there.

use abi::{RuntimeCall, RuntimeEffect};
use ir::Fuel;
use ir::ops::Effect;
use ir::ssa::{ENTRY, Graph, Inst};

use super::edges::Step;
use super::flow::Flow;
use super::fold::commutes;
use super::rename::Renames;
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

/// A scoped hash table: buckets of chains, and entries that leave in the order in which they came.
struct Table {
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

impl Table {
    fn forget(&mut self, mark: usize) {
        while self.entries.len() > mark {
            let Some(entry) = self.entries.pop() else { return };
            let bucket = entry.hash as usize & (self.buckets.len() - 1);
            self.buckets[bucket] = entry.next;
        }
    }
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel) {
    if graph.blocks.get(ENTRY).is_none() {
        return;
    }
    let tree = flow.tree(graph);
    let size = graph.size().next_power_of_two().max(16);
    let mut table = Table { buckets: vec![NONE; size], entries: Vec::new() };
    let mut renames = Renames::new(graph);
    let mut marks = Vec::new();
    tree.walk(|step| match step {
        Step::Leave => {
            if let Some(mark) = marks.pop() {
                table.forget(mark);
            }
        }
        Step::Enter(block) => {
            marks.push(table.entries.len());
            let mut insts = std::mem::take(&mut graph.blocks[block].insts);
            insts.retain(|&inst| {
                renames.operands(graph, inst);
                if !is_numbered(graph, inst) {
                    return true;
                }
                let hash = hash(graph, inst);
                let bucket = hash as usize & (table.buckets.len() - 1);
                let mut at = table.buckets[bucket];
                while at != NONE {
                    let entry = &table.entries[at as usize];
                    if entry.hash == hash && is_same(graph, entry.inst, inst) {
                        if !fuel.spend() {
                            return true;
                        }
                        renames.set(graph.result(inst), graph.result(entry.inst));
                        if graph.edges[inst].unwind.is_some() {
                            flow.changed();
                        }
                        return false;
                    }
                    at = entry.next;
                }
                table.entries.push(Entry { hash, inst, next: table.buckets[bucket] });
                table.buckets[bucket] = table.entries.len() as u32 - 1;
                true
            });
            graph.blocks[block].insts = insts;
        }
    });
    renames.apply(graph);
}

fn is_numbered(graph: &Graph<Mir>, inst: Inst) -> bool {
    let row = &graph.insts[inst];
    if row.results != 1 {
        return false;
    }
    match row.op {
        Op::Call => false,
        Op::Runtime => RuntimeCall::from_number(row.imm).is_some_and(|call| call.effect() == RuntimeEffect::Pure),
        op => match op.info().effect {
            Effect::Pure | Effect::Panics => true,
            Effect::Reads | Effect::Writes | Effect::Ends => false,
        },
    }
}

/// The two operands of an op whose order does not matter, in id order.
fn hash(graph: &Graph<Mir>, inst: Inst) -> u32 {
    let row = &graph.insts[inst];
    let mut state = row.op as u64;
    let mut mix = |word: u64| state = (state.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // Literals have nothing but their immediate: it must reach the upper half too.
    mix(row.imm);
    match graph.args(inst) {
        &[a, b] if commutes(row.op) => {
            mix(u64::from(a.min(b).raw()));
            mix(u64::from(a.max(b).raw()));
        }
        args => args.iter().for_each(|arg| mix(u64::from(arg.raw()))),
    }
    (state >> 32) as u32
}

fn is_same(graph: &Graph<Mir>, a: Inst, b: Inst) -> bool {
    let (x, y) = (&graph.insts[a], &graph.insts[b]);
    if x.op != y.op || x.imm != y.imm || graph.ty(x.first_result) != graph.ty(y.first_result) {
        return false;
    }
    let (x, y) = (graph.args(a), graph.args(b));
    x == y || (x.len() == 2 && commutes(graph.op(a)) && x[0] == y[1] && x[1] == y[0])
}
