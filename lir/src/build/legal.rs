//! `built` to `legal`: what does not fit the calling convention goes through memory.
//!
//! A function with more results than there are result registers takes the address of a *result area* as its first parameter and returns nothing;
//! its callers own the area, a stack slot. A tail call passes the area on. A tail call whose stack arguments do not fit into the caller's own
//! incoming area would have to move the return address, so it becomes a call and a return: constant stack is promised for the others alone.

use ir::ssa::{Block, Def, ENTRY, EdgeRow, Inst, InstRow, NewInst, Value, ValueRow};
use ir::{List, Place, PlaceId, Stop};

use crate::ir::{Body, Built, Context, Legal, Phase, Signature, Type};
use crate::ops::{NOUNWIND, Op};
use crate::target::ORI;

/// A call with more results than this is in the area form in `built` already: an instruction counts its results in a byte.
pub const MAX_RESULTS: usize = u8::MAX as usize;

/// Do results of these types go through a result area?
pub fn is_wide(results: &[Type]) -> bool {
    let floats = results.iter().filter(|t| !t.is_int()).count();
    results.len() - floats > ORI.int_results as usize || floats > ORI.float_results as usize
}

/// Offset of each field of a result area.
pub fn area_fields(results: &[Type]) -> impl Iterator<Item = u32> {
    let mut end = 0u32;
    results.iter().map(move |ty| {
        let offset = end.next_multiple_of(ty.size());
        end = offset + ty.size();
        offset
    })
}

/// Bytes of a result area, a multiple of 8.
pub fn area_size(results: &[Type]) -> u32 {
    area_fields(results).zip(results).last().map_or(8, |(offset, ty)| (offset + ty.size()).next_multiple_of(8))
}

/// Parameters and results of a function as the bodies of a phase see them: in `legal`, and beyond [`MAX_RESULTS`] already in `built`, wide results
/// are an address in front of the parameters.
pub fn convention<P: Phase>(signature: &Signature) -> (impl Iterator<Item = Type> + Clone, &[Type]) {
    let area = signature.results.len() > MAX_RESULTS || (P::IS_LEGAL && is_wide(&signature.results));
    let results = if area { &[][..] } else { &signature.results[..] };
    (area.then_some(Type::Ptr).into_iter().chain(signature.params.iter().copied()), results)
}

/// Bytes of the arguments that do not fit into registers.
pub fn stack_bytes(types: impl Iterator<Item = Type>) -> u32 {
    let (mut ints, mut floats) = (0u32, 0u32);
    for ty in types {
        if ty.is_int() {
            ints += 1;
        } else {
            floats += 1;
        }
    }
    8 * (ints.saturating_sub(ORI.int_args) + floats.saturating_sub(ORI.float_args))
}

/// Brings a body into the calling convention. The types in the body say all there is to know, so nothing is asked of the context.
pub fn legalise(body: Body<Built>, _cx: &dyn Context) -> Result<Body<Legal>, Stop> {
    let mut legal = Legaliser { body, area: None, incoming: 0, pad: None };
    legal.parameters();
    for block in legal.body.blocks.ids() {
        if legal.needs_work(block) {
            legal.block(block);
        }
    }
    Ok(Body::new(legal.body.into_graph()))
}

struct Legaliser {
    body: Body<Built>,
    /// The result area of this function and its fields.
    area: Option<(Value, Vec<Type>)>,
    /// Bytes of this function's stack arguments.
    incoming: u32,
    /// A block that only resumes, for tail calls that became calls.
    pad: Option<Block>,
}

impl Legaliser {
    fn parameters(&mut self) {
        if self.body.blocks.is_empty() {
            return;
        }
        if is_wide(&self.body.results) {
            let results = std::mem::take(&mut self.body.results);
            let area = self.body.add_param(ENTRY, Type::Ptr);
            let params = &mut self.body.blocks[ENTRY].params;
            params.rotate_right(1);
            for (index, param) in self.body.blocks[ENTRY].params.clone().into_iter().enumerate() {
                if let Some(row) = self.body.values.rows_mut().get_mut(param.index()) {
                    row.def = Def::Param(ENTRY, index as u32);
                }
            }
            self.area = Some((area, results));
        }
        self.incoming = stack_bytes(self.types(&self.body.blocks[ENTRY].params));
    }

    fn types<'a>(&'a self, values: &'a [Value]) -> impl Iterator<Item = Type> + 'a {
        values.iter().map(|&v| self.body.values.get(v).map_or(Type::I64, |row| row.ty))
    }

    fn result_types(&self, inst: Inst) -> Vec<Type> {
        self.body.results(inst).filter_map(|v| self.body.values.get(v).map(|row| row.ty)).collect()
    }

    fn needs_work(&self, block: Block) -> bool {
        self.body.blocks[block].insts.iter().any(|&inst| {
            let op = self.body.op(inst);
            // Fewer results than either limit cannot be wide.
            let wide_call = matches!(op, Op::Call | Op::CallPtr) && u32::from(self.body.insts[inst].results) > ORI.int_results;
            (wide_call && is_wide(&self.result_types(inst)))
                || (op == Op::Return && self.area.is_some())
                || (op == Op::Tail && (self.area.is_some() || self.overflows(self.body.args(inst))))
        })
    }

    fn overflows(&self, args: &[Value]) -> bool {
        stack_bytes(self.types(args)) > self.incoming
    }

    fn block(&mut self, block: Block) {
        let old = std::mem::take(&mut self.body.blocks[block].insts);
        for inst in old {
            let op = self.body.op(inst);
            if matches!(op, Op::Call | Op::CallPtr) {
                self.call(block, inst);
            } else if op == Op::Tail {
                self.tail(block, inst);
            } else {
                if op == Op::Return && self.area.is_some() {
                    self.store_results(block, inst);
                    self.body.insts[inst].args = List::EMPTY;
                }
                self.body.blocks[block].insts.push(inst);
            }
        }
    }

    fn store_results(&mut self, block: Block, ret: Inst) {
        let Some((area, types)) = self.area.take() else { return };
        let values = self.body.args(ret).to_vec();
        for ((offset, _), value) in area_fields(&types).zip(&types).zip(values) {
            let new = NewInst { args: &[area, value], imm: u64::from(offset), ..NewInst::new(Op::Store) };
            self.body.append(block, new, &[]);
        }
        self.area = Some((area, types));
    }

    fn call(&mut self, block: Block, inst: Inst) {
        let types = self.result_types(inst);
        if !is_wide(&types) {
            self.body.blocks[block].insts.push(inst);
            return;
        }
        let size = u64::from(area_size(&types));
        let area = self.body.append1(block, NewInst { imm: size, ..NewInst::new(Op::Slot) }, Type::Ptr);
        if self.body.op(inst) == Op::CallPtr {
            // Behind the address that is called.
            let mut args = self.body.args(inst).to_vec();
            args.insert(args.len().min(1), area);
            self.body.insts[inst].args = self.body.args.add(args);
        } else {
            self.prepend(inst, area);
        }
        let first = self.body.insts[inst].first_result;
        self.body.insts[inst].results = 0;
        self.body.blocks[block].insts.push(inst);
        // The old results keep their ids; what defines them is now a load each.
        for (index, offset) in area_fields(&types).enumerate() {
            let value = Value::new(first.index() + index);
            let args = self.body.args.add([area]);
            let row = InstRow { op: Op::Load, results: 1, flags: 0, first_result: value, args, imm: u64::from(offset) };
            let load = self.body.insts.push(row);
            self.body.edges.push(EdgeRow { targets: List::EMPTY, unwind: None, place: PlaceId::NONE });
            self.body.values[value] = ValueRow { ty: types[index], def: Def::Result(load, 0) };
            self.body.blocks[block].insts.push(load);
        }
    }

    fn tail(&mut self, block: Block, inst: Inst) {
        if let Some((area, _)) = &self.area {
            let area = *area;
            self.prepend(inst, area);
        }
        if !self.overflows(self.body.args(inst)) {
            self.body.blocks[block].insts.push(inst);
            return;
        }
        let InstRow { args, imm, flags, .. } = self.body.insts[inst];
        let mut place = self.body.edges[inst].place;
        if !place.is_some() {
            // Calls have places, tail calls need none: the function's own first line then stands for it.
            let item = self.body.name;
            place = self.body.places.add(Place { item, line: 1, column: 1, inlined_at: PlaceId::NONE });
        }
        let operands = self.body.args[args].to_vec();
        let unwind = (flags & NOUNWIND == 0).then(|| self.pad());
        let results = self.body.results.clone();
        let new = NewInst { args: &operands, imm, flags, unwind, place, ..NewInst::new(Op::Call) };
        let call = self.body.append(block, new, &results);
        let values: Vec<Value> = self.body.results(call).collect();
        self.body.append(block, NewInst { args: &values, ..NewInst::new(Op::Return) }, &[]);
    }

    fn prepend(&mut self, inst: Inst, first: Value) {
        let old = self.body.args(inst).to_vec();
        let args = self.body.args.add(std::iter::once(first).chain(old));
        self.body.insts[inst].args = args;
    }

    fn pad(&mut self) -> Block {
        if let Some(pad) = self.pad {
            return pad;
        }
        let pad = self.body.add_block();
        self.body.append(pad, NewInst::new(Op::Resume), &[]);
        self.pad = Some(pad);
        pad
    }
}
