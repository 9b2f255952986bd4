//! Ownership: who holds each counted value, spelled out.
//!
//! A value of a *counted* type (a text, list, cell or function value, alone or inside an aggregate or sum) is held by whoever has to give it up. From the phase
//! `owned` on every such value of a body is one of three:
//!
//! - *owned*: a parameter that the contract does not borrow, a parameter of a block, a result of `dup`, of a call, of an op that makes something. It is consumed exactly
//!   once on every path that leaves its definition, unwind edges included: given to an op that consumes it, passed to a block or callee, returned, or dropped.
//! - *borrowed*: what `field`, `payload`, `part`, `list_get` and `select` give is a part of their operand, and the parameters that the contract borrows are the caller's.
//!   It is used only while its owner is held. Whoever wants to keep it makes it owned: `%2 = dup %1`.
//! - *immortal*: a literal text, and what is made of literals and of values without counted content where that takes no cell. It may be consumed any number of times
//!   and is never dropped.
//!
//! On an unwind edge what the op consumes is gone, and its result is absent. A tail call leaves nothing behind that would have to be dropped.
//!
//! | room      | holds                                                     |
//! |-----------|-----------------------------------------------------------|
//! | [`roles`] | the table: what each op does with its operands, and gives |
//! | [`account`] | what a body does to memory, and why, for people |
//! | `contract` | which parameters a function borrows                      |
//! | `kinds`   | what each value of a body is                               |
//! | `live`    | which owned values are still needed                        |
//! | `open`    | the pass: values that die by pieces are taken apart        |
//! | `opened`  | what one `open` takes apart                                |
//! | `reuse`   | the pass: the room of what was opened is used again        |
//! | `swap`    | the pass: elements that are changed in place               |
//! | `early`   | the pass: parts that outlive what they are of              |
//! | `insert`  | the pass: where `dup` and `drop` go                        |
//! | `landing` | what is dropped when an op panics                          |
//!
//! The certifier (`verify/ownership`) judges what the pass makes; they share the table and nothing else.

pub mod account;
mod contract;
mod early;
mod insert;
mod kinds;
mod landing;
mod live;
mod names;
mod open;
mod opened;
mod reuse;
pub mod roles;
mod swap;
#[cfg(test)]
mod tests;

pub use contract::contract;
pub(crate) use contract::unseen;
pub use insert::own;
pub use opened::{Opened, Part, is_token, opened, step};

use std::sync::Arc;

use hir::{Type, TypeKind};
use ir::{Fuel, ItemId, Stop};

use crate::ir::{Body, Context, Owned};

/// The passes that spelling ownership out has: the name that switches one off, and what it does.
pub const PASSES: &[(&str, &str)] = &[
    (OPEN, "takes values apart that die by pieces, instead of counting each piece up and the whole down"),
    (SWAP, "takes elements out of lists that get them back changed"),
    (EARLY, "holds parts of a list for themselves that are needed when it is changed, so that it is not copied"),
    (REUSE, "makes new cells in the room of those that were taken apart"),
];
const OPEN: &str = "open";
const SWAP: &str = "swap";
const EARLY: &str = "early";
const REUSE: &str = "reuse";

/// The body of a function with its ownership spelled out, made anew.
pub fn owned(function: ItemId, cx: &dyn Context) -> Result<Option<Arc<Body<Owned>>>, Stop> {
    match cx.body(function)? {
        Some(body) => Ok(Some(Arc::new(own(&body, &mut Fuel::unlimited(), cx)?))),
        None => Ok(None),
    }
}

/// Has a value of this closed type counted content? The default of [`Context::is_counted`].
pub(crate) fn is_counted<C: Context + ?Sized>(ty: Type, cx: &C) -> Result<bool, Stop> {
    match ty.kind() {
        TypeKind::Str | TypeKind::List(_) | TypeKind::Function(..) | TypeKind::Object(_) | TypeKind::Cell(_) | TypeKind::Hole(_) => {
            Ok(true)
        }
        TypeKind::Tuple(parts) => any_counted(parts, cx),
        TypeKind::Struct(..) => {
            if let Some(fields) = cx.fields(ty)? {
                return any_counted(&fields, cx);
            }
            // A sum that holds itself does so through a cell, so this ends.
            let Some(variants) = cx.variants(ty)? else { return Ok(false) };
            for payload in variants.iter() {
                if any_counted(payload, cx)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        hir::base_kinds!() | TypeKind::Methods(..) => Ok(false),
        TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Variable(_) => Ok(false),
    }
}

fn any_counted<C: Context + ?Sized>(types: &[Type], cx: &C) -> Result<bool, Stop> {
    for &ty in types {
        if cx.is_counted(ty)? {
            return Ok(true);
        }
    }
    Ok(false)
}
