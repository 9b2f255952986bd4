//! Byte ranges relative to an item, and how they become lines and columns.

/// A byte range. Inside an item it is relative to the first byte of the item, elsewhere to the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The smallest range that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty range directly after this one.
    pub const fn after(self) -> Span {
        Span { start: self.end, end: self.end }
    }
}

/// Where the lines of a text start; the text of an item or of a file (with LF line ends only).
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Lines {
    /// Byte offset just after each newline.
    starts: Box<[u32]>,
    /// Column of the first byte of the text, from 1.
    first_column: u32,
}

impl Lines {
    /// The lines of a text whose first byte stands in column `first_column` (from 1).
    pub fn of(text: &str, first_column: u32) -> Lines {
        let starts = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i as u32 + 1).collect();
        Lines { starts, first_column }
    }

    /// The same from the offsets just after each newline, in order.
    pub fn from_starts(starts: Box<[u32]>, first_column: u32) -> Lines {
        Lines { starts, first_column }
    }

    /// Column of the first byte of the text, from 1.
    pub fn first_column(&self) -> u32 {
        self.first_column
    }

    /// Line and column, both from 1, of a byte offset; the line is 1 on the first line of the text.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|&s| s <= offset);
        match line.checked_sub(1) {
            None => (1, offset + self.first_column),
            Some(i) => (line as u32 + 1, offset - self.starts[i] + 1),
        }
    }

    /// For line and column of one offset after the other.
    pub fn cursor(&self) -> LineCursor<'_> {
        LineCursor { lines: self, line: 0, low: 1, high: 1, first_column: 0 }
    }
}

/// A place among lines. Neighbours are usually on one line or on the next, so going from one to the other is cheaper than a search for each.
pub struct LineCursor<'a> {
    lines: &'a Lines,
    line: u32,
    /// The bytes of the line.
    low: u32,
    high: u32,
    /// Column of the first of them.
    first_column: u32,
}

impl LineCursor<'_> {
    /// Line and column, both from 1, of a byte offset: what [`Lines::line_column`] tells.
    #[inline(always)]
    pub fn line_column(&mut self, offset: u32) -> (u32, u32) {
        if offset < self.low || offset >= self.high {
            self.go(offset);
        }
        (self.line, offset - self.low + self.first_column)
    }

    #[inline(never)]
    fn go(&mut self, offset: u32) {
        let starts = &self.lines.starts;
        let next = self.line as usize;
        let is_next = self.low <= offset && offset < starts.get(next).copied().unwrap_or(u32::MAX);
        let before = if is_next { next } else { starts.partition_point(|&s| s <= offset) };
        self.line = before as u32 + 1;
        self.high = starts.get(before).copied().unwrap_or(u32::MAX);
        (self.low, self.first_column) = match before.checked_sub(1) {
            None => (0, self.lines.first_column),
            Some(i) => (starts[i], 1),
        };
    }
}
