//! The limit on the size of a file (`ulimit -f`).
//!
//! By default a write beyond it ends the process by a signal, half a file behind it. With a handler that does nothing the write fails as it does on a full
//! disk, and whoever writes takes back what it began. A handler, unlike a signal that is ignored, is not handed on to a program that this process starts.
#![allow(unsafe_code)]

/// The signal on Linux.
const SIGXFSZ: i32 = 25;

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
}

extern "C" fn nothing(_: i32) {}

/// From now on a write beyond the limit fails with an error.
pub fn fail_beyond_limit() {
    // SAFETY: the handler does nothing, so it may run anywhere, and it is a function of the form that `signal` takes.
    unsafe { signal(SIGXFSZ, nothing) };
}
