//! What the tree of an item looks like, as text: fully parenthesised, so that a test sees how things bind.

use ir::{Namespace, Symbol};

use crate::tree::*;
use crate::{Span, parse};

use super::check;

/// The expression of `let $a = source;`.
pub(super) fn expr(source: &str) -> String {
    let text = format!("let $a = {source};");
    check(&text, &[]);
    let file = parse(Symbol::new("test"), &text);
    let item = &file.items[0].item;
    match item.kind {
        ItemKind::Constant { value, .. } => Dump { tree: &item.tree }.expr(value),
        _ => panic!("no constant: {source}"),
    }
}

/// The body of `@f () -> void = source`, with what follows in the file as further items.
pub(super) fn body(source: &str) -> String {
    let text = format!("@f () -> void = {source}");
    check(&text, &[]);
    let file = parse(Symbol::new("test"), &text);
    let item = &file.items[0].item;
    match &item.kind {
        ItemKind::Function(Function { body: Some(body), .. }) => Dump { tree: &item.tree }.expr(*body),
        _ => panic!("no function: {source}"),
    }
}

pub(super) struct Dump<'a> {
    pub tree: &'a Tree,
}

impl Dump<'_> {
    fn exprs(&self, list: ir::List<ExprId>, separator: &str) -> String {
        self.tree.expr_lists[list].iter().map(|&e| self.expr(e)).collect::<Vec<_>>().join(separator)
    }

    fn entries(&self, list: ir::List<Entry>) -> String {
        let entry = |e: &Entry| match e.key {
            EntryKey::None => self.expr(e.value),
            EntryKey::Spread => format!("...{}", self.expr(e.value)),
            EntryKey::Name(name) => format!("{name}: {}", self.expr(e.value)),
            EntryKey::Expr(key) => format!("[{}]: {}", self.expr(key), self.expr(e.value)),
        };
        self.tree.entries[list].iter().map(entry).collect::<Vec<_>>().join(", ")
    }

    fn args(&self, list: ir::List<Argument>) -> String {
        let arg = |a: &Argument| {
            let pattern = a.pattern.map(|p| format!("{} -> ", self.pattern(p))).unwrap_or_default();
            let value = if a.punned { String::new() } else { format!(" {}", self.expr(a.value)) };
            match a.name {
                Some(name) => format!("{name}: {pattern}{}", value.trim_start()).trim_end().to_owned(),
                None if a.spread => format!("...{}", value.trim_start()),
                None => value.trim_start().to_owned(),
            }
        };
        self.tree.args[list].iter().map(arg).collect::<Vec<_>>().join(", ")
    }

    fn type_args(&self, list: ir::List<TypeId>) -> String {
        if list.is_empty() {
            return String::new();
        }
        format!("<{}>", self.types(list))
    }

    fn types(&self, list: ir::List<TypeId>) -> String {
        self.tree.type_lists[list].iter().map(|&t| self.ty(t)).collect::<Vec<_>>().join(", ")
    }

    fn path(&self, list: ir::List<Symbol>) -> String {
        self.tree.paths[list].iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".")
    }

    fn optional(&self, before: &str, value: Option<ExprId>) -> String {
        value.map(|v| format!("{before}{}", self.expr(v))).unwrap_or_default()
    }

    pub fn expr(&self, id: ExprId) -> String {
        let label = |l: Option<Symbol>| l.map(|l| format!(":{l}")).unwrap_or_default();
        match self.tree.exprs[id] {
            Expr::Error => "<error>".into(),
            Expr::Literal(literal) => self.literal(literal),
            Expr::Template(parts) => {
                let part = |p: &TemplatePart| match p {
                    TemplatePart::Text(text) => format!("{text:?}"),
                    TemplatePart::Value(value, None) => self.expr(*value),
                    TemplatePart::Value(value, Some((spec, _))) => format!("{}:{spec}", self.expr(*value)),
                };
                format!("`{}`", self.tree.parts[parts].iter().map(part).collect::<Vec<_>>().join(" "))
            }
            Expr::Name(name) => name.as_str().into(),
            Expr::Dollar(name) => format!("${name}"),
            Expr::SelfValue => "self".into(),
            Expr::SelfType => "Self".into(),
            Expr::Length => "#".into(),
            Expr::Blank => "_".into(),
            Expr::Unit => "()".into(),
            Expr::Tuple(list) => format!("tuple({})", self.exprs(list, ", ")),
            Expr::List(list) => format!("[{}]", self.entries(list)),
            Expr::Map(list) => format!("map{{{}}}", self.entries(list)),
            Expr::Block { statements, tail } => {
                format!("{{{}{}}}", self.exprs(statements, "; "), if tail || statements.is_empty() { "" } else { ";" })
            }
            Expr::Struct { path, entries } => format!("{}{{{}}}", self.path(self.tree.list(path)), self.entries(entries)),
            Expr::If { condition, then, otherwise } => {
                format!("(if {} then {}{})", self.expr(condition), self.expr(then), self.optional(" else ", otherwise))
            }
            Expr::Match { scrutinee, arms, postfix } => {
                let arm = |a: &Arm| {
                    let guard = self.optional(if a.old_guard { " match " } else { " if " }, a.guard);
                    format!("{}{guard} -> {}", self.pattern(a.pattern), self.expr(a.body))
                };
                let arms = self.tree.arms[arms].iter().map(arm).collect::<Vec<_>>().join(", ");
                format!("({} {} {{{arms}}})", if postfix { "postfix-match" } else { "match" }, self.expr(scrutinee))
            }
            Expr::For { label: l, clauses, is_yield, body } => {
                let clause =
                    |c: &ForClause| format!("{} in {}{}", self.pattern(c.pattern), self.expr(c.source), self.optional(" if ", c.guard));
                let clauses = self.tree.clauses[self.tree.list(clauses)].iter().map(clause).collect::<Vec<_>>().join(" for ");
                format!("(for{} {clauses} {} {})", label(l), if is_yield { "yield" } else { "do" }, self.expr(body))
            }
            Expr::While { label: l, condition, body } => format!("(while{} {} do {})", label(l), self.expr(condition), self.expr(body)),
            Expr::Loop { label: l, body } => format!("(loop{} {})", label(l), self.expr(body)),
            Expr::Try(body) => format!("(try {})", self.expr(body)),
            Expr::Unsafe(body) => format!("(unsafe {})", self.expr(body)),
            Expr::LabelledBlock { label, body } => format!("(block:{label} {})", self.expr(body)),
            Expr::Break { label: l, value } => format!("(break{}{})", label(l), self.optional(" ", value)),
            Expr::Continue { label: l, value } => format!("(continue{}{})", label(l), self.optional(" ", value)),
            Expr::Lambda { params, result, body } => {
                let param = |p: &LambdaParam| {
                    let name = p.name.map_or("_", |n| n.as_str());
                    p.ty.map_or(name.to_owned(), |ty| format!("{name}: {}", self.ty(ty)))
                };
                let params = self.tree.lambda_params[self.tree.list(params)].iter().map(param).collect::<Vec<_>>().join(", ");
                let result = result.map(|ty| format!(" -> {} =", self.ty(ty))).unwrap_or(" ->".into());
                format!("(({params}){result} {})", self.expr(body))
            }
            Expr::Unary(op, operand) => format!("({}{})", unary(op), self.expr(operand)),
            Expr::Binary(op, left, right) => format!("({} {} {})", self.expr(left), binary(op), self.expr(right)),
            Expr::Pipe(left, step) => format!("({} |> {})", self.expr(left), self.expr(step)),
            Expr::Range { start, end, inclusive, step } => {
                let dots = if inclusive { "..=" } else { ".." };
                format!("({}{dots}{}{})", self.expr(start), self.optional("", end), self.optional(" by ", step))
            }
            Expr::Field(value, name) => format!("{}.{name}", self.expr(value)),
            Expr::DollarField(value, name) => format!("{}.${name}", self.expr(value)),
            Expr::TupleField(value, index) => format!("{}.{index}", self.expr(value)),
            Expr::MethodCall { receiver, name, args } => {
                let (types, args) = (self.tree.type_args(id), self.tree.list(args));
                format!("{}.{name}{}({})", self.expr(receiver), self.type_args(types), self.args(args))
            }
            Expr::Call { callee, args } => {
                format!("{}{}({})", self.expr(callee), self.type_args(self.tree.type_args(id)), self.args(args))
            }
            Expr::TypeArgs(value, args) => format!("{}{}", self.expr(value), self.type_args(args)),
            Expr::Index(value, index) => format!("{}[{}]", self.expr(value), self.expr(index)),
            Expr::Question(value) => format!("{}?", self.expr(value)),
            Expr::As { value, ty, fallible } => {
                format!("({} {} {})", self.expr(value), if fallible { "as?" } else { "as" }, self.ty(ty))
            }
            Expr::Special { form, args } => format!("(!{form}{} {})", self.type_args(self.tree.type_args(id)), self.args(args)),
            Expr::With { bindings, body } => format!("(with {} in {})", self.args(bindings), self.expr(body)),
            Expr::Handler { state, operations } => format!("(handler {} {{{}}})", self.expr(state), self.args(operations)),
            Expr::Splice(value, field) => format!("{}.[{}]", self.expr(value), self.expr(field)),
            Expr::ReflectIf { condition, then, otherwise } => {
                format!("($if {} then {}{})", self.expr(condition), self.expr(then), self.optional(" else ", otherwise))
            }
            Expr::ReflectFor { name, source, is_yield, body } => {
                format!("($for {name} in {} {} {})", self.expr(source), if is_yield { "yield" } else { "do" }, self.expr(body))
            }
            Expr::Let { pattern, ty, value, question } => {
                let ty = ty.map(|ty| format!(": {}", self.ty(ty))).unwrap_or_default();
                format!("let{} {}{ty} = {}", if question { "?" } else { "" }, self.pattern(pattern), self.expr(value))
            }
            Expr::Assign { op, place, value } => {
                format!("{} {}= {}", self.expr(place), op.map_or("", binary), self.expr(value))
            }
            Expr::Paren(inner) => format!("paren({})", self.expr(inner)),
        }
    }

    fn literal(&self, literal: Literal) -> String {
        match literal {
            Literal::Int(value) => value.get().to_string(),
            Literal::Float(bits) => format!("{:?}", f64::from_bits(bits.get())),
            Literal::Str(text) => format!("{text:?}"),
            Literal::Char(c) => format!("{c:?}"),
            Literal::Byte(b) => format!("byte {b}"),
            Literal::Duration(n) => format!("{}ns", n.get()),
            Literal::Size(n) => format!("{}b", n.get()),
            Literal::Bool(b) => b.to_string(),
        }
    }

    fn signed(&self, literal: Literal, negative: bool) -> String {
        format!("{}{}", if negative { "-" } else { "" }, self.literal(literal))
    }

    pub fn pattern(&self, id: PatternId) -> String {
        let mark = |dollar: bool| if dollar { "$" } else { "" };
        let patterns = |list| self.tree.pattern_lists[list].iter().map(|&p| self.pattern(p)).collect::<Vec<_>>();
        let fields = |list| {
            let field = |f: &FieldPattern| match f.name {
                Some(name) => format!("{name}: {}", self.pattern(f.pattern)),
                None => self.pattern(f.pattern),
            };
            self.tree.field_patterns[list].iter().map(field).collect::<Vec<_>>().join(", ")
        };
        let end = |end: RangeEnd| match end {
            RangeEnd::Literal(literal, negative) => self.signed(literal, negative),
            RangeEnd::Constant(name) => format!("${name}"),
        };
        match self.tree.patterns[id] {
            Pattern::Error => "<error>".into(),
            Pattern::Blank => "_".into(),
            Pattern::Name { name, dollar } => format!("{}{name}", mark(dollar)),
            Pattern::At { name, dollar, pattern } => format!("({}{name} @ {})", mark(dollar), self.pattern(pattern)),
            Pattern::Literal(literal, negative) => self.signed(literal, negative),
            Pattern::Range { ends, inclusive } => {
                let ends = &self.tree.range_ends[ends];
                format!("{}{}{}", end(ends[0]), if inclusive { "..=" } else { ".." }, end(ends[1]))
            }
            Pattern::Variant { path, payload: Some(payload) } => format!("{}({})", self.path(self.tree.list(path)), fields(payload)),
            Pattern::Variant { path, payload: None } => self.path(self.tree.list(path)),
            Pattern::Struct { path, fields: list, rest } => {
                format!("{}{{{}{}}}", self.path(self.tree.list(path)), fields(list), if rest { ", .." } else { "" })
            }
            Pattern::Unit => "()".into(),
            Pattern::Tuple(list) => format!("({})", patterns(list).join(", ")),
            Pattern::List { elements, rest } => {
                let mut parts = patterns(elements);
                parts.extend(rest.map(|r| r.map_or("..".into(), |(name, dollar)| format!("..{}{name}", mark(dollar)))));
                format!("[{}]", parts.join(", "))
            }
            Pattern::Or(list) => format!("({})", patterns(list).join(" | ")),
        }
    }

    pub fn ty(&self, id: TypeId) -> String {
        match self.tree.types[id] {
            Type::Error => "<error>".into(),
            Type::Void => "void".into(),
            Type::Blank => "_".into(),
            Type::Unit => "()".into(),
            Type::Named { path, args } => format!("{}{}", self.path(path), self.type_args(args)),
            Type::List(element) => format!("[{}]", self.ty(element)),
            Type::FixedList(element, size) => format!("[{}, max {}]", self.ty(element), self.expr(size)),
            Type::Map(key, value) => format!("{{{}: {}}}", self.ty(key), self.ty(value)),
            Type::Tuple(list) => format!("({})", self.types(list)),
            Type::Function { params, result, uses } => {
                let uses = if uses.is_empty() { String::new() } else { format!(" uses {}", self.path(uses)) };
                format!("(({}) -> {}{uses})", self.types(params), self.ty(result))
            }
            Type::Impl { first, count, constrained } => {
                let bounds = &self.tree.bounds.all()[first as usize..(first + count) as usize];
                let names: Vec<String> = bounds.iter().map(|b| b.path.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".")).collect();
                let equals: Vec<String> =
                    self.tree.impl_equals.all().iter().filter(|e| e.0 == id).map(|e| format!("{} == {}", e.1, self.ty(e.2))).collect();
                assert_eq!(constrained, !equals.is_empty());
                format!("impl {}{}", names.join(" + "), if constrained { format!(" where {}", equals.join(", ")) } else { String::new() })
            }
            Type::Object(list) => self.tree.type_lists[list].iter().map(|&t| self.ty(t)).collect::<Vec<_>>().join(" + "),
            Type::Const(value) => format!("const {}", self.expr(value)),
        }
    }
}

fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Neg => "-",
        UnaryOp::Not => "!",
        UnaryOp::BitNot => "~",
    }
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::FloorDiv => "div",
        BinaryOp::Pow => "**",
        BinaryOp::MatMul => "@",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr => ">>",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::Coalesce => "??",
    }
}

#[test]
fn items_are_identified_by_name_or_header_and_ordinal() {
    let text = "use std.math { sqrt };\nlet $c = 1;\ntype P = int;\ntrait T { }\nimpl P: T { }\nimpl P { }\nimpl P { }\nimpl<A: T> m.Box<A>: Tr<int> where A: B { }\n@f (a: int) -> int = a;\n@f (b) = b;\n@t tests @f () -> void = ();\n$g (a: int) -> int = a;\nextend<A> [A] { }\ndef impl T { }\nextern \"c\" from \"m\" { }\ncapset K = A, B;";
    check(text, &[]);
    let file = parse(Symbol::new("m"), text);
    let ids: Vec<String> = file.items.iter().map(|e| e.id.to_string()).collect();
    let expected = [
        "$m.c",
        "#m.P",
        "#m.T",
        "&m.impl P: T",
        "&m.impl P",
        "&m.impl P~1",
        "&m.impl<A: T> m::Box<A>: Tr<int> where A: B",
        "m.f",
        "m.f~1",
        "?m.t",
        "$m.g",
        "&m.extend<A> [A]",
        "&m.def impl T",
        "&m.extern \"c\" from \"m\"",
        "#m.K",
    ];
    assert_eq!(ids, expected);
    for entry in &file.items {
        assert_eq!(ir::ItemId::parse(&entry.id.to_string()), Some(entry.id));
    }
    assert_eq!(file.items[4].id.path().namespace, Namespace::Other);
}

#[test]
fn an_item_that_moves_is_equal_to_itself() {
    let item = "#derive(Eq)\npub @f (a: int) -> int = {\n    let b = `x{a + 1}`;\n    b ?? 2\n}";
    let one = parse(Symbol::new("m"), item);
    let moved = parse(Symbol::new("m"), &format!("// A comment.\n\nlet $k = 1;\n\n// Doc.\n{item}\n"));
    assert_eq!(one.items[0].item, moved.items[1].item);
    assert_eq!((one.items[0].line, moved.items[1].line), (1, 6));
    assert_eq!(one.items[0].item.name_span, Span::new(17, 18));
    assert_eq!(one.items[0].item.lines.line_column(17), (2, 6));
    let indented = parse(Symbol::new("m"), "   let $k = 1;");
    assert_eq!(indented.items[0].item.lines.line_column(4), (1, 8));
}

#[test]
fn items_end_with_their_semicolon_and_doc_comments_stay_outside() {
    let text = "// Doc.\nlet $a = 1;\n\n@f () -> void = { }\n;\ntype T = { };\n";
    check(text, &[]);
    let file = parse(Symbol::new("m"), text);
    let texts: Vec<&str> = file.items.iter().map(|e| &text[e.start as usize..e.end as usize]).collect();
    assert_eq!(texts, ["let $a = 1;", "@f () -> void = { }\n;", "type T = { };"]);
}

#[test]
fn an_item_with_an_error_says_so_and_its_neighbours_do_not() {
    let file = parse(Symbol::new("m"), "@f () -> int = 1 +;\n@g () -> int = 2;\nlet $s = \"\\q\";\n");
    let flags: Vec<bool> = file.items.iter().map(|e| e.item.has_errors).collect();
    assert_eq!(flags, [true, false, true]);
    assert_eq!(file.diagnostics[0].anchor, crate::Anchor::Item(file.items[0].id));
    assert_eq!(file.diagnostics[0].span, Span::new(18, 19));
}

#[test]
fn every_expression_spans_its_own_text() {
    let text = "let $a = f(x + 1, `a{y.z}`)[0] ?? -g?;";
    let file = parse(Symbol::new("m"), text);
    let tree = &file.items[0].item.tree;
    let spans = tree.exprs.ids().map(|id| tree.expr_span(id));
    let mut texts: Vec<&str> = spans.map(|s| &text[s.start as usize..s.end as usize]).collect();
    texts.sort_unstable();
    let expected = [
        "-g?",
        "0",
        "1",
        "`a{y.z}`",
        "f",
        "f(x + 1, `a{y.z}`)",
        "f(x + 1, `a{y.z}`)[0]",
        "f(x + 1, `a{y.z}`)[0] ?? -g?",
        "g",
        "g?",
        "x",
        "x + 1",
        "y",
        "y.z",
    ];
    assert_eq!(texts, expected);
}
