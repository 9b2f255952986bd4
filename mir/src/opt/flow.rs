//! What passes know of the control flow of a body, kept from pass to pass until one of them changes an edge.
//!
//! An unwind edge more or less into a block that is unwound to from elsewhere too changes nothing that is kept here: what is known of the panic
//! side is which blocks belong to it. So such edges are counted, and only the last one into a block counts as a change.

use std::rc::Rc;

use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph};

use super::edges::{Incoming, Tree};
use crate::ir::Mir;

/// Facts about the edges of one body, computed when they are first asked for. They keep their memory for the next body.
#[derive(Default)]
pub(super) struct Flow {
    order: Rc<Order>,
    incoming: Rc<Incoming>,
    tree: Rc<Tree>,
    dominators: Dominators,
    /// How many instructions unwind to each block.
    unwinds: Vec<u32>,
    has_order: bool,
    has_unwinds: bool,
    has_incoming: bool,
    has_tree: bool,
}

/// Makes a fact anew, in its old memory unless somebody still holds it.
fn fill<T: Default>(fact: &mut Rc<T>, make: impl FnOnce(&mut T)) {
    match Rc::get_mut(fact) {
        Some(fact) => make(fact),
        None => {
            let mut new = T::default();
            make(&mut new);
            *fact = Rc::new(new);
        }
    }
}

impl Flow {
    /// Blocks in reverse postorder. Among those that a panic leads to, the order may be older than the last change.
    pub(super) fn order(&mut self, graph: &Graph<Mir>) -> Rc<Order> {
        if !self.has_order {
            self.has_order = true;
            fill(&mut self.order, |order| order.fill(graph));
        }
        debug_assert!(self.is_current(graph), "a pass changed an edge and did not say so");
        self.order.clone()
    }

    /// Edges into each block.
    pub(super) fn incoming(&mut self, graph: &Graph<Mir>) -> Rc<Incoming> {
        if !self.has_incoming {
            let order = self.order(graph);
            self.count_unwinds(graph);
            self.has_incoming = true;
            fill(&mut self.incoming, |incoming| incoming.fill(graph, &order, &self.unwinds));
        }
        self.incoming.clone()
    }

    /// The dominator tree without the panic side.
    pub(super) fn tree(&mut self, graph: &Graph<Mir>) -> Rc<Tree> {
        if !self.has_tree {
            let order = self.order(graph);
            self.count_unwinds(graph);
            self.has_tree = true;
            self.dominators.fill(&order);
            fill(&mut self.tree, |tree| tree.fill(graph, &order, &self.dominators, &self.unwinds));
        }
        self.tree.clone()
    }

    /// Does every way to `b` that no panic takes lead through `a`? As of the last [`Flow::tree`].
    pub(super) fn dominates(&self, a: Block, b: Block) -> bool {
        self.dominators.dominates(a, b)
    }

    /// An edge has come or gone, or a block or a terminator has another number.
    pub(super) fn changed(&mut self) {
        (self.has_order, self.has_unwinds, self.has_incoming, self.has_tree) = (false, false, false, false);
    }

    /// One instruction of a reachable block no longer unwinds to this block, and nothing else has changed.
    pub(super) fn unwind_gone(&mut self, pad: Block) {
        if !self.has_unwinds {
            // Nobody has asked who unwinds where, but the order knows what can be reached.
            self.changed();
            return;
        }
        let count = &mut self.unwinds[pad.index()];
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.changed();
        }
    }

    fn count_unwinds(&mut self, graph: &Graph<Mir>) {
        if self.has_unwinds {
            return;
        }
        self.has_unwinds = true;
        self.unwinds.clear();
        self.unwinds.resize(graph.blocks.len(), 0);
        for &block in &self.order.blocks {
            for &inst in &graph.blocks[block].insts {
                if let Some(pad) = graph.edges[inst].unwind {
                    self.unwinds[pad.index()] += 1;
                }
            }
        }
    }

    /// Does all that is kept still hold? Asked in debug builds only.
    fn is_current(&self, graph: &Graph<Mir>) -> bool {
        let order = Order::of(graph);
        let mut now = Flow { order: Rc::new(order), has_order: true, ..Flow::default() };
        now.count_unwinds(graph);
        now.dominators.fill(&now.order);
        let (mut incoming, mut tree) = (Incoming::default(), Tree::default());
        incoming.fill(graph, &now.order, &now.unwinds);
        tree.fill(graph, &now.order, &now.dominators, &now.unwinds);
        let reachable = |order: &Order| order.position.iter().map(|&at| at != u32::MAX).collect::<Vec<bool>>();
        reachable(&self.order) == reachable(&now.order)
            && (!self.has_unwinds || self.unwinds == now.unwinds)
            && (!self.has_incoming || self.incoming.is_same(&incoming))
            && (!self.has_tree || *self.tree == tree)
    }
}
