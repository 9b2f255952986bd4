//! Sizes and offsets (`design/memory.md` §4.5, decisions "Runtime").

/// Size of a `str` value in bytes: three words.
pub const STR_SIZE: usize = 24;
/// Longest text stored inside the value.
pub const STR_INLINE_MAX: usize = 23;
/// Byte 23 of an inline `str` is `STR_INLINE_TAG | len`; of any other `str` its top bit is clear.
pub const STR_INLINE_TAG: u8 = 0x80;
/// Offset of the tag byte.
pub const STR_TAG_OFFSET: usize = 23;
/// Word 0 of a `str` that is not inline: address of the first byte.
pub const STR_POINTER: usize = 0;
/// Word 1 of a `str` that is not inline: length in bytes.
pub const STR_LENGTH: usize = 8;
/// Word 2 of a `str` that is not inline: capacity, 0 for text that nobody owns (static data).
pub const STR_CAPACITY: usize = 16;

/// Size of a list value in bytes: pointer, length, capacity.
pub const LIST_SIZE: usize = 24;
/// Word 0 of a list: address of the first element.
pub const LIST_POINTER: usize = 0;
/// Word 1 of a list: number of elements.
pub const LIST_LENGTH: usize = 8;
/// Word 2 of a list: capacity.
pub const LIST_CAPACITY: usize = 16;

/// Bytes of the header of a cell. Its parts begin behind it, at the address by which the cell is known.
pub const CELL_HEADER: usize = 8;
/// Largest cell that is served from a size class; a larger one has pages of its own.
pub const CELL_LARGEST_CLASS: usize = 32 << 10;

/// The size class of cells with so many bytes of parts: every 8 bytes to 128, then 4 for each doubling. Its number and its bytes.
pub const fn cell_class(bytes: usize) -> (u8, usize) {
    if bytes <= 128 {
        let class = if bytes == 0 { 1 } else { bytes.div_ceil(8) };
        return (class as u8, class * 8);
    }
    if bytes > CELL_LARGEST_CLASS {
        return (u8::MAX, bytes.next_multiple_of(8));
    }
    // The doubling that ends at or above `bytes`, in four steps.
    let top = bytes.next_power_of_two();
    let step = top / 8;
    let steps = (bytes - top / 2).div_ceil(step);
    let doubling = top.trailing_zeros() as usize - 8;
    ((16 + 4 * doubling + steps) as u8, top / 2 + steps * step)
}

/// The header of a fresh cell, a little-endian word: `i32` holders but one (0: one holder), then `u32` of which the low 8 bits are the size class,
/// the next 8 flags, and the rest the number of the constructor, by which it will be dropped (0: not told).
pub const fn cell_header(bytes: usize) -> u64 {
    (cell_class(bytes).0 as u64) << 32
}

/// Default size of the main stack in bytes (`ORI_STACK_SIZE`).
pub const STACK_SIZE: usize = 8 << 20;
/// Size of the guard area below the stack in bytes. Larger than any frame that is not probed.
pub const STACK_GUARD: usize = 64 << 10;

/// The three words of an inline `str`, or `None` when the text is too long.
pub const fn inline_str(text: &[u8]) -> Option<[u64; 3]> {
    if text.len() > STR_INLINE_MAX {
        return None;
    }
    let mut bytes = [0u8; STR_SIZE];
    let mut i = 0;
    while i < text.len() {
        bytes[i] = text[i];
        i += 1;
    }
    bytes[STR_TAG_OFFSET] = STR_INLINE_TAG | text.len() as u8;
    let mut words = [0u64; 3];
    let mut word = 0;
    while word < 3 {
        let mut byte = 8;
        while byte > 0 {
            byte -= 1;
            words[word] = words[word] << 8 | bytes[word * 8 + byte] as u64;
        }
        word += 1;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_dense_and_waste_at_most_a_quarter() {
        let mut last = (0, 0);
        for bytes in 1..=CELL_LARGEST_CLASS {
            let (class, size) = cell_class(bytes);
            assert!(size >= bytes && size % 8 == 0 && (bytes <= 128 || size * 4 <= bytes * 5), "{bytes}: {size}");
            assert!((class, size) == last || class == last.0 + 1 && last.1 + 1 == bytes, "{bytes}: {class} {size} after {last:?}");
            last = (class, size);
        }
        assert_eq!((last, cell_class(0)), ((48, CELL_LARGEST_CLASS), (1, 8)));
        assert_eq!(cell_class(CELL_LARGEST_CLASS + 1), (255, CELL_LARGEST_CLASS + 8));
    }
}
