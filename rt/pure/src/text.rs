//! Comparison, hash and repair of text.

use crate::Sink;

/// -1, 0 or 1 by code points, which is the order of the UTF-8 bytes.
pub fn compare(a: &[u8], b: &[u8]) -> i64 {
    a.cmp(b) as i64
}

/// FNV-1a 64 over the bytes (`language/08` §8.4).
pub fn hash(text: &[u8]) -> i64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) as i64
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
    fn invalid_bytes_are_replaced_as_the_standard_library_does() {
        for bytes in [&b"ok"[..], b"a\xffb", b"\xe2\x82", b"\xf0\x90\x80x", b"\xed\xa0\x80", b""] {
            let mut text = Vec::new();
            lossy(bytes, &mut |piece| text.extend_from_slice(piece));
            assert_eq!(text, std::string::String::from_utf8_lossy(bytes).as_bytes());
        }
    }
}
