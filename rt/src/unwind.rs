//! Unwinding (`language/10` §10.2): from the panic up the frames, by the sites of the function records. A site with a landing pad goes on there: the pad finds
//! what it needs in its frame, so nothing but `rbp` and `rsp` is set up. What it does not catch it hands on (`resume`), and so frame after frame is left, until
//! a pad catches or none is left.
//!
//! A pad that catches begins with a byte of its own ([`CATCHES`]): so it is known before anything unwinds whether the panic will be reported.
#![allow(unsafe_code)] // the frames of compiled code

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

use abi::funcs::{CATCHES, FunctionRecord, HAS_FRAME};

use crate::value::Str;
use crate::walk::{Tables, start_of};

/// The panic that unwinds.
struct Panic {
    /// Is there one?
    active: bool,
    message: Str,
}

struct Global(UnsafeCell<Panic>);
// SAFETY: programs have one thread.
unsafe impl Sync for Global {}
static PANIC: Global = Global(UnsafeCell::new(Panic { active: false, message: Str::EMPTY }));

fn panic() -> &'static mut Panic {
    // SAFETY: one thread, and no function of this module holds the reference while calling another that takes it.
    unsafe { &mut *PANIC.0.get() }
}

/// The message of the panic that unwinds, if one does.
pub fn current() -> Option<Str> {
    let panic = panic();
    panic.active.then_some(panic.message)
}

/// The panic ends: its message, which the caller owns.
pub fn take() -> Str {
    let panic = panic();
    panic.active = false;
    core::mem::replace(&mut panic.message, Str::EMPTY)
}

/// A frame that a call was made in.
#[derive(Clone, Copy)]
pub struct Frame {
    /// Return address of the call.
    pub pc: usize,
    /// `rbp` in it.
    pub bp: *const usize,
    /// Where the return address of the function itself stands, when it is a leaf without frame.
    pub above: *const usize,
}

impl Frame {
    /// The frame that called this one.
    ///
    /// # Safety
    /// The frames must be those of compiled code.
    unsafe fn caller(self, record: &FunctionRecord) -> Frame {
        // SAFETY: a function with a frame has saved the caller's `rbp` and its return address at `rbp`; one without is a leaf.
        unsafe {
            if record.flags & HAS_FRAME != 0 {
                Frame { pc: *self.bp.add(1), bp: *self.bp as *const usize, above: core::ptr::null() }
            } else if self.above.is_null() {
                Frame { pc: 0, ..self }
            } else {
                Frame { pc: *self.above, bp: self.bp, above: core::ptr::null() }
            }
        }
    }

    /// The landing pad of the call.
    fn pad(self, tables: Tables<'static>) -> Option<(*const u8, &'static FunctionRecord)> {
        let (record, site) = tables.site(self.pc)?;
        Some((start_of(record).wrapping_add(site.pad_offset? as usize), record))
    }
}

/// Does a pad above catch what unwinds from here?
///
/// # Safety
/// The frames must be those of compiled code.
pub unsafe fn is_caught(mut frame: Frame) -> bool {
    let tables = Tables::of_program();
    while let Some((record, _)) = tables.function(frame.pc) {
        // SAFETY: the linker's tables name code, and the frame is one of it.
        unsafe {
            if frame.pad(tables).is_some_and(|(pad, _)| *pad == CATCHES) {
                return true;
            }
            frame = frame.caller(record);
        }
    }
    false
}

/// Unwinds from a call that panicked with this message.
///
/// # Safety
/// The frames must be those of compiled code.
pub unsafe fn begin(message: Str, frame: Frame) -> ! {
    *panic() = Panic { active: true, message };
    // SAFETY: as the caller says.
    unsafe { land(frame) }
}

/// Goes on at the next pad; ends the process after the last frame.
///
/// # Safety
/// As above.
unsafe fn land(mut frame: Frame) -> ! {
    let tables = Tables::of_program();
    while let Some((record, _)) = tables.function(frame.pc) {
        if let Some((pad, record)) = frame.pad(tables) {
            let sp = frame.bp.cast::<u8>().wrapping_sub(record.frame_size as usize);
            // SAFETY: a function with a pad has a frame, of which this is the lowest byte; everything below it is left for ever.
            unsafe {
                asm!(
                    "mov rsp, {sp}",
                    "mov rbp, {bp}",
                    "jmp {pad}",
                    sp = in(reg) sp,
                    bp = in(reg) frame.bp,
                    pad = in(reg) pad,
                    options(noreturn),
                )
            }
        }
        // SAFETY: as the caller says.
        frame = unsafe { frame.caller(record) };
    }
    // SAFETY: nobody else has the message.
    unsafe { take().release() };
    crate::start::end_panicked()
}

// A pad hands the panic on: `rbp` is that of its frame.
global_asm!(
    ".section .text.ori_resume,\"ax\",@progbits",
    ".globl ori_resume",
    ".type ori_resume,@function",
    "ori_resume:",
    "    mov rdi, rbp",
    "    and rsp, -16",
    "    call {resume}",
    "    ud2",
    ".size ori_resume, . - ori_resume",
    ".text",
    resume = sym resume,
);

/// Goes on in the caller of the function with this frame.
unsafe extern "sysv64" fn resume(bp: *const usize) -> ! {
    // SAFETY: a pad has a frame.
    unsafe { land(Frame { pc: *bp.add(1), bp: *bp as *const usize, above: core::ptr::null() }) }
}
