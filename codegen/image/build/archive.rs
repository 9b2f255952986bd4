//! The parts as one relocatable object, and that object in an archive with a symbol table.

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf};

use super::parts::{Kind, Parts, RelocKind, Target};

pub fn object(parts: &Parts) -> Vec<u8> {
    let mut file = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let mut sections: Vec<(SectionId, SymbolId)> = Vec::new();
    for (number, part) in parts.parts.iter().enumerate() {
        let (prefix, kind) = match part.kind {
            Kind::Code => (".text.ori_rt", SectionKind::Text),
            Kind::ReadOnly if part.relocs.is_empty() => (".rodata.ori_rt", SectionKind::ReadOnlyData),
            // A position-independent link fills addresses in at start.
            Kind::ReadOnly => (".data.rel.ro.ori_rt", SectionKind::ReadOnlyDataWithRel),
            Kind::Data => (".data.ori_rt", SectionKind::Data),
            Kind::Zero => (".bss.ori_rt", SectionKind::UninitializedData),
        };
        let section = file.add_section(Vec::new(), format!("{prefix}.{number}").into_bytes(), kind);
        if part.kind == Kind::Zero {
            file.append_section_bss(section, part.size, part.align);
        } else {
            file.append_section_data(section, &part.bytes, part.align);
        }
        sections.push((section, file.section_symbol(section)));
    }
    for (name, symbol) in &parts.symbols {
        if symbol.global {
            file.add_symbol(Symbol {
                name: name.clone().into_bytes(),
                value: symbol.offset,
                size: 0,
                kind: if parts.parts[symbol.part].kind == Kind::Code { SymbolKind::Text } else { SymbolKind::Data },
                scope: SymbolScope::Linkage,
                weak: symbol.weak,
                section: SymbolSection::Section(sections[symbol.part].0),
                flags: SymbolFlags::None,
            });
        }
    }
    let header = file.add_symbol(Symbol {
        name: abi::funcs::HEADER_SYMBOL.into(),
        value: 0,
        size: 0,
        kind: SymbolKind::Unknown,
        scope: SymbolScope::Unknown,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    });
    let foreign: Vec<SymbolId> = parts
        .foreign
        .iter()
        .map(|(name, weak)| {
            file.add_symbol(Symbol {
                name: name.clone().into_bytes(),
                value: 0,
                size: 0,
                kind: SymbolKind::Unknown,
                scope: SymbolScope::Unknown,
                weak: *weak,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            })
        })
        .collect();
    let state = file.add_section(Vec::new(), b".tbss.ori_rt".to_vec(), SectionKind::UninitializedTls);
    file.append_section_bss(state, abi::layout::THREAD_SIZE as u64, 64);
    let thread = file.add_symbol(Symbol {
        name: abi::layout::THREAD_SYMBOL.into(),
        value: 0,
        size: abi::layout::THREAD_SIZE as u64,
        kind: SymbolKind::Tls,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Section(state),
        flags: SymbolFlags::None,
    });
    for (part, &(section, _)) in parts.parts.iter().zip(&sections) {
        for &(offset, addend) in &part.threads {
            let flags = RelocationFlags::Elf { r_type: elf::R_X86_64_TPOFF32 };
            file.add_relocation(section, Relocation { offset, symbol: thread, addend, flags }).expect("ELF relocations can be written");
        }
        for reloc in &part.relocs {
            let symbol = match reloc.target {
                Target::Part(part) => sections[part].1,
                Target::Header => header,
                Target::Foreign(number) => foreign[number],
            };
            let r_type = match reloc.kind {
                // A function of a shared library is reached through a table.
                RelocKind::Rel32 if matches!(reloc.target, Target::Foreign(_)) => elf::R_X86_64_PLT32,
                RelocKind::Rel32 => elf::R_X86_64_PC32,
                RelocKind::Abs32 => elf::R_X86_64_32S,
                RelocKind::Abs64 => elf::R_X86_64_64,
            };
            let row = Relocation { offset: reloc.offset, symbol, addend: reloc.addend, flags: RelocationFlags::Elf { r_type } };
            file.add_relocation(section, row).expect("ELF relocations can be written");
        }
    }
    file.section_id(object::write::StandardSection::Text);
    let note = file.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    file.section_mut(note).flags = object::SectionFlags::Elf { sh_flags: 0 };
    file.write().expect("the object can be written")
}

/// A System V archive with one member and the symbol table that linkers want.
pub fn archive(name: &str, object: &[u8], symbols: &[String]) -> Vec<u8> {
    let mut table = (symbols.len() as u32).to_be_bytes().to_vec();
    let names: Vec<u8> = symbols.iter().flat_map(|symbol| [symbol.as_bytes(), b"\0"].concat()).collect();
    let table_size = table.len() + 4 * symbols.len() + names.len();
    let member = 8 + 60 + table_size.next_multiple_of(2);
    for _ in symbols {
        table.extend_from_slice(&(member as u32).to_be_bytes());
    }
    table.extend_from_slice(&names);
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in [("/", table.as_slice()), (&format!("{name}/"), object)] {
        bytes.extend_from_slice(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, data.len()).as_bytes());
        bytes.extend_from_slice(data);
        if data.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}
