//! The whole level: a body of legal LIR to bytes, judged at every boundary.

use std::fmt::Write;

use ir::fault::report;

use crate::alloc::{allocate, check};
use crate::finish::{Code, finish_with};
use crate::ir::{Final, Function, Phase};
use crate::scratch::Scratch;
use crate::select::select;
use crate::verify::{Memory, verify_code_with, verify_with};

/// Compiles a body. The verifier runs at each boundary in every build; the allocation checker only when `checking`.
pub fn compile(body: &lir::Body<lir::Legal>, scratch: &mut Scratch, checking: bool) -> Result<Code, CompileError> {
    let (mut function, mut code) = run(body, scratch, checking, None)?;
    code.places = std::mem::take(&mut function.places);
    scratch.spare = Some(function.into_phase());
    Ok(code)
}

/// Why there is no code.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CompileError {
    /// The function exceeds a limit: the user has to hear of it.
    Limit(Limit),
    /// A mistake of ours: a report with fault codes.
    Broken(String),
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Limit(limit) => f.write_str(limit.message()),
            CompileError::Broken(text) => f.write_str(text),
        }
    }
}

/// A limit of this level.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// Selection has no way to say it.
    Select(crate::select::Limit),
    /// There is no frame for it.
    Finish(crate::finish::Refusal),
}

impl Limit {
    /// One sentence for the user.
    pub const fn message(self) -> &'static str {
        match self {
            Limit::Select(limit) => limit.message(),
            Limit::Finish(refusal) => refusal.message(),
        }
    }
}

/// A function at one of the boundaries.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// Selected.
    Select(&'a Function<crate::ir::Select>),
    /// Allocated.
    Alloc(&'a Function<crate::ir::Alloc>),
    /// Finished, with its bytes.
    Final(&'a Function<Final>, &'a Code),
}

/// As [`compile`], and shows what stands at each boundary, before it is judged.
pub fn compile_dumping(
    body: &lir::Body<lir::Legal>,
    scratch: &mut Scratch,
    checking: bool,
    show: &mut dyn FnMut(Stage<'_>),
) -> Result<(Function<Final>, Code), CompileError> {
    run(body, scratch, checking, Some(show))
}

/// Without anybody to show to, the places stay with the function: they are copied for dumps only.
fn run(
    body: &lir::Body<lir::Legal>,
    scratch: &mut Scratch,
    checking: bool,
    mut show: Option<&mut dyn FnMut(Stage<'_>)>,
) -> Result<(Function<Final>, Code), CompileError> {
    let is_shown = show.is_some();
    let mut show = |stage: Stage<'_>| {
        if let Some(show) = &mut show {
            show(stage);
        }
    };
    let selected = select(body, scratch).map_err(|limit| CompileError::Limit(Limit::Select(limit)))?;
    show(Stage::Select(&selected));
    judge(&selected, &mut scratch.verify)?;
    let before = checking.then(|| selected.clone());
    let allocated = allocate(selected, scratch, checking);
    show(Stage::Alloc(&allocated));
    judge(&allocated, &mut scratch.verify)?;
    if let Some(before) = before {
        let faults = check(&before, &allocated);
        if !faults.is_empty() {
            return Err(broken(&allocated, &report(&allocated.name.to_string(), &faults)));
        }
    }
    let (finished, mut code) =
        finish_with(allocated, &mut scratch.finish).map_err(|refusal| CompileError::Limit(Limit::Finish(refusal)))?;
    if is_shown {
        code.places = finished.places.clone();
    }
    show(Stage::Final(&finished, &code));
    judge(&finished, &mut scratch.verify)?;
    let faults = verify_code_with(&finished, &code, &mut scratch.verify);
    if !faults.is_empty() {
        return Err(broken(&finished, &report(&finished.name.to_string(), &faults)));
    }
    Ok((finished, code))
}

fn judge<P: Phase>(function: &Function<P>, memory: &mut Memory) -> Result<(), CompileError> {
    let faults = verify_with(function, memory);
    if faults.is_empty() {
        return Ok(());
    }
    Err(broken(function, &report(&function.name.to_string(), &faults)))
}

/// The report of a mistake of ours.
fn broken<P: Phase>(function: &Function<P>, faults: &str) -> CompileError {
    let mut out = String::new();
    let _ = write!(out, "machine.{} of @{} breaks its rules:\n{faults}", P::NAME, function.name);
    CompileError::Broken(out)
}

#[cfg(test)]
mod tests;
