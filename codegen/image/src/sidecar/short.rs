//! Short names of what the tables speak of. The tables hold each thing's full 128-bit key once; everywhere else it is named by the 56 bits that
//! decide about its place and a byte that says what it is. Two things with one short name are found when the second is entered; such a program has
//! no sidecar.

use crate::input::RuntimeSymbol;
use crate::slots::spread;

/// A short name; never 0, which marks free rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Short(u64);

/// What a short name names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A function.
    Function,
    /// An item.
    Item,
    /// The symbol of the runtime with this number.
    Symbol(u32),
    /// A constant, name or site bytes.
    Piece {
        /// In the slots with wide alignment.
        wide: bool,
        /// The class there. A content has one size, so that its class is part of its name; site bytes get another name when they change class.
        class: u8,
    },
    /// Nothing that this version writes.
    Unknown,
}

const FUNCTION: u8 = 1;
const ITEM: u8 = 2;
const SYMBOL: u8 = 3;
const NARROW: u8 = 16;
const WIDE: u8 = 136;

impl Short {
    const fn new(key: u128, kind: u8) -> Short {
        Short(spread(key) & !0xff | kind as u64)
    }

    /// The function with a key.
    pub const fn function(key: u128) -> Short {
        Short::new(key, FUNCTION)
    }

    /// The item with a key.
    pub const fn item(key: u128) -> Short {
        Short::new(key, ITEM)
    }

    /// A symbol of the runtime.
    pub const fn symbol(symbol: RuntimeSymbol) -> Short {
        Short((symbol.number() as u64) << 8 | SYMBOL as u64)
    }

    /// The piece with a key.
    pub const fn piece(key: u128, wide: bool, class: u8) -> Short {
        Short::new(key, if wide { WIDE } else { NARROW } + class)
    }

    /// What it names.
    pub const fn kind(self) -> Kind {
        match self.0 as u8 {
            FUNCTION => Kind::Function,
            ITEM => Kind::Item,
            SYMBOL => Kind::Symbol((self.0 >> 8) as u32),
            kind @ NARROW..WIDE => Kind::Piece { wide: false, class: kind - NARROW },
            kind @ WIDE.. => Kind::Piece { wide: true, class: kind - WIDE },
            _ => Kind::Unknown,
        }
    }

    /// As it is stored.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// From its stored form; `None` for a free row.
    pub const fn from_word(word: u64) -> Option<Short> {
        if word == 0 { None } else { Some(Short(word)) }
    }

    /// The item of a function.
    pub const fn as_item(self) -> Short {
        Short(self.0 & !0xff | ITEM as u64)
    }

    /// The function of an item.
    pub const fn as_function(self) -> Short {
        Short(self.0 & !0xff | FUNCTION as u64)
    }
}
