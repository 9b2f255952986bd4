//! HIR as text, in the dump language of [`ir::text`].
//!
//! A body is a tree, and its dump a list of lines: one line an expression, in the order of evaluation, each operand before its user.
//! Structured control flow keeps its regions: `if`, `match`, loops and the right side of `&&` hold the lines of what runs under them, and the
//! last line of a region is its value. Locals and loops are written `name.number`, numbered in the order in which they appear.
//!
//! A file stands alone: `;!` lines declare the types, functions and constants that its bodies mention, and [`TextContext`] answers from them.

mod context;
mod order;
mod parse;
mod print;

pub use context::TextContext;
pub use ir::text::TextError;
pub(crate) use order::{in_order, roots};
pub use parse::parse;
pub use print::{print, print_file};

/// Deepest tree that is read from text, printed or verified; all three recurse, but not into first operands.
pub(crate) const DEEPEST: u32 = 2000;

/// Version of the text form.
pub const VERSION: u32 = 1;

#[cfg(test)]
mod tests;
