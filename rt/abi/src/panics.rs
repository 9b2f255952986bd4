//! Panic kinds: what generated code panics with (`language/10` §10.3).
//!
//! Generated code calls the entry of the kind; the return address of that call names the place. Arguments go in `rdi`, `rsi`
//! (a `str` as the address of its 24 bytes).

use crate::calls::Kind;

macro_rules! panics {
    ($( $name:ident = $text:literal ($($arg:ident),*) $symbol:literal $message:literal; )+) => {
        /// Why generated code panics.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum PanicKind { $( #[doc = $message] $name, )+ }

        impl PanicKind {
            /// All kinds in table order.
            pub const ALL: &'static [PanicKind] = &[$(PanicKind::$name),+];
            /// The name in dumps.
            pub const fn name(self) -> &'static str { match self { $(PanicKind::$name => $text),+ } }
            /// Arguments of the entry.
            pub const fn args(self) -> &'static [Kind] { match self { $(PanicKind::$name => &[$(Kind::$arg),*]),+ } }
            /// Symbol of the runtime entry, which does not return.
            pub const fn symbol(self) -> &'static str { match self { $(PanicKind::$name => $symbol),+ } }
            /// The message; `{0}` and `{1}` are the arguments in `to_str` form, `{0?}` in `debug` form.
            pub const fn message(self) -> &'static str { match self { $(PanicKind::$name => $message),+ } }
            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<PanicKind> { match name { $($text => Some(PanicKind::$name),)+ _ => None } }
            /// The kind with this number.
            pub fn from_number(number: u64) -> Option<PanicKind> { Self::ALL.get(number as usize).copied() }
        }
    };
}

panics! {
    AddOverflow        = "add_overflow"       ()         "ori_panic_add_overflow"       "integer overflow in addition";
    SubOverflow        = "sub_overflow"       ()         "ori_panic_sub_overflow"       "integer overflow in subtraction";
    MulOverflow        = "mul_overflow"       ()         "ori_panic_mul_overflow"       "integer overflow in multiplication";
    NegOverflow        = "neg_overflow"       ()         "ori_panic_neg_overflow"       "integer overflow in negation";
    DivOverflow        = "div_overflow"       ()         "ori_panic_div_overflow"       "integer overflow in division";
    RemOverflow        = "rem_overflow"       ()         "ori_panic_rem_overflow"       "integer overflow in modulo";
    FloorDivOverflow   = "floordiv_overflow"  ()         "ori_panic_floordiv_overflow"  "integer overflow in floor division";
    PowOverflow        = "pow_overflow"       ()         "ori_panic_pow_overflow"       "integer overflow in exponentiation";
    AbsOverflow        = "abs_overflow"       ()         "ori_panic_abs_overflow"       "integer overflow in absolute value";
    DivByZero          = "div_by_zero"        ()         "ori_panic_div_by_zero"        "division by zero";
    RemByZero          = "rem_by_zero"        ()         "ori_panic_rem_by_zero"        "modulo by zero";
    NegativeExponent   = "negative_exponent"  ()         "ori_panic_negative_exponent"  "negative exponent on integer";
    NegativeShift      = "negative_shift"     ()         "ori_panic_negative_shift"     "negative shift count";
    ShiftTooLarge      = "shift_too_large"    ()         "ori_panic_shift_too_large"    "shift count exceeds bit width";
    ShiftOverflow      = "shift_overflow"     ()         "ori_panic_shift_overflow"     "shift overflow";
    IndexOutOfBounds   = "index_out_of_bounds" (Int, Int) "ori_panic_index_out_of_bounds" "index out of bounds: index {0}, length {1}";
    StepZero           = "step_zero"          ()         "ori_panic_step_zero"          "range step cannot be zero";
    ClampReversed      = "clamp_reversed"     ()         "ori_panic_clamp_reversed"     "clamp bounds are reversed";
    FloatOutOfRange    = "float_out_of_range" ()         "ori_panic_float_out_of_range" "float value out of range for int";
    ByteOutOfRange     = "byte_out_of_range"  (Int)      "ori_panic_byte_out_of_range"  "value {0} out of range for byte";
    InvalidCodepoint   = "invalid_codepoint"  (Int)      "ori_panic_invalid_codepoint"  "{0} is not a valid Unicode codepoint";
    CannotParseInt     = "cannot_parse_int"   (Str)      "ori_panic_cannot_parse_int"   "cannot parse {0?} as int";
    CannotParseFloat   = "cannot_parse_float" (Str)      "ori_panic_cannot_parse_float" "cannot parse {0?} as float";
    Custom             = "custom"             (Str)      "ori_panic_custom"             "{0}";
    NotImplemented     = "not_implemented"    ()         "ori_panic_not_implemented"    "not yet implemented";
    NotImplementedFor  = "not_implemented_for" (Str)     "ori_panic_not_implemented_for" "not yet implemented: {0}";
    Unreachable        = "unreachable"        ()         "ori_panic_unreachable"        "unreachable code reached";
    UnreachableFor     = "unreachable_for"    (Str)      "ori_panic_unreachable_for"    "unreachable code reached: {0}";
    AssertFailed       = "assert_failed"      ()         "ori_panic_assert_failed"      "assertion failed";
    AssertNotEqual     = "assert_not_equal"   (Str, Str) "ori_panic_assert_not_equal"   "assertion failed: {0} != {1}";
    AssertEqual        = "assert_equal"       (Str)      "ori_panic_assert_equal"       "assertion failed: values are equal: {0}";
    NonExhaustive      = "non_exhaustive"     ()         "ori_panic_non_exhaustive"     "non-exhaustive match";
    OutputFailed       = "output_failed"      (Int)      "ori_panic_output_failed"      "cannot write to standard output: {0}";
}
