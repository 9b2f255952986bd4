//! Tables of `std/map.ori`: slots that are 0 when free, else a tag of 31 bits above the number of an entry. A tag stands as a fraction for where in the
//! table it belongs, and goes on slot by slot from there to a free one.

/// Slots of the smallest table.
pub const LEAST: usize = 32;

/// How many slots the table has that follows one of so many.
pub const fn doubled(slots: usize) -> usize {
    let double = slots.saturating_mul(2);
    if double < LEAST { LEAST } else { double }
}

/// Slots that are gathered before they are moved.
const AT_ONCE: usize = 64;

/// Moves the slots of a table to a larger one, which is all 0. They come in the order of their places, more or less, so the large table is written from front
/// to back. About every second slot of a table that is full is free, and which ones nobody foretells: those that are not are gathered without a branch.
#[inline(always)]
pub fn move_into(table: &mut [u64], slots: impl Iterator<Item = u64>) {
    let size = table.len();
    let mut slots = slots.fuse();
    let mut gathered = [0; AT_ONCE];
    loop {
        let (mut count, mut seen) = (0, 0);
        for slot in slots.by_ref().take(AT_ONCE) {
            if let Some(place) = gathered.get_mut(count) {
                *place = slot;
            }
            count += usize::from(slot != 0);
            seen += 1;
        }
        for &slot in gathered.iter().take(count) {
            place(table, size, slot);
        }
        if seen < AT_ONCE {
            return;
        }
    }
}

#[inline(always)]
fn place(table: &mut [u64], size: usize, slot: u64) {
    let mut at = ((slot >> 32).wrapping_mul(size as u64) >> 31) as usize;
    for _ in 0..=size {
        match table.get_mut(at) {
            Some(free) if *free == 0 => {
                *free = slot;
                return;
            }
            Some(_) => at += 1,
            // Behind the end, or a word that no table holds.
            None => at = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;
    use std::{collections::HashMap, vec};

    use super::*;

    fn find(table: &[u64], tag: u64) -> Option<u64> {
        let mut at = ((tag * table.len() as u64) >> 31) as usize;
        loop {
            match table[at] {
                0 => return None,
                slot if slot >> 32 == tag => return Some(slot & 0xffff_ffff),
                _ => at = (at + 1) % table.len(),
            }
        }
    }

    #[test]
    fn what_is_in_a_table_is_in_the_one_that_follows() {
        let (mut table, mut known): (Vec<u64>, HashMap<u64, u64>) = (vec![0; doubled(0)], HashMap::new());
        let mut x = 7u64;
        for number in 0..5000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Many that wrap round the end.
            let tag = if number % 3 == 0 { 0x7fff_ffff - number } else { x >> 33 | 1 };
            if known.insert(tag, number).is_some() {
                continue;
            }
            if known.len() * 2 > table.len() {
                let mut next = vec![0; doubled(table.len())];
                move_into(&mut next, table.iter().copied());
                table = next;
            }
            move_into(&mut table, [tag << 32 | number].into_iter());
        }
        for (&tag, &number) in &known {
            assert_eq!(find(&table, tag), Some(number));
        }
        assert_eq!(table.iter().filter(|slot| **slot != 0).count(), known.len());
    }

    #[test]
    fn words_that_are_no_slots_do_no_harm() {
        let mut table = vec![0; 32];
        move_into(&mut table, [u64::MAX, 1 << 63, 5, u64::MAX].into_iter());
        assert_eq!(table.iter().filter(|slot| **slot != 0).count(), 4);
    }
}
