//! Making everything yellow that an edit can reach.
//!
//! Cost follows the number of nodes that become yellow: reverse edges are walked, and a yellow node's dependents are yellow already. So that it follows what
//! the edit changed, and not how much depends on the file it is in, firewalls come first: the cheap answers (items, scopes, signatures) that stop most
//! edits are brought up to date at once, and only those that changed are gone on from.

use smallvec::SmallVec;

use super::Engine;
use crate::interrupt::Interrupt;
use crate::kind::Kind;
use crate::node::{Color, FORCED, NodeId, Revision, YELLOW};
use crate::store::Damaged;

/// An edit that reaches more firewalls than this is left to whoever asks, who may have several workers.
const MANY: usize = 4096;

impl Engine {
    /// These inputs changed after the revision `before`: everything that the change can reach becomes yellow.
    ///
    /// Firewalls are brought up to date rank by rank. All below a rank are final when it is its turn, and what the change can reach within it is
    /// yellow before any of it runs: so none reads an answer that is out of date.
    pub(super) fn spread(&mut self, edited: &[NodeId], before: Revision) -> Result<(), Interrupt> {
        let mut ranks: Vec<Vec<NodeId>> = vec![Vec::new(); self.ranks as usize];
        let mut met: Vec<NodeId> = Vec::new();
        for &id in edited {
            self.pass_on(id, 0, &mut ranks)?;
        }
        let mut stopped = false;
        for rank in 0..ranks.len() {
            let from = met.len();
            let mut open = std::mem::take(&mut ranks[rank]);
            while let Some(id) = open.pop() {
                if self.make_yellow(id) {
                    met.push(id);
                    let mut reached = Vec::new();
                    self.dependents(id, &mut reached)?;
                    for id in reached {
                        if self.rank(id)? == Some(rank as u8) {
                            open.push(id);
                        }
                    }
                }
            }
            stopped |= met.len() > MANY;
            for &id in &met[from..] {
                if stopped {
                    break;
                }
                match self.refresh(id) {
                    Ok(()) | Err(Interrupt::Cycle(_)) => {}
                    Err(Interrupt::Cancelled) => stopped = true,
                    Err(interrupt @ (Interrupt::Damaged | Interrupt::Unserved)) => return Err(interrupt),
                }
            }
            if stopped {
                break;
            }
            for &id in &met[from..] {
                if self.changed_at(id)?.0 > before {
                    self.pass_on(id, rank + 1, &mut ranks)?;
                }
            }
        }
        if stopped {
            for &id in edited.iter().chain(&met) {
                self.mark_dependents(id)?;
            }
        }
        Ok(())
    }

    /// An answer changed: firewalls that read it, of this rank and above, come to their turn; everything else that may have read it becomes yellow.
    fn pass_on(&self, from: NodeId, least: usize, ranks: &mut [Vec<NodeId>]) -> Result<(), Interrupt> {
        let mut reached = Vec::new();
        self.dependents(from, &mut reached)?;
        for id in reached {
            match self.rank(id)? {
                Some(rank) if usize::from(rank) >= least => ranks[usize::from(rank)].push(id),
                Some(_) => {}
                None if self.make_yellow(id) => self.mark_dependents(id)?,
                None => {}
            }
        }
        Ok(())
    }

    /// The place of a firewall's kind among those of all.
    fn rank(&self, id: NodeId) -> Result<Option<u8>, Interrupt> {
        let kind = match self.nodes.slot(id) {
            Some(slot) => slot.kind.0,
            None => self.stored_row(id)?.kind,
        };
        Ok(self.firewalls.get(kind as usize).copied().flatten())
    }

    /// Everything that may have read `from` becomes yellow.
    pub(super) fn mark_dependents(&self, from: NodeId) -> Result<(), Interrupt> {
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
