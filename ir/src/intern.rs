//! Process-wide names.
//!
//! A [`Symbol`] is four bytes and compares as an integer. Its number depends on the order of interning, so it is never
//! stored, printed or ordered by: stored values carry local tables of strings (decision 2), and `Ord` compares the text.
//! Strings are leaked: a compiler session reads a bounded set of names. Look-up takes one sharded lock; the lexer keeps a cache
//! in front of it, so a file pays once per distinct name.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::OnceLock;

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::RwLock;

use crate::grow::Grow;

const SHARD_BITS: u32 = 4;
const SHARDS: usize = 1 << SHARD_BITS;

/// An interned string. Never zero inside, so that an `Option` of it takes four bytes too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Symbol(NonZeroU32);

/// A string and what it is hashed as.
struct Entry {
    text: &'static str,
    content: u128,
}

#[derive(Default)]
struct Shard {
    strings: Grow<Entry>,
    table: RwLock<HashTable<u32>>,
}

struct Interner {
    shards: [Shard; SHARDS],
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
        let Shard { strings, table } = &interner.shards[shard_index];
        let id = |local: u32| Symbol(NonZeroU32::MIN.saturating_add(local << SHARD_BITS | shard_index as u32));
        if let Some(&local) = table.read().find(hash, |&i| strings.get(i).text == text) {
            return id(local);
        }
        let mut table = table.write();
        if let Some(&local) = table.find(hash, |&i| strings.get(i).text == text) {
            return id(local);
        }
        let local = strings.push(Entry { text: Box::leak(text.to_owned().into_boxed_str()), content: content_of(text.as_bytes()) });
        table.insert_unique(hash, local, |&i| interner.hasher.hash_one(strings.get(i).text));
        id(local)
    }

    #[inline]
    fn entry(self) -> &'static Entry {
        let index = self.0.get() - 1;
        interner().shards[index as usize % SHARDS].strings.get(index >> SHARD_BITS)
    }

    /// The text.
    #[inline]
    pub fn as_str(self) -> &'static str {
        self.entry().text
    }

    /// A hash of the text, the same in every process.
    #[inline]
    pub fn content(self) -> u128 {
        self.entry().content
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

/// FNV-1a with 128 bits: what names, items and types are hashed as. The same in every process, so that whatever is derived from `Hash` is, too.
pub fn content_of(bytes: &[u8]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in bytes {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.content());
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
