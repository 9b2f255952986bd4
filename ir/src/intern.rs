//! Process-wide names.
//!
//! A [`Symbol`] is four bytes and compares as an integer. Its number depends on the order of interning, so it is never
//! stored, printed or ordered by: stored values carry local tables of strings (decision 2), and `Ord` compares the text.
//! Strings are leaked: a compiler session reads a bounded set of names. Look-up takes one sharded lock; the lexer keeps a cache
//! in front of it, so a file pays once per distinct name.

use std::fmt;
use std::hash::BuildHasher;
use std::num::NonZeroU32;
use std::sync::OnceLock;

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::RwLock;

const SHARD_BITS: u32 = 4;
const SHARDS: usize = 1 << SHARD_BITS;

/// An interned string. Never zero inside, so that an `Option` of it takes four bytes too.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symbol(NonZeroU32);

#[derive(Default)]
struct Shard {
    strings: Vec<&'static str>,
    table: HashTable<u32>,
}

struct Interner {
    shards: [RwLock<Shard>; SHARDS],
    hasher: DefaultHashBuilder,
}

fn interner() -> &'static Interner {
    static INTERNER: OnceLock<Interner> = OnceLock::new();
    INTERNER.get_or_init(|| Interner { shards: Default::default(), hasher: DefaultHashBuilder::default() })
}

impl Symbol {
    /// The symbol of this text.
    pub fn new(text: &str) -> Symbol {
        let interner = interner();
        let hash = interner.hasher.hash_one(text);
        let shard_index = (hash >> 7) as usize % SHARDS;
        let lock = &interner.shards[shard_index];
        let id = |local: u32| Symbol(NonZeroU32::MIN.saturating_add(local << SHARD_BITS | shard_index as u32));
        {
            let shard = lock.read();
            if let Some(&local) = shard.table.find(hash, |&i| shard.strings[i as usize] == text) {
                return id(local);
            }
        }
        let mut shard = lock.write();
        let Shard { strings, table } = &mut *shard;
        if let Some(&local) = table.find(hash, |&i| strings[i as usize] == text) {
            return id(local);
        }
        let local = strings.len() as u32;
        strings.push(Box::leak(text.to_owned().into_boxed_str()));
        table.insert_unique(hash, local, |&i| interner.hasher.hash_one(strings[i as usize]));
        id(local)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        let index = self.0.get() - 1;
        interner().shards[index as usize % SHARDS].read().strings[(index >> SHARD_BITS) as usize]
    }

    /// The number behind the symbol, for columns in memory. Depends on interning order.
    pub const fn raw(self) -> u32 {
        self.0.get()
    }

    /// The symbol with this number; `raw` must have come from [`Symbol::raw`] in this process.
    pub const fn from_raw(raw: u32) -> Symbol {
        match NonZeroU32::new(raw) {
            Some(raw) => Symbol(raw),
            None => Symbol(NonZeroU32::MIN),
        }
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}
impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Symbol;

    #[test]
    fn equal_text_gives_one_symbol() {
        assert_eq!(Symbol::new("abc"), Symbol::new("abc"));
        assert_ne!(Symbol::new("abc"), Symbol::new("abd"));
        assert_eq!(Symbol::new("αβ").as_str(), "αβ");
        assert_eq!(Symbol::from_raw(Symbol::new("abc").raw()), Symbol::new("abc"));
        assert_eq!(size_of::<Option<Symbol>>(), 4);
    }
}
