//! Memory as a table of allocations: an address is `allocation << 32 | offset`, and allocation 0 does not exist.

use abi::layout;
use hashbrown::HashMap;
use ir::{ItemId, Symbol};

use super::Trap;
use crate::statics;

/// Live memory at most, in bytes.
const LIMIT: u64 = 64 << 20;

/// All memory of a run.
#[derive(Default)]
pub struct Memory {
    allocations: Vec<Allocation>,
    texts: HashMap<Symbol, u64>,
    tables: HashMap<Symbol, u64>,
    functions: HashMap<ItemId, u64>,
    live: u64,
}

struct Allocation {
    bytes: Vec<u8>,
    is_live: bool,
    is_static: bool,
}

impl Memory {
    /// Zeroed memory of so many bytes.
    pub fn allocate(&mut self, bytes: u64) -> Result<u64, Trap> {
        self.live = self.live.saturating_add(bytes);
        if self.live > LIMIT {
            return Err(Trap::Space);
        }
        self.allocations.push(Allocation { bytes: vec![0; bytes as usize], is_live: true, is_static: false });
        Ok((self.allocations.len() as u64) << 32)
    }

    /// Bytes in use, but for static text.
    pub fn in_use(&self) -> usize {
        self.allocations
            .iter()
            .filter(|allocation| allocation.is_live && !allocation.is_static)
            .map(|allocation| allocation.bytes.len())
            .sum()
    }

    /// The allocation of this address is gone.
    pub fn free(&mut self, address: u64) {
        if let Some(allocation) = (address >> 32).checked_sub(1).and_then(|n| self.allocations.get_mut(n as usize)) {
            self.live = self.live.saturating_sub(allocation.bytes.len() as u64);
            allocation.is_live = false;
            allocation.bytes = Vec::new();
        }
    }

    /// Static text.
    pub fn text(&mut self, text: Symbol) -> Result<u64, Trap> {
        if let Some(&address) = self.texts.get(&text) {
            return Ok(address);
        }
        let address = self.bytes(text.as_str().as_bytes())?;
        if let Some(allocation) = self.allocations.last_mut() {
            allocation.is_static = true;
        }
        self.texts.insert(text, address);
        Ok(address)
    }

    /// Static data: the address of its first section.
    pub fn statics(&mut self, text: Symbol) -> Result<u64, Trap> {
        if let Some(&address) = self.tables.get(&text) {
            return Ok(address);
        }
        let mut behind = 0;
        for section in statics::parse(text).ok_or(Trap::Malformed)?.iter().rev() {
            let address = self.bytes(&section.bytes)?;
            for &(at, to) in &section.links {
                self.write(address + u64::from(at), 8, behind + u64::from(to))?;
            }
            if let Some(allocation) = self.allocations.last_mut() {
                allocation.is_static = true;
            }
            behind = address;
        }
        self.tables.insert(text, behind);
        Ok(behind)
    }

    /// The address of a function: memory that nobody reads.
    pub fn code(&mut self, function: ItemId) -> Result<u64, Trap> {
        if let Some(&address) = self.functions.get(&function) {
            return Ok(address);
        }
        let address = self.allocate(0)?;
        self.functions.insert(function, address);
        Ok(address)
    }

    /// The function at an address.
    pub fn function(&self, address: u64) -> Option<ItemId> {
        self.functions.iter().find(|(_, at)| **at == address).map(|(function, _)| *function)
    }

    /// Memory that holds these bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<u64, Trap> {
        let address = self.allocate(bytes.len() as u64)?;
        if let Some(allocation) = self.allocations.last_mut() {
            allocation.bytes.copy_from_slice(bytes);
        }
        Ok(address)
    }

    fn place(&mut self, address: u64, len: u64) -> Result<(&mut Allocation, usize), Trap> {
        let number = (address >> 32).checked_sub(1).ok_or(Trap::Access)?;
        let allocation = self.allocations.get_mut(number as usize).ok_or(Trap::Access)?;
        let offset = address & 0xffff_ffff;
        let inside = allocation.is_live && offset + len <= allocation.bytes.len() as u64;
        if inside { Ok((allocation, offset as usize)) } else { Err(Trap::Access) }
    }

    /// A little-endian number of `size` bytes, 1 to 8.
    pub fn read(&mut self, address: u64, size: u32) -> Result<u64, Trap> {
        let (allocation, offset) = self.place(address, u64::from(size))?;
        Ok(allocation.bytes[offset..offset + size as usize].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
    }

    /// Writes the low `size` bytes of a number.
    pub fn write(&mut self, address: u64, size: u32, value: u64) -> Result<(), Trap> {
        let (allocation, offset) = self.place(address, u64::from(size))?;
        if allocation.is_static {
            return Err(Trap::ReadOnly);
        }
        allocation.bytes[offset..offset + size as usize].copy_from_slice(&value.to_le_bytes()[..size as usize]);
        Ok(())
    }

    /// The bytes of the text value at an address.
    pub fn read_text(&mut self, address: u64) -> Result<Vec<u8>, Trap> {
        let mut words = [0; 3];
        for (word, offset) in words.iter_mut().zip([0, 8, 16]) {
            *word = self.read(address + offset, 8)?;
        }
        let tag = (words[2] >> 56) as u8;
        if tag & layout::STR_INLINE_TAG != 0 {
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
            let len = usize::from(tag & !layout::STR_INLINE_TAG);
            return bytes.get(..len.min(layout::STR_INLINE_MAX)).map(<[u8]>::to_vec).ok_or(Trap::Access);
        }
        let (allocation, offset) = self.place(words[0], words[1].min(LIMIT + 1))?;
        Ok(allocation.bytes[offset..offset + words[1] as usize].to_vec())
    }

    /// Writes a text value to an address; a long one gets memory of its own.
    pub fn write_text(&mut self, address: u64, text: &[u8]) -> Result<(), Trap> {
        let words = match layout::inline_str(text) {
            Some(words) => words,
            None => {
                let header = self.allocate((layout::CELL_HEADER + layout::TEXT_START + text.len()) as u64)?;
                let block = header + layout::CELL_HEADER as u64;
                let start = block + layout::TEXT_START as u64;
                for (at, &byte) in text.iter().enumerate() {
                    self.write(start + at as u64, 1, u64::from(byte))?;
                }
                [start, text.len() as u64, block]
            }
        };
        for (word, offset) in words.into_iter().zip([0, 8, 16]) {
            self.write(address + offset, 8, word)?;
        }
        Ok(())
    }
}
