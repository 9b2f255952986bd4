//! Statements: bindings, changes through paths, loops, patterns, and what is printed.

use std::fmt::Write as _;

use super::types::Ty;
use super::{Variable, Writer};

impl Writer<'_> {
    /// So many statements, each on lines of its own; what they bind stays in scope.
    pub fn statements(&mut self, count: usize, depth: usize) -> String {
        (0..count).map(|_| self.statement(depth)).collect()
    }

    /// A block of statements; what they bind goes with it.
    fn block(&mut self, count: usize, depth: usize) -> String {
        let around = self.scope.len();
        let inside = self.statements(count, depth);
        self.scope.truncate(around);
        format!("{{\n{inside}    }}")
    }

    fn bind(&mut self, ty: &Ty, value: &str) -> String {
        let name = self.name('v');
        let line = format!("    let {name}: {} = {value};\n", ty.text());
        self.scope.push(Variable { name, ty: ty.clone(), is_mutable: true });
        line
    }

    fn noted(&mut self, value: &str) -> String {
        let at = self.note_number();
        format!("    note(at: {at}, text: {value}.debug());\n")
    }

    fn statement(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        match self.random.below(if depth == 0 { 9 } else { 18 }) {
            0 | 1 => {
                let ty = self.world.data(&mut self.random, 2);
                let value = self.expr(&ty, depth.min(2));
                self.bind(&ty, &value)
            }
            2..=4 => self.change(depth),
            5 => self.grow(),
            6 => match self.shown() {
                Some(name) => self.noted(&name),
                None => self.noted("0"),
            },
            7 => self.method(),
            8 => self.leave(),
            9 => {
                let condition = self.expr(&Ty::Bool, below);
                let then = self.block(2, below);
                match self.random.one_in(2) {
                    true => format!("    if {condition} then {then}\n"),
                    false => {
                        let otherwise = self.block(1, below);
                        format!("    if {condition} then {then} else {otherwise}\n")
                    }
                }
            }
            10..=12 => self.repeated(below),
            13 | 14 => self.taken_apart(below),
            15 => self.function_values(),
            16 => {
                let ty = self.world.data(&mut self.random, 1);
                let loops = std::mem::take(&mut self.loops);
                let value = self.expr(&ty, depth);
                self.loops = loops;
                let ty = Ty::Result(Box::new(ty));
                self.bind(&ty, &format!("catch(expr: {value})"))
            }
            _ => self.called(),
        }
    }

    /// `p = v`, `p op= v`, under its guards.
    fn change(&mut self, depth: usize) -> String {
        let Some(mut path) = self.path() else { return self.noted("\"nothing\"") };
        if path.is_read && self.repeats > 0 && path.ty.grows() {
            // A place that doubles in each round is too much.
            match path.ty {
                Ty::Str | Ty::List(_) | Ty::Map(..) => path.guards.push(format!("{}.len() < 20", path.text)),
                _ => return self.noted(&path.text),
            }
        }
        let value = self.expr(&path.ty, depth.min(1));
        let assignment = match path.ty {
            Ty::Int if path.is_read && self.random.one_in(2) => {
                let op = ["+", "-", "+"][self.random.below(3)];
                format!("{} {op}= {value}", path.text)
            }
            Ty::Str if path.is_read && self.random.one_in(2) => format!("{} += {value}", path.text),
            Ty::Bool if path.is_read && self.random.one_in(2) => format!("{} {}= {value}", path.text, ["&&", "||"][self.random.below(2)]),
            _ => format!("{} = {value}", path.text),
        };
        match path.guards.as_slice() {
            [] => format!("    {assignment};\n"),
            guards => format!("    if {} then {assignment};\n", guards.join(" && ")),
        }
    }

    /// A list, map or text becomes another one of itself.
    fn grow(&mut self) -> String {
        let own = self.own;
        let roots: Vec<(String, Ty)> =
            self.scope.iter().skip(own).filter(|v| v.is_mutable).map(|v| (v.name.clone(), v.ty.clone())).collect();
        let fits = |(_, ty): &&(String, Ty)| matches!(ty, Ty::List(_) | Ty::Map(..) | Ty::Str | Ty::Tree(_));
        let roots: Vec<_> = roots.iter().filter(fits).cloned().collect();
        let Some((name, ty)) = self.random.pick(&roots).cloned() else { return self.change(1) };
        let value = match &ty {
            Ty::List(of) => {
                let element = self.expr(of, 1);
                let sorted = if matches!(**of, Ty::Int | Ty::Str) { ".sort()" } else { ".reverse()" };
                let other = self.expr(&ty, 0);
                let item = self.name('e');
                let kept = self.in_lambda(&[(item.clone(), (**of).clone())], |w| w.expr(&Ty::Bool, 1));
                match self.random.below(9) {
                    0 | 1 => format!("{name}.push({element})"),
                    2 => format!("[...{name}, {element}]"),
                    3 => format!("{name} + {other}"),
                    4 => format!("{name}{sorted}"),
                    5 => format!("{name}.filter({item} -> {kept})"),
                    6 => format!("rotated(xs: {name})"),
                    7 => format!("{name}.insert(0, {element})"),
                    _ => format!("{name}.{}({})", ["take", "skip"][self.random.below(2)], self.random.below(3)),
                }
            }
            Ty::Map(key, value) => {
                let (key, value) = (self.expr(key, 0), self.expr(value, 1));
                match self.random.below(4) {
                    0 => format!("{name}.remove({key})"),
                    1 => format!("{{ ...{name}, [{key}]: {value} }}"),
                    _ => format!("{name}.insert({key}, {value})"),
                }
            }
            Ty::Tree(of) => {
                let (value, left) = (self.expr(of, 1), self.expr(&Ty::Bool, 0));
                match self.random.below(3) {
                    0 => format!("mirrored(tree: {name})"),
                    _ => {
                        return format!(
                            "    if listed(tree: {name}).len() < 12 then {name} = grown(tree: {name}, value: {value}, left: {left});\n"
                        );
                    }
                }
            }
            _ => {
                let other = self.expr(&Ty::Str, 1);
                match self.random.below(4) {
                    0 => format!("{name}.to_uppercase()"),
                    1 => format!("{name}.replace(old: \"a\", new: \"bc\")"),
                    _ => format!("{name} + {other}"),
                }
            }
        };
        match ty {
            Ty::List(_) | Ty::Map(..) | Ty::Str => format!("    if {name}.len() < 20 then {name} = {value};\n"),
            _ => format!("    {name} = {value};\n"),
        }
    }

    /// A method that changes its `self`.
    fn method(&mut self) -> String {
        let Some(path) = self.path() else { return self.noted("1") };
        let Ty::Struct(number) = path.ty else { return self.change(1) };
        if !path.is_read || self.repeats > 0 {
            return self.change(1);
        }
        let fields = &self.world.structs[number];
        let at = self.random.below(fields.len());
        let value = self.expr(&fields[at], 1);
        let call = format!("{}.put{at}({value})", path.text);
        let line = match self.random.one_in(2) {
            // Bound before a guard is asked, so without one.
            true if path.guards.is_empty() => self.bind(&fields[at], &call),
            _ => format!("    {call};\n"),
        };
        match path.guards.as_slice() {
            [] => line,
            guards => format!("    if {} then {{\n{line}    }}\n", guards.join(" && ")),
        }
    }

    /// A loop, or the whole function, is left under a condition.
    fn leave(&mut self) -> String {
        let condition = self.expr(&Ty::Bool, 1);
        if self.loops > 0 {
            let word = ["break", "continue"][self.random.below(2)];
            return format!("    if {condition} then {word};\n");
        }
        match self.question.clone() {
            Some(Ty::Option(_)) => format!("    if {condition} then None?;\n"),
            Some(Ty::Result(_)) => {
                let error = self.expr(&Ty::Str, 1);
                format!("    if {condition} then Err({error})?;\n")
            }
            _ => {
                let word = self.expr(&Ty::Str, 0);
                // Now and then a panic with a text of its own.
                match self.random.one_in(3) && self.repeats == 0 {
                    true => format!("    if {condition} then panic(msg: {word});\n"),
                    false => self.noted(&format!("({word} == \"a\")")),
                }
            }
        }
    }

    /// `for`, `while`, `loop`.
    fn repeated(&mut self, depth: usize) -> String {
        if self.repeats > 1 {
            return self.change(1);
        }
        let (loops, calls) = (self.loops, self.calls);
        (self.loops, self.repeats) = (loops + 1, self.repeats + 1);
        self.calls = calls.min(1);
        let bound = 1 + self.random.below(4);
        let out = match self.random.below(6) {
            0 | 1 => {
                let name = self.name('i');
                let step = ["", "", " by 2"][self.random.below(3)];
                let inside = self.within(&[(name.clone(), Ty::Int)], |w| w.block(2, depth));
                format!("    for {name} in 0..{bound}{step} do {inside}\n")
            }
            2 => {
                let of = self.world.data(&mut self.random, 1);
                let name = self.name('x');
                let source = self.expr(&Ty::List(Box::new(of.clone())), 1);
                let holder = self.name('l');
                let guard = match self.random.one_in(3) {
                    true => self.within(&[(name.clone(), of.clone())], |w| format!(" if {}", w.expr(&Ty::Bool, 1))),
                    false => String::new(),
                };
                let inside = self.within(&[(name.clone(), of.clone())], |w| w.block(2, depth));
                format!("    let {holder}: [{}] = {source};\n    for {name} in {holder}{guard} do {inside}\n", of.text())
            }
            3 => {
                let (key, value) = (Ty::Str, self.world.data(&mut self.random, 1));
                let (k, v, holder) = (self.name('k'), self.name('x'), self.name('m'));
                let ty = Ty::Map(Box::new(key.clone()), Box::new(value.clone()));
                let source = self.expr(&ty, 1);
                let inside = self.within(&[(k.clone(), key), (v.clone(), value)], |w| w.block(2, depth));
                format!("    let {holder}: {} = {source};\n    for ({k}, {v}) in {holder} do {inside}\n", ty.text())
            }
            4 => {
                let name = self.name('i');
                let inside = self.within(&[(name.clone(), Ty::Int)], |w| w.block(2, depth));
                let inside = inside.replacen("{\n", &format!("{{\n    {name} += 1;\n"), 1);
                format!("    let {name} = 0;\n    while {name} < {bound} do {inside}\n")
            }
            _ => {
                let name = self.name('i');
                let ty = self.world.data(&mut self.random, 1);
                let value = self.within(&[(name.clone(), Ty::Int)], |w| w.expr(&ty, 1));
                // Its value is what it is left with, so nothing else may leave it.
                let left = std::mem::take(&mut self.loops);
                let inside = self.within(&[(name.clone(), Ty::Int)], |w| w.block(2, depth));
                self.loops = left;
                let inside = inside.replacen("{\n", &format!("{{\n    {name} += 1;\n    if {name} > {bound} then break {value};\n"), 1);
                (self.loops, self.repeats, self.calls) = (loops, self.repeats - 1, calls);
                let counter = format!("    let {name} = 0;\n");
                return counter + &self.bind(&ty, &format!("loop {inside}"));
            }
        };
        (self.loops, self.repeats, self.calls) = (loops, self.repeats - 1, calls);
        out
    }

    /// A `match` whose arms do things, or a pattern in a `let`.
    fn taken_apart(&mut self, depth: usize) -> String {
        let ty = self.world.data(&mut self.random, 2);
        let Some(value) = self.known(&ty).or_else(|| Some(self.expr(&ty, 1))) else { return String::new() };
        if let Ty::Tuple(parts) = &ty
            && self.random.one_in(2)
        {
            let names: Vec<String> = parts.iter().map(|_| self.name('v')).collect();
            let holder = self.name('h');
            let line = format!("    let {holder}: {} = {value};\n    let ({}) = {holder};\n", ty.text(), names.join(", "));
            let bound = names.into_iter().zip(parts).map(|(name, ty)| Variable { name, ty: ty.clone(), is_mutable: true });
            self.scope.extend(bound);
            return line;
        }
        let holder = self.name('h');
        let mut out = format!("    let {holder}: {} = {value};\n    match {holder} {{\n", ty.text());
        for (pattern, names) in self.patterns(&ty) {
            let guard = match self.random.one_in(4) {
                true => self.within(&names, |w| format!(" if {}", w.expr(&Ty::Bool, 1))),
                false => String::new(),
            };
            if !guard.is_empty() {
                let inside = self.within(&names, |w| w.block(1, depth));
                let _ = writeln!(out, "    {pattern}{guard} -> {inside},");
            }
            let inside = self.within(&names, |w| w.block(1, depth));
            let _ = writeln!(out, "    {pattern} -> {inside},");
        }
        out.push_str("    }\n");
        out
    }

    /// Function values in a list, called in turn; they keep what they captured.
    fn function_values(&mut self) -> String {
        let of = Ty::Function(vec![Ty::Int], Box::new(self.world.data(&mut self.random, 1)));
        let Ty::Function(_, result) = &of else { return String::new() };
        let (list, one) = (self.name('g'), self.name('g'));
        let values: Vec<String> = (0..1 + self.random.below(2)).map(|_| self.expr(&of, 1)).collect();
        let change = self.change(1);
        let at = self.note_number();
        let argument = self.random.below(9);
        let mut out = format!("    let {list}: [{}] = [{}];\n{change}", of.text(), values.join(", "));
        let _ = writeln!(out, "    for {one} in {list} do {{");
        let _ = writeln!(out, "    let {one}r: {} = {one}({argument});\n    note(at: {at}, text: {one}r.debug());\n    }}", result.text());
        out
    }

    /// A call of an earlier function, its value kept; `?` when that is possible.
    fn called(&mut self) -> String {
        let functions = self.functions;
        if functions.is_empty() || self.calls == 0 || self.repeats > 1 {
            return self.change(1);
        }
        self.calls -= 1;
        let number = self.random.below(functions.len());
        let function = &functions[number];
        let call = self.call_of(number, function, 1);
        match (&function.result, &self.question) {
            (Ty::Option(of), Some(Ty::Option(_))) | (Ty::Result(of), Some(Ty::Result(_))) if self.random.one_in(2) => {
                let of = (**of).clone();
                self.bind(&of, &format!("{call}?"))
            }
            _ => self.bind(&function.result.clone(), &call),
        }
    }
}
