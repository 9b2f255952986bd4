//! M03: ownership, proved on every path, unwind edges included.
//!
//! The certifier is independent of the pass that spells ownership out; they share the table of ops ([`crate::ownership::roles`]) and nothing else. One walk
//! over the blocks in reverse postorder: what is held when a block is entered is written down at the first edge that leads there, its *row*, and every other
//! edge, back edges too, must agree with the row. So there is no fixpoint, and the work is that of the instructions and the rows.
//!
//! A value is free (nothing in it is counted), owned, or borrowed from owned values. The walk holds a set of owned values: a definition adds to it, an operand that is
//! consumed takes from it. A borrowed value may be used while all that it is borrowed from is held. Tokens are owned values of a class, which goes with them.

use std::fmt::Write;

use hashbrown::HashMap;
use hir::{Type, TypeKind};
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, Target, Value};
use ir::{ItemId, Stop, Where};

use super::faults::MirFault;
use crate::Op;
use crate::ir::{Context, Contract, Mir};
use crate::ownership::is_token;
use crate::ownership::roles::{self, Gives, Takes};

/// Reports `dup` and `drop` in a phase that has none.
pub(super) fn refuse(graph: &Graph<Mir>, faults: &mut Vec<MirFault>) {
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            let op = graph.op(inst);
            if matches!(op, Op::Dup | Op::Drop | Op::Open | Op::Reuse | Op::Free | Op::ListSwap) {
                faults.push(MirFault::EarlyOwnership { at: place(block, index), op: op.info().name });
            }
        }
    }
}

/// Judges a body whose structure is sound.
pub(super) fn certify(graph: &Graph<Mir>, cx: &dyn Context, faults: &mut Vec<MirFault>) -> Result<(), Stop> {
    let mut counted = Vec::with_capacity(graph.values.len());
    let mut known = HashMap::new();
    for row in graph.values.rows() {
        counted.push(is_counted(row.ty, cx, &mut known)?);
    }
    let order = Order::of(graph);
    let mut certifier = Certifier {
        graph,
        cx,
        faults,
        kinds: vec![Kind::Free; counted.len()],
        counted,
        lenders: Vec::new(),
        classes: HashMap::new(),
        held: vec![false; graph.values.len()],
        count: 0,
        list: Vec::new(),
        gone: vec![None; graph.values.len()],
        rows: vec![None; graph.blocks.len()],
        has_hole: false,
        uses: None,
    };
    if order.blocks.is_empty() {
        return Ok(());
    }
    certifier.rows[ENTRY.index()] = Some(Row { held: Vec::new(), from: None });
    for &block in &order.blocks {
        certifier.block(block)?;
    }
    Ok(())
}

fn is_counted(ty: Type, cx: &dyn Context, known: &mut HashMap<Type, bool>) -> Result<bool, Stop> {
    if let Some(&known) = known.get(&ty) {
        return Ok(known);
    }
    let is_counted = cx.is_counted(ty)?;
    known.insert(ty, is_counted);
    Ok(is_counted)
}

/// How a part is reached.
type Way = Vec<(Op, u64)>;

/// What a value is.
#[derive(Clone, Copy)]
enum Kind {
    /// Without counted content, or immortal.
    Free,
    /// To be consumed once.
    Owned,
    /// Borrowed from `lenders[start..end]`; from the caller when that is empty.
    Borrowed(u32, u32),
}

/// What is held when a block is entered, its parameters left out.
#[derive(Clone)]
struct Row {
    /// Sorted.
    held: Vec<Value>,
    /// The block that the first edge came from.
    from: Option<Block>,
}

struct Certifier<'a> {
    graph: &'a Graph<Mir>,
    cx: &'a dyn Context,
    faults: &'a mut Vec<MirFault>,
    /// Has the type of the value counted content?
    counted: Vec<bool>,
    kinds: Vec<Kind>,
    lenders: Vec<Value>,
    /// Of tokens: the class of the cell that they are the room of.
    classes: HashMap<Value, u32>,
    /// Is the value held where the walk is? So many are; all of them are in `list`, which may have some that are no more.
    held: Vec<bool>,
    count: usize,
    list: Vec<Value>,
    /// Where a value was consumed last.
    gone: Vec<Option<Where>>,
    rows: Vec<Option<Row>>,
    /// Has the hole of the body been made?
    has_hole: bool,
    /// Of a body with holes: how often each value is used.
    uses: Option<Vec<u32>>,
}

impl Certifier<'_> {
    fn block(&mut self, block: Block) -> Result<(), Stop> {
        let graph = self.graph;
        for value in std::mem::take(&mut self.list) {
            self.held[value.index()] = false;
        }
        // A row is there: a block that is reached has an edge from one before it in the order.
        let Some(row) = &self.rows[block.index()] else { return Ok(()) };
        self.list.extend_from_slice(&row.held);
        self.count = row.held.len();
        for value in &row.held {
            self.held[value.index()] = true;
        }
        let is_asked = block == ENTRY && graph.blocks[block].params.iter().any(|param| self.counted[param.index()]);
        let contract = if is_asked { self.cx.contract(graph.name)? } else { Contract::OWNED };
        for (index, &param) in graph.blocks[block].params.iter().enumerate() {
            if block == ENTRY && matches!(graph.ty(param).kind(), TypeKind::Hole(_)) {
                self.faults.push(MirFault::HoleUse { at: Where::Block(block.raw()), op: "fn", value: param.raw() });
            }
            if self.counted[param.index()] {
                if contract.borrows(index) {
                    self.kinds[param.index()] = Kind::Borrowed(0, 0);
                } else {
                    self.own(param);
                }
            }
        }
        for (index, &inst) in graph.blocks[block].insts.iter().enumerate() {
            self.inst(block, index, inst)?;
        }
        Ok(())
    }

    fn inst(&mut self, block: Block, index: usize, inst: Inst) -> Result<(), Stop> {
        let graph = self.graph;
        let at = place(block, index);
        let row = &graph.insts[inst];
        let (op, args) = (row.op, graph.args(inst));
        let (takes, gives) = roles::of(op);
        if let (Op::Dup | Op::Drop, &[value]) = (op, args)
            && (!self.counted[value.index()] || is_token(graph.ty(value)))
        {
            let found = graph.ty(value).to_string();
            self.faults.push(MirFault::NotCounted { at, op: op.info().name, value: value.raw(), found });
        }
        let contract = match takes {
            // Nobody holds what is not counted, whatever the callee does with it.
            Takes::Contract if args.iter().all(|&arg| matches!(self.kinds[arg.index()], Kind::Free)) => Contract::OWNED,
            Takes::Contract => self.cx.contract(ItemId::from_raw(row.imm as u32))?,
            Takes::Borrows | Takes::Consumes | Takes::First | Takes::Rest | Takes::Runtime => Contract::OWNED,
        };
        self.tokens(at, inst)?;
        self.hole(block, at, inst);
        if op == Op::Open {
            self.open(block, at, inst)?;
        }
        for (index, &arg) in args.iter().enumerate() {
            if roles::consumes(takes, index, row.imm, contract) {
                self.consume(block, at, op, arg);
            }
        }
        // Behind what is consumed: an op cannot look at a part of what it takes away.
        for (index, &arg) in args.iter().enumerate() {
            if takes != Takes::First && !roles::consumes(takes, index, row.imm, contract) {
                self.look(block, at, op, arg);
            }
        }
        if let Some(pad) = graph.edges[inst].unwind {
            self.edge(block, at, pad);
        }
        for target in graph.targets(inst) {
            let taken: Vec<Value> = graph.target_args(*target).iter().copied().filter(|&arg| self.consume(block, at, op, arg)).collect();
            self.pass_tokens(at, *target);
            self.edge(block, at, target.block);
            taken.into_iter().for_each(|value| self.hold(value));
        }
        match op {
            Op::Return | Op::Tail | Op::Resume | Op::Unreachable => self.leave(block, at),
            _ => {}
        }
        for value in graph.results(inst) {
            if self.counted[value.index()] {
                self.define(value, gives, args);
            }
        }
        Ok(())
    }

    /// Parts that are taken out are there, are reached from the operand, and none stands in another; tokens are of the classes of their cells.
    fn open(&mut self, block: Block, at: Where, inst: Inst) -> Result<(), Stop> {
        let graph = self.graph;
        let Some((&whole, parts)) = graph.args(inst).split_first() else { return Ok(()) };
        let results: Vec<Value> = graph.results(inst).collect();
        if results.len() != parts.len() {
            self.faults.push(MirFault::OpenResults { at, expected: parts.len(), found: results.len() });
            return Ok(());
        }
        // The values on the way to what has been moved, and what has been moved itself.
        let mut opened: Vec<(Value, u64)> = Vec::new();
        let (mut moved, mut rooms): (Vec<Way>, Vec<Way>) = (Vec::new(), Vec::new());
        for (&part, &result) in parts.iter().zip(&results) {
            self.look(block, at, Op::Open, part);
            let mut way = Way::new();
            let mut value = part;
            while value != whole {
                let Some(read) = graph.def_inst(value).filter(|&read| matches!(graph.op(read), Op::Field | Op::Payload | Op::Part)) else {
                    self.faults.push(MirFault::OpenPart { at, value: part.raw(), whole: whole.raw() });
                    return Ok(());
                };
                // Two payloads of one sum are of one variant.
                let row = &graph.insts[read];
                if row.op == Op::Payload {
                    opened.push((graph.args(read)[0], row.imm >> 32));
                }
                way.push((row.op, row.imm));
                value = graph.args(read)[0];
            }
            way.reverse();
            let ty = graph.ty(part);
            let is_room = is_token(graph.ty(result));
            if is_room {
                match self.cx.cell_class(ty)? {
                    Some(class) if matches!(ty.kind(), TypeKind::Cell(_)) => _ = self.classes.insert(result, class),
                    _ => self.faults.push(MirFault::TokenClass {
                        at,
                        value: result.raw(),
                        expected: "a cell that has a class".to_owned(),
                        found: ty.to_string(),
                    }),
                }
                rooms.push(way);
            } else {
                if graph.ty(result) != ty || way.is_empty() || !self.counted[part.index()] {
                    let (value, expected, found) = (result.raw(), ty.to_string(), graph.ty(result).to_string());
                    self.faults.push(MirFault::OpenedType { at, value, expected, found });
                }
                moved.push(way);
            }
        }
        let is_within = |inner: &[(Op, u64)], outer: &[(Op, u64)]| inner.starts_with(outer);
        for (index, one) in moved.iter().enumerate() {
            let twice = moved.iter().enumerate().any(|(other, way)| other != index && is_within(way, one));
            if twice || rooms.iter().any(|room| is_within(room, one)) {
                self.faults.push(MirFault::OpenTwice { at, whole: whole.raw() });
                return Ok(());
            }
        }
        let is_double = rooms.iter().enumerate().any(|(index, room)| rooms[..index].contains(room));
        let is_torn = opened.iter().any(|&(sum, variant)| opened.iter().any(|&(other, another)| sum == other && variant != another));
        if is_double || is_torn {
            self.faults.push(MirFault::OpenTwice { at, whole: whole.raw() });
        }
        Ok(())
    }

    /// A hole goes where holes are taken. What is plugged must be nobody else's, since it is changed when the hole is filled, and nobody must have to give up what
    /// stood there.
    fn hole(&mut self, block: Block, at: Where, inst: Inst) {
        let graph = self.graph;
        let (op, args) = (graph.op(inst), graph.args(inst));
        let is_hole = |value: Value| matches!(graph.ty(value).kind(), TypeKind::Hole(_));
        for (index, &arg) in args.iter().enumerate() {
            let is_wanted = index == 0 && matches!(op, Op::Plug | Op::Fill);
            if is_wanted != is_hole(arg) && !(index == 0 && op == Op::Drop) {
                self.faults.push(MirFault::HoleUse { at, op: op.info().name, value: arg.raw() });
                return;
            }
        }
        if op == Op::Hole {
            let is_first = !std::mem::replace(&mut self.has_hole, true);
            let is_free = args.iter().all(|&arg| matches!(self.kinds[arg.index()], Kind::Free));
            if block != ENTRY || !is_first || !is_free {
                self.faults.push(MirFault::HoleUse { at, op: op.info().name, value: graph.insts[inst].first_result.raw() });
            }
        } else if op != Op::Plug
            && let Some(value) = graph.results(inst).find(|&value| is_hole(value))
        {
            self.faults.push(MirFault::HoleUse { at, op: op.info().name, value: value.raw() });
        }
        if op == Op::Plug
            && let Err(why) = self.plug(inst)
        {
            let (value, part) = (args.get(1).map_or(0, |value| value.raw()), graph.insts[inst].imm);
            self.faults.push(MirFault::HolePlace { at, value, part, why });
        }
    }

    fn plug(&mut self, inst: Inst) -> Result<(), &'static str> {
        let graph = self.graph;
        let &[hole, value] = graph.args(inst) else { return Err("there are no two operands") };
        let part = graph.insts[inst].imm;
        let TypeKind::Hole(ty) = graph.ty(hole).kind() else { return Err("there is no hole for it") };
        let variant = graph.def_inst(value).filter(|&inst| graph.op(inst) == Op::Variant).ok_or("it was not made as a variant")?;
        let &[cell] = graph.args(variant) else { return Err("it is not a variant with one cell") };
        let made =
            graph.def_inst(cell).filter(|&inst| matches!(graph.op(inst), Op::New | Op::Reuse)).ok_or("its cell was not made for it")?;
        let uses = self.uses.get_or_insert_with(|| uses(graph));
        if uses[value.index()] != 1 || uses[cell.index()] != 1 {
            return Err("it is used elsewhere");
        }
        let parts = graph.args(made).get(usize::from(graph.op(made) == Op::Reuse)..).unwrap_or(&[]);
        let part = usize::try_from(part).ok().and_then(|part| parts.get(part)).ok_or("it has no such part")?;
        if graph.ty(*part) != ty {
            return Err("it is of another type");
        }
        if !matches!(self.kinds[part.index()], Kind::Free) {
            return Err("what stands there has a holder");
        }
        Ok(())
    }

    /// Tokens go where tokens are taken, and nothing else does.
    fn tokens(&mut self, at: Where, inst: Inst) -> Result<(), Stop> {
        let graph = self.graph;
        let row = &graph.insts[inst];
        for (index, &arg) in graph.args(inst).iter().enumerate() {
            let is_wanted = index == 0 && matches!(row.op, Op::Reuse | Op::Free);
            if is_wanted != is_token(graph.ty(arg)) {
                self.faults.push(MirFault::TokenUse { at, op: row.op.info().name, value: arg.raw() });
                return Ok(());
            }
        }
        if row.op != Op::Open
            && let Some(value) = graph.results(inst).find(|&value| is_token(graph.ty(value)))
        {
            self.faults.push(MirFault::TokenUse { at, op: row.op.info().name, value: value.raw() });
        }
        let expected = match row.op {
            Op::Free => Some(row.imm as u32),
            Op::Reuse => self.cx.cell_class(graph.ty(graph.result(inst)))?,
            _ => return Ok(()),
        };
        let token = graph.args(inst)[0];
        let found = self.classes.get(&token).copied();
        if expected.is_none() || expected != found {
            let text = |class: Option<u32>| class.map_or_else(|| "of no class".to_owned(), |class| format!("of class {class}"));
            self.faults.push(MirFault::TokenClass { at, value: token.raw(), expected: text(expected), found: text(found) });
        }
        Ok(())
    }

    /// A parameter of a block is of the class of the first token that is passed for it, and all others are.
    fn pass_tokens(&mut self, at: Where, target: Target) {
        let graph = self.graph;
        for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(target)) {
            if !is_token(graph.ty(param)) {
                continue;
            }
            let Some(&found) = self.classes.get(&arg) else { continue };
            let expected = *self.classes.entry(param).or_insert(found);
            if expected != found {
                let (expected, found) = (format!("of class {expected}"), format!("of class {found}"));
                self.faults.push(MirFault::TokenClass { at, value: arg.raw(), expected, found });
            }
        }
    }

    fn own(&mut self, value: Value) {
        self.kinds[value.index()] = Kind::Owned;
        self.hold(value);
    }

    fn hold(&mut self, value: Value) {
        self.held[value.index()] = true;
        self.count += 1;
        self.list.push(value);
    }

    fn define(&mut self, value: Value, gives: Gives, args: &[Value]) {
        let is_free = args.iter().all(|&arg| matches!(self.kinds[arg.index()], Kind::Free));
        match gives {
            Gives::Nothing | Gives::Immortal => {}
            Gives::Owned => self.own(value),
            Gives::Captured if args.is_empty() => {}
            Gives::Whole | Gives::Part if is_free => {}
            Gives::Captured | Gives::Whole => self.own(value),
            Gives::Part => {
                let start = self.lenders.len();
                for &arg in args {
                    match self.kinds[arg.index()] {
                        Kind::Free => {}
                        Kind::Owned => self.lenders.push(arg),
                        Kind::Borrowed(from, to) => self.lenders.extend_from_within(from as usize..to as usize),
                    }
                }
                self.lenders[start..].sort_unstable();
                let mut end = start;
                for at in start..self.lenders.len() {
                    if at == start || self.lenders[at] != self.lenders[end - 1] {
                        self.lenders[end] = self.lenders[at];
                        end += 1;
                    }
                }
                self.lenders.truncate(end);
                self.kinds[value.index()] = Kind::Borrowed(start as u32, end as u32);
            }
        }
    }

    /// Takes a value; true when it was held.
    fn consume(&mut self, block: Block, at: Where, op: Op, value: Value) -> bool {
        let op = op.info().name;
        match self.kinds[value.index()] {
            Kind::Free => false,
            Kind::Owned if self.held[value.index()] => {
                self.held[value.index()] = false;
                self.count -= 1;
                self.gone[value.index()] = Some(at);
                true
            }
            Kind::Owned => {
                let (first, path) = (self.gone(value), self.path(block));
                self.faults.push(MirFault::ConsumedTwice { at, op, value: value.raw(), first, path });
                false
            }
            Kind::Borrowed(..) => {
                let path = self.path(block);
                self.faults.push(MirFault::BorrowConsumed { at, op, value: value.raw(), path });
                false
            }
        }
    }

    /// Looks at a value.
    fn look(&mut self, block: Block, at: Where, op: Op, value: Value) {
        let op = op.info().name;
        match self.kinds[value.index()] {
            Kind::Free => {}
            Kind::Owned if self.held[value.index()] => {}
            Kind::Owned => {
                let (first, path) = (self.gone(value), self.path(block));
                self.faults.push(MirFault::UsedWhenGone { at, op, value: value.raw(), first, path });
            }
            Kind::Borrowed(from, to) => {
                let lenders = &self.lenders[from as usize..to as usize];
                let Some(&owner) = lenders.iter().find(|owner| !self.held[owner.index()]) else { return };
                let (first, path) = (self.gone(owner), self.path(block));
                self.faults.push(MirFault::BorrowOutlives { at, op, value: value.raw(), owner: owner.raw(), first, path });
            }
        }
    }

    /// An edge from the block where the walk is.
    fn edge(&mut self, from: Block, at: Where, to: Block) {
        let Some(row) = &self.rows[to.index()] else {
            let held = self.all_held();
            self.rows[to.index()] = Some(Row { held, from: Some(from) });
            return;
        };
        if self.count == row.held.len() && row.held.iter().all(|value| self.held[value.index()]) {
            return;
        }
        let there = row.from.map_or_else(String::new, |from| self.path(from));
        let missing: Vec<Value> = row.held.iter().copied().filter(|value| !self.held[value.index()]).collect();
        let more: Vec<Value> =
            self.list.iter().copied().filter(|value| self.held[value.index()] && row.held.binary_search(value).is_err()).collect();
        let here = self.path(from);
        for value in more {
            let (with, without) = (here.clone(), there.clone());
            self.faults.push(MirFault::JoinDisagrees { at, value: value.raw(), block: to.raw(), with, without });
        }
        for value in missing {
            let (with, without) = (there.clone(), here.clone());
            self.faults.push(MirFault::JoinDisagrees { at, value: value.raw(), block: to.raw(), with, without });
        }
    }

    /// The function is left: nothing may be held.
    fn leave(&mut self, block: Block, at: Where) {
        if self.count == 0 {
            return;
        }
        for value in self.all_held() {
            let path = self.path(block);
            self.faults.push(MirFault::Leaked { at, value: value.raw(), path });
        }
    }

    /// All that is held, sorted.
    fn all_held(&mut self) -> Vec<Value> {
        let held = &self.held;
        self.list.retain(|value| held[value.index()]);
        self.list.sort_unstable();
        self.list.dedup();
        self.list.clone()
    }

    /// Where a value was given away.
    fn gone(&self, value: Value) -> String {
        match self.gone[value.index()] {
            Some(Where::Inst { block, index }) => format!("b{block}:{index}"),
            Some(Where::Function | Where::Block(_)) | None => "its definition".to_owned(),
        }
    }

    /// A way from the entry to a block, its last blocks: `b0 b2 b5`.
    fn path(&self, block: Block) -> String {
        const SHOWN: usize = 8;
        let mut blocks = vec![block];
        let mut at = block;
        while let Some(Row { from: Some(from), .. }) = &self.rows[at.index()] {
            at = *from;
            if blocks.len() == SHOWN {
                break;
            }
            blocks.push(at);
        }
        let mut text = String::new();
        if blocks.last() != Some(&ENTRY) {
            text.push_str(".. ");
        }
        for (index, block) in blocks.iter().rev().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let _ = write!(text, "{space}b{}", block.raw());
        }
        text
    }
}

/// How often each value is an operand or an argument of a target.
fn uses(graph: &Graph<Mir>) -> Vec<u32> {
    let mut uses = vec![0; graph.values.len()];
    for &inst in graph.blocks.rows().iter().flat_map(|block| &block.insts) {
        let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
        graph.args(inst).iter().chain(passed).for_each(|value| uses[value.index()] += 1);
    }
    uses
}

fn place(block: Block, index: usize) -> Where {
    Where::Inst { block: block.raw(), index: index as u32 }
}
