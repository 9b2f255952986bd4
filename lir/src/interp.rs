//! Runs `legal` bodies in checked memory: to run mutants that a verifier lets pass, and to compare levels.
//!
//! A pointer is the number of an allocation and an offset in it, so every access is checked against its bounds, and an access after the frame is gone
//! or to a number that was never an address ends the run with a [`Trap`]. Frames lie on an explicit stack; a panic goes along the unwind edges until a
//! `resume` leaves the last frame. Slow by design: what it does can be read next to the op table.

mod memory;
mod runtime;

use std::sync::Arc;

use abi::{Kind, PanicKind, RuntimeCall, layout};
use hashbrown::HashMap;
use ir::ssa::{Block, ENTRY, Inst, Value};
use ir::{ItemId, Place, Stop, Symbol};

pub use memory::Memory;
pub use runtime::StandardRuntime;

use crate::ir::{Body, Legal, Type};
use crate::ops::{Cond, FloatCond, Op, check_parts};

/// The program around a body.
pub trait Program {
    /// The body of a function.
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Legal>>>, Stop>;
}

/// The functions of the runtime.
pub trait Runtime {
    /// Carries out a call in its convention; gives what it returns in a register, 0 when it returns nothing.
    fn call(&mut self, call: RuntimeCall, args: &[u64], memory: &mut Memory) -> Result<u64, Trap>;
}

/// What a body did that no verified body does, or a limit of this interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trap {
    /// An access outside of live memory.
    Access,
    /// A store into static text.
    ReadOnly,
    /// A division that does not have a result, or a conversion out of range.
    Arithmetic,
    /// `unreachable` was reached.
    Unreachable,
    /// A function that the program lacks, a graph that is no function, an op on operands it cannot have.
    Malformed,
    /// More steps than allowed.
    Steps,
    /// More frames or memory than allowed.
    Space,
}

/// An argument of a panic.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PanicArgument {
    /// An integer.
    Int(i64),
    /// The bytes of a text.
    Text(Vec<u8>),
}

impl PanicArgument {
    /// As messages take it.
    fn shown(&self) -> pure::Arg<'_> {
        match self {
            PanicArgument::Int(number) => pure::Arg::Int(*number),
            PanicArgument::Text(text) => pure::Arg::Str(text),
        }
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The results, floats by their bits.
    Returned(Vec<u64>),
    /// Unwinding left the last frame.
    Panicked {
        /// Why.
        kind: PanicKind,
        /// Its arguments.
        arguments: Vec<PanicArgument>,
        /// Where, innermost first.
        places: Vec<Place>,
    },
    /// It did what a verified body never does.
    Trapped(Trap),
}

/// Limits of a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instructions.
    pub steps: u64,
    /// Frames.
    pub frames: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { steps: 10_000_000, frames: 10_000 }
    }
}

/// A run of one function.
pub struct Machine<'a> {
    program: &'a dyn Program,
    runtime: &'a mut dyn Runtime,
    /// Memory; a caller puts texts and lists there and passes their addresses.
    pub memory: Memory,
    limits: Limits,
    frames: Vec<Frame>,
    panic: Option<Outcome>,
    bodies: HashMap<ItemId, Arc<Body<Legal>>>,
    watched: Option<(ItemId, Inst)>,
    hits: u64,
}

struct Frame {
    body: Arc<Body<Legal>>,
    values: Vec<u64>,
    block: Block,
    index: usize,
    /// Memory of the slots, made at their first execution.
    slots: HashMap<u32, u64>,
}

enum Step {
    Next,
    Done(Outcome),
}

impl<'a> Machine<'a> {
    /// A machine with empty memory.
    pub fn new(program: &'a dyn Program, runtime: &'a mut dyn Runtime, limits: Limits) -> Machine<'a> {
        Machine {
            program,
            runtime,
            memory: Memory::default(),
            limits,
            frames: Vec::new(),
            panic: None,
            bodies: HashMap::new(),
            watched: None,
            hits: 0,
        }
    }

    /// Counts how often this instruction begins.
    pub fn watch(&mut self, function: ItemId, inst: Inst) {
        self.watched = Some((function, inst));
    }

    /// How often the watched instruction began.
    pub const fn hits(&self) -> u64 {
        self.hits
    }

    /// Calls a function in its `legal` form: with wide results, the first argument is the address of their area.
    pub fn run(&mut self, function: ItemId, args: &[u64]) -> Result<Outcome, Stop> {
        self.frames.clear();
        let outcome = match self.enter(function, args)? {
            Ok(()) => self.steps()?,
            Err(trap) => Outcome::Trapped(trap),
        };
        Ok(outcome)
    }

    fn steps(&mut self) -> Result<Outcome, Stop> {
        for _ in 0..self.limits.steps {
            match self.step()? {
                Ok(Step::Next) => {}
                Ok(Step::Done(outcome)) => return Ok(outcome),
                Err(trap) => return Ok(Outcome::Trapped(trap)),
            }
        }
        Ok(Outcome::Trapped(Trap::Steps))
    }

    fn enter(&mut self, function: ItemId, args: &[u64]) -> Result<Result<(), Trap>, Stop> {
        if self.frames.len() >= self.limits.frames {
            return Ok(Err(Trap::Space));
        }
        let body = match self.bodies.get(&function) {
            Some(body) => body.clone(),
            None => {
                let Some(body) = self.program.body(function)? else { return Ok(Err(Trap::Malformed)) };
                self.bodies.insert(function, body.clone());
                body
            }
        };
        let Some(entry) = body.blocks.get(ENTRY) else { return Ok(Err(Trap::Malformed)) };
        if entry.params.len() != args.len() {
            return Ok(Err(Trap::Malformed));
        }
        let mut values = vec![0; body.values.len()];
        for (param, &arg) in entry.params.iter().zip(args) {
            if let Some(slot) = values.get_mut(param.index()) {
                *slot = arg;
            }
        }
        self.frames.push(Frame { body, values, block: ENTRY, index: 0, slots: HashMap::new() });
        Ok(Ok(()))
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            // In no particular order: freeing is not observable.
            frame.slots.values().for_each(|&slot| self.memory.free(slot));
        }
    }

    fn step(&mut self) -> Result<Result<Step, Trap>, Stop> {
        let Some(frame) = self.frames.last_mut() else { return Ok(Err(Trap::Malformed)) };
        let body = frame.body.clone();
        let Some(&inst) = body.blocks.get(frame.block).and_then(|b| b.insts.get(frame.index)) else { return Ok(Err(Trap::Malformed)) };
        if self.watched == Some((body.name, inst)) {
            self.hits += 1;
        }
        frame.index += 1;
        let row = &body.insts[inst];
        let args: Vec<u64> = body.args(inst).iter().map(|v| frame.values.get(v.index()).copied().unwrap_or(0)).collect();
        match row.op {
            Op::Call => {
                if let Err(trap) = self.enter(ItemId::from_raw(row.imm as u32), &args)? {
                    return Ok(Err(trap));
                }
                Ok(Ok(Step::Next))
            }
            Op::CallPtr => {
                let Some(function) = args.first().and_then(|&address| self.memory.function(address)) else { return Ok(Err(Trap::Access)) };
                let Some(body) = self.program.body(function)? else { return Ok(Err(Trap::Malformed)) };
                let wanted = body.blocks.get(ENTRY).map_or(0, |entry| entry.params.len());
                // What is behind the arguments that it takes does no harm.
                let given = &args[1..];
                let given = if given.len() == wanted + 1 { &given[..wanted] } else { given };
                if let Err(trap) = self.enter(function, given)? {
                    return Ok(Err(trap));
                }
                Ok(Ok(Step::Next))
            }
            Op::Tail => {
                self.leave();
                Ok(self.enter(ItemId::from_raw(row.imm as u32), &args)?.map(|()| Step::Next))
            }
            _ => Ok(self.local(&body, inst, &args)),
        }
    }

    /// Everything that needs no body of another function.
    fn local(&mut self, body: &Body<Legal>, inst: Inst, args: &[u64]) -> Result<Step, Trap> {
        let row = &body.insts[inst];
        let arg = |index: usize| args.get(index).copied().ok_or(Trap::Malformed);
        match row.op {
            Op::Jump => self.jump(body, inst, 0),
            Op::Branch => self.jump(body, inst, usize::from(arg(0)? == 0)),
            Op::Switch => {
                let cases = body.cases(inst);
                let value = arg(0)? as i64;
                self.jump(body, inst, cases.iter().position(|&case| case == value).unwrap_or(cases.len()))
            }
            Op::Return => {
                self.leave();
                self.resume_caller(args)
            }
            Op::Resume => {
                self.leave();
                self.unwind()
            }
            Op::Unreachable => Err(Trap::Unreachable),
            Op::Panic => {
                let kind = PanicKind::from_number(row.imm).ok_or(Trap::Malformed)?;
                self.begin_panic(body, inst, kind, args)
            }
            Op::Check => {
                let (cond, kind) = check_parts(row.imm).ok_or(Trap::Malformed)?;
                if cond.holds(arg(0)? as i64, arg(1)? as i64) { Ok(Step::Next) } else { self.begin_panic(body, inst, kind, &args[2..]) }
            }
            Op::AddCheck | Op::SubCheck | Op::MulCheck | Op::NegCheck => {
                let (a, b) = (arg(0)? as i64, if row.op == Op::NegCheck { 0 } else { arg(1)? as i64 });
                let result = match row.op {
                    Op::AddCheck => a.checked_add(b),
                    Op::SubCheck => a.checked_sub(b),
                    Op::MulCheck => a.checked_mul(b),
                    _ => a.checked_neg(),
                };
                match result {
                    Some(number) => self.define(body, inst, number as u64),
                    None => self.begin_panic(body, inst, PanicKind::from_number(row.imm).ok_or(Trap::Malformed)?, &[]),
                }
            }
            Op::Slot => {
                let frame = self.frames.last_mut().ok_or(Trap::Malformed)?;
                let address = match frame.slots.get(&inst.raw()) {
                    Some(&address) => address,
                    None => {
                        let address = self.memory.allocate(row.imm)?;
                        frame.slots.insert(inst.raw(), address);
                        address
                    }
                };
                self.define(body, inst, address)
            }
            Op::Code => {
                let address = self.memory.code(ItemId::from_raw(row.imm as u32))?;
                self.define(body, inst, address)
            }
            Op::Data => {
                let address = self.memory.text(Symbol::from_raw(row.imm as u32))?;
                self.define(body, inst, address)
            }
            Op::Static => {
                let address = self.memory.statics(Symbol::from_raw(row.imm as u32))?;
                self.define(body, inst, address)
            }
            Op::Load => {
                let ty = self.result_type(body, inst)?;
                let value = self.memory.read(arg(0)?.wrapping_add(row.imm), ty.size())?;
                self.define(body, inst, value)
            }
            Op::Store => {
                let ty = body.args(inst).get(1).and_then(|&v| body.values.get(v)).ok_or(Trap::Malformed)?.ty;
                self.memory.write(arg(0)?.wrapping_add(row.imm), ty.size(), arg(1)?)?;
                Ok(Step::Next)
            }
            Op::Alloc => {
                let bytes = layout::class_bytes(row.imm as u8) as u64;
                let header = self.memory.allocate(bytes.saturating_add(layout::CELL_HEADER as u64))?;
                self.memory.write(header.wrapping_add(4), 4, row.imm)?;
                self.define(body, inst, header + layout::CELL_HEADER as u64)
            }
            Op::Free => {
                let header = arg(0)?.wrapping_sub(layout::CELL_HEADER as u64);
                // Not in use twice, of this class, and nobody's.
                if self.memory.read(header, 4)? != 0 || self.memory.read(header + 4, 1)? != row.imm & 0xff {
                    return Err(Trap::Access);
                }
                self.memory.free(header);
                Ok(Step::Next)
            }
            Op::CountUp | Op::CountDown => {
                let header = arg(0)?.wrapping_sub(layout::CELL_HEADER as u64);
                let count = self.memory.read(header, 4)? as i32;
                let count = if row.op == Op::CountUp { count.wrapping_add(1) } else { count.wrapping_sub(1) };
                self.memory.write(header, 4, u64::from(count as u32))?;
                if row.op == Op::CountUp { Ok(Step::Next) } else { self.define(body, inst, u64::from(count < 0)) }
            }
            Op::Runtime => {
                let call = RuntimeCall::from_number(row.imm).ok_or(Trap::Malformed)?;
                if call == RuntimeCall::Caught {
                    let Some(Outcome::Panicked { kind, arguments, .. }) = self.panic.take() else { return Err(Trap::Malformed) };
                    let args: Vec<pure::Arg> = arguments.iter().map(PanicArgument::shown).collect();
                    let mut text = Vec::new();
                    pure::message::message(kind, &args, &mut |piece| text.extend_from_slice(piece));
                    self.memory.write_text(arg(0)?, &text)?;
                    return Ok(Step::Next);
                }
                let value = self.runtime.call(call, args, &mut self.memory)?;
                if row.results == 0 { Ok(Step::Next) } else { self.define(body, inst, value) }
            }
            _ => {
                let ty = self.result_type(body, inst)?;
                let value = pure_op(row.op, row.imm, args, ty)?;
                self.define(body, inst, value)
            }
        }
    }

    fn result_type(&self, body: &Body<Legal>, inst: Inst) -> Result<Type, Trap> {
        body.values.get(body.insts[inst].first_result).map(|row| row.ty).ok_or(Trap::Malformed)
    }

    fn define(&mut self, body: &Body<Legal>, inst: Inst, value: u64) -> Result<Step, Trap> {
        let frame = self.frames.last_mut().ok_or(Trap::Malformed)?;
        *frame.values.get_mut(body.insts[inst].first_result.index()).ok_or(Trap::Malformed)? = value;
        Ok(Step::Next)
    }

    fn jump(&mut self, body: &Body<Legal>, inst: Inst, which: usize) -> Result<Step, Trap> {
        let frame = self.frames.last_mut().ok_or(Trap::Malformed)?;
        let target = *body.targets(inst).get(which).ok_or(Trap::Malformed)?;
        let params = &body.blocks.get(target.block).ok_or(Trap::Malformed)?.params;
        let given: Vec<u64> = body.target_args(target).iter().map(|v| frame.values.get(v.index()).copied().unwrap_or(0)).collect();
        for (param, value) in params.iter().zip(given) {
            *frame.values.get_mut(param.index()).ok_or(Trap::Malformed)? = value;
        }
        (frame.block, frame.index) = (target.block, 0);
        Ok(Step::Next)
    }

    /// The call that the frame on top stands behind has these results.
    fn resume_caller(&mut self, results: &[u64]) -> Result<Step, Trap> {
        let Some(frame) = self.frames.last_mut() else { return Ok(Step::Done(Outcome::Returned(results.to_vec()))) };
        let call = *frame.body.blocks[frame.block].insts.get(frame.index.wrapping_sub(1)).ok_or(Trap::Malformed)?;
        let targets: Vec<Value> = frame.body.results(call).collect();
        if targets.len() != results.len() {
            return Err(Trap::Malformed);
        }
        for (value, &result) in targets.into_iter().zip(results) {
            *frame.values.get_mut(value.index()).ok_or(Trap::Malformed)? = result;
        }
        Ok(Step::Next)
    }

    fn begin_panic(&mut self, body: &Body<Legal>, inst: Inst, kind: PanicKind, args: &[u64]) -> Result<Step, Trap> {
        let mut arguments = Vec::new();
        for (kind, &arg) in kind.args().iter().zip(args) {
            arguments.push(match kind {
                Kind::Str => PanicArgument::Text(self.memory.read_text(arg)?),
                Kind::Void | Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte | Kind::Address => {
                    PanicArgument::Int(arg as i64)
                }
            });
        }
        let places = body.places.chain(body.edges[inst].place).copied().collect();
        self.panic = Some(Outcome::Panicked { kind, arguments, places });
        self.unwind()
    }

    /// Goes on unwinding at the instruction that the frame on top stands behind.
    fn unwind(&mut self) -> Result<Step, Trap> {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return self.panic.take().map(Step::Done).ok_or(Trap::Malformed);
            };
            let at = frame.body.blocks[frame.block].insts.get(frame.index.wrapping_sub(1));
            let pad = at.and_then(|&inst| frame.body.edges[inst].unwind);
            if let Some(pad) = pad {
                (frame.block, frame.index) = (pad, 0);
                return Ok(Step::Next);
            }
            self.leave();
        }
    }
}

/// Ops that are functions of their operands.
pub fn pure_op(op: Op, imm: u64, args: &[u64], ty: Type) -> Result<u64, Trap> {
    let arg = |index: usize| args.get(index).copied().ok_or(Trap::Malformed);
    let float = |index: usize| arg(index).map(f64::from_bits);
    let (a, b) = (arg(0).unwrap_or(0), arg(1).unwrap_or(0));
    let (x, y) = (a as i64, b as i64);
    Ok(match op {
        Op::Iconst | Op::Fconst => imm,
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        Op::MulHigh => ((i128::from(x) * i128::from(y)) >> 64) as u64,
        Op::Neg => a.wrapping_neg(),
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::Shl => a.wrapping_shl(b as u32),
        Op::Shr => a.wrapping_shr(b as u32),
        Op::Sar => x.wrapping_shr(b as u32) as u64,
        Op::Sdiv => x.checked_div(y).ok_or(Trap::Arithmetic)? as u64,
        Op::Srem => x.checked_rem(y).ok_or(Trap::Arithmetic)? as u64,
        Op::Icmp => u64::from(Cond::ALL.get(imm as usize).ok_or(Trap::Malformed)?.holds(x, y)),
        Op::Fcmp => u64::from(FloatCond::ALL.get(imm as usize).ok_or(Trap::Malformed)?.holds(float(0)?, float(1)?)),
        Op::Select => {
            if a != 0 {
                b
            } else {
                arg(2)?
            }
        }
        Op::Zext => a,
        Op::Trunc => match ty {
            Type::I8 => a & 0xff,
            Type::I32 => a & 0xffff_ffff,
            Type::I64 | Type::Ptr | Type::F64 => a,
        },
        Op::Fadd => (float(0)? + float(1)?).to_bits(),
        Op::Fsub => (float(0)? - float(1)?).to_bits(),
        Op::Fmul => (float(0)? * float(1)?).to_bits(),
        Op::Fdiv => (float(0)? / float(1)?).to_bits(),
        Op::Fneg => a ^ (1 << 63),
        Op::Fabs => a & !(1 << 63),
        Op::Fsqrt => float(0)?.sqrt().to_bits(),
        Op::FloatOfInt => (x as f64).to_bits(),
        Op::IntOfFloat => pure::float::to_int(float(0)?).map_err(|_| Trap::Arithmetic)? as u64,
        Op::BitsOfFloat | Op::FloatOfBits => a,
        Op::Data
        | Op::Static
        | Op::Slot
        | Op::AddCheck
        | Op::SubCheck
        | Op::MulCheck
        | Op::NegCheck
        | Op::Check
        | Op::Load
        | Op::Store
        | Op::Alloc
        | Op::Free
        | Op::CountUp
        | Op::CountDown
        | Op::Runtime
        | Op::Call
        | Op::Code
        | Op::CallPtr
        | Op::Jump
        | Op::Branch
        | Op::Switch
        | Op::Return
        | Op::Tail
        | Op::Panic
        | Op::Resume
        | Op::Unreachable => return Err(Trap::Malformed),
    })
}

#[cfg(test)]
mod tests;
