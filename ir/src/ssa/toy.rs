//! A toy level with an op of every shape, for the tests of this crate.

use super::text::Plain;
use super::{Graph, Level, text};
use crate::text::parse;

/// Operand classes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    Int,
    Bool,
    Str,
    /// Any number of anything.
    Rest,
}

/// Types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    Int,
    Bool,
    Str,
    Pair,
}

crate::ops! {
    /// The ops of the toy level.
    pub enum Op: Class;
    Const  = "const"  ()            -> (Int),      imm Int,   targets 0, Pure,   "a number";
    Float  = "float"  ()            -> (Int),      imm Bits,  targets 0, Pure,   "a float by its bits";
    Text   = "text"   ()            -> (Str),      imm Str,   targets 0, Pure,   "a text";
    Add    = "add"    (Int, Int)    -> (Int),      imm None,  targets 0, Panics, "checked sum";
    Sub    = "sub"    (Int, Int)    -> (Int),      imm None,  targets 0, Panics, "checked difference";
    Max    = "max"    (Int, Int)    -> (Int),      imm None,  targets 0, Pure,   "the larger one";
    Cmp    = "cmp"    (Int, Int)    -> (Bool),     imm Word,  targets 0, Pure,   "comparison";
    Split  = "split"  (Int)         -> (Int, Int), imm None,  targets 0, Pure,   "two halves";
    Print  = "print"  (Str)         -> (),         imm None,  targets 0, Writes, "prints a text";
    Call   = "call"   (Rest)        -> (Rest),     imm Item,  targets 0, Writes, "calls a function";
    Reuse  = "reuse"  (Int, Rest)   -> (Int),      imm Item,  targets 0, Pure,   "an item between operands";
    Jump   = "jump"   ()            -> (),         imm None,  targets 1, Ends,   "goes on";
    Branch = "branch" (Bool)        -> (),         imm None,  targets 2, Ends,   "one of two";
    Switch = "switch" (Int)         -> (),         imm Cases, targets crate::ops::CASES, Ends, "one of many";
    Ret    = "ret"    (Rest)        -> (),         imm None,  targets 0, Ends,   "returns";
    Panic  = "panic"  (Str)         -> (),         imm None,  targets 0, Ends,   "a terminator that unwinds";
    Resume = "resume" ()            -> (),         imm None,  targets 0, Ends,   "goes on unwinding";
}

/// The level.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Toy;

const WORDS: [&str; 3] = ["eq", "lt", "gt"];

impl Level for Toy {
    type Op = Op;
    type Type = Ty;
    const NAME: &'static str = "toy";
    const FLAGS: &'static [&'static str] = &["nounwind", "confined", "hot"];

    fn type_text(ty: Ty) -> String {
        match ty {
            Ty::Int => "int",
            Ty::Bool => "bool",
            Ty::Str => "str",
            Ty::Pair => "(int, str)",
        }
        .to_owned()
    }

    fn parse_type(text: &str) -> Option<Ty> {
        [Ty::Int, Ty::Bool, Ty::Str, Ty::Pair].into_iter().find(|&ty| Toy::type_text(ty) == text)
    }

    fn word_text(_op: Op, imm: u64) -> String {
        WORDS.get(imm as usize).map_or_else(|| format!("word {imm}"), |w| (*w).to_owned())
    }

    fn parse_word(_op: Op, text: &str) -> Option<u64> {
        match WORDS.iter().position(|w| *w == text) {
            Some(index) => Some(index as u64),
            None => text.strip_prefix("word ")?.parse().ok().filter(|&n| n >= WORDS.len() as u64),
        }
    }

    fn is_variadic(class: Class) -> bool {
        class == Class::Rest
    }

    fn may_panic(op: Op) -> bool {
        matches!(op, Op::Add | Op::Sub | Op::Call | Op::Panic)
    }

    fn is_ghostly(op: Op) -> bool {
        matches!(op, Op::Const | Op::Max)
    }
}

/// A program with every op, canonical.
pub const SAMPLE: &str = r#"fn @main.f(%0: int, %1: str) -> (int, (int, str)) {
b0:
  %2: int = const -5
  %3: int = float 0x3ff0000000000000
  %4: str = text "a \"b\"\n\u{1}é"
  %5: int = add %0, %2, b2 !3:24
  %6: int, %7: int = split %5
  %8: bool = cmp %6, %7, lt
  branch %8, b1, b4(%7, %4)
b1:
  %9: (int, str), %10: int = call @$main.c, %5, %1, b2 !@leaf.g 1:4 < 3:9
  switch %10, 0, b3(%10), -7, b4(%6, %1), b4(%5, %4)
b2:
  print %4
  jump b5
b3(%11: int):
  call @=main.f.p, {nounwind}
  %12: int = max %11, %5
  %13: int = sub %12, %5, {nounwind}
  ret %13
b4(%14: int, %15: str):
  print %15, {confined, hot}
  %16: int = reuse %14, @#main.T~1, %14, %7
  panic %1, b5 !9:1
b5:
  resume
}
"#;

/// The graph of one function in text.
#[track_caller]
pub fn graph(function: &str) -> Graph<Toy> {
    let dump = parse(&format!("ori-ir toy.t 1\n{function}")).unwrap_or_else(|e| panic!("{e}\n{function}"));
    text::parse_function(&dump.functions[0], &mut Plain).unwrap_or_else(|e| panic!("{e}\n{function}"))
}

/// The text of a graph.
pub fn print(graph: &Graph<Toy>) -> String {
    let mut out = String::new();
    text::print_graph(&mut out, graph, &Plain);
    out
}

/// Deterministic noise.
pub struct Noise(pub u64);

impl Noise {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}
