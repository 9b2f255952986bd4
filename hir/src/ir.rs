//! The typed tree of one body. Data only.
//!
//! Everything sugary is gone: operators are intrinsics, defaults are calls, named arguments are in parameter order (with temporaries where the
//! written order differs), compound assignments are spelled out, template strings are concatenations, spreads are field reads. Control flow is still
//! structured. Every expression has a type; `Never` fits everywhere.
//!
//! Bodies of the whole program stay in memory, so they are compact: 16 bytes an expression, with the rare wide parts (loops over a source, paths
//! of an assignment) in columns of their own, four bytes a type and four a place. Spans are needed by messages only and stay in `infer`.

use ir::{Column, Id, ItemId, List, Pool, Symbol};

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
/// Tag of `for` loops.
#[derive(Debug)]
pub enum ForTag {}
/// Tag of paths.
#[derive(Debug)]
pub enum PathTag {}
/// Tag of patterns.
#[derive(Debug)]
pub enum PatternTag {}
/// An expression.
pub type ExprId = Id<ExprTag>;
/// A local variable or temporary.
pub type LocalId = Id<LocalTag>;
/// A loop of the body.
pub type LoopId = Id<LoopTag>;
/// The parts of a `for` loop.
pub type ForId = Id<ForTag>;
/// A list of field indices, from the root of a place inwards.
pub type PathId = Id<PathTag>;
/// A pattern of a match.
pub type PatternId = Id<PatternTag>;
/// The empty path: the place is the whole local.
pub const WHOLE: PathId = Id::new(u32::MAX as usize);

/// A typed body: of a function, a constant, a default, a test.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    /// Whose body it is; of a generic item the instance with its own type parameters as arguments.
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
    /// Line and column of the first byte of each expression.
    pub places: Places,
    /// Labels of the loops as written, for dumps; unlabelled loops have `None`.
    pub loops: Column<LoopTag, Option<Symbol>>,
    /// Parts of the `for` loops.
    pub fors: Column<ForTag, For>,
    /// Lists of expressions.
    pub lists: Pool<ExprId>,
    /// Lists of match arms.
    pub arms: Pool<Arm>,
    /// Patterns of match arms.
    pub patterns: Column<PatternTag, Pattern>,
    /// Lists of patterns.
    pub parts: Pool<PatternId>,
    /// Paths of assignments to parts.
    pub paths: Column<PathTag, List<u32>>,
    /// Lists of field indices.
    pub fields: Pool<u32>,
    /// The body itself.
    pub root: ExprId,
    /// The lambdas in it and in each other, by number: bodies of their own, whose last parameters are what they capture. No lambda has lambdas here.
    pub lambdas: Vec<Body>,
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
    /// A function value: calls the item with its arguments, and behind them the values captured here.
    Closure(ItemId, List<ExprId>),
    /// Call of a function value, positionally.
    CallValue(ExprId, List<ExprId>),
    /// A built-in operation.
    Intrinsic(Intrinsic, List<ExprId>),
    /// Tuple, struct, newtype or sum with one variant, of the expression's type, from its fields in declaration order; or a list from its elements.
    Aggregate(List<ExprId>),
    /// Variant by number of the expression's type, a sum of several, from its payload in declaration order.
    Variant(u32, List<ExprId>),
    /// Field or tuple element by index.
    Field(ExprId, u32),
    /// The value as a trait object of the expression's type, whose traits the value's type has.
    Object(ExprId),
    /// Declares and initialises a local; `void`.
    Let(LocalId, ExprId),
    /// Assigns to a local or, with a path of field indices, to a part of it: the value is evaluated first; `void`.
    Assign {
        /// Root of the place.
        local: LocalId,
        /// Fields from the root inwards; [`WHOLE`] without any.
        path: PathId,
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
        /// Evaluated once.
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
    /// `for local in source do body`
    For(ForId),
    /// Leaves a loop; `Never`.
    Break(LoopId, Option<ExprId>),
    /// Next iteration; `Never`.
    Continue(LoopId),
    /// `Ok` of the value, or `Err` of the message of the panic that ended its evaluation, of the expression's type.
    Catch(ExprId),
    /// Leaves the body with this as its result; `Never`. What `?` does where nothing is inside.
    Return(ExprId),
}

const _: () = assert!(size_of::<Expr>() == 16);

/// The parts of a `for` loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct For {
    /// Identity.
    pub id: LoopId,
    /// Loop variable.
    pub local: LocalId,
    /// What it runs over.
    pub source: Source,
    /// Body; value discarded. Guards are an `If` around it.
    pub body: ExprId,
}

/// What a `for` loop runs over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// `start..end by step`. The step is known not to be zero when it is a literal; else the loop panics with `range step cannot be zero`, at
    /// the place of the whole range, when it is 0.
    Range {
        /// Start, then end, then step: evaluated once in this order.
        start: ExprId,
        /// End.
        end: ExprId,
        /// Step; 1 when absent.
        step: Option<ExprId>,
        /// `..=`
        inclusive: bool,
    },
    /// A list, evaluated once.
    List(ExprId),
}

/// An arm: the pattern, then the guard, then the body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    /// What it matches, and what it binds in guard and body.
    pub pattern: PatternId,
    /// `bool`
    pub guard: Option<ExprId>,
    /// Value of the match.
    pub body: ExprId,
}

/// A pattern. Its type is that of the part of the scrutinee it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// Matches anything.
    Any,
    /// Binds the whole part to a local, if the rest matches.
    Bind(LocalId, PatternId),
    /// An inclusive range of int values, char codes, byte values, or bool (0, 1).
    Range(i64, i64),
    /// A `str` literal.
    Str(Symbol),
    /// A `float` literal by its bits; equal as `==` says.
    Float(u64),
    /// One pattern a field, of what `Aggregate` makes.
    Fields(List<PatternId>),
    /// A variant by number, and one pattern for each part of its payload.
    Variant(u32, List<PatternId>),
    /// One pattern for each element of a list; with a rest the last one stands for all further elements, and asks nothing.
    List(List<PatternId>, bool),
    /// The first alternative that matches; all bind the same locals. Without alternatives nothing matches.
    Or(List<PatternId>),
}

impl Body {
    /// The fields of a path; none when it dangles.
    pub fn path(&self, path: PathId) -> &[u32] {
        match self.paths.get(path) {
            Some(list) => self.fields.slice(list.start(), list.len()),
            None => &[],
        }
    }

    /// Does the path lead to fields that are not there?
    pub fn path_dangles(&self, path: PathId) -> bool {
        match self.paths.get(path) {
            Some(list) => self.fields.slice(list.start(), list.len()).len() != list.len(),
            None => path != WHOLE,
        }
    }
}

/// Lines and columns (item-relative line from 1, column from 1) of expressions, four bytes each.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Places {
    /// Line and column in one number; the few that do not fit are marked positions in `wide`.
    rows: Vec<u32>,
    wide: Vec<(u32, u32)>,
}

const COLUMN_BITS: u32 = 13;
const WIDE: u32 = 1 << 31;

#[inline]
fn pack(wide: &mut Vec<(u32, u32)>, line: u32, column: u32) -> u32 {
    if line < WIDE >> COLUMN_BITS && column < 1 << COLUMN_BITS {
        return line << COLUMN_BITS | column;
    }
    wide.push((line, column));
    WIDE | (wide.len() as u32 - 1)
}

impl Places {
    /// No places, with room for some.
    pub fn with_capacity(rows: usize) -> Places {
        Places { rows: Vec::with_capacity(rows), wide: Vec::new() }
    }

    /// These lines and columns, in the order of the expressions.
    pub fn of(places: impl Iterator<Item = (u32, u32)>) -> Places {
        let mut wide = Vec::new();
        Places { rows: places.map(|(line, column)| pack(&mut wide, line, column)).collect(), wide }
    }

    /// The place of the next expression.
    pub fn push(&mut self, line: u32, column: u32) {
        self.rows.push(pack(&mut self.wide, line, column));
    }

    /// Line and column of an expression; `None` when it is not there.
    pub fn get(&self, expr: ExprId) -> Option<(u32, u32)> {
        let row = *self.rows.get(expr.index())?;
        if row & WIDE == 0 {
            Some((row >> COLUMN_BITS, row & ((1 << COLUMN_BITS) - 1)))
        } else {
            self.wide.get((row & !WIDE) as usize).copied()
        }
    }

    /// Line and column of an expression; those of nothing when it is not there.
    pub fn at(&self, expr: ExprId) -> (u32, u32) {
        self.get(expr).unwrap_or((0, 0))
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is no place.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests;
