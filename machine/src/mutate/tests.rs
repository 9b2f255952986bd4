use super::{KINDS, MEANINGS, mutate, mutate_kind};
use crate::ir::{Alloc, Function};
use crate::text::{Parsed, parse};

fn sample() -> Function<Alloc> {
    match parse(crate::text::tests::ALLOC) {
        Ok(Parsed::Alloc(mut functions)) => functions.remove(0),
        other => panic!("an alloc dump: {other:?}"),
    }
}

#[test]
fn a_seed_always_gives_the_same_mutant() {
    let function = sample();
    for seed in 0..200 {
        let (mutant, mutation) = mutate(&function, seed).unwrap();
        assert!(mutant != function, "{mutation:?}");
        assert_eq!(mutate(&function, seed), Some((mutant, mutation)));
    }
}

#[test]
fn every_kind_has_its_meaning_and_most_apply_to_one_sample() {
    assert_eq!(KINDS.len(), MEANINGS.len());
    let function = sample();
    let applied = (0..KINDS.len()).filter(|&kind| (0..20).any(|seed| mutate_kind(&function, kind, seed).is_some())).count();
    assert!(applied >= 28, "{applied} of {}", KINDS.len());
}
