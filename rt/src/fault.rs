//! Failures that are not panics (`language/10` §10.8): the stack or memory is exhausted.
#![allow(unsafe_code)] // reads the interrupted context

use core::cell::UnsafeCell;

use crate::output::{self, Report, STATUS_FATAL};
use crate::system;
use crate::walk::Tables;

struct Guard(UnsafeCell<(usize, usize)>);
// SAFETY: written once at start, by the one thread.
unsafe impl Sync for Guard {}
/// Low end of the guard area and high end of the stack above it.
static STACK: Guard = Guard(UnsafeCell::new((0, 0)));

/// Room for the handler's frames and the processor state that the kernel stores there (11 KiB with AMX).
const SIGNAL_STACK: usize = 64 << 10;

#[repr(align(16))]
struct SignalStack(UnsafeCell<[u8; SIGNAL_STACK]>);
// SAFETY: only the kernel and the handler use it.
unsafe impl Sync for SignalStack {}
static SIGNALS: SignalStack = SignalStack(UnsafeCell::new([0; SIGNAL_STACK]));

/// Ends the process because `bytes` were asked for in vain.
#[cold]
pub fn out_of_memory(bytes: usize) -> ! {
    output::flush();
    let mut report = Report::default();
    pure::report::out_of_memory(bytes, &mut |piece| report.add(piece));
    report.send();
    system::exit(STATUS_FATAL)
}

/// Watches for accesses to the guard area, which begins at `guard`; the stack ends at `top`.
pub fn watch(guard: usize, top: usize) {
    // SAFETY: one thread, and the handler is not installed yet.
    unsafe { *STACK.0.get() = (guard, top) };
    // SAFETY: the stack is nobody else's.
    unsafe { system::signal_stack(SIGNALS.0.get().cast(), SIGNAL_STACK) };
    system::on_signal(system::SIGSEGV, system::Action::Call(on_fault));
}

// Offsets in the kernel's `siginfo` and `ucontext` on x86-64.
const SI_ADDR: usize = 16;
const UC_RSP: usize = 40 + 15 * 8;
const UC_RIP: usize = 40 + 16 * 8;

extern "C" fn on_fault(signal: i32, info: *const u8, context: *const u8) {
    // SAFETY: the kernel passes both structures.
    let (address, sp, pc) = unsafe {
        let word = |base: *const u8, offset: usize| base.add(offset).cast::<usize>().read();
        (word(info, SI_ADDR), word(context, UC_RSP), word(context, UC_RIP))
    };
    // SAFETY: written before the handler was installed.
    let (guard, top) = unsafe { *STACK.0.get() };
    let bottom = guard + abi::layout::STACK_GUARD;
    if !(guard..bottom).contains(&address) {
        // Not ours: what the system does by default, by running into it again.
        system::on_signal(signal, system::Action::Default);
        return;
    }
    output::flush();
    let start = sp.max(bottom).min(top) & !7;
    let words = ((top - start) / 8).min(1 << 16);
    // SAFETY: the words lie between the guard area and the top of the mapped stack.
    let stack = unsafe { core::slice::from_raw_parts(start as *const usize, words) };
    let mut report = Report::default();
    pure::report::stack_overflow(Tables::of_program().nearest(pc, stack), &mut |piece| report.add(piece));
    report.send();
    system::exit(STATUS_FATAL)
}

/// Ends the process because frames of LLVM's code cannot be followed.
#[cold]
pub fn no_frames() -> ! {
    let _ = system::write_all(system::STDERR, b"fatal: the program was linked without --eh-frame-hdr, which unwinding needs\n");
    system::exit(STATUS_FATAL)
}

/// Ends the process because the runtime itself is wrong (the Rust panic handler of `rt/image`).
#[cold]
pub fn defect() -> ! {
    let _ = system::write_all(system::STDERR, b"fatal: internal error of the runtime\n");
    system::exit(STATUS_FATAL)
}
