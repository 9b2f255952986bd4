//! From a look at something to the op that puts it back changed.
//!
//! Between the two nobody may miss what is taken out: every way from the look leads to the op, or into a panic, and none comes from elsewhere. So each look is
//! followed by one op, and each op has one look before it.

use hashbrown::HashSet;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, Graph, Inst, Value};

use crate::ir::Mir;
use crate::ops::Op;

/// More blocks than this between the two are not looked at.
const MOST: usize = 256;

/// Does an instruction use a value, or pass it on?
pub(crate) fn uses(graph: &Graph<Mir>, inst: Inst, value: Value) -> bool {
    let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
    graph.args(inst).iter().chain(passed).any(|&arg| arg == value)
}

/// The look and the op.
#[derive(Clone, Copy)]
pub(crate) struct Between {
    /// Its block and itself.
    pub look: (Block, Inst),
    /// Its block and itself.
    pub back: (Block, Inst),
}

impl Between {
    /// Does every way from the look lead to the op, and none there from elsewhere, and is there nothing that may run after the look and misses what is out?
    /// `misses` is told each such instruction but the op itself, and whether it stands behind the op, or where a panic leads. `made` is what was looked at: where
    /// it is made anew, it is another one.
    pub(crate) fn is_private(self, graph: &Graph<Mir>, order: &Order, made: Value, misses: impl Fn(Inst, bool) -> bool) -> bool {
        let Some(blocks) = self.on_the_way(graph, order) else { return false };
        let ((first, look), (last, back)) = (self.look, self.back);
        let position = |block: Block, of: Inst| graph.blocks[block].insts.iter().position(|&inst| inst == of);
        let (Some(look), Some(back)) = (position(first, look), position(last, back)) else { return false };
        for &block in &blocks {
            let insts = &graph.blocks[block].insts;
            let start = if block == first { look + 1 } else { 0 };
            let end = if block == last { back } else { insts.len() };
            let before = insts.get(start..end);
            let behind = insts.get(end + 1..).unwrap_or_default();
            if before.is_none_or(|before| before.iter().any(|&inst| misses(inst, false))) || behind.iter().any(|&inst| misses(inst, true)) {
                return false;
            }
        }
        let made = match graph.values[made].def {
            Def::Param(block, _) => Some(block),
            Def::Result(inst, _) => order.blocks.iter().copied().find(|&block| graph.blocks[block].insts.contains(&inst)),
        };
        let mut seen: HashSet<Block> = made.into_iter().collect();
        let mut open: Vec<Block> = Vec::new();
        for &block in &blocks {
            let leaves = |succ: &Block| block == last || !blocks.contains(succ);
            open.extend(order.succs(block).iter().copied().filter(leaves).filter(|&succ| seen.insert(succ)));
        }
        while let Some(block) = open.pop() {
            if graph.blocks[block].insts.iter().any(|&inst| misses(inst, true)) {
                return false;
            }
            open.extend(order.succs(block).iter().copied().filter(|&succ| seen.insert(succ)));
        }
        true
    }

    fn on_the_way(self, graph: &Graph<Mir>, order: &Order) -> Option<Vec<Block>> {
        let ((first, _), (last, _)) = (self.look, self.back);
        if first == last {
            return Some(vec![first]);
        }
        let mut blocks = vec![first];
        let mut next = 0;
        while let Some(&block) = blocks.get(next) {
            next += 1;
            let end = graph.terminator(block)?;
            if matches!(graph.op(end), Op::Return | Op::Tail) {
                return None;
            }
            for target in graph.targets(end) {
                if target.block == first {
                    return None;
                }
                if target.block != last && !blocks.contains(&target.block) {
                    if blocks.len() == MOST {
                        return None;
                    }
                    blocks.push(target.block);
                }
            }
        }
        blocks.push(last);
        let inside: HashSet<Block> = blocks[1..].iter().copied().collect();
        let comes_from_elsewhere = |&block: &Block| {
            let is_outside = block == last || block != first && !inside.contains(&block);
            is_outside && order.succs(block).iter().any(|succ| inside.contains(succ))
        };
        (!order.blocks.iter().any(comes_from_elsewhere)).then_some(blocks)
    }
}
