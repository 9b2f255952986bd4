//! The binary `verify`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    verify::command::main()
}
