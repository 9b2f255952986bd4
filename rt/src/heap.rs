//! Memory for cells, texts and lists: size classes with a free list each, and pages of their own for what is larger (`abi::layout`).
//!
//! A block is a header of eight bytes and, behind it, the parts at whose address it is known. Free blocks of a class are a list through their first
//! word; taking one and giving it back are a few instructions that the compiler puts where they are needed ([`Thread`] lies where `fs` points to).
//! What happens here is the rest: carving fresh blocks out of slabs ([`segments`]), large blocks, and the report of what was not given back ([`leaks`]).
//!
//! A block on a free list has count 0 and its class: so taking it need not write them.
//!
//! With the feature `hosted` each block is an allocation of the C library's instead (`system`), which tools like valgrind follow; code for it asks
//! for every cell and gives every cell back here (`lir::build::separate`).
#![allow(unsafe_code)] // raw memory

pub mod leaks;
#[cfg(not(feature = "hosted"))]
pub mod segments;
#[cfg(feature = "hosted")]
#[path = "heap/separate.rs"]
pub mod segments;
pub mod watch;

use core::sync::atomic::{AtomicPtr, Ordering};

use abi::layout::{
    CELL_CLASSES, CELL_COUNT, CELL_HEADER, CELL_LARGE, CELL_LARGE_SIZE, CELL_META, THREAD_SIZE, cell_class, cell_header, class_bytes,
};

use segments::Segments;

// The one thread-local symbol. What is known at link time is its distance from `fs` (the local-exec model).
core::arch::global_asm!(
    ".section .tbss.ori_thread,\"awT\",@nobits",
    ".globl ori_thread",
    ".type ori_thread,@object",
    ".p2align 6",
    "ori_thread:",
    ".zero {size}",
    ".size ori_thread, {size}",
    ".text",
    size = const THREAD_SIZE,
);

/// State of a thread. All zero at its start.
#[repr(C)]
pub struct Thread {
    /// First free block of each class, by its parts; compiled code takes and gives there.
    free: [*mut u8; CELL_CLASSES],
    segments: Segments,
}

const _: () = assert!(size_of::<Thread>() <= THREAD_SIZE);

/// The state of this thread.
fn thread() -> *mut Thread {
    let state: *mut Thread;
    // SAFETY: `fs` points to a word with its own address, as the ABI says; whoever started the thread put the state before it.
    unsafe {
        core::arch::asm!(
            "mov {state}, qword ptr fs:[0]",
            "lea {state}, [{state} + ori_thread@TPOFF]",
            state = out(reg) state,
            options(nostack, preserves_flags, pure, readonly),
        );
    }
    state
}

/// The free list of a class; none where blocks have none.
fn list_of(thread: &mut Thread, class: u8) -> Option<&mut *mut u8> {
    if cfg!(feature = "hosted") { None } else { thread.free.get_mut(usize::from(class)) }
}

/// What to do at exit, set as soon as something has been allocated: a program that allocates nothing does not carry it.
static AT_EXIT: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// What [`at_exit`] gives.
pub type AtExit = fn() -> bool;

/// Reports what is still allocated, if anything ever was.
pub fn at_exit() -> Option<AtExit> {
    let check = AT_EXIT.load(Ordering::Relaxed);
    // SAFETY: nothing but such a function is ever stored.
    (!check.is_null()).then(|| unsafe { core::mem::transmute::<*mut (), AtExit>(check) })
}

/// A block for `bytes` bytes of parts whose type has this tag; not cleared. Ends the process when there is no memory.
pub fn allocate(bytes: usize, tag: u32) -> *mut u8 {
    let (class, size) = cell_class(bytes);
    // SAFETY: the state of this thread, which nothing below comes back to.
    let thread = unsafe { &mut *thread() };
    let parts = match list_of(thread, class).copied() {
        None => thread.segments.large(size),
        Some(first) => {
            let first = if first.is_null() { thread.segments.refill(class) } else { first };
            // SAFETY: a free block begins with the address of the next.
            unsafe { thread.free[usize::from(class)] = first.cast::<*mut u8>().read() };
            first
        }
    };
    AT_EXIT.store(leaks::report as AtExit as *mut (), Ordering::Relaxed);
    // SAFETY: the header belongs to the block.
    unsafe { parts.sub(CELL_HEADER).cast::<u64>().write(cell_header(size, tag)) };
    parts
}

// See `abi::Entry::Refill`. The caller may be a leaf whose stack is off by 8.
core::arch::global_asm!(
    ".section .text.ori_refill,\"ax\",@progbits",
    ".globl ori_refill",
    ".type ori_refill,@function",
    "ori_refill:",
    "    push rbp",
    "    mov rbp, rsp",
    "    push rax",
    "    push rcx",
    "    push rdx",
    "    push rsi",
    "    push rdi",
    "    push r8",
    "    push r9",
    "    push r10",
    "    and rsp, -16",
    "    sub rsp, 256",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups [rsp + 16 * \\n], xmm\\n",
    ".endr",
    "    mov edi, r11d",
    "    call {refill}",
    "    mov r11, rax",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "    movups xmm\\n, [rsp + 16 * \\n]",
    ".endr",
    "    lea rsp, [rbp - 64]",
    "    pop r10",
    "    pop r9",
    "    pop r8",
    "    pop rdi",
    "    pop rsi",
    "    pop rdx",
    "    pop rcx",
    "    pop rax",
    "    pop rbp",
    "    ret",
    ".size ori_refill, . - ori_refill",
    ".text",
    refill = sym refill,
);

/// Fills the free list of a class, which is empty; its first block.
extern "sysv64" fn refill(class: u32) -> *mut u8 {
    AT_EXIT.store(leaks::report as AtExit as *mut (), Ordering::Relaxed);
    // SAFETY: the state of this thread, which nothing below comes back to.
    let thread = unsafe { &mut *thread() };
    let first = thread.segments.refill(class as u8);
    if let Some(list) = thread.free.get_mut(class as usize) {
        *list = first;
    }
    first
}

/// Gives a block back.
///
/// # Safety
/// The block must come from here, and nothing may use it any more.
pub unsafe fn free(parts: *mut u8) {
    // SAFETY: the caller gives the block up; its class stands in its header.
    unsafe {
        let class = parts.offset(CELL_META as isize).read();
        let thread = &mut *thread();
        match list_of(thread, class) {
            None => thread.segments.free_large(parts),
            Some(first) => {
                parts.offset(CELL_COUNT as isize).cast::<i32>().write(0);
                parts.cast::<*mut u8>().write(*first);
                *first = parts;
            }
        }
    }
}

/// Has the block one holder?
///
/// # Safety
/// The block must be in use.
pub unsafe fn is_sole(parts: *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { parts.offset(CELL_COUNT as isize).cast::<i32>().read() == 0 }
}

/// The block with room for more bytes of parts, perhaps elsewhere, and what stands in it: only of blocks that have pages of their own.
///
/// # Safety
/// The block must come from here, and nobody but the caller may know it.
pub unsafe fn extend(parts: *mut u8, bytes: usize) -> Option<*mut u8> {
    // SAFETY: the caller's promise.
    unsafe {
        let is_large = parts.offset(CELL_META as isize).read() == CELL_LARGE;
        if is_large { (*thread()).segments.extend(parts, bytes) } else { None }
    }
}

/// Bytes of parts that a block has room for.
///
/// # Safety
/// The block must come from here and be in use.
pub unsafe fn room(parts: *const u8) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        match parts.offset(CELL_META as isize).read() {
            CELL_LARGE => parts.offset(CELL_LARGE_SIZE as isize).cast::<u64>().read() as usize,
            class => class_bytes(class),
        }
    }
}

/// Gives a share of a block up: frees it when that was the last.
///
/// # Safety
/// The caller must own a share, and the parts must hold nothing that is counted.
pub unsafe fn release(parts: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let count = parts.offset(CELL_COUNT as isize).cast::<i32>();
        match *count {
            0 => free(parts),
            _ if cfg!(feature = "plant-use-after-free") => free(parts),
            shares => *count = shares - 1,
        }
    }
}

/// Takes one more share of a block.
///
/// # Safety
/// The block must be in use.
pub unsafe fn retain(parts: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { *parts.offset(CELL_COUNT as isize).cast::<i32>() += 1 };
}

/// Lets a block live until exit: nobody counts it, and no report names it.
///
/// # Safety
/// The block must be in use.
pub unsafe fn make_immortal(parts: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { parts.offset(CELL_COUNT as isize).cast::<i32>().write(abi::layout::COUNT_IMMORTAL) };
}

#[cfg(test)]
mod tests;
