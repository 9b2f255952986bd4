//! Where blocks come from: segments of 4 MiB, each 64 slabs of 64 KiB.
//!
//! A slab holds blocks of one class, carved in address order as they are wanted, at most 4 KiB at a time. The first block of a slab stands a little
//! further in than that of the slab before: blocks at equal places of slabs would else compete for the same lines of the cache (`design/memory.md`
//! §1.3, measured: up to 2.9 times). Blocks above the largest class are runs of slabs, or mappings of their own.
//!
//! A slab stays with its class; blocks go back to the list of free ones alone.

use abi::layout::{CELL_CLASSES, CELL_HEADER, CELL_LARGE, CELL_LARGE_SIZE, cell_header, class_bytes};

use crate::{fault, system};

const SLAB: usize = 64 << 10;
const SLABS: usize = 64;
const SEGMENT: usize = SLAB * SLABS;
/// Bytes that one refill carves, or one block.
const REFILL: usize = 4096;
/// Classes of more bytes have slabs of [`WIDE`] times the length.
const NARROW: usize = 4096;
const WIDE: usize = 4;
/// From this size on a block has a mapping of its own.
const HUGE: usize = 1 << 20;
/// Mappings that are kept for the next block that fits, and bytes of all of them: what grows and shrinks does not fault its pages in each time.
const KEPT: usize = 8;
const KEPT_BYTES: usize = 16 << 20;
/// Bytes in front of the parts of a large block: its links, its size, its header.
const PREFIX: usize = 32;
/// Room for [`Segment`] in its first slab.
const HEAD: usize = 512;

/// What a slab is used for.
mod kind {
    /// Nothing.
    pub const FREE: u8 = 0;
    /// It goes on what the slab before begins.
    pub const GOES_ON: u8 = 254;
}

/// In front of the slabs of a segment.
struct Segment {
    next: *mut Segment,
    /// A bit for each slab that is free.
    free: u64,
    /// Class of the blocks, or [`CELL_LARGE`], or a [`kind`].
    kinds: [u8; SLABS],
    /// Where the first block begins.
    starts: [u16; SLABS],
    /// Slabs of the run that begins here.
    lengths: [u8; SLABS],
}

const _: () = assert!(size_of::<Segment>() <= HEAD);

/// Where the next block of a class is carved.
#[derive(Clone, Copy)]
struct Carve {
    next: *mut u8,
    end: *mut u8,
}

/// Links of the blocks that have a mapping of their own.
#[repr(C)]
struct Huge {
    previous: *mut Huge,
    next: *mut Huge,
    size: u64,
    header: u64,
}

const _: () = assert!(size_of::<Huge>() == PREFIX);

/// A mapping that no block stands in.
#[derive(Clone, Copy)]
struct Kept {
    start: *mut u8,
    bytes: usize,
}

/// The segments of a thread.
pub struct Segments {
    first: *mut Segment,
    carves: [Carve; CELL_CLASSES],
    huge: *mut Huge,
    kept: [Kept; KEPT],
    /// Slabs taken so far, by which the first block is moved in.
    taken: u32,
    /// Bytes that the allocation wants for which there may be no memory.
    wanted: usize,
}

impl Segments {
    /// A list of fresh blocks of the class, by the first.
    pub fn refill(&mut self, class: u8) -> *mut u8 {
        let stride = class_bytes(class) + CELL_HEADER;
        self.wanted = stride;
        let at = usize::from(class) % CELL_CLASSES;
        if (self.carves[at].end as usize).saturating_sub(self.carves[at].next as usize) < stride {
            self.carves[at] = self.slab(class, stride);
        }
        let carve = &mut self.carves[at];
        let room = carve.end as usize - carve.next as usize;
        let count = (REFILL / stride).max(1).min(room / stride);
        let first = carve.next.wrapping_add(CELL_HEADER);
        for number in 0..count {
            let next = carve.next.wrapping_add(stride);
            // SAFETY: the block lies in the slab, which nobody else uses.
            unsafe {
                carve.next.cast::<u64>().write(cell_header(class_bytes(class), 0));
                let link = if number + 1 < count { next.wrapping_add(CELL_HEADER) } else { core::ptr::null_mut() };
                carve.next.add(CELL_HEADER).cast::<*mut u8>().write(link);
            }
            carve.next = next;
        }
        first
    }

    /// A fresh slab for blocks of the class.
    fn slab(&mut self, class: u8, stride: usize) -> Carve {
        let length = if stride > NARROW { WIDE } else { 1 };
        let (segment, at) = self.run(length, class);
        let colour = (self.taken as usize * 192) & 4095;
        self.taken = self.taken.wrapping_add(1);
        let start = if at == 0 { HEAD } else { 0 } + colour;
        // SAFETY: `run` gave a segment of ours, and this slab of it.
        unsafe {
            (*segment).starts[at] = start as u16;
            let base = segment.cast::<u8>().add(at * SLAB);
            Carve { next: base.add(start), end: base.add(length * SLAB) }
        }
    }

    /// So many slabs in a row, marked as of this kind.
    fn run(&mut self, length: usize, kind: u8) -> (*mut Segment, usize) {
        let mut segment = self.first;
        loop {
            if segment.is_null() {
                segment = self.segment();
            }
            // SAFETY: segments stay until exit.
            let row = unsafe { &mut *segment };
            // A bit for each slab from which on so many are free.
            let mut fits = row.free;
            for _ in 1..length {
                fits &= fits >> 1;
            }
            let at = fits.trailing_zeros() as usize;
            // A run of large blocks never begins in the first slab, where the segment's own rows are.
            let at = if at == 0 && kind == CELL_LARGE { (fits & !1).trailing_zeros() as usize } else { at };
            if at < SLABS {
                row.free &= !(((1 << length) - 1) << at);
                row.lengths[at] = length as u8;
                row.kinds[at..at + length].fill(kind::GOES_ON);
                row.kinds[at] = kind;
                return (segment, at);
            }
            segment = row.next;
        }
    }

    fn segment(&mut self) -> *mut Segment {
        let Some(fresh) = system::map(SEGMENT) else { fault::out_of_memory(self.wanted) };
        let segment = fresh.cast::<Segment>();
        // SAFETY: a fresh mapping, zeroed, aligned to pages.
        unsafe {
            (*segment).next = self.first;
            (*segment).free = u64::MAX;
        }
        self.first = segment;
        segment
    }

    /// A block of pages with `size` bytes of parts; its header is the caller's to write.
    pub fn large(&mut self, size: usize) -> *mut u8 {
        let Some(total) = size.checked_add(PREFIX) else { fault::out_of_memory(size) };
        self.wanted = size;
        let mut room = size;
        let start = if total >= HUGE {
            let fresh = || Some(total.checked_next_multiple_of(4096)?).and_then(|bytes| Some(Kept { start: system::map(bytes)?, bytes }));
            let Some(Kept { start, bytes }) = self.kept(total).or_else(fresh) else { fault::out_of_memory(size) };
            room = bytes - PREFIX;
            let huge = start.cast::<Huge>();
            // SAFETY: a mapping of ours that no block stands in; the blocks in the list are in use.
            unsafe {
                (*huge).previous = core::ptr::null_mut();
                (*huge).next = self.huge;
                if !self.huge.is_null() {
                    (*self.huge).previous = huge;
                }
            }
            self.huge = huge;
            start
        } else {
            let (segment, at) = self.run(total.div_ceil(SLAB), CELL_LARGE);
            // SAFETY: a slab of a segment of ours; the block says where it stands.
            unsafe {
                let start = segment.cast::<u8>().add(at * SLAB);
                start.cast::<*mut Segment>().write(segment);
                start
            }
        };
        // SAFETY: the prefix belongs to the block.
        unsafe {
            let parts = start.add(PREFIX);
            parts.offset(CELL_LARGE_SIZE as isize).cast::<u64>().write(room as u64);
            parts
        }
    }

    /// Gives a block of pages back.
    ///
    /// # Safety
    /// It must be one, and nobody may use it any more.
    pub unsafe fn free_large(&mut self, parts: *mut u8) {
        // SAFETY: `large` wrote the prefix.
        unsafe {
            let start = parts.sub(PREFIX);
            let total = parts.offset(CELL_LARGE_SIZE as isize).cast::<u64>().read() as usize + PREFIX;
            if total < HUGE {
                let segment = &mut *start.cast::<*mut Segment>().read();
                let at = (start as usize - &raw const *segment as usize) / SLAB;
                let length = usize::from(segment.lengths[at]);
                segment.kinds[at..at + length].fill(kind::FREE);
                segment.free |= ((1 << length) - 1) << at;
                return;
            }
            let huge = start.cast::<Huge>();
            let (previous, next) = ((*huge).previous, (*huge).next);
            if previous.is_null() {
                self.huge = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            self.keep(Kept { start, bytes: total.next_multiple_of(4096) });
        }
    }

    /// The block in a longer mapping, perhaps elsewhere: the pages move, not what stands in them. `None` for blocks in slabs, and where there is no room.
    ///
    /// # Safety
    /// It must be a large block, and nobody but the caller may know it.
    pub unsafe fn extend(&mut self, parts: *mut u8, size: usize) -> Option<*mut u8> {
        // SAFETY: `large` wrote the prefix; the blocks in the list are in use.
        unsafe {
            let total = parts.offset(CELL_LARGE_SIZE as isize).cast::<u64>().read() as usize + PREFIX;
            if total < HUGE {
                return None;
            }
            let bytes = size.checked_add(PREFIX)?.checked_next_multiple_of(4096)?;
            let start = system::remap(parts.sub(PREFIX), total.next_multiple_of(4096), bytes)?;
            let huge = start.cast::<Huge>();
            let (previous, next) = ((*huge).previous, (*huge).next);
            if previous.is_null() {
                self.huge = huge;
            } else {
                (*previous).next = huge;
            }
            if !next.is_null() {
                (*next).previous = huge;
            }
            let parts = start.add(PREFIX);
            parts.offset(CELL_LARGE_SIZE as isize).cast::<u64>().write((bytes - PREFIX) as u64);
            Some(parts)
        }
    }

    /// A mapping that was kept, for so many bytes: the smallest that fits and is not more than twice as long.
    fn kept(&mut self, total: usize) -> Option<Kept> {
        let fits = |kept: &&mut Kept| kept.bytes >= total && kept.bytes / 2 <= total;
        let best = self.kept.iter_mut().filter(fits).min_by_key(|kept| kept.bytes)?;
        Some(core::mem::replace(best, Kept { start: core::ptr::null_mut(), bytes: 0 }))
    }

    /// Keeps a mapping, or gives it back.
    fn keep(&mut self, mapping: Kept) {
        let all: usize = self.kept.iter().map(|kept| kept.bytes).sum();
        match self.kept.iter_mut().find(|kept| kept.bytes == 0) {
            Some(free) if all + mapping.bytes <= KEPT_BYTES => *free = mapping,
            // SAFETY: no block stands in it.
            _ => drop(unsafe { system::unmap(mapping.start, mapping.bytes) }),
        }
    }

    /// Shows every block that was ever carved and is not known to be free, by its parts and the bytes that they have room for. Those on lists of
    /// free ones are shown too.
    pub fn each(&self, visit: &mut dyn FnMut(*mut u8, usize)) {
        let mut segment = self.first;
        while !segment.is_null() {
            // SAFETY: segments stay until exit.
            let row = unsafe { &*segment };
            for at in 0..SLABS {
                let base = segment.cast::<u8>().wrapping_add(at * SLAB);
                match row.kinds[at] {
                    kind::FREE | kind::GOES_ON => {}
                    CELL_LARGE => {
                        let parts = base.wrapping_add(PREFIX);
                        // SAFETY: `large` wrote the prefix.
                        visit(parts, unsafe { super::room(parts) });
                    }
                    class => {
                        let end = base.wrapping_add(usize::from(row.lengths[at]) * SLAB);
                        self.each_of_slab(class, base.wrapping_add(usize::from(row.starts[at])), end, visit);
                    }
                }
            }
            segment = row.next;
        }
        let mut huge = self.huge;
        while !huge.is_null() {
            let parts = huge.cast::<u8>().wrapping_add(PREFIX);
            // SAFETY: mappings in the list are in use.
            unsafe {
                visit(parts, super::room(parts));
                huge = (*huge).next;
            }
        }
    }

    fn each_of_slab(&self, class: u8, start: *mut u8, end: *mut u8, visit: &mut dyn FnMut(*mut u8, usize)) {
        let (bytes, mut at) = (class_bytes(class), start);
        let carve = self.carves[usize::from(class) % CELL_CLASSES];
        // In the slab that is being carved the rest is no block yet.
        let end = if carve.end == end { carve.next } else { end };
        while (end as usize).saturating_sub(at as usize) >= bytes + CELL_HEADER {
            visit(at.wrapping_add(CELL_HEADER), bytes);
            at = at.wrapping_add(bytes + CELL_HEADER);
        }
    }
}
