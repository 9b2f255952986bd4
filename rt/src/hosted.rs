//! Under a C library: memory of its own allocator, and what tools that watch the program are told.
//!
//! Valgrind and AddressSanitizer replace `malloc` and `free`; they learn of the program's stack, which is no thread's of theirs, here. A run without them costs
//! a test of two addresses and five rotations that change nothing.
#![allow(unsafe_code)] // foreign functions

unsafe extern "C" {
    fn malloc(bytes: usize) -> *mut u8;
    #[link_name = "free"]
    fn give_back(start: *mut u8);
}

/// Memory for so many bytes, not cleared; null when there is none.
pub fn take(bytes: usize) -> *mut u8 {
    // SAFETY: any number of bytes may be asked for.
    unsafe { malloc(bytes) }
}

/// Gives memory back.
///
/// # Safety
/// It must come from [`take`], and nothing may use it any more.
pub unsafe fn give(start: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { give_back(start) };
}

// Functions of AddressSanitizer's runtime: null without it.
core::arch::global_asm!(
    ".weak __sanitizer_start_switch_fiber",
    ".weak __sanitizer_finish_switch_fiber",
    ".section .data.ori_switch,\"aw\",@progbits",
    ".p2align 3",
    ".globl ori_switch",
    ".type ori_switch,@object",
    "ori_switch:",
    ".quad __sanitizer_start_switch_fiber",
    ".quad __sanitizer_finish_switch_fiber",
    ".size ori_switch, 16",
    ".text",
);

type Start = unsafe extern "C" fn(*mut *mut u8, *const u8, usize);
type Finish = unsafe extern "C" fn(*mut u8, *mut *const u8, *mut usize);

#[repr(C)]
struct Switch {
    start: Option<Start>,
    finish: Option<Finish>,
}

unsafe extern "C" {
    static ori_switch: Switch;
}

/// Valgrind's request about a stack (`valgrind/valgrind.h`).
const STACK_REGISTER: usize = 0x1501;

/// Tells whoever watches that the program goes on with this stack, which it is about to do.
///
/// # Safety
/// The stack must be one, and last until exit.
pub unsafe fn tell_stack(bottom: *mut u8, bytes: usize) {
    let request: [usize; 6] = [STACK_REGISTER, bottom as usize, bottom as usize + bytes, 0, 0, 0];
    // SAFETY: rotations by 128 in all change nothing; valgrind takes them, and the exchange behind them, for a request at the address in `rax`.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const request,
            inout("rdx") 0usize => _,
            options(nostack),
        );
    }
    // SAFETY: what AddressSanitizer defines has these types. Nothing of its stack of before is wanted any more.
    unsafe {
        if let Switch { start: Some(start), finish: Some(finish) } = ori_switch {
            let mut before = core::ptr::null_mut();
            start(&raw mut before, bottom, bytes);
            finish(core::ptr::null_mut(), core::ptr::null_mut(), core::ptr::null_mut());
        }
    }
}
