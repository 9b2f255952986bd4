//! The optional symbol table, behind everything that is mapped: names for gdb, objdump and perf.

use crate::input::Program;
use crate::layout::{HEADERS, Layout, Segment};
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

/// A name in the table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The name.
    pub name: &'a [u8],
    /// Its address.
    pub address: u64,
    /// Bytes at the address.
    pub size: u64,
    kind: u8,
    section: u16,
}

impl<'a> Row<'a> {
    /// A function of the program.
    pub const fn function(name: &'a [u8], address: u64, size: u64) -> Self {
        Row { name, address, size, kind: STT_FUNC, section: TEXT }
    }
}

/// About as many bytes as [`append`] will append.
pub fn room(program: &Program) -> usize {
    let of_functions: usize = program.functions.iter().map(|function| ENTRY + function.name.len() + 1).sum();
    of_functions + runtime::names().len() * 64 + 1024
}

/// Appends sections `.text`, `.rodata`, `.symtab`, `.strtab`, `.shstrtab` and enters them in the ELF header.
pub fn append(program: &Program, layout: &Layout, bytes: &mut Vec<u8>) {
    let mut rows = Vec::with_capacity(program.functions.len());
    // In slot order, so that the table depends on the set of functions only.
    for (offset, owner) in layout.functions.iter() {
        if let Some(function) = program.functions.get(owner as usize) {
            rows.push(Row::function(function.name.as_bytes(), layout.text.address + offset, function.code.len() as u64));
        }
    }
    for &(name, part, offset) in runtime::names() {
        if let Some(address) = layout.runtime_address((part, offset)) {
            let (kind, section) = match runtime::parts().get(part as usize).map(|part| part.kind) {
                Some(PartKind::Code) => (STT_FUNC, TEXT),
                Some(PartKind::ReadOnly) => (STT_OBJECT, CONSTANTS),
                Some(PartKind::Data | PartKind::Zero) | None => (STT_OBJECT, ABSOLUTE),
            };
            rows.push(Row { name: name.as_bytes(), address, size: 0, kind, section });
        }
    }
    let (name, size) = (abi::funcs::HEADER_SYMBOL.as_bytes(), crate::records::HEADER as u64);
    rows.push(Row { name, address: layout.header_address(), size, kind: STT_OBJECT, section: CONSTANTS });
    let (tail, headers_at) = tail(bytes.len() as u64, &rows, &layout.text, &layout.constants);
    bytes.extend_from_slice(&tail);
    debug_assert!(bytes.len() as u64 > HEADERS);
    // Section header offset, count, index of the section names.
    bytes[SECTIONS_AT..SECTIONS_AT + 8].copy_from_slice(&headers_at.to_le_bytes());
    bytes[60..62].copy_from_slice(&(SECTIONS as u16).to_le_bytes());
    bytes[62..64].copy_from_slice(&5u16.to_le_bytes());
}

/// Where the ELF header holds the offset of the section headers.
pub const SECTIONS_AT: usize = 40;
const SECTIONS: usize = 6;
const ENTRY: usize = 24;

/// Where the size of a row stands in the file, when the segments end at `end`.
pub const fn size_at(end: u64, row: u32) -> u64 {
    end.next_multiple_of(8) + (ENTRY * (row as usize + 1)) as u64 + 16
}

/// What follows the segments, which end at `end`; and the offset of the section headers in the file.
pub fn tail(end: u64, rows: &[Row], text: &Segment, constants: &Segment) -> (Vec<u8>, u64) {
    let mut names = vec![0u8];
    let mut table = Vec::with_capacity(ENTRY * (rows.len() + 1));
    table.resize(ENTRY, 0);
    for row in rows {
        table.extend_from_slice(&(names.len() as u32).to_le_bytes());
        // Local binding: nothing is linked against an executable.
        table.extend_from_slice(&[row.kind, 0]);
        table.extend_from_slice(&row.section.to_le_bytes());
        table.extend_from_slice(&row.address.to_le_bytes());
        table.extend_from_slice(&row.size.to_le_bytes());
        names.extend_from_slice(row.name);
        names.push(0);
    }
    let pad = |bytes: &mut Vec<u8>| bytes.resize(bytes.len() + (end + bytes.len() as u64).wrapping_neg() as usize % 8, 0);
    let mut bytes = Vec::with_capacity(table.len() + names.len() + 512);
    pad(&mut bytes);
    let table_at = end + bytes.len() as u64;
    bytes.extend_from_slice(&table);
    let names_at = end + bytes.len() as u64;
    bytes.extend_from_slice(&names);
    let section_names_at = end + bytes.len() as u64;
    bytes.extend_from_slice(NAMES);
    pad(&mut bytes);
    let headers_at = end + bytes.len() as u64;

    let symbols = (table.len() / ENTRY) as u64;
    let (names_size, section_names_size) = (names.len() as u64, NAMES.len() as u64);
    // Name, kind, flags, address, offset, size, link, info, alignment, entry size. All symbols are local: `info` of the table is the number of the
    // first one that is not.
    let rows: [[u64; 10]; SECTIONS] = [
        [0; 10],
        [1, SHT_PROGBITS, 6, text.address, text.offset, text.file, 0, 0, 16, 0],
        [7, SHT_PROGBITS, 2, constants.address, constants.offset, constants.file, 0, 0, 16, 0],
        [15, SHT_SYMTAB, 0, 0, table_at, table.len() as u64, 4, symbols, 8, ENTRY as u64],
        [23, SHT_STRTAB, 0, 0, names_at, names_size, 0, 0, 1, 0],
        [31, SHT_STRTAB, 0, 0, section_names_at, section_names_size, 0, 0, 1, 0],
    ];
    for row in rows {
        for (column, field) in row.into_iter().enumerate() {
            let wide = !matches!(column, 0 | 1 | 6 | 7);
            bytes.extend_from_slice(&field.to_le_bytes()[..if wide { 8 } else { 4 }]);
        }
    }
    (bytes, headers_at)
}

/// The rows of a tail that [`tail`] made; `None` when it did not.
pub fn rows(end: u64, tail: &[u8]) -> Option<Vec<Row<'_>>> {
    let word = |bytes: &[u8], at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let half = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let headers = tail.get(tail.len().checked_sub(SECTIONS * usize::from(SECTION_HEADER))?..)?;
    let section = |number: usize| {
        let header = headers.get(number * usize::from(SECTION_HEADER)..)?;
        let (offset, size) = (word(header, 24)?.checked_sub(end)?, word(header, 32)?);
        tail.get(usize::try_from(offset).ok()?..usize::try_from(offset.checked_add(size)?).ok()?)
    };
    let (table, names) = (section(3)?, section(4)?);
    let starts = table.chunks_exact(ENTRY).map(|row| half(row, 0)).skip(2).chain([Some(names.len() as u32)]);
    let rows = table.chunks_exact(ENTRY).skip(1).zip(starts);
    rows.map(|(row, next)| {
        let name = names.get(half(row, 0)? as usize..(next? as usize).checked_sub(1)?)?;
        let section = u16::from_le_bytes(*row.get(6..)?.first_chunk()?);
        Some(Row { name, address: word(row, 8)?, size: word(row, 16)?, kind: *row.get(4)?, section })
    })
    .collect()
}
