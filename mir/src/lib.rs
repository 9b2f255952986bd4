//! MIR: what the program does to values. Typed SSA with block parameters and unwind edges.
//!
//! Start in [`ir`] (what a body is), then [`verify`] (what a pass may assume).
//!
//! | room       | holds                                                                        |
//! |------------|------------------------------------------------------------------------------|
//! | [`ir`]     | the body and its phases; constants; what a body may ask                      |
//! | [`ops`]    | the op table                                                                 |
//! | [`build`]  | HIR to MIR: control flow, SSA construction, match compilation                |
//! | [`opt`]    | rewrites, one file each, all paying fuel                                     |
//! | [`ownership`] | who holds each counted value: the table of ops, the pass that spells it out |
//! | [`statics`] | lists that lie in the image                                             |
//! | [`verify`] | every invariant, one fault enum                                              |
//! | [`text`]   | print and parse; nothing else knows the syntax                               |
//! | [`interp`] | the reference semantics; also evaluates constants                            |
//!
//! Never here: offsets, sizes, registers. They begin in `lir`.

mod between;
pub mod build;
pub mod interp;
pub mod ir;
pub mod ops;
pub mod opt;
pub mod ownership;
pub mod statics;
pub mod text;
pub mod verify;

pub use ir::{Body, Built, ConstValue, Context, Contract, Mir, Mono, Owned, Phase, Variants};
pub use ops::Op;
