//! The op table of LIR.
//!
//! Small integers (`i8`, `i32`) are kept zero-extended: the unused upper bits of the 64-bit register are zero. Integer arithmetic is 64-bit (`i64`, `ptr`).
//! A check that fails calls the runtime entry of its panic kind, with the op's place; its unwind edge says where unwinding goes on in this function.

use abi::PanicKind;
use ir::ops::CASES;

use crate::ir::Type;

/// What an operand or result may be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// `i64`
    I64,
    /// `f64`
    F64,
    /// `i8`
    I8,
    /// `ptr`
    Ptr,
    /// `i64` or `ptr`
    Word,
    /// `i8`, `i32`, `i64` or `ptr`
    Int,
    /// `i8`, `i32` or `i64`
    Number,
    /// `i8` or `i32`
    Small,
    /// The type of the first operand.
    Same,
    /// Any machine type.
    Any,
    /// Any number of operands of any machine type; stands last.
    Many,
}

impl Class {
    /// May a value of this type stand there? `first` is the type of the first operand, where that is known.
    pub const fn admits(self, ty: Type, first: Option<Type>) -> bool {
        match self {
            Class::I64 => matches!(ty, Type::I64),
            Class::F64 => matches!(ty, Type::F64),
            Class::I8 => matches!(ty, Type::I8),
            Class::Ptr => matches!(ty, Type::Ptr),
            Class::Word => matches!(ty, Type::I64 | Type::Ptr),
            Class::Int => ty.is_int(),
            Class::Number => ty.is_int() && !matches!(ty, Type::Ptr),
            Class::Small => matches!(ty, Type::I8 | Type::I32),
            Class::Same => match first {
                Some(first) => ty as u8 == first as u8,
                None => true,
            },
            Class::Any | Class::Many => true,
        }
    }
}

ir::ops! {
    /// The ops of LIR.
    pub enum Op: Class;
    // Constants and addresses.
    Iconst    = "iconst"    () -> (Int),  imm Int,  targets 0, Pure, "an integer of the result's type";
    Fconst    = "fconst"    () -> (F64),  imm Bits, targets 0, Pure, "a double, by its bits";
    Data      = "data"      () -> (Ptr),  imm Str,  targets 0, Pure, "address of static read-only text";
    Static    = "static"    () -> (Ptr),  imm Str,  targets 0, Pure, "address of the first section of static read-only data, laid out as its text says";
    Code      = "code"      () -> (Ptr),  imm Item, targets 0, Pure, "address of a function of the program";
    Slot      = "slot"      () -> (Ptr),  imm Int,  targets 0, Writes, "address of a fresh stack slot of that many bytes, 8-aligned; one slot per instruction";
    // Wrapping integer arithmetic.
    Add       = "add"       (Word, I64) -> (Same), imm None, targets 0, Pure, "sum modulo 2^64";
    Sub       = "sub"       (I64, I64) -> (I64), imm None, targets 0, Pure, "difference modulo 2^64";
    Mul       = "mul"       (I64, I64) -> (I64), imm None, targets 0, Pure, "product modulo 2^64";
    MulHigh   = "mul_high"  (I64, I64) -> (I64), imm None, targets 0, Pure, "upper half of the signed 128-bit product";
    Neg       = "neg"       (I64) -> (I64),      imm None, targets 0, Pure, "negation modulo 2^64";
    And       = "and"       (Number, Same) -> (Same), imm None, targets 0, Pure, "bitwise and";
    Or        = "or"        (Number, Same) -> (Same), imm None, targets 0, Pure, "bitwise or";
    Xor       = "xor"       (Number, Same) -> (Same), imm None, targets 0, Pure, "bitwise exclusive or";
    Shl       = "shl"       (I64, I64) -> (I64), imm None, targets 0, Pure, "left shift, count modulo 64";
    Shr       = "shr"       (I64, I64) -> (I64), imm None, targets 0, Pure, "logical right shift, count modulo 64";
    Sar       = "sar"       (I64, I64) -> (I64), imm None, targets 0, Pure, "arithmetic right shift, count modulo 64";
    // Division; the operands have been checked.
    Sdiv      = "sdiv"      (I64, I64) -> (I64), imm None, targets 0, Pure, "quotient toward zero; divisor not 0, not (min, -1), proved by a check or a literal";
    Srem      = "srem"      (I64, I64) -> (I64), imm None, targets 0, Pure, "remainder, same conditions";
    // Checked arithmetic: one instruction and one branch.
    AddCheck  = "add_check" (I64, I64) -> (I64), imm Word, targets 0, Panics, "sum, or the panic kind";
    SubCheck  = "sub_check" (I64, I64) -> (I64), imm Word, targets 0, Panics, "difference, or the panic kind";
    MulCheck  = "mul_check" (I64, I64) -> (I64), imm Word, targets 0, Panics, "product, or the panic kind";
    NegCheck  = "neg_check" (I64) -> (I64),      imm Word, targets 0, Panics, "negation, or the panic kind";
    Check     = "check"     (Int, Same, Many) -> (), imm Word, targets 0, Panics, "goes on when the comparison holds, else panics with the kind and the further operands";
    // Comparison.
    Icmp      = "icmp"      (Int, Same) -> (I8), imm Word, targets 0, Pure, "1 when the comparison holds, else 0";
    Fcmp      = "fcmp"      (F64, F64) -> (I8),  imm Word, targets 0, Pure, "1 when the comparison holds, else 0";
    Select    = "select"    (I8, Any, Any) -> (Any), imm None, targets 0, Pure, "the second operand when the first is not 0, else the third";
    // Width.
    Zext      = "zext"      (Small) -> (I64),    imm None, targets 0, Pure, "the zero-extended value as i64";
    Trunc     = "trunc"     (I64) -> (Small),    imm None, targets 0, Pure, "the low bits in the result's type, upper bits cleared";
    // Floats.
    Fadd      = "fadd"      (F64, F64) -> (F64), imm None, targets 0, Pure, "IEEE sum";
    Fsub      = "fsub"      (F64, F64) -> (F64), imm None, targets 0, Pure, "IEEE difference";
    Fmul      = "fmul"      (F64, F64) -> (F64), imm None, targets 0, Pure, "IEEE product";
    Fdiv      = "fdiv"      (F64, F64) -> (F64), imm None, targets 0, Pure, "IEEE quotient";
    Fneg      = "fneg"      (F64) -> (F64),      imm None, targets 0, Pure, "sign flipped";
    Fabs      = "fabs"      (F64) -> (F64),      imm None, targets 0, Pure, "sign cleared";
    Fsqrt     = "fsqrt"     (F64) -> (F64),      imm None, targets 0, Pure, "square root";
    FloatOfInt = "float_of_int" (I64) -> (F64),  imm None, targets 0, Pure, "nearest double";
    IntOfFloat = "int_of_float" (F64) -> (I64),  imm None, targets 0, Pure, "integral part; in range, proved by checks";
    BitsOfFloat = "bits_of_float" (F64) -> (I64), imm None, targets 0, Pure, "bit pattern";
    FloatOfBits = "float_of_bits" (I64) -> (F64), imm None, targets 0, Pure, "double of a bit pattern";
    // Memory.
    Load      = "load"      (Ptr) -> (Any),      imm Int, targets 0, Reads, "value at address + offset";
    Store     = "store"     (Ptr, Any) -> (),    imm Int, targets 0, Writes, "writes the value at address + offset";
    // Cells. Their header stands in front of the address (`abi::layout`).
    Alloc     = "alloc"     () -> (Ptr),         imm Int, targets 0, Writes, "a fresh cell with one holder: the low 8 bits are its size class, those above the tag of its type";
    Free      = "free"      (Ptr) -> (),         imm Int, targets 0, Writes, "gives a cell of this size class back, whose count is 0; nothing uses it any more";
    CountUp   = "count_up"  (Word) -> (),         imm None, targets 0, Writes, "one more holder of a cell";
    CountDown = "count_down" (Word) -> (I8),      imm None, targets 0, Writes, "one holder less; 1 when that was the last one, and then the count is -1";
    // Calls.
    Runtime   = "rt"        (Many) -> (Many),    imm Word, targets 0, Writes, "a runtime call in its convention; never panics, at most one result";
    Call      = "call"      (Many) -> (Many),    imm Item, targets 0, Panics, "a call";
    CallPtr   = "call_ptr"  (Ptr, Many) -> (Many), imm None, targets 0, Panics, "a call of the function at an address; one more address behind its arguments does no harm";
    // Terminators.
    Jump      = "jump"      () -> (),            imm None, targets 1, Ends, "goes on";
    Branch    = "branch"    (I8) -> (),          imm None, targets 2, Ends, "first target when not 0";
    Switch    = "switch"    (Number) -> (),      imm Cases, targets CASES, Ends, "target of the equal case, else the last";
    Return    = "ret"       (Many) -> (),        imm None, targets 0, Ends, "the results";
    Tail      = "tail"      (Many) -> (),        imm Item, targets 0, Ends, "calls and returns its results in constant stack";
    Panic     = "panic"     (Many) -> (),        imm Word, targets 0, Ends, "panics with the kind and its operands (ints, or addresses of texts); has place and unwind edge";
    Resume    = "resume"    () -> (),            imm None, targets 0, Ends, "goes on unwinding in the caller";
    Unreachable = "unreachable" () -> (),        imm None, targets 0, Ends, "proved not to be reached; traps if it is";
}

/// Names of the flag bits of a LIR instruction.
pub const FLAGS: &[&str] = &["nounwind", "invariant"];
/// On a call: the callee does not unwind.
pub const NOUNWIND: u16 = 1;
/// On a load: the memory never changes while it can be read (static data).
pub const INVARIANT: u16 = 2;

/// Integer comparisons, 64-bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Cond {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Signed less.
    Slt,
    /// Signed less or equal.
    Sle,
    /// Signed greater.
    Sgt,
    /// Signed greater or equal.
    Sge,
    /// Unsigned less.
    Ult,
    /// Unsigned less or equal.
    Ule,
    /// Unsigned greater.
    Ugt,
    /// Unsigned greater or equal.
    Uge,
}

impl Cond {
    /// All, in number order.
    pub const ALL: [Cond; 10] =
        [Cond::Eq, Cond::Ne, Cond::Slt, Cond::Sle, Cond::Sgt, Cond::Sge, Cond::Ult, Cond::Ule, Cond::Ugt, Cond::Uge];
    const NAMES: [&str; 10] = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"];

    /// The name in dumps.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The condition with this name.
    pub fn from_name(name: &str) -> Option<Cond> {
        Self::NAMES.iter().position(|n| *n == name).map(|i| Self::ALL[i])
    }

    /// True exactly when this one is false.
    pub const fn inverse(self) -> Cond {
        match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Slt => Cond::Sge,
            Cond::Sle => Cond::Sgt,
            Cond::Sgt => Cond::Sle,
            Cond::Sge => Cond::Slt,
            Cond::Ult => Cond::Uge,
            Cond::Ule => Cond::Ugt,
            Cond::Ugt => Cond::Ule,
            Cond::Uge => Cond::Ult,
        }
    }

    /// The condition after the operands are swapped.
    pub const fn swapped(self) -> Cond {
        match self {
            Cond::Eq => Cond::Eq,
            Cond::Ne => Cond::Ne,
            Cond::Slt => Cond::Sgt,
            Cond::Sle => Cond::Sge,
            Cond::Sgt => Cond::Slt,
            Cond::Sge => Cond::Sle,
            Cond::Ult => Cond::Ugt,
            Cond::Ule => Cond::Uge,
            Cond::Ugt => Cond::Ult,
            Cond::Uge => Cond::Ule,
        }
    }

    /// Does it hold for these 64-bit operands?
    pub const fn holds(self, a: i64, b: i64) -> bool {
        let (ua, ub) = (a as u64, b as u64);
        match self {
            Cond::Eq => a == b,
            Cond::Ne => a != b,
            Cond::Slt => a < b,
            Cond::Sle => a <= b,
            Cond::Sgt => a > b,
            Cond::Sge => a >= b,
            Cond::Ult => ua < ub,
            Cond::Ule => ua <= ub,
            Cond::Ugt => ua > ub,
            Cond::Uge => ua >= ub,
        }
    }
}

/// Float comparisons: all but `ne` are false when an operand is NaN.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum FloatCond {
    /// Equal.
    Eq,
    /// Not equal, or an operand is NaN.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

impl FloatCond {
    /// All, in number order.
    pub const ALL: [FloatCond; 6] = [FloatCond::Eq, FloatCond::Ne, FloatCond::Lt, FloatCond::Le, FloatCond::Gt, FloatCond::Ge];
    const NAMES: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];

    /// The name in dumps.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The condition with this name.
    pub fn from_name(name: &str) -> Option<FloatCond> {
        Self::NAMES.iter().position(|n| *n == name).map(|i| Self::ALL[i])
    }

    /// Does it hold for these operands?
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            FloatCond::Eq => a == b,
            FloatCond::Ne => a != b,
            FloatCond::Lt => a < b,
            FloatCond::Le => a <= b,
            FloatCond::Gt => a > b,
            FloatCond::Ge => a >= b,
        }
    }
}

/// The immediate of `check`: a comparison and a panic kind. Text `slt.index_out_of_bounds`.
pub const fn check_imm(cond: Cond, kind: PanicKind) -> u64 {
    cond as u64 | (kind as u64) << 8
}

/// The parts of a `check` immediate; `None` when it has none (mutants).
pub fn check_parts(imm: u64) -> Option<(Cond, PanicKind)> {
    let cond = *Cond::ALL.get((imm & 0xff) as usize)?;
    Some((cond, PanicKind::from_number(imm >> 8)?))
}
