//! The binary `verify`; everything is in the library.

use std::process::ExitCode;

/// As in the `oric` binary: what is measured here is measured as users have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    verify::command::main()
}
