//! Graph to dense form. Refuses what would not be a body: a wrong number or kind of operands, ids that dangle. Exact types are the verifier's part.

use std::rc::Rc;

use abi::{Kind, PanicKind, RuntimeCall};
use hashbrown::HashMap;
use hir::Type;
use hir::program::ObjectMethod;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst, Value};
use ir::{ItemId, Symbol};

use super::code::{Code, Edge, HEAP, Insn, Run, Site, Slot};
use super::value::{heap_of, is_word};
use crate::ir::{Contract, Mir};
use crate::ops::{Op, SOLE, payload_parts};
use crate::ownership::{is_token, opened};

/// A value without a slot.
const NONE: Slot = u32::MAX;

/// Makes a branch from two compared slots and two edges.
type MakeBranch = fn(Slot, Slot, u32, u32) -> Insn;

/// The branch that compares like this op.
fn fused_branch(op: Op) -> Option<MakeBranch> {
    const BRANCHES: [(Op, MakeBranch); 6] = [
        (Op::Eq, |a, b, yes, no| Insn::BranchEq { a, b, yes, no }),
        (Op::Ne, |a, b, yes, no| Insn::BranchNe { a, b, yes, no }),
        (Op::Lt, |a, b, yes, no| Insn::BranchLt { a, b, yes, no }),
        (Op::Le, |a, b, yes, no| Insn::BranchLe { a, b, yes, no }),
        (Op::Gt, |a, b, yes, no| Insn::BranchGt { a, b, yes, no }),
        (Op::Ge, |a, b, yes, no| Insn::BranchGe { a, b, yes, no }),
    ];
    BRANCHES.iter().find(|row| row.0 == op).map(|row| row.1)
}

/// Decodes a body. `callee` gives the number of a function that it calls.
pub(super) fn decode(body: &Graph<Mir>, contract: Contract, callee: impl FnMut(ItemId) -> u32) -> Result<Code, String> {
    let order = Order::of(body);
    let mut decoder = Decoder {
        body,
        order: &order,
        callee,
        slots: vec![NONE; body.values.len()],
        uses: vec![0; body.values.len()],
        starts: vec![0; body.blocks.len()],
        literals: HashMap::new(),
        texts: HashMap::new(),
        scratch_word: NONE,
        scratch_heap: NONE,
        code: Code {
            item: body.name,
            insns: Vec::new(),
            origin: Vec::new(),
            values: Vec::new(),
            contract,
            sites: Vec::new(),
            places: body.places.clone(),
            params: Vec::new(),
            operands: Vec::new(),
            moves: Vec::new(),
            edges: Vec::new(),
            tables: Vec::new(),
            texts: Vec::new(),
            statics: Vec::new(),
            opened: Vec::new(),
            methods: Vec::new(),
            template: Vec::new(),
            heaps: 0,
            entry_cost: 0,
        },
    };
    decoder.function().map_err(|why| format!("@{}: {why}", body.name))?;
    Ok(decoder.code)
}

struct Decoder<'a, F> {
    body: &'a Graph<Mir>,
    order: &'a Order,
    callee: F,
    /// Slot of each value, with the bit of its kind.
    slots: Vec<Slot>,
    uses: Vec<u32>,
    /// First instruction of each block.
    starts: Vec<u32>,
    literals: HashMap<u64, Slot>,
    texts: HashMap<Symbol, u32>,
    scratch_word: Slot,
    scratch_heap: Slot,
    code: Code,
}

impl<F: FnMut(ItemId) -> u32> Decoder<'_, F> {
    fn function(&mut self) -> Result<(), String> {
        let body = self.body;
        let Some(&entry) = self.order.blocks.first() else { return Err("a function without blocks".to_owned()) };
        for &block in &self.order.blocks {
            for &param in &body.blocks[block].params {
                self.define(param)?;
            }
            for &inst in &body.blocks[block].insts {
                let passed = body.targets(inst).iter().flat_map(|&t| body.target_args(t));
                for &arg in body.args(inst).iter().chain(passed) {
                    if let Some(uses) = self.uses.get_mut(arg.index()) {
                        *uses += 1;
                    }
                }
                if matches!(body.op(inst), Op::Int | Op::Bool | Op::Char | Op::Byte | Op::Float | Op::Unit | Op::Methods) {
                    // Addresses of methods are known by their type.
                    let slot = match body.op(inst) {
                        Op::Methods => self.literal(body.results(inst).next().map_or(0, |value| u64::from(body.ty(value).raw()))),
                        _ => self.literal(body.insts[inst].imm),
                    };
                    for value in body.results(inst) {
                        let row = body.values.get(value).ok_or("a dangling value")?;
                        if !is_word(row.ty) {
                            return Err("a number of another type".to_owned());
                        }
                        self.slots[value.index()] = slot;
                    }
                    continue;
                }
                if body.op(inst) == Op::Dup {
                    // The same value: what may overwrite the slot of the operand ends the life of the result too.
                    let slot = self.arg(inst, 0)?;
                    for result in body.results(inst) {
                        *self.slots.get_mut(result.index()).ok_or("a dangling value")? = slot;
                    }
                    continue;
                }
                if body.op(inst) == Op::Open {
                    // As a `dup`: a part stays where it is. A token is nothing.
                    for (index, result) in body.results(inst).enumerate() {
                        if is_token(body.values.get(result).ok_or("a dangling value")?.ty) {
                            self.define(result)?;
                        } else {
                            self.slots[result.index()] = self.arg(inst, index + 1)?;
                        }
                    }
                    continue;
                }
                for result in body.results(inst) {
                    self.define(result)?;
                }
            }
        }
        self.code.params = body.blocks[entry].params.iter().map(|&p| self.slots[p.index()]).collect();
        self.code.entry_cost = body.blocks[entry].insts.len() as u32;
        for &block in &self.order.blocks {
            self.starts[block.index()] = self.code.insns.len() as u32;
            let insts = &body.blocks[block].insts;
            for (index, &inst) in insts.iter().enumerate() {
                if self.is_fused(insts, index) {
                    continue;
                }
                let fused = index.checked_sub(1).filter(|&before| self.is_fused(insts, before)).map(|before| insts[before]);
                if let Some(insn) = self.inst(inst, fused)? {
                    self.code.insns.push(insn);
                    self.code.origin.push(inst);
                    let row = &body.insts[inst];
                    let about = if row.results > 0 { Some(row.first_result) } else { body.args(inst).first().copied() };
                    self.code.values.push(about.map_or(0, Value::raw));
                }
            }
            if body.terminator(block).is_none() {
                return Err(format!("b{} has no terminator", block.raw()));
            }
        }
        // All blocks have their start now.
        for edge in &mut self.code.edges {
            edge.pc = *self.starts.get(edge.pc as usize).ok_or("a dangling block")?;
        }
        for &inst in &self.code.origin {
            let row = &body.edges[inst];
            let unwind = match row.unwind {
                Some(block) => Some(*self.starts.get(block.index()).ok_or("a dangling unwind block")?),
                None => None,
            };
            self.code.sites.push(Site { unwind, place: row.place });
        }
        Ok(())
    }

    /// Is this a comparison of words that only the branch behind it uses?
    fn is_fused(&self, insts: &[Inst], index: usize) -> bool {
        let (Some(&inst), Some(&next)) = (insts.get(index), insts.get(index + 1)) else { return false };
        let row = &self.body.insts[inst];
        fused_branch(row.op).is_some()
            && self.body.op(next) == Op::Branch
            && self.body.args(next) == [row.first_result]
            && self.uses.get(row.first_result.index()) == Some(&1)
    }

    fn define(&mut self, value: Value) -> Result<(), String> {
        let row = self.body.values.get(value).ok_or("a dangling value")?;
        let slot = if is_word(row.ty) { self.new_word(0) } else { self.new_heap() };
        self.slots[value.index()] = slot;
        Ok(())
    }

    fn new_word(&mut self, word: u64) -> Slot {
        self.code.template.push(word);
        self.code.template.len() as u32 - 1
    }

    fn new_heap(&mut self) -> Slot {
        self.code.heaps += 1;
        (self.code.heaps - 1) | HEAP
    }

    /// Literals are words of the template; equal ones share a slot.
    fn literal(&mut self, word: u64) -> Slot {
        if let Some(&slot) = self.literals.get(&word) {
            return slot;
        }
        let slot = self.new_word(word);
        self.literals.insert(word, slot);
        slot
    }

    /// The slot of a value, with its kind bit.
    fn slot(&self, value: Value) -> Result<Slot, String> {
        match self.slots.get(value.index()) {
            Some(&slot) if slot != NONE => Ok(slot),
            _ => Err(format!("%{} is used and not defined", value.raw())),
        }
    }

    fn arg(&self, inst: Inst, index: usize) -> Result<Slot, String> {
        match self.body.args(inst).get(index) {
            Some(&value) => self.slot(value),
            None => Err(format!("{} lacks an operand", self.body.op(inst).info().name)),
        }
    }

    fn word(&self, inst: Inst, index: usize) -> Result<Slot, String> {
        let slot = self.arg(inst, index)?;
        if slot & HEAP == 0 { Ok(slot) } else { Err(format!("{} on a value that is no number", self.body.op(inst).info().name)) }
    }

    fn heap(&self, inst: Inst, index: usize) -> Result<Slot, String> {
        let slot = self.arg(inst, index)?;
        if slot & HEAP != 0 { Ok(slot & !HEAP) } else { Err(format!("{} on a number", self.body.op(inst).info().name)) }
    }

    fn result(&self, inst: Inst) -> Result<Slot, String> {
        match self.body.insts[inst].results {
            0 => Err(format!("{} lacks a result", self.body.op(inst).info().name)),
            _ => self.slot(self.body.insts[inst].first_result),
        }
    }

    fn word_result(&self, inst: Inst) -> Result<Slot, String> {
        let slot = self.result(inst)?;
        if slot & HEAP == 0 { Ok(slot) } else { Err(format!("{} gives a number", self.body.op(inst).info().name)) }
    }

    fn heap_result(&self, inst: Inst) -> Result<Slot, String> {
        let slot = self.result(inst)?;
        if slot & HEAP != 0 { Ok(slot & !HEAP) } else { Err(format!("{} gives no number", self.body.op(inst).info().name)) }
    }

    fn operands(&mut self, values: &[Value]) -> Result<Run, String> {
        let start = self.code.operands.len() as u32;
        for &value in values {
            let slot = self.slot(value)?;
            self.code.operands.push(slot);
        }
        Ok(Run { start, len: values.len() as u32 })
    }

    fn inst(&mut self, inst: Inst, fused: Option<Inst>) -> Result<Option<Insn>, String> {
        let body = self.body;
        let row = &body.insts[inst];
        macro_rules! binary {
            ($name:ident) => {
                Insn::$name { d: self.word_result(inst)?, a: self.word(inst, 0)?, b: self.word(inst, 1)? }
            };
        }
        macro_rules! unary {
            ($name:ident) => {
                Insn::$name { d: self.word_result(inst)?, a: self.word(inst, 0)? }
            };
        }
        Ok(Some(match row.op {
            Op::Int | Op::Bool | Op::Char | Op::Byte | Op::Float | Op::Unit | Op::Methods => return Ok(None),
            Op::Str => {
                let symbol = Symbol::from_raw(row.imm as u32);
                let next = self.code.texts.len() as u32;
                let text = *self.texts.entry(symbol).or_insert(next);
                if text == next {
                    self.code.texts.push(Rc::from(symbol.as_str()));
                }
                Insn::Text { d: self.heap_result(inst)?, text }
            }
            Op::Static => {
                let text = Symbol::from_raw(row.imm as u32);
                let list = crate::statics::parse(text).ok_or("a static list whose text is none")?;
                self.code.statics.push(heap_of(list));
                Insn::Static { d: self.heap_result(inst)?, list: self.code.statics.len() as u32 - 1 }
            }
            Op::Add => binary!(Add),
            Op::Sub => binary!(Sub),
            Op::Mul => binary!(Mul),
            Op::Div => binary!(Div),
            Op::Rem => binary!(Rem),
            Op::FloorDiv => binary!(FloorDiv),
            Op::Neg => unary!(Neg),
            Op::Abs => unary!(Abs),
            Op::Shl => binary!(Shl),
            Op::Shr => binary!(Shr),
            Op::ByteShl => binary!(ByteShl),
            Op::ByteShr => binary!(ByteShr),
            Op::WrapAdd => binary!(WrapAdd),
            Op::WrapSub => binary!(WrapSub),
            Op::WrapMul => binary!(WrapMul),
            Op::And => binary!(And),
            Op::Or => binary!(Or),
            Op::Xor => binary!(Xor),
            Op::BitNot => {
                let is_byte = body.values.get(row.first_result).is_some_and(|value| value.ty == Type::BYTE);
                let mask = if is_byte { 0xFF } else { -1 };
                Insn::Flip { d: self.word_result(inst)?, a: self.word(inst, 0)?, mask }
            }
            Op::Not => Insn::Flip { d: self.word_result(inst)?, a: self.word(inst, 0)?, mask: 1 },
            Op::Eq => binary!(Eq),
            Op::Ne => binary!(Ne),
            Op::Lt => binary!(Lt),
            Op::Le => binary!(Le),
            Op::Gt => binary!(Gt),
            Op::Ge => binary!(Ge),
            Op::Select if self.result(inst)? & HEAP == 0 => {
                Insn::Select { d: self.word_result(inst)?, c: self.word(inst, 0)?, a: self.word(inst, 1)?, b: self.word(inst, 2)? }
            }
            Op::Select => {
                Insn::SelectHeap { d: self.heap_result(inst)?, c: self.word(inst, 0)?, a: self.heap(inst, 1)?, b: self.heap(inst, 2)? }
            }
            Op::FAdd => binary!(FAdd),
            Op::FSub => binary!(FSub),
            Op::FMul => binary!(FMul),
            Op::FDiv => binary!(FDiv),
            Op::FNeg => unary!(FNeg),
            Op::FAbs => unary!(FAbs),
            Op::FSqrt => unary!(FSqrt),
            Op::FEq => binary!(FEq),
            Op::FNe => binary!(FNe),
            Op::FLt => binary!(FLt),
            Op::FLe => binary!(FLe),
            Op::FGt => binary!(FGt),
            Op::FGe => binary!(FGe),
            Op::IntToFloat => unary!(IntToFloat),
            Op::FloatToInt => unary!(FloatToInt),
            Op::FloatBits => unary!(FloatBits),
            Op::FloatOfBits | Op::Widen | Op::ByteToChar => unary!(Copy),
            Op::IntToByte => unary!(IntToByte),
            Op::IntToChar => unary!(IntToChar),
            Op::Aggregate => Insn::Aggregate { d: self.heap_result(inst)?, parts: self.operands(body.args(inst))? },
            Op::Field if self.result(inst)? & HEAP == 0 => {
                Insn::Field { d: self.word_result(inst)?, a: self.heap(inst, 0)?, index: row.imm as u32 }
            }
            Op::Field => Insn::FieldHeap { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, index: row.imm as u32 },
            Op::WithField => {
                Insn::WithField { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, value: self.arg(inst, 1)?, index: row.imm as u32 }
            }
            Op::Variant => {
                let parts = self.operands(body.args(inst))?;
                Insn::Variant { d: self.heap_result(inst)?, variant: row.imm as u32, parts }
            }
            Op::Tag => Insn::Tag { d: self.word_result(inst)?, a: self.heap(inst, 0)? },
            Op::Is => Insn::Is { d: self.word_result(inst)?, a: self.heap(inst, 0)?, variant: row.imm as u32 },
            Op::Payload => {
                let (variant, part) = payload_parts(row.imm);
                let a = self.heap(inst, 0)?;
                match self.result(inst)? & HEAP {
                    0 => Insn::Payload { d: self.word_result(inst)?, a, variant, part },
                    _ => Insn::PayloadHeap { d: self.heap_result(inst)?, a, variant, part },
                }
            }
            Op::New => Insn::New { d: self.heap_result(inst)?, parts: self.operands(body.args(inst))? },
            Op::Part if self.result(inst)? & HEAP == 0 => {
                Insn::Part { d: self.word_result(inst)?, a: self.heap(inst, 0)?, index: row.imm as u32 }
            }
            Op::Part => Insn::PartHeap { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, index: row.imm as u32 },
            Op::Dup => Insn::Dup { a: self.heap(inst, 0)? },
            Op::Drop => Insn::Drop { a: self.heap(inst, 0)? },
            Op::Open => {
                self.code.opened.push(opened(body, inst).ok_or("open of what is no part")?);
                Insn::Open { a: self.heap(inst, 0)?, opened: self.code.opened.len() as u32 - 1 }
            }
            // The cell is a new one here: nobody can tell.
            Op::Reuse => Insn::New { d: self.heap_result(inst)?, parts: self.operands(body.args(inst).get(1..).unwrap_or(&[]))? },
            Op::Free => return Ok(None),
            Op::Hole => Insn::Hole { d: self.heap_result(inst)? },
            Op::Plug => Insn::Plug { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, value: self.heap(inst, 1)?, part: row.imm as u32 },
            Op::Fill => Insn::Fill { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, value: self.heap(inst, 1)? },
            Op::StrLen => Insn::StrLen { d: self.word_result(inst)?, a: self.heap(inst, 0)? },
            Op::List => Insn::List { d: self.heap_result(inst)?, parts: self.operands(body.args(inst))? },
            Op::ListPush => Insn::ListPush { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, value: self.arg(inst, 1)? },
            Op::ListSet => Insn::ListSet {
                d: self.heap_result(inst)?,
                a: self.heap(inst, 0)?,
                b: self.word(inst, 1)?,
                value: self.arg(inst, 2)?,
                sole: row.flags & SOLE != 0,
            },
            Op::ListSwap => {
                let old = body.results(inst).nth(1).ok_or("list_swap lacks a result")?;
                let (d, _, _) = (self.heap_result(inst)?, self.heap(inst, 0)?, self.word(inst, 1)?);
                Insn::ListSwap {
                    d,
                    all: self.operands(&[body.args(inst)[0], body.args(inst)[1], body.args(inst)[2], old])?,
                    sole: row.flags & SOLE != 0,
                }
            }
            Op::ListSlice => {
                Insn::ListSlice { d: self.heap_result(inst)?, a: self.heap(inst, 0)?, b: self.word(inst, 1)?, c: self.word(inst, 2)? }
            }
            Op::ListOwn => Insn::ListOwn { d: self.heap_result(inst)?, a: self.heap(inst, 0)? },
            Op::ListReserve | Op::Object => Insn::CopyHeap { d: self.heap_result(inst)?, a: self.heap(inst, 0)? },
            Op::TableDouble => Insn::TableDouble { d: self.heap_result(inst)?, a: self.heap(inst, 0)? },
            Op::ListLen => Insn::ListLen { d: self.word_result(inst)?, a: self.heap(inst, 0)? },
            Op::ListAt => Insn::ListAt { d: self.result(inst)?, a: self.heap(inst, 0)?, b: self.word(inst, 1)? },
            Op::ListGet => Insn::ListGet { d: self.result(inst)?, a: self.heap(inst, 0)?, b: self.word(inst, 1)? },
            Op::Runtime => self.runtime(inst)?,
            Op::Call => {
                let callee = (self.callee)(ItemId::from_raw(row.imm as u32));
                Insn::Call { callee, args: self.operands(body.args(inst))?, d: self.result(inst)? }
            }
            Op::Closure => {
                let callee = (self.callee)(ItemId::from_raw(row.imm as u32));
                Insn::Closure { callee, parts: self.operands(body.args(inst))?, d: self.heap_result(inst)? }
            }
            Op::CallValue => {
                let args = body.args(inst).get(1..).unwrap_or(&[]);
                Insn::CallValue { a: self.heap(inst, 0)?, args: self.operands(args)?, d: self.result(inst)? }
            }
            Op::CallMethod | Op::ChangeMethod => {
                self.heap(inst, 0)?;
                let mut args = body.args(inst).to_vec();
                args.rotate_left(1);
                let method = ObjectMethod { item: ItemId::from_raw(row.imm as u32), changes: row.op == Op::ChangeMethod };
                self.code.methods.push(method);
                let method = self.code.methods.len() as u32 - 1;
                Insn::CallMethod { method, args: self.operands(&args)?, d: self.result(inst)? }
            }
            Op::Jump => Insn::Jump { edge: self.edge(inst, 0)? },
            Op::Branch => {
                let (yes, no) = (self.edge(inst, 0)?, self.edge(inst, 1)?);
                let Some(compare) = fused else { return Ok(Some(Insn::Branch { c: self.word(inst, 0)?, yes, no })) };
                let (a, b) = (self.word(compare, 0)?, self.word(compare, 1)?);
                let make = fused_branch(body.op(compare)).ok_or("no comparison to fuse")?;
                make(a, b, yes, no)
            }
            Op::Switch => {
                let cases = body.cases(inst).to_vec();
                if body.targets(inst).len() != cases.len() + 1 {
                    return Err("a switch without one target a case".to_owned());
                }
                let mut rows = Vec::with_capacity(cases.len());
                for (index, &case) in cases.iter().enumerate() {
                    rows.push((case, self.edge(inst, index)?));
                }
                let default = self.edge(inst, cases.len())?;
                rows.sort_unstable();
                self.code.tables.push((rows, default));
                Insn::Switch { a: self.word(inst, 0)?, table: self.code.tables.len() as u32 - 1 }
            }
            Op::Return => Insn::Return { a: self.arg(inst, 0)? },
            Op::Tail => {
                let callee = (self.callee)(ItemId::from_raw(row.imm as u32));
                Insn::Tail { callee, args: self.operands(body.args(inst))? }
            }
            Op::Panic => {
                let kind = PanicKind::from_number(row.imm).ok_or("an unknown panic")?;
                let given: Vec<bool> = body.args(inst).iter().map(|&v| self.slot(v).map(|s| s & HEAP == 0)).collect::<Result<_, _>>()?;
                if given != kind.args().iter().map(|&k| k != Kind::Str).collect::<Vec<_>>() {
                    return Err(format!("panic {} with other arguments", kind.name()));
                }
                Insn::Panic { kind, args: self.operands(body.args(inst))? }
            }
            Op::Resume => Insn::Resume,
            Op::Unreachable => Insn::Unreachable,
        }))
    }

    fn runtime(&self, inst: Inst) -> Result<Insn, String> {
        let call = RuntimeCall::from_number(self.body.insts[inst].imm).ok_or("an unknown runtime call")?;
        let operand = |index: usize| match call.args().get(index) {
            None => Ok(0),
            Some(Kind::Str) => self.heap(inst, index),
            Some(_) => self.word(inst, index),
        };
        let d = match call.result() {
            Kind::Void => 0,
            Kind::Str => self.heap_result(inst)?,
            Kind::Int | Kind::Float | Kind::Bool | Kind::Char | Kind::Byte => self.word_result(inst)?,
            Kind::Address => return Err(format!("{} is not for MIR", call.name())),
        };
        Ok(Insn::Runtime { call, d, a: operand(0)?, b: operand(1)?, c: operand(2)? })
    }

    /// An edge to target `index`; its `pc` is the number of the block until all blocks have their start.
    fn edge(&mut self, inst: Inst, index: usize) -> Result<u32, String> {
        let body = self.body;
        let target = *body.targets(inst).get(index).ok_or("a terminator without its targets")?;
        let block: Block = target.block;
        let row = body.blocks.get(block).ok_or("a dangling block")?;
        let args = body.target_args(target);
        if args.len() != row.params.len() {
            return Err(format!("b{} gets {} arguments for {} parameters", block.raw(), args.len(), row.params.len()));
        }
        let (mut words, mut heaps) = (Vec::new(), Vec::new());
        for (&param, &arg) in row.params.iter().zip(args) {
            let (param, arg) = (self.slot(param)?, self.slot(arg)?);
            match (param & HEAP, arg & HEAP) {
                (0, 0) => words.push((param, arg)),
                (HEAP, HEAP) => heaps.push((param & !HEAP, arg & !HEAP)),
                _ => return Err(format!("an argument of b{} has another kind", block.raw())),
            }
        }
        let words = self.moves(words, false);
        let heaps = self.moves(heaps, true);
        self.code.edges.push(Edge { pc: block.raw(), cost: row.insts.len() as u32, words, heaps });
        Ok(self.code.edges.len() as u32 - 1)
    }

    /// The moves of an edge happen at once; here they are put in an order in which none destroys what another still reads.
    fn moves(&mut self, mut pending: Vec<(Slot, Slot)>, is_heap: bool) -> Run {
        let start = self.code.moves.len() as u32;
        pending.retain(|(to, from)| to != from);
        while !pending.is_empty() {
            let free = (0..pending.len()).find(|&i| (0..pending.len()).all(|j| i == j || pending[j].1 != pending[i].0));
            match free {
                Some(index) => self.code.moves.push(pending.remove(index)),
                None => {
                    // Only circles are left: one value is kept aside.
                    let scratch = self.scratch(is_heap);
                    let held = pending[0].1;
                    self.code.moves.push((scratch, held));
                    for row in &mut pending {
                        if row.1 == held {
                            row.1 = scratch;
                        }
                    }
                }
            }
        }
        Run { start, len: self.code.moves.len() as u32 - start }
    }

    fn scratch(&mut self, is_heap: bool) -> Slot {
        if is_heap {
            if self.scratch_heap == NONE {
                self.scratch_heap = self.new_heap() & !HEAP;
            }
            self.scratch_heap
        } else {
            if self.scratch_word == NONE {
                self.scratch_word = self.new_word(0);
            }
            self.scratch_word
        }
    }
}
