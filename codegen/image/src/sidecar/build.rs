//! The sidecar of a program that was linked as a whole.

use std::collections::HashSet;

use abi::funcs::HAS_FRAME;
use ir::ItemId;

use super::Fallback;
use super::describe::{Described, PieceName, share, share_of_options, symbols};
use super::head::{Class, Head};
use super::pages::PAGE;
use super::rows::{self, FunctionRow, ItemRow, Link, names};
use super::short::Short;
use super::table::{Table, places};
use crate::input::{Function, Program, RuntimeSymbol};
use crate::layout::Layout;
use crate::pieces::{PieceClasses, sites_key};
use crate::runtime;
use crate::slots::{Classes, Slots, capacity};

/// Fingerprints of what is linked, beside [`Program::functions`] and [`Program::items`].
#[derive(Clone, Copy, Debug)]
pub struct Fingerprints<'a> {
    /// Of each function: changes with anything in it.
    pub functions: &'a [u128],
    /// Of each item: changes with anything in it.
    pub items: &'a [u128],
}

/// The sidecar of a program with a layout, whose segments end at `end` of the file, and whose image has `image` bytes.
pub fn build(program: &Program, layout: &Layout, fingerprints: Fingerprints, end: u64, image: u64) -> Result<Vec<u8>, Fallback> {
    if fingerprints.functions.len() != program.functions.len() || fingerprints.items.len() != program.items.len() {
        return Err(Fallback::Missing);
    }
    let entry = layout.function_number(program.entry).and_then(|number| program.functions.get(number)).ok_or(Fallback::Program)?.key;
    let mut builder = Builder {
        program,
        layout,
        classes: PieceClasses::default(),
        words: Vec::new(),
        sources: Vec::with_capacity(program.functions.len()),
        links: Vec::with_capacity(program.functions.len() * 16),
        users: Vec::with_capacity(program.functions.len() * 16),
        uses: vec![0; RuntimeSymbol::COUNT as usize],
        named: vec![false; program.items.len()],
        fingerprint: share_of_options(entry, program.returns_status, program.symbols),
    };
    let directory = builder.functions(fingerprints.functions)?;
    let items = builder.items(fingerprints.items)?;
    let links = builder.links()?;
    let users = builder.users()?;
    let code = builder.slots(&layout.functions, &Classes::new(32, 16), 0, None)?;
    let [wide, narrow] = &layout.pieces.tables;
    let pieces = [builder.pieces(wide, true, 0)?, builder.pieces(narrow, false, wide.bytes)?];
    let runtime = (0..RuntimeSymbol::COUNT).zip(&builder.uses).map(|(number, &uses)| {
        let place = RuntimeSymbol::from_number(number).map(runtime::place);
        (uses, place.and_then(|place| layout.runtime_address(place)).unwrap_or(0))
    });
    let head = Head {
        pages: (builder.words.len() * 8).div_ceil(PAGE) as u32,
        fingerprint: builder.fingerprint,
        image_length: image,
        entry,
        returns_status: program.returns_status,
        symbols: program.symbols,
        text: layout.text,
        constants: layout.constants,
        tables: layout.tables,
        function_slots: layout.functions.owners.len() as u64,
        end,
        directory,
        links,
        users,
        items,
        code,
        pieces,
        runtime: runtime.collect(),
        parts: layout.parts.iter().map(|placed| placed.part).collect(),
    };
    Ok(head.seal(&builder.words))
}

struct Builder<'a> {
    program: &'a Program<'a>,
    layout: &'a Layout<'a>,
    classes: PieceClasses,
    words: Vec<u64>,
    /// Who has which links.
    sources: Vec<(Short, std::ops::Range<usize>)>,
    links: Vec<Link>,
    /// To, from.
    users: Vec<(Short, Short)>,
    uses: Vec<u32>,
    /// Which items something names.
    named: Vec<bool>,
    fingerprint: u128,
}

impl Builder<'_> {
    fn item(&self, id: ItemId) -> Option<(usize, u128)> {
        let owner = *self.layout.items.owners.get(self.layout.item_row(id)? as usize)? as usize;
        Some((owner, self.program.items.get(owner)?.key))
    }

    /// Rows in order of their ranks.
    fn table<const N: usize>(&mut self, rows: &[[u64; N]], pairs: bool, name: &'static str) -> Result<Table, Fallback> {
        let first = |row: &[u64; N]| row.first().copied().unwrap_or(0);
        let rank = |row: &[u64; N]| (first(row), if pairs { row.get(1).copied().unwrap_or(0) } else { 0 });
        if rows.windows(2).any(|pair| matches!(pair, [a, b] if rank(a) >= rank(b))) {
            return Err(Fallback::Unsupported);
        }
        let count = rows.len() as u32;
        let table = Table { at: self.words.len() as u64, words: N as u32, capacity: capacity(count), count, pairs, name };
        self.words.resize(self.words.len() + table.size() as usize, 0);
        let words = self.words.get_mut(table.at as usize..).unwrap_or_default();
        for (row, place) in rows.iter().zip(places(rows.iter().map(first), table.capacity)) {
            words[place as usize * N..][..N].copy_from_slice(row);
        }
        Ok(table)
    }

    fn functions(&mut self, fingerprints: &[u128]) -> Result<Table, Fallback> {
        let mut rows = Vec::with_capacity(self.program.functions.len());
        let mut described = Described::default();
        let mut pointing = HashSet::new();
        for (number, (function, &fingerprint)) in self.program.functions.iter().zip(fingerprints).enumerate() {
            let row = self.function(number, function, fingerprint, &mut described, &mut pointing)?;
            rows.push(row.words());
        }
        rows.sort_unstable();
        self.table(&rows, false, names::FUNCTIONS)
    }

    fn function(
        &mut self,
        number: usize,
        function: &Function,
        fingerprint: u128,
        described: &mut Described,
        pointing: &mut HashSet<Short>,
    ) -> Result<FunctionRow, Fallback> {
        let (own, key) = self.item(function.item).ok_or(Fallback::Program)?;
        if key != function.key {
            return Err(Fallback::Unsupported);
        }
        self.named[own] = true;
        let key_of = |id: ItemId| self.item(id).map(|(_, key)| key);
        described.describe(function, self.layout.pieces.constant_keys(number, function.data.len()), &self.classes, &key_of)?;
        let short = Short::function(key);
        for (constant, data) in described.constants.iter().zip(&function.data) {
            if !data.relocs.is_empty() && pointing.insert(constant.short) {
                let links = described.constant_links(data, &|id| self.item(id).map(|(_, key)| key))?;
                self.users.extend(links.iter().map(|link| (link.target, constant.short)));
                self.sources.push((constant.short, self.links.len()..self.links.len() + links.len()));
                self.links.extend(links);
            }
        }
        for place in &function.places {
            let (position, _) = self.item(place.item).ok_or(Fallback::Program)?;
            self.named[position] = true;
        }
        self.sources.push((short, self.links.len()..self.links.len() + described.links.len()));
        self.links.extend_from_slice(&described.links);
        self.users.extend(described.targets().into_iter().map(|target| (target, short)));
        for symbol in symbols(&described.links) {
            self.uses[symbol as usize] += 1;
        }
        let mut sites = None;
        if let Some((key, size)) = self.layout.pieces.sites_piece(number) {
            let piece = PieceName::new(key, false, size, &self.classes)?;
            debug_assert!(key == sites_key(function.key));
            self.users.push((piece.short, short));
            sites = self.classes.of(false).of(size as u32);
        }
        self.fingerprint = self.fingerprint.wrapping_add(share(short, key, fingerprint));
        Ok(FunctionRow::new(function, fingerprint, sites))
    }

    fn items(&mut self, fingerprints: &[u128]) -> Result<Table, Fallback> {
        // An item that nothing names is not seen to go.
        if self.named.contains(&false) {
            return Err(Fallback::Unsupported);
        }
        let mut rows = Vec::with_capacity(self.program.items.len());
        let mut file: Option<(&str, PieceName)> = None;
        for (item, &fingerprint) in self.program.items.iter().zip(fingerprints) {
            let file = match file {
                Some((text, piece)) if text == item.file => piece,
                Some(_) | None => {
                    let piece = PieceName::text(&item.file, &self.classes)?;
                    file = Some((&item.file, piece));
                    piece
                }
            };
            let name = PieceName::text(&item.name, &self.classes)?;
            let short = Short::item(item.key);
            self.users.extend([(name.short, short), (file.short, short)]);
            self.fingerprint = self.fingerprint.wrapping_add(share(short, item.key, fingerprint));
            rows.push(ItemRow::new(item, fingerprint, name.short, file.short).words());
        }
        rows.sort_unstable();
        self.table(&rows, false, names::ITEMS)
    }

    fn links(&mut self) -> Result<Table, Fallback> {
        self.sources.sort_unstable_by_key(|(short, _)| *short);
        let mut rows = Vec::with_capacity(self.links.len());
        for (short, range) in &self.sources {
            rows.extend(self.links.get(range.clone()).unwrap_or_default().iter().map(|link| link.words(*short)));
        }
        self.table(&rows, true, names::LINKS)
    }

    fn users(&mut self) -> Result<Table, Fallback> {
        self.users.sort_unstable();
        self.users.dedup();
        let rows: Vec<_> = self.users.iter().map(|(to, from)| [to.word(), from.word()]).collect();
        self.table(&rows, true, names::USERS)
    }

    /// The slots of code; or of pieces, when `wide` says of which.
    fn slots(&mut self, slots: &Slots, classes: &Classes, base: u64, wide: Option<bool>) -> Result<Vec<Class>, Fallback> {
        let mut rows = Vec::with_capacity(slots.ranges.len());
        for range in &slots.ranges {
            let class = classes.of(range.slot).ok_or(Fallback::Unsupported)?;
            let owners = slots.owners.get(range.first as usize..(range.first + range.capacity) as usize).unwrap_or_default();
            let (width, name) = if wide.is_some() { (rows::PIECE, names::PIECES) } else { (rows::CODE, names::CODE) };
            let mut table =
                Table { at: self.words.len() as u64, words: width as u32, capacity: range.capacity, count: 0, pairs: false, name };
            let mut last = None;
            for &owner in owners {
                let name = match wide {
                    Some(wide) => self.layout.pieces.key(owner).map(|key| (Short::piece(key, wide, class), key)),
                    None => self.program.functions.get(owner as usize).map(|function| (Short::function(function.key), function.key)),
                };
                let Some((short, key)) = name else {
                    self.words.extend(std::iter::repeat_n(0, width));
                    continue;
                };
                if last == Some(short) {
                    return Err(Fallback::Unsupported);
                }
                last = Some(short);
                table.count += 1;
                self.words.extend([short.word(), key as u64, (key >> 64) as u64].into_iter().take(width));
            }
            rows.push(Class { class, slot: range.slot, first: range.first, start: base + range.start, table });
        }
        Ok(rows)
    }

    fn pieces(&mut self, slots: &Slots, wide: bool, base: u64) -> Result<Vec<Class>, Fallback> {
        let classes = self.classes.of(wide).clone();
        self.slots(slots, &classes, base, Some(wide))
    }
}

impl FunctionRow {
    /// The row of a function, with the class of its site bytes.
    pub fn new(function: &Function, fingerprint: u128, sites: Option<u8>) -> FunctionRow {
        FunctionRow {
            key: function.key,
            fingerprint,
            size: function.code.len() as u32,
            frame_size: function.frame_size,
            saved_mask: function.saved_mask,
            flags: if function.has_frame { HAS_FRAME } else { 0 },
            sites,
        }
    }
}

impl ItemRow {
    /// The row of an item, with the pieces of its texts.
    pub fn new(item: &crate::input::Item, fingerprint: u128, name: Short, file: Short) -> ItemRow {
        ItemRow {
            key: item.key,
            fingerprint,
            name: name.word(),
            file: file.word(),
            name_len: item.name.len() as u32,
            file_len: item.file.len() as u32,
            base_line: item.base_line,
            hidden: u32::from(item.hidden),
        }
    }
}
