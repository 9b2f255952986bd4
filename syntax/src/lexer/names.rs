//! Words to symbols, once per distinct word and file; keywords and words with a meaning in some positions.
//!
//! The interner is shared by all threads and takes a lock. A file-local table in front of it, keyed by slices of the source, answers
//! almost every word; it starts as a copy of a table that holds the keywords, so telling a keyword from a name costs nothing more.

use std::sync::OnceLock;

use hashbrown::HashTable;
use ir::Symbol;

use super::{Flags, Kind};

/// What the table knows of a word.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    text: &'a str,
    pub symbol: Symbol,
    pub kind: Kind,
    pub flags: Flags,
}

/// Hash of a word, built byte by byte while the word is scanned.
#[derive(Clone, Copy)]
pub(super) struct WordHash(u64);

impl WordHash {
    pub const fn new() -> WordHash {
        WordHash(0xcbf2_9ce4_8422_2325)
    }

    #[inline(always)]
    pub const fn byte(self, byte: u8) -> WordHash {
        WordHash((self.0 ^ byte as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    const fn finish(self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    pub fn of(text: &str) -> WordHash {
        text.bytes().fold(WordHash::new(), WordHash::byte)
    }
}

/// The file-local table.
pub(super) struct Names<'a> {
    table: HashTable<Word<'a>>,
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

fn base() -> &'static HashTable<Word<'static>> {
    static BASE: OnceLock<HashTable<Word<'static>>> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut table = HashTable::with_capacity(256);
        let mut add = |text: &'static str, kind: Kind, flags: Flags| {
            let word = Word { text, symbol: Symbol::new(text), kind, flags };
            table.insert_unique(WordHash::of(text).finish(), word, rehash);
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
        table
    })
}

fn rehash(word: &Word<'_>) -> u64 {
    WordHash::of(word.text).finish()
}

fn upper(text: &str) -> Flags {
    if text.as_bytes().first().is_some_and(u8::is_ascii_uppercase) { Flags::UPPER } else { Flags::NONE }
}

impl<'a> Names<'a> {
    pub fn new() -> Names<'a> {
        Names { table: base().clone() }
    }

    /// What is known of a word with this hash.
    #[inline]
    pub fn word(&mut self, text: &'a str, hash: WordHash) -> Word<'a> {
        let hash = hash.finish();
        match self.table.find(hash, |word| word.text == text) {
            Some(&word) => word,
            None => self.insert(text, hash),
        }
    }

    /// The symbol of a word or of other short text.
    pub fn symbol(&mut self, text: &'a str) -> Symbol {
        if text.len() > 32 {
            return Symbol::new(text);
        }
        self.word(text, WordHash::of(text)).symbol
    }

    #[cold]
    fn insert(&mut self, text: &'a str, hash: u64) -> Word<'a> {
        let word = Word { text, symbol: Symbol::new(text), kind: Kind::Ident, flags: upper(text) };
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
