//! The last boundary of release builds: LIR `legal` in LLVM's language (`design/backend.md` §8).
//!
//! | room         | holds                                                              |
//! |--------------|--------------------------------------------------------------------|
//! | [`unit`]     | what is translated: functions, and what is to be known of others    |
//! | [`text`]     | a unit as LLVM IR: declarations, constants, places, thunks           |
//! | [`facts`]    | what LLVM is told that programs do the same without                 |
//! | [`told`]     | what a debugger is told, as data                                    |
//! | `debug`      | lines and functions of that, as LLVM's metadata                     |
//! | `variables`  | parameters and types                                                |
//! | `function`   | one body: blocks, edges, landing pads                               |
//! | `inst`       | one instruction of LIR, its LLVM form                                |
//!
//! Nothing is decided here. Layouts, checks, calls of the runtime, ownership and order are LIR's; both back ends read the same bodies, so they cannot
//! disagree about meaning. Writing needs no LLVM: the text is what `--dump=llvm.ir` shows, and what the worker process parses.
//!
//! Never here: a look at HIR, MIR or a source file; a choice that changes what a program does.

mod debug;
pub mod facts;
mod function;
mod inst;
pub mod text;
pub mod told;
pub mod unit;
mod variables;

pub use facts::{Fact, Facts};
pub use text::write;
pub use told::{Choice, Debug, Depth, Encoding, Form, Member, Source, Told};
pub use unit::{External, Function, Item, Linkage, Unit};
pub use wire::{Answer, Failure, Level, Product, Request};

#[cfg(test)]
mod tests;
