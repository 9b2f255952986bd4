//! A body of LIR: an SSA graph over machine types, with its phase in the type.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use abi::{PanicKind, RuntimeCall};
use ir::ops::Effect;
use ir::ssa::{Def, EdgeRow, Graph, Inst, InstRow, Level, Value, ValueRow};
use ir::{ItemId, List, PlaceId, Stop};

use crate::ops::{Class, Cond, FloatCond, Op, check_imm, check_parts};

/// A machine type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Type {
    /// 8 bits, zero-extended: bool, byte.
    I8,
    /// 32 bits, zero-extended: char.
    I32,
    /// 64 bits.
    I64,
    /// Address.
    Ptr,
    /// Double.
    F64,
}

impl Type {
    /// All types.
    pub const ALL: [Type; 5] = [Type::I8, Type::I32, Type::I64, Type::Ptr, Type::F64];

    /// The name in dumps.
    pub const fn name(self) -> &'static str {
        match self {
            Type::I8 => "i8",
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::Ptr => "ptr",
            Type::F64 => "f64",
        }
    }

    /// Bytes in memory.
    pub const fn size(self) -> u32 {
        match self {
            Type::I8 => 1,
            Type::I32 => 4,
            Type::I64 | Type::Ptr | Type::F64 => 8,
        }
    }

    /// Does it live in an integer register?
    pub const fn is_int(self) -> bool {
        !matches!(self, Type::F64)
    }
}

/// The level.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Lir {}

impl Level for Lir {
    type Op = Op;
    type Type = Type;
    const NAME: &'static str = "lir";
    const FLAGS: &'static [&'static str] = crate::ops::FLAGS;

    fn type_text(ty: Type) -> String {
        ty.name().to_owned()
    }

    fn parse_type(text: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|t| t.name() == text)
    }

    fn word_text(op: Op, imm: u64) -> String {
        let name = match op {
            Op::Icmp => Cond::ALL.get(imm as usize).map(|c| c.name().to_owned()),
            Op::Fcmp => FloatCond::ALL.get(imm as usize).map(|c| c.name().to_owned()),
            Op::Check => check_parts(imm).map(|(c, k)| format!("{}.{}", c.name(), k.name())),
            Op::Runtime => RuntimeCall::from_number(imm).map(|c| c.name().to_owned()),
            _ => PanicKind::from_number(imm).map(|k| k.name().to_owned()),
        };
        name.unwrap_or_else(|| format!("word{imm}"))
    }

    fn parse_word(op: Op, text: &str) -> Option<u64> {
        let number = match op {
            Op::Icmp => Cond::from_name(text).map(|c| c as u64),
            Op::Fcmp => FloatCond::from_name(text).map(|c| c as u64),
            Op::Check => text.split_once('.').and_then(|(cond, kind)| Some(check_imm(Cond::from_name(cond)?, PanicKind::from_name(kind)?))),
            Op::Runtime => RuntimeCall::from_name(text).map(|c| c as u64),
            _ => PanicKind::from_name(text).map(|k| k as u64),
        };
        number.or_else(|| text.strip_prefix("word")?.parse().ok())
    }

    fn is_variadic(class: Class) -> bool {
        class == Class::Many
    }

    /// Besides the ops of that effect, the terminator that panics has a place and an unwind edge.
    fn may_panic(op: Op) -> bool {
        op.info().effect == Effect::Panics || op == Op::Panic
    }

    /// Besides constants, what is read from a slot (`lir.dead` says from which): it keeps what it holds as long as that is somebody's.
    fn is_ghostly(op: Op) -> bool {
        matches!(op, Op::Iconst | Op::Fconst | Op::Load)
    }
}

/// What is true of a body.
pub trait Phase: Clone + PartialEq + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// Name in dumps.
    const NAME: &'static str;
    /// Do calls and returns keep the limits of the calling convention?
    const IS_LEGAL: bool;
}

/// Machine types and explicit checks; any number of results.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Built {}
/// Results fit the convention; wide results go through memory; nothing is left that selection cannot take.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Legal {}

impl Phase for Built {
    const NAME: &'static str = "built";
    const IS_LEGAL: bool = false;
}
impl Phase for Legal {
    const NAME: &'static str = "legal";
    const IS_LEGAL: bool = true;
}

/// A body in a phase.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body<P: Phase> {
    graph: Graph<Lir>,
    phase: PhantomData<fn() -> P>,
}

impl<P: Phase> Body<P> {
    /// A body that claims to be in this phase; the verifier judges the claim.
    pub const fn new(graph: Graph<Lir>) -> Body<P> {
        Body { graph, phase: PhantomData }
    }

    /// The graph alone.
    pub fn into_graph(self) -> Graph<Lir> {
        self.graph
    }
}

impl<P: Phase> Deref for Body<P> {
    type Target = Graph<Lir>;
    fn deref(&self) -> &Graph<Lir> {
        &self.graph
    }
}
impl<P: Phase> DerefMut for Body<P> {
    fn deref_mut(&mut self) -> &mut Graph<Lir> {
        &mut self.graph
    }
}

/// Makes an instruction with one result and no edges, which stands in no block yet: most are of this kind, and this is much shorter than [`Graph::make`].
#[inline]
pub(crate) fn make_plain(graph: &mut Graph<Lir>, op: Op, args: &[Value], imm: u64, ty: Type) -> (Inst, Value) {
    let args = graph.args.add(args.iter().copied());
    let value = graph.values.push(ValueRow { ty, def: Def::Result(graph.insts.next_id(), 0) });
    let inst = graph.insts.push(InstRow { op, results: 1, flags: 0, first_result: value, args, imm });
    graph.edges.push(EdgeRow { targets: List::EMPTY, unwind: None, place: PlaceId::NONE });
    (inst, value)
}

/// Parameters and results of a function as machine values, before wide results move to memory.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Signature {
    /// Parameters.
    pub params: Vec<Type>,
    /// Results.
    pub results: Vec<Type>,
}

/// What lowering and verifying a body may ask about the rest of the program.
pub trait Context {
    /// The flattened signature of a function; [`crate::build::flatten_signature`] computes it.
    fn signature(&self, function: ItemId) -> Result<Option<Arc<Signature>>, Stop>;
    /// Field types of a tuple or declared struct, for flattening.
    fn fields(&self, ty: hir::Type) -> Result<Option<Arc<[hir::Type]>>, Stop>;
    /// Payload types of the variants of a sum of several, for its layout.
    fn variants(&self, ty: hir::Type) -> Result<Option<Arc<mir::Variants>>, Stop>;
    /// The methods of a trait object, in the order of their addresses.
    fn methods(&self, object: hir::Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop>;
    /// Does the program tell what happens to its memory (`--mem-debug`)?
    fn watches_memory(&self) -> Result<bool, Stop> {
        Ok(false)
    }
}
