//! What passes say of what they did and of what they refused, when somebody listens ([`crate::Fuel::listening`]).

use crate::Place;

/// What a remark is about: a pass may say of the same place that a check went and that a call stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum About {
    /// A call of a function.
    Call,
    /// A call of a function value.
    Value,
    /// The check of an index.
    Index,
    /// The check of a sum, difference or product.
    Overflow,
    /// A loop.
    Loop,
}

/// What a pass says of a place.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Remark {
    /// The pass.
    pub pass: &'static str,
    /// The place, in whose item it is written; the call that brought it here is forgotten.
    pub place: Place,
    /// What it is about.
    pub about: About,
    /// Was something done? Else it stays as it was, and the text says why.
    pub is_done: bool,
    /// For people.
    pub text: String,
}
