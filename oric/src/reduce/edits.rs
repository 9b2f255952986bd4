//! What can be taken out of a text or made shorter, by its syntax tree.

use std::collections::BTreeMap;

use ir::Symbol;
use syntax::Span;
use syntax::tree::{
    Argument, Entry, EntryKey, Expr, ExprId, File, Function, ItemEntry, ItemKind, Member, Pattern, PatternId, TemplatePart, Tree, TypeBody,
    TypeId,
};

/// Bytes of a text.
pub type Range = std::ops::Range<usize>;

/// Bytes that go, with what comes in their place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cuts {
    pub gone: Vec<(Range, String)>,
}

impl Cuts {
    fn one(range: Range, text: &str) -> Cuts {
        Cuts { gone: vec![(range, text.to_owned())] }
    }

    /// The text without them; nothing when they are in each other's way.
    pub fn applied(&self, text: &str) -> Option<String> {
        let mut gone: Vec<_> = self.gone.iter().collect();
        gone.sort_by_key(|(range, _)| (range.start, range.end));
        gone.dedup();
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for (range, instead) in gone {
            out.push_str(text.get(at..range.start)?);
            out.push_str(instead);
            at = range.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }
}

fn parsed(text: &str) -> File {
    syntax::parse(Symbol::new("main"), text)
}

/// Parts that may go together: imports and items first, then the statements of each block.
pub fn lists(text: &str) -> Vec<Vec<Range>> {
    let file = parsed(text);
    let top = |entry: &&ItemEntry| entry.item.owner.is_none();
    let imports = file.imports.iter().map(|import| import.extent.start as usize..import.extent.end as usize);
    let mut lists: Vec<Vec<Range>> =
        vec![imports.chain(file.items.iter().filter(top).map(|entry| entry.start as usize..entry.end as usize)).collect()];
    for entry in &file.items {
        let place = Place { text, tree: &entry.item.tree, start: entry.start as usize };
        for id in place.tree.exprs.ids() {
            if let Expr::Block { statements, .. } = place.tree.exprs[id] {
                lists.push(place.statements(id, &place.tree.expr_lists[statements]));
            }
        }
    }
    lists
}

/// Single edits of everything else, large ones first within an item.
pub fn edits(text: &str) -> Vec<Cuts> {
    let file = parsed(text);
    let mut all = Vec::new();
    let mut named: BTreeMap<String, Vec<Cuts>> = BTreeMap::new();
    for entry in &file.items {
        let place = Place { text, tree: &entry.item.tree, start: entry.start as usize };
        // A method in its block.
        if entry.item.owner.is_some() {
            all.push(Cuts::one(entry.start as usize..entry.end as usize, ""));
        }
        all.extend(entry.item.attributes.iter().map(|attribute| Cuts::one(place.range(attribute.span), "")));
        if entry.item.is_pub
            && let Some(at) = text[place.start..entry.end as usize].find("pub ")
        {
            all.push(Cuts::one(place.start + at..place.start + at + 4, ""));
        }
        place.expressions(&mut all);
        place.patterns(&mut all);
        place.names(&entry.item.kind, &mut named);
    }
    // A field or parameter goes with everything that gives it, takes it, or names it.
    for parts in named.into_values() {
        if parts.len() > 1 {
            all.push(Cuts { gone: parts.iter().flat_map(|cuts| cuts.gone.clone()).collect() });
        }
        all.extend(parts);
    }
    all
}

/// What stands for a value of some type.
const LITERALS: [&str; 7] = ["0", "false", "\"\"", "[]", "{}", "None", "()"];

/// An item in its file.
struct Place<'a> {
    text: &'a str,
    tree: &'a Tree,
    start: usize,
}

impl Place<'_> {
    fn range(&self, span: Span) -> Range {
        self.start + span.start as usize..self.start + span.end as usize
    }

    fn expr(&self, id: ExprId) -> Range {
        self.range(self.tree.expr_span(id))
    }

    fn pattern(&self, id: PatternId) -> Range {
        self.range(self.tree.pattern_span(id))
    }

    fn ty(&self, id: TypeId) -> Range {
        self.range(self.tree.type_span(id))
    }

    fn text(&self, range: Range) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The first byte behind `at` that is neither space nor in a comment.
    fn skip_space(&self, mut at: usize) -> usize {
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return at;
            }
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// Each statement up to the next one, or with its `;`.
    fn statements(&self, block: ExprId, statements: &[ExprId]) -> Vec<Range> {
        let starts: Vec<usize> = statements.iter().map(|id| self.expr(*id).start).collect();
        let mut ranges: Vec<Range> = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
        if let Some(last) = statements.last() {
            let Range { start, end } = self.expr(*last);
            let behind = self.skip_space(end);
            let has_semicolon = self.text(behind..behind + 1) == ";" && behind < self.expr(block).end;
            ranges.push(start..if has_semicolon { behind + 1 } else { end });
        }
        ranges
    }

    /// Elements between commas: one goes with a comma.
    fn elements(&self, elements: &[Range]) -> Vec<Cuts> {
        let one = |at: usize| {
            let Range { start, end } = elements[at].clone();
            let range = match (elements.get(at + 1), at.checked_sub(1)) {
                (Some(next), _) => start..next.start,
                (None, Some(before)) => elements[before].end..end,
                (None, None) => start..end,
            };
            Cuts::one(range, "")
        };
        (0..elements.len()).rev().map(one).collect()
    }

    fn argument(&self, argument: &Argument) -> Range {
        let (value, span) = (self.expr(argument.value), self.range(argument.span));
        let end =
            if argument.punned { self.text.get(span.end..).and_then(|rest| rest.starts_with(':').then_some(span.end + 1)) } else { None };
        span.start.min(value.start)..end.unwrap_or(value.end.max(span.end))
    }

    fn entry(&self, entry: &Entry) -> Range {
        let (value, span) = (self.expr(entry.value), self.range(entry.span));
        let dots = if entry.key == EntryKey::Spread && self.text[..span.start].ends_with("...") { 3 } else { 0 };
        span.start.min(value.start) - dots..value.end.max(span.end)
    }

    /// Expressions become smaller, the largest first.
    fn expressions(&self, all: &mut Vec<Cuts>) {
        let mut ids: Vec<ExprId> = self.tree.exprs.ids().collect();
        ids.sort_by_key(|id| (std::cmp::Reverse(self.expr(*id).len()), id.index()));
        for id in ids {
            let range = self.expr(id);
            let expr = self.tree.exprs[id];
            match expr {
                Expr::Let { pattern, ty, value, .. } => {
                    if let Some(ty) = ty {
                        all.push(Cuts::one(self.pattern(pattern).end..self.ty(ty).end, ""));
                    }
                    all.extend(self.inlined(id, pattern, value));
                    continue;
                }
                Expr::Assign { op: Some(_), place, value } => {
                    all.push(Cuts::one(self.expr(place).end..self.expr(value).start, " = "));
                    continue;
                }
                Expr::Assign { .. } | Expr::Error => continue,
                // Shorter they do not become.
                Expr::Name(_) | Expr::Unit | Expr::Length | Expr::Blank | Expr::SelfType => {}
                _ => {}
            }
            let whole = self.text(range.clone());
            let shorter = LITERALS.iter().filter(|literal| literal.len() < whole.len());
            all.extend(shorter.map(|literal| Cuts::one(range.clone(), literal)));
            let mut parts = children(self.tree, expr);
            parts.sort_by_key(|part| std::cmp::Reverse(self.expr(*part).len()));
            all.extend(parts.into_iter().map(|part| Cuts::one(range.clone(), self.text(self.expr(part)))));
            all.extend(self.inside(expr, range));
        }
    }

    /// A name that is read once becomes what it stands for.
    fn inlined(&self, binding: ExprId, pattern: PatternId, value: ExprId) -> Option<Cuts> {
        let Pattern::Name { name, .. } = self.tree.patterns[pattern] else { return None };
        let mut reads = self.tree.exprs.ids().filter(|id| self.tree.exprs[*id] == Expr::Name(name));
        let (read, None) = (reads.next()?, reads.next()) else { return None };
        let end = self.expr(binding).end;
        let behind = self.skip_space(end);
        let end = if self.text(behind..behind + 1) == ";" { behind + 1 } else { end };
        let value = self.text(self.expr(value));
        let read = self.expr(read);
        // `f(x:)` needs the name.
        if self.text(read.end..read.end + 1) == ":" {
            return Some(Cuts {
                gone: vec![(self.expr(binding).start..end, String::new()), (read.end + 1..read.end + 1, format!(" {value}"))],
            });
        }
        let value = if value.contains(' ') { format!("({value})") } else { value.to_owned() };
        Some(Cuts { gone: vec![(self.expr(binding).start..end, String::new()), (read, value)] })
    }

    /// What is inside of an expression and no expression itself.
    fn inside(&self, expr: Expr, range: Range) -> Vec<Cuts> {
        let tree = self.tree;
        let mut found = Vec::new();
        match expr {
            Expr::List(entries) | Expr::Map(entries) | Expr::Struct { entries, .. } => {
                found.extend(self.elements(&tree.entries[entries].iter().map(|entry| self.entry(entry)).collect::<Vec<_>>()));
            }
            Expr::Tuple(parts) => {
                found.extend(self.elements(&tree.expr_lists[parts].iter().map(|part| self.expr(*part)).collect::<Vec<_>>()))
            }
            Expr::Call { args, .. } | Expr::Special { args, .. } => {
                found.extend(self.elements(&tree.args[args].iter().map(|argument| self.argument(argument)).collect::<Vec<_>>()));
            }
            Expr::MethodCall { args, .. } => {
                let args = &tree.args[tree.list(args)];
                found.extend(self.elements(&args.iter().map(|argument| self.argument(argument)).collect::<Vec<_>>()));
            }
            Expr::If { then, otherwise: Some(_), .. } => found.push(Cuts::one(self.expr(then).end..range.end, "")),
            Expr::Match { arms, .. } => {
                let arms = &tree.arms[arms];
                let ranges: Vec<Range> = arms.iter().map(|arm| self.pattern(arm.pattern).start..self.expr(arm.body).end).collect();
                found.extend(self.elements(&ranges));
                for arm in arms {
                    if let Some(guard) = arm.guard.filter(|_| !arm.old_guard) {
                        found.push(Cuts::one(self.pattern(arm.pattern).end..self.expr(guard).end, ""));
                    }
                }
            }
            Expr::For { clauses, .. } => {
                for clause in &tree.clauses[tree.list(clauses)] {
                    if let Some(guard) = clause.guard {
                        found.push(Cuts::one(self.expr(clause.source).end..self.expr(guard).end, ""));
                    }
                }
            }
            Expr::Template(parts) => {
                for part in &tree.parts[parts] {
                    if let TemplatePart::Value(value, spec) = part {
                        let value = self.expr(*value);
                        let spec_end = spec.map_or(value.end, |(_, span)| self.range(span).end);
                        let close = self.text[spec_end..range.end.max(spec_end)].find('}');
                        if let Some(close) = close.filter(|_| self.text[..value.start].ends_with('{')) {
                            found.push(Cuts::one(value.start - 1..spec_end + close + 1, ""));
                        }
                    }
                }
                // The text between.
                let whole = self.text(range.clone());
                if !whole.contains('{') {
                    found.push(Cuts::one(range, "``"));
                }
            }
            _ => {}
        }
        found
    }

    fn patterns(&self, all: &mut Vec<Cuts>) {
        for id in self.tree.patterns.ids() {
            if !matches!(self.tree.patterns[id], Pattern::Blank | Pattern::Name { .. }) {
                all.push(Cuts::one(self.pattern(id), "_"));
            }
        }
    }

    /// Fields, variants and parameters, by name, with what names them.
    fn names(&self, kind: &ItemKind, named: &mut BTreeMap<String, Vec<Cuts>>) {
        let tree = self.tree;
        let mut add = |name: Symbol, cuts: Cuts| named.entry(name.as_str().to_owned()).or_default().push(cuts);
        let mut elements = |parts: Vec<(Option<Symbol>, Range)>| {
            let ranges: Vec<Range> = parts.iter().map(|(_, range)| range.clone()).collect();
            // Elements come back from the last.
            for (cuts, (name, _)) in self.elements(&ranges).into_iter().zip(parts.iter().rev()) {
                if let Some(name) = name {
                    add(*name, cuts);
                }
            }
        };
        match kind {
            ItemKind::Type { body: TypeBody::Struct(fields), .. } => {
                elements(fields.iter().map(|field| (Some(field.name), self.range(field.span).start..self.ty(field.ty).end)).collect());
            }
            ItemKind::Type { body: TypeBody::Sum(variants), .. } => {
                let end = |at: usize| match variants[at].payload.last() {
                    Some((_, ty)) => self.ty(*ty).end + 1,
                    None => self.range(variants[at].span).end,
                };
                elements(
                    variants
                        .iter()
                        .enumerate()
                        .map(|(at, variant)| (Some(variant.name), self.range(variant.span).start..end(at)))
                        .collect(),
                );
            }
            ItemKind::Function(Function { params, .. }) => {
                let end = |at: usize| {
                    let param: &syntax::tree::Param = &params[at];
                    let ty = param.ty.map_or(self.range(param.span).end, |ty| self.ty(ty).end);
                    param.default.map_or(ty, |default| self.expr(default).end.max(ty))
                };
                elements(params.iter().enumerate().map(|(at, param)| (param.name, self.range(param.span).start..end(at))).collect());
            }
            ItemKind::Trait { members, .. } | ItemKind::Impl { members, .. } => {
                let _: &[Member] = members;
            }
            _ => {}
        }
        for id in tree.exprs.ids() {
            match tree.exprs[id] {
                Expr::Struct { entries, .. } => {
                    let name = |entry: &Entry| if let EntryKey::Name(name) = entry.key { Some(name) } else { None };
                    elements(tree.entries[entries].iter().map(|entry| (name(entry), self.entry(entry))).collect());
                }
                Expr::Call { args, .. } => {
                    elements(tree.args[args].iter().map(|argument| (argument.name, self.argument(argument))).collect())
                }
                Expr::MethodCall { args, .. } => {
                    elements(tree.args[tree.list(args)].iter().map(|argument| (argument.name, self.argument(argument))).collect());
                }
                Expr::Match { arms, .. } => {
                    let head = |pattern: PatternId| match tree.patterns[pattern] {
                        Pattern::Variant { path, .. } => tree.paths[tree.list(path)].last().copied(),
                        Pattern::Name { name, .. } => Some(name),
                        _ => None,
                    };
                    let arms = &tree.arms[arms];
                    elements(
                        arms.iter().map(|arm| (head(arm.pattern), self.pattern(arm.pattern).start..self.expr(arm.body).end)).collect(),
                    );
                }
                _ => {}
            }
        }
    }
}

/// The expressions directly inside of one.
fn children(tree: &Tree, expr: Expr) -> Vec<ExprId> {
    let values = |args: &[Argument]| args.iter().map(|argument| argument.value).collect::<Vec<_>>();
    match expr {
        Expr::Error
        | Expr::Literal(_)
        | Expr::Name(_)
        | Expr::Dollar(_)
        | Expr::SelfValue
        | Expr::SelfType
        | Expr::Length
        | Expr::Blank
        | Expr::Unit => Vec::new(),
        Expr::Template(parts) => {
            let value = |part: &TemplatePart| if let TemplatePart::Value(value, _) = part { Some(*value) } else { None };
            tree.parts[parts].iter().filter_map(value).collect()
        }
        Expr::Tuple(list) | Expr::Block { statements: list, .. } => tree.expr_lists[list].to_vec(),
        Expr::List(entries) | Expr::Map(entries) | Expr::Struct { entries, .. } => {
            tree.entries[entries].iter().map(|entry| entry.value).collect()
        }
        Expr::If { condition, then, otherwise } | Expr::ReflectIf { condition, then, otherwise } => {
            [Some(then), otherwise, Some(condition)].into_iter().flatten().collect()
        }
        Expr::Match { scrutinee, arms, .. } => tree.arms[arms].iter().map(|arm| arm.body).chain([scrutinee]).collect(),
        Expr::For { clauses, body, .. } => tree.clauses[tree.list(clauses)].iter().map(|clause| clause.source).chain([body]).collect(),
        Expr::While { condition, body, .. } => vec![body, condition],
        Expr::Loop { body, .. }
        | Expr::Try(body)
        | Expr::Unsafe(body)
        | Expr::LabelledBlock { body, .. }
        | Expr::Lambda { body, .. }
        | Expr::Unary(_, body)
        | Expr::Field(body, _)
        | Expr::DollarField(body, _)
        | Expr::TupleField(body, _)
        | Expr::TypeArgs(body, _)
        | Expr::Question(body)
        | Expr::As { value: body, .. }
        | Expr::Paren(body) => vec![body],
        Expr::Break { value, .. } | Expr::Continue { value, .. } => value.into_iter().collect(),
        Expr::Binary(_, left, right) | Expr::Pipe(left, right) | Expr::Index(left, right) | Expr::Splice(left, right) => vec![left, right],
        Expr::Range { start, end, step, .. } => [Some(start), end, step].into_iter().flatten().collect(),
        Expr::MethodCall { receiver, args, .. } => [receiver].into_iter().chain(values(&tree.args[tree.list(args)])).collect(),
        Expr::Call { args, .. } | Expr::Special { args, .. } => values(&tree.args[args]),
        Expr::With { bindings, body } => [body].into_iter().chain(values(&tree.args[bindings])).collect(),
        Expr::Handler { state, operations } => [state].into_iter().chain(values(&tree.args[operations])).collect(),
        Expr::ReflectFor { source, body, .. } => vec![source, body],
        Expr::Let { value, .. } => vec![value],
        Expr::Assign { place, value, .. } => vec![value, place],
    }
}
