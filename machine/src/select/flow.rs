//! Calls, terminators, edges.

use abi::PanicKind;
use ir::ItemId;
use ir::ssa::{Inst, Target, Value};
use lir::Op as L;

use super::{Limit, Selector, class_of};
use crate::ir::{CallRow, Callee, Edge};
use crate::ops::{Op, cc};
use crate::regs::{ArgPlace, ArgWalk, CALLER_SAVED, Class, NONE, Reg, ResultWalk};

impl Selector<'_> {
    /// Operands of a call: what goes on the stack is stored, the rest is listed.
    fn call_operands(&mut self, args: &[Value], is_tail: bool) -> ir::List<Reg> {
        let mut regs = std::mem::take(&mut self.columns.regs);
        regs.clear();
        for &arg in args {
            let reg = self.reg(arg);
            regs.push(reg);
        }
        let mut walk = ArgWalk::default();
        let mut kept = 0;
        for (at, &arg) in args.iter().enumerate() {
            let class = class_of(self.graph.ty(arg));
            match walk.next(class) {
                ArgPlace::Reg(_) => {
                    regs[kept] = regs[at];
                    kept += 1;
                }
                ArgPlace::Stack(index) => {
                    let slot = if is_tail { self.incoming_slot(index) } else { self.outgoing_slot(index) };
                    let op = if class == Class::Gp { Op::StoreSlot } else { Op::StoreSlotF };
                    let reg = regs[at];
                    self.push(op, [reg, NONE, NONE], 0, slot);
                }
            }
        }
        let list = self.out.regs.add(regs[..kept].iter().copied());
        self.columns.regs = regs;
        list
    }

    pub(super) fn call(&mut self, inst: Inst, callee: Callee, args: &[Value]) {
        let graph = self.graph;
        let args = self.call_operands(args, false);
        let mut regs = std::mem::take(&mut self.columns.regs);
        regs.clear();
        let mut walk = ResultWalk::default();
        for value in graph.results(inst) {
            let class = class_of(graph.ty(value));
            let reg = self.new_reg(class);
            self.columns.values[value.index()].reg = reg;
            regs.push(reg);
            if walk.next(class).is_none() {
                self.failed = Some(Limit::Results);
            }
        }
        let results = self.out.regs.add(regs.iter().copied());
        self.columns.regs = regs;
        let edges = graph.edges[inst];
        let pad = edges.unwind.map(|pad| ir::Id::new(pad.index()));
        self.push_call(Op::Call, CallRow { callee: Some(callee), args, results, clobbers: CALLER_SAVED, place: edges.place, pad });
    }

    fn push_call(&mut self, op: Op, row: CallRow) {
        self.out.calls.push(row);
        let call = self.out.calls.len() as u32 - 1;
        self.push(op, [NONE; 3], 0, call);
    }

    /// The arguments of an edge, in registers.
    fn edge_args(&mut self, target: Target) -> ir::List<Reg> {
        let graph = self.graph;
        let args = graph.target_args(target);
        if args.is_empty() {
            return ir::List::EMPTY;
        }
        let mut regs = std::mem::take(&mut self.columns.regs);
        regs.clear();
        for &arg in args {
            let reg = self.reg(arg);
            regs.push(reg);
        }
        let list = self.out.regs.add(regs.iter().copied());
        self.columns.regs = regs;
        list
    }

    pub(super) fn terminator(&mut self, inst: Inst) {
        let graph = self.graph;
        let row = graph.insts[inst];
        let args = &graph.args[row.args];
        let targets = graph.targets(inst);
        match row.op {
            L::Jump => {
                let [target] = targets else { return self.malformed() };
                let list = self.edge_args(*target);
                let edge = self.edge_to(target.block.raw(), list);
                self.push(Op::Jump, [NONE; 3], 0, edge);
            }
            L::Branch => {
                let [yes, no] = targets else { return self.malformed() };
                let (yes_args, no_args) = (self.edge_args(*yes), self.edge_args(*no));
                let code = self.condition(args[0]);
                for (op, code, target, list) in [(Op::JumpIf, code, yes, yes_args), (Op::Jump, 0, no, no_args)] {
                    let edge = self.edge_to(target.block.raw(), list);
                    self.push(op, [NONE; 3], code, edge);
                }
            }
            L::Switch => self.switch(inst, args[0]),
            L::Return => {
                let mut walk = ResultWalk::default();
                if args.iter().any(|&arg| walk.next(class_of(graph.ty(arg))).is_none()) {
                    self.failed = Some(Limit::Results);
                    return;
                }
                let mut regs = std::mem::take(&mut self.columns.regs);
                regs.clear();
                for &arg in args {
                    let reg = self.reg(arg);
                    regs.push(reg);
                }
                let list = self.out.regs.add(regs.iter().copied());
                self.columns.regs = regs;
                let place = graph.edges[inst].place;
                self.push_call(Op::Return, CallRow { callee: None, args: list, results: ir::List::EMPTY, clobbers: 0, place, pad: None });
            }
            L::Tail => {
                if self.stack_arguments(args) > self.incoming {
                    self.failed = Some(Limit::TailArguments);
                    return;
                }
                let list = self.call_operands(args, true);
                let callee = Some(Callee::Function(ItemId::from_raw(row.imm as u32)));
                let place = graph.edges[inst].place;
                self.push_call(
                    Op::TailCall,
                    CallRow { callee, args: list, results: ir::List::EMPTY, clobbers: CALLER_SAVED, place, pad: None },
                );
            }
            L::Panic => self.stub(Op::Panic, inst, PanicKind::from_number(row.imm), args, 0),
            L::Resume => self.push(Op::Resume, [NONE; 3], 0, 0),
            L::Unreachable => self.push(Op::Trap, [NONE; 3], 0, 0),
            // Only terminators come here.
            _ => self.malformed(),
        }
    }

    fn malformed(&mut self) {
        self.failed = Some(Limit::Malformed);
    }

    /// Comparisons in a balanced tree over the sorted cases, at its leaves one by one.
    fn switch(&mut self, inst: Inst, value: Value) {
        const LEAF: usize = 4;
        let graph = self.graph;
        let targets = graph.targets(inst);
        let cases = graph.cases(inst);
        if targets.len() != cases.len() + 1 {
            return self.malformed();
        }
        let value = self.reg(value);
        // Arguments are made once, before the first comparison.
        let mut lists = Vec::with_capacity(targets.len());
        for target in targets {
            lists.push(self.edge_args(*target));
        }
        let mut sorted = std::mem::take(&mut self.columns.cases);
        sorted.clear();
        sorted.extend(cases.iter().enumerate().map(|(at, &case)| (case, at as u32)));
        sorted.sort_unstable();
        sorted.dedup_by_key(|case| case.0);
        let default = targets.len() - 1;
        let mut work: Vec<(usize, usize, Option<u32>)> = vec![(0, sorted.len(), None)];
        while let Some((low, high, from)) = work.pop() {
            if let Some(edge) = from {
                let block = self.start_block(self.depth, ir::List::EMPTY);
                self.out.edges[edge as usize] = Edge { to: ir::Id::new((block.raw() | super::RESOLVED) as usize), args: ir::List::EMPTY };
            }
            if high - low > LEAF {
                let middle = low + (high - low) / 2;
                self.compare_case(value, sorted[middle].0);
                let below = self.edge_inside(0, ir::List::EMPTY);
                self.push(Op::JumpIf, [NONE; 3], cc::L, below);
                let above = self.edge_inside(0, ir::List::EMPTY);
                self.push(Op::Jump, [NONE; 3], 0, above);
                work.push((low, middle, Some(below)));
                work.push((middle, high, Some(above)));
                continue;
            }
            for (at, &(case, target)) in sorted.iter().enumerate().take(high).skip(low) {
                self.compare_case(value, case);
                let edge = self.edge_to(targets[target as usize].block.raw(), lists[target as usize]);
                self.push(Op::JumpIf, [NONE; 3], cc::E, edge);
                if at + 1 < high {
                    let next = self.edge_inside(self.out.blocks.len() as u32, ir::List::EMPTY);
                    self.push(Op::Jump, [NONE; 3], 0, next);
                    self.start_block(self.depth, ir::List::EMPTY);
                }
            }
            let edge = self.edge_to(targets[default].block.raw(), lists[default]);
            self.push(Op::Jump, [NONE; 3], 0, edge);
        }
        self.columns.cases = sorted;
    }

    fn compare_case(&mut self, value: Reg, case: i64) {
        match i32::try_from(case) {
            Ok(0) => self.push(Op::Test, [NONE, value, value], 0, 0),
            Ok(imm) => self.push(Op::CmpImm, [NONE, value, NONE], imm, 0),
            Err(_) => {
                let reg = self.new_reg(Class::Gp);
                self.push(Op::MovImm, [reg, NONE, NONE], case as i32, (case >> 32) as u32);
                self.push(Op::Cmp, [NONE, value, reg], 0, 0);
            }
        }
    }
}
