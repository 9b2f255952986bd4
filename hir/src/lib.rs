//! HIR: what the program means. A typed tree per body, with every name resolved and every type known.
//!
//! Start in [`ir`] (what a body is) and [`types`]; then [`Context`], what checking a body may ask about the rest of the program.
//!
//! | room         | holds                                                                              |
//! |--------------|------------------------------------------------------------------------------------|
//! | [`types`]    | the hash-consed [`Type`]                                                           |
//! | [`ir`]       | the typed tree; data only                                                          |
//! | [`ops`]      | intrinsics: the built-in functions and methods a body may call                     |
//! | [`program`]  | module scopes, signatures, type definitions: what one item tells the others        |
//! | [`resolve`]  | imports and names of a module; signatures from syntax                              |
//! | [`infer`]    | bidirectional checking of one body: syntax tree to typed tree                      |
//! | [`exhaustive`] | usefulness of match arms                                                         |
//! | [`verify`]   | the invariants of a typed tree, as coded faults                                    |
//! | [`text`]     | print and parse                                                                    |
//! | [`memory`]   | a whole program in memory: the [`Context`] of tests                                |
//!
//! Decided here: names, types, evaluation order, defaults, what sugar means. Never here: control-flow graphs, copies, layouts.

pub mod exhaustive;
pub mod infer;
pub mod ir;
pub mod memory;
pub mod ops;
pub mod program;
pub mod resolve;
pub mod text;
pub mod types;
pub mod verify;
pub mod walk;

pub use ir::Body;
pub use ops::Intrinsic;
pub use program::{Context, Scope, Signature, TypeDefinition};
pub use types::{Type, TypeKind};
