//! The seed of the process, by which tables hash: from the kernel, or from `ORI_HASH_SEED`. No program can tell which one it is.
#![allow(unsafe_code)] // the one static

use core::cell::UnsafeCell;

use crate::{panic, start, system};

struct Global(UnsafeCell<Option<i64>>);
// SAFETY: programs have one thread.
unsafe impl Sync for Global {}
static SEED: Global = Global(UnsafeCell::new(None));

/// The seed, never negative.
pub fn of_process() -> i64 {
    // SAFETY: one thread, and nothing called here comes back.
    let seed = unsafe { &mut *SEED.0.get() };
    *seed.get_or_insert_with(|| {
        let pinned = panic::variable(b"ORI_HASH_SEED").and_then(start::decimal);
        let seed = pinned.map_or_else(system::random, |pinned| pinned as u64);
        (seed & i64::MAX as u64) as i64
    })
}
