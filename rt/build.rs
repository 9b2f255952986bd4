//! Writes one assembly stub for each panic kind from the table in `rt-abi`, so that nothing about a kind is written twice.

use std::fmt::Write;

fn main() {
    let mut text = String::new();
    for (number, kind) in abi::PanicKind::ALL.iter().enumerate() {
        let symbol = kind.symbol();
        let _ = write!(
            text,
            ".section .text.{symbol},\"ax\",@progbits\n.globl {symbol}\n.type {symbol},@function\n{symbol}:\n    mov edx, {number}\n    jmp ori_panic_enter\n.size {symbol}, . - {symbol}\n"
        );
    }
    let folder = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(std::path::Path::new(&folder).join("panic_stubs.s"), text).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed=build.rs");
}
