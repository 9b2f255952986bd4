//! Writing what this session learned to the store: O(what it touched).

use super::Engine;
use crate::interrupt::Interrupt;
use crate::node::{Color, Held, NodeId, Slot};
use crate::store::{BlobAt, Damaged, Delta, NewRow, Published, Row, Section, Store, flags};

/// What became of a publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There was nothing to write.
    Nothing,
    /// The next session knows what this one does.
    Written,
    /// Another process published meanwhile; what this session learned is dropped.
    Raced,
    /// Something this session learned is not to be believed, or the store cannot be written.
    Refused(String),
}

impl Engine {
    /// Is there anything that the store does not have?
    pub fn has_news(&self) -> bool {
        self.nodes.touched().any(|(_, slot)| slot.state.lock().unsaved)
    }

    /// Writes everything that the store does not have, with these sections, as the next generation.
    pub fn publish(&mut self, sections: Vec<(Section, Vec<u8>)>) -> Outcome {
        if self.bare || self.store.is_none() {
            return Outcome::Nothing;
        }
        if self.is_damaged() {
            return Outcome::Refused("the stored graph is damaged".to_owned());
        }
        if let Some(node) = self.differences.get_mut().first().map(|difference| difference.node) {
            return Outcome::Refused(format!("{} gave two different answers", self.node_name(node)));
        }
        if sections.is_empty() && !self.has_news() {
            return Outcome::Nothing;
        }
        let (rows, yellow) = match self.news() {
            Ok(news) => news,
            Err(_) => return Outcome::Refused("the stored graph is damaged".to_owned()),
        };
        // Two sessions that change no input are two generations all the same.
        self.revision = self.revision.max(self.store.as_ref().map_or(0, Store::generation) + 1);
        let generation = self.revision;
        let Some(store) = &mut self.store else { return Outcome::Nothing };
        match store.publish(Delta { generation, rows, yellow, sections }) {
            Published::Done => {
                // Losing the log loses explanations, nothing else.
                let _ =
                    store.append_why(generation, &self.executions.get_mut().iter().map(|run| run.record(generation)).collect::<Vec<_>>());
                for (_, slot) in self.nodes.touched() {
                    let mut state = slot.state.lock();
                    state.unsaved = false;
                    state.superseded = None;
                }
                Outcome::Written
            }
            Published::Raced => Outcome::Raced,
            Published::Failed(reason) => Outcome::Refused(reason),
        }
    }

    /// Rows that the store does not have, and all nodes that are out of date.
    fn news(&self) -> Result<(Vec<NewRow<'static>>, Vec<u32>), Interrupt> {
        // What an earlier session left yellow is marked since the store was attached; what was verified meanwhile is not. Were that still listed, the
        // next session would take its dependents, which are green, for yellow, and marking would stop short of them.
        let mut yellow: Vec<u32> = self.nodes.yellow().map(|id| id.0).collect();
        let mut rows = Vec::new();
        for (id, slot) in self.nodes.touched() {
            if matches!(slot.state.lock().color, Color::Yellow | Color::New | Color::Running(_)) {
                yellow.push(id.0);
            }
            if let Some(row) = self.new_row(id, slot)? {
                rows.push(row);
            }
        }
        yellow.sort_unstable();
        yellow.dedup();
        Ok((rows, yellow))
    }

    fn new_row(&self, id: NodeId, slot: &Slot) -> Result<Option<NewRow<'static>>, Interrupt> {
        let mut state = slot.state.lock();
        let is_new = id.0 >= self.nodes.stored();
        // Every new number has a row, even that of a node which was asked for and then never computed.
        let has_no_row = is_new && self.store.as_ref().is_none_or(|store| id.0 >= store.node_count());
        if !state.unsaved && !has_no_row {
            return Ok(None);
        }
        let kind = self.row(slot.kind);
        let (key, key_at, new_key) = if is_new {
            let Some(key) = slot.key.get() else { return Err(Interrupt::Damaged) };
            let mut bytes = Vec::with_capacity(64);
            kind.key_bytes(&**key, &mut bytes);
            (kind.key_fingerprint(&**key), BlobAt::NONE, Some(bytes.into()))
        } else {
            let row = self.stored_row(id)?;
            (row.key, row.key_at, None)
        };
        let failed = !state.known || matches!(state.held, Held::Failed(_));
        let new_value = match &state.held {
            Held::Value(value) if state.stored == BlobAt::NONE => kind.bytes_of(&**value).map(Into::into),
            Held::Value(_) | Held::Nothing | Held::Failed(_) => None,
        };
        let row = Row {
            kind: slot.kind.0,
            flags: if failed { flags::FAILED } else { 0 },
            cost: state.cost,
            key,
            value: state.fp,
            key_at,
            value_at: state.stored,
            changed_at: state.changed_at,
            verified_at: state.verified_at,
        };
        let deps = self.deps(id, &state)?.into_iter().map(|dep| dep.0).collect::<Vec<u32>>();
        Ok(Some(NewRow { id: id.0, row, deps: deps.into(), new_key, new_value, trace: state.superseded.take() }))
    }

    /// The stored graph is not to be believed: the next publish writes a new one from nothing.
    pub fn forget_store(&mut self) -> Result<(), Damaged> {
        if let Some(store) = &mut self.store {
            store.reset();
        }
        Ok(())
    }
}
