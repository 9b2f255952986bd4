//! Panic entries. Each `ori_panic_*` symbol is a stub (made by `build.rs` from the table) that puts the kind's number into `edx`; the common tail
//! hands the caller's stack to [`entered`]. The arguments are where compiled code put them: `rdi`, `rsi`.
//!
//! The report of a panic that nothing catches is made before any unwinding (`language/10` §10.2).
#![allow(unsafe_code)] // assembly entries, the caller's registers

use core::arch::global_asm;
use core::cell::UnsafeCell;

use abi::{Kind, PanicKind};
use pure::Arg;

use crate::output::{self, Report};
use crate::unwind;
use crate::value::{Builder, Str};
use crate::walk::{Tables, Walk};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/panic_stubs.s")));

// `rsp` points at the return address of the cold call. A leaf without frame calls with a stack that is off by 8: align here.
global_asm!(
    ".section .text.ori_panic_enter,\"ax\",@progbits",
    "ori_panic_enter:",
    "    mov rcx, rsp",
    "    mov r8, rbp",
    "    and rsp, -16",
    "    call {entered}",
    "    ud2",
    ".text",
    entered = sym entered,
);

struct Environment(UnsafeCell<*const *const u8>);
// SAFETY: written once at start, by the one thread.
unsafe impl Sync for Environment {}
static ENVIRONMENT: Environment = Environment(UnsafeCell::new(core::ptr::null()));

/// Remembers the environment, where `ORI_BACKTRACE` is looked up.
///
/// # Safety
/// `variables` must be a null-terminated vector of C strings that live as long as the process.
pub unsafe fn set_environment(variables: *const *const u8) {
    // SAFETY: one thread.
    unsafe { *ENVIRONMENT.0.get() = variables };
}

/// The value of an environment variable.
pub fn variable(name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: `set_environment`'s promise; null before it.
    unsafe {
        let variables = *ENVIRONMENT.0.get();
        if variables.is_null() { None } else { crate::start::variable(variables, name) }
    }
}

/// A panic: `kind` with its arguments, the stack pointer at the entry of the stub, and the caller's `rbp`.
extern "sysv64" fn entered(first: u64, second: u64, kind: u64, sp: *const usize, bp: *const usize) -> ! {
    let kind = PanicKind::from_number(kind).unwrap_or(PanicKind::NonExhaustive);
    let mut reason = Str::EMPTY;
    let mut args = [Arg::Int(first as i64), Arg::Int(second as i64)];
    if kind == PanicKind::OutputFailed {
        // The message wants the system's reason, which only the runtime knows.
        reason = Builder::collect(|out| pure::message::write_failure(output::failure(), out));
        args[0] = Arg::Str(reason.bytes());
    } else {
        for (arg, (shape, word)) in args.iter_mut().zip(kind.args().iter().zip([first, second])) {
            if *shape == Kind::Str {
                // SAFETY: the table says that this argument is the address of a `str` value.
                *arg = Arg::Str(unsafe { (*(word as *const Str)).bytes() });
            }
        }
    }
    let message = Builder::collect(|out| pure::message::message(kind, &args, out));
    // SAFETY: nobody has it any more.
    unsafe { reason.release() };
    if let Some(first) = unwind::current() {
        abort(&first, &message);
    }
    // SAFETY: the stub passes the registers of compiled code.
    unsafe {
        let frame = unwind::Frame { pc: *sp, bp, above: sp.wrapping_add(1) };
        if !unwind::is_caught(frame) {
            output::flush();
            let frames = Walk::new(Tables::of_program(), sp, bp);
            let mut report = Report::default();
            let is_wanted = variable(b"ORI_BACKTRACE") != Some(b"0");
            pure::report::report(&mut |out| out(message.bytes()), frames, is_wanted, &mut |piece| report.add(piece));
            report.send();
        }
        unwind::begin(message, frame)
    }
}

/// A panic while another one unwinds.
fn abort(first: &Str, second: &Str) -> ! {
    output::flush();
    let mut report = Report::default();
    pure::report::abort(second.bytes(), first.bytes(), &mut |piece| report.add(piece));
    report.send();
    crate::system::exit(output::STATUS_FATAL)
}
