//! Where the tables of the engine look for a key in this process.
//!
//! Keys are interned numbers, and to the tables of a session a number is as good as the name behind it: the content of the name, which is what
//! `Hash` sees, would be fetched from memory for every question.

use ir::{ItemId, Symbol};

/// A key of a query.
pub(super) trait Address {
    /// A number of which every bit depends on all of the key.
    fn address(&self) -> u64;
}

/// Fibonacci hashing: neighbouring numbers end up far apart, in the high bits as in the low.
fn spread(number: u64) -> u64 {
    let product = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

impl Address for () {
    fn address(&self) -> u64 {
        0
    }
}

impl Address for Symbol {
    fn address(&self) -> u64 {
        spread(self.raw().into())
    }
}

impl Address for ItemId {
    fn address(&self) -> u64 {
        spread(self.raw().into())
    }
}

impl Address for super::back::ModuleOf {
    fn address(&self) -> u64 {
        spread(u64::from(self.main.raw()) << 32 | u64::from(self.module.raw()))
    }
}

impl Address for super::impls::ImplsOf {
    fn address(&self) -> u64 {
        spread(u64::from(self.interface.raw()) << 32 | self.head.map_or(u64::from(u32::MAX), |head| u64::from(head.raw())))
    }
}

impl Address for crate::rewrites::Unit {
    fn address(&self) -> u64 {
        spread(u64::from(self.body.raw()) << 2 | self.stage as u64)
    }
}

impl Address for super::CodeKey {
    fn address(&self) -> u64 {
        spread(self.code as u64 ^ u64::from(self.test.raw()))
    }
}

impl Address for super::RunKey {
    fn address(&self) -> u64 {
        spread(self.of.address() ^ self.places.unwrap_or_default() as u64)
    }
}

impl Address for hir::Type {
    fn address(&self) -> u64 {
        spread(self.raw().into())
    }
}
