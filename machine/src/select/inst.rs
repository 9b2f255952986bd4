//! Instructions in the middle of a block.

use abi::layout::CELL_COUNT;
use abi::{PanicKind, RuntimeCall};
use ir::ItemId;
use ir::ssa::{Inst, Value};
use lir::{Op as L, Type};

use super::value::Address;
use super::{Limit, Selector};
use crate::ir::{Callee, Location, StubRow};
use crate::ops::{Op, cc};
use crate::regs::{Class, NONE, Reg};

impl Selector<'_> {
    /// One instruction in order: emitted, or left to its user.
    pub(super) fn inst(&mut self, inst: Inst) {
        let row = &self.graph.insts[inst];
        // Nearly always there are as many as classes.
        if row.args.len() < row.op.info().operands.len() && row.args.len() < fixed_operands(row.op) {
            self.failed = Some(Limit::Malformed);
            return;
        }
        if self.is_absorbed(inst) {
            let value = self.graph.insts[inst].first_result;
            self.columns.values[value.index()].is_deferred = true;
        } else {
            self.emit(inst);
        }
    }

    /// May the user of this instruction's result match on it? Chains are short, so that no recursion is deep.
    fn is_absorbed(&self, inst: Inst) -> bool {
        let row = &self.graph.insts[inst];
        if row.results != 1 {
            return false;
        }
        let value = row.first_result;
        match row.op {
            L::Icmp | L::Fcmp => self.single_user(value).is_some_and(|(user, by)| match by.op {
                L::Branch => true,
                L::Select => self.graph.args(user)[1..].iter().all(|&v| v != value),
                L::Xor => self.is_branch_not(user),
                _ => false,
            }),
            // With a side effect, so only when nothing stands between it and the branch.
            L::CountDown => self.single_user(value).is_some_and(|(user, by)| by.op == L::Branch && self.is_next(inst, user)),
            L::Xor => self.is_branch_not(inst),
            L::And => self.single_user(value).is_some_and(|(user, by)| {
                let args = self.graph.args(user);
                by.op == L::Icmp && args.len() == 2 && args[0] == value && self.int_of(args[1]) == Some(0)
            }),
            L::Add => {
                let is_address = |user: Inst, value: Value| {
                    let by = &self.graph.insts[user];
                    match by.op {
                        L::Load => true,
                        L::Store => self.graph.args(user).get(1) != Some(&value),
                        _ => false,
                    }
                };
                self.single_user(value).is_some_and(|(user, by)| {
                    is_address(user, value)
                        || by.op == L::Add
                            && self.graph.args(user).first() == Some(&value)
                            && self.single_user(by.first_result).is_some_and(|(next, _)| is_address(next, by.first_result))
                })
            }
            L::Shl | L::Mul => self.scale_of(row).is_some() && self.single_user(value).is_some_and(|(_, by)| by.op == L::Add),
            _ => false,
        }
    }

    /// Does the second instruction follow the first in this block?
    fn is_next(&self, first: Inst, second: Inst) -> bool {
        matches!(self.graph.blocks[ir::Id::new(self.lir_block as usize)].insts.as_slice(), [.., a, b] if (*a, *b) == (first, second))
    }

    /// `xor x, 1` for a branch of this block.
    fn is_branch_not(&self, inst: Inst) -> bool {
        let row = &self.graph.insts[inst];
        let args = self.graph.args(inst);
        row.op == L::Xor
            && args.len() == 2
            && self.int_of(args[1]) == Some(1)
            // Only a bool is certain to have no other bit set.
            && self.def(args[0]).is_some_and(|(_, def)| matches!(def.op, L::Icmp | L::Fcmp))
            && self.single_user(row.first_result).is_some_and(|(_, by)| by.op == L::Branch)
    }

    /// Emits an instruction.
    pub(super) fn emit(&mut self, inst: Inst) {
        let row = self.graph.insts[inst];
        let args = &self.graph.args[row.args];
        match row.op {
            // Defined where they are needed.
            L::Iconst | L::Fconst | L::Data | L::Static | L::Slot => {}
            L::Add => self.add(inst, args[0], args[1]),
            L::Sub => {
                if let Some(imm) = self.imm_of(args[1]) {
                    self.two_address_imm(inst, Op::SubImm, args[0], imm);
                } else {
                    self.two_address(inst, Op::Sub, args[0], args[1]);
                }
            }
            L::Mul => self.mul(inst, args[0], args[1]),
            L::MulHigh => self.three(inst, Op::MulHigh, args[0], args[1]),
            L::Sdiv => self.three(inst, Op::Div, args[0], args[1]),
            L::Srem => self.three(inst, Op::Rem, args[0], args[1]),
            L::Neg => self.one(inst, Op::Neg, args[0]),
            L::And => self.logic(inst, Op::And, Op::AndImm, args[0], args[1]),
            L::Or => self.logic(inst, Op::Or, Op::OrImm, args[0], args[1]),
            L::Xor => self.logic(inst, Op::Xor, Op::XorImm, args[0], args[1]),
            L::Shl => self.shift(inst, Op::Shl, Op::ShlImm, args[0], args[1]),
            L::Shr => self.shift(inst, Op::Shr, Op::ShrImm, args[0], args[1]),
            L::Sar => self.shift(inst, Op::Sar, Op::SarImm, args[0], args[1]),
            L::AddCheck | L::SubCheck | L::MulCheck | L::NegCheck => self.checked(inst),
            L::Check => self.check(inst),
            L::Icmp | L::Fcmp => self.compare_value(inst),
            L::Select => self.select_value(inst),
            L::Zext => {
                let reg = self.reg(args[0]);
                self.alias(inst, reg);
            }
            L::Trunc => match self.graph.ty(row.first_result) {
                Type::I8 => self.one(inst, Op::Trunc8, args[0]),
                Type::I32 => self.one(inst, Op::Trunc32, args[0]),
                Type::I64 | Type::Ptr => {
                    let reg = self.reg(args[0]);
                    self.alias(inst, reg);
                }
                Type::F64 => self.failed = Some(Limit::Malformed),
            },
            L::Fadd => self.float(inst, Op::AddF, Op::AddFConst, true),
            L::Fsub => self.float(inst, Op::SubF, Op::SubFConst, false),
            L::Fmul => self.float(inst, Op::MulF, Op::MulFConst, true),
            L::Fdiv => self.float(inst, Op::DivF, Op::DivFConst, false),
            L::Fneg => self.float_mask(inst, Op::XorFConst, [1 << 63, 0], args[0]),
            L::Fabs => self.float_mask(inst, Op::AndFConst, [!(1 << 63), u64::MAX], args[0]),
            L::Fsqrt => self.one(inst, Op::SqrtF, args[0]),
            L::FloatOfInt => self.one(inst, Op::FloatOfInt, args[0]),
            L::IntOfFloat => self.one(inst, Op::IntOfFloat, args[0]),
            L::BitsOfFloat => self.one(inst, Op::BitsOfFloat, args[0]),
            L::FloatOfBits => self.one(inst, Op::FloatOfBits, args[0]),
            L::Load => self.load(inst, args[0], row.imm as i64),
            L::Store => self.store(args[0], args[1], row.imm as i64),
            L::Alloc => {
                let result = self.define(inst);
                self.push(Op::Alloc, [result, NONE, NONE], row.imm as i32, 0);
            }
            L::Free => {
                let cell = self.reg(args[0]);
                self.push(Op::Free, [NONE, cell, NONE], row.imm as i32, 0);
            }
            L::CountUp => self.count(Op::Increment, args[0]),
            L::CountDown => {
                self.count(Op::Decrement, args[0]);
                let result = self.define(inst);
                self.push(Op::Set, [result, NONE, NONE], cc::S, 0);
            }
            L::Runtime => match RuntimeCall::from_number(row.imm) {
                Some(call) => self.call(inst, Callee::Runtime(call), args),
                None => self.failed = Some(Limit::Malformed),
            },
            L::Call => self.call(inst, Callee::Function(ItemId::from_raw(row.imm as u32)), args),
            L::CallPtr => {
                // Through memory: allocation has no register for it that the arguments do not want.
                let slot = self.callee_slot();
                let callee = self.reg(args[0]);
                self.push(Op::StoreSlot, [callee, NONE, NONE], 0, slot);
                self.call(inst, Callee::Slot(slot), &args[1..]);
            }
            L::Code => {
                let function = self.function(row.imm);
                let result = self.define(inst);
                self.push(Op::LeaFunction, [result, NONE, NONE], 0, function);
            }
            L::Jump | L::Branch | L::Switch | L::Return | L::Tail | L::Panic | L::Resume | L::Unreachable => self.terminator(inst),
        }
    }

    /// One holder of a cell more, or less.
    pub(super) fn count(&mut self, op: Op, cell: Value) {
        let cell = self.reg(cell);
        self.push(op, [NONE, cell, NONE], CELL_COUNT as i32, 1);
    }

    fn one(&mut self, inst: Inst, op: Op, value: Value) {
        let value = self.reg(value);
        let result = self.define(inst);
        self.push(op, [result, value, NONE], 0, 0);
    }

    fn three(&mut self, inst: Inst, op: Op, left: Value, right: Value) {
        let (left, right) = (self.reg(left), self.reg(right));
        let result = self.define(inst);
        self.push(op, [result, left, right], 0, 0);
    }

    fn two_address(&mut self, inst: Inst, op: Op, left: Value, right: Value) {
        self.three(inst, op, left, right);
    }

    fn two_address_imm(&mut self, inst: Inst, op: Op, left: Value, imm: i32) {
        let left = self.reg(left);
        let result = self.define(inst);
        self.push(op, [result, left, NONE], imm, 0);
    }

    /// Constants to the right.
    fn ordered(&self, left: Value, right: Value) -> (Value, Value) {
        if self.int_of(left).is_some() && self.int_of(right).is_none() { (right, left) } else { (left, right) }
    }

    fn add(&mut self, inst: Inst, left: Value, right: Value) {
        let (left, right) = self.ordered(left, right);
        match self.imm_of(right) {
            Some(0) => {
                let reg = self.reg(left);
                self.alias(inst, reg);
            }
            Some(imm) => self.two_address_imm(inst, Op::AddImm, left, imm),
            None => {
                let is_scaled = |value: Value| self.deferred(value).is_some_and(|(_, def)| self.scale_of(def).is_some());
                let (base, index) = if is_scaled(left) && !is_scaled(right) { (right, left) } else { (left, right) };
                if is_scaled(index) {
                    let (index, scale) = self.scaled(index);
                    let base = self.reg(base);
                    let result = self.define(inst);
                    self.push(Op::Lea, [result, base, index], 0, scale);
                } else {
                    self.two_address(inst, Op::Add, left, right);
                }
            }
        }
    }

    fn mul(&mut self, inst: Inst, left: Value, right: Value) {
        let (left, right) = self.ordered(left, right);
        let Some(imm) = self.int_of(right) else {
            self.two_address(inst, Op::Imul, left, right);
            return;
        };
        if imm > 0 && imm & (imm - 1) == 0 {
            let shift = imm.trailing_zeros() as i32;
            if shift == 0 {
                let reg = self.reg(left);
                self.alias(inst, reg);
            } else {
                self.two_address_imm(inst, Op::ShlImm, left, shift);
            }
            return;
        }
        if let 3 | 5 | 9 = imm {
            let left = self.reg(left);
            let result = self.define(inst);
            self.push(Op::Lea, [result, left, left], 0, imm as u32 - 1);
            return;
        }
        match i32::try_from(imm) {
            Ok(imm) => self.two_address_imm(inst, Op::ImulImm, left, imm),
            Err(_) => self.two_address(inst, Op::Imul, left, right),
        }
    }

    fn logic(&mut self, inst: Inst, op: Op, op_imm: Op, left: Value, right: Value) {
        let (left, right) = self.ordered(left, right);
        match (op, self.int_of(right)) {
            (Op::And, Some(0xff)) => self.one(inst, Op::Trunc8, left),
            (Op::And, Some(0xffff_ffff)) => self.one(inst, Op::Trunc32, left),
            (Op::Xor, Some(-1)) => self.one(inst, Op::Not, left),
            (_, Some(imm)) if i32::try_from(imm).is_ok() => self.two_address_imm(inst, op_imm, left, imm as i32),
            (_, Some(_) | None) => self.two_address(inst, op, left, right),
        }
    }

    fn shift(&mut self, inst: Inst, op: Op, op_imm: Op, left: Value, right: Value) {
        match self.int_of(right) {
            Some(count) if count & 63 == 0 => {
                let reg = self.reg(left);
                self.alias(inst, reg);
            }
            Some(count) => self.two_address_imm(inst, op_imm, left, (count & 63) as i32),
            None => self.two_address(inst, op, left, right),
        }
    }

    fn float(&mut self, inst: Inst, op: Op, op_const: Op, is_commutative: bool) {
        let args = self.graph.args(inst);
        let (mut left, mut right) = (args[0], args[1]);
        if is_commutative && self.float_of(left).is_some() {
            (left, right) = (right, left);
        }
        match self.float_of(right) {
            Some(bits) => self.float_mask(inst, op_const, [bits, 0], left),
            None => self.two_address(inst, op, left, right),
        }
    }

    fn float_mask(&mut self, inst: Inst, op: Op, constant: [u64; 2], value: Value) {
        let constant = self.constant(constant);
        let value = self.reg(value);
        let result = self.define(inst);
        self.push(op, [result, value, NONE], 0, constant);
    }

    fn load(&mut self, inst: Inst, address: Value, offset: i64) {
        let ty = self.graph.ty(self.graph.insts[inst].first_result);
        let address = self.address(address, offset);
        let (op, slot_op) = match ty {
            Type::I8 => (Op::Load8, None),
            Type::I32 => (Op::Load32, None),
            Type::I64 | Type::Ptr => (Op::Load, Some(Op::LoadSlot)),
            Type::F64 => (Op::LoadF, Some(Op::LoadSlotF)),
        };
        match (address, slot_op) {
            (Address::Slot(slot, disp), Some(op)) => {
                let result = self.define(inst);
                self.push(op, [result, NONE, NONE], disp, slot);
            }
            (address, _) => {
                let (base, index, scale, disp) = self.in_registers(address);
                let result = self.define(inst);
                self.push(op, [result, base, index], disp, scale);
            }
        }
    }

    fn store(&mut self, address: Value, value: Value, offset: i64) {
        let ty = self.graph.ty(value);
        let address = self.address(address, offset);
        if let (Address::Slot(slot, 0), Some(imm), 8) = (address, self.imm_of(value), ty.size()) {
            self.push(Op::StoreSlotImm, [NONE; 3], imm, slot);
            return;
        }
        let value = self.reg(value);
        let (op, slot_op) = match ty {
            Type::I8 => (Op::Store8, None),
            Type::I32 => (Op::Store32, None),
            Type::I64 | Type::Ptr => (Op::Store, Some(Op::StoreSlot)),
            Type::F64 => (Op::StoreF, Some(Op::StoreSlotF)),
        };
        match (address, slot_op) {
            (Address::Slot(slot, disp), Some(op)) => self.push(op, [value, NONE, NONE], disp, slot),
            (address, _) => {
                let (base, index, scale, disp) = self.in_registers(address);
                self.push(op, [value, base, index], disp, scale);
            }
        }
    }

    fn in_registers(&mut self, address: Address) -> (Reg, Reg, u32, i32) {
        match address {
            Address::Regs(base, index, scale, disp) => (base, index, scale, disp),
            Address::Slot(slot, disp) => {
                let base = self.new_reg(Class::Gp);
                self.push(Op::LeaSlot, [base, NONE, NONE], disp, slot);
                (base, NONE, 1, 0)
            }
        }
    }

    /// Arithmetic, then the stub on overflow.
    fn checked(&mut self, inst: Inst) {
        let row = self.graph.insts[inst];
        let args = &self.graph.args[row.args];
        let kind = PanicKind::from_number(row.imm);
        match row.op {
            L::AddCheck | L::MulCheck => {
                let (left, right) = self.ordered(args[0], args[1]);
                let (op, op_imm) = if row.op == L::AddCheck { (Op::Add, Op::AddImm) } else { (Op::Imul, Op::ImulImm) };
                match self.imm_of(right) {
                    Some(imm) => self.two_address_imm(inst, op_imm, left, imm),
                    None => self.two_address(inst, op, left, right),
                }
            }
            L::SubCheck => match self.imm_of(args[1]) {
                Some(imm) => self.two_address_imm(inst, Op::SubImm, args[0], imm),
                None => self.two_address(inst, Op::Sub, args[0], args[1]),
            },
            _ => self.one(inst, Op::Neg, args[0]),
        }
        self.stub(Op::Stub, inst, kind, &[], cc::O);
    }

    fn check(&mut self, inst: Inst) {
        let row = self.graph.insts[inst];
        let args = &self.graph.args[row.args];
        let Some((cond, kind)) = lir::ops::check_parts(row.imm) else {
            self.failed = Some(Limit::Malformed);
            return;
        };
        // Operands of the report first: what they need must not stand between the comparison and its reader.
        for &arg in &args[2..] {
            self.stub_operand(arg);
        }
        let code = self.icmp(cond, args[0], args[1]);
        self.stub(Op::Stub, inst, Some(kind), &args[2..], code ^ 1);
    }

    fn stub_operand(&mut self, value: Value) -> Location {
        if let Some(imm) = self.int_of(value) {
            return Location::Const(imm);
        }
        match self.def(value) {
            Some((inst, def)) if def.op == L::Slot => Location::SlotAddress(self.local_slot(inst)),
            Some((_, def)) if matches!(def.op, L::Data | L::Static) => {
                let (op, imm) = (def.op, def.imm);
                Location::Data(self.data(op, imm))
            }
            Some(_) | None => Location::Reg(self.reg(value)),
        }
    }

    /// A cold stub, reached from here.
    pub(super) fn stub(&mut self, op: Op, inst: Inst, kind: Option<PanicKind>, args: &[Value], code: i32) {
        let Some(kind) = kind.filter(|kind| kind.args().len() == args.len()) else {
            self.failed = Some(Limit::Malformed);
            return;
        };
        let mut locations = [Location::Const(0); 2];
        for (location, &arg) in locations.iter_mut().zip(args) {
            *location = self.stub_operand(arg);
        }
        let args = self.out.locations.add(locations[..args.len().min(2)].iter().copied());
        let edges = self.graph.edges[inst];
        self.out.stubs.push(StubRow { kind, args, place: edges.place, pad: edges.unwind.map(|pad| ir::Id::new(pad.index())) });
        let stub = self.out.stubs.len() as u32 - 1;
        self.push(op, [NONE; 3], code, stub);
    }
}

/// Operands that selection reads without asking how many there are.
fn fixed_operands(op: L) -> usize {
    op.info().operands.iter().filter(|&&class| class != lir::ops::Class::Many).count()
}
