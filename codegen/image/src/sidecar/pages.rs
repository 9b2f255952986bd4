//! The tables of a sidecar as pages: the old bytes below, what a plan changed above. A page is verified when it is first touched, so that an edit pays
//! for what it reads.

use std::cell::Cell;

use super::Fallback;

/// Bytes of a page: the unit of verification and of writing.
pub const PAGE: usize = 4096;
const WORDS: u64 = (PAGE / 8) as u64;

/// Every word goes into one of eight lanes, and each step is a bijection of the lane and of the word: one changed word always shows, several hide with
/// 2^-64. Eight lanes keep the multiplier busy: 20 GB/s.
pub fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    const FOLD: u64 = 0xd6e8_feb8_6659_fd93;
    let mut lanes = [0u64; 8];
    for (number, lane) in lanes.iter_mut().enumerate() {
        *lane = (seed + 1).wrapping_mul(FOLD).rotate_left(8 * number as u32) ^ STEP;
    }
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut block = |bytes: &[u8; 64]| {
        for (lane, word) in lanes.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(STEP).rotate_left(29);
        }
    };
    blocks.iter().for_each(&mut block);
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    block(&last);
    let hash = lanes.iter().fold(bytes.len() as u64, |hash, lane| (hash.rotate_left(23) ^ lane).wrapping_mul(FOLD));
    hash ^ hash >> 32
}

/// Old pages with changed ones over them. Addresses count from the first page.
#[derive(Debug)]
pub struct Pages<'a> {
    old: &'a [[u8; PAGE]],
    sums: &'a [[u8; 8]],
    verified: Vec<Cell<bool>>,
    fresh: Vec<Option<Box<[u8; PAGE]>>>,
}

impl<'a> Pages<'a> {
    /// Pages and their checksums.
    pub fn new(old: &'a [[u8; PAGE]], sums: &'a [[u8; 8]]) -> Self {
        Pages { old, sums, verified: vec![Cell::new(false); old.len()], fresh: vec![None; old.len()] }
    }

    fn old_page(&self, number: usize) -> Result<&'a [u8; PAGE], Fallback> {
        let (Some(page), Some(verified)) = (self.old.get(number), self.verified.get(number)) else { return Err(Fallback::Damaged) };
        if !verified.get() {
            if self.sums.get(number) != Some(&checksum(number as u64, page).to_le_bytes()) {
                return Err(Fallback::Damaged);
            }
            verified.set(true);
        }
        Ok(page)
    }

    /// The word with a number.
    pub fn word(&self, number: u64) -> Result<u64, Fallback> {
        let page = (number / WORDS) as usize;
        match self.fresh.get(page) {
            Some(Some(fresh)) => Ok(in_page(fresh, number)),
            Some(None) | None => self.old_word(number),
        }
    }

    /// The word with a number before the plan.
    pub fn old_word(&self, number: u64) -> Result<u64, Fallback> {
        Ok(in_page(self.old_page((number / WORDS) as usize)?, number))
    }

    /// Words before the plan, all verified: for a look at a whole table.
    pub fn old_words(&self, first: u64, count: u64) -> Result<&'a [[u8; 8]], Fallback> {
        for page in first / WORDS..(first + count).div_ceil(WORDS) {
            self.old_page(page as usize)?;
        }
        let words = self.old.as_flattened().as_chunks::<8>().0;
        words.get(first as usize..(first + count) as usize).ok_or(Fallback::Damaged)
    }

    /// Changes the word with a number.
    pub fn set(&mut self, number: u64, value: u64) -> Result<(), Fallback> {
        let page = (number / WORDS) as usize;
        let old = self.old_page(page)?;
        let Some(fresh) = self.fresh.get_mut(page) else { return Err(Fallback::Damaged) };
        let fresh = match fresh {
            Some(fresh) => fresh,
            None if in_page(old, number) == value => return Ok(()),
            None => fresh.insert(Box::new(*old)),
        };
        let at = (number % WORDS) as usize;
        if let Some(place) = fresh.as_chunks_mut::<8>().0.get_mut(at) {
            *place = value.to_le_bytes();
        }
        Ok(())
    }

    /// The pages that differ from the old ones.
    pub fn changed(self) -> impl Iterator<Item = (usize, Box<[u8; PAGE]>)> {
        let old = self.old;
        let fresh = self.fresh.into_iter().enumerate().filter_map(|(number, page)| Some((number, page?)));
        fresh.filter(move |(number, page)| old.get(*number) != Some(&**page))
    }
}

fn in_page(page: &[u8; PAGE], number: u64) -> u64 {
    let at = (number % WORDS) as usize;
    page.as_chunks::<8>().0.get(at).map_or(0, |word| u64::from_le_bytes(*word))
}
