//! What is translated: functions of LIR, and what the translation has to know of others.

use std::sync::Arc;

use ir::ItemId;
use ir::ssa::Graph;
use lir::{Body, Legal, Lir, Type};

use crate::facts::Facts;
use crate::told::Debug;

/// Whose a function is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Linkage {
    /// This unit's alone: LLVM may change or remove it.
    Own,
    /// Other units or objects may name it.
    Shared,
    /// Another unit's: it is here to be inlined, and nothing is made of it.
    Copy,
}

impl Linkage {
    /// How LLVM says it. Nothing but the program itself names its functions.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Linkage::Own => "internal",
            Linkage::Shared => "hidden",
            Linkage::Copy => "available_externally hidden",
        }
    }
}

/// A function of a unit.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its body, which several units may have copies of.
    body: Arc<Body<Legal>>,
    /// Its linked symbol.
    pub symbol: String,
    /// Whose it is.
    pub linkage: Linkage,
}

impl Function {
    /// A function with this body.
    pub const fn new(body: Arc<Body<Legal>>, symbol: String, linkage: Linkage) -> Function {
        Function { body, symbol, linkage }
    }

    /// Changes the body: for checks that a change shows.
    pub fn edit(&mut self, change: impl FnOnce(&mut Graph<Lir>)) {
        let body: &mut Body<Legal> = Arc::make_mut(&mut self.body);
        change(body);
    }

    /// The body.
    pub fn graph(&self) -> &Graph<Lir> {
        &self.body
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
    /// Is it one of several? Then constants have names by what they hold, and the linker keeps one of each.
    pub is_part: bool,
    /// What a debugger is told, if anything.
    pub debug: Option<Debug>,
    /// What LLVM is told of it.
    pub facts: Facts,
}

impl Unit {
    /// The unit with these functions alone; others may name them, and the rest is another object's.
    pub fn restricted(self, is_wanted: impl Fn(ItemId) -> bool) -> Unit {
        let (mine, others): (Vec<_>, Vec<_>) = self.functions.into_iter().partition(|function| is_wanted(function.graph().name));
        let mut externals = self.externals;
        externals.extend(others.into_iter().map(|function| External {
            item: function.graph().name,
            params: crate::function::params(function.graph()),
            results: function.graph().results.clone(),
            symbol: function.symbol,
        }));
        Unit { functions: mine.into_iter().map(|function| Function { linkage: Linkage::Shared, ..function }).collect(), externals, ..self }
    }
}
