//! What an executable of another linker holds: its sections and the symbols of functions, read from the file.

use std::collections::HashMap;

use ir::ItemId;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

use crate::link::Parts;

/// Bytes of the file, by what they are for.
#[derive(Default)]
pub(super) struct Contents {
    /// The whole file.
    pub file: u64,
    /// Functions of the program with their bytes, in the order of addresses. One that LLVM divided or copied comes several times.
    pub functions: Vec<(ItemId, u64)>,
    /// Code of nobody's: the runtime.
    pub other_code: u64,
    /// Constants, those of the runtime among them.
    pub constants: u64,
    /// Where calls and items stand.
    pub places: u64,
    /// What unwinding reads.
    pub unwind: u64,
    /// Variables that do not start as zeros.
    pub variables: u64,
    /// What debuggers read.
    pub debug: u64,
    /// Names of functions and sections.
    pub symbols: u64,
}

/// Reads it; `items` are the functions of the program.
pub(super) fn contents(parts: &Parts, items: &[ItemId]) -> Result<Contents, String> {
    let wrong = |error: object::Error| format!("the executable cannot be read: {error}");
    let file = object::File::parse(parts.image.as_slice()).map_err(wrong)?;
    let mut found = Contents { file: parts.image.len() as u64, ..Contents::default() };
    let mut code = 0;
    for section in file.sections() {
        let size = section.file_range().map_or(0, |(_, size)| size);
        let name = section.name().map_err(wrong)?;
        *match (name, section.kind()) {
            (".eh_frame" | ".eh_frame_hdr" | ".gcc_except_table", _) => &mut found.unwind,
            (_, SectionKind::Text) => &mut code,
            (".data.rel.ro" | ".relro_padding", _) => &mut found.constants,
            (_, SectionKind::ReadOnlyData | SectionKind::ReadOnlyString | SectionKind::ReadOnlyDataWithRel) => &mut found.constants,
            (_, SectionKind::Data) => &mut found.variables,
            (name, _) if name.starts_with(".debug") => &mut found.debug,
            (".symtab" | ".strtab" | ".shstrtab", _) => &mut found.symbols,
            _ => continue,
        } += size;
    }
    let known: HashMap<String, ItemId> = items.iter().map(|item| (object_writer::name::symbol(&item.to_string()), *item)).collect();
    let mut rows = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        if let Some(item) = whose(symbol.name().map_err(wrong)?, &known) {
            rows.push((symbol.address(), item, symbol.size()));
        }
    }
    rows.sort_unstable_by_key(|&(address, _, _)| address);
    // Two names for the same bytes.
    rows.dedup_by_key(|&mut (address, _, _)| address);
    found.functions = rows.into_iter().map(|(_, item, size)| (item, size)).collect();
    found.other_code = code - found.functions.iter().map(|(_, size)| size).sum::<u64>().min(code);
    found.places = places(parts).map_err(wrong)?;
    found.constants -= found.places.min(found.constants);
    Ok(found)
}

/// Whose code a symbol names. LLVM appends to names what makes them unique (`.1`, `.llvm.7`, `.cold`), and functions that are values have a second one.
fn whose(symbol: &str, known: &HashMap<String, ItemId>) -> Option<ItemId> {
    let mut name = symbol;
    loop {
        let plain = name.strip_suffix("&value").unwrap_or(name);
        if let Some(item) = known.get(plain) {
            return Some(*item);
        }
        name = &name[..name.rfind('.')?];
    }
}

/// Bytes of the tables of places in the objects: linkers move them, and leave them as they are.
fn places(parts: &Parts) -> object::Result<u64> {
    let mut sum = 0;
    for (number, bytes) in parts.objects.iter().enumerate() {
        let file = object::File::parse(bytes.as_slice())?;
        for section in file.sections() {
            // A release build has the tables in an object of their own, with the names that they point to.
            let is_table = match section.name()? {
                ".rodata.ori_sites" | ".rodata.ori_funcs" | ".rodata.ori_items" => true,
                ".rodata.ori" | ".data.rel.ro.ori" => number == 0 && parts.objects.len() > 1,
                _ => false,
            };
            sum += if is_table { section.size() } else { 0 };
        }
    }
    Ok(sum)
}
