//! Where a register that was written can be read: the flow of a selected function.
//!
//! Allocation is one forward pass, so blocks stand in an order that it can rely on: every block is reached, an edge goes forwards or back to the header
//! of a loop around it, never to the entry, and the blocks between a header and the last edge back to it are all dominated by the header. In such an order dominators are
//! found in one walk: all edges into a block but those of its own loop come from blocks before it.
//!
//! An unwinding call leaves its block in the middle, and what the block defines afterwards is not there in the landing pad. Where pads read anything, a
//! block is therefore several nodes, cut behind each record that unwinds. Mostly pads only resume; then a block is one node, and pads count for nothing.

use ir::Where;

use super::{Judge, Rule};
use crate::ir::{BlockRow, Phase};
use crate::ops::{AuxKind, Op};

const NONE: u32 = u32::MAX;

/// A node of the tree of dominators.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    /// An ancestor far above, by which ancestors are found in logarithmic time.
    jump: u32,
    depth: u32,
    /// Numbers of its subtree in preorder: from here, up to there.
    first: u32,
    end: u32,
}

/// The nodes of a function.
#[derive(Default, Debug)]
pub(super) struct Flow {
    nodes: Vec<Node>,
    /// First node of each block.
    starts: Vec<u32>,
    /// The dominator of what was seen of the edges into each block.
    entered: Vec<u32>,
    /// Last block with an edge back to each block; [`NONE`] for one that heads no loop.
    loop_ends: Vec<u32>,
    loops: Vec<u32>,
    /// Blocks are cut at records that unwind.
    pub(super) is_cut: bool,
}

impl Flow {
    /// The first node of a block.
    pub(super) fn start(&self, block: u32) -> u32 {
        self.starts.get(block as usize).copied().unwrap_or(0)
    }

    /// Does every path to `node` lead through all of `other`? So it does for the same one.
    #[inline]
    pub(super) fn is_dominated(&self, node: u32, by: u32) -> bool {
        match (self.nodes.get(node as usize), self.nodes.get(by as usize)) {
            (Some(node), Some(by)) => by.first <= node.first && node.first < by.end,
            (Some(_) | None, _) => false,
        }
    }

    fn push(&mut self, parent: u32) -> u32 {
        let id = self.nodes.len() as u32;
        let node = match self.nodes.get(parent as usize) {
            None => Node { parent: id, jump: id, depth: 0, first: 0, end: 1 },
            Some(above) => {
                let over = self.nodes[above.jump as usize];
                let is_even = above.depth - over.depth == over.depth - self.nodes[over.jump as usize].depth;
                Node { parent, jump: if is_even { over.jump } else { parent }, depth: above.depth + 1, first: 0, end: 1 }
            }
        };
        self.nodes.push(node);
        id
    }

    /// The ancestor at a depth.
    fn above(&self, mut at: u32, depth: u32) -> u32 {
        while self.nodes[at as usize].depth > depth {
            let node = &self.nodes[at as usize];
            at = if self.nodes[node.jump as usize].depth >= depth { node.jump } else { node.parent };
        }
        at
    }

    /// The lowest node above both.
    fn common(&self, a: u32, b: u32) -> u32 {
        let depth = self.nodes[a as usize].depth.min(self.nodes[b as usize].depth);
        let (mut a, mut b) = (self.above(a, depth), self.above(b, depth));
        while a != b {
            let (left, right) = (&self.nodes[a as usize], &self.nodes[b as usize]);
            (a, b) = if left.jump == right.jump { (left.parent, right.parent) } else { (left.jump, right.jump) };
        }
        a
    }

    /// An edge from a node to a block behind it.
    fn enter(&mut self, block: usize, from: u32) {
        let before = self.entered[block];
        self.entered[block] = if before == NONE || before == from { from } else { self.common(before, from) };
    }

    /// Preorder numbers; parents come before their children.
    fn number(&mut self) {
        for at in (1..self.nodes.len()).rev() {
            let node = self.nodes[at];
            self.nodes[node.parent as usize].end += node.end;
        }
        // So far `end` is the size of the subtree. While numbers are given, `jump` is the next one of a subtree.
        for at in 0..self.nodes.len() {
            let node = self.nodes[at];
            let first = if at == 0 { 0 } else { std::mem::replace(&mut self.nodes[node.parent as usize].jump, 0) };
            if at > 0 {
                self.nodes[node.parent as usize].jump = first + node.end;
            }
            let node = &mut self.nodes[at];
            (node.first, node.end, node.jump) = (first, first + node.end, first + 1);
        }
    }
}

impl<P: Phase> Judge<'_, P> {
    /// Nodes and dominators; the order of blocks.
    pub(super) fn flow(&mut self) {
        let function = self.function;
        let count = function.blocks.len();
        let mut flow = std::mem::take(&mut self.memory.flow);
        flow.nodes.clear();
        flow.starts.clear();
        flow.entered.clear();
        flow.entered.resize(count, NONE);
        flow.loop_ends.clear();
        flow.loop_ends.resize(count, NONE);
        let only_resumes = |start: u32| function.records.get(start as usize).is_some_and(|record| record.op == Op::Resume);
        let does_more = |block: &BlockRow| block.is_pad && (block.end - block.start > 1 || !only_resumes(block.start));
        flow.is_cut = function.blocks.rows().iter().any(does_more);
        let mut dangles = false;
        for (id, block) in function.blocks.iter() {
            let number = id.raw();
            let is_entered = number == 0 || flow.entered[id.index()] != NONE;
            let mut node = flow.push(match flow.entered[id.index()] {
                // A pad that nothing is asked of hangs below the entry.
                NONE if number > 0 => 0,
                parent => parent,
            });
            flow.starts.push(node);
            if !is_entered && (flow.is_cut || !block.is_pad) {
                if !dangles {
                    self.fault(Rule::Unreached, Where::Block(number), [0; 2]);
                }
                continue;
            }
            let records = &function.records[block.start as usize..block.end as usize];
            if flow.is_cut {
                for record in records {
                    let pad = match record.op.info().aux {
                        AuxKind::Stub => function.stubs.get(record.aux as usize).and_then(|row| row.pad),
                        AuxKind::Call => function.calls.get(record.aux as usize).and_then(|row| row.pad),
                        _ => None,
                    };
                    let Some(pad) = pad else { continue };
                    if pad.raw() <= number {
                        self.fault(Rule::BlockOrder, Where::Block(number), [i64::from(pad.raw()), 0]);
                    } else if pad.index() < count {
                        flow.enter(pad.index(), node);
                    }
                    node = flow.push(node);
                }
            }
            for record in &records[records.len().saturating_sub(2)..] {
                if !matches!(record.op, Op::Jump | Op::JumpIf) {
                    continue;
                }
                let Some(to) = function.edges.get(record.aux as usize).map(|edge| edge.to).filter(|to| to.index() < count) else {
                    dangles = true;
                    continue;
                };
                if to.raw() > number {
                    flow.enter(to.index(), node);
                    continue;
                }
                let header = flow.starts[to.index()];
                // The parameters of the function come to the entry, and they come once.
                if to.raw() != 0 && flow.above(node, flow.nodes[header as usize].depth) == header {
                    flow.loop_ends[to.index()] = number;
                } else {
                    self.fault(Rule::BlockOrder, Where::Block(number), [i64::from(to.raw()), 0]);
                }
            }
        }
        flow.number();
        self.nests(&mut flow);
        self.memory.flow = flow;
    }

    /// The blocks of a loop are all below its header. A loop ends behind those in it, though the last edge back may come from before their ends.
    fn nests(&mut self, flow: &mut Flow) {
        let mut loops = std::mem::take(&mut flow.loops);
        loops.clear();
        for block in 0..flow.starts.len() as u32 {
            while loops.last().is_some_and(|&header| flow.loop_ends[header as usize] < block) {
                loops.pop();
            }
            if let Some(&header) = loops.last()
                && !flow.is_dominated(flow.starts[block as usize], flow.starts[header as usize])
            {
                self.fault(Rule::BlockOrder, Where::Block(block), [i64::from(header), 0]);
            }
            if flow.loop_ends[block as usize] != NONE {
                loops.push(block);
            }
        }
        flow.loops = loops;
    }
}
