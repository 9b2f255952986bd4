//! Making the next segment out of new rows and of the segments that it takes the place of.

use super::batch::{Batch, BatchRow};
use super::blob::Appender;
use super::commit::{Prepared, Stop, opened};
use super::encode::{Builder, TooLarge};
use super::head::Head;
use super::row::{NO_KIND, PackedRow};
use super::segment::{Column, Words};
use super::trace::{PackedTrace, remember};
use super::{Damaged, Section, Store, flags, locate, traces_in};
use crate::fingerprint::Fp;

impl From<TooLarge> for Stop {
    fn from(TooLarge: TooLarge) -> Stop {
        Stop::Failed("the graph is larger than the store can hold".to_owned())
    }
}

/// What goes into a segment.
pub(super) struct Contents<'a> {
    /// How many segments stay below it.
    pub keep: usize,
    /// Number of nodes with it.
    pub nodes: u32,
    /// New rows.
    pub news: News<'a>,
    /// All ids that are out of date.
    pub yellow: &'a [u32],
    /// Sections to replace.
    pub sections: &'a [(Section, Vec<u8>)],
}

/// New rows, ascending by id.
#[derive(Default)]
pub(super) struct News<'a> {
    pub batches: &'a [Batch],
    /// Where in the file the blobs of each batch begin.
    pub starts: Vec<u64>,
    pub order: &'a [Place],
}

/// Where a new row is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub id: u32,
    batch: u32,
    row: u32,
}

impl<'a> News<'a> {
    /// Where the rows are, ascending by id.
    pub fn order(batches: &[Batch]) -> Vec<Place> {
        let rows = (0..).zip(batches).flat_map(|(batch, rows)| rows.ids().map(move |(row, id)| Place { id, batch, row }));
        let mut order: Vec<Place> = rows.collect();
        order.sort_by_key(|place| place.id);
        order
    }

    /// The row, and the unit of the file that its batch begins at.
    fn get(&self, place: Place) -> (BatchRow<'a>, u64) {
        (self.batches[place.batch as usize].get(place.row as usize), self.starts[place.batch as usize] / 8)
    }
}

/// Where the bytes of values go that older rows name.
pub(super) trait Places {
    /// The place in the new blob file of what was at `unit` for `owner`.
    fn move_blob(&mut self, unit: u32, owner: Fp) -> u32;
}

/// They stay where they are.
pub(super) struct Stay;

impl Places for Stay {
    fn move_blob(&mut self, unit: u32, _owner: Fp) -> u32 {
        unit
    }
}

impl Store {
    /// The segment with these contents, in the place of those that are not kept. New blobs go to `blobs`, and those of older rows through `places`.
    pub(super) fn compose(&self, head: Head, contents: &Contents<'_>, blobs: Appender, places: &mut impl Places) -> Result<Prepared, Stop> {
        let &Contents { keep, nodes, ref news, yellow, sections } = contents;
        let (below, absorbed) = self.segments.split_at(keep.min(self.segments.len()));
        let is_base = below.is_empty();
        let ids = if is_base { (0..nodes).collect() } else { union(news, absorbed)? };
        let mut builder = Builder::new(is_base, ids.len());
        let mut deps: Vec<u32> = Vec::new();
        let mut order = news.order.iter().peekable();
        builder.yellow = yellow.to_vec();
        for id in ids {
            deps.clear();
            let mut traces: Vec<PackedTrace> = Vec::new();
            let row = match order.next_if(|place| place.id == id) {
                Some(&place) => {
                    let (new, start) = news.get(place);
                    deps.extend_from_slice(new.deps);
                    if new.row.flags & flags::YELLOW != 0 {
                        builder.yellow.push(id);
                    }
                    if let Some(trace) = new.trace {
                        let value_at = Store::unit_of(&head, trace.value_at, trace.value);
                        remember(&mut traces, PackedTrace { deps: trace.deps.clone(), value: trace.value, value_at, flags: trace.flags });
                    }
                    pack(&head, new, start)
                }
                None => match locate(absorbed, id)? {
                    Some((segment, local)) => {
                        super::extend(&mut deps, segment.deps(local)?, nodes)?;
                        let mut row = PackedRow::of(segment.raw(local)?);
                        if segment.is_stale(row.kind) {
                            row.flags |= flags::STALE;
                        }
                        row.key_at = places.move_blob(row.key_at, row.key);
                        row.value_at = places.move_blob(row.value_at, row.value);
                        row
                    }
                    None => PackedRow::EMPTY,
                },
            };
            let own = traces.len();
            traces_in(absorbed, id, nodes, &mut traces)?;
            for trace in traces.iter_mut().skip(own) {
                trace.value_at = places.move_blob(trace.value_at, trace.value);
            }
            let mut is_new_key = row.kind != NO_KIND;
            if !is_base {
                let known: Words<'_> = match locate(below, id)? {
                    Some((segment, local)) => {
                        is_new_key &= segment.raw(local)?.key() != row.key;
                        segment.deps(local)?
                    }
                    None => &[],
                };
                new_edges(known, &deps, |dep| builder.edge(dep, id));
            }
            builder.push(id, &row, &deps, &traces, is_new_key);
        }
        builder.yellow.sort_unstable();
        builder.yellow.dedup();
        for section in Section::ALL {
            let column = section.column();
            let given = sections.iter().rev().find(|(name, _)| *name == section).map(|(_, bytes)| bytes.clone());
            let kept = || absorbed.iter().rev().find_map(|segment| segment.bytes(column)).transpose();
            if let Some(bytes) = given.map_or_else(|| kept().map(|bytes| bytes.map(<[u8]>::to_vec)), |bytes| Ok(Some(bytes)))? {
                builder.sections.push((column, bytes));
            }
        }
        let encoded = builder.finish(nodes, &self.schema)?;
        let segment = opened(encoded, head.serial, &self.schema)?;
        Ok(Prepared { segment, keep: below.len(), blobs, head })
    }
}

/// A new row as the disk has it; `start` is the unit that its batch begins at.
fn pack(head: &Head, new: BatchRow<'_>, start: u64) -> PackedRow {
    let row = new.row;
    // Behind the last unit that a row can name nothing is kept.
    let place = |unit: u32| u32::try_from(start + u64::from(unit)).unwrap_or(0);
    let key_at = new.new_key.map_or_else(|| Store::unit_of(head, row.key_at, row.key), place);
    let value_at = new.new_value.map_or_else(|| Store::unit_of(head, row.value_at, row.value), place);
    PackedRow {
        kind: row.kind,
        // The list of the publish says who is out of date, so that a node can become so without a row.
        flags: row.flags & !flags::YELLOW,
        cost: row.cost,
        changed_at: row.changed_at,
        verified_at: row.verified_at,
        key_at,
        value_at,
        key: row.key,
        value: row.value,
    }
}

/// The ids of new rows and of the rows in these segments, ascending.
fn union(news: &News<'_>, absorbed: &[super::Segment]) -> Result<Vec<u32>, Damaged> {
    let mut ids: Vec<u32> = news.order.iter().map(|place| place.id).collect();
    if absorbed.is_empty() {
        return Ok(ids);
    }
    for segment in absorbed {
        ids.extend(segment.all_words(Column::Ids)?.iter().map(|word| u32::from_le_bytes(*word)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Calls `each` for what is asked now and was not before.
fn new_edges(known: Words<'_>, deps: &[u32], mut each: impl FnMut(u32)) {
    if known.len() <= 16 {
        deps.iter().filter(|dep| !known.contains(&dep.to_le_bytes())).for_each(|&dep| each(dep));
    } else {
        let mut sorted: Vec<u32> = known.iter().map(|word| u32::from_le_bytes(*word)).collect();
        sorted.sort_unstable();
        deps.iter().filter(|dep| sorted.binary_search(dep).is_err()).for_each(|&dep| each(dep));
    }
}
