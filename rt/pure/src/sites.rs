//! Reading the site bytes of a function record (format: `abi::funcs`). Damaged bytes end the iteration; they never panic.

/// One call of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site<'a> {
    /// Offset of the return address from the start of the function.
    pub return_offset: u32,
    /// Offset of the landing pad, if it has one.
    pub pad_offset: Option<u32>,
    /// Places of the chain, innermost first.
    pub places: Places<'a>,
}

/// One place of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Index in the item table.
    pub item: u32,
    /// Line relative to the item's base line, from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

/// The sites of one function, in order of return offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sites<'a> {
    bytes: &'a [u8],
    left: u32,
    offset: u32,
}

/// The places of one site.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Places<'a> {
    bytes: &'a [u8],
    left: u32,
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

impl Places<'_> {
    /// No place.
    pub const EMPTY: Places<'static> = Places { bytes: &[], left: 0 };
}

impl<'a> Sites<'a> {
    /// The sites in `bytes`, which may go on behind them.
    pub fn new(mut bytes: &'a [u8]) -> Self {
        let left = number(&mut bytes).unwrap_or(0);
        Sites { bytes, left, offset: 0 }
    }
}

impl<'a> Iterator for Sites<'a> {
    type Item = Site<'a>;

    fn next(&mut self) -> Option<Site<'a>> {
        self.left = self.left.checked_sub(1)?;
        let bytes = &mut self.bytes;
        self.offset = self.offset.checked_add(number(bytes)?)?;
        let shape = number(bytes)?;
        let pad_offset = if shape & 1 == 1 { Some(number(bytes)?) } else { None };
        let places = Places { bytes, left: shape >> 1 };
        for _ in 0..shape >> 1 {
            // Item, line, column.
            number(bytes)?;
            number(bytes)?;
            number(bytes)?;
        }
        Some(Site { return_offset: self.offset, pad_offset, places })
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        self.left = self.left.checked_sub(1)?;
        let bytes = &mut self.bytes;
        Some(Place { item: number(bytes)?, line: number(bytes)?, column: number(bytes)? })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn sites_come_with_their_chains() {
        let bytes = [2, 5, 4, 1, 2, 3, 0x80, 1, 7, 9, 10, 3, 40, 0, 1, 1, 0xff];
        let sites: Vec<Site> = Sites::new(&bytes).collect();
        assert_eq!((sites[0].return_offset, sites[0].pad_offset), (5, None));
        let places: Vec<Place> = sites[0].places.collect();
        assert_eq!(places, [Place { item: 1, line: 2, column: 3 }, Place { item: 128, line: 7, column: 9 }]);
        assert_eq!((sites[1].return_offset, sites[1].pad_offset, sites[1].places.count()), (15, Some(40), 1));
        assert_eq!(sites.len(), 2);
    }

    #[test]
    fn damaged_bytes_end_the_walk() {
        let bytes = [200, 1, 255, 255, 255, 255, 255, 255];
        assert_eq!(Sites::new(&bytes).count(), 0);
        assert_eq!(Sites::new(&[]).count(), 0);
        assert_eq!(Sites::new(&[1, 5, 0xfe]).count(), 0);
        assert_eq!(Sites::new(&[1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]).count(), 0);
    }
}
