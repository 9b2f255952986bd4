//! Intrinsics: the built-in functions, methods and operators of the prelude that a body may call.
//!
//! One row an intrinsic: name in dumps, operand types, result type, meaning. Which source form means which intrinsic is decided in `infer`;
//! what an intrinsic does to values is decided in `mir`.

use crate::Type;

/// Operand or result of an intrinsic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shape {
    /// Exactly this type.
    Of(Type),
    /// The type of the first operand.
    Same,
    /// One of int, char, byte, bool.
    Discrete,
    /// int or byte.
    Bits,
    /// A sum of several variants.
    Sum,
    /// Any list.
    List,
    /// Element of the list that is the first operand.
    Element,
}

const INT: Shape = Shape::Of(Type::INT);
const FLOAT: Shape = Shape::Of(Type::FLOAT);
const BOOL: Shape = Shape::Of(Type::BOOL);
const CHAR: Shape = Shape::Of(Type::CHAR);
const BYTE: Shape = Shape::Of(Type::BYTE);
const STR: Shape = Shape::Of(Type::STR);
const VOID: Shape = Shape::Of(Type::VOID);
const NEVER: Shape = Shape::Of(Type::NEVER);
const SAME: Shape = Shape::Same;
const DISCRETE: Shape = Shape::Discrete;
const BITS: Shape = Shape::Bits;
const SUM: Shape = Shape::Sum;
const LIST: Shape = Shape::List;
const ELEMENT: Shape = Shape::Element;

const fn of_two_ints(args: &[Shape], result: Shape) -> Option<Type> {
    match (args, result) {
        ([Shape::Of(Type::INT), Shape::Of(Type::INT)], Shape::Of(result)) => Some(result),
        _ => None,
    }
}

macro_rules! intrinsics {
    ($( $name:ident = $text:literal ($($arg:ident),*) -> $result:ident, $panics:literal, $meaning:literal; )+) => {
        /// A built-in operation on values.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Intrinsic { $( #[doc = $meaning] $name, )+ }

        impl Intrinsic {
            /// All intrinsics in table order.
            pub const ALL: &'static [Intrinsic] = &[$(Intrinsic::$name),+];
            /// The name in dumps.
            pub const fn name(self) -> &'static str { match self { $(Intrinsic::$name => $text),+ } }
            /// Operand shapes.
            pub const fn args(self) -> &'static [Shape] { match self { $(Intrinsic::$name => &[$($arg),*]),+ } }
            /// Result shape.
            pub const fn result(self) -> Shape { match self { $(Intrinsic::$name => $result),+ } }
            /// The result, where the operands are two ints and the result has a type of its own.
            #[inline]
            pub fn of_two_ints(self) -> Option<Type> {
                const RESULTS: &[Option<Type>] = &[$(of_two_ints(&[$($arg),*], $result)),+];
                RESULTS[self as usize]
            }
            /// May it panic?
            pub const fn panics(self) -> bool { match self { $(Intrinsic::$name => $panics),+ } }
            /// One line for the reference page.
            pub const fn meaning(self) -> &'static str { match self { $(Intrinsic::$name => $meaning),+ } }
            /// The intrinsic with this name.
            pub fn from_name(name: &str) -> Option<Intrinsic> { match name { $($text => Some(Intrinsic::$name),)+ _ => None } }
        }
    };
}

intrinsics! {
    // Integers.
    IntAdd      = "int.add"      (INT, INT)     -> INT,   true,  "checked sum";
    IntSub      = "int.sub"      (INT, INT)     -> INT,   true,  "checked difference";
    IntMul      = "int.mul"      (INT, INT)     -> INT,   true,  "checked product";
    IntDiv      = "int.div"      (INT, INT)     -> INT,   true,  "quotient truncated toward zero";
    IntRem      = "int.rem"      (INT, INT)     -> INT,   true,  "remainder with the sign of the dividend";
    IntFloorDiv = "int.floordiv" (INT, INT)     -> INT,   true,  "quotient rounded toward minus infinity";
    IntPow      = "int.pow"      (INT, INT)     -> INT,   true,  "exact power";
    IntNeg      = "int.neg"      (INT)          -> INT,   true,  "checked negation";
    IntShl      = "int.shl"      (INT, INT)     -> INT,   true,  "a * 2^n, checked";
    IntShr      = "int.shr"      (INT, INT)     -> INT,   true,  "arithmetic shift, count checked";
    IntAbs      = "int.abs"      (INT)          -> INT,   true,  "checked absolute value";
    IntSignum   = "int.signum"   (INT)          -> INT,   false, "-1, 0 or 1";
    IntClamp    = "int.clamp"    (INT, INT, INT) -> INT,  true,  "value, low, high: the value moved into low..=high";
    WrappingAdd = "int.wrapping_add" (INT, INT) -> INT,   false, "sum modulo 2^64";
    WrappingSub = "int.wrapping_sub" (INT, INT) -> INT,   false, "difference modulo 2^64";
    WrappingMul = "int.wrapping_mul" (INT, INT) -> INT,   false, "product modulo 2^64";
    WrappingNeg = "int.wrapping_neg" (INT)      -> INT,   false, "negation modulo 2^64";
    ByteShl     = "byte.shl"     (BYTE, INT)    -> BYTE,  true,  "shift within 8 bits; losing a set bit panics";
    ByteShr     = "byte.shr"     (BYTE, INT)    -> BYTE,  true,  "logical shift, count checked";
    BitAnd      = "bits.and"     (BITS, SAME)   -> SAME,  false, "bitwise and";
    BitOr       = "bits.or"      (BITS, SAME)   -> SAME,  false, "bitwise or";
    BitXor      = "bits.xor"     (BITS, SAME)   -> SAME,  false, "bitwise exclusive or";
    BitNot      = "bits.not"     (BITS)         -> SAME,  false, "bitwise complement";
    BoolNot     = "bool.not"     (BOOL)         -> BOOL,  false, "negation";
    // Comparison of int, char, byte, bool.
    Eq          = "eq"           (DISCRETE, SAME) -> BOOL, false, "equal";
    Ne          = "ne"           (DISCRETE, SAME) -> BOOL, false, "not equal";
    Lt          = "lt"           (DISCRETE, SAME) -> BOOL, false, "less";
    Le          = "le"           (DISCRETE, SAME) -> BOOL, false, "less or equal";
    Gt          = "gt"           (DISCRETE, SAME) -> BOOL, false, "greater";
    Ge          = "ge"           (DISCRETE, SAME) -> BOOL, false, "greater or equal";
    // Floats.
    FloatAdd    = "float.add"    (FLOAT, FLOAT) -> FLOAT, false, "IEEE sum";
    FloatSub    = "float.sub"    (FLOAT, FLOAT) -> FLOAT, false, "IEEE difference";
    FloatMul    = "float.mul"    (FLOAT, FLOAT) -> FLOAT, false, "IEEE product";
    FloatDiv    = "float.div"    (FLOAT, FLOAT) -> FLOAT, false, "IEEE quotient";
    FloatPow    = "float.pow"    (FLOAT, FLOAT) -> FLOAT, false, "IEEE pow";
    FloatNeg    = "float.neg"    (FLOAT)        -> FLOAT, false, "sign flipped";
    FloatAbs    = "float.abs"    (FLOAT)        -> FLOAT, false, "sign cleared";
    FloatSqrt   = "float.sqrt"   (FLOAT)        -> FLOAT, false, "correctly rounded square root";
    FloatEq     = "float.eq"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE equal";
    FloatNe     = "float.ne"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE not equal";
    FloatLt     = "float.lt"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE less";
    FloatLe     = "float.le"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE less or equal";
    FloatGt     = "float.gt"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE greater";
    FloatGe     = "float.ge"     (FLOAT, FLOAT) -> BOOL,  false, "IEEE greater or equal";
    FloatCompare = "float.compare" (FLOAT, FLOAT) -> INT, false, "-1, 0, 1 in the total order";
    FloatClamp  = "float.clamp"  (FLOAT, FLOAT, FLOAT) -> FLOAT, true, "value, low, high: the value moved into low..=high";
    FloatFloorInt = "float.floor_int" (FLOAT)   -> INT,   true,  "floor as int";
    FloatCeilInt  = "float.ceil_int"  (FLOAT)   -> INT,   true,  "ceiling as int";
    FloatRoundInt = "float.round_int" (FLOAT)   -> INT,   true,  "nearest int, half away from zero";
    FloatTruncInt = "float.trunc_int" (FLOAT)   -> INT,   true,  "integral part as int";
    FloatFloor  = "float.floor"  (FLOAT)        -> FLOAT, false, "floor as float (std.math)";
    FloatCeil   = "float.ceil"   (FLOAT)        -> FLOAT, false, "ceiling as float (std.math)";
    FloatRound  = "float.round"  (FLOAT)        -> FLOAT, false, "nearest integral float (std.math)";
    FloatTrunc  = "float.trunc"  (FLOAT)        -> FLOAT, false, "integral part as float (std.math)";
    FloatCbrt   = "float.cbrt"   (FLOAT)        -> FLOAT, false, "cube root (std.math)";
    FloatExp    = "float.exp"    (FLOAT)        -> FLOAT, false, "e to a power (std.math)";
    FloatLn     = "float.ln"     (FLOAT)        -> FLOAT, false, "natural logarithm (std.math)";
    FloatLog2   = "float.log2"   (FLOAT)        -> FLOAT, false, "logarithm to base 2 (std.math)";
    FloatLog10  = "float.log10"  (FLOAT)        -> FLOAT, false, "logarithm to base 10 (std.math)";
    FloatSin    = "float.sin"    (FLOAT)        -> FLOAT, false, "sine (std.math)";
    FloatCos    = "float.cos"    (FLOAT)        -> FLOAT, false, "cosine (std.math)";
    FloatTan    = "float.tan"    (FLOAT)        -> FLOAT, false, "tangent (std.math)";
    FloatAsin   = "float.asin"   (FLOAT)        -> FLOAT, false, "inverse sine (std.math)";
    FloatAcos   = "float.acos"   (FLOAT)        -> FLOAT, false, "inverse cosine (std.math)";
    FloatAtan   = "float.atan"   (FLOAT)        -> FLOAT, false, "inverse tangent (std.math)";
    FloatSinh   = "float.sinh"   (FLOAT)        -> FLOAT, false, "hyperbolic sine (std.math)";
    FloatCosh   = "float.cosh"   (FLOAT)        -> FLOAT, false, "hyperbolic cosine (std.math)";
    FloatTanh   = "float.tanh"   (FLOAT)        -> FLOAT, false, "hyperbolic tangent (std.math)";
    FloatAtan2  = "float.atan2"  (FLOAT, FLOAT) -> FLOAT, false, "angle of a point, y before x (std.math)";
    FloatHypot  = "float.hypot"  (FLOAT, FLOAT) -> FLOAT, false, "length of a vector (std.math)";
    FloatIsNan  = "float.is_nan" (FLOAT)        -> BOOL,  false, "is it NaN";
    FloatIsInfinite = "float.is_infinite" (FLOAT) -> BOOL, false, "is it an infinity";
    FloatIsFinite = "float.is_finite" (FLOAT)   -> BOOL,  false, "neither NaN nor infinite";
    FloatToBits = "float.to_bits" (FLOAT)       -> INT,   false, "IEEE bit pattern";
    FloatFromBits = "float.from_bits" (INT)     -> FLOAT, false, "float of a bit pattern";
    // Conversions.
    IntToFloat  = "int.to_float" (INT)          -> FLOAT, false, "nearest float";
    IntToByte   = "int.to_byte"  (INT)          -> BYTE,  true,  "range checked";
    IntToChar   = "int.to_char"  (INT)          -> CHAR,  true,  "checked to be a scalar value";
    DiscreteToInt = "discrete.to_int" (DISCRETE) -> INT,  false, "code of a char, value of a byte, 0 or 1 of a bool";
    ByteToChar  = "byte.to_char" (BYTE)         -> CHAR,  false, "exact";
    CharToByte  = "char.to_byte" (CHAR)         -> BYTE,  true,  "0 to 127, range checked";
    StrToInt    = "str.to_int"   (STR)          -> INT,   true,  "parsed; panics when malformed";
    StrIsInt    = "str.is_int"   (STR)          -> BOOL,  false, "does it read as an int?";
    StrIsFloat  = "str.is_float" (STR)          -> BOOL,  false, "does it read as a float?";
    StrToFloat  = "str.to_float" (STR)          -> FLOAT, true,  "parsed; panics when malformed";
    IntToStr    = "int.to_str"   (INT)          -> STR,   false, "decimal";
    FloatToStr  = "float.to_str" (FLOAT)        -> STR,   false, "shortest form";
    FloatToFixed = "float.to_fixed" (FLOAT, INT) -> STR,  false, "exactly n decimals";
    BoolToStr   = "bool.to_str"  (BOOL)         -> STR,   false, "true or false";
    CharToStr   = "char.to_str"  (CHAR)         -> STR,   false, "the character";
    CharDebug   = "char.debug"   (CHAR)         -> STR,   false, "quoted and escaped";
    // Text.
    StrLen      = "str.len"      (STR)          -> INT,   false, "bytes";
    StrConcat   = "str.concat"   (STR, STR)     -> STR,   false, "concatenation";
    StrEq       = "str.eq"       (STR, STR)     -> BOOL,  false, "equal";
    StrCompare  = "str.compare"  (STR, STR)     -> INT,   false, "-1, 0, 1 by code points";
    StrHash     = "str.hash"     (STR)          -> INT,   false, "FNV-1a of the bytes";
    StrCharAt   = "str.char_at"  (STR, INT)     -> CHAR,  false, "character that begins at a byte offset";
    StrCharBefore = "str.char_before" (STR, INT) -> CHAR, false, "character that ends at a byte offset";
    StrByteAt   = "str.byte_at"  (STR, INT)     -> BYTE,  false, "byte at an offset; 0 behind the end";
    StrCount    = "str.count"    (STR)          -> INT,   false, "code points";
    StrOffset   = "str.offset"   (STR, INT)     -> INT,   false, "byte offset of a code point by index, or -1";
    StrIsBoundary = "str.is_boundary" (STR, INT) -> BOOL, false, "does a character begin or the text end at a byte offset?";
    StrFind     = "str.find"     (STR, STR, INT) -> INT,  false, "byte offset of the first match from an offset on, or -1";
    StrHasAt    = "str.has_at"   (STR, STR, INT) -> BOOL, false, "does the second text stand in the first one at a byte offset?";
    StrView     = "str.view"     (STR, INT, INT) -> STR,  false, "bytes start..end";
    StrReplace  = "str.replace"  (STR, STR, STR) -> STR,  false, "matches of the second text replaced by the third";
    StrRepeat   = "str.repeat"   (STR, INT)     -> STR,   false, "copies in a row";
    StrKeyedHash = "str.keyed_hash" (STR, INT) -> INT,    false, "hash for tables, by a seed";
    MapSeed     = "map.seed"     ()             -> INT,   false, "the seed of the process for tables";
    StrUpper    = "str.upper"    (STR)          -> STR,   false, "uppercase";
    StrLower    = "str.lower"    (STR)          -> STR,   false, "lowercase";
    CharIsAlphabetic = "char.is_alphabetic" (CHAR) -> BOOL, false, "Unicode property Alphabetic";
    CharIsDigit = "char.is_digit" (CHAR)        -> BOOL,  false, "Unicode category Nd";
    CharIsUpper = "char.is_upper" (CHAR)        -> BOOL,  false, "Unicode property Uppercase";
    CharIsLower = "char.is_lower" (CHAR)        -> BOOL,  false, "Unicode property Lowercase";
    CharUpper   = "char.upper"   (CHAR)         -> STR,   false, "uppercase";
    CharLower   = "char.lower"   (CHAR)         -> STR,   false, "lowercase";
    StrDebug    = "str.debug"    (STR)          -> STR,   false, "quoted and escaped";
    // Sums.
    VariantNumber = "variant.number" (SUM)      -> INT,   false, "position of the variant in the declaration";
    // Lists.
    ListLen     = "list.len"     (LIST)         -> INT,   false, "number of elements";
    ListGet     = "list.get"     (LIST, INT)    -> ELEMENT, true, "element at an index; panics out of bounds";
    ListPush    = "list.push"    (LIST, ELEMENT) -> SAME, false, "the list with one more element";
    ListSet     = "list.set"     (LIST, INT, ELEMENT) -> SAME, true, "the list with another element at an index; panics out of bounds";
    ListSlice   = "list.slice"   (LIST, INT, INT) -> SAME, false, "the elements from one position to another, both moved into the list";
    ListReserve = "list.reserve" (LIST, INT)    -> SAME,  false, "the same list, with room for so many more elements";
    TableDouble = "table.double" (LIST)         -> SAME,  false, "a list of ints, the slots of a table, as one that is twice as long (`pure::table`)";
    // Effects.
    Print       = "print"        (STR)          -> VOID,  true,  "writes a line to standard output";
    Write       = "write"        (STR)          -> VOID,  true,  "writes a text to standard output";
    DebugPrint  = "debug_print"  (STR)          -> VOID,  false, "writes the place of the call and a text to standard error, as a line";
    Panic       = "panic"        (STR)          -> NEVER, true,  "panics with the text";
    Todo        = "todo"         ()             -> NEVER, true,  "panics: not yet implemented";
    TodoFor     = "todo_for"     (STR)          -> NEVER, true,  "panics: not yet implemented: text";
    Unreachable = "unreachable"  ()             -> NEVER, true,  "panics: unreachable code reached";
    UnreachableFor = "unreachable_for" (STR)    -> NEVER, true,  "panics: unreachable code reached: text";
    AssertFailed = "assert_failed" ()           -> NEVER, true,  "panics: assertion failed";
    AssertNotEqual = "assert_not_equal" (STR, STR) -> NEVER, true, "panics: assertion failed: a != b";
    AssertEqual = "assert_equal" (STR)          -> NEVER, true,  "panics: assertion failed: values are equal: a";
    StepZero    = "step_zero"    ()             -> NEVER, true,  "panics: range step cannot be zero";
}
