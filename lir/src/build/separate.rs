//! Cells that the runtime is asked for one by one: what `Alloc` and `Free` mean, as calls.
//!
//! Both take from and give to lists of free blocks that the runtime knows nothing of. Where each cell is to be an allocation of its own, which valgrind or
//! a sanitizer follows, every one of them has to be seen: so bodies for such a runtime have no `Alloc` and no `Free`. Both back ends and the verifier see
//! calls as there are for large cells anyway.
//!
//! A cell is taken with all the room of its class, because another value of that class may be put into it.

use abi::RuntimeCall;
use abi::layout::class_bytes;
use ir::List;
use ir::ssa::{Graph, NewInst, Value};

use crate::ir::{Body, Legal, Lir, Type};
use crate::ops::Op;

/// Makes calls of what takes and gives cells.
pub fn separate(body: &mut Body<Legal>) {
    for block in body.blocks.ids() {
        if !body.blocks[block].insts.iter().any(|&inst| matches!(body.op(inst), Op::Alloc | Op::Free)) {
            continue;
        }
        let old = std::mem::take(&mut body.blocks[block].insts);
        let mut insts = Vec::with_capacity(old.len() + 4);
        for inst in old {
            let imm = body.insts[inst].imm;
            match body.op(inst) {
                Op::Alloc => {
                    let operands = [class_bytes(imm as u8) as u64, imm >> 8].map(|number| {
                        let (constant, value) = constant(body, number);
                        insts.push(constant);
                        value
                    });
                    let args = body.args.add(operands);
                    call(body, inst, RuntimeCall::Allocate, Some(args));
                }
                Op::Free => call(body, inst, RuntimeCall::Free, None),
                _ => {}
            }
            insts.push(inst);
        }
        body.blocks[block].insts = insts;
    }
}

fn constant(body: &mut Graph<Lir>, number: u64) -> (ir::ssa::Inst, Value) {
    let inst = body.make(NewInst { imm: number, ..NewInst::new(Op::Iconst) }, &[Type::I64]);
    (inst, body.result(inst))
}

/// The instruction becomes a call, of these operands or of those it has.
fn call(body: &mut Graph<Lir>, inst: ir::ssa::Inst, call: RuntimeCall, args: Option<List<Value>>) {
    let row = &mut body.insts[inst];
    row.op = Op::Runtime;
    row.imm = call as u64;
    row.args = args.unwrap_or(row.args);
}
