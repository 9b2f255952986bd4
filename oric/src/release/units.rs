//! Which functions LLVM gets together, and what it sees of the others.
//!
//! A small program is one unit: LLVM sees all of it. A larger one is divided by modules, so that an edit asks LLVM for one unit and not for all: a module of some
//! size is a unit, a large one several, and small ones share units. Where a function goes depends on its own name and on rough sizes of modules alone, so
//! that no edit of a body moves another function.
//!
//! Small functions that a unit calls from another one are copied to it, to be inlined there: `-flto=thin` does the same from summaries. Whoever copies a
//! body changes when that body does; whoever calls it does not. Large functions are not one unit's alone even where nobody else calls them: LLVM inlines
//! what is called once whatever its size, and a program of ten thousand lines became one function, for minutes (ScalarEvolution is worse than linear).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ir::ItemId;
use llvm::{External, Function, Item, Linkage, Unit};
use query::Fp;

use super::{NotMade, debug, plan, symbol};
use crate::queries::{self, Callable, NotLinked};
use crate::session::Session;

/// Most units of a program.
pub const MOST_UNITS: u32 = 256;
/// A program of at most so many instructions is one unit, and its functions are LLVM's to change.
const SMALL_PROGRAM: usize = 8_000;
/// Instructions that make a unit of a module, and that modules that share one have together, roughly.
const UNIT: usize = 2_000;
/// A module of more is several units.
const LARGE_UNIT: usize = 16_000;
/// In programs of several units, functions of more than so many instructions are never one unit's alone.
const LARGE_FUNCTION: u32 = 100;
/// Functions of at most so many instructions are copied where they are called.
const COPIED: u32 = 60;
/// So many calls behind each other.
const COPY_DEPTH: usize = 3;

/// A function of the program.
struct Row {
    item: ItemId,
    /// Of its LIR.
    fingerprint: u128,
    outline: Arc<Callable>,
}

/// A program in units.
pub struct Division {
    rows: Vec<Row>,
    /// In an order that no edit changes.
    pub parts: Vec<Part>,
    /// What a debugger is told, if anything.
    told: Option<debug::Program>,
}

/// What a unit has, by numbers of rows.
#[derive(Default)]
pub struct Part {
    /// What it defines.
    own: Vec<(usize, Linkage)>,
    /// What it has a copy of.
    copies: Vec<usize>,
    /// What it names besides.
    externals: Vec<usize>,
    /// Of what it makes function values.
    values: Vec<ItemId>,
    /// Items that its places name.
    items: Vec<ItemId>,
    /// Items that a debugger is told of besides.
    lines: Vec<ItemId>,
    /// Equal fingerprints, equal text.
    pub fingerprint: Fp,
}

/// Where a function goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Home {
    /// All are together.
    Whole,
    /// With the rest of its module, or with this part of it.
    Module(&'static str, u64),
    /// With functions of other modules.
    Pool(u64),
}

/// The units of a program, so many of them, or as its modules and its size suggest.
pub fn division(session: &mut Session, main: ItemId, wanted: Option<u32>) -> Result<Division, NotMade> {
    let plan = plan(session, main)?;
    let entry = lir::build::entry_item();
    let rows: Vec<Row> = session.ask(|session| {
        let mut rows = Vec::with_capacity(plan.functions.len());
        for &(item, fingerprint) in &plan.functions {
            let outline = match item == entry {
                true => {
                    (*session.engine.get::<queries::EntryLir>(&main)?).as_deref().map(queries::outline).map(Arc::new).unwrap_or_default()
                }
                false => (*session.engine.get::<queries::LirOutline>(&item)?).clone(),
            };
            rows.push(Row { item, fingerprint, outline });
        }
        Ok(rows)
    });
    let mut division = divided(rows, main, wanted);
    if let Some(depth) = session.setup.release.as_ref().and_then(|release| release.debug) {
        division.told = Some(debug::program(session, &plan, main, depth));
        division.print_again();
    }
    Ok(division)
}

fn divided(rows: Vec<Row>, main: ItemId, wanted: Option<u32>) -> Division {
    let entry = lir::build::entry_item();
    let size: usize = rows.iter().map(|row| row.outline.size as usize).sum();
    let homes = homes(&rows, main, size, wanted);
    let mut parts: BTreeMap<Home, Part> = BTreeMap::new();
    for (number, home) in homes.iter().enumerate() {
        parts.entry(*home).or_default().own.push((number, Linkage::Own));
    }
    let numbers: HashMap<ItemId, usize> = rows.iter().enumerate().map(|(number, row)| (row.item, number)).collect();
    let mut shared = vec![false; rows.len()];
    for (home, part) in &mut parts {
        part.see(&rows, &numbers, |number| homes[number] == *home);
        part.copies.iter().chain(&part.externals).for_each(|&number| shared[number] = true);
    }
    let is_small = size <= SMALL_PROGRAM;
    for part in parts.values_mut() {
        for (number, linkage) in &mut part.own {
            let row = &rows[*number];
            if shared[*number] || row.item == entry || !is_small && row.outline.size > LARGE_FUNCTION {
                *linkage = Linkage::Shared;
            }
        }
    }
    let mut parts: Vec<Part> = parts.into_values().collect();
    let is_part = parts.len() > 1;
    for part in &mut parts {
        part.fingerprint = part.printed(&rows, is_part);
    }
    Division { rows, parts, told: None }
}

/// Where each function goes.
fn homes(rows: &[Row], main: ItemId, size: usize, wanted: Option<u32>) -> Vec<Home> {
    let origins: Vec<ItemId> = rows.iter().map(|row| origin(row.item, main)).collect();
    match wanted {
        Some(0 | 1) => return vec![Home::Whole; rows.len()],
        Some(wanted) => return origins.iter().map(|item| Home::Pool(share(item.content(), u64::from(wanted)))).collect(),
        None if size <= SMALL_PROGRAM => return vec![Home::Whole; rows.len()],
        None => {}
    }
    let mut modules: HashMap<&'static str, usize> = HashMap::new();
    for (row, origin) in rows.iter().zip(&origins) {
        *modules.entry(origin.module().as_str()).or_default() += row.outline.size as usize;
    }
    // Powers of two: sizes change with every edit, and these seldom.
    let power = |count: usize| count.max(1).next_power_of_two() as u64;
    let pooled: usize = modules.values().filter(|&&size| size < UNIT).sum();
    let pools = power(pooled / UNIT);
    let home = |item: ItemId| {
        let (module, size) = (item.module(), modules[item.module().as_str()]);
        match size < UNIT {
            true => Home::Pool(share(module.content(), pools)),
            false => Home::Module(module.as_str(), share(item.content(), power(size / LARGE_UNIT))),
        }
    };
    let homes: Vec<Home> = origins.iter().map(|&item| home(item)).collect();
    if homes.iter().collect::<HashSet<_>>().len() <= MOST_UNITS as usize {
        return homes;
    }
    let hash = |home: &Home| match home {
        Home::Whole => 0,
        Home::Module(module, part) => ir::Symbol::new(module).content().wrapping_add(u128::from(*part)),
        Home::Pool(number) => u128::from(*number),
    };
    homes.iter().map(|home| Home::Pool(share(hash(home), u64::from(MOST_UNITS)))).collect()
}

/// One of so many, by a hash.
fn share(content: u128, of: u64) -> u64 {
    // The hash of names that differ by a number does not differ everywhere.
    let mixed = Fp::of(&content);
    (mixed.0 ^ mixed.1) % of
}

/// The function that another one stands in or is made for: they are together.
fn origin(item: ItemId, main: ItemId) -> ItemId {
    if item == lir::build::entry_item() {
        return main;
    }
    let around = item.of_lambda().map(|(around, _)| around).or_else(|| item.unpacked().map(|(function, _)| function));
    around.map_or(item, |around| origin(around, main))
}

impl Division {
    fn debug(&self, part: &Part) -> Option<llvm::Debug> {
        self.told.as_ref().map(|told| told.of(&[&part.items[..], &part.lines].concat()))
    }

    /// Where items stand is in the objects then, and not in the tables alone.
    fn print_again(&mut self) {
        let told: Vec<_> = self.parts.iter().map(|part| self.debug(part)).collect();
        for (part, told) in self.parts.iter_mut().zip(&told) {
            part.fingerprint = Fp::of(&(part.fingerprint, told));
        }
    }
}

impl Part {
    /// Fills in what its functions name.
    fn see(&mut self, rows: &[Row], numbers: &HashMap<ItemId, usize>, is_own: impl Fn(usize) -> bool) {
        let mut open: Vec<usize> = self.own.iter().map(|(number, _)| *number).collect();
        let mut seen: HashSet<usize> = HashSet::new();
        for depth in 0..=COPY_DEPTH {
            let callees = open.iter().flat_map(|&number| &rows[number].outline.callees).filter_map(|callee| numbers.get(callee).copied());
            let others: Vec<usize> = callees.filter(|&number| !is_own(number) && seen.insert(number)).collect();
            let (copies, externals): (Vec<usize>, Vec<usize>) =
                others.into_iter().partition(|&number| depth < COPY_DEPTH && rows[number].outline.size <= COPIED);
            self.copies.extend_from_slice(&copies);
            self.externals.extend(externals);
            open = copies;
        }
        let (mut valued, mut named) = (HashSet::new(), HashSet::new());
        for row in self.bodies().map(|number| &rows[number]) {
            self.values.extend(row.outline.values.iter().filter(|item| valued.insert(**item)));
            self.items.extend(std::iter::once(&row.item).chain(&row.outline.items).filter(|item| named.insert(**item)));
        }
        for row in self.bodies().map(|number| &rows[number]) {
            self.lines.extend(row.outline.lines.iter().filter(|item| named.insert(**item)));
        }
    }

    /// Functions whose bodies it has.
    fn bodies(&self) -> impl Iterator<Item = usize> + use<> {
        let own: Vec<usize> = self.own.iter().map(|(number, _)| *number).collect();
        own.into_iter().chain(self.copies.clone())
    }

    fn printed(&self, rows: &[Row], is_part: bool) -> Fp {
        let body = |number: usize| (rows[number].item, rows[number].fingerprint);
        let own: Vec<_> = self.own.iter().map(|&(number, linkage)| (body(number), linkage)).collect();
        let copies: Vec<_> = self.copies.iter().map(|&number| body(number)).collect();
        let called = |number: usize| (rows[number].item, &rows[number].outline.params, &rows[number].outline.results);
        let externals: Vec<_> = self.externals.iter().map(|&number| called(number)).collect();
        Fp::of(&(own, copies, externals, &self.values, is_part))
    }
}

/// What LLVM gets of a part.
pub fn unit(session: &mut Session, main: ItemId, division: &Division, part: &Part) -> Result<Unit, NotMade> {
    let entry = lir::build::entry_item();
    let rows = &division.rows;
    let bodies = session.ask(|session| {
        let mut bodies = Vec::new();
        for number in part.bodies() {
            let item = rows[number].item;
            bodies.push(match item == entry {
                true => (*session.engine.get::<queries::EntryLir>(&main)?).clone(),
                false => (*session.engine.get::<queries::LirBody>(&item)?).clone(),
            });
        }
        Ok(bodies)
    });
    let linkages = part.own.iter().map(|(_, linkage)| *linkage).chain(part.copies.iter().map(|_| Linkage::Copy));
    let mut functions = Vec::with_capacity(bodies.len());
    for ((body, number), linkage) in bodies.into_iter().zip(part.bodies()).zip(linkages) {
        let item = rows[number].item;
        let Some(body) = body else { return Err(NotMade::Link(NotLinked::Broken(format!("@{item} has no LIR")))) };
        functions.push(Function::new(body, symbol(item), linkage));
    }
    let external = |&number: &usize| {
        let Row { item, outline, .. } = &rows[number];
        External { item: *item, symbol: symbol(*item), params: outline.params.clone(), results: outline.results.clone() }
    };
    let item = |&item: &ItemId| Item { item, symbol: object_writer::name::item_symbol(item) };
    Ok(Unit {
        functions,
        externals: part.externals.iter().map(external).collect(),
        values: part.values.clone(),
        items: part.items.iter().map(item).collect(),
        is_part: division.parts.len() > 1,
        debug: division.debug(part),
        facts: session.setup.release.as_ref().map(|release| release.facts).unwrap_or_default(),
    })
}

/// The program as one unit.
pub fn whole(session: &mut Session, main: ItemId) -> Result<Unit, NotMade> {
    let whole = division(session, main, Some(1))?;
    let part = whole.parts.first().ok_or_else(|| NotMade::Link(NotLinked::Broken("the program has no functions".to_owned())))?;
    unit(session, main, &whole, part)
}

#[cfg(test)]
mod tests;
