//! M0318: elements that a list is known to have.
//!
//! `list_at` reads an element and `list_set` writes one without a look at the length of the list. That it is there is proved here from the body alone, whoever
//! claims it and by whatever analysis: this one is another, and goes the other way. A claim is two goals, `index >= 0` and `length - index - 1 >= 0`, polynomials
//! over ints and lengths that are to be proved where the claim stands. What the branches on the way there say, and what other looks at elements say (they
//! have been proved, or check), are facts: polynomials that are not negative. A goal is proved when it is a sum of facts, each times something that is not
//! negative, and of a rest that is never negative for the ranges of its parts. What is left over is asked again on each way into the block where
//! ways meet, with what that way brings for the parameters. There a goal may be assumed of the time before: it is an invariant when every way
//! shows it (induction over the steps of the program). So it is the check elimination on demand of Bodík, Gupta and Sarkar (ABCD, PLDI 2000), with
//! products, for indices like `i * width + j`.
//!
//! Values never change, and a fact that every way to a spot has shown is about the values that it has there: what defines them dominates what shows the fact, so it
//! would have been shown again of others. `wrap_add` and its like are sums where their operands prove that nothing wraps, which are goals of their own.
//!
//! Bodies without such ops cost one look at their ops. A claim costs a bounded number of steps, and so do all hard ones of a body together; who needs more is not proved.
//! `list_swap` is made of `list_set` after this was judged, by the same list and index.

mod facts;
mod poly;

use hashbrown::{HashMap, HashSet};
use ir::Where;
use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Value};

use self::facts::{Fact, Spot};
use self::poly::{Atom, Poly, Product, What};
use super::MirFault;
use super::proof::{self, Range};
use crate::Op;
use crate::ir::Mir;

/// Sums of facts that are tried for a claim.
const STEPS: u32 = 4000;
/// Steps that count as none: what most claims take.
const EASY: u32 = 128;
/// Steps for all claims of a body together, without those of the easy ones.
const BODY: u32 = 24 * STEPS;
/// Steps for the question how many bits a factor has.
const SHARE: u32 = 400;
/// Facts that are added up for a goal.
const SUMMANDS: u32 = 4;
/// What is further from zero is no length, but an end of the ints.
const FAR: u128 = 1 << 48;
/// Sums of so many facts that are tried for one goal.
const TRIES: u32 = 16;
/// Rests of a goal that are asked where ways meet.
const RESTS: usize = 6;
/// Meeting points behind each other.
const DEPTH: u32 = 24;
/// Bits that a factor may have, for products that fit: what `versions` asks of numbers, and a step more.
const BITS: [u32; 2] = [41, 31];
/// Operands of operands that are looked at for an interval.
const DEEP: u32 = 4;

/// The ops that go to an element without a check.
const fn is_claim(op: Op) -> bool {
    matches!(op, Op::ListAt | Op::ListSet)
}

/// List and index of an op that shows, or claims, that the list has such an element.
fn look(graph: &Graph<Mir>, inst: Inst) -> Option<(Value, Value)> {
    match (graph.op(inst), graph.args(inst)) {
        (Op::ListGet | Op::ListAt, &[list, index]) | (Op::ListSet, &[list, index, _]) => Some((list, index)),
        _ => None,
    }
}

/// Judges a body whose structure and types are right, before it is known who holds what: there the list that is read or written is the one that was looked at,
/// and not a part that was taken out of something. Nobody makes such an op later.
pub(super) fn check(graph: &Graph<Mir>, faults: &mut Vec<MirFault>) {
    for (block, at, inst) in unproved(graph) {
        let value = graph.args(inst)[1].raw();
        let at = Where::Inst { block: block.raw(), index: at as u32 };
        faults.push(MirFault::UnprovedIndex { at, op: ir::ops::OpTable::info(graph.op(inst)).name, value });
    }
}

/// The claims of a body that are not proved, with block and number therein.
pub(crate) fn unproved(graph: &Graph<Mir>) -> Vec<(Block, usize, Inst)> {
    let mut unproved = Vec::new();
    if !graph.insts.rows().iter().any(|row| is_claim(row.op)) {
        return unproved;
    }
    let order = Order::of(graph);
    let mut prover = Prover::of(graph, &order);
    for &block in &order.blocks {
        for (at, &inst) in graph.blocks[block].insts.iter().enumerate() {
            if is_claim(graph.op(inst)) && !prover.proves(block, at) {
                unproved.push((block, at, inst));
            }
        }
    }
    unproved
}

/// A way into a block.
#[derive(Clone, Copy)]
struct Way {
    from: Block,
    /// How many instructions of it have been run.
    at: usize,
    /// The terminator and which of its targets it is; nothing for a panic.
    edge: Option<(Inst, u32)>,
}

/// How far values are looked into.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Level {
    /// Not at all, but for literals and lengths.
    Value,
    /// Sums, differences, and products with literals.
    Sum,
    /// Products, too.
    Product,
}

/// An int as a polynomial, and the instructions for which that holds only if they do not wrap.
#[derive(Clone, Default)]
struct Expanded {
    poly: Poly,
    needs: Vec<Inst>,
}

/// What is left of a goal when facts have been taken from it, and what that rests on.
#[derive(Clone)]
struct Rest {
    goal: Poly,
    /// Sums that must not wrap.
    needs: Vec<Inst>,
    /// Factors that must not be negative.
    factors: Vec<Atom>,
    /// How many facts were taken.
    summands: usize,
}

/// What is tried for a goal at one level.
struct Search<'a> {
    facts: &'a [Fact],
    spot: Spot,
    depth: u32,
    /// How many more sums may be tried.
    tries: u32,
    /// What is left over, for where ways meet.
    rests: &'a mut Vec<Rest>,
}

/// Proves claims of one body.
struct Prover<'a> {
    graph: &'a Graph<Mir>,
    /// Ways into each block.
    ways: Vec<Vec<Way>>,
    /// By block: where the chain of blocks with one way in each begins.
    heads: Vec<Block>,
    dominators: Dominators,
    /// May a panic have led to the block?
    cold: Vec<bool>,
    /// By instruction: its block.
    homes: Vec<Block>,
    /// What holds whenever a head is entered: proved, or being proved. In `trail` in order, to be taken back.
    held: HashMap<Block, Vec<Poly>>,
    trail: Vec<Block>,
    /// Heads and goals whose ways are being asked.
    asked: Vec<(Block, Poly)>,
    /// What was in vain for the claim.
    failed: HashSet<(Block, Poly)>,
    /// Looks at elements, by index, in the order of the body.
    looks: HashMap<Value, Vec<Inst>>,
    expanded: HashMap<(Value, Level), Expanded>,
    /// Lists, what they were made of, and by how many pushes.
    origins: HashMap<Value, (Value, i128)>,
    /// Which sums are known not to wrap, or not known to, at which spots.
    exact: HashMap<(Inst, Block, usize, Option<u32>), bool>,
    /// Intervals of ints at spots.
    intervals: HashMap<(Value, Block, usize, Option<u32>), Range>,
    /// Sums that are being proved not to wrap.
    open: Vec<Inst>,
    steps: u32,
    /// How many steps the question may take.
    limit: u32,
    /// How many steps hard claims may still take.
    left: u32,
}

impl<'a> Prover<'a> {
    fn of(graph: &'a Graph<Mir>, order: &Order) -> Prover<'a> {
        let mut ways: Vec<Vec<Way>> = vec![Vec::new(); graph.blocks.len()];
        let mut cold = vec![false; graph.blocks.len()];
        let mut looks: HashMap<Value, Vec<Inst>> = HashMap::new();
        let mut homes = vec![ENTRY; graph.insts.len()];
        for &from in &order.blocks {
            for (at, &inst) in graph.blocks[from].insts.iter().enumerate() {
                homes[inst.index()] = from;
                if let Some((_, index)) = look(graph, inst) {
                    looks.entry(index).or_default().push(inst);
                }
                if let Some(pad) = graph.edges[inst].unwind {
                    cold[pad.index()] = true;
                    ways[pad.index()].push(Way { from, at, edge: None });
                }
                for (index, target) in graph.targets(inst).iter().enumerate() {
                    ways[target.block.index()].push(Way { from, at, edge: Some((inst, index as u32)) });
                }
            }
        }
        let mut heads: Vec<Block> = graph.blocks.ids().collect();
        // In this order the only way into a block comes from one whose head is known.
        for &block in order.blocks.iter().skip(1) {
            if let [way] = ways[block.index()][..] {
                heads[block.index()] = heads[way.from.index()];
            }
        }
        let mut work: Vec<Block> = graph.blocks.ids().filter(|block| cold[block.index()]).collect();
        while let Some(block) = work.pop() {
            graph.each_successor(block, |next| {
                if !std::mem::replace(&mut cold[next.index()], true) {
                    work.push(next);
                }
            });
        }
        let (held, trail, asked, failed) = (HashMap::new(), Vec::new(), Vec::new(), HashSet::new());
        Prover {
            graph,
            ways,
            heads,
            dominators: Dominators::of(order),
            cold,
            homes,
            held,
            trail,
            asked,
            failed,
            looks,
            expanded: HashMap::new(),
            origins: HashMap::new(),
            exact: HashMap::new(),
            intervals: HashMap::new(),
            open: Vec::new(),
            steps: 0,
            limit: 0,
            left: BODY,
        }
    }

    /// Is the element there that instruction `at` of a block looks at?
    fn proves(&mut self, block: Block, at: usize) -> bool {
        let inst = self.graph.blocks[block].insts[at];
        let Some((list, index)) = look(self.graph, inst) else { return false };
        (self.steps, self.limit) = (0, STEPS.min(self.left + EASY));
        self.failed.clear();
        self.exact.clear();
        self.intervals.clear();
        if self.was_looked_at(inst, block, list, index) {
            return true;
        }
        let spot = Spot { block, at, edge: None };
        let index = Poly::atom(Atom::int(index));
        let length = Poly::atom(Atom::length(list));
        let below = length.less(&index).and_then(|rest| rest.sum(&Poly::number(-1)));
        let is_proved = below.is_some_and(|below| self.prove(&below, spot, DEPTH)) && self.prove(&index, spot, DEPTH);
        self.left = self.left.saturating_sub(self.steps.saturating_sub(EASY));
        is_proved
    }

    /// Has every way here looked at this element, of a list of that length? However far that is.
    fn was_looked_at(&mut self, inst: Inst, block: Block, list: Value, index: Value) -> bool {
        let Some(looks) = self.looks.remove(&index) else { return false };
        let length = self.length(list).poly;
        // In the order of the body: what comes later in a block does not say anything yet.
        let has = looks.iter().take_while(|&&look| look != inst).any(|&look| {
            let home = self.homes[look.index()];
            let is_before = home == block || self.dominators.dominates(home, block) && !self.cold[block.index()];
            is_before && self.length(self.graph.args(look)[0]).poly == length
        });
        self.looks.insert(index, looks);
        has
    }

    /// Is this never negative here? First for the values as they are, then for the sums that they are, then for the products in these.
    fn prove(&mut self, goal: &Poly, spot: Spot, depth: u32) -> bool {
        let mut before = None;
        let mut rests = Vec::new();
        for level in [Level::Value, Level::Sum, Level::Product] {
            self.steps += 4;
            if self.steps > self.limit {
                return false;
            }
            let expanded = self.replaced(goal, |prover, atom| Some(prover.of_atom(atom, level)));
            let Some(Expanded { poly, needs }) = expanded else { break };
            // Without products of its own the goal has no use for those in facts.
            if level == Level::Product && before.as_ref() == Some(&poly) {
                break;
            }
            let facts = self.facts(spot, level);
            let whole = Rest { goal: poly, needs, factors: Vec::new(), summands: 0 };
            for summands in 0..=SUMMANDS {
                let mut search = Search { facts: &facts, spot, depth, tries: TRIES, rests: &mut rests };
                if self.reduces(&whole, summands, &mut search) {
                    return true;
                }
            }
            before = Some(whole.goal);
        }
        let head = self.heads[spot.block.index()];
        // First the goal itself, but in a loop that is being asked about: there, what does not change is the better invariant.
        let is_again = self.asked.iter().any(|(at, _)| *at == head);
        rests.sort_by_key(|rest| {
            let grows = rest.goal.terms().iter().any(|(product, number)| *product != Product::ONE && *number > 0);
            let is_far = rest.goal.terms().iter().any(|(product, number)| *product == Product::ONE && number.unsigned_abs() > FAR);
            let effort = if is_again && rest.summands == 0 { 2 } else { rest.factors.len() + rest.summands };
            (effort > 0, is_far, !grows, effort)
        });
        rests.truncate(RESTS);
        let only = rests.len() == 1;
        rests.into_iter().any(|rest| {
            let share = (self.limit.saturating_sub(self.steps)) / if only { 1 } else { 2 };
            self.within(share, |prover| prover.is_sound(&rest, spot, depth) && prover.holds_at(head, &rest.goal, depth))
        })
    }

    /// Asks something that may take so many steps.
    fn within(&mut self, steps: u32, ask: impl FnOnce(&mut Self) -> bool) -> bool {
        let before = self.limit;
        self.limit = before.min(self.steps + steps);
        let answer = ask(self);
        self.limit = before;
        answer
    }

    /// Do the sums that a rest was computed from not wrap, and are the factors not negative?
    fn is_sound(&mut self, rest: &Rest, spot: Spot, depth: u32) -> bool {
        rest.factors.iter().all(|&atom| self.prove(&Poly::atom(atom), spot, depth.saturating_sub(1)))
            && self.are_exact(&rest.needs, spot, depth)
    }

    /// Is the goal a sum of so many facts, times what is not negative, and of what is not negative? What else would do is put to the rests.
    fn reduces(&mut self, goal: &Rest, summands: u32, search: &mut Search) -> bool {
        self.steps += 1;
        search.tries = search.tries.saturating_sub(1);
        if self.steps > self.limit || search.tries == 0 {
            return false;
        }
        let facts = search.facts;
        if summands == 0 {
            // A fact that cannot be says that nobody comes here.
            let is_never = |fact: &Fact| fact.needs.is_empty() && matches!(fact.poly.terms(), &[(Product::ONE, number)] if number < 0);
            if goal.summands == 0 && facts.iter().any(is_never) {
                return true;
            }
            if self.low(&goal.goal).is_some_and(|low| low >= 0) {
                return self.is_sound(goal, search.spot, search.depth);
            }
            if self.is_known_above(&goal.goal, search.spot) && search.rests.iter().all(|rest| rest.goal != goal.goal) {
                search.rests.push(goal.clone());
            }
            return false;
        }
        for &(product, number) in goal.goal.terms().iter().filter(|(product, _)| *product != Product::ONE) {
            for fact in facts {
                for &(part, weight) in fact.poly.terms().iter().filter(|(part, _)| *part != Product::ONE) {
                    if (weight < 0) != (number < 0) {
                        continue;
                    }
                    let Some(factor) = product.divided(&part) else { continue };
                    let scaled = fact.poly.scaled(&factor, number.saturating_abs());
                    let Some(rest) = scaled.and_then(|scaled| goal.goal.plus(weight.saturating_abs(), &scaled, -1)) else { continue };
                    let mut rest = Rest { goal: rest, summands: goal.summands + 1, ..goal.clone() };
                    rest.needs.extend(&fact.needs);
                    rest.factors.extend(factor.atoms());
                    if self.reduces(&rest, summands - 1, search) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Is all that the goal is about defined above the chain of blocks that the spot is on, or a parameter of its head?
    fn is_known_above(&self, goal: &Poly, spot: Spot) -> bool {
        let head = self.heads[spot.block.index()];
        let is_number = goal.atoms().next().is_none();
        head != ENTRY
            && !is_number
            && goal.atoms().all(|atom| self.is_param_of(atom, head) || self.heads[self.block_of(atom.value()).index()] != head)
    }

    fn block_of(&self, value: Value) -> Block {
        match self.graph.values[value].def {
            Def::Param(block, _) => block,
            Def::Result(inst, _) => self.homes[inst.index()],
        }
    }

    fn is_param_of(&self, atom: Atom, head: Block) -> bool {
        matches!(self.graph.values[atom.value()].def, Def::Param(block, _) if block == head)
    }

    /// Is the goal never negative when this head is entered, on whichever way?
    fn holds_at(&mut self, head: Block, goal: &Poly, depth: u32) -> bool {
        if depth == 0 || self.failed.contains(&(head, goal.clone())) {
            return false;
        }
        // What is about values of before is the same on all ways that come from there. The facts of there have been used.
        if !goal.atoms().any(|atom| self.is_param_of(atom, head)) {
            let above = self.above(head).filter(|&spot| self.is_known_above(goal, spot));
            if above.is_some_and(|spot| self.holds_at(self.heads[spot.block.index()], goal, depth - 1)) {
                return true;
            }
            if self.entries(head) < 2 {
                return false;
            }
        }
        // A goal that asks for more in every round of a loop never ends.
        let asks_more = |(at, less): &(Block, Poly)| {
            *at == head && goal.less(less).is_some_and(|more| matches!(more.terms(), &[(Product::ONE, number)] if number < 0))
        };
        if self.asked.iter().any(asks_more) {
            return false;
        }
        let mark = self.trail.len();
        self.asked.push((head, goal.clone()));
        self.trail.push(head);
        self.held.entry(head).or_default().push(goal.clone());
        for at in 0..self.ways[head.index()].len() {
            let way = self.ways[head.index()][at];
            let brought = self.replaced(goal, |prover, atom| prover.brought(atom, head, way));
            let spot = Spot { block: way.from, at: way.at, edge: way.edge };
            let holds = facts::is_dead(self.graph, way.edge) || brought.is_some_and(|goal| self.prove(&goal.poly, spot, depth - 1));
            if !holds {
                for head in self.trail.drain(mark..).rev() {
                    self.held.get_mut(&head).map(Vec::pop);
                }
                // They may rest on what is taken back.
                self.exact.retain(|_, is_exact| !*is_exact);
                self.intervals.clear();
                if self.steps <= self.limit {
                    self.failed.insert((head, goal.clone()));
                }
                self.asked.pop();
                return false;
            }
        }
        self.asked.pop();
        true
    }

    /// How many ways lead into a head from elsewhere than itself.
    fn entries(&self, head: Block) -> usize {
        self.ways[head.index()].iter().filter(|way| !self.dominators.dominates(head, way.from)).count()
    }

    /// The last spot that every way to a head has passed.
    fn above(&self, head: Block) -> Option<Spot> {
        if head == ENTRY {
            return None;
        }
        let mut entries = self.ways[head.index()].iter().filter(|way| !self.dominators.dominates(head, way.from));
        match (entries.next(), entries.next()) {
            (Some(way), None) => Some(Spot { block: way.from, at: way.at, edge: way.edge }),
            // A panic may have left the block anywhere.
            _ if self.cold[head.index()] => Some(Spot { block: self.dominators.idom(head), at: 0, edge: None }),
            _ => {
                let block = self.dominators.idom(head);
                Some(Spot { block, at: self.graph.blocks[block].insts.len() - 1, edge: None })
            }
        }
    }

    /// What a way brings for a parameter of a head; other atoms stay.
    fn brought(&mut self, atom: Atom, head: Block, way: Way) -> Option<Expanded> {
        let Def::Param(block, index) = self.graph.values[atom.value()].def else { return Some(Expanded::of(Poly::atom(atom))) };
        if block != head {
            return Some(Expanded::of(Poly::atom(atom)));
        }
        let (inst, target) = way.edge?;
        let target = *self.graph.targets(inst).get(target as usize)?;
        let arg = *self.graph.target_args(target).get(index as usize)?;
        Some(Expanded::of(match atom.what() {
            What::Int(_) => Poly::atom(Atom::int(arg)),
            What::Length(_) => Poly::atom(Atom::length(arg)),
        }))
    }

    /// The polynomial with something else for each of its atoms.
    fn replaced(&mut self, poly: &Poly, mut new: impl FnMut(&mut Self, Atom) -> Option<Expanded>) -> Option<Expanded> {
        let mut all = Expanded::default();
        for (product, number) in poly.terms() {
            let mut term = Poly::number(*number);
            for atom in product.atoms() {
                let new = new(self, atom)?;
                term = term.times(&new.poly)?;
                all.needs.extend(new.needs);
            }
            all.poly = all.poly.sum(&term)?;
        }
        all.needs.sort_unstable();
        all.needs.dedup();
        Some(all)
    }

    /// The smallest value that definitions leave to a polynomial.
    fn low(&self, poly: &Poly) -> Option<i128> {
        ends(poly, |atom| self.certain(atom)).map(|(low, _)| low)
    }

    /// What definitions say of an atom.
    fn certain(&self, atom: Atom) -> Range {
        match atom.what() {
            What::Int(value) => proof::range(self.graph, value),
            What::Length(list) => proof::lengths(self.graph.ty(list)),
        }
    }

    /// Do these not wrap, as far as it is known here?
    fn are_exact(&mut self, needs: &[Inst], spot: Spot, depth: u32) -> bool {
        needs.iter().all(|&inst| {
            let key = (inst, spot.block, spot.at, spot.edge.map(|(_, index)| index));
            if let Some(&known) = self.exact.get(&key) {
                return known;
            }
            if self.open.contains(&inst) {
                return false;
            }
            self.open.push(inst);
            let is_exact = self.is_exact(inst, spot, depth);
            self.open.pop();
            if is_exact || self.open.is_empty() && self.steps <= self.limit {
                self.exact.insert(key, is_exact);
            }
            is_exact
        })
    }

    fn is_exact(&mut self, inst: Inst, spot: Spot, depth: u32) -> bool {
        let &[a, b] = self.graph.args(inst) else { return false };
        let op = self.graph.op(inst);
        let whole = self.graph.result(inst);
        let [x, y, whole] = [a, b, whole].map(|value| Poly::atom(Atom::int(value)));
        let sum = combined(op, &x, &y);
        let sum = sum.as_ref();
        if sum.is_some_and(|sum| self.within(SHARE / 2, |prover| prover.is_int(sum, spot, depth)))
            || self.interval_of(op, a, b, spot, depth, DEEP).is_some()
        {
            return true;
        }
        // An operand is what the other one and the result make of it, where that is an int.
        let back = match op {
            Op::WrapSub => whole.sum(&y),
            Op::WrapAdd => whole.less(&y),
            _ => None,
        };
        let mut is_int = |poly: &Poly| self.within(SHARE, |prover| prover.is_int(poly, spot, depth));
        sum.is_some_and(&mut is_int) || back.as_ref().is_some_and(is_int)
    }

    /// The interval of a sum, difference or product, if all of it are ints.
    fn interval_of(&mut self, op: Op, a: Value, b: Value, spot: Spot, depth: u32, deep: u32) -> Option<Range> {
        let (a, b) = (self.interval(a, spot, depth, deep), self.interval(b, spot, depth, deep));
        match op {
            Op::Add | Op::WrapAdd => a.sums(b),
            Op::Sub | Op::WrapSub => a.differences(b),
            Op::Mul | Op::WrapMul => a.products(b),
            _ => None,
        }
    }

    /// An interval for an int here: by definition, by what branches say, by those of its operands; and for what is none of these by induction.
    fn interval(&mut self, value: Value, spot: Spot, depth: u32, deep: u32) -> Range {
        let key = (value, spot.block, spot.at, spot.edge.map(|(_, index)| index));
        if let Some(&known) = self.intervals.get(&key) {
            return known;
        }
        let plain = self.of_atom(Atom::int(value), Level::Value).poly;
        let &[(product, 1)] = plain.terms() else {
            return ends(&plain, |atom| self.certain(atom)).map_or(Range::ALL, |(low, high)| Range::new(low as i64, high as i64));
        };
        let Some(atom) = product.atoms().next() else { return Range::one(1) };
        let mut range = self.certain(atom);
        for fact in self.facts(spot, Level::Value) {
            match *fact.poly.terms() {
                [(one, number), (part, weight)] if one == Product::ONE && part == product => self.bounded(&mut range, weight, number),
                [(part, number), (one, weight)] if one == Product::ONE && part == product => self.bounded(&mut range, number, weight),
                [(part, weight)] if part == product => self.bounded(&mut range, weight, 0),
                _ => {}
            }
        }
        let is_small = |range: Range| range.low >= -(1 << BITS[1]) && range.high <= 1 << BITS[1];
        let mut is_computed = is_small(range);
        if !is_computed
            && deep > 0
            && let Some(inst) = self.graph.def_inst(atom.value())
            && let &[a, b] = self.graph.args(inst)
            && let Some(computed) = self.interval_of(self.graph.op(inst), a, b, spot, depth, deep - 1)
        {
            (range, is_computed) = (range.meet(computed), true);
        }
        if is_computed {
            self.intervals.insert(key, range);
            return range;
        }
        if range.low < 0 && self.within(SHARE, |prover| prover.prove(&plain, spot, depth)) {
            range.low = 0;
        }
        for bits in BITS {
            let most = 1i64 << bits;
            let rest = Poly::number(most.into()).less(&plain);
            if range.high > most && rest.is_some_and(|rest| self.within(SHARE, |prover| prover.prove(&rest, spot, depth))) {
                range.high = most;
            }
        }
        self.intervals.insert(key, range);
        range
    }

    /// Learns from `weight * value + number >= 0`.
    fn bounded(&self, range: &mut Range, weight: i128, number: i128) {
        match weight {
            1 => range.low = range.low.max(i64::try_from(-number).unwrap_or(i64::MIN)),
            -1 => range.high = range.high.min(i64::try_from(number).unwrap_or(i64::MAX)),
            _ => {}
        }
    }

    /// Is the polynomial an int here?
    fn is_int(&mut self, poly: &Poly, spot: Spot, depth: u32) -> bool {
        let (least, most) = (Poly::number(i64::MIN.into()), Poly::number(i64::MAX.into()));
        let (Some(above), Some(below)) = (poly.less(&least), most.less(poly)) else { return false };
        self.prove(&above, spot, depth) && self.prove(&below, spot, depth)
    }
}

/// The least and the greatest value of a polynomial over atoms with these ranges.
fn ends(poly: &Poly, of: impl Fn(Atom) -> Range) -> Option<(i128, i128)> {
    poly.terms().iter().try_fold((0i128, 0i128), |(least, most), (product, number)| {
        let (mut low, mut high) = (*number, *number);
        for atom in product.atoms() {
            let range = of(atom);
            let (a, b) = (i128::from(range.low), i128::from(range.high));
            let corners = [low.checked_mul(a)?, low.checked_mul(b)?, high.checked_mul(a)?, high.checked_mul(b)?];
            (low, high) = (corners.into_iter().min()?, corners.into_iter().max()?);
        }
        Some((least.checked_add(low)?, most.checked_add(high)?))
    })
}

/// The sum, difference or product that an op computes.
fn combined(op: Op, a: &Poly, b: &Poly) -> Option<Poly> {
    match op {
        Op::Add | Op::WrapAdd => a.sum(b),
        Op::Sub | Op::WrapSub => a.less(b),
        Op::Mul | Op::WrapMul => a.times(b),
        _ => None,
    }
}
