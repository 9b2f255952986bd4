//! The function behind the entry of the image: `extern "sysv64" fn(args: *const [u64; 3]) -> i64` (`abi::funcs::Header::entry`).
//!
//! With at most one pointer argument and one integer result, the System V convention and ours agree, so it is an ordinary function.

use ir::item::ItemPath;
use ir::ssa::{ENTRY, Graph, NewInst, Value};
use ir::{ItemId, Namespace, Place, PlaceId, Symbol};

use abi::layout;

use crate::ir::{Body, Built, Type};
use crate::ops::Op;

/// What the program's `@main` returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryReturn {
    /// Nothing: the exit status is 0.
    Void,
    /// The exit status.
    Int,
    /// It does not return.
    Never,
}

/// The name of the function that [`entry`] makes, `@&entry` in dumps. It has no module, so no item of a program can have it.
pub fn entry_item() -> ItemId {
    ItemId::new(ItemPath { module: Symbol::new(""), namespace: Namespace::Other, name: Symbol::new("entry"), disambiguator: 0 })
}

/// The function that calls `main`: loads the argument list if it is wanted and turns the result into an exit status.
pub fn entry(main: ItemId, takes_args: bool, returns: EntryReturn) -> Body<Built> {
    let mut graph = Graph::new(entry_item(), vec![Type::I64]);
    let block = graph.add_block();
    let list = graph.add_param(block, Type::Ptr);
    let pad = graph.add_block();
    graph.append(pad, NewInst::new(Op::Resume), &[]);
    let mut args: Vec<Value> = Vec::new();
    if takes_args {
        let words = [(layout::LIST_POINTER, Type::Ptr), (layout::LIST_LENGTH, Type::I64), (layout::LIST_BUFFER, Type::Ptr)];
        for (offset, ty) in words {
            let new = NewInst { args: &[list], imm: offset as u64, ..NewInst::new(Op::Load) };
            args.push(graph.append1(ENTRY, new, ty));
        }
    }
    let place = graph.places.add(Place { item: entry_item(), line: 1, column: 1, inlined_at: PlaceId::NONE });
    let results: &[Type] = match returns {
        EntryReturn::Int => &[Type::I64],
        EntryReturn::Void | EntryReturn::Never => &[],
    };
    let new = NewInst { args: &args, imm: u64::from(main.raw()), unwind: Some(pad), place, ..NewInst::new(Op::Call) };
    let call = graph.append(block, new, results);
    let status = match returns {
        EntryReturn::Int => graph.result(call),
        EntryReturn::Void => graph.append1(block, NewInst::new(Op::Iconst), Type::I64),
        EntryReturn::Never => {
            graph.append(block, NewInst::new(Op::Unreachable), &[]);
            return Body::new(graph);
        }
    };
    graph.append(block, NewInst { args: &[status], ..NewInst::new(Op::Return) }, &[]);
    Body::new(graph)
}
