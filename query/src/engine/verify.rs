//! Deciding whether a yellow node is green.
//!
//! Its dependencies are brought up to date in recorded order, and only as long as those before did not change: so nothing is evaluated that the query
//! itself would not ask for. When one changed, the states that the node was in before are tried (*constructive traces*): a deterministic query that got the same
//! answers to its first questions asks the same next question, so the walk stays on what the query would do.

use smallvec::SmallVec;

use super::execute::Why;
use super::{Engine, STACK};
use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::node::{BUSY, Color, Deps, FORCED, Held, NodeId, Revision, Saved, Slot, TOUCHED, YELLOW};
use crate::row::Value;
use crate::store::{Trace, flags};

impl Engine {
    /// A yellow node, now running: green when no dependency changed since it was verified or when a remembered state fits, else it executes.
    pub(super) fn verify(
        &self,
        id: NodeId,
        slot: &Slot,
        deps: Deps,
        verified_at: Revision,
        want: bool,
    ) -> Result<Option<Value>, Interrupt> {
        STACK.with(|stack| stack.borrow_mut().push(id));
        let verdict = self.first_changed(&deps, verified_at).and_then(|red| match red {
            None => Ok((None, None)),
            Some(red) => Ok((Some(red), self.remembered(id)?)),
        });
        STACK.with(|stack| stack.borrow_mut().pop());
        let (red, trace) = match verdict {
            Ok(verdict) => verdict,
            Err(interrupt) => {
                self.settle(id, slot, |state| state.color = Color::Yellow);
                return Err(interrupt);
            }
        };
        match (red, trace) {
            (None, _) if !deps.is_empty() => {}
            (_, Some(trace)) => {
                let superseded = self.superseded(id, slot)?;
                if self.settle(id, slot, |state| state.cycle.is_some()) {
                    return self.execute(id, slot, Why::Dependency(red)).map(Some);
                }
                self.settle(id, slot, |state| {
                    if state.fp != trace.value {
                        state.before = Some(Box::new((state.fp, state.changed_at)));
                        state.changed_at = self.revision;
                    }
                    state.fp = trace.value;
                    state.stored = trace.value_at;
                    state.held = Held::Nothing;
                    state.deps = Some(trace.deps.iter().map(|&(dep, _)| NodeId(dep)).collect());
                    state.superseded = superseded.map(Box::new);
                    state.saved = Saved::No;
                    state.verified_at = self.revision;
                    state.color = Color::Green;
                });
                let added: Vec<NodeId> = trace.deps.iter().map(|&(dep, _)| NodeId(dep)).filter(|dep| !deps.contains(dep)).collect();
                self.add_dependents(id, &added)?;
                return if want { self.value(id).map(Some) } else { Ok(None) };
            }
            (red, None) => return self.execute(id, slot, Why::Dependency(red)).map(Some),
        }
        // Another worker may have found this node on a cycle meanwhile, up to the moment in which it turns green.
        let green = self.settle(id, slot, |state| {
            if state.cycle.is_some() {
                return None;
            }
            // No dependency changed after `verified_at`, so it stays the revision to compare with, and the row stays as it is.
            state.color = Color::Green;
            Some(state.held.clone())
        });
        match green {
            Some(Held::Value(value)) => Ok(Some(value)),
            Some(Held::Failed(interrupt)) => Err(interrupt),
            Some(Held::Nothing) if want => self.value(id).map(Some),
            Some(Held::Nothing) => Ok(None),
            None => self.execute(id, slot, Why::Dependency(None)).map(Some),
        }
    }

    /// Verifies a stored node that has no slot, without giving it one: most of what an edit can reach did not change. Whether it is green.
    ///
    /// Two workers may do this to one node at once; both only look. What has to run, or is met again on the way (a cycle), goes the way of slots.
    pub(super) fn verify_as_stored(&self, id: NodeId) -> Result<bool, Interrupt> {
        if self.nodes.marks(id) & (FORCED | TOUCHED | BUSY) != 0 || self.nodes.mark(id, BUSY) & BUSY != 0 {
            return Ok(false);
        }
        let verdict = self.looks_green(id);
        self.nodes.unmark(id, BUSY);
        if verdict? && self.nodes.marks(id) & TOUCHED == 0 {
            self.nodes.unmark(id, YELLOW);
            return Ok(true);
        }
        Ok(false)
    }

    fn looks_green(&self, id: NodeId) -> Result<bool, Interrupt> {
        let row = self.stored_row(id)?;
        if row.flags & (flags::FAILED | flags::STALE) != 0 {
            return Ok(false);
        }
        let mut raw: SmallVec<[u32; 16]> = SmallVec::new();
        if let Some(store) = &self.store {
            self.broken(store.deps(id.0, &mut raw))?;
        }
        let deps: Deps = raw.into_iter().map(NodeId).collect();
        Ok(!deps.is_empty() && self.first_changed(&deps, row.verified_at)?.is_none())
    }

    /// The first dependency that changed after `verified_at`.
    fn first_changed(&self, deps: &Deps, verified_at: Revision) -> Result<Option<NodeId>, Interrupt> {
        for &dep in deps {
            match self.refresh(dep) {
                // A failure is an answer like any other: its fingerprint tells whether it changed.
                Ok(()) | Err(Interrupt::Cycle(_)) => {}
                Err(interrupt) => return Err(interrupt),
            }
            // A dependency that is running was asked for by this very node: a cycle, which only running can answer for.
            let (changed_at, running) = self.changed_at(dep)?;
            if changed_at > verified_at || running {
                return Ok(Some(dep));
            }
        }
        Ok(None)
    }

    /// The remembered state of a node whose every question has the same answer now.
    fn remembered(&self, id: NodeId) -> Result<Option<Trace>, Interrupt> {
        let Some(store) = self.store.as_ref().filter(|_| id.0 < self.nodes.stored()) else { return Ok(None) };
        let mut live = self.broken(store.traces(id.0))?;
        let mut asked = 0;
        loop {
            if let Some(fits) = live.iter().position(|trace| trace.deps.len() == asked) {
                return Ok(Some(live.swap_remove(fits)));
            }
            let Some(&(next, _)) = live.first().and_then(|trace| trace.deps.get(asked)) else { return Ok(None) };
            if live.iter().any(|trace| trace.deps.get(asked).is_none_or(|&(dep, _)| dep != next)) {
                // Two next questions after the same answers: something the query read is not recorded. Its memory is not believed.
                self.note_hidden_input(id);
                return Ok(None);
            }
            match self.refresh(NodeId(next)) {
                Ok(()) | Err(Interrupt::Cycle(_)) => {}
                Err(interrupt) => return Err(interrupt),
            }
            if self.changed_at(NodeId(next))?.1 {
                return Ok(None);
            }
            let now = self.fingerprint_now(NodeId(next))?;
            live.retain(|trace| trace.deps.get(asked).is_some_and(|&(_, fp)| fp == now));
            asked += 1;
        }
    }

    /// The state that a node is about to leave, when the fingerprints of what it was computed from are still known.
    pub(super) fn superseded(&self, id: NodeId, slot: &Slot) -> Result<Option<Trace>, Interrupt> {
        let (value, value_at, verified_at, deps) = {
            let state = slot.state.lock();
            if !state.known || state.forced || self.store.is_none() || matches!(state.held, Held::Failed(_)) {
                return Ok(None);
            }
            (state.fp, state.stored, state.verified_at, self.deps(id, &state)?)
        };
        let mut answers: SmallVec<[(u32, Fp); 8]> = SmallVec::with_capacity(deps.len());
        for dep in deps {
            match self.fingerprint_at(dep, verified_at)? {
                Some(fp) => answers.push((dep.0, fp)),
                None => return Ok(None),
            }
        }
        Ok(Some(Trace { deps: answers.to_vec(), value, value_at, flags: 0 }))
    }

    /// The fingerprint that a node had in a revision, if that is known.
    fn fingerprint_at(&self, id: NodeId, revision: Revision) -> Result<Option<Fp>, Interrupt> {
        let (fp, changed_at, before) = match self.nodes.slot(id) {
            Some(slot) => {
                let state = slot.state.lock();
                (state.fp, state.changed_at, state.before.as_deref().copied())
            }
            None => {
                let row = self.stored_row(id)?;
                (row.value, row.changed_at, None)
            }
        };
        if changed_at <= revision {
            return Ok(Some(fp));
        }
        Ok(before.filter(|&(_, since)| since <= revision).map(|(fp, _)| fp))
    }
}
