//! Making everything yellow that an edit can reach.
//!
//! Cost follows the number of nodes that become yellow: reverse edges are walked, and a yellow node's dependents are yellow already.

use smallvec::SmallVec;

use super::Engine;
use crate::interrupt::Interrupt;
use crate::kind::Kind;
use crate::node::{Color, FORCED, NodeId, YELLOW};
use crate::store::Damaged;

impl Engine {
    /// Everything that may have read `from` becomes yellow.
    pub(super) fn mark_dependents(&mut self, from: NodeId) -> Result<(), Interrupt> {
        let mut stack: Vec<NodeId> = Vec::new();
        self.dependents(from, &mut stack)?;
        while let Some(id) = stack.pop() {
            if self.make_yellow(id) {
                self.dependents(id, &mut stack)?;
            }
        }
        Ok(())
    }

    /// Whether the node was green.
    fn make_yellow(&self, id: NodeId) -> bool {
        match self.nodes.slot(id) {
            Some(slot) => {
                let mut state = slot.state.lock();
                match state.color {
                    Color::Green => {
                        state.color = Color::Yellow;
                        true
                    }
                    Color::New | Color::Yellow => false,
                    Color::Running(_) => {
                        debug_assert!(false, "inputs are set while nothing runs");
                        false
                    }
                }
            }
            None => {
                let was_green = self.nodes.marks(id) & YELLOW == 0;
                self.nodes.mark(id, YELLOW);
                was_green
            }
        }
    }

    fn dependents(&self, id: NodeId, out: &mut Vec<NodeId>) -> Result<(), Interrupt> {
        if let Some(store) = &self.store
            && id.0 < self.nodes.stored()
        {
            let mut raw: SmallVec<[u32; 16]> = SmallVec::new();
            self.broken(store.dependents(id.0, &mut raw))?;
            out.extend(raw.into_iter().map(NodeId));
        }
        if let Some(slot) = self.nodes.slot(id) {
            out.extend_from_slice(&slot.state.lock().dependents);
        }
        Ok(())
    }

    /// Rows of these kinds were written by another compiler: they run again, and what asked for them is yellow. The only walk over all rows.
    pub(super) fn force_kinds(&mut self, kinds: &[u16]) -> Result<(), Damaged> {
        for id in 0..self.nodes.stored() {
            let kind = match &self.store {
                Some(store) => store.row(id)?.kind,
                None => return Ok(()),
            };
            let known = self.rows.get(kind as usize).is_some_and(Option::is_some);
            if kinds.contains(&kind) && known && !self.row(Kind(kind)).is_input() {
                self.nodes.mark(NodeId(id), YELLOW | FORCED);
                self.mark_dependents(NodeId(id)).map_err(|_| Damaged)?;
            }
        }
        Ok(())
    }
}
