//! Types of generated programs, and what they declare.

use std::fmt::Write as _;

use crate::random::Random;

/// A type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ty {
    Int,
    Bool,
    Char,
    Str,
    List(Box<Ty>),
    /// Keys are `str` or `int`.
    Map(Box<Ty>, Box<Ty>),
    Option(Box<Ty>),
    /// The error is a `str`.
    Result(Box<Ty>),
    Tuple(Vec<Ty>),
    /// By number.
    Struct(usize),
    /// By number.
    Sum(usize),
    /// Of the library.
    Box(Box<Ty>),
    /// Of the library.
    Tree(Box<Ty>),
    Function(Vec<Ty>, Box<Ty>),
}

impl Ty {
    /// As it is written.
    pub fn text(&self) -> String {
        let joined = |types: &[Ty]| types.iter().map(Ty::text).collect::<Vec<_>>().join(", ");
        match self {
            Ty::Int => "int".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Char => "char".to_owned(),
            Ty::Str => "str".to_owned(),
            Ty::List(of) => format!("[{}]", of.text()),
            Ty::Map(key, value) => format!("{{{}: {}}}", key.text(), value.text()),
            Ty::Option(of) => format!("Option<{}>", of.text()),
            Ty::Result(of) => format!("Result<{}, str>", of.text()),
            Ty::Tuple(parts) => format!("({})", joined(parts)),
            Ty::Struct(number) => format!("S{number}"),
            Ty::Sum(number) => format!("V{number}"),
            Ty::Box(of) => format!("Box<{}>", of.text()),
            Ty::Tree(of) => format!("Tree<{}>", of.text()),
            Ty::Function(params, result) => format!("({}) -> {}", joined(params), result.text()),
        }
    }

    /// Can a value of it be printed?
    pub fn is_shown(&self) -> bool {
        match self {
            Ty::Int | Ty::Bool | Ty::Char | Ty::Str | Ty::Struct(_) | Ty::Sum(_) => true,
            Ty::List(of) | Ty::Option(of) | Ty::Result(of) | Ty::Box(of) | Ty::Tree(of) => of.is_shown(),
            Ty::Map(_, value) => value.is_shown(),
            Ty::Tuple(parts) => parts.iter().all(Ty::is_shown),
            Ty::Function(..) => false,
        }
    }

    /// Does it grow without end when it is made of itself again and again?
    pub fn grows(&self) -> bool {
        match self {
            Ty::Int | Ty::Bool | Ty::Char | Ty::Function(..) => false,
            Ty::Str | Ty::List(_) | Ty::Map(..) | Ty::Tree(_) | Ty::Struct(_) | Ty::Sum(_) => true,
            Ty::Option(of) | Ty::Result(of) | Ty::Box(of) => of.grows(),
            Ty::Tuple(parts) => parts.iter().any(Ty::grows),
        }
    }
}

/// A variant of a sum.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub payload: Vec<Ty>,
}

/// What a program declares.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Fields of structs, called `x0`, `x1`, ...
    pub structs: Vec<Vec<Ty>>,
    /// Variants of sums, the first without any part of itself.
    pub sums: Vec<Vec<Variant>>,
}

impl World {
    /// From these numbers.
    pub fn new(random: &mut Random) -> World {
        let mut world = World::default();
        for number in 0..1 + random.below(2) {
            let fields = (0..1 + random.below(4)).map(|_| world.data(random, 1)).collect();
            world.structs.push(fields);
            let mut variants = Vec::new();
            for at in 0..2 + random.below(3) {
                let mut payload: Vec<Ty> = (0..random.below(3)).map(|_| world.data(random, 1)).collect();
                // A variant may hold its own type.
                if at > 0 && random.one_in(3) {
                    payload.push(Ty::Sum(number));
                }
                variants.push(Variant { name: format!("W{number}{}", ['A', 'B', 'C', 'D'][at]), payload });
            }
            world.sums.push(variants);
        }
        world
    }

    /// A type of values that can be shown, so deep at most.
    pub fn data(&self, random: &mut Random, depth: usize) -> Ty {
        let inner = |random: &mut Random| Box::new(self.data(random, depth.saturating_sub(1)));
        if depth == 0 {
            return [Ty::Int, Ty::Int, Ty::Str, Ty::Str, Ty::Bool, Ty::Char][random.below(6)].clone();
        }
        match random.below(14) {
            0..=2 => Ty::Int,
            3 | 4 => Ty::Str,
            5 | 6 => Ty::List(inner(random)),
            7 => Ty::Map(Box::new([Ty::Str, Ty::Int][random.below(2)].clone()), inner(random)),
            8 => Ty::Option(inner(random)),
            9 => Ty::Tuple((0..2 + random.below(2)).map(|_| self.data(random, depth - 1)).collect()),
            10 | 11 if !self.structs.is_empty() => Ty::Struct(random.below(self.structs.len())),
            12 if !self.sums.is_empty() => Ty::Sum(random.below(self.sums.len())),
            13 if random.one_in(2) => Ty::Tree(inner(random)),
            _ => Ty::Box(inner(random)),
        }
    }

    /// Types with their methods.
    pub fn declarations(&self) -> String {
        let mut out = String::new();
        for (number, fields) in self.structs.iter().enumerate() {
            let list: Vec<String> = fields.iter().enumerate().map(|(at, ty)| format!("x{at}: {}", ty.text())).collect();
            let _ = writeln!(out, "#derive(Eq, Debug)\ntype S{number} = {{ {} }}\nimpl S{number} {{", list.join(", "));
            for (at, ty) in fields.iter().enumerate() {
                let ty = ty.text();
                let _ = writeln!(out, "    @put{at} (self, value: {ty}) -> {ty} = {{ let old = self.x{at}; self.x{at} = value; old }}");
            }
            out.push_str("}\n");
        }
        for (number, variants) in self.sums.iter().enumerate() {
            let one = |variant: &Variant| match variant.payload.as_slice() {
                [] => variant.name.clone(),
                payload => format!("{}({})", variant.name, payload.iter().map(Ty::text).collect::<Vec<_>>().join(", ")),
            };
            let _ = writeln!(out, "#derive(Eq, Debug)\ntype V{number} = {};", variants.iter().map(one).collect::<Vec<_>>().join(" | "));
        }
        out
    }
}
