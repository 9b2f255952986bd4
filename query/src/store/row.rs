//! A row on disk: one cache line.
//!
//! | bytes  | field                                                                  |
//! |--------|------------------------------------------------------------------------|
//! | 0..2   | kind                                                                   |
//! | 2, 3   | flags, cost                                                            |
//! | 4..8   | changed at                                                             |
//! | 8..12  | verified at                                                            |
//! | 12..16 | place of the key's bytes in the blob file, in units of 8; 0 for none   |
//! | 16..20 | place of the value's bytes, likewise                                   |
//! | 20..24 | where its dependencies start; they end where the next row's start      |
//! | 24..28 | where its dependents start (base); likewise                            |
//! | 28..32 | 1 + where its superseded states are; 0 for none                        |
//! | 32..48 | fingerprint of the key                                                 |
//! | 48..64 | fingerprint of the value                                               |
//!
//! Rows instead of one column a field: looking at a node costs one line and one page check instead of ten, and the store reads nodes, never columns.

use crate::fingerprint::Fp;

/// Bytes of a row.
pub(crate) const ROW: usize = 64;

/// A kind that no query has: a number without a node.
pub(crate) const NO_KIND: u16 = u16::MAX;

/// A row in place.
#[derive(Clone, Copy)]
pub(crate) struct RawRow<'a>(pub &'a [u8; ROW]);

impl RawRow<'_> {
    #[inline]
    fn word(self, index: usize) -> u32 {
        u32::from_le_bytes(self.0.as_chunks::<4>().0[index])
    }

    #[inline]
    fn fp(self, index: usize) -> Fp {
        Fp::from_bytes(self.0.as_chunks::<16>().0[index])
    }

    pub fn kind(self) -> u16 {
        self.word(0) as u16
    }

    pub fn flags(self) -> u8 {
        self.0[2]
    }

    pub fn cost(self) -> u8 {
        self.0[3]
    }

    pub fn changed_at(self) -> u32 {
        self.word(1)
    }

    pub fn verified_at(self) -> u32 {
        self.word(2)
    }

    pub fn key_at(self) -> u32 {
        self.word(3)
    }

    pub fn value_at(self) -> u32 {
        self.word(4)
    }

    pub fn deps_start(self) -> u32 {
        self.word(5)
    }

    pub fn dependents_start(self) -> u32 {
        self.word(6)
    }

    pub fn trace(self) -> u32 {
        self.word(7)
    }

    pub fn key(self) -> Fp {
        self.fp(2)
    }

    pub fn value(self) -> Fp {
        self.fp(3)
    }
}

/// The same, being written.
#[derive(Clone, Copy)]
pub(crate) struct PackedRow {
    pub kind: u16,
    pub flags: u8,
    pub cost: u8,
    pub changed_at: u32,
    pub verified_at: u32,
    pub key_at: u32,
    pub value_at: u32,
    pub key: Fp,
    pub value: Fp,
}

impl PackedRow {
    /// What stands for a number without a node.
    pub const EMPTY: PackedRow = PackedRow {
        kind: NO_KIND,
        flags: 0,
        cost: 0,
        changed_at: 0,
        verified_at: 0,
        key_at: 0,
        value_at: 0,
        key: Fp::NONE,
        value: Fp::NONE,
    };

    pub fn of(raw: RawRow<'_>) -> PackedRow {
        PackedRow {
            kind: raw.kind(),
            flags: raw.flags(),
            cost: raw.cost(),
            changed_at: raw.changed_at(),
            verified_at: raw.verified_at(),
            key_at: raw.key_at(),
            value_at: raw.value_at(),
            key: raw.key(),
            value: raw.value(),
        }
    }

    /// The row as bytes. Its dependents are not known before all rows are, so they are put in later.
    pub fn encode(&self, deps_start: u32, trace: u32) -> [u8; ROW] {
        let mut out = [0; ROW];
        let words = [
            u32::from(self.kind) | u32::from(self.flags) << 16 | u32::from(self.cost) << 24,
            self.changed_at,
            self.verified_at,
            self.key_at,
            self.value_at,
            deps_start,
            0,
            trace,
        ];
        for (to, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        out[32..48].copy_from_slice(&self.key.to_bytes());
        out[48..].copy_from_slice(&self.value.to_bytes());
        out
    }
}

/// Puts the start of a row's dependents into its bytes.
pub(crate) fn set_dependents_start(row: &mut [u8; ROW], start: u32) {
    row.as_chunks_mut::<4>().0[6] = start.to_le_bytes();
}
