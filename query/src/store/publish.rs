//! Publishing: append the blobs, write a segment, write the record in `HEAD`.
//!
//! The segment is written under a name nobody knows before the lock is taken. Under the lock `HEAD` must be what this process opened, or another has
//! published and nothing is written (*raced*); then come the append, the rename of the segment and the record. A crash at any point leaves the old record,
//! whose files are all untouched, or the new one, whose files are all complete.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::io;

use super::blob::{Appender, BlobAt};
use super::compose::{Contents, Stay};
use super::disk::Disk;
use super::head::{Head, MAX_SEGMENTS, Retired, blob_name, graph_name};
use super::map::Mapped;
use super::open::{HEAD, read_head};
use super::segment::Segment;
use super::trace::Trace;
use super::{Damaged, Found, Row, Section, Store};

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

/// Why a publish stops.
pub(super) enum Stop {
    Raced,
    Failed(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        // The kind, not the message: a message may name an absolute path.
        Stop::Failed(error.kind().to_string())
    }
}

impl From<Damaged> for Stop {
    fn from(Damaged: Damaged) -> Stop {
        Stop::Failed("the stored graph is damaged".to_owned())
    }
}

/// Everything a commit writes.
pub(super) struct Prepared {
    /// The new segment, not yet on disk.
    pub segment: Segment,
    /// How many of the present segments stay below it.
    pub keep: usize,
    /// What is appended to the blob file of the new `HEAD`.
    pub blobs: Appender,
    /// The new `HEAD`, but for the segments and the retired files.
    pub head: Head,
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

    /// Writes what `prepare` makes, for the present `HEAD` and the place where blobs will go.
    pub(super) fn commit(
        &mut self,
        new_blob_file: bool,
        mut prepare: impl FnMut(&Store, &Head, u64) -> Result<Prepared, Stop>,
    ) -> Result<(), Stop> {
        if let Some(reason) = &self.unusable {
            return Err(Stop::Failed(reason.clone()));
        }
        self.disk.make_folder()?;
        let mut head = self.head().cloned().unwrap_or_default();
        let old_blob = (head.blob_serial, head.blob_len);
        if self.head().is_none() {
            head.serial = self.disk.list()?.iter().filter_map(|name| serial_in(name)).max().unwrap_or(0);
        }
        head.serial = head.serial.wrapping_add(1);
        if new_blob_file {
            (head.blob_serial, head.blob_len, head.blob_live) = (head.serial, 0, 0);
        }
        head.boot_id = self.disk.boot_id();
        let blob_file = blob_name(head.blob_serial);
        let end = |disk: &dyn Disk| disk.len(&blob_file).map(|len| len.max(head.blob_len));

        let mut expected_end = end(&*self.disk)?;
        let mut prepared = prepare(self, &head, expected_end)?;
        let graph_temporary = temporary("graph");
        self.disk.write(&graph_temporary, prepared.segment.file())?;
        // A new blob file can be written before the lock as well: the first build, and folding.
        let blob_temporary = (prepared.blobs.start() == 0).then(|| temporary("blob"));
        if let Some(name) = &blob_temporary {
            self.disk.write(name, &prepared.blobs.bytes)?;
        }

        let lock = self.disk.lock()?;
        if !self.is_current()? {
            drop(lock);
            for name in std::iter::once(&graph_temporary).chain(&blob_temporary) {
                let _ = self.disk.remove(name);
            }
            return Err(Stop::Raced);
        }
        let now = end(&*self.disk)?;
        if now != expected_end {
            // A writer died after its append: what we prepared names the wrong places.
            expected_end = now;
            prepared = prepare(self, &head, expected_end)?;
            self.disk.write(&graph_temporary, prepared.segment.file())?;
        }
        match &blob_temporary {
            Some(name) if prepared.blobs.start() == 0 => self.disk.rename(name, &blob_file)?,
            Some(_) | None if prepared.blobs.bytes.is_empty() => {}
            Some(_) | None => self.disk.write_at(&blob_file, prepared.blobs.start(), &prepared.blobs.bytes)?,
        }
        self.disk.rename(&graph_temporary, &graph_name(head.serial))?;
        let mut new = prepared.head;
        new.blob_len = prepared.blobs.end();
        if new_blob_file {
            new.blob_live = new.blob_len;
        }
        new.segments = self.segments.iter().take(prepared.keep).map(|segment| segment.entry).collect();
        new.segments.push(prepared.segment.entry);
        let left = self.head().map_or(Vec::new(), |old| old.segments.clone()).into_iter();
        new.retired = left.filter(|old| !new.segments.contains(old)).map(|old| Retired::Graph(old.serial)).collect();
        if old_blob.0 != new.blob_serial && old_blob.0 != 0 {
            new.retired.push(Retired::Blob(old_blob.0));
        }
        match &self.found {
            Found::Head(_) => self.disk.write_at(HEAD, new.place(), &new.encode())?,
            // Nothing of an unusable record may stay beside the new one.
            Found::Nothing | Found::Unusable(..) => {
                self.disk.write("HEAD.tmp", &new.encode_alone())?;
                self.disk.rename("HEAD.tmp", HEAD)?;
            }
        }
        if prepared.keep == 0 {
            self.sweep(&new);
        }
        drop(lock);

        if let Some(old) = self.head() {
            for retired in &old.retired {
                let _ = self.disk.remove(&retired.name());
            }
        }
        self.segments.truncate(prepared.keep);
        self.nodes = prepared.segment.header.nodes;
        self.segments.push(prepared.segment);
        self.found = Found::Head(new);
        self.blobs.take();
        self.yellow.take();
        Ok(())
    }

    /// Is `HEAD` still what this store was opened from?
    fn is_current(&self) -> io::Result<bool> {
        Ok(match (&self.found, &read_head(&*self.disk)?.0) {
            (Found::Nothing, Found::Nothing) => true,
            (Found::Unusable(ours, _), Found::Unusable(now, _)) => ours == now,
            (Found::Head(ours), Found::Head(now)) => ours.is_same_store(now),
            (Found::Nothing | Found::Unusable(..) | Found::Head(_), _) => false,
        })
    }

    /// Takes away what crashed writers left. Under the lock, or it would take what the next writer has just made. Failing is harmless.
    fn sweep(&self, new: &Head) {
        let named: Vec<String> = (new.segments.iter().map(|segment| graph_name(segment.serial)))
            .chain(new.retired.iter().map(|retired| retired.name()))
            .chain([blob_name(new.blob_serial)])
            .collect();
        for name in self.disk.list().unwrap_or_default() {
            let is_ours = name.starts_with("graph.") || name.starts_with("blob.") || name.starts_with("tmp-");
            if is_ours && !named.contains(&name) {
                // The temporary file of a writer at work goes too: it would find that it was raced anyway.
                let _ = self.disk.remove(&name);
            }
        }
    }

    /// The place as a row has it: one in the present blob file, of bytes that belong to this fingerprint.
    pub(super) fn unit_of(head: &Head, at: BlobAt, owner: crate::fingerprint::Fp) -> u32 {
        if at == BlobAt::new(head.blob_serial, at.unit, owner) { at.unit } else { 0 }
    }
}

/// The answer to the caller.
pub(super) fn published(result: Result<(), Stop>) -> Published {
    match result {
        Ok(()) => Published::Done,
        Err(Stop::Raced) => Published::Raced,
        Err(Stop::Failed(reason)) => Published::Failed(reason),
    }
}

/// The number in `graph.N` or `blob.N`.
fn serial_in(name: &str) -> Option<u32> {
    name.strip_prefix("graph.").or_else(|| name.strip_prefix("blob."))?.parse().ok()
}

/// A name that no other writer uses, in this process, another, or another container on the same folder.
pub(super) fn temporary(what: &str) -> String {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("tmp-{what}-{:x}-{random:016x}", std::process::id())
}

/// A segment that has just been encoded, opened from memory.
pub(super) fn opened(
    mut encoded: super::encode::Encoded,
    serial: u32,
    schema: &[(u16, crate::fingerprint::Fp)],
) -> Result<Segment, Damaged> {
    encoded.entry.serial = serial;
    Segment::open(Mapped::Copy(encoded.bytes), encoded.entry, schema)
}
