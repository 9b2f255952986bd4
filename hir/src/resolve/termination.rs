//! E0416: generic functions that need ever larger instances of themselves.
//!
//! An instance is made of what its callers put in place of the type parameters. A call inside a generic function hands parameters on as they are, or
//! as parts of larger types. Instances without end come from exactly those cycles of hand-overs on which something grows, so the generic bodies alone
//! decide, and no instance is ever made to find out. A cycle never leaves a module, since imports are acyclic.

use hashbrown::{HashMap, HashSet};
use ir::{ItemId, Stop};

use crate::ir::Expr;
use crate::types::instance_of;
use crate::{Body, Type, TypeKind};

/// A call of a generic function in a generic body: what it calls, and its type arguments.
pub type GenericCall = (ItemId, Vec<Type>);

/// The calls of a body whose type arguments depend on its own type parameters, without repetition.
pub fn generic_calls(body: &Body) -> Vec<GenericCall> {
    let mut calls: Vec<GenericCall> = Vec::new();
    // A lambda has the type parameters of the function around it.
    for expr in body.lambdas.iter().chain([body]).flat_map(|body| body.exprs.rows()) {
        let (Expr::Call(callee, _) | Expr::Closure(callee, _)) = *expr else { continue };
        if callee.is_lambda() {
            continue;
        }
        let (item, args) = instance_of(callee);
        if args.iter().any(|arg| arg.has_parameter()) && !calls.iter().any(|(i, a)| *i == item && a == args) {
            calls.push((item, args.to_vec()));
        }
    }
    calls
}

/// A type parameter of a function.
type Node = (ItemId, u32);

/// The functions of a module that hand on a grown type in a circle. `functions` are its generic ones, in the order of the text.
pub fn endless(functions: &[ItemId], calls: &dyn Fn(ItemId) -> Result<Vec<GenericCall>, Stop>) -> Result<Vec<ItemId>, Stop> {
    let mut edges: Vec<(Node, Node, bool)> = Vec::new();
    for &function in functions {
        for (callee, args) in calls(function)? {
            for (to, arg) in args.into_iter().enumerate() {
                arg.replaced(&mut |part| {
                    if let TypeKind::Parameter(from, _) = part.kind() {
                        edges.push(((function, from), (callee, to as u32), part != arg));
                    }
                    None
                });
            }
        }
    }
    // Something grows without end exactly where it grows on the way around a circle.
    let mut numbers: HashMap<Node, usize> = HashMap::new();
    let mut successors: Vec<Vec<usize>> = Vec::new();
    let mut number = |node: Node, successors: &mut Vec<Vec<usize>>| {
        *numbers.entry(node).or_insert_with(|| {
            successors.push(Vec::new());
            successors.len() - 1
        })
    };
    let mut growing: Vec<(ItemId, usize, usize)> = Vec::new();
    for (from, to, grows) in edges {
        let (a, b) = (number(from, &mut successors), number(to, &mut successors));
        successors[a].push(b);
        if grows {
            growing.push((from.0, a, b));
        }
    }
    let component = ir::components(&successors);
    let found: HashSet<ItemId> = growing.into_iter().filter(|&(_, a, b)| component[a] == component[b]).map(|(item, ..)| item).collect();
    Ok(functions.iter().copied().filter(|function| found.contains(function)).collect())
}

/// Is the function generic by its own header or that of the block around it? `block` tells the latter's type parameters.
pub fn is_generic(item: &syntax::tree::Item, block: impl FnOnce(ItemId) -> bool) -> bool {
    match &item.kind {
        syntax::tree::ItemKind::Function(function) => !function.generics.is_empty() || item.owner.is_some_and(block),
        _ => false,
    }
}
