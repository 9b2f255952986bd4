//! Checking of one body: syntax tree in, typed tree out, in a single walk.
//!
//! Bidirectional: *check* mode pushes an expected type inwards ([`Expect`]), *infer* mode takes what comes. What a call of a generic function leaves
//! open is a variable ([`unify`]), fixed by later uses in the same body. A generic body is checked once; its type parameters are types like any other.
//!
//! After an error an expression has [`Type::ERROR`], which fits everywhere and reports nothing more: one report for one cause. Sugar is
//! spelled out on the way, so what leaves this module is plain HIR.

mod binding;
mod builtin;
mod call;
mod catch;
mod collect;
mod control;
mod derive;
mod draft;
mod elsewhere;
mod expr;
mod hidden;
mod index;
mod inherent;
mod lambda;
mod lift;
mod lists;
mod maps;
mod matching;
mod methods;
mod names;
mod objects;
mod operators;
mod panics;
mod paths;
mod pattern;
mod place;
mod postpone;
mod propagate;
mod recurse;
mod structs;
mod sums;
mod traits;
mod unify;
mod value;
mod variants;
mod why;
mod words;

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use ir::{ItemId, Stop, Symbol};
use syntax::tree::{self, Item, ItemKind, Tree};
use syntax::{Anchor, Arg, Diagnostic, DiagnosticCode as Code, Severity, Span};

use crate::ir::{Body, Expr, ExprId, Local, LocalId, LoopId};
use crate::program::{Context, Given, Receiver, Scope, TraitRef, returned};
use crate::resolve::LARGEST;
use crate::resolve::{BLANK, Surroundings, TypeReader, default_item, surroundings};
use crate::types::{instance, parameters};
use crate::{Intrinsic, Type, TypeKind};
pub use derive::made;
use draft::{Draft, Row};
pub use hidden::hidden_result;
use index::Updated;
use objects::Coerced;
use postpone::Postponed;
use propagate::Target;
use traits::{Obligation, Projection};
use unify::Pending;
use why::{Expect, Mode, Why};

/// Which body of an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// Of a function.
    Function,
    /// The initialiser of a constant.
    Constant,
    /// The default of the parameter with this index.
    Default(u32),
    /// Of a test.
    Test,
}

/// What checking a body found.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checked {
    /// The typed body; `None` when there was an error, here or in the signature.
    pub body: Option<Body>,
    /// The type of the body; of a constant without annotation the only source of its type.
    pub ty: Type,
    /// Errors and warnings of the body alone.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// The body of a trait's method as that which an impl replaces: what calls the method in it calls that of the impl, and not this body again.
    pub fn as_replaced(&self) -> Checked {
        let mut checked = self.clone();
        if let Some(body) = &mut checked.body {
            body.owner = body.owner.as_replaced();
        }
        checked
    }
}

/// Deepest nesting of expressions; the walk is recursive and the stack of a thread is finite. The parser limits what is nested by brackets; this
/// is for chains of members, calls and signs. Chains of operators and of `else if` do not count: they are walked without recursion.
const DEEPEST: u32 = 2000;

/// How a name may be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Mutable,
    Immutable,
    Parameter,
    LoopVariable,
}

/// A name in scope.
#[derive(Clone, Copy)]
struct Binding {
    name: Symbol,
    local: LocalId,
    kind: Kind,
    span: Span,
}

/// What a `loop` has been left with so far.
#[derive(Clone, Copy)]
enum Breaks {
    None,
    Plain(Span),
    Value(Type, Span),
}

/// Which construct a `break` would leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum LoopKind {
    Loop,
    While,
    For,
    /// A clause of `for ... yield`.
    Yield,
}

struct Frame<'a> {
    kind: LoopKind,
    label: Option<Symbol>,
    id: LoopId,
    breaks: Breaks,
    expect: Expect<'a>,
    /// Where the elements of a `for ... yield` go.
    yields: Option<Yields<'a>>,
}

/// The collection that a `for ... yield` makes.
#[derive(Clone, Copy)]
struct Yields<'a> {
    all: LocalId,
    element: Type,
    why: Why<'a>,
    into: collect::Into,
}

/// The receiver of the innermost index, for `#`.
struct Indexed {
    receiver: ExprId,
    /// Made when `#` is met and the receiver is no plain local.
    temporary: Option<LocalId>,
}

type Result<T> = std::result::Result<T, Stop>;

struct Checker<'a> {
    item: &'a Item,
    tree: &'a Tree,
    cx: &'a dyn Context,
    scope: Arc<Scope>,
    anchor: Anchor,
    which: Which,
    draft: Box<Draft>,
    diagnostics: Vec<Diagnostic>,
    frames: Vec<Frame<'a>>,
    indexed: Vec<Indexed>,
    /// Types that were reported not to be keys of maps.
    no_keys: Vec<Type>,
    /// Types of elements of sets that are written.
    elements: Vec<Type>,
    /// Where the number of bytes of a text is asked for.
    byte_lengths: Vec<Span>,
    /// Variables of loops over a range that ends at such a number, and where it is asked for.
    byte_counters: Vec<(LocalId, Span)>,
    /// Forms refused already: one report a form.
    refused: Vec<String>,
    poisoned: bool,
    depth: u32,
    blank: Symbol,
    /// Type parameters and `Self`.
    around: Surroundings,
    /// Matches on values of types that were open.
    open_matches: Vec<ExprId>,
    /// What `?` leaves, innermost last.
    targets: Vec<Target>,
    /// What is known of each open type.
    variables: Vec<Option<Type>>,
    /// A type has become too large, and no expression has it yet.
    is_too_large: Cell<bool>,
    /// Open types that become `Never` when nothing else is known of them.
    lenient: Vec<u32>,
    /// What types have of traits with type arguments, of those that were asked for.
    had: HashMap<(Type, ItemId), Vec<TraitRef>>,
    /// Calls that wait for their type arguments.
    pending: Vec<Pending>,
    /// What is known of the type parameters.
    given: Given,
    /// Associated types of types that are still open, and the variables that stand for them.
    projections: Vec<Projection>,
    /// Bounds of types that are still open.
    obligations: Vec<Obligation>,
    /// For each lambda around: which locals are its own.
    around_lambdas: Vec<usize>,
    /// The function that `recurse` makes of the body.
    recursion: Option<recurse::Recursion>,
    /// The name whose initialiser is being checked, when that is a lambda.
    defining: Option<Symbol>,
    /// The operands of a prelude function whose body is being made, in place of arguments.
    operands: Option<Vec<ExprId>>,
    /// The methods behind assignments to indices.
    updates: Vec<Updated>,
    /// Lambdas that wait for the end of their statement.
    postponed: Vec<Postponed<'a>>,
    /// How many lambdas around are only tried, since their parameters are open.
    attempts: u32,
    /// How often a variable was fixed.
    fixes: u64,
    /// What is tried needs to know a type that is open.
    stuck: bool,
    /// The last operation that is not defined, and the type of its right operand.
    no_operator: Option<(Span, Type)>,
}

/// Checks one body of an item that has no syntax errors.
pub fn body(item: &Item, which: Which, cx: &dyn Context) -> std::result::Result<Checked, Stop> {
    let nothing = Checked { body: None, ty: Type::ERROR, diagnostics: Vec::new() };
    if item.has_errors {
        return Ok(nothing);
    }
    let function = match &item.kind {
        ItemKind::Function(function) | ItemKind::Test { function, .. } => Some(function),
        _ => None,
    };
    let (root, owner, declared, result_why) = match which {
        Which::Function | Which::Test => {
            let Some(root) = function.and_then(|f| f.body) else { return Ok(nothing) };
            let Some(signature) = cx.signature(item.id)? else { return Ok(nothing) };
            // A header that is refused leaves names of the body without meaning; the refusal is the one report.
            if signature.diagnostics.iter().any(|d| d.code == Code::E2040) {
                return Ok(Checked { ty: signature.result, ..nothing });
            }
            let why = Why::Result(signature.result_span);
            (root, item.id, Some(signature), why)
        }
        Which::Default(index) => {
            let Some(param) = function.and_then(|f| f.params.get(index as usize)) else { return Ok(nothing) };
            let (Some(root), Some(name)) = (param.default, param.name) else { return Ok(nothing) };
            let Some(signature) = cx.signature(default_item(item.id, name))? else { return Ok(nothing) };
            let why = Why::Default(signature.result_span);
            (root, signature.item, Some(signature), why)
        }
        Which::Constant => {
            let ItemKind::Constant { value, .. } = item.kind else { return Ok(nothing) };
            (value, item.id, None, Why::None)
        }
    };
    let mut of_attributes = Vec::new();
    if which == Which::Constant {
        crate::resolve::attributes(item, &mut of_attributes);
        // What a refused attribute means for the value is not known.
        if of_attributes.iter().any(|d| d.code == Code::E2040) {
            return Ok(Checked { diagnostics: of_attributes, ..nothing });
        }
    }
    let mut checker = Checker::new(item, which, owner, cx)?;
    checker.diagnostics = of_attributes;
    let mut expected = None;
    let mut changed = None;
    let mut hidden = None;
    if let Some(signature) = &declared {
        expected = Some((signature.result, result_why));
        // What is hidden the body tells.
        if signature.promised.is_some() && signature.result != Type::ERROR {
            let open = checker.fresh_lenient();
            hidden = Some(open);
            expected = Some((open, Why::Hidden(signature.result_span)));
        }
        checker.given.extend(&signature.given);
        if !matches!(which, Which::Default(_)) {
            for parameter in &signature.params {
                let local = checker.local(parameter.name, parameter.ty, false);
                checker.owe_parts(parameter.ty, parameter.span)?;
                checker.draft.body.params.push(local);
                checker.draft.bindings.push(Binding { name: parameter.name, local, kind: Kind::Parameter, span: parameter.span });
            }
            if signature.receiver != Receiver::None && cx.mutates(item.id)? {
                changed = checker.changing_self();
            }
        }
        checker.owe_parts(signature.result, signature.result_span)?;
        if !matches!(which, Which::Default(_)) {
            checker.targets.push(Target { ty: hidden.unwrap_or(signature.result), block: None, this: changed, is_left: false });
        }
        // The driver reports what is wrong with the signature; here it only means that there is no body.
        checker.poisoned |= signature.diagnostics.iter().any(|d| d.severity() == Severity::Error);
    }
    if let ItemKind::Constant { dollar: false, .. } = item.kind {
        let (name, anchor) = (item.id.name(), checker.anchor);
        let error = checker.report(Code::E0207, item.name_span, [name.into()]);
        error.edits.push(syntax::Edit { anchor, span: item.name_span, text: format!("${name}"), machine_applicable: true });
    }
    if let ItemKind::Constant { ty: Some(ty), .. } = item.kind {
        let annotated = checker.read_type(ty)?;
        expected = Some((annotated, Why::Annotation(item.tree.type_span(ty))));
    }
    let recursive = match expected {
        Some((ty, why)) if which == Which::Function => checker.recursive_body(root, ty, why)?,
        Some(_) | None => None,
    };
    let mut root = match recursive {
        Some(body) => body,
        None => checker.root(root, expected)?,
    };
    let mut result = expected.map(|(ty, _)| ty);
    if let (Some(open), Some(signature)) = (hidden, &declared) {
        checker.prove_open()?;
        result = Some(checker.resolved(open));
        checker.keeps_promise(signature, open)?;
    }
    if let (Some(this), Some(language_result)) = (changed, result) {
        root = checker.with_self(root, this, language_result);
        result = Some(returned(language_result, checker.draft.body.locals[this].ty));
    }
    checker.prove_open()?;
    checker.finish(root, result)
}

/// `_`, interned once.
fn blank() -> Symbol {
    static BLANK: OnceLock<Symbol> = OnceLock::new();
    *BLANK.get_or_init(|| Symbol::new("_"))
}

impl<'a> Checker<'a> {
    fn new(item: &'a Item, which: Which, owner: ItemId, cx: &'a dyn Context) -> Result<Self> {
        let scope = cx.scope(item.id.module())?;
        let around = surroundings(item, cx)?.unwrap_or_default();
        let owner = match around.parameters.is_empty() {
            true => owner,
            false => instance(owner, &parameters(&around.parameters)),
        };
        Ok(Checker {
            item,
            tree: &item.tree,
            cx,
            scope,
            anchor: Anchor::Item(item.id),
            which,
            draft: Draft::new(owner),
            diagnostics: Vec::new(),
            frames: Vec::new(),
            indexed: Vec::new(),
            no_keys: Vec::new(),
            elements: Vec::new(),
            byte_lengths: Vec::new(),
            byte_counters: Vec::new(),
            refused: Vec::new(),
            poisoned: false,
            depth: 0,
            blank: blank(),
            around,
            open_matches: Vec::new(),
            targets: Vec::new(),
            variables: Vec::new(),
            is_too_large: Cell::new(false),
            lenient: Vec::new(),
            had: HashMap::new(),
            pending: Vec::new(),
            given: Given::default(),
            projections: Vec::new(),
            obligations: Vec::new(),
            around_lambdas: Vec::new(),
            recursion: None,
            defining: None,
            operands: None,
            updates: Vec::new(),
            postponed: Vec::new(),
            attempts: 0,
            fixes: 0,
            stuck: false,
            no_operator: None,
        })
    }

    /// The whole body; a `let` may stand here (type void).
    fn root(&mut self, root: tree::ExprId, expected: Option<(Type, Why<'a>)>) -> Result<ExprId> {
        if let tree::Expr::Let { .. } = self.tree.exprs[root] {
            let mark = self.draft.scratch.len();
            self.statement(root)?;
            let span = self.tree.expr_span(root);
            let block = self.block_of(mark, false, Type::VOID, span);
            if let Some((ty, why)) = expected {
                return self.fit(block, ty, why);
            }
            return Ok(block);
        }
        let value = match expected {
            Some((Type::VOID, why)) if self.is_empty_braces(root) => self.branch(root, &Expect::check(Type::VOID, why))?,
            Some((ty, why)) => self.check(root, ty, why)?,
            None => self.infer(root)?,
        };
        self.end_statement(0)?;
        Ok(value)
    }

    /// In a method that changes its `self`: a variable of its own, which starts as the parameter. Its `let` stays on the scratch stack.
    fn changing_self(&mut self) -> Option<LocalId> {
        let &parameter = self.draft.body.params.first()?;
        let Local { name, ty, .. } = self.draft.body.locals[parameter];
        let span = self.item.name_span;
        let local = self.local(name, ty, true);
        let value = self.read(parameter, span);
        let binding = self.push(Expr::Let(local, value), Type::VOID, span);
        self.draft.scratch.push(binding);
        if let Some(binding) = self.draft.bindings.first_mut() {
            (binding.local, binding.kind) = (local, Kind::Mutable);
        }
        Some(local)
    }

    /// The body of a method that changes its `self`, with the last value of that beside its result.
    fn with_self(&mut self, root: ExprId, this: LocalId, result: Type) -> ExprId {
        let span = self.span_at(root);
        let last = match result {
            Type::VOID => {
                self.draft.scratch.push(root);
                self.read(this, span)
            }
            Type::NEVER => root,
            _ if self.ty(root).fits_anywhere() => root,
            _ => {
                let value = self.temporary(root);
                let (value, this) = (self.read(value, span), self.read(this, span));
                let parts = self.draft.body.lists.add([value, this]);
                let ty = returned(result, self.ty(this));
                self.push(Expr::Aggregate(parts), ty, span)
            }
        };
        let ty = if self.ty(root) == Type::NEVER { Type::NEVER } else { self.ty(last) };
        self.draft.scratch.push(last);
        self.block_of(0, true, ty, span)
    }

    fn finish(mut self, root: ExprId, expected: Option<Type>) -> Result<Checked> {
        self.close_types()?;
        let ty = self.resolved(expected.unwrap_or(self.ty(root)));
        let failed = self.poisoned || ty == Type::ERROR || self.diagnostics.iter().any(|d| d.severity() == Severity::Error);
        self.diagnostics.sort_by_key(|d| d.span);
        let body = (!failed).then(|| self.draft.finish(root, ty, &self.item.lines));
        self.draft.recycle();
        Ok(Checked { body, ty, diagnostics: self.diagnostics })
    }

    // ---- building ----

    /// Appends an expression.
    #[inline]
    fn push(&mut self, expr: Expr, ty: Type, span: Span) -> ExprId {
        let id = ExprId::new(self.draft.rows.len());
        let ty = if self.is_too_large.get() || ty.size() > LARGEST { self.too_large(span) } else { ty };
        self.draft.rows.push(Row { expr, ty, span });
        self.poisoned |= ty == Type::ERROR;
        id
    }

    /// A value whose type has more in it than a program may write is an error, reported once a body. What looks at types looks at each part as often as it
    /// stands there.
    #[cold]
    fn too_large(&mut self, span: Span) -> Type {
        self.is_too_large.set(false);
        let what = "number of types in the type of a value";
        if !self.diagnostics.iter().any(|known| known.code == Code::E0039) {
            let error = self.report(Code::E0039, span, [what.into(), LARGEST.to_string().into()]);
            error.helps.push(
                "a tuple or struct holds each of its parts anew; put the parts into a list, which holds any number of them".to_owned(),
            );
        }
        self.poisoned = true;
        Type::ERROR
    }

    fn expr_at(&self, expr: ExprId) -> Expr {
        self.draft.rows[expr.index()].expr
    }

    #[inline]
    fn ty(&self, expr: ExprId) -> Type {
        self.resolved(self.draft.rows[expr.index()].ty)
    }

    fn span_at(&self, expr: ExprId) -> Span {
        self.draft.rows[expr.index()].span
    }

    fn span(&self, expr: tree::ExprId) -> Span {
        self.tree.expr_span(expr)
    }

    /// The expression that stands for an error that was reported.
    fn error(&mut self, span: Span) -> ExprId {
        self.push(Expr::Unit, Type::ERROR, span)
    }

    fn unit(&mut self, span: Span) -> ExprId {
        self.push(Expr::Unit, Type::VOID, span)
    }

    #[inline]
    fn intrinsic(&mut self, op: Intrinsic, args: &[ExprId], ty: Type, span: Span) -> ExprId {
        let list = self.draft.body.lists.add(args.iter().copied());
        self.push(Expr::Intrinsic(op, list), ty, span)
    }

    fn not(&mut self, value: ExprId, span: Span) -> ExprId {
        self.intrinsic(Intrinsic::BoolNot, &[value], Type::BOOL, span)
    }

    fn int(&mut self, value: i64, span: Span) -> ExprId {
        self.push(Expr::Int(value), Type::INT, span)
    }

    fn local(&mut self, name: Symbol, ty: Type, mutable: bool) -> LocalId {
        self.poisoned |= ty == Type::ERROR;
        self.draft.body.locals.push(Local { name, ty, mutable })
    }

    fn read(&mut self, local: LocalId, span: Span) -> ExprId {
        let ty = self.draft.body.locals[local].ty;
        self.push(Expr::Local(local), ty, span)
    }

    /// A temporary that holds a value; its `let` goes to the statements under construction.
    fn temporary(&mut self, value: ExprId) -> LocalId {
        let (ty, span) = (self.ty(value), self.span_at(value));
        let local = self.local(self.blank, ty, false);
        let binding = self.push(Expr::Let(local, value), Type::VOID, span);
        self.draft.scratch.push(binding);
        local
    }

    /// Does a statement never end? The value of a `let` may be what does not.
    fn diverges(&self, statement: ExprId) -> bool {
        match self.expr_at(statement) {
            Expr::Let(_, value) | Expr::Assign { value, .. } => self.ty(value) == Type::NEVER,
            _ => self.ty(statement) == Type::NEVER,
        }
    }

    /// A block of what lies on the scratch stack above `mark`; `Never` when one of the statements never ends.
    fn block_of(&mut self, mark: usize, tail: bool, ty: Type, span: Span) -> ExprId {
        let diverges = ty != Type::ERROR && self.draft.scratch[mark..].iter().any(|&statement| self.diverges(statement));
        let ty = if diverges { Type::NEVER } else { ty };
        let statements = self.draft.body.lists.add(self.draft.scratch.drain(mark..));
        self.push(Expr::Block { statements, tail }, ty, span)
    }

    /// The statements above `mark` and then `value`; just `value` when there are none.
    fn with_statements(&mut self, mark: usize, value: ExprId, span: Span) -> ExprId {
        if self.draft.scratch.len() == mark {
            return value;
        }
        let ty = self.ty(value);
        self.draft.scratch.push(value);
        self.block_of(mark, true, ty, span)
    }

    // ---- reporting ----

    fn report(&mut self, code: Code, span: Span, args: impl IntoIterator<Item = Arg>) -> &mut Diagnostic {
        if code.severity() == Severity::Error {
            self.poisoned = true;
        }
        self.diagnostics.push(Diagnostic::new(code, self.anchor, span, args));
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// Refuses a form with E2040, once a body and form.
    fn refuse(&mut self, span: Span, what: impl Into<String>) -> ExprId {
        let what = what.into();
        self.poisoned = true;
        if !self.refused.contains(&what) {
            self.report(Code::E2040, span, [what.as_str().into()]);
            self.refused.push(what);
        }
        self.error(span)
    }

    fn read_type(&mut self, ty: tree::TypeId) -> Result<Type> {
        let found = self.written(ty)?;
        self.owe_parts(found, self.tree.type_span(ty))?;
        Ok(found)
    }

    fn written(&mut self, ty: tree::TypeId) -> Result<Type> {
        let mut reader = TypeReader::new(self.tree, self.cx, self.scope.clone(), self.anchor);
        reader.around = self.around.clone();
        reader.around.given.clone_from(&self.given);
        reader.blanks = self.which != Which::Constant;
        let ty = reader.read(ty)?;
        if !reader.diagnostics.is_empty() {
            self.poisoned = true;
            for error in reader.diagnostics {
                let what = match (&error.code, error.args.first()) {
                    (Code::E2040, Some(Arg::Text(what))) => Some(what.clone()),
                    _ => None,
                };
                if let Some(what) = what {
                    if self.refused.contains(&what) {
                        continue;
                    }
                    self.refused.push(what);
                }
                self.diagnostics.push(error);
            }
        }
        if !ty.has_variable() {
            return Ok(ty);
        }
        // Each `_` is a type of its own.
        let variables = &mut self.variables;
        Ok(ty.replaced(&mut |part| {
            (part.kind() == TypeKind::Variable(BLANK)).then(|| {
                variables.push(None);
                Type::new(TypeKind::Variable(variables.len() as u32 - 1))
            })
        }))
    }

    // ---- modes ----

    #[inline]
    fn infer(&mut self, expr: tree::ExprId) -> Result<ExprId> {
        self.expr(expr, &Expect::NONE)
    }

    /// Infers with a type that an INT literal may take on.
    fn hinted(&mut self, expr: tree::ExprId, hint: Type) -> Result<ExprId> {
        self.expr(expr, &Expect { ty: hint, mode: Mode::Hint, why: Why::None })
    }

    /// Checks against a type; reports a mismatch.
    fn check(&mut self, expr: tree::ExprId, ty: Type, why: Why<'a>) -> Result<ExprId> {
        if ty == Type::ERROR {
            return self.infer(expr);
        }
        let id = self.expr(expr, &Expect::check(ty, why))?;
        self.fit(id, ty, why)
    }

    /// The coercion step: equal types and `Never` fit, and what has the traits of an object becomes one (language/03 §3.12); everything else is E2001.
    #[inline]
    fn fit(&mut self, expr: ExprId, expected: Type, why: Why<'a>) -> Result<ExprId> {
        let found = self.ty(expr);
        if found == expected || found.fits_anywhere() || expected == Type::ERROR {
            return Ok(expr);
        }
        self.misfit(expr, expected, found, why)
    }

    #[cold]
    fn misfit(&mut self, expr: ExprId, expected: Type, found: Type, why: Why<'a>) -> Result<ExprId> {
        let expected = self.resolved(expected);
        if (found.has_variable() || expected.has_variable() || found == expected) && self.unify(found, expected) {
            return Ok(expr);
        }
        let lacking = match expected.kind() {
            TypeKind::Object(_) => match self.as_object(expr, expected, found)? {
                Coerced::Object(object) => return Ok(object),
                Coerced::Lacks(interface) => Some(interface),
            },
            _ => None,
        };
        let span = self.span_at(expr);
        self.mismatch(span, expected, found, why, Some(expr));
        if let Some(interface) = lacking {
            self.explain_lack(found, interface);
        }
        Ok(self.error(span))
    }

    /// Enters one level of nesting; false (after a report) when it is too deep.
    #[inline]
    fn deeper(&mut self, span: Span) -> bool {
        self.depth += 1;
        self.depth <= DEEPEST || self.too_deep(span)
    }

    #[cold]
    fn too_deep(&mut self, span: Span) -> bool {
        if !self.diagnostics.iter().any(|d| d.code == Code::E0037) {
            self.report(Code::E0037, span, [DEEPEST.to_string().into()]);
        }
        self.poisoned = true;
        false
    }
}

#[cfg(test)]
mod tests;
