//! The reference semantics: runs MIR, and evaluates constants.
//!
//! What a program prints, how it ends and what its panic report says is decided here and compared with every back end. Arithmetic, texts, messages and
//! the report come from `pure`, as in the runtime, so both agree to the byte. A function is decoded once into a dense form: a value is a slot, a
//! number lives in a word, a text or aggregate in a counted cell, literals are part of the frame's template, jumps carry their moves. Frames lie
//! on an explicit stack with a budget, so a deep program ends in the message of a stack overflow and not in one of ours. A panic is reported,
//! then unwinds along the unwind edges to `resume`, frame by frame, so a wrong edge is seen.
//!
//! | room      | holds                                              |
//! |-----------|----------------------------------------------------|
//! | `code`    | the dense form                                     |
//! | `decode`  | graph to dense form; refuses a body that is no body |
//! | `value`   | counted values                                     |
//! | `machine` | frames and the loop                                |
//! | `calls`   | runtime calls                                      |
//! | `unwind`  | panic, report, unwinding                           |
//! | `ghost`   | who holds what: leaks and double drops are found   |

mod calls;
mod code;
mod decode;
mod exchange;
mod ghost;
mod hole;
mod indirect;
mod list;
mod machine;
#[cfg(test)]
pub(crate) mod tests;
mod unwind;
mod value;

use std::rc::Rc;

use hir::{Type, TypeKind};
use ir::{ItemId, Stop, Symbol};

use crate::ir::{Body, ConstValue, Context, Mono};
use list::Elements;
use machine::{End, Halt, Machine};
use value::{Cell, Heap};

/// Where the output of a program goes.
pub trait Output {
    /// Writes to standard output; the error is an error number of the system.
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32>;
    /// Writes to standard error, after everything that went to standard output.
    fn write_error(&mut self, bytes: &[u8]);
}

/// Where an item stands, as a panic report shows it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Position {
    /// The name with its mark: `@level`.
    pub name: String,
    /// Path of the file as given to the compiler.
    pub file: String,
    /// Line of the item's first byte, from 1.
    pub base_line: u32,
    /// Is it left out of reports (library code)?
    pub hidden: bool,
}

/// The position table: what code does not contain.
pub trait Positions {
    /// Where an item stands.
    fn position(&self, item: ItemId) -> Result<Position, Stop>;
    /// Does a panic report show the trace (`ORI_BACKTRACE`)?
    fn backtrace(&self) -> bool {
        true
    }
}

/// How long, deep and large a run may become.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Instructions.
    pub steps: u64,
    /// Calls within each other.
    pub depth: u64,
    /// Bytes of all values ever made that are no numbers.
    pub bytes: u64,
    /// Bytes of stack, counted about as native frames need them.
    pub stack: u64,
    /// Which of the ops that may panic panics whatever comes of it, by the order in which they run; 0: none. For tests of what unwinding leaves behind.
    pub panic_at: u64,
}

impl Default for Limits {
    /// As a native program: nothing but the stack ends it.
    fn default() -> Limits {
        Limits { steps: u64::MAX, depth: u64::MAX, bytes: u64::MAX, stack: 8 << 20, panic_at: 0 }
    }
}

impl Limits {
    /// The limits of constant evaluation (`language/04` §4.9).
    pub const CONSTANTS: Limits = Limits { steps: 1_000_000, depth: 1_000, bytes: 100_000_000, stack: u64::MAX, panic_at: 0 };
}

/// A limit that was exceeded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// Steps: E0500 in a constant.
    Steps,
    /// Depth: E0501 in a constant.
    Depth,
    /// Bytes: E0502 in a constant.
    Bytes,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// `@main` returned this, or 0 for `void`.
    Exit(i64),
    /// A panic that nobody caught. The report was written to standard error before unwinding.
    Panicked {
        /// The message alone.
        message: String,
        /// The report as written.
        report: String,
    },
    /// The stack was used up. The report was written to standard error.
    StackOverflow {
        /// The report as written.
        report: String,
    },
    /// A limit was exceeded.
    LimitExceeded(Limit),
    /// The reader of standard output went away.
    OutputClosed,
    /// A body breaks the rules of its level: a defect of the compiler.
    Broken(String),
}

impl Outcome {
    /// The exit status of the process (`language/17` §17.2).
    pub fn status(&self) -> u8 {
        match self {
            Outcome::Exit(status) => *status as u8,
            Outcome::Panicked { .. } => 1,
            Outcome::StackOverflow { .. } | Outcome::LimitExceeded(_) => 134,
            Outcome::OutputClosed => 141,
            Outcome::Broken(_) => 101,
        }
    }
}

/// How often the counts of objects changed in a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Counts {
    /// Objects that were made.
    pub made: u64,
    /// Objects that got one holder more.
    pub dups: u64,
    /// Objects that got one holder fewer.
    pub drops: u64,
    /// Cells whose only holder took them apart: nothing was counted.
    pub opened: u64,
    /// Ops that ran and may have panicked; counted only where one of them is to ([`Limits::panic_at`]).
    pub risks: u64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { made, dups, drops, opened, risks: _ } = self;
        write!(f, "counts: {made} made, {dups} dups, {drops} drops, {opened} taken apart by their only holder")
    }
}

/// Runs a program from its `@main`; `args` is what it gets if it takes arguments. How it ends, and what was counted.
pub fn run(
    entry: ItemId,
    args: &[String],
    cx: &dyn Context,
    positions: &dyn Positions,
    output: &mut dyn Output,
    limits: Limits,
) -> Result<(Outcome, Counts), Stop> {
    let mut machine = Machine::new(cx, Some((positions, output)), limits);
    let list = || Cell::Heap(Heap::List(Elements::new(args.iter().map(|arg| Cell::Heap(Heap::Str(Rc::from(arg.as_str())))).collect())));
    let end = machine.load(entry).and_then(|slot| {
        let takes_args = machine.takes_arguments(slot);
        machine.run(slot, takes_args.then(list))
    });
    let outcome = match end {
        Ok(End::Returned(Cell::Word(status))) => match machine.all_gone() {
            Ok(()) => Outcome::Exit(status as i64),
            Err(why) => Outcome::Broken(why),
        },
        Ok(End::Returned(Cell::Heap(_))) => Outcome::Broken(format!("@{entry} returns no status")),
        Ok(End::Panicked { message, report }) => match machine.all_gone() {
            Ok(()) => Outcome::Panicked { message, report },
            Err(why) => Outcome::Broken(why),
        },
        Err(Halt::Stop(stop)) => return Err(stop),
        Err(Halt::Broken(why)) => Outcome::Broken(why),
        Err(Halt::Limit(limit)) => Outcome::LimitExceeded(limit),
        Err(Halt::StackOverflow) => Outcome::StackOverflow { report: machine.report_overflow()? },
        Err(Halt::OutputClosed) => Outcome::OutputClosed,
        Err(Halt::Effect) => Outcome::Broken("no output".to_owned()),
    };
    Ok((outcome, machine.counts()))
}

/// Why a constant has no value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ConstError {
    /// A limit was exceeded: E0500, E0501, E0502.
    Limit(Limit),
    /// It panicked with this message: E0703.
    Panicked(String),
    /// It writes: E0706.
    Effect,
    /// Its type has no constants in this slice.
    NotRepresentable(Type),
    /// A body breaks the rules of its level: a defect of the compiler.
    Broken(String),
}

/// The value of a constant, from the body of its initialiser.
pub fn evaluate_constant(body: &Body<Mono>, cx: &dyn Context, limits: Limits) -> Result<Result<ConstValue, ConstError>, Stop> {
    let mut machine = Machine::new(cx, None, limits);
    let owned = crate::ownership::own(body, &mut ir::Fuel::unlimited(), cx)?;
    // Bodies that are asked for come certified; this one is made here.
    if let Some(fault) = crate::verify::verify(&owned, cx)?.first() {
        return Ok(Err(ConstError::Broken(format!("{fault:?}"))));
    }
    let end = machine.add(&owned).and_then(|slot| machine.run(slot, None));
    let error = match end {
        Ok(End::Returned(cell)) => {
            let ty = body.results.first().copied().unwrap_or(Type::ERROR);
            if let Err(why) = machine.give_up(&cell).and_then(|()| machine.all_gone()) {
                return Ok(Err(ConstError::Broken(why)));
            }
            return Ok(constant(&cell, ty, 0, &machine, cx)?.ok_or(ConstError::NotRepresentable(ty)));
        }
        Ok(End::Panicked { message, .. }) => ConstError::Panicked(message),
        Err(Halt::Stop(stop)) => return Err(stop),
        Err(Halt::Broken(why)) => ConstError::Broken(why),
        Err(Halt::Limit(limit)) => ConstError::Limit(limit),
        // The stack has no budget here; the depth is limited.
        Err(Halt::StackOverflow) => ConstError::Limit(Limit::Depth),
        Err(Halt::Effect | Halt::OutputClosed) => ConstError::Effect,
    };
    Ok(Err(error))
}

/// How deep constants nest at most: whoever reads, stores and frees them does so by recursion.
const MAX_CONSTANT_DEPTH: u32 = 128;

/// A value of this type as a constant; nothing when it has none, or one that is too deep.
fn constant(cell: &Cell, ty: Type, depth: u32, machine: &Machine<'_>, cx: &dyn Context) -> Result<Option<ConstValue>, Stop> {
    if depth == MAX_CONSTANT_DEPTH {
        return Ok(None);
    }
    Ok(match (ty.kind(), cell) {
        (TypeKind::Int, Cell::Word(word)) => Some(ConstValue::Int(*word as i64)),
        (TypeKind::Float, Cell::Word(word)) => Some(ConstValue::Float(*word)),
        (TypeKind::Bool, Cell::Word(word)) => Some(ConstValue::Bool(*word != 0)),
        (TypeKind::Char, Cell::Word(word)) => char::from_u32(*word as u32).map(ConstValue::Char),
        (TypeKind::Byte, Cell::Word(word)) => Some(ConstValue::Byte(*word as u8)),
        (TypeKind::Void, Cell::Word(_)) => Some(ConstValue::Unit),
        (TypeKind::Str, Cell::Heap(Heap::Str(text))) => Some(ConstValue::Str(Symbol::new(text))),
        (TypeKind::Tuple(_) | TypeKind::Struct(..), Cell::Heap(Heap::Aggregate(parts))) => {
            let Some(types) = cx.fields(ty)? else { return Ok(None) };
            constants(parts, &types, depth, machine, cx)?.map(|values| ConstValue::Aggregate(ty, values))
        }
        (TypeKind::Struct(..), Cell::Heap(Heap::Variant(tag, parts))) => {
            let Some(variants) = cx.variants(ty)? else { return Ok(None) };
            let Some(types) = variants.get(*tag as usize) else { return Ok(None) };
            constants(parts, types, depth, machine, cx)?.map(|values| ConstValue::Variant(ty, *tag, values))
        }
        (TypeKind::Cell(types), Cell::Heap(Heap::Cell(parts))) => {
            constants(parts.all(), types, depth, machine, cx)?.map(|values| ConstValue::Cell(ty, values))
        }
        (TypeKind::List(element), Cell::Heap(Heap::List(elements))) => {
            let types = vec![element; elements.len()];
            constants(&elements.all(), &types, depth, machine, cx)?.map(|values| ConstValue::List(ty, values))
        }
        (TypeKind::Function(params, _), Cell::Heap(Heap::Function(number, captured))) => {
            let Some(item) = machine.item(*number) else { return Ok(None) };
            // The function itself, not the one that owns what it borrows.
            let item = item.unpacked().map_or(item, |(function, _)| function);
            let Some(signature) = cx.signature(item)? else { return Ok(None) };
            let types = signature.0.get(params.len()..).unwrap_or(&[]);
            constants(captured.all(), types, depth, machine, cx)?.map(|values| ConstValue::Function(ty, item, values))
        }
        (TypeKind::Object(_), Cell::Heap(object)) => {
            let (Some(of), Some(value)) = (indirect::object_of(object), object.cell_part(1)) else { return Ok(None) };
            constant(value, of, depth + 1, machine, cx)?.map(|value| ConstValue::Object(ty, of, Box::new(value)))
        }
        _ => None,
    })
}

/// All parts as constants, or nothing.
fn constants(parts: &[Cell], types: &[Type], depth: u32, machine: &Machine<'_>, cx: &dyn Context) -> Result<Option<Vec<ConstValue>>, Stop> {
    let mut values = Vec::with_capacity(parts.len());
    for (part, &ty) in parts.iter().zip(types) {
        match constant(part, ty, depth + 1, machine, cx)? {
            Some(value) => values.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(values))
}
