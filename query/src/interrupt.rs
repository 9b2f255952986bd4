//! Why there is no answer: a value that travels by `?`. Nothing unwinds.

use std::sync::Arc;

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Interrupt {
    /// The node depends on itself.
    Cycle(Arc<Cycle>),
    /// The session was cancelled.
    Cancelled,
    /// A column of the stored graph failed its check: the session starts again without the store.
    Damaged,
    /// Whoever serves inputs has no value for one yet, and must make it before the question is asked again.
    Unserved,
}

impl Interrupt {
    /// Does it say nothing about the question, so that the question stands as before?
    pub const fn is_no_answer(&self) -> bool {
        !matches!(self, Interrupt::Cycle(_))
    }
}

impl PartialEq for Interrupt {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Interrupt::Cycle(a), Interrupt::Cycle(b)) => a.members == b.members,
            (Interrupt::Cancelled, Interrupt::Cancelled)
            | (Interrupt::Damaged, Interrupt::Damaged)
            | (Interrupt::Unserved, Interrupt::Unserved) => true,
            (Interrupt::Cycle(_) | Interrupt::Cancelled | Interrupt::Damaged | Interrupt::Unserved, _) => false,
        }
    }
}

/// A cycle of nodes, rotated so that the least name comes first: the same from whichever node it was entered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cycle {
    /// `query(key)` of each member, in order of asking.
    pub members: Vec<String>,
}

impl Cycle {
    pub(crate) fn of(mut names: Vec<String>) -> Cycle {
        let least = names.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(i, _)| i);
        names.rotate_left(least);
        Cycle { members: names }
    }
}
