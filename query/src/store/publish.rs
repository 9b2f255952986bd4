//! Publishing: the rows of a session become a delta, or a base when that is due.

use std::borrow::Cow;

use super::blob::{Appender, BlobAt};
use super::commit::{Stop, published};
use super::compose::{Contents, Stay};
use super::head::{Head, MAX_SEGMENTS};
use super::trace::Trace;
use super::{Row, Section, Store};

/// What one session learned.
#[derive(Clone, Debug, Default)]
pub struct Delta<'a> {
    /// The revision of the inputs that this is the state of: above that of the store.
    pub generation: u32,
    /// New and changed nodes, in any order, each at most once.
    pub rows: Vec<NewRow<'a>>,
    /// All nodes that are out of date after this, in any order.
    pub yellow: Vec<u32>,
    /// Sections to replace; the others stay.
    pub sections: Vec<(Section, Vec<u8>)>,
}

/// A new or changed node.
#[derive(Clone, Debug)]
pub struct NewRow<'a> {
    /// Its number. Numbers without a row, below the highest that has one, read as [`Row::EMPTY`].
    pub id: u32,
    /// What it is now. The places are such that the store gave for the same fingerprints, or none.
    pub row: Row,
    /// What it asked, in order.
    pub deps: Cow<'a, [u32]>,
    /// Bytes of the key, to be stored.
    pub new_key: Option<Cow<'a, [u8]>>,
    /// Bytes of the value, to be stored.
    pub new_value: Option<Cow<'a, [u8]>>,
    /// The state that it had before, to be remembered.
    pub trace: Option<Trace>,
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
    pub fn publish(&mut self, delta: Delta<'_>) -> Published {
        published(self.try_publish(delta))
    }

    fn try_publish(&mut self, mut delta: Delta<'_>) -> Result<(), Stop> {
        if delta.generation <= self.generation() {
            return Err(Stop::Failed(format!("generation {} is published already", self.generation())));
        }
        delta.rows.sort_by_key(|row| row.id);
        let nodes = self.checked_nodes(&delta)?;
        let keep = self.segments_to_keep(delta.rows.len());
        let contents = Contents { keep, nodes, news: &delta.rows, yellow: &delta.yellow, sections: &delta.sections };
        self.commit(keep == 0 && self.segments.is_empty(), |store, head, end| {
            let head = Head { generation: delta.generation, ..head.clone() };
            store.compose(head, &contents, Appender::at(end), &mut Stay)
        })
    }

    /// Number of nodes after this delta, when every id in it is one.
    fn checked_nodes(&self, delta: &Delta<'_>) -> Result<u32, Stop> {
        let wrong = |what: &str| Stop::Failed(format!("a row to be published {what}"));
        if delta.rows.windows(2).any(|two| two[0].id == two[1].id) {
            return Err(wrong("comes twice"));
        }
        let highest = delta.rows.last().map_or(0, |row| row.id);
        let nodes =
            self.nodes.max(highest.checked_add(u32::from(!delta.rows.is_empty())).ok_or_else(|| wrong("has the last of all numbers"))?);
        let ids_fit = delta.rows.iter().all(|row| {
            row.deps.iter().all(|&dep| dep < nodes) && row.trace.iter().all(|trace| trace.deps.iter().all(|&(dep, _)| dep < nodes))
        });
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
