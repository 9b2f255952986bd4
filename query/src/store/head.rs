//! `HEAD`: the record that says which files make up the store.
//!
//! The file has two slots of 512 bytes. A publish writes the record of its serial into slot *serial mod 2*, so the record before it stays; a reader takes
//! the valid record with the higher serial. A write that is torn, by a power failure or by being read half way, fails its checksum and leaves the record
//! before, whose files are all still there. (Replacing the file by rename is the usual way, and was the first: ext4 answers it by flushing the new file,
//! which takes 4 ms where everything else in a publish takes 0.2.)
//!
//! | bytes | field                                                                                     |
//! |-------|-------------------------------------------------------------------------------------------|
//! | 8     | magic `ORI-HEAD`                                                                          |
//! | 4     | format number; these twelve bytes never change their meaning                              |
//! | 4     | serial: one more at each record, names the files made for it                              |
//! | 4     | generation: the revision of the inputs that was published                                 |
//! | 4     | serial of the blob file                                                                   |
//! | 8     | length of the blob file: nothing named by this graph lies beyond                          |
//! | 8     | bytes of it that were alive when that was last counted                                    |
//! | 16    | boot id                                                                                   |
//! | 4     | number of segments, then for each: serial 4, header length 4, file length 8, header sum 8 |
//! | 4     | number of retired files, then for each: kind 4 (0 graph, 1 blob), serial 4                |
//! | ..    | zeros                                                                                     |
//! | 8     | checksum of everything before, at the end of the slot                                     |
//!
//! A segment's header sum covers the sums of its pages, so `HEAD` pins every byte of the graph: files of different generations cannot be mixed unnoticed.

use super::FORMAT;
use super::bytes::{Put, Reader, checksum};

const MAGIC: [u8; 8] = *b"ORI-HEAD";

/// Bytes of one record.
pub(crate) const SLOT: usize = 512;
/// Bytes of the file.
pub(crate) const HEAD_LEN: usize = 2 * SLOT;
const SUM_AT: usize = SLOT - 8;

/// A base and seven deltas.
pub(crate) const MAX_SEGMENTS: usize = 8;
/// All segments of the record before, and its blob file.
const MAX_RETIRED: usize = MAX_SEGMENTS + 1;

// The longest record fits its slot.
const _: () = assert!(60 + 4 + MAX_SEGMENTS * 24 + 4 + MAX_RETIRED * 8 <= SUM_AT);

/// One segment file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentEntry {
    pub serial: u32,
    pub header_len: u32,
    pub file_len: u64,
    pub header_sum: u64,
}

/// A file that the record before this one named and this one does not: it goes with the next, so that who just read the old record can still map it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Retired {
    Graph(u32),
    Blob(u32),
}

impl Retired {
    pub fn name(self) -> String {
        match self {
            Retired::Graph(serial) => graph_name(serial),
            Retired::Blob(serial) => blob_name(serial),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Head {
    pub serial: u32,
    pub generation: u32,
    pub blob_serial: u32,
    pub blob_len: u64,
    pub blob_live: u64,
    pub boot_id: [u8; 16],
    /// Oldest first: a base, then deltas.
    pub segments: Vec<SegmentEntry>,
    pub retired: Vec<Retired>,
}

/// Why a record cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BadHead {
    /// Another version of the store wrote it.
    Format(u32),
    /// Nothing was ever written there.
    Absent,
    /// Its bytes are not what was written.
    Damaged,
}

pub(crate) fn graph_name(serial: u32) -> String {
    format!("graph.{serial}")
}

pub(crate) fn blob_name(serial: u32) -> String {
    format!("blob.{serial}")
}

impl Head {
    /// The record as it goes into its slot.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT);
        out.extend_from_slice(&MAGIC);
        out.put32(FORMAT);
        out.put32(self.serial);
        out.put32(self.generation);
        out.put32(self.blob_serial);
        out.put64(self.blob_len);
        out.put64(self.blob_live);
        out.extend_from_slice(&self.boot_id);
        out.put32(self.segments.len() as u32);
        for segment in &self.segments {
            out.put32(segment.serial);
            out.put32(segment.header_len);
            out.put64(segment.file_len);
            out.put64(segment.header_sum);
        }
        out.put32(self.retired.len() as u32);
        for retired in &self.retired {
            let (kind, serial) = match *retired {
                Retired::Graph(serial) => (0, serial),
                Retired::Blob(serial) => (1, serial),
            };
            out.put32(kind);
            out.put32(serial);
        }
        out.resize(SUM_AT, 0);
        out.put64(checksum(&out));
        out
    }

    /// Where the record goes in the file.
    pub fn place(&self) -> u64 {
        u64::from(self.serial % 2) * SLOT as u64
    }

    /// The file with this record alone.
    pub fn encode_alone(&self) -> Vec<u8> {
        let mut file = vec![0; HEAD_LEN];
        let from = self.place() as usize;
        file[from..from + SLOT].copy_from_slice(&self.encode());
        file
    }

    /// Reads one slot.
    pub fn decode(slot: &[u8]) -> Result<Head, BadHead> {
        let mut start = Reader(slot);
        if start.array() != Some(MAGIC) {
            return Err(if slot.len() == SLOT && slot.iter().all(|&byte| byte == 0) { BadHead::Absent } else { BadHead::Damaged });
        }
        match start.u32() {
            None => return Err(BadHead::Damaged),
            Some(FORMAT) => {}
            Some(other) => return Err(BadHead::Format(other)),
        }
        let (Some((body, sum)), SLOT) = (slot.split_last_chunk::<8>(), slot.len()) else { return Err(BadHead::Damaged) };
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(BadHead::Damaged);
        }
        let Some(rest) = body.get(12..) else { return Err(BadHead::Damaged) };
        Head::fields(&mut Reader(rest)).ok_or(BadHead::Damaged)
    }

    /// Reads the file: the newer record, and whether the other slot is as it should be.
    pub fn decode_file(file: &[u8]) -> (Result<Head, BadHead>, bool) {
        let (low, high) = file.split_at(file.len().min(SLOT));
        match (Head::decode(low), Head::decode(high)) {
            (Ok(low), Ok(high)) => (Ok(if low.serial > high.serial { low } else { high }), true),
            (Ok(head), Err(other)) | (Err(other), Ok(head)) => (Ok(head), other == BadHead::Absent),
            (Err(BadHead::Format(found)), Err(_)) | (Err(_), Err(BadHead::Format(found))) => (Err(BadHead::Format(found)), true),
            (Err(_), Err(_)) => (Err(BadHead::Damaged), true),
        }
    }

    fn fields(from: &mut Reader<'_>) -> Option<Head> {
        let mut head = Head {
            serial: from.u32()?,
            generation: from.u32()?,
            blob_serial: from.u32()?,
            blob_len: from.u64()?,
            blob_live: from.u64()?,
            boot_id: from.array()?,
            segments: Vec::new(),
            retired: Vec::new(),
        };
        let segments = from.u32()? as usize;
        if segments > MAX_SEGMENTS {
            return None;
        }
        for _ in 0..segments {
            head.segments.push(SegmentEntry {
                serial: from.u32()?,
                header_len: from.u32()?,
                file_len: from.u64()?,
                header_sum: from.u64()?,
            });
        }
        let retired = from.u32()? as usize;
        if retired > MAX_RETIRED {
            return None;
        }
        for _ in 0..retired {
            let kind = from.u32()?;
            let serial = from.u32()?;
            head.retired.push(match kind {
                0 => Retired::Graph(serial),
                1 => Retired::Blob(serial),
                _ => return None,
            });
        }
        from.0.iter().all(|&byte| byte == 0).then_some(head)
    }

    /// The same store, even when one of the two was written again after the machine started anew.
    pub fn is_same_store(&self, other: &Head) -> bool {
        self.serial == other.serial
            && self.generation == other.generation
            && self.segments == other.segments
            && self.blob_len == other.blob_len
    }
}
