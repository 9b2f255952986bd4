//! The second half of a plan: the bytes of the image that change, from the tables before and after.

use std::collections::{BTreeMap, BTreeSet};

use abi::funcs::{ENTRY_RETURNS_STATUS, FUNCTIONS_SORTED, FunctionRecord, Header, ItemRecord, MAGIC};

use super::Patches;
use super::tables::{Planner, sites_piece};
use crate::input::Function;
use crate::layout::{FUNCTIONS, ITEMS};
use crate::records;
use crate::sidecar::Fallback;
use crate::sidecar::head::{Class, Head};
use crate::sidecar::rows::{FunctionRow, ItemRow, Link};
use crate::sidecar::short::{Kind, Short};
use crate::symbols::{self, Row};
use crate::write::FILLER;

/// A slot: class and row.
type Slot = (u8, u32);

/// Which slots of a kind are written, and who was moved.
#[derive(Default)]
struct Slots {
    write: BTreeSet<Slot>,
    /// Where those stood before whose places were touched.
    before: BTreeMap<Short, Slot>,
    /// Who stands elsewhere, or is new.
    moved: Vec<Short>,
}

const fn distance(to: u64, from: u64) -> i32 {
    to.wrapping_sub(from) as i32
}

impl Planner<'_> {
    /// The stretches of the image that change.
    pub fn emit(&mut self, header: bool) -> Result<Patches, Fallback> {
        let mut patches = Patches::new();
        let mut code = self.moves(&self.head.code, &self.code_touched)?;
        let mut pieces = Vec::new();
        for kind in 0..2 {
            pieces.push(self.moves(&self.head.pieces[kind], &self.pieces_touched[kind])?);
        }
        for edit in self.edits.iter().filter(|edit| edit.new.is_some()) {
            code.write.insert(self.code_slot(edit.short)?);
            self.records.insert(edit.short);
        }
        self.records.extend(&code.moved);
        let written: BTreeSet<Short> = self.owners(&self.head.code, &code.write)?;
        let fixups = self.dependents(&code, &pieces, &written)?;

        for (kind, moves) in pieces.iter_mut().enumerate() {
            for &piece in &self.piece_bytes {
                if let Kind::Piece { wide, class } = piece.kind()
                    && kind == crate::sidecar::head::pieces_of(wide)
                    && let Some((_, row)) = self.piece_place(piece)?
                {
                    moves.write.insert((class, row));
                }
            }
            self.pieces_bytes(&self.head.pieces[kind], moves, &mut patches)?;
        }
        self.code_bytes(&code, &mut patches)?;
        for (from, to) in fixups {
            self.fix(from, &to, &mut patches)?;
        }
        self.record_bytes(&code, &mut patches)?;
        self.item_bytes(&mut patches)?;
        if header || written.contains(&Short::function(self.head.entry)) {
            patches.push((self.head.constants.offset, self.header()?.to_vec()));
        }
        if self.head.symbols && !(self.edits.is_empty() && code.write.is_empty()) {
            // Who only changes its size, where it stands, changes one number of the table.
            if code.moved.is_empty() && self.edits.iter().all(|edit| edit.old.is_some() && edit.new.is_some()) {
                self.symbol_sizes(&mut patches)?;
            } else {
                self.symbol_table(&mut patches)?;
            }
        }
        patches.sort_unstable_by_key(|(offset, _)| *offset);
        Ok(patches)
    }

    fn moves(&self, classes: &[Class], touched: &[super::tables::Touched]) -> Result<Slots, Fallback> {
        let mut slots = Slots::default();
        for class in classes {
            let rows = touched.iter().filter(|touched| touched.class == class.class).map(|touched| touched.rows.clone());
            for row in self.new_owners(&class.table, rows)? {
                slots.write.insert((class.class, row));
                slots.moved.extend(Short::from_word(class.table.first(&self.pages, row)?));
                if let Some(short) = Short::from_word(class.table.old_first(&self.pages, row)?) {
                    slots.before.insert(short, (class.class, row));
                }
            }
        }
        Ok(slots)
    }

    fn owners(&self, classes: &[Class], slots: &BTreeSet<Slot>) -> Result<BTreeSet<Short>, Fallback> {
        let mut owners = BTreeSet::new();
        for &(class, row) in slots {
            let class = Head::class(classes, class).ok_or(Fallback::Damaged)?;
            owners.extend(Short::from_word(class.table.first(&self.pages, row)?));
        }
        Ok(owners)
    }

    /// Everything that holds the address of something that moved: code by function, the rest noted to be written.
    fn dependents(
        &mut self,
        code: &Slots,
        pieces: &[Slots],
        written: &BTreeSet<Short>,
    ) -> Result<BTreeMap<Short, BTreeSet<Short>>, Fallback> {
        let mut fixups: BTreeMap<Short, BTreeSet<Short>> = BTreeMap::new();
        for &moved in code.moved.iter().chain(pieces.iter().flat_map(|pieces| &pieces.moved)) {
            for row in self.head.users.run(&self.pages, moved)? {
                let [_, from] = self.head.users.row(&self.pages, row)?;
                let from = Short::from_word(from).ok_or(Fallback::Damaged)?;
                match from.kind() {
                    Kind::Function => {
                        let function = self.function(from)?;
                        if function.sites.is_some_and(|class| sites_piece(&function, class) == moved) {
                            self.records.insert(from);
                        } else if !written.contains(&from) {
                            fixups.entry(from).or_default().insert(moved);
                        }
                    }
                    Kind::Item => {
                        self.item_rows.insert(from);
                    }
                    Kind::Piece { .. } => {
                        self.piece_bytes.insert(from);
                    }
                    Kind::Symbol(_) | Kind::Unknown => return Err(Fallback::Damaged),
                }
            }
        }
        Ok(fixups)
    }

    fn function(&self, short: Short) -> Result<FunctionRow, Fallback> {
        let row = self.head.directory.find(&self.pages, short)?.ok_or(Fallback::Damaged)?;
        Ok(FunctionRow::from_words(self.head.directory.row(&self.pages, row)?))
    }

    fn code_slot(&self, short: Short) -> Result<Slot, Fallback> {
        let class = self.code_classes.of(self.function(short)?.size).ok_or(Fallback::Damaged)?;
        let table = Head::class(&self.head.code, class).ok_or(Fallback::Damaged)?.table;
        Ok((class, table.find(&self.pages, short)?.ok_or(Fallback::Damaged)?))
    }

    /// Offset of a slot in the text segment.
    fn code_offset(&self, (class, row): Slot) -> Result<(&Class, u64), Fallback> {
        let class = Head::class(&self.head.code, class).ok_or(Fallback::Damaged)?;
        Ok((class, class.start + u64::from(row) * u64::from(class.slot)))
    }

    fn function_address(&self, short: Short) -> Result<u64, Fallback> {
        Ok(self.head.text.address + self.code_offset(self.code_slot(short)?)?.1)
    }

    fn piece_address(&self, short: Short) -> Result<u64, Fallback> {
        let (class, row) = self.piece_place(short)?.ok_or(Fallback::Damaged)?;
        Ok(self.head.constants.address + self.piece_offset(class, row))
    }

    fn address(&self, short: Short) -> Result<u64, Fallback> {
        match short.kind() {
            Kind::Function => self.function_address(short),
            Kind::Piece { .. } => self.piece_address(short),
            Kind::Symbol(number) => match self.head.runtime.get(number as usize) {
                Some(&(_, address)) if address != 0 => Ok(address),
                Some(_) => Err(Fallback::Runtime),
                None => Err(Fallback::Damaged),
            },
            Kind::Item | Kind::Unknown => Err(Fallback::Damaged),
        }
    }

    /// What a link of something at `base` stores, and where in it.
    fn filled(&self, link: &Link, base: u64) -> Result<Option<(u32, Vec<u8>)>, Fallback> {
        let Some((offset, size)) = link.place() else { return Ok(None) };
        let value = self.address(link.target)?.wrapping_add_signed(link.addend());
        let bytes = if size == 4 {
            (value.wrapping_sub(base + u64::from(offset)) as u32).to_le_bytes().to_vec()
        } else {
            value.to_le_bytes().to_vec()
        };
        Ok(Some((offset, bytes)))
    }

    fn fill(&self, short: Short, base: u64, bytes: &mut [u8]) -> Result<(), Fallback> {
        for row in self.head.links.run(&self.pages, short)? {
            let link = Link::from_words(self.head.links.row(&self.pages, row)?).ok_or(Fallback::Damaged)?;
            if let Some((offset, value)) = self.filled(&link, base)? {
                let place = bytes.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..value.len()));
                place.ok_or(Fallback::Program)?.copy_from_slice(&value);
            }
        }
        Ok(())
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Fallback> {
        if self.source.read(offset, into) { Ok(()) } else { Err(Fallback::Missing) }
    }

    fn pieces_bytes(&self, classes: &[Class], slots: &Slots, patches: &mut Patches) -> Result<(), Fallback> {
        let constants = self.head.constants;
        for &(class, row) in &slots.write {
            let found = Head::class(classes, class).ok_or(Fallback::Damaged)?;
            let offset = self.piece_offset(found, row);
            let mut bytes = vec![0; found.slot as usize];
            if let Some(short) = Short::from_word(found.table.first(&self.pages, row)?) {
                match self.fresh.get(&short) {
                    Some(fresh) => bytes.get_mut(..fresh.bytes.len()).ok_or(Fallback::Damaged)?.copy_from_slice(&fresh.bytes),
                    None => {
                        let &(_, before) = slots.before.get(&short).unwrap_or(&(class, row));
                        self.read(constants.offset + self.piece_offset(found, before), &mut bytes)?;
                    }
                }
                self.fill(short, constants.address + offset, &mut bytes)?;
            }
            patches.push((constants.offset + offset, bytes));
        }
        Ok(())
    }

    fn edited(&self, short: Short) -> Option<&Function> {
        // Those that go stand first.
        let edits = self.edits.get(self.edits.partition_point(|edit| edit.new.is_none())..)?;
        let edit = edits.get(edits.binary_search_by_key(&short, |edit| edit.short).ok()?)?;
        edit.new.as_ref().map(|new| &*new.function)
    }

    fn code_bytes(&self, slots: &Slots, patches: &mut Patches) -> Result<(), Fallback> {
        let text = self.head.text;
        for &slot in &slots.write {
            let (class, offset) = self.code_offset(slot)?;
            let mut bytes = vec![FILLER; class.slot as usize];
            if let Some(short) = Short::from_word(class.table.first(&self.pages, slot.1)?) {
                let size = self.function(short)?.size as usize;
                let code = bytes.get_mut(..size).ok_or(Fallback::Damaged)?;
                match self.edited(short) {
                    Some(function) => code.copy_from_slice(&function.code),
                    None => {
                        let &before = slots.before.get(&short).ok_or(Fallback::Damaged)?;
                        self.read(text.offset + self.code_offset(before)?.1, code)?;
                    }
                }
                self.fill(short, text.address + offset, code)?;
            }
            patches.push((text.offset + offset, bytes));
        }
        Ok(())
    }

    /// Addresses of things that moved, in the code of a function that did not.
    fn fix(&self, from: Short, to: &BTreeSet<Short>, patches: &mut Patches) -> Result<(), Fallback> {
        let text = self.head.text;
        let (_, start) = self.code_offset(self.code_slot(from)?)?;
        for row in self.head.links.run(&self.pages, from)? {
            let link = Link::from_words(self.head.links.row(&self.pages, row)?).ok_or(Fallback::Damaged)?;
            if to.contains(&link.target)
                && let Some((offset, value)) = self.filled(&link, text.address + start)?
            {
                patches.push((text.offset + start + u64::from(offset), value));
            }
        }
        Ok(())
    }

    fn record_bytes(&self, code: &Slots, patches: &mut Patches) -> Result<(), Fallback> {
        let mut slots = code.write.clone();
        for &short in &self.records {
            slots.insert(self.code_slot(short)?);
        }
        for slot in slots {
            let (class, offset) = self.code_offset(slot)?;
            let at = self.head.tables[FUNCTIONS] + u64::from(class.first + slot.1) * records::FUNCTION_RECORD as u64;
            let address = self.head.constants.address + at;
            let start = distance(self.head.text.address + offset, address);
            let mut record = FunctionRecord { start, size: 0, frame_size: 0, sites: 0, item: 0, saved_mask: 0, flags: 0 };
            if let Some(short) = Short::from_word(class.table.first(&self.pages, slot.1)?) {
                let function = self.function(short)?;
                let item = self.head.items.find(&self.pages, short.as_item())?.ok_or(Fallback::Damaged)?;
                let sites = function.sites.map(|class| self.piece_address(sites_piece(&function, class))).transpose()?;
                record = FunctionRecord {
                    start,
                    size: function.size,
                    frame_size: function.frame_size,
                    sites: sites.map_or(0, |sites| distance(sites, address + records::SITES_OFFSET as u64)),
                    item,
                    saved_mask: function.saved_mask,
                    flags: function.flags,
                };
            }
            patches.push((self.head.constants.offset + at, records::function_record(&record).to_vec()));
        }
        Ok(())
    }

    fn item_bytes(&self, patches: &mut Patches) -> Result<(), Fallback> {
        let items = &self.head.items;
        let mut rows = self.new_owners(items, self.items_touched.iter().cloned())?;
        for &item in &self.item_rows {
            rows.extend(items.find(&self.pages, item)?);
        }
        for row in rows {
            let at = self.head.tables[ITEMS] + u64::from(row) * records::ITEM_RECORD as u64;
            let mut bytes = [0; records::ITEM_RECORD];
            if items.first(&self.pages, row)? != 0 {
                let item = ItemRow::from_words(items.row(&self.pages, row)?);
                let address = self.head.constants.address + at;
                let text = |word: u64| self.piece_address(Short::from_word(word).ok_or(Fallback::Damaged)?);
                bytes = records::item_record(&ItemRecord {
                    name: distance(text(item.name)?, address),
                    file: distance(text(item.file)?, address + 4),
                    name_len: item.name_len,
                    file_len: item.file_len,
                    base_line: item.base_line,
                    hidden: item.hidden,
                });
            }
            patches.push((self.head.constants.offset + at, bytes.to_vec()));
        }
        Ok(())
    }

    fn header(&self) -> Result<[u8; records::HEADER], Fallback> {
        let address = self.head.constants.address;
        let entry = Short::function(self.head.entry);
        let found = self.head.directory.find(&self.pages, entry)?.ok_or(Fallback::Program)?;
        if FunctionRow::from_words(self.head.directory.row(&self.pages, found)?).key != self.head.entry {
            return Err(Fallback::Program);
        }
        Ok(records::header(&Header {
            magic: MAGIC,
            entry: self.function_address(entry)?,
            functions: address + self.head.tables[FUNCTIONS],
            function_count: self.head.function_slots,
            items: address + self.head.tables[ITEMS],
            item_count: u64::from(self.head.items.capacity),
            flags: FUNCTIONS_SORTED | if self.head.returns_status { ENTRY_RETURNS_STATUS } else { 0 },
            frames: 0,
            image: 0,
        }))
    }

    fn symbol_sizes(&self, patches: &mut Patches) -> Result<(), Fallback> {
        for edit in &self.edits {
            let (Some(old), Some(new)) = (&edit.old, &edit.new) else { continue };
            if old.size == new.row.size {
                continue;
            }
            let (class, row) = self.code_slot(edit.short)?;
            let mut index = 0;
            for other in self.head.code.iter().take_while(|other| other.class != class) {
                index += other.table.count;
            }
            let table = Head::class(&self.head.code, class).ok_or(Fallback::Damaged)?.table;
            for before in 0..row {
                index += u32::from(table.first(&self.pages, before)? != 0);
            }
            patches.push((symbols::size_at(self.head.end, index), u64::from(new.row.size).to_le_bytes().to_vec()));
        }
        Ok(())
    }

    /// The symbol table stands in slot order and names follow each other, so it is written anew, with the names of the old one.
    fn symbol_table(&mut self, patches: &mut Patches) -> Result<(), Fallback> {
        let end = self.head.end;
        let size = self.head.image_length.checked_sub(end).and_then(|size| usize::try_from(size).ok()).ok_or(Fallback::Damaged)?;
        let mut old = vec![0; size];
        self.read(end, &mut old)?;
        let old_rows = symbols::rows(end, &old).ok_or(Fallback::Missing)?;
        let mut names = BTreeMap::new();
        let mut rest = old_rows.as_slice();
        let mut new = Vec::with_capacity(old_rows.len());
        for class in &self.head.code {
            for row in 0..class.table.capacity {
                if let Some(short) = Short::from_word(class.table.old_first(&self.pages, row)?) {
                    let (first, others) = rest.split_first().ok_or(Fallback::Missing)?;
                    names.insert(short, first.name);
                    rest = others;
                }
            }
        }
        for class in &self.head.code {
            for row in 0..class.table.capacity {
                let Some(short) = Short::from_word(class.table.first(&self.pages, row)?) else { continue };
                let name = match self.edited(short) {
                    Some(function) => function.name.as_bytes(),
                    None => names.get(&short).ok_or(Fallback::Missing)?,
                };
                let address = self.head.text.address + class.start + u64::from(row) * u64::from(class.slot);
                new.push(Row::function(name, address, u64::from(self.function(short)?.size)));
            }
        }
        new.extend_from_slice(rest);
        let (tail, headers_at) = symbols::tail(end, &new, &self.head.text, &self.head.constants);
        self.head.image_length = end + tail.len() as u64;
        patches.push((symbols::SECTIONS_AT as u64, headers_at.to_le_bytes().to_vec()));
        patches.push((end, tail));
        Ok(())
    }
}
