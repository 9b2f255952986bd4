//! A list that only grows, read without a lock.
//!
//! Chunks of doubling size are allocated when their first entry comes and never move, so a reader needs no lock and a reference stays good for ever.
//! Interners push under a lock of their own and read here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// An interner has a list a shard: with large first chunks each process would first write all of them.
const FIRST_BITS: u32 = 4;
const CHUNKS: usize = 28;

/// The list.
pub struct Grow<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicU32,
}

impl<T> Default for Grow<T> {
    fn default() -> Self {
        Grow { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }
}

fn place(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST_BITS);
    let bits = 31 - shifted.leading_zeros();
    ((bits - FIRST_BITS) as usize, (shifted - (1 << bits)) as usize)
}

impl<T> Grow<T> {
    /// Appends an entry; its index.
    ///
    /// # Panics
    /// After four thousand million entries.
    pub fn push(&self, value: T) -> u32 {
        let index = self.len.fetch_add(1, Ordering::Relaxed);
        let (chunk, at) = place(index);
        let entries = self.chunks[chunk].get_or_init(|| (0..1usize << (FIRST_BITS as usize + chunk)).map(|_| OnceLock::new()).collect());
        let fresh = entries[at].set(value).is_ok();
        debug_assert!(fresh, "an index is given once");
        index
    }

    /// The entry at an index that [`Grow::push`] returned.
    ///
    /// # Panics
    /// On an index that it did not return.
    #[inline]
    pub fn get(&self, index: u32) -> &T {
        let (chunk, at) = place(index);
        self.chunks[chunk].get().and_then(|entries| entries[at].get()).expect("an index that was given out")
    }
}

#[cfg(test)]
mod tests {
    use super::Grow;

    #[test]
    fn entries_stay_where_they_are() {
        let list = Grow::default();
        let first: &String = {
            list.push("0".to_owned());
            list.get(0)
        };
        for i in 1..10_000_u32 {
            assert_eq!(list.push(i.to_string()), i);
        }
        assert_eq!(first, "0");
        assert!((0..10_000).all(|i| *list.get(i) == i.to_string()));
    }
}
