//! Memory for cells, and for texts that do not fit into their value. A bump allocator over mapped chunks: what it gives lives until exit (the heap issue
//! replaces it).
//!
//! Texts never change, so a text may grow at its end without a copy while nothing stands behind it: the shorter one goes on to see its own bytes.
//! That holds for the latest allocation, and for the latest *open* text, which has a mapping with room to double. So building a text piece by
//! piece costs its length, not the square of it.
#![allow(unsafe_code)] // raw memory

use core::cell::UnsafeCell;

use crate::{fault, system};

struct Heap {
    next: *mut u8,
    left: usize,
    chunk: usize,
    /// Exact end of the latest allocation; `next` is rounded up.
    end: *mut u8,
    /// End of the latest open text.
    open_end: *mut u8,
    /// Free bytes behind it.
    open_left: usize,
}

struct Global(UnsafeCell<Heap>);
// SAFETY: programs have one thread.
unsafe impl Sync for Global {}

static HEAP: Global = Global(UnsafeCell::new(Heap {
    next: core::ptr::null_mut(),
    left: 0,
    chunk: 0,
    end: core::ptr::null_mut(),
    open_end: core::ptr::null_mut(),
    open_left: 0,
}));

/// Tests run in several threads.
#[cfg(test)]
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

const FIRST_CHUNK: usize = 256 << 10;
const LARGEST_CHUNK: usize = 8 << 20;

/// `size` bytes, aligned to 8, zeroed. Ends the process when there is no memory.
pub fn allocate(size: usize) -> *mut u8 {
    #[cfg(test)]
    let _turn = ONE_AT_A_TIME.lock();
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
    heap.end = start.wrapping_add(size);
    start
}

/// Makes room for `more` bytes behind a text that ends at the address `end`, and returns the place; `None` when something stands there.
pub fn extend(end: usize, more: usize) -> Option<*mut u8> {
    #[cfg(test)]
    let _turn = ONE_AT_A_TIME.lock();
    // SAFETY: as in `allocate`.
    let heap = unsafe { &mut *HEAP.0.get() };
    // The place comes from the heap's own pointers. One made of the text's address would count as part of the text, which is borrowed for reading:
    // the compiler may drop writes through it, and did.
    if end == heap.open_end as usize && more <= heap.open_left {
        let place = heap.open_end;
        heap.open_end = place.wrapping_add(more);
        heap.open_left -= more;
        return Some(place);
    }
    let rounding = (heap.next as usize).wrapping_sub(end);
    if end == heap.end as usize && more <= heap.left + rounding {
        let place = heap.end;
        heap.end = place.wrapping_add(more);
        let used = (heap.end as usize).next_multiple_of(8).saturating_sub(heap.next as usize);
        heap.next = heap.next.wrapping_add(used);
        heap.left = heap.left.saturating_sub(used);
        return Some(place);
    }
    None
}

/// `size` bytes for an open text, with as much room behind it.
pub fn open(size: usize) -> *mut u8 {
    #[cfg(test)]
    let _turn = ONE_AT_A_TIME.lock();
    // SAFETY: as in `allocate`.
    let heap = unsafe { &mut *HEAP.0.get() };
    let mapped = size.saturating_mul(2).saturating_add(4095) & !4095;
    let Some(start) = system::map(mapped) else { fault::out_of_memory(size) };
    heap.open_end = start.wrapping_add(size);
    heap.open_left = mapped - size;
    start
}

/// Gives back the tail of the latest allocation, of which only `used` bytes are needed.
pub fn shrink(start: *mut u8, size: usize, used: usize) {
    #[cfg(test)]
    let _turn = ONE_AT_A_TIME.lock();
    // SAFETY: as in `allocate`.
    let heap = unsafe { &mut *HEAP.0.get() };
    let rounded = size.wrapping_add(7) & !7;
    let kept = used.wrapping_add(7) & !7;
    // Only when it ends where the next one would begin: not a mapping of its own.
    if kept < rounded && start.wrapping_add(rounded) == heap.next {
        heap.next = start.wrapping_add(kept);
        heap.left += rounded - kept;
        heap.end = start.wrapping_add(used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_grows_at_its_end_until_something_stands_there() {
        let start = allocate(30);
        let end = start as usize + 30;
        // Other tests may allocate in between; then there is no room, which is an answer too.
        if let Some(place) = extend(end, 5) {
            assert_eq!(place as usize, end);
            assert!(extend(end, 1).is_none(), "the old end is taken");
        }
    }

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
