//! What each value of a body is to the pass: nothing that is counted, owned, or borrowed from owned values.

use ir::Stop;
use ir::ssa::order::Order;
use ir::ssa::{ENTRY, Graph, Inst, Value};
use ir::{Column, Id, List, Pool};

use hashbrown::HashMap;
use hir::Type;

use super::roles::{self, Gives};
use crate::ir::{Context, Contract, Mir};

/// Tag of owned values.
#[derive(Debug)]
pub(super) enum HeldTag {}
/// An owned value, numbered in the order of definition.
pub(super) type Held = Id<HeldTag>;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Without counted content, or immortal.
    Free,
    /// Owned.
    Owned(Held),
    /// A part of these; of nothing when the caller keeps it alive.
    Borrowed(List<Held>),
}

/// The kinds of all values of a body.
pub(super) struct Kinds {
    of: Vec<Kind>,
    lenders: Pool<Held>,
    /// The value of each owned one.
    pub(super) held: Column<HeldTag, Value>,
    /// Is there a value that is not free?
    pub(super) any: bool,
}

impl Kinds {
    /// The kinds of the values of a body whose blocks come in this order.
    pub(super) fn of(graph: &Graph<Mir>, order: &Order, contract: Contract, cx: &dyn Context) -> Result<Kinds, Stop> {
        let mut kinds = Kinds { of: vec![Kind::Free; graph.values.len()], lenders: Pool::new(), held: Column::new(), any: false };
        let mut counted = Counted { cx, known: HashMap::new() };
        for &block in &order.blocks {
            for (index, &param) in graph.blocks[block].params.iter().enumerate() {
                if counted.is(graph.ty(param))? {
                    if block == ENTRY && contract.borrows(index) {
                        kinds.set(param, Kind::Borrowed(List::EMPTY));
                    } else {
                        kinds.own(param);
                    }
                }
            }
            for &inst in &graph.blocks[block].insts {
                for value in graph.results(inst) {
                    if counted.is(graph.ty(value))? {
                        kinds.result(graph, inst, value);
                    }
                }
            }
        }
        Ok(kinds)
    }

    /// The same values, each of them owned for itself: for questions about values, whoever keeps them.
    pub(super) fn apart(&self, graph: &Graph<Mir>) -> Kinds {
        let mut kinds = Kinds { of: vec![Kind::Free; graph.values.len()], lenders: Pool::new(), held: Column::new(), any: self.any };
        for value in graph.values.ids().filter(|&value| self.get(value) != Kind::Free) {
            kinds.own(value);
        }
        kinds
    }

    /// Was the value there when kinds were found out?
    pub(super) fn knows(&self, value: Value) -> bool {
        value.index() < self.of.len()
    }

    /// The kind of a value.
    pub(super) fn get(&self, value: Value) -> Kind {
        self.of[value.index()]
    }

    /// The owned values that must stay for the value to be used: itself, or its lenders.
    pub(super) fn keepers(&self, value: Value) -> impl Iterator<Item = Held> + '_ {
        let (own, lent) = match self.get(value) {
            Kind::Free => (None, List::EMPTY),
            Kind::Owned(held) => (Some(held), List::EMPTY),
            Kind::Borrowed(lenders) => (None, lenders),
        };
        own.into_iter().chain(self.lenders.get(lent).iter().copied())
    }

    fn set(&mut self, value: Value, kind: Kind) {
        self.of[value.index()] = kind;
        self.any = true;
    }

    fn own(&mut self, value: Value) {
        let held = self.held.push(value);
        self.set(value, Kind::Owned(held));
    }

    fn result(&mut self, graph: &Graph<Mir>, inst: Inst, value: Value) {
        let args = graph.args(inst);
        let is_free = |kinds: &Kinds| args.iter().all(|&arg| kinds.get(arg) == Kind::Free);
        match roles::of(graph.op(inst)).1 {
            Gives::Nothing | Gives::Immortal => {}
            Gives::Owned => self.own(value),
            Gives::Whole if is_free(self) => {}
            Gives::Captured if args.is_empty() => {}
            Gives::Whole | Gives::Captured => self.own(value),
            Gives::Part if is_free(self) => {}
            Gives::Part => {
                let mut lenders: Vec<Held> = args.iter().flat_map(|&arg| self.keepers(arg)).collect();
                lenders.sort_unstable();
                lenders.dedup();
                let lenders = self.lenders.add(lenders);
                self.set(value, Kind::Borrowed(lenders));
            }
        }
    }
}

/// Which types have counted content; each is asked about once a body.
struct Counted<'a> {
    cx: &'a dyn Context,
    known: HashMap<Type, bool>,
}

impl Counted<'_> {
    fn is(&mut self, ty: Type) -> Result<bool, Stop> {
        if matches!(ty, Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE | Type::VOID) {
            return Ok(false);
        }
        if let Some(&known) = self.known.get(&ty) {
            return Ok(known);
        }
        let is_counted = self.cx.is_counted(ty)?;
        self.known.insert(ty, is_counted);
        Ok(is_counted)
    }
}
