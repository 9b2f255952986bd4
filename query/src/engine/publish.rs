//! Writing what this session learned to the store: O(what it touched).

use std::borrow::Cow;
use std::ops::Range;

use super::Engine;
use crate::interrupt::Interrupt;
use crate::node::{Color, Held, NodeId, Slot};
use crate::store::{BlobAt, Damaged, Delta, NewRow, Published, Row, Section, Store, Trace, flags};

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

/// Fewer touched nodes than this are gathered before another thread would have started.
const SHARED: usize = 4096;

/// Bytes of stack of a thread that writes values, which may be nested as deeply as the sources are.
const DEEP: usize = 64 << 20;

/// Rows for the store, with their bytes and questions in two pieces of memory instead of three a row.
#[derive(Default)]
struct News {
    rows: Vec<Gathered>,
    bytes: Vec<u8>,
    deps: Vec<u32>,
    yellow: Vec<u32>,
    scratch: Vec<u8>,
}

struct Gathered {
    id: u32,
    row: Row,
    deps: Range<usize>,
    new_key: Option<Range<usize>>,
    new_value: Option<Range<usize>>,
    trace: Option<Trace>,
}

impl News {
    /// Where the bytes lie that `write` gives.
    fn stored(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        self.scratch.clear();
        write(&mut self.scratch);
        let from = self.bytes.len();
        self.bytes.extend_from_slice(&self.scratch);
        from..self.bytes.len()
    }

    fn rows(&self) -> impl Iterator<Item = NewRow<'_>> {
        let bytes = |range: &Range<usize>| Cow::Borrowed(&self.bytes[range.clone()]);
        self.rows.iter().map(move |row| NewRow {
            id: row.id,
            row: row.row,
            deps: Cow::Borrowed(&self.deps[row.deps.clone()]),
            new_key: row.new_key.as_ref().map(bytes),
            new_value: row.new_value.as_ref().map(bytes),
            trace: row.trace.clone(),
        })
    }
}

impl Engine {
    /// Is there anything that the store does not have?
    pub fn has_news(&self) -> bool {
        self.nodes.touched().any(|(_, slot)| slot.state.lock().unsaved)
    }

    /// Writes everything that the store does not have, with these sections, as the next generation.
    pub fn publish(&mut self, sections: Vec<(Section, Vec<u8>)>) -> Outcome {
        self.publish_with(sections, || 1)
    }

    /// The same, where so many threads bring values into their stored form; how many is asked when there is enough to share.
    pub fn publish_with(&mut self, sections: Vec<(Section, Vec<u8>)>, workers: impl FnOnce() -> usize) -> Outcome {
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
        let Ok(parts) = self.news(workers) else { return Outcome::Refused("the stored graph is damaged".to_owned()) };
        let (rows, yellow) = (parts.iter().flat_map(News::rows).collect(), self.yellow(&parts));
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

    /// Rows that the store does not have. What each worker gathers depends on nothing but the nodes, so the file does not tell how many there were.
    fn news(&self, workers: impl FnOnce() -> usize) -> Result<Vec<News>, Interrupt> {
        let touched: Vec<(NodeId, &Slot)> = self.nodes.touched().collect();
        let workers = if touched.len() < SHARED { 1 } else { workers().max(1) };
        let mut shares = touched.chunks(touched.len().div_ceil(workers).max(1));
        let first = shares.next().unwrap_or_default();
        std::thread::scope(|scope| {
            let gather = |share| {
                let mut news = News::default();
                self.gather(share, &mut news).map(|()| news)
            };
            let spawn = |share| std::thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, move || gather(share)).ok().ok_or(share);
            let others: Vec<_> = shares.map(spawn).collect();
            let mut parts = vec![gather(first)?];
            for other in others {
                parts.push(match other {
                    Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
                    // No thread to be had: the work is done here.
                    Err(share) => gather(share)?,
                });
            }
            Ok(parts)
        })
    }

    /// All nodes that are out of date.
    fn yellow(&self, parts: &[News]) -> Vec<u32> {
        // What an earlier session left yellow is marked since the store was attached; what was verified meanwhile is not. Were that still listed, the
        // next session would take its dependents, which are green, for yellow, and marking would stop short of them.
        let mut yellow: Vec<u32> = self.nodes.yellow().map(|id| id.0).collect();
        yellow.extend(parts.iter().flat_map(|part| &part.yellow));
        yellow.sort_unstable();
        yellow.dedup();
        yellow
    }

    fn gather(&self, touched: &[(NodeId, &Slot)], news: &mut News) -> Result<(), Interrupt> {
        for &(id, slot) in touched {
            let mut state = slot.state.lock();
            if matches!(state.color, Color::Yellow | Color::New | Color::Running(_)) {
                news.yellow.push(id.0);
            }
            let is_new = id.0 >= self.nodes.stored();
            // Every new number has a row, even that of a node which was asked for and then never computed.
            let has_no_row = is_new && self.store.as_ref().is_none_or(|store| id.0 >= store.node_count());
            if !state.unsaved && !has_no_row {
                continue;
            }
            let kind = self.row(slot.kind);
            let (key, key_at, new_key) = if is_new {
                let Some(key) = slot.key.get() else { return Err(Interrupt::Damaged) };
                (kind.key_fingerprint(&**key), BlobAt::NONE, Some(news.stored(|out| kind.key_bytes(&**key, out))))
            } else {
                let row = self.stored_row(id)?;
                (row.key, row.key_at, None)
            };
            let failed = !state.known || matches!(state.held, Held::Failed(_));
            let new_value = match &state.held {
                Held::Value(value) if state.stored == BlobAt::NONE && kind.is_persisted() => {
                    Some(news.stored(|out| kind.value_bytes(&**value, out)))
                }
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
            let from = news.deps.len();
            match &state.deps {
                Some(deps) => news.deps.extend(deps.iter().map(|dep| dep.0)),
                None => news.deps.extend(self.deps(id, &state)?.iter().map(|dep| dep.0)),
            }
            let trace = state.superseded.take();
            news.rows.push(Gathered { id: id.0, row, deps: from..news.deps.len(), new_key, new_value, trace });
        }
        Ok(())
    }

    /// The stored graph is not to be believed: the next publish writes a new one from nothing.
    pub fn forget_store(&mut self) -> Result<(), Damaged> {
        if let Some(store) = &mut self.store {
            store.reset();
        }
        Ok(())
    }
}
