//! The query engine: the only thing in oric that remembers. It knows no level and no language.
//!
//! A query is a pure function from a key, and from the answers to other queries, to a value. The engine runs it once, records what it asked, and
//! after an edit of an input runs again only what the edit can have changed: dependents are marked (*yellow*) by walking reverse edges, and a yellow
//! node is *green* again when none of its dependencies changed, else it runs; an equal result is not a change (*early cutoff*).
//!
//! | room            | holds                                                                           |
//! |-----------------|---------------------------------------------------------------------------------|
//! | [`kind`]        | what a query is, what an input is: the contract of a row of the table           |
//! | [`engine`]      | demanding answers: fetch, verify, execute, cut off; inputs; publishing          |
//! | [`node`]        | one node of the graph and the arena of all nodes                                |
//! | [`waits`]       | who waits for whom: a wait that would close a cycle is refused                  |
//! | [`fingerprint`] | 128 bits that stand for a value, the same in every session and machine          |
//! | [`store`]       | the graph and its values on disk                                                |
//!
//! Interrupts (cycles, cancellation, damage) travel as values by `?`; nothing unwinds. A session maps the graph that earlier sessions left, marks what
//! changed inputs can reach, pulls what it is asked for, and writes back what it touched.
//!
//! Never here: anything about files of a project, syntax or code.

pub mod engine;
pub mod fingerprint;
pub mod interrupt;
pub mod kind;
pub mod node;
mod row;
pub mod store;
pub mod waits;

#[cfg(test)]
mod tests;

pub use engine::{Ctx, Engine};
pub use fingerprint::{Fp, StableHasher};
pub use interrupt::{Cycle, Interrupt};
pub use kind::{Input, Kind, Query};
pub use node::NodeId;
