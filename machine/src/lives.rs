//! Where stack slots are needed, and which of them can be one.
//!
//! A slot is needed from each access back to the accesses that reach it, up to one that writes it whole. Two slots that are never needed at the same
//! position can lie in the same bytes; so the frame of a function with many arms is as large as its largest arm, not as their sum (Chaitin's colouring,
//! first fit in the order of the first access). Positions count records or instructions, block after block.
//!
//! What this costs is linear in the code: a slot whose walk takes more than [`STEPS`] steps, as it is needed in most of a function, gets a row of its own.

/// Bytes of slots up to which a frame is small enough as it is.
pub const SMALL: u32 = 128;
/// Steps of the walk from the accesses of a slot, beyond one for each of them.
const STEPS: usize = 48;
/// Rows that are tried before a slot gets one of its own.
const TRIES: usize = 64;

/// One access to a slot.
#[derive(Clone, Copy, Default, Debug)]
pub struct Access {
    /// Of which slot.
    pub slot: u32,
    /// Where.
    pub position: u32,
    /// Is all of it written, and nothing read?
    pub writes: bool,
}

/// Positions from the first to the last, both among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    from: u32,
    to: u32,
}

/// The blocks of a function as the walks see them, and what they use again.
#[derive(Default, Debug)]
pub struct Lives {
    /// First position of each block, rising.
    starts: Vec<u32>,
    end: u32,
    /// Edges as `(to, from, position in from)`, by position, and then those to one block together.
    edges: Vec<(u32, u32, u32)>,
    edges_to: Vec<(u32, u32)>,
    first_edge: Vec<u32>,
    /// By position, and then those of one slot together.
    accesses: Vec<Access>,
    accesses_of: Vec<Access>,
    first_access: Vec<u32>,
    /// The slot whose walk was in a block last, plus one.
    seen: Vec<u32>,
    open: Vec<(u32, u32)>,
    spans: Vec<Span>,
    rows: Vec<Row>,
}

/// Puts items with the same key together, in their order; `first` has where those of each key begin, and the end.
fn gather<T, U: Copy + Default>(
    items: &[T],
    keys: usize,
    key: impl Fn(&T) -> u32,
    value: impl Fn(&T) -> U,
    first: &mut Vec<u32>,
    out: &mut Vec<U>,
) {
    first.clear();
    first.resize(keys + 2, 0);
    items.iter().for_each(|item| first[key(item) as usize + 2] += 1);
    (2..keys + 2).for_each(|at| first[at] += first[at - 1]);
    out.clear();
    out.resize(items.len(), U::default());
    for item in items {
        let at = &mut first[key(item) as usize + 1];
        out[*at as usize] = value(item);
        *at += 1;
    }
}

/// A row of the frame, and when it is taken.
#[derive(Default, Debug)]
struct Row {
    size: u32,
    taken: Vec<Span>,
}

impl Lives {
    /// Forgets what was there.
    pub fn clear(&mut self) {
        self.starts.clear();
        self.edges.clear();
        self.accesses.clear();
        self.rows.clear();
        self.end = 0;
    }

    /// The next block begins at this position.
    pub fn block(&mut self, start: u32) {
        self.starts.push(start);
    }

    /// The last block that began can go on in this one, from this position.
    pub fn edge(&mut self, to: u32, position: u32) {
        self.edges.push((to, self.starts.len() as u32 - 1, position));
    }

    /// An access in the last block that began.
    pub fn access(&mut self, slot: u32, position: u32, writes: bool) {
        self.accesses.push(Access { slot, position, writes });
    }

    /// The row of each slot, and the sizes of the rows. `size` says how large a slot is; one without a size, or without an access, gets no row.
    pub fn share(&mut self, end: u32, slots: usize, size: impl Fn(u32) -> Option<u32>) -> (Vec<Option<u32>>, Vec<u32>) {
        self.end = end;
        let blocks = self.starts.len();
        gather(&self.edges, blocks, |edge| edge.0, |edge| (edge.1, edge.2), &mut self.first_edge, &mut self.edges_to);
        gather(&self.accesses, slots, |access| access.slot, |access| *access, &mut self.first_access, &mut self.accesses_of);
        self.seen.clear();
        self.seen.resize(blocks, 0);
        let mut out = vec![None; slots];
        for at in 0..self.accesses.len() {
            let slot = self.accesses[at].slot as usize;
            if out[slot].is_none()
                && let Some(size) = size(slot as u32)
            {
                let is_known = self.walk(self.first_access[slot] as usize..self.first_access[slot + 1] as usize);
                out[slot] = Some(self.row(size, is_known));
            }
        }
        (out, self.rows.iter().map(|row| row.size).collect())
    }

    /// Finds where a slot is needed: the spans, by position, apart from each other. False when that is too many places.
    fn walk(&mut self, range: std::ops::Range<usize>) -> bool {
        let mut left = STEPS + range.len();
        self.spans.clear();
        self.open.clear();
        let accesses = &self.accesses_of[range];
        let stamp = accesses.first().map_or(0, |access| access.slot + 1);
        // The last access in front of a position, of those in its block.
        let before = |block: u32, position: u32| -> Option<&Access> {
            let start = self.starts[block as usize];
            let at = accesses.partition_point(|access| access.position < position);
            accesses[..at].last().filter(|access| access.position >= start)
        };
        for access in accesses {
            self.spans.push(Span { from: access.position, to: access.position });
            if !access.writes {
                let block = self.starts.partition_point(|&start| start <= access.position) as u32 - 1;
                self.open.push((block, access.position));
            }
        }
        while let Some((block, position)) = self.open.pop() {
            left -= 1;
            if left == 0 {
                return false;
            }
            if let Some(access) = before(block, position) {
                self.spans.push(Span { from: access.position, to: position });
                continue;
            }
            self.spans.push(Span { from: self.starts[block as usize], to: position });
            if self.seen[block as usize] == stamp {
                continue;
            }
            self.seen[block as usize] = stamp;
            let edges = self.first_edge[block as usize] as usize..self.first_edge[block as usize + 1] as usize;
            // What leaves at a position reads behind what that position does: a call that unwinds may have written.
            self.open.extend(self.edges_to[edges].iter().map(|&(from, position)| (from, position + 1)));
        }
        self.spans.sort_unstable_by_key(|span| (span.from, span.to));
        self.spans.dedup_by(|next, span| {
            let meets = next.from <= span.to;
            if meets {
                span.to = span.to.max(next.to);
            }
            meets
        });
        true
    }

    /// The first row that is free in all spans; a new one when there is none.
    fn row(&mut self, size: u32, is_known: bool) -> u32 {
        let spans = &self.spans;
        let is_free = |row: &Row| {
            spans.iter().all(|span| {
                let at = row.taken.partition_point(|taken| taken.to < span.from);
                row.taken.get(at).is_none_or(|taken| taken.from > span.to)
            })
        };
        let fits = |row: &(usize, &Row)| row.1.size == size && is_free(row.1);
        let found = if is_known { self.rows.iter().enumerate().filter(|row| row.1.size == size).take(TRIES).find(fits) } else { None };
        let found = match found {
            Some((at, _)) => at,
            None => {
                self.rows.push(Row { size, taken: Vec::new() });
                self.rows.len() - 1
            }
        };
        let taken = &mut self.rows[found].taken;
        if is_known {
            // Slots come in the order of their first access, so most of their spans lie behind all others.
            for &span in spans {
                match taken.last() {
                    Some(last) if last.from > span.from => taken.insert(taken.partition_point(|taken| taken.from < span.from), span),
                    Some(_) | None => taken.push(span),
                }
            }
        } else {
            // Not known: always.
            *taken = vec![Span { from: 0, to: self.end }];
        }
        found as u32
    }
}

#[cfg(test)]
mod tests;
