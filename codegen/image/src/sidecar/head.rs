//! The head of a sidecar: where the tables are, and everything that is not a table. Read and written whole.

use super::Fallback;
use super::pages::{PAGE, Pages, checksum};
use super::rows::{self, names};
use super::table::Table;
use crate::input::RuntimeSymbol;
use crate::layout::Segment;
use crate::runtime;

const MAGIC: u64 = u64::from_le_bytes(*b"ORISIDE\n");
/// Changes with the form of sidecars and with the layout of images.
const FORMAT: u64 = 1;
/// Bytes before the head's fields: magic, format, runtime, bytes of the head, checksum of head and checksums.
const PREFIX: usize = 40;
const ROOT_AT: usize = 32;

/// A class of slots in the image, and the table of who stands there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Class {
    /// Its number.
    pub class: u8,
    /// Bytes of a slot.
    pub slot: u32,
    /// Number of the first slot among all of its kind.
    pub first: u32,
    /// Offset of the first slot: of code from the start of the text, of pieces from that of all pieces.
    pub start: u64,
    /// Who stands where.
    pub table: Table,
}

/// The head.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Head {
    /// Pages of tables.
    pub pages: u32,
    /// Fingerprint of the program: a sum over its functions and items.
    pub fingerprint: u128,
    /// Bytes of the image.
    pub image_length: u64,
    /// Key of the entry.
    pub entry: u128,
    /// The entry's result is the exit status.
    pub returns_status: bool,
    /// The image has a symbol table.
    pub symbols: bool,
    /// Code.
    pub text: Segment,
    /// Constants.
    pub constants: Segment,
    /// As in [`crate::Layout`].
    pub tables: [u64; 3],
    /// Function records of the image.
    pub function_slots: u64,
    /// End of the segments in the file.
    pub end: u64,
    /// Functions by key.
    pub directory: Table,
    /// What things refer to.
    pub links: Table,
    /// Who refers to things.
    pub users: Table,
    /// Items.
    pub items: Table,
    /// Slots of code, by class.
    pub code: Vec<Class>,
    /// Slots of wide and of narrow pieces, by class.
    pub pieces: [Vec<Class>; 2],
    /// For each symbol of the runtime: how many functions use it, and its address if it is there.
    pub runtime: Vec<(u32, u64)>,
    /// The runtime's parts in the image.
    pub parts: Vec<u32>,
}

/// Index into [`Head::pieces`].
pub const fn pieces_of(wide: bool) -> usize {
    if wide { 0 } else { 1 }
}

/// Where table pages begin: behind the head and a checksum for each of them.
const fn tables_at(head: usize, pages: usize) -> usize {
    (head + pages * 8).next_multiple_of(PAGE)
}

impl Head {
    /// A short name's class in the image; `None` when it has no slots.
    pub fn class(classes: &[Class], class: u8) -> Option<&Class> {
        classes.get(classes.binary_search_by_key(&class, |row| row.class).ok()?)
    }

    /// The parts that the symbols in use need.
    pub fn needed_parts(&self) -> Vec<u32> {
        let mut needed = runtime::Needed::default();
        for (number, (uses, _)) in self.runtime.iter().enumerate() {
            if *uses > 0
                && let Some(symbol) = RuntimeSymbol::from_number(number as u32)
            {
                needed.symbol(symbol);
            }
        }
        needed.parts()
    }

    /// All tables, in the order of their pages.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        let single = [&mut self.directory, &mut self.links, &mut self.users, &mut self.items];
        let classes = self.code.iter_mut().chain(self.pieces.iter_mut().flatten());
        single.into_iter().chain(classes.map(|class| &mut class.table))
    }

    fn fields(&self) -> Vec<u8> {
        let mut out = vec![0; PREFIX];
        let mut put = |word: u64| out.extend_from_slice(&word.to_le_bytes());
        put(u64::from(self.pages));
        for wide in [self.fingerprint, self.entry] {
            put(wide as u64);
            put((wide >> 64) as u64);
        }
        put(self.image_length);
        put(u64::from(self.returns_status) | u64::from(self.symbols) << 1);
        for segment in [self.text, self.constants] {
            [segment.offset, segment.address, segment.file, segment.memory].into_iter().for_each(&mut put);
        }
        self.tables.into_iter().for_each(&mut put);
        put(self.function_slots);
        put(self.end);
        let table = |put: &mut dyn FnMut(u64), table: &Table| {
            put(table.at);
            put(u64::from(table.capacity) | u64::from(table.count) << 32);
        };
        for single in [&self.directory, &self.links, &self.users, &self.items] {
            table(&mut put, single);
        }
        for classes in [&self.code, &self.pieces[0], &self.pieces[1]] {
            put(classes.len() as u64);
            for class in classes {
                put(u64::from(class.class) | u64::from(class.slot) << 32);
                put(u64::from(class.first));
                put(class.start);
                table(&mut put, &class.table);
            }
        }
        put(self.runtime.len() as u64);
        for &(uses, address) in &self.runtime {
            put(u64::from(uses));
            put(address);
        }
        put(self.parts.len() as u64);
        self.parts.iter().for_each(|&part| put(u64::from(part)));
        out
    }

    fn parse(bytes: &[u8]) -> Option<Head> {
        let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut next = || words.next();
        let pages = u32::try_from(next()?).ok()?;
        let [fingerprint, entry] = [rows::wide(next()?, next()?), rows::wide(next()?, next()?)];
        let (image_length, flags) = (next()?, next()?);
        let mut segment = || Some(Segment { offset: next()?, address: next()?, file: next()?, memory: next()? });
        let (text, constants) = (segment()?, segment()?);
        let tables = [next()?, next()?, next()?];
        let (function_slots, end) = (next()?, next()?);
        let limit = u64::from(pages) * (PAGE as u64 / 8);
        let table = |next: &mut dyn FnMut() -> Option<u64>, words: usize, pairs: bool, name: &'static str| {
            let (at, counts) = (next()?, next()?);
            let table = Table { at, words: words as u32, capacity: counts as u32, count: (counts >> 32) as u32, pairs, name };
            (at.checked_add(table.size())? <= limit && table.count <= table.capacity).then_some(table)
        };
        let directory = table(&mut next, rows::FUNCTION, false, names::FUNCTIONS)?;
        let links = table(&mut next, rows::LINK, true, names::LINKS)?;
        let users = table(&mut next, rows::USER, true, names::USERS)?;
        let items = table(&mut next, rows::ITEM, false, names::ITEMS)?;
        let mut classes = |words: usize, name: &'static str| {
            let count = next()?;
            let mut classes = Vec::new();
            for _ in 0..count {
                let (class, first, start) = (next()?, next()? as u32, next()?);
                let table = table(&mut next, words, false, name)?;
                classes.push(Class { class: class as u8, slot: (class >> 32) as u32, first, start, table });
            }
            Some(classes)
        };
        let (code, pieces) =
            (classes(rows::CODE, names::CODE)?, [classes(rows::PIECE, names::PIECES)?, classes(rows::PIECE, names::PIECES)?]);
        let runtime = (0..next()?).map(|_| Some((next()? as u32, next()?))).collect::<Option<Vec<_>>>()?;
        let parts = (0..next()?).map(|_| next().map(|part| part as u32)).collect::<Option<Vec<_>>>()?;
        let (returns_status, symbols) = (flags & 1 != 0, flags & 2 != 0);
        Some(Head {
            pages,
            fingerprint,
            image_length,
            entry,
            returns_status,
            symbols,
            text,
            constants,
            tables,
            function_slots,
            end,
            directory,
            links,
            users,
            items,
            code,
            pieces,
            runtime,
            parts,
        })
    }

    /// Head and pages of a sidecar. Only the head is verified yet.
    pub fn open(bytes: &[u8]) -> Result<(Head, Pages<'_>), Fallback> {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |number: usize| words.get(number).map(|word| u64::from_le_bytes(*word)).ok_or(Fallback::Format);
        if [word(0)?, word(1)?, word(2)?] != [MAGIC, FORMAT, runtime::FINGERPRINT] {
            return Err(Fallback::Format);
        }
        let size = usize::try_from(word(3)?).map_err(|_| Fallback::Damaged)?;
        let fields = bytes.get(PREFIX..size).ok_or(Fallback::Damaged)?;
        // The number of pages decides what the root is of; a wrong one does not verify.
        let pages = fields.first_chunk().map_or(0, |word| u64::from_le_bytes(*word) as usize);
        let sums_end = pages.checked_mul(8).and_then(|sums| sums.checked_add(size)).ok_or(Fallback::Damaged)?;
        let sums = bytes.get(size..sums_end).ok_or(Fallback::Damaged)?;
        let (old, rest) = bytes.get(tables_at(size, pages)..).ok_or(Fallback::Damaged)?.as_chunks::<PAGE>();
        if old.len() != pages || !rest.is_empty() || root(size, fields, sums) != word(ROOT_AT / 8)? {
            return Err(Fallback::Damaged);
        }
        // Nothing reads the bytes between checksums and tables, but a sidecar has one form.
        if bytes.get(sums_end..tables_at(size, pages)).is_none_or(|gap| gap.iter().any(|&byte| byte != 0)) {
            return Err(Fallback::Damaged);
        }
        let head = Head::parse(fields).ok_or(Fallback::Damaged)?;
        if head.runtime.len() != RuntimeSymbol::COUNT as usize {
            return Err(Fallback::Damaged);
        }
        Ok((head, Pages::new(old, sums.as_chunks::<8>().0)))
    }

    /// A sidecar of these table words.
    pub fn seal(&self, words: &[u64]) -> Vec<u8> {
        let fields = self.fields();
        let (size, pages) = (fields.len(), self.pages as usize);
        let start = tables_at(size, pages);
        let mut bytes = vec![0; start + pages * PAGE];
        for (place, word) in bytes[start..].as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        let sums: Vec<u8> = bytes[start..]
            .as_chunks::<PAGE>()
            .0
            .iter()
            .enumerate()
            .flat_map(|(number, page)| checksum(number as u64, page).to_le_bytes())
            .collect();
        bytes[size..size + sums.len()].copy_from_slice(&sums);
        bytes[..size].copy_from_slice(&finish(fields, &sums));
        bytes
    }

    /// The stretches of the sidecar `old` that change when this becomes its head and these its pages.
    pub fn patches(&self, old: &[u8], changed: Pages<'_>) -> Result<Vec<(u64, Vec<u8>)>, Fallback> {
        let fields = self.fields();
        let (size, pages) = (fields.len(), self.pages as usize);
        let start = tables_at(size, pages);
        let mut sums = old.get(size..size + pages * 8).ok_or(Fallback::Damaged)?.to_vec();
        let mut patches = vec![(0, Vec::new())];
        for (number, page) in changed.changed() {
            if let Some(sum) = sums.as_chunks_mut::<8>().0.get_mut(number) {
                *sum = checksum(number as u64, &*page).to_le_bytes();
            }
            patches.push(((start + number * PAGE) as u64, page.to_vec()));
        }
        let mut front = finish(fields, &sums);
        front.extend_from_slice(&sums);
        // The front is written as the part that changed, in pages.
        let differs = |at: &usize| old.get(*at..(at + PAGE).min(front.len())) != front.get(*at..(at + PAGE).min(front.len()));
        let starts: Vec<usize> = (0..front.len()).step_by(PAGE).filter(differs).collect();
        let front = starts.into_iter().filter_map(|at| Some((at as u64, front.get(at..(at + PAGE).min(front.len()))?.to_vec())));
        patches.splice(..1, front);
        Ok(patches)
    }
}

fn root(size: usize, fields: &[u8], sums: &[u8]) -> u64 {
    checksum(checksum(size as u64, fields), sums)
}

/// The head's bytes with prefix.
fn finish(mut fields: Vec<u8>, sums: &[u8]) -> Vec<u8> {
    let size = fields.len();
    let root = root(size, fields.get(PREFIX..).unwrap_or(&[]), sums);
    for (place, word) in fields.as_chunks_mut::<8>().0.iter_mut().zip([MAGIC, FORMAT, runtime::FINGERPRINT, size as u64, root]) {
        *place = word.to_le_bytes();
    }
    fields
}
