//! The convention: parameters, calls, returns.

use abi::RuntimeCall;
use abi::calls::Kind;
use ir::Where;

use super::{Judge, Rule, Stage};
use crate::ir::{Callee, Phase};
use crate::ops::Op;
use crate::regs::{ArgPlace, ArgWalk, CALLER_SAVED, Class, Reg, ResultWalk};

/// Classes of the operands that the convention gives a runtime call, the *out* address included.
pub fn runtime_args(call: RuntimeCall) -> impl Iterator<Item = Class> {
    let has_out = call.result() == Kind::Str || !call.statuses().is_empty() && call.result() != Kind::Void;
    let args = call.args().iter().map(|&kind| if kind == Kind::Float { Class::Xmm } else { Class::Gp });
    has_out.then_some(Class::Gp).into_iter().chain(args)
}

impl<P: Phase> Judge<'_, P> {
    /// The parameters that come in registers.
    pub(super) fn parameters(&mut self) {
        let function = self.function;
        let mut walk = ArgWalk::default();
        if function.params.len() != function.param_classes.len() {
            self.fault(Rule::Parameters, Where::Function, [function.params.len() as i64, 0]);
        }
        for (index, (&param, &class)) in function.params.iter().zip(&function.param_classes).enumerate() {
            let place = walk.next(class);
            let is_right = match place {
                ArgPlace::Reg(reg) => self.class(param) == Some(class) && (self.stage == Stage::Select || reg == param),
                ArgPlace::Stack(_) => false,
            };
            if !is_right {
                self.fault(Rule::Parameters, Where::Function, [index as i64, 0]);
            }
            self.define(param, Where::Function);
        }
    }

    pub(super) fn call(&mut self, op: Op, index: u32, at: Where) {
        let function = self.function;
        let Some(row) = function.calls.get(index as usize) else { return };
        self.names(2, index, at);
        self.pad(row.pad, at);
        self.place(row.place, at);
        let args = function.regs.slice(row.args.start(), row.args.len());
        let results = function.regs.slice(row.results.start(), row.results.len());
        for &arg in args {
            self.read(arg, at);
        }
        self.unwinds(row.pad);
        for &result in results {
            self.define(result, at);
        }
        if (op == Op::Return) != row.callee.is_none() || op != Op::Call && (!results.is_empty() || row.pad.is_some()) {
            self.fault(Rule::CallKind, at, [i64::from(index), 0]);
            return;
        }
        if op == Op::Return {
            let is_right = args.len() == function.result_classes.len()
                && self.in_results(args) == args.len()
                && args.iter().zip(&function.result_classes).all(|(&arg, &class)| self.class(arg) == Some(class));
            if !is_right {
                self.fault(Rule::ReturnOperands, at, [0; 2]);
            }
            if row.clobbers != 0 {
                self.fault(Rule::CallClobbers, at, [0; 2]);
            }
            return;
        }
        if row.clobbers != CALLER_SAVED {
            self.fault(Rule::CallClobbers, at, [0; 2]);
        }
        let right = self.in_args(args);
        if right < args.len() {
            self.fault(Rule::CallArguments, at, [right as i64, 0]);
        }
        let right = self.in_results(results);
        if right < results.len() {
            self.fault(Rule::CallResults, at, [right as i64, 0]);
        }
        if let Some(Callee::Slot(slot)) = row.callee {
            match function.slots.get(slot as usize) {
                Some(_) if op == Op::Call => {}
                Some(_) => self.fault(Rule::CallKind, at, [i64::from(index), 0]),
                None => self.fault(Rule::TableRow, at, [i64::from(slot), 0]),
            }
        }
        if let Some(Callee::Runtime(call)) = row.callee
            && !runtime_args(call).map(Some).eq(args.iter().map(|&arg| self.class(arg)))
        {
            self.fault(Rule::RuntimeArguments, at, [0; 2]);
        }
    }

    /// How many arguments at the front are where the convention wants them.
    fn in_args(&self, args: &[Reg]) -> usize {
        let mut walk = ArgWalk::default();
        let is_right = |&arg: &Reg| match self.class(arg).map(|class| walk.next(class)) {
            Some(ArgPlace::Reg(reg)) => self.stage == Stage::Select || reg == arg,
            Some(ArgPlace::Stack(_)) | None => false,
        };
        args.iter().map(is_right).take_while(|&right| right).count()
    }

    /// How many results at the front are where the convention has them.
    fn in_results(&self, results: &[Reg]) -> usize {
        let mut walk = ResultWalk::default();
        let is_right = |&result: &Reg| match self.class(result).and_then(|class| walk.next(class)) {
            Some(reg) => self.stage == Stage::Select || reg == result,
            None => false,
        };
        results.iter().map(is_right).take_while(|&right| right).count()
    }
}
