//! LIR: what the program does to bytes. SSA over machine types, with explicit checks, layouts and a calling convention.
//!
//! Start in [`ir`] (what a body is) and [`target`] (the named records of layout and convention), then [`verify`].
//!
//! | room       | holds                                                                   |
//! |------------|-------------------------------------------------------------------------|
//! | [`ir`]     | the body and its phases                                                 |
//! | [`ops`]    | the op table, condition codes                                           |
//! | [`target`] | the data layout and the calling convention, as named records            |
//! | [`build`]  | MIR to LIR: values become machine values, panics become checks          |
//! | [`opt`]    | rewrites of `legal` bodies: strength reduction, dead code               |
//! | [`statics`] | static data, to the byte                                               |
//! | [`verify`] | every invariant, one fault enum                                         |
//! | [`text`]   | print and parse                                                         |
//! | [`interp`] | runs bodies in checked memory, for mutants and to compare levels        |
//!
//! Never here: registers, encodings, language types.

pub mod build;
pub mod interp;
pub mod ir;
pub mod ops;
pub mod opt;
pub mod statics;
pub mod target;
pub mod text;
pub mod verify;

pub use ir::{Body, Built, Context, Legal, Lir, Phase, Signature, Type};
pub use ops::{Cond, FloatCond, Op};

#[cfg(test)]
mod tests;
