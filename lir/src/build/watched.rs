//! Programs that tell what happens to their memory (`--mem-debug`): a call of the runtime for each event, which takes nothing and changes nothing.

use abi::layout::MemEvent;
use abi::{PanicKind, RuntimeCall};
use ir::ssa::{NewInst, Value};
use ir::{Place, PlaceId};

use super::Builder;
use crate::ir::Type;
use crate::ops::{Cond, Op};

impl Builder<'_> {
    /// Panics in front of an op that may panic, when its turn has come. A call takes what it is given, so nobody can panic in its place.
    pub(super) fn panic_when_due(&mut self, op: mir::Op) {
        if !matches!(op, mir::Op::Call | mir::Op::CallValue | mir::Op::CallMethod | mir::Op::ChangeMethod | mir::Op::Panic) {
            let new = NewInst { imm: RuntimeCall::PanicDue as u64, ..NewInst::new(Op::Runtime) };
            let made = self.out.append(self.block, new, &[Type::I64]);
            let (is_due, no) = (self.out.insts[made].first_result, self.constant(Type::I64, 0));
            self.check(Cond::Eq, PanicKind::DivByZero, is_due, no, &[]);
        }
    }

    /// Tells of a block.
    pub(super) fn note(&mut self, event: MemEvent, block: Value) {
        let Some(latest) = self.watched else { return };
        let place = match [self.place, latest].into_iter().find(|place| place.is_some()) {
            Some(place) => place,
            None => self.out.places.add(Place { item: self.mir.name, line: 1, column: 1, inlined_at: PlaceId::NONE }),
        };
        let event = self.constant(Type::I64, event as i64);
        let new = NewInst { args: &[event, block], imm: RuntimeCall::MemEvent as u64, place, ..NewInst::new(Op::Runtime) };
        self.out.append(self.block, new, &[]);
    }

    /// Tells of the block that the third word of a text names, if it names one.
    pub(super) fn note_text(&mut self, event: MemEvent, owner: Value) {
        if self.watched.is_some() {
            let null = self.constant(Type::Ptr, 0);
            let block = self.pure(Op::Add, &[null, owner], Type::Ptr);
            self.note(event, block);
        }
    }
}
