//! Why there is no code for a function that is right.

use std::fmt;

use ir::ItemId;
use serde::{Deserialize, Serialize};

use super::shown_name;

/// What a function exceeds.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum Limit {
    /// The type arguments of this function have no end.
    Endless(String),
    /// A value in it has more than [`lir::build::shape::MAX_LEAVES`] parts.
    Parts,
    /// It has more values than there are virtual registers.
    Values,
    /// Another limit of the machine level, in its words.
    Machine(String),
}

impl Limit {
    /// Of an instance.
    pub(super) fn endless(id: ItemId) -> Limit {
        Limit::Endless(shown_name(id).trim_start_matches('@').to_owned())
    }
}

impl From<machine::Limit> for Limit {
    fn from(limit: machine::Limit) -> Limit {
        match limit {
            machine::Limit::Select(machine::select::Limit::Registers) => Limit::Values,
            machine::Limit::Select(_) | machine::Limit::Finish(_) => Limit::Machine(limit.message().to_owned()),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Endless(name) => write!(f, "generic instantiation of '{name}' does not terminate"),
            Limit::Parts => f.write_str("a value in it has too many parts"),
            Limit::Values => f.write_str(machine::select::Limit::Registers.message()),
            Limit::Machine(message) => f.write_str(message),
        }
    }
}
