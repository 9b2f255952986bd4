//! The one place for layouts and runtime calls: what compiled code and the runtime agree on.
//!
//! | room        | holds                                                                  |
//! |-------------|------------------------------------------------------------------------|
//! | [`layout`]  | sizes and field offsets of `str` and lists, stack and frame constants   |
//! | [`calls`]   | the table of runtime calls: symbol, signature, effect, statuses         |
//! | [`panics`]  | the table of panic kinds: message, arguments, runtime entry             |
//! | [`entries`] | entries of the runtime with conventions of their own                    |
//! | [`funcs`]   | the function records that unwinder and panic report read                |
//!
//! Never here: code that does anything.
#![no_std]

pub mod calls;
pub mod entries;
pub mod funcs;
pub mod layout;
pub mod panics;

pub use calls::{Kind, RuntimeCall, RuntimeEffect};
pub use entries::Entry;
pub use panics::PanicKind;
