//! Texts, runtime calls and panics: where values meet memory.

use abi::layout::MemEvent;
use abi::{Kind, PanicKind, RuntimeCall, layout};
use ir::ssa::{Inst, NewInst, Value};
use ir::{PlaceId, Symbol};
use mir::Op as MirOp;

use super::{Builder, Home, NONE};
use crate::ir::Type;
use crate::ops::{Cond, Op};

impl Builder<'_> {
    /// A short text is three constants; a long one lies in static data, and nobody owns it.
    pub(super) fn str_literal(&mut self, inst: Inst, imm: u64) {
        let text = Symbol::from_raw(imm as u32).as_str().as_bytes();
        let words = match layout::inline_str(text) {
            Some([first, second, third]) => {
                [self.constant(Type::Ptr, first as i64), self.constant(Type::I64, second as i64), self.constant(Type::I64, third as i64)]
            }
            None => [self.plain(Op::Data, &[], imm, Type::Ptr), self.constant(Type::I64, text.len() as i64), self.constant(Type::I64, 0)],
        };
        self.define_leaves(inst, &words);
    }

    /// The length by the tag in the last byte: no branch.
    pub(super) fn str_len(&mut self, inst: Inst) {
        let mir = self.mir;
        let args = mir.args(inst);
        if let Some(text) = args.first().and_then(|&v| self.str_of(v)) {
            let len = self.constant(Type::I64, text.as_str().len() as i64);
            return self.define(inst, len);
        }
        let (length, tagged) = (self.leaf_at(args.first(), 1), self.leaf_at(args.first(), 2));
        let shift = self.constant(Type::I64, 56);
        let tag = self.pure(Op::Shr, &[tagged, shift], Type::I64);
        let mask = self.constant(Type::I64, i64::from(!layout::STR_INLINE_TAG));
        let short = self.pure(Op::And, &[tag, mask], Type::I64);
        let zero = self.constant(Type::I64, 0);
        let inline = self.icmp(Cond::Slt, tagged, zero);
        let value = self.pure(Op::Select, &[inline, short, length], Type::I64);
        self.define(inst, value);
    }

    fn str_of(&self, value: Value) -> Option<Symbol> {
        let row = self.mir.values.get(value)?;
        match row.def {
            ir::ssa::Def::Result(inst, _) => {
                let row = self.mir.insts.get(inst)?;
                (row.op == MirOp::Str).then(|| Symbol::from_raw(row.imm as u32))
            }
            ir::ssa::Def::Param(..) => None,
        }
    }

    /// The address of the 24 bytes of a text.
    fn spill(&mut self, value: Option<&Value>) -> Value {
        let first = value.and_then(|v| self.first_leaf.get(v.index())).copied().unwrap_or(NONE);
        let here = self.block.raw();
        if let Some(home) = self.homes.get(first as usize)
            && (home.block == here || home.block == Home::EVERYWHERE)
        {
            return home.slot;
        }
        let words = [0, 1, 2].map(|i| self.leaf_at(value, i));
        let slot = self.slot(layout::STR_SIZE as u32);
        for (word, offset) in words.into_iter().zip([layout::STR_POINTER, layout::STR_LENGTH, layout::STR_OWNER]) {
            self.store(slot, offset as u32, word);
        }
        self.set_home(first, Home { slot, block: here });
        slot
    }

    fn set_home(&mut self, first: u32, home: Home) {
        if (first as usize) < self.leaves.len() {
            if self.homes.len() < self.leaves.len() {
                self.homes.resize(self.leaves.len(), Home::UNKNOWN);
            }
            self.homes[first as usize] = home;
        }
    }

    /// A runtime call in its own convention (`abi::calls`): texts by address, a text or a fallible result through an out address, and after it one
    /// check a status.
    pub(super) fn runtime(&mut self, inst: Inst) {
        let mir = self.mir;
        let imm = mir.insts[inst].imm;
        let Some(call) = RuntimeCall::from_number(imm) else {
            // A mutant; the verifier of LIR says so too.
            self.out.append(self.block, NewInst { imm, ..NewInst::new(Op::Runtime) }, &[]);
            return;
        };
        if call == RuntimeCall::StrEqual {
            return self.str_equal(inst);
        }
        self.called(inst, call);
    }

    /// Are two texts equal? A text that fits into its value is there, padded with zeros: only where both are longer must anybody look at bytes elsewhere.
    fn str_equal(&mut self, inst: Inst) {
        let mir = self.mir;
        let args = mir.args(inst);
        let [a, b] = [0, 1].map(|at| [0, 1, 2].map(|leaf| self.leaf_at(args.get(at), leaf)));
        let zero = self.constant(Type::I64, 0);
        let first = self.icmp(Cond::Eq, a[0], b[0]);
        let (second, third) = (self.pure(Op::Xor, &[a[1], b[1]], Type::I64), self.pure(Op::Xor, &[a[2], b[2]], Type::I64));
        let rest = self.pure(Op::Or, &[second, third], Type::I64);
        let rest = self.icmp(Cond::Eq, rest, zero);
        let same = self.pure(Op::And, &[first, rest], Type::I8);
        let is_short = |value| self.str_of(value).is_some_and(|text| text.as_str().len() <= layout::STR_INLINE_MAX);
        if args.iter().any(|&value| is_short(value)) {
            return self.define(inst, same);
        }
        let (call, join) = (self.out.add_block(), self.out.add_block());
        self.is_split = true;
        let tags = self.pure(Op::Or, &[a[2], b[2]], Type::I64);
        let are_long = self.icmp(Cond::Sge, tags, zero);
        self.branch(are_long, (call, &[]), (join, &[same]));
        let known = self.constants.len();
        self.block = call;
        self.called(inst, RuntimeCall::StrEqual);
        let found = self.leaves.pop().unwrap_or(same);
        self.jump(join, &[found]);
        self.constants.truncate(known);
        self.block = join;
        let value = self.out.add_param(join, Type::I8);
        self.define(inst, value);
    }

    fn called(&mut self, inst: Inst, call: RuntimeCall) {
        let mir = self.mir;
        let args = mir.args(inst);
        let imm = mir.insts[inst].imm;
        let fallible = !call.statuses().is_empty();
        let result = machine_type(call.result());
        let out_size = match call.result() {
            Kind::Str => Some(layout::STR_SIZE as u32),
            Kind::Void | Kind::Address => None,
            Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte => fallible.then_some(8),
        };
        let mut operands = [Value::new(NONE as usize); 6];
        let mut count = 0;
        let out = out_size.map(|size| self.slot(size));
        let mut text = Value::new(NONE as usize);
        if let Some(out) = out {
            operands[count] = out;
            count += 1;
        }
        for (position, kind) in call.args().iter().enumerate() {
            let operand = match kind {
                Kind::Str => {
                    let address = self.spill(args.get(position));
                    if text.index() == NONE as usize {
                        text = address;
                    }
                    address
                }
                Kind::Void | Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte | Kind::Address => self.leaf(args, position),
            };
            operands[count] = operand;
            count += 1;
        }
        let status = fallible.then_some(Type::I64);
        let returned: &[Type] = match (&status, &result) {
            (Some(status), _) => std::slice::from_ref(status),
            (None, Some(result)) if out.is_none() => std::slice::from_ref(result),
            (None, Some(_) | None) => &[],
        };
        // The only one that says where it was called; all others panic, if at all, by a status.
        let place = if call.tells_place() { self.place } else { PlaceId::NONE };
        let new = NewInst { args: &operands[..count], imm, place, ..NewInst::new(Op::Runtime) };
        let made = self.out.append(self.block, new, returned);
        let value = self.out.insts[made].first_result;
        if fallible {
            self.check_statuses(call, value, text);
        }
        match (call.result(), out, result) {
            (Kind::Str, Some(out), _) => {
                let words = [
                    self.load(out, layout::STR_POINTER as u32, Type::Ptr),
                    self.load(out, layout::STR_LENGTH as u32, Type::I64),
                    self.load(out, layout::STR_OWNER as u32, Type::I64),
                ];
                self.note_text(MemEvent::Given, words[2]);
                let first = self.leaves.len() as u32;
                self.define_leaves(inst, &words);
                // Nothing else ever writes this slot, so it keeps the text wherever the text is known.
                self.set_home(first, Home { slot: out, block: Home::EVERYWHERE });
            }
            (_, Some(out), Some(ty)) => {
                let value = self.load(out, 0, ty);
                self.define(inst, value);
            }
            (_, None, Some(_)) => self.define(inst, value),
            (_, _, None) => self.define_leaves(inst, &[]),
        }
    }

    /// Status `k` panics with the `k`th kind; any other status but 0 with the last. An int argument of the panic is the status itself, a text the
    /// first text operand of the call.
    fn check_statuses(&mut self, call: RuntimeCall, status: Value, text: Value) {
        let kinds = call.statuses();
        for (position, &kind) in kinds.iter().enumerate() {
            let mut more = [status; 2];
            for (slot, wanted) in more.iter_mut().zip(kind.args()) {
                *slot = if *wanted == Kind::Str { text } else { status };
            }
            let more = &more[..kind.args().len().min(2)];
            if position + 1 == kinds.len() {
                let zero = self.constant(Type::I64, 0);
                self.check(Cond::Eq, kind, status, zero, more);
            } else {
                let number = self.constant(Type::I64, position as i64 + 1);
                self.check(Cond::Ne, kind, status, number, more);
            }
        }
    }

    pub(super) fn panic(&mut self, inst: Inst) {
        let mir = self.mir;
        let imm = mir.insts[inst].imm;
        let kinds = PanicKind::from_number(imm).map_or(&[][..], PanicKind::args);
        let mut operands = Vec::new();
        for (position, value) in mir.args(inst).iter().enumerate() {
            let operand = match kinds.get(position) {
                Some(Kind::Str) => self.spill(Some(value)),
                Some(Kind::Void | Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte | Kind::Address) | None => {
                    self.leaf_at(Some(value), 0)
                }
            };
            operands.push(operand);
        }
        let new = NewInst { args: &operands, imm, flags: self.flags, unwind: self.unwind, place: self.place, ..NewInst::new(Op::Panic) };
        self.out.append(self.block, new, &[]);
    }
}

/// The machine type of a kind with one leaf.
pub(crate) const fn machine_type(kind: Kind) -> Option<Type> {
    match kind {
        Kind::Int => Some(Type::I64),
        Kind::Float => Some(Type::F64),
        Kind::Bool | Kind::Byte => Some(Type::I8),
        Kind::Char => Some(Type::I32),
        Kind::Address => Some(Type::Ptr),
        Kind::Void | Kind::Str => None,
    }
}
