//! The query engine: the only thing in oric that remembers. It knows no level and no language.
//!
//! A query is a pure function from a key, and from the answers to other queries, to a value. The engine runs it once, records what it asked, and
//! after an edit of an input runs again only what the edit can have changed: dependents are marked (*yellow*) by walking reverse edges, and a yellow
//! node is *green* again when none of its dependencies changed, else it runs; an equal result is not a change (*early cutoff*).
//!
//! | room       | holds                                                                     |
//! |------------|---------------------------------------------------------------------------|
//! | [`engine`] | demanding answers: fetch, verify, execute, cut off; setting inputs         |
//! | [`node`]   | one node of the graph and the arena of all nodes                           |
//! | [`waits`]  | who waits for whom: a wait that would close a cycle is refused             |
//! | [`fingerprint`] | 128 bits that stand for a value, the same in every session and machine |
//!
//! Interrupts (cycles, cancellation) travel as values by `?`; nothing unwinds. This issue keeps the graph in memory; its node states, ordered
//! dependency lists and per-kind rows are what the store will persist.
//!
//! Never here: anything about files, syntax or code.

pub mod engine;
pub mod fingerprint;
pub mod node;
pub mod waits;

#[cfg(test)]
mod tests;

pub use engine::{Ctx, Cycle, Engine, Input, Interrupt, Kind, Query};
pub use fingerprint::{Fp, StableHasher};
pub use node::NodeId;
