//! Fingerprints: 128 bits that stand for a value.
//!
//! Two values with equal fingerprints are taken to be equal (a session of 10^9 values meets a collision with odds of about 1.5e-21). A fingerprint is the same in every
//! session, process and machine, so the hasher has a fixed public key and integers enter it with a fixed width and byte order. What leaves the
//! machine is named by BLAKE3 instead: SipHash with a known key resists accidents, not attackers.

use std::fmt;
use std::hash::{Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

/// A 128-bit fingerprint. `Debug` is 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fp(pub u64, pub u64);

impl Fp {
    /// The fingerprint of nothing: what a row without a value carries. No hash is expected to meet it.
    pub const NONE: Fp = Fp(0, 0);

    /// The fingerprint of a value through its `Hash`, which must not depend on addresses, interner numbers or hash order.
    pub fn of<T: Hash + ?Sized>(value: &T) -> Fp {
        let mut hasher = StableHasher::new();
        value.hash(&mut hasher);
        hasher.finish128()
    }

    /// The fingerprint of plain bytes, without a length prefix.
    pub fn of_bytes(bytes: &[u8]) -> Fp {
        let mut hasher = StableHasher::new();
        hasher.write(bytes);
        hasher.finish128()
    }

    /// This fingerprint and another, in this order, as one.
    #[must_use]
    pub fn then(self, next: Fp) -> Fp {
        let mut hasher = StableHasher::new();
        hasher.write_u64(self.0);
        hasher.write_u64(self.1);
        hasher.write_u64(next.0);
        hasher.write_u64(next.1);
        hasher.finish128()
    }

    /// Sixteen bytes, little-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..].copy_from_slice(&self.1.to_le_bytes());
        bytes
    }

    /// The inverse of [`Fp::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Fp {
        let (low, high) = bytes.split_at(8);
        let half = |half: &[u8]| half.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Fp(half(low), half(high))
    }
}

impl fmt::Debug for Fp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0, self.1)
    }
}

impl fmt::Display for Fp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

const BUFFER: usize = 256;

/// SipHash-1-3-128 with a fixed public key, through the standard `Hasher`: integers enter little-endian at their width, so a fingerprint does not
/// depend on the machine. Lengths and discriminants, which are nearly always small, enter as one byte when they are.
///
/// What is hashed comes in pieces of a few bytes: they are gathered first, for the cipher is quick with long stretches alone.
#[derive(Clone)]
pub struct StableHasher {
    sip: SipHasher13,
    buffer: [u8; BUFFER],
    len: usize,
}

impl StableHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> StableHasher {
        // The key is public and never changes: "ori fing" "erprints" in ASCII.
        StableHasher { sip: SipHasher13::new_with_keys(0x676e_6966_2069_726f, 0x7374_6e69_7270_7265), buffer: [0; BUFFER], len: 0 }
    }

    /// The fingerprint of all that was written.
    pub fn finish128(&self) -> Fp {
        let mut sip = self.sip;
        sip.write(&self.buffer[..self.len]);
        let hash = sip.finish128();
        Fp(hash.h1, hash.h2)
    }

    #[inline(always)]
    fn short<const N: usize>(&mut self, bytes: [u8; N]) {
        if self.len + N > BUFFER {
            self.flush();
        }
        self.buffer[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    /// The discriminants of all enums come here: the usual case is worth the room in each caller.
    #[inline(always)]
    fn small(&mut self, number: u64) {
        if number < u64::from(u8::MAX) { self.short([number as u8]) } else { self.large(number) }
    }

    #[cold]
    fn large(&mut self, number: u64) {
        self.short([u8::MAX]);
        self.short(number.to_le_bytes());
    }

    #[cold]
    fn flush(&mut self) {
        self.sip.write(&self.buffer[..self.len]);
        self.len = 0;
    }
}

impl Default for StableHasher {
    fn default() -> Self {
        StableHasher::new()
    }
}

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.finish128().0
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.len + bytes.len() <= BUFFER {
            self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
            self.len += bytes.len();
        } else {
            self.flush();
            self.sip.write(bytes);
        }
    }

    #[inline]
    fn write_u8(&mut self, i: u8) {
        self.short([i]);
    }

    #[inline]
    fn write_u16(&mut self, i: u16) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_u32(&mut self, i: u32) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_u64(&mut self, i: u64) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_u128(&mut self, i: u128) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_usize(&mut self, i: usize) {
        self.small(i as u64);
    }

    #[inline]
    fn write_i8(&mut self, i: i8) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_i16(&mut self, i: i16) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_i32(&mut self, i: i32) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_i64(&mut self, i: i64) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_i128(&mut self, i: i128) {
        self.short(i.to_le_bytes());
    }

    #[inline]
    fn write_isize(&mut self, i: isize) {
        self.small(i as u64);
    }
}

#[cfg(test)]
mod tests;
