use super::*;
use crate::sidecar::pages::{PAGE, checksum};

/// A table with room for `capacity` rows of three words in pages of zeros.
fn empty(capacity: u32, pairs: bool) -> (Table, Vec<[u8; PAGE]>, Vec<[u8; 8]>) {
    let table = Table { at: 5, words: 3, capacity, count: 0, pairs, name: "rows" };
    let pages = vec![[0; PAGE]; (table.size() as usize * 8 + 40).div_ceil(PAGE)];
    let sums = pages.iter().enumerate().map(|(number, page)| checksum(number as u64, page).to_le_bytes()).collect();
    (table, pages, sums)
}

fn rows(table: &Table, pages: &Pages) -> Vec<[u64; 3]> {
    (0..table.capacity).map(|row| table.row(pages, row).expect("in range")).collect()
}

fn placed(mut wanted: Vec<[u64; 3]>, capacity: u32) -> Vec<[u64; 3]> {
    wanted.sort_unstable();
    let mut rows = vec![[0; 3]; capacity as usize];
    for (row, place) in wanted.iter().zip(places(wanted.iter().map(|row| row[0]), capacity)) {
        rows[place as usize] = *row;
    }
    rows
}

/// A first word whose home is `share` of the way, and that differs by `number` from others.
fn first(share: u64, number: u64) -> u64 {
    (share << 52) | (number & 0xff_ffff) << 8 | 1
}

/// Random entries and removals; `homes` says how far the homes spread.
fn check(seed: u64, capacity: u32, homes: u64, pairs: bool) {
    let (mut table, old, sums) = empty(capacity, pairs);
    let mut pages = Pages::new(&old, &sums);
    let mut model: Vec<[u64; 3]> = Vec::new();
    let mut state = seed;
    let mut random = |limit: u64| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) % limit
    };
    for step in 0..600 {
        let at = format!("seed {seed}, capacity {capacity}, homes {homes}, step {step}");
        if random(100) < 45 && !model.is_empty() {
            let [word, second, _] = model.swap_remove(random(model.len() as u64) as usize);
            let short = Short::from_word(word).expect("not 0");
            let found = if pairs { table.find_pair(&pages, short, second) } else { table.find(&pages, short) };
            let row = found.expect("sound").unwrap_or_else(|| panic!("{at}: not found"));
            table.remove(&mut pages, row).expect("sound");
        } else {
            // Both ends are crowded now and then.
            let share = if random(3) == 0 { 4095 - random(homes.min(30)) } else { 4095 * random(homes) / homes };
            let row = [first(share, random(if pairs { 4 } else { 1 << 24 })), random(1 << 30), step];
            let twin = |other: &[u64; 3]| other[0] == row[0] && (!pairs || other[1] == row[1]);
            if model.iter().any(twin) {
                continue;
            }
            let result = table.insert(&mut pages, &row);
            if model.len() == capacity as usize {
                assert_eq!(result, Err(Fallback::Capacity("rows")), "{at}");
                continue;
            }
            result.expect("has room");
            model.push(row);
        }
        assert_eq!(rows(&table, &pages), placed(model.clone(), capacity), "{at}");
        assert_eq!(table.count as usize, model.len());
        if pairs && let Some(&[word, ..]) = model.first() {
            let run = table.run(&pages, Short::from_word(word).expect("not 0")).expect("sound");
            assert_eq!(run.len(), model.iter().filter(|row| row[0] == word).count(), "{at}");
        }
    }
}

#[test]
fn a_changed_table_is_the_one_built_at_once() {
    for seed in 0..12 {
        for (capacity, homes) in [(1, 1), (3, 2), (10, 4096), (50, 3), (50, 4096), (200, 40), (200, 4096)] {
            check(seed, capacity, homes, false);
            check(seed, capacity, homes, true);
        }
    }
}

#[test]
fn many_look_ups_find_what_one_does() {
    let (mut table, old, sums) = empty(100, false);
    let mut pages = Pages::new(&old, &sums);
    for number in 0..95u64 {
        table.insert(&mut pages, &[first(number * 977 % 4096, number), number, 0]).expect("has room");
    }
    let mut written = old.clone();
    for (number, page) in pages.changed() {
        written[number] = *page;
    }
    let sums: Vec<[u8; 8]> = written.iter().enumerate().map(|(number, page)| checksum(number as u64, page).to_le_bytes()).collect();
    let pages = Pages::new(&written, &sums);
    let rows: OldRows<'_, 3> = table.old_rows(&pages).expect("sound");
    for number in 0..200u64 {
        let short = Short::from_word(first(number * 977 % 4096, number)).expect("not 0");
        let found = rows.find(short).map(|(row, _)| row);
        assert_eq!(found, table.find(&pages, short).expect("sound"));
        assert_eq!(found.is_some(), number < 95);
    }
}

#[test]
fn a_page_that_does_not_verify_is_not_read() {
    let (table, mut old, sums) = empty(600, false);
    old[1][77] ^= 4;
    let pages = Pages::new(&old, &sums);
    assert_eq!(table.first(&pages, 0), Ok(0));
    assert_eq!(table.first(&pages, 300), Err(Fallback::Damaged));
    assert_eq!(table.first(&pages, 1 << 20), Err(Fallback::Damaged));
}
