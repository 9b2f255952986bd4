//! Orders over the blocks of a graph.

use super::{Block, ENTRY, Graph, Level};
use crate::Id;

/// Reachable blocks in reverse postorder, with their positions and successors.
///
/// Depth-first over successors in reverse, so that of two targets the first comes first in the order. Whoever asks often keeps an order and
/// has it filled again: the lists keep their memory.
#[derive(Clone, Default, Debug)]
pub struct Order {
    /// Reachable blocks; the entry is first.
    pub blocks: Vec<Block>,
    /// Position of each block in `blocks`; `u32::MAX` when unreachable.
    pub position: Vec<u32>,
    /// Successors of node `n` are `succs[succ_start[n]..succ_start[n + 1]]`.
    pub(in crate::ssa) succ_start: Vec<u32>,
    pub(in crate::ssa) succs: Vec<Block>,
    /// Reachable blocks as the depth-first walk met them, the number of each block therein, and the number of the block before each
    /// on the walk's path: what the dominator tree is built from.
    pub(super) preorder: Vec<Block>,
    pub(super) number: Vec<u32>,
    pub(super) parent: Vec<u32>,
    /// The open blocks of the walk, each with the end of its successors that are still to be looked at.
    stack: Vec<(Block, u32)>,
}

impl Order {
    /// Computes the order. `O(blocks + edges)`, no recursion.
    pub fn of<L: Level>(graph: &Graph<L>) -> Order {
        let mut order = Order::default();
        order.fill(graph);
        order
    }

    /// Makes this the order of a graph.
    pub fn fill<L: Level>(&mut self, graph: &Graph<L>) {
        let count = graph.blocks.len() as u32;
        self.clear_successors();
        self.succ_start.reserve(count as usize + 1);
        self.succs.reserve(count as usize * 2);
        let edges = graph.edges.rows();
        for row in graph.blocks.rows() {
            self.succ_start.push(self.succs.len() as u32);
            // As `Graph::each_successor` has it.
            let mut last_unwind = u32::MAX;
            for &inst in &row.insts {
                let edges = &edges[inst.index()];
                if let Some(pad) = edges.unwind
                    && pad.raw() != last_unwind
                {
                    last_unwind = pad.raw();
                    if last_unwind < count {
                        self.succs.push(pad);
                    }
                }
                if !edges.targets.is_empty() {
                    self.succs.extend(graph.targets[edges.targets].iter().map(|t| t.block).filter(|b| b.raw() < count));
                }
            }
        }
        self.succ_start.push(self.succs.len() as u32);
        self.walk();
    }

    /// The order of any graph of nodes: the successors of node `n` are `succs[start[n]..start[n + 1]]`, all of them nodes.
    #[cfg(test)]
    pub(super) fn of_successors(succ_start: Vec<u32>, succs: Vec<Block>) -> Order {
        let mut order = Order { succ_start, succs, ..Order::default() };
        order.walk();
        order
    }

    /// Empties the lists of successors, for [`Order::walk`] on others.
    pub(in crate::ssa) fn clear_successors(&mut self) {
        self.succ_start.clear();
        self.succs.clear();
    }

    /// Orders the nodes whose successors have been noted; all of them must be nodes.
    pub(in crate::ssa) fn walk(&mut self) {
        let Order { blocks, position, succ_start, succs, preorder, number, parent, stack } = self;
        let count = succ_start.len().saturating_sub(1);
        for list in [&mut *blocks, &mut *preorder] {
            list.clear();
            list.reserve(count);
        }
        parent.clear();
        parent.reserve(count);
        stack.clear();
        number.clear();
        number.resize(count, u32::MAX);
        if count > 0 {
            stack.push((ENTRY, succ_start[1]));
            number[0] = 0;
            preorder.push(ENTRY);
            parent.push(0);
        }
        while let Some((block, next)) = stack.last_mut() {
            if *next > succ_start[block.index()] {
                *next -= 1;
                let succ = succs[*next as usize];
                let slot = &mut number[succ.index()];
                if *slot == u32::MAX {
                    *slot = preorder.len() as u32;
                    let above = number[block.index()];
                    preorder.push(succ);
                    parent.push(above);
                    stack.push((succ, succ_start[succ.index() + 1]));
                }
            } else {
                blocks.push(*block);
                stack.pop();
            }
        }
        blocks.reverse();
        position.clear();
        position.resize(count, u32::MAX);
        for (i, block) in blocks.iter().enumerate() {
            position[block.index()] = i as u32;
        }
    }

    /// Does this number the blocks as they are numbered, all of them?
    pub fn is_identity(&self) -> bool {
        self.blocks.len() == self.position.len() && self.blocks.iter().enumerate().all(|(at, block)| block.index() == at)
    }

    /// Successors of a block, one entry per edge.
    pub fn succs(&self, block: Block) -> &[Block] {
        &self.succs[self.succ_start[block.index()] as usize..self.succ_start[block.index() + 1] as usize]
    }

    /// Is the block reachable from the entry?
    pub fn is_reachable(&self, block: Block) -> bool {
        self.position.get(block.index()).is_some_and(|&p| p != u32::MAX)
    }

    /// Is the edge a back edge of this order (it goes to a block that is not later)?
    pub fn is_back_edge(&self, from: Block, to: Block) -> bool {
        self.position[to.index()] <= self.position[from.index()]
    }
}

/// The block with this number.
pub fn block(number: usize) -> Block {
    Id::new(number)
}
