//! Publishing: the rows of a session become a delta, or a base when that is due.

use super::batch::Batch;
use super::blob::{Appender, BlobAt};
use super::commit::{Stop, published};
use super::compose::{Contents, News, Place, Stay};
use super::head::{Head, MAX_SEGMENTS};
use super::{Section, Store};

/// What one session learned.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The revision of the inputs that this is the state of: above that of the store.
    pub generation: u32,
    /// New and changed nodes, in any order, each at most once.
    pub rows: Vec<Batch>,
    /// All nodes that are out of date after this, in any order.
    pub yellow: Vec<u32>,
    /// Sections to replace; the others stay.
    pub sections: Vec<(Section, Vec<u8>)>,
}

/// What became of a publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Published {
    /// The next session will find it.
    Done,
    /// Another process has published since this one opened the store. Nothing was written.
    Raced,
    /// Nothing was published, and why.
    Failed(String),
}

impl Store {
    /// Writes what a session learned, so that the next one finds it.
    pub fn publish(&mut self, delta: Delta) -> Published {
        published(self.try_publish(delta))
    }

    fn try_publish(&mut self, mut delta: Delta) -> Result<(), Stop> {
        if delta.generation <= self.generation() {
            return Err(Stop::Failed(format!("generation {} is published already", self.generation())));
        }
        let order = News::order(&delta.rows);
        let nodes = self.checked_nodes(&delta, &order)?;
        let keep = self.segments_to_keep(order.len());
        self.commit(keep == 0 && self.segments.is_empty(), |store, head, end| {
            let head = Head { generation: delta.generation, ..head.clone() };
            let mut blobs = Appender::at(end);
            let mut starts = Vec::with_capacity(delta.rows.len());
            for batch in &mut delta.rows {
                starts.push(blobs.end());
                blobs.append(batch.sealed(blobs.end()));
            }
            let news = News { batches: &delta.rows, starts, order: &order };
            let contents = Contents { keep, nodes, news, yellow: &delta.yellow, sections: &delta.sections };
            store.compose(head, &contents, blobs, &mut Stay)
        })
    }

    /// Number of nodes after this delta, when every id in it is one.
    fn checked_nodes(&self, delta: &Delta, order: &[Place]) -> Result<u32, Stop> {
        let wrong = |what: &str| Stop::Failed(format!("a row to be published {what}"));
        if order.windows(2).any(|two| two[0].id == two[1].id) {
            return Err(wrong("comes twice"));
        }
        let highest = order.last().map_or(0, |place| place.id);
        let nodes = self.nodes.max(highest.checked_add(u32::from(!order.is_empty())).ok_or_else(|| wrong("has the last of all numbers"))?);
        let ids_fit = delta.rows.iter().all(|batch| batch.names_below(nodes));
        if !ids_fit || delta.yellow.iter().any(|&id| id >= nodes) {
            return Err(wrong("names a node that does not exist"));
        }
        Ok(nodes)
    }

    /// How many segments stay as they are below a new one with so many rows; 0: the new one is a base.
    ///
    /// A delta is a delta until there are seven. Then the newest merge with the new one, as far back as each is at most twice what is already being
    /// merged: so each row is written a logarithmic number of times, and an edit costs what it changed. Deltas that outgrow the base become a base here;
    /// the driver folds earlier (see [`Store::fold_is_due`]), after the user has the result.
    fn segments_to_keep(&self, new_rows: usize) -> usize {
        let rows: Vec<usize> = self.segments.iter().map(|segment| segment.header.rows as usize).collect();
        let Some((&base, deltas)) = rows.split_first() else { return 0 };
        if deltas.iter().sum::<usize>() + new_rows > base.max(64) {
            return 0;
        }
        if rows.len() < MAX_SEGMENTS {
            return rows.len();
        }
        let mut keep = rows.len() - 1;
        let mut merged = new_rows + rows[keep];
        while keep > 1 && rows[keep - 1] <= 2 * merged {
            keep -= 1;
            merged += rows[keep];
        }
        keep
    }

    /// The place as a row has it: one in the present blob file, of bytes that belong to this fingerprint.
    pub(super) fn unit_of(head: &Head, at: BlobAt, owner: crate::fingerprint::Fp) -> u32 {
        if at == BlobAt::new(head.blob_serial, at.unit, owner) { at.unit } else { 0 }
    }
}
