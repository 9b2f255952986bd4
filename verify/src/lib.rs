//! What checks across levels: gates, mutants, fuzzers, benchmarks. All of it observes compilers and programs that run now; nothing here is
//! believed because a file says so.
//!
//! | room         | holds                                                                         |
//! |--------------|-------------------------------------------------------------------------------|
//! | [`gates`]    | one module a gate: what is claimed, what was seen, what must be refused        |
//! | [`mutants`]  | damage to compiled bodies: refused by a verifier, or run                      |
//! | [`bits`]     | every bit of a text of IR flipped: refused with a code, or a legal program    |
//! | [`fuzz`]     | parsers, IR parsers and the whole pipe under generated and damaged input      |
//! | [`bench`]    | times beside other compilers in the same run; only ratios are judged          |
//! | [`traced`]   | programs from a seed that say what they do                                    |
//! | [`differential`] | the interpreter beside machine code on them; a difference made small and bisected |
//! | [`plants`]   | wrong rewrites, for the checks that must find them                            |
//! | [`levels`]   | the one door to every level and phase: print, read, verify                    |
//! | [`corpus`]   | the programs to work on                                                       |
//! | [`program`]  | one program: compiled in this process, interpreted, linked, run               |
//! | [`evidence`] | what was measured, as `target/evidence/NAME/*.tsv` and `.json`                |
//! | [`random`]   | numbers from a seed                                                           |
//! | [`workers`]  | work on many things at once                                                   |
//! | [`command`]  | the command line                                                              |
//!
//! Never here: how a level works. What a check needs to know, the level's own verifier, text and tables say.

pub mod bench;
pub mod bits;
pub mod command;
pub mod corpus;
pub mod differential;
pub mod evidence;
pub mod fuzz;
pub mod gates;
pub mod levels;
pub mod mutants;
pub mod plants;
pub mod program;
pub mod random;
pub mod traced;
pub mod typed;
pub mod workers;

pub use oric::child;
