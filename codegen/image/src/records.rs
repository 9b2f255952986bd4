//! Function records, item records and site bytes (format: `abi::funcs`).

use abi::funcs::{FunctionRecord, Header, ItemRecord};

use crate::error::LinkError;
use crate::input::Function;

/// Bytes of the record of a function.
pub const FUNCTION_RECORD: usize = size_of::<FunctionRecord>();
/// Bytes of the record of an item.
pub const ITEM_RECORD: usize = size_of::<ItemRecord>();
/// Bytes of the header.
pub const HEADER: usize = size_of::<Header>();
/// Offset of `sites` in a function record.
pub const SITES_OFFSET: usize = 12;

const _: () = assert!(std::mem::offset_of!(FunctionRecord, sites) == SITES_OFFSET);

/// Longest LEB128 form of a number.
const LONGEST: usize = 5;

/// Room that was made beforehand, filled from the front: numbers are written by the hundred thousand, and growing is checked once a function.
struct Room<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Room<'_> {
    /// Writes `value` in LEB128.
    fn number(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    fn byte(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.used) {
            *slot = byte;
            self.used += 1;
        }
    }
}

/// Appends the site bytes of a function; `row` gives the item table's row of the item with a raw id.
pub fn sites(function: &Function, row: impl Fn(u32) -> Option<u32>, out: &mut Vec<u8>) -> Result<(), LinkError> {
    let bad = || LinkError::BadSites { function: function.name.clone() };
    let start = out.len();
    let places: usize = function.sites.iter().map(|site| site.places as usize).sum();
    if places > function.places.len().saturating_mul(function.sites.len()) {
        return Err(bad());
    }
    out.resize(start + LONGEST * (1 + 3 * function.sites.len() + 3 * places), 0);
    let mut room = Room { bytes: &mut out[start..], used: 0 };
    room.number(function.sites.len() as u32);
    let mut previous = 0;
    for site in &function.sites {
        if (site.return_offset <= previous && previous != 0) || site.return_offset as usize > function.code.len() {
            return Err(bad());
        }
        room.number(site.return_offset - previous);
        previous = site.return_offset;
        let first = site.first_place as usize;
        let chain = first.checked_add(site.places as usize).and_then(|end| function.places.get(first..end)).ok_or_else(bad)?;
        room.number(site.places << 1 | u32::from(site.pad_offset.is_some()));
        if let Some(pad) = site.pad_offset {
            if pad as usize >= function.code.len() {
                return Err(bad());
            }
            room.number(pad);
        }
        for place in chain {
            let item = row(place.item.raw())
                .ok_or_else(|| LinkError::UnknownItem { function: function.name.clone(), item: place.item.to_string() })?;
            room.number(item);
            room.number(place.line);
            room.number(place.column);
        }
    }
    let used = room.used;
    out.truncate(start + used);
    Ok(())
}

/// Site bytes with every item's row replaced by `row` of it; `None` when the bytes are damaged or a row is not known. They may go on behind the sites.
pub fn renumbered(mut bytes: &[u8], row: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut out = vec![0; LONGEST * (bytes.len() + 1)];
    let mut room = Room { bytes: &mut out, used: 0 };
    let sites = copy(&mut bytes, &mut room)?;
    for _ in 0..sites {
        copy(&mut bytes, &mut room)?;
        let head = copy(&mut bytes, &mut room)?;
        if head & 1 != 0 {
            copy(&mut bytes, &mut room)?;
        }
        for _ in 0..head >> 1 {
            room.number(row(number(&mut bytes)?)?);
            copy(&mut bytes, &mut room)?;
            copy(&mut bytes, &mut room)?;
        }
    }
    let used = room.used;
    out.truncate(used);
    Some(out)
}

fn copy(bytes: &mut &[u8], room: &mut Room) -> Option<u32> {
    let value = number(bytes)?;
    room.number(value);
    Some(value)
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..7 * LONGEST).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// The bytes of a function record.
pub fn function_record(record: &FunctionRecord) -> [u8; FUNCTION_RECORD] {
    let FunctionRecord { start, size, frame_size, sites, item, saved_mask, flags } = *record;
    let mut bytes = [0; FUNCTION_RECORD];
    bytes[..4].copy_from_slice(&start.to_le_bytes());
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    bytes[8..12].copy_from_slice(&frame_size.to_le_bytes());
    bytes[12..16].copy_from_slice(&sites.to_le_bytes());
    bytes[16..20].copy_from_slice(&item.to_le_bytes());
    bytes[20..22].copy_from_slice(&saved_mask.to_le_bytes());
    bytes[22..].copy_from_slice(&flags.to_le_bytes());
    bytes
}

/// The bytes of an item record.
pub fn item_record(record: &ItemRecord) -> [u8; ITEM_RECORD] {
    let ItemRecord { name, file, name_len, file_len, base_line, hidden } = *record;
    let mut bytes = [0; ITEM_RECORD];
    bytes[..4].copy_from_slice(&name.to_le_bytes());
    bytes[4..8].copy_from_slice(&file.to_le_bytes());
    bytes[8..12].copy_from_slice(&name_len.to_le_bytes());
    bytes[12..16].copy_from_slice(&file_len.to_le_bytes());
    bytes[16..20].copy_from_slice(&base_line.to_le_bytes());
    bytes[20..].copy_from_slice(&hidden.to_le_bytes());
    bytes
}

/// The bytes of the header.
pub fn header(header: &Header) -> [u8; HEADER] {
    let Header { magic, entry, functions, function_count, items, item_count, flags, frames, image } = *header;
    let mut bytes = [0; HEADER];
    let words = [magic, entry, functions, function_count, items, item_count, flags, frames, image];
    for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
        slot.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use ir::{ItemId, Symbol};

    use super::*;
    use crate::input::{Site, SitePlace};

    fn function(sites: &[(u32, Option<u32>, u32)]) -> Function {
        let item = ItemId::function(Symbol::new("m"), Symbol::new("f"));
        let place = |i: u32| SitePlace { item, line: 200 + i, column: i };
        Function {
            item,
            key: 1,
            name: "m.f".into(),
            code: vec![0; 300],
            relocs: vec![],
            threads: vec![],
            data: vec![],
            has_frame: true,
            frame_size: 0,
            saved_mask: 0,
            sites: sites
                .iter()
                .map(|&(return_offset, pad_offset, places)| Site { return_offset, pad_offset, first_place: 0, places })
                .collect(),
            places: (1..4).map(place).collect(),
        }
    }

    #[test]
    fn what_is_written_is_what_the_runtime_reads() {
        let function = function(&[(5, None, 1), (6, Some(200), 3), (299, Some(7), 0), (300, None, 2)]);
        let mut bytes = Vec::new();
        sites(&function, |_| Some(1000), &mut bytes).expect("sound sites");
        bytes.push(0xff);
        let read: Vec<_> = pure::sites::Sites::new(&bytes).collect();
        assert_eq!(read.len(), 4);
        for (site, read) in function.sites.iter().zip(read) {
            assert_eq!((site.return_offset, site.pad_offset), (read.return_offset, read.pad_offset));
            let places: Vec<_> = read.places.map(|place| (place.item, place.line, place.column)).collect();
            let expect: Vec<_> = function.places[..site.places as usize].iter().map(|place| (1000, place.line, place.column)).collect();
            assert_eq!(places, expect);
        }
    }

    #[test]
    fn renumbered_sites_are_those_written_with_the_new_rows() {
        let function = function(&[(5, None, 1), (6, Some(200), 3), (299, Some(7), 0), (300, None, 2)]);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        sites(&function, |_| Some(100), &mut before).expect("sound sites");
        sites(&function, |_| Some(20_000), &mut after).expect("sound sites");
        before.extend([0; 7]);
        assert_eq!(renumbered(&before, |row| (row == 100).then_some(20_000)), Some(after));
        assert_eq!(renumbered(&before, |_| None), None);
        assert_eq!(renumbered(&before[..4], |_| Some(1)), None);
    }

    #[test]
    fn unsound_sites_are_refused() {
        for bad in
            [&[(9, None, 1), (9, None, 1)][..], &[(9, None, 1), (8, None, 1)], &[(301, None, 1)], &[(5, Some(300), 1)], &[(5, None, 4)]]
        {
            let result = sites(&function(bad), |_| Some(0), &mut Vec::new());
            assert_eq!(result, Err(LinkError::BadSites { function: "m.f".into() }), "{bad:?}");
        }
        let result = sites(&function(&[(5, None, 1)]), |_| None, &mut Vec::new());
        assert_eq!(result.map_err(|error| error.code()), Err("K0004"));
    }
}
