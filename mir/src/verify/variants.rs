//! M0233: a payload is read only where the sum is known to be the variant.
//!
//! One walk down the dominator tree keeps, for every sum that is asked about, the variants that it may be: from its definition, from the tests that
//! every way to a block has passed (`is`, a `switch` or a compare on `tag`), where ways meet from what each of them has shown since they parted, and for
//! a parameter from what its edges bring. What an edge that comes back to
//! a loop brings is assumed to be nothing at first; the walk is repeated with what it brought until that changes nothing more, which proves the assumption.
//! A variant with a part of which there are no values is none.
//!
//! Bodies without `payload` cost one look at their ops.

use hashbrown::{HashMap, HashSet};
use hir::{Type, TypeKind};
use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Value};
use ir::{Stop, Where};

use super::MirFault;
use super::proof::int_literal;
use crate::Op;
use crate::ir::{Context, Mir};
use crate::ops::payload_parts;

/// Conditions inside each other that are looked into.
const DEPTH: u32 = 8;

/// Walks in which assumptions about loops may grow; then there are none.
const ROUNDS: usize = 16;

/// Variants that a sum may be: one bit each.
type Set = Vec<u64>;

/// What holds along an edge.
type Facts = Vec<(Value, Set)>;

/// Judges a body whose structure and types are right.
pub(super) fn check(graph: &Graph<Mir>, cx: &dyn Context, faults: &mut Vec<MirFault>) -> Result<(), Stop> {
    if !graph.insts.rows().iter().any(|row| row.op == Op::Payload) {
        return Ok(());
    }
    let order = Order::of(graph);
    let dominators = Dominators::of(&order);
    let mut children: Vec<Vec<Block>> = vec![Vec::new(); graph.blocks.len()];
    let mut incoming = vec![0u32; graph.blocks.len()];
    for &block in order.blocks.iter().rev() {
        if block != ENTRY {
            children[dominators.idom(block).index()].push(block);
        }
        for &inst in &graph.blocks[block].insts {
            let targets = graph.targets(inst).iter().map(|target| target.block);
            targets.chain(graph.edges[inst].unwind).for_each(|to| incoming[to.index()] += 1);
        }
    }
    let of_payloads = graph.insts.rows().iter().filter(|row| row.op == Op::Payload);
    let asked: HashSet<Value> = of_payloads.filter_map(|row| graph.args.slice(row.args.start(), row.args.len()).first().copied()).collect();
    let before = faults.len();
    let mut assumed = Some(HashMap::new());
    for round in (0..=ROUNDS).rev() {
        let arrived = (0..graph.blocks.len()).map(|_| HashMap::new()).collect();
        let (incoming, visited) = (incoming.clone(), vec![false; graph.blocks.len()]);
        let (known, undo, all, empty) = (HashMap::new(), Vec::new(), HashMap::new(), HashMap::new());
        let learnt = vec![0; graph.blocks.len()];
        let ways = Ways { dominators: &dominators, asked: &asked, learnt };
        let mut walk = Walk { graph, cx, faults, incoming, arrived, visited, assumed, has_grown: false, known, undo, ways, all, empty };
        let mut open = vec![(ENTRY, None)];
        while let Some((block, mark)) = open.pop() {
            match mark {
                Some(mark) => walk.forget(mark),
                None => {
                    open.push((block, Some(walk.undo.len())));
                    walk.block(block)?;
                    open.extend(children[block.index()].iter().map(|&child| (child, None)));
                }
            }
        }
        if !walk.has_grown {
            break;
        }
        assumed = walk.assumed.filter(|_| round > 1);
        faults.truncate(before);
    }
    Ok(())
}

/// What tells which facts an edge brings to where ways meet.
struct Ways<'a> {
    dominators: &'a Dominators,
    /// Sums of which payloads are read: no others are worth the room.
    asked: &'a HashSet<Value>,
    /// By block: how much was known when it was left, as a length of `undo`.
    learnt: Vec<usize>,
}

struct Walk<'a> {
    graph: &'a Graph<Mir>,
    cx: &'a dyn Context,
    faults: &'a mut Vec<MirFault>,
    /// Edges into each block.
    incoming: Vec<u32>,
    /// By block: what edges into it say of a sum, and how many say something.
    arrived: Vec<HashMap<Value, (Set, u32)>>,
    visited: Vec<bool>,
    /// What edges that come back bring to parameters, as far as it is known; nothing is assumed any more where this is `None`.
    assumed: Option<HashMap<Value, Set>>,
    /// Has one of them brought more?
    has_grown: bool,
    /// What is known at the spot of the walk.
    known: HashMap<Value, Set>,
    /// What was known before.
    undo: Vec<(Value, Option<Set>)>,
    ways: Ways<'a>,
    /// The variants of a type of which there are values, and how many variants it has.
    all: HashMap<Type, (Set, usize)>,
    /// Are there no values of a type?
    empty: HashMap<Type, bool>,
}

impl Walk<'_> {
    fn forget(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some((value, Some(before))) => _ = self.known.insert(value, before),
                Some((value, None)) => _ = self.known.remove(&value),
                None => {}
            }
        }
    }

    fn block(&mut self, block: Block) -> Result<(), Stop> {
        self.visited[block.index()] = true;
        if block != ENTRY && self.incoming[block.index()] == 0 {
            // Only literals that say otherwise lead here.
            for &inst in &self.graph.blocks[block].insts {
                let targets = self.graph.targets(inst).iter().map(|target| target.block);
                targets.chain(self.graph.edges[inst].unwind).for_each(|to| self.incoming[to.index()] -= 1);
            }
            return Ok(());
        }
        for (value, (mut set, count)) in std::mem::take(&mut self.arrived[block.index()]) {
            if count == self.incoming[block.index()] {
                self.learn(value, set)?;
            } else if let Some(assumed) = &self.assumed
                && self.graph.blocks[block].params.contains(&value)
            {
                if let Some(more) = assumed.get(&value) {
                    unite(&mut set, more);
                }
                self.learn(value, set)?;
            }
        }
        for (index, &inst) in self.graph.blocks[block].insts.iter().enumerate() {
            if self.graph.op(inst) == Op::Payload {
                let (variant, _) = payload_parts(self.graph.insts[inst].imm);
                let sum = self.graph.args(inst)[0];
                // A way that no sum can take shows anything.
                let mut others = self.set_of(sum)?;
                clear(&mut others, i64::from(variant));
                if others.iter().any(|&word| word != 0) {
                    let at = Where::Inst { block: block.raw(), index: index as u32 };
                    self.faults.push(MirFault::UnprovedVariant { at, value: sum.raw(), variant });
                }
            }
        }
        self.ways.learnt[block.index()] = self.undo.len();
        match self.graph.terminator(block) {
            Some(last) => self.leave(last),
            None => Ok(()),
        }
    }

    /// Brings what holds along the edges of a terminator to their blocks.
    fn leave(&mut self, last: Inst) -> Result<(), Stop> {
        let graph = self.graph;
        for (index, &target) in graph.targets(last).iter().enumerate() {
            if is_dead(graph, last, index) {
                self.incoming[target.block.index()] -= 1;
                continue;
            }
            let mut facts = self.facts_of_edge(last, index)?;
            if self.incoming[target.block.index()] > 1 {
                let parted = self.ways.learnt[self.ways.dominators.idom(target.block).index()];
                for &(value, _) in self.undo.get(parted..).unwrap_or_default() {
                    if self.ways.asked.contains(&value) && !facts.iter().any(|(known, _)| *known == value) {
                        facts.extend(self.known.get(&value).map(|set| (value, set.clone())));
                    }
                }
            }
            for (value, set) in &mut facts {
                meet(set, &self.set_of(*value)?);
            }
            for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(target)) {
                if self.count(param)? > 1 {
                    let narrower = facts.iter().find(|(value, _)| *value == arg).map(|(_, set)| set.clone());
                    let set = match narrower {
                        Some(set) => set,
                        None => self.set_of(arg)?,
                    };
                    facts.push((param, set));
                }
            }
            if self.visited[target.block.index()] {
                let Some(assumed) = &mut self.assumed else { continue };
                let params = &graph.blocks[target.block].params;
                for (value, set) in facts.iter().filter(|(value, _)| params.contains(value)) {
                    self.has_grown |= unite(assumed.entry(*value).or_insert_with(|| vec![0; set.len()]), set);
                }
                continue;
            }
            let arrived = &mut self.arrived[target.block.index()];
            for (value, set) in facts {
                let (all, count) = arrived.entry(value).or_insert_with(|| (vec![0; set.len()], 0));
                unite(all, &set);
                *count += 1;
            }
        }
        Ok(())
    }

    /// What one target of a terminator says of sums; one row a value.
    fn facts_of_edge(&mut self, last: Inst, index: usize) -> Result<Facts, Stop> {
        let graph = self.graph;
        let mut facts = Facts::new();
        match graph.op(last) {
            Op::Branch => self.condition(graph.args(last)[0], index == 0, 0, &mut facts)?,
            Op::Switch => {
                if let Some(sum) = tagged(graph, graph.args(last)[0]) {
                    let cases = graph.cases(last);
                    let set = match cases.get(index) {
                        Some(&case) => self.one(sum, case as u32)?,
                        None => {
                            let mut rest = self.all(sum)?;
                            cases.iter().for_each(|&case| clear(&mut rest, case));
                            rest
                        }
                    };
                    facts.push((sum, set));
                }
            }
            _ => {}
        }
        Ok(facts)
    }

    /// What is true of sums when a condition is.
    fn condition(&mut self, value: Value, holds: bool, depth: u32, facts: &mut Facts) -> Result<(), Stop> {
        let graph = self.graph;
        let Some(inst) = graph.def_inst(value).filter(|_| depth < DEPTH) else { return Ok(()) };
        let args = graph.args(inst);
        let (sum, set) = match graph.op(inst) {
            Op::Is => {
                let asked = graph.insts[inst].imm as i64;
                (args[0], self.variants(args[0], |variant| (variant == asked) == holds)?)
            }
            Op::Not => return self.condition(args[0], !holds, depth + 1, facts),
            op @ (Op::And | Op::Or) if holds == (op == Op::And) => {
                self.condition(args[0], holds, depth + 1, facts)?;
                return self.condition(args[1], holds, depth + 1, facts);
            }
            op => {
                let (Some(compare), [left, right]) = (comparison(op), args) else { return Ok(()) };
                let number = |value| int_literal(graph, value);
                match (tagged(graph, *left), number(*right), number(*left), tagged(graph, *right)) {
                    (Some(sum), Some(number), ..) => (sum, self.variants(sum, |variant| compare(&variant, &number) == holds)?),
                    (_, _, Some(number), Some(sum)) => (sum, self.variants(sum, |variant| compare(&number, &variant) == holds)?),
                    (Some(one), _, _, Some(other)) if (op == Op::Eq) == holds && matches!(op, Op::Eq | Op::Ne) => {
                        let mut both = self.set_of(one)?;
                        meet(&mut both, &self.set_of(other)?);
                        join(facts, one, both.clone());
                        (other, both)
                    }
                    _ => return Ok(()),
                }
            }
        };
        join(facts, sum, set);
        Ok(())
    }

    fn learn(&mut self, value: Value, set: Set) -> Result<(), Stop> {
        let mut new = self.set_of(value)?;
        meet(&mut new, &set);
        let before = self.known.insert(value, new);
        self.undo.push((value, before));
        Ok(())
    }

    /// What a sum may be at the spot of the walk.
    fn set_of(&mut self, value: Value) -> Result<Set, Stop> {
        if let Some(set) = self.known.get(&value) {
            return Ok(set.clone());
        }
        let graph = self.graph;
        if let Def::Result(inst, _) = graph.values[value].def {
            match graph.op(inst) {
                Op::Variant => return self.one(value, graph.insts[inst].imm as u32),
                Op::Dup => return self.set_of(graph.args(inst)[0]),
                Op::Select => {
                    let (mut either, other) = (self.set_of(graph.args(inst)[1])?, self.set_of(graph.args(inst)[2])?);
                    unite(&mut either, &other);
                    return Ok(either);
                }
                _ => {}
            }
        }
        self.all(value)
    }

    fn one(&mut self, sum: Value, variant: u32) -> Result<Set, Stop> {
        let mut set = vec![0; self.count(sum)?.div_ceil(64)];
        if let Some(word) = set.get_mut(variant as usize / 64) {
            *word |= 1 << (variant % 64);
        }
        Ok(set)
    }

    /// The variants of a sum that `accept` likes.
    fn variants(&mut self, sum: Value, accept: impl Fn(i64) -> bool) -> Result<Set, Stop> {
        let count = self.count(sum)?;
        let mut set = vec![0; count.div_ceil(64)];
        for variant in (0..count).filter(|&variant| accept(variant as i64)) {
            set[variant / 64] |= 1 << (variant % 64);
        }
        Ok(set)
    }

    /// How many variants the type of a value has; 0 for what is no sum.
    fn count(&mut self, value: Value) -> Result<usize, Stop> {
        let ty = self.graph.ty(value);
        if let Some((_, count)) = self.all.get(&ty) {
            return Ok(*count);
        }
        let (mut set, mut count) = (Set::new(), 0);
        if let Some(variants) = self.cx.variants(ty)? {
            count = variants.len();
            set.resize(count.div_ceil(64), 0);
            for (variant, payload) in variants.iter().enumerate() {
                if !self.any_empty(payload)? {
                    set[variant / 64] |= 1 << (variant % 64);
                }
            }
        }
        self.all.insert(ty, (set, count));
        Ok(count)
    }

    /// Every variant that values of the sum's type can be.
    fn all(&mut self, sum: Value) -> Result<Set, Stop> {
        self.count(sum)?;
        Ok(self.all.get(&self.graph.ty(sum)).map(|(set, _)| set.clone()).unwrap_or_default())
    }

    fn any_empty(&mut self, parts: &[Type]) -> Result<bool, Stop> {
        for &part in parts {
            if self.is_empty(part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has the type no values? One that contains itself is taken to have some.
    fn is_empty(&mut self, ty: Type) -> Result<bool, Stop> {
        match ty.kind() {
            TypeKind::Never => return Ok(true),
            TypeKind::Tuple(_) | TypeKind::Struct(..) | TypeKind::Cell(_) => {}
            _ => return Ok(false),
        }
        if let Some(&known) = self.empty.get(&ty) {
            return Ok(known);
        }
        self.empty.insert(ty, false);
        let is_empty = match (ty.kind(), self.cx.variants(ty)?) {
            (TypeKind::Cell(parts), _) => self.any_empty(parts)?,
            (_, Some(variants)) => {
                let mut all = true;
                for payload in variants.iter() {
                    all = all && self.any_empty(payload)?;
                }
                all
            }
            (_, None) => match self.cx.fields(ty)? {
                Some(fields) => self.any_empty(&fields)?,
                None => false,
            },
        };
        self.empty.insert(ty, is_empty);
        Ok(is_empty)
    }
}

/// Does a literal say that the terminator never goes to this target? Passes that run out of fuel leave such edges.
fn is_dead(graph: &Graph<Mir>, last: Inst, index: usize) -> bool {
    let Some(literal) = graph.args(last).first().and_then(|&value| int_literal(graph, value)) else { return false };
    match graph.op(last) {
        Op::Branch => (literal != 0) != (index == 0),
        Op::Switch => {
            let cases = graph.cases(last);
            cases.iter().position(|&case| case == literal).unwrap_or(cases.len()) != index
        }
        _ => false,
    }
}

/// The sum whose tag a value is.
fn tagged(graph: &Graph<Mir>, value: Value) -> Option<Value> {
    let inst = graph.def_inst(value)?;
    (graph.op(inst) == Op::Tag).then(|| graph.args(inst)[0])
}

/// What a comparison asks of two numbers.
pub(crate) fn comparison(op: Op) -> Option<fn(&i64, &i64) -> bool> {
    Some(match op {
        Op::Eq => i64::eq,
        Op::Ne => i64::ne,
        Op::Lt => i64::lt,
        Op::Le => i64::le,
        Op::Gt => i64::gt,
        Op::Ge => i64::ge,
        _ => return None,
    })
}

fn clear(set: &mut Set, variant: i64) {
    if let Some(word) = usize::try_from(variant).ok().and_then(|variant| set.get_mut(variant / 64)) {
        *word &= !(1 << (variant % 64));
    }
}

fn meet(set: &mut Set, other: &Set) {
    set.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

/// Adds to a set; has it grown?
fn unite(set: &mut Set, more: &Set) -> bool {
    let mut has_grown = false;
    for (word, more) in set.iter_mut().zip(more) {
        has_grown |= *more & !*word != 0;
        *word |= more;
    }
    has_grown
}

/// Adds a fact; what was known of the value holds too.
fn join(facts: &mut Facts, value: Value, set: Set) {
    match facts.iter_mut().find(|(known, _)| *known == value) {
        Some((_, known)) => meet(known, &set),
        None => facts.push((value, set)),
    }
}
