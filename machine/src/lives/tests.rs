use super::*;

/// Blocks of three positions each with these edges from their last positions, and accesses `(slot, position, writes)`; the row of each slot.
fn rows(blocks: &[&[u32]], accesses: &[(u32, u32, bool)]) -> Vec<Option<u32>> {
    let mut lives = Lives::default();
    fill(&mut lives, blocks, accesses);
    let slots = accesses.iter().map(|access| access.0 as usize + 1).max().unwrap_or(0);
    lives.share(3 * blocks.len() as u32, slots, |_| Some(8)).0
}

fn fill(lives: &mut Lives, blocks: &[&[u32]], accesses: &[(u32, u32, bool)]) {
    lives.clear();
    for (at, targets) in blocks.iter().enumerate() {
        lives.block(3 * at as u32);
        targets.iter().for_each(|&to| lives.edge(to, 3 * at as u32 + 2));
        for &(slot, position, writes) in accesses.iter().filter(|access| access.1 as usize / 3 == at) {
            lives.access(slot, position, writes);
        }
    }
}

#[test]
fn one_after_the_other_is_one_row_and_at_once_are_two() {
    let straight: &[&[u32]] = &[&[1], &[]];
    assert_eq!(rows(straight, &[(0, 0, true), (0, 1, false), (1, 2, true), (1, 3, false)]), [Some(0), Some(0)]);
    assert_eq!(rows(straight, &[(0, 0, true), (1, 1, true), (0, 2, false), (1, 3, false)]), [Some(0), Some(1)]);
    // An operand and a result of the same instruction meet.
    assert_eq!(rows(straight, &[(0, 0, true), (0, 1, false), (1, 1, true), (1, 2, false)]), [Some(0), Some(1)]);
}

#[test]
fn arms_share_and_what_lives_across_them_does_not() {
    let diamond: &[&[u32]] = &[&[1, 2], &[3], &[3], &[]];
    let arms = [(0, 3, true), (0, 4, false), (1, 6, true), (1, 7, false)];
    assert_eq!(rows(diamond, &arms), [Some(0), Some(0)]);
    let mut across = arms.to_vec();
    across.extend([(2, 0, true), (2, 9, false)]);
    assert_eq!(rows(diamond, &across), [Some(1), Some(1), Some(0)]);
}

#[test]
fn what_a_loop_needs_again_keeps_its_row() {
    let looped: &[&[u32]] = &[&[1], &[1, 2], &[]];
    // Slot 0 is read at the top of each turn, slot 1 lives in the turn behind that.
    assert_eq!(rows(looped, &[(0, 0, true), (0, 3, false), (1, 4, true), (1, 5, false)]), [Some(0), Some(1)]);
    // Written anew in each turn, it is free at the turn's end.
    assert_eq!(rows(looped, &[(0, 3, true), (0, 4, false), (1, 5, true)]), [Some(0), Some(0)]);
}

#[test]
fn what_is_needed_everywhere_or_must_not_be_shared_is_alone() {
    let chain: Vec<Vec<u32>> = (0..100).map(|at| if at == 99 { vec![] } else { vec![at + 1] }).collect();
    let chain: Vec<&[u32]> = chain.iter().map(Vec::as_slice).collect();
    assert_eq!(rows(&chain, &[(0, 0, true), (0, 250, false), (1, 297, true), (1, 298, false)]), [Some(0), Some(1)]);
    assert_eq!(rows(&chain, &[(0, 0, true), (0, 50, false), (1, 297, true), (1, 298, false)]), [Some(0), Some(0)]);
    let mut lives = Lives::default();
    fill(&mut lives, &[&[1], &[]], &[(0, 0, true), (0, 1, false), (1, 2, true), (1, 3, false)]);
    assert_eq!(lives.share(6, 2, |slot| (slot == 1).then_some(8)), (vec![None, Some(0)], vec![8]));
}

/// Steps of a run: what is in each row is what was last written to the slot that is read.
#[test]
fn no_run_finds_another_slot_in_its_row() {
    let mut seed = 1u64;
    let mut roll = |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound
    };
    let mut shared = 0;
    for _ in 0..400 {
        let count = 2 + roll(6) as u32;
        let edges: Vec<Vec<u32>> = (0..count).map(|_| (0..roll(3)).map(|_| roll(u64::from(count)) as u32).collect()).collect();
        let slots = 2 + roll(5) as u32;
        let mut accesses = Vec::new();
        for position in 0..3 * count {
            if roll(3) > 0 {
                accesses.push((roll(u64::from(slots)) as u32, position, roll(2) == 0));
            }
        }
        let blocks: Vec<&[u32]> = edges.iter().map(Vec::as_slice).collect();
        let rows = rows(&blocks, &accesses);
        shared += usize::from(rows.iter().flatten().collect::<std::collections::BTreeSet<_>>().len() < rows.iter().flatten().count());
        for _ in 0..20 {
            // What each slot would hold alone, and what its row holds.
            let (mut alone, mut row) = (vec![0; slots as usize], vec![0; slots as usize]);
            let (mut block, mut step) = (0u32, 0);
            'run: while step < 60 {
                for position in 3 * block..3 * block + 3 {
                    for &(slot, _, writes) in accesses.iter().filter(|access| access.1 == position) {
                        step += 1;
                        let at = rows[slot as usize].expect("a slot with an access has a row") as usize;
                        if writes {
                            (alone[slot as usize], row[at]) = (step, step);
                        } else if alone[slot as usize] > 0 {
                            assert_eq!(alone[slot as usize], row[at], "slot {slot} at {position}: {blocks:?} {accesses:?} {rows:?}");
                        }
                    }
                }
                match blocks[block as usize] {
                    [] => break 'run,
                    targets => block = targets[roll(targets.len() as u64) as usize],
                }
                step += 1;
            }
        }
    }
    assert!(shared > 100, "{shared} of 400 shared anything");
}
