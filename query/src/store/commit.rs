//! Committing: append the blobs, write a segment, write the record in `HEAD`.
//!
//! The segment is written under a name nobody knows before the lock is taken. Under the lock `HEAD` must be what this process opened, or another has
//! published and nothing is written (*raced*); then come the append, the rename of the segment and the record. A crash at any point leaves the old record,
//! whose files are all untouched, or the new one, whose files are all complete.

use std::hash::{BuildHasher, Hasher};
use std::io;

use super::blob::Appender;
use super::disk::Disk;
use super::encode::Encoded;
use super::head::{Head, Retired, blob_name, graph_name};
use super::map::Mapped;
use super::open::{HEAD, read_head};
use super::publish::Published;
use super::segment::Segment;
use super::{Damaged, Found, Store};
use crate::fingerprint::Fp;

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

/// Files that nobody knows of yet. Dropping it removes those that are still there.
struct Temporaries<'d> {
    disk: &'d dyn Disk,
    graph: String,
    blob: Option<String>,
}

impl Drop for Temporaries<'_> {
    fn drop(&mut self) {
        for name in self.blob.iter().chain([&self.graph]).filter(|name| !name.is_empty()) {
            let _ = self.disk.remove(name);
        }
    }
}

impl Store {
    /// Writes what `prepare` makes, for the present `HEAD` and the place where blobs will go.
    pub(super) fn commit(
        &mut self,
        new_blob_file: bool,
        prepare: impl FnMut(&Store, &Head, u64) -> Result<Prepared, Stop>,
    ) -> Result<(), Stop> {
        let (prepared, head) = self.write(new_blob_file, prepare)?;
        if let Some(old) = self.head() {
            for retired in &old.retired {
                // Nobody needs it any more, and a later sweep takes what stays now.
                let _ = self.disk.remove(&retired.name());
            }
        }
        self.segments.truncate(prepared.keep);
        self.nodes = prepared.segment.header.nodes;
        self.segments.push(prepared.segment);
        self.found = Found::Head(head);
        self.blobs.take();
        self.segments_changed();
        Ok(())
    }

    fn write(
        &self,
        new_blob_file: bool,
        mut prepare: impl FnMut(&Store, &Head, u64) -> Result<Prepared, Stop>,
    ) -> Result<(Prepared, Head), Stop> {
        if let Some(reason) = &self.unusable {
            return Err(Stop::Failed(reason.clone()));
        }
        let disk = &*self.disk;
        disk.make_folder()?;
        let mut head = self.head().cloned().unwrap_or_default();
        let old_blob = head.blob_serial;
        if self.head().is_none() {
            head.serial = disk.list()?.iter().filter_map(|name| serial_in(name)).max().unwrap_or(0);
        }
        head.serial = head.serial.wrapping_add(1);
        if new_blob_file {
            (head.blob_serial, head.blob_len, head.blob_live) = (head.serial, 0, 0);
        }
        head.boot_id = disk.boot_id();
        let blob_file = blob_name(head.blob_serial);
        let end = || disk.len(&blob_file).map(|len| len.max(head.blob_len));

        let expected_end = end()?;
        let mut prepared = prepare(self, &head, expected_end)?;
        let mut temporaries = Temporaries { disk, graph: temporary("graph"), blob: None };
        disk.write(&temporaries.graph, prepared.segment.file())?;
        // A new blob file can be written before the lock as well: the first build, and folding.
        if prepared.blobs.start() == 0 {
            let name = temporaries.blob.insert(temporary("blob"));
            // The first piece makes the file.
            let mut pieces = prepared.blobs.pieces();
            disk.write(name, pieces.next().map_or(&[], |(_, piece)| piece))?;
            append(disk, name, pieces)?;
        }

        let _lock = disk.lock()?;
        if !self.is_current()? {
            return Err(Stop::Raced);
        }
        let now = end()?;
        if now != expected_end {
            // A writer died after its append: what we prepared names the wrong places.
            prepared = prepare(self, &head, now)?;
            disk.write(&temporaries.graph, prepared.segment.file())?;
        }
        if prepared.blobs.start() == 0
            && let Some(name) = temporaries.blob.take()
        {
            disk.rename(&name, &blob_file)?;
        } else {
            append(disk, &blob_file, prepared.blobs.pieces())?;
        }
        let mut new = prepared.head.clone();
        new.blob_len = prepared.blobs.end();
        if new_blob_file {
            new.blob_live = new.blob_len;
        }
        new.segments = self.segments.iter().take(prepared.keep).map(|segment| segment.entry).collect();
        new.segments.push(prepared.segment.entry);
        let left = self.head().map_or(Vec::new(), |old| old.segments.clone()).into_iter();
        new.retired = left.filter(|old| !new.segments.contains(old)).map(|old| Retired::Graph(old.serial)).collect();
        if old_blob != new.blob_serial && old_blob != 0 {
            new.retired.push(Retired::Blob(old_blob));
        }
        // The planted bug: a record that names what is not there yet. The fault tests must find it.
        let is_torn = cfg!(feature = "plant-torn-publish");
        if is_torn {
            self.write_record(&new)?;
        }
        disk.rename(&temporaries.graph, &graph_name(head.serial))?;
        temporaries.graph.clear();
        if !is_torn {
            self.write_record(&new)?;
        }
        if prepared.keep == 0 {
            self.sweep(&new);
        }
        Ok((prepared, new))
    }

    fn write_record(&self, new: &Head) -> io::Result<()> {
        match &self.found {
            Found::Head(_) => self.disk.write_at(HEAD, new.place(), &new.encode()),
            // Nothing of an unusable record may stay beside the new one.
            Found::Nothing | Found::Unusable(..) => {
                self.disk.write("HEAD.tmp", &new.encode_alone())?;
                self.disk.rename("HEAD.tmp", HEAD)
            }
        }
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
}

/// Writes blobs to where they go.
fn append<'a>(disk: &dyn Disk, file: &str, mut pieces: impl Iterator<Item = (u64, &'a [u8])>) -> io::Result<()> {
    pieces.try_for_each(|(at, piece)| disk.write_at(file, at, piece))
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
pub(super) fn opened(mut encoded: Encoded, serial: u32, schema: &[(u16, Fp)]) -> Result<Segment, Damaged> {
    encoded.entry.serial = serial;
    Segment::open(Mapped::Copy(encoded.bytes), encoded.entry, schema)
}
