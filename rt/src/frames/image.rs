//! The program in memory: its segments, and what `.eh_frame` says of a function.
#![allow(unsafe_code)] // the ELF header, segments as slices

use super::bytes::{Bytes, OMIT};

/// An executable in memory.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// Its program headers.
    headers: &'static [[u8; HEADER]],
    /// What is added to the addresses in them: 0 unless the program is position-independent.
    bias: usize,
}

const HEADER: usize = 56;
const PT_LOAD: u32 = 1;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;

/// A program header.
#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    offset: usize,
    address: usize,
    size: usize,
}

impl Segment {
    fn of(header: &[u8; HEADER]) -> Segment {
        let word = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word) as usize);
        Segment { kind: word(0) as u32, offset: word(8), address: word(16), size: word(40) }
    }
}

impl Image {
    /// The executable with its ELF header at this address.
    ///
    /// # Safety
    /// It must be there and stay as long as the process.
    pub unsafe fn at(address: usize) -> Image {
        // SAFETY: offset and number of the program headers, which linkers put behind the ELF header, into the same segment.
        unsafe {
            let offset = ((address + 32) as *const u64).read_unaligned() as usize;
            let count = ((address + 56) as *const u16).read_unaligned();
            let headers = core::slice::from_raw_parts((address + offset) as *const [u8; HEADER], usize::from(count));
            let mut image = Image { headers, bias: 0 };
            if let Some(first) = image.segments().find(|segment| segment.kind == PT_LOAD && segment.offset == 0) {
                image.bias = address.wrapping_sub(first.address);
            }
            image
        }
    }

    fn segments(&self) -> impl Iterator<Item = Segment> + use<> {
        self.headers.iter().map(Segment::of)
    }

    /// The bytes from this address to the end of its segment; none when it is in no segment.
    pub fn readable(&self, address: usize) -> &'static [u8] {
        for segment in self.segments().filter(|segment| segment.kind == PT_LOAD) {
            let offset = address.wrapping_sub(segment.address.wrapping_add(self.bias));
            if offset < segment.size {
                // SAFETY: the segment is mapped. Tables and code are never written.
                return unsafe { core::slice::from_raw_parts(address as *const u8, segment.size - offset) };
            }
        }
        &[]
    }

    /// The table of `.eh_frame_hdr`: sorted, or there is none.
    pub fn table(&self) -> Option<&'static [u8]> {
        let segment = self.segments().find(|segment| segment.kind == PT_GNU_EH_FRAME)?;
        let bytes = self.readable(segment.address.wrapping_add(self.bias)).get(..segment.size)?;
        // Version, and distances of four bytes from the start of the table.
        if *bytes.first()? == 1 && *bytes.get(3)? == 0x3b { Some(bytes) } else { None }
    }

    /// The function that has the byte at this address.
    pub fn function(&self, table: &'static [u8], address: usize) -> Option<Function> {
        let mut bytes = Bytes(table);
        let base = bytes.address();
        let [_, frame, count, _] = *bytes.take(4)?.first_chunk::<4>()?;
        if frame != OMIT {
            bytes.encoded(frame)?;
        }
        let count = bytes.pointer(count, base, self)?;
        let (rows, _) = bytes.take(count.checked_mul(8)?)?.as_chunks::<8>();
        let distance = |row: &[u8; 8], at: usize| Bytes(&row[at..]).word().map_or(0, |word| word as i32 as isize);
        let above = rows.partition_point(|row| base.wrapping_add_signed(distance(row, 0)) <= address);
        let row = rows.get(above.checked_sub(1)?)?;
        let function = Function::at(self, base.wrapping_add_signed(distance(row, 4)))?;
        if address.wrapping_sub(function.start) < function.size { Some(function) } else { None }
    }
}

/// What `.eh_frame` says of a function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Address of its first byte.
    pub start: usize,
    /// Bytes of code.
    pub size: usize,
    /// Address of its language-specific data; 0 when it has none.
    pub lsda: usize,
    /// What holds at its first byte.
    pub first: Bytes<'static>,
    /// What changes behind it.
    pub program: Bytes<'static>,
    /// Unit of distances in code.
    pub code_unit: u64,
    /// Unit of distances in the frame.
    pub data_unit: i64,
}

/// An entry of `.eh_frame`: its bytes behind the length.
fn entry(image: &Image, address: usize) -> Option<Bytes<'static>> {
    let mut bytes = Bytes(image.readable(address));
    let size = match bytes.word()? {
        u32::MAX => bytes.wide()? as usize,
        size => size as usize,
    };
    bytes.take(size).map(Bytes)
}

impl Function {
    /// What the entry at this address says.
    pub fn at(image: &Image, address: usize) -> Option<Function> {
        let mut bytes = entry(image, address)?;
        let here = bytes.address();
        // 0 would be a common entry.
        let distance = bytes.word().filter(|&distance| distance != 0)?;
        let mut common = entry(image, here.wrapping_sub(distance as usize))?;
        if common.word()? != 0 {
            return None;
        }
        let version = common.byte()?;
        let shapes = common.string()?;
        if !matches!(version, 1 | 3) || !matches!(shapes.first(), Some(b'z') | None) {
            return None;
        }
        let code_unit = common.uleb()?;
        let data_unit = common.sleb()?;
        // The register of the return address: `cfi` knows it.
        if version == 1 {
            u64::from(common.byte()?)
        } else {
            common.uleb()?
        };
        let (mut pointers, mut lsda_pointers) = (0, OMIT);
        if !shapes.is_empty() {
            let size = common.uleb()? as usize;
            let mut values = Bytes(common.take(size)?);
            for shape in &shapes[1..] {
                match shape {
                    b'R' => pointers = values.byte()?,
                    b'L' => lsda_pointers = values.byte()?,
                    b'P' => {
                        let encoding = values.byte()?;
                        values.encoded(encoding)?;
                    }
                    // What follows is not understood, and nothing but pointers counts.
                    b'S' | b'B' => {}
                    _ => return None,
                }
            }
        }
        let start = bytes.pointer(pointers, 0, image)?;
        let size = bytes.encoded(pointers & 0xf)?;
        let mut lsda = 0;
        if !shapes.is_empty() {
            let length = bytes.uleb()? as usize;
            let mut values = Bytes(bytes.take(length)?);
            if lsda_pointers != OMIT {
                lsda = values.pointer(lsda_pointers, 0, image)?;
            }
        }
        Some(Function { start, size, lsda, first: common, program: bytes, code_unit, data_unit })
    }
}
