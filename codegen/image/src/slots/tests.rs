use super::*;

fn key(i: u64) -> u128 {
    u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(i)
}

/// Places the keys in the given order; for each key the offset of its slot.
fn placed(keys: &[(u32, u128)]) -> Vec<(u128, u64)> {
    let classes = Classes::new(32, 16);
    let mut entries: Vec<Entry> =
        keys.iter().enumerate().map(|(i, &(size, key))| Entry::new(classes.of(size).expect("small"), key, i as u32)).collect();
    let slots = Slots::place(&mut entries, &classes).expect("keys differ");
    let offsets = slots.offsets(keys.len());
    let mut rows: Vec<(u128, u64)> = keys.iter().zip(offsets).map(|(&(_, key), offset)| (key, offset)).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    for count in [1u64, 2, 7, 8, 9, 100, 1000] {
        let mut keys: Vec<(u32, u128)> = (0..count).map(|i| ((i * 37 % 900) as u32, key(i))).collect();
        let forward = placed(&keys);
        keys.reverse();
        assert_eq!(placed(&keys), forward);
        keys.rotate_left(count as usize / 3);
        assert_eq!(placed(&keys), forward);
    }
}

#[test]
fn slots_do_not_overlap_and_are_dense() {
    let keys: Vec<(u32, u128)> = (0..5000u64).map(|i| (20 + (i * i % 700) as u32, key(i))).collect();
    let classes = Classes::new(32, 16);
    let mut rows: Vec<(u64, u64)> = placed(&keys)
        .into_iter()
        .map(|(key, offset)| {
            let size = keys.iter().find(|row| row.1 == key).expect("placed").0;
            (offset, u64::from(classes.slot(classes.of(size).expect("small"))))
        })
        .collect();
    rows.sort_unstable();
    assert!(rows.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
    let used: u64 = keys.iter().map(|row| u64::from(row.0)).sum();
    let end = rows.last().map_or(0, |row| row.0 + row.1);
    assert!(end * 10 <= used * 145, "{end} bytes for {used}");
}

#[test]
fn a_newcomer_moves_a_handful() {
    let mut keys: Vec<(u32, u128)> = (0..4000).map(|i| (30, key(i))).collect();
    let (mut moved, mut steps) = (0, 0);
    for i in 4000..4100 {
        let before = placed(&keys);
        keys.push((30, key(i)));
        let after: std::collections::BTreeMap<u128, u64> = placed(&keys).into_iter().collect();
        let now = before.iter().filter(|(key, offset)| after[key] != *offset).count();
        if now > 1000 {
            steps += 1;
        } else {
            moved += now;
        }
    }
    assert!(steps <= 1, "the capacity changed {steps} times");
    assert!(moved <= 100 * 20, "{moved} moves for 100 newcomers");
}

#[test]
fn equal_keys_are_found() {
    let classes = Classes::new(32, 16);
    let mut entries = [Entry::new(0, 7, 0), Entry::new(0, 8, 1), Entry::new(0, 7, 2)];
    assert_eq!(Slots::place(&mut entries, &classes), Err((0, 2)));
}

#[test]
fn poor_keys_spread_too() {
    let keys: Vec<(u32, u128)> = (0..200u128).map(|i| (30, i)).collect();
    let rows = placed(&keys);
    let at_home = rows.windows(2).filter(|pair| pair[0].1 + 32 == pair[1].1).count();
    assert!(at_home < 100, "sequential keys stand in sequence");
}

#[test]
fn keys_whose_halves_vary_together_keep_apart() {
    let twins = (0..100_000u64).map(|i| {
        let half = |seed: u64| u128::from((i ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        half(0x1357_9bdf) << 64 | half(0xfeed_f00d)
    });
    let equal = (0..100_000u128).map(|i| i << 64 | i);
    for keys in [&mut { twins } as &mut dyn Iterator<Item = u128>, &mut { equal }] {
        let mut spread: Vec<u64> = keys.map(|key| spread(key) >> (64 - HASH_BITS)).collect();
        spread.sort_unstable();
        spread.dedup();
        assert_eq!(spread.len(), 100_000);
    }
}

#[test]
fn classes_grow_by_about_a_quarter() {
    let classes = Classes::new(32, 16);
    assert_eq!((0..6).map(|class| classes.slot(class)).collect::<Vec<_>>(), [32, 48, 64, 80, 112, 144]);
    assert_eq!(classes.of(33), Some(1));
    assert_eq!(classes.of(0), Some(0));
    assert_eq!(classes.of(u32::MAX), None);
}
