//! Numbers and encoded pointers, as `.eh_frame` and `.gcc_except_table` have them.

use super::image::Image;

/// No value.
pub const OMIT: u8 = 0xff;
/// The value is the address of the address.
const INDIRECT: u8 = 0x80;

/// The rest of some bytes; nothing is taken behind their end.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// Where the rest begins in memory.
    pub fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn half(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub fn wide(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes up to a zero, which is taken too.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let taken = self.take(end)?;
        self.byte()?;
        Some(taken)
    }

    /// Unsigned LEB128; bits above the 64th are lost.
    pub fn uleb(&mut self) -> Option<u64> {
        self.leb().map(|(value, _, _)| value)
    }

    /// Signed LEB128.
    pub fn sleb(&mut self) -> Option<i64> {
        let (value, bits, last) = self.leb()?;
        Some(if bits < 64 && last & 0x40 != 0 { value as i64 | -1 << bits } else { value as i64 })
    }

    /// The value, how many bits it has, and its last byte.
    fn leb(&mut self) -> Option<(u64, u32, u8)> {
        let (mut value, mut bits) = (0u64, 0u32);
        loop {
            let byte = self.byte()?;
            if bits < 64 {
                value |= u64::from(byte & 0x7f) << bits;
                bits += 7;
            }
            if byte < 0x80 {
                return Some((value, bits, byte));
            }
        }
    }

    /// The value of a pointer, whatever it is relative to.
    pub fn encoded(&mut self, encoding: u8) -> Option<usize> {
        let value = match encoding & 0xf {
            0 | 4 | 0xc => self.wide()?,
            1 => self.uleb()?,
            2 => u64::from(self.half()?),
            3 => u64::from(self.word()?),
            9 => self.sleb()? as u64,
            0xa => self.half()? as i16 as u64,
            0xb => self.word()? as i32 as u64,
            _ => return None,
        };
        Some(value as usize)
    }

    /// A pointer: 0 stays 0. Relative to its own address, to `data`, or to nothing.
    pub fn pointer(&mut self, encoding: u8, data: usize, image: &Image) -> Option<usize> {
        let here = self.address();
        let value = match (self.encoded(encoding)?, encoding & 0x70) {
            (0, _) => return Some(0),
            (value, 0) => value,
            (value, 0x10) => value.wrapping_add(here),
            (value, 0x30) => value.wrapping_add(data),
            (_, _) => return None,
        };
        if encoding & INDIRECT == 0 { Some(value) } else { Some(Bytes(image.readable(value)).wide()? as usize) }
    }
}

/// Bytes of a value with a fixed size.
pub const fn size_of_encoded(encoding: u8) -> Option<usize> {
    match encoding & 0xf {
        0 | 4 | 0xc => Some(8),
        2 | 0xa => Some(2),
        3 | 0xb => Some(4),
        _ => None,
    }
}
