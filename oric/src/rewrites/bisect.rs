//! The search for the one rewrite with which an answer changes.
//!
//! First by halves among the units (a stage of a body), then among the rewrites of one: about as many questions as the number of all rewrites has bits. What is
//! asked is only whether the answer is still that of no rewrites, so an answer that changes more than once is no matter: one of the changes is found.

use ir::ItemId;
use query::Interrupt;

use super::{Cut, Stage, Unit, Work};
use crate::engines;
use crate::queries::{self, Options};
use crate::session::Session;

/// The rewrite that is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where it happens.
    pub unit: Unit,
    /// Which one it is there, from 1.
    pub number: u64,
}

/// Why none is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotFound {
    /// The answer is the same without rewrites.
    NoRewrite,
    /// There is no code in the program that was named.
    Nothing,
    /// The answers do not fit to the rewrites of the program: other options, another program, or answers that change from run to run.
    Unsteady(String),
}

/// The cut behind so many rewrites of a unit.
pub fn cut(unit: &Unit, count: u64) -> Cut {
    Cut { count, stage: unit.stage, body: unit.body.to_string() }
}

/// Finds it. `is_plain` says whether the answer with the rewrites before a cut is that of no rewrites, or why that cannot be said; `count` how many rewrites a
/// unit has when all before it have happened. The units stand in the order of cuts.
pub fn search<E>(
    units: &[Unit],
    mut is_plain: impl FnMut(&Cut) -> Result<bool, E>,
    mut count: impl FnMut(&Unit) -> Result<u64, E>,
) -> Result<Result<Found, NotFound>, E> {
    let Some(last) = units.last() else { return Ok(Err(NotFound::Nothing)) };
    if is_plain(&cut(last, u64::MAX))? {
        return Ok(Err(NotFound::NoRewrite));
    }
    // All units before `plain` may have their rewrites; with those before `changed` the answer is another one.
    let (mut plain, mut changed) = (0, units.len());
    while changed - plain > 1 {
        let middle = plain.midpoint(changed);
        match is_plain(&cut(&units[middle - 1], u64::MAX))? {
            true => plain = middle,
            false => changed = middle,
        }
    }
    let unit = &units[changed - 1];
    let all = count(unit)?;
    let (mut plain, mut changed) = (0, all);
    while changed - plain > 1 {
        let middle = plain.midpoint(changed);
        match is_plain(&cut(unit, middle))? {
            true => plain = middle,
            false => changed = middle,
        }
    }
    // Nobody has asked at its ends yet.
    let unsteady = |what: &str| Ok(Err(NotFound::Unsteady(format!("{what} (unit: {unit:?})"))));
    if all == 0 {
        return unsteady("the answer changes where there is no rewrite");
    }
    if plain == 0 && !is_plain(&cut(unit, 0))? {
        return unsteady("the answer changes before the first rewrite");
    }
    if changed == all && is_plain(&cut(unit, all))? {
        return unsteady("the answer has not changed behind the last rewrite");
    }
    Ok(Ok(Found { unit: unit.clone(), number: changed }))
}

/// All units of a program in the order of cuts: of what its executable holds and of what its tests reach, with and without rewrites. `open` loads it as the
/// options say, with its tests or without.
pub fn units(open: impl Fn(Options, bool) -> Result<Session, String>, options: &Options) -> Result<Vec<Unit>, String> {
    let interrupted = |interrupt: Interrupt| format!("interrupted: {interrupt:?}");
    let reached = |fuel: u64, tests: bool| -> Result<Vec<ItemId>, String> {
        let session = open(Options { fuel, cut: None, ..options.clone() }, tests)?;
        let engine = &session.engine;
        let root = match tests {
            false if engine.get::<queries::MainForm>(&session.main_item()).map_err(interrupted)?.is_some() => session.main_item(),
            true if !engine.get::<queries::Tests>(&()).map_err(interrupted)?.is_empty() => queries::tests_item(),
            false | true => return Ok(Vec::new()),
        };
        let reached = engine.get::<queries::Reachable>(&root).map_err(interrupted)?;
        Ok(reached.iter().flat_map(|module| module.functions.iter().copied()).collect())
    };
    let mut bodies = Vec::new();
    for fuel in [0, u64::MAX] {
        for tests in [false, true] {
            // What stops the compiler may be what is looked for; without rewrites there are the same functions, or more.
            match engines::guarded(|| reached(fuel, tests)) {
                Ok(reached) => bodies.extend(reached?),
                Err(why) if fuel == 0 => return Err(format!("the compiler stops without any rewrite: {why}")),
                Err(_) => {}
            }
        }
    }
    let mut named: Vec<_> = bodies.into_iter().map(|body| (body.to_string(), body)).collect();
    named.sort();
    named.dedup();
    Ok(named.into_iter().flat_map(|(_, body)| Stage::ALL.map(|stage| Unit { body, stage })).collect())
}

/// What the rewrites of a unit do when all before it have happened, and so many of its own.
pub fn work(open: impl Fn(Options, bool) -> Result<Session, String>, options: &Options, unit: &Unit, count: u64) -> Result<Work, String> {
    let options = Options { fuel: u64::MAX, cut: Some(cut(unit, count)), ..options.clone() };
    // What only tests reach is known only to a session with tests.
    for tests in [false, true] {
        let session = open(options.clone(), tests)?;
        let work = session.engine.get::<queries::Rewritten>(unit).map_err(|interrupt| format!("interrupted: {interrupt:?}"))?;
        if let Some(work) = &*work {
            return Ok(Work::clone(work));
        }
    }
    Ok(Work { count: 0, pass: None, text: String::new() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ir::{ItemId, Symbol};

    use super::super::{Cut, Stage, Unit};
    use super::{Found, NotFound, search};

    fn units(names: &[&str]) -> Vec<Unit> {
        let body = |name: &&str| ItemId::function(Symbol::new("m"), Symbol::new(name));
        names.iter().map(body).flat_map(|body| Stage::ALL.map(|stage| Unit { body, stage })).collect()
    }

    /// Each unit has `each` rewrites; the answer changes with the `wrong`th of all.
    fn look(units: &[Unit], each: u64, wrong: u64) -> (Result<Found, NotFound>, usize) {
        let mut asked = 0;
        let before = |cut: &Cut| -> u64 { units.iter().map(|unit| cut.allowed(&unit.body.to_string(), unit.stage).min(each)).sum() };
        let Ok(found) = search::<Infallible>(
            units,
            |cut| {
                asked += 1;
                Ok(before(cut) < wrong)
            },
            |_| Ok(each),
        );
        (found, asked)
    }

    #[test]
    fn each_rewrite_is_found_in_as_many_questions_as_their_number_has_bits() {
        let units = units(&["a", "b", "c", "d", "e"]);
        for each in [1, 2, 7, 100] {
            for wrong in 1..=each * units.len() as u64 {
                let (found, asked) = look(&units, each, wrong);
                let at = (wrong - 1) / each;
                assert_eq!(found, Ok(Found { unit: units[at as usize].clone(), number: (wrong - 1) % each + 1 }));
                let bits = (each * units.len() as u64).next_power_of_two().ilog2() as usize;
                assert!(asked <= bits + 4, "{asked} questions for {bits} bits");
            }
        }
    }

    #[test]
    fn what_is_no_rewrite_is_said() {
        let units = units(&["a"]);
        assert_eq!(look(&units, 3, 10).0, Err(NotFound::NoRewrite));
        assert_eq!(look(&[], 3, 1).0, Err(NotFound::Nothing));
        // An answer that is another one from the first question on.
        let (unsteady, _) = look(&units, 3, 0);
        assert!(matches!(unsteady, Err(NotFound::Unsteady(_))), "{unsteady:?}");
        // A count that is none of this program.
        let Ok(found) = search::<Infallible>(&units, |cut| Ok(cut.stage != Stage::Lir || cut.count < 50), |_| Ok(5));
        assert!(matches!(found, Err(NotFound::Unsteady(_))), "{found:?}");
    }
}
