//! Print and parse, in the dump language of all levels.
//!
//! ```text
//! ori-ir machine.select 1 isa=x86_64
//! fn @main.f[slot local 24, pad 2, loop 1 1](%0: gp) -> gp {
//! b0:
//!   %1: gp = load [%0 + 8]
//!   cmp %1, %0
//!   stub ae, index_out_of_bounds, %1, 5, b2 !3:9
//!   jmp b1(%1)
//! ...
//! ```
//! An operand list is: the condition, the registers in the order `a`, `b`, `c` (a defined register of `select` stands before the `=`), the address, the
//! constant, the edge. After allocation registers are `$rax`, and `%5:$rax` when the allocation kept the virtual ones. In brackets after the name stands
//! what belongs to the function as a whole:
//!
//! | item                              | says                                                                          |
//! |-----------------------------------|-------------------------------------------------------------------------------|
//! | `saved rbx r12`                   | callee-saved registers in use                                                 |
//! | `slot local 24`, `slot spill 8`   | the next slot and its bytes; with ` at -48` its offset from `rbp`             |
//! | `slot incoming 0`, `slot outgoing 1` | a stack argument                                                           |
//! | `pad 2`                           | block 2 is a landing pad                                                      |
//! | `loop 1 2`                        | block 1 is 2 loops deep                                                       |
//! | `origins 0 1 edge`                | the block of `select` behind each block                                       |
//!
//! `slot.3` is the address of slot 3 as an operand of a stub, `[slot 3]` what is in it. Constants and texts stand where they are used.

mod asm;
mod parse;
mod print;

#[cfg(test)]
pub(crate) mod tests;

pub use asm::listing;
pub use parse::{Parsed, parse};
pub use print::{annotate, dump, print};
