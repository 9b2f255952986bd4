//! The driver: command line, project loading, the query table, diagnostics on screen. A library with a thin binary.
//!
//! | room         | holds                                                                              |
//! |--------------|------------------------------------------------------------------------------------|
//! | [`cli`]      | verbs, flags, environment, exit codes; nothing below reads the environment         |
//! | [`project`]  | finding and reading source files; [`manifest`]: `ori.toml`                         |
//! | [`inputs`]   | what changed on disk since the last session                                        |
//! | [`cache`]    | where the store of a project is                                                    |
//! | [`queries`]  | the one table of queries, and the `Context` of each level answered by the engine   |
//! | [`session`]  | one engine with its inputs: what is stored, demanding in parallel, publishing      |
//! | [`assemble`] | LIR to linkable code                                                               |
//! | [`link`]     | the executable: left alone, patched, restored, or linked from nothing              |
//! | [`release`]  | release builds: units of LIR to `oric-llvm`                                        |
//! | [`foreign`]  | the linkers of others, by `ORI_LINKER`                                            |
//! | [`held`]     | files that stay what they are while this process goes on with them                 |
//! | [`coverage`] | functions without a test                                                           |
//! | [`testing`]  | running tests, and remembering how they end                                        |
//! | [`watch`]    | waiting until sources change                                                       |
//! | [`outputs`]  | what was written outside the graph, and which artifacts came from which plans      |
//! | [`garbage`]  | keeping the cache within its budget                                                |
//! | [`child`]    | processes with limits of time and memory                                           |
//! | [`engines`]  | a program as the interpreter runs it without any rewrite, and as machine code       |
//! | [`reduce`]   | a program made smaller while something holds of it                                   |
//! | [`rewrites`] | up to which rewrite bodies are optimised; the search for the one that is wrong       |
//! | [`commands`] | what each verb does                                                                |
//! | [`dump`]     | bodies of any level as text, TSV, JSON                                             |
//! | [`report`]   | diagnostics to terminal, short lines, JSON                                         |
//! | [`crash`]    | our own bugs: a report, a reproducer, exit status 101                              |
//!
//! Start in [`queries`]: its table reads like the compiler's contents page.

pub mod assemble;
pub mod cache;
pub mod child;
pub mod cli;
pub mod commands;
pub mod coverage;
pub mod crash;
pub mod dump;
pub mod engines;
pub mod foreign;
pub mod garbage;
pub mod held;
pub mod inputs;
pub mod link;
pub mod manifest;
pub mod outputs;
pub mod project;
pub mod queries;
pub mod reduce;
pub mod release;
pub mod report;
pub mod rewrites;
pub mod session;
pub mod testing;
pub mod watch;

pub use cli::{main, main_then};
