//! `str` and list values as compiled code holds them (`abi::layout`).
#![allow(unsafe_code)] // raw memory shared with compiled code

use abi::layout::{STR_INLINE_MAX, STR_INLINE_TAG, STR_TAG_OFFSET, TEXT_START, TEXT_TAG, TEXT_USED};

use crate::heap;

/// A `str` value: 24 bytes, inline or pointer, length, owner.
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
    /// The cell that holds them; null when nobody owns them.
    pub buffer: *mut u8,
}

const _: () = assert!(size_of::<Str>() == abi::layout::STR_SIZE && size_of::<List>() == abi::layout::LIST_SIZE);

impl Str {
    /// The text without bytes.
    pub const EMPTY: Str = Str { words: [0, 0, (STR_INLINE_TAG as u64) << 56] };

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

    /// A text that lies in its value: the words of it, with zeros behind it and its length in the last byte.
    pub fn inline_words(&self) -> Option<[u64; 3]> {
        let [first, second, third] = self.words;
        ((third as i64) < 0).then_some([first, second, third & !((STR_INLINE_TAG as u64) << 56)])
    }

    /// A value for text that outlives the process' use of it; long text is not copied.
    pub fn of_static(text: &'static [u8]) -> Str {
        if text.len() <= STR_INLINE_MAX { Str::of(text) } else { Str { words: [text.as_ptr() as u64, text.len() as u64, 0] } }
    }

    /// A value with a copy of the text.
    #[inline(never)]
    pub fn of(text: &[u8]) -> Str {
        Str::inline(text).unwrap_or_else(|| Builder::collect(|out| out(text)))
    }

    /// Part of a text, with a share of its block; or a copy, where the part is small.
    pub fn view(&self, range: core::ops::Range<usize>) -> Str {
        let part = self.bytes().get(range).unwrap_or(&[]);
        if part.len() <= STR_INLINE_MAX {
            return Str::of(part);
        }
        if let Some(block) = self.owner() {
            // SAFETY: the caller lends the text, so its block is in use.
            let room = unsafe { heap::room(block) };
            if room > LARGE_BLOCK && part.len() < room / 8 {
                // It must not keep the whole block alive.
                return Str::of(part);
            }
            // SAFETY: as above.
            unsafe { heap::retain(block) };
        }
        Str { words: [part.as_ptr() as u64, part.len() as u64, self.words[2]] }
    }

    // Where it is called the words stay in registers: to write them and read them as something wider at once is slow.
    #[inline(always)]
    fn inline(text: &[u8]) -> Option<Str> {
        if text.len() > STR_INLINE_MAX {
            return None;
        }
        let (start, bytes) = (text.as_ptr(), text.len());
        // SAFETY: the parts are those of the text.
        let [first, second, third] = unsafe {
            [
                word(start, bytes.min(8)),
                if bytes > 8 { word(start.add(8), (bytes - 8).min(8)) } else { 0 },
                if bytes > 16 { word(start.add(16), bytes - 16) } else { 0 },
            ]
        };
        Some(Str { words: [first, second, third | u64::from(STR_INLINE_TAG | bytes as u8) << (8 * (STR_TAG_OFFSET - 16))] })
    }
}

/// Up to eight bytes as a word with zeros behind them. A call that copies so few costs more than they do.
///
/// # Safety
/// There must be so many bytes, at most eight.
#[inline(always)]
unsafe fn word(from: *const u8, bytes: usize) -> u64 {
    // SAFETY: every byte that is read is one of them; some are read twice.
    unsafe {
        match bytes {
            8.. => from.cast::<u64>().read_unaligned(),
            4..8 => {
                let (low, high) = (from.cast::<u32>().read_unaligned(), from.add(bytes - 4).cast::<u32>().read_unaligned());
                u64::from(low) | u64::from(high) << (8 * (bytes - 4))
            }
            1..4 => {
                let byte = |at: usize| u64::from(from.add(at).read()) << (8 * at);
                byte(0) | byte(bytes / 2) | byte(bytes - 1)
            }
            0 => 0,
        }
    }
}

/// As `copy_nonoverlapping`, without a call where they are few.
///
/// # Safety
/// As for that.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: every byte that is read and written is one of them; some are written twice, with the same.
    unsafe {
        match bytes {
            17.. => core::ptr::copy_nonoverlapping(from, to, bytes),
            8..17 => {
                let last = from.add(bytes - 8).cast::<u64>().read_unaligned();
                to.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned());
                to.add(bytes - 8).cast::<u64>().write_unaligned(last);
            }
            4..8 => {
                let last = from.add(bytes - 4).cast::<u32>().read_unaligned();
                to.cast::<u32>().write_unaligned(from.cast::<u32>().read_unaligned());
                to.add(bytes - 4).cast::<u32>().write_unaligned(last);
            }
            1..4 => {
                let (middle, last) = (from.add(bytes / 2).read(), from.add(bytes - 1).read());
                to.write(from.read());
                to.add(bytes / 2).write(middle);
                to.add(bytes - 1).write(last);
            }
            0 => {}
        }
    }
}

impl Str {
    /// The block in which a text has a share.
    fn owner(&self) -> Option<*mut u8> {
        let owner = self.words[2];
        (owner as i64 > 0).then_some(owner as *mut u8)
    }

    /// The text as one that nobody owns and that lives until exit.
    pub fn lasting(mut self) -> Str {
        if let Some(block) = self.owner() {
            // SAFETY: the block is the text's.
            unsafe { heap::make_immortal(block) };
            self.words[2] = 0;
        }
        self
    }

    /// Takes one more share of what the text owns.
    ///
    /// # Safety
    /// The text must be alive.
    pub unsafe fn retain(&self) {
        if let Some(block) = self.owner() {
            // SAFETY: a text that is alive has a share of its block.
            unsafe { heap::retain(block) };
        }
    }

    /// Gives up the share that the text has in its block.
    ///
    /// # Safety
    /// The text must not be used any more.
    pub unsafe fn release(&self) {
        if let Some(block) = self.owner() {
            // SAFETY: a text that is alive has a share of its block.
            unsafe { heap::release(block) };
        }
    }
}

const LARGE_BLOCK: usize = abi::layout::LARGE_BLOCK as usize;

/// A text under construction, inline until it is too long for that.
pub struct Builder {
    inline: [u8; STR_TAG_OFFSET],
    /// Null while the text is inline.
    block: *mut u8,
    length: usize,
    capacity: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { inline: [0; STR_TAG_OFFSET], block: core::ptr::null_mut(), length: 0, capacity: STR_INLINE_MAX }
    }
}

impl Builder {
    /// The text of `a` followed by `b`. When nothing was written behind `a` in its block yet and there is room, `b` goes there, and the result has a share
    /// of that block: building a text piece by piece costs its length, not the square of it, whoever else holds the pieces.
    pub fn concat(a: &Str, b: &Str) -> Str {
        let (left, right) = (a.bytes(), b.bytes());
        let total = left.len() + right.len();
        if right.is_empty() || left.is_empty() {
            let whole = if right.is_empty() { a } else { b };
            // SAFETY: the caller lends both texts.
            unsafe { whole.retain() };
            return *whole;
        }
        if let Some(block) = a.owner()
            // SAFETY: the caller lends the text, so its block is in use, and a text stands in its block.
            && let Some(place) = unsafe { extend(block, left, right.len()) }
        {
            // SAFETY: `extend` gave the bytes behind `a` to nobody else.
            unsafe {
                copy(right.as_ptr(), place, right.len());
                heap::retain(block);
            }
            return Str { words: [a.words[0], total as u64, block as u64] };
        }
        let mut builder = Builder::default();
        // A text that something was appended to before will hardly stay as it is.
        builder.reserve(if a.owner().is_some() { total.saturating_add(left.len()) } else { total });
        builder.push(left);
        builder.push(right);
        builder.finish()
    }

    /// So many copies of a text in a row.
    pub fn repeat(text: &[u8], count: usize) -> Str {
        let mut builder = Builder::default();
        builder.reserve(text.len().saturating_mul(count));
        if !text.is_empty() {
            for _ in 0..count {
                builder.push(text);
            }
        }
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
        let fresh = heap::allocate(capacity.saturating_add(TEXT_START), TEXT_TAG);
        // SAFETY: `length` bytes are initialised at the start, and the fresh block belongs to nobody else.
        unsafe {
            core::ptr::copy_nonoverlapping(self.start(), fresh.add(TEXT_START), self.length);
            if !self.block.is_null() {
                heap::free(self.block);
            }
            self.capacity = heap::room(fresh) - TEXT_START;
        }
        self.block = fresh;
    }

    fn start(&mut self) -> *mut u8 {
        // SAFETY: the bytes of a text stand in its block.
        if self.block.is_null() { self.inline.as_mut_ptr() } else { unsafe { self.block.add(TEXT_START) } }
    }

    fn push(&mut self, piece: &[u8]) {
        self.reserve(self.length + piece.len());
        // SAFETY: `reserve` made room for `piece` behind the first `length` bytes; `piece` is not part of a text under construction.
        unsafe { core::ptr::copy_nonoverlapping(piece.as_ptr(), self.start().add(self.length), piece.len()) };
        self.length += piece.len();
    }

    fn finish(mut self) -> Str {
        // SAFETY: so many bytes are initialised.
        let text = unsafe { core::slice::from_raw_parts(self.start(), self.length) };
        if self.length <= STR_INLINE_MAX {
            let short = Str::of(text);
            if !self.block.is_null() {
                // SAFETY: the block is nobody else's, and the text has been copied.
                unsafe { heap::free(self.block) };
            }
            return short;
        }
        // SAFETY: the block begins with the bytes in use.
        unsafe { self.block.add(TEXT_USED).cast::<u64>().write(self.length as u64) };
        Str { words: [self.start() as u64, self.length as u64, self.block as u64] }
    }
}

/// Room for `more` bytes behind a text, which is marked as used; `None` when something stands there, or the block ends.
///
/// # Safety
/// The block must be in use, and the text stand in it.
unsafe fn extend(block: *mut u8, text: &[u8], more: usize) -> Option<*mut u8> {
    // SAFETY: the caller's promise.
    unsafe {
        let used = block.add(TEXT_USED).cast::<u64>();
        let start = block.add(TEXT_START);
        let end = text.as_ptr_range().end as usize - start as usize;
        if end as u64 != *used || more > heap::room(block) - TEXT_START - end {
            return None;
        }
        *used += more as u64;
        // The place comes from the block's own address. One made of the text's would count as part of the text, which is borrowed for reading: the
        // compiler may drop writes through it, and did.
        Some(start.add(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_inline_up_to_23_bytes() {
        for length in (0..=40).chain([1000]) {
            let text: Vec<u8> = (0..length).map(|i| b'a' + (i % 26) as u8).collect();
            let value = Str::of(&text);
            assert_eq!(value.bytes(), text);
            assert_eq!(value.words[2] >> 63 == 1, length <= 23, "{length}");
            if let Some(words) = value.inline_words() {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert!(
                    bytes[..length] == text && bytes[length..23].iter().all(|&byte| byte == 0) && bytes[23] == length as u8,
                    "{length}"
                );
            }
            // Behind another text, in its block and in a new one.
            let left = Str::of(&[b'-'; 30]);
            let once = Builder::concat(&left, &value);
            let twice = Builder::concat(&once, &value);
            assert_eq!(once.bytes(), [&[b'-'; 30][..], &text].concat());
            assert_eq!(twice.bytes(), [&[b'-'; 30][..], &text, &text].concat());
            // SAFETY: each is alive, and this is its last use.
            unsafe { [value, left, once, twice].iter().for_each(|text| text.release()) };
        }
    }

    #[test]
    fn a_view_shares_the_block_unless_it_is_a_small_part_of_a_large_one() {
        let bytes: Vec<u8> = (0..20_000u32).map(|i| b'a' + (i % 26) as u8).collect();
        for (length, start, end, shares) in [
            (100, 10, 90, true),
            (100, 10, 20, false),
            (100, 0, 100, true),
            (20_000, 5_000, 10_000, true),
            (20_000, 5_000, 6_000, false),
            (3_000, 100, 130, true),
        ] {
            let whole = Str::of(&bytes[..length]);
            let part = whole.view(start..end);
            assert_eq!(part.bytes(), &bytes[start..end]);
            assert_eq!(part.bytes().as_ptr() == whole.bytes()[start..].as_ptr(), shares, "{start}..{end} of {length}");
            // SAFETY: both are alive, and this is their last use.
            unsafe {
                whole.release();
                assert_eq!(part.bytes(), &bytes[start..end]);
                part.release();
            }
        }
        let constant = Str::of_static(b"a text that lives in static memory");
        assert_eq!(constant.view(2..30).bytes().as_ptr(), constant.bytes()[2..].as_ptr());
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
            let next = Builder::concat(&last, &Str::of(&[b'a' + (i % 26) as u8]));
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
        let one = Builder::concat(&stem, &Str::of(b" and one"));
        let two = Builder::concat(&stem, &Str::of(b" and two"));
        assert!(one.bytes().ends_with(b"inline and one") && two.bytes().ends_with(b"inline and two"));
        assert_eq!(Builder::concat(&two, &two).bytes(), [two.bytes(), two.bytes()].concat());
    }

    #[test]
    fn a_text_grows_out_of_its_value_piece_by_piece() {
        let value = Builder::collect(|out| {
            for _ in 0..100 {
                out(b"0123456789");
            }
        });
        assert_eq!(value.bytes(), "0123456789".repeat(100).as_bytes());
        assert_eq!(Builder::concat(&Str::of(b"0123456789ab"), &Str::of(b"0123456789a")).bytes(), b"0123456789ab0123456789a");
    }
}
