//! Buffers of lists: a cell with its end, its limit and the elements (`abi::layout`).
//!
//! What lies behind the end of a buffer belongs to nobody. So a list that ends there grows in place, also when others see the elements before: they go
//! on to see as many as they did. Any other list is copied into a buffer of its own, which has room to double, and growing costs its length.
#![allow(unsafe_code)] // raw memory shared with compiled code

use abi::layout::{BUFFER_ELEMENTS, BUFFER_END, BUFFER_LEAST, BUFFER_LIMIT};

use crate::{fault, heap};

/// A buffer that ends with these elements and has room for `more`: the one that they stand in, or a new one with copies.
///
/// # Safety
/// There must be `length` elements of `stride` bytes, and `buffer`, if not null, must be the buffer that they stand in.
pub unsafe fn reserve(elements: *const u8, length: u64, buffer: *mut u8, more: u64, stride: u64, tag: u32) -> *mut u8 {
    if !buffer.is_null() {
        // SAFETY: the two words of a buffer.
        let (end, limit) = unsafe { (word(buffer, BUFFER_END).read(), word(buffer, BUFFER_LIMIT).read()) };
        let is_last = elements as u64 + length * stride == end;
        if is_last && more.checked_mul(stride).is_some_and(|bytes| bytes <= limit - end) {
            return buffer;
        }
    }
    let room = length.saturating_add(more).max(length.saturating_mul(2)).max(BUFFER_LEAST);
    // SAFETY: as the caller says.
    unsafe { copied(elements, length, room, stride, tag) }
}

/// A new buffer with copies of these elements, and room for so many in all.
///
/// # Safety
/// There must be `length` elements of `stride` bytes.
pub unsafe fn copied(elements: *const u8, length: u64, room: u64, stride: u64, tag: u32) -> *mut u8 {
    let bytes = room.saturating_mul(stride).saturating_add(u64::from(BUFFER_ELEMENTS));
    let Ok(size) = usize::try_from(bytes) else { fault::out_of_memory(usize::MAX) };
    let buffer = heap::allocate(size, tag);
    let used = length * stride;
    // SAFETY: the cell has room for both words and `room` elements, of which there are no more than `length`.
    unsafe {
        let start = buffer.add(BUFFER_ELEMENTS as usize);
        word(buffer, BUFFER_END).write(start as u64 + used);
        word(buffer, BUFFER_LIMIT).write(start as u64 + room * stride);
        core::ptr::copy_nonoverlapping(elements, start, used as usize);
    }
    buffer
}

/// A new buffer with the slots of a table, as one that is twice as long.
///
/// # Safety
/// There must be as many slots.
pub unsafe fn table_double(slots: *const u64, length: usize, tag: u32) -> *mut u8 {
    let size = pure::table::doubled(length);
    let bytes = size.saturating_mul(8);
    let buffer = heap::allocate(bytes.saturating_add(BUFFER_ELEMENTS as usize), tag);
    // SAFETY: the cell has room for both words and `size` slots; the old ones are the caller's.
    unsafe {
        let start = buffer.add(BUFFER_ELEMENTS as usize);
        for end in [BUFFER_END, BUFFER_LIMIT] {
            word(buffer, end).write(start as u64 + bytes as u64);
        }
        core::ptr::write_bytes(start, 0, bytes);
        let table = core::slice::from_raw_parts_mut(start.cast::<u64>(), size);
        pure::table::move_into(table, core::slice::from_raw_parts(slots, length).iter().copied());
    }
    buffer
}

/// A word of a buffer.
///
/// # Safety
/// `buffer` must be the address of one.
unsafe fn word(buffer: *mut u8, offset: u32) -> *mut u64 {
    // SAFETY: the words stand in front of the elements.
    unsafe { buffer.add(offset as usize).cast() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(buffer: *mut u8) -> (u64, u64) {
        // SAFETY: the tests pass buffers.
        unsafe {
            (
                word(buffer, BUFFER_END).read() - buffer as u64 - u64::from(BUFFER_ELEMENTS),
                word(buffer, BUFFER_LIMIT).read() - buffer as u64 - u64::from(BUFFER_ELEMENTS),
            )
        }
    }

    #[test]
    fn a_list_grows_in_place_while_it_is_the_last_in_its_buffer() {
        let elements = [1u64, 2, 3];
        // SAFETY: three elements of 8 bytes.
        let buffer = unsafe { reserve(elements.as_ptr().cast(), 3, core::ptr::null_mut(), 1, 8, 0) };
        assert_eq!(bytes_of(buffer), (24, 48));
        let start = buffer.wrapping_add(BUFFER_ELEMENTS as usize);
        // SAFETY: the same three, in their buffer.
        unsafe {
            assert_eq!(reserve(start, 3, buffer, 3, 8, 0), buffer, "there is room");
            assert_eq!(reserve(start.add(8), 2, buffer, 3, 8, 0), buffer, "a slice that ends with the buffer may grow too");
            let other = reserve(start, 2, buffer, 1, 8, 0);
            assert_ne!(other, buffer, "somebody sees what stands behind");
            assert_eq!(bytes_of(other), (16, 32));
            assert_ne!(reserve(start, 3, buffer, 4, 8, 0), buffer, "there is no room");
        }
    }

    #[test]
    fn a_copy_has_the_elements() {
        let elements = [7u16, 8, 9];
        // SAFETY: three elements of 2 bytes.
        let copy = unsafe { copied(elements.as_ptr().cast(), 3, 3, 2, 0) };
        // SAFETY: they were copied.
        let found = unsafe { core::slice::from_raw_parts(copy.add(BUFFER_ELEMENTS as usize).cast::<u16>(), 3) };
        assert_eq!((found, bytes_of(copy)), (&elements[..], (6, 6)));
    }
}
