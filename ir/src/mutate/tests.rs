use std::collections::BTreeSet;

use super::*;
use crate::ssa::structure;
use crate::ssa::text::parse_function;
use crate::ssa::toy::{SAMPLE, Toy, Ty, graph, print};
use crate::text::parse;
use crate::{Id, ItemId};

const TYPES: &[Ty] = &[Ty::Int, Ty::Bool, Ty::Str, Ty::Pair];

/// A mutant shows in the text, reads back, and does not disturb the checker.
fn check(graph: &Graph<Toy>, mutant: &Graph<Toy>, mutation: Mutation) -> bool {
    let text = print(mutant);
    assert_ne!(text, print(graph), "{mutation:?}");
    let dump = parse(&format!("ori-ir toy.t 1\n{text}")).unwrap_or_else(|e| panic!("{mutation:?}: {e}\n{text}"));
    let again = parse_function::<Toy>(&dump.functions[0], &mut Plain).unwrap_or_else(|e| panic!("{mutation:?}: {e}\n{text}"));
    assert_eq!(print(&again), text, "{mutation:?}");
    let standing = match mutation.at {
        Where::Function => mutation.inst.is_none(),
        Where::Block(block) => mutation.inst.is_none() && (block as usize) < mutant.blocks.len(),
        Where::Inst { block, index } => mutant.blocks[Id::new(block as usize)].insts.get(index as usize) == mutation.inst.as_ref(),
    };
    assert!(standing, "{mutation:?}\n{text}");
    let mut faulty = false;
    structure::check(mutant, &mut |_| faulty = true);
    faulty
}

#[test]
fn every_kind_applies_to_the_sample_and_shows_in_its_text() {
    let sample = graph(SAMPLE);
    for (kind, name) in KINDS.iter().enumerate() {
        let mut made = 0;
        for seed in 0..60 {
            let Some((mutant, mutation)) = mutate_kind(&sample, kind, seed, TYPES) else { continue };
            assert_eq!(mutation.kind, *name);
            check(&sample, &mutant, mutation);
            made += 1;
        }
        assert!(made >= 20, "{name}: {made} mutants");
    }
    assert!(KINDS.len() >= 20 && KINDS.len() == MEANINGS.len());
    assert_eq!(KINDS.iter().collect::<BTreeSet<_>>().len(), KINDS.len(), "names differ");
}

#[test]
fn kinds_that_break_structure_are_always_refused() {
    let sample = graph(SAMPLE);
    for kind in [
        "operand-dangling",
        "terminator-drop",
        "flag-unknown",
        "unwind-remove",
        "unwind-add",
        "target-arg-drop",
        "target-arg-add",
        "define-again",
    ] {
        let index = KINDS.iter().position(|name| *name == kind).unwrap();
        for seed in 0..60 {
            if let Some((mutant, mutation)) = mutate_kind(&sample, index, seed, TYPES) {
                assert!(check(&sample, &mutant, mutation), "{mutation:?}\n{}", print(&mutant));
            }
        }
    }
}

#[test]
fn a_seed_gives_one_mutant_and_seeds_reach_all_kinds() {
    let sample = graph(SAMPLE);
    let mut kinds = BTreeSet::new();
    for seed in 0..1_000 {
        let (mutant, mutation) = mutate(&sample, seed, TYPES).unwrap();
        let (again, same) = mutate(&sample, seed, TYPES).unwrap();
        assert_eq!((&mutant, mutation), (&again, same));
        check(&sample, &mutant, mutation);
        kinds.insert(mutation.kind);
    }
    assert_eq!(kinds.len(), KINDS.len());
}

#[test]
fn mutants_of_mutants_never_panic() {
    let sample = graph(SAMPLE);
    let mut current = sample.clone();
    for seed in 0..3_000 {
        match mutate(&current, seed, TYPES) {
            Some((mutant, mutation)) => {
                assert_ne!(print(&mutant), print(&current), "{mutation:?}");
                structure::check(&mutant, &mut |_| {});
                current = mutant;
            }
            None => current = sample.clone(),
        }
        if seed % 40 == 0 {
            current = sample.clone();
        }
    }
}

#[test]
fn a_graph_without_blocks_has_no_mutant() {
    let empty: Graph<Toy> = Graph::new(ItemId::parse("main.f").unwrap(), vec![]);
    assert!(mutate(&empty, 1, TYPES).is_none());
}
