//! Writing a segment: rows come in ascending order of id, the file comes out.

use super::bytes::{Put, checksum};
use super::head::SegmentEntry;
use super::row::{PackedRow, ROW, set_dependents_start};
use super::segment::{COLUMNS, Column, Extent, MAGIC, PAGE, SUMS_A_PAGE, slot_of, spread};
use super::trace::{self, PackedTrace};
use crate::fingerprint::Fp;

/// A segment being written.
pub(crate) struct Builder {
    is_base: bool,
    rows: Vec<[u8; ROW]>,
    ids: Vec<u32>,
    deps: Vec<u32>,
    traces: Vec<u32>,
    /// Delta: (dependency, dependent) that the segments below do not have.
    edges: Vec<(u32, u32)>,
    /// Rows whose keys the index must find.
    indexed: Vec<(u64, u32)>,
    /// Ids that are out of date, ascending.
    pub yellow: Vec<u32>,
    /// Sections by column.
    pub sections: Vec<(Column, Vec<u8>)>,
}

/// A segment as it goes to disk; `entry.serial` is still to be given.
pub(crate) struct Encoded {
    pub bytes: Vec<u8>,
    pub entry: SegmentEntry,
}

/// More than the format can hold.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Builder {
    pub fn new(is_base: bool, rows: usize) -> Builder {
        Builder {
            is_base,
            rows: Vec::with_capacity(rows + 1),
            ids: Vec::with_capacity(if is_base { 0 } else { rows }),
            deps: Vec::with_capacity(rows * 6),
            traces: Vec::new(),
            edges: Vec::new(),
            indexed: Vec::with_capacity(if is_base { rows } else { 0 }),
            yellow: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// Adds the row of a node. Base: of the next node. `is_new_key`: the segments below do not find it.
    pub fn push(&mut self, id: u32, row: &PackedRow, deps: &[u32], traces: &[PackedTrace], is_new_key: bool) {
        let local = self.rows.len() as u32;
        if !self.is_base {
            self.ids.push(id);
        }
        if is_new_key {
            self.indexed.push((row.key.0, local));
        }
        let trace = trace::encode(traces, &mut self.traces);
        self.rows.push(row.encode(self.deps.len() as u32, trace));
        self.deps.extend_from_slice(deps);
    }

    /// Delta: `dependent`, whose row is here, asks `dependency`, and the segments below do not know.
    pub fn edge(&mut self, dependency: u32, dependent: u32) {
        self.edges.push((dependency, dependent));
    }

    /// The file. `nodes` is the number of nodes in the graph with this segment.
    pub fn finish(mut self, nodes: u32, schema: &[(u16, Fp)]) -> Result<Encoded, TooLarge> {
        let count = u32::try_from(self.rows.len()).ok().filter(|&count| count < u32::MAX / 2).ok_or(TooLarge)?;
        if self.deps.len() >= u32::MAX as usize || self.traces.len() >= u32::MAX as usize {
            return Err(TooLarge);
        }
        self.rows.push(PackedRow::EMPTY.encode(self.deps.len() as u32, 0));
        let (dependents, dependents_map) = if self.is_base { (self.group_edges(), Vec::new()) } else { self.list_edges() };
        let id_map = pairs(self.ids.iter().enumerate().map(|(local, &id)| (id, local as u32)));
        let index = self.index();

        let schema_len = schema.len() * 18;
        let columns: [Option<Payload<'_>>; COLUMNS] = {
            let mut sections = [None, None, None];
            for (column, bytes) in &self.sections {
                match column {
                    Column::Inputs => sections[0] = Some(Payload::Bytes(bytes)),
                    Column::Outputs => sections[1] = Some(Payload::Bytes(bytes)),
                    Column::Roots => sections[2] = Some(Payload::Bytes(bytes)),
                    Column::Rows
                    | Column::Ids
                    | Column::IdMap
                    | Column::Deps
                    | Column::Dependents
                    | Column::DependentsMap
                    | Column::Index
                    | Column::Traces
                    | Column::Yellow => {}
                }
            }
            let [inputs, outputs, roots] = sections;
            [
                Some(Payload::Bytes(self.rows.as_flattened())),
                Some(Payload::Words(&self.ids)),
                Some(Payload::Words(&id_map)),
                Some(Payload::Words(&self.deps)),
                Some(Payload::Words(&dependents)),
                Some(Payload::Words(&dependents_map)),
                Some(Payload::Words(&index)),
                Some(Payload::Words(&self.traces)),
                Some(Payload::Words(&self.yellow)),
                inputs,
                outputs,
                roots,
            ]
        };
        // The header's length depends on the number of pages, and so on the length of the data, but not on where it starts.
        let mut offset = 0usize;
        let mut extents = [Extent::default(); COLUMNS];
        for (extent, payload) in extents.iter_mut().zip(&columns) {
            if let Some(payload) = payload {
                *extent = Extent { at: offset, len: payload.len() };
                offset = (offset + payload.len()).next_multiple_of(64);
            }
        }
        let data_len = extents.iter().map(|extent| extent.at + extent.len).max().unwrap_or(0);
        let pages = data_len.div_ceil(PAGE);
        let roots = pages.div_ceil(SUMS_A_PAGE);
        let header_len = 8 + 16 + 16 + COLUMNS * 16 + schema_len + roots * 8;
        let data_at = header_len.next_multiple_of(PAGE);

        let mut out = Vec::with_capacity(data_at + data_len.next_multiple_of(8) + pages * 8);
        out.resize(data_at, 0);
        for (extent, payload) in extents.iter().zip(&columns) {
            if let Some(payload) = payload {
                out.resize(data_at + extent.at, 0);
                payload.write(&mut out);
            }
        }
        let data_end = data_at + data_len;
        let sums: Vec<u64> = out.get(data_at..data_end).unwrap_or_default().chunks(PAGE).map(checksum).collect();
        out.resize(data_end.next_multiple_of(8), 0);
        let sums_at = out.len();
        sums.iter().for_each(|&sum| out.put64(sum));
        let roots: Vec<u64> = out.get(sums_at..).unwrap_or_default().chunks(PAGE).map(checksum).collect();

        let mut header = Vec::with_capacity(header_len);
        header.extend_from_slice(&MAGIC);
        header.put32(u32::from(!self.is_base));
        header.put32(count);
        header.put32(nodes);
        header.put32(schema.len() as u32);
        header.put64(data_at as u64);
        header.put64(data_end as u64);
        for (extent, payload) in extents.iter().zip(&columns) {
            header.put64(if payload.is_some() { (data_at + extent.at) as u64 } else { 0 });
            header.put64(extent.len as u64);
        }
        for &(kind, fp) in schema {
            header.put16(kind);
            header.put_fp(fp);
        }
        roots.iter().for_each(|&sum| header.put64(sum));
        debug_assert_eq!(header.len(), header_len, "the length was computed before the header");
        let entry = SegmentEntry { serial: 0, header_len: header_len as u32, file_len: out.len() as u64, header_sum: checksum(&header) };
        out[..header_len].copy_from_slice(&header);
        Ok(Encoded { bytes: out, entry })
    }

    /// Base: dependents of each node, by counting. Sets the starts in the rows.
    fn group_edges(&mut self) -> Vec<u32> {
        let count = self.rows.len() - 1;
        let starts_of_deps: Vec<u32> = self.rows.iter().map(|row| super::row::RawRow(row).deps_start()).collect();
        let mut starts = vec![0u32; count + 1];
        for &dep in &self.deps {
            if let Some(start) = starts.get_mut(dep as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        for (row, &start) in self.rows.iter_mut().zip(&starts) {
            set_dependents_start(row, start);
        }
        let mut out = vec![0u32; sum as usize];
        let mut next = starts;
        for (id, bounds) in (0u32..).zip(starts_of_deps.windows(2)) {
            for &dep in self.deps.get(bounds[0] as usize..bounds[1] as usize).unwrap_or_default() {
                if let Some(place) = next.get_mut(dep as usize) {
                    out[*place as usize] = id;
                    *place += 1;
                }
            }
        }
        out
    }

    /// Delta: lists of dependents after their lengths, and the table that finds them.
    fn list_edges(&mut self) -> (Vec<u32>, Vec<u32>) {
        self.edges.sort_unstable();
        self.edges.dedup();
        let mut lists = Vec::with_capacity(self.edges.len() * 2);
        let mut found = Vec::new();
        for group in self.edges.chunk_by(|a, b| a.0 == b.0) {
            found.push((group[0].0, lists.len() as u32));
            lists.push(group.len() as u32);
            lists.extend(group.iter().map(|&(_, dependent)| dependent));
        }
        (lists, pairs(found.into_iter()))
    }

    fn index(&self) -> Vec<u32> {
        let mut slots = vec![0u32; self.indexed.len() * 2];
        for &(hash, local) in &self.indexed {
            place(&mut slots, 1, hash, |slot| slot[0] = local + 1);
        }
        slots
    }
}

/// A hash table of pairs (id + 1, value), half full at most.
fn pairs(items: impl ExactSizeIterator<Item = (u32, u32)>) -> Vec<u32> {
    let mut slots = vec![0u32; items.len() * 4];
    for (id, value) in items {
        place(&mut slots, 2, spread(id), |slot| slot.copy_from_slice(&[id + 1, value]));
    }
    slots
}

/// Fills the first free slot from where the search for `hash` starts.
fn place(slots: &mut [u32], width: usize, hash: u64, fill: impl FnOnce(&mut [u32])) {
    let count = slots.len() / width;
    let mut at = slot_of(hash, count);
    while slots[at * width] != 0 {
        at = if at + 1 == count { 0 } else { at + 1 };
    }
    fill(&mut slots[at * width..(at + 1) * width]);
}

enum Payload<'a> {
    Bytes(&'a [u8]),
    Words(&'a [u32]),
}

impl Payload<'_> {
    fn len(&self) -> usize {
        match self {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Words(words) => words.len() * 4,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Payload::Bytes(bytes) => out.extend_from_slice(bytes),
            Payload::Words(words) => out.extend(words.iter().flat_map(|word| word.to_le_bytes())),
        }
    }
}
