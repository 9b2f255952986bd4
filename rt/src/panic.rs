//! Panic entries. Each `ori_panic_*` symbol is a stub (made by `build.rs` from the table) that puts the kind's number into `edx`; the common tail
//! hands the caller's frame to [`entered`]. The arguments are where compiled code put them: `rdi`, `rsi`. Code of LLVM has one entry for all kinds.
//!
//! The report of a panic that nothing catches is made before any unwinding (`language/10` §10.2).
#![allow(unsafe_code)] // assembly entries, the caller's registers

use core::arch::global_asm;
use core::cell::UnsafeCell;

use abi::funcs::PlaceRecord;
use abi::{Kind, PanicKind};
use pure::Arg;

use crate::output::{self, Report};
use crate::unwind::{self, Frame};
use crate::value::{Builder, Str};
use crate::walk::{Tables, Walk};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/panic_stubs.s")));

// The entries of native code have no place, and the one of LLVM's code passes it in `rcx`.
global_asm!(
    ".section .text.ori_panic_enter,\"ax\",@progbits",
    "ori_panic_enter:",
    "    xor r8d, r8d",
    "    lea r9, [rip + {entered}]",
    "    jmp ori_capture",
    ".section .text.ori_panic_at,\"ax\",@progbits",
    ".globl ori_panic_at",
    ".type ori_panic_at,@function",
    "ori_panic_at:",
    "    mov r8, rcx",
    "    lea r9, [rip + {entered}]",
    "    jmp ori_capture",
    ".size ori_panic_at, . - ori_panic_at",
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
    let variables = unsafe { *ENVIRONMENT.0.get() };
    // SAFETY: the same promise.
    if variables.is_null() { None } else { unsafe { crate::start::variable(variables, name) } }
}

/// A panic: `kind` with its arguments, the frame that it happened in, and the place, when code of LLVM panics.
extern "sysv64" fn entered(first: u64, second: u64, kind: u64, frame: &Frame, place: *const PlaceRecord) -> ! {
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
    // SAFETY: the stub passes the registers of compiled code, which passes the addresses of constants.
    unsafe {
        if !unwind::is_caught(*frame) {
            output::flush();
            let walk = Walk::new(Tables::of_program(), *frame, place);
            let mut report = Report::default();
            let is_wanted = variable(b"ORI_BACKTRACE") != Some(b"0");
            pure::report::report(&mut |out| out(message.bytes()), walk.clone(), is_wanted, &mut |piece| report.add(piece));
            if is_wanted && walk.omits() {
                report.add(pure::report::OMITTED);
            }
            report.send();
        }
        unwind::begin(message, *frame)
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
