//! Branch forms.
//!
//! Every branch is emitted short: two bytes. Then each is given the distance that it would have if *all* were near; widening the others can only bring it
//! closer to that, so those that reach with it stay short whatever becomes of the rest. A second look, with the first as the upper bound, shortens what the
//! first was too careful about. Both are linear; there is no fixpoint.

use crate::encode::Buffer;

/// A branch that was emitted short.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Branch {
    /// Offset of its opcode.
    pub at: u32,
    /// Its record.
    pub record: u32,
    /// What it goes to, as the caller numbers it.
    pub target: u32,
}

/// What widening moved.
#[derive(Debug)]
pub(super) struct Widening {
    /// Old offset of the end of each widened branch, how far everything from there on moves, its record.
    wide: Vec<(u32, u32, u32)>,
}

impl Widening {
    /// Moves offsets that rise.
    pub(super) fn shift<'a>(&self, offsets: impl Iterator<Item = &'a mut u32>) {
        let mut at = None;
        for offset in offsets {
            let mut next = match at {
                Some(at) => at,
                None => self.wide.partition_point(|&(end, ..)| end <= *offset),
            };
            while self.wide.get(next).is_some_and(|&(end, ..)| end <= *offset) {
                next += 1;
            }
            at = Some(next);
            *offset += self.moved(next);
        }
    }

    fn moved(&self, count: usize) -> u32 {
        count.checked_sub(1).map_or(0, |last| self.wide[last].1)
    }

    /// The records of the widened branches.
    pub(super) fn records(&self) -> impl Iterator<Item = u32> {
        self.wide.iter().map(|&(.., record)| record)
    }
}

/// Does this distance fit into a byte?
const fn fits(distance: i64) -> bool {
    distance >= -128 && distance <= 127
}

/// Writes the displacements, with room made for those that need more than a byte.
pub(super) fn resolve(out: &mut Buffer, branches: &[Branch], target: impl Fn(&Branch) -> u32) -> (Vec<u8>, Option<Widening>) {
    let growth = |opcode: u8| if opcode == 0xeb { 3 } else { 4 };
    let mut any_far = false;
    for branch in branches {
        let distance = i64::from(target(branch)) - i64::from(branch.at + 2);
        if fits(distance) {
            out.patch_byte(branch.at as usize + 1, distance as i8);
        } else {
            any_far = true;
        }
    }
    if !any_far {
        return (out.written().to_vec(), None);
    }
    let short = out.written();
    // Growth up to and with each branch, under the assumption of the round before.
    let mut is_near = vec![true; branches.len()];
    let mut grown = Vec::with_capacity(branches.len());
    for _ in 0..2 {
        grown.clear();
        let mut total = 0i64;
        for (branch, &near) in branches.iter().zip(&is_near) {
            if near {
                total += growth(short[branch.at as usize]);
            }
            grown.push(total);
        }
        for (at, branch) in branches.iter().enumerate() {
            let to = target(branch);
            let before = branches.partition_point(|other| other.at < to);
            let moved = before.checked_sub(1).map_or(0, |last| grown[last]);
            let own = if is_near[at] { growth(short[branch.at as usize]) } else { 0 };
            // A backward branch does not jump over itself, a forward one starts behind itself.
            let from = i64::from(branch.at + 2) + grown[at];
            let distance = i64::from(to) + moved - from;
            let distance = if to > branch.at { distance } else { distance + own };
            is_near[at] = !fits(distance);
        }
    }
    let mut wide = Vec::new();
    let mut total = 0;
    for (branch, &near) in branches.iter().zip(&is_near) {
        if near {
            total += growth(short[branch.at as usize]) as u32;
            wide.push((branch.at + 2, total, branch.record));
        }
    }
    let widening = Widening { wide };
    let mut bytes = Vec::with_capacity(short.len() + total as usize);
    let mut copied = 0;
    for (branch, &near) in branches.iter().zip(&is_near) {
        let at = branch.at as usize;
        bytes.extend_from_slice(&short[copied..at]);
        copied = at + 2;
        let mut to = target(branch);
        widening.shift(std::iter::once(&mut to));
        let opcode = short[at];
        if !near {
            bytes.push(opcode);
            let distance = i64::from(to) - (bytes.len() as i64 + 1);
            bytes.push(distance as i8 as u8);
            continue;
        }
        if opcode == 0xeb {
            bytes.push(0xe9)
        } else {
            bytes.extend_from_slice(&[0x0f, opcode + 0x10])
        }
        let distance = i64::from(to) - (bytes.len() as i64 + 4);
        bytes.extend_from_slice(&(distance as i32).to_le_bytes());
    }
    bytes.extend_from_slice(&short[copied..]);
    (bytes, Some(widening))
}
