//! Words to symbols, once per distinct word and thread; keywords and words with a meaning in some positions.
//!
//! The interner is shared by all threads and takes a lock. A table of the thread in front of it answers almost every word; it starts with
//! the keywords, so telling a keyword from a name costs nothing more. Words of fewer than eight letters are an integer,
//! which is their own key in a small table without chains where a newcomer takes the place of whoever was there. Both tables live as long as
//! the thread, like the names themselves.

use std::cell::Cell;
use std::sync::OnceLock;

use hashbrown::HashTable;
use ir::Symbol;

use super::{Flags, Kind};

/// What the table knows of a word.
#[derive(Clone, Copy)]
pub(super) struct Word {
    text: &'static str,
    pub symbol: Symbol,
    pub kind: Kind,
    pub flags: Flags,
}

/// What becomes of a short word: all that a token needs.
#[derive(Clone, Copy)]
pub(super) struct Short {
    /// The letters in order from the lowest byte, zero behind the end.
    pub key: u64,
    pub data: u32,
    pub kind: Kind,
    pub flags: Flags,
}

const SHORT_BITS: u32 = 10;

/// Where the key belongs in the table of short words.
#[inline(always)]
fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SHORT_BITS)) as usize
}

fn hash(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    hash
}

/// The tables of a thread.
pub(super) struct Names {
    table: HashTable<Word>,
    short: Box<[Short; 1 << SHORT_BITS]>,
}

const FUTURE: &[&str] = &["asm", "inline", "static", "union", "view"];

/// Words of other languages with what to write instead (E1015).
pub(crate) const FOREIGN: &[(&str, &str)] = &[
    ("return", "the last expression of a block is its value"),
    ("fn", "write '@name (...) -> T = body'"),
    ("func", "write '@name (...) -> T = body'"),
    ("mut", "'let' bindings are mutable; '$' makes one immutable"),
    ("var", "write 'let'"),
    ("const", "write 'let $name = value'"),
    ("class", "write 'type Name = { ... }' and 'impl Name { ... }'"),
    ("struct", "write 'type Name = { ... }'"),
    ("enum", "write 'type Name = A | B'"),
    ("interface", "write 'trait Name { ... }'"),
    ("null", "use 'None' of Option"),
    ("nil", "use 'None' of Option"),
    ("async", "functions that suspend declare 'uses Suspend'"),
    ("await", "functions that suspend declare 'uses Suspend'"),
    ("throw", "give 'Err(...)' as the result, or call 'panic'"),
    ("switch", "write 'match value { pattern -> result }'"),
    ("case", "arms of 'match' are written 'pattern -> result'"),
    ("elif", "write 'else if'"),
    ("import", "write 'use'"),
    ("package", "a file is a module; its name comes from its path"),
];

/// Identifiers that begin a form in expression position (language/01 section 1.3).
const SPECIAL: &[&str] = &[
    "try",
    "block",
    "recurse",
    "parallel",
    "spawn",
    "timeout",
    "cache",
    "catch",
    "nursery",
    "channel",
    "channel_in",
    "channel_out",
    "channel_all",
    "embed",
    "has_embed",
];

thread_local! {
    static SPARE: Cell<Option<Box<Names>>> = const { Cell::new(None) };
}

fn rehash(word: &Word) -> u64 {
    hash(word.text)
}

fn upper(text: &str) -> Flags {
    if text.as_bytes().first().is_some_and(u8::is_ascii_uppercase) { Flags::UPPER } else { Flags::NONE }
}

impl Names {
    /// The tables of this thread, until [`Names::give_back`].
    pub fn take() -> Box<Names> {
        SPARE.take().unwrap_or_else(|| Box::new(Names::with_keywords()))
    }

    /// Leaves the tables to the next file of this thread.
    pub fn give_back(self: Box<Names>) {
        SPARE.set(Some(self));
    }

    fn with_keywords() -> Names {
        let mut table = HashTable::with_capacity(512);
        let mut add = |text: &'static str, kind: Kind, flags: Flags| {
            let word = Word { text, symbol: Symbol::new(text), kind, flags };
            table.insert_unique(hash(text), word, rehash);
        };
        for &(text, kind) in Kind::KEYWORDS {
            add(text, kind, upper(text));
        }
        for text in FUTURE {
            add(text, Kind::Future, Flags::NONE);
        }
        for text in SPECIAL {
            add(text, Kind::Ident, Flags::SPECIAL);
        }
        for (text, _) in FOREIGN {
            add(text, Kind::Ident, Flags::FOREIGN);
        }
        // No word is empty, so the empty key is found by none.
        let short = Box::new([Short { key: 0, data: 0, kind: Kind::Eof, flags: Flags::NONE }; 1 << SHORT_BITS]);
        Names { table, short }
    }

    /// Where a word with these letters is, if it was met not long ago; else another one.
    #[inline(always)]
    pub fn short(&self, key: u64) -> Short {
        self.short[slot(key)]
    }

    /// Puts a newcomer there, whose text is `text`.
    #[cold]
    pub fn add_short(&mut self, key: u64, text: &str) -> Short {
        let entry = if text == "_" {
            Short { key, data: 0, kind: Kind::Underscore, flags: Flags::NONE }
        } else {
            let word = self.word(text);
            Short { key, data: word.symbol.raw(), kind: word.kind, flags: word.flags }
        };
        self.short[slot(key)] = entry;
        entry
    }

    /// What is known of a word.
    pub fn word(&mut self, text: &str) -> Word {
        let hash = hash(text);
        match self.table.find(hash, |word| word.text == text) {
            Some(&word) => word,
            None => self.insert(text, hash),
        }
    }

    /// The symbol of a word or of other short text.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        if text.len() > 32 {
            return Symbol::new(text);
        }
        self.word(text).symbol
    }

    #[cold]
    fn insert(&mut self, text: &str, hash: u64) -> Word {
        let symbol = Symbol::new(text);
        let word = Word { text: symbol.as_str(), symbol, kind: Kind::Ident, flags: upper(text) };
        self.table.insert_unique(hash, word, rehash);
        word
    }
}

macro_rules! words {
    ($($name:ident $text:literal),+) => {
        /// Symbols of the words that the parser compares identifiers with.
        pub(crate) struct Words { $(pub $name: Symbol),+ }

        /// The one instance.
        pub(crate) fn words() -> &'static Words {
            static WORDS: OnceLock<Words> = OnceLock::new();
            WORDS.get_or_init(|| Words { $($name: Symbol::new($text)),+ })
        }
    };
}

words! {
    by "by", max "max", without "without", from "from", pre "pre", post "post", handler "handler", capset "capset", out "out",
    owned "owned", borrowed "borrowed", mut_ "mut", try_ "try", block "block",
    channel "channel", channel_in "channel_in", channel_out "channel_out", channel_all "channel_all"
}
