//! Frames of code without function records, as LLVM makes it: `.eh_frame` says how to get to the caller, `.gcc_except_table` has the landing pads and
//! the places of calls. Only the header names [`ori_frames`], so programs of native code alone do not carry any of this.
//!
//! | room       | holds                                                        |
//! |------------|--------------------------------------------------------------|
//! | [`bytes`]  | numbers and encoded pointers                                  |
//! | [`image`]  | segments of the program; the description of a function        |
//! | [`cfi`]    | call frame information: registers of the caller               |
//! | [`lsda`]   | language-specific data: pads, and types that are places       |
//!
//! A type that is not null is the address of a `PlaceRecord`: the call was made there, and the type catches nothing. Null catches everything.
//!
//! Damaged tables give "nothing known". Reads stay in the segment that they begin in; only the stack is believed.
#![allow(unsafe_code)] // the stack, the program's own segments

pub mod bytes;
pub mod cfi;
pub mod image;
pub mod lsda;

use crate::unwind::{Call, Frame};
use image::Image;

/// What is known of the call of this frame: `unwind::Reader`.
///
/// # Safety
/// `image` must be the address of this program's ELF header, and the frame that of a call of compiled code, unless its `sp` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_frames(image: u64, frame: &Frame, call: &mut Call) -> bool {
    // SAFETY: as the caller says.
    unsafe {
        let image = Image::at(image as usize);
        match image.table() {
            Some(table) => read(&image, table, frame, call),
            None => crate::fault::no_frames(),
        }
    }
}

/// # Safety
/// As for [`ori_frames`].
unsafe fn read(image: &Image, table: &'static [u8], frame: &Frame, call: &mut Call) -> bool {
    // The call stands before its return address, which may be that of the next function.
    let at = frame.pc.wrapping_sub(1);
    let Some(function) = image.function(table, at) else { return false };
    call.record = None;
    call.places = pure::sites::Places::EMPTY;
    call.chain = core::ptr::null();
    call.catches = false;
    call.pad = core::ptr::null();
    call.caller = Frame::default();
    if frame.sp == 0 {
        return follows_call(image, function.start, frame.pc) && lsda::read(image, &function, at, call).is_some();
    }
    let Some(row) = cfi::row(&function, at) else { return true };
    call.pad_sp = frame.sp.wrapping_add(row.pushed);
    // SAFETY: as the caller says.
    call.caller = unsafe { row.caller(frame) }.unwrap_or_default();
    // What was read of a table that turns out damaged stays.
    let _ = lsda::read(image, &function, at, call);
    true
}

/// Are the bytes before `pc` those of a call? Words on a stack may be addresses of anything.
fn follows_call(image: &Image, start: usize, pc: usize) -> bool {
    let Some(code) = image.readable(start).get(..pc.wrapping_sub(start)) else { return false };
    let byte = |back: usize| code.len().checked_sub(back).and_then(|at| code.get(at));
    // `call` with a distance; or `ff /2` with what an address takes.
    byte(5) == Some(&0xe8)
        || [(2, 1), (3, 2), (4, 3), (6, 5), (7, 6)]
            .iter()
            .any(|&(op, shape)| byte(op) == Some(&0xff) && byte(shape).is_some_and(|shape| shape >> 3 & 7 == 2))
}

#[cfg(test)]
mod tests;
