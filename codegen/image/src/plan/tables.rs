//! The first half of a plan: what changed, and the tables after it.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Content, Patch, Request, Source};
use crate::input::{Function, Item};
use crate::pieces::{PieceClasses, constant_keys, sites_key};
use crate::records;
use crate::sidecar::Fallback;
use crate::sidecar::describe::{Described, PieceName, share, share_of_options, symbols, targets};
use crate::sidecar::head::{Class, Head, pieces_of};
use crate::sidecar::pages::Pages;
use crate::sidecar::rows::{self, FunctionRow, ItemRow, Link, names};
use crate::sidecar::short::{Kind, Short};
use crate::sidecar::table::Table;
use crate::slots::Classes;

/// Rows that may be moved while the references of one function are made more or fewer, about: some milliseconds.
const MOST_MOVES: usize = 1 << 19;

type Done = Result<(), Fallback>;

/// A function that changes, comes or goes.
pub struct Edit<'a> {
    pub short: Short,
    pub old: Option<FunctionRow>,
    pub new: Option<New<'a>>,
}

/// A function as it shall be.
pub struct New<'a> {
    pub function: Cow<'a, Function>,
    pub row: FunctionRow,
    described: Described,
}

/// A piece whose bytes are at hand.
pub struct Fresh {
    key: u128,
    pub bytes: Vec<u8>,
    links: Vec<Link>,
}

/// Places of a class that were written.
pub struct Touched {
    pub class: u8,
    pub rows: Range<u32>,
}

pub struct Planner<'a> {
    pub request: &'a Request<'a>,
    pub source: &'a dyn Source,
    pub head: Head,
    pub pages: Pages<'a>,
    pub code_classes: Classes,
    classes: PieceClasses,
    pub edits: Vec<Edit<'a>>,
    /// Items of the request that changed.
    item_edits: Vec<Content>,
    /// Who is referred to differently: are they still there?
    pieces_in_question: Vec<Short>,
    items_in_question: BTreeMap<Short, Option<u128>>,
    pub fresh: BTreeMap<Short, Fresh>,
    /// To be written: records of functions, rows of items, pieces.
    pub records: BTreeSet<Short>,
    pub item_rows: BTreeSet<Short>,
    pub piece_bytes: BTreeSet<Short>,
    pub code_touched: Vec<Touched>,
    pub items_touched: Vec<Range<u32>>,
    pub pieces_touched: [Vec<Touched>; 2],
    parts_in_question: bool,
}

impl<'a> Planner<'a> {
    pub fn open(request: &'a Request<'a>, sidecar: &'a [u8], source: &'a dyn Source) -> Result<Self, Fallback> {
        let (head, pages) = Head::open(sidecar)?;
        if head.symbols != request.symbols {
            return Err(Fallback::Symbols);
        }
        let mut planner = Planner {
            request,
            source,
            head,
            pages,
            code_classes: Classes::new(32, 16),
            classes: PieceClasses::default(),
            edits: Vec::new(),
            item_edits: Vec::new(),
            pieces_in_question: Vec::new(),
            items_in_question: BTreeMap::new(),
            fresh: BTreeMap::new(),
            records: BTreeSet::new(),
            item_rows: BTreeSet::new(),
            piece_bytes: BTreeSet::new(),
            code_touched: Vec::new(),
            items_touched: Vec::new(),
            pieces_touched: [Vec::new(), Vec::new()],
            parts_in_question: false,
        };
        planner.compare()?;
        Ok(planner)
    }

    /// `None` when nothing changes.
    pub fn patch(mut self, sidecar: &[u8]) -> Result<Option<Patch>, Fallback> {
        let Request { entry, returns_status, symbols, .. } = *self.request;
        let same_options = (self.head.entry, self.head.returns_status) == (entry, returns_status);
        if self.edits.is_empty() && self.item_edits.is_empty() && same_options {
            return Ok(None);
        }
        let options = share_of_options(self.head.entry, self.head.returns_status, symbols);
        self.head.fingerprint = self.head.fingerprint.wrapping_sub(options).wrapping_add(share_of_options(entry, returns_status, symbols));
        (self.head.entry, self.head.returns_status) = (entry, returns_status);
        self.functions()?;
        self.items()?;
        self.sites()?;
        self.pieces()?;
        self.nothing_dangles()?;
        self.code()?;
        if let Some(table) = self.head.tables_mut().find(|table| !table.is_settled()) {
            return Err(Fallback::Capacity(table.name));
        }
        if self.parts_in_question && self.head.needed_parts() != self.head.parts {
            return Err(Fallback::Runtime);
        }
        let image = self.emit(!same_options)?;
        let (image_length, fingerprint) = (self.head.image_length, self.head.fingerprint);
        Ok(Some(Patch { image, image_length, sidecar: self.head.patches(sidecar, self.pages)?, fingerprint }))
    }

    fn compare(&mut self) -> Done {
        let directory = self.head.directory;
        let rows = directory.old_rows(&self.pages)?;
        let mut seen = vec![false; directory.capacity as usize];
        let (mut known, mut fresh) = (0, BTreeSet::new());
        let mut changed = Vec::new();
        for content in self.request.functions {
            match rows.find(Short::function(content.key)) {
                Some((place, words)) => {
                    let row = FunctionRow::from_words(words);
                    if row.key != content.key {
                        return Err(Fallback::Unsupported);
                    }
                    let seen = seen.get_mut(place as usize).ok_or(Fallback::Damaged)?;
                    if *seen {
                        return Err(Fallback::Program);
                    }
                    *seen = true;
                    known += 1;
                    if row.fingerprint != content.fingerprint {
                        changed.push((*content, Some(row)));
                    }
                }
                None if fresh.insert(content.key) => changed.push((*content, None)),
                None => return Err(Fallback::Program),
            }
        }
        let mut constants = Vec::new();
        for (content, old) in changed {
            let function = self.source.function(content.key).ok_or(Fallback::Missing)?;
            if function.key != content.key || self.source.key(function.item) != Some(content.key) {
                return Err(Fallback::Unsupported);
            }
            constant_keys(&function, &mut constants).map_err(|_| Fallback::Program)?;
            let mut described = Described::default();
            described.describe(&function, constants.iter().copied(), &self.classes, &|item| self.source.key(item))?;
            // Until the new ones are written, it has the old sites.
            let row = FunctionRow::new(&function, content.fingerprint, old.and_then(|old| old.sites));
            self.edits.push(Edit { short: row.short(), old, new: Some(New { function, row, described }) });
        }
        if known < directory.count && !self.request.others_stay {
            for row in (0..directory.capacity).zip(&seen).filter_map(|(row, seen)| (!seen).then_some(row)) {
                if directory.first(&self.pages, row)? != 0 {
                    let old = FunctionRow::from_words(directory.row(&self.pages, row)?);
                    self.edits.push(Edit { short: old.short(), old: Some(old), new: None });
                }
            }
        }
        if !self.request.items.is_empty() {
            let rows = self.head.items.old_rows(&self.pages)?;
            for content in self.request.items {
                if let Some((_, words)) = rows.find(Short::item(content.key)) {
                    let row = ItemRow::from_words(words);
                    if row.key == content.key && row.fingerprint != content.fingerprint {
                        self.item_edits.push(*content);
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, short: Short, row: &FunctionRow, comes: bool) {
        let share = share(short, row.key, row.fingerprint);
        let sum = self.head.fingerprint;
        self.head.fingerprint = if comes { sum.wrapping_add(share) } else { sum.wrapping_sub(share) };
    }

    /// `from` no longer refers to `to`.
    fn unlink(&mut self, to: Short, from: Short) -> Done {
        let row = self.head.users.find_pair(&self.pages, to, from.word())?.ok_or(Fallback::Damaged)?;
        self.head.users.remove(&mut self.pages, row)?;
        self.question(to, None);
        Ok(())
    }

    fn link(&mut self, to: Short, from: Short) -> Done {
        self.head.users.insert(&mut self.pages, &[to.word(), from.word()])?;
        self.question(to, None);
        Ok(())
    }

    fn question(&mut self, short: Short, key: Option<u128>) {
        match short.kind() {
            Kind::Item => {
                let known = self.items_in_question.entry(short).or_default();
                *known = known.or(key);
            }
            Kind::Piece { .. } => self.pieces_in_question.push(short),
            Kind::Function | Kind::Symbol(_) | Kind::Unknown => {}
        }
    }

    fn links_of(&self, short: Short) -> Result<Vec<Link>, Fallback> {
        let run = self.head.links.run(&self.pages, short)?;
        run.map(|row| Link::from_words(self.head.links.row(&self.pages, row)?).ok_or(Fallback::Damaged)).collect()
    }

    /// Replaces the links of a thing.
    fn relink(&mut self, short: Short, new: &[Link]) -> Done {
        let table = &mut self.head.links;
        let run = table.run(&self.pages, short)?;
        let common = run.len().min(new.len());
        if run.len().abs_diff(new.len()) * run.len().max(new.len()) > MOST_MOVES {
            return Err(Fallback::Large);
        }
        for (row, link) in run.clone().zip(new) {
            table.write(&mut self.pages, row, &link.words(short))?;
        }
        for _ in common..run.len() {
            // The run only loses its last row, but all of it may move.
            let last = table.run(&self.pages, short)?.next_back().ok_or(Fallback::Damaged)?;
            table.remove(&mut self.pages, last)?;
        }
        for link in new.get(common..).unwrap_or_default() {
            table.insert(&mut self.pages, &link.words(short))?;
        }
        Ok(())
    }

    /// Functions: directory, links, users, uses of the runtime.
    fn functions(&mut self) -> Done {
        let mut edits = std::mem::take(&mut self.edits);
        // What goes first: then nothing overflows that fits in the end.
        edits.sort_unstable_by_key(|edit| (edit.new.is_some(), edit.short));
        let mut links = Vec::with_capacity(edits.len());
        for edit in &edits {
            let old = self.links_of(edit.short)?;
            let new: &[Link] = edit.new.as_ref().map_or(&[], |new| &new.described.links);
            let (before, after) = (targets(&old), targets(new));
            for &target in before.iter().filter(|target| after.binary_search(target).is_err()) {
                self.unlink(target, edit.short)?;
            }
            links.push((old, before, after));
        }
        for (edit, (old, before, after)) in edits.iter().zip(&links) {
            let new: &[Link] = edit.new.as_ref().map_or(&[], |new| &new.described.links);
            self.relink(edit.short, new)?;
            for &target in after.iter().filter(|target| before.binary_search(target).is_err()) {
                self.link(target, edit.short)?;
            }
            for (number, comes) in symbols(old).into_iter().map(|s| (s, false)).chain(symbols(new).into_iter().map(|s| (s, true))) {
                let (uses, _) = self.head.runtime.get_mut(number as usize).ok_or(Fallback::Damaged)?;
                self.parts_in_question |= *uses <= 1;
                *uses = if comes { uses.checked_add(1) } else { uses.checked_sub(1) }.ok_or(Fallback::Damaged)?;
            }
            self.enter(edit)?;
        }
        for edit in &edits {
            for (item, key) in edit.new.iter().flat_map(|new| &new.described.items) {
                self.question(*item, Some(*key));
            }
            if let Some(new) = &edit.new {
                self.constants(new)?;
                let defined = |target: &Short| match target.kind() {
                    Kind::Function => Ok(self.head.directory.find(&self.pages, *target)?.is_some()),
                    Kind::Item | Kind::Symbol(_) | Kind::Piece { .. } | Kind::Unknown => Ok(true),
                };
                for target in new.described.targets() {
                    if !defined(&target)? {
                        return Err(Fallback::Program);
                    }
                }
            }
        }
        self.edits = edits;
        Ok(())
    }

    /// The directory's row of a function.
    fn enter(&mut self, edit: &Edit) -> Done {
        let directory = &mut self.head.directory;
        let place = directory.find(&self.pages, edit.short)?;
        match (place, &edit.new) {
            (Some(row), Some(new)) => directory.write(&mut self.pages, row, &new.row.words())?,
            (Some(row), None) => {
                directory.remove(&mut self.pages, row)?;
            }
            (None, Some(new)) => {
                directory.insert(&mut self.pages, &new.row.words())?;
            }
            (None, None) => return Err(Fallback::Damaged),
        }
        if let Some(old) = &edit.old {
            self.count(edit.short, old, false);
        }
        if let Some(new) = &edit.new {
            self.count(edit.short, &new.row, true);
        }
        if edit.old.is_none() || edit.new.is_none() {
            let key = edit.old.as_ref().or(edit.new.as_ref().map(|new| &new.row)).map(|row| row.key);
            self.question(edit.short.as_item(), key);
        }
        Ok(())
    }

    fn freshen(&mut self, name: PieceName, bytes: Vec<u8>, links: Vec<Link>) -> Done {
        match self.fresh.insert(name.short, Fresh { key: name.key, bytes, links }) {
            Some(twin) if twin.key != name.key => Err(Fallback::Unsupported),
            Some(_) | None => Ok(()),
        }
    }

    fn constants(&mut self, new: &New) -> Done {
        for (name, data) in new.described.constants.iter().zip(&new.function.data) {
            let links = new.described.constant_links(data, &|item| self.source.key(item))?;
            self.freshen(*name, data.bytes.clone(), links)?;
        }
        Ok(())
    }

    /// Items: who comes, goes, or reads differently.
    fn items(&mut self) -> Done {
        let (mut comes, mut goes) = (Vec::new(), Vec::new());
        for (item, key) in std::mem::take(&mut self.items_in_question) {
            let named =
                self.head.directory.find(&self.pages, item.as_function())?.is_some() || !self.head.users.run(&self.pages, item)?.is_empty();
            match (self.head.items.find(&self.pages, item)?, named) {
                (Some(_), false) => goes.push(item),
                (None, true) => comes.push(key.ok_or(Fallback::Damaged)?),
                (Some(row), true) => {
                    let found = ItemRow::from_words(self.head.items.row(&self.pages, row)?);
                    if key.is_some_and(|key| key != found.key) {
                        return Err(Fallback::Unsupported);
                    }
                }
                (None, false) => {}
            }
        }
        for item in goes {
            let row = self.head.items.find(&self.pages, item)?.ok_or(Fallback::Damaged)?;
            let old = ItemRow::from_words(self.head.items.row(&self.pages, row)?);
            self.head.fingerprint = self.head.fingerprint.wrapping_sub(share(item, old.key, old.fingerprint));
            self.texts(item, Some(&old), None)?;
            let touched = self.head.items.remove(&mut self.pages, row)?;
            self.items_touched.push(touched);
        }
        for key in comes {
            let (record, fingerprint) = self.source.item(key).ok_or(Fallback::Missing)?;
            let new = self.item_row(&record, key, fingerprint)?;
            let touched = self.head.items.insert(&mut self.pages, &new.words())?;
            self.items_touched.push(touched);
            self.texts(Short::item(key), None, Some(&new))?;
            self.head.fingerprint = self.head.fingerprint.wrapping_add(share(Short::item(key), key, fingerprint));
        }
        for Content { key, fingerprint } in std::mem::take(&mut self.item_edits) {
            let item = Short::item(key);
            let Some(row) = self.head.items.find(&self.pages, item)? else { continue };
            let old = ItemRow::from_words(self.head.items.row(&self.pages, row)?);
            if old.fingerprint == fingerprint {
                continue;
            }
            let (record, found) = self.source.item(key).ok_or(Fallback::Missing)?;
            if found != fingerprint {
                return Err(Fallback::Missing);
            }
            let new = self.item_row(&record, key, fingerprint)?;
            self.head.items.write(&mut self.pages, row, &new.words())?;
            self.texts(item, Some(&old), Some(&new))?;
            self.item_rows.insert(item);
            let shares = (share(item, key, old.fingerprint), share(item, key, fingerprint));
            self.head.fingerprint = self.head.fingerprint.wrapping_sub(shares.0).wrapping_add(shares.1);
        }
        Ok(())
    }

    fn item_row(&mut self, item: &Item, key: u128, fingerprint: u128) -> Result<ItemRow, Fallback> {
        if item.key != key {
            return Err(Fallback::Missing);
        }
        let (name, file) = (PieceName::text(&item.name, &self.classes)?, PieceName::text(&item.file, &self.classes)?);
        self.freshen(name, item.name.as_bytes().to_vec(), Vec::new())?;
        self.freshen(file, item.file.as_bytes().to_vec(), Vec::new())?;
        Ok(ItemRow::new(item, fingerprint, name.short, file.short))
    }

    /// The texts that an item refers to change.
    fn texts(&mut self, item: Short, old: Option<&ItemRow>, new: Option<&ItemRow>) -> Done {
        let texts = |row: Option<&ItemRow>| -> BTreeSet<Short> {
            row.into_iter().flat_map(|row| [row.name, row.file]).filter_map(Short::from_word).collect()
        };
        let (old, new) = (texts(old), texts(new));
        for &text in old.difference(&new) {
            self.unlink(text, item)?;
        }
        for &text in new.difference(&old) {
            self.link(text, item)?;
        }
        Ok(())
    }

    /// Places of a table that have another owner than before the plan.
    pub fn new_owners(&self, table: &Table, touched: impl Iterator<Item = Range<u32>>) -> Result<BTreeSet<u32>, Fallback> {
        let mut rows = BTreeSet::new();
        for row in touched.flatten() {
            if table.first(&self.pages, row)? != table.old_first(&self.pages, row)? {
                rows.insert(row);
            }
        }
        Ok(rows)
    }

    /// The items that stand in other rows than before, or are new.
    pub fn moved_items(&self) -> Result<Vec<Short>, Fallback> {
        let items = &self.head.items;
        let rows = self.new_owners(items, self.items_touched.iter().cloned())?;
        let mut moved = Vec::with_capacity(rows.len());
        for row in rows {
            moved.extend(Short::from_word(items.first(&self.pages, row)?));
        }
        Ok(moved)
    }

    /// Site bytes: of the functions that change, and of those that name an item by a row where it no longer stands.
    fn sites(&mut self) -> Done {
        let mut named = BTreeSet::new();
        for item in self.moved_items()? {
            self.item_rows.insert(item);
            if self.head.directory.find(&self.pages, item.as_function())?.is_some() {
                self.records.insert(item.as_function());
                named.insert(item.as_function());
            }
            for row in self.head.users.run(&self.pages, item)? {
                let [_, from] = self.head.users.row(&self.pages, row)?;
                named.extend(Short::from_word(from));
            }
        }
        let edits = std::mem::take(&mut self.edits);
        for new in edits.iter().filter_map(|edit| edit.new.as_ref()) {
            named.remove(&new.row.short());
            let bytes = self.written_sites(&new.function)?;
            self.resite(new.row, bytes)?;
        }
        for edit in edits.iter().filter(|edit| edit.new.is_none()) {
            if let Some(old) = &edit.old
                && let Some(class) = old.sites
            {
                self.unlink(sites_piece(old, class), edit.short)?;
            }
        }
        self.edits = edits;
        for short in named {
            let row = self.head.directory.find(&self.pages, short)?.ok_or(Fallback::Damaged)?;
            let function = FunctionRow::from_words(self.head.directory.row(&self.pages, row)?);
            if let Some(class) = function.sites {
                let bytes = self.renumbered_sites(sites_piece(&function, class))?;
                self.resite(function, Some(bytes))?;
            }
        }
        Ok(())
    }

    fn written_sites(&self, function: &Function) -> Result<Option<Vec<u8>>, Fallback> {
        if function.sites.is_empty() {
            return Ok(None);
        }
        let mut rows = BTreeMap::new();
        for place in &function.places {
            if let Entry::Vacant(vacant) = rows.entry(place.item.raw()) {
                let key = self.source.key(place.item).ok_or(Fallback::Missing)?;
                vacant.insert(self.head.items.find(&self.pages, Short::item(key))?.ok_or(Fallback::Program)?);
            }
        }
        let mut bytes = Vec::new();
        records::sites(function, |raw| rows.get(&raw).copied(), &mut bytes).map_err(|_| Fallback::Program)?;
        Ok(Some(bytes))
    }

    fn renumbered_sites(&self, piece: Short) -> Result<Vec<u8>, Fallback> {
        let (class, row) = self.piece_place(piece)?.ok_or(Fallback::Damaged)?;
        let mut bytes = vec![0; class.slot as usize];
        let offset = self.piece_offset(class, row);
        if !self.source.read(self.head.constants.offset + offset, &mut bytes) {
            return Err(Fallback::Missing);
        }
        let items = &self.head.items;
        let new_row = |row: u32| {
            if row >= items.capacity {
                return None;
            }
            let item = Short::from_word(items.old_first(&self.pages, row).ok()?)?;
            items.find(&self.pages, item).ok()?
        };
        // The image is not what the sidecar says.
        records::renumbered(&bytes, new_row).ok_or(Fallback::Missing)
    }

    /// Gives a function these site bytes.
    fn resite(&mut self, mut function: FunctionRow, bytes: Option<Vec<u8>>) -> Done {
        let short = function.short();
        let old = function.sites.map(|class| sites_piece(&function, class));
        let new = match &bytes {
            Some(bytes) => Some(PieceName::new(sites_key(function.key), false, bytes.len(), &self.classes)?),
            None => None,
        };
        if let (Some(name), Some(bytes)) = (new, bytes) {
            self.freshen(name, bytes, Vec::new())?;
            self.piece_bytes.insert(name.short);
        }
        let new = new.map(|name| name.short);
        if old == new {
            return Ok(());
        }
        if let Some(old) = old {
            self.unlink(old, short)?;
        }
        if let Some(new) = new {
            self.link(new, short)?;
        }
        function.sites = new.and_then(|new| match new.kind() {
            Kind::Piece { class, .. } => Some(class),
            Kind::Function | Kind::Item | Kind::Symbol(_) | Kind::Unknown => None,
        });
        let row = self.head.directory.find(&self.pages, short)?.ok_or(Fallback::Damaged)?;
        self.head.directory.write(&mut self.pages, row, &function.words())?;
        self.records.insert(short);
        Ok(())
    }

    /// Pieces: who comes and goes.
    fn pieces(&mut self) -> Done {
        let mut questioned = BTreeSet::new();
        while let Some(piece) = self.pieces_in_question.pop() {
            questioned.insert(piece);
            let used = !self.head.users.run(&self.pages, piece)?.is_empty();
            if !used && self.piece_place(piece)?.is_some() {
                for target in targets(&self.links_of(piece)?) {
                    self.unlink(target, piece)?;
                }
                self.relink(piece, &[])?;
                self.change_class(piece, |table, pages, row| table.remove(pages, row.ok_or(Fallback::Damaged)?))?;
            }
        }
        for &piece in &questioned {
            let used = !self.head.users.run(&self.pages, piece)?.is_empty();
            if used && self.piece_place(piece)?.is_none() {
                let fresh = self.fresh.get(&piece).ok_or(Fallback::Damaged)?;
                let (words, links) = ([piece.word(), fresh.key as u64, (fresh.key >> 64) as u64], fresh.links.clone());
                self.change_class(piece, |table, pages, _| table.insert(pages, &words))?;
                self.relink(piece, &links)?;
                for target in targets(&links) {
                    self.link(target, piece)?;
                }
            }
        }
        // Whatever has the name of a piece at hand is that piece.
        for (&piece, fresh) in &self.fresh {
            if let Some((class, row)) = self.piece_place(piece)? {
                let [_, low, high] = class.table.row(&self.pages, row)?;
                if rows::wide(low, high) != fresh.key {
                    return Err(Fallback::Unsupported);
                }
            }
        }
        Ok(())
    }

    /// Nothing refers to a function that went; asked when the pieces that did are gone.
    fn nothing_dangles(&self) -> Done {
        for edit in self.edits.iter().filter(|edit| edit.new.is_none()) {
            if !self.head.users.run(&self.pages, edit.short)?.is_empty() {
                return Err(Fallback::Program);
            }
        }
        Ok(())
    }

    fn change_class(
        &mut self,
        piece: Short,
        change: impl FnOnce(&mut Table, &mut Pages, Option<u32>) -> Result<Range<u32>, Fallback>,
    ) -> Done {
        let Kind::Piece { wide, class } = piece.kind() else { return Err(Fallback::Damaged) };
        let classes = &mut self.head.pieces[pieces_of(wide)];
        let place = classes.binary_search_by_key(&class, |row| row.class).map_err(|_| Fallback::Capacity(names::PIECES))?;
        let table = &mut classes[place].table;
        let row = table.find(&self.pages, piece)?;
        let rows = change(table, &mut self.pages, row)?;
        self.pieces_touched[pieces_of(wide)].push(Touched { class, rows });
        Ok(())
    }

    /// Slots of code: who comes, goes, or needs another size.
    fn code(&mut self) -> Done {
        let class = |classes: &Classes, row: &FunctionRow| classes.of(row.size).ok_or(Fallback::Program);
        let mut changes = Vec::new();
        for edit in &self.edits {
            let old = edit.old.as_ref().map(|row| class(&self.code_classes, row)).transpose()?;
            let new = edit.new.as_ref().map(|new| class(&self.code_classes, &new.row)).transpose()?;
            if old != new {
                changes.push((edit.short, old, new));
            }
        }
        for comes in [false, true] {
            for &(short, old, new) in &changes {
                let Some(class) = (if comes { new } else { old }) else { continue };
                let place = self.head.code.binary_search_by_key(&class, |row| row.class).map_err(|_| Fallback::Capacity(names::CODE))?;
                let table = &mut self.head.code[place].table;
                let rows = if comes {
                    table.insert(&mut self.pages, &[short.word()])?
                } else {
                    let row = table.find(&self.pages, short)?.ok_or(Fallback::Damaged)?;
                    table.remove(&mut self.pages, row)?
                };
                self.code_touched.push(Touched { class, rows });
            }
        }
        Ok(())
    }

    /// Class and row of a piece.
    pub fn piece_place(&self, piece: Short) -> Result<Option<(&Class, u32)>, Fallback> {
        let Kind::Piece { wide, class } = piece.kind() else { return Err(Fallback::Damaged) };
        let Some(class) = Head::class(&self.head.pieces[pieces_of(wide)], class) else { return Ok(None) };
        Ok(class.table.find(&self.pages, piece)?.map(|row| (class, row)))
    }

    /// Offset of a slot of pieces in the constants segment.
    pub fn piece_offset(&self, class: &Class, row: u32) -> u64 {
        self.head.tables[crate::layout::PIECES] + class.start + u64::from(row) * u64::from(class.slot)
    }
}

/// The piece with a function's sites.
pub fn sites_piece(function: &FunctionRow, class: u8) -> Short {
    Short::piece(sites_key(function.key), false, class)
}
