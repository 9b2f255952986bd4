//! MachineIR for x86-64: what the processor does.
//!
//! Start in [`ir`] (records, blocks, phases) and [`ops`] (the op table with operand constraints).
//!
//! | room       | holds                                                                          |
//! |------------|--------------------------------------------------------------------------------|
//! | [`ir`]     | 16-byte records in one arena per function, side tables, phases                  |
//! | [`ops`]    | the op table: operand roles, fixed registers, flags, encoding template          |
//! | [`regs`]   | registers, register sets, the convention's assignment                           |
//! | [`select`] | LIR `legal` to `select`: instructions with virtual registers                    |
//! | [`alloc`]  | `select` to `alloc`: registers, spills, parallel copies; the allocation checker |
//! | [`finish`] | `alloc` to `final`: frame, branch forms, bytes, relocations, sites              |
//! | `lives`    | where stack slots are needed, and which of them can be one                       |
//! | `catch`    | landing pads that catch, and what their function owes its caller               |
//! | [`encode`] | records to bytes, table-driven                                                  |
//! | [`verify`] | every invariant, one fault enum                                                 |
//! | [`text`]   | print and parse, the assembly listing                                           |
//! | [`mutate`] | deterministic damage, by which the verifiers are measured                       |
//! | [`mod@compile`] | the whole level, judged at every boundary                                   |
//!
//! Never here: names of the language.

pub mod alloc;
mod catch;
pub mod compile;
pub mod encode;
pub mod finish;
pub mod ir;
mod lives;
pub mod mutate;
pub mod ops;
pub mod regs;
pub mod scratch;
pub mod select;
pub mod text;
pub mod verify;

pub use compile::{CompileError, Limit, Stage, compile, compile_dumping};
pub use finish::Code;
pub use ir::{Alloc, Final, Function, Phase, Record, Select};
pub use ops::Op;
pub use scratch::Scratch;
