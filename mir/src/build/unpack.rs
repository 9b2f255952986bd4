//! What a function value with captured values points to: it takes them out of their cell and goes on in the function itself.
//!
//! A function value is called with its cell behind the arguments, whatever it holds. So a function that captures nothing is pointed to as it is, and
//! takes no notice; one that captures has such a function beside it (`f'0&2` for `f'0` with two captured values). Where the callee is known, the
//! captured values are passed one by one and neither this nor the cell is there.

use hir::Type;
use ir::ssa::{Graph, NewInst, Value};
use ir::{ItemId, Place, PlaceId};

use crate::ir::{Body, Mir, Mono, SignatureTypes};
use crate::ops::Op;

/// The signature of the function that takes the last `count` arguments of another one in a cell.
pub fn unpacking_signature((params, result): &SignatureTypes, count: usize) -> SignatureTypes {
    let (own, captured) = params.split_at(params.len().saturating_sub(count));
    (own.iter().copied().chain([Type::cell(captured)]).collect(), *result)
}

/// The body of `id`, which takes the last `count` arguments of `function` in a cell. A function that may be copied is called, any other gets the frame.
pub fn unpacking(id: ItemId, function: ItemId, signature: &SignatureTypes, count: usize, may_copy: bool) -> Body<Mono> {
    let (params, result) = signature;
    let mut graph: Graph<Mir> = Graph::new(id, vec![*result]);
    let entry = graph.add_block();
    let (own, captured) = params.split_at(params.len().saturating_sub(count));
    let mut args: Vec<Value> = own.iter().map(|&ty| graph.add_param(entry, ty)).collect();
    let cell = graph.add_param(entry, Type::cell(captured));
    for (&ty, part) in captured.iter().zip(0..) {
        args.push(graph.append1(entry, NewInst { args: &[cell], imm: part, ..NewInst::new(Op::Part) }, ty));
    }
    let imm = u64::from(function.raw());
    if may_copy {
        let pad = graph.add_block();
        graph.append(pad, NewInst::new(Op::Resume), &[]);
        let place = graph.places.add(Place { item: id, line: 1, column: 1, inlined_at: PlaceId::NONE });
        let call = NewInst { args: &args, imm, unwind: Some(pad), place, ..NewInst::new(Op::Call) };
        let value = graph.append1(entry, call, *result);
        graph.append(entry, NewInst { args: &[value], ..NewInst::new(Op::Return) }, &[]);
    } else {
        graph.append(entry, NewInst { args: &args, imm, ..NewInst::new(Op::Tail) }, &[]);
    }
    Body::new(graph)
}
