//! `compiler-query-engine-check`: an edit costs what it changed, and the answer is what a build from nothing gives.
//!
//! | room          | claims                                                                                        |
//! |---------------|-----------------------------------------------------------------------------------------------|
//! | [`scenarios`] | a reviewed table of edits: which kinds run, which keys (a naive evaluator's), what comes out    |
//! | [`edits`]     | random edits of a generated project: always what a clean build gives; every answer doubted      |
//! | [`faults`]    | damaged stores, killed builds, builds at once: right, at most one warning, never a failure      |
//! | [`threads`]   | 1, 2 and 8 workers give the same bytes, words and fingerprints                                  |
//! | [`scene`]     | a project on disk, built with a store and from nothing                                         |
//! | [`oracle`]    | the naive evaluator                                                                           |
//!
//! Each has negatives beside it; bugs planted in the engine itself (`make planted`) are named by this gate too.

pub mod edits;
pub mod faults;
pub mod oracle;
pub mod scenarios;
pub mod scene;
pub mod threads;

use crate::evidence::Evidence;
use faults::Counts;

const NAME: &str = "compiler-query-engine-check";

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    scenarios::run(&mut evidence);
    edits::run(&mut evidence, 4, 30);
    faults::run(&mut evidence, Counts { damages: 120, kills: 16, races: 6 }, 1);
    threads::run(&mut evidence, 2);
    evidence.close()
}

/// The long version: the same checks, far more of each. `scale` is 1 for about a quarter of an hour.
pub fn heavy(scale: usize, seed: u64) -> bool {
    let mut evidence = Evidence::new("compiler-query-engine-heavy");
    scenarios::run(&mut evidence);
    edits::run(&mut evidence, 100 * scale, 100);
    faults::run(&mut evidence, Counts { damages: 3000 * scale, kills: 400 * scale, races: 150 * scale }, seed);
    threads::run(&mut evidence, 20 * scale);
    evidence.close()
}
