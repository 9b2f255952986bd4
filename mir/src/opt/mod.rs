//! Rewrites of MIR.
/// Small enough
pub fn is_inlinable(_b: &crate::Body<crate::Mono>) -> bool { false }
