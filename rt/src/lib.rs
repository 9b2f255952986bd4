//! The runtime linked into every program: what compiled code calls when an instruction is not enough. `no_std`, no libc, no panics.
//!
//! | room        | holds                                                                       |
//! |-------------|-----------------------------------------------------------------------------|
//! | [`calls`]   | the functions behind `abi::RuntimeCall`                                      |
//! | [`start`]   | set-up: stack, guard, signal handler, arguments, call of `@main`, exit       |
//! | [`panic`]   | the entries behind `abi::PanicKind`, and the panic report                    |
//! | [`fault`]   | stack exhaustion                                                             |
//! | [`unwind`]  | from a panic to the landing pads above                                       |
//! | [`walk`]    | stack walk over function records                                             |
//! | [`frames`]  | frames of code that LLVM made: `.eh_frame`, `.gcc_except_table`               |
//! | [`output`]  | standard output with its buffer, standard error                              |
//! | [`heap`]    | memory for cells, texts and lists; the report of leaks                       |
//! | `hosted`    | what is asked of a C library, with the feature of that name                   |
//! | [`list`]    | buffers of lists                                                             |
//! | [`value`]   | `str` and list values in memory                                              |
//! | [`serve`]   | a process that forks one for each test that it is asked for                  |
//! | [`seed`]    | the seed by which tables hash                                                |
//! | [`system`]  | the system calls used                                                        |
//!
//! `rt/image` makes the static image of it (with `_start`, `mem*` and the Rust panic handler). The state of the heap is
//! thread-local, so that compiled code reaches it through `fs`; the rest stands in static memory: there is one thread.
//!
//! Never here: Ori code is called from [`start`] only, but for landing pads, which are jumped to (decision 10).
#![cfg_attr(not(test), no_std)]

pub mod calls;
pub mod fault;
pub mod frames;
pub mod heap;
#[cfg(feature = "hosted")]
pub mod hosted;
pub mod list;
#[cfg(test)]
mod memory;
pub mod output;
pub mod panic;
pub mod seed;
pub mod serve;
pub mod start;
pub mod system;
pub mod unwind;
pub mod value;
pub mod walk;
