//! Superseded states of a node (*constructive traces*): going back to one of them executes nothing.
//!
//! A trace says: when these dependencies, asked in this order, had these fingerprints, the value was that. A segment keeps for a row a list in the column
//! `Traces`, newest first: the number of states, then for each the words flags, number of dependencies, place of the value, fingerprint of the value (4),
//! ids of the dependencies, their fingerprints (4 each). Older segments may have more; eight in all are kept.

use super::segment::{Column, Segment, word};
use super::{BlobAt, Damaged};
use crate::fingerprint::Fp;

/// States remembered for one node.
pub const MAX_TRACES: usize = 8;

const FIXED: usize = 7;

/// A state that a node once had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// What it asked, in order, and the fingerprint of each answer.
    pub deps: Vec<(u32, Fp)>,
    /// Fingerprint of what it answered.
    pub value: Fp,
    /// Where the answer is, or [`BlobAt::NONE`].
    pub value_at: BlobAt,
    /// The engine's.
    pub flags: u8,
}

/// A trace with the place of its value as the disk has it.
#[derive(Clone)]
pub(crate) struct PackedTrace {
    pub deps: Vec<(u32, Fp)>,
    pub value: Fp,
    pub value_at: u32,
    pub flags: u8,
}

impl PackedTrace {
    /// Is it the same state? Then remembering both is useless: the newer one, whose value is more likely to be there, is kept.
    fn is_same_state(&self, other: &PackedTrace) -> bool {
        self.value == other.value && self.flags == other.flags && self.deps == other.deps
    }
}

/// Adds a trace to a list, newest first, unless it is there or the list is full.
pub(crate) fn remember(list: &mut Vec<PackedTrace>, trace: PackedTrace) {
    if list.len() < MAX_TRACES && !list.iter().any(|known| known.is_same_state(&trace)) {
        list.push(trace);
    }
}

/// Appends a list to a column; the word for the row.
pub(crate) fn encode(list: &[PackedTrace], out: &mut Vec<u32>) -> u32 {
    if list.is_empty() {
        return 0;
    }
    let at = out.len() as u32 + 1;
    out.push(list.len() as u32);
    for trace in list {
        out.extend([u32::from(trace.flags), trace.deps.len() as u32, trace.value_at]);
        push_fp(out, trace.value);
        out.extend(trace.deps.iter().map(|&(id, _)| id));
        for &(_, fp) in &trace.deps {
            push_fp(out, fp);
        }
    }
    at
}

fn push_fp(out: &mut Vec<u32>, fp: Fp) {
    out.extend([fp.0 as u32, (fp.0 >> 32) as u32, fp.1 as u32, (fp.1 >> 32) as u32]);
}

/// Reads the list of a row into `list`.
pub(crate) fn decode(segment: &Segment, at: u32, nodes: u32, list: &mut Vec<PackedTrace>) -> Result<(), Damaged> {
    let Some(at) = at.checked_sub(1) else { return Ok(()) };
    let mut at = at as usize;
    let count = word(segment.words(Column::Traces, at, at + 1)?, 0)?;
    at += 1;
    for _ in 0..count {
        let fixed = segment.words(Column::Traces, at, at + FIXED)?;
        let len = word(fixed, 1)? as usize;
        let from = at + FIXED;
        let to = len.checked_mul(5).and_then(|words| words.checked_add(from)).ok_or(Damaged)?;
        let body = segment.words(Column::Traces, from, to)?;
        let (ids, fps) = body.split_at(len);
        let mut deps = Vec::with_capacity(len);
        for (id, fp) in ids.iter().zip(fps.as_chunks::<4>().0) {
            let id = u32::from_le_bytes(*id);
            if id >= nodes {
                return Err(Damaged);
            }
            deps.push((id, fp_of(fp)));
        }
        let value = fixed.last_chunk::<4>().map(fp_of).ok_or(Damaged)?;
        remember(list, PackedTrace { deps, value, value_at: word(fixed, 2)?, flags: word(fixed, 0)? as u8 });
        at = to;
    }
    Ok(())
}

fn fp_of(words: &[[u8; 4]; 4]) -> Fp {
    let half = |low: [u8; 4], high: [u8; 4]| u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32;
    Fp(half(words[0], words[1]), half(words[2], words[3]))
}
