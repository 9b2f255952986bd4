//! Which blocks lie on every path to others. Asked by the rules about what has happened before, and computed only then.

use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph};

use crate::ir::Lir;

/// Which blocks the entry reaches without unwinding.
pub(super) fn without_panic(graph: &Graph<Lir>) -> Vec<bool> {
    let mut reached = vec![false; graph.blocks.len()];
    let mut open = Vec::with_capacity(graph.blocks.len());
    open.push(ENTRY);
    while let Some(block) = open.pop() {
        if let Some(seen) = reached.get_mut(block.index())
            && !std::mem::replace(seen, true)
            && let Some(last) = graph.terminator(block)
        {
            open.extend(graph.targets(last).iter().map(|target| target.block));
        }
    }
    reached
}

/// Paths through a body.
pub(super) struct Flow {
    pub(super) order: Order,
    dominators: Dominators,
    /// Blocks that are reached by unwinding.
    unwinding: Vec<bool>,
}

impl Flow {
    pub(super) fn of(graph: &Graph<Lir>) -> Flow {
        let order = Order::of(graph);
        let dominators = Dominators::of(&order);
        let mut unwinding = vec![false; graph.blocks.len()];
        let mut open: Vec<Block> = Vec::new();
        for row in graph.blocks.rows() {
            open.extend(row.insts.iter().filter_map(|&inst| graph.edges[inst].unwind));
        }
        while let Some(block) = open.pop() {
            let Some(seen) = unwinding.get_mut(block.index()) else { continue };
            if !std::mem::replace(seen, true) {
                graph.each_successor(block, |next| open.push(next));
            }
        }
        Flow { order, dominators, unwinding }
    }

    /// Is the end of one block on every path to another one?
    pub(super) fn end_reaches(&self, graph: &Graph<Lir>, from: Block, to: Block) -> bool {
        from != to
            && self.order.is_reachable(from)
            && self.order.is_reachable(to)
            && self.dominators.dominates(from, to)
            && !(self.unwinding[to.index()] && leads_past(graph, from, usize::MAX, to))
    }

    /// Has instruction `index` of one block been completed on every path to another one? Every path is none where nothing comes.
    pub(super) fn inst_reaches(&self, graph: &Graph<Lir>, (from, index): (Block, u32), to: Block) -> bool {
        if from == to || !self.order.is_reachable(to) {
            return from != to;
        }
        // A block can be left by unwinding before the instruction is done; that leads to blocks that are reached by unwinding, and to no others.
        self.order.is_reachable(from)
            && self.dominators.dominates(from, to)
            && !(self.unwinding[to.index()] && leads_past(graph, from, index as usize + 1, to))
    }
}

/// Does unwinding out of the first `count` instructions of a block lead to another block without coming by the block again?
fn leads_past(graph: &Graph<Lir>, from: Block, count: usize, to: Block) -> bool {
    let mut open: Vec<Block> = graph.blocks[from].insts.iter().take(count).filter_map(|&inst| graph.edges[inst].unwind).collect();
    let mut seen = vec![false; graph.blocks.len()];
    while let Some(block) = open.pop() {
        if block == to {
            return true;
        }
        if let Some(seen) = seen.get_mut(block.index())
            && block != from
            && !std::mem::replace(seen, true)
        {
            graph.each_successor(block, |next| open.push(next));
        }
    }
    false
}
