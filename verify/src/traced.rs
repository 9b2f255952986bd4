//! Programs that say what they do, from a seed: values of declared and built-in types, changed through paths, taken apart by patterns, carried through loops, recursion, lambdas, `?` and
//! `catch`; every few statements a value is printed with the number of its place. Well-typed by construction, and they end: loops and recursion have small bounds. They may panic, and
//! most of what they call is called under `catch`, so that a panic is no end of what is seen.
//!
//! [`crate::fuzz::generate`] is about scalars, [`crate::typed`] about what types can be declared; this is about what values go through, so it is what the
//! differential lane ([`crate::differential`]) runs.

mod counting;
mod exprs;
mod layouts;
mod paths;
mod statements;
mod types;

use std::fmt::Write as _;

use types::{Ty, World};

use crate::random::Random;

/// A function of the program.
#[derive(Clone, Debug)]
struct Function {
    params: Vec<(String, Ty)>,
    result: Ty,
    /// Its first parameter is how often it may call itself.
    recursive: bool,
}

/// A variable in scope.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    ty: Ty,
    is_mutable: bool,
}

/// Writes bodies.
struct Writer<'a> {
    world: &'a World,
    functions: &'a [Function],
    random: Random,
    scope: Vec<Variable>,
    /// Variables before this one are captured: they are read only.
    own: usize,
    /// What `?` leaves the function with.
    question: Option<Ty>,
    /// Loops around that may be left.
    loops: usize,
    /// Calls of functions that may still be written.
    calls: usize,
    /// Repetitions around: what is inside runs often, so it stays small.
    repeats: usize,
    next: usize,
    notes: usize,
}

/// What all programs have: generic types and functions, and where the trace goes.
const LIBRARY: &str = "\
#derive(Eq, Debug)
type Box<T> = { value: T, count: int }
#derive(Eq, Debug)
type Tree<T> = Leaf | Node(left: Tree<T>, value: T, right: Tree<T>);
@note (at: int, text: str) -> void = print(msg: `{at} {text}`);
@grown<T> (tree: Tree<T>, value: T, left: bool) -> Tree<T> = match tree {
    Leaf -> Node(left: Leaf, value:, right: Leaf),
    Node(l, v, r) if left -> Node(left: grown(tree: l, value:, left: !left), value: v, right: r),
    Node(l, v, r) -> Node(left: l, value: v, right: grown(tree: r, value:, left: !left)),
};
@mirrored<T> (tree: Tree<T>) -> Tree<T> = match tree { Leaf -> Leaf, Node(l, v, r) -> Node(left: mirrored(r), value: v, right: mirrored(l)) };
@listed<T> (tree: Tree<T>) -> [T] = match tree { Leaf -> [], Node(l, v, r) -> [...listed(l), v, ...listed(r)] };
@boxed<T> (value: T) -> Box<T> = Box { value, count: 1 };
@rebox<T, U> (box: Box<T>, f: (T) -> U) -> Box<U> = Box { value: f(box.value), count: box.count + 1 };
@chosen<T> (first: bool, a: T, b: T) -> T = if first then a else b;
@rotated<T> (xs: [T]) -> [T] = match xs { [] -> [], [x, ..rest] -> rest.push(x) };
@twice<T> (value: T, f: (T) -> T) -> T = f(f(value));
";

/// Seeds from here on are of programs about loops that count.
pub const COUNTING: u64 = 1 << 32;

/// The program of a seed; every eighth is about how values lie in memory.
pub fn program(seed: u64) -> String {
    if let Some(seed) = seed.checked_sub(COUNTING) {
        return counting::program(seed);
    }
    if seed.is_multiple_of(8) {
        return layouts::program(seed);
    }
    let mut random = Random::new(seed ^ 0x7ace_d000);
    let world = World::new(&mut random);
    let mut out = format!("{LIBRARY}{}", world.declarations());
    let count = 2 + random.below(3);
    let mut functions: Vec<Function> = Vec::new();
    for number in 0..count {
        let recursive = random.one_in(3);
        let mut params = if recursive { vec![("n".to_owned(), Ty::Int)] } else { Vec::new() };
        for at in 0..1 + random.below(3) {
            params.push((format!("p{at}"), world.data(&mut random, 2)));
        }
        let result = match random.below(5) {
            0 => Ty::Option(Box::new(world.data(&mut random, 1))),
            1 => Ty::Result(Box::new(world.data(&mut random, 1))),
            _ => world.data(&mut random, 2),
        };
        let function = Function { params, result, recursive };
        let mut writer = Writer::new(&world, &functions, Random::new(random.next()), number * 100);
        writer.scope =
            function.params.iter().map(|(name, ty)| Variable { name: name.clone(), ty: ty.clone(), is_mutable: false }).collect();
        if matches!(function.result, Ty::Option(_) | Ty::Result(_)) {
            writer.question = Some(function.result.clone());
        }
        let params: Vec<String> = function.params.iter().map(|(name, ty)| format!("{name}: {}", ty.text())).collect();
        let _ = writeln!(out, "@f{number} ({}) -> {} = {{", params.join(", "), function.result.text());
        out.push_str(&writer.body(number, &function));
        out.push_str("};\n");
        functions.push(function);
    }
    let mut writer = Writer::new(&world, &functions, Random::new(random.next()), 1000);
    out.push_str("@main () -> void = {\n");
    for (number, function) in functions.iter().enumerate() {
        for _ in 0..1 + writer.random.below(2) {
            let call = writer.call_of(number, function, 1);
            let at = writer.note_number();
            let _ = writeln!(out, "    note(at: {at}, text: catch(expr: {call}).debug());");
        }
    }
    writer.calls = 2;
    let statements = writer.statements(5, 2);
    out.push_str(&statements);
    let rest = writer.remains();
    out.push_str(&rest);
    out.push_str("}\n");
    out
}

impl<'a> Writer<'a> {
    fn new(world: &'a World, functions: &'a [Function], random: Random, notes: usize) -> Writer<'a> {
        Writer { world, functions, random, scope: Vec::new(), own: 0, question: None, loops: 0, calls: 3, repeats: 0, next: 0, notes }
    }

    fn name(&mut self, letter: char) -> String {
        self.next += 1;
        format!("{letter}{}", self.next)
    }

    fn note_number(&mut self) -> usize {
        self.notes += 1;
        self.notes
    }

    /// The lines of a function's body, its value last.
    fn body(&mut self, number: usize, function: &Function) -> String {
        let mut out = String::new();
        if !function.recursive {
            let count = 2 + self.random.below(4);
            out.push_str(&self.statements(count, 2));
        } else {
            // One call of itself, with less.
            let call = {
                let args: Vec<String> = function.params.iter().skip(1).map(|(name, ty)| format!("{name}: {}", self.expr(ty, 1))).collect();
                format!("f{number}({})", [vec!["n: n - 1".to_owned()], args].concat().join(", "))
            };
            let (inner, base) = (self.name('r'), self.expr(&function.result, 1));
            let _ = writeln!(out, "    let {inner}: {} = if n <= 0 then {base} else {call};", function.result.text());
            self.scope.push(Variable { name: inner, ty: function.result.clone(), is_mutable: true });
            let count = 1 + self.random.below(3);
            out.push_str(&self.statements(count, 2));
        }
        out.push_str(&self.remains());
        let value = self.expr(&function.result, 2);
        let _ = writeln!(out, "    {}", self.as_tail(&function.result, value));
        out
    }

    /// Lines that print some of what is in scope.
    fn remains(&mut self) -> String {
        let mut out = String::new();
        let shown: Vec<String> = self.scope.iter().rev().filter(|v| v.ty.is_shown()).take(3).map(|v| v.name.clone()).collect();
        for name in shown {
            let at = self.note_number();
            let _ = writeln!(out, "    note(at: {at}, text: {name}.debug());");
        }
        out
    }

    /// A value that may begin with a form that statements begin with, as the last one of a block.
    fn as_tail(&mut self, ty: &Ty, value: String) -> String {
        let name = self.name('t');
        format!("let {name}: {} = {value};\n    {name}", ty.text())
    }

    /// What `inside` writes, with these names in scope.
    fn within<R>(&mut self, names: &[(String, Ty)], inside: impl FnOnce(&mut Self) -> R) -> R {
        let depth = self.scope.len();
        self.scope.extend(names.iter().map(|(name, ty)| Variable { name: name.clone(), ty: ty.clone(), is_mutable: false }));
        let result = inside(self);
        self.scope.truncate(depth);
        result
    }

    /// What `inside` writes as the body of a lambda: what is around is captured.
    fn in_lambda<R>(&mut self, names: &[(String, Ty)], inside: impl FnOnce(&mut Self) -> R) -> R {
        let around = (self.own, self.question.take(), self.loops, self.repeats);
        (self.own, self.loops, self.repeats) = (self.scope.len(), 0, self.repeats + 1);
        let result = self.within(names, inside);
        (self.own, self.question, self.loops, self.repeats) = around;
        result
    }

    /// A call of a function with new arguments.
    fn call_of(&mut self, number: usize, function: &Function, depth: usize) -> String {
        let mut args = Vec::new();
        for (at, (name, ty)) in function.params.iter().enumerate() {
            let value = match function.recursive && at == 0 {
                true => self.random.below(4).to_string(),
                false => self.expr(ty, depth),
            };
            args.push(format!("{name}: {value}"));
        }
        format!("f{number}({})", args.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_same_seed_gives_the_same_program_and_another_one_another() {
        assert_eq!(program(7), program(7));
        assert_ne!(program(7), program(8));
    }
}
