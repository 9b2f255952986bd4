//! Tokens to an item tree per file and a syntax tree per item.
//!
//! Recursive descent over the flat token list; the partner of each bracket is known, so every disambiguation rule of the grammar is a look at
//! one or two tokens or a scan that builds nothing ([`look`]). An error inside a construct unwinds with [`Failed`] to the nearest
//! statement, match arm, member or item, which skips to its end and goes on; so one cause makes one report and a file gives several.
//!
//! All spans of an item are relative to its first byte. Trees are built in one scratch [`Tree`] and copied out with exact sizes.

mod attributes;
mod blocks;
mod control;
mod errors;
mod expressions;
mod file;
mod forms;
mod functions;
mod imports;
mod items;
mod literals;
mod look;
mod patterns;
mod postfix;
mod statements;
mod types;

use std::cell::Cell;

use hashbrown::HashMap;
use ir::{ItemId, Namespace, Symbol};

use crate::lexer::names::{Words, words};
use crate::lexer::{Flags, Kind, Memory, Token};
use crate::tree::*;
use crate::{Diagnostic, Span};

pub use file::{parse, parse_bytes};

/// Deepest nesting of expressions, types and patterns (language/17 section 17.7 asks for 256).
pub const NESTING_LIMIT: u32 = 300;

/// An error was reported; unwind to where parsing can go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

type Parse<T> = Result<T, Failed>;

/// What is forbidden or different at a place; brackets reset it.
#[derive(Clone, Copy, Default)]
// Saved and restored at each bracket: one register.
#[repr(align(8))]
struct Place {
    /// Struct literals are disabled (grammar G2).
    no_struct: bool,
    /// Lambdas are disabled (G3: match guards).
    no_lambda: bool,
    /// In the source of a `for` clause (G6).
    in_for: bool,
    /// In a contract condition (G12).
    in_contract: bool,
    /// `uses` belongs to the declaration (G8).
    no_uses: bool,
    /// `<` and `>` are no operators: default of a const parameter.
    no_angle: bool,
    /// Bracket depth inside a body is 0 (G16).
    body: bool,
}

/// Elements of lists that are being parsed; each list is drained into its pool when it is complete.
#[derive(Default)]
struct Stacks {
    exprs: Vec<ExprId>,
    types: Vec<TypeId>,
    patterns: Vec<PatternId>,
    args: Vec<Argument>,
    entries: Vec<Entry>,
    arms: Vec<Arm>,
    parts: Vec<TemplatePart>,
    params: Vec<LambdaParam>,
    clauses: Vec<ForClause>,
    fields: Vec<FieldPattern>,
    paths: Vec<Symbol>,
    /// Start, condition and branch of the links of an `else if` chain.
    links: Vec<(u32, ExprId, ExprId)>,
}

/// Memory that a file leaves to the next one of its thread: all lists are empty.
#[derive(Default)]
struct Spare {
    lexer: Memory,
    tree: Tree,
    stacks: Stacks,
}

/// A file with more tokens leaves nothing, so that no thread sits on the memory of one extraordinary file.
const SPARE_TOKENS: usize = 1 << 18;

thread_local! {
    static SPARE: Cell<Option<Box<Spare>>> = const { Cell::new(None) };
}

impl Spare {
    fn take() -> Spare {
        SPARE.take().map_or_else(Spare::default, |spare| *spare)
    }

    fn give_back(mut self) {
        let Memory { tokens, numbers, line_starts } = &mut self.lexer;
        if tokens.capacity() > SPARE_TOKENS {
            return;
        }
        tokens.clear();
        numbers.clear();
        line_starts.clear();
        self.tree.clear();
        self.stacks.clear();
        SPARE.set(Some(Box::new(self)));
    }
}

/// Heights of all stacks.
#[derive(Clone, Copy)]
struct Marks([usize; 12]);

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    numbers: Vec<u64>,
    balanced: bool,
    /// Index of the current token.
    pos: usize,
    /// First byte of the current item; 0 outside.
    base: u32,
    /// First token of the current item.
    item_start: usize,
    /// First token of the current statement, for messages.
    statement_start: usize,
    module: Symbol,
    words: &'static Words,
    tree: Tree,
    stacks: Stacks,
    place: Place,
    depth: u32,
    /// Nesting of index brackets, where `#` means something.
    index_depth: u32,
    /// Token at which `{}` is an empty block (G1).
    empty_block_at: usize,
    /// Where `-` stands directly before this token, 2^63 is in range.
    min_int_at: usize,
    diagnostics: Vec<Diagnostic>,
    /// Where the token stood at which each diagnostic was found out; what is reported may stand far before it.
    found_at: Vec<u32>,
    /// Number of errors of the current item.
    item_errors: usize,
    line_starts: Vec<u32>,
    lines_seen: usize,
    /// By namespace and number of the name.
    ordinals: HashMap<(Namespace, u32), u32>,
    /// What the names of the methods of the open block begin with.
    block_name: String,
    /// Methods of the item that is being parsed.
    methods: Vec<ItemEntry>,
    /// The tree of the member that is being parsed, or, meanwhile, of the block around it.
    member_tree: Tree,
    /// First tokens of declarations, for attached doc comments; only kept if the file has doc comments.
    declarations: Option<Vec<u32>>,
}

impl Stacks {
    fn clear(&mut self) {
        let Stacks { exprs, types, patterns, args, entries, arms, parts, params, clauses, fields, paths, links } = self;
        exprs.clear();
        types.clear();
        patterns.clear();
        args.clear();
        entries.clear();
        arms.clear();
        parts.clear();
        params.clear();
        clauses.clear();
        fields.clear();
        paths.clear();
        links.clear();
    }
}

impl<'a> Parser<'a> {
    /// A parser of tokens, with an empty tree and empty stacks.
    fn new(module: Symbol, text: &'a str, lexed: Memory, balanced: bool, tree: Tree, stacks: Stacks) -> Parser<'a> {
        let Memory { tokens, numbers, line_starts } = lexed;
        Parser {
            text,
            tokens,
            numbers,
            balanced,
            pos: 0,
            base: 0,
            item_start: 0,
            statement_start: 0,
            module,
            words: words(),
            tree,
            stacks,
            place: Place::default(),
            depth: 0,
            index_depth: 0,
            empty_block_at: usize::MAX,
            min_int_at: usize::MAX,
            diagnostics: Vec::new(),
            found_at: Vec::new(),
            item_errors: 0,
            line_starts,
            lines_seen: 0,
            ordinals: HashMap::new(),
            block_name: String::new(),
            methods: Vec::new(),
            member_tree: Tree::default(),
            declarations: None,
        }
    }

    // Looking at tokens.

    #[inline(always)]
    fn token(&self) -> Token {
        self.tokens[self.pos]
    }

    #[inline(always)]
    fn kind(&self) -> Kind {
        self.tokens[self.pos].kind
    }

    /// A token further on; the last one stands for all behind it.
    #[inline]
    fn ahead(&self, n: usize) -> Token {
        self.tokens[(self.pos + n).min(self.tokens.len() - 1)]
    }

    #[inline]
    fn kind_at(&self, index: usize) -> Kind {
        self.tokens.get(index).map_or(Kind::Eof, |t| t.kind)
    }

    fn previous(&self) -> Token {
        self.tokens[self.pos.saturating_sub(1)]
    }

    fn token_text(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    /// Is the current token this identifier?
    #[inline]
    fn at_word(&self, word: Symbol) -> bool {
        self.is_word(self.pos, word)
    }

    #[inline]
    fn is_word(&self, index: usize, word: Symbol) -> bool {
        self.tokens.get(index).is_some_and(|t| t.kind == Kind::Ident && t.symbol() == word)
    }

    /// The partner of the bracket at an index, if it has one.
    #[inline]
    fn partner(&self, index: usize) -> Option<usize> {
        let data = self.tokens[index].data;
        (data != crate::lexer::NONE).then_some(data as usize)
    }

    /// Does the token at `index` stand directly behind the one before it?
    #[inline]
    fn adjacent(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|t| t.is_adjacent())
    }

    // Moving on.

    #[inline(always)]
    fn bump(&mut self) -> Token {
        let token = self.tokens[self.pos];
        if token.kind != Kind::Eof {
            self.pos += 1;
        }
        token
    }

    #[inline]
    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.pos += 1;
        }
        found
    }

    #[inline]
    fn expect(&mut self, kind: Kind) -> Parse<Token> {
        if self.kind() == kind { Ok(self.bump()) } else { self.unexpected(kind.describe()) }
    }

    // Spans.

    /// Relative to the item.
    #[inline]
    fn relative(&self, start: u32, end: u32) -> Span {
        Span::new(start.wrapping_sub(self.base), end.wrapping_sub(self.base))
    }

    #[inline]
    fn span_of(&self, token: Token) -> Span {
        self.relative(token.start, token.end)
    }

    /// From a file offset to the end of the last token.
    #[inline]
    fn span_from(&self, start: u32) -> Span {
        self.relative(start, self.previous().end)
    }

    // Building.

    #[inline]
    fn add(&mut self, expr: Expr, start: u32) -> ExprId {
        let span = self.span_from(start);
        self.tree.add_expr(expr, span)
    }

    #[inline]
    fn add_at(&mut self, expr: Expr, span: Span) -> ExprId {
        self.tree.add_expr(expr, span)
    }

    fn add_type(&mut self, ty: Type, start: u32) -> TypeId {
        let span = self.span_from(start);
        self.tree.add_type(ty, span)
    }

    fn add_pattern(&mut self, pattern: Pattern, start: u32) -> PatternId {
        let span = self.span_from(start);
        self.add_pattern_at(pattern, span)
    }

    fn add_pattern_at(&mut self, pattern: Pattern, span: Span) -> PatternId {
        self.tree.add_pattern(pattern, span)
    }

    // Places.

    /// Runs inside one more level of nesting.
    #[inline]
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= NESTING_LIMIT {
            return self.too_deep();
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Runs inside brackets, where nothing is forbidden.
    #[inline]
    fn bracketed<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        let saved = std::mem::take(&mut self.place);
        let result = parse(self);
        self.place = saved;
        result
    }

    /// Runs at a place that is different.
    #[inline]
    fn with_place<T>(&mut self, change: impl FnOnce(&mut Place), parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        let saved = self.place;
        change(&mut self.place);
        let result = parse(self);
        self.place = saved;
        result
    }

    /// `list(X)` up to the closing bracket, which is eaten; the opening one is at `open`.
    #[inline]
    fn list(&mut self, open: usize, close: Kind, mut element: impl FnMut(&mut Self) -> Parse<()>) -> Parse<()> {
        self.bracketed(|p| {
            loop {
                match p.kind() {
                    kind if kind == close => {
                        p.pos += 1;
                        return Ok(());
                    }
                    // Never a leading or doubled comma (language/01 section 1.7).
                    Kind::Comma => return p.unexpected("list element"),
                    _ => element(p)?,
                }
                if !p.eat(Kind::Comma) {
                    return p.close(open, close);
                }
            }
        })
    }

    /// The closing bracket after an element of a list.
    #[inline]
    fn close(&mut self, open: usize, close: Kind) -> Parse<()> {
        if self.eat(close) { Ok(()) } else { self.not_closed(open, close) }
    }

    fn marks(&self) -> Marks {
        let s = &self.stacks;
        Marks([
            s.exprs.len(),
            s.types.len(),
            s.patterns.len(),
            s.args.len(),
            s.entries.len(),
            s.arms.len(),
            s.parts.len(),
            s.params.len(),
            s.clauses.len(),
            s.fields.len(),
            s.paths.len(),
            s.links.len(),
        ])
    }

    /// Forgets what a failed construct left on the stacks.
    fn restore(&mut self, Marks(m): Marks) {
        let s = &mut self.stacks;
        s.exprs.truncate(m[0]);
        s.types.truncate(m[1]);
        s.patterns.truncate(m[2]);
        s.args.truncate(m[3]);
        s.entries.truncate(m[4]);
        s.arms.truncate(m[5]);
        s.parts.truncate(m[6]);
        s.params.truncate(m[7]);
        s.clauses.truncate(m[8]);
        s.fields.truncate(m[9]);
        s.paths.truncate(m[10]);
        s.links.truncate(m[11]);
    }

    // Names.

    /// An identifier; a reserved word is reported and taken for one where that reads best.
    fn ident(&mut self) -> Parse<(Symbol, Span)> {
        let token = self.token();
        if token.kind != Kind::Ident {
            return self.not_an_identifier();
        }
        self.pos += 1;
        Ok((token.symbol(), self.span_of(token)))
    }

    /// A name where every reserved word may be one.
    fn name(&mut self) -> Parse<(Symbol, Span)> {
        let token = self.token();
        if !token.kind.is_word() {
            return self.not_an_identifier();
        }
        self.pos += 1;
        Ok((token.symbol(), self.span_of(token)))
    }

    /// `$name`: the sigil is here.
    fn dollar_name(&mut self) -> Parse<(Symbol, Span)> {
        let dollar = self.bump();
        if !self.token().is_adjacent() {
            return self.fail(crate::DiagnosticCode::E1004, self.span_of(self.token()), []);
        }
        let (name, span) = self.ident()?;
        Ok((name, Span::new(dollar.start.wrapping_sub(self.base), span.end)))
    }

    /// Identifiers joined by `.`, as a list of the tree.
    fn drain_path(&mut self, mark: usize) -> ir::List<Symbol> {
        self.tree.paths.add(self.stacks.paths.drain(mark..))
    }

    /// The same for a node without much room.
    fn drain_short_path(&mut self, mark: usize) -> Short<Symbol> {
        let path = self.drain_path(mark);
        self.tree.shorten(path)
    }

    /// The token is a word with an uppercase initial.
    fn is_upper(&self, index: usize) -> bool {
        self.tokens[index].flags.has(Flags::UPPER)
    }

    /// A stable identity within the file.
    fn item_id(&mut self, namespace: Namespace, name: Symbol) -> ItemId {
        let ordinal = self.ordinals.entry((namespace, name.raw())).or_insert(0);
        let disambiguator = *ordinal;
        *ordinal += 1;
        ItemId::new(ir::item::ItemPath { module: self.module, namespace, name, disambiguator })
    }
}

#[cfg(test)]
mod tests;
