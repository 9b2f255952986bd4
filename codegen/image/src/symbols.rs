//! The optional symbol table, behind everything that is mapped: names for gdb, objdump and perf.

use crate::input::Program;
use crate::layout::{HEADERS, Layout};
use crate::runtime::{self, PartKind};

/// Bytes of a section header.
pub const SECTION_HEADER: u16 = 64;

const SHT_PROGBITS: u64 = 1;
const SHT_SYMTAB: u64 = 2;
const SHT_STRTAB: u64 = 3;
const STT_FUNC: u8 = 2;
const STT_OBJECT: u8 = 1;
const TEXT: u16 = 1;
const CONSTANTS: u16 = 2;
const ABSOLUTE: u16 = 0xfff1;

/// Names of the sections, as in the string table that is written.
const NAMES: &[u8] = b"\0.text\0.rodata\0.symtab\0.strtab\0.shstrtab\0";

/// Appends sections `.text`, `.rodata`, `.symtab`, `.strtab`, `.shstrtab` and enters them in the ELF header.
pub fn append(program: &Program, layout: &Layout, bytes: &mut Vec<u8>) {
    let mut names = vec![0u8];
    let mut table = vec![0u8; 24];
    let mut add = |name: &str, address: u64, size: u64, kind: u8, section: u16| {
        table.extend_from_slice(&(names.len() as u32).to_le_bytes());
        // Local binding: nothing is linked against an executable.
        table.extend_from_slice(&[kind, 0]);
        table.extend_from_slice(&section.to_le_bytes());
        table.extend_from_slice(&address.to_le_bytes());
        table.extend_from_slice(&size.to_le_bytes());
        names.extend_from_slice(name.as_bytes());
        names.push(0);
    };
    // In slot order, so that the table depends on the set of functions only.
    for (offset, owner) in layout.functions.iter() {
        if let Some(function) = program.functions.get(owner as usize) {
            add(&function.name, layout.text.address + offset, function.code.len() as u64, STT_FUNC, TEXT);
        }
    }
    for &(name, part, offset) in runtime::names() {
        if let Some(address) = layout.runtime_address((part, offset)) {
            let (kind, section) = match runtime::parts().get(part as usize).map(|part| part.kind) {
                Some(PartKind::Code) => (STT_FUNC, TEXT),
                Some(PartKind::ReadOnly) => (STT_OBJECT, CONSTANTS),
                Some(PartKind::Data | PartKind::Zero) | None => (STT_OBJECT, ABSOLUTE),
            };
            add(name, address, 0, kind, section);
        }
    }
    add(abi::funcs::HEADER_SYMBOL, layout.header_address(), crate::records::HEADER as u64, STT_OBJECT, CONSTANTS);

    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let table_at = bytes.len() as u64;
    bytes.extend_from_slice(&table);
    let names_at = bytes.len() as u64;
    bytes.extend_from_slice(&names);
    let section_names_at = bytes.len() as u64;
    bytes.extend_from_slice(NAMES);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let headers_at = bytes.len() as u64;

    let symbols = (table.len() / 24) as u64;
    let (text, constants) = (layout.text, layout.constants);
    let (names_size, section_names_size) = (names.len() as u64, NAMES.len() as u64);
    // Name, kind, flags, address, offset, size, link, info, alignment, entry size. All symbols are local: `info` of the table is the number of the
    // first one that is not.
    let rows: [[u64; 10]; 6] = [
        [0; 10],
        [1, SHT_PROGBITS, 6, text.address, text.offset, text.file, 0, 0, 16, 0],
        [7, SHT_PROGBITS, 2, constants.address, constants.offset, constants.file, 0, 0, 16, 0],
        [15, SHT_SYMTAB, 0, 0, table_at, table.len() as u64, 4, symbols, 8, 24],
        [23, SHT_STRTAB, 0, 0, names_at, names_size, 0, 0, 1, 0],
        [31, SHT_STRTAB, 0, 0, section_names_at, section_names_size, 0, 0, 1, 0],
    ];
    for row in rows {
        for (column, field) in row.into_iter().enumerate() {
            let wide = !matches!(column, 0 | 1 | 6 | 7);
            bytes.extend_from_slice(&field.to_le_bytes()[..if wide { 8 } else { 4 }]);
        }
    }
    debug_assert!(bytes.len() as u64 > HEADERS);
    // ELF header: section header offset, count, index of the section names.
    bytes[40..48].copy_from_slice(&headers_at.to_le_bytes());
    bytes[60..62].copy_from_slice(&(rows.len() as u16).to_le_bytes());
    bytes[62..64].copy_from_slice(&5u16.to_le_bytes());
}
