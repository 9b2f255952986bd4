//! The arenas of one item: expressions, patterns, types and their lists.

use ir::{Column, Id, List, Pool, Symbol};

use crate::Span;

use super::Bound;

/// The arenas of one item.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Tree {
    /// Expressions.
    pub exprs: Column<ExprTag, Expr>,
    /// Their spans.
    pub expr_spans: Column<ExprTag, Span>,
    /// Types.
    pub types: Column<TypeTag, Type>,
    /// Their spans.
    pub type_spans: Column<TypeTag, Span>,
    /// Patterns.
    pub patterns: Column<PatternTag, Pattern>,
    /// Their spans.
    pub pattern_spans: Column<PatternTag, Span>,
    /// Lists of expressions.
    pub expr_lists: Pool<ExprId>,
    /// Lists of types.
    pub type_lists: Pool<TypeId>,
    /// Lists of patterns.
    pub pattern_lists: Pool<PatternId>,
    /// Lists of arguments.
    pub args: Pool<Argument>,
    /// Lists of struct, map and list entries.
    pub entries: Pool<Entry>,
    /// Lists of match arms.
    pub arms: Pool<Arm>,
    /// Lists of template parts.
    pub parts: Pool<TemplatePart>,
    /// Lists of lambda parameters.
    pub lambda_params: Pool<LambdaParam>,
    /// Lists of `for` clauses.
    pub clauses: Pool<ForClause>,
    /// Lists of struct-pattern fields and variant-pattern payloads.
    pub field_patterns: Pool<FieldPattern>,
    /// Paths.
    pub paths: Pool<Symbol>,
    /// Bounds of `impl A + B` and trait-object types.
    pub bounds: Vec<Bound>,
    /// `where Item == T` of `impl A + B` types: the impl type, the name, the type.
    pub impl_equals: Vec<(TypeId, Symbol, TypeId)>,
}

/// Tag of expression ids.
#[derive(Debug)]
pub enum ExprTag {}
/// Tag of type ids.
#[derive(Debug)]
pub enum TypeTag {}
/// Tag of pattern ids.
#[derive(Debug)]
pub enum PatternTag {}
/// An expression of a tree.
pub type ExprId = Id<ExprTag>;
/// A type of a tree.
pub type TypeId = Id<TypeTag>;
/// A pattern of a tree.
pub type PatternId = Id<PatternTag>;

/// A literal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// `42`; 2^63 only as the operand of unary minus.
    Int(u64),
    /// Bits of a float.
    Float(u64),
    /// Unescaped text.
    Str(Symbol),
    /// A character.
    Char(char),
    /// `b'x'`
    Byte(u8),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
    /// `true`, `false`
    Bool(bool),
}

/// Prefix operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `!`
    Not,
    /// `~`
    BitNot,
}

/// Infix operators but `..`, `|>` and assignment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `div`
    FloorDiv,
    /// `**`
    Pow,
    /// `@`
    MatMul,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `??`
    Coalesce,
}

/// An expression, assignment or `let`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// A syntax error was reported here.
    Error,
    /// A literal.
    Literal(Literal),
    /// `` `..` ``
    Template(List<TemplatePart>),
    /// `x`
    Name(Symbol),
    /// `$x`
    Dollar(Symbol),
    /// `self`
    SelfValue,
    /// `Self`
    SelfType,
    /// `#` inside an index
    Length,
    /// `_` (an error wherever it stands; kept for the message)
    Blank,
    /// `()`
    Unit,
    /// `(a, b)`
    Tuple(List<ExprId>),
    /// `[a, ...b]`
    List(List<Entry>),
    /// `{a: 1}`, `{}` outside places that need a block, `{...s, f: v}`
    Map(List<Entry>),
    /// `{ statements }`; `tail` says that the last has no `;` and is the value.
    Block {
        /// Statements: expressions, assignments, lets.
        statements: List<ExprId>,
        /// Is the last one the value?
        tail: bool,
    },
    /// `Name { ... }`
    Struct {
        /// Dotted path; `Self` is a segment.
        path: List<Symbol>,
        /// Entries.
        entries: List<Entry>,
    },
    /// `if c then a else b`
    If {
        /// Condition.
        condition: ExprId,
        /// Branch.
        then: ExprId,
        /// Other branch.
        otherwise: Option<ExprId>,
    },
    /// `match e { arms }`, also the postfix form.
    Match {
        /// Scrutinee.
        scrutinee: ExprId,
        /// Arms.
        arms: List<Arm>,
        /// Written `e.match(...)`: [full].
        postfix: bool,
    },
    /// `for clauses do body` or `yield body`
    For {
        /// Label.
        label: Option<Symbol>,
        /// Clauses, at least one.
        clauses: List<ForClause>,
        /// `yield` instead of `do`.
        is_yield: bool,
        /// Body.
        body: ExprId,
    },
    /// `while c do body`
    While {
        /// Label.
        label: Option<Symbol>,
        /// Condition.
        condition: ExprId,
        /// Body.
        body: ExprId,
    },
    /// `loop { }`
    Loop {
        /// Label.
        label: Option<Symbol>,
        /// A block.
        body: ExprId,
    },
    /// `try { }`
    Try(ExprId),
    /// `unsafe { }`
    Unsafe(ExprId),
    /// `block:l { }`
    LabelledBlock {
        /// Label.
        label: Symbol,
        /// A block.
        body: ExprId,
    },
    /// `break:l v`
    Break {
        /// Label.
        label: Option<Symbol>,
        /// Value.
        value: Option<ExprId>,
    },
    /// `continue:l v`
    Continue {
        /// Label.
        label: Option<Symbol>,
        /// Value.
        value: Option<ExprId>,
    },
    /// `x -> e`, `(a: int) -> int = e`
    Lambda {
        /// Parameters.
        params: List<LambdaParam>,
        /// Declared result.
        result: Option<TypeId>,
        /// Body.
        body: ExprId,
    },
    /// Prefix operator.
    Unary(UnaryOp, ExprId),
    /// Infix operator.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a |> step`
    Pipe(ExprId, ExprId),
    /// `a..b by c`
    Range {
        /// Start.
        start: ExprId,
        /// End.
        end: Option<ExprId>,
        /// `..=`
        inclusive: bool,
        /// Step.
        step: Option<ExprId>,
    },
    /// `e.name`
    Field(ExprId, Symbol),
    /// `e.$name`
    DollarField(ExprId, Symbol),
    /// `e.0`
    TupleField(ExprId, u32),
    /// `e.name<T>(args)`
    MethodCall {
        /// Receiver.
        receiver: ExprId,
        /// Method.
        name: Symbol,
        /// Type arguments.
        type_args: List<TypeId>,
        /// Arguments.
        args: List<Argument>,
    },
    /// `f<T>(args)`
    Call {
        /// Callee.
        callee: ExprId,
        /// Type arguments.
        type_args: List<TypeId>,
        /// Arguments.
        args: List<Argument>,
    },
    /// `f<T>` before `.`
    TypeArgs(ExprId, List<TypeId>),
    /// `e[i]`
    Index(ExprId, ExprId),
    /// `e?`
    Question(ExprId),
    /// `e as T`, `e as? T`
    As {
        /// Operand.
        value: ExprId,
        /// Target.
        ty: TypeId,
        /// `as?`
        fallible: bool,
    },
    /// `recurse(...)`, `catch(...)` and the other call-like forms; the name says which.
    Special {
        /// `recurse`, `parallel`, `spawn`, `timeout`, `cache`, `catch`, `nursery`, `with`, `for`, `channel...`, `embed`, `has_embed`.
        form: Symbol,
        /// Type arguments of channels.
        type_args: List<TypeId>,
        /// Arguments.
        args: List<Argument>,
    },
    /// `with C = e in body`
    With {
        /// Bindings: capability name as the argument's name.
        bindings: List<Argument>,
        /// Body.
        body: ExprId,
    },
    /// `handler(state: e) { op: e }`
    Handler {
        /// State.
        state: ExprId,
        /// Operations.
        operations: List<Argument>,
    },
    /// `e.[f]`
    Splice(ExprId, ExprId),
    /// `$if`
    ReflectIf {
        /// Condition.
        condition: ExprId,
        /// Branch.
        then: ExprId,
        /// Other branch.
        otherwise: Option<ExprId>,
    },
    /// `$for`
    ReflectFor {
        /// Name.
        name: Symbol,
        /// Source.
        source: ExprId,
        /// `yield`
        is_yield: bool,
        /// Body.
        body: ExprId,
    },
    /// `let p: T = e`
    Let {
        /// Pattern.
        pattern: PatternId,
        /// Declared type.
        ty: Option<TypeId>,
        /// Initialiser.
        value: ExprId,
        /// `let?`
        question: bool,
    },
    /// `p = e`, `p op= e`
    Assign {
        /// Operator of a compound assignment.
        op: Option<BinaryOp>,
        /// Place, as an expression.
        place: ExprId,
        /// Value.
        value: ExprId,
    },
    /// `(e)`, kept so that `(a) = v` and `(x < y) < z` can be judged.
    Paren(ExprId),
}

const _: () = assert!(size_of::<Expr>() <= 32);

/// A part of a template string.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TemplatePart {
    /// Literal text, unescaped.
    Text(Symbol),
    /// `{e}` or `{e:spec}` with the raw text of the spec.
    Value(ExprId, Option<(Symbol, Span)>),
}

/// An argument: `name: e`, `name:`, `...e`, `e`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Argument {
    /// Name.
    pub name: Option<Symbol>,
    /// `...e`
    pub spread: bool,
    /// Value; for a punned argument an [`Expr::Name`] with the span of the name.
    pub value: ExprId,
    /// Was it `name:` alone?
    pub punned: bool,
    /// Span of the name, or of the value.
    pub span: Span,
    /// `match: pattern -> e` of `for(...)`.
    pub pattern: Option<PatternId>,
}

/// An entry of a list, map or struct literal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Key.
    pub key: EntryKey,
    /// Value; for struct punning an [`Expr::Name`].
    pub value: ExprId,
    /// The key, or the value when there is none.
    pub span: Span,
}

/// Key of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryKey {
    /// List element.
    None,
    /// `...e`
    Spread,
    /// `name: e`, or `name` in a struct.
    Name(Symbol),
    /// `[e]: v` or `literal: v`
    Expr(ExprId),
}

/// `pattern if guard -> body`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Arm {
    /// Pattern.
    pub pattern: PatternId,
    /// Guard.
    pub guard: Option<ExprId>,
    /// The guard was written `.match(cond)`: [full].
    pub old_guard: bool,
    /// Body.
    pub body: ExprId,
}

/// `pattern in source if guard`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ForClause {
    /// Pattern.
    pub pattern: PatternId,
    /// Source.
    pub source: ExprId,
    /// Guard.
    pub guard: Option<ExprId>,
}

/// A parameter of a lambda; name `None` is `_`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LambdaParam {
    /// Name.
    pub name: Option<Symbol>,
    /// Type.
    pub ty: Option<TypeId>,
    /// Span.
    pub span: Span,
}

/// A pattern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// A syntax error was reported here.
    Error,
    /// `_`
    Blank,
    /// `x`, `$x`: a binding or a unit variant.
    Name {
        /// Name.
        name: Symbol,
        /// `$`
        dollar: bool,
    },
    /// `x @ p`
    At {
        /// Name.
        name: Symbol,
        /// `$`
        dollar: bool,
        /// Pattern.
        pattern: PatternId,
    },
    /// Literal; `negative` for `-3`.
    Literal(Literal, bool),
    /// `lo..hi`
    Range {
        /// Low end.
        low: RangeEnd,
        /// High end.
        high: RangeEnd,
        /// `..=`
        inclusive: bool,
    },
    /// `V(p)`, `T.V`, `T(p)`
    Variant {
        /// Path.
        path: List<Symbol>,
        /// Payload; `None` for a qualified unit variant without parentheses.
        payload: Option<List<FieldPattern>>,
    },
    /// `T { f, .. }`
    Struct {
        /// Path; empty when left out.
        path: List<Symbol>,
        /// Fields.
        fields: List<FieldPattern>,
        /// `..`
        rest: bool,
    },
    /// `()`
    Unit,
    /// `(p, q)`
    Tuple(List<PatternId>),
    /// `[p, q]`; `rest` is `..` or `..name` at the end.
    List {
        /// Elements.
        elements: List<PatternId>,
        /// Rest: name and `$`.
        rest: Option<Option<(Symbol, bool)>>,
    },
    /// `p | q`
    Or(List<PatternId>),
}

/// End of a range pattern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RangeEnd {
    /// Literal; negative for `-3`.
    Literal(Literal, bool),
    /// `$c`
    Constant(Symbol),
}

/// `f: p`, `f`, or a positional payload.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FieldPattern {
    /// Name.
    pub name: Option<Symbol>,
    /// Pattern; for punning a [`Pattern::Name`].
    pub pattern: PatternId,
    /// Span.
    pub span: Span,
}

/// A type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// A syntax error was reported here.
    Error,
    /// `void`
    Void,
    /// `_`
    Blank,
    /// `()`: the same as `void`
    Unit,
    /// `a.b.T<A>`; `Self` is a segment.
    Named {
        /// Path.
        path: List<Symbol>,
        /// Arguments.
        args: List<TypeId>,
    },
    /// `[T]`
    List(TypeId),
    /// `[T, max N]`
    FixedList(TypeId, ExprId),
    /// `{K: V}`
    Map(TypeId, TypeId),
    /// `(A, B)`
    Tuple(List<TypeId>),
    /// `(A) -> R`, with `uses` when `uses` is not empty
    Function {
        /// Parameters.
        params: List<TypeId>,
        /// Result.
        result: TypeId,
        /// `uses` entries.
        uses: List<Symbol>,
    },
    /// `impl A + B`: index range in `Tree::bounds`
    Impl {
        /// First bound.
        first: u32,
        /// Number of bounds.
        count: u32,
        /// It has a `where`.
        constrained: bool,
    },
    /// `A + B`
    Object(List<TypeId>),
    /// A const argument.
    Const(ExprId),
}
