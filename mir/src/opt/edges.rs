//! Who goes where: incoming edges of blocks, the panic side of a body, and the dominator tree as lists.

use ir::List;
use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst, Value};

use crate::ir::Mir;

/// One target of a terminator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Edge {
    /// The terminator.
    pub(super) inst: Inst,
    /// The block it ends.
    pub(super) from: Block,
    /// Which of its targets.
    pub(super) index: u32,
}

/// The edges into each reachable block, by terminators; unwind edges are only noted as such.
#[derive(Default)]
pub(super) struct Incoming {
    start: Vec<u32>,
    edges: Vec<Edge>,
    unwind: Vec<bool>,
}

impl Incoming {
    /// Collects them; `unwinds` counts the instructions that unwind to each block.
    pub(super) fn fill(&mut self, graph: &Graph<Mir>, order: &Order, unwinds: &[u32]) {
        let Incoming { start, edges, unwind } = self;
        let count = graph.blocks.len();
        start.clear();
        start.resize(count + 2, 0);
        for &block in &order.blocks {
            let Some(last) = graph.terminator(block) else { continue };
            for target in graph.targets(last) {
                start[target.block.index() + 2] += 1;
            }
        }
        let mut all = 0;
        for slot in start.iter_mut() {
            all += *slot;
            *slot = all;
        }
        edges.clear();
        edges.resize(all as usize, Edge { inst: Inst::new(0), from: ir::ssa::ENTRY, index: 0 });
        for &from in &order.blocks {
            let Some(inst) = graph.terminator(from) else { continue };
            for (index, target) in graph.targets(inst).iter().enumerate() {
                let slot = &mut start[target.block.index() + 1];
                edges[*slot as usize] = Edge { inst, from, index: index as u32 };
                *slot += 1;
            }
        }
        unwind.clear();
        unwind.extend(unwinds.iter().map(|&count| count > 0));
    }

    /// The same edges, whatever their order?
    pub(super) fn is_same(&self, other: &Incoming) -> bool {
        let sorted = |incoming: &Incoming, block: usize| {
            let mut edges = incoming.of_block(Block::new(block)).to_vec();
            edges.sort_unstable_by_key(|edge| (edge.inst, edge.index));
            edges
        };
        self.unwind == other.unwind && (0..self.unwind.len()).all(|block| sorted(self, block) == sorted(other, block))
    }

    /// Edges into a block.
    pub(super) fn of_block(&self, block: Block) -> &[Edge] {
        &self.edges[self.start[block.index()] as usize..self.start[block.index() + 1] as usize]
    }

    /// Does a panic go to this block?
    pub(super) fn is_unwind(&self, block: Block) -> bool {
        self.unwind[block.index()]
    }
}

/// The dominator tree of the blocks that no panic leads to, each block's children in reverse postorder.
#[derive(PartialEq, Eq, Hash, Default, Debug)]
pub(super) struct Tree {
    start: Vec<u32>,
    children: Vec<Block>,
    /// Blocks that a panic may have led to. A value of a block on the way may be missing there, and speed does not matter there: passes that
    /// carry facts down the dominator tree leave them alone.
    cold: Vec<bool>,
}

impl Tree {
    /// Builds the lists; `unwinds` counts the instructions that unwind to each block.
    pub(super) fn fill(&mut self, graph: &Graph<Mir>, order: &Order, dominators: &Dominators, unwinds: &[u32]) {
        let Tree { start, children, cold } = self;
        cold.clear();
        cold.extend(unwinds.iter().map(|&count| count > 0));
        // Borrowed for the walk, filled below.
        children.clear();
        children.extend(graph.blocks.ids().filter(|pad| cold[pad.index()]));
        while let Some(block) = children.pop() {
            graph.each_successor(block, |next| {
                if !cold[next.index()] {
                    cold[next.index()] = true;
                    children.push(next);
                }
            });
        }
        start.clear();
        start.resize(graph.blocks.len() + 2, 0);
        let warm = || order.blocks.iter().skip(1).filter(|block| !cold[block.index()]);
        for &block in warm() {
            start[dominators.idom(block).index() + 2] += 1;
        }
        let mut all = 0;
        for slot in start.iter_mut() {
            all += *slot;
            *slot = all;
        }
        children.resize(all as usize, ir::ssa::ENTRY);
        for &block in warm() {
            let slot = &mut start[dominators.idom(block).index() + 1];
            children[*slot as usize] = block;
            *slot += 1;
        }
    }

    /// Does a panic lead to this block?
    pub(super) fn is_cold(&self, block: Block) -> bool {
        self.cold[block.index()]
    }

    /// Children of a block.
    pub(super) fn children(&self, block: Block) -> &[Block] {
        &self.children[self.start[block.index()] as usize..self.start[block.index() + 1] as usize]
    }

    /// Walks the tree in preorder; `visit` is told to enter a block, and later to leave it.
    pub(super) fn walk(&self, mut visit: impl FnMut(Step)) {
        let mut stack = vec![Step::Enter(ir::ssa::ENTRY)];
        while let Some(step) = stack.pop() {
            if let Step::Enter(block) = step {
                stack.push(Step::Leave);
                stack.extend(self.children(block).iter().rev().map(|&child| Step::Enter(child)));
            }
            visit(step);
        }
    }
}

/// A step of a walk.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// A block is entered; its dominators are entered and not left.
    Enter(Block),
    /// The block entered last and not yet left is left.
    Leave,
}

/// Removes the parameters for which `gone` holds, and the arguments for them on all edges in.
pub(super) fn remove_params(graph: &mut Graph<Mir>, incoming: &Incoming, block: Block, mut gone: impl FnMut(Value) -> bool) {
    let params = std::mem::take(&mut graph.blocks[block].params);
    let keep: Vec<bool> = params.iter().map(|&param| !gone(param)).collect();
    for edge in incoming.of_block(block) {
        let list = graph.targets(edge.inst)[edge.index as usize].args;
        let args: Vec<Value> = graph.args[list].iter().zip(&keep).filter(|(_, keep)| **keep).map(|(&arg, _)| arg).collect();
        set_target_args(graph, *edge, &args);
    }
    set_params(graph, block, params.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(param, _)| param).collect());
}

/// Gives a block these parameters; their rows learn their positions.
pub(super) fn set_params(graph: &mut Graph<Mir>, block: Block, params: Vec<Value>) {
    for (index, &param) in params.iter().enumerate() {
        graph.values[param].def = ir::ssa::Def::Param(block, index as u32);
    }
    graph.blocks[block].params = params;
}

/// Replaces the arguments of one edge.
pub(super) fn set_target_args(graph: &mut Graph<Mir>, edge: Edge, args: &[Value]) {
    let args: List<Value> = graph.args.add(args.iter().copied());
    let list = graph.edges[edge.inst].targets;
    graph.targets.get_mut(list)[edge.index as usize].args = args;
}
