//! `open`: a value that dies by pieces is taken apart once, where the first piece is given away.
//!
//! What a function does with the parts of a value that it need not keep is, without this pass, a `dup` of each part that it gives away and a `drop` of the whole: two
//! counts for nothing, and parts that are shared for a while although nobody else has them, so that whoever gets one copies it. Behind an `open` the parts are values of
//! their own, and the cells on the way to them have room to give ([`super::reuse`]).
//!
//! A value can be opened where nothing looks at it as a whole any more, nor at what is borrowed from it by other ways than `field`, `payload` and `part`. From there on
//! its parts are *variables*: each `open` sets them, and where several meet a block gets parameters, as in the construction of SSA.

mod apply;

use hashbrown::{HashMap, HashSet};
use hir::{Type, TypeKind};
use ir::ssa::dominance::Dominators;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, Graph, Inst, Value};
use ir::{Fuel, ItemId, Stop};

pub(super) use apply::pass;

use super::kinds::{Kind, Kinds};
use super::roles::{self, Gives, Takes};
use crate::ir::{Context, Contract, Mir};
use crate::ops::{Op, payload_parts};

/// Values that come out of others are opened in later rounds; so deep are patterns looked into.
const ROUNDS: usize = 8;
/// A value with more parts in use than this is left alone.
const MOST_PARTS: usize = 128;

/// Classes of tokens.
pub(super) type Classes = HashMap<Value, u32>;

/// Opens what can be; true when there was something.
pub(super) fn run(
    graph: &mut Graph<Mir>,
    order: &Order,
    contract: Contract,
    tokens: bool,
    classes: &mut Classes,
    fuel: &mut Fuel,
    cx: &dyn Context,
) -> Result<bool, Stop> {
    let mut any = false;
    let dominators = Dominators::of(order);
    for _ in 0..ROUNDS {
        let kinds = Kinds::of(graph, order, contract, cx)?;
        let facts = Facts::of(graph, order);
        let mut changed = false;
        for &root in kinds.held.rows() {
            let opening = Opening { graph, kinds: &kinds, facts: &facts, dominators: &dominators, cx };
            for plan in opening.plans(root)? {
                if !fuel.spend() {
                    return Ok(any || changed);
                }
                apply::apply(graph, &facts, order, plan, tokens, classes, cx)?;
                changed = true;
            }
        }
        any |= changed;
        if !changed {
            break;
        }
    }
    Ok(any)
}

/// What is known of a body before a round. Positions keep their order when instructions come and go.
struct Facts {
    uses: Vec<Vec<Inst>>,
    place: Vec<(Block, u32)>,
    /// Blocks that jump to each block, each once.
    preds: Vec<Vec<Block>>,
    is_pad: Vec<bool>,
}

impl Facts {
    fn of(graph: &Graph<Mir>, order: &Order) -> Facts {
        let mut facts = Facts {
            uses: vec![Vec::new(); graph.values.len()],
            place: vec![(Block::new(0), 0); graph.insts.len()],
            preds: vec![Vec::new(); graph.blocks.len()],
            is_pad: vec![false; graph.blocks.len()],
        };
        for &block in &order.blocks {
            for (at, &inst) in graph.blocks[block].insts.iter().enumerate() {
                facts.place[inst.index()] = (block, at as u32);
                let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
                for &value in graph.args(inst).iter().chain(passed) {
                    let uses = &mut facts.uses[value.index()];
                    if uses.last() != Some(&inst) {
                        uses.push(inst);
                    }
                }
                if let Some(pad) = graph.edges[inst].unwind {
                    facts.is_pad[pad.index()] = true;
                }
                for target in graph.targets(inst) {
                    let preds = &mut facts.preds[target.block.index()];
                    if preds.last() != Some(&block) {
                        preds.push(block);
                    }
                }
            }
        }
        facts
    }

    /// Where a value is defined; parameters stand in front of everything.
    fn definition(&self, graph: &Graph<Mir>, value: Value) -> (Block, i64) {
        match graph.values[value].def {
            Def::Param(block, _) => (block, -1),
            Def::Result(inst, _) => {
                let (block, at) = self.place[inst.index()];
                (block, i64::from(at))
            }
        }
    }
}

/// A way from the root to a part.
#[derive(Clone, Copy)]
struct Path {
    above: usize,
    op: Op,
    imm: u64,
    ty: Type,
    is_counted: bool,
}

/// A value of a path.
#[derive(Clone, Copy)]
struct Node {
    value: Value,
    path: usize,
}

/// Blocks at whose start, and at whose end, something is live.
#[derive(Clone, Default)]
struct Span {
    starts: HashSet<Block>,
    ends: HashSet<Block>,
}

/// Something that must not live on where a value is opened: where it is defined, used and live.
struct Whole {
    definition: (Block, i64),
    uses: Vec<Inst>,
    span: Span,
}

/// Where a variable comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The `open` in this block.
    Open(Block),
    /// A parameter of this block.
    Param(Block),
}

/// What is to be done.
struct Plan {
    root: Value,
    paths: Vec<Path>,
    nodes: Vec<Node>,
    /// The instructions in front of which there is an `open`, by block.
    points: HashMap<Block, Inst>,
    /// At each point: the variables that it sets, with a value of each or the value above and the steps that are to be made.
    sets: HashMap<Block, Vec<(usize, Made)>>,
    /// At each point: cells that end there, outermost first.
    cells: HashMap<Block, Vec<(usize, Made)>>,
    /// Blocks at whose start the value is open.
    open: HashSet<Block>,
    sources: HashMap<Block, Source>,
    variables: Vec<usize>,
    live: HashMap<usize, Span>,
    removed: HashSet<Inst>,
}

/// What is known before it is clear where a value is opened.
struct Outline<'a> {
    root: Value,
    home: Block,
    paths: &'a [Path],
    nodes: &'a [Node],
    live: &'a Span,
    /// Is there something in front of this place of a block that needs the value as a whole?
    is_whole: &'a dyn Fn(Block, u32) -> bool,
}

/// How a value of a path is had at a point.
#[derive(Clone)]
enum Made {
    /// It is there.
    There(Value),
    /// By these paths, one step each, from a value that is there.
    By(Value, Vec<usize>),
}

struct Opening<'a> {
    graph: &'a Graph<Mir>,
    kinds: &'a Kinds,
    facts: &'a Facts,
    dominators: &'a Dominators,
    cx: &'a dyn Context,
}

impl Opening<'_> {
    fn is_counted(&self, value: Value) -> bool {
        self.kinds.get(value) != Kind::Free
    }

    /// Was the instruction there before the round?
    fn is_known(&self, inst: Inst) -> bool {
        inst.index() < self.facts.place.len()
    }

    /// Does an instruction read a part of this value?
    fn reads_part_of(&self, inst: Inst, value: Value) -> bool {
        matches!(self.graph.op(inst), Op::Field | Op::Payload | Op::Part) && self.graph.args(inst)[0] == value
    }

    /// Does an instruction take this value?
    fn takes(&self, inst: Inst, value: Value) -> Result<bool, Stop> {
        let graph = self.graph;
        if graph.targets(inst).iter().any(|&target| graph.target_args(target).contains(&value)) {
            return Ok(true);
        }
        let row = &graph.insts[inst];
        let takes = roles::of(row.op).0;
        let contract = match takes {
            Takes::Contract => self.cx.contract(ItemId::from_raw(row.imm as u32))?,
            Takes::Borrows => return Ok(false),
            Takes::Consumes | Takes::First | Takes::Rest | Takes::Runtime => Contract::OWNED,
        };
        let mut args = graph.args(inst).iter().enumerate();
        Ok(args.any(|(index, &arg)| arg == value && roles::consumes(takes, index, row.imm, contract)))
    }

    /// The ways to all parts that are read, and the values that read them; the root is the first of both.
    fn ways(&self, root: Value) -> Option<(Vec<Path>, Vec<Node>)> {
        let graph = self.graph;
        let mut paths = vec![Path { above: 0, op: Op::Field, imm: 0, ty: graph.ty(root), is_counted: true }];
        let mut nodes = vec![Node { value: root, path: 0 }];
        let mut next = 0;
        while let Some(&node) = nodes.get(next) {
            next += 1;
            if !paths[node.path].is_counted {
                continue;
            }
            for &inst in &self.facts.uses[node.value.index()] {
                if !self.reads_part_of(inst, node.value) {
                    continue;
                }
                let (row, value) = (graph.insts[inst], graph.result(inst));
                let known = paths.iter().skip(1).position(|path| path.above == node.path && path.op == row.op && path.imm == row.imm);
                let path = known.map_or(paths.len(), |known| known + 1);
                if path == paths.len() {
                    let is_counted = self.is_counted(value);
                    paths.push(Path { above: node.path, op: row.op, imm: row.imm, ty: graph.ty(value), is_counted });
                }
                nodes.push(Node { value, path });
                if nodes.len() > MOST_PARTS {
                    return None;
                }
            }
        }
        (nodes.len() > 1).then_some((paths, nodes))
    }

    /// What is borrowed from the parts by other ways.
    fn dependents(&self, nodes: &[Node]) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        let mut open: Vec<(Value, bool)> = nodes.iter().map(|node| (node.value, true)).collect();
        while let Some((value, is_node)) = open.pop() {
            if !self.is_counted(value) {
                continue;
            }
            for &inst in &self.facts.uses[value.index()] {
                if roles::of(self.graph.op(inst)).1 != Gives::Part || is_node && self.reads_part_of(inst, value) {
                    continue;
                }
                let result = self.graph.result(inst);
                if !found.contains(&result) {
                    found.push(result);
                    open.push((result, false));
                }
            }
        }
        found
    }

    /// Where something is live that these instructions use and that begins in a block; `None` when a panic leads where it is live.
    fn span(&self, from: Block, uses: impl Iterator<Item = Inst>) -> Option<Span> {
        let mut span = Span::default();
        let mut open: Vec<Block> = uses.map(|inst| self.facts.place[inst.index()].0).filter(|&block| block != from).collect();
        while let Some(block) = open.pop() {
            if !span.starts.insert(block) {
                continue;
            }
            if self.facts.is_pad[block.index()] {
                return None;
            }
            for &pred in &self.facts.preds[block.index()] {
                span.ends.insert(pred);
                if pred != from {
                    open.push(pred);
                }
            }
        }
        Some(span)
    }

    /// Where and how a value is opened: a plan for each part of the body where it is open, which have nothing to do with each other.
    fn plans(&self, root: Value) -> Result<Vec<Plan>, Stop> {
        let graph = self.graph;
        if !self.facts.uses[root.index()].iter().any(|&inst| self.reads_part_of(inst, root) && self.is_counted(graph.result(inst))) {
            return Ok(Vec::new());
        }
        let Some((paths, nodes)) = self.ways(root) else { return Ok(Vec::new()) };
        // Where parts are given away.
        let mut taken: Vec<Inst> = Vec::new();
        for node in nodes.iter().skip(1).filter(|node| paths[node.path].is_counted) {
            for &inst in &self.facts.uses[node.value.index()] {
                if self.takes(inst, node.value)? {
                    taken.push(inst);
                }
            }
        }
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let place = |inst: Inst| self.facts.place[inst.index()];
        let home = self.facts.definition(graph, root).0;
        // What must not live on where the value is opened.
        let dependents = self.dependents(&nodes);
        let mut whole: Vec<Whole> = Vec::new();
        for &value in [root].iter().chain(&dependents) {
            let uses = &self.facts.uses[value.index()];
            let uses: Vec<Inst> = uses.iter().copied().filter(|&inst| value != root || !self.reads_part_of(inst, root)).collect();
            let definition = self.facts.definition(graph, value);
            let Some(span) = self.span(definition.0, uses.iter().copied()) else { return Ok(Vec::new()) };
            whole.push(Whole { definition, uses, span });
        }
        let is_whole = |block: Block, at: u32| {
            whole.iter().any(|Whole { definition, uses, span }| {
                let is_later = span.ends.contains(&block) || uses.iter().any(|&inst| place(inst).0 == block && place(inst).1 >= at);
                is_later && (definition.0 != block || definition.1 < i64::from(at))
            })
        };
        let all_uses = nodes.iter().skip(1).flat_map(|node| self.facts.uses[node.value.index()].iter().copied());
        let reads = self.facts.uses[root.index()].iter().copied();
        let Some(live) = self.span(home, all_uses.chain(reads)) else { return Ok(Vec::new()) };
        let outline = Outline { root, home, paths: &paths, nodes: &nodes, live: &live, is_whole: &is_whole };
        // An aggregate is taken apart for nothing, so at once when nobody needs it as a whole.
        if let Some(fields) = self.cx.fields(graph.ty(root))?
            && !fields.is_empty()
        {
            let at = self.facts.definition(graph, root).1 + 1;
            if let Some(&first) = graph.blocks[home].insts.iter().find(|&&inst| self.is_known(inst) && i64::from(place(inst).1) >= at)
                && !is_whole(home, place(first).1)
            {
                let plans = self.outlined(&outline, HashMap::from([(home, first)]));
                if !plans.is_empty() {
                    return Ok(plans);
                }
            }
        }
        // Where the value is opened: in each block in front of the first part that is given away when nothing else stands against it.
        let mut points: HashMap<Block, Inst> = HashMap::new();
        for inst in taken {
            let (block, at) = place(inst);
            if !is_whole(block, at) && points.get(&block).is_none_or(|&known| place(known).1 > at) {
                points.insert(block, inst);
            }
        }
        // A cell that is made before that could have the room.
        let mut blocks: Vec<Block> = points.keys().copied().collect();
        blocks.sort_unstable();
        for block in blocks {
            let point = place(points[&block]).1;
            let is_made = |&&inst: &&Inst| self.is_known(inst) && place(inst).1 < point && graph.op(inst) == Op::New;
            for &inst in graph.blocks[block].insts.iter().filter(is_made) {
                let at = place(inst).1;
                let is_defined = home != block || self.facts.definition(graph, root).1 < i64::from(at);
                if is_defined && !is_whole(block, at) && self.has_room_for(&paths, graph.ty(graph.result(inst)))? {
                    points.insert(block, inst);
                    break;
                }
            }
        }
        Ok(self.outlined(&outline, points))
    }

    /// Is there a cell on the ways to the parts whose room one of this type could have?
    fn has_room_for(&self, paths: &[Path], cell: Type) -> Result<bool, Stop> {
        let Some(class) = self.cx.cell_class(cell)? else { return Ok(false) };
        for path in paths.iter().filter(|path| matches!(path.ty.kind(), TypeKind::Cell(_))) {
            if self.cx.cell_class(path.ty)? == Some(class) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Plans that open a value at these points, and wherever else it must be.
    fn outlined(&self, outline: &Outline<'_>, mut points: HashMap<Block, Inst>) -> Vec<Plan> {
        let graph = self.graph;
        let &Outline { root, home, paths, nodes, live, is_whole } = outline;
        let place = |inst: Inst| self.facts.place[inst.index()];
        // It is open behind each point, and where it is open on one way into a block it is on all. What lies behind comes first: a block that can be reached from
        // a point needs none of its own.
        let mut open: HashSet<Block> = HashSet::new();
        let mut pending: Vec<Block> = points.keys().copied().collect();
        pending.sort_unstable();
        let mut entered: Vec<Block> = Vec::new();
        loop {
            while let Some(block) = pending.pop() {
                let Some(last) = graph.terminator(block) else { return Vec::new() };
                for target in graph.targets(last) {
                    let next = target.block;
                    if live.starts.contains(&next) && open.insert(next) {
                        entered.push(next);
                        if points.remove(&next).is_none() {
                            pending.push(next);
                        }
                    }
                }
            }
            let Some(next) = entered.pop() else { break };
            for &pred in &self.facts.preds[next.index()] {
                if open.contains(&pred) || points.contains_key(&pred) {
                    continue;
                }
                let Some(last) = graph.terminator(pred) else { return Vec::new() };
                if is_whole(pred, place(last).1) {
                    return Vec::new();
                }
                points.insert(pred, last);
                pending.push(pred);
            }
        }
        let mut plans = Vec::new();
        while let Some(&first) = points.keys().min() {
            // All that is open with this block: behind it, and before what is open behind it.
            let (mut mine, mut near): (HashSet<Block>, Vec<Block>) = (HashSet::new(), vec![first]);
            while let Some(block) = near.pop() {
                if !mine.insert(block) {
                    continue;
                }
                if let Some(last) = graph.terminator(block) {
                    near.extend(graph.targets(last).iter().map(|target| target.block).filter(|next| open.contains(next)));
                }
                if open.contains(&block) {
                    near.extend(&self.facts.preds[block.index()]);
                }
            }
            let plan = Plan {
                root,
                paths: paths.to_vec(),
                nodes: nodes.to_vec(),
                points: points.extract_if(|block, _| mine.contains(block)).collect(),
                sets: HashMap::new(),
                cells: HashMap::new(),
                open: open.intersection(&mine).copied().collect(),
                sources: HashMap::new(),
                variables: Vec::new(),
                live: HashMap::new(),
                removed: HashSet::new(),
            };
            plans.extend(self.variables(plan, home));
        }
        plans
    }

    /// Which parts are variables, and how they are had at each point.
    fn variables(&self, mut plan: Plan, home: Block) -> Option<Plan> {
        let graph = self.graph;
        let place = |inst: Inst| self.facts.place[inst.index()];
        let is_open = |plan: &Plan, inst: Inst| {
            let (block, at) = place(inst);
            plan.open.contains(&block) || plan.points.get(&block).is_some_and(|&point| at >= place(point).1)
        };
        let made_by = |value: Value| graph.def_inst(value);
        // Parts that are used as they are.
        let mut used: HashSet<usize> = HashSet::new();
        for node in plan.nodes.iter().skip(1).filter(|node| plan.paths[node.path].is_counted) {
            let uses = &self.facts.uses[node.value.index()];
            if uses.iter().any(|&inst| !self.reads_part_of(inst, node.value) && is_open(&plan, inst)) {
                used.insert(node.path);
            }
        }
        let above = |mut path: usize, wanted: &dyn Fn(usize) -> bool| {
            while path != 0 {
                path = plan.paths[path].above;
                if path != 0 && wanted(path) {
                    return true;
                }
            }
            false
        };
        let mut moved: Vec<usize> = used.iter().copied().filter(|&path| !above(path, &|above| used.contains(&above))).collect();
        moved.sort_unstable();
        let is_moved = |path: usize| moved.binary_search(&path).is_ok();
        let is_inside = |path: usize| above(path, &is_moved);
        let mut read: Vec<usize> = Vec::new();
        let mut removed = HashSet::new();
        let mut uses_of: HashMap<usize, Vec<Inst>> = HashMap::new();
        for node in plan.nodes.iter().skip(1) {
            let made = made_by(node.value)?;
            let (is_made_open, path) = (is_open(&plan, made), node.path);
            let uses: Vec<Inst> = self.facts.uses[node.value.index()].iter().copied().filter(|&inst| is_open(&plan, inst)).collect();
            if is_inside(path) {
                // It is read from the part above again, which is a variable; what was read before is gone.
                if plan.paths[path].is_counted && !is_made_open && !uses.is_empty() {
                    return None;
                }
                continue;
            }
            if is_moved(path) {
                // What was found out about it as a part of the whole is not known of the variable.
                let is_test = |&inst: &Inst| matches!(graph.op(inst), Op::Is | Op::Tag) && !is_open(&plan, inst);
                let others = || plan.nodes.iter().filter(|other| other.path == path).map(|other| other.value);
                let is_tested = others().flat_map(|value| &self.facts.uses[value.index()]).any(is_test);
                if is_tested && self.is_taken_apart(others().collect(), |inst| is_open(&plan, inst)) {
                    return None;
                }
                uses_of.entry(path).or_default().extend(uses);
            } else if !plan.paths[path].is_counted && is_made_open {
                if !read.contains(&path) {
                    read.push(path);
                }
                uses_of.entry(path).or_default().extend(uses);
            }
            if is_made_open {
                removed.insert(made);
            }
        }
        // The root's own tests stand in front of all points, as uses of the whole.
        let mut variables = moved.clone();
        variables.extend(&read);
        let mut live = HashMap::new();
        for &path in &variables {
            let uses = uses_of.get(&path).map_or(&[][..], Vec::as_slice);
            live.insert(path, self.span(home, uses.iter().copied())?);
        }
        // What each point sets.
        let mut points: Vec<(Block, Inst)> = plan.points.iter().map(|(&block, &inst)| (block, inst)).collect();
        points.sort_unstable();
        for &(block, point) in &points {
            let at = place(point).1;
            let mut sets = Vec::new();
            for &path in &variables {
                let here = uses_of.get(&path).into_iter().flatten().any(|&inst| place(inst).0 == block && place(inst).1 >= at);
                if here || live[&path].ends.contains(&block) {
                    sets.push((path, self.made(&plan, path, block, at)?));
                }
            }
            let mut ends: Vec<usize> = Vec::new();
            for &(path, _) in &sets {
                let mut cell = path;
                while cell != 0 {
                    cell = plan.paths[cell].above;
                    if matches!(plan.paths[cell].ty.kind(), TypeKind::Cell(_)) && !ends.contains(&cell) {
                        ends.push(cell);
                    }
                }
            }
            ends.sort_unstable();
            let mut cells = Vec::new();
            for cell in ends {
                cells.push((cell, self.made(&plan, cell, block, at)?));
            }
            plan.sets.insert(block, sets);
            plan.cells.insert(block, cells);
        }
        plan.sources = self.sources(&plan);
        (plan.variables, plan.live, plan.removed) = (variables, live, removed);
        Some(plan)
    }

    /// Is a payload of these values read where they are open, or of what becomes of them as parameters of blocks?
    fn is_taken_apart(&self, values: Vec<Value>, is_open: impl Fn(Inst) -> bool) -> bool {
        let graph = self.graph;
        let (first, mut open) = (values.len(), values);
        let mut next = 0;
        while let Some(&value) = open.get(next) {
            next += 1;
            for &inst in self.facts.uses[value.index()].iter().filter(|&&inst| next > first || is_open(inst)) {
                if graph.op(inst) == Op::Payload {
                    return true;
                }
                for &target in graph.targets(inst) {
                    let params = &graph.blocks[target.block].params;
                    for (&arg, &param) in graph.target_args(target).iter().zip(params) {
                        if arg == value && !open.contains(&param) {
                            open.push(param);
                        }
                    }
                }
            }
        }
        false
    }

    /// How a value of this path is had in front of a point; `None` where nothing shows the variant that a payload is of.
    fn made(&self, plan: &Plan, path: usize, block: Block, at: u32) -> Option<Made> {
        let dominates = |value: Value| {
            let (home, position) = self.facts.definition(self.graph, value);
            if home == block { position < i64::from(at) } else { self.dominators.dominates(home, block) }
        };
        let mut steps = Vec::new();
        let mut path = path;
        loop {
            if let Some(node) = plan.nodes.iter().find(|node| node.path == path && dominates(node.value)) {
                if steps.is_empty() {
                    return Some(Made::There(node.value));
                }
                steps.reverse();
                return Some(Made::By(node.value, steps));
            }
            let Path { above, op, imm, .. } = plan.paths[path];
            if op == Op::Payload {
                let shows = |node: &&Node| {
                    let other = plan.paths[node.path];
                    let home = self.facts.definition(self.graph, node.value).0;
                    other.above == above
                        && other.op == Op::Payload
                        && payload_parts(other.imm).0 == payload_parts(imm).0
                        && (home == block || self.dominators.dominates(home, block))
                };
                plan.nodes.iter().skip(1).find(shows)?;
            }
            steps.push(path);
            path = above;
        }
    }

    /// Where variables come from at the start of each block where the value is open.
    fn sources(&self, plan: &Plan) -> HashMap<Block, Source> {
        let mut sources: HashMap<Block, Source> = HashMap::new();
        let mut blocks: Vec<Block> = plan.open.iter().copied().collect();
        blocks.sort_unstable();
        loop {
            let mut changed = false;
            for &block in &blocks {
                let mut source: Option<Source> = None;
                for pred in &self.facts.preds[block.index()] {
                    let behind = if plan.points.contains_key(pred) { Some(Source::Open(*pred)) } else { sources.get(pred).copied() };
                    source = match (source, behind) {
                        (None, other) | (other, None) => other,
                        (Some(one), Some(other)) if one == other => Some(one),
                        (Some(_), Some(_)) => Some(Source::Param(block)),
                    };
                }
                // Once several meet here they do.
                if sources.get(&block) != Some(&Source::Param(block))
                    && let Some(source) = source
                {
                    changed |= sources.insert(block, source) != Some(source);
                }
            }
            if !changed {
                return sources;
            }
        }
    }
}
