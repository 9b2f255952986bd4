//! Methods of trait objects: the function that an object points to, and the method of the trait that calls it (language/08 §8.2).
//!
//! | function                        | what it does                                                                               |
//! |---------------------------------|--------------------------------------------------------------------------------------------|
//! | `Tr'm<object<Tr>, ..>`          | `Tr.m` for an object: calls what the object points to                                      |
//! | `Tr'm&object<object<Tr>, T, ..>` | what it points to where a `T` is in it: looks into the cell, and calls `Tr.m` for `T`      |
//! | `Tr'm&change<object<Tr>, T, ..>` | the same where `m` changes its `self`: takes the cell, and makes an object of the new `T` |
//!
//! The cell is the last argument, as with function values ([`super::unpack`]).

use hir::Type;
use hir::program::{ObjectMethod, returned};
use ir::ssa::{Block, Graph, Inst, NewInst, Value};
use ir::{ItemId, Place, PlaceId};

use crate::ir::{Body, Mir, Mono, SignatureTypes};
use crate::ops::Op;

/// The cell of an object with a value of this type in it.
pub fn object_cell(object: Type, of: Type) -> Type {
    Type::cell(&[Type::methods(object, of), of])
}

/// The signature of the function that an object points to, where `method` is that of the method for the type of the value: its first parameter is `self`.
pub fn in_object_signature(method: &SignatureTypes, object: Type, of: Type, result: Type, changes: bool) -> SignatureTypes {
    let params = method.0.iter().skip(1).copied().chain([object_cell(object, of)]).collect();
    (params, if changes { returned(result, object) } else { method.1 })
}

/// What an object points to.
#[derive(Clone, Copy, Debug)]
pub struct InObject {
    /// The function.
    pub id: ItemId,
    /// The object.
    pub object: Type,
    /// What is in it.
    pub of: Type,
    /// The method that it calls, for that type.
    pub callee: ItemId,
    /// What the method gives, without a new `self`.
    pub result: Type,
    /// Does the method change its `self`?
    pub changes: bool,
}

impl InObject {
    /// The body, where the callee has this signature.
    pub fn body(&self, method: &SignatureTypes) -> Body<Mono> {
        let (own, result) = in_object_signature(method, self.object, self.of, self.result, self.changes);
        let mut maker = Maker::new(self.id, self.id, &own, result);
        let Some((&cell, others)) = maker.params.split_last() else { return Body::new(maker.graph) };
        let mut args = vec![maker.graph.append1(maker.entry, NewInst { args: &[cell], imm: 1, ..NewInst::new(Op::Part) }, self.of)];
        args.extend_from_slice(others);
        let call = NewInst { args: &args, imm: u64::from(self.callee.raw()), ..NewInst::new(Op::Call) };
        let given = maker.risky(call, method.1);
        let given = if self.changes { self.with_object(&mut maker, given, result) } else { given };
        maker.ret(given)
    }

    /// The new object takes the place of the new `self`.
    fn with_object(&self, maker: &mut Maker, given: Value, result: Type) -> Value {
        let (graph, entry) = (&mut maker.graph, maker.entry);
        if self.result == Type::NEVER {
            return given;
        }
        let field = |graph: &mut Graph<Mir>, index: u64, ty: Type| {
            graph.append1(entry, NewInst { args: &[given], imm: index, ..NewInst::new(Op::Field) }, ty)
        };
        let this = if self.result == Type::VOID { given } else { field(graph, 1, self.of) };
        let how = graph.append1(entry, NewInst::new(Op::Methods), Type::methods(self.object, self.of));
        let new = NewInst { args: &[how, this], place: maker.place, ..NewInst::new(Op::New) };
        let cell = graph.append1(entry, new, object_cell(self.object, self.of));
        let object = graph.append1(entry, NewInst { args: &[cell], ..NewInst::new(Op::Object) }, self.object);
        if self.result == Type::VOID {
            return object;
        }
        let first = field(graph, 0, self.result);
        graph.append1(entry, NewInst { args: &[first, object], ..NewInst::new(Op::Aggregate) }, result)
    }
}

/// The body of a method of a trait for an object.
pub fn on_object(method: ObjectMethod, signature: &SignatureTypes) -> Body<Mono> {
    // Nobody wrote it: its place is that of what the object points to, which stack traces leave out.
    let (base, parts) = hir::types::instance_of(method.item);
    let unwritten = hir::types::instance(base.in_object(method.changes), parts);
    let mut maker = Maker::new(method.item, unwritten, &signature.0, signature.1);
    let op = if method.changes { Op::ChangeMethod } else { Op::CallMethod };
    let args = maker.params.clone();
    let given = maker.risky(NewInst { args: &args, imm: u64::from(method.item.raw()), ..NewInst::new(op) }, signature.1);
    maker.ret(given)
}

/// A function of one block.
struct Maker {
    graph: Graph<Mir>,
    entry: Block,
    params: Vec<Value>,
    place: PlaceId,
}

impl Maker {
    fn new(id: ItemId, place: ItemId, params: &[Type], result: Type) -> Maker {
        let mut graph: Graph<Mir> = Graph::new(id, vec![result]);
        let entry = graph.add_block();
        let params = params.iter().map(|&ty| graph.add_param(entry, ty)).collect();
        let place = graph.places.add(Place { item: place, line: 1, column: 1, inlined_at: PlaceId::NONE });
        Maker { graph, entry, params, place }
    }

    /// A call that gives a value of this type.
    fn risky(&mut self, call: NewInst<'_, Op>, result: Type) -> Value {
        let pad = self.graph.add_block();
        let _: Inst = self.graph.append(pad, NewInst::new(Op::Resume), &[]);
        self.graph.append1(self.entry, NewInst { unwind: Some(pad), place: self.place, ..call }, result)
    }

    fn ret(mut self, value: Value) -> Body<Mono> {
        match self.graph.ty(value) {
            Type::NEVER => self.graph.append(self.entry, NewInst::new(Op::Unreachable), &[]),
            _ => self.graph.append(self.entry, NewInst { args: &[value], ..NewInst::new(Op::Return) }, &[]),
        };
        Body::new(self.graph)
    }
}
