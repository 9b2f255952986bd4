//! Hashes of texts for tables, with a seed of the process.
//!
//! The hash of the language is known to everybody, so texts from outside could be chosen to collide. The common hash folds 128-bit products of the text
//! and the seed (as wyhash and foldhash do): fast, and collisions cannot be computed without the seed. A negative seed asks for SipHash-1-3, which a
//! table turns to when its searches are long all the same.

/// Bytes of a text that is hashed as three words.
const SHORT: usize = 23;

/// The hash of a text by a seed.
pub fn hash(text: &[u8], seed: i64) -> i64 {
    if seed < 0 {
        sip(text, seed as u64) as i64
    } else if text.len() <= SHORT {
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(text.chunks(8)) {
            *word = self::word(bytes);
        }
        words[2] |= (text.len() as u64) << 56;
        of_words(words, seed)
    } else {
        folded(text, seed as u64) as i64
    }
}

/// The same for a text of up to 23 bytes and a seed that is not negative. The text comes as words, with zeros behind it, and its length in the last byte: whoever
/// has it so in registers, or has just stored it so, need not read it byte by byte.
#[inline(always)]
pub fn of_words([first, second, third]: [u64; 3], seed: i64) -> i64 {
    let (key, state) = (seed as u64 ^ PI[0], seed as u64 ^ PI[1]);
    fold(fold(first ^ key, second ^ state) ^ third, key ^ PI[2]) as i64
}

/// Digits of pi: nothing up the sleeve.
const PI: [u64; 3] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0];

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The word at an offset; 0 where the text ends before.
#[inline(always)]
fn word_at(text: &[u8], at: usize) -> u64 {
    text.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Of more than 16 bytes. Both factors of a product depend on the seed: nobody can make one of them 0.
#[inline(always)]
fn folded(text: &[u8], seed: u64) -> u64 {
    let (key, mut state) = (seed ^ PI[0], seed ^ PI[1]);
    let length = text.len();
    let mut at = 0;
    while length - at > 16 {
        state = fold(word_at(text, at) ^ key, word_at(text, at + 8) ^ state);
        at += 16;
    }
    // The last 16 bytes, some of them twice.
    let (first, second) = (word_at(text, length - 16), word_at(text, length - 8));
    fold(fold(first ^ key, second ^ state) ^ length as u64, key ^ PI[2])
}

/// Up to eight bytes as a little-endian word.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (slot, byte) in word.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    u64::from_le_bytes(word)
}

fn sip(text: &[u8], key: u64) -> u64 {
    let (first, second) = (key, fold(key ^ PI[0], PI[1]));
    let mut state =
        [first ^ 0x736f_6d65_7073_6575, second ^ 0x646f_7261_6e64_6f6d, first ^ 0x6c79_6765_6e65_7261, second ^ 0x7465_6462_7974_6573];
    let mut blocks = text.chunks_exact(8);
    for block in &mut blocks {
        absorb(&mut state, word(block));
    }
    absorb(&mut state, word(blocks.remainder()) | (text.len() as u64) << 56);
    state[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut state);
    }
    state.iter().fold(0, |all, part| all ^ part)
}

fn absorb(state: &mut [u64; 4], block: u64) {
    state[3] ^= block;
    round(state);
    state[0] ^= block;
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::collections::HashSet;
    use std::format;
    use std::hash::Hasher;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_strong_hash_is_siphash_1_3() {
        for length in 0..40usize {
            let text: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            let key = (-1234567i64) as u64;
            let mut known = siphasher::sip::SipHasher13::new_with_keys(key, fold(key ^ PI[0], PI[1]));
            known.write(&text);
            assert_eq!(hash(&text, -1234567) as u64, known.finish(), "{length}");
        }
    }

    #[test]
    fn a_short_text_is_three_words_with_its_length() {
        let words = [u64::from_le_bytes(*b"a short "), u64::from_le_bytes(*b"text of\0"), 15 << 56];
        assert_eq!(hash(b"a short text of", 7), of_words(words, 7));
        let all: HashSet<i64> = (0..64).map(|length| hash(&[0; 64][..length], 7)).collect();
        assert_eq!(all.len(), 64, "texts of zeros have hashes of their own");
    }

    #[test]
    fn hashes_of_a_seed_are_spread_over_both_halves() {
        for seed in [0, 1, i64::MAX, -1, i64::MIN] {
            let hashes: Vec<i64> = (0..20_000).map(|i| hash(format!("key {i}").as_bytes(), seed)).collect();
            assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
            for shift in [0, 32] {
                let part: HashSet<i64> = hashes.iter().map(|hash| hash >> shift & 0xffff).collect();
                // Of 65,536 values about 17,200 are hit by 20,000 throws.
                assert!(part.len() > 16_800, "seed {seed}: {}", part.len());
            }
        }
        assert_ne!(hash(b"a", 1), hash(b"a", 2));
        assert_ne!(hash(b"a\0", 1), hash(b"a", 1));
    }
}
