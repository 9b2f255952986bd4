//! The one table of runtime calls, read by `mir` (types, effects, statuses), `lir` (convention), `codegen` (symbols) and `rt` (definitions).
//!
//! Convention (System V registers): operands in order, an `int`, `bool`, `byte` or `char` as a zero- or sign-extended 64-bit integer, a `float` in
//! an `xmm` register, a `str` or list as the address of its 24 bytes (borrowed). The result:
//!
//! - a call with statuses returns the status in `rax` (0 = done, `k` = panic with `statuses[k - 1]`) and writes its result, if any, through an *out*
//!   address that is passed before the operands;
//! - otherwise a `str` result is written through an *out* address passed first, and any other result is returned in `rax` or `xmm0`.
//!
//! Operands are borrowed: the caller keeps them alive during the call, and what it gives is the caller's. An operand written `#own` is consumed: the runtime takes
//! the caller's hold of it, also when the call ends with a status.
//!
//! Runtime calls never panic and never call Ori code (decision 10): the caller panics with its own place.

use crate::panics::PanicKind;

/// Kind of a value that crosses the boundary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing.
    Void,
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// 0 or 1.
    Bool,
    /// Unicode scalar value.
    Char,
    /// 0 to 255.
    Byte,
    /// 24-byte text.
    Str,
    /// Address of a cell's parts. No value of the language: only LIR calls what gives one.
    Address,
}

/// What a runtime call may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeEffect {
    /// Depends on its operands only and changes nothing observable (it may allocate).
    Pure,
    /// Output.
    Writes,
}

macro_rules! calls {
    ($( $name:ident = $text:literal $symbol:literal ($($(#$own:ident)? $arg:ident),*) -> $result:ident, $effect:ident, [$($status:ident),*], $meaning:literal; )+) => {
        /// A function of the runtime that compiled code may call.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum RuntimeCall { $( #[doc = $meaning] $name, )+ }

        impl RuntimeCall {
            /// All calls in table order.
            pub const ALL: &'static [RuntimeCall] = &[$(RuntimeCall::$name),+];
            /// The name in dumps.
            pub const fn name(self) -> &'static str { match self { $(RuntimeCall::$name => $text),+ } }
            /// The linked symbol.
            pub const fn symbol(self) -> &'static str { match self { $(RuntimeCall::$name => $symbol),+ } }
            /// Operands.
            pub const fn args(self) -> &'static [Kind] { match self { $(RuntimeCall::$name => &[$(Kind::$arg),*]),+ } }
            /// Is operand `index` consumed? All others are borrowed.
            pub fn consumes(self, index: usize) -> bool {
                let owned: &[bool] = match self { $(RuntimeCall::$name => &[$( false $(|| calls!(@$own))? ),*]),+ };
                owned.get(index).copied().unwrap_or(false)
            }
            /// Result.
            pub const fn result(self) -> Kind { match self { $(RuntimeCall::$name => Kind::$result),+ } }
            /// What it may do.
            pub const fn effect(self) -> RuntimeEffect { match self { $(RuntimeCall::$name => RuntimeEffect::$effect),+ } }
            /// Panic kinds of its statuses; status `k` is `statuses()[k - 1]`.
            pub const fn statuses(self) -> &'static [PanicKind] { match self { $(RuntimeCall::$name => &[$(PanicKind::$status),*]),+ } }
            /// One line for the reference page.
            pub const fn meaning(self) -> &'static str { match self { $(RuntimeCall::$name => $meaning),+ } }
            /// Does compiled code say where it makes the call, though it does not panic?
            pub const fn tells_place(self) -> bool { matches!(self, RuntimeCall::DebugPrint | RuntimeCall::MemEvent) }
            /// The call with this name.
            pub fn from_name(name: &str) -> Option<RuntimeCall> { match name { $($text => Some(RuntimeCall::$name),)+ _ => None } }
            /// The call with this number.
            pub fn from_number(number: u64) -> Option<RuntimeCall> { Self::ALL.get(number as usize).copied() }
        }
    };
    (@own) => { true };
}

calls! {
    Print         = "print"          "ori_print"          (Str)          -> Void,  Writes, [OutputFailed], "writes a text and a newline to standard output";
    Write         = "write"          "ori_write"          (Str)          -> Void,  Writes, [OutputFailed], "writes a text to standard output";
    DebugPrint    = "debug_print"    "ori_debug_print"    (Str)          -> Void,  Writes, [], "writes the place of the call in brackets, a text and a newline to standard error";
    Allocate      = "allocate"       "ori_allocate"       (Int, Int)     -> Address, Pure, [], "a cell with room for so many bytes, of the type with this tag (`layout::type_tag`); ends the process when memory is exhausted";
    ListReserve   = "list_reserve"   "ori_list_reserve"   (Address, Int, Address, Int, Int, Int) -> Address, Writes, [], "elements, their number, their buffer, how many more, bytes of one, tag of the list: a buffer that ends with these elements and has room for so many more; the same one, or a new one with copies";
    ListGrow      = "list_grow"      "ori_list_grow"      (Address, Int, Address, Int, Int, Int) -> Address, Writes, [], "as `list_reserve`, of elements that hold nothing counted: the caller's share of the buffer is consumed, and it gets one of what is given; pages of a large buffer that nobody else holds move instead of what stands in them";
    ListUnshare   = "list_unshare"   "ori_list_unshare"   (Address, Int, Int, Int) -> Address, Writes, [], "elements, their number, bytes of one, tag of the list: a new buffer with copies of them";
    TableDouble   = "table_double"   "ori_table_double"   (Address, Int, Int)  -> Address, Writes, [], "slots of a table, their number, tag of the list: a new buffer with those of one that is twice as long";
    TextDrop      = "text_drop"      "ori_text_drop"      (Int)          -> Void,  Writes, [], "gives up a share of the block that the third word of a text names, when it names one; no value of the language: only LIR calls it, as the two below";
    BufferDrop    = "buffer_drop"    "ori_buffer_drop"    (Address)      -> Void,  Writes, [], "gives up a share of a buffer whose elements hold nothing counted, when there is one";
    MemEvent      = "mem_event"      "ori_mem_event"      (Int, Address) -> Void,  Writes, [], "what happens to a block (`layout::MemEvent`), when there is one: only in programs built with `--mem-debug`";
    PanicDue      = "panic_due"      "ori_panic_due"      ()             -> Int,   Writes, [], "1 when what follows is to panic (`ORI_PANIC_AT`), else 0: only in programs built with `--mem-debug`";
    Free          = "free"           "ori_free"           (Address)      -> Void,  Writes, [], "gives a block back that nobody holds, and what it holds is dropped";
    Caught        = "caught"         "ori_caught"         ()             -> Str,   Writes, [], "the message of the panic that unwinds, which ends: only where a landing block leads";
    StrConcat     = "str_concat"     "ori_str_concat"     (Str, Str)     -> Str,   Pure,   [], "the first text followed by the second";
    StrEqual      = "str_equal"      "ori_str_equal"      (Str, Str)     -> Bool,  Pure,   [], "equal bytes";
    StrCompare    = "str_compare"    "ori_str_compare"    (Str, Str)     -> Int,   Pure,   [], "-1, 0 or 1 by code points";
    StrHash       = "str_hash"       "ori_str_hash"       (Str)          -> Int,   Pure,   [], "FNV-1a 64 of the bytes (language/08 section 8.4)";
    StrCharAt     = "str_char_at"    "ori_str_char_at"    (Str, Int)     -> Char,  Pure,   [], "the character that begins at a byte offset; U+FFFD where none does";
    StrCharBefore = "str_char_before" "ori_str_char_before" (Str, Int)  -> Char,  Pure,   [], "the character that ends at a byte offset; U+FFFD where none does";
    StrByteAt     = "str_byte_at"    "ori_str_byte_at"    (Str, Int)     -> Byte,  Pure,   [], "the byte at an offset; 0 behind the end";
    StrCount      = "str_count"      "ori_str_count"      (Str)          -> Int,   Pure,   [], "number of code points";
    StrOffset     = "str_offset"     "ori_str_offset"     (Str, Int)     -> Int,   Pure,   [], "byte offset of a code point by its index; -1 when there are not so many";
    StrIsBoundary = "str_is_boundary" "ori_str_is_boundary" (Str, Int)   -> Bool,  Pure,   [], "does a character begin or the text end at a byte offset?";
    StrFind       = "str_find"       "ori_str_find"       (Str, Str, Int) -> Int,  Pure,   [], "byte offset of the first match from an offset on; -1 when there is none";
    StrHasAt      = "str_has_at"     "ori_str_has_at"     (Str, Str, Int) -> Bool, Pure,   [], "does the second text stand in the first one at a byte offset?";
    StrView       = "str_view"       "ori_str_view"       (Str, Int, Int) -> Str,  Pure,   [], "bytes start..end, moved into the text and to boundaries; shares the buffer or copies a small part";
    StrReplace    = "str_replace"    "ori_str_replace"    (Str, Str, Str) -> Str,  Pure,   [], "all matches of the second text, from the left, replaced by the third; an empty one matches nowhere";
    StrRepeat     = "str_repeat"     "ori_str_repeat"     (Str, Int)     -> Str,   Pure,   [], "so many copies in a row; none for a negative count";
    StrKeyedHash  = "str_keyed_hash" "ori_str_keyed_hash" (Str, Int)     -> Int,   Pure,   [], "hash for tables, by a seed";
    MapSeed       = "map_seed"       "ori_map_seed"       ()             -> Int,   Pure,   [], "the seed of the process for tables, not negative";
    StrUpper      = "str_upper"      "ori_str_upper"      (Str)          -> Str,   Pure,   [], "full Unicode mapping to uppercase";
    StrLower      = "str_lower"      "ori_str_lower"      (Str)          -> Str,   Pure,   [], "full Unicode mapping to lowercase";
    StrDebug      = "str_debug"      "ori_str_debug"      (Str)          -> Str,   Pure,   [], "quoted and escaped form";
    StrOfInt      = "str_of_int"     "ori_str_of_int"     (Int)          -> Str,   Pure,   [], "decimal form; also of a byte";
    StrOfFloat    = "str_of_float"   "ori_str_of_float"   (Float)        -> Str,   Pure,   [], "shortest text that reads back equal";
    StrOfFixed    = "str_of_fixed"   "ori_str_of_fixed"   (Float, Int)   -> Str,   Pure,   [], "exactly n decimals, half to even on the exact value";
    StrOfBool     = "str_of_bool"    "ori_str_of_bool"    (Bool)         -> Str,   Pure,   [], "true or false";
    StrOfChar     = "str_of_char"    "ori_str_of_char"    (Char)         -> Str,   Pure,   [], "the character";
    CharDebug     = "char_debug"     "ori_char_debug"     (Char)         -> Str,   Pure,   [], "quoted and escaped form";
    CharIsAlphabetic = "char_is_alphabetic" "ori_char_is_alphabetic" (Char) -> Bool, Pure, [], "Unicode property Alphabetic";
    CharIsDigit   = "char_is_digit"  "ori_char_is_digit"  (Char)         -> Bool,  Pure,   [], "Unicode category Nd";
    CharIsUpper   = "char_is_upper"  "ori_char_is_upper"  (Char)         -> Bool,  Pure,   [], "Unicode property Uppercase";
    CharIsLower   = "char_is_lower"  "ori_char_is_lower"  (Char)         -> Bool,  Pure,   [], "Unicode property Lowercase";
    CharUpper     = "char_upper"     "ori_char_upper"     (Char)         -> Str,   Pure,   [], "full Unicode mapping to uppercase";
    CharLower     = "char_lower"     "ori_char_lower"     (Char)         -> Str,   Pure,   [], "full Unicode mapping to lowercase";
    IntOfStr      = "int_of_str"     "ori_int_of_str"     (Str)          -> Int,   Pure,   [CannotParseInt], "trimmed, optional sign, decimal digits";
    FloatOfStr    = "float_of_str"   "ori_float_of_str"   (Str)          -> Float, Pure,   [CannotParseFloat], "trimmed, decimal or scientific, inf, nan";
    IsIntText     = "is_int_text"    "ori_is_int_text"    (Str)          -> Bool,  Pure,   [], "does a text read as an int?";
    IsFloatText   = "is_float_text"  "ori_is_float_text"  (Str)          -> Bool,  Pure,   [], "does a text read as a float?";
    IntPow        = "int_pow"        "ori_int_pow"        (Int, Int)     -> Int,   Pure,   [NegativeExponent, PowOverflow], "exact power";
    FloatPow      = "float_pow"      "ori_float_pow"      (Float, Float) -> Float, Pure,   [], "IEEE pow";
    FloatFloor    = "float_floor"    "ori_float_floor"    (Float)        -> Float, Pure,   [], "largest integral float not above";
    FloatCeil     = "float_ceil"     "ori_float_ceil"     (Float)        -> Float, Pure,   [], "smallest integral float not below";
    FloatRound    = "float_round"    "ori_float_round"    (Float)        -> Float, Pure,   [], "nearest integral float, half away from zero";
    FloatTrunc    = "float_trunc"    "ori_float_trunc"    (Float)        -> Float, Pure,   [], "integral part";
    FloatCbrt     = "float_cbrt"     "ori_float_cbrt"     (Float)        -> Float, Pure,   [], "cube root";
    FloatExp      = "float_exp"      "ori_float_exp"      (Float)        -> Float, Pure,   [], "e to a power";
    FloatLn       = "float_ln"       "ori_float_ln"       (Float)        -> Float, Pure,   [], "natural logarithm";
    FloatLog2     = "float_log2"     "ori_float_log2"     (Float)        -> Float, Pure,   [], "logarithm to base 2";
    FloatLog10    = "float_log10"    "ori_float_log10"    (Float)        -> Float, Pure,   [], "logarithm to base 10";
    FloatSin      = "float_sin"      "ori_float_sin"      (Float)        -> Float, Pure,   [], "sine";
    FloatCos      = "float_cos"      "ori_float_cos"      (Float)        -> Float, Pure,   [], "cosine";
    FloatTan      = "float_tan"      "ori_float_tan"      (Float)        -> Float, Pure,   [], "tangent";
    FloatAsin     = "float_asin"     "ori_float_asin"     (Float)        -> Float, Pure,   [], "inverse sine";
    FloatAcos     = "float_acos"     "ori_float_acos"     (Float)        -> Float, Pure,   [], "inverse cosine";
    FloatAtan     = "float_atan"     "ori_float_atan"     (Float)        -> Float, Pure,   [], "inverse tangent";
    FloatSinh     = "float_sinh"     "ori_float_sinh"     (Float)        -> Float, Pure,   [], "hyperbolic sine";
    FloatCosh     = "float_cosh"     "ori_float_cosh"     (Float)        -> Float, Pure,   [], "hyperbolic cosine";
    FloatTanh     = "float_tanh"     "ori_float_tanh"     (Float)        -> Float, Pure,   [], "hyperbolic tangent";
    FloatAtan2    = "float_atan2"    "ori_float_atan2"    (Float, Float) -> Float, Pure,   [], "angle of a point, y before x";
    FloatHypot    = "float_hypot"    "ori_float_hypot"    (Float, Float) -> Float, Pure,   [], "length of a vector";
    FloatCompare  = "float_compare"  "ori_float_compare"  (Float, Float) -> Int,   Pure,   [], "-1, 0 or 1 in the total order: zeros equal, NaN equal to itself and above all";
    TestNumber    = "test_number"    "ori_test_number"    (Str)          -> Int,   Writes, [], "the number of the test that this process is to run: the text's, or for `serve` the one that standard input asks for next, in a process forked for it";
}
