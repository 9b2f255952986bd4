//! Which locals of the source have which values at an instruction: what a debugger shows.
//!
//! A row says: as the row before it, but this local is this value from here on. So rows form a tree, and an instruction names one of them: what somebody sees
//! who stops there. Instructions take their row along wherever they are moved, so nothing has to be kept right about order. What has to be kept right are the
//! values: a rewrite that puts one value in the place of another renames rows too ([`Graph::rename`]), one that copies instructions copies their rows
//! ([`Names::copied`]), and one after which a value may be an older one than the local's forgets it ([`Graph::forget`]). A local without a value is still
//! there; nobody knows what it is. A row that is lost is a variable that is not shown; a row that is wrong is a lie, and no price is too high to avoid it.
//!
//! A row uses no value: code is the same with rows and without. What only rows would keep, and can be made of nothing or of what is there, stays as a *ghost*: an
//! instruction in no block, whose result rows name.
//!
//! Bodies have rows where somebody asked for them alone (`-g`). (Frame states of the Graal compiler are the model: Duboscq et al., 2013. LLVM's and rustc's records
//! stand between instructions, and every pass that moves one of those has to think of them.)

use hashbrown::{HashMap, HashSet};

use super::{Block, Graph, Inst, Level, Value};
use crate::{Column, Id, PlaceId, Symbol};

#[cfg(test)]
mod tests;

/// Tag of local ids.
#[derive(Debug)]
pub enum LocalTag {}
/// Tag of row ids.
#[derive(Debug)]
pub enum NameTag {}
/// A local.
pub type Local = Id<LocalTag>;
/// A row.
pub type Name = Id<NameTag>;

/// A local of the source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocalRow {
    /// What it is called.
    pub name: Symbol,
    /// The text of its type, where values no longer say; else empty.
    pub ty: Symbol,
    /// Which parameter of its function it is, from 1; 0 for others.
    pub param: u32,
    /// Where it begins: in which item, and through which calls that was copied here.
    pub place: PlaceId,
}

/// One local gets a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NameRow {
    /// What holds besides; always a smaller id.
    pub before: Option<Name>,
    /// The local.
    pub local: Local,
    /// Which of several values that it consists of.
    pub part: u32,
    /// The value; `None` when nobody knows it.
    pub value: Option<Value>,
}

/// The rows of a body.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Names {
    /// Locals.
    pub locals: Column<LocalTag, LocalRow>,
    /// Rows.
    pub rows: Column<NameTag, NameRow>,
    /// The row of each instruction, as far as it reaches.
    pub of: Vec<Option<Name>>,
    /// Instructions in no block.
    pub ghosts: Vec<Inst>,
    /// The row that instructions get which are made now.
    pub now: Option<Name>,
}

/// A local, or a part of it, and its value, as somebody sees it who stops at an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seen {
    /// The local.
    pub local: Local,
    /// Which part of it.
    pub part: u32,
    /// The value; `None` when nobody knows it.
    pub value: Option<Value>,
}

/// How many rows an instruction may have, on the average, while passes copy them.
const MOST_ROWS: usize = 16;

/// Rows that were changed, by what they were before; for [`Names::changed`].
#[derive(Default)]
pub struct Changed(HashMap<Name, Name>);

impl Names {
    /// The row of an instruction.
    pub fn of(&self, inst: Inst) -> Option<Name> {
        self.of.get(inst.index()).copied().flatten()
    }

    /// Gives an instruction a row.
    pub fn set(&mut self, inst: Inst, name: Option<Name>) {
        if name.is_some() || inst.index() < self.of.len() {
            if self.of.len() <= inst.index() {
                self.of.resize(inst.index() + 1, None);
            }
            self.of[inst.index()] = name;
        }
    }

    /// A row.
    pub fn add(&mut self, before: Option<Name>, local: Local, part: u32, value: Option<Value>) -> Name {
        self.rows.push(NameRow { before, local, part, value })
    }

    /// The rows that hold where this one does, the latest first.
    pub fn chain(&self, name: Option<Name>) -> impl Iterator<Item = (Name, &NameRow)> {
        let mut next = name;
        std::iter::from_fn(move || {
            let at = next?;
            let row = self.rows.get(at)?;
            // A chain that does not go down would not end; a verifier reports it, this walk just stops.
            next = row.before.filter(|&before| before < at);
            Some((at, row))
        })
    }

    /// All locals that are seen where this row holds, in the order in which they came.
    pub fn seen(&self, name: Option<Name>) -> Vec<Seen> {
        let rows: Vec<&NameRow> = self.chain(name).map(|(_, row)| row).collect();
        let mut at: HashMap<(Local, u32), usize> = HashMap::with_capacity(rows.len());
        let mut seen: Vec<Seen> = Vec::with_capacity(rows.len());
        for &&NameRow { local, part, value, .. } in rows.iter().rev() {
            match at.get(&(local, part)) {
                Some(&known) => seen[known].value = value,
                None => {
                    at.insert((local, part), seen.len());
                    seen.push(Seen { local, part, value });
                }
            }
        }
        seen
    }

    /// The row that says what this one says with other values. `changed` remembers, for one meaning of `new`.
    pub fn changed(&mut self, name: Option<Name>, changed: &mut Changed, mut new: impl FnMut(Value) -> Option<Value>) -> Option<Name> {
        let mut open: Vec<Name> = Vec::new();
        let mut last = None;
        for (at, _) in self.chain(name) {
            if let Some(&known) = changed.0.get(&at) {
                last = Some(known);
                break;
            }
            open.push(at);
        }
        for at in open.into_iter().rev() {
            let row = self.rows[at];
            let value = row.value.and_then(&mut new);
            let is_same = value == row.value && last == row.before;
            let to = if is_same { at } else { self.add(last, row.local, row.part, value) };
            changed.0.insert(at, to);
            last = Some(to);
        }
        last
    }

    /// Values that are gone where these are: ghosts that are made of them too.
    fn with_ghosts<L: Level>(&self, graph: &Graph<L>, gone: &mut HashSet<Value>) {
        // What a ghost is made of may be a younger ghost, after a renaming: until nothing is added.
        let mut count = usize::MAX;
        while count != gone.len() {
            count = gone.len();
            for &ghost in &self.ghosts {
                if graph.args(ghost).iter().any(|arg| gone.contains(arg)) {
                    gone.extend(graph.results(ghost));
                }
            }
        }
    }
}

impl<L: Level> Graph<L> {
    /// Nobody knows any more what locals are that have one of these values: another one of the same name may be the right one now.
    pub fn forget(&mut self, values: impl IntoIterator<Item = Value>) {
        let Some(mut names) = self.names.take() else { return };
        let mut gone: HashSet<Value> = values.into_iter().collect();
        if !gone.is_empty() {
            names.with_ghosts(self, &mut gone);
            for row in names.rows.rows_mut() {
                row.value = row.value.filter(|value| !gone.contains(value));
            }
        }
        self.names = Some(names);
    }

    /// Changes what these instructions see. What `new` does not give is not known there.
    pub fn rename_seen(&mut self, insts: impl IntoIterator<Item = Inst>, mut new: impl FnMut(Value) -> Option<Value>) {
        let Some(mut names) = self.names.take() else { return };
        if names.rows.len() > MOST_ROWS * (self.insts.len() + 1024) {
            // Enough was copied: values that change are not known to anybody.
            let gone: Vec<Value> =
                names.rows.rows().iter().filter_map(|row| row.value).filter(|&value| new(value) != Some(value)).collect();
            self.names = Some(names);
            self.forget(gone);
            return;
        }
        // What a ghost is made of cannot be changed for some of its users alone.
        let mut parts: HashSet<Value> = names.ghosts.iter().flat_map(|&ghost| self.args(ghost)).copied().collect();
        parts.retain(|&part| new(part) != Some(part));
        names.with_ghosts(self, &mut parts);
        let is_ghost: HashSet<Value> =
            names.ghosts.iter().flat_map(|&ghost| self.results(ghost)).filter(|value| parts.contains(value)).collect();
        let mut changed = Changed::default();
        for inst in insts {
            if let Some(name) = names.of(inst) {
                let name = names.changed(Some(name), &mut changed, |value| if is_ghost.contains(&value) { None } else { new(value) });
                names.set(inst, name);
            }
        }
        self.names = Some(names);
    }

    /// An instruction that leaves its block, and is used by nobody but rows, is a ghost from now on. For instructions without effect, and cheap ones: who reads
    /// rows makes what they say.
    pub fn bury(&mut self, inst: Inst) {
        if let Some(names) = &mut self.names
            && L::is_ghostly(self.insts[inst].op)
        {
            names.ghosts.push(inst);
        }
    }

    /// An instruction at which nothing can happen any more loses its place, unless a debugger is told of such places too.
    pub fn lose_place(&mut self, inst: Inst) {
        if self.names.is_none() {
            self.edges[inst].place = PlaceId::NONE;
        }
    }

    /// Renames values in rows and in ghosts alone: for whoever renames operands on the way.
    pub fn rename_names(&mut self, mut new: impl FnMut(Value) -> Value) {
        let Some(names) = &mut self.names else { return };
        for row in names.rows.rows_mut() {
            row.value = row.value.map(&mut new);
        }
        for &ghost in &names.ghosts {
            for arg in self.args.get_mut(self.insts[ghost].args) {
                *arg = new(*arg);
            }
        }
    }

    /// Makes rows legal, and gives them the numbers that they have in text: values that are not there where a row is looked at are not known there, and rows,
    /// locals and ghosts that nobody looks at go.
    pub fn settle_names(&mut self) {
        if self.names.is_none() {
            return;
        }
        let mut missing: HashMap<(Block, u32), HashSet<Value>> = HashMap::new();
        super::structure::each_missing_name(self, &mut |block, index, value| {
            missing.entry((block, index)).or_default().insert(value);
        });
        let mut places: Vec<_> = missing.into_iter().collect();
        places.sort_unstable_by_key(|(place, _)| *place);
        self.end_seen(places.into_iter().map(|((block, index), gone)| (self.blocks[block].insts[index as usize], gone)).collect());
        self.number_names();
    }

    /// Each of these instructions knows some values no more. What it sees gets rows of its own, which are as few as there are locals, and which those that see
    /// the same share.
    pub fn end_seen(&mut self, ended: Vec<(Inst, HashSet<Value>)>) {
        let Some(names) = &mut self.names else { return };
        let mut same: HashMap<(Option<Name>, Local, u32, Option<Value>), Name> = HashMap::new();
        for (inst, gone) in ended {
            let mut last = None;
            for Seen { local, part, value } in names.seen(names.of(inst)) {
                let value = value.filter(|value| !gone.contains(value));
                last = Some(*same.entry((last, local, part, value)).or_insert_with(|| names.add(last, local, part, value)));
            }
            names.set(inst, last);
        }
    }

    /// Instructions in the order of the text that have rows.
    fn named(&self) -> impl Iterator<Item = Inst> {
        self.blocks.rows().iter().flat_map(|row| row.insts.iter().copied())
    }

    /// Are rows and locals numbered in the order in which instructions come to them?
    pub(crate) fn names_are_numbered(&self) -> bool {
        let Some(names) = &self.names else { return true };
        let (mut next, mut next_local) = (0, 0);
        for inst in self.named() {
            let fresh: Vec<Name> = names.chain(names.of(inst)).map(|(at, _)| at).take_while(|at| at.index() >= next).collect();
            for at in fresh.into_iter().rev() {
                let local = names.rows[at].local;
                if at.index() != next || local.index() > next_local {
                    return false;
                }
                next += 1;
                next_local = next_local.max(local.index() + 1);
            }
        }
        next == names.rows.len() && next_local == names.locals.len()
    }

    fn number_names(&mut self) {
        if self.names_are_numbered() {
            return;
        }
        let Some(mut old) = self.names.take() else { return };
        let mut new = Names { of: vec![None; self.insts.len()], ghosts: std::mem::take(&mut old.ghosts), ..Names::default() };
        let mut rows: HashMap<Name, Name> = HashMap::new();
        let mut locals: HashMap<Local, Local> = HashMap::new();
        let mut same: HashMap<(Option<Name>, Local, u32, Option<Value>), Name> = HashMap::new();
        for inst in self.named() {
            let mut fresh: Vec<(Name, NameRow)> = Vec::new();
            let mut last = None;
            for (at, row) in old.chain(old.of(inst)) {
                if let Some(&known) = rows.get(&at) {
                    last = Some(known);
                    break;
                }
                fresh.push((at, *row));
            }
            for (at, row) in fresh.into_iter().rev() {
                let local = match (locals.get(&row.local), old.locals.get(row.local)) {
                    (Some(&known), _) => known,
                    (None, Some(local)) => new.locals.push(*local),
                    // It dangles, and does so further on.
                    (None, None) => row.local,
                };
                locals.insert(row.local, local);
                // Rows that say the same are one.
                let to = *same.entry((last, local, row.part, row.value)).or_insert_with(|| new.add(last, local, row.part, row.value));
                rows.insert(at, to);
                last = Some(to);
            }
            new.of[inst.index()] = last;
        }
        while new.of.last() == Some(&None) {
            new.of.pop();
        }
        self.names = Some(Box::new(new));
    }
}
