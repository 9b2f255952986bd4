//! What is known at a spot, and ints and lengths as polynomials.

use hir::Type;
use ir::Symbol;
use ir::ssa::{Block, Def, Graph, Inst, Value};

use super::poly::{Atom, Poly, What};
use super::{Expanded, Level, Prover, combined, look};
use crate::Op;
use crate::ir::Mir;
use crate::verify::proof::{int_literal, lengths};

/// Facts that are collected for a spot: the nearest.
const MOST: usize = 96;
/// Instructions that are looked at for facts.
const FAR: usize = 512;
/// Operands inside each other that are looked into.
const DEPTH: u32 = 12;

/// A polynomial that is not negative if the instructions that it needs do not wrap.
pub(super) type Fact = Expanded;

/// Somewhere in a body: behind so many instructions of a block, and on an edge where that is said.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) block: Block,
    pub(super) at: usize,
    pub(super) edge: Option<(Inst, u32)>,
}

impl Expanded {
    pub(super) fn of(poly: Poly) -> Expanded {
        Expanded { poly, needs: Vec::new() }
    }

    /// `self - other - number`.
    fn less(&self, other: &Expanded, number: i128) -> Option<Expanded> {
        let poly = self.poly.less(&other.poly)?.sum(&Poly::number(-number))?;
        let mut needs = self.needs.clone();
        needs.extend(&other.needs);
        Some(Expanded { poly, needs })
    }
}

impl Prover<'_> {
    /// What every way to a spot has shown, the nearest first.
    pub(super) fn facts(&mut self, spot: Spot, level: Level) -> Vec<Fact> {
        let graph = self.graph;
        let mut facts = Vec::new();
        let mut seen = 0;
        let mut next = Some(spot);
        while let Some(Spot { block, at, edge }) = next {
            if let Some((inst, index)) = edge {
                self.edge_facts(inst, index as usize, level, &mut facts);
            }
            for &inst in graph.blocks[block].insts[..at].iter().rev().take(FAR - seen) {
                seen += 1;
                if let Some((list, index)) = look(graph, inst) {
                    let (length, index) = (self.length(list), self.int(index, level));
                    facts.extend(length.less(&index, 1));
                    facts.push(index);
                }
            }
            if let Some(held) = self.held.get(&block) {
                facts.extend(held.iter().cloned().map(Expanded::of));
            }
            seen += 1;
            next = self.above(block).filter(|_| facts.len() < MOST && seen < FAR);
        }
        facts
    }

    fn edge_facts(&mut self, last: Inst, index: usize, level: Level, facts: &mut Vec<Fact>) {
        let graph = self.graph;
        match graph.op(last) {
            // Both ways to one block say nothing.
            Op::Branch if graph.targets(last).iter().all(|target| target.block == graph.targets(last)[0].block) => {}
            Op::Branch => self.condition_facts(graph.args(last)[0], index == 0, level, DEPTH, facts),
            Op::Switch => {
                let (value, cases) = (self.int(graph.args(last)[0], level), graph.cases(last));
                match cases.get(index) {
                    Some(&case) => {
                        let case = Expanded::of(Poly::number(case.into()));
                        facts.extend(value.less(&case, 0));
                        facts.extend(case.less(&value, 0));
                    }
                    // None of the cases, so none of the least ones either.
                    None => {
                        let Some(mut low) = self.low(&value.poly) else { return };
                        while cases.iter().any(|&case| i128::from(case) == low) {
                            low += 1;
                        }
                        facts.extend(value.less(&Expanded::of(Poly::number(low)), 0));
                    }
                }
            }
            _ => {}
        }
    }

    fn condition_facts(&mut self, condition: Value, holds: bool, level: Level, depth: u32, facts: &mut Vec<Fact>) {
        let graph = self.graph;
        let Some(inst) = graph.def_inst(condition).filter(|_| depth > 0) else { return };
        let (op, args) = (graph.op(inst), graph.args(inst));
        match (op, args) {
            (Op::Not, &[inner]) => self.condition_facts(inner, !holds, level, depth - 1, facts),
            (Op::And | Op::Or, &[a, b]) if holds == (op == Op::And) && graph.ty(a) == Type::BOOL => {
                self.condition_facts(a, holds, level, depth - 1, facts);
                self.condition_facts(b, holds, level, depth - 1, facts);
            }
            (Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Eq | Op::Ne, &[a, b]) if is_discrete(graph.ty(a)) => {
                let (a, b) = (self.int(a, level), self.int(b, level));
                match (op, holds) {
                    (Op::Lt, true) | (Op::Ge, false) => facts.extend(b.less(&a, 1)),
                    (Op::Le, true) | (Op::Gt, false) => facts.extend(b.less(&a, 0)),
                    (Op::Gt, true) | (Op::Le, false) => facts.extend(a.less(&b, 1)),
                    (Op::Ge, true) | (Op::Lt, false) => facts.extend(a.less(&b, 0)),
                    (Op::Eq, true) | (Op::Ne, false) => {
                        facts.extend(a.less(&b, 0));
                        facts.extend(b.less(&a, 0));
                    }
                    // Not the same, and never less: more.
                    _ => {
                        for (a, b) in [(&a, &b), (&b, &a)] {
                            if a.less(b, 0).is_some_and(|rest| rest.needs.is_empty() && self.low(&rest.poly).is_some_and(|low| low >= 0)) {
                                facts.extend(a.less(b, 1));
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// An atom as what it is computed from.
    pub(super) fn of_atom(&mut self, atom: Atom, level: Level) -> Expanded {
        match atom.what() {
            What::Int(value) => self.int(value, level),
            What::Length(list) => self.length(list),
        }
    }

    fn int(&mut self, value: Value, level: Level) -> Expanded {
        if level != Level::Value {
            return self.deep(value, level, DEPTH);
        }
        let value = self.carried(value);
        let graph = self.graph;
        if let Some(literal) = int_literal(graph, value) {
            return Expanded::of(Poly::number(literal.into()));
        }
        match graph.def_inst(value).map(|inst| (graph.op(inst), graph.args(inst))) {
            Some((Op::ListLen, &[list])) => self.length(list),
            _ => Expanded::of(Poly::atom(Atom::int(value))),
        }
    }

    fn deep(&mut self, value: Value, level: Level, depth: u32) -> Expanded {
        let value = self.carried(value);
        let graph = self.graph;
        let plain = self.int(value, Level::Value);
        let Some(inst) = graph.def_inst(value).filter(|_| depth > 0) else { return plain };
        let &[a, b] = graph.args(inst) else { return plain };
        let op = graph.op(inst);
        if !matches!(op, Op::Add | Op::Sub | Op::Mul | Op::WrapAdd | Op::WrapSub | Op::WrapMul) {
            return plain;
        }
        if let Some(known) = self.expanded.get(&(value, level)) {
            return known.clone();
        }
        let (a, b) = (self.deep(a, level, depth - 1), self.deep(b, level, depth - 1));
        let is_number = |poly: &Poly| poly.atoms().next().is_none();
        let is_product = matches!(op, Op::Mul | Op::WrapMul) && !is_number(&a.poly) && !is_number(&b.poly);
        let expanded = match combined(op, &a.poly, &b.poly) {
            Some(poly) if level == Level::Product || !is_product => {
                let mut needs = a.needs;
                needs.extend(b.needs);
                // Those that check do not wrap.
                if matches!(op, Op::WrapAdd | Op::WrapSub | Op::WrapMul) {
                    needs.push(inst);
                }
                needs.sort_unstable();
                needs.dedup();
                Expanded { poly, needs }
            }
            _ => plain,
        };
        self.expanded.insert((value, level), expanded.clone());
        expanded
    }

    /// What a parameter is on the only way into its block.
    fn carried(&self, mut value: Value) -> Value {
        while let Def::Param(block, index) = self.graph.values[value].def
            && let [way] = self.ways[block.index()][..]
            && let Some((inst, target)) = way.edge
            && let Some(&arg) = self.graph.target_args(self.graph.targets(inst)[target as usize]).get(index as usize)
        {
            value = arg;
        }
        value
    }

    /// The length of a list as that of the list that it was made of.
    pub(super) fn length(&mut self, list: Value) -> Expanded {
        let graph = self.graph;
        let (of, more) = self.origin(list);
        let length = match graph.def_inst(of).map(|inst| (graph.op(inst), inst)) {
            Some((Op::List, inst)) => Poly::number(graph.args(inst).len() as i128),
            Some((Op::Static, inst)) => match crate::statics::length(Symbol::from_raw(graph.insts[inst].imm as u32)) {
                Some(length) => Poly::number(i128::from(length)),
                None => Poly::atom(Atom::length(of)),
            },
            _ => Poly::atom(Atom::length(of)),
        };
        Expanded::of(length.sum(&Poly::number(more)).unwrap_or_default())
    }

    /// The list that a list was made of by changes of elements and pushes, and how many pushes. A list that is changed a thousand times is a thousand lists, each of
    /// which is asked by those behind it: what is known of one is kept.
    fn origin(&mut self, list: Value) -> (Value, i128) {
        let graph = self.graph;
        let (mut of, mut more) = (list, 0);
        loop {
            of = self.carried(of);
            if let Some(&(first, pushed)) = self.origins.get(&of) {
                (of, more) = (first, more + pushed);
                break;
            }
            let Some(inst) = graph.def_inst(of) else { break };
            match (graph.op(inst), graph.args(inst)) {
                (Op::ListSet | Op::ListReserve | Op::ListOwn, &[before, ..]) => of = before,
                // The sum fits where elements need room.
                (Op::ListPush, &[before, _]) if lengths(graph.ty(of)).high < i64::MAX => (of, more) = (before, more + 1),
                _ => break,
            }
        }
        self.origins.insert(list, (of, more));
        (of, more)
    }
}

fn is_discrete(ty: Type) -> bool {
    [Type::INT, Type::BYTE, Type::CHAR, Type::BOOL].contains(&ty)
}

/// Does a literal say that this edge is never taken? Passes that run out of fuel leave such edges.
pub(super) fn is_dead(graph: &Graph<Mir>, edge: Option<(Inst, u32)>) -> bool {
    let Some((last, index)) = edge else { return false };
    let Some(literal) = graph.args(last).first().and_then(|&value| int_literal(graph, value)) else { return false };
    match graph.op(last) {
        Op::Branch => (literal != 0) != (index == 0),
        Op::Switch => {
            let cases = graph.cases(last);
            cases.iter().position(|&case| case == literal).unwrap_or(cases.len()) != index as usize
        }
        _ => false,
    }
}
