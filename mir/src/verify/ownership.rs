//! M03: ownership, proved on every path, unwind edges included.
//!
//! The certifier is independent of the pass that spells ownership out; they share the table of ops ([`crate::ownership::roles`]) and nothing else. One walk
//! over the blocks in reverse postorder: what is held when a block is entered is written down at the first edge that leads there, its *row*, and every other
//! edge, back edges too, must agree with the row. So there is no fixpoint, and the work is that of the instructions and the rows.
//!
//! A value is free (nothing in it is counted), owned, or borrowed from owned values. The walk holds a set of owned values: a definition adds to it, an operand that is
//! consumed takes from it. A borrowed value may be used while all that it is borrowed from is held.

use std::fmt::Write;

use hashbrown::HashMap;
use hir::Type;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, Value};
use ir::{ItemId, Stop, Where};

use super::faults::MirFault;
use crate::Op;
use crate::ir::{Context, Contract, Mir};
use crate::ownership::roles::{self, Gives, Takes};

/// Reports `dup` and `drop` in a phase that has none.
pub(super) fn refuse(graph: &Graph<Mir>, faults: &mut Vec<MirFault>) {
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            let op = graph.op(inst);
            if matches!(op, Op::Dup | Op::Drop) {
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
        held: vec![false; graph.values.len()],
        count: 0,
        list: Vec::new(),
        gone: vec![None; graph.values.len()],
        rows: vec![None; graph.blocks.len()],
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
    /// Is the value held where the walk is? So many are; all of them are in `list`, which may have some that are no more.
    held: Vec<bool>,
    count: usize,
    list: Vec<Value>,
    /// Where a value was consumed last.
    gone: Vec<Option<Where>>,
    rows: Vec<Option<Row>>,
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
        let contract = if block == ENTRY { self.cx.contract(graph.name)? } else { Contract::OWNED };
        for (index, &param) in graph.blocks[block].params.iter().enumerate() {
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
            && !self.counted[value.index()]
        {
            let found = graph.ty(value).to_string();
            self.faults.push(MirFault::NotCounted { at, op: op.info().name, value: value.raw(), found });
        }
        let contract = match takes {
            Takes::Contract => self.cx.contract(ItemId::from_raw(row.imm as u32))?,
            Takes::Borrows | Takes::Consumes | Takes::Rest | Takes::Runtime => Contract::OWNED,
        };
        for (index, &arg) in args.iter().enumerate() {
            if roles::consumes(takes, index, row.imm, contract) {
                self.consume(block, at, op, arg);
            }
        }
        // Behind what is consumed: an op cannot look at a part of what it takes away.
        for (index, &arg) in args.iter().enumerate() {
            if !roles::consumes(takes, index, row.imm, contract) {
                self.look(block, at, op, arg);
            }
        }
        if let Some(pad) = graph.edges[inst].unwind {
            self.edge(block, at, pad);
        }
        for target in graph.targets(inst) {
            let taken: Vec<Value> = graph.target_args(*target).iter().copied().filter(|&arg| self.consume(block, at, op, arg)).collect();
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

fn place(block: Block, index: usize) -> Where {
    Where::Inst { block: block.raw(), index: index as u32 }
}
