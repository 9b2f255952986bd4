//! The op-table macro: one row defines an op, and nothing about an op is written twice.
//!
//! From a table come the enum, the printer and parser of its name, arity and type checks, TSV columns and the reference page.
//!
//! ```
//! #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
//! pub enum Class { Int, Bool }
//! ir::ops! {
//!     /// The ops of a tiny level.
//!     pub enum Op: Class;
//!     Add  = "add"  (Int, Int) -> (Int),  imm None, targets 0, Panics, "checked sum";
//!     Less = "less" (Int, Int) -> (Bool), imm None, targets 0, Pure,   "signed comparison";
//! }
//! assert_eq!(Op::from_name("add"), Some(Op::Add));
//! assert_eq!(Op::Less.info().operands, &[Class::Int, Class::Int]);
//! ```

/// What running an op may do besides giving its results. Every motion rule cites it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Nothing: may be removed when unused, merged with an equal one, moved.
    Pure,
    /// May panic: keeps its order against `Writes` and other `Panics`, and has a place. Removable only when proved not to panic.
    Panics,
    /// Reads memory that a `Writes` may change.
    Reads,
    /// Observable, or changes memory.
    Writes,
    /// Ends a block.
    Ends,
}

impl Effect {
    /// The word in the reference page.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Pure => "pure",
            Effect::Panics => "panics",
            Effect::Reads => "reads",
            Effect::Writes => "writes",
            Effect::Ends => "ends",
        }
    }
}

/// How the immediate of an op is stored in 64 bits and written in a dump.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Imm {
    /// No immediate.
    None,
    /// `i64`, written in decimal.
    Int,
    /// 64 bits, written as `0x` and 16 hex digits (float literals).
    Bits,
    /// Raw number of a [`crate::Symbol`], written as a quoted string.
    Str,
    /// Raw number of an [`crate::ItemId`], written `@name`.
    Item,
    /// A word that the level prints and parses (`Level::word`): condition codes, panic kinds, runtime calls.
    Word,
    /// A list of `i64` case values in the graph's `ints` pool; written between the targets: `switch %2, 0, b1, 5, b2, b3`.
    Cases,
}

/// Number of targets of an op that is not a fixed count: one more than its case values.
pub const CASES: u8 = u8::MAX;

/// One row of an op table. `C` is the level's operand class.
#[derive(Debug)]
pub struct OpInfo<C: 'static> {
    /// Name in dumps.
    pub name: &'static str,
    /// Class of each operand; a variadic class may stand last.
    pub operands: &'static [C],
    /// Class of each result; a variadic class may stand last.
    pub results: &'static [C],
    /// Kind of immediate.
    pub imm: Imm,
    /// Number of targets, [`CASES`] for a switch.
    pub targets: u8,
    /// What running it may do.
    pub effect: Effect,
    /// One line for the reference page.
    pub meaning: &'static str,
}

/// What the op enum of a level offers; implemented by [`ops!`](crate::ops!).
pub trait OpTable: Copy + Eq + std::hash::Hash + std::fmt::Debug + 'static {
    /// Operand and result classes.
    type Class: Copy + Eq + std::fmt::Debug + 'static;
    /// All ops in table order.
    const ALL: &'static [Self];
    /// The row of this op.
    fn info(self) -> &'static OpInfo<Self::Class>;
    /// The op with this name.
    fn from_name(name: &str) -> Option<Self>;
}

/// Defines an op enum from its table. See the module page for the form of a row.
#[macro_export]
macro_rules! ops {
    (
        $(#[$meta:meta])*
        pub enum $Op:ident : $Class:ty;
        $( $name:ident = $text:literal ($($operand:ident),* $(,)?) -> ($($result:ident),* $(,)?),
           imm $imm:ident, targets $targets:expr, $effect:ident, $meaning:literal; )+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $Op {
            $( #[doc = $meaning] $name, )+
        }

        impl $Op {
            /// All ops in table order.
            pub const ALL: &'static [$Op] = &[$($Op::$name),+];

            /// The row of this op.
            #[inline]
            pub const fn info(self) -> &'static $crate::ops::OpInfo<$Class> {
                const TABLE: &[$crate::ops::OpInfo<$Class>] = &[
                    $( $crate::ops::OpInfo {
                        name: $text,
                        operands: &[$(<$Class>::$operand),*],
                        results: &[$(<$Class>::$result),*],
                        imm: $crate::ops::Imm::$imm,
                        targets: $targets,
                        effect: $crate::ops::Effect::$effect,
                        meaning: $meaning,
                    }, )+
                ];
                &TABLE[self as usize]
            }

            /// The op with this name.
            pub fn from_name(name: &str) -> Option<$Op> {
                match name {
                    $( $text => Some($Op::$name), )+
                    _ => None,
                }
            }
        }

        impl $crate::ops::OpTable for $Op {
            type Class = $Class;
            const ALL: &'static [Self] = $Op::ALL;
            #[inline]
            fn info(self) -> &'static $crate::ops::OpInfo<$Class> {
                $Op::info(self)
            }
            fn from_name(name: &str) -> Option<Self> {
                $Op::from_name(name)
            }
        }
    };
}
