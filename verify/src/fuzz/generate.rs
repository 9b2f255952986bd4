//! Well-typed programs from a seed: small typed constructs composed. Every loop is bounded by construction, recursion by its first argument; overflow,
//! division by zero and range errors may happen, and their reports must agree like everything else.

use std::fmt::Write;

use crate::random::Random;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ty {
    Int,
    Float,
    Bool,
    Char,
    Byte,
    Str,
    Pair,
    Record,
}

impl Ty {
    const ALL: [Ty; 8] = [Ty::Int, Ty::Float, Ty::Bool, Ty::Char, Ty::Byte, Ty::Str, Ty::Pair, Ty::Record];

    const fn name(self) -> &'static str {
        match self {
            Ty::Int => "int",
            Ty::Float => "float",
            Ty::Bool => "bool",
            Ty::Char => "char",
            Ty::Byte => "byte",
            Ty::Str => "str",
            Ty::Pair => "(int, float)",
            Ty::Record => "Record",
        }
    }
}

struct Function {
    name: String,
    params: Vec<(String, Ty)>,
    result: Ty,
}

#[derive(Clone)]
struct Variable {
    name: String,
    ty: Ty,
    is_mutable: bool,
}

struct Generator {
    random: Random,
    functions: Vec<Function>,
    scope: Vec<Variable>,
    constants: Vec<(String, Ty)>,
    next: usize,
    /// Loops around the place: what is inside runs often, so it stays small.
    loops: usize,
}

/// A program.
pub fn program(seed: u64) -> String {
    let mut generator = Generator {
        random: Random::new(seed ^ 0x5eed),
        functions: Vec::new(),
        scope: Vec::new(),
        constants: Vec::new(),
        next: 0,
        loops: 0,
    };
    let mut out = String::from("type Record = { count: int, weight: float, on: bool, tag: char }\n");
    for _ in 0..generator.random.below(3) {
        let ty = [Ty::Int, Ty::Float, Ty::Bool, Ty::Str][generator.random.below(4)];
        let name = format!("limit{}", generator.number());
        let _ = writeln!(out, "let ${name} = {};", generator.literal(ty));
        generator.constants.push((format!("${name}"), ty));
    }
    for _ in 0..1 + generator.random.below(5) {
        let function = generator.function();
        out.push_str(&function);
    }
    out.push_str(&generator.main());
    out
}

impl Generator {
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn ty(&mut self) -> Ty {
        // Ints and floats are what most rewrites are about.
        match self.random.below(10) {
            0..=3 => Ty::Int,
            4 => Ty::Float,
            _ => Ty::ALL[self.random.below(8)],
        }
    }

    fn function(&mut self) -> String {
        let name = format!("f{}", self.number());
        let result = self.ty();
        let is_recursive = self.random.one_in(4);
        let mut params: Vec<(String, Ty)> = Vec::new();
        if is_recursive {
            params.push(("n".to_owned(), Ty::Int));
            params.push(("acc".to_owned(), result));
        }
        let most = if self.random.one_in(10) { 12 } else { 4 };
        for _ in 0..self.random.below(most) {
            let name = format!("p{}", self.number());
            params.push((name, self.ty()));
        }
        self.scope = params.iter().map(|(name, ty)| Variable { name: name.clone(), ty: *ty, is_mutable: false }).collect();
        let list: Vec<String> = params.iter().map(|(name, ty)| format!("{name}: {}", ty.name())).collect();
        let body = if is_recursive {
            let step = self.value(result, 2);
            let rest: Vec<String> = params.iter().skip(2).map(|(name, _)| format!(", {name}: {name}")).collect();
            format!("if n <= 0 then acc else {name}(n: n - 1, acc: {step}{})", rest.concat())
        } else {
            self.block(result, 2)
        };
        let text = format!("@{name} ({}) -> {} = {body};\n", list.join(", "), result.name());
        self.functions.push(Function { name, params, result });
        text
    }

    fn main(&mut self) -> String {
        self.scope.clear();
        let mut body = String::new();
        for _ in 0..2 + self.random.below(6) {
            self.statement(&mut body, 3);
        }
        for at in 0..self.functions.len() {
            let call = self.call(at, 1);
            let text = self.shown(&call, self.functions[at].result);
            let _ = writeln!(body, "    print(msg: {text});");
        }
        let status = self.random.below(200);
        let (result, end) = if self.random.one_in(2) { ("int", format!("    {status}\n")) } else { ("void", String::new()) };
        format!("@main () -> {result} = {{\n{body}{end}}}\n")
    }

    /// A template string with a value in it.
    fn shown(&mut self, value: &str, ty: Ty) -> String {
        match ty {
            Ty::Int | Ty::Float | Ty::Bool | Ty::Char | Ty::Byte | Ty::Str | Ty::Pair => format!("`{{{value}}}`"),
            Ty::Record => {
                let name = format!("shown{}", self.number());
                format!("{{ let {name} = {value}; `{{{name}.count}} {{{name}.weight}} {{{name}.on}} {{{name}.tag}}` }}")
            }
        }
    }

    fn block(&mut self, result: Ty, depth: usize) -> String {
        let outer = self.scope.len();
        let mut text = String::from("{\n");
        for _ in 0..self.random.below(4) {
            self.statement(&mut text, depth);
        }
        let value = self.value(result, depth);
        let _ = write!(text, "    {value}\n}}");
        self.scope.truncate(outer);
        text
    }

    fn statement(&mut self, out: &mut String, depth: usize) {
        let choice = self.random.below(if depth == 0 { 5 } else { 9 });
        match choice {
            0..=1 => {
                let ty = self.ty();
                let value = self.value(ty, depth.min(2));
                let is_mutable = !self.random.one_in(4);
                let name = format!("v{}", self.number());
                let mark = if is_mutable { "" } else { "$" };
                let _ = writeln!(out, "    let {mark}{name} = {value};");
                self.scope.push(Variable { name, ty, is_mutable });
            }
            2..=3 => self.assignment(out, depth),
            4 => {
                let ty = self.ty();
                let value = self.value(ty, depth.min(2));
                let text = self.shown(&value, ty);
                let _ = writeln!(out, "    print(msg: {text});");
            }
            5 => {
                let condition = self.value(Ty::Bool, 2);
                let inner = self.statements(depth - 1);
                let _ = writeln!(out, "    if {condition} then {{\n{inner}    }};");
            }
            6 => {
                let name = format!("i{}", self.number());
                let (start, end) = (self.random.below(5) as i64 - 2, self.random.below(9) as i64);
                let dots = if self.random.one_in(3) { "..=" } else { ".." };
                let step = if self.random.one_in(4) { format!(" by {}", 1 + self.random.below(3)) } else { String::new() };
                self.scope.push(Variable { name: name.clone(), ty: Ty::Int, is_mutable: false });
                let inner = self.in_loop(depth - 1);
                let _ = writeln!(out, "    for {name} in {start}{dots}{end}{step} do {{\n{inner}    }};");
                self.scope.retain(|variable| variable.name != name);
            }
            7 => {
                let name = format!("w{}", self.number());
                let times = self.random.below(8);
                let _ = writeln!(out, "    let {name} = {times};");
                let inner = self.in_loop(depth - 1);
                let leave =
                    if self.random.one_in(3) { format!("        if {} then break;\n", self.value(Ty::Bool, 1)) } else { String::new() };
                let _ = writeln!(out, "    while {name} > 0 do {{\n        {name} -= 1;\n{inner}{leave}    }};");
            }
            _ => {
                let ty = self.ty();
                let (counter, name) = (format!("c{}", self.number()), format!("v{}", self.number()));
                let outer = self.scope.len();
                let inner = self.in_loop(depth - 1);
                let value = self.value(ty, 1);
                self.scope.truncate(outer);
                let times = 1 + self.random.below(5);
                let _ = writeln!(out, "    let {counter} = 0;");
                let _ = writeln!(
                    out,
                    "    let {name} = loop {{\n        {counter} += 1;\n{inner}        if {counter} > {times} then break {value};\n    }};"
                );
                self.scope.push(Variable { name, ty, is_mutable: true });
            }
        }
    }

    fn statements(&mut self, depth: usize) -> String {
        let outer = self.scope.len();
        let mut text = String::new();
        let most = if self.loops > 1 { 1 } else { 3 };
        for _ in 0..=self.random.below(most) {
            self.statement(&mut text, depth);
        }
        self.scope.truncate(outer);
        text
    }

    fn in_loop(&mut self, depth: usize) -> String {
        self.loops += 1;
        let depth = if self.loops > 2 { 0 } else { depth };
        let text = self.statements(depth);
        self.loops -= 1;
        text
    }

    fn assignment(&mut self, out: &mut String, depth: usize) {
        let mutable: Vec<Variable> = self.scope.iter().filter(|v| v.is_mutable).cloned().collect();
        let Some(variable) = self.random.pick(&mutable).cloned() else { return };
        let name = variable.name;
        let text = match variable.ty {
            Ty::Int => {
                let op = ["=", "+=", "-=", "*=", "&=", "|=", "^=", "%="][self.random.below(8)];
                format!("{name} {op} {}", self.value(Ty::Int, depth.min(2)))
            }
            Ty::Float => {
                let op = ["=", "+=", "-=", "*=", "/="][self.random.below(5)];
                format!("{name} {op} {}", self.value(Ty::Float, depth.min(2)))
            }
            // Text grows with every turn of the loops around it.
            Ty::Str if self.loops < 2 => format!("{name} += {}", self.value(Ty::Str, 1)),
            Ty::Pair if self.random.one_in(2) => format!("{name}.0 = {}", self.value(Ty::Int, 2)),
            Ty::Record if self.random.one_in(2) => format!("{name}.count += {}", self.value(Ty::Int, 2)),
            Ty::Record if self.random.one_in(2) => format!("{name} = {{ ...{name}, weight: {} }}", self.value(Ty::Float, 2)),
            Ty::Bool | Ty::Char | Ty::Byte | Ty::Str | Ty::Pair | Ty::Record => {
                format!("{name} = {}", self.value(variable.ty, depth.min(2)))
            }
        };
        let _ = writeln!(out, "    {text};");
    }

    fn literal(&mut self, ty: Ty) -> String {
        match ty {
            Ty::Int => match self.random.below(12) {
                0 => "9223372036854775807".to_owned(),
                1 => "(-9223372036854775807)".to_owned(),
                2 => format!("{}", self.random.next() >> (1 + self.random.below(60))),
                3 => format!("(-{})", self.random.below(1000)),
                _ => format!("{}", self.random.below(20)),
            },
            Ty::Float => ["0.0", "1.0", "0.5", "2.5", "1e10", "1e-7", "123.456", "(-3.25)", "1e300"][self.random.below(9)].to_owned(),
            Ty::Bool => ["true", "false"][self.random.below(2)].to_owned(),
            Ty::Char => ["'a'", "'Z'", "'0'", "'é'", "'\\n'", "'😀'"][self.random.below(6)].to_owned(),
            Ty::Byte => format!("byte({})", self.random.below(256)),
            Ty::Str => [
                "\"\"",
                "\"x\"",
                "\"twenty-three bytes here\"",
                "\"twenty-four bytes here..\"",
                "\"héllo\"",
                "\"a longer text than any inline form can hold\"",
            ][self.random.below(6)]
            .to_owned(),
            Ty::Pair => format!("({}, {})", self.literal(Ty::Int), self.literal(Ty::Float)),
            Ty::Record => format!(
                "Record {{ count: {}, weight: {}, on: {}, tag: {} }}",
                self.literal(Ty::Int),
                self.literal(Ty::Float),
                self.literal(Ty::Bool),
                self.literal(Ty::Char)
            ),
        }
    }

    /// A variable or constant of the type, else a literal.
    fn leaf(&mut self, ty: Ty) -> String {
        let names: Vec<String> = self.scope.iter().filter(|v| v.ty == ty).map(|v| v.name.clone()).collect();
        let names: Vec<String> =
            names.into_iter().chain(self.constants.iter().filter(|(_, t)| *t == ty).map(|(name, _)| name.clone())).collect();
        match self.random.pick(&names) {
            Some(name) if !self.random.one_in(3) => name.clone(),
            Some(_) | None => self.literal(ty),
        }
    }

    fn call(&mut self, at: usize, depth: usize) -> String {
        let (name, params) = (self.functions[at].name.clone(), self.functions[at].params.clone());
        let mut args = Vec::new();
        for (param, ty) in &params {
            // The first argument of a recursive function bounds it.
            let value =
                if param == "n" { self.random.below(if self.loops > 0 { 4 } else { 40 }).to_string() } else { self.value(*ty, depth) };
            args.push(format!("{param}: {value}"));
        }
        format!("{name}({})", args.join(", "))
    }

    fn value(&mut self, ty: Ty, depth: usize) -> String {
        if depth == 0 || self.random.one_in(5) {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        match self.random.below(8) {
            0 => {
                let condition = self.value(Ty::Bool, depth);
                let (one, two) = (self.value(ty, depth), self.value(ty, depth));
                return format!("(if {condition} then {one} else {two})");
            }
            1 if depth > 0 => return self.choice(ty, depth),
            2 => {
                let fit: Vec<usize> = (0..self.functions.len()).filter(|&at| self.functions[at].result == ty).collect();
                if let Some(&at) = self.random.pick(&fit)
                    && self.loops < 2
                {
                    return self.call(at, depth.min(1));
                }
            }
            3 if depth > 0 && self.loops == 0 => return self.block(ty, depth - 1),
            _ => {}
        }
        self.operation(ty, depth)
    }

    fn choice(&mut self, ty: Ty, depth: usize) -> String {
        let scrutinee = self.value(Ty::Int, depth);
        let mut arms = String::new();
        let first = self.random.below(4) as i64 - 1;
        for at in 0..1 + self.random.below(4) as i64 {
            let value = self.value(ty, depth - 1);
            let _ = write!(arms, "{} -> {value}, ", first + 2 * at);
        }
        if self.random.one_in(3) {
            let value = self.value(ty, depth - 1);
            let _ = write!(arms, "40..=90 -> {value}, ");
        }
        let value = self.value(ty, depth - 1);
        format!("(match {scrutinee} {{ {arms}_ -> {value} }})")
    }

    fn operation(&mut self, ty: Ty, depth: usize) -> String {
        let which = self.random.below(10);
        match ty {
            Ty::Int => match which {
                0..=4 => {
                    let op = ["+", "-", "*", "/", "%", "div", "&", "|", "^"][self.random.below(9)];
                    format!("({} {op} {})", self.value(Ty::Int, depth), self.value(Ty::Int, depth))
                }
                5 => {
                    let op = ["<<", ">>"][self.random.below(2)];
                    format!("({} {op} {})", self.value(Ty::Int, depth), self.random.below(20))
                }
                6 => format!("(-{})", self.value(Ty::Int, depth)),
                7 => format!("(~{})", self.value(Ty::Int, depth)),
                8 => format!("{}.0", self.held(Ty::Pair, depth)),
                _ => format!("{}.count", self.held(Ty::Record, depth)),
            },
            Ty::Float => match which {
                0..=5 => {
                    let op = ["+", "-", "*", "/"][self.random.below(4)];
                    format!("({} {op} {})", self.value(Ty::Float, depth), self.value(Ty::Float, depth))
                }
                6 => format!("float({})", self.value(Ty::Int, depth)),
                7 => format!("(-{})", self.value(Ty::Float, depth)),
                8 => format!("{}.1", self.held(Ty::Pair, depth)),
                _ => format!("{}.weight", self.held(Ty::Record, depth)),
            },
            Ty::Bool => match which {
                0..=5 => {
                    let operand = [Ty::Int, Ty::Float, Ty::Str, Ty::Char, Ty::Byte][self.random.below(5)];
                    let ops: &[&str] = if operand == Ty::Str { &["==", "!="] } else { &["==", "!=", "<", "<=", ">", ">="] };
                    let op = ops[self.random.below(ops.len())];
                    format!("({} {op} {})", self.value(operand, depth), self.value(operand, depth))
                }
                6..=7 => {
                    let op = ["&&", "||"][self.random.below(2)];
                    format!("({} {op} {})", self.value(Ty::Bool, depth), self.value(Ty::Bool, depth))
                }
                8 => format!("(!{})", self.value(Ty::Bool, depth)),
                _ => format!("{}.on", self.held(Ty::Record, depth)),
            },
            Ty::Char if which < 4 => format!("{}.tag", self.held(Ty::Record, depth)),
            Ty::Str => match which {
                0..=3 => format!("({} + {})", self.value(Ty::Str, depth), self.value(Ty::Str, depth)),
                4..=5 => format!("str({})", self.value(Ty::Int, depth)),
                6..=7 => format!("`<{{{}}} {{{}}}>`", self.value(Ty::Int, depth), self.value(Ty::Bool, depth)),
                _ => format!("`{{{}:.3}}`", self.value(Ty::Float, depth)),
            },
            Ty::Pair => format!("({}, {})", self.value(Ty::Int, depth), self.value(Ty::Float, depth)),
            Ty::Record => format!(
                "Record {{ count: {}, weight: {}, on: {}, tag: {} }}",
                self.value(Ty::Int, depth),
                self.value(Ty::Float, depth),
                self.value(Ty::Bool, depth),
                self.value(Ty::Char, depth)
            ),
            Ty::Byte | Ty::Char => self.leaf(ty),
        }
    }

    /// A value that a field can be taken of.
    fn held(&mut self, ty: Ty, depth: usize) -> String {
        let names: Vec<String> = self.scope.iter().filter(|v| v.ty == ty).map(|v| v.name.clone()).collect();
        match self.random.pick(&names) {
            Some(name) => name.clone(),
            None => format!("({})", self.value(ty, depth)),
        }
    }
}
