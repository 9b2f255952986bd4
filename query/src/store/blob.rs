//! Bytes of keys and values: one append-only file.
//!
//! ```text
//! length 4 | owner 4 | checksum 8 | bytes, padded to a multiple of 8
//! ```
//!
//! The owner is the low half of the first word of the fingerprint that the bytes belong to; a row knows it without storing it. The checksum covers length,
//! owner, place and bytes. So a blob is only ever read as the value of the fingerprint it was written for, at the place where it was written, whatever
//! mixture of files a crash or a careless copy has left.
//!
//! Nothing that a published graph names is ever written over: blobs go behind the end of the file and behind the end that `HEAD` knows, whichever is
//! farther.

use std::sync::Arc;

use super::bytes::{Reader, checksum_with};
use crate::fingerprint::Fp;

/// Place of the bytes of a key or value. Only the store makes one; the engine keeps it and gives it back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlobAt {
    /// Serial of the blob file.
    pub(crate) segment: u32,
    /// In units of eight bytes; 0 is no place.
    pub(crate) unit: u32,
    /// Whose bytes these are.
    pub(crate) owner: u32,
}

impl BlobAt {
    /// No place.
    pub const NONE: BlobAt = BlobAt { segment: 0, unit: 0, owner: 0 };

    /// Is there no place?
    pub fn is_none(self) -> bool {
        self.unit == 0
    }

    pub(crate) fn new(segment: u32, unit: u32, owner: Fp) -> BlobAt {
        if unit == 0 { BlobAt::NONE } else { BlobAt { segment, unit, owner: owner_of(owner) } }
    }
}

/// Bytes before the bytes.
pub(crate) const BLOB_HEADER: usize = 16;

/// The first blob of a file lies here, so that no blob has place 0.
pub(crate) const BLOB_START: u64 = 64;

/// Start of a blob file.
pub(crate) const BLOB_MAGIC: [u8; 8] = *b"ORI-BLOB";

pub(crate) fn owner_of(fp: Fp) -> u32 {
    fp.0 as u32
}

fn sum(unit: u32, len: u32, owner: u32, bytes: &[u8]) -> u64 {
    // Length and owner enter through the seed, by an odd multiplication each, so no two of them meet by accident.
    let seed =
        (u64::from(len) << 32 | u64::from(owner)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(unit).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    checksum_with(seed, bytes)
}

/// The bytes of a blob, when they are what was written there for this owner.
pub(crate) fn read(file: &[u8], at: BlobAt) -> Option<&[u8]> {
    let from = usize::try_from(u64::from(at.unit) * 8).ok()?;
    let mut header = Reader(file.get(from..)?);
    let (len, owner, expected) = (header.u32()?, header.u32()?, header.u64()?);
    let bytes = header.0.get(..len as usize)?;
    (owner == at.owner && sum(at.unit, len, owner, bytes) == expected).then_some(bytes)
}

/// How many bytes of the file the blob takes, as its header says.
pub(crate) fn size(bytes: &[u8]) -> u64 {
    (BLOB_HEADER + bytes.len()).next_multiple_of(8) as u64
}

/// Puts the length of a blob into its header; false when it is too long. `blob` is where the header begins, and ends where the blob ends.
pub(crate) fn set_len(blob: &mut [u8]) -> bool {
    let Ok(len) = u32::try_from(blob.len() - BLOB_HEADER) else { return false };
    blob[..4].copy_from_slice(&len.to_le_bytes());
    true
}

/// Completes the header of a blob, whose length is in it, for the place where it will lie. Beyond the last place nothing is ever read.
pub(crate) fn seal(blob: &mut [u8], at: u64, owner: Fp) {
    let Ok(unit) = u32::try_from(at / 8) else { return };
    let Some(len) = Reader(blob).u32() else { return };
    let owner = owner_of(owner);
    let sum = sum(unit, len, owner, &blob[BLOB_HEADER..BLOB_HEADER + len as usize]);
    blob[4..8].copy_from_slice(&owner.to_le_bytes());
    blob[8..16].copy_from_slice(&sum.to_le_bytes());
}

/// Blobs about to be appended at a place of the file.
pub(crate) struct Appender {
    start: u64,
    len: u64,
    pieces: Vec<Arc<Vec<u8>>>,
}

impl Appender {
    /// Blobs that will begin at this place or the next possible one.
    pub fn at(end: u64) -> Appender {
        if end < BLOB_START {
            // A new file; what was there, if anything, was not even its first line.
            let mut bytes = BLOB_MAGIC.to_vec();
            bytes.resize(BLOB_START as usize, 0);
            return Appender { start: 0, len: BLOB_START, pieces: vec![Arc::new(bytes)] };
        }
        Appender { start: end.next_multiple_of(8), len: 0, pieces: Vec::new() }
    }

    /// Nothing, in a file that ends here.
    pub fn nothing(end: u64) -> Appender {
        Appender { start: end, len: 0, pieces: Vec::new() }
    }

    /// Where the bytes go.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Length of the file once all is written.
    pub fn end(&self) -> u64 {
        self.start + self.len
    }

    /// What is to be written, and where.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().scan(self.start, |end, piece| {
            let at = *end;
            *end += piece.len() as u64;
            Some((at, &piece[..]))
        })
    }

    /// Adds blobs that are sealed for the end.
    pub fn append(&mut self, sealed: &[Arc<Vec<u8>>]) {
        self.len += sealed.iter().map(|piece| piece.len() as u64).sum::<u64>();
        self.pieces.extend_from_slice(sealed);
    }

    /// Adds a blob; its place, 0 when the file cannot grow any more or the bytes are too many.
    pub fn push(&mut self, owner: Fp, bytes: &[u8]) -> u32 {
        let at = self.end();
        let (Ok(unit), Ok(_)) = (u32::try_from(at / 8), u32::try_from(bytes.len())) else { return 0 };
        if self.pieces.is_empty() {
            self.pieces.push(Arc::default());
        }
        let Some(piece) = self.pieces.last_mut().map(Arc::make_mut) else { return 0 };
        let from = piece.len();
        piece.resize(from + BLOB_HEADER, 0);
        piece.extend_from_slice(bytes);
        set_len(&mut piece[from..]);
        seal(&mut piece[from..], at, owner);
        piece.resize(piece.len().next_multiple_of(8), 0);
        self.len += (piece.len() - from) as u64;
        unit
    }
}
