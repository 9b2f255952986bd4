//! The order of blocks: reverse postorder with loops contiguous, cold blocks last.
//!
//! Liveness and allocation walk blocks in this order and rely on two facts: an edge that goes backwards goes to the header of a loop, and the blocks
//! of a loop stand together behind its header. Every structured program has such an order; a graph without one (a loop with two entries) is refused.

use ir::ssa::{Block, ENTRY, Graph};
use lir::{Lir, Op};

use super::Limit;

const NONE: u32 = u32::MAX;

/// The order and what it was made from.
#[derive(Default, Debug)]
pub struct Plan {
    /// Blocks in order; unreachable ones are missing.
    pub blocks: Vec<Block>,
    /// Loop depth of each block of the graph.
    pub depth: Vec<u16>,
    position: Vec<u32>,
    postorder: Vec<u32>,
    succ_start: Vec<u32>,
    succs: Vec<u32>,
    pred_start: Vec<u32>,
    preds: Vec<u32>,
    is_open: Vec<bool>,
    stack: Vec<(u32, u32)>,
    /// Header of the innermost loop around a block; for a header, of the loop around its own.
    parent: Vec<u32>,
    is_header: Vec<bool>,
    is_cold: Vec<bool>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    work: Vec<u32>,
}

fn reset<T: Clone>(column: &mut Vec<T>, len: usize, value: T) {
    column.clear();
    column.resize(len, value);
}

impl Plan {
    /// Computes the order of a graph.
    pub fn compute(&mut self, graph: &Graph<Lir>) -> Result<(), Limit> {
        let count = graph.blocks.len();
        self.blocks.clear();
        if count == 0 {
            return Err(Limit::Malformed);
        }
        self.postorder(graph, count)?;
        self.predecessors(count);
        self.loops(count)?;
        self.cold(graph, count);
        self.lay_out(count);
        Ok(())
    }

    fn succs(&self, block: u32) -> &[u32] {
        &self.succs[self.succ_start[block as usize] as usize..self.succ_start[block as usize + 1] as usize]
    }

    fn postorder(&mut self, graph: &Graph<Lir>, count: usize) -> Result<(), Limit> {
        self.succ_start.clear();
        self.succs.clear();
        let mut is_broken = false;
        for block in graph.blocks.ids() {
            self.succ_start.push(self.succs.len() as u32);
            graph.each_successor(block, |to| {
                is_broken |= to.index() >= count;
                self.succs.push(to.raw());
            });
        }
        self.succ_start.push(self.succs.len() as u32);
        if is_broken {
            return Err(Limit::Malformed);
        }
        reset(&mut self.is_open, count, false);
        self.postorder.clear();
        self.stack.clear();
        let entry = ENTRY.raw();
        self.is_open[entry as usize] = true;
        self.stack.push((entry, self.succ_start[entry as usize + 1]));
        // Successors are visited from the last to the first, so the first comes first in reverse postorder.
        while let Some((block, next)) = self.stack.last_mut() {
            let block = *block;
            if *next == self.succ_start[block as usize] {
                self.postorder.push(block);
                self.stack.pop();
                continue;
            }
            *next -= 1;
            let to = self.succs[*next as usize];
            if !self.is_open[to as usize] {
                self.is_open[to as usize] = true;
                self.stack.push((to, self.succ_start[to as usize + 1]));
            }
        }
        reset(&mut self.position, count, NONE);
        for (at, &block) in self.postorder.iter().rev().enumerate() {
            self.position[block as usize] = at as u32;
        }
        Ok(())
    }

    fn predecessors(&mut self, count: usize) {
        reset(&mut self.pred_start, count + 2, 0);
        for &block in &self.postorder {
            for &to in &self.succs[self.succ_start[block as usize] as usize..self.succ_start[block as usize + 1] as usize] {
                self.pred_start[to as usize + 2] += 1;
            }
        }
        for i in 2..self.pred_start.len() {
            self.pred_start[i] += self.pred_start[i - 1];
        }
        reset(&mut self.preds, *self.pred_start.last().unwrap_or(&0) as usize, 0);
        for &block in &self.postorder {
            for &to in &self.succs[self.succ_start[block as usize] as usize..self.succ_start[block as usize + 1] as usize] {
                let at = &mut self.pred_start[to as usize + 1];
                self.preds[*at as usize] = block;
                *at += 1;
            }
        }
    }

    /// Loop membership, innermost loops first: walk backwards from the latches; a loop that is known already counts as one node, its header.
    fn loops(&mut self, count: usize) -> Result<(), Limit> {
        reset(&mut self.parent, count, NONE);
        reset(&mut self.is_header, count, false);
        for at in 0..self.postorder.len() {
            let header = self.postorder[at];
            let start = self.position[header as usize];
            self.work.clear();
            for i in self.pred_start[header as usize]..self.pred_start[header as usize + 1] {
                let pred = self.preds[i as usize];
                if self.position[pred as usize] >= start {
                    self.is_header[header as usize] = true;
                    self.work.push(pred);
                }
            }
            while let Some(mut block) = self.work.pop() {
                while self.parent[block as usize] != NONE {
                    block = self.parent[block as usize];
                }
                if block == header {
                    continue;
                }
                if self.position[block as usize] < start {
                    return Err(Limit::Irreducible);
                }
                self.parent[block as usize] = header;
                for i in self.pred_start[block as usize]..self.pred_start[block as usize + 1] {
                    self.work.push(self.preds[i as usize]);
                }
            }
        }
        reset(&mut self.depth, count, 0);
        for &block in self.postorder.iter().rev() {
            let outer = match self.parent[block as usize] {
                NONE => 0,
                header => self.depth[header as usize],
            };
            self.depth[block as usize] = outer + u16::from(self.is_header[block as usize]);
        }
        Ok(())
    }

    /// Blocks from which every path ends in a panic, a trap or further unwinding.
    fn cold(&mut self, graph: &Graph<Lir>, count: usize) {
        reset(&mut self.is_cold, count, false);
        for &block in &self.postorder {
            let ends_badly = match graph.terminator(ir::Id::new(block as usize)) {
                Some(inst) => match graph.op(inst) {
                    Op::Panic | Op::Unreachable | Op::Resume => true,
                    Op::Return | Op::Tail => false,
                    _ => graph.targets(inst).iter().all(|t| self.is_cold[t.block.index()]),
                },
                None => true,
            };
            // A pad of a cold block stands behind it only if it is cold too.
            self.is_cold[block as usize] = ends_badly && self.succs(block).iter().all(|&to| self.is_cold[to as usize]);
        }
    }

    /// Preorder over the tree of loops, children in reverse postorder.
    fn lay_out(&mut self, count: usize) {
        reset(&mut self.first_child, count, NONE);
        reset(&mut self.next_sibling, count, NONE);
        let mut first_root = NONE;
        for &block in &self.postorder {
            let list = match self.parent[block as usize] {
                NONE => &mut first_root,
                header => &mut self.first_child[header as usize],
            };
            self.next_sibling[block as usize] = *list;
            *list = block;
        }
        for cold in [false, true] {
            self.work.clear();
            if first_root != NONE {
                self.work.push(first_root);
            }
            while let Some(block) = self.work.pop() {
                if self.is_cold[block as usize] == cold {
                    self.blocks.push(ir::Id::new(block as usize));
                }
                for next in [self.next_sibling[block as usize], self.first_child[block as usize]] {
                    if next != NONE {
                        self.work.push(next);
                    }
                }
            }
        }
    }

    /// Has the entry a predecessor?
    pub fn entry_is_target(&self) -> bool {
        self.pred_start[1] > self.pred_start[0]
    }
}
