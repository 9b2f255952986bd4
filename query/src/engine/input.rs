//! Inputs: set, removed, or unchanged since an earlier session and loaded when somebody asks.

use std::any::Any;
use std::sync::Arc;

use super::Engine;
use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::kind::{Input, Kind};
use crate::node::{Color, Held, NodeId, Saved};
use crate::row::Value;
use crate::store::BlobAt;

/// An input's node and value.
type Served<V> = (NodeId, Option<Arc<V>>);

/// The fingerprint of an input that is not there.
fn absent() -> Fp {
    Fp::of_bytes(b"absent")
}

impl Engine {
    /// How an input that nobody set is fetched when somebody asks for its value: one that is unchanged since an earlier session, or that is made when it is
    /// wanted. [`Interrupt::Unserved`] stops whoever asks until it has been made.
    pub fn set_loader(
        &mut self,
        loader: impl Fn(Kind, &dyn Any) -> Result<Option<Arc<dyn Any + Send + Sync>>, Interrupt> + Send + Sync + 'static,
    ) {
        self.loader = Some(Box::new(loader));
    }

    /// Sets an input. An equal value is no change. Returns whether it changed.
    pub fn set<I: Input>(&mut self, key: &I::Key, value: I::Value) -> Result<bool, Interrupt> {
        let fp = if self.bare { Fp::NONE } else { I::fingerprint(&value) };
        self.replace::<I>(key, fp, Held::Value(Arc::new(value)))
    }

    /// Takes an input away: who asks for it now gets `None`.
    pub fn remove<I: Input>(&mut self, key: &I::Key) -> Result<bool, Interrupt> {
        self.replace::<I>(key, absent(), Held::Nothing)
    }

    fn replace<I: Input>(&mut self, key: &I::Key, fp: Fp, held: Held) -> Result<bool, Interrupt> {
        let id = self.intern(I::KIND, key, I::address)?;
        let slot = self.slot(id)?;
        let mut state = slot.state.lock();
        if state.known && state.fp == fp && !state.forced && !self.bare {
            state.held = held;
            state.color = Color::Green;
            return Ok(false);
        }
        let asked = state.known || !state.dependents.is_empty() || id.0 < self.nodes.stored();
        if asked && state.known {
            state.before = Some(Box::new((state.fp, state.changed_at)));
        }
        state.known = true;
        state.forced = false;
        state.saved = Saved::No;
        state.fp = fp;
        state.held = held;
        state.stored = BlobAt::NONE;
        state.deps = Some(Default::default());
        state.color = Color::Green;
        drop(state);
        // Nobody has asked for a new input, so nothing can be out of date.
        if asked {
            self.revision += 1;
        }
        let mut state = self.slot(id)?.state.lock();
        state.changed_at = self.revision;
        state.verified_at = self.revision;
        drop(state);
        if asked {
            match &mut self.edited {
                Some(edited) => edited.push(id),
                None => self.spread(&[id], self.revision - 1)?,
            }
        }
        Ok(true)
    }

    /// Sets and removes inputs as one edit: what depends on several of them is looked at once. Nothing is asked meanwhile.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut Engine) -> Result<T, Interrupt>) -> Result<T, Interrupt> {
        let before = self.revision;
        self.edited = Some(Vec::new());
        let result = change(self);
        let edited = self.edited.take().unwrap_or_default();
        self.spread(&edited, before)?;
        result
    }

    /// An input as it is now, from outside any query.
    pub fn input_value<I: Input>(&self, key: &I::Key) -> Option<Arc<I::Value>> {
        self.input::<I>(key).ok()?.1
    }

    /// Was this input set, or known since an earlier session? Asking makes no node: one that nobody sets would be stored as an input without value.
    pub fn knows_input<I: Input>(&self, key: &I::Key) -> Result<Option<Fp>, Interrupt> {
        let Some(id) = self.node_of(I::KIND, key, I::address)? else { return Ok(None) };
        // A node that somebody asked about and nobody set has no fingerprint.
        let state = self.slot(id)?.state.lock();
        Ok((state.known && state.fp != absent()).then_some(state.fp))
    }

    fn served(&self, kind: Kind, key: &dyn Any) -> Result<Option<Value>, Interrupt> {
        self.loader.as_ref().map_or(Ok(None), |loader| loader(kind, key))
    }

    pub(super) fn input<I: Input>(&self, key: &I::Key) -> Result<Served<I::Value>, Interrupt> {
        let id = self.intern(I::KIND, key, I::address)?;
        let slot = self.slot(id)?;
        let mut state = slot.state.lock();
        if !state.known {
            // Asked for before it was set, in this session or an earlier one: whoever serves inputs may have it, and an absent input is a value like any other.
            let value = self.served(I::KIND, key)?;
            state.color = Color::Green;
            state.known = true;
            state.forced = false;
            state.saved = Saved::No;
            state.fp =
                value.as_ref().map_or_else(absent, |value| if self.bare { Fp::NONE } else { self.row(I::KIND).fingerprint(&**value) });
            state.held = value.map_or(Held::Nothing, Held::Value);
            state.changed_at = self.revision;
            state.verified_at = self.revision;
            state.deps = Some(Default::default());
        }
        if matches!(state.held, Held::Nothing) && state.fp != absent() {
            let value = self.served(I::KIND, key)?;
            if value.as_ref().is_none_or(|value| self.row(I::KIND).fingerprint(&**value) != state.fp) {
                // It changed or vanished after it was looked at: what is computed now is not to be kept.
                self.note_hidden_input(id);
            }
            if let Some(value) = value {
                state.held = Held::Value(value);
            }
        }
        let value = match &state.held {
            Held::Value(value) => value.clone().downcast::<I::Value>().ok(),
            Held::Nothing | Held::Failed(_) => None,
        };
        Ok((id, value))
    }
}
