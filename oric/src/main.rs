//! The `oric` binary: everything is in the library.

use std::process::ExitCode;

/// Bodies are thousands of short-lived columns, and every worker makes them: glibc's arenas grow a worker's heap page by page, one system call
/// each, which took a fifth of a build. Without huge pages: on a virtual machine clearing fresh ones took as long as the build itself. Version 2 of
/// mimalloc, because 3 touches three times as many pages before `main`, which a build without changes would feel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    oric::main()
}
