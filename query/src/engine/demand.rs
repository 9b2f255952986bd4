//! Bringing a node up to date, and fetching its value.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::execute::Why;
use super::{Engine, STACK};
use crate::fingerprint::Fp;
use crate::interrupt::{Cycle, Interrupt};
use crate::node::{Color, Held, NodeId, Revision, Saved, State};
use crate::row::Value;
use crate::store::BlobAt;

impl Engine {
    /// The value of a node, up to date.
    pub(super) fn value(&self, id: NodeId) -> Result<Value, Interrupt> {
        // What was asked for before is asked for again and again.
        if let Some(slot) = self.nodes.slot(id) {
            let state = slot.state.lock();
            if state.color == Color::Green
                && let Held::Value(value) = &state.held
            {
                return Ok(value.clone());
            }
        }
        self.demand(id, true)?.ok_or(Interrupt::Cancelled)
    }

    /// Brings a node up to date; its value stays where it is.
    pub(super) fn refresh(&self, id: NodeId) -> Result<(), Interrupt> {
        self.demand(id, false).map(drop)
    }

    /// Brings a node up to date and tells the fingerprint of its answer.
    pub(super) fn fresh_fingerprint(&self, id: NodeId) -> Result<Fp, Interrupt> {
        self.refresh(id)?;
        self.fingerprint_now(id)
    }

    /// The fingerprint of a node as it is.
    pub(super) fn fingerprint_now(&self, id: NodeId) -> Result<Fp, Interrupt> {
        if self.nodes.is_green_as_stored(id) {
            return Ok(self.stored_row(id)?.value);
        }
        Ok(self.slot(id)?.state.lock().fp)
    }

    /// When the answer of a node was last different from before, and whether it is running right now.
    pub(super) fn changed_at(&self, id: NodeId) -> Result<(Revision, bool), Interrupt> {
        if self.nodes.is_green_as_stored(id) {
            return Ok((self.stored_row(id)?.changed_at, false));
        }
        let state = self.slot(id)?.state.lock();
        Ok((state.changed_at, matches!(state.color, Color::Running(_))))
    }

    /// Brings a node up to date. `None` when its value was not wanted, and is not at hand.
    fn demand(&self, id: NodeId, want: bool) -> Result<Option<Value>, Interrupt> {
        if !want && (self.nodes.is_green_as_stored(id) || self.nodes.is_stored(id) && self.verify_as_stored(id)?) {
            return Ok(None);
        }
        let me = self.worker();
        let slot = self.slot(id)?;
        let mut state = slot.state.lock();
        loop {
            match state.color {
                Color::Green => {
                    match &state.held {
                        Held::Value(value) => return Ok(Some(value.clone())),
                        Held::Failed(interrupt) => return Err(interrupt.clone()),
                        Held::Nothing if !want => return Ok(None),
                        Held::Nothing => {}
                    }
                    if let Some(value) = self.load(slot.kind, &mut state) {
                        state.held = Held::Value(value.clone());
                        return Ok(Some(value));
                    }
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(Interrupt::Cancelled);
                    }
                    state.color = Color::Running(me);
                    state.cycle = None;
                    drop(state);
                    return self.execute(id, slot, Why::ValueWanted).map(Some);
                }
                Color::New => {
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(Interrupt::Cancelled);
                    }
                    state.color = Color::Running(me);
                    state.cycle = None;
                    drop(state);
                    return self.execute(id, slot, Why::New).map(Some);
                }
                Color::Yellow => {
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(Interrupt::Cancelled);
                    }
                    state.color = Color::Running(me);
                    state.cycle = None;
                    let forced = state.forced;
                    let verified_at = state.verified_at;
                    let deps = self.deps(id, &state);
                    drop(state);
                    let verdict = match (deps, forced) {
                        (Ok(_), true) => self.execute(id, slot, Why::Forced).map(Some),
                        (Ok(deps), false) => self.verify(id, slot, deps, verified_at, want),
                        (Err(interrupt), _) => Err(interrupt),
                    };
                    if matches!(verdict, Err(Interrupt::Damaged)) {
                        self.settle(id, slot, |state| state.color = Color::Yellow);
                    }
                    return verdict;
                }
                Color::Running(owner) if owner == me => {
                    drop(state);
                    let members = STACK.with_borrow(|stack| {
                        let from = stack.iter().position(|&n| n == id).unwrap_or(0);
                        stack[from..].to_vec()
                    });
                    return Err(self.close_cycle(members)?);
                }
                Color::Running(owner) => {
                    if let Err(members) = STACK.with_borrow(|stack| self.waits.start(me, stack, id, owner)) {
                        drop(state);
                        return Err(self.close_cycle(members)?);
                    }
                    slot.done.wait(&mut state);
                }
            }
        }
    }

    /// The value of a green node from the store, or from outside.
    fn load(&self, kind: crate::kind::Kind, state: &mut State) -> Option<Value> {
        if state.stored == BlobAt::NONE {
            return None;
        }
        let value = self.store.as_ref().and_then(|store| store.blob(state.stored)).and_then(|bytes| self.row(kind).value_of(bytes));
        if value.is_none() {
            // A damaged value is a miss: it is computed again, and written again.
            state.stored = BlobAt::NONE;
            state.saved = Saved::No;
        }
        value
    }

    /// These running nodes ask for each other in a ring: marks them, so that each answers for the cycle.
    fn close_cycle(&self, members: Vec<NodeId>) -> Result<Interrupt, Interrupt> {
        let cycle = Arc::new(Cycle::of(members.iter().map(|&n| self.node_name(n)).collect()));
        for member in members {
            self.slot(member)?.state.lock().cycle = Some(cycle.clone());
        }
        Ok(Interrupt::Cycle(cycle))
    }
}
