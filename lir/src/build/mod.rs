//! MIR to LIR: values become machine values, panics become checks.
//!
//! Every MIR value turns into a run of *leaves*, machine values in field order; `void` and `Never` have none. Building an aggregate, taking a
//! field out of it and passing it along are then renamings that leave no instruction behind. A text has the leaves `(ptr, i64, i64)`, the three
//! words of its 24 bytes, and a list `(ptr, i64, ptr)`; so an inline text is three constants and a long literal the address of static data, and no
//! instruction ever turns an integer into an address.
//!
//! Texts go to memory only where the runtime wants their address. The slot in which a runtime call left its result keeps that text for as
//! long as the value lives, so `print(a + b)` stores nothing.
//!
//! | room       | holds                                                              |
//! |------------|--------------------------------------------------------------------|
//! | here       | the walk over a body, one arm per MIR op                            |
//! | [`shape`]  | leaves and memory layout of language types                          |
//! | `arith`    | checked integer and float ops                                       |
//! | `sums`     | variants, tags and payloads                                         |
//! | `cells`    | cells on the heap                                                   |
//! | `lists`    | lists and their buffers                                             |
//! | `statics`  | lists that lie in the image                                         |
//! | `counts`   | `dup` and `drop`                                                    |
//! | `looked`   | the leaves that counting looks at                                   |
//! | `names`    | which locals have which leaves, for debuggers                       |
//! | `opened`   | values that are taken apart, and the room of their cells            |
//! | [`glue`]   | functions that count what values of a type hold, and free it        |
//! | `boundary` | texts, runtime calls and panics                                     |
//! | [`legal`]  | `built` to `legal`: wide results and oversized tail calls           |
//! | `separate` | calls of the runtime instead of lists of free cells                 |
//! | [`start`]  | the function behind the entry of the image                          |

mod arith;
mod boundary;
mod cells;
mod counts;
pub mod glue;
mod holes;
pub mod legal;
mod lists;
mod looked;
mod names;
mod opened;
mod separate;
pub mod shape;
pub mod start;
mod statics;
mod sums;
mod watched;

pub(crate) use boundary::machine_type;
pub use glue::{Purpose, glue, glue_signature};
pub use legal::legalise;
pub use separate::separate;
pub use shape::flatten_signature;
pub use start::{EntryReturn, entry, entry_item};

use abi::PanicKind;
use hashbrown::HashMap;
use ir::ssa::compact::compact;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst as MirInst, NewInst, Target, Value};
use ir::{Id, List, Place, PlaceId, Stop};
use mir::{Mir, Op as MirOp, Owned};

use crate::ir::{Body, Built, Context, Lir, Type, make_plain};
use crate::ops::{Cond, FloatCond, NOUNWIND, Op};
use arith::Division;
use shape::Shapes;

/// Lowers a body. A value of a type that is too wide to live in leaves ([`shape::MAX_LEAVES`]) gives a body without blocks, which the verifier
/// refuses with its code.
pub fn build(body: &mir::Body<Owned>, cx: &dyn Context) -> Result<Body<Built>, Stop> {
    let order = Order::of(body);
    let mut builder = Builder::new(body, cx);
    builder.watched = cx.watches_memory()?.then_some(PlaceId::NONE);
    builder.number_blocks(&order)?;
    for &block in &order.blocks {
        builder.block(block)?;
        if builder.shapes.refused() {
            break;
        }
    }
    if builder.shapes.refused() {
        let results = std::mem::take(&mut builder.out.results);
        return Ok(Body::new(Graph::new(body.name, results)));
    }
    builder.names()?;
    // Blocks that counting made stand behind all others.
    Ok(Body::new(if builder.is_split { compact(&builder.out) } else { builder.out }))
}

/// No leaf: the value has not been lowered (only in broken MIR).
const NONE: u32 = u32::MAX;

/// Where a text stands in memory: its slot, and the block in which the slot is known to hold it.
#[derive(Clone, Copy)]
struct Home {
    slot: Value,
    block: u32,
}

impl Home {
    const UNKNOWN: Home = Home { slot: Id::new(NONE as usize), block: NONE };
    /// Wherever the text itself is known.
    const EVERYWHERE: u32 = NONE - 1;
}

/// Constants made lately in the current block.
#[derive(Clone, Copy)]
struct Constant {
    ty: Type,
    value: i64,
    id: Value,
}

struct Builder<'a> {
    mir: &'a Graph<Mir>,
    cx: &'a dyn Context,
    shapes: Shapes<'a>,
    out: Graph<Lir>,
    /// LIR block of each MIR block.
    block_of: Vec<Block>,
    /// Position in `leaves` of the first leaf of each MIR value.
    first_leaf: Vec<u32>,
    leaves: Vec<Value>,
    /// Beside `leaves`, where the text that starts at this leaf stands; grows on demand.
    homes: Vec<Home>,
    constants: Vec<Constant>,
    block: Block,
    unwind: Option<Block>,
    flags: u16,
    place: PlaceId,
    /// The program tells what happens to its memory, and this is the latest place that was come by.
    watched: Option<PlaceId>,
    /// Counted leaves of each type that was asked about.
    counted: HashMap<hir::Type, u32>,
    /// The types that hold themselves, in a function that drops one of them.
    glue: Option<glue::Circle>,
    /// The slot where the value around the hole ends up, and its type.
    hole: Option<(Value, hir::Type)>,
    /// Are there blocks that no block of MIR stands for?
    is_split: bool,
    /// Does every way to the current block come by a landing? And to each block of MIR?
    is_landing: bool,
    landing: Vec<bool>,
    /// Scratch for operand lists.
    operands: Vec<Value>,
    /// Scratch for target lists.
    targets: Vec<Target>,
}

impl<'a> Builder<'a> {
    fn new(mir: &'a Graph<Mir>, cx: &'a dyn Context) -> Builder<'a> {
        let mut out = Graph::new(mir.name, Vec::new());
        out.places = mir.places.clone();
        out.names = mir.names.as_ref().map(|_| Box::default());
        let size = mir.insts.len();
        // Divisions and checks bring literals and checks of their own.
        out.reserve(mir.blocks.len() + 1, 2 * size, mir.values.len() + size, 3 * size);
        Builder {
            mir,
            cx,
            shapes: Shapes::new(cx),
            out,
            block_of: vec![Id::new(NONE as usize); mir.blocks.len()],
            first_leaf: vec![NONE; mir.values.len()],
            leaves: Vec::with_capacity(mir.values.len()),
            homes: Vec::new(),
            constants: Vec::new(),
            block: ENTRY,
            unwind: None,
            flags: 0,
            place: PlaceId::NONE,
            watched: None,
            counted: HashMap::new(),
            glue: None,
            hole: None,
            is_split: false,
            is_landing: false,
            landing: vec![true; mir.blocks.len()],
            operands: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Makes the LIR blocks with their parameters, in reverse postorder.
    fn number_blocks(&mut self, order: &Order) -> Result<(), Stop> {
        for &ty in &self.mir.results {
            let shape = self.shapes.of(ty)?;
            self.out.results.extend(self.shapes.leaves(shape).iter().map(|l| l.ty));
        }
        // A loop to the entry would have to pass the function's own parameters, to which legalising may add one.
        let looped = order.blocks.iter().any(|&block| order.succs(block).contains(&ENTRY));
        if looped {
            self.out.add_block();
        }
        for &block in &order.blocks {
            let new = self.out.add_block();
            self.block_of[block.index()] = new;
            for &param in &self.mir.blocks[block].params {
                let Some(row) = self.mir.values.get(param) else { continue };
                let shape = self.shapes.of(row.ty)?;
                self.first_leaf[param.index()] = self.leaves.len() as u32;
                for leaf in self.shapes.leaves(shape) {
                    self.leaves.push(self.out.add_param(new, leaf.ty));
                }
            }
        }
        if looped {
            let types: Vec<Type> = self.out.blocks[Id::new(1)].params.iter().map(|&p| self.out.ty(p)).collect();
            let params: Vec<Value> = types.into_iter().map(|ty| self.out.add_param(ENTRY, ty)).collect();
            self.out.append(ENTRY, NewInst { targets: &[(Id::new(1), &params)], ..NewInst::new(Op::Jump) }, &[]);
        }
        Ok(())
    }

    fn block(&mut self, block: Block) -> Result<(), Stop> {
        self.block = self.block_of[block.index()];
        self.constants.clear();
        let mir = self.mir;
        let insts = &mir.blocks[block].insts;
        self.is_landing = block != ENTRY && self.landing[block.index()];
        if let Some(&last) = insts.last()
            && !self.is_landing
        {
            // In reverse postorder the way that is not a loop's comes first.
            for target in mir.targets(last) {
                if let Some(is_landing) = self.landing.get_mut(target.block.index()) {
                    *is_landing = false;
                }
            }
        }
        self.out.blocks[self.block].insts.reserve(2 * insts.len());
        for &inst in insts {
            let (edges, mir_op) = (&mir.edges[inst], mir.op(inst));
            self.unwind = edges.unwind.map(|b| self.block_at(b));
            self.flags = mir.insts[inst].flags & NOUNWIND;
            self.place = if mir::ops::may_make(mir_op) { PlaceId::NONE } else { edges.place };
            if let Some(watched) = &mut self.watched
                && edges.place.is_some()
            {
                *watched = edges.place;
            }
            if self.watched.is_some() && self.unwind.is_some() {
                self.panic_when_due(mir_op);
            }
            let from = self.out.insts.len();
            self.inst(inst)?;
            if self.out.names.is_some() {
                self.see(inst, from);
            }
        }
        Ok(())
    }

    fn inst(&mut self, inst: MirInst) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let args = self.mir.args(inst);
        let imm = row.imm;
        match row.op {
            MirOp::Int => self.constant_result(inst, Type::I64, imm as i64),
            MirOp::Bool | MirOp::Byte => self.constant_result(inst, Type::I8, imm as i64),
            MirOp::Char => self.constant_result(inst, Type::I32, imm as i64),
            MirOp::Float => {
                let value = self.plain(Op::Fconst, &[], imm, Type::F64);
                self.define(inst, value);
            }
            MirOp::Str => self.str_literal(inst, imm),
            MirOp::Unit => self.define_leaves(inst, &[]),
            MirOp::Add => self.checked_result(inst, Op::AddCheck, Op::Add, PanicKind::AddOverflow),
            MirOp::Sub => self.checked_result(inst, Op::SubCheck, Op::Sub, PanicKind::SubOverflow),
            MirOp::Mul => self.checked_result(inst, Op::MulCheck, Op::Mul, PanicKind::MulOverflow),
            MirOp::Neg => {
                let a = self.leaf(args, 0);
                let value = self.checked(Op::NegCheck, Op::Neg, PanicKind::NegOverflow, &[a]);
                self.define(inst, value);
            }
            MirOp::Abs => self.lowered(inst, Self::abs),
            MirOp::Div => self.divide(inst, PanicKind::DivByZero, PanicKind::DivOverflow, Division::Quotient),
            MirOp::Rem => self.divide(inst, PanicKind::RemByZero, PanicKind::RemOverflow, Division::Remainder),
            MirOp::FloorDiv => self.divide(inst, PanicKind::DivByZero, PanicKind::FloorDivOverflow, Division::Floor),
            MirOp::Shl => self.lowered(inst, Self::shl),
            MirOp::Shr => self.lowered(inst, Self::shr),
            MirOp::ByteShl => self.lowered(inst, Self::byte_shl),
            MirOp::ByteShr => self.lowered(inst, Self::byte_shr),
            MirOp::FloatToInt => self.lowered(inst, Self::float_to_int),
            MirOp::IntToByte => self.lowered(inst, Self::int_to_byte),
            MirOp::IntToChar => self.lowered(inst, Self::int_to_char),
            MirOp::WrapAdd => self.binary(inst, Op::Add, Type::I64),
            MirOp::WrapSub => self.binary(inst, Op::Sub, Type::I64),
            MirOp::WrapMul => self.binary(inst, Op::Mul, Type::I64),
            MirOp::And => self.binary(inst, Op::And, self.type_of_leaf(args)),
            MirOp::Or => self.binary(inst, Op::Or, self.type_of_leaf(args)),
            MirOp::Xor => self.binary(inst, Op::Xor, self.type_of_leaf(args)),
            MirOp::BitNot => {
                let ty = self.type_of_leaf(args);
                let ones = self.constant(ty, if ty == Type::I64 { -1 } else { 0xff });
                let a = self.leaf(args, 0);
                let value = self.pure(Op::Xor, &[a, ones], ty);
                self.define(inst, value);
            }
            MirOp::Not => {
                let one = self.constant(Type::I8, 1);
                let a = self.leaf(args, 0);
                let value = self.pure(Op::Xor, &[a, one], Type::I8);
                self.define(inst, value);
            }
            MirOp::Eq => self.compare(inst, Cond::Eq, Cond::Eq),
            MirOp::Ne => self.compare(inst, Cond::Ne, Cond::Ne),
            MirOp::Lt => self.compare(inst, Cond::Slt, Cond::Ult),
            MirOp::Le => self.compare(inst, Cond::Sle, Cond::Ule),
            MirOp::Gt => self.compare(inst, Cond::Sgt, Cond::Ugt),
            MirOp::Ge => self.compare(inst, Cond::Sge, Cond::Uge),
            MirOp::Select => self.select(inst)?,
            MirOp::FAdd => self.binary(inst, Op::Fadd, Type::F64),
            MirOp::FSub => self.binary(inst, Op::Fsub, Type::F64),
            MirOp::FMul => self.binary(inst, Op::Fmul, Type::F64),
            MirOp::FDiv => self.binary(inst, Op::Fdiv, Type::F64),
            MirOp::FNeg => self.unary(inst, Op::Fneg, Type::F64),
            MirOp::FAbs => self.unary(inst, Op::Fabs, Type::F64),
            MirOp::FSqrt => self.unary(inst, Op::Fsqrt, Type::F64),
            MirOp::FEq => self.float_compare(inst, FloatCond::Eq),
            MirOp::FNe => self.float_compare(inst, FloatCond::Ne),
            MirOp::FLt => self.float_compare(inst, FloatCond::Lt),
            MirOp::FLe => self.float_compare(inst, FloatCond::Le),
            MirOp::FGt => self.float_compare(inst, FloatCond::Gt),
            MirOp::FGe => self.float_compare(inst, FloatCond::Ge),
            MirOp::IntToFloat => self.unary(inst, Op::FloatOfInt, Type::F64),
            MirOp::FloatBits => self.float_bits(inst),
            MirOp::FloatOfBits => self.unary(inst, Op::FloatOfBits, Type::F64),
            MirOp::Widen => match self.type_of_leaf(args) {
                Type::I64 => self.alias(inst, args.first().copied(), 0),
                Type::I8 | Type::I32 | Type::Ptr | Type::F64 => self.unary(inst, Op::Zext, Type::I64),
            },
            MirOp::ByteToChar => {
                let a = self.leaf(args, 0);
                let wide = self.pure(Op::Zext, &[a], Type::I64);
                let value = self.pure(Op::Trunc, &[wide], Type::I32);
                self.define(inst, value);
            }
            MirOp::Aggregate => {
                let operands = self.flat(args)?;
                self.define_leaves(inst, &operands);
                self.operands = operands;
            }
            MirOp::Field => {
                let shape = self.shape_of(args.first().copied())?;
                let first = self.shapes.field(shape, imm).map_or(0, |f| f.0);
                self.alias(inst, args.first().copied(), first);
            }
            MirOp::WithField => self.with_field(inst, imm)?,
            MirOp::Variant => self.variant(inst, imm)?,
            MirOp::Tag => self.tag(inst)?,
            MirOp::Is => self.is(inst, imm)?,
            MirOp::Payload => self.payload(inst, imm)?,
            MirOp::New => self.new_cell(inst)?,
            MirOp::Part => self.part(inst, imm)?,
            MirOp::StrLen => self.str_len(inst),
            MirOp::ListLen => self.alias(inst, args.first().copied(), 1),
            MirOp::List => self.list(inst)?,
            MirOp::Static => self.static_list(inst, imm)?,
            MirOp::ListGet | MirOp::ListAt => self.list_get(inst)?,
            MirOp::ListPush => self.list_push(inst)?,
            MirOp::ListSet | MirOp::ListSwap => self.list_set(inst)?,
            MirOp::ListSlice => self.list_slice(inst)?,
            MirOp::ListOwn => self.list_own(inst)?,
            MirOp::ListReserve => self.list_reserve(inst)?,
            MirOp::TableDouble => self.table_double(inst)?,
            MirOp::Runtime => self.runtime(inst),
            MirOp::Call => self.call(inst)?,
            MirOp::Closure => self.closure(inst)?,
            MirOp::CallValue => self.call_value(inst)?,
            MirOp::Methods => self.methods(inst)?,
            MirOp::Object => self.alias(inst, args.first().copied(), 0),
            MirOp::CallMethod => self.call_method(inst, false)?,
            MirOp::ChangeMethod => self.call_method(inst, true)?,
            MirOp::Dup => self.dup(inst)?,
            MirOp::Drop => self.drop_value(inst)?,
            MirOp::Open => self.open(inst)?,
            MirOp::Reuse => self.reuse(inst)?,
            MirOp::Free => {
                let token = self.leaf(args, 0);
                self.free_token(token, imm)?;
            }
            MirOp::Hole => self.hole(inst)?,
            MirOp::Plug => self.plug(inst)?,
            MirOp::Fill => self.fill_hole(inst)?,
            MirOp::Jump => self.transfer(inst, Op::Jump)?,
            MirOp::Branch => self.transfer(inst, Op::Branch)?,
            MirOp::Switch => self.transfer(inst, Op::Switch)?,
            MirOp::Return => self.leave(inst, Op::Return)?,
            MirOp::Tail => self.leave(inst, Op::Tail)?,
            MirOp::Panic => self.panic(inst),
            MirOp::Resume => self.end(Op::Resume),
            MirOp::Unreachable => self.end(Op::Unreachable),
        }
        Ok(())
    }

    fn end(&mut self, op: Op) {
        self.out.append(self.block, NewInst::new(op), &[]);
    }

    fn call(&mut self, inst: MirInst) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let new = NewInst { imm: row.imm, flags: self.flags, unwind: self.unwind, place: self.place, ..NewInst::new(Op::Call) };
        let args = self.mir.args(inst);
        self.call_as(inst, new, None, args, None)
    }

    /// A call: of an address, when there is one, with the arguments and then `last`.
    fn call_as(
        &mut self,
        inst: MirInst,
        new: NewInst<'_, Op>,
        callee: Option<Value>,
        args: &[Value],
        last: Option<Value>,
    ) -> Result<(), Stop> {
        let row = self.mir.insts[inst];
        let result = (row.results > 0).then_some(row.first_result);
        let shape = self.shape_of(result)?;
        let types: Vec<Type> = self.shapes.leaves(shape).iter().map(|l| l.ty).collect();
        let mut operands: Vec<Value> = callee.into_iter().collect();
        if types.len() > legal::MAX_RESULTS {
            // More results than an instruction can list: the area form of `legal`, already here.
            let area = self.slot(legal::area_size(&types));
            operands.push(area);
            operands.extend(self.flat(args)?);
            operands.extend(last);
            self.out.append(self.block, NewInst { args: &operands, ..new }, &[]);
            let loaded: Vec<Value> = legal::area_fields(&types).zip(&types).map(|(offset, &ty)| self.load(area, offset, ty)).collect();
            self.define_leaves(inst, &loaded);
            return Ok(());
        }
        let flat = self.flat(args)?;
        operands.extend_from_slice(&flat);
        self.operands = flat;
        operands.extend(last);
        let made = self.out.append(self.block, NewInst { args: &operands, ..new }, &types);
        let first = self.leaves.len() as u32;
        self.leaves.extend(self.out.results(made));
        if let Some(slot) = result.and_then(|r| self.first_leaf.get_mut(r.index())) {
            *slot = first;
        }
        Ok(())
    }

    /// A return or a tail call.
    fn leave(&mut self, inst: MirInst, op: Op) -> Result<(), Stop> {
        let operands = self.flat(self.mir.args(inst))?;
        let imm = self.mir.insts[inst].imm;
        self.out.append(self.block, NewInst { args: &operands, imm, place: self.place, ..NewInst::new(op) }, &[]);
        self.operands = operands;
        Ok(())
    }

    /// A jump inside the function.
    fn transfer(&mut self, inst: MirInst, op: Op) -> Result<(), Stop> {
        let mir = self.mir;
        let imm = if op == Op::Switch { self.out.add_cases(mir.cases(inst).iter().copied()) } else { 0 };
        let operands = self.flat(mir.args(inst))?;
        let args = self.out.args.add(operands.iter().copied());
        self.operands = operands;
        let mut rows = std::mem::take(&mut self.targets);
        rows.clear();
        for &target in mir.targets(inst) {
            let mut args = List::EMPTY;
            if !target.args.is_empty() {
                let operands = self.flat(mir.target_args(target))?;
                args = self.out.args.add(operands.iter().copied());
                self.operands = operands;
            }
            rows.push(Target { block: self.block_at(target.block), args });
        }
        let made = self.out.append(self.block, NewInst { imm, ..NewInst::new(op) }, &[]);
        self.out.insts[made].args = args;
        self.out.edges[made].targets = self.out.targets.add(rows.iter().copied());
        self.targets = rows;
        Ok(())
    }

    fn select(&mut self, inst: MirInst) -> Result<(), Stop> {
        let args = self.mir.args(inst);
        let condition = self.leaf(args, 0);
        let shape = self.shape_of(args.get(1).copied())?;
        let count = self.shapes.leaves(shape).len();
        let first = self.leaves.len() as u32;
        for index in 0..count as u32 {
            let ty = self.shapes.leaves(shape)[index as usize].ty;
            let (a, b) = (self.leaf_at(args.get(1), index), self.leaf_at(args.get(2), index));
            let value = self.pure(Op::Select, &[condition, a, b], ty);
            self.leaves.push(value);
        }
        self.set_first(inst, first);
        Ok(())
    }

    fn with_field(&mut self, inst: MirInst, index: u64) -> Result<(), Stop> {
        let args = self.mir.args(inst);
        let shape = self.shape_of(args.first().copied())?;
        let count = self.shapes.leaves(shape).len() as u32;
        let (from, len) = self.shapes.field(shape, index).unwrap_or((0, 0));
        self.drop_field(args, index, from, len)?;
        let first = self.leaves.len() as u32;
        for leaf in 0..count {
            let value = match leaf.checked_sub(from) {
                Some(within) if within < len => self.leaf_at(args.get(1), within),
                _ => self.leaf_at(args.first(), leaf),
            };
            self.leaves.push(value);
        }
        self.set_first(inst, first);
        Ok(())
    }

    /// Which NaN an operation gives differs between processors and optimisers, so all show the same bits.
    fn float_bits(&mut self, inst: MirInst) {
        let a = self.leaf(self.mir.args(inst), 0);
        let is_nan = self.plain(Op::Fcmp, &[a, a], FloatCond::Ne as u64, Type::I8);
        let (nan, bits) = (self.constant(Type::I64, pure::float::NAN as i64), self.pure(Op::BitsOfFloat, &[a], Type::I64));
        let value = self.pure(Op::Select, &[is_nan, nan, bits], Type::I64);
        self.define(inst, value);
    }

    fn unary(&mut self, inst: MirInst, op: Op, ty: Type) {
        let a = self.leaf(self.mir.args(inst), 0);
        let value = self.pure(op, &[a], ty);
        self.define(inst, value);
    }

    fn binary(&mut self, inst: MirInst, op: Op, ty: Type) {
        let args = self.mir.args(inst);
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        let value = self.pure(op, &[a, b], ty);
        self.define(inst, value);
    }

    /// Small integers are zero-extended, so they compare as unsigned.
    fn compare(&mut self, inst: MirInst, signed: Cond, unsigned: Cond) {
        let args = self.mir.args(inst);
        let cond = if self.type_of_leaf(args) == Type::I64 { signed } else { unsigned };
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        let value = self.icmp(cond, a, b);
        self.define(inst, value);
    }

    fn float_compare(&mut self, inst: MirInst, cond: FloatCond) {
        let args = self.mir.args(inst);
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        let value = self.fcmp(cond, a, b);
        self.define(inst, value);
    }

    /// One scalar result by one of the functions of `arith`.
    fn lowered(&mut self, inst: MirInst, lower: impl FnOnce(&mut Self, &[Value]) -> Value) {
        let mir = self.mir;
        let value = lower(self, mir.args(inst));
        self.define(inst, value);
    }

    fn checked_result(&mut self, inst: MirInst, op: Op, plain: Op, kind: PanicKind) {
        let args = self.mir.args(inst);
        let (a, b) = (self.leaf(args, 0), self.leaf(args, 1));
        let value = self.checked(op, plain, kind, &[a, b]);
        self.define(inst, value);
    }

    fn constant_result(&mut self, inst: MirInst, ty: Type, value: i64) {
        let value = self.constant(ty, value);
        self.define(inst, value);
    }

    // What the arms are made of.

    fn block_at(&self, block: Block) -> Block {
        self.block_of.get(block.index()).copied().unwrap_or(Id::new(NONE as usize))
    }

    /// The shape of a MIR value; that of `void` when there is none.
    fn shape_of(&mut self, value: Option<Value>) -> Result<shape::ShapeId, Stop> {
        match value.and_then(|v| self.mir.values.get(v)) {
            Some(row) => self.shapes.of(row.ty),
            None => Ok(shape::ShapeId::NOTHING),
        }
    }

    /// All leaves of these values, in a vector that goes back to `self.operands` when done with.
    fn flat(&mut self, values: &[Value]) -> Result<Vec<Value>, Stop> {
        let mut operands = std::mem::take(&mut self.operands);
        operands.clear();
        for &value in values {
            let shape = self.shape_of(Some(value))?;
            let count = self.shapes.leaves(shape).len();
            match self.first_leaf.get(value.index()) {
                Some(&first) if first != NONE && first as usize + count <= self.leaves.len() => {
                    operands.extend_from_slice(&self.leaves[first as usize..first as usize + count]);
                }
                _ => operands.extend((0..count).map(|_| Value::new(NONE as usize))),
            }
        }
        Ok(operands)
    }

    /// Leaf `index` of a value; dangling in broken MIR.
    fn leaf_at(&self, value: Option<&Value>, index: u32) -> Value {
        value
            .and_then(|v| self.first_leaf.get(v.index()))
            .and_then(|&first| self.leaves.get(first.checked_add(index)? as usize))
            .copied()
            .unwrap_or(Id::new(NONE as usize))
    }

    /// The leaf of operand `index`, a scalar.
    fn leaf(&self, args: &[Value], index: usize) -> Value {
        self.leaf_at(args.get(index), 0)
    }

    /// Machine type of the first operand, a scalar.
    fn type_of_leaf(&self, args: &[Value]) -> Type {
        match args.first().and_then(|&v| self.mir.values.get(v)) {
            Some(row) => shape::scalar(row.ty).unwrap_or(Type::I64),
            None => Type::I64,
        }
    }

    fn define(&mut self, inst: MirInst, value: Value) {
        let first = self.leaves.len() as u32;
        self.leaves.push(value);
        self.set_first(inst, first);
    }

    fn define_leaves(&mut self, inst: MirInst, values: &[Value]) {
        let first = self.leaves.len() as u32;
        self.leaves.extend_from_slice(values);
        self.set_first(inst, first);
    }

    /// The result of `inst` is the part of `value` that starts at leaf `offset`.
    fn alias(&mut self, inst: MirInst, value: Option<Value>, offset: u32) {
        let first = value.and_then(|v| self.first_leaf.get(v.index())).copied().unwrap_or(NONE);
        self.set_first(inst, if first == NONE { NONE } else { first + offset });
    }

    fn set_first(&mut self, inst: MirInst, first: u32) {
        let row = self.mir.insts[inst];
        if row.results > 0
            && let Some(slot) = self.first_leaf.get_mut(row.first_result.index())
        {
            *slot = first;
        }
    }

    /// The value of a MIR `int` literal.
    fn literal(&self, value: Option<&Value>) -> Option<i64> {
        let row = self.mir.values.get(*value?)?;
        match row.def {
            ir::ssa::Def::Result(inst, _) => {
                let row = self.mir.insts.get(inst)?;
                (row.op == MirOp::Int).then_some(row.imm as i64)
            }
            ir::ssa::Def::Param(..) => None,
        }
    }

    fn constant(&mut self, ty: Type, value: i64) -> Value {
        if let Some(found) = self.constants.iter().rev().take(8).find(|c| c.ty == ty && c.value == value) {
            return found.id;
        }
        let id = self.plain(Op::Iconst, &[], value as u64, ty);
        self.constants.push(Constant { ty, value, id });
        id
    }

    /// An instruction with one result and no edges.
    fn plain(&mut self, op: Op, args: &[Value], imm: u64, ty: Type) -> Value {
        let (inst, value) = make_plain(&mut self.out, op, args, imm, ty);
        self.out.blocks[self.block].insts.push(inst);
        value
    }

    fn pure(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.plain(op, args, 0, ty)
    }

    fn icmp(&mut self, cond: Cond, a: Value, b: Value) -> Value {
        self.plain(Op::Icmp, &[a, b], cond as u64, Type::I8)
    }

    fn fcmp(&mut self, cond: FloatCond, a: Value, b: Value) -> Value {
        self.plain(Op::Fcmp, &[a, b], cond as u64, Type::I8)
    }

    fn slot(&mut self, bytes: u32) -> Value {
        self.plain(Op::Slot, &[], u64::from(bytes), Type::Ptr)
    }

    fn load(&mut self, base: Value, offset: u32, ty: Type) -> Value {
        self.plain(Op::Load, &[base], u64::from(offset), ty)
    }

    fn store(&mut self, base: Value, offset: u32, value: Value) {
        self.out.append(self.block, NewInst { args: &[base, value], imm: u64::from(offset), ..NewInst::new(Op::Store) }, &[]);
    }

    /// Panics with the kind unless the comparison holds.
    fn check(&mut self, cond: Cond, kind: PanicKind, a: Value, b: Value, more: &[Value]) {
        if !self.place.is_some() && self.flags & NOUNWIND != 0 {
            // Proved by MIR, which then needs no place; checks have one all the same.
            let item = self.mir.name;
            self.place = self.out.places.add(Place { item, line: 1, column: 1, inlined_at: PlaceId::NONE });
        }
        let mut args = [a, b, b, b];
        let count = 2 + more.len().min(2);
        args[2..count].copy_from_slice(&more[..count - 2]);
        let new = NewInst {
            args: &args[..count],
            imm: crate::ops::check_imm(cond, kind),
            flags: self.flags,
            unwind: self.unwind,
            place: self.place,
            ..NewInst::new(Op::Check)
        };
        self.out.append(self.block, new, &[]);
    }

    /// A checked op; plain arithmetic when MIR has proved that it cannot panic.
    fn checked(&mut self, op: Op, plain: Op, kind: PanicKind, args: &[Value]) -> Value {
        if self.flags & NOUNWIND != 0 {
            return self.pure(plain, args, Type::I64);
        }
        let (inst, value) = make_plain(&mut self.out, op, args, kind as u64, Type::I64);
        let edges = &mut self.out.edges[inst];
        (edges.unwind, edges.place) = (self.unwind, self.place);
        self.out.blocks[self.block].insts.push(inst);
        value
    }
}

#[cfg(test)]
mod tests;
