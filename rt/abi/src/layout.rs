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
