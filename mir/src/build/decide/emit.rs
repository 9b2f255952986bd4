//! Decision trees become blocks: what a node asks is read where it is asked, and each arm is entered from all its leaves.

use hir::Type;
use hir::ir::{ExprId, Pattern, PatternId};
use ir::Stop;
use ir::ssa::Value;

use super::{Node, Part, Parts, Step, element_of, named};
use crate::build::cells::{cell_of, part_type};
use crate::build::flow::Join;
use crate::build::matching::Test;
use crate::build::{Builder, Lower, reached};
use crate::ops::{Op, payload_imm};

impl Builder<'_> {
    pub(super) fn decide(
        &mut self,
        node: &Node,
        parts: &Parts,
        known: &mut Vec<(Part, Value)>,
        entries: &mut [Join],
        next: &mut Join,
    ) -> Result<(), Stop> {
        match node {
            Node::Fail => self.jump(next, None),
            Node::Leaf { arm, names } => {
                for &(name, part) in names {
                    let value = self.read_part(part, parts, known);
                    self.set(name, value);
                }
                self.jump(&mut entries[*arm], None);
            }
            Node::Variants { part, cases, rest } => {
                let value = self.read_part(*part, parts, known);
                let mut ways: Vec<Option<&Node>> = cases.iter().map(|(_, node)| Some(node)).collect();
                ways.extend(rest.as_deref().map(Some));
                let joins = self.split_variants(value, cases, ways.len());
                self.ways(&ways, joins, parts, known, entries, next)?;
            }
            Node::Values { part, cases, rest } => {
                let value = self.read_part(*part, parts, known);
                let mut ways: Vec<Option<&Node>> = cases.iter().map(|(_, node)| Some(node)).collect();
                ways.push(Some(rest));
                let numbers: Vec<i64> = cases.iter().map(|(number, _)| *number).collect();
                let mut joins: Vec<Join> = ways.iter().map(|_| self.open(None)).collect();
                let inst = self.open_switch(value, &numbers);
                for (target, join) in joins.iter_mut().enumerate() {
                    self.edge(join, inst, target as u32, None);
                }
                self.ways(&ways, joins, parts, known, entries, next)?;
            }
            Node::Test { part, test, yes, no } => {
                let value = self.read_part(*part, parts, known);
                let (mut fits, mut fails) = (self.open(None), self.open(None));
                self.test(value, *test, &mut fits, &mut fails)?;
                self.ways(&[Some(yes), Some(no)], vec![fits, fails], parts, known, entries, next)?;
            }
        }
        Ok(())
    }

    /// One way for each case, in order, and one for the rest if there are more ways than cases.
    fn split_variants(&mut self, value: Value, cases: &[(u32, Node)], ways: usize) -> Vec<Join> {
        let mut joins: Vec<Join> = (0..ways).map(|_| self.open(None)).collect();
        match &mut joins[..] {
            [only] => self.jump(only, None),
            [first, second] => {
                let is = self.op_with(Op::Is, &[value], u64::from(cases[0].0), Type::BOOL);
                self.branch(is, first, second);
            }
            _ => {
                let tag = self.op(Op::Tag, &[value], Type::INT);
                // The last way takes what is left.
                let numbers: Vec<i64> = cases.iter().take(ways - 1).map(|(number, _)| i64::from(*number)).collect();
                let inst = self.open_switch(tag, &numbers);
                for (target, join) in joins.iter_mut().enumerate() {
                    self.edge(join, inst, target as u32, None);
                }
            }
        }
        joins
    }

    fn ways(
        &mut self,
        ways: &[Option<&Node>],
        joins: Vec<Join>,
        parts: &Parts,
        known: &mut Vec<(Part, Value)>,
        entries: &mut [Join],
        next: &mut Join,
    ) -> Result<(), Stop> {
        // What is read on one way is not known on another.
        let mark = known.len();
        for (way, join) in ways.iter().zip(joins) {
            if reached(self.seal(join))?.is_some()
                && let Some(node) = way
            {
                self.decide(node, parts, known, entries, next)?;
                known.truncate(mark);
            }
        }
        Ok(())
    }

    fn read_part(&mut self, part: Part, parts: &Parts, known: &mut Vec<(Part, Value)>) -> Value {
        if let Some(&(_, value)) = known.iter().rev().find(|(known, _)| *known == part) {
            return value;
        }
        let (ty, from) = parts.rows[part];
        // The whole is always known.
        let Some((of, step)) = from else { return self.unit() };
        let whole = self.read_part(of, parts, known);
        let value = self.read_step(whole, step, ty, parts.at);
        known.push((part, value));
        value
    }

    fn read_step(&mut self, whole: Value, step: Step, ty: Type, at: ExprId) -> Value {
        match step {
            Step::Field(field) => self.op_with(Op::Field, &[whole], u64::from(field), ty),
            Step::Payload(variant, part) => self.op_with(Op::Payload, &[whole], payload_imm(variant, part), ty),
            Step::Part(index) => self.op_with(Op::Part, &[whole], u64::from(index), ty),
            Step::Length => self.op(Op::ListLen, &[whole], ty),
            Step::Element(index) => {
                // The test of the length says that it is there; that takes control flow to prove.
                let index = self.int(i64::from(index));
                self.risky(Op::ListGet, &[whole, index], 0, ty, at)
            }
            Step::Rest(from) => {
                let from = self.int(i64::from(from));
                let length = self.op(Op::ListLen, &[whole], Type::INT);
                self.op(Op::ListSlice, &[whole, from, length], ty)
            }
        }
    }

    /// Tests one pattern part by part and goes on where it fits; else to `fail`.
    pub(super) fn sequence(&mut self, pattern: PatternId, value: Value, at: ExprId, fail: &mut Join) -> Lower<()> {
        let body = self.body;
        let test = match body.patterns[pattern] {
            Pattern::Any => return Ok(()),
            Pattern::Bind(local, inner) => {
                self.set(local, value);
                return self.sequence(inner, value, at, fail);
            }
            Pattern::Range(low, high) => Test::Range(low, high),
            Pattern::Str(text) => Test::Str(text),
            Pattern::Float(bits) => Test::Float(bits),
            Pattern::Fields(list) => {
                let types = self.cx.fields(self.graph.ty(value))?;
                for (index, &inner) in body.parts[list].iter().enumerate() {
                    if let Some(&ty) = types.as_ref().and_then(|types| types.get(index))
                        && body.patterns[inner] != Pattern::Any
                    {
                        let part = self.read_step(value, Step::Field(index as u32), ty, at);
                        self.sequence(inner, part, at, fail)?;
                    }
                }
                return Ok(());
            }
            Pattern::Variant(number, list) => {
                let mut yes = self.open(None);
                let is = self.op_with(Op::Is, &[value], u64::from(number), Type::BOOL);
                self.branch(is, &mut yes, fail);
                self.seal(yes)?;
                let sum = self.graph.ty(value);
                if let Some(cell) = cell_of(self.cx, sum, number)? {
                    let parts = &body.parts[list];
                    if parts.iter().all(|&inner| body.patterns[inner] == Pattern::Any) {
                        return Ok(());
                    }
                    let held = self.read_step(value, Step::Payload(number, 0), cell, at);
                    for (index, &inner) in parts.iter().enumerate() {
                        if body.patterns[inner] != Pattern::Any {
                            let part = self.read_step(held, Step::Part(index as u32), part_type(cell, index as u32), at);
                            self.sequence(inner, part, at, fail)?;
                        }
                    }
                    return Ok(());
                }
                let variants = self.cx.variants(sum)?;
                for (index, &inner) in body.parts[list].iter().enumerate() {
                    if let Some(&ty) = variants.as_ref().and_then(|variants| variants.get(number as usize)?.get(index))
                        && body.patterns[inner] != Pattern::Any
                    {
                        let part = self.read_step(value, Step::Payload(number, index as u32), ty, at);
                        self.sequence(inner, part, at, fail)?;
                    }
                }
                return Ok(());
            }
            Pattern::List(list, has_rest) => {
                let count = named(list, has_rest);
                let least = count as i64;
                let test = if has_rest { Test::Range(least, i64::MAX) } else { Test::Range(least, least) };
                let length = self.read_step(value, Step::Length, Type::INT, at);
                let mut yes = self.open(None);
                self.test(length, test, &mut yes, fail)?;
                self.seal(yes)?;
                let list_type = self.graph.ty(value);
                for (index, &inner) in body.parts[list].iter().enumerate() {
                    if body.patterns[inner] != Pattern::Any {
                        let (step, ty) = match index < count {
                            true => (Step::Element(index as u32), element_of(list_type).unwrap_or(Type::ERROR)),
                            false => (Step::Rest(index as u32), list_type),
                        };
                        let part = self.read_step(value, step, ty, at);
                        self.sequence(inner, part, at, fail)?;
                    }
                }
                return Ok(());
            }
            Pattern::Or(list) => {
                let mut fits = self.open_arm();
                for &alternative in &body.parts[list] {
                    let mut other = self.open(None);
                    let passed = self.sequence(alternative, value, at, &mut other);
                    if reached(passed)?.is_some() {
                        self.jump(&mut fits, None);
                    }
                    if reached(self.seal(other))?.is_none() {
                        self.seal(fits)?;
                        return Ok(());
                    }
                }
                self.jump(fail, None);
                self.seal(fits)?;
                return Ok(());
            }
        };
        let mut yes = self.open(None);
        self.test(value, test, &mut yes, fail)?;
        self.seal(yes)?;
        Ok(())
    }
}
