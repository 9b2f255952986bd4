//! The gates: each observes runs made by its own invocation, and each is shown something broken that it must refuse.
//!
//! | room         | claims                                                                                   |
//! |--------------|------------------------------------------------------------------------------------------|
//! | [`baseline`] | techniques have files and gates, surfaces have owners, sizes have budgets                 |
//! | [`pipeline`] | every level prints, reads back, verifies, and holds nothing of another level              |
//! | [`views`]    | what one dump must satisfy                                                               |
//! | [`plant`]    | one fault planted at each boundary is refused with its code                              |
//! | [`llvm`]     | release builds and development builds do the same, alone and linked together               |
//! | [`native`]   | interpreter and native code agree with passes on, off and cut; images are safe and equal |
//! | [`query`]    | an edit costs what it changed, and gives what a build from nothing gives                  |
//! | [`cas`]      | an artifact comes back as it was put, or not at all                                      |
//! | [`fast_path`] | taking a cell, counting it and giving it back cost what they may                         |
//! | [`heap`]     | what a program takes it gives back, however deep                                          |
//! | [`conformance`] | every rule of the language reference has fixtures, and they hold                     |
//! | [`memory`]   | every counted value is given away once on every path, and mutants of that are refused     |
//! | [`test_graph`] | the tests that an edit can reach run, and no others; verdicts are those of a run from nothing |
//! | [`aot`]      | many small programs, each an executable of its own, do what they should              |
//! | [`miscompile`] | what the compiler gets wrong is found, made small, and traced to its rewrite          |
//! | [`watched`] | with memory of a C library, valgrind and AddressSanitizer find nothing, and find what is planted |
//! | [`elf`]      | what the segments of an executable must satisfy                                          |

pub mod aot;
pub mod baseline;
pub mod cas;
pub mod conformance;
pub mod elf;
pub mod fast_path;
pub mod heap;
pub mod llvm;
pub mod memory;
pub mod miscompile;
pub mod native;
pub mod pipeline;
pub mod plant;
pub mod query;
pub mod test_graph;
pub mod views;
pub mod watched;

/// A gate: its name, what it needs to have run before, and the check itself. True when everything holds.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Name on the command line.
    pub name: &'static str,
    /// Gates that run before it.
    pub first: &'static [&'static str],
    /// Runs it.
    pub run: fn() -> bool,
}

/// All gates.
pub const GATES: [Gate; 15] = [
    Gate { name: "compiler-memory-optimization-baseline-check", first: &[], run: baseline::run },
    Gate { name: "typed-ssa-pipeline-check", first: &[], run: pipeline::run },
    Gate { name: "memory-semantics-decision-check", first: &[], run: memory::run },
    Gate { name: "native-ir-check", first: &["typed-ssa-pipeline-check"], run: native::run },
    Gate { name: "compiler-query-engine-check", first: &[], run: query::run },
    Gate { name: "compiler-cas-check", first: &[], run: cas::run },
    Gate { name: "conformance-check", first: &[], run: conformance::run },
    Gate { name: "native-memory-control-check", first: &["memory-semantics-decision-check"], run: heap::run },
    Gate { name: "allocator-fast-path-check", first: &[], run: fast_path::run },
    Gate { name: "test-graph-check", first: &[], run: test_graph::run },
    Gate { name: "aot-tests-check", first: &[], run: aot::run },
    Gate { name: "typed-programs-check", first: &[], run: crate::typed::check::gate },
    Gate { name: "miscompile-defense-check", first: &[], run: miscompile::run },
    Gate { name: "llvm-boundary-check", first: &[], run: llvm::run },
    Gate { name: "watched-memory-check", first: &[], run: watched::run },
];

/// Runs these gates, each once and after those that it needs; `None` when a name is unknown.
pub fn run(names: &[&str]) -> Option<bool> {
    let mut order: Vec<Gate> = Vec::new();
    for name in names {
        let gate = GATES.iter().find(|gate| gate.name == *name)?;
        let before = GATES.iter().filter(|other| gate.first.contains(&other.name));
        for gate in before.chain([gate]) {
            if !order.iter().any(|done| done.name == gate.name) {
                order.push(*gate);
            }
        }
    }
    let mut all_hold = true;
    for gate in order {
        // Later gates rest on earlier ones, but their own findings are worth having all the same.
        all_hold &= (gate.run)();
    }
    Some(all_hold)
}
