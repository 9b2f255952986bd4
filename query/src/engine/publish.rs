//! Writing what this session learned to the store: O(what it touched).

use std::ops::Range;

use super::Engine;
use crate::interrupt::Interrupt;
use crate::node::{Color, Held, NodeId, Saved};
use crate::store::{Batch, BlobAt, Damaged, Delta, Published, Row, Section, Store, flags};

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

/// Fewer nodes than this are gathered before another thread would have started.
pub const SHARED: usize = 4096;

/// Bytes of stack of a thread that writes values, which may be nested as deeply as the sources are.
const DEEP: usize = 64 << 20;

/// What one worker gathers.
#[derive(Default)]
struct News {
    rows: Batch,
    yellow: Vec<u32>,
}

impl Engine {
    /// Is there anything that the store does not have?
    pub fn has_news(&self) -> bool {
        self.nodes.touched(0..u32::MAX).any(|(_, slot)| slot.state.lock().saved != Saved::Yes)
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
        let ahead = self.take_ahead();
        let outcome = self.try_publish(ahead, sections, workers);
        if outcome != Outcome::Written {
            self.wait_no_longer();
        }
        outcome
    }

    fn try_publish(&mut self, ahead: Batch, sections: Vec<(Section, Vec<u8>)>, workers: impl FnOnce() -> usize) -> Outcome {
        let Ok(parts) = self.news(ahead.len(), workers) else { return Outcome::Refused("the stored graph is damaged".to_owned()) };
        let yellow = self.yellow(&parts);
        let rows = std::iter::once(ahead).chain(parts.into_iter().map(|part| part.rows)).collect();
        // Two sessions that change no input are two generations all the same.
        self.revision = self.revision.max(self.store.as_ref().map_or(0, Store::generation) + 1);
        let generation = self.revision;
        let Some(store) = &mut self.store else { return Outcome::Nothing };
        match store.publish(Delta { generation, rows, yellow, sections }) {
            Published::Done => {
                // Losing the log loses explanations, nothing else.
                let _ =
                    store.append_why(generation, &self.executions.get_mut().iter().map(|run| run.record(generation)).collect::<Vec<_>>());
                for (_, slot) in self.nodes.touched(0..u32::MAX) {
                    let mut state = slot.state.lock();
                    state.saved = Saved::Yes;
                    state.superseded = None;
                }
                Outcome::Written
            }
            Published::Raced => Outcome::Raced,
            Published::Failed(reason) => Outcome::Refused(reason),
        }
    }

    /// Gathers what can be published now, so that the publish has less to do, if there are so many new nodes at least. Beside something that leaves a
    /// processor free.
    pub fn gather_ahead(&self, least: usize) {
        let new = self.nodes.len() - self.nodes.stored();
        if self.bare || self.store.is_none() || (new as usize) < least {
            return;
        }
        let mut ahead = self.ahead.lock();
        if ahead.is_empty() {
            let mut news = News { rows: Batch::with_rows(new as usize), yellow: Vec::new() };
            // Whatever is wrong is met again by the publish.
            let _ = self.gather(0..u32::MAX, true, &mut news);
            *ahead = news.rows;
        }
    }

    /// What waited for a publish that failed is gathered by the next one.
    fn wait_no_longer(&self) {
        for (_, slot) in self.nodes.touched(0..u32::MAX) {
            let mut state = slot.state.lock();
            if state.saved == Saved::Waits {
                state.saved = Saved::No;
            }
        }
    }

    /// What was gathered ahead and has not changed since. The rest waits no longer.
    fn take_ahead(&mut self) -> Batch {
        let mut ahead = std::mem::take(self.ahead.get_mut());
        ahead.retain(|id| {
            let Some(slot) = self.nodes.slot(NodeId(id)) else { return false };
            let mut state = slot.state.lock();
            let waits = state.saved == Saved::Waits && state.color == Color::Green;
            if state.saved == Saved::Waits && !waits {
                state.saved = Saved::No;
            }
            waits
        });
        ahead
    }

    /// Rows that the store does not have. What each worker gathers depends on nothing but the nodes, so the file does not tell how many there were.
    fn news(&self, gathered: usize, workers: impl FnOnce() -> usize) -> Result<Vec<News>, Interrupt> {
        let touched = self.nodes.touched(0..u32::MAX).count().saturating_sub(gathered);
        let workers = if touched < SHARED { 1 } else { workers().max(1) };
        // What a cold build has made is everything, so equal parts of the numbers are equal work.
        let (count, rows) = (self.nodes.len(), touched.div_ceil(workers));
        let share = |worker: usize| (count as usize * worker / workers) as u32..(count as usize * (worker + 1) / workers) as u32;
        let mut shares = (0..workers).map(share);
        let first = shares.next().unwrap_or_default();
        std::thread::scope(|scope| {
            let gather = |share| {
                let mut news = News { rows: Batch::with_rows(rows), yellow: Vec::new() };
                self.gather(share, false, &mut news).map(|()| news)
            };
            let spawn = |share: Range<u32>| {
                let part = share.clone();
                std::thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, move || gather(part)).ok().ok_or(share)
            };
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

    /// Adds the rows of these numbers; `is_early`: of those that are up to date, which wait from now on.
    fn gather(&self, share: Range<u32>, is_early: bool, news: &mut News) -> Result<(), Interrupt> {
        for (id, slot) in self.nodes.touched(share) {
            let mut state = slot.state.lock();
            if matches!(state.color, Color::Yellow | Color::New | Color::Running(_)) {
                news.yellow.push(id.0);
            }
            let is_new = id.0 >= self.nodes.stored();
            // Every new number has a row, even that of a node which was asked for and then never computed.
            let has_no_row = is_new && self.store.as_ref().is_none_or(|store| id.0 >= store.node_count());
            let is_wanted = match state.saved {
                Saved::No => !is_early || state.color == Color::Green,
                Saved::Yes => has_no_row && !is_early,
                Saved::Waits => false,
            };
            if !is_wanted {
                continue;
            }
            let kind = self.row(slot.kind);
            let (key, key_at) = if is_new {
                let Some(key) = slot.key.get() else { return Err(Interrupt::Damaged) };
                news.rows.key(|out| kind.key_bytes(&**key, out));
                (kind.key_fingerprint(&**key), BlobAt::NONE)
            } else {
                let row = self.stored_row(id)?;
                (row.key, row.key_at)
            };
            let failed = !state.known || matches!(state.held, Held::Failed(_));
            if let Held::Value(value) = &state.held
                && state.stored == BlobAt::NONE
                && kind.is_persisted()
            {
                news.rows.value(|out| kind.value_bytes(&**value, out));
            }
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
            match &state.deps {
                Some(deps) => deps.iter().for_each(|dep| news.rows.dep(dep.0)),
                None => self.deps(id, &state)?.iter().for_each(|dep| news.rows.dep(dep.0)),
            }
            if let Some(trace) = state.superseded.take() {
                news.rows.trace(*trace);
            }
            news.rows.row(id.0, row);
            if is_early {
                state.saved = Saved::Waits;
            }
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
