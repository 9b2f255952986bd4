//! The tables of a sidecar: rows of words, in the order and places of [`crate::slots`]. A row's first word names what it is of; rows with one first
//! word are ordered by the second. Entering and removing a row here moves what a placement from scratch would place elsewhere, and nothing else.

use std::ops::Range;

use super::Fallback;
use super::pages::Pages;
use super::short::Short;
use crate::slots::{capacity, home};

/// A table. Its capacity stays while a plan works; whether the count still calls for it is asked at the end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    /// Number of its first word.
    pub at: u64,
    /// Words of a row.
    pub words: u32,
    /// Number of places for rows.
    pub capacity: u32,
    /// Number of rows.
    pub count: u32,
    /// Rows are ordered by two words.
    pub pairs: bool,
    /// What its rows are of.
    pub name: &'static str,
}

/// By what rows are ordered.
pub type Rank = (u64, u64);

/// Longest row.
pub const LONGEST: usize = 9;

/// Where rows with rising first words stand in a table built at once.
pub fn places(firsts: impl ExactSizeIterator<Item = u64>, capacity: u32) -> impl Iterator<Item = u32> {
    let count = firsts.len() as u32;
    let mut next = 0;
    firsts.enumerate().map(move |(number, first)| {
        let place = home(first >> 8, capacity).max(next).min(capacity - (count - number as u32));
        next = place + 1;
        place
    })
}

impl Table {
    /// Words of the whole table.
    pub const fn size(&self) -> u64 {
        self.capacity as u64 * self.words as u64
    }

    /// The count still calls for the capacity.
    pub fn is_settled(&self) -> bool {
        capacity(self.count) == self.capacity
    }

    const fn word_of(&self, row: u32) -> u64 {
        self.at + row as u64 * self.words as u64
    }

    /// First word of a row: 0 when it is free.
    pub fn first(&self, pages: &Pages, row: u32) -> Result<u64, Fallback> {
        pages.word(self.word_of(row))
    }

    /// First word of a row before the plan.
    pub fn old_first(&self, pages: &Pages, row: u32) -> Result<u64, Fallback> {
        pages.old_word(self.word_of(row))
    }

    /// The words of a row.
    pub fn row<const N: usize>(&self, pages: &Pages, row: u32) -> Result<[u64; N], Fallback> {
        debug_assert!(self.words as usize == N);
        self.start(pages, row)
    }

    /// The first words of a row.
    pub fn start<const N: usize>(&self, pages: &Pages, row: u32) -> Result<[u64; N], Fallback> {
        let mut words = [0; N];
        for (number, word) in words.iter_mut().enumerate() {
            *word = pages.word(self.word_of(row) + number as u64)?;
        }
        Ok(words)
    }

    /// Writes a row over another of the same rank, or over a run of them in order.
    pub fn write(&self, pages: &mut Pages, row: u32, words: &[u64]) -> Result<(), Fallback> {
        for (number, &word) in words.iter().enumerate() {
            pages.set(self.word_of(row) + number as u64, word)?;
        }
        Ok(())
    }

    fn rank(&self, pages: &Pages, row: u32) -> Result<Rank, Fallback> {
        let at = self.word_of(row);
        Ok((pages.word(at)?, if self.pairs { pages.word(at + 1)? } else { 0 }))
    }

    fn is_free(&self, pages: &Pages, row: u32) -> Result<bool, Fallback> {
        Ok(self.first(pages, row)? == 0)
    }

    fn home(&self, first: u64) -> u32 {
        home(first >> 8, self.capacity)
    }

    /// Where a rank stands, or a row of it belongs: at a free place, or before the row there, or at the end.
    fn search(&self, pages: &Pages, rank: Rank) -> Result<u32, Fallback> {
        let mut place = self.home(rank.0);
        if place >= self.capacity || self.is_free(pages, place)? {
            return Ok(place);
        }
        if self.rank(pages, place)? >= rank {
            // Rows stand before their home only in the run that reaches the end, or when they share one.
            while place > 0 && !self.is_free(pages, place - 1)? && self.rank(pages, place - 1)? >= rank {
                place -= 1;
            }
            return Ok(place);
        }
        while place < self.capacity && !self.is_free(pages, place)? && self.rank(pages, place)? < rank {
            place += 1;
        }
        Ok(place)
    }

    fn find_rank(&self, pages: &Pages, rank: Rank) -> Result<Option<u32>, Fallback> {
        let place = self.search(pages, rank)?;
        Ok((place < self.capacity && self.rank(pages, place)? == rank).then_some(place))
    }

    /// The row of a thing.
    pub fn find(&self, pages: &Pages, short: Short) -> Result<Option<u32>, Fallback> {
        debug_assert!(!self.pairs);
        self.find_rank(pages, (short.word(), 0))
    }

    /// The rows before the plan, for many look-ups.
    pub fn old_rows<'a, const N: usize>(&self, pages: &Pages<'a>) -> Result<OldRows<'a, N>, Fallback> {
        let rows = pages.old_words(self.at, self.size())?.as_chunks::<N>().0;
        if rows.len() == self.capacity as usize { Ok(OldRows { rows }) } else { Err(Fallback::Damaged) }
    }

    /// The row with two first words.
    pub fn find_pair(&self, pages: &Pages, first: Short, second: u64) -> Result<Option<u32>, Fallback> {
        self.find_rank(pages, (first.word(), second))
    }

    /// The rows with a first word.
    pub fn run(&self, pages: &Pages, first: Short) -> Result<Range<u32>, Fallback> {
        let start = self.search(pages, (first.word(), 0))?;
        let mut end = start;
        while end < self.capacity && self.first(pages, end)? == first.word() {
            end += 1;
        }
        Ok(start..end)
    }

    fn copy(&self, pages: &mut Pages, from: u32, to: u32) -> Result<(), Fallback> {
        for word in 0..u64::from(self.words) {
            let value = pages.word(self.word_of(from) + word)?;
            pages.set(self.word_of(to) + word, value)?;
        }
        Ok(())
    }

    /// Enters a row whose rank is not there; the places that changed.
    pub fn insert(&mut self, pages: &mut Pages, words: &[u64]) -> Result<Range<u32>, Fallback> {
        debug_assert!(words.len() == self.words as usize);
        let rank = (words.first().copied().unwrap_or(0), if self.pairs { words.get(1).copied().unwrap_or(0) } else { 0 });
        if self.count >= self.capacity {
            return Err(Fallback::Capacity(self.name));
        }
        let place = self.search(pages, rank)?;
        self.count += 1;
        let mut free = place;
        while free < self.capacity && !self.is_free(pages, free)? {
            free += 1;
        }
        if free < self.capacity {
            for row in (place..free).rev() {
                self.copy(pages, row, row + 1)?;
            }
            self.write(pages, place, words)?;
            return Ok(place..free + 1);
        }
        // The run reaches the end and grows towards the front.
        let mut free = place;
        loop {
            free = free.checked_sub(1).ok_or(Fallback::Damaged)?;
            if self.is_free(pages, free)? {
                break;
            }
        }
        for row in free + 1..place {
            self.copy(pages, row, row - 1)?;
        }
        self.write(pages, place - 1, words)?;
        Ok(free..place)
    }

    /// Removes a row; the places that changed.
    pub fn remove(&mut self, pages: &mut Pages, row: u32) -> Result<Range<u32>, Fallback> {
        self.count = self.count.checked_sub(1).ok_or(Fallback::Damaged)?;
        let free = [0; LONGEST];
        let free = free.get(..self.words as usize).ok_or(Fallback::Damaged)?;
        let mut end = row + 1;
        while end < self.capacity && !self.is_free(pages, end)? {
            end += 1;
        }
        if end < self.capacity {
            let mut hole = row;
            while hole + 1 < end && self.home(self.first(pages, hole + 1)?) <= hole {
                self.copy(pages, hole + 1, hole)?;
                hole += 1;
            }
            self.write(pages, hole, free)?;
            return Ok(row..hole + 1);
        }
        // In the run that reaches the end, rows may stand before their home and now come nearer: place it anew.
        let mut start = row;
        while start > 0 && !self.is_free(pages, start - 1)? {
            start -= 1;
        }
        let width = self.words as usize;
        let mut rows = Vec::with_capacity((end - start) as usize * width);
        for kept in (start..end).filter(|&kept| kept != row) {
            for word in 0..u64::from(self.words) {
                rows.push(pages.word(self.word_of(kept) + word)?);
            }
        }
        let count = (rows.len() / width.max(1)) as u32;
        let mut next = start;
        for (number, words) in rows.chunks_exact(width).enumerate() {
            let first = words.first().copied().unwrap_or(0);
            let unbounded = self.home(first).max(next);
            let place = unbounded.min(self.capacity - (count - number as u32));
            for gap in next..place {
                self.write(pages, gap, free)?;
            }
            self.write(pages, place, words)?;
            next = place + 1;
        }
        for gap in next..end {
            self.write(pages, gap, free)?;
        }
        Ok(start..end)
    }
}

/// The rows of a table before a plan.
#[derive(Clone, Copy, Debug)]
pub struct OldRows<'a, const N: usize> {
    rows: &'a [[[u8; 8]; N]],
}

impl<const N: usize> OldRows<'_, N> {
    fn first(&self, row: usize) -> u64 {
        self.rows.get(row).and_then(|row| row.first()).map_or(0, |word| u64::from_le_bytes(*word))
    }

    /// The row of a thing, and its words.
    pub fn find(&self, short: Short) -> Option<(u32, [u64; N])> {
        let wanted = short.word();
        let mut row = home(wanted >> 8, self.rows.len() as u32) as usize;
        let mut found = self.first(row);
        while found > wanted && row > 0 {
            row -= 1;
            found = self.first(row);
        }
        while found != 0 && found < wanted {
            row += 1;
            found = self.first(row);
        }
        (found == wanted).then_some((row as u32, self.rows.get(row)?.map(u64::from_le_bytes)))
    }
}

#[cfg(test)]
mod tests;
