//! Loops. `while` and `for` test once before and then at the latch, so that an iteration takes one branch.
//!
//! A range loop must stop without overflow (`language/03` §3.5). With a step `c > 0` the next value `i + c` lies before the end iff
//! `i < end - c`, where the difference stops at `int.min`: that limit is computed once before the loop, an iteration compares once and adds once.

use abi::PanicKind;
use hir::ir::{Expr, ExprId, LocalId, LoopId};
use hir::{Intrinsic, Type};
use ir::Stop;
use ir::ssa::Value;

use super::flow::{Frame, Header, Join};
use super::{Builder, Lower, reached, scan};
use crate::ir::ConstValue;
use crate::ops::Op;

impl Builder<'_> {
    pub(super) fn endless(&mut self, e: ExprId, id: LoopId, body: ExprId) -> Lower<Option<Value>> {
        let ty = self.value_type(e);
        let exit = self.open(ty);
        let mut header = self.loop_header(id, &[]);
        self.jump_to(&mut header, &[]);
        self.enter(&header, 0);
        self.open_frame(id, exit);
        let (frame, goes_on) = self.loop_body(id, body)?;
        if goes_on {
            self.jump_to(&mut header, &[]);
        }
        self.finish_header(header);
        self.seal(frame.exit)
    }

    pub(super) fn while_loop(&mut self, id: LoopId, condition: ExprId, body: ExprId) -> Lower<Option<Value>> {
        let mut exit = self.open(None);
        if scan::is_small(self.body, condition) {
            let mut enter = self.open(None);
            self.condition(condition, &mut enter, &mut exit)?;
            if reached(self.seal(enter))?.is_none() {
                return self.seal(exit);
            }
            let mut header = self.loop_header(id, &[]);
            self.jump_to(&mut header, &[]);
            self.enter(&header, 0);
            self.open_frame(id, exit);
            let (mut frame, goes_on) = self.loop_body(id, body)?;
            if goes_on {
                let mut again = self.open(None);
                self.condition(condition, &mut again, &mut frame.exit)?;
                self.join_to_header(again, &mut header);
            }
            self.finish_header(header);
            return self.seal(frame.exit);
        }
        // A large condition is written once, at the top. A `break` in it ends this loop.
        let mut header = self.loop_header(id, &[]);
        self.jump_to(&mut header, &[]);
        self.enter(&header, 0);
        self.open_frame(id, exit);
        let mut enter = self.open(None);
        let mut leave = self.open(None);
        self.condition(condition, &mut enter, &mut leave)?;
        if reached(self.seal(leave))?.is_some()
            && let Some(frame) = &mut self.frames[id.index()]
        {
            let mut exit = std::mem::take(&mut frame.exit);
            self.jump(&mut exit, None);
            if let Some(frame) = &mut self.frames[id.index()] {
                frame.exit = exit;
            }
        }
        let goes_in = reached(self.seal(enter))?.is_some();
        let (frame, goes_on) = if goes_in { self.loop_body(id, body)? } else { self.close(id)? };
        if goes_on {
            self.jump_to(&mut header, &[]);
        }
        self.finish_header(header);
        self.seal(frame.exit)
    }

    pub(super) fn for_list(&mut self, id: LoopId, local: LocalId, source: ExprId, body: ExprId) -> Lower<Option<Value>> {
        let list = self.value(source)?;
        let length = self.op(Op::ListLen, &[list], Type::INT);
        let zero = self.int(0);
        let some = self.op(Op::Lt, &[zero, length], Type::BOOL);
        let mut exit = self.open(None);
        let mut enter = self.open(None);
        self.branch(some, &mut enter, &mut exit);
        self.seal(enter)?;
        let mut header = self.loop_header(id, &[Type::INT]);
        self.jump_to(&mut header, &[zero]);
        let index = self.enter(&header, 0).unwrap_or(zero);
        self.open_frame(id, exit);
        // The index is within bounds; that takes control flow to prove, so the op keeps its place until `opt` finds a reason.
        let element = self.risky(Op::ListGet, &[list, index], 0, self.body.locals[local].ty, source);
        self.set(local, element);
        let (mut frame, goes_on) = self.loop_body(id, body)?;
        if goes_on {
            let one = self.int(1);
            let next = self.op(Op::WrapAdd, &[index, one], Type::INT);
            let more = self.op(Op::Lt, &[next, length], Type::BOOL);
            self.latch(more, next, &mut header, &mut frame);
        }
        self.finish_header(header);
        self.seal(frame.exit)
    }

    /// `range` is start, end, step, and whether the end belongs to it.
    pub(super) fn for_range(
        &mut self,
        id: LoopId,
        local: LocalId,
        range: (ExprId, ExprId, Option<ExprId>, bool),
        body: ExprId,
    ) -> Lower<Option<Value>> {
        let (start, end, step, inclusive) = range;
        let place = start;
        let literal_bounds = (self.literal_int(start)?, self.literal_int(end)?);
        let first = self.value(start)?;
        let last = self.value(end)?;
        let steps = match step {
            None => Steps::By(1),
            Some(step) => match self.literal_int(step)? {
                Some(by) if by != 0 => Steps::By(by),
                _ => Steps::Open(self.value(step)?),
            },
        };
        let range = Range { first, last, inclusive };
        let mut exit = self.open(None);
        // `test` says from the counter, and the counter after it, whether another iteration follows.
        let (by, test) = match steps {
            Steps::By(by) => {
                let sure = match literal_bounds {
                    (Some(a), Some(b)) => {
                        if by > 0 {
                            a < b || inclusive && a == b
                        } else {
                            a > b || inclusive && a == b
                        }
                    }
                    _ => false,
                };
                if !sure {
                    let some = self.is_before(&range, by > 0);
                    let mut enter = self.open(None);
                    self.branch(some, &mut enter, &mut exit);
                    self.seal(enter)?;
                }
                if by == 1 && !inclusive {
                    (None, LoopTest::NextBeforeEnd)
                } else {
                    let limit = self.limit(&range, by, literal_bounds.1);
                    (None, if by > 0 { LoopTest::BelowLimit(limit) } else { LoopTest::AboveLimit(limit) })
                }
            }
            Steps::Open(by) => {
                let zero = self.int(0);
                let bad = self.op(Op::Eq, &[by, zero], Type::BOOL);
                self.panic_if(bad, PanicKind::StepZero, &[], place);
                let up = self.op(Op::Gt, &[by, zero], Type::BOOL);
                let (below, above) = (self.is_before(&range, true), self.is_before(&range, false));
                let some = self.op(Op::Select, &[up, below, above], Type::BOOL);
                let mut enter = self.open(None);
                self.branch(some, &mut enter, &mut exit);
                self.seal(enter)?;
                let limit = self.open_limit(&range, by, up);
                (Some(by), LoopTest::Either { up, limit })
            }
        };
        let mut header = self.loop_header(id, &[Type::INT]);
        self.jump_to(&mut header, &[range.first]);
        let counter = self.enter(&header, 0).unwrap_or(range.first);
        self.open_frame(id, exit);
        self.set(local, counter);
        let (mut frame, goes_on) = self.loop_body(id, body)?;
        if goes_on {
            let by = match (by, steps) {
                (Some(by), _) | (None, Steps::Open(by)) => by,
                (None, Steps::By(by)) => self.int(by),
            };
            let more = match test {
                LoopTest::NextBeforeEnd => None,
                LoopTest::BelowLimit(limit) => Some(self.op(Op::Lt, &[counter, limit], Type::BOOL)),
                LoopTest::AboveLimit(limit) => Some(self.op(Op::Gt, &[counter, limit], Type::BOOL)),
                LoopTest::Either { up, limit } => {
                    let below = self.op(Op::Lt, &[counter, limit], Type::BOOL);
                    let above = self.op(Op::Gt, &[counter, limit], Type::BOOL);
                    Some(self.op(Op::Select, &[up, below, above], Type::BOOL))
                }
            };
            let next = self.op(Op::WrapAdd, &[counter, by], Type::INT);
            let more = more.unwrap_or_else(|| self.op(Op::Lt, &[next, range.last], Type::BOOL));
            self.latch(more, next, &mut header, &mut frame);
        }
        self.finish_header(header);
        self.seal(frame.exit)
    }

    /// Is the first value within the end?
    fn is_before(&mut self, range: &Range, up: bool) -> Value {
        let op = match (up, range.inclusive) {
            (true, false) => Op::Lt,
            (true, true) => Op::Le,
            (false, false) => Op::Gt,
            (false, true) => Op::Ge,
        };
        self.op(op, &[range.first, range.last], Type::BOOL)
    }

    /// What the counter must lie before so that another step of a known size stays within the end.
    fn limit(&mut self, range: &Range, by: i64, end: Option<i64>) -> Value {
        // `i + by <= end` iff `i < end - (by - 1)`, and with `<` iff `i < end - by`; mirrored for a negative step.
        let distance = if range.inclusive { by - by.signum() } else { by };
        if distance == 0 {
            return range.last;
        }
        if let Some(end) = end {
            return self.int(end.saturating_sub(distance));
        }
        let (edge, op) = if by > 0 { (i64::MIN, Op::Lt) } else { (i64::MAX, Op::Gt) };
        // The distance has the sign of the step, so the sum cannot leave the range.
        let near = self.int(edge.wrapping_add(distance));
        let is_near = self.op(op, &[range.last, near], Type::BOOL);
        let distance = self.int(distance);
        let exact = self.op(Op::WrapSub, &[range.last, distance], Type::INT);
        let edge = self.int(edge);
        self.op(Op::Select, &[is_near, edge, exact], Type::INT)
    }

    /// The same for a step that is known at run time only.
    fn open_limit(&mut self, range: &Range, by: Value, up: Value) -> Value {
        let mut distance = by;
        if range.inclusive {
            let one = self.int(1);
            let less = self.op(Op::WrapSub, &[by, one], Type::INT);
            let more = self.op(Op::WrapAdd, &[by, one], Type::INT);
            distance = self.op(Op::Select, &[up, less, more], Type::INT);
        }
        let (min, max) = (self.int(i64::MIN), self.int(i64::MAX));
        let edge = self.op(Op::Select, &[up, min, max], Type::INT);
        let near = self.op(Op::WrapAdd, &[edge, distance], Type::INT);
        let below = self.op(Op::Lt, &[range.last, near], Type::BOOL);
        let above = self.op(Op::Gt, &[range.last, near], Type::BOOL);
        let is_near = self.op(Op::Select, &[up, below, above], Type::BOOL);
        let exact = self.op(Op::WrapSub, &[range.last, distance], Type::INT);
        self.op(Op::Select, &[is_near, edge, exact], Type::INT)
    }

    /// The value of an int literal or constant, also with a minus.
    fn literal_int(&self, e: ExprId) -> Result<Option<i64>, Stop> {
        let body = self.body;
        if let Expr::Intrinsic(Intrinsic::IntNeg, args) = body.exprs[e]
            && let [operand] = body.lists[args]
            && let Expr::Int(value) = body.exprs[operand]
        {
            return Ok(value.checked_neg());
        }
        if let Expr::Int(value) = body.exprs[e] {
            return Ok(Some(value));
        }
        if let Expr::Constant(item) = body.exprs[e]
            && let Some(ConstValue::Int(value)) = self.cx.constant(item)?.as_deref()
        {
            return Ok(Some(*value));
        }
        Ok(None)
    }

    fn open_frame(&mut self, id: LoopId, exit: Join) {
        let again = self.open(None);
        self.frames[id.index()] = Some(Frame { exit, again });
    }

    fn loop_header(&mut self, id: LoopId, own: &[Type]) -> Header {
        let locals = self.assigned.locals(id);
        self.header(&locals, own)
    }

    fn jump_to(&mut self, header: &mut Header, own: &[Value]) {
        let jump = self.open_jump();
        self.header_edge_now(header, jump, 0, own);
    }

    /// Ends an iteration: back with the next counter, or out.
    fn latch(&mut self, more: Value, next: Value, header: &mut Header, frame: &mut Frame) {
        let branch = self.open_branch(more);
        self.header_edge_now(header, branch, 0, &[next]);
        self.edge(&mut frame.exit, branch, 1, None);
    }

    /// The body, then all ways to the next iteration, joined.
    fn loop_body(&mut self, id: LoopId, body: ExprId) -> Result<(Frame, bool), Stop> {
        if self.run(body)?
            && let Some(mut frame) = self.frames[id.index()].take()
        {
            self.jump(&mut frame.again, None);
            self.frames[id.index()] = Some(frame);
        }
        self.close(id)
    }

    fn close(&mut self, id: LoopId) -> Result<(Frame, bool), Stop> {
        let mut frame = self.frames[id.index()].take().unwrap_or_default();
        let again = std::mem::take(&mut frame.again);
        let goes_on = reached(self.seal(again))?.is_some();
        Ok((frame, goes_on))
    }
}

struct Range {
    first: Value,
    last: Value,
    inclusive: bool,
}

#[derive(Clone, Copy)]
enum Steps {
    /// Known, not zero.
    By(i64),
    /// Known at run time.
    Open(Value),
}

enum LoopTest {
    NextBeforeEnd,
    BelowLimit(Value),
    AboveLimit(Value),
    Either { up: Value, limit: Value },
}
