//! The op table of MIR.
//!
//! Ops work on values of language types. An op that panics carries a place and an unwind edge (or the flag `nounwind`, when proved not to panic);
//! its panic kind follows from the op and its operands, as its meaning says.
//!
//! What an op does with the ownership of its operands is beside it, in [`crate::ownership::roles`]: a new op has a row there too.

use ir::ops::CASES;
use ir::ssa::{Graph, Inst};

use crate::ir::Mir;

/// What an operand or result may be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// `int`
    Int,
    /// `float`
    Float,
    /// `bool`
    Bool,
    /// `char`
    Char,
    /// `byte`
    Byte,
    /// `str`
    Str,
    /// `void`
    Void,
    /// int, char, byte or bool.
    Discrete,
    /// int or byte.
    Bits,
    /// The type of the first operand.
    Same,
    /// Any type.
    Any,
    /// A tuple or struct.
    Aggregate,
    /// A sum of several variants.
    Sum,
    /// A list.
    List,
    /// A cell on the heap.
    Cell,
    /// A value with a hole.
    Hole,
    /// A function value.
    Function,
    /// A trait object.
    Object,
    /// Element type of the list that is the first operand.
    Element,
    /// Any number of operands of any type; stands last.
    Many,
}

ir::ops! {
    /// The ops of MIR.
    pub enum Op: Class;
    // Literals.
    Int       = "int"       () -> (Int),   imm Int,  targets 0, Pure, "an int";
    Float     = "float"     () -> (Float), imm Bits, targets 0, Pure, "a float, by its bits";
    Bool      = "bool"      () -> (Bool),  imm Int,  targets 0, Pure, "a bool: 0 or 1";
    Char      = "char"      () -> (Char),  imm Int,  targets 0, Pure, "a char, by its code";
    Byte      = "byte"      () -> (Byte),  imm Int,  targets 0, Pure, "a byte";
    Str       = "str"       () -> (Str),   imm Str,  targets 0, Pure, "a text";
    Unit      = "unit"      () -> (Void),  imm None, targets 0, Pure, "the value of type void";
    // Checked integer arithmetic.
    Add       = "add"       (Int, Int) -> (Int), imm None, targets 0, Panics, "sum; add_overflow";
    Sub       = "sub"       (Int, Int) -> (Int), imm None, targets 0, Panics, "difference; sub_overflow";
    Mul       = "mul"       (Int, Int) -> (Int), imm None, targets 0, Panics, "product; mul_overflow";
    Div       = "div"       (Int, Int) -> (Int), imm None, targets 0, Panics, "quotient toward zero; div_by_zero, div_overflow";
    Rem       = "rem"       (Int, Int) -> (Int), imm None, targets 0, Panics, "remainder with the dividend's sign; rem_by_zero, rem_overflow";
    FloorDiv  = "floordiv"  (Int, Int) -> (Int), imm None, targets 0, Panics, "quotient toward minus infinity; div_by_zero, floordiv_overflow";
    Neg       = "neg"       (Int) -> (Int),      imm None, targets 0, Panics, "negation; neg_overflow";
    Abs       = "abs"       (Int) -> (Int),      imm None, targets 0, Panics, "absolute value; abs_overflow";
    Shl       = "shl"       (Int, Int) -> (Int), imm None, targets 0, Panics, "a * 2^n; negative_shift, shift_too_large, shift_overflow";
    Shr       = "shr"       (Int, Int) -> (Int), imm None, targets 0, Panics, "arithmetic shift; negative_shift, shift_too_large";
    ByteShl   = "byte_shl"  (Byte, Int) -> (Byte), imm None, targets 0, Panics, "shift within 8 bits; negative_shift, shift_too_large, shift_overflow";
    ByteShr   = "byte_shr"  (Byte, Int) -> (Byte), imm None, targets 0, Panics, "logical shift; negative_shift, shift_too_large";
    // Arithmetic that cannot fail.
    WrapAdd   = "wrap_add"  (Int, Int) -> (Int), imm None, targets 0, Pure, "sum modulo 2^64";
    WrapSub   = "wrap_sub"  (Int, Int) -> (Int), imm None, targets 0, Pure, "difference modulo 2^64";
    WrapMul   = "wrap_mul"  (Int, Int) -> (Int), imm None, targets 0, Pure, "product modulo 2^64";
    And       = "and"       (Bits, Same) -> (Same), imm None, targets 0, Pure, "bitwise and";
    Or        = "or"        (Bits, Same) -> (Same), imm None, targets 0, Pure, "bitwise or";
    Xor       = "xor"       (Bits, Same) -> (Same), imm None, targets 0, Pure, "bitwise exclusive or";
    BitNot    = "bit_not"   (Bits) -> (Same),    imm None, targets 0, Pure, "bitwise complement in the type's width";
    Not       = "not"       (Bool) -> (Bool),    imm None, targets 0, Pure, "negation";
    // Comparison.
    Eq        = "eq"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "equal";
    Ne        = "ne"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "not equal";
    Lt        = "lt"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "less";
    Le        = "le"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "less or equal";
    Gt        = "gt"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "greater";
    Ge        = "ge"        (Discrete, Same) -> (Bool), imm None, targets 0, Pure, "greater or equal";
    Select    = "select"    (Bool, Any, Any) -> (Any), imm None, targets 0, Pure, "the second operand when the first is true, else the third; all of one type";
    // Floats.
    FAdd      = "fadd"      (Float, Float) -> (Float), imm None, targets 0, Pure, "IEEE sum";
    FSub      = "fsub"      (Float, Float) -> (Float), imm None, targets 0, Pure, "IEEE difference";
    FMul      = "fmul"      (Float, Float) -> (Float), imm None, targets 0, Pure, "IEEE product";
    FDiv      = "fdiv"      (Float, Float) -> (Float), imm None, targets 0, Pure, "IEEE quotient";
    FNeg      = "fneg"      (Float) -> (Float), imm None, targets 0, Pure, "sign flipped";
    FAbs      = "fabs"      (Float) -> (Float), imm None, targets 0, Pure, "sign cleared";
    FSqrt     = "fsqrt"     (Float) -> (Float), imm None, targets 0, Pure, "correctly rounded square root";
    FEq       = "feq"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE equal";
    FNe       = "fne"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE not equal";
    FLt       = "flt"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE less";
    FLe       = "fle"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE less or equal";
    FGt       = "fgt"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE greater";
    FGe       = "fge"       (Float, Float) -> (Bool), imm None, targets 0, Pure, "IEEE greater or equal";
    // Conversions.
    IntToFloat = "int_to_float" (Int) -> (Float), imm None, targets 0, Pure, "nearest float";
    FloatToInt = "float_to_int" (Float) -> (Int), imm None, targets 0, Panics, "integral part; float_out_of_range";
    FloatBits = "float_bits" (Float) -> (Int),  imm None, targets 0, Pure, "bit pattern; of a NaN always 0x7ff8000000000000";
    FloatOfBits = "float_of_bits" (Int) -> (Float), imm None, targets 0, Pure, "float of a bit pattern";
    Widen     = "widen"     (Discrete) -> (Int), imm None, targets 0, Pure, "code, value, 0 or 1 as an int";
    IntToByte = "int_to_byte" (Int) -> (Byte),  imm None, targets 0, Panics, "byte_out_of_range";
    IntToChar = "int_to_char" (Int) -> (Char),  imm None, targets 0, Panics, "invalid_codepoint";
    ByteToChar = "byte_to_char" (Byte) -> (Char), imm None, targets 0, Pure, "exact";
    // Aggregates.
    Aggregate = "aggregate" (Many) -> (Aggregate), imm None, targets 0, Pure, "a tuple or struct of the result's type, from all its fields in order";
    Field     = "field"     (Aggregate) -> (Any), imm Int, targets 0, Pure, "field by index";
    WithField = "with_field" (Aggregate, Any) -> (Same), imm Int, targets 0, Pure, "the aggregate with one field replaced; the hold of what stood there is given up";
    // Sums.
    Variant   = "variant"   (Many) -> (Sum),     imm Int, targets 0, Pure, "a variant by number, of the result's type, from its payload in order";
    Tag       = "tag"       (Sum) -> (Int),      imm None, targets 0, Pure, "number of the variant";
    Is        = "is"        (Sum) -> (Bool),     imm Int, targets 0, Pure, "is it the variant with this number";
    Payload   = "payload"   (Sum) -> (Any),      imm Word, targets 0, Pure, "`vN.M`: part M of the payload of variant N, which the sum is known to be";
    // Cells on the heap.
    New       = "new"       (Many) -> (Cell),    imm None, targets 0, Pure, "a cell of the result's type, from all its parts in order; cells have no identity";
    Part      = "part"      (Cell) -> (Any),     imm Int, targets 0, Pure, "part of a cell by index; like `payload` it stays behind the test that says what its operand is";
    // Text and lists.
    StrLen    = "str_len"   (Str) -> (Int),      imm None, targets 0, Pure, "bytes";
    List      = "list"      (Many) -> (List),    imm None, targets 0, Pure, "a list of the result's type, from its elements in order";
    Static    = "static"    () -> (List),        imm Str,  targets 0, Pure, "a list of literals, as its text says, that lies in the image: nobody holds it, and who changes it changes a copy";
    ListLen   = "list_len"  (List) -> (Int),     imm None, targets 0, Pure, "number of elements";
    ListGet   = "list_get"  (List, Int) -> (Element), imm None, targets 0, Panics, "element at an index; index_out_of_bounds";
    ListAt    = "list_at"   (List, Int) -> (Element), imm None, targets 0, Pure, "element at an index that the list is known to have; like `payload` it stays behind what says so";
    ListPush  = "list_push" (List, Element) -> (Same), imm None, targets 0, Pure, "the list with one more element; like all ops that give a changed list it may change the one that it is given";
    ListSet   = "list_set"  (List, Int, Element) -> (Same), imm None, targets 0, Pure, "the list with another element at an index that it is known to have; like `payload` it stays behind what says so";
    ListSlice = "list_slice" (List, Int, Int) -> (Same), imm None, targets 0, Pure, "the elements from one position to another, both moved into the list";
    ListReserve = "list_reserve" (List, Int) -> (Same), imm None, targets 0, Pure, "the same list, with room for so many more elements";
    ListOwn   = "list_own"  (List) -> (Same), imm None, targets 0, Pure, "the same list, in a buffer that nobody else holds";
    TableDouble = "table_double" (List) -> (Same), imm None, targets 0, Pure, "a list of ints, the slots of a table of `std/map.ori`, as one that is twice as long";
    // Calls.
    Runtime   = "rt"        (Many) -> (Many),    imm Word, targets 0, Panics, "a runtime call; one result unless void; panics by its statuses, `nounwind` when it has none";
    Call      = "call"      (Many) -> (Any),     imm Item, targets 0, Panics, "a call; unwinds when the callee does";
    Closure   = "closure"   (Many) -> (Function), imm Item, targets 0, Pure, "a function value: calls the item with its arguments, and behind them the operands";
    CallValue = "call_value" (Function, Many) -> (Any), imm None, targets 0, Panics, "a call of a function value; unwinds when the callee does";
    // Trait objects.
    Methods   = "methods"   () -> (Any), imm None, targets 0, Pure, "the addresses by which a type does what the traits of an object ask, as the type of the result says";
    Object    = "object"    (Cell) -> (Object), imm None, targets 0, Pure, "a cell of `methods` and a value of that type as a trait object: what is in it is not to be seen any more";
    CallMethod = "call_method" (Object, Many) -> (Any), imm Item, targets 0, Panics, "the method of a trait, called on an object; unwinds when the callee does";
    ChangeMethod = "change_method" (Object, Many) -> (Any), imm Item, targets 0, Panics, "the same of a method that changes its `self`: the result is the new object, alone or behind what the method gives";
    // Ownership; only in the phase `owned`.
    Dup       = "dup"       (Any) -> (Same),     imm None, targets 0, Writes, "the operand once more: its counted content has one holder more, and the result is it; borrows its operand";
    Drop      = "drop"      (Any) -> (),         imm None, targets 0, Writes, "gives its operand up: its counted content has one holder fewer, and what has none left is freed";
    ListSwap  = "list_swap" (List, Int, Element) -> (Same, Element), imm None, targets 0, Writes, "`list_set`, and what stood there before";
    Open      = "open"      (Any, Many) -> (Many), imm None, targets 0, Writes, "gives its first operand up for parts of it: each further operand, reached from it by `field`, `payload` and `part`, is a result of its own; where the result is a token, the room of that cell if nobody else held it";
    Reuse     = "reuse"     (Cell, Many) -> (Cell), imm None, targets 0, Writes, "a cell as by `new` of the operands behind the first, in the room of that token if it has any";
    Free      = "free"      (Cell) -> (),        imm Int, targets 0, Writes, "gives the room of a token back; the number is its class";
    // Values with a hole.
    Hole      = "hole"      (Any) -> (Hole),     imm None, targets 0, Writes, "a hole and nothing around it; the operand, which nobody holds, stands in it meanwhile";
    Plug      = "plug"      (Hole, Sum) -> (Same), imm Int, targets 0, Writes, "the second operand, a variant with a cell, goes where the hole is, and that part of the cell is the hole then";
    Fill      = "fill"      (Hole, Any) -> (Any), imm None, targets 0, Writes, "the value around the hole, with the second operand in it";
    // Terminators.
    Jump      = "jump"      () -> (),            imm None, targets 1, Ends, "goes on";
    Branch    = "branch"    (Bool) -> (),        imm None, targets 2, Ends, "first target when true";
    Switch    = "switch"    (Discrete) -> (),    imm Cases, targets CASES, Ends, "target of the equal case, else the last";
    Return    = "ret"       (Any) -> (),         imm None, targets 0, Ends, "the result";
    Tail      = "tail"      (Many) -> (),        imm Item, targets 0, Ends, "calls and returns its result in constant stack";
    Panic     = "panic"     (Many) -> (),        imm Word, targets 0, Ends, "panics with the kind and its arguments; has place and unwind edge";
    Resume    = "resume"    () -> (),            imm None, targets 0, Ends, "goes on unwinding in the caller";
    Unreachable = "unreachable" () -> (),        imm None, targets 0, Ends, "proved not to be reached";
}

/// Names of the flag bits of a MIR instruction.
pub const FLAGS: &[&str] = &["nounwind", "sole"];
/// Proved not to panic: no unwind edge.
pub const NOUNWIND: u16 = 1;
/// The list that the op changes is proved to have no other holder; only in the phase `owned`.
pub const SOLE: u16 = 2;
/// May a `list_slice` end before its list does? What is behind the end goes then, where nobody else holds it.
pub fn cuts(graph: &Graph<Mir>, slice: Inst) -> bool {
    let &[list, _, to] = graph.args(slice) else { return false };
    let is_length = |made: Inst| graph.op(made) == Op::ListLen && graph.args(made) == [list];
    !graph.def_inst(to).is_some_and(is_length)
}

/// Has the op a place only to tell where memory is asked for? It cannot panic, so no code below MIR depends on it.
pub const fn may_make(op: Op) -> bool {
    matches!(op, Op::Variant | Op::New | Op::Reuse | Op::Closure)
        || matches!(
            op,
            Op::List | Op::ListPush | Op::ListSet | Op::ListSlice | Op::ListReserve | Op::ListOwn | Op::ListSwap | Op::TableDouble
        )
}

/// The immediate of `payload`: variant and part. Text `v1.0`.
pub const fn payload_imm(variant: u32, part: u32) -> u64 {
    (variant as u64) << 32 | part as u64
}

/// Variant and part of a `payload`.
pub const fn payload_parts(imm: u64) -> (u32, u32) {
    ((imm >> 32) as u32, imm as u32)
}
