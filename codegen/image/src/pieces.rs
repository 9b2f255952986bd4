//! Read-only bytes of variable size: constants, site bytes, names. They stand in slots like functions; constants and names are keyed by content, so
//! that equal ones are stored once, site bytes by their function.

use std::hash::Hasher;
use std::ops::Range;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::error::LinkError;
use crate::input::{Data, DataTarget, Function, Item, Program};
use crate::slots::{Classes, Entry, Slots};

/// Where the bytes of a piece are.
#[derive(Clone, Debug)]
enum Source<'a> {
    Bytes(&'a [u8]),
    Sites(Range<usize>),
}

#[derive(Clone, Debug)]
struct Piece<'a> {
    source: Source<'a>,
    key: u128,
    wide: bool,
}

/// All pieces of a program with their places.
#[derive(Debug)]
pub struct Pieces<'a> {
    pieces: Vec<Piece<'a>>,
    site_bytes: Vec<u8>,
    /// Number of the first constant of each function.
    data_first: Vec<u32>,
    /// Piece with the sites of each function.
    sites_of: Vec<Option<u32>>,
    /// Pieces with name and file of each item.
    texts_of: Vec<(u32, u32)>,
    offsets: Vec<u64>,
    /// The piece that stands for each (itself, or an equal one).
    owner: Vec<u32>,
    /// Slots of the wide and of the narrow ones, by piece.
    pub tables: [Slots; 2],
    /// Bytes of all slots.
    pub size: u64,
}

const TAG_DATA: u8 = 1;
const TAG_TEXT: u8 = 2;
const TAG_SITES: u128 = 0x5173_5173_5173_5173_5173_5173_5173_5173;

/// Constants that want more than eight bytes of alignment stand in slots of their own kind.
pub const fn is_wide(data: &Data) -> bool {
    data.align > 8
}

/// The classes of pieces.
#[derive(Clone, Debug)]
pub struct PieceClasses([Classes; 2]);

impl Default for PieceClasses {
    fn default() -> Self {
        PieceClasses([Classes::new(8, 8), Classes::new(16, 16)])
    }
}

impl PieceClasses {
    /// The classes of wide or narrow pieces.
    pub fn of(&self, wide: bool) -> &Classes {
        let [narrow, others] = &self.0;
        if wide { others } else { narrow }
    }
}

/// Key of the site bytes of the function with a key.
pub const fn sites_key(function: u128) -> u128 {
    function ^ TAG_SITES
}

/// Keys of the constants of a function, in its order: by content, and by the names of what they point to.
pub fn constant_keys(function: &Function, keys: &mut Vec<u128>) -> Result<(), LinkError> {
    keys.clear();
    for data in &function.data {
        if !data.align.is_power_of_two() || data.align > 16 {
            return Err(LinkError::BadAlignment { function: function.name.clone() });
        }
        let mut hasher = SipHasher13::new();
        hasher.write_u8(TAG_DATA);
        hasher.write_u32(data.align);
        hasher.write(&data.bytes);
        for reloc in &data.relocs {
            if (reloc.offset as usize).checked_add(8).is_none_or(|end| end > data.bytes.len()) {
                return Err(LinkError::BadReloc { function: function.name.clone() });
            }
            hasher.write_u32(reloc.offset);
            hasher.write_i64(reloc.addend);
            match reloc.target {
                // Only those before this one have a key yet.
                DataTarget::Data(target) => match keys.get(target as usize) {
                    Some(&key) => hasher.write_u128(key),
                    None => return Err(LinkError::UnknownData { function: function.name.clone() }),
                },
                // Printed, since an item's number depends on who asked first.
                DataTarget::Function(item) => hasher.write(item.to_string().as_bytes()),
            }
        }
        keys.push(hasher.finish128().as_u128());
    }
    Ok(())
}

/// Key of a name.
pub fn text_key(text: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write_u8(TAG_TEXT);
    hasher.write(text);
    hasher.finish128().as_u128()
}

impl<'a> Pieces<'a> {
    /// Collects and places the pieces; `row` gives the item table's row of an item's raw id.
    pub fn place(program: &Program<'a>, items: &'a [Item], row: impl Fn(u32) -> Option<u32>) -> Result<Self, LinkError> {
        let mut pieces = Pieces {
            pieces: Vec::with_capacity(program.functions.len() * 4),
            site_bytes: Vec::new(),
            data_first: Vec::with_capacity(program.functions.len()),
            sites_of: Vec::with_capacity(program.functions.len()),
            texts_of: Vec::with_capacity(items.len()),
            offsets: Vec::new(),
            owner: Vec::new(),
            tables: [Slots::default(), Slots::default()],
            size: 0,
        };
        let mut keys = Vec::new();
        for function in &program.functions {
            pieces.data_first.push(pieces.pieces.len() as u32);
            pieces.constants(function, &mut keys)?;
        }
        for function in &program.functions {
            let start = pieces.site_bytes.len();
            crate::records::sites(function, &row, &mut pieces.site_bytes)?;
            let piece = pieces.pieces.len() as u32;
            pieces.sites_of.push((!function.sites.is_empty()).then_some(piece));
            if function.sites.is_empty() {
                pieces.site_bytes.truncate(start);
            } else {
                let source = Source::Sites(start..pieces.site_bytes.len());
                pieces.pieces.push(Piece { source, key: sites_key(function.key), wide: false });
            }
        }
        let mut file: Option<(&str, u32)> = None;
        for item in items {
            let name = pieces.text(&item.name);
            // Items of one file mostly come together.
            let file = match file {
                Some((text, piece)) if text == item.file => piece,
                Some(_) | None => {
                    let piece = pieces.text(&item.file);
                    file = Some((&item.file, piece));
                    piece
                }
            };
            pieces.texts_of.push((name, file));
        }
        pieces.settle()?;
        Ok(pieces)
    }

    fn text(&mut self, text: &'a str) -> u32 {
        self.pieces.push(Piece { source: Source::Bytes(text.as_bytes()), key: text_key(text.as_bytes()), wide: false });
        self.pieces.len() as u32 - 1
    }

    fn constants(&mut self, function: &'a Function, keys: &mut Vec<u128>) -> Result<(), LinkError> {
        constant_keys(function, keys)?;
        let pieces = function.data.iter().zip(keys.iter());
        self.pieces.extend(pieces.map(|(data, &key)| Piece { source: Source::Bytes(&data.bytes), key, wide: is_wide(data) }));
        Ok(())
    }

    fn settle(&mut self) -> Result<(), LinkError> {
        let classes = PieceClasses::default();
        let mut entries: [Vec<Entry>; 2] = [Vec::with_capacity(self.pieces.len()), Vec::new()];
        for (index, piece) in self.pieces.iter().enumerate() {
            let size = match &piece.source {
                Source::Bytes(bytes) => bytes.len(),
                Source::Sites(range) => range.len(),
            };
            let class = u32::try_from(size).ok().and_then(|size| classes.of(piece.wide).of(size)).ok_or(LinkError::TooLarge)?;
            entries[usize::from(piece.wide)].push(Entry::new(class, piece.key, index as u32));
        }
        self.offsets = vec![0; self.pieces.len()];
        self.owner = (0..self.pieces.len() as u32).collect();
        let [mut narrow_entries, mut wide_entries] = entries;
        for (table, (entries, wide)) in [(&mut wide_entries, true), (&mut narrow_entries, false)].into_iter().enumerate() {
            entries.sort_unstable();
            let owner = &mut self.owner;
            entries.dedup_by(|later, first| {
                let equal = (later.class(), later.key) == (first.class(), first.key);
                if equal {
                    owner[later.index as usize] = first.index;
                }
                equal
            });
            // Equal keys are gone.
            let slots = Slots::place(entries, classes.of(wide)).unwrap_or_default();
            for (offset, piece) in slots.iter() {
                if let Some(place) = self.offsets.get_mut(piece as usize) {
                    *place = self.size + offset;
                }
            }
            self.size += slots.bytes;
            self.tables[table] = slots;
        }
        for index in 0..self.offsets.len() {
            self.offsets[index] = self.offsets[self.owner[index] as usize];
        }
        Ok(())
    }

    /// Offset of a constant of a function; `None` when it has no such constant.
    pub fn constant(&self, function: usize, data: u32, count: usize) -> Option<u64> {
        if data as usize >= count {
            return None;
        }
        let first = self.data_first.get(function)?;
        self.offsets.get((first + data) as usize).copied()
    }

    /// Offset of the site bytes of a function.
    pub fn sites(&self, function: usize) -> Option<u64> {
        let piece = (*self.sites_of.get(function)?)?;
        self.offsets.get(piece as usize).copied()
    }

    /// Offsets of name and file of an item.
    pub fn texts(&self, item: usize) -> (u64, u64) {
        let (name, file) = self.texts_of.get(item).copied().unwrap_or_default();
        let offset = |piece: u32| self.offsets.get(piece as usize).copied().unwrap_or(0);
        (offset(name), offset(file))
    }

    /// Keys of the constants of a function, which has `count` of them.
    pub fn constant_keys(&self, function: usize, count: usize) -> impl Iterator<Item = u128> {
        let first = self.data_first.get(function).map_or(0, |&first| first as usize);
        self.pieces.get(first..first + count).unwrap_or_default().iter().map(|piece| piece.key)
    }

    /// Key of a piece.
    pub fn key(&self, piece: u32) -> Option<u128> {
        self.pieces.get(piece as usize).map(|piece| piece.key)
    }

    /// Key and size of the piece with a function's sites; `None` when it has none.
    pub fn sites_piece(&self, function: usize) -> Option<(u128, usize)> {
        let piece = self.pieces.get((*self.sites_of.get(function)?)? as usize)?;
        match &piece.source {
            Source::Bytes(bytes) => Some((piece.key, bytes.len())),
            Source::Sites(range) => Some((piece.key, range.len())),
        }
    }

    /// Offset and bytes of every piece that is stored.
    pub fn stored(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().enumerate().filter(|&(index, _)| self.owner[index] as usize == index).map(|(index, piece)| {
            let bytes = match &piece.source {
                Source::Bytes(bytes) => *bytes,
                Source::Sites(range) => self.site_bytes.get(range.clone()).unwrap_or(&[]),
            };
            (self.offsets[index], bytes)
        })
    }
}
