//! The static library as parts: sections reached from the runtime's symbols, with relocations resolved to parts. Of a section of constants each entry is a
//! part of its own: all functions share such a section.

use std::collections::BTreeMap;

use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, ElfSection64};
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags, SectionIndex, SymbolIndex, elf};

type File<'a> = ElfFile64<'a, object::Endianness>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Code,
    ReadOnly,
    Data,
    Zero,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelocKind {
    Rel32,
    Abs32,
    Abs64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Part(usize),
    /// `ori_header`, which the linker makes.
    Header,
    /// A symbol of a C library, by its number in [`Parts::foreign`].
    Foreign(usize),
}

#[derive(Clone, Debug)]
pub struct Reloc {
    pub offset: u64,
    pub kind: RelocKind,
    pub target: Target,
    pub addend: i64,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    pub size: u64,
    pub align: u64,
    pub relocs: Vec<Reloc>,
    /// Where distances from `fs` to the state of the thread stand, in four bytes, and what is added to them. In an image of ours they are constants,
    /// which the bytes have; a foreign linker fills them in.
    pub threads: Vec<(u64, i64)>,
}

pub struct Symbol {
    pub part: usize,
    pub offset: u64,
    pub weak: bool,
    pub global: bool,
}

pub struct Parts {
    pub parts: Vec<Part>,
    pub symbols: BTreeMap<String, Symbol>,
    /// Symbols of others that the parts name: none, but for the runtime under a C library. Is it theirs to be there?
    pub foreign: Vec<(String, bool)>,
}

/// The entry points of an executable, beside the tables of `rt-abi`.
pub const STARTS: [&str; 2] = [abi::funcs::START_SYMBOL, "main"];

pub fn roots() -> Vec<&'static str> {
    let calls = abi::RuntimeCall::ALL.iter().map(|call| call.symbol());
    let panics = abi::PanicKind::ALL.iter().map(|kind| kind.symbol());
    let entries = abi::Entry::ALL.iter().map(|entry| entry.symbol());
    STARTS.into_iter().chain(calls).chain(panics).chain(entries).chain(abi::funcs::FOREIGN_SYMBOLS).collect()
}

impl Parts {
    pub fn exported(&self) -> Vec<String> {
        self.symbols.iter().filter(|(_, symbol)| symbol.global).map(|(name, _)| name.clone()).collect()
    }
}

struct Loader<'a> {
    files: Vec<File<'a>>,
    globals: BTreeMap<&'a str, (usize, SymbolIndex, bool)>,
    /// By file, section, and where the part begins in it.
    numbers: BTreeMap<(usize, usize, u64), usize>,
    sections: Vec<(usize, SectionIndex, u64)>,
    /// Slots with the address of another part, for instructions that want one in memory.
    slots: BTreeMap<(usize, u64), usize>,
    slot_parts: Vec<(usize, u64)>,
    /// What others may define.
    may_lack: bool,
    foreign: Vec<(String, bool)>,
}

const SLOT: usize = 1 << 32;

/// The parts of a library, which a C library stands beside or none does.
pub fn collect(library: &[u8], hosted: bool) -> Parts {
    let archive = ArchiveFile::parse(library).expect("cargo wrote an archive");
    let mut files = Vec::new();
    for member in archive.members() {
        let data = member.and_then(|member| member.data(library)).expect("members can be read");
        if let Ok(file) = File::parse(data) {
            files.push(file);
        }
    }
    let mut loader = Loader {
        globals: BTreeMap::new(),
        numbers: BTreeMap::new(),
        sections: Vec::new(),
        slots: BTreeMap::new(),
        slot_parts: Vec::new(),
        may_lack: hosted,
        foreign: Vec::new(),
        files,
    };
    loader.index();
    loader.load()
}

impl<'a> Loader<'a> {
    fn index(&mut self) {
        let mut globals: BTreeMap<&'a str, (usize, SymbolIndex, bool)> = BTreeMap::new();
        for (number, file) in self.files.iter().enumerate() {
            for symbol in file.symbols() {
                if symbol.is_global() && symbol.is_definition() {
                    let name = symbol.name().expect("symbol names are UTF-8");
                    // As a linker does: the first strong definition, else the first weak one.
                    let entry = globals.entry(name).or_insert((number, symbol.index(), symbol.is_weak()));
                    if entry.2 && !symbol.is_weak() {
                        *entry = (number, symbol.index(), false);
                    }
                }
            }
        }
        self.globals = globals;
    }

    fn number(&mut self, file: usize, section: SectionIndex, start: u64) -> usize {
        *self.numbers.entry((file, section.0, start)).or_insert_with(|| {
            self.sections.push((file, section, start));
            self.sections.len() - 1
        })
    }

    /// Bytes of an entry of a section of constants that fit into a register; `None` for any other section. Larger ones are small tables.
    fn entry_size(&self, file: usize, section: SectionIndex) -> Option<u64> {
        let section = self.files[file].section_by_index(section).expect("numbered from the file");
        let header = section.elf_section_header();
        let flags = header.sh_flags.get(object::Endianness::Little) as u32;
        let size = header.sh_entsize.get(object::Endianness::Little);
        (flags & elf::SHF_MERGE != 0 && flags & elf::SHF_STRINGS == 0 && (1..=16).contains(&size)).then_some(size)
    }

    /// Where the part begins that has this byte of a section.
    fn start(&self, file: usize, section: SectionIndex, at: i64) -> u64 {
        let Some(size) = self.entry_size(file, section) else { return 0 };
        let at = u64::try_from(at).expect("a reference into a section of constants");
        // Behind a displacement an immediate may follow, which would look like this: the entry would be the wrong one.
        assert!(at.is_multiple_of(size) || at % size == size / 2 && size > 8, "a reference to byte {at} of constants of {size}");
        at / size * size
    }

    fn load(mut self) -> Parts {
        for root in roots() {
            let &(file, symbol, _) = self.globals.get(root).unwrap_or_else(|| panic!("the runtime does not define `{root}`"));
            let section = self.files[file].symbol_by_index(symbol).ok().and_then(|symbol| symbol.section_index());
            self.number(file, section.expect("defined in a section"), 0);
        }
        let mut parts = Vec::new();
        while parts.len() < self.sections.len() {
            let (file, section, start) = self.sections[parts.len()];
            parts.push(self.part(file, section, start));
        }
        let first_slot = parts.len();
        for &(target, offset) in &self.slot_parts {
            let reloc = Reloc { offset: 0, kind: RelocKind::Abs64, target: Target::Part(target), addend: offset as i64 };
            parts.push(Part { kind: Kind::ReadOnly, bytes: vec![0; 8], size: 8, align: 8, relocs: vec![reloc], threads: Vec::new() });
        }
        for reloc in parts.iter_mut().flat_map(|part| &mut part.relocs) {
            if let Target::Part(number) = &mut reloc.target
                && *number >= SLOT
            {
                *number = *number - SLOT + first_slot;
            }
        }
        let symbols = self.symbols();
        Parts { parts, symbols, foreign: self.foreign }
    }

    fn symbols(&self) -> BTreeMap<String, Symbol> {
        let mut symbols = BTreeMap::new();
        for (number, file) in self.files.iter().enumerate() {
            for symbol in file.symbols() {
                let (Some(section), Ok(name)) = (symbol.section_index(), symbol.name()) else { continue };
                // No constant has a name that is known outside.
                let Some(&part) = self.numbers.get(&(number, section.0, 0)) else { continue };
                if name.is_empty() || name.starts_with(".L") || symbol.kind() == object::SymbolKind::Section {
                    continue;
                }
                symbols.entry(name.to_owned()).or_insert(Symbol {
                    part,
                    offset: symbol.address(),
                    weak: symbol.is_weak(),
                    global: symbol.is_global() && (name.starts_with("ori_") || symbol.is_weak()),
                });
            }
        }
        symbols
    }

    fn part(&mut self, file: usize, index: SectionIndex, start: u64) -> Part {
        let entry = self.entry_size(file, index);
        // Cloning the handle frees the borrow of `self`; the data stay shared.
        let (kind, mut bytes, size, align, raw) = {
            let section: ElfSection64<object::Endianness> = self.files[file].section_by_index(index).expect("numbered from the file");
            let SectionFlags::Elf { sh_flags } = section.flags() else { panic!("not ELF") };
            let flags = sh_flags as u32;
            let writable = flags & elf::SHF_WRITE != 0;
            let data = section.data().expect("section data can be read");
            let (bytes, size) = match entry {
                Some(size) => (data[start as usize..(start + size) as usize].to_vec(), size),
                None => (data.to_vec(), section.size()),
            };
            assert!(flags & elf::SHF_TLS == 0, "the runtime has one thread-local symbol, which is no part: {:?}", section.name());
            let kind = match (flags & elf::SHF_EXECINSTR != 0, writable, bytes.is_empty()) {
                (true, _, _) => Kind::Code,
                // Read-only once relocated, and our image needs no relocation at start.
                (false, true, false) if section.name().is_ok_and(|name| name.starts_with(".data.rel.ro")) => Kind::ReadOnly,
                (false, true, false) => Kind::Data,
                (false, true, true) => Kind::Zero,
                (false, false, _) => Kind::ReadOnly,
            };
            (kind, bytes, size, section.align(), section.relocations().collect::<Vec<_>>())
        };
        assert!(entry.is_none() || raw.is_empty(), "a constant with an address in it");
        let mut relocs = Vec::new();
        let mut threads = Vec::new();
        for (offset, reloc) in raw {
            let RelocationTarget::Symbol(symbol) = reloc.target() else { panic!("relocation without symbol") };
            let RelocationFlags::Elf { r_type } = reloc.flags() else { panic!("not ELF") };
            if r_type == elf::R_X86_64_TPOFF32 {
                let addend = reloc.addend();
                self.assert_thread(file, symbol);
                let at = offset as usize;
                bytes[at..at + 4].copy_from_slice(&((addend - abi::layout::THREAD_SIZE as i64) as i32).to_le_bytes());
                threads.push((offset, addend));
                continue;
            }
            let addend = reloc.addend();
            let behind = match r_type {
                // Counted from the end of the four bytes; in a table of distances from its start, which is that of the section.
                elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 if kind == Kind::Code => addend + 4,
                elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => addend - offset as i64,
                elf::R_X86_64_64 | elf::R_X86_64_32 | elf::R_X86_64_32S => addend,
                _ => 0,
            };
            let (target, base) = self.resolve(file, symbol, behind);
            let mut push = |offset, kind, target, addend| relocs.push(Reloc { offset, kind, target, addend });
            match r_type {
                elf::R_X86_64_64 => push(offset, RelocKind::Abs64, target, base + addend),
                elf::R_X86_64_32 | elf::R_X86_64_32S => push(offset, RelocKind::Abs32, target, base + addend),
                elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => push(offset, RelocKind::Rel32, target, base + addend),
                elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX => {
                    let at = offset as usize;
                    match (bytes[at - 2], bytes[at - 1]) {
                        // mov r, [rip + slot] becomes lea r, [rip + target].
                        (0x8b, modrm) if modrm & 0xc7 == 5 => {
                            bytes[at - 2] = 0x8d;
                            push(offset, RelocKind::Rel32, target, base + addend);
                        }
                        // call [rip + slot] becomes a padded call target.
                        (0xff, 0x15) => {
                            bytes[at - 2..at].copy_from_slice(&[0x67, 0xe8]);
                            push(offset, RelocKind::Rel32, target, base + addend);
                        }
                        // jmp [rip + slot] becomes jmp target and a byte never reached; the displacement moves up by one.
                        (0xff, 0x25) => {
                            bytes[at - 2] = 0xe9;
                            bytes[at + 3] = 0xcc;
                            push(offset - 1, RelocKind::Rel32, target, base + addend);
                        }
                        _ => {
                            let Target::Part(part) = target else { panic!("the address of what is no part is wanted in memory") };
                            let fresh = self.slot_parts.len();
                            let offset_in_part = u64::try_from(base).expect("a symbol stands in its part");
                            let slot = *self.slots.entry((part, offset_in_part)).or_insert(fresh);
                            if slot == fresh {
                                self.slot_parts.push((part, offset_in_part));
                            }
                            push(offset, RelocKind::Rel32, Target::Part(SLOT + slot), addend);
                        }
                    }
                }
                other => panic!("the runtime has a relocation of type {other}"),
            }
        }
        Part { kind, bytes, size, align: align.max(1), relocs, threads }
    }

    /// The state of the thread is the only thread-local symbol, so it ends where `fs` points to.
    fn assert_thread(&self, file: usize, symbol: SymbolIndex) {
        let symbol = self.files[file].symbol_by_index(symbol).expect("symbols of relocations exist");
        let definition = match symbol.section_index() {
            Some(_) => symbol,
            None => {
                let &(file, index, _) = &self.globals[symbol.name().expect("symbol names are UTF-8")];
                self.files[file].symbol_by_index(index).expect("from the index")
            }
        };
        assert_eq!(definition.name(), Ok(abi::layout::THREAD_SYMBOL), "a second thread-local symbol");
        assert_eq!((definition.address(), definition.size()), (0, abi::layout::THREAD_SIZE as u64));
    }

    /// The part that a symbol stands in, and how far behind its start; what is meant stands `behind` the symbol.
    fn resolve(&mut self, file: usize, index: SymbolIndex, behind: i64) -> (Target, i64) {
        let symbol = self.files[file].symbol_by_index(index).expect("symbols of relocations exist");
        if let Some(section) = symbol.section_index() {
            let offset = symbol.address() as i64;
            let start = self.start(file, section, offset + behind);
            return (Target::Part(self.number(file, section, start)), offset - start as i64);
        }
        let name = symbol.name().expect("symbol names are UTF-8").to_owned();
        if name == abi::funcs::HEADER_SYMBOL {
            return (Target::Header, 0);
        }
        let Some(&(file, definition, _)) = self.globals.get(name.as_str()) else {
            assert!(self.may_lack, "the runtime needs `{name}`, which nothing defines");
            let known = self.foreign.iter().position(|(other, _)| *other == name);
            let number = known.unwrap_or(self.foreign.len());
            if known.is_none() {
                self.foreign.push((name, symbol.is_weak()));
            }
            return (Target::Foreign(number), 0);
        };
        let definition = self.files[file].symbol_by_index(definition).expect("from the index");
        let (section, offset) = (definition.section_index().expect("defined in a section"), definition.address() as i64);
        let start = self.start(file, section, offset + behind);
        (Target::Part(self.number(file, section, start)), offset - start as i64)
    }
}
