//! Every rewrite pays, so that a miscompile is bisected to one rewrite by a machine (ADR and `design/ir.md` §7).
//!
//! One number counts the rewrites of one body through all passes and levels. With a limit of `n`, rewrite `n + 1` and all later ones
//! do not happen; every pass must stay correct when any suffix of its rewrites is refused. `ORI_FUEL=n` limits every body.

/// The rewrites a body may still undergo, and which passes are switched off.
#[derive(Clone, Debug)]
pub struct Fuel {
    spent: u64,
    limit: u64,
    /// Names of passes that are switched off (`--no-pass=NAME`).
    off: Vec<String>,
}

impl Fuel {
    /// As many rewrites as the passes want.
    pub const fn unlimited() -> Fuel {
        Fuel { spent: 0, limit: u64::MAX, off: Vec::new() }
    }

    /// At most `limit` rewrites.
    pub const fn limited(limit: u64) -> Fuel {
        Fuel { spent: 0, limit, off: Vec::new() }
    }

    /// The same fuel with these passes switched off.
    pub fn without(mut self, passes: impl IntoIterator<Item = String>) -> Fuel {
        self.off.extend(passes);
        self
    }

    /// May the pass of this name run at all?
    pub fn allows(&self, pass: &str) -> bool {
        !self.off.iter().any(|p| p == pass)
    }

    /// Pays for one rewrite; false when the tank is empty, and then the rewrite must not happen.
    #[inline]
    #[must_use]
    pub fn spend(&mut self) -> bool {
        if self.spent == self.limit {
            return false;
        }
        self.spent += 1;
        true
    }

    /// Rewrites paid for so far.
    pub const fn spent(&self) -> u64 {
        self.spent
    }
}

impl Default for Fuel {
    fn default() -> Self {
        Fuel::unlimited()
    }
}
