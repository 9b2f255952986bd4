//! The syntax tree: what a file, an item, an expression is.
//!
//! One [`Tree`] per item: arenas of expressions, types and patterns with their spans, and pools of lists. Spans are relative to the item, so an item that
//! moves is equal to itself. The tree covers the whole grammar; nothing is desugared but parentheses.

use std::hash::{Hash, Hasher};

use ir::{ItemId, Symbol};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::{Diagnostic, Lines, Span};

mod arena;
mod body;
pub use arena::{Arena, NodeId, Rare, Short, Wide};
pub use body::*;

/// Everything the parser knows of one file: the item tree.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct File {
    /// Dotted module path, as in [`ItemId`].
    pub module: Symbol,
    /// `#!name(...)` at the top; spans relative to the file.
    pub file_attributes: Vec<Attribute>,
    /// Imports in order; spans relative to the file.
    pub imports: Vec<Import>,
    /// Items in order.
    pub items: Vec<ItemEntry>,
    /// Lexical and syntax errors; anchored at items where they lie inside one.
    pub diagnostics: Vec<Diagnostic>,
    /// Positions in `items` by the number of the id; made when first needed, and no part of what a file says.
    pub index: ItemIndex,
}

impl File {
    /// The row of an item.
    pub fn entry(&self, id: ItemId) -> Option<&ItemEntry> {
        let index = self.index.0.get_or_init(|| {
            let mut found: Vec<(u32, u32)> = self.items.iter().zip(0..).map(|(entry, at)| (entry.id.raw(), at)).collect();
            found.sort_unstable();
            found
        });
        let at = index.partition_point(|&(raw, _)| raw < id.raw());
        index.get(at).filter(|&&(raw, _)| raw == id.raw()).map(|&(_, at)| &self.items[at as usize])
    }
}

/// Where the items of a file are.
#[derive(Clone, Default, Debug)]
pub struct ItemIndex(std::sync::OnceLock<Vec<(u32, u32)>>);

impl PartialEq for ItemIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for ItemIndex {}
impl std::hash::Hash for ItemIndex {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// One row of the item tree: an item and where it stands now.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ItemEntry {
    /// Stable identity. Functions, types, traits, constants and tests by name; impls and the like by header and ordinal.
    pub id: ItemId,
    /// First byte of the item in the file (its attributes included).
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Line of the first byte, from 1: the only thing that a line shift changes.
    pub line: u32,
    /// The item itself, shared with the query engine.
    pub item: std::sync::Arc<Item>,
}

/// An item, independent of where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Stable identity.
    pub id: ItemId,
    /// The trait or impl that it is a member of: methods are items of their own, so that an edit of one leaves the others alone.
    pub owner: Option<ItemId>,
    /// `pub`.
    pub is_pub: bool,
    /// Where the name stands (item-relative); the whole item when it has no name.
    pub name_span: Span,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// What it is.
    pub kind: ItemKind,
    /// Arenas that `kind` indexes.
    pub tree: Tree,
    /// Line table of the item's text.
    pub lines: Lines,
    /// The parser reported an error inside: later levels stay silent about this item.
    pub has_errors: bool,
    /// What it was parsed from, where the text says it all.
    pub content: Option<Content>,
}

/// A hash of an item's text, the same in every process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Content(u128);

impl Content {
    /// Of this text.
    pub fn of(text: &str) -> Content {
        // The key is public and never changes: "ori item" "contents" in ASCII.
        let mut hasher = SipHasher13::new_with_keys(0x6d65_7469_2069_726f, 0x7374_6e65_746e_6f63);
        hasher.write(text.as_bytes());
        Content(hasher.finish128().as_u128())
    }
}

impl Hash for Item {
    /// The parser is a function of the text, which is a tenth of the work to hash. Only a block is less than its text, for its methods are items of
    /// their own, and an item with errors may be more, for what stands behind it is looked at.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Item { id, owner, is_pub, name_span, attributes, kind, tree, lines, has_errors, content } = self;
        (id, owner, has_errors).hash(state);
        match content.filter(|_| !has_errors) {
            Some(content) => (content, lines.first_column()).hash(state),
            None => (is_pub, name_span, attributes, kind, tree, lines).hash(state),
        }
    }
}

/// `#name(args)`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attribute {
    /// Name without `#`.
    pub name: Symbol,
    /// The whole attribute.
    pub span: Span,
    /// Arguments: optional name and value text as written.
    pub args: Vec<(Option<Symbol>, AttributeValue, Span)>,
}

/// Argument of an attribute.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum AttributeValue {
    /// Literal string.
    Str(Symbol),
    /// Integer literal.
    Int(i64),
    /// Dotted path.
    Path(Vec<Symbol>),
    /// List of strings.
    List(Vec<Symbol>),
    /// Any other literal.
    Literal(Literal),
}

/// `use` and `extension` declarations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Import {
    /// The whole declaration, file-relative like all spans of an import.
    pub span: Span,
    /// What goes when the import goes: also its `;` and the newline directly behind it.
    pub extent: Span,
    /// `pub use`.
    pub is_pub: bool,
    /// `extension` instead of `use`.
    pub is_extension: bool,
    /// What is imported from.
    pub path: ModulePath,
    /// Where the path stands.
    pub path_span: Span,
    /// `{ ... }`, or `as name`, or neither.
    pub names: ImportNames,
    /// Attributes.
    pub attributes: Vec<Attribute>,
}

/// What stands after the path of an import.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ImportNames {
    /// `use path;`
    Module,
    /// `use path as name;`
    Alias(Symbol, Span),
    /// `use path { ... };`
    List(Vec<ImportEntry>),
    /// `extension path { Type.method };`
    Extensions(Vec<(Symbol, Symbol, Span)>),
}

/// `"./m"` or `std.math`
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum ModulePath {
    /// A string: relative path or package.
    Text(Symbol),
    /// Dotted identifiers.
    Dotted(Vec<Symbol>),
}

/// One name in a `use` list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ImportEntry {
    /// `::name`
    pub private: bool,
    /// `$name`
    pub constant: bool,
    /// The imported name.
    pub name: Symbol,
    /// `as other`; the same as `name` when absent.
    pub alias: Symbol,
    /// `without def`
    pub without_def: bool,
    /// The entry.
    pub span: Span,
}

/// What an item is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ItemKind {
    /// `@f (..) -> T = body`, a clause of one, or a method, whose [`Item::owner`] is a trait or impl.
    Function(Function),
    /// `@t tests @f () -> void = body`
    Test {
        /// Targets: `_` is `None`; `@Type.method` has a second part.
        targets: Vec<Option<(Symbol, Option<Symbol>)>>,
        /// Header and body.
        function: Function,
    },
    /// `let $c: T = e;` or the older `$c = e;`. `dollar` is false for `let c = e` (E0207).
    Constant {
        /// Declared type.
        ty: Option<TypeId>,
        /// Initialiser.
        value: ExprId,
        /// The name carries `$`.
        dollar: bool,
    },
    /// `$f (..) -> T = e`
    ConstFunction(Function),
    /// `type T = ...`
    Type {
        /// Type parameters.
        generics: Vec<Generic>,
        /// `: A, B` after the name.
        markers: Vec<Bound>,
        /// `where` clauses.
        constraints: Vec<Constraint>,
        /// What stands after `=`.
        body: TypeBody,
    },
    /// `trait T { ... }`
    Trait {
        /// Type parameters.
        generics: Vec<Generic>,
        /// Supertraits.
        supertraits: Vec<Bound>,
        /// `where` clauses.
        constraints: Vec<Constraint>,
        /// Members.
        members: Vec<Member>,
    },
    /// `impl T { ... }` or `impl T: Tr { ... }`
    Impl {
        /// Type parameters.
        generics: Vec<Generic>,
        /// The type.
        ty: TypeId,
        /// The trait.
        bound: Option<Bound>,
        /// `where` clauses.
        constraints: Vec<Constraint>,
        /// Members.
        members: Vec<Member>,
    },
    /// `def impl Tr { ... }`
    DefImpl {
        /// The trait.
        bound: Bound,
        /// Methods.
        members: Vec<Member>,
    },
    /// `extend T { ... }`
    Extend {
        /// Type parameters.
        generics: Vec<Generic>,
        /// The type.
        ty: TypeId,
        /// `where` clauses.
        constraints: Vec<Constraint>,
        /// Methods.
        members: Vec<Member>,
    },
    /// `extern "c" from "lib" { ... }`
    Extern {
        /// ABI string.
        abi: Symbol,
        /// Library.
        from: Option<Symbol>,
        /// Items: name and header.
        functions: Vec<ExternFunction>,
    },
    /// `capset N = A, B;`
    Capset(Vec<(Symbol, Span)>),
    /// The parser could not tell; an error is reported.
    Error,
}

/// A function header and body.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    /// Name without sigil.
    pub name: Symbol,
    /// Type parameters.
    pub generics: Vec<Generic>,
    /// Parameters, `self` included.
    pub params: Vec<Param>,
    /// Span of the parentheses.
    pub params_span: Span,
    /// Result type; `None` when left out.
    pub result: Option<TypeId>,
    /// `uses` entries.
    pub uses: Vec<(Symbol, Span)>,
    /// `where` clauses.
    pub constraints: Vec<Constraint>,
    /// Clause guard.
    pub guard: Option<ExprId>,
    /// `pre` and `post`.
    pub contracts: Vec<Contract>,
    /// Body; `None` for signatures.
    pub body: Option<ExprId>,
    /// Span of the header, from the sigil to the result type.
    pub header_span: Span,
}

/// `pre(cond | "text")` or `post(r -> cond | "text")`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Contract {
    /// `post`: the lambda head.
    pub post: Option<Vec<LambdaParam>>,
    /// The condition.
    pub condition: ExprId,
    /// The message.
    pub message: Option<Symbol>,
    /// The whole clause.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    /// Pattern; a plain identifier in [core].
    pub pattern: PatternId,
    /// Its name when the pattern is a plain identifier (`self` included).
    pub name: Option<Symbol>,
    /// `mut self`
    pub is_mut: bool,
    /// Is it `self`?
    pub is_self: bool,
    /// `...T`
    pub variadic: bool,
    /// Declared type.
    pub ty: Option<TypeId>,
    /// Default.
    pub default: Option<ExprId>,
    /// The parameter's name.
    pub span: Span,
}

/// `T: A + B = D` or `$N: int = 8`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Generic {
    /// Name.
    pub name: Symbol,
    /// `$N`
    pub is_const: bool,
    /// Bounds, or the type of a const parameter as its only bound.
    pub bounds: Vec<Bound>,
    /// Default type.
    pub default: Option<TypeId>,
    /// Default of a const parameter.
    pub const_default: Option<ExprId>,
    /// The name.
    pub span: Span,
}

/// A trait with arguments.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Bound {
    /// Dotted path.
    pub path: Vec<Symbol>,
    /// Type arguments.
    pub args: Vec<TypeId>,
    /// Span.
    pub span: Span,
}

/// An entry of a `where` clause.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Constraint {
    /// `T.Item: A + B`
    Bounds(Vec<Symbol>, Vec<Bound>, Span),
    /// `T.Item == U`
    Equal(Vec<Symbol>, TypeId, Span),
    /// `N > 0`
    Const(ExprId, Span),
}

/// A member of a trait, impl or extend block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Member {
    /// A method or associated function: an item of its own, whose place is none of the block's business.
    Function {
        /// The item.
        id: ItemId,
        /// Name.
        name: Symbol,
        /// It has a body.
        has_body: bool,
    },
    /// `type A: B = T;`
    Type {
        /// Name.
        name: Symbol,
        /// Bounds.
        bounds: Vec<Bound>,
        /// Value or default.
        ty: Option<TypeId>,
        /// Name.
        span: Span,
    },
}

/// A function of an `extern` block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExternFunction {
    /// Name.
    pub name: Symbol,
    /// Parameters: name, type.
    pub params: Vec<(Symbol, TypeId)>,
    /// Modifiers, one for each parameter.
    pub modes: Vec<ExternMode>,
    /// `...` at the end.
    pub variadic: bool,
    /// Result.
    pub result: TypeId,
    /// Modifiers of the result.
    pub result_mode: ExternMode,
    /// Linked name.
    pub linked: Option<Symbol>,
    /// Attributes behind the function.
    pub attributes: Vec<Attribute>,
    /// Name.
    pub span: Span,
}

/// Modifiers before a type of a foreign function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ExternMode {
    /// `out`
    pub out: bool,
    /// `mut`
    pub is_mut: bool,
    /// `owned` or `borrowed`.
    pub owned: Option<bool>,
}

/// What stands after `=` in a type declaration (grammar G9).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TypeBody {
    /// `{ f: T, ... }`
    Struct(Vec<Field>),
    /// `A | B(T)`
    Sum(Vec<Variant>),
    /// A newtype.
    Newtype(TypeId),
}

/// A field.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Field {
    /// Name.
    pub name: Symbol,
    /// Type.
    pub ty: TypeId,
    /// Name.
    pub span: Span,
}

/// A variant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Variant {
    /// Name.
    pub name: Symbol,
    /// Payload: names are `None` when positional.
    pub payload: Vec<(Option<Symbol>, TypeId)>,
    /// Name.
    pub span: Span,
}
