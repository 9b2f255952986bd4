//! Immediate dominators, after Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).

use super::order::Order;
use super::{Block, ENTRY};

/// The dominator tree of the reachable blocks.
#[derive(Clone, Debug)]
pub struct Dominators {
    /// Immediate dominator of each block; the entry's is itself; unreachable blocks have the entry.
    idom: Vec<Block>,
    position: Vec<u32>,
    /// Entry and exit of each block in a walk of the tree: `a` dominates `b` when the span of `a` holds that of `b`.
    span: Vec<(u32, u32)>,
}

impl Dominators {
    /// Computes the tree. Linear in practice.
    pub fn of(order: &Order) -> Dominators {
        let count = order.position.len();
        const NONE: u32 = u32::MAX;
        let position = &order.position;
        // Indexed by position for a dense walk.
        let mut by_position = vec![NONE; order.blocks.len()];
        if !by_position.is_empty() {
            by_position[0] = 0;
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (at, &block) in order.blocks.iter().enumerate().skip(1) {
                let mut new = NONE;
                for pred in order.preds(block) {
                    let mut a = position[pred.index()];
                    if by_position[a as usize] == NONE {
                        continue;
                    }
                    if new == NONE {
                        new = a;
                        continue;
                    }
                    let mut b = new;
                    while a != b {
                        while a > b {
                            a = by_position[a as usize];
                        }
                        while b > a {
                            b = by_position[b as usize];
                        }
                    }
                    new = a;
                }
                if by_position[at] != new {
                    by_position[at] = new;
                    changed = true;
                }
            }
        }
        let mut idom = vec![ENTRY; count];
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); order.blocks.len()];
        for (at, &block) in order.blocks.iter().enumerate().skip(1) {
            let parent = by_position[at];
            idom[block.index()] = order.blocks[parent as usize];
            children[parent as usize].push(at as u32);
        }
        let mut span = vec![(u32::MAX, 0); count];
        let mut clock = 0;
        let mut stack: Vec<(u32, usize)> = Vec::new();
        if !order.blocks.is_empty() {
            span[ENTRY.index()].0 = 0;
            clock = 1;
            stack.push((0, 0));
        }
        while let Some((at, next)) = stack.last_mut() {
            if let Some(&child) = children[*at as usize].get(*next) {
                *next += 1;
                span[order.blocks[child as usize].index()].0 = clock;
                clock += 1;
                stack.push((child, 0));
            } else {
                span[order.blocks[*at as usize].index()].1 = clock;
                stack.pop();
            }
        }
        Dominators { idom, position: position.clone(), span }
    }

    /// The immediate dominator of a block; the entry is its own.
    pub fn idom(&self, block: Block) -> Block {
        self.idom[block.index()]
    }

    /// Does `a` dominate `b`? Every block dominates itself; an unreachable block is dominated by all.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        if self.position[b.index()] == u32::MAX {
            return true;
        }
        if self.position[a.index()] == u32::MAX {
            return a == b;
        }
        let (a, b) = (self.span[a.index()], self.span[b.index()]);
        a.0 <= b.0 && b.1 <= a.1
    }
}
