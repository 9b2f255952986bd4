//! The types of a generated program, and what is declared about them.

use std::fmt::Write as _;

/// A type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ty {
    Int,
    Bool,
    Float,
    Str,
    Char,
    /// Two or three of them.
    Tuple(Vec<Ty>),
    /// A declared type, by number, with its arguments.
    Named(usize, Vec<Ty>),
    Option(Box<Ty>),
    Result(Box<Ty>, Box<Ty>),
    /// A type parameter of the item around.
    Param(usize),
    Function(Vec<Ty>, Box<Ty>),
}

impl Ty {
    /// With these in the place of type parameters.
    pub fn with(&self, args: &[Ty]) -> Ty {
        let all = |parts: &[Ty]| parts.iter().map(|part| part.with(args)).collect();
        match self {
            Ty::Int | Ty::Bool | Ty::Float | Ty::Str | Ty::Char => self.clone(),
            Ty::Tuple(parts) => Ty::Tuple(all(parts)),
            Ty::Named(number, parts) => Ty::Named(*number, all(parts)),
            Ty::Option(inner) => Ty::Option(Box::new(inner.with(args))),
            Ty::Result(ok, err) => Ty::Result(Box::new(ok.with(args)), Box::new(err.with(args))),
            Ty::Param(index) => args.get(*index).cloned().unwrap_or(Ty::Int),
            Ty::Function(params, result) => Ty::Function(all(params), Box::new(result.with(args))),
        }
    }

    /// Does a type parameter occur in it?
    pub fn is_open(&self) -> bool {
        match self {
            Ty::Int | Ty::Bool | Ty::Float | Ty::Str | Ty::Char => false,
            Ty::Tuple(parts) | Ty::Named(_, parts) => parts.iter().any(Ty::is_open),
            Ty::Option(inner) => inner.is_open(),
            Ty::Result(ok, err) => ok.is_open() || err.is_open(),
            Ty::Param(_) => true,
            Ty::Function(params, result) => params.iter().chain([&**result]).any(Ty::is_open),
        }
    }

    /// The arguments with which this open type is that closed one; those that it does not tell stay `None`.
    pub fn fits(&self, closed: &Ty, args: &mut [Option<Ty>]) -> bool {
        let all = |ours: &[Ty], theirs: &[Ty], args: &mut [Option<Ty>]| {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(our, their)| our.fits(their, args))
        };
        match (self, closed) {
            (Ty::Param(index), _) => match args.get_mut(*index) {
                Some(Some(known)) => known == closed,
                Some(open) => {
                    *open = Some(closed.clone());
                    true
                }
                None => false,
            },
            (Ty::Tuple(ours), Ty::Tuple(theirs)) => all(ours, theirs, args),
            (Ty::Named(our, ours), Ty::Named(their, theirs)) => our == their && all(ours, theirs, args),
            (Ty::Option(our), Ty::Option(their)) => our.fits(their, args),
            (Ty::Result(ok, err), Ty::Result(their_ok, their_err)) => ok.fits(their_ok, args) && err.fits(their_err, args),
            (Ty::Function(ours, our), Ty::Function(theirs, their)) => all(ours, theirs, args) && our.fits(their, args),
            _ => self == closed,
        }
    }
}

/// The letters of type parameters.
const LETTERS: [&str; 3] = ["A", "B", "C"];

/// The text of a type.
pub fn text(ty: &Ty) -> String {
    let list = |parts: &[Ty]| parts.iter().map(text).collect::<Vec<_>>().join(", ");
    match ty {
        Ty::Int => "int".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Float => "float".to_owned(),
        Ty::Str => "str".to_owned(),
        Ty::Char => "char".to_owned(),
        Ty::Tuple(parts) => format!("({})", list(parts)),
        Ty::Named(number, args) if args.is_empty() => format!("T{number}"),
        Ty::Named(number, args) => format!("T{number}<{}>", list(args)),
        Ty::Option(inner) => format!("Option<{}>", text(inner)),
        Ty::Result(ok, err) => format!("Result<{}, {}>", text(ok), text(err)),
        Ty::Param(index) => LETTERS[index % LETTERS.len()].to_owned(),
        Ty::Function(params, result) => format!("({}) -> {}", list(params), text(result)),
    }
}

/// `<A, B: Tr0>`, or nothing.
pub fn generics(bounds: &[Vec<usize>]) -> String {
    if bounds.is_empty() {
        return String::new();
    }
    let params = bounds.iter().enumerate().map(|(index, bounds)| {
        let mut out = LETTERS[index % LETTERS.len()].to_owned();
        for (at, bound) in bounds.iter().enumerate() {
            let _ = write!(out, "{}Tr{bound}", if at == 0 { ": " } else { " + " });
        }
        out
    });
    format!("<{}>", params.collect::<Vec<_>>().join(", "))
}

/// A variant: its name and payload, whose parts are all named or all not.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub is_named: bool,
    pub payload: Vec<Ty>,
}

/// A declared type.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Number of type parameters.
    pub generics: usize,
    pub shape: Shape,
}

/// What a declared type is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Types of the fields `x0`, `x1`, ..
    Struct(Vec<Ty>),
    /// The first variant has no payload that contains the type.
    Sum(Vec<Variant>),
}

/// A method of a trait: `@mN (self, k: int) -> result`.
#[derive(Clone, Debug)]
pub struct Method {
    pub name: String,
    /// `None`: `Self`.
    pub result: Option<Ty>,
    pub has_default: bool,
}

/// An impl of a trait for a type; type parameters are bounded by the trait itself.
#[derive(Clone, Debug)]
pub struct Implementation {
    pub interface: usize,
    pub generics: usize,
    pub ty: Ty,
}

/// What a function looks like from outside.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Bounds of each type parameter.
    pub generics: Vec<Vec<usize>>,
    pub params: Vec<Ty>,
    pub result: Ty,
}
