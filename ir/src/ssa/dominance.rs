//! Immediate dominators, after Lengauer and Tarjan, "A Fast Algorithm for Finding Dominators in a Flowgraph" (1979), with path
//! compression.
//!
//! The simpler algorithm that walks up from each predecessor is quadratic here: one unwind block may have an edge from every block of a
//! deep function.

use super::order::Order;
use super::{Block, ENTRY};

/// The dominator tree of the reachable blocks. Whoever asks often keeps a tree and has it filled again: the lists keep their memory.
#[derive(Clone, Default, Debug)]
pub struct Dominators {
    /// Immediate dominator of each block; the entry's is itself; unreachable blocks have the entry.
    idom: Vec<Block>,
    /// Interval of each block in a walk of the tree: `a` dominates `b` when the start of `b` lies in the interval of `a`. Unreachable
    /// blocks have an empty one.
    span: Vec<(u32, u32)>,
    rows: Vec<Row>,
    preds: Preds,
    /// The path that is being shortened.
    path: Vec<u32>,
    /// Number of blocks below each, itself included.
    size: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// What the algorithm knows of a block, by number in depth-first preorder.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The smallest number from which a path of larger numbers leads here.
    semi: u32,
    /// The block of least `semi` on the compressed path above.
    label: u32,
    /// The forest built so far.
    ancestor: u32,
    /// First block whose semidominator this is, and the next one after this in the list of its own.
    bucket: u32,
    next: u32,
    idom: u32,
}

/// Predecessors of each reachable block, by number.
#[derive(Clone, Default, Debug)]
struct Preds {
    start: Vec<u32>,
    preds: Vec<u32>,
}

impl Preds {
    fn fill(&mut self, order: &Order) {
        let Preds { start, preds } = self;
        let number = &order.number;
        start.clear();
        start.resize(order.preorder.len() + 2, 0);
        for &block in &order.preorder {
            for succ in order.succs(block) {
                start[number[succ.index()] as usize + 2] += 1;
            }
        }
        let mut all = 0;
        for count in start.iter_mut() {
            all += *count;
            *count = all;
        }
        preds.clear();
        preds.resize(all as usize, 0);
        for (at, &block) in order.preorder.iter().enumerate() {
            for succ in order.succs(block) {
                let slot = &mut start[number[succ.index()] as usize + 1];
                preds[*slot as usize] = at as u32;
                *slot += 1;
            }
        }
    }

    fn of_block(&self, number: usize) -> &[u32] {
        &self.preds[self.start[number] as usize..self.start[number + 1] as usize]
    }
}

impl Dominators {
    /// Computes the tree in `O(edges · log blocks)`, no recursion.
    pub fn of(order: &Order) -> Dominators {
        let mut tree = Dominators::default();
        tree.fill(order);
        tree
    }

    /// Makes this the tree of an order.
    pub fn fill(&mut self, order: &Order) {
        let Dominators { idom, span, rows, preds, path, size } = self;
        let blocks = &order.preorder;
        let number = &order.number;
        preds.fill(order);
        rows.clear();
        rows.extend((0..blocks.len() as u32).map(|n| Row { semi: n, label: n, ancestor: NONE, bucket: NONE, next: NONE, idom: 0 }));
        for at in (1..rows.len()).rev() {
            let mut semi = at as u32;
            for &pred in preds.of_block(at) {
                let best = eval(rows, path, pred);
                semi = semi.min(rows[best as usize].semi);
            }
            rows[at].semi = semi;
            rows[at].next = rows[semi as usize].bucket;
            rows[semi as usize].bucket = at as u32;
            let parent = order.parent[at];
            rows[at].ancestor = parent;
            let mut member = std::mem::replace(&mut rows[parent as usize].bucket, NONE);
            while member != NONE {
                let best = eval(rows, path, member);
                let row = rows[member as usize];
                rows[member as usize].idom = if rows[best as usize].semi < row.semi { best } else { parent };
                member = row.next;
            }
        }
        idom.clear();
        idom.resize(number.len(), ENTRY);
        for at in 1..rows.len() {
            if rows[at].idom != rows[at].semi {
                rows[at].idom = rows[rows[at].idom as usize].idom;
            }
            idom[blocks[at].index()] = blocks[rows[at].idom as usize];
        }
        // A dominator has a smaller number than what it dominates, so sizes add up backwards and intervals are dealt out forwards.
        size.clear();
        size.resize(rows.len(), 1);
        for at in (1..rows.len()).rev() {
            size[rows[at].idom as usize] += size[at];
        }
        span.clear();
        span.resize(number.len(), (0, 0));
        for at in 0..rows.len() {
            let mut start = 0;
            if at > 0 {
                let above = rows[at].idom as usize;
                let parent = &mut rows[above];
                start = parent.next;
                parent.next += size[at];
            }
            rows[at].next = start + 1;
            span[blocks[at].index()] = (start, start + size[at]);
        }
    }

    /// The immediate dominator of a block; the entry is its own.
    pub fn idom(&self, block: Block) -> Block {
        self.idom[block.index()]
    }

    /// Does `a` dominate `b`? Every block dominates itself; an unreachable block is dominated by all.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        let (outer, inner) = (self.span[a.index()], self.span[b.index()]);
        a == b || inner.1 == 0 || (outer.0 <= inner.0 && inner.0 < outer.1)
    }
}

/// The block of least semidominator on the path from `at` up to the root of its tree, which is left out; shortens the path.
fn eval(rows: &mut [Row], path: &mut Vec<u32>, at: u32) -> u32 {
    let ancestor = rows[at as usize].ancestor;
    if ancestor == NONE {
        return at;
    }
    let mut node = at;
    while rows[rows[node as usize].ancestor as usize].ancestor != NONE {
        path.push(node);
        node = rows[node as usize].ancestor;
    }
    // `node` hangs below a root; from there down each label takes in the one above it.
    let mut above = node;
    let root = rows[node as usize].ancestor;
    while let Some(node) = path.pop() {
        let (label, best) = (rows[node as usize].label, rows[above as usize].label);
        if rows[best as usize].semi < rows[label as usize].semi {
            rows[node as usize].label = best;
        }
        rows[node as usize].ancestor = root;
        above = node;
    }
    rows[at as usize].label
}

#[cfg(test)]
mod tests;
