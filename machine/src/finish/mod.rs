//! `alloc` to `final`: frame, branch forms, bytes, relocations, sites.

mod code;

pub use code::{Code, DataBlock, Reloc, RelocTarget, Site};
