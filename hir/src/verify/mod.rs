//! The invariants of a typed tree, as coded faults.
