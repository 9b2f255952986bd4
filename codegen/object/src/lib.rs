//! A program as an ELF relocatable object, for `--emit=obj` and foreign linkers.
//!
//! Start in [`write`](mod@write). The input is that of our own linker (`image::Program`), and so are the records; only addresses become relocations.
//!
//! | room                  | holds                                                  |
//! |-----------------------|--------------------------------------------------------|
//! | [`write`](mod@write)  | sections, symbols, relocations                          |
//! | [`name`]              | symbol names of items, and back                         |
//!
//! The object links with the runtime's archive (`image::runtime_archive`): `cc -nostdlib -static prog.o libori_rt.a`, or under a C library
//! `cc prog.o libori_rt.a`.
//!
//! Functions of a program may stand in objects of other compilers (`Program::external`); rows of the item table then have symbols
//! ([`name::item_symbol`]), which places in those objects name, and the header names the reader of frames.
//!
//! Never here: a second idea of what a record looks like.

pub mod name;
pub mod write;

pub use write::write;
