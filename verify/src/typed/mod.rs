//! Well-typed programs from a seed, directed by types: declared sums and structs, generics, traits with impls and bounds, closures, matches; edits that keep
//! them well-typed, and mistakes that do not.
//!
//! Every expression is written for a known type. Functions call earlier ones alone and nothing loops, so each program ends.

pub mod check;
mod exprs;
mod types;
mod world;

use std::fmt::Write as _;

use exprs::Writer;
use types::{Shape, Ty, generics, text};
use world::World;

use crate::random::Random;

/// A program as what it is made of.
#[derive(Clone, Debug)]
pub struct Program {
    world: World,
    /// Seeds of the bodies of functions, in the order in which they stand.
    bodies: Vec<Item>,
    /// Seed of the bodies of each impl, and of the defaults of each trait.
    impls: Vec<u64>,
    traits: Vec<u64>,
    main: u64,
    blank: usize,
    /// In which function stands an expression of a wrong type, and after how many right ones at most?
    mistake: Option<(usize, usize)>,
}

#[derive(Clone, Debug)]
struct Item {
    function: usize,
    seed: u64,
    comment: Option<u64>,
}

/// How deep expressions nest.
const DEPTH: usize = 3;

impl Program {
    /// From a seed.
    pub fn new(seed: u64) -> Program {
        let mut random = Random::new(seed ^ 0x7e9e_d000);
        let world = World::new(&mut random);
        let bodies = (0..world.functions.len()).map(|function| Item { function, seed: random.next(), comment: None }).collect();
        let impls = world.impls.iter().map(|_| random.next()).collect();
        let traits = world.traits.iter().map(|_| random.next()).collect();
        Program { world, bodies, impls, traits, main: random.next(), blank: 1, mistake: None }
    }

    /// As one file.
    pub fn source(&self) -> String {
        format!("{}{}{}", self.declarations(), self.functions(), self.main())
    }

    /// Its declarations and functions, without a main function.
    pub fn library(&self) -> String {
        format!("{}{}", self.declarations(), self.functions())
    }

    /// As three modules, by path.
    pub fn modules(&self) -> [(&'static str, String); 3] {
        let types = (0..self.world.types.len()).map(|number| format!("T{number}"));
        let traits = (0..self.world.traits.len()).map(|number| format!("Tr{number}"));
        let declared = format!("use \"./declared\" {{ {} }};\n", types.chain(traits).collect::<Vec<_>>().join(", "));
        let functions: Vec<String> = (0..self.world.functions.len()).map(|number| format!("f{number}")).collect();
        let work = format!("use \"./work\" {{ {} }};\n", functions.join(", "));
        [
            ("declared.ori", self.declarations()),
            ("work.ori", format!("{declared}\n{}", self.functions())),
            ("main.ori", format!("{declared}{work}\n{}", self.main())),
        ]
    }

    fn declarations(&self) -> String {
        let mut out = String::new();
        for (number, declared) in self.world.types.iter().enumerate() {
            let _ = write!(out, "#derive(Eq, Debug)\npub type T{number}{} = ", generics(&vec![Vec::new(); declared.generics]));
            match &declared.shape {
                Shape::Struct(fields) => {
                    let fields: Vec<String> = fields.iter().enumerate().map(|(at, of)| format!("x{at}: {}", text(of))).collect();
                    let _ = writeln!(out, "{{ {} }}", fields.join(", "));
                }
                Shape::Sum(variants) => {
                    let variants: Vec<String> = variants
                        .iter()
                        .map(|variant| {
                            let part = |(at, of): (usize, &Ty)| match variant.is_named {
                                true => format!("y{at}: {}", text(of)),
                                false => text(of),
                            };
                            let parts: Vec<String> = variant.payload.iter().enumerate().map(part).collect();
                            if parts.is_empty() { variant.name.clone() } else { format!("{}({})", variant.name, parts.join(", ")) }
                        })
                        .collect();
                    let _ = writeln!(out, "{};", variants.join(" | "));
                }
            }
        }
        for (number, methods) in self.world.traits.iter().enumerate() {
            let _ = writeln!(out, "\npub trait Tr{number} {{");
            for (at, method) in methods.iter().enumerate() {
                let result = method.result.as_ref().map_or_else(|| "Self".to_owned(), text);
                let _ = write!(out, "    @{} (self, k: int) -> {result}", method.name);
                match (&method.result, method.has_default) {
                    (Some(result), true) => {
                        let _ = writeln!(out, " = {};", self.method_body(self.traits[number] ^ at as u64, Vec::new(), result));
                    }
                    (None, true) => out.push_str(" = self;\n"),
                    (_, false) => out.push('\n'),
                }
            }
            out.push_str("}\n");
        }
        for (row, seed) in self.world.impls.iter().zip(&self.impls) {
            let bounds = vec![vec![row.interface]; row.generics];
            let _ = writeln!(out, "impl{} {}: Tr{} {{", generics(&bounds), text(&row.ty), row.interface);
            for (at, method) in self.world.traits[row.interface].iter().enumerate() {
                if method.has_default && (seed >> at) & 1 == 0 {
                    continue;
                }
                let result = method.result.as_ref().map_or_else(|| "Self".to_owned(), text);
                let body = match &method.result {
                    Some(result) => self.method_body(seed ^ at as u64, bounds.clone(), result),
                    None => "if k > 0 then self else self".to_owned(),
                };
                let _ = writeln!(out, "    @{} (self, k: int) -> {result} = {body};", method.name);
            }
            out.push_str("}\n");
        }
        out.push_str(&"\n".repeat(self.blank));
        out
    }

    /// Methods call no functions, and not each other: a method of a type calls that of its parts in the end, but a default could call itself.
    fn method_body(&self, seed: u64, bounds: Vec<Vec<usize>>, result: &Ty) -> String {
        let bare = World { functions: Vec::new(), traits: Vec::new(), ..self.world.clone() };
        Writer::new(&bare, seed, 0, bounds, &[("k".to_owned(), Ty::Int)]).expr(result, 2)
    }

    fn functions(&self) -> String {
        let mut out = String::new();
        for item in &self.bodies {
            let number = item.function;
            let signature = &self.world.functions[number];
            if let Some(comment) = item.comment {
                let _ = writeln!(out, "// Note {comment}.");
            }
            let params: Vec<(String, Ty)> = signature.params.iter().enumerate().map(|(at, of)| (format!("a{at}"), of.clone())).collect();
            let list: Vec<String> = params.iter().map(|(name, of)| format!("{name}: {}", text(of))).collect();
            let bounds = signature.generics.clone();
            let _ = write!(out, "pub @f{number}{} ({}) -> {} =\n    ", generics(&bounds), list.join(", "), text(&signature.result));
            let writer = || Writer::new(&self.world, item.seed, number, bounds.clone(), &params);
            let body = match self.mistake.filter(|(wrong, _)| *wrong == number) {
                None => writer().expr(&signature.result, DEPTH),
                // The body itself is a place.
                Some((_, after)) => (0..=after)
                    .rev()
                    .find_map(|after| {
                        let mut writer = writer().with_mistake(after);
                        let body = writer.expr(&signature.result, DEPTH);
                        writer.is_wrong().then_some(body)
                    })
                    .unwrap_or_default(),
            };
            let _ = writeln!(out, "{body};\n");
        }
        out
    }

    fn main(&self) -> String {
        let mut out = String::from("@main () -> void = {\n");
        let world = &self.world;
        for (number, function) in world.functions.iter().enumerate() {
            // Type arguments that have every trait.
            let args: Vec<Ty> = function.generics.iter().map(|_| Ty::Int).collect();
            let mut writer = Writer::new(world, self.main ^ number as u64, 0, Vec::new(), &[]);
            let mut passed = Vec::new();
            out.push_str("    if true then {\n");
            for (at, param) in function.params.iter().enumerate() {
                let of = param.with(&args);
                let value = writer.expr(&of, 2);
                let _ = writeln!(out, "        let q{at}: {} = {value};", text(&of));
                passed.push(format!("a{at}: q{at}"));
            }
            let call = format!("f{number}({})", passed.join(", "));
            out.push_str(&writer.shown(&call, &function.result.with(&args), "        "));
            out.push_str("    };\n");
        }
        out.push_str("}\n");
        out
    }

    /// The same with an expression of a wrong type in one of its functions.
    pub fn mistaken(&self, random: &mut Random) -> Program {
        Program { mistake: Some((random.below(self.world.functions.len()), random.below(6))), ..self.clone() }
    }

    /// One edit after which the program is well-typed; its name.
    pub fn edit(&mut self, random: &mut Random) -> &'static str {
        let which = random.below(self.bodies.len());
        match random.below(8) {
            0 | 1 => {
                self.bodies[which].seed = random.next();
                "body"
            }
            2 => {
                let row = random.below(self.impls.len());
                self.impls[row] = random.next();
                "impl"
            }
            3 => {
                let row = random.below(self.traits.len());
                self.traits[row] = random.next();
                "default methods"
            }
            4 => {
                self.bodies[which].comment = Some(random.next() % 10);
                "comment"
            }
            5 => {
                let other = random.below(self.bodies.len());
                self.bodies.swap(which, other);
                "order"
            }
            6 => {
                self.blank = self.blank % 4 + 1;
                "blank lines"
            }
            _ => {
                self.main = random.next();
                "main"
            }
        }
    }
}
