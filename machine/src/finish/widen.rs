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

/// What a branch goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Offset while all branches are short.
    pub at: u32,
    /// Branches that stand before it.
    pub before: u32,
}

/// What widening moved, and columns that are used again.
#[derive(Default, Debug)]
pub(super) struct Widening {
    /// Old offset of the end of each widened branch, how far everything from there on moves.
    wide: Vec<(u32, u32)>,
    /// Of each branch: is it widened?
    pub is_near: Vec<bool>,
    /// How far what follows so many branches moves.
    grown: Vec<i32>,
    bytes: Vec<u8>,
}

impl Widening {
    /// Moves offsets that rise.
    pub(super) fn shift<'a>(&self, offsets: impl Iterator<Item = &'a mut u32>) {
        let mut at = None;
        for offset in offsets {
            let mut next = match at {
                Some(at) => at,
                None => self.wide.partition_point(|&(end, _)| end <= *offset),
            };
            while self.wide.get(next).is_some_and(|&(end, _)| end <= *offset) {
                next += 1;
            }
            at = Some(next);
            *offset += self.moved(next);
        }
    }

    fn moved(&self, count: usize) -> u32 {
        count.checked_sub(1).map_or(0, |last| self.wide[last].1)
    }

    /// How far what stands behind all branches moves.
    pub(super) fn total(&self) -> u32 {
        self.moved(self.wide.len())
    }
}

/// Does this distance fit into a byte?
const fn fits(distance: i64) -> bool {
    distance >= -128 && distance <= 127
}

/// Bytes that one step of copying moves.
const STEP: usize = 16;

/// Copies a run of bytes in steps that may go too far; both sides have room behind.
fn copy(to: &mut [u8], mut at: usize, from: &[u8], start: usize, end: usize) {
    let mut next = start;
    while next < end {
        match (to.get_mut(at..at + STEP), from.get(next..next + STEP)) {
            (Some(to), Some(from)) => to.copy_from_slice(from),
            (_, _) => return,
        }
        (at, next) = (at + STEP, next + STEP);
    }
}

/// Writes the displacements, with room made for those that need more than a byte. Says whether there are any.
pub(super) fn resolve(
    out: &mut Buffer,
    branches: &[Branch],
    target: impl Fn(&Branch) -> Target,
    widening: &mut Widening,
) -> (Vec<u8>, bool) {
    let growth = |opcode: u8| if opcode == 0xeb { 3 } else { 4 };
    let mut any_far = false;
    for branch in branches {
        let distance = i64::from(target(branch).at) - i64::from(branch.at + 2);
        if fits(distance) {
            out.patch_byte(branch.at as usize + 1, distance as i8);
        } else {
            any_far = true;
        }
    }
    let Widening { wide, is_near, grown, bytes } = widening;
    wide.clear();
    is_near.clear();
    if !any_far {
        is_near.resize(branches.len(), false);
        return (out.written().to_vec(), false);
    }
    let short = out.with_room();
    // Growth before each branch, under the assumption of the round before.
    is_near.resize(branches.len(), true);
    for _ in 0..2 {
        grown.clear();
        let mut total = 0;
        grown.push(0);
        for (branch, &near) in branches.iter().zip(&*is_near) {
            if near {
                total += growth(short[branch.at as usize]);
            }
            grown.push(total);
        }
        for ((branch, near), pair) in branches.iter().zip(is_near.iter_mut()).zip(grown.windows(2)) {
            let to = target(branch);
            let moved = grown[to.before as usize];
            // A backward branch does not jump over itself, a forward one starts behind itself.
            let own = if to.at > branch.at { pair[1] } else { pair[0] };
            let distance = i64::from(to.at) + i64::from(moved) - i64::from(branch.at + 2) - i64::from(own);
            *near = !fits(distance);
        }
    }
    grown.clear();
    grown.push(0);
    let mut total = 0;
    for (branch, &near) in branches.iter().zip(&*is_near) {
        if near {
            total += growth(short[branch.at as usize]);
            wide.push((branch.at + 2, total as u32));
        }
        grown.push(total);
    }
    let len = out.at() as usize + total as usize;
    if bytes.len() < len + 2 * STEP {
        bytes.resize(len + 2 * STEP, 0);
    }
    let mut copied = 0;
    let mut at = 0;
    for (branch, &near) in branches.iter().zip(&*is_near) {
        let start = branch.at as usize;
        copy(bytes, at, short, copied, start);
        at += start - copied;
        copied = start + 2;
        let to = target(branch);
        let to = i64::from(to.at) + i64::from(grown[to.before as usize]);
        let opcode = short[start];
        let mut head = [opcode, 0, 0, 0, 0, 0];
        let used = if !near {
            head[1] = (to - (at as i64 + 2)) as u8;
            2
        } else if opcode == 0xeb {
            head[0] = 0xe9;
            head[1..5].copy_from_slice(&((to - (at as i64 + 5)) as i32).to_le_bytes());
            5
        } else {
            head[..2].copy_from_slice(&[0x0f, opcode + 0x10]);
            head[2..].copy_from_slice(&((to - (at as i64 + 6)) as i32).to_le_bytes());
            6
        };
        bytes[at..at + 6].copy_from_slice(&head);
        at += used;
    }
    copy(bytes, at, short, copied, out.at() as usize);
    (bytes[..len].to_vec(), true)
}
