//! L02 and L05: op classes, calls and the calling convention, panics and statuses.

use std::sync::Arc;

use abi::{Kind, PanicKind, RuntimeCall, layout};
use hashbrown::HashMap;
use ir::ops::Effect;
use ir::ssa::{ENTRY, Inst, Value};
use ir::{ItemId, Stop, Where};

use super::contents::{Contents, Spot};
use super::memory::{At, TEXT, Use};
use super::proofs::needs_check;
use super::rules::{fits, misfit};
use super::{LirFault, here, type_list};
use crate::build::legal::{area_fields, area_size, convention, stack_bytes};
use crate::build::machine_type;
use crate::ir::{Body, Context, Phase, Signature, Type};
use crate::ops::{Cond, FloatCond, INVARIANT, NOUNWIND, Op, check_parts};
use crate::target::ORI;

/// Walks over the instructions of a body.
pub(super) struct Checker<'a, P: Phase> {
    pub(super) body: &'a Body<P>,
    cx: &'a dyn Context,
    pub(super) faults: Vec<LirFault>,
    /// The result area that the function gets as its first parameter: value and bytes.
    pub(super) area: Option<(Value, u32)>,
    /// What lies in the result area.
    fields: Vec<(u32, Type)>,
    /// Reads and writes of slots and the area.
    pub(super) contents: Contents,
    /// Is there an instruction that wants a check before it?
    pub(super) needs_proofs: bool,
    /// The `resume`s, by their places.
    pub(super) resumes: Vec<At>,
    /// How many instructions of each block every run comes to; made when it matters.
    pub(super) certain: Option<Vec<u32>>,
    incoming: u32,
    /// Signatures asked for, so that a body of many calls to one function asks once.
    signatures: HashMap<ItemId, Option<Arc<Signature>>>,
}

impl<'a, P: Phase> Checker<'a, P> {
    pub(super) fn new(body: &'a Body<P>, cx: &'a dyn Context, faults: Vec<LirFault>) -> Result<Self, Stop> {
        let mut checker = Checker {
            body,
            cx,
            faults,
            area: None,
            fields: Vec::new(),
            contents: Contents::default(),
            needs_proofs: false,
            resumes: Vec::new(),
            certain: None,
            incoming: 0,
            signatures: HashMap::new(),
        };
        checker.function()?;
        Ok(checker)
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
            // Before the convention is made, a body has its results as they are, however many; only what it calls has them in an area.
            let has_area = P::IS_LEGAL && convention::<P>(&signature).1.len() != signature.results.len();
            let wanted = has_area.then_some(Type::Ptr).into_iter().chain(signature.params.iter().copied());
            let results = if has_area { &[][..] } else { &signature.results[..] };
            if has_area {
                self.area = params.first().map(|&area| (area, area_size(&signature.results)));
                self.fields = fields_of(&signature.results);
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

    /// Every instruction.
    pub(super) fn walk(&mut self) -> Result<(), Stop> {
        let body = self.body;
        let (insts, values) = (body.insts.rows(), body.values.rows());
        for (block, row) in body.blocks.iter() {
            for (index, &inst) in row.insts.iter().enumerate() {
                let row = &insts[inst.index()];
                let args = &body.args[row.args];
                let place = (block, index as u32);
                if !fits(values, row, args) {
                    self.misfits(inst, place);
                }
                if row.flags != 0 {
                    self.flags(row.op, row.flags, place);
                }
                // The short arms are the common ones.
                match row.op {
                    Op::Iconst => {
                        if row.results > 0
                            && let Some(result) = values.get(row.first_result.index())
                            && !is_in_type(result.ty, row.imm as i64)
                        {
                            self.constant(result.ty, row.imm as i64, place);
                        }
                    }
                    Op::Icmp => self.word(row.imm < Cond::ALL.len() as u64, inst, place),
                    Op::Fcmp => self.word(row.imm < FloatCond::ALL.len() as u64, inst, place),
                    Op::Sdiv | Op::Srem | Op::IntOfFloat => self.needs_proofs |= needs_check(body, row.op, args),
                    Op::AddCheck | Op::SubCheck | Op::MulCheck | Op::NegCheck => self.checked_kind(row.op, row.imm, inst, place),
                    Op::Load | Op::Store => self.access(inst, place),
                    Op::Alloc | Op::Free | Op::CountUp | Op::CountDown => self.cell(inst, place),
                    Op::Resume => self.resumes.push(place),
                    Op::Jump | Op::Branch => self.targets(inst, place),
                    Op::Static => {
                        if crate::statics::parse(ir::Symbol::from_raw(row.imm as u32)).is_none() {
                            self.faults.push(LirFault::StaticData { at: here(place.0.raw(), place.1) });
                        }
                    }
                    Op::Select
                    | Op::Check
                    | Op::Panic
                    | Op::Runtime
                    | Op::Call
                    | Op::CallPtr
                    | Op::Code
                    | Op::Tail
                    | Op::Return
                    | Op::Switch
                    | Op::Slot => {
                        self.special(inst, place)?;
                    }
                    Op::Fconst
                    | Op::Data
                    | Op::Add
                    | Op::Sub
                    | Op::Mul
                    | Op::MulHigh
                    | Op::Neg
                    | Op::And
                    | Op::Or
                    | Op::Xor
                    | Op::Shl
                    | Op::Shr
                    | Op::Sar
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
                    | Op::Unreachable => {}
                }
            }
        }
        Ok(())
    }

    /// What the instruction has that its op does not allow.
    #[cold]
    fn misfits(&mut self, inst: Inst, (block, index): At) {
        let body = self.body;
        let at = here(block.raw(), index);
        let info = body.op(inst).info();
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
    }

    /// Ops with rules of their own.
    fn special(&mut self, inst: Inst, place: At) -> Result<(), Stop> {
        let body = self.body;
        let at = here(place.0.raw(), place.1);
        let row = &body.insts[inst];
        let args = body.args(inst);
        if row.op.info().effect == Effect::Ends {
            self.targets(inst, place);
        }
        match row.op {
            Op::Select => self.select(inst, at),
            Op::Check => match check_parts(row.imm) {
                Some((_, kind)) => self.panic_arguments(kind, args.get(2..).unwrap_or(&[]), place),
                None => self.word(false, inst, place),
            },
            Op::Panic => match PanicKind::from_number(row.imm) {
                Some(kind) => self.panic_arguments(kind, args, place),
                None => self.word(false, inst, place),
            },
            Op::Runtime => match RuntimeCall::from_number(row.imm) {
                Some(call) => {
                    let written = self.statuses(inst, call, place);
                    self.runtime(inst, call, place, written);
                }
                None => self.word(false, inst, place),
            },
            Op::Call => self.call(inst, place)?,
            Op::CallPtr => self.call_ptr(inst, place),
            Op::Code => {
                let function = ItemId::from_raw(row.imm as u32);
                if self.signature(function)?.is_none() {
                    self.faults.push(LirFault::UnknownFunction { at, function: function.to_string() });
                }
            }
            Op::Tail => self.tail(inst, at)?,
            Op::Return => {
                if !self.fits(body.results.iter().copied(), args) {
                    let expected = type_list(body.results.iter().copied());
                    let found = type_list(self.types(args));
                    self.faults.push(LirFault::ReturnOperands { at, expected, found });
                }
                if let Some((memory, _)) = self.area {
                    for &(offset, ty) in &self.fields {
                        self.contents.read(Spot { memory, offset, ty }, place, true);
                    }
                }
            }
            Op::Switch => {
                if let Some(ty) = args.first().and_then(|&v| self.ty(v)) {
                    for &case in body.cases(inst) {
                        self.constant(ty, case, place);
                    }
                }
            }
            Op::Slot => self.slot(row.imm as i64, at),
            _ => {}
        }
        Ok(())
    }

    /// The immediate is one of its table.
    fn word(&mut self, is_known: bool, inst: Inst, (block, index): At) {
        if !is_known {
            let row = &self.body.insts[inst];
            self.faults.push(LirFault::UnknownWord { at: here(block.raw(), index), op: row.op.info().name, number: row.imm });
        }
    }

    fn flags(&mut self, op: Op, flags: u16, (block, index): At) {
        let at = here(block.raw(), index);
        let panics = op.info().effect == Effect::Panics || op == Op::Panic;
        if flags & NOUNWIND != 0 && !panics {
            self.faults.push(LirFault::FlagMisplaced { at, op: op.info().name, flag: "nounwind" });
        }
        if flags & INVARIANT != 0 && op != Op::Load {
            self.faults.push(LirFault::FlagMisplaced { at, op: op.info().name, flag: "invariant" });
        }
    }

    fn targets(&mut self, inst: Inst, (block, index): At) {
        let body = self.body;
        let at = here(block.raw(), index);
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

    fn constant(&mut self, ty: Type, literal: i64, (block, index): At) {
        if !is_in_type(ty, literal) {
            self.faults.push(LirFault::ConstantRange { at: here(block.raw(), index), ty: ty.name(), literal });
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

    #[inline]
    fn checked_kind(&mut self, op: Op, imm: u64, inst: Inst, place: At) {
        let is = |kind: PanicKind| imm == kind as u64;
        let allowed = match op {
            Op::AddCheck => is(PanicKind::AddOverflow),
            Op::SubCheck => is(PanicKind::SubOverflow),
            Op::MulCheck => is(PanicKind::MulOverflow),
            // A division by the literal -1 is a negation.
            _ => is(PanicKind::NegOverflow) || is(PanicKind::DivOverflow) || is(PanicKind::FloorDivOverflow),
        };
        if !allowed {
            self.wrong_kind(inst, place);
        }
    }

    #[cold]
    fn wrong_kind(&mut self, inst: Inst, place: At) {
        let row = &self.body.insts[inst];
        match PanicKind::from_number(row.imm) {
            Some(kind) => {
                let at = here(place.0.raw(), place.1);
                self.faults.push(LirFault::WrongKind { at, op: row.op.info().name, kind: kind.name() });
            }
            None => self.word(false, inst, place),
        }
    }

    fn panic_arguments(&mut self, kind: PanicKind, args: &[Value], place: At) {
        let at = here(place.0.raw(), place.1);
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
                self.needs(value, layout::STR_SIZE as u32, Use::ReadsText, place, place.1);
            }
        }
    }

    /// A runtime call, whose result is in memory behind instruction `written`.
    fn runtime(&mut self, inst: Inst, call: RuntimeCall, place: At, written: u32) {
        let body = self.body;
        let at = here(place.0.raw(), place.1);
        let fallible = !call.statuses().is_empty();
        let scalar = machine_type(call.result()).map(|ty| [(0, ty)]);
        let (out, given): (Option<u32>, &[(u32, Type)]) = match call.result() {
            Kind::Void | Kind::Address => (None, &[]),
            Kind::Str => (Some(layout::STR_SIZE as u32), &TEXT),
            Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte => {
                (fallible.then_some(8), scalar.as_ref().map_or(&[], |field| &field[..]))
            }
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
                    (Kind::Void, Some(bytes)) => self.needs(value, bytes, Use::Writes(given), place, written),
                    (Kind::Str, _) => self.needs(value, layout::STR_SIZE as u32, Use::ReadsText, place, place.1),
                    (Kind::Void | Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte | Kind::Address, _) => {}
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
    /// Gives the position of the last check, behind which the call is known to have done its work.
    fn statuses(&mut self, inst: Inst, call: RuntimeCall, (block, index): At) -> u32 {
        let body = self.body;
        let mut wanted = call.statuses().iter().enumerate();
        let Some(mut next) = wanted.next() else { return index };
        let Some(status) = body.results(inst).next() else { return index };
        for (behind, &later) in body.blocks[block].insts[index as usize + 1..].iter().enumerate() {
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
                        None => return index + 1 + behind as u32,
                    }
                }
                (op, _) if op.info().effect == Effect::Pure || op == Op::Slot => {}
                _ => break,
            }
        }
        self.faults.push(LirFault::StatusUnchecked { at: here(block.raw(), index), call: call.name(), kind: next.1.name() });
        index
    }

    fn call(&mut self, inst: Inst, place: At) -> Result<(), Stop> {
        let body = self.body;
        let at = here(place.0.raw(), place.1);
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
            self.needs(area, area_size(&signature.results), Use::Writes(&fields_of(&signature.results)), place, place.1);
        }
        if !body.results(inst).filter_map(|v| self.ty(v)).eq(results.iter().copied()) {
            let expected = type_list(results.iter().copied());
            let found = type_list(body.results(inst).filter_map(|v| self.ty(v)));
            self.faults.push(LirFault::CallResults { at, function: function.to_string(), expected, found });
        }
        Ok(())
    }

    /// What is called has no name: its operands and results are as the call says. Without results, a slot in front is the area of those that are too many.
    fn call_ptr(&mut self, inst: Inst, place: At) {
        let body = self.body;
        if P::IS_LEGAL && body.insts[inst].results > 6 {
            let types: Vec<Type> = body.results(inst).filter_map(|v| self.ty(v)).collect();
            self.registers(&types, here(place.0.raw(), place.1));
        }
        if let (0, Some(&area)) = (body.insts[inst].results, body.args(inst).get(1))
            && body.values.get(area).is_some()
            && let Some(slot) = body.def_inst(area).filter(|&slot| body.op(slot) == Op::Slot)
        {
            let bytes = body.insts[slot].imm as u32;
            let words: Vec<(u32, Type)> = (0..bytes / 8).map(|word| (8 * word, Type::I64)).collect();
            self.needs(area, bytes, Use::Writes(&words), place, place.1);
        }
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

/// Where each result lies in a result area.
fn fields_of(results: &[Type]) -> Vec<(u32, Type)> {
    area_fields(results).zip(results.iter().copied()).collect()
}

#[inline]
fn is_in_type(ty: Type, literal: i64) -> bool {
    match ty {
        Type::I8 => u8::try_from(literal).is_ok(),
        Type::I32 => u32::try_from(literal).is_ok(),
        Type::I64 | Type::Ptr => true,
        Type::F64 => false,
    }
}
