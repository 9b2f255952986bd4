//! Canonical renumbering: unreachable blocks and dead rows go, ids become dense in print order.
//!
//! Blocks come in the order of [`Order`]; values in the order in which their definitions print. Printing and storing work on compact
//! graphs only, so an unrelated change leaves the text alone.

use std::cell::Cell;

use hashbrown::HashSet;

use super::names::{NameRow, Names};
use super::order::Order;
use super::{Block, BlockRow, Def, EdgeRow, Graph, Inst, InstRow, Level, NewInst, Target, Value, ValueRow};
use crate::ops::{Imm, OpTable};
use crate::{Id, List, PlaceId, Places};

/// Is the numbering canonical already, so that [`compact`] would change no text? Values that dangle do not count.
pub fn is_compact<L: Level>(graph: &Graph<L>) -> bool {
    is_canonical(graph, &Order::of(graph))
}

/// Makes the numbering canonical where it is not; `order` is the graph's. Returns whether it was not.
pub fn tidy<L: Level>(graph: &mut Graph<L>, order: &Order) -> bool {
    let renumber = !is_canonical(graph, order);
    if renumber {
        *graph = renumbered(graph, order);
    }
    renumber
}

fn is_canonical<L: Level>(graph: &Graph<L>, order: &Order) -> bool {
    if !order.is_identity() {
        return false;
    }
    let mut next = 0;
    let mut in_order = |value: Value| {
        let fits = value.index() == next;
        next += 1;
        fits
    };
    for row in graph.blocks.rows() {
        let params = row.params.iter().all(|&v| in_order(v));
        if !params || !row.insts.iter().all(|&inst| graph.results(inst).all(&mut in_order)) {
            return false;
        }
    }
    let ghosts = graph.names.iter().flat_map(|names| &names.ghosts);
    ghosts.flat_map(|&ghost| graph.results(ghost)).all(&mut in_order) && next == graph.values.len() && graph.names_are_numbered()
}

/// The same function with canonical numbering. Values that are used but never defined in a reachable block keep a dangling id, and a
/// value that is defined twice keeps both definitions: broken graphs stay broken.
pub fn compact<L: Level>(old: &Graph<L>) -> Graph<L> {
    renumbered(old, &Order::of(old))
}

thread_local! {
    /// Working memory of the last renumbering on this thread, for the next one.
    static SPARE: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Working memory of a renumbering.
#[derive(Default)]
struct Scratch {
    values: Vec<u32>,
    place_of: Vec<PlaceId>,
    places: Places,
    chain: Vec<PlaceId>,
}

const NONE: u32 = u32::MAX;

/// New numbers of values.
struct Numbers<'a> {
    of: &'a mut [u32],
    /// How many values are defined.
    defined: u32,
    /// How many are used all the same.
    dead: u32,
}

impl Numbers<'_> {
    #[inline]
    fn of(&mut self, value: Value) -> Value {
        match self.of.get(value.index()) {
            Some(&number) if number != NONE => Id::new(number as usize),
            Some(_) | None => self.undefined(value),
        }
    }

    /// Dead values that are used all the same are numbered as they come up; ids that name no row keep their distance from the last row.
    #[cold]
    fn undefined(&mut self, value: Value) -> Value {
        match self.of.get_mut(value.index()) {
            Some(slot) => {
                *slot = self.defined + self.dead;
                self.dead += 1;
                Id::new(*slot as usize)
            }
            None => Id::new((self.defined as usize + (value.index() - self.of.len())).min(u32::MAX as usize - 1)),
        }
    }
}

/// How much a graph holds in the blocks of an order.
#[derive(Default)]
struct Sizes {
    insts: usize,
    args: usize,
    targets: usize,
    ints: usize,
}

/// The same function with canonical numbering, in columns that are just as long as it takes; `order` is the graph's.
pub fn renumbered<L: Level>(old: &Graph<L>, order: &Order) -> Graph<L> {
    let mut scratch = SPARE.take().unwrap_or_default();
    let Scratch { values, place_of, places, chain } = &mut *scratch;
    values.clear();
    values.resize(old.values.len(), NONE);
    place_of.clear();
    place_of.resize(old.places.rows().len(), PlaceId::NONE);
    places.clear();
    // Pass 1: number values, and count.
    let mut next = 0;
    let mut number = |value: Value| {
        if let Some(slot) = values.get_mut(value.index())
            && *slot == NONE
        {
            *slot = next;
            next += 1;
        }
    };
    let mut sizes = Sizes::default();
    for &block in &order.blocks {
        let row = &old.blocks[block];
        sizes.insts += row.insts.len();
        row.params.iter().for_each(|&param| number(param));
        for &inst in &row.insts {
            let inst_row = &old.insts[inst];
            sizes.args += inst_row.args.len();
            let targets = old.edges[inst].targets;
            if !targets.is_empty() {
                sizes.targets += targets.len();
                sizes.args += old.targets[targets].iter().map(|t| t.args.len()).sum::<usize>();
                // A switch has one case fewer.
                sizes.ints += if targets.len() > 2 { targets.len() - 1 } else { 0 };
            }
            if inst_row.results == 1 {
                number(inst_row.first_result);
            } else {
                old.results(inst).for_each(&mut number);
            }
        }
    }
    let defined = next;
    let mut numbers = Numbers { of: values, defined, dead: 0 };
    let block_of = |block: Block| -> Block {
        match order.position.get(block.index()) {
            Some(&n) if n != NONE => Id::new(n as usize),
            // No edge of a reachable block goes to an unreachable one, so only blocks that do not exist come here.
            Some(_) | None => Id::new((order.blocks.len() + block.index().saturating_sub(old.blocks.len())).min(u32::MAX as usize - 1)),
        }
    };
    // Pass 2: copy.
    let mut new: Graph<L> = Graph::new(old.name, old.results.clone());
    new.blocks.reserve_exact(order.blocks.len());
    new.insts.reserve_exact(sizes.insts);
    new.edges.reserve_exact(sizes.insts);
    new.values.reserve_exact(defined as usize);
    new.args.reserve_exact(sizes.args);
    new.targets.reserve_exact(sizes.targets);
    new.ints.reserve_exact(sizes.ints);
    for &block in &order.blocks {
        let row = &old.blocks[block];
        let first = new.insts.len();
        let insts = (first..first + row.insts.len()).map(Id::new).collect();
        let id = new.blocks.push(BlockRow { params: Vec::with_capacity(row.params.len()), insts });
        for &param in &row.params {
            let Some(value) = old.values.get(param) else { continue };
            let renamed = numbers.of(param);
            if renamed == new.values.next_id() {
                new.add_param(id, value.ty);
            } else {
                new.blocks[id].params.push(renamed);
            }
        }
        for &inst in &row.insts {
            let InstRow { op, results, flags, args, imm, first_result } = old.insts[inst];
            let EdgeRow { targets, unwind, place } = old.edges[inst];
            let args = new.args.add(old.args[args].iter().map(|&v| numbers.of(v)));
            let targets = if targets.is_empty() {
                List::EMPTY
            } else {
                let pool = &mut new.args;
                let mut copy =
                    |t: &Target| Target { block: block_of(t.block), args: pool.add(old.args[t.args].iter().map(|&v| numbers.of(v))) };
                new.targets.add(old.targets[targets].iter().map(&mut copy))
            };
            let imm = match op.info().imm {
                Imm::Cases => new.add_cases(old.cases(inst).iter().copied()),
                Imm::None | Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => imm,
            };
            let new_inst = new.insts.next_id();
            let fresh = new.values.next_id();
            let first_result = match results {
                0 => fresh,
                1 => {
                    let first = numbers.of(first_result);
                    if first == fresh
                        && let Some(row) = old.values.get(first_result)
                    {
                        new.values.push(ValueRow { ty: row.ty, def: Def::Result(new_inst, 0) });
                    }
                    first
                }
                _ => {
                    let first = numbers.of(first_result);
                    old.results(inst).skip(1).for_each(|value| {
                        numbers.of(value);
                    });
                    if first == fresh {
                        for (index, value) in old.results(inst).enumerate() {
                            let Some(row) = old.values.get(value) else { break };
                            new.values.push(ValueRow { ty: row.ty, def: Def::Result(new_inst, index as u32) });
                        }
                    }
                    first
                }
            };
            let place = match place.is_some() {
                true => copy_place(&old.places, places, place_of, chain, place),
                false => place,
            };
            new.insts.push(InstRow { op, results, flags, first_result, args, imm });
            new.edges.push(EdgeRow { targets, unwind: unwind.map(block_of), place });
        }
    }
    if let Some(names) = &old.names {
        let mut copy =
            NamesCopy { old, new: &mut new, numbers: &mut numbers, ghosts: names.ghosts.iter().copied().collect(), made: Vec::new() };
        let mut copied = copy.names(names, order);
        for local in copied.locals.rows_mut().iter_mut().filter(|local| local.place.is_some()) {
            local.place = copy_place(&old.places, places, place_of, chain, local.place);
        }
        new.names = Some(Box::new(copied));
    }
    new.places = places.clone();
    SPARE.set(Some(scratch));
    new.settle_names();
    new
}

/// Copies what names locals: values that are not there any more are not known, unless a ghost makes them.
struct NamesCopy<'a, 'n, L: Level> {
    old: &'a Graph<L>,
    new: &'a mut Graph<L>,
    numbers: &'a mut Numbers<'n>,
    ghosts: HashSet<Inst>,
    made: Vec<Inst>,
}

/// How deep ghosts may be made of ghosts.
const GHOSTS: u32 = 16;

impl<L: Level> NamesCopy<'_, '_, L> {
    fn names(&mut self, names: &Names, order: &Order) -> Names {
        let insts = order.blocks.iter().flat_map(|&block| &self.old.blocks[block].insts);
        let of: Vec<_> = insts.map(|&inst| names.of(inst)).collect();
        // What nobody looks at keeps no ghost.
        let mut is_seen = vec![false; names.rows.len()];
        for &name in &of {
            for (at, _) in names.chain(name) {
                if std::mem::replace(&mut is_seen[at.index()], true) {
                    break;
                }
            }
        }
        let value = |(row, &is_seen): (&NameRow, &bool)| {
            let value = row.value.filter(|_| is_seen).and_then(|value| self.value(value, GHOSTS));
            NameRow { value, ..*row }
        };
        let rows = names.rows.rows().iter().zip(&is_seen).map(value).collect();
        Names { locals: names.locals.clone(), rows, of, ghosts: std::mem::take(&mut self.made), now: None }
    }

    fn value(&mut self, value: Value, depth: u32) -> Option<Value> {
        let slot = self.numbers.of.get(value.index()).copied()?;
        if slot != NONE {
            return Some(Id::new(slot as usize));
        }
        let inst = self.old.def_inst(value)?;
        if self.numbers.dead > 0 || depth == 0 || !self.ghosts.contains(&inst) || self.old.insts[inst].results != 1 {
            return None;
        }
        let args: Vec<Value> = self.old.args(inst).iter().map(|&arg| self.value(arg, depth - 1)).collect::<Option<_>>()?;
        let row = self.old.insts[inst];
        let ghost = self.new.make(NewInst { args: &args, imm: row.imm, flags: row.flags, ..NewInst::new(row.op) }, &[self.old.ty(value)]);
        let copy = self.new.result(ghost);
        self.numbers.of[value.index()] = copy.raw();
        self.made.push(ghost);
        Some(copy)
    }
}

/// Copies a place and the chain it hangs on, once. A chain that does not go down is cut where it turns, as [`Places::chain`] does.
#[inline]
fn copy_place(old: &Places, new: &mut Places, map: &mut [PlaceId], chain: &mut Vec<PlaceId>, id: PlaceId) -> PlaceId {
    let Some(&place) = old.get(id) else { return id };
    if map[id.0 as usize].is_some() {
        return map[id.0 as usize];
    }
    if !place.inlined_at.is_some() {
        let copy = new.add(place);
        map[id.0 as usize] = copy;
        return copy;
    }
    // Down the chain to a place that is copied already, then up again. No recursion: chains come from text too.
    chain.clear();
    let mut next = id;
    let mut copy = PlaceId::NONE;
    while let Some(place) = old.get(next) {
        if map[next.0 as usize].is_some() {
            copy = map[next.0 as usize];
            break;
        }
        chain.push(next);
        next = if place.inlined_at.0 < next.0 { place.inlined_at } else { PlaceId::NONE };
    }
    for &link in chain.iter().rev() {
        if let Some(place) = old.get(link) {
            copy = new.add(crate::Place { inlined_at: copy, ..*place });
            map[link.0 as usize] = copy;
        }
    }
    copy
}
