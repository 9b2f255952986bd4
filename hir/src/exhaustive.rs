//! Usefulness of match arms.
