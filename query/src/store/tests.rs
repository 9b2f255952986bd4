//! The store against a model of it, on a real folder, in memory, and on disks that fail.

mod damage;
mod faults;
mod format;
mod memory;
mod model;
mod verbs;
