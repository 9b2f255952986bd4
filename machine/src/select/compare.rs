//! Comparisons and who reads them: branches, selects, checks, values.

use ir::ssa::{Inst, Value};
use lir::{Cond, FloatCond, Op as L};

use super::{Limit, Selector, class_of};
use crate::ops::{Op, cc};
use crate::regs::{Class, NONE};

/// The condition code of an integer comparison.
pub(super) const fn code(cond: Cond) -> i32 {
    match cond {
        Cond::Eq => cc::E,
        Cond::Ne => cc::NE,
        Cond::Slt => cc::L,
        Cond::Sle => cc::LE,
        Cond::Sgt => cc::G,
        Cond::Sge => cc::GE,
        Cond::Ult => cc::B,
        Cond::Ule => cc::BE,
        Cond::Ugt => cc::A,
        Cond::Uge => cc::AE,
    }
}

impl Selector<'_> {
    /// Emits the comparison behind a condition and says under which code the condition is true. Everything that the reader of the flags needs must be in
    /// registers before.
    pub(super) fn condition(&mut self, value: Value) -> i32 {
        if let Some((inst, def)) = self.deferred(value) {
            let def = *def;
            match def.op {
                L::Icmp => {
                    if let Some(&cond) = Cond::ALL.get(def.imm as usize) {
                        self.columns.values[value.index()].is_deferred = false;
                        let args = &self.graph.args[def.args];
                        return self.icmp(cond, args[0], args[1]);
                    }
                }
                L::Fcmp => {
                    if let Some(&cond) = FloatCond::ALL.get(def.imm as usize) {
                        self.columns.values[value.index()].is_deferred = false;
                        return self.fcmp(cond, inst);
                    }
                }
                L::CountDown => {
                    self.columns.values[value.index()].is_deferred = false;
                    self.count(Op::Decrement, self.graph.args[def.args][0]);
                    return cc::S;
                }
                L::Xor => {
                    // `not` of a bool: the other code.
                    let args = &self.graph.args[def.args];
                    if self.int_of(args[1]) == Some(1) {
                        self.columns.values[value.index()].is_deferred = false;
                        return self.condition(args[0]) ^ 1;
                    }
                }
                _ => {}
            }
        }
        let reg = self.reg(value);
        self.push(Op::Test, [NONE, reg, reg], 0, 0);
        cc::NE
    }

    /// Emits an integer comparison.
    pub(super) fn icmp(&mut self, cond: Cond, left: Value, right: Value) -> i32 {
        let (cond, left, right) =
            if self.int_of(left).is_some() && self.int_of(right).is_none() { (cond.swapped(), right, left) } else { (cond, left, right) };
        match self.imm_of(right) {
            Some(0) => {
                if let Some((_, def)) = self.deferred(left)
                    && def.op == L::And
                {
                    let (x, mask) = (self.graph.args[def.args][0], self.graph.args[def.args][1]);
                    self.columns.values[left.index()].is_deferred = false;
                    match self.imm_of(mask) {
                        Some(imm) => {
                            let reg = self.reg(x);
                            self.push(Op::TestImm, [NONE, reg, NONE], imm, 0);
                        }
                        None => {
                            let (x, mask) = (self.reg(x), self.reg(mask));
                            self.push(Op::Test, [NONE, x, mask], 0, 0);
                        }
                    }
                } else {
                    let reg = self.reg(left);
                    self.push(Op::Test, [NONE, reg, reg], 0, 0);
                }
            }
            Some(imm) => {
                let reg = self.reg(left);
                self.push(Op::CmpImm, [NONE, reg, NONE], imm, 0);
            }
            None => {
                let (left, right) = (self.reg(left), self.reg(right));
                self.push(Op::Cmp, [NONE, left, right], 0, 0);
            }
        }
        code(cond)
    }

    /// Emits `ucomi` so that an unordered result makes the code false: less becomes greater with swapped operands.
    fn fcmp_flags(&mut self, cond: FloatCond, left: Value, right: Value) -> Option<i32> {
        let (left, right, code) = match cond {
            FloatCond::Lt => (right, left, Some(cc::A)),
            FloatCond::Le => (right, left, Some(cc::AE)),
            FloatCond::Gt => (left, right, Some(cc::A)),
            FloatCond::Ge => (left, right, Some(cc::AE)),
            FloatCond::Eq | FloatCond::Ne if self.float_of(left).is_some() => (right, left, None),
            FloatCond::Eq | FloatCond::Ne => (left, right, None),
        };
        match self.float_of(right) {
            Some(bits) => {
                let constant = self.constant([bits, 0]);
                let left = self.reg(left);
                self.push(Op::UcomiConst, [NONE, left, NONE], 0, constant);
            }
            None => {
                let (left, right) = (self.reg(left), self.reg(right));
                self.push(Op::Ucomi, [NONE, left, right], 0, 0);
            }
        }
        code
    }

    /// A float comparison for a reader of flags. Equality needs two flags, so it is made a value first.
    fn fcmp(&mut self, cond: FloatCond, inst: Inst) -> i32 {
        let args = self.graph.args(inst);
        match self.fcmp_flags(cond, args[0], args[1]) {
            Some(code) => code,
            None => {
                let reg = self.new_reg(Class::Gp);
                let op = if cond == FloatCond::Eq { Op::SetFEq } else { Op::SetFNe };
                self.push(op, [reg, NONE, NONE], 0, 0);
                self.push(Op::Test, [NONE, reg, reg], 0, 0);
                cc::NE
            }
        }
    }

    /// A comparison whose result is a value.
    pub(super) fn compare_value(&mut self, inst: Inst) {
        let row = self.graph.insts[inst];
        let args = &self.graph.args[row.args];
        if row.op == L::Icmp {
            let Some(&cond) = Cond::ALL.get(row.imm as usize) else {
                self.failed = Some(Limit::Malformed);
                return;
            };
            let code = self.icmp(cond, args[0], args[1]);
            let reg = self.define(inst);
            self.push(Op::Set, [reg, NONE, NONE], code, 0);
            return;
        }
        let Some(&cond) = FloatCond::ALL.get(row.imm as usize) else {
            self.failed = Some(Limit::Malformed);
            return;
        };
        let code = self.fcmp_flags(cond, args[0], args[1]);
        let reg = self.define(inst);
        match code {
            Some(code) => self.push(Op::Set, [reg, NONE, NONE], code, 0),
            None if cond == FloatCond::Eq => self.push(Op::SetFEq, [reg, NONE, NONE], 0, 0),
            None => self.push(Op::SetFNe, [reg, NONE, NONE], 0, 0),
        }
    }

    /// `select`: a conditional move, or for doubles two edges to one block.
    pub(super) fn select_value(&mut self, inst: Inst) {
        let args = self.graph.args(inst);
        let (condition, yes, no) = (args[0], args[1], args[2]);
        let class = class_of(self.graph.ty(yes));
        let (yes, no) = (self.reg(yes), self.reg(no));
        let code = self.condition(condition);
        let result = self.define(inst);
        match class {
            Class::Gp => self.push(Op::Cmov, [result, no, yes], code, 0),
            Class::Xmm => {
                let join = self.out.blocks.len() as u32;
                for (op, code, value) in [(Op::JumpIf, code, yes), (Op::Jump, 0, no)] {
                    let args = self.out.regs.add([value]);
                    let edge = self.edge_inside(join, args);
                    self.push(op, [NONE; 3], code, edge);
                }
                let params = self.out.regs.add([result]);
                self.start_block(self.depth, params);
            }
        }
    }
}
