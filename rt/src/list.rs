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
    // SAFETY: as the caller says.
    unsafe {
        if has_room(elements, length, buffer, more, stride) {
            return buffer;
        }
        copied(elements, length, room_for(length, more), stride, tag)
    }
}

/// As [`reserve`], but the caller's share of the buffer is consumed, and it gets one of the buffer that is given. Where the list is all of a large buffer, and has the only share of it, its
/// pages move: the elements are not copied, and a list that grows to its length never has twice the pages.
///
/// # Safety
/// As for [`reserve`]; the caller must have a share of the buffer, and its elements must hold nothing that is counted.
pub unsafe fn grow(elements: *const u8, length: u64, buffer: *mut u8, more: u64, stride: u64, tag: u32) -> *mut u8 {
    // SAFETY: as the caller says.
    unsafe {
        if has_room(elements, length, buffer, more, stride) {
            return buffer;
        }
        let room = room_for(length, more);
        if let Some(moved) = moved(elements, length, buffer, room, stride) {
            return moved;
        }
        let new = copied(elements, length, room, stride, tag);
        if !buffer.is_null() {
            heap::release(buffer);
        }
        new
    }
}

/// Elements that a list gets room for when it grows.
fn room_for(length: u64, more: u64) -> u64 {
    length.saturating_add(more).max(length.saturating_mul(2)).max(BUFFER_LEAST)
}

/// Does the buffer end with these elements, and has room for `more`?
///
/// # Safety
/// As for [`reserve`].
unsafe fn has_room(elements: *const u8, length: u64, buffer: *mut u8, more: u64, stride: u64) -> bool {
    if buffer.is_null() {
        return false;
    }
    // SAFETY: the two words of a buffer.
    let (end, limit) = unsafe { (word(buffer, BUFFER_END).read(), word(buffer, BUFFER_LIMIT).read()) };
    let is_last = elements as u64 + length * stride == end;
    is_last && more.checked_mul(stride).is_some_and(|bytes| bytes <= limit - end)
}

/// The buffer elsewhere, with room for so many elements, when it is large, holds these and no others, and has one holder.
///
/// # Safety
/// As for [`grow`].
unsafe fn moved(elements: *const u8, length: u64, buffer: *mut u8, room: u64, stride: u64) -> Option<*mut u8> {
    let start = buffer.wrapping_add(BUFFER_ELEMENTS as usize);
    if buffer.is_null() || elements != start.cast_const() {
        return None;
    }
    let size = usize::try_from(room.checked_mul(stride)?.checked_add(u64::from(BUFFER_ELEMENTS))?).ok()?;
    // SAFETY: the caller has a share; when it is the only one, and no element stands behind, nobody else knows the buffer.
    unsafe {
        let is_all = word(buffer, BUFFER_END).read() == start as u64 + length * stride;
        let buffer = if is_all && heap::is_sole(buffer) { heap::extend(buffer, size)? } else { return None };
        let start = buffer as u64 + u64::from(BUFFER_ELEMENTS);
        word(buffer, BUFFER_END).write(start + length * stride);
        word(buffer, BUFFER_LIMIT).write(start + room * stride);
        Some(buffer)
    }
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

    /// Pages move only of what has pages: a list below a mebibyte is copied, one above keeps its elements, and what others hold stays where it is.
    #[test]
    fn a_list_that_grows_gives_its_share_of_the_old_buffer() {
        for length in [3u64, 1000, 200_000, 1_000_000] {
            let elements: Vec<u64> = (0..length).collect();
            // SAFETY: elements of 8 bytes, in their buffers; `shared` has two shares of `first`, of which each growth consumes one.
            unsafe {
                let first = copied(elements.as_ptr().cast(), length, length, 8, 0);
                let start = first.add(BUFFER_ELEMENTS as usize);
                heap::retain(first);
                let second = grow(start, length, first, 1, 8, 0);
                assert_ne!(second, first, "somebody else holds it");
                assert!(heap::is_sole(first), "its share is consumed");
                let part = grow(second.add(BUFFER_ELEMENTS as usize + 8), length - 1, second, 2 * length, 8, 0);
                assert_eq!(part.add(BUFFER_ELEMENTS as usize).cast::<u64>().read(), 1, "a slice has its own elements");
                let third = grow(start, length, first, 1, 8, 0);
                assert_eq!(bytes_of(third), (length * 8, (2 * length).max(BUFFER_LEAST) * 8));
                let found = core::slice::from_raw_parts(third.add(BUFFER_ELEMENTS as usize).cast::<u64>(), elements.len());
                assert_eq!(found, elements.as_slice());
                assert_eq!(grow(third.add(BUFFER_ELEMENTS as usize), length, third, 1, 8, 0), third, "there is room");
                heap::free(third);
                heap::free(part);
            }
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
