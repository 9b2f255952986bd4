//! Places: where in an item an op stands, for panic reports.
//!
//! A place is relative to its item, so that moving a function changes no code. Inlining keeps the place of the callee and chains the
//! place of the call behind it (decision 9). Code stores [`PlaceId`]s only.

use crate::ItemId;

/// Index into the [`Places`] of one body; [`PlaceId::NONE`] for an op without a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(pub u32);

impl PlaceId {
    /// No place.
    pub const NONE: PlaceId = PlaceId(u32::MAX);

    /// True unless it is [`PlaceId::NONE`].
    pub const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

/// One position in the source, relative to an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The item whose source it is.
    pub item: ItemId,
    /// Line from 1, where 1 is the line on which the item starts.
    pub line: u32,
    /// Column from 1, in bytes of the whole line.
    pub column: u32,
    /// The call through which this code was inlined, in the same table; always a smaller index.
    pub inlined_at: PlaceId,
}

/// The place table of a body.
#[derive(PartialEq, Eq, Hash, Default, Debug)]
pub struct Places {
    rows: Vec<Place>,
}

impl Clone for Places {
    fn clone(&self) -> Self {
        Places { rows: self.rows.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.rows.clone_from(&other.rows);
    }
}

impl Places {
    /// An empty table.
    pub const fn new() -> Self {
        Places { rows: Vec::new() }
    }

    /// Appends a place; equal consecutive places share a row.
    pub fn add(&mut self, place: Place) -> PlaceId {
        if self.rows.last() != Some(&place) {
            self.rows.push(place);
        }
        PlaceId(self.rows.len() as u32 - 1)
    }

    /// Appends a place as it is, for whoever reads a table back.
    pub fn push(&mut self, place: Place) {
        self.rows.push(place);
    }

    /// Forgets all places and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// The place behind an id; `None` for [`PlaceId::NONE`] and for ids that dangle.
    pub fn get(&self, id: PlaceId) -> Option<&Place> {
        self.rows.get(id.0 as usize)
    }

    /// All places in id order.
    pub fn rows(&self) -> &[Place] {
        &self.rows
    }

    /// Puts another place where each one is; chains stay.
    pub fn rename(&mut self, other: impl Fn(Place) -> Place) {
        for place in &mut self.rows {
            *place = other(*place);
        }
    }

    /// The chain from the innermost place outwards.
    pub fn chain(&self, id: PlaceId) -> impl Iterator<Item = &Place> {
        let mut next = id;
        std::iter::from_fn(move || {
            let place = self.get(next)?;
            // A chain that does not go down would not end; a verifier reports it, this walk just stops.
            next = if place.inlined_at.0 < next.0 { place.inlined_at } else { PlaceId::NONE };
            Some(place)
        })
    }

    /// Copies the chain of `id` from `other` and hangs it under `call`, a place of this table: what inlining does.
    pub fn import(&mut self, other: &Places, id: PlaceId, call: PlaceId) -> PlaceId {
        if let Some(place) = other.get(id)
            && !place.inlined_at.is_some()
        {
            self.rows.push(Place { inlined_at: call, ..*place });
            return PlaceId(self.rows.len() as u32 - 1);
        }
        let chain: Vec<Place> = other.chain(id).copied().collect();
        let mut outer = call;
        for place in chain.into_iter().rev() {
            self.rows.push(Place { inlined_at: outer, ..place });
            outer = PlaceId(self.rows.len() as u32 - 1);
        }
        outer
    }
}
