//! Set-up and end of a program: a stack of our own with a guard area, the signal stack, `args`, `@main`, exit.
//!
//! No `cpuid`, no relocation, no constructor: on a virtual machine those are what a short program spends its time on.
#![allow(unsafe_code)] // the kernel's initial stack, switching stacks

use core::arch::asm;
use core::cell::UnsafeCell;

use abi::funcs::ENTRY_RETURNS_STATUS;
use abi::layout::{STACK_GUARD, STACK_SIZE, THREAD_SIZE};

use crate::value::{Builder, List, Str};
use crate::{fault, heap, output, panic, system, walk};

/// Stacks below this could not hold the runtime itself.
const SMALLEST_STACK: usize = 64 << 10;
/// Exit status of a program that ends normally and leaves blocks behind (`language/13` §13.9).
const STATUS_LEAK: i32 = 3;
/// The size of a process.
const LARGEST_STACK: usize = 1 << 46;

/// State of the first thread, and behind it the word that `fs` points to.
#[repr(C, align(64))]
struct FirstThread(UnsafeCell<[usize; THREAD_SIZE / 8 + 1]>);
// SAFETY: the thread's own, reached through `fs`.
unsafe impl Sync for FirstThread {}
static FIRST_THREAD: FirstThread = FirstThread(UnsafeCell::new([0; THREAD_SIZE / 8 + 1]));

/// Runs the program without a C library, which would have set up the thread.
///
/// # Safety
/// As for [`run`].
pub unsafe fn run_alone(stack: *const usize) -> ! {
    let word = FIRST_THREAD.0.get().cast::<usize>().wrapping_add(THREAD_SIZE / 8);
    // SAFETY: first of all; the word is behind the state, and holds its own address.
    unsafe {
        word.write(word as usize);
        system::set_thread(word);
        run(stack)
    }
}

/// Runs the program; `stack` is where the kernel put argument count, arguments, null, environment, null.
///
/// # Safety
/// To be called once, first, with what the kernel (or `main` of a C library) passed.
pub unsafe fn run(stack: *const usize) -> ! {
    // SAFETY: the kernel's layout.
    let (count, arguments) = unsafe { (*stack, stack.add(1).cast::<*const u8>()) };
    // SAFETY: behind the arguments and their null.
    let environment = unsafe { arguments.add(count + 1) };
    // SAFETY: the kernel's layout.
    unsafe { panic::set_environment(environment) };
    let args = arguments_of(count, arguments);
    // SAFETY: as above.
    let size = unsafe { stack_size(environment) };
    let total = STACK_GUARD + size;
    let status = match system::map_stack(total) {
        Some(base) => {
            // SAFETY: both areas are inside the fresh mapping, and nothing else uses it.
            unsafe {
                let top = base.add(total);
                system::forbid(base, STACK_GUARD);
                fault::watch(base as usize, top as usize);
                #[cfg(feature = "hosted")]
                crate::hosted::tell_stack(base.add(STACK_GUARD), size);
                call_on(top, walk::ori_header.entry, &args)
            }
        }
        None => fault::out_of_memory(total),
    };
    // SAFETY: the linker filled the header.
    let flags = unsafe { walk::ori_header.flags };
    let status = if flags & ENTRY_RETURNS_STATUS != 0 { (status & 0xff) as i32 } else { 0 };
    output::exit(if leaks() { STATUS_LEAK } else { status })
}

/// Are leaks to be reported (`ORI_CHECK_LEAKS`), and are there any?
fn leaks() -> bool {
    heap::at_exit().is_some_and(|report| report())
}

/// Ends the process after an uncaught panic: leaks are reported, and the status stays.
pub fn end_panicked() -> ! {
    leaks();
    output::exit(1)
}

/// Calls `entry(args)` with `top` as its stack.
///
/// # Safety
/// `top` must be the aligned end of an unused stack, `entry` a compiled `@main`.
unsafe fn call_on(top: *mut u8, entry: u64, args: &List) -> i64 {
    let status: i64;
    // SAFETY: `r12` survives the call, so the stack comes back; `rbp` is 0 so that debuggers see the end of the chain.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov r13, rbp",
            "mov rsp, {top}",
            "xor ebp, ebp",
            "call {entry}",
            "mov rsp, r12",
            "mov rbp, r13",
            top = in(reg) top,
            entry = in(reg) entry,
            in("rdi") args,
            lateout("rax") status,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            clobber_abi("sysv64"),
        );
    }
    status
}

fn arguments_of(count: usize, arguments: *const *const u8) -> List {
    let length = count.saturating_sub(1);
    if length == 0 {
        return List { pointer: core::ptr::dangling(), length: 0, buffer: core::ptr::null_mut() };
    }
    let block = heap::allocate(length * size_of::<Str>(), 0);
    // SAFETY: it was just made. Nobody owns the arguments: they live until exit.
    unsafe { heap::make_immortal(block) };
    let pointer = block.cast::<Str>();
    for index in 0..length {
        // SAFETY: `count` arguments, of which the first is the program's name; they live until exit. The list has room for the others.
        unsafe { pointer.add(index).write(argument(c_string(*arguments.add(index + 1)))) };
    }
    List { pointer, length: length as u64, buffer: core::ptr::null_mut() }
}

fn argument(bytes: &'static [u8]) -> Str {
    match core::str::from_utf8(bytes) {
        Ok(_) => Str::of_static(bytes),
        Err(_) => Builder::collect(|out| pure::text::lossy(bytes, out)).lasting(),
    }
}

/// # Safety
/// `start` must be a null-terminated string that lives until exit.
unsafe fn c_string(start: *const u8) -> &'static [u8] {
    let mut length = 0;
    // SAFETY: by the caller's promise.
    unsafe {
        while *start.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(start, length)
    }
}

/// The value of an environment variable.
///
/// # Safety
/// `environment` must be the kernel's null-terminated vector.
pub unsafe fn variable(environment: *const *const u8, name: &[u8]) -> Option<&'static [u8]> {
    let mut next = environment;
    // SAFETY: the vector ends with null, its strings with zero.
    unsafe {
        while !(*next).is_null() {
            // The first byte decides nearly always.
            if **next == name.first().copied()?
                && let Some([b'=', value @ ..]) = c_string(*next).strip_prefix(name)
            {
                return Some(value);
            }
            next = next.add(1);
        }
    }
    None
}

/// # Safety
/// As for [`variable`].
unsafe fn stack_size(environment: *const *const u8) -> usize {
    // SAFETY: the same promise.
    let wanted = unsafe { variable(environment, b"ORI_STACK_SIZE") };
    // An invalid value is ignored (`language/17` §17.4).
    let parsed = wanted.and_then(decimal).unwrap_or(0);
    if (SMALLEST_STACK..LARGEST_STACK).contains(&parsed) { (parsed + 4095) & !4095 } else { STACK_SIZE }
}

/// Plain digits; the parser for programs, which trims Unicode white space, would be a tenth of a small program.
pub fn decimal(text: &[u8]) -> Option<usize> {
    text.iter().try_fold(0usize, |value, digit| match digit {
        b'0'..=b'9' if value < LARGEST_STACK => Some(value * 10 + usize::from(digit - b'0')),
        _ => None,
    })
}
