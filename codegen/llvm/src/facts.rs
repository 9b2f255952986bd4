//! What LLVM is told that the program would do the same without.
//!
//! Each is in LIR already, where the verifier derives it again; each can be left out alone (`--no-fact`), so that what it brings is measured, and a wrong one is
//! found by trying. What LLVM needs to make right code at all, as conventions and linkage, is no fact of this kind. ADR 0019 says which were left out for good.

/// Something that LLVM may use and need not know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fact {
    /// The call never panics: MIR proved it, or it is one of the runtime.
    Nounwind,
    /// Panics are rare: what leads to them is out of the way.
    Cold,
    /// Checks seldom fail, and free lists are seldom empty.
    Weights,
}

impl Fact {
    /// All, in the order of their names in help.
    pub const ALL: [Fact; 3] = [Fact::Nounwind, Fact::Cold, Fact::Weights];

    /// How `--no-fact` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Fact::Nounwind => "nounwind",
            Fact::Cold => "cold",
            Fact::Weights => "weights",
        }
    }

    /// The fact of this name.
    pub fn from_name(name: &str) -> Option<Fact> {
        Fact::ALL.into_iter().find(|fact| fact.name() == name)
    }
}

/// The facts that are told: all, unless some are left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Facts {
    left_out: u8,
}

impl Facts {
    /// All but this one as well.
    pub const fn without(self, fact: Fact) -> Facts {
        Facts { left_out: self.left_out | 1 << fact as u8 }
    }

    /// Is LLVM told?
    pub const fn tell(self, fact: Fact) -> bool {
        self.left_out & 1 << fact as u8 == 0
    }

    /// The text when LLVM is told, and nothing when it is not.
    pub(crate) const fn text(self, fact: Fact, text: &'static str) -> &'static str {
        if self.tell(fact) { text } else { "" }
    }
}
