//! Memory for texts that do not fit into their value. A bump allocator over mapped chunks: what it gives lives until exit (the heap issue
//! replaces it).
#![allow(unsafe_code)] // raw memory

use core::cell::UnsafeCell;

use crate::{fault, system};

struct Heap {
    next: *mut u8,
    left: usize,
    chunk: usize,
}

struct Global(UnsafeCell<Heap>);
// SAFETY: programs have one thread.
unsafe impl Sync for Global {}

static HEAP: Global = Global(UnsafeCell::new(Heap { next: core::ptr::null_mut(), left: 0, chunk: 0 }));

const FIRST_CHUNK: usize = 256 << 10;
const LARGEST_CHUNK: usize = 8 << 20;

/// `size` bytes, aligned to 8, zeroed. Ends the process when there is no memory.
pub fn allocate(size: usize) -> *mut u8 {
    // SAFETY: one thread, and no call below comes back here.
    let heap = unsafe { &mut *HEAP.0.get() };
    // All zero at start, so that the state needs no bytes in the file.
    let chunk = heap.chunk.max(FIRST_CHUNK);
    let Some(rounded) = size.checked_add(7).map(|size| size & !7) else { fault::out_of_memory(size) };
    if rounded > heap.left {
        // Large requests get pages of their own, so that a chunk's rest is not lost to them.
        if rounded >= chunk / 2 {
            return system::map(rounded).unwrap_or_else(|| fault::out_of_memory(size));
        }
        let Some(fresh) = system::map(chunk) else { fault::out_of_memory(size) };
        heap.next = fresh;
        heap.left = chunk;
        heap.chunk = (chunk * 2).min(LARGEST_CHUNK);
    }
    let start = heap.next;
    // SAFETY: `rounded <= left`, so the result stays inside the chunk or stands at its end.
    heap.next = unsafe { start.add(rounded) };
    heap.left -= rounded;
    start
}

/// Gives back the tail of the latest allocation, of which only `used` bytes are needed.
pub fn shrink(start: *mut u8, size: usize, used: usize) {
    // SAFETY: as in `allocate`.
    let heap = unsafe { &mut *HEAP.0.get() };
    let rounded = size.wrapping_add(7) & !7;
    let kept = used.wrapping_add(7) & !7;
    // Only when it ends where the next one would begin: not a mapping of its own.
    if kept < rounded && start.wrapping_add(rounded) == heap.next {
        heap.next = start.wrapping_add(kept);
        heap.left += rounded - kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_do_not_overlap() {
        let mut rows: Vec<(usize, usize)> = Vec::new();
        for size in [1usize, 24, 7, 100_000, 300_000, 8, 200_000, 90_000, 5_000_000, 64] {
            let start = allocate(size) as usize;
            assert_eq!(start % 8, 0);
            assert!(rows.iter().all(|&(other, len)| start + size <= other || other + len <= start));
            rows.push((start, size));
        }
    }
}
