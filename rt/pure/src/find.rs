//! Search and replacement.
//!
//! Two-way string matching (Crochemore and Perrin, 1991): the needle is cut at a *critical* place, where the local period is that of the whole needle. The
//! right part is compared first, from left to right; a mismatch there shifts past what was compared, a mismatch in the left part shifts by the period.
//! At most 2n comparisons, a few words of state, no table. A needle of one byte is a plain scan.

use crate::Sink;

/// Where the first match begins at or behind `from`; -1 when there is none. The empty text is everywhere.
pub fn find(text: &[u8], needle: &[u8], from: i64) -> i64 {
    let from = usize::try_from(from).unwrap_or(0);
    let Some(rest) = text.get(from..) else { return -1 };
    match Needle::new(needle).find(rest) {
        Some(at) => (from + at) as i64,
        None => -1,
    }
}

/// All matches of `old` that do not overlap, from the left, replaced by `new`. An empty `old` is nowhere.
pub fn replace(text: &[u8], old: &[u8], new: &[u8], out: Sink) {
    let mut rest = text;
    if !old.is_empty() {
        let needle = Needle::new(old);
        while let Some(at) = needle.find(rest) {
            let (before, matched) = rest.split_at(at);
            out(before);
            out(new);
            rest = matched.get(old.len()..).unwrap_or(&[]);
        }
    }
    out(rest);
}

/// A text to look for, with where it is cut.
struct Needle<'a> {
    bytes: &'a [u8],
    cut: usize,
    period: usize,
    /// Is the period that of the whole needle? Then what matched before a shift by it needs no second look.
    is_periodic: bool,
}

impl<'a> Needle<'a> {
    fn new(bytes: &'a [u8]) -> Needle<'a> {
        // The later of the maximal suffixes in both orders is a critical place.
        let (less, greater) = (maximal_suffix(bytes, false), maximal_suffix(bytes, true));
        let (cut, period) = if less.0 > greater.0 { less } else { greater };
        let is_periodic = bytes.get(period..period + cut).is_some_and(|again| bytes.starts_with(again));
        let period = if is_periodic { period } else { cut.max(bytes.len() - cut) + 1 };
        Needle { bytes, cut, period, is_periodic }
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match *self.bytes {
            [] => return Some(0),
            [only] => return text.iter().position(|&byte| byte == only),
            [..] => {}
        }
        let mut at = 0;
        // The first bytes of the needle that are known to match here.
        let mut known = 0;
        while let Some(window) = text.get(at..at + self.bytes.len()) {
            let same = |i: &usize| self.bytes[*i] == window[*i];
            if let Some(wrong) = (self.cut.max(known)..self.bytes.len()).find(|i| !same(i)) {
                at += wrong + 1 - self.cut;
                known = 0;
                continue;
            }
            if (known..self.cut).rev().all(|i| same(&i)) {
                return Some(at);
            }
            at += self.period;
            known = if self.is_periodic { self.bytes.len() - self.period } else { 0 };
        }
        None
    }
}

/// Where the suffix begins that is the last one in the order of bytes (or in the reverse order), and its period.
fn maximal_suffix(bytes: &[u8], reverse: bool) -> (usize, usize) {
    let (mut start, mut candidate, mut offset, mut period) = (0, 1, 0, 1);
    while let (Some(&new), Some(&old)) = (bytes.get(candidate + offset), bytes.get(start + offset)) {
        if new == old {
            if offset + 1 == period {
                candidate += period;
                offset = 0;
            } else {
                offset += 1;
            }
        } else if (new < old) != reverse {
            candidate += offset + 1;
            offset = 0;
            period = candidate - start;
        } else {
            start = candidate;
            (candidate, offset, period) = (start + 1, 0, 1);
        }
    }
    (start, period)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_short_text_is_found_where_the_standard_library_finds_it() {
        // All texts over two letters up to a length: every period and overlap is among them.
        let texts = |longest: usize| {
            (0..=longest).flat_map(|length| {
                (0..1u32 << length).map(move |bits| (0..length).map(|i| if bits >> i & 1 == 0 { 'a' } else { 'b' }).collect::<String>())
            })
        };
        let all: Vec<String> = texts(9).collect();
        for needle in texts(6) {
            for text in &all {
                let wanted = text.find(&needle).map_or(-1, |at| at as i64);
                assert_eq!(find(text.as_bytes(), needle.as_bytes(), 0), wanted, "{needle} in {text}");
            }
        }
    }

    #[test]
    fn a_search_goes_on_behind_a_match() {
        assert_eq!(find(b"abcabc", b"abc", 1), 3);
        assert_eq!(find(b"abcabc", b"abc", 4), -1);
        assert_eq!(find(b"abc", b"", 3), 3);
        assert_eq!((find(b"abc", b"", 4), find(b"abc", b"c", 9), find(b"", b"a", 0)), (-1, -1, -1));
    }

    #[test]
    fn replacement_is_that_of_the_standard_library() {
        let texts = ["", "a", "aa", "aaa", "banana", "a-b-c", "né né"];
        for text in texts {
            for old in ["a", "aa", "na", "-", "é", "x"] {
                for new in ["", "aa", "ü"] {
                    let mut found = Vec::new();
                    replace(text.as_bytes(), old.as_bytes(), new.as_bytes(), &mut |piece| found.extend_from_slice(piece));
                    assert_eq!(found, text.replace(old, new).as_bytes(), "{old} in {text}");
                }
            }
        }
        let mut found = Vec::new();
        replace(b"ab", b"", b"-", &mut |piece| found.extend_from_slice(piece));
        assert_eq!(found, b"ab");
    }
}
