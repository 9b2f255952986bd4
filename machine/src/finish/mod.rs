//! `alloc` to `final`: frame, branch forms, bytes, relocations, sites.
//!
//! | room    | holds                                                                       |
//! |---------|-----------------------------------------------------------------------------|
//! | `cells` | taking cells and giving them back, in place                                |
//! | `code`  | what comes out: [`Code`]                                                    |
//! | `frame` | [`Frame`]: what is where below `rbp`                                        |
//! | `lay`   | the last changes of records: fall through, inverted conditions              |
//! | `emit`  | records to bytes                                                            |
//! | `widen` | branches are short first; those that do not reach are widened in one pass   |
//!
//! Loop heads are not aligned. `resume` jumps to the runtime, and a landing pad that catches begins with a byte that says so (decision 10).

mod cells;
mod code;
mod emit;
mod frame;
mod lay;
mod widen;

#[cfg(test)]
mod tests;

pub use code::{Code, DataBlock, Link, Reloc, RelocTarget, Site};
pub use emit::Marks;
pub use frame::{Frame, MAX_FRAME};

use crate::ir::{Alloc, Final, Function};

/// Set in the immediate of a branch (`jcc`, `jmp`, `stub`) of a `final` function that has the near form: a displacement of 32 bits, not 8.
pub const NEAR: i32 = 256;

/// Why a function cannot be finished.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The frame is larger than any stack.
    FrameTooLarge,
}

impl Refusal {
    /// One sentence for the user.
    pub const fn message(self) -> &'static str {
        match self {
            Refusal::FrameTooLarge => "X0901 the local values of the function need more than 1 GiB of stack",
        }
    }
}

/// Finishes a function whose verifier found no fault.
pub fn finish(function: Function<Alloc>) -> Result<(Function<Final>, Code), Refusal> {
    let (function, mut code) = finish_with(function, &mut Memory::default())?;
    code.places = function.places.clone();
    Ok((function, code))
}

/// Columns that are used again.
#[derive(Default, Debug)]
pub(crate) struct Memory {
    lay: lay::Memory,
    emit: emit::Memory,
}

/// As [`finish`], with columns that are used again. The places stay with the function: who compiles moves them to the code, where they belong.
pub(crate) fn finish_with(function: Function<Alloc>, memory: &mut Memory) -> Result<(Function<Final>, Code), Refusal> {
    let (mut function, frame) = lay::lay(function, &mut memory.lay)?;
    let (code, _) = emit::emit(&mut function, frame, None, &mut memory.emit);
    Ok((function, code))
}

/// Bytes of a finished function again, with the offset of each record: for listings and checks.
pub fn mark(function: &Function<Final>) -> Option<(Code, Marks)> {
    let frame = Frame::of(function)?;
    let mut function = function.clone();
    let (mut code, marks) = emit::emit(&mut function, frame, Some(Marks::default()), &mut emit::Memory::default());
    code.places = function.places;
    Some((code, marks?))
}
