//! The arenas of one item: expressions, patterns, types and their lists.

use ir::{List, Pool, Symbol};

use crate::Span;

use super::Bound;
use super::arena::{Arena, LongLists, LongSpans, NodeId, Rare, Short, Wide};

/// The arenas of one item.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Tree {
    /// Expressions.
    pub exprs: Arena<ExprTag, Expr>,
    /// Types.
    pub types: Arena<TypeTag, Type>,
    /// Patterns.
    pub patterns: Arena<PatternTag, Pattern>,
    /// Lists of expressions.
    pub expr_lists: Pool<ExprId>,
    /// Lists of arguments.
    pub args: Pool<Argument>,
    /// Paths.
    pub paths: Pool<Symbol>,
    /// Lists of types.
    pub type_lists: Rare<TypeId>,
    /// Lists of patterns.
    pub pattern_lists: Rare<PatternId>,
    /// Lists of struct, map and list entries.
    pub entries: Rare<Entry>,
    /// Lists of match arms.
    pub arms: Rare<Arm>,
    /// Lists of template parts.
    pub parts: Rare<TemplatePart>,
    /// Lists of lambda parameters.
    pub lambda_params: Rare<LambdaParam>,
    /// Lists of `for` clauses.
    pub clauses: Rare<ForClause>,
    /// Lists of struct-pattern fields and variant-pattern payloads.
    pub field_patterns: Rare<FieldPattern>,
    /// Low and high end of range patterns.
    pub range_ends: Rare<RangeEnd>,
    /// Explicit type arguments of calls, method calls and call-like forms, in order of their ids.
    type_args: Rare<(ExprId, List<TypeId>)>,
    /// Bounds of `impl A + B` and trait-object types.
    pub bounds: Rare<Bound>,
    /// `where Item == T` of `impl A + B` types: the impl type, the name, the type.
    pub impl_equals: Rare<(TypeId, Symbol, TypeId)>,
    long_lists: LongLists,
    long_spans: LongSpans,
}

impl Tree {
    /// Where an expression stands.
    #[inline]
    pub fn expr_span(&self, id: ExprId) -> Span {
        self.long_spans.unpack(self.exprs.span(id))
    }

    /// Where a type stands.
    pub fn type_span(&self, id: TypeId) -> Span {
        self.long_spans.unpack(self.types.span(id))
    }

    /// Where a pattern stands.
    pub fn pattern_span(&self, id: PatternId) -> Span {
        self.long_spans.unpack(self.patterns.span(id))
    }

    /// The list that a short one stands for.
    #[inline]
    pub fn list<T>(&self, short: Short<T>) -> List<T> {
        short.list(&self.long_lists)
    }

    /// The explicit type arguments of a call, method call or call-like form.
    #[inline]
    pub fn type_args(&self, call: ExprId) -> List<TypeId> {
        let rows = self.type_args.all();
        match rows.binary_search_by_key(&call, |row| row.0) {
            Ok(at) => rows[at].1,
            Err(_) => List::EMPTY,
        }
    }

    #[inline(always)]
    pub(crate) fn add_expr(&mut self, expr: Expr, span: Span) -> ExprId {
        let span = self.long_spans.pack(span);
        self.exprs.push(expr, span)
    }

    pub(crate) fn add_type(&mut self, ty: Type, span: Span) -> TypeId {
        let span = self.long_spans.pack(span);
        self.types.push(ty, span)
    }

    pub(crate) fn add_pattern(&mut self, pattern: Pattern, span: Span) -> PatternId {
        let span = self.long_spans.pack(span);
        self.patterns.push(pattern, span)
    }

    /// The short form of a list.
    #[inline]
    pub(crate) fn shorten<T>(&mut self, list: List<T>) -> Short<T> {
        Short::new(list, &mut self.long_lists)
    }

    /// Notes the explicit type arguments of the expression that was added last.
    pub(crate) fn set_type_args(&mut self, call: ExprId, types: List<TypeId>) {
        if !types.is_empty() {
            self.type_args.add([(call, types)]);
        }
    }

    /// Forgets everything and keeps what memory is worth keeping.
    pub(crate) fn clear(&mut self) {
        let Tree {
            exprs,
            types,
            patterns,
            expr_lists,
            args,
            paths,
            type_lists,
            pattern_lists,
            entries,
            arms,
            parts,
            lambda_params,
            clauses,
            field_patterns,
            range_ends,
            type_args,
            bounds,
            impl_equals,
            long_lists,
            long_spans,
        } = self;
        exprs.clear();
        types.clear();
        patterns.clear();
        expr_lists.clear();
        args.clear();
        paths.clear();
        type_lists.clear();
        pattern_lists.clear();
        entries.clear();
        arms.clear();
        parts.clear();
        lambda_params.clear();
        clauses.clear();
        field_patterns.clear();
        range_ends.clear();
        type_args.clear();
        bounds.clear();
        impl_equals.clear();
        long_lists.clear();
        long_spans.clear();
    }
}

/// Tag of expression ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ExprTag {}
/// Tag of type ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypeTag {}
/// Tag of pattern ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PatternTag {}
/// An expression of a tree.
pub type ExprId = NodeId<ExprTag>;
/// A type of a tree.
pub type TypeId = NodeId<TypeTag>;
/// A pattern of a tree.
pub type PatternId = NodeId<PatternTag>;

/// A literal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// `42`; 2^63 only as the operand of unary minus.
    Int(Wide),
    /// Bits of a float.
    Float(Wide),
    /// Unescaped text.
    Str(Symbol),
    /// A character.
    Char(char),
    /// `b'x'`
    Byte(u8),
    /// Nanoseconds.
    Duration(Wide),
    /// Bytes.
    Size(Wide),
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
        path: Short<Symbol>,
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
        clauses: Short<ForClause>,
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
        params: Short<LambdaParam>,
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
    /// `e.name<T>(args)`; [`Tree::type_args`] has the type arguments.
    MethodCall {
        /// Receiver.
        receiver: ExprId,
        /// Method.
        name: Symbol,
        /// Arguments.
        args: Short<Argument>,
    },
    /// `f<T>(args)`; [`Tree::type_args`] has the type arguments.
    Call {
        /// Callee.
        callee: ExprId,
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
    /// `recurse(...)`, `catch(...)` and the other call-like forms; the name says which, [`Tree::type_args`] has the types of channels.
    Special {
        /// `recurse`, `parallel`, `spawn`, `timeout`, `cache`, `catch`, `nursery`, `with`, `for`, `channel...`, `embed`, `has_embed`.
        form: Symbol,
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

const _: () = assert!(size_of::<Expr>() <= 16 && size_of::<Pattern>() <= 20 && size_of::<Argument>() <= 24);

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
        /// Low and high end.
        ends: List<RangeEnd>,
        /// `..=`
        inclusive: bool,
    },
    /// `V(p)`, `T.V`, `T(p)`
    Variant {
        /// Path.
        path: Short<Symbol>,
        /// Payload; `None` for a qualified unit variant without parentheses.
        payload: Option<List<FieldPattern>>,
    },
    /// `T { f, .. }`
    Struct {
        /// Path; empty when left out.
        path: Short<Symbol>,
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
