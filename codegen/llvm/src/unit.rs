//! What goes to the worker process `oric-llvm` and what comes back: frames of a length (4 bytes, little-endian) and so many bytes of postcard.

use std::io::{self, Read, Write};

use ir::ItemId;
use ir::ssa::Graph;
use lir::{Body, Legal, Lir, Type};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Changes whenever a frame does: a worker of another version refuses.
pub const PROTOCOL: u32 = 1;

/// A function of a unit.
#[derive(Clone, Serialize, Deserialize, Debug)]
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
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Item {
    /// The item.
    pub item: ItemId,
    /// Symbol of its row in the position table.
    pub symbol: String,
}

/// A function that another object defines.
#[derive(Clone, Serialize, Deserialize, Debug)]
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
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
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

/// What to make of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum Product {
    /// A relocatable object.
    Object,
    /// The text before LLVM's passes.
    Ir,
    /// The text behind them.
    Optimised,
    /// Bitcode behind them.
    Bitcode,
    /// Assembly.
    Assembly,
}

/// How much LLVM optimises.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
pub enum Level {
    /// `0`
    None,
    /// `1`
    Less,
    /// `2`
    #[default]
    Default,
    /// `3`
    More,
    /// `s`
    Size,
    /// `z`
    MinSize,
}

impl Level {
    /// The level with this name.
    pub fn from_name(name: &str) -> Option<Level> {
        Some(match name {
            "0" => Level::None,
            "1" => Level::Less,
            "2" => Level::Default,
            "3" => Level::More,
            "s" => Level::Size,
            "z" => Level::MinSize,
            _ => return None,
        })
    }

    /// Its name: what stands behind `-O`.
    pub const fn name(self) -> &'static str {
        match self {
            Level::None => "0",
            Level::Less => "1",
            Level::Default => "2",
            Level::More => "3",
            Level::Size => "s",
            Level::MinSize => "z",
        }
    }
}

/// A question to a worker.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Request {
    /// [`PROTOCOL`] of who asks.
    pub protocol: u32,
    /// The unit.
    pub unit: Unit,
    /// What to make of it.
    pub product: Product,
    /// How much to optimise.
    pub level: Level,
    /// LLVM's name of a processor, which it has to know: `x86-64`, `x86-64-v3`; or `native` for this one.
    pub cpu: String,
}

/// Why a unit was not translated.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Failure {
    /// The worker has another protocol than who asks.
    Protocol(u32),
    /// LLVM refuses what was written: a mistake of ours.
    Broken(String),
}

/// An answer of a worker.
pub type Answer = Result<Vec<u8>, Failure>;

/// The largest frame.
const LONGEST: usize = u32::MAX as usize;

/// Writes a frame.
pub fn send<T: Serialize>(value: &T, to: &mut impl Write) -> io::Result<()> {
    let bytes = postcard::to_allocvec(value).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other(format!("a unit of more than {LONGEST} bytes")))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads a frame; `None` when there is none any more.
pub fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    let wanted = u64::from(u32::from_le_bytes(length));
    if from.take(wanted).read_to_end(&mut bytes)? as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(&bytes).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
