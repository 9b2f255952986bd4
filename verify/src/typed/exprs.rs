//! Expressions of a given type. What an expression is for is always written down (an annotation, a parameter, a field), so inference has one answer.

use std::fmt::Write as _;

use super::types::{Shape, Signature, Ty, text};
use super::world::World;
use crate::random::Random;

/// Calls in one body: bodies call earlier functions alone, so that the depth is bounded and the work is not too much.
const CALLS: usize = 2;

/// Writes the body of one item.
pub struct Writer<'a> {
    world: &'a World,
    random: Random,
    /// Functions that may be called.
    callable: usize,
    /// Bounds of the type parameters around.
    bounds: Vec<Vec<usize>>,
    scope: Vec<(String, Ty)>,
    next: usize,
    calls: usize,
    /// After how many more places with a known type stands an expression of another type.
    mistake: Option<usize>,
}

impl<'a> Writer<'a> {
    /// For an item with these type parameters and parameters.
    pub fn new(world: &'a World, seed: u64, callable: usize, bounds: Vec<Vec<usize>>, params: &[(String, Ty)]) -> Writer<'a> {
        Writer { world, random: Random::new(seed), callable, bounds, scope: params.to_vec(), next: 0, calls: CALLS, mistake: None }
    }

    /// With a mistake after so many places.
    pub fn with_mistake(mut self, after: usize) -> Writer<'a> {
        self.mistake = Some(after);
        self
    }

    /// Was there a place for it?
    pub fn is_wrong(&self) -> bool {
        self.mistake == Some(usize::MAX)
    }

    fn name(&mut self, letter: char) -> String {
        self.next += 1;
        format!("{letter}{}", self.next)
    }

    /// What `inside` writes, with these names in scope.
    fn within<R>(&mut self, names: &[(String, Ty)], inside: impl FnOnce(&mut Self) -> R) -> R {
        let depth = self.scope.len();
        self.scope.extend_from_slice(names);
        let result = inside(self);
        self.scope.truncate(depth);
        result
    }

    /// An expression, in parentheses where it needs some.
    pub fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if let Some(left) = self.mistake.filter(|left| *left != usize::MAX) {
            self.mistake = Some(left.checked_sub(1).unwrap_or(usize::MAX));
            if left == 0 {
                return if *ty == Ty::Str { "true" } else { "\"wrong\"" }.to_owned();
            }
        }
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.random.below(12) {
            0 => {
                let (condition, yes, no) = (self.expr(&Ty::Bool, depth - 1), self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("(if {condition} then {yes} else {no})")
            }
            1 | 2 => self.matched(ty, depth),
            3 => {
                let (name, of) = (self.name('b'), self.world.data(&mut self.random, self.bounds.len(), 1));
                let value = self.expr(&of, depth - 1);
                let body = self.within(&[(name.clone(), of.clone())], |w| w.expr(ty, depth - 1));
                format!("{{ let {name}: {} = {value}; {body} }}", text(&of))
            }
            4 | 5 => self.call(ty, depth).unwrap_or_else(|| self.made(ty, depth)),
            6 => self.method(ty, depth).unwrap_or_else(|| self.made(ty, depth)),
            7 => self.applied(ty, depth),
            8 => self.part(ty).unwrap_or_else(|| self.made(ty, depth)),
            _ => self.made(ty, depth),
        }
    }

    /// A name of this type.
    fn known(&mut self, ty: &Ty) -> Option<String> {
        let names: Vec<String> = self.scope.iter().filter(|(_, of)| of == ty).map(|(name, _)| name.clone()).collect();
        self.random.pick(&names).cloned()
    }

    fn leaf(&mut self, ty: &Ty) -> String {
        if self.random.below(3) > 0
            && let Some(name) = self.known(ty)
        {
            return name;
        }
        self.made(ty, 0)
    }

    /// A literal, a constructor, an operation, a lambda.
    fn made(&mut self, ty: &Ty, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        match ty {
            Ty::Int if depth > 0 => {
                let op = ["+", "-", "*", "+"][self.random.below(4)];
                format!("({} {op} {})", self.expr(ty, below), self.expr(ty, below))
            }
            Ty::Int => self.random.below(10).to_string(),
            Ty::Bool if depth > 0 => self.comparison(below),
            Ty::Bool => self.random.one_in(2).to_string(),
            Ty::Float => ["0.5", "1.25", "-3.0", "100.0"][self.random.below(4)].to_owned(),
            Ty::Str if depth > 0 => {
                let of = [Ty::Int, Ty::Bool, Ty::Str, Ty::Char][self.random.below(4)].clone();
                let name = self.name('s');
                format!("{{ let {name}: {} = {}; `<{{{name}}}>` }}", text(&of), self.expr(&of, below))
            }
            Ty::Str => ["\"\"", "\"a\"", "\"some longer text than fits inline\""][self.random.below(3)].to_owned(),
            Ty::Char => ["'x'", "'ü'", "'0'"][self.random.below(3)].to_owned(),
            Ty::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expr(part, below)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Option(_) if self.random.one_in(3) => "None".to_owned(),
            Ty::Option(inner) => format!("Some({})", self.expr(inner, below)),
            Ty::Result(ok, _) if self.random.one_in(2) => format!("Ok({})", self.expr(ok, below)),
            Ty::Result(_, err) => format!("Err({})", self.expr(err, below)),
            Ty::Named(number, args) => self.constructed(*number, args, below, depth == 0),
            // The signature of each generic item has a parameter of each type parameter.
            Ty::Param(_) => self.known(ty).unwrap_or_else(|| "todo()".to_owned()),
            Ty::Function(params, result) => {
                let names: Vec<(String, Ty)> = params.iter().map(|of| (self.name('p'), of.clone())).collect();
                let body = self.within(&names, |w| w.expr(result, below));
                let params: Vec<String> = names.iter().map(|(name, of)| format!("{name}: {}", text(of))).collect();
                format!("(({}) -> {body})", params.join(", "))
            }
        }
    }

    fn constructed(&mut self, number: usize, args: &[Ty], depth: usize, least: bool) -> String {
        let world = self.world;
        match &world.types[number].shape {
            Shape::Struct(fields) => {
                let fields: Vec<String> =
                    fields.iter().enumerate().map(|(at, of)| format!("x{at}: {}", self.expr(&of.with(args), depth))).collect();
                format!("T{number} {{ {} }}", fields.join(", "))
            }
            Shape::Sum(variants) => {
                let variant = &variants[if least { 0 } else { self.random.below(variants.len()) }];
                let named = variant.is_named;
                let parts: Vec<String> = variant
                    .payload
                    .iter()
                    .enumerate()
                    .map(|(at, of)| {
                        format!("{}{}", if named { format!("y{at}: ") } else { String::new() }, self.expr(&of.with(args), depth))
                    })
                    .collect();
                if parts.is_empty() { variant.name.clone() } else { format!("{}({})", variant.name, parts.join(", ")) }
            }
        }
    }

    fn comparison(&mut self, depth: usize) -> String {
        if self.random.one_in(3) {
            let of = self.world.data(&mut self.random, 0, 1);
            let (a, b) = (self.name('e'), self.name('e'));
            let (left, right) = (self.expr(&of, depth), self.expr(&of, depth));
            let ty = text(&of);
            return format!("{{ let {a}: {ty} = {left}; let {b}: {ty} = {right}; {a} == {b} }}");
        }
        let op = ["<", "<=", "==", "!="][self.random.below(4)];
        format!("({} {op} {})", self.expr(&Ty::Int, depth), self.expr(&Ty::Int, depth))
    }

    /// A field of something in scope.
    fn part(&mut self, ty: &Ty) -> Option<String> {
        let mut parts = Vec::new();
        for (name, of) in &self.scope {
            match of {
                Ty::Tuple(elements) => {
                    parts.extend(elements.iter().enumerate().filter(|(_, of)| *of == ty).map(|(at, _)| format!("{name}.{at}")));
                }
                Ty::Named(number, args) => {
                    if let Shape::Struct(fields) = &self.world.types[*number].shape {
                        let fits = fields.iter().enumerate().filter(|(_, of)| of.with(args) == *ty);
                        parts.extend(fits.map(|(at, _)| format!("{name}.x{at}")));
                    }
                }
                _ => {}
            }
        }
        self.random.pick(&parts).cloned()
    }

    /// A match on something of a random type.
    fn matched(&mut self, ty: &Ty, depth: usize) -> String {
        let of = match self.random.below(4) {
            0 => Ty::Int,
            1 => Ty::Option(Box::new(self.world.data(&mut self.random, 0, 0))),
            _ => {
                let number = self.random.below(self.world.types.len());
                let args = (0..self.world.types[number].generics).map(|_| self.world.data(&mut self.random, self.bounds.len(), 0));
                Ty::Named(number, args.collect())
            }
        };
        let value = self.expr(&of, depth - 1);
        let name = self.name('m');
        let arms = self.arms(&of, ty, depth - 1);
        format!("{{ let {name}: {} = {value}; match {name} {{ {arms} }} }}", text(&of))
    }

    fn arms(&mut self, of: &Ty, ty: &Ty, depth: usize) -> String {
        let mut out = String::new();
        let mut arm = |pattern: &str, body: String| {
            let _ = write!(out, "{pattern} -> {body}, ");
        };
        match of {
            Ty::Option(inner) => {
                let name = self.name('o');
                if **inner == Ty::Int && self.random.one_in(2) {
                    arm("Some(0)", self.expr(ty, depth));
                    let body = self.within(&[(name.clone(), Ty::Int)], |w| w.expr(ty, depth));
                    arm(&format!("Some({name}) if {name} > 3"), body);
                }
                let body = self.within(&[(name.clone(), (**inner).clone())], |w| w.expr(ty, depth));
                arm(&format!("Some({name})"), body);
                arm("None", self.expr(ty, depth));
            }
            Ty::Named(number, args) => match &self.world.types[*number].shape {
                Shape::Struct(fields) => {
                    let names: Vec<(String, Ty)> = fields.iter().map(|of| (self.name('d'), of.with(args))).collect();
                    let pattern: Vec<String> = names.iter().enumerate().map(|(at, (name, _))| format!("x{at}: {name}")).collect();
                    let body = self.within(&names, |w| w.expr(ty, depth));
                    arm(&format!("T{number} {{ {} }}", pattern.join(", ")), body);
                }
                Shape::Sum(variants) => {
                    let all = self.random.below(3) > 0;
                    let until = if all { variants.len() } else { variants.len() - 1 };
                    for variant in &variants[..until] {
                        let names: Vec<(String, Ty)> = variant.payload.iter().map(|of| (self.name('v'), of.with(args))).collect();
                        let named = variant.is_named;
                        let pattern = |parts: &[String]| match parts.is_empty() {
                            true => variant.name.clone(),
                            false => format!("{}({})", variant.name, parts.join(", ")),
                        };
                        let part = |at: usize, what: &str| if named { format!("y{at}: {what}") } else { what.to_owned() };
                        // First a part of what comes after: a literal in the place of an int.
                        if let Some(at) = names.iter().position(|(_, of)| *of == Ty::Int)
                            && self.random.one_in(2)
                        {
                            let literal = ["1", "2..=5", "7 | 9"][self.random.below(3)];
                            let parts: Vec<String> =
                                (0..names.len()).map(|other| part(other, if other == at { literal } else { "_" })).collect();
                            arm(&pattern(&parts), self.expr(ty, depth));
                        }
                        let parts: Vec<String> = names.iter().enumerate().map(|(at, (name, _))| part(at, name)).collect();
                        let body = self.within(&names, |w| w.expr(ty, depth));
                        arm(&pattern(&parts), body);
                    }
                    if !all {
                        arm("_", self.expr(ty, depth));
                    }
                }
            },
            _ => {
                arm("0", self.expr(ty, depth));
                arm("1..=4 | 9", self.expr(ty, depth));
                let name = self.name('n');
                let body = self.within(&[(name.clone(), Ty::Int)], |w| w.expr(ty, depth));
                arm(&format!("{name} if {name} < 0"), body);
                arm("_", self.expr(ty, depth));
            }
        }
        out.truncate(out.trim_end_matches([',', ' ']).len());
        out
    }

    /// A call of a function whose result can be of this type.
    fn call(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        self.calls = self.calls.checked_sub(1)?;
        let mut fitting: Vec<(usize, Vec<Option<Ty>>)> = Vec::new();
        for (number, function) in self.world.functions.iter().take(self.callable).enumerate() {
            let mut args = vec![None; function.generics.len()];
            if function.result.fits(ty, &mut args) && self.has_bounds(function, &args) {
                fitting.push((number, args));
            }
        }
        let (number, args) = self.random.pick(&fitting).cloned()?;
        let function = &self.world.functions[number];
        let args: Vec<Ty> =
            args.into_iter().zip(&function.generics).map(|(arg, bounds)| arg.unwrap_or_else(|| self.argument(bounds))).collect();
        let mut lets = String::new();
        let mut passed = Vec::new();
        for (at, param) in function.params.iter().enumerate() {
            let of = param.with(&args);
            let value = self.expr(&of, depth - 1);
            if param.is_open() {
                let name = self.name('h');
                let _ = write!(lets, "let {name}: {} = {value}; ", text(&of));
                passed.push(format!("a{at}: {name}"));
            } else {
                passed.push(format!("a{at}: {value}"));
            }
        }
        let call = format!("f{number}({})", passed.join(", "));
        Some(if lets.is_empty() { call } else { format!("{{ {lets}{call} }}") })
    }

    fn has_bounds(&self, function: &Signature, args: &[Option<Ty>]) -> bool {
        args.iter()
            .zip(&function.generics)
            .all(|(arg, bounds)| arg.as_ref().is_none_or(|arg| bounds.iter().all(|bound| self.world.has(*bound, arg, &self.bounds))))
    }

    /// A type with these traits.
    fn argument(&mut self, bounds: &[usize]) -> Ty {
        for _ in 0..4 {
            let ty = self.world.data(&mut self.random, self.bounds.len(), 1);
            if bounds.iter().all(|bound| self.world.has(*bound, &ty, &self.bounds)) {
                return ty;
            }
        }
        Ty::Int
    }

    /// A call of a method of a trait that gives this type.
    fn method(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        self.calls = self.calls.checked_sub(1)?;
        let world = self.world;
        let methods: Vec<(usize, &str, bool)> = world
            .traits
            .iter()
            .enumerate()
            .flat_map(|(number, methods)| methods.iter().map(move |method| (number, method)))
            .filter(|(_, method)| method.result.as_ref().is_none_or(|result| result == ty))
            .map(|(number, method)| (number, method.name.as_str(), method.result.is_none()))
            .collect();
        let (interface, method, is_self) = *self.random.pick(&methods)?;
        let receiver = if is_self { ty.clone() } else { self.argument(&[interface]) };
        if !world.has(interface, &receiver, &self.bounds) {
            return None;
        }
        let (name, value, k) = (self.name('r'), self.expr(&receiver, depth - 1), self.expr(&Ty::Int, depth - 1));
        // No method gives `Self`: the trait is a type, too, of values of several types.
        let is_object = world.traits[interface].iter().all(|method| method.result.is_some());
        if is_object && self.random.one_in(2) {
            let other = self.argument(&[interface]);
            if self.random.one_in(2) && world.has(interface, &other, &self.bounds) {
                let (all, own, first, made) = (self.name('o'), self.name('r'), self.name('r'), self.expr(&other, depth - 1));
                let values = format!("let {own}: {} = {value}; let {first}: {} = {made};", text(&receiver), text(&other));
                let list = format!("let {all}: [Tr{interface}] = [{first}, {own}]; let {name} = {k};");
                return Some(format!("{{ {values} {list} {all}[if {name} > 0 then 0 else 1].{method}(k: {name}) }}"));
            }
            let own = self.name('r');
            let bound = format!("let {own}: {} = {value}; let {name}: Tr{interface} = {own};", text(&receiver));
            return Some(format!("{{ {bound} {name}.{method}(k: {k}) }}"));
        }
        Some(format!("{{ let {name}: {} = {value}; {name}.{method}(k: {k}) }}", text(&receiver)))
    }

    /// A function value, called at once or from the scope.
    fn applied(&mut self, ty: &Ty, depth: usize) -> String {
        let functions: Vec<(String, Vec<Ty>)> = self
            .scope
            .iter()
            .filter_map(|(name, of)| match of {
                Ty::Function(params, result) if **result == *ty => Some((name.clone(), params.clone())),
                _ => None,
            })
            .collect();
        if let Some((name, params)) = self.random.pick(&functions).cloned() {
            let args: Vec<String> = params.iter().map(|of| self.expr(of, depth - 1)).collect();
            return format!("{name}({})", args.join(", "));
        }
        let of = Ty::Function(vec![self.world.data(&mut self.random, self.bounds.len(), 0)], Box::new(ty.clone()));
        let (name, value) = (self.name('g'), self.made(&of, depth));
        let Ty::Function(params, _) = &of else { return value };
        let arg = self.expr(&params[0], depth - 1);
        format!("{{ let {name}: {} = {value}; {name}({arg}) }}", text(&of))
    }

    /// Statements that print a value of this type.
    pub fn shown(&mut self, value: &str, ty: &Ty, indent: &str) -> String {
        let name = self.name('z');
        let is_scalar = matches!(ty, Ty::Int | Ty::Bool | Ty::Float | Ty::Str | Ty::Char | Ty::Function(..));
        let mut bound = format!("{indent}let {name}: {} = {value};\n", text(ty));
        let name = match !is_scalar && self.random.one_in(3) {
            true => {
                let object = self.name('z');
                bound.push_str(&format!("{indent}let {object}: Debug = {name};\n"));
                object
            }
            false => name,
        };
        let print = match ty {
            Ty::Int | Ty::Bool | Ty::Float | Ty::Str | Ty::Char => format!("{indent}print(msg: `{{{name}}}`);\n"),
            Ty::Function(params, result) => {
                let args: Vec<String> = params.iter().map(|of| self.expr(of, 0)).collect();
                self.shown(&format!("{name}({})", args.join(", ")), result, indent)
            }
            _ => format!("{indent}print(msg: {name}.debug());\n"),
        };
        bound + &print
    }
}
