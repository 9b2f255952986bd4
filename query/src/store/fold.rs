//! Folding: all segments become one base, and dead blobs are left behind. The driver does it after the user has the result.

use hashbrown::{HashMap, HashSet};

use super::blob::{self, Appender, BlobAt};
use super::commit::{Stop, published};
use super::compose::{Contents, News, Places, Stay};
use super::head::Head;
use super::publish::Published;
use super::{Damaged, Store};
use crate::fingerprint::Fp;

/// A blob file below this size is not worth a copy.
const SMALL: u64 = 1 << 20;

/// Copies live blobs into a new file.
struct Copying<'a> {
    store: &'a Store,
    to: Appender,
    moved: HashMap<(u32, u32), u32>,
}

impl Places for Copying<'_> {
    fn move_blob(&mut self, unit: u32, owner: Fp) -> u32 {
        let at = BlobAt::new(self.store.head().map_or(0, |head| head.blob_serial), unit, owner);
        if at.is_none() {
            return 0;
        }
        let Copying { store, to, moved } = self;
        // A bad blob is a miss now; it stays one.
        *moved.entry((at.unit, at.owner)).or_insert_with(|| store.blob(at).map_or(0, |bytes| to.push(owner, bytes)))
    }
}

impl Store {
    /// Is it time to fold? When deltas exceed a quarter of the base, or the blob file twice what was alive when that was last counted.
    pub fn fold_is_due(&self) -> bool {
        let Some(head) = self.head() else { return false };
        let Some((base, deltas)) = self.segments.split_first() else { return false };
        let rows: u64 = deltas.iter().map(|delta| u64::from(delta.header.rows)).sum();
        rows * 4 > u64::from(base.header.rows) || head.blob_len > head.blob_live.saturating_mul(2).saturating_add(SMALL)
    }

    /// Makes one base of all segments; when more than half of the blob file is dead, makes a new one of the rest. Places from before are misses then.
    /// The generation stays.
    pub fn fold(&mut self) -> Published {
        published(self.try_fold())
    }

    fn try_fold(&mut self) -> Result<(), Stop> {
        let Some(head) = self.head() else { return Ok(()) };
        if self.segments.is_empty() {
            return Ok(());
        }
        let live = self.live_bytes()?;
        let copies = head.blob_len > SMALL && live < head.blob_len / 2;
        let yellow = self.yellow()?;
        let contents = Contents { keep: 0, nodes: self.nodes, news: News::default(), yellow: &yellow, sections: &[] };
        self.commit(copies, |store, head, end| {
            let head = Head { blob_live: live, ..head.clone() };
            if !copies {
                // Nothing is appended, so nothing that a crash left behind comes to lie inside.
                let blobs = Appender::nothing(head.blob_len);
                return store.compose(head, &contents, blobs, &mut Stay);
            }
            let mut copying = Copying { store, to: Appender::at(end), moved: HashMap::new() };
            let mut prepared = store.compose(head, &contents, Appender::nothing(0), &mut copying)?;
            prepared.blobs = copying.to;
            Ok(prepared)
        })
    }

    /// Bytes of the blob file that some row or trace names.
    fn live_bytes(&self) -> Result<u64, Damaged> {
        let mut seen = HashSet::new();
        let mut live = blob::BLOB_START;
        let mut count = |at: BlobAt| {
            if !at.is_none() && seen.insert(at.unit) {
                live += self.blob_size(at).unwrap_or(0);
            }
        };
        for id in 0..self.nodes {
            let row = self.row(id)?;
            count(row.key_at);
            count(row.value_at);
            self.traces(id)?.iter().for_each(|trace| count(trace.value_at));
        }
        Ok(live)
    }

    fn blob_size(&self, at: BlobAt) -> Option<u64> {
        self.blob(at).map(blob::size)
    }
}
