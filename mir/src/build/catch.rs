//! `catch`: a panic inside it lands in a block that takes the message and goes on behind.
//!
//! What locals are assigned inside is kept, whichever instruction panics. A landing block has no parameters, so instructions between which something was
//! assigned land in blocks of their own, each an edge of one join with the definitions at that point.

use abi::RuntimeCall;
use hir::Type;
use hir::ir::ExprId;
use ir::ssa::{Block, NewInst, Value};

use super::flow::Join;
use super::{Builder, Lower, reached};
use crate::ops::{NOUNWIND, Op};

/// `Ok` and `Err` by number.
const OK: u64 = 0;
const ERR: u64 = 1;

/// A `catch` that is being built.
pub(super) struct Catch {
    /// Where its landing blocks lead.
    caught: Join,
    /// The latest one, and the version of the definitions it was made for.
    latest: Option<(Block, u64)>,
}

impl Builder<'_> {
    pub(super) fn catch(&mut self, e: ExprId, value: ExprId) -> Lower<Option<Value>> {
        let ty = self.ty(e);
        let mut done = self.open(Some(ty));
        let caught = self.open(None);
        self.catches.push(Catch { caught, latest: None });
        let body = reached(self.expr(value));
        let Some(catch) = self.catches.pop() else { return Ok(None) };
        if let Some(value) = body? {
            let value = match value {
                Some(value) => value,
                None => self.unit(),
            };
            let result = self.op_with(Op::Variant, &[value], OK, ty);
            self.jump(&mut done, Some(result));
        }
        if reached(self.seal(catch.caught))?.is_some() {
            let new = NewInst { imm: RuntimeCall::Caught as u64, flags: NOUNWIND, ..NewInst::new(Op::Runtime) };
            let message = self.graph.append1(self.current, new, Type::STR);
            let result = self.op_with(Op::Variant, &[message], ERR, ty);
            self.jump(&mut done, Some(result));
        }
        self.seal(done)
    }

    /// Where a panic lands that happens now.
    pub(super) fn catch_landing(&mut self) -> Block {
        let version = self.flow.version();
        if let Some(Catch { latest: Some((block, at)), .. }) = self.catches.last()
            && *at == version
        {
            return *block;
        }
        let block = self.graph.add_block();
        let Some(Catch { mut caught, .. }) = self.catches.pop() else { return block };
        let here = std::mem::replace(&mut self.current, block);
        self.jump(&mut caught, None);
        self.current = here;
        self.catches.push(Catch { caught, latest: Some((block, version)) });
        block
    }
}
