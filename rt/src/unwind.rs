//! Unwinding (`language/10` §10.2): from the panic up the frames, call by call. A call with a landing pad goes on there, with the registers that its function
//! may count on. What the pad does not catch it hands on (`ori_resume`, or `_Unwind_Resume` in code of LLVM), and so frame after frame is left, until a pad
//! catches or none is left.
//!
//! Native pads find what they need in their frame; those of LLVM count on every register that calls keep, so all of them are followed from frame to frame.
//!
//! A native pad that catches begins with a byte of its own ([`CATCHES`]), one of LLVM has a type of null: so it is known before anything unwinds whether the
//! panic will be reported.
#![allow(unsafe_code)] // the frames of compiled code

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

use abi::funcs::{CATCHES, FunctionRecord, HAS_FRAME, PlaceRecord};
use pure::sites::Places;

use crate::value::Str;
use crate::walk::{Tables, start_of};

/// The panic that unwinds.
struct Panic {
    /// Is there one?
    active: bool,
    message: Str,
    /// The function whose native pad runs: where it saved the registers of its caller.
    landed: Option<&'static FunctionRecord>,
}

struct Global(UnsafeCell<Panic>);
// SAFETY: programs have one thread.
unsafe impl Sync for Global {}
static PANIC: Global = Global(UnsafeCell::new(Panic { active: false, message: Str::EMPTY, landed: None }));

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

/// A frame that a call was made in, as it is right behind the call.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Frame {
    /// Return address of the call.
    pub pc: usize,
    /// `rsp`.
    pub sp: usize,
    /// The registers that calls keep, in the order of [`KEPT`].
    pub kept: [usize; 6],
}

/// Numbers of the registers that calls keep: `rbx rbp r12 r13 r14 r15` (as in instructions; DWARF numbers the first two otherwise).
const KEPT: [u16; 6] = [3, 5, 12, 13, 14, 15];
/// Position of `rbp` in [`Frame::kept`].
pub const RBP: usize = 1;

/// What is known of a call: who made the function's own call, and what happens when this one panics.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The frame that called the function.
    pub caller: Frame,
    /// The landing pad, or null.
    pub pad: *const u8,
    /// `rsp` at the pad.
    pub pad_sp: usize,
    /// Does the pad catch?
    pub catches: bool,
    /// The function's record; none in code of LLVM.
    pub record: Option<&'static FunctionRecord>,
    /// Native code: its places, innermost first.
    pub places: Places<'static>,
    /// Code of LLVM, which has a chain of places for each function that was inlined in another: the one that `wanted` asks for, or null.
    pub chain: *const PlaceRecord,
    /// Number of the chain to be read, from 0, innermost first.
    pub wanted: usize,
}

impl Call {
    /// Nothing known yet.
    pub const NONE: Call = Call {
        caller: Frame { pc: 0, sp: 0, kept: [0; 6] },
        pad: core::ptr::null(),
        pad_sp: 0,
        catches: false,
        record: None,
        places: Places::EMPTY,
        chain: core::ptr::null(),
        wanted: 0,
    };
}

/// What stands behind `Header::frames`: fills in what is known of the call of a frame in code without function records; false when there is nothing. With an
/// `sp` of 0 only the places, and only when the frame's `pc` is behind a call.
pub type Reader = unsafe extern "sysv64" fn(image: u64, frame: &Frame, call: &mut Call) -> bool;

impl Frame {
    /// The frame that called this one, of native code.
    ///
    /// # Safety
    /// The frame must be one of the function with this record.
    pub unsafe fn native_caller(&self, record: &FunctionRecord) -> Frame {
        let word = |address: usize| {
            // SAFETY: a function with a frame has saved the caller's `rbp` and its return address at `rbp`, and registers below; one without is a leaf, which
            // has nothing but its return address on the stack.
            unsafe { *(address as *const usize) }
        };
        if record.flags & HAS_FRAME == 0 {
            return Frame { pc: word(self.sp), sp: self.sp + 8, ..*self };
        }
        let base = self.kept[RBP];
        let mut caller = Frame { pc: word(base + 8), sp: base + 16, ..*self };
        caller.kept[RBP] = word(base);
        let mut place = base;
        for (register, kept) in KEPT.into_iter().zip(&mut caller.kept) {
            if record.saved_mask >> register & 1 != 0 {
                place -= 8;
                *kept = word(place);
            }
        }
        caller
    }

    /// What is known of the call; false above the outermost frame.
    ///
    /// # Safety
    /// The frame must be one of compiled code, or not known to `tables`.
    pub unsafe fn read(&self, tables: Tables<'static>, call: &mut Call) -> bool {
        // SAFETY: as the caller says.
        unsafe {
            let Some((record, offset)) = tables.function(self.pc) else { return tables.read_foreign(self, call) };
            let site = tables.sites(record).find(|site| site.return_offset == offset);
            call.caller = self.native_caller(record);
            call.record = Some(record);
            call.chain = core::ptr::null();
            call.places = site.map_or(Places::EMPTY, |site| site.places);
            call.catches = false;
            call.pad = core::ptr::null();
            if let Some(offset) = site.and_then(|site| site.pad_offset) {
                call.pad = start_of(record).wrapping_add(offset as usize);
                // A function with a pad has a frame, of which this is the lowest byte.
                call.pad_sp = self.kept[RBP] - record.frame_size as usize;
                call.catches = *call.pad == CATCHES;
            }
            true
        }
    }
}

/// Does a pad above catch what unwinds from here?
///
/// # Safety
/// The frames must be those of compiled code.
pub unsafe fn is_caught(mut frame: Frame) -> bool {
    let mut call = Call::NONE;
    // SAFETY: as the caller says.
    while unsafe { frame.read(Tables::of_program(), &mut call) } {
        if call.catches {
            return true;
        }
        frame = call.caller;
    }
    false
}

/// Unwinds from a call that panicked with this message.
///
/// # Safety
/// The frames must be those of compiled code.
pub unsafe fn begin(message: Str, frame: Frame) -> ! {
    *panic() = Panic { active: true, message, landed: None };
    // SAFETY: as the caller says.
    unsafe { land(frame) }
}

/// Goes on at the next pad; ends the process after the last frame.
///
/// # Safety
/// As above.
unsafe fn land(mut frame: Frame) -> ! {
    let mut call = Call::NONE;
    // SAFETY: as the caller says.
    while unsafe { frame.read(Tables::of_program(), &mut call) } {
        if !call.pad.is_null() {
            panic().landed = call.record;
            // SAFETY: these are the registers of the frame; everything below its lowest byte is left for ever. LLVM's pads take an exception and a
            // selector in `rax` and `rdx`, which are handed to `_Unwind_Resume` and mean nothing there.
            unsafe {
                asm!(
                    "mov rbx, [rdi]",
                    "mov rbp, [rdi + 8]",
                    "mov r12, [rdi + 16]",
                    "mov r13, [rdi + 24]",
                    "mov r14, [rdi + 32]",
                    "mov r15, [rdi + 40]",
                    // Last: what lies below is nobody's from here on.
                    "mov rsp, rsi",
                    "mov eax, 1",
                    "mov edx, eax",
                    "jmp rcx",
                    in("rsi") call.pad_sp,
                    in("rcx") call.pad,
                    in("rdi") frame.kept.as_ptr(),
                    options(noreturn),
                )
            }
        }
        frame = call.caller;
    }
    // SAFETY: nobody else has the message.
    unsafe { take().release() };
    crate::start::end_panicked()
}

/// Assembly that pushes a [`Frame`] for the call whose return address `rax` points at; changes `rcx`.
macro_rules! push_frame {
    () => {
        concat!("push r15\npush r14\npush r13\npush r12\npush rbp\npush rbx\n", "lea rcx, [rax + 8]\npush rcx\npush qword ptr [rax]")
    };
}
pub(crate) use push_frame;

// `ori_capture` is jumped to with the return address of a call of compiled code on top of the stack; it calls what `r9` names, which does not return, with the
// frame in `rcx` ([`Frame`]) and `rdi rsi rdx r8` as they are. A leaf without frame calls with a stack that is off by 8: it is aligned here.
//
// `ori_resume` is jumped to by native pads: there is no return address, and `rbp` is that of the frame.
global_asm!(
    ".section .text.ori_capture,\"ax\",@progbits",
    ".globl ori_capture",
    ".hidden ori_capture",
    "ori_capture:",
    "    mov rax, rsp",
    "    and rsp, -16",
    push_frame!(),
    "    mov rcx, rsp",
    "    call r9",
    "    ud2",
    ".section .text.ori_resume,\"ax\",@progbits",
    ".globl ori_resume",
    ".type ori_resume,@function",
    "ori_resume:",
    "    lea r9, [rip + {resume}]",
    "    jmp ori_capture",
    ".size ori_resume, . - ori_resume",
    ".section .text.ori_unwind_resume,\"ax\",@progbits",
    ".globl ori_unwind_resume",
    ".type ori_unwind_resume,@function",
    "ori_unwind_resume:",
    ".weak _Unwind_Resume",
    ".hidden _Unwind_Resume",
    ".type _Unwind_Resume,@function",
    "_Unwind_Resume:",
    "    lea r9, [rip + {resume_foreign}]",
    "    jmp ori_capture",
    ".size _Unwind_Resume, . - _Unwind_Resume",
    ".size ori_unwind_resume, . - ori_unwind_resume",
    ".section .text.ori_personality,\"ax\",@progbits",
    ".globl ori_personality",
    ".type ori_personality,@function",
    "ori_personality:",
    "    ud2",
    ".size ori_personality, . - ori_personality",
    ".text",
    resume = sym resume,
    resume_foreign = sym resume_foreign,
);

/// Goes on in the caller of the function whose native pad ends.
unsafe extern "sysv64" fn resume(_: u64, _: u64, _: u64, frame: &Frame) -> ! {
    // SAFETY: a pad has a frame, whose registers nothing but the pad changed since it was entered.
    match panic().landed {
        Some(record) => unsafe { land(frame.native_caller(record)) },
        None => crate::fault::defect(),
    }
}

/// Goes on behind a pad of LLVM, which may lie in another pad's range.
unsafe extern "sysv64" fn resume_foreign(_: u64, _: u64, _: u64, frame: &Frame) -> ! {
    // SAFETY: called by compiled code.
    unsafe { land(*frame) }
}
