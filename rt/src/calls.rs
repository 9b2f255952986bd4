//! The functions behind `abi::RuntimeCall`, one each, with the convention of `abi::calls`.
#![allow(unsafe_code)] // exported symbols, addresses from compiled code

use pure::{float, int, parse, print, text};

use crate::value::{Builder, Str};
use crate::{heap, output, unwind};

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
    u64::from(!output::print(text.bytes()))
}

/// `debug_print`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_debug_print(text: &Str) {
    let mut report = output::Report::default();
    report.add(text.bytes());
    report.add(b"\n");
    report.send();
}

/// `allocate`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_allocate(bytes: u64, tag: u64) -> *mut u8 {
    heap::allocate(bytes as usize, tag as u32)
}

/// `text_drop`.
///
/// # Safety
/// The text must have a share of the block.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_text_drop(owner: *mut u8) {
    // SAFETY: as above; nothing in a text is counted.
    unsafe { heap::release(owner) };
}

/// `buffer_drop`.
///
/// # Safety
/// The list must have a share of the buffer, and its elements hold nothing that is counted.
#[unsafe(no_mangle)]
pub unsafe extern "sysv64" fn ori_buffer_drop(buffer: *mut u8) {
    // SAFETY: as above.
    unsafe { heap::release(buffer) };
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

/// `float_compare`.
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_float_compare(a: f64, b: f64) -> i64 {
    float::compare(a, b)
}

#[cfg(test)]
mod tests;
