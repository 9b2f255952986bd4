//! What is translated: functions of LIR, and what the translation has to know of others.

use ir::ItemId;
use ir::ssa::Graph;
use lir::{Body, Legal, Lir, Type};

/// A function of a unit.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its body.
    graph: Graph<Lir>,
    /// Its linked symbol.
    pub symbol: String,
    /// May other units or objects name it? What nobody else names, LLVM may change or remove.
    pub exported: bool,
}

impl Function {
    /// A function with this body.
    pub fn new(body: &Body<Legal>, symbol: String, exported: bool) -> Function {
        Function { graph: (**body).clone(), symbol, exported }
    }

    /// Changes the body: for checks that a change shows.
    pub fn edit(&mut self, change: impl FnOnce(&mut Graph<Lir>)) {
        change(&mut self.graph);
    }

    /// The body.
    pub const fn graph(&self) -> &Graph<Lir> {
        &self.graph
    }
}

/// An item that places name.
#[derive(Clone, Debug)]
pub struct Item {
    /// The item.
    pub item: ItemId,
    /// Symbol of its row in the position table.
    pub symbol: String,
}

/// A function that another object defines.
#[derive(Clone, Debug)]
pub struct External {
    /// The function.
    pub item: ItemId,
    /// Its linked symbol.
    pub symbol: String,
    /// Types of its parameters in `legal`.
    pub params: Vec<Type>,
    /// Types of its results.
    pub results: Vec<Type>,
}

/// Functions that are translated together.
#[derive(Clone, Default, Debug)]
pub struct Unit {
    /// What it defines.
    pub functions: Vec<Function>,
    /// Functions that it names and another object defines.
    pub externals: Vec<External>,
    /// Functions whose address is called with one more argument than they take (ADR 0010): function values that capture nothing.
    pub values: Vec<ItemId>,
    /// Items of places.
    pub items: Vec<Item>,
}

impl Unit {
    /// The unit with these functions alone; others may name them, and the rest is another object's.
    pub fn restricted(self, is_wanted: impl Fn(ItemId) -> bool) -> Unit {
        let (mine, others): (Vec<_>, Vec<_>) = self.functions.into_iter().partition(|function| is_wanted(function.graph.name));
        let mut externals = self.externals;
        externals.extend(others.into_iter().map(|function| External {
            item: function.graph.name,
            params: crate::function::params(&function.graph),
            results: function.graph.results,
            symbol: function.symbol,
        }));
        Unit { functions: mine.into_iter().map(|function| Function { exported: true, ..function }).collect(), externals, ..self }
    }
}
