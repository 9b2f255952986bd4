//! Fuzzing on stable Rust. A supervisor starts workers; a worker runs cases, each from a seed; what goes wrong names its case.
//!
//! A worker may panic (it says so and goes on), hang (the supervisor sees that its case does not change), eat memory (the system ends it) or
//! overflow its stack: before each case it writes the case's number to a file, so a dead worker's last case is known. `verify fuzz --case TARGET:SEED` repeats one.
//!
//! | room          | holds                                                             |
//! |---------------|-------------------------------------------------------------------|
//! | [`generate`]  | well-typed programs                                               |
//! | [`damage`]    | bytes, tokens and lines of a text changed                         |
//! | [`cases`]     | the targets: what a case does, and which rules it reached         |
//! | [`supervise`] | workers as processes, their limits, the report                    |

pub mod cases;
pub mod damage;
pub mod generate;
pub mod supervise;
