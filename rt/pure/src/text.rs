//! Comparison and hash of text, positions in it, repair of what is no text.
//!
//! Texts are UTF-8. Positions are byte offsets; only [`offset`] and [`count`] know code points.

use core::ops::Range;

use crate::Sink;

/// -1, 0 or 1 by code points, which is the order of the UTF-8 bytes.
pub fn compare(a: &[u8], b: &[u8]) -> i64 {
    a.cmp(b) as i64
}

/// FNV-1a 64 over the bytes (`language/08` §8.4).
pub fn hash(text: &[u8]) -> i64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) as i64
}

/// Is this the first byte of a character?
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The character that begins at a byte offset; U+FFFD where none does.
pub fn char_at(text: &[u8], at: i64) -> char {
    let Some(&[first, ref rest @ ..]) = usize::try_from(at).ok().and_then(|at| text.get(at..)) else { return char::REPLACEMENT_CHARACTER };
    let (mut code, more) = match first {
        0..0x80 => return char::from(first),
        0xc0..0xe0 => (u32::from(first & 0x1f), 1),
        0xe0..0xf0 => (u32::from(first & 0x0f), 2),
        0xf0..=0xff => (u32::from(first & 0x07), 3),
        0x80..0xc0 => return char::REPLACEMENT_CHARACTER,
    };
    for position in 0..more {
        code = code << 6 | u32::from(rest.get(position).copied().unwrap_or(0) & 0x3f);
    }
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The character that ends at a byte offset; U+FFFD where none does.
pub fn char_before(text: &[u8], end: i64) -> char {
    let before = usize::try_from(end).ok().and_then(|end| text.get(..end)).unwrap_or(&[]);
    match before.iter().rposition(|&byte| begins_character(byte)) {
        Some(start) => char_at(before, start as i64),
        None => char::REPLACEMENT_CHARACTER,
    }
}

/// The byte at an offset; 0 behind the end.
pub fn byte_at(text: &[u8], at: i64) -> u8 {
    usize::try_from(at).ok().and_then(|at| text.get(at)).copied().unwrap_or(0)
}

/// Number of code points.
pub fn count(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| begins_character(byte)).count()
}

/// Byte offset of a code point by its index; -1 when there are not so many.
pub fn offset(text: &[u8], index: i64) -> i64 {
    let Ok(index) = usize::try_from(index) else { return -1 };
    let mut starts = text.iter().enumerate().filter(|(_, byte)| begins_character(**byte));
    starts.nth(index).map_or(-1, |(at, _)| at as i64)
}

/// Does a character begin or the text end at a byte offset?
pub fn is_boundary(text: &[u8], at: i64) -> bool {
    let Ok(at) = usize::try_from(at) else { return false };
    at == text.len() || text.get(at).is_some_and(|&byte| begins_character(byte))
}

/// Does `part` stand in the text at a byte offset?
pub fn has_at(text: &[u8], part: &[u8], at: i64) -> bool {
    usize::try_from(at).ok().and_then(|at| text.get(at..)).is_some_and(|rest| rest.starts_with(part))
}

/// What a view from `start` to `end` shows: callers check their bounds; what is none is moved into the text, and to the start of a character.
pub fn range(text: &[u8], start: i64, end: i64) -> Range<usize> {
    let boundary = |at: i64| {
        let at = usize::try_from(at).unwrap_or(0).min(text.len());
        (0..=at).rev().find(|&at| is_boundary(text, at as i64)).unwrap_or(0)
    };
    let (start, end) = (boundary(start), boundary(end));
    start..end.max(start)
}

/// `bytes` as UTF-8: each maximal invalid piece becomes U+FFFD.
pub fn lossy(bytes: &[u8], out: Sink) {
    for chunk in bytes.utf8_chunks() {
        out(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn comparison_is_by_code_points() {
        assert_eq!(compare(b"a", b"b"), -1);
        assert_eq!(compare(b"ab", b"a"), 1);
        assert_eq!(compare("\u{ffff}".as_bytes(), "\u{10000}".as_bytes()), -1);
        assert_eq!(compare(b"", b""), 0);
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b"") as u64, 0xcbf29ce484222325);
        assert_eq!(hash(b"a") as u64, 0xaf63dc4c8601ec8c);
        assert_eq!(hash(b"foobar") as u64, 0x85944171f73967e8);
    }

    #[test]
    fn positions_are_those_of_the_standard_library() {
        for text in ["", "a", "naïve", "né", "日本語", "a😀b", "😀"] {
            let bytes = text.as_bytes();
            assert_eq!(count(bytes), text.chars().count());
            for (index, (at, value)) in text.char_indices().enumerate() {
                assert_eq!(offset(bytes, index as i64), at as i64);
                assert_eq!(char_at(bytes, at as i64), value);
                assert_eq!(char_before(bytes, (at + value.len_utf8()) as i64), value);
            }
            assert_eq!((offset(bytes, count(bytes) as i64), offset(bytes, -1)), (-1, -1));
            for at in -1..=bytes.len() as i64 + 1 {
                assert_eq!(is_boundary(bytes, at), usize::try_from(at).is_ok_and(|at| text.is_char_boundary(at)), "{text} {at}");
                for end in -1..=bytes.len() as i64 + 1 {
                    assert!(text.get(range(bytes, at, end)).is_some(), "{text} {at} {end}");
                }
            }
        }
        assert_eq!((char_at(b"a", 1), char_at("é".as_bytes(), 1), char_before(b"a", 0)), ('\u{fffd}', '\u{fffd}', '\u{fffd}'));
        assert!(has_at(b"abc", b"bc", 1) && has_at(b"abc", b"", 3) && !has_at(b"abc", b"", 4) && !has_at(b"abc", b"bcd", 1));
    }

    #[test]
    fn invalid_bytes_are_replaced_as_the_standard_library_does() {
        for bytes in [&b"ok"[..], b"a\xffb", b"\xe2\x82", b"\xf0\x90\x80x", b"\xed\xa0\x80", b""] {
            let mut text = Vec::new();
            lossy(bytes, &mut |piece| text.extend_from_slice(piece));
            assert_eq!(text, std::string::String::from_utf8_lossy(bytes).as_bytes());
        }
    }
}
