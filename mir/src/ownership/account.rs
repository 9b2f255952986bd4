//! The account of a body: each place where it asks for memory, counts a holder up, looks whether a value has one holder only, or could not use room again; with the reason.
//!
//! It is read off the body as it is compiled, from its ops and nothing else: what is said cannot differ from what is done. Nobody computes it but who asks for it.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use hir::{Type, TypeKind};
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Value};
use ir::{ItemId, PlaceId, Stop};

use abi::RuntimeCall;

use super::opened::{Opened, Part, is_token, opened, step};
use crate::ir::{Body, Context, Contract, Mir, Owned};
use crate::ops::{Op, SOLE, cuts};

/// What happens at a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Memory is asked for, or may be.
    Allocation,
    /// A cell is made in room that is at hand, if there is any.
    Reuse,
    /// Room is given back, although a cell of its class could have been made there.
    FailedReuse,
    /// A holder more is counted.
    Dup,
    /// It is looked whether there is one holder only.
    Test,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [Kind::Allocation, Kind::Reuse, Kind::FailedReuse, Kind::Dup, Kind::Test];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Allocation => "allocation",
            Kind::Reuse => "reuse",
            Kind::FailedReuse => "failed reuse",
            Kind::Dup => "dup",
            Kind::Test => "uniqueness test",
        }
    }
}

/// A line of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The op that does it.
    pub op: Op,
    /// The first result of the op: its name in the dump.
    pub value: Option<Value>,
    /// Where it is, of the places of the body; none where neither the op nor one beside it has a place.
    pub place: PlaceId,
    /// Why.
    pub why: String,
}

/// How what the body does not know is told.
pub trait Telling {
    /// A place of the body, as `12:5`.
    fn place(&self, id: PlaceId) -> Option<String>;
    /// The name of a parameter of the body.
    fn parameter(&self, index: usize) -> Option<String>;
}

/// The account of a body, in the order of its text.
pub fn account(body: &Body<Owned>, contract: Contract, telling: &dyn Telling, cx: &dyn Context) -> Result<Vec<Entry>, Stop> {
    let mut account = Account { graph: body, contract, telling, cx, order: Order::of(body), cells: BTreeMap::new(), entries: Vec::new() };
    for &block in &account.order.blocks {
        for (at, &inst) in body.blocks[block].insts.iter().enumerate() {
            if matches!(body.op(inst), Op::New | Op::Reuse)
                && let Some(class) = cx.cell_class(body.ty(body.result(inst)))?
            {
                account.cells.entry(class).or_default().push((block, at, inst));
            }
        }
    }
    for block in body.blocks.ids() {
        for at in 0..body.blocks[block].insts.len() {
            account.inst(block, at)?;
        }
    }
    Ok(account.entries)
}

struct Account<'a> {
    graph: &'a Graph<Mir>,
    contract: Contract,
    telling: &'a dyn Telling,
    cx: &'a dyn Context,
    order: Order,
    /// Where cells of each class are made.
    cells: BTreeMap<u32, Vec<(Block, usize, Inst)>>,
    entries: Vec<Entry>,
}

/// Steps from a value to where it comes from.
const DEPTH: u32 = 12;

impl Account<'_> {
    fn inst(&mut self, block: Block, at: usize) -> Result<(), Stop> {
        let graph = self.graph;
        let inst = graph.blocks[block].insts[at];
        let row = graph.insts[inst];
        let args = graph.args(inst);
        match row.op {
            Op::New => {
                let why = self.why_fresh(block, at, inst)?;
                self.say(Kind::Allocation, block, at, format!("{}: {why}", self.made(inst)));
            }
            Op::Reuse => {
                let why =
                    format!("{} in the room of what was taken apart{}, if nobody else held that", self.made(inst), self.room_of(args[0]));
                self.say(Kind::Reuse, block, at, why);
            }
            Op::List if !args.is_empty() => {
                let plural = if args.len() == 1 { "" } else { "s" };
                self.say(Kind::Allocation, block, at, format!("a list of {} element{plural}", args.len()));
            }
            Op::Closure if !args.is_empty() => {
                let plural = if args.len() == 1 { "" } else { "s" };
                self.say(Kind::Allocation, block, at, format!("a function value with {} captured value{plural}", args.len()));
            }
            Op::ListPush | Op::ListReserve => {
                let list = self.name(args[0]);
                self.test(block, at, args[0], "whoever grows it in place must be its only holder");
                self.say(
                    Kind::Allocation,
                    block,
                    at,
                    format!("{list} gets more room when its own is used up, or when somebody else holds it"),
                );
            }
            Op::ListSet | Op::ListSwap | Op::ListOwn if row.flags & SOLE == 0 => {
                let list = self.name(args[0]);
                self.test(block, at, args[0], "whoever changes it in place must be its only holder");
                self.say(Kind::Allocation, block, at, format!("{list} is copied when somebody else holds it"));
            }
            Op::ListSlice if cuts(self.graph, inst) => {
                self.test(block, at, args[0], "what is behind its end goes when it has no other holder")
            }
            Op::TableDouble => self.say(Kind::Allocation, block, at, "a table of twice the size".to_owned()),
            Op::Runtime => {
                let Some(call) = RuntimeCall::from_number(row.imm) else { return Ok(()) };
                if !args.is_empty() && call.consumes(0) {
                    self.test(block, at, args[0], "whoever grows it in place must be its only holder");
                }
                if makes_text(call) {
                    self.say(Kind::Allocation, block, at, "a text, when it has more than 23 bytes".to_owned());
                }
            }
            Op::Dup => {
                let (place, why) = self.why_counted(block, at, inst);
                self.push(Kind::Dup, inst, place, why);
            }
            Op::Open => self.open(block, at, inst)?,
            Op::Drop => self.dropped(block, at, inst)?,
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, kind: Kind, block: Block, at: usize, why: String) {
        let place = self.near(block, at);
        self.push(kind, self.graph.blocks[block].insts[at], place, why);
    }

    fn push(&mut self, kind: Kind, inst: Inst, place: PlaceId, why: String) {
        let value = self.graph.results(inst).next();
        self.entries.push(Entry { kind, op: self.graph.op(inst), value, place, why });
    }

    fn test(&mut self, block: Block, at: usize, value: Value, why: &str) {
        let who = self.who_may_hold(value);
        self.say(Kind::Test, block, at, format!("{who}; {why}"));
    }

    /// The place of an instruction, or of the nearest one of its block that has one.
    fn near(&self, block: Block, at: usize) -> PlaceId {
        let insts = &self.graph.blocks[block].insts;
        let place = |&inst: &Inst| Some(self.graph.edges[inst].place).filter(|place| place.is_some());
        let behind = insts[at..].iter().find_map(place);
        behind.or_else(|| insts[..at].iter().rev().find_map(place)).unwrap_or(PlaceId::NONE)
    }

    /// ` at 12:5`, when that is known.
    fn at(&self, place: PlaceId) -> String {
        self.telling.place(place).map_or_else(String::new, |text| format!(" at {text}"))
    }

    // Cells.

    fn made(&self, inst: Inst) -> String {
        let cell = self.graph.result(inst);
        let sum = self.uses(cell).find(|&user| self.graph.op(user) == Op::Variant).map(|user| self.graph.ty(self.graph.result(user)));
        match sum {
            Some(sum) => format!("a cell of `{sum}`"),
            None => "a cell".to_owned(),
        }
    }

    fn uses(&self, value: Value) -> impl Iterator<Item = Inst> + '_ {
        let insts = self.graph.blocks.rows().iter().flat_map(|row| &row.insts).copied();
        insts.filter(move |&inst| self.graph.args(inst).contains(&value))
    }

    /// Where the room of a token comes from.
    fn room_of(&self, token: Value) -> String {
        match self.graph.def_inst(token).filter(|&made| self.graph.op(made) == Op::Open) {
            Some(open) => match self.position(open) {
                Some((block, at)) => self.at(self.near(block, at)),
                None => String::new(),
            },
            None => " on the ways to here".to_owned(),
        }
    }

    fn position(&self, inst: Inst) -> Option<(Block, usize)> {
        self.graph.blocks.iter().find_map(|(block, row)| Some((block, row.insts.iter().position(|&other| other == inst)?)))
    }

    /// Why a cell is made in room of its own.
    fn why_fresh(&self, block: Block, at: usize, inst: Inst) -> Result<String, Stop> {
        let Some(class) = self.cx.cell_class(self.graph.ty(self.graph.result(inst)))? else {
            return Ok("cells of its size get pages of their own, which are not used again".to_owned());
        };
        let (mut other, mut late) = (false, false);
        for (from, row) in self.graph.blocks.iter() {
            for (position, &open) in row.insts.iter().enumerate().filter(|(_, open)| self.graph.op(**open) == Op::Open) {
                let Some(whole) = opened(self.graph, open) else { continue };
                let mut cells = Vec::new();
                cells_of(self.graph, &whole, &mut cells);
                for cell in cells {
                    let is_same = self.cx.cell_class(self.graph.ty(cell.value))? == Some(class);
                    let is_before = self.comes_before((from, position), (block, at));
                    if is_same && is_before {
                        return Ok("the room at hand goes to other cells, or is not there on every way to here".to_owned());
                    }
                    other |= is_before;
                    late |= is_same;
                }
            }
        }
        Ok(match (late, other) {
            (true, _) => "a cell of its class is taken apart on other ways or later only",
            (false, true) => "what is taken apart before it has room of another class",
            (false, false) => "no cell is taken apart before it",
        }
        .to_owned())
    }

    /// Does control come from the one place to the other without going around a loop?
    fn comes_before(&self, from: (Block, usize), to: (Block, usize)) -> bool {
        if from.0 == to.0 {
            return from.1 < to.1;
        }
        let mut seen: HashSet<Block> = HashSet::new();
        let mut open = vec![from.0];
        while let Some(block) = open.pop() {
            for &next in self.order.succs(block).iter().filter(|&&next| !self.order.is_back_edge(block, next)) {
                if next == to.0 {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// What could have used room of this class that is given back here; `None` when there is nothing.
    fn missed(&self, class: u32, block: Block, at: usize) -> Option<String> {
        let makers = self.cells.get(&class)?;
        let next = makers.iter().find(|maker| self.comes_before((block, at), (maker.0, maker.1)));
        let Some(&(in_block, position, maker)) = next else {
            return Some("cells of its class are made on other ways or in the next round of a loop only".to_owned());
        };
        let place = self.at(self.near(in_block, position));
        Some(match self.graph.op(maker) {
            Op::Reuse => format!("the next cell of its class{place} has other room"),
            _ => format!("not every way to the next cell of its class{place} has room for it"),
        })
    }

    fn open(&mut self, block: Block, at: usize, inst: Inst) -> Result<(), Stop> {
        let Some(whole) = opened(self.graph, inst) else { return Ok(()) };
        let mut cells = Vec::new();
        cells_of(self.graph, &whole, &mut cells);
        let root = self.who_may_hold(whole.value);
        for cell in cells {
            let what =
                if cell.value == whole.value || self.is_payload_of(cell.value, whole.value) { "its parts" } else { "parts of a part" };
            self.say(Kind::Test, block, at, format!("{root}; {what} are taken out when nobody does, and counted up otherwise"));
            if cell.token.is_some() {
                continue;
            }
            let class = self.cx.cell_class(self.graph.ty(cell.value))?;
            let why = match class {
                None => Some("cells of its size get pages of their own, which are not used again".to_owned()),
                Some(class) => self.missed(class, block, at),
            };
            let why = why.unwrap_or_else(|| "no cell of its class is made in this function".to_owned());
            self.say(Kind::FailedReuse, block, at, format!("{} is taken apart: {why}", self.name(whole.value)));
        }
        Ok(())
    }

    fn is_payload_of(&self, part: Value, whole: Value) -> bool {
        step(self.graph, part).is_some_and(|(above, ..)| above == whole)
    }

    /// What dies as a whole has room that nobody is offered.
    fn dropped(&mut self, block: Block, at: usize, inst: Inst) -> Result<(), Stop> {
        let value = self.graph.args(inst)[0];
        for cell in self.cells_in(value, block)? {
            if let Some(class) = self.cx.cell_class(cell)?
                && let Some(makers) = self.cells.get(&class)
                && let Some(&(in_block, position, _)) =
                    makers.iter().find(|maker| self.graph.op(maker.2) == Op::New && self.comes_before((block, at), (maker.0, maker.1)))
            {
                let place = self.at(self.near(in_block, position));
                let name = self.name(value);
                self.say(
                    Kind::FailedReuse,
                    block,
                    at,
                    format!("{name} dies as a whole in front of a cell of its class{place}: only what is taken apart gives room"),
                );
                return Ok(());
            }
        }
        Ok(())
    }

    /// The cells that a value may be in a block.
    fn cells_in(&self, value: Value, block: Block) -> Result<Vec<Type>, Stop> {
        let ty = self.graph.ty(value);
        if matches!(ty.kind(), TypeKind::Cell(_)) {
            return Ok(if is_token(ty) { Vec::new() } else { vec![ty] });
        }
        let variants = self.cx.variants(ty)?;
        let numbered = variants.iter().flat_map(|variants| variants.iter().enumerate());
        let possible = numbered.filter(|(number, _)| self.may_be(value, *number as u64, block));
        let parts = possible.flat_map(|(_, payload)| payload.iter().copied());
        Ok(parts.filter(|part| matches!(part.kind(), TypeKind::Cell(_))).collect())
    }

    /// May a sum be of this variant in a block, by the tests on the way there?
    fn may_be(&self, value: Value, variant: u64, block: Block) -> bool {
        let mut at = block;
        for _ in 0..DEPTH {
            let mut preds = self.graph.blocks.ids().filter(|&pred| self.order.succs(pred).contains(&at));
            let (Some(pred), None) = (preds.next(), preds.next()) else { return true };
            if let Some(last) = self.graph.terminator(pred).filter(|&last| self.graph.op(last) == Op::Branch)
                && let Some(test) = self.graph.def_inst(self.graph.args(last)[0]).filter(|&test| self.graph.op(test) == Op::Is)
                && self.graph.args(test)[0] == value
                && let [yes, no] = self.graph.targets(last)
                && yes.block != no.block
                && (self.graph.insts[test].imm == variant) != (yes.block == at)
            {
                return false;
            }
            at = pred;
        }
        true
    }

    // Holders.

    /// Why a holder more is counted, and where.
    fn why_counted(&self, block: Block, at: usize, dup: Inst) -> (PlaceId, String) {
        let graph = self.graph;
        let (value, copy) = (graph.args(dup)[0], graph.result(dup));
        let name = self.name(value);
        let consumer = self.first_use(copy, block, at + 1);
        let given = consumer.map_or_else(String::new, |(inst, _)| format!(", and {}", self.what_takes(inst, copy)));
        let place = match consumer {
            Some((_, place)) if place.is_some() => place,
            _ => self.near(block, at),
        };
        let root = self.root(value);
        let why = if root != value || self.is_part(value) {
            let holder = self.name(root);
            match self.is_lent(root) {
                true => format!("{name} stays with the caller, who lent {holder}"),
                false => match self.first_use(root, block, at + 1) {
                    Some((_, again)) => format!("{name} stays in {holder}, which is used again{}", self.at(again)),
                    None => format!("{name} stays in {holder}, which is held on"),
                },
            }
        } else if self.is_lent(value) {
            format!("{name} is lent by the caller")
        } else {
            let is_twice = consumer.is_some_and(|(inst, _)| self.is_given(inst, value));
            match (is_twice, self.first_use(value, block, at + 1)) {
                (true, _) => format!("{name} is given twice"),
                (false, Some((again, place))) => format!("{name} is used again{}{}", self.at(place), self.as_drop(again)),
                (false, None) => format!("{name} is held on"),
            }
        };
        (place, format!("{why}{given}"))
    }

    fn as_drop(&self, inst: Inst) -> &'static str {
        if matches!(self.graph.op(inst), Op::Drop) { ", where it is given up" } else { "" }
    }

    fn is_given(&self, inst: Inst, value: Value) -> bool {
        let passed = self.graph.targets(inst).iter().flat_map(|&target| self.graph.target_args(target));
        self.graph.args(inst).iter().chain(passed).any(|&arg| arg == value)
    }

    /// The next instruction that has the value as an operand, on any way from here; one that has a place, if possible. Its own `dup`s do not count.
    fn first_use(&self, value: Value, block: Block, at: usize) -> Option<(Inst, PlaceId)> {
        let mut seen: HashSet<Block> = HashSet::new();
        let mut open = vec![(block, at)];
        let mut found = None;
        while let Some((block, at)) = open.pop() {
            let insts = self.graph.blocks[block].insts.get(at..).unwrap_or(&[]);
            let Some(offset) = insts.iter().position(|&inst| self.is_given(inst, value)) else {
                open.extend(self.order.succs(block).iter().filter(|&&next| seen.insert(next)).map(|&next| (next, 0)));
                continue;
            };
            let (inst, place) = (insts[offset], self.near(block, at + offset));
            let is_drop = self.graph.op(inst) == Op::Drop;
            if found.is_none_or(|(other, _)| self.graph.op(other) == Op::Drop && !is_drop) {
                found = Some((inst, place));
            }
        }
        found
    }

    /// Whom a value goes to.
    fn what_takes(&self, inst: Inst, value: Value) -> String {
        let callee = || ItemId::from_raw(self.graph.insts[inst].imm as u32);
        match self.graph.op(inst) {
            Op::Call | Op::Tail => format!("`@{}` keeps what it gets", callee()),
            Op::CallValue => "a function value keeps what it gets".to_owned(),
            Op::CallMethod | Op::ChangeMethod => "a method of an object keeps what it gets".to_owned(),
            Op::Object => "it is in an object then".to_owned(),
            Op::Return => "the caller gets it".to_owned(),
            Op::Closure => "a function value captures it".to_owned(),
            Op::List | Op::ListPush | Op::ListSet | Op::ListSwap if self.graph.args(inst).first() != Some(&value) => {
                "a list holds it".to_owned()
            }
            Op::ListPush | Op::ListSet | Op::ListSwap | Op::ListReserve | Op::ListOwn | Op::ListSlice => {
                "a changed one is made of it".to_owned()
            }
            Op::New | Op::Reuse | Op::Variant | Op::Aggregate | Op::WithField => "a new value holds it".to_owned(),
            Op::Jump | Op::Branch | Op::Switch => "what follows holds it".to_owned(),
            _ => format!("`{}` takes it", ir::ops::OpTable::info(self.graph.op(inst)).name),
        }
    }

    /// Who may hold a value besides whoever looks at it.
    fn who_may_hold(&self, value: Value) -> String {
        let name = self.name(value);
        match self.graph.values[value].def {
            Def::Param(block, _) if block == ENTRY => format!("{name} came in as a parameter, and callers may hold it too"),
            Def::Param(..) => format!("{name} comes on several ways, and not all are known to bring one without other holders"),
            Def::Result(inst, _) => match self.graph.op(inst) {
                Op::Dup => format!("{name} was counted up here"),
                Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod => format!("{name} may be held by what was called"),
                _ => format!("{name} may have other holders"),
            },
        }
    }

    fn is_part(&self, value: Value) -> bool {
        self.graph.def_inst(value).is_some_and(|inst| matches!(self.graph.op(inst), Op::ListGet | Op::ListAt | Op::Select))
    }

    /// The value that this one is read from, and is a part of.
    fn root(&self, value: Value) -> Value {
        let mut at = value;
        for _ in 0..DEPTH {
            let Some(inst) = self.graph.def_inst(at) else { return at };
            at = match self.graph.op(inst) {
                Op::Field | Op::Part | Op::Payload | Op::ListGet | Op::ListAt => self.graph.args(inst)[0],
                _ => return at,
            };
        }
        at
    }

    fn is_lent(&self, value: Value) -> bool {
        matches!(self.graph.values[value].def, Def::Param(block, index) if block == ENTRY && self.contract.borrows(index as usize))
    }

    /// What a value is, for people.
    fn name(&self, value: Value) -> String {
        self.name_of(value, DEPTH).unwrap_or_else(|| format!("a `{}`", self.graph.ty(value)))
    }

    fn name_of(&self, value: Value, depth: u32) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let graph = self.graph;
        let inst = match graph.values[value].def {
            Def::Param(block, index) if block == ENTRY => return self.telling.parameter(index as usize).map(|name| format!("`{name}`")),
            // What comes around a loop is known by how it came in.
            Def::Param(block, index) => {
                let mut names: Vec<String> = Vec::new();
                for pred in self.graph.blocks.ids() {
                    let Some(last) =
                        graph.terminator(pred).filter(|_| self.order.succs(pred).contains(&block) && !self.order.is_back_edge(pred, block))
                    else {
                        continue;
                    };
                    for target in graph.targets(last).iter().filter(|target| target.block == block) {
                        names.push(self.name_of(*graph.target_args(*target).get(index as usize)?, depth)?);
                    }
                }
                names.dedup();
                return if names.len() == 1 { names.pop() } else { None };
            }
            Def::Result(inst, _) => inst,
        };
        let row = graph.insts[inst];
        let first = || graph.args(inst).first().copied();
        let place = || self.at(graph.edges[inst].place);
        match row.op {
            Op::Call => Some(format!("what `@{}` gave{}", ItemId::from_raw(row.imm as u32), place())),
            Op::CallValue => Some(format!("what a function value gave{}", place())),
            Op::CallMethod | Op::ChangeMethod => Some(format!("what a method of an object gave{}", place())),
            Op::Object => Some(format!("the object{}", place())),
            Op::Dup => self.name_of(first()?, depth),
            Op::Field | Op::Part | Op::Payload | Op::Open => {
                let whole = self.name_of(first()?, depth)?;
                Some(if whole.starts_with("a part of") { whole } else { format!("a part of {whole}") })
            }
            Op::ListGet | Op::ListAt => Some(format!("an element of {}", self.name_of(first()?, depth)?)),
            Op::List => Some(format!("the list{}", place())),
            Op::Closure => Some(format!("the function value{}", place())),
            Op::Runtime => Some(format!("the text{}", place())),
            Op::ListPush | Op::ListSet | Op::ListReserve | Op::ListSlice | Op::ListOwn | Op::ListSwap => self.name_of(first()?, depth),
            _ => None,
        }
    }
}

/// The cells among what an `open` takes apart.
fn cells_of<'a>(graph: &Graph<Mir>, opened: &'a Opened, cells: &mut Vec<&'a Opened>) {
    if matches!(graph.ty(opened.value).kind(), TypeKind::Cell(_)) {
        cells.push(opened);
    }
    for (_, part) in &opened.parts {
        match part {
            Part::Moved(_) => {}
            Part::Opened(inner) => cells_of(graph, inner, cells),
        }
    }
}

/// Does a call of the runtime make a text that may be too long to stand in the value itself?
const fn makes_text(call: RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::StrConcat
            | RuntimeCall::StrReplace
            | RuntimeCall::StrRepeat
            | RuntimeCall::StrUpper
            | RuntimeCall::StrLower
            | RuntimeCall::StrDebug
            | RuntimeCall::StrOfFloat
            | RuntimeCall::StrOfFixed
    )
}
