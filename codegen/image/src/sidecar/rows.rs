//! Rows of the tables, as words.

use super::short::Short;

/// Words of a [`FunctionRow`].
pub const FUNCTION: usize = 7;
/// Words of an [`ItemRow`].
pub const ITEM: usize = 9;
/// Words of a [`Link`].
pub const LINK: usize = 3;
/// Words of a row of `users`.
pub const USER: usize = 2;
/// Words of a row of a piece class: short name and key.
pub const PIECE: usize = 3;
/// Words of a row of a code class: short name.
pub const CODE: usize = 1;

/// Names of the tables.
pub mod names {
    /// The directory.
    pub const FUNCTIONS: &str = "functions";
    /// What things refer to.
    pub const LINKS: &str = "references";
    /// The same backwards.
    pub const USERS: &str = "users";
    /// Items.
    pub const ITEMS: &str = "items";
    /// A class of code.
    pub const CODE: &str = "functions of a size";
    /// A class of pieces.
    pub const PIECES: &str = "constants and sites of a size";
}

const fn halves(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

/// Both words of a key.
pub const fn wide(low: u64, high: u64) -> u128 {
    low as u128 | (high as u128) << 64
}

/// What is known of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FunctionRow {
    /// Its key.
    pub key: u128,
    /// Fingerprint of its contents.
    pub fingerprint: u128,
    /// Bytes of code.
    pub size: u32,
    /// As in its record.
    pub frame_size: u32,
    /// As in its record.
    pub saved_mask: u16,
    /// As in its record.
    pub flags: u16,
    /// Class of its site bytes.
    pub sites: Option<u8>,
}

impl FunctionRow {
    /// Its short name.
    pub const fn short(&self) -> Short {
        Short::function(self.key)
    }

    /// As it is stored.
    pub fn words(&self) -> [u64; FUNCTION] {
        let sites = self.sites.map_or(0, |class| u32::from(class) + 1);
        [
            self.short().word(),
            self.key as u64,
            (self.key >> 64) as u64,
            self.fingerprint as u64,
            (self.fingerprint >> 64) as u64,
            halves(self.size, self.frame_size),
            halves(u32::from(self.saved_mask) | u32::from(self.flags) << 16, sites),
        ]
    }

    /// From its stored form.
    pub const fn from_words([_, key_low, key_high, low, high, sizes, rest]: [u64; FUNCTION]) -> Self {
        FunctionRow {
            key: wide(key_low, key_high),
            fingerprint: wide(low, high),
            size: sizes as u32,
            frame_size: (sizes >> 32) as u32,
            saved_mask: rest as u16,
            flags: (rest >> 16) as u16,
            sites: ((rest >> 32) as u8).checked_sub(1),
        }
    }
}

/// What is known of an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ItemRow {
    /// Its key.
    pub key: u128,
    /// Fingerprint of its record.
    pub fingerprint: u128,
    /// Word of the piece with its name.
    pub name: u64,
    /// Word of the piece with its file.
    pub file: u64,
    /// As in its record.
    pub name_len: u32,
    /// As in its record.
    pub file_len: u32,
    /// As in its record.
    pub base_line: u32,
    /// As in its record.
    pub hidden: u32,
}

impl ItemRow {
    /// As it is stored.
    pub fn words(&self) -> [u64; ITEM] {
        [
            Short::item(self.key).word(),
            self.key as u64,
            (self.key >> 64) as u64,
            self.fingerprint as u64,
            (self.fingerprint >> 64) as u64,
            self.name,
            self.file,
            halves(self.name_len, self.file_len),
            halves(self.base_line, self.hidden),
        ]
    }

    /// From its stored form.
    pub const fn from_words([_, key_low, key_high, low, high, name, file, sizes, rest]: [u64; ITEM]) -> Self {
        ItemRow {
            key: wide(key_low, key_high),
            fingerprint: wide(low, high),
            name,
            file,
            name_len: sizes as u32,
            file_len: (sizes >> 32) as u32,
            base_line: rest as u32,
            hidden: (rest >> 32) as u32,
        }
    }
}

/// How a thing refers to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkKind {
    /// Four bytes relative to themselves.
    Relative,
    /// Eight bytes.
    Absolute,
    /// The function has it among its constants; nothing is stored.
    Holds,
    /// A site of the function names the item; nothing is stored here.
    Names,
}

/// What a function or constant refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Link {
    /// Kind, offset or number, and addend: 8, 32 and 24 bits.
    word: u64,
    /// To what.
    pub target: Short,
}

const ADDENDS: u32 = 24;

impl Link {
    /// `None` when the addend is too large.
    pub fn new(kind: LinkKind, offset: u32, addend: i64, target: Short) -> Option<Link> {
        let limit = 1 << (ADDENDS - 1);
        let tag = match kind {
            LinkKind::Relative => 1,
            LinkKind::Absolute => 2,
            LinkKind::Holds => 3,
            LinkKind::Names => 4u64,
        };
        let addend = (-limit..limit).contains(&addend).then_some(addend as u64 & ((1 << ADDENDS) - 1))?;
        Some(Link { word: tag << 56 | u64::from(offset) << ADDENDS | addend, target })
    }

    /// As it is stored.
    pub const fn words(&self, from: Short) -> [u64; LINK] {
        [from.word(), self.word, self.target.word()]
    }

    /// From its stored form.
    pub fn from_words([_, word, target]: [u64; LINK]) -> Option<Link> {
        Some(Link { word, target: Short::from_word(target)? })
    }

    /// Its kind; `None` for a word that this version does not write.
    pub const fn kind(&self) -> Option<LinkKind> {
        match self.word >> 56 {
            1 => Some(LinkKind::Relative),
            2 => Some(LinkKind::Absolute),
            3 => Some(LinkKind::Holds),
            4 => Some(LinkKind::Names),
            _ => None,
        }
    }

    /// Bytes that it stores, and where.
    pub fn place(&self) -> Option<(u32, u32)> {
        let offset = (self.word >> ADDENDS) as u32;
        match self.kind()? {
            LinkKind::Relative => Some((offset, 4)),
            LinkKind::Absolute => Some((offset, 8)),
            LinkKind::Holds | LinkKind::Names => None,
        }
    }

    /// Added to the address.
    pub const fn addend(&self) -> i64 {
        (self.word << (64 - ADDENDS)) as i64 >> (64 - ADDENDS)
    }
}
