//! The `oric` binary: everything is in the library.

use std::process::ExitCode;

/// Bodies are thousands of short-lived columns, and every worker makes them: glibc's arenas grow a worker's heap page by page, one system call
/// each, which took a fifth of a build. Without huge pages: on a virtual machine clearing fresh ones took as long as the build itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    oric::main()
}
