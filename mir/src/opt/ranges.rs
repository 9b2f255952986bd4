//! Checks and branches that intervals decide.
//!
//! One walk down the dominator tree keeps an interval for every discrete value: from its definition, from the compares and switches that
//! dominate the spot, and for a parameter from what its edges bring. An edge that comes back to a loop header is not waited for. Its argument
//! has a range of its own from the branch at its end (`i + 1 < n`); and where it is the parameter plus things that are not negative, by sums that
//! do not wrap (checked ones, or wrapping ones whose operands' ranges show it), the parameter keeps its lower end; mirrored for the upper.
//!
//! A list that has given an element at an index has that index, and so has every list of the same length (`indices`); what is below a length is below it
//! wherever it is seen.
//!
//! A sum, difference or product whose result fits becomes its `wrap_` form; other ops that cannot panic are turned into their safe equal where
//! one exists, `list_get` into `list_at` among them; a compare, branch or switch with one possible answer becomes that answer.

use hashbrown::HashMap;
use hir::Type;
use ir::ops::Effect;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, NewInst, Value};
use ir::{About, Fuel, List};

use super::Desk;
use super::edges::{Edge, Incoming, Step};
use super::flow::Flow;
use super::fold::{become_op, compare_forms, compare_ranges, literal_op};
use super::indices::{self, Held, Lengths};
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;
use crate::verify::proof::{self, Range};

/// How far the argument of a back edge is followed.
const DEPTH: u32 = 8;
/// How many instructions above an edge a look at a list is searched.
const NEAR: usize = 32;

/// What is known of the values of a body. It keeps its memory for the next one.
#[derive(Default)]
pub(super) struct Known {
    /// What is known of each value at the spot of the walk.
    ranges: Vec<Range>,
    /// What the forward edges seen so far bring to a parameter.
    arriving: Vec<Option<Range>>,
    /// What to restore when a block is left.
    undo: Vec<(Value, Range)>,
    /// How much there was to restore when each open block was entered: ranges, looked up indices, ints below lengths.
    marks: Vec<(usize, usize, usize)>,
    /// Which lists have the same length.
    lengths: Lengths,
    /// Indices that were looked up, and ints that are below a length: both by the class of the list.
    held: Held,
    below: Held,
    /// The first `list_len` of each class.
    len_of: HashMap<Value, Value>,
    /// Parameters on the way of the question that is being answered.
    visited: Vec<Value>,
}

impl Known {
    /// Which lists have the same length, for another pass.
    pub(super) fn lengths(&mut self) -> &mut Lengths {
        &mut self.lengths
    }
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    if graph.blocks.get(ENTRY).is_none() {
        return;
    }
    let Desk { flow, known, .. } = desk;
    let (order, incoming, tree) = (flow.order(graph), flow.incoming(graph), flow.tree(graph));
    let Known { ranges, arriving, undo, marks, visited, lengths, held, below, len_of } = known;
    lengths.fill(graph, &order, &incoming);
    held.clear();
    below.clear();
    len_of.clear();
    ranges.clear();
    ranges.extend(graph.values.rows().iter().map(|row| Range::of_type(row.ty)));
    arriving.clear();
    arriving.resize(graph.values.len(), None);
    undo.clear();
    marks.clear();
    let mut pass = Pass {
        graph,
        flow,
        fuel,
        order: &order,
        incoming: &incoming,
        known: ranges,
        arriving,
        undo,
        visited,
        lengths,
        held,
        below,
        len_of,
        decided: false,
        empty: false,
    };
    tree.walk(|step| match step {
        Step::Leave => {
            let (mark, held, below) = marks.pop().unwrap_or_default();
            pass.restore(mark);
            pass.held.forget(held);
            pass.below.forget(below);
        }
        Step::Enter(block) => {
            marks.push((pass.undo.len(), pass.held.mark(), pass.below.mark()));
            if !pass.empty {
                pass.block(block);
            }
        }
    });
    if pass.decided {
        flow.changed();
    }
}

struct Pass<'a> {
    graph: &'a mut Graph<Mir>,
    flow: &'a mut Flow,
    fuel: &'a mut Fuel,
    order: &'a Order,
    incoming: &'a Incoming,
    known: &'a mut Vec<Range>,
    arriving: &'a mut Vec<Option<Range>>,
    undo: &'a mut Vec<(Value, Range)>,
    visited: &'a mut Vec<Value>,
    lengths: &'a Lengths,
    held: &'a mut Held,
    below: &'a mut Held,
    len_of: &'a mut HashMap<Value, Value>,
    /// A branch or switch has become a jump.
    decided: bool,
    empty: bool,
}

impl Pass<'_> {
    fn spend(&mut self) -> bool {
        let paid = self.fuel.spend();
        self.empty |= !paid;
        paid
    }

    fn get(&self, value: Value) -> Range {
        self.known[value.index()]
    }

    fn learn(&mut self, value: Value, range: Range) {
        let old = self.known[value.index()];
        let new = old.meet(range);
        if new != old {
            self.undo.push((value, old));
            self.known[value.index()] = new;
        }
    }

    /// Goes back to what was known of ranges.
    fn restore(&mut self, mark: usize) {
        while self.undo.len() > mark {
            if let Some((value, range)) = self.undo.pop() {
                self.known[value.index()] = range;
            }
        }
    }

    fn block(&mut self, block: Block) {
        if block != ENTRY {
            let only = self.only_way_in(block);
            if let Some(edge) = only {
                self.learn_from_edge(edge);
            }
            self.params(block, only);
        }
        for at in 0..self.graph.blocks[block].insts.len() {
            let inst = self.graph.blocks[block].insts[at];
            if self.graph.op(inst).info().effect == Effect::Ends {
                self.decide(inst);
                self.send(inst);
            } else if self.graph.insts[inst].results == 1 {
                self.index(inst);
                self.value(inst, block, at);
            }
            if self.empty {
                return;
            }
        }
    }

    /// The edge that is taken whenever the block is entered from outside: its only one, but for those that come back around a loop. What is known on it stays
    /// true in the loop: all of it is about values of outside.
    fn only_way_in(&self, block: Block) -> Option<Edge> {
        let mut ways = self.incoming.of_block(block).iter().filter(|edge| !self.flow.dominates(block, edge.from));
        match (ways.next(), ways.next()) {
            (Some(&only), None) => Some(only),
            _ => None,
        }
    }

    /// Intervals of the parameters of a block, from all its edges; `only` is that of [`Pass::only_way_in`].
    fn params(&mut self, block: Block, only: Option<Edge>) {
        for at in 0..self.graph.blocks[block].params.len() {
            let param = self.graph.blocks[block].params[at];
            if self.graph.ty(param) != Type::INT {
                continue;
            }
            // Forward edges have been walked: a block that one comes from stands in the tree before this one.
            let Some(arriving) = self.arriving[param.index()] else { continue };
            let incoming = self.incoming;
            let position = &self.order.position;
            let is_back = |edge: &&Edge| position[edge.from.index()] >= position[block.index()];
            // First with nothing assumed of the parameter, then again with what that has shown.
            let mut range = Range::ALL;
            for _ in 0..2 {
                let mut joined = arriving;
                for edge in incoming.of_block(block).iter().filter(is_back) {
                    let Some(arg) = self.argument(*edge, block, at) else { continue };
                    let back = self.at_back_edge(*edge, arg, param, range);
                    let brought = self.eval(arg, &back, DEPTH);
                    if brought.low < joined.low {
                        self.visited.clear();
                        joined.low = if self.moves(arg, &back, true, DEPTH) { joined.low } else { brought.low };
                    }
                    if brought.high > joined.high {
                        self.visited.clear();
                        joined.high = if self.moves(arg, &back, false, DEPTH) { joined.high } else { brought.high };
                    }
                }
                range = joined;
            }
            self.learn(param, range);
            self.stays_held(block, at, only);
            if let Some(only) = only {
                self.stays_below(block, at, only);
            }
        }
    }

    /// Is a parameter an index that a list has, whichever way the block is entered?
    fn stays_held(&mut self, block: Block, at: usize, only: Option<Edge>) {
        let incoming = self.incoming;
        let edges = incoming.of_block(block);
        let looked = |edge: &Edge| self.looked_up(*edge, self.argument(*edge, block, at)?);
        let Some(found) = edges.iter().find(|&edge| Some(*edge) != only).and_then(looked) else { return };
        let class = self.lengths.of(found);
        // The list must be one of outside: in a loop it could be another one each time.
        let stays = self.held.has_seen(class)
            && edges.iter().all(|edge| match self.argument(*edge, block, at) {
                Some(arg) if Some(*edge) == only => self.held.has(class, arg),
                _ => looked(edge).is_some_and(|list| self.lengths.of(list) == class),
            });
        if stays {
            self.held.learn(class, self.graph.blocks[block].params[at]);
        }
    }

    /// The list of which the block before an edge has read the element at this index, if there is one not far above.
    fn looked_up(&self, edge: Edge, index: Value) -> Option<Value> {
        let insts = self.graph.blocks[edge.from].insts.iter().rev().take(NEAR);
        insts.into_iter().find_map(|&inst| match (self.graph.op(inst), self.graph.args(inst)) {
            (Op::ListGet | Op::ListAt, &[list, looked]) if looked == index => Some(list),
            _ => None,
        })
    }

    /// Is a parameter of a loop below the length of a list, when the loop is entered and whenever it goes on?
    fn stays_below(&mut self, block: Block, at: usize, only: Edge) {
        let incoming = self.incoming;
        let mut found = None;
        for &edge in incoming.of_block(block) {
            if edge == only {
                continue;
            }
            let Some(arg) = self.argument(edge, block, at) else { return };
            let Some(class) = self.below_on_edge(edge, arg) else { return };
            // The list must be one of outside: in the loop it could be another one each time.
            if !self.held.has_seen(class) || found.is_some_and(|found| found != class) {
                return;
            }
            found = Some(class);
        }
        if let Some(class) = found
            && let Some(first) = self.argument(only, block, at)
            && self.is_below(first, class)
        {
            self.below.learn(class, self.graph.blocks[block].params[at]);
        }
    }

    /// The lists whose length the branch of an edge says that a value is below.
    fn below_on_edge(&self, edge: Edge, value: Value) -> Option<Value> {
        let &[condition] = self.graph.args(edge.inst) else { return None };
        let compare = self.graph.def_inst(condition).filter(|_| self.graph.op(edge.inst) == Op::Branch)?;
        let (small, class) = self.below_by(self.graph.op(compare), compare, edge.index == 0)?;
        (small == value).then_some(class)
    }

    /// What a compare says that is below the length of a list.
    fn below_by(&self, op: Op, compare: Inst, answer: bool) -> Option<(Value, Value)> {
        let &[a, b] = self.graph.args(compare) else { return None };
        let (small, length) = match (op, answer) {
            (Op::Lt, true) | (Op::Ge, false) => (a, b),
            (Op::Gt, true) | (Op::Le, false) => (b, a),
            _ => return None,
        };
        let length = self.graph.def_inst(length).filter(|&inst| self.graph.op(inst) == Op::ListLen)?;
        Some((small, self.lengths.of(self.graph.args(length)[0])))
    }

    /// Is an int below the length of the lists of this class?
    fn is_below(&self, value: Value, class: Value) -> bool {
        self.below.has(class, value) || self.len_of.get(&class).is_some_and(|&length| self.get(value).high < self.get(length).low)
    }

    /// A `list_get` of an index that the list is known to have needs no check; behind any other it has it.
    fn index(&mut self, inst: Inst) {
        let (op, args) = (self.graph.op(inst), self.graph.args(inst));
        let (&[list, index], Op::ListGet | Op::ListAt) = (args, op) else {
            if let (&[list], Op::ListLen) = (args, op) {
                let class = self.lengths.of(list);
                self.held.see(class);
                self.len_of.entry(class).or_insert(self.graph.result(inst));
            }
            return;
        };
        let class = self.lengths.of(list);
        self.held.see(class);
        let has = self.held.has(class, index) || self.get(index).low >= 0 && self.is_below(index, class);
        if op == Op::ListGet && has && self.spend() {
            self.fuel.did(About::Index, place(self.graph, inst), || "the check of the index goes: the list has it".to_owned());
            let (args, place) = (self.graph.insts[inst].args, self.graph.edges[inst].place);
            self.becomes(inst, Op::ListAt, args, 0);
            // For the check, if it must come back (`claims`).
            self.graph.edges[inst].place = place;
        }
        if op == Op::ListGet && !has && self.fuel.is_listening() {
            let range = self.get(index);
            let why = if range.low < 0 { "it may be negative" } else { "it is not known to be below the length" };
            self.fuel.left(About::Index, place(self.graph, inst), || {
                format!("the check of the index stays: {why}{}", shown("the index", range))
            });
        }
        self.held.learn(class, index);
        self.learn(index, indices::indices(self.graph.ty(list)));
    }

    /// What an edge brings to parameter `at` of a block; nothing when the terminator has been decided and the edge is gone.
    fn argument(&self, edge: Edge, block: Block, at: usize) -> Option<Value> {
        let target = self.graph.targets(edge.inst).get(edge.index as usize).filter(|target| target.block == block)?;
        self.graph.target_args(*target).get(at).copied()
    }

    /// The situation on a back edge that brings `arg` to the parameter `start`: what its own branch says there.
    fn at_back_edge(&self, edge: Edge, arg: Value, start: Value, range: Range) -> BackEdge {
        let mut back = BackEdge { start, range, limits: [None; 3] };
        // Behind a look at an element of a list the index is one.
        back.limits[2] = self.looked_up(edge, arg).map(|list| (arg, indices::indices(self.graph.ty(list))));
        let args = self.graph.args(edge.inst);
        match self.graph.op(edge.inst) {
            Op::Branch => {
                let Some(compare) = self.graph.def_inst(args[0]) else { return back };
                let &[a, b] = self.graph.args(compare) else { return back };
                let Some((exchanged, inverse)) = compare_forms(self.graph.op(compare)) else { return back };
                let holds = if edge.index == 0 { self.graph.op(compare) } else { inverse };
                let exchanged = if edge.index == 0 { exchanged } else { compare_forms(inverse).map_or(inverse, |forms| forms.0) };
                let (ra, rb) = (self.eval(a, &back, DEPTH), self.eval(b, &back, DEPTH));
                back.limits[0] = bounded(holds, ra, rb).map(|range| (a, range));
                back.limits[1] = bounded(exchanged, rb, ra).map(|range| (b, range));
            }
            Op::Switch => {
                if let Some(&case) = self.graph.cases(edge.inst).get(edge.index as usize) {
                    back.limits[0] = Some((args[0], Range::one(case)));
                }
            }
            _ => {}
        }
        back
    }

    /// The range of a value on a back edge. No parameter but the loop's own is looked behind: along operands, all values are of one time.
    fn eval(&self, value: Value, back: &BackEdge, depth: u32) -> Range {
        let mut range = self.get(value);
        if value == back.start {
            range = range.meet(back.range);
        } else if depth > 0
            && range.single().is_none()
            && let Some(inst) = self.graph.def_inst(value)
        {
            let row = &self.graph.insts[inst];
            let ty = self.graph.ty(value);
            let derived = match (row.op, self.graph.args(inst)) {
                (Op::Select, &[_, a, b]) => Some((self.eval(a, back, depth / 2), self.eval(b, back, depth / 2))),
                (op, &[a, b]) if is_arithmetic(op) => Some((self.eval(a, back, depth / 2), self.eval(b, back, depth / 2))),
                (op, &[a]) if is_arithmetic(op) => Some((self.eval(a, back, depth - 1), Range::ALL)),
                (Op::Int | Op::Bool | Op::Char | Op::Byte | Op::StrLen | Op::ListLen, _) => Some((Range::ALL, Range::ALL)),
                _ => None,
            };
            if let Some((a, b)) = derived {
                range = range.meet(proof::transfer(row.op, ty, row.imm, a, b).meet(Range::of_type(ty)));
            }
        }
        for (limited, limit) in back.limits.iter().flatten() {
            if *limited == value {
                range = range.meet(*limit);
            }
        }
        range
    }

    /// Is `value`, whenever it is computed, at least (`up`) or at most what the parameter of the loop was then? Induction over the steps of
    /// the program: a parameter on the way may be assumed to be so while its own edges are asked.
    fn moves(&mut self, value: Value, back: &BackEdge, up: bool, depth: u32) -> bool {
        if value == back.start || self.visited.contains(&value) {
            return true;
        }
        if depth == 0 {
            return false;
        }
        match self.graph.values[value].def {
            Def::Param(block, _) if block == ENTRY => false,
            Def::Param(block, index) => {
                if self.incoming.is_unwind(block) {
                    return false;
                }
                self.visited.push(value);
                // Behind a parameter it is another time: the branch of the back edge says nothing there.
                let back = BackEdge { limits: [None; 3], ..*back };
                let incoming = self.incoming;
                incoming.of_block(block).iter().all(|edge| match self.argument(*edge, block, index as usize) {
                    Some(arg) => self.moves(arg, &back, up, depth - 1),
                    None => true,
                })
            }
            Def::Result(inst, _) => {
                let (op, args) = (self.graph.op(inst), self.graph.args(inst));
                match (op, args) {
                    (Op::Add, &[a, b]) => self.sum(a, b, back, up, depth),
                    (Op::WrapAdd, &[a, b]) if self.is_exact(op, a, b, back) => self.sum(a, b, back, up, depth),
                    (Op::Sub, &[a, b]) => self.has_sign(b, back, !up) && self.moves(a, back, up, depth - 1),
                    (Op::WrapSub, &[a, b]) if self.is_exact(op, a, b, back) => {
                        self.has_sign(b, back, !up) && self.moves(a, back, up, depth - 1)
                    }
                    (Op::Select, &[_, a, b]) => self.moves(a, back, up, depth - 1) && self.moves(b, back, up, depth - 1),
                    _ => false,
                }
            }
        }
    }

    fn sum(&mut self, a: Value, b: Value, back: &BackEdge, up: bool, depth: u32) -> bool {
        let mark = self.visited.len();
        if self.has_sign(b, back, up) && self.moves(a, back, up, depth - 1) {
            return true;
        }
        // What was assumed on the way to a failure is not to be relied on.
        self.visited.truncate(mark);
        self.has_sign(a, back, up) && self.moves(b, back, up, depth - 1)
    }

    /// Does a wrapping sum or difference never wrap, as far as ranges show?
    fn is_exact(&self, op: Op, a: Value, b: Value, back: &BackEdge) -> bool {
        let (a, b) = (self.eval(a, back, DEPTH), self.eval(b, back, DEPTH));
        if op == Op::WrapAdd { a.sums(b).is_some() } else { a.differences(b).is_some() }
    }

    /// Is the value not negative (or not positive)?
    fn has_sign(&self, value: Value, back: &BackEdge, not_negative: bool) -> bool {
        let range = self.eval(value, back, DEPTH);
        if not_negative { range.low >= 0 } else { range.high <= 0 }
    }

    /// What taking the only edge into a block says about the condition, and the values it compares.
    fn learn_from_edge(&mut self, edge: Edge) {
        let row = &self.graph.insts[edge.inst];
        match row.op {
            Op::Branch => {
                let targets = self.graph.targets(edge.inst);
                if targets.len() == 2 && targets[0].block != targets[1].block {
                    let condition = self.graph.args(edge.inst)[0];
                    self.learn_condition(condition, edge.index == 0);
                }
            }
            Op::Switch => {
                let value = self.graph.args(edge.inst)[0];
                if let Some(&case) = self.graph.cases(edge.inst).get(edge.index as usize) {
                    self.learn(value, Range::one(case));
                }
            }
            _ => {}
        }
    }

    fn learn_condition(&mut self, condition: Value, answer: bool) {
        self.learn(condition, Range::one(i64::from(answer)));
        let Some(inst) = self.graph.def_inst(condition) else { return };
        let op = self.graph.op(inst);
        let &[a, b] = self.graph.args(inst) else {
            if let (Op::Not, &[inner]) = (op, self.graph.args(inst)) {
                self.learn(inner, Range::one(i64::from(!answer)));
            }
            return;
        };
        let Some((_, inverse)) = compare_forms(op) else { return };
        let holds = if answer { op } else { inverse };
        if let Some((small, class)) = self.below_by(op, inst, answer) {
            self.below.learn(class, small);
        }
        let (ra, rb) = (self.get(a), self.get(b));
        if let Some(range) = bounded(holds, ra, rb) {
            self.learn(a, range);
        }
        if let Some((exchanged, _)) = compare_forms(holds)
            && let Some(range) = bounded(exchanged, rb, ra)
        {
            self.learn(b, range);
        }
    }

    /// Looks at an instruction with a result: rewrites it, or notes what is known of the result.
    fn value(&mut self, inst: Inst, block: Block, at: usize) {
        let graph = &*self.graph;
        let row = &graph.insts[inst];
        let (op, result, imm) = (row.op, row.first_result, row.imm);
        let ty = graph.ty(result);
        if !matches!(ty, Type::INT | Type::BOOL | Type::BYTE | Type::CHAR) {
            return;
        }
        if let Op::Int | Op::Bool | Op::Char | Op::Byte = op {
            self.define(result, Range::one(imm as i64));
            return;
        }
        let args = graph.args(inst);
        let of = |index: usize| args.get(index).map_or(Range::ALL, |&v| self.get(v));
        let (a, b) = if op == Op::Select { (of(1), of(2)) } else { (of(0), of(1)) };
        // The value as it is, whatever was learned of operands that are no numbers.
        let range = match op {
            Op::Call
            | Op::CallValue
            | Op::CallMethod
            | Op::ChangeMethod
            | Op::Runtime
            | Op::Field
            | Op::Payload
            | Op::Part
            | Op::ListGet
            | Op::ListAt => Range::of_type(ty),
            Op::ListLen => {
                let most = indices::indices(graph.ty(args[0])).high;
                Range::new(0, most + 1)
            }
            _ => proof::transfer(op, ty, imm, a, b).meet(Range::of_type(ty)),
        };
        let wrapped = match op {
            Op::Add => a.sums(b).map(|_| Op::WrapAdd),
            Op::Sub => a.differences(b).map(|_| Op::WrapSub),
            Op::Mul => a.products(b).map(|_| Op::WrapMul),
            _ => None,
        };
        let list = row.args;
        if self.fuel.is_listening() && matches!(op, Op::Add | Op::Sub | Op::Mul) {
            self.tell_of_sum(inst, wrapped.is_some(), a, b);
        }
        if let Some(wrap) = wrapped {
            if self.spend() {
                self.becomes(inst, wrap, list, 0);
            }
        } else if op == Op::Neg && a.low > i64::MIN {
            if self.spend() {
                // 0 - x; the zero needs a line of its own.
                let operand = self.graph.args(inst)[0];
                let zero = self.graph.make(NewInst::new(Op::Int), &[Type::INT]);
                let zero_value = self.graph.result(zero);
                self.made(zero_value, Range::one(0));
                let args = self.graph.args.add([zero_value, operand]);
                self.becomes(inst, Op::WrapSub, args, 0);
                self.graph.blocks[block].insts.insert(at, zero);
                // The walk goes on with what now stands here: the literal is in place, the difference comes next and is done.
                self.define(result, range);
                return;
            }
        } else if let Some(answer) = compare_forms(op).and_then(|_| compare_ranges(op, a, b)) {
            if self.spend() {
                self.becomes(inst, Op::Bool, List::EMPTY, u64::from(answer));
                self.define(result, Range::one(i64::from(answer)));
            }
            return;
        } else if let (Some(value), Effect::Pure) = (range.single(), op.info().effect)
            && !matches!(op, Op::Int | Op::Bool | Op::Char | Op::Byte)
            && self.spend()
        {
            self.becomes(inst, literal_op(ty), List::EMPTY, value as u64);
        }
        self.define(result, range);
    }

    /// Remarks on whether the check of a sum, difference or product goes.
    fn tell_of_sum(&mut self, inst: Inst, goes: bool, a: Range, b: Range) {
        let what = match self.graph.op(inst) {
            Op::Add => "sum",
            Op::Sub => "difference",
            _ => "product",
        };
        let place = place(self.graph, inst);
        match goes {
            true => self.fuel.did(About::Overflow, place, || format!("the check of the {what} goes: it is always an int")),
            false => self.fuel.left(About::Overflow, place, || {
                let operands = format!("{}{}", shown("its left side", a), shown("its right side", b));
                format!("the check of the {what} stays: it may be beyond an int{operands}")
            }),
        }
    }

    /// What the definition of a value says holds wherever the value is seen, so it is never taken back.
    fn define(&mut self, value: Value, range: Range) {
        let known = &mut self.known[value.index()];
        *known = known.meet(range);
    }

    fn becomes(&mut self, inst: Inst, op: Op, args: List<Value>, imm: u64) {
        if let Some(pad) = self.graph.edges[inst].unwind {
            self.flow.unwind_gone(pad);
        }
        become_op(self.graph, inst, op, args, imm);
    }

    /// Notes a value that was made in passing.
    fn made(&mut self, value: Value, range: Range) {
        self.known.resize(value.index() + 1, Range::ALL);
        self.arriving.resize(value.index() + 1, None);
        self.known[value.index()] = range;
    }

    /// A branch or switch with one way becomes a jump.
    fn decide(&mut self, inst: Inst) {
        let graph = &*self.graph;
        let Some(&operand) = graph.args(inst).first() else { return };
        let choice = match (graph.op(inst), self.get(operand).single()) {
            (Op::Branch, Some(value)) => usize::from(value == 0),
            (Op::Switch, Some(value)) => {
                let cases = graph.cases(inst);
                cases.iter().position(|&case| case == value).unwrap_or(cases.len())
            }
            _ => return,
        };
        // The edges that go away were counted as edges into their blocks: what is said there stays true, only less is said than could be.
        if self.spend() {
            self.decided = true;
            let target = self.graph.targets(inst)[choice];
            let targets = self.graph.targets.add([target]);
            let row = &mut self.graph.insts[inst];
            (row.op, row.args, row.imm, row.flags) = (Op::Jump, List::EMPTY, 0, 0);
            self.graph.edges[inst].targets = targets;
        }
    }

    /// Passes on what is known of the arguments along the edges out of here.
    fn send(&mut self, inst: Inst) {
        let op = self.graph.op(inst);
        for index in 0..self.graph.targets(inst).len() {
            let target = self.graph.targets(inst)[index];
            if target.args.is_empty() {
                continue;
            }
            // On this edge the condition is known, too.
            let (mark, below) = (self.undo.len(), self.below.mark());
            if op == Op::Branch {
                let condition = self.graph.args(inst)[0];
                self.learn_condition(condition, index == 0);
            }
            for at in 0..target.args.len() {
                let arg = self.graph.target_args(target)[at];
                let Some(&param) = self.graph.blocks[target.block].params.get(at) else { continue };
                let range = self.get(arg);
                let slot = &mut self.arriving[param.index()];
                *slot = Some(slot.map_or(range, |old| old.union(range)));
            }
            self.restore(mark);
            self.below.forget(below);
        }
    }
}

/// What is known of a number, for a remark: nothing where that is nothing.
fn shown(what: &str, range: Range) -> String {
    match (range.low, range.high) {
        (i64::MIN, i64::MAX) => String::new(),
        (low, i64::MAX) => format!("; {what} is at least {low}"),
        (i64::MIN, high) => format!("; {what} is at most {high}"),
        (low, high) if low == high => format!("; {what} is {low}"),
        (low, high) => format!("; {what} is from {low} to {high}"),
    }
}

/// What may be assumed on an edge that comes back to the header of a loop.
#[derive(Clone, Copy)]
struct BackEdge {
    /// The parameter that is asked about.
    start: Value,
    /// Its range, as far as it is proved.
    range: Range,
    /// What the branch at the end of the edge's block says about two values there, and what a look at a list in it says about the index.
    limits: [Option<(Value, Range)>; 3],
}

/// Ops whose range follows from those of their operands.
fn is_arithmetic(op: Op) -> bool {
    matches!(
        op,
        Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Rem
            | Op::FloorDiv
            | Op::Neg
            | Op::Abs
            | Op::Shr
            | Op::ByteShr
            | Op::WrapAdd
            | Op::WrapSub
    ) || matches!(op, Op::WrapMul | Op::And | Op::Or | Op::Xor | Op::Widen | Op::IntToByte | Op::IntToChar | Op::ByteToChar)
}

/// What `a op b` says about `a`.
fn bounded(op: Op, a: Range, b: Range) -> Option<Range> {
    Some(match op {
        Op::Eq => b,
        Op::Lt => Range::new(i64::MIN, b.high.checked_sub(1)?),
        Op::Le => Range::new(i64::MIN, b.high),
        Op::Gt => Range::new(b.low.checked_add(1)?, i64::MAX),
        Op::Ge => Range::new(b.low, i64::MAX),
        Op::Ne => match b.single()? {
            n if n == a.low => Range::new(n.checked_add(1)?, i64::MAX),
            n if n == a.high => Range::new(i64::MIN, n.checked_sub(1)?),
            _ => return None,
        },
        _ => return None,
    })
}
