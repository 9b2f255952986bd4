//! A segment: one immutable file with nodes, their edges and small sections, used in place.
//!
//! ```text
//! header   magic, counts, column directory, schema of its writer, root sums   (checksum in HEAD)
//! data     from a page boundary: the columns, each 64-byte aligned             (pages of 4 KB)
//! sums     one checksum a page; 512 of them, one page of sums, have a root sum in the header
//! ```
//!
//! Opening checks the header alone. A page is checked when it is first touched, with the page of sums that vouches for it, and a bit remembers that: a
//! changed function costs the pages that it touches, a microsecond each, at any size of the graph. (64 KB groups, as first planned, cost 3 to 15 times
//! that for the scattered reads of an edit.)
//!
//! A *base* holds every node: row `i` is node `i`, reverse edges are one compressed list, and the index finds keys. A *delta* holds what was published
//! after the segments below it: its rows are found through a small hash table by id, its index has only the keys that those below do not have, and its
//! reverse edges only the edges that those below do not have.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Damaged;
use super::bytes::{Reader, checksum};
use super::head::SegmentEntry;
use super::map::Mapped;
use super::row::{ROW, RawRow};
use crate::fingerprint::Fp;

pub(crate) const MAGIC: [u8; 8] = *b"ORIGRAPH";
pub(crate) const PAGE: usize = 4096;
/// Bytes of data that one page of sums vouches for.
pub(crate) const SUMS_A_PAGE: usize = PAGE / 8;

/// The columns of a segment, in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Column {
    /// One row of 64 bytes a node, and one more that ends the lists of the last.
    Rows,
    /// Delta: the id of each row, ascending.
    Ids,
    /// Delta: hash table from id to row: pairs (id + 1, row).
    IdMap,
    /// Dependencies of each row, in recorded order.
    Deps,
    /// Dependents. Base: grouped by node as the rows say. Delta: lists, each after its length.
    Dependents,
    /// Delta: hash table from a node to its list of dependents: pairs (id + 1, place).
    DependentsMap,
    /// Hash table from key fingerprint to row + 1.
    Index,
    /// Superseded states, see [`super::trace`].
    Traces,
    /// All ids that are out of date as of this publish.
    Yellow,
    /// Section `Inputs`.
    Inputs,
    /// Section `Outputs`.
    Outputs,
    /// Section `Roots`.
    Roots,
}

pub(crate) const COLUMNS: usize = 12;

/// Where a column lies in the file. An absent one starts at 0.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Extent {
    pub at: usize,
    pub len: usize,
}

/// What the header says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub is_base: bool,
    /// Rows in this segment.
    pub rows: u32,
    /// Nodes in the graph when it was written.
    pub nodes: u32,
    pub data_at: usize,
    pub data_end: usize,
    pub columns: [Extent; COLUMNS],
    /// Fingerprint of each kind, as its writer had it, ascending by kind.
    pub schema: Vec<(u16, Fp)>,
    /// Checksum of each page of sums.
    pub roots: Vec<u64>,
}

/// An open segment.
pub(crate) struct Segment {
    bytes: Mapped,
    pub header: Header,
    /// One bit a page of data, then one a page of sums: it has been checked.
    seen: Box<[AtomicU64]>,
    /// Kinds whose rows here were written under another schema, ascending.
    pub stale: Vec<u16>,
    pub entry: SegmentEntry,
}

/// Words of a column.
pub(crate) type Words<'a> = &'a [[u8; 4]];

#[inline]
pub(crate) fn word(words: Words<'_>, at: usize) -> Result<u32, Damaged> {
    words.get(at).map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Damaged)
}

/// Where in a table of `slots` the search for a hash starts.
#[inline]
pub(crate) fn slot_of(hash: u64, slots: usize) -> usize {
    ((u128::from(hash) * slots as u128) >> 64) as usize
}

/// Spreads an id over 64 bits.
#[inline]
pub(crate) fn spread(id: u32) -> u64 {
    u64::from(id).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Segment {
    /// Takes a file for what `HEAD` says it is, or refuses.
    pub fn open(bytes: Mapped, entry: SegmentEntry, schema: &[(u16, Fp)]) -> Result<Segment, Damaged> {
        let file_len = usize::try_from(entry.file_len).map_err(|_| Damaged)?;
        let header_bytes = bytes.get(..entry.header_len as usize).ok_or(Damaged)?;
        if bytes.len() < file_len || checksum(header_bytes) != entry.header_sum {
            return Err(Damaged);
        }
        let header = Header::decode(header_bytes).ok_or(Damaged)?;
        header.check(entry.header_len as usize, file_len).ok_or(Damaged)?;
        let pages = header.pages();
        let words = (pages + header.roots.len()).div_ceil(64);
        let seen = (0..words).map(|_| AtomicU64::new(0)).collect();
        let mut stale = Vec::new();
        for &(kind, fp) in &header.schema {
            if !schema.iter().any(|&(given, given_fp)| given == kind && given_fp == fp) {
                stale.push(kind);
            }
        }
        Ok(Segment { bytes, header, seen, stale, entry })
    }

    /// Were rows of this kind written under another schema?
    pub fn is_stale(&self, kind: u16) -> bool {
        self.stale.contains(&kind)
    }

    /// The whole file.
    pub fn file(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    fn has_seen(&self, bit: usize) -> bool {
        self.seen.get(bit / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (bit % 64) & 1 != 0)
    }

    fn remember(&self, bit: usize) {
        if let Some(word) = self.seen.get(bit / 64) {
            word.fetch_or(1 << (bit % 64), Ordering::Relaxed);
        }
    }

    /// The bytes of the file from one place to another, checked.
    #[inline]
    fn checked(&self, from: usize, to: usize) -> Result<&[u8], Damaged> {
        if from < to {
            let first = from.checked_sub(self.header.data_at).ok_or(Damaged)? / PAGE;
            let last = (to - 1 - self.header.data_at) / PAGE;
            for page in first..=last {
                if !self.has_seen(page) {
                    self.check_page(page)?;
                }
            }
        }
        self.bytes.get(from..to).ok_or(Damaged)
    }

    #[cold]
    fn check_page(&self, page: usize) -> Result<(), Damaged> {
        let header = &self.header;
        let (pages, sums_at) = (header.pages(), header.sums_at());
        let group = page / SUMS_A_PAGE;
        if !self.has_seen(pages + group) {
            let from = sums_at + group * PAGE;
            let sums = self.bytes.get(from..(from + PAGE).min(sums_at + pages * 8)).ok_or(Damaged)?;
            if header.roots.get(group) != Some(&checksum(sums)) {
                return Err(Damaged);
            }
            self.remember(pages + group);
        }
        let from = header.data_at + page * PAGE;
        let data = self.bytes.get(from..(from + PAGE).min(header.data_end)).ok_or(Damaged)?;
        let mut sum = Reader(self.bytes.get(sums_at + page * 8..).ok_or(Damaged)?);
        if sum.u64() != Some(checksum(data)) {
            return Err(Damaged);
        }
        self.remember(page);
        Ok(())
    }

    /// Checks every page.
    pub fn check_all(&self) -> Result<(), Damaged> {
        (0..self.header.pages()).try_for_each(|page| self.check_page(page))
    }

    /// Part of a column as words.
    #[inline]
    pub fn words(&self, column: Column, from: usize, to: usize) -> Result<Words<'_>, Damaged> {
        let extent = self.header.columns[column as usize];
        if from > to || to > extent.len / 4 {
            return Err(Damaged);
        }
        Ok(self.checked(extent.at + from * 4, extent.at + to * 4)?.as_chunks::<4>().0)
    }

    /// A whole column as words.
    pub fn all_words(&self, column: Column) -> Result<Words<'_>, Damaged> {
        self.words(column, 0, self.header.columns[column as usize].len / 4)
    }

    /// A whole column as bytes; `None` when the segment does not have it.
    pub fn bytes(&self, column: Column) -> Option<Result<&[u8], Damaged>> {
        let extent = self.header.columns[column as usize];
        (extent.at != 0).then(|| self.checked(extent.at, extent.at + extent.len))
    }

    /// Row `local`; the one after the last is there too, and ends the lists.
    #[inline]
    pub fn raw(&self, local: u32) -> Result<RawRow<'_>, Damaged> {
        let extent = self.header.columns[Column::Rows as usize];
        let from = extent.at + local as usize * ROW;
        if local > self.header.rows {
            return Err(Damaged);
        }
        self.checked(from, from + ROW)?.first_chunk::<ROW>().map(RawRow).ok_or(Damaged)
    }

    /// Is it the segment that the others build on?
    pub fn is_base(&self) -> bool {
        self.header.is_base
    }

    /// The row of a node here.
    #[inline]
    pub fn local(&self, id: u32) -> Result<Option<u32>, Damaged> {
        if self.header.is_base { Ok((id < self.header.rows).then_some(id)) } else { self.look_up(Column::IdMap, id) }
    }

    /// The node of a row here.
    pub fn id_of(&self, local: u32) -> Result<u32, Damaged> {
        if self.header.is_base { Ok(local) } else { word(self.words(Column::Ids, local as usize, local as usize + 1)?, 0) }
    }

    /// Searches a hash table of pairs (id + 1, value).
    #[inline]
    fn look_up(&self, table: Column, id: u32) -> Result<Option<u32>, Damaged> {
        let slots = self.header.columns[table as usize].len / 8;
        if slots == 0 {
            return Ok(None);
        }
        let mut slot = slot_of(spread(id), slots);
        for _ in 0..slots {
            let pair = self.words(table, slot * 2, slot * 2 + 2)?;
            match word(pair, 0)? {
                0 => return Ok(None),
                found if found == id.wrapping_add(1) => return word(pair, 1).map(Some),
                _ => slot = if slot + 1 == slots { 0 } else { slot + 1 },
            }
        }
        Ok(None)
    }

    /// Rows whose key here has this fingerprint: at most one, for keys are distinct.
    pub fn find(&self, key: Fp) -> Result<Option<u32>, Damaged> {
        let slots = self.header.columns[Column::Index as usize].len / 4;
        if slots == 0 {
            return Ok(None);
        }
        let mut slot = slot_of(key.0, slots);
        for _ in 0..slots {
            match word(self.words(Column::Index, slot, slot + 1)?, 0)? {
                0 => return Ok(None),
                found => {
                    if self.raw(found - 1)?.key() == key {
                        return Ok(Some(found - 1));
                    }
                }
            }
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
        Ok(None)
    }

    /// The dependencies of a row.
    #[inline]
    pub fn deps(&self, local: u32) -> Result<Words<'_>, Damaged> {
        let (from, to) = (self.raw(local)?.deps_start(), self.raw(local + 1)?.deps_start());
        self.words(Column::Deps, from as usize, to as usize)
    }

    /// Who depends on a node, as far as this segment knows.
    #[inline]
    pub fn dependents(&self, id: u32) -> Result<Words<'_>, Damaged> {
        if self.header.is_base {
            if id >= self.header.rows {
                return Ok(&[]);
            }
            let (from, to) = (self.raw(id)?.dependents_start(), self.raw(id + 1)?.dependents_start());
            return self.words(Column::Dependents, from as usize, to as usize);
        }
        let Some(place) = self.look_up(Column::DependentsMap, id)? else { return Ok(&[]) };
        let place = place as usize;
        let len = word(self.words(Column::Dependents, place, place.checked_add(1).ok_or(Damaged)?)?, 0)? as usize;
        self.words(Column::Dependents, place + 1, place + 1 + len)
    }
}

impl Header {
    /// Number of pages of data.
    pub fn pages(&self) -> usize {
        (self.data_end - self.data_at).div_ceil(PAGE)
    }

    /// Where the sums start.
    pub fn sums_at(&self) -> usize {
        self.data_end.next_multiple_of(8)
    }

    fn decode(bytes: &[u8]) -> Option<Header> {
        let from = &mut Reader(bytes);
        if from.array()? != MAGIC {
            return None;
        }
        let mut header = Header { is_base: from.u32()? == 0, rows: from.u32()?, nodes: from.u32()?, ..Header::default() };
        let schema = from.u32()?;
        header.data_at = usize::try_from(from.u64()?).ok()?;
        header.data_end = usize::try_from(from.u64()?).ok()?;
        for column in &mut header.columns {
            column.at = usize::try_from(from.u64()?).ok()?;
            column.len = usize::try_from(from.u64()?).ok()?;
        }
        for _ in 0..schema {
            header.schema.push((from.u16()?, from.fp()?));
        }
        while !from.0.is_empty() {
            header.roots.push(from.u64()?);
        }
        Some(header)
    }

    /// Are all places inside the file, and all columns as long as the counts say? Whoever reads a column relies on nothing else.
    fn check(&self, header_len: usize, file_len: usize) -> Option<()> {
        let in_order = header_len <= self.data_at && self.data_at <= self.data_end && self.data_end <= file_len;
        let sums_end = self.data_end.checked_next_multiple_of(8)?.checked_add(in_order.then(|| self.pages())?.checked_mul(8)?)?;
        let roots = self.pages().div_ceil(SUMS_A_PAGE);
        let columns_inside = self.columns.iter().all(|column| {
            column.at == 0 && column.len == 0
                || column.at >= self.data_at && column.at.checked_add(column.len).is_some_and(|end| end <= self.data_end)
        });
        let rows_fit = self.columns[Column::Rows as usize].len as u64 == (u64::from(self.rows) + 1) * ROW as u64;
        let counts_fit = self.rows <= self.nodes && (!self.is_base || self.rows == self.nodes);
        (sums_end <= file_len && roots == self.roots.len() && columns_inside && rows_fit && counts_fit).then_some(())
    }
}
