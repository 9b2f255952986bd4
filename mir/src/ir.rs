//! A body of MIR: an SSA graph over language types, with its phase in the type.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use abi::{PanicKind, RuntimeCall};
use hir::Type;
use hir::program::ObjectMethod;
use ir::ssa::{Graph, Level};
use ir::{ItemId, Stop, Symbol};

use crate::Op;

/// The level.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Mir {}

impl Level for Mir {
    type Op = Op;
    type Type = Type;
    const NAME: &'static str = "mir";
    const FLAGS: &'static [&'static str] = crate::ops::FLAGS;

    fn type_text(ty: Type) -> String {
        ty.to_string()
    }

    fn parse_type(text: &str) -> Option<Type> {
        hir::types::parse(text)
    }

    fn word_text(op: Op, imm: u64) -> String {
        let name = match op {
            Op::Payload => {
                let (variant, part) = crate::ops::payload_parts(imm);
                return format!("v{variant}.{part}");
            }
            Op::Panic => PanicKind::from_number(imm).map(PanicKind::name),
            _ => RuntimeCall::from_number(imm).map(RuntimeCall::name),
        };
        name.map_or_else(|| format!("word{imm}"), str::to_owned)
    }

    fn parse_word(op: Op, text: &str) -> Option<u64> {
        let number = match op {
            Op::Payload => text
                .strip_prefix('v')
                .and_then(|parts| parts.split_once('.'))
                .and_then(|(variant, part)| Some(crate::ops::payload_imm(variant.parse().ok()?, part.parse().ok()?))),
            Op::Panic => PanicKind::from_name(text).map(|k| k as u64),
            _ => RuntimeCall::from_name(text).map(|c| c as u64),
        };
        number.or_else(|| text.strip_prefix("word")?.parse().ok())
    }

    fn is_variadic(class: crate::ops::Class) -> bool {
        class == crate::ops::Class::Many
    }

    fn may_panic(op: Op) -> bool {
        op.info().effect == ir::ops::Effect::Panics || op == Op::Panic
    }

    /// What is made of literals and of what is there. Nothing that asks for memory: nobody has it.
    fn is_ghostly(op: Op) -> bool {
        matches!(op, Op::Int | Op::Float | Op::Bool | Op::Char | Op::Byte | Op::Unit | Op::Str)
            || matches!(op, Op::Aggregate | Op::Variant | Op::Field | Op::WithField)
    }
}

/// What is true of a body. Optimisations keep the phase, lowerings change exactly one.
pub trait Phase: Clone + PartialEq + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// Name in dumps.
    const NAME: &'static str;
    /// Are there no type parameters in it?
    const IS_CLOSED: bool;
    /// Does it say who holds each counted value, by `dup` and `drop`?
    const IS_OWNED: bool = false;
}

/// As built from HIR: SSA, match compiled, still generic.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Built {}
/// Closed types, direct calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Mono {}
/// As `Mono`, and every counted value is given away exactly once on every path: `dup` and `drop` are explicit. No pass rewrites it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Owned {}

impl Phase for Built {
    const NAME: &'static str = "built";
    const IS_CLOSED: bool = false;
}
impl Phase for Mono {
    const NAME: &'static str = "mono";
    const IS_CLOSED: bool = true;
}
impl Phase for Owned {
    const NAME: &'static str = "owned";
    const IS_CLOSED: bool = true;
    const IS_OWNED: bool = true;
}

/// A body in a phase. The graph is open to passes of the phase; changing the phase is the work of lowerings.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body<P: Phase> {
    graph: Graph<Mir>,
    phase: PhantomData<fn() -> P>,
}

impl<P: Phase> Body<P> {
    /// A body that claims to be in this phase; the verifier judges the claim.
    pub const fn new(graph: Graph<Mir>) -> Body<P> {
        Body { graph, phase: PhantomData }
    }

    /// The graph alone.
    pub fn into_graph(self) -> Graph<Mir> {
        self.graph
    }
}

// The phase is the claim of the query that keeps the body.
impl<P: Phase> serde::Serialize for Body<P> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.graph.serialize(serializer)
    }
}
impl<'de, P: Phase> serde::Deserialize<'de> for Body<P> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Graph::deserialize(deserializer).map(Body::new)
    }
}

impl<P: Phase> Deref for Body<P> {
    type Target = Graph<Mir>;
    fn deref(&self) -> &Graph<Mir> {
        &self.graph
    }
}
impl<P: Phase> DerefMut for Body<P> {
    fn deref_mut(&mut self) -> &mut Graph<Mir> {
        &mut self.graph
    }
}

/// The value of a module constant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum ConstValue {
    /// `int`
    Int(i64),
    /// Bits of a `float`
    Float(u64),
    /// `bool`
    Bool(bool),
    /// `char`
    Char(char),
    /// `byte`
    Byte(u8),
    /// `str`
    Str(Symbol),
    /// `()`
    Unit,
    /// Tuple or struct: its type and fields.
    Aggregate(Type, Vec<ConstValue>),
    /// Variant: its type, number and payload.
    Variant(Type, u32, Vec<ConstValue>),
    /// Cell: its type and parts.
    Cell(Type, Vec<ConstValue>),
    /// List: its type and elements.
    List(Type, Vec<ConstValue>),
    /// Trait object: its type, that of the value in it, and the value.
    Object(Type, Type, Box<ConstValue>),
    /// Function value: its type, the function, and what is captured.
    Function(Type, ItemId, Vec<ConstValue>),
}

/// Payload types of each variant of a sum.
pub type Variants = [Box<[Type]>];

/// Parameter types and result type.
pub type SignatureTypes = (Vec<Type>, Type);

/// What a function does with the ownership of its arguments: those that it borrows stay with the caller, who keeps them alive during the call; all others it
/// takes, and gives away or drops on every path. What it gives is always owned by the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Contract {
    /// Bit `n`: parameter `n` is borrowed.
    borrowed: u64,
}

impl Contract {
    /// Every parameter is owned: what function values and functions that nobody has looked at do.
    pub const OWNED: Contract = Contract { borrowed: 0 };
    /// How many parameters can be borrowed; those behind are owned.
    pub const MOST: usize = 64;

    /// Is the parameter borrowed?
    pub const fn borrows(self, param: usize) -> bool {
        param < Contract::MOST && self.borrowed >> param & 1 == 1
    }

    /// The same contract with this parameter borrowed.
    #[must_use]
    pub const fn borrowing(self, param: usize) -> Contract {
        if param < Contract::MOST { Contract { borrowed: self.borrowed | 1 << param } } else { self }
    }

    /// The same contract with this parameter owned.
    #[must_use]
    pub const fn owning(self, param: usize) -> Contract {
        if param < Contract::MOST { Contract { borrowed: self.borrowed & !(1 << param) } } else { self }
    }
}

/// What lowering, optimising, verifying and running a body may ask about the rest of the program.
pub trait Context {
    /// Parameter types and result type of a function or default.
    fn signature(&self, function: ItemId) -> Result<Option<Arc<SignatureTypes>>, Stop>;
    /// Field types of a tuple, declared struct or the like; `None` for any other type.
    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop>;
    /// Variants of a sum of several; `None` for any other type.
    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop>;
    /// Do bodies say which locals have which values, for debuggers?
    fn names_locals(&self) -> Result<bool, Stop> {
        Ok(false)
    }
    /// The methods of a trait object, in the order of their addresses; none of any other type.
    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop>;
    /// The value of a module constant; `None` when its evaluation failed (a diagnostic says so).
    fn constant(&self, item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop>;
    /// A small body that may be copied into its callers; a large or recursive one cuts off at `None`.
    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop>;
    /// Why a function is not copied into its callers, for remarks.
    fn why_not_inlinable(&self, function: ItemId) -> Result<String, Stop> {
        let body = self.body(function)?;
        Ok(body.and_then(|body| crate::opt::why_not_inlinable(&body)).unwrap_or_else(|| "its body is not to be seen".to_owned()))
    }
    /// The body of a function.
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop>;
    /// The body of a function with its ownership spelled out, for the interpreter. Without a memory of its own, [`crate::ownership::owned`].
    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop>;
    /// What an instance of a generic function really calls: a method of a trait is the one of the impl that its type has.
    fn callee(&self, instance: ItemId) -> Result<ItemId, Stop> {
        Ok(instance)
    }
    /// What the associated types in a closed type are.
    fn normal(&self, ty: Type) -> Result<Type, Stop> {
        Ok(ty)
    }
    /// Has a value of this closed type counted content: a text, a list, a cell, a function value, alone or inside? Values without it are copied
    /// and forgotten freely; those with it are owned or borrowed from the phase `owned` on.
    fn is_counted(&self, ty: Type) -> Result<bool, Stop> {
        crate::ownership::is_counted(ty, self)
    }
    /// The class of a cell of this type: cells of one class have the same room. What it is nobody here knows, but that it is the same; `None` where the room of a
    /// cell is not to be used again.
    fn cell_class(&self, ty: Type) -> Result<Option<u32>, Stop> {
        let _ = ty;
        Ok(None)
    }
    /// Which of its parameters a function borrows. Whoever remembers answers gives [`crate::ownership::contract`]; a function that nobody looks at owns them all.
    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        crate::ownership::unseen(function, self)
    }
    /// Can these two functions of one module call each other in a circle? Only then does a tail call between them give up its frame; without an
    /// answer every call keeps it, and stack traces are complete.
    fn in_recursion_group(&self, caller: ItemId, callee: ItemId) -> Result<bool, Stop> {
        let _ = (caller, callee);
        Ok(false)
    }
}
