//! The bytes of an executable: static ELF64 `ET_EXEC`, no interpreter, no section headers unless symbols are asked for; W^X, stack not executable.

use abi::funcs::{ENTRY_RETURNS_STATUS, FUNCTIONS_SORTED, FunctionRecord, HAS_FRAME, Header, ItemRecord, MAGIC};

use crate::error::LinkError;
use crate::input::{DataTarget, Function, Program, RelocKind, RuntimeSymbol, Target};
use crate::layout::{FUNCTIONS, HEADERS, ITEMS, Layout, PIECES, Segment};
use crate::runtime::{self, PartKind, PartRelocKind};
use crate::sidecar::build::Fingerprints;
use crate::sidecar::{self, Fallback};
use crate::{records, symbols};

/// `int3`: what fills the space between functions.
pub const FILLER: u8 = 0xcc;

/// An executable, and what a later link needs to patch it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Linked {
    /// The bytes of the executable.
    pub image: Vec<u8>,
    /// The bytes of its sidecar, or why it has none.
    pub sidecar: Result<Vec<u8>, Fallback>,
}

/// Links a program into the bytes of an executable.
pub fn link(program: &Program) -> Result<Vec<u8>, LinkError> {
    Ok(laid(program)?.0)
}

/// Links a program, for an image that is going to be patched ([`mod@crate::plan`]).
pub fn link_with_sidecar(program: &Program, fingerprints: Fingerprints) -> Result<Linked, LinkError> {
    let (image, layout, end) = laid(program)?;
    let sidecar = sidecar::build::build(program, &layout, fingerprints, end, image.len() as u64);
    Ok(Linked { image, sidecar })
}

/// The image, its layout, and where its segments end.
fn laid<'a>(program: &'a Program<'a>) -> Result<(Vec<u8>, Layout<'a>, u64), LinkError> {
    if program.foreign_frames || !program.external.is_empty() {
        return Err(LinkError::Foreign);
    }
    let layout = Layout::of(program)?;
    let entry = layout.function_number(program.entry).ok_or(LinkError::NoEntry)?;
    let end = [layout.text, layout.constants, layout.variables].iter().map(|segment| segment.offset + segment.file).max().unwrap_or(0);
    // Room for all at once: growing it would copy it.
    let mut bytes = Vec::with_capacity(end as usize + if program.symbols { symbols::room(program) } else { 0 });
    bytes.resize(end as usize, 0);
    let mut image = Image { bytes, layout: &layout, program };
    image.headers();
    image.functions()?;
    image.pieces()?;
    image.tables(entry)?;
    image.runtime();
    let mut bytes = image.bytes;
    if program.symbols {
        symbols::append(program, &layout, &mut bytes);
    }
    Ok((bytes, layout, end))
}

struct Image<'a> {
    bytes: Vec<u8>,
    layout: &'a Layout<'a>,
    program: &'a Program<'a>,
}

const fn put<const N: usize>(bytes: &mut [u8], offset: usize, value: [u8; N]) -> bool {
    match bytes.split_at_mut_checked(offset) {
        Some((_, tail)) => match tail.first_chunk_mut::<N>() {
            Some(place) => {
                *place = value;
                true
            }
            None => false,
        },
        None => false,
    }
}

impl Image<'_> {
    fn put<const N: usize>(&mut self, offset: u64, value: [u8; N]) {
        // The layout made room for everything it placed.
        let done = put(&mut self.bytes, offset as usize, value);
        debug_assert!(done, "offset {offset} is outside the image");
    }

    fn headers(&mut self) {
        let start = self.layout.runtime_address(runtime::START).unwrap_or(0);
        let segments = [(PF_R | PF_X, self.layout.text), (PF_R, self.layout.constants), (PF_R | PF_W, self.layout.variables)];
        let count = segments.iter().filter(|(_, segment)| segment.memory != 0).count() as u16 + 1;
        let mut head = Vec::with_capacity(HEADERS as usize);
        head.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        for half in [ET_EXEC, EM_X86_64] {
            head.extend_from_slice(&half.to_le_bytes());
        }
        head.extend_from_slice(&1u32.to_le_bytes());
        for word in [start, 64, 0] {
            head.extend_from_slice(&u64::to_le_bytes(word));
        }
        head.extend_from_slice(&0u32.to_le_bytes());
        for half in [64, 56, count, symbols::SECTION_HEADER, 0, 0] {
            head.extend_from_slice(&u16::to_le_bytes(half));
        }
        for (flags, segment) in segments.into_iter().filter(|(_, segment)| segment.memory != 0) {
            program_header(&mut head, PT_LOAD, flags, segment, 4096);
        }
        program_header(&mut head, PT_GNU_STACK, PF_R | PF_W, Segment::default(), 16);
        self.bytes[..head.len()].copy_from_slice(&head);
    }

    fn functions(&mut self) -> Result<(), LinkError> {
        let text = self.layout.text;
        self.bytes[text.offset as usize..(text.offset + text.file) as usize].fill(FILLER);
        for (number, function) in self.program.functions.iter().enumerate() {
            let offset = self.layout.function_offsets[number];
            let start = (text.offset + offset) as usize;
            let code = &mut self.bytes[start..start + function.code.len()];
            code.copy_from_slice(&function.code);
            relocate(code, text.address + offset, self.layout, number, function)?;
        }
        Ok(())
    }

    fn pieces(&mut self) -> Result<(), LinkError> {
        let base = self.layout.constants.offset + self.layout.tables[PIECES];
        for (offset, bytes) in self.layout.pieces.stored() {
            let start = (base + offset) as usize;
            self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        }
        for (number, function) in self.program.functions.iter().enumerate() {
            for (index, data) in function.data.iter().enumerate() {
                for reloc in &data.relocs {
                    let address = match reloc.target {
                        DataTarget::Data(target) => {
                            self.layout.pieces.constant(number, target, index).map(|at| self.layout.constant_address(PIECES, at))
                        }
                        DataTarget::Function(item) => self.layout.function_number(item).map(|number| self.layout.function_address(number)),
                    };
                    let address = address.ok_or_else(|| undefined(function, reloc.target))?;
                    let place = self.layout.pieces.constant(number, index as u32, function.data.len()).unwrap_or(0);
                    self.put(base + place + u64::from(reloc.offset), address.wrapping_add_signed(reloc.addend).to_le_bytes());
                }
            }
        }
        Ok(())
    }

    fn tables(&mut self, entry: usize) -> Result<(), LinkError> {
        let layout = self.layout;
        let constants = layout.constants;
        // Distances stay below 2 GiB: the layout checked the whole address range.
        let distance = |to: u64, from: u64| to.wrapping_sub(from) as i32;
        for (row, (offset, owner)) in layout.functions.iter().enumerate() {
            let at = (row * records::FUNCTION_RECORD) as u64;
            let address = layout.constant_address(FUNCTIONS, at);
            let mut record = FunctionRecord {
                start: distance(layout.text.address + offset, address),
                size: 0,
                frame_size: 0,
                sites: 0,
                item: 0,
                saved_mask: 0,
                flags: 0,
            };
            if let Some(function) = self.program.functions.get(owner as usize) {
                record.size = function.code.len() as u32;
                record.frame_size = function.frame_size;
                record.saved_mask = function.saved_mask;
                record.flags = if function.has_frame { HAS_FRAME } else { 0 };
                record.item = layout
                    .item_row(function.item)
                    .ok_or_else(|| LinkError::UnknownItem { function: function.name.clone(), item: function.item.to_string() })?;
                if let Some(sites) = layout.pieces.sites(owner as usize) {
                    record.sites = distance(layout.constant_address(PIECES, sites), address + records::SITES_OFFSET as u64);
                }
            }
            self.put(constants.offset + layout.tables[FUNCTIONS] + at, records::function_record(&record));
        }
        for (offset, owner) in layout.items.iter() {
            let Some(item) = self.program.items.get(owner as usize) else { continue };
            let address = layout.constant_address(ITEMS, offset);
            let (name, file) = layout.pieces.texts(owner as usize);
            let record = ItemRecord {
                name: distance(layout.constant_address(PIECES, name), address),
                file: distance(layout.constant_address(PIECES, file), address + 4),
                name_len: item.name.len() as u32,
                file_len: item.file.len() as u32,
                base_line: item.base_line,
                hidden: u32::from(item.hidden),
            };
            self.put(constants.offset + layout.tables[ITEMS] + offset, records::item_record(&record));
        }
        let header = Header {
            magic: MAGIC,
            entry: layout.function_address(entry),
            functions: layout.constant_address(FUNCTIONS, 0),
            function_count: layout.functions.owners.len() as u64,
            items: layout.constant_address(ITEMS, 0),
            item_count: layout.items.owners.len() as u64,
            flags: FUNCTIONS_SORTED | if self.program.returns_status { ENTRY_RETURNS_STATUS } else { 0 },
            frames: 0,
            image: 0,
        };
        self.put(constants.offset, records::header(&header));
        Ok(())
    }

    fn runtime(&mut self) {
        for placed in &self.layout.parts {
            let Some(part) = runtime::parts().get(placed.part as usize) else { continue };
            if part.kind == PartKind::Zero {
                continue;
            }
            let start = placed.offset as usize;
            self.bytes[start..start + part.bytes().len()].copy_from_slice(part.bytes());
            for reloc in part.relocs() {
                let target = match reloc.target {
                    runtime::HEADER => self.layout.header_address(),
                    // The closure over relocations put every target in.
                    part => self.layout.runtime_address((part, 0)).unwrap_or(0),
                };
                let value = target.wrapping_add_signed(reloc.addend);
                let offset = placed.offset + u64::from(reloc.offset);
                match reloc.kind {
                    PartRelocKind::Rel32 => {
                        let place = placed.address + u64::from(reloc.offset);
                        self.put(offset, (value.wrapping_sub(place) as u32).to_le_bytes());
                    }
                    PartRelocKind::Abs32 => self.put(offset, (value as u32).to_le_bytes()),
                    PartRelocKind::Abs64 => self.put(offset, value.to_le_bytes()),
                }
            }
        }
    }
}

fn undefined(function: &Function, target: DataTarget) -> LinkError {
    match target {
        DataTarget::Data(_) => LinkError::UnknownData { function: function.name.clone() },
        DataTarget::Function(item) => LinkError::UndefinedFunction { function: function.name.clone(), target: item.to_string() },
    }
}

/// Fills the addresses in the code of a function that will stand at `address`.
fn relocate(code: &mut [u8], address: u64, layout: &Layout, number: usize, function: &Function) -> Result<(), LinkError> {
    for reloc in &function.relocs {
        let target = match reloc.target {
            Target::Function(item) => match layout.function_number(item) {
                Some(number) => layout.function_address(number),
                None => return Err(LinkError::UndefinedFunction { function: function.name.clone(), target: item.to_string() }),
            },
            Target::Runtime(symbol) => runtime_address(layout, symbol),
            Target::Data(data) => match layout.pieces.constant(number, data, function.data.len()) {
                Some(offset) => layout.constant_address(PIECES, offset),
                None => return Err(LinkError::UnknownData { function: function.name.clone() }),
            },
        };
        let value = target.wrapping_add_signed(i64::from(reloc.addend));
        let done = match reloc.kind {
            RelocKind::Call32 | RelocKind::Data32 => {
                let place = address + u64::from(reloc.offset);
                put(code, reloc.offset as usize, (value.wrapping_sub(place) as u32).to_le_bytes())
            }
            RelocKind::Abs64 => put(code, reloc.offset as usize, value.to_le_bytes()),
        };
        if !done {
            return Err(LinkError::BadReloc { function: function.name.clone() });
        }
    }
    Ok(())
}

fn runtime_address(layout: &Layout, symbol: RuntimeSymbol) -> u64 {
    // The layout included every part that a function names.
    layout.runtime_address(runtime::place(symbol)).unwrap_or(0)
}

const ET_EXEC: u16 = 2;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const PF_R: u32 = 4;

fn program_header(out: &mut Vec<u8>, kind: u32, flags: u32, segment: Segment, align: u64) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    for word in [segment.offset, segment.address, segment.address, segment.file, segment.memory, align] {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests;
