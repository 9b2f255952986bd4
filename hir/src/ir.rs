//! The typed tree of one body. Data only.
//!
//! Everything sugary is gone: operators are intrinsics, defaults are calls, named arguments are in parameter order (with temporaries where the
//! written order differs), compound assignments are spelled out, template strings are concatenations, spreads are field reads. Control flow is still
//! structured. Every expression has a type; `Never` fits everywhere.

use ir::{Column, Id, ItemId, List, Pool, Symbol};
use syntax::Span;

use crate::{Intrinsic, Type};

/// Tag of expression ids.
#[derive(Debug)]
pub enum ExprTag {}
/// Tag of local ids.
#[derive(Debug)]
pub enum LocalTag {}
/// Tag of loop ids.
#[derive(Debug)]
pub enum LoopTag {}
/// An expression.
pub type ExprId = Id<ExprTag>;
/// A local variable or temporary.
pub type LocalId = Id<LocalTag>;
/// A loop of the body.
pub type LoopId = Id<LoopTag>;

/// A typed body: of a function, a constant, a default, a test.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    /// Whose body it is.
    pub owner: ItemId,
    /// Parameters, in order; the first locals.
    pub params: Vec<LocalId>,
    /// Result type; the root has it, or `Never`.
    pub result: Type,
    /// Locals.
    pub locals: Column<LocalTag, Local>,
    /// Expressions.
    pub exprs: Column<ExprTag, Expr>,
    /// Type of each expression.
    pub types: Column<ExprTag, Type>,
    /// Place of each expression, relative to the item: byte range.
    pub spans: Column<ExprTag, Span>,
    /// Line and column (item-relative line from 1, column from 1) of the first byte of each expression.
    pub places: Column<ExprTag, (u32, u32)>,
    /// Labels of the loops as written, for dumps; unlabelled loops have `None`.
    pub loops: Column<LoopTag, Option<Symbol>>,
    /// Lists of expressions.
    pub lists: Pool<ExprId>,
    /// Lists of match arms.
    pub arms: Pool<Arm>,
    /// Lists of case tests.
    pub tests: Pool<Test>,
    /// Lists of field indices.
    pub fields: Pool<u32>,
    /// The body itself.
    pub root: ExprId,
}

/// A local variable or temporary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    /// Name as written; `_` for temporaries and blanks.
    pub name: Symbol,
    /// Type.
    pub ty: Type,
    /// May it be assigned?
    pub mutable: bool,
}

/// An expression. Operands are evaluated left to right in the order of the fields here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// An `int` literal.
    Int(i64),
    /// Bits of a `float` literal.
    Float(u64),
    /// A `bool` literal.
    Bool(bool),
    /// A `char` literal.
    Char(char),
    /// A `byte` literal.
    Byte(u8),
    /// A `str` literal.
    Str(Symbol),
    /// `()`
    Unit,
    /// Value of a local.
    Local(LocalId),
    /// Value of a module constant.
    Constant(ItemId),
    /// Call of a function (or default) with one argument per parameter, in parameter order.
    Call(ItemId, List<ExprId>),
    /// A built-in operation.
    Intrinsic(Intrinsic, List<ExprId>),
    /// Tuple or struct of the expression's type from its fields in declaration order.
    Aggregate(List<ExprId>),
    /// Field or tuple element by index.
    Field(ExprId, u32),
    /// Declares and initialises a local; `void`.
    Let(LocalId, ExprId),
    /// Assigns to a local or, with a path of field indices, to a part of it: the value is evaluated first; `void`.
    Assign {
        /// Root of the place.
        local: LocalId,
        /// Fields from the root inwards.
        path: List<u32>,
        /// Value.
        value: ExprId,
    },
    /// Statements, then the value of the last expression if `tail`, else `()`.
    Block {
        /// Statements.
        statements: List<ExprId>,
        /// Is the last one the value?
        tail: bool,
    },
    /// Both branches have the type of the expression, `Never`, or (with `void`) their values are discarded as `()`.
    If {
        /// `bool`
        condition: ExprId,
        /// Taken when true.
        then: ExprId,
        /// Taken when false; without it the expression is `void`.
        otherwise: Option<ExprId>,
    },
    /// `a && b`
    And(ExprId, ExprId),
    /// `a || b`
    Or(ExprId, ExprId),
    /// Tests the arms in order. HIR proves that one matches (H04).
    Match {
        /// Evaluated once. int, bool, char, byte or str.
        scrutinee: ExprId,
        /// Arms.
        arms: List<Arm>,
    },
    /// Endless loop; its value comes from `break`.
    Loop {
        /// Identity, for `break` and `continue`.
        id: LoopId,
        /// Body; value discarded.
        body: ExprId,
    },
    /// `while`
    While {
        /// Identity.
        id: LoopId,
        /// `bool`; a `break` in it ends this loop.
        condition: ExprId,
        /// Body; value discarded.
        body: ExprId,
    },
    /// `for local in start..end by step do body`. The step is known not to be zero when it is a literal; else the loop panics with
    /// `range step cannot be zero`, at the place of the whole range, when it is 0.
    ForRange {
        /// Identity.
        id: LoopId,
        /// Loop variable.
        local: LocalId,
        /// Start, then end, then step: evaluated once in this order.
        start: ExprId,
        /// End.
        end: ExprId,
        /// Step; 1 when absent.
        step: Option<ExprId>,
        /// `..=`
        inclusive: bool,
        /// Body; value discarded. Guards are an `If` around it.
        body: ExprId,
    },
    /// `for local in list do body`
    ForList {
        /// Identity.
        id: LoopId,
        /// Loop variable.
        local: LocalId,
        /// Evaluated once.
        list: ExprId,
        /// Body; value discarded.
        body: ExprId,
    },
    /// Leaves a loop; `Never`.
    Break(LoopId, Option<ExprId>),
    /// Next iteration; `Never`.
    Continue(LoopId),
}

const _: () = assert!(size_of::<Expr>() <= 32);

/// An arm: any of the tests, then the guard, then the body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    /// Alternatives; empty means that the arm always matches.
    pub tests: List<Test>,
    /// Local that holds the scrutinee in guard and body.
    pub binding: Option<LocalId>,
    /// `bool`
    pub guard: Option<ExprId>,
    /// Value of the match.
    pub body: ExprId,
}

/// One alternative of an arm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// An inclusive range of int values, char codes, byte values, or bool (0, 1).
    Range(i64, i64),
    /// A `str` literal.
    Str(Symbol),
}
