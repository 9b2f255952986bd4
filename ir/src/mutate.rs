//! Deterministic damage to a graph: how good a verifier is, is how many mutants of real bodies it refuses (`design/ir.md` G3).
//!
//! A mutant differs from its graph in one way, and the difference shows in the printed text. It may be well-formed (another operand of the
//! same type) or broken (a dangling name): a gate wants it refused by the verifier, or run equal. Ids of values, instructions and blocks
//! that the mutation does not touch stay as they are in the compact graph.

mod edits;
#[cfg(test)]
mod tests;

use crate::Where;
use crate::ssa::compact::compact;
use crate::ssa::text::{Plain, print_graph};
use crate::ssa::{Graph, Inst, Level};

use edits::Mutator;

/// What was done to a graph.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mutation {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// Where, in the mutant: block ids and positions.
    pub at: Where,
    /// The instruction of the mutant to watch: it was executed exactly when the mutation could matter. `None` when the block was changed
    /// as a whole.
    pub inst: Option<Inst>,
}

macro_rules! kinds {
    ($($Kind:ident = $name:literal, $meaning:literal;)+) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        enum Kind {
            $(#[doc = $meaning] $Kind,)+
        }
        const ALL: &[Kind] = &[$(Kind::$Kind),+];
        /// Names of all kinds of mutations.
        pub const KINDS: &[&str] = &[$($name),+];
        /// What each kind does, in the order of [`KINDS`].
        pub const MEANINGS: &[&str] = &[$($meaning),+];
    };
}

kinds! {
    OperandSame     = "operand-same-type",  "an operand becomes another value of its type";
    OperandOther    = "operand-other-type", "an operand becomes a value of another type";
    OperandDangling = "operand-dangling",   "an operand becomes a value that does not exist";
    OperandSwap     = "operand-swap",       "two operands change places";
    OperandDrop     = "operand-drop",       "an operand goes";
    OperandAdd      = "operand-add",        "an operand is given twice";
    InstSwap        = "inst-swap",          "two neighbours in a block change places";
    InstDelete      = "inst-delete",        "an instruction goes, and its results dangle";
    InstReplace     = "inst-replace",       "an instruction goes, and another value of its type stands for each result";
    InstDuplicate   = "inst-duplicate",     "an instruction runs twice";
    InstMove        = "inst-move",          "an instruction moves to another block";
    TargetBlock     = "target-block",       "an edge goes to another block";
    TargetSwap      = "target-swap",        "two targets of a branch change places";
    TargetArgSame   = "target-arg-same",    "a target argument becomes another value of its type";
    TargetArgSwap   = "target-arg-swap",    "two arguments of a target change places";
    TargetArgDrop   = "target-arg-drop",    "a target argument goes";
    TargetArgAdd    = "target-arg-add",     "a target gets one argument more";
    ImmStep         = "imm-step",           "a number, or a case of a switch, is one more or less";
    ImmBit          = "imm-bit",            "one bit of a number flips";
    ImmName         = "imm-name",           "an item, word or text becomes another one";
    OpSame          = "op-same-shape",      "an op becomes another one of the same shape";
    OpOther         = "op-other-shape",     "an op becomes another one of another shape";
    Retype          = "retype",             "a value gets another type";
    ResultAdd       = "result-add",         "an instruction gets a result more";
    ResultDrop      = "result-drop",        "an instruction loses its last result";
    DefineAgain     = "define-again",       "an instruction defines the value that another one defines";
    UnwindRemove    = "unwind-remove",      "an unwind edge goes";
    UnwindRedirect  = "unwind-redirect",    "an unwind edge goes to another block";
    UnwindAdd       = "unwind-add",         "an instruction gets an unwind edge";
    PlaceClear      = "place-clear",        "a place goes";
    PlaceRedirect   = "place-redirect",     "a place becomes another one";
    ParamDrop       = "param-drop",         "a block loses a parameter";
    ParamAdd        = "param-add",          "a block gets a parameter more";
    TerminatorDrop  = "terminator-drop",    "a block loses its terminator";
    FlagNamed       = "flag-named",         "a flag is set or cleared";
    FlagUnknown     = "flag-unknown",       "a flag without a name is set";
}

/// A mutant of a graph: which one, depends on `seed` alone. `types` are those that values may be retyped to, besides the graph's own.
///
/// The kind is drawn first; when it does not apply, the following kinds are tried in order. `None` when none applies, as for a graph
/// without blocks.
pub fn mutate<L: Level>(graph: &Graph<L>, seed: u64, types: &[L::Type]) -> Option<(Graph<L>, Mutation)> {
    let base = compact(graph);
    let text = text_of(&base);
    let first = Random::new(seed).below(ALL.len());
    (0..ALL.len()).find_map(|step| one(&base, &text, (first + step) % ALL.len(), seed, types))
}

/// A mutant of the kind with this index in [`KINDS`], or `None` when the kind does not apply to this graph.
pub fn mutate_kind<L: Level>(graph: &Graph<L>, kind: usize, seed: u64, types: &[L::Type]) -> Option<(Graph<L>, Mutation)> {
    let base = compact(graph);
    let text = text_of(&base);
    one(&base, &text, kind, seed, types)
}

fn text_of<L: Level>(graph: &Graph<L>) -> String {
    let mut text = String::new();
    print_graph(&mut text, graph, &Plain);
    text
}

/// How often a kind is tried: its spot may not suit it, or the mutant may print like the original.
const TRIES: u64 = 8;

fn one<L: Level>(base: &Graph<L>, text: &str, kind: usize, seed: u64, types: &[L::Type]) -> Option<(Graph<L>, Mutation)> {
    for attempt in 0..TRIES {
        let random = Random::new(seed ^ (attempt << 56) ^ ((kind as u64) << 48));
        let mut mutator = Mutator { graph: base.clone(), random, types };
        let Some((at, inst)) = mutator.apply(*ALL.get(kind)?) else { continue };
        if text_of(&mutator.graph) != text {
            return Some((mutator.graph, Mutation { kind: KINDS[kind], at, inst }));
        }
    }
    None
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() { None } else { Some(items[self.below(items.len())]) }
    }
}
