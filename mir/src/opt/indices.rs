//! What lists and indices say about one another: which lists have the same length, and which indices a list is known to have.
//!
//! Lists are values, so the length of one never changes; what changes an element gives another list of the same length. Lists of the same length are a
//! class, named by one of them. A parameter of a block is in the class that all its edges bring, where what comes back around a loop is first assumed
//! to be in it (as in optimistic value numbering, Click 1995).

use hashbrown::HashSet;
use hir::{Type, TypeKind};
use ir::ssa::order::Order;
use ir::ssa::{ENTRY, Graph, Value};

use super::edges::Incoming;
use crate::Op;
use crate::ir::Mir;
use crate::verify::proof::{self, Range};

/// Rounds over a body after which lists that are still in doubt count as lists of their own.
const ROUNDS: u32 = 8;

const UNKNOWN: Value = Value::new(u32::MAX as usize);

/// Which lists have the same length. It keeps its memory for the next body.
#[derive(Default)]
pub(super) struct Lengths {
    /// By value; what is no list is in no class.
    class: Vec<Value>,
}

impl Lengths {
    /// Looks at all lists of a body.
    pub(super) fn fill(&mut self, graph: &Graph<Mir>, order: &Order, incoming: &Incoming) {
        self.class.clear();
        self.class.resize(graph.values.len(), UNKNOWN);
        if !graph.insts.rows().iter().any(|row| matches!(row.op, Op::ListGet | Op::ListLen)) {
            return;
        }
        for _ in 0..ROUNDS {
            if !self.round(graph, order, incoming) {
                return;
            }
        }
        for (value, _) in graph.values.iter() {
            self.class[value.index()] = value;
        }
    }

    /// One walk; true when something was found.
    fn round(&mut self, graph: &Graph<Mir>, order: &Order, incoming: &Incoming) -> bool {
        let mut found = false;
        for &block in &order.blocks {
            for (at, &param) in graph.blocks[block].params.iter().enumerate() {
                if is_list(graph.ty(param)) && self.class[param.index()] != param {
                    let class = match block == ENTRY || incoming.is_unwind(block) {
                        true => param,
                        false => self.joined(graph, incoming, param, at),
                    };
                    found |= class != std::mem::replace(&mut self.class[param.index()], class);
                }
            }
            for &inst in &graph.blocks[block].insts {
                for result in graph.results(inst).filter(|&result| is_list(graph.ty(result))) {
                    let class = match graph.op(inst) {
                        Op::ListSet | Op::ListReserve | Op::ListOwn => self.class[graph.args(inst)[0].index()],
                        _ => result,
                    };
                    found |= class != std::mem::replace(&mut self.class[result.index()], class);
                }
            }
        }
        found
    }

    /// The class that all edges bring to a parameter.
    fn joined(&self, graph: &Graph<Mir>, incoming: &Incoming, param: Value, at: usize) -> Value {
        let ir::ssa::Def::Param(block, _) = graph.values[param].def else { return param };
        let mut joined = UNKNOWN;
        for edge in incoming.of_block(block) {
            let target = graph.targets(edge.inst)[edge.index as usize];
            let Some(&arg) = graph.target_args(target).get(at) else { return param };
            let class = self.class[arg.index()];
            if class == UNKNOWN || class == joined {
                continue;
            }
            if joined != UNKNOWN {
                return param;
            }
            joined = class;
        }
        joined
    }

    /// The class of a list; a list that was made since is one of its own.
    pub(super) fn of(&self, list: Value) -> Value {
        self.class.get(list.index()).copied().filter(|&class| class != UNKNOWN).unwrap_or(list)
    }
}

/// What is known of ints and lists at the spot of a walk down the dominator tree: which indices lists have, or which ints are below a length.
#[derive(Default)]
pub(super) struct Held {
    known: HashSet<(Value, Value)>,
    order: Vec<(Value, Value)>,
    /// Classes that the walk has met.
    seen: HashSet<Value>,
}

impl Held {
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
        self.seen.clear();
    }

    /// The walk has come to somebody who looks at a list of this class.
    pub(super) fn see(&mut self, class: Value) {
        self.seen.insert(class);
    }

    /// Had it come to such a one before this spot?
    pub(super) fn has_seen(&self, class: Value) -> bool {
        self.seen.contains(&class)
    }

    /// Does every list of this class have an element at this index?
    pub(super) fn has(&self, class: Value, index: Value) -> bool {
        self.known.contains(&(class, index))
    }

    pub(super) fn learn(&mut self, class: Value, index: Value) {
        if self.known.insert((class, index)) {
            self.order.push((class, index));
        }
    }

    /// How much is known, for [`Held::forget`].
    pub(super) fn mark(&self) -> usize {
        self.order.len()
    }

    /// Forgets what was learned since.
    pub(super) fn forget(&mut self, mark: usize) {
        for known in self.order.drain(mark..) {
            self.known.remove(&known);
        }
    }
}

/// The indices that a list can have.
pub(super) fn indices(list: Type) -> Range {
    Range::new(0, proof::lengths(list).high - 1)
}

pub(super) fn is_list(ty: Type) -> bool {
    matches!(ty.kind(), TypeKind::List(_))
}
