//! L02 and L05: op classes, calls and the calling convention, panics and statuses.

use std::sync::Arc;

use abi::{Kind, PanicKind, RuntimeCall, layout};
use hashbrown::HashMap;
use ir::ops::{Effect, Imm};
use ir::ssa::{Block, ENTRY, Inst, Value};
use ir::{ItemId, Stop, Where};

use super::{LirFault, here, type_list};
use crate::build::legal::{area_size, convention, stack_bytes};
use crate::build::machine_type;
use crate::ir::{Body, Context, Phase, Signature, Type};
use crate::ops::{Class, Cond, FloatCond, INVARIANT, NOUNWIND, Op, check_parts};
use crate::target::ORI;

/// Walks over the instructions of a body.
pub(super) struct Checker<'a, P: Phase> {
    pub(super) body: &'a Body<P>,
    cx: &'a dyn Context,
    pub(super) faults: Vec<LirFault>,
    /// The result area that the function gets as its first parameter: value and bytes.
    pub(super) area: Option<(Value, u32)>,
    incoming: u32,
    /// Signatures asked for, so that a body of many calls to one function asks once.
    signatures: HashMap<ItemId, Option<Arc<Signature>>>,
}

impl<'a, P: Phase> Checker<'a, P> {
    pub(super) fn new(body: &'a Body<P>, cx: &'a dyn Context, faults: Vec<LirFault>) -> Result<Self, Stop> {
        let mut checker = Checker { body, cx, faults, area: None, incoming: 0, signatures: HashMap::new() };
        checker.function()?;
        Ok(checker)
    }

    pub(super) fn into_faults(self) -> Vec<LirFault> {
        self.faults
    }

    pub(super) fn ty(&self, value: Value) -> Option<Type> {
        self.body.values.get(value).map(|row| row.ty)
    }

    /// Are these values of the wanted types? A value that does not exist fits; it has a fault of its own.
    fn fits(&self, wanted: impl Iterator<Item = Type>, values: &[Value]) -> bool {
        let mut given = values.iter();
        for wanted in wanted {
            let Some(&value) = given.next() else { return false };
            if self.ty(value).is_some_and(|found| found != wanted) {
                return false;
            }
        }
        given.next().is_none()
    }

    fn types<'b>(&'b self, values: &'b [Value]) -> impl Iterator<Item = Type> + 'b {
        values.iter().filter_map(|&v| self.ty(v))
    }

    /// The whole against its signature.
    fn function(&mut self) -> Result<(), Stop> {
        let body = self.body;
        let params = body.blocks.get(ENTRY).map_or(&[][..], |row| &row.params);
        self.incoming = stack_bytes(self.types(params));
        if P::IS_LEGAL {
            self.registers(&body.results, Where::Function);
        }
        if let Some(signature) = self.signature(body.name)? {
            let (wanted, results) = convention::<P>(&signature);
            if results.len() != signature.results.len() {
                self.area = params.first().map(|&area| (area, area_size(&signature.results)));
            }
            if !self.fits(wanted.clone(), params) || results != body.results {
                let expected = format!("{} -> {}", type_list(wanted), type_list(results.iter().copied()));
                let found = format!("{} -> {}", type_list(self.types(params)), type_list(body.results.iter().copied()));
                self.faults.push(LirFault::Signature { at: Where::Function, expected, found });
            }
        }
        Ok(())
    }

    fn registers(&mut self, results: &[Type], at: Where) {
        let floats = results.iter().filter(|t| !t.is_int()).count() as u32;
        let ints = results.len() as u32 - floats;
        if ints > ORI.int_results || floats > ORI.float_results {
            self.faults.push(LirFault::TooManyResults { at, ints, floats });
        }
    }

    fn signature(&mut self, function: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        if let Some(known) = self.signatures.get(&function) {
            return Ok(known.clone());
        }
        let signature = self.cx.signature(function)?;
        self.signatures.insert(function, signature.clone());
        Ok(signature)
    }

    pub(super) fn inst(&mut self, inst: Inst, block: Block, index: u32) -> Result<(), Stop> {
        let body = self.body;
        let at = here(block.raw(), index);
        let row = &body.insts[inst];
        let info = row.op.info();
        let args = body.args(inst);
        let first = args.first().and_then(|&v| self.ty(v));
        for (&class, &value) in info.operands.iter().zip(args) {
            let Some(found) = self.ty(value) else { continue };
            if let Some(expected) = misfit(class, first, found) {
                self.faults.push(LirFault::OperandType { at, op: info.name, value: value.raw(), expected, found: found.name() });
            }
        }
        for (&class, value) in info.results.iter().zip(body.results(inst)) {
            let Some(found) = self.ty(value) else { continue };
            if let Some(expected) = misfit(class, first, found) {
                self.faults.push(LirFault::ResultType { at, op: info.name, value: value.raw(), expected, found: found.name() });
            }
        }
        if row.flags != 0 {
            self.flags(row.op, row.flags, at);
        }
        if info.effect == Effect::Ends {
            self.targets(inst, at);
        }
        if info.imm == Imm::Word && !word_is_known(row.op, row.imm) {
            self.faults.push(LirFault::UnknownWord { at, op: info.name, number: row.imm });
            return Ok(());
        }
        match row.op {
            Op::Iconst => {
                if let Some(ty) = body.results(inst).next().and_then(|v| self.ty(v)) {
                    self.constant(ty, row.imm as i64, at);
                }
            }
            Op::Select => self.select(inst, at),
            Op::AddCheck | Op::SubCheck | Op::MulCheck | Op::NegCheck => self.checked_kind(row.op, row.imm, at),
            Op::Check => {
                if let Some((_, kind)) = check_parts(row.imm) {
                    self.panic_arguments(kind, args.get(2..).unwrap_or(&[]), at);
                }
            }
            Op::Panic => {
                if let Some(kind) = PanicKind::from_number(row.imm) {
                    self.panic_arguments(kind, args, at);
                }
            }
            Op::Runtime => {
                if let Some(call) = RuntimeCall::from_number(row.imm) {
                    self.runtime(inst, call, at);
                    self.statuses(inst, call, block, index, at);
                }
            }
            Op::Call => self.call(inst, at)?,
            Op::Tail => self.tail(inst, at)?,
            Op::Return => {
                if !self.fits(body.results.iter().copied(), args) {
                    let expected = type_list(body.results.iter().copied());
                    let found = type_list(self.types(args));
                    self.faults.push(LirFault::ReturnOperands { at, expected, found });
                }
            }
            Op::Switch => {
                if let Some(ty) = first {
                    for &case in body.cases(inst) {
                        self.constant(ty, case, at);
                    }
                }
            }
            Op::Slot => self.slot(row.imm as i64, at),
            Op::Load | Op::Store => self.access(inst, at),
            Op::Fconst
            | Op::Data
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::MulHigh
            | Op::Sdiv
            | Op::Srem
            | Op::IntOfFloat
            | Op::Neg
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::Shl
            | Op::Shr
            | Op::Sar
            | Op::Icmp
            | Op::Fcmp
            | Op::Zext
            | Op::Trunc
            | Op::Fadd
            | Op::Fsub
            | Op::Fmul
            | Op::Fdiv
            | Op::Fneg
            | Op::Fabs
            | Op::Fsqrt
            | Op::FloatOfInt
            | Op::BitsOfFloat
            | Op::FloatOfBits
            | Op::Jump
            | Op::Branch
            | Op::Resume
            | Op::Unreachable => {}
        }
        Ok(())
    }

    fn flags(&mut self, op: Op, flags: u16, at: Where) {
        let panics = op.info().effect == Effect::Panics || op == Op::Panic;
        if flags & NOUNWIND != 0 && !panics {
            self.faults.push(LirFault::FlagMisplaced { at, op: op.info().name, flag: "nounwind" });
        }
        if flags & INVARIANT != 0 && op != Op::Load {
            self.faults.push(LirFault::FlagMisplaced { at, op: op.info().name, flag: "invariant" });
        }
    }

    fn targets(&mut self, inst: Inst, at: Where) {
        let body = self.body;
        for target in body.targets(inst) {
            let Some(row) = body.blocks.get(target.block) else { continue };
            for (&param, &value) in row.params.iter().zip(body.target_args(*target)) {
                let (Some(expected), Some(found)) = (self.ty(param), self.ty(value)) else { continue };
                if expected != found {
                    let (value, block) = (value.raw(), target.block.raw());
                    self.faults.push(LirFault::TargetType { at, value, block, expected: expected.name(), found: found.name() });
                }
            }
        }
    }

    fn constant(&mut self, ty: Type, literal: i64, at: Where) {
        let fits = match ty {
            Type::I8 => u8::try_from(literal).is_ok(),
            Type::I32 => u32::try_from(literal).is_ok(),
            Type::I64 | Type::Ptr => true,
            Type::F64 => false,
        };
        if !fits {
            self.faults.push(LirFault::ConstantRange { at, ty: ty.name(), literal });
        }
    }

    fn select(&mut self, inst: Inst, at: Where) {
        let Some(expected) = self.body.results(inst).next().and_then(|v| self.ty(v)) else { return };
        for &value in self.body.args(inst).iter().skip(1) {
            if let Some(found) = self.ty(value)
                && found != expected
            {
                self.faults.push(LirFault::SelectType { at, value: value.raw(), expected: expected.name(), found: found.name() });
            }
        }
    }

    fn checked_kind(&mut self, op: Op, imm: u64, at: Where) {
        let Some(kind) = PanicKind::from_number(imm) else { return };
        let allowed: &[PanicKind] = match op {
            Op::AddCheck => &[PanicKind::AddOverflow],
            Op::SubCheck => &[PanicKind::SubOverflow],
            Op::MulCheck => &[PanicKind::MulOverflow],
            // A division by the literal -1 is a negation.
            _ => &[PanicKind::NegOverflow, PanicKind::DivOverflow, PanicKind::FloorDivOverflow],
        };
        if !allowed.contains(&kind) {
            self.faults.push(LirFault::WrongKind { at, op: op.info().name, kind: kind.name() });
        }
    }

    fn panic_arguments(&mut self, kind: PanicKind, args: &[Value], at: Where) {
        if args.len() != kind.args().len() {
            self.faults.push(LirFault::PanicCount { at, kind: kind.name(), expected: kind.args().len(), found: args.len() });
        }
        for (&wanted, &value) in kind.args().iter().zip(args) {
            let Some(found) = self.ty(value) else { continue };
            let expected = operand_type(wanted);
            if found != expected {
                let (kind, value) = (kind.name(), value.raw());
                self.faults.push(LirFault::PanicArgument { at, kind, value, expected: expected.name(), found: found.name() });
            } else if wanted == Kind::Str {
                self.needs(value, layout::STR_SIZE as u32, false, at);
            }
        }
    }

    fn runtime(&mut self, inst: Inst, call: RuntimeCall, at: Where) {
        let body = self.body;
        let fallible = !call.statuses().is_empty();
        let out = match call.result() {
            Kind::Void => None,
            Kind::Str => Some(layout::STR_SIZE as u32),
            Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte => fallible.then_some(8),
        };
        let wanted = out.map(|_| Type::Ptr).into_iter().chain(call.args().iter().map(|&kind| operand_type(kind)));
        let args = body.args(inst);
        if !self.fits(wanted.clone(), args) {
            let (expected, found) = (type_list(wanted), type_list(self.types(args)));
            self.faults.push(LirFault::RuntimeOperands { at, call: call.name(), expected, found });
        } else {
            let kinds = out.map(|_| Kind::Void).into_iter().chain(call.args().iter().copied());
            for (kind, &value) in kinds.zip(args) {
                match (kind, out) {
                    (Kind::Void, Some(bytes)) => self.needs(value, bytes, true, at),
                    (Kind::Str, _) => self.needs(value, layout::STR_SIZE as u32, false, at),
                    (Kind::Void | Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte, _) => {}
                }
            }
        }
        let wanted = if fallible {
            Some(Type::I64)
        } else if out.is_some() {
            None
        } else {
            machine_type(call.result())
        };
        if !wanted.into_iter().eq(body.results(inst).filter_map(|v| self.ty(v))) {
            let found = type_list(body.results(inst).filter_map(|v| self.ty(v)));
            self.faults.push(LirFault::RuntimeResults { at, call: call.name(), expected: type_list(wanted), found });
        }
    }

    /// After the call come, before anything else that can be observed, `check ne status, k` for all statuses but the last and `check eq status, 0`.
    fn statuses(&mut self, inst: Inst, call: RuntimeCall, block: Block, index: u32, at: Where) {
        let body = self.body;
        let mut wanted = call.statuses().iter().enumerate();
        let Some(mut next) = wanted.next() else { return };
        let Some(status) = body.results(inst).next() else { return };
        for &later in &body.blocks[block].insts[index as usize + 1..] {
            let row = &body.insts[later];
            match (row.op, body.args(later)) {
                (Op::Check, &[value, number, ..]) if value == status => {
                    let (position, &kind) = next;
                    let last = position + 1 == call.statuses().len();
                    let (cond, literal) = if last { (Cond::Eq, 0) } else { (Cond::Ne, position as i64 + 1) };
                    if check_parts(row.imm) != Some((cond, kind)) || super::proofs::literal(body, number) != Some(literal) {
                        break;
                    }
                    match wanted.next() {
                        Some(more) => next = more,
                        None => return,
                    }
                }
                (op, _) if op.info().effect == Effect::Pure || op == Op::Slot => {}
                _ => break,
            }
        }
        self.faults.push(LirFault::StatusUnchecked { at, call: call.name(), kind: next.1.name() });
    }

    fn call(&mut self, inst: Inst, at: Where) -> Result<(), Stop> {
        let body = self.body;
        let function = ItemId::from_raw(body.insts[inst].imm as u32);
        if P::IS_LEGAL && body.insts[inst].results > 6 {
            let types: Vec<Type> = body.results(inst).filter_map(|v| self.ty(v)).collect();
            self.registers(&types, at);
        }
        let Some(signature) = self.signature(function)? else {
            self.faults.push(LirFault::UnknownFunction { at, function: function.to_string() });
            return Ok(());
        };
        let (params, results) = convention::<P>(&signature);
        let args = body.args(inst);
        if !self.fits(params.clone(), args) {
            let (expected, found) = (type_list(params), type_list(self.types(args)));
            self.faults.push(LirFault::CallOperands { at, function: function.to_string(), expected, found });
        } else if results.len() != signature.results.len()
            && let Some(&area) = args.first()
        {
            self.needs(area, area_size(&signature.results), true, at);
        }
        if !body.results(inst).filter_map(|v| self.ty(v)).eq(results.iter().copied()) {
            let expected = type_list(results.iter().copied());
            let found = type_list(body.results(inst).filter_map(|v| self.ty(v)));
            self.faults.push(LirFault::CallResults { at, function: function.to_string(), expected, found });
        }
        Ok(())
    }

    fn tail(&mut self, inst: Inst, at: Where) -> Result<(), Stop> {
        let body = self.body;
        let function = ItemId::from_raw(body.insts[inst].imm as u32);
        let args = body.args(inst);
        let Some(signature) = self.signature(function)? else {
            self.faults.push(LirFault::UnknownFunction { at, function: function.to_string() });
            return Ok(());
        };
        let (params, results) = convention::<P>(&signature);
        if !self.fits(params.clone(), args) {
            let (expected, found) = (type_list(params), type_list(self.types(args)));
            self.faults.push(LirFault::CallOperands { at, function: function.to_string(), expected, found });
        }
        let wide = results.len() != signature.results.len();
        let passes_area = !wide || self.area.is_some_and(|(area, _)| args.first() == Some(&area));
        if results != body.results || !passes_area {
            let expected = type_list(body.results.iter().copied());
            let found = if wide { "its own area".to_owned() } else { type_list(results.iter().copied()) };
            self.faults.push(LirFault::TailResults { at, function: function.to_string(), expected, found });
        }
        let needed = stack_bytes(self.types(args));
        if P::IS_LEGAL && needed > self.incoming {
            self.faults.push(LirFault::TailStack { at, needed, own: self.incoming });
        }
        Ok(())
    }
}

/// How a kind crosses to the runtime.
fn operand_type(kind: Kind) -> Type {
    machine_type(kind).unwrap_or(Type::Ptr)
}

fn word_is_known(op: Op, imm: u64) -> bool {
    match op {
        Op::Icmp => usize::try_from(imm).is_ok_and(|n| n < Cond::ALL.len()),
        Op::Fcmp => usize::try_from(imm).is_ok_and(|n| n < FloatCond::ALL.len()),
        Op::Check => check_parts(imm).is_some(),
        Op::Runtime => RuntimeCall::from_number(imm).is_some(),
        _ => PanicKind::from_number(imm).is_some(),
    }
}

/// What the class wants, when the type is not of it.
fn misfit(class: Class, first: Option<Type>, found: Type) -> Option<&'static str> {
    let (fits, wanted) = match class {
        Class::I64 => (found == Type::I64, "i64"),
        Class::F64 => (found == Type::F64, "f64"),
        Class::I8 => (found == Type::I8, "i8"),
        Class::Ptr => (found == Type::Ptr, "ptr"),
        Class::Word => (matches!(found, Type::I64 | Type::Ptr), "i64 or ptr"),
        Class::Int => (found.is_int(), "an integer"),
        Class::Same => (first.is_none_or(|first| first == found), "the type of the first operand"),
        Class::Any | Class::Many => (true, ""),
    };
    (!fits).then_some(wanted)
}
