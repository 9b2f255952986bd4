//! What the runtime needs beside `rt` when no other code is in the process: entry points, `mem*`, and a panic handler for defects of its own.
//!
//! The result is a static library that is never linked as such: `codegen/image/build` reads its sections, keeps what the runtime's symbols reach,
//! and embeds that in `oric`.
#![no_std]

use core::arch::global_asm;

// The kernel enters with the argument count on top of the stack.
global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".weak _start",
    ".type _start,@function",
    "_start:",
    "    xor ebp, ebp",
    "    mov rdi, rsp",
    "    and rsp, -16",
    "    call {alone}",
    "    ud2",
    ".size _start, . - _start",
    // Under a C library: `argv` points into the kernel's block, the count stands right below.
    ".section .text.main,\"ax\",@progbits",
    ".weak main",
    ".type main,@function",
    "main:",
    "    lea rdi, [rsi - 8]",
    "    and rsp, -16",
    "    call {run}",
    "    ud2",
    ".size main, . - main",
    // Nothing unwinds through Rust frames; `core` was compiled as if something might.
    ".section .text.rust_eh_personality,\"ax\",@progbits",
    ".weak rust_eh_personality",
    "rust_eh_personality:",
    "    ud2",
    ".text",
    alone = sym run_alone,
    run = sym run,
);

// A C library has its own, which valgrind and sanitizers put theirs in the place of.
#[cfg(not(feature = "hosted"))]
global_asm!(include_str!("memory.s"));

unsafe extern "sysv64" fn run_alone(stack: *const usize) -> ! {
    // SAFETY: called once, by `_start` above, with the kernel's block.
    unsafe { rt::start::run_alone(stack) }
}

unsafe extern "sysv64" fn run(stack: *const usize) -> ! {
    // SAFETY: called once, by `main` above, with the kernel's block.
    unsafe { rt::start::run(stack) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    rt::fault::defect()
}
