//! Where everything goes. Nothing here is written: a layout maps functions to addresses, so that a patching linker can ask it too.
//!
//! ```text
//! file and memory
//!   RX  ELF header, functions in slots, code of the runtime
//!   R   header, function records (one a slot), item records, pieces in slots, constants of the runtime
//!   RW  variables of the runtime
//! ```
//! The segments start a *stride* apart in memory: the smallest of a few distances that leaves each its room, so that growth of one does not move
//! another. Functions come first in their segment, so that their addresses do not depend on which parts of the runtime are in use.
//! A small program is packed in the file, and the shared pages are mapped twice; a larger one has each segment on pages of its own.

use ir::ItemId;

use crate::error::LinkError;
use crate::input::{Program, Target};
use crate::pieces::Pieces;
use crate::records;
use crate::runtime::{self, Needed, Part, PartKind, Place};
use crate::slots::{Classes, Entry, Slots};

/// Address of the first byte of the file.
pub const BASE: u64 = 0x40_0000;
/// Bytes of ELF header and program headers.
pub const HEADERS: u64 = 64 + 4 * 56;
const PAGE: u64 = 4096;
const STRIDES: [u64; 5] = [64 << 10, 1 << 20, 16 << 20, 128 << 20, 512 << 20];
/// Alignment of segment contents.
const ALIGN: u64 = 64;

/// A stretch of the file that is mapped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Segment {
    /// Offset in the file.
    pub offset: u64,
    /// Address in memory.
    pub address: u64,
    /// Bytes in the file.
    pub file: u64,
    /// Bytes in memory.
    pub memory: u64,
}

/// A part of the runtime with its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PlacedPart {
    /// Number of the part.
    pub part: u32,
    /// Its address.
    pub address: u64,
    /// Its offset in the file; meaningless for zeros.
    pub offset: u64,
}

/// Addresses of a program.
#[derive(Debug)]
pub struct Layout<'a> {
    /// Slots of the functions; records follow the same order.
    pub functions: Slots,
    /// Offset of each function from the start of the text segment.
    pub function_offsets: Vec<u64>,
    /// Rows of the item table.
    pub items: Slots,
    /// Constants, site bytes, names.
    pub pieces: Pieces<'a>,
    /// The runtime parts in use, by number.
    pub parts: Vec<PlacedPart>,
    /// Code.
    pub text: Segment,
    /// Constants.
    pub constants: Segment,
    /// Variables.
    pub variables: Segment,
    /// Offsets from the start of the constants segment: function records, item records, pieces.
    pub tables: [u64; 3],
    numbers: Vec<u32>,
    rows: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// A column from raw item ids to positions; `Err` with both positions when one id comes twice.
fn numbered(ids: impl Iterator<Item = ItemId> + Clone) -> Result<Vec<u32>, (usize, usize)> {
    let largest = ids.clone().map(|id| id.raw() as usize + 1).max().unwrap_or(0);
    let mut column = vec![NONE; largest];
    for (position, id) in ids.enumerate() {
        let slot = &mut column[id.raw() as usize];
        if *slot != NONE {
            return Err((*slot as usize, position));
        }
        *slot = position as u32;
    }
    Ok(column)
}

impl<'a> Layout<'a> {
    /// The layout of a program.
    pub fn of(program: &'a Program<'a>) -> Result<Layout<'a>, LinkError> {
        let name = |index: usize| program.functions.get(index).map_or(String::new(), |function| function.name.clone());
        let duplicate = |(a, b): (usize, usize)| {
            // Named in an order that does not depend on the input's.
            let (first, second) = (name(a).min(name(b)), name(a).max(name(b)));
            LinkError::DuplicateFunction { first, second }
        };
        let duplicate_item = |(a, _): (usize, usize)| LinkError::DuplicateItem {
            name: program.items.get(a).map_or(String::new(), |item| item.name.clone()),
        };
        let numbers = numbered(program.functions.iter().map(|function| function.item)).map_err(duplicate)?;

        let classes = Classes::new(32, 16);
        let mut entries = Vec::with_capacity(program.functions.len());
        for (index, function) in program.functions.iter().enumerate() {
            let class = u32::try_from(function.code.len()).ok().and_then(|size| classes.of(size)).ok_or(LinkError::TooLarge)?;
            entries.push(Entry::new(class, function.key, index as u32));
        }
        let functions = Slots::place(&mut entries, &classes).map_err(|(a, b)| duplicate((a as usize, b as usize)))?;
        // Two functions with one key may be of different classes.
        entries.sort_unstable_by_key(|entry| entry.key);
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(duplicate((pair[0].index as usize, pair[1].index as usize)));
        }
        let function_offsets = functions.offsets(program.functions.len());

        let positions = numbered(program.items.iter().map(|item| item.id)).map_err(duplicate_item)?;
        let mut entries: Vec<Entry> = program.items.iter().enumerate().map(|(index, item)| Entry::new(0, item.key, index as u32)).collect();
        let items = Slots::place(&mut entries, &Classes::rows(records::ITEM_RECORD as u32))
            .map_err(|(a, b)| duplicate_item((a as usize, b as usize)))?;
        let mut row_of = vec![NONE; program.items.len()];
        for (row, &owner) in items.owners.iter().enumerate() {
            if let Some(slot) = row_of.get_mut(owner as usize) {
                *slot = row as u32;
            }
        }
        let rows: Vec<u32> = positions.iter().map(|&position| row_of.get(position as usize).copied().unwrap_or(NONE)).collect();
        let row = |raw: u32| rows.get(raw as usize).copied().filter(|&row| row != NONE);
        let pieces = Pieces::place(program, &program.items, row)?;

        let mut needed = Needed::default();
        for function in &program.functions {
            for reloc in &function.relocs {
                if let Target::Runtime(symbol) = reloc.target {
                    needed.symbol(symbol);
                }
            }
        }
        let mut layout = Layout {
            function_offsets,
            parts: Vec::new(),
            text: Segment::default(),
            constants: Segment::default(),
            variables: Segment::default(),
            tables: [0; 3],
            functions,
            items,
            pieces,
            numbers,
            rows,
        };
        layout.segments(&needed.parts())?;
        Ok(layout)
    }

    fn segments(&mut self, parts: &[u32]) -> Result<(), LinkError> {
        let records_at = (records::HEADER as u64).next_multiple_of(8);
        let items_at = records_at + (self.functions.owners.len() * records::FUNCTION_RECORD) as u64;
        let pieces_at = (items_at + self.items.bytes).next_multiple_of(16);
        self.tables = [records_at, items_at, pieces_at];

        // First relative to the start of its segment, which is aligned enough for every part.
        let mut ends = [self.functions.bytes, pieces_at + self.pieces.size, 0, 0];
        let mut placed = Vec::with_capacity(parts.len());
        let mut rows: Vec<(u32, &Part)> =
            parts.iter().filter_map(|&number| Some((number, runtime::parts().get(number as usize)?))).collect();
        // Small variables stand together before the large ones, so that a program touches few pages.
        rows.sort_by_key(|&(number, part)| (if part.kind == PartKind::Zero { part.size } else { 0 }, number));
        for (number, part) in rows {
            let group = match part.kind {
                PartKind::Code => 0,
                PartKind::ReadOnly => 1,
                PartKind::Data => 2,
                PartKind::Zero => 3,
            };
            let start = ends[group].next_multiple_of(u64::from(part.align));
            ends[group] = start + u64::from(part.size);
            placed.push((number, group, start));
        }
        let [text, constants, data, zero] = ends;
        let zero_at = data.next_multiple_of(ALIGN);

        // Nothing follows the variables.
        let largest = text.max(constants) + 2 * PAGE;
        let stride = STRIDES.into_iter().find(|&stride| largest <= stride).ok_or(LinkError::TooLarge)?;
        let packed = stride == STRIDES[0];
        let segment = |number: u64, end: u64, file: u64, memory: u64| {
            let offset = if packed { end.next_multiple_of(ALIGN) } else { end.next_multiple_of(PAGE) };
            Segment { offset, address: BASE + number * stride + offset % PAGE, file, memory }
        };
        self.text = segment(0, HEADERS, text, text);
        self.constants = segment(1, self.text.offset + text, constants, constants);
        self.variables = segment(2, self.constants.offset + constants, data, if zero == 0 { data } else { zero_at + zero });
        if self.variables.address + self.variables.memory > 0x7fff_0000 {
            return Err(LinkError::TooLarge);
        }
        self.parts = placed
            .into_iter()
            .map(|(part, group, start)| {
                let (segment, start) = match group {
                    0 => (self.text, start),
                    1 => (self.constants, start),
                    2 => (self.variables, start),
                    _ => (self.variables, zero_at + start),
                };
                PlacedPart { part, address: segment.address + start, offset: segment.offset + start }
            })
            .collect();
        self.parts.sort_unstable_by_key(|placed| placed.part);
        Ok(())
    }

    /// Number of the function of an item.
    pub fn function_number(&self, item: ItemId) -> Option<usize> {
        self.numbers.get(item.raw() as usize).copied().filter(|&number| number != NONE).map(|number| number as usize)
    }

    /// Address of the function with a number.
    pub fn function_address(&self, number: usize) -> u64 {
        self.text.address + self.function_offsets.get(number).copied().unwrap_or(0)
    }

    /// Row of an item in the item table.
    pub fn item_row(&self, item: ItemId) -> Option<u32> {
        self.rows.get(item.raw() as usize).copied().filter(|&row| row != NONE)
    }

    /// Address of a place in the runtime; `None` when that part is not included.
    pub fn runtime_address(&self, (part, offset): Place) -> Option<u64> {
        let found = self.parts.binary_search_by_key(&part, |placed| placed.part).ok()?;
        Some(self.parts.get(found)?.address + u64::from(offset))
    }

    /// Address of the header.
    pub fn header_address(&self) -> u64 {
        self.constants.address
    }

    /// Address of a stretch of the constants segment.
    pub fn constant_address(&self, table: usize, offset: u64) -> u64 {
        self.constants.address + self.tables[table] + offset
    }
}

/// Index into [`Layout::tables`]: function records.
pub const FUNCTIONS: usize = 0;
/// Index into [`Layout::tables`]: item records.
pub const ITEMS: usize = 1;
/// Index into [`Layout::tables`]: pieces.
pub const PIECES: usize = 2;
