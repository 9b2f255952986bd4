//! The graph and its values on disk: mapped, used in place, written in proportion to what changed, believed byte by byte.
//!
//! ```text
//! q/HEAD      which files make up the store (head.rs): two records, the newer counts
//! q/graph.N   segments: a base and up to seven deltas, newest wins (segment.rs); immutable
//! q/blob.N    bytes of keys and values (blob.rs); append-only
//! q/why.N     what session N executed and why (why.rs)
//! q/LOCK      held by a writer while it appends and renames, for a tenth of a millisecond
//! ```
//!
//! Three promises. *Readers take no lock*: what they map is never changed, and is removed only after a second publish. *Publishing is one small write*:
//! before it nothing refers to what was written, so a crash leaves the old store. *Damage is a miss*: `HEAD` has a checksum, and pins the header of each
//! segment, which pins the checksum of each page; a blob has its own, bound to its owner and place. There is no `fsync`: what a power failure tears
//! fails its checksum.
//!
//! | room        | verb                                                       |
//! |-------------|------------------------------------------------------------|
//! | `open`      | finding the store, and whether to believe it               |
//! | `batch`     | rows on their way to a publish                             |
//! | `publish`   | the rows of a session become a delta, or a base            |
//! | `commit`    | the protocol of writing: what is on disk at each moment    |
//! | `fold`      | merging segments, leaving dead blobs behind                |
//! | `compose`   | making a segment out of new rows and old segments          |
//! | `stat`      | counting and checking everything, for people who ask       |
//! | [`cas`]     | artifacts by the hash of their content                     |
//! | [`limit`]   | what becomes of writes that are too large                  |

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::fingerprint::Fp;

mod batch;
mod blob;
mod bytes;
pub mod cas;
mod commit;
mod compose;
mod disk;
mod encode;
mod fold;
mod head;
pub mod limit;
mod map;
mod open;
mod overlay;
mod publish;
mod row;
mod segment;
mod stat;
mod trace;
mod why;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use blob::BlobAt;
pub use map::Mapped;
pub use publish::{Delta, Published};
pub use stat::{StoreStat, Verified};
pub use trace::{MAX_TRACES, Trace};
pub use why::WhyRecord;

use disk::Disk;
use head::{BadHead, Head};
use overlay::Overlay;
use row::{NO_KIND, PackedRow};
use segment::{Column, Segment};

/// Number of the format. Another number is an empty store.
pub const FORMAT: u32 = 1;

/// Bits of [`Row::flags`].
pub mod flags {
    /// Possibly out of date since an earlier session. What [`super::Store::yellow`] lists.
    pub const YELLOW: u8 = 1;
    /// The answer is an interrupt.
    pub const FAILED: u8 = 2;
    /// Written under another schema of its kind: the value is unknown.
    pub const STALE: u8 = 0x80;
}

/// A checksum failed: nothing that this graph says is to be believed. See [`Store::reset`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged;

/// A node as stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Row in the table of queries; `u16::MAX` for a number that no node has.
    pub kind: u16,
    /// See [`flags`]; the other bits are the engine's.
    pub flags: u8,
    /// The engine's measure of what computing it takes.
    pub cost: u8,
    /// Fingerprint of (kind, key).
    pub key: Fp,
    /// Fingerprint of the value.
    pub value: Fp,
    /// Bytes of the key.
    pub key_at: BlobAt,
    /// Bytes of the value.
    pub value_at: BlobAt,
    /// Generation in which the value was last different from before.
    pub changed_at: u32,
    /// Generation in which the value was last known to be right.
    pub verified_at: u32,
}

impl Row {
    /// A number that no node has.
    pub const EMPTY: Row = Row {
        kind: NO_KIND,
        flags: 0,
        cost: 0,
        key: Fp::NONE,
        value: Fp::NONE,
        key_at: BlobAt::NONE,
        value_at: BlobAt::NONE,
        changed_at: 0,
        verified_at: 0,
    };
}

/// Small parts that belong to the driver. A publish that does not mention one keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// What the inputs looked like.
    Inputs,
    /// What was written outside the store.
    Outputs,
    /// What was asked for, and what was said.
    Roots,
}

impl Section {
    /// Every section.
    pub const ALL: [Section; 3] = [Section::Inputs, Section::Outputs, Section::Roots];

    fn column(self) -> Column {
        match self {
            Section::Inputs => Column::Inputs,
            Section::Outputs => Column::Outputs,
            Section::Roots => Column::Roots,
        }
    }
}

/// How to open a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreOptions {
    /// Check every page at once, as after a restart of the machine.
    pub verify: bool,
}

/// Something that a user is told once; building goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Warning {
    /// A file is not what was written: the store starts again from nothing.
    Damaged {
        /// Its name in the store.
        file: String,
    },
    /// Another version of the compiler wrote it: the store starts again from nothing.
    Format {
        /// Its format number.
        found: u32,
        /// Ours.
        ours: u32,
    },
    /// The folder cannot be read.
    Unusable {
        /// What the system says.
        reason: String,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::Damaged { file } => write!(f, "the build store is damaged ({file}); building from nothing"),
            Warning::Format { found, ours } => {
                write!(f, "the build store has format {found}, this compiler writes {ours}; building from nothing")
            }
            Warning::Unusable { reason } => write!(f, "the build store cannot be used ({reason}); building in memory"),
        }
    }
}

/// An opened store, and what to tell the user about it.
pub struct Opened {
    /// The store: empty when there is none, or none to believe.
    pub store: Store,
    /// At most one in practice.
    pub warnings: Vec<Warning>,
}

/// What `HEAD` was when the store was opened: a publish must find the same.
enum Found {
    /// There was none.
    Nothing,
    /// One that could not be used: its checksum, and why.
    Unusable(u64, BadHead),
    /// This one.
    Head(Head),
}

/// An open store. Reading is by `&self`, from any number of threads.
pub struct Store {
    disk: Arc<dyn Disk>,
    schema: Vec<(u16, Fp)>,
    found: Found,
    /// Oldest first; empty for an empty store.
    segments: Vec<Segment>,
    nodes: u32,
    blobs: OnceLock<Option<Mapped>>,
    yellow: OnceLock<Vec<u32>>,
    overlay: OnceLock<Overlay>,
    /// Set when the folder cannot be used at all.
    unusable: Option<String>,
}

impl Store {
    /// Opens the store in a folder. `schema` has the fingerprint of each kind: rows of a kind whose fingerprint was another when they were written read as
    /// [`flags::STALE`]. Never fails.
    pub fn open(dir: &Path, schema: &[(u16, Fp)], options: &StoreOptions) -> Opened {
        open::open(Arc::new(disk::Folder::new(dir)), schema, *options)
    }

    /// The revision that was published last; 0 when none was.
    pub fn generation(&self) -> u32 {
        self.head().map_or(0, |head| head.generation)
    }

    /// Number of nodes: ids are below.
    pub fn node_count(&self) -> u32 {
        self.nodes
    }

    fn head(&self) -> Option<&Head> {
        match &self.found {
            Found::Head(head) => Some(head),
            Found::Nothing | Found::Unusable(..) => None,
        }
    }

    /// Forgets the graph, because it is damaged. The next publish writes a new one from nothing.
    pub fn reset(&mut self) {
        self.segments.clear();
        self.nodes = 0;
        self.segments_changed();
    }

    /// Forgets what was derived from the segments.
    fn segments_changed(&mut self) {
        self.yellow = OnceLock::new();
        self.overlay = OnceLock::new();
    }

    fn overlay(&self) -> Result<&Overlay, Damaged> {
        if let Some(overlay) = self.overlay.get() {
            return Ok(overlay);
        }
        let overlay = Overlay::of(&self.segments, self.nodes)?;
        Ok(self.overlay.get_or_init(|| overlay))
    }

    /// The newest segment with a row of this node, and the row there.
    #[inline]
    fn locate(&self, id: u32) -> Result<Option<(&Segment, u32)>, Damaged> {
        match self.overlay()?.has_row(id) {
            true => locate(&self.segments, id),
            false => locate(self.segments.get(..1).unwrap_or_default(), id),
        }
    }

    /// The node with this key.
    pub fn find(&self, key: Fp) -> Result<Option<u32>, Damaged> {
        self.find_in(&self.segments, key)
    }

    /// An index only proposes: the newest row of the node decides whether it still has this key.
    fn find_in(&self, segments: &[Segment], key: Fp) -> Result<Option<u32>, Damaged> {
        for segment in segments.iter().rev() {
            if let Some(local) = segment.find(key)? {
                let id = segment.id_of(local)?;
                if let Some((segment, local)) = locate(segments, id)?
                    && segment.raw(local)?.key() == key
                {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }

    /// A node as last published.
    #[inline]
    pub fn row(&self, id: u32) -> Result<Row, Damaged> {
        let Some((segment, local)) = self.locate(id)? else { return Ok(Row::EMPTY) };
        let raw = PackedRow::of(segment.raw(local)?);
        let mut flags = raw.flags & !flags::YELLOW;
        if segment.is_stale(raw.kind) {
            flags |= flags::STALE;
        }
        let yellow = self.yellow_list()?;
        if !yellow.is_empty() && yellow.binary_search(&id).is_ok() {
            flags |= flags::YELLOW;
        }
        let blobs = self.head().map_or(0, |head| head.blob_serial);
        Ok(Row {
            kind: raw.kind,
            flags,
            cost: raw.cost,
            key: raw.key,
            value: raw.value,
            key_at: BlobAt::new(blobs, raw.key_at, raw.key),
            value_at: BlobAt::new(blobs, raw.value_at, raw.value),
            changed_at: raw.changed_at,
            verified_at: raw.verified_at,
        })
    }

    /// What a node asked when it last ran, in order.
    #[inline]
    pub fn deps(&self, id: u32, out: &mut impl Extend<u32>) -> Result<(), Damaged> {
        let Some((segment, local)) = self.locate(id)? else { return Ok(()) };
        extend(out, segment.deps(local)?, self.nodes)
    }

    /// Who may have asked for a node: perhaps some who no longer do, never one too few.
    #[inline]
    pub fn dependents(&self, id: u32, out: &mut impl Extend<u32>) -> Result<(), Damaged> {
        let segments = if self.overlay()?.has_dependents(id) { &self.segments[..] } else { self.segments.get(..1).unwrap_or_default() };
        segments.iter().try_for_each(|segment| extend(out, segment.dependents(id)?, self.nodes))
    }

    /// States that a node had before, newest first.
    pub fn traces(&self, id: u32) -> Result<Vec<Trace>, Damaged> {
        let mut list = Vec::new();
        traces_in(&self.segments, id, self.nodes, &mut list)?;
        let blobs = self.head().map_or(0, |head| head.blob_serial);
        let unpack = |trace: trace::PackedTrace| Trace {
            value_at: BlobAt::new(blobs, trace.value_at, trace.value),
            deps: trace.deps,
            value: trace.value,
            flags: trace.flags,
        };
        Ok(list.into_iter().map(unpack).collect())
    }

    /// The bytes at a place; `None` when they are not what was written there.
    pub fn blob(&self, at: BlobAt) -> Option<&[u8]> {
        let head = self.head()?;
        if at.is_none() || at.segment != head.blob_serial {
            return None;
        }
        // A missing or unreadable file is as many misses as there are values.
        let file = self.blobs.get_or_init(|| self.disk.map(&head::blob_name(head.blob_serial)).ok().flatten()).as_ref()?;
        blob::read(file, at)
    }

    /// A section as last published; `None` when there is none, or it is damaged.
    pub fn section(&self, name: Section) -> Option<&[u8]> {
        self.segments.iter().rev().find_map(|segment| segment.bytes(name.column()))?.ok()
    }

    /// Ids of the nodes that are out of date, ascending.
    pub fn yellow(&self) -> Result<Vec<u32>, Damaged> {
        self.yellow_list().map(<[u32]>::to_vec)
    }

    #[inline]
    fn yellow_list(&self) -> Result<&[u32], Damaged> {
        if let Some(list) = self.yellow.get() {
            return Ok(list);
        }
        let mut list = Vec::new();
        if let Some(newest) = self.segments.last() {
            extend(&mut list, newest.all_words(Column::Yellow)?, self.nodes)?;
        }
        Ok(self.yellow.get_or_init(|| list))
    }

    /// Kinds of which rows may be [`flags::STALE`], ascending: those whose fingerprint was another in some segment.
    pub fn stale_kinds(&self) -> Vec<u16> {
        let mut kinds: Vec<u16> = self.segments.iter().flat_map(|segment| segment.stale.iter().copied()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// The newest segment with a row of this node, and the row there.
#[inline]
fn locate(segments: &[Segment], id: u32) -> Result<Option<(&Segment, u32)>, Damaged> {
    for segment in segments.iter().rev() {
        if let Some(local) = segment.local(id)? {
            return Ok(Some((segment, local)));
        }
    }
    Ok(None)
}

/// Adds the superseded states that these segments know to a list. What another compiler answered from the same dependencies is no answer.
fn traces_in(segments: &[Segment], id: u32, nodes: u32, list: &mut Vec<trace::PackedTrace>) -> Result<(), Damaged> {
    for segment in segments.iter().rev() {
        if let Some(local) = segment.local(id)? {
            let raw = segment.raw(local)?;
            if !segment.is_stale(raw.kind()) {
                trace::decode(segment, raw.trace(), nodes, list)?;
            }
        }
    }
    Ok(())
}

/// Hands ids out, each checked to be one.
#[inline]
fn extend(out: &mut impl Extend<u32>, words: segment::Words<'_>, nodes: u32) -> Result<(), Damaged> {
    if words.iter().any(|word| u32::from_le_bytes(*word) >= nodes) {
        return Err(Damaged);
    }
    out.extend(words.iter().map(|word| u32::from_le_bytes(*word)));
    Ok(())
}
