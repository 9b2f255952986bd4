//! Whole bodies through the whole level.

use ir::text::Dump;

use super::{Stage, compile, compile_dumping};
use crate::alloc::tests::generate::random_body;
use crate::finish::{Code, finish};
use crate::ir::{Final, Function, Phase};
use crate::mutate::{KINDS, mutate_kind};
use crate::ops::Op;
use crate::scratch::Scratch;
use crate::text::{Parsed, dump, parse, print};
use crate::verify::{verify, verify_code};

/// The functions at all boundaries.
struct Stages {
    select: Option<Function<crate::ir::Select>>,
    alloc: Option<Function<crate::ir::Alloc>>,
    last: Option<(Function<Final>, Code)>,
}

#[track_caller]
fn check(seed: u64, scratch: &mut Scratch) -> Stages {
    let body = random_body(seed);
    let mut stages = Stages { select: None, alloc: None, last: None };
    let result = compile_dumping(&body, scratch, true, &mut |stage| match stage {
        Stage::Select(function) => stages.select = Some(function.clone()),
        Stage::Alloc(function) => stages.alloc = Some(function.clone()),
        Stage::Final(function, code) => stages.last = Some((function.clone(), code.clone())),
    });
    if let Err(error) = result {
        let text = stages.alloc.as_ref().map_or(String::new(), |function| print(&[function]));
        panic!("seed {seed}: {error}\n{text}");
    }
    stages
}

/// Text, reading, text.
#[track_caller]
fn round<P: Phase>(function: &Function<P>) {
    let once = print(&[function]);
    let again = match parse(&once).unwrap_or_else(|e| panic!("{e}\n{once}")) {
        Parsed::Select(functions) => print(&functions.iter().collect::<Vec<_>>()),
        Parsed::Alloc(functions) => print(&functions.iter().collect::<Vec<_>>()),
        Parsed::Final(functions) => print(&functions.iter().collect::<Vec<_>>()),
    };
    assert_eq!(again, once);
}

#[test]
fn random_bodies_compile_without_a_fault() {
    let mut scratch = Scratch::default();
    for seed in 0..2000 {
        let stages = check(seed, &mut scratch);
        if seed % 8 == 0 {
            round(stages.select.as_ref().unwrap());
            round(stages.alloc.as_ref().unwrap());
            let (finished, code) = stages.last.as_ref().unwrap();
            round(finished);
            // The text says everything that the bytes depend on.
            let Parsed::Final(functions) = parse(&print(&[finished])).unwrap() else { panic!("a final dump") };
            let (again, _) = crate::finish::mark(&functions[0]).unwrap();
            assert_eq!(again.bytes, code.bytes);
        }
    }
}

#[test]
fn bytes_of_random_bodies_decode() {
    let mut scratch = Scratch::default();
    for seed in 0..300 {
        let (_, code) = check(seed, &mut scratch).last.unwrap();
        let mut decoder = iced_x86::Decoder::with_ip(64, &code.bytes, 0, iced_x86::DecoderOptions::NONE);
        while decoder.can_decode() {
            assert!(!decoder.decode().is_invalid(), "seed {seed}");
        }
    }
}

/// Refused mutants of each kind, and all of them.
fn refused<P: Phase>(function: &Function<P>, seed: u64, judge: impl Fn(&Function<P>) -> bool, counts: &mut [(u32, u32)]) {
    for (kind, count) in counts.iter_mut().enumerate() {
        if let Some((mutant, mutation)) = mutate_kind(function, kind, seed) {
            assert_eq!(mutation.kind, KINDS[kind]);
            assert!(mutant != *function);
            count.1 += 1;
            count.0 += u32::from(judge(&mutant));
        }
    }
}

#[test]
fn mutants_are_refused_or_known_to_be_well_formed() {
    let mut scratch = Scratch::default();
    let mut select = vec![(0, 0); KINDS.len()];
    let mut alloc = select.clone();
    let mut last = select.clone();
    for seed in 0..300 {
        let stages = check(seed, &mut scratch);
        let selected = stages.select.unwrap();
        refused(&selected, seed, |mutant| !verify(mutant).is_empty(), &mut select);
        refused(
            stages.alloc.as_ref().unwrap(),
            seed,
            |mutant| !verify(mutant).is_empty() || !crate::alloc::check(&selected, mutant).is_empty(),
            &mut alloc,
        );
        let (finished, code) = stages.last.unwrap();
        refused(&finished, seed, |mutant| !verify(mutant).is_empty() || !verify_code(mutant, &code).is_empty(), &mut last);
    }
    let applied = (0..KINDS.len()).filter(|&kind| select[kind].1 + alloc[kind].1 + last[kind].1 > 0).count();
    let share = |counts: &[(u32, u32)]| {
        let (refused, all) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        refused * 100 / all.max(1)
    };
    let table: Vec<_> = KINDS.iter().enumerate().map(|(kind, name)| (name, select[kind], alloc[kind], last[kind])).collect();
    println!("refused: select {}%, alloc {}%, final {}%", share(&select), share(&alloc), share(&last));
    assert!(applied >= 25, "{applied} {table:#?}");
    // Of `select`, only structure is judged here: what the program means is not.
    assert!(share(&alloc) >= 80, "{}% {table:#?}", share(&alloc));
    assert!(share(&select) >= 35 && share(&last) >= 40, "{}% {}% {table:#?}", share(&select), share(&last));
}

/// Allocation, its checker and finishing rely on what the verifier of `select` says, and on nothing else.
#[test]
fn what_the_verifier_accepts_is_allocated_rightly() {
    let mut scratch = Scratch::default();
    let (mut accepted, mut allocated) = (0, 0);
    for seed in 0..400 {
        let selected = check(seed, &mut scratch).select.unwrap();
        for (kind, name) in KINDS.iter().enumerate() {
            let Some((once, _)) = mutate_kind(&selected, kind, seed) else { continue };
            let twice = mutate_kind(&once, (kind * 7 + seed as usize) % KINDS.len(), seed ^ 0x55).map(|(mutant, _)| mutant);
            for mutant in [Some(once), twice].into_iter().flatten() {
                // Selection makes no copies, so the checker takes each for one that allocation made.
                if !verify(&mutant).is_empty() || mutant.records.iter().any(|record| matches!(record.op, Op::Mov | Op::MovF)) {
                    continue;
                }
                accepted += 1;
                let said = || format!("seed {seed}, {name}\n{}", print(&[&mutant]));
                for chaos in [false, true] {
                    let options = crate::alloc::Options { checking: true, chaos };
                    let result = crate::alloc::allocate_with(mutant.clone(), &mut scratch, options);
                    let (faults, differences) = (verify(&result), crate::alloc::check(&mutant, &result));
                    assert!(faults.is_empty() && differences.is_empty(), "{faults:?} {differences:?} {}", said());
                    let (finished, code) = finish(result).unwrap();
                    let faults = (verify(&finished), verify_code(&finished, &code));
                    assert!(faults.0.is_empty() && faults.1.is_empty(), "{faults:?} {}", said());
                    allocated += 1;
                }
            }
        }
    }
    assert!(accepted > 1000 && allocated == 2 * accepted, "{accepted} {allocated}");
}

#[test]
fn a_mistake_is_reported_with_its_code() {
    let mut scratch = Scratch::default();
    let stages = check(3, &mut scratch);
    let mut broken = stages.alloc.unwrap();
    broken.saved |= 1;
    assert_eq!(verify(&broken)[0].rule.code().0, "X0306");
    let dump: Dump = dump(&[&broken]);
    assert_eq!(dump.functions.len(), 1);
}

/// Not a gate: `cargo test --release -p machine -- --ignored --nocapture speed` would be one, so this only checks that the time is sane.
#[test]
fn finishing_takes_a_sane_time() {
    let mut scratch = Scratch::default();
    let functions: Vec<_> = (0..200).map(|seed| check(seed, &mut scratch).alloc.unwrap()).collect();
    let records: usize = functions.iter().map(|function| function.records.len()).sum();
    let mut best = u128::MAX;
    for _ in 0..20 {
        let inputs = functions.clone();
        let start = std::time::Instant::now();
        for function in inputs {
            std::hint::black_box(finish(function).unwrap());
        }
        best = best.min(start.elapsed().as_nanos());
    }
    let mut verifying = u128::MAX;
    for _ in 0..20 {
        let start = std::time::Instant::now();
        for function in &functions {
            std::hint::black_box(verify(function));
        }
        verifying = verifying.min(start.elapsed().as_nanos());
    }
    let (each, judged) = (best / records as u128, verifying / records as u128);
    println!("{records} records, finish {each} ns, verify {judged} ns each");
    assert!(each < 2000, "{each} ns a record");
    let _ = compile(&random_body(1), &mut scratch, false).unwrap();
}
