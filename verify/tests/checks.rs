//! Each gate can fail, the generator writes programs that are accepted, and the fuzzers and the bit flips find nothing in a short run.

use verify::fuzz::{cases::Target, generate, supervise};
use verify::gates::{native, plant};
use verify::mutants::{self, Verdict};
use verify::program::{Program, checked_options, silence_panics};
use verify::random::Random;
use verify::{bits, workers};

/// The levels recurse, and test threads have small stacks.
#[track_caller]
fn deep<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    silence_panics();
    match workers::alone(work) {
        Ok(result) => result,
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn faults_planted_at_each_boundary_are_refused_with_their_codes() {
    let plants = deep(plant::all);
    assert!(plants.len() >= 13);
    let missed: Vec<_> = plants.into_iter().filter(|plant| !plant.is_refused()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn the_native_gate_refuses_its_negatives() {
    let negatives = deep(native::negative_checks);
    assert!(negatives.len() >= 3);
    let missed: Vec<_> = negatives.into_iter().filter(|negative| !negative.refused).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn generated_programs_are_accepted() {
    const COUNT: usize = 300;
    let refused: Vec<(u64, String)> = deep(|| {
        let seeds = 0..COUNT as u64;
        seeds
            .filter_map(|seed| Program::of_text(&generate::program(seed), checked_options()).err().map(|why| (seed, why.to_string())))
            .collect()
    });
    assert!(refused.len() * 20 <= COUNT, "{} of {COUNT} are refused: {:?}", refused.len(), &refused[..refused.len().min(5)]);
}

#[test]
fn a_short_fuzz_finds_nothing() {
    let tallies = deep(|| supervise::smoke(&Target::all(), 2000, 7));
    assert_eq!(tallies.values().map(|tally| tally.runs).sum::<u64>(), 2000);
    assert!(tallies.values().any(|tally| tally.compared > 20));
    let wrong: Vec<&String> = tallies.values().flat_map(|tally| &tally.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn flipped_bits_are_refused_or_legal() {
    let texts = bits::texts();
    assert!(texts.len() >= 8);
    let wrong = deep(|| texts.iter().filter_map(|(name, text)| bits::flip(name, text, 40, 3).err()).collect::<Vec<_>>());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_seed_is_a_sequence() {
    let draw = |seed| {
        let mut random = Random::new(seed);
        (0..5).map(|_| random.below(1000)).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_eq!(generate::program(5), generate::program(5));
}

#[test]
fn a_mutant_that_is_not_executed_does_not_count_as_equal() {
    let tally = mutants::Tally { made: 10, refused: 9, idle: 1, ..mutants::Tally::default() };
    assert_eq!(tally.rate(), 1.0);
    let tally = mutants::Tally { made: 10, refused: 9, equal: 1, ..mutants::Tally::default() };
    assert_eq!(tally.rate(), 0.9);
    assert_ne!(Verdict::Equal, Verdict::NotExecuted);
}

#[test]
fn programs_that_say_what_they_do_are_accepted_and_engines_agree_on_them() {
    let seen = deep(|| verify::differential::lane(1..41, false));
    assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
    assert!(seen.programs == 40 && seen.compared >= 36 && seen.printed > 400, "{seen:?}");
}
