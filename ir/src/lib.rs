//! What all levels share. Nothing here knows a level.
//!
//! | room       | holds                                                              |
//! |------------|--------------------------------------------------------------------|
//! | [`ids`]    | typed dense ids, columns, pools and their lists                    |
//! | [`intern`] | [`Symbol`]: process-wide names                                     |
//! | [`item`]   | [`ItemId`]: items named by a path hash, the same in every session  |
//! | [`grow`]   | a list that only grows, read without a lock                        |
//! | [`place`]  | item-relative source places, and the table a body keeps of them    |
//! | `components` | strongly connected components of any graph                     |
//! | [`ops`](mod@ops) | the op-table macro: one row defines an op                    |
//! | [`ssa`]    | the SSA graph that MIR and LIR fill with their own ops and types   |
//! | [`text`]   | the dump language: lexer, parser to a generic tree, writer         |
//! | [`mutate`] | deterministic damage to graphs, by which verifiers are measured    |
//! | [`fuel`]   | every rewrite pays, so a miscompile is bisected to one rewrite     |
//! | [`remark`] | what passes say of what they did and of what they refused          |
//! | [`fault`]  | coded faults that verifiers report                                 |
//! | [`stop`]   | how an interrupt of the query engine crosses levels                |
//!
//! Never here: anything that knows what an op means, a language type, a layout or a target.

mod components;
pub mod fault;
pub mod fuel;
pub mod grow;
pub mod ids;
pub mod intern;
pub mod item;
pub mod mutate;
pub mod ops;
pub mod place;
pub mod remark;
mod serial;
pub mod ssa;
pub mod stop;
pub mod text;

pub use components::components;
pub use fault::{Code, Fault, Where};
pub use fuel::Fuel;
pub use ids::{Column, Id, List, Pool};
pub use intern::Symbol;
pub use item::{ItemId, Namespace};
pub use place::{Place, PlaceId, Places};
pub use remark::{About, Remark};
pub use stop::Stop;
