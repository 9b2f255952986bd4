//! Every rewrite pays, so that a miscompile is bisected to one rewrite by a machine (ADR and `design/ir.md` §7).
//!
//! One number counts the rewrites of one body through all passes of a stage (MIR, its ownership, LIR). With a limit of `n`, rewrite `n + 1` and all
//! later ones do not happen; every pass must stay correct when any suffix of its rewrites is refused. `ORI_FUEL=n` limits every body, and
//! `oric bisect` cuts the row of all rewrites in two.

use crate::remark::{About, Remark};
use crate::{Place, PlaceId};

/// The rewrites a body may still undergo, and which passes are switched off.
#[derive(Clone, Debug)]
pub struct Fuel {
    spent: u64,
    limit: u64,
    /// Names of passes that are switched off (`--no-pass=NAME`).
    off: Vec<String>,
    /// The pass that rewrites now, and what had been spent when it began.
    pass: Option<(&'static str, u64)>,
    /// The pass that rewrote last before that.
    before: Option<&'static str>,
    /// What the passes say, when somebody listens.
    remarks: Option<Vec<Remark>>,
}

impl Fuel {
    /// As many rewrites as the passes want.
    pub const fn unlimited() -> Fuel {
        Fuel::limited(u64::MAX)
    }

    /// At most `limit` rewrites.
    pub const fn limited(limit: u64) -> Fuel {
        Fuel { spent: 0, limit, off: Vec::new(), pass: None, before: None, remarks: None }
    }

    /// The same fuel with these passes switched off.
    pub fn without(mut self, passes: impl IntoIterator<Item = String>) -> Fuel {
        self.off.extend(passes);
        self
    }

    /// The same fuel, and somebody who wants to know what passes say.
    pub fn listening(self) -> Fuel {
        Fuel { remarks: Some(Vec::new()), ..self }
    }

    /// Does somebody want to know?
    #[inline]
    pub fn is_listening(&self) -> bool {
        self.remarks.is_some()
    }

    /// The pass did something at a place.
    #[inline]
    pub fn did(&mut self, about: About, place: Option<&Place>, text: impl FnOnce() -> String) {
        self.say(about, place, true, text);
    }

    /// The pass left something at a place as it was.
    #[inline]
    pub fn left(&mut self, about: About, place: Option<&Place>, text: impl FnOnce() -> String) {
        self.say(about, place, false, text);
    }

    fn say(&mut self, about: About, place: Option<&Place>, is_done: bool, text: impl FnOnce() -> String) {
        if let (Some(remarks), Some((pass, _)), Some(place)) = (&mut self.remarks, self.pass, place) {
            let place = Place { inlined_at: PlaceId::NONE, ..*place };
            remarks.push(Remark { pass, place, about, is_done, text: text() });
        }
    }

    /// What was said so far, to be gone through.
    pub fn remarks(&mut self) -> Option<&mut Vec<Remark>> {
        self.remarks.as_mut()
    }

    /// May the pass of this name run at all?
    pub fn allows(&self, pass: &str) -> bool {
        !self.off.iter().any(|p| p == pass)
    }

    /// Rewrites from here on are those of this pass.
    pub fn enter(&mut self, pass: &'static str) {
        self.before = self.last();
        self.pass = Some((pass, self.spent));
    }

    /// The pass that made the last rewrite; none before the first.
    pub fn last(&self) -> Option<&'static str> {
        self.pass.filter(|(_, start)| self.spent > *start).map(|(pass, _)| pass).or(self.before)
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

#[cfg(test)]
mod tests {
    use super::Fuel;

    #[test]
    fn the_last_rewrite_is_that_of_the_pass_that_paid_for_it() {
        let mut fuel = Fuel::limited(2);
        fuel.enter("a");
        assert_eq!(fuel.last(), None);
        assert!(fuel.spend());
        fuel.enter("b");
        assert_eq!(fuel.last(), Some("a"));
        assert!(fuel.spend());
        assert!(!fuel.spend());
        assert_eq!(fuel.last(), Some("b"));
        fuel.enter("c");
        assert!(!fuel.spend());
        assert_eq!((fuel.last(), fuel.spent()), (Some("b"), 2));
    }
}
