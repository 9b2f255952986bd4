//! The functions behind `abi::RuntimeCall`, one each, with the convention of `abi::calls`.
#![allow(unsafe_code)] // exported symbols, addresses from compiled code

use core::arch::global_asm;

use abi::funcs::PlaceRecord;
use pure::{case, find, float, int, keyed, parse, print, text};

use crate::start::decimal;
use crate::unwind::{Frame, push_frame};
use crate::value::{Builder, Str};
use crate::walk::{Tables, Walk};
use crate::{heap, list, output, serve, unwind};

/// Status and result of a call that may panic: 0 and the result through `out`, or 1 plus the index of the panic in the call's table row.
macro_rules! status {
    ($out:ident, $result:expr, [$($kind:ident),+]) => {
        match $result {
            Ok(value) => {
                *$out = value;
                0
            }
            Err(kind) => {
                let kinds = [$(abi::PanicKind::$kind),+];
                kinds.iter().position(|row| *row == kind).map_or(kinds.len() as u64, |index| index as u64 + 1)
            }
        }
    };
}

/// `print`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_print(text: &Str) -> u64 {
    u64::from(!output::print(text.bytes(), b"\n"))
}

/// `write`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_write(text: &Str) -> u64 {
    u64::from(!output::print(text.bytes(), b""))
}

// `debug_print` says where it was called: the frame is laid down as `unwind::Frame`, below the return address. Code of LLVM passes the place in `rsi`.
global_asm!(
    ".section .text.ori_debug_print,\"ax\",@progbits",
    ".globl ori_debug_print",
    ".type ori_debug_print,@function",
    "ori_debug_print:",
    "    xor esi, esi",
    "    jmp ori_debug_print_at",
    ".size ori_debug_print, . - ori_debug_print",
    ".section .text.ori_debug_print_at,\"ax\",@progbits",
    ".globl ori_debug_print_at",
    ".type ori_debug_print_at,@function",
    "ori_debug_print_at:",
    "    mov rax, rsp",
    push_frame!(),
    "    mov rdx, rsp",
    "    push rax",
    "    call {debug_print}",
    "    add rsp, 72",
    "    ret",
    ".size ori_debug_print_at, . - ori_debug_print_at",
    ".text",
    debug_print = sym debug_print,
);

extern "sysv64" fn debug_print(text: &Str, place: *const PlaceRecord, frame: &Frame) {
    output::flush();
    // SAFETY: the stub passes the registers of compiled code, which passes the address of a constant.
    let frames = unsafe { Walk::new(Tables::of_program(), *frame, place) };
    let mut report = output::Report::default();
    pure::report::debug(frames, text.bytes(), &mut |piece| report.add(piece));
    report.send();
}

/// `allocate`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_allocate(bytes: u64, tag: u64) -> *mut u8 {
    heap::allocate(bytes as usize, tag as u32)
}

/// `list_reserve`.
///
/// # Safety
/// The elements and their buffer must be those of a list.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_list_reserve(
    elements: *const u8,
    length: u64,
    buffer: *mut u8,
    more: u64,
    stride: u64,
    tag: u64,
) -> *mut u8 {
    // SAFETY: as above.
    unsafe { list::reserve(elements, length, buffer, more, stride, tag as u32) }
}

/// `list_grow`.
///
/// # Safety
/// The elements and their buffer must be those of a list that has a share of it, and hold nothing counted.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_list_grow(
    elements: *const u8,
    length: u64,
    buffer: *mut u8,
    more: u64,
    stride: u64,
    tag: u64,
) -> *mut u8 {
    // SAFETY: as above.
    unsafe { list::grow(elements, length, buffer, more, stride, tag as u32) }
}

/// `list_unshare`.
///
/// # Safety
/// There must be as many elements.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_list_unshare(elements: *const u8, length: u64, stride: u64, tag: u64) -> *mut u8 {
    // SAFETY: as above.
    unsafe { list::copied(elements, length, length, stride, tag as u32) }
}

/// `table_double`.
///
/// # Safety
/// There must be as many slots.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_table_double(slots: *const u64, length: u64, tag: u64) -> *mut u8 {
    // SAFETY: as above.
    unsafe { list::table_double(slots, length as usize, tag as u32) }
}

/// `text_drop`.
///
/// # Safety
/// When the word names a block, the text must have a share of it.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_text_drop(owner: *mut u8) {
    if owner as isize > 0 {
        // SAFETY: as above; nothing in a text is counted.
        unsafe { heap::release(owner) };
    }
}

/// `buffer_drop`.
///
/// # Safety
/// When there is a buffer, the list must have a share of it, and its elements hold nothing that is counted.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_buffer_drop(buffer: *mut u8) {
    if !buffer.is_null() {
        // SAFETY: as above.
        unsafe { heap::release(buffer) };
    }
}

/// `free`.
///
/// # Safety
/// Nothing may use the block any more.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_free(block: *mut u8) {
    // SAFETY: as above.
    unsafe { heap::free(block) };
}

/// `caught`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_caught(out: &mut Str) {
    *out = unwind::take();
}

/// `str_concat`. `out` may be the place of an operand, so it is written last.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_concat(out: *mut Str, a: *const Str, b: *const Str) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::concat(&*a, &*b)) };
}

/// `str_equal`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_equal(a: &Str, b: &Str) -> u64 {
    u64::from(a.bytes() == b.bytes())
}

/// `str_compare`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_compare(a: &Str, b: &Str) -> i64 {
    text::compare(a.bytes(), b.bytes())
}

/// `str_hash`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_hash(text: &Str) -> i64 {
    text::hash(text.bytes())
}

/// `str_char_at`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_char_at(text: &Str, at: i64) -> u64 {
    u64::from(u32::from(text::char_at(text.bytes(), at)))
}

/// `str_char_before`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_char_before(text: &Str, end: i64) -> u64 {
    u64::from(u32::from(text::char_before(text.bytes(), end)))
}

/// `str_byte_at`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_byte_at(text: &Str, at: i64) -> u64 {
    u64::from(text::byte_at(text.bytes(), at))
}

/// `str_count`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_count(text: &Str) -> i64 {
    text::count(text.bytes()) as i64
}

/// `str_offset`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_offset(text: &Str, index: i64) -> i64 {
    text::offset(text.bytes(), index)
}

/// `str_is_boundary`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_is_boundary(text: &Str, at: i64) -> u64 {
    u64::from(text::is_boundary(text.bytes(), at))
}

/// `str_find`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_find(text: &Str, needle: &Str, from: i64) -> i64 {
    find::find(text.bytes(), needle.bytes(), from)
}

/// `str_has_at`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_has_at(text: &Str, part: &Str, at: i64) -> u64 {
    u64::from(text::has_at(text.bytes(), part.bytes(), at))
}

/// `str_view`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_view(out: *mut Str, text: *const Str, start: i64, end: i64) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write((*text).view(text::range((*text).bytes(), start, end))) };
}

/// `str_replace`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_replace(out: *mut Str, text: *const Str, old: *const Str, new: *const Str) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::collect(|sink| find::replace((*text).bytes(), (*old).bytes(), (*new).bytes(), sink))) };
}

/// `str_repeat`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_repeat(out: *mut Str, text: *const Str, count: i64) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::repeat((*text).bytes(), usize::try_from(count).unwrap_or(0))) };
}

/// `str_keyed_hash`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_keyed_hash(text: &Str, seed: i64) -> i64 {
    match text.inline_words() {
        Some(words) if seed >= 0 => keyed::of_words(words, seed),
        _ => keyed::hash(text.bytes(), seed),
    }
}

/// `map_seed`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_map_seed() -> i64 {
    crate::seed::of_process()
}

/// `str_upper`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_upper(out: *mut Str, text: *const Str) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::collect(|sink| case::upper((*text).bytes(), sink))) };
}

/// `str_lower`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_lower(out: *mut Str, text: *const Str) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::collect(|sink| case::lower((*text).bytes(), sink))) };
}

/// `str_debug`.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_str_debug(out: *mut Str, text: *const Str) {
    // SAFETY: compiled code passes the addresses of values.
    unsafe { out.write(Builder::collect(|sink| print::str_debug((*text).bytes(), sink))) };
}

/// `str_of_int`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_of_int(out: &mut Str, value: i64) {
    *out = Str::of(print::int(value, &mut [0; print::INT_TEXT_MAX]));
}

/// `str_of_float`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_of_float(out: &mut Str, value: f64) {
    *out = Builder::collect(|sink| print::float(value, sink));
}

/// `str_of_fixed`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_of_fixed(out: &mut Str, value: f64, decimals: i64) {
    *out = Builder::collect(|sink| print::fixed(value, decimals, sink));
}

/// `str_of_bool`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_of_bool(out: &mut Str, value: u64) {
    *out = Str::of_static(print::bool(value != 0));
}

/// `str_of_char`. Compiled code passes scalar values only; anything else prints as U+FFFD.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_str_of_char(out: &mut Str, code: u64) {
    *out = Str::of(scalar(code).encode_utf8(&mut [0; 4]).as_bytes());
}

/// `char_debug`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_debug(out: &mut Str, code: u64) {
    *out = Builder::collect(|sink| print::char_debug(scalar(code), sink));
}

/// `char_is_alphabetic`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_is_alphabetic(code: u64) -> u64 {
    u64::from(scalar(code).is_alphabetic())
}

/// `char_is_digit`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_is_digit(code: u64) -> u64 {
    u64::from(case::is_digit(scalar(code)))
}

/// `char_is_upper`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_is_upper(code: u64) -> u64 {
    u64::from(scalar(code).is_uppercase())
}

/// `char_is_lower`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_is_lower(code: u64) -> u64 {
    u64::from(scalar(code).is_lowercase())
}

/// `char_upper`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_upper(out: &mut Str, code: u64) {
    *out = Builder::collect(|sink| case::char_upper(scalar(code), sink));
}

/// `char_lower`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_char_lower(out: &mut Str, code: u64) {
    *out = Builder::collect(|sink| case::char_lower(scalar(code), sink));
}

fn scalar(code: u64) -> char {
    char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `int_of_str`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_int_of_str(out: &mut i64, text: &Str) -> u64 {
    status!(out, parse::int(text.bytes()), [CannotParseInt])
}

/// `float_of_str`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_of_str(out: &mut f64, text: &Str) -> u64 {
    status!(out, parse::float(text.bytes()), [CannotParseFloat])
}

/// `test_number`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_test_number(text: &Str) -> i64 {
    match text.bytes() {
        b"serve" => serve::next(),
        number => decimal(number).map_or(-1, |number| number as i64),
    }
}

/// `is_int_text`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_is_int_text(text: &Str) -> u64 {
    u64::from(parse::int(text.bytes()).is_ok())
}

/// `is_float_text`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_is_float_text(text: &Str) -> u64 {
    u64::from(parse::float(text.bytes()).is_ok())
}

/// `int_pow`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_int_pow(out: &mut i64, base: i64, exponent: i64) -> u64 {
    status!(out, int::pow(base, exponent), [NegativeExponent, PowOverflow])
}

/// `float_pow`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_pow(a: f64, b: f64) -> f64 {
    float::pow(a, b)
}

/// `float_floor`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_floor(a: f64) -> f64 {
    float::floor(a)
}

/// `float_ceil`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_ceil(a: f64) -> f64 {
    float::ceil(a)
}

/// `float_round`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_round(a: f64) -> f64 {
    float::round(a)
}

/// `float_trunc`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_trunc(a: f64) -> f64 {
    float::trunc(a)
}

/// `float_cbrt`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_cbrt(a: f64) -> f64 {
    float::cbrt(a)
}

/// `float_exp`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_exp(a: f64) -> f64 {
    float::exp(a)
}

/// `float_ln`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_ln(a: f64) -> f64 {
    float::ln(a)
}

/// `float_log2`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_log2(a: f64) -> f64 {
    float::log2(a)
}

/// `float_log10`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_log10(a: f64) -> f64 {
    float::log10(a)
}

/// `float_sin`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_sin(a: f64) -> f64 {
    float::sin(a)
}

/// `float_cos`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_cos(a: f64) -> f64 {
    float::cos(a)
}

/// `float_tan`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_tan(a: f64) -> f64 {
    float::tan(a)
}

/// `float_asin`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_asin(a: f64) -> f64 {
    float::asin(a)
}

/// `float_acos`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_acos(a: f64) -> f64 {
    float::acos(a)
}

/// `float_atan`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_atan(a: f64) -> f64 {
    float::atan(a)
}

/// `float_sinh`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_sinh(a: f64) -> f64 {
    float::sinh(a)
}

/// `float_cosh`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_cosh(a: f64) -> f64 {
    float::cosh(a)
}

/// `float_tanh`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_tanh(a: f64) -> f64 {
    float::tanh(a)
}

/// `float_atan2`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_atan2(a: f64, b: f64) -> f64 {
    float::atan2(a, b)
}

/// `float_hypot`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_hypot(a: f64, b: f64) -> f64 {
    float::hypot(a, b)
}

/// `float_compare`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_compare(a: f64, b: f64) -> i64 {
    float::compare(a, b)
}

#[cfg(test)]
mod tests;
