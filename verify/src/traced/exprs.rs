//! Expressions of a given type. What an expression is for is always written down (an annotation, a parameter, a field), so inference has one answer.

use super::Writer;
use super::types::Ty;

/// Texts that are short enough to stand in their value, and one that is not.
const TEXTS: [&str; 7] = ["\"\"", "\"a\"", "\"ab\"", "\"x y\"", "\"äö\"", "\"a,b\"", "\"a text that does not fit into its value\""];

impl Writer<'_> {
    /// An expression, in parentheses where it needs some.
    pub fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if self.random.below(5) < 2
            && let Some(name) = self.known(ty)
        {
            return name;
        }
        if depth == 0 {
            return self.made(ty, 0);
        }
        let below = depth - 1;
        match self.random.below(16) {
            0 => {
                let (condition, yes, no) = (self.expr(&Ty::Bool, below), self.expr(ty, below), self.expr(ty, below));
                format!("(if {condition} then {yes} else {no})")
            }
            1 | 2 => self.matched(ty, below),
            3 => {
                let (condition, yes, no) = (self.expr(&Ty::Bool, below), self.expr(ty, below), self.expr(ty, below));
                let holders = [self.name('c'), self.name('c')];
                let of = ty.text();
                format!(
                    "{{ let {}: {of} = {yes}; let {}: {of} = {no}; chosen(first: {condition}, a: {}, b: {}) }}",
                    holders[0], holders[1], holders[0], holders[1]
                )
            }
            4 => {
                let (name, of) = (self.name('b'), self.world.data(&mut self.random, 1));
                let value = self.expr(&of, below);
                let body = self.within(&[(name.clone(), of.clone())], |w| w.expr(ty, below));
                let holder = self.name('b');
                format!("{{ let {name}: {} = {value}; let {holder}: {} = {body}; {holder} }}", of.text(), ty.text())
            }
            5 => {
                // The value, or another one when it panics.
                let loops = std::mem::take(&mut self.loops);
                let (risky, otherwise) = (self.expr(ty, below), self.expr(ty, 0));
                self.loops = loops;
                let (caught, holder) = (self.name('r'), self.name('d'));
                let of = ty.text();
                format!(
                    "{{ let {caught}: Result<{of}, str> = catch(expr: {risky}); let {holder}: {of} = {otherwise}; {caught}.unwrap_or({holder}) }}"
                )
            }
            6 => self.folded(ty, below),
            7 => self.part(ty).unwrap_or_else(|| self.made(ty, depth)),
            8 => self.applied(ty, below),
            9 => {
                let option = Ty::Option(Box::new(ty.clone()));
                let (holder, value, otherwise, result) = (self.name('o'), self.expr(&option, below), self.expr(ty, below), self.name('o'));
                let of = ty.text();
                format!("{{ let {holder}: Option<{of}> = {value}; let {result}: {of} = {holder} ?? {otherwise}; {result} }}")
            }
            10 => {
                let Some(name) = self.known(&Ty::Box(Box::new(ty.clone()))) else { return self.made(ty, depth) };
                format!("{name}.value")
            }
            11 => {
                let (item, value) = (self.name('y'), self.expr(ty, below));
                let changed = self.in_lambda(&[(item.clone(), ty.clone())], |w| w.expr(ty, 0));
                let holder = self.name('y');
                format!("{{ let {holder}: {} = {value}; twice(value: {holder}, f: {item} -> {changed}) }}", ty.text())
            }
            _ => self.made(ty, depth),
        }
    }

    /// A name of this type.
    pub fn known(&mut self, ty: &Ty) -> Option<String> {
        let names: Vec<String> = self.scope.iter().filter(|v| v.ty == *ty).map(|v| v.name.clone()).collect();
        self.random.pick(&names).cloned()
    }

    /// A name of something that can be printed.
    pub fn shown(&mut self) -> Option<String> {
        let names: Vec<String> = self.scope.iter().filter(|v| v.ty.is_shown()).map(|v| v.name.clone()).collect();
        self.random.pick(&names).cloned()
    }

    /// A literal, a constructor, an operation, a lambda.
    fn made(&mut self, ty: &Ty, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        match ty {
            Ty::Int => self.number(depth),
            Ty::Bool => self.condition(depth),
            Ty::Char => ["'a'", "'z'", "'ä'", "'\\n'"][self.random.below(4)].to_owned(),
            Ty::Str => self.word(depth),
            Ty::List(of) => self.list(of, depth),
            Ty::Map(key, value) => {
                let count = self.random.below(3);
                let entries: Vec<String> = (0..count).map(|_| format!("[{}]: {}", self.made(key, 0), self.expr(value, below))).collect();
                // Without parentheses it could be a block.
                if entries.is_empty() { "({})".to_owned() } else { format!("({{ {} }})", entries.join(", ")) }
            }
            Ty::Option(_) if self.random.one_in(3) => "None".to_owned(),
            Ty::Option(of) => format!("Some({})", self.expr(of, below)),
            Ty::Result(_) if self.random.one_in(3) => format!("Err({})", self.expr(&Ty::Str, below)),
            Ty::Result(of) => format!("Ok({})", self.expr(of, below)),
            Ty::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|of| self.expr(of, below)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Struct(number) => {
                let fields = &self.world.structs[*number];
                let known = if depth > 0 { self.known(ty) } else { None };
                // Another one with a field changed.
                if let Some(name) = known {
                    let at = self.random.below(fields.len());
                    return format!("S{number} {{ ...{name}, x{at}: {} }}", self.expr(&fields[at], below));
                }
                let fields: Vec<String> = fields.iter().enumerate().map(|(at, of)| format!("x{at}: {}", self.expr(of, below))).collect();
                format!("S{number} {{ {} }}", fields.join(", "))
            }
            Ty::Sum(number) => {
                let variants = &self.world.sums[*number];
                let at = if depth == 0 { 0 } else { self.random.below(variants.len()) };
                let variant = &variants[at];
                let parts: Vec<String> = variant.payload.iter().map(|of| self.expr(of, below)).collect();
                if parts.is_empty() { variant.name.clone() } else { format!("{}({})", variant.name, parts.join(", ")) }
            }
            Ty::Box(of) => {
                if depth > 0 && self.random.one_in(3) {
                    let from = self.world.data(&mut self.random, 1);
                    let (holder, item, value) = (self.name('q'), self.name('q'), self.expr(&from, below));
                    let changed = self.in_lambda(&[(item.clone(), from.clone())], |w| w.expr(of, below));
                    let result = self.name('q');
                    let lambda = format!("({item}: {}) -> {{ let {result}: {} = {changed}; {result} }}", from.text(), of.text());
                    return format!("{{ let {holder}: {} = {value}; rebox(box: boxed(value: {holder}), f: {lambda}) }}", from.text());
                }
                format!("Box {{ value: {}, count: {} }}", self.expr(of, below), self.random.below(4))
            }
            Ty::Tree(of) => {
                if depth == 0 || self.random.one_in(2) {
                    return "Leaf".to_owned();
                }
                let (left, value, right) = (self.expr(ty, below), self.expr(of, below), self.expr(ty, 0));
                format!("Node(left: {left}, value: {value}, right: {right})")
            }
            Ty::Function(params, result) => {
                let names: Vec<(String, Ty)> = params.iter().map(|of| (self.name('a'), of.clone())).collect();
                let holder = self.name('a');
                let text: Vec<String> = names.iter().map(|(name, of)| format!("{name}: {}", of.text())).collect();
                // A body may have statements of its own.
                let body = self.in_lambda(&names, |w| {
                    let around = w.scope.len();
                    let statements = if depth > 0 && w.random.one_in(2) { w.statements(1, 0) } else { String::new() };
                    let value = w.expr(result, below);
                    w.scope.truncate(around);
                    format!("{{ {statements} let {holder}: {} = {value}; {holder} }}", result.text())
                });
                format!("(({}) -> {body})", text.join(", "))
            }
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.random.below(24) {
                0 => "9223372036854775807".to_owned(),
                1 => "(-1)".to_owned(),
                2 => "255".to_owned(),
                _ => self.random.below(10).to_string(),
            };
        }
        let below = depth - 1;
        let (a, b) = (self.expr(&Ty::Int, below), self.expr(&Ty::Int, below));
        match self.random.below(14) {
            0..=2 => format!("({a} + {b})"),
            3 | 4 => format!("({a} - {b})"),
            5 => format!("({a} * {b})"),
            6 => format!("(({a} * {b}) % 97)"),
            7 => format!("({a} {} {b})", ["/", "%", "div"][self.random.below(3)]),
            // By powers of two and not, of either sign: code of its own stands for each. What is divided is negative half of the time.
            8 => {
                let lower = [0, 0, 0, 7, 100, 1001][self.random.below(6)];
                let by = ["2", "3", "4", "7", "8", "10", "16", "64", "(-4)", "(-3)"][self.random.below(10)];
                format!("(({a} - {lower}) {} {by})", ["/", "%", "div", "*"][self.random.below(4)])
            }
            9 => format!("({a} {} {b})", ["&", "|", "^"][self.random.below(3)]),
            10 => format!("({a} >> {})", self.random.below(6)),
            11 => format!("(-{a})"),
            _ => {
                let of = [Ty::Str, Ty::List(Box::new(Ty::Int)), Ty::List(Box::new(Ty::Str))][self.random.below(3)].clone();
                let (holder, value) = (self.name('n'), self.expr(&of, below));
                format!("{{ let {holder}: {} = {value}; {holder}.len() }}", of.text())
            }
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return ["true", "false"][self.random.below(2)].to_owned();
        }
        let below = depth - 1;
        match self.random.below(7) {
            0..=2 => {
                let op = ["<", "<=", ">", ">=", "==", "!="][self.random.below(6)];
                format!("({} {op} {})", self.expr(&Ty::Int, below), self.expr(&Ty::Int, below))
            }
            3 => {
                let ty = self.world.data(&mut self.random, 1);
                let holders = [self.name('w'), self.name('w')];
                let (a, b) = (self.expr(&ty, below), self.expr(&ty, below));
                let of = ty.text();
                format!("{{ let {}: {of} = {a}; let {}: {of} = {b}; {} == {} }}", holders[0], holders[1], holders[0], holders[1])
            }
            4 => format!("({} && {})", self.expr(&Ty::Bool, below), self.expr(&Ty::Bool, below)),
            5 => format!("({} || {})", self.expr(&Ty::Bool, below), self.expr(&Ty::Bool, below)),
            _ => format!("(!{})", self.expr(&Ty::Bool, below)),
        }
    }

    fn word(&mut self, depth: usize) -> String {
        if depth == 0 {
            return TEXTS[self.random.below(TEXTS.len())].to_owned();
        }
        let below = depth - 1;
        match self.random.below(6) {
            0 | 1 => format!("({} + {})", self.expr(&Ty::Str, below), self.expr(&Ty::Str, below)),
            2 => format!("`<{{{}}}>`", self.expr(&Ty::Int, 0)),
            3 => {
                let (holder, value) = (self.name('s'), self.expr(&Ty::Str, below));
                let method = ["to_uppercase()", "trim()", "repeat(count: 2)", "replace(old: \"a\", new: \"b\")"][self.random.below(4)];
                format!("{{ let {holder}: str = {value}; {holder}.{method} }}")
            }
            4 => {
                let (holder, value) = (self.name('s'), self.expr(&Ty::List(Box::new(Ty::Str)), below));
                format!("{{ let {holder}: [str] = {value}; {holder}.join(separator: \"-\") }}")
            }
            _ => match self.shown() {
                Some(name) if self.repeats == 0 => format!("{name}.debug()"),
                _ => TEXTS[self.random.below(TEXTS.len())].to_owned(),
            },
        }
    }

    fn list(&mut self, of: &Ty, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        let ty = Ty::List(Box::new(of.clone()));
        match self.random.below(if depth == 0 { 2 } else { 8 }) {
            3 => {
                let (name, item) = (self.name('i'), self.name('i'));
                let value = self.in_lambda(&[(name.clone(), Ty::Int)], |w| w.expr(of, below));
                format!("{{ let {item}: {} = for {name} in 0..{} yield {value}; {item} }}", ty.text(), 1 + self.random.below(3))
            }
            4 => {
                let from = self.world.data(&mut self.random, 0);
                let (holder, item) = (self.name('l'), self.name('l'));
                let source = self.expr(&Ty::List(Box::new(from.clone())), below);
                let (result, changed) = (self.name('l'), self.in_lambda(&[(item.clone(), from.clone())], |w| w.expr(of, below)));
                format!(
                    "{{ let {holder}: [{}] = {source}; {holder}.map({item} -> {{ let {result}: {} = {changed}; {result} }}) }}",
                    from.text(),
                    of.text()
                )
            }
            5 => match self.known(&ty) {
                Some(name) => format!("[...{name}, {}]", self.expr(of, below)),
                None => format!("[{}]", self.expr(of, below)),
            },
            6 => match self.known(&Ty::Tree(Box::new(of.clone()))) {
                Some(name) => format!("listed(tree: {name})"),
                None => format!("[{}]", self.expr(of, below)),
            },
            _ => {
                let count = self.random.below(4);
                let elements: Vec<String> = (0..count).map(|_| self.expr(of, below)).collect();
                format!("[{}]", elements.join(", "))
            }
        }
    }

    /// A value gathered over a list.
    fn folded(&mut self, ty: &Ty, depth: usize) -> String {
        if ty.grows() && self.repeats > 0 {
            return self.made(ty, depth);
        }
        let of = self.world.data(&mut self.random, 1);
        let (source, first) = (self.expr(&Ty::List(Box::new(of.clone())), depth), self.expr(ty, depth));
        let (list, start, so_far, item) = (self.name('z'), self.name('z'), self.name('z'), self.name('z'));
        let names = [(so_far.clone(), ty.clone()), (item.clone(), of.clone())];
        let next = self.in_lambda(&names, |w| w.expr(ty, depth.min(1)));
        let (result, own) = (self.name('z'), ty.text());
        format!(
            "{{ let {list}: [{}] = {source}; let {start}: {own} = {first}; {list}.fold(initial: {start}, op: ({so_far}, {item}) -> {{ let {result}: {own} = {next}; {result} }}) }}",
            of.text()
        )
    }

    /// A part of something in scope.
    fn part(&mut self, ty: &Ty) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for variable in &self.scope {
            let name = &variable.name;
            match &variable.ty {
                Ty::Struct(number) => {
                    let fields = self.world.structs[*number].iter().enumerate();
                    parts.extend(fields.filter(|(_, of)| *of == ty).map(|(at, _)| format!("{name}.x{at}")));
                }
                Ty::Tuple(of) => parts.extend(of.iter().enumerate().filter(|(_, of)| *of == ty).map(|(at, _)| format!("{name}.{at}"))),
                Ty::Box(of) if **of == *ty => parts.push(format!("{name}.value")),
                Ty::Box(_) if *ty == Ty::Int => parts.push(format!("{name}.count")),
                Ty::List(of) if **of == *ty => parts.push(format!("{name}[{}]", self.random.below(3))),
                Ty::Str if *ty == Ty::Str => parts.push(format!("{name}[0]")),
                _ => {}
            }
            if let Ty::Option(of) = ty {
                match &variable.ty {
                    Ty::List(element) if element == of => parts.push(format!("{name}.{}()", ["first", "last"][self.random.below(2)])),
                    Ty::Map(key, value) if value == of => {
                        parts.push(format!("{name}[{}]", if **key == Ty::Str { "\"a\"" } else { "1" }));
                    }
                    _ => {}
                }
            }
        }
        self.random.pick(&parts).cloned()
    }

    /// A function value, called at once or from the scope.
    fn applied(&mut self, ty: &Ty, depth: usize) -> String {
        let of = Ty::Function(vec![self.world.data(&mut self.random, 1)], Box::new(ty.clone()));
        let (name, value) = (self.name('g'), self.made(&of, depth));
        let Ty::Function(params, _) = &of else { return value };
        let arg = self.expr(&params[0], depth);
        format!("{{ let {name}: {} = {value}; {name}({arg}) }}", of.text())
    }

    fn matched(&mut self, ty: &Ty, depth: usize) -> String {
        let of = self.world.data(&mut self.random, 1);
        let (holder, value) = (self.name('h'), self.expr(&of, depth));
        let mut arms = Vec::new();
        for (pattern, names) in self.patterns(&of) {
            if self.random.one_in(4) {
                let guard = self.within(&names, |w| w.expr(&Ty::Bool, depth.min(1)));
                arms.push(format!("{pattern} if {guard} -> {}", self.within(&names, |w| w.expr(ty, depth))));
            }
            arms.push(format!("{pattern} -> {}", self.within(&names, |w| w.expr(ty, depth))));
        }
        let result = self.name('h');
        format!(
            "{{ let {holder}: {} = {value}; let {result}: {} = match {holder} {{ {} }}; {result} }}",
            of.text(),
            ty.text(),
            arms.join(", ")
        )
    }

    /// Patterns that cover a type, in order, with what each binds.
    pub fn patterns(&mut self, ty: &Ty) -> Vec<(String, Vec<(String, Ty)>)> {
        let one = |text: String, names: Vec<(String, Ty)>| (text, names);
        match ty {
            Ty::Bool => vec![one("true".to_owned(), Vec::new()), one("false".to_owned(), Vec::new())],
            Ty::Int => {
                let name = self.name('u');
                vec![
                    one("0".to_owned(), Vec::new()),
                    one(["1..=4 | 9", "-3..0", "7"][self.random.below(3)].to_owned(), Vec::new()),
                    one(name.clone(), vec![(name, Ty::Int)]),
                ]
            }
            Ty::Option(of) => {
                let name = self.name('u');
                vec![one(format!("Some({name})"), vec![(name, (**of).clone())]), one("None".to_owned(), Vec::new())]
            }
            Ty::Result(of) => {
                let (good, bad) = (self.name('u'), self.name('u'));
                vec![one(format!("Ok({good})"), vec![(good, (**of).clone())]), one(format!("Err({bad})"), vec![(bad, Ty::Str)])]
            }
            Ty::List(of) => {
                let (first, rest) = (self.name('u'), self.name('u'));
                let more = vec![(first.clone(), (**of).clone()), (rest.clone(), ty.clone())];
                let single = self.name('u');
                vec![
                    one("[]".to_owned(), Vec::new()),
                    one(format!("[{single}]"), vec![(single, (**of).clone())]),
                    one(format!("[{first}, ..{rest}]"), more),
                ]
            }
            Ty::Tuple(parts) => {
                let names: Vec<(String, Ty)> = parts.iter().map(|of| (self.name('u'), of.clone())).collect();
                vec![one(format!("({})", names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")), names)]
            }
            Ty::Struct(number) => {
                let fields = &self.world.structs[*number];
                let names: Vec<(String, Ty)> = fields.iter().map(|of| (self.name('u'), of.clone())).collect();
                let text: Vec<String> = names.iter().enumerate().map(|(at, (name, _))| format!("x{at}: {name}")).collect();
                vec![one(format!("S{number} {{ {} }}", text.join(", ")), names)]
            }
            Ty::Sum(number) => {
                let variants = &self.world.sums[*number];
                let mut patterns = Vec::new();
                for variant in variants {
                    let names: Vec<(String, Ty)> = variant.payload.iter().map(|of| (self.name('u'), of.clone())).collect();
                    let text = names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                    patterns.push(match names.is_empty() {
                        true => (variant.name.clone(), names),
                        false => (format!("{}({text})", variant.name), names),
                    });
                }
                // The last ones together.
                if patterns.len() > 2 && self.random.one_in(3) {
                    patterns.truncate(patterns.len() - 2);
                    patterns.push(("_".to_owned(), Vec::new()));
                }
                patterns
            }
            Ty::Tree(of) => {
                let (left, value, right) = (self.name('u'), self.name('u'), self.name('u'));
                let names = vec![(left.clone(), ty.clone()), (value.clone(), (**of).clone()), (right.clone(), ty.clone())];
                vec![one("Leaf".to_owned(), Vec::new()), one(format!("Node({left}, {value}, {right})"), names)]
            }
            Ty::Box(of) => {
                let (value, count) = (self.name('u'), self.name('u'));
                let names = vec![(value.clone(), (**of).clone()), (count.clone(), Ty::Int)];
                vec![one(format!("Box {{ value: {value}, count: {count} }}"), names)]
            }
            Ty::Str => vec![one("\"a\" | \"\"".to_owned(), Vec::new()), one("_".to_owned(), Vec::new())],
            Ty::Char | Ty::Map(..) | Ty::Function(..) => vec![one("_".to_owned(), Vec::new())],
        }
    }
}
