//! Sections, symbols, relocations.
//!
//! A section a function (so that a linker may drop or order them), one for constants without and one for constants with addresses, one each for
//! function records, item records, site bytes. Records name functions by distances, so that a position-independent link has nothing to do at start;
//! only the header and constants with addresses are relocated there.

use std::collections::HashMap;
use std::mem::offset_of;

use abi::funcs::{ENTRY_RETURNS_STATUS, FRAMES_SYMBOL, FunctionRecord, HAS_FRAME, HEADER_SYMBOL, Header, IMAGE_SYMBOL, ItemRecord, MAGIC};
use abi::layout::{THREAD_SIZE, THREAD_SYMBOL};
use image::input::{Data, DataTarget, Function, Program, RelocKind, RuntimeSymbol, Target};
use image::{LinkError, records};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use crate::name;

/// Writes a program as a relocatable object.
pub fn write(program: &Program) -> Result<Vec<u8>, LinkError> {
    let mut writer = Writer::new(program)?;
    writer.functions()?;
    let functions = writer.records()?;
    writer.header(functions)?;
    // Without it linkers assume that an executable stack is wanted.
    let note = writer.file.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    writer.file.section_mut(note).flags = SectionFlags::Elf { sh_flags: 0 };
    writer.file.write().map_err(|_| LinkError::TooLarge)
}

struct Writer<'a> {
    file: Object<'a>,
    program: &'a Program<'a>,
    /// The functions in order of their keys.
    functions: Vec<&'a Function>,
    symbols: Vec<SymbolId>,
    /// Symbols of functions that other objects define, by item.
    external: HashMap<ir::ItemId, SymbolId>,
    /// Position in `functions` of each item's raw id.
    numbers: Vec<Option<usize>>,
    /// Row in the item table of each item's raw id.
    rows: Vec<Option<u32>>,
    runtime: HashMap<&'static str, SymbolId>,
    constants: Table,
    addresses: Table,
    /// Constants without addresses by content, shared.
    shared: HashMap<(&'a [u8], u32), u64>,
}

/// A section with its symbol.
#[derive(Clone, Copy)]
struct Table {
    section: SectionId,
    symbol: SymbolId,
}

fn table(file: &mut Object, name: &str, kind: SectionKind) -> Table {
    let section = file.add_section(Vec::new(), name.as_bytes().to_vec(), kind);
    Table { section, symbol: file.section_symbol(section) }
}

/// A symbol that something else defines.
fn undefined(file: &mut Object, name: &str, kind: SymbolKind) -> SymbolId {
    file.add_symbol(Symbol {
        name: name.into(),
        value: 0,
        size: 0,
        kind,
        scope: SymbolScope::Unknown,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    })
}

fn fill(column: &mut Vec<Option<usize>>, raw: u32, value: usize) -> Option<usize> {
    let raw = raw as usize;
    if column.len() <= raw {
        column.resize(raw + 1, None);
    }
    column.get_mut(raw).and_then(|slot| slot.replace(value))
}

impl<'a> Writer<'a> {
    fn new(program: &'a Program<'a>) -> Result<Writer<'a>, LinkError> {
        let mut functions = program.functions.clone();
        functions.sort_by_key(|function| function.key);
        let mut numbers = Vec::new();
        for (number, function) in functions.iter().enumerate() {
            let twin = number.checked_sub(1).filter(|&before| functions[before].key == function.key);
            if let Some(other) = fill(&mut numbers, function.item.raw(), number).or(twin) {
                let names = [functions[other].name.clone(), function.name.clone()];
                let [first, second] = names;
                return Err(LinkError::DuplicateFunction { first, second });
            }
        }
        let mut items: Vec<_> = program.items.iter().collect();
        items.sort_by_key(|item| item.key);
        let mut rows = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let twin = number.checked_sub(1).filter(|&before| items[before].key == item.key);
            if fill(&mut rows, item.id.raw(), number).or(twin).is_some() {
                return Err(LinkError::DuplicateItem { name: item.name.clone() });
            }
        }
        let mut file = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let constants = table(&mut file, ".rodata.ori", SectionKind::ReadOnlyData);
        let addresses = table(&mut file, ".data.rel.ro.ori", SectionKind::ReadOnlyDataWithRel);
        let mut symbols = Vec::with_capacity(functions.len());
        for function in &functions {
            let mut section_name = b".text.".to_vec();
            section_name.extend_from_slice(name::symbol(&function.name).as_bytes());
            let section = file.add_section(Vec::new(), section_name, SectionKind::Text);
            file.append_section_data(section, &function.code, 16);
            symbols.push(file.add_symbol(Symbol {
                name: name::symbol(&function.name).into_bytes(),
                value: 0,
                size: function.code.len() as u64,
                kind: SymbolKind::Text,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(section),
                flags: SymbolFlags::None,
            }));
        }
        let mut external = HashMap::new();
        for (item, name) in &program.external {
            let own = numbers.get(item.raw() as usize).copied().flatten().and_then(|number| functions.get(number));
            if let Some(own) = own {
                return Err(LinkError::DuplicateFunction { first: own.name.clone(), second: name.clone() });
            }
            let symbol = undefined(&mut file, name, SymbolKind::Text);
            external.insert(*item, symbol);
        }
        Ok(Writer {
            file,
            program,
            functions,
            symbols,
            external,
            numbers,
            rows: rows.into_iter().map(|row| row.map(|row| row as u32)).collect(),
            runtime: HashMap::new(),
            constants,
            addresses,
            shared: HashMap::new(),
        })
    }

    fn runtime(&mut self, symbol: RuntimeSymbol) -> SymbolId {
        let file = &mut self.file;
        *self.runtime.entry(symbol.symbol()).or_insert_with(|| undefined(file, symbol.symbol(), SymbolKind::Text))
    }

    /// The state of the thread.
    fn thread(&mut self) -> SymbolId {
        let file = &mut self.file;
        *self.runtime.entry(THREAD_SYMBOL).or_insert_with(|| undefined(file, THREAD_SYMBOL, SymbolKind::Tls))
    }

    fn relocate(&mut self, section: SectionId, offset: u64, r_type: u32, symbol: SymbolId, addend: i64) -> Result<(), LinkError> {
        let row = Relocation { offset, symbol, addend, flags: RelocationFlags::Elf { r_type } };
        // Only formats other than ELF refuse relocations.
        self.file.add_relocation(section, row).map_err(|_| LinkError::TooLarge)
    }

    /// The symbol of a function, wherever it is defined.
    fn defined(&self, item: ir::ItemId) -> Option<SymbolId> {
        let number = self.numbers.get(item.raw() as usize).copied().flatten();
        number.and_then(|number| self.symbols.get(number)).or_else(|| self.external.get(&item)).copied()
    }

    fn function(&self, from: &Function, item: ir::ItemId) -> Result<SymbolId, LinkError> {
        self.defined(item).ok_or_else(|| LinkError::UndefinedFunction { function: from.name.clone(), target: item.to_string() })
    }

    /// Adds the constants of a function: the section symbol and offset of each.
    fn constants(&mut self, function: &'a Function) -> Result<Vec<(SymbolId, u64)>, LinkError> {
        let mut places = Vec::with_capacity(function.data.len());
        for data in &function.data {
            let place = self.constant(function, data, &places)?;
            places.push(place);
        }
        Ok(places)
    }

    fn constant(&mut self, function: &Function, data: &'a Data, earlier: &[(SymbolId, u64)]) -> Result<(SymbolId, u64), LinkError> {
        if !data.align.is_power_of_two() || data.align > 16 {
            return Err(LinkError::BadAlignment { function: function.name.clone() });
        }
        if data.relocs.is_empty() {
            let (file, section) = (&mut self.file, self.constants.section);
            let offset = self
                .shared
                .entry((&data.bytes, data.align))
                .or_insert_with(|| file.append_section_data(section, &data.bytes, u64::from(data.align)));
            return Ok((self.constants.symbol, *offset));
        }
        let start = self.file.append_section_data(self.addresses.section, &data.bytes, u64::from(data.align).max(8));
        for reloc in &data.relocs {
            if (reloc.offset as usize).checked_add(8).is_none_or(|end| end > data.bytes.len()) {
                return Err(LinkError::BadReloc { function: function.name.clone() });
            }
            let (symbol, base) = match reloc.target {
                DataTarget::Data(target) => {
                    earlier.get(target as usize).copied().ok_or_else(|| LinkError::UnknownData { function: function.name.clone() })?
                }
                DataTarget::Function(item) => (self.function(function, item)?, 0),
            };
            self.relocate(
                self.addresses.section,
                start + u64::from(reloc.offset),
                elf::R_X86_64_64,
                symbol,
                (base as i64).wrapping_add(reloc.addend),
            )?;
        }
        Ok((self.addresses.symbol, start))
    }

    fn functions(&mut self) -> Result<(), LinkError> {
        for (number, function) in self.functions.clone().into_iter().enumerate() {
            let constants = self.constants(function)?;
            let section = match self.symbols.get(number).map(|&symbol| self.file.symbol(symbol).section) {
                Some(SymbolSection::Section(section)) => section,
                Some(_) | None => continue,
            };
            for reloc in &function.relocs {
                let (r_type, width) = match reloc.kind {
                    RelocKind::Call32 => (elf::R_X86_64_PLT32, 4),
                    RelocKind::Data32 => (elf::R_X86_64_PC32, 4),
                    RelocKind::Abs64 => (elf::R_X86_64_64, 8),
                };
                if (reloc.offset as usize).checked_add(width).is_none_or(|end| end > function.code.len()) {
                    return Err(LinkError::BadReloc { function: function.name.clone() });
                }
                let (symbol, base) = match reloc.target {
                    Target::Function(item) => (self.function(function, item)?, 0),
                    Target::Runtime(symbol) => (self.runtime(symbol), 0),
                    Target::Data(data) => {
                        constants.get(data as usize).copied().ok_or_else(|| LinkError::UnknownData { function: function.name.clone() })?
                    }
                };
                self.relocate(section, u64::from(reloc.offset), r_type, symbol, base as i64 + i64::from(reloc.addend))?;
            }
            for &offset in &function.threads {
                let operand = function.code.get(offset as usize..).and_then(|rest| rest.first_chunk());
                let Some(&operand) = operand else { return Err(LinkError::BadReloc { function: function.name.clone() }) };
                // The code counts from where the state ends, the symbol stands where it begins.
                let addend = i64::from(i32::from_le_bytes(operand)) + THREAD_SIZE as i64;
                let symbol = self.thread();
                self.relocate(section, u64::from(offset), elf::R_X86_64_TPOFF32, symbol, addend)?;
            }
        }
        Ok(())
    }

    /// Writes function records and site bytes; the table of the records.
    fn records(&mut self) -> Result<Table, LinkError> {
        let sites = table(&mut self.file, ".rodata.ori_sites", SectionKind::ReadOnlyData);
        let records_table = table(&mut self.file, ".rodata.ori_funcs", SectionKind::ReadOnlyData);
        // Also of no records the address is one of records.
        self.file.append_section_data(records_table.section, &[], 8);
        let mut bytes = Vec::new();
        for (number, function) in self.functions.clone().into_iter().enumerate() {
            let row = |raw: u32| self.rows.get(raw as usize).copied().flatten();
            let item = row(function.item.raw())
                .ok_or_else(|| LinkError::UnknownItem { function: function.name.clone(), item: function.item.to_string() })?;
            bytes.clear();
            records::sites(function, row, &mut bytes)?;
            let record = FunctionRecord {
                start: 0,
                size: function.code.len() as u32,
                frame_size: function.frame_size,
                sites: 0,
                item,
                saved_mask: function.saved_mask,
                flags: if function.has_frame { HAS_FRAME } else { 0 },
            };
            let at = self.file.append_section_data(records_table.section, &records::function_record(&record), 8);
            let Some(&symbol) = self.symbols.get(number) else { continue };
            self.relocate(records_table.section, at, elf::R_X86_64_PC32, symbol, 0)?;
            if !function.sites.is_empty() {
                let place = self.file.append_section_data(sites.section, &bytes, 1);
                self.relocate(records_table.section, at + records::SITES_OFFSET as u64, elf::R_X86_64_PC32, sites.symbol, place as i64)?;
            }
        }
        Ok(records_table)
    }

    fn header(&mut self, functions: Table) -> Result<(), LinkError> {
        let program = self.program;
        let items_table = table(&mut self.file, ".rodata.ori_items", SectionKind::ReadOnlyData);
        self.file.append_section_data(items_table.section, &[], 8);
        let mut items: Vec<_> = program.items.iter().collect();
        items.sort_by_key(|item| item.key);
        for item in &items {
            let record = ItemRecord {
                name: 0,
                file: 0,
                name_len: item.name.len() as u32,
                file_len: item.file.len() as u32,
                base_line: item.base_line,
                hidden: u32::from(item.hidden),
            };
            let at = self.file.append_section_data(items_table.section, &records::item_record(&record), 8);
            for (field, text) in [(0, &item.name), (4, &item.file)] {
                let (file, section) = (&mut self.file, self.constants.section);
                let place =
                    *self.shared.entry((text.as_bytes(), 1)).or_insert_with(|| file.append_section_data(section, text.as_bytes(), 1));
                self.relocate(items_table.section, at + field, elf::R_X86_64_PC32, self.constants.symbol, place as i64)?;
            }
            if program.foreign_frames {
                self.file.add_symbol(Symbol {
                    name: name::item_symbol(item.id).into_bytes(),
                    value: at,
                    size: records::ITEM_RECORD as u64,
                    kind: SymbolKind::Data,
                    scope: SymbolScope::Linkage,
                    weak: false,
                    section: SymbolSection::Section(items_table.section),
                    flags: SymbolFlags::None,
                });
            }
        }
        let entry = self.defined(program.entry).ok_or(LinkError::NoEntry)?;
        let header = Header {
            magic: MAGIC,
            entry: 0,
            functions: 0,
            function_count: self.functions.len() as u64,
            items: 0,
            item_count: items.len() as u64,
            // The linker decides where functions go: not `FUNCTIONS_SORTED`.
            flags: if program.returns_status { ENTRY_RETURNS_STATUS } else { 0 },
            frames: 0,
            image: 0,
        };
        let at = self.file.append_section_data(self.addresses.section, &records::header(&header), 8);
        self.file.add_symbol(Symbol {
            name: HEADER_SYMBOL.into(),
            value: at,
            size: records::HEADER as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(self.addresses.section),
            flags: SymbolFlags::None,
        });
        let field = |offset: usize| at + offset as u64;
        let mut addresses = vec![
            (field(offset_of!(Header, entry)), entry),
            (field(offset_of!(Header, functions)), functions.symbol),
            (field(offset_of!(Header, items)), items_table.symbol),
        ];
        if program.foreign_frames {
            let reader = undefined(&mut self.file, FRAMES_SYMBOL, SymbolKind::Text);
            let image = undefined(&mut self.file, IMAGE_SYMBOL, SymbolKind::Data);
            // The linker's own, of this program and not of a library.
            self.file.symbol_mut(image).flags = SymbolFlags::Elf { st_info: elf::STB_GLOBAL << 4, st_other: elf::STV_HIDDEN };
            addresses.extend([(field(offset_of!(Header, frames)), reader), (field(offset_of!(Header, image)), image)]);
        }
        for (offset, symbol) in addresses {
            self.relocate(self.addresses.section, offset, elf::R_X86_64_64, symbol, 0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
