//! Which nodes any delta says something about: for all others the base is asked at once, whatever the number of deltas.

use super::Damaged;
use super::segment::{Column, Segment};

/// Two sets of node ids, as bits.
#[derive(Default)]
pub struct Overlay {
    rows: Vec<u64>,
    dependents: Vec<u64>,
}

impl Overlay {
    /// Of these segments. Costs a look at the ids of all deltas, which are few.
    pub fn of(segments: &[Segment], nodes: u32) -> Result<Overlay, Damaged> {
        let words = (nodes as usize).div_ceil(64);
        let mut overlay = Overlay { rows: vec![0; words], dependents: vec![0; words] };
        for segment in segments.iter().filter(|segment| !segment.is_base()) {
            for id in segment.all_words(Column::Ids)? {
                set(&mut overlay.rows, u32::from_le_bytes(*id));
            }
            // A hash table of pairs (id + 1, place); zero is a free slot.
            for pair in segment.all_words(Column::DependentsMap)?.chunks_exact(2) {
                if let Some(id) = u32::from_le_bytes(pair[0]).checked_sub(1) {
                    set(&mut overlay.dependents, id);
                }
            }
        }
        Ok(overlay)
    }

    /// May a delta have a row of this node?
    #[inline]
    pub fn has_row(&self, id: u32) -> bool {
        has(&self.rows, id)
    }

    /// May a delta know dependents of this node?
    #[inline]
    pub fn has_dependents(&self, id: u32) -> bool {
        has(&self.dependents, id)
    }
}

fn set(bits: &mut [u64], id: u32) {
    if let Some(word) = bits.get_mut(id as usize / 64) {
        *word |= 1 << (id % 64);
    }
}

#[inline]
fn has(bits: &[u64], id: u32) -> bool {
    bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 != 0)
}
