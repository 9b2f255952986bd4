//! Which rewrites happen. All rewrites of a program stand in one row: bodies by name, each body's stages in order, each stage's rewrites as they are paid
//! for. A [`Cut`] lets those before it happen and none behind it, so that one wrong rewrite is found by halving: [`bisect`].
//!
//! A cut is text (`12@lir:main.f`), so that it goes through the environment into whatever compiles.

pub mod bisect;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use ir::{Fuel, ItemId};
use serde::{Deserialize, Serialize};

/// What rewrites a body, in this order; each stage counts its own rewrites.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum Stage {
    /// Values: the passes of `mir::opt`.
    Mir,
    /// Ownership: the passes of `mir::ownership`.
    Owned,
    /// Bytes: the passes of `lir::opt`.
    Lir,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Stage; 3] = [Stage::Mir, Stage::Owned, Stage::Lir];

    /// Its name in a cut.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Mir => "mir",
            Stage::Owned => "owned",
            Stage::Lir => "lir",
        }
    }

    /// What `--dump` calls the level and phase that it gives.
    pub const fn dump(self) -> &'static str {
        match self {
            Stage::Mir => "mir.mono",
            Stage::Owned => "mir.owned",
            Stage::Lir => "lir.legal",
        }
    }
}

/// A place in the row of all rewrites: those before it happen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cut {
    /// So many rewrites of this stage of this body happen; all of them when there are fewer.
    pub count: u64,
    /// The stage.
    pub stage: Stage,
    /// The body, as an [`ItemId`] prints.
    pub body: String,
}

impl Cut {
    /// How many rewrites a stage of a body gets.
    pub fn allowed(&self, body: &str, stage: Stage) -> u64 {
        match (body, stage).cmp(&(&self.body, self.stage)) {
            std::cmp::Ordering::Less => u64::MAX,
            std::cmp::Ordering::Equal => self.count,
            std::cmp::Ordering::Greater => 0,
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cut { count, stage, body } = self;
        match *count {
            u64::MAX => write!(f, "all@{}:{body}", stage.name()),
            count => write!(f, "{count}@{}:{body}", stage.name()),
        }
    }
}

/// What `ORI_FUEL` says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// So many rewrites for each stage of each body.
    Each(u64),
    /// Those before a place.
    Before(Cut),
}

impl FromStr for Limit {
    type Err = ();

    fn from_str(text: &str) -> Result<Limit, ()> {
        let Some((count, place)) = text.split_once('@') else { return text.parse().map(Limit::Each).map_err(|_| ()) };
        let (stage, body) = place.split_once(':').ok_or(())?;
        let stage = Stage::ALL.into_iter().find(|known| known.name() == stage).ok_or(())?;
        let count = if count == "all" { u64::MAX } else { count.parse().map_err(|_| ())? };
        Ok(Limit::Before(Cut { count, stage, body: body.to_owned() }))
    }
}

/// Rewrites that a check puts behind the passes, to see whether a wrong one is found. No command sets them.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// Behind the passes of MIR.
    pub mir: fn(&mut mir::Body<mir::Mono>, &mut Fuel),
    /// Behind those of LIR.
    pub lir: fn(&mut lir::Body<lir::Legal>, &mut Fuel),
}

/// What is planted in this process, from its start.
pub static PLANTED: OnceLock<Planted> = OnceLock::new();

/// A stage of a body: the key of what its passes do.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// The body.
    pub body: ItemId,
    /// The stage.
    pub stage: Stage,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.stage.name(), self.body)
    }
}

/// What the passes of a stage do to a body.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Work {
    /// Rewrites.
    pub count: u64,
    /// The pass that makes the last of them.
    pub pass: Option<String>,
    /// The body behind the stage, as text. It need not obey the rules: whoever looks for a wrong rewrite wants to see it.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::{Cut, Limit, Stage};

    #[test]
    fn a_limit_is_text_and_back() {
        let cut = Cut { count: 12, stage: Stage::Lir, body: "main.f<[int]>".to_owned() };
        assert_eq!(cut.to_string(), "12@lir:main.f<[int]>");
        assert_eq!(cut.to_string().parse(), Ok(Limit::Before(cut.clone())));
        let all = Cut { count: u64::MAX, ..cut };
        assert_eq!(all.to_string().parse(), Ok(Limit::Before(all)));
        assert_eq!("7".parse(), Ok(Limit::Each(7)));
        for wrong in ["", "lots", "7@", "7@lir", "7@hir:f", "x@mir:f"] {
            assert_eq!(wrong.parse::<Limit>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_cut_lets_what_stands_before_it_happen() {
        let cut = Cut { count: 3, stage: Stage::Owned, body: "b".to_owned() };
        let allowed = |body: &str| Stage::ALL.map(|stage| cut.allowed(body, stage));
        assert_eq!(allowed("a"), [u64::MAX; 3]);
        assert_eq!(allowed("b"), [u64::MAX, 3, 0]);
        assert_eq!(allowed("c"), [0; 3]);
    }
}
