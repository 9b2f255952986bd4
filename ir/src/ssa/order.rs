//! Orders over the blocks of a graph.

use super::{Block, ENTRY, Graph, Level};
use crate::Id;

/// Reachable blocks in reverse postorder, with their positions and successors.
///
/// Depth-first over successors in reverse, so that of two targets the first comes first in the order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Reachable blocks; the entry is first.
    pub blocks: Vec<Block>,
    /// Position of each block in `blocks`; `u32::MAX` when unreachable.
    pub position: Vec<u32>,
    succ_start: Vec<u32>,
    succs: Vec<Block>,
    /// Reachable blocks as the depth-first walk met them, the number of each block therein, and the number of the block before each
    /// on the walk's path: what the dominator tree is built from.
    pub(super) preorder: Vec<Block>,
    pub(super) number: Vec<u32>,
    pub(super) parent: Vec<u32>,
}

impl Order {
    /// Computes the order. `O(blocks + edges)`, no recursion.
    pub fn of<L: Level>(graph: &Graph<L>) -> Order {
        let count = graph.blocks.len();
        // Successor lists once, flat.
        let mut succ_start = Vec::with_capacity(count + 1);
        let mut succs: Vec<Block> = Vec::with_capacity(count * 2);
        for block in graph.blocks.ids() {
            succ_start.push(succs.len() as u32);
            graph.each_successor(block, |s| {
                if s.index() < count {
                    succs.push(s);
                }
            });
        }
        succ_start.push(succs.len() as u32);
        Self::of_successors(succ_start, succs)
    }

    /// The order of any graph of nodes: the successors of node `n` are `succs[start[n]..start[n + 1]]`, all of them nodes.
    pub fn of_successors(succ_start: Vec<u32>, succs: Vec<Block>) -> Order {
        let count = succ_start.len() - 1;
        let mut blocks = Vec::with_capacity(count);
        let mut preorder = Vec::with_capacity(count);
        let mut parent = Vec::with_capacity(count);
        let mut number = vec![u32::MAX; count];
        // The open blocks, each with the end of its successors that are still to be looked at.
        let mut stack: Vec<(Block, u32)> = Vec::with_capacity(count);
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
        let mut position = vec![u32::MAX; count];
        for (i, block) in blocks.iter().enumerate() {
            position[block.index()] = i as u32;
        }
        Order { blocks, position, succ_start, succs, preorder, number, parent }
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
