//! Rows on their way to a publish. There are many thousands at once, so they lie in few pieces of memory, and the bytes of keys and values lie as the blob
//! file will have them: what is left to do is the header of each, once its place in the file is known.

use std::sync::Arc;

use super::Row;
use super::blob::{self, BLOB_HEADER};
use super::trace::Trace;

/// A piece of memory that is this long is left for another one: growing it would copy it.
const PIECE: usize = 1 << 20;

/// New and changed nodes. What belongs to a row is added before the row, which takes it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    rows: Vec<Noted>,
    deps: Vec<u32>,
    traces: Vec<Trace>,
    /// Blobs, one behind the other.
    pieces: Vec<Arc<Vec<u8>>>,
    /// Bytes of the pieces that were left.
    full: u64,
    /// What the next row takes.
    key: u32,
    value: u32,
    trace: u32,
}

/// A row in a batch. Places begin at 1; 0 is none.
#[derive(Clone, Copy, Debug)]
struct Noted {
    id: u32,
    /// Not to be published after all.
    is_dropped: bool,
    row: Row,
    deps_end: u32,
    trace: u32,
    /// Of its blobs in this batch, in units of eight bytes.
    key: u32,
    value: u32,
}

/// A row with what belongs to it.
#[derive(Clone, Copy)]
pub(super) struct BatchRow<'a> {
    pub row: &'a Row,
    pub deps: &'a [u32],
    pub trace: Option<&'a Trace>,
    /// Units of eight bytes from the beginning of the batch to the new bytes of its key, if there are any.
    pub new_key: Option<u32>,
    /// The same for its value.
    pub new_value: Option<u32>,
}

impl Batch {
    /// Nothing, with room for so many rows.
    pub fn with_rows(rows: usize) -> Batch {
        Batch { rows: Vec::with_capacity(rows), deps: Vec::with_capacity(rows * 4), ..Batch::default() }
    }

    /// The next row asked this, behind what it asked before.
    pub fn dep(&mut self, id: u32) {
        self.deps.push(id);
    }

    /// Bytes of the next row's key, to be stored.
    pub fn key(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.key = self.blob(write);
    }

    /// Bytes of the next row's value, to be stored.
    pub fn value(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.value = self.blob(write);
    }

    /// The state that the next row had before, to be remembered.
    pub fn trace(&mut self, trace: Trace) {
        self.traces.push(trace);
        self.trace = self.traces.len() as u32;
    }

    /// A new or changed node, each at most once in all batches of a publish. Its places are such that the store gave for the same fingerprints, or none.
    /// Numbers without a row, below the highest that has one, read as [`Row::EMPTY`].
    pub fn row(&mut self, id: u32, row: Row) {
        let [key, value, trace] = [&mut self.key, &mut self.value, &mut self.trace].map(std::mem::take);
        self.rows.push(Noted { id, is_dropped: false, row, deps_end: self.deps.len() as u32, trace, key, value });
    }

    /// One more than its place; 0 when the bytes are too many.
    fn blob(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        if self.pieces.last().is_none_or(|piece| piece.len() >= PIECE) {
            self.full += self.pieces.last().map_or(0, |piece| piece.len() as u64);
            // The first one may stay small: an edit writes little.
            self.pieces.push(Arc::new(Vec::with_capacity(if self.pieces.is_empty() { 0 } else { PIECE + PIECE / 4 })));
        }
        let Some(piece) = self.pieces.last_mut().map(Arc::make_mut) else { return 0 };
        let from = piece.len();
        piece.resize(from + BLOB_HEADER, 0);
        write(piece);
        let place = u32::try_from((self.full + from as u64) / 8 + 1).ok().filter(|_| blob::set_len(&mut piece[from..]));
        piece.resize(if place.is_some() { piece.len().next_multiple_of(8) } else { from }, 0);
        place.unwrap_or(0)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Drops rows that are not what they were. Their bytes stay, and nobody names them.
    pub fn retain(&mut self, mut keeps: impl FnMut(u32) -> bool) {
        for noted in &mut self.rows {
            noted.is_dropped |= !keeps(noted.id);
        }
    }

    /// The places and numbers of its rows.
    pub(super) fn ids(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(&self.rows).filter(|(_, noted)| !noted.is_dropped).map(|(at, noted)| (at, noted.id))
    }

    pub(super) fn get(&self, at: usize) -> BatchRow<'_> {
        let noted = &self.rows[at];
        let deps_start = if at == 0 { 0 } else { self.rows[at - 1].deps_end };
        BatchRow {
            row: &noted.row,
            deps: &self.deps[deps_start as usize..noted.deps_end as usize],
            trace: noted.trace.checked_sub(1).map(|at| &self.traces[at as usize]),
            new_key: noted.key.checked_sub(1),
            new_value: noted.value.checked_sub(1),
        }
    }

    /// Are all nodes that its rows name below this number?
    pub(super) fn names_below(&self, nodes: u32) -> bool {
        self.deps.iter().all(|&dep| dep < nodes) && self.traces.iter().all(|trace| trace.deps.iter().all(|&(dep, _)| dep < nodes))
    }

    /// The blobs, with headers for a file in which the first lies at `start`.
    pub(super) fn sealed(&mut self, start: u64) -> &[Arc<Vec<u8>>] {
        let (mut piece, mut before) = (0, 0);
        for noted in &self.rows {
            for (place, owner) in [(noted.key, noted.row.key), (noted.value, noted.row.value)] {
                let Some(unit) = place.checked_sub(1) else { continue };
                let offset = u64::from(unit) * 8;
                while offset - before >= self.pieces[piece].len() as u64 {
                    before += self.pieces[piece].len() as u64;
                    piece += 1;
                }
                blob::seal(&mut Arc::make_mut(&mut self.pieces[piece])[(offset - before) as usize..], start + offset, owner);
            }
        }
        &self.pieces
    }
}
