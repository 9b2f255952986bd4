//! What the store holds, and a check of all of it: for `oric cache stat` and `oric cache verify`.

use super::blob::BlobAt;
use super::segment::Segment;
use super::{Damaged, Store};

/// What the store holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreStat {
    /// The revision published last.
    pub generation: u32,
    /// Nodes, numbers without a node included.
    pub nodes: u32,
    /// Files of the graph: a base and deltas.
    pub segments: u32,
    /// Rows in deltas.
    pub delta_rows: u32,
    /// Bytes of the files of the graph.
    pub graph_bytes: u64,
    /// Bytes of the file of keys and values.
    pub blob_bytes: u64,
    /// Bytes of it that were alive when that was last counted.
    pub blob_live: u64,
}

/// What a check of everything found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Blobs that are what they should be.
    pub blobs: u64,
    /// Nodes of which a blob (key, value or remembered value) is not; ascending. They are misses.
    pub bad: Vec<u32>,
}

impl Store {
    /// Counts, without looking at what is counted.
    pub fn stat(&self) -> StoreStat {
        let (blob_bytes, blob_live) = self.head().map_or((0, 0), |head| (head.blob_len, head.blob_live));
        StoreStat {
            generation: self.generation(),
            nodes: self.nodes,
            segments: self.segments.len() as u32,
            delta_rows: self.segments.iter().skip(1).map(|delta| delta.header.rows).sum(),
            graph_bytes: self.segments.iter().map(|segment| segment.entry.file_len).sum(),
            blob_bytes,
            blob_live,
        }
    }

    /// Checks every page of the graph.
    pub fn check_all(&self) -> Result<(), Damaged> {
        self.segments.iter().try_for_each(Segment::check_all)
    }

    /// Checks every page and every blob that some node names.
    pub fn verify(&self) -> Result<Verified, Damaged> {
        self.check_all()?;
        let mut verified = Verified::default();
        for id in 0..self.nodes {
            let row = self.row(id)?;
            let remembered = self.traces(id)?.into_iter().map(|trace| trace.value_at);
            let mut is_bad = false;
            for at in [row.key_at, row.value_at].into_iter().chain(remembered).filter(|&at| at != BlobAt::NONE) {
                match self.blob(at) {
                    Some(_) => verified.blobs += 1,
                    None => is_bad = true,
                }
            }
            if is_bad {
                verified.bad.push(id);
            }
        }
        Ok(verified)
    }
}
