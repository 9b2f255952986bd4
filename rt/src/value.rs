//! `str` and list values as compiled code holds them (`abi::layout`).
#![allow(unsafe_code)] // raw memory shared with compiled code

use abi::layout::{STR_INLINE_MAX, STR_INLINE_TAG, STR_TAG_OFFSET};

use crate::heap;

/// A `str` value: 24 bytes, inline or pointer, length, capacity.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    words: [u64; 3],
}

/// A list value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct List {
    /// First element.
    pub pointer: *const Str,
    /// Number of elements.
    pub length: u64,
    /// Elements there is room for; 0 when nobody owns them.
    pub capacity: u64,
}

const _: () = assert!(size_of::<Str>() == abi::layout::STR_SIZE && size_of::<List>() == abi::layout::LIST_SIZE);

impl Str {
    /// The bytes of the text.
    pub fn bytes(&self) -> &[u8] {
        let tag = (self.words[2] >> 56) as u8;
        let inline = tag & STR_INLINE_TAG != 0;
        let (pointer, length) = if inline {
            ((&raw const self.words).cast::<u8>(), usize::from(tag & !STR_INLINE_TAG).min(STR_INLINE_MAX))
        } else {
            (self.words[0] as *const u8, self.words[1] as usize)
        };
        // SAFETY: compiled code passes well-formed values: inline bytes lie in the value itself, others are `length` bytes at `pointer`.
        unsafe { core::slice::from_raw_parts(pointer, length) }
    }

    /// A value for text that outlives the process' use of it; long text is not copied.
    pub fn of_static(text: &'static [u8]) -> Str {
        match Str::inline(text) {
            Some(value) => value,
            None => Str { words: [text.as_ptr() as u64, text.len() as u64, 0] },
        }
    }

    /// A value with a copy of the text.
    pub fn of(text: &[u8]) -> Str {
        Builder::concat(text, &[])
    }

    fn inline(text: &[u8]) -> Option<Str> {
        abi::layout::inline_str(text).map(|words| Str { words })
    }
}

/// From this length on a text that grows at its end gets room to go on.
const OPEN_TEXT: usize = 4096;

/// A text under construction, inline until it is too long for that.
pub struct Builder {
    inline: [u8; STR_TAG_OFFSET],
    pointer: *mut u8,
    length: usize,
    capacity: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { inline: [0; STR_TAG_OFFSET], pointer: core::ptr::null_mut(), length: 0, capacity: STR_INLINE_MAX }
    }
}

impl Builder {
    /// The text of `a` followed by `b`.
    pub fn concat(a: &[u8], b: &[u8]) -> Str {
        let total = a.len() + b.len();
        // Only a text on the heap can end where the heap goes on.
        if total > STR_INLINE_MAX
            && let Some(place) = heap::extend(a.as_ptr_range().end as usize, b.len())
        {
            // SAFETY: the heap gave the bytes behind `a` to nobody else.
            unsafe { core::ptr::copy_nonoverlapping(b.as_ptr(), place, b.len()) };
            return Str { words: [a.as_ptr() as u64, total as u64, total as u64] };
        }
        let mut builder = Builder::default();
        if total >= OPEN_TEXT && a.len() >= b.len() {
            // A long text that something is appended to will hardly be the last: let it grow.
            builder.pointer = heap::open(total);
            builder.capacity = total;
        }
        builder.reserve(total);
        builder.push(a);
        builder.push(b);
        builder.finish()
    }

    /// The text that `write` sends to its sink.
    pub fn collect(write: impl FnOnce(pure::Sink)) -> Str {
        let mut builder = Builder::default();
        write(&mut |piece| builder.push(piece));
        builder.finish()
    }

    fn reserve(&mut self, total: usize) {
        if total <= self.capacity {
            return;
        }
        let capacity = total.max(self.capacity.saturating_mul(2));
        let fresh = heap::allocate(capacity);
        let old = if self.pointer.is_null() { self.inline.as_ptr() } else { self.pointer.cast_const() };
        // SAFETY: `length` bytes are initialised at `old`, and `capacity` bytes at `fresh` belong to nobody else.
        unsafe { core::ptr::copy_nonoverlapping(old, fresh, self.length) };
        self.pointer = fresh;
        self.capacity = capacity;
    }

    fn push(&mut self, piece: &[u8]) {
        self.reserve(self.length + piece.len());
        let start = if self.pointer.is_null() { self.inline.as_mut_ptr() } else { self.pointer };
        // SAFETY: `reserve` made room for `piece` behind the first `length` bytes; `piece` is not part of a text under construction.
        unsafe { core::ptr::copy_nonoverlapping(piece.as_ptr(), start.add(self.length), piece.len()) };
        self.length += piece.len();
    }

    fn finish(self) -> Str {
        if self.pointer.is_null() {
            let mut bytes = [0; abi::layout::STR_SIZE];
            for (slot, byte) in bytes.iter_mut().zip(&self.inline[..self.length.min(STR_INLINE_MAX)]) {
                *slot = *byte;
            }
            bytes[STR_TAG_OFFSET] = STR_INLINE_TAG | self.length as u8;
            // SAFETY: any 24 bytes are three words.
            return Str { words: unsafe { core::mem::transmute::<[u8; 24], [u64; 3]>(bytes) } };
        }
        heap::shrink(self.pointer, self.capacity, self.length);
        Str { words: [self.pointer as u64, self.length as u64, self.length as u64] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_inline_up_to_23_bytes() {
        for length in [0, 1, 7, 8, 22, 23, 24, 25, 1000] {
            let text: Vec<u8> = (0..length).map(|i| b'a' + (i % 26) as u8).collect();
            let value = Str::of(&text);
            assert_eq!(value.bytes(), text);
            assert_eq!(value.words[2] >> 63 == 1, length <= 23, "{length}");
        }
    }

    #[test]
    fn appending_does_not_copy_the_text_each_time() {
        let mut versions = vec![Str::of(b"a text that is too long to be inline")];
        let mut copies = 0;
        for i in 0..20_000u32 {
            let last = versions[versions.len() - 1];
            // Something comes between now and then.
            if i % 1000 == 0 {
                Str::of(&[b'-'; 50]);
            }
            let next = Builder::concat(last.bytes(), &[b'a' + (i % 26) as u8]);
            copies += usize::from(next.bytes().as_ptr() != last.bytes().as_ptr());
            versions.push(next);
        }
        assert!(copies < 100, "{copies} copies");
        for (i, version) in versions.iter().enumerate().step_by(777) {
            assert_eq!(version.bytes().len(), 36 + i);
            assert!(versions[20_000].bytes().starts_with(version.bytes()));
        }
        let all = versions[20_000].bytes();
        assert!((0..20_000).all(|i| all[36 + i] == b'a' + (i % 26) as u8));
    }

    #[test]
    fn two_texts_that_grow_from_one_stem_stay_apart() {
        let stem = Str::of(b"a stem that is too long to be inline");
        let one = Builder::concat(stem.bytes(), b" and one");
        let two = Builder::concat(stem.bytes(), b" and two");
        assert!(one.bytes().ends_with(b"inline and one") && two.bytes().ends_with(b"inline and two"));
        assert_eq!(Builder::concat(two.bytes(), two.bytes()).bytes(), [two.bytes(), two.bytes()].concat());
    }

    #[test]
    fn a_text_grows_out_of_its_value_piece_by_piece() {
        let value = Builder::collect(|out| {
            for _ in 0..100 {
                out(b"0123456789");
            }
        });
        assert_eq!(value.bytes(), "0123456789".repeat(100).as_bytes());
        assert_eq!(Builder::concat(b"0123456789ab", b"0123456789a").bytes(), b"0123456789ab0123456789a");
    }
}
