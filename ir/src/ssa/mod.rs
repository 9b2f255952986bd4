//! The SSA graph shared by MIR and LIR: blocks with parameters, typed dense ids, columns, one op table per level.
//!
//! | room          | holds                                                                      |
//! |---------------|----------------------------------------------------------------------------|
//! | `graph`       | the data, and the edits that keep it consistent                            |
//! | [`order`]     | predecessors, reverse postorder, loops                                     |
//! | [`dominance`] | immediate dominators                                                       |
//! | [`names`]     | which locals have which values, for debuggers                              |
//! | [`compact`]   | canonical renumbering: ids dense in print order                            |
//! | [`text`]      | a graph to and from the generic dump tree                                  |
//! | `stored`      | a graph to and from the bytes that the store of queries keeps              |
//! | [`structure`] | the structural rules every level shares, as faults without codes           |
//!
//! An op that may panic has an *unwind edge* from the middle of its block: when it panics, its results do not exist and control goes to
//! the unwind block, which has no parameters. An instruction is on the path of a block up to its terminator or its panic.

pub mod compact;
mod content;
pub mod dominance;
mod graph;
pub mod names;
pub mod order;
mod stored;
pub mod structure;
pub mod text;
#[cfg(test)]
pub(crate) mod toy;

pub use graph::*;
