//! Text and numbers without unsafe code: what an operation on values *means*, written once.
//!
//! The compiler, the reference interpreter and the runtime call these functions, so that they agree to the byte. Everything works without
//! allocation: text goes piece by piece to a [`Sink`].
//!
//! | room        | holds                                                                          |
//! |-------------|--------------------------------------------------------------------------------|
//! | [`int`]     | checked integer arithmetic, shifts, powers, conversions                         |
//! | [`float`]   | rounding, power, total order, conversion to int                                 |
//! | [`print`]   | text forms of numbers, `debug` forms of str and char (`language/08` §8.4)        |
//! | [`parse`]   | text to numbers (`language/05` §5.9)                                            |
//! | [`text`]    | comparison, hash, positions in UTF-8, repair of what is not UTF-8               |
//! | [`find`]    | search and replacement                                                          |
//! | [`keyed`]   | hashes with a seed, for tables                                                  |
//! | [`table`]   | tables of maps that grow                                                        |
//! | [`case`]    | upper and lower case, decimal digits of Unicode                                 |
//! | [`message`] | panic messages from the table of `rt-abi`                                       |
//! | [`report`]  | the panic report with its stack trace (`language/10` §10.4)                     |
//! | [`sites`]   | reading the site bytes of a function record                                     |
//!
//! Never here: memory layouts, system calls, allocation.
#![no_std]
#![forbid(unsafe_code)]

pub mod case;
pub mod find;
pub mod float;
pub mod int;
pub mod keyed;
pub mod message;
pub mod parse;
pub mod print;
pub mod report;
pub mod sites;
pub mod table;
pub mod text;

pub use message::Arg;
pub use report::Frame;

/// Where text goes: called once a piece, in order. Pieces are not always whole characters.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]);
