//! What passes know of the control flow of a body, kept from pass to pass until one of them changes an edge.

use std::rc::Rc;

use ir::ssa::Graph;
use ir::ssa::order::Order;

use super::edges::{Incoming, Tree};
use crate::ir::Mir;

/// Facts about the edges of one body, computed when they are first asked for.
#[derive(Default)]
pub(super) struct Flow {
    order: Option<Rc<Order>>,
    incoming: Option<Rc<Incoming>>,
    tree: Option<Rc<Tree>>,
}

impl Flow {
    /// Blocks in reverse postorder.
    pub(super) fn order(&mut self, graph: &Graph<Mir>) -> Rc<Order> {
        let order = self.order.get_or_insert_with(|| Rc::new(Order::of(graph)));
        debug_assert_eq!(order.blocks, Order::of(graph).blocks, "a pass changed an edge and did not say so");
        order.clone()
    }

    /// Edges into each block.
    pub(super) fn incoming(&mut self, graph: &Graph<Mir>) -> Rc<Incoming> {
        let order = self.order(graph);
        let incoming = self.incoming.get_or_insert_with(|| Rc::new(Incoming::of(graph, &order)));
        debug_assert_eq!(**incoming, Incoming::of(graph, &order), "a pass changed an edge and did not say so");
        incoming.clone()
    }

    /// The dominator tree without the panic side.
    pub(super) fn tree(&mut self, graph: &Graph<Mir>) -> Rc<Tree> {
        let order = self.order(graph);
        let tree = self.tree.get_or_insert_with(|| Rc::new(Tree::of(graph, &order)));
        debug_assert_eq!(**tree, Tree::of(graph, &order), "a pass changed an edge and did not say so");
        tree.clone()
    }

    /// An edge has come or gone (unwind edges count), or a block or a terminator has another number.
    pub(super) fn changed(&mut self) {
        *self = Flow::default();
    }
}
