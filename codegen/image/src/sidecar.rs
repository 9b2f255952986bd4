//! What a later link needs to know about an image without its functions: bytes that the driver keeps beside it.
//!
//! A sidecar is a head (who fits where, what the runtime's symbols are), a checksum a page, and tables of little-endian words that are used in place.
//! Every table stands in the order and places of [`crate::slots`], so that the bytes depend on the program only, and an edit changes few pages:
//!
//! | table       | row                                                         | ordered by         |
//! |-------------|-------------------------------------------------------------|--------------------|
//! | `directory` | function: key, fingerprint, size, frame, class of its sites | function           |
//! | `links`     | what a function or constant refers to, where in its bytes   | from, kind, offset |
//! | `users`     | the same backwards, without repetition: to, from            | to, from           |
//! | `items`     | item: key, fingerprint, texts, lines; as in the image       | item               |
//! | code        | one a size class: the function in each slot of the image    | function           |
//! | pieces      | one a size class: the piece in each slot, with its key      | piece              |
//!
//! A piece is in the image as long as `users` has a row of it; that is its reference count.

pub mod build;
pub mod describe;
pub mod head;
pub mod pages;
pub mod rows;
pub mod short;
pub mod table;

use std::fmt;

/// Why an image cannot be patched; it is linked anew instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fallback {
    /// Written by another version, or no sidecar at all.
    Format,
    /// Bytes do not verify.
    Damaged,
    /// A count leaves the range of its table's capacity, so that everything behind would move. Which table.
    Capacity(&'static str),
    /// A function refers to so many things more or fewer that making room for them row by row would cost more than a link.
    Large,
    /// Other parts of the runtime are needed.
    Runtime,
    /// A symbol table comes or goes.
    Symbols,
    /// The program does not link; a clean link says why.
    Program,
    /// The program has something that a sidecar cannot hold.
    Unsupported,
    /// A function, item or stretch of the old image was not to be had.
    Missing,
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Fallback::Format => "the sidecar is of another version",
            Fallback::Damaged => "the sidecar is damaged",
            Fallback::Capacity(table) => return write!(f, "the {table} grow or shrink beyond a step of their table"),
            Fallback::Large => "a long function has many references more or fewer",
            Fallback::Runtime => "other parts of the runtime are needed",
            Fallback::Symbols => "the symbol table comes or goes",
            Fallback::Program => "the program does not link",
            Fallback::Unsupported => "the program has something that cannot be patched",
            Fallback::Missing => "an input is missing",
        };
        f.write_str(text)
    }
}
