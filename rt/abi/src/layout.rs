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
/// Word 2 of a `str` that is not inline: address of the block that holds the bytes, of which the value owns a share; 0 for text that nobody owns
/// (static data). As a signed number it is above 0 exactly when the value owns something.
pub const STR_OWNER: usize = 16;

/// Word 0 of the block of a text: bytes of it in use, from [`TEXT_START`] on. Texts never change, so whoever holds the text that ends there may write
/// behind it: holders of shorter ones go on to see their own bytes.
pub const TEXT_USED: usize = 0;
/// Where the bytes begin in the block of a text.
pub const TEXT_START: usize = 8;

/// Size of a list value in bytes: first element, length, buffer.
pub const LIST_SIZE: usize = 24;
/// Word 0 of a list: address of the first element; never null.
pub const LIST_POINTER: usize = 0;
/// Word 1 of a list: number of elements.
pub const LIST_LENGTH: usize = 8;
/// Word 2 of a list: the cell that holds its elements, null when nobody owns them (static data, no elements, elements without size). A slice has the
/// buffer of the list that it was taken from: so what counts holders never asks where in the buffer the elements begin.
pub const LIST_BUFFER: usize = 16;
/// Address of the elements of a list that has none.
pub const LIST_EMPTY: i64 = 8;

/// Part of a buffer: address behind the last element that it holds. What lies behind belongs to nobody, so a list that ends here grows in place,
/// however many others share the buffer; the elements up to here die with the buffer.
pub const BUFFER_END: u32 = 0;
/// Part of a buffer: address behind the room for elements.
pub const BUFFER_LIMIT: u32 = 8;
/// Offset of the first element in a buffer.
pub const BUFFER_ELEMENTS: u32 = 16;
/// Least number of elements for which a growing list gets room.
pub const BUFFER_LEAST: u64 = 4;

/// A view shorter than an eighth of a block larger than this is copied (language/13 §13.4).
pub const LARGE_BLOCK: u64 = 4096;

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
        return (CELL_LARGE, bytes.next_multiple_of(8));
    }
    // The doubling that ends at or above `bytes`, in four steps.
    let top = bytes.next_power_of_two();
    let step = top / 8;
    let steps = (bytes - top / 2).div_ceil(step);
    let doubling = top.trailing_zeros() as usize - 8;
    ((16 + 4 * doubling + steps) as u8, top / 2 + steps * step)
}

/// Size classes: numbers of classes are below this, and 0 is none.
pub const CELL_CLASSES: usize = 49;
/// The class of a cell that is larger than any class.
pub const CELL_LARGE: u8 = u8::MAX;
/// Where the `i32` stands, from the address of the parts, that counts the holders but one: 0 for one holder.
pub const CELL_COUNT: i64 = -8;
/// Where the `u32` stands whose low 8 bits are the size class, and the rest the tag of the type ([`type_tag`]).
pub const CELL_META: i64 = -4;
/// Where the bytes of the parts of a cell without class stand, as a `u64`.
pub const CELL_LARGE_SIZE: i64 = -16;
/// The count of a block that nobody counts: it lives until exit.
pub const COUNT_IMMORTAL: i32 = i32::MIN;

/// Bytes of parts that cells of a class have room for.
pub const fn class_bytes(class: u8) -> usize {
    let class = class as usize;
    if class <= 16 {
        return class * 8;
    }
    let (doubling, steps) = ((class - 17) / 4, (class - 17) % 4 + 1);
    let half = 128 << doubling;
    half + steps * half / 4
}

/// The header of a fresh cell of a type, a little-endian word: the count, then class and tag.
pub const fn cell_header(bytes: usize, tag: u32) -> u64 {
    (cell_class(bytes).0 as u64 | (tag as u64) << 8) << 32
}

/// The 24 bits by which the leak report knows the type of a cell: of its name as the report prints it. 0 is that of no name.
pub const fn type_tag(name: &[u8]) -> u32 {
    // FNV-1a, folded.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < name.len() {
        hash = (hash ^ name[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    let folded = (hash ^ hash >> 24 ^ hash >> 48) as u32 & 0xff_ffff;
    if name.is_empty() || folded == 0 { folded & 1 } else { folded }
}

/// The tag of blocks that hold texts.
pub const TEXT_TAG: u32 = type_tag(b"str");

/// Bytes of the state of a thread, which ends where `fs` points to. It begins with the free list of each class, by number.
pub const THREAD_SIZE: usize = 2048;
/// Symbol of that state.
pub const THREAD_SYMBOL: &str = "ori_thread";

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

/// What happens to a block, in programs that watch their memory (`RuntimeCall::MemEvent`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MemEvent {
    /// It is fresh.
    Alloc,
    /// The runtime gave it; it may be another share of one that is known.
    Given,
    /// It gets a holder more.
    Dup,
    /// It gets a holder fewer.
    Drop,
    /// It gets a holder fewer, and is free when that was the last.
    Release,
    /// It is free.
    Free,
    /// It is looked whether it has one holder.
    Test,
    /// Another cell is made in its room.
    Reuse,
}

impl MemEvent {
    /// All of them, by number.
    pub const ALL: [MemEvent; 8] = [
        MemEvent::Alloc,
        MemEvent::Given,
        MemEvent::Dup,
        MemEvent::Drop,
        MemEvent::Release,
        MemEvent::Free,
        MemEvent::Test,
        MemEvent::Reuse,
    ];
}
